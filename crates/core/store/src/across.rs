//! Messages that come into a mailbox, or go from one to another, on behalf of somebody who need not own either: APPEND,
//! COPY, MOVE, REPLACE. Between accounts the content is shared by reference, and everything is one commit: all or none.

use crate::copy::{Arriving, relocate};
use crate::deliver::{append_one, write_copy};
use crate::flags::Behalf;
use crate::keys::{self, MessageValue, RowValue};
use crate::ledger::{Ledger, Slot, counted, release};
use crate::read::{self, corrupt};
use crate::threads::{self, Threading};
use crate::{
    Appended, Copied, Error, NewMessage, Originals, Replaced, Store, Target, Written, annotation, seen,
};
use engine::{AccountId, Tx};
use model::{EmailId, MailboxId, Uid, UidSet, UnixTime};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Where messages come from.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Whose.
    pub account: AccountId,
    /// Which of his.
    pub mailbox: MailboxId,
    /// On whose behalf.
    pub behalf: Behalf,
}

/// Where messages go.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Whose.
    pub account: AccountId,
    /// Which of his.
    pub to: Target,
    /// On whose behalf.
    pub behalf: Behalf,
}

impl Store {
    /// As [`append`](Self::append), with the flags that he may set (RFC 4314 §4).
    ///
    /// # Errors
    /// As there.
    pub fn append_to(&self, to: Destination, messages: Vec<NewMessage>, now: UnixTime) -> Written<Appended> {
        let Destination { account, to, behalf } = to;
        if behalf == Behalf::OWNER {
            return self.append(account, to, messages, now);
        }
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let slot = ledger.open_target(tx, &to)?;
            let bytes = messages.iter().map(|new| u64::from(new.message.size())).sum();
            if !ledger.fits(messages.len() as u64, bytes) {
                return Err(Error::OverQuota);
            }
            let mut uids = Vec::with_capacity(messages.len());
            let mut marked = UidSet::new();
            for new in &messages {
                let (new, is_seen) = allowed(new, behalf);
                let uid = append_one(tx, &mut ledger, slot, &new, now)?;
                uids.push(uid);
                if is_seen {
                    marked.push(uid);
                }
            }
            mark(tx, &mut ledger, slot, behalf, &marked)?;
            let open = ledger.at(slot);
            let (mailbox, uid_validity) = (open.id, open.value.uid_validity);
            let modseq = if messages.is_empty() { open.value.highest_modseq } else { ledger.stamp() };
            ledger.finish(tx, touched)?;
            Ok(Appended { mailbox, uid_validity, uids, modseq })
        })
    }

    /// As [`copy`](Self::copy), between any two accounts, with the flags that he sees there and may set here. Across
    /// accounts EMAILID and THREADID are new ones.
    ///
    /// # Errors
    /// As there.
    pub fn copy_to(
        &self,
        from: Source,
        uids: Arc<UidSet>,
        to: Destination,
        originals: Originals,
        now: UnixTime,
    ) -> Written<Copied> {
        if from.account != to.account {
            return self.copy_across(from, uids, to, originals, now);
        }
        if from.behalf == Behalf::OWNER && to.behalf == Behalf::OWNER {
            return self.copy(from.account, from.mailbox, uids, to.to, originals, now);
        }
        let account = from.account;
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let source = ledger.open(tx, from.mailbox)?;
            let target = ledger.open_target(tx, &to.to)?;
            let (rows, missing) = read::decoded_rows(tx, account, from.mailbox, &uids)?;
            let originals_uids: UidSet = rows.iter().map(|(uid, _)| *uid).collect();
            let arriving = arriving(tx, from, &uids, to.behalf)?;
            let copies = relocate(tx, &mut ledger, source, target, rows, originals, &arriving, now)?;
            let open = ledger.at(target);
            let (id, uid_validity) = (open.id, open.value.uid_validity);
            let modseq = if copies.is_empty() { open.value.highest_modseq } else { ledger.stamp() };
            ledger.finish(tx, touched)?;
            Ok(Copied { mailbox: id, uid_validity, from: originals_uids, to: copies, missing, modseq })
        })
    }

    fn copy_across(
        &self,
        from: Source,
        uids: Arc<UidSet>,
        to: Destination,
        originals: Originals,
        now: UnixTime,
    ) -> Written<Copied> {
        let threading = match self.threading_of(from, &uids) {
            Ok(threading) => threading,
            Err(error) => return self.ready(Err(error)),
        };
        let accounts = [from.account.min(to.account), from.account.max(to.account)];
        self.transact(&accounts, move |tx, touched| {
            let (mut here, mut there) = (Ledger::load(tx, from.account)?, Ledger::load(tx, to.account)?);
            let source = here.open(tx, from.mailbox)?;
            let target = there.open_target(tx, &to.to)?;
            let (rows, mut missing) = read::decoded_rows(tx, from.account, from.mailbox, &uids)?;
            // What was moved here since its header was read came after the command did.
            let (rows, late): (Vec<_>, Vec<_>) =
                rows.into_iter().partition(|(_, row)| threading.contains_key(&row.doc));
            missing = missing.or(&late.iter().map(|(uid, _)| *uid).collect());
            let bytes = rows.iter().map(|(_, row)| u64::from(row.size)).sum();
            if !there.fits(rows.len() as u64, bytes) {
                return Err(Error::OverQuota);
            }
            let arriving = arriving(tx, from, &uids, to.behalf)?;
            let mut crossing = Crossing { arriving, docs: FxHashMap::default(), marked: UidSet::new() };
            let (mut gone, mut here_uids, mut there_uids) = (Vec::new(), UidSet::new(), UidSet::new());
            let mut pairs = Vec::new();
            for (uid, row) in rows {
                let thread = &threading[&row.doc];
                let copy = crossing.cross(
                    tx,
                    (&mut here, source),
                    (&mut there, target),
                    (uid, &row),
                    thread,
                    now,
                )?;
                here_uids.push(uid);
                there_uids.push(copy);
                pairs.push((uid, copy));
                if originals == Originals::Go {
                    here.vanish(source, uid, &row);
                    tx.delete(&keys::row(from.account, from.mailbox, uid))?;
                    gone.push(row.doc);
                }
            }
            crossing.write_references(tx, to.account)?;
            mark(tx, &mut there, target, to.behalf, &crossing.marked)?;
            release(tx, from.account, &counted(gone))?;
            let target_id = there.at(target).id;
            let place = (from.account, from.mailbox, from.behalf.user);
            annotation::copy(tx, place, (&mut there, target_id), &pairs, to.behalf)?;
            there.check_quota()?;
            if originals == Originals::Go {
                annotation::forget(tx, &mut here, from.mailbox, &here_uids)?;
            }
            let modseq = match originals {
                Originals::Go if !here_uids.is_empty() => here.stamp(),
                _ => here.at(source).value.highest_modseq,
            };
            let open = there.at(target);
            let (mailbox, uid_validity) = (open.id, open.value.uid_validity);
            here.finish(tx, touched)?;
            there.finish(tx, touched)?;
            Ok(Copied { mailbox, uid_validity, from: here_uids, to: there_uids, missing, modseq })
        })
    }

    /// What threads the messages belong to can only be said from their headers, which a transaction can't read.
    fn threading_of(&self, from: Source, uids: &UidSet) -> Result<FxHashMap<EmailId, Threading>, Error> {
        let snapshot = self.engine.snapshot()?;
        let (rows, _) = read::decoded_rows(&*snapshot, from.account, from.mailbox, uids)?;
        let mut threading = FxHashMap::default();
        let mut header = Vec::new();
        for (_, row) in rows {
            if threading.contains_key(&row.doc) {
                continue;
            }
            let head = crate::rows::head(&*snapshot, from.account, row.doc)?;
            header.clear();
            snapshot.read_content(head.content, 0..u64::from(head.header_length), &mut header)?;
            threading.insert(row.doc, Threading::of(&mime::Envelope::parse(&header)));
        }
        Ok(threading)
    }

    /// As [`replace`](Self::replace), between any two accounts.
    ///
    /// # Errors
    /// As there.
    pub fn replace_in(
        &self,
        from: Source,
        uid: Uid,
        to: Destination,
        message: NewMessage,
        now: UnixTime,
    ) -> Written<Replaced> {
        if from.account == to.account && to.behalf == Behalf::OWNER {
            return self.replace(from.account, from.mailbox, uid, to.to, message, now);
        }
        let mut accounts = vec![from.account.min(to.account), from.account.max(to.account)];
        accounts.dedup();
        self.transact(&accounts, move |tx, touched| {
            let (new, is_seen) = allowed(&message, to.behalf);
            let mut here = Ledger::load(tx, from.account)?;
            let source = here.open(tx, from.mailbox)?;
            let key = keys::row(from.account, from.mailbox, uid);
            let damaged = || corrupt(from.account, &format!("row of mailbox {}, message", from.mailbox), uid);
            let old = read::value(tx, &key, RowValue::decode, damaged)?.ok_or(Error::NoMessage)?;
            here.vanish(source, uid, &old);
            // First: the new one's annotations may take their room.
            annotation::forget(tx, &mut here, from.mailbox, &[uid].into_iter().collect())?;
            let mut other = match from.account == to.account {
                true => None,
                false => Some(Ledger::load(tx, to.account)?),
            };
            let there = other.as_mut().unwrap_or(&mut here);
            let target = there.open_target(tx, &to.to)?;
            if !there.fits(1, u64::from(new.message.size())) {
                return Err(Error::OverQuota);
            }
            // Before the old one goes, so that a thread of these two alone goes on.
            let new = append_one(tx, there, target, &new, now)?;
            let marked = if is_seen { [new].into_iter().collect() } else { UidSet::new() };
            mark(tx, there, target, to.behalf, &marked)?;
            let uid_validity = there.at(target).value.uid_validity;
            tx.delete(&key)?;
            release(tx, from.account, &[(old.doc, 1)])?;
            let modseq = here.stamp();
            here.finish(tx, touched)?;
            if let Some(there) = other {
                there.finish(tx, touched)?;
            }
            Ok(Replaced { uid_validity, uid: new, modseq })
        })
    }
}

/// A message with the flags that he may set; whether he has seen it, if that is his own affair.
fn allowed(new: &NewMessage, behalf: Behalf) -> (NewMessage, bool) {
    let mut new = new.clone();
    let (flags, is_seen) = behalf.arriving(new.flags);
    new.flags = flags;
    if !behalf.may_set_keywords() {
        new.keywords.clear();
    }
    (new, is_seen)
}

fn mark(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    slot: Slot,
    behalf: Behalf,
    marked: &UidSet,
) -> Result<(), Error> {
    match behalf.seen {
        Some(user) => {
            let mailbox = ledger.at(slot).id;
            seen::change(tx, ledger.id, mailbox, user, marked, &UidSet::new())
        }
        None => Ok(()),
    }
}

/// How the messages of a source arrive for this user.
fn arriving(tx: &dyn Tx, from: Source, uids: &UidSet, behalf: Behalf) -> Result<Arriving, Error> {
    let seen = match (from.behalf.seen, uids.first(), uids.last()) {
        (Some(user), Some(first), Some(last)) => {
            Some(seen::load(tx, from.account, from.mailbox, user, first, last)?)
        }
        _ => None,
    };
    Ok(Arriving { behalf, seen })
}

/// Messages on their way into another account.
struct Crossing {
    arriving: Arriving,
    /// What each message is called there, and in how many rows it stands.
    docs: FxHashMap<EmailId, (EmailId, u32)>,
    marked: UidSet,
}

impl Crossing {
    fn cross(
        &mut self,
        tx: &mut dyn Tx,
        (here, source): (&mut Ledger, Slot),
        (there, target): (&mut Ledger, Slot),
        (uid, row): (Uid, &RowValue),
        threading: &Threading,
        now: UnixTime,
    ) -> Result<Uid, Error> {
        let account = there.id;
        let (flags, is_seen) = self.arriving.of(uid, row.flags);
        let mut row = RowValue { flags, modseq: there.stamp(), saved: now, ..row.clone() };
        row.keywords = if row.keywords.is_empty() || !self.arriving.behalf.may_set_keywords() {
            Vec::new()
        } else {
            let table = here.table(tx, source)?;
            let words: Vec<_> =
                row.keywords.iter().filter_map(|number| table.get(usize::from(*number)).cloned()).collect();
            there.intern(tx, target, &words)?
        };
        match self.docs.get_mut(&row.doc) {
            Some((doc, rows)) => {
                row.doc = *doc;
                *rows += 1;
                let damaged = || corrupt(account, "message", row.doc);
                let decode = |value: &[u8]| MessageValue::decode(value).map(|message| message.thread);
                row.thread = read::value(tx, &keys::message(account, row.doc), decode, damaged)?
                    .ok_or_else(damaged)?;
            }
            None => {
                let old = row.doc;
                row.doc = there.new_doc()?;
                let placed = threads::place(tx, account, row.doc, threading)?;
                row.thread = placed.thread;
                write_copy(tx, (here.id, old), (account, row.doc), &placed)?;
                self.docs.insert(old, (row.doc, 1));
            }
        }
        let copy = there.arrive(target, row.flags, row.size)?;
        let mut value = Vec::with_capacity(64);
        row.encode(&mut value);
        tx.put(&keys::row(account, there.at(target).id, copy), &value)?;
        if is_seen {
            self.marked.push(copy);
        }
        Ok(copy)
    }

    fn write_references(&self, tx: &mut dyn Tx, account: AccountId) -> Result<(), Error> {
        for (doc, rows) in self.docs.values().filter(|(_, rows)| *rows > 1) {
            tx.put(&keys::references(account, *doc), &keys::encode_u32(*rows))?;
        }
        Ok(())
    }
}
