//! Conversations (THREADID, RFC 8474 §5.2) by the rule that RFC 8621 §3 suggests: two messages belong together when one
//! names an identifier (Message-ID, In-Reply-To, References) that the other names too, and their base subjects are the
//! same (RFC 5256 §2.1).
//!
//! Bounded: at most [`LOOK_UPS_MAX`] identifiers of a message count, its own, the nearest ancestors and the root. Each
//! entry of the table counts the messages that made it and goes with the last of them; a message that arrives when
//! all that named its ancestors are gone begins a new thread. Threads are never merged afterwards: THREADID must not
//! change (RFC 8474 §5.2).

use crate::Error;
use crate::keys::{self, ThreadValue};
use crate::read::{corrupt, value};
use engine::{AccountId, Tx};
use model::{EmailId, ThreadId};
use std::borrow::Cow;

/// Identifiers of a message that are looked at.
const LOOK_UPS_MAX: usize = 20;

/// What threading needs to know of a message, worked out before its transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Threading {
    own: Option<u64>,
    /// Parent first, then the older ones, the root among them.
    ancestors: Vec<u64>,
    subject: u32,
}

/// 64 bits of FNV-1a. Whoever makes two identifiers meet merges two threads of equal subject and harms nobody else.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Threading {
    pub(crate) fn of(envelope: &mime::Envelope<'_>) -> Threading {
        let own = envelope.message_id.and_then(mime::references::message_id).map(|id| hash(&id));
        let ids = |value: Option<&[u8]>| -> Vec<u64> {
            let ids = value.map(mime::references::message_ids).unwrap_or_default();
            ids.iter().map(|id: &Cow<'_, [u8]>| hash(id)).collect()
        };
        let references = ids(envelope.references);
        let mut ancestors: Vec<u64> = Vec::with_capacity(LOOK_UPS_MAX);
        let nearest = references.iter().rev().take(LOOK_UPS_MAX / 2);
        let replied = ids(envelope.in_reply_to);
        for id in nearest.chain(replied.iter()).chain(references.first()) {
            if Some(*id) != own && !ancestors.contains(id) && ancestors.len() < LOOK_UPS_MAX - 1 {
                ancestors.push(*id);
            }
        }
        let subject =
            envelope.subject.map(mime::subject::base_subject).map_or_else(String::new, |base| base.text);
        Threading { own, ancestors, subject: hash(subject.to_lowercase().as_bytes()) as u32 }
    }
}

/// Where a message belongs, and the entries to write.
pub(crate) struct Placed {
    pub(crate) thread: ThreadId,
    pub(crate) entries: Vec<(u64, ThreadValue)>,
}

/// Finds the thread of a new message.
pub(crate) fn place(
    tx: &dyn Tx,
    account: AccountId,
    doc: EmailId,
    threading: &Threading,
) -> Result<Placed, Error> {
    let look_up = |hash: u64| {
        let damaged = || corrupt(account, "thread entry", hash);
        // A damaged entry counts as none: it is not worth refusing mail for.
        value(tx, &keys::thread(account, hash), |value| Some(ThreadValue::decode(value)), damaged)
            .map(Option::flatten)
    };
    let fits = |entry: &ThreadValue| entry.subject == threading.subject;
    let own = match threading.own {
        Some(hash) => look_up(hash)?,
        None => None,
    };
    let mut thread = own.filter(fits).map(|entry| entry.thread);
    let mut unknown = Vec::new();
    for hash in &threading.ancestors {
        if thread.is_some() {
            break;
        }
        match look_up(*hash)? {
            None => unknown.push(*hash),
            Some(entry) if fits(&entry) => thread = Some(entry.thread),
            Some(_) => {}
        }
    }
    let thread = thread.unwrap_or(ThreadId(doc.0));
    let fresh = ThreadValue { thread, subject: threading.subject, messages: 1 };
    let mut entries: Vec<(u64, ThreadValue)> = unknown.into_iter().map(|hash| (hash, fresh)).collect();
    if let Some(hash) = threading.own {
        let entry = match own {
            // The identifier came twice, or an answer was here first.
            Some(entry) if fits(&entry) => {
                ThreadValue { messages: entry.messages.saturating_add(1), ..entry }
            }
            // The same identifier with another subject: the newest message is what answers will mean. The messages
            // that made the old entry find another thread there when they go, and leave it alone.
            _ => fresh,
        };
        entries.push((hash, entry));
    }
    entries.sort_unstable_by_key(|(hash, _)| *hash);
    Ok(Placed { thread, entries })
}

/// Takes back what messages that are gone had entered. Hashes in ascending order, as often as entered.
pub(crate) fn forget(tx: &mut dyn Tx, account: AccountId, hashes: &[(u64, ThreadId)]) -> Result<(), Error> {
    for (hash, thread) in hashes {
        let key = keys::thread(account, *hash);
        let mut entry = None;
        tx.get_with(&key, &mut |value| entry = ThreadValue::decode(value))?;
        let Some(mut entry) = entry.filter(|entry| entry.thread == *thread) else { continue };
        entry.messages = entry.messages.saturating_sub(1);
        match entry.messages {
            0 => tx.delete(&key)?,
            _ => tx.put(&key, &entry.encode())?,
        }
    }
    Ok(())
}
