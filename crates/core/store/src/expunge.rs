//! Removing messages: EXPUNGE, UID EXPUNGE, CLOSE, and POP3's QUIT.

use crate::keys::{self, RowValue};
use crate::ledger::{Ledger, counted, release};
use crate::{Error, Store, Written, read};
use engine::{AccountId, Order};
use model::{Flag, MailboxId, ModSeq, Uid, UidSet};
use std::ops::ControlFlow;

/// What was removed.
#[derive(Clone, PartialEq, Debug)]
pub struct Expunged {
    /// Which.
    pub uids: UidSet,
    /// Modification sequence of the removal, or the mailbox's highest if nothing was removed.
    pub modseq: ModSeq,
}

impl Store {
    /// Removes the messages that are \Deleted (RFC 9051 §6.4.3), only those among `only` if given (RFC 4315 §2.1), in
    /// one commit. What another session marks while this waits for its turn may stay.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn expunge(&self, account: AccountId, mailbox: MailboxId, only: Option<UidSet>) -> Written<Expunged> {
        // Looking for the marked ones would hold up all other commits if the transaction did it.
        match self.marked(account, mailbox, only) {
            Err(error) => self.ready(Err(error)),
            Ok((uids, modseq)) if uids.is_empty() => self.ready(Ok(Expunged { uids, modseq })),
            Ok((uids, _)) => self.remove_if(account, mailbox, uids, |row| row.flags.has(Flag::Deleted)),
        }
    }

    /// Removes these messages whatever their flags (POP3), in one commit. Those that are not there are left out.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn remove(&self, account: AccountId, mailbox: MailboxId, uids: UidSet) -> Written<Expunged> {
        self.remove_if(account, mailbox, uids, |_| true)
    }

    /// Octets of the messages that are \Deleted (DELETED-STORAGE, RFC 9208 §4.1.4).
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn deleted_bytes(&self, account: AccountId, mailbox: MailboxId) -> Result<u64, Error> {
        let snapshot = self.engine.snapshot()?;
        let mut left = read::mailbox(&*snapshot, account, mailbox)?.deleted;
        let mut bytes = 0;
        if left == 0 {
            return Ok(bytes);
        }
        let range = keys::rows_range(account, mailbox);
        snapshot.scan(keys::between(&range), Order::Ascending, &mut |_, row| {
            let is_deleted = RowValue::flags_of(row).is_some_and(|flags| flags.has(Flag::Deleted));
            if let Some(row) = is_deleted.then(|| RowValue::decode(row)).flatten() {
                bytes += u64::from(row.size);
                left -= 1;
            }
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(bytes)
    }

    /// Messages of the newest state that are \Deleted, and that state's name.
    fn marked(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        only: Option<UidSet>,
    ) -> Result<(UidSet, ModSeq), Error> {
        let snapshot = self.engine.snapshot()?;
        let value = read::mailbox(&*snapshot, account, mailbox)?;
        let mut uids = UidSet::new();
        let mut left = value.deleted;
        if left == 0 {
            return Ok((uids, value.highest_modseq));
        }
        let mut look = |uid: Uid, row: &[u8]| {
            if RowValue::flags_of(row).is_some_and(|flags| flags.has(Flag::Deleted)) {
                uids.push(uid);
                left -= 1;
            }
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match only {
            Some(only) => {
                let only: Vec<Uid> = only.iter().collect();
                read::rows(&*snapshot, account, mailbox, &only, &mut look)?;
            }
            None => {
                let range = keys::rows_range(account, mailbox);
                snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, row| {
                    keys::last_u32(key).map_or(ControlFlow::Continue(()), |uid| look(Uid(uid), row))
                })?;
            }
        }
        Ok((uids, value.highest_modseq))
    }

    fn remove_if(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: UidSet,
        wanted: fn(&RowValue) -> bool,
    ) -> Written<Expunged> {
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let slot = ledger.open(tx, mailbox)?;
            let (rows, _) = read::decoded_rows(tx, account, mailbox, &uids)?;
            let mut removed = UidSet::new();
            let mut docs = Vec::with_capacity(rows.len());
            for (uid, row) in rows.into_iter().filter(|(_, row)| wanted(row)) {
                ledger.vanish(slot, uid, &row);
                tx.delete(&keys::row(account, mailbox, uid))?;
                removed.push(uid);
                docs.push(row.doc);
            }
            release(tx, account, &counted(docs))?;
            crate::annotation::forget(tx, &mut ledger, mailbox, &removed)?;
            let modseq =
                if removed.is_empty() { ledger.at(slot).value.highest_modseq } else { ledger.stamp() };
            ledger.finish(tx, touched)?;
            Ok(Expunged { uids: removed, modseq })
        })
    }
}
