//! What all agents of one server share.

use crate::introspection::Introspect;
use crate::metrics::Metrics;
use crate::outgoing::Outgoing;
use crate::pop3::Maildrops;
use collecting::Collecting;
use directory::Directory;
use dns::Resolver;
use engine::Engine;
use model::{Path, ReversePath, UnixTime};
use parking_lot::RwLock;
use policy::{Decider, Meaning, Policy};
use queue::Queue;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};
use store::{Prepared, Store};
use tokio::sync::watch;

/// The server's insides, behind the sessions.
pub struct World {
    /// Where everything is kept.
    pub engine: Arc<dyn Engine>,
    /// Mailboxes.
    pub store: Arc<Store>,
    /// Names and credentials.
    pub directory: Arc<Directory>,
    /// Who asks the issuer about tokens (RFC 7662). None: tokens with signatures alone are taken. Exchanged when the
    /// configuration is read again.
    pub introspection: RwLock<Option<Arc<dyn Introspect>>>,
    /// Mail for other hosts.
    pub queue: Queue,
    /// Mailing lists.
    pub lists: ::lists::Lists,
    /// Mailboxes elsewhere that mail is collected from.
    pub collecting: Collecting,
    /// What lists say of this server; exchanged when the configuration is read again.
    pub list_settings: RwLock<Arc<crate::lists::ListSettings>>,
    /// Whom lists have asked something today.
    pub asked_today: parking_lot::Mutex<crate::lists::AskedToday>,
    /// Who answers questions to the DNS.
    pub resolver: Arc<Resolver>,
    /// What is accepted; exchanged when the configuration is read again.
    pub policy: RwLock<Arc<Policy>>,
    /// What is told and kept of mail on its way out; exchanged likewise.
    pub outgoing: RwLock<Arc<Outgoing>>,
    /// Whether what is passed on is sealed (ARC); exchanged likewise.
    pub seals: AtomicBool,
    /// What POP3 sessions have locked.
    pub maildrops: Arc<Maildrops>,
    /// Turns true when the server stops: nobody is made to wait any more.
    pub stopping: watch::Sender<bool>,
    /// Who sends over connections that customers have turned round.
    pub turns: crate::Turns,
    /// Counters.
    pub metrics: Metrics,
}

/// Smaller messages are prepared faster than another thread takes over this one's connections.
pub(crate) const PREPARED_IN_PLACE_MAX: usize = 64 * 1024;

/// Parses and compresses a message; a large one takes long enough that this thread's other connections go on elsewhere.
pub(crate) fn prepare(message: &[u8]) -> Result<Prepared, store::Error> {
    if message.len() <= PREPARED_IN_PLACE_MAX {
        return Prepared::new(message);
    }
    tokio::task::block_in_place(|| Prepared::new(message))
}

impl World {
    /// What a forward-path means for a message of `from`: the rules, bounces to addresses made here, the directory.
    ///
    /// # Errors
    /// The directory or the store could not be read.
    pub fn meaning(&self, path: &Path, from: &ReversePath) -> Result<Meaning, directory::Error> {
        let policy = self.policy.read().clone();
        Decider { policy: &policy, directory: &self.directory }.meaning(path, from, World::now())
    }

    /// The wall clock.
    pub fn now() -> UnixTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}
