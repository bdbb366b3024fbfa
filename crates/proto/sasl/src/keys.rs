//! What the directory derives and compares: SCRAM keys (RFC 5802 §3), keyed digests (RFC 2195 §2, RFC 1939 §7).

use hmac::digest::{Digest, KeyInit, Mac};
use hmac::{EagerHash, Hmac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::exchange::{Setup, nonce};
use crate::{DigestKind, ScramHash, ScramKey, prepare};

/// StoredKey and ServerKey of a password (RFC 5802 §3). `iterations` PBKDF2 rounds are paid here: at least 4096
/// (RFC 7677 §4). The password is prepared by SASLprep; one that can't be is taken as it stands.
pub fn scram_keys(password: &str, salt: &[u8], iterations: u32, hash: ScramHash) -> ScramKey {
    let mut salted = salted_password(password, salt, iterations, hash);
    let mut client_key = keyed(hash, &salted, &[b"Client Key"]);
    let keys = ScramKey {
        stored_key: hashed(hash, &client_key),
        server_key: keyed(hash, &salted, &[b"Server Key"]),
    };
    salted.zeroize();
    client_key.zeroize();
    keys
}

/// SaltedPassword (RFC 5802 §3): PBKDF2 over the prepared password.
pub(crate) fn salted_password(password: &str, salt: &[u8], iterations: u32, hash: ScramHash) -> Vec<u8> {
    let prepared = prepare(password).unwrap_or(password.into());
    let mut salted = vec![0; hash.output_bytes()];
    match hash {
        ScramHash::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(prepared.as_bytes(), salt, iterations, &mut salted),
        ScramHash::Sha256 => {
            pbkdf2::pbkdf2_hmac::<Sha256>(prepared.as_bytes(), salt, iterations, &mut salted)
        }
    }
    salted
}

/// The salt that an unknown user is shown: the same for each name as long as `server_secret` stays, so that it can't be
/// told from a real one (RFC 5802 §9). 16 octets. For names as the directory compares them (folded, with their domain).
pub fn invented_scram_salt(server_secret: &[u8], user: &str) -> Vec<u8> {
    let mut salt = keyed(ScramHash::Sha256, server_secret, &[b"invented salt", user.as_bytes()]);
    salt.truncate(16);
    salt
}

/// HMAC-MD5 of the challenge (RFC 2195 §2), in lower-case hexadecimal.
pub fn cram_md5_digest(challenge: &[u8], secret: &[u8]) -> String {
    hex(&mac::<Md5>(secret, &[challenge]))
}

/// MD5 over the timestamp, angle brackets included, and the secret (RFC 1939 §7), in lower-case hexadecimal.
pub fn apop_digest(timestamp: &[u8], secret: &[u8]) -> String {
    hex(&Md5::new().chain_update(timestamp).chain_update(secret).finalize())
}

/// Whether `response` (lower-case hexadecimal) proves `secret`; takes the same time whatever the response.
pub fn digest_matches(kind: DigestKind, challenge: &[u8], secret: &[u8], response: &str) -> bool {
    let wanted = match kind {
        DigestKind::CramMd5 => cram_md5_digest(challenge, secret),
        DigestKind::Apop => apop_digest(challenge, secret),
    };
    wanted.as_bytes().ct_eq(response.as_bytes()).into()
}

/// The timestamp of a POP3 greeting (RFC 1939 §7) and the challenge of CRAM-MD5 (RFC 2195 §2): `<nonce.now@hostname>`,
/// a msg-id that never comes again.
pub fn apop_timestamp(setup: &Setup<'_>) -> String {
    format!("<{}.{}@{}>", nonce(setup), setup.now, setup.hostname)
}

/// HMAC over the parts, one after the other.
pub(crate) fn keyed(hash: ScramHash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    match hash {
        ScramHash::Sha1 => mac::<Sha1>(key, parts),
        ScramHash::Sha256 => mac::<Sha256>(key, parts),
    }
}

/// H(text)
pub(crate) fn hashed(hash: ScramHash, text: &[u8]) -> Vec<u8> {
    match hash {
        ScramHash::Sha1 => Sha1::digest(text).to_vec(),
        ScramHash::Sha256 => Sha256::digest(text).to_vec(),
    }
}

fn mac<D: EagerHash>(key: &[u8], parts: &[&[u8]]) -> Vec<u8>
where
    Hmac<D>: Mac + KeyInit,
{
    let mut mac = <Hmac<D> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let digits = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|half| digits[usize::from(half)] as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cram_md5_example_of_rfc_2195() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        let digest = cram_md5_digest(challenge, b"tanstaaftanstaaf");
        assert_eq!(digest, "b913a602c7eda7a495b4e6e7334d3890");
        assert!(digest_matches(DigestKind::CramMd5, challenge, b"tanstaaftanstaaf", &digest));
        assert!(!digest_matches(DigestKind::CramMd5, challenge, b"tanstaaftanstaag", &digest));
        assert!(!digest_matches(DigestKind::Apop, challenge, b"tanstaaftanstaaf", &digest));
        assert!(!digest_matches(DigestKind::CramMd5, challenge, b"tanstaaftanstaaf", ""));
    }

    #[test]
    fn apop_example_of_rfc_1939() {
        let timestamp = b"<1896.697170952@dbc.mtview.ca.us>";
        assert_eq!(apop_digest(timestamp, b"tanstaaf"), "c4c9334bac560ecc979e58001b3e22fb");
        assert!(digest_matches(DigestKind::Apop, timestamp, b"tanstaaf", "c4c9334bac560ecc979e58001b3e22fb"));
    }

    #[test]
    fn secrets_longer_than_a_block_are_hashed_first() {
        // RFC 2202 §2, test case 6.
        assert_eq!(
            cram_md5_digest(b"Test Using Larger Than Block-Size Key - Hash Key First", &[0xaa; 80]),
            "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"
        );
    }

    #[test]
    fn invented_salts_are_stable_and_differ() {
        let salt = invented_scram_salt(b"s", "a@b");
        assert_eq!(salt, invented_scram_salt(b"s", "a@b"));
        assert_ne!(salt, invented_scram_salt(b"s", "a@c"));
        assert_ne!(salt, invented_scram_salt(b"t", "a@b"));
        assert_eq!(salt.len(), 16);
    }

    #[test]
    fn passwords_are_prepared_before_the_hash() {
        let composed = scram_keys("\u{e9}", b"salt", 2, ScramHash::Sha256);
        let decomposed = scram_keys("e\u{301}", b"salt", 2, ScramHash::Sha256);
        assert_eq!(composed.stored_key, decomposed.stored_key);
    }
}
