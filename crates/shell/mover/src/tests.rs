//! Copying from a source that fails in all ways.

use crate::{Connect, Job, Opened, Outcome, Report, Source, Trouble, run};
use engine::{AccountId, MemoryEngine};
use migration::{Choice, Copying, Listed, Options, SourceFolder, SourceId};
use model::{FlagSet, Uid, UnixTime};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Limits, Store};

const ANNA: AccountId = AccountId(7);

/// What happens when it comes to a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event {
    Break(u32),
    Refuse(u32),
    Gone(u32),
}

#[derive(Default)]
struct State {
    folders: Vec<(&'static str, u32)>,
    events: VecDeque<Event>,
    /// Connections that fail before one succeeds.
    unreachable: u32,
    connections: u32,
    fetched: Vec<(usize, u32)>,
    commands: u32,
    /// Set after so many messages.
    stop: Option<(usize, Arc<AtomicBool>)>,
    /// A folder that can't be opened.
    closed: Option<&'static str>,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<State>>);

struct Session {
    state: Fake,
    folder: usize,
    asked: VecDeque<Uid>,
    has_refused: bool,
}

fn lost() -> Trouble {
    Trouble::Lost("the server closed the connection".into())
}

impl Connect for Fake {
    type Source = Session;

    async fn connect(&mut self) -> Result<Session, Trouble> {
        let mut state = self.0.lock().unwrap();
        if state.connections > 0 && state.unreachable > 0 {
            state.unreachable -= 1;
            return Err(lost());
        }
        state.connections += 1;
        Ok(Session { state: self.clone(), folder: 0, asked: VecDeque::new(), has_refused: false })
    }

    fn message_bytes_max(&self) -> u64 {
        1000
    }
}

impl Source for Session {
    async fn folders(&mut self) -> Result<Vec<SourceFolder>, Trouble> {
        let state = self.state.0.lock().unwrap();
        let folder = |(name, _): &(&str, u32)| SourceFolder {
            name: name.to_string(),
            delimiter: Some('/'),
            special_use: None,
            selectable: true,
            subscribed: false,
        };
        Ok(state.folders.iter().map(folder).collect())
    }

    async fn open(&mut self, name: &str) -> Result<Opened, Trouble> {
        let state = self.state.0.lock().unwrap();
        if state.closed == Some(name) {
            return Err(Trouble::Refused("no right to read it".into()));
        }
        self.folder = state.folders.iter().position(|(known, _)| *known == name).unwrap();
        Ok(Opened { exists: state.folders[self.folder].1, uid_validity: 1 })
    }

    async fn list(&mut self, listed: &mut (dyn FnMut(Listed) + Send)) -> Result<(), Trouble> {
        let state = self.state.0.lock().unwrap();
        for uid in 1..=state.folders[self.folder].1 {
            listed(Listed {
                uid: Uid(uid),
                flags: FlagSet::NONE,
                keywords: Vec::new(),
                received: UnixTime(1_600_000_000 + i64::from(uid)),
                size: if uid == 77 && state.folders[self.folder].1 == 80 { 5000 } else { 50 },
            });
        }
        Ok(())
    }

    fn ask(&mut self, uids: &[Uid]) {
        assert!(self.asked.is_empty(), "the others have not come");
        self.asked.extend(uids);
        self.state.0.lock().unwrap().commands += 1;
    }

    async fn next(&mut self) -> Result<Option<(Uid, Vec<u8>)>, Trouble> {
        let mut state = self.state.0.lock().unwrap();
        while let Some(uid) = self.asked.pop_front() {
            let event = state.events.front().copied();
            match event {
                Some(Event::Break(at)) if at == uid.0 => {
                    state.events.pop_front();
                    return Err(lost());
                }
                Some(Event::Refuse(at)) if at == uid.0 => {
                    state.events.pop_front();
                    self.has_refused = true;
                    continue;
                }
                Some(Event::Gone(at)) if at == uid.0 => {
                    state.events.pop_front();
                    continue;
                }
                _ => {}
            }
            let folder = self.folder;
            state.fetched.push((folder, uid.0));
            if let Some((after, stop)) = &state.stop
                && state.fetched.len() >= *after
            {
                stop.store(true, Ordering::Relaxed);
            }
            return Ok(Some((uid, format!("Subject: {folder} {uid}\r\n\r\n").into_bytes())));
        }
        match std::mem::take(&mut self.has_refused) {
            true => Err(Trouble::Refused("internal error".into())),
            false => Ok(None),
        }
    }

    async fn close(self) {}
}

struct Ran {
    outcome: Outcome,
    said: Vec<String>,
    progress: Vec<(u64, u64)>,
    fake: Fake,
    store: Store,
}

impl Ran {
    fn messages(&self) -> u64 {
        self.store.usage(ANNA).unwrap().messages
    }
}

fn copy(state: State, give_up_after: Duration) -> Ran {
    let store = Store::new(Arc::new(MemoryEngine::default()));
    store.create_account(ANNA, Limits::default(), UnixTime(1_700_000_000)).wait().unwrap();
    copy_to(&store, state, give_up_after)
}

fn copy_to(store: &Store, state: State, give_up_after: Duration) -> Ran {
    let stop = state.stop.as_ref().map_or_else(Arc::default, |(_, stop)| stop.clone());
    let mut fake = Fake(Arc::new(Mutex::new(state)));
    let job = Job {
        copying: Copying {
            store: store.clone(),
            account: ANNA,
            source: SourceId { user: "anna".into(), server: "old.test:993".into() },
            options: Options::default(),
        },
        choice: Choice::default(),
        give_up_after,
        stop,
    };
    let (mut said, mut progress) = (Vec::new(), Vec::new());
    let mut report = |one| match one {
        Report::Say(text) => said.push(text),
        Report::Progress(done, of) => progress.push((done, of)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let outcome = runtime.block_on(run(&job, &mut fake, &mut report));
    Ran { outcome, said, progress, fake, store: store.clone() }
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_broken_connection_is_made_again_and_nothing_stored_is_fetched_twice() {
    let events = [Event::Break(250), Event::Break(30)].into();
    let ran = copy(
        State { folders: vec![("INBOX", 260), ("Work", 40)], events, unreachable: 1, ..State::default() },
        MINUTE,
    );
    assert!(ran.outcome.is_complete(), "{:?}", ran.outcome);
    assert_eq!((ran.messages(), ran.fake.0.lock().unwrap().connections), (300, 3));
    assert_eq!(ran.said.len(), 3);
    assert_eq!(ran.fake.0.lock().unwrap().fetched.len(), 300);
    assert_eq!(ran.progress.last(), Some(&(300, 300)));
    assert!(ran.progress.windows(2).all(|pair| pair[0].1 == pair[1].1));
    let again = copy_to(
        &ran.store,
        State { folders: vec![("INBOX", 260), ("Work", 40)], ..State::default() },
        MINUTE,
    );
    assert!(again.fake.0.lock().unwrap().fetched.is_empty());
}

#[test]
fn what_can_not_be_had_is_told_and_the_rest_comes() {
    let refused = [Event::Refuse(3), Event::Gone(5), Event::Refuse(7)].repeat(2);
    let ran =
        copy(State { folders: vec![("INBOX", 80)], events: refused.into(), ..State::default() }, MINUTE);
    let told: Vec<u32> = ran.outcome.failures.iter().map(|failure| failure.uid.unwrap().0).collect();
    // 77 is too large, 5 is gone.
    assert_eq!((told, ran.outcome.failed, ran.messages()), (vec![77, 3, 7], 3, 76));
    assert_eq!(ran.progress.last(), Some(&(80, 80)));
    // All, 3, 5 and 7 alone.
    assert_eq!(ran.fake.0.lock().unwrap().commands, 4);
}

#[test]
fn what_breaks_connections_is_found_and_the_rest_comes() {
    let events = [Event::Break(9); 4].into();
    let ran = copy(State { folders: vec![("INBOX", 500)], events, ..State::default() }, MINUTE);
    let told: Vec<u32> = ran.outcome.failures.iter().map(|failure| failure.uid.unwrap().0).collect();
    let state = ran.fake.0.lock().unwrap();
    assert_eq!((told, ran.outcome.failed, ran.messages()), (vec![9], 1, 499));
    // Among many, and twice alone; the fourth break never comes.
    assert_eq!((state.connections, state.events.len(), state.fetched.len()), (4, 1, 499));
    assert_eq!(ran.progress.last(), Some(&(500, 500)));
    // One for all, twice for 9, each of 19 suspects alone, and one for the rest.
    assert_eq!(state.commands, 1 + 2 + 19 + 1);
}

#[test]
fn who_stays_away_too_long_is_given_up_and_the_command_says_so() {
    let state = State {
        folders: vec![("INBOX", 150)],
        events: [Event::Break(140)].into(),
        unreachable: u32::MAX,
        ..State::default()
    };
    let ran = copy(state, Duration::from_millis(300));
    assert!(ran.outcome.trouble.as_ref().unwrap().contains("run it again"), "{:?}", ran.outcome);
    assert_eq!(ran.messages(), 139);
}

#[test]
fn a_folder_that_is_closed_to_us_is_told_and_the_others_come() {
    let folders = vec![("INBOX", 2), ("Closed", 5), ("Work", 3)];
    let ran = copy(State { folders, closed: Some("Closed"), ..State::default() }, MINUTE);
    assert_eq!((ran.messages(), ran.outcome.failed, ran.outcome.folders.len()), (5, 1, 2));
    assert_eq!((ran.outcome.failures[0].uid, &*ran.outcome.failures[0].folder), (None, "Closed"));
}

#[test]
fn it_stops_when_it_is_told_to() {
    let stop = Arc::new(AtomicBool::new(false));
    let state = State { folders: vec![("INBOX", 500)], stop: Some((120, stop)), ..State::default() };
    let ran = copy(state, MINUTE);
    assert!(ran.outcome.trouble.as_ref().unwrap().contains("stopped"));
    assert_eq!((ran.messages(), ran.fake.0.lock().unwrap().fetched.len()), (120, 120));
}

#[test]
fn where_nobody_subscribed_everything_is() {
    let ran = copy(State { folders: vec![("INBOX", 1), ("Work", 0)], ..State::default() }, MINUTE);
    let mailboxes = ran.store.mailboxes(ANNA).unwrap();
    assert!(mailboxes.iter().any(|one| one.name == "Work" && one.subscribed && one.id.is_some()));
}
