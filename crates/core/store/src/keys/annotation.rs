//! Keys and values of annotations of messages (RFC 5257).

use super::{Key, Reader, VERSION};
use engine::AccountId;
use model::{MailboxId, ModSeq, Uid};

/// Tag of annotations.
pub(crate) const ANNOTATION_TAG: u8 = b'a';

/// How many annotations a mailbox has, and what they count for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct AnnotationTotals {
    /// Records, removed values among them.
    pub(crate) records: u64,
    /// Octets that count towards the account's.
    pub(crate) bytes: u64,
}

/// An annotation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AnnotationValue {
    /// When it changed.
    pub(crate) modseq: ModSeq,
    /// None: it was removed then.
    pub(crate) value: Option<Vec<u8>>,
}

pub(crate) fn annotation_totals(account: AccountId, mailbox: MailboxId) -> Key {
    Key::new(account, ANNOTATION_TAG).with(&mailbox.0.to_be_bytes())
}

pub(crate) fn annotation(
    account: AccountId,
    mailbox: MailboxId,
    uid: Uid,
    user: AccountId,
    entry: &str,
) -> Vec<u8> {
    let key = annotation_totals(account, mailbox).with(&uid.0.to_be_bytes()).with(&user.0.to_be_bytes());
    [&*key, entry.as_bytes()].concat()
}

/// All annotations of messages from `first` to `last`; none has the last UID there is.
pub(crate) fn annotations_range(account: AccountId, mailbox: MailboxId, first: Uid, last: Uid) -> (Key, Key) {
    let mailbox = annotation_totals(account, mailbox);
    (mailbox.with(&first.0.to_be_bytes()), mailbox.with(&last.0.saturating_add(1).to_be_bytes()))
}

/// Mailbox, message, user and entry of an annotation's key; None: it is that of the totals.
pub(crate) fn annotation_of(key: &[u8]) -> Option<(MailboxId, Uid, AccountId, &str)> {
    let mut reader = Reader(key.get(5..)?);
    let (mailbox, uid) = (MailboxId(reader.u32()?), Uid(reader.u32()?));
    Some((mailbox, uid, AccountId(reader.u32()?), str::from_utf8(reader.0).ok()?))
}

impl AnnotationTotals {
    pub(crate) fn encode(self) -> Vec<u8> {
        [&[VERSION][..], &self.records.to_be_bytes(), &self.bytes.to_be_bytes()].concat()
    }

    pub(crate) fn decode(value: &[u8]) -> Option<AnnotationTotals> {
        let mut reader = Reader::versioned(value)?;
        Some(AnnotationTotals { records: reader.u64()?, bytes: reader.u64()? })
    }
}

impl AnnotationValue {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, u8::from(self.value.is_some())];
        out.extend_from_slice(&self.modseq.0.to_be_bytes());
        out.extend_from_slice(self.value.as_deref().unwrap_or_default());
        out
    }

    pub(crate) fn decode(value: &[u8]) -> Option<AnnotationValue> {
        let mut reader = Reader::versioned(value)?;
        let (there, modseq) = (reader.u8()?, ModSeq(reader.u64()?));
        match (there, reader.0) {
            (0, []) => Some(AnnotationValue { modseq, value: None }),
            (1, octets) => Some(AnnotationValue { modseq, value: Some(octets.to_vec()) }),
            _ => None,
        }
    }
}
