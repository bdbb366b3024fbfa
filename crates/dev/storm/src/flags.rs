//! The flags that the clients play with, as bits. \Recent is left out: it is each session's own. Where others than the
//! owner have a \Seen of their own, the ledger keeps it in a bit for each account.

use std::fmt;

/// Every flag in use; the number is the bit.
pub const NAMES: [&str; 10] =
    ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$Forwarded", "k0", "k1", "k2", "k3"];

/// The bit of the first account's own \Seen; the others' follow.
pub const PRIVATE_SEEN: usize = NAMES.len();

/// Bits there are.
pub const BITS: usize = 32;

/// A set of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Flags(pub u32);

impl Flags {
    /// \Seen
    pub const SEEN: Flags = Flags(1);
    /// \Deleted
    pub const DELETED: Flags = Flags(1 << 3);

    /// From a list of names.
    ///
    /// # Errors
    /// A flag that nobody has set.
    pub fn parse<'a>(names: impl Iterator<Item = &'a str>) -> Result<Flags, String> {
        let mut flags = Flags::default();
        for name in names.filter(|name| !name.eq_ignore_ascii_case("\\Recent")) {
            let bit = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name));
            let bit = bit.ok_or_else(|| format!("the flag {name}, which nobody has set"))?;
            flags.0 |= 1 << bit;
        }
        Ok(flags)
    }

    /// The same, with \Seen at that bit.
    pub fn with_seen_at(self, bit: usize) -> Flags {
        Flags(self.0 & !Flags::SEEN.0 | (self.0 & Flags::SEEN.0) << bit)
    }

    /// Whether all of `other` are in it.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = (0..NAMES.len()).filter(|bit| self.0 & (1 << bit) != 0);
        f.write_str(&set.map(|bit| NAMES[bit]).collect::<Vec<_>>().join(" "))
    }
}

/// What a STORE does with its flags (RFC 9051 §6.4.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// FLAGS
    Replace,
    /// +FLAGS
    Add,
    /// -FLAGS
    Remove,
}

impl Mode {
    /// The new flags of a message.
    pub fn apply(self, old: Flags, flags: Flags) -> Flags {
        match self {
            Mode::Replace => flags,
            Mode::Add => Flags(old.0 | flags.0),
            Mode::Remove => Flags(old.0 & !flags.0),
        }
    }
}
