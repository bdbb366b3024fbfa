//! A compressed set of UIDs with rank and select: sequence number ⇄ UID without a list (DESIGN.md §3, Views).

use crate::{SeqNo, Uid};
use roaring::RoaringBitmap;

/// A set of UIDs. Cheap to hold (a bit or less per message in dense mailboxes) and quick to number.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct UidSet(RoaringBitmap);

impl UidSet {
    /// The empty set.
    pub fn new() -> UidSet {
        UidSet::default()
    }

    /// Number of UIDs in it.
    pub fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one; answers whether it is new.
    pub fn insert(&mut self, uid: Uid) -> bool {
        self.0.insert(uid.0)
    }

    /// Adds `first..=last`.
    pub fn insert_range(&mut self, first: Uid, last: Uid) {
        if first <= last {
            self.0.insert_range(first.0..=last.0);
        }
    }

    /// Adds a UID, as a rule one larger than all in the set. (Roaring's own push looks for the largest member each time,
    /// half a microsecond in a dense set.)
    pub fn push(&mut self, uid: Uid) {
        self.0.insert(uid.0);
    }

    /// Removes one; answers whether it was there.
    pub fn remove(&mut self, uid: Uid) -> bool {
        self.0.remove(uid.0)
    }

    /// Whether it holds `uid`.
    pub fn contains(&self, uid: Uid) -> bool {
        self.0.contains(uid.0)
    }

    /// The UID with that number among the ascending members, from 1.
    pub fn select(&self, number: SeqNo) -> Option<Uid> {
        self.0.select(number.0.checked_sub(1)?).map(Uid)
    }

    /// The number of `uid` among the ascending members, from 1.
    pub fn rank(&self, uid: Uid) -> Option<SeqNo> {
        if !self.0.contains(uid.0) {
            return None;
        }
        u32::try_from(self.0.rank(uid.0)).ok().map(SeqNo)
    }

    /// How many members are at most `uid`.
    pub fn count_up_to(&self, uid: Uid) -> u32 {
        u32::try_from(self.0.rank(uid.0)).unwrap_or(u32::MAX)
    }

    /// Smallest member.
    pub fn first(&self) -> Option<Uid> {
        self.0.min().map(Uid)
    }

    /// Largest member.
    pub fn last(&self) -> Option<Uid> {
        self.0.max().map(Uid)
    }

    /// Members in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Uid> + '_ {
        self.0.iter().map(Uid)
    }

    /// Members from `first` on, in ascending order.
    pub fn iter_from(&self, first: Uid) -> impl Iterator<Item = Uid> + '_ {
        self.0.range(first.0..).map(Uid)
    }

    /// Maximal runs `first..=last`, in ascending order.
    pub fn ranges(&self) -> Vec<(Uid, Uid)> {
        let mut runs: Vec<(Uid, Uid)> = Vec::new();
        for uid in self.0.iter() {
            match runs.last_mut() {
                Some((_, last)) if last.0.checked_add(1) == Some(uid) => last.0 = uid,
                _ => runs.push((Uid(uid), Uid(uid))),
            }
        }
        runs
    }

    /// Members of both.
    #[must_use]
    pub fn and(&self, other: &UidSet) -> UidSet {
        UidSet(&self.0 & &other.0)
    }

    /// Members of either.
    #[must_use]
    pub fn or(&self, other: &UidSet) -> UidSet {
        UidSet(&self.0 | &other.0)
    }

    /// Members of this one that are not in the other.
    #[must_use]
    pub fn minus(&self, other: &UidSet) -> UidSet {
        UidSet(&self.0 - &other.0)
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(uids: I) -> Self {
        UidSet(uids.into_iter().map(|uid| uid.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_uids_turn_into_each_other() {
        let set: UidSet = [3, 5, 6, 7, 900_000].map(Uid).into_iter().collect();
        assert_eq!(set.select(SeqNo(0)), None);
        assert_eq!(set.select(SeqNo(2)), Some(Uid(5)));
        assert_eq!(set.select(SeqNo(6)), None);
        assert_eq!(set.rank(Uid(900_000)), Some(SeqNo(5)));
        assert_eq!(set.rank(Uid(4)), None);
        assert_eq!(set.ranges(), [(Uid(3), Uid(3)), (Uid(5), Uid(7)), (Uid(900_000), Uid(900_000))]);
    }
}
