//! The storage engine behind one small trait (DESIGN.md §3): an ordered map of keys to values, and a heap of message
//! contents with reference counts, both changed by the same atomic transactions.
//!
//! Nothing else in Troika touches the disk. Invariants that every implementation keeps:
//!
//! - A transaction is all or nothing, also through a crash, and is durable before its [`Commit`] resolves.
//! - Transactions run one after the other; each sees everything that those before it wrote.
//! - A [`Snapshot`] shows only durable state and never changes. Hold it for one page of work, not for a session.
//! - Every key begins with its [`AccountId`] (four bytes, big-endian), so that a sharded engine can route it;
//!   account 0 holds what belongs to the whole server. Nothing here knows what the keys mean.
//! - Content is stored once however many messages refer to it, compressed, with checksums verified on each read.

use std::ops::{Bound, ControlFlow, Range};
use std::sync::Arc;

/// Owner of keys: one person's (or one shared) set of mailboxes. 0 is the server itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AccountId(pub u32);

/// Name of one stored content; never used again once freed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ContentId(pub u64);

/// The world's trouble.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The disk (or the quota of the file system) is full; the transaction was not applied. Later ones may succeed.
    #[error("no space left on the storage device")]
    Full,
    /// Reading or writing failed in another way. (When the index failed right after the flush, the transaction was kept.)
    #[error("storage failed: {0}")]
    Io(Arc<std::io::Error>),
    /// A checksum or a format did not hold; the rest of the store is still served.
    #[error("{what} is damaged: {why}")]
    Corrupt {
        /// Which record, in words for the operator.
        what: String,
        /// What did not hold.
        why: String,
    },
    /// The store on disk was written by a newer Troika.
    #[error(
        "the store has format {found}, this version reads up to {supported}; install the newer Troika again"
    )]
    NewerFormat {
        /// Version on disk.
        found: u32,
        /// Newest version this program reads.
        supported: u32,
    },
    /// Another process holds the store.
    #[error("the store in {0} is in use by another process")]
    Locked(String),
    /// A flush failed before: nothing more is accepted until restart and replay.
    #[error("the store stopped after a failed flush; restart to replay the log")]
    Stopped,
}

impl Error {
    /// Whether the same request may succeed later (a 4xx, not a 5xx).
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Full | Error::Io(_) | Error::Stopped | Error::Locked(_))
    }
}

/// Why a transaction's closure gave up; nothing it did is kept.
#[derive(Debug)]
pub enum Abort {
    /// The engine failed under it.
    Engine(Error),
    /// The caller decided so; the reason stays with the caller.
    Cancelled,
}

impl From<Error> for Abort {
    fn from(error: Error) -> Self {
        Abort::Engine(error)
    }
}

/// Content made ready to be stored: cut into chunks, compressed and checksummed by the caller's thread, so that the
/// single committer only copies bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Packed(pub(crate) Arc<pack::PackedBytes>);

/// Direction of a scan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Smallest key first.
    Ascending,
    /// Largest key first.
    Descending,
}

/// What a scan calls with each key and value, until it breaks.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// Reading: shared by snapshots and by running transactions.
pub trait Read {
    /// Calls `found` with the value of `key`; answers whether there was one.
    fn get_with(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, Error>;

    /// Visits the entries of a key range in order until `visit` breaks.
    fn scan(&self, range: (Bound<&[u8]>, Bound<&[u8]>), order: Order, visit: Visit<'_>) -> Result<(), Error>;

    /// The value of `key`, copied.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let mut value = None;
        self.get_with(key, &mut |bytes| value = Some(bytes.to_vec()))?;
        Ok(value)
    }
}

/// A frozen, durable state.
pub trait Snapshot: Read + Send {
    /// Appends the bytes `range` (of the uncompressed content; clipped to its length) to `out`, checksums verified.
    fn read_content(&self, id: ContentId, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Error>;

    /// Uncompressed length in bytes; None when there is no such content.
    fn content_len(&self, id: ContentId) -> Result<Option<u64>, Error>;

    /// Visits the contents from `from` on in the order of their ids, each with its count of references, until `visit`
    /// breaks.
    fn contents(
        &self,
        from: ContentId,
        visit: &mut dyn FnMut(ContentId, u32) -> ControlFlow<()>,
    ) -> Result<(), Error>;
}

/// A running transaction.
pub trait Tx: Read {
    /// Sets `key` to `value`.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error>;
    /// Removes `key`; fine when there is none.
    fn delete(&mut self, key: &[u8]) -> Result<(), Error>;
    /// Stores content with `references` references (at least 1).
    fn append(&mut self, content: &Packed, references: u32) -> Result<ContentId, Error>;
    /// Adds references (positive) or drops them (negative); at zero the content is freed.
    fn refer(&mut self, id: ContentId, delta: i32) -> Result<(), Error>;
}

/// What a transaction runs. A remote engine may run it again after a conflict, so it must not assume to run once.
pub type Work = Box<dyn FnMut(&mut dyn Tx) -> Result<(), Abort> + Send>;

/// Progress of long work: done so far, and the whole where it is known (bytes).
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// What a walk over everything found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Log records read.
    pub records: u64,
    /// Contents whose checksums were verified.
    pub contents: u64,
    /// Key-value entries seen.
    pub entries: u64,
    /// One sentence for each thing that did not hold.
    pub problems: Vec<String>,
    /// Ids of contents that can't be read.
    pub damaged: Vec<ContentId>,
}

/// Figures for metrics and `troika store check`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Transactions committed since start.
    pub commits: u64,
    /// Group commits (one flush each) since start.
    pub groups: u64,
    /// Bytes of log on disk.
    pub log_bytes: u64,
    /// Of these, bytes of contents that somebody refers to.
    pub live_content_bytes: u64,
    /// Bytes of index on disk.
    pub index_bytes: u64,
    /// Segments now.
    pub segments: u64,
    /// Nothing more is committed ([`Error::Stopped`]): only opening the store again helps.
    pub stopped: bool,
}

/// Keys that belong together: those with the same byte behind the account, of the server's account or of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyGroup {
    /// Whether the keys are of account 0.
    pub server: bool,
    /// The byte behind the account; 0 where a key has none.
    pub tag: u8,
}

impl KeyGroup {
    /// The group of a key.
    pub fn of(key: &[u8]) -> KeyGroup {
        KeyGroup { server: key.starts_with(&[0; 4]), tag: key.get(4).copied().unwrap_or(0) }
    }
}

/// Entries of one group of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpace {
    /// Which.
    pub group: KeyGroup,
    /// How many.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// What stands in the log (of an engine that has one).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPart {
    /// In words for the operator.
    pub what: &'static str,
    /// For changes of keys: of which.
    pub group: Option<KeyGroup>,
    /// How many.
    pub records: u64,
    /// Bytes that still count.
    pub live_bytes: u64,
    /// Bytes that a compaction may give back.
    pub dead_bytes: u64,
}

/// Where the space goes; see [`Engine::space`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Key-values that exist now.
    pub keys: Vec<KeySpace>,
    /// All bytes of the log.
    pub log: Vec<LogPart>,
}

/// Counts the entries of every group of keys.
pub(crate) fn keys_of(from: &(impl Read + ?Sized)) -> Result<Vec<KeySpace>, Error> {
    let mut groups = std::collections::BTreeMap::new();
    from.scan((Bound::Unbounded, Bound::Unbounded), Order::Ascending, &mut |key, value| {
        let group = KeyGroup::of(key);
        let space = groups.entry(group).or_insert(KeySpace { group, entries: 0, bytes: 0 });
        space.entries += 1;
        space.bytes += (key.len() + value.len()) as u64;
        ControlFlow::Continue(())
    })?;
    Ok(groups.into_values().collect())
}

/// The engine.
pub trait Engine: Send + Sync {
    /// The newest durable state.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, Error>;

    /// Queues `work`. `accounts` are those it reads or writes, in ascending order (a remote engine locks them; a local
    /// one ignores them). The answer comes when the outcome is durable.
    fn submit(&self, accounts: &[AccountId], work: Work) -> Commit;

    /// Gives back the space of freed content now; deliveries go on meanwhile. Answers the bytes freed.
    fn compact(&self, progress: Progress<'_>) -> Result<u64, Error>;

    /// Walks everything and verifies every checksum and reference count.
    fn check(&self, progress: Progress<'_>) -> Result<CheckReport, Error>;

    /// Walks everything and says where the space goes. `progress` gets bytes of log.
    fn space(&self, progress: Progress<'_>) -> Result<Space, Error> {
        progress(0, 0);
        Ok(Space { keys: keys_of(&*self.snapshot()?)?, log: Vec::new() })
    }

    /// Current figures.
    fn figures(&self) -> Figures;
}

impl dyn Engine + '_ {
    /// Runs `work` as one transaction and hands out what it returned once that is durable.
    ///
    /// # Errors
    /// [`Abort::Cancelled`] when `work` gave up, [`Abort::Engine`] when the engine failed; nothing is kept then.
    pub fn transact<T: Send + 'static>(
        &self,
        accounts: &[AccountId],
        mut work: impl FnMut(&mut dyn Tx) -> Result<T, Abort> + Send + 'static,
    ) -> Pending<T> {
        let slot = Arc::new(parking_lot::Mutex::new(None));
        let fill = slot.clone();
        let commit = self.submit(
            accounts,
            Box::new(move |tx| {
                let value = work(tx)?;
                *fill.lock() = Some(value);
                Ok(())
            }),
        );
        Pending { commit, slot }
    }
}

mod claims;
pub use claims::Claims;
mod commit;
pub use commit::{Commit, Pending, Resolver};

pub mod conformance;
mod disk;
mod faults;
mod log;
mod memory;
mod overlay;
mod pack;

pub use faults::Faults;
pub use log::{Apply, LogEngine, Options, rebuild, salvage};
pub use memory::MemoryEngine;
