//! Messages in questions and answers: rows, what is wanted of them, and what became of them.

use super::Place;
use model::{
    AnnotationChange, AnnotationScope, EmailId, FlagSet, Keyword, ModSeq, ThreadId, Uid, UidSet, UidValidity,
    UnixTime,
};
use std::sync::Arc;

/// What becomes of the originals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Originals {
    /// COPY.
    Stay,
    /// MOVE (RFC 6851): removed in the same commit.
    Go,
}

/// What is wanted of each message beside what a [`Row`] always has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// [`More::digest`], if the world keeps one.
    pub digest: bool,
    /// [`More::content`].
    pub content: ContentNeed,
    /// [`More::annotations`].
    pub annotations: bool,
}

/// How much of the content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ContentNeed {
    /// None: it must not even be touched.
    #[default]
    None,
    /// The header with the empty line behind it; nothing else is needed, more does no harm.
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
    /// Names of all keywords that the rows may have.
    pub keywords: Arc<[Keyword]>,
}

/// One message of a mailbox.
#[derive(Debug)]
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
    pub internal_date: UnixTime,
    /// SAVEDATE (RFC 8514): when it came into this mailbox.
    pub save_date: UnixTime,
    /// What else was asked for; None: nothing was. By itself, so that a list of 200,000 flags does not carry room for it.
    pub more: Option<Box<More>>,
}

/// What a [`Row`] has beside when it is asked for.
#[derive(Debug, Default)]
pub struct More {
    /// If asked for and kept.
    pub digest: Option<Digest>,
    /// As asked for.
    pub content: RowContent,
    /// If asked for: those that this user may see.
    pub annotations: Vec<Annotation>,
    /// The content is known to hold no NUL.
    without_nul: bool,
}

impl More {
    /// Without annotations. Looks for NUL in the content: whoever reads a page has it at hand, and does so while the
    /// session writes the page before.
    pub fn new(digest: Option<Digest>, content: RowContent) -> More {
        let without_nul = matches!(&content, RowContent::Bytes(bytes) if memchr::memchr(0, bytes).is_none());
        More { digest, content, annotations: Vec::new(), without_nul }
    }

    /// Octets that came later.
    pub(crate) fn add(&mut self, bytes: Vec<u8>) {
        self.without_nul = false;
        match &mut self.content {
            RowContent::Bytes(content) => content.extend_from_slice(&bytes),
            content => *content = RowContent::Bytes(bytes),
        }
    }
}

impl Row {
    /// [`More::digest`]
    pub fn digest(&self) -> Option<&Digest> {
        self.more.as_ref()?.digest.as_ref()
    }

    /// [`More::content`]
    pub fn content(&self) -> &RowContent {
        self.more.as_ref().map_or(&RowContent::None, |more| &more.content)
    }

    /// Whether the content is known to hold no NUL.
    pub(crate) fn is_without_nul(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.without_nul)
    }

    /// [`More::annotations`]
    pub fn annotations(&self) -> &[Annotation] {
        self.more.as_ref().map_or(&[], |more| &more.annotations)
    }

    /// Place for what was asked for.
    pub fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

/// An annotation of a message (RFC 5257).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annotation {
    /// Name of the entry.
    pub entry: String,
    /// Whose.
    pub scope: AnnotationScope,
    /// When it changed.
    pub modseq: ModSeq,
    /// None: it was removed then.
    pub value: Option<Vec<u8>>,
}

/// What [`More::content`] brings.
#[derive(Debug, Default)]
pub enum RowContent {
    /// It was not asked for.
    #[default]
    None,
    /// CRLF text as stored, beginning where it was asked to (a header at 0).
    Bytes(Vec<u8>),
    /// The record is damaged.
    Corrupt,
}

/// What the store worked out of a message when it came, in IMAP's words, in one buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Digest {
    bytes: Vec<u8>,
    envelope_end: u32,
    body_end: u32,
    header_length: u32,
}

impl Digest {
    /// Takes the three forms one behind the other: `bytes[..envelope_end]` is the value of ENVELOPE (with its
    /// parentheses), up to `body_end` that of BODY, the rest that of BODYSTRUCTURE. `header_length` counts the octets
    /// before the body, with the empty line. None: the ends do not fit.
    pub fn new(bytes: Vec<u8>, envelope_end: u32, body_end: u32, header_length: u32) -> Option<Digest> {
        let fine = envelope_end <= body_end && body_end as usize <= bytes.len();
        fine.then_some(Digest { bytes, envelope_end, body_end, header_length })
    }

    /// Value of ENVELOPE.
    pub fn envelope(&self) -> &[u8] {
        &self.bytes[..self.envelope_end as usize]
    }

    /// Value of BODY.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.envelope_end as usize..self.body_end as usize]
    }

    /// Value of BODYSTRUCTURE.
    pub fn body_structure(&self) -> &[u8] {
        &self.bytes[self.body_end as usize..]
    }

    /// Octets of the header with the empty line behind it.
    pub fn header_length(&self) -> u64 {
        u64::from(self.header_length)
    }

    /// Octets of all three.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// What STORE did.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Modification sequence of this commit; if nothing changed, the mailbox's highest.
    pub modseq: ModSeq,
    /// Messages whose flags are different now.
    pub changed: UidSet,
    /// Messages left alone because of `unchanged_since`.
    pub modified: UidSet,
    /// Messages that do not exist any more.
    pub missing: UidSet,
    /// Messages (asked for and existing) that had been changed after `known`, and last by a change that is not among
    /// `own`: the client believes old flags.
    pub overtaken: UidSet,
}

/// A message to be added.
#[derive(Debug)]
pub struct NewMessage {
    /// CRLF text.
    pub content: Vec<u8>,
    /// System flags.
    pub flags: FlagSet,
    /// Keywords; unknown ones become known.
    pub keywords: Vec<Keyword>,
    /// INTERNALDATE; None: now.
    pub internal_date: Option<UnixTime>,
    /// Annotations to come with it (RFC 5257 §4.7).
    pub annotations: Vec<AnnotationChange>,
}

/// What COPY or MOVE did.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The mailbox that was copied to.
    pub place: Place,
    /// Its UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UIDs of the originals; the n-th became the n-th of `to`.
    pub from: UidSet,
    /// UIDs of the copies.
    pub to: UidSet,
    /// Messages that do not exist any more.
    pub missing: UidSet,
    /// Modification sequence of the selected mailbox, if messages went ([`Originals::Go`]).
    pub modseq: ModSeq,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_looked_for_in_all_that_comes() {
        let known = |more: &More| more.without_nul;
        let mut more = More::new(None, RowContent::Bytes(b"no such thing".to_vec()));
        assert!(known(&more));
        more.add(b"\0".to_vec());
        assert!(!known(&more), "what comes later was not looked at");
        assert!(!known(&More::new(None, RowContent::Bytes(b"a\0b".to_vec()))));
        assert!(!known(&More::new(None, RowContent::None)));
        assert!(!known(&More::default()));
    }
}
