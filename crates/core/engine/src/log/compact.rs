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
//! - `Delete k`: written again when k is absent now *and* a segment older than s stays on the disk. If k is present, a
//!   later Put exists. If none stays, every other operation on k has a greater LSN than this one; and if there is
//!   one, the last of them is right by itself; and if there is none, none is needed. (Those that are condemned do not
//!   stay: segments leave the disk in the order of their numbers, each durably before the next.)
//! - `Content c` (c's place is what this operation says): written again, with the blob and the absolute count of
//!   references, and the index gets the new place in the same transaction. If c has another place, a later `Content`
//!   brought it there; if it is absent, a later `Refer c 0` freed it.
//! - `Refer c n`: c exists: `Refer c now` is written again if c's place is an older segment (else a `Content c` at or
//!   behind this place carries the count). c is absent: `Refer c 0` is written again by the rule for Delete.
//! - `Begin`: each segment has its own, and they only grow; the newest segment is never deleted.
//!
//! So at the end of the walk, for each x that s had the last word on, the same word stands at the tail, with a greater
//! LSN than anything older. Operations that arrive during the walk come later still. "On the disk" includes segments
//! that wait for deletion. A crash at any moment leaves s, or the rewritten records, or both: in each case every x is
//! right, for a repeated operation states what is true. Deletion waits for a checkpoint of the index *behind* s (the
//! durable index then needs nothing of s, and replay begins after it) and for the last snapshot that could read from s.
//!
//! # Why the log does not keep what was written twice
//!
//! A crash between rewriting s and deleting it leaves two `Put k v`, which both hold the newest value: by these rules
//! alone they would be carried along for ever, and double with the next such crash. So when the log has more operations
//! than the living keys account for, [`fold`] writes every living key once at the tail, and then gives up the oldest
//! segments one after the other without looking at their `Put`s: for each k that exists a Put stands behind them all;
//! for each that does not, what remains begins with its absence or has a Delete behind every Put.
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
use super::record::{Op, Ops, RECORD_HEADER_BYTES, RecordWriter, SEGMENT_HEADER_BYTES};
use super::segment::{Blobs, Segment, Step, Walker};
use super::shared::Shared;
use crate::pack::{PackedBytes, Shape};
use crate::{Abort, Commit, ContentId, Error, Order, Progress, Read};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// Bytes of blobs and operations in one slice (a larger record makes a larger slice).
const SLICE_BYTES: usize = 512 * 1024;
/// Small segments (of many restarts) are merged when there are more than these.
const SMALL_SEGMENTS_MAX: usize = 8;
/// Bytes of operations beyond twice the living ones at which they are folded: so much, or two segments if that is less.
const OPS_SLACK_BYTES: u64 = 256 << 20;
/// The same when an operator asks for compaction, beyond five quarters: so much, or a quarter of a segment.
const OPS_SLACK_NOW_BYTES: u64 = 1 << 20;

/// How eager.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effort {
    /// Segments less than 70 % live.
    Background,
    /// Segments less than 95 % live.
    Now,
}

/// Whether `Put`s that hold the newest value are written again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Puts {
    Again,
    /// No: every key was written behind this segment, see [`fold`].
    Behind,
}

/// What the background does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pick {
    Segment(u32),
    Fold,
}

/// How compaction reaches the committer: through its queue, or (in tests) by hand.
pub(crate) trait Reach {
    /// Runs `question` between two groups.
    fn ask<T: Send + 'static>(
        &mut self,
        question: impl FnOnce(&mut Committer) -> T + Send + 'static,
    ) -> Result<T, Error>;

    /// Has a slice written.
    fn write(&mut self, slice: Slice) -> Result<(), Error>;
}

impl Reach for &Queue {
    fn ask<T: Send + 'static>(
        &mut self,
        question: impl FnOnce(&mut Committer) -> T + Send + 'static,
    ) -> Result<T, Error> {
        Queue::ask(self, question)
    }

    fn write(&mut self, slice: Slice) -> Result<(), Error> {
        let (resolver, commit) = Commit::pair();
        self.push(Request::Slice(slice, resolver));
        match pollster::block_on(commit) {
            Ok(()) => Ok(()),
            Err(Abort::Engine(error)) => Err(error),
            Err(Abort::Cancelled) => Err(Error::Stopped),
        }
    }
}

/// Part of an old segment.
pub(crate) struct Slice {
    pub(crate) segment: u32,
    pub(crate) records: Vec<SliceRecord>,
    bytes: usize,
    puts: Puts,
}

pub(crate) struct SliceRecord {
    ops: Vec<u8>,
    blobs_at: u64,
    /// Those that were live when the slice was read.
    blobs: Vec<(ContentId, PackedBytes)>,
}

impl Slice {
    fn new(segment: u32, puts: Puts) -> Slice {
        Slice { segment, records: Vec::new(), bytes: 0, puts }
    }

    /// Writes what still counts into the open record (`older`: whether an older segment stays on the disk); answers the contents it moves, in the order of their blobs.
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
                    Op::Put { key, value } if self.puts == Puts::Again => {
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
                        Some(entry) if entry.place.segment < self.segment => {
                            writer.op(Op::Refer { id, references: entry.references });
                        }
                        None if older => writer.op(Op::Refer { id, references: 0 }),
                        _ => {}
                    },
                    Op::Put { .. } | Op::Delete { .. } | Op::Begin { .. } | Op::Seal => {}
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

/// Sealed segments that are not on their way out.
fn sealed(committer: &Committer) -> Vec<u32> {
    let position = committer.state.position;
    let numbers = committer.state.usage.keys().copied();
    let is_sealed = |number: &u32| *number < position.segment || committer.state.sealed;
    numbers.filter(is_sealed).filter(|number| !committer.is_condemned(*number)).collect()
}

/// Whether these segments hold many more operations than the living keys need.
fn has_too_many_ops(committer: &Committer, numbers: &[u32], effort: Effort) -> bool {
    let segment_bytes = committer.shared.options.segment_bytes;
    let live = committer.state.live_kv;
    let most = match effort {
        Effort::Background => 2 * live + OPS_SLACK_BYTES.min(2 * segment_bytes),
        Effort::Now => live + live / 4 + OPS_SLACK_NOW_BYTES.min(segment_bytes / 4),
    };
    let usage = numbers.iter().filter_map(|number| committer.state.usage.get(number));
    let ops: u64 = usage.map(|usage| usage.used.saturating_sub(usage.content)).sum();
    ops > most
}

/// What the background does next. `stuck` can't be rewritten.
pub(crate) fn pick(committer: &Committer, stuck: &[u32]) -> Option<Pick> {
    let all = sealed(committer);
    let state = &committer.state;
    let mut numbers = all.clone();
    numbers.retain(|number| !stuck.contains(number));
    if let Some(number) = numbers.iter().find(|number| is_worth(state, **number, Effort::Background)) {
        return Some(Pick::Segment(*number));
    }
    // Folding begins with the oldest, and ends where one is stuck.
    let can_fold = all.first().is_some_and(|oldest| !stuck.contains(oldest));
    if can_fold && has_too_many_ops(committer, &all, Effort::Background) && has_room_to_fold(committer) {
        return Some(Pick::Fold);
    }
    let small_bytes = committer.shared.options.segment_bytes / 8;
    let is_small = |number: &u32| state.usage.get(number).is_some_and(|usage| usage.used < small_bytes);
    let small: Vec<u32> = numbers.into_iter().filter(is_small).collect();
    (small.len() > SMALL_SEGMENTS_MAX).then(|| Pick::Segment(small[0]))
}

/// Every living key is written once more before the first byte comes back.
fn has_room_to_fold(committer: &Committer) -> bool {
    let shared = &committer.shared;
    let free = shared.disk.free_bytes(&shared.dir).unwrap_or(0);
    free > committer.state.live_kv + shared.options.reserve_bytes
}

/// Seals the newest segment when that is worth while; answers whether to fold.
fn prepare_now(committer: &mut Committer) -> Result<bool, Error> {
    let every: Vec<u32> =
        committer.state.usage.keys().copied().filter(|number| !committer.is_condemned(*number)).collect();
    let fold = has_too_many_ops(committer, &every, Effort::Now) && has_room_to_fold(committer);
    if fold || is_worth(&committer.state, committer.state.position.segment, Effort::Now) {
        committer.seal()?;
    }
    Ok(fold)
}

/// Rewrites one sealed segment and condemns it. `progress` gets bytes of it.
pub(crate) fn rewrite(
    shared: &Arc<Shared>,
    reach: &mut impl Reach,
    number: u32,
    puts: Puts,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let Some(segment) = shared.set().0.get(&number).cloned() else { return Ok(()) };
    let mut walker = Walker::new(&segment, SEGMENT_HEADER_BYTES, None, Blobs::Skip)?;
    loop {
        let (slice, ended) = read_slice(shared, &segment, &mut walker, puts)?;
        if !slice.records.is_empty() {
            reach.write(slice)?;
        }
        progress(walker.offset);
        if ended {
            break;
        }
    }
    drop(walker);
    drop(segment);
    reach.ask(move |committer| committer.condemn(number))
}

/// A segment that could not be read, and why.
pub(crate) struct Stuck {
    pub(crate) number: u32,
    pub(crate) error: Error,
}

/// Writes every living key once more, then gives up the oldest segments until the log holds not many more operations
/// than that; see the file's head. Ends early at a damaged segment, which it answers: nothing younger may go before it.
pub(crate) fn fold(
    shared: &Arc<Shared>,
    reach: &mut impl Reach,
    effort: Effort,
    progress: Progress<'_>,
) -> Result<Option<Stuck>, Error> {
    let numbers = reach.ask(|committer| sealed(committer))?;
    write_keys(shared, reach)?;
    let all = numbers.len() as u64;
    for (done, number) in numbers.into_iter().enumerate() {
        progress(done as u64, all);
        if !reach.ask(move |committer| has_too_many_ops(committer, &sealed(committer), effort))? {
            break;
        }
        match rewrite(shared, reach, number, Puts::Behind, &mut |_| {}) {
            Ok(()) => {}
            Err(error @ Error::Corrupt { .. }) => return Ok(Some(Stuck { number, error })),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Writes every key with its value at the tail. What changes meanwhile is written there by its own transaction.
fn write_keys(shared: &Arc<Shared>, reach: &mut impl Reach) -> Result<(), Error> {
    let mut last: Option<Vec<u8>> = None;
    loop {
        let mut writer = RecordWriter::default();
        writer.begin();
        let from = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut reached = None;
        let snapshot = shared.snapshot()?;
        snapshot.scan((from, Bound::Unbounded), Order::Ascending, &mut |key, value| {
            writer.op(Op::Put { key, value });
            if writer.bytes.len() < SLICE_BYTES {
                return ControlFlow::Continue(());
            }
            reached = Some(key.to_vec());
            ControlFlow::Break(())
        })?;
        drop(snapshot);
        if writer.has_ops() {
            // Of no segment: the committer compares each value with the newest one, as it does for a segment's.
            let mut slice = Slice::new(0, Puts::Again);
            let ops = writer.bytes.split_off(RECORD_HEADER_BYTES);
            slice.records.push(SliceRecord { ops, blobs_at: 0, blobs: Vec::new() });
            reach.write(slice)?;
        }
        if reached.is_none() {
            return Ok(());
        }
        last = reached;
    }
}

/// The next records of the segment; true when its seal was reached.
fn read_slice(
    shared: &Arc<Shared>,
    segment: &Segment,
    walker: &mut Walker<'_>,
    puts: Puts,
) -> Result<(Slice, bool), Error> {
    let snapshot = shared.snapshot()?;
    let mut slice = Slice::new(segment.number, puts);
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
                Op::Put { .. } => counts |= puts == Puts::Again,
                Op::Delete { .. } | Op::Refer { .. } => counts = true,
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
pub(crate) fn compact_now(
    shared: &Arc<Shared>,
    reach: &mut impl Reach,
    progress: Progress<'_>,
) -> Result<u64, Error> {
    let (before, folds) = reach.ask(|committer| {
        let before = used_bytes(&committer.state);
        prepare_now(committer).map(|folds| (before, folds))
    })??;
    let mut damage = None;
    if folds {
        let stuck =
            fold(shared, reach, Effort::Now, &mut |done, of| progress(before * done / of.max(1), before))?;
        damage = stuck.map(|stuck| stuck.error);
    }
    let sizes: Vec<(u32, u64)> = reach.ask(|committer| {
        let state = &committer.state;
        let numbers = sealed(committer).into_iter().filter(|number| is_worth(state, *number, Effort::Now));
        numbers.map(|number| (number, state.usage.get(&number).map_or(0, |usage| usage.used))).collect()
    })?;
    let total = sizes.iter().map(|(_, size)| size).sum();
    let mut done = 0;
    for (number, size) in sizes {
        let mut advance = |bytes: u64| progress(done + bytes.min(size), total);
        match rewrite(shared, reach, number, Puts::Again, &mut advance) {
            Ok(()) => {}
            // The rest can be compacted all the same; the damaged segment stays as it is.
            Err(error @ Error::Corrupt { .. }) => damage = Some(error),
            Err(error) => return Err(error),
        }
        done += size;
    }
    progress(total, total);
    let after = reach.ask(|committer| {
        committer.settle()?;
        committer.drop_spares();
        Ok::<u64, Error>(used_bytes(&committer.state))
    })??;
    let shrunk = super::shrink::shrink(shared, reach, Effort::Now)?;
    damage.map_or(Ok(before.saturating_sub(after) + shrunk), Err)
}

fn used_bytes(state: &State) -> u64 {
    state.usage.values().map(|usage| usage.used).sum()
}
