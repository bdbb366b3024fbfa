//! What every [`Engine`] must do, as plain functions that panic where one does not. Each engine's tests run [`all`];
//! each function uses an account of its own, so they can run on one engine in any order.

use crate::{Abort, AccountId, ContentId, Engine, Error, Order, Packed, Read};
use std::ops::{Bound, ControlFlow};

/// Runs every function of this module.
///
/// # Panics
/// When the engine breaks a rule.
pub fn all(engine: &dyn Engine) {
    transactions_see_their_own_writes(engine);
    aborted_transactions_leave_nothing(engine);
    scans_keep_order_and_bounds(engine);
    snapshots_never_change(engine);
    contents_are_read_by_range(engine);
    references_keep_content_alive(engine);
    contents_are_listed_with_their_references(engine);
    refused_references_change_nothing(engine);
    submissions_from_many_threads_are_serial(engine);
    large_values_and_contents(engine);
    compaction_loses_nothing(engine);
    everything_checks(engine);
}

type Row = (Vec<u8>, Vec<u8>);

fn key(account: u32, tail: &[u8]) -> Vec<u8> {
    [&account.to_be_bytes(), tail].concat()
}

fn rows(
    read: &(impl Read + ?Sized),
    range: (Bound<&[u8]>, Bound<&[u8]>),
    order: Order,
    most: usize,
) -> Vec<Row> {
    let mut rows = Vec::new();
    read.scan(range, order, &mut |key, value| {
        rows.push((key.to_vec(), value.to_vec()));
        if rows.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .expect("scan");
    rows
}

fn account_rows(read: &(impl Read + ?Sized), account: u32) -> Vec<Row> {
    let (from, to) = (account.to_be_bytes(), (account + 1).to_be_bytes());
    rows(read, (Bound::Included(&from), Bound::Excluded(&to)), Order::Ascending, usize::MAX)
}

fn put_all(engine: &dyn Engine, account: u32, tails: &'static [&'static [u8]]) {
    let work = move |tx: &mut dyn crate::Tx| {
        for tail in tails {
            tx.put(&key(account, tail), tail)?;
        }
        Ok(())
    };
    engine.transact(&[AccountId(account)], work).wait().expect("put");
}

fn append(engine: &dyn Engine, raw: &[u8], references: u32) -> ContentId {
    let packed = Packed::new(raw);
    let work = move |tx: &mut dyn crate::Tx| Ok(tx.append(&packed, references)?);
    engine.transact(&[AccountId(1)], work).wait().expect("append")
}

fn refer(engine: &dyn Engine, id: ContentId, delta: i32) -> Result<(), Abort> {
    engine.transact(&[AccountId(1)], move |tx| Ok(tx.refer(id, delta)?)).wait()
}

fn whole(engine: &dyn Engine, id: ContentId) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    engine.snapshot()?.read_content(id, 0..u64::MAX, &mut out)?;
    Ok(out)
}

/// Reads inside a transaction see what it wrote before, merged in order with what was there.
pub fn transactions_see_their_own_writes(engine: &dyn Engine) {
    const ACCOUNT: u32 = 101;
    put_all(engine, ACCOUNT, &[b"b", b"d", b"f"]);
    let seen = engine
        .transact(&[AccountId(ACCOUNT)], |tx| {
            tx.put(&key(ACCOUNT, b"a"), b"new")?;
            tx.put(&key(ACCOUNT, b"d"), b"changed")?;
            tx.put(&key(ACCOUNT, b"g"), b"new")?;
            tx.put(&key(ACCOUNT, b"g"), b"newer")?;
            tx.delete(&key(ACCOUNT, b"f"))?;
            tx.put(&key(ACCOUNT, b"e"), b"gone again")?;
            tx.delete(&key(ACCOUNT, b"e"))?;
            assert_eq!(tx.get(&key(ACCOUNT, b"d"))?.as_deref(), Some(&b"changed"[..]));
            assert_eq!(tx.get(&key(ACCOUNT, b"f"))?, None);
            assert_eq!(tx.get(&key(ACCOUNT, b"b"))?.as_deref(), Some(&b"b"[..]));
            let inside = account_rows(tx, ACCOUNT);
            let (from, to) = (key(ACCOUNT, b""), key(ACCOUNT, b"\xff"));
            let range = (Bound::Included(&from[..]), Bound::Excluded(&to[..]));
            let mut backwards = rows(tx, range, Order::Descending, usize::MAX);
            backwards.reverse();
            assert_eq!(inside, backwards);
            for most in 1..5 {
                assert_eq!(rows(tx, range, Order::Ascending, most), inside[..most.min(inside.len())]);
            }
            Ok(inside)
        })
        .wait()
        .expect("commit");
    let values: Vec<&[u8]> = seen.iter().map(|row| &row.1[..]).collect();
    assert_eq!(values, [&b"new"[..], b"b", b"changed", b"newer"]);
    assert_eq!(account_rows(&*engine.snapshot().expect("snapshot"), ACCOUNT), seen);
}

/// Neither keys nor contents nor references of a transaction that gave up are seen.
pub fn aborted_transactions_leave_nothing(engine: &dyn Engine) {
    const ACCOUNT: u32 = 102;
    put_all(engine, ACCOUNT, &[b"kept", b"kept too"]);
    let content = append(engine, b"kept content", 1);
    let before = account_rows(&*engine.snapshot().expect("snapshot"), ACCOUNT);
    let packed = Packed::new(b"never");
    let outcome = engine
        .transact(&[AccountId(ACCOUNT)], move |tx| -> Result<ContentId, Abort> {
            tx.put(&key(ACCOUNT, b"kept"), b"overwritten")?;
            tx.put(&key(ACCOUNT, b"new"), b"")?;
            tx.delete(&key(ACCOUNT, b"kept too"))?;
            tx.append(&packed, 1)?;
            tx.refer(content, -1)?;
            Err(Abort::Cancelled)
        })
        .wait();
    assert!(matches!(outcome, Err(Abort::Cancelled)));
    assert_eq!(account_rows(&*engine.snapshot().expect("snapshot"), ACCOUNT), before);
    assert_eq!(whole(engine, content).expect("still there"), b"kept content");
}

/// Bounds are kept in both directions; inverted ranges are empty.
pub fn scans_keep_order_and_bounds(engine: &dyn Engine) {
    const ACCOUNT: u32 = 103;
    put_all(engine, ACCOUNT, &[b"", b"a", b"aa", b"b", b"\xff\xff"]);
    let snapshot = engine.snapshot().expect("snapshot");
    let at = |tail: &[u8]| key(ACCOUNT, tail);
    let scan = |from: Bound<Vec<u8>>, to: Bound<Vec<u8>>, order| {
        let range = (from.as_ref().map(|from| &from[..]), to.as_ref().map(|to| &to[..]));
        rows(&*snapshot, range, order, usize::MAX).into_iter().map(|row| row.1).collect::<Vec<_>>()
    };
    use Bound::{Excluded, Included};
    use Order::{Ascending, Descending};
    assert_eq!(scan(Included(at(b"a")), Excluded(at(b"b")), Ascending), [&b"a"[..], b"aa"]);
    assert_eq!(scan(Included(at(b"a")), Excluded(at(b"b")), Descending), [&b"aa"[..], b"a"]);
    assert_eq!(scan(Excluded(at(b"a")), Included(at(b"b")), Ascending), [&b"aa"[..], b"b"]);
    assert_eq!(scan(Excluded(at(b"a")), Included(at(b"b")), Descending), [&b"b"[..], b"aa"]);
    assert_eq!(scan(Included(at(b"")), Included(at(b"")), Ascending), [&b""[..]]);
    assert!(scan(Included(at(b"b")), Included(at(b"a")), Ascending).is_empty());
    assert!(scan(Excluded(at(b"a")), Excluded(at(b"a")), Descending).is_empty());
    assert!(scan(Included(at(b"a")), Excluded(at(b"a")), Ascending).is_empty());
}

/// A snapshot shows its moment, whatever comes later, freed contents included.
pub fn snapshots_never_change(engine: &dyn Engine) {
    const ACCOUNT: u32 = 104;
    put_all(engine, ACCOUNT, &[b"a", b"b"]);
    let content = append(engine, b"content of then", 1);
    let then = engine.snapshot().expect("snapshot");
    let before = account_rows(&*then, ACCOUNT);
    put_all(engine, ACCOUNT, &[b"c"]);
    engine.transact(&[AccountId(ACCOUNT)], |tx| Ok(tx.delete(&key(ACCOUNT, b"a"))?)).wait().expect("delete");
    refer(engine, content, -1).expect("free");
    engine.compact(&mut |_, _| {}).expect("compact");
    assert_eq!(account_rows(&*then, ACCOUNT), before);
    let mut out = Vec::new();
    then.read_content(content, 0..100, &mut out).expect("a snapshot keeps content alive");
    assert_eq!(out, b"content of then");
    drop(then);
    let now = engine.snapshot().expect("snapshot");
    assert_eq!(account_rows(&*now, ACCOUNT).len(), 2);
    assert_eq!(now.content_len(content).expect("length"), None);
    assert!(matches!(whole(engine, content), Err(Error::Corrupt { .. })));
}

/// Any range of a content of several chunks comes back; ranges are clipped.
pub fn contents_are_read_by_range(engine: &dyn Engine) {
    let raw: Vec<u8> = (0..700_000u32).flat_map(|number| (number / 3).to_le_bytes()).collect();
    let id = append(engine, &raw, 1);
    let empty = append(engine, b"", 1);
    let snapshot = engine.snapshot().expect("snapshot");
    assert_eq!(snapshot.content_len(id).expect("length"), Some(raw.len() as u64));
    assert_eq!(snapshot.content_len(empty).expect("length"), Some(0));
    for (from, to) in
        [(0, raw.len()), (0, 1), (262_143, 262_145), (500_000, 1_900_000), (raw.len() - 1, raw.len())]
    {
        let mut out = b"before".to_vec();
        snapshot.read_content(id, from as u64..to as u64, &mut out).expect("read");
        assert_eq!(&out[..6], b"before");
        assert!(out[6..] == raw[from..to], "{from}..{to}");
    }
    let mut out = Vec::new();
    snapshot.read_content(id, raw.len() as u64 - 2..u64::MAX, &mut out).expect("clipped");
    assert_eq!(out.len(), 2);
    snapshot.read_content(id, u64::MAX - 1..u64::MAX, &mut out).expect("behind the end");
    snapshot.read_content(empty, 0..10, &mut out).expect("empty");
    assert_eq!(out.len(), 2);
}

/// Content lives as long as somebody refers to it, also within one transaction; ids are never used again.
pub fn references_keep_content_alive(engine: &dyn Engine) {
    let id = append(engine, b"shared", 2);
    refer(engine, id, -1).expect("one of two");
    refer(engine, id, 3).expect("three more");
    refer(engine, id, -3).expect("three less");
    assert_eq!(whole(engine, id).expect("one left"), b"shared");
    refer(engine, id, -1).expect("the last");
    assert!(whole(engine, id).is_err());
    let packed = Packed::new(b"short-lived");
    let (first, second) = engine
        .transact(&[AccountId(1)], move |tx| {
            let first = tx.append(&packed, 1)?;
            let second = tx.append(&packed, 1)?;
            tx.refer(first, -1)?;
            tx.refer(second, 1)?;
            tx.refer(second, -1)?;
            Ok((first, second))
        })
        .wait()
        .expect("append and free");
    assert!(whole(engine, first).is_err());
    assert_eq!(whole(engine, second).expect("kept"), b"short-lived");
    let later = append(engine, b"later", 1);
    assert!(later > second && second > first && first > id);
}

/// A snapshot tells all its contents in order, with their references; claims are compared with them.
pub fn contents_are_listed_with_their_references(engine: &dyn Engine) {
    let ids = [1u32, 3, 2].map(|references| append(engine, b"listed", references));
    let snapshot = engine.snapshot().expect("snapshot");
    let (before, after) =
        ids.map(|id| id.0).into_iter().fold((u64::MAX, 0), |(low, high), id| (low.min(id), high.max(id)));
    let mut listed = Vec::new();
    let mut list = |from: u64, count: usize| {
        listed.clear();
        let visit = &mut |id: ContentId, references: u32| {
            listed.push((id.0, references));
            if listed.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        snapshot.contents(ContentId(from), visit).expect("list");
        listed.clone()
    };
    assert_eq!(list(before, 100), [(ids[0].0, 1), (ids[1].0, 3), (ids[2].0, 2)]);
    assert_eq!(list(before, 2), [(ids[0].0, 1), (ids[1].0, 3)]);
    assert_eq!(list(after + 1, 100), []);
    let compared = |counts: [u32; 3], stray: bool| {
        let mut claims = crate::Claims::default();
        // What other tests left behind is not the matter here.
        let mut all = Vec::new();
        let visit = &mut |id: ContentId, references| {
            all.push((id, references));
            ControlFlow::Continue(())
        };
        snapshot.contents(ContentId(0), visit).expect("list");
        for (id, references) in all {
            let at = ids.iter().position(|own| *own == id);
            (0..at.map_or(references, |at| counts[at])).for_each(|_| claims.add(id));
        }
        if stray {
            claims.add(ContentId(after + 7));
        }
        claims.compare(&*snapshot).expect("compare")
    };
    assert_eq!(compared([1, 3, 2], false), [""; 0]);
    for (counts, stray, told) in [
        ([0, 3, 2], false, "nobody refers"),
        ([1, 2, 2], false, "says 3, there are 2"),
        ([1, 3, 3], false, "says 2, there are 3"),
        ([1, 3, 2], true, "is not there"),
    ] {
        let problems = compared(counts, stray);
        assert!(problems.len() == 1 && problems[0].contains(told), "{problems:?}");
    }
}

/// References to what is not there, or below zero, are refused.
pub fn refused_references_change_nothing(engine: &dyn Engine) {
    let id = append(engine, b"words", 1);
    assert!(matches!(refer(engine, id, -2), Err(Abort::Engine(Error::Corrupt { .. }))));
    assert!(matches!(refer(engine, ContentId(u64::MAX), 1), Err(Abort::Engine(Error::Corrupt { .. }))));
    assert_eq!(whole(engine, id).expect("unchanged"), b"words");
    refer(engine, id, -1).expect("free");
    assert!(refer(engine, id, 1).is_err(), "freed content can't be taken up again");
}

/// Increments from many threads lose none, and every one is seen by the next.
pub fn submissions_from_many_threads_are_serial(engine: &dyn Engine) {
    const ACCOUNT: u32 = 105;
    const THREADS: u64 = 4;
    const EACH: u64 = 25;
    let increment = |tx: &mut dyn crate::Tx| -> Result<u64, Abort> {
        let key = key(ACCOUNT, b"counter");
        let before =
            tx.get(&key)?.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().expect("eight bytes")));
        tx.put(&key, &(before + 1).to_be_bytes())?;
        Ok(before)
    };
    let mut seen: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let each = |_| engine.transact(&[AccountId(ACCOUNT)], increment);
                    let pending: Vec<_> = (0..EACH).map(each).collect();
                    pending.into_iter().map(|pending| pending.wait().expect("increment")).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("thread")).collect()
    });
    seen.sort_unstable();
    assert_eq!(seen, (0..THREADS * EACH).collect::<Vec<_>>());
}

/// A value of a megabyte, and a content that is larger than any buffer.
pub fn large_values_and_contents(engine: &dyn Engine) {
    const ACCOUNT: u32 = 106;
    let value: Vec<u8> = (0..1_000_000u32).map(|number| (number % 251) as u8).collect();
    let raw = value.repeat(5);
    let (put, packed) = (value.clone(), Packed::new(&raw));
    let id = engine
        .transact(&[AccountId(ACCOUNT)], move |tx| {
            tx.put(&key(ACCOUNT, b"large"), &put)?;
            Ok(tx.append(&packed, 1)?)
        })
        .wait()
        .expect("commit");
    let read = engine.snapshot().expect("snapshot").get(&key(ACCOUNT, b"large")).expect("get");
    assert!(read.is_some_and(|read| read == value));
    assert!(whole(engine, id).expect("read") == raw);
}

/// After much churn and a compaction everything that was not freed is there.
pub fn compaction_loses_nothing(engine: &dyn Engine) {
    const ACCOUNT: u32 = 107;
    let mut kept = Vec::new();
    for number in 0u32..200 {
        let raw = number.to_be_bytes().repeat(300);
        let id = append(engine, &raw, 1);
        let churn = move |tx: &mut dyn crate::Tx| {
            tx.put(&key(ACCOUNT, &(number % 7).to_be_bytes()), &number.to_be_bytes())?;
            Ok(tx.delete(&key(ACCOUNT, &((number + 3) % 7).to_be_bytes()))?)
        };
        engine.transact(&[AccountId(ACCOUNT)], churn).wait().expect("churn");
        if number % 5 == 0 {
            kept.push((id, raw));
        } else {
            refer(engine, id, -1).expect("free");
        }
    }
    let before = account_rows(&*engine.snapshot().expect("snapshot"), ACCOUNT);
    engine.compact(&mut |_, _| {}).expect("compact");
    assert_eq!(account_rows(&*engine.snapshot().expect("snapshot"), ACCOUNT), before);
    for (id, raw) in &kept {
        assert!(whole(engine, *id).expect("kept") == *raw, "{id:?}");
    }
}

/// `check` finds nothing to say.
pub fn everything_checks(engine: &dyn Engine) {
    let mut last = (0, 0);
    let report = engine.check(&mut |done, total| last = (done, total)).expect("check");
    assert_eq!(report.problems, Vec::<String>::new());
    assert!(report.damaged.is_empty());
    assert!(last.0 <= last.1);
}
