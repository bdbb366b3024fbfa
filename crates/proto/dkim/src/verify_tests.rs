use super::*;
use crate::key::{SigningKey, ed25519_pkcs8};
use crate::sign::{Signer, sign};
use crate::signature::signatures;
use model::Domain;
use proptest::prelude::*;

const NOW: i64 = 1_528_637_909;
const ED25519: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const RSA: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\
    Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+\
    l/K4w3QIDAQAB";

/// RFC 8463 §A.3.
fn example() -> String {
    include_str!("../testdata/rfc8463-a3.eml").replace('\n', "\r\n")
}

fn records(record: &str) -> KeyAnswer {
    KeyAnswer::Records(vec![record.as_bytes().to_vec()])
}

fn verdicts(raw: &str, answer: &dyn Fn(&str) -> KeyAnswer) -> Vec<Verdict> {
    let message = Message::new(raw.as_bytes());
    let one = |signature: Result<Signature, Fault>| match signature {
        Ok(signature) => verify(&message, &signature, &answer(&signature.key_name()), NOW),
        Err(fault) => fault.into(),
    };
    signatures(&message).into_iter().map(one).collect()
}

fn known(name: &str) -> KeyAnswer {
    match name {
        "brisbane._domainkey.football.example.com" => records(ED25519),
        "test._domainkey.football.example.com" => records(RSA),
        _ => KeyAnswer::None,
    }
}

fn words(raw: &str) -> Vec<&'static str> {
    verdicts(raw, &known).iter().map(Verdict::word).collect()
}

#[test]
fn the_rfc_8463_message_verifies() {
    assert_eq!(words(&example()), ["pass", "pass"]);
    // The relaxed form bears other white space, and fields that nobody signed.
    let moved = example().replace("Subject: Is dinner", "subject:  Is\r\n dinner").replace("Hi.", "Hi.  ");
    assert_eq!(words(&format!("Received: by x\r\n{moved}\r\n\r\n")), ["pass", "pass"]);
}

#[test]
fn changes_are_noticed() {
    for (from, to, why) in [
        ("Joe.", "Jim.", Fault::BodyHash),
        ("Joe.", "Joe. ps", Fault::BodyHash),
        ("Is dinner", "Is Dinner", Fault::Signature),
        ("t=1528637909", "t=1528637908", Fault::Signature),
        // Signed although it was not there: a second Subject can't be put in.
        ("Date: Fri", "Subject: other\r\nDate: Fri", Fault::Signature),
    ] {
        let found = verdicts(&example().replace(from, to), &known);
        assert_eq!(found, [Verdict::Fail(why), Verdict::Fail(why)], "{to}");
    }
    assert_eq!(words(&example().replace("s=test", "s=brisbane"))[1], "permerror", "a key of another kind");
}

#[test]
fn what_dns_says_counts() {
    for (answer, wanted) in [
        (KeyAnswer::None, Verdict::PermError(Fault::NoKey)),
        (KeyAnswer::Unavailable, Verdict::TempError(Fault::KeyUnavailable)),
        (records("v=DKIM1; k=ed25519; p="), Verdict::PermError(Fault::Key(KeyFault::Revoked))),
        (records("some other text"), Verdict::PermError(Fault::Key(KeyFault::Syntax))),
        (records(&format!("{ED25519}; h=sha1")), Verdict::PermError(Fault::Key(KeyFault::Hash))),
        (KeyAnswer::Records(vec![]), Verdict::PermError(Fault::NoKey)),
    ] {
        assert_eq!(verdicts(&example(), &|_| answer.clone())[0], wanted, "{answer:?}");
    }
    let two = KeyAnswer::Records(vec![b"junk".to_vec(), ED25519.into()]);
    assert_eq!(verdicts(&example(), &|_| two.clone())[0].word(), "pass", "one of several records fits");
}

#[test]
fn signatures_that_are_none() {
    let with = |from: &str, to: &str| {
        let text = example();
        assert!(text.contains(from), "{from}");
        let raw = text.replace(from, to);
        verdicts(&raw, &known)[0].fault()
    };
    for (from, to, wanted) in [
        ("v=1; a=ed", "v=2; a=ed", Fault::Version),
        ("v=1; a=ed", "a=ed", Fault::MissingTag),
        ("a=ed25519-sha256", "a=rsa-sha1", Fault::Algorithm),
        ("c=relaxed/relaxed", "c=relaxed/nowsp", Fault::Canonicalization),
        ("h=from : to", "h=to : to", Fault::Signature),
        ("d=football.example.com", "d=com", Fault::Syntax),
        ("d=football.example.com", "d=other.example.com", Fault::DomainMismatch),
        ("i=@football.example.com", "i=@xfootball.example.com", Fault::DomainMismatch),
        ("i=@football.example.com", "i=football.example.com", Fault::Syntax),
        ("q=dns/txt", "q=http", Fault::Syntax),
        ("t=1528637909", "t=1528637909; x=1", Fault::Syntax),
        ("t=1528637909", "t=1; x=1528637908", Fault::Expired),
        ("t=1528637909", "t=-1", Fault::Syntax),
        ("t=1528637909", "l=1000", Fault::BodyTooShort),
        ("t=1528637909", "l=99999999999999999999999", Fault::Syntax),
        ("b=/gCr", "b=!gCr", Fault::Syntax),
        ("bh=2jUS", "q=x; bh=2jUS", Fault::Syntax),
    ] {
        let found = with(from, to);
        // Of the two From in h=, one alone may go.
        assert_eq!(found, Some(wanted), "{to}");
    }
    let unsigned = example().replace("h=from : to", "h=to").replace("message-id : from :", "message-id :");
    assert_eq!(verdicts(&unsigned, &known)[0], Verdict::PermError(Fault::FromNotSigned));
}

#[test]
fn a_subdomain_in_i_needs_a_key_that_allows_it() {
    let raw = example().replace("i=@football.example.com", "i=@deep.football.example.com");
    assert_eq!(verdicts(&raw, &known)[0].fault(), Some(Fault::Signature), "well-formed");
    let strict = |_: &str| records(&format!("{ED25519}; t=s"));
    assert_eq!(verdicts(&raw, &strict)[0].fault(), Some(Fault::DomainMismatch));
    assert_eq!(verdicts(&example(), &strict)[0].word(), "pass");
}

#[test]
fn only_so_many_signatures_are_looked_at() {
    let text = example();
    let one = &text[..text.find("DKIM-Signature: v=1; a=rsa").unwrap()];
    assert_eq!(words(&format!("{}{text}", one.repeat(50))).len(), crate::SIGNATURES_MAX);
}

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&ed25519_pkcs8(&[5; 32])).unwrap()
}

fn signed(raw: &str, lifetime: Option<u64>) -> String {
    let (key, domain) = (key(), Domain::new("почта.пример.рф").unwrap());
    let signers = [Signer { domain: &domain, selector: "s1", key: &key }; 2];
    let fields = sign(&Message::new(raw.as_bytes()), &signers, NOW, lifetime);
    String::from_utf8(fields).unwrap() + raw
}

const LETTER: &str = "From: a@x.test\r\nTo: b@y.test\r\nTo: c@y.test\r\nSubject: hello\r\n\r\nbody\r\n";

fn own(name: &str) -> KeyAnswer {
    assert_eq!(name, "s1._domainkey.xn--80a1acny.xn--e1afmkfd.xn--p1ai", "A-labels");
    records(&key().record())
}

#[test]
fn what_we_sign_verifies() {
    let raw = signed(LETTER, None);
    assert_eq!(raw.matches("DKIM-Signature:").count(), 2);
    assert!(verdicts(&raw, &own).iter().all(|verdict| verdict.word() == "pass"), "{raw}");
    assert!(raw.split("\r\n").all(|line| line.len() <= 78), "{raw}");
    // What is shown can't be added to.
    for added in
        ["From: m@x.test", "Subject: other", "To: m@y.test", "Reply-To: m@y.test", "Content-Type: text/html"]
    {
        let raw = format!("{added}\r\n{raw}");
        assert_eq!(verdicts(&raw, &own)[0], Verdict::Fail(Fault::Signature), "{added}");
    }
    for added in ["Received: by x", "List-Id: <l.x.test>", "X-Spam: no"] {
        assert_eq!(verdicts(&format!("{added}\r\n{raw}"), &own)[0].word(), "pass", "{added}");
    }
    assert!(sign(&Message::new(LETTER.as_bytes()), &[], NOW, None).is_empty());
}

#[test]
fn signatures_end_when_they_are_told_to() {
    assert_eq!(verdicts(&signed(LETTER, Some(60)), &own)[0].word(), "pass");
    let raw = signed(LETTER, Some(60)).replace(&NOW.to_string(), &(NOW - 100).to_string());
    assert!(raw.contains(&format!("x={}", NOW + 60)));
    let late = |answer: &KeyAnswer| {
        let message = Message::new(raw.as_bytes());
        let signature = signatures(&message).remove(0).unwrap();
        verify(&message, &signature, answer, NOW + 61)
    };
    assert_eq!(late(&KeyAnswer::None), Verdict::Fail(Fault::Expired));
}

proptest! {
    #[test]
    fn arbitrary_messages_verify_once_signed(
        header in "(From|To|Subject|X-A|[a-z]{1,3}): ?[ -~]{0,30}\r\n( [!-~]{1,8}\r\n)?",
        body in "([ -~\t]{0,20}\r\n){0,4}[ -~]{0,3}",
    ) {
        let raw = signed(&format!("{header}\r\n{body}"), None);
        prop_assert_eq!(verdicts(&raw, &own)[0].word(), "pass");
    }

    #[test]
    fn arbitrary_signatures_do_no_harm(value in "[ -~\r\n\t]{0,200}") {
        let raw = format!("DKIM-Signature: {value}\r\nFrom: a@x.test\r\n\r\nbody\r\n");
        verdicts(&raw, &|_| records(ED25519));
    }
}

#[test]
fn a_key_for_reports_is_good_for_reports_only() {
    // RFC 8460 §3: "v=DKIM1;k=rsa;s=tlsrpt;p=…".
    let domain = Domain::new("x.test").unwrap();
    let key = SigningKey::from_pkcs8(&ed25519_pkcs8(&[7; 32])).unwrap();
    let raw = b"From: a@x.test\r\n\r\n{}\r\n".to_vec();
    let signer = Signer { domain: &domain, selector: "s", key: &key };
    let signed = [sign(&Message::new(&raw), &[signer], NOW, None), raw].concat();
    let message = Message::new(&signed);
    let signature = signatures(&message).remove(0).unwrap();
    let record = |service: &str| records(&key.record().replacen(';', &format!("; s={service};"), 1));
    let rows = [("tlsrpt", false, true), ("email", true, true), ("*", true, true), ("other", false, false)];
    for (service, mail, report) in rows {
        let is_pass = |verdict| matches!(verdict, Verdict::Pass(_));
        let answer = record(service);
        assert_eq!(is_pass(verify(&message, &signature, &answer, NOW)), mail, "{service}");
        assert_eq!(is_pass(verify_report(&message, &signature, &answer, NOW)), report, "{service}");
    }
}
