//! The engine in memory: the same trait, synchronous and deterministic, with faults from a seed. Simulations and the
//! tests of everything above the engine run on it.

use crate::faults::{Dice, Fate, Faults};
use crate::overlay::{Base, Staged, StagedTx, is_empty_range};
use crate::pack::PackedBytes;
use crate::{
    Abort, AccountId, CheckReport, Commit, ContentId, Engine, Error, Figures, Order, Packed, Progress, Read,
    Resolver, Snapshot, Visit, Work,
};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::{Bound, ControlFlow, Range};
use std::sync::Arc;

/// One state of everything.
#[derive(Clone)]
struct World {
    kv: BTreeMap<Vec<u8>, Vec<u8>>,
    contents: BTreeMap<u64, (Packed, u32)>,
    next_content: u64,
}

struct Inner {
    /// What is durable. Shared with snapshots; written in place when there are none.
    world: Arc<World>,
    /// States after each transaction of a group whose flush failed: what a power cut may show instead.
    limbo: Vec<World>,
    waiting: VecDeque<(Work, Resolver)>,
    staged: Staged,
    dice: Dice,
    stopped: bool,
    figures: Figures,
}

/// See the file's head.
pub struct MemoryEngine {
    faults: Faults,
    inner: Mutex<Inner>,
}

impl Default for MemoryEngine {
    fn default() -> Self {
        MemoryEngine::new(Faults::default())
    }
}

impl MemoryEngine {
    /// An empty one.
    pub fn new(faults: Faults) -> MemoryEngine {
        let world = World { kv: BTreeMap::new(), contents: BTreeMap::new(), next_content: 1 };
        MemoryEngine::with_world(world, faults)
    }

    fn with_world(world: World, faults: Faults) -> MemoryEngine {
        let inner = Inner {
            world: Arc::new(world),
            limbo: Vec::new(),
            waiting: VecDeque::new(),
            staged: Staged::default(),
            dice: Dice(faults.seed),
            stopped: false,
            figures: Figures::default(),
        };
        MemoryEngine { faults, inner: Mutex::new(inner) }
    }

    /// Commits what waits for its group to fill.
    pub fn flush(&self) {
        while self.group(1) {}
    }

    /// The power fails: this engine stops, and the one that is answered has what the disk has then. That is every
    /// acknowledged transaction, whole, and of those that wait for their answer a prefix chosen by the seed.
    pub fn crash(&self) -> MemoryEngine {
        let mut inner = self.inner.lock();
        inner.stopped = true;
        let mut world = (*inner.world).clone();
        if !inner.limbo.is_empty() {
            let bound = inner.limbo.len() as u64 + 1;
            let survives = inner.dice.below(bound) as usize;
            if let Some(survivor) = survives.checked_sub(1) {
                world = inner.limbo.swap_remove(survivor);
            }
        } else if !inner.waiting.is_empty() {
            let bound = inner.waiting.len().min(self.faults.group) as u64 + 1;
            let survives = inner.dice.below(bound) as usize;
            let mut staged = Staged::default();
            for (work, _) in inner.waiting.iter_mut().take(survives) {
                // One that gives up leaves nothing, here as ever.
                let _ = run(&mut world, &mut staged, work);
            }
        }
        let seed = inner.dice.next();
        let left = std::mem::take(&mut inner.waiting);
        drop(inner);
        for (_, resolver) in left {
            resolver.resolve(Err(Abort::Engine(Error::Stopped)));
        }
        MemoryEngine::with_world(world, Faults { seed, ..self.faults.clone() })
    }

    /// Flips a bit of the stored content, as a bad disk would; answers whether there is such content (with any bytes).
    pub fn damage(&self, id: ContentId) -> bool {
        let mut inner = self.inner.lock();
        let world = Arc::make_mut(&mut inner.world);
        let Some((packed, _)) = world.contents.get_mut(&id.0) else { return false };
        let mut blob = packed.0.blob.clone();
        let Some(last) = blob.last_mut() else { return false };
        *last ^= 1;
        *packed = Packed(Arc::new(PackedBytes { blob, shape: packed.0.shape }));
        true
    }

    /// Runs a group if at least `least` requests wait; answers whether it did.
    fn group(&self, least: usize) -> bool {
        let mut inner = self.inner.lock();
        if inner.waiting.len() < least {
            return false;
        }
        if let Some(slow) = &self.faults.slow {
            slow();
        }
        let size = inner.waiting.len().min(self.faults.group.max(1));
        let mut group: Vec<(Work, Resolver)> = inner.waiting.drain(..size).collect();
        let outcomes = inner.commit(&mut group, &self.faults);
        drop(inner);
        for ((_, resolver), outcome) in group.into_iter().zip(outcomes) {
            resolver.resolve(outcome);
        }
        true
    }
}

impl Inner {
    fn commit(&mut self, group: &mut [(Work, Resolver)], faults: &Faults) -> Vec<Result<(), Abort>> {
        if self.stopped {
            return group.iter().map(|_| Err(Abort::Engine(Error::Stopped))).collect();
        }
        let fate = faults.fate(&mut self.dice);
        if fate == Fate::Fine {
            let world = Arc::make_mut(&mut self.world);
            let outcomes: Vec<_> =
                group.iter_mut().map(|(work, _)| run(world, &mut self.staged, work)).collect();
            self.figures.commits += outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
            self.figures.groups += 1;
            return outcomes;
        }
        // The transactions run, and then it turns out that they can't be kept.
        let mut world = (*self.world).clone();
        let mut outcomes = Vec::new();
        for (work, _) in group {
            let outcome = run(&mut world, &mut self.staged, work);
            if fate == Fate::LostFlush {
                self.limbo.push(world.clone());
            }
            let error = match fate {
                Fate::Full => Error::Full,
                Fate::Io => Error::from(io::Error::other("injected failure")),
                Fate::LostFlush | Fate::Fine => Error::Stopped,
            };
            outcomes.push(outcome.and(Err(Abort::Engine(error))));
        }
        self.stopped = fate == Fate::LostFlush;
        outcomes
    }
}

/// Runs one transaction: all of it, or nothing.
fn run(world: &mut World, staged: &mut Staged, work: &mut Work) -> Result<(), Abort> {
    staged.clear();
    let mut next_content = world.next_content;
    let mut tx = StagedTx::new(&*world, staged, &mut next_content);
    work(&mut tx)?;
    if let Some(error) = tx.into_failure() {
        return Err(Abort::Engine(error));
    }
    for (key, value) in staged.entries() {
        match value {
            Some(value) => world.kv.insert(key.to_vec(), value.to_vec()),
            None => world.kv.remove(key),
        };
    }
    for (id, references) in &staged.referred {
        match (references, world.contents.get_mut(&id.0)) {
            (0, _) => drop(world.contents.remove(&id.0)),
            (references, Some(content)) => content.1 = *references,
            (_, None) => unreachable!("a transaction refers to existing content only"),
        }
    }
    for content in staged.appended.drain(..).filter(|content| content.references > 0) {
        world.contents.insert(content.id.0, (content.packed, content.references));
    }
    world.next_content = next_content;
    Ok(())
}

impl Engine for MemoryEngine {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, Error> {
        Ok(Box::new(MemorySnapshot(self.inner.lock().world.clone())))
    }

    fn submit(&self, _accounts: &[AccountId], work: Work) -> Commit {
        let (resolver, commit) = Commit::pair();
        self.inner.lock().waiting.push_back((work, resolver));
        self.group(self.faults.group.max(1));
        commit
    }

    /// Freed content is gone at once here, so there is nothing to give back.
    fn compact(&self, progress: Progress<'_>) -> Result<u64, Error> {
        progress(0, 0);
        Ok(0)
    }

    fn check(&self, progress: Progress<'_>) -> Result<CheckReport, Error> {
        let world = self.inner.lock().world.clone();
        let mut report = CheckReport { entries: world.kv.len() as u64, ..CheckReport::default() };
        let total = world.contents.values().map(|(packed, _)| packed.stored_len()).sum();
        let mut done = 0;
        for (id, (packed, _)) in &world.contents {
            report.contents += 1;
            if let Err(unreadable) = packed.0.verify() {
                report.damaged.push(ContentId(*id));
                report.problems.push(unreadable.into_error(|| format!("content {id}")).to_string());
            }
            done += packed.stored_len();
            progress(done, total);
        }
        Ok(report)
    }

    fn figures(&self) -> Figures {
        let inner = self.inner.lock();
        let live = inner.world.contents.values().map(|(packed, _)| packed.stored_len()).sum();
        let index: usize = inner.world.kv.iter().map(|(key, value)| key.len() + value.len()).sum();
        Figures {
            log_bytes: live,
            live_content_bytes: live,
            index_bytes: index as u64,
            stopped: inner.stopped,
            ..inner.figures
        }
    }
}

struct MemorySnapshot(Arc<World>);

impl Read for World {
    fn get_with(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        Ok(self.kv.get(key).map(|value| found(value)).is_some())
    }

    fn scan(&self, range: (Bound<&[u8]>, Bound<&[u8]>), order: Order, visit: Visit<'_>) -> Result<(), Error> {
        if is_empty_range(range) {
            return Ok(());
        }
        let mut rows = self.kv.range::<[u8], _>(range);
        while let Some((key, value)) = if order == Order::Ascending { rows.next() } else { rows.next_back() }
        {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Base for World {
    fn references(&self, id: ContentId) -> Result<Option<u32>, Error> {
        Ok(self.contents.get(&id.0).map(|(_, references)| *references))
    }
}

impl Read for MemorySnapshot {
    fn get_with(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        self.0.get_with(key, found)
    }

    fn scan(&self, range: (Bound<&[u8]>, Bound<&[u8]>), order: Order, visit: Visit<'_>) -> Result<(), Error> {
        self.0.scan(range, order, visit)
    }
}

impl Snapshot for MemorySnapshot {
    fn read_content(&self, id: ContentId, range: Range<u64>, out: &mut Vec<u8>) -> Result<(), Error> {
        let what = || format!("content {}", id.0);
        let missing = || Error::Corrupt { what: what(), why: "no such content".into() };
        let (packed, _) = self.0.contents.get(&id.0).ok_or_else(missing)?;
        packed.0.read(range, out).map_err(|unreadable| unreadable.into_error(what))
    }

    fn content_len(&self, id: ContentId) -> Result<Option<u64>, Error> {
        Ok(self.0.contents.get(&id.0).map(|(packed, _)| packed.raw_len()))
    }

    fn contents(
        &self,
        from: ContentId,
        visit: &mut dyn FnMut(ContentId, u32) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        // The break is the visitor's wish, not ours.
        let _ = self
            .0
            .contents
            .range(from.0..)
            .try_for_each(|(id, (_, references))| visit(ContentId(*id), *references));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(engine: &dyn Engine, number: u32) -> crate::Pending<()> {
        engine.transact(&[AccountId(1)], move |tx| {
            tx.put(&[0, 0, 0, 1, number as u8, 0], b"one")?;
            tx.put(&[0, 0, 0, 1, number as u8, 1], b"two")?;
            Ok(())
        })
    }

    fn keys(engine: &dyn Engine) -> usize {
        let mut count = 0;
        let snapshot = engine.snapshot().unwrap();
        let everything = (Bound::Unbounded, Bound::Unbounded);
        snapshot
            .scan(everything, Order::Ascending, &mut |_, _| {
                count += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        count
    }

    #[test]
    fn conforms() {
        crate::conformance::all(&MemoryEngine::default());
    }

    #[test]
    fn a_group_waits_until_it_is_full() {
        let engine = MemoryEngine::new(Faults { group: 3, ..Faults::default() });
        let waiting: Vec<_> = (0..2).map(|number| put(&engine, number)).collect();
        assert_eq!(keys(&engine), 0);
        engine.flush();
        assert_eq!(keys(&engine), 4);
        waiting.into_iter().for_each(|pending| pending.wait().unwrap());
        assert_eq!(engine.figures().groups, 1);
    }

    #[test]
    fn a_power_cut_keeps_the_acknowledged_and_a_prefix_of_the_rest() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..64 {
            let engine = MemoryEngine::new(Faults { seed, group: 4, ..Faults::default() });
            let kept: Vec<_> = (0..4).map(|number| put(&engine, number)).collect();
            kept.into_iter().for_each(|pending| pending.wait().unwrap());
            let lost: Vec<_> = (4..7).map(|number| put(&engine, number)).collect();
            let after = engine.crash();
            assert!(
                lost.into_iter().all(|pending| matches!(pending.wait(), Err(Abort::Engine(Error::Stopped))))
            );
            let keys = keys(&after);
            assert!(keys >= 8 && keys.is_multiple_of(2), "{keys}");
            let prefix = (keys - 8) / 2;
            for number in 0..7 {
                let there = after.snapshot().unwrap().get(&[0, 0, 0, 1, number, 1]).unwrap().is_some();
                assert_eq!(there, usize::from(number) < 4 + prefix);
            }
            seen.insert(prefix);
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn faults_hit_whole_groups_and_repeat_with_their_seed() {
        let outcomes = |seed| {
            let faults = Faults {
                seed,
                full_per_mille: 200,
                io_per_mille: 200,
                lost_flush_per_mille: 20,
                ..Faults::default()
            };
            let engine = MemoryEngine::new(faults);
            let mut text = String::new();
            let mut kept = 0;
            for number in 0..100 {
                text.push(match put(&engine, number).wait() {
                    Ok(()) => {
                        kept += 1;
                        '.'
                    }
                    Err(Abort::Engine(Error::Full)) => 'F',
                    Err(Abort::Engine(Error::Io(_))) => 'I',
                    Err(Abort::Engine(Error::Stopped)) => 'S',
                    Err(other) => panic!("{other:?}"),
                });
                assert_eq!(keys(&engine), kept * 2);
            }
            text
        };
        let all: String = (0..8).map(outcomes).collect();
        assert!(['.', 'F', 'I', 'S'].iter().all(|mark| all.contains(*mark)), "{all}");
        let stopped = (0..8).map(outcomes).find(|text| text.contains('S')).unwrap();
        assert!(
            stopped.trim_start_matches(|mark| mark != 'S').chars().all(|mark| mark == 'S'),
            "stays stopped"
        );
        assert_eq!(outcomes(5), outcomes(5));
    }

    #[test]
    fn damaged_content_is_reported_and_the_rest_served() {
        let engine = MemoryEngine::default();
        let dynamic: &dyn Engine = &engine;
        let store = |words: &'static [u8]| {
            let packed = Packed::new(words);
            dynamic.transact(&[AccountId(1)], move |tx| Ok(tx.append(&packed, 1)?)).wait().unwrap()
        };
        let (first, second) = (store(b"first words"), store(b"second words"));
        assert!(engine.damage(first));
        let snapshot = engine.snapshot().unwrap();
        let mut out = Vec::new();
        assert!(matches!(snapshot.read_content(first, 0..9, &mut out), Err(Error::Corrupt { .. })));
        snapshot.read_content(second, 0..6, &mut out).unwrap();
        assert_eq!(out, b"second");
        assert_eq!(engine.check(&mut |_, _| {}).unwrap().damaged, [first]);
    }
}
