//! Where a name leads: to a mailbox of one's own, or of another account under `Other Users/` (RFC 2342, RFC 4314); whose
//! \Seen it shows, and whether it can be taken away while it is in use.

use crate::flags::{Flags, PRIVATE_SEEN};
use crate::ledger::Effect;

/// Shared with everybody; one \Seen for all.
pub const GAMMA: &str = "Gamma";
/// Shared with everybody; each has a \Seen of his own.
pub const DELTA: &str = "Delta";
/// Shared with those and for that which its owner's clients say at the moment.
pub const FLUX: &str = "Flux";

/// Shared with everybody, and nobody's own.
pub const TEAM: &str = "Shared/team/INBOX";
/// The number of its account, which nobody logs in to.
const TEAM_OWNER: usize = 1000;

/// The mailboxes that always are in each account.
pub const FIXED: [&str; 6] = ["INBOX", "Alpha", "Beta", GAMMA, DELTA, FLUX];

/// Many messages, in account 0.
pub const MASS: &str = "Mass";
/// How many they mostly are.
pub const MASS_MESSAGES: usize = 1_100;

/// What others may do in [`GAMMA`], [`DELTA`] and [`TEAM`].
pub const RIGHTS: &str = "lrswite";

/// What they may do in [`FLUX`] in turn, besides seeing it.
pub const CHANGING: [&str; 9] = ["", "lr", "lrs", "lrsw", "lri", "lrswi", "lrswite", "lrswite", "lrte"];

/// How long a mailbox can be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// Always.
    Firm,
    /// Until somebody deletes it.
    Mortal,
    /// The same, and rights may be taken any time.
    Shaky,
}

/// A mailbox as one account sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Whose it is.
    pub owner: usize,
    /// The bit that \Seen is for this viewer.
    pub seen: usize,
    /// How long it can be used.
    pub hold: Hold,
}

impl Place {
    /// What `name` means to an account.
    pub fn of(viewer: usize, name: &str) -> Place {
        if name == TEAM {
            return Place { owner: TEAM_OWNER, seen: 0, hold: Hold::Firm };
        }
        let foreign = name.strip_prefix("Other Users/storm").and_then(|rest| rest.split_once('/'));
        let foreign = foreign.and_then(|(owner, name)| Some((owner.parse::<usize>().ok()?, name)));
        let Some((owner, name)) = foreign else {
            let hold = if name.starts_with('v') { Hold::Mortal } else { Hold::Firm };
            return Place { owner: viewer, seen: 0, hold };
        };
        let one_for_all = name == GAMMA || name == FLUX && has_one_seen(owner);
        let seen = if one_for_all { 0 } else { PRIVATE_SEEN + viewer };
        let hold = if name == GAMMA || name == DELTA { Hold::Firm } else { Hold::Shaky };
        Place { owner, seen, hold }
    }

    /// Whether what is done there happens as it is acknowledged.
    pub fn effect(self) -> Effect {
        if self.hold == Hold::Shaky { Effect::Partial } else { Effect::Whole }
    }

    /// A client's flags as the ledger knows them.
    pub fn flags(self, flags: Flags) -> Flags {
        flags.with_seen_at(self.seen)
    }
}

/// Whether [`FLUX`] of an account has one \Seen for all.
pub fn has_one_seen(owner: usize) -> bool {
    owner.is_multiple_of(2)
}

/// What the mailbox `name` of `owner` is called by others.
pub fn foreign(owner: usize, name: &str) -> String {
    format!("Other Users/storm{owner}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_places() {
        assert_eq!(Place::of(1, "v3-2"), Place { owner: 1, seen: 0, hold: Hold::Mortal });
        assert_eq!(Place::of(1, "Other Users/storm0/Gamma"), Place { owner: 0, seen: 0, hold: Hold::Firm });
        assert_eq!(Place::of(1, TEAM), Place { owner: TEAM_OWNER, seen: 0, hold: Hold::Firm });
        assert_eq!(Place::of(1, &foreign(0, DELTA)), Place { owner: 0, seen: 11, hold: Hold::Firm });
        assert_eq!(Place::of(0, &foreign(1, FLUX)), Place { owner: 1, seen: 10, hold: Hold::Shaky });
        let delta = Place::of(1, &foreign(0, DELTA));
        assert_eq!(delta.flags(Flags(0b101)), Flags(1 << 11 | 0b100));
    }
}
