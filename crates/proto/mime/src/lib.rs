//! Internet messages: header fields, MIME structure, addresses, dates, encoded words, charsets, transfer encodings,
//! and the IMAP forms made of them (ENVELOPE, BODY, BODYSTRUCTURE, section ranges).
//!
//! Invariants: every parser takes arbitrary bytes, never panics, works in time linear in its input (times a constant
//! such as [`structure::MAX_DEPTH`]) and keeps memory within the named limits. Nothing here refuses a message: what
//! cannot be understood falls back to the default that the RFC names. Bytes are borrowed wherever that is possible.
//!
//! ```
//! use mime::imap::{self, BodyForm};
//! use mime::section::{self, Specifier};
//!
//! let message = b"Subject: =?utf-8?q?caf=C3=A9?=\r\nFrom: A <a@example.org>\r\n\r\nHello.\r\n";
//! let structure = mime::parse(message);
//! let envelope = mime::Envelope::parse(message);
//! assert_eq!(envelope.subject_text(), "café");
//! let mut out = Vec::new();
//! imap::write_body(&structure, BodyForm::Body, &mut out);
//! assert_eq!(out, b"(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 8 1)");
//! let range = section::locate(&structure, &[1], Specifier::Whole).unwrap();
//! assert_eq!(&message[range], b"Hello.\r\n");
//! ```
//!
//! RFC 5322, 6532 (messages), 2045–2047, 2183, 2231, 3282, 2557 (MIME), 2152 (UTF-7), 3501 and 9051 (IMAP forms),
//! 5256 §2.1 (base subject), 8970 (preview), 6152 §3 (down-conversion).

pub mod address;
pub mod build;
pub mod charset;
pub mod comparable;
pub mod content;
pub mod convert;
pub mod date;
pub mod encoded_word;
pub mod envelope;
pub mod header;
pub mod html;
pub mod imap;
mod lexical;
pub mod references;
pub mod section;
pub mod structure;
pub mod subject;
pub mod text;
pub mod transfer;
mod utf7;

pub use address::{Address, Addresses};
pub use comparable::Comparable;
pub use content::{ContentType, Disposition, Param};
pub use envelope::Envelope;
pub use header::{HeaderField, HeaderFields};
pub use structure::{Part, PartId, PartKind, Structure, parse};
