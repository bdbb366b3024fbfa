//! Random transactions on the simulated disk, with power cuts, full disks, failed writes and flushes at random
//! operations, compared with a model: every acknowledged transaction is there, none is torn, none that was refused
//! comes back, and a rebuilt index equals the old one. The committer is driven step by step, so a seed repeats a run.

use super::committer::{Committer, Request};
use super::index::State;
use super::shared::Shared;
use super::sim::{Mishap, SimDisk};
use super::{Apply, Options, check, compact, open};
use crate::faults::Dice;
use crate::{Abort, Commit, Error, Order, Packed, Read, Snapshot, Tx};
use std::collections::{BTreeMap, VecDeque};
use std::ops::{Bound, ControlFlow};
use std::path::Path;
use std::sync::Arc;

const DIR: &str = "/store";

fn options(apply: Apply) -> Options {
    Options {
        index_cache_bytes: 256 << 10,
        segment_bytes: 24 << 10,
        reserve_bytes: 64 << 10,
        group_requests: 6,
        apply,
        group_bytes: 32 << 10,
        ..Options::default()
    }
}

/// What one transaction does.
#[derive(Clone, Debug)]
enum Action {
    Put(u8, Vec<u8>),
    Delete(u8),
    /// Content with a tag, under which its id is kept.
    Append(u8, Vec<u8>, u32),
    Refer(u8, i32),
    GiveUp,
}

#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Model {
    keys: BTreeMap<u8, Vec<u8>>,
    contents: BTreeMap<u8, (Vec<u8>, u32)>,
}

impl Model {
    /// None when the transaction gives up.
    fn after(&self, script: &[Action]) -> Option<Model> {
        let mut model = self.clone();
        for action in script {
            match action {
                Action::Put(key, value) => drop(model.keys.insert(*key, value.clone())),
                Action::Delete(key) => drop(model.keys.remove(key)),
                Action::Append(tag, raw, references) => {
                    model.contents.entry(*tag).or_insert((raw.clone(), *references));
                }
                Action::Refer(tag, delta) => {
                    let Some(content) = model.contents.get_mut(tag) else { continue };
                    content.1 = content.1.saturating_add_signed(*delta);
                    if content.1 == 0 {
                        model.contents.remove(tag);
                    }
                }
                Action::GiveUp => return None,
            }
        }
        Some(model)
    }
}

fn perform(tx: &mut dyn Tx, script: &[Action]) -> Result<(), Abort> {
    for action in script {
        match action {
            Action::Put(key, value) => tx.put(&[0, 0, 0, 1, b'k', *key], value)?,
            Action::Delete(key) => tx.delete(&[0, 0, 0, 1, b'k', *key])?,
            Action::Append(tag, raw, references) => {
                let key = [0, 0, 0, 1, b'c', *tag];
                if tx.get(&key)?.is_none() {
                    let id = tx.append(&Packed::new(raw), *references)?;
                    tx.put(&key, &[&id.0.to_be_bytes()[..], &references.to_be_bytes()].concat())?;
                }
            }
            Action::Refer(tag, delta) => {
                let key = [0, 0, 0, 1, b'c', *tag];
                let Some(value) = tx.get(&key)? else { continue };
                let (id, references) = tagged(&value);
                let left = references.saturating_add_signed(*delta);
                tx.refer(crate::ContentId(id), left as i32 - references as i32)?;
                match left {
                    0 => tx.delete(&key)?,
                    _ => tx.put(&key, &[&id.to_be_bytes()[..], &left.to_be_bytes()].concat())?,
                }
            }
            Action::GiveUp => return Err(Abort::Cancelled),
        }
    }
    Ok(())
}

fn tagged(value: &[u8]) -> (u64, u32) {
    let (id, references) = value.split_at(8);
    (u64::from_be_bytes(id.try_into().unwrap()), u32::from_be_bytes(references.try_into().unwrap()))
}

fn bytes(dice: &mut Dice, most: u64) -> Vec<u8> {
    let len = dice.below(most + 1);
    let noise = dice.below(2) == 0;
    (0..len).map(|at| if noise { dice.next() as u8 } else { (at / 9) as u8 }).collect()
}

fn script(dice: &mut Dice) -> Vec<Action> {
    let count = 1 + dice.below(4);
    let mut script: Vec<Action> = (0..count)
        .map(|_| match dice.below(10) {
            0..3 => Action::Put(dice.below(20) as u8, bytes(dice, 60)),
            3 => Action::Delete(dice.below(20) as u8),
            4..7 => {
                // Now and then one that is larger than a segment.
                let most = if dice.below(40) == 0 { 60_000 } else { 4000 };
                Action::Append(dice.below(12) as u8, bytes(dice, most), 1 + dice.below(3) as u32)
            }
            _ => Action::Refer(dice.below(12) as u8, dice.below(6) as i32 - 4),
        })
        .collect();
    if dice.below(12) == 0 {
        script.push(Action::GiveUp);
    }
    script
}

/// An open store without threads.
struct Rig {
    committer: Committer,
    shared: Arc<Shared>,
    _lock: open::Lock,
}

impl Rig {
    fn open(disk: &SimDisk, apply: Apply) -> Result<Rig, Error> {
        let disk = Arc::new(disk.clone());
        let lock = open::claim(&*disk, Path::new(DIR))?;
        let shared = Arc::new(Shared::new(disk, Path::new(DIR).to_path_buf(), options(apply)));
        let opened = open::open(&shared)?;
        Ok(Rig { committer: Committer::new(shared.clone(), opened)?, shared, _lock: lock })
    }

    /// Runs the scripts as they would run if they arrived together.
    fn run(&mut self, scripts: &[Vec<Action>]) -> Vec<Result<(), Abort>> {
        let mut queue = VecDeque::new();
        let mut commits = Vec::new();
        for script in scripts {
            let (resolver, commit) = Commit::pair();
            let script = script.clone();
            queue.push_back(Request::Work(Box::new(move |tx| perform(tx, &script)), resolver));
            commits.push(commit);
        }
        while !queue.is_empty() {
            self.committer.step(&mut queue);
        }
        commits.into_iter().map(pollster::block_on).collect()
    }

    fn compact(&mut self) -> Result<(), Error> {
        let shared = self.shared.clone();
        compact::compact_now(&shared, &mut &mut self.committer, &mut |_, _| {}).map(drop)
    }

    /// The whole store, as the model sees it.
    fn model(&self) -> Model {
        let snapshot = self.shared.snapshot().expect("snapshot");
        let mut model = Model::default();
        let everything = (Bound::Unbounded, Bound::Unbounded);
        let mut tags = 0;
        snapshot
            .scan(everything, Order::Ascending, &mut |key, value| {
                if key[4] == b'k' {
                    model.keys.insert(key[5], value.to_vec());
                    return ControlFlow::Continue(());
                }
                let (id, references) = tagged(value);
                let mut raw = Vec::new();
                snapshot.read_content(crate::ContentId(id), 0..u64::MAX, &mut raw).expect("content");
                let entry = snapshot.view.content(crate::ContentId(id)).expect("index").expect("entry");
                assert_eq!(entry.references, references);
                model.contents.insert(key[5], (raw, references));
                tags += 1;
                ControlFlow::Continue(())
            })
            .expect("scan");
        let mut contents = 0;
        snapshot
            .view
            .each_content(&mut |_, _| {
                contents += 1;
                Ok(())
            })
            .expect("contents");
        assert_eq!(contents, tags, "no content without an owner");
        model
    }

    /// Everything that the index holds, for comparison with another one.
    fn dump(&self) -> (BTreeMap<Vec<u8>, Vec<u8>>, Vec<String>, State) {
        let snapshot = self.shared.snapshot().expect("snapshot");
        let mut rows = BTreeMap::new();
        let everything = (Bound::Unbounded, Bound::Unbounded);
        snapshot
            .scan(everything, Order::Ascending, &mut |key, value| {
                rows.insert(key.to_vec(), value.to_vec());
                ControlFlow::Continue(())
            })
            .expect("scan");
        let mut contents = Vec::new();
        snapshot
            .view
            .each_content(&mut |id, entry| {
                contents.push(format!("{id:?} {entry:?}"));
                Ok(())
            })
            .expect("contents");
        (rows, contents, self.committer.state.clone())
    }

    fn assert_checks(&self) {
        let snapshot = self.shared.snapshot().expect("snapshot");
        let report = check::check_at(&snapshot, &self.committer.state, &mut |_, _| {}).expect("check");
        assert_eq!(report.problems, Vec::<String>::new());
    }
}

impl compact::Reach for &mut Committer {
    fn ask<T: Send + 'static>(
        &mut self,
        question: impl FnOnce(&mut Committer) -> T + Send + 'static,
    ) -> Result<T, Error> {
        Ok(question(self))
    }

    fn write(&mut self, slice: compact::Slice) -> Result<(), Error> {
        let (resolver, commit) = Commit::pair();
        self.step(&mut VecDeque::from([Request::Slice(slice, resolver)]));
        match pollster::block_on(commit) {
            Ok(()) => Ok(()),
            Err(Abort::Engine(error)) => Err(error),
            Err(Abort::Cancelled) => unreachable!("slices do not give up"),
        }
    }
}

/// Opens the store, which must be one of `possible`; answers that one.
fn reopen(disk: &SimDisk, possible: &[Model], seed: u64) -> (Rig, Model) {
    let rig = Rig::open(disk, Apply::BeforeFlush).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let found = rig.model();
    assert!(possible.contains(&found), "seed {seed}: none of {} possible states: {found:?}", possible.len());
    rig.assert_checks();
    let dump = rig.dump();
    drop(rig);
    open::rebuild_on(disk, Path::new(DIR), &mut |_, _| {})
        .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let rig =
        Rig::open(disk, Apply::BeforeFlush).unwrap_or_else(|error| panic!("seed {seed}, rebuilt: {error}"));
    let rebuilt = rig.dump();
    assert!(rebuilt.0 == dump.0 && rebuilt.1 == dump.1, "seed {seed}: the rebuilt index differs");
    assert_eq!(rebuilt.2, dump.2, "seed {seed}");
    (rig, found)
}

fn random_mishap(dice: &mut Dice, disk: &SimDisk) {
    let mishap = match dice.below(10) {
        0..2 => Mishap::Full,
        2..4 => Mishap::Broken,
        _ => Mishap::PowerCut,
    };
    disk.plan(1 + dice.below(90), mishap);
}

/// The states that may be there after one more transaction ended with `outcome`.
fn follow(possible: &mut Vec<Model>, script: &[Action], outcome: &Result<(), Abort>, seed: u64) {
    let after = possible.iter().filter_map(|model| model.after(script));
    match outcome {
        Ok(()) => *possible = after.collect(),
        Err(Abort::Cancelled) => possible.retain(|model| model.after(script).is_none()),
        // Refused as a whole.
        Err(Abort::Engine(Error::Full)) => {}
        Err(Abort::Engine(Error::Io(_) | Error::Stopped)) => {
            let after: Vec<Model> = after.collect();
            possible.extend(after);
        }
        Err(other) => panic!("seed {seed}: {other:?}"),
    }
    assert!(!possible.is_empty(), "seed {seed}: {outcome:?} can't be");
}

/// One life after the other, each ended by a power cut.
fn simulate(seed: u64, lives: usize, apply: Apply) -> u64 {
    let mut dice = Dice(seed);
    let disk = SimDisk::new(dice.next());
    let mut acknowledged = 0;
    let mut now = Model::default();
    // Cuts while the store is made.
    while dice.below(2) == 0 {
        disk.plan(1 + dice.below(40), Mishap::PowerCut);
        drop(Rig::open(&disk, apply));
        disk.power_cycle();
    }
    for _ in 0..lives {
        let mut rig;
        (rig, now) = reopen(&disk, &[now], seed);
        drop(rig);
        rig = Rig::open(&disk, apply).expect("open");
        let mut possible = vec![now.clone()];
        for round in 0..40 {
            if round % 10 == 0 {
                random_mishap(&mut dice, &disk);
            }
            let scripts: Vec<_> = (0..1 + dice.below(8)).map(|_| script(&mut dice)).collect();
            for (script, outcome) in scripts.iter().zip(rig.run(&scripts)) {
                acknowledged += u64::from(outcome.is_ok());
                follow(&mut possible, script, &outcome, seed);
            }
            if disk.is_off() || rig.shared.stopped.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            // While the index is lost after an error there is nothing to look at.
            if rig.shared.snapshot().is_ok() {
                let seen = rig.model();
                assert!(possible.contains(&seen), "seed {seed}: {seen:?}");
                possible = vec![seen];
            }
            let maintained = match dice.below(6) {
                0 => rig.committer.checkpoint(),
                1 => rig.compact(),
                2 => rig.committer.seal(),
                _ => Ok(()),
            };
            if let Err(error) = maintained {
                assert!(!matches!(error, Error::Corrupt { .. }), "seed {seed}: {error}");
            }
        }
        if dice.below(8) == 0 && !disk.is_off() {
            disk.forget_plans();
            // Closing may fail where the engine stopped; the next start finds out.
            let _ = rig.committer.close();
        }
        drop(rig);
        disk.power_cycle();
        // Cuts during recovery, too.
        while dice.below(3) == 0 {
            disk.plan(1 + dice.below(30), Mishap::PowerCut);
            drop(Rig::open(&disk, apply));
            disk.power_cycle();
        }
        (rig, now) = reopen(&disk, &possible, seed);
        drop(rig);
    }
    acknowledged
}

fn seeds() -> u64 {
    std::env::var("ENGINE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_torn() {
    let seeds = seeds();
    let acknowledged: u64 = (0..seeds).map(|seed| simulate(seed, 5, Apply::BeforeFlush)).sum();
    assert!(acknowledged > seeds * 50, "the runs end too early to prove anything: {acknowledged}");
}

/// The same with the index on its thread (so that a seed does not fix the order of disk operations).
#[test]
fn nothing_is_lost_when_the_index_works_beside_the_flush() {
    let seeds = seeds() / 2;
    let acknowledged: u64 = (0..seeds).map(|seed| simulate(seed, 5, Apply::DuringFlush)).sum();
    assert!(acknowledged > seeds * 50, "the runs end too early to prove anything: {acknowledged}");
}

#[test]
fn no_record_is_written_over_the_remains_of_a_failed_write() {
    let disk = SimDisk::new(1);
    let mut rig = Rig::open(&disk, Apply::BeforeFlush).unwrap();
    let put = |key| vec![vec![Action::Put(key, vec![key; 30])]];
    assert!(rig.run(&put(1))[0].is_ok());
    let before = rig.committer.state.position;
    disk.plan(1, Mishap::Broken);
    assert!(matches!(rig.run(&put(2))[0], Err(Abort::Engine(Error::Io(_)))));
    assert_eq!(rig.committer.state.position, before);
    assert!(rig.run(&put(3))[0].is_ok());
    let after = rig.committer.state.position;
    // The seal stands where the failed record began, and the file ends with it.
    assert_eq!((after.segment, after.lsn), (before.segment + 1, before.lsn + 3));
    let sealed = rig.shared.set().0[&before.segment].file.len().unwrap();
    assert_eq!(sealed, before.offset + super::record::SEAL_BYTES);
}

#[test]
fn the_segment_of_the_checkpoint_is_never_let_go() {
    let disk = SimDisk::new(2);
    let mut rig = Rig::open(&disk, Apply::BeforeFlush).unwrap();
    let script = vec![vec![Action::Append(1, vec![5; 3000], 1)], vec![Action::Refer(1, -1)]];
    assert!(rig.run(&script).iter().all(Result::is_ok));
    rig.committer.seal().unwrap();
    rig.committer.condemn(1);
    rig.committer.checkpoint().unwrap();
    assert!(rig.shared.set().0.contains_key(&1), "replay begins there");
    rig.committer.settle().unwrap();
    assert!(!rig.shared.set().0.contains_key(&1));
    drop(rig);
    disk.power_cycle();
    reopen(&disk, &[Model::default()], 2);
}

#[test]
fn a_transaction_larger_than_a_segment_gets_one_of_its_own() {
    let disk = SimDisk::new(3);
    let mut rig = Rig::open(&disk, Apply::BeforeFlush).unwrap();
    let mut dice = Dice(4);
    let large: Vec<u8> = (0..100_000).map(|_| dice.next() as u8).collect();
    let scripts = vec![
        vec![Action::Put(1, vec![1])],
        vec![Action::Append(1, large.clone(), 1)],
        vec![Action::Put(2, vec![2])],
    ];
    assert!(rig.run(&scripts).iter().all(Result::is_ok));
    let model = rig.model();
    assert_eq!(model.contents[&1], (large, 1));
    drop(rig);
    disk.power_cycle();
    reopen(&disk, &[model], 3);
}

fn listed(disk: &SimDisk) -> Vec<u32> {
    super::segment::list(disk, &Path::new(DIR).join("log")).unwrap().segments
}

/// Rewrites every sealed segment, and then the power goes before one of them is deleted.
fn rewrite_and_crash(disk: &SimDisk, mut rig: Rig) {
    rig.committer.seal().unwrap();
    let numbers = listed(disk);
    let shared = rig.shared.clone();
    for number in numbers {
        compact::rewrite(&shared, &mut &mut rig.committer, number, compact::Puts::Again, &mut |_| {})
            .unwrap();
    }
    drop((rig, shared));
    disk.power_cycle();
}

#[test]
fn what_cut_short_compactions_wrote_twice_is_given_back() {
    let disk = SimDisk::new(5);
    let mut rig = Rig::open(&disk, Apply::BeforeFlush).unwrap();
    let scripts: Vec<_> = (0..20).map(|key| vec![Action::Put(key, vec![key; 500])]).collect();
    assert!(rig.run(&scripts).iter().all(Result::is_ok));
    for _ in 0..5 {
        rewrite_and_crash(&disk, rig);
        rig = Rig::open(&disk, Apply::BeforeFlush).unwrap();
    }
    let before: u64 = rig.committer.state.usage.values().map(|usage| usage.used).sum();
    let live = rig.committer.state.live_kv;
    assert!(before > 30 * live, "{before} bytes of log for {live}: nothing to give back");
    rig.compact().unwrap();
    let after: u64 = rig.committer.state.usage.values().map(|usage| usage.used).sum();
    // Twice the living ones, the slack, and the segment that is being written.
    assert!(after < 4 * live, "{after} bytes of log for {live}");
    let model = rig.model();
    drop(rig);
    disk.power_cycle();
    reopen(&disk, &[model], 5);
}

#[test]
fn nothing_is_kept_of_keys_and_contents_that_are_gone() {
    let disk = SimDisk::new(6);
    let mut rig = Rig::open(&disk, Apply::BeforeFlush).unwrap();
    // In several segments, each of which has deletions of what older ones hold.
    for round in 0..30u8 {
        let at = round % 5;
        let come = vec![Action::Put(at, vec![round; 60]), Action::Append(at, vec![round; 3000], 2)];
        let go = vec![Action::Delete(at), Action::Refer(at, -2)];
        assert!(rig.run(&[come, vec![Action::Refer(at, -1)], go]).iter().all(Result::is_ok));
        rig.committer.seal().unwrap();
    }
    rig.compact().unwrap();
    let snapshot = rig.shared.snapshot().unwrap();
    let used = rig.committer.state.usage.iter().map(|(number, usage)| (*number, usage.used)).collect();
    let space = super::space::space(&snapshot, &used, &mut |_, _| {}).unwrap();
    assert_eq!(space.keys, []);
    let rest: Vec<_> = space.log.iter().filter(|part| part.dead_bytes > 0 || part.group.is_some()).collect();
    assert!(rest.is_empty(), "{rest:?}");
    drop((snapshot, rig));
    disk.power_cycle();
    reopen(&disk, &[Model::default()], 6);
}

#[test]
fn segments_leave_the_disk_in_the_order_of_their_numbers() {
    let disk = SimDisk::new(7);
    let mut rig = Rig::open(&disk, Apply::BeforeFlush).unwrap();
    assert!(rig.run(&[vec![Action::Put(1, vec![1; 5000])]])[0].is_ok());
    // Holds the first segment, whose key is deleted in the second one.
    let snapshot = rig.shared.snapshot().unwrap();
    rig.committer.seal().unwrap();
    assert!(rig.run(&[vec![Action::Delete(1)]])[0].is_ok());
    for number in 0..20 {
        assert!(
            rig.run(&[vec![Action::Put(number, vec![2; 5000])], vec![Action::Delete(number)]])[0].is_ok()
        );
    }
    rig.compact().unwrap();
    let held = listed(&disk);
    assert!(held.starts_with(&[1, 2]), "the second one has to wait for the first: {held:?}");
    disk.power_cycle();
    drop((snapshot, rig));
    reopen(&disk, &[Model::default()], 7);
}

#[test]
fn the_index_file_shrinks_and_its_snapshots_read_on() {
    let disk = SimDisk::new(8);
    let mut rig = Rig::open(&disk, Apply::BeforeFlush).unwrap();
    let bulk = |rig: &mut Rig, count: u32, value: Option<&'static [u8]>| {
        let (resolver, commit) = Commit::pair();
        let work = move |tx: &mut dyn Tx| {
            for number in 0..count {
                let key = [&[0, 0, 0, 9, b'b'][..], &number.to_be_bytes()].concat();
                match value {
                    Some(value) => tx.put(&key, value)?,
                    None => tx.delete(&key)?,
                }
            }
            Ok(())
        };
        rig.committer.step(&mut VecDeque::from([Request::Work(Box::new(work), resolver)]));
        pollster::block_on(commit).unwrap();
    };
    bulk(&mut rig, 10_000, Some(&[7; 400]));
    rig.committer.checkpoint().unwrap();
    let held = rig.shared.snapshot().unwrap();
    bulk(&mut rig, 10_000, None);
    assert!(rig.run(&[vec![Action::Put(3, vec![3; 40]), Action::Append(1, vec![9; 2000], 2)]])[0].is_ok());
    rig.committer.checkpoint().unwrap();
    let before = rig.shared.figures().index_bytes;
    rig.compact().unwrap();
    let after = rig.shared.figures().index_bytes;
    assert!(before > 6_000_000 && after < before / 3, "{before} bytes of index, then {after}");
    let key = [0, 0, 0, 9, b'b', 0, 0, 0, 5];
    assert_eq!(held.get(&key).unwrap().as_deref(), Some(&[7; 400][..]));
    assert_eq!(rig.shared.snapshot().unwrap().get(&key).unwrap(), None);
    rig.assert_checks();
    let model = rig.model();
    drop((held, rig));
    disk.power_cycle();
    reopen(&disk, &[model], 8);
}
