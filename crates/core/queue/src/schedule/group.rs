//! Destinations that have limits together: those that share hosts or one of our addresses, those in trouble, those not
//! reached yet.

use super::Moment;
use super::destination::{DestinationKey, Limits};
use super::rate::Bucket;
use std::collections::VecDeque;

/// See the module.
pub(super) struct Group {
    pub name: String,
    /// None: without limits.
    pub limits: Option<Limits>,
    pub bucket: Bucket,
    /// Jobs.
    pub running: u32,
    /// Destinations.
    pub members: u32,
    /// Destinations to be woken when there is room.
    pub waiting: VecDeque<DestinationKey>,
}

impl Group {
    /// Without limits and members.
    pub fn new(name: &str) -> Group {
        let waiting = VecDeque::new();
        Group {
            name: name.to_owned(),
            limits: None,
            bucket: Bucket::default(),
            running: 0,
            members: 0,
            waiting,
        }
    }

    /// Jobs that it may have besides.
    pub fn room(&self) -> u32 {
        self.limits.map_or(u32::MAX, |limits| limits.jobs_max.saturating_sub(self.running))
    }

    /// How many messages may go now, by rate; when there is none, the time of the next one.
    pub fn in_rate(&self, now: Moment) -> Result<u32, Moment> {
        match self.limits.and_then(|limits| limits.rate) {
            Some(rate) => self.bucket.room(rate, now),
            None => Ok(u32::MAX),
        }
    }

    /// One more job, of so many messages.
    pub fn take(&mut self, messages: u32, now: Moment) {
        self.running += 1;
        if let Some(rate) = self.limits.and_then(|limits| limits.rate) {
            self.bucket.take(rate, messages, now);
        }
    }

    /// A job of so many messages makes no attempt after all; it ends separately.
    pub fn give_back(&mut self, messages: u32) {
        if let Some(rate) = self.limits.and_then(|limits| limits.rate) {
            self.bucket.give_back(rate, messages);
        }
    }

    /// Whether nothing speaks of it any more.
    pub fn is_unused(&self) -> bool {
        self.limits.is_none() && self.members == 0 && self.running == 0 && self.waiting.is_empty()
    }
}
