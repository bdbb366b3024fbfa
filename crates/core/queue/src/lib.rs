//! Mail for other hosts, kept until it is delivered, failed or removed.
//!
//! An entry is one accepted message with one envelope; its content is shared with local copies of the same message
//! (the engine counts references; the queue holds one per entry). Everything lives under account 0 (`keys.rs`
//! documents each key and value). Invariants:
//!
//! - An entry exists exactly as long as it holds its content reference: from [`enqueue`] to [`Queue::remove`] or the
//!   last recipient's end.
//! - Each recipient has a state of its own; only `Queued` ones stand in the index by next attempt.
//! - The counters ([`Totals`]) change in the same transaction as what they count.

mod check;
mod dsn;
mod enqueue;
mod entry;
mod keys;
mod operate;
mod record;

pub use check::claims;
pub use dsn::{Action, Report, Reported, delivery_report};
pub use enqueue::enqueue;
pub use entry::{
    Body, Entry, EntryDetails, Event, EventKind, NewEntry, NewRecipient, Notify, Orcpt, QueueId, Recipient,
    RecipientState, Ret,
};
pub use operate::{Attempt, Due, Filter, Totals, record_attempt};

use engine::Engine;
use std::sync::Arc;

/// The queue of one server.
pub struct Queue {
    engine: Arc<dyn Engine>,
}

impl Queue {
    /// The queue kept in `engine`.
    pub fn new(engine: Arc<dyn Engine>) -> Queue {
        Queue { engine }
    }
}

#[cfg(test)]
mod tests;
