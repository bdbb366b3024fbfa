//! Mail from foreign mailboxes: connections to IMAP (RFC 3501, RFC 9051) and POP3 (RFC 1939) servers elsewhere, and the
//! [`Collector`] that runs what `collecting` plans over them.
//!
//! [`ImapConnection`] and [`PopConnection`] run the clients of `imap` and `pop3` against a socket: dialled, encrypted, the
//! certificate verified, logged in, then one thing after the other. What fails is told as [`Trouble`], which says of what
//! kind it is and reads as a sentence.
//!
//! Invariants:
//! - every call ends: silence, the log-in and each operation are limited in time ([`Limits`]);
//! - messages are handed on piece by piece and are whole only when the call says so;
//! - no password and no token leaves without TLS, but to this machine itself or when [`Server::tls`] and
//!   [`Environment::plaintext_auth`] say so;
//! - nothing is deleted but what is named.

mod batch;
mod deliver;
mod dial;
mod folder;
mod host;
mod imap_connection;
#[cfg(test)]
mod imap_tests;
mod pop_connection;
#[cfg(test)]
mod pop_tests;
mod remote;
mod run;
mod schedule;
#[cfg(test)]
mod scripted;
mod session;
mod settings;
mod trouble;
mod wire_pump;

pub use dial::{Credentials, Environment, Limits, PlaintextAuth, Server, Tls};
pub use imap::client::{Counts, Flags, Listed, Mode, Owner};
pub use imap_connection::{Deleted, Folder, ImapConnection, Opened};
pub use pop_connection::{MaildropEntry, PopConnection};
pub use pop3::client::Apop;
pub use sasl::client::Secret;
pub use schedule::Collector;
pub use settings::Settings;
pub use trouble::Trouble;

/// Takes the octets of a message as they come; an error ends the connection.
pub type Sink<'a> = &'a mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send);

/// A random number for what needs no secrecy: spreading runs.
fn random() -> u32 {
    getrandom::u32().unwrap_or_else(|error| panic!("the system gives no random numbers: {error}"))
}
