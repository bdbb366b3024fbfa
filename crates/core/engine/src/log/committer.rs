//! The single committer: takes waiting requests, runs them one after the other, makes one buffer of records of them,
//! appends and flushes it once, commits the index, answers.
//!
//! It is a plain state machine without threads or clocks of its own ([`super::LogEngine`] gives it a thread), so tests
//! drive it step by step on a faulty disk. What holds at all times:
//!
//! - `state` describes what is committed: flushed in the log and visible in the index. Nothing of a group that fails
//!   gets into it.
//! - The index never shows what is not flushed: its commit comes after the flush.
//! - A failed write leaves bytes behind the position; no record is ever written over them. The segment is sealed at the
//!   position first (and cut off), the next record goes to a new one.
//! - After a failed flush nobody knows what is durable: everything is refused until restart and replay.

use super::Apply;
use super::applier::{Applier, Committed, Layer, Newest, apply};
use super::compact::Slice;
use super::index::{Delta, Index, Position, State, trouble};
use super::record::{Op, RecordWriter, SEAL_BYTES};
use super::segment::{Segment, SegmentSet};
use super::shared::Shared;
use crate::overlay::{Staged, StagedTx};
use crate::{Abort, Error, Resolver, Work};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What waits for the committer.
pub(crate) enum Request {
    Work(Work, Resolver),
    Slice(Slice, Resolver),
    /// Runs between two groups.
    Control(Box<dyn FnOnce(&mut Committer) + Send>),
}

/// The end of the log.
pub(super) enum Tail {
    /// The newest segment is sealed, or there is none.
    Closed,
    Open {
        segment: Arc<Segment>,
        capacity: u64,
    },
    /// Bytes that are no records lie behind the position.
    Broken(Arc<Segment>),
}

/// Why a group failed.
enum Trouble {
    /// The index must be opened anew.
    Index(Error),
    Log(Error),
}

/// What became of one request.
enum Ran {
    Done,
    Refused(Abort),
    /// Its record belongs into the next segment; run it again as the first of the next group.
    NextSegment,
}

/// How much of the disk is left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// So much that not even the index can find the disk full.
    Ample,
    Plenty,
    /// Content is refused; what deletes (and compaction) may still use the reserve.
    Reserve,
    Nothing,
}

/// A transaction without content may be this large while only the reserve is left.
const SMALL_RECORD_BYTES: u64 = 64 * 1024;
/// Operations of one transaction (without contents) may be this large.
const OPS_BYTES_MAX: usize = 1 << 30;
/// The group buffer keeps this much memory when idle.
const BUFFER_KEPT_BYTES: usize = 256 * 1024;

/// The group that is being made.
struct Group {
    next_content: u64,
    lsn: u64,
    content_bytes: u64,
    records: u64,
    granted: Vec<Resolver>,
}

/// See the file's head.
pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    pub(super) index: Option<Arc<Index>>,
    pub(crate) state: State,
    pub(super) tail: Tail,
    writer: RecordWriter,
    staged: Staged,
    /// What the running group wrote; empty between groups.
    layer: Layer,
    applier: Option<Applier>,
    /// Position of the last durable checkpoint.
    pub(super) checkpointed: Position,
    /// Rewritten, removed from the set after the next checkpoint.
    pub(super) condemned: BTreeMap<u32, Arc<Segment>>,
    /// Out of the set; the files go when no snapshot holds them.
    pub(super) retired: Vec<Arc<Segment>>,
    pub(super) spares: Vec<u32>,
    /// Size of the index file when it was last made anew; 0: not by this process.
    pub(super) index_floor: u64,
    /// The live bytes in `state` are to be taken from the next replay.
    recount: bool,
    /// Log bytes since the last checkpoint.
    pub(crate) unsaved_bytes: u64,
    /// What the log took when the oldest of those bytes were written is the owner's to time.
    pub(crate) unsaved: bool,
}

/// What opening found.
pub(crate) struct Opened {
    pub(crate) index: Index,
    pub(crate) state: State,
    pub(crate) set: SegmentSet,
    pub(crate) checkpointed: Position,
    pub(crate) retired: Vec<Arc<Segment>>,
    pub(crate) spares: Vec<u32>,
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, opened: Opened) -> Result<Committer, Error> {
        let Opened { index, state, set, checkpointed, retired, spares } = opened;
        let index = Arc::new(index);
        // What lies behind the last record may be a torn write: see the file's head.
        let tail = match set.0.get(&state.position.segment) {
            Some(segment) if !state.sealed => Tail::Broken(segment.clone()),
            _ => Tail::Closed,
        };
        shared.publish(Some(index.clone()), Some(Arc::new(set)));
        let unsaved = state.position != checkpointed;
        let applier = match shared.options.apply {
            Apply::DuringFlush => Some(Applier::spawn()?),
            Apply::BeforeFlush => None,
        };
        let mut committer = Committer {
            shared,
            index: Some(index),
            state,
            tail,
            writer: RecordWriter::default(),
            staged: Staged::default(),
            layer: Layer::default(),
            applier,
            checkpointed,
            condemned: BTreeMap::new(),
            retired,
            spares,
            index_floor: 0,
            recount: false,
            unsaved_bytes: 0,
            unsaved,
        };
        committer.release_retired();
        committer.count();
        if let Some(index) = &committer.index {
            committer.shared.counters.index_bytes.store(index.file_bytes(), Ordering::Relaxed);
        }
        Ok(committer)
    }

    pub(super) fn stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire)
    }

    pub(super) fn stop(&self) -> Error {
        self.shared.stopped.store(true, Ordering::Release);
        Error::Stopped
    }

    /// Runs one group from the front of the queue (requests up to the first [`Request::Control`]) or that control.
    pub(crate) fn step(&mut self, queue: &mut VecDeque<Request>) {
        if matches!(queue.front(), Some(Request::Control(_))) {
            if let Some(Request::Control(control)) = queue.pop_front() {
                control(self);
            }
            return;
        }
        let mut group = Group {
            next_content: self.state.next_content,
            lsn: self.state.position.lsn,
            content_bytes: 0,
            records: 0,
            granted: Vec::new(),
        };
        let before = queue.len();
        let outcome = self.group(queue, &mut group);
        self.writer.clear(BUFFER_KEPT_BYTES);
        self.layer.clear();
        match outcome {
            Ok(()) => group.granted.into_iter().for_each(|resolver| resolver.resolve(Ok(()))),
            Err(trouble) => {
                let error = match trouble {
                    Trouble::Log(error) => error,
                    Trouble::Index(error) => {
                        self.lose_index();
                        // Readers wait for nobody's next write: the index comes back at once if it can.
                        let _ = self.index();
                        error
                    }
                };
                for resolver in group.granted {
                    resolver.resolve(Err(Abort::Engine(error.clone())));
                }
                // Whatever made this group fail would fail the rest of what came with it.
                if queue.len() == before {
                    self.refuse_waiting(queue, &error);
                }
            }
        }
    }

    fn refuse_waiting(&mut self, queue: &mut VecDeque<Request>, error: &Error) {
        while !matches!(queue.front(), None | Some(Request::Control(_))) {
            match queue.pop_front() {
                Some(Request::Work(_, resolver) | Request::Slice(_, resolver)) => {
                    resolver.resolve(Err(Abort::Engine(error.clone())));
                }
                _ => break,
            }
        }
    }

    fn group(&mut self, queue: &mut VecDeque<Request>, group: &mut Group) -> Result<(), Trouble> {
        if self.stopped() {
            return Err(Trouble::Log(Error::Stopped));
        }
        let index = self.index().map_err(Trouble::Log)?;
        let room = self.room().map_err(Trouble::Log)?;
        let committed = Committed::new(&index);
        let options = self.shared.options;
        while group.granted.len() < options.group_requests
            && self.writer.bytes.len() < options.group_bytes
            && !matches!(queue.front(), None | Some(Request::Control(_)))
        {
            let Some(mut request) = queue.pop_front() else { break };
            let ran = match &mut request {
                Request::Work(work, _) => self.run_work(work, room, &committed, group),
                Request::Slice(slice, _) => self.run_slice(slice, room, &committed, group),
                Request::Control(_) => Ok(Ran::Done),
            };
            if matches!(ran, Ok(Ran::NextSegment)) {
                queue.push_front(request);
                break;
            }
            let (Request::Work(_, resolver) | Request::Slice(_, resolver)) = request else { continue };
            match ran {
                Ok(Ran::Refused(abort)) => resolver.resolve(Err(abort)),
                Ok(_) => group.granted.push(resolver),
                Err(trouble) => {
                    group.granted.push(resolver);
                    return Err(trouble);
                }
            }
        }
        drop(committed);
        if group.records == 0 {
            return Ok(());
        }
        let applied = match &self.applier {
            Some(applier) if room == Room::Ample => {
                applier.start(index, std::mem::take(&mut self.layer));
                let appended = self.append();
                let applied = self.applier.as_ref().expect("still there").finish(&mut self.layer);
                appended.map_err(Trouble::Log)?;
                applied
            }
            _ => {
                // Nothing is in the log yet: if the index finds the disk full, the group is refused as a whole.
                let applied = apply(&index, &self.layer).map_err(Trouble::Index)?;
                self.append().map_err(Trouble::Log)?;
                Ok(applied)
            }
        };
        let committed = applied.and_then(|(txn, delta)| match txn.commit() {
            Ok(()) => Ok(delta),
            Err(error) => Err(trouble(error)),
        });
        self.count_in(group, committed.ok())
    }

    /// Runs a transaction, and stages its record and its changes of the index.
    fn run_work(
        &mut self,
        work: &mut Work,
        room: Room,
        committed: &Committed<'_>,
        group: &mut Group,
    ) -> Result<Ran, Trouble> {
        let ids_before = group.next_content;
        self.staged.clear();
        let newest = Newest { layer: &self.layer, committed };
        let mut tx = StagedTx::new(&newest, &mut self.staged, &mut group.next_content);
        let result = work(&mut tx);
        if let Some(error) = tx.into_failure() {
            return Err(Trouble::Index(error));
        }
        let refusal = match result {
            Err(abort) => Some(abort),
            Ok(()) => self.encode_staged(room, group.next_content),
        };
        if let Some(abort) = refusal {
            group.next_content = ids_before;
            return Ok(Ran::Refused(abort));
        }
        if !self.writer.is_open() {
            group.next_content = ids_before;
            return Ok(Ran::Done);
        }
        let Some(place) = self.place_record(group)? else {
            group.next_content = ids_before;
            return Ok(Ran::NextSegment);
        };
        self.layer_staged(place, committed, group).map_err(Trouble::Index)?;
        Ok(Ran::Done)
    }

    /// Writes the staged changes as the open record; leaves none open when there are no changes.
    fn encode_staged(&mut self, room: Room, next_content: u64) -> Option<Abort> {
        let (staged, writer) = (&mut self.staged, &mut self.writer);
        if staged.bytes() > OPS_BYTES_MAX {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "a transaction of more than 1 GiB");
            return Some(Abort::Engine(Error::from(error)));
        }
        let appended = staged.appended.len();
        staged.appended.retain(|content| content.references > 0);
        let freed_at_once = staged.appended.len() < appended;
        if staged.is_empty() {
            return None;
        }
        writer.begin();
        if freed_at_once {
            // Their ids were handed out all the same.
            writer.op(Op::Begin { next_content });
        }
        for (key, value) in staged.entries() {
            writer.op(value.map_or(Op::Delete { key }, |value| Op::Put { key, value }));
        }
        for (id, references) in &staged.referred {
            writer.op(Op::Refer { id: *id, references: *references });
        }
        for content in &staged.appended {
            let shape = content.packed.0.shape;
            writer.op(Op::Content { id: content.id, references: content.references, shape });
        }
        writer.end_of_ops();
        let small = staged.appended.is_empty() && writer.record_len() <= SMALL_RECORD_BYTES;
        if room == Room::Nothing || (room == Room::Reserve && !small) {
            writer.abandon();
            return Some(Abort::Engine(Error::Full));
        }
        staged.appended.iter().for_each(|content| writer.blob(&content.packed.0.blob));
        None
    }

    /// The transaction stands in its record: those behind it in the group see what it wrote.
    fn layer_staged(
        &mut self,
        place: Placed,
        committed: &Committed<'_>,
        group: &mut Group,
    ) -> Result<(), Error> {
        let (staged, layer) = (&self.staged, &mut self.layer);
        layer.staged.absorb(staged);
        for (id, references) in &staged.referred {
            let entry = Newest { layer, committed }.content(*id)?;
            let mut entry = entry.expect("a transaction refers to existing content only");
            entry.references = *references;
            layer.contents.insert(*id, (*references > 0).then_some(entry));
        }
        let mut blob_at = place.blobs_at;
        for content in &staged.appended {
            let shape = content.packed.0.shape;
            let entry = super::record::entry_of(place.segment, blob_at, content.references, shape);
            layer.contents.insert(content.id, Some(entry));
            blob_at += shape.stored_len;
        }
        group.content_bytes += blob_at - place.blobs_at;
        Ok(())
    }

    /// Writes again what of a slice of an old segment still counts; see compact.rs.
    fn run_slice(
        &mut self,
        slice: &Slice,
        room: Room,
        committed: &Committed<'_>,
        group: &mut Group,
    ) -> Result<Ran, Trouble> {
        if room == Room::Nothing {
            return Ok(Ran::Refused(Abort::Engine(Error::Full)));
        }
        let older = self.has_older(slice.segment);
        self.writer.begin();
        let newest = Newest { layer: &self.layer, committed };
        let moved = slice.encode(older, &newest, &mut self.writer).map_err(Trouble::Index)?;
        if !self.writer.has_ops() {
            self.writer.abandon();
            return Ok(Ran::Done);
        }
        let Some(place) = self.place_record(group)? else { return Ok(Ran::NextSegment) };
        let mut blob_at = place.blobs_at;
        for (id, mut entry) in moved {
            entry.place = super::index::Place { segment: place.segment, offset: blob_at };
            self.layer.contents.insert(id, Some(entry));
            blob_at += entry.shape.stored_len;
        }
        group.content_bytes += blob_at - place.blobs_at;
        Ok(Ran::Done)
    }

    /// Closes the open record with its place in the log. None (and no record) when it does not fit into this segment
    /// any more but others of the group do.
    fn place_record(&mut self, group: &mut Group) -> Result<Option<Placed>, Trouble> {
        let record_len = self.writer.record_len();
        let earlier = self.writer.bytes.len() as u64 - record_len;
        let offset = self.state.position.offset + earlier;
        let fits = self.reserve(offset + record_len + SEAL_BYTES);
        if !fits && group.records > 0 {
            self.writer.abandon();
            return Ok(None);
        }
        if !fits {
            self.roll(record_len).map_err(Trouble::Log)?;
            group.lsn = self.state.position.lsn;
        }
        let Tail::Open { segment, .. } = &self.tail else { unreachable!("rolling opens a segment") };
        group.lsn += 1;
        group.records += 1;
        let blobs_at = self.state.position.offset + earlier + self.writer.blobs_at();
        self.writer.finish(group.lsn, self.state.position.lsn, segment.salt);
        Ok(Some(Placed { segment: segment.number, blobs_at }))
    }

    /// Appends the group's records and makes them durable.
    fn append(&mut self) -> Result<(), Error> {
        let Tail::Open { segment, .. } = &self.tail else {
            unreachable!("records were placed in an open segment")
        };
        let segment = segment.clone();
        if let Err(error) = segment.file.write_all_at(&self.writer.bytes, self.state.position.offset) {
            self.tail = Tail::Broken(segment);
            return Err(error.into());
        }
        segment.file.sync_data().map_err(|_| self.stop())
    }

    /// The group is durable in the log, so it stands. `delta` is None when the index failed: then the index takes the
    /// group from the log.
    fn count_in(&mut self, group: &Group, delta: Option<Delta>) -> Result<(), Trouble> {
        let len = self.writer.bytes.len() as u64;
        let position = &mut self.state.position;
        *position = Position { segment: position.segment, offset: position.offset + len, lsn: group.lsn };
        self.state.next_content = group.next_content;
        let usage = self.state.usage.entry(self.state.position.segment).or_default();
        usage.used = self.state.position.offset;
        usage.content += group.content_bytes;
        self.unsaved_bytes += len;
        self.unsaved = true;
        self.shared.counters.commits.fetch_add(group.records, Ordering::Relaxed);
        self.shared.counters.groups.fetch_add(1, Ordering::Relaxed);
        let outcome = match delta {
            Some(mut delta) => {
                self.state.apply(&mut delta);
                Ok(())
            }
            None => {
                self.lose_index();
                self.recount = true;
                self.index().map(drop).map_err(Trouble::Log)
            }
        };
        self.count();
        outcome
    }

    /// Refreshes the figures that others read.
    fn count(&self) {
        let counters = &self.shared.counters;
        counters.log_bytes.store(self.state.usage.values().map(|usage| usage.used).sum(), Ordering::Relaxed);
        counters.live_content.store(self.state.live_content(), Ordering::Relaxed);
        counters.segments.store(self.state.usage.len() as u64, Ordering::Relaxed);
    }

    fn room(&self) -> Result<Room, Error> {
        let free = self.shared.disk.free_bytes(&self.shared.dir)?;
        let reserve = self.shared.options.reserve_bytes;
        Ok(match free {
            _ if free / 2 >= reserve => Room::Ample,
            _ if free >= reserve => Room::Plenty,
            _ if free >= reserve / 2 => Room::Reserve,
            _ => Room::Nothing,
        })
    }

    /// The index; opened and brought up to date again when it was lost.
    fn index(&mut self) -> Result<Arc<Index>, Error> {
        if let Some(index) = &self.index {
            return Ok(index.clone());
        }
        let shared = self.shared.clone();
        let (index, saved) =
            Index::open(&*shared.disk, &shared.index_path(), shared.options.index_cache_bytes)?;
        let limit = self.state.position;
        let (state, _) = super::replay::replay(&index, &shared.set(), saved, Some(limit), &mut |_, _| {})?;
        if self.recount && state.position == limit {
            // The last group's changes of these were lost with the old index.
            self.state.live_kv = state.live_kv;
            for (number, usage) in &mut self.state.usage {
                usage.live = state.usage.get(number).map_or(0, |replayed| replayed.live);
            }
            self.recount = false;
        }
        if state.position != limit || state.live_kv != self.state.live_kv {
            let why = format!("replaying the log ends at {:?}, not at {limit:?}", state.position);
            return Err(Error::Corrupt { what: "the index".into(), why });
        }
        let index = Arc::new(index);
        self.index = Some(index.clone());
        shared.publish(Some(index.clone()), None);
        Ok(index)
    }

    /// Gives the index up after an error of its file; redb refuses everything from then on.
    fn lose_index(&mut self) {
        if let Some(index) = self.index.take() {
            index.retire();
        }
        self.shared.lose_index();
    }

    /// Makes the index durable up to the position, and lets go of the segments that waited for it.
    pub(crate) fn checkpoint(&mut self) -> Result<(), Error> {
        if self.stopped() {
            return Err(Error::Stopped);
        }
        let index = self.index()?;
        if let Err(error) = index.checkpoint(&self.state) {
            drop(index);
            self.lose_index();
            return Err(error);
        }
        self.checkpointed = self.state.position;
        self.unsaved = false;
        self.unsaved_bytes = 0;
        self.shared.counters.index_bytes.store(index.file_bytes(), Ordering::Relaxed);
        self.retire_condemned();
        self.count();
        self.release_retired();
        Ok(())
    }

    /// Seals and checkpoints; the next start has nothing to replay.
    pub(crate) fn close(&mut self) -> Result<(), Error> {
        if self.unsaved || !matches!(self.tail, Tail::Closed) {
            self.seal()?;
            self.checkpoint()?;
        }
        self.release_retired();
        Ok(())
    }
}

/// Where a record was placed.
#[derive(Clone, Copy)]
struct Placed {
    segment: u32,
    blobs_at: u64,
}
