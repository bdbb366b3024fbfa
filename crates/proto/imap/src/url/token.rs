//! Tokens of the INTERNAL mechanism (RFC 4467 §2.4.1, §5, §6): HMAC-SHA-256 over the rump URL.
//!
//! The first two digits of a token name the algorithm, so that another one can take its place one day.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use std::fmt::Write as _;
use subtle::ConstantTimeEq as _;

/// Octets of a mailbox's access key.
pub const ACCESS_KEY_BYTES: usize = 32;

/// The secret of one user's mailbox. `Debug` never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey(pub [u8; ACCESS_KEY_BYTES]);

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(…)")
    }
}

/// HMAC-SHA-256.
const ALGORITHM: &str = "01";

/// The token for a rump URL, in hexadecimal digits.
pub fn sign(rump: &str, key: &AccessKey) -> String {
    let mut token = ALGORITHM.to_owned();
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key.0) else { return token };
    mac.update(rump.as_bytes());
    for byte in mac.finalize().into_bytes() {
        // Writing to a string can't fail.
        let _ = write!(token, "{byte:02x}");
    }
    token
}

/// Whether the token was made for that rump with that key. Takes the same time whatever differs; without a key (there is
/// no such mailbox) it takes the time of one (RFC 4467 §6) and is never right.
pub fn verify(rump: &str, token: &str, key: Option<&AccessKey>) -> bool {
    const PLAUSIBLE: AccessKey = AccessKey([0x5a; ACCESS_KEY_BYTES]);
    let right = sign(rump, key.unwrap_or(&PLAUSIBLE));
    let same = right.as_bytes().ct_eq(token.to_ascii_lowercase().as_bytes());
    bool::from(same) & key.is_some()
}
