//! A server in memory, for tests.

use crate::{Mailboxes, Metrics, World};
use directory::Directory;
use engine::{Engine, MemoryEngine};
use std::sync::Arc;
use store::Store;

/// One without domains.
pub(crate) fn world() -> World {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::default());
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
