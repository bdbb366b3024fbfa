//! SEARCH (RFC 9051 §6.4.4): a neutral tree of conditions, evaluated by page.

mod condition;
mod fold;

use crate::keys::RowValue;
use crate::{Error, Store, read};
use condition::{Condition, Message};
use engine::{AccountId, Snapshot};
use model::{EmailId, Keyword, MailboxId, ModSeq, ThreadId, Uid, UidSet, UnixTime};
use std::ops::ControlFlow;

/// A civil date: days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(pub i32);

/// How a date is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Earlier than that day.
    Before,
    /// Within that day.
    On,
    /// Within that day or later.
    Since,
}

/// Which date is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateOf {
    /// INTERNALDATE, its day in UTC.
    Internal,
    /// The Date header field, its day as written, without regard to time and zone. Fails when there is none.
    Sent,
    /// SAVEDATE, its day in UTC.
    Saved,
}

/// What SEARCH looks for. Texts are UTF-8; they match as substrings of the decoded text (RFC 2047, transfer encodings,
/// charsets), both brought to NFC and Unicode's lower case, letter by letter. An empty text matches everything that has
/// the field.
#[derive(Clone, PartialEq, Debug)]
pub enum Query {
    /// Every message.
    All,
    /// One of these (sequence numbers, UIDs, \Recent).
    Uids(UidSet),
    /// Has the system flag.
    Flag(model::Flag),
    /// Has the keyword.
    Keyword(Keyword),
    /// Not that.
    Not(Box<Query>),
    /// All of these; an empty list holds for every message.
    And(Vec<Query>),
    /// Either of the two.
    Or(Box<Query>, Box<Query>),
    /// Has a header field of that name (any case) with that text in it (FROM, TO, CC, BCC and SUBJECT as well).
    Header {
        /// Field name.
        name: String,
        /// Empty: the field must be there.
        text: String,
    },
    /// Text in the body, not the header.
    Body(String),
    /// Text in header or body.
    Text(String),
    /// More octets than that.
    Larger(u64),
    /// Fewer octets than that.
    Smaller(u64),
    /// By a date.
    Date(DateOf, When, Day),
    /// INTERNALDATE at or after this moment (YOUNGER, RFC 5032).
    ReceivedFrom(UnixTime),
    /// INTERNALDATE at or before this moment (OLDER, RFC 5032).
    ReceivedUpTo(UnixTime),
    /// Modification sequence at least that (RFC 7162 §3.1.5).
    ModSeq(ModSeq),
    /// RFC 8474 §5.1.
    EmailId(EmailId),
    /// RFC 8474 §5.2.
    ThreadId(ThreadId),
}

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
