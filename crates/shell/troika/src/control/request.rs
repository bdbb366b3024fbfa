//! What can be asked over the control socket, and what comes back.

use crate::cli::arguments as cli;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// A request. Its body, where it has one, is said beside it.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// `troika domain …`
    Domain(cli::Domain),
    /// `troika account …`; the body is the CSV file of `import`.
    Account {
        /// What to do.
        command: cli::Account,
        /// From standard input.
        password: Option<Password>,
    },
    /// `troika alias …`
    Alias(cli::Alias),
    /// `troika group …`
    Group(cli::Alias),
    /// `troika redirect …`
    Redirect(cli::Redirect),
    /// `troika list …`
    List(cli::MailingList),
    /// `troika collect …`
    Collect {
        /// What to do.
        command: cli::Collect,
        /// From standard input.
        password: Option<Password>,
    },
    /// `troika app-password …`
    AppPassword(cli::AppPassword),
    /// `troika dkim …`; the body is the PEM file of `import`.
    Dkim(cli::Dkim),
    /// `troika mailbox …`
    Mailbox(cli::Mailbox),
    /// `troika queue …`
    Queue(cli::Queue),
    /// `troika sender …`
    Sender(cli::Sender),
    /// `troika suppression …`
    Suppression(cli::Suppression),
    /// `troika tls-reports`
    TlsReports(cli::TlsReports),
    /// `troika store …`
    Store(cli::Store),
    /// `troika index …`
    Index(cli::Index),
    /// `troika migrate`; the body is the list of accounts.
    Migrate {
        /// What to do.
        command: cli::Migrate,
        /// From standard input.
        password: Option<Password>,
    },
    /// A batch of messages for one mailbox; the body holds them one behind the other.
    ImportBatch {
        /// Whose.
        account: String,
        /// Where to; made if missing.
        mailbox: String,
        /// In the order of the body.
        messages: Vec<ImportedMessage>,
    },
    /// Messages of one mailbox from a UID on, as many as go into one answer; each comes as [`Event::Message`].
    ExportBatch {
        /// Whose.
        account: String,
        /// From where.
        mailbox: String,
        /// First UID.
        from: u32,
    },
}

/// A password on its way through the control socket. [`fmt::Debug`] does not show it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

/// One message of an import.
#[derive(Debug, Serialize, Deserialize)]
pub struct ImportedMessage {
    /// Bytes in the body.
    pub length: u32,
    /// What it is known by at its source; a message with a key that was imported before is skipped.
    pub key: String,
    /// System flags, as `model::FlagSet` has them.
    pub flags: u8,
    /// Keywords.
    pub keywords: Vec<String>,
    /// INTERNALDATE, seconds since 1970.
    pub received: i64,
}

/// One message of an export.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExportedMessage {
    /// UID.
    pub uid: u32,
    /// UIDVALIDITY of its mailbox.
    pub uid_validity: u32,
    /// System flags.
    pub flags: u8,
    /// Keywords.
    pub keywords: Vec<String>,
    /// INTERNALDATE.
    pub received: i64,
}

/// What comes back, in this order: rows, progress and messages, then one `Done` or `Failed`.
#[derive(Debug, Serialize, Deserialize)]
pub enum Event {
    /// A line of a listing.
    Row(Value),
    /// How far it is: done, of how much.
    Progress(u64, u64),
    /// A message; the body is its content.
    Message(ExportedMessage),
    /// A sentence for the person.
    Say(String),
    /// It is done.
    Done,
    /// It is not done.
    Failed(String),
}

/// Why a request was not done: a sentence that says what happened, why, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

impl Failure {
    /// From a sentence.
    pub fn new(text: impl Into<String>) -> Failure {
        Failure(text.into())
    }
}

/// Where events go: a terminal or a socket.
pub trait Sink {
    /// Takes one.
    ///
    /// # Errors
    /// When nobody listens any more; the work may stop.
    fn event(&mut self, event: Event, body: &[u8]) -> std::io::Result<()>;
}

impl dyn Sink + '_ {
    /// A line of a listing.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub fn row(&mut self, row: impl Serialize) -> Result<(), Failure> {
        let row = serde_json::to_value(row).map_err(|error| Failure::new(error.to_string()))?;
        self.event(Event::Row(row), b"").map_err(|error| Failure::new(error.to_string()))
    }

    /// A sentence for the person.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub fn say(&mut self, text: impl Into<String>) -> Result<(), Failure> {
        self.event(Event::Say(text.into()), b"").map_err(|error| Failure::new(error.to_string()))
    }

    /// How far it is. Nobody listening is no reason to stop here.
    pub fn progress(&mut self, done: u64, of: u64) {
        let _ = self.event(Event::Progress(done, of), b"");
    }
}
