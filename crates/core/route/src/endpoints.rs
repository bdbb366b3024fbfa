//! The addresses of the chosen hosts, in the order in which they are dialled.

use crate::hosts::shuffle;
use std::net::IpAddr;

/// Addresses dialled for one job at most, over all hosts.
pub const ADDRESSES_MAX: usize = 12;

/// Which address family is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Family {
    /// Both, IPv6 first, and each the other's way out.
    #[default]
    Both,
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
}

/// A host with its addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// As DNS names it, in ASCII: what the certificate has to say.
    pub name: String,
    /// In the order in which they are dialled.
    pub addresses: Vec<IpAddr>,
}

/// Puts one host's addresses in order (RFC 5321 §5.1 leaves that to who asks the resolver): each family shuffled, then one of each in turn, so that a family that does not
/// work here (RFC 5321 §5.2) costs one attempt before the other is tried.
pub fn order_addresses(addresses: &[IpAddr], family: Family, random: &mut dyn FnMut() -> u64) -> Vec<IpAddr> {
    let (mut six, mut four): (Vec<IpAddr>, Vec<IpAddr>) =
        addresses.iter().map(IpAddr::to_canonical).partition(IpAddr::is_ipv6);
    match family {
        Family::Both => {}
        Family::Ipv4 => six.clear(),
        Family::Ipv6 => four.clear(),
    }
    shuffle(&mut six, random);
    shuffle(&mut four, random);
    let mut ordered = Vec::with_capacity(six.len() + four.len());
    let (mut six, mut four) = (six.into_iter(), four.into_iter());
    loop {
        let (one, other) = (six.next(), four.next());
        if one.is_none() && other.is_none() {
            break;
        }
        ordered.extend(one);
        ordered.extend(other);
    }
    ordered.dedup();
    ordered.truncate(ADDRESSES_MAX);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(texts: &[&str], family: Family) -> Vec<String> {
        let addresses: Vec<IpAddr> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let mut zero = || 1;
        order_addresses(&addresses, family, &mut zero).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn families_take_turns() {
        let mixed = order(&["192.0.2.1", "192.0.2.2", "2001:db8::1"], Family::Both);
        assert_eq!(mixed[0], "2001:db8::1");
        assert!(mixed[1].starts_with("192.0.2.") && mixed[2].starts_with("192.0.2."));
        assert_eq!(order(&["192.0.2.1", "2001:db8::1"], Family::Ipv4), ["192.0.2.1"]);
        assert_eq!(order(&["192.0.2.1"], Family::Ipv6), [""; 0]);
        // A mapped address is an IPv4 one.
        assert_eq!(order(&["::ffff:192.0.2.1"], Family::Ipv4), ["192.0.2.1"]);
    }

    #[test]
    fn there_are_not_too_many() {
        let many: Vec<IpAddr> = (0..200u8).map(|n| IpAddr::from([10, 0, 0, n])).collect();
        assert_eq!(order_addresses(&many, Family::Both, &mut || 7).len(), ADDRESSES_MAX);
    }
}
