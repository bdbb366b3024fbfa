//! Reading messages by page.

use crate::{Digest, Error, Store};
use engine::AccountId;
use model::{EmailId, FlagSet, Keyword, MailboxId, ModSeq, ThreadId, Uid, UidSet, UnixTime};
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
    pub digest: Option<Digest>,
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
        let _ = (account, mailbox, uids, from, needs, rows_max, bytes_max);
        panic!()
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
        let _ = (account, mailbox, uid, start, length);
        panic!()
    }
}
