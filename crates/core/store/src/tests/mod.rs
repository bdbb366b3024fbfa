//! Tests of the whole store over the engine in memory.

mod access_keys;
mod annotations;
mod behaviour;
mod bring;
mod cost;
mod formats;
mod look;
mod mailboxes;
mod metadata;
mod model_based;
mod order;
mod search;
mod sharing;
mod text_index;
mod views;

use crate::*;
use engine::MemoryEngine;
use model::{
    DateOf, Day, FlagChange, FlagMode, FlagSet, Keyword, MailboxId, ModSeq, Query, Uid, UidSet, UnixTime,
    When,
};
use std::sync::Arc;

pub(crate) const ANNA: AccountId = AccountId(7);
pub(crate) const BORIS: AccountId = AccountId(9);
pub(crate) const NOW: UnixTime = UnixTime(1_700_000_000);
pub(crate) const INBOX: MailboxId = MailboxId(1);

/// A store with two accounts, and its engine.
pub(crate) fn store() -> (Store, Arc<MemoryEngine>) {
    let engine = Arc::new(MemoryEngine::default());
    let store = Store::new(engine.clone());
    for account in [ANNA, BORIS] {
        store.create_account(account, Limits::default(), NOW).wait().unwrap();
    }
    (store, engine)
}

pub(crate) fn message(text: &str) -> Prepared {
    Prepared::new(text.replace('\n', "\r\n").as_bytes()).unwrap()
}

pub(crate) fn new(text: &str) -> NewMessage {
    NewMessage {
        message: message(text),
        flags: FlagSet::NONE,
        keywords: Vec::new(),
        received: NOW,
        annotations: Vec::new(),
    }
}

pub(crate) fn recipient(account: AccountId) -> Recipient {
    Recipient {
        account,
        mailbox: Target::Inbox,
        fallback: Fallback::Refuse,
        flags: FlagSet::NONE,
        keywords: Vec::new(),
    }
}

pub(crate) fn delivery(text: &str, accounts: &[AccountId]) -> Delivery {
    let recipients = accounts.iter().copied().map(recipient).collect();
    Delivery { message: message(text), recipients, received: NOW, extra: None, follow: None }
}

/// Appends so many small messages to INBOX.
pub(crate) fn fill(store: &Store, account: AccountId, count: usize) {
    let messages = (0..count).map(|number| new(&format!("Subject: {number}\n\nbody {number}\n"))).collect();
    store.append(account, Target::Inbox, messages, NOW).wait().unwrap();
}

pub(crate) fn uids(list: &[u32]) -> UidSet {
    list.iter().copied().map(Uid).collect()
}

pub(crate) fn word(text: &str) -> Keyword {
    Keyword::new(text).unwrap()
}

pub(crate) fn change(mode: FlagMode, flags: &[model::Flag], keywords: &[&str]) -> FlagChange {
    FlagChange {
        mode,
        flags: flags.iter().copied().collect(),
        keywords: keywords.iter().map(|text| word(text)).collect(),
    }
}

pub(crate) fn flag(store: &Store, account: AccountId, list: &[u32], change: FlagChange) -> Stored {
    store.store_flags(account, INBOX, Arc::new(uids(list)), change, None, ModSeq(u64::MAX)).wait().unwrap()
}

pub(crate) fn all_rows(store: &Store, account: AccountId, mailbox: MailboxId) -> Vec<Row> {
    let everything = store.open(account, mailbox).unwrap().uids;
    store.rows(account, mailbox, &everything, Uid(1), Needs::default(), usize::MAX, 0).unwrap().rows
}

/// No counter is wrong.
pub(crate) fn assert_sound(store: &Store) {
    let problems = store.check(&mut |_, _| {}).unwrap();
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(claimed(store), [""; 0]);
}

/// Contents whose count of references is not what messages say.
pub(crate) fn claimed(store: &Store) -> Vec<String> {
    let snapshot = store.engine.snapshot().unwrap();
    let mut claims = engine::Claims::default();
    Store::claims(&*snapshot, &mut claims).unwrap();
    claims.compare(&*snapshot).unwrap()
}
