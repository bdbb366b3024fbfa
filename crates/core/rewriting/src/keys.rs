//! The keys of all hashes, from the server's one secret.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

/// One key for each use, so that no hash is worth anything for another.
#[derive(Clone, Default)]
pub struct Keys {
    srs: Zeroizing<[u8; 32]>,
    batv: Zeroizing<[u8; 32]>,
    token: Zeroizing<[u8; 32]>,
}

/// Which key.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    Srs,
    Token,
}

impl Keys {
    /// From the server's own secret. Whoever loses it loses the way back of what is under way.
    pub fn new(secret: &[u8; 32]) -> Keys {
        let derived = |name: &str| {
            let key = sha256(secret, &[b"rewriting ", name.as_bytes()]);
            Zeroizing::new(key)
        };
        Keys { srs: derived("srs"), batv: derived("batv"), token: derived("token") }
    }

    /// HMAC-SHA-256 of the parts, one behind the other.
    pub(crate) fn hash(&self, key: Use, parts: &[&[u8]]) -> [u8; 32] {
        let key = match key {
            Use::Srs => &self.srs,
            Use::Token => &self.token,
        };
        sha256(key, parts)
    }

    /// HMAC-SHA-1, which BATV prescribes.
    pub(crate) fn batv_hash(&self, parts: &[&[u8]]) -> [u8; 20] {
        let mut mac = Hmac::<Sha1>::new_from_slice(&*self.batv).expect("HMAC takes keys of any length");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

fn sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
