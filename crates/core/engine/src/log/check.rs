//! Walking over everything: the log's records, the contents, and the index against what the log says.
//!
//! Runs beside the server on one snapshot. It keeps 16 bytes for each key and about 60 for each content in memory.

use super::Queue;
use super::index::{ContentEntry, Position, State};
use super::record::{Op, Ops, SEGMENT_HEADER_BYTES, entry_of};
use super::segment::{Blobs, Segment, Step, Walker};
use super::shared::LogSnapshot;
use crate::{CheckReport, ContentId, Error, Order, Progress, Read, Snapshot};
use rustc_hash::{FxHashMap, FxHasher};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::ops::{Bound, ControlFlow};

/// Contents are read in pieces of this size.
const PIECE_BYTES: u64 = 1 << 20;
/// More sentences than these help nobody.
const PROBLEMS_MAX: usize = 1000;

/// What replaying the log gives.
#[derive(Default)]
struct FromLog {
    keys: FxHashMap<u64, u64>,
    contents: FxHashMap<u64, ContentEntry>,
    /// References by records that stand before the one that brings the content.
    orphans: FxHashMap<u64, u32>,
    last: Option<(u32, u64)>,
}

struct Check<'a> {
    report: CheckReport,
    progress: Progress<'a>,
    done: u64,
    total: u64,
}

/// See [`crate::Engine::check`].
pub(crate) fn check(queue: &Queue, progress: Progress<'_>) -> Result<CheckReport, Error> {
    let (snapshot, state) = queue.ask(|committer| {
        let snapshot = committer.shared.snapshot();
        snapshot.map(|snapshot| (snapshot, committer.state.clone()))
    })??;
    check_at(&snapshot, &state, progress)
}

/// Checks a snapshot that was taken together with `state`.
pub(crate) fn check_at(
    snapshot: &LogSnapshot,
    state: &State,
    progress: Progress<'_>,
) -> Result<CheckReport, Error> {
    let log_bytes: u64 = state.usage.values().map(|usage| usage.used).sum();
    let total = log_bytes + state.live_content();
    let mut check = Check { report: CheckReport::default(), progress, done: 0, total };
    let mut from_log = FromLog::default();
    for segment in snapshot.set.0.values() {
        check.segment(segment, state.position, state.sealed, &mut from_log)?;
    }
    for id in from_log.orphans.keys() {
        check.problem(format!("content {id} is referred to but not in the log"));
    }
    check.contents(snapshot, state, &mut from_log)?;
    check.entries(snapshot, state, &mut from_log)?;
    Ok(check.report)
}

fn hash_of(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    bytes.hash(&mut hasher);
    hasher.finish()
}

impl Check<'_> {
    fn problem(&mut self, sentence: String) {
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(sentence);
        }
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        (self.progress)(self.done.min(self.total), self.total);
    }

    fn segment(
        &mut self,
        segment: &Segment,
        position: Position,
        sealed: bool,
        from_log: &mut FromLog,
    ) -> Result<(), Error> {
        if segment.number > position.segment {
            return Ok(());
        }
        let is_last = segment.number == position.segment;
        let limit = is_last.then_some(position.offset);
        let mut walker = Walker::new(segment, SEGMENT_HEADER_BYTES, limit, Blobs::Skip)?;
        let may_end = is_last && !sealed;
        let mut advanced = SEGMENT_HEADER_BYTES;
        loop {
            let at = walker.offset;
            match walker.step() {
                Ok(Step::Record(record)) => {
                    self.report.records += 1;
                    if let Some((number, lsn)) = from_log.last {
                        let follows =
                            record.lsn == lsn + 1 || (number + 1 < segment.number && record.lsn > lsn);
                        if !follows {
                            let words = format!("record {} follows record {lsn}", record.lsn);
                            self.problem(segment.damage(at, &words).to_string());
                        }
                    }
                    from_log.last = Some((segment.number, record.lsn));
                    let sealing = from_log.take_in(segment.number, record.ops, record.blobs_at);
                    if sealing {
                        break;
                    }
                }
                Ok(Step::End) if may_end => break,
                Ok(Step::End) => {
                    self.problem(segment.damage(at, "the segment ends without its seal").to_string());
                    break;
                }
                Ok(Step::Bad(why)) => {
                    // What lies behind can't be told apart from garbage: it is missing from the comparison below.
                    self.problem(segment.damage(at, why).to_string());
                    break;
                }
                Err(error) => {
                    self.problem(segment.damage(at, &error.to_string()).to_string());
                    break;
                }
            }
            let step = walker.offset - advanced;
            if step > PIECE_BYTES {
                advanced = walker.offset;
                self.advance(step);
            }
        }
        self.advance(walker.offset - advanced);
        Ok(())
    }

    fn contents(
        &mut self,
        snapshot: &LogSnapshot,
        state: &State,
        from_log: &mut FromLog,
    ) -> Result<(), Error> {
        let mut live: BTreeMap<u32, u64> = BTreeMap::new();
        let mut piece = Vec::new();
        snapshot.view.each_content(&mut |id, entry| {
            self.report.contents += 1;
            *live.entry(entry.place.segment).or_default() += entry.shape.stored_len;
            if id.0 >= state.next_content {
                self.problem(format!("content {} is younger than the next one to come", id.0));
            }
            match from_log.contents.remove(&id.0) {
                Some(logged) if logged == entry => {}
                Some(logged) => self.problem(format!("content {}: index {entry:?}, log {logged:?}", id.0)),
                None => self.problem(format!("content {} is in the index but not in the log", id.0)),
            }
            self.read(snapshot, id, entry, &mut piece);
            Ok(())
        })?;
        for id in from_log.contents.keys() {
            self.problem(format!("content {id} is in the log but not in the index"));
        }
        for (number, usage) in &state.usage {
            let counted = live.remove(number).unwrap_or(0);
            if counted != usage.live {
                self.problem(format!("segment {number}: {} live bytes noted, {counted} counted", usage.live));
            }
        }
        for number in live.keys() {
            self.problem(format!("segment {number} has live content but is not there"));
        }
        Ok(())
    }

    fn read(&mut self, snapshot: &LogSnapshot, id: ContentId, entry: ContentEntry, piece: &mut Vec<u8>) {
        let mut at = 0;
        while at < entry.shape.raw_len {
            piece.clear();
            let end = at + PIECE_BYTES;
            if let Err(error) = snapshot.read_content(id, at..end, piece) {
                self.report.damaged.push(id);
                self.problem(error.to_string());
                break;
            }
            at = end;
        }
        self.advance(entry.shape.stored_len);
    }

    fn entries(
        &mut self,
        snapshot: &LogSnapshot,
        state: &State,
        from_log: &mut FromLog,
    ) -> Result<(), Error> {
        let mut live_kv = 0;
        let everything = (Bound::Unbounded, Bound::Unbounded);
        snapshot.scan(everything, Order::Ascending, &mut |key, value| {
            self.report.entries += 1;
            live_kv += (key.len() + value.len()) as u64;
            match from_log.keys.remove(&hash_of(key)) {
                Some(logged) if logged == hash_of(value) => {}
                Some(_) => self.problem(format!("key {}: index and log differ", Hex(key))),
                None => self.problem(format!("key {} is in the index but not in the log", Hex(key))),
            }
            ControlFlow::Continue(())
        })?;
        if !from_log.keys.is_empty() {
            self.problem(format!("{} keys are in the log but not in the index", from_log.keys.len()));
        }
        if live_kv != state.live_kv {
            self.problem(format!("{} live bytes of keys and values noted, {live_kv} counted", state.live_kv));
        }
        Ok(())
    }
}

impl FromLog {
    /// Takes in one record; answers whether it is the seal.
    fn take_in(&mut self, segment: u32, ops: &[u8], blobs_at: u64) -> bool {
        let mut blob_at = blobs_at;
        let mut sealing = false;
        for op in Ops::new(ops) {
            match op {
                Op::Put { key, value } => {
                    self.keys.insert(hash_of(key), hash_of(value));
                }
                Op::Delete { key } => {
                    self.keys.remove(&hash_of(key));
                }
                Op::Content { id, references, shape } => {
                    self.contents.insert(id.0, entry_of(segment, blob_at, references, shape));
                    self.orphans.remove(&id.0);
                    blob_at += shape.stored_len;
                }
                Op::Refer { id, references: 0 } => {
                    self.contents.remove(&id.0);
                    self.orphans.remove(&id.0);
                }
                Op::Refer { id, references } => match self.contents.get_mut(&id.0) {
                    Some(entry) => entry.references = references,
                    None => {
                        self.orphans.insert(id.0, references);
                    }
                },
                Op::Begin { .. } => {}
                Op::Seal => sealing = true,
            }
        }
        sealing
    }
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
