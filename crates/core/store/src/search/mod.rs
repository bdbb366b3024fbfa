//! SEARCH (RFC 9051 §6.4.4): a neutral tree of conditions, evaluated by page.

mod condition;
mod fold;

use crate::keys::RowValue;
use crate::{Error, Store, read};
use condition::{Condition, Message};
use engine::{AccountId, Snapshot};
use model::{MailboxId, Query, Uid, UidSet};
use std::ops::ControlFlow;

/// A page of what SEARCH found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// Found on this page.
    pub uids: UidSet,
    /// Where the next page starts; None: that was all.
    pub next: Option<Uid>,
    /// Messages whose content is damaged: what depends on it did not match.
    pub unreadable: UidSet,
}

/// Rows looked at on a page when no content may be needed, and when it may.
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
        let snapshot = self.engine.snapshot()?;
        let value = read::mailbox(&*snapshot, account, mailbox)?;
        let table = self.keyword_table(&*snapshot, account, mailbox, &value)?;
        let condition = Condition::new(query, &table);
        let narrowed = narrow(query, among);
        let among = narrowed.as_ref().unwrap_or(among);
        let rows_max = if condition.may_need_content() { ROWS_WITH_CONTENT_MAX } else { ROWS_MAX };
        let mut wanted: Vec<Uid> = among.iter_from(from).take(rows_max + 1).collect();
        let next = if wanted.len() > rows_max { wanted.pop() } else { None };
        let mut found = Found { uids: UidSet::new(), next, unreadable: UidSet::new() };
        let mut undecided = Vec::new();
        read::rows(&*snapshot, account, mailbox, &wanted, &mut |uid, row| {
            match RowValue::decode(row) {
                None => drop(found.unreadable.insert(uid)),
                Some(row) => match condition.holds(&Message::row_only(uid, &row)) {
                    Some(true) => found.uids.push(uid),
                    Some(false) => {}
                    None => undecided.push((uid, row)),
                },
            }
            ControlFlow::Continue(())
        })?;
        let mut bytes_left = CONTENT_BYTES_MAX;
        for (uid, row) in undecided {
            if bytes_left == 0 {
                found.cut(uid);
                break;
            }
            match read_and_decide(&*snapshot, account, uid, &row, &condition, &mut bytes_left) {
                Ok(true) => drop(found.uids.insert(uid)),
                Ok(false) => {}
                Err(Error::Engine(engine::Error::Corrupt { .. })) => drop(found.unreadable.insert(uid)),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
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

/// Among which messages a query can hold at all, where it says so outright.
fn narrow(query: &Query, among: &UidSet) -> Option<UidSet> {
    match query {
        Query::Uids(uids) => Some(among.and(uids)),
        Query::And(all) => all.iter().fold(None, |narrowed, part| {
            let narrower = narrow(part, narrowed.as_ref().unwrap_or(among));
            narrower.or(narrowed)
        }),
        _ => None,
    }
}

/// The header first; the whole only if that does not decide.
fn read_and_decide(
    snapshot: &dyn Snapshot,
    account: AccountId,
    uid: Uid,
    row: &RowValue,
    condition: &Condition<'_>,
    bytes_left: &mut u64,
) -> Result<bool, Error> {
    let head = crate::rows::head(snapshot, account, row.doc)?;
    let mut bytes = Vec::new();
    let header_length = u64::from(head.header_length);
    snapshot.read_content(head.content, 0..header_length, &mut bytes)?;
    *bytes_left = bytes_left.saturating_sub(header_length);
    let message = Message::with_header(uid, row, &bytes);
    if let Some(decided) = condition.holds(&message) {
        return Ok(decided);
    }
    bytes.clear();
    snapshot.read_content(head.content, 0..u64::MAX, &mut bytes)?;
    *bytes_left = bytes_left.saturating_sub(bytes.len() as u64);
    let message = Message::whole(uid, row, &bytes, header_length as usize);
    Ok(condition.holds(&message).unwrap_or(false))
}
