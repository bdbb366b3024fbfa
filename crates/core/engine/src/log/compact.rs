//! Giving back the space of freed content: a segment's records that still count are written again at the tail, then
//! the segment is deleted.
//!
//! # Why the index can always be rebuilt from the log
//!
//! Say that a key (or content id) x is *right* when the last operation on x among all segments on the disk, in LSN
//! order, gives its current state; no operation at all is right for an x that does not exist. A rebuild replays the
//! operations in that order, so it is exact if every x is right. Appending a transaction keeps that: its operations
//! are absolute and the newest. It remains to show that deleting segment s keeps it, after a walk over s in which each
//! operation was looked at, inside a transaction that sees the newest state, by these rules:
//!
//! - `Put k v`: written again when k's value is v now. If it is not, then a later operation on k gave it another state,
//!   and that one is right or, if it is in s too, was or will be looked at itself.
//! - `Delete k`: written again when k is absent now *and* a segment older than s is on the disk. If k is present, a
//!   later Put exists. If s is the oldest, every other operation on k has a greater LSN than this one; and if there is
//!   one, the last of them is right by itself; and if there is none, none is needed.
//! - `Content c` (c's place is what this operation says): written again, with the blob and the absolute count of
//!   references, and the index gets the new place in the same transaction. If c has another place, a later `Content`
//!   brought it there; if it is absent, a later `Refer c 0` freed it.
//! - `Refer c n`: c exists: `Refer c now` is written again (unless c's place is s: a `Content c` at or behind this place
//!   carries the count). c is absent: `Refer c 0` is written again by the rule for Delete.
//! - `Begin`: each segment has its own, and they only grow; the newest segment is never deleted.
//!
//! So at the end of the walk, for each x that s had the last word on, the same word stands at the tail, with a greater
//! LSN than anything older. Operations that arrive during the walk come later still. "On the disk" includes segments
//! that wait for deletion. A crash at any moment leaves s, or the rewritten records, or both: in each case every x is
//! right, for a repeated operation states what is true. Deletion waits for a checkpoint of the index *behind* s (the
//! durable index then needs nothing of s, and replay begins after it) and for the last snapshot that could read from s.
//!
//! A rebuild may meet `Refer c n` before the `Content c` that was moved behind it; replay keeps such ids aside and
//! insists that each is resolved at the end.
//!
//! Work is done in slices, each a request like any other in the committer's queue, so deliveries go on in the same
//! groups.

use super::Queue;
use super::applier::Newest;
use super::committer::{Committer, Request};
use super::index::{ContentEntry, Place, State};
use super::record::{Op, Ops, RecordWriter, SEGMENT_HEADER_BYTES};
use super::segment::{Blobs, Segment, Step, Walker};
use super::shared::Shared;
use crate::pack::{PackedBytes, Shape};
use crate::{Abort, Commit, ContentId, Error, Progress, Read};
use std::sync::Arc;

/// Bytes of blobs and operations in one slice (a larger record makes a larger slice).
const SLICE_BYTES: usize = 512 * 1024;
/// Small segments (of many restarts) are merged when there are more than these.
const SMALL_SEGMENTS_MAX: usize = 8;
/// Bytes of operations beyond twice the live ones at which the oldest segment is rewritten.
const KV_SLACK_BYTES: u64 = 256 << 20;
/// The same when an operator asks for compaction.
const KV_SLACK_NOW_BYTES: u64 = 1 << 20;

/// How eager.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effort {
    /// Segments less than 70 % live.
    Background,
    /// Segments less than 95 % live.
    Now,
}

/// Part of an old segment.
pub(crate) struct Slice {
    pub(crate) segment: u32,
    pub(crate) records: Vec<SliceRecord>,
    bytes: usize,
}

pub(crate) struct SliceRecord {
    ops: Vec<u8>,
    blobs_at: u64,
    /// Those that were live when the slice was read.
    blobs: Vec<(ContentId, PackedBytes)>,
}

impl Slice {
    fn new(segment: u32) -> Slice {
        Slice { segment, records: Vec::new(), bytes: 0 }
    }

    /// Writes what still counts into the open record; answers the contents it moves, in the order of their blobs.
    pub(crate) fn encode(
        &self,
        older: bool,
        newest: &Newest<'_>,
        writer: &mut RecordWriter,
    ) -> Result<Vec<(ContentId, ContentEntry)>, Error> {
        let mut moved = Vec::new();
        let mut blobs = Vec::new();
        for record in &self.records {
            let mut place = Place { segment: self.segment, offset: record.blobs_at };
            for op in Ops::new(&record.ops) {
                match op {
                    Op::Put { key, value } => {
                        let mut same = false;
                        newest.get_with(key, &mut |now| same = now == value)?;
                        if same {
                            writer.op(op);
                        }
                    }
                    Op::Delete { key } if older => {
                        if !newest.get_with(key, &mut |_| {})? {
                            writer.op(op);
                        }
                    }
                    Op::Content { id, shape, .. } => {
                        let entry = newest.content(id)?.filter(|entry| entry.place == place);
                        place.offset += shape.stored_len;
                        let Some(entry) = entry else { continue };
                        let read = record.blobs.iter().find(|(read, _)| *read == id);
                        let (_, packed) = read.expect("what is live now was live when the slice was read");
                        writer.op(Op::Content { id, references: entry.references, shape });
                        moved.push((id, entry));
                        blobs.push(packed);
                    }
                    Op::Refer { id, .. } => match newest.content(id)? {
                        Some(entry) if entry.place.segment != self.segment => {
                            writer.op(Op::Refer { id, references: entry.references });
                        }
                        None if older => writer.op(Op::Refer { id, references: 0 }),
                        _ => {}
                    },
                    Op::Delete { .. } | Op::Begin { .. } | Op::Seal => {}
                }
            }
        }
        writer.end_of_ops();
        blobs.into_iter().for_each(|packed| writer.blob(&packed.blob));
        Ok(moved)
    }
}

/// Whether segment `number` is worth rewriting.
fn is_worth(state: &State, number: u32, effort: Effort) -> bool {
    let Some(usage) = state.usage.get(&number) else { return false };
    let dead = usage.content.saturating_sub(usage.live);
    match effort {
        Effort::Background => dead * 10 > usage.used * 3,
        Effort::Now => dead * 20 > usage.used,
    }
}

fn has_too_many_ops(state: &State, slack: u64) -> bool {
    let ops: u64 = state.usage.values().map(|usage| usage.used.saturating_sub(usage.content)).sum();
    ops > 2 * state.live_kv + slack
}

/// Sealed segments that are not on their way out.
fn sealed(committer: &Committer) -> Vec<u32> {
    let position = committer.state.position;
    let numbers = committer.state.usage.keys().copied();
    let is_sealed = |number: &u32| *number < position.segment || committer.state.sealed;
    numbers.filter(is_sealed).filter(|number| !committer.is_condemned(*number)).collect()
}

/// The next segment that the background rewrites.
pub(crate) fn pick(committer: &Committer, stuck: &[u32]) -> Option<u32> {
    let mut numbers = sealed(committer);
    numbers.retain(|number| !stuck.contains(number));
    let state = &committer.state;
    if let Some(number) = numbers.iter().find(|number| is_worth(state, **number, Effort::Background)) {
        return Some(*number);
    }
    if has_too_many_ops(state, KV_SLACK_BYTES) {
        return numbers.first().copied();
    }
    let small_bytes = committer.shared.options.segment_bytes / 8;
    let is_small = |number: &u32| state.usage.get(number).is_some_and(|usage| usage.used < small_bytes);
    let small: Vec<u32> = numbers.into_iter().filter(is_small).collect();
    (small.len() > SMALL_SEGMENTS_MAX).then(|| small[0])
}

/// All that an operator's compaction rewrites; the newest segment is sealed for it when that is worth while.
pub(crate) fn pick_now(committer: &mut Committer) -> Result<Vec<u32>, Error> {
    let all = has_too_many_ops(&committer.state, KV_SLACK_NOW_BYTES);
    if all || is_worth(&committer.state, committer.state.position.segment, Effort::Now) {
        committer.seal()?;
    }
    let mut numbers = sealed(committer);
    numbers.retain(|number| all || is_worth(&committer.state, *number, Effort::Now));
    Ok(numbers)
}

/// Rewrites one sealed segment and condemns it. `progress` gets bytes of it.
pub(crate) fn rewrite(
    shared: &Arc<Shared>,
    queue: &Queue,
    number: u32,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let Some(segment) = shared.set().0.get(&number).cloned() else { return Ok(()) };
    let mut walker = Walker::new(&segment, SEGMENT_HEADER_BYTES, None, Blobs::Skip)?;
    loop {
        let (slice, ended) = read_slice(shared, &segment, &mut walker)?;
        if !slice.records.is_empty() {
            let (resolver, commit) = Commit::pair();
            queue.push(Request::Slice(slice, resolver));
            match pollster::block_on(commit) {
                Ok(()) => {}
                Err(Abort::Engine(error)) => return Err(error),
                Err(Abort::Cancelled) => return Err(Error::Stopped),
            }
        }
        progress(walker.offset);
        if ended {
            break;
        }
    }
    drop(walker);
    drop(segment);
    queue.ask(move |committer| committer.condemn(number))
}

/// The next records of the segment; true when its seal was reached.
pub(crate) fn read_slice(
    shared: &Arc<Shared>,
    segment: &Segment,
    walker: &mut Walker<'_>,
) -> Result<(Slice, bool), Error> {
    let snapshot = shared.snapshot()?;
    let mut slice = Slice::new(segment.number);
    while slice.bytes < SLICE_BYTES {
        let at = walker.offset;
        let record = match walker.step()? {
            Step::Record(record) => record,
            Step::Bad(why) => return Err(segment.damage(at, why)),
            Step::End => return Err(segment.damage(at, "the segment ends without its seal")),
        };
        let mut place = Place { segment: segment.number, offset: record.blobs_at };
        let mut blobs = Vec::new();
        let mut counts = false;
        for op in Ops::new(record.ops) {
            match op {
                Op::Seal => return Ok((slice, true)),
                Op::Content { id, shape, .. } => {
                    if snapshot.view.content(id)?.is_some_and(|entry| entry.place == place) {
                        slice.bytes += shape.stored_len as usize;
                        blobs.push((id, read_blob(segment, place.offset, id, shape)?));
                        counts = true;
                    }
                    place.offset += shape.stored_len;
                }
                Op::Begin { .. } => {}
                _ => counts = true,
            }
        }
        if counts {
            slice.bytes += record.ops.len();
            slice.records.push(SliceRecord { ops: record.ops.to_vec(), blobs_at: record.blobs_at, blobs });
        }
    }
    Ok((slice, false))
}

/// A whole blob, verified: damage must not be copied into a record, which would not count then.
fn read_blob(segment: &Segment, at: u64, id: ContentId, shape: Shape) -> Result<PackedBytes, Error> {
    let mut blob = vec![0; shape.stored_len as usize];
    segment.file.read_exact_at(&mut blob, at)?;
    let packed = PackedBytes { blob, shape };
    let verified = packed.verify();
    verified.map_err(|unreadable| unreadable.into_error(|| format!("content {}", id.0)))?;
    Ok(packed)
}

/// Rewrites everything that is worth it, and deletes it. Answers the bytes given back.
pub(crate) fn compact_now(shared: &Arc<Shared>, queue: &Queue, progress: Progress<'_>) -> Result<u64, Error> {
    let picked = queue.ask(|committer| {
        let before = shared_bytes(&committer.state);
        pick_now(committer).map(|numbers| (numbers, before))
    })?;
    let (numbers, before) = picked?;
    let set = shared.set();
    let sizes: Vec<u64> = numbers
        .iter()
        .map(|number| set.0.get(number).map_or(Ok(0), |segment| segment.file.len()))
        .collect::<Result<_, _>>()?;
    drop(set);
    let total = sizes.iter().sum();
    let mut done = 0;
    let mut damage = None;
    for (number, size) in numbers.iter().zip(sizes) {
        match rewrite(shared, queue, *number, &mut |bytes| progress(done + bytes.min(size), total)) {
            Ok(()) => {}
            // The rest can be compacted all the same; the damaged segment stays as it is.
            Err(error @ Error::Corrupt { .. }) => damage = Some(error),
            Err(error) => return Err(error),
        }
        done += size;
    }
    progress(total, total);
    let after = queue.ask(|committer| {
        committer.settle()?;
        committer.drop_spares();
        Ok::<u64, Error>(shared_bytes(&committer.state))
    })??;
    damage.map_or(Ok(before.saturating_sub(after)), Err)
}

fn shared_bytes(state: &State) -> u64 {
    state.usage.values().map(|usage| usage.used).sum()
}
