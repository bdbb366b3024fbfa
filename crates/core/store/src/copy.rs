//! COPY and MOVE (RFC 9051 §6.4.7, §6.4.8).

use crate::keys::{self, RowValue};
use crate::ledger::{Ledger, Slot, counted};
use crate::read::{self, corrupt};
use crate::{Behalf, Error, Store, Target, Written, annotation, seen};
use engine::{AccountId, Tx};
use model::{Flag, FlagSet, MailboxId, ModSeq, Uid, UidSet, UidValidity, UnixTime};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What becomes of the originals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Originals {
    /// COPY.
    Stay,
    /// MOVE: removed in the same commit.
    Go,
}

/// What COPY or MOVE did.
#[derive(Clone, PartialEq, Debug)]
pub struct Copied {
    /// The mailbox that was copied to.
    pub mailbox: MailboxId,
    /// Its UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UIDs of the originals; the n-th became the n-th of `to`.
    pub from: UidSet,
    /// UIDs of the copies.
    pub to: UidSet,
    /// Asked for, but not there (any more).
    pub missing: UidSet,
    /// Modification sequence of the commit.
    pub modseq: ModSeq,
}

impl Store {
    /// Copies messages with their flags, keywords and dates to another mailbox (or the same) in ascending order, all or
    /// none; EMAILID and THREADID stay (RFC 8474 §5). A move within one mailbox gives new UIDs.
    ///
    /// # Errors
    /// [`Error::NoMailbox`], [`Error::OverQuota`], [`Error::Limit`].
    pub fn copy(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: Arc<UidSet>,
        to: Target,
        originals: Originals,
        now: UnixTime,
    ) -> Written<Copied> {
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let source = ledger.open(tx, mailbox)?;
            let target = ledger.open_target(tx, &to)?;
            let (rows, missing) = read::decoded_rows(tx, account, mailbox, &uids)?;
            let from: UidSet = rows.iter().map(|(uid, _)| *uid).collect();
            let plain = Arriving::plain();
            let to = relocate(tx, &mut ledger, source, target, rows, originals, &plain, now)?;
            let open = ledger.at(target);
            let (id, uid_validity) = (open.id, open.value.uid_validity);
            let modseq = if to.is_empty() { open.value.highest_modseq } else { ledger.stamp() };
            ledger.finish(tx, touched)?;
            Ok(Copied { mailbox: id, uid_validity, from, to, missing, modseq })
        })
    }
}

/// With which flags messages arrive.
pub(crate) struct Arriving {
    /// On whose behalf.
    pub(crate) behalf: Behalf,
    /// What he has seen of the originals; None: their own \Seen counts.
    pub(crate) seen: Option<UidSet>,
}

impl Arriving {
    /// As they are.
    pub(crate) fn plain() -> Arriving {
        Arriving { behalf: Behalf::OWNER, seen: None }
    }

    /// Flags of a copy, and whether he has seen it, if that is his own affair.
    pub(crate) fn of(&self, uid: Uid, flags: FlagSet) -> (FlagSet, bool) {
        let flags = match &self.seen {
            Some(seen) if seen.contains(uid) => flags.with(Flag::Seen),
            Some(_) => flags.without(Flag::Seen),
            None => flags,
        };
        self.behalf.arriving(flags)
    }
}

/// Gives rows of one mailbox new UIDs in another (or the same).
#[expect(clippy::too_many_arguments, reason = "from, to and how")]
pub(crate) fn relocate(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    source: Slot,
    target: Slot,
    rows: Vec<(Uid, RowValue)>,
    originals: Originals,
    arriving: &Arriving,
    now: UnixTime,
) -> Result<UidSet, Error> {
    if rows.is_empty() {
        return Ok(UidSet::new());
    }
    let bytes = rows.iter().map(|(_, row)| u64::from(row.size)).sum();
    if originals == Originals::Stay && !ledger.fits(rows.len() as u64, bytes) {
        return Err(Error::OverQuota);
    }
    let account = ledger.id;
    let (source_id, target_id) = (ledger.at(source).id, ledger.at(target).id);
    let numbers = translate(tx, ledger, source, target, &rows)?;
    let modseq = ledger.stamp();
    let mut docs = Vec::with_capacity(rows.len());
    let mut pairs = Vec::with_capacity(rows.len());
    let mut to = UidSet::new();
    let mut marked = UidSet::new();
    let mut value = Vec::with_capacity(64);
    for (uid, mut row) in rows {
        if originals == Originals::Go {
            ledger.vanish(source, uid, &row);
            tx.delete(&keys::row(account, source_id, uid))?;
        }
        let (flags, is_seen) = arriving.of(uid, row.flags);
        row.flags = flags;
        let copy = ledger.arrive(target, row.flags, row.size)?;
        if is_seen {
            marked.push(copy);
        }
        row.modseq = modseq;
        row.saved = now;
        if source != target {
            row.keywords = row.keywords.iter().filter_map(|number| numbers.get(number).copied()).collect();
            row.keywords.sort_unstable();
        }
        if !arriving.behalf.may_set_keywords() {
            row.keywords.clear();
        }
        row.encode(&mut value);
        tx.put(&keys::row(account, target_id, copy), &value)?;
        to.push(copy);
        pairs.push((uid, copy));
        docs.push(row.doc);
    }
    let place = (account, source_id, arriving.behalf.user);
    annotation::copy(tx, place, (&mut *ledger, target_id), &pairs, arriving.behalf)?;
    match originals {
        Originals::Stay => ledger.check_quota()?,
        // What came along is at most what goes: a move is never over quota (RFC 6851 §4.1).
        Originals::Go => {
            let gone: UidSet = pairs.iter().map(|(uid, _)| *uid).collect();
            annotation::forget(tx, ledger, source_id, &gone)?;
        }
    }
    if let Some(user) = arriving.behalf.seen {
        seen::change(tx, account, target_id, user, &marked, &UidSet::new())?;
    }
    if originals == Originals::Stay {
        for (doc, more) in counted(docs) {
            let key = keys::references(account, doc);
            let mut references = Some(1);
            tx.get_with(&key, &mut |value| references = keys::decode_u32(value))?;
            let references = references.and_then(|count| count.checked_add(more));
            let references = references.ok_or_else(|| corrupt(account, "references of message", doc))?;
            tx.put(&key, &keys::encode_u32(references))?;
        }
    }
    Ok(to)
}

/// Numbers in the target mailbox of the keywords that the rows have in the source.
fn translate(
    tx: &dyn Tx,
    ledger: &mut Ledger,
    source: Slot,
    target: Slot,
    rows: &[(Uid, RowValue)],
) -> Result<FxHashMap<u16, u16>, Error> {
    let mut numbers = FxHashMap::default();
    if source == target || rows.iter().all(|(_, row)| row.keywords.is_empty()) {
        return Ok(numbers);
    }
    let table = ledger.table(tx, source)?.clone();
    let used: BTreeSet<u16> = rows.iter().flat_map(|(_, row)| row.keywords.iter().copied()).collect();
    for number in used {
        let Some(word) = table.get(usize::from(number)) else { continue };
        let interned = ledger.intern(tx, target, std::slice::from_ref(word))?;
        numbers.extend(interned.first().map(|there| (number, *there)));
    }
    Ok(numbers)
}
