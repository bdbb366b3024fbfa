//! Keys and values under account 0.
//!
//! Every key begins with `00 00 00 00 'q'` (account 0, queue) and a letter. Numbers are big-endian.
//!
//! ```text
//! c                   counters: version byte 3, then the last QueueId allotted and Totals' entries, bytes, queued,
//!                     held, each u64 (versions 1 and 2 lack the id, which stands under n then)
//! e id                EnvelopeRecord: what does not change
//! r id index          RecipientRecord: one recipient (index u32)
//! o id                how many recipients are not at their end (queued or held), u32; of an entry with one recipient
//!                     there is none
//! h id number         EventRecord: one line of history (number u32); that the entry was accepted is not written
//! s address           SuppressionRecord (`suppression.rs`): an address in small letters that mail came back from
//! a account           SendingRecord (`sending.rs`): what an account (u32) sends to other hosts
//! f account           Holding (`holding.rs`): how much an account (u32) has waiting for a time of its own
//! p id                PastRecord (`past.rs`): what became of a message that is in the queue no more
//! l number            Accepted (`accepted.rs`), several, oldest first: where accepted messages went; the number (u64) is
//!                     that of the last of them, counted from 1
//! v                   number of the last event, u64
//! w number            HappenedRecord (`events.rs`): an event that the webhook has not taken yet
//! ```
//! Values named ...Record are one version byte and then the fields of that struct (`record.rs`, if not said) in the wire format of
//! postcard 1 (postcard.jamesmunns.com/wire-format). A field is only ever added by a new version.
//!
//! The scheduler rebuilds itself from one scan of `e` and `r` side by side, and keeps in memory what is due when: an index
//! by time would be written twice for each message. A recipient is a key of its own, so that an attempt rewrites some 100
//! bytes also when there are 10,000 recipients. A message with one recipient costs three keys (`c`, `e`, `r`).

use crate::QueueId;
use engine::AccountId;

const PREFIX: [u8; 5] = [0, 0, 0, 0, b'q'];

/// Of versions 1 and 2.
pub(crate) const LAST_ID: [u8; 6] = [0, 0, 0, 0, b'q', b'n'];
pub(crate) const TOTALS: [u8; 6] = [0, 0, 0, 0, b'q', b'c'];

pub(crate) const LAST_EVENT: [u8; 6] = [0, 0, 0, 0, b'q', b'v'];

fn key(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(PREFIX.len() + 21);
    key.extend_from_slice(&PREFIX);
    key.push(letter);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

/// First part of all keys of a letter; `all(letter + 1)` stands behind them.
pub(crate) fn all(letter: u8) -> Vec<u8> {
    key(letter, &[])
}

pub(crate) fn entry(id: QueueId) -> Vec<u8> {
    key(b'e', &[&id.0.to_be_bytes()])
}

pub(crate) fn open(id: QueueId) -> Vec<u8> {
    key(b'o', &[&id.0.to_be_bytes()])
}

/// Of an address in small letters.
pub(crate) fn suppression(address: &str) -> Vec<u8> {
    key(b's', &[address.as_bytes()])
}

pub(crate) fn sending(account: AccountId) -> Vec<u8> {
    key(b'a', &[&account.0.to_be_bytes()])
}

pub(crate) fn holding(account: AccountId) -> Vec<u8> {
    key(b'f', &[&account.0.to_be_bytes()])
}

pub(crate) fn past(id: QueueId) -> Vec<u8> {
    key(b'p', &[&id.0.to_be_bytes()])
}

pub(crate) fn accepted(number: u64) -> Vec<u8> {
    key(b'l', &[&number.to_be_bytes()])
}

pub(crate) fn event(number: u64) -> Vec<u8> {
    key(b'w', &[&number.to_be_bytes()])
}

/// Of a recipient (`r`) or a line of history (`h`).
pub(crate) fn part(letter: u8, id: QueueId, number: u32) -> Vec<u8> {
    key(letter, &[&id.0.to_be_bytes(), &number.to_be_bytes()])
}

/// What the key of a recipient (`r`) says: of which message, and its index.
pub(crate) fn split_part(key: &[u8]) -> (QueueId, u32) {
    let (id, index) = key.split_at(key.len().saturating_sub(4));
    (entry_id(id), last_u32(index))
}

/// The id in an entry's key.
pub(crate) fn entry_id(key: &[u8]) -> QueueId {
    QueueId(last_u64(key))
}

/// The last eight bytes as a number.
pub(crate) fn last_u64(key: &[u8]) -> u64 {
    key.last_chunk::<8>().map_or(0, |number| u64::from_be_bytes(*number))
}

/// The last four bytes as a number.
pub(crate) fn last_u32(key: &[u8]) -> u32 {
    key.last_chunk::<4>().map_or(0, |number| u32::from_be_bytes(*number))
}
