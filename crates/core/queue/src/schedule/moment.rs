//! Time as the scheduler counts it.

use model::UnixTime;
use std::time::Duration;

/// Milliseconds since 1970 by the wall clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Moment(pub i64);

impl Moment {
    /// The second it lies in.
    pub fn unix_time(self) -> UnixTime {
        UnixTime(self.0.div_euclid(1000))
    }

    /// How long until `later`; nothing when that is past.
    pub fn until(self, later: Moment) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0).max(0).cast_unsigned())
    }

    pub(super) fn plus(self, time: Duration) -> Moment {
        Moment(self.0.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl From<UnixTime> for Moment {
    /// Its beginning.
    fn from(time: UnixTime) -> Moment {
        Moment(time.0.saturating_mul(1000))
    }
}
