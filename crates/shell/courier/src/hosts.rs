//! Which hosts take a domain's mail, and at which addresses.

use crate::settings::Settings;
use dns::{Fault, Presence, Resolver};
use model::Domain;
use net::Endpoint;
use route::{HostName, Mx, NextHop, Trouble, Way};
use std::net::{IpAddr, SocketAddr};

/// A host to be tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Candidate {
    /// Its name, as its certificate has to say it; an address where it has no name.
    pub name: String,
    /// Of its MX record; 0 without one.
    pub preference: u16,
    /// Where its addresses come from.
    place: Place,
    /// Whether DNSSEC proves that it is a host of the domain (RFC 7672 §2.2.1).
    pub secure: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    Known(Endpoint),
    /// To be looked up.
    Named {
        port: u16,
        by_mx: bool,
    },
}

/// What a host's look-up brought.
pub(crate) enum Found {
    /// Dial these, in this order.
    Endpoints(Vec<Endpoint>),
    /// It is this server: it and those no better than it are not for us.
    Oneself,
    /// It has no address.
    Nothing,
    /// Nothing is known now.
    Unknown(Trouble),
}

/// The hosts for a domain, best first; their addresses are looked up when it is their turn.
pub(crate) async fn candidates(
    resolver: &Resolver,
    settings: &Settings,
    way: &Way,
    domain: &Domain,
) -> Result<Vec<Candidate>, Trouble> {
    let one = |name: String, place, secure| Ok(vec![Candidate { name, preference: 0, place, secure }]);
    match &way.next_hop {
        NextHop::Unix(path) => one("localhost".into(), Place::Known(Endpoint::Unix(path.clone())), true),
        NextHop::Host { host, port } => {
            let port = port.unwrap_or(if way.implicit_tls { 465 } else { way.protocol.port() });
            match host {
                HostName::Address(address) => one(
                    address.to_string(),
                    Place::Known(Endpoint::Tcp(SocketAddr::new(*address, port))),
                    true,
                ),
                // RFC 7672 §2.2.3: a configured host needs no proof that it is the right one.
                HostName::Name(name) => one(name.to_ascii(), Place::Named { port, by_mx: false }, true),
            }
        }
        NextHop::Mx => match route::literal(domain) {
            // Mail to ourselves by address would go round in a circle until its Received: fields are counted.
            Some(Ok(address)) if is_oneself(address, settings.port, &settings.own) => Err(Trouble::Loop),
            Some(Ok(address)) => {
                let endpoint = Endpoint::Tcp(SocketAddr::new(address, settings.port));
                one(address.to_string(), Place::Known(endpoint), false)
            }
            Some(Err(literal)) => Err(Trouble::BadLiteral(literal)),
            None => by_mx(resolver, settings, &domain.to_ascii()).await,
        },
    }
}

async fn by_mx(resolver: &Resolver, settings: &Settings, domain: &str) -> Result<Vec<Candidate>, Trouble> {
    let answer = resolver.mx(domain).await.map_err(|fault| trouble(&fault))?;
    let records = match answer.presence {
        Presence::NoName => return Err(Trouble::NoSuchDomain),
        // RFC 5321 §5.1: an implicit MX, with a preference of 0, pointing to that host.
        Presence::NoData => vec![Mx { preference: 0, host: domain.to_owned() }],
        Presence::Found => answer.records,
    };
    let is_self = |host: &str| host.eq_ignore_ascii_case(&settings.hostname);
    let chosen = route::choose(records, is_self, &mut crate::random::number)?;
    let candidate = |mx: Mx| Candidate {
        name: mx.host,
        preference: mx.preference,
        place: Place::Named { port: settings.port, by_mx: true },
        secure: answer.status.is_secure(),
    };
    Ok(chosen.into_iter().map(candidate).collect())
}

impl Candidate {
    /// Whether it was found by MX: then the domain's policies count.
    pub(crate) fn is_by_mx(&self) -> bool {
        matches!(self.place, Place::Named { by_mx: true, .. })
    }

    /// Its addresses.
    pub(crate) async fn look_up(&self, resolver: &Resolver, settings: &Settings) -> Found {
        let (port, by_mx) = match &self.place {
            Place::Known(endpoint) => return Found::Endpoints(vec![endpoint.clone()]),
            Place::Named { port, by_mx } => (*port, *by_mx),
        };
        let answer = match resolver.addresses(&self.name).await {
            Ok(answer) => answer,
            Err(fault) => return Found::Unknown(trouble(&fault)),
        };
        if by_mx && answer.records.iter().any(|address| is_oneself(*address, port, &settings.own)) {
            return Found::Oneself;
        }
        let addresses = route::order_addresses(&answer.records, settings.family, &mut crate::random::number);
        if addresses.is_empty() {
            return Found::Nothing;
        }
        let endpoint = |address: IpAddr| Endpoint::Tcp(SocketAddr::new(address, port));
        Found::Endpoints(addresses.into_iter().map(endpoint).collect())
    }
}

/// Whether dialling this would reach this server.
fn is_oneself(address: IpAddr, port: u16, own: &[SocketAddr]) -> bool {
    own.iter().filter(|listener| listener.port() == port).any(|listener| {
        listener.ip() == address || listener.ip().is_unspecified() && net::is_own_address(address)
    })
}

fn trouble(fault: &Fault) -> Trouble {
    match fault {
        Fault::Bogus => Trouble::Bogus(fault.to_string()),
        Fault::BadName(_) => Trouble::NoSuchDomain,
        other => Trouble::NoAnswer(other.to_string()),
    }
}

/// Where a proxy is.
pub(crate) async fn proxy_address(
    proxy: &route::Proxy,
    settings: &Settings,
    resolver: &Resolver,
) -> Result<SocketAddr, String> {
    let address = match &proxy.host {
        HostName::Address(address) => Some(*address),
        HostName::Name(name) => {
            let answer = resolver
                .addresses(&name.to_ascii())
                .await
                .map_err(|fault| format!("the proxy {name} could not be looked up: {fault}"))?;
            let mut random = crate::random::number;
            route::order_addresses(&answer.records, settings.family, &mut random).first().copied()
        }
    };
    match address {
        Some(address) => Ok(SocketAddr::new(address, proxy.port)),
        None => Err(format!("the proxy {} has no address", proxy.host)),
    }
}
