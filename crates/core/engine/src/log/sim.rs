//! A disk in memory that fails on command, and forgets at a power cut what was not flushed.
//!
//! What it may do to unflushed work: each sector (512 bytes) written since the last flush of its file is kept or lost by
//! itself, a changed length is kept or lost, and of the changes of a folder since its last flush a prefix is kept.

use crate::disk::{Disk, DiskFile, Open};
use crate::faults::Dice;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SECTOR: usize = 512;

/// What goes wrong at one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mishap {
    /// The power goes: this write is torn, and everything fails from then on.
    PowerCut,
    /// A write or allocation finds the disk full, having written a part.
    Full,
    /// This operation fails, a write having written a part.
    Broken,
}

/// A shared simulated disk.
#[derive(Clone)]
pub(crate) struct SimDisk(Arc<Mutex<Sim>>);

struct Sim {
    nodes: Vec<Node>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names since the last flush of the folder.
    pending: Vec<Vec<(PathBuf, Option<usize>)>>,
    dice: Dice,
    operations: u64,
    mishaps: BTreeMap<u64, Mishap>,
    off: bool,
    capacity: u64,
    locked: BTreeSet<PathBuf>,
}

#[derive(Default, Clone)]
struct Node {
    now: Vec<u8>,
    flushed: Vec<u8>,
    dirty: BTreeSet<usize>,
}

struct SimFile {
    disk: SimDisk,
    node: usize,
}

struct SimLock(SimDisk, PathBuf);

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

impl SimDisk {
    pub(crate) fn new(seed: u64) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(Sim {
            nodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending: Vec::new(),
            dice: Dice(seed),
            operations: 0,
            mishaps: BTreeMap::new(),
            off: false,
            capacity: 1 << 40,
            locked: BTreeSet::new(),
        })))
    }

    /// Plans a mishap for the `nth` operation from now (1 is the next).
    pub(crate) fn plan(&self, nth: u64, mishap: Mishap) {
        let mut sim = self.0.lock();
        let at = sim.operations + nth;
        sim.mishaps.insert(at, mishap);
    }

    pub(crate) fn forget_plans(&self) {
        self.0.lock().mishaps.clear();
    }

    pub(crate) fn is_off(&self) -> bool {
        self.0.lock().off
    }

    pub(crate) fn set_capacity(&self, bytes: u64) {
        self.0.lock().capacity = bytes;
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        let sim = self.0.lock();
        sim.names.values().map(|node| sim.nodes[*node].now.len() as u64).sum()
    }

    /// Takes the power away (if it is still there) and gives it back: what was not flushed may be lost.
    pub(crate) fn power_cycle(&self) {
        let mut sim = self.0.lock();
        let sim = &mut *sim;
        sim.off = false;
        sim.mishaps.clear();
        sim.locked.clear();
        let kept = sim.dice.below(sim.pending.len() as u64 + 1) as usize;
        for (path, node) in sim.pending.drain(..).take(kept).flatten() {
            match node {
                Some(node) => sim.durable_names.insert(path, node),
                None => sim.durable_names.remove(&path),
            };
        }
        sim.names = sim.durable_names.clone();
        for node in &mut sim.nodes {
            if sim.dice.below(2) == 0 {
                node.flushed.resize(node.now.len(), 0);
            }
            for sector in std::mem::take(&mut node.dirty) {
                let keep = sim.dice.below(2) == 0;
                let (from, to) =
                    (sector * SECTOR, (sector * SECTOR + SECTOR).min(node.now.len()).min(node.flushed.len()));
                if keep && from < to {
                    let bytes = node.now[from..to].to_vec();
                    node.flushed[from..to].copy_from_slice(&bytes);
                }
            }
            node.now = node.flushed.clone();
        }
    }

    /// Flips bits of a stored file.
    pub(crate) fn damage(&self, path: &Path, offset: usize) {
        let mut sim = self.0.lock();
        let node = sim.names[path];
        sim.nodes[node].now[offset] ^= 0x10;
        sim.nodes[node].flushed[offset] ^= 0x10;
    }

    pub(crate) fn bytes(&self, path: &Path) -> Vec<u8> {
        let sim = self.0.lock();
        sim.nodes[sim.names[path]].now.clone()
    }

    pub(crate) fn overwrite(&self, path: &Path, bytes: &[u8]) {
        let mut sim = self.0.lock();
        let node = sim.names[path];
        sim.nodes[node] = Node { now: bytes.to_vec(), flushed: bytes.to_vec(), dirty: BTreeSet::new() };
    }
}

impl Sim {
    /// Counts an operation; Some when something goes wrong with it.
    fn operate(&mut self) -> io::Result<Option<Mishap>> {
        if self.off {
            return Err(power_is_off());
        }
        self.operations += 1;
        let mishap = self.mishaps.remove(&self.operations);
        self.off = mishap == Some(Mishap::PowerCut);
        Ok(mishap)
    }

    /// An operation that either happens or not.
    fn operate_whole(&mut self) -> io::Result<()> {
        match self.operate()? {
            None => Ok(()),
            Some(Mishap::Full) => {
                // This operation takes no space; the next one that does shall find the disk full.
                self.mishaps.insert(self.operations + 1, Mishap::Full);
                Ok(())
            }
            Some(mishap) => Err(mishap.error()),
        }
    }

    fn free(&self) -> u64 {
        let used: u64 = self.names.values().map(|node| self.nodes[*node].now.len() as u64).sum();
        self.capacity.saturating_sub(used)
    }

    fn write(&mut self, node: usize, bytes: &[u8], offset: usize) {
        let node = &mut self.nodes[node];
        let end = offset + bytes.len();
        if node.now.len() < end {
            node.now.resize(end, 0);
        }
        node.now[offset..end].copy_from_slice(bytes);
        node.dirty.extend(offset / SECTOR..end.div_ceil(SECTOR));
    }

    fn name(&mut self, path: &Path, node: Option<usize>) {
        match node {
            Some(node) => self.names.insert(path.to_path_buf(), node),
            None => self.names.remove(path),
        };
        self.pending.push(vec![(path.to_path_buf(), node)]);
    }
}

impl Mishap {
    fn error(self) -> io::Error {
        match self {
            Mishap::PowerCut => power_is_off(),
            Mishap::Full => io::ErrorKind::StorageFull.into(),
            Mishap::Broken => io::Error::other("broken"),
        }
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.0.0.lock().locked.remove(&self.1);
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn DiskFile>> {
        let mut sim = self.0.lock();
        let node = match sim.names.get(path) {
            Some(node) => *node,
            None if how == Open::Existing => return Err(io::ErrorKind::NotFound.into()),
            None => {
                sim.operate_whole()?;
                sim.nodes.push(Node::default());
                let node = sim.nodes.len() - 1;
                sim.name(path, Some(node));
                node
            }
        };
        Ok(Arc::new(SimFile { disk: self.clone(), node }))
    }

    fn create_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let sim = self.0.lock();
        let inside = sim.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_string())).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut sim = self.0.lock();
        sim.operate_whole()?;
        let node = *sim.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        // One entry in the journal: both names change or neither.
        sim.names.remove(from);
        sim.names.insert(to.to_path_buf(), node);
        sim.pending.push(vec![(to.to_path_buf(), Some(node)), (from.to_path_buf(), None)]);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut sim = self.0.lock();
        if !sim.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        sim.operate_whole()?;
        sim.name(path, None);
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        let mut sim = self.0.lock();
        sim.operate_whole()?;
        sim.pending.clear();
        sim.durable_names = sim.names.clone();
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        let sim = self.0.lock();
        if sim.off { Err(power_is_off()) } else { Ok(sim.free()) }
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Send + Sync>>> {
        let fresh = self.0.lock().locked.insert(path.to_path_buf());
        Ok(fresh.then(|| Box::new(SimLock(self.clone(), path.to_path_buf())) as Box<dyn Send + Sync>))
    }
}

impl DiskFile for SimFile {
    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let sim = self.disk.0.lock();
        if sim.off {
            return Err(power_is_off());
        }
        let offset = offset as usize;
        let bytes = sim.nodes[self.node].now.get(offset..offset + into.len());
        into.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut sim = self.disk.0.lock();
        match sim.operate()? {
            None => {
                sim.write(self.node, bytes, offset as usize);
                Ok(())
            }
            Some(mishap) => {
                let torn = sim.dice.below(bytes.len() as u64 + 1) as usize;
                sim.write(self.node, &bytes[..torn], offset as usize);
                Err(mishap.error())
            }
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut sim = self.disk.0.lock();
        sim.operate_whole()?;
        let node = &mut sim.nodes[self.node];
        node.flushed.resize(node.now.len(), 0);
        for sector in std::mem::take(&mut node.dirty) {
            let (from, to) = (sector * SECTOR, (sector * SECTOR + SECTOR).min(node.now.len()));
            if from < to {
                node.flushed[from..to].copy_from_slice(&node.now[from..to]);
            }
        }
        Ok(())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut sim = self.disk.0.lock();
        if let Some(mishap) = sim.operate()? {
            return Err(mishap.error());
        }
        let now = sim.nodes[self.node].now.len() as u64;
        if len > now && len - now > sim.free() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        sim.nodes[self.node].now.resize(len.max(now) as usize, 0);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut sim = self.disk.0.lock();
        sim.operate_whole()?;
        let node = &mut sim.nodes[self.node];
        node.now.resize(len as usize, 0);
        // Bytes that were cut off and come back with a longer length are zeros.
        let cut = (len as usize).min(node.flushed.len());
        node.dirty.extend(cut / SECTOR..node.flushed.len().div_ceil(SECTOR));
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        let sim = self.disk.0.lock();
        if sim.off { Err(power_is_off()) } else { Ok(sim.nodes[self.node].now.len() as u64) }
    }
}
