//! Log-ins.

use crate::Directory;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

/// What somebody logs in to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Service {
    /// Sending.
    Smtp,
    /// Reading.
    Imap,
    /// Fetching.
    Pop3,
}

impl Directory {
    /// Answers a question of a SASL exchange (or of USER/PASS, LOGIN) and says how long to hold the answer back. Give
    /// the peer's address when there is one (None: a unix socket). A [`sasl::Verdict::Unavailable`] without delay also
    /// means that too many wrong log-ins of this peer are being held back already: it should come again later.
    ///
    /// May run argon2 (some 30 ms of one core, 19 MiB): call it on a thread for blocking work. At most as many run at
    /// once as there are cores; the others wait in this call.
    pub fn answer(
        &self,
        question: &sasl::Question,
        service: Service,
        peer: Option<IpAddr>,
        now: SystemTime,
    ) -> (sasl::Reply, Duration) {
        panic!("{question:?} {service:?} {peer:?} {now:?}")
    }

    /// The account that a log-in name means: `user@domain`, `user` with the default domain, with or without a
    /// subaddress, or an alias that stands for exactly one account. For tools and tests; a log-in asks
    /// [`Directory::answer`].
    ///
    /// # Errors
    /// Reading failed.
    pub fn login_account(&self, name: &str) -> Result<Option<crate::Account>, crate::Error> {
        panic!("{name}")
    }
}
