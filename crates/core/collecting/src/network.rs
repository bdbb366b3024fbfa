//! Where sources may lie: whoever may name a host to this server must not look through it into the network behind it.

use crate::Protocol;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks that sources may lie in.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Networks {
    /// Besides the public Internet; there on any port.
    pub also: Vec<IpNet>,
}

impl Networks {
    /// Whether a source may be at that address and port.
    ///
    /// # Errors
    /// Why not, for people: what is not public, and on public addresses ports that mailboxes are never at.
    pub fn permit(&self, address: IpAddr, port: u16, protocol: Protocol) -> Result<(), String> {
        let address = address.to_canonical();
        if self.also.iter().any(|network| network.contains(&address)) {
            return Ok(());
        }
        if !is_public(address) {
            return Err(format!(
                "{address} is not an address of the public Internet; \
                 whoever runs this server may permit it with [collect] networks"
            ));
        }
        let usual: [u16; 2] = match protocol {
            Protocol::Pop3 => [110, 995],
            Protocol::Imap => [143, 993],
        };
        if !usual.contains(&port) {
            return Err(format!(
                "port {port} of {address} is none of {} and {}; \
                 whoever runs this server may permit it with [collect] networks",
                usual[0], usual[1]
            ));
        }
        Ok(())
    }
}

/// Whether an address is one of the public Internet, to all that can be told from itself (RFC 6890 and its registries).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match a {
        0 | 10 | 127 | 224.. => true,
        // RFC 6598: shared address space of carriers.
        100 => b & 0xc0 == 64,
        169 => b == 254,
        172 => b & 0xf0 == 16,
        // RFC 6890 §2.2.2: protocol assignments; RFC 5737: documentation; RFC 7526: 6to4 relays.
        192 => b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99),
        // RFC 2544: benchmarks; RFC 5737.
        198 => b & 0xfe == 18 || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let v4_at = |at: usize| {
        let [a, b] = parts[at].to_be_bytes();
        let [c, d] = parts[at + 1].to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // RFC 6052 §2.1: an IPv4 address behind a translator.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => v4_at(6),
        // RFC 3056: 6to4.
        [0x2002, ..] => v4_at(1),
        // RFC 2928, RFC 4380: Teredo and other protocol assignments; RFC 3849, RFC 9637: documentation.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        // RFC 4291 §2.4: what is global unicast so far.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_public() {
        for text in [
            "8.8.8.8",
            "100.63.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "2606:4700::1",
            "2002:808:808::1",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
            "2001:200::1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.19.9.9",
            "198.51.100.1",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "64:ff9b:1::1",
            "::127.0.0.1",
            "3fff::1",
            "100::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn ports_and_permitted_networks() {
        let closed = Networks::default();
        let open = Networks { also: vec!["127.0.0.0/8".parse().unwrap()] };
        let (here, there) = ("127.0.0.1".parse().unwrap(), "8.8.8.8".parse().unwrap());
        assert!(closed.permit(here, 993, Protocol::Imap).is_err());
        assert_eq!(open.permit(here, 4711, Protocol::Imap), Ok(()));
        assert_eq!(open.permit("::ffff:127.0.0.1".parse().unwrap(), 4711, Protocol::Imap), Ok(()));
        assert_eq!(closed.permit(there, 993, Protocol::Imap), Ok(()));
        assert!(closed.permit(there, 995, Protocol::Imap).is_err());
        assert!(open.permit(there, 22, Protocol::Pop3).is_err());
        assert_eq!(closed.permit(there, 110, Protocol::Pop3), Ok(()));
    }
}
