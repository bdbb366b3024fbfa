//! SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677), with channel binding (-PLUS: RFC 5802 §6, RFC 9266, RFC 5929 §4)
//! and without.
//!
//! ```text
//! client-first-message = gs2-header username "," nonce ["," extensions]     gs2-header = ("n" / "y" / "p=" cb-name) "," ["a=" saslname] ","
//! server-first-message = nonce "," salt "," iteration-count
//! client-final-message = "c=" base64 "," nonce ["," extensions] ",p=" base64
//! server-final-message = "v=" base64
//! ```
//! Invariants: an unknown user walks the same way as a known one up to the end; every candidate key is tried, in constant
//! time; `v=` leaves only after the world has granted.

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::exchange::Setup;
use crate::keys::{hashed, keyed};
use crate::{Next, Question, Reply, ScramHash, ScramKeys, Verdict, decode_base64, encode_base64, prepare};

/// A SCRAM exchange.
#[derive(Debug)]
pub(crate) struct Scram {
    hash: ScramHash,
    nonce: String,
    binding: Binding,
    state: State,
}

/// What a log-in can be bound to (RFC 5802 §6).
#[derive(Debug)]
pub(crate) enum Binding {
    /// The mechanism without -PLUS. `offered`: the one with it was offered too.
    Without { offered: bool },
    /// The mechanism with -PLUS, and the data of each kind of binding.
    With { exporter: Option<Vec<u8>>, end_point: Option<Vec<u8>> },
}

impl Binding {
    pub(crate) fn without(setup: &Setup<'_>) -> Binding {
        Binding::Without { offered: setup.offers_binding }
    }

    pub(crate) fn with(setup: &Setup<'_>) -> Binding {
        let exporter = setup.tls.and_then(|tls| tls.exporter.clone());
        let end_point = setup.tls.and_then(|tls| tls.end_point.clone());
        Binding::With { exporter, end_point }
    }
}

#[derive(Debug)]
enum State {
    ExpectFirst,
    /// The world was asked for the keys.
    ExpectKeys(First),
    ExpectFinal {
        first: First,
        server_first: String,
        keys: ScramKeys,
    },
    /// The world was told of the proof.
    ExpectVerdict {
        server_final: Vec<u8>,
    },
    /// The world was told of the failure.
    ExpectFailed,
    /// `v=` is out.
    ExpectEmpty(Verdict),
    Over,
}

/// What the client's first message said.
#[derive(Debug)]
struct First {
    /// With both commas, as it came, and the data of the channel binding: `c=` must repeat them.
    binding: Vec<u8>,
    /// The client was told that there is no channel binding, though there is.
    is_downgraded: bool,
    /// Everything behind it, as it came.
    bare: String,
    authorize_as: String,
    user: String,
    client_nonce: String,
}

impl Scram {
    pub(crate) fn new(hash: ScramHash, nonce: String, binding: Binding) -> Scram {
        Scram { hash, nonce, binding, state: State::ExpectFirst }
    }

    pub(crate) fn response(&mut self, message: &[u8]) -> Next {
        match std::mem::replace(&mut self.state, State::Over) {
            State::ExpectFirst => self.client_first(message),
            State::ExpectFinal { first, server_first, keys } => {
                self.client_final(message, &first, &server_first, &keys)
            }
            State::ExpectEmpty(verdict) if message.is_empty() => Next::Done { verdict },
            _ => Next::Malformed,
        }
    }

    pub(crate) fn reply(&mut self, reply: Reply) -> Next {
        match (std::mem::replace(&mut self.state, State::Over), reply) {
            (State::ExpectKeys(first), Reply::ScramKeys(keys)) => self.server_first(first, keys),
            // A grant can't come before the proof: the world is out of order.
            (State::ExpectKeys(_), Reply::Verdict(Verdict::Granted { .. })) => {
                Next::Done { verdict: Verdict::Unavailable }
            }
            (State::ExpectKeys(_), Reply::Verdict(verdict)) => Next::Done { verdict },
            (State::ExpectVerdict { server_final }, Reply::Verdict(verdict @ Verdict::Granted { .. })) => {
                self.state = State::ExpectEmpty(verdict);
                Next::Challenge(server_final)
            }
            (State::ExpectVerdict { .. }, Reply::Verdict(verdict)) => Next::Done { verdict },
            (State::ExpectFailed, Reply::Verdict(Verdict::Unavailable)) => {
                Next::Done { verdict: Verdict::Unavailable }
            }
            (State::ExpectFailed, _) => Next::Done { verdict: Verdict::Denied },
            _ => Next::Done { verdict: Verdict::Unavailable },
        }
    }

    fn client_first(&mut self, message: &[u8]) -> Next {
        let text = std::str::from_utf8(message).ok();
        let Some(first) = text.and_then(|text| parse_first(text, &self.binding)) else {
            return Next::Malformed;
        };
        let question = Question::ScramKeys { user: first.user.clone(), hash: self.hash };
        self.state = State::ExpectKeys(first);
        Next::Ask(question)
    }

    fn server_first(&mut self, first: First, keys: ScramKeys) -> Next {
        let mut message = format!("r={}{},s=", first.client_nonce, self.nonce).into_bytes();
        encode_base64(&keys.salt, &mut message);
        message.extend_from_slice(format!(",i={}", keys.iterations).as_bytes());
        let server_first = String::from_utf8_lossy(&message).into_owned();
        self.state = State::ExpectFinal { first, server_first, keys };
        Next::Challenge(message)
    }

    fn client_final(&mut self, message: &[u8], first: &First, server_first: &str, keys: &ScramKeys) -> Next {
        let Some(last) = std::str::from_utf8(message).ok().and_then(parse_final) else {
            return Next::Malformed;
        };
        let auth_message = [&first.bare, ",", server_first, ",", last.without_proof].concat();
        // RFC 5802 §5.1: both the channel binding data and the whole nonce must be what was agreed on.
        let binding = last.binding.as_slice().ct_eq(&first.binding);
        let nonce = [first.client_nonce.as_bytes(), self.nonce.as_bytes()].concat();
        // RFC 5802 §6: a client that says `y` has been shown a list from which somebody took the -PLUS mechanisms.
        let whole = Choice::from(u8::from(!first.is_downgraded));
        let agreed = whole & binding & last.nonce.as_bytes().ct_eq(&nonce);
        let (proved, candidate) = self.find_candidate(&auth_message, &last.proof, keys);
        if !bool::from(agreed & proved) {
            self.state = State::ExpectFailed;
            return Next::Ask(Question::Failed { user: first.user.clone() });
        }
        let signature = keyed(self.hash, &keys.candidates[candidate].server_key, &[auth_message.as_bytes()]);
        let mut server_final = b"v=".to_vec();
        encode_base64(&signature, &mut server_final);
        self.state = State::ExpectVerdict { server_final };
        Next::Ask(Question::ScramProved {
            authorize_as: first.authorize_as.clone(),
            user: first.user.clone(),
            candidate,
        })
    }

    /// Which key the proof fits: ClientKey = ClientProof XOR ClientSignature, H(ClientKey) = StoredKey (RFC 5802 §3).
    fn find_candidate(&self, auth_message: &str, proof: &[u8], keys: &ScramKeys) -> (Choice, usize) {
        let mut proved = Choice::from(0);
        let mut found = 0_u64;
        for (number, key) in keys.candidates.iter().enumerate() {
            let signature = keyed(self.hash, &key.stored_key, &[auth_message.as_bytes()]);
            let client_key: Vec<u8> = signature.iter().zip(proof).map(|(a, b)| a ^ b).collect();
            let fits = hashed(self.hash, &client_key).ct_eq(&key.stored_key)
                & Choice::from(u8::from(proof.len() == self.hash.output_bytes()));
            found.conditional_assign(&(number as u64), fits & !proved);
            proved |= fits;
        }
        (proved, usize::try_from(found).unwrap_or(0))
    }
}

/// RFC 5802 §6: `p=` and a kind of binding that is there with -PLUS, `n` or `y` without.
fn parse_first(message: &str, binding: &Binding) -> Option<First> {
    let (flag, rest) = message.split_once(',')?;
    let mut is_downgraded = false;
    let data: &[u8] = match (binding, flag) {
        (Binding::Without { .. }, "n") => &[],
        (Binding::Without { offered }, "y") => {
            is_downgraded = *offered;
            &[]
        }
        (Binding::With { exporter, .. }, "p=tls-exporter") => exporter.as_ref()?,
        (Binding::With { end_point, .. }, "p=tls-server-end-point") => end_point.as_ref()?,
        _ => return None,
    };
    let (authzid, bare) = rest.split_once(',')?;
    let gs2_header = &message[..message.len() - bare.len()];
    let authorize_as = match authzid {
        "" => String::new(),
        _ => prepare(&decode_saslname(authzid.strip_prefix("a=")?)?).ok()?.into_owned(),
    };
    // A mandatory extension (`m=`) would stand here: it fails as the missing `n=` that it is.
    let mut attributes = bare.split(',');
    let user = decode_saslname(attributes.next()?.strip_prefix("n=")?)?;
    let client_nonce = attributes.next()?.strip_prefix("r=")?;
    if !is_printable(client_nonce) || !attributes.all(is_extension) {
        return None;
    }
    Some(First {
        binding: [gs2_header.as_bytes(), data].concat(),
        is_downgraded,
        bare: bare.to_owned(),
        authorize_as,
        user: prepare(&user).ok()?.into_owned(),
        client_nonce: client_nonce.to_owned(),
    })
}

struct Final<'a> {
    without_proof: &'a str,
    binding: Vec<u8>,
    nonce: &'a str,
    proof: Vec<u8>,
}

fn parse_final(message: &str) -> Option<Final<'_>> {
    let (without_proof, proof) = message.rsplit_once(",p=")?;
    let mut attributes = without_proof.split(',');
    let binding = decode_base64(attributes.next()?.strip_prefix("c=")?.as_bytes())?;
    let nonce = attributes.next()?.strip_prefix("r=")?;
    if !attributes.all(is_extension) {
        return None;
    }
    Some(Final { without_proof, binding, nonce, proof: decode_base64(proof.as_bytes())? })
}

/// attr-val of an optional extension, which is passed over; `m=` must fail (RFC 5802 §5.1).
fn is_extension(attribute: &str) -> bool {
    match attribute.as_bytes() {
        [name, b'=', value @ ..] => {
            name.is_ascii_alphabetic() && *name != b'm' && !value.is_empty() && !value.contains(&0)
        }
        _ => false,
    }
}

/// printable = %x21-2B / %x2D-7E; the comma can't occur, it was split at.
fn is_printable(nonce: &str) -> bool {
    !nonce.is_empty() && nonce.bytes().all(|b| b.is_ascii_graphic())
}

/// saslname = 1*(value-safe-char / "=2C" / "=3D")
pub(crate) fn decode_saslname(name: &str) -> Option<String> {
    if name.is_empty() || name.contains('\0') {
        return None;
    }
    let mut parts = name.split('=');
    let mut decoded = parts.next()?.to_owned();
    for part in parts {
        let (sign, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return None,
        };
        decoded.push(sign);
        decoded.push_str(rest);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests;
