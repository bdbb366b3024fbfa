//! Taking a message in.

use crate::entry::{NewEntry, QueueId};
use engine::{ContentId, Error, Tx};

/// Queues a message inside the transaction that accepts it. Takes over one reference to `content`: append it with one
/// more than there are local copies.
///
/// # Errors
/// The engine's.
///
/// # Panics
/// When there is no recipient.
pub fn enqueue(tx: &mut dyn Tx, content: ContentId, new: &NewEntry) -> Result<QueueId, Error> {
    let _ = tx;
    panic!("{content:?} {new:?}")
}
