//! Keys and values under account 0.
//!
//! Every key begins with `00 00 00 00 'l'` (account 0, lists) and a letter. Numbers are u32, big-endian; addresses are in
//! the directory's normal form, or as written where they have none.
//!
//! ```text
//! n                   last number of a list
//! q                   last number of a post
//! l list              ListRecord
//! m list member       MemberRecord
//! a list address      the member's number: who has this address
//! w list member       empty: the owners are to be told that this member gets nothing more
//! p post              PostRecord: a post on its way to the members, or held
//! ```
//! Values named ...Record are one version byte and then the fields of that struct (`record.rs`) in the wire format of
//! postcard 1 (postcard.jamesmunns.com/wire-format). A field is only ever added by a new version.

use model::EmailAddress;

const PREFIX: [u8; 5] = [0, 0, 0, 0, b'l'];

pub(crate) const LAST_LIST: [u8; 6] = [0, 0, 0, 0, b'l', b'n'];
pub(crate) const LAST_POST: [u8; 6] = [0, 0, 0, 0, b'l', b'q'];

fn key(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&PREFIX[..], &[letter], &parts.concat()].concat()
}

/// First part of all keys of a letter; `all(letter + 1)` stands behind them.
pub(crate) fn all(letter: u8) -> Vec<u8> {
    key(letter, &[])
}

/// Of a list (`l`), a post (`p`), or the first part of a list's members (`m`) or their addresses (`a`).
pub(crate) fn of(letter: u8, number: u32) -> Vec<u8> {
    key(letter, &[&number.to_be_bytes()])
}

pub(crate) fn member(list: u32, number: u32) -> Vec<u8> {
    key(b'm', &[&list.to_be_bytes(), &number.to_be_bytes()])
}

pub(crate) fn notice(list: u32, number: u32) -> Vec<u8> {
    key(b'w', &[&list.to_be_bytes(), &number.to_be_bytes()])
}

/// List and member in the key of a notice.
pub(crate) fn split_notice(key: &[u8]) -> Option<(u32, u32)> {
    let (rest, member) = key.split_last_chunk::<4>()?;
    Some((last_u32(rest), u32::from_be_bytes(*member)))
}

pub(crate) fn address(list: u32, address: &EmailAddress) -> Vec<u8> {
    let normal = directory::normal_address(address);
    let text = normal.as_ref().unwrap_or(address).to_string();
    key(b'a', &[&list.to_be_bytes(), text.as_bytes()])
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
