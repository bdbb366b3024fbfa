//! What the committer, snapshots and the reclaiming thread share.

use super::Options;
use super::index::{Index, View};
use super::segment::SegmentSet;
use crate::disk::Disk;
use crate::{ContentId, Error, Order, Read, Snapshot, Visit};
use parking_lot::RwLock;
use std::cell::RefCell;
use std::io;
use std::ops::{Bound, ControlFlow, Range};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Figures, kept by the committer.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) log_bytes: AtomicU64,
    pub(crate) live_content: AtomicU64,
    pub(crate) index_bytes: AtomicU64,
    pub(crate) segments: AtomicU64,
}

/// The newest published index and segments. Both change under one lock: a snapshot takes its view of the index and the
/// set of files together, so the set holds every file that the view can name.
struct Live {
    index: Option<Arc<Index>>,
    set: Arc<SegmentSet>,
}

pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) log_dir: PathBuf,
    pub(crate) options: Options,
    live: RwLock<Live>,
    /// A flush failed.
    pub(crate) stopped: AtomicBool,
    pub(crate) counters: Counters,
}

impl Shared {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf, options: Options) -> Shared {
        let log_dir = dir.join("log");
        let live = RwLock::new(Live { index: None, set: Arc::default() });
        let (stopped, counters) = (AtomicBool::new(false), Counters::default());
        Shared { disk, dir, log_dir, options, live, stopped, counters }
    }

    pub(crate) fn index_path(&self) -> PathBuf {
        self.dir.join(super::open::INDEX_NAME)
    }

    pub(crate) fn set(&self) -> Arc<SegmentSet> {
        self.live.read().set.clone()
    }

    /// Shows an index, and a set where it changed.
    pub(crate) fn publish(&self, index: Option<Arc<Index>>, set: Option<Arc<SegmentSet>>) {
        let mut live = self.live.write();
        let old = std::mem::replace(&mut live.index, index);
        if let Some(set) = set {
            live.set = set;
        }
        drop(live);
        drop(old);
    }

    pub(crate) fn lose_index(&self) {
        let old = self.live.write().index.take();
        drop(old);
    }

    pub(crate) fn snapshot(self: &Arc<Self>) -> Result<LogSnapshot, Error> {
        let live = self.live.read();
        let index = live.index.as_ref();
        let closed = || Error::from(io::Error::other("the index is being opened again after an error"));
        let view = index.ok_or_else(closed)?.view()?;
        Ok(LogSnapshot { view, set: live.set.clone(), shared: self.clone(), scratch: RefCell::default() })
    }

    pub(crate) fn figures(&self) -> crate::Figures {
        let counters = &self.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        crate::Figures {
            commits: read(&counters.commits),
            groups: read(&counters.groups),
            log_bytes: read(&counters.log_bytes),
            live_content_bytes: read(&counters.live_content),
            index_bytes: read(&counters.index_bytes),
            segments: read(&counters.segments),
            stopped: self.stopped.load(Ordering::Acquire),
        }
    }
}

/// A frozen state; holds the files that it may read from.
pub(crate) struct LogSnapshot {
    pub(crate) view: View,
    pub(crate) set: Arc<SegmentSet>,
    shared: Arc<Shared>,
    /// Where stored bytes come to; see [`Shape::read`](crate::pack::Shape::read).
    scratch: RefCell<Vec<u8>>,
}

impl Read for LogSnapshot {
    fn get_with(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        self.view.get_with(key, found)
    }

    fn scan(&self, range: (Bound<&[u8]>, Bound<&[u8]>), order: Order, visit: Visit<'_>) -> Result<(), Error> {
        self.view.scan(range, order, visit)
    }
}

impl Snapshot for LogSnapshot {
    fn read_content(&self, id: ContentId, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Error> {
        let corrupt = |why: &str| Error::Corrupt { what: format!("content {}", id.0), why: why.into() };
        let entry = self.view.content(id)?.ok_or_else(|| corrupt("no such content"))?;
        let segment = self.set.0.get(&entry.place.segment).cloned();
        let segment = segment.or_else(|| self.shared.set().0.get(&entry.place.segment).cloned());
        let segment = segment.ok_or_else(|| corrupt("its log segment is missing"))?;
        let mut fetch =
            |offset: u64, into: &mut [u8]| segment.file.read_exact_at(into, entry.place.offset + offset);
        let read = entry.shape.read(range, &mut fetch, &mut self.scratch.borrow_mut(), out);
        read.map_err(|unreadable| unreadable.into_error(|| format!("content {}", id.0)))
    }

    fn content_len(&self, id: ContentId) -> Result<Option<u64>, Error> {
        Ok(self.view.content(id)?.map(|entry| entry.shape.raw_len))
    }

    fn contents(
        &self,
        from: ContentId,
        visit: &mut dyn FnMut(ContentId, u32) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.view.each_content_from(from, &mut |id, entry| Ok(visit(id, entry.references)))
    }
}
