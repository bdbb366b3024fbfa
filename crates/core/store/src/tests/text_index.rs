//! The text index answers as the scan does: on random mail, with new mail behind it, expunged mail in it, after merges,
//! rebuilds and crashes between the steps.

use super::*;
use crate::search::Means;
use engine::Engine;
use model::Collation;
use proptest::prelude::*;

/// A store over the same engine that has never seen anything: its memory is empty.
fn reopened(engine: &Arc<MemoryEngine>) -> Store {
    Store::new(engine.clone())
}

fn everything(store: &Store) -> UidSet {
    (*store.open(ANNA, INBOX).unwrap().uids).clone()
}

fn find_in(store: &Store, mailbox: MailboxId, query: &Query, among: &UidSet) -> UidSet {
    find_by(Means::Index, store, mailbox, query, among)
}

fn find_by(means: Means, store: &Store, mailbox: MailboxId, query: &Query, among: &UidSet) -> UidSet {
    find_and_score(means, store, mailbox, query, among).0
}

fn find_and_score(
    means: Means,
    store: &Store,
    mailbox: MailboxId,
    query: &Query,
    among: &UidSet,
) -> (UidSet, Vec<(Uid, u8)>) {
    let mut found = UidSet::new();
    let mut scores = Vec::new();
    let mut from = Uid(0);
    loop {
        let page = store.search_by(means, ANNA, mailbox, query, among, from).unwrap();
        scores.extend(page.scores);
        assert!(page.uids.and(&found).is_empty(), "found twice");
        assert!(page.uids.iter().all(|uid| uid >= from && page.next.is_none_or(|next| uid < next)));
        found = found.or(&page.uids);
        match page.next {
            Some(next) => from = next,
            None => return (found, scores),
        }
    }
}

fn find(store: &Store, query: &Query) -> UidSet {
    find_in(store, INBOX, query, &everything(store))
}

/// What the messages themselves say.
fn scan(engine: &Arc<MemoryEngine>, query: &Query) -> UidSet {
    let store = reopened(engine);
    find_by(Means::Messages, &store, INBOX, query, &everything(&store))
}

fn base64(text: &str) -> String {
    let mut out = Vec::new();
    mime::transfer::encode_base64(text.as_bytes(), &mut out);
    String::from_utf8(out).unwrap().replace("\r\n", "\n").trim_end().to_owned()
}

fn index(store: &Store, goal: IndexGoal) {
    while store.index_step(ANNA, goal).unwrap().more {}
}

fn append(store: &Store, texts: &[String]) {
    let messages = texts.iter().map(|text| new(text)).collect();
    store.append(ANNA, Target::Inbox, messages, NOW).wait().unwrap();
}

fn header(name: &str, text: &str) -> Query {
    Query::Header { name: name.into(), text: text.into() }
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[abc]{1,3}",
        2 => "[жЖé]{1,3}",
        1 => "[東京]{1,60}",
        1 => "[a-c]{100,300}",
        1 => Just("e\u{301}".to_owned()),
        1 => Just("\u{130}I\u{307}".to_owned()),
    ]
}

fn phrase() -> impl Strategy<Value = String> {
    proptest::collection::vec((word(), "[ .@<\\-]{1,2}"), 1..5)
        .prop_map(|parts| parts.into_iter().map(|(word, between)| word + &between).collect())
}

fn part() -> impl Strategy<Value = String> {
    let encoded = |text: String| base64(&text);
    prop_oneof![
        4 => phrase().prop_map(|text| format!("Content-Type: text/plain; charset=utf-8\n\n{text}\n")),
        1 => phrase().prop_map(move |text| {
            let body = encoded(text);
            format!("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{body}\n")
        }),
        1 => phrase().prop_map(|text| {
            let halves = text.len() / 2;
            let at = text.ceil_char_boundary(halves);
            format!("Content-Type: text/html; charset=utf-8\n\n<p class=\"abc\">{}<b>{}</b><!-- ab -->\n", &text[..at], &text[at..])
        }),
        1 => "[abcАБВ]{0,8}".prop_map(|text| {
            // Cyrillic, as bytes of KOI8-R in quoted-printable.
            let quoted: String = text.bytes().map(|byte| format!("={byte:02X}")).collect();
            format!("Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: quoted-printable\n\n{quoted}\n")
        }),
        1 => (phrase(), prop_oneof![Just("x-none"), Just("shift_jis"), Just("utf-16")]).prop_map(|(text, charset)| {
            // Nobody knows the one, and hardly anything is valid in the others.
            format!("Content-Type: text/plain; charset={charset}\n\n{text}\n")
        }),
        1 => phrase().prop_map(|text| format!("Content-Type: application/octet-stream\n\n{text}\n")),
        1 => phrase().prop_map(|text| format!("Content-Type: text/plain\nContent-Transfer-Encoding: x-odd\n\n{text}\n")),
        1 => (phrase(), phrase())
            .prop_map(|(subject, text)| format!("Content-Type: message/rfc822\n\nSubject: {subject}\nX-Abc: c\n\n{text}\n")),
    ]
}

fn mail() -> impl Strategy<Value = String> {
    let field =
        (prop_oneof![Just("X-Abc"), Just("Received"), Just("from"), Just("Cc"), Just("ab-c")], phrase())
            .prop_map(|(name, text)| format!("{name}: {text}\n"));
    let charset = prop_oneof![4 => Just("utf-8"), 1 => Just("x-none"), 1 => Just("utf-16")];
    let word =
        ("[a-cжé]{1,3}", charset).prop_map(|(word, charset)| format!(" =?{charset}?B?{}?=", base64(&word)));
    let header = (phrase(), word, proptest::collection::vec(field, 0..5))
        .prop_map(|(subject, word, fields)| format!("Subject: {subject}{word}\n{}", fields.concat()));
    let body = prop_oneof![
        3 => part(),
        1 => proptest::collection::vec(part(), 1..3).prop_map(|parts| {
            let parts: String = parts.iter().map(|part| format!("--b\n{part}")).collect();
            format!("Content-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n")
        }),
    ];
    (header, body).prop_map(|(header, body)| header + &body)
}

fn needle() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[abcжé東]{1,3}",
        2 => phrase(),
        1 => "[ .@<]?[abcЖ]{1,3}[ .@<]{1,2}[abc]{0,3}",
        1 => "[a-c]{20,60}",
        1 => "[ .@:]{1,2}",
        1 => prop_oneof![Just("subject"), Just("abc: "), Just("e\u{301}"), Just("i\u{307}"), Just("x-")]
            .prop_map(str::to_owned),
    ]
}

fn leaf() -> impl Strategy<Value = Query> {
    let name = prop_oneof![
        Just("Subject"),
        Just("FROM"),
        Just("cc"),
        Just("x-abc"),
        Just("received"),
        Just("none"),
        Just("ab-c"),
        Just("a\nb")
    ];
    prop_oneof![
        2 => needle().prop_map(Query::Body),
        2 => needle().prop_map(Query::Text),
        3 => (name, prop_oneof![3 => needle().boxed(), 1 => Just(String::new()).boxed()])
            .prop_map(|(name, text)| header(name, &text)),
        1 => Just(Query::Flag(model::Flag::Seen)),
        1 => Just(Query::Uids(uids(&[1, 2, 3, 8, 9]))),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    leaf().prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|query| Query::Not(Box::new(query))),
            inner.clone().prop_map(|query| Query::Fuzzy(Box::new(query))),
            (proptest::sample::select(&Collation::EVERY), inner.clone())
                .prop_map(|(by, query)| Query::Collated(by, Box::new(query))),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(Query::And),
            proptest::collection::vec(inner, 1..3).prop_map(Query::Or),
        ]
    })
}

#[derive(Clone, Debug)]
enum Act {
    Arrive(Vec<String>),
    Expunge(u32),
    Index(IndexGoal),
    /// One step of it, and then a crash.
    Begin(IndexGoal),
    Search(Vec<Query>),
}

fn act() -> impl Strategy<Value = Act> {
    let goal = || {
        prop_oneof![
            Just(IndexGoal::TakeInAll),
            Just(IndexGoal::Rebuild),
            Just(IndexGoal::KeepUp),
            Just(IndexGoal::GiveBack),
            Just(IndexGoal::GiveBackAll)
        ]
    };
    prop_oneof![
        3 => proptest::collection::vec(mail(), 1..5).prop_map(Act::Arrive),
        1 => (1u32..20).prop_map(Act::Expunge),
        2 => goal().prop_map(Act::Index),
        1 => goal().prop_map(Act::Begin),
        3 => proptest::collection::vec(query(), 1..6).prop_map(Act::Search),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_index_never_differs_from_the_scan(acts in proptest::collection::vec(act(), 1..14)) {
        let (mut store, engine) = store();
        for act in acts {
            match act {
                Act::Arrive(texts) => append(&store, &texts),
                Act::Expunge(uid) => {
                    flag(&store, ANNA, &[uid], change(FlagMode::Add, &[model::Flag::Deleted], &[]));
                    store.expunge(ANNA, INBOX, None).wait().unwrap();
                }
                Act::Index(goal) => index(&store, goal),
                Act::Begin(goal) => {
                    store.index_step(ANNA, goal).unwrap();
                    store = reopened(&engine);
                }
                Act::Search(queries) => {
                    let among = everything(&store);
                    for query in queries {
                        let find = |means| find_and_score(means, &store, INBOX, &query, &among);
                        prop_assert_eq!(find(Means::Index), find(Means::Messages), "{:?}", query);
                    }
                }
            }
        }
        assert_sound(&store);
    }
}

/// Five hundred messages of words, each with one that no other has.
fn library(store: &Store, from: usize, count: usize) {
    let texts: Vec<String> = (from..from + count)
        .map(|at| {
            let words: Vec<String> =
                (0..20).map(|word| format!("word{}", (at * 7 + word * word) % 97)).collect();
            format!(
                "From: a{at}@x.test\nSubject: number {at}\nMessage-ID: <{at}.{}@x.test>\n\n{}\nonly{at}end\n",
                at * 3,
                words.join(" ")
            )
        })
        .collect();
    append(store, &texts);
}

fn questions() -> Vec<Query> {
    vec![
        Query::Body("only7".into()),
        Query::Body("word1".into()),
        Query::Body("word96 word".into()),
        Query::Text("x.test".into()),
        Query::Text("ly44e".into()),
        header("Message-ID", "<77.231@x.test>"),
        header("Message-ID", ""),
        header("from", "a4"),
        header("subject", "r 5"),
        Query::Not(Box::new(Query::Body("word5".into()))),
    ]
}

#[test]
fn many_segments_and_merges_leave_nothing_out() {
    let (store, engine) = store();
    for round in 0..20 {
        library(&store, round * 40, 40);
        index(&store, IndexGoal::TakeInAll);
    }
    let status = store.index_status(ANNA).unwrap();
    assert!(status.segments < 10, "{status:?}");
    assert_eq!((status.messages, status.waiting), (800, 0));
    let gone: Vec<u32> = (1..=800).filter(|uid| uid % 5 == 0).collect();
    flag(&store, ANNA, &gone, change(FlagMode::Add, &[model::Flag::Deleted], &[]));
    let before = everything(&store);
    store.expunge(ANNA, INBOX, None).wait().unwrap();
    for query in questions() {
        let expected = scan(&engine, &query);
        assert_eq!(find(&store, &query), expected, "{query:?}");
        // A session that has not heard of the expunge yet.
        assert_eq!(find_in(&store, INBOX, &query, &before), expected, "{query:?}");
    }
    index(&store, IndexGoal::Rebuild);
    index(&store, IndexGoal::KeepUp);
    assert_eq!(store.index_status(ANNA).unwrap().messages, 640);
    for query in questions() {
        assert_eq!(find(&store, &query), scan(&engine, &query), "{query:?}");
    }
    assert_sound(&store);
    assert!(blocks(&engine) < 40, "what was replaced is swept away: {}", blocks(&engine));
}

#[test]
fn words_of_messages_that_are_gone_take_no_space() {
    let (store, engine) = store();
    for round in 0..3 {
        library(&store, round * 100, 100);
        index(&store, IndexGoal::TakeInAll);
    }
    let before = store.index_status(ANNA).unwrap();
    let gone: Vec<u32> = (1..=100).chain(111..=200).chain(201..=240).collect();
    flag(&store, ANNA, &gone, change(FlagMode::Add, &[model::Flag::Deleted], &[]));
    store.expunge(ANNA, INBOX, None).wait().unwrap();
    index(&store, IndexGoal::KeepUp);
    assert_eq!(store.index_status(ANNA).unwrap(), before, "these segments are too few to be merged");
    index(&store, IndexGoal::GiveBack);
    let after = store.index_status(ANNA).unwrap();
    // Of the first hundred nothing is left, of the second ten; the third has most of its messages.
    assert_eq!((after.segments, after.messages, after.waiting), (2, 110, 0), "{after:?}");
    assert!(after.bytes < before.bytes, "{after:?}");
    for query in questions() {
        assert_eq!(find(&store, &query), scan(&engine, &query), "{query:?}");
    }
    assert_sound(&store);
}

fn blocks(engine: &Arc<MemoryEngine>) -> usize {
    let range = crate::keys::tag_range(ANNA, b'w');
    let mut count = 0;
    engine
        .snapshot()
        .unwrap()
        .scan(crate::keys::between(&range), engine::Order::Ascending, &mut |_, value| {
            assert!(value.len() < 64 * 1024);
            count += 1;
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    count
}

#[test]
fn a_word_of_one_field_is_not_found_in_another() {
    let (store, engine) = store();
    append(&store, &["X-A: one\nX-B: two\nCc: two\n\n".into(), "X-A: two\n\nthree x-b two\n".into()]);
    index(&store, IndexGoal::TakeInAll);
    for (query, expected) in [
        (header("x-a", "two"), &[2][..]),
        (header("X-B", "TWO"), &[1]),
        (header("cc", "two"), &[1]),
        (header("to", "two"), &[]),
        (header("x-b", ""), &[1]),
        (Query::Text("x-b".into()), &[1, 2]),
        (Query::Body("two".into()), &[2]),
        (Query::Body("o\nx".into()), &[]),
    ] {
        assert_eq!(find(&store, &query), uids(expected), "{query:?}");
        assert_eq!(scan(&engine, &query), uids(expected), "{query:?}");
    }
}

#[test]
fn fuzzy_finds_stems_and_slips_and_the_better_ones_score_higher() {
    let (store, _) = store();
    let texts = [
        "Subject: broken IMAP breaks\n\nx\n",
        "Subject: other\n\nthe Hello of imaps\n",
        "Subject: helo\n\nimap breaking\n",
        "Subject: книгами\nContent-Type: text/plain; charset=utf-8\n\nhelp\n",
    ];
    append(&store, &texts.map(str::to_owned));
    let fuzzy = |query| Query::Fuzzy(Box::new(query));
    let among = everything(&store);
    for round in 0..2 {
        for (query, expected) in [
            (fuzzy(header("subject", "IMAP break")), &[(1, 90)][..]),
            (fuzzy(Query::Text("Helo".into())), &[(2, 64), (3, 100), (4, 48)]),
            (fuzzy(Query::Text("книга".into())), &[(4, 80)]),
            (fuzzy(Query::And(vec![Query::Body("breaks".into()), header("subject", "hello")])), &[(3, 72)]),
            (fuzzy(Query::Not(Box::new(Query::Text("Helo".into())))), &[]),
            (fuzzy(Query::Body("nothing".into())), &[]),
        ] {
            for means in [Means::Index, Means::Messages] {
                let (_, scores) = find_and_score(means, &store, INBOX, &query, &among);
                let scores: Vec<(u32, u8)> = scores.into_iter().map(|(uid, score)| (uid.0, score)).collect();
                assert_eq!(scores, expected, "{query:?}, round {round}");
            }
        }
        index(&store, IndexGoal::TakeInAll);
    }
}

/// RFC 5255 §4.2, with the index and without.
#[test]
fn collations_find_what_they_take_for_the_same() {
    use Collation::{AsciiCasemap as Ascii, Octet, UnicodeCasemap as Unicode};
    let (store, _) = store();
    let texts = [
        "caf\u{c9} A",
        "caf\u{e9} a",
        "stra\u{df}e",
        "STRASSE",
        "cafe\u{301}",
        "\u{43d}\u{43e}\u{432}\u{44b}\u{439}",
    ];
    let mail = |text: &str| {
        format!("Subject: =?utf-8?B?{}?=\nContent-Type: text/plain; charset=utf-8\n\n{text}\n", base64(text))
    };
    append(&store, &texts.map(mail));
    let rows: &[(&str, Collation, &[u32])] = &[
        ("CAF\u{c9}", Unicode, &[1, 2, 5]),
        ("CAF\u{c9}", Ascii, &[1]),
        ("CAF\u{c9}", Octet, &[]),
        ("caf\u{c9}", Octet, &[1]),
        ("caf\u{e9}", Ascii, &[2]),
        ("cafe", Unicode, &[1, 2, 5]),
        ("cafe", Octet, &[5]),
        ("\u{e9} A", Unicode, &[1, 2]),
        ("\u{e9} A", Ascii, &[2]),
        ("\u{e9} A", Octet, &[]),
        ("SS", Unicode, &[4]),
        ("ss", Ascii, &[4]),
        ("ss", Octet, &[]),
        ("STRA\u{df}E", Unicode, &[3]),
        ("STRA\u{df}E", Octet, &[]),
        ("\u{41e}\u{412}\u{42b}\u{419}", Unicode, &[6]),
        ("\u{41e}\u{412}\u{42b}\u{419}", Ascii, &[]),
    ];
    for round in 0..2 {
        assert_found(&store, rows, round);
        index(&store, IndexGoal::TakeInAll);
    }
}

/// Texts are found where they should be and nowhere else, in subject and body, by the index and by reading.
fn assert_found(store: &Store, rows: &[(&str, Collation, &[u32])], round: usize) {
    let among = everything(store);
    for (text, by, wanted) in rows {
        let keys = [header("Subject", text), Query::Body((*text).into()), Query::Text((*text).into())];
        for (key, means) in
            keys.into_iter().flat_map(|key| [(key.clone(), Means::Index), (key, Means::Messages)])
        {
            let query = key.collated(*by);
            let found = find_by(means, store, INBOX, &query, &among);
            assert_eq!(found, uids(wanted), "{query:?}, round {round}");
            let others = Query::Not(Box::new(query));
            let found = find_by(means, store, INBOX, &others, &among);
            assert_eq!(found, among.minus(&uids(wanted)), "{others:?}, round {round}");
        }
    }
}

/// RFC 5255 §4.6 (c): what can't be decoded is compared octet by octet, whatever the comparator.
#[test]
fn text_that_can_not_be_decoded_is_searched_as_octets() {
    use Collation::{AsciiCasemap as Ascii, Octet, UnicodeCasemap as Unicode};
    let (store, _) = store();
    let mail = |charset: &str, text: &str| {
        let quoted: String = text.bytes().map(|byte| format!("={byte:02X}")).collect();
        format!(
            "Subject: =?{charset}?Q?{quoted}?=\nContent-Type: text/plain; charset={charset}\n\
             Content-Transfer-Encoding: quoted-printable\n\n{quoted}\n"
        )
    };
    let broken = |text: &str| mail("utf-8", text).replace("=21", "=FF");
    append(
        &store,
        &[
            mail("x-none", "Hello \u{416}"),
            mail("utf-8", "Hello \u{416}"),
            mail("koi8-r", "Hello \u{416}"),
            broken("Hello \u{416}!"),
            mail("us-ascii", "Hello \u{416}"),
            mail("x-none", "hello \u{436}"),
        ],
    );
    let rows: &[(&str, Collation, &[u32])] = &[
        ("Hello", Unicode, &[1, 2, 3, 4, 5]),
        ("hello", Unicode, &[2, 3, 5, 6]),
        ("HELLO", Ascii, &[2, 3, 5]),
        ("Hello", Octet, &[1, 2, 3, 4, 5]),
        // Its octets, since nobody knows what they mean.
        ("\u{416}", Unicode, &[1, 2, 4, 5]),
        ("\u{436}", Unicode, &[2, 5, 6]),
        ("o \u{416}", Unicode, &[1, 2, 4, 5]),
        // What they look like to one who guesses.
        ("\u{d0}\u{2013}", Unicode, &[]),
        ("\u{fffd}", Unicode, &[]),
    ];
    let among = everything(&store);
    for round in 0..2 {
        assert_found(&store, rows, round);
        // FUZZY guesses.
        let like = Query::Fuzzy(Box::new(Query::Body("hello".into())));
        assert_eq!(find_by(Means::Index, &store, INBOX, &like, &among), among, "round {round}");
        index(&store, IndexGoal::TakeInAll);
    }
    assert_eq!(store.index_status(ANNA).unwrap().unsure, 3);
}

#[test]
fn few_messages_wait_and_copies_are_found_in_their_mailbox() {
    let (store, engine) = store();
    library(&store, 0, 100);
    assert!(!store.index_step(ANNA, IndexGoal::KeepUp).unwrap().more);
    assert_eq!(store.index_status(ANNA).unwrap().waiting, 100);
    library(&store, 100, 200);
    index(&store, IndexGoal::KeepUp);
    assert_eq!(store.index_status(ANNA).unwrap().waiting, 0);
    let archive = store.mailbox_by_name(ANNA, "Archive").unwrap().id.unwrap();
    let some = Arc::new(uids(&[250, 3, 77]));
    store.copy(ANNA, INBOX, some, archive.into(), Originals::Stay, NOW).wait().unwrap();
    let copies = (*store.open(ANNA, archive).unwrap().uids).clone();
    assert_eq!(find_in(&store, archive, &Query::Body("only76".into()), &copies), uids(&[2]));
    assert_eq!(find_in(&store, archive, &Query::Body("only249e".into()), &copies), uids(&[3]));
    assert_eq!(find(&store, &Query::Body("only249e".into())), uids(&[250]));
    drop(engine);
    store.delete_account(ANNA).wait().unwrap();
    assert!(!store.index_step(ANNA, IndexGoal::TakeInAll).unwrap().more);
}

#[test]
fn hostile_text_is_looked_at_itself_and_closed_parts_are_counted() {
    let (store, engine) = store();
    let many: String = (0..60_000).map(|number| format!("{number:x}z ")).collect();
    append(
        &store,
        &[
            format!("Subject: a\n{}: b\n\nshort\n", "N".repeat(200)),
            format!("Subject: many\n\n{many}\n"),
            "Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--\n".into(),
            "Content-Transfer-Encoding: x-odd\n\nsecret\n".into(),
        ],
    );
    index(&store, IndexGoal::TakeInAll);
    let status = store.index_status(ANNA).unwrap();
    assert_eq!((status.unsure, status.encrypted_parts, status.undecodable_parts), (2, 1, 1));
    assert!(status.words <= 50_020, "{status:?}");
    let last = format!("{:x}z", 59_999);
    for query in [
        Query::Body(last),
        Query::Text("nnn".into()),
        header(&"n".repeat(200), ""),
        Query::Body("hort".into()),
    ] {
        let found = find(&store, &query);
        assert_eq!(found, scan(&engine, &query));
        assert_eq!(found.len(), 1, "{query:?}");
    }
    assert_sound(&store);
}

#[test]
fn a_damaged_index_is_told_and_not_used() {
    let (store, engine) = store();
    library(&store, 0, 50);
    index(&store, IndexGoal::TakeInAll);
    let key = crate::keys::index_block(ANNA, 1, b'p', 0).to_vec();
    let damage = move |tx: &mut dyn engine::Tx| Ok(tx.put(&key, &[1, 0xff, 0xff])?);
    (&*engine as &dyn Engine).transact(&[ANNA], damage).wait().unwrap();
    for query in questions() {
        assert_eq!(find(&store, &query), scan(&engine, &query), "{query:?}");
    }
    let problems = store.check(&mut |_, _| {}).unwrap();
    assert!(problems.iter().any(|problem| problem.text.contains("index rebuild")), "{problems:?}");
    index(&store, IndexGoal::Rebuild);
    index(&store, IndexGoal::KeepUp);
    assert_sound(&store);
}
