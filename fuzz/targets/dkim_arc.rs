//! DKIM signatures, ARC chains and key records: what is junk counts as none, what was signed here verifies, and how the body
//! is cut makes no difference to its hash.
#![no_main]

use dkim::arc::{Chain, Status};
use dkim::{BodyHasher, Canonical, KeyAnswer, Message, PublicKey, Signer, SigningKey, Verdict};
use libfuzzer_sys::fuzz_target;
use model::Domain;

const NOW: i64 = 1_800_000_000;

fn hash(form: Canonical, limit: Option<u64>, pieces: &[&[u8]]) -> dkim::BodyHash {
    let mut hasher = BodyHasher::new(form, limit);
    pieces.iter().for_each(|piece| hasher.update(piece));
    hasher.finish()
}

fn check_body(body: &[u8]) {
    for form in [Canonical::Simple, Canonical::Relaxed] {
        for limit in [None, Some(body.len() as u64 / 2)] {
            let whole = hash(form, limit, &[body]);
            let (left, right) = body.split_at(body.len() / 3);
            assert_eq!(hash(form, limit, &[left, right]), whole);
            assert!(whole.octets <= body.len() as u64 + 2);
        }
    }
}

fn check_signing(raw: &[u8], key: &SigningKey) {
    let domain = Domain::new("x.test").unwrap();
    let signer = Signer { domain: &domain, selector: "s", key };
    let answer = KeyAnswer::Records(vec![key.record().into_bytes()]);
    let before = dkim::sign(&Message::new(raw), &[signer], NOW, None);
    let signed = [&before[..], raw].concat();
    let message = Message::new(&signed);
    let first = dkim::signatures(&message).remove(0).unwrap();
    assert!(matches!(dkim::verify(&message, &first, &answer, NOW), Verdict::Pass(_)));
    let chain = Chain::read(&message);
    let status = chain.validate(&message, &|_| answer.clone(), NOW);
    if let Some(set) = dkim::arc::seal(&message, &chain, &status, "x.test; none", &signer, NOW) {
        let sealed = [&set[..], &signed].concat();
        let message = Message::new(&sealed);
        let after = Chain::read(&message).validate(&message, &|_| answer.clone(), NOW);
        assert!(matches!(
            (status, after),
            (Status::None | Status::Pass { .. }, Status::Pass { .. }) | (Status::Fail(_), Status::Fail(_))
        ));
    }
}

fuzz_target!(|input: &[u8]| {
    let key = SigningKey::from_pkcs8(&dkim::ed25519_pkcs8(&[7; 32])).unwrap();
    if let Ok(public) = PublicKey::read(input) {
        assert!(public.bits() >= 256);
    }
    let message = Message::new(input);
    for signature in dkim::signatures(&message).into_iter().flatten() {
        assert!(signature.key_name().is_ascii());
        for answer in [KeyAnswer::None, KeyAnswer::Records(vec![key.record().into_bytes()])] {
            let verdict = dkim::verify(&message, &signature, &answer, NOW);
            assert!(!matches!((verdict, answer), (Verdict::Pass(_), KeyAnswer::None)));
        }
    }
    assert!(dkim::signatures(&message).len() <= dkim::SIGNATURES_MAX);
    check_body(input);
    // White space at the start would continue the field that is put before it; submission never lets that through.
    if !input.starts_with(b" ") && !input.starts_with(b"\t") {
        check_signing(input, &key);
    }
});
