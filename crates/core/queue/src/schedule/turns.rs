//! Whose turn it is. A *lane* holds what is ready of one class, one sender and one destination. A lane is offered when
//! its destination may have a job, else it is parked with the destination.

use super::destination::DestinationKey;
use super::items::ItemKey;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Classes of priority: urgent, normal, bulk.
pub(super) const CLASSES: usize = 3;

/// The inverse of the classes' weights: of 13 turns nine are urgent, three normal, one bulk.
const STEPS: [u64; CLASSES] = [1, 3, 9];

/// The class of a priority (RFC 6710 §3: -9 to 9, 0 where none is given).
pub(super) fn class_of(priority: i8) -> usize {
    match priority {
        4.. => 0,
        0..4 => 1,
        _ => 2,
    }
}

/// Chooses among classes by weight.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Wheel {
    passed: [u64; CLASSES],
}

impl Wheel {
    /// One of those for which `has` is true; None when it is for none.
    pub fn choose(&mut self, has: [bool; CLASSES]) -> Option<usize> {
        let chosen = (0..CLASSES).filter(|class| has[*class]).min_by_key(|class| self.passed[*class])?;
        let floor = self.passed[chosen];
        for (passed, has) in self.passed.iter_mut().zip(has) {
            // Who had nothing to send saves no turns up.
            if !has {
                *passed = floor.max(*passed);
            }
        }
        self.passed[chosen] += STEPS[chosen];
        Some(chosen)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct LaneKey {
    pub class: usize,
    pub sender: u64,
    pub destination: DestinationKey,
}

#[derive(Default)]
pub(super) struct Lane {
    /// Oldest first; some may be gone.
    items: VecDeque<ItemKey>,
    /// How many are not gone.
    pub live: usize,
}

/// The lanes of one sender in one class that are offered.
#[derive(Default)]
struct Turn {
    offered: VecDeque<DestinationKey>,
    in_ring: bool,
}

#[derive(Default)]
pub(super) struct Turns {
    lanes: FxHashMap<LaneKey, Lane>,
    turns: [FxHashMap<u64, Turn>; CLASSES],
    rings: [VecDeque<u64>; CLASSES],
    wheel: Wheel,
    /// Running jobs of each sender.
    running: FxHashMap<u64, u32>,
}

impl Turns {
    /// Drops all lanes; jobs run on.
    pub fn forget_lanes(&mut self) {
        *self = Turns { running: std::mem::take(&mut self.running), ..Turns::default() };
    }

    /// Puts an item into its lane; answers whether that is a new one (to be parked with its destination).
    pub fn push(&mut self, key: LaneKey, item: ItemKey) -> bool {
        let is_new = !self.lanes.contains_key(&key);
        let lane = self.lanes.entry(key).or_default();
        lane.items.push_back(item);
        lane.live += 1;
        is_new
    }

    /// An item of this lane is gone.
    pub fn lost(&mut self, key: LaneKey, is_live: impl Fn(ItemKey) -> bool) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        lane.live -= 1;
        if lane.items.len() > 2 * lane.live + 64 {
            lane.items.retain(|item| is_live(*item));
        }
    }

    pub fn live(&self, key: LaneKey) -> usize {
        self.lanes.get(&key).map_or(0, |lane| lane.live)
    }

    /// Takes up to `most` of a lane's items; `take` answers None for one that is gone.
    pub fn take<T>(
        &mut self,
        key: LaneKey,
        most: usize,
        mut take: impl FnMut(ItemKey) -> Option<T>,
    ) -> Vec<T> {
        let mut taken = Vec::new();
        let Some(lane) = self.lanes.get_mut(&key) else { return taken };
        while taken.len() < most
            && let Some(item) = lane.items.pop_front()
        {
            if let Some(item) = take(item) {
                lane.live -= 1;
                taken.push(item);
            }
        }
        taken
    }

    /// Drops a lane that is empty; answers whether it was.
    pub fn drop_empty(&mut self, key: LaneKey) -> bool {
        let is_empty = self.live(key) == 0;
        if is_empty {
            self.lanes.remove(&key);
        }
        is_empty
    }

    /// Lets a lane take part.
    pub fn offer(&mut self, key: LaneKey) {
        let turn = self.turns[key.class].entry(key.sender).or_default();
        turn.offered.push_back(key.destination);
        if !turn.in_ring {
            turn.in_ring = true;
            self.rings[key.class].push_back(key.sender);
        }
    }

    /// The lane whose turn it is; it is not offered any more. A sender with `most` running jobs is passed over until
    /// one of them ends.
    pub fn next(&mut self, most: u32) -> Option<LaneKey> {
        loop {
            let has = [0, 1, 2].map(|class: usize| !self.rings[class].is_empty());
            let class = self.wheel.choose(has)?;
            let Some(sender) = self.rings[class].pop_front() else { continue };
            let Some(turn) = self.turns[class].get_mut(&sender) else { continue };
            if self.running.get(&sender).is_some_and(|running| *running >= most) {
                turn.in_ring = false;
                continue;
            }
            let destination = turn.offered.pop_front();
            if turn.offered.is_empty() {
                self.turns[class].remove(&sender);
            } else {
                self.rings[class].push_back(sender);
            }
            if let Some(destination) = destination {
                return Some(LaneKey { class, sender, destination });
            }
        }
    }

    pub fn started(&mut self, sender: u64) {
        *self.running.entry(sender).or_default() += 1;
    }

    /// A job of this sender has ended.
    pub fn ended(&mut self, sender: u64) {
        if let Some(running) = self.running.get_mut(&sender) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(&sender);
            }
        }
        for class in 0..CLASSES {
            if let Some(turn) = self.turns[class].get_mut(&sender)
                && !turn.in_ring
            {
                turn.in_ring = true;
                self.rings[class].push_back(sender);
            }
        }
    }
}
