//! Sequence sets: reading them, resolving them against a view, and writing sets of UIDs and sequence numbers.
//!
//! Invariants: the ranges of a [`SequenceSet`] are ascending, do not touch each other, and are at most
//! [`RANGES_MAX`]; resolving costs time in the ranges and the members found, never in the numbers named.
//!
//! RFC 9051 §9 (`sequence-set`, `uid-set`), RFC 5182 (`$`), RFC 4731, RFC 7162 §3.2.10.

use crate::command::Numbering;
use crate::write::number;
use model::{SeqNo, Uid, UidSet};
use std::fmt;

/// Most ranges in one set, after those that touch were put together.
pub const RANGES_MAX: usize = 100_000;

/// `sequence-set = (seq-number / seq-range) ["," sequence-set] / "$"`, normalised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SequenceSet {
    /// Numbers.
    Ranges(Ranges),
    /// `$`: the result of the last SEARCH RETURN (SAVE).
    Saved,
}

/// Numbers from 1, and what reaches up to `*`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ranges {
    /// Ascending, not touching.
    plain: Vec<(u32, u32)>,
    /// The lowest `n` of all `n:*`; `u32::MAX` for `*` alone, which is the same set of messages.
    up_to_last: Option<u32>,
}

/// A sequence number larger than the number of messages (RFC 9051 §9: answered with BAD).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beyond(pub SeqNo);

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no message number {}", self.0)
    }
}

impl SequenceSet {
    /// `1:*`
    pub fn everything() -> SequenceSet {
        SequenceSet::Ranges(Ranges { plain: Vec::new(), up_to_last: Some(1) })
    }

    /// One number; None for 0.
    pub fn single(number: u32) -> Option<SequenceSet> {
        let plain = vec![(number, number)];
        (number > 0).then_some(SequenceSet::Ranges(Ranges { plain, up_to_last: None }))
    }

    /// These UIDs; None: they are too scattered.
    pub fn of_uids(uids: &UidSet) -> Option<SequenceSet> {
        let plain: Vec<(u32, u32)> =
            uids.ranges().into_iter().map(|(first, last)| (first.0, last.0)).collect();
        (plain.len() <= RANGES_MAX).then_some(SequenceSet::Ranges(Ranges { plain, up_to_last: None }))
    }

    /// Whether `*` or `$` is in it (RFC 7162 §3.2.5.1 forbids both in QRESYNC parameters).
    pub fn depends_on_view(&self) -> bool {
        match self {
            SequenceSet::Saved => true,
            SequenceSet::Ranges(ranges) => ranges.up_to_last.is_some(),
        }
    }

    /// The messages of `view` that are meant. UIDs that do not exist are left out. `saved` is what `$` stands for;
    /// members that have gone since are left out. `n:*` includes the last message even if `n` is larger (RFC 9051 §9).
    ///
    /// # Errors
    /// A sequence number beyond the last message, with [`Numbering::Sequence`]. `n:*` never counts as one, nor does `*`
    /// in an empty mailbox: clients send `1:*` without asking how many there are.
    pub fn resolve(&self, numbering: Numbering, view: &UidSet, saved: &UidSet) -> Result<UidSet, Beyond> {
        let ranges = match self {
            SequenceSet::Saved => return Ok(saved.and(view)),
            SequenceSet::Ranges(ranges) => ranges,
        };
        match numbering {
            Numbering::Uid => Ok(ranges.uids(view)),
            Numbering::Sequence => ranges.numbered(view),
        }
    }

    /// As [`resolve`](SequenceSet::resolve), but numbers beyond the last message name nothing (RFC 7377 §2).
    pub fn within(&self, numbering: Numbering, view: &UidSet, saved: &UidSet) -> UidSet {
        match (self, numbering) {
            (SequenceSet::Saved, _) => saved.and(view),
            (SequenceSet::Ranges(ranges), Numbering::Uid) => ranges.uids(view),
            (SequenceSet::Ranges(ranges), Numbering::Sequence) => ranges.numbered_within(view),
        }
    }

    /// Those of `gone` that the set names, if it means UIDs. They are not in the mailbox, of which `last` is the last
    /// message; so `n:*` names whatever lies beyond `n` or `last`. `$` never names what is gone (RFC 5182 §2.1).
    pub fn of_gone(&self, gone: &UidSet, last: Option<Uid>) -> UidSet {
        let SequenceSet::Ranges(ranges) = self else { return UidSet::new() };
        let mut named = Gatherer::new(gone);
        for &(first, last) in &ranges.plain {
            named.add(Uid(first), Uid(last));
        }
        if let Some(from) = ranges.up_to_last {
            let from = last.map_or(Uid(from), |last| last.min(Uid(from)));
            named.add(from, Uid(u32::MAX));
        }
        named.finish()
    }

    /// The numbers themselves, ascending, for sets without `*` and `$`; None for others.
    pub fn plain_ranges(&self) -> Option<&[(u32, u32)]> {
        match self {
            SequenceSet::Ranges(Ranges { plain, up_to_last: None }) => Some(plain),
            _ => None,
        }
    }

    /// How many numbers a set without `*` and `$` names; None for others.
    pub fn count(&self) -> Option<u64> {
        let plain = self.plain_ranges()?;
        Some(plain.iter().map(|&(first, last)| u64::from(last - first) + 1).sum())
    }

    /// Appends the set as the grammar has it.
    pub fn write(&self, out: &mut Vec<u8>) {
        let ranges = match self {
            SequenceSet::Saved => return out.push(b'$'),
            SequenceSet::Ranges(ranges) => ranges,
        };
        write_ranges(out, ranges.plain.iter().copied());
        let Some(from) = ranges.up_to_last else { return };
        if !ranges.plain.is_empty() {
            out.push(b',');
        }
        if from < u32::MAX {
            number(out, u64::from(from));
            out.push(b':');
        }
        out.push(b'*');
    }
}

impl Ranges {
    fn uids(&self, view: &UidSet) -> UidSet {
        let Some(last) = view.last() else { return UidSet::new() };
        let mut found = Gatherer::new(view);
        for &(first, last) in &self.plain {
            found.add(Uid(first), Uid(last));
        }
        if let Some(from) = self.up_to_last {
            found.add(Uid(from).min(last), last);
        }
        found.finish()
    }

    fn numbered(&self, view: &UidSet) -> Result<UidSet, Beyond> {
        let count = view.len();
        if let Some(&(_, last)) = self.plain.last()
            && last > count
        {
            return Err(Beyond(SeqNo(last)));
        }
        Ok(self.numbered_within(view))
    }

    fn numbered_within(&self, view: &UidSet) -> UidSet {
        let count = view.len();
        let mut found = Gatherer::new(view);
        let from_last = self.up_to_last.filter(|_| count > 0).map(|from| (from.min(count), count));
        for (first, last) in self.plain.iter().copied().chain(from_last) {
            let last = last.min(count);
            if first > last {
                continue;
            }
            if let (Some(first), Some(last)) = (view.select(SeqNo(first)), view.select(SeqNo(last))) {
                found.add(first, last);
            }
        }
        found.finish()
    }
}

/// Puts together the members of a view that lie in ranges of UIDs.
struct Gatherer<'a> {
    view: &'a UidSet,
    /// Members of the sparse ranges.
    members: UidSet,
    /// Dense ranges as they are, members or not.
    spans: UidSet,
}

impl<'a> Gatherer<'a> {
    /// A range is inserted as a whole, and intersected in the end, if at least one in so many of its numbers exists;
    /// so a set of a few thousand members never becomes one of four thousand million numbers.
    const DENSE: u64 = 64;

    fn new(view: &'a UidSet) -> Gatherer<'a> {
        Gatherer { view, members: UidSet::new(), spans: UidSet::new() }
    }

    fn add(&mut self, first: Uid, last: Uid) {
        let (Some(lowest), Some(highest)) = (self.view.first(), self.view.last()) else { return };
        let (first, last) = (first.max(lowest), last.min(highest));
        if first > last {
            return;
        }
        if first == last {
            if self.view.contains(first) {
                self.members.push(first);
            }
            return;
        }
        let existing = self.view.count_up_to(last) - self.view.count_up_to(Uid(first.0 - 1));
        if u64::from(last.0 - first.0) < u64::from(existing) * Self::DENSE {
            self.spans.insert_range(first, last);
            return;
        }
        for uid in self.view.iter_from(first).take_while(|uid| *uid <= last) {
            self.members.push(uid);
        }
    }

    fn finish(self) -> UidSet {
        if self.spans.is_empty() {
            return self.members;
        }
        let dense = self.spans.and(self.view);
        if self.members.is_empty() { dense } else { dense.or(&self.members) }
    }
}

/// Collects the ranges of a set in any order.
#[derive(Default)]
pub(crate) struct RangesBuilder {
    ranges: Vec<(u32, u32)>,
    ascending: bool,
    up_to_last: Option<u32>,
}

/// More than [`RANGES_MAX`].
#[derive(Debug)]
pub(crate) struct TooManyRanges;

/// One end of a range.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Number(u32),
    Last,
}

impl RangesBuilder {
    pub(crate) fn new() -> RangesBuilder {
        RangesBuilder { ascending: true, ..RangesBuilder::default() }
    }

    /// Adds `one:other`, in either order.
    pub(crate) fn add(&mut self, one: End, other: End) -> Result<(), TooManyRanges> {
        let (first, last) = match (one, other) {
            (End::Number(one), End::Number(other)) => (one.min(other), one.max(other)),
            (End::Number(from), End::Last) | (End::Last, End::Number(from)) => {
                self.up_to_last = Some(self.up_to_last.map_or(from, |before| before.min(from)));
                return Ok(());
            }
            (End::Last, End::Last) => {
                self.up_to_last.get_or_insert(u32::MAX);
                return Ok(());
            }
        };
        if let Some((before_first, before_last)) = self.ranges.last_mut() {
            if first >= *before_first && first <= before_last.saturating_add(1) {
                *before_last = last.max(*before_last);
                return Ok(());
            }
            self.ascending &= first > *before_last;
        }
        if self.ranges.len() >= RANGES_MAX {
            return Err(TooManyRanges);
        }
        self.ranges.push((first, last));
        Ok(())
    }

    pub(crate) fn finish(mut self) -> SequenceSet {
        if !self.ascending {
            self.ranges.sort_unstable();
            self.ranges.dedup_by(|next, kept| {
                let touches = next.0 <= kept.1.saturating_add(1);
                if touches {
                    kept.1 = kept.1.max(next.1);
                }
                touches
            });
        }
        SequenceSet::Ranges(Ranges { plain: self.ranges, up_to_last: self.up_to_last })
    }
}

/// Appends `uid-set` (COPYUID, VANISHED, ESEARCH ALL of a UID SEARCH): runs as `first:last`. The grammar has no empty
/// set: the caller leaves the item out then.
pub fn write_uids(out: &mut Vec<u8>, uids: &UidSet) {
    write_ranges(out, uids.ranges().into_iter().map(|(first, last)| (first.0, last.0)));
}

/// Appends the sequence numbers in `view` of `uids` as a set; UIDs that are not in the view are left out.
pub fn write_numbers(out: &mut Vec<u8>, view: &UidSet, uids: &UidSet) {
    write_ranges(out, number_ranges(view, uids).into_iter().map(|(first, last)| (first.0, last.0)));
}

/// The sequence numbers in `view` of `uids`, as ascending runs that do not touch.
pub fn number_ranges(view: &UidSet, uids: &UidSet) -> Vec<(SeqNo, SeqNo)> {
    let mut runs: Vec<(SeqNo, SeqNo)> = Vec::new();
    for (first, last) in uids.and(view).ranges() {
        // Every number of a run of UIDs exists, so that their sequence numbers are a run as well.
        let end = view.count_up_to(last);
        let start = end - (last.0 - first.0);
        match runs.last_mut() {
            Some((_, before)) if before.0 + 1 == start => before.0 = end,
            _ => runs.push((SeqNo(start), SeqNo(end))),
        }
    }
    runs
}

/// Appends `first:last,…`.
pub(crate) fn write_ranges(out: &mut Vec<u8>, ranges: impl Iterator<Item = (u32, u32)>) {
    for (at, (first, last)) in ranges.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        number(out, u64::from(first));
        if last > first {
            out.push(b':');
            number(out, u64::from(last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_sequence_set;
    use proptest::prelude::*;

    fn set(text: &str) -> SequenceSet {
        parse_sequence_set(text.as_bytes()).unwrap()
    }

    fn view(uids: &[u32]) -> UidSet {
        uids.iter().map(|uid| Uid(*uid)).collect()
    }

    fn uids(text: &str, all: &UidSet) -> Vec<u32> {
        set(text).resolve(Numbering::Uid, all, &UidSet::new()).unwrap().iter().map(|uid| uid.0).collect()
    }

    fn numbered(text: &str, all: &UidSet) -> Result<Vec<u32>, Beyond> {
        let found = set(text).resolve(Numbering::Sequence, all, &UidSet::new())?;
        Ok(found.iter().map(|uid| uid.0).collect())
    }

    fn printed(text: &str) -> String {
        let mut out = Vec::new();
        set(text).write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sets_are_normalised() {
        for (text, wanted) in [
            ("2,4:7,9,12:*", "2,4:7,9,12:*"),
            ("*:4,5:7", "5:7,4:*"),
            ("4:2", "2:4"),
            ("1,2,3,4,5", "1:5"),
            ("9,1:3,2:7", "1:7,9"),
            ("*", "*"),
            ("*:*", "*"),
            ("*,7:*,9:*", "7:*"),
            ("4294967295,4294967294:4294967295", "4294967294:4294967295"),
            ("$", "$"),
        ] {
            assert_eq!(printed(text), wanted, "{text}");
        }
    }

    #[test]
    fn examples_of_rfc_9051_section_9() {
        let fifteen = view(&(1..=15).collect::<Vec<_>>());
        assert_eq!(numbered("2,4:7,9,12:*", &fifteen).unwrap(), [2, 4, 5, 6, 7, 9, 12, 13, 14, 15]);
        let ten = view(&(1..=10).collect::<Vec<_>>());
        assert_eq!(numbered("*:4,5:7", &ten).unwrap(), [4, 5, 6, 7, 8, 9, 10]);
        // "3291:* includes the UID of the last message in the mailbox, even if that value is less than 3291"
        assert_eq!(uids("3291:*", &view(&[5, 9])), [9]);
        assert_eq!(uids("*:3291", &view(&[5, 9])), [9]);
    }

    #[test]
    fn numbers_beyond_the_end() {
        let three = view(&[10, 20, 30]);
        assert_eq!(numbered("5:*", &three).unwrap(), [30]);
        assert_eq!(numbered("*", &three).unwrap(), [30]);
        assert_eq!(numbered("3,2:4", &three), Err(Beyond(SeqNo(4))));
        // RFC 7377 §2: in ESEARCH they name nothing.
        let within = |text: &str, all: &UidSet| {
            let found = set(text).within(Numbering::Sequence, all, &UidSet::new());
            found.iter().map(|uid| uid.0).collect::<Vec<_>>()
        };
        assert_eq!(within("101:200", &three), [0_u32; 0]);
        assert_eq!(within("2:200,7", &three), [20, 30]);
        assert_eq!(within("1,7,9:*", &three), [10, 30]);
        assert_eq!(within("1:4294967295", &view(&[])), [0_u32; 0]);
        assert_eq!(numbered("1:4294967295", &three), Err(Beyond(SeqNo(u32::MAX))));
        assert_eq!(uids("1:4294967295", &three), [10, 20, 30]);
        let none = view(&[]);
        assert_eq!(numbered("1:*", &none).unwrap(), [0_u32; 0]);
        assert_eq!(numbered("1", &none), Err(Beyond(SeqNo(1))));
        assert_eq!(uids("1:*,7", &none), [0_u32; 0]);
    }

    #[test]
    fn a_saved_result_forgets_what_is_gone() {
        let all = view(&[1, 2, 3]);
        let found = SequenceSet::Saved.resolve(Numbering::Sequence, &all, &view(&[2, 9])).unwrap();
        assert_eq!(found, view(&[2]));
    }

    #[test]
    fn sparse_views_cost_members_not_numbers() {
        let sparse = view(&[1, 1_000_000, 4_000_000_000]);
        assert_eq!(uids("2:4294967295", &sparse), [1_000_000, 4_000_000_000]);
    }

    #[test]
    fn sequence_numbers_of_uids() {
        let all = view(&[3, 5, 6, 7, 20, 30]);
        let mut out = Vec::new();
        write_numbers(&mut out, &all, &view(&[3, 5, 7, 20, 21]));
        assert_eq!(out, b"1:2,4:5");
        out.clear();
        write_uids(&mut out, &all);
        assert_eq!(out, b"3,5:7,20,30");
    }

    fn member(text: &str, uid: u32, last: u32) -> bool {
        let end = |end: &str| if end == "*" { last } else { end.parse::<u32>().unwrap() };
        text.split(',').any(|range| {
            let (one, other) = range.split_once(':').unwrap_or((range, range));
            let (one, other) = (end(one), end(other));
            (one.min(other)..=one.max(other)).contains(&uid)
        })
    }

    proptest! {
        #[test]
        fn resolving_agrees_with_a_look_at_each_message(
            members in proptest::collection::btree_set(1_u32..60, 0..30),
            ends in proptest::collection::vec((0_u32..60, 0_u32..60), 1..8),
        ) {
            let text = |end: u32| if end == 0 { "*".to_owned() } else { end.to_string() };
            let set: Vec<String> = ends.iter().map(|(a, b)| format!("{}:{}", text(*a), text(*b))).collect();
            let set = set.join(",");
            let all: UidSet = members.iter().map(|uid| Uid(*uid)).collect();
            let last = members.last().copied().unwrap_or(0);
            let wanted: Vec<u32> = members.iter().copied().filter(|uid| member(&set, *uid, last)).collect();
            prop_assert_eq!(uids(&set, &all), wanted);
            let members: Vec<u32> = members.into_iter().collect();
            let count = u32::try_from(members.len()).unwrap();
            if let Ok(found) = numbered(&set, &all) {
                let wanted: Vec<u32> = (1..=count).filter(|at| member(&set, *at, count)).map(|at| members[at as usize - 1]).collect();
                prop_assert_eq!(found, wanted);
            }
            let again = printed(&set);
            prop_assert_eq!(printed(&again), again);
        }
    }
}
