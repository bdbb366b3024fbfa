//! SEARCH: what is looked for, and what is to be returned (RFC 9051 §6.4.4; RFC 4731; RFC 9394).

use super::{FetchItem, Numbering};
use crate::sequence::SequenceSet;
use model::{AnnotationScope, DateOf, Day, Flag, Keyword, ModSeq, SeqNo, Uid, UidSet, When};
use std::fmt;

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

impl Search {
    /// Whether the result is to be kept as `$` (RFC 5182).
    pub fn saves(&self) -> bool {
        self.returns.as_ref().is_some_and(|returns| returns.contains(&SearchReturn::Save))
    }
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
