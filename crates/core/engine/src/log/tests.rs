//! The engine with its threads, on a real folder and on the simulated disk.

use super::sim::{Mishap, SimDisk};
use super::*;
use crate::{ContentId, Order, Packed};
use std::ops::{Bound, ControlFlow};

fn small() -> Options {
    Options {
        index_cache_bytes: 1 << 20,
        segment_bytes: 256 << 10,
        checkpoint_bytes: 128 << 10,
        reserve_bytes: 1 << 20,
        reclaim_interval: Duration::from_secs(3600),
        ..Options::default()
    }
}

fn on_sim(disk: &SimDisk) -> Result<LogEngine, Error> {
    LogEngine::open_on(Arc::new(disk.clone()), Path::new("/store"), small())
}

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut dice = crate::faults::Dice(seed);
    (0..len).map(|_| dice.next() as u8).collect()
}

fn store(engine: &dyn Engine, raw: &[u8]) -> Result<ContentId, Abort> {
    let packed = Packed::new(raw);
    let work = move |tx: &mut dyn crate::Tx| {
        let id = tx.append(&packed, 1)?;
        tx.put(&[&[0, 0, 0, 1][..], &id.0.to_be_bytes()].concat(), b"a message")?;
        Ok(id)
    };
    engine.transact(&[AccountId(1)], work).wait()
}

fn free(engine: &dyn Engine, id: ContentId) -> Result<(), Abort> {
    let work = move |tx: &mut dyn crate::Tx| {
        tx.delete(&[&[0, 0, 0, 1][..], &id.0.to_be_bytes()].concat())?;
        Ok(tx.refer(id, -1)?)
    };
    engine.transact(&[AccountId(1)], work).wait()
}

fn put(engine: &dyn Engine, key: &'static [u8], value: &[u8]) -> Result<(), Abort> {
    let value = value.to_vec();
    engine.transact(&[AccountId(0)], move |tx| Ok(tx.put(key, &value)?)).wait()
}

fn read(engine: &dyn Engine, id: ContentId) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    engine.snapshot()?.read_content(id, 0..u64::MAX, &mut out)?;
    Ok(out)
}

fn keys(engine: &dyn Engine) -> usize {
    let mut count = 0;
    let everything = (Bound::Unbounded, Bound::Unbounded);
    let visit = &mut |_: &[u8], _: &[u8]| {
        count += 1;
        ControlFlow::Continue(())
    };
    engine.snapshot().unwrap().scan(everything, Order::Ascending, visit).unwrap();
    count
}

fn assert_checks(engine: &dyn Engine) {
    assert_eq!(engine.check(&mut |_, _| {}).unwrap().problems, Vec::<String>::new());
}

/// The first segments' paths, oldest first.
fn segments(disk: &SimDisk) -> Vec<std::path::PathBuf> {
    let log_dir = Path::new("/store/log");
    let listing = segment::list(disk, log_dir).unwrap();
    listing.segments.iter().map(|number| segment::path_of(log_dir, *number)).collect()
}

#[test]
fn conforms() {
    let dir = tempfile::tempdir().unwrap();
    let engine = LogEngine::open(dir.path(), small()).unwrap();
    crate::conformance::all(&engine);
    engine.close().unwrap();
    let engine = LogEngine::open(dir.path(), small()).unwrap();
    assert_checks(&engine);
    drop(engine);
    rebuild(dir.path(), &mut |_, _| {}).unwrap();
    assert_checks(&LogEngine::open(dir.path(), small()).unwrap());
}

#[test]
fn conforms_with_the_default_options() {
    let dir = tempfile::tempdir().unwrap();
    let engine =
        LogEngine::open(dir.path(), Options { reserve_bytes: 1 << 20, ..Options::default() }).unwrap();
    crate::conformance::all(&engine);
}

#[test]
fn a_second_process_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = LogEngine::open(dir.path(), small()).unwrap();
    assert!(matches!(LogEngine::open(dir.path(), small()), Err(Error::Locked(_))));
    assert!(matches!(rebuild(dir.path(), &mut |_, _| {}), Err(Error::Locked(_))));
    drop(first);
    LogEngine::open(dir.path(), small()).unwrap();
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(LogEngine::open(dir.path(), small()).unwrap());
    std::fs::write(dir.path().join("FORMAT"), "troika-store-format 2\n").unwrap();
    let refused = LogEngine::open(dir.path(), small()).map(drop);
    assert!(matches!(refused, Err(Error::NewerFormat { found: 2, supported: 1 })), "{refused:?}");
    std::fs::write(dir.path().join("FORMAT"), "something\n").unwrap();
    assert!(matches!(LogEngine::open(dir.path(), small()), Err(Error::Corrupt { .. })));
}

#[test]
fn concurrent_requests_share_a_flush() {
    let disk = SimDisk::new(1);
    let engine = on_sim(&disk).unwrap();
    let dynamic: &dyn Engine = &engine;
    // The first waits inside the committer until the others are queued behind it.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let first = dynamic.transact(&[AccountId(1)], move |tx| {
        wait.recv().expect("the test sends");
        Ok(tx.put(b"\0\0\0\x01first", b"")?)
    });
    let rest: Vec<_> = (0..100u8)
        .map(|number| dynamic.transact(&[AccountId(1)], move |tx| Ok(tx.put(&[0, 0, 0, 1, number], b"")?)))
        .collect();
    go.send(()).unwrap();
    first.wait().unwrap();
    rest.into_iter().for_each(|pending| pending.wait().unwrap());
    let figures = engine.figures();
    assert_eq!(figures.commits, 101);
    assert!(figures.groups <= 2, "{figures:?}");
}

#[test]
fn a_full_disk_refuses_content_and_recovers() {
    let disk = SimDisk::new(2);
    let engine = on_sim(&disk).unwrap();
    let first = store(&engine, &noise(1, 100_000)).unwrap();
    disk.set_capacity(disk.used_bytes() + (700 << 10));
    assert!(matches!(store(&engine, b"more"), Err(Abort::Engine(Error::Full))), "only the reserve is left");
    put(&engine, b"\0\0\0\0flag", b"set").expect("small changes may use the reserve");
    disk.set_capacity(disk.used_bytes() + (100 << 10));
    assert!(matches!(put(&engine, b"\0\0\0\0flag", b"lost"), Err(Abort::Engine(Error::Full))));
    assert_eq!(engine.snapshot().unwrap().get(b"\0\0\0\0flag").unwrap().unwrap(), b"set");
    assert_eq!(read(&engine, first).unwrap(), noise(1, 100_000));
    disk.set_capacity(1 << 40);
    let second = store(&engine, b"more").unwrap();
    assert_eq!(read(&engine, second).unwrap(), b"more");
    assert_checks(&engine);
}

#[test]
fn a_nearly_full_disk_still_compacts() {
    let disk = SimDisk::new(3);
    let engine = on_sim(&disk).unwrap();
    let ids: Vec<_> = (0..40).map(|seed| store(&engine, &noise(seed, 50_000)).unwrap()).collect();
    disk.set_capacity(disk.used_bytes() + (800 << 10));
    assert!(matches!(store(&engine, b"more"), Err(Abort::Engine(Error::Full))));
    ids.iter().skip(3).for_each(|id| free(&engine, *id).unwrap());
    let freed = engine.compact(&mut |_, _| {}).unwrap();
    assert!(freed > 1_500_000, "{freed}");
    store(&engine, b"there is room again").unwrap();
    assert_eq!(read(&engine, ids[2]).unwrap(), noise(2, 50_000));
    assert_checks(&engine);
}

#[test]
fn failures_of_the_disk_leave_a_whole_store() {
    // Wherever it strikes: the engine refuses, goes on or stops, and a restart finds all that was acknowledged.
    for mishap in [Mishap::Full, Mishap::Broken] {
        for nth in 1..60 {
            let disk = SimDisk::new(nth);
            let engine = on_sim(&disk).unwrap();
            disk.plan(nth, mishap);
            let mut kept = Vec::new();
            for number in 0..12 {
                match store(&engine, &noise(number, 30_000)) {
                    Ok(id) => kept.push((number, id)),
                    Err(Abort::Engine(Error::Full | Error::Io(_) | Error::Stopped)) => {}
                    Err(other) => panic!("{mishap:?} at {nth}: {other:?}"),
                }
            }
            drop(engine);
            disk.forget_plans();
            let engine = on_sim(&disk).unwrap_or_else(|error| panic!("{mishap:?} at {nth}: {error}"));
            for (number, id) in &kept {
                assert_eq!(read(&engine, *id).unwrap(), noise(*number, 30_000), "{mishap:?} at {nth}");
            }
            if mishap == Mishap::Full {
                assert!(kept.len() >= 11, "a full disk costs one request: {}", kept.len());
                assert_eq!(keys(&engine), kept.len());
            }
            assert_checks(&engine);
        }
    }
}

#[test]
fn a_failed_flush_stops_everything_until_restart() {
    let disk = SimDisk::new(4);
    let engine = on_sim(&disk).unwrap();
    let kept = store(&engine, b"kept").unwrap();
    // The next operations are the append and its flush.
    disk.plan(2, Mishap::Broken);
    assert!(!engine.figures().stopped);
    assert!(matches!(store(&engine, b"unknown"), Err(Abort::Engine(Error::Stopped))));
    assert!(engine.figures().stopped);
    assert!(matches!(store(&engine, b"refused"), Err(Abort::Engine(Error::Stopped))));
    assert_eq!(keys(&engine), 1, "what is not durable is not shown");
    drop(engine);
    let engine = on_sim(&disk).unwrap();
    assert_eq!(read(&engine, kept).unwrap(), b"kept");
    store(&engine, b"goes on").unwrap();
}

#[test]
fn damage_in_the_middle_is_never_taken_for_the_end() {
    let disk = SimDisk::new(5);
    let engine = on_sim(&disk).unwrap();
    for number in 0..5 {
        store(&engine, &noise(number, 1000)).unwrap();
    }
    let path = segments(&disk)[0].clone();
    let (log, index) = (disk.bytes(&path), disk.bytes(Path::new("/store/index.redb")));
    drop(engine);
    // As after a crash: the unsealed log and the index of the first checkpoint.
    let crashed = |byte: usize| {
        let disk = SimDisk::new(6);
        drop(on_sim(&disk).unwrap());
        drop(disk.open(&path, crate::disk::Open::Create).unwrap());
        disk.overwrite(&path, &log);
        disk.overwrite(Path::new("/store/index.redb"), &index);
        if byte > 0 {
            disk.damage(&path, byte);
        }
        on_sim(&disk)
    };
    assert_eq!(keys(&crashed(0).unwrap()), 5);
    let records: Vec<usize> =
        (0..log.len() - 4).filter(|at| log[*at..at + 4] == record::RECORD_MAGIC).collect();
    assert_eq!(records.len(), 6, "one to begin, five transactions");
    for record in &records[1..5] {
        // Its header, its operations.
        for byte in [record + 10, record + 40] {
            let refused = crashed(byte).map(drop);
            assert!(matches!(refused, Err(Error::Corrupt { .. })), "byte {byte}: {refused:?}");
        }
    }
    // The last record: no one can tell a torn write from damage.
    assert_eq!(keys(&crashed(records[5] + 40).unwrap()), 4);
    // A blob in the middle: that content alone is lost, and said so.
    let engine = crashed(records[3] - 20).unwrap();
    assert_eq!(keys(&engine), 5);
    let report = engine.check(&mut |_, _| {}).unwrap();
    assert_eq!(report.damaged, [ContentId(2)]);
    assert!(matches!(read(&engine, ContentId(2)), Err(Error::Corrupt { .. })));
    assert_eq!(read(&engine, ContentId(3)).unwrap(), noise(2, 1000));
}

#[test]
fn a_salvage_goes_on_behind_damage_and_tells_what_is_lost() {
    let disk = SimDisk::new(13);
    let engine = on_sim(&disk).unwrap();
    // Over the end of the first segment.
    let ids: Vec<_> = (0..40).map(|number| store(&engine, &noise(number, 10_000)).unwrap()).collect();
    engine.close().unwrap();
    let dir = Path::new("/store");
    let paths = segments(&disk);
    assert!(paths.len() > 1);
    let log = disk.bytes(&paths[0]);
    let records: Vec<usize> =
        (0..log.len() - 4).filter(|at| log[*at..at + 4] == record::RECORD_MAGIC).collect();
    // Two heads side by side in one segment, and the operations of a record in the next.
    disk.damage(&paths[0], records[3] + 10);
    disk.damage(&paths[0], records[4] + 10);
    let second = disk.bytes(&paths[1]);
    let inside = (100..second.len()).find(|at| second[*at..].starts_with(&record::RECORD_MAGIC)).unwrap();
    disk.damage(&paths[1], inside + record::RECORD_HEADER_BYTES + 5);
    let refused = open::rebuild_on(&disk, dir, &mut |_, _| {});
    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
    let lost = open::salvage_on(&disk, dir, &mut |_, _| {}).unwrap();
    assert_eq!(lost.len(), 2, "{lost:?}");
    assert!(lost[0].contains(&format!("0000000001.seg at byte {}", records[3])), "{lost:?}");
    assert!(lost[0].contains(&format!("{} bytes with 2 transactions", records[5] - records[3])), "{lost:?}");
    assert!(lost[1].contains("0000000002.seg") && lost[1].contains("with 1 transactions"), "{lost:?}");
    let engine = on_sim(&disk).unwrap();
    assert_eq!(keys(&engine), 37);
    let whole = ids
        .iter()
        .zip(0..)
        .filter(|(id, seed)| read(&engine, **id).is_ok_and(|found| found == noise(*seed, 10_000)));
    assert_eq!(whole.count(), 37);
    // It goes on as ever, and the check still tells of the damage.
    store(&engine, b"later").unwrap();
    assert!(!engine.check(&mut |_, _| {}).unwrap().problems.is_empty());
}

#[test]
fn damage_in_old_segments_is_reported_and_the_rest_served() {
    let disk = SimDisk::new(7);
    let engine = on_sim(&disk).unwrap();
    let ids: Vec<_> = (0..30).map(|seed| store(&engine, &noise(seed, 40_000)).unwrap()).collect();
    let path = segments(&disk)[1].clone();
    disk.damage(&path, 100_000);
    let report = engine.check(&mut |_, _| {}).unwrap();
    assert_eq!(report.damaged.len(), 1, "{report:?}");
    let damaged = report.damaged[0];
    for (seed, id) in ids.iter().enumerate() {
        match read(&engine, *id) {
            Ok(raw) => assert_eq!(raw, noise(seed as u64, 40_000)),
            Err(Error::Corrupt { .. }) => assert_eq!(*id, damaged),
            Err(other) => panic!("{other:?}"),
        }
    }
    // Compaction leaves the damaged segment alone, and says so; the others go.
    ids.iter().filter(|id| **id != damaged && id.0 % 4 != 0).for_each(|id| free(&engine, *id).unwrap());
    assert!(matches!(engine.compact(&mut |_, _| {}), Err(Error::Corrupt { .. })));
    assert!(segments(&disk).contains(&path));
    assert!(segments(&disk).len() <= 3, "{:?}", segments(&disk));
    // A bad record there is a problem for check and for a rebuild; serving goes on.
    disk.damage(&path, record::SEGMENT_HEADER_BYTES as usize + 20);
    assert!(!engine.check(&mut |_, _| {}).unwrap().problems.is_empty());
    store(&engine, b"still accepted").unwrap();
    drop(engine);
    let rebuilt = open::rebuild_on(&disk, Path::new("/store"), &mut |_, _| {});
    assert!(matches!(rebuilt, Err(Error::Corrupt { .. })), "{rebuilt:?}");
    let engine = on_sim(&disk).unwrap();
    store(&engine, b"the old index was kept").unwrap();
}

#[test]
fn a_missing_segment_is_noticed() {
    let disk = SimDisk::new(8);
    let engine = on_sim(&disk).unwrap();
    for seed in 0..30 {
        store(&engine, &noise(seed, 40_000)).unwrap();
    }
    drop(engine);
    let all = segments(&disk);
    disk.remove(&all[1]).unwrap();
    let engine = on_sim(&disk).unwrap();
    let report = engine.check(&mut |_, _| {}).unwrap();
    assert!(report.problems.iter().any(|problem| problem.contains("segment 2")), "{:?}", report.problems);
    assert!(!report.damaged.is_empty());
    drop(engine);
    disk.remove(all.last().unwrap()).unwrap();
    assert!(matches!(on_sim(&disk), Err(Error::Corrupt { .. })), "the segment of the last checkpoint");
}

#[test]
fn a_missing_index_is_made_from_the_log() {
    let disk = SimDisk::new(9);
    let engine = on_sim(&disk).unwrap();
    let ids: Vec<_> = (0..20).map(|seed| store(&engine, &noise(seed, 40_000)).unwrap()).collect();
    ids.iter().step_by(2).for_each(|id| free(&engine, *id).unwrap());
    engine.compact(&mut |_, _| {}).unwrap();
    drop(engine);
    disk.remove(Path::new("/store/index.redb")).unwrap();
    let engine = on_sim(&disk).unwrap();
    assert_eq!(keys(&engine), 10);
    assert_eq!(read(&engine, ids[7]).unwrap(), noise(7, 40_000));
    assert_checks(&engine);
}

#[test]
fn snapshots_read_from_segments_that_were_given_back() {
    let disk = SimDisk::new(10);
    let engine = on_sim(&disk).unwrap();
    let ids: Vec<_> = (0..20).map(|seed| store(&engine, &noise(seed, 40_000)).unwrap()).collect();
    let before = segments(&disk);
    let then = engine.snapshot().unwrap();
    ids.iter().for_each(|id| free(&engine, *id).unwrap());
    engine.compact(&mut |_, _| {}).unwrap();
    for seed in 20..40 {
        store(&engine, &noise(seed, 40_000)).unwrap();
    }
    for (seed, id) in ids.iter().enumerate() {
        let mut out = Vec::new();
        then.read_content(*id, 0..u64::MAX, &mut out).unwrap();
        assert_eq!(out, noise(seed as u64, 40_000));
    }
    assert!(before.iter().all(|path| segments(&disk).contains(path)), "held by the snapshot");
    drop(then);
    store(&engine, b"the committer looks after each group").unwrap();
    engine.compact(&mut |_, _| {}).unwrap();
    assert!(!before.iter().any(|path| segments(&disk).contains(path)));
    assert_checks(&engine);
}

#[test]
fn flag_churn_does_not_grow_the_log_for_ever() {
    let disk = SimDisk::new(11);
    let engine = on_sim(&disk).unwrap();
    let kept = store(&engine, &noise(1, 10_000)).unwrap();
    for round in 0..60 {
        put(&engine, b"\0\0\0\0flags", &noise(round, 50_000)).unwrap();
    }
    let before = engine.figures().log_bytes;
    let space = engine.space(&mut |_, _| {}).unwrap();
    assert_eq!(space.keys.len(), 2);
    let flags = crate::KeyGroup { server: true, tag: b'f' };
    let puts = space.log.iter().find(|part| part.group == Some(flags)).unwrap();
    assert_eq!((puts.what, puts.records), ("puts", 60));
    assert!(puts.dead_bytes == 59 * puts.live_bytes, "{puts:?}");
    let counted: u64 = space.log.iter().map(|part| part.live_bytes + part.dead_bytes).sum();
    assert_eq!(counted + record::SEGMENT_HEADER_BYTES * engine.figures().segments, before);
    let freed = engine.compact(&mut |_, _| {}).unwrap();
    assert!(freed > before * 9 / 10, "{freed} of {before}");
    assert_eq!(read(&engine, kept).unwrap(), noise(1, 10_000));
    assert_eq!(engine.snapshot().unwrap().get(b"\0\0\0\0flags").unwrap().unwrap(), noise(59, 50_000));
    assert_checks(&engine);
}

#[test]
fn the_background_gives_space_back_and_merges_small_segments() {
    let disk = SimDisk::new(12);
    let options = Options { reclaim_interval: Duration::from_millis(1), ..small() };
    let open = || LogEngine::open_on(Arc::new(disk.clone()), Path::new("/store"), options).unwrap();
    let engine = open();
    let ids: Vec<_> = (0..40).map(|seed| store(&engine, &noise(seed, 40_000)).unwrap()).collect();
    ids.iter().for_each(|id| free(&engine, *id).unwrap());
    // No clock to wait for: it must come to this, or the test hangs and its time-out tells.
    while engine.figures().log_bytes > 300_000 {
        put(&engine, b"\0\0\0\0tick", b"tock").unwrap();
    }
    drop(engine);
    for restart in 0..12u8 {
        put(&open(), b"\0\0\0\0restart", &[restart]).unwrap();
    }
    let engine = open();
    while engine.figures().segments > 10 {
        put(&engine, b"\0\0\0\0tick", b"tock").unwrap();
    }
    assert_checks(&engine);
}

#[test]
fn a_panic_in_a_transaction_stops_the_store_but_hangs_nobody() {
    let disk = SimDisk::new(13);
    let engine = on_sim(&disk).unwrap();
    let kept = store(&engine, b"kept").unwrap();
    let dynamic: &dyn Engine = &engine;
    let broken = dynamic.transact::<()>(&[AccountId(1)], |_| panic!("a bug, on purpose"));
    assert!(matches!(broken.wait(), Err(Abort::Engine(Error::Stopped))));
    assert!(matches!(store(&engine, b"refused"), Err(Abort::Engine(Error::Stopped))));
    assert!(engine.compact(&mut |_, _| {}).is_err());
    drop(engine);
    assert_eq!(read(&on_sim(&disk).unwrap(), kept).unwrap(), b"kept");
}

#[test]
fn a_small_store_takes_little_of_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let engine = LogEngine::open(dir.path(), Options::default()).unwrap();
    let taken = || {
        let segments = std::fs::read_dir(dir.path().join("log")).unwrap();
        segments.map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>()
    };
    let mut raw = 0;
    let mut ids = Vec::new();
    for number in 0..12 {
        let content = noise(number, 400_000);
        raw += content.len() as u64;
        ids.push((store(&engine, &content).unwrap(), content));
        assert!(taken() <= 2 * raw + (1 << 20), "{} for {raw} bytes", taken());
    }
    assert!(taken() > raw);
    engine.close().unwrap();
    let engine = LogEngine::open(dir.path(), Options::default()).unwrap();
    for (id, content) in ids {
        assert_eq!(read(&engine, id).unwrap(), content);
    }
}
