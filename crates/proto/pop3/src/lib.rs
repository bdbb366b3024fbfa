//! POP3 without I/O, the server's sessions, and in [`client`] the other side: RFC 1939, with CAPA and response codes (RFC 2449), STLS (RFC 2595), AUTH (RFC 5034),
//! `[SYS/…]` and `[AUTH]` (RFC 3206), UTF8 and LANG (RFC 6856), and LAST (RFC 1460).

mod ask;
mod authorization;
pub mod client;
mod command;
mod dot_stuffing;
mod maildrop_view;
mod session;
mod settings;
mod text;
mod transaction;
mod transfer;

pub use ask::{Answer, Ask, Entry, Maildrop, READ_OCTETS_MAX, Uncommitted, Unopened, Unread};
pub use session::Pop3;
pub use settings::{AUTOLOGOUT_MIN, Offer, Settings, Utf8Header};
