//! How much an account has waiting for a time of its own (FUTURERELEASE): RFC 4865 §6 (2) wants a quota of it for each
//! user, or anybody with an account could fill the disk with what is due in years.
//!
//! One counter for each account that has any, kept by the transactions that queue and end entries; `store check` recounts.

use crate::record::{EnvelopeRecord, decode, encode};
use crate::{Queue, keys};
use engine::{AccountId, Error, Read, Tx};
use serde::{Deserialize, Serialize};

/// Limits of what an account has waiting; 0: none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldLimits {
    /// Messages.
    pub messages: u64,
    /// Octets of them.
    pub bytes: u64,
}

impl Default for HoldLimits {
    fn default() -> Self {
        HoldLimits { messages: 500, bytes: 500 << 20 }
    }
}

/// What an account has waiting.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Debug)]
pub struct Holding {
    /// Messages.
    pub messages: u64,
    /// Octets of them.
    pub bytes: u64,
}

impl Holding {
    /// Whether one more of so many octets is within the limits.
    pub fn fits(&self, bytes: u64, limits: &HoldLimits) -> bool {
        let within = |limit: u64, sum: u64| limit == 0 || sum <= limit;
        within(limits.messages, self.messages + 1) && within(limits.bytes, self.bytes.saturating_add(bytes))
    }
}

/// The account whose quota an entry counts for, until it ends.
pub(crate) fn holder(envelope: &EnvelopeRecord) -> Option<AccountId> {
    let has_time = envelope.not_before.is_some_and(|at| at > envelope.received);
    // What this server keeps for a while itself (a report for a full mailbox) has a null reverse-path.
    envelope.account.filter(|_| has_time && !envelope.reverse_path.is_empty()).map(AccountId)
}

/// What an account has waiting, inside a transaction.
///
/// # Errors
/// The engine's.
pub fn holding_of(read: &dyn Read, account: AccountId) -> Result<Holding, Error> {
    let mut found = Ok(Holding::default());
    read.get_with(&keys::holding(account), &mut |bytes| found = decode("an account's held mail", bytes))?;
    found
}

/// Counts an entry that is queued.
pub(crate) fn begin(tx: &mut dyn Tx, envelope: &EnvelopeRecord) -> Result<(), Error> {
    let Some(account) = holder(envelope) else { return Ok(()) };
    let mut holding = holding_of(tx, account)?;
    holding.messages += 1;
    holding.bytes += envelope.size;
    tx.put(&keys::holding(account), &encode(&holding))
}

/// Counts an entry that goes.
pub(crate) fn end(tx: &mut dyn Tx, envelope: &EnvelopeRecord) -> Result<(), Error> {
    let Some(account) = holder(envelope) else { return Ok(()) };
    let mut holding = holding_of(tx, account)?;
    // What was queued before there was a counter is not in it.
    holding.messages = holding.messages.saturating_sub(1);
    holding.bytes = holding.bytes.saturating_sub(envelope.size);
    if holding.messages == 0 {
        return tx.delete(&keys::holding(account));
    }
    tx.put(&keys::holding(account), &encode(&holding))
}

impl Queue {
    /// What an account has waiting for a time of its own.
    ///
    /// # Errors
    /// Reading failed.
    pub fn holding(&self, account: AccountId) -> Result<Holding, Error> {
        holding_of(&*self.engine.snapshot()?, account)
    }
}
