//! What TLS a host has to show, from the guard's decision to the handshake and back to its notes.

use crate::Courier;
use crate::fate::Fate;
use crate::hosts::Candidate;
use guard::{Held, Hop, Session};
use model::{Domain, ReversePath};
use net::{Endpoint, HostProof, Verdict};
use queue::Entry;
use route::Way;
use smtp::client::TlsWish;
use std::net::IpAddr;
use transport::report::Applied;
use transport::{Demand, SenderWish, Use};

/// What is demanded of a host at this place.
///
/// # Errors
/// It must not be used: the fate of who should have gone there.
pub(crate) async fn demand(
    courier: &Courier,
    way: &Way,
    entry: &Entry,
    domain: &Domain,
    host: &Candidate,
    endpoint: &Endpoint,
) -> Result<Held, Fate> {
    // A unix socket never leaves the machine.
    let Endpoint::Tcp(address) = endpoint else {
        return Ok(Held { demand: Demand::clear(), applied: Applied::NoPolicy });
    };
    let domain = host.is_by_mx().then(|| domain.to_ascii());
    let hop = Hop {
        domain: domain.as_deref(),
        host: &host.name,
        port: address.port(),
        is_proven: host.secure,
        wish: way.tls,
        sender: wish(entry),
    };
    courier.guard.demand(&hop).await.map_err(|refused| {
        let fate = Fate::unusable(format!("{}: {refused}", host.name), refused.status());
        if refused.is_final() { fate.for_good() } else { fate }
    })
}

/// RFC 8689 §5: a bounce is not lost because the next host lacks REQUIRETLS.
pub(crate) fn wish(entry: &Entry) -> SenderWish {
    match entry.tls {
        queue::TlsWish::Required if entry.reverse_path != ReversePath::Null => SenderWish::Required,
        queue::TlsWish::Waived => SenderWish::Waived,
        _ => SenderWish::Usual,
    }
}

/// As the client has it.
pub(crate) fn client_wish(tls: Use) -> TlsWish {
    match tls {
        Use::Never => TlsWish::Never,
        Use::IfOffered => TlsWish::IfOffered,
        Use::Always => TlsWish::Required,
    }
}

/// How a connection began, for the guard's notes.
#[derive(Default)]
pub(crate) struct Begun {
    /// The host greeted and was talked to.
    pub talked: bool,
    /// TLS came about.
    pub is_encrypted: bool,
    /// What its certificate proved.
    pub verdict: Verdict,
    /// Why TLS did not come about.
    pub why: Option<String>,
    /// Our address.
    pub local: Option<IpAddr>,
}

impl Begun {
    /// A handshake is over.
    pub(crate) fn note(&mut self, proof: &HostProof, failed: Option<&str>) {
        self.talked = true;
        self.verdict = proof.verdict();
        self.is_encrypted = failed.is_none();
        if let Some(why) = failed {
            self.why = Some(why.to_owned());
        }
    }

    /// Tells the guard.
    pub(crate) fn tell(&self, courier: &Courier, domain: Option<&str>, kind: &crate::pool::Kind) {
        if !self.talked {
            return;
        }
        courier.guard.note(&Session {
            domain,
            host: &kind.name,
            address: match &kind.endpoint {
                Endpoint::Tcp(address) => Some(address.ip()),
                Endpoint::Unix(_) => None,
            },
            local: self.local,
            held: &kind.security,
            is_encrypted: self.is_encrypted,
            verdict: self.verdict,
            why: self.why.as_deref(),
        });
    }
}
