//! A log-in with any mechanism, any messages and any answers of the world: a grant comes from the world only, over is
//! over, nothing panics.
//!
//! Octet 0 of the input is the mechanism, octets 1 to 3 the world's troubles, octets 4 to 7 flags; then messages, one a
//! line. `#` in front of a line is replaced by a right proof: the client of the target knows the password `secret`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sasl::{Exchange, Mechanism, Next, Question, Reply, Setup, Verdict};
use troika_fuzz::{NOW, Plan, log_in};
use wire::TlsInfo;

fn check_base64(input: &[u8]) {
    let mut encoded = Vec::new();
    sasl::encode_base64(input, &mut encoded);
    assert_eq!(sasl::decode_base64(&encoded).as_deref(), Some(input));
    if let Some(decoded) = sasl::decode_base64(input) {
        // Canonical: no other text stands for the same octets.
        let mut again = Vec::new();
        sasl::encode_base64(&decoded, &mut again);
        assert_eq!(again, input, "not canonical");
    }
}

/// What an honest client answers to a challenge of CRAM-MD5, else nothing.
fn right_answer(mechanism: Mechanism, challenge: &[u8]) -> Option<Vec<u8>> {
    let digest = (mechanism == Mechanism::CramMd5).then(|| sasl::cram_md5_digest(challenge, b"secret"))?;
    Some(format!("tim {digest}").into_bytes())
}

fuzz_target!(|input: &[u8]| {
    check_base64(input);
    let Some(plan) = Plan::new(input) else { return };
    let mechanism = Mechanism::EVERY[usize::from(plan.setup) % Mechanism::EVERY.len()];
    let tls = TlsInfo {
        exporter: Some(vec![7; 32]),
        client_names: vec!["tim@example.test".to_owned()],
        ..TlsInfo::default()
    };
    let setup = Setup {
        entropy: &[7; 32],
        exchange: 1,
        hostname: "mail.example.test",
        now: NOW,
        tls: (plan.cuts[0] & 2 == 0).then_some(&tls),
        offers_binding: plan.cuts[0] & 4 == 0,
    };
    let mut luck = plan.luck();
    let mut messages = plan.text.split(|octet| *octet == b'\n');
    let initial = if plan.cuts[0] & 1 == 1 { messages.next() } else { None };
    let (mut exchange, mut next) = Exchange::start(mechanism, &setup, initial);
    let (mut granted, mut failed, mut last_challenge) = (false, false, Vec::new());
    for _ in 0..1000 {
        next = match next {
            Next::Challenge(challenge) => {
                last_challenge = challenge;
                let Some(message) = messages.next() else { return };
                match message.strip_prefix(b"#").and_then(|_| right_answer(mechanism, &last_challenge)) {
                    Some(answer) => exchange.response(&answer),
                    None => exchange.response(message),
                }
            }
            Next::Ask(question) => {
                failed |= matches!(question, Question::Failed { .. });
                let is_keys = matches!(question, Question::ScramKeys { .. });
                let reply = match luck.is_bad(20) {
                    // A world that answers another question.
                    true if is_keys => {
                        Reply::Verdict(Verdict::Granted { account: "evil@example.test".to_owned() })
                    }
                    _ => log_in(question, &mut luck),
                };
                granted = !is_keys && matches!(reply, Reply::Verdict(Verdict::Granted { .. }));
                exchange.reply(reply)
            }
            Next::Done { verdict } => {
                if matches!(verdict, Verdict::Granted { .. }) {
                    assert!(granted && !failed, "granted by nobody");
                }
                break;
            }
            Next::Malformed => break,
        };
    }
    assert!(matches!(exchange.response(b"\0tim\0secret"), Next::Malformed), "over is over");
    let late = exchange.reply(Reply::Verdict(Verdict::Granted { account: "tim@example.test".to_owned() }));
    assert!(matches!(late, Next::Done { verdict: Verdict::Unavailable }), "over is over");
    assert!(last_challenge.len() <= 64 * 1024);
});
