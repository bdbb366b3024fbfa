//! \Seen of people who read another's mailbox: each has a set of UIDs of his own, in the owner's account.
//!
//! A set is kept in pieces of [`CHUNK`] UIDs, so that marking one message writes some bytes however large the mailbox is.
//! What was expunged may stay in it: UIDs are never used again. A change gives the messages a new modification sequence
//! and stands in the mailbox's change log, so that CONDSTORE, QRESYNC and IDLE are right for the one whose flag it is; to
//! others these messages seem touched, which RFC 7162 §3.1 allows.

use crate::keys;
use crate::read::corrupt;
use crate::{Error, Store};
use engine::{AccountId, Order, Read, Tx};
use model::{MailboxId, Uid, UidSet};
use std::ops::ControlFlow;

/// UIDs of one piece.
pub(crate) const CHUNK: u32 = 4096;

impl Store {
    /// What of `first..=last` that user has seen; may name messages that are not there any more.
    ///
    /// # Errors
    /// Reading failed, or a damaged record.
    pub fn seen_by(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        user: AccountId,
        first: Uid,
        last: Uid,
    ) -> Result<UidSet, Error> {
        load(&*self.engine.snapshot()?, account, mailbox, user, first, last)
    }
}

/// See [`Store::seen_by`].
pub(crate) fn load<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    mailbox: MailboxId,
    user: AccountId,
    first: Uid,
    last: Uid,
) -> Result<UidSet, Error> {
    let mut seen = UidSet::new();
    let mut damaged = false;
    let (start, end) = (
        keys::seen(account, mailbox, user, first.0 / CHUNK),
        keys::behind(keys::seen(account, mailbox, user, last.0 / CHUNK)),
    );
    from.scan(keys::between(&(start, end)), Order::Ascending, &mut |key, value| {
        let base = keys::last_u32(key).unwrap_or_default().saturating_mul(CHUNK);
        damaged |= keys::decode_seen(value, base, &mut seen).is_none();
        ControlFlow::Continue(())
    })?;
    if damaged { Err(corrupt(account, "seen state of mailbox", mailbox)) } else { Ok(seen) }
}

/// Adds and takes away; `add` and `remove` have nothing in common.
pub(crate) fn change(
    tx: &mut dyn Tx,
    account: AccountId,
    mailbox: MailboxId,
    user: AccountId,
    add: &UidSet,
    remove: &UidSet,
) -> Result<(), Error> {
    let changed = add.or(remove);
    let mut next = changed.first();
    while let Some(uid) = next {
        let chunk = uid.0 / CHUNK;
        let base = chunk * CHUNK;
        let mut span = UidSet::new();
        span.insert_range(Uid(base), Uid(base + (CHUNK - 1)));
        let seen = load(tx, account, mailbox, user, uid, uid)?;
        let seen = seen.or(&add.and(&span)).minus(&remove.and(&span));
        let key = keys::seen(account, mailbox, user, chunk);
        if seen.is_empty() {
            tx.delete(&key)?;
        } else {
            tx.put(&key, &keys::encode_seen(&seen, base))?;
        }
        next = base.checked_add(CHUNK).and_then(|behind| changed.iter_from(Uid(behind)).next());
    }
    Ok(())
}

/// All that user has seen is forgotten.
pub(crate) fn forget(
    tx: &mut dyn Tx,
    account: AccountId,
    mailbox: MailboxId,
    user: AccountId,
) -> Result<(), Error> {
    let range =
        (keys::seen(account, mailbox, user, 0), keys::behind(keys::seen(account, mailbox, user, u32::MAX)));
    let mut gone = Vec::new();
    tx.scan(keys::between(&range), Order::Ascending, &mut |key, _| {
        gone.push(key.to_vec());
        ControlFlow::Continue(())
    })?;
    gone.iter().try_for_each(|key| Ok(tx.delete(key)?))
}
