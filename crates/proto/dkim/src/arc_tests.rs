use super::*;
use crate::key::{SigningKey, ed25519_pkcs8};
use crate::results::authres_payload;

const LETTER: &str = "DKIM-Signature: v=1; a=rsa-sha256; d=x.test; s=1; h=from; bh=; b=\r\n\
    From: a@x.test\r\nSubject: hello\r\n\r\nbody\r\n";

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&ed25519_pkcs8(&[6; 32])).unwrap()
}

fn answer(name: &str) -> KeyAnswer {
    match name {
        "s._domainkey.list.test" => KeyAnswer::Records(vec![key().record().into_bytes()]),
        _ => KeyAnswer::None,
    }
}

fn status(raw: &str) -> Status {
    let message = Message::new(raw.as_bytes());
    Chain::read(&message).validate(&message, &answer, 0)
}

/// The message with one set more.
fn sealed(raw: &str) -> Option<String> {
    let message = Message::new(raw.as_bytes());
    let chain = Chain::read(&message);
    let status = chain.validate(&message, &answer, 0);
    let (key, domain) = (key(), Domain::new("list.test").unwrap());
    let signer = Signer { domain: &domain, selector: "s", key: &key };
    let results = authres_payload("list.test", &[]);
    let set = seal(&message, &chain, &status, &results, &signer, 12345)?;
    Some(String::from_utf8(set).unwrap() + raw)
}

fn times(count: usize) -> String {
    (0..count).fold(LETTER.to_owned(), |raw, _| sealed(&raw).unwrap())
}

#[test]
fn chains_grow_and_hold() {
    assert_eq!(status(LETTER), Status::None);
    for count in 1..=3 {
        let raw = times(count);
        assert_eq!(status(&raw), Status::Pass { oldest_pass: 0 }, "{raw}");
        assert!(raw.contains(&format!("ARC-Authentication-Results: i={count}; list.test; none\r\n")));
        assert_eq!(raw.contains("cv=pass"), count > 1);
        assert_eq!(Chain::read(&Message::new(raw.as_bytes())).key_names(), ["s._domainkey.list.test"]);
    }
}

#[test]
fn a_change_between_two_hosts_is_told() {
    // A list that writes into the subject breaks the message signatures before it, and seals what comes out.
    let changed = times(2).replace("Subject: hello", "Subject: [list] hello");
    assert!(matches!(status(&changed), Status::Fail(Broken::Message(2, Fault::Signature))));
    // Changed before the third set was made, by a host that did not look.
    let message = Message::new(changed.as_bytes());
    let chain = Chain::read(&message);
    let (key, domain) = (key(), Domain::new("list.test").unwrap());
    let signer = Signer { domain: &domain, selector: "s", key: &key };
    let set =
        seal(&message, &chain, &Status::Pass { oldest_pass: 0 }, "list.test; none", &signer, 1).unwrap();
    let raw = String::from_utf8(set).unwrap() + &changed;
    assert_eq!(status(&raw), Status::Pass { oldest_pass: 3 });
}

#[test]
fn broken_chains_are_found() {
    let raw = times(2);
    let without = |name: &str| {
        let start = raw.find(name).unwrap();
        let length = mime::header::fields(&raw.as_bytes()[start..]).next().unwrap().range.end;
        format!("{}{}", &raw[..start], &raw[start + length..])
    };
    for name in [AAR, AMS, AS] {
        assert_eq!(status(&without(name)), Status::Fail(Broken::Structure), "{name}");
    }
    let doubled = format!("{AAR}: i=1; x; none\r\n{raw}");
    assert_eq!(status(&doubled), Status::Fail(Broken::Structure));
    for (from, to) in [
        (" i=2;", " i=3;"),
        ("cv=none", "cv=pass"),
        (" i=1;", " i=0;"),
        (" i=1;", " i=51;"),
        (" i=1;", " i=01;"),
        (" i=1;", ""),
    ] {
        assert_eq!(status(&raw.replace(from, to)), Status::Fail(Broken::Structure), "{to}");
    }
    // What the earlier host said.
    let lied = raw.replace("i=1; list.test; none", "i=1; list.test; dkim=pass");
    assert!(matches!(status(&lied), Status::Fail(Broken::Seal(2, Fault::Signature))), "{:?}", status(&lied));
    let unknown = raw.replacen("s=s;", "s=t;", 1);
    assert!(
        matches!(status(&unknown), Status::Fail(Broken::Seal(2, Fault::NoKey))),
        "{:?}",
        status(&unknown)
    );
    let with_h = raw.replacen("cv=pass", "h=from; cv=pass", 1);
    assert!(matches!(status(&with_h), Status::Fail(Broken::Seal(2, Fault::Syntax))), "{:?}", status(&with_h));
}

#[test]
fn a_broken_chain_is_marked_once_and_then_left() {
    let broken = times(2).replace("Subject: hello", "Subject: changed");
    let marked = sealed(&broken).unwrap();
    assert!(marked.contains("cv=fail"), "{marked}");
    assert_eq!(status(&marked), Status::Fail(Broken::Marked));
    assert!(sealed(&marked).is_none(), "§5.1 step 2");
    // §5.1.2: the mark itself is signed, alone.
    let message = Message::new(marked.as_bytes());
    let fields: Vec<&[u8]> = message.fields().iter().take(3).map(|field| message.octets(field)).collect();
    let set = set(&[Some(fields[2]), Some(fields[1]), Some(fields[0])]).unwrap();
    let only = std::slice::from_ref(&set);
    assert_eq!(verify_seal(only, &set, &answer), Ok(()));
}

#[test]
fn fifty_sets_are_enough() {
    let raw = times(SETS_MAX);
    assert_eq!(status(&raw), Status::Pass { oldest_pass: 0 });
    assert!(sealed(&raw).is_none());
}
