//! SEARCH: every key once, and paging.

use super::*;
use model::{EmailId, Flag, ThreadId};
use proptest::prelude::*;

fn find(store: &Store, query: Query) -> Vec<u32> {
    let everything = store.open(ANNA, INBOX).unwrap().uids;
    let mut found = Vec::new();
    let mut from = Uid(1);
    loop {
        let page = store.search(ANNA, INBOX, &query, &everything, from).unwrap();
        found.extend(page.uids.iter().map(|uid| uid.0));
        match page.next {
            Some(next) => from = next,
            None => return found,
        }
    }
}

fn header(name: &str, text: &str) -> Query {
    Query::Header { name: name.into(), text: text.into() }
}

fn library() -> Store {
    let (store, _) = store();
    let texts = [
        // "Привет" in KOI8-R, base64.
        "From: Anna <anna@x.test>\nSubject: =?koi8-r?B?8NLJ18XU?=\nDate: Tue, 1 Jul 2003 23:52:37 -1000\n\nplain Body\n",
        "To: b@x.test\nSubject: two\nDate: Wed, 2 Jul 2003 00:10:00 +0300\n\nsecond, longer text: caf\u{e9} \u{434}\u{41e}\u{43c}\n",
        "Subject: three\nX-Empty:\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n0JTQntCc\n",
        "Subject: four\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>nee<b>dle</b></p>\n--b\nContent-Type: application/octet-stream\n\nsecret\n--b--\n",
    ];
    let mut messages: Vec<NewMessage> = texts.map(new).into();
    messages[1].flags = FlagSet::NONE.with(Flag::Seen);
    messages[1].keywords = vec![word("$Work")];
    messages[2].received = UnixTime(86_400 * 100);
    store.append(ANNA, Target::Inbox, messages, NOW).wait().unwrap();
    store
}

#[test]
fn every_key_finds_what_it_should() {
    let store = library();
    let rows: &[(Query, &[u32])] = &[
        (Query::All, &[1, 2, 3, 4]),
        (Query::Uids(uids(&[2, 9])), &[2]),
        (Query::Flag(Flag::Seen), &[2]),
        (Query::Keyword(word("$work")), &[2]),
        (Query::Keyword(word("none")), &[]),
        (Query::Not(Box::new(Query::Flag(Flag::Seen))), &[1, 3, 4]),
        (Query::And(vec![]), &[1, 2, 3, 4]),
        (Query::And(vec![Query::Uids(uids(&[1, 2])), Query::Uids(uids(&[2, 3]))]), &[2]),
        (Query::Or(vec![Query::Uids(uids(&[4])), Query::Flag(Flag::Seen)]), &[2, 4]),
        (header("subject", "ПРИВЕТ"), &[1]),
        (header("FROM", "anna@"), &[1]),
        (header("X-Empty", ""), &[3]),
        (header("X-Empty", "a"), &[]),
        (Query::Body("DLE".into()), &[4]),
        (Query::Body("needle".into()), &[4]),
        (Query::Body("дом".into()), &[2, 3]),
        (Query::Body("CAFÉ".into()), &[2]),
        (Query::Body("secret".into()), &[]),
        (Query::Body("subject".into()), &[]),
        (Query::Body(String::new()), &[1, 2, 3, 4]),
        (Query::Text("привет".into()), &[1]),
        (Query::Text("body".into()), &[1]),
        (Query::Not(Box::new(Query::Text("дом".into()))), &[1, 4]),
        (Query::Or(vec![Query::Body("needle".into()), header("Subject", "two")]), &[2, 4]),
        (Query::Larger(150), &[4]),
        (Query::Smaller(110), &[2]),
        // The day as written, whatever the zone (RFC 9051 §6.4.4).
        (Query::Date(DateOf::Sent, When::On, Day(12_234)), &[1]),
        (Query::Date(DateOf::Sent, When::Since, Day(12_234)), &[1, 2]),
        (Query::Date(DateOf::Sent, When::Before, Day(12_235)), &[1]),
        (Query::Date(DateOf::Internal, When::On, Day(100)), &[3]),
        (Query::Date(DateOf::Internal, When::Since, Day(101)), &[1, 2, 4]),
        (Query::Date(DateOf::Saved, When::Before, Day(101)), &[]),
        (Query::ArrivedFrom(NOW), &[1, 2, 4]),
        (Query::ArrivedUpTo(UnixTime(86_400 * 100)), &[3]),
        (Query::ModSeq(ModSeq(2)), &[1, 2, 3, 4]),
        (Query::ModSeq(ModSeq(3)), &[]),
        (Query::EmailId(EmailId(3)), &[3]),
        (Query::ThreadId(ThreadId(4)), &[4]),
    ];
    for (query, expected) in rows {
        assert_eq!(find(&store, query.clone()), *expected, "{query:?}");
    }
}

#[test]
fn pages_together_find_everything_once() {
    let (store, _) = store();
    let messages = (0..4500).map(|number| new(&format!("Subject: {number}\n\n{}\n", number % 3))).collect();
    store.append(ANNA, Target::Inbox, messages, NOW).wait().unwrap();
    let everything = store.open(ANNA, INBOX).unwrap().uids;
    let first = store.search(ANNA, INBOX, &Query::Body("1".into()), &everything, Uid(1)).unwrap();
    assert_eq!(first.next, Some(Uid(2001)));
    assert_eq!(find(&store, Query::Body("1".into())).len(), 1500);
    // Large contents end a page as well.
    let big = "x".repeat(3 * 1024 * 1024);
    let messages = (0..4).map(|number| new(&format!("Subject: big\n\n{big}{number}\n"))).collect();
    store.append(ANNA, Target::Inbox, messages, NOW).wait().unwrap();
    let everything = store.open(ANNA, INBOX).unwrap().uids;
    let page = store.search(ANNA, INBOX, &Query::Body("xx".into()), &everything, Uid(4501)).unwrap();
    assert_eq!((page.uids, page.next), (uids(&[4501, 4502, 4503]), Some(Uid(4504))));
    assert_eq!(find(&store, Query::Body("xx".into())).len(), 4);
}

#[test]
fn flags_alone_never_touch_content_and_damage_is_named() {
    let (store, engine) = store();
    fill(&store, ANNA, 3);
    let key = crate::keys::message(ANNA, EmailId(2)).to_vec();
    let damage = move |tx: &mut dyn engine::Tx| Ok(tx.delete(&key)?);
    (&*engine as &dyn engine::Engine).transact(&[ANNA], damage).wait().unwrap();
    let everything = store.open(ANNA, INBOX).unwrap().uids;
    let flags = Query::And(vec![Query::Flag(Flag::Seen), Query::Body("body".into())]);
    let page = store.search(ANNA, INBOX, &flags, &everything, Uid(1)).unwrap();
    assert_eq!((page.uids.len(), page.unreadable.len()), (0, 0), "no flag, so no content was read");
    let page = store.search(ANNA, INBOX, &Query::Body("body".into()), &everything, Uid(1)).unwrap();
    assert_eq!((page.uids, page.unreadable), (uids(&[1, 3]), uids(&[2])));
}

/// What a query finds, from what its leaves find each by itself.
fn by_leaves(store: &Store, everything: &UidSet, query: &Query) -> UidSet {
    match query {
        Query::Not(inner) => everything.minus(&by_leaves(store, everything, inner)),
        Query::And(all) => {
            all.iter().fold(everything.clone(), |found, part| found.and(&by_leaves(store, everything, part)))
        }
        Query::Or(any) => {
            any.iter().fold(UidSet::default(), |found, part| found.or(&by_leaves(store, everything, part)))
        }
        leaf => find(store, leaf.clone()).into_iter().map(Uid).collect(),
    }
}

fn leaf() -> impl Strategy<Value = Query> {
    prop_oneof![
        Just(Query::Flag(Flag::Seen)),
        Just(Query::Body("дом".into())),
        Just(Query::Text("body".into())),
        Just(header("Subject", "t")),
        Just(Query::Larger(120)),
        Just(Query::Uids(uids(&[2, 3]))),
        Just(Query::Uids(uids(&[1, 3, 4]))),
        Just(Query::Date(DateOf::Sent, When::Since, Day(12_235))),
    ]
}

fn tree() -> impl Strategy<Value = Query> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|query| Query::Not(Box::new(query))),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Query::And),
            proptest::collection::vec(inner, 0..4).prop_map(Query::Or),
        ]
    })
}

#[test]
fn reading_only_what_decides_never_changes_the_outcome() {
    let store = library();
    let everything = store.open(ANNA, INBOX).unwrap().uids;
    proptest!(|(query in tree())| {
        let found: UidSet = find(&store, query.clone()).into_iter().map(Uid).collect();
        prop_assert_eq!(found, by_leaves(&store, &everything, &query));
    });
}
