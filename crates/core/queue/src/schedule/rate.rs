//! Limits by time.

use super::Moment;
use std::time::Duration;

/// So many messages in so much time; unused ones may be sent in a burst of the same size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// At least 1.
    pub messages: u32,
    /// At least a millisecond.
    pub per: Duration,
}

/// What is left of a rate: the generic cell rate algorithm, which needs one number.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Bucket {
    /// When it will be full again, microseconds since 1970.
    full_at: i64,
}

impl Bucket {
    fn cost(rate: Rate) -> i64 {
        let per = i64::try_from(rate.per.as_micros()).unwrap_or(i64::MAX);
        (per / i64::from(rate.messages.max(1))).max(1)
    }

    /// How many messages may go now; when there is none, the time of the next one.
    pub fn room(&self, rate: Rate, now: Moment) -> Result<u32, Moment> {
        let cost = Self::cost(rate);
        let now_us = now.0.saturating_mul(1000);
        let free = cost * i64::from(rate.messages.max(1)) - self.full_at.saturating_sub(now_us).max(0);
        if free >= cost {
            return Ok(u32::try_from(free / cost).unwrap_or(u32::MAX));
        }
        Err(Moment((now_us + cost - free).div_euclid(1000) + 1))
    }

    pub fn take(&mut self, rate: Rate, messages: u32, now: Moment) {
        self.full_at = self.full_at.max(now.0.saturating_mul(1000)) + Self::cost(rate) * i64::from(messages);
    }

    /// What was taken and not used.
    pub fn give_back(&mut self, rate: Rate, messages: u32) {
        self.full_at -= Self::cost(rate) * i64::from(messages);
    }

    /// The clock went back by so much.
    pub fn shift(&mut self, milliseconds: i64) {
        self.full_at -= milliseconds.saturating_mul(1000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_at_a_time() {
        let rate = Rate { messages: 10, per: Duration::from_secs(60) };
        let mut bucket = Bucket::default();
        let start = Moment(1_700_000_000_000);
        assert_eq!(bucket.room(rate, start), Ok(10));
        bucket.take(rate, 10, start);
        let next = bucket.room(rate, start).unwrap_err();
        assert!((start.0 + 6000..start.0 + 6003).contains(&next.0));
        assert_eq!(bucket.room(rate, next), Ok(1));
        bucket.take(rate, 1, next);
        bucket.give_back(rate, 1);
        assert_eq!(bucket.room(rate, next), Ok(1));
        bucket.take(rate, 1, next);
        assert!(bucket.room(rate, next).is_err());
        assert_eq!(bucket.room(rate, Moment(start.0 + 3_600_000)), Ok(10), "no more than the burst");
    }
}
