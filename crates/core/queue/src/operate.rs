//! What operators and the scheduler do with it.

use crate::Queue;
use crate::entry::{Entry, EntryDetails, Event, EventKind, QueueId, RecipientState};
use crate::filter::Filter;
use crate::past::{self, Keep};
use crate::record::{self, EnvelopeRecord, EventRecord, RecipientRecord, encode};
use crate::{holding, keys};
use engine::{Abort, AccountId, ContentId, Error, Order, Read, Tx};
use model::UnixTime;
use std::ops::{Bound, ControlFlow};

/// Longest text kept of a reply, in bytes.
const REPLY_BYTES_MAX: usize = 1000;
/// Entries looked at between two snapshots while listing, so that none is held for long.
const PAGE: usize = 256;

/// What the queue holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize)]
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

impl Totals {
    /// The counter of a state that recipients leave again.
    pub(crate) fn of(&mut self, state: RecipientState) -> &mut u64 {
        match state {
            RecipientState::Held => &mut self.held,
            _ => &mut self.queued,
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// To be repeated then.
    Deferred(UnixTime),
    /// The next host took it.
    Delivered,
    /// Refused for good.
    Failed,
    /// Given up: too late.
    Expired,
}

/// What an operator does with an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Holds all waiting recipients.
    Hold,
    /// Lets all held recipients go, due at once.
    Release,
    /// Makes all waiting recipients due now, also before a time that the sender set.
    Retry,
    /// Throws it away without telling anybody, and drops its content.
    Remove,
}

impl Queue {
    /// A page of entries by id, beginning behind `after`.
    ///
    /// # Errors
    /// Reading failed.
    pub fn list(
        &self,
        filter: &Filter,
        mut after: Option<QueueId>,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        let mut found = Vec::new();
        while found.len() < limit {
            let snapshot = self.engine.snapshot()?;
            let ids = ids_behind(&*snapshot, after, PAGE)?;
            let Some(&last) = ids.last() else { break };
            for id in ids {
                let Some(envelope) = record::envelope(&*snapshot, id)? else { continue };
                let recipients = record::recipients(&*snapshot, id)?;
                if filter.takes(&envelope, &recipients) {
                    found.push(envelope.show(id, recipients)?);
                    if found.len() == limit {
                        break;
                    }
                }
            }
            after = Some(last);
        }
        Ok(found)
    }

    /// One entry with its history.
    ///
    /// # Errors
    /// Reading failed.
    pub fn show(&self, id: QueueId) -> Result<Option<EntryDetails>, Error> {
        let snapshot = self.engine.snapshot()?;
        let Some(envelope) = record::envelope(&*snapshot, id)? else { return Ok(None) };
        let at = UnixTime(envelope.received);
        let accepted = Event { at, kind: EventKind::Accepted, recipient: None, text: String::new() };
        let entry = envelope.show(id, record::recipients(&*snapshot, id)?)?;
        let noted = record::events(&*snapshot, id)?.into_iter().map(|(_, event)| event.show());
        let history = std::iter::once(accepted).chain(noted).collect();
        Ok(Some(EntryDetails { entry, history }))
    }

    /// One entry with these of its recipients, by ascending index; those that are not there are left out.
    ///
    /// # Errors
    /// Reading failed.
    pub fn entry(&self, id: QueueId, indexes: &[u32]) -> Result<Option<Entry>, Error> {
        let snapshot = self.engine.snapshot()?;
        let Some(envelope) = record::envelope(&*snapshot, id)? else { return Ok(None) };
        let mut recipients = Vec::with_capacity(indexes.len());
        for index in indexes {
            recipients.extend(record::recipient(&*snapshot, id, *index)?.map(|found| (*index, found)));
        }
        envelope.show(id, recipients).map(Some)
    }

    /// Changes entries, all in one transaction, and tells the scheduler; answers those that there was something to
    /// change in. Waits for the disk.
    ///
    /// # Errors
    /// The engine's.
    pub fn change(&self, what: Change, ids: &[QueueId], now: UnixTime) -> Result<Vec<QueueId>, Abort> {
        let ids = ids.to_vec();
        let work = move |tx: &mut dyn Tx| {
            let mut changed = Vec::new();
            for id in &ids {
                if change(tx, what, *id, now)? {
                    changed.push(*id);
                }
            }
            Ok(changed)
        };
        let changed = self.engine.transact(&[AccountId(0)], work).wait()?;
        if !changed.is_empty() {
            changed.iter().for_each(|id| self.scheduler().changed(*id));
            self.ring();
        }
        Ok(changed)
    }

    fn change_one(&self, what: Change, id: QueueId, now: UnixTime) -> Result<bool, Abort> {
        Ok(!self.change(what, &[id], now)?.is_empty())
    }

    /// Holds all waiting recipients; answers whether there were any (false also: no such entry).
    ///
    /// # Errors
    /// The engine's. This and those below wait for the disk.
    pub fn hold(&self, id: QueueId, now: UnixTime) -> Result<bool, Abort> {
        self.change_one(Change::Hold, id, now)
    }

    /// Lets all held recipients go, due at once; answers whether there were any.
    ///
    /// # Errors
    /// The engine's.
    pub fn release(&self, id: QueueId, now: UnixTime) -> Result<bool, Abort> {
        self.change_one(Change::Release, id, now)
    }

    /// Makes all waiting recipients due now, also before a time that the sender set; answers whether there were any.
    ///
    /// # Errors
    /// The engine's.
    pub fn retry(&self, id: QueueId, now: UnixTime) -> Result<bool, Abort> {
        self.change_one(Change::Retry, id, now)
    }

    /// Removes an entry without telling anybody, and drops its content; answers whether there was one.
    ///
    /// # Errors
    /// The engine's.
    pub fn remove(&self, id: QueueId, now: UnixTime) -> Result<bool, Abort> {
        self.change_one(Change::Remove, id, now)
    }

    /// The counters.
    ///
    /// # Errors
    /// Reading failed.
    pub fn totals(&self) -> Result<Totals, Error> {
        Ok(record::counters(&*self.engine.snapshot()?)?.totals)
    }
}

/// Notes the outcome of an attempt inside a transaction, with what the next host said. The entry goes, and drops its
/// content, with its last recipient's end; so tell the sender what there is to tell in the same transaction. Answers
/// whether it went; what became of it is kept for a while ([`Queue::past`]). A recipient that is gone or at its end stays as it is; a held one is held still after a deferral.
///
/// # Errors
/// The engine's.
pub fn record_attempt(
    tx: &mut dyn Tx,
    id: QueueId,
    index: u32,
    outcome: Attempt,
    reply: &str,
    keep: &Keep,
    now: UnixTime,
) -> Result<bool, Error> {
    let Some(envelope) = record::envelope(tx, id)? else { return Ok(true) };
    let Some(mut recipient) = record::recipient(tx, id, index)? else { return Ok(false) };
    let before = recipient.state;
    if !recipient.is_open() {
        return Ok(false);
    }
    let (after, kind) = match outcome {
        Attempt::Deferred(_) => (before, EventKind::Deferred),
        Attempt::Delivered => (RecipientState::Delivered, EventKind::Delivered),
        Attempt::Failed => (RecipientState::Failed, EventKind::Failed),
        Attempt::Expired => (RecipientState::Expired, EventKind::Expired),
    };
    let reply = &reply[..reply.floor_char_boundary(REPLY_BYTES_MAX)];
    let event = EventRecord { at: now.0, kind, recipient: Some(index), text: reply.to_owned() };
    if let Attempt::Deferred(next) = outcome {
        recipient.next_attempt = next.0;
    } else {
        // The entry goes with the last one's end.
        let open = if envelope.recipients == 1 { 1 } else { record::open_recipients(tx, id)? };
        if open <= 1 {
            let (mut recipients, mut history) = remove(tx, id, &envelope)?;
            recipients.iter_mut().filter(|(at, _)| *at == index).for_each(|(_, one)| one.state = after);
            history.push(event);
            past::note(tx, id, &envelope, recipients, history, (keep, now))?;
            return Ok(true);
        }
        tx.put(&keys::open(id), &(open - 1).to_be_bytes())?;
        let mut counters = record::counters(tx)?;
        *counters.totals.of(before) -= 1;
        record::put_counters(tx, counters)?;
    }
    recipient.state = after;
    recipient.attempts += 1;
    recipient.last_reply = Some(reply.to_owned());
    tx.put(&keys::part(b'r', id, index), &encode(&recipient))?;
    record::note(tx, id, &event)?;
    Ok(false)
}

/// Notes inside a transaction that the sender is told of the delay of these recipients; answers those for whom that is
/// still to be done: they wait, and he was not told before.
///
/// # Errors
/// The engine's.
pub fn record_warned(
    tx: &mut dyn Tx,
    id: QueueId,
    indexes: &[u32],
    now: UnixTime,
) -> Result<Vec<u32>, Error> {
    let mut warned = Vec::new();
    for index in indexes {
        let Some(mut recipient) = record::recipient(tx, id, *index)? else { continue };
        if recipient.warned || recipient.state != RecipientState::Queued {
            continue;
        }
        recipient.warned = true;
        tx.put(&keys::part(b'r', id, *index), &encode(&recipient))?;
        let event =
            EventRecord { at: now.0, kind: EventKind::Warned, recipient: Some(*index), text: String::new() };
        record::note(tx, id, &event)?;
        warned.push(*index);
    }
    Ok(warned)
}

fn change(tx: &mut dyn Tx, what: Change, id: QueueId, now: UnixTime) -> Result<bool, Error> {
    match what {
        Change::Hold => move_all(tx, id, RecipientState::Queued, RecipientState::Held, now),
        Change::Release => move_all(tx, id, RecipientState::Held, RecipientState::Queued, now),
        Change::Retry => retry(tx, id, now),
        Change::Remove => {
            let Some(envelope) = record::envelope(tx, id)? else { return Ok(false) };
            let (recipients, mut history) = remove(tx, id, &envelope)?;
            let text = "removed by the administrator, without telling anybody".to_owned();
            history.push(EventRecord { at: now.0, kind: EventKind::Removed, recipient: None, text });
            past::note(tx, id, &envelope, recipients, history, (&Keep::default(), now))?;
            Ok(true)
        }
    }
}

/// Makes all waiting recipients of an entry due now.
fn retry(tx: &mut dyn Tx, id: QueueId, now: UnixTime) -> Result<bool, Error> {
    let mut any = false;
    for (index, mut recipient) in record::recipients(tx, id)? {
        if recipient.state != RecipientState::Queued {
            continue;
        }
        any = true;
        recipient.next_attempt = now.0;
        tx.put(&keys::part(b'r', id, index), &encode(&recipient))?;
    }
    if any {
        let event = EventRecord { at: now.0, kind: EventKind::Retried, recipient: None, text: String::new() };
        record::note(tx, id, &event)?;
    }
    Ok(any)
}

/// Moves all recipients of an entry from one open state to the other.
fn move_all(
    tx: &mut dyn Tx,
    id: QueueId,
    from: RecipientState,
    to: RecipientState,
    now: UnixTime,
) -> Result<bool, Error> {
    let mut counters = record::counters(tx)?;
    let mut moved = false;
    for (index, mut recipient) in record::recipients(tx, id)? {
        if recipient.state != from {
            continue;
        }
        moved = true;
        recipient.state = to;
        *counters.totals.of(from) -= 1;
        *counters.totals.of(to) += 1;
        if to == RecipientState::Queued {
            recipient.next_attempt = now.0;
        }
        tx.put(&keys::part(b'r', id, index), &encode(&recipient))?;
    }
    if moved {
        record::put_counters(tx, counters)?;
        let kind = if to == RecipientState::Held { EventKind::Held } else { EventKind::Released };
        record::note(tx, id, &EventRecord { at: now.0, kind, recipient: None, text: String::new() })?;
    }
    Ok(moved)
}

/// The recipients and the history of an entry that went.
type Parts = (Vec<(u32, RecipientRecord)>, Vec<EventRecord>);

fn remove(tx: &mut dyn Tx, id: QueueId, envelope: &EnvelopeRecord) -> Result<Parts, Error> {
    let mut counters = record::counters(tx)?;
    let totals = &mut counters.totals;
    let recipients = record::recipients(tx, id)?;
    for (index, recipient) in &recipients {
        match recipient.state {
            RecipientState::Queued => totals.queued -= 1,
            RecipientState::Held => totals.held -= 1,
            RecipientState::Delivered | RecipientState::Failed | RecipientState::Expired => {}
        }
        tx.delete(&keys::part(b'r', id, *index))?;
    }
    let mut history = Vec::new();
    for (number, event) in record::events(tx, id)? {
        tx.delete(&keys::part(b'h', id, number))?;
        history.push(event);
    }
    totals.entries -= 1;
    totals.bytes -= envelope.size;
    record::put_counters(tx, counters)?;
    if envelope.recipients > 1 {
        tx.delete(&keys::open(id))?;
    }
    holding::end(tx, envelope)?;
    tx.delete(&keys::entry(id))?;
    tx.refer(ContentId(envelope.content), -1)?;
    Ok((recipients, history))
}

fn ids_behind(read: &dyn Read, after: Option<QueueId>, limit: usize) -> Result<Vec<QueueId>, Error> {
    let (first, end) = (keys::all(b'e'), keys::all(b'e' + 1));
    let after = after.map(keys::entry);
    let from = after.as_deref().map_or(Bound::Included(&first[..]), Bound::Excluded);
    let mut found = Vec::new();
    read.scan((from, Bound::Excluded(&end[..])), Order::Ascending, &mut |key, _| {
        found.push(keys::entry_id(key));
        if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(found)
}
