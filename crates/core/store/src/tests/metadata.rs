//! Metadata entries, and what sessions are told of the account.

use super::*;
use std::sync::atomic::{AtomicU64, Ordering};

fn set(
    store: &Store,
    account: AccountId,
    mailbox: Option<MailboxId>,
    entries: &[(&str, Option<&str>)],
) -> Result<(), Error> {
    let entries = entries.iter().map(|(name, value)| ((*name).to_owned(), value.map(Into::into))).collect();
    store.set_metadata(account, mailbox, account, entries).wait()
}

fn get(store: &Store, account: AccountId, mailbox: Option<MailboxId>, root: &str) -> Vec<(String, String)> {
    let found = store.metadata(account, mailbox, account, &[root.to_owned()], Depth::Infinity).unwrap();
    found.into_iter().map(|(name, value)| (name, String::from_utf8(value).unwrap())).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn entries_follow_their_mailbox_and_go_with_it() {
    let (store, engine) = store();
    let id = store.create_mailbox(ANNA, "a/b", None, NOW).wait().unwrap();
    set(&store, ANNA, Some(id), &[("/private/comment", Some("mine")), ("/shared/comment", Some("ours"))])
        .unwrap();
    assert_eq!(store.usage(ANNA).unwrap().bytes, 16 + 4 + 15 + 4);
    assert_eq!(get(&store, ANNA, Some(id), "/shared"), pairs(&[("/shared/comment", "ours")]));
    store.rename_mailbox(ANNA, "a", "c", NOW).wait().unwrap();
    assert_eq!(get(&store, ANNA, Some(id), "/private/comment"), pairs(&[("/private/comment", "mine")]));
    set(&store, ANNA, Some(id), &[("/private/comment", None), ("/shared/comment", Some("o"))]).unwrap();
    assert_eq!(store.usage(ANNA).unwrap().bytes, 15 + 1);
    assert_sound(&store);
    store.delete_mailbox(ANNA, "c/b").wait().unwrap();
    assert_eq!(store.usage(ANNA).unwrap().bytes, 0);
    assert!(matches!(set(&store, ANNA, Some(id), &[("/private/a", None)]), Err(Error::NoMailbox)));
    // RFC 5464 §4.1: both have them when INBOX is renamed.
    set(&store, ANNA, Some(INBOX), &[("/private/comment", Some("in"))]).unwrap();
    store.rename_mailbox(ANNA, "INBOX", "old", NOW).wait().unwrap();
    let old = store.mailbox_by_name(ANNA, "old").unwrap().id;
    assert_eq!(get(&store, ANNA, old, "/private"), get(&store, ANNA, Some(INBOX), "/private"));
    assert_sound(&store);
    store.delete_account(ANNA).wait().unwrap();
    while store.purge(ANNA).wait().unwrap() {}
    assert_eq!(store.account_after(AccountId(0)).unwrap(), Some(BORIS));
    drop(engine);
}

/// RFC 7162 §3.2
#[test]
fn an_entry_raises_highestmodseq_of_its_mailbox_if_it_changes() {
    let (store, _) = store();
    let id = store.create_mailbox(ANNA, "a", None, NOW).wait().unwrap();
    let highest = |id| store.mailbox(ANNA, id).unwrap().counters.highest_modseq;
    let inbox = highest(INBOX);
    let mut before = highest(id);
    let changes: [(&str, Option<&str>); 4] = [
        ("/private/comment", Some("mine")),
        ("/shared/comment", Some("ours")),
        ("/shared/comment", None),
        ("/private/specialuse", Some("\\Archive")),
    ];
    for change in changes {
        set(&store, ANNA, Some(id), &[change]).unwrap();
        let after = highest(id);
        assert!(after > before && after == store.account_modseq(ANNA).unwrap(), "{change:?}");
        set(&store, ANNA, Some(id), &[change]).unwrap();
        assert_eq!(highest(id), after, "nothing was changed: {change:?}");
        before = after;
    }
    set(&store, ANNA, None, &[("/private/comment", Some("of the server"))]).unwrap();
    assert_eq!((highest(id), highest(INBOX)), (before, inbox));
    assert_sound(&store);
}

#[test]
fn the_shared_entries_of_the_server_are_everybodys() {
    let (store, _) = store();
    set(&store, ANNA, None, &[("/private/x", Some("1")), ("/shared/comment", Some("hello"))]).unwrap();
    assert_eq!(get(&store, BORIS, None, "/shared"), pairs(&[("/shared/comment", "hello")]));
    assert!(get(&store, BORIS, None, "/private").is_empty());
    let state = store.server_changes(None, &[]).unwrap().up_to;
    set(&store, BORIS, None, &[("/shared/comment", None)]).unwrap();
    let changes = store.server_changes(Some(state), &[]).unwrap();
    assert_eq!((changes.entries, changes.up_to), (vec!["/shared/comment".to_owned()], state + 1));
    assert!(store.server_changes(Some(state), &[ModSeq(state + 1)]).unwrap().entries.is_empty());
    assert!(get(&store, ANNA, None, "/shared").is_empty());
    assert_sound(&store);
}

#[test]
fn depth_counts_levels() {
    let (store, _) = store();
    let names = ["/private/a", "/private/a/b", "/private/a/b/c", "/private/ab"];
    set(&store, ANNA, Some(INBOX), &names.map(|name| (name, Some("x")))).unwrap();
    let found = |depth| {
        let found = store.metadata(ANNA, Some(INBOX), ANNA, &["/private/a".into()], depth).unwrap();
        found.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(found(Depth::Zero), names[..1]);
    assert_eq!(found(Depth::One), names[..2]);
    assert_eq!(found(Depth::Infinity), names[..3]);
}

#[test]
fn all_or_none_and_within_bounds() {
    let (store, _) = store();
    let big = "x".repeat(ENTRY_BYTES_MAX + 1);
    let refused = set(&store, ANNA, Some(INBOX), &[("/private/a", Some("1")), ("/private/b", Some(&big))]);
    assert!(matches!(refused, Err(Error::Limit(Limit::Metadata))));
    assert!(get(&store, ANNA, Some(INBOX), "/private").is_empty());
    for number in 0..ENTRIES_MAX {
        set(&store, ANNA, Some(INBOX), &[(&format!("/private/{number}"), Some(""))]).unwrap();
    }
    let more = set(&store, ANNA, Some(INBOX), &[("/private/more", Some(""))]);
    assert!(matches!(more, Err(Error::Limit(Limit::Metadata))));
    store.set_limits(BORIS, Limits { bytes: Some(20), messages: None }).wait().unwrap();
    let quota = set(&store, BORIS, None, &[("/private/a", Some("much too much"))]);
    assert!(matches!(quota, Err(Error::OverQuota)));
    assert_sound(&store);
}

#[test]
fn a_reader_fills_nothing_of_the_owners() {
    let (store, _) = store();
    let mine = |number: usize, value: &str| {
        let entries = vec![(format!("/private/{number}"), Some(value.into()))];
        store.set_metadata(ANNA, Some(INBOX), BORIS, entries).wait()
    };
    (0..READER_ENTRIES_MAX).for_each(|number| mine(number, "x").unwrap());
    assert!(matches!(mine(READER_ENTRIES_MAX, "x"), Err(Error::Limit(Limit::Metadata))));
    mine(0, "other").unwrap();
    assert_eq!(store.usage(ANNA).unwrap().bytes, 0, "not the owner's octets");
    let big = "x".repeat(ENTRY_BYTES_MAX);
    mine(1, &big).unwrap();
    assert!(matches!(mine(2, &big), Err(Error::Limit(Limit::Metadata))));
    // The owner has all of his room.
    for number in 0..ENTRIES_MAX {
        set(&store, ANNA, Some(INBOX), &[(&format!("/private/{number}"), Some(""))]).unwrap();
        set(&store, ANNA, Some(INBOX), &[(&format!("/shared/{number}"), Some(""))]).unwrap();
    }
    assert_sound(&store);
    // INBOX's entries are copied, and the copies go with their mailbox.
    store.rename_mailbox(ANNA, "INBOX", "old", NOW).wait().unwrap();
    assert_sound(&store);
    store.delete_mailbox(ANNA, "old").wait().unwrap();
    assert_sound(&store);
}

#[test]
fn a_special_use_goes_over() {
    let (store, _) = store();
    let id = store.create_mailbox(ANNA, "My drafts", None, NOW).wait().unwrap();
    let drafts = store.mailbox_by_name(ANNA, "Drafts").unwrap();
    let name = "/private/specialuse";
    assert_eq!(get(&store, ANNA, drafts.id, name), pairs(&[(name, "\\Drafts")]));
    set(&store, ANNA, Some(id), &[(name, Some("\\Drafts"))]).unwrap();
    assert!(get(&store, ANNA, drafts.id, name).is_empty());
    assert_eq!(store.mailbox(ANNA, id).unwrap().special_use, Some(model::SpecialUse::Drafts));
    assert!(matches!(set(&store, ANNA, Some(id), &[(name, Some("\\Nonsense"))]), Err(Error::UseTaken)));
    assert!(matches!(set(&store, ANNA, Some(INBOX), &[(name, Some("\\Sent"))]), Err(Error::UseTaken)));
    set(&store, ANNA, Some(id), &[(name, None)]).unwrap();
    assert_eq!(store.mailbox(ANNA, id).unwrap().special_use, None);
    assert_sound(&store);
}

#[test]
fn what_happened_in_the_account() {
    let (store, _) = store();
    let start = store.account_modseq(ANNA).unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let tell = told.clone();
    let _watch = store.watch_each(
        ANNA,
        Arc::new(move |mailboxes: &[MailboxId], _| {
            for mailbox in mailboxes {
                tell.fetch_or(1 << mailbox.0, Ordering::SeqCst);
            }
        }),
    );
    let mut made = store.create_mailbox(ANNA, "new", None, NOW);
    let id = pollster_wait(&mut made).unwrap();
    let (_, own) = made.stamps()[0];
    store.rename_mailbox(ANNA, "new", "newer", NOW).wait().unwrap();
    store.subscribe(ANNA, "newer", true).wait().unwrap();
    set(&store, ANNA, Some(id), &[("/shared/comment", Some("x"))]).unwrap();
    fill(&store, ANNA, 2);
    flag(&store, ANNA, &[1], change(FlagMode::Add, &[model::Flag::Seen], &[]));
    let changes = store.account_changes(ANNA, start, None, &[]).unwrap();
    let named = |name: &str| name.to_owned();
    let events = vec![
        ListEvent::Created { mailbox: id, name: named("new") },
        ListEvent::Renamed { from: named("new"), to: named("newer") },
        ListEvent::Subscribed { name: named("newer") },
        ListEvent::Entry { mailbox: id, user: SERVER, name: named("/shared/comment") },
    ];
    assert_eq!(changes.events, events);
    let touched = changes.mailboxes.iter();
    let touched = touched.map(|it| (it.info.id, it.arrived, it.vanished, it.flagged, it.described));
    // The entry has raised HIGHESTMODSEQ of its mailbox.
    assert_eq!(
        touched.collect::<Vec<_>>(),
        [(Some(INBOX), true, false, true, false), (Some(id), false, false, false, true)]
    );
    assert_eq!(told.load(Ordering::SeqCst), 1 | 1 << INBOX.0 | 1 << id.0);
    let rest = store.account_changes(ANNA, start, Some(&[id].into()), &[own]).unwrap();
    assert_eq!((&rest.events[..], rest.mailboxes.len()), (&events[1..], 1));
    assert_eq!(store.account_changes(ANNA, changes.up_to, None, &[]).unwrap().events, []);
    for _ in 0..=LIST_EVENTS_MAX / 2 {
        store.subscribe(ANNA, "newer", false).wait().unwrap();
        store.subscribe(ANNA, "newer", true).wait().unwrap();
    }
    assert!(store.account_changes(ANNA, changes.up_to, None, &[]).unwrap().is_overflow);
    while store.trim_list(ANNA, 3).wait().unwrap() {}
    assert_eq!(store.account_changes(ANNA, changes.up_to, None, &[]).unwrap().events.len(), 3);
    assert_sound(&store);
}

fn pollster_wait<T: Send + 'static>(written: &mut Written<T>) -> Result<T, Error> {
    pollster::block_on(written)
}
