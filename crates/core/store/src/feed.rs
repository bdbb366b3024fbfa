//! The change feed: who watches an account or a mailbox is told after each commit that touched it. Nobody polls.

use engine::AccountId;
use model::{MailboxId, ModSeq};
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Called after a commit, on the thread that learned of it: it must be quick and must not wait (set a flag and wake a
/// task).
pub type Notify = Arc<dyn Fn() + Send + Sync>;

/// The same, told of each mailbox that was touched (0: the list of mailboxes, subscriptions and metadata), and of the number
/// that the commit took in the account. Each commit takes the next one, but they may be told in another order, and after
/// they can be read.
pub type NotifyEach = Arc<dyn Fn(MailboxId, ModSeq) + Send + Sync>;

struct Watcher {
    id: u64,
    wanted: Wanted,
    key_resets: Arc<AtomicU32>,
}

#[derive(Clone)]
enum Wanted {
    /// Changes of one mailbox.
    Mailbox(MailboxId, Notify),
    /// Every change of the account, once for each commit.
    Account(Notify),
    /// Every change of the account, for each mailbox.
    Each(NotifyEach),
}

impl Wanted {
    fn tell(&self, touched: MailboxId, stamp: ModSeq) {
        match self {
            Wanted::Mailbox(_, notify) | Wanted::Account(notify) => notify(),
            Wanted::Each(notify) => notify(touched, stamp),
        }
    }
}

const SHARDS: usize = 64;

/// All watchers.
pub(crate) struct Feed {
    shards: [Mutex<FxHashMap<AccountId, Vec<Watcher>>>; SHARDS],
    next_id: AtomicU64,
    /// Accounts that changed since somebody took them.
    changed: Mutex<FxHashSet<AccountId>>,
}

/// A subscription; dropped, it ends.
pub struct Watch {
    feed: Arc<Feed>,
    account: AccountId,
    id: u64,
    key_resets: Arc<AtomicU32>,
}

impl Watch {
    /// How often, since the watch began, the access key of the one mailbox that it watches was replaced or taken away
    /// (RFC 4467 §7, RESETKEY). It is right when the watcher is called.
    pub fn key_resets(&self) -> u32 {
        self.key_resets.load(Ordering::Acquire)
    }
}

/// What a transaction changed.
#[derive(Default)]
pub(crate) struct Touched {
    /// Mailbox 0 stands for the list of mailboxes (of subscriptions, and of metadata).
    pub(crate) list: Vec<(AccountId, MailboxId)>,
    /// The number that each account took.
    pub(crate) stamps: Vec<(AccountId, ModSeq)>,
    /// The number that the server's shared entries took.
    pub(crate) server: Option<u64>,
    /// Mailboxes whose access keys were replaced or taken away.
    pub(crate) keys: Vec<(AccountId, MailboxId)>,
}

impl Touched {
    pub(crate) fn new() -> Touched {
        Touched::default()
    }

    pub(crate) fn push(&mut self, touched: (AccountId, MailboxId)) {
        self.list.push(touched);
    }
}

impl Feed {
    pub(crate) fn new() -> Feed {
        Feed {
            shards: std::array::from_fn(|_| Mutex::default()),
            next_id: AtomicU64::new(0),
            changed: Mutex::default(),
        }
    }

    fn shard(&self, account: AccountId) -> &Mutex<FxHashMap<AccountId, Vec<Watcher>>> {
        &self.shards[account.0 as usize % SHARDS]
    }

    fn watch(self: &Arc<Feed>, account: AccountId, wanted: Wanted) -> Watch {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let key_resets = Arc::<AtomicU32>::default();
        let watcher = Watcher { id, wanted, key_resets: key_resets.clone() };
        self.shard(account).lock().entry(account).or_default().push(watcher);
        Watch { feed: self.clone(), account, id, key_resets }
    }

    pub(crate) fn announce(&self, Touched { list: touched, stamps, keys, .. }: &Touched) {
        self.announce_keys(keys);
        self.changed.lock().extend(touched.iter().map(|(account, _)| *account));
        for (at, (account, mailbox)) in touched.iter().enumerate() {
            let shard = self.shard(*account).lock();
            let Some(watchers) = shard.get(account) else { continue };
            // One that watches the whole account is told once for all mailboxes of the transaction.
            let first_of_account = !touched[..at].iter().any(|(other, _)| other == account);
            let told: Vec<Wanted> = watchers
                .iter()
                .map(|watcher| &watcher.wanted)
                .filter(|wanted| match wanted {
                    Wanted::Account(_) => first_of_account,
                    Wanted::Mailbox(watched, _) => watched == mailbox,
                    Wanted::Each(_) => true,
                })
                .cloned()
                .collect();
            drop(shard);
            let stamp =
                stamps.iter().find(|(whose, _)| whose == account).map_or(ModSeq(0), |(_, stamp)| *stamp);
            told.iter().for_each(|wanted| wanted.tell(*mailbox, stamp));
        }
    }

    /// Those who have the mailbox open are told; nothing else of it has changed.
    fn announce_keys(&self, keys: &[(AccountId, MailboxId)]) {
        for (account, mailbox) in keys {
            let shard = self.shard(*account).lock();
            let Some(watchers) = shard.get(account) else { continue };
            let mut told = Vec::new();
            for watcher in watchers {
                if let Wanted::Mailbox(watched, notify) = &watcher.wanted
                    && watched == mailbox
                {
                    watcher.key_resets.fetch_add(1, Ordering::Release);
                    told.push(notify.clone());
                }
            }
            drop(shard);
            told.iter().for_each(|notify| notify());
        }
    }
}

impl crate::Store {
    /// Accounts that changed since the last call, each once: for work that follows behind the commits.
    pub fn take_changed(&self) -> Vec<AccountId> {
        std::mem::take(&mut *self.feed.changed.lock()).into_iter().collect()
    }

    /// Calls `notify` after each commit that changes the mailbox (its messages, flags or name), or anything of the
    /// account when `mailbox` is None. The change can be read when it is called. Several commits may cause one call.
    pub fn watch(&self, account: AccountId, mailbox: Option<MailboxId>, notify: Notify) -> Watch {
        self.feed
            .watch(account, mailbox.map_or(Wanted::Account(notify.clone()), |id| Wanted::Mailbox(id, notify)))
    }

    /// Calls `notify` after each commit that changes the account, with each mailbox that it touched. The shared entries
    /// of the server are those of [`SERVER`](crate::SERVER).
    pub fn watch_each(&self, account: AccountId, notify: NotifyEach) -> Watch {
        self.feed.watch(account, Wanted::Each(notify))
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
