//! When the next run is. Pure: time and randomness are arguments.

use crate::TroubleKind;
use model::UnixTime;
use std::time::Duration;

/// Longest pause after trouble.
const PAUSE_MAX: Duration = Duration::from_secs(6 * 3600);
/// First pause after a password that was not taken: providers lock accounts at which wrong ones are tried again and again.
const PASSWORD_FIRST: Duration = Duration::from_secs(30 * 60);
/// ... and the longest, as for whatever needs a person.
const PASSWORD_MAX: Duration = Duration::from_secs(24 * 3600);
/// Pause when a run has left something for the next one.
const MORE: Duration = Duration::from_secs(15);

/// How a run ended, to the pace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// All is collected.
    Well,
    /// Time was up; there is more.
    More,
    /// With trouble, the so-manyth time in a row (from 1).
    Trouble(TroubleKind, u32),
}

/// The time of the next run: a twentieth earlier or later by `random`, a tenth after trouble, so that sources which were
/// added or failed together don't come back together.
pub fn next(interval: Duration, ended: Ended, now: UnixTime, random: u32) -> UnixTime {
    let (pause, part) = match ended {
        Ended::Well => (interval, 20),
        Ended::More => (MORE.min(interval), 20),
        // Nothing is wrong with the source: the first thing after the start.
        Ended::Trouble(TroubleKind::Stopped, _) => (Duration::ZERO, 1),
        // The rest of the source is fine, and new mail is not made to wait for a person.
        Ended::Trouble(TroubleKind::Message | TroubleKind::Folder, _) => (interval, 10),
        Ended::Trouble(kind, failures) => {
            let (first, longest) = match kind {
                TroubleKind::Password | TroubleKind::Circle | TroubleKind::Forbidden => {
                    (interval.max(PASSWORD_FIRST), PASSWORD_MAX)
                }
                _ => (interval, PAUSE_MAX),
            };
            let doubled = 1_u32.checked_shl(failures.saturating_sub(1).min(20)).unwrap_or(1);
            (first.saturating_mul(doubled).min(longest.max(interval)), 10)
        }
    };
    let spread = pause / part;
    let jitter = u64::try_from(spread.as_millis() * 2 + 1).map_or(0, |most| u64::from(random) % most);
    let pause = pause - spread + Duration::from_millis(jitter);
    let seconds = i64::try_from(pause.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
    UnixTime(now.0.saturating_add(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTES: u64 = 60;

    fn pause(ended: Ended, random: u32) -> i64 {
        next(Duration::from_secs(10 * MINUTES), ended, UnixTime(1000), random).0 - 1000
    }

    #[test]
    fn pauses_grow_with_failures_up_to_a_limit() {
        let trouble = |kind, failures| pause(Ended::Trouble(kind, failures), 0) / 60;
        assert_eq!(pause(Ended::Well, 0), 570);
        assert_eq!(pause(Ended::Well, 30_000), 600);
        assert_eq!(pause(Ended::Well, 60_000), 630);
        assert_eq!(pause(Ended::More, 0), 15);
        assert_eq!(pause(Ended::Trouble(TroubleKind::Stopped, 9), 77), 0);
        assert_eq!(trouble(TroubleKind::Message, 9), 9);
        assert_eq!([1, 2, 3, 9].map(|n| trouble(TroubleKind::Unreachable, n)), [9, 18, 36, 324]);
        assert_eq!([1, 2, 3, 9].map(|n| trouble(TroubleKind::Password, n)), [27, 54, 108, 1296]);
    }

    proptest! {
        #[test]
        fn pauses_stay_within_limits(seconds in 30_u64..200_000, failures: u32, random: u32) {
            let interval = Duration::from_secs(seconds);
            let seconds = seconds as i64;
            for kind in [TroubleKind::Password, TroubleKind::Slow, TroubleKind::OverQuota] {
                let next = next(interval, Ended::Trouble(kind, failures), UnixTime(0), random).0;
                prop_assert!(next * 10 >= seconds * 9 - 10);
                prop_assert!(next <= seconds.max(86_400) * 11 / 10 + 1);
            }
            let next = next(interval, Ended::Well, UnixTime(0), random).0;
            prop_assert!(next * 20 >= seconds * 19 - 20 && next <= seconds * 21 / 20 + 1);
        }
    }
}
