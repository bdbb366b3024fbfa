//! Names of mechanisms (RFC 4422 §3.1).

use std::fmt;

use wire::TlsInfo;

use crate::{Mechanism, ScramHash};

impl Mechanism {
    /// Every mechanism, the best first: the order in which a server lists them.
    pub const EVERY: [Mechanism; 11] = [
        Mechanism::External,
        Mechanism::ScramSha256Plus,
        Mechanism::ScramSha1Plus,
        Mechanism::ScramSha256,
        Mechanism::ScramSha1,
        Mechanism::CramMd5,
        Mechanism::OAuthBearer,
        Mechanism::XOAuth2,
        Mechanism::Plain,
        Mechanism::Login,
        Mechanism::Anonymous,
    ];

    /// Those that need nothing but accounts, in the same order. (EXTERNAL needs a certificate that TLS has verified,
    /// without which it is not [usable](Mechanism::is_usable).)
    pub const USUAL: [Mechanism; 8] = [
        Mechanism::External,
        Mechanism::ScramSha256Plus,
        Mechanism::ScramSha1Plus,
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
            Mechanism::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Mechanism::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Mechanism::OAuthBearer => "OAUTHBEARER",
            Mechanism::XOAuth2 => "XOAUTH2",
            Mechanism::External => "EXTERNAL",
            Mechanism::Anonymous => "ANONYMOUS",
        }
    }

    /// The mechanism of a name as a client sends it, in any case; None when this server does not know it.
    pub fn parse(name: &[u8]) -> Option<Mechanism> {
        Mechanism::EVERY.into_iter().find(|mechanism| mechanism.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The password itself travels, or a token that is as good: not to be offered without TLS (RFC 4616 §5, RFC 4954 §4,
    /// RFC 7628 §4).
    pub fn is_plaintext(self) -> bool {
        matches!(self, Mechanism::Plain | Mechanism::Login | Mechanism::OAuthBearer | Mechanism::XOAuth2)
    }

    /// It binds the log-in to the TLS connection (RFC 5802 §6).
    pub fn is_plus(self) -> bool {
        matches!(self, Mechanism::ScramSha256Plus | Mechanism::ScramSha1Plus)
    }

    /// Whether it can be offered on this connection. `plaintext_auth`: passwords may travel without TLS.
    pub fn is_usable(self, tls: Option<&TlsInfo>, plaintext_auth: bool) -> bool {
        match self {
            Mechanism::External => tls.is_some_and(|tls| !tls.client_names.is_empty()),
            _ if self.is_plus() => tls.is_some_and(|tls| tls.exporter.is_some() || tls.end_point.is_some()),
            _ => !self.is_plaintext() || plaintext_auth || tls.is_some(),
        }
    }
}

/// Whether a mechanism of this list that binds the log-in to the connection can be offered on it ([`crate::Setup`]).
pub fn offers_binding(mechanisms: &[Mechanism], tls: Option<&TlsInfo>) -> bool {
    mechanisms.iter().any(|mechanism| mechanism.is_plus() && mechanism.is_usable(tls, false))
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
        assert_eq!(Mechanism::parse(b"SCRAM-SHA-512-PLUS"), None);
        assert!(Mechanism::USUAL.iter().all(|usual| Mechanism::EVERY.contains(usual)));
        assert!(Mechanism::Login.is_plaintext() && !Mechanism::CramMd5.is_plaintext());
    }
}
