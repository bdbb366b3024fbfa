//! What happened to mail on its way out, kept until the webhook has taken it: at most [`EVENTS_MAX`], of which the oldest
//! go first. Each has a number one higher than the one before it, so a receiver sees a gap.

use crate::entry::QueueId;
use crate::record::{encode, page};
use crate::{Queue, keys};
use engine::{AccountId, Error, Order, Pending, Read, Tx};
use model::UnixTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::{Bound, ControlFlow};
use std::str::FromStr;

/// Events that wait at most.
pub const EVENTS_MAX: u64 = 100_000;

/// What can happen. Variants are numbered: add new ones at the end only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventName {
    /// A message was put into the queue.
    Queued,
    /// The next server took it for a recipient.
    Delivered,
    /// It is tried again.
    Deferred,
    /// It was refused for good.
    Failed,
    /// It was given up.
    Expired,
    /// An account sends like a spammer.
    Alarm,
}

impl EventName {
    /// All of them.
    pub const EVERY: [EventName; 6] = [
        EventName::Queued,
        EventName::Delivered,
        EventName::Deferred,
        EventName::Failed,
        EventName::Expired,
        EventName::Alarm,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            EventName::Queued => "queued",
            EventName::Delivered => "delivered",
            EventName::Deferred => "deferred",
            EventName::Failed => "failed",
            EventName::Expired => "expired",
            EventName::Alarm => "alarm",
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EventName {
    type Err = String;

    fn from_str(text: &str) -> Result<EventName, String> {
        EventName::EVERY.into_iter().find(|event| event.name() == text).ok_or_else(|| {
            let every = EventName::EVERY.map(EventName::name).join(", ");
            format!("{text:?} is no event; there are {every}")
        })
    }
}

/// Something that happened; what does not apply is None.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Happened {
    /// What.
    pub name: EventName,
    /// When.
    pub at: UnixTime,
    /// To which message.
    pub queue_id: Option<QueueId>,
    /// Its reverse-path; empty for `<>`.
    pub sender: Option<String>,
    /// Where it was to go.
    pub recipient: Option<String>,
    /// Who sent it, when logged in.
    pub account: Option<AccountId>,
    /// Enhanced status code.
    pub status: Option<String>,
    /// What the next server said, or why there was no answer.
    pub reply: Option<String>,
    /// Its name.
    pub remote: Option<String>,
    /// Attempts so far.
    pub attempts: Option<u32>,
    /// A sentence for people.
    pub text: Option<String>,
}

impl Happened {
    /// With nothing known but that.
    pub fn new(name: EventName, at: UnixTime) -> Happened {
        Happened {
            name,
            at,
            queue_id: None,
            sender: None,
            recipient: None,
            account: None,
            status: None,
            reply: None,
            remote: None,
            attempts: None,
            text: None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct HappenedRecord {
    name: EventName,
    at: i64,
    queue_id: Option<u64>,
    sender: Option<String>,
    recipient: Option<String>,
    account: Option<u32>,
    status: Option<String>,
    reply: Option<String>,
    remote: Option<String>,
    attempts: Option<u32>,
    text: Option<String>,
}

/// An event as a receiver gets it; fields that do not apply are left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Notice {
    /// One higher than that of the event before.
    pub number: u64,
    /// What.
    pub event: EventName,
    /// Seconds since 1970.
    pub at: i64,
    /// The message's queue id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_id: Option<String>,
    /// Its reverse-path; empty for `<>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Where it was to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The number of the account that sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<u32>,
    /// Enhanced status code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What the next server said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// Attempts so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl HappenedRecord {
    fn new(from: &Happened) -> HappenedRecord {
        HappenedRecord {
            name: from.name,
            at: from.at.0,
            queue_id: from.queue_id.map(|id| id.0),
            sender: from.sender.clone(),
            recipient: from.recipient.clone(),
            account: from.account.map(|account| account.0),
            status: from.status.clone(),
            reply: from.reply.clone(),
            remote: from.remote.clone(),
            attempts: from.attempts,
            text: from.text.clone(),
        }
    }

    fn show(self, number: u64) -> Notice {
        Notice {
            number,
            event: self.name,
            at: self.at,
            queue_id: self.queue_id.map(|id| QueueId(id).to_string()),
            sender: self.sender,
            recipient: self.recipient,
            account: self.account,
            status: self.status,
            reply: self.reply,
            remote: self.remote,
            attempts: self.attempts,
            text: self.text,
        }
    }
}

/// Keeps an event inside the transaction in which it happens, if it is `wanted`.
///
/// # Errors
/// The engine's.
pub fn keep(tx: &mut dyn Tx, happened: &Happened, wanted: &BTreeSet<EventName>) -> Result<(), Error> {
    if !wanted.contains(&happened.name) {
        return Ok(());
    }
    let number = last(tx)? + 1;
    tx.put(&keys::LAST_EVENT, &number.to_be_bytes())?;
    if number > EVENTS_MAX {
        // There is at most this one too many.
        tx.delete(&keys::event(number - EVENTS_MAX))?;
    }
    tx.put(&keys::event(number), &encode(&HappenedRecord::new(happened)))
}

fn last(read: &dyn Read) -> Result<u64, Error> {
    let mut last = 0;
    read.get_with(&keys::LAST_EVENT, &mut |bytes| last = bytes.try_into().map_or(0, u64::from_be_bytes))?;
    Ok(last)
}

impl Queue {
    /// The oldest events that wait, at most `limit`.
    ///
    /// # Errors
    /// Reading failed.
    pub fn events(&self, limit: usize) -> Result<Vec<Notice>, Error> {
        let show = |key: &[u8], record: HappenedRecord| Some(record.show(keys::last_u64(key)));
        page(&*self.engine.snapshot()?, b'w', None, limit, "an event for the webhook", show)
    }

    /// Forgets the events up to that number (at most some thousands at a time are asked for): the webhook has them.
    pub fn forget_events(&self, until: u64) -> Pending<()> {
        self.engine.transact(&[AccountId(0)], move |tx| {
            let (first, last) = (keys::all(b'w'), keys::event(until));
            let mut old = Vec::new();
            let range = (Bound::Included(&first[..]), Bound::Included(&last[..]));
            tx.scan(range, Order::Ascending, &mut |key, _| {
                old.push(key.to_vec());
                ControlFlow::Continue(())
            })?;
            Ok(old.iter().try_for_each(|key| tx.delete(key))?)
        })
    }

    /// Keeps an event that belongs to no other change.
    pub fn keep_event(&self, happened: Happened, wanted: BTreeSet<EventName>) -> Pending<()> {
        self.engine.transact(&[AccountId(0)], move |tx| Ok(keep(tx, &happened, &wanted)?))
    }
}
