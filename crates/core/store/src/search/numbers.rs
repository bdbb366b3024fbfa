//! Which message stands at which UID of a mailbox: what turns messages that the text index names into UIDs.
//!
//! A UID never names another message, so what was once read stays true; kept in memory, for the mailboxes searched last.
//! EMAILIDs and UIDs mostly grow together, so runs of equal distance are few.

use crate::keys::{self, RowValue};
use crate::{Error, Store};
use engine::{AccountId, Order, Snapshot};
use model::{MailboxId, Uid, UidSet, UidValidity};
use parking_lot::Mutex;
use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// UIDs `uid..uid + length`, as far as there are such, are the messages `doc..doc + length`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Run {
    uid: u32,
    doc: u32,
    length: u32,
}

/// The messages of a mailbox up to some UID.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Numbers {
    runs: Vec<Run>,
    /// UIDs below this are in it.
    up_to: u32,
    /// Rows that can't be read.
    damaged: Vec<u32>,
}

type Key = (AccountId, MailboxId, UidValidity);

/// What is kept of it.
#[derive(Default)]
pub(crate) struct NumbersCache(Mutex<FxHashMap<Key, Arc<Numbers>>>);

/// Runs that are kept, of twelve bytes each.
const RUNS_MAX: usize = 1_000_000;
/// Mailboxes that are kept.
const MAILBOXES_MAX: usize = 1000;

impl Numbers {
    fn add(&mut self, uid: u32, doc: u32) {
        if let Some(run) = self.runs.last_mut()
            && uid.wrapping_sub(run.uid) == doc.wrapping_sub(run.doc)
        {
            run.length = uid - run.uid + 1;
            return;
        }
        self.runs.push(Run { uid, doc, length: 1 });
    }

    /// UIDs of these messages; some may be gone.
    pub(super) fn uids(&self, docs: &RoaringBitmap) -> UidSet {
        let mut uids = UidSet::new();
        for run in &self.runs {
            let last = run.doc + (run.length - 1);
            for doc in docs.range(run.doc..=last) {
                uids.push(Uid(run.uid + (doc - run.doc)));
            }
        }
        uids
    }

    /// Scores by UID instead of by message. `scores` ascend.
    pub(super) fn by_uid(&self, scores: &[(u32, u8)]) -> FxHashMap<Uid, u8> {
        let mut out = FxHashMap::default();
        for run in &self.runs {
            let last = run.doc + (run.length - 1);
            let first = scores.partition_point(|(doc, _)| *doc < run.doc);
            for (doc, score) in scores[first..].iter().take_while(|(doc, _)| *doc <= last) {
                out.insert(Uid(run.uid + (doc - run.doc)), *score);
            }
        }
        out
    }

    /// Rows that can't be read: nobody knows which messages they are.
    pub(super) fn damaged(&self) -> UidSet {
        self.damaged.iter().copied().map(Uid).collect()
    }
}

impl Store {
    /// The messages of a mailbox, as of a snapshot or later.
    pub(super) fn numbers(
        &self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        mailbox: MailboxId,
        (validity, uid_next): (UidValidity, Uid),
    ) -> Result<Arc<Numbers>, Error> {
        let key = (account, mailbox, validity);
        let known = self.numbers.0.lock().get(&key).cloned().unwrap_or_default();
        if known.up_to >= uid_next.0 {
            return Ok(known);
        }
        let mut numbers = Numbers::clone(&known);
        let first = keys::row(account, mailbox, Uid(known.up_to));
        let (_, end) = keys::rows_range(account, mailbox);
        snapshot.scan(
            (Bound::Included(&first), Bound::Excluded(&end)),
            Order::Ascending,
            &mut |key, row| {
                match (keys::last_u32(key), RowValue::doc_of(row)) {
                    (Some(uid), Some(doc)) => numbers.add(uid, doc.0),
                    (Some(uid), None) => numbers.damaged.push(uid),
                    (None, _) => {}
                }
                ControlFlow::Continue(())
            },
        )?;
        numbers.up_to = uid_next.0;
        let numbers = Arc::new(numbers);
        let mut cache = self.numbers.0.lock();
        cache.insert(key, numbers.clone());
        let mut runs: usize = cache.values().map(|numbers| numbers.runs.len()).sum();
        while runs > RUNS_MAX || cache.len() > MAILBOXES_MAX {
            // Any one: what was searched a moment ago is made again quickly enough.
            let Some(other) = cache.keys().copied().find(|other| *other != key) else { break };
            runs -= cache.remove(&other).map_or(0, |numbers| numbers.runs.len());
        }
        Ok(numbers)
    }
}
