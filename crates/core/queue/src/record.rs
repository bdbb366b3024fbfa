//! Values, and reading them from a snapshot or a transaction alike.

use crate::entry::{Body, ByMode, DeliverBy, Entry, Event, EventKind, NewEntry, NewRecipient, Notify, Orcpt};
use crate::entry::{QueueId, Recipient, RecipientState, Ret, TlsWish};
use crate::keys;
use crate::operate::Totals;
use engine::{AccountId, ContentId, Error, Order, Read, Tx};
use model::{EmailAddress, ReversePath, UnixTime};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::ops::{Bound, ControlFlow};

/// Version of all values written today. Version 1 lacks the fields that a record's comment names.
const VERSION: u8 = 2;
/// What the fields that version 1 lacks are read as: zeros are 0, false, None and an enum's first.
const LACKING: [u8; 4] = [0; 4];
/// Version of the counters.
const COUNTERS_VERSION: u8 = 3;
/// Lines of history kept of one entry.
pub(crate) const HISTORY_MAX: u32 = 1000;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct EnvelopeRecord {
    pub content: u64,
    /// Empty for `<>`.
    pub reverse_path: String,
    pub recipients: u32,
    pub ret: Option<Ret>,
    pub envid: Option<String>,
    pub smtputf8: bool,
    pub body: Body,
    pub account: Option<u32>,
    pub received: i64,
    pub size: u64,
    pub expires: i64,
    // Since version 2.
    pub priority: i8,
    pub not_before: Option<i64>,
    pub deliver_by: Option<DeliverBy>,
    pub tls: TlsWish,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct RecipientRecord {
    pub address: String,
    pub state: RecipientState,
    pub attempts: u32,
    pub next_attempt: i64,
    pub last_reply: Option<String>,
    /// Bits: 1 given at all, 2 SUCCESS, 4 FAILURE, 8 DELAY; 1 alone is NEVER.
    pub notify: u8,
    pub orcpt: Option<Orcpt>,
    // Since version 2.
    pub warned: bool,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct EventRecord {
    pub at: i64,
    pub kind: EventKind,
    pub recipient: Option<u32>,
    pub text: String,
}

pub(crate) fn encode(record: &impl Serialize) -> Vec<u8> {
    // Writing to memory fails for no record we have: they hold no maps or sequences of unknown length.
    postcard::to_extend(record, vec![VERSION]).expect("a record can be encoded")
}

pub(crate) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Error> {
    let corrupt = |why: String| Error::Corrupt { what: what.to_owned(), why };
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|error| corrupt(error.to_string())),
        Some((1, rest)) => {
            let rest = [rest, &LACKING].concat();
            postcard::from_bytes(&rest).map_err(|error| corrupt(error.to_string()))
        }
        Some((&version, _)) if version > VERSION => {
            Err(Error::NewerFormat { found: version.into(), supported: VERSION.into() })
        }
        _ => Err(corrupt("no version byte".to_owned())),
    }
}

pub(crate) fn decode_envelope(bytes: &[u8]) -> Result<EnvelopeRecord, Error> {
    decode("a queued envelope", bytes)
}

pub(crate) fn decode_recipient(bytes: &[u8]) -> Result<RecipientRecord, Error> {
    decode("a queued recipient", bytes)
}

pub(crate) fn envelope(read: &dyn Read, id: QueueId) -> Result<Option<EnvelopeRecord>, Error> {
    let mut outcome = None;
    read.get_with(&keys::entry(id), &mut |bytes| outcome = Some(decode_envelope(bytes)))?;
    outcome.transpose()
}

pub(crate) fn recipient(read: &dyn Read, id: QueueId, index: u32) -> Result<Option<RecipientRecord>, Error> {
    let mut outcome = None;
    let key = keys::part(b'r', id, index);
    read.get_with(&key, &mut |bytes| outcome = Some(decode_recipient(bytes)))?;
    outcome.transpose()
}

pub(crate) fn recipients(read: &dyn Read, id: QueueId) -> Result<Vec<(u32, RecipientRecord)>, Error> {
    parts(read, b'r', id, "a queued recipient")
}

pub(crate) fn events(read: &dyn Read, id: QueueId) -> Result<Vec<(u32, EventRecord)>, Error> {
    parts(read, b'h', id, "a queued message's history")
}

fn parts<T: DeserializeOwned>(
    read: &dyn Read,
    letter: u8,
    id: QueueId,
    what: &str,
) -> Result<Vec<(u32, T)>, Error> {
    let (first, last) = (keys::part(letter, id, 0), keys::part(letter, id, u32::MAX));
    let range = (Bound::Included(&first[..]), Bound::Included(&last[..]));
    records(read, range, usize::MAX, what, |key, record| Some((keys::last_u32(key), record)))
}

/// A page of the records of a letter, beginning behind `after`, as `show` makes them of key and record; those of which it
/// makes None are left out.
pub(crate) fn page<T: DeserializeOwned, U>(
    read: &dyn Read,
    letter: u8,
    after: Option<&[u8]>,
    limit: usize,
    what: &str,
    show: impl FnMut(&[u8], T) -> Option<U>,
) -> Result<Vec<U>, Error> {
    let (first, end) = (keys::all(letter), keys::all(letter + 1));
    let from = after.map_or(Bound::Included(&first[..]), Bound::Excluded);
    records(read, (from, Bound::Excluded(&end[..])), limit, what, show)
}

/// At most `limit` of the records between two keys; see [`page`].
fn records<T: DeserializeOwned, U>(
    read: &dyn Read,
    range: (Bound<&[u8]>, Bound<&[u8]>),
    limit: usize,
    what: &str,
    mut show: impl FnMut(&[u8], T) -> Option<U>,
) -> Result<Vec<U>, Error> {
    let (mut found, mut outcome) = (Vec::new(), Ok(()));
    read.scan(range, Order::Ascending, &mut |key, value| {
        if found.len() >= limit {
            return ControlFlow::Break(());
        }
        match decode(what, value) {
            Ok(record) => found.extend(show(key, record)),
            Err(error) => {
                outcome = Err(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    outcome.map(|()| found)
}

/// Numbers that change with every message, in one value.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Counters {
    pub last_id: u64,
    pub totals: Totals,
}

pub(crate) fn counters(read: &dyn Read) -> Result<Counters, Error> {
    let mut counters = Ok((Counters::default(), COUNTERS_VERSION));
    read.get_with(&keys::TOTALS, &mut |bytes| counters = decode_counters(bytes))?;
    let (mut counters, version) = counters?;
    if version < COUNTERS_VERSION {
        let last = &mut counters.last_id;
        read.get_with(&keys::LAST_ID, &mut |bytes| *last = bytes.try_into().map_or(0, u64::from_be_bytes))?;
    }
    Ok(counters)
}

/// With the version that they were written in.
fn decode_counters(bytes: &[u8]) -> Result<(Counters, u8), Error> {
    let numbers = bytes.get(1..).unwrap_or_default().as_chunks::<8>().0;
    let number = |at: usize| u64::from_be_bytes(numbers[at]);
    let totals = |at| Totals {
        entries: number(at),
        bytes: number(at + 1),
        queued: number(at + 2),
        held: number(at + 3),
    };
    match (bytes.first(), bytes.len()) {
        (Some(&version @ 1..COUNTERS_VERSION), 33) => {
            Ok((Counters { last_id: 0, totals: totals(0) }, version))
        }
        (Some(&COUNTERS_VERSION), 41) => {
            Ok((Counters { last_id: number(0), totals: totals(1) }, COUNTERS_VERSION))
        }
        (Some(&version), _) if version > COUNTERS_VERSION => {
            Err(Error::NewerFormat { found: version.into(), supported: COUNTERS_VERSION.into() })
        }
        _ => {
            let what = "the queue's counters".to_owned();
            Err(Error::Corrupt { what, why: "another version or length".to_owned() })
        }
    }
}

pub(crate) fn put_counters(tx: &mut dyn Tx, counters: Counters) -> Result<(), Error> {
    let Counters { last_id, totals } = counters;
    let mut value = vec![COUNTERS_VERSION];
    for number in [last_id, totals.entries, totals.bytes, totals.queued, totals.held] {
        value.extend_from_slice(&number.to_be_bytes());
    }
    tx.put(&keys::TOTALS, &value)
}

/// How many recipients are not at their end; counted where that is not noted.
pub(crate) fn open_recipients(read: &dyn Read, id: QueueId) -> Result<u32, Error> {
    let mut noted = None;
    read.get_with(&keys::open(id), &mut |bytes| noted = bytes.try_into().map(u32::from_be_bytes).ok())?;
    match noted {
        Some(open) => Ok(open),
        None => Ok(recipients(read, id)?.iter().filter(|(_, recipient)| recipient.is_open()).count() as u32),
    }
}

/// Adds a line to the history; of a long one the oldest lines go.
pub(crate) fn note(tx: &mut dyn Tx, id: QueueId, event: &EventRecord) -> Result<(), Error> {
    let (first, last) = (keys::part(b'h', id, 0), keys::part(b'h', id, u32::MAX));
    let mut number = 0;
    let range = (Bound::Included(&first[..]), Bound::Included(&last[..]));
    tx.scan(range, Order::Descending, &mut |key, _| {
        number = keys::last_u32(key) + 1;
        ControlFlow::Break(())
    })?;
    if number >= HISTORY_MAX {
        tx.delete(&keys::part(b'h', id, number - HISTORY_MAX))?;
    }
    tx.put(&keys::part(b'h', id, number), &encode(event))
}

impl EnvelopeRecord {
    pub(crate) fn new(content: ContentId, new: &NewEntry) -> EnvelopeRecord {
        EnvelopeRecord {
            content: content.0,
            reverse_path: new.reverse_path.to_string(),
            recipients: new.recipients.len() as u32,
            ret: new.ret,
            envid: new.envid.clone(),
            smtputf8: new.smtputf8,
            body: new.body,
            account: new.account.map(|id| id.0),
            received: new.received.0,
            size: new.size,
            expires: new.expires.0,
            priority: new.wishes.priority,
            not_before: new.wishes.not_before.map(|at| at.0),
            deliver_by: new.wishes.deliver_by,
            tls: new.wishes.tls,
        }
    }

    /// When it is given up: by the server's time or, if that is sooner, the sender's (RFC 2852 §4, by-mode R).
    pub(crate) fn ends(&self) -> UnixTime {
        let asked = self.deliver_by.filter(|by| by.mode == ByMode::Return).map(|by| by.at);
        asked.map_or(UnixTime(self.expires), |at| at.min(UnixTime(self.expires)))
    }

    pub(crate) fn show(self, id: QueueId, recipients: Vec<(u32, RecipientRecord)>) -> Result<Entry, Error> {
        let reverse_path = match self.reverse_path.as_str() {
            "" => ReversePath::Null,
            address => ReversePath::Mailbox(stored_address(address)?),
        };
        let recipients =
            recipients.into_iter().map(|(index, record)| record.show(index)).collect::<Result<_, _>>()?;
        Ok(Entry {
            id,
            content: ContentId(self.content),
            reverse_path,
            ret: self.ret,
            envid: self.envid,
            smtputf8: self.smtputf8,
            body: self.body,
            account: self.account.map(AccountId),
            received: UnixTime(self.received),
            size: self.size,
            expires: UnixTime(self.expires),
            priority: self.priority,
            not_before: self.not_before.map(UnixTime),
            deliver_by: self.deliver_by,
            tls: self.tls,
            recipients,
        })
    }
}

impl RecipientRecord {
    pub(crate) fn new(new: &NewRecipient, state: RecipientState, next_attempt: UnixTime) -> RecipientRecord {
        let notify = match new.notify {
            Notify::Default => 0,
            Notify::Never => 1,
            Notify::On { success, failure, delay } => {
                1 | u8::from(success) << 1 | u8::from(failure) << 2 | u8::from(delay) << 3
            }
        };
        RecipientRecord {
            address: new.address.to_string(),
            state,
            attempts: 0,
            next_attempt: next_attempt.0,
            last_reply: None,
            notify,
            orcpt: new.orcpt.clone(),
            warned: false,
        }
    }

    pub(crate) fn notify(&self) -> Notify {
        match self.notify {
            0 => Notify::Default,
            1 => Notify::Never,
            bits => Notify::On { success: bits & 2 != 0, failure: bits & 4 != 0, delay: bits & 8 != 0 },
        }
    }

    pub(crate) fn show(self, index: u32) -> Result<Recipient, Error> {
        let notify = self.notify();
        Ok(Recipient {
            index,
            address: stored_address(&self.address)?,
            state: self.state,
            attempts: self.attempts,
            next_attempt: UnixTime(self.next_attempt),
            last_reply: self.last_reply,
            notify,
            orcpt: self.orcpt,
            warned: self.warned,
        })
    }

    /// Whether it is not at its end.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, RecipientState::Queued | RecipientState::Held)
    }

    /// Its domain.
    pub(crate) fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl EventRecord {
    pub(crate) fn show(self) -> Event {
        Event { at: UnixTime(self.at), kind: self.kind, recipient: self.recipient, text: self.text }
    }
}

/// An address that we wrote ourselves.
fn stored_address(text: &str) -> Result<EmailAddress, Error> {
    EmailAddress::parse(text).map_err(|error| Error::Corrupt {
        what: format!("the queued address {text:?}"),
        why: error.to_string(),
    })
}
