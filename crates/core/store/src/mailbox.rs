//! Mailboxes: list, counters, making, removing, renaming, subscriptions.

use crate::{Error, Store, Written};
use engine::AccountId;
use model::{MailboxId, ModSeq, SpecialUse, Uid, UidValidity, UnixTime};

/// Counters of a mailbox (RFC 9051 §6.3.11).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// MESSAGES
    pub messages: u32,
    /// RECENT: messages that no session has been told of (RFC 3501 §2.3.2).
    pub recent: u32,
    /// UNSEEN: messages without \Seen.
    pub unseen: u32,
    /// DELETED: messages with \Deleted.
    pub deleted: u32,
    /// UIDNEXT
    pub uid_next: Uid,
    /// UIDVALIDITY
    pub uid_validity: UidValidity,
    /// HIGHESTMODSEQ; at least 1.
    pub highest_modseq: ModSeq,
    /// SIZE: octets of all messages (RFC 8438).
    pub size: u64,
}

/// A mailbox, or a subscribed name without one.
#[derive(Clone, PartialEq, Debug)]
pub struct MailboxInfo {
    /// UTF-8, `/` between levels.
    pub name: String,
    /// None: there is only a subscription to that name.
    pub id: Option<MailboxId>,
    /// RFC 6154.
    pub special_use: Option<SpecialUse>,
    /// Whether the name is on the list of subscriptions.
    pub subscribed: bool,
    /// All zero when there is only a subscription.
    pub counters: Counters,
    /// When it was made.
    pub created: UnixTime,
}

/// What is wrong with a mailbox name (after NFC); None: it can be had.
pub fn name_problem(name: &str) -> Option<&'static str> {
    let _ = name;
    panic!()
}

impl Store {
    /// All mailboxes of the account and all subscribed names, in the order of names.
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn mailboxes(&self, account: AccountId) -> Result<Vec<MailboxInfo>, Error> {
        let _ = account;
        panic!()
    }

    /// The mailbox of that name (`inbox` in any case is INBOX).
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn mailbox_by_name(&self, account: AccountId, name: &str) -> Result<MailboxInfo, Error> {
        let _ = (account, name);
        panic!()
    }

    /// The mailbox of that id.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn mailbox(&self, account: AccountId, mailbox: MailboxId) -> Result<MailboxInfo, Error> {
        let _ = (account, mailbox);
        panic!()
    }

    /// Makes a mailbox and the superior names that are missing (RFC 9051 §6.3.4).
    ///
    /// # Errors
    /// [`Error::MailboxExists`], [`Error::BadName`], [`Error::UseTaken`], [`Error::Limit`].
    pub fn create_mailbox(
        &self,
        account: AccountId,
        name: &str,
        special_use: Option<SpecialUse>,
        now: UnixTime,
    ) -> Written<MailboxId> {
        let _ = (account, name, special_use, now);
        panic!()
    }

    /// Removes a mailbox and its messages; inferior names and the subscription stay (RFC 9051 §6.3.5). The mailbox is
    /// gone when this resolves; its space is given back in further transactions behind it.
    ///
    /// # Errors
    /// [`Error::NoMailbox`]; [`Error::BadName`] for INBOX.
    pub fn delete_mailbox(&self, account: AccountId, name: &str) -> Written<()> {
        let _ = (account, name);
        panic!()
    }

    /// Renames a mailbox with its inferior names and makes missing superiors (RFC 9051 §6.3.6). From INBOX: its messages
    /// move into a new mailbox. A `from` that only exists because it has inferiors is renamed too. Subscriptions stay.
    ///
    /// # Errors
    /// [`Error::NoMailbox`], [`Error::MailboxExists`], [`Error::BadName`], [`Error::Limit`].
    pub fn rename_mailbox(&self, account: AccountId, from: &str, to: &str, now: UnixTime) -> Written<()> {
        let _ = (account, from, to, now);
        panic!()
    }

    /// Puts a name on the list of subscriptions or takes it off; there need not be such a mailbox.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::NoAccount`].
    pub fn subscribe(&self, account: AccountId, name: &str, on: bool) -> Written<()> {
        let _ = (account, name, on);
        panic!()
    }
}
