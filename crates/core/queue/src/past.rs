//! What became of messages that are in the queue no more: "did my message arrive?" is asked when it is over. Bounded in
//! number and in time ([`Keep`]); what is told of one message is bounded, too.

use crate::entry::{Event, QueueId, RecipientState};
use crate::record::{self, EnvelopeRecord, EventRecord, RecipientRecord, encode};
use crate::{Queue, keys};
use engine::{AccountId, Error, Pending, Tx};
use model::UnixTime;
use serde::{Deserialize, Serialize};

/// Recipients kept of one message, and lines of its history.
const PARTS_MAX: usize = 200;
/// Bytes kept of one line.
const TEXT_BYTES_MAX: usize = 300;
/// Records read, or removed, at a time.
const PAGE: usize = 500;

/// What is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// The newest messages that were queued, so many. 0: nothing is kept.
    pub messages: u64,
    /// For so long after their end.
    pub seconds: i64,
}

impl Default for Keep {
    fn default() -> Self {
        Keep { messages: 200_000, seconds: 7 * 86_400 }
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct PastRecord {
    reverse_path: String,
    envid: Option<String>,
    account: Option<u32>,
    received: i64,
    ended: i64,
    size: u64,
    /// Those of them that are kept stand in `recipients`.
    recipients_count: u32,
    recipients: Vec<(u32, String, RecipientState)>,
    history: Vec<EventRecord>,
}

/// A message that is in the queue no more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Past {
    /// Its name.
    pub id: QueueId,
    /// Where a bounce went; empty for `<>`.
    pub reverse_path: String,
    /// ENVID.
    pub envid: Option<String>,
    /// The number of the account that sent it, when logged in.
    pub account: Option<u32>,
    /// When it was accepted; seconds since 1970.
    pub received: i64,
    /// When its last recipient came to an end; seconds since 1970.
    pub ended: i64,
    /// Octets.
    pub size: u64,
    /// How many recipients it had.
    pub recipients_count: u32,
    /// The first of them.
    pub recipients: Vec<PastRecipient>,
    /// The last lines of its history, oldest first.
    pub history: Vec<Event>,
}

/// One of its recipients.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PastRecipient {
    /// Position within the message.
    pub index: u32,
    /// Where to.
    pub address: String,
    /// Where it ended.
    pub state: RecipientState,
}

impl PastRecord {
    /// Whether this address (or account) sent it or was to get it.
    fn concerns(&self, address: &str, account: Option<AccountId>) -> bool {
        self.reverse_path.to_lowercase() == address
            || (account.is_some() && self.account == account.map(|account| account.0))
            || self.recipients.iter().any(|(_, to, _)| to.to_lowercase() == address)
    }

    fn show(self, id: QueueId) -> Past {
        let one = |(index, address, state)| PastRecipient { index, address, state };
        Past {
            id,
            reverse_path: self.reverse_path,
            envid: self.envid,
            account: self.account,
            received: self.received,
            ended: self.ended,
            size: self.size,
            recipients_count: self.recipients_count,
            recipients: self.recipients.into_iter().map(one).collect(),
            history: self.history.into_iter().map(EventRecord::show).collect(),
        }
    }
}

/// Notes what became of an entry that goes, inside the transaction in which it does.
pub(crate) fn note(
    tx: &mut dyn Tx,
    id: QueueId,
    envelope: &EnvelopeRecord,
    recipients: Vec<(u32, RecipientRecord)>,
    history: Vec<EventRecord>,
    (keep, now): (&Keep, UnixTime),
) -> Result<(), Error> {
    if keep.messages == 0 || keep.seconds <= 0 {
        return Ok(());
    }
    let surplus = history.len().saturating_sub(PARTS_MAX);
    let shorten = |mut event: EventRecord| {
        event.text.truncate(event.text.floor_char_boundary(TEXT_BYTES_MAX));
        event
    };
    let past = PastRecord {
        reverse_path: envelope.reverse_path.clone(),
        envid: envelope.envid.clone(),
        account: envelope.account,
        received: envelope.received,
        ended: now.0,
        size: envelope.size,
        recipients_count: envelope.recipients,
        recipients: recipients
            .into_iter()
            .take(PARTS_MAX)
            .map(|(index, recipient)| (index, recipient.address, recipient.state))
            .collect(),
        history: history.into_iter().skip(surplus).map(shorten).collect(),
    };
    // Ids ascend one by one: behind the newest ones nothing is left.
    if let Some(old) = id.0.checked_sub(keep.messages) {
        tx.delete(&keys::past(QueueId(old)))?;
    }
    tx.put(&keys::past(id), &encode(&past))
}

impl Queue {
    /// What became of one message. None: it waits still, was forgotten, or there never was one.
    ///
    /// # Errors
    /// Reading failed.
    pub fn past(&self, id: QueueId) -> Result<Option<Past>, Error> {
        let found = self.engine.snapshot()?.get(&keys::past(id))?;
        let record = found.map(|bytes| record::decode::<PastRecord>("what became of a message", &bytes));
        Ok(record.transpose()?.map(|record| record.show(id)))
    }

    /// Messages that ended and that this address (ignoring case) or account sent or was to get, behind `after`, in the order in which
    /// they were queued: what one page of the store has of them, and where the next one begins. None: that was the last.
    ///
    /// # Errors
    /// Reading failed.
    pub fn pasts_of(
        &self,
        address: &str,
        account: Option<AccountId>,
        after: Option<QueueId>,
    ) -> Result<(Vec<Past>, Option<QueueId>), Error> {
        let (after, address) = (after.map(keys::past), address.to_lowercase());
        let show = |key: &[u8], record: PastRecord| Some((keys::entry_id(key), record));
        let snapshot = self.engine.snapshot()?;
        let page = record::page(&*snapshot, b'p', after.as_deref(), PAGE, "what became of a message", show)?;
        let last = page.last().map(|(id, _)| *id);
        let of_it = page.into_iter().filter(|(_, record)| record.concerns(&address, account));
        Ok((of_it.map(|(id, record)| record.show(id)).collect(), last))
    }

    /// Forgets what is older than it is kept, some at a time; answers whether there may be more.
    pub fn forget_past(&self, keep: Keep, now: UnixTime) -> Pending<bool> {
        self.engine.transact(&[AccountId(0)], move |tx| {
            let show = |key: &[u8], record: PastRecord| Some((key.to_vec(), record.received, record.ended));
            let page = record::page(tx, b'p', None, PAGE, "what became of a message", show)?;
            let (full, since) = (page.len() == PAGE, now.0.saturating_sub(keep.seconds));
            // None ends before it is accepted: those behind the first that came since then are younger still.
            let old =
                page.into_iter().take_while(|(_, received, _)| keep.messages == 0 || *received <= since);
            let mut gone = 0;
            for (key, ..) in old.filter(|(_, _, ended)| keep.messages == 0 || *ended <= since) {
                tx.delete(&key)?;
                gone += 1;
            }
            // A page of which nothing goes would be read again and again.
            Ok(full && gone > 0)
        })
    }
}

#[cfg(test)]
mod tests;
