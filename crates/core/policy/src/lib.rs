//! What is accepted, from whom, for whom: pure decisions over the directory and the configuration.
//!
//! Invariants:
//!
//! - No open relay: mail for a domain that is not ours is taken only from who logged in or from an own network.
//! - One recipient's answer never depends on another's.
//! - A refusal is a value with its reply code, enhanced code (RFC 3463) and a text that helps who reads it.

mod limiter;
mod recipient;
mod refusal;
mod sender;
mod verify;

pub use limiter::{ConnectionLimiter, Ticket};
pub use recipient::{Destination, Room};
pub use refusal::{Refusal, Verdict};
pub use verify::Verified;

use directory::Directory;
use engine::AccountId;
use ipnet::IpNet;
use std::net::IpAddr;

/// What a logged-in user may put into MAIL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SenderRule {
    /// His address, its subaddresses, his aliases, and `<>`.
    Own,
    /// Any address.
    Any,
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

/// The rules. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policy {
    /// May relay without log-in.
    pub own_networks: Vec<IpNet>,
    /// What a user may send as.
    pub sender_rule: SenderRule,
    /// Who may ask for addresses.
    pub verify_rule: VerifyRule,
    /// Recipients of one message at most (RFC 5321 §4.5.3.1.8: at least 100).
    pub recipients_max: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            own_networks: Vec::new(),
            sender_rule: SenderRule::Own,
            verify_rule: VerifyRule::Nobody,
            recipients_max: 1000,
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

/// The rules applied to one server's directory.
pub struct Decider<'a> {
    /// The rules.
    pub policy: &'a Policy,
    /// The directory.
    pub directory: &'a Directory,
}
