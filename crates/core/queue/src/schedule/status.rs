//! What operators see of the scheduler.

use super::{Destination, Moment, Scheduler};
use crate::schedule::items::Place;
use serde::Serialize;
use std::collections::BTreeMap;
#[cfg(test)]
use {crate::QueueId, model::UnixTime};

/// One destination.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DestinationStatus {
    /// Its name.
    pub destination: String,
    /// Messages that may go now.
    pub ready: u64,
    /// Messages that wait for their next attempt.
    pub waiting: u64,
    /// Jobs that run.
    pub running: u32,
    /// Jobs it may have at a time now.
    pub window: u32,
    /// Troubles in a row; 0: all is well.
    pub failures: u32,
    /// Seconds since 1970: nothing is tried before.
    pub closed_until: Option<i64>,
    /// Its last trouble.
    pub trouble: Option<String>,
}

/// All of it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SchedulerStatus {
    /// Jobs that run.
    pub jobs: u32,
    /// By name; those without mail and without trouble are left out.
    pub destinations: Vec<DestinationStatus>,
}

impl Scheduler {
    /// What holds at `now`. Looks at every message: not to be asked ten times a second.
    pub fn status(&self, now: Moment) -> SchedulerStatus {
        let mut waiting: BTreeMap<_, u64> = BTreeMap::new();
        for item in self.items.iter().filter(|item| item.place == Place::Waiting) {
            *waiting.entry(item.lane.destination).or_default() += 1;
        }
        let mut destinations: Vec<DestinationStatus> = self
            .destinations
            .iter()
            .map(|(key, state)| DestinationStatus {
                destination: state.name.to_string(),
                ready: state.ready as u64,
                waiting: waiting.get(&key).copied().unwrap_or(0),
                running: state.running,
                window: state.window,
                failures: state.failures,
                closed_until: (state.closed_until > now).then(|| state.closed_until.unix_time().0),
                trouble: state.trouble.clone(),
            })
            .filter(|one| one.ready + one.waiting > 0 || one.running > 0 || one.failures > 0)
            .collect();
        destinations.sort_by(|a, b| a.destination.cmp(&b.destination));
        SchedulerStatus { jobs: self.delivering, destinations }
    }

    /// Due time, message and index of each recipient that does not run.
    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = (UnixTime, QueueId, u32)> {
        self.items
            .iter()
            .flat_map(|item| item.recipients.all().iter().map(|index| (UnixTime(item.due), item.id, *index)))
    }

    /// Destinations with mail that is ready, waiting or running, in no order.
    pub fn destinations(&self) -> impl Iterator<Item = &Destination> {
        self.destinations.iter().map(|(_, state)| &state.name)
    }
}
