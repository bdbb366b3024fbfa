//! Import and export, a batch at a time.

use super::account;
use super::account::store_failure;
use crate::control::request::{ExportedMessage, ImportedMessage};
use crate::control::{Event, Failure, Sink};
use agents::World;
use engine::{Abort, AccountId};
use model::{FlagSet, Keyword, MailboxId, Uid, UnixTime};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{ContentNeed, Delivery, Extra, Fallback, Needs, Outcome, Prepared, Recipient, Target, Written};

/// Content that goes into one answer of an export.
const EXPORT_BYTES: usize = 8 << 20;
const EXPORT_ROWS: usize = 500;

/// Puts a batch into a mailbox. Each message is one transaction with a note of its key, so that a second run, after
/// whatever interruption, skips exactly what is there. The note is looked for again inside the transaction: the batch
/// of a run that was just interrupted may still be under way.
pub(super) fn import(
    world: &World,
    owner: &str,
    mailbox: &str,
    messages: &[ImportedMessage],
    body: &[u8],
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    let owner = account(world, owner)?.id;
    let into = make_mailbox(world, owner, mailbox)?;
    let (mut rest, mut known) = (body, 0u64);
    let mut running: Vec<Written<Vec<Outcome>>> = Vec::new();
    for message in messages {
        let (content, after) = rest
            .split_at_checked(message.length as usize)
            .ok_or_else(|| Failure::new("the batch is shorter than it says"))?;
        rest = after;
        let note = note_key(owner, into, mailbox, &message.key);
        if world.engine.snapshot()?.get(&note)?.is_some() {
            known += 1;
            continue;
        }
        running.push(world.store.deliver(delivery(owner, into, message, content, note)?));
    }
    let mut new = 0u64;
    for written in running {
        let outcomes = match written.wait() {
            Err(store::Error::Cancelled) => {
                known += 1;
                continue;
            }
            other => other.map_err(store_failure)?,
        };
        match outcomes.as_slice() {
            [Outcome::Delivered(_)] => new += 1,
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

fn make_mailbox(world: &World, owner: AccountId, mailbox: &str) -> Result<MailboxId, Failure> {
    match world.store.mailbox_by_name(owner, mailbox) {
        Err(store::Error::NoMailbox) => {}
        Ok(info) => {
            if let Some(id) = info.id {
                return Ok(id);
            }
        }
        Err(error) => return Err(store_failure(error)),
    }
    world.store.create_mailbox(owner, mailbox, None, World::now()).wait().map_err(store_failure)?;
    world.store.subscribe(owner, mailbox, true).wait().map_err(store_failure)?;
    let made = world.store.mailbox_by_name(owner, mailbox).map_err(store_failure)?;
    made.id.ok_or(store::Error::NoMailbox).map_err(store_failure)
}

fn delivery(
    owner: AccountId,
    mailbox: MailboxId,
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
            mailbox: Target::Id(mailbox),
            fallback: Fallback::Refuse,
            flags: FlagSet(message.flags),
            keywords,
        }],
        received,
        extra: Some(Extra {
            references: 0,
            write: Box::new(move |tx, _| {
                if tx.get_with(&note, &mut |_| {})? {
                    return Err(Abort::Cancelled);
                }
                tx.put(&note, b"\x01").map_err(Abort::from)
            }),
        }),
        follow: None,
    })
}

/// The note that this message of that source is in that mailbox. It goes with the mailbox.
fn note_key(owner: AccountId, into: MailboxId, mailbox: &str, key: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(mailbox.as_bytes());
    hash.update([0]);
    hash.update(key.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    store::import_note(owner, into, short)
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
    let uids = world.store.open(owner, id).map_err(store_failure)?.uids;
    let needs = Needs { digest: false, content: ContentNeed::Range { start: 0, length: u64::MAX } };
    let mut from = Some(Uid(from.max(1)));
    // The other side takes an answer without a message for the end, so a page of damaged ones leads on to the next.
    while let Some(start) = from {
        let page = world.store.rows(owner, id, &uids, start, needs, EXPORT_ROWS, EXPORT_BYTES);
        let page = page.map_err(store_failure)?;
        from = page.next;
        for damaged in &page.damaged {
            out.say(format!("{mailbox}: {damaged} is damaged"))?;
        }
        if send(page, mailbox, info.counters.uid_validity.0, out)? > 0 {
            break;
        }
    }
    Ok(())
}

/// Sends the messages of a page; answers how many there were.
fn send(page: store::Rows, mailbox: &str, uid_validity: u32, out: &mut dyn Sink) -> Result<usize, Failure> {
    let mut sent = 0;
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
            uid_validity,
            flags: row.flags.0,
            keywords,
            received: row.received.0,
        };
        out.event(Event::Message(message), &content).map_err(|error| Failure::new(error.to_string()))?;
        sent += 1;
    }
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use model::{EmailAddress, UidSet};

    /// Keeps what comes back.
    #[derive(Default)]
    struct Heard {
        rows: Vec<serde_json::Value>,
        uids: Vec<u32>,
    }

    impl Sink for Heard {
        fn event(&mut self, event: Event, _: &[u8]) -> std::io::Result<()> {
            match event {
                Event::Row(row) => self.rows.push(row),
                Event::Message(message) => self.uids.push(message.uid),
                _ => {}
            }
            Ok(())
        }
    }

    fn world(dir: &std::path::Path) -> (World, AccountId) {
        let mut config = Config::default();
        config.server.data_dir = dir.to_owned();
        config.storage.segment_bytes = crate::config::ByteSize(1 << 20);
        let world = crate::world::open(&config).unwrap();
        world.directory.add_domain(&model::Domain::new("x.test").unwrap(), World::now()).wait().unwrap();
        let new = directory::NewAccount {
            address: EmailAddress::parse("a@x.test").unwrap(),
            display_name: String::new(),
            password: None,
            quota: directory::Quota::default(),
            role: directory::Role::Person,
        };
        let id = world.directory.add_account(new, World::now()).wait().unwrap();
        (world, id)
    }

    fn message(key: &str, content: &[u8]) -> ImportedMessage {
        ImportedMessage {
            length: content.len() as u32,
            key: key.to_owned(),
            flags: 0,
            keywords: Vec::new(),
            received: 0,
        }
    }

    #[test]
    fn an_export_goes_on_behind_a_gap_of_uids() {
        let dir = tempfile::tempdir().unwrap();
        let (world, id) = world(dir.path());
        let content = b"Subject: x\r\n\r\ntext\r\n";
        let keys: Vec<ImportedMessage> = (0..600).map(|key| message(&key.to_string(), content)).collect();
        import(&world, "a@x.test", "INBOX", &keys, &content.repeat(600), &mut Heard::default()).unwrap();
        let inbox = world.store.mailbox_by_name(id, "INBOX").unwrap().id.unwrap();
        let mut gone = UidSet::new();
        gone.insert_range(Uid(2), Uid(599));
        world.store.remove(id, inbox, gone).wait().unwrap();

        let (mut heard, mut from) = (Heard::default(), 1);
        loop {
            let before = heard.uids.len();
            export(&world, "a@x.test", "INBOX", from, &mut heard).unwrap();
            match heard.uids.last() {
                Some(last) if heard.uids.len() > before => from = last + 1,
                _ => break,
            }
        }
        assert_eq!(heard.uids, [1, 600]);
    }

    #[test]
    fn a_message_is_imported_once_even_while_its_first_import_is_under_way() {
        let dir = tempfile::tempdir().unwrap();
        let (world, id) = world(dir.path());
        let content = b"Subject: x\r\n\r\ntext\r\n";
        // Both stand in one batch, so neither sees the other's note before its own transaction.
        let twice = [message("same", content), message("same", content)];
        let mut heard = Heard::default();
        import(&world, "a@x.test", "INBOX", &twice, &content.repeat(2), &mut heard).unwrap();
        assert_eq!(heard.rows, [json!({ "new": 1, "known": 1 })]);
        assert_eq!(world.store.usage(id).unwrap().messages, 1);
    }
}
