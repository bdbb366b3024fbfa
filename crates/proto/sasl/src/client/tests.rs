//! The client against the RFCs' examples, and against this crate's own server.

use super::*;
use crate::{Next, Question, Reply, ScramKeys, Verdict, scram_keys};

fn password(user: &str, password: &str) -> Credentials {
    let secret = Secret::Password(password.to_owned().into());
    Credentials { user: user.to_owned(), authorize_as: String::new(), secret }
}

fn setup<'a>(tls: Option<&'a TlsInfo>, peer_offers_binding: bool) -> Setup<'a> {
    Setup { entropy: &[9; 32], tls, peer_offers_binding, host: ("mx.example.test", 587) }
}

fn tls() -> TlsInfo {
    TlsInfo { exporter: Some(vec![1; 32]), end_point: Some(vec![2; 32]), ..TlsInfo::default() }
}

fn scram_example(hash: ScramHash, nonce: &str, first: &str, last: &str, final_message: &str) {
    let (scram, _) = Scram::start(hash, false, &password("user", "pencil"), &setup(None, false)).unwrap();
    let mut scram = scram.with_nonce(nonce);
    assert_eq!(scram.challenge(first.as_bytes(), "pencil").unwrap(), last.as_bytes());
    assert!(!scram.peer_is_proven());
    assert_eq!(scram.challenge(final_message.as_bytes(), "pencil").unwrap(), b"");
    assert!(scram.peer_is_proven());
}

#[test]
fn scram_examples() {
    // RFC 5802 §5
    scram_example(
        ScramHash::Sha1,
        "fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    );
    // RFC 7677 §3
    scram_example(
        ScramHash::Sha256,
        "rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    );
}

#[test]
fn hostile_scram_servers() {
    let start = || {
        let credentials = password("user", "pencil");
        let (exchange, first) =
            Exchange::start(Mechanism::ScramSha256, &credentials, &setup(None, false)).unwrap();
        let first = String::from_utf8(first.unwrap()).unwrap();
        let nonce = first.rsplit_once("r=").unwrap().1.to_owned();
        (exchange, nonce)
    };
    let nonce = start().1;
    let rows = [
        (format!("r={nonce},s=QSXC,i=4096"), Trouble::PeerUnproven),
        ("r=other,s=QSXC,i=4096".to_owned(), Trouble::PeerUnproven),
        (format!("r={nonce}x,s=QSXC,i=4000000000"), Trouble::TooExpensive),
        (format!("r={nonce}x,s=QSXC,i=99999999999"), Trouble::Malformed),
        (format!("r={nonce}x,s=QSXC,i=0"), Trouble::Malformed),
        (format!("r={nonce}x,s=,i=1"), Trouble::Malformed),
        (format!("r={nonce}x,s=?,i=1"), Trouble::Malformed),
        (format!("m=x,r={nonce}x,s=QSXC,i=1"), Trouble::Malformed),
        (String::new(), Trouble::Malformed),
    ];
    for (message, trouble) in rows {
        assert_eq!(start().0.challenge(message.as_bytes()), Err(trouble), "{message}");
    }
    // A grant before, or without, the peer's own proof.
    assert_eq!(start().0.finish(), Err(Trouble::PeerUnproven));
    let answered = || {
        let (mut exchange, nonce) = start();
        exchange.challenge(format!("r={nonce}x,s=QSXC,i=1").as_bytes()).unwrap();
        exchange
    };
    assert_eq!(answered().finish(), Err(Trouble::PeerUnproven));
    assert_eq!(answered().challenge(b"v=AAAA"), Err(Trouble::PeerUnproven));
    assert_eq!(answered().challenge(b"e=other-error"), Err(Trouble::Refused("other-error".into())));
    assert_eq!(answered().challenge(b"\xff"), Err(Trouble::Malformed));
}

#[test]
fn the_simple_mechanisms() {
    let tim = Credentials { authorize_as: "Ursel".into(), ..password("Kurt", "xipj3plmq") };
    let (mut plain, initial) = Exchange::start(Mechanism::Plain, &tim, &setup(None, false)).unwrap();
    assert_eq!(initial.as_deref(), Some(&b"Ursel\0Kurt\0xipj3plmq"[..]), "RFC 4616 §4");
    assert_eq!(plain.challenge(b""), Err(Trouble::Malformed));

    let (mut login, initial) = Exchange::start(Mechanism::Login, &tim, &setup(None, false)).unwrap();
    assert_eq!(initial, None);
    assert_eq!(login.challenge(b"User Name\0").as_deref(), Ok(&b"Kurt"[..]));
    assert_eq!(login.challenge(b"").as_deref(), Ok(&b"xipj3plmq"[..]));
    assert_eq!(login.challenge(b"again"), Err(Trouble::Malformed));

    let tim = password("tim", "tanstaaftanstaaf");
    let (mut cram, _) = Exchange::start(Mechanism::CramMd5, &tim, &setup(None, false)).unwrap();
    let answer = cram.challenge(b"<1896.697170952@postoffice.reston.mci.net>").unwrap();
    assert_eq!(answer, b"tim b913a602c7eda7a495b4e6e7334d3890", "RFC 2195 §2");

    let token = Secret::Token("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==".to_owned().into());
    let token = Credentials { user: "user@example.com".into(), authorize_as: String::new(), secret: token };
    let near = Setup { host: ("server.example.com", 143), ..setup(None, false) };
    let (mut bearer, initial) = Exchange::start(Mechanism::OAuthBearer, &token, &near).unwrap();
    let wanted = "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01\
                  auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01";
    assert_eq!(initial.as_deref(), Some(wanted.as_bytes()), "RFC 7628 §4.1");
    assert_eq!(bearer.challenge(b"{\"status\":\"invalid_token\"}").as_deref(), Ok(&b"\x01"[..]));
    assert!(Exchange::start(Mechanism::Plain, &token, &near).is_err());
    let bad = Credentials { secret: Secret::Token("a\x01b".to_owned().into()), ..token };
    assert!(Exchange::start(Mechanism::XOAuth2, &bad, &near).is_err());
    assert!(Exchange::start(Mechanism::Plain, &password("t\0m", "x"), &near).is_err());
}

#[test]
fn choices() {
    let secret = Secret::Password("x".to_owned().into());
    let token = Secret::Token("x".to_owned().into());
    let tls = tls();
    let every = Mechanism::EVERY;
    assert_eq!(choose(&every, &secret, Some(&tls), false), Some(Mechanism::ScramSha256Plus));
    assert_eq!(choose(&every, &secret, None, false), Some(Mechanism::ScramSha256));
    assert_eq!(choose(&every, &token, Some(&tls), false), Some(Mechanism::OAuthBearer));
    assert_eq!(choose(&every, &token, None, false), None, "a token is a password");
    let clear = [Mechanism::Login, Mechanism::Plain, Mechanism::External];
    assert_eq!(choose(&clear, &secret, None, false), None);
    assert_eq!(choose(&clear, &secret, None, true), Some(Mechanism::Plain));
}

/// A whole log-in against this crate's server.
fn log_in(mechanism: Mechanism, credentials: &Credentials, tls: Option<&TlsInfo>) -> bool {
    let server = crate::Setup {
        entropy: &[7; 32],
        exchange: 0,
        hostname: "mx.example.test",
        now: 0,
        tls,
        offers_binding: tls.is_some(),
    };
    let setup = setup(tls, tls.is_some());
    let (mut exchange, initial) = Exchange::start(mechanism, credentials, &setup).unwrap();
    let (mut peer, mut next) = crate::Exchange::start(mechanism, &server, initial.as_deref());
    loop {
        let granted = Verdict::Granted { account: "tim".into() };
        let verdict = |fine| Reply::Verdict(if fine { granted.clone() } else { Verdict::Denied });
        next = match next {
            Next::Challenge(message) => match exchange.challenge(&message) {
                Ok(answer) => peer.response(&answer),
                Err(_) => return false,
            },
            Next::Ask(question) => peer.reply(match question {
                Question::Password { user, password, .. } => {
                    verdict(user == "t,i=m" && password.expose_secret() == "secret")
                }
                Question::ScramKeys { hash, .. } => {
                    let candidates = vec![scram_keys("secret", b"salt", 2, hash)];
                    Reply::ScramKeys(ScramKeys { salt: b"salt".to_vec(), iterations: 2, candidates })
                }
                Question::ScramProved { user, .. } => verdict(user == "t,i=m"),
                Question::Token { user, token } => {
                    verdict(user == "t,i=m" && token.expose_secret() == "token")
                }
                Question::Digest { kind, challenge, response, .. } => {
                    verdict(crate::digest_matches(kind, &challenge, b"secret", &response))
                }
                _ => verdict(false),
            }),
            Next::Done { verdict } => return verdict == granted && exchange.finish().is_ok(),
            Next::Malformed => return false,
        };
    }
}

#[test]
fn against_our_own_server() {
    let tls = tls();
    let old = TlsInfo { exporter: None, ..tls.clone() };
    for tls in [None, Some(&tls), Some(&old)] {
        for mechanism in PREFERRED.into_iter().filter(|mechanism| mechanism.is_usable(tls, true)) {
            let is_token = matches!(mechanism, Mechanism::OAuthBearer | Mechanism::XOAuth2);
            let with = |secret: &str| match is_token {
                true => Credentials {
                    user: "t,i=m".into(),
                    authorize_as: String::new(),
                    secret: Secret::Token(secret.to_owned().into()),
                },
                false => password("t,i=m", secret),
            };
            assert!(log_in(mechanism, &with(if is_token { "token" } else { "secret" }), tls), "{mechanism}");
            assert!(!log_in(mechanism, &with("wrong"), tls), "{mechanism}");
        }
    }
}
