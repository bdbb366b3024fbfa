//! SCRAM's client side (RFC 5802 §5, RFC 7677), with channel binding and without.
//!
//! Invariants: what the peer chose (salt, nonce, rounds) is checked before it costs anything; the peer is proven only by
//! the right `v=`.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Credentials, Setup, Trouble, encode_saslname, nonce};
use crate::keys::{hashed, keyed, salted_password};
use crate::{ScramHash, decode_base64, encode_base64};

/// Most PBKDF2 rounds that a peer may demand: about half a second of one processor.
const ITERATIONS_MAX: u32 = 1_000_000;

/// A SCRAM exchange.
#[derive(Debug)]
pub(super) struct Scram {
    hash: ScramHash,
    /// The gs2 header and the data of the channel binding, which `c=` repeats.
    binding: Vec<u8>,
    first_bare: String,
    nonce: String,
    state: State,
}

#[derive(Debug)]
enum State {
    ExpectFirst,
    ExpectFinal { signature: Vec<u8> },
    Proven,
    Over,
}

impl Scram {
    /// Begins; answers client-first-message too.
    pub(super) fn start(
        hash: ScramHash,
        is_plus: bool,
        credentials: &Credentials,
        setup: &Setup<'_>,
    ) -> Result<(Scram, Vec<u8>), Trouble> {
        let tls = setup.tls;
        let exporter = tls.and_then(|tls| tls.exporter.as_deref());
        let end_point = tls.and_then(|tls| tls.end_point.as_deref());
        let (flag, data) = match (is_plus, exporter, end_point) {
            (true, Some(data), _) => ("p=tls-exporter", data),
            (true, None, Some(data)) => ("p=tls-server-end-point", data),
            (true, None, None) => return Err(Trouble::Malformed),
            // RFC 5802 §6: `y` says that the client could have, and has not seen the peer offer it.
            (false, None, None) => ("n", &[][..]),
            (false, ..) if setup.peer_offers_binding => ("n", &[][..]),
            (false, ..) => ("y", &[][..]),
        };
        let authorize_as = match credentials.authorize_as.as_str() {
            "" => String::new(),
            name => format!("a={}", encode_saslname(name)),
        };
        let header = format!("{flag},{authorize_as},");
        let nonce = nonce(setup.entropy);
        let first_bare = format!("n={},r={nonce}", encode_saslname(&credentials.user));
        let message = format!("{header}{first_bare}").into_bytes();
        let binding = [header.as_bytes(), data].concat();
        Ok((Scram { hash, binding, first_bare, nonce, state: State::ExpectFirst }, message))
    }

    pub(super) fn challenge(&mut self, message: &[u8], password: &str) -> Result<Vec<u8>, Trouble> {
        let message = std::str::from_utf8(message).map_err(|_| Trouble::Malformed)?;
        match std::mem::replace(&mut self.state, State::Over) {
            State::ExpectFirst => self.client_final(message, password),
            State::ExpectFinal { signature } => {
                self.check_final(message, &signature)?;
                self.state = State::Proven;
                Ok(Vec::new())
            }
            State::Proven | State::Over => Err(Trouble::Malformed),
        }
    }

    /// The peer has shown `v=`.
    pub(super) fn peer_is_proven(&self) -> bool {
        matches!(self.state, State::Proven)
    }

    /// ```text
    /// server-first-message = nonce "," salt "," iteration-count ["," extensions]
    /// client-final-message = "c=" base64 "," nonce ",p=" base64
    /// ```
    fn client_final(&mut self, server_first: &str, password: &str) -> Result<Vec<u8>, Trouble> {
        let first = parse_first(server_first)?;
        // RFC 5802 §5.1: the nonce must begin with what was sent; a peer that adds nothing to it would be a replay.
        if !first.nonce.starts_with(&self.nonce) || first.nonce.len() == self.nonce.len() {
            return Err(Trouble::PeerUnproven);
        }
        if first.iterations > ITERATIONS_MAX {
            return Err(Trouble::TooExpensive);
        }
        let mut binding = Vec::new();
        encode_base64(&self.binding, &mut binding);
        let without_proof = format!("c={},r={}", String::from_utf8_lossy(&binding), first.nonce);
        let auth_message = format!("{},{server_first},{without_proof}", self.first_bare);

        let salted = Zeroizing::new(salted_password(password, &first.salt, first.iterations, self.hash));
        let client_key = Zeroizing::new(keyed(self.hash, &salted, &[b"Client Key"]));
        let server_key = keyed(self.hash, &salted, &[b"Server Key"]);
        let stored_key = hashed(self.hash, &client_key);
        let client_signature = keyed(self.hash, &stored_key, &[auth_message.as_bytes()]);
        let proof: Vec<u8> = client_key.iter().zip(&client_signature).map(|(a, b)| a ^ b).collect();
        let signature = keyed(self.hash, &server_key, &[auth_message.as_bytes()]);
        self.state = State::ExpectFinal { signature };

        let mut message = format!("{without_proof},p=").into_bytes();
        encode_base64(&proof, &mut message);
        Ok(message)
    }

    /// `server-final-message = (server-error / verifier) ["," extensions]`
    fn check_final(&self, message: &str, signature: &[u8]) -> Result<(), Trouble> {
        let attribute = message.split(',').next().unwrap_or(message);
        if let Some(error) = attribute.strip_prefix("e=") {
            let error = error.chars().take(100).map(|c| if (' '..='~').contains(&c) { c } else { '?' });
            return Err(Trouble::Refused(error.collect()));
        }
        let verifier = attribute.strip_prefix("v=").ok_or(Trouble::Malformed)?;
        let verifier = decode_base64(verifier.as_bytes()).ok_or(Trouble::Malformed)?;
        if bool::from(verifier.ct_eq(signature)) { Ok(()) } else { Err(Trouble::PeerUnproven) }
    }
}

struct First<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
}

fn parse_first(message: &str) -> Result<First<'_>, Trouble> {
    let mut attributes = message.split(',');
    let mut value = |name: &str| attributes.next().and_then(|text| text.strip_prefix(name));
    // A `m=` extension, which would come first, must fail: it is one that we do not know.
    let nonce = value("r=").ok_or(Trouble::Malformed)?;
    let salt = value("s=").and_then(|text| decode_base64(text.as_bytes())).ok_or(Trouble::Malformed)?;
    let iterations = value("i=").and_then(|text| text.parse().ok()).ok_or(Trouble::Malformed)?;
    if iterations == 0 || salt.is_empty() || !nonce.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Trouble::Malformed);
    }
    Ok(First { nonce, salt, iterations })
}

#[cfg(test)]
impl Scram {
    /// With the nonce of an RFC's example.
    pub(super) fn with_nonce(mut self, nonce: &str) -> Scram {
        self.first_bare = self.first_bare.replace(&self.nonce, nonce);
        self.nonce = nonce.to_owned();
        self
    }
}
