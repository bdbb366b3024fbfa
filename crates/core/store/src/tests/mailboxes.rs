//! Mailboxes, subscriptions, accounts.

use super::*;
use model::SpecialUse;

fn names(store: &Store) -> Vec<String> {
    let list = store.mailboxes(ANNA).unwrap();
    list.into_iter().filter(|info| info.id.is_some()).map(|info| info.name).collect()
}

#[test]
fn a_new_account_has_its_six_mailboxes_subscribed() {
    let (store, _) = store();
    let list = store.mailboxes(ANNA).unwrap();
    assert!(list.iter().all(|info| info.subscribed && info.counters.highest_modseq == ModSeq(1)));
    assert_eq!(names(&store), ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]);
    assert_eq!(store.mailbox_by_name(ANNA, "inBox").unwrap().id, Some(INBOX));
    assert_eq!(list[4].special_use, Some(SpecialUse::Sent));
    let mut validities: Vec<_> = list.iter().map(|info| info.counters.uid_validity).collect();
    validities.sort();
    validities.dedup();
    assert_eq!(validities.len(), 6);
    assert!(matches!(store.create_account(ANNA, Limits::default(), NOW).wait(), Err(Error::AccountExists)));
    assert!(matches!(store.mailboxes(AccountId(1)), Err(Error::NoAccount)));
    assert_sound(&store);
}

#[test]
fn names_are_checked_and_normalised() {
    let (store, _) = store();
    for bad in
        ["", "/", "a/", "/a", "a//b", "a\0b", "a\r\nb", "..", "a/../b", "a*", "%", "a\u{85}", "a\u{2028}b"]
    {
        let refused = store.create_mailbox(ANNA, bad, None, NOW).wait();
        assert!(matches!(refused, Err(Error::BadName(_))), "{bad:?}: {refused:?}");
    }
    assert!(matches!(store.create_mailbox(ANNA, &"a/".repeat(32), None, NOW).wait(), Err(Error::BadName(_))));
    assert!(matches!(
        store.create_mailbox(ANNA, &"a".repeat(1001), None, NOW).wait(),
        Err(Error::BadName(_))
    ));
    store.create_mailbox(ANNA, "Cafe\u{301}", None, NOW).wait().unwrap();
    assert!(store.mailbox_by_name(ANNA, "Caf\u{e9}").is_ok());
    store.create_mailbox(ANNA, "inbox/Счета", None, NOW).wait().unwrap();
    assert_eq!(store.mailbox_by_name(ANNA, "Inbox/Счета").unwrap().name, "INBOX/Счета");
    assert!(matches!(store.create_mailbox(ANNA, "inbox", None, NOW).wait(), Err(Error::MailboxExists)));
    assert_sound(&store);
}

#[test]
fn superiors_are_made_and_uses_are_given_once() {
    let (store, _) = store();
    let id = store.create_mailbox(ANNA, "a/b/c", None, NOW).wait().unwrap();
    assert_eq!(store.mailbox(ANNA, id).unwrap().name, "a/b/c");
    assert!(names(&store).contains(&"a/b".to_owned()));
    let used = store.create_mailbox(ANNA, "Spam", Some(SpecialUse::Junk), NOW).wait();
    assert!(matches!(used, Err(Error::UseTaken)));
    store.create_mailbox(ANNA, "Vital", Some(SpecialUse::Important), NOW).wait().unwrap();
    assert_eq!(store.mailbox_by_name(ANNA, "Vital").unwrap().special_use, Some(SpecialUse::Important));
    assert_eq!(store.usage(ANNA).unwrap().mailboxes, 10);
    assert_sound(&store);
}

#[test]
fn a_deleted_mailbox_is_gone_at_once_and_its_space_soon() {
    let (store, engine) = store();
    store.create_mailbox(ANNA, "a/b", None, NOW).wait().unwrap();
    let a = store.mailbox_by_name(ANNA, "a").unwrap();
    let messages = (0..1500).map(|number| new(&format!("x: {number}\n\n"))).collect();
    store.append(ANNA, "a".into(), messages, NOW).wait().unwrap();
    store
        .copy(ANNA, a.id.unwrap(), Arc::new(uids(&[1, 2])), Target::Inbox, Originals::Stay, NOW)
        .wait()
        .unwrap();
    store.subscribe(ANNA, "a", true).wait().unwrap();
    store.delete_mailbox(ANNA, "a").wait().unwrap();
    assert!(matches!(store.open(ANNA, a.id.unwrap()), Err(Error::NoMailbox)));
    assert!(matches!(store.delete_mailbox(ANNA, "a").wait(), Err(Error::NoMailbox)));
    assert!(matches!(store.delete_mailbox(ANNA, "inbox").wait(), Err(Error::BadName(_))));
    assert_eq!(store.usage(ANNA).unwrap().messages, 2);
    let left = store.mailboxes(ANNA).unwrap().into_iter().find(|info| info.name == "a").unwrap();
    assert_eq!((left.id, left.subscribed), (None, true), "the subscription stays");
    assert!(store.mailbox_by_name(ANNA, "a/b").is_ok(), "inferiors stay");
    assert_sound(&store);
    while store.purge(ANNA).wait().unwrap() {}
    assert!(store.unpurged().unwrap().is_empty());
    assert_eq!(engine::Engine::check(&*engine, &mut |_, _| {}).unwrap().contents, 2);
    let again = store.create_mailbox(ANNA, "a", None, NOW).wait().unwrap();
    let again = store.mailbox(ANNA, again).unwrap();
    assert!(again.id > a.id && again.counters.uid_validity > a.counters.uid_validity);
    assert_sound(&store);
}

#[test]
fn renaming_takes_inferiors_along_and_inbox_gives_its_messages() {
    let (store, _) = store();
    store.create_mailbox(ANNA, "a/b/c", None, NOW).wait().unwrap();
    store.create_mailbox(ANNA, "ab", None, NOW).wait().unwrap();
    let b = store.mailbox_by_name(ANNA, "a/b").unwrap();
    store.append(ANNA, "a/b".into(), vec![new("x")], NOW).wait().unwrap();
    let rename = |from: &str, to: &str| store.rename_mailbox(ANNA, from, to, NOW).wait();
    assert!(matches!(rename("a", "ab"), Err(Error::MailboxExists)));
    assert!(matches!(rename("a", "a/x"), Err(Error::BadName(_))));
    assert!(matches!(rename("nope", "x"), Err(Error::NoMailbox)));
    rename("a", "new/place").unwrap();
    let moved = store.mailbox_by_name(ANNA, "new/place/b").unwrap();
    assert_eq!((moved.id, moved.counters.messages), (b.id, 1));
    assert_eq!(moved.counters.uid_validity, b.counters.uid_validity);
    assert!(store.mailbox_by_name(ANNA, "new").is_ok() && store.mailbox_by_name(ANNA, "ab").is_ok());
    // A name that only has inferiors can be renamed, too.
    store.delete_mailbox(ANNA, "new/place").wait().unwrap();
    rename("new/place", "там").unwrap();
    assert!(store.mailbox_by_name(ANNA, "там/b/c").is_ok());
    assert!(matches!(store.mailbox_by_name(ANNA, "там"), Err(Error::NoMailbox)));
    store.create_mailbox(ANNA, "INBOX/sub", None, NOW).wait().unwrap();
    fill(&store, ANNA, 3);
    rename("inbox", "old mail").unwrap();
    assert_eq!(store.mailbox_by_name(ANNA, "old mail").unwrap().counters.messages, 3);
    let inbox = store.open(ANNA, INBOX).unwrap();
    assert_eq!((inbox.counters.messages, inbox.counters.uid_next), (0, Uid(4)));
    assert!(store.mailbox_by_name(ANNA, "INBOX/sub").is_ok());
    assert_sound(&store);
}

#[test]
fn subscriptions_need_no_mailbox() {
    let (store, _) = store();
    store.subscribe(ANNA, "Nowhere", true).wait().unwrap();
    store.subscribe(ANNA, "inbox", false).wait().unwrap();
    store.subscribe(ANNA, "a//b", false).wait().unwrap();
    assert!(matches!(store.subscribe(ANNA, "a//b", true).wait(), Err(Error::BadName(_))));
    let list = store.mailboxes(ANNA).unwrap();
    let row = |name: &str| list.iter().find(|info| info.name == name).map(|info| (info.id, info.subscribed));
    assert_eq!(row("Nowhere"), Some((None, true)));
    assert_eq!(row("INBOX"), Some((Some(INBOX), false)));
    assert!(!store.mailbox(ANNA, INBOX).unwrap().subscribed);
}

#[test]
fn a_deleted_account_leaves_nothing() {
    let (store, engine) = store();
    fill(&store, ANNA, 1200);
    store.deliver(delivery("both", &[ANNA, BORIS])).wait().unwrap();
    for mode in [FlagMode::Add, FlagMode::Remove].iter().cycle().take(1100) {
        flag(&store, ANNA, &[1], change(*mode, &[model::Flag::Seen], &[]));
    }
    store.delete_account(ANNA).wait().unwrap();
    assert!(matches!(store.usage(ANNA), Err(Error::NoAccount)));
    assert!(matches!(store.open(ANNA, INBOX), Err(Error::NoMailbox)));
    assert_eq!(store.deliver(delivery("x", &[ANNA])).wait().unwrap(), [Outcome::NoAccount]);
    assert_sound(&store);
    while store.purge(ANNA).wait().unwrap() {}
    assert_eq!(store.account_after(AccountId(0)).unwrap(), Some(BORIS));
    assert_eq!(engine::Engine::check(&*engine, &mut |_, _| {}).unwrap().contents, 1);
    assert!(matches!(store.delete_account(ANNA).wait(), Err(Error::NoAccount)));
    assert_sound(&store);
}

#[test]
fn the_directory_can_make_and_remove_accounts_in_its_own_transaction() {
    let (store, engine) = store();
    let dynamic: &dyn engine::Engine = &*engine;
    let account = AccountId(20);
    for _ in 0..2 {
        let make = move |tx: &mut dyn engine::Tx| {
            Store::create_account_in(tx, account, Limits::default(), Layout::Person, NOW)
        };
        dynamic.transact(&[account], make).wait().unwrap();
    }
    assert_eq!(store.mailboxes(account).unwrap().len(), 6);
    for _ in 0..2 {
        let remove = move |tx: &mut dyn engine::Tx| Store::delete_account_in(tx, account);
        dynamic.transact(&[account], remove).wait().unwrap();
    }
    assert_eq!(store.unpurged().unwrap(), [account]);
    while store.purge(account).wait().unwrap() {}
    assert_eq!(store.account_after(BORIS).unwrap(), None);
}
