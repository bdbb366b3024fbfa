//! Connections per address.

use directory::throttle::network_of;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Counts open connections per address (IPv6: per /64). Holds one small entry for each address that has any, so its
/// memory is bounded by the total.
#[derive(Clone)]
pub struct ConnectionLimiter {
    inner: Arc<Inner>,
}

struct Inner {
    per_address: usize,
    total: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why there is no place for another connection; each is a 421 (RFC 5321 §3.8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crowded {
    /// This peer has too many: 421 4.7.0.
    Address,
    /// All together are too many: 421 4.3.2.
    Server,
}

/// Counts as one connection until dropped.
pub struct Ticket {
    inner: Arc<Inner>,
    address: IpAddr,
}

impl ConnectionLimiter {
    /// At most `per_address` from one address and `total` altogether.
    pub fn new(per_address: usize, total: usize) -> ConnectionLimiter {
        ConnectionLimiter { inner: Arc::new(Inner { per_address, total, open: Mutex::default() }) }
    }

    /// A ticket for one more connection.
    ///
    /// # Errors
    /// There are too many.
    pub fn admit(&self, address: IpAddr) -> Result<Ticket, Crowded> {
        let address = network_of(address);
        let mut open = self.inner.open.lock();
        if open.by_address.get(&address).is_some_and(|&count| count >= self.inner.per_address) {
            return Err(Crowded::Address);
        }
        if open.all >= self.inner.total {
            return Err(Crowded::Server);
        }
        open.all += 1;
        *open.by_address.entry(address).or_default() += 1;
        Ok(Ticket { inner: self.inner.clone(), address })
    }

    /// Open connections.
    pub fn open(&self) -> usize {
        self.inner.open.lock().all
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.inner.open.lock();
        open.all -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let limiter = ConnectionLimiter::new(2, 3);
        let first = limiter.admit(ip("192.0.2.1")).unwrap();
        let _second = limiter.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(limiter.admit(ip("192.0.2.1")).err(), Some(Crowded::Address));
        let _third = limiter.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(limiter.admit(ip("192.0.2.3")).err(), Some(Crowded::Server));
        drop(first);
        assert_eq!(limiter.open(), 2);
        let again = limiter.admit(ip("192.0.2.1"));
        assert!(again.is_ok());
    }

    #[test]
    fn one_ipv6_host_is_its_64_and_nothing_stays_behind() {
        let limiter = ConnectionLimiter::new(1, 100);
        let held = limiter.admit(ip("2001:db8::1")).unwrap();
        assert!(limiter.admit(ip("2001:db8::2")).is_err());
        assert!(limiter.admit(ip("2001:db8:0:1::1")).is_ok());
        drop(held);
        assert_eq!((limiter.open(), limiter.inner.open.lock().by_address.len()), (0, 0));
    }
}
