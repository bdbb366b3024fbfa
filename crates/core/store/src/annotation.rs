//! Annotations of messages (RFC 5257): values by name, shared by all who read a mailbox or private to one user.
//!
//! Invariants: what is shared, and what is the owner's own, counts towards the account's octets; what is private to
//! somebody else does not, and everything is bounded for each message and user ([`ANNOTATIONS_MAX`],
//! [`ANNOTATION_BYTES_MAX`]). Annotations go with their message's row and come along with a copy as far as RFC 5257 §4.6
//! lets them. A removed value leaves a record behind, so that sessions learn of it. Without a totals record a mailbox has
//! no annotations: then nothing is looked for.

use crate::flags::Behalf;
use crate::keys::{self, AnnotationTotals, AnnotationValue};
use crate::ledger::Ledger;
use crate::read::{self, corrupt};
use crate::search::Needle;
use crate::{Error, Known, Limit, SERVER, Store, Stored, Written};
use engine::{AccountId, Order, Read, Tx};
use model::{
    AnnotationChange, AnnotationKey, AnnotationQuery, AnnotationScope, Collation, MailboxId, ModSeq, Right,
    Rights, Uid, UidSet, is_annotation_entry,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Most octets of a value (RFC 5257 §4.1 wants 1024 at least).
pub const ANNOTATION_BYTES_MAX: usize = 16 * 1024;

/// Most values of a message that are shared, and as many that are private to one user (RFC 5257 §4.1 wants 10 at least).
pub const ANNOTATIONS_MAX: usize = 32;

/// Most octets of an entry's name.
pub const ANNOTATION_NAME_BYTES_MAX: usize = 256;

/// A value, or that it was removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annotation {
    /// Name of the entry.
    pub entry: String,
    /// Whose.
    pub scope: AnnotationScope,
    /// When it changed.
    pub modseq: ModSeq,
    /// None: it was removed.
    pub value: Option<Vec<u8>>,
}

/// A value that a new message comes with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAnnotation {
    /// Whose; 0: it is shared.
    pub user: AccountId,
    /// Name of the entry.
    pub entry: String,
    /// Octets.
    pub value: Vec<u8>,
}

/// A page of [`Store::annotations`]: annotations by message, and where the next page begins.
pub type AnnotationPage = (Vec<(Uid, Vec<Annotation>)>, Option<Uid>);

/// Octets that a value counts for in the account where it is kept.
pub(crate) fn counted(keeper: AccountId, user: AccountId, entry: &str, value: Option<&[u8]>) -> u64 {
    match value {
        Some(value) if user == keeper || user == SERVER => (entry.len() + value.len()) as u64,
        _ => 0,
    }
}

/// Under whose name a value is kept.
fn keeper_of(scope: AnnotationScope, user: AccountId) -> AccountId {
    match scope {
        AnnotationScope::Private => user,
        AnnotationScope::Shared => SERVER,
    }
}

fn scope_of(user: AccountId) -> AnnotationScope {
    if user == SERVER { AnnotationScope::Shared } else { AnnotationScope::Private }
}

/// What one user may do with annotations of a mailbox (RFC 5257 §3.4).
pub fn may_annotate(rights: Rights, scope: AnnotationScope) -> bool {
    rights.has(match scope {
        AnnotationScope::Private => Right::Read,
        AnnotationScope::Shared => Right::Annotate,
    })
}

impl Store {
    /// Sets and removes annotations of messages for `user`, all in one commit; who calls this has looked up his rights
    /// ([`may_annotate`]). `unchanged_since` and `known` as in [`store_flags`](Self::store_flags).
    ///
    /// # Errors
    /// [`Error::NoMailbox`], [`Error::OverQuota`]; [`Error::Limit`] with [`Limit::AnnotationSize`] or
    /// [`Limit::Annotations`].
    #[expect(clippy::too_many_arguments, reason = "a STORE has all of these")]
    pub fn annotate(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: Arc<UidSet>,
        user: AccountId,
        changes: Vec<AnnotationChange>,
        unchanged_since: Option<ModSeq>,
        known: impl Into<Known>,
    ) -> Written<Stored> {
        let known = known.into();
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let slot = ledger.open(tx, mailbox)?;
            let (rows, missing) = read::decoded_rows(tx, account, mailbox, &uids)?;
            let mut stored = Stored::begin(ledger.at(slot).value.highest_modseq, missing);
            let mut writing = Writing::open(tx, account, mailbox)?;
            let mut value = Vec::with_capacity(64);
            for (uid, mut row) in rows {
                if !stored.admits(uid, row.modseq, &known, unchanged_since) {
                    continue;
                }
                let mut changed = false;
                for change in &changes {
                    let keeper = keeper_of(change.scope, user);
                    changed |= writing.put(
                        tx,
                        &mut ledger,
                        (uid, keeper),
                        &change.entry,
                        change.value.as_deref(),
                    )?;
                }
                if !changed {
                    continue;
                }
                ledger.check_quota()?;
                row.modseq = ledger.stamp();
                ledger.reflag(slot, uid, row.flags, row.flags);
                row.encode(&mut value);
                tx.put(&keys::row(account, mailbox, uid), &value)?;
                stored.changed.push(uid);
            }
            writing.close(tx)?;
            if !stored.changed.is_empty() {
                stored.modseq = ledger.stamp();
            }
            ledger.finish(tx, touched)?;
            Ok(stored)
        })
    }

    /// Annotations of messages as `user` sees them, in ascending order of UID from `from` on, and where the next page
    /// begins when values have come to `bytes_max` octets (after one message at least). Messages without any are left
    /// out; removed values are among them.
    ///
    /// # Errors
    /// Reading failed, or a damaged record.
    pub fn annotations(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        user: AccountId,
        (first, last): (Uid, Uid),
        bytes_max: usize,
    ) -> Result<AnnotationPage, Error> {
        let mut page: Vec<(Uid, Vec<Annotation>)> = Vec::new();
        let (mut bytes, mut next) = (0, None);
        let snapshot = self.engine.snapshot()?;
        visit(&*snapshot, account, mailbox, (first, last), &mut |uid, whose, entry, value| {
            if whose != user && whose != SERVER {
                return ControlFlow::Continue(());
            }
            let size = entry.len() + value.value.as_ref().map_or(0, Vec::len);
            let annotation = Annotation {
                entry: entry.to_owned(),
                scope: scope_of(whose),
                modseq: value.modseq,
                value: value.value,
            };
            match page.last_mut() {
                Some((last, list)) if *last == uid => list.push(annotation),
                Some(_) if bytes >= bytes_max => {
                    next = Some(uid);
                    return ControlFlow::Break(());
                }
                _ => page.push((uid, vec![annotation])),
            }
            bytes += size;
            ControlFlow::Continue(())
        })?;
        Ok((page, next))
    }

    /// Messages with an annotation that `user` may see and in which that text is, by `collation` (RFC 5257 §4.8).
    ///
    /// # Errors
    /// Reading failed, or a damaged record.
    pub fn annotated(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        user: AccountId,
        query: &AnnotationQuery,
        collation: Collation,
    ) -> Result<UidSet, Error> {
        let needle = Needle::new(&query.text, collation);
        let mut found = UidSet::new();
        let everything = (Uid(0), Uid(u32::MAX - 1));
        visit(&*self.engine.snapshot()?, account, mailbox, everything, &mut |uid, whose, entry, value| {
            let seen = whose == SERVER || whose == user;
            if seen
                && query.scope.is_none_or(|scope| scope == scope_of(whose))
                && !found.contains(uid)
                && is_annotation_entry(entry, &query.entries)
                && value.value.is_some_and(|value| needle.is_in(&String::from_utf8_lossy(&value)))
            {
                found.insert(uid);
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}

/// The texts that SORT compares, by message.
pub(crate) fn texts<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    mailbox: MailboxId,
    user: AccountId,
    key: &AnnotationKey,
) -> Result<BTreeMap<Uid, String>, Error> {
    let mut texts = BTreeMap::new();
    let keeper = keeper_of(key.scope, user);
    visit(from, account, mailbox, (Uid(0), Uid(u32::MAX - 1)), &mut |uid, whose, entry, value| {
        if let (true, true, Some(value)) = (whose == keeper, entry == key.entry, value.value) {
            texts.insert(uid, String::from_utf8_lossy(&value).into_owned());
        }
        ControlFlow::Continue(())
    })?;
    Ok(texts)
}

type Visit<'v> = &'v mut dyn FnMut(Uid, AccountId, &str, AnnotationValue) -> ControlFlow<()>;

/// Visits the annotations of some messages, in order.
fn visit<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    mailbox: MailboxId,
    (first, last): (Uid, Uid),
    visit: Visit<'_>,
) -> Result<(), Error> {
    if load(from, account, mailbox)?.records == 0 {
        return Ok(());
    }
    let mut damaged = false;
    let range = keys::annotations_range(account, mailbox, first, last);
    from.scan(keys::between(&range), Order::Ascending, &mut |key, value| match (
        keys::annotation_of(key),
        AnnotationValue::decode(value),
    ) {
        (Some((_, uid, whose, entry)), Some(value)) => visit(uid, whose, entry, value),
        _ => {
            damaged = true;
            ControlFlow::Break(())
        }
    })?;
    if damaged { Err(corrupt(account, "annotations of mailbox", mailbox)) } else { Ok(()) }
}

fn load<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    mailbox: MailboxId,
) -> Result<AnnotationTotals, Error> {
    let damaged = || corrupt(account, "annotation totals of mailbox", mailbox);
    let key = keys::annotation_totals(account, mailbox);
    Ok(read::value(from, &key, AnnotationTotals::decode, damaged)?.unwrap_or_default())
}

/// The annotations of one mailbox while a transaction changes them.
struct Writing {
    account: AccountId,
    mailbox: MailboxId,
    before: AnnotationTotals,
    totals: AnnotationTotals,
}

impl Writing {
    fn open(tx: &dyn Tx, account: AccountId, mailbox: MailboxId) -> Result<Writing, Error> {
        let before = load(tx, account, mailbox)?;
        Ok(Writing { account, mailbox, before, totals: before })
    }

    /// Writes one value; whether it is another now. The quota is the caller's to look at, when all of a message is there.
    fn put(
        &mut self,
        tx: &mut dyn Tx,
        ledger: &mut Ledger,
        (uid, user): (Uid, AccountId),
        entry: &str,
        value: Option<&[u8]>,
    ) -> Result<bool, Error> {
        let key = keys::annotation(self.account, self.mailbox, uid, user, entry);
        let damaged = || corrupt(self.account, "annotation of mailbox", self.mailbox);
        let old = read::value(tx, &key, AnnotationValue::decode, damaged)?;
        let before = old.as_ref().and_then(|old| old.value.as_deref());
        if before == value {
            return Ok(false);
        }
        if let (Some(value), None) = (value, before) {
            self.make_room(tx, (uid, user))?;
            // It may have been one of the removed ones that went.
            let there = tx.get_with(&key, &mut |_| {})?;
            self.totals.records += u64::from(!there);
            self.check_size(entry, value)?;
        } else if let Some(value) = value {
            self.check_size(entry, value)?;
        }
        let freed = counted(self.account, user, entry, before);
        let added = counted(self.account, user, entry, value);
        ledger.account.bytes = (ledger.account.bytes + added).saturating_sub(freed);
        self.totals.bytes = (self.totals.bytes + added).saturating_sub(freed);
        let value = AnnotationValue { modseq: ledger.stamp(), value: value.map(<[u8]>::to_vec) };
        tx.put(&key, &value.encode())?;
        Ok(true)
    }

    fn check_size(&self, entry: &str, value: &[u8]) -> Result<(), Error> {
        match value.len() > ANNOTATION_BYTES_MAX || entry.len() > ANNOTATION_NAME_BYTES_MAX {
            true => Err(Error::Limit(Limit::AnnotationSize)),
            false => Ok(()),
        }
    }

    /// Room for one more value of a message and user; forgets which were removed when there are many.
    fn make_room(&mut self, tx: &mut dyn Tx, (uid, user): (Uid, AccountId)) -> Result<(), Error> {
        let (mut there, mut removed) = (0, Vec::new());
        let range = keys::annotations_range(self.account, self.mailbox, uid, uid);
        tx.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
            if keys::annotation_of(key).is_some_and(|(_, _, whose, _)| whose == user) {
                match AnnotationValue::decode(value) {
                    Some(AnnotationValue { value: None, .. }) => removed.push(key.to_vec()),
                    _ => there += 1,
                }
            }
            ControlFlow::Continue(())
        })?;
        if there >= ANNOTATIONS_MAX {
            return Err(Error::Limit(Limit::Annotations));
        }
        if removed.len() >= ANNOTATIONS_MAX {
            for key in &removed {
                tx.delete(key)?;
            }
            self.totals.records = self.totals.records.saturating_sub(removed.len() as u64);
        }
        Ok(())
    }

    fn close(self, tx: &mut dyn Tx) -> Result<(), Error> {
        if self.totals == self.before {
            return Ok(());
        }
        let key = keys::annotation_totals(self.account, self.mailbox);
        match self.totals.records {
            0 => tx.delete(&key)?,
            _ => tx.put(&key, &self.totals.encode())?,
        }
        Ok(())
    }
}

/// A new message's annotations.
pub(crate) fn arrive(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    mailbox: MailboxId,
    uid: Uid,
    annotations: &[NewAnnotation],
) -> Result<(), Error> {
    if annotations.is_empty() {
        return Ok(());
    }
    let mut writing = Writing::open(tx, ledger.id, mailbox)?;
    for new in annotations {
        writing.put(tx, ledger, (uid, new.user), &new.entry, Some(&new.value))?;
    }
    ledger.check_quota()?;
    writing.close(tx)
}

/// The annotations of messages whose rows go.
pub(crate) fn forget(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    mailbox: MailboxId,
    uids: &UidSet,
) -> Result<(), Error> {
    let mut writing = Writing::open(tx, ledger.id, mailbox)?;
    let (Some(first), Some(last)) = (uids.first(), uids.last()) else { return Ok(()) };
    if writing.totals.records == 0 {
        return Ok(());
    }
    let mut gone = Vec::new();
    let range = keys::annotations_range(ledger.id, mailbox, first, last);
    tx.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
        if let Some((_, uid, user, entry)) = keys::annotation_of(key)
            && uids.contains(uid)
        {
            let value = AnnotationValue::decode(value).and_then(|value| value.value);
            gone.push((key.to_vec(), counted(ledger.id, user, entry, value.as_deref())));
        }
        ControlFlow::Continue(())
    })?;
    for (key, bytes) in gone {
        tx.delete(&key)?;
        writing.totals.records = writing.totals.records.saturating_sub(1);
        writing.totals.bytes = writing.totals.bytes.saturating_sub(bytes);
        ledger.account.bytes = ledger.account.bytes.saturating_sub(bytes);
    }
    writing.close(tx)
}

/// A mailbox goes; its annotations are purged behind it.
pub(crate) fn forget_mailbox(tx: &mut dyn Tx, ledger: &mut Ledger, mailbox: MailboxId) -> Result<(), Error> {
    let totals = load(tx, ledger.id, mailbox)?;
    ledger.account.bytes = ledger.account.bytes.saturating_sub(totals.bytes);
    if totals.records > 0 {
        tx.delete(&keys::annotation_totals(ledger.id, mailbox))?;
    }
    Ok(())
}

/// What comes along with copies (RFC 5257 §4.6): shared values and the copying user's own, as far as he may have them
/// there. `user` is he, as the originals know him; `pairs`: originals, ascending, and their copies. The quota is the
/// caller's to look at.
pub(crate) fn copy(
    tx: &mut dyn Tx,
    (account, mailbox, user): (AccountId, MailboxId, Option<AccountId>),
    (there, target): (&mut Ledger, MailboxId),
    pairs: &[(Uid, Uid)],
    behalf: Behalf,
) -> Result<(), Error> {
    let (Some((first, _)), Some((last, _))) = (pairs.first(), pairs.last()) else { return Ok(()) };
    let user_here = user.unwrap_or(account);
    let user_there = behalf.user.unwrap_or(there.id);
    let mut copies = Vec::new();
    visit(tx, account, mailbox, (*first, *last), &mut |uid, whose, entry, value| {
        let user = match whose {
            SERVER => SERVER,
            whose if whose == user_here => user_there,
            _ => return ControlFlow::Continue(()),
        };
        if let (Ok(at), Some(value)) = (pairs.binary_search_by_key(&uid, |(from, _)| *from), value.value)
            && may_annotate(behalf.may, scope_of(whose))
        {
            copies.push((pairs[at].1, user, entry.to_owned(), value));
        }
        ControlFlow::Continue(())
    })?;
    if copies.is_empty() {
        return Ok(());
    }
    let mut writing = Writing::open(tx, there.id, target)?;
    for (uid, user, entry, value) in copies {
        writing.put(tx, there, (uid, user), &entry, Some(&value))?;
    }
    writing.close(tx)
}
