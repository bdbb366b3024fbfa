//! What operators and the scheduler do with it.

use crate::Queue;
use crate::entry::{Entry, EntryDetails, EventKind, QueueId, RecipientState};
use engine::{Error, Pending, Tx};
use model::{Domain, UnixTime};

/// Which entries to list; all conditions must hold.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Filter {
    /// Reverse-path, whole and ignoring case; empty for `<>`.
    pub sender: Option<String>,
    /// A recipient of this domain.
    pub recipient_domain: Option<Domain>,
    /// A recipient in this state.
    pub state: Option<RecipientState>,
}

/// What the queue holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    /// Messages.
    pub entries: u64,
    /// Bytes of their contents, uncompressed.
    pub bytes: u64,
    /// Recipients that wait.
    pub queued: u64,
    /// Recipients held.
    pub held: u64,
}

/// A recipient whose attempt is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// When.
    pub at: UnixTime,
    /// Of which entry.
    pub id: QueueId,
    /// Which recipient.
    pub index: u32,
    /// Where to.
    pub domain: Domain,
}

impl Queue {
    /// A page of entries by id, beginning behind `after`.
    ///
    /// # Errors
    /// Reading failed.
    pub fn list(&self, filter: &Filter, after: Option<QueueId>, limit: usize) -> Result<Vec<Entry>, Error> {
        panic!("{filter:?} {after:?} {limit}")
    }

    /// One entry with its history.
    ///
    /// # Errors
    /// Reading failed.
    pub fn show(&self, id: QueueId) -> Result<Option<EntryDetails>, Error> {
        panic!("{id}")
    }

    /// Holds all waiting recipients; answers whether there were any (false also: no such entry).
    pub fn hold(&self, id: QueueId, now: UnixTime) -> Pending<bool> {
        panic!("{id} {now}")
    }

    /// Lets all held recipients go, due at once; answers whether there were any.
    pub fn release(&self, id: QueueId, now: UnixTime) -> Pending<bool> {
        panic!("{id} {now}")
    }

    /// Removes an entry without telling anybody, and drops its content; answers whether there was one.
    pub fn remove(&self, id: QueueId) -> Pending<bool> {
        panic!("{id}")
    }

    /// The counters.
    ///
    /// # Errors
    /// Reading failed.
    pub fn totals(&self) -> Result<Totals, Error> {
        panic!()
    }

    /// Recipients due up to `until`, soonest first.
    ///
    /// # Errors
    /// Reading failed.
    pub fn due(&self, until: UnixTime, limit: usize) -> Result<Vec<Due>, Error> {
        panic!("{until} {limit}")
    }
}

/// Notes the outcome of an attempt inside a transaction: `kind` is Deferred (again at `next`), Delivered, Failed or
/// Expired. Answers whether the entry is finished and gone.
///
/// # Errors
/// The engine's.
pub fn record_attempt(
    tx: &mut dyn Tx,
    id: QueueId,
    index: u32,
    kind: EventKind,
    reply: &str,
    next: UnixTime,
    now: UnixTime,
) -> Result<bool, Error> {
    let _ = tx;
    panic!("{id} {index} {kind:?} {reply} {next} {now}")
}
