//! What an IMAP session asks the world (store and directory), and what comes back.
//!
//! The answering side is one object per connection and keeps two things: the account (once a log-in was granted by
//! [`Ask::Auth`]) and the selected mailbox (from [`Ask::Select`] to [`Ask::Unselect`] or the next Select). From Select
//! on it also calls `world_changed` whenever the selected mailbox changes by anybody.
//!
//! Invariants: names of mailboxes are UTF-8 (modified UTF-7 stays at the edge), hierarchy separator `/`, the inbox is
//! always `INBOX`; sequence numbers never appear here; everything that may be large comes in pages (`from`, `next`) or
//! as a compressed set. Any question may be answered by [`Answer::Refused`].

mod account;
mod acl;
mod mailbox;
mod message;

pub use account::{AccountNews, ChangedEntry, Listed, Touched, WhyListed};
pub use acl::{AclAsk, QuotaOf, RightsChange};
pub use mailbox::{
    Access, Changes, Counters, CountersNeed, Glance, MailboxRow, Owner, Place, Quota, Resource, Selected,
};
pub use message::{
    Annotation, ContentNeed, Copied, Digest, More, Needs, NewMessage, Originals, Row, RowContent, Rows,
    Stored,
};

use crate::command::Depth;
use crate::url::AccessKey;
use model::{
    AnnotationChange, Arrangement, Comparator, FlagChange, MailboxId, ModSeq, Query, Rights, SpecialUse,
    ThreadNode, Uid, UidSet, UidValidity,
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
    /// Watches the whole account from now on, or does so no more: from then on `world_changed` is called whenever anything
    /// of it changes, and [`Ask::News`] tells what. [[`Answer::Done`]; refused with [`RefusedKind::Overflow`] when there
    /// is too much to be watched]
    Watch(Watch),
    /// What happened in the watched account since this was last asked, or the watch began. [[`Answer::News`]]
    News,
    /// Metadata entries of a mailbox, or of the server (None): those named and those so far below them, private ones of
    /// this user and shared ones (RFC 5464). [[`Answer::Metadata`]]
    Metadata {
        /// Name.
        mailbox: Option<String>,
        /// Names of entries in lower case, well-formed.
        entries: Vec<String>,
        /// How far below.
        depth: Depth,
    },
    /// Sets metadata entries (None removes) of a mailbox, or of the server, all or none. A too large value and one that
    /// only an administrator may set are the session's to refuse. [[`Answer::Done`]; refused with
    /// [`RefusedKind::Metadata`] when there are too many]
    SetMetadata {
        /// Name.
        mailbox: Option<String>,
        /// Names in lower case, well-formed, and values.
        entries: Vec<(String, Option<Vec<u8>>)>,
    },
    /// What the account of a quota root uses, and its limits; refused with [`RefusedKind::NonExistent`] when there is no
    /// such root for this user. [[`Answer::Quota`]]
    Quota(QuotaOf),
    /// Sets all limits of a quota root; only for administrators (RFC 9208 §4.1.3). [[`Answer::Quota`]]
    SetQuota {
        /// Name of the root.
        root: String,
        /// STORAGE in octets; None: no limit.
        octets: Option<u64>,
        /// MESSAGE; None: no limit.
        messages: Option<u64>,
    },
    /// Something of the access control list of a mailbox (RFC 4314).
    Acl {
        /// Name.
        mailbox: String,
        /// What.
        ask: AclAsk,
    },
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
    /// What happened in the selected mailbox after `since`. [[`Answer::Changes`] or [`Answer::Unchanged`], or first
    /// [`Answer::Rights`]; refused with [`RefusedKind::NonExistent`] when the mailbox has been deleted, with
    /// [`RefusedKind::NoPerm`] when this user may not read it any more]
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
    /// Octets of any message that the log-in's user (or another, whose token was found to be right) can read, by the name
    /// of its mailbox; \Seen stays as it is. [[`Answer::UrlMessage`]; refused with [`RefusedKind::NonExistent`] when it is
    /// not there]
    UrlMessage {
        /// Whose mailboxes, as [`UrlKey::owner`] names him; None: the log-in's.
        owner: Option<String>,
        /// Name of the mailbox.
        mailbox: String,
        /// What its UIDVALIDITY must be.
        uid_validity: Option<UidValidity>,
        /// Which.
        uid: Uid,
        /// First octet.
        start: u64,
        /// Octets, fewer at the end of the message.
        length: u64,
    },
    /// The access key of a user's mailbox (RFC 4467 §2.3). [[`Answer::UrlKey`]]
    UrlKey {
        /// A log-in name.
        user: String,
        /// Name of the mailbox.
        mailbox: String,
        /// Whether one is made if there is none.
        make: MakeKey,
    },
    /// Gives the mailbox a new access key; without a name: takes all access keys of the account away (RFC 4467 §7).
    /// [[`Answer::Done`]]
    ResetKeys {
        /// Name.
        mailbox: Option<String>,
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
    /// Sets and removes annotations, all in one commit (RFC 5257 §4.5). [[`Answer::Stored`]; refused with
    /// [`RefusedKind::AnnotationSize`] or [`RefusedKind::Annotations`], or with [`RefusedKind::BadPart`] when an entry is
    /// about a part that a message has not]
    Annotate {
        /// As in [`Ask::Store`].
        uids: Arc<UidSet>,
        /// What.
        changes: Vec<AnnotationChange>,
        /// As in [`Ask::Store`].
        unchanged_since: Option<ModSeq>,
        /// As in [`Ask::Store`].
        known: ModSeq,
        /// As in [`Ask::Store`].
        own: Vec<ModSeq>,
    },
    /// Adds messages to a mailbox, all or none. [[`Answer::Appended`]; refused as [`Ask::Annotate`] is]
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
    /// Puts messages of the selected mailbox in order; those that do not exist are left out. [[`Answer::Sorted`],
    /// [`Answer::Threaded`] or [`Answer::Preparing`]]
    Order {
        /// Which.
        uids: Arc<UidSet>,
        /// How.
        arrangement: Arc<Arrangement>,
        /// By which their texts are compared.
        comparator: Comparator,
        /// For [`SortKey::Relevancy`](model::SortKey::Relevancy): how like each message is, ascending by UID.
        scores: Vec<(Uid, u8)>,
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
    /// A mailbox that this user may read, as it is now, and is not selected by it (RFC 7377). [[`Answer::Glance`]]
    Glance {
        /// Name; None: the selected one, whose name may be another than when it was selected.
        mailbox: Option<String>,
    },
    /// As [`Ask::Search`], in a mailbox that was glanced at. [[`Answer::Found`]; refused with
    /// [`RefusedKind::NonExistent`] or [`RefusedKind::NoPerm`] when it is gone or may not be read any more]
    SearchIn {
        /// [`Glance::owner`]
        owner: Owner,
        /// [`Glance::mailbox`]
        mailbox: MailboxId,
        /// What they must be like.
        query: Arc<Query>,
        /// Only among these.
        among: Arc<UidSet>,
        /// Start with this one.
        from: Uid,
    },
}

/// What is watched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Watch {
    /// Nothing.
    Off,
    /// The account alone.
    Own,
    /// The account, and all mailboxes of others that this user may see.
    All,
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
    Created(MailboxId, Owner),
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
    /// To [`Ask::UrlMessage`].
    UrlMessage {
        /// Octets of the whole message.
        size: u64,
        /// Those asked for.
        bytes: Vec<u8>,
    },
    /// To [`Ask::UrlKey`]. None: there is no such user, mailbox or key.
    UrlKey(Option<Box<UrlKey>>),
    /// To [`Ask::Store`].
    Stored(Box<Stored>),
    /// To [`Ask::Append`].
    Appended {
        /// The mailbox.
        place: Place,
        /// Its UIDVALIDITY.
        uid_validity: UidValidity,
        /// One per message, in order.
        uids: Vec<Uid>,
    },
    /// To [`Ask::Replace`].
    Replaced {
        /// The new one's mailbox.
        place: Place,
        /// Its UIDVALIDITY.
        uid_validity: UidValidity,
        /// Of the new one.
        uid: Uid,
        /// Modification sequence of it all.
        modseq: ModSeq,
    },
    /// To [`Ask::News`].
    News(Box<AccountNews>),
    /// To [`Ask::Metadata`]: entries that there are, in order of their names.
    Metadata(Vec<(String, Vec<u8>)>),
    /// To [`Ask::Quota`] and [`Ask::SetQuota`].
    Quota {
        /// Name of the root.
        root: String,
        /// Use and limits.
        quota: Quota,
    },
    /// To [`AclAsk::Get`]: identifiers and their rights, the owner first.
    Acl(Vec<(String, Rights)>),
    /// To [`AclAsk::ListRights`].
    ListRights {
        /// What the identifier always has.
        required: Rights,
        /// What it can be granted, each by itself.
        optional: Rights,
    },
    /// To [`AclAsk::MyRights`]; to [`Ask::Changes`], before anything else: what this user may do with the selected mailbox
    /// is no longer what was said last.
    Rights(Rights),
    /// To [`Ask::Changes`]: the selected mailbox's access key was reset by another session (RFC 4467 §7). To be asked again.
    KeyReset,
    /// To [`Ask::Copy`].
    Copied(Box<Copied>),
    /// To [`Ask::Expunge`].
    Expunged {
        /// Which were removed.
        uids: UidSet,
        /// Modification sequence of the removal, or the mailbox's highest if none was removed.
        modseq: ModSeq,
    },
    /// To [`Ask::Glance`].
    Glance(Box<Glance>),
    /// To [`Ask::Search`] and [`Ask::SearchIn`].
    Found {
        /// Found on this page.
        uids: UidSet,
        /// Of those that a [`Query::Fuzzy`] found, how like they are, 1 to 100 (RFC 6203 §4).
        scores: Vec<(Uid, u8)>,
        /// Highest modification sequence of those, if the query has a [`Query::ModSeq`] in it (RFC 7162 §3.1.5).
        highest_modseq: Option<ModSeq>,
        /// Where the next page starts; None: that was all.
        next: Option<Uid>,
    },
    /// To [`Ask::Order`] with [`Arrangement::Sorted`].
    Sorted(Vec<Uid>),
    /// To [`Ask::Order`] with [`Arrangement::Threaded`]: parents before their children.
    Threaded(Vec<ThreadNode>),
    /// To [`Ask::Order`]: what is needed of the messages is being worked out, and more of it is known now. Ask again.
    Preparing,
    /// To any: it was not done.
    Refused(Refused),
}

/// Whether a missing access key is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MakeKey {
    /// It is (GENURLAUTH).
    Yes,
    /// It is not (URLFETCH).
    No,
}

/// The access key of a user's mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UrlKey {
    /// The secret.
    pub key: AccessKey,
    /// The user's full address.
    pub owner: String,
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
    /// Too many metadata entries (RFC 5464 §4.3).
    Metadata,
    /// Some other limit (messages, mailboxes, keywords, size).
    Limit,
    /// A value is too large (RFC 5257 §4.5).
    AnnotationSize,
    /// A message would have too many annotations.
    Annotations,
    /// There is no such part; the client's mistake (RFC 5257 §3.2.1).
    BadPart,
    /// Too much would have to be watched (RFC 5465 §3.1).
    Overflow,
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
