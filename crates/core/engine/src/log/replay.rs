//! Bringing an index up to date from the log: after a crash from its last checkpoint, in a rebuild from the beginning.
//!
//! Where the log may end: a segment that is not the last one ends with its seal, and with nothing else. The last one
//! may end anywhere, and may be followed by torn writes; but a bad record followed by one that knows it as flushed was
//! once whole, so that is damage and is reported, never taken for the end.
//!
//! A salvage goes on behind damage, at the next record that holds, and tells what it had to leave out.

use super::index::{Delta, Index, Position, Replayed, State, Tables, trouble};
use super::segment::{Blobs, Segment, SegmentSet, Step, Walker};
use crate::{ContentId, Error, Progress};
use std::collections::BTreeSet;

/// Records taken in by one commit of the index.
const BATCH_RECORDS: usize = 4096;
const BATCH_BYTES: u64 = 16 << 20;

/// Takes in all records behind `state.position` (of an empty state: all there are) up to `limit`, or else to the end.
/// Answers the state then, and contents that are referred to but not there.
pub(crate) fn replay(
    index: &Index,
    set: &SegmentSet,
    state: State,
    limit: Option<Position>,
    progress: Progress<'_>,
) -> Result<(State, BTreeSet<ContentId>), Error> {
    replay_with(index, set, state, limit, None, progress)
}

/// The same; with `salvage`, damage is noted there, one sentence each, instead of ending it.
pub(crate) fn replay_with(
    index: &Index,
    set: &SegmentSet,
    state: State,
    limit: Option<Position>,
    salvage: Option<&mut Vec<String>>,
    progress: Progress<'_>,
) -> Result<(State, BTreeSet<ContentId>), Error> {
    let mut run = Run { index, state, delta: Delta::default(), orphans: BTreeSet::new(), salvage };
    let total = total_bytes(set, run.state.position)?;
    let mut done = 0;
    let first = run.state.position.segment;
    if first != 0 && !set.0.contains_key(&first) {
        return Err(missing(first));
    }
    let last = set.0.keys().next_back().copied().unwrap_or(0);
    for (number, segment) in set.0.range(first..) {
        let resuming = *number == first;
        if resuming && run.state.sealed {
            continue;
        }
        if !resuming && first != 0 && *number != run.state.position.segment + 1 {
            // Only segments before a checkpoint are ever reclaimed.
            return Err(missing(run.state.position.segment + 1));
        }
        if limit.is_some_and(|limit| *number > limit.segment) {
            break;
        }
        let start = if resuming { run.state.position.offset } else { super::record::SEGMENT_HEADER_BYTES };
        let end = limit.filter(|limit| limit.segment == *number).map(|limit| limit.offset);
        // Every segment but the last was flushed whole before the next one was made.
        let blobs = if *number == last && limit.is_none() { Blobs::Verify } else { Blobs::Skip };
        let mut walker = Walker::new(segment, start, end, blobs)?;
        let sealed = run.segment(segment, &mut walker, &mut |bytes| progress(done + bytes, total))?;
        done += segment.file.len()?;
        let ends_early = sealed == Replayed::Open && *number != last;
        if let Some(lost) = run.salvage.as_deref_mut().filter(|_| ends_early) {
            lost.push(segment.damage(walker.offset, "what stood from here to the segment's end").to_string());
        } else if ends_early && limit.is_none_or(|limit| limit.segment != *number) {
            return Err(segment.damage(walker.offset, "the segment ends without its seal"));
        }
    }
    progress(total, total);
    Ok((run.state, run.orphans))
}

fn missing(number: u32) -> Error {
    let what = format!("log segment {}", super::segment::file_name(number));
    Error::Corrupt { what, why: "it is missing".into() }
}

fn total_bytes(set: &SegmentSet, from: Position) -> Result<u64, Error> {
    let mut total = 0;
    for segment in set.0.range(from.segment..) {
        total += segment.1.file.len()?;
    }
    Ok(total)
}

struct Run<'a> {
    index: &'a Index,
    state: State,
    delta: Delta,
    orphans: BTreeSet<ContentId>,
    salvage: Option<&'a mut Vec<String>>,
}

impl Run<'_> {
    /// Takes in what the walker finds, in batches.
    fn segment(
        &mut self,
        segment: &Segment,
        walker: &mut Walker<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Replayed, Error> {
        loop {
            let txn = self.index.begin()?;
            let mut tables = Tables::open(&txn)?;
            let batch_end = walker.offset + BATCH_BYTES;
            let mut outcome = None;
            for _ in 0..BATCH_RECORDS {
                outcome = self.record(segment, walker, &mut tables)?;
                if outcome.is_some() || walker.offset > batch_end {
                    break;
                }
            }
            drop(tables);
            txn.commit().map_err(trouble)?;
            progress(walker.offset);
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
        }
    }

    /// Takes in one record. Some when the segment ends here.
    fn record(
        &mut self,
        segment: &Segment,
        walker: &mut Walker<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<Option<Replayed>, Error> {
        let position = self.state.position;
        // Across a gap left by reclaimed segments the numbers jump; else they follow each other strictly.
        let adjacent =
            segment.number <= position.segment + 1 && position.segment != 0 && self.salvage.is_none();
        let at = walker.offset;
        let why = match walker.step()? {
            Step::End => return Ok(Some(Replayed::Open)),
            Step::Bad(why) => why,
            Step::Record(record) => {
                let follows = record.lsn == position.lsn + 1 || (!adjacent && record.lsn > position.lsn);
                // A blob damaged in a record that was flushed once: only that content can't be read, and says so.
                let torn = record
                    .bad_blob
                    .filter(|_| !matches!(segment.was_flushed(record.at + record.len, record.lsn), Ok(true)));
                match torn {
                    None if follows => {
                        let sealed = tables.replay(
                            segment.number,
                            &record,
                            &mut self.state,
                            &mut self.delta,
                            &mut self.orphans,
                        )?;
                        return Ok((sealed == Replayed::Sealed).then_some(sealed));
                    }
                    None => "its number does not follow the one before",
                    Some(why) => why,
                }
            }
        };
        if segment.was_flushed(at, position.lsn + 1)? {
            return self.skip(segment, walker, at, why);
        }
        walker.offset = at;
        Ok(Some(Replayed::Open))
    }

    /// Past damage at `at`: an error, or in a salvage the next record that holds.
    fn skip(
        &mut self,
        segment: &Segment,
        walker: &mut Walker<'_>,
        at: u64,
        why: &str,
    ) -> Result<Option<Replayed>, Error> {
        let Some(lost) = &mut self.salvage else { return Err(segment.damage(at, why)) };
        let Some((next, lsn)) = segment.next_record(at + 1, self.state.position.lsn)? else {
            walker.offset = at;
            return Ok(Some(Replayed::Open));
        };
        let count = lsn - self.state.position.lsn - 1;
        let words = format!("{why}; {} bytes with {count} transactions", next - at);
        lost.push(segment.damage(at, &words).to_string());
        walker.offset = next;
        Ok(None)
    }
}
