//! Values that are set as a whole: metadata entries (RFC 5464) and subscriptions. Of commands that overlap either may be the
//! last one; what was acknowledged and not set anew stays.

use crate::ledger::Key;
use crate::place::Place;
use crate::shared::Truth;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Where a value is kept.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Slot {
    /// An entry of a mailbox; of one account, if it is private.
    Entry { mailbox: Key, name: String, user: Option<usize> },
    /// An entry of the server; of one account, if it is private.
    OfServer { name: String, user: Option<usize> },
    /// Whether an account has subscribed to a name: a value of any kind, or none.
    Subscription { user: usize, name: String },
}

impl Slot {
    /// An entry of a mailbox as `viewer` calls it, or of the server.
    pub fn entry(
        viewer: usize,
        truths: &BTreeMap<String, Truth>,
        mailbox: &str,
        name: &str,
        user: Option<usize>,
    ) -> Option<Slot> {
        let name = name.to_owned();
        if mailbox.is_empty() {
            return Some(Slot::OfServer { name, user });
        }
        let mailbox = (Place::of(viewer, mailbox).owner, truths.get(mailbox)?.uid_validity);
        Some(Slot::Entry { mailbox, name, user })
    }
}

/// A value that was set, or removed (None).
#[derive(Clone, Debug)]
pub struct Setting {
    /// The clock before the command was sent.
    pub begin: u64,
    /// The clock after its answer; [`u64::MAX`] without one, so that it may have happened or not.
    pub end: u64,
    /// Where.
    pub slot: Slot,
    /// What.
    pub value: Option<String>,
}

/// What accounts see in a quiet moment: each slot that somebody could look at, and by whom.
#[derive(Default, Debug)]
pub struct Sighted {
    /// Its values; None: there is none.
    pub values: HashMap<Slot, Option<String>>,
}

impl Sighted {
    /// What an account sees.
    ///
    /// # Errors
    /// Another sees something else.
    pub fn see(&mut self, slot: Slot, value: Option<String>) -> Result<(), String> {
        match self.values.get(&slot) {
            Some(old) if *old != value => Err(format!("{slot:?} is {value:?}, to another it is {old:?}")),
            Some(_) => Ok(()),
            None => {
                self.values.insert(slot, value);
                Ok(())
            }
        }
    }
}

/// Everything known at the last quiet moment.
#[derive(Default)]
pub struct Settings {
    known: HashMap<Slot, Option<String>>,
    /// Mailboxes that there were: of others nothing is set before they are made.
    mailboxes: HashSet<Key>,
    /// Values compared.
    pub checked: u64,
}

impl Settings {
    /// Compares what was set with what there is now, of these mailboxes.
    ///
    /// # Errors
    /// The first difference.
    pub fn settle(&mut self, done: &[Setting], now: Sighted, mailboxes: HashSet<Key>) -> Result<(), String> {
        let mut by_slot: HashMap<&Slot, Vec<&Setting>> = HashMap::new();
        for setting in done {
            by_slot.entry(&setting.slot).or_default().push(setting);
        }
        for (slot, value) in &now.values {
            let writes = by_slot.get(slot).map_or(&[][..], Vec::as_slice);
            let overwritten =
                |ended: u64| writes.iter().any(|later| later.begin > ended && later.end != u64::MAX);
            let written = |setting: &&&Setting| setting.value == *value && !overwritten(setting.end);
            let is_new = matches!(slot, Slot::Entry { mailbox, .. } if !self.mailboxes.contains(mailbox));
            let first = if is_new { Some(&None) } else { self.known.get(slot) };
            // What nobody could look at before may be anything.
            let was_so = first.is_none_or(|first| first == value) && !overwritten(0);
            if !was_so && !writes.iter().any(|setting| written(&setting)) {
                return Err(format!("{slot:?} is {value:?}, was {first:?}; {writes:?}"));
            }
            self.checked += 1;
        }
        self.known = now.values;
        self.mailboxes = mailboxes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot() -> Slot {
        Slot::OfServer { name: "/private/comment".into(), user: Some(1) }
    }

    fn outcome(writes: &[(u64, u64, Option<&str>)], now: Option<&str>) -> Result<(), String> {
        let known = HashMap::from([(slot(), Some("old".to_owned()))]);
        let mut settings = Settings { known, ..Settings::default() };
        let setting = |(begin, end, value): &(u64, u64, Option<&str>)| Setting {
            begin: *begin,
            end: *end,
            slot: slot(),
            value: value.map(str::to_owned),
        };
        let done: Vec<Setting> = writes.iter().map(setting).collect();
        let mut seen = Sighted::default();
        seen.see(slot(), now.map(str::to_owned))?;
        settings.settle(&done, seen, HashSet::new())
    }

    #[test]
    fn the_last_one_counts() {
        assert_eq!(outcome(&[], Some("old")), Ok(()));
        assert!(outcome(&[], None).is_err());
        assert_eq!(outcome(&[(1, 2, Some("a")), (3, 4, None)], None), Ok(()));
        assert!(outcome(&[(1, 2, Some("a")), (3, 4, None)], Some("a")).is_err());
        assert!(outcome(&[(1, 2, Some("a"))], Some("old")).is_err());
        let overlapping = [(1, 4, Some("a")), (2, 3, Some("b"))];
        assert!(outcome(&overlapping, Some("a")).is_ok() && outcome(&overlapping, Some("b")).is_ok());
        assert!(outcome(&overlapping, Some("c")).is_err() && outcome(&overlapping, None).is_err());
        let unanswered = [(1, u64::MAX, Some("a"))];
        assert!(outcome(&unanswered, Some("a")).is_ok() && outcome(&unanswered, Some("old")).is_ok());
    }

    #[test]
    fn a_new_mailbox_has_nothing() {
        let slot = Slot::Entry { mailbox: (0, 7), name: "/shared/comment".into(), user: None };
        for (value, is_right) in [(None, true), (Some("left over".to_owned()), false)] {
            let now = Sighted { values: HashMap::from([(slot.clone(), value)]) };
            let there = HashSet::from([(0, 7)]);
            assert_eq!(Settings::default().settle(&[], now, there).is_ok(), is_right);
        }
        let mut sighted = Sighted::default();
        assert!(sighted.see(slot.clone(), None).is_ok() && sighted.see(slot.clone(), None).is_ok());
        assert!(sighted.see(slot, Some("x".into())).is_err());
    }
}
