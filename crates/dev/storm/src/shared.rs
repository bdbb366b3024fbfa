//! What the clients' threads have in common: the clock, what was seen and acknowledged, the gate between rounds, the log.

use crate::facts::Facts;
use crate::flags::Flags;
use crate::lasting::Lasts;
use crate::ledger::{Op, Seen};
use crate::settings::Setting;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Lines that are kept of each client for a failure's report.
const LOG_LINES: usize = 5000;

/// A mailbox as a fresh client sees it.
#[derive(Clone, Default, Debug)]
pub struct Truth {
    /// MAILBOXID
    pub id: String,
    /// UIDVALIDITY
    pub uid_validity: u32,
    /// UIDNEXT
    pub uid_next: u32,
    /// HIGHESTMODSEQ
    pub highest: u64,
    /// In order of UID.
    pub messages: Vec<Seen>,
    /// By UID.
    pub lasting: BTreeMap<u32, Lasts>,
}

impl Truth {
    /// An item of STATUS; None: it is not one that a client can count.
    pub fn figure(&self, item: &str) -> Option<u64> {
        let count =
            |wanted: &dyn Fn(&Seen) -> bool| self.messages.iter().filter(|seen| wanted(seen)).count() as u64;
        Some(match item {
            "MESSAGES" => count(&|_| true),
            "UNSEEN" => count(&|seen| !seen.flags.has(Flags::SEEN)),
            "DELETED" => count(&|seen| seen.flags.has(Flags::DELETED)),
            "SIZE" => self.messages.iter().map(|seen| seen.content.size).sum(),
            "UIDNEXT" => u64::from(self.uid_next),
            "UIDVALIDITY" => u64::from(self.uid_validity),
            "HIGHESTMODSEQ" => self.highest,
            _ => return None,
        })
    }
}

/// The mailboxes of each account by name.
pub type Truths = Vec<BTreeMap<String, Truth>>;

/// What LIST shows of a name that there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Whether its messages may be read.
    pub readable: bool,
    /// Whether it is subscribed to.
    pub subscribed: bool,
}

/// What an account sees beside messages.
#[derive(Clone, Default, Debug)]
pub struct View {
    /// Names of mailboxes.
    pub rows: BTreeMap<String, Row>,
    /// Metadata by mailbox (none: the server) and entry.
    pub entries: BTreeMap<(String, String), Option<String>>,
}

#[derive(Default)]
struct Gate {
    waiting: usize,
    passed: u64,
}

/// See the file's head.
pub struct Shared {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Name and password of each account.
    pub accounts: Vec<(String, String)>,
    clock: AtomicU64,
    next_id: AtomicU64,
    /// Acknowledged changes since the last quiet moment.
    pub ops: Mutex<Vec<Op>>,
    /// Values set since then, acknowledged or not.
    pub settings: Mutex<Vec<Setting>>,
    /// Sightings.
    pub facts: Mutex<Facts>,
    /// The mailboxes that each client has made, by name, with their ids.
    pub owned: Vec<Mutex<BTreeMap<String, String>>>,
    /// The outcome of some command of this round is not known.
    pub uncertain: AtomicBool,
    /// No more rounds.
    pub over: AtomicBool,
    /// Clients watch mailboxes by NOTIFY.
    pub notify: AtomicBool,
    /// The server was ended in this round, and started again.
    pub ended: AtomicBool,
    /// What a fresh client sees in this quiet moment.
    pub truths: Mutex<Arc<Truths>>,
    /// The same, of names and metadata, for each account.
    pub views: Mutex<Arc<Vec<View>>>,
    /// Commands answered, by name.
    pub counts: Mutex<HashMap<&'static str, u64>>,
    gate: Mutex<Gate>,
    gate_moved: Condvar,
    parties: usize,
    failure: Mutex<Option<String>>,
    logs: Vec<Mutex<VecDeque<(Instant, String)>>>,
}

/// Another thread has failed.
#[derive(Debug)]
pub struct Failed;

/// A lock that a failed thread may have held.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// For so many clients and the judge.
    pub fn new(address: SocketAddr, accounts: Vec<(String, String)>, clients: usize) -> Shared {
        Shared {
            address,
            truths: Mutex::new(Arc::new(vec![BTreeMap::new(); accounts.len()])),
            views: Mutex::new(Arc::new(vec![View::default(); accounts.len()])),
            settings: Mutex::default(),
            accounts,
            clock: AtomicU64::new(1),
            next_id: AtomicU64::new(1),
            ops: Mutex::default(),
            facts: Mutex::default(),
            owned: (0..clients).map(|_| Mutex::default()).collect(),
            uncertain: AtomicBool::new(false),
            over: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            notify: AtomicBool::new(false),
            counts: Mutex::default(),
            gate: Mutex::default(),
            gate_moved: Condvar::new(),
            parties: clients + 1,
            failure: Mutex::default(),
            logs: (0..=clients).map(|_| Mutex::default()).collect(),
        }
    }

    /// Whether the server was ended in this round, so that connections may break.
    pub fn was_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// The next moment.
    pub fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// A number for a new message.
    pub fn new_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::SeqCst)
    }

    /// Waits for all clients and the judge.
    ///
    /// # Errors
    /// Somebody has failed.
    pub fn gate(&self) -> Result<(), Failed> {
        let mut gate = lock(&self.gate);
        let passed = gate.passed;
        gate.waiting += 1;
        if gate.waiting == self.parties {
            *gate = Gate { waiting: 0, passed: passed + 1 };
            self.gate_moved.notify_all();
        }
        while gate.passed == passed {
            if self.has_failed() {
                return Err(Failed);
            }
            gate = self.gate_moved.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Ends everything; the first failure counts.
    pub fn fail(&self, why: String) {
        lock(&self.failure).get_or_insert(why);
        let _gate = lock(&self.gate);
        self.gate_moved.notify_all();
    }

    /// Whether somebody has failed.
    pub fn has_failed(&self) -> bool {
        lock(&self.failure).is_some()
    }

    /// Why it failed.
    pub fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }

    /// Keeps a line of a client's conversation.
    pub fn note(&self, client: usize, line: String) {
        let mut log = lock(&self.logs[client]);
        if log.len() == LOG_LINES {
            log.pop_front();
        }
        log.push_back((Instant::now(), line));
    }

    /// The last lines of all conversations, in order of time.
    pub fn log(&self) -> String {
        let mut lines: Vec<(Instant, usize, String)> = Vec::new();
        for (client, log) in self.logs.iter().enumerate() {
            lines.extend(lock(log).iter().map(|(when, line)| (*when, client, line.clone())));
        }
        lines.sort_by_key(|(when, ..)| *when);
        let Some(end) = lines.last().map(|(when, ..)| *when) else { return String::new() };
        let shown = lines.iter().map(|(when, client, line)| {
            let client =
                if *client == self.owned.len() { "judge".to_owned() } else { format!("client {client}") };
            format!("-{:9.6} {client}: {line}\n", (end - *when).as_secs_f64())
        });
        shown.collect()
    }
}
