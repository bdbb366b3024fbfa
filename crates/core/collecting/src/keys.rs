//! Keys and values under account 0.
//!
//! Every key begins with `00 00 00 00 'f'` (account 0, fetched from elsewhere) and a letter. Numbers are u32, big-endian.
//!
//! ```text
//! n                      last number of a source
//! s source               SourceRecord
//! a account source       empty: the account has this source
//! t source               StatusRecord: how the last run ended, when the next one is
//! k source               CountRecord: how many notes there are, how much was collected in all
//! d source folder        FolderRecord; the folder is a number, counted from 1 within the source, 0 is POP3's maildrop
//! m source folder name   NoteRecord: a message that was collected; the name is that of `note::Name`: 8 bytes of
//!                        UIDVALIDITY and UID (IMAP), or 16 bytes of a hash (POP3, and what has no name of its own)
//! x source               empty: removed; its `d`, `k` and `m` are still to be freed
//! ```
//! Values named ...Record are one version byte and then the fields of that struct (`record.rs`) in the wire format of
//! postcard 1 (postcard.jamesmunns.com/wire-format). A field is only ever added by a new version.

use crate::SourceId;
use engine::AccountId;

const PREFIX: [u8; 5] = [0, 0, 0, 0, b'f'];

pub(crate) const LAST_SOURCE: [u8; 6] = [0, 0, 0, 0, b'f', b'n'];

fn key(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&PREFIX[..], &[letter], &parts.concat()].concat()
}

/// First part of all keys of a letter.
pub(crate) fn all(letter: u8) -> Vec<u8> {
    key(letter, &[])
}

/// Of a source (`s`, `t`, `k`, `x`), or the first part of its folders (`d`) or notes (`m`).
pub(crate) fn of(letter: u8, source: SourceId) -> Vec<u8> {
    key(letter, &[&source.0.to_be_bytes()])
}

pub(crate) fn owned(account: AccountId, source: SourceId) -> Vec<u8> {
    key(b'a', &[&account.0.to_be_bytes(), &source.0.to_be_bytes()])
}

/// First part of an account's `a` keys.
pub(crate) fn owned_by(account: AccountId) -> Vec<u8> {
    key(b'a', &[&account.0.to_be_bytes()])
}

pub(crate) fn folder(source: SourceId, folder: u32) -> Vec<u8> {
    key(b'd', &[&source.0.to_be_bytes(), &folder.to_be_bytes()])
}

/// First part of the notes of a folder.
pub(crate) fn notes(source: SourceId, folder: u32) -> Vec<u8> {
    key(b'm', &[&source.0.to_be_bytes(), &folder.to_be_bytes()])
}

pub(crate) fn note(source: SourceId, folder: u32, name: &[u8]) -> Vec<u8> {
    key(b'm', &[&source.0.to_be_bytes(), &folder.to_be_bytes(), name])
}

/// Where the name begins in the key of a note.
pub(crate) const NOTE_NAME_AT: usize = 14;

/// The source in a key that begins with letter and source.
pub(crate) fn source_in(key: &[u8]) -> SourceId {
    let bytes = key.get(6..10).and_then(|bytes| bytes.first_chunk());
    SourceId(bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes)))
}

/// The first key behind all that begin with `prefix`.
pub(crate) fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 255 {
            end.push(last + 1);
            break;
        }
    }
    end
}

/// The last four bytes as a number.
pub(crate) fn last_u32(key: &[u8]) -> u32 {
    key.last_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}
