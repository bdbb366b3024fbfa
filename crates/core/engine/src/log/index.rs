//! The derived index: a redb file with the key-values, the table of contents and the position up to which it has
//! taken in the log. Its commits are not flushed; a checkpoint makes the newest one durable, and after a crash the
//! file shows the last checkpoint, from which the log is replayed.

use super::record::{FORMAT_VERSION, Op};
use super::segment::Record;
use crate::disk::{Disk, DiskFile, Open};
use crate::overlay::is_empty_range;
use crate::pack::Shape;
use crate::{ContentId, Error, Order, Read, Visit};
use redb::{Builder, Database, Durability, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};
use redb::{ReadOnlyTable, Table, WriteTransaction};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::{Bound, ControlFlow};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const KV: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("kv");
const CONTENT: TableDefinition<'static, u64, &[u8; ENTRY_BYTES]> = TableDefinition::new("content");
const META: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("meta");
const STATE: &str = "state";

const ENTRY_BYTES: usize = 36;

/// Where a blob begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
}

/// What the index knows of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContentEntry {
    pub(crate) place: Place,
    pub(crate) references: u32,
    pub(crate) shape: Shape,
}

impl ContentEntry {
    fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..4].copy_from_slice(&self.place.segment.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.references.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.place.offset.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.shape.raw_len.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.shape.stored_len.to_le_bytes());
        bytes[32..].copy_from_slice(&self.shape.table_crc.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> ContentEntry {
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        ContentEntry {
            place: Place { segment: u32_at(0), offset: u64_at(8) },
            references: u32_at(4),
            shape: Shape { raw_len: u64_at(16), stored_len: u64_at(24), table_crc: u32_at(32) },
        }
    }
}

/// Space of one segment, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// From the beginning of the file to the end of its last record.
    pub(crate) used: u64,
    /// Of these, blobs.
    pub(crate) content: u64,
    /// Of these, blobs that somebody refers to.
    pub(crate) live: u64,
}

/// A place in the log: the records up to and including `lsn` lie before `offset` of `segment` (and in older segments).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) lsn: u64,
}

/// Everything that the index remembers beside its tables; stored with each checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) position: Position,
    /// Whether the position stands behind a seal: the next record opens a new segment.
    pub(crate) sealed: bool,
    pub(crate) next_content: u64,
    /// Bytes of the keys and values that exist now.
    pub(crate) live_kv: u64,
    pub(crate) usage: BTreeMap<u32, Usage>,
}

impl State {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(48 + self.usage.len() * 28);
        out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        out.extend_from_slice(&self.position.segment.to_le_bytes());
        out.extend_from_slice(&u32::from(self.sealed).to_le_bytes());
        for word in [self.position.offset, self.position.lsn, self.next_content, self.live_kv] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        for (segment, usage) in &self.usage {
            out.extend_from_slice(&segment.to_le_bytes());
            for word in [usage.used, usage.content, usage.live] {
                out.extend_from_slice(&word.to_le_bytes());
            }
        }
        out
    }

    fn from_bytes(bytes: &[u8]) -> Option<State> {
        let (fixed, rest) = bytes.split_at_checked(44)?;
        if rest.len() % 28 != 0 {
            return None;
        }
        let u32_at =
            |from: &[u8], at: usize| Some(u32::from_le_bytes(from.get(at..at + 4)?.try_into().ok()?));
        let u64_at =
            |from: &[u8], at: usize| Some(u64::from_le_bytes(from.get(at..at + 8)?.try_into().ok()?));
        let position =
            Position { segment: u32_at(fixed, 4)?, offset: u64_at(fixed, 12)?, lsn: u64_at(fixed, 20)? };
        let mut usage = BTreeMap::new();
        for row in rest.chunks_exact(28) {
            let space = Usage { used: u64_at(row, 4)?, content: u64_at(row, 12)?, live: u64_at(row, 20)? };
            usage.insert(u32_at(row, 0)?, space);
        }
        let sealed = u32_at(fixed, 8)? != 0;
        let (next_content, live_kv) = (u64_at(fixed, 28)?, u64_at(fixed, 36)?);
        Some(State { position, sealed, next_content, live_kv, usage })
    }

    pub(crate) fn apply(&mut self, delta: &mut Delta) {
        self.live_kv = self.live_kv.saturating_add_signed(delta.live_kv);
        for (segment, change) in delta.live.drain() {
            let usage = self.usage.entry(segment).or_default();
            usage.live = usage.live.saturating_add_signed(change);
        }
        *delta = Delta::default();
    }

    pub(crate) fn live_content(&self) -> u64 {
        self.usage.values().map(|usage| usage.live).sum()
    }
}

/// Changes of a [`State`] that count only once their group is committed.
#[derive(Default)]
pub(crate) struct Delta {
    live_kv: i64,
    live: FxHashMap<u32, i64>,
}

/// redb's errors, as ours.
pub(crate) fn trouble(error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::Io(error) => Error::from(error),
        redb::Error::Corrupted(why) => Error::Corrupt { what: "the index".into(), why },
        other => Error::from(io::Error::other(other.to_string())),
    }
}

/// redb's view of a file. Retired ones refuse everything: an index that was given up after an error must not touch the
/// file any more, which its successor has open.
struct Backend {
    file: Arc<dyn DiskFile>,
    retired: Arc<AtomicBool>,
}

impl Backend {
    fn alive(&self) -> io::Result<()> {
        if self.retired.load(Ordering::Acquire) {
            return Err(io::Error::other("this index was closed after an error"));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Backend")
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.alive()?;
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.alive()?;
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.alive()?;
        // Not allocated: redb doubles its file, and those blocks may never be needed. The reserve stands for them.
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.alive()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.alive()?;
        self.file.write_all_at(data, offset)
    }
}

/// The open index.
pub(crate) struct Index {
    db: Database,
    retired: Arc<AtomicBool>,
    file: Arc<dyn DiskFile>,
}

impl Drop for Index {
    fn drop(&mut self) {
        // What counts was made durable by the last checkpoint; redb's own closing commit would bring commits into the
        // file whose position in the log nobody noted.
        self.retire();
    }
}

impl Index {
    /// Cuts it off from its file, whoever still holds it.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Opens (or makes) the file and reads the state of its last checkpoint.
    pub(crate) fn open(disk: &dyn Disk, path: &Path, cache_bytes: usize) -> Result<(Index, State), Error> {
        let file = disk.open(path, Open::Create)?;
        let retired = Arc::new(AtomicBool::new(false));
        let backend = Backend { file: file.clone(), retired: retired.clone() };
        let db = Builder::new().set_cache_size(cache_bytes).create_with_backend(backend).map_err(trouble)?;
        let index = Index { db, retired, file };
        let state = index.read_state()?;
        let state = match state {
            Some(state) => state,
            None => {
                let state = State { next_content: 1, ..State::default() };
                let txn = index.begin()?;
                drop(Tables::open(&txn)?);
                index.checkpoint_in(txn, &state)?;
                state
            }
        };
        Ok((index, state))
    }

    fn read_state(&self) -> Result<Option<State>, Error> {
        let txn = self.db.begin_read().map_err(trouble)?;
        let meta = match txn.open_table(META) {
            Ok(meta) => meta,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(trouble(error)),
        };
        let Some(bytes) = meta.get(STATE).map_err(trouble)? else { return Ok(None) };
        let state = State::from_bytes(bytes.value());
        let damaged = || Error::Corrupt { what: "the index".into(), why: "its state is malformed".into() };
        state.map(Some).ok_or_else(damaged)
    }

    /// Starts a group; its commit is not flushed.
    pub(crate) fn begin(&self) -> Result<WriteTransaction, Error> {
        let mut txn = self.db.begin_write().map_err(trouble)?;
        txn.set_durability(Durability::None).map_err(trouble)?;
        Ok(txn)
    }

    /// Makes everything committed so far durable, with the position in the log that it belongs to.
    pub(crate) fn checkpoint(&self, state: &State) -> Result<(), Error> {
        self.checkpoint_in(self.begin()?, state)
    }

    fn checkpoint_in(&self, mut txn: WriteTransaction, state: &State) -> Result<(), Error> {
        {
            let mut meta = txn.open_table(META).map_err(trouble)?;
            meta.insert(STATE, state.to_bytes().as_slice()).map_err(trouble)?;
        }
        txn.set_durability(Durability::Immediate).map_err(trouble)?;
        // Without it redb would walk its whole file after a crash.
        txn.set_quick_repair(true);
        txn.commit().map_err(trouble)
    }

    /// Gives back the room at the end of the file; nobody else may have the index yet.
    pub(crate) fn squeeze(&mut self) -> Result<(), Error> {
        let moved = self.db.compact().map(drop);
        moved.map_err(|error| Error::from(io::Error::other(error.to_string())))
    }

    pub(crate) fn view(self: &Arc<Self>) -> Result<View, Error> {
        let txn = self.db.begin_read().map_err(trouble)?;
        let kv = txn.open_table(KV).map_err(trouble)?;
        let content = txn.open_table(CONTENT).map_err(trouble)?;
        Ok(View { kv, content, _index: self.clone() })
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.file.len().unwrap_or(0)
    }
}

/// A frozen view of both tables.
pub(crate) struct View {
    kv: ReadOnlyTable<&'static [u8], &'static [u8]>,
    content: ReadOnlyTable<u64, &'static [u8; ENTRY_BYTES]>,
    /// Dropping it would retire the file under this view.
    _index: Arc<Index>,
}

impl View {
    pub(crate) fn content(&self, id: ContentId) -> Result<Option<ContentEntry>, Error> {
        content_in(&self.content, id)
    }

    pub(crate) fn each_content(
        &self,
        visit: &mut dyn FnMut(ContentId, ContentEntry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut on = |id, entry| visit(id, entry).map(|()| ControlFlow::Continue(()));
        self.each_content_from(ContentId(0), &mut on)
    }

    pub(crate) fn each_content_from(
        &self,
        from: ContentId,
        visit: &mut dyn FnMut(ContentId, ContentEntry) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        for row in self.content.range(from.0..).map_err(trouble)? {
            let (id, entry) = row.map_err(trouble)?;
            if visit(ContentId(id.value()), ContentEntry::from_bytes(entry.value()))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Read for View {
    fn get_with(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        get_in(&self.kv, key, found)
    }

    fn scan(&self, range: (Bound<&[u8]>, Bound<&[u8]>), order: Order, visit: Visit<'_>) -> Result<(), Error> {
        scan_in(&self.kv, range, order, visit)
    }
}

type KvTable<'t> = Table<'t, &'static [u8], &'static [u8]>;

/// Both tables, open for writing.
pub(crate) struct Tables<'t> {
    kv: KvTable<'t>,
    content: Table<'t, u64, &'static [u8; ENTRY_BYTES]>,
}

impl<'t> Tables<'t> {
    pub(crate) fn open(txn: &'t WriteTransaction) -> Result<Self, Error> {
        let kv = txn.open_table(KV).map_err(trouble)?;
        let content = txn.open_table(CONTENT).map_err(trouble)?;
        Ok(Tables { kv, content })
    }

    fn content(&self, id: ContentId) -> Result<Option<ContentEntry>, Error> {
        content_in(&self.content, id)
    }

    pub(crate) fn put(&mut self, key: &[u8], value: &[u8], delta: &mut Delta) -> Result<(), Error> {
        let old = self.kv.insert(key, value).map_err(trouble)?;
        let old = old.map_or(0, |old| (key.len() + old.value().len()) as i64);
        delta.live_kv += (key.len() + value.len()) as i64 - old;
        Ok(())
    }

    pub(crate) fn delete(&mut self, key: &[u8], delta: &mut Delta) -> Result<(), Error> {
        if let Some(old) = self.kv.remove(key).map_err(trouble)? {
            delta.live_kv -= (key.len() + old.value().len()) as i64;
        }
        Ok(())
    }

    /// New content, or an old one in its new place.
    pub(crate) fn set_content(
        &mut self,
        id: ContentId,
        entry: ContentEntry,
        delta: &mut Delta,
    ) -> Result<(), Error> {
        let old = self.content.insert(id.0, &entry.to_bytes()).map_err(trouble)?;
        if let Some(old) = old.map(|old| ContentEntry::from_bytes(old.value())) {
            *delta.live.entry(old.place.segment).or_default() -= old.shape.stored_len as i64;
        }
        *delta.live.entry(entry.place.segment).or_default() += entry.shape.stored_len as i64;
        Ok(())
    }

    /// Sets the count of references; answers false when there is no such content.
    pub(crate) fn refer(&mut self, id: ContentId, references: u32, delta: &mut Delta) -> Result<bool, Error> {
        if references == 0 {
            let old = self.content.remove(id.0).map_err(trouble)?;
            let Some(old) = old.map(|old| ContentEntry::from_bytes(old.value())) else { return Ok(false) };
            *delta.live.entry(old.place.segment).or_default() -= old.shape.stored_len as i64;
            return Ok(true);
        }
        let Some(mut entry) = self.content(id)? else { return Ok(false) };
        entry.references = references;
        self.content.insert(id.0, &entry.to_bytes()).map_err(trouble)?;
        Ok(true)
    }

    /// Takes in a record of the log. `orphans` gets the ids of contents that are referred to but not known (yet: a
    /// later record brings those whose first place was reclaimed).
    pub(crate) fn replay(
        &mut self,
        segment: u32,
        record: &Record<'_>,
        state: &mut State,
        delta: &mut Delta,
        orphans: &mut BTreeSet<ContentId>,
    ) -> Result<Replayed, Error> {
        let mut blob_at = record.blobs_at;
        let mut replayed = Replayed::Open;
        for op in super::record::Ops::new(record.ops) {
            match op {
                Op::Put { key, value } => self.put(key, value, delta)?,
                Op::Delete { key } => self.delete(key, delta)?,
                Op::Content { id, references, shape } => {
                    let entry = super::record::entry_of(segment, blob_at, references, shape);
                    self.set_content(id, entry, delta)?;
                    blob_at += shape.stored_len;
                    state.next_content = state.next_content.max(id.0 + 1);
                    orphans.remove(&id);
                }
                Op::Refer { id, references } => {
                    let known = self.refer(id, references, delta)?;
                    if references == 0 {
                        orphans.remove(&id);
                    } else if !known {
                        orphans.insert(id);
                    }
                }
                Op::Begin { next_content } => state.next_content = state.next_content.max(next_content),
                Op::Seal => replayed = Replayed::Sealed,
            }
        }
        let usage = state.usage.entry(segment).or_default();
        usage.used = record.at + record.len;
        usage.content += blob_at - record.blobs_at;
        state.apply(delta);
        state.position = Position { segment, offset: record.at + record.len, lsn: record.lsn };
        state.sealed = replayed == Replayed::Sealed;
        Ok(replayed)
    }
}

/// Whether a record was the last one of its segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Replayed {
    Open,
    Sealed,
}

fn content_in(
    table: &impl ReadableTable<u64, &'static [u8; ENTRY_BYTES]>,
    id: ContentId,
) -> Result<Option<ContentEntry>, Error> {
    let entry = table.get(id.0).map_err(trouble)?;
    Ok(entry.map(|entry| ContentEntry::from_bytes(entry.value())))
}

fn get_in(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
    found: &mut dyn FnMut(&[u8]),
) -> Result<bool, Error> {
    let value = table.get(key).map_err(trouble)?;
    Ok(value.map(|value| found(value.value())).is_some())
}

fn scan_in(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    range: (Bound<&[u8]>, Bound<&[u8]>),
    order: Order,
    visit: Visit<'_>,
) -> Result<(), Error> {
    if is_empty_range(range) {
        return Ok(());
    }
    let mut rows = table.range::<&[u8]>(range).map_err(trouble)?;
    while let Some(row) = if order == Order::Ascending { rows.next() } else { rows.next_back() } {
        let (key, value) = row.map_err(trouble)?;
        if visit(key.value(), value.value()).is_break() {
            break;
        }
    }
    Ok(())
}
