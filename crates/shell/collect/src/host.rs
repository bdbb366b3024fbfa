//! Where a source is: its addresses, as far as sources may lie there.

use crate::Settings;
use agents::World;
use collecting::TroubleKind;
use dns::Resolver;
use model::EmailAddress;
use std::net::{IpAddr, SocketAddr};

/// Addresses of one host that are tried.
const ADDRESSES_MAX: usize = 6;

/// Why a source can't be spoken to, in words.
pub(crate) type Why = (TroubleKind, String);

/// The addresses to dial, in order. What may not be dialled is not among them, whatever name leads there: the very
/// addresses that are looked at here are dialled.
///
/// # Errors
/// There are none, or none that may be dialled.
pub(crate) async fn addresses(
    resolver: &Resolver,
    settings: &Settings,
    source: &collecting::Settings,
) -> Result<Vec<SocketAddr>, Why> {
    let host = &in_ascii(&source.host);
    let found: Vec<IpAddr> = match host.parse() {
        Ok(address) => vec![address],
        Err(_) => {
            let answer = resolver.addresses(host).await.map_err(|fault| {
                (TroubleKind::Unreachable, format!("the addresses of {host} can't be looked up: {fault}"))
            })?;
            answer.records
        }
    };
    let mut forbidden = None;
    let mut permitted = Vec::new();
    for address in found {
        let address = address.to_canonical();
        match settings.networks.permit(address, source.port, source.protocol) {
            Ok(()) => permitted.push(SocketAddr::new(address, source.port)),
            Err(why) => forbidden = Some(why),
        }
    }
    permitted.truncate(ADDRESSES_MAX);
    match forbidden {
        _ if !permitted.is_empty() => Ok(permitted),
        Some(why) => Err((TroubleKind::Forbidden, format!("nothing is collected from {host}: {why}"))),
        None => Err((TroubleKind::Unreachable, format!("{host} has no address; is the name right?"))),
    }
}

/// A host's name in A-labels, or its address without brackets.
pub(crate) fn in_ascii(host: &str) -> String {
    let host = host.trim_matches(['[', ']']);
    match model::Domain::new(host) {
        Ok(domain) if host.parse::<IpAddr>().is_err() => domain.to_ascii(),
        _ => host.to_owned(),
    }
}

/// Whether the source is this server and the very account that collects from it.
pub(crate) fn is_oneself(
    world: &World,
    settings: &Settings,
    source: &collecting::Source,
    address: SocketAddr,
) -> bool {
    let here = settings.own.iter().filter(|listener| listener.port() == address.port()).any(|listener| {
        listener.ip() == address.ip() || listener.ip().is_unspecified() && net::is_own_address(address.ip())
    });
    if !here {
        return false;
    }
    let Ok(Some(account)) = world.directory.account_by_id(source.account) else { return false };
    let user = &source.settings.user;
    let named = EmailAddress::parse(user)
        .or_else(|_| EmailAddress::parse(&format!("{user}@{}", account.address.domain)));
    named.is_ok_and(|name| world.directory.owns(source.account, &name).unwrap_or(false))
}
