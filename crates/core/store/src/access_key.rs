//! Access keys of mailboxes: the secrets behind URLAUTH's tokens (RFC 4467 §2.3, RFC 5092 §6.1.1.2).
//!
//! A key belongs to an account's mailbox and goes with it. Its bytes are random ones that the caller brings. Who watches
//! the mailbox hears when its key is reset ([`Watch::key_resets`](crate::Watch::key_resets)).

use crate::{Error, Store, Target, Written, keys, read};
use engine::{AccountId, Order};
use model::MailboxId;
use std::ops::ControlFlow;

/// Whether a key that there is stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Present {
    /// It stays, and is the answer.
    Stays,
    /// The new one takes its place: what was signed with it is worth nothing any more.
    Goes,
}

impl Store {
    /// The key of a mailbox, if there is one.
    ///
    /// # Errors
    /// Reading failed, or the record is damaged.
    pub fn access_key(&self, account: AccountId, mailbox: MailboxId) -> Result<Option<[u8; 32]>, Error> {
        let snapshot = self.engine().snapshot()?;
        let damaged = || read::corrupt(account, "access key of mailbox", mailbox);
        read::value(&*snapshot, &keys::access_key(account, mailbox), keys::decode_access_key, damaged)
    }

    /// Gives a mailbox a key. Answers the key it has now.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn set_access_key(
        &self,
        account: AccountId,
        mailbox: Target,
        fresh: [u8; 32],
        present: Present,
    ) -> Written<[u8; 32]> {
        self.transact(&[account], move |tx, touched| {
            let id = read::resolve(tx, account, &mailbox)?;
            read::mailbox(tx, account, id)?;
            let key = keys::access_key(account, id);
            let damaged = || read::corrupt(account, "access key of mailbox", id);
            if present == Present::Stays
                && let Some(found) = read::value(tx, &key, keys::decode_access_key, damaged)?
            {
                return Ok(found);
            }
            tx.put(&key, &keys::encode_access_key(&fresh))?;
            if present == Present::Goes {
                touched.keys.push((account, id));
            }
            Ok(fresh)
        })
    }

    /// Takes all keys of an account away.
    ///
    /// # Errors
    /// The engine's.
    pub fn remove_access_keys(&self, account: AccountId) -> Written<()> {
        self.transact(&[account], move |tx, touched| {
            let mut found = Vec::new();
            // No more than there are mailboxes.
            let range = keys::tag_range(account, b'y');
            tx.scan(keys::between(&range), Order::Ascending, &mut |key, _| {
                found.push(key.to_vec());
                ControlFlow::Continue(())
            })?;
            for key in &found {
                tx.delete(key)?;
                touched.keys.extend(keys::last_u32(key).map(|mailbox| (account, MailboxId(mailbox))));
            }
            Ok(())
        })
    }
}
