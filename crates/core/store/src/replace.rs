//! REPLACE: one message comes and another goes, in one transaction (RFC 8508).

use crate::deliver::append_one;
use crate::keys::{self, RowValue};
use crate::ledger::{Ledger, release};
use crate::read::{self, corrupt};
use crate::{Error, NewMessage, Store, Target, Written, annotation};
use engine::AccountId;
use model::{MailboxId, ModSeq, Uid, UidValidity, UnixTime};

/// What REPLACE did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replaced {
    /// UIDVALIDITY of the new message's mailbox.
    pub uid_validity: UidValidity,
    /// The new message there.
    pub uid: Uid,
    /// Modification sequence of it all.
    pub modseq: ModSeq,
}

impl Store {
    /// Removes message `uid` of `mailbox` and adds `message` to the mailbox `to`, which may be the same; both or none. The
    /// quota counts what is left of both (RFC 8508 §3.4). `now` becomes the new one's SAVEDATE.
    ///
    /// # Errors
    /// [`Error::NoMessage`]: the old one is not there (any more); [`Error::NoMailbox`], [`Error::OverQuota`],
    /// [`Error::Limit`].
    pub fn replace(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uid: Uid,
        to: Target,
        message: NewMessage,
        now: UnixTime,
    ) -> Written<Replaced> {
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let target = ledger.open_target(tx, &to)?;
            let source = ledger.open(tx, mailbox)?;
            let key = keys::row(account, mailbox, uid);
            let damaged = || corrupt(account, &format!("row of mailbox {mailbox}, message"), uid);
            let old = read::value(tx, &key, RowValue::decode, damaged)?.ok_or(Error::NoMessage)?;
            ledger.vanish(source, uid, &old);
            // First: the new one's annotations may take their room.
            annotation::forget(tx, &mut ledger, mailbox, &[uid].into_iter().collect())?;
            if !ledger.fits(1, u64::from(message.message.size())) {
                return Err(Error::OverQuota);
            }
            // Before the old one goes, so that a thread of these two alone goes on.
            let new = append_one(tx, &mut ledger, target, &message, now)?;
            tx.delete(&key)?;
            release(tx, account, &[(old.doc, 1)])?;
            let modseq = ledger.stamp();
            let uid_validity = ledger.at(target).value.uid_validity;
            ledger.finish(tx, touched)?;
            Ok(Replaced { uid_validity, uid: new, modseq })
        })
    }
}
