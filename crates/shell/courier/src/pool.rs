//! Open connections that wait for the next message to the same host (RFC 5321 §4.5.4.1 has them used again).

use crate::connection::Connection;
use net::Endpoint;
use parking_lot::Mutex;
use route::Way;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Connections that wait at most, of one kind and all together.
const WAITING_OF_A_KIND_MAX: usize = 20;
const WAITING_MAX: usize = 200;

/// What must agree that a connection may carry a message: the place, the name that the certificate was looked at for,
/// the route with its log-in, and what was demanded of TLS.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Kind {
    pub endpoint: Endpoint,
    pub name: String,
    pub way: Arc<Way>,
    pub security: Arc<guard::Held>,
}

struct Waiting {
    connection: Connection,
    until: Instant,
}

/// All that wait.
#[derive(Default)]
pub(crate) struct Pool {
    waiting: Mutex<HashMap<Kind, Vec<Waiting>>>,
}

impl Pool {
    /// One that waits, the latest first: the others then grow too old.
    pub(crate) fn take(&self, kind: &Kind) -> Option<Connection> {
        let mut all = self.waiting.lock();
        let waiting = all.get_mut(kind)?;
        let found = waiting.pop();
        if waiting.is_empty() {
            all.remove(kind);
        }
        found.filter(|one| one.until > Instant::now()).map(|one| one.connection)
    }

    /// Whether one waits.
    pub(crate) fn has(&self, kind: &Kind) -> bool {
        let all = self.waiting.lock();
        all.get(kind).and_then(|waiting| waiting.last()).is_some_and(|one| one.until > Instant::now())
    }

    /// Keeps one for a while; answers it when there are enough.
    pub(crate) fn keep(&self, kind: Kind, connection: Connection, idle: Duration) -> Option<Connection> {
        let mut all = self.waiting.lock();
        if all.values().map(Vec::len).sum::<usize>() >= WAITING_MAX {
            return Some(connection);
        }
        let waiting = all.entry(kind).or_default();
        if waiting.len() >= WAITING_OF_A_KIND_MAX {
            return Some(connection);
        }
        waiting.push(Waiting { connection, until: Instant::now() + idle });
        None
    }

    /// Takes out what has waited too long, or everything.
    pub(crate) fn expired(&self, all_of_them: bool) -> Vec<Connection> {
        let now = Instant::now();
        let mut gone = Vec::new();
        self.waiting.lock().retain(|_, waiting| {
            // The oldest stand first.
            let count = waiting.iter().take_while(|one| all_of_them || one.until <= now).count();
            gone.extend(waiting.drain(..count).map(|one| one.connection));
            !waiting.is_empty()
        });
        gone
    }
}
