//! Reading single records, and rows of a mailbox in order; shared by snapshots and transactions.

use crate::keys::{self, AccountValue, MailboxValue, RowValue};
use crate::{Error, Target};
use engine::{AccountId, Order, Read};
use model::{Keyword, MailboxId, Uid, UidSet};
use std::fmt::Display;
use std::ops::ControlFlow;

/// A record that can't be decoded, named for the operator.
pub(crate) fn corrupt(account: AccountId, what: &str, id: impl Display) -> Error {
    Error::Engine(engine::Error::Corrupt {
        what: format!("{what} {id} of account {}", account.0),
        why: "the record has another format".into(),
    })
}

/// Decodes the value of a key, if there is one.
pub(crate) fn value<T, R: Read + ?Sized>(
    from: &R,
    key: &[u8],
    decode: impl Fn(&[u8]) -> Option<T>,
    damaged: impl FnOnce() -> Error,
) -> Result<Option<T>, Error> {
    let mut found = None;
    if !from.get_with(key, &mut |value| found = decode(value))? {
        return Ok(None);
    }
    found.map(Some).ok_or_else(damaged)
}

pub(crate) fn account<R: Read + ?Sized>(from: &R, id: AccountId) -> Result<AccountValue, Error> {
    value(from, &keys::account(id), AccountValue::decode, || corrupt(id, "record", "q"))?
        .ok_or(Error::NoAccount)
}

pub(crate) fn mailbox<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    id: MailboxId,
) -> Result<MailboxValue, Error> {
    let damaged = || corrupt(account, "mailbox", id);
    value(from, &keys::mailbox(account, id), MailboxValue::decode, damaged)?.ok_or(Error::NoMailbox)
}

pub(crate) fn named<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    name: &str,
) -> Result<Option<MailboxId>, Error> {
    let damaged = || corrupt(account, "mailbox name", name);
    Ok(value(from, &keys::name(account, name), keys::decode_u32, damaged)?.map(MailboxId))
}

/// The mailbox that a target names.
pub(crate) fn resolve<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    target: &Target,
) -> Result<MailboxId, Error> {
    match target {
        Target::Inbox => Ok(keys::INBOX),
        Target::Id(id) => Ok(*id),
        Target::Name(name) => named(from, account, &crate::mailbox::canonical(name))?.ok_or(Error::NoMailbox),
        Target::Use(special_use) => {
            let mut found = None;
            let range = keys::tag_range(account, b'u');
            from.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
                let hit =
                    MailboxValue::decode(value).is_some_and(|value| value.special_use == Some(*special_use));
                if hit {
                    found = keys::last_u32(key).map(MailboxId);
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            })?;
            found.ok_or(Error::NoMailbox)
        }
    }
}

pub(crate) fn keywords<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    id: MailboxId,
    mailbox: &MailboxValue,
) -> Result<Vec<Keyword>, Error> {
    if mailbox.keywords == 0 {
        return Ok(Vec::new());
    }
    let damaged = || corrupt(account, "keywords of mailbox", id);
    value(from, &keys::keywords(account, id), keys::decode_keywords, damaged)?.ok_or_else(damaged)
}

/// Rows skipped in a scan rather than jumped over: a jump costs about as much as that many steps.
const GAP_MAX: u32 = 16;

/// Visits the rows of `wanted` (ascending) that are there, in order, with few scans where they are dense.
pub(crate) fn rows<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    mailbox: MailboxId,
    wanted: &[Uid],
    visit: &mut dyn FnMut(Uid, &[u8]) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut rest = wanted;
    let mut stopped = false;
    while let Some(first) = rest.first() {
        let near = rest.windows(2).take_while(|pair| pair[1].0 - pair[0].0 <= GAP_MAX).count() + 1;
        let (span, behind) = rest.split_at(near);
        rest = behind;
        if let [only] = span {
            from.get_with(&keys::row(account, mailbox, *only), &mut |value| {
                stopped = visit(*only, value).is_break();
            })?;
        } else {
            let range = (keys::row(account, mailbox, *first), keys::row(account, mailbox, span[near - 1]));
            let mut wanted = span.iter().copied().peekable();
            let bounds = (std::ops::Bound::Included(&*range.0), std::ops::Bound::Included(&*range.1));
            from.scan(bounds, Order::Ascending, &mut |key, value| {
                let Some(uid) = keys::last_u32(key).map(Uid) else { return ControlFlow::Continue(()) };
                while wanted.next_if(|next| *next < uid).is_some() {}
                if wanted.next_if_eq(&uid).is_none() {
                    return ControlFlow::Continue(());
                }
                stopped = visit(uid, value).is_break();
                if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        if stopped {
            break;
        }
    }
    Ok(())
}

/// Rows of `wanted` that are there, decoded; the others are `missing`.
pub(crate) fn decoded_rows<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    mailbox: MailboxId,
    wanted: &UidSet,
) -> Result<(Vec<(Uid, RowValue)>, UidSet), Error> {
    let wanted: Vec<Uid> = wanted.iter().collect();
    let mut found = Vec::new();
    let mut damaged = None;
    rows(from, account, mailbox, &wanted, &mut |uid, value| match RowValue::decode(value) {
        Some(row) => {
            found.push((uid, row));
            ControlFlow::Continue(())
        }
        None => {
            damaged = Some(uid);
            ControlFlow::Break(())
        }
    })?;
    if let Some(uid) = damaged {
        return Err(corrupt(account, &format!("row of mailbox {mailbox}, message"), uid));
    }
    let there: UidSet = found.iter().map(|(uid, _)| *uid).collect();
    let wanted: UidSet = wanted.into_iter().collect();
    Ok((found, wanted.minus(&there)))
}
