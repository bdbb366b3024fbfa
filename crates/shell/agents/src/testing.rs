//! A server in memory, for tests.

use crate::{Login, Mailboxes, Metrics, World};
use directory::{Directory, NewAccount, Quota, Role};
use engine::{
    AccountId, CheckReport, Commit, Engine, Error, Figures, MemoryEngine, Progress, Snapshot, Work,
};
use model::{EmailAddress, UnixTime};
use parking_lot::Mutex;
use std::sync::Arc;
use store::Store;

/// One without domains.
pub(crate) fn world() -> World {
    world_on(Arc::new(MemoryEngine::default()))
}

/// The same on another engine.
pub(crate) fn world_on(engine: Arc<dyn Engine>) -> World {
    let companion = Arc::new(Mailboxes::new(0));
    let directory =
        Directory::open(engine.clone(), directory::Settings::default(), &[1; 32], companion).unwrap();
    World {
        store: Arc::new(Store::new(engine.clone())),
        collecting: collecting::Collecting::new(engine.clone(), directory.seal(collecting::SEAL_PURPOSE)),
        directory: Arc::new(directory),
        introspection: parking_lot::RwLock::default(),
        queue: queue::Queue::new(engine.clone()),
        lists: ::lists::Lists::new(engine.clone()),
        list_settings: parking_lot::RwLock::default(),
        asked_today: parking_lot::Mutex::default(),
        engine,
        resolver: Arc::new(dns::Resolver::new(dns::Settings::default()).unwrap()),
        policy: parking_lot::RwLock::default(),
        outgoing: parking_lot::RwLock::default(),
        seals: false.into(),
        maildrops: Arc::default(),
        stopping: tokio::sync::watch::Sender::new(false),
        turns: crate::Turns::default(),
        metrics: Metrics::default(),
    }
}

/// Somebody who has an account, and has logged in.
pub(crate) fn person(world: &World, address: &str) -> Login {
    let address = EmailAddress::parse(address).unwrap();
    let new = NewAccount {
        address: address.clone(),
        display_name: String::new(),
        password: None,
        quota: Quota::default(),
        role: Role::Person,
    };
    let account = world.directory.add_account(new, UnixTime(1_800_000_000)).wait().unwrap();
    Login { account, address }
}

type Act = Box<dyn FnOnce() + Send>;

/// An engine in memory for which something can happen between two looks of a reader.
#[derive(Default)]
pub(crate) struct Interrupted {
    engine: MemoryEngine,
    /// What happens, and before how many looks that come first.
    next: Mutex<Option<(usize, Act)>>,
}

impl Interrupted {
    /// Does something just before a look at the state; `number` looks come first.
    pub(crate) fn before_look(&self, number: usize, act: impl FnOnce() + Send + 'static) {
        *self.next.lock() = Some((number, Box::new(act)));
    }

    /// Whether it was done; if not, it never will be.
    pub(crate) fn was_done(&self) -> bool {
        self.next.lock().take().is_none()
    }
}

impl Engine for Interrupted {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, Error> {
        let mut next = self.next.lock();
        let due = next.take_if(|(looks, _)| *looks == 0);
        if let Some((looks, _)) = &mut *next {
            *looks -= 1;
        }
        // It looks, too.
        drop(next);
        if let Some((_, act)) = due {
            act();
        }
        self.engine.snapshot()
    }

    fn submit(&self, accounts: &[AccountId], work: Work) -> Commit {
        self.engine.submit(accounts, work)
    }

    fn compact(&self, progress: Progress<'_>) -> Result<u64, Error> {
        self.engine.compact(progress)
    }

    fn check(&self, progress: Progress<'_>) -> Result<CheckReport, Error> {
        self.engine.check(progress)
    }

    fn figures(&self) -> Figures {
        self.engine.figures()
    }
}
