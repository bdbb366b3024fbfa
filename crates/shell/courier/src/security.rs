//! Which TLS is demanded of a host.

use crate::hosts::Candidate;
use crate::settings::Trust;
use net::ClientTls;
use route::{TlsWish, Way};

/// What a connection's TLS has to prove. Connections are shared between messages that demand the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Level {
    /// None is used, whatever is offered.
    Clear,
    /// Used if offered; in clear if it is not, or fails (RFC 7435).
    Opportunistic,
    /// Must be, whatever the certificate.
    Encrypted,
    /// Must be, with a certificate of the host by a known authority.
    Verified,
}

impl Level {
    /// What is demanded of this host on this way.
    ///
    /// # Errors
    /// The host can't be used at all: why.
    pub(crate) fn of(way: &Way, host: &Candidate, sender: queue::TlsWish) -> Result<Level, String> {
        match way.tls {
            // RFC 8689 §4.2.1: never without TLS, nor with a certificate of somebody else.
            TlsWish::None | TlsWish::Opportunistic | TlsWish::Require
                if sender == queue::TlsWish::Required =>
            {
                Ok(Level::Verified)
            }
            TlsWish::None => Ok(Level::Clear),
            TlsWish::Opportunistic => Ok(Level::Opportunistic),
            TlsWish::Require => Ok(Level::Encrypted),
            TlsWish::Verify => Ok(Level::Verified),
            TlsWish::DaneOnly => Err(format!("{} has no TLSA records, which are demanded for it", host.name)),
        }
    }

    /// The rule for its certificate. None: nothing is known that it could be checked with.
    pub(crate) fn rule(self, trust: &Trust) -> Option<&ClientTls> {
        match self {
            Level::Verified => trust.verified.as_ref(),
            Level::Clear | Level::Opportunistic | Level::Encrypted => Some(&trust.unverified),
        }
    }
}
