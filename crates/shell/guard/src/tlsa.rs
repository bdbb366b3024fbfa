//! Where TLSA records of a host are looked for, and which names count with them (RFC 7672 §2.2).

use crate::Hop;
use dns::{Fault, Presence, Resolver, Tlsa};
use std::fmt::Write as _;
use std::net::IpAddr;
use transport::Dane;

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) dane: Dane,
    /// The TLSA base domain (RFC 7672 §2.2.3).
    pub(crate) base: String,
    /// RFC 7672 §3.2.2.
    pub(crate) names: Vec<String>,
    /// The records as text, for reports.
    pub(crate) texts: Vec<String>,
}

impl Found {
    pub(crate) fn none() -> Found {
        Found { dane: Dane::Absent, base: String::new(), names: Vec::new(), texts: Vec::new() }
    }
}

/// Looks the records up.
///
/// # Errors
/// RFC 7672 §2.1.2: what can't be found out makes the host unusable for now.
pub(crate) async fn look_up(resolver: &Resolver, hop: &Hop<'_>) -> Result<Found, Fault> {
    // RFC 7672 §2.2: DANE does not apply to addresses.
    if hop.host.parse::<IpAddr>().is_ok() {
        return Ok(Found::none());
    }
    for base in bases(resolver, hop.host).await? {
        let answer = resolver.tlsa(&base, hop.port).await?;
        if answer.presence != Presence::Found || !answer.status.is_secure() {
            continue;
        }
        let texts = answer.records.iter().map(text).collect();
        return Ok(Found {
            dane: Dane::of(answer.records),
            names: names(resolver, hop, &base).await,
            base,
            texts,
        });
    }
    Ok(Found::none())
}

/// The candidate base domains (RFC 7672 §2.2.2). Addresses come first: name servers of unsigned zones that fail on TLSA
/// questions must not be asked.
async fn bases(resolver: &Resolver, host: &str) -> Result<Vec<String>, Fault> {
    let addresses = resolver.addresses(host).await?;
    let is_alias = addresses.canonical != host.to_ascii_lowercase();
    if addresses.status.is_secure() {
        let mut bases = vec![addresses.canonical];
        if is_alias {
            bases.push(host.to_owned());
        }
        return Ok(bases);
    }
    // "Insecure CNAME": the alias itself may be signed although its target is not.
    if is_alias && resolver.cname(host).await?.status.is_secure() {
        return Ok(vec![host.to_owned()]);
    }
    Ok(Vec::new())
}

/// RFC 7672 §3.2.2: the base domain; behind signed MX records also the recipients' domain and what it is an alias of.
async fn names(resolver: &Resolver, hop: &Hop<'_>, base: &str) -> Vec<String> {
    let mut names = vec![base.to_owned()];
    if let Some(domain) = hop.domain.filter(|_| hop.is_proven) {
        names.push(domain.to_owned());
        if let Ok(answer) = resolver.mx(domain).await {
            names.push(answer.canonical);
        }
    } else if hop.is_proven {
        names.push(hop.host.to_owned());
    }
    let mut known = Vec::new();
    names.retain(|name| {
        !known.contains(name) && {
            known.push(name.clone());
            true
        }
    });
    names
}

fn text(record: &Tlsa) -> String {
    let mut text = format!("{} {} {} ", record.usage, record.selector, record.matching);
    for byte in &record.data {
        let _ = write!(text, "{byte:02X}");
    }
    text
}
