//! Mail for other hosts, kept until it is delivered, failed or removed.
//!
//! An entry is one accepted message with one envelope; its content is shared with local copies of the same message
//! (the engine counts references; the queue holds one per entry). Everything lives under account 0 (`keys.rs`
//! documents each key and value). Invariants:
//!
//! - An entry exists exactly as long as it holds its content reference: from [`enqueue`] to [`Queue::remove`] or the
//!   last recipient's end.
//! - Each recipient has a state of its own; the scheduler (`schedule`) knows exactly the `Queued` ones.
//! - The counters ([`Totals`]) change in the same transaction as what they count.

mod accepted;
mod check;
mod dsn;
mod enqueue;
mod entry;
mod events;
mod filter;
mod holding;
mod keys;
mod operate;
mod past;
mod record;
mod refill;
pub mod schedule;
mod sending;
mod settle;
mod suppression;

pub use accepted::{Accepted, Place, Placed};
pub use check::claims;
pub use dsn::{Action, Language, Report, Reported, Returned, delivery_report, status_of};
pub use enqueue::enqueue;
pub use entry::{
    Body, ByMode, DeliverBy, Entry, EntryDetails, Event, EventKind, NewEntry, NewRecipient, Notify, Orcpt,
    QueueId, Recipient, RecipientState, Ret, TlsWish, Wishes,
};
pub use events::{EVENTS_MAX, EventName, Happened, Notice, keep as keep_event};
pub use filter::Filter;
pub use holding::{HoldLimits, Holding, holding_of};
pub use operate::{Attempt, Change, Totals, record_attempt, record_warned};
pub use past::{Keep, Past, PastRecipient};
pub use refill::{Addressed, Refilled, Route};
pub use schedule::Scheduler;
pub use sending::{AlarmAction, Counted, Sending, SendingLimits, SendingRules, Withheld, count_sent};
pub use settle::{Onward, Rules, Settled, TimeKept, may_report, may_warn, settle, warn};
pub use suppression::{Rule as SuppressionRule, Suppression, is_hard};

use engine::Engine;
use model::Domain;
use parking_lot::{Mutex, MutexGuard};
use schedule::{Destination, Moment};
use std::sync::{Arc, OnceLock};

/// The queue of one server.
pub struct Queue {
    engine: Arc<dyn Engine>,
    scheduler: Mutex<Scheduler>,
    bell: OnceLock<Box<dyn Fn() + Send + Sync>>,
    naming: OnceLock<Box<Naming>>,
    unwritten: accepted::Unwritten,
}

/// The name of the destination to which mail for a domain goes.
type Naming = dyn Fn(&Domain) -> Destination + Send + Sync;

impl Queue {
    /// The queue kept in `engine`.
    pub fn new(engine: Arc<dyn Engine>) -> Queue {
        let scheduler = Mutex::new(Scheduler::new(schedule::Settings::default()));
        let (bell, naming) = (OnceLock::new(), OnceLock::new());
        Queue { engine, scheduler, bell, naming, unwritten: accepted::Unwritten::default() }
    }

    /// The scheduler, locked. It is empty until [`Queue::refill`]; hold it for one call.
    pub fn scheduler(&self) -> MutexGuard<'_, Scheduler> {
        self.scheduler.lock()
    }

    /// Sets who is woken, from any thread and by a call that must not wait, when there may be something to send. The
    /// first one stays.
    pub fn listen(&self, bell: impl Fn() + Send + Sync + 'static) {
        let _ = self.bell.set(Box::new(bell));
    }

    /// Wakes the one who sends: to be called after a commit that queued something. Costs next to nothing.
    pub fn ring(&self) {
        if let Some(bell) = self.bell.get() {
            bell();
        }
    }

    /// Sets who names destinations where there are routes. The first one stays; without one each domain is its own.
    pub fn name_destinations(&self, naming: impl Fn(&Domain) -> Destination + Send + Sync + 'static) {
        let _ = self.naming.set(Box::new(naming));
    }

    /// Has what waits for a domain tried now (ETRN); answers how many messages waited. Mail that goes the same way for
    /// other domains is tried with it.
    pub fn flush(&self, domain: &Domain, now: Moment) -> usize {
        let destination = match self.naming.get() {
            Some(naming) => naming(domain),
            None => Destination(domain.as_str().into()),
        };
        let waiting = self.scheduler().flush(&destination, now);
        self.ring();
        waiting
    }

    /// A message was changed by other than the scheduler's jobs, durably: the scheduler reads it again.
    pub fn changed(&self, id: QueueId) {
        self.scheduler().changed(id);
        self.ring();
    }
}

#[cfg(test)]
mod tests;
