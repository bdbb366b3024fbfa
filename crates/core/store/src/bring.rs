//! Messages copied from another server: each with a note of where it came from, in one transaction, so that copying can
//! stop anywhere and go on without losing or doubling one.

use crate::deliver::append_one;
use crate::keys::{self, NoteValue};
use crate::ledger::{Ledger, Slot};
use crate::read::corrupt;
use crate::{Error, NewMessage, Store, Written};
use engine::{AccountId, Order, Tx};
use model::{Keyword, MailboxId, Uid, UnixTime};
use std::ops::{Bound, ControlFlow};

/// Notes read at a time.
const PAGE: usize = 2000;

/// What a message is known by at its source; see [`import_note`](crate::import_note).
pub type NoteName = [u8; 16];

/// A message from elsewhere.
pub struct Brought {
    /// The message.
    pub new: NewMessage,
    /// Its note.
    pub note: NoteName,
}

/// Where a noted message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noted {
    /// In the mailbox of the note, under that UID, unless somebody removed it since.
    Here(Uid),
    /// It is the message of another note, which may be of another mailbox.
    As(MailboxId, NoteName),
}

/// What became of a message that was brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It is new, under that UID.
    New(Uid),
    /// It was noted before.
    Known,
    /// The account's quota would be exceeded.
    OverQuota,
}

impl Store {
    /// Adds messages to a mailbox, each with its note; those that are noted already are left out, as are those beyond
    /// the quota, and keywords beyond the mailbox's limit. `now` becomes their SAVEDATE. One answer for each, in order.
    ///
    /// # Errors
    /// [`Error::NoMailbox`], [`Error::Limit`]; nothing was added then.
    pub fn bring(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        messages: Vec<Brought>,
        now: UnixTime,
    ) -> Written<Vec<Taken>> {
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let slot = ledger.open(tx, mailbox)?;
            let taken = messages
                .iter()
                .map(|one| bring_one(tx, &mut ledger, slot, one, now))
                .collect::<Result<_, Error>>()?;
            ledger.finish(tx, touched)?;
            Ok(taken)
        })
    }

    /// Writes notes for messages that are here already.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn note(&self, account: AccountId, mailbox: MailboxId, notes: Vec<(NoteName, Noted)>) -> Written<()> {
        self.transact(&[account], move |tx, _| {
            crate::read::mailbox(tx, account, mailbox)?;
            notes.iter().try_for_each(|(name, noted)| {
                tx.put(&keys::import_note(account, mailbox, *name), &NoteValue::encode(*noted))
            })?;
            Ok(())
        })
    }

    /// Removes notes; the messages stay.
    ///
    /// # Errors
    /// The engine's.
    pub fn forget_notes(&self, account: AccountId, mailbox: MailboxId, names: Vec<NoteName>) -> Written<()> {
        self.transact(&[account], move |tx, _| {
            names.iter().try_for_each(|name| tx.delete(&keys::import_note(account, mailbox, *name)))?;
            Ok(())
        })
    }

    /// Tells the notes of a mailbox whose names begin so, in the order of names, a page at a time: what is written meanwhile
    /// may be told or not. One that can't be read counts as none: its message is looked for among those that are there.
    ///
    /// # Errors
    /// The engine's.
    pub fn each_note(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        prefix: &[u8],
        act: &mut dyn FnMut(NoteName, Noted),
    ) -> Result<(), Error> {
        self.each_record(account, mailbox, prefix, &mut |name, value| {
            if let Some(noted) = NoteValue::decode(value) {
                act(name, noted);
            }
        })
    }

    /// The same as a list: 40 bytes a note.
    ///
    /// # Errors
    /// The engine's.
    pub fn notes(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        prefix: &[u8],
    ) -> Result<Vec<(NoteName, Noted)>, Error> {
        let mut notes = Vec::new();
        self.each_note(account, mailbox, prefix, &mut |name, noted| notes.push((name, noted)))?;
        Ok(notes)
    }

    /// What importers have noted of themselves under names that begin so, in the order of names.
    ///
    /// # Errors
    /// The engine's.
    pub fn import_records(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        prefix: &[u8],
    ) -> Result<Vec<(NoteName, Vec<u8>)>, Error> {
        let mut records = Vec::new();
        self.each_record(account, mailbox, prefix, &mut |name, value| records.push((name, value.to_vec())))?;
        Ok(records)
    }

    fn each_record(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        prefix: &[u8],
        act: &mut dyn FnMut(NoteName, &[u8]),
    ) -> Result<(), Error> {
        let edge = |fill: u8| {
            let mut name = [fill; 16];
            name.iter_mut().zip(prefix).for_each(|(to, from)| *to = *from);
            keys::import_note(account, mailbox, name)
        };
        let last = edge(255);
        let mut from = Bound::Included(edge(0));
        loop {
            let (mut told, mut behind) = (0, None);
            let snapshot = self.engine.snapshot()?;
            let range = (from.as_ref().map(|key| &key[..]), Bound::Included(&last[..]));
            snapshot.scan(range, Order::Ascending, &mut |key, value| {
                if let Some(name) = key.last_chunk::<16>() {
                    act(*name, value);
                    behind = Some(*name);
                }
                told += 1;
                if told < PAGE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            match behind.filter(|_| told == PAGE) {
                Some(name) => from = Bound::Excluded(keys::import_note(account, mailbox, name)),
                None => return Ok(()),
            }
        }
    }

    /// Writes what an importer notes of itself. It goes with the mailbox.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn put_import_record(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        name: NoteName,
        value: Vec<u8>,
    ) -> Written<()> {
        self.transact(&[account], move |tx, _| {
            crate::read::mailbox(tx, account, mailbox)?;
            Ok(tx.put(&keys::import_note(account, mailbox, name), &value)?)
        })
    }

    /// Whether there is such a note.
    ///
    /// # Errors
    /// The engine's.
    pub fn is_noted(&self, account: AccountId, mailbox: MailboxId, name: NoteName) -> Result<bool, Error> {
        let key = keys::import_note(account, mailbox, name);
        Ok(self.engine.snapshot()?.get_with(&key, &mut |_| {})?)
    }
}

fn bring_one(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    slot: Slot,
    one: &Brought,
    now: UnixTime,
) -> Result<Taken, Error> {
    let key = keys::import_note(ledger.id, ledger.at(slot).id, one.note);
    if tx.get_with(&key, &mut |_| {})? {
        return Ok(Taken::Known);
    }
    if !ledger.fits(1, u64::from(one.new.message.size())) {
        return Ok(Taken::OverQuota);
    }
    let numbers = ledger.intern_some(tx, slot, &one.new.keywords)?;
    let uid = if numbers.len() < one.new.keywords.len() {
        let table: &[Keyword] = ledger.table(tx, slot)?;
        let damaged = |number: &u16| corrupt(AccountId(0), "keyword", number);
        let word = |number: &u16| table.get(usize::from(*number)).cloned().ok_or_else(|| damaged(number));
        let keywords = numbers.iter().map(word).collect::<Result<_, Error>>()?;
        let new = NewMessage { keywords, ..one.new.clone() };
        append_one(tx, ledger, slot, &new, now)?
    } else {
        append_one(tx, ledger, slot, &one.new, now)?
    };
    tx.put(&key, &NoteValue::encode(Noted::Here(uid)))?;
    Ok(Taken::New(uid))
}
