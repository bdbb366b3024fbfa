//! In which order messages are wanted, for every protocol that sorts or threads on the server.

use crate::{AnnotationKey, Uid};

/// What a message is sorted by (RFC 5256 §3, BASE.6.4.SORT; RFC 5957 §4).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum SortKey {
    /// ARRIVAL: INTERNALDATE.
    Arrival,
    /// CC: local part of the first address.
    Cc,
    /// DATE: the moment of the Date field, else INTERNALDATE (RFC 5256 §2.2).
    Date,
    /// DISPLAYFROM: display name of the first address, else the address.
    DisplayFrom,
    /// DISPLAYTO: the same of To.
    DisplayTo,
    /// FROM: local part of the first address.
    From,
    /// RELEVANCY: how like it is to what a FUZZY key looks for, the likest first (RFC 6203 §6).
    Relevancy,
    /// SIZE in octets.
    Size,
    /// SUBJECT: the base subject (RFC 5256 §2.1).
    Subject,
    /// TO: local part of the first address.
    To,
    /// ANNOTATION: a value, as the sorting user sees it (RFC 5257 §4.9).
    Annotation(AnnotationKey),
}

impl SortKey {
    /// Every key that is a name alone.
    pub const EVERY: [SortKey; 10] = [
        SortKey::Arrival,
        SortKey::Cc,
        SortKey::Date,
        SortKey::DisplayFrom,
        SortKey::DisplayTo,
        SortKey::From,
        SortKey::Size,
        SortKey::Subject,
        SortKey::To,
        SortKey::Relevancy,
    ];
}

/// Which way a criterion sorts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// Earlier, smaller, lower in the collation first.
    Ascending,
    /// REVERSE.
    Descending,
}

/// One criterion of an order. Messages that all criteria take for equal stand by ascending UID.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SortCriterion {
    /// By what.
    pub key: SortKey,
    /// Which way.
    pub direction: Direction,
}

/// How messages are put together into threads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ThreadAlgorithm {
    /// ORDEREDSUBJECT (RFC 5256 §3): equal base subject.
    OrderedSubject,
    /// REFERENCES (RFC 5256 §3): who answers whom, then equal base subject.
    References,
    /// REFS (draft-ietf-morg-inthread): as REFERENCES, but the subject means nothing, and the thread in which the newest
    /// message arrived comes last.
    Refs,
}

/// The order in which messages are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arrangement {
    /// By these criteria, the first one first; at least one.
    Sorted(Vec<SortCriterion>),
    /// In threads.
    Threaded(ThreadAlgorithm),
}

/// A message of a forest that is listed parents first: those that follow with a greater depth, up to the next with the
/// same or a lesser one, are its descendants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThreadNode {
    /// None: a parent that is not among the messages. Only at depth 0, with at least two children.
    pub uid: Option<Uid>,
    /// 0: begins a thread.
    pub depth: u32,
}

impl Arrangement {
    /// Whether such a criterion is among those that it is sorted by.
    pub fn is_by(&self, key: &SortKey) -> bool {
        matches!(self, Arrangement::Sorted(criteria) if criteria.iter().any(|criterion| criterion.key == *key))
    }
}
