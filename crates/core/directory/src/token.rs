//! Bearer tokens (OAUTHBEARER, XOAUTH2): JSON Web Tokens (RFC 7519) signed by an issuer whose public keys lie here in a
//! file (a JWK set, RFC 7517), for which nobody is asked over the network; and tokens of any kind, of which the issuer has
//! said what they are (RFC 7662).
//!
//! Invariants: only signatures by public keys count (never `none`, never a shared secret), and only with the algorithm
//! that the key is for (RFC 8725 §3.1, §3.2); a token without an end is refused; a claim that is not understood but must
//! be (`crit`) refuses the token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

/// Clocks may differ by that many seconds (RFC 7519 §4.1.4).
const LEEWAY_S: i64 = 60;

/// Whose tokens are taken.
#[derive(Clone, Debug)]
pub struct TokenIssuer {
    keys: Vec<Key>,
    /// The token's `iss` must be this. None: any.
    pub issuer: Option<String>,
    /// The token's `aud` must have this in it. None: any.
    pub audience: Option<String>,
    /// The claim that has the account's address.
    pub claim: String,
}

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

/// RFC 7517 §4, RFC 7518 §6.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl TokenIssuer {
    /// Reads a JWK set. Keys of kinds that are not known here are left out.
    ///
    /// # Errors
    /// A sentence: it is no JWK set, or no key in it can be used.
    pub fn read(
        json: &[u8],
        issuer: Option<String>,
        audience: Option<String>,
        claim: String,
    ) -> Result<TokenIssuer, String> {
        let set: KeySet =
            serde_json::from_slice(json).map_err(|error| format!("this is no JWK set: {error}"))?;
        let keys: Vec<Key> = set.keys.iter().filter_map(Key::of).collect();
        if keys.is_empty() {
            return Err("there is no RSA, P-256, P-384 or Ed25519 key for signatures in it".into());
        }
        Ok(TokenIssuer { keys, issuer, audience, claim })
    }

    /// An issuer of which no keys are known: it has to be asked about each token.
    pub fn asked(issuer: Option<String>, audience: Option<String>, claim: String) -> TokenIssuer {
        TokenIssuer { keys: Vec::new(), issuer, audience, claim }
    }

    /// Whose token it is, by what the issuer says of it (RFC 7662 §2.2), if it is a good one at `now`.
    pub fn introspected(&self, answer: &[u8], now: i64) -> Option<String> {
        let claims: Value = serde_json::from_slice(answer).ok()?;
        if claims.get("active") != Some(&Value::Bool(true)) {
            return None;
        }
        self.claimed(&claims, now, Source::Introspection)
    }

    /// Whose token it is, if it is a good one at `now` (seconds since 1970).
    pub(crate) fn account_of(&self, token: &str, now: i64) -> Option<String> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = json(header)?;
        // RFC 7515 §4.1.11
        if header.get("crit").is_some() {
            return None;
        }
        let algorithm = header.get("alg")?.as_str()?;
        let id = header.get("kid").and_then(Value::as_str);
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let fits = |key: &&Key| id.is_none() || key.id.is_none() || key.id.as_deref() == id;
        let mut keys = self.keys.iter().filter(fits);
        if !keys.any(|key| key.has_signed(algorithm, signed.as_bytes(), &signature)) {
            return None;
        }
        self.claimed(&json(claims)?, now, Source::Signature)
    }

    fn claimed(&self, claims: &Value, now: i64, source: Source) -> Option<String> {
        let given = |name: &str| claims.get(name).filter(|value| !value.is_null());
        let time = |name: &str| given(name).map(|value| value.as_f64().map(|seconds| seconds as i64));
        let ends = match (time("exp"), source) {
            (Some(ends), _) => ends?,
            // A signed token that never ends can't be taken back.
            (None, Source::Signature) => return None,
            (None, Source::Introspection) => i64::MAX,
        };
        let begins = time("nbf").unwrap_or(Some(i64::MIN))?;
        if now >= ends.saturating_add(LEEWAY_S) || now < begins.saturating_sub(LEEWAY_S) {
            return None;
        }
        // RFC 7662 §2.2: who answers may leave its own name out.
        let is_left_out = source == Source::Introspection && claims.get("iss").is_none();
        if let Some(issuer) = &self.issuer
            && !is_left_out
            && claims.get("iss").and_then(Value::as_str) != Some(issuer)
        {
            return None;
        }
        if let Some(audience) = &self.audience {
            let named = match claims.get("aud")? {
                Value::String(one) => one == audience,
                Value::Array(some) => some.iter().any(|one| one.as_str() == Some(audience)),
                _ => false,
            };
            if !named {
                return None;
            }
        }
        // OpenID Connect Core §5.1: an address that nobody has verified is worth nothing.
        // Quirk (AWS Cognito, Apple): they say so in a string.
        let is_verified = match claims.get("email_verified") {
            None | Some(Value::Bool(true)) => true,
            Some(said) => said == "true",
        };
        if self.claim == "email" && !is_verified {
            return None;
        }
        claims.get(&self.claim)?.as_str().map(str::to_owned)
    }
}

/// Who vouches for claims.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The issuer's signature.
    Signature,
    /// The issuer's answer to a question.
    Introspection,
}

fn json(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Key> {
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        // SEC 1 §2.3.3: an uncompressed point.
        let point = |size: usize| {
            let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
            (x.len() == size && y.len() == size).then(|| [&[4], &x[..], &y[..]].concat())
        };
        let kind = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Kind::Rsa { n: bytes(&jwk.n)?, e: bytes(&jwk.e)? },
            ("EC", Some("P-256")) => Kind::P256(point(32)?),
            ("EC", Some("P-384")) => Kind::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Kind::Ed25519(bytes(&jwk.x)?),
            _ => return None,
        };
        Some(Key { id: jwk.kid.clone(), algorithm: jwk.alg.clone(), kind })
    }

    fn has_signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        if self.algorithm.as_deref().is_some_and(|own| own != algorithm) {
            return false;
        }
        let verify = |with: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(with, key).verify(message, signature).is_ok()
        };
        match (&self.kind, algorithm) {
            (Kind::Rsa { n, e }, _) => {
                let with = match algorithm {
                    "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
                    "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
                    "PS512" => &signature::RSA_PSS_2048_8192_SHA512,
                    _ => return false,
                };
                RsaPublicKeyComponents { n, e }.verify(with, message, signature).is_ok()
            }
            (Kind::P256(key), "ES256") => verify(&signature::ECDSA_P256_SHA256_FIXED, key),
            (Kind::P384(key), "ES384") => verify(&signature::ECDSA_P384_SHA384_FIXED, key),
            (Kind::Ed25519(key), "EdDSA" | "Ed25519") => verify(&signature::ED25519, key),
            _ => false,
        }
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
