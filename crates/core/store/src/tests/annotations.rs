//! Annotations of messages: whose they are, what they count for, and where they go.

use super::*;
use AnnotationScope::{Private, Shared};
use model::{AnnotationChange, AnnotationKey, AnnotationQuery, AnnotationScope, Collation, Rights};

const SENT: Target = Target::Use(model::SpecialUse::Sent);

fn set(
    store: &Store,
    user: AccountId,
    uid: u32,
    changes: &[(&str, AnnotationScope, Option<&str>)],
) -> Result<Stored, Error> {
    let changes = changes.iter().map(|(entry, scope, value)| AnnotationChange {
        entry: (*entry).to_owned(),
        scope: *scope,
        value: value.map(|value| value.as_bytes().to_vec()),
    });
    let uids = Arc::new([Uid(uid)].into_iter().collect());
    store.annotate(ANNA, INBOX, uids, user, changes.collect(), None, ModSeq(0)).wait()
}

/// `entry.scope=value` of a message, what was removed as `-entry.scope`.
fn get(store: &Store, account: AccountId, mailbox: MailboxId, user: AccountId, uid: u32) -> Vec<String> {
    let (page, next) = store.annotations(account, mailbox, user, (Uid(uid), Uid(uid)), usize::MAX).unwrap();
    assert_eq!(next, None);
    let all = page.into_iter().flat_map(|(_, list)| list);
    let mut shown: Vec<String> = all
        .map(|annotation| match annotation.value {
            Some(value) => format!(
                "{}{}={}",
                annotation.entry,
                annotation.scope.suffix(),
                String::from_utf8(value).unwrap()
            ),
            None => format!("-{}{}", annotation.entry, annotation.scope.suffix()),
        })
        .collect();
    shown.sort();
    shown
}

#[test]
fn values_are_shared_or_ones_own() {
    let (store, _) = store();
    fill(&store, ANNA, 2);
    let before = store.usage(ANNA).unwrap().bytes;
    let stored =
        set(&store, ANNA, 1, &[("/comment", Private, Some("mine")), ("/comment", Shared, Some("ours"))])
            .unwrap();
    assert_eq!(stored.changed.len(), 1);
    assert_eq!(store.usage(ANNA).unwrap().bytes, before + 2 * (8 + 4));
    set(&store, BORIS, 1, &[("/comment", Private, Some("his"))]).unwrap();
    assert_eq!(store.usage(ANNA).unwrap().bytes, before + 2 * (8 + 4), "not the owner's octets");
    assert_eq!(get(&store, ANNA, INBOX, ANNA, 1), ["/comment.priv=mine", "/comment.shared=ours"]);
    assert_eq!(get(&store, ANNA, INBOX, BORIS, 1), ["/comment.priv=his", "/comment.shared=ours"]);
    assert!(get(&store, ANNA, INBOX, ANNA, 2).is_empty());
    // The same again is no change; what is removed is remembered.
    assert!(set(&store, ANNA, 1, &[("/comment", Shared, Some("ours"))]).unwrap().changed.is_empty());
    let removed = set(&store, BORIS, 1, &[("/comment", Shared, None), ("/none", Private, None)]).unwrap();
    assert!(removed.modseq > stored.modseq);
    assert_eq!(get(&store, ANNA, INBOX, ANNA, 1), ["-/comment.shared", "/comment.priv=mine"]);
    assert_eq!(store.changes(ANNA, INBOX, stored.modseq, &[]).unwrap().unwrap().flagged.len(), 1);
    assert_sound(&store);
    // RFC 7162 §3.1.3
    let change = AnnotationChange { entry: "/x".into(), scope: Private, value: Some(b"1".to_vec()) };
    let uids = Arc::new((1..=3).map(Uid).collect());
    let known = store.annotate(ANNA, INBOX, uids, ANNA, vec![change], Some(stored.modseq), stored.modseq);
    let known = known.wait().unwrap();
    let list = |uids: &UidSet| uids.iter().map(|uid| uid.0).collect::<Vec<_>>();
    assert_eq!(
        (list(&known.modified), list(&known.changed), list(&known.missing)),
        (vec![1], vec![2], vec![3])
    );
    assert_eq!(list(&known.overtaken), [1]);
}

#[test]
fn they_go_along_and_they_go() {
    let (store, engine) = store();
    fill(&store, ANNA, 4);
    for user in [ANNA, BORIS] {
        set(&store, user, 2, &[("/comment", Private, Some("own")), ("/a", Shared, Some("all"))]).unwrap();
    }
    let some: Arc<UidSet> = Arc::new((1..=3).map(Uid).collect());
    let copied = store.copy(ANNA, INBOX, some.clone(), SENT, Originals::Stay, NOW).wait().unwrap();
    let sent = copied.mailbox;
    // RFC 5257 §4.6: nobody else's.
    assert_eq!(get(&store, ANNA, sent, ANNA, 2), ["/a.shared=all", "/comment.priv=own"]);
    assert_eq!(get(&store, ANNA, sent, BORIS, 2), ["/a.shared=all"]);
    assert_sound(&store);
    // Across accounts, into one's own, without `n` there: one's own alone.
    let source = Source {
        account: ANNA,
        mailbox: INBOX,
        behalf: Behalf { may: Rights::ALL, seen: None, user: Some(BORIS) },
    };
    let to = |letters: &str| Destination {
        account: BORIS,
        to: Target::Inbox,
        behalf: Behalf { may: Rights::parse(letters).unwrap(), seen: None, user: None },
    };
    store.copy_to(source, some.clone(), to("lri"), Originals::Stay, NOW).wait().unwrap();
    assert_eq!(get(&store, BORIS, INBOX, BORIS, 2), ["/comment.priv=own"]);
    store.copy_to(source, some, to("lrin"), Originals::Go, NOW).wait().unwrap();
    assert_eq!(get(&store, BORIS, INBOX, BORIS, 5), ["/a.shared=all", "/comment.priv=own"]);
    assert!(get(&store, ANNA, INBOX, ANNA, 2).is_empty());
    assert_sound(&store);
    // They go with their messages, with their mailbox, with their account.
    set(&store, ANNA, 4, &[("/a", Shared, Some("x"))]).unwrap();
    store.remove(ANNA, INBOX, [Uid(4)].into_iter().collect()).wait().unwrap();
    let rows = |account| {
        let mut count = 0;
        let range = crate::keys::tag_range(account, crate::keys::ANNOTATION_TAG);
        let mut visit = |_: &[u8], _: &[u8]| {
            count += 1;
            std::ops::ControlFlow::Continue(())
        };
        engine
            .snapshot()
            .unwrap()
            .scan(crate::keys::between(&range), engine::Order::Ascending, &mut visit)
            .unwrap();
        count
    };
    let in_sent = rows(ANNA);
    assert_eq!(in_sent, 3, "two and the totals");
    store.create_mailbox(ANNA, "gone", None, NOW).wait().unwrap();
    let all: Arc<UidSet> = Arc::new((1..=3).map(Uid).collect());
    store.copy(ANNA, sent, all, Target::Name("gone".into()), Originals::Stay, NOW).wait().unwrap();
    store.delete_mailbox(ANNA, "gone").wait().unwrap();
    assert_sound(&store);
    while store.purge(ANNA).wait().unwrap() {}
    assert_eq!(rows(ANNA), in_sent);
    assert_sound(&store);
    // A new message, a message in place of another.
    let annotations = vec![NewAnnotation { user: ANNA, entry: "/comment".into(), value: b"new".to_vec() }];
    let appended = store
        .append(ANNA, Target::Inbox, vec![NewMessage { annotations, ..new("a: b\n\nc\n") }], NOW)
        .wait()
        .unwrap();
    assert_eq!(get(&store, ANNA, INBOX, ANNA, appended.uids[0].0), ["/comment.priv=new"]);
    store.replace(ANNA, INBOX, appended.uids[0], Target::Inbox, new("x: y\n\nz\n"), NOW).wait().unwrap();
    assert!(get(&store, ANNA, INBOX, ANNA, appended.uids[0].0).is_empty());
    store.rename_mailbox(ANNA, "INBOX", "old", NOW).wait().unwrap();
    assert_sound(&store);
}

#[test]
fn they_are_bounded() {
    let (store, _) = store();
    fill(&store, ANNA, 1);
    let big = "x".repeat(ANNOTATION_BYTES_MAX + 1);
    let refused = set(&store, ANNA, 1, &[("/a", Shared, Some("1")), ("/b", Shared, Some(&big))]);
    assert!(matches!(refused, Err(Error::Limit(Limit::AnnotationSize))));
    let name = "/".repeat(ANNOTATION_NAME_BYTES_MAX + 1);
    assert!(matches!(
        set(&store, ANNA, 1, &[(&name, Shared, Some("1"))]),
        Err(Error::Limit(Limit::AnnotationSize))
    ));
    assert!(get(&store, ANNA, INBOX, ANNA, 1).is_empty());
    for user in [ANNA, BORIS] {
        for number in 0..ANNOTATIONS_MAX {
            set(&store, user, 1, &[(&format!("/{number}"), Private, Some("1"))]).unwrap();
        }
        let refused = set(&store, user, 1, &[("/more", Private, Some("1"))]);
        assert!(matches!(refused, Err(Error::Limit(Limit::Annotations))));
        set(&store, user, 1, &[("/0", Private, Some("other"))]).unwrap();
    }
    // What was removed is not remembered without end.
    for number in 0..10 * ANNOTATIONS_MAX {
        set(&store, BORIS, 1, &[(&format!("/{number}"), Private, None)]).unwrap();
        set(&store, BORIS, 1, &[(&format!("/{}", number + ANNOTATIONS_MAX), Private, Some("1"))]).unwrap();
    }
    assert!(get(&store, ANNA, INBOX, BORIS, 1).len() <= 2 * ANNOTATIONS_MAX);
    assert_sound(&store);
    let bytes = store.usage(ANNA).unwrap().bytes;
    store.set_limits(ANNA, Limits { bytes: Some(bytes + 5), messages: None }).wait().unwrap();
    assert!(matches!(set(&store, ANNA, 1, &[("/s", Shared, Some("1234"))]), Err(Error::OverQuota)));
    set(&store, ANNA, 1, &[("/s", Shared, Some("123"))]).unwrap();
    assert_sound(&store);
}

#[test]
fn they_are_looked_for_and_sorted_by() {
    let (store, _) = store();
    fill(&store, ANNA, 4);
    set(&store, ANNA, 1, &[("/comment", Private, Some("Zebra")), ("/1/comment", Shared, Some("apple"))])
        .unwrap();
    set(
        &store,
        BORIS,
        2,
        &[("/comment", Private, Some("zebra")), ("/comment", Shared, Some("\u{436}\u{443}\u{43a}"))],
    )
    .unwrap();
    set(&store, ANNA, 4, &[("/comment", Private, Some("antelope"))]).unwrap();
    let found = |entries: &str, scope, text: &str| {
        let query = AnnotationQuery { entries: entries.into(), scope, text: text.into() };
        let found = store.annotated(ANNA, INBOX, ANNA, &query, Collation::default()).unwrap();
        found.iter().map(|uid| uid.0).collect::<Vec<_>>()
    };
    assert_eq!(found("/comment", None, "ZEB"), [1], "nobody else's");
    assert_eq!(found("*", None, "A"), [1, 4]);
    assert_eq!(found("/%", None, "apple"), [0; 0]);
    assert_eq!(found("/*", Some(Private), "apple"), [0; 0]);
    assert_eq!(found("/*", Some(Shared), "APPLE"), [1]);
    assert_eq!(found("/comment", Some(Shared), "\u{416}\u{423}"), [2]);
    let sorted = |user, direction| {
        let key = AnnotationKey { entry: "/comment".into(), scope: Private };
        let criterion = model::SortCriterion { key: model::SortKey::Annotation(key), direction };
        let seen = SortedFor { user, scores: &[] };
        let all = store.open(ANNA, INBOX).unwrap().uids;
        let arrangement = model::Arrangement::Sorted(vec![criterion]);
        match store.order(ANNA, INBOX, &all, &arrangement, Default::default(), seen).unwrap() {
            Ordered::Sorted(uids) => uids.into_iter().map(|uid| uid.0).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(sorted(ANNA, model::Direction::Ascending), [2, 3, 4, 1]);
    assert_eq!(sorted(ANNA, model::Direction::Descending), [1, 4, 2, 3]);
    assert_eq!(sorted(BORIS, model::Direction::Ascending), [1, 3, 4, 2]);
    // By page: at least one message each.
    let (page, next) = store.annotations(ANNA, INBOX, ANNA, (Uid(1), Uid(9)), 1).unwrap();
    assert_eq!((page.len(), next), (1, Some(Uid(2))));
}

/// Two messages, the first with annotations of everybody, and a quota that both fill, or exceed by so much.
fn full_to_the_brim((octets, messages): (u64, u64)) -> Store {
    let (store, _) = store();
    fill(&store, ANNA, 2);
    set(&store, ANNA, 1, &[("/comment", Private, Some("mine")), ("/comment", Shared, Some("ours"))]).unwrap();
    set(&store, BORIS, 1, &[("/comment", Private, Some("his"))]).unwrap();
    let used = store.usage(ANNA).unwrap();
    assert_eq!(used.bytes, 2 * 22 + 2 * (8 + 4));
    let limits = Limits { bytes: Some(used.bytes - octets), messages: Some(used.messages - messages) };
    store.set_limits(ANNA, limits).wait().unwrap();
    store
}

/// By how much the quota is exceeded, in octets and in messages: not at all, in one, in the other, in both.
const EXCESS: [(u64, u64); 4] = [(0, 0), (1, 0), (0, 1), (30, 2)];

fn used(store: &Store) -> (u64, u64) {
    let usage = store.usage(ANNA).unwrap();
    (usage.bytes, usage.messages)
}

/// Somebody else in Anna's mailboxes.
const GUEST: Behalf = Behalf { may: Rights::ALL, seen: None, user: Some(BORIS) };

#[test]
fn a_move_is_never_over_quota() {
    for excess in EXCESS {
        let store = full_to_the_brim(excess);
        let before = used(&store);
        let one = || Arc::new(uids(&[1]));
        let refused = store.copy(ANNA, INBOX, one(), SENT, Originals::Stay, NOW).wait();
        assert!(matches!(refused, Err(Error::OverQuota)), "{excess:?}");
        assert_eq!(used(&store), before);
        let moved = store.copy(ANNA, INBOX, one(), SENT, Originals::Go, NOW).wait().unwrap();
        let sent = moved.mailbox;
        assert_eq!(get(&store, ANNA, sent, ANNA, 1), ["/comment.priv=mine", "/comment.shared=ours"]);
        assert!(get(&store, ANNA, INBOX, ANNA, 1).is_empty());
        assert_eq!(used(&store), before);
        // Within a mailbox.
        store.copy(ANNA, sent, one(), SENT, Originals::Go, NOW).wait().unwrap();
        assert_eq!(get(&store, ANNA, sent, ANNA, 2), ["/comment.priv=mine", "/comment.shared=ours"]);
        assert_eq!(used(&store), before);
        assert_sound(&store);
        // On behalf of another, who leaves behind what is the owner's own.
        let from = Source { account: ANNA, mailbox: sent, behalf: GUEST };
        let to = Destination { account: ANNA, to: Target::Inbox, behalf: GUEST };
        store.copy_to(from, Arc::new(uids(&[2])), to, Originals::Go, NOW).wait().unwrap();
        assert_eq!(get(&store, ANNA, INBOX, ANNA, 3), ["/comment.shared=ours"]);
        assert_eq!(used(&store), (before.0 - 12, before.1));
        assert_sound(&store);
    }
}

#[test]
fn a_copy_needs_room_for_its_annotations() {
    let store = full_to_the_brim((0, 0));
    let before = used(&store);
    let limit = |octets| Limits { bytes: Some(before.0 + octets), messages: None };
    let copy = || store.copy(ANNA, INBOX, Arc::new(uids(&[1])), SENT, Originals::Stay, NOW).wait();
    store.set_limits(ANNA, limit(22 + 24 - 1)).wait().unwrap();
    assert!(matches!(copy(), Err(Error::OverQuota)));
    assert_eq!(used(&store), before);
    store.set_limits(ANNA, limit(22 + 24)).wait().unwrap();
    copy().unwrap();
    assert_eq!(used(&store), (before.0 + 22 + 24, before.1 + 1));
    assert_sound(&store);
}

#[test]
fn inbox_is_renamed_at_a_full_quota() {
    for excess in EXCESS {
        let store = full_to_the_brim(excess);
        // RFC 5464 §4.1: entries are on both afterwards, and that leaves no room at all.
        let limits = store.usage(ANNA).unwrap().limits;
        store.set_limits(ANNA, Limits::default()).wait().unwrap();
        store
            .set_metadata(ANNA, Some(INBOX), ANNA, vec![("/private/a".into(), Some("b".into()))])
            .wait()
            .unwrap();
        store.set_limits(ANNA, limits).wait().unwrap();
        let before = used(&store);
        store.rename_mailbox(ANNA, "INBOX", "old", NOW).wait().unwrap();
        let old = store.mailbox_by_name(ANNA, "old").unwrap().id.unwrap();
        assert_eq!(get(&store, ANNA, old, ANNA, 1), ["/comment.priv=mine", "/comment.shared=ours"]);
        assert!(get(&store, ANNA, INBOX, ANNA, 1).is_empty());
        assert_eq!(used(&store), (before.0 + 11, before.1), "{excess:?}");
        assert_sound(&store);
    }
}

/// RFC 8508 §3.4: "only the net quota consumption is considered".
#[test]
fn a_replacement_takes_the_room_of_the_old_one() {
    for (excess, behalf) in EXCESS.into_iter().flat_map(|excess| [(excess, Behalf::OWNER), (excess, GUEST)]) {
        let store = full_to_the_brim(excess);
        let before = used(&store);
        let replace = |uid: u32, text: &str, comment: &str| {
            let value = comment.as_bytes().to_vec();
            let annotations = vec![NewAnnotation { user: SERVER, entry: "/comment".into(), value }];
            let message = NewMessage { annotations, ..new(text) };
            let from = Source { account: ANNA, mailbox: INBOX, behalf };
            let to = Destination { account: ANNA, to: Target::Inbox, behalf };
            store.replace_in(from, Uid(uid), to, message, NOW).wait()
        };
        // An octet too many, in the annotation, in the message.
        for (text, comment) in [("a: b\n\n", "x".repeat(31)), ("a: b\n\nc", "x".repeat(30))] {
            assert!(matches!(replace(1, text, &comment), Err(Error::OverQuota)), "{excess:?}");
            assert_eq!(used(&store), before);
            assert_eq!(get(&store, ANNA, INBOX, BORIS, 1), ["/comment.priv=his", "/comment.shared=ours"]);
        }
        let replaced = replace(1, "a: b\n\n", &"x".repeat(30)).unwrap();
        assert_eq!(used(&store), before, "all the room");
        assert!(get(&store, ANNA, INBOX, BORIS, 1).is_empty());
        assert_sound(&store);
        // Octets that are freed above the quota do not come back.
        replace(replaced.uid.0, "a: b\n\n", &"x".repeat(29)).unwrap();
        assert_eq!(used(&store), (before.0 - 1, before.1));
        let again = replace(replaced.uid.0 + 1, "a: b\n\n", &"x".repeat(30));
        assert_eq!(matches!(again, Err(Error::OverQuota)), excess.0 > 0);
        assert_sound(&store);
    }
}

#[test]
fn between_accounts_the_other_quota_counts() {
    let store = full_to_the_brim((1, 1));
    let from = Source { account: ANNA, mailbox: INBOX, behalf: Behalf::OWNER };
    let to = Destination { account: BORIS, to: Target::Inbox, behalf: Behalf::OWNER };
    let go = || store.copy_to(from, Arc::new(uids(&[1])), to.clone(), Originals::Go, NOW).wait();
    let before = used(&store);
    let limit = |bytes| Limits { bytes: Some(bytes), messages: None };
    store.set_limits(BORIS, limit(22 + 24 - 1)).wait().unwrap();
    assert!(matches!(go(), Err(Error::OverQuota)));
    assert_eq!(used(&store), before);
    store.set_limits(BORIS, limit(22 + 24)).wait().unwrap();
    go().unwrap();
    assert_eq!(used(&store), (before.0 - 22 - 24, before.1 - 1));
    assert_eq!(store.usage(BORIS).unwrap().bytes, 22 + 24);
    assert_sound(&store);
}

#[test]
fn annotations_of_a_message_take_one_anothers_room() {
    for excess in EXCESS {
        let store = full_to_the_brim(excess);
        let before = used(&store);
        let refused = set(&store, ANNA, 1, &[("/comment", Private, Some("mine!"))]);
        assert!(matches!(refused, Err(Error::OverQuota)), "{excess:?}");
        set(&store, ANNA, 1, &[("/comment", Private, Some("longer")), ("/comment", Shared, Some("me"))])
            .unwrap();
        assert_eq!(used(&store), before);
        set(&store, ANNA, 1, &[("/comment", Private, None)]).unwrap();
        assert_eq!(used(&store), (before.0 - 14, before.1));
        assert_sound(&store);
    }
    // The number of messages is no quota of annotations.
    let (store, _) = store();
    fill(&store, ANNA, 1);
    store.set_limits(ANNA, Limits { bytes: None, messages: Some(0) }).wait().unwrap();
    set(&store, ANNA, 1, &[("/comment", Private, Some("mine"))]).unwrap();
    assert!(!store.would_fit(ANNA, 0).unwrap());
    store.set_limits(ANNA, Limits { bytes: Some(0), messages: None }).wait().unwrap();
    assert!(!store.would_fit(ANNA, 0).unwrap(), "a message, of whatever size");
}
