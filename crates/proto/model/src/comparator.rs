//! By which rule texts are compared (RFC 4790), for every protocol that searches or sorts on the server.

use crate::Direction;

/// A collation: what of a text counts when it is compared. Each of them has equality, substring and order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Collation {
    /// i;unicode-casemap (RFC 5051): without regard to case, in every script.
    #[default]
    UnicodeCasemap,
    /// i;ascii-casemap (RFC 4790 §9.2): only the letters of ASCII are without case.
    AsciiCasemap,
    /// i;octet (RFC 4790 §9.3): the octets of UTF-8 as they are.
    Octet,
}

impl Collation {
    /// All of them, the more widely useful ones first (RFC 4790 §3.2).
    pub const EVERY: [Collation; 3] = [Collation::UnicodeCasemap, Collation::AsciiCasemap, Collation::Octet];

    /// Its identifier in the registry of RFC 4790.
    pub fn name(self) -> &'static str {
        match self {
            Collation::UnicodeCasemap => "i;unicode-casemap",
            Collation::AsciiCasemap => "i;ascii-casemap",
            Collation::Octet => "i;octet",
        }
    }
}

/// A collation, and which way it orders (RFC 4790 §3.3: `-` before the name "inverts the result of the ordering
/// operation").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Comparator {
    /// What counts.
    pub collation: Collation,
    /// Of the order; equality and substrings don't depend on it.
    pub direction: Direction,
}

impl Default for Comparator {
    /// What SEARCH and SORT go by unless something else was agreed on (RFC 5255 §4.4).
    fn default() -> Comparator {
        Comparator { collation: Collation::default(), direction: Direction::Ascending }
    }
}
