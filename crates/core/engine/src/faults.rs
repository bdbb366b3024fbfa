//! What goes wrong in a [`MemoryEngine`](crate::MemoryEngine), and when: drawn from a seed, so a run can be repeated.

use std::sync::Arc;

/// The plan. The default is an engine without faults that commits each transaction by itself.
#[derive(Clone)]
pub struct Faults {
    /// The same seed gives the same faults for the same requests.
    pub seed: u64,
    /// Of a thousand groups, so many find the disk full ([`Error::Full`](crate::Error::Full)).
    pub full_per_mille: u32,
    /// Of a thousand groups, so many fail to be written ([`Error::Io`](crate::Error::Io)).
    pub io_per_mille: u32,
    /// Of a thousand groups, so many fail to be flushed: the engine stops
    /// ([`Error::Stopped`](crate::Error::Stopped)), and a power cut shows any prefix of that group.
    pub lost_flush_per_mille: u32,
    /// Requests that wait for each other to make a group; [`flush`](crate::MemoryEngine::flush) runs fewer.
    pub group: usize,
    /// Called before each group: a slow disk.
    pub slow: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Default for Faults {
    fn default() -> Self {
        Faults { seed: 0, full_per_mille: 0, io_per_mille: 0, lost_flush_per_mille: 0, group: 1, slow: None }
    }
}

/// What happens to one group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Fine,
    Full,
    Io,
    LostFlush,
}

/// The dice (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound` (which is not 0).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl Faults {
    pub(crate) fn fate(&self, dice: &mut Dice) -> Fate {
        let drawn = dice.below(1000) as u32;
        let full = self.full_per_mille;
        let io = full + self.io_per_mille;
        let lost = io + self.lost_flush_per_mille;
        match drawn {
            _ if drawn < full => Fate::Full,
            _ if drawn < io => Fate::Io,
            _ if drawn < lost => Fate::LostFlush,
            _ => Fate::Fine,
        }
    }
}
