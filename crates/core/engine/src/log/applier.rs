//! Putting a group's changes into the index while its records are being flushed.
//!
//! Transactions of a group run over the committed index and a [`Layer`] of what the group wrote so far; only when the
//! whole group is known does the layer go into redb, in key order and each key once. A thread of its own does that
//! while the committer waits for the disk. The commit comes after both.

use super::index::{ContentEntry, Delta, Index, Tables, View};
use crate::overlay::{Base, Staged};
use crate::{ContentId, Error, Order, Read, Visit};
use redb::WriteTransaction;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// What a group wrote so far.
#[derive(Default)]
pub(crate) struct Layer {
    pub(crate) staged: Staged,
    /// New states of contents; None: freed.
    pub(crate) contents: BTreeMap<ContentId, Option<ContentEntry>>,
}

impl Layer {
    pub(crate) fn clear(&mut self) {
        self.staged.clear();
        self.contents.clear();
    }
}

/// The committed index, opened when a transaction first reads.
pub(crate) struct Committed<'a> {
    index: &'a Arc<Index>,
    view: OnceCell<View>,
}

impl<'a> Committed<'a> {
    pub(crate) fn new(index: &'a Arc<Index>) -> Self {
        Committed { index, view: OnceCell::new() }
    }

    fn view(&self) -> Result<&View, Error> {
        if let Some(view) = self.view.get() {
            return Ok(view);
        }
        let view = self.index.view()?;
        Ok(self.view.get_or_init(|| view))
    }
}

/// The newest state: the layer over the committed index.
pub(crate) struct Newest<'a> {
    pub(crate) layer: &'a Layer,
    pub(crate) committed: &'a Committed<'a>,
}

impl Newest<'_> {
    pub(crate) fn content(&self, id: ContentId) -> Result<Option<ContentEntry>, Error> {
        match self.layer.contents.get(&id) {
            Some(entry) => Ok(*entry),
            None => self.committed.view()?.content(id),
        }
    }
}

impl Read for Newest<'_> {
    fn get_with(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        match self.layer.staged.get(key) {
            Some(value) => Ok(value.map(found).is_some()),
            None => self.committed.view()?.get_with(key, found),
        }
    }

    fn scan(&self, range: (Bound<&[u8]>, Bound<&[u8]>), order: Order, visit: Visit<'_>) -> Result<(), Error> {
        self.layer.staged.scan_over(self.committed.view()?, range, order, visit)
    }
}

impl Base for Newest<'_> {
    fn references(&self, id: ContentId) -> Result<Option<u32>, Error> {
        Ok(self.content(id)?.map(|entry| entry.references))
    }
}

/// Puts the layer into a new redb transaction, which is not committed yet.
pub(crate) fn apply(index: &Index, layer: &Layer) -> Result<(WriteTransaction, Delta), Error> {
    let txn = index.begin()?;
    let mut delta = Delta::default();
    let mut tables = Tables::open(&txn)?;
    for (key, value) in layer.staged.entries() {
        match value {
            Some(value) => tables.put(key, value, &mut delta)?,
            None => tables.delete(key, &mut delta)?,
        }
    }
    for (id, entry) in &layer.contents {
        match entry {
            Some(entry) => tables.set_content(*id, *entry, &mut delta)?,
            None => {
                // Of content that came and went within the group the index never knew; that is fine.
                let _known = tables.refer(*id, 0, &mut delta)?;
            }
        }
    }
    drop(tables);
    Ok((txn, delta))
}

struct Job {
    index: Arc<Index>,
    layer: Layer,
}

struct Applied {
    layer: Layer,
    outcome: Result<(WriteTransaction, Delta), Error>,
}

/// The thread.
pub(crate) struct Applier {
    jobs: Option<SyncSender<Job>>,
    applied: Receiver<Applied>,
    thread: Option<JoinHandle<()>>,
}

impl Applier {
    pub(crate) fn spawn() -> Result<Applier, Error> {
        let (jobs, take_jobs) = sync_channel::<Job>(1);
        let (give_applied, applied) = sync_channel(1);
        let work = move || {
            for Job { index, layer } in take_jobs {
                let outcome = apply(&index, &layer);
                drop(index);
                if give_applied.send(Applied { layer, outcome }).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("index".into()).spawn(work)?;
        Ok(Applier { jobs: Some(jobs), applied, thread: Some(thread) })
    }

    /// Starts with a layer; [`Applier::finish`] must follow.
    pub(crate) fn start(&self, index: Arc<Index>, layer: Layer) {
        let jobs = self.jobs.as_ref().expect("there until it is dropped");
        assert!(
            jobs.send(Job { index, layer }).is_ok(),
            "the index thread lives: a panic in it ends the store"
        );
    }

    /// Waits; the layer comes back empty, to be used again.
    pub(crate) fn finish(&self, layer: &mut Layer) -> Result<(WriteTransaction, Delta), Error> {
        let applied = self.applied.recv().expect("the index thread lives: a panic in it ends the store");
        *layer = applied.layer;
        layer.clear();
        applied.outcome
    }
}

impl Drop for Applier {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // Its panic, if there was one, is already reported.
            let _ = thread.join();
        }
    }
}
