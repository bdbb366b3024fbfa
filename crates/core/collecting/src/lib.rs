//! Mail collected from mailboxes elsewhere (POP3: RFC 1939, IMAP: RFC 9051): the sources of each account, what of them
//! was collected already, what a run has to do, when the next one is.
//!
//! Everything lives under account 0 (`keys.rs` documents each key and value). Invariants:
//!
//! - A message that was collected has a note, written in the same transaction as the message itself ([`note`]): after a
//!   crash there are both or none, so that nothing is lost and nothing doubled.
//! - Nothing is deleted at the source that has no note.
//! - A note outlives the message at the source: it is forgotten only when a complete listing does not show the message
//!   any more, and until the end of that run a message with another name is compared with it by its content. So a source
//!   that names its messages anew (another UIDVALIDITY, RFC 9051 §2.3.1.1) doubles nothing.
//! - The number of a source is never used again.
//! - Its password is kept encrypted under the server's secret and tied to the source and its account.

pub mod agenda;
mod check;
mod keys;
mod network;
mod note;
pub mod pace;
pub mod plan;
mod record;
mod source;
mod status;
pub mod trace;

pub use network::{Networks, is_public};
pub use note::{FolderState, Name, Noted, digest, note};
pub use record::{
    Counts, Fate, Folders, Keep, Note, Place, Protocol, RunCounts, Settings, Status, Tls, Trouble,
    TroubleKind,
};
pub use source::{NewSecret, Source, SourceId, remove_of_account};
pub use status::{Ending, Progress};

use directory::Seal;
use engine::Engine;
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};

/// The purpose of the key that passwords for other servers are encrypted with.
pub const SEAL_PURPOSE: &[u8] = b"troika passwords of sources 1";

/// The sources of one server.
pub struct Collecting {
    engine: Arc<dyn Engine>,
    seal: Seal,
    bell: OnceLock<Box<dyn Fn() + Send + Sync>>,
    running: Mutex<status::Running>,
}

impl Collecting {
    /// Those kept in `engine`, with passwords under `seal` (made for [`SEAL_PURPOSE`]).
    pub fn new(engine: Arc<dyn Engine>, seal: Seal) -> Collecting {
        Collecting { engine, seal, bell: OnceLock::new(), running: Mutex::default() }
    }

    /// Where it is kept.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Sets who is woken, from any thread and by a call that must not wait, when a source came, changed or is to run
    /// now. The first one stays.
    pub fn listen(&self, bell: impl Fn() + Send + Sync + 'static) {
        let _ = self.bell.set(Box::new(bell));
    }

    /// Whether somebody listens: this process runs sources when they are due.
    pub fn is_heard(&self) -> bool {
        self.bell.get().is_some()
    }

    /// Wakes the one who runs sources.
    pub fn ring(&self) {
        if let Some(bell) = self.bell.get() {
            bell();
        }
    }
}

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod tests;
