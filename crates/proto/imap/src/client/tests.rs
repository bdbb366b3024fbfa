use super::*;
use proptest::prelude::*;
use sasl::client::Secret;

fn settings(tls: TlsWish) -> Settings {
    Settings {
        tls,
        credentials: Credentials {
            user: "fred".into(),
            authorize_as: String::new(),
            secret: Secret::Password("blurdy\"bloop".to_owned().into()),
        },
        plaintext_auth: false,
        host: ("imap.example.org".into(), 143),
        entropy: [7; 32],
        message_bytes_max: 1000,
    }
}

/// A client in a connection with TLS, and what it has said.
struct Talk {
    client: Client,
    /// How many octets are fed at once.
    piece: usize,
}

impl Talk {
    fn new() -> Talk {
        let mut client = Client::new(settings(TlsWish::AsItIs));
        client.tls_started(TlsInfo::default());
        Talk { client, piece: usize::MAX }
    }

    /// Logged in, with these capabilities.
    fn ready(capabilities: &str) -> Talk {
        let mut talk = Talk::new();
        assert!(
            talk.hear(&format!("* PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] hello\r\n"))
                .contains(&"Ready".into())
        );
        talk
    }

    fn said(&mut self) -> String {
        String::from_utf8(std::mem::take(self.client.output())).unwrap()
    }

    /// Feeds, and answers the steps as text until more is needed.
    fn hear(&mut self, text: &str) -> Vec<String> {
        let mut told = Vec::new();
        let mut pieces = text.as_bytes().chunks(self.piece.min(text.len().max(1)));
        for _ in 0..100_000 {
            match self.client.step() {
                Step::NeedInput => match pieces.next() {
                    Some(piece) => self.client.feed(piece),
                    None => return told,
                },
                Step::StartTls => {
                    told.push("StartTls".into());
                    return told;
                }
                Step::Closed(ended) => {
                    told.push(format!("Closed({ended:?})"));
                    return told;
                }
                Step::Content(octets) => {
                    let text = String::from_utf8(octets).unwrap();
                    match told.last_mut().filter(|last| last.starts_with("Content ")) {
                        Some(last) => last.push_str(&text),
                        None => told.push(format!("Content {text}")),
                    }
                }
                Step::Ready => told.push("Ready".into()),
                other => told.push(format!("{other:?}")),
            }
        }
        panic!("it spins");
    }

    fn closes_with(&mut self, text: &str) -> Fault {
        self.hear(text);
        match self.client.step() {
            Step::Closed(Err(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn greeting_login_and_capabilities() {
    let mut talk = Talk::new();
    // RFC 3501 §8, with TLS around it.
    assert!(talk.hear("* OK IMAP4rev1 Service Ready\r\n").is_empty());
    assert_eq!(talk.said(), "t1 CAPABILITY\r\n");
    assert!(talk.hear("* CAPABILITY IMAP4rev1\r\nt1 OK done\r\n").is_empty());
    assert_eq!(talk.said(), "t2 LOGIN \"fred\" \"blurdy\\\"bloop\"\r\n");
    assert!(talk.hear("t2 OK LOGIN completed\r\n").is_empty());
    // What was told before the log-in does not count.
    assert_eq!(talk.said(), "t3 CAPABILITY\r\n");
    assert_eq!(talk.hear("* CAPABILITY IMAP4rev1 UIDPLUS\r\nt3 OK done\r\n"), ["Ready"]);
    assert!(talk.client.has(Capability::UidPlus));
    talk.client.logout();
    assert_eq!(talk.said(), "t4 LOGOUT\r\n");
    assert_eq!(talk.hear("* BYE bye\r\nt4 OK LOGOUT completed\r\n"), ["Closed(Ok(()))"]);
}

#[test]
fn a_log_in_that_cannot_be_quoted_is_a_literal() {
    let mut talk = Talk::new();
    talk.client.settings.credentials.user = "ключ".into();
    talk.hear("* OK [CAPABILITY IMAP4rev1] hi\r\n");
    assert_eq!(talk.said(), "t1 LOGIN {8}\r\n");
    talk.hear("+ go on\r\n");
    assert_eq!(talk.said(), "ключ \"blurdy\\\"bloop\"\r\n");
    assert_eq!(talk.hear("t1 OK [CAPABILITY IMAP4rev1] in\r\n"), ["Ready"]);
}

#[test]
fn authenticate_with_and_without_initial_response() {
    let plain = "AGZyZWQAYmx1cmR5ImJsb29w";
    let mut talk = Talk::new();
    talk.hear("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n");
    assert_eq!(talk.said(), format!("t1 AUTHENTICATE PLAIN {plain}\r\n"));
    assert_eq!(talk.hear("t1 OK [CAPABILITY IMAP4rev1] in\r\n"), ["Ready"]);
    let mut talk = Talk::new();
    talk.hear("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n");
    assert_eq!(talk.said(), "t1 AUTHENTICATE PLAIN\r\n");
    talk.hear("+\r\n");
    assert_eq!(talk.said(), format!("{plain}\r\n"));
    let fault = talk.closes_with("t1 NO [AUTHENTICATIONFAILED] wrong\r\n");
    let Fault::LoginRefused(refusal) = fault else { panic!("{fault:?}") };
    assert_eq!((refusal.reason, refusal.text.as_str()), (Some(Reason::AuthenticationFailed), "wrong"));
}

#[test]
fn a_server_that_does_not_know_the_password_is_not_believed() {
    let mut talk = Talk::new();
    talk.hear("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=SCRAM-SHA-256] hi\r\n");
    assert!(talk.said().starts_with("t1 AUTHENTICATE SCRAM-SHA-256 "));
    let fault = talk.closes_with("t1 OK in you are\r\n");
    assert_eq!(fault, Fault::Login(sasl::client::Trouble::PeerUnproven));
}

#[test]
fn tokens_go_as_tokens_and_a_refusal_comes_as_a_challenge() {
    let mut talk = Talk::new();
    talk.client.settings.credentials.secret = Secret::Token("abc".to_owned().into());
    talk.hear("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN] hi\r\n");
    assert_eq!(talk.said(), "t1 AUTHENTICATE XOAUTH2 dXNlcj1mcmVkAWF1dGg9QmVhcmVyIGFiYwEB\r\n");
    talk.hear("+ eyJzdGF0dXMiOiI0MDEifQ==\r\n");
    assert_eq!(talk.said(), "\r\n");
    assert!(matches!(talk.closes_with("t1 NO no\r\n"), Fault::LoginRefused(_)));
}

#[test]
fn nothing_secret_leaves_without_tls() {
    for (greeting, fault) in [
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", Fault::NoLogin),
        ("* OK [CAPABILITY IMAP4rev1] hi\r\n", Fault::NoLogin),
    ] {
        let mut talk = Talk { client: Client::new(settings(TlsWish::AsItIs)), piece: usize::MAX };
        assert_eq!(talk.closes_with(greeting), fault);
        assert_eq!(talk.said(), "");
    }
    let mut talk = Talk::new();
    assert_eq!(talk.closes_with("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n"), Fault::NoLogin);
}

#[test]
fn starttls_forgets_what_came_before() {
    let start = || Talk { client: Client::new(settings(TlsWish::StartTls)), piece: usize::MAX };
    let mut talk = start();
    talk.hear("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] hi\r\n");
    assert_eq!(talk.said(), "t1 STARTTLS\r\n");
    // What somebody between adds in clear behind the OK is not heard (response injection).
    let injected = "t1 OK go\r\n* CAPABILITY IMAP4rev1\r\nt2 OK injected\r\n";
    assert_eq!(talk.hear(injected), ["StartTls"]);
    talk.client.feed(b"t2 OK injected\r\n");
    talk.client.tls_started(TlsInfo::default());
    assert!(talk.hear("").is_empty());
    assert_eq!(talk.said(), "t2 CAPABILITY\r\n");
    talk.hear("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\nt2 OK done\r\n");
    assert!(talk.said().starts_with("t3 AUTHENTICATE PLAIN "));
    assert_eq!(start().closes_with("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"), Fault::NoTls);
    assert_eq!(start().closes_with("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"), Fault::PreauthWithoutTls);
    let mut talk = start();
    talk.hear("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n");
    assert_eq!(talk.closes_with("t1 NO not now\r\n"), Fault::NoTls);
}

#[test]
fn utf8_is_enabled_and_changes_names() {
    let mut talk = Talk::new();
    talk.hear("* PREAUTH [CAPABILITY IMAP4rev1 ENABLE UTF8=ACCEPT] hi\r\n");
    assert_eq!(talk.said(), "t1 ENABLE UTF8=ACCEPT\r\n");
    assert_eq!(talk.hear("* ENABLED UTF8=ACCEPT\r\nt1 OK\r\n"), ["Ready"]);
    assert_eq!(talk.client.wire_name("Отправленные"), "Отправленные".as_bytes());
    assert_eq!(Talk::ready("").client.wire_name("Entwürfe & mehr"), b"Entw&APw-rfe &- mehr");
}

fn folders(told: &[String]) -> Vec<&String> {
    told.iter().filter(|step| step.starts_with("Folder")).collect()
}

#[test]
fn folders_are_told_with_their_uses() {
    let mut talk = Talk::ready("LIST-EXTENDED SPECIAL-USE");
    talk.client.folders();
    assert_eq!(talk.said(), "t1 LIST \"\" \"*\" RETURN (SUBSCRIBED SPECIAL-USE)\r\n");
    let mut found = Vec::new();
    talk.client.feed(
        b"* LIST (\\HasNoChildren \\Subscribed) \"/\" inbox\r\n\
        * LIST (\\Sent \\HasNoChildren) \".\" \"&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-\"\r\n\
        * LIST (\\Noselect) NIL {5}\r\na\\\"b \r\n\
        * LIST () \"\\\\\" broken&name (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\nt1 OK done\r\n",
    );
    loop {
        match talk.client.step() {
            Step::Folder(folder) => found.push(folder),
            Step::Done(done) => break assert_eq!(done, Ok(Done::Folders)),
            other => panic!("{other:?}"),
        }
    }
    let told: Vec<(&str, Option<char>, bool, bool)> = found
        .iter()
        .map(|one| (one.name.as_str(), one.delimiter, one.is_selectable, one.is_subscribed))
        .collect();
    assert_eq!(
        told,
        [
            ("INBOX", Some('/'), true, true),
            ("Отправленные", Some('.'), true, false),
            ("a\\\"b ", None, false, false),
            ("broken&name", Some('\\'), true, false),
        ]
    );
    assert_eq!(found[1].special_use, Some(model::SpecialUse::Sent));
    assert_eq!(found[0].wire_name, b"inbox");
}

#[test]
fn namespaces_of_rfc_2342() {
    for (response, want) in [
        ("((\"\" \"/\")) NIL NIL", vec![(Owner::Oneself, "", Some('/'))]),
        ("NIL NIL ((\"\" \".\"))", vec![(Owner::Shared, "", Some('.'))]),
        // RFC 2342 §5, example 5.6 with extensions
        (
            "((\"\" \"/\")(\"#mh/\" \"/\" \"X-PARAM\" (\"FLAG1\" \"FLAG2\"))) ((\"~\" NIL)) NIL",
            vec![
                (Owner::Oneself, "", Some('/')),
                (Owner::Oneself, "#mh/", Some('/')),
                (Owner::Others, "~", None),
            ],
        ),
    ] {
        let mut talk = Talk::ready("NAMESPACE");
        talk.client.namespaces();
        talk.client.feed(format!("* NAMESPACE {response}\r\nt1 OK done\r\n").as_bytes());
        let Step::Done(Ok(Done::Namespaces(found))) = talk.client.step() else { panic!("{response}") };
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.owner, std::str::from_utf8(&one.prefix).unwrap(), one.delimiter))
            .collect();
        assert_eq!(found, want);
    }
}

#[test]
fn select_as_in_rfc_9051() {
    let mut talk = Talk::ready("");
    let name = talk.client.wire_name("INBOX");
    talk.client.open(&name, Mode::Change);
    assert_eq!(talk.said(), "t1 SELECT \"INBOX\"\r\n");
    // RFC 9051 §6.3.2
    talk.client.feed(
        b"* 172 EXISTS\r\n* OK [UIDVALIDITY 3857529045] UIDs valid\r\n* OK [UIDNEXT 4392] Predicted next UID\r\n\
        * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)\r\n\
        * OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited\r\n* OK [HIGHESTMODSEQ 715194045007] x\r\n\
        * LIST () \"/\" INBOX\r\nt1 OK [READ-WRITE] SELECT completed\r\n",
    );
    let Step::Done(Ok(Done::Opened(opened))) = talk.client.step() else { panic!() };
    assert_eq!((opened.exists, opened.uid_next, opened.is_read_only), (172, Some(Uid(4392)), false));
    assert_eq!(opened.uid_validity, Some(UidValidity(3_857_529_045)));
    assert_eq!(opened.highest_mod_seq, Some(715_194_045_007));
    assert_eq!(opened.flags.keywords.len(), 1);
    let permanent = opened.permanent_flags.unwrap();
    assert!(
        permanent.can_grow
            && permanent.system.has(model::Flag::Seen)
            && !permanent.system.has(model::Flag::Draft)
    );
    talk.client.open(b"nowhere", Mode::Read);
    assert_eq!(talk.said(), "t2 EXAMINE \"nowhere\"\r\n");
    let told = talk.hear("t2 NO [NONEXISTENT] no such mailbox\r\n");
    assert!(told[0].contains("NonExistent"), "{told:?}");
    assert!(talk.client.is_idle());
}

#[test]
fn a_listing_is_told_row_by_row_amid_other_news() {
    let mut talk = Talk::ready("");
    talk.client.listing(Uid(5));
    assert_eq!(talk.said(), "t1 UID FETCH 5:* (UID FLAGS INTERNALDATE RFC822.SIZE)\r\n");
    talk.client.feed(
        b"* 2 FETCH (UID 5 FLAGS (\\Seen $Junk \\Recent) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4286)\r\n\
        * 9 EXISTS\r\n* 1 EXPUNGE\r\n* OK still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* SEARCH 1 2\r\n\
        * 3 fetch (RFC822.SIZE 9 MODSEQ (7) X (\"(\" (NIL)) FLAGS () UID 7 INTERNALDATE \"nonsense\" )\r\n\
        * 4 FETCH (UID 3 FLAGS () RFC822.SIZE 1)\r\nt1 OK done\r\n",
    );
    let mut rows = Vec::new();
    loop {
        match talk.client.step() {
            Step::Listed(row) => rows.push(row),
            Step::Done(done) => break assert_eq!(done, Ok(Done::Listing)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rows.len(), 2, "UID 3 was not asked for: {rows:?}");
    // 09:44:25 UTC
    assert_eq!(rows[0].internal_date, Some(UnixTime(837_596_665)));
    assert_eq!((rows[0].uid, rows[0].size_bytes, rows[0].flags.keywords.len()), (Uid(5), 4286, 1));
    assert_eq!((rows[1].uid, rows[1].internal_date), (Uid(7), None));
}

const WHOLE: &str = "t1 OK done\r\n";

#[test]
fn messages_come_as_literal_quoted_or_not_at_all() {
    let body = "Subject: {3}\r\n\r\nt1 OK done\r\n* BYE\r\n";
    let length = body.len();
    let literal = format!("* 1 FETCH (UID 4 BODY[] {{{length}}}\r\n{body})\r\n");
    let uid_behind = format!("* 1 FETCH (FLAGS (\\Seen) BODY[]<0> ~{{{length}}}\r\n{body} UID 4)\r\n");
    let amid = format!("* 8 EXISTS\r\n* 2 FETCH (FLAGS ())\r\n{literal}* 3 EXPUNGE\r\n");
    for piece in [1, 7, usize::MAX] {
        for response in [&literal, &uid_behind, &amid] {
            let mut talk = Talk { piece, ..Talk::ready("") };
            talk.client.messages(&[Uid(4)]);
            assert_eq!(talk.said(), "t1 UID FETCH 4 (UID BODY.PEEK[])\r\n");
            let told = talk.hear(&format!("{response}{WHOLE}"));
            let whole = format!("Message {{ uid: Uid(4), bytes: Some({length}) }}");
            assert_eq!(told, [format!("Content {body}"), whole, "Done(Ok(Messages))".into()]);
        }
    }
    for (response, want) in [
        (
            "* 1 FETCH (UID 4 BODY[] \"a \\\"b\\\\\")\r\n",
            &["Content a \"b\\", "Message { uid: Uid(4), bytes: Some(5) }"][..],
        ),
        ("* 1 FETCH (UID 4 BODY[] \"\")\r\n", &["Message { uid: Uid(4), bytes: Some(0) }"]),
        ("* 1 FETCH (UID 4 BODY[] {0}\r\n)\r\n", &["Message { uid: Uid(4), bytes: Some(0) }"]),
        ("* 1 FETCH (UID 4 BODY[] NIL)\r\n", &["Message { uid: Uid(4), bytes: None }"]),
        ("", &[]),
    ] {
        let mut talk = Talk::ready("");
        talk.client.messages(&[Uid(4)]);
        assert_eq!(
            talk.hear(&format!("{response}{WHOLE}")),
            [want, &["Done(Ok(Messages))"]].concat(),
            "{response}"
        );
    }
}

#[test]
fn many_messages_come_by_one_command_in_any_order() {
    let responses = "* 9 FETCH (UID 9 BODY[] {4}\r\nnine)\r\n* 4 FETCH (FLAGS (\\Seen))\r\n\
        * 3 FETCH (BODY[] {5}\r\nthree UID 3)\r\n* 5 FETCH (UID 5 BODY[] \"five\")\r\n\
        * 6 FETCH (UID 6 BODY[] NIL)\r\n* 7 FETCH (UID 7 BODY[] \"\")\r\nt1 NO [EXPUNGEISSUED] not all\r\n";
    for piece in [1, 5, usize::MAX] {
        let mut talk = Talk { piece, ..Talk::ready("") };
        assert_eq!(talk.client.messages(&[3, 4, 5, 6, 7, 9].map(Uid)), 6);
        assert_eq!(talk.said(), "t1 UID FETCH 3:7,9 (UID BODY.PEEK[])\r\n");
        let told = talk.hear(responses);
        let message =
            |uid: u32, bytes: Option<u64>| format!("Message {{ uid: Uid({uid}), bytes: {bytes:?} }}");
        assert_eq!(
            told[..8],
            [
                "Content nine".into(),
                message(9, Some(4)),
                "Content three".into(),
                message(3, Some(5)),
                "Content five".into(),
                message(5, Some(4)),
                message(6, None),
                message(7, Some(0)),
            ]
        );
        assert!(told[8].starts_with("Done(Err(Refusal") && told[8].contains("ExpungeIssued"), "{told:?}");
        assert!(talk.client.is_idle());
    }
    // No command is longer than servers take; the rest is for the next one.
    let many: Vec<Uid> = (1..1000).map(|n| Uid(n * 4_000_000)).collect();
    let mut talk = Talk::ready("");
    let count = talk.client.messages(&many);
    assert!((300..1000).contains(&count) && talk.said().len() < 4100, "{count}");
    assert_eq!(Talk::ready("").client.messages(&[]), 0);
}

#[test]
fn hostile_messages_end_the_connection() {
    for (response, why) in [
        ("* 1 FETCH (UID 5 BODY[] {2}\r\nhi)\r\n", ResponseError::Unexpected),
        ("* 1 FETCH (BODY[] {2}\r\nhi)\r\n", ResponseError::Unexpected),
        ("* 1 FETCH (UID 4 BODY[] {2}\r\nhi BODY[] {2}\r\nho)\r\n", ResponseError::NotAResponse),
        (
            "* 1 FETCH (UID 4 BODY[] {2}\r\nhi)\r\n* 1 FETCH (UID 4 BODY[] {2}\r\nhi)\r\n",
            ResponseError::Unexpected,
        ),
        ("* 1 FETCH (UID 4 X-BODY[] {2}\r\nhi)\r\n", ResponseError::NotAResponse),
        ("* 1 FETCH (UID 4 BODY[] {1001}\r\n", ResponseError::MessageTooLong),
        ("* 1 FETCH (UID 4 BODY[] {99999999999999999999999}\r\n", ResponseError::TooLong),
        ("* 1 FETCH (UID 4 BODY[HEADER] {999999999}\r\n", ResponseError::TooLong),
        ("* LIST () \"/\" {999999}\r\n", ResponseError::TooLong),
        ("* 1 FETCH (UID 4 BODY[] {2}\r\nhi\r\n", ResponseError::NotAResponse),
        ("* 99999999999 EXISTS\r\n", ResponseError::NotAResponse),
        ("* 1 FETCH (UID 0)\r\n", ResponseError::NotAResponse),
        ("* 1 FETCH (UID 4294967296)\r\n", ResponseError::NotAResponse),
        ("t9 OK done\r\n", ResponseError::Unexpected),
        ("+ more\r\n", ResponseError::Unexpected),
        ("\r\n", ResponseError::NotAResponse),
        ("nonsense\r\n", ResponseError::NotAResponse),
        ("t1 BYE\r\n", ResponseError::NotAResponse),
    ] {
        let mut talk = Talk::ready("");
        talk.client.messages(&[Uid(4)]);
        assert_eq!(talk.closes_with(response), Fault::Garbled(why), "{response}");
    }
}

#[test]
fn nested_lists_and_endless_lines_are_bounded() {
    for text in [
        format!("* 1 FETCH (X {}", "(".repeat(200_000)),
        "* OK ".to_owned() + &"x".repeat(200_000),
        "* 1 FETCH (FLAGS (".to_owned() + &"a ".repeat(100_000),
    ] {
        let mut talk = Talk::ready("");
        talk.client.noop();
        assert_eq!(talk.closes_with(&text), Fault::Garbled(ResponseError::TooLong));
    }
    let mut talk = Talk::ready("");
    talk.client.noop();
    let deep = format!("* 1 FETCH (X {}{})\r\n", "(".repeat(1000), ")".repeat(1000));
    assert_eq!(talk.closes_with(&deep), Fault::Garbled(ResponseError::NotAResponse));
    // Lines without end that bring nothing: before the log-in a megabyte is enough.
    let mut talk = Talk::new();
    talk.hear("* OK hi\r\n");
    let lines = format!("* OK {}\r\n", "x".repeat(1000)).repeat(60);
    for _ in 0..40 {
        talk.hear(&lines);
    }
    assert_eq!(talk.closes_with(""), Fault::Garbled(ResponseError::TooLong));
}

#[test]
fn good_bye_can_come_at_any_time() {
    let mut talk = Talk::new();
    let Fault::Bye(refusal) = talk.closes_with("* BYE [UNAVAILABLE] too many connections\x1b[2J\r\n") else {
        panic!()
    };
    assert_eq!(refusal.reason, Some(Reason::Unavailable));
    assert!(!refusal.text.contains('\x1b'));
    let mut talk = Talk::ready("");
    talk.client.messages(&[Uid(4)]);
    talk.hear("* 1 FETCH (UID 4 BODY[] {20}\r\nhal");
    talk.client.closed();
    assert_eq!(talk.closes_with(""), Fault::Closed);
    let mut talk = Talk::ready("");
    // It came while nothing was asked; the next command hears it.
    talk.client.feed(b"* BYE shutting down\r\n");
    talk.client.noop();
    assert!(matches!(talk.closes_with(""), Fault::Bye(_)));
    talk.client.noop();
    assert!(matches!(talk.closes_with(""), Fault::Bye(_)));
}

#[test]
fn deleting_names_these_and_no_other() {
    let uids: Vec<Uid> = [9, 1, 2, 3, 7, 9, 0].map(Uid).to_vec();
    assert_eq!(uid_sets(&uids), ["1:3,7,9"]);
    assert!(uid_sets(&[]).is_empty());
    let many: Vec<Uid> = (1..6000).map(|n| Uid(n * 700_000)).collect();
    let sets = uid_sets(&many);
    assert!(sets.len() > 10 && sets.iter().all(|set| set.len() <= 4000));
    assert_eq!(sets.join(",").split(',').count(), many.len());
    let mut talk = Talk::ready("UIDPLUS");
    talk.client.mark_deleted(&uid_sets(&uids)[0]);
    assert_eq!(talk.said(), "t1 UID STORE 1:3,7,9 +FLAGS.SILENT (\\Deleted)\r\n");
    assert_eq!(talk.hear("t1 OK\r\n"), ["Done(Ok(Nothing))"]);
    talk.client.expunge("1:3");
    assert_eq!(talk.said(), "t2 UID EXPUNGE 1:3\r\n");
    assert_eq!(talk.hear("* 1 EXPUNGE\r\n* VANISHED 2\r\nt2 OK\r\n"), ["Done(Ok(Nothing))"]);
}

#[test]
fn counts_and_subscriptions() {
    let mut talk = Talk::ready("");
    talk.client.counts(b"a \"b");
    assert_eq!(talk.said(), "t1 STATUS \"a \\\"b\" (MESSAGES UIDNEXT UIDVALIDITY)\r\n");
    let told =
        talk.hear("* STATUS \"a \\\"b\" (MESSAGES 231 X (1) UIDNEXT 44292 UIDVALIDITY 1)\r\nt1 OK\r\n");
    assert!(told[0].contains("messages: Some(231)") && told[0].contains("44292"), "{told:?}");
    talk.client.subscriptions();
    assert_eq!(talk.said(), "t2 LSUB \"\" \"*\"\r\n");
    let told = talk.hear("* LSUB () \".\" #news.comp\r\nt2 OK\r\n");
    assert!(folders(&told)[0].contains("is_subscribed: true"));
}

proptest! {
    #[test]
    fn nothing_panics_and_pieces_do_not_matter(
        text in "(\\* [1-9] FETCH \\(UID 4 BODY\\[\\] |\\{[0-9]\\}\r\n|\\)\r\n|\\* LIST \\(\\) |\"/\" |a|\"|NIL|t1 OK\r\n|\\* OK \\[|\\(|[ -~]|\r\n){0,30}",
        piece in 1_usize..9,
    ) {
        let run = |piece: usize| {
            let mut talk = Talk { piece, ..Talk::ready("") };
            talk.client.messages(&[Uid(4)]);
            let mut told = talk.hear(&text);
            talk.client.closed();
            told.extend(talk.hear(""));
            told
        };
        // Content may be told in other pieces, with the same octets.
        prop_assert_eq!(run(piece), run(usize::MAX));
    }
}
