//! What happened in the account as a whole, and in mailboxes of others that this user may see, for sessions that watch it (RFC 5465, RFC 5464 §4.4.2).

use super::MailboxRow;

/// What happened since the last answer of this kind, or since the watch began; not by this session.
#[derive(Debug, Default)]
pub struct AccountNews {
    /// Names of mailboxes that are shown anew, in order.
    pub listed: Vec<Listed>,
    /// Mailboxes in which something happened to messages.
    pub touched: Vec<Touched>,
    /// Metadata entries that were set, changed or removed.
    pub entries: Vec<ChangedEntry>,
    /// There was more than an answer holds; nothing of it is told.
    pub is_overflow: bool,
}

/// A name as it is now.
#[derive(Debug)]
pub struct Listed {
    /// Without a mailbox: it is gone, or may not be seen, or there is only a subscription, or a level above others.
    pub row: MailboxRow,
    /// A mailbox lies below.
    pub has_children: bool,
    /// Its name before.
    pub old_name: Option<String>,
    /// Why it is shown.
    pub why: WhyListed,
}

/// Why a name is shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WhyListed {
    /// Made, removed or renamed.
    Name,
    /// Subscribed or unsubscribed.
    Subscription,
    /// This user may no longer see it, or not read it, or may do so again (RFC 5465 §5.9).
    Access,
}

/// A mailbox in which something happened to messages, or to its metadata.
#[derive(Debug)]
pub struct Touched {
    /// With its counters; one that this user may read.
    pub row: MailboxRow,
    /// Messages came.
    pub arrived: bool,
    /// Messages went.
    pub vanished: bool,
    /// Flags changed.
    pub flagged: bool,
    /// Metadata entries changed, with which HIGHESTMODSEQ rises (RFC 7162 §3.2).
    pub described: bool,
}

/// A metadata entry.
#[derive(Debug)]
pub struct ChangedEntry {
    /// Of which mailbox, whose metadata this user may use (RFC 5464 §3.3); None: of the server.
    pub mailbox: Option<MailboxRow>,
    /// Its name.
    pub name: String,
}
