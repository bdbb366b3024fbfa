use super::*;
use proptest::prelude::*;
use sasl::client::Secret;

fn settings(tls: TlsWish) -> Settings {
    Settings {
        tls,
        credentials: Credentials {
            user: "mrose".into(),
            authorize_as: String::new(),
            secret: Secret::Password("tanstaaf".to_owned().into()),
        },
        plaintext_auth: false,
        apop: Apop::Never,
        host: ("pop.example.org".into(), 110),
        entropy: [7; 32],
        message_bytes_max: 1000,
    }
}

struct Talk {
    client: Client,
    /// How many octets are fed at once.
    piece: usize,
}

impl Talk {
    /// With TLS.
    fn new() -> Talk {
        let mut talk = Talk::clear(TlsWish::AsItIs);
        talk.client.tls_started(TlsInfo::default());
        talk
    }

    fn clear(tls: TlsWish) -> Talk {
        Talk { client: Client::new(settings(tls)), piece: usize::MAX }
    }

    fn ready(capabilities: &str) -> Talk {
        let mut talk = Talk::new();
        let told = talk.hear(&format!("+OK hi\r\n+OK\r\n{capabilities}.\r\n+OK\r\n+OK\r\n"));
        assert_eq!(told, ["Ready"]);
        assert_eq!(talk.said(), "CAPA\r\nUSER mrose\r\nPASS tanstaaf\r\n");
        talk
    }

    fn said(&mut self) -> String {
        String::from_utf8(std::mem::take(self.client.output())).unwrap()
    }

    fn hear(&mut self, text: &str) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
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
                    let text = String::from_utf8_lossy(&octets).into_owned();
                    match told.last_mut().filter(|last| last.starts_with("Content ")) {
                        Some(last) => last.push_str(&text),
                        None => told.push(format!("Content {text}")),
                    }
                }
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
fn the_session_of_rfc_1939_section_10() {
    for piece in [1, usize::MAX] {
        let mut talk = Talk { piece, ..Talk::clear(TlsWish::AsItIs) };
        talk.client.settings.apop = Apop::WhenOffered;
        talk.hear("+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n-ERR CAPA?\r\n");
        assert_eq!(talk.said(), "CAPA\r\nAPOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n");
        assert_eq!(talk.hear("+OK mrose's maildrop has 2 messages (320 octets)\r\n"), ["Ready"]);
        talk.client.stat();
        talk.client.sizes();
        assert_eq!(talk.said(), "STAT\r\n", "one by one");
        let told = talk.hear("+OK 2 320\r\n+OK 2 messages (320 octets)\r\n1 120\r\n2 200\r\n.\r\n");
        assert_eq!(
            told,
            [
                "Done(Ok(Drop { messages: 2, bytes: 320 }))",
                "Size { number: 1, bytes: 120 }",
                "Size { number: 2, bytes: 200 }",
                "Done(Ok(Nothing))",
            ]
        );
        assert_eq!(talk.said(), "LIST\r\n");
        talk.client.message(1);
        let told = talk.hear("+OK 120 octets\r\nSubject: a\r\n\r\n..\r\n.b\r\n.\r\n");
        assert_eq!(told, ["Content Subject: a\r\n\r\n.\r\nb\r\n", "Done(Ok(Message { bytes: 20 }))"]);
        talk.client.delete(1);
        talk.client.quit();
        assert_eq!(talk.said(), "RETR 1\r\nDELE 1\r\n");
        assert_eq!(talk.hear("+OK message 1 deleted\r\n"), ["Done(Ok(Nothing))"]);
        assert_eq!(talk.said(), "QUIT\r\n");
        assert_eq!(talk.hear("+OK dewey POP3 server signing off\r\n"), ["Closed(Ok(()))"]);
    }
}

#[test]
fn pipelining_lets_commands_leave_at_once() {
    let mut talk = Talk::ready("PIPELINING\r\nUIDL\r\n");
    talk.client.sizes();
    talk.client.unique_ids();
    talk.client.message(2);
    talk.client.quit();
    assert_eq!(talk.said(), "LIST\r\nUIDL\r\nRETR 2\r\nQUIT\r\n");
    let told =
        talk.hear("+OK\r\n1 5\r\n.\r\n+OK\r\n1 whqtswO00WBw418f9t5JxYwZ\r\n.\r\n+OK\r\n.\r\n+OK bye\r\n");
    assert_eq!(
        told,
        [
            "Size { number: 1, bytes: 5 }",
            "Done(Ok(Nothing))",
            "UniqueId { number: 1, id: \"whqtswO00WBw418f9t5JxYwZ\" }",
            "Done(Ok(Nothing))",
            "Done(Ok(Message { bytes: 0 }))",
            "Closed(Ok(()))",
        ]
    );
    let mut talk = Talk::ready("PIPELINING\r\n");
    for number in 1..=100 {
        talk.client.delete(number);
    }
    assert_eq!(talk.said().lines().count(), WINDOW, "no more than the server can hold");
    assert_eq!(talk.hear(&"+OK\r\n".repeat(100)).len(), 100);
    assert_eq!(talk.said().lines().count(), 100 - WINDOW);
}

#[test]
fn log_ins() {
    let mut talk = Talk::new();
    talk.hear("+OK hi\r\n+OK\r\nSASL LOGIN PLAIN X-Y\r\n.\r\n");
    assert_eq!(talk.said(), "CAPA\r\nAUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n");
    assert_eq!(talk.hear("+OK in\r\n"), ["Ready"]);
    // RFC 5034 §4: beyond 255 octets the initial response waits to be asked for.
    let mut talk = Talk::new();
    talk.client.settings.credentials.secret = Secret::Token("x".repeat(300).into());
    talk.hear("+OK hi\r\n+OK\r\nSASL XOAUTH2\r\n.\r\n");
    assert_eq!(talk.said(), "CAPA\r\nAUTH XOAUTH2\r\n");
    talk.hear("+ \r\n");
    assert!(talk.said().len() > 400);
    assert!(matches!(talk.closes_with("-ERR [AUTH] no\r\n"), Fault::LoginRefused(_)));
    let mut talk = Talk::new();
    talk.hear("+OK hi\r\n+OK\r\nSASL SCRAM-SHA-1\r\n.\r\n");
    let fault = talk.closes_with("+OK in\r\n");
    assert_eq!(fault, Fault::Login(sasl::client::Trouble::PeerUnproven));
    for (answer, reason) in [
        ("-ERR [IN-USE] locked", Some(Reason::InUse)),
        ("-ERR [LOGIN-DELAY] later", Some(Reason::LoginDelay)),
        ("-ERR [sys/temp] x", Some(Reason::SystemTemporary)),
        ("-ERR [X] x", None),
        ("-ERR", None),
    ] {
        let mut talk = Talk::new();
        talk.hear("+OK hi\r\n-ERR\r\n+OK\r\n");
        let Fault::LoginRefused(refusal) = talk.closes_with(&format!("{answer}\r\n")) else { panic!() };
        assert_eq!(refusal.reason, reason);
    }
    let mut talk = Talk::new();
    talk.client.settings.credentials.user = "x\r\nDELE 1".into();
    assert!(matches!(talk.closes_with("+OK hi\r\n-ERR\r\n"), Fault::Login(_)));
    assert_eq!(talk.said(), "CAPA\r\n");
}

#[test]
fn nothing_secret_leaves_without_tls_and_apop_only_when_asked_for() {
    let greeting = "+OK <1@x>\r\n+OK\r\nSASL PLAIN\r\n.\r\n";
    let mut talk = Talk::clear(TlsWish::AsItIs);
    assert_eq!(talk.closes_with(greeting), Fault::NoLogin);
    assert_eq!(talk.said(), "CAPA\r\n");
    let mut talk = Talk::clear(TlsWish::AsItIs);
    talk.client.settings.plaintext_auth = true;
    talk.hear("+OK <1@x>\r\n-ERR\r\n");
    assert_eq!(talk.said(), "CAPA\r\nUSER mrose\r\n");
}

#[test]
fn stls_forgets_what_came_before() {
    let mut talk = Talk::clear(TlsWish::Stls);
    talk.hear("+OK <1@x>\r\n+OK\r\nSTLS\r\nSASL PLAIN\r\n.\r\n");
    assert_eq!(talk.said(), "CAPA\r\nSTLS\r\n");
    assert_eq!(talk.hear("+OK go\r\n+OK\r\nSASL LOGIN\r\n.\r\n"), ["StartTls"]);
    talk.client.feed(b"+OK\r\n.\r\n");
    talk.client.tls_started(TlsInfo::default());
    assert!(talk.hear("").is_empty());
    assert_eq!(talk.said(), "CAPA\r\n");
    talk.hear("+OK\r\nSASL PLAIN\r\n.\r\n");
    assert!(talk.said().starts_with("AUTH PLAIN "));
    assert_eq!(Talk::clear(TlsWish::Stls).closes_with("+OK\r\n+OK\r\nUSER\r\n.\r\n"), Fault::NoTls);
    assert_eq!(Talk::clear(TlsWish::Stls).closes_with("+OK\r\n-ERR\r\n-ERR\r\n"), Fault::NoTls);
}

#[test]
fn refusals_leave_the_connection_usable() {
    let mut talk = Talk::ready("");
    talk.client.unique_ids();
    talk.client.message(7);
    talk.client.noop();
    let told = talk.hear("-ERR unknown command\r\n-ERR [SYS/PERM] no such\x1b message\r\n+OK\r\n");
    assert_eq!(told.len(), 3);
    assert!(told[1].contains("SystemPermanent") && !told[1].contains('\x1b'), "{told:?}");
    talk.client.quit();
    let Fault::NotRemoved(_) = talk.closes_with("-ERR some deleted messages not removed\r\n") else {
        panic!()
    };
}

#[test]
fn an_end_without_ok_removes_nothing() {
    let mut talk = Talk::ready("");
    talk.client.delete(1);
    talk.hear("+OK\r\n");
    talk.client.quit();
    talk.client.closed();
    assert_eq!(talk.closes_with(""), Fault::Closed);
    let mut talk = Talk::ready("");
    talk.client.message(1);
    talk.hear("+OK\r\nhalf a mess");
    talk.client.closed();
    assert_eq!(talk.closes_with(""), Fault::Closed);
}

#[test]
fn hostile_answers_end_the_connection() {
    for (given, text, why) in [
        ("LIST", "+OK\r\n0 1\r\n".to_owned(), ReplyError::NotAReply),
        ("LIST", "+OK\r\n1\r\n".into(), ReplyError::NotAReply),
        ("LIST", "+OK\r\n1 x\r\n".into(), ReplyError::NotAReply),
        ("LIST", "+OK\r\n4294967296 1\r\n".into(), ReplyError::NotAReply),
        ("LIST", "+OK\r\n1 99999999999999999999\r\n".into(), ReplyError::NotAReply),
        ("LIST", "+ go on\r\n".into(), ReplyError::NotAReply),
        ("LIST", "OK\r\n".into(), ReplyError::NotAReply),
        ("LIST", "+OKAY\r\n".into(), ReplyError::NotAReply),
        ("LIST", "x".repeat(20_000), ReplyError::TooLong),
        ("UIDL", format!("+OK\r\n1 {}\r\n", "x".repeat(256)), ReplyError::NotAReply),
        ("UIDL", "+OK\r\n1 \u{e9}\r\n".into(), ReplyError::NotAReply),
        ("RETR", format!("+OK\r\n{}", "x".repeat(1001)), ReplyError::MessageTooLong),
    ] {
        let mut talk = Talk::ready("");
        match given {
            "LIST" => talk.client.sizes(),
            "UIDL" => talk.client.unique_ids(),
            _ => talk.client.message(1),
        }
        assert_eq!(talk.closes_with(&text), Fault::Garbled(why), "{text}");
    }
    let endless = format!("+OK hi\r\n+OK\r\n{}", "X\r\n".repeat(300));
    assert_eq!(Talk::new().closes_with(&endless), Fault::Garbled(ReplyError::TooLong));
    assert!(matches!(Talk::new().closes_with("-ERR too many\r\n"), Fault::Greeted(_)));
}

proptest! {
    #[test]
    fn nothing_panics_and_pieces_do_not_matter(
        text in "(\\+OK\r\n|-ERR\r\n|\\+ \r\n|\\.|1 5\r\n|\r\n|[ -~]|\r|\n){0,40}",
        piece in 1_usize..9,
    ) {
        let run = |piece: usize| {
            let mut talk = Talk { piece, ..Talk::ready("PIPELINING\r\n") };
            talk.client.sizes();
            talk.client.unique_ids();
            talk.client.message(1);
            talk.client.delete(1);
            talk.client.quit();
            let mut told = talk.hear(&text);
            talk.client.closed();
            told.extend(talk.hear(""));
            told
        };
        prop_assert_eq!(run(piece), run(usize::MAX));
    }
}
