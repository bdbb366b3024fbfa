//! Names of mechanisms (RFC 4422 §3.1).

use std::fmt;

use crate::{Mechanism, ScramHash};

impl Mechanism {
    /// Every mechanism, the best first: the order in which a server lists them.
    pub const EVERY: [Mechanism; 5] = [
        Mechanism::ScramSha256,
        Mechanism::ScramSha1,
        Mechanism::CramMd5,
        Mechanism::Plain,
        Mechanism::Login,
    ];

    /// The name as IANA has it.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha1 => "SCRAM-SHA-1",
            Mechanism::CramMd5 => "CRAM-MD5",
        }
    }

    /// The mechanism of a name as a client sends it, in any case; None when this server does not know it.
    pub fn parse(name: &[u8]) -> Option<Mechanism> {
        Mechanism::EVERY.into_iter().find(|mechanism| mechanism.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The password itself travels: not to be offered without TLS (RFC 4616 §5, RFC 4954 §4).
    pub fn is_plaintext(self) -> bool {
        matches!(self, Mechanism::Plain | Mechanism::Login)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ScramHash {
    /// Octets of this hash's output.
    pub fn output_bytes(self) -> usize {
        match self {
            ScramHash::Sha1 => 20,
            ScramHash::Sha256 => 32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        for mechanism in Mechanism::EVERY {
            assert_eq!(Mechanism::parse(mechanism.name().to_lowercase().as_bytes()), Some(mechanism));
        }
        assert_eq!(Mechanism::parse(b"PLAI"), None);
        assert_eq!(Mechanism::parse(b"SCRAM-SHA-256-PLUS"), None);
        assert!(Mechanism::Login.is_plaintext() && !Mechanism::CramMd5.is_plaintext());
    }
}
