//! What is accepted, from whom, for whom: pure decisions over the directory and the configuration.
//!
//! Invariants:
//!
//! - No open relay: mail for a domain that is not ours is taken only from who logged in or from an own network.
//! - One recipient's answer never depends on another's.
//! - A refusal is a value with its reply code, enhanced code (RFC 3463) and a text that helps who reads it.

mod limiter;
mod meaning;
mod recipient;
mod refusal;
mod sender;
mod verify;

pub use limiter::{ConnectionLimiter, Crowded, Ticket};
pub use meaning::Meaning;
pub use recipient::{Destination, Proposed, Room};
pub use refusal::{Refusal, Verdict};
pub use verify::{Members, Verified};

use directory::Directory;
use engine::AccountId;
use ipnet::IpNet;
use model::{Domain, EmailAddress};
use rewriting::Rewriting;
use std::net::IpAddr;
use std::time::Duration;

/// What a logged-in user may put into MAIL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SenderRule {
    /// His address, its subaddresses, his aliases, and `<>`.
    Own,
    /// Any address.
    Any,
}

/// What of an address of ours in MAIL from who has not logged in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LocalSenderRule {
    /// Taken as any other: telling forgeries is for SPF, DKIM and DMARC.
    Unchecked,
    /// It must exist and not be disabled: nobody would get the bounce.
    MustExist,
}

/// For whom VRFY and EXPN work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerifyRule {
    /// Nobody.
    Nobody,
    /// Who logged in.
    Users,
}

/// What an SMTP listener is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Port 25: other servers, and own networks.
    Relay,
    /// Ports 587 and 465: nothing without log-in (RFC 6409 §4.3).
    Submission,
    /// LMTP: local deliveries only, no relaying (RFC 2033).
    Lmtp,
}

/// The rules.
#[derive(Clone, Debug)]
pub struct Policy {
    /// May relay without log-in.
    pub own_networks: Vec<IpNet>,
    /// What a user may send as.
    pub sender_rule: SenderRule,
    /// What strangers may send as.
    pub local_sender_rule: LocalSenderRule,
    /// Who may ask for addresses.
    pub verify_rule: VerifyRule,
    /// Recipients of one message at most (RFC 5321 §4.5.3.1.8: at least 100).
    pub recipients_max: usize,
    /// How addresses change on their way.
    pub rewriting: Rewriting,
    /// Whose mail waits until they fetch it.
    pub on_demand: Vec<OnDemand>,
}

/// A customer whose mail waits here until he turns a connection round (ATRN, RFC 2645).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnDemand {
    /// Who logs in.
    pub account: EmailAddress,
    /// What is his.
    pub domains: Vec<Domain>,
    /// The shortest time between two requests for one of these domains (RFC 2645 §5.2.1).
    pub interval_min: Duration,
}

impl Policy {
    /// Whether mail for this domain waits to be fetched.
    pub fn is_on_demand(&self, domain: &str) -> bool {
        self.on_demand.iter().flat_map(|one| &one.domains).any(|one| one.as_str() == domain)
    }

    /// The domains of the customer who has logged in.
    pub fn domains_on_demand(&self, account: &EmailAddress) -> Vec<Domain> {
        let his = self.on_demand.iter().filter(|one| one.account == *account);
        his.flat_map(|one| one.domains.iter().cloned()).collect()
    }

    /// The shortest time between two requests of this customer for one domain.
    pub fn interval_on_demand(&self, account: &EmailAddress) -> Duration {
        let his = self.on_demand.iter().filter(|one| one.account == *account);
        his.map(|one| one.interval_min).max().unwrap_or_default()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            own_networks: Vec::new(),
            sender_rule: SenderRule::Own,
            local_sender_rule: LocalSenderRule::Unchecked,
            verify_rule: VerifyRule::Nobody,
            recipients_max: 1000,
            rewriting: Rewriting::default(),
            on_demand: Vec::new(),
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// None: a unix socket.
    pub address: Option<IpAddr>,
    /// Logged in as.
    pub user: Option<AccountId>,
    /// Through which kind of listener.
    pub role: Role,
}

/// The rules applied to one server's directory. Put one together for each question; it costs nothing.
#[derive(Clone, Copy)]
pub struct Decider<'a> {
    /// The rules.
    pub policy: &'a Policy,
    /// The directory.
    pub directory: &'a Directory,
}

impl Decider<'_> {
    /// Whether the client's address is in an own network.
    pub fn is_own_network(&self, client: &Client) -> bool {
        // An IPv4 peer seen through an IPv6 socket (::ffff:a.b.c.d) is that IPv4 peer.
        let address = client.address.map(|address| address.to_canonical());
        address
            .is_some_and(|address| self.policy.own_networks.iter().any(|network| network.contains(&address)))
    }
}

#[cfg(test)]
mod testing;
