//! How long to wait between attempts.

use model::UnixTime;
use std::time::Duration;

/// Times between two attempts at the same thing: they double from the first to the longest.
///
/// RFC 5321 §4.5.4.1: retries are to be delayed, half an hour is the usual least; "more sophisticated and variable
/// strategies are beneficial". The first ones come sooner: most that fails at first is greylisting or a restart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// After the first attempt.
    pub first: Duration,
    /// Never longer than this (before jitter).
    pub longest: Duration,
}

/// What to do after an attempt that must be repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// Try again then.
    At(UnixTime),
    /// It was the last one.
    GiveUp,
}

impl Backoff {
    /// The pause after the `attempts`th attempt (from 1), a tenth shorter to a tenth longer by `random`, so that what
    /// failed together does not come back together.
    pub fn pause(&self, attempts: u32, random: u32) -> Duration {
        let doubled =
            self.first.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1).min(20)).unwrap_or(1));
        let pause = doubled.min(self.longest);
        let tenth = pause / 10;
        let jitter = u64::try_from(tenth.as_millis() * 2 + 1).map_or(0, |most| u64::from(random) % most);
        (pause - tenth + Duration::from_millis(jitter)).max(Duration::from_millis(1))
    }

    /// When to try again after the `attempts`th attempt failed for now, or that it was the last one. The last attempt
    /// is made when the message expires, so nothing is given up without one.
    pub fn retry(&self, attempts: u32, now: UnixTime, expires: UnixTime, random: u32) -> Retry {
        if now >= expires {
            return Retry::GiveUp;
        }
        // Whole seconds, rounded up: the record of a recipient counts in seconds.
        let seconds = self.pause(attempts, random).as_millis().div_ceil(1000);
        let next = now.0.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
        Retry::At(UnixTime(next.min(expires.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(300), longest: Duration::from_hours(2) };

    #[test]
    fn pauses_double_up_to_the_longest() {
        // The middle of the jitter.
        let middle = |attempts| {
            let least = BACKOFF.pause(attempts, 0).as_secs();
            let most = (0..50_000).map(|n| BACKOFF.pause(attempts, n * 40).as_millis()).max().unwrap();
            (least, u64::try_from(most.div_ceil(1000)).unwrap())
        };
        assert_eq!(middle(1), (270, 330));
        assert_eq!(middle(2), (540, 660));
        assert_eq!(middle(5), (4320, 5280));
        assert_eq!(middle(6), (6480, 7920));
        assert_eq!(middle(u32::MAX), (6480, 7920));
        assert_eq!(middle(0), (270, 330));
    }

    #[test]
    fn the_last_attempt_is_at_the_end() {
        let retry = |now, expires| BACKOFF.retry(1, UnixTime(now), UnixTime(expires), 0);
        assert_eq!(retry(1000, 5000), Retry::At(UnixTime(1270)));
        assert_eq!(retry(1000, 1100), Retry::At(UnixTime(1100)));
        assert_eq!(retry(1100, 1100), Retry::GiveUp);
        assert_eq!(retry(i64::MAX - 1, i64::MAX), Retry::At(UnixTime(i64::MAX)));
    }
}
