//! Which of our addresses a connection is made from: those of a route in turn, for each address family and each route
//! apart, so that however the connections of several mix, each address has its share.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;

/// Whose turn it is.
#[derive(Default)]
pub(crate) struct Sources {
    /// As many as routes have different addresses.
    turns: Mutex<HashMap<Vec<IpAddr>, usize>>,
}

impl Sources {
    /// The next of `given` that is of the family of where it goes; None: the system chooses.
    pub(crate) fn next(&self, given: &[IpAddr], towards: IpAddr) -> Option<IpAddr> {
        let fitting: Vec<IpAddr> =
            given.iter().copied().filter(|one| one.is_ipv4() == towards.is_ipv4()).collect();
        if fitting.len() < 2 {
            return fitting.first().copied();
        }
        let mut turns = self.turns.lock();
        let turn = turns.entry(fitting.clone()).or_default();
        *turn = (*turn + 1) % fitting.len();
        Some(fitting[*turn])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_its_share_however_routes_and_families_mix() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let one = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"].map(address);
        let other = ["192.0.2.3", "192.0.2.4"].map(address);
        let (four, six) = (address("203.0.113.1"), address("2001:db8:1::1"));
        let (sources, mut counts) = (Sources::default(), HashMap::<IpAddr, u32>::new());
        for _ in 0..10 {
            for (given, towards) in [(&one[..], four), (&one[..], six), (&other[..], four)] {
                let source = sources.next(given, towards).unwrap();
                assert_eq!(source.is_ipv4(), towards.is_ipv4());
                *counts.entry(source).or_default() += 1;
            }
        }
        assert_eq!((counts.len(), counts.values().all(|count| *count == 5)), (6, true), "{counts:?}");
        assert_eq!(sources.next(&other, six), None);
        assert_eq!(sources.next(&other[..1], four), Some(other[0]));
    }
}
