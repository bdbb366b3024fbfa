//! The commands of IMAP as values: what `parse` makes of the bytes, and what a session acts on.
//!
//! Invariants: names of mailboxes are UTF-8 whatever the client's encoding was, and the inbox is `INBOX` in any
//! spelling; texts to search for stay as they were sent, with the charset's name; every list and tree is within the
//! limits of `parse::limits`. Values compare equal exactly when the commands mean the same.
//!
//! RFC 3501 §6, RFC 9051 §6, and the extensions that the variants name.

mod account;
mod acl;
mod annotation;
mod message;
mod search;

pub use account::{Depth, EventGroup, Notify, NotifyEvent, SourceMailboxes};
pub use acl::AclCommand;
pub(crate) use annotation::section_part;
pub use annotation::{AnnotationAttribute, AnnotationRequest, AttributeName, part_of_entry};
pub use message::{Echo, Fetch, FetchItem, Partial, Peek, Preview, Section, SectionText, Store};
pub use search::{Counted, PartialRange, Search, SearchKey, SearchReturn};

use crate::ask::{Access, Originals};
use crate::sequence::SequenceSet;
use model::{AnnotationChange, Arrangement};
use model::{FlagSet, Keyword, ModSeq, UidValidity, UnixTime};
use std::fmt;

/// `command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF`
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// The client's name for it, printable ASCII.
    pub tag: String,
    /// What it says.
    pub body: Body,
}

/// A command without its tag.
#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    /// RFC 9051 §6.1.1
    Capability,
    /// RFC 9051 §6.1.2
    Noop,
    /// RFC 9051 §6.1.3
    Logout,
    /// RFC 2971 §3.1; empty for NIL. A field without value is None.
    Id(Vec<(String, Option<String>)>),
    /// RFC 9051 §6.2.1
    StartTls,
    /// RFC 9051 §6.2.2
    Authenticate {
        /// Name of the mechanism, upper case.
        mechanism: String,
        /// The initial response (RFC 4959), decoded from base64; `=` is the empty one.
        initial: Option<Secret>,
    },
    /// RFC 9051 §6.2.3
    Login {
        /// UTF-8.
        user: String,
        /// UTF-8.
        password: Secret,
    },
    /// RFC 8437
    Unauthenticate,
    /// RFC 4978; the name of the mechanism, upper case.
    Compress(String),
    /// RFC 5255 §3.2; language ranges, none to have the languages listed.
    Language(Vec<String>),
    /// RFC 5255 §4.7; comparators, none to have the active one told.
    Comparator(Vec<String>),
    /// RFC 9051 §6.3.1; the capabilities in upper case.
    Enable(Vec<String>),
    /// SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3).
    Select {
        /// Which.
        mailbox: String,
        /// SELECT or EXAMINE.
        access: Access,
        /// The CONDSTORE parameter (RFC 7162 §3.1.8); implied by `qresync`.
        condstore: bool,
        /// The QRESYNC parameter (RFC 7162 §3.2.5).
        qresync: Option<Box<Qresync>>,
        /// The ANNOTATE parameter (RFC 5257 §4.2).
        annotate: bool,
    },
    /// RFC 9051 §6.3.4. A final separator is still there.
    Create {
        /// Name.
        mailbox: String,
        /// USE (RFC 6154 §3): attributes with their backslash, as written, known or not.
        special_use: Vec<String>,
    },
    /// RFC 9051 §6.3.5
    Delete(String),
    /// RFC 9051 §6.3.6
    Rename {
        /// Present name.
        from: String,
        /// Name to be.
        to: String,
    },
    /// RFC 9051 §6.3.7
    Subscribe(String),
    /// RFC 9051 §6.3.8
    Unsubscribe(String),
    /// RFC 9051 §6.3.9
    List(List),
    /// RFC 3501 §6.3.9
    Lsub {
        /// Reference name.
        reference: String,
        /// Name with wildcards.
        pattern: String,
    },
    /// RFC 9051 §6.3.10
    Namespace,
    /// RFC 9051 §6.3.11
    Status {
        /// Which.
        mailbox: String,
        /// What, in the order asked for, each once.
        items: Vec<StatusItem>,
    },
    /// RFC 9051 §6.3.12; several messages with MULTIAPPEND (RFC 3502).
    Append {
        /// Where to.
        mailbox: String,
        /// At least one.
        messages: Vec<AppendMessage>,
    },
    /// REPLACE and UID REPLACE (RFC 8508).
    Replace {
        /// How `number` counts.
        numbering: Numbering,
        /// Which message goes.
        number: SequenceSet,
        /// Where its replacement comes.
        mailbox: String,
        /// The replacement.
        message: Box<AppendMessage>,
    },
    /// RFC 4467 §7: URLs without their tokens, as written, and the names of mechanisms, upper case; at least one.
    GenUrlAuth(Vec<(String, String)>),
    /// RFC 4467 §7, RFC 5524 §3: at least one.
    UrlFetch(Vec<UrlWanted>),
    /// RFC 4467 §7
    ResetKey {
        /// Which mailbox's key; None: all of them.
        mailbox: Option<String>,
        /// Names of mechanisms, upper case.
        mechanisms: Vec<String>,
    },
    /// RFC 9051 §6.3.13. The `DONE` that ends it is no command.
    Idle,
    /// RFC 5464 §4.2; an empty name means the server.
    GetMetadata {
        /// Of which mailbox.
        mailbox: String,
        /// Names as written, well-formed, at least one.
        entries: Vec<String>,
        /// DEPTH
        depth: Depth,
        /// MAXSIZE, in octets.
        size_max: Option<u32>,
    },
    /// RFC 5464 §4.3; an empty name means the server.
    SetMetadata {
        /// Of which mailbox.
        mailbox: String,
        /// Names as written, well-formed, at least one, and their values; None removes.
        entries: Vec<(String, Option<Content>)>,
    },
    /// RFC 4314 §3
    Acl {
        /// Of which mailbox.
        mailbox: String,
        /// What.
        command: AclCommand,
    },
    /// RFC 5465; None: NOTIFY NONE.
    Notify(Option<Notify>),
    /// RFC 9208 §4.1.1: name of the quota root.
    GetQuota(String),
    /// RFC 9208 §4.1.2: name of a mailbox.
    GetQuotaRoot(String),
    /// RFC 9208 §4.1.3
    SetQuota {
        /// Name of the quota root.
        root: String,
        /// Resource (upper case) and its limit.
        limits: Vec<(String, u64)>,
    },
    /// RFC 3501 §6.4.1
    Check,
    /// RFC 9051 §6.4.1
    Close,
    /// RFC 9051 §6.4.2
    Unselect,
    /// RFC 10022 §3.1
    UidBatches {
        /// Messages in a batch.
        size: u32,
        /// First and last batch wanted, from 1 on, as the client wrote them; None: all.
        batches: Option<(u32, u32)>,
    },
    /// EXPUNGE, or UID EXPUNGE with the UIDs (RFC 9051 §6.4.3, RFC 4315 §2.1).
    Expunge(Option<SequenceSet>),
    /// SEARCH and UID SEARCH (RFC 9051 §6.4.4).
    Search(Search),
    /// ESEARCH, with UID before it or not (RFC 7377 §2): always numbered by UID.
    Esearch {
        /// IN: which mailboxes; never [`SourceMailboxes::SelectedDelayed`]; none given means the selected one.
        sources: Vec<SourceMailboxes>,
        /// What is looked for.
        search: Search,
    },
    /// SORT, THREAD and their UID forms (RFC 5256 §3). What THREAD searches for returns nothing else.
    Arrange {
        /// How what was found is told.
        arrangement: Arrangement,
        /// What is looked for; always with a charset.
        search: Search,
    },
    /// RFC 5267 §4.3.5: tags of searches whose results need not be kept up to date any more.
    CancelUpdate(Vec<String>),
    /// FETCH and UID FETCH (RFC 9051 §6.4.5).
    Fetch(Fetch),
    /// STORE and UID STORE (RFC 9051 §6.4.6).
    Store(Store),
    /// COPY, MOVE and their UID forms (RFC 9051 §6.4.7, §6.4.8).
    Copy {
        /// How `set` counts.
        numbering: Numbering,
        /// Which messages.
        set: SequenceSet,
        /// Where to.
        mailbox: String,
        /// COPY or MOVE.
        originals: Originals,
    },
}

impl Body {
    /// The command's name for logs, without arguments.
    pub fn name(&self) -> &'static str {
        let by_uid = |numbering: Numbering, plain, uid| if numbering == Numbering::Uid { uid } else { plain };
        match self {
            Body::Capability => "CAPABILITY",
            Body::Noop => "NOOP",
            Body::Logout => "LOGOUT",
            Body::Id(_) => "ID",
            Body::StartTls => "STARTTLS",
            Body::Authenticate { .. } => "AUTHENTICATE",
            Body::Login { .. } => "LOGIN",
            Body::Unauthenticate => "UNAUTHENTICATE",
            Body::Compress(_) => "COMPRESS",
            Body::Language(_) => "LANGUAGE",
            Body::Comparator(_) => "COMPARATOR",
            Body::Enable(_) => "ENABLE",
            Body::Select { access: Access::ReadWrite, .. } => "SELECT",
            Body::Select { access: Access::ReadOnly, .. } => "EXAMINE",
            Body::Create { .. } => "CREATE",
            Body::Delete(_) => "DELETE",
            Body::Rename { .. } => "RENAME",
            Body::Subscribe(_) => "SUBSCRIBE",
            Body::Unsubscribe(_) => "UNSUBSCRIBE",
            Body::List(_) => "LIST",
            Body::Lsub { .. } => "LSUB",
            Body::Namespace => "NAMESPACE",
            Body::Status { .. } => "STATUS",
            Body::Append { .. } => "APPEND",
            Body::Replace { numbering, .. } => by_uid(*numbering, "REPLACE", "UID REPLACE"),
            Body::GenUrlAuth(_) => "GENURLAUTH",
            Body::UrlFetch(_) => "URLFETCH",
            Body::ResetKey { .. } => "RESETKEY",
            Body::Idle => "IDLE",
            Body::Notify(_) => "NOTIFY",
            Body::GetMetadata { .. } => "GETMETADATA",
            Body::SetMetadata { .. } => "SETMETADATA",
            Body::Acl { command, .. } => command.name(),
            Body::GetQuota(_) => "GETQUOTA",
            Body::GetQuotaRoot(_) => "GETQUOTAROOT",
            Body::SetQuota { .. } => "SETQUOTA",
            Body::Check => "CHECK",
            Body::Close => "CLOSE",
            Body::Unselect => "UNSELECT",
            Body::UidBatches { .. } => "UIDBATCHES",
            Body::Expunge(None) => "EXPUNGE",
            Body::Expunge(Some(_)) => "UID EXPUNGE",
            Body::Search(search) => by_uid(search.numbering, "SEARCH", "UID SEARCH"),
            Body::Esearch { .. } => "ESEARCH",
            Body::Arrange { arrangement: Arrangement::Sorted(_), search } => {
                by_uid(search.numbering, "SORT", "UID SORT")
            }
            Body::Arrange { arrangement: Arrangement::Threaded(_), search } => {
                by_uid(search.numbering, "THREAD", "UID THREAD")
            }
            Body::CancelUpdate(_) => "CANCELUPDATE",
            Body::Fetch(fetch) => by_uid(fetch.numbering, "FETCH", "UID FETCH"),
            Body::Store(store) => by_uid(store.numbering, "STORE", "UID STORE"),
            Body::Copy { numbering, originals: Originals::Stay, .. } => {
                by_uid(*numbering, "COPY", "UID COPY")
            }
            Body::Copy { numbering, originals: Originals::Go, .. } => by_uid(*numbering, "MOVE", "UID MOVE"),
        }
    }
}

/// A password or a SASL message. `Debug` never shows it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(pub Vec<u8>);

impl Secret {
    /// As text: LOGIN's password is always UTF-8, a SASL message need not be.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether messages are named by sequence number or by UID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Numbering {
    /// By sequence number.
    Sequence,
    /// By UID: the command began with `UID`.
    Uid,
}

/// The QRESYNC parameter of SELECT (RFC 7162 §3.2.5).
#[derive(Clone, PartialEq, Debug)]
pub struct Qresync {
    /// Last known UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// Last known HIGHESTMODSEQ; not 0.
    pub modseq: ModSeq,
    /// UIDs the client has; None: all of what the modification sequence implies. No `*`, no `$`.
    pub known_uids: Option<SequenceSet>,
    /// Pairs of sequence numbers and UIDs (RFC 7162 §3.2.5.2). Both sets have the same number of members.
    pub known_pairs: Option<(SequenceSet, SequenceSet)>,
}

/// LIST with the options of RFC 5258 and those built on them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List {
    /// Which names.
    pub select: Vec<ListSelect>,
    /// Reference name.
    pub reference: String,
    /// Names with wildcards, at least one; several only in the extended form.
    pub patterns: Vec<String>,
    /// What is told of them.
    pub returns: Vec<ListReturn>,
    /// In the extended form an empty pattern asks for nothing (RFC 5258 §3).
    pub form: ListForm,
}

/// Which syntax a LIST had.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ListForm {
    /// RFC 3501: an empty pattern asks for the hierarchy separator.
    Basic,
    /// RFC 5258: selection options, several patterns or return options were given, though maybe empty.
    Extended,
}

/// Selection option of LIST.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ListSelect {
    /// Subscribed names (RFC 5258 §3.1).
    Subscribed,
    /// Remote mailboxes too.
    Remote,
    /// Also parents of matching names that do not match themselves. Never without [`ListSelect::Subscribed`] or
    /// [`ListSelect::SpecialUse`].
    RecursiveMatch,
    /// RFC 6154 §2
    SpecialUse,
}

/// Return option of LIST.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListReturn {
    /// \Subscribed
    Subscribed,
    /// \HasChildren, \HasNoChildren
    Children,
    /// RFC 6154 §2
    SpecialUse,
    /// A MYRIGHTS response for each (RFC 8440).
    MyRights,
    /// A STATUS response for each (RFC 5819).
    Status(Vec<StatusItem>),
    /// METADATA with these entries for each (RFC 9590); names as written, at least one.
    Metadata(Vec<String>),
}

/// Data item of STATUS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StatusItem {
    /// MESSAGES
    Messages,
    /// RECENT (RFC 3501)
    Recent,
    /// UIDNEXT
    UidNext,
    /// UIDVALIDITY
    UidValidity,
    /// UNSEEN
    Unseen,
    /// DELETED
    Deleted,
    /// SIZE (RFC 8438)
    Size,
    /// HIGHESTMODSEQ (RFC 7162)
    HighestModSeq,
    /// MAILBOXID (RFC 8474)
    MailboxId,
    /// APPENDLIMIT (RFC 7889)
    AppendLimit,
    /// DELETED-STORAGE (RFC 9208)
    DeletedStorage,
}

impl StatusItem {
    /// Every item there is.
    pub const EVERY: [StatusItem; 11] = [
        StatusItem::Messages,
        StatusItem::Recent,
        StatusItem::UidNext,
        StatusItem::UidValidity,
        StatusItem::Unseen,
        StatusItem::Deleted,
        StatusItem::Size,
        StatusItem::HighestModSeq,
        StatusItem::MailboxId,
        StatusItem::AppendLimit,
        StatusItem::DeletedStorage,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            StatusItem::Messages => "MESSAGES",
            StatusItem::Recent => "RECENT",
            StatusItem::UidNext => "UIDNEXT",
            StatusItem::UidValidity => "UIDVALIDITY",
            StatusItem::Unseen => "UNSEEN",
            StatusItem::Deleted => "DELETED",
            StatusItem::Size => "SIZE",
            StatusItem::HighestModSeq => "HIGHESTMODSEQ",
            StatusItem::MailboxId => "MAILBOXID",
            StatusItem::AppendLimit => "APPENDLIMIT",
            StatusItem::DeletedStorage => "DELETED-STORAGE",
        }
    }
}

/// One URL of URLFETCH.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UrlWanted {
    /// As written.
    pub url: String,
    /// What of it (RFC 5524 §3.1), each once; never BODY beside BINARY. None: the octets, in the plain form.
    pub params: Vec<UrlParam>,
}

/// What URLFETCH may tell of a URL (RFC 5524 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UrlParam {
    /// BODYPARTSTRUCTURE
    BodyPartStructure,
    /// BINARY: octets without their transfer encoding.
    Binary,
    /// BODY: octets as they stand in the message.
    Body,
}

impl UrlParam {
    /// Every parameter there is.
    pub const EVERY: [UrlParam; 3] = [UrlParam::BodyPartStructure, UrlParam::Binary, UrlParam::Body];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            UrlParam::BodyPartStructure => "BODYPARTSTRUCTURE",
            UrlParam::Binary => "BINARY",
            UrlParam::Body => "BODY",
        }
    }
}

/// One message of APPEND.
#[derive(Clone, PartialEq, Debug)]
pub struct AppendMessage {
    /// Flags to set.
    pub flags: FlagList,
    /// INTERNALDATE to give it.
    pub internal_date: Option<UnixTime>,
    /// ANNOTATION (RFC 5257 §4.7).
    pub annotations: Vec<AnnotationChange>,
    /// The message itself.
    pub data: AppendData,
}

/// `append-data`
#[derive(Clone, PartialEq, Debug)]
pub enum AppendData {
    /// One literal: how it was written, and its octets, never copied since they were received.
    Literal(AppendForm, Content),
    /// CATENATE (RFC 4469): at least one part.
    Catenate(Vec<CatPart>),
}

/// `cat-part`
#[derive(Clone, PartialEq, Debug)]
pub enum CatPart {
    /// TEXT, or UTF8 (RFC 6855 §4).
    Text(AppendForm, Content),
    /// URL, as written.
    Url(String),
}

/// How the message of an APPEND was sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AppendForm {
    /// `{n}`
    Literal,
    /// `~{n}`: may hold NUL (RFC 3516 §4.4).
    Literal8,
    /// `UTF8 (~{n})`: header fields hold UTF-8 (RFC 6855 §4).
    Utf8,
}

/// A message's octets. `Debug` shows their number only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Content(pub Vec<u8>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} octets)", self.0.len())
    }
}

/// Flags that a client gives. `\Recent` and unknown system flags were dropped: a flag that PERMANENTFLAGS does not name
/// may be ignored (RFC 9051 §7.1).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FlagList {
    /// System flags.
    pub flags: FlagSet,
    /// Keywords, each once.
    pub keywords: Vec<Keyword>,
}
