//! Lists in memory: members, posts, decisions, copies.

use super::*;
use crate::record::PostRecord;
use directory::Directory;
use engine::{Abort, AccountId, ContentId, MemoryEngine, Packed, Tx};
use model::{Domain, EmailAddress, ReversePath, UnixTime};

const NOW: UnixTime = UnixTime(1_795_262_400);
const DAY: i64 = 86_400;

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

struct Bench {
    engine: Arc<dyn Engine>,
    directory: Directory,
    lists: Lists,
    list: u32,
}

fn bench(settings: Settings) -> Bench {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::default());
    let directory =
        Directory::open(engine.clone(), directory::Settings::default(), &[1; 32], Arc::new(())).unwrap();
    directory.add_domain(&Domain::new("x.test").unwrap(), NOW).wait().unwrap();
    let lists = Lists::new(engine.clone());
    let settings = Settings { owners: vec!["Boss@x.test".into()], ..settings };
    let list = lists.add(&address("Talk@x.test"), settings, NOW).wait().unwrap();
    Bench { engine, directory, lists, list }
}

impl Bench {
    fn list(&self) -> List {
        self.lists.list(self.list).unwrap().unwrap()
    }

    fn subscribe(&self, names: &[&str]) -> u32 {
        let addresses = names.iter().map(|name| address(name)).collect();
        self.lists.subscribe(self.list, addresses, NOW).wait().unwrap()
    }

    fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Tx) -> Result<T, engine::Error> + Send + 'static,
    ) -> T {
        self.engine.transact(&[AccountId(0)], move |tx| work(tx).map_err(Abort::from)).wait().unwrap()
    }

    fn sound(&self) {
        assert_eq!(self.lists.check().unwrap(), Vec::<String>::new());
        let snapshot = self.engine.snapshot().unwrap();
        let mut counted = engine::Claims::default();
        claims(&*snapshot, &mut counted).unwrap();
        assert_eq!(counted.compare(&*snapshot).unwrap(), Vec::<String>::new());
    }
}

fn new_post(list: u32, held: Option<&str>) -> NewPost {
    NewPost {
        list,
        from: ReversePath::Mailbox(address("a@y.test")),
        subject: "Hello".into(),
        size: 3,
        received: NOW,
        smtputf8: false,
        body: queue::Body::EightBitMime,
        held: held.map(str::to_owned),
    }
}

#[test]
fn members_come_and_go() {
    let bench = bench(Settings::default());
    assert_eq!(bench.subscribe(&["a@y.test", "B@y.test", "A@Y.test", "b@y.test"]), 2);
    assert_eq!(bench.list().members, 2);
    let names = |after, limit| {
        let page = bench.lists.members(bench.list, after, limit).unwrap();
        page.iter().map(|member| format!("{} {}", member.number, member.address)).collect::<Vec<_>>()
    };
    assert_eq!(names(0, 10), ["1 a@y.test", "2 B@y.test"]);
    assert_eq!(names(1, 10), ["2 B@y.test"]);
    assert_eq!(names(0, 1), ["1 a@y.test"]);
    let gone =
        bench.lists.unsubscribe(bench.list, vec![address("A@y.test"), address("c@y.test")]).wait().unwrap();
    assert_eq!((gone, bench.list().members), (1, 1));
    bench.subscribe(&["a@y.test"]);
    assert_eq!(names(0, 10), ["2 B@y.test", "3 a@y.test"], "a number is never used again");
    assert!(
        bench.lists.leave(bench.list, 2).wait().unwrap() && !bench.lists.leave(bench.list, 2).wait().unwrap()
    );
    let own = bench.lists.subscribe(bench.list, vec![address("talk@x.test")], NOW).wait();
    assert!(own.is_err(), "no member of itself");
    bench.sound();
}

#[test]
fn lists_are_made_changed_and_removed() {
    let bench = bench(Settings::default());
    assert!(bench.lists.add(&address("talk@x.test"), Settings::default(), NOW).wait().is_err());
    assert!(bench.lists.add(&address("talk@y.test"), Settings::default(), NOW).wait().is_err());
    for bad in [
        Settings { name: "a\nb".into(), ..Settings::default() },
        Settings { subject_tag: Some("é".into()), ..Settings::default() },
        Settings { owners: vec!["nobody".into()], ..Settings::default() },
        Settings { owners: vec!["Talk@x.test".into()], ..Settings::default() },
    ] {
        assert!(bench.lists.set(bench.list, bad).wait().is_err());
    }
    let list = bench.list();
    assert_eq!((list.settings.name.as_str(), list.id().as_str()), ("Talk", "talk.x.test"));
    bench.lists.set(bench.list, Settings { name: "Talks".into(), ..list.settings }).wait().unwrap();
    assert_eq!(bench.lists.all().unwrap()[0].settings.name, "Talks");
    bench.subscribe(&["a@y.test"]);
    let list = bench.list;
    bench.run(move |tx| {
        let content = tx.append(&Packed::new(b"one"), 1)?;
        post(tx, content, &new_post(list, None)).map(drop)
    });
    bench.sound();
    bench.lists.remove(bench.list).wait().unwrap();
    assert!(bench.lists.remove(bench.list).wait().is_err());
    assert!(bench.lists.all().unwrap().is_empty() && bench.lists.posts(0, 10).unwrap().is_empty());
    let free = bench.directory.resolve(&address("talk@x.test")).unwrap();
    assert_eq!(*free, directory::Resolution::NoSuchUser);
    bench.sound();
    let again = bench.lists.add(&address("talk@x.test"), Settings::default(), NOW).wait().unwrap();
    assert!(again != list && bench.lists.members(again, 0, 10).unwrap().is_empty());
}

#[test]
fn bounces_are_counted_by_day_and_forgotten() {
    let bench = bench(Settings { bounces_max: 3, ..Settings::default() });
    bench.subscribe(&["a@y.test"]);
    let list = bench.list;
    let bounce = |day: i64| bench.run(move |tx| bounced(tx, list, 1, UnixTime(NOW.0 + day * DAY)));
    let member = || bench.lists.member(bench.list, &address("a@y.test")).unwrap().unwrap();
    assert_eq!((bounce(0), bounce(0), member().bounces), (Bounced::Counted, Bounced::Counted, 1));
    bounce(1);
    bounce(16);
    assert_eq!(member().bounces, 1, "two weeks without: forgotten");
    bounce(17);
    assert_eq!((bounce(18), member().state), (Bounced::Suspended, MemberState::Bouncing));
    assert_eq!(bounce(19), Bounced::Counted, "told once");
    assert_eq!(bench.lists.suspended().unwrap(), [(list, 1)]);
    bench.lists.told(list, 1).wait().unwrap();
    assert!(bench.lists.suspended().unwrap().is_empty());
    bench.subscribe(&["a@y.test"]);
    assert_eq!((member().state, member().bounces), (MemberState::Active, 0));
    bench.run(move |tx| bounced(tx, list, 99, NOW));
    bench.run(move |tx| bounced(tx, 99, 1, NOW));
    bench.sound();
}

#[test]
fn a_post_has_its_content_until_its_end() {
    let bench = bench(Settings::default());
    let list = bench.list;
    let id = bench.run(move |tx| {
        let content = tx.append(&Packed::new(b"one"), 2)?;
        post(tx, content, &new_post(list, None))?;
        post(tx, content, &new_post(list, Some("why")))
    });
    bench.sound();
    let states = || bench.lists.posts(0, 10).unwrap().into_iter().map(|post| post.state).collect::<Vec<_>>();
    assert_eq!(states(), [PostState::Going(0), PostState::Held("why".into())]);
    assert!(bench.run(|tx| advance(tx, 1, 0, 5)) && !bench.run(|tx| advance(tx, 1, 0, 6)));
    assert!(!bench.run(move |tx| advance(tx, id, 0, 5)), "it is held");
    assert!(bench.lists.approve(1).wait().is_err(), "it goes already");
    assert_eq!(bench.lists.approve(id).wait().unwrap().subject, "Hello");
    assert_eq!(states(), [PostState::Going(5), PostState::Going(0)]);
    bench.run(|tx| finish(tx, 1));
    bench.run(|tx| finish(tx, 1));
    bench.sound();
    assert!(bench.lists.discard(id).wait().is_err());
    bench.run(move |tx| finish(tx, id));
    assert_eq!(bench.lists.post(id).unwrap(), None);
    bench.sound();
}

#[test]
fn check_finds_what_does_not_hold() {
    let bench = bench(Settings::default());
    bench.subscribe(&["a@y.test", "b@y.test"]);
    let list = bench.list;
    bench.run(move |tx| {
        tx.delete(&crate::keys::member(list, 1))?;
        tx.delete(&crate::keys::address(list, &address("b@y.test")))?;
        let lost = PostRecord {
            list: 77,
            content: ContentId(0).0,
            from: String::new(),
            subject: String::new(),
            size: 0,
            received: 0,
            smtputf8: false,
            body: queue::Body::SevenBit,
            state: PostState::Going(0),
        };
        tx.put(&crate::keys::of(b'p', 9), &crate::record::encode(&lost))
    });
    assert_eq!(bench.lists.check().unwrap().len(), 3);
}

fn decide_about(list: &List, message: &str, from: &str, by_member: bool) -> Decision {
    let from = if from.is_empty() { ReversePath::Null } else { ReversePath::Mailbox(address(from)) };
    let believed: Vec<EmailAddress> = match &from {
        ReversePath::Mailbox(address) => vec![address.clone()],
        ReversePath::Null => Vec::new(),
    };
    let message = message.as_bytes();
    decide(list, Arrived { from: &from, message, believed: &believed, by_member, size: message.len() as u64 })
}

#[test]
fn who_may_write() {
    let refused = |decision: Decision| match decision {
        Decision::Refuse(code, enhanced, _) => Some((code, enhanced)),
        _ => None,
    };
    let held = |decision: &Decision| matches!(decision, Decision::Hold(_));
    let bench = bench(Settings::default());
    let list = bench.list();
    let hello = "Subject: hello\r\n\r\nhello\r\n";
    assert_eq!(decide_about(&list, hello, "a@y.test", true), Decision::Take);
    assert_eq!(decide_about(&list, hello, "boss@X.test", false), Decision::Take, "an owner");
    assert!(held(&decide_about(&list, hello, "a@y.test", false)));
    assert_eq!(refused(decide_about(&list, hello, "", true)), Some((550, [5, 7, 1])));
    for loops in ["Delivered-To: Talk@x.test\r\n\r\n", "List-Id: \"T\" <TALK.x.test>\r\n\r\n"] {
        assert_eq!(
            refused(decide_about(&list, loops, "boss@x.test", true)),
            Some((554, [5, 4, 6])),
            "{loops}"
        );
    }
    let other = "Delivered-To: other@x.test\r\nList-Id: <talk.x.test.y>\r\n\r\n";
    assert_eq!(decide_about(&list, other, "a@y.test", true), Decision::Take);
    let vacation = "Auto-Submitted: auto-replied\r\n\r\naway";
    assert_eq!(refused(decide_about(&list, vacation, "a@y.test", true)), Some((550, [5, 7, 1])));
    let with = |posting, others| List {
        settings: Settings { posting, others, ..list.settings.clone() },
        ..list.clone()
    };
    let moderated = with(Posting::Owners, Others::Hold);
    assert!(held(&decide_about(&moderated, hello, "a@y.test", true)));
    assert_eq!(decide_about(&moderated, hello, "Boss@x.test", false), Decision::Take);
    let announcements = with(Posting::Owners, Others::Refuse);
    assert_eq!(refused(decide_about(&announcements, hello, "a@y.test", true)), Some((550, [5, 7, 2])));
    let open = with(Posting::Anyone, Others::Refuse);
    assert_eq!(decide_about(&open, hello, "a@y.test", false), Decision::Take);
    let members = with(Posting::Members, Others::Refuse);
    assert_eq!(refused(decide_about(&members, hello, "a@y.test", false)), Some((550, [5, 7, 2])));
    let small = List { settings: Settings { size_bytes_max: 5, ..list.settings.clone() }, ..list.clone() };
    assert_eq!(refused(decide_about(&small, hello, "a@y.test", true)), Some((552, [5, 2, 3])));
}

const MESSAGE: &str = "Return-Path: <a@y.test>\r\nReceived: from y by x; today\r\nFrom: =?utf-8?q?Andr=C3=A9?= <a@y.test>\r\n\
    To: talk@x.test\r\nReply-To: other@y.test\r\nSubject: Hello\r\n there\r\nList-Id: <evil>\r\nList-Unsubscribe: <x>\r\n\
    Disposition-Notification-To: a@y.test\r\nDKIM-Signature: v=1\r\n\r\nSubject: no field\r\n";

fn copy(list: &List, message: &str, personal: &Personal) -> String {
    String::from_utf8(Copy::new(list, message.as_bytes()).for_member(personal)).unwrap()
}

fn personal() -> Personal {
    Personal {
        reverse_path: "talk-bounces+abc@x.test".into(),
        unsubscribe_address: Some("talk-unsubscribe+def@x.test".into()),
        unsubscribe_url: Some("https://lists.x.test/unsubscribe/def".into()),
    }
}

#[test]
fn a_copy_has_the_fields_of_the_list_and_of_its_member() {
    let bench = bench(Settings { name: "Small, talk".into(), ..Settings::default() });
    let text = copy(&bench.list(), MESSAGE, &personal());
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "Subject: no field\r\n");
    assert!(header.starts_with("Return-Path: <talk-bounces+abc@x.test>\r\nList-Unsubscribe:"), "{header}");
    let unfolded = header.replace("\r\n ", " ");
    let lines: Vec<&str> = unfolded.split("\r\n").collect();
    for wanted in [
        // RFC 8058 §3.1: one HTTPS URI, and the field that says what to send there.
        "List-Unsubscribe: <https://lists.x.test/unsubscribe/def>, <mailto:talk-unsubscribe%2Bdef@x.test>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        // RFC 2919 §3, RFC 2369 §3.
        "List-Id: \"Small, talk\" <talk.x.test>",
        "List-Post: <mailto:talk@x.test>",
        "List-Help: <mailto:talk-request@x.test?subject=help>",
        "List-Subscribe: <mailto:talk-subscribe@x.test>",
        "List-Owner: <mailto:talk-owner@x.test>",
        "Precedence: list",
        "Delivered-To: talk@x.test",
        "Reply-To: other@y.test",
        "Subject: Hello there",
        "DKIM-Signature: v=1",
    ] {
        assert_eq!(lines.iter().filter(|line| **line == wanted).count(), 1, "{wanted}: {unfolded}");
    }
    for gone in ["evil", "<x>", "Disposition-Notification-To", "<a@y.test>\r\nReceived"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    let shared = Personal { unsubscribe_address: None, unsubscribe_url: None, ..personal() };
    let text = copy(&bench.list(), MESSAGE, &shared);
    assert!(
        text.contains("List-Unsubscribe: <mailto:talk-unsubscribe@x.test>\r\n")
            && !text.contains("One-Click")
    );
}

#[test]
fn what_owners_may_have_changed() {
    let bench = bench(Settings::default());
    let with = |settings| copy(&List { settings, ..bench.list() }, MESSAGE, &personal());
    let own = bench.list().settings;
    let tagged = Settings { subject_tag: Some("Talk".into()), ..own.clone() };
    assert!(with(tagged.clone()).contains("\r\nSubject: [Talk] Hello\r\n there\r\n"));
    let again =
        copy(&List { settings: tagged, ..bench.list() }, "Subject: Re: [TALK] Hello\r\n\r\n", &personal());
    assert!(again.contains("\r\nSubject: Re: [TALK] Hello\r\n"), "{again}");
    let answers = with(Settings { reply_to_list: true, ..own.clone() });
    assert!(
        answers.contains("\r\nReply-To: Talk <talk@x.test>\r\n") && !answers.contains("other@y.test"),
        "{answers}"
    );
    let munged = with(Settings { from_list: true, ..own.clone() });
    assert!(
        munged.contains("via_Talk?= <talk@x.test>\r\n") && munged.contains("Reply-To: other@y.test"),
        "{munged}"
    );
    let settings = Settings { from_list: true, ..own.clone() };
    let plain = copy(&List { settings, ..bench.list() }, "From: Ann <a@y.test>\r\n\r\n", &personal());
    assert!(plain.contains("From: Ann via Talk <talk@x.test>\r\nReply-To: Ann <a@y.test>\r\n"), "{plain}");
    let announcements = with(Settings { posting: Posting::Owners, ..own });
    assert!(announcements.contains("List-Post: NO (announcements)\r\n"));
    // Headers that are none.
    for odd in ["", "\r\n", "junk\r\nA: b", "A: b\r\n\r\n"] {
        let text = copy(&bench.list(), odd, &personal());
        assert!(text.ends_with(odd), "{odd:?}: {text}");
    }
}

#[test]
fn letters_are_messages_in_both_languages() {
    let bench = bench(Settings::default());
    let to = address("a@y.test");
    let held = Words::Held {
        from: "b@y.test",
        subject: "Hi\r\nBcc: x",
        reason: "the list is moderated",
        approve: "talk-moderate+a@x.test",
        discard: "talk-moderate+d@x.test",
    };
    for language in [Language::En, Language::Ru] {
        let settings = Settings { language, ..bench.list().settings };
        let list = List { settings, ..bench.list() };
        for words in [
            Words::ConfirmJoin("talk-confirm+abc@x.test"),
            Words::ConfirmLeave("talk-unsubscribe+abc@x.test"),
            Words::Welcome("talk-unsubscribe@x.test"),
            Words::Goodbye,
            Words::NoMember,
            Words::Closed,
            Words::Help,
            held,
            Words::Suspended("b@y.test"),
            Words::Rejected("Hi", "spam"),
        ] {
            let raw = write_letter(&Letter { list: &list, to: &to, words, now: NOW, id: "1.2" });
            let header = &raw[..mime::header::header_length(&raw)];
            assert!(header.is_ascii(), "{words:?}");
            let text = String::from_utf8(raw.clone()).unwrap();
            assert!(
                text.starts_with("Return-Path: <>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n"),
                "{text}"
            );
            assert!(
                text.contains("Auto-Submitted: auto-generated\r\n") && text.contains("talk@x.test"),
                "{text}"
            );
            assert!(
                !text.contains("\r\nBcc: x") && !text.replace("\r\n", "").contains(['\r', '\n']),
                "{text}"
            );
            let cyrillic = !raw[header.len()..].is_ascii();
            assert_eq!(cyrillic, language == Language::Ru, "{text}");
        }
    }
}
