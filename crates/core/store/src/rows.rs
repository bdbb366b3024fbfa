//! Reading messages by page.

use crate::keys::{self, MessageValue, RowValue};
use crate::read::{self, corrupt};
use crate::{Digest, Error, Store};
use engine::{AccountId, ContentId, Snapshot};
use model::{EmailId, FlagSet, Keyword, MailboxId, ModSeq, ThreadId, Uid, UidSet, UnixTime};
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

/// A page of messages.
#[derive(Debug)]
pub struct Rows {
    /// In ascending order. What lies between two of them (or before `next`) does not exist any more.
    pub rows: Vec<Row>,
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
        let snapshot = self.engine.snapshot()?;
        let value = read::mailbox(&*snapshot, account, mailbox)?;
        let mut wanted: Vec<Uid> = uids.iter_from(from).take(rows_max.max(1).saturating_add(1)).collect();
        let mut next = if wanted.len() > rows_max.max(1) { wanted.pop() } else { None };
        let mut page = Vec::with_capacity(wanted.len());
        let mut damaged = Vec::new();
        read::rows(&*snapshot, account, mailbox, &wanted, &mut |uid, value| {
            match RowValue::decode(value) {
                Some(value) => page.push(Row::new(uid, value)),
                None => {
                    damaged.push(format!("row of mailbox {mailbox}, message {uid} of account {}", account.0))
                }
            }
            ControlFlow::Continue(())
        })?;
        if needs != Needs::default() {
            next = fill(&*snapshot, account, &mut page, needs, bytes_max, &mut damaged)?.or(next);
        }
        let keywords = if page.iter().any(|row| !row.keywords.is_empty()) {
            self.keyword_table(&*snapshot, account, mailbox, &value)?
        } else {
            Arc::default()
        };
        Ok(Rows { rows: page, next, keywords, damaged })
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

/// Adds digests and contents; answers where the next page starts if `bytes_max` cut this one short.
fn fill(
    snapshot: &dyn Snapshot,
    account: AccountId,
    page: &mut Vec<Row>,
    needs: Needs,
    bytes_max: usize,
    damaged: &mut Vec<String>,
) -> Result<Option<Uid>, Error> {
    let mut bytes = 0;
    for at in 0..page.len() {
        if bytes >= bytes_max && at > 0 {
            let next = page[at].uid;
            page.truncate(at);
            return Ok(Some(next));
        }
        let row = &mut page[at];
        match fill_row(snapshot, account, row, needs) {
            Ok(()) => {}
            Err(Error::Engine(error @ engine::Error::Corrupt { .. })) => {
                damaged.push(error.to_string());
                if needs.content != ContentNeed::None {
                    row.content = RowContent::Corrupt(error.to_string());
                }
            }
            Err(error) => return Err(error),
        }
        bytes += row.digest.as_ref().map_or(0, |digest| digest.bytes.len());
        if let RowContent::Bytes(content) = &row.content {
            bytes += content.len();
        }
    }
    Ok(None)
}

fn fill_row(snapshot: &dyn Snapshot, account: AccountId, row: &mut Row, needs: Needs) -> Result<(), Error> {
    let key = keys::message(account, row.email_id);
    let damaged = || corrupt(account, "message", row.email_id);
    let decode = |value: &[u8]| {
        let message = MessageValue::decode(value)?;
        let digest = if needs.digest { message.digest() } else { None };
        Some((message.content, u64::from(message.header_length), digest))
    };
    let (content, header_length, digest) =
        read::value(snapshot, &key, decode, damaged)?.ok_or_else(damaged)?;
    row.digest = digest.map(Box::new);
    let range = match needs.content {
        ContentNeed::None => return Ok(()),
        ContentNeed::Header => 0..header_length,
        ContentNeed::Range { start, length } => start..start.saturating_add(length),
    };
    let mut out = Vec::new();
    snapshot.read_content(content, range, &mut out)?;
    row.content = RowContent::Bytes(out);
    Ok(())
}
