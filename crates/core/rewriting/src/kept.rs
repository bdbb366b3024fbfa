//! Addresses that are too long for SRS: kept in the store under a token.
//!
//! Keys begin with `00 00 00 00 'a'` (account 0, addresses).
//!
//! ```text
//! k token        version byte 1, day of the last use (days since 1970, i32), the address as UTF-8
//! ```

use crate::keys::Use;
use crate::{Keys, day};
use engine::{AccountId, Engine, Error, Order, Pending, Read, Tx};
use model::{EmailAddress, UnixTime};
use std::ops::{Bound, ControlFlow};

const PREFIX: [u8; 6] = [0, 0, 0, 0, b'a', b'k'];
const END: [u8; 6] = [0, 0, 0, 0, b'a', b'k' + 1];
const VERSION: u8 = 1;
/// Days that an address is kept after its last use; no bounce is taken that late.
const DAYS_KEPT: i64 = 30;
/// Entries removed in one transaction.
const BATCH: usize = 1000;

/// An address to be written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its name: the same for each use of the same address.
    pub token: [u8; 10],
    /// The address.
    pub original: EmailAddress,
}

impl Kept {
    pub(crate) fn new(keys: &Keys, original: &EmailAddress) -> Kept {
        let hash = keys.hash(Use::Srs, &[b"kept ", original.to_string().as_bytes()]);
        let token = *hash.first_chunk().expect("a hash has 32 bytes");
        Kept { token, original: original.clone() }
    }
}

fn key(token: &[u8; 10]) -> Vec<u8> {
    [&PREFIX[..], token].concat()
}

/// Writes an address down, or that it was used again, inside the transaction that uses it.
///
/// # Errors
/// The engine's.
pub fn remember(tx: &mut dyn Tx, kept: &Kept, now: UnixTime) -> Result<(), Error> {
    let key = key(&kept.token);
    let today = day(now) as i32;
    let mut last = None;
    tx.get_with(&key, &mut |value| last = last_used(value))?;
    if last.is_some_and(|last| last >= today) {
        return Ok(());
    }
    let mut value = vec![VERSION];
    value.extend_from_slice(&today.to_be_bytes());
    value.extend_from_slice(kept.original.to_string().as_bytes());
    tx.put(&key, &value)
}

/// The address under a token; None: there is none, or none any more.
///
/// # Errors
/// The engine's, and a damaged record.
pub fn original(read: &dyn Read, token: &[u8; 10]) -> Result<Option<EmailAddress>, Error> {
    let Some(value) = read.get(&key(token))? else { return Ok(None) };
    let address =
        value.get(5..).filter(|_| value[0] == VERSION).and_then(|text| std::str::from_utf8(text).ok());
    match address.map(EmailAddress::parse) {
        Some(Ok(address)) => Ok(Some(address)),
        _ => Err(Error::Corrupt { what: "an address kept for SRS".into(), why: "it is no address".into() }),
    }
}

/// Removes addresses that were not used for thirty days, some thousand at most; answers whether there may be more.
pub fn forget_older(engine: &dyn Engine, now: UnixTime) -> Pending<bool> {
    engine.transact(&[AccountId(0)], move |tx| {
        let mut old = Vec::new();
        let range = (Bound::Included(&PREFIX[..]), Bound::Excluded(&END[..]));
        tx.scan(range, Order::Ascending, &mut |key, value| {
            if last_used(value).is_none_or(|last| i64::from(last) + DAYS_KEPT < day(now)) {
                old.push(key.to_vec());
            }
            if old.len() < BATCH { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        old.iter().try_for_each(|key| tx.delete(key))?;
        Ok(old.len() == BATCH)
    })
}

fn last_used(value: &[u8]) -> Option<i32> {
    let (version, rest) = value.split_first()?;
    (*version == VERSION).then(|| rest.first_chunk().map(|day| i32::from_be_bytes(*day)))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::MemoryEngine;

    const DAY: i64 = 86_400;

    #[test]
    fn what_is_kept_is_found_until_it_is_old() {
        let engine: &dyn Engine = &MemoryEngine::default();
        let sender = EmailAddress::parse("почта@пример.рф").unwrap();
        let kept = Kept::new(&Keys::new(&[1; 32]), &sender);
        let now = UnixTime(1_795_262_400);
        let write = |now| {
            let kept = kept.clone();
            engine.transact(&[AccountId(0)], move |tx| Ok(remember(tx, &kept, now)?)).wait().unwrap();
        };
        let find = |token| original(&*engine.snapshot().unwrap(), &token).unwrap();
        write(now);
        assert_eq!(find(kept.token), Some(sender.clone()));
        assert_eq!(find([0; 10]), None);
        let later = |days| UnixTime(now.0 + days * DAY);
        assert!(!forget_older(engine, later(30)).wait().unwrap());
        assert_eq!(find(kept.token), Some(sender));
        write(later(5));
        forget_older(engine, later(31)).wait().unwrap();
        assert!(find(kept.token).is_some(), "it was used again");
        forget_older(engine, later(36)).wait().unwrap();
        assert_eq!(find(kept.token), None);
    }
}
