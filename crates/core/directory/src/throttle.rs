//! Slows wrong log-ins: per address, per account, and per account from one address, all protocols together.
//!
//! - A wrong log-in raises the level of its address (IPv6: its /64) and of its account; levels sink by one each
//!   [`Limits::forgive_each`]. The answer to a wrong log-in is held back the longer, the higher the levels are.
//! - The answer to a right one is held back for the address's sake only: others who guess at an account from elsewhere
//!   never delay its owner. (Were right answers from a guessing address quick, whoever hangs up early would know that
//!   his guess was wrong.)
//! - An address that an account has logged in from before is judged for that account alone, by what went wrong between
//!   these two; so a webmail or a proxy does not make its users pay for one of them.
//! - A right log-in forgives what this account did wrong from this address, no more.
//! - While [`Limits::held_max`] answers to an address are being held back, further log-ins from there are not looked at:
//!   the peer hears that it should come again later. Hanging up early gives no place back.
//!
//! Nothing here reads a clock; memory is bounded by [`Limits::entries_max`].

use crate::bounded::Bounded;
use parking_lot::Mutex;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries kept (some 100 bytes each); the longest unused go first.
    pub entries_max: usize,
    /// Answers to one address that may be held back at the same time.
    pub held_max: usize,
    /// Longest delay.
    pub delay_max: Duration,
    /// In this time one wrong log-in is forgotten.
    pub forgive_each: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            entries_max: 100_000,
            held_max: 10,
            delay_max: Duration::from_secs(30),
            forgive_each: Duration::from_secs(120),
        }
    }
}

/// More wrong log-ins than this count no further, so that even a much attacked account is quiet again in half an hour.
const LEVEL_MAX: f32 = 12.0;
/// The first wrong log-in costs nothing, the second this.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// How long an address stays known to an account.
const KNOWN_FOR: u64 = 30 * 24 * 3600 * 1000;

/// A peer as it is counted: an IPv4 address, or the /64 that one IPv6 host usually has to itself.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Key {
    Address(IpAddr),
    Account(u64),
    Pair(IpAddr, u64),
}

/// Times are milliseconds since 1970.
#[derive(Default)]
struct Entry {
    level: f32,
    touched: u64,
    /// When a log-in last succeeded (pairs only); 0: never.
    succeeded: u64,
    /// When the answers that are held back now will go out.
    held: Vec<u64>,
}

impl Entry {
    fn settle(&mut self, now: u64, limits: &Limits) {
        let forgive = limits.forgive_each.as_millis().max(1) as f32;
        self.level = (self.level - now.saturating_sub(self.touched) as f32 / forgive).max(0.0);
        self.touched = now;
        // A clock that was set back must not hold places for ever.
        let latest = now + limits.delay_max.as_millis() as u64;
        self.held.retain(|&until| until > now && until <= latest);
    }

    fn known(&self, now: u64) -> bool {
        self.succeeded != 0 && now.saturating_sub(self.succeeded) < KNOWN_FOR
    }
}

/// The counters.
pub struct Throttle {
    limits: Limits,
    hasher: RandomState,
    entries: Mutex<Bounded<Key, Entry>>,
}

impl Throttle {
    /// Empty.
    pub fn new(limits: Limits) -> Throttle {
        let entries = Mutex::new(Bounded::new(limits.entries_max));
        Throttle { limits, hasher: RandomState::new(), entries }
    }

    /// Whether a log-in may be looked at now. Without a peer address always.
    pub fn admits(&self, peer: Option<IpAddr>, account: &str, now: SystemTime) -> bool {
        let Some(peer) = peer.map(network_of) else { return true };
        let now = millis(now);
        let mut entries = self.entries.lock();
        let key = self.judged(&mut entries, peer, self.hasher.hash_one(account), now);
        entries.get_mut(&key).is_none_or(|entry| {
            entry.settle(now, &self.limits);
            entry.held.len() < self.limits.held_max
        })
    }

    /// Counts a wrong log-in; answers how long to hold the answer back.
    pub fn failed(&self, peer: Option<IpAddr>, account: &str, now: SystemTime) -> Duration {
        let (now, account) = (millis(now), self.hasher.hash_one(account));
        let mut entries = self.entries.lock();
        let level = self.raise(&mut entries, Key::Account(account), now);
        let Some(peer) = peer.map(network_of) else { return self.delay(level) };
        let judged = self.judged(&mut entries, peer, account, now);
        let of_address = self.raise(&mut entries, Key::Address(peer), now);
        let of_pair = self.raise(&mut entries, Key::Pair(peer, account), now);
        let own = if judged == Key::Address(peer) { of_address } else { of_pair };
        let delay = self.delay(level.max(own));
        self.hold(&mut entries, judged, now, delay);
        delay
    }

    /// Counts a right log-in; answers how long to hold the answer back.
    pub fn succeeded(&self, peer: Option<IpAddr>, account: &str, now: SystemTime) -> Duration {
        let Some(peer) = peer.map(network_of) else { return Duration::ZERO };
        let (now, account) = (millis(now), self.hasher.hash_one(account));
        let mut entries = self.entries.lock();
        let judged = self.judged(&mut entries, peer, account, now);
        let delay = entries.get_mut(&judged).map_or(Duration::ZERO, |entry| {
            entry.settle(now, &self.limits);
            self.delay(entry.level)
        });
        self.hold(&mut entries, judged, now, delay);
        let pair = self.entry(&mut entries, Key::Pair(peer, account), now);
        let forgiven = std::mem::take(&mut pair.level);
        pair.succeeded = now.max(1);
        if forgiven > 0.0 {
            for key in [Key::Address(peer), Key::Account(account)] {
                let entry = self.entry(&mut entries, key, now);
                entry.level = (entry.level - forgiven).max(0.0);
            }
        }
        delay
    }

    /// Whose level and places count: the pair's when this account has logged in from there before.
    fn judged(&self, entries: &mut Bounded<Key, Entry>, peer: IpAddr, account: u64, now: u64) -> Key {
        let pair = Key::Pair(peer, account);
        let known = entries.get_mut(&pair).is_some_and(|entry| entry.known(now));
        if known { pair } else { Key::Address(peer) }
    }

    fn entry<'a>(&self, entries: &'a mut Bounded<Key, Entry>, key: Key, now: u64) -> &'a mut Entry {
        if entries.get_mut(&key).is_none() {
            entries.insert(key, Entry { touched: now, ..Entry::default() });
        }
        let entry = entries.get_mut(&key).expect("it was just put there");
        entry.settle(now, &self.limits);
        entry
    }

    /// Raises a level by one; answers what it was.
    fn raise(&self, entries: &mut Bounded<Key, Entry>, key: Key, now: u64) -> f32 {
        let entry = self.entry(entries, key, now);
        let before = entry.level;
        entry.level = (before + 1.0).min(LEVEL_MAX);
        before
    }

    fn hold(&self, entries: &mut Bounded<Key, Entry>, key: Key, now: u64, delay: Duration) {
        let entry = self.entry(entries, key, now);
        if !delay.is_zero() && entry.held.len() < self.limits.held_max {
            entry.held.push(now + delay.as_millis() as u64);
        }
    }

    /// 0, 0.5, 1, 2, 4, 8, 16, 30, 30 … seconds.
    fn delay(&self, level: f32) -> Duration {
        match level.round() as u32 {
            0 => Duration::ZERO,
            n => FIRST_DELAY.saturating_mul(1 << (n - 1).min(20)).min(self.limits.delay_max),
        }
    }
}

fn millis(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
