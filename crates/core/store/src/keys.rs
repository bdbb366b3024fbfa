//! Every key and value of the store, in one place.
//!
//! A key is `account` (u32), one tag byte, and the rest; all numbers are big-endian, so keys sort as numbers do. Each
//! value begins with a version byte ([`VERSION`]). What cannot be decoded is `None` here and `Corrupt` above.
//!
//! | key after the account | value |
//! |---|---|
//! | `a` mailbox | annotations of the mailbox: records u64, octets that count u64; missing: there are none |
//! | `a` mailbox uid user entry | annotation (RFC 5257): whether there is a value u8, modseq u64, octets; user 0: shared |
//! | `c` mailbox modseq | change log of a mailbox: sections of kind u8 (1 arrived, 2 flagged, 3 vanished), n u32, n × (first u32, last u32) |
//! | `c` 0 modseq | change log of the list of mailboxes, subscriptions and entries (version 2): [`ListEvent`]s |
//! | `d` mailbox | a removed mailbox whose messages still have to be freed (0: the whole account) |
//! | `e` mailbox user name | metadata entry (RFC 5464): octets; mailbox 0: of the server, user 0: shared by all |
//! | `g` owner mailbox | that owner shares that mailbox with this account; under account 0: `sa` owner mailbox (with `anyone`), `sg` group 00 owner mailbox |
//! | `i` mailbox uid | [`RowValue`]: doc u32, modseq u64, flags u8, received i40, size u32, saved i40, thread u32, keyword numbers u16… |
//! | `k` mailbox | keywords by number: (length u8, bytes)… |
//! | `l` mailbox | access control list: seen state u8 (0 private, 1 shared), entries: kind u8 (1 anyone, 2 account, 3 group; +128: negative), rights u16, then account u32, or length u16 and address |
//! | `m` doc | [`MessageValue`]: content u64, size u32, header length u32, thread u32, n u8, n × hash u64, envelope end u32, body end u32, digest |
//! | `n` name | mailbox u32 |
//! | `o` doc | what SORT and THREAD need of a message: `order/record.rs`; with a version of its own, missing until it is needed for messages of older versions |
//! | `p` mailbox account chunk | what that user has seen of UIDs 4096 × chunk and on: runs of (gap, length) as base-128 numbers |
//! | `q` | [`AccountValue`]: quota, use, and the counters of the account |
//! | `r` doc | references u32, only if the message stands in more than one row |
//! | `s` name | a subscription |
//! | `t` hash u64 | thread u32, hash of the base subject u32, messages that named it u32 |
//! | `u` mailbox | [`MailboxValue`]: counters and name |
//! | `v` mailbox | all UIDs at some modseq, to open without a scan: modseq u64, first possibly unseen UID u32, runs of (gap, length) as base-128 numbers |
//! | `w` | the text index of the account: its segments (`search/index/manifest.rs`) |
//! | `w` segment kind u8 number u32 | a block of a segment of the text index, at most 60,000 bytes (`search/index/segment.rs`) |
//! | `x` mailbox hash | 16 bytes of hash: a message imported into that mailbox (`troika import`, the value is 1), or copied from another server ([`NoteValue`]), so that a second run skips it; of mailbox 1 also what importers note of themselves |
//! | `y` mailbox | 32 bytes: the mailbox's access key (URLAUTH) |
//!
//! Account 0 holds the shared entries of the server under `e`, a change log of them under `c` 0 number, and the last
//! number of that log under `e` 0 0 (with no name), and under `v` the UIDVALIDITY (u32) below which removed accounts
//! may have used any; its other keys are the directory's and the queue's.
//!
//! The change log is kept per mailbox rather than per account, so that a resynchronisation reads only what happened in
//! that mailbox; an account-wide reader finds the mailboxes to look at by their highest modification sequence.

use crate::ListEvent;
use engine::AccountId;
use model::{EmailId, Keyword, MailboxId, ModSeq, Uid, UidSet, UnixTime};
use std::ops::Bound;

mod annotation;
mod note;
mod sharing;
mod values;
pub(crate) use annotation::*;
pub(crate) use note::NoteValue;
pub(crate) use sharing::*;
pub(crate) use values::*;

/// Version of all value formats.
pub(crate) const VERSION: u8 = 1;

/// INBOX is the first mailbox of each account.
pub(crate) const INBOX: MailboxId = MailboxId(1);

/// Stands for the list of mailboxes in the change log and the feed.
pub(crate) const LIST: MailboxId = MailboxId(0);

/// A key of fixed length.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    bytes: [u8; 20],
    len: u8,
}

impl Key {
    fn new(account: AccountId, tag: u8) -> Key {
        let mut key = Key { bytes: [0; 20], len: 0 };
        key.push(&account.0.to_be_bytes());
        key.push(&[tag]);
        key
    }

    fn push(&mut self, part: &[u8]) {
        let at = usize::from(self.len);
        self.bytes[at..at + part.len()].copy_from_slice(part);
        self.len += part.len() as u8;
    }

    fn with(mut self, part: &[u8]) -> Key {
        self.push(part);
        self
    }
}

impl std::ops::Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

pub(crate) fn account(account: AccountId) -> Key {
    Key::new(account, b'q')
}

pub(crate) fn mailbox(account: AccountId, mailbox: MailboxId) -> Key {
    Key::new(account, b'u').with(&mailbox.0.to_be_bytes())
}

pub(crate) fn keywords(account: AccountId, mailbox: MailboxId) -> Key {
    Key::new(account, b'k').with(&mailbox.0.to_be_bytes())
}

pub(crate) fn saved_view(account: AccountId, mailbox: MailboxId) -> Key {
    Key::new(account, b'v').with(&mailbox.0.to_be_bytes())
}

pub(crate) fn access_key(account: AccountId, mailbox: MailboxId) -> Key {
    Key::new(account, b'y').with(&mailbox.0.to_be_bytes())
}

pub(crate) fn doomed(account: AccountId, mailbox: MailboxId) -> Key {
    Key::new(account, b'd').with(&mailbox.0.to_be_bytes())
}

pub(crate) fn row(account: AccountId, mailbox: MailboxId, uid: Uid) -> Key {
    Key::new(account, b'i').with(&mailbox.0.to_be_bytes()).with(&uid.0.to_be_bytes())
}

pub(crate) fn message(account: AccountId, doc: EmailId) -> Key {
    Key::new(account, b'm').with(&doc.0.to_be_bytes())
}

pub(crate) fn order(account: AccountId, doc: EmailId) -> Key {
    Key::new(account, b'o').with(&doc.0.to_be_bytes())
}

pub(crate) fn references(account: AccountId, doc: EmailId) -> Key {
    Key::new(account, b'r').with(&doc.0.to_be_bytes())
}

pub(crate) fn thread(account: AccountId, hash: u64) -> Key {
    Key::new(account, b't').with(&hash.to_be_bytes())
}

pub(crate) fn change(account: AccountId, mailbox: MailboxId, modseq: ModSeq) -> Key {
    Key::new(account, b'c').with(&mailbox.0.to_be_bytes()).with(&modseq.0.to_be_bytes())
}

/// What the text index of an account consists of.
pub(crate) fn index(account: AccountId) -> Key {
    Key::new(account, b'w')
}

/// A block of the text index.
pub(crate) fn index_block(account: AccountId, segment: u32, kind: u8, number: u32) -> Key {
    Key::new(account, b'w').with(&segment.to_be_bytes()).with(&[kind]).with(&number.to_be_bytes())
}

/// Blocks of the text index, of the segments from `first` up to, not including, `end`.
pub(crate) fn index_blocks_range(account: AccountId, first: u32, end: Option<u32>) -> (Key, Key) {
    let tag = Key::new(account, b'w');
    let behind = end.map_or(Key::new(account, b'w' + 1), |end| tag.with(&end.to_be_bytes()));
    (tag.with(&first.to_be_bytes()), behind)
}

/// Everything under a tag of an account, to be used as `start..end`.
pub(crate) fn tag_range(account: AccountId, tag: u8) -> (Key, Key) {
    (Key::new(account, tag), Key::new(account, tag + 1))
}

/// Everything of an account.
pub(crate) fn account_range(account: AccountId) -> (Key, Key) {
    (Key::new(account, 0), Key::new(account, 0xff))
}

/// All rows of a mailbox. No row has the last UID there is.
pub(crate) fn rows_range(account: AccountId, mailbox: MailboxId) -> (Key, Key) {
    (row(account, mailbox, Uid(0)), row(account, mailbox, Uid(u32::MAX)))
}

/// The whole change log of a mailbox.
pub(crate) fn changes_range(account: AccountId, mailbox: MailboxId) -> (Key, Key) {
    (change(account, mailbox, ModSeq(0)), change(account, mailbox, ModSeq(u64::MAX)))
}

/// The smallest key greater than this one.
pub(crate) fn behind(key: Key) -> Key {
    key.with(&[0])
}

/// `start..end` as the engine takes it.
pub(crate) fn between(range: &(Key, Key)) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Included(&range.0), Bound::Excluded(&range.1))
}

/// Where removed accounts leave the UIDVALIDITYs that they used.
pub(crate) fn used_validities() -> Key {
    Key::new(AccountId(0), b'v')
}

/// The note of a message that was imported into a mailbox: `hash` names it within its source. It goes with the
/// mailbox. The value is the importer's.
pub fn import_note(account: AccountId, mailbox: MailboxId, hash: [u8; 16]) -> Vec<u8> {
    let mut note = imports(account, mailbox).to_vec();
    note.extend_from_slice(&hash);
    note
}

fn imports(account: AccountId, mailbox: MailboxId) -> Key {
    Key::new(account, b'x').with(&mailbox.0.to_be_bytes())
}

/// All notes of imports into a mailbox. (The last mailbox there may be is never made.)
pub(crate) fn imports_range(account: AccountId, mailbox: MailboxId) -> (Key, Key) {
    (imports(account, mailbox), imports(account, MailboxId(mailbox.0.saturating_add(1))))
}

fn named(account: AccountId, tag: u8, name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(5 + name.len());
    key.extend_from_slice(&account.0.to_be_bytes());
    key.push(tag);
    key.extend_from_slice(name.as_bytes());
    key
}

pub(crate) fn name(account: AccountId, name: &str) -> Vec<u8> {
    named(account, b'n', name)
}

pub(crate) fn subscription(account: AccountId, name: &str) -> Vec<u8> {
    named(account, b's', name)
}

/// A metadata entry. `mailbox` 0: of the server; `user` 0: shared.
pub(crate) fn entry(account: AccountId, mailbox: MailboxId, user: AccountId, name: &str) -> Vec<u8> {
    let mut key = Key::new(account, b'e').with(&mailbox.0.to_be_bytes()).with(&user.0.to_be_bytes()).to_vec();
    key.extend_from_slice(name.as_bytes());
    key
}

/// All metadata entries of a mailbox.
pub(crate) fn entries_range(account: AccountId, mailbox: MailboxId) -> (Key, Key) {
    let start = Key::new(account, b'e').with(&mailbox.0.to_be_bytes());
    let end = match mailbox.0.checked_add(1) {
        Some(next) => Key::new(account, b'e').with(&next.to_be_bytes()),
        None => Key::new(account, b'e' + 1),
    };
    (start, end)
}

/// Mailbox, user and name of a metadata entry's key.
pub(crate) fn entry_of(key: &[u8]) -> Option<(MailboxId, AccountId, &str)> {
    let mut reader = Reader(key.get(5..)?);
    let (mailbox, user) = (MailboxId(reader.u32()?), AccountId(reader.u32()?));
    Some((mailbox, user, str::from_utf8(reader.0).ok()?))
}

pub(crate) fn encode_entry(value: &[u8]) -> Vec<u8> {
    [&[VERSION], value].concat()
}

/// The octets of a metadata entry.
pub(crate) fn decode_entry(value: &[u8]) -> Option<&[u8]> {
    Reader::versioned(value).map(|reader| reader.0)
}

/// The account that a key belongs to.
pub(crate) fn account_of(key: &[u8]) -> Option<AccountId> {
    Reader(key).u32().map(AccountId)
}

/// The mailbox of a row's key.
pub(crate) fn row_mailbox(key: &[u8]) -> Option<MailboxId> {
    Reader(key.get(5..)?).u32().map(MailboxId)
}

/// The number at the end of a key: a UID, a doc or a mailbox.
pub(crate) fn last_u32(key: &[u8]) -> Option<u32> {
    key.last_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// The modification sequence at the end of a key of the change log.
pub(crate) fn last_u64(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// Takes numbers off the front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// Behind the version byte; None if it is another version.
    pub(crate) fn versioned(value: &'a [u8]) -> Option<Reader<'a>> {
        let (version, rest) = value.split_first()?;
        (*version == VERSION).then_some(Reader(rest))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn time(&mut self) -> Option<UnixTime> {
        let [a, b, c, d, e] = self.array()?;
        // Five bytes, signed: 17,000 years either way.
        Some(UnixTime(i64::from_be_bytes([a, b, c, d, e, 0, 0, 0]) >> 24))
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    /// A base-128 number, least significant digits first.
    pub(crate) fn number(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let byte = self.u8()?;
            value |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

pub(crate) fn push_time(out: &mut Vec<u8>, time: UnixTime) {
    let limit = (1 << 39) - 1;
    out.extend_from_slice(&time.0.clamp(-limit, limit).to_be_bytes()[3..]);
}

pub(crate) fn push_number(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A number alone: the value of `n` and `r`.
pub(crate) fn encode_u32(number: u32) -> [u8; 5] {
    let mut out = [VERSION; 5];
    out[1..].copy_from_slice(&number.to_be_bytes());
    out
}

/// The other way round.
pub(crate) fn decode_u32(value: &[u8]) -> Option<u32> {
    Reader::versioned(value)?.u32()
}

pub(crate) fn encode_access_key(key: &[u8; 32]) -> Vec<u8> {
    [&[VERSION], &key[..]].concat()
}

/// The other way round.
pub(crate) fn decode_access_key(value: &[u8]) -> Option<[u8; 32]> {
    Reader::versioned(value)?.0.try_into().ok()
}

pub(crate) fn encode_keywords(keywords: &[Keyword]) -> Vec<u8> {
    let mut out = vec![VERSION];
    for keyword in keywords {
        out.push(keyword.as_str().len() as u8);
        out.extend_from_slice(keyword.as_str().as_bytes());
    }
    out
}

pub(crate) fn decode_keywords(value: &[u8]) -> Option<Vec<Keyword>> {
    let mut reader = Reader::versioned(value)?;
    let mut keywords = Vec::new();
    while !reader.0.is_empty() {
        let len = usize::from(reader.u8()?);
        keywords.push(Keyword::new(str::from_utf8(reader.take(len)?).ok()?).ok()?);
    }
    Some(keywords)
}

/// What one transaction did to the messages of a mailbox.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct ChangeValue {
    pub(crate) arrived: UidSet,
    pub(crate) flagged: UidSet,
    pub(crate) vanished: UidSet,
}

impl ChangeValue {
    pub(crate) fn is_empty(&self) -> bool {
        self.arrived.is_empty() && self.flagged.is_empty() && self.vanished.is_empty()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        for (kind, uids) in [(1, &self.arrived), (2, &self.flagged), (3, &self.vanished)] {
            if uids.is_empty() {
                continue;
            }
            let runs = uids.ranges();
            out.push(kind);
            out.extend_from_slice(&(runs.len() as u32).to_be_bytes());
            for (first, last) in runs {
                out.extend_from_slice(&first.0.to_be_bytes());
                out.extend_from_slice(&last.0.to_be_bytes());
            }
        }
        out
    }

    /// Calls `visit(kind, first, last)` for each run.
    pub(crate) fn visit(value: &[u8], visit: &mut dyn FnMut(ChangeKind, Uid, Uid)) -> Option<()> {
        let mut reader = Reader::versioned(value)?;
        while !reader.0.is_empty() {
            let kind = match reader.u8()? {
                1 => ChangeKind::Arrived,
                2 => ChangeKind::Flagged,
                3 => ChangeKind::Vanished,
                _ => return None,
            };
            for _ in 0..reader.u32()? {
                visit(kind, Uid(reader.u32()?), Uid(reader.u32()?));
            }
        }
        Some(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ChangeKind {
    Arrived,
    Flagged,
    Vanished,
}

/// Version of the change log of the list of mailboxes; version 1 named ids alone and is passed over.
const LISTED_VERSION: u8 = 2;

const NAMELESS: String = String::new();

/// What happened to the list of mailboxes: n × (kind u8, mailbox u32, user u32, name and former name: length u16, octets).
pub(crate) fn encode_listed(events: &[ListEvent]) -> Vec<u8> {
    let mut out = vec![LISTED_VERSION];
    for event in events {
        let (kind, mailbox, user, name, former) = match event {
            ListEvent::Created { mailbox, name } => (1, *mailbox, LIST.0, name, ""),
            ListEvent::Deleted { mailbox, name } => (2, *mailbox, LIST.0, name, ""),
            ListEvent::Renamed { from, to } => (3, LIST, LIST.0, to, from.as_str()),
            ListEvent::Subscribed { name } => (4, LIST, LIST.0, name, ""),
            ListEvent::Unsubscribed { name } => (5, LIST, LIST.0, name, ""),
            ListEvent::Entry { mailbox, user, name } => (6, *mailbox, user.0, name, ""),
            ListEvent::Rights { mailbox } => (7, *mailbox, LIST.0, &NAMELESS, ""),
        };
        out.push(kind);
        out.extend_from_slice(&mailbox.0.to_be_bytes());
        out.extend_from_slice(&user.to_be_bytes());
        for text in [name.as_str(), former] {
            out.extend_from_slice(&(text.len() as u16).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
    }
    out
}

pub(crate) fn decode_listed(value: &[u8]) -> Option<Vec<ListEvent>> {
    let (version, rest) = value.split_first()?;
    if *version == VERSION {
        return Some(Vec::new());
    }
    let mut reader = rest;
    if *version != LISTED_VERSION {
        return None;
    }
    let mut events = Vec::new();
    while !reader.is_empty() {
        let mut from = Reader(reader);
        let (kind, mailbox, user) = (from.u8()?, MailboxId(from.u32()?), AccountId(from.u32()?));
        let mut text = || {
            let length = from.u16()?;
            str::from_utf8(from.take(usize::from(length))?).ok().map(str::to_owned)
        };
        let (name, former) = (text()?, text()?);
        reader = from.0;
        events.push(match kind {
            1 => ListEvent::Created { mailbox, name },
            2 => ListEvent::Deleted { mailbox, name },
            3 => ListEvent::Renamed { from: former, to: name },
            4 => ListEvent::Subscribed { name },
            5 => ListEvent::Unsubscribed { name },
            6 => ListEvent::Entry { mailbox, user, name },
            7 => ListEvent::Rights { mailbox },
            _ => return None,
        });
    }
    Some(events)
}

/// Longest saved view; more scattered mailboxes are scanned.
const SAVED_VIEW_BYTES_MAX: usize = 1024 * 1024;

/// All UIDs of a mailbox at some state; None: too scattered to be worth it.
pub(crate) fn encode_view(modseq: ModSeq, unseen_from: Uid, uids: &UidSet) -> Option<Vec<u8>> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&modseq.0.to_be_bytes());
    out.extend_from_slice(&unseen_from.0.to_be_bytes());
    let mut end = 0;
    for (first, last) in uids.ranges() {
        push_number(&mut out, first.0 - end);
        push_number(&mut out, last.0 - first.0);
        end = last.0;
    }
    (out.len() <= SAVED_VIEW_BYTES_MAX).then_some(out)
}

pub(crate) fn decode_view(value: &[u8]) -> Option<(ModSeq, Uid, UidSet)> {
    let mut reader = Reader::versioned(value)?;
    let (modseq, unseen_from) = (ModSeq(reader.u64()?), Uid(reader.u32()?));
    let mut uids = UidSet::new();
    let mut end = 0u32;
    while !reader.0.is_empty() {
        let first = end.checked_add(reader.number()?)?;
        let last = first.checked_add(reader.number()?)?;
        uids.insert_range(Uid(first), Uid(last));
        end = last;
    }
    Some((modseq, unseen_from, uids))
}
