//! What an IMAP session asks the world (store and directory), and what comes back.
//!
//! The answering side is one object per connection and keeps two things: the account (once a log-in was granted by
//! [`Ask::Auth`]) and the selected mailbox (from [`Ask::Select`] to [`Ask::Unselect`] or the next Select). From Select
//! on it also calls `world_changed` whenever the selected mailbox changes by anybody.
//!
//! Invariants: names of mailboxes are UTF-8 (modified UTF-7 stays at the edge), hierarchy separator `/`, the inbox is
//! always `INBOX`; sequence numbers never appear here; everything that may be large comes in pages (`from`, `next`) or
//! as a compressed set. Any question may be answered by [`Answer::Refused`].

use model::{
    EmailId, FlagSet, Keyword, MailboxId, ModSeq, SpecialUse, ThreadId, Uid, UidSet, UidValidity, UnixTime,
};
use std::borrow::Cow;
use std::sync::Arc;

/// A question. Its answer is named in brackets.
#[derive(Debug)]
pub enum Ask {
    /// Something of a log-in. After a granted verdict all other questions concern that account. [[`Answer::Auth`]]
    Auth(sasl::Question),
    /// All mailboxes of the account and all subscribed names, in any order. [[`Answer::Mailboxes`]]
    Mailboxes {
        /// What of [`MailboxRow::counters`] is wanted (LIST-STATUS).
        counters: CountersNeed,
    },
    /// Makes a mailbox, with the superior names that are missing (RFC 9051 §6.3.4). [[`Answer::Created`]]
    Create {
        /// Without a final separator.
        name: String,
        /// RFC 6154 §3.
        special_use: Option<SpecialUse>,
    },
    /// Removes a mailbox and its messages; inferior names stay (RFC 9051 §6.3.5: the session lists the name as
    /// \Noselect as long as there are any); the subscription stays. [[`Answer::Done`]]
    Delete {
        /// Never INBOX.
        name: String,
    },
    /// Renames a mailbox with its inferior names, making missing superiors of the new name. From INBOX: moves its
    /// messages into a new mailbox and leaves INBOX empty, its inferiors as they are (RFC 9051 §6.3.6). A `from` that
    /// only exists because it has inferiors is renamed too. Subscriptions do not follow. [[`Answer::Done`]]
    Rename {
        /// Present name.
        from: String,
        /// Name to be.
        to: String,
    },
    /// Puts a name on the list of subscribed names or takes it off; it need not exist. [[`Answer::Done`]]
    Subscribe {
        /// Name.
        name: String,
        /// On or off the list.
        on: bool,
    },
    /// Counters of one mailbox. [[`Answer::Status`]]
    Status {
        /// Name.
        name: String,
        /// What of them.
        counters: CountersNeed,
    },
    /// What the account uses, and its limits. [[`Answer::Quota`]]
    Quota,
    /// The client's program has introduced itself, for the log (RFC 2971): fields of a short list, texts cut short and
    /// free of controls. [[`Answer::Done`]]
    Client(Vec<(&'static str, String)>),
    /// Nobody is logged in any more, and nothing is selected (RFC 8437). [[`Answer::Done`]]
    Unauthenticate,
    /// Selects a mailbox in place of the one selected before. Refused: nothing is selected. [[`Answer::Selected`]]
    Select {
        /// Name.
        name: String,
        /// SELECT or EXAMINE.
        access: Access,
    },
    /// Nothing is selected any more. [[`Answer::Done`]]
    Unselect,
    /// What happened in the selected mailbox after `since`. [[`Answer::Changes`] or [`Answer::Unchanged`]; refused with
    /// [`RefusedKind::NonExistent`] when the mailbox has been deleted]
    Changes {
        /// [`Selected::highest_modseq`] or the last [`Changes::up_to`].
        since: ModSeq,
        /// Modification sequences given to this session's own STOREs, whose outcome its client knows: a message whose
        /// last change is one of these is not in [`Changes::flagged`].
        own: Vec<ModSeq>,
    },
    /// What happened in the selected mailbox after an older state that a client has kept (RFC 7162 §3.2.5.1, §3.2.6).
    /// Takes nothing: nobody's \Recent, and the next [`Ask::Changes`] is as if it had not been asked.
    /// [[`Answer::Resync`]]
    Resync {
        /// That state.
        since: ModSeq,
    },
    /// Messages of the selected mailbox in ascending UID order, a page at a time. [[`Answer::Rows`]]
    Rows {
        /// Which; those that do not exist are left out silently.
        uids: Arc<UidSet>,
        /// Start with this one.
        from: Uid,
        /// What is wanted of each.
        needs: Needs,
        /// Most rows in the answer.
        rows_max: usize,
        /// Stop (after at least one row) when content and digests have come to this many bytes.
        bytes_max: usize,
    },
    /// More content of one message of the selected mailbox. [[`Answer::Content`]; refused with
    /// [`RefusedKind::NonExistent`] when it has been expunged]
    Content {
        /// Which.
        uid: Uid,
        /// First octet.
        start: u64,
        /// Octets, fewer at the end of the message.
        length: u64,
    },
    /// Changes flags, all in one commit. [[`Answer::Stored`]]
    Store {
        /// Which; those that do not exist are reported as missing and do not hinder the others.
        uids: Arc<UidSet>,
        /// How.
        change: FlagChange,
        /// Leave messages alone that were modified after this (RFC 7162 §3.1.3).
        unchanged_since: Option<ModSeq>,
        /// What the session's client knows; see [`Stored::overtaken`].
        known: ModSeq,
        /// As in [`Ask::Changes`].
        own: Vec<ModSeq>,
    },
    /// Adds messages to a mailbox, all or none. [[`Answer::Appended`]]
    Append {
        /// Name of the mailbox.
        to: String,
        /// At least one.
        messages: Vec<NewMessage>,
    },
    /// Adds a message to a mailbox and removes one from the selected mailbox, both or none; space counts after both (RFC
    /// 8508 §3.4). [[`Answer::Replaced`]; refused with [`RefusedKind::Expunged`] when the old one is not there]
    Replace {
        /// The old one.
        uid: Uid,
        /// Name of the new one's mailbox.
        to: String,
        /// The new one.
        message: NewMessage,
    },
    /// Copies messages of the selected mailbox with their flags and dates to another (or the same), in ascending
    /// order, all or none. Those that do not exist any more are reported as missing. [[`Answer::Copied`]]
    Copy {
        /// Which.
        uids: Arc<UidSet>,
        /// Name of the mailbox.
        to: String,
        /// Whether the originals stay.
        originals: Originals,
    },
    /// Removes messages that are \Deleted from the selected mailbox, in one commit. [[`Answer::Expunged`]]
    Expunge {
        /// Only of these (UID EXPUNGE, RFC 4315 §2.1).
        only: Option<UidSet>,
    },
    /// Looks for messages of the selected mailbox, a page at a time. [[`Answer::Found`]]
    Search {
        /// What they must be like.
        query: Arc<Query>,
        /// Only among these.
        among: Arc<UidSet>,
        /// Start with this one.
        from: Uid,
    },
}

/// An answer, to the question of the like name.
#[derive(Debug)]
pub enum Answer {
    /// To [`Ask::Auth`].
    Auth(sasl::Reply),
    /// Done as asked.
    Done,
    /// To [`Ask::Mailboxes`].
    Mailboxes(Vec<MailboxRow>),
    /// To [`Ask::Create`].
    Created(MailboxId),
    /// To [`Ask::Status`].
    Status(MailboxId, Counters),
    /// To [`Ask::Select`].
    Selected(Box<Selected>),
    /// To [`Ask::Changes`]: nothing at all since then, not even by this session (whose own changes need a
    /// [`Answer::Changes`], maybe empty, to move `up_to` on).
    Unchanged,
    /// To [`Ask::Changes`].
    Changes(Box<Changes>),
    /// To [`Ask::Resync`].
    Resync {
        /// Messages that are gone; may name too many of those that are not there.
        vanished: UidSet,
        /// Messages that are there, and came or changed.
        changed: UidSet,
    },
    /// To [`Ask::Rows`].
    Rows(Rows),
    /// To [`Ask::Content`].
    Content(Vec<u8>),
    /// To [`Ask::Store`].
    Stored(Box<Stored>),
    /// To [`Ask::Append`].
    Appended {
        /// Of the mailbox.
        uid_validity: UidValidity,
        /// One per message, in order.
        uids: Vec<Uid>,
    },
    /// To [`Ask::Replace`].
    Replaced {
        /// Of the new one's mailbox.
        uid_validity: UidValidity,
        /// Of the new one.
        uid: Uid,
        /// Modification sequence of it all.
        modseq: ModSeq,
    },
    /// To [`Ask::Quota`].
    Quota(Quota),
    /// To [`Ask::Copy`].
    Copied(Box<Copied>),
    /// To [`Ask::Expunge`].
    Expunged {
        /// Which were removed.
        uids: UidSet,
        /// Modification sequence of the removal, or the mailbox's highest if none was removed.
        modseq: ModSeq,
    },
    /// To [`Ask::Search`].
    Found {
        /// Found on this page.
        uids: UidSet,
        /// Highest modification sequence of those, if the query has a [`Query::ModSeq`] in it (RFC 7162 §3.1.5).
        highest_modseq: Option<ModSeq>,
        /// Where the next page starts; None: that was all.
        next: Option<Uid>,
    },
    /// To any: it was not done.
    Refused(Refused),
}

/// SELECT or EXAMINE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// SELECT: takes the \Recent of the messages that had it.
    ReadWrite,
    /// EXAMINE: leaves everything as it is.
    ReadOnly,
}

/// What becomes of the originals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Originals {
    /// COPY.
    Stay,
    /// MOVE (RFC 6851): removed in the same commit.
    Go,
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
    /// If asked for and the mailbox exists.
    pub counters: Option<Counters>,
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
    /// What is really granted, at most what was asked.
    pub access: Access,
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

/// What happened in the selected mailbox.
#[derive(Clone, Debug)]
pub struct Changes {
    /// State that this answer shows.
    pub up_to: ModSeq,
    /// All messages now.
    pub uids: Arc<UidSet>,
    /// Messages that are gone; may name some that came and went since.
    pub vanished: UidSet,
    /// Messages that came and are still there.
    pub arrived: UidSet,
    /// Those of `arrived` that are \Recent for this session (none if another got them, RFC 3501 §2.3.2).
    pub recent: UidSet,
    /// Older messages (not in `arrived`) whose flags or modification sequence changed.
    pub flagged: UidSet,
    /// UIDNEXT now.
    pub uid_next: Uid,
    /// Names of the keywords by their number, now.
    pub keywords: Arc<[Keyword]>,
}

/// What is wanted of each message beside what a [`Row`] always has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// [`Row::digest`], if the world keeps one.
    pub digest: bool,
    /// [`Row::content`].
    pub content: ContentNeed,
}

/// How much of the content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ContentNeed {
    /// None: it must not even be touched.
    #[default]
    None,
    /// The header with the empty line behind it; nothing else is needed, more does no harm.
    Header,
    /// This range, cut at the end of the message.
    Range {
        /// First octet.
        start: u64,
        /// Octets.
        length: u64,
    },
}

/// A page of messages.
#[derive(Debug)]
pub struct Rows {
    /// In ascending order. What lies between two of them (or before `next`) does not exist any more.
    pub rows: Vec<Row>,
    /// Where the next page starts; None: that was all.
    pub next: Option<Uid>,
    /// Names of all keywords that the rows may have.
    pub keywords: Arc<[Keyword]>,
}

/// One message of a mailbox.
#[derive(Debug)]
pub struct Row {
    /// UID
    pub uid: Uid,
    /// EMAILID
    pub email_id: EmailId,
    /// THREADID
    pub thread_id: ThreadId,
    /// MODSEQ
    pub modseq: ModSeq,
    /// System flags.
    pub flags: FlagSet,
    /// Numbers of its keywords, ascending.
    pub keywords: Vec<u16>,
    /// RFC822.SIZE: octets of the content.
    pub size: u64,
    /// INTERNALDATE
    pub internal_date: UnixTime,
    /// SAVEDATE (RFC 8514): when it came into this mailbox.
    pub save_date: UnixTime,
    /// If asked for and kept.
    pub digest: Option<Digest>,
    /// As asked for.
    pub content: RowContent,
}

/// What [`Row::content`] brings.
#[derive(Debug, Default)]
pub enum RowContent {
    /// It was not asked for.
    #[default]
    None,
    /// CRLF text as stored, beginning where it was asked to (a header at 0).
    Bytes(Vec<u8>),
    /// The record is damaged.
    Corrupt,
}

/// What the store worked out of a message when it came, in IMAP's words, in one buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Digest {
    bytes: Vec<u8>,
    envelope_end: u32,
    body_end: u32,
    header_length: u32,
}

impl Digest {
    /// Takes the three forms one behind the other: `bytes[..envelope_end]` is the value of ENVELOPE (with its
    /// parentheses), up to `body_end` that of BODY, the rest that of BODYSTRUCTURE. `header_length` counts the octets
    /// before the body, with the empty line. None: the ends do not fit.
    pub fn new(bytes: Vec<u8>, envelope_end: u32, body_end: u32, header_length: u32) -> Option<Digest> {
        let fine = envelope_end <= body_end && body_end as usize <= bytes.len();
        fine.then_some(Digest { bytes, envelope_end, body_end, header_length })
    }

    /// Value of ENVELOPE.
    pub fn envelope(&self) -> &[u8] {
        &self.bytes[..self.envelope_end as usize]
    }

    /// Value of BODY.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.envelope_end as usize..self.body_end as usize]
    }

    /// Value of BODYSTRUCTURE.
    pub fn body_structure(&self) -> &[u8] {
        &self.bytes[self.body_end as usize..]
    }

    /// Octets of the header with the empty line behind it.
    pub fn header_length(&self) -> u64 {
        u64::from(self.header_length)
    }

    /// Octets of all three.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// How STORE changes flags.
#[derive(Clone, Debug)]
pub struct FlagChange {
    /// What is done with the given ones.
    pub mode: FlagMode,
    /// System flags.
    pub flags: FlagSet,
    /// Keywords; unknown ones become known.
    pub keywords: Vec<Keyword>,
}

/// What STORE does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlagMode {
    /// +FLAGS
    Add,
    /// -FLAGS
    Remove,
    /// FLAGS
    Replace,
}

/// What STORE did.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Modification sequence of this commit; if nothing changed, the mailbox's highest.
    pub modseq: ModSeq,
    /// Messages whose flags are different now.
    pub changed: UidSet,
    /// Messages left alone because of `unchanged_since`.
    pub modified: UidSet,
    /// Messages that do not exist any more.
    pub missing: UidSet,
    /// Messages (asked for and existing) that had been changed after `known`, and last by a change that is not among
    /// `own`: the client believes old flags.
    pub overtaken: UidSet,
}

/// A message to be added.
#[derive(Debug)]
pub struct NewMessage {
    /// CRLF text.
    pub content: Vec<u8>,
    /// System flags.
    pub flags: FlagSet,
    /// Keywords; unknown ones become known.
    pub keywords: Vec<Keyword>,
    /// INTERNALDATE; None: now.
    pub internal_date: Option<UnixTime>,
}

/// What COPY or MOVE did.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Of the mailbox that was copied to.
    pub uid_validity: UidValidity,
    /// UIDs of the originals; the n-th became the n-th of `to`.
    pub from: UidSet,
    /// UIDs of the copies.
    pub to: UidSet,
    /// Messages that do not exist any more.
    pub missing: UidSet,
    /// Modification sequence of the selected mailbox, if messages went ([`Originals::Go`]).
    pub modseq: ModSeq,
}

/// A civil date: days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(pub i32);

/// How a date is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Earlier than that day.
    Before,
    /// Within that day.
    On,
    /// Within that day or later.
    Since,
}

/// Which date is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateOf {
    /// INTERNALDATE, its day in UTC.
    Internal,
    /// The Date header field, its day as written, without regard to time and zone. Fails when there is none.
    Sent,
    /// SAVEDATE, its day in UTC.
    Saved,
}

/// What SEARCH looks for (RFC 9051 §6.4.4). Texts are UTF-8; they match as case-insensitive substrings of the decoded
/// text (RFC 2047, transfer encodings, charsets). An empty text matches everything that has the field. Depth is bounded
/// by the parser, so recursion is safe.
#[derive(Clone, PartialEq, Debug)]
pub enum Query {
    /// Every message.
    All,
    /// One of these (sequence numbers, UIDs, \Recent).
    Uids(UidSet),
    /// Has the system flag.
    Flag(model::Flag),
    /// Has the keyword.
    Keyword(Keyword),
    /// Not that.
    Not(Box<Query>),
    /// All of these; an empty list holds for every message.
    And(Vec<Query>),
    /// At least one of these; an empty list holds for none.
    Or(Vec<Query>),
    /// Has a header field of that name (any case) with that text in it (FROM, TO, CC, BCC and SUBJECT as well).
    Header {
        /// Field name.
        name: String,
        /// Empty: the field must be there.
        text: String,
    },
    /// Text in the body, not the header.
    Body(String),
    /// Text in header or body.
    Text(String),
    /// More octets than that.
    Larger(u64),
    /// Fewer octets than that.
    Smaller(u64),
    /// By a date.
    Date(DateOf, When, Day),
    /// INTERNALDATE at or after this moment (YOUNGER, RFC 5032).
    ArrivedFrom(UnixTime),
    /// INTERNALDATE at or before this moment (OLDER, RFC 5032).
    ArrivedUpTo(UnixTime),
    /// Modification sequence at least that (RFC 7162 §3.1.5). Alone it is also how FETCH CHANGEDSINCE asks, so it is
    /// worth answering from the change log.
    ModSeq(ModSeq),
    /// RFC 8474 §5.1.
    EmailId(EmailId),
    /// RFC 8474 §5.2.
    ThreadId(ThreadId),
}

/// Why something was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// What kind of trouble.
    pub kind: RefusedKind,
    /// One line for the user.
    pub text: Cow<'static, str>,
}

impl Refused {
    /// A refusal of that kind.
    pub fn new(kind: RefusedKind, text: impl Into<Cow<'static, str>>) -> Refused {
        Refused { kind, text: text.into() }
    }
}

/// Kinds of refusal; the session turns them into response codes (RFC 5530) in one table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefusedKind {
    /// There is no such mailbox (or message).
    NonExistent,
    /// The message is not there any more.
    Expunged,
    /// There is already a mailbox of that name.
    AlreadyExists,
    /// The name can't be had.
    Cannot,
    /// Space or number of messages would exceed the quota.
    OverQuota,
    /// Some other limit (messages, mailboxes, keywords, size).
    Limit,
    /// Not allowed for this user.
    NoPerm,
    /// Someone else holds it.
    InUse,
    /// Works again later (disk full, directory away).
    Unavailable,
    /// What is stored is damaged.
    Corrupt,
    /// Special use can't be given (RFC 6154 §3).
    UseAttr,
    /// A fault of the server.
    ServerBug,
}
