//! What is scheduled, and when something is to happen to it.

use super::destination::DestinationKey;
use super::turns::{LaneKey, class_of};
use super::{Arrival, JobItem};
use crate::QueueId;
use model::UnixTime;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// How often an item behind its expiry is looked at again, in seconds: its destination may fail meanwhile.
const LOOK_AGAIN_SECONDS: i64 = 600;
/// Never.
const NEVER: i64 = i64::MAX;

/// Name of an item, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct ItemKey(u64);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// For its time.
    Waiting,
    /// In its lane.
    Ready,
}

/// Indexes of recipients; nearly always one.
pub(super) enum Recipients {
    One(u32),
    Many(Box<[u32]>),
}

impl Recipients {
    fn new(indexes: &[u32]) -> Recipients {
        match indexes {
            [index] => Recipients::One(*index),
            indexes => Recipients::Many(indexes.into()),
        }
    }

    pub fn all(&self) -> &[u32] {
        match self {
            Recipients::One(index) => std::slice::from_ref(index),
            Recipients::Many(indexes) => indexes,
        }
    }

    pub fn contains(&self, index: &u32) -> bool {
        self.all().binary_search(index).is_ok()
    }
}

/// Times are seconds since 1970.
pub(super) struct Item {
    pub id: QueueId,
    pub recipients: Recipients,
    pub lane: LaneKey,
    pub due: i64,
    pub expires: i64,
    pub warn_at: i64,
    pub not_before: i64,
    /// No attempt after `expires`.
    pub strict: bool,
    pub place: Place,
    timer: i64,
}

impl Item {
    pub fn new(arrival: &Arrival, destination: DestinationKey, recipients: &[u32]) -> Item {
        Item {
            id: arrival.id,
            recipients: Recipients::new(recipients),
            lane: LaneKey { class: class_of(arrival.priority), sender: arrival.sender, destination },
            due: arrival.due.0,
            expires: arrival.expires.0,
            warn_at: arrival.warn_at.map_or(NEVER, |at| at.0),
            not_before: arrival.not_before.map_or(i64::MIN, |at| at.0),
            strict: arrival.strict,
            place: Place::Waiting,
            timer: NEVER,
        }
    }

    /// The same for some of its recipients at another time.
    pub fn due_again(&self, at: UnixTime, mut indexes: Vec<u32>) -> Item {
        indexes.sort_unstable();
        indexes.dedup();
        let recipients = Recipients::new(&indexes);
        Item { recipients, due: at.0, place: Place::Waiting, timer: NEVER, ..*self }
    }

    pub fn shown(&self) -> JobItem {
        JobItem { id: self.id, recipients: self.recipients.all().to_vec() }
    }

    /// When something is to happen to it, `now` or later.
    fn next_timer(&self, now: i64) -> i64 {
        let expiry = match self.place {
            Place::Ready if self.expires <= now && !self.strict => now.saturating_add(LOOK_AGAIN_SECONDS),
            _ => self.expires,
        };
        let due = if self.place == Place::Waiting { self.due } else { NEVER };
        expiry.min(due).min(self.warn_at)
    }
}

#[derive(Default)]
pub(super) struct Items {
    all: FxHashMap<ItemKey, Item>,
    last: u64,
    timers: BTreeSet<(i64, ItemKey)>,
    by_id: BTreeSet<(QueueId, ItemKey)>,
}

impl Items {
    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Item> {
        self.all.values()
    }

    pub fn get(&self, key: ItemKey) -> Option<&Item> {
        self.all.get(&key)
    }

    pub fn get_mut(&mut self, key: ItemKey) -> Option<&mut Item> {
        self.all.get_mut(&key)
    }

    pub fn insert(&mut self, item: Item, now: UnixTime) -> ItemKey {
        self.last += 1;
        let key = ItemKey(self.last);
        self.by_id.insert((item.id, key));
        self.all.insert(key, item);
        self.arm(key, now);
        key
    }

    pub fn remove(&mut self, key: ItemKey) -> Option<Item> {
        let item = self.all.remove(&key)?;
        self.timers.remove(&(item.timer, key));
        self.by_id.remove(&(item.id, key));
        Some(item)
    }

    /// Sets the item's timer anew.
    pub fn arm(&mut self, key: ItemKey, now: UnixTime) {
        let Some(item) = self.all.get_mut(&key) else { return };
        self.timers.remove(&(item.timer, key));
        item.timer = item.next_timer(now.0);
        if item.timer != NEVER {
            self.timers.insert((item.timer, key));
        }
    }

    pub fn next_timer(&self) -> Option<UnixTime> {
        self.timers.first().map(|(at, _)| UnixTime(*at))
    }

    /// An item to which something is to happen by `now`.
    pub fn due(&self, now: UnixTime) -> Option<ItemKey> {
        self.timers.first().filter(|(at, _)| *at <= now.0).map(|(_, key)| *key)
    }

    /// The items of one message.
    pub fn of(&self, id: QueueId) -> Vec<ItemKey> {
        let range = (id, ItemKey(0))..=(id, ItemKey(u64::MAX));
        self.by_id.range(range).map(|(_, key)| *key).collect()
    }

    /// What waits for its time and may go now.
    pub fn waiting_for(&self, destination: DestinationKey, now: UnixTime) -> Vec<ItemKey> {
        let waits = |item: &Item| {
            item.place == Place::Waiting && item.lane.destination == destination && item.not_before <= now.0
        };
        let mut found: Vec<ItemKey> =
            self.all.iter().filter(|(_, item)| waits(item)).map(|(key, _)| *key).collect();
        found.sort_unstable();
        found
    }

    /// The clock went back: what waits for a pause to pass waits as long as was meant.
    pub fn shift(&mut self, seconds: i64, now: UnixTime) {
        let keys: Vec<ItemKey> = self.all.keys().copied().collect();
        for key in keys {
            if let Some(item) = self.all.get_mut(&key)
                && item.place == Place::Waiting
            {
                item.due = item.due.saturating_sub(seconds).max(item.not_before);
            }
            self.arm(key, now);
        }
    }
}
