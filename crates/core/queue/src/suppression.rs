//! Addresses that nothing is sent to any more, because mail to them came back again and again: who goes on sending to
//! them is soon taken for a spammer by their servers.
//!
//! Only replies that speak of the address itself count (RFC 3463 X.1.1, X.1.3, X.1.6, X.1.10, X.2.1); one delivery clears
//! it. An address stays on the list for a while, so that a mailbox that was made anew is found again.

use crate::operate::Attempt;
use crate::record::{decode, encode, page};
use crate::{Queue, keys};
use engine::{AccountId, Error, Order, Pending, Read, Tx};
use model::{EmailAddress, UnixTime};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Bound, ControlFlow};

/// When an address is suppressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// After so many hard bounces without a delivery between them. 0: never.
    pub bounces: u32,
    /// For so long after the last of them.
    pub seconds: i64,
}

impl Default for Rule {
    fn default() -> Self {
        Rule { bounces: 3, seconds: 30 * 86_400 }
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct SuppressionRecord {
    /// Hard bounces.
    bounces: u32,
    /// The last one, or why an operator put it there.
    reason: String,
    first: i64,
    last: i64,
    /// Whether it is suppressed now, and not only watched.
    suppressed: bool,
    /// When it is forgotten; None: never.
    until: Option<i64>,
}

/// An address that mail came back from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Suppression {
    /// In small letters.
    pub address: String,
    /// Whether nothing is sent to it. (Else too few came back yet.)
    pub suppressed: bool,
    /// Hard bounces since the last delivery.
    pub bounces: u32,
    /// What the server of the address said last, or an operator.
    pub reason: String,
    /// Since when; seconds since 1970.
    pub first: i64,
    /// Of the last bounce; seconds since 1970.
    pub last: i64,
    /// When it is forgotten; seconds since 1970. None: never.
    pub until: Option<i64>,
}

impl fmt::Display for Suppression {
    /// Why nothing is sent there, as a sentence for senders.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Suppression { address, reason, bounces, .. } = self;
        if *bounces == 0 {
            write!(f, "Nothing is sent to <{address}> from here")?;
            return if reason.is_empty() { Ok(()) } else { write!(f, ": {reason}") };
        }
        write!(
            f,
            "Mail to <{address}> came back {bounces} times and is not sent any more; the last answer was: {reason}"
        )
    }
}

/// Whether a status says that the address is wrong, and not the message, the sender or the way there.
pub fn is_hard(status: &str) -> bool {
    matches!(status, "5.1.1" | "5.1.3" | "5.1.6" | "5.1.10" | "5.2.1")
}

/// The same mailbox in any spelling that people use: local parts in small letters (RFC 5321 §2.4 lets hosts tell cases
/// apart; none is known that gives the other case to another person).
fn key_of(address: &EmailAddress) -> Vec<u8> {
    keys::suppression(&address.to_string().to_lowercase())
}

/// Counts what an attempt says of the address itself.
pub(crate) fn learn(
    tx: &mut dyn Tx,
    address: &EmailAddress,
    outcome: Attempt,
    status: &str,
    reply: &str,
    rule: Rule,
    now: UnixTime,
) -> Result<(), Error> {
    if rule.bounces == 0 {
        return Ok(());
    }
    let key = key_of(address);
    let known = load(tx, &key)?;
    match outcome {
        Attempt::Delivered => match known {
            Some(record) if !record.suppressed || record.until.is_some() => tx.delete(&key),
            _ => Ok(()),
        },
        Attempt::Failed if is_hard(status) => {
            let fresh = SuppressionRecord {
                bounces: 0,
                reason: String::new(),
                first: now.0,
                last: now.0,
                suppressed: false,
                until: None,
            };
            let mut record = known.filter(|record| !record.is_over(now)).unwrap_or(fresh);
            if record.suppressed && record.until.is_none() {
                return Ok(());
            }
            record.bounces = record.bounces.saturating_add(1);
            reply[..reply.floor_char_boundary(REASON_BYTES_MAX)].clone_into(&mut record.reason);
            record.last = now.0;
            record.suppressed = record.bounces >= rule.bounces;
            record.until = Some(now.0.saturating_add(rule.seconds));
            tx.put(&key, &encode(&record))
        }
        _ => Ok(()),
    }
}

/// Longest reason kept, in bytes.
const REASON_BYTES_MAX: usize = 500;

impl SuppressionRecord {
    fn is_over(&self, now: UnixTime) -> bool {
        self.until.is_some_and(|until| until <= now.0)
    }

    fn show(self, address: String) -> Suppression {
        Suppression {
            address,
            suppressed: self.suppressed,
            bounces: self.bounces,
            reason: self.reason,
            first: self.first,
            last: self.last,
            until: self.until,
        }
    }
}

fn load<R: Read + ?Sized>(read: &R, key: &[u8]) -> Result<Option<SuppressionRecord>, Error> {
    let mut found = None;
    read.get_with(key, &mut |bytes| found = Some(decode("a suppressed address", bytes)))?;
    found.transpose()
}

impl Queue {
    /// Why nothing is sent to the address now. None: it may be sent to.
    ///
    /// # Errors
    /// Reading failed.
    pub fn suppressed(&self, address: &EmailAddress, now: UnixTime) -> Result<Option<Suppression>, Error> {
        Ok(self.suppressed_among([address], now)?.pop().flatten())
    }

    /// The same of several addresses, in their order.
    ///
    /// # Errors
    /// Reading failed.
    pub fn suppressed_among<'a>(
        &self,
        addresses: impl IntoIterator<Item = &'a EmailAddress>,
        now: UnixTime,
    ) -> Result<Vec<Option<Suppression>>, Error> {
        let snapshot = self.engine.snapshot()?;
        let one = |address: &EmailAddress| {
            let record = load(&*snapshot, &key_of(address))?;
            let name = || address.to_string().to_lowercase();
            let holds = record.filter(|record| record.suppressed && !record.is_over(now));
            Ok(holds.map(|record| record.show(name())))
        };
        addresses.into_iter().map(one).collect()
    }

    /// A page of addresses in order, beginning behind `after`; also those that are only watched.
    ///
    /// # Errors
    /// Reading failed.
    pub fn suppressions(
        &self,
        after: Option<&str>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<Suppression>, Error> {
        let (snapshot, after) = (self.engine.snapshot()?, after.map(keys::suppression));
        let prefix = keys::all(b's').len();
        let show = |key: &[u8], record: SuppressionRecord| {
            let name = || String::from_utf8_lossy(&key[prefix..]).into_owned();
            (!record.is_over(now)).then(|| record.show(name()))
        };
        page(&*snapshot, b's', after.as_deref(), limit, "a suppressed address", show)
    }

    /// Sends nothing to the address any more, until [`Queue::unsuppress`] (or `until`).
    pub fn suppress(
        &self,
        address: &EmailAddress,
        reason: &str,
        until: Option<UnixTime>,
        now: UnixTime,
    ) -> Pending<()> {
        let key = key_of(address);
        let record = SuppressionRecord {
            bounces: 0,
            reason: reason[..reason.floor_char_boundary(REASON_BYTES_MAX)].to_owned(),
            first: now.0,
            last: now.0,
            suppressed: true,
            until: until.map(|until| until.0),
        };
        self.engine.transact(&[AccountId(0)], move |tx| Ok(tx.put(&key, &encode(&record))?))
    }

    /// Forgets what is known against the address; answers whether anything was.
    pub fn unsuppress(&self, address: &EmailAddress) -> Pending<bool> {
        let key = key_of(address);
        self.engine.transact(&[AccountId(0)], move |tx| {
            let known = tx.get(&key)?.is_some();
            tx.delete(&key)?;
            Ok(known)
        })
    }

    /// Forgets addresses whose time is over, some at a time; answers whether there may be more.
    pub fn forget_suppressions(&self, now: UnixTime) -> Pending<bool> {
        const AT_ONCE: usize = 1000;
        self.engine.transact(&[AccountId(0)], move |tx| {
            let (first, end) = (keys::all(b's'), keys::all(b's' + 1));
            let range = (Bound::Included(&first[..]), Bound::Excluded(&end[..]));
            let mut over = Vec::new();
            tx.scan(range, Order::Ascending, &mut |key, value| {
                let record = decode::<SuppressionRecord>("a suppressed address", value);
                if record.is_ok_and(|record| record.is_over(now)) {
                    over.push(key.to_vec());
                }
                if over.len() < AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            over.iter().try_for_each(|key| tx.delete(key))?;
            Ok(over.len() == AT_ONCE)
        })
    }
}

#[cfg(test)]
mod tests;
