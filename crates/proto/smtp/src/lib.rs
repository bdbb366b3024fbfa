//! SMTP (RFC 5321), message submission (RFC 6409) and LMTP (RFC 2033): the server's side of a session, without I/O; the
//! client's side is in [`client`].
//!
//! [`Session`] implements [`wire::Session`]: it is fed octets, asks the world with [`Ask`], hears [`Answer`], and writes
//! replies. Syntax, order and limits are decided here; who may send what to whom is decided by who answers.
//!
//! Extensions: PIPELINING (RFC 2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), ENHANCEDSTATUSCODES (2034),
//! DSN (3461), CHUNKING and BINARYMIME (3030), LIMITS (9422), STARTTLS (3207), AUTH (4954); and where the listener offers
//! them ([`Offer`]) MT-PRIORITY (6710), REQUIRETLS (8689), DELIVERBY (2852), FUTURERELEASE (4865), ETRN (1985), ATRN
//! (2645).
//!
//! Invariants:
//! - only CRLF ends a line and only CRLF `.` CRLF ends DATA ([RFC 5321 §2.3.8, §4.1.1.4]);
//! - every command gets exactly one reply, in order, however the input is cut into pieces (LMTP: the end of the message
//!   gets one per recipient);
//! - memory is bounded by [`Limits`]: one message, one list of recipients, one line and one feed;
//! - nothing read before TLS began is used after (RFC 3207 §4.2).
//!
//! [RFC 5321 §2.3.8, §4.1.1.4]: https://www.rfc-editor.org/rfc/rfc5321

mod ask;
pub mod client;
mod config;
mod content;
mod date;
mod header;
mod params;
mod path;
mod reply;
mod session;
mod verb;
mod wishes;
mod xtext;

pub use ask::{
    Answer, Ask, BodyType, Client, DeliverBy, Delivery, Greeting, Kind, Listed, Notify, NotifyOn,
    OriginalRecipient, Outcome, Reach, Recipient, Ret, Sender, Wishes,
};
pub use config::{Config, Limits, Login, Offer, Verify};
pub use reply::{Enhanced, Refusal};
pub use session::Session;
