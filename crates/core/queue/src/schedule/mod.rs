//! Decides what is sent next, in memory and without a clock: time is an argument, the same calls give the same answers.
//!
//! The truth is in the store; this is built from it at start and after each commit ([`crate::Queue::refill`]). What is
//! scheduled is an *item*: the recipients of one message that go to one destination and are due together. Invariants:
//!
//! - A queued recipient is in at most one place: waiting for its time, ready, or in one running job.
//! - Turns go round: first by class of priority, by weight; within a class sender after sender; within a sender
//!   destination after destination; within these by age. So neither a sender with a million messages nor a destination
//!   with as many delays another one's, and no class starves.
//! - A destination has one job until it was reached, then as many at a time as it proves to bear; one that can't be
//!   reached has none for a while, and then a single one as a probe.
//! - All those in trouble have a quarter of the jobs together, all that were never reached half, and one sender half.
//! - RFC 5321 §4.5.4.1: hosts that can't be reached are remembered, so that each message for them does not cost an
//!   attempt.

mod backoff;
mod destination;
mod group;
mod items;
mod moment;
mod rate;
mod run;
mod status;
mod turns;

pub use backoff::{Backoff, Retry};
pub use destination::{Destination, Limits};
pub use moment::Moment;
pub use rate::Rate;
pub use status::{DestinationStatus, SchedulerStatus};

use crate::QueueId;
use destination::{DestinationKey, Destinations};
use items::{Item, Items};
use model::UnixTime;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use turns::Turns;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

/// How much at a time, how often again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Jobs at a time, over all destinations; at least 1.
    pub jobs_max: u32,
    /// Messages in one job, at least 1.
    pub messages_per_job: u32,
    /// Recipients of a message in one transaction, at least 1 (RFC 5321 §4.5.3.1.8: every server takes 100).
    pub recipients_per_item: u32,
    /// What holds for a destination that nothing else is said of ([`Arrival::limits`]).
    pub limits: Limits,
    /// How long a destination that can't be reached is left alone.
    pub unreachable: Backoff,
    /// The longest pause between two attempts. What is said to wait for much longer was noted by a clock that was ahead.
    pub retry_longest: Duration,
    /// Age of a message when its sender is told that it is delayed; None: never.
    pub warn_after: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            jobs_max: 500,
            messages_per_job: 10,
            recipients_per_item: 100,
            limits: Limits::default(),
            unreachable: Backoff { first: Duration::from_secs(60), longest: Duration::from_hours(1) },
            retry_longest: Duration::from_hours(2),
            warn_after: Some(Duration::from_hours(4)),
        }
    }
}

/// Ends and delays that are told of at a time: when a host is dead, they come by the thousand.
const NOTICES_MAX: usize = 64;

/// Name of a running job.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct JobId(pub u64);

/// Recipients of one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobItem {
    /// Of this entry.
    pub id: QueueId,
    /// Their indexes, ascending.
    pub recipients: Vec<u32>,
}

/// Messages to hand over to one destination, one after the other on one connection, or to give up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// For [`Scheduler::finished`].
    pub id: JobId,
    /// Where to.
    pub destination: Destination,
    /// At least one.
    pub items: Vec<JobItem>,
}

/// Something to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Work {
    /// Make an attempt, note its outcomes, then call [`Scheduler::finished`].
    Deliver(Job),
    /// Their time is over without another attempt, because the destination can't be reached (its last trouble stands
    /// beside) or because the sender set an end: end them and tell the sender, then call [`Scheduler::finished`].
    Expire(Job, Option<String>),
    /// Tell the sender that these are delayed, and note it in the same transaction (`record_warned`), then call
    /// [`Scheduler::finished`]; they stay scheduled meanwhile.
    Warn(Job),
}

/// What a job learnt of its destination as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Host {
    /// It answered as a server does, whatever it said of single messages.
    Reached,
    /// It wants fewer connections or messages now: 421, 450 4.7.0 at the greeting, a connection closed early.
    Busy(String),
    /// No name, no connection, no greeting, not the TLS that is demanded; why, for people.
    Unusable(String),
    /// Nothing was learnt: it was not asked.
    Unknown,
}

/// A recipient of a job that is not at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Again {
    /// Of this entry.
    pub id: QueueId,
    /// The recipient.
    pub index: u32,
    /// When it is due next. A time that is not in the future: at once, when the destination allows.
    pub at: UnixTime,
}

/// Recipients for the scheduler, as they stand in the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// Of this entry.
    pub id: QueueId,
    /// Priority, -9 to 9 (RFC 6710).
    pub priority: i8,
    /// Whose turn it is: the same number for all messages of one sender.
    pub sender: u64,
    /// When they are given up.
    pub expires: UnixTime,
    /// Whether they must not be attempted after that (RFC 2852 §4, by-mode R).
    pub strict: bool,
    /// Before this an attempt is not wanted, whatever an operator flushes (RFC 4865).
    pub not_before: Option<UnixTime>,
    /// When to tell the sender of the delay, if that is still to be done.
    pub warn_at: Option<UnixTime>,
    /// Where they go.
    pub destination: Destination,
    /// What holds for that destination instead of [`Settings::limits`].
    pub limits: Option<Limits>,
    /// When they are due.
    pub due: UnixTime,
    /// Attempts made so far.
    pub attempts: u32,
    /// Indexes of the recipients, at least one, ascending.
    pub recipients: Vec<u32>,
}

/// What a job is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Deliver,
    /// Ends messages, or tells of their delay, without an attempt.
    Notice,
}

struct Running {
    destination: DestinationKey,
    /// Counted under these until it ends.
    groups: Vec<u32>,
    sender: u64,
    items: Vec<Item>,
    began: Moment,
    /// In which round of troubles of the destination it began.
    round: u64,
    does: Does,
    /// Messages that an operator changed meanwhile.
    stale: BTreeSet<QueueId>,
}

/// See the module.
pub struct Scheduler {
    settings: Settings,
    items: Items,
    turns: Turns,
    destinations: Destinations,
    running: BTreeMap<JobId, Running>,
    /// Of how many running items each message has some recipients.
    running_ids: FxHashMap<QueueId, u32>,
    last_job: u64,
    /// Jobs that deliver: those that count against `jobs_max`.
    delivering: u32,
    /// To be handed out: what ends or is told.
    notices: VecDeque<Work>,
    /// Handed out and not finished.
    noticing: usize,
    last_seen: Moment,
    /// The last entry read from the store.
    read_to: QueueId,
    /// Entries to read again.
    changed: BTreeSet<QueueId>,
}

impl Scheduler {
    /// With nothing in it.
    pub fn new(settings: Settings) -> Scheduler {
        assert!(settings.jobs_max > 0 && settings.messages_per_job > 0 && settings.recipients_per_item > 0);
        Scheduler {
            destinations: Destinations::new(settings.jobs_max),
            settings,
            items: Items::default(),
            turns: Turns::default(),
            running: BTreeMap::new(),
            running_ids: FxHashMap::default(),
            last_job: 0,
            delivering: 0,
            notices: VecDeque::new(),
            noticing: 0,
            last_seen: Moment(i64::MIN),
            read_to: QueueId(0),
            changed: BTreeSet::new(),
        }
    }

    /// What holds now.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Exchanges the settings; running jobs go on.
    pub fn set(&mut self, settings: Settings) {
        assert!(settings.jobs_max > 0 && settings.messages_per_job > 0 && settings.recipients_per_item > 0);
        self.destinations.set_jobs_max(settings.jobs_max);
        self.destinations.set_default(settings.limits);
        self.settings = settings;
    }

    /// Forgets all that does not run, to be read from the store again: the routes are different now.
    pub fn restart(&mut self) {
        self.items = Items::default();
        self.turns.forget_lanes();
        self.destinations.forget_offers();
        for notice in std::mem::take(&mut self.notices) {
            if let Work::Expire(job, _) | Work::Warn(job) = notice {
                self.forget_notice(job.id);
            }
        }
        self.read_to = QueueId(0);
        self.changed.clear();
        for running in self.running.values_mut() {
            running.stale.extend(running.items.iter().map(|item| item.id));
        }
    }

    /// One that was not handed out.
    fn forget_notice(&mut self, id: JobId) {
        if let Some(running) = self.end_running(id) {
            self.destinations.get(running.destination).noticing -= 1;
        }
    }

    /// An entry was changed by other than the scheduler's jobs (held, released, removed, due at once): it is read from
    /// the store again by the next [`crate::Queue::refill`].
    pub fn changed(&mut self, id: QueueId) {
        self.withdraw(id);
        if self.running_ids.contains_key(&id) {
            for running in self.running.values_mut() {
                if running.items.iter().any(|item| item.id == id) {
                    running.stale.insert(id);
                }
            }
        }
        self.changed.insert(id);
    }

    /// Takes in recipients that are not in it yet; of those that are in a running job nothing is taken.
    pub fn arrive(&mut self, mut arrival: Arrival, now: Moment) {
        let latest = now.plus(self.settings.retry_longest.saturating_mul(2)).unix_time();
        if arrival.due > latest && arrival.not_before.is_none_or(|at| at < arrival.due) {
            // Noted by a clock that was ahead; it would wait until time comes there again.
            arrival.due = arrival.not_before.map_or(now.unix_time(), |at| at.max(now.unix_time()));
        }
        let (id, mut recipients) = (arrival.id, arrival.recipients.clone());
        if self.running_ids.contains_key(&id) {
            let running = self.running.values().flat_map(|job| &job.items).filter(|item| item.id == id);
            let busy: Vec<&Item> = running.collect();
            recipients.retain(|index| !busy.iter().any(|item| item.recipients.contains(index)));
        }
        let destination = self.destinations.known(&arrival.destination, &self.settings.limits);
        let usual = self.settings.limits;
        self.destinations.get(destination).set_limits(arrival.limits, usual);
        if arrival.attempts > 0 {
            self.destinations.get(destination).was_deferred();
        }
        for recipients in recipients.chunks(self.settings.recipients_per_item as usize) {
            self.place(Item::new(&arrival, destination, recipients), now);
        }
    }

    /// Makes everything for a destination due now, and tries it however often it failed; what must not go before a time
    /// waits on. Answers how many messages were waiting.
    pub fn flush(&mut self, destination: &Destination, now: Moment) -> usize {
        let Some(key) = self.destinations.find(destination) else { return 0 };
        self.destinations.get(key).reopen();
        let waiting = self.items.waiting_for(key, now.unix_time());
        for item in &waiting {
            self.make_ready(*item, now);
        }
        self.wake(key, now);
        waiting.len()
    }

    /// How many messages for a destination are not under way.
    pub fn waiting(&self, destination: &Destination) -> usize {
        let Some(key) = self.destinations.find(destination) else { return 0 };
        self.items.iter().filter(|item| item.lane.destination == key).count()
    }

    /// Whether something for a destination is under way.
    pub fn is_under_way(&mut self, destination: &Destination) -> bool {
        let Some(key) = self.destinations.find(destination) else { return false };
        self.destinations.get(key).running > 0
    }

    /// Whether something for a destination is under way, or due and may go.
    pub fn is_busy(&mut self, destination: &Destination, now: Moment) -> bool {
        let Some(key) = self.destinations.find(destination) else { return false };
        let state = self.destinations.get(key);
        state.running > 0 || state.ready > 0 && now >= state.closed_until
    }

    /// Whether there is mail for this destination, or was not long ago.
    pub fn knows(&self, destination: &Destination) -> bool {
        self.destinations.find(destination).is_some()
    }

    /// Sets what all destinations of a group may have together: those that share an MX, or a source address. Other
    /// groups have no limits then.
    pub fn limit_groups(&mut self, groups: &[(String, Limits)]) {
        for key in self.destinations.limit_groups(groups) {
            self.wake(key, self.last_seen);
        }
    }

    /// Puts a destination into groups (and out of others), as soon as it is known which hosts take its mail. A group
    /// that [`Scheduler::limit_groups`] did not name is without limits.
    pub fn join(&mut self, destination: &Destination, groups: &[&str]) {
        let key = self.destinations.known(destination, &self.settings.limits);
        self.destinations.join(key, groups);
    }

    /// As [`Scheduler::join`], for the destination of a job that has begun: it counts in groups that it did not know of
    /// yet. False: one of them has no room; give everything back ([`Scheduler::finished`] with [`Host::Unknown`]), and
    /// it comes again when there is.
    pub fn regroup(&mut self, job: JobId, groups: &[&str], now: Moment) -> bool {
        let Some(running) = self.running.get_mut(&job) else { return true };
        self.destinations.join(running.destination, groups);
        let messages = running.items.len().try_into().unwrap_or(u32::MAX);
        match self.destinations.admit_late(running.destination, &running.groups, messages, now) {
            Some(joined) => {
                running.groups.extend(joined);
                true
            }
            None => false,
        }
    }

    /// The next thing to do at `now`; None: nothing until [`Scheduler::wake_at`], or until a job ends or mail comes.
    pub fn next(&mut self, now: Moment) -> Option<Work> {
        self.advance(now);
        if self.noticing < NOTICES_MAX
            && let Some(notice) = self.notices.pop_front()
        {
            self.noticing += 1;
            return Some(notice);
        }
        self.pick(now).map(Work::Deliver)
    }

    /// When to call [`Scheduler::next`] again if nothing happens before.
    pub fn wake_at(&self) -> Option<Moment> {
        // When as many as may be are being told of, the end of one of them comes first.
        let items = self.items.next_timer().filter(|_| self.notices.len() < NOTICES_MAX).map(Moment::from);
        items.into_iter().chain(self.destinations.next_timer()).min()
    }

    /// A job has ended, and what became of its recipients is durable. All that are not in `again` are at their end.
    pub fn finished(&mut self, job: JobId, host: &Host, again: &[Again], now: Moment) {
        let Some(running) = self.end_running(job) else { return };
        let destination = self.destinations.get(running.destination);
        destination.ended(host, running.round, &self.settings, now, job.0);
        if *host == Host::Reached {
            destination.keeps_pace(running.began.until(now), running.items.len());
        }
        match running.does {
            Does::Deliver => {
                destination.running -= 1;
                self.delivering -= 1;
                self.turns.ended(running.sender);
            }
            Does::Notice => {
                destination.noticing -= 1;
                self.noticing -= 1;
            }
        }
        for item in running.items {
            if running.stale.contains(&item.id) {
                self.withdraw(item.id);
                self.changed.insert(item.id);
                continue;
            }
            let mut times: BTreeMap<UnixTime, Vec<u32>> = BTreeMap::new();
            for one in again.iter().filter(|one| one.id == item.id && item.recipients.contains(&one.index)) {
                times.entry(one.at).or_default().push(one.index);
            }
            for (at, indexes) in times {
                let mut again = item.due_again(at, indexes);
                if running.does == Does::Notice {
                    // Its time is over already: it is ended then, not before.
                    (again.due, again.expires) = (item.due, item.expires.max(at.0));
                }
                self.place(again, now);
            }
        }
        for group in running.groups {
            self.destinations.leave(group);
            self.wake_group(group, now);
        }
        self.wake(running.destination, now);
    }

    /// The entries to read again; what it had of them is dropped.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<QueueId> {
        let changed = std::mem::take(&mut self.changed);
        for id in &changed {
            self.withdraw(*id);
        }
        changed.into_iter().filter(|id| *id <= self.read_to).collect()
    }

    /// The last entry read from the store.
    pub(crate) fn read_to(&self) -> QueueId {
        self.read_to
    }

    pub(crate) fn has_read_to(&mut self, id: QueueId) {
        self.read_to = self.read_to.max(id);
    }

    /// How many items it has, running ones included.
    pub fn len(&self) -> usize {
        self.items.len() + self.running.values().map(|job| job.items.len()).sum::<usize>()
    }

    /// Whether it has nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
