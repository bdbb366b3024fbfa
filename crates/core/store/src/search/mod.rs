//! SEARCH (RFC 9051 §6.4.4): a neutral tree of conditions, evaluated by page. What the text index (`index`) does not
//! answer outright is looked at row by row, and then message by message.

mod condition;
mod fold;
mod fuzzy;
mod index;
mod numbers;
mod text;
mod tokens;

pub(crate) use index::check;
pub use index::{IndexGoal, IndexProgress, IndexStatus};
pub(crate) use numbers::NumbersCache;

use crate::keys::{MailboxValue, RowValue};
use crate::{Error, Store, read};
use condition::{Condition, Message};
use engine::{AccountId, Snapshot};
pub(crate) use fold::Needle;
use index::Index;
use model::{MailboxId, Query, Uid, UidSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A page of what SEARCH found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// Found on this page.
    pub uids: UidSet,
    /// Where the next page starts; None: that was all.
    pub next: Option<Uid>,
    /// Of those found by a FUZZY key, how like they are, 1 to 100 (RFC 6203 §4); ascending by UID.
    pub scores: Vec<(Uid, u8)>,
    /// Messages whose content is damaged: what depends on it did not match.
    pub unreadable: UidSet,
}

/// How texts are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// With the text index, where there is one.
    Index,
    /// By reading every message: what the index is compared with.
    #[cfg(test)]
    Messages,
}

/// Rows looked at on a page, and messages of which content is read.
const ROWS_MAX: usize = 20_000;
const ROWS_WITH_CONTENT_MAX: usize = 2_000;

/// A page ends when so much content was read.
const CONTENT_BYTES_MAX: u64 = 8 * 1024 * 1024;

impl Store {
    /// Looks for messages of a mailbox among `among`, from `from` on: a bounded page of work ([`Found::next`]). What is
    /// cheap is looked at first, the content only when it decides.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn search(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        query: &Query,
        among: &UidSet,
        from: Uid,
    ) -> Result<Found, Error> {
        self.search_by(Means::Index, account, mailbox, query, among, from)
    }

    pub(crate) fn search_by(
        &self,
        means: Means,
        account: AccountId,
        mailbox: MailboxId,
        query: &Query,
        among: &UidSet,
        from: Uid,
    ) -> Result<Found, Error> {
        let snapshot = self.engine.snapshot()?;
        let value = read::mailbox(&*snapshot, account, mailbox)?;
        let table = self.keyword_table(&*snapshot, account, mailbox, &value)?;
        let mut condition = Condition::new(query, &table);
        let live = match means == Means::Index && condition.has_text() {
            true => self.consult(&*snapshot, account, mailbox, &value, &mut condition)?,
            false => None,
        };
        let bounds = condition.bounds(among);
        // A message of `among` may be gone.
        let surely = live.as_ref().map_or_else(UidSet::new, |live| bounds.surely.and(live));
        let unweighed = condition.unweighed(among);
        let surely = surely.minus(&unweighed);
        let possibly = bounds.possibly.minus(&surely);
        let rows_max =
            if live.is_some() || !condition.may_need_content() { ROWS_MAX } else { ROWS_WITH_CONTENT_MAX };
        let mut wanted: Vec<Uid> = possibly.iter_from(from).take(rows_max + 1).collect();
        let next = if wanted.len() > rows_max { wanted.pop() } else { None };
        let mut found = Found { uids: surely, next, scores: Vec::new(), unreadable: UidSet::new() };
        if from > Uid(1) {
            let mut before = UidSet::new();
            before.insert_range(Uid(0), Uid(from.0 - 1));
            found.uids = found.uids.minus(&before);
        }
        if let Some(next) = next {
            found.cut(next);
        }
        let mut undecided = Vec::new();
        read::rows(&*snapshot, account, mailbox, &wanted, &mut |uid, row| {
            match RowValue::decode(row) {
                None => drop(found.unreadable.insert(uid)),
                Some(row) => match condition.holds(&Message::row_only(uid, &row)) {
                    Some(true) if !unweighed.contains(uid) => drop(found.uids.insert(uid)),
                    Some(false) => {}
                    _ => undecided.push((uid, row)),
                },
            }
            ControlFlow::Continue(())
        })?;
        let mut bytes_left = CONTENT_BYTES_MAX;
        for (read, (uid, row)) in undecided.into_iter().enumerate() {
            if bytes_left == 0 || read == ROWS_WITH_CONTENT_MAX {
                found.cut(uid);
                break;
            }
            let reading = Reading { uid, row: &row, is_weighed: !unweighed.contains(uid) };
            match read_and_decide(&*snapshot, account, &reading, &condition, &mut bytes_left) {
                Ok(true) => drop(found.uids.insert(uid)),
                Ok(false) => {}
                Err(Error::Engine(engine::Error::Corrupt { .. })) => drop(found.unreadable.insert(uid)),
                Err(error) => return Err(error),
            }
        }
        if condition.is_fuzzy() {
            let scores = found.uids.iter().filter_map(|uid| Some((uid, condition.score(uid)?)));
            found.scores = scores.collect();
        }
        Ok(found)
    }

    /// Asks the text index, if there is one that is sound; answers the messages that are there now then.
    fn consult(
        &self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        mailbox: MailboxId,
        value: &MailboxValue,
        condition: &mut Condition<'_>,
    ) -> Result<Option<Arc<UidSet>>, Error> {
        let next_doc = read::account(snapshot, account)?.next_doc;
        let mut ask = || {
            let Some(index) = Index::open(snapshot, account, next_doc)? else { return Ok(None) };
            let numbers = self.numbers(snapshot, account, mailbox, (value.uid_validity, value.uid_next))?;
            let live = self.open(account, mailbox)?.uids;
            condition.consult(&index, &numbers, &live).map(|()| Some(live))
        };
        match ask() {
            // The check tells the operator. Here the messages themselves are read.
            Err(Error::Engine(engine::Error::Corrupt { .. })) => {
                condition.forget();
                Ok(None)
            }
            asked => asked,
        }
    }
}

impl Found {
    /// Ends the page before `uid`.
    fn cut(&mut self, uid: Uid) {
        let mut behind = UidSet::new();
        behind.insert_range(uid, Uid(u32::MAX));
        self.uids = self.uids.minus(&behind);
        self.unreadable = self.unreadable.minus(&behind);
        self.next = Some(uid);
    }
}

/// A message that its row does not decide.
struct Reading<'r> {
    uid: Uid,
    row: &'r RowValue,
    is_weighed: bool,
}

/// The header first; the whole only if that does not decide, or if its likeness is wanted.
fn read_and_decide(
    snapshot: &dyn Snapshot,
    account: AccountId,
    reading: &Reading<'_>,
    condition: &Condition<'_>,
    bytes_left: &mut u64,
) -> Result<bool, Error> {
    let Reading { uid, row, is_weighed } = *reading;
    let head = crate::rows::head(snapshot, account, row.doc)?;
    let mut bytes = Vec::new();
    let header_length = u64::from(head.header_length);
    snapshot.read_content(head.content, 0..header_length, &mut bytes)?;
    *bytes_left = bytes_left.saturating_sub(header_length);
    let message = Message::with_header(uid, row, &bytes);
    match condition.holds(&message) {
        Some(decided) if is_weighed || !decided => return Ok(decided),
        _ => {}
    }
    bytes.clear();
    snapshot.read_content(head.content, 0..u64::MAX, &mut bytes)?;
    *bytes_left = bytes_left.saturating_sub(bytes.len() as u64);
    let message = Message::whole(uid, row, &bytes, header_length as usize);
    let holds = condition.holds(&message).unwrap_or(false);
    if holds && !is_weighed {
        condition.weigh(&message);
    }
    Ok(holds)
}
