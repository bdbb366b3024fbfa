//! Mailboxes in answers: the list, counters, quota, and the state of the selected one.

use model::{Keyword, MailboxId, ModSeq, Rights, SpecialUse, Uid, UidSet, UidValidity};
use std::sync::Arc;

/// Whose account gave the ids of a mailbox and of its messages. Each account numbers for itself, so those of another's are
/// shown with its number before them: no two things may have one id (RFC 8474 §4, §5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Owner(pub u32);

impl Owner {
    /// The user's own account.
    pub const SELF: Owner = Owner(0);
}

/// A mailbox among all that there are. UIDVALIDITY does not tell mailboxes of different accounts apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Whose.
    pub owner: Owner,
    /// Its id there.
    pub mailbox: MailboxId,
}

/// SELECT or EXAMINE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// SELECT: takes the \Recent of the messages that had it.
    ReadWrite,
    /// EXAMINE: leaves everything as it is.
    ReadOnly,
}

/// A mailbox, or a subscribed name without one.
#[derive(Clone, Debug)]
pub struct MailboxRow {
    /// UTF-8, `/` between levels.
    pub name: String,
    /// None: there is only a subscription to that name.
    pub id: Option<MailboxId>,
    /// RFC 6154.
    pub special_use: Option<SpecialUse>,
    /// Whether the name is on the list of subscriptions.
    pub subscribed: bool,
    /// If asked for, the mailbox exists, and this user may read it (RFC 4314 §4, STATUS).
    pub counters: Option<Counters>,
    /// What this user may do with it; without meaning for a subscription alone.
    pub rights: Rights,
}

impl MailboxRow {
    /// Which mailbox it is; None without counters, which tell whose it is.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        Some(Place { owner: self.counters?.owner, mailbox: self.id? })
    }
}

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
    /// Whose MAILBOXID it is.
    pub owner: Owner,
    /// HIGHESTMODSEQ
    pub highest_modseq: ModSeq,
    /// SIZE: octets of all messages (RFC 8438).
    pub size: u64,
    /// DELETED-STORAGE: octets of the messages with \Deleted (RFC 9208 §4.1.4); only with
    /// [`CountersNeed::WithDeletedSize`].
    pub deleted_size: u64,
}

/// Which counters are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CountersNeed {
    /// None.
    None,
    /// Those that are kept.
    Plain,
    /// Also [`Counters::deleted_size`], which has to be added up.
    WithDeletedSize,
}

/// What an account uses (RFC 9208 §5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quota {
    /// STORAGE, in octets.
    pub storage: Resource,
    /// MESSAGE
    pub messages: Resource,
    /// MAILBOX
    pub mailboxes: Resource,
}

/// Use of a resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resource {
    /// What is used.
    pub usage: u64,
    /// Most that may be used; None: no limit.
    pub limit: Option<u64>,
}

/// A mailbox at the moment of its selection.
#[derive(Clone, Debug)]
pub struct Selected {
    /// MAILBOXID
    pub mailbox: MailboxId,
    /// Whose ids this mailbox and its messages have.
    pub owner: Owner,
    /// What is really granted, at most what was asked.
    pub access: Access,
    /// What this user may do with it.
    pub rights: Rights,
    /// What the reply says of it (RFC 4314 §5.2): READ-ONLY also where all that may be changed is the user's own affair.
    pub announced: Access,
    /// UIDVALIDITY
    pub uid_validity: UidValidity,
    /// UIDNEXT
    pub uid_next: Uid,
    /// State that this answer shows; at least 1.
    pub highest_modseq: ModSeq,
    /// All messages; shared with everyone who looks at this state.
    pub uids: Arc<UidSet>,
    /// Those that are \Recent for this session (RFC 3501 §2.3.2).
    pub recent: UidSet,
    /// First message without \Seen.
    pub first_unseen: Option<Uid>,
    /// Names of the keywords by their number; the list only grows.
    pub keywords: Arc<[Keyword]>,
}

/// A mailbox that is not selected, at one moment.
#[derive(Clone, Debug)]
pub struct Glance {
    /// As this user calls it.
    pub name: String,
    /// MAILBOXID
    pub mailbox: MailboxId,
    /// Whose ids this mailbox and its messages have.
    pub owner: Owner,
    /// UIDVALIDITY
    pub uid_validity: UidValidity,
    /// All messages; shared with everyone who looks at this state.
    pub uids: Arc<UidSet>,
    /// Those that no session has been told of.
    pub recent: UidSet,
}

/// What happened in the selected mailbox.
#[derive(Clone, Debug)]
pub struct Changes {
    /// State that this answer shows.
    pub up_to: ModSeq,
    /// All messages now.
    pub uids: Arc<UidSet>,
    /// Messages that are gone; may name some that came and went since.
    pub vanished: Arc<UidSet>,
    /// Messages that came and are still there.
    pub arrived: Arc<UidSet>,
    /// Those of `arrived` that are \Recent for this session (none if another got them, RFC 3501 §2.3.2).
    pub recent: UidSet,
    /// Older messages (not in `arrived`) whose flags or modification sequence changed.
    pub flagged: Arc<UidSet>,
    /// UIDNEXT now.
    pub uid_next: Uid,
    /// Names of the keywords by their number, now.
    pub keywords: Arc<[Keyword]>,
}
