//! The scheduler at work: timers, turns, jobs.

use super::destination::DestinationKey;
use super::items::{Item, ItemKey, Place};
use super::turns::LaneKey;
use super::{Does, Job, JobId, JobItem, Moment, NOTICES_MAX, Running, Scheduler, Work};
use crate::QueueId;
use std::collections::BTreeSet;

/// A clock that goes back by less is not worth a thought.
const CLOCK_SLACK_MILLISECONDS: i64 = 60_000;

impl Scheduler {
    /// Does what time has brought.
    pub(super) fn advance(&mut self, now: Moment) {
        let back = self.last_seen.0.saturating_sub(now.0);
        if back > CLOCK_SLACK_MILLISECONDS {
            self.items.shift(back / 1000, now.unix_time());
            self.destinations.shift(back);
        }
        self.last_seen = now;
        while let Some(destination) = self.destinations.due(now) {
            self.destinations.unblock(destination);
            self.wake(destination, now);
        }
        while self.notices.len() < NOTICES_MAX
            && let Some(item) = self.items.due(now.unix_time())
        {
            self.on_timer(item, now);
        }
        let items = &self.items;
        self.destinations.sweep(now, || items.iter().map(|item| item.lane.destination).collect());
    }

    fn on_timer(&mut self, key: ItemKey, now: Moment) {
        let time = now.unix_time();
        let Some(item) = self.items.get_mut(key) else { return };
        let is_suspect = self.destinations.get(item.lane.destination).is_suspect();
        let waits = item.place == Place::Waiting && item.due > time.0;
        if time.0 >= item.expires && (item.strict || waits || is_suspect) {
            self.expire(key);
            return;
        }
        if time.0 >= item.warn_at {
            item.warn_at = i64::MAX;
            let (shown, lane) = (item.shown(), item.lane);
            let due = item.place == Place::Waiting && !waits;
            let job = self.notice(lane, vec![shown], Vec::new());
            self.notices.push_back(Work::Warn(job));
            if !due {
                self.items.arm(key, time);
                return;
            }
        }
        if !waits && self.items.get(key).is_some_and(|item| item.place == Place::Waiting) {
            self.make_ready(key, now);
        } else {
            self.items.arm(key, time);
        }
    }

    fn expire(&mut self, key: ItemKey) {
        let Some(item) = self.take(key) else { return };
        let destination = item.lane.destination;
        let trouble = self.destinations.get(destination).trouble.clone();
        let job = self.notice(item.lane, vec![item.shown()], vec![item]);
        self.notices.push_back(Work::Expire(job, trouble));
    }

    /// Takes an item out of wherever it is.
    fn take(&mut self, key: ItemKey) -> Option<Item> {
        let item = self.items.remove(key)?;
        if item.place == Place::Ready {
            self.destinations.get(item.lane.destination).ready -= 1;
            let items = &self.items;
            self.turns.lost(item.lane, |key| items.get(key).is_some());
        }
        Some(item)
    }

    /// Takes all of a message out that does not run.
    pub(super) fn withdraw(&mut self, id: QueueId) {
        for key in self.items.of(id) {
            self.take(key);
        }
    }

    pub(super) fn place(&mut self, item: Item, now: Moment) {
        let is_due = item.due <= now.unix_time().0;
        let key = self.items.insert(item, now.unix_time());
        if is_due {
            self.make_ready(key, now);
        }
    }

    pub(super) fn make_ready(&mut self, key: ItemKey, now: Moment) {
        let Some(item) = self.items.get_mut(key) else { return };
        item.place = Place::Ready;
        let lane = item.lane;
        self.items.arm(key, now.unix_time());
        let destination = self.destinations.get(lane.destination);
        destination.ready += 1;
        if self.turns.push(lane, key) {
            destination.park(lane);
            self.wake(lane.destination, now);
        }
    }

    /// Offers as many of a destination's lanes as it may have jobs.
    pub(super) fn wake(&mut self, key: DestinationKey, now: Moment) {
        let destination = self.destinations.get(key);
        while destination.offered < destination.room(now)
            && let Some(lane) = destination.unpark()
        {
            if !self.turns.drop_empty(lane) {
                destination.offered += 1;
                self.turns.offer(lane);
            }
        }
        let closed_until = destination.closed_until;
        if closed_until > now {
            self.destinations.arm(key, closed_until);
        }
    }

    /// Wakes those that stand in line for a group, until some have something to offer.
    pub(super) fn wake_group(&mut self, group: u32, now: Moment) {
        loop {
            let woken = self.destinations.woken_by(group);
            let mut offers = woken.is_empty();
            for destination in woken {
                self.wake(destination, now);
                offers |= self.destinations.get(destination).offered > 0;
            }
            if offers {
                return;
            }
        }
    }

    /// The job whose turn it is.
    pub(super) fn pick(&mut self, now: Moment) -> Option<Job> {
        let most_of_a_sender = (self.settings.jobs_max / 2).max(1);
        while self.delivering < self.settings.jobs_max {
            let lane = self.turns.next(most_of_a_sender)?;
            self.destinations.get(lane.destination).offered -= 1;
            let job = self.start(lane, now);
            if !self.turns.drop_empty(lane) {
                self.destinations.get(lane.destination).park(lane);
            }
            self.wake(lane.destination, now);
            if job.is_some() {
                return job;
            }
            // It may have been woken for a room that it did not take: others in line may.
            for group in self.destinations.groups_to_pass_on(lane.destination) {
                self.wake_group(group, now);
            }
        }
        None
    }

    fn start(&mut self, lane: LaneKey, now: Moment) -> Option<Job> {
        let live = self.turns.live(lane);
        if live == 0 {
            return None;
        }
        // Few messages are spread over as many connections as there may be; many share them.
        let destination = self.destinations.get(lane.destination);
        let fair = destination.ready.div_ceil(destination.window.max(1) as usize);
        let most = destination.messages_in_time(self.settings.messages_per_job);
        let wanted = fair.clamp(1, most as usize).min(live) as u32;
        let (messages, groups) = self.destinations.admit(lane.destination, wanted, now)?;
        let items = &mut self.items;
        let taken = self.turns.take(lane, messages as usize, |key| items.remove(key));
        self.destinations.get(lane.destination).ready -= taken.len();
        self.delivering += 1;
        let shown = taken.iter().map(Item::shown).collect();
        self.turns.started(lane.sender);
        let running = Running { groups, began: now, ..self.running_of(lane, taken, Does::Deliver) };
        Some(self.run(lane, shown, running))
    }

    /// A job that makes no attempt. `taken`: what it ends.
    fn notice(&mut self, lane: LaneKey, shown: Vec<JobItem>, taken: Vec<Item>) -> Job {
        self.destinations.get(lane.destination).noticing += 1;
        let running = self.running_of(lane, taken, Does::Notice);
        self.run(lane, shown, running)
    }

    pub(super) fn end_running(&mut self, id: JobId) -> Option<Running> {
        let running = self.running.remove(&id)?;
        for item in &running.items {
            if let Some(many) = self.running_ids.get_mut(&item.id) {
                *many -= 1;
                if *many == 0 {
                    self.running_ids.remove(&item.id);
                }
            }
        }
        Some(running)
    }

    fn running_of(&mut self, lane: LaneKey, items: Vec<Item>, does: Does) -> Running {
        let round = self.destinations.get(lane.destination).round;
        let (began, groups, stale) = (Moment::default(), Vec::new(), BTreeSet::new());
        let LaneKey { destination, sender, .. } = lane;
        Running { destination, groups, sender, items, began, round, does, stale }
    }

    fn run(&mut self, lane: LaneKey, items: Vec<JobItem>, running: Running) -> Job {
        self.last_job += 1;
        let id = JobId(self.last_job);
        for item in &running.items {
            *self.running_ids.entry(item.id).or_default() += 1;
        }
        self.running.insert(id, running);
        Job { id, destination: self.destinations.get(lane.destination).name.clone(), items }
    }
}
