//! URLs as the RFCs show them, hostile ones, and tokens.

use super::*;
use proptest::prelude::*;

const TOKEN: &str = "91354a473744909de610943775f92038";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

#[test]
fn examples_of_the_rfcs() {
    let plain = Section { part: vec![], text: SectionText::Whole };
    // RFC 4469, appendix A
    let found = url("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=1.MIME");
    assert_eq!((found.server, found.mailbox.as_str()), (None, "Drafts"));
    assert_eq!((found.uid_validity, found.uid), (Some(UidValidity(385_759_045)), Uid(20)));
    assert_eq!(found.section, Section { part: vec![1], text: SectionText::Mime });
    assert_eq!(url("/INBOX;UIDVALIDITY=785799047/;UID=11467").section, plain);
    // RFC 8508 §4.2
    assert_eq!(url("/Drafts/;UID=3002").uid, Uid(3002));
    // RFC 4467 §7
    let text =
        format!("imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred:internal:{TOKEN}");
    let found = url(&text);
    let server = found.server.clone().unwrap();
    assert_eq!((server.user.as_deref(), server.host.as_str()), (Some("joe"), "example.com"));
    assert_eq!(found.access, Some(Access::Submit("fred".into())));
    let verifier = found.verifier.unwrap();
    assert_eq!((verifier.mechanism.as_str(), verifier.token.as_str()), ("INTERNAL", TOKEN));
    assert_eq!(
        &text[..verifier.rump_length],
        "imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred"
    );
    // RFC 5092 §9
    let found = url("imap://minbari.example.org/gray-council;UIDVALIDITY=385759045/;UID=20/;PARTIAL=0.1024");
    assert_eq!(found.partial, Some(Partial { start: 0, length: 1024 }));
    let found =
        url("imap://psicorp.example.org/~peter/%E6%97%A5%E6%9C%AC%E8%AA%9E/%E5%8F%B0%E5%8C%97/;UID=7");
    assert_eq!(found.mailbox, "~peter/日本語/台北");
    let found =
        url("imap://;AUTH=*@minbari.example.org/gray%20council;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2");
    assert_eq!((found.server.unwrap().auth.as_deref(), found.mailbox.as_str()), (Some("*"), "gray council"));
    let found = url(
        "imap://bester;AUTH=*@[::1]:143/a;uidvalidity=1/;uid=2/;section=HEADER.FIELDS%20(DATE);expire=2006-05-31T23:59:59.25-01:00;urlauth=anonymous",
    );
    assert_eq!(found.section.text, SectionText::HeaderFields(vec!["DATE".into()]));
    assert_eq!(found.expire, Some(UnixTime(1_149_123_599)));
    assert_eq!(found.server.unwrap().port, Some(143));
}

#[test]
fn what_names_no_message_is_refused() {
    for text in [
        "",
        "/",
        "//",
        "imap://",
        "imap://host",
        "imap://host/",
        "imap://host/INBOX",
        "imap://host/INBOX?ALL",
        "INBOX/;UID=1",
        ";UID=1",
        "/;UID=1",
        "/INBOX;UID=1",
        "/INBOX/;UID=0",
        "/INBOX/;UID=1/",
        "/INBOX/;UID=-1",
        "/INBOX/;UID=+1",
        "/INBOX/;UID=4294967296",
        "/INBOX/;UIDVALIDITY=3/;UID=1",
        "/INBOX/;UID=1;SECTION=1",
        "/INBOX/;UID=1/;SECTION=",
        "/INBOX/;UID=1/;SECTION=0",
        "/INBOX/;UID=1/;SECTION=1]",
        "/INBOX/;UID=1/;PARTIAL=1.0",
        "/INBOX/;UID=1/;PARTIAL=",
        "/INBOX/;UID=1/;PARTIAL=0.1/;SECTION=1",
        "/INBOX/;UID=1;EXPIRE=yesterday",
        "/INBOX/;UID=1;URLAUTH=nobody",
        "/INBOX/;UID=1;URLAUTH=user+",
        "/INBOX/;UID=1;URLAUTH=authuser:internal",
        "/INBOX/;UID=1;URLAUTH=authuser:internal:12",
        "/INBOX/;UID=1;URLAUTH=anonymous;EXPIRE=2006-05-31T23:59:59Z",
        "/IN BOX/;UID=1",
        "/IN%0ABOX/;UID=1",
        "/%FF/;UID=1",
        "/a%0/;UID=1",
        "/a%g0/;UID=1",
        "http://host/INBOX/;UID=1",
        "imap://a@b@c/INBOX/;UID=1",
        "imap://@host/INBOX/;UID=1",
        "imap:///INBOX/;UID=1",
        "/a/;UID=1;EXPIRE=2006-02-30T00:00:00Z",
        "/a/;UID=1;EXPIRE=2006-05-31T23:59:59",
        "/a/;UID=1;EXPIRE=2006-05-31T23:59:59.Z",
        "/a/;UID=1/;SECTION=MIME",
        "/ä/;UID=1",
    ] {
        assert!(Url::parse(text).is_err(), "{text:?} was taken");
    }
    let long = format!("/{}/;UID=1", "a".repeat(URL_BYTES_MAX));
    assert!(Url::parse(&long).is_err());
}

#[test]
fn tokens_belong_to_one_rump_and_one_key() {
    let (key, other) = (AccessKey([1; 32]), AccessKey([2; 32]));
    let rump = "imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=submit+fred";
    let token = sign(rump, &key);
    assert_eq!(token.len(), 66);
    assert!(verify(rump, &token, Some(&key)) && verify(rump, &token.to_ascii_uppercase(), Some(&key)));
    assert!(!verify(rump, &token, Some(&other)) && !verify(rump, &token, None));
    // RFC 4467 §6: not an octet may differ, not even its case.
    assert!(!verify(&rump.replace("joe", "Joe"), &token, Some(&key)));
    assert!(!verify(rump, &token[..64], Some(&key)) && !verify(rump, "", Some(&key)));
    assert!(!format!("{key:?}").contains('1'));
}

#[test]
fn access_identifiers() {
    let at = |text: &str| url(&format!("/INBOX/;UID=1;EXPIRE=2006-05-31T23:59:59Z;URLAUTH={text}"));
    let now = UnixTime(1_149_119_999);
    let owner = "joe@example.com";
    let permits = |text: &str, reader| at(text).permits(reader, owner, now);
    let fred = Reader::User("fred@example.com");
    assert!(permits("user+fred", fred) && permits("user+FRED%40example.com", fred));
    assert!(
        !permits("user+fred", Reader::User("fred@elsewhere.example")),
        "a name alone is of the owner's domain"
    );
    assert!(!permits("user+joe", fred) && !permits("user+fred", Reader::Anonymous));
    assert!(
        !permits("submit+fred", fred) && !permits("user+fred", Reader::Submission(Some("fred@example.com")))
    );
    assert!(permits("submit+fred", Reader::Submission(Some("fred@example.com"))));
    assert!(!permits("submit+fred", Reader::Submission(Some("joe@example.com"))));
    assert!(permits("submit+fred", Reader::Submission(None)));
    assert!(permits("authuser", fred) && !permits("authuser", Reader::Anonymous));
    assert!(permits("anonymous", fred) && permits("anonymous", Reader::Anonymous));
    assert!(!url("/INBOX/;UID=1").permits(fred, owner, now));
    assert!(!at("anonymous").permits(fred, owner, UnixTime(now.0 + 1)), "expired");
}

#[test]
fn parts_of_a_message() {
    let message =
        b"From: a@b\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\
        Content-Type: text/plain\r\n\r\nfirst\r\n--b\r\n\r\nsecond\r\n--b--\r\n";
    let part = |text: &str| {
        fetch(&url(&format!("/INBOX/;UID=1{text}")), message)
            .map(|octets| String::from_utf8(octets.into_owned()).unwrap())
    };
    assert_eq!(part("").unwrap().len(), message.len());
    assert_eq!(part("/;SECTION=1").unwrap(), "first");
    assert_eq!(part("/;SECTION=1.MIME").unwrap(), "Content-Type: text/plain\r\n\r\n");
    assert_eq!(part("/;SECTION=2/;PARTIAL=2").unwrap(), "cond");
    assert_eq!(part("/;SECTION=2/;PARTIAL=2.3").unwrap(), "con");
    assert_eq!(part("/;SECTION=2/;PARTIAL=200.3").unwrap(), "");
    assert_eq!(part("/;PARTIAL=0.4").unwrap(), "From");
    assert_eq!(part("/;SECTION=HEADER.FIELDS%20(SUBJECT)/;PARTIAL=1.8").unwrap(), "ubject: ");
    assert!(part("/;SECTION=TEXT").unwrap().starts_with("pre\r\n"));
    assert_eq!(part("/;SECTION=3"), None);
}

fn urls() -> impl Strategy<Value = Url> {
    let text = || "[ -~à-ž☺]{1,8}";
    let server = (
        proptest::option::of(text()),
        proptest::option::of("[A-Z0-9*-]{1,6}"),
        "[a-z0-9.-]{1,12}",
        proptest::option::of(any::<u16>()),
    )
        .prop_map(|(user, auth, host, port)| Server { user, auth, host, port });
    let section = prop_oneof![
        Just((vec![], SectionText::Whole)),
        (
            proptest::collection::vec(1..u32::MAX, 1..4),
            prop_oneof![Just(SectionText::Whole), Just(SectionText::Mime)]
        ),
        Just((vec![], SectionText::HeaderFields(vec!["a;b".into(), "c/d\"".into()]))),
    ]
    .prop_map(|(part, text)| Section { part, text });
    let partial = proptest::option::of((0..i64::MAX as u64, prop_oneof![Just(REST), 1..i64::MAX as u64]))
        .prop_map(|range| range.map(|(start, length)| Partial { start, length }));
    let access = proptest::option::of(prop_oneof![
        text().prop_map(Access::Submit),
        text().prop_map(Access::User),
        Just(Access::AuthUser),
        Just(Access::Anonymous)
    ]);
    (
        proptest::option::of(server),
        "[ -~à-ž/☺]{1,12}",
        1..u32::MAX,
        section,
        partial,
        proptest::option::of(0..253_402_300_799_i64),
        access,
    )
        .prop_map(|(server, mailbox, uid, section, partial, expire, access)| {
            let mailbox = if mailbox.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("inbox")) {
                "INBOX".into()
            } else {
                mailbox
            };
            let expire = expire.map(UnixTime);
            Url {
                server,
                mailbox,
                uid_validity: None,
                uid: Uid(uid),
                section,
                partial,
                expire,
                access,
                verifier: None,
            }
        })
}

proptest! {
    #[test]
    fn reading_undoes_printing(url in urls()) {
        let text = url.to_string();
        prop_assert_eq!(Url::parse(&text), Ok(url), "{}", text);
    }

    #[test]
    fn anything_is_a_value(text in any::<String>(), near in "(imap://)?[/a-z@%;:.=0-9]{0,20}(/;uid=1)?[;=/a-z0-9:%]{0,30}") {
        for text in [text, near] {
            if let Ok(url) = Url::parse(&text) {
                let printed = url.to_string();
                let again = Url::parse(&printed).map(|again| again.to_string());
                prop_assert_eq!(again, Ok(printed));
            }
        }
    }
}
