use super::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::json;

const NOW: i64 = 1_700_000_000;

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A signer and the set with its public key.
fn signer() -> (EcdsaKeyPair, Vec<u8>) {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let set = json!({"keys": [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "P-256", "kid": "one", "x": text(&point[1..33]), "y": text(&point[33..])},
    ]});
    (pair, set.to_string().into_bytes())
}

fn token(pair: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", text(header.to_string()), text(claims.to_string()));
    let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", text(signature.as_ref()))
}

fn issuer(set: &[u8]) -> TokenIssuer {
    TokenIssuer::read(set, Some("https://id.test".into()), Some("troika".into()), "email".into()).unwrap()
}

#[test]
fn a_good_token_names_its_account_and_nothing_else_does() {
    let (pair, set) = signer();
    let issuer = issuer(&set);
    let header = json!({"alg": "ES256", "kid": "one"});
    let good =
        json!({"iss": "https://id.test", "aud": ["x", "troika"], "exp": NOW + 10, "email": "a@b.test"});
    let whole = token(&pair, &header, &good);
    assert_eq!(issuer.account_of(&whole, NOW).as_deref(), Some("a@b.test"));
    assert_eq!(issuer.account_of(&whole, NOW + 10 + LEEWAY_S), None, "it has ended");
    let without = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        issuer.account_of(&token(&pair, &header, &claims), NOW)
    };
    assert_eq!(without("nbf", json!(NOW + LEEWAY_S)).as_deref(), Some("a@b.test"));
    for verified in [json!(true), json!("true")] {
        assert_eq!(without("email_verified", verified).as_deref(), Some("a@b.test"));
    }
    for (name, value) in [
        ("iss", json!("https://evil.test")),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("exp", json!("never")),
        ("nbf", json!(NOW + 1000)),
        ("email", Value::Null),
        ("email", json!(7)),
        ("email_verified", json!(false)),
        ("email_verified", json!("false")),
        ("email_verified", Value::Null),
    ] {
        assert_eq!(without(name, value.clone()), None, "{name}: {value}");
    }
    for other in [
        json!({"alg": "none", "kid": "one"}),
        json!({"alg": "HS256", "kid": "one"}),
        json!({"alg": "ES384", "kid": "one"}),
        json!({"alg": "ES256", "kid": "two"}),
        json!({"alg": "ES256", "crit": ["exp"]}),
        json!({}),
        json!([]),
    ] {
        assert_eq!(issuer.account_of(&token(&pair, &other, &good), NOW), None, "{other}");
    }
    let (evil, _) = signer();
    assert_eq!(issuer.account_of(&token(&evil, &header, &good), NOW), None);
    let cut = whole.len();
    for wrong in ["", ".", "..", "a.b.c", &whole[..cut - 1], &whole[1..], &format!("{whole}.")] {
        assert_eq!(issuer.account_of(wrong, NOW), None, "{wrong}");
    }
}

/// RFC 8037, appendix A.4: the example's key and signature.
#[test]
fn example_of_rfc_8037() {
    let key = Key {
        id: None,
        algorithm: None,
        kind: Kind::Ed25519(URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap()),
    };
    let signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = URL_SAFE_NO_PAD
        .decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
        .unwrap();
    assert!(key.has_signed("EdDSA", signed, &signature));
    assert!(!key.has_signed("EdDSA", &signed[1..], &signature));
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    assert!(!key.has_signed("EdDSA", signed, pair.sign(signed).as_ref()));
}

#[test]
fn a_set_without_a_usable_key_is_refused() {
    let read = |set: Value| TokenIssuer::read(set.to_string().as_bytes(), None, None, "email".into());
    assert!(read(json!({})).is_err());
    assert!(read(json!({"keys": []})).is_err());
    assert!(read(json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})).is_err());
    assert!(read(json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]})).is_err());
    let (_, set) = signer();
    let mut set: Value = serde_json::from_slice(&set).unwrap();
    set["keys"][1]["use"] = json!("enc");
    assert!(read(set).is_err());
}

#[test]
fn what_the_issuer_says_of_a_token_counts() {
    let issuer = TokenIssuer::asked(Some("https://id.test".into()), Some("troika".into()), "username".into());
    let good = json!({"active": true, "aud": "troika", "username": "a@b.test"});
    let said = |answer: &Value| issuer.introspected(answer.to_string().as_bytes(), NOW);
    // RFC 7662 §2.2: all but "active" may be left out, but this server is told for whom it is.
    assert_eq!(said(&good).as_deref(), Some("a@b.test"));
    let with = |name: &str, value: Value| {
        let mut answer = good.clone();
        answer[name] = value;
        said(&answer)
    };
    for (name, value) in [("exp", json!(NOW + 1)), ("exp", Value::Null), ("iss", json!("https://id.test"))] {
        assert_eq!(with(name, value.clone()).as_deref(), Some("a@b.test"), "{name} {value}");
    }
    for (name, value) in [
        ("active", json!(false)),
        ("active", json!("true")),
        ("active", Value::Null),
        ("exp", json!(NOW - LEEWAY_S)),
        ("exp", json!("never")),
        ("nbf", json!(NOW + LEEWAY_S + 1)),
        ("iss", json!("https://evil.test")),
        ("aud", json!("other")),
        ("aud", Value::Null),
        ("username", Value::Null),
        ("username", json!(7)),
    ] {
        assert_eq!(with(name, value.clone()), None, "{name} {value}");
    }
    assert_eq!(issuer.introspected(b"<html>", NOW), None);
    // It has no keys: what is signed by anybody is no proof.
    let (pair, _) = signer();
    let claims = json!({"aud": "troika", "iss": "https://id.test", "exp": NOW + 10, "username": "a@b.test"});
    assert_eq!(issuer.account_of(&token(&pair, &json!({"alg": "ES256"}), &claims), NOW), None);
}
