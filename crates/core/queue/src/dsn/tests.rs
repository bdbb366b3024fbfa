use super::*;

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn reported(recipient: &str, action: Action) -> Reported {
    Reported {
        action,
        recipient: recipient.into(),
        original: None,
        reply: "452 4.2.2 The mailbox is full".into(),
        status: "4.2.2".into(),
        remote: None,
        last_attempt: None,
    }
}

struct Made {
    language: Language,
    smtputf8: bool,
    recipients: Vec<Reported>,
    message: &'static [u8],
    ret: crate::Ret,
}

impl Default for Made {
    fn default() -> Made {
        Made {
            language: Language::English,
            smtputf8: false,
            recipients: vec![reported("b@y.test", Action::Failed)],
            message: b"Subject: hello\r\nMessage-ID: <1@x.test>\r\n\r\nbody\r\n",
            ret: crate::Ret::Hdrs,
        }
    }
}

impl Made {
    fn bytes(&self) -> Vec<u8> {
        let sender = address("a@x.test");
        delivery_report(&Report {
            hostname: "mx.y.test",
            sender: &sender,
            language: self.language,
            smtputf8: self.smtputf8,
            envid: Some("QQ314159"),
            trace: "4f1c.1",
            now: UnixTime(1_795_262_400),
            received: UnixTime(1_795_258_800),
            retry_until: Some(UnixTime(1_795_694_400)),
            deliver_by: Some(UnixTime(1_795_262_400)),
            held_until: Some(UnixTime(1_795_262_399)),
            recipients: &self.recipients,
            returned: match self.ret {
                crate::Ret::Full => Returned::Message(self.message),
                crate::Ret::Hdrs => Returned::Header(self.message),
            },
        })
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }
}

/// The parts of a report as a MIME parser sees them: type, encoding as named, decoded content.
fn parts(message: &[u8]) -> Vec<(String, String)> {
    let structure = mime::parse(message);
    let text = String::from_utf8_lossy(message).into_owned();
    assert!(text.contains("Content-Type: multipart/report; report-type=delivery-status;"), "{text}");
    let boundary = text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    drop(structure);
    let mut found: Vec<(String, String)> = Vec::new();
    for part in text.split(&format!("\r\n--{boundary}")).skip(1) {
        let part = part.strip_prefix("\r\n").unwrap_or(part);
        let Some((head, body)) = part.split_once("\r\n\r\n") else { continue };
        let kind = head.split("Content-Type: ").nth(1).unwrap().split([';', '\r']).next().unwrap();
        let mut content = body.as_bytes().to_vec();
        if head.contains("base64") {
            let mut decoded = Vec::new();
            mime::transfer::decode_base64(body.as_bytes(), usize::MAX, &mut decoded);
            content = decoded;
        }
        found.push((kind.to_owned(), String::from_utf8(content).unwrap()));
    }
    found
}

fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}: {text}");
    }
}

#[test]
fn a_report_has_its_three_parts_and_ends() {
    let text = Made::default().text();
    assert_eq!(text.matches("--=_troika_4f1c_1\r\n").count(), 3);
    assert!(text.ends_with("Message-ID: <1@x.test>\r\n\r\n--=_troika_4f1c_1--\r\n"), "{text}");
    assert!(!text.contains("\r\nbody"), "the header only");
    assert!(!text.contains("Original-Recipient") && !text.contains("Will-Retry-Until"), "{text}");
    let wanted = [
        "To: <a@x.test>",
        "In-Reply-To: <1@x.test>",
        "Auto-Submitted: auto-replied",
        "Content-Transfer-Encoding: 7bit",
        "Your message: hello",
        "  <b@y.test>",
        "    The mailbox is full; its owner has to make room.",
        "    452 4.2.2 The mailbox is full",
        "Original-Envelope-Id: QQ314159",
        "Reporting-MTA: dns; mx.y.test",
        "Arrival-Date: Sat, 21 Nov 2026 11:00:00 +0000",
        "Deliver-By-Date: Sat, 21 Nov 2026 12:00:00 +0000",
        "Future-Release-Request: until;2026-11-21T11:59:59Z",
        "Final-Recipient: rfc822; b@y.test",
        "Action: failed",
        "Status: 4.2.2",
        "Diagnostic-Code: smtp; 452 4.2.2 The mailbox is full",
    ];
    assert_lines(&text, &wanted);
    let kinds: Vec<String> = parts(text.as_bytes()).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["text/plain", "message/delivery-status", "text/rfc822-headers"]);
}

#[test]
fn the_order_of_fields_is_that_of_rfc_3464_and_6533() {
    let mut one = reported("b@y.test", Action::Delayed);
    one.original = Some(Orcpt { address_type: "rfc822".into(), address: "info@x.test".into() });
    one.remote = Some("mx.far.test".into());
    one.last_attempt = Some(UnixTime(1_795_262_000));
    let made = Made { recipients: vec![one], ..Made::default() };
    let (_, status) = parts(&made.bytes()).swap_remove(1);
    let names: Vec<&str> = status.lines().map(|line| line.split(':').next().unwrap()).collect();
    let wanted = [
        "Original-Envelope-Id",
        "Reporting-MTA",
        "Arrival-Date",
        "Deliver-By-Date",
        "Future-Release-Request",
        "",
        "Original-Recipient",
        "Final-Recipient",
        "Action",
        "Status",
        "Remote-MTA",
        "Diagnostic-Code",
        "Last-Attempt-Date",
        "Will-Retry-Until",
    ];
    assert_eq!(names, wanted, "{status}");
}

#[test]
fn russians_are_told_in_russian_and_seven_bits() {
    let made = Made { language: Language::Russian, ..Made::default() };
    let bytes = made.bytes();
    assert!(bytes.is_ascii());
    let (kind, words) = parts(&bytes).swap_remove(0);
    assert_eq!(kind, "text/plain");
    for wanted in ["не доставлено", "<b@y.test>", "Почтовый ящик переполнен", "Ваше письмо: hello"]
    {
        assert!(words.contains(wanted), "{wanted}: {words}");
    }
    let subject = mime::header::first(&bytes, "Subject").unwrap();
    let subject = mime::encoded_word::decode(&mime::header::unfold(subject)).into_owned();
    assert!(subject.contains("Письмо не доставлено"), "{subject}");
    assert!(!parts(&bytes)[1].1.contains("Письмо"), "programs read English");
}

#[test]
fn each_action_has_its_words_in_both_languages() {
    for language in [Language::English, Language::Russian] {
        let mut subjects = Vec::new();
        for action in [Action::Failed, Action::Delayed, Action::Delivered, Action::Relayed, Action::Expanded]
        {
            let made = Made { language, recipients: vec![reported("b@y.test", action)], ..Made::default() };
            let found = parts(&made.bytes());
            assert!(found[0].1.contains("<b@y.test>"));
            assert!(found[1].1.contains(&format!("Action: {}\r\n", action.name())), "{}", found[1].1);
            subjects.push(words::subject(language, action));
            assert_eq!(found[1].1.contains("Will-Retry-Until"), action == Action::Delayed);
        }
        subjects.dedup();
        assert_eq!(subjects.len(), 5);
    }
}

#[test]
fn utf_8_is_returned_to_who_sent_it() {
    let made = Made {
        smtputf8: true,
        recipients: vec![reported("почта@пример.рф", Action::Failed)],
        message: "Subject: Привет\r\n\r\nтело\r\n".as_bytes(),
        ret: crate::Ret::Full,
        ..Made::default()
    };
    let text = made.text();
    let found = parts(text.as_bytes());
    assert_eq!(found[1].0, "message/global-delivery-status");
    assert!(found[1].1.contains("Final-Recipient: utf-8; почта@пример.рф\r\n"), "{}", found[1].1);
    assert_eq!(found[2].0, "message/global");
    assert!(found[2].1.contains("тело"));
    assert_lines(&text, &["Content-Transfer-Encoding: 8bit"]);
    let top = &text[..text.find("\r\n\r\n").unwrap()];
    assert!(top.is_ascii(), "SMTPUTF8 is not needed for the report itself");
    let headers = Made { ret: crate::Ret::Hdrs, ..made };
    assert_eq!(parts(&headers.bytes())[2].0, "message/global-headers");
}

#[test]
fn without_smtputf8_addresses_are_written_in_ascii() {
    // RFC 6533 §3: utf-8-addr-xtext in message/delivery-status.
    let mut one = reported("почта@пример.рф", Action::Failed);
    one.original = Some(Orcpt { address_type: "utf-8".into(), address: "a+b é@x.test".into() });
    one.reply = "550 нет".into();
    let made = Made { recipients: vec![one], message: b"Subject: \xff\r\n\r\n", ..Made::default() };
    let bytes = made.bytes();
    let text = String::from_utf8_lossy(&bytes);
    let wanted = [
        "Original-Recipient: utf-8; a\\x{2B}b\\x{20}\\x{E9}@x.test",
        "Diagnostic-Code: smtp; 550 ???",
        "Content-Type: message/delivery-status",
        "Content-Type: text/rfc822-headers",
    ];
    assert_lines(&text, &wanted);
    assert!(text.contains("Final-Recipient: utf-8; \\x{43F}\\x{43E}\\x{447}"), "{text}");
}

#[test]
fn nothing_that_others_say_adds_a_field_or_a_part() {
    let mut one = reported("b@y.test\r\nAction: delivered", Action::Failed);
    one.reply = "550-5.1.1 no\r\n550 5.1.1 such\nAction: delivered\0".into();
    one.remote = Some("mx\r\nStatus: 2.0.0".into());
    one.status = "5.1.1\r\nAction: delivered".into();
    one.original = Some(Orcpt { address_type: "rfc\r\nX: y".into(), address: "q\r\nX: y".into() });
    let message = b"Subject: a\r\nMessage-ID: <1@x\r\n> \r\n\r\n\r\n--=_troika_4f1c_1\r\n\r\nX";
    let made = Made { recipients: vec![one], message, ret: crate::Ret::Full, ..Made::default() };
    let text = made.text();
    let (_, status) = parts(text.as_bytes()).swap_remove(1);
    assert_eq!(status.lines().filter(|line| line.starts_with("Action:")).count(), 1, "{status}");
    assert_eq!(status.lines().filter(|line| line.starts_with("X:")).count(), 0, "{status}");
    assert!(status.contains("\r\nStatus: 5.0.0\r\n"), "{status}");
    assert!(text.contains("boundary=\"=_troika_4f1c_1A\""), "{text}");
    assert!(!text.contains("In-Reply-To"));
    assert_eq!(parts(text.as_bytes()).len(), 3);
}

#[test]
fn a_status_for_any_reply() {
    for (reply, wanted) in [
        ("550 5.1.1 no such user", "5.1.1"),
        ("550-5.7.1 a\r\n550 5.7.1 b", "5.7.1"),
        ("550 no such user", "5.0.0"),
        ("550 4.1.1 lies", "5.0.0"),
        ("550 5.1.01 x", "5.0.0"),
        ("451 4.7.1", "4.7.1"),
        ("421", "4.0.0"),
        ("250 2.1.5 fine", "2.1.5"),
        ("the connection broke", "4.0.0"),
        ("", "4.0.0"),
        ("5é0", "4.0.0"),
        ("599", "5.0.0"),
    ] {
        assert_eq!(status_of(reply), wanted, "{reply:?}");
    }
}

#[test]
fn who_wants_to_hear_what() {
    let on = |success, failure, delay| Notify::On { success, failure, delay };
    for (notify, wanted) in [
        (Notify::Default, [true, true, false, false, false]),
        (Notify::Never, [false; 5]),
        (on(true, false, false), [false, false, true, true, true]),
        (on(false, true, false), [true, false, false, false, false]),
        (on(false, false, true), [false, true, false, false, false]),
    ] {
        let actions = [Action::Failed, Action::Delayed, Action::Delivered, Action::Relayed, Action::Expanded];
        assert_eq!(actions.map(|action| notify.wants(action)), wanted, "{notify:?}");
    }
}
