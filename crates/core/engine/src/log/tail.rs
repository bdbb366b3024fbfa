//! The end of the log and what leaves it: sealing and opening segments, letting go of rewritten ones. The part of the
//! committer that deals with files; its invariants are in committer.rs and segment.rs.

use super::committer::{Committer, Tail};
use super::index::{Position, Usage};
use super::record::{BEGIN_BYTES, Op, RecordWriter, SEAL_BYTES, SEGMENT_HEADER_BYTES, segment_header};
use super::segment::{Segment, UNFINISHED_NAME, path_of, spare_name};
use crate::Error;
use crate::disk::{DiskFile, Open, remove_if_there};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// Freed segments kept to be used again: overwriting a file syncs faster than extending one.
const SPARES_MAX: usize = 2;

/// A segment begins with this much of the disk (or this share of its full size, if that is less), or with as much as all
/// others hold together, and doubles up to its full size: a small store takes little, a large one seldom pays for
/// growing (a flush of the file's length).
const FIRST_BYTES: u64 = 1 << 20;
const FIRST_SHARE: u64 = 8;

impl Committer {
    /// Makes sure that a new segment is open which holds a record of `record_len`.
    pub(super) fn roll(&mut self, record_len: u64) -> Result<(), Error> {
        self.seal()?;
        self.open_segment(record_len)
    }

    /// Ends the newest segment durably and gives back the space behind its end.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        let (Tail::Open { segment, .. } | Tail::Broken(segment)) = &self.tail else { return Ok(()) };
        if self.stopped() {
            return Err(Error::Stopped);
        }
        let segment = segment.clone();
        let Position { offset, lsn, .. } = self.state.position;
        let seal = RecordWriter::single(Op::Seal, lsn + 1, lsn, segment.salt);
        self.tail = Tail::Broken(segment.clone());
        segment.file.write_all_at(&seal, offset)?;
        segment.file.set_len(offset + SEAL_BYTES)?;
        segment.file.sync_data().map_err(|_| self.stop())?;
        self.tail = Tail::Closed;
        self.state.position = Position { segment: segment.number, offset: offset + SEAL_BYTES, lsn: lsn + 1 };
        self.state.sealed = true;
        self.state.usage.entry(segment.number).or_default().used = offset + SEAL_BYTES;
        self.unsaved = true;
        Ok(())
    }

    /// Whether the open segment holds what ends at `end`; it grows for that if it may.
    pub(super) fn reserve(&mut self, end: u64) -> bool {
        let shared = self.shared.clone();
        let Tail::Open { segment, capacity } = &mut self.tail else { return false };
        if end <= *capacity {
            return true;
        }
        let wish = (*capacity * 2).max(end).min(shared.options.segment_bytes);
        let free = shared.disk.free_bytes(&shared.dir).unwrap_or(0);
        // Where it can't grow, the next segment (which may be refused) is tried.
        if end > wish || wish - *capacity > free.saturating_sub(shared.options.reserve_bytes / 2) {
            return false;
        }
        if segment.file.allocate(wish).is_err() {
            return false;
        }
        *capacity = wish;
        true
    }

    pub(super) fn open_segment(&mut self, record_len: u64) -> Result<(), Error> {
        let shared = self.shared.clone();
        let newest = shared.set().0.keys().next_back().copied().unwrap_or(0);
        let number = newest.max(self.state.position.segment) + 1;
        let salt = draw_salt();
        let unfinished = shared.log_dir.join(UNFINISHED_NAME);
        let file = match self.make_segment_file(number, salt, record_len) {
            Ok(file) => file,
            Err(error) => {
                // Nothing lost if this fails too: it is removed at the next start.
                let _ = remove_if_there(&*shared.disk, &unfinished);
                return Err(error);
            }
        };
        // From here on a half-made name could hide records that follow: only a restart clears that up.
        let named = shared.disk.rename(&unfinished, &path_of(&shared.log_dir, number));
        named.and_then(|()| shared.disk.sync_dir(&shared.log_dir)).map_err(|_| self.stop())?;
        let capacity = file.len()?;
        let segment = Arc::new(Segment { number, salt, file });
        let mut set = (*shared.set()).clone();
        set.0.insert(number, segment.clone());
        shared.publish(self.index.clone(), Some(Arc::new(set)));
        let offset = SEGMENT_HEADER_BYTES + BEGIN_BYTES;
        self.state.position = Position { segment: number, offset, lsn: self.state.position.lsn + 1 };
        self.state.sealed = false;
        self.state.usage.insert(number, Usage { used: offset, ..Usage::default() });
        self.tail = Tail::Open { segment, capacity };
        self.unsaved = true;
        Ok(())
    }

    /// A file with header and first record, durable but for its name.
    pub(super) fn make_segment_file(
        &mut self,
        number: u32,
        salt: u32,
        record_len: u64,
    ) -> Result<Arc<dyn DiskFile>, Error> {
        let shared = &self.shared;
        let unfinished = shared.log_dir.join(UNFINISHED_NAME);
        let need = SEGMENT_HEADER_BYTES + BEGIN_BYTES + record_len + SEAL_BYTES;
        let recycled = self.spares.pop();
        if let Some(spare) = recycled {
            shared.disk.rename(&shared.log_dir.join(spare_name(spare)), &unfinished)?;
        } else {
            remove_if_there(&*shared.disk, &unfinished)?;
        }
        let file = shared.disk.open(&unfinished, Open::Create)?;
        let held = file.len()?;
        // A nearly full disk gets smaller segments rather than none; half of the reserve stays for the index.
        let free = shared.disk.free_bytes(&shared.dir)?.saturating_sub(shared.options.reserve_bytes / 2);
        let used: u64 = self.state.usage.values().map(|usage| usage.used).sum();
        let full = shared.options.segment_bytes;
        let first = FIRST_BYTES.min(full / FIRST_SHARE).max(used).min(full);
        let wish = first.min(held + free / 2).max(need);
        if wish > held + free {
            return Err(Error::Full);
        }
        file.allocate(wish)?;
        file.write_all_at(&segment_header(number, salt), 0)?;
        let Position { lsn, .. } = self.state.position;
        let begin =
            RecordWriter::single(Op::Begin { next_content: self.state.next_content }, lsn + 1, lsn, salt);
        file.write_all_at(&begin, SEGMENT_HEADER_BYTES)?;
        file.sync_data()?;
        Ok(file)
    }

    /// Whether a segment older than `number` is to stay on the disk. Condemned and retired ones leave in the order of
    /// their numbers, so these are gone before `number` is.
    pub(super) fn has_older(&self, number: u32) -> bool {
        self.shared.set().0.range(..number).any(|(older, _)| !self.is_condemned(*older))
    }

    /// Everything of segment `number` that counts was written again (and is durable).
    pub(crate) fn condemn(&mut self, number: u32) {
        if let Some(segment) = self.shared.set().0.get(&number) {
            self.condemned.insert(number, segment.clone());
            self.unsaved = true;
        }
    }

    pub(crate) fn is_condemned(&self, number: u32) -> bool {
        self.condemned.contains_key(&number)
    }

    /// Lets go of what is condemned: the position moves behind every sealed segment, and the index is made durable.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        if self.condemned.is_empty() {
            return Ok(());
        }
        if !matches!(self.tail, Tail::Open { .. }) {
            self.roll(0)?;
        }
        self.checkpoint()
    }

    /// Takes condemned segments out of the set: the durable index does not need them any more.
    pub(super) fn retire_condemned(&mut self) {
        // Replay begins in the segment of the checkpoint, so that one and those after it stay.
        let kept = self.condemned.split_off(&self.checkpointed.segment);
        let condemned = std::mem::replace(&mut self.condemned, kept);
        if condemned.is_empty() {
            return;
        }
        let mut set = (*self.shared.set()).clone();
        for (number, segment) in condemned {
            let usage = self.state.usage.remove(&number).unwrap_or_default();
            assert!(usage.live == 0, "segment {number} still holds {} live bytes", usage.live);
            set.0.remove(&number);
            self.retired.push(segment);
        }
        self.shared.publish(self.index.clone(), Some(Arc::new(set)));
    }

    pub(crate) fn has_retired(&self) -> bool {
        !self.retired.is_empty()
    }

    /// Deletes (or keeps for later use) the files of retired segments that no snapshot can read from any more, the
    /// oldest first, each durably: what a younger one says of keys that are gone is needed as long as an older one has
    /// them.
    pub(crate) fn release_retired(&mut self) {
        let shared = self.shared.clone();
        self.retired.sort_unstable_by_key(|segment| segment.number);
        while self.retired.first().is_some_and(|segment| Arc::strong_count(segment) == 1) {
            let segment = self.retired.remove(0);
            let path = path_of(&shared.log_dir, segment.number);
            let whole = segment.file.len().is_ok_and(|len| len >= shared.options.segment_bytes / 2);
            let spare = shared.log_dir.join(spare_name(segment.number));
            if whole && self.spares.len() < SPARES_MAX && shared.disk.rename(&path, &spare).is_ok() {
                self.spares.push(segment.number);
            } else if remove_if_there(&*shared.disk, &path).is_err() {
                // Tried again later, before those behind it.
                self.retired.insert(0, segment);
                return;
            }
            if shared.disk.sync_dir(&shared.log_dir).is_err() {
                self.stop();
                return;
            }
        }
    }

    /// Deletes the files kept for later use.
    pub(crate) fn drop_spares(&mut self) {
        for spare in std::mem::take(&mut self.spares) {
            // A leftover is found and used at the next start.
            let _ = remove_if_there(&*self.shared.disk, &self.shared.log_dir.join(spare_name(spare)));
        }
    }
}

/// A random number from the standard library's own source, see record.rs.
fn draw_salt() -> u32 {
    std::hash::RandomState::new().build_hasher().finish() as u32
}
