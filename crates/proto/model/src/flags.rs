//! Message flags: the five of the system and keywords (RFC 9051 §2.3.2).

use std::fmt;

/// A system flag.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Flag {
    /// \Seen
    Seen = 1,
    /// \Answered
    Answered = 2,
    /// \Flagged
    Flagged = 4,
    /// \Deleted
    Deleted = 8,
    /// \Draft
    Draft = 16,
}

impl Flag {
    /// All five, in the order in which they are shown.
    pub const EVERY: [Flag; 5] = [Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Seen, Flag::Draft];

    /// As IMAP writes it, with the backslash.
    pub fn name(self) -> &'static str {
        match self {
            Flag::Seen => "\\Seen",
            Flag::Answered => "\\Answered",
            Flag::Flagged => "\\Flagged",
            Flag::Deleted => "\\Deleted",
            Flag::Draft => "\\Draft",
        }
    }

    /// The flag of that name (with the backslash, any case).
    pub fn from_name(name: &str) -> Option<Flag> {
        Flag::EVERY.into_iter().find(|flag| flag.name().eq_ignore_ascii_case(name))
    }
}

/// A set of system flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct FlagSet(pub u8);

impl FlagSet {
    /// No flag.
    pub const NONE: FlagSet = FlagSet(0);

    /// Whether `flag` is in the set.
    pub fn has(self, flag: Flag) -> bool {
        self.0 & flag as u8 != 0
    }

    /// The set with `flag`.
    #[must_use]
    pub fn with(self, flag: Flag) -> FlagSet {
        FlagSet(self.0 | flag as u8)
    }

    /// The set without `flag`.
    #[must_use]
    pub fn without(self, flag: Flag) -> FlagSet {
        FlagSet(self.0 & !(flag as u8))
    }

    /// The flags in the set, in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::EVERY.into_iter().filter(move |flag| self.has(*flag))
    }
}

impl FromIterator<Flag> for FlagSet {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        flags.into_iter().fold(FlagSet::NONE, FlagSet::with)
    }
}

/// A keyword (`$Forwarded`, `NonJunk` …). Compared without regard to case (RFC 9051 §2.3.2), shown as first written.
#[derive(Clone, Debug)]
pub struct Keyword(Box<str>);

/// Why a word can't be a keyword.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeywordError {
    /// Empty, or longer than [`Keyword::LEN_MAX`].
    Length,
    /// Holds something that an IMAP atom may not hold.
    NotAnAtom,
}

impl Keyword {
    /// Longest keyword, in bytes.
    pub const LEN_MAX: usize = 255;

    /// Checks a word: `flag-keyword = atom` (RFC 9051 §9).
    ///
    /// # Errors
    /// When it is empty, too long, or no atom.
    pub fn new(word: &str) -> Result<Keyword, KeywordError> {
        if word.is_empty() || word.len() > Self::LEN_MAX {
            return Err(KeywordError::Length);
        }
        let atom = |b: u8| b > b' ' && b < 0x7f && !b"(){%*\"\\]".contains(&b);
        if !word.bytes().all(atom) {
            return Err(KeywordError::NotAnAtom);
        }
        Ok(Keyword(word.into()))
    }

    /// As it was first written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

impl std::hash::Hash for Keyword {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_compare_without_case_and_refuse_what_is_no_atom() {
        assert_eq!(Keyword::new("$Junk"), Keyword::new("$junk"));
        for bad in ["", "a b", "a]", "(", "\\Seen", "ключ", "a\"b", "a%"] {
            assert!(Keyword::new(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn flags_are_a_set() {
        let set: FlagSet = [Flag::Seen, Flag::Draft].into_iter().collect();
        assert!(set.has(Flag::Seen) && !set.has(Flag::Deleted));
        assert_eq!(set.without(Flag::Seen).iter().collect::<Vec<_>>(), [Flag::Draft]);
        assert_eq!(Flag::from_name("\\sEEN"), Some(Flag::Seen));
    }
}
