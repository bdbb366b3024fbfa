//! Giving back what removed mailboxes and accounts held, in small transactions behind the removal, so that removing a
//! million messages never holds up a delivery.

use crate::keys::{self, RowValue};
use crate::ledger::{counted, release};
use crate::{Error, Store, Written, read};
use engine::{AccountId, Order, Read, Tx};
use model::{EmailId, MailboxId, ModSeq};
use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

/// Rows (or other entries) that one transaction removes.
const PAGE: usize = 1000;

impl Store {
    /// Gives back what removed mailboxes (or the removed account) still hold, one bounded transaction; resolves to
    /// whether there is more. Call it after [`delete_account_in`](Self::delete_account_in), and for each account that
    /// [`unpurged`](Self::unpurged) names at start, until it resolves to false.
    pub fn purge(&self, account: AccountId) -> Written<bool> {
        self.transact(&[account], move |tx, touched| {
            // Who watches what a removed account shared: its removal was another's transaction, which told nobody.
            if first_doomed(tx, account)? == Some(keys::LIST) {
                touched.push((account, keys::LIST));
            }
            step(tx, account)
        })
    }

    /// Accounts that hold something to be purged: the server stopped before it was through.
    ///
    /// # Errors
    /// Reading failed.
    pub fn unpurged(&self) -> Result<Vec<AccountId>, Error> {
        let mut found = Vec::new();
        let mut after = AccountId(0);
        while let Some(account) = self.account_after(after)? {
            if first_doomed(&*self.engine.snapshot()?, account)?.is_some() {
                found.push(account);
            }
            after = account;
        }
        Ok(found)
    }

    /// Shortens the change log of a mailbox to its newest `keep` entries, one bounded transaction; resolves to whether
    /// there is more. Who asks for older changes afterwards gets the coarser answer that
    /// [`changes`](Self::changes) describes. For a nightly round; an entry takes some thirty octets.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn trim_changes(&self, account: AccountId, mailbox: MailboxId, keep: usize) -> Written<bool> {
        // Counted here, not in the transaction, which everybody waits for.
        let floor = match self.nth_newest_change(account, mailbox, keep) {
            Err(error) => return self.ready(Err(error)),
            Ok(None) => return self.ready(Ok(false)),
            Ok(Some(floor)) => floor,
        };
        self.transact(&[account], move |tx, _| {
            let mut value = read::mailbox(tx, account, mailbox)?;
            let (start, _) = keys::changes_range(account, mailbox);
            let more = remove_up_to(tx, (start, keys::behind(keys::change(account, mailbox, floor))))?;
            if value.log_floor < floor {
                value.log_floor = floor;
                tx.put(&keys::mailbox(account, mailbox), &value.encode())?;
            }
            Ok(more)
        })
    }

    /// Shortens the change log of the account's list of mailboxes to its newest `keep` entries, one bounded transaction;
    /// resolves to whether there is more. Who asks for older changes than there are is told of an overflow
    /// ([`AccountChanges`](crate::AccountChanges)), if `keep` is at least [`LIST_EVENTS_MAX`](crate::LIST_EVENTS_MAX).
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn trim_list(&self, account: AccountId, keep: usize) -> Written<bool> {
        let floor = match self.nth_newest(account, keys::LIST, keep) {
            Err(error) => return self.ready(Err(error)),
            Ok(None) => return self.ready(Ok(false)),
            Ok(Some(floor)) => floor,
        };
        self.transact(&[account], move |tx, _| {
            let (start, _) = keys::changes_range(account, keys::LIST);
            remove_up_to(tx, (start, keys::behind(keys::change(account, keys::LIST, floor))))
        })
    }

    /// The newest change behind the `keep` newest ones.
    fn nth_newest_change(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        keep: usize,
    ) -> Result<Option<ModSeq>, Error> {
        read::mailbox(&*self.engine.snapshot()?, account, mailbox)?;
        self.nth_newest(account, mailbox, keep)
    }

    fn nth_newest(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        keep: usize,
    ) -> Result<Option<ModSeq>, Error> {
        let snapshot = self.engine.snapshot()?;
        let mut passed = 0;
        let mut found = None;
        let range = keys::changes_range(account, mailbox);
        snapshot.scan(keys::between(&range), Order::Descending, &mut |key, _| {
            if passed == keep {
                found = keys::last_u64(key).map(ModSeq);
                return ControlFlow::Break(());
            }
            passed += 1;
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// The account with the next higher id that has anything stored.
    pub(crate) fn account_after(&self, account: AccountId) -> Result<Option<AccountId>, Error> {
        let Some(next) = account.0.checked_add(1) else { return Ok(None) };
        let (start, _) = keys::account_range(AccountId(next));
        let mut found = None;
        let all = (std::ops::Bound::Included(&*start), std::ops::Bound::Unbounded);
        self.engine.snapshot()?.scan(all, Order::Ascending, &mut |key, _| {
            found = keys::account_of(key);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// Purges in the background, after everything that was submitted before.
    pub(crate) fn purge_behind(&self, account: AccountId) {
        static QUEUE: OnceLock<Sender<(Store, AccountId)>> = OnceLock::new();
        let queue = QUEUE.get_or_init(|| {
            let (sender, receiver) = channel::<(Store, AccountId)>();
            let body = move || {
                for (store, account) in receiver {
                    // On trouble (disk full) the next removal or the next start goes on.
                    while let Ok(true) = store.purge(account).wait() {}
                }
            };
            let _ = std::thread::Builder::new().name("store-purge".into()).stack_size(256 * 1024).spawn(body);
            sender
        });
        let _ = queue.send((self.clone(), account));
    }
}

/// Removes a page of entries; whether there may be more.
fn remove_up_to(tx: &mut dyn Tx, range: (keys::Key, keys::Key)) -> Result<bool, Error> {
    let mut old = Vec::new();
    tx.scan(keys::between(&range), Order::Ascending, &mut |key, _| {
        old.push(key.to_vec());
        if old.len() < PAGE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    for key in &old {
        tx.delete(key)?;
    }
    Ok(old.len() == PAGE)
}

fn first_doomed<R: Read + ?Sized>(from: &R, account: AccountId) -> Result<Option<MailboxId>, Error> {
    let mut found = None;
    let range = keys::tag_range(account, b'd');
    from.scan(keys::between(&range), Order::Ascending, &mut |key, _| {
        found = keys::last_u32(key).map(MailboxId);
        ControlFlow::Break(())
    })?;
    Ok(found)
}

fn step(tx: &mut dyn Tx, account: AccountId) -> Result<bool, Error> {
    let Some(mailbox) = first_doomed(tx, account)? else { return Ok(false) };
    let whole_account = mailbox == keys::LIST;
    let mut entries = Vec::new();
    let mut docs: Vec<EmailId> = Vec::new();
    let rows =
        if whole_account { keys::tag_range(account, b'i') } else { keys::rows_range(account, mailbox) };
    tx.scan(keys::between(&rows), Order::Ascending, &mut |key, value| {
        entries.push(key.to_vec());
        // A damaged row frees nothing; the check tells of what is left over.
        docs.extend(RowValue::decode(value).map(|row| row.doc));
        if entries.len() < PAGE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if !entries.is_empty() {
        for key in &entries {
            tx.delete(key)?;
        }
        release(tx, account, &counted(docs))?;
        return Ok(true);
    }
    let marker = keys::doomed(account, mailbox);
    let rest = if whole_account {
        vec![keys::account_range(account)]
    } else {
        let only = |key: keys::Key| (key, keys::behind(key));
        vec![
            keys::changes_range(account, mailbox),
            keys::seen_range(account, mailbox),
            keys::annotations_range(account, mailbox, model::Uid(0), model::Uid(u32::MAX - 1)),
            only(keys::keywords(account, mailbox)),
            only(keys::access_key(account, mailbox)),
            only(keys::saved_view(account, mailbox)),
            keys::imports_range(account, mailbox),
        ]
    };
    for range in &rest {
        tx.scan(keys::between(range), Order::Ascending, &mut |key, _| {
            if *key != *marker {
                entries.push(key.to_vec());
            }
            if entries.len() < PAGE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
    }
    let more = !entries.is_empty();
    for key in &entries {
        tx.delete(key)?;
    }
    if !more {
        tx.delete(&marker)?;
    }
    Ok(true)
}
