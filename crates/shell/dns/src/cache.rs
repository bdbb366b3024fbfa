//! What was answered, for as long as it holds: records for their TTL, "there is none" for the zone's negative TTL (RFC
//! 2308 §5), failures for a few seconds (RFC 9520 §3.2). Bounded by number; pure, the clock is an argument.

use crate::Fault;
use crate::raw::{Kind, Raw};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// RFC 9520 §3.2: at least a second, at most five minutes.
pub(crate) const FAILURE_KEPT: Duration = Duration::from_secs(5);
/// RFC 2181 §8 lets a resolver bound what others claim.
const ANSWER_KEPT_MAX: Duration = Duration::from_secs(24 * 3600);

/// The outcome of one look-up.
pub(crate) type Outcome = Result<Arc<Raw>, Fault>;

struct Kept {
    until: Instant,
    outcome: Outcome,
}

/// See the module.
pub(crate) struct Cache {
    entries: HashMap<(String, Kind), Kept>,
    entries_max: usize,
}

impl Cache {
    pub(crate) fn new(entries_max: usize) -> Cache {
        Cache { entries: HashMap::new(), entries_max }
    }

    /// What is known and still holds, its TTL counted down.
    pub(crate) fn get(&self, name: &str, kind: Kind, now: Instant) -> Option<Outcome> {
        let kept = self.entries.get(&(name.to_owned(), kind)).filter(|kept| kept.until > now)?;
        Some(kept.outcome.clone().map(|raw| {
            let left = kept.until.duration_since(now);
            if raw.ttl <= left { raw } else { Arc::new(Raw { ttl: left, ..(*raw).clone() }) }
        }))
    }

    /// Keeps an outcome. One that holds for no time at all is not kept.
    pub(crate) fn put(&mut self, name: &str, kind: Kind, outcome: &Outcome, now: Instant) {
        let keep = match outcome {
            Ok(raw) => raw.ttl.min(ANSWER_KEPT_MAX),
            Err(_) => FAILURE_KEPT,
        };
        if keep.is_zero() || self.entries_max == 0 {
            return;
        }
        if self.entries.len() >= self.entries_max {
            self.make_room(now);
        }
        self.entries.insert((name.to_owned(), kind), Kept { until: now + keep, outcome: outcome.clone() });
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// What has run out goes first; if that was little, the eighth that would run out soonest.
    fn make_room(&mut self, now: Instant) {
        self.entries.retain(|_, kept| kept.until > now);
        let goal = self.entries_max - self.entries_max.div_ceil(8);
        if self.entries.len() <= goal {
            return;
        }
        let mut ends: Vec<Instant> = self.entries.values().map(|kept| kept.until).collect();
        let surplus = self.entries.len() - goal;
        let (_, last, _) = ends.select_nth_unstable(surplus - 1);
        let (last, mut surplus) = (*last, surplus);
        self.entries.retain(|_, kept| {
            let goes = surplus > 0 && kept.until <= last;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Presence, SecurityStatus};

    fn answer(ttl: u64) -> Outcome {
        Ok(Arc::new(Raw {
            records: Vec::new(),
            presence: Presence::NoData,
            canonical: "x.test".into(),
            status: SecurityStatus::Insecure,
            ttl: Duration::from_secs(ttl),
        }))
    }

    #[test]
    fn an_answer_holds_for_its_ttl_which_counts_down() {
        let (mut cache, now) = (Cache::new(10), Instant::now());
        cache.put("x.test", Kind::Mx, &answer(300), now);
        let at = |seconds| cache.get("x.test", Kind::Mx, now + Duration::from_secs(seconds));
        assert_eq!(at(100).unwrap().unwrap().ttl, Duration::from_secs(200));
        assert!(at(299).is_some());
        assert!(at(300).is_none());
        assert!(cache.get("x.test", Kind::Txt, now).is_none());
        assert!(cache.get("y.test", Kind::Mx, now).is_none());
    }

    #[test]
    fn failures_are_kept_for_seconds_and_ttl_zero_not_at_all() {
        let (mut cache, now) = (Cache::new(10), Instant::now());
        cache.put("x.test", Kind::Mx, &Err(Fault::TimedOut), now);
        cache.put("y.test", Kind::Mx, &answer(0), now);
        assert!(matches!(cache.get("x.test", Kind::Mx, now), Some(Err(Fault::TimedOut))));
        assert!(cache.get("x.test", Kind::Mx, now + FAILURE_KEPT).is_none());
        assert!(cache.get("y.test", Kind::Mx, now).is_none());
    }

    #[test]
    fn it_stays_within_its_bound_and_what_holds_longest_stays() {
        let (mut cache, now) = (Cache::new(100), Instant::now());
        for n in 0..1000u64 {
            cache.put(&format!("n{n}.test"), Kind::Txt, &answer(10 + n), now);
            assert!(cache.entries.len() <= 100);
        }
        assert!(cache.get("n999.test", Kind::Txt, now).is_some());
        assert!(cache.get("n0.test", Kind::Txt, now).is_none());
        let later = now + Duration::from_secs(5000);
        cache.make_room(later);
        assert!(cache.entries.is_empty());
    }
}
