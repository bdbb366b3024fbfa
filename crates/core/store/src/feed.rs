//! The change feed: who watches an account or a mailbox is told after each commit that touched it. Nobody polls.

use engine::AccountId;
use model::MailboxId;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Called after a commit, on the thread that learned of it: it must be quick and must not wait (set a flag and wake a
/// task).
pub type Notify = Arc<dyn Fn() + Send + Sync>;

struct Watcher {
    id: u64,
    /// None: every change of the account.
    mailbox: Option<MailboxId>,
    notify: Notify,
}

const SHARDS: usize = 64;

/// All watchers.
pub(crate) struct Feed {
    shards: [Mutex<FxHashMap<AccountId, Vec<Watcher>>>; SHARDS],
    next_id: AtomicU64,
}

/// A subscription; dropped, it ends.
pub struct Watch {
    feed: Arc<Feed>,
    account: AccountId,
    id: u64,
}

/// What a transaction changed: mailbox 0 stands for the list of mailboxes (and of subscriptions).
pub(crate) type Touched = Vec<(AccountId, MailboxId)>;

impl Feed {
    pub(crate) fn new() -> Feed {
        Feed { shards: std::array::from_fn(|_| Mutex::default()), next_id: AtomicU64::new(0) }
    }

    fn shard(&self, account: AccountId) -> &Mutex<FxHashMap<AccountId, Vec<Watcher>>> {
        &self.shards[account.0 as usize % SHARDS]
    }

    pub(crate) fn announce(&self, touched: &[(AccountId, MailboxId)]) {
        for (at, (account, mailbox)) in touched.iter().enumerate() {
            let shard = self.shard(*account).lock();
            let Some(watchers) = shard.get(account) else { continue };
            // One that watches the whole account is told once for all mailboxes of the transaction.
            let first_of_account = !touched[..at].iter().any(|(other, _)| other == account);
            let told: Vec<Notify> = watchers
                .iter()
                .filter(|watcher| match watcher.mailbox {
                    None => first_of_account,
                    Some(watched) => watched == *mailbox,
                })
                .map(|watcher| watcher.notify.clone())
                .collect();
            drop(shard);
            told.iter().for_each(|notify| notify());
        }
    }
}

impl crate::Store {
    /// Calls `notify` after each commit that changes the mailbox (its messages, flags or name), or anything of the
    /// account when `mailbox` is None. The change can be read when it is called. Several commits may cause one call.
    pub fn watch(&self, account: AccountId, mailbox: Option<MailboxId>, notify: Notify) -> Watch {
        let id = self.feed.next_id.fetch_add(1, Ordering::Relaxed);
        self.feed.shard(account).lock().entry(account).or_default().push(Watcher { id, mailbox, notify });
        Watch { feed: self.feed.clone(), account, id }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut shard = self.feed.shard(self.account).lock();
        let Some(watchers) = shard.get_mut(&self.account) else { return };
        watchers.retain(|watcher| watcher.id != self.id);
        if watchers.is_empty() {
            shard.remove(&self.account);
        }
    }
}
