//! What is looked for in a mailbox, for every protocol that searches.

use crate::{AnnotationQuery, Collation, EmailId, Flag, Keyword, ModSeq, ThreadId, UidSet, UnixTime};

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

/// What SEARCH looks for (RFC 9051 §6.4.4). Texts are UTF-8; they match as substrings of the decoded text, in
/// i;unicode-casemap unless a [`Query::Collated`] says otherwise (RFC 2047, transfer encodings, charsets). An empty text matches everything that has the field. Depth is bounded
/// by the parser, so recursion is safe.
#[derive(Clone, PartialEq, Debug)]
pub enum Query {
    /// Every message.
    All,
    /// One of these (sequence numbers, UIDs, \Recent).
    Uids(UidSet),
    /// Has the system flag.
    Flag(Flag),
    /// Has the keyword.
    Keyword(Keyword),
    /// Not that.
    Not(Box<Query>),
    /// All of these; an empty list holds for every message.
    And(Vec<Query>),
    /// At least one of these; an empty list holds for none.
    Or(Vec<Query>),
    /// As that, but texts are matched by likeness of their words (RFC 6203).
    Fuzzy(Box<Query>),
    /// As that, but texts are compared by that collation (RFC 5255 §4.2), likeness excepted.
    Collated(Collation, Box<Query>),
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
    /// Has an annotation with that text in it (RFC 5257 §4.8), among those that the searching user may read.
    Annotation(AnnotationQuery),
}

impl Query {
    /// The same, its texts compared by a collation.
    #[must_use]
    pub fn collated(self, collation: Collation) -> Query {
        match collation {
            Collation::UnicodeCasemap => self,
            collation => Query::Collated(collation, Box::new(self)),
        }
    }
}
