//! Rights of an access control list (RFC 4314 §2.1), and what a list of them means on the wire.

use crate::{Flag, FlagSet};
use std::fmt;

/// One standard right.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum Right {
    /// `l`: the mailbox is visible.
    Lookup = 1,
    /// `r`: SELECT, STATUS.
    Read = 2,
    /// `s`: \Seen.
    Seen = 4,
    /// `w`: flags other than \Seen and \Deleted.
    Write = 8,
    /// `i`: APPEND, COPY into.
    Insert = 16,
    /// `p`: mail to its address; nothing that IMAP enforces.
    Post = 32,
    /// `k`: mailboxes below it.
    Create = 64,
    /// `x`: DELETE, the old name in RENAME.
    DeleteMailbox = 128,
    /// `t`: \Deleted.
    DeleteMessages = 256,
    /// `e`: EXPUNGE.
    Expunge = 512,
    /// `a`: SETACL and its like.
    Administer = 1024,
    /// `n`: shared annotations of messages (RFC 5257 §3.4).
    Annotate = 2048,
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Rights(pub u16);

/// Why a list of rights is none: the letter that is no right (RFC 4314 §3.1: such a list is BAD).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoRight(pub char);

impl Right {
    /// All, in the order in which they are shown.
    pub const EVERY: [Right; 12] = [
        Right::Lookup,
        Right::Read,
        Right::Seen,
        Right::Write,
        Right::Insert,
        Right::Post,
        Right::Create,
        Right::DeleteMailbox,
        Right::DeleteMessages,
        Right::Expunge,
        Right::Annotate,
        Right::Administer,
    ];

    /// Its letter.
    pub fn letter(self) -> char {
        match self {
            Right::Lookup => 'l',
            Right::Read => 'r',
            Right::Seen => 's',
            Right::Write => 'w',
            Right::Insert => 'i',
            Right::Post => 'p',
            Right::Create => 'k',
            Right::DeleteMailbox => 'x',
            Right::DeleteMessages => 't',
            Right::Expunge => 'e',
            Right::Administer => 'a',
            Right::Annotate => 'n',
        }
    }
}

impl Rights {
    /// None.
    pub const NONE: Rights = Rights(0);
    /// All of them.
    pub const ALL: Rights = Rights(4095);
    /// What stands for the obsolete `c` (RFC 4314 §2.1.1).
    pub const OBSOLETE_CREATE: Rights = Rights(Right::Create as u16 | Right::DeleteMailbox as u16);
    /// What stands for the obsolete `d` (RFC 4314 §2.1.1).
    pub const OBSOLETE_DELETE: Rights = Rights(Right::DeleteMessages as u16 | Right::Expunge as u16);
    /// Each of them lets one ask for one's own rights (RFC 4314 §4, MYRIGHTS).
    pub const ANY: Rights = Rights(
        Right::Lookup as u16
            | Right::Read as u16
            | Right::Insert as u16
            | Right::Create as u16
            | Right::DeleteMailbox as u16
            | Right::Administer as u16,
    );

    /// Reads letters, `c` and `d` among them.
    ///
    /// # Errors
    /// A letter that is no right: upper case, digits (no such right is defined here), anything else.
    pub fn parse(letters: &str) -> Result<Rights, NoRight> {
        letters.chars().try_fold(Rights::NONE, |rights, letter| {
            let more = match letter {
                'c' => Rights::OBSOLETE_CREATE,
                'd' => Rights::OBSOLETE_DELETE,
                letter => Right::EVERY
                    .into_iter()
                    .find(|right| right.letter() == letter)
                    .map(Rights::from)
                    .ok_or(NoRight(letter))?,
            };
            Ok(rights.or(more))
        })
    }

    /// Their letters alone, without `c` and `d`: what [`parse`](Rights::parse) reads back.
    pub fn letters(self) -> String {
        Right::EVERY.into_iter().filter(|right| self.has(*right)).map(Right::letter).collect()
    }

    /// Whether `right` is among them.
    pub fn has(self, right: Right) -> bool {
        self.0 & right as u16 != 0
    }

    /// Whether one of `others` is among them.
    pub fn has_any(self, others: Rights) -> bool {
        self.0 & others.0 != 0
    }

    /// Rights of either.
    #[must_use]
    pub fn or(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    /// Rights of this one that the other has not.
    #[must_use]
    pub fn minus(self, other: Rights) -> Rights {
        Rights(self.0 & !other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// System flags that they let one change (RFC 4314 §4); keywords go with [`Right::Write`].
    pub fn flags(self) -> FlagSet {
        Flag::EVERY
            .into_iter()
            .filter(|flag| {
                self.has(match flag {
                    Flag::Seen => Right::Seen,
                    Flag::Deleted => Right::DeleteMessages,
                    Flag::Answered | Flag::Flagged | Flag::Draft => Right::Write,
                })
            })
            .collect()
    }
}

impl From<Right> for Rights {
    fn from(right: Right) -> Rights {
        Rights(right as u16)
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Rights {
        rights.into_iter().fold(Rights::NONE, |all, right| all.or(right.into()))
    }
}

impl fmt::Display for Rights {
    /// With `c` and `d` where a member of them is granted, as clients of RFC 2086 want it (RFC 4314 §2.1.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for right in Right::EVERY.into_iter().filter(|right| self.has(*right)) {
            if right == Right::Administer {
                continue;
            }
            f.write_char(right.letter())?;
        }
        if self.has_any(Rights::OBSOLETE_CREATE) {
            f.write_char('c')?;
        }
        if self.has_any(Rights::OBSOLETE_DELETE) {
            f.write_char('d')?;
        }
        if self.has(Right::Administer) {
            f.write_char('a')?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obsolete_rights_stand_for_their_members() {
        // RFC 4314 §2.1.1's examples.
        assert_eq!(Rights::parse("lrswida").unwrap().to_string(), "lrswiteda");
        assert_eq!(Rights::parse("lrswikda").unwrap().to_string(), "lrswiktecda");
        assert_eq!(Rights::parse("c"), Rights::parse("kx"));
        assert_eq!(Rights::ALL.to_string(), "lrswipkxtencda");
        assert_eq!(Rights::parse("lrswipkxtean"), Ok(Rights::ALL));
        assert_eq!(Rights::parse(""), Ok(Rights::NONE));
        for (bad, letter) in [("lrQ", 'Q'), ("lrq", 'q'), ("l1", '1'), ("l r", ' '), ("ä", 'ä')] {
            assert_eq!(Rights::parse(bad), Err(NoRight(letter)), "{bad}");
        }
    }

    #[test]
    fn each_flag_has_its_right() {
        let flags = |letters: &str| Rights::parse(letters).unwrap().flags().iter().collect::<Vec<_>>();
        assert_eq!(flags("lrs"), [Flag::Seen]);
        assert_eq!(flags("lrt"), [Flag::Deleted]);
        assert_eq!(flags("w"), [Flag::Answered, Flag::Flagged, Flag::Draft]);
        assert_eq!(flags("lriekxap"), []);
    }
}
