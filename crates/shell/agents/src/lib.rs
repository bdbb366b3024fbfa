//! The agents of a mail system: they answer what the sessions ask. MTA and MSA (`smtp.rs`), MDA (`smtp/deliver.rs`),
//! POP3 and IMAP (`pop3.rs`, `imap/`). Policy stands in `policy`, mailboxes in `store`, names in `directory`; an agent
//! only brings a question to the right one and the answer back, and keeps who is logged in on its connection.

mod imap;
mod introspection;
mod kept;
pub mod lists;
mod login;
mod mailboxes;
mod metrics;
mod outgoing;
mod pop3;
mod release;
mod reporter;
mod ringing;
mod sealing;
mod signing;
mod smtp;
#[cfg(test)]
mod testing;
pub mod tls_reports;
mod turns;
mod url;
mod world;

pub use imap::{ImapAgent, identifier, identify};
pub use introspection::{Introspect, Introspecting};
pub use login::Login;
pub use mailboxes::Mailboxes;
pub use metrics::{By, ByCollect, BySent, CollectOutcome, Metrics, Protocol, SentOutcome};
pub use outgoing::{Outgoing, bounce, settle, warn};
pub use pop3::{Maildrops, Pop3Agent};
pub use release::{release, take_those_here};
pub use ringing::ring_in_turns;
pub use sealing::PassedOn;
pub use smtp::SmtpAgent;
pub use turns::{Turn, Turns};
pub use world::World;
