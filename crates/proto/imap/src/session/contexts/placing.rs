//! Finds where new messages belong in a result that is sorted already, without sorting all of it again.
//!
//! The store can put any set of messages in order. So it is asked for the new ones together with some of the old, evenly
//! spread, and the same again between the two that each new one then stands between, until nothing is between them: a
//! message finds its place among 250,000 in three questions of some 500 messages each. Many new ones at once ask for more
//! between them, up to all of the old.

use model::{Uid, UidSet};
use std::sync::Arc;

/// Fewest old messages in a question, as long as there are so many that matter.
const PIVOTS: usize = 512;

/// Neighbours, and the place of the first of them from 0 on.
pub(super) type Run = (usize, Vec<Uid>);

/// New messages on their way to their places.
#[derive(Debug)]
pub(super) struct Placing {
    /// What is sorted already.
    base: Vec<Uid>,
    /// In ascending order of UID at first, as sorted after the first answer.
    new: Vec<New>,
    /// Those of `base` that the last question named, with their places, by UID.
    pivots: Vec<(Uid, usize)>,
    /// Those of `base` that an answer left out: expunged meanwhile, and no help any more.
    missing: UidSet,
    asked: bool,
}

/// A new message belongs before `base[place]` for a place within these, both included.
#[derive(Clone, Copy, Debug)]
struct New {
    uid: Uid,
    low: usize,
    high: usize,
}

impl Placing {
    /// `new` holds none of `base`.
    pub fn new(base: Vec<Uid>, new: &UidSet) -> Placing {
        let high = base.len();
        let new = new.iter().map(|uid| New { uid, low: 0, high }).collect();
        Placing { base, new, pivots: Vec::new(), missing: UidSet::new(), asked: false }
    }

    /// The next question: which messages to put in order. None: every place is known.
    pub fn question(&mut self) -> Option<Arc<UidSet>> {
        if !self.missing.is_empty() {
            let (base, missing) = (&self.base, &self.missing);
            for new in &mut self.new {
                // Nothing between the two is there any more to be compared with.
                if base[new.low..new.high].iter().all(|uid| missing.contains(*uid)) {
                    new.high = new.low;
                }
            }
        }
        let open = |new: &&New| new.low < new.high || !self.asked;
        let mut wanted: UidSet = self.new.iter().filter(open).map(|new| new.uid).collect();
        // Alone among nothing: there is no order to ask for.
        if wanted.is_empty() || self.base.is_empty() && self.new.len() == 1 {
            return None;
        }
        let mut gaps: Vec<(usize, usize)> =
            self.new.iter().filter(open).map(|new| (new.low, new.high)).collect();
        gaps.sort_unstable();
        gaps.dedup();
        let each = (PIVOTS.max(self.new.len() * 4) / gaps.len()).max(1);
        self.pivots.clear();
        for (low, high) in gaps {
            let length = high - low;
            let count = each.min(length);
            for nth in 0..count {
                // Evenly spread; all of them where there are no more than that.
                let at = low + (2 * nth + 1) * length / (2 * count);
                let is_there = |at: &usize| !self.missing.contains(self.base[*at]);
                let Some(at) = (at..high).chain(low..at).find(is_there) else { continue };
                self.pivots.push((self.base[at], at));
                wanted.insert(self.base[at]);
            }
        }
        self.pivots.sort_unstable();
        self.pivots.dedup();
        self.asked = true;
        Some(Arc::new(wanted))
    }

    /// The messages of the last question in order. Those that are not there any more may be missing.
    pub fn answer(&mut self, sorted: &[Uid]) {
        let place = |uid: &Uid| {
            let found = self.pivots.binary_search_by_key(uid, |(pivot, _)| *pivot);
            found.ok().map(|at| self.pivots[at].1)
        };
        let places: Vec<Option<usize>> = sorted.iter().map(place).collect();
        let mut order: Vec<(Uid, usize)> = sorted.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let rank = |uid: Uid| order.binary_search_by_key(&uid, |(uid, _)| *uid).ok().map(|at| order[at].1);
        for (pivot, _) in &self.pivots {
            if rank(*pivot).is_none() {
                self.missing.insert(*pivot);
            }
        }
        // The nearest old ones before and behind each place of the answer.
        let mut before = Vec::with_capacity(places.len());
        let mut last = None;
        for place in &places {
            before.push(last);
            last = place.or(last);
        }
        let mut behind = vec![None; places.len()];
        let mut next = None;
        for (at, place) in places.iter().enumerate().rev() {
            behind[at] = next;
            next = place.or(next);
        }
        let is_first = self.new.iter().all(|new| (new.low, new.high) == (0, self.base.len()));
        if is_first {
            // Expunged meanwhile: they join nothing.
            self.new.retain(|new| rank(new.uid).is_some());
            self.new.sort_by_key(|new| rank(new.uid));
        }
        for new in &mut self.new {
            let Some(at) = rank(new.uid) else {
                new.high = new.low;
                continue;
            };
            new.low = before[at].map_or(new.low, |place| new.low.max(place + 1)).min(new.high);
            new.high = behind[at].map_or(new.high, |place| new.high.min(place)).max(new.low);
        }
    }

    /// The whole result, and runs of new messages with the place from 0 on of the first of each.
    pub fn finish(self) -> (Vec<Uid>, Vec<Run>) {
        let mut whole = Vec::with_capacity(self.base.len() + self.new.len());
        let mut runs: Vec<Run> = Vec::new();
        let mut taken = 0;
        for new in &self.new {
            // In the order of the first answer, whatever a later one said.
            let place = new.low.max(taken);
            whole.extend_from_slice(&self.base[taken..place]);
            taken = place;
            match runs.last_mut() {
                Some((start, run)) if *start + run.len() == whole.len() => run.push(new.uid),
                _ => runs.push((whole.len(), vec![new.uid])),
            }
            whole.push(new.uid);
        }
        whole.extend_from_slice(&self.base[taken..]);
        (whole, runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Any order of UIDs: by these bits first.
    fn key(uid: Uid, salt: u32) -> (u32, Uid) {
        (uid.0.wrapping_mul(salt | 1) >> 28, uid)
    }

    /// Places `new` in `base`; answers the result, the runs, and how many messages were put in order.
    fn place(base: &[u32], new: &[u32], salt: u32) -> (Vec<Uid>, Vec<Run>, usize) {
        let mut base: Vec<Uid> = base.iter().copied().map(Uid).collect();
        base.sort_by_key(|uid| key(*uid, salt));
        let mut placing = Placing::new(base, &new.iter().copied().map(Uid).collect());
        let mut asked = 0;
        for _ in 0..100 {
            let Some(question) = placing.question() else {
                let (whole, runs) = placing.finish();
                return (whole, runs, asked);
            };
            asked += question.len() as usize;
            let mut sorted: Vec<Uid> = question.iter().collect();
            sorted.sort_by_key(|uid| key(*uid, salt));
            placing.answer(&sorted);
        }
        panic!("it never ends");
    }

    #[test]
    fn one_among_many_costs_little() {
        let base: Vec<u32> = (1..=250_000).filter(|uid| *uid != 77_777).collect();
        let (whole, runs, asked) = place(&base, &[77_777], 0x9e37_79b9);
        assert!(whole.is_sorted_by_key(|uid| key(*uid, 0x9e37_79b9)));
        assert_eq!((whole.len(), runs.len()), (250_000, 1));
        assert!(asked < 2000, "{asked} messages were put in order");
    }

    #[test]
    fn what_is_gone_joins_nothing() {
        let mut placing = Placing::new(vec![Uid(2), Uid(4)], &[Uid(1), Uid(3)].into_iter().collect());
        assert_eq!(placing.question().unwrap().len(), 4);
        // 1 and 4 were expunged meanwhile; 4 stays until the client is told.
        placing.answer(&[Uid(2), Uid(3)]);
        while placing.question().is_some() {
            // Whatever is asked: 4 is not there.
            placing.answer(&[Uid(3)]);
        }
        let (whole, runs) = placing.finish();
        assert_eq!((whole, runs), (vec![Uid(2), Uid(3), Uid(4)], vec![(1, vec![Uid(3)])]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn places_are_those_of_a_whole_sort(
            base in proptest::collection::btree_set(1u32..3000, 0..1500),
            new in proptest::collection::btree_set(1u32..3000, 1..40),
            salt: u32,
        ) {
            let new: Vec<u32> = new.into_iter().filter(|uid| !base.contains(uid)).collect();
            let base: Vec<u32> = base.into_iter().collect();
            let mut expected: Vec<Uid> = base.iter().chain(&new).copied().map(Uid).collect();
            expected.sort_by_key(|uid| key(*uid, salt));
            let (whole, runs, _) = place(&base, &new, salt);
            prop_assert_eq!(&whole, &expected);
            // A client that has the old ones in order and does what it is told comes to the same.
            let mut client: Vec<Uid> = base.into_iter().map(Uid).collect();
            client.sort_by_key(|uid| key(*uid, salt));
            for (at, run) in runs {
                client.splice(at..at, run);
            }
            prop_assert_eq!(client, expected);
        }
    }
}
