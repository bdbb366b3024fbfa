//! Addresses that change on their way: SRS for what is forwarded, BATV for what our users send, sealed tokens in
//! addresses and URLs, and the operator's rewriting rules.
//!
//! Pure but for `kept.rs`, which writes long addresses under account 0. Invariants:
//!
//! - What comes back is believed only with a right hash: nobody else can make an address that is sent on from here.
//! - Local parts may lose their case on the way, so hashes and tokens are compared without it.
//! - An address that is made here is an address: it never grows beyond 64 octets before the `@` (RFC 5321 §4.5.3.1.1).

mod base32;
mod batv;
mod kept;
mod keys;
mod rules;
mod srs;
mod token;

pub use batv::Tagged;
pub use kept::{Kept, forget_older, original, remember};
pub use keys::Keys;
pub use rules::{Rule, RuleError, Rules};
pub use srs::{Forwarded, Returned};
pub use token::Purpose;

use model::{Domain, UnixTime};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Whether our users' reverse-paths are signed (draft-levine-smtp-batv).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Batv {
    /// They are not. Signed ones of before are still understood.
    #[default]
    Off,
    /// They are, in what leaves this server.
    Sign,
    /// They are, and a bounce to an unsigned address is refused: it answers nothing that was sent from here.
    Enforce,
}

/// How addresses change here.
#[derive(Clone, Default)]
pub struct Rewriting {
    /// Of all hashes.
    pub keys: Keys,
    /// The domain of SRS addresses. None: the one that the message came for.
    pub srs_domain: Option<Domain>,
    /// Signing of reverse-paths.
    pub batv: Batv,
    /// For recipients, when they come in.
    pub recipients: Rules,
    /// For reverse-paths of our users and own networks.
    pub senders: Rules,
}

impl std::fmt::Debug for Rewriting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rewriting")
            .field("srs_domain", &self.srs_domain)
            .field("batv", &self.batv)
            .field("recipients", &self.recipients)
            .field("senders", &self.senders)
            .finish_non_exhaustive()
    }
}

/// Days since 1970.
fn day(now: UnixTime) -> i64 {
    now.0.div_euclid(DAY)
}
