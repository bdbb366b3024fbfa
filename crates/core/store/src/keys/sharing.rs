//! Keys and values of access control lists and of what people see for themselves.

use super::{Key, Reader, VERSION, behind, push_number};
use crate::acl::{Acl, AclEntry, Effect, SeenState, Who};
use engine::AccountId;
use model::{MailboxId, Rights, Uid, UidSet};

/// Tag of access control lists.
pub(crate) const ACL_TAG: u8 = b'l';

/// Tag of what is shared with an account.
pub(crate) const SHARED_TAG: u8 = b'g';

/// Tag of private seen states.
pub(crate) const SEEN_TAG: u8 = b'p';

pub(crate) fn acl(account: AccountId, mailbox: MailboxId) -> Key {
    Key::new(account, ACL_TAG).with(&mailbox.0.to_be_bytes())
}

pub(crate) fn seen(account: AccountId, mailbox: MailboxId, user: AccountId, chunk: u32) -> Key {
    let key = Key::new(account, SEEN_TAG).with(&mailbox.0.to_be_bytes());
    key.with(&user.0.to_be_bytes()).with(&chunk.to_be_bytes())
}

/// All private seen states of a mailbox.
pub(crate) fn seen_range(account: AccountId, mailbox: MailboxId) -> (Key, Key) {
    let last = seen(account, mailbox, AccountId(u32::MAX), u32::MAX);
    (seen(account, mailbox, AccountId(0), 0), behind(last))
}

/// Where those look for what is shared with them who are meant by an entry.
fn shared_prefix(who: &Who) -> Vec<u8> {
    match who {
        Who::Account(account) => Key::new(*account, SHARED_TAG).to_vec(),
        Who::Anyone => b"\0\0\0\0sa".to_vec(),
        // An address holds no NUL.
        Who::Group(group) => [b"\0\0\0\0sg", group.as_bytes(), b"\0"].concat(),
    }
}

pub(crate) fn shared(who: &Who, owner: AccountId, mailbox: MailboxId) -> Vec<u8> {
    let mut key = shared_prefix(who);
    key.extend_from_slice(&owner.0.to_be_bytes());
    key.extend_from_slice(&mailbox.0.to_be_bytes());
    key
}

/// All that is shared with somebody, as `start..end`.
pub(crate) fn shared_range(who: &Who) -> (Vec<u8>, Vec<u8>) {
    let start = shared_prefix(who);
    let mut end = start.clone();
    // Behind the place of the last mailbox of the last account.
    end.extend_from_slice(&[0xff; 9]);
    (start, end)
}

/// Everything under account 0 that says what is shared with `anyone` and with groups.
pub(crate) fn shared_by_name() -> (Vec<u8>, Vec<u8>) {
    (b"\0\0\0\0s".to_vec(), b"\0\0\0\0t".to_vec())
}

/// Whom such a key means.
pub(crate) fn shared_who(key: &[u8]) -> Option<Who> {
    let (name, _) = key.split_at_checked(key.len().checked_sub(8)?)?;
    match name.get(5..)? {
        b"a" => Some(Who::Anyone),
        [b'g', group @ .., 0] => Some(Who::Group(str::from_utf8(group).ok()?.to_owned())),
        _ => None,
    }
}

/// Owner and mailbox at the end of a key of what is shared.
pub(crate) fn shared_place(key: &[u8]) -> Option<(AccountId, MailboxId)> {
    let mut reader = Reader(key.last_chunk::<8>()?);
    Some((AccountId(reader.u32()?), MailboxId(reader.u32()?)))
}

/// Marks an entry that takes rights away.
const DENY: u8 = 0x80;

pub(crate) fn encode_acl(acl: &Acl) -> Vec<u8> {
    let mut out = vec![VERSION, u8::from(acl.seen == SeenState::Shared)];
    for entry in &acl.entries {
        let kind = match entry.who {
            Who::Anyone => 1,
            Who::Account(_) => 2,
            Who::Group(_) => 3,
        };
        out.push(if entry.effect == Effect::Deny { kind | DENY } else { kind });
        out.extend_from_slice(&entry.rights.0.to_be_bytes());
        match &entry.who {
            Who::Anyone => {}
            Who::Account(account) => out.extend_from_slice(&account.0.to_be_bytes()),
            Who::Group(group) => {
                out.extend_from_slice(&(group.len() as u16).to_be_bytes());
                out.extend_from_slice(group.as_bytes());
            }
        }
    }
    out
}

pub(crate) fn decode_acl(value: &[u8]) -> Option<Acl> {
    let mut reader = Reader::versioned(value)?;
    let seen = match reader.u8()? {
        0 => SeenState::Private,
        1 => SeenState::Shared,
        _ => return None,
    };
    let mut entries = Vec::new();
    while !reader.0.is_empty() {
        let kind = reader.u8()?;
        let rights = Rights(reader.u16()?);
        let who = match kind & !DENY {
            1 => Who::Anyone,
            2 => Who::Account(AccountId(reader.u32()?)),
            3 => {
                let len = usize::from(reader.u16()?);
                Who::Group(str::from_utf8(reader.take(len)?).ok()?.to_owned())
            }
            _ => return None,
        };
        let effect = if kind & DENY != 0 { Effect::Deny } else { Effect::Grant };
        entries.push(AclEntry { who, effect, rights });
    }
    Some(Acl { seen, entries })
}

/// A piece of what somebody has seen; `base` is its first UID.
pub(crate) fn encode_seen(seen: &UidSet, base: u32) -> Vec<u8> {
    let mut out = vec![VERSION];
    let mut end = base;
    for (first, last) in seen.ranges() {
        push_number(&mut out, first.0 - end);
        push_number(&mut out, last.0 - first.0);
        end = last.0;
    }
    out
}

/// Adds a piece to a set.
pub(crate) fn decode_seen(value: &[u8], base: u32, into: &mut UidSet) -> Option<()> {
    let mut reader = Reader::versioned(value)?;
    let mut end = base;
    while !reader.0.is_empty() {
        let first = end.checked_add(reader.number()?)?;
        let last = first.checked_add(reader.number()?)?;
        if last - base >= crate::seen::CHUNK {
            return None;
        }
        into.insert_range(Uid(first), Uid(last));
        end = last;
    }
    Some(())
}
