//! Taking a message in.

use crate::entry::{EventKind, NewEntry, QueueId, RecipientState};
use crate::record::{self, EnvelopeRecord, EventRecord, RecipientRecord, encode};
use crate::{holding, keys};
use engine::{ContentId, Error, Tx};

/// Queues a message inside the transaction that accepts it. Takes over one reference to `content`: append it with one
/// more than there are local copies. The first attempt is due at `new.received`, or when the sender allows it. Call
/// [`crate::Queue::ring`] once the transaction is durable.
///
/// # Errors
/// The engine's.
///
/// # Panics
/// When there is no recipient: nothing would ever end such an entry.
pub fn enqueue(tx: &mut dyn Tx, content: ContentId, new: &NewEntry) -> Result<QueueId, Error> {
    assert!(!new.recipients.is_empty(), "a queued message has a recipient");
    let mut counters = record::counters(tx)?;
    counters.last_id += 1;
    let id = QueueId(counters.last_id);
    let envelope = EnvelopeRecord::new(content, new);
    tx.put(&keys::entry(id), &encode(&envelope))?;
    holding::begin(tx, &envelope)?;
    let state = if new.held { RecipientState::Held } else { RecipientState::Queued };
    let due = new.wishes.not_before.map_or(new.received, |at| at.max(new.received));
    for (index, recipient) in (0_u32..).zip(&new.recipients) {
        let recipient = RecipientRecord::new(recipient, state, due);
        tx.put(&keys::part(b'r', id, index), &encode(&recipient))?;
    }
    if new.recipients.len() > 1 {
        tx.put(&keys::open(id), &(new.recipients.len() as u32).to_be_bytes())?;
    }
    if new.held {
        let event =
            EventRecord { at: new.received.0, kind: EventKind::Held, recipient: None, text: String::new() };
        tx.put(&keys::part(b'h', id, 0), &encode(&event))?;
    }
    counters.totals.entries += 1;
    counters.totals.bytes += new.size;
    *counters.totals.of(state) += new.recipients.len() as u64;
    record::put_counters(tx, counters)?;
    Ok(id)
}
