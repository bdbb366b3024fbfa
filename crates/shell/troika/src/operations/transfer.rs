//! Import and export, a batch at a time.

use super::account;
use super::account::store_failure;
use crate::control::request::{ExportedMessage, ImportedMessage};
use crate::control::{Event, Failure, Sink};
use agents::World;
use engine::{Abort, AccountId};
use model::{FlagSet, Keyword, Uid, UidSet, UnixTime};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{ContentNeed, Delivery, Extra, Fallback, Needs, Outcome, Prepared, Recipient, Target, Written};

/// Content that goes into one answer of an export.
const EXPORT_BYTES: usize = 8 << 20;
const EXPORT_ROWS: usize = 500;

/// Puts a batch into a mailbox. Each message is one transaction with a note of its key, so that a second run, after
/// whatever interruption, skips exactly what is there.
pub(super) fn import(
    world: &World,
    owner: &str,
    mailbox: &str,
    messages: &[ImportedMessage],
    body: &[u8],
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    let owner = account(world, owner)?.id;
    make_mailbox(world, owner, mailbox)?;
    let (mut rest, mut known) = (body, 0u64);
    let mut running: Vec<Written<Vec<Outcome>>> = Vec::new();
    for message in messages {
        let (content, after) = rest
            .split_at_checked(message.length as usize)
            .ok_or_else(|| Failure::new("the batch is shorter than it says"))?;
        rest = after;
        let note = note_key(owner, mailbox, &message.key);
        if world.engine.snapshot()?.get(&note)?.is_some() {
            known += 1;
            continue;
        }
        running.push(world.store.deliver(delivery(owner, mailbox, message, content, note)?));
    }
    let new = running.len() as u64;
    for written in running {
        match written.wait().map_err(store_failure)?.as_slice() {
            [Outcome::Delivered(_)] => {}
            [Outcome::OverQuota] => {
                return Err(Failure::new(
                    "the account's quota is used up; raise it with `troika account set --quota`, then run the import again",
                ));
            }
            other => return Err(Failure::new(format!("a message could not be stored: {other:?}"))),
        }
    }
    out.row(json!({ "new": new, "known": known }))
}

fn make_mailbox(world: &World, owner: AccountId, mailbox: &str) -> Result<(), Failure> {
    match world.store.mailbox_by_name(owner, mailbox) {
        Err(store::Error::NoMailbox) => {}
        Ok(info) if info.id.is_none() => {}
        Ok(_) => return Ok(()),
        Err(error) => return Err(store_failure(error)),
    }
    world.store.create_mailbox(owner, mailbox, None, World::now()).wait().map_err(store_failure)?;
    world.store.subscribe(owner, mailbox, true).wait().map_err(store_failure)
}

fn delivery(
    owner: AccountId,
    mailbox: &str,
    message: &ImportedMessage,
    content: &[u8],
    note: Vec<u8>,
) -> Result<Delivery, Failure> {
    let keywords = message.keywords.iter().filter_map(|word| Keyword::new(word).ok()).collect();
    let received = if message.received > 0 { UnixTime(message.received) } else { World::now() };
    Ok(Delivery {
        message: Prepared::new(content).map_err(store_failure)?,
        recipients: vec![Recipient {
            account: owner,
            mailbox: Target::Name(mailbox.to_owned()),
            fallback: Fallback::Refuse,
            flags: FlagSet(message.flags),
            keywords,
        }],
        received,
        extra: Some(Extra {
            references: 0,
            write: Box::new(move |tx, _| tx.put(&note, b"\x01").map_err(Abort::from)),
        }),
    })
}

/// `account x hash`: this message of that source is in that mailbox.
fn note_key(owner: AccountId, mailbox: &str, key: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(mailbox.as_bytes());
    hash.update([0]);
    hash.update(key.as_bytes());
    let mut note = owner.0.to_be_bytes().to_vec();
    note.push(b'x');
    note.extend_from_slice(&hash.finalize()[..16]);
    note
}

/// Sends the messages of a mailbox from a UID on, as many as go into one answer.
pub(super) fn export(
    world: &World,
    owner: &str,
    mailbox: &str,
    from: u32,
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    let owner = account(world, owner)?.id;
    let info = world.store.mailbox_by_name(owner, mailbox).map_err(store_failure)?;
    let id = info.id.ok_or(store::Error::NoMailbox).map_err(store_failure)?;
    let mut all = UidSet::new();
    all.insert_range(Uid(from.max(1)), Uid(u32::MAX));
    let needs = Needs { digest: false, content: ContentNeed::Range { start: 0, length: u64::MAX } };
    let page = world.store.rows(owner, id, &all, Uid(from.max(1)), needs, EXPORT_ROWS, EXPORT_BYTES);
    let page = page.map_err(store_failure)?;
    for row in page.rows {
        let store::RowContent::Bytes(content) = row.content else {
            out.say(format!("{mailbox}: the message with UID {} is damaged and left out", row.uid))?;
            continue;
        };
        let keywords = row
            .keywords
            .iter()
            .filter_map(|number| page.keywords.get(usize::from(*number)).map(|word| word.as_str().to_owned()))
            .collect();
        let message = ExportedMessage {
            uid: row.uid.0,
            uid_validity: info.counters.uid_validity.0,
            flags: row.flags.0,
            keywords,
            received: row.received.0,
        };
        out.event(Event::Message(message), &content).map_err(|error| Failure::new(error.to_string()))?;
    }
    Ok(())
}
