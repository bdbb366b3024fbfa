//! What a delivery costs in the single committer: looked-up and written keys, counted, not timed.

use super::*;
use engine::{
    Abort, CheckReport, Commit, ContentId, Engine, Figures, Order, Packed, Progress, Read, Snapshot, Tx, Work,
};
use std::ops::{Bound, ControlFlow};
use std::sync::atomic::{AtomicU32, Ordering};

#[derive(Default)]
struct Counts {
    gets: AtomicU32,
    puts: AtomicU32,
    scans: AtomicU32,
}

impl Counts {
    fn take(&self) -> [u32; 3] {
        [&self.gets, &self.puts, &self.scans].map(|count| count.swap(0, Ordering::SeqCst))
    }
}

struct CountingEngine {
    inner: MemoryEngine,
    counts: Arc<Counts>,
}

struct CountingTx<'a> {
    inner: &'a mut dyn Tx,
    counts: &'a Counts,
}

impl Read for CountingTx<'_> {
    fn get_with(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<bool, engine::Error> {
        self.counts.gets.fetch_add(1, Ordering::SeqCst);
        self.inner.get_with(key, found)
    }

    fn scan(
        &self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        order: Order,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), engine::Error> {
        self.counts.scans.fetch_add(1, Ordering::SeqCst);
        self.inner.scan(range, order, visit)
    }
}

impl Tx for CountingTx<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), engine::Error> {
        self.counts.puts.fetch_add(1, Ordering::SeqCst);
        self.inner.put(key, value)
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), engine::Error> {
        self.counts.puts.fetch_add(1, Ordering::SeqCst);
        self.inner.delete(key)
    }

    fn append(&mut self, content: &Packed, references: u32) -> Result<ContentId, engine::Error> {
        self.inner.append(content, references)
    }

    fn refer(&mut self, id: ContentId, delta: i32) -> Result<(), engine::Error> {
        self.inner.refer(id, delta)
    }
}

impl Engine for CountingEngine {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, engine::Error> {
        self.inner.snapshot()
    }

    fn submit(&self, accounts: &[AccountId], mut work: Work) -> Commit {
        let counts = self.counts.clone();
        let counted = move |tx: &mut dyn Tx| -> Result<(), Abort> {
            work(&mut CountingTx { inner: tx, counts: &counts })
        };
        self.inner.submit(accounts, Box::new(counted))
    }

    fn compact(&self, progress: Progress<'_>) -> Result<u64, engine::Error> {
        self.inner.compact(progress)
    }

    fn check(&self, progress: Progress<'_>) -> Result<CheckReport, engine::Error> {
        self.inner.check(progress)
    }

    fn figures(&self) -> Figures {
        self.inner.figures()
    }
}

#[test]
fn a_delivery_looks_up_and_writes_a_handful_of_keys() {
    let counts = Arc::new(Counts::default());
    let store =
        Store::new(Arc::new(CountingEngine { inner: MemoryEngine::default(), counts: counts.clone() }));
    let accounts: Vec<AccountId> = (1..=10).map(AccountId).collect();
    for account in &accounts {
        store.create_account(*account, Limits::default(), NOW).wait().unwrap();
    }
    counts.take();
    store.deliver(delivery("Message-ID: <1@x>\nSubject: x\n\n", &accounts)).wait().unwrap();
    // Looked up: account, mailbox, thread. Written: row, message, its order, thread, change log, account, mailbox.
    assert_eq!(counts.take(), [3 * 10, 7 * 10, 0]);
    store
        .deliver(delivery("Message-ID: <2@x>\nReferences: <0@x> <1@x>\nSubject: x\n\n", &accounts[..1]))
        .wait()
        .unwrap();
    assert_eq!(counts.take(), [4, 7, 0], "an answer whose parent is known");
    // The worst case: an answer to many messages that nobody has.
    let references: String = (0..100).map(|number| format!(" <no{number}@x>")).collect();
    store
        .deliver(delivery(&format!("Message-ID: <3@x>\nReferences:{references}\n\n"), &accounts[..1]))
        .wait()
        .unwrap();
    let [gets, puts, _] = counts.take();
    assert!(gets <= 23 && puts <= 27, "{gets} looked up, {puts} written");
    // One range of the mailbox, however many messages.
    fill(&store, accounts[0], 1000);
    counts.take();
    let everything = (1..=1003).map(Uid).collect();
    let seen = change(FlagMode::Add, &[model::Flag::Seen], &[]);
    store.store_flags(accounts[0], INBOX, Arc::new(everything), seen, None, ModSeq(0)).wait().unwrap();
    assert_eq!(counts.take(), [2, 1003 + 3, 1], "three deliveries and a thousand more");
}
