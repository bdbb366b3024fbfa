//! The next hop as the configuration words it, and address literals.

use model::Domain;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

/// A host to dial: named or numbered.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum HostName {
    /// To be looked up (A and AAAA, never MX).
    Name(Domain),
    /// Known already.
    Address(IpAddr),
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostName::Name(name) => f.write_str(&name.to_ascii()),
            HostName::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            HostName::Address(address) => address.fmt(f),
        }
    }
}

/// Where a route leads.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum NextHop {
    /// To the hosts that the recipient's domain publishes.
    Mx,
    /// To this one, whatever the domain.
    Host {
        /// Which.
        host: HostName,
        /// None: the protocol's own port.
        port: Option<u16>,
    },
    /// To a unix socket (LMTP).
    Unix(PathBuf),
}

/// Why a text is no next hop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NextHopError(String);

impl fmt::Display for NextHopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no next hop: write \"mx\", \"relay.example.org:587\", \"192.0.2.1:25\", \"[2001:db8::1]:25\" or \"unix:/path\"",
            self.0
        )
    }
}

impl std::error::Error for NextHopError {}

impl FromStr for NextHop {
    type Err = NextHopError;

    fn from_str(text: &str) -> Result<NextHop, NextHopError> {
        let wrong = || NextHopError(text.to_owned());
        if text.eq_ignore_ascii_case("mx") {
            return Ok(NextHop::Mx);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(wrong()) } else { Ok(NextHop::Unix(path.into())) };
        }
        let port = |text: &str| text.parse().ok().filter(|port| *port != 0).map(Some).ok_or_else(wrong);
        if let Some(rest) = text.strip_prefix('[') {
            let (address, behind) = rest.split_once(']').ok_or_else(wrong)?;
            let address = address.parse::<IpAddr>().map_err(|_| wrong())?;
            let port = match behind.strip_prefix(':') {
                Some(digits) => port(digits)?,
                None if behind.is_empty() => None,
                None => return Err(wrong()),
            };
            return Ok(NextHop::Host { host: HostName::Address(address), port });
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(NextHop::Host { host: HostName::Address(address), port: None });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, digits)) => (host, port(digits)?),
            None => (text, None),
        };
        let host = match host.parse::<Ipv4Addr>() {
            Ok(address) => HostName::Address(address.into()),
            Err(_) => HostName::Name(Domain::new(host).map_err(|_| wrong())?),
        };
        Ok(NextHop::Host { host, port })
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NextHop::Mx => f.write_str("mx"),
            NextHop::Unix(path) => write!(f, "unix:{}", path.display()),
            NextHop::Host { host, port: None } => host.fmt(f),
            NextHop::Host { host, port: Some(port) } => write!(f, "{host}:{port}"),
        }
    }
}

/// The address in a domain that is an address literal (RFC 5321 §4.1.3). None: it is a name. An `Err` is a literal of
/// another kind, which nobody can dial.
///
/// # Errors
/// The literal, where it is no address.
pub fn literal(domain: &Domain) -> Option<Result<IpAddr, String>> {
    let text = domain.as_str();
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let address = match inner.strip_prefix("ipv6:") {
        Some(rest) => rest.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => inner.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    };
    Some(address.ok_or_else(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_hops_are_read_and_shown() {
        let cases = [
            ("mx", "mx"),
            ("MX", "mx"),
            ("unix:/run/lmtp", "unix:/run/lmtp"),
            ("127.0.0.1:10025", "127.0.0.1:10025"),
            ("127.0.0.1", "127.0.0.1"),
            ("[2001:db8::1]:25", "[2001:db8::1]:25"),
            ("2001:db8::1", "[2001:db8::1]"),
            ("[192.0.2.1]", "192.0.2.1"),
            ("Relay.Example.ORG:587", "relay.example.org:587"),
            ("почта.рф", "xn--80a1acny.xn--p1ai"),
        ];
        for (text, shown) in cases {
            let hop: NextHop = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(hop.to_string(), shown);
            assert_eq!(hop.to_string().parse(), Ok(hop), "{text}");
        }
        for text in ["", "a:b", "a:0", "a:70000", "[::1", "[x]:25", "[::1]25", "unix:", "a b", ":25"] {
            assert!(text.parse::<NextHop>().is_err(), "{text}");
        }
    }

    #[test]
    fn literals_of_both_families() {
        let of = |text: &str| literal(&Domain::new(text).unwrap());
        assert_eq!(of("[192.0.2.7]"), Some(Ok("192.0.2.7".parse().unwrap())));
        assert_eq!(of("[IPv6:2001:DB8::7]"), Some(Ok("2001:db8::7".parse().unwrap())));
        assert_eq!(of("x.test"), None);
        // RFC 5321 §4.1.3: an IPv6 address stands behind its tag.
        for bad in ["[2001:db8::7]", "[ipv6:192.0.2.1]", "[x400:abc]", "[192.0.2.256]"] {
            assert!(matches!(of(bad), Some(Err(_))), "{bad}");
        }
    }
}
