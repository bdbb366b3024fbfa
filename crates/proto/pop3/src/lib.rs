//! POP3 server sessions without I/O: RFC 1939, with CAPA and response codes (RFC 2449), STLS (RFC 2595), AUTH (RFC 5034),
//! [SYS/…] and [AUTH] (RFC 3206), UTF8 and LANG (RFC 6856), and LAST (RFC 1460).

mod ask;

pub use ask::{Answer, Ask, Entry, Maildrop, READ_OCTETS_MAX, Uncommitted, Unopened, Unread};
