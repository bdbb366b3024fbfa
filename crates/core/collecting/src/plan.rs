//! What a run has to do in a folder, from what the source lists and what is noted. Pure: no clock, no store.
//!
//! Rules: whatever is listed and has no note is collected, oldest first, those at which runs broke last. Whatever has a
//! note and stayed its time is deleted. Notes of what a complete listing does not show are *former*: a message that is to
//! be collected and has the same content as one of them is the same message under another name, and is not put into the
//! account again. A name that stands for several messages (POP3 servers do that, against RFC 1939 §7) names none of them.

use crate::{Fate, Keep, Name, Note};
use model::UnixTime;
use std::collections::{BTreeMap, HashMap, HashSet};

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
    /// Noted and to be deleted at the source now.
    pub delete: Vec<Name>,
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

/// Makes the plan.
pub fn plan(
    listing: &[Listed],
    coverage: Coverage,
    notes: &BTreeMap<Name, Note>,
    circumstances: Circumstances<'_>,
) -> Plan {
    let Circumstances { keep, now, size_max, stuck } = circumstances;
    let (mut seen, mut twice) = (HashSet::new(), HashSet::new());
    for name in listing.iter().filter_map(|listed| listed.name) {
        if !seen.insert(name) {
            twice.insert(name);
        }
    }
    let mut plan = Plan::default();
    let mut last = Vec::new();
    for (at, listed) in listing.iter().enumerate() {
        let name = listed.name.filter(|name| !twice.contains(name));
        match name.and_then(|name| notes.get(&name).map(|note| (name, note))) {
            Some((name, note)) => {
                if is_due(note, keep, now) {
                    plan.delete.push(name);
                }
            }
            None if listed.size > size_max => plan.too_large.push(at),
            None => match name.is_some_and(|name| stuck.contains(&name)) {
                true => last.push(Task { at, name, stuck: true }),
                false => plan.collect.push(Task { at, name, stuck: false }),
            },
        }
    }
    plan.collect.append(&mut last);
    // What a part does not show may be there all the same.
    if coverage == Coverage::All {
        let gone = notes.iter().filter(|(name, _)| !seen.contains(name) || twice.contains(name));
        for (name, note) in gone {
            plan.former.by_digest.entry(note.digest).or_default().push(*name);
        }
    }
    plan
}
