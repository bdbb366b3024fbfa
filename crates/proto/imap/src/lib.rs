//! IMAP (RFC 3501, RFC 9051), without I/O: the server's sessions, and in [`client`] the other side.

pub mod ask;
mod capability;
pub mod client;
mod cmd;
pub mod command;
mod language;
pub mod mailbox_name;
pub mod mutf7;
pub mod parse;
pub mod pattern;
pub mod print;
pub mod receive;
pub mod sequence;
mod session;
pub mod url;
mod view;
pub mod write;

pub use session::{ANNOTATION_BYTES_MAX, MessageLimit, Session, Settings};
