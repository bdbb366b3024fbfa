//! What a run has to do in a folder, from what the source lists and what is noted. Pure: no clock, no store.
//!
//! Rules: whatever is listed and has no note is collected, oldest first, those at which runs broke last. Whatever has a
//! note and stayed its time is deleted. Notes of what a complete listing does not show are *former*: a message that is to
//! be collected and has the same content as one of them is the same message under another name, and is not put into the
//! account again. A name that stands for several messages (POP3 servers do that, against RFC 1939 §7) names none of them.

use crate::{Fate, Keep, Name, Note};
use model::UnixTime;
use std::collections::{HashMap, HashSet};

const SECONDS_PER_DAY: i64 = 86_400;

/// A message as the source lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listed {
    /// None: the source does not name it.
    pub name: Option<Name>,
    /// Octets, as far as the source is to be believed.
    pub size: u64,
}

/// How much of the folder a listing shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coverage {
    /// All of it: what it does not show is gone.
    All,
    /// What has come since.
    New,
}

/// What decides besides the listing.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// How long mail stays at the source.
    pub keep: Keep,
    /// The time.
    pub now: UnixTime,
    /// Most octets of a message.
    pub size_max: u64,
    /// Messages at which runs broke.
    pub stuck: &'a [Name],
}

/// A message to be collected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Task {
    /// Its place in the listing.
    pub at: usize,
    /// None: its name is to be made of its content.
    pub name: Option<Name>,
    /// Whether runs broke at it.
    pub stuck: bool,
}

/// What a run has to do in a folder.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Plan {
    /// To be collected, in this order.
    pub collect: Vec<Task>,
    /// Places in the listing of what is noted and to be deleted at the source now, ascending.
    pub delete: Vec<usize>,
    /// Places in the listing of what is too large.
    pub too_large: Vec<usize>,
    /// Noted, and not at the source any more under these names.
    pub former: Former,
}

/// Notes whose messages are not listed under their names any more, by their content.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Former {
    by_digest: HashMap<[u8; 16], Vec<Name>>,
}

impl Former {
    /// Takes the name that a message of this content had, if it had one; each only once.
    pub fn take(&mut self, digest: [u8; 16]) -> Option<Name> {
        self.by_digest.get_mut(&digest)?.pop()
    }

    /// Takes this name if it is there.
    pub fn take_named(&mut self, digest: [u8; 16], name: Name) -> bool {
        let Some(names) = self.by_digest.get_mut(&digest) else { return false };
        let before = names.len();
        names.retain(|other| *other != name);
        names.len() < before
    }

    /// All that nobody has taken, in their order.
    pub fn names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = self.by_digest.values().flatten().copied().collect();
        names.sort_unstable();
        names
    }
}

/// Whether a message that was dealt with like that is to be deleted at the source now.
pub fn is_due(note: &Note, keep: Keep, now: UnixTime) -> bool {
    // What was never put into the account is nobody's to delete.
    note.fate == Fate::Collected
        && match keep {
            Keep::Forever => false,
            Keep::Nothing => true,
            Keep::Days(days) => {
                now.0.saturating_sub(note.collected) >= i64::from(days).saturating_mul(SECONDS_PER_DAY)
            }
        }
}

/// Makes a plan of a listing and of notes, which are told one after the other: they need not be in memory together.
pub struct Planner<'a> {
    circumstances: Circumstances<'a>,
    coverage: Coverage,
    /// Where in the listing a name stands that stands there once.
    places: HashMap<Name, u32>,
    twice: HashSet<Name>,
    /// Whether the message at that place has a note.
    noted: Vec<bool>,
    plan: Plan,
}

impl<'a> Planner<'a> {
    /// Of what the source lists.
    pub fn new(
        listing: impl Iterator<Item = Listed>,
        coverage: Coverage,
        circumstances: Circumstances<'a>,
    ) -> Planner<'a> {
        let (mut places, mut twice, mut noted) = (HashMap::new(), HashSet::new(), Vec::new());
        for (at, listed) in (0_u32..).zip(listing) {
            noted.push(false);
            if let Some(name) = listed.name
                && places.insert(name, at).is_some()
            {
                twice.insert(name);
            }
        }
        places.retain(|name, _| !twice.contains(name));
        Planner { circumstances, coverage, places, twice, noted, plan: Plan::default() }
    }

    /// The names whose notes matter when the listing is not a complete one.
    pub fn names(&self) -> impl Iterator<Item = Name> + '_ {
        self.places.keys().copied()
    }

    /// Takes a note, each once: all of the folder, or those of [`Planner::names`].
    pub fn noted(&mut self, name: Name, note: &Note) {
        if let Some(at) = self.places.get(&name).map(|at| *at as usize) {
            self.noted[at] = true;
            if is_due(note, self.circumstances.keep, self.circumstances.now) {
                self.plan.delete.push(at);
            }
        } else if self.coverage == Coverage::All {
            // What a part does not show may be there all the same.
            self.plan.former.by_digest.entry(note.digest).or_default().push(name);
        }
    }

    /// The plan; `listing` as before.
    pub fn plan(self, listing: impl Iterator<Item = Listed>) -> Plan {
        let Planner { circumstances, twice, noted, mut plan, .. } = self;
        let mut last = Vec::new();
        for (at, listed) in listing.enumerate().filter(|(at, _)| !noted[*at]) {
            let name = listed.name.filter(|name| !twice.contains(name));
            if listed.size > circumstances.size_max {
                plan.too_large.push(at);
            } else if name.is_some_and(|name| circumstances.stuck.contains(&name)) {
                last.push(Task { at, name, stuck: true });
            } else {
                plan.collect.push(Task { at, name, stuck: false });
            }
        }
        plan.collect.append(&mut last);
        plan.delete.sort_unstable();
        plan
    }
}
