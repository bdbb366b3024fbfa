//! Which source runs next. Pure: time is an argument.
//!
//! A source runs once at a time; so many run at once in all, and so many at one host. Of those that are due, the one that
//! is due longest comes first; one whose host is busy is passed over, and does not hold up the others.

use crate::SourceId;
use model::UnixTime;
use std::collections::{BTreeSet, HashMap};

/// How many run at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AtOnce {
    /// In all.
    pub all: usize,
    /// At one host.
    pub per_host: usize,
}

/// The sources that are to run, by time.
#[derive(Debug)]
pub struct Agenda {
    at_once: AtOnce,
    due: BTreeSet<(UnixTime, SourceId)>,
    known: HashMap<SourceId, Entry>,
    hosts: HashMap<Box<str>, usize>,
    running: usize,
}

#[derive(Debug)]
struct Entry {
    host: Box<str>,
    /// None: it rests, or runs and is not to run again by itself.
    due: Option<UnixTime>,
    /// The host that it runs at.
    runs_at: Option<Box<str>>,
}

impl Agenda {
    /// An empty one.
    pub fn new(at_once: AtOnce) -> Agenda {
        Agenda { at_once, due: BTreeSet::new(), known: HashMap::new(), hosts: HashMap::new(), running: 0 }
    }

    /// From now on so many at once; those that run go on.
    pub fn limit(&mut self, at_once: AtOnce) {
        self.at_once = at_once;
    }

    /// A source is to run at that time, or rests (None). For one that runs, that is for its next run.
    pub fn set(&mut self, id: SourceId, host: &str, due: Option<UnixTime>) {
        let host: Box<str> = host.to_lowercase().into();
        let entry = self.known.entry(id).or_insert(Entry { host: host.clone(), due: None, runs_at: None });
        if let Some(old) = entry.due.take() {
            self.due.remove(&(old, id));
        }
        entry.host = host;
        entry.due = due;
        if let Some(due) = due.filter(|_| entry.runs_at.is_none()) {
            self.due.insert((due, id));
        }
    }

    /// The source is gone. Its run, if it has one, is to be ended with [`Agenda::finished`] all the same.
    pub fn remove(&mut self, id: SourceId) {
        let Some(entry) = self.known.get_mut(&id) else { return };
        if let Some(old) = entry.due.take() {
            self.due.remove(&(old, id));
        }
        if entry.runs_at.is_none() {
            self.known.remove(&id);
        }
    }

    /// Begins the next run that is due and has room.
    pub fn begin(&mut self, now: UnixTime) -> Option<SourceId> {
        if self.running >= self.at_once.all {
            return None;
        }
        let has_room = |id: &SourceId| {
            let host = self.known.get(id).map(|entry| &entry.host);
            host.is_some_and(|host| {
                self.hosts.get(host).is_none_or(|running| *running < self.at_once.per_host)
            })
        };
        let mut waiting = self.due.iter().take_while(|(due, _)| *due <= now);
        let (due, id) = *waiting.find(|(_, id)| has_room(id))?;
        self.due.remove(&(due, id));
        let entry = self.known.get_mut(&id)?;
        entry.due = None;
        entry.runs_at = Some(entry.host.clone());
        *self.hosts.entry(entry.host.clone()).or_default() += 1;
        self.running += 1;
        Some(id)
    }

    /// A run that was begun has ended.
    pub fn finished(&mut self, id: SourceId) {
        let Some(entry) = self.known.get_mut(&id) else { return };
        let Some(host) = entry.runs_at.take() else { return };
        self.running -= 1;
        if let Some(count) = self.hosts.get_mut(&host) {
            *count -= 1;
            if *count == 0 {
                self.hosts.remove(&host);
            }
        }
        match entry.due {
            Some(due) => {
                self.due.insert((due, id));
            }
            // Whoever ended it sets the next time, or removed it meanwhile.
            None => {
                self.known.remove(&id);
            }
        }
    }

    /// When something is to be begun next, if there is room: a time that is over means now.
    pub fn next(&self) -> Option<UnixTime> {
        self.due.first().map(|(due, _)| *due)
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.running
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Option<UnixTime> {
        Some(UnixTime(seconds))
    }

    #[test]
    fn a_busy_host_holds_up_nobody_else() {
        let mut agenda = Agenda::new(AtOnce { all: 3, per_host: 1 });
        agenda.set(SourceId(1), "A.test", at(10));
        agenda.set(SourceId(2), "a.test", at(11));
        agenda.set(SourceId(3), "b.test", at(12));
        agenda.set(SourceId(4), "c.test", None);
        assert_eq!((agenda.begin(UnixTime(9)), agenda.next()), (None, at(10)));
        assert_eq!(agenda.begin(UnixTime(20)), Some(SourceId(1)));
        assert_eq!(agenda.begin(UnixTime(20)), Some(SourceId(3)));
        assert_eq!(agenda.begin(UnixTime(20)), None);
        // Asked for while it runs: once more afterwards, not twice at a time.
        agenda.set(SourceId(1), "a.test", at(0));
        assert_eq!(agenda.begin(UnixTime(20)), None);
        agenda.finished(SourceId(1));
        assert_eq!(agenda.begin(UnixTime(20)), Some(SourceId(1)));
        agenda.finished(SourceId(1));
        assert_eq!(agenda.begin(UnixTime(20)), Some(SourceId(2)));
        agenda.remove(SourceId(2));
        agenda.finished(SourceId(2));
        agenda.finished(SourceId(3));
        assert_eq!((agenda.running(), agenda.next()), (0, None));
        assert_eq!(agenda.known.len(), 1, "{:?}", agenda.known);
    }

    proptest! {
        #[test]
        fn limits_hold_whatever_happens(steps in prop::collection::vec((0_u8..6, 1_u32..8, 0_i64..50), 1..200)) {
            let at_once = AtOnce { all: 3, per_host: 2 };
            let mut agenda = Agenda::new(at_once);
            let mut running: Vec<(SourceId, u32)> = Vec::new();
            let host = |id: u32| format!("host{}", id % 3);
            for (what, id, time) in steps {
                match what {
                    0 => agenda.set(SourceId(id), &host(id), at(time)),
                    1 => agenda.remove(SourceId(id)),
                    2 if !running.is_empty() => {
                        let (id, _) = running.remove(id as usize % running.len());
                        agenda.finished(id);
                    }
                    _ => if let Some(id) = agenda.begin(UnixTime(time)) {
                        prop_assert!(running.iter().all(|(other, _)| *other != id), "twice at once");
                        running.push((id, id.0 % 3));
                    },
                }
                prop_assert_eq!(agenda.running(), running.len());
                prop_assert!(running.len() <= at_once.all);
                for host in 0..3 {
                    prop_assert!(running.iter().filter(|(_, at)| *at == host).count() <= at_once.per_host);
                }
            }
            for (id, _) in running {
                agenda.finished(id);
            }
            while agenda.begin(UnixTime(i64::MAX)).is_some_and(|id| { agenda.finished(id); true }) {}
            prop_assert_eq!((agenda.running(), agenda.next()), (0, None));
        }
    }
}
