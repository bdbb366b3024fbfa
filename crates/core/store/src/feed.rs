//! The change feed: who watches an account or a mailbox is told after each commit that touched it. Nobody polls.
//!
//! Whoever commits tells a few watchers himself. Where many watch one mailbox, they are told in a [`Round`] behind it:
//! neither the commit's acknowledgement nor what else its thread has to do waits for ten thousand of them. Each watch
//! counts its rings before anybody is told, so that who compares the count misses no commit that has been acknowledged.

use crate::look::Look;
use engine::AccountId;
use model::{MailboxId, ModSeq};
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};

/// Called after a commit, on the thread that learned of it or that makes the round: it must be quick and must not wait (set
/// a flag and wake a task).
pub type Notify = Arc<dyn Fn() + Send + Sync>;

/// The same, told of all mailboxes of the account that the commit touched (0: the list of mailboxes, subscriptions and
/// metadata), and of the number that it took there. Each commit takes the next one and is told once, but they may be told in
/// another order, and after they can be read.
pub type NotifyEach = Arc<dyn Fn(&[MailboxId], ModSeq) + Send + Sync>;

/// Most watchers of a mailbox that whoever commits tells himself.
const AT_ONCE_MAX: usize = 32;

const SHARDS: usize = 64;

/// Who watches one account. By number, so that thousands can leave as fast as they came.
#[derive(Default)]
struct Watchers {
    mailboxes: FxHashMap<MailboxId, Line>,
    account: BTreeMap<u64, NotifyEach>,
}

/// Who watches one mailbox.
#[derive(Default)]
struct Line {
    shared: Arc<Shared>,
    watchers: BTreeMap<u64, Notify>,
}

/// What all who watch one mailbox share.
#[derive(Default)]
pub(crate) struct Shared {
    /// Commits that touched it.
    rings: AtomicU64,
    key_resets: AtomicU32,
    /// They are about to be told by the thread.
    queued: AtomicBool,
    /// What they found when they looked last, all of it after the newest ring.
    pub(crate) looks: Mutex<Vec<Arc<Look>>>,
    /// Held by the one who looks.
    pub(crate) looking: Mutex<()>,
}

impl Shared {
    /// Commits of which somebody has been told or is being told.
    pub(crate) fn rings(&self) -> u64 {
        self.rings.load(Ordering::Acquire)
    }
}

/// All watchers.
pub(crate) struct Feed {
    shards: [Mutex<FxHashMap<AccountId, Watchers>>; SHARDS],
    next_id: AtomicU64,
    /// Accounts that changed since somebody took them.
    changed: Mutex<FxHashSet<AccountId>>,
    /// Who makes rounds; a thread, if nobody else does.
    ringer: OnceLock<Ringer>,
}

/// Makes a round: calls [`Round::tell`] until all are told. It must not wait for that itself.
pub type Ringer = Box<dyn Fn(Round) + Send + Sync>;

/// Many watchers that are to be told, some at a time, so that whoever does it leaves room for others in between.
pub struct Round {
    feed: Arc<Feed>,
    account: AccountId,
    mailbox: MailboxId,
    /// None: it has not begun.
    rest: Option<std::vec::IntoIter<Notify>>,
}

impl Round {
    /// Tells so many more; whether there may be others left.
    pub fn tell(&mut self, count: usize) -> bool {
        let rest = match &mut self.rest {
            Some(rest) => rest,
            None => self.rest.insert(self.feed.many(self.account, self.mailbox).into_iter()),
        };
        rest.by_ref().take(count).for_each(|notify| notify());
        !rest.as_slice().is_empty()
    }
}

/// A subscription to an account; dropped, it ends.
pub struct Watch {
    feed: Arc<Feed>,
    account: AccountId,
    id: u64,
}

/// A subscription to a mailbox; dropped, it ends.
pub struct MailboxWatch {
    feed: Arc<Feed>,
    account: AccountId,
    mailbox: MailboxId,
    id: u64,
    pub(crate) shared: Arc<Shared>,
    /// Before it began.
    key_resets: u32,
}

impl MailboxWatch {
    /// How often, since the watch began, the access key of the mailbox was replaced or taken away (RFC 4467 §7,
    /// RESETKEY). It is right when the watcher is called.
    pub fn key_resets(&self) -> u32 {
        self.shared.key_resets.load(Ordering::Acquire).wrapping_sub(self.key_resets)
    }

    /// How many commits have touched the mailbox. A commit is counted before it is acknowledged, and before the watcher is
    /// called.
    pub fn rings(&self) -> u64 {
        self.shared.rings()
    }

    /// Whose mailbox it is, and which.
    pub fn mailbox(&self) -> (AccountId, MailboxId) {
        (self.account, self.mailbox)
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
            ringer: OnceLock::new(),
        }
    }

    fn shard(&self, account: AccountId) -> &Mutex<FxHashMap<AccountId, Watchers>> {
        &self.shards[account.0 as usize % SHARDS]
    }

    fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn announce(self: &Arc<Feed>, Touched { list: touched, stamps, keys, .. }: &Touched) {
        for (account, mailbox) in keys {
            self.ring(*account, *mailbox, |shared| shared.key_resets.fetch_add(1, Ordering::Release));
        }
        self.changed.lock().extend(touched.iter().map(|(account, _)| *account));
        for (account, mailbox) in touched {
            self.ring(*account, *mailbox, |_| 0);
        }
        let accounts: FxHashSet<AccountId> = touched.iter().map(|(account, _)| *account).collect();
        for account in accounts {
            let each: Vec<NotifyEach> = match self.shard(account).lock().get(&account) {
                Some(watchers) if !watchers.account.is_empty() => {
                    watchers.account.values().cloned().collect()
                }
                _ => continue,
            };
            let stamp =
                stamps.iter().find(|(whose, _)| *whose == account).map_or(ModSeq(0), |(_, stamp)| *stamp);
            let of_account = touched.iter().filter(|(whose, _)| *whose == account);
            let mailboxes: Vec<MailboxId> = of_account.map(|(_, mailbox)| *mailbox).collect();
            each.iter().for_each(|notify| notify(&mailboxes, stamp));
        }
    }

    /// Tells those who watch a mailbox, after `note`.
    fn ring(self: &Arc<Feed>, account: AccountId, mailbox: MailboxId, note: impl Fn(&Shared) -> u32) {
        let shard = self.shard(account).lock();
        let Some(line) = shard.get(&account).and_then(|watchers| watchers.mailboxes.get(&mailbox)) else {
            return;
        };
        note(&line.shared);
        line.shared.rings.fetch_add(1, Ordering::AcqRel);
        if line.watchers.len() <= AT_ONCE_MAX {
            let few: Vec<Notify> = line.watchers.values().cloned().collect();
            drop(shard);
            few.iter().for_each(|notify| notify());
        } else if !line.shared.queued.swap(true, Ordering::AcqRel) {
            drop(shard);
            let round = Round { feed: self.clone(), account, mailbox, rest: None };
            match self.ringer.get() {
                Some(ringer) => ringer(round),
                None => by_thread(round),
            }
        }
    }

    /// The many who watch a mailbox. What happens from now on has a round of its own.
    fn many(&self, account: AccountId, mailbox: MailboxId) -> Vec<Notify> {
        let shard = self.shard(account).lock();
        let line = shard.get(&account).and_then(|watchers| watchers.mailboxes.get(&mailbox));
        let Some(line) = line else { return Vec::new() };
        line.shared.queued.store(false, Ordering::Release);
        line.watchers.values().cloned().collect()
    }
}

/// Hands a round to the one thread that makes them.
fn by_thread(round: Round) {
    static QUEUE: OnceLock<Sender<Round>> = OnceLock::new();
    let queue = QUEUE.get_or_init(|| {
        let (sender, receiver) = channel::<Round>();
        let body = move || receiver.into_iter().for_each(|mut round| while round.tell(usize::MAX) {});
        // Without a thread (out of memory) there is no receiver, and each makes his round himself.
        let _ = std::thread::Builder::new().name("store-ringer".into()).stack_size(128 * 1024).spawn(body);
        sender
    });
    if let Err(mut refused) = queue.send(round) {
        while refused.0.tell(usize::MAX) {}
    }
}

impl crate::Store {
    /// Accounts that changed since the last call, each once: for work that follows behind the commits.
    pub fn take_changed(&self) -> Vec<AccountId> {
        std::mem::take(&mut *self.feed.changed.lock()).into_iter().collect()
    }

    /// Who makes rounds from now on; the first one counts. They are fairer where watchers run beside everybody else.
    pub fn set_ringer(&self, ringer: Ringer) {
        let _ = self.feed.ringer.set(ringer);
    }

    /// Calls `notify` after each commit that changes the mailbox (its messages, flags, name or rights). The change can be
    /// read when it is called. Several commits may cause one call.
    pub fn watch(&self, account: AccountId, mailbox: MailboxId, notify: Notify) -> MailboxWatch {
        let (feed, id) = (self.feed.clone(), self.feed.next_id());
        let mut shard = feed.shard(account).lock();
        let line = shard.entry(account).or_default().mailboxes.entry(mailbox).or_default();
        line.watchers.insert(id, notify);
        let shared = line.shared.clone();
        let key_resets = shared.key_resets.load(Ordering::Acquire);
        drop(shard);
        MailboxWatch { feed, account, mailbox, id, shared, key_resets }
    }

    /// Calls `notify` after each commit that changes the account, with the mailboxes that it touched. The shared entries
    /// of the server are those of [`SERVER`](crate::SERVER).
    pub fn watch_each(&self, account: AccountId, notify: NotifyEach) -> Watch {
        let (feed, id) = (self.feed.clone(), self.feed.next_id());
        feed.shard(account).lock().entry(account).or_default().account.insert(id, notify);
        Watch { feed, account, id }
    }
}

impl Watchers {
    fn is_empty(&self) -> bool {
        self.mailboxes.is_empty() && self.account.is_empty()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut shard = self.feed.shard(self.account).lock();
        let Some(watchers) = shard.get_mut(&self.account) else { return };
        watchers.account.remove(&self.id);
        if watchers.is_empty() {
            shard.remove(&self.account);
        }
    }
}

impl Drop for MailboxWatch {
    fn drop(&mut self) {
        let mut shard = self.feed.shard(self.account).lock();
        let Some(watchers) = shard.get_mut(&self.account) else { return };
        let Some(line) = watchers.mailboxes.get_mut(&self.mailbox) else { return };
        line.watchers.remove(&self.id);
        if line.watchers.is_empty() {
            watchers.mailboxes.remove(&self.mailbox);
        }
        if watchers.is_empty() {
            shard.remove(&self.account);
        }
    }
}
