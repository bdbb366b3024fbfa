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

pub use account::{Depth, EventGroup, Notify, NotifyEvent, SourceMailboxes};
pub use acl::AclCommand;
pub use annotation::{AnnotationAttribute, AnnotationRequest, AttributeName, part_of_entry};

use crate::ask::{Access, Originals};
use crate::sequence::SequenceSet;
use model::{AnnotationChange, AnnotationScope, Arrangement, DateOf, Day, FlagMode, When};
use model::{Flag, FlagSet, Keyword, ModSeq, SeqNo, Uid, UidSet, UidValidity, UnixTime};
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

/// SEARCH.
#[derive(Clone, PartialEq, Debug)]
pub struct Search {
    /// What the answer names.
    pub numbering: Numbering,
    /// RETURN (RFC 4731); None: not given; an empty list was turned into ALL.
    pub returns: Option<Vec<SearchReturn>>,
    /// Name of the charset of all texts, as written; None: US-ASCII, or UTF-8 once that is enabled.
    pub charset: Option<String>,
    /// What is looked for; an [`SearchKey::And`] if there is more than one key.
    pub key: SearchKey,
}

/// What SEARCH is to return (RFC 4731 §3.1, RFC 5182).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SearchReturn {
    /// Lowest number.
    Min,
    /// Highest number.
    Max,
    /// All numbers.
    All,
    /// How many.
    Count,
    /// Keep the result as `$`.
    Save,
    /// CONTEXT: more such searches will come (RFC 5267 §4.2). There is nothing to do about it.
    Context,
    /// UPDATE: keep the result up to date (RFC 5267 §4.3), and tell this of new messages that join it (RFC 5465 §7).
    Update(Vec<FetchItem>),
    /// How like each message is (RFC 6203 §4); only beside a [`SearchKey::Fuzzy`].
    Relevancy,
    /// Some of the numbers (RFC 9394 §3.1). Never beside [`SearchReturn::All`], and once only.
    Partial(PartialRange),
}

/// Places in a list of results (RFC 9394 §3.1), from 1 on, as the client wrote them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PartialRange {
    /// Where place 1 is.
    pub counted: Counted,
    /// One end.
    pub one: u32,
    /// The other end, which may be the lower one.
    pub other: u32,
}

/// From which end of the list places are counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Counted {
    /// `1:500`: place 1 has the lowest UID.
    FromFirst,
    /// `-1:-500`: place 1 has the highest UID.
    FromLast,
}

impl SearchKey {
    /// Whether such a key is somewhere in it. Recursion is as deep as the parser lets a key nest.
    pub fn holds(&self, wanted: &dyn Fn(&SearchKey) -> bool) -> bool {
        wanted(self)
            || match self {
                SearchKey::Not(key) | SearchKey::Fuzzy(key) => key.holds(wanted),
                SearchKey::Or(keys) | SearchKey::And(keys) => keys.iter().any(|key| key.holds(wanted)),
                _ => false,
            }
    }
}

impl PartialRange {
    /// The members of `found` at these places; fewer, maybe none, where the list ends.
    pub fn of(self, found: &UidSet) -> UidSet {
        let (low, high) = (self.one.min(self.other), self.one.max(self.other));
        let count = found.len();
        let (low, high) = match self.counted {
            Counted::FromFirst => (low, high.min(count)),
            Counted::FromLast => {
                (count.saturating_sub(high) + 1, count.saturating_add(1).saturating_sub(low))
            }
        };
        let mut places = UidSet::new();
        if low <= high
            && let (Some(first), Some(last)) = (found.select(SeqNo(low)), found.select(SeqNo(high)))
        {
            places.insert_range(first, last);
        }
        places.and(found)
    }
}

impl PartialRange {
    /// The members of an ordered list at these places.
    pub fn of_list<T>(self, list: &[T]) -> &[T] {
        let (low, high) = (self.one.min(self.other) as usize, self.one.max(self.other) as usize);
        let (start, end) = match self.counted {
            Counted::FromFirst => (low - 1, high),
            Counted::FromLast => (list.len().saturating_sub(high), (list.len() + 1).saturating_sub(low)),
        };
        let end = end.min(list.len());
        list.get(start.min(end)..end).unwrap_or_default()
    }
}

impl fmt::Display for PartialRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.counted {
            Counted::FromFirst => write!(f, "{}:{}", self.one, self.other),
            Counted::FromLast => write!(f, "-{}:-{}", self.one, self.other),
        }
    }
}

/// What SEARCH looks for. Nested at most `parse::limits::SEARCH_DEPTH_MAX` deep, so recursion over it is safe.
#[derive(Clone, PartialEq, Debug)]
pub enum SearchKey {
    /// ALL
    All,
    /// Message sequence numbers.
    Sequence(SequenceSet),
    /// UID
    Uid(SequenceSet),
    /// UIDAFTER: higher than that (RFC 9738 §3.2).
    UidAfter(Uid),
    /// UIDBEFORE: lower than that.
    UidBefore(Uid),
    /// ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
    Flag(Flag),
    /// KEYWORD
    Keyword(Keyword),
    /// RECENT (RFC 3501)
    Recent,
    /// NEW = RECENT UNSEEN (RFC 3501)
    New,
    /// OLD = NOT RECENT (RFC 3501)
    Old,
    /// NOT and the UN… keys. Never holds another Not.
    Not(Box<SearchKey>),
    /// FUZZY (RFC 6203). Never holds another Fuzzy.
    Fuzzy(Box<SearchKey>),
    /// OR: at least two, none of which is an Or itself. (A client that looks for 500 Message-IDs nests 499 ORs.)
    Or(Vec<SearchKey>),
    /// A list in parentheses, or the whole program: at least two.
    And(Vec<SearchKey>),
    /// HEADER, and BCC, CC, FROM, SUBJECT, TO under their field names.
    Header {
        /// Field name as written, ASCII.
        name: String,
        /// In the search's charset; empty: the field must be there.
        text: Vec<u8>,
    },
    /// BODY, text in the search's charset.
    Body(Vec<u8>),
    /// TEXT, text in the search's charset.
    Text(Vec<u8>),
    /// LARGER
    Larger(u64),
    /// SMALLER
    Smaller(u64),
    /// BEFORE, ON, SINCE, SENT…, and SAVED… (RFC 8514 §4.3).
    Date(DateOf, When, Day),
    /// SAVEDATESUPPORTED (RFC 8514 §4.3)
    SaveDateSupported,
    /// YOUNGER: at most so many seconds old (RFC 5032).
    Younger(u32),
    /// OLDER: at least so many seconds old (RFC 5032).
    Older(u32),
    /// MODSEQ: at least that. The entry name and type that may come before it are dropped: with one modification
    /// sequence per message they mean nothing (RFC 7162 §3.1.5).
    ModSeq(ModSeq),
    /// FILTER: the name of criteria that are kept (RFC 5466). Put in before a search begins.
    Filter(String),
    /// EMAILID, as written (RFC 8474 §5.3).
    EmailId(String),
    /// THREADID, as written.
    ThreadId(String),
    /// ANNOTATION (RFC 5257 §4.8)
    Annotation {
        /// Names of entries, maybe with `*` and `%`.
        entries: String,
        /// Whose values; None: either.
        scope: Option<AnnotationScope>,
        /// In the charset of the search.
        text: Vec<u8>,
    },
}

/// FETCH.
#[derive(Clone, PartialEq, Debug)]
pub struct Fetch {
    /// How `set` counts.
    pub numbering: Numbering,
    /// Which messages.
    pub set: SequenceSet,
    /// What of them, in the order asked for; macros are written out.
    pub items: Vec<FetchItem>,
    /// CHANGEDSINCE (RFC 7162 §3.1.4.1).
    pub changed_since: Option<ModSeq>,
    /// VANISHED (RFC 7162 §3.2.6); only with UID FETCH and CHANGEDSINCE.
    pub vanished: bool,
    /// PARTIAL (RFC 9394 §3.3); only with UID FETCH.
    pub partial: Option<PartialRange>,
}

/// A data item of FETCH.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchItem {
    /// ENVELOPE
    Envelope,
    /// FLAGS
    Flags,
    /// INTERNALDATE
    InternalDate,
    /// RFC822.SIZE
    Rfc822Size,
    /// UID
    Uid,
    /// BODY
    Body,
    /// BODYSTRUCTURE
    BodyStructure,
    /// BODY[…] and BODY.PEEK[…]
    BodySection {
        /// Which part.
        section: Section,
        /// Which octets of it.
        partial: Option<Partial>,
        /// Whether \Seen is set.
        peek: Peek,
    },
    /// RFC822 (RFC 3501)
    Rfc822,
    /// RFC822.HEADER (RFC 3501)
    Rfc822Header,
    /// RFC822.TEXT (RFC 3501)
    Rfc822Text,
    /// BINARY[…] and BINARY.PEEK[…] (RFC 3516)
    Binary {
        /// Part numbers; none: the message.
        part: Vec<u32>,
        /// Which octets of it, after decoding.
        partial: Option<Partial>,
        /// Whether \Seen is set.
        peek: Peek,
    },
    /// BINARY.SIZE[…]: part numbers.
    BinarySize(Vec<u32>),
    /// MODSEQ (RFC 7162)
    ModSeq,
    /// EMAILID (RFC 8474)
    EmailId,
    /// THREADID (RFC 8474)
    ThreadId,
    /// SAVEDATE (RFC 8514)
    SaveDate,
    /// PREVIEW (RFC 8970)
    Preview(Preview),
    /// ANNOTATION (RFC 5257)
    Annotation(AnnotationRequest),
}

/// Whether fetching content marks the message as read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Peek {
    /// It sets \Seen.
    No,
    /// `.PEEK`: it does not.
    Yes,
}

/// Whether a preview may be left out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Preview {
    /// Make it if there is none yet.
    Make,
    /// LAZY: only if it costs nothing (RFC 8970 §3.2).
    Lazy,
}

/// What stands in the brackets of BODY[…].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Part numbers, at most `parse::limits::SECTION_DEPTH_MAX`; none: the message itself.
    pub part: Vec<u32>,
    /// What of that part.
    pub text: SectionText,
}

/// `section-text`
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SectionText {
    /// Nothing said: the part's body, or the whole message if there is no part number.
    Whole,
    /// HEADER
    Header,
    /// HEADER.FIELDS: names as written.
    HeaderFields(Vec<String>),
    /// HEADER.FIELDS.NOT: names as written.
    HeaderFieldsNot(Vec<String>),
    /// TEXT
    Text,
    /// MIME; never without part numbers.
    Mime,
}

/// `<start.length>`
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Partial {
    /// First octet, from 0.
    pub start: u64,
    /// Octets, at least 1.
    pub length: u64,
}

/// STORE.
#[derive(Clone, PartialEq, Debug)]
pub struct Store {
    /// How `set` counts.
    pub numbering: Numbering,
    /// Which messages.
    pub set: SequenceSet,
    /// UNCHANGEDSINCE (RFC 7162 §3.1.3).
    pub unchanged_since: Option<ModSeq>,
    /// FLAGS, +FLAGS, -FLAGS
    pub mode: FlagMode,
    /// Whether the new flags are told.
    pub echo: Echo,
    /// Which.
    pub flags: FlagList,
    /// ANNOTATION in place of flags, and then at least one (RFC 5257 §4.5).
    pub annotations: Vec<AnnotationChange>,
}

/// Whether STORE answers with FETCH responses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Echo {
    /// It does.
    Flags,
    /// `.SILENT`: only what the client can't know.
    Silent,
}
