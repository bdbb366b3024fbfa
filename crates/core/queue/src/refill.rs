//! From the store into the scheduler: everything at start, afterwards what is new and what was changed.
//!
//! New entries are found by their ids, which ascend in the order of commits, and a snapshot shows only what is durable.
//! So nothing needs to be handed over with the wake-up: who was not woken comes with the next one.

use crate::entry::{ByMode, Notify, QueueId, RecipientState};
use crate::record::{self, EnvelopeRecord, RecipientRecord};
use crate::schedule::{Arrival, Destination, Limits, Moment, Scheduler};
use crate::{Queue, keys};
use engine::{AccountId, Error, Order, Read};
use model::UnixTime;
use rustc_hash::FxHasher;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::ops::{Bound, ControlFlow};

/// Entries read from one snapshot.
const PAGE_ENTRIES: usize = 1000;
/// Recipients read from one snapshot, unless one entry alone has more.
const PAGE_RECIPIENTS: usize = 20_000;

/// What decides where a recipient's mail goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Addressed<'a> {
    /// The recipient's, in lower case as in [`model::EmailAddress`].
    pub domain: &'a str,
    /// The reverse-path; empty for `<>`.
    pub sender: &'a str,
    /// Who sent it, when logged in.
    pub account: Option<AccountId>,
}

/// Where it goes, and what holds for that destination instead of the scheduler's settings.
pub type Route<'a> = &'a mut dyn FnMut(&Addressed<'_>) -> (Destination, Option<Limits>);

/// What [`Queue::refill`] found.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Refilled {
    /// Entries read.
    pub entries: u64,
    /// A sentence for each record that can't be read; what it belongs to is not sent.
    pub problems: Vec<String>,
}

impl Queue {
    /// Takes what is new in the store, and what was changed by other than the scheduler's jobs, into the scheduler. To
    /// be called by one caller, at start, whenever the bell rings ([`Queue::listen`]) and, for commits whose session
    /// went away before it could ring, every few seconds.
    ///
    /// # Errors
    /// Reading failed.
    pub fn refill(&self, route: Route<'_>, now: Moment) -> Result<Refilled, Error> {
        let mut refilled = Refilled::default();
        loop {
            // Locked first: what was noted as changed is in the snapshot.
            let mut scheduler = self.scheduler();
            let snapshot = self.engine.snapshot()?;
            for id in scheduler.take_changed() {
                let mut envelopes = Vec::new();
                take_envelope(id, record::envelope(&*snapshot, id), &mut envelopes, &mut refilled)?;
                arrive(&*snapshot, &envelopes, &mut scheduler, route, now, &mut refilled)?;
            }
            let envelopes = new_envelopes(&*snapshot, scheduler.read_to(), &mut refilled)?;
            let Some((last, _)) = envelopes.last() else { return Ok(refilled) };
            arrive(&*snapshot, &envelopes, &mut scheduler, route, now, &mut refilled)?;
            scheduler.has_read_to(*last);
        }
    }
}

type Envelopes = Vec<(QueueId, Option<EnvelopeRecord>)>;

/// A page of entries behind `after`; None for one that can't be read.
fn new_envelopes(read: &dyn Read, after: QueueId, refilled: &mut Refilled) -> Result<Envelopes, Error> {
    let (first, end) = (keys::entry(QueueId(after.0.saturating_add(1))), keys::all(b'e' + 1));
    let (mut found, mut recipients, mut outcome) = (Vec::new(), 0, Ok(()));
    let range = (Bound::Included(&first[..]), Bound::Excluded(&end[..]));
    read.scan(range, Order::Ascending, &mut |key, value| {
        let record = record::decode_envelope(value).map(Some);
        outcome = take_envelope(keys::entry_id(key), record, &mut found, refilled);
        recipients += found.last().and_then(|(_, one)| one.as_ref()).map_or(0, |one| one.recipients as usize);
        let full = found.len() >= PAGE_ENTRIES || recipients >= PAGE_RECIPIENTS;
        if full || outcome.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    outcome.map(|()| found)
}

fn take_envelope(
    id: QueueId,
    record: Result<Option<EnvelopeRecord>, Error>,
    found: &mut Envelopes,
    refilled: &mut Refilled,
) -> Result<(), Error> {
    let record = match record {
        Ok(None) => return Ok(()),
        Ok(record) => record,
        Err(Error::Corrupt { what, why }) => {
            refilled.problems.push(format!("{what} of message {id} is damaged: {why}"));
            None
        }
        Err(error) => return Err(error),
    };
    refilled.entries += 1;
    found.push((id, record));
    Ok(())
}

/// What of one message goes together.
type Groups = BTreeMap<(Destination, UnixTime, Option<UnixTime>), Group>;

#[derive(Default)]
struct Group {
    limits: Option<Limits>,
    attempts: u32,
    recipients: Vec<u32>,
}

/// Hands the queued recipients of these entries to the scheduler.
fn arrive(
    read: &dyn Read,
    envelopes: &Envelopes,
    scheduler: &mut Scheduler,
    route: Route<'_>,
    now: Moment,
    refilled: &mut Refilled,
) -> Result<(), Error> {
    let (Some((first, _)), Some((last, _))) = (envelopes.first(), envelopes.last()) else { return Ok(()) };
    let (first, last) = (keys::part(b'r', *first, 0), keys::part(b'r', *last, u32::MAX));
    let mut at = 0;
    let mut groups = Groups::new();
    let mut outcome = Ok(());
    let range = (Bound::Included(&first[..]), Bound::Included(&last[..]));
    read.scan(range, Order::Ascending, &mut |key, value| {
        let (id, index) = keys::split_part(key);
        // Both are in order of ids.
        while envelopes.get(at).is_some_and(|(here, _)| *here < id) {
            hand_over(&envelopes[at], &mut groups, scheduler, now);
            at += 1;
        }
        let Some((here, Some(envelope))) = envelopes.get(at) else { return ControlFlow::Continue(()) };
        if *here != id {
            return ControlFlow::Continue(());
        }
        match record::decode_recipient(value) {
            Ok(recipient) if recipient.state == RecipientState::Queued => {
                let addressed = Addressed {
                    domain: recipient.domain(),
                    sender: &envelope.reverse_path,
                    account: envelope.account.map(AccountId),
                };
                let (destination, limits) = route(&addressed);
                let warn_at = warn_at(envelope, &recipient, scheduler);
                let group = (destination, UnixTime(recipient.next_attempt), warn_at);
                let group = groups.entry(group).or_default();
                group.limits = limits;
                group.attempts = group.attempts.max(recipient.attempts);
                group.recipients.push(index);
            }
            Ok(_) => {}
            Err(Error::Corrupt { what, why }) => {
                refilled.problems.push(format!("{what}, {index} of message {id}, is damaged: {why}"));
            }
            Err(error) => {
                outcome = Err(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(envelope) = envelopes.get(at) {
        hand_over(envelope, &mut groups, scheduler, now);
    }
    outcome
}

fn hand_over(
    (id, envelope): &(QueueId, Option<EnvelopeRecord>),
    groups: &mut Groups,
    scheduler: &mut Scheduler,
    now: Moment,
) {
    let Some(envelope) = envelope else { return };
    for ((destination, due, warn_at), Group { limits, attempts, recipients }) in std::mem::take(groups) {
        let strict = envelope.deliver_by.is_some_and(|by| by.mode == ByMode::Return);
        let arrival = Arrival {
            id: *id,
            priority: envelope.priority,
            sender: sender_number(envelope),
            expires: envelope.ends(),
            strict,
            not_before: envelope.not_before.map(UnixTime),
            warn_at,
            destination,
            limits,
            due,
            attempts,
            recipients,
        };
        scheduler.arrive(arrival, now);
    }
}

/// When the sender is told that this recipient's mail is delayed.
fn warn_at(
    envelope: &EnvelopeRecord,
    recipient: &RecipientRecord,
    scheduler: &Scheduler,
) -> Option<UnixTime> {
    // RFC 5321 §4.5.5: nothing is told to the null reverse-path.
    if recipient.warned || envelope.reverse_path.is_empty() {
        return None;
    }
    // RFC 3461 §4.1: without NOTIFY it is the server's choice; with it, DELAY must be named.
    if !matches!(recipient.notify(), Notify::Default | Notify::On { delay: true, .. }) {
        return None;
    }
    // RFC 2852 §4: by-mode N asks for a report when the time is over.
    let asked = envelope.deliver_by.filter(|by| by.mode == ByMode::Notify).map(|by| by.at);
    let usual = scheduler.settings().warn_after.map(|after| {
        // What was held has not waited before its time.
        let since = envelope.not_before.unwrap_or(envelope.received).max(envelope.received);
        UnixTime(since.saturating_add(i64::try_from(after.as_secs()).unwrap_or(i64::MAX)))
    });
    asked.into_iter().chain(usual).min()
}

/// Turns are given to accounts; to reverse-paths where nobody logged in. All bounces are one sender.
fn sender_number(envelope: &EnvelopeRecord) -> u64 {
    let mut hasher = FxHasher::default();
    match envelope.account {
        Some(account) => account.hash(&mut hasher),
        None => envelope.reverse_path.hash(&mut hasher),
    }
    hasher.finish()
}
