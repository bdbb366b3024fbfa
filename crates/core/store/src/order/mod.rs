//! SORT and THREAD (RFC 5256, RFC 5957): the messages of a mailbox that a search has found, put in order.
//!
//! What is needed of each message is its row and its order record (`record`); contents are read only of messages that
//! have no record yet, and at most [`ORDER_STEP_MAX`] of those at a time. Rows and records are read by page, with a
//! snapshot for each; in memory stay the columns that are compared (`sort`) or the references (`thread`).

pub(crate) mod casemap;
mod forest;
mod record;
mod sort;
mod thread;

pub(crate) use record::OrderValue;

use crate::keys::{self, RowValue};
use crate::{Error, Store, annotation, read};
use engine::{AccountId, Order, Snapshot};
use model::{AnnotationKey, Arrangement, Comparator, EmailId, MailboxId, ThreadNode, Uid, UidSet, UnixTime};
use sort::{Shown, Sorter};
use std::ops::{Bound, ControlFlow};
use thread::Threader;

/// Messages without a record that one call reads at most.
pub const ORDER_STEP_MAX: usize = 2000;

/// Rows of a page.
const PAGE: usize = 20_000;

/// Records skipped in a scan rather than jumped over.
const GAP_MAX: u32 = 16;

/// Messages in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Ordered {
    /// Sorted.
    Sorted(Vec<Uid>),
    /// In threads, parents before their children.
    Threaded(Vec<ThreadNode>),
    /// Some of these messages had no record and have one now; ask again. Each call gets further.
    Preparing,
}

/// Who sorts, and what is known of the messages beside what the store keeps.
#[derive(Clone, Copy, Debug)]
pub struct SortedFor<'a> {
    /// Whose private annotations are meant (RFC 5257 §4.9).
    pub user: AccountId,
    /// Scores of a search, ascending by UID, for RELEVANCY (RFC 6203 §6).
    pub scores: &'a [(Uid, u8)],
}

/// What takes in the messages, in ascending order of UID.
enum Taker {
    Sort(Sorter),
    Thread(Threader),
}

/// A record made just now.
struct Made {
    doc: EmailId,
    value: Vec<u8>,
}

impl Store {
    /// Puts messages of a mailbox in order, their texts by `comparator` (RFC 5255 §4.2). Those that are not there (any
    /// more) are left out. `seen` is what else is known of them.
    ///
    /// # Errors
    /// [`Error::NoMailbox`]; reading failed; a missing record could not be written.
    pub fn order(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: &UidSet,
        arrangement: &Arrangement,
        comparator: Comparator,
        seen: SortedFor<'_>,
    ) -> Result<Ordered, Error> {
        let mut taker = match arrangement {
            Arrangement::Sorted(criteria) => {
                let snapshot = self.engine.snapshot()?;
                let texts =
                    |key: &AnnotationKey| annotation::texts(&*snapshot, account, mailbox, seen.user, key);
                Taker::Sort(Sorter::new(criteria, comparator, texts)?)
            }
            Arrangement::Threaded(algorithm) => {
                Taker::Thread(Threader::new(*algorithm, comparator.collation))
            }
        };
        read::mailbox(&*self.engine.snapshot()?, account, mailbox)?;
        let mut there: Vec<Uid> = Vec::with_capacity(uids.len() as usize);
        let mut made = Vec::new();
        let mut from = Uid(0);
        loop {
            let mut wanted: Vec<Uid> = uids.iter_from(from).take(PAGE + 1).collect();
            let next = if wanted.len() > PAGE { wanted.pop() } else { None };
            let page = Page::read(&*self.engine.snapshot()?, account, mailbox, &wanted, &taker, &mut made)?;
            page.give(&mut taker, &mut there, seen.scores);
            if made.len() >= ORDER_STEP_MAX {
                self.keep_orders(account, made).wait()?;
                return Ok(Ordered::Preparing);
            }
            match next {
                Some(next) => from = next,
                None => break,
            }
        }
        if !made.is_empty() {
            // Nobody waits for it: whoever sorts before it is durable makes them again.
            drop(self.keep_orders(account, made));
        }
        Ok(match taker {
            Taker::Sort(sorter) => {
                Ordered::Sorted(sorter.finish().into_iter().map(|place| there[place as usize]).collect())
            }
            Taker::Thread(threader) => Ordered::Threaded(threader.finish(&there)),
        })
    }

    /// Writes records that were missing, of messages that are still there.
    fn keep_orders(&self, account: AccountId, made: Vec<Made>) -> crate::Written<()> {
        self.transact(&[account], move |tx, _| {
            for Made { doc, value } in &made {
                if tx.get_with(&keys::message(account, *doc), &mut |_| {})? {
                    tx.put(&keys::order(account, *doc), value)?;
                }
            }
            Ok(())
        })
    }
}

impl Taker {
    fn needs_records(&self) -> bool {
        match self {
            Taker::Sort(sorter) => sorter.needs_records(),
            Taker::Thread(_) => true,
        }
    }
}

/// A message of a page, with its record in the page's buffer.
struct Entry {
    uid: Uid,
    doc: EmailId,
    shown: Shown,
    record: (usize, usize),
}

struct Page {
    entries: Vec<Entry>,
    records: Vec<u8>,
}

impl Page {
    fn read(
        snapshot: &dyn Snapshot,
        account: AccountId,
        mailbox: MailboxId,
        wanted: &[Uid],
        taker: &Taker,
        made: &mut Vec<Made>,
    ) -> Result<Page, Error> {
        let mut page = Page { entries: Vec::with_capacity(wanted.len()), records: Vec::new() };
        read::rows(snapshot, account, mailbox, wanted, &mut |uid, row| {
            // A damaged row is left out, as it is in SEARCH.
            if let Some(row) = RowValue::decode(row) {
                let shown = Shown { received: row.received, size: row.size, score: 0 };
                page.entries.push(Entry { uid, doc: row.doc, shown, record: (0, 0) });
            }
            ControlFlow::Continue(())
        })?;
        if taker.needs_records() {
            page.read_records(snapshot, account)?;
            page.make_missing(snapshot, account, made)?;
        }
        Ok(page)
    }

    /// Reads the records in the order of their keys, with few scans where they are dense.
    fn read_records(&mut self, snapshot: &dyn Snapshot, account: AccountId) -> Result<(), Error> {
        let mut by_doc: Vec<(EmailId, usize)> =
            self.entries.iter().enumerate().map(|(at, entry)| (entry.doc, at)).collect();
        by_doc.sort_unstable();
        for span in by_doc.chunk_by(|a, b| b.0.0 - a.0.0 <= GAP_MAX) {
            let ends = [span[0].0, span[span.len() - 1].0].map(|doc| keys::order(account, doc));
            let bounds = (Bound::Included(&*ends[0]), Bound::Included(&*ends[1]));
            let mut wanted = span.iter().peekable();
            snapshot.scan(bounds, Order::Ascending, &mut |key, value| {
                let doc = EmailId(keys::last_u32(key).unwrap_or_default());
                while wanted.next_if(|(next, _)| *next < doc).is_some() {}
                if wanted.peek().is_some_and(|(next, _)| *next == doc) && OrderValue::decode(value).is_some()
                {
                    let start = self.records.len();
                    self.records.extend_from_slice(value);
                    // The same message may stand in a mailbox several times.
                    while let Some((_, at)) = wanted.next_if(|(next, _)| *next == doc) {
                        self.entries[*at].record = (start, self.records.len());
                    }
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(())
    }

    /// Makes records of messages that have none, up to the limit.
    fn make_missing(
        &mut self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        made: &mut Vec<Made>,
    ) -> Result<(), Error> {
        let mut header = Vec::new();
        for entry in &mut self.entries {
            if entry.record.1 > 0 {
                continue;
            }
            if made.len() >= ORDER_STEP_MAX {
                return Ok(());
            }
            header.clear();
            match read_header(snapshot, account, entry.doc, &mut header) {
                // What can't be read sorts as if it had no header at all; the search reported it.
                Ok(()) | Err(Error::Engine(engine::Error::Corrupt { .. })) => {}
                Err(error) => return Err(error),
            }
            let value = OrderValue::encode(&mime::Envelope::parse(&header));
            let start = self.records.len();
            self.records.extend_from_slice(&value);
            entry.record = (start, self.records.len());
            made.push(Made { doc: entry.doc, value });
        }
        Ok(())
    }

    fn give(&self, taker: &mut Taker, there: &mut Vec<Uid>, scores: &[(Uid, u8)]) {
        for entry in &self.entries {
            there.push(entry.uid);
            let record = OrderValue::decode(&self.records[entry.record.0..entry.record.1]);
            match taker {
                Taker::Sort(sorter) => {
                    let score = scores.binary_search_by_key(&entry.uid, |(uid, _)| *uid);
                    let score = score.map_or(0, |at| scores[at].1);
                    sorter.push(entry.uid, Shown { score, ..entry.shown }, record.as_ref());
                }
                Taker::Thread(threader) => threader.push(entry.shown.received, record.as_ref()),
            }
        }
    }
}

fn read_header(
    snapshot: &dyn Snapshot,
    account: AccountId,
    doc: EmailId,
    header: &mut Vec<u8>,
) -> Result<(), Error> {
    let head = crate::rows::head(snapshot, account, doc)?;
    Ok(snapshot.read_content(head.content, 0..u64::from(head.header_length), header)?)
}

/// When a message was sent, or else came (RFC 5256 §2.2).
fn sent(received: UnixTime, record: Option<&OrderValue<'_>>) -> UnixTime {
    record.and_then(|record| record.sent).unwrap_or(received)
}
