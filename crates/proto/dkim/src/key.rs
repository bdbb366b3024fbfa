//! Keys: the record in DNS that verifies, and the private key that signs.
//!
//! RFC 6376 §3.6.1 (records), RFC 8301 §3.2 (sizes), RFC 8463 §4 (Ed25519).

use crate::der;
use crate::tags::Tags;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{self, Ed25519KeyPair, KeyPair as _, RsaKeyPair, UnparsedPublicKey};
use std::fmt;
use zeroize::Zeroizing;

/// The two kinds of keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
    /// `rsa-sha256`
    Rsa,
    /// `ed25519-sha256`
    Ed25519,
}

impl KeyKind {
    /// As it stands in k=.
    pub fn name(self) -> &'static str {
        match self {
            KeyKind::Rsa => "rsa",
            KeyKind::Ed25519 => "ed25519",
        }
    }

    /// As it stands in a=.
    pub fn algorithm(self) -> &'static str {
        match self {
            KeyKind::Rsa => "rsa-sha256",
            KeyKind::Ed25519 => "ed25519-sha256",
        }
    }

    pub(crate) fn of_algorithm(name: &str) -> Option<KeyKind> {
        [KeyKind::Rsa, KeyKind::Ed25519].into_iter().find(|kind| kind.algorithm() == name)
    }
}

/// Why a key can't be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyFault {
    /// No list of tags, no p=, or no base64 in it.
    #[error("the key record can't be read")]
    Syntax,
    /// v= is something else than DKIM1.
    #[error("the key record is of another version")]
    Version,
    /// p= is empty.
    #[error("the key was revoked")]
    Revoked,
    /// k= is none that we know, or p= does not hold such a key.
    #[error("the key is of another kind")]
    Kind,
    /// h= does not allow SHA-256.
    #[error("the key is not for SHA-256")]
    Hash,
    /// s= does not allow mail.
    #[error("the key is not for mail")]
    Service,
    /// RSA with less than 1024 bits (RFC 8301 §3.2), or with more than 8192.
    #[error("the key has too few or too many bits")]
    Size,
    /// A private key that is damaged, or an RSA key below 2048 bits, which is not signed with.
    #[error(
        "the private key can't be used: an RSA key of 2048 to 4096 bits or an Ed25519 key in PKCS#8 is wanted"
    )]
    Private,
}

/// A public key from DNS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKey {
    kind: KeyKind,
    /// RSAPublicKey in DER, or the 32 octets.
    octets: Vec<u8>,
    bits: usize,
    testing: bool,
    same_domain: bool,
}

impl PublicKey {
    /// Reads a key record: the strings of one TXT record, joined.
    ///
    /// # Errors
    /// What makes it no key for us.
    pub fn read(record: &[u8]) -> Result<PublicKey, KeyFault> {
        PublicKey::read_for(record, crate::verify::MAIL)
    }

    /// As [`PublicKey::read`], for one of these services (s=).
    pub(crate) fn read_for(record: &[u8], services: &[&str]) -> Result<PublicKey, KeyFault> {
        let tags = Tags::read(record).ok_or(KeyFault::Syntax)?;
        // §3.6.1: v= stands first if at all.
        match tags.get("v") {
            Some("DKIM1") if tags.first() == "v" => {}
            None => {}
            Some(_) => return Err(KeyFault::Version),
        }
        let lists = |tag: &str, wanted: &[&str]| {
            tags.packed(tag).is_none_or(|list| list.split(':').any(|word| wanted.contains(&word)))
        };
        if !lists("h", &["sha256"]) {
            return Err(KeyFault::Hash);
        }
        if !lists("s", services) {
            return Err(KeyFault::Service);
        }
        let packed = tags.packed("p").ok_or(KeyFault::Syntax)?;
        if packed.is_empty() {
            return Err(KeyFault::Revoked);
        }
        let octets = BASE64_STANDARD.decode(packed).map_err(|_| KeyFault::Syntax)?;
        let kind = match tags.get("k").unwrap_or("rsa") {
            "rsa" => KeyKind::Rsa,
            "ed25519" => KeyKind::Ed25519,
            _ => return Err(KeyFault::Kind),
        };
        let (octets, bits) = match kind {
            KeyKind::Rsa => rsa_key(&octets)?,
            KeyKind::Ed25519 if octets.len() == 32 => (octets, 256),
            KeyKind::Ed25519 => return Err(KeyFault::Kind),
        };
        let flag =
            |wanted: &str| tags.packed("t").is_some_and(|list| list.split(':').any(|flag| flag == wanted));
        Ok(PublicKey { kind, octets, bits, testing: flag("y"), same_domain: flag("s") })
    }

    /// Its kind.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Bits of the modulus, or 256.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// t=y: the domain tries DKIM out, and its signatures should not count (§3.6.1).
    pub fn is_testing(&self) -> bool {
        self.testing
    }

    /// t=s: i= may not name a subdomain.
    pub(crate) fn wants_same_domain(&self) -> bool {
        self.same_domain
    }

    /// Whether `signature` is right for `octets`.
    pub(crate) fn verifies(&self, octets: &[u8], signature: &[u8]) -> bool {
        match self.kind {
            KeyKind::Rsa => UnparsedPublicKey::new(
                &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                &self.octets,
            )
            .verify(octets, signature)
            .is_ok(),
            // RFC 8463 §3: the hash is what is signed.
            KeyKind::Ed25519 => {
                let hash = ring::digest::digest(&ring::digest::SHA256, octets);
                UnparsedPublicKey::new(&signature::ED25519, &self.octets)
                    .verify(hash.as_ref(), signature)
                    .is_ok()
            }
        }
    }
}

/// The RSAPublicKey in a SubjectPublicKeyInfo, which is what everybody publishes, or as it stands, which is what RFC 6376
/// §3.6.1 asks for; and the bits of its modulus.
fn rsa_key(octets: &[u8]) -> Result<(Vec<u8>, usize), KeyFault> {
    let (outer, rest) = der::take(der::SEQUENCE, octets).ok_or(KeyFault::Kind)?;
    if !rest.is_empty() {
        return Err(KeyFault::Kind);
    }
    let key = match outer.strip_prefix(&der::RSA_ALGORITHM) {
        Some(bits) => match der::take(der::BIT_STRING, bits) {
            Some(([0, key @ ..], [])) => key,
            _ => return Err(KeyFault::Kind),
        },
        None => octets,
    };
    let numbers = der::take(der::SEQUENCE, key).ok_or(KeyFault::Kind)?.0;
    let modulus = der::take(der::INTEGER, numbers).ok_or(KeyFault::Kind)?.0;
    let significant = modulus.iter().position(|octet| *octet != 0).map_or(&[][..], |at| &modulus[at..]);
    let bits = significant.len() * 8 - significant.first().map_or(0, |octet| octet.leading_zeros() as usize);
    if !(1024..=8192).contains(&bits) {
        return Err(KeyFault::Size);
    }
    Ok((key.to_vec(), bits))
}

/// A private key.
pub struct SigningKey(Pair);

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kind().name())
    }
}

impl SigningKey {
    /// From PKCS#8 in DER.
    ///
    /// # Errors
    /// [`KeyFault::Private`].
    pub fn from_pkcs8(der: &[u8]) -> Result<SigningKey, KeyFault> {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der) {
            return Ok(SigningKey(Pair::Rsa(Box::new(pair))));
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyFault::Private)?;
        Ok(SigningKey(Pair::Ed25519(Box::new(pair))))
    }

    /// From a PEM file as openssl and opendkim-genkey write them (`PRIVATE KEY` or `RSA PRIVATE KEY`): the key, and its
    /// PKCS#8 to be kept.
    ///
    /// # Errors
    /// [`KeyFault::Private`].
    pub fn from_pem(text: &str) -> Result<(SigningKey, Zeroizing<Vec<u8>>), KeyFault> {
        let mut found = None;
        for (begin, end, is_bare) in [
            ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", false),
            ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", true),
        ] {
            let inside = text.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
            found = found.or(inside.map(|(inside, _)| (inside, is_bare)));
        }
        let (inside, is_bare) = found.ok_or(KeyFault::Private)?;
        let packed: Zeroizing<String> = Zeroizing::new(inside.split_ascii_whitespace().collect());
        let der = Zeroizing::new(BASE64_STANDARD.decode(packed.as_bytes()).map_err(|_| KeyFault::Private)?);
        let der = if is_bare { rsa_in_pkcs8(&der) } else { der };
        Ok((SigningKey::from_pkcs8(&der)?, der))
    }

    /// Its kind.
    pub fn kind(&self) -> KeyKind {
        match self.0 {
            Pair::Rsa(_) => KeyKind::Rsa,
            Pair::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// Bits of the modulus, or 256.
    pub fn bits(&self) -> usize {
        match &self.0 {
            Pair::Rsa(pair) => pair.public().modulus_len() * 8,
            Pair::Ed25519(_) => 256,
        }
    }

    /// The record to publish (RFC 6376 §3.6.1).
    pub fn record(&self) -> String {
        let key = match &self.0 {
            Pair::Rsa(pair) => {
                let mut bits = vec![0];
                bits.extend_from_slice(pair.public_key().as_ref());
                let mut inside = der::RSA_ALGORITHM.to_vec();
                der::put(der::BIT_STRING, &bits, &mut inside);
                let mut out = Vec::new();
                der::put(der::SEQUENCE, &inside, &mut out);
                out
            }
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        };
        format!("v=DKIM1; k={}; p={}", self.kind().name(), BASE64_STANDARD.encode(key))
    }

    /// Signs.
    pub(crate) fn sign(&self, octets: &[u8]) -> Vec<u8> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                // PKCS#1 v1.5 has no randomness; ring asks for a source all the same (it may blind with it).
                let signed =
                    pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), octets, &mut signature);
                signed.expect("a key that was checked when it was read signs");
                signature
            }
            Pair::Ed25519(pair) => {
                let hash = ring::digest::digest(&ring::digest::SHA256, octets);
                pair.sign(hash.as_ref()).as_ref().to_vec()
            }
        }
    }
}

/// A bare RSAPrivateKey in PKCS#8's envelope (RFC 5208 §5).
pub(crate) fn rsa_in_pkcs8(key: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut inside = Zeroizing::new(Vec::new());
    der::put_number(&[0], &mut inside);
    inside.extend_from_slice(&der::RSA_ALGORITHM);
    der::put(der::OCTET_STRING, key, &mut inside);
    let mut out = Zeroizing::new(Vec::new());
    der::put(der::SEQUENCE, &inside, &mut out);
    out
}

/// The Ed25519 key made of 32 random octets, in PKCS#8 (RFC 8410 §7).
pub fn ed25519_pkcs8(seed: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    const BEFORE: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    Zeroizing::new([&BEFORE[..], seed].concat())
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
