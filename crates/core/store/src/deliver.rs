//! New messages: delivery to many accounts at once, and APPEND.

use crate::{Prepared, Store, Written};
use engine::{Abort, AccountId, ContentId, Tx};
use model::{EmailId, FlagSet, Keyword, MailboxId, ModSeq, SpecialUse, Uid, UidValidity, UnixTime};

/// Names a mailbox of an account; looked up inside the transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// INBOX, which is always there.
    Inbox,
    /// The (first made) mailbox of that use.
    Use(SpecialUse),
    /// By name.
    Name(String),
    /// By id.
    Id(MailboxId),
}

impl From<MailboxId> for Target {
    fn from(id: MailboxId) -> Target {
        Target::Id(id)
    }
}

impl From<&str> for Target {
    fn from(name: &str) -> Target {
        Target::Name(name.to_owned())
    }
}

/// What to do when the wanted mailbox is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fallback {
    /// Take INBOX.
    Inbox,
    /// Don't deliver: [`Outcome::NoMailbox`].
    Refuse,
}

/// One local recipient. The same account may stand there for several mailboxes.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub mailbox: Target,
    /// If that is not there.
    pub fallback: Fallback,
    /// System flags to begin with.
    pub flags: FlagSet,
    /// Keywords to begin with; those beyond the mailbox's limit are left out.
    pub keywords: Vec<Keyword>,
}

/// What else is written in the delivery's transaction (the outbound queue's entries).
pub struct Extra {
    /// References to the content that `write` takes over.
    pub references: u32,
    /// Writes; may run again after a conflict, and a failure undoes the whole delivery.
    pub write: Box<dyn FnMut(&mut dyn Tx, ContentId) -> Result<(), Abort> + Send>,
}

/// One message for any number of recipients, all in one durable commit.
pub struct Delivery {
    /// The message, trace header fields included.
    pub message: Prepared,
    /// Local recipients; at most some thousands.
    pub recipients: Vec<Recipient>,
    /// INTERNALDATE and SAVEDATE.
    pub received: UnixTime,
    /// Beside them.
    pub extra: Option<Extra>,
}

/// Where a message went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delivered {
    /// Mailbox.
    pub mailbox: MailboxId,
    /// Its UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UID there.
    pub uid: Uid,
    /// EMAILID.
    pub email_id: EmailId,
    /// Modification sequence.
    pub modseq: ModSeq,
}

/// What became of a recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Durable in that mailbox.
    Delivered(Delivered),
    /// The account's quota would be exceeded.
    OverQuota,
    /// There is no such mailbox.
    NoMailbox,
    /// There is no such account.
    NoAccount,
    /// UIDs or message ids are used up.
    Limit,
    /// A record of the account is damaged; nothing was written there.
    Damaged,
}

/// One outcome per recipient, in their order.
pub type RecipientOutcomes = Vec<Outcome>;

/// A message to be appended.
#[derive(Clone)]
pub struct NewMessage {
    /// The message.
    pub message: Prepared,
    /// System flags.
    pub flags: FlagSet,
    /// Keywords; unknown ones become known.
    pub keywords: Vec<Keyword>,
    /// INTERNALDATE.
    pub received: UnixTime,
}

/// What APPEND did.
#[derive(Clone, PartialEq, Debug)]
pub struct Appended {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Its UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// One per message, in order.
    pub uids: Vec<Uid>,
    /// Modification sequence of the commit.
    pub modseq: ModSeq,
}

impl Store {
    /// Stores a message once and shows it in the mailboxes of all recipients that can take it; one recipient's trouble
    /// never hinders the others. When nobody takes it and there is no extra, nothing is stored. A mailbox named twice
    /// gets it once.
    ///
    /// # Errors
    /// The engine's, and then nothing was delivered to anybody.
    pub fn deliver(&self, delivery: Delivery) -> Written<RecipientOutcomes> {
        let _ = delivery;
        panic!()
    }

    /// Adds messages to a mailbox, all or none (RFC 9051 §6.3.12, RFC 3502). `now` becomes their SAVEDATE.
    ///
    /// # Errors
    /// [`Error::NoMailbox`](crate::Error::NoMailbox), [`Error::OverQuota`](crate::Error::OverQuota),
    /// [`Error::Limit`](crate::Error::Limit).
    pub fn append(
        &self,
        account: AccountId,
        to: Target,
        messages: Vec<NewMessage>,
        now: UnixTime,
    ) -> Written<Appended> {
        let _ = (account, to, messages, now);
        panic!()
    }
}
