//! Sources, notes and runs in memory.

use super::*;
use directory::{Directory, Error};
use engine::{Abort, AccountId, MemoryEngine};
use model::{Domain, EmailAddress, UnixTime};
use std::time::Duration;
use zeroize::Zeroizing;

const NOW: UnixTime = UnixTime(1_795_262_400);
const ME: AccountId = AccountId(7);

struct Bench {
    engine: Arc<dyn Engine>,
    collecting: Collecting,
}

fn bench() -> Bench {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::default());
    let collecting = Collecting::new(engine.clone(), Seal::for_purpose(&[1; 32], SEAL_PURPOSE));
    Bench { engine, collecting }
}

fn settings() -> Settings {
    Settings {
        protocol: Protocol::Imap,
        host: "imap.example.net".into(),
        port: 993,
        tls: Tls::Implicit,
        user: "me@example.net".into(),
        folders: Folders::Inbox,
        place: Place::Inbox,
        keep: Keep::Forever,
        interval: None,
        paused: false,
        keep_seen: true,
        skip_junk: true,
    }
}

fn secret(text: &str) -> NewSecret {
    NewSecret(Zeroizing::new(text.to_owned()))
}

fn noted(source: SourceId, uid: u32, former: Option<u32>) -> Noted {
    let name = |uid| Name::Uid { validity: 1, uid };
    Noted {
        source,
        folder: 1,
        name: name(uid),
        note: Note { collected: NOW.0, digest: digest(b"x"), fate: Fate::Collected },
        former: former.map(name),
        size: 100,
    }
}

impl Bench {
    fn add(&self) -> SourceId {
        self.collecting.add(ME, settings(), secret("pass word"), NOW).wait().unwrap()
    }

    fn sound(&self) {
        assert_eq!(self.collecting.check(&|account| account == ME).unwrap(), Vec::<String>::new());
    }

    fn free(&self) {
        while self.collecting.free().wait().unwrap() {}
    }

    fn keys(&self) -> usize {
        let mut keys = 0;
        record::scan(&*self.engine.snapshot().unwrap(), &[0, 0, 0, 0, b'f'], None, &mut |_, _| {
            keys += 1;
            Ok(std::ops::ControlFlow::Continue(()))
        })
        .unwrap();
        keys
    }
}

#[test]
fn sources_come_change_and_go() {
    let bench = bench();
    let (first, second) = (bench.add(), bench.add());
    let sources = bench.collecting.sources_of(ME).unwrap();
    assert_eq!(sources.iter().map(|source| source.id).collect::<Vec<_>>(), [first, second]);
    assert_eq!(bench.collecting.sources(Some(first), 9).unwrap()[0].id, second);
    assert_eq!(bench.collecting.sources(None, 1).unwrap().len(), 1);
    assert_eq!(bench.collecting.secret(first).unwrap().unwrap().as_str(), "pass word");
    let changed = Settings { keep: Keep::Days(3), ..settings() };
    bench.collecting.set(first, changed.clone(), Some(secret("other")), NOW).wait().unwrap();
    assert_eq!(bench.collecting.source(first).unwrap().unwrap().settings, changed);
    assert_eq!(bench.collecting.secret(first).unwrap().unwrap().as_str(), "other");
    assert_eq!(bench.collecting.secret(second).unwrap().unwrap().as_str(), "pass word");
    bench.collecting.folder(first, "INBOX").wait().unwrap();
    bench.collecting.begin_note(noted(first, 1, None)).wait().unwrap();
    bench.sound();
    bench.collecting.remove(first).wait().unwrap();
    assert!(matches!(bench.collecting.remove(first).wait(), Err(Error::Missing(_))));
    bench.sound();
    bench.engine.transact(&[AccountId(0), ME], |tx| remove_of_account(tx, ME)).wait().unwrap();
    bench.sound();
    bench.free();
    bench.sound();
    assert_eq!(bench.keys(), 1, "only the last number is left");
    assert_eq!(bench.add(), SourceId(3), "a number is never used again");
}

#[test]
fn passwords_open_in_their_place_only() {
    let bench = bench();
    let (first, second) = (bench.add(), bench.add());
    let read = |key: &[u8]| bench.engine.snapshot().unwrap().get(key).unwrap().unwrap();
    let stored = read(&keys::of(b's', first));
    assert!(!stored.windows(4).any(|part| part == b"pass"));
    let moved = keys::of(b's', second);
    let work = move |tx: &mut dyn engine::Tx| tx.put(&moved, &stored).map_err(Abort::from);
    bench.engine.transact(&[AccountId(0)], work).wait().unwrap();
    assert!(bench.collecting.secret(second).unwrap().is_none());
    let other = Collecting::new(bench.engine.clone(), Seal::for_purpose(&[2; 32], SEAL_PURPOSE));
    assert!(other.secret(first).unwrap().is_none());
    let set = |settings, secret| bench.collecting.set(first, settings, secret, NOW).wait();
    let moved = Settings { host: "thief.example".into(), ..settings() };
    assert!(matches!(set(moved.clone(), None), Err(Error::BadName { .. })), "it goes to no other host");
    set(moved, Some(secret("x"))).unwrap();
    assert!(
        set(Settings { user: "another".into(), host: "thief.example".into(), ..settings() }, None).is_err()
    );
}

#[test]
fn what_can_not_be_is_refused() {
    let bench = bench();
    let pop = || Settings { protocol: Protocol::Pop3, ..settings() };
    for bad in [
        Settings { host: String::new(), ..settings() },
        Settings { host: "a b".into(), ..settings() },
        Settings { host: "a\r\nb".into(), ..settings() },
        Settings { host: "x".repeat(256), ..settings() },
        Settings { port: 0, ..settings() },
        Settings { user: "a\nb".into(), ..settings() },
        Settings { folders: Folders::Named(vec![]), ..settings() },
        Settings { folders: Folders::Named(vec!["a\0".into()]), ..settings() },
        Settings { keep: Keep::Days(u32::MAX), ..settings() },
        Settings { place: Place::Mailbox(String::new()), ..settings() },
        Settings { folders: Folders::All, ..pop() },
        Settings { place: Place::Mirrored(String::new()), ..pop() },
    ] {
        assert!(bench.collecting.add(ME, bad.clone(), secret("x"), NOW).wait().is_err(), "{bad:?}");
    }
    for bad in ["", "a\r\nDELE 1", &"x".repeat(5000)] {
        assert!(bench.collecting.add(ME, settings(), secret(bad), NOW).wait().is_err());
    }
    assert_eq!(bench.keys(), 0);
    for _ in 0..50 {
        bench.add();
    }
    assert!(matches!(bench.collecting.add(ME, pop(), secret("x"), NOW).wait(), Err(Error::TooMany(_))));
}

#[test]
fn a_note_is_written_once() {
    let bench = bench();
    let id = bench.add();
    let folder = bench.collecting.folder(id, "INBOX").wait().unwrap();
    assert_eq!((folder.number, bench.collecting.folder(id, "INBOX").wait().unwrap()), (1, folder.clone()));
    assert_eq!(bench.collecting.folder(id, "Sent").wait().unwrap().number, 2);
    let note = |uid, former| bench.collecting.begin_note(noted(id, uid, former)).wait().is_ok();
    assert!(note(1, None));
    assert!(!note(1, None));
    assert!(note(2, Some(1)), "the same message by another name");
    assert!(!note(3, Some(1)), "which it has not twice");
    let counts = bench.collecting.status(id).unwrap().1;
    assert_eq!(counts, Counts { notes: 1, collected: 1, bytes: 100 });
    assert!(note(4, None));
    bench.sound();
    let names = || {
        let mut names = Vec::new();
        bench.collecting.each_note(id, 1, &mut |name, _| names.push(name)).unwrap();
        names
    };
    let uid = |uid| Name::Uid { validity: 1, uid };
    assert_eq!(names(), [uid(2), uid(4)]);
    assert_eq!(bench.collecting.note_of(id, 1, uid(2)).unwrap(), Some(noted(id, 2, None).note));
    assert_eq!(bench.collecting.note_of(id, 1, uid(3)).unwrap(), None);
    // Also where they are more than are read at a time.
    (10..4500).map(|uid| bench.collecting.begin_note(noted(id, uid, None))).for_each(drop);
    assert!(note(4500, None));
    assert_eq!(names(), [2, 4].into_iter().chain(10..4501).map(uid).collect::<Vec<_>>());
    let gone: Vec<Name> = (0..5000).map(|uid| Name::Uid { validity: 1, uid }).collect();
    bench.collecting.forget(id, 1, &gone).unwrap();
    assert_eq!(bench.collecting.status(id).unwrap().1, Counts { notes: 0, collected: 4493, bytes: 449_300 });
    bench.sound();
    let mut state = folder;
    for uid in 0..40 {
        state.stuck_at(Name::Uid { validity: 1, uid });
    }
    state.uid_validity = 9;
    bench.collecting.set_folder(id, &state).wait().unwrap();
    assert_eq!(bench.collecting.folder(id, "INBOX").wait().unwrap(), state);
    assert_eq!((state.stuck.len(), state.stuck[0]), (32, Name::Uid { validity: 1, uid: 8 }));
    bench.collecting.remove(id).wait().unwrap();
    assert!(!note(9, None), "nothing is noted for a source that is gone");
    assert!(bench.collecting.set_folder(id, &state).wait().is_err());
    bench.sound();
}

#[test]
fn a_status_says_what_is_wrong_and_since_when() {
    let bench = bench();
    let id = bench.add();
    let interval = Duration::from_secs(600);
    let finish = |trouble: Option<(TroubleKind, &str)>, now: i64| {
        let trouble = trouble.map(|(kind, words)| (kind, words.to_owned()));
        let ending = Ending { counts: RunCounts::default(), trouble, more: false };
        let next = bench.collecting.finish(id, ending, interval, UnixTime(now), 0).wait().unwrap().unwrap();
        let status = bench.collecting.status(id).unwrap().0;
        assert_eq!(status.next_run, next.0);
        (next.0 - now, status)
    };
    assert_eq!(bench.collecting.status(id).unwrap().0.next_run, NOW.0);
    assert_eq!(finish(None, 1000).0, 570);
    let (_, status) = finish(Some((TroubleKind::Password, "NO\r\nwrong")), 2000);
    let trouble = status.trouble.unwrap();
    assert_eq!((trouble.words.as_str(), trouble.since, status.failures), ("NO  wrong", 2000, 1));
    let (pause, status) = finish(Some((TroubleKind::Password, &"я".repeat(400))), 3000);
    assert_eq!((pause, status.failures, status.last_success), (3240, 2, Some(1000)));
    let trouble = status.trouble.unwrap();
    assert_eq!((trouble.since, trouble.words.len()), (2000, 500));
    let (pause, status) = finish(Some((TroubleKind::Stopped, "stopping")), 4000);
    assert_eq!((pause, status.failures, status.trouble.unwrap().kind), (0, 2, TroubleKind::Password));
    let (_, status) = finish(Some((TroubleKind::Slow, "x")), 5000);
    assert_eq!(status.trouble.unwrap().since, 5000);
    let (_, status) = finish(None, 6000);
    assert_eq!((status.failures, status.trouble, status.last_success), (0, None, Some(6000)));
    assert!(bench.collecting.hurry(id, UnixTime(7)).wait().unwrap());
    assert_eq!(bench.collecting.status(id).unwrap().0.next_run, 7);
    assert!(!bench.collecting.hurry(SourceId(99), UnixTime(7)).wait().unwrap());
}

#[test]
fn one_run_of_a_source_at_a_time() {
    let bench = bench();
    let id = SourceId(1);
    assert!(bench.collecting.begin(id, NOW));
    assert!(!bench.collecting.begin(id, NOW));
    bench.collecting.tell(id, 3, 9, RunCounts::default());
    let (progress, ended) = bench.collecting.progress(id);
    assert_eq!((progress.map(|progress| (progress.done, progress.of)), ended), (Some((3, 9)), 0));
    bench.collecting.end(id);
    assert_eq!(bench.collecting.progress(id), (None, 1));
    assert!(bench.collecting.begin(id, NOW));
}

#[test]
fn the_check_finds_what_does_not_hold() {
    let bench = bench();
    let id = bench.add();
    bench.collecting.folder(id, "INBOX").wait().unwrap();
    bench.collecting.begin_note(noted(id, 1, None)).wait().unwrap();
    bench.sound();
    let spoil = |key: Vec<u8>, value: Option<Vec<u8>>| {
        let work = move |tx: &mut dyn engine::Tx| match &value {
            Some(value) => tx.put(&key, value).map_err(Abort::from),
            None => tx.delete(&key).map_err(Abort::from),
        };
        bench.engine.transact(&[AccountId(0)], work).wait().unwrap();
        bench.collecting.check(&|account| account == ME).unwrap()
    };
    let more = record::encode(&Counts { notes: 2, ..Counts::default() });
    assert_eq!(spoil(keys::of(b'k', id), Some(more)), ["source 1 has 1 notes, not 2"]);
    assert_eq!(spoil(keys::of(b'k', id), None), ["source 1 has no counts"]);
    assert_eq!(spoil(keys::folder(id, 1), None).len(), 2);
    assert_eq!(spoil(keys::owned(ME, id), None).len(), 3);
    assert_eq!(spoil(keys::of(b's', id), None).len(), 1, "notes of nobody");
    assert_eq!(spoil(keys::owned(ME, SourceId(5)), Some(vec![])).len(), 2);
}

#[test]
fn sources_live_beside_the_directory() {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::default());
    let directory =
        Directory::open(engine.clone(), directory::Settings::default(), &[1; 32], Arc::new(())).unwrap();
    directory.add_domain(&Domain::new("x.test").unwrap(), NOW).wait().unwrap();
    let collecting = Collecting::new(engine, directory.seal(SEAL_PURPOSE));
    collecting.add(ME, settings(), secret("x"), NOW).wait().unwrap();
    let address = EmailAddress::parse("a@x.test").unwrap();
    assert!(directory.account(&address).unwrap().is_none());
    assert_eq!(collecting.check(&|_| true).unwrap(), Vec::<String>::new());
}
