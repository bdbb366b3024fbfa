//! Reading messages by page.

use crate::keys::{self, MessageValue, RowValue};
use crate::read::{self, corrupt};
use crate::{Digest, Error, Store, seen};
use engine::{AccountId, ContentId, Snapshot};
use model::{EmailId, Flag, FlagSet, Keyword, MailboxId, ModSeq, ThreadId, Uid, UidSet, UnixTime};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What is wanted of each message beside what a [`Row`] always has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// [`Row::digest`], if one is kept.
    pub digest: bool,
    /// [`Row::content`].
    pub content: ContentNeed,
}

/// How much of the content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ContentNeed {
    /// None: neither the content nor the message's own record is touched.
    #[default]
    None,
    /// The header with the empty line behind it.
    Header,
    /// This range, cut at the end of the message.
    Range {
        /// First octet.
        start: u64,
        /// Octets.
        length: u64,
    },
}

impl ContentNeed {
    /// Octets of a message of this size; None: that is not known before it is read.
    fn octets_of(self, size: u64) -> Option<u64> {
        match self {
            ContentNeed::None => Some(0),
            ContentNeed::Header => None,
            ContentNeed::Range { start, length } => Some(size.saturating_sub(start).min(length)),
        }
    }
}

/// Which page of a mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Messages that are wanted at all.
    pub uids: &'a UidSet,
    /// The first that may be in this page.
    pub from: Uid,
    /// What is wanted of each.
    pub needs: Needs,
    /// Most messages.
    pub rows_max: usize,
    /// Octets of contents and digests at which the page ends (after the first message).
    pub bytes_max: usize,
    /// Whose \Seen the rows have: one who has his own there ([`Acl::private_seen`](crate::Acl::private_seen)); None: the
    /// mailbox's. It is of the same moment as the MODSEQ beside it.
    pub seen: Option<AccountId>,
}

/// A page of messages.
#[derive(Debug)]
pub struct Rows<T = Row> {
    /// In ascending order. What lies between two of them (or before `next`) does not exist any more.
    pub rows: Vec<T>,
    /// Where the next page starts; None: that was all.
    pub next: Option<Uid>,
    /// Names of all keywords that the rows may have, by number.
    pub keywords: Arc<[Keyword]>,
    /// Records that could not be decoded, in words for the operator's log.
    pub damaged: Vec<String>,
}

/// One message of a mailbox.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// UID
    pub uid: Uid,
    /// EMAILID
    pub email_id: EmailId,
    /// THREADID
    pub thread_id: ThreadId,
    /// MODSEQ
    pub modseq: ModSeq,
    /// System flags.
    pub flags: FlagSet,
    /// Numbers of its keywords, ascending.
    pub keywords: Vec<u16>,
    /// RFC822.SIZE: octets of the content.
    pub size: u64,
    /// INTERNALDATE
    pub received: UnixTime,
    /// SAVEDATE (RFC 8514): when it came into this mailbox.
    pub saved: UnixTime,
    /// If asked for and kept.
    pub digest: Option<Box<Digest>>,
    /// As asked for.
    pub content: RowContent,
}

/// What [`Row::content`] brings.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum RowContent {
    /// It was not asked for.
    #[default]
    None,
    /// CRLF text as stored, beginning where it was asked to (a header at 0).
    Bytes(Vec<u8>),
    /// The record is damaged; the reason for the operator's log.
    Corrupt(String),
}

impl Store {
    /// Messages of a mailbox in ascending order of UID from `from` on: those of `uids` that are there, at most
    /// `rows_max`, and no more (after the first) once contents and digests have come to `bytes_max` octets.
    ///
    /// # Errors
    /// [`Error::NoMailbox`]; a damaged row is left out, a damaged content is told in its row.
    #[expect(clippy::too_many_arguments, reason = "a page is named by all of these")]
    pub fn rows(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: &UidSet,
        from: Uid,
        needs: Needs,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<Rows, Error> {
        let page = Page { uids, from, needs, rows_max, bytes_max, seen: None };
        self.rows_as(account, mailbox, page, |row| row)
    }

    /// The same, each row as the caller wants to have it. A list of 200,000 flags is a matter of what is done for each row:
    /// one is made where it stays.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub fn rows_as<T>(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        page: Page<'_>,
        mut make: impl FnMut(Row) -> T,
    ) -> Result<Rows<T>, Error> {
        let Page { uids, from, needs, rows_max, bytes_max, seen } = page;
        let snapshot = self.engine.snapshot()?;
        let value = read::mailbox(&*snapshot, account, mailbox)?;
        let mut wanted: Vec<Uid> = uids.iter_from(from).take(rows_max.max(1).saturating_add(1)).collect();
        let mut next = if wanted.len() > rows_max.max(1) { wanted.pop() } else { None };
        let seen = Seen::load(&*snapshot, account, mailbox, seen, &wanted)?;
        let bare = needs == Needs::default();
        let mut rows = Vec::with_capacity(if bare { wanted.len() } else { 0 });
        let (mut unfilled, mut octets, mut has_keywords) = (Vec::new(), 0, false);
        let mut damaged = Vec::new();
        read::rows(&*snapshot, account, mailbox, &wanted, &mut |uid, value| {
            let Some(value) = RowValue::decode(value) else {
                damaged.push(format!("row of mailbox {mailbox}, message {uid} of account {}", account.0));
                return ControlFlow::Continue(());
            };
            has_keywords |= !value.keywords.is_empty();
            if bare {
                rows.push(make(seen.shown(Row::new(uid, value))));
                return ControlFlow::Continue(());
            }
            octets += needs.content.octets_of(u64::from(value.size)).unwrap_or(0);
            unfilled.push(seen.shown(Row::new(uid, value)));
            if octets < bytes_max as u64 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if let Some(last) = unfilled.last().filter(|_| octets >= bytes_max as u64) {
            // The contents of these alone end the page.
            let behind = wanted.partition_point(|uid| *uid <= last.uid);
            next = wanted.get(behind).copied().or(next);
        }
        if !bare {
            let full = Fill { snapshot: &*snapshot, account, needs, bytes_max };
            next = full.fill(unfilled, &mut damaged, |row| rows.push(make(row)))?.or(next);
        }
        let keywords = if has_keywords {
            self.keyword_table(&*snapshot, account, mailbox, &value)?
        } else {
            Arc::default()
        };
        Ok(Rows { rows, next, keywords, damaged })
    }

    /// Octets `start..start + length` of one message, fewer at its end.
    ///
    /// # Errors
    /// [`Error::NoMessage`] when it is not (any more) in that mailbox; [`Error::Engine`] with `Corrupt`.
    pub fn content(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uid: Uid,
        start: u64,
        length: u64,
    ) -> Result<Vec<u8>, Error> {
        let snapshot = self.engine.snapshot()?;
        let damaged = || corrupt(account, &format!("row of mailbox {mailbox}, message"), uid);
        let row = read::value(&*snapshot, &keys::row(account, mailbox, uid), RowValue::decode, damaged)?;
        let row = row.ok_or(Error::NoMessage)?;
        let head = head(&*snapshot, account, row.doc)?;
        let mut out = Vec::new();
        snapshot.read_content(head.content, start..start.saturating_add(length), &mut out)?;
        Ok(out)
    }
}

impl Row {
    fn new(uid: Uid, value: RowValue) -> Row {
        Row {
            uid,
            email_id: value.doc,
            thread_id: value.thread,
            modseq: value.modseq,
            flags: value.flags,
            keywords: value.keywords,
            size: u64::from(value.size),
            received: value.received,
            saved: value.saved,
            digest: None,
            content: RowContent::None,
        }
    }
}

/// Whose \Seen the rows of a page have.
enum Seen {
    /// The mailbox's, as the rows have it.
    OfMailbox,
    /// A reader's own.
    OfReader(UidSet),
}

impl Seen {
    fn load(
        snapshot: &dyn Snapshot,
        account: AccountId,
        mailbox: MailboxId,
        reader: Option<AccountId>,
        wanted: &[Uid],
    ) -> Result<Seen, Error> {
        match (reader, wanted.first(), wanted.last()) {
            (Some(reader), Some(first), Some(last)) => {
                Ok(Seen::OfReader(seen::load(snapshot, account, mailbox, reader, *first, *last)?))
            }
            _ => Ok(Seen::OfMailbox),
        }
    }

    fn shown(&self, mut row: Row) -> Row {
        if let Seen::OfReader(uids) = self {
            row.flags = match uids.contains(row.uid) {
                true => row.flags.with(Flag::Seen),
                false => row.flags.without(Flag::Seen),
            };
        }
        row
    }
}

/// What of a message's record is needed to read its content.
pub(crate) struct Head {
    pub(crate) content: ContentId,
    pub(crate) header_length: u32,
}

/// Reads a message's record.
pub(crate) fn head(snapshot: &dyn Snapshot, account: AccountId, doc: EmailId) -> Result<Head, Error> {
    let decode = |value: &[u8]| {
        let message = MessageValue::decode(value)?;
        Some(Head { content: message.content, header_length: message.header_length })
    };
    let damaged = || corrupt(account, "message", doc);
    // A row without its message is damage, too.
    read::value(snapshot, &keys::message(account, doc), decode, damaged)?.ok_or_else(damaged)
}

/// Adds digests and contents to rows.
struct Fill<'a> {
    snapshot: &'a dyn Snapshot,
    account: AccountId,
    needs: Needs,
    bytes_max: usize,
}

impl Fill<'_> {
    /// Hands out row by row; answers where the next page starts if `bytes_max` cut this one short.
    fn fill(
        &self,
        rows: Vec<Row>,
        damaged: &mut Vec<String>,
        mut out: impl FnMut(Row),
    ) -> Result<Option<Uid>, Error> {
        let (mut bytes, mut is_first) = (0, true);
        for mut row in rows {
            if bytes >= self.bytes_max && !is_first {
                return Ok(Some(row.uid));
            }
            is_first = false;
            match self.fill_row(&mut row) {
                Ok(()) => {}
                Err(Error::Engine(error @ engine::Error::Corrupt { .. })) => {
                    damaged.push(error.to_string());
                    if self.needs.content != ContentNeed::None {
                        row.content = RowContent::Corrupt(error.to_string());
                    }
                }
                Err(error) => return Err(error),
            }
            bytes += row.digest.as_ref().map_or(0, |digest| digest.bytes.len());
            if let RowContent::Bytes(content) = &row.content {
                bytes += content.len();
            }
            out(row);
        }
        Ok(None)
    }

    fn fill_row(&self, row: &mut Row) -> Result<(), Error> {
        let key = keys::message(self.account, row.email_id);
        let damaged = || corrupt(self.account, "message", row.email_id);
        let decode = |value: &[u8]| {
            let message = MessageValue::decode(value)?;
            let digest = if self.needs.digest { message.digest() } else { None };
            Some((message.content, u64::from(message.header_length), digest))
        };
        let (content, header_length, digest) =
            read::value(self.snapshot, &key, decode, damaged)?.ok_or_else(damaged)?;
        row.digest = digest.map(Box::new);
        let range = match self.needs.content {
            ContentNeed::None => return Ok(()),
            ContentNeed::Header => 0..header_length,
            ContentNeed::Range { start, length } => start..start.saturating_add(length),
        };
        let mut out = Vec::new();
        self.snapshot.read_content(content, range, &mut out)?;
        row.content = RowContent::Bytes(out);
        Ok(())
    }
}
