//! Keys and values under account 0.
//!
//! Every key begins with `00 00 00 00 'd'` (account 0, directory) and a letter. `name` is `domain 00 local`, both
//! normalised UTF-8, which hold no NUL; so addresses of a domain stand together, in order. Numbers are big-endian.
//!
//! ```text
//! g                      generation u64: raised by each change of what addresses mean
//! n                      last account-id allotted, u32
//! d domain               DomainRecord
//! a name                 AddressRecord: what this address is
//! i account              AccountRecord
//! c account              Credentials
//! p account id           AppRecord, one application password (id u32)
//! l account id           when it was last used, i64 seconds since 1970 (apart, so that a log-in writes few bytes)
//! r account              RedirectRecord: where the account's mail goes besides or instead
//! k domain 00 selector   DkimRecord: a key that the domain signs its mail with
//! t name 00 name         empty: the first address is a target of the alias or group with the second
//! ```
//! Values named ...Record or Credentials are one version byte and then the fields of that struct (`record.rs`) in the
//! wire format of postcard 1 (postcard.jamesmunns.com/wire-format). A field is only ever added by a new version.

use engine::AccountId;
use model::{Domain, EmailAddress};

const PREFIX: [u8; 5] = [0, 0, 0, 0, b'd'];

fn key(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = PREFIX.len() + 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut key = Vec::with_capacity(length);
    key.extend_from_slice(&PREFIX);
    key.push(letter);
    for part in parts {
        key.extend_from_slice(part);
    }
    key
}

pub(crate) const GENERATION: [u8; 6] = [0, 0, 0, 0, b'd', b'g'];
pub(crate) const LAST_ACCOUNT: [u8; 6] = [0, 0, 0, 0, b'd', b'n'];

pub(crate) fn domain(name: &Domain) -> Vec<u8> {
    key(b'd', &[name.as_str().as_bytes()])
}

/// Of an address in normal form.
pub(crate) fn address(address: &EmailAddress) -> Vec<u8> {
    key(b'a', &[address.domain.as_str().as_bytes(), b"\0", address.local.as_str().as_bytes()])
}

pub(crate) fn account(id: AccountId) -> Vec<u8> {
    key(b'i', &[&id.0.to_be_bytes()])
}

pub(crate) fn redirect(id: AccountId) -> Vec<u8> {
    key(b'r', &[&id.0.to_be_bytes()])
}

pub(crate) fn credentials(id: AccountId) -> Vec<u8> {
    key(b'c', &[&id.0.to_be_bytes()])
}

pub(crate) fn app_password(id: AccountId, number: u32) -> Vec<u8> {
    key(b'p', &[&id.0.to_be_bytes(), &number.to_be_bytes()])
}

pub(crate) fn last_used(id: AccountId, number: u32) -> Vec<u8> {
    key(b'l', &[&id.0.to_be_bytes(), &number.to_be_bytes()])
}

pub(crate) fn dkim_key(domain: &Domain, selector: &str) -> Vec<u8> {
    key(b'k', &[domain.as_str().as_bytes(), b"\0", selector.as_bytes()])
}

/// First part of the keys of a domain's DKIM keys.
pub(crate) fn dkim_keys_of(domain: &Domain) -> Vec<u8> {
    key(b'k', &[domain.as_str().as_bytes(), b"\0"])
}

/// Both in normal form.
pub(crate) fn target(target: &EmailAddress, alias: &EmailAddress) -> Vec<u8> {
    let mut key = targets_of(target);
    key.extend_from_slice(alias.domain.as_str().as_bytes());
    key.push(0);
    key.extend_from_slice(alias.local.as_str().as_bytes());
    key
}

/// First part of all keys of a letter.
pub(crate) fn all(letter: u8) -> Vec<u8> {
    key(letter, &[])
}

/// First part of the keys of a domain's addresses.
pub(crate) fn addresses_in(name: &Domain) -> Vec<u8> {
    key(b'a', &[name.as_str().as_bytes(), b"\0"])
}

/// First part of the keys of an account's application passwords.
/// First part of the keys of all application passwords.
pub(crate) fn app_passwords() -> Vec<u8> {
    key(b'p', &[])
}

pub(crate) fn app_passwords_of(id: AccountId) -> Vec<u8> {
    key(b'p', &[&id.0.to_be_bytes()])
}

/// First part of the keys of the aliases that have this target.
pub(crate) fn targets_of(target: &EmailAddress) -> Vec<u8> {
    key(b't', &[target.domain.as_str().as_bytes(), b"\0", target.local.as_str().as_bytes(), b"\0"])
}

/// The first key behind all that begin with `prefix`. No prefix here ends in bytes of 255 only.
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

/// Domain and local part from what follows the letter (or the prefix) in a key.
pub(crate) fn split_name(name: &[u8]) -> Option<(&str, &str)> {
    let zero = name.iter().position(|&b| b == 0)?;
    Some((std::str::from_utf8(&name[..zero]).ok()?, std::str::from_utf8(&name[zero + 1..]).ok()?))
}

/// The last four bytes as a number.
pub(crate) fn last_u32(key: &[u8]) -> u32 {
    key.last_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}
