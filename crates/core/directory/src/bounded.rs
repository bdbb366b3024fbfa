//! A map that forgets: bounded, and what was used of late stays.
//!
//! Two halves: everything touched goes to the young one; when that is full, the old half is dropped and the young one
//! becomes old. So an entry survives as long as fewer than half the bound of others are touched between two uses of it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

pub(crate) struct Bounded<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Eq + Hash, V> Bounded<K, V> {
    /// At most `entries_max` entries (at least two).
    pub(crate) fn new(entries_max: usize) -> Bounded<K, V> {
        Bounded { young: HashMap::new(), old: HashMap::new(), half: (entries_max / 2).max(1) }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Counts as a use.
    pub(crate) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    pub(crate) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.young.remove(key);
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_what_is_not_goes() {
        let mut map = Bounded::new(100);
        map.insert(0, "kept");
        map.insert(1, "forgotten");
        for n in 2..10_000 {
            map.insert(n, "");
            assert!(map.len() <= 100);
            assert_eq!(map.get_mut(&0), Some(&mut "kept"), "after {n}");
        }
        assert_eq!(map.get_mut(&1), None);
        map.remove(&0);
        assert_eq!(map.get_mut(&0), None);
    }
}
