use super::*;
use crate::{ScramKey, scram_keys};

struct Example {
    hash: ScramHash,
    server_nonce: &'static str,
    salt: &'static str,
    client_first: &'static str,
    server_first: &'static str,
    client_final: &'static str,
    server_final: &'static str,
}

const RFC_5802: Example = Example {
    hash: ScramHash::Sha1,
    server_nonce: "3rfcNHYJY1ZVvWVs7j",
    salt: "QSXCR+Q6sek8bf92",
    client_first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    server_first: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    client_final: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    server_final: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
};

const RFC_7677: Example = Example {
    hash: ScramHash::Sha256,
    server_nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
    client_first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                   p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    server_final: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
};

const PLAIN: Binding = Binding::Without { offered: false };

fn keys(example: &Example, passwords: &[&str]) -> ScramKeys {
    let salt = decode_base64(example.salt.as_bytes()).unwrap();
    let candidates = passwords.iter().map(|word| scram_keys(word, &salt, 4096, example.hash)).collect();
    ScramKeys { salt, iterations: 4096, candidates }
}

/// Up to the server's first message.
fn begun(example: &Example, keys: ScramKeys) -> Scram {
    let mut scram =
        Scram::new(example.hash, example.server_nonce.to_owned(), Binding::Without { offered: false });
    let asked = scram.response(example.client_first.as_bytes());
    assert!(
        matches!(asked, Next::Ask(Question::ScramKeys { user, hash }) if user == "user" && hash == example.hash)
    );
    let Next::Challenge(server_first) = scram.reply(Reply::ScramKeys(keys)) else { panic!("no challenge") };
    assert_eq!(String::from_utf8(server_first).unwrap(), example.server_first);
    scram
}

fn granted() -> Reply {
    Reply::Verdict(Verdict::Granted { account: "user@example.test".into() })
}

#[test]
fn examples_of_rfc_5802_and_rfc_7677() {
    for example in [RFC_5802, RFC_7677] {
        let mut scram = begun(&example, keys(&example, &["pencil"]));
        let asked = scram.response(example.client_final.as_bytes());
        assert!(matches!(asked, Next::Ask(Question::ScramProved { candidate: 0, .. })), "{asked:?}");
        let Next::Challenge(server_final) = scram.reply(granted()) else { panic!("no v=") };
        assert_eq!(String::from_utf8(server_final).unwrap(), example.server_final);
        let done = scram.response(b"");
        assert!(matches!(done, Next::Done { verdict: Verdict::Granted { .. } }), "{done:?}");
    }
}

#[test]
fn any_credential_may_fit_and_is_named() {
    let mut scram = begun(&RFC_7677, keys(&RFC_7677, &["pen", "pencil", "crayon"]));
    let asked = scram.response(RFC_7677.client_final.as_bytes());
    assert!(matches!(asked, Next::Ask(Question::ScramProved { candidate: 1, .. })), "{asked:?}");
}

#[test]
fn a_denied_proof_gets_no_server_signature() {
    let mut scram = begun(&RFC_7677, keys(&RFC_7677, &["pencil"]));
    scram.response(RFC_7677.client_final.as_bytes());
    let done = scram.reply(Reply::Verdict(Verdict::Forbidden));
    assert!(matches!(done, Next::Done { verdict: Verdict::Forbidden }), "{done:?}");
}

#[test]
fn wrong_and_invented_keys_fail_at_the_end_and_never_grant() {
    let invented = ScramKey { stored_key: vec![7; 32], server_key: vec![8; 32] };
    let salt = decode_base64(RFC_7677.salt.as_bytes()).unwrap();
    for candidates in [vec![invented], Vec::new()] {
        let mut scram = begun(&RFC_7677, ScramKeys { salt: salt.clone(), iterations: 4096, candidates });
        let asked = scram.response(RFC_7677.client_final.as_bytes());
        assert!(matches!(asked, Next::Ask(Question::Failed { user }) if user == "user"));
        let done = scram.reply(granted());
        assert!(matches!(done, Next::Done { verdict: Verdict::Denied }), "{done:?}");
    }
    let mut scram = begun(&RFC_7677, keys(&RFC_7677, &["Pencil"]));
    assert!(matches!(scram.response(RFC_7677.client_final.as_bytes()), Next::Ask(Question::Failed { .. })));
}

#[test]
fn nonce_binding_and_proof_must_be_whole() {
    let good = RFC_7677.client_final;
    let rows = [
        good.replace("hNlF$k0", "hNlF$k1"),
        good.replace("hNlF$k0", ""),
        good.replace("c=biws", "c=eSws"), // "y,,": the client's flag was changed on the way
        good.replace("c=biws", "c="),
        good.replace("p=dHzb", "p=dHzc"),
        good.replace("p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "p=dHzb"),
        good.replace(",p=", ",x=y,p="), // an optional extension is passed over, yet part of what is signed
    ];
    for row in rows {
        let mut scram = begun(&RFC_7677, keys(&RFC_7677, &["pencil"]));
        let next = scram.response(row.as_bytes());
        assert!(matches!(next, Next::Ask(Question::Failed { .. })), "{row}: {next:?}");
    }
    for row in [
        "",
        "c=biws",
        "c=biws,r=x",
        "c=bi!s,r=x,p=AAAA",
        "r=x,c=biws,p=AAAA",
        "c=biws,r=x,m=1,p=AAAA",
        "c=biws,r=x,p=!",
    ] {
        let mut scram = begun(&RFC_7677, keys(&RFC_7677, &["pencil"]));
        assert!(matches!(scram.response(row.as_bytes()), Next::Malformed), "{row}");
    }
}

#[test]
fn first_messages() {
    let first = parse_first("y,a=adm=2Cin=3D,n=us=3Der=2C,r=abc,x=1", &PLAIN).unwrap();
    assert_eq!(first.binding, b"y,a=adm=2Cin=3D,");
    assert_eq!(first.bare, "n=us=3Der=2C,r=abc,x=1");
    assert_eq!((first.authorize_as.as_str(), first.user.as_str()), ("adm,in=", "us=er,"));
    assert_eq!(parse_first("n,,n=\u{2168},r=abc", &PLAIN).unwrap().user, "IX");
    for wrong in [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=user",
        "n,,n=user,r=",
        "n,,n=,r=abc",
        "n,,r=abc,n=user",
        "n,,m=1,n=user,r=abc",
        "n,,n=user,r=abc,m=1",
        "n,,n=user,r=abc,",
        "n,,n=user,r=a c",
        "n,,n=us=2cer,r=abc",
        "n,,n=us=,r=abc",
        "n,,n=u\0r,r=abc",
        "n,,n=\u{7}\u{e9},r=abc",
        "n,b=x,n=user,r=abc",
        "n,a=,n=user,r=abc",
        "p=tls-exporter,,n=user,r=abc",
        "N,,n=user,r=abc",
    ] {
        assert!(parse_first(wrong, &PLAIN).is_none(), "{wrong:?}");
    }
}

#[test]
fn out_of_order_is_never_granted() {
    let mut scram = Scram::new(ScramHash::Sha256, "n".into(), Binding::Without { offered: false });
    assert!(matches!(scram.reply(granted()), Next::Done { verdict: Verdict::Unavailable }));
    let mut scram = Scram::new(ScramHash::Sha256, "n".into(), Binding::Without { offered: false });
    scram.response(b"n,,n=user,r=abc");
    assert!(matches!(scram.reply(granted()), Next::Done { verdict: Verdict::Unavailable }));
    let mut scram = begun(&RFC_7677, keys(&RFC_7677, &["pencil"]));
    scram.response(RFC_7677.client_final.as_bytes());
    scram.reply(granted());
    assert!(matches!(scram.response(b"x"), Next::Malformed), "v= is answered by an empty message");
}

/// What an honest client with the password `pencil` says last.
fn client_final(client_first: &str, data: &[u8], server_first: &str) -> String {
    let header_end = client_first.match_indices(',').nth(1).unwrap().0 + 1;
    let (header, bare) = client_first.split_at(header_end);
    let mut bound = Vec::new();
    encode_base64(&[header.as_bytes(), data].concat(), &mut bound);
    let nonce = server_first.split(',').next().unwrap();
    let without_proof = format!("c={},{nonce}", String::from_utf8(bound).unwrap());
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(b"pencil", b"salt", 4, &mut salted);
    let client_key = keyed(ScramHash::Sha256, &salted, &[b"Client Key"]);
    let stored_key = hashed(ScramHash::Sha256, &client_key);
    let signed = format!("{bare},{server_first},{without_proof}");
    let signature = keyed(ScramHash::Sha256, &stored_key, &[signed.as_bytes()]);
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
    let mut text = format!("{without_proof},p=").into_bytes();
    encode_base64(&proof, &mut text);
    String::from_utf8(text).unwrap()
}

/// How a log-in ends whose client sees this binding data.
fn bound(binding: Binding, client_first: &str, data: &[u8]) -> &'static str {
    let mut scram = Scram::new(ScramHash::Sha256, "nonce".into(), binding);
    let Next::Ask(Question::ScramKeys { .. }) = scram.response(client_first.as_bytes()) else {
        return "malformed";
    };
    let candidates = vec![scram_keys("pencil", b"salt", 4, ScramHash::Sha256)];
    let keys = ScramKeys { salt: b"salt".to_vec(), iterations: 4, candidates };
    let Next::Challenge(server_first) = scram.reply(Reply::ScramKeys(keys)) else { panic!("no challenge") };
    let last = client_final(client_first, data, &String::from_utf8(server_first).unwrap());
    match scram.response(last.as_bytes()) {
        Next::Ask(Question::ScramProved { .. }) => "proved",
        Next::Ask(Question::Failed { .. }) => "failed",
        other => panic!("{other:?}"),
    }
}

/// RFC 5802 §6: the table of what the client says against what the server offers.
#[test]
fn a_log_in_is_bound_to_its_connection() {
    let plus =
        || Binding::With { exporter: Some(b"here".to_vec()), end_point: Some(b"certificate".to_vec()) };
    let first = |flag: &str| format!("{flag},,n=user,r=abc");
    assert_eq!(bound(plus(), &first("p=tls-exporter"), b"here"), "proved");
    assert_eq!(bound(plus(), &first("p=tls-server-end-point"), b"certificate"), "proved");
    // Somebody in the middle has another connection to each side.
    assert_eq!(bound(plus(), &first("p=tls-exporter"), b"there"), "failed");
    assert_eq!(bound(plus(), &first("p=tls-exporter"), b""), "failed");
    assert_eq!(bound(plus(), &first("p=tls-server-end-point"), b"here"), "failed");
    for wrong in ["n", "y", "p=tls-unique", "p=", "p"] {
        assert_eq!(bound(plus(), &first(wrong), b""), "malformed", "{wrong}");
    }
    let none = || Binding::With { exporter: None, end_point: None };
    assert_eq!(bound(none(), &first("p=tls-exporter"), b""), "malformed");
    let without = |offered| Binding::Without { offered };
    assert_eq!(bound(without(true), &first("n"), b""), "proved", "a client that knows no binding");
    assert_eq!(bound(without(false), &first("y"), b""), "proved");
    assert_eq!(bound(without(true), &first("y"), b""), "failed", "it was kept from seeing our list");
    assert_eq!(bound(without(true), &first("p=tls-exporter"), b"here"), "malformed");
}
