//! The values that are records: of accounts, mailboxes, their rows, messages and threads.

use super::{Reader, VERSION, push_time};
use model::{EmailId, FlagSet, ModSeq, SpecialUse, ThreadId, Uid, UidValidity, UnixTime};

/// Quota, use and counters of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct AccountValue {
    /// `u64::MAX`: no limit.
    pub(crate) bytes_max: u64,
    /// `u64::MAX`: no limit.
    pub(crate) messages_max: u64,
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
    pub(crate) mailboxes: u32,
    pub(crate) next_doc: u32,
    pub(crate) next_mailbox: u32,
    pub(crate) next_uid_validity: u32,
    pub(crate) modseq: u64,
}

impl AccountValue {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(57);
        out.push(VERSION);
        for number in [self.bytes_max, self.messages_max, self.bytes, self.messages] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        for number in [self.mailboxes, self.next_doc, self.next_mailbox, self.next_uid_validity] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.modseq.to_be_bytes());
        out
    }

    pub(crate) fn decode(value: &[u8]) -> Option<AccountValue> {
        let mut reader = Reader::versioned(value)?;
        Some(AccountValue {
            bytes_max: reader.u64()?,
            messages_max: reader.u64()?,
            bytes: reader.u64()?,
            messages: reader.u64()?,
            mailboxes: reader.u32()?,
            next_doc: reader.u32()?,
            next_mailbox: reader.u32()?,
            next_uid_validity: reader.u32()?,
            modseq: reader.u64()?,
        })
    }
}

/// A mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MailboxValue {
    pub(crate) uid_validity: UidValidity,
    pub(crate) uid_next: Uid,
    pub(crate) messages: u32,
    pub(crate) unseen: u32,
    pub(crate) deleted: u32,
    /// Messages from `recent_from` on.
    pub(crate) recent: u32,
    /// Messages from this UID on are \Recent for the next session that selects (RFC 3501 §2.3.2).
    pub(crate) recent_from: Uid,
    pub(crate) bytes: u64,
    pub(crate) highest_modseq: ModSeq,
    /// The change log is complete for everything after this.
    pub(crate) log_floor: ModSeq,
    pub(crate) special_use: Option<SpecialUse>,
    /// Entries of the keyword table; it only grows.
    pub(crate) keywords: u16,
    pub(crate) created: UnixTime,
    pub(crate) name: String,
}

fn use_number(special_use: Option<SpecialUse>) -> u8 {
    match special_use {
        None => 0,
        Some(SpecialUse::All) => 1,
        Some(SpecialUse::Archive) => 2,
        Some(SpecialUse::Drafts) => 3,
        Some(SpecialUse::Flagged) => 4,
        Some(SpecialUse::Junk) => 5,
        Some(SpecialUse::Sent) => 6,
        Some(SpecialUse::Trash) => 7,
        Some(SpecialUse::Important) => 8,
        Some(SpecialUse::Memos) => 9,
        Some(SpecialUse::Scheduled) => 10,
        Some(SpecialUse::Snoozed) => 11,
    }
}

impl MailboxValue {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(61 + self.name.len());
        out.push(VERSION);
        let uids =
            [self.uid_validity.0, self.uid_next.0, self.messages, self.unseen, self.deleted, self.recent];
        for number in uids.into_iter().chain([self.recent_from.0]) {
            out.extend_from_slice(&number.to_be_bytes());
        }
        for number in [self.bytes, self.highest_modseq.0, self.log_floor.0] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.push(use_number(self.special_use));
        out.extend_from_slice(&self.keywords.to_be_bytes());
        push_time(&mut out, self.created);
        out.extend_from_slice(self.name.as_bytes());
        out
    }

    pub(crate) fn decode(value: &[u8]) -> Option<MailboxValue> {
        let mut reader = Reader::versioned(value)?;
        Some(MailboxValue {
            uid_validity: UidValidity(reader.u32()?),
            uid_next: Uid(reader.u32()?),
            messages: reader.u32()?,
            unseen: reader.u32()?,
            deleted: reader.u32()?,
            recent: reader.u32()?,
            recent_from: Uid(reader.u32()?),
            bytes: reader.u64()?,
            highest_modseq: ModSeq(reader.u64()?),
            log_floor: ModSeq(reader.u64()?),
            special_use: {
                let number = reader.u8()?;
                SpecialUse::EVERY.into_iter().find(|kind| use_number(Some(*kind)) == number)
            },
            keywords: reader.u16()?,
            created: reader.time()?,
            name: str::from_utf8(reader.0).ok()?.to_owned(),
        })
    }
}

/// A message in a mailbox: all that FETCH FLAGS, RFC822.SIZE and INTERNALDATE need.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RowValue {
    pub(crate) doc: EmailId,
    pub(crate) modseq: ModSeq,
    pub(crate) flags: FlagSet,
    pub(crate) received: UnixTime,
    pub(crate) size: u32,
    pub(crate) saved: UnixTime,
    pub(crate) thread: ThreadId,
    /// Ascending.
    pub(crate) keywords: Vec<u16>,
}

/// Where the flags stand in a row's value.
const ROW_FLAGS_AT: usize = 13;
const ROW_BYTES_MIN: usize = 32;

impl RowValue {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        out.push(VERSION);
        out.extend_from_slice(&self.doc.0.to_be_bytes());
        out.extend_from_slice(&self.modseq.0.to_be_bytes());
        out.push(self.flags.0);
        push_time(out, self.received);
        out.extend_from_slice(&self.size.to_be_bytes());
        push_time(out, self.saved);
        out.extend_from_slice(&self.thread.0.to_be_bytes());
        for keyword in &self.keywords {
            out.extend_from_slice(&keyword.to_be_bytes());
        }
    }

    pub(crate) fn decode(value: &[u8]) -> Option<RowValue> {
        let mut reader = Reader::versioned(value)?;
        let mut row = RowValue {
            doc: EmailId(reader.u32()?),
            modseq: ModSeq(reader.u64()?),
            flags: FlagSet(reader.u8()?),
            received: reader.time()?,
            size: reader.u32()?,
            saved: reader.time()?,
            thread: ThreadId(reader.u32()?),
            keywords: Vec::new(),
        };
        if !reader.0.is_empty() {
            let (numbers, odd) = reader.0.as_chunks();
            if !odd.is_empty() {
                return None;
            }
            row.keywords = numbers.iter().map(|number| u16::from_be_bytes(*number)).collect();
        }
        Some(row)
    }

    /// Only the message, without decoding the rest.
    pub(crate) fn doc_of(value: &[u8]) -> Option<EmailId> {
        let fine = value.len() >= ROW_BYTES_MIN && value[0] == VERSION;
        value.get(1..5).filter(|_| fine)?.first_chunk().map(|bytes| EmailId(u32::from_be_bytes(*bytes)))
    }

    /// Only the flags, without decoding the rest.
    pub(crate) fn flags_of(value: &[u8]) -> Option<FlagSet> {
        let fine = value.len() >= ROW_BYTES_MIN && value[0] == VERSION;
        fine.then(|| FlagSet(value[ROW_FLAGS_AT]))
    }
}

/// A message of an account, whatever mailboxes show it. Never changes.
pub(crate) struct MessageValue<'a> {
    pub(crate) content: engine::ContentId,
    pub(crate) size: u32,
    pub(crate) header_length: u32,
    pub(crate) thread: ThreadId,
    /// Entries of the thread table that name this message, each a u64.
    hashes: &'a [u8],
    pub(crate) envelope_end: u32,
    pub(crate) body_end: u32,
    /// Empty: too large to keep.
    pub(crate) digest: &'a [u8],
}

impl<'a> MessageValue<'a> {
    /// The value of a message about to be stored.
    pub(crate) fn encode(
        content: engine::ContentId,
        prepared: &crate::Prepared,
        thread: ThreadId,
        hashes: &[u64],
    ) -> Vec<u8> {
        let digest = prepared.digest();
        let mut out =
            Vec::with_capacity(34 + hashes.len() * 8 + digest.map_or(0, |digest| digest.bytes.len()));
        out.push(VERSION);
        out.extend_from_slice(&content.0.to_be_bytes());
        for number in [prepared.size(), prepared.header_length(), thread.0] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.push(hashes.len() as u8);
        for hash in hashes {
            out.extend_from_slice(&hash.to_be_bytes());
        }
        let (envelope_end, body_end) = digest.map_or((0, 0), |digest| (digest.envelope_end, digest.body_end));
        out.extend_from_slice(&envelope_end.to_be_bytes());
        out.extend_from_slice(&body_end.to_be_bytes());
        out.extend_from_slice(digest.map_or(&[], |digest| &digest.bytes));
        out
    }

    /// The value of the same message in another account.
    pub(crate) fn elsewhere(&self, thread: ThreadId, hashes: &[u64]) -> Vec<u8> {
        let mut out = Vec::with_capacity(34 + hashes.len() * 8 + self.digest.len());
        out.push(VERSION);
        out.extend_from_slice(&self.content.0.to_be_bytes());
        for number in [self.size, self.header_length, thread.0] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.push(hashes.len() as u8);
        for hash in hashes {
            out.extend_from_slice(&hash.to_be_bytes());
        }
        out.extend_from_slice(&self.envelope_end.to_be_bytes());
        out.extend_from_slice(&self.body_end.to_be_bytes());
        out.extend_from_slice(self.digest);
        out
    }

    pub(crate) fn decode(value: &'a [u8]) -> Option<MessageValue<'a>> {
        let mut reader = Reader::versioned(value)?;
        let content = engine::ContentId(reader.u64()?);
        let (size, header_length, thread) = (reader.u32()?, reader.u32()?, ThreadId(reader.u32()?));
        let count = usize::from(reader.u8()?);
        let hashes = reader.take(count * 8)?;
        let (envelope_end, body_end) = (reader.u32()?, reader.u32()?);
        let digest = reader.0;
        if envelope_end > body_end || body_end as usize > digest.len() {
            return None;
        }
        Some(MessageValue { content, size, header_length, thread, hashes, envelope_end, body_end, digest })
    }

    pub(crate) fn hashes(&self) -> impl Iterator<Item = u64> + use<'a> {
        let (hashes, _) = self.hashes.as_chunks();
        hashes.iter().map(|hash| u64::from_be_bytes(*hash))
    }

    pub(crate) fn digest(&self) -> Option<crate::Digest> {
        (!self.digest.is_empty()).then(|| crate::Digest {
            bytes: self.digest.to_vec(),
            envelope_end: self.envelope_end,
            body_end: self.body_end,
            header_length: self.header_length,
        })
    }
}

/// What the thread table says of a message identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ThreadValue {
    pub(crate) thread: ThreadId,
    pub(crate) subject: u32,
    pub(crate) messages: u32,
}

impl ThreadValue {
    pub(crate) fn encode(&self) -> [u8; 13] {
        let mut out = [VERSION; 13];
        out[1..5].copy_from_slice(&self.thread.0.to_be_bytes());
        out[5..9].copy_from_slice(&self.subject.to_be_bytes());
        out[9..13].copy_from_slice(&self.messages.to_be_bytes());
        out
    }

    pub(crate) fn decode(value: &[u8]) -> Option<ThreadValue> {
        let mut reader = Reader::versioned(value)?;
        Some(ThreadValue { thread: ThreadId(reader.u32()?), subject: reader.u32()?, messages: reader.u32()? })
    }
}
