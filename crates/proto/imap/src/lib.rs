//! IMAP server sessions (RFC 3501, RFC 9051), without I/O.

pub mod ask;
