//! What any client has seen, so that no other may see anything else: a message has one content, and one set of flags at
//! each MODSEQ; and nobody sees less than was seen by somebody before it asked (RFC 7162 §3.1).

use crate::flags::Flags;
use crate::ledger::Key;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Sightings of one growing number: when, and how high.
#[derive(Default)]
struct Heights(VecDeque<(u64, u64)>);

impl Heights {
    fn see(&mut self, clock: u64, height: u64) {
        if self.0.back().is_some_and(|(_, last)| *last >= height) {
            return;
        }
        self.0.push_back((clock, height));
        if self.0.len() > 16 {
            self.0.pop_front();
        }
    }

    /// The highest that was seen before `clock`.
    fn before(&self, clock: u64) -> u64 {
        self.0.iter().filter(|(when, _)| *when < clock).map(|(_, height)| *height).max().unwrap_or(0)
    }
}

#[derive(Default)]
struct Message {
    id: Option<u64>,
    size: Option<u64>,
    dates: [Option<String>; 2],
    /// By MODSEQ, and by the bit that \Seen is to the viewer.
    flags: BTreeMap<(u64, usize), Flags>,
    modseq: Heights,
}

/// All sightings.
#[derive(Default)]
pub struct Facts {
    messages: HashMap<(Key, u32), Message>,
    highest: HashMap<Key, Heights>,
    uid_next: HashMap<Key, Heights>,
}

impl Facts {
    /// Flags at a MODSEQ, in the eyes of those whose \Seen is that bit.
    ///
    /// # Errors
    /// Somebody has seen others.
    pub fn flags(
        &mut self,
        key: Key,
        uid: u32,
        (modseq, seen): (u64, usize),
        flags: Flags,
        clock: u64,
    ) -> Result<(), String> {
        let message = self.messages.entry((key, uid)).or_default();
        message.modseq.see(clock, modseq);
        self.highest.entry(key).or_default().see(clock, modseq);
        match message.flags.insert((modseq, seen), flags) {
            Some(old) if old != flags => {
                Err(format!("UID {uid} of {key:?} at MODSEQ {modseq}: ({old}) was seen, now ({flags})"))
            }
            _ => Ok(()),
        }
    }

    /// The highest MODSEQ of a message that was told to anybody before `clock`.
    pub fn modseq_before(&self, key: Key, uid: u32, clock: u64) -> u64 {
        self.messages.get(&(key, uid)).map_or(0, |message| message.modseq.before(clock))
    }

    /// The subject's number and the size, as far as they were told.
    ///
    /// # Errors
    /// They were others before.
    pub fn content(&mut self, key: Key, uid: u32, id: Option<u64>, size: Option<u64>) -> Result<(), String> {
        let message = self.messages.entry((key, uid)).or_default();
        let differs = |old: Option<u64>, new: Option<u64>| old.is_some() && new.is_some() && old != new;
        if differs(message.id, id) || differs(message.size, size) {
            let (was, is) = ((message.id, message.size), (id, size));
            return Err(format!("UID {uid} of {key:?} was {was:?}, is {is:?}"));
        }
        message.id = message.id.or(id);
        message.size = message.size.or(size);
        Ok(())
    }

    /// INTERNALDATE and SAVEDATE, as far as they were told; they stay for ever (RFC 9051 §2.3.3, RFC 8514 §3).
    ///
    /// # Errors
    /// They were others before.
    pub fn dates(&mut self, key: Key, uid: u32, dates: [Option<String>; 2]) -> Result<(), String> {
        let message = self.messages.entry((key, uid)).or_default();
        for (old, new) in message.dates.iter_mut().zip(dates).filter(|(_, new)| new.is_some()) {
            if old.is_some() && *old != new {
                return Err(format!("UID {uid} of {key:?} was of {old:?}, is of {new:?}"));
            }
            *old = new;
        }
        Ok(())
    }

    /// HIGHESTMODSEQ that a command begun at `begin` was told at `clock`.
    ///
    /// # Errors
    /// Somebody was told of a higher one before.
    pub fn highest(&mut self, key: Key, highest: u64, begin: u64, clock: u64) -> Result<(), String> {
        grow(self.highest.entry(key).or_default(), "HIGHESTMODSEQ", key, highest, begin, clock)
    }

    /// UIDNEXT, likewise.
    ///
    /// # Errors
    /// Somebody was told of a higher one before.
    pub fn uid_next(&mut self, key: Key, next: u64, begin: u64, clock: u64) -> Result<(), String> {
        grow(self.uid_next.entry(key).or_default(), "UIDNEXT", key, next, begin, clock)
    }

    /// Forgets old flags.
    pub fn tidy(&mut self) {
        for message in self.messages.values_mut() {
            let newest = message.flags.last_key_value().map_or(0, |((modseq, _), _)| *modseq);
            message.flags.retain(|(modseq, _), _| *modseq == newest);
        }
    }
}

fn grow(
    heights: &mut Heights,
    name: &str,
    key: Key,
    height: u64,
    begin: u64,
    clock: u64,
) -> Result<(), String> {
    let before = heights.before(begin);
    heights.see(clock, height);
    if height < before {
        return Err(format!("{name} of {key:?} is {height}, and {before} was told before that was asked"));
    }
    Ok(())
}
