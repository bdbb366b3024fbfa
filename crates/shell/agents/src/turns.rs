//! Connections that customers have turned round (ATRN, RFC 2645), on their way from the session to who sends; and how
//! often they may.

use model::Domain;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A connection on which the peer is the server now. He greets first.
pub struct Turn {
    /// The connection.
    pub stream: net::Stream,
    /// What may be sent over it: mail for these domains, and nothing else.
    pub domains: Vec<Domain>,
    /// The account that logged in.
    pub customer: String,
    /// Dropped when the connection is over.
    pub over: oneshot::Sender<()>,
}

type Taker = Box<dyn Fn(Turn) + Send + Sync>;

/// Who takes them.
#[derive(Default)]
pub struct Turns {
    taker: OnceLock<Taker>,
    /// When each domain was asked for last; there are no more of them than were ever configured.
    asked: Mutex<HashMap<Domain, Instant>>,
}

impl Turns {
    /// Sets who takes them, by a call that must not wait. The first one stays.
    pub fn taken_by(&self, taker: impl Fn(Turn) + Send + Sync + 'static) {
        let _ = self.taker.set(Box::new(taker));
    }

    /// Hands one over; without anybody who takes it, it is closed.
    pub(crate) fn give(&self, turn: Turn) {
        if let Some(taker) = self.taker.get() {
            taker(turn);
        }
    }

    /// Notes that a customer asks for domains that are his. RFC 2645 §5.2.1: what is asked for more often than once in
    /// `interval` is refused; then nothing is noted.
    ///
    /// # Errors
    /// How long he has to wait.
    pub(crate) fn ask(&self, domains: &[Domain], interval: Duration, now: Instant) -> Result<(), Duration> {
        let mut asked = self.asked.lock();
        let left = |domain| Some(interval.saturating_sub(now.saturating_duration_since(*asked.get(domain)?)));
        if let Some(left) = domains.iter().filter_map(left).max().filter(|left| !left.is_zero()) {
            return Err(left);
        }
        asked.extend(domains.iter().map(|domain| (domain.clone(), now)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_domain_is_asked_for_once_in_a_time() {
        let (turns, begun) = (Turns::default(), Instant::now());
        let [y, z] = ["y.test", "z.test"].map(|name| Domain::new(name).unwrap());
        let (y, both) = ([y.clone()], [y, z]);
        let ask = |domains: &[Domain], seconds| {
            turns.ask(domains, Duration::from_secs(10), begun + Duration::from_secs(seconds))
        };
        assert_eq!(ask(&y, 0), Ok(()));
        assert_eq!(ask(&both[1..], 1), Ok(()), "another domain");
        assert_eq!(ask(&y, 4), Err(Duration::from_secs(6)));
        assert_eq!(ask(&both, 10), Err(Duration::from_secs(1)), "one of them too early");
        assert_eq!(ask(&y, 10), Ok(()), "what was refused does not count");
        assert_eq!(ask(&both, 20), Ok(()));
        assert_eq!(turns.ask(&both, Duration::ZERO, begun), Ok(()), "no limit, and a clock that goes back");
    }
}
