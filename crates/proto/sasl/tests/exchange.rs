//! Whole log-ins through the public interface.

use proptest::prelude::*;
use sasl::{Exchange, MESSAGE_BYTES_MAX, Mechanism, Next, Question, Reply, Setup, Verdict};

fn setup(exchange: u32) -> Setup<'static> {
    Setup {
        entropy: &[7; 32],
        exchange,
        hostname: "mail.example.test",
        now: 1_700_000_000,
        tls: None,
        offers_binding: false,
    }
}

fn granted() -> Reply {
    Reply::Verdict(Verdict::Granted { account: "tim@example.test".into() })
}

#[test]
fn plain_with_and_without_an_initial_response() {
    let (_, next) = Exchange::start(Mechanism::Plain, &setup(0), Some(b"\0tim\0secret"));
    assert!(matches!(next, Next::Ask(Question::Password { user, .. }) if user == "tim"));
    let (mut exchange, next) = Exchange::start(Mechanism::Plain, &setup(0), None);
    assert!(matches!(next, Next::Challenge(empty) if empty.is_empty()));
    assert!(matches!(exchange.response(b"\0tim\0secret"), Next::Ask(_)));
    assert!(matches!(exchange.reply(granted()), Next::Done { verdict: Verdict::Granted { .. } }));
    assert!(
        matches!(exchange.reply(granted()), Next::Done { verdict: Verdict::Unavailable }),
        "over is over"
    );
    let (_, next) = Exchange::start(Mechanism::Plain, &setup(0), Some(b""));
    assert!(matches!(next, Next::Malformed));
}

#[test]
fn login_asks_twice() {
    for initial in [None, Some(&b""[..])] {
        let (mut exchange, next) = Exchange::start(Mechanism::Login, &setup(0), initial);
        assert!(matches!(next, Next::Challenge(prompt) if prompt == b"Username:"));
        assert!(matches!(exchange.response(b"tim"), Next::Challenge(prompt) if prompt == b"Password:"));
        assert!(
            matches!(exchange.response(b"secret"), Next::Ask(Question::Password { user, .. }) if user == "tim")
        );
    }
    let (mut exchange, next) = Exchange::start(Mechanism::Login, &setup(0), Some(b"tim"));
    assert!(matches!(next, Next::Challenge(prompt) if prompt == b"Password:"));
    assert!(matches!(exchange.response(b"a\0b"), Next::Malformed));
}

#[test]
fn challenges_never_repeat() {
    let challenge = |number| match Exchange::start(Mechanism::CramMd5, &setup(number), None) {
        (_, Next::Challenge(challenge)) => String::from_utf8(challenge).unwrap(),
        other => panic!("{other:?}"),
    };
    let first = challenge(0);
    assert!(first.starts_with('<') && first.ends_with(".1700000000@mail.example.test>"), "{first}");
    assert_ne!(first, challenge(1));
    let (_, next) =
        Exchange::start(Mechanism::CramMd5, &setup(0), Some(b"tim b913a602c7eda7a495b4e6e7334d3890"));
    assert!(matches!(next, Next::Malformed), "CRAM-MD5 is server-first");
}

#[test]
fn endless_messages_are_refused() {
    let long = [b"\0tim\0".as_slice(), &vec![b'x'; MESSAGE_BYTES_MAX]].concat();
    for mechanism in Mechanism::EVERY {
        let (mut exchange, _) = Exchange::start(mechanism, &setup(0), None);
        assert!(matches!(exchange.response(&long), Next::Malformed), "{mechanism}");
        assert!(matches!(exchange.response(b"\0tim\0secret"), Next::Malformed), "{mechanism}: over is over");
    }
}

/// Messages that get somewhere, and some that do not.
fn message() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "n,,n=tim,r=abc",
            "y,a=x,n=tim,r=abc",
            "\0tim\0secret",
            "tim",
            "tim b913a602c7eda7a495b4e6e7334d3890",
            "",
            "c=biws,r=abc,p=AAAA",
            "p=tls-exporter,,n=tim,r=abc",
            "n,a=tim,\u{1}auth=Bearer abc\u{1}\u{1}",
            "user=tim\u{1}auth=Bearer abc\u{1}\u{1}",
        ])
        .prop_map(str::to_owned),
        "[nypa=,r\0 c\\PC]{0,40}",
    ]
}

fn is_granted(next: &Next) -> bool {
    matches!(next, Next::Done { verdict: Verdict::Granted { .. } })
}

proptest! {
    /// No bytes make a mechanism panic; a grant comes out only where the world has granted a password, a digest or a proof.
    #[test]
    fn arbitrary_messages(number in 0..Mechanism::EVERY.len(), messages in prop::collection::vec(message(), 1..5)) {
        let (mut exchange, _) = Exchange::start(Mechanism::EVERY[number], &setup(0), None);
        for message in messages {
            let mut next = exchange.response(message.as_bytes());
            prop_assert!(!is_granted(&next), "nobody was asked");
            while let Next::Ask(question) = next {
                let (reply, may_grant) = match question {
                    Question::ScramKeys { hash, .. } => {
                        let candidates = vec![sasl::scram_keys("secret", b"salt", 1, hash)];
                        (Reply::ScramKeys(sasl::ScramKeys { salt: b"salt".to_vec(), iterations: 1, candidates }), false)
                    }
                    // Even if the world is out of order.
                    Question::Failed { .. } => (granted(), false),
                    Question::Password { .. }
                    | Question::Digest { .. }
                    | Question::Token { .. }
                    | Question::Certificate { .. }
                    | Question::Anonymous { .. } => (granted(), true),
                    Question::ScramProved { .. } => panic!("no such proof was made"),
                };
                next = exchange.reply(reply);
                prop_assert!(may_grant || !is_granted(&next));
            }
        }
    }
}
