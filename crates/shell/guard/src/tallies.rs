//! What is counted of sessions: for TLS reports, in memory until the next flush; and how domains were reached.

use crate::{Guard, Held, Hop};
use dns::Fault;
use net::{Mismatch, Verdict};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use transport::report::{Applied, Failure, ResultType, Tally};
use transport::seen::Reached;
use transport::{Refusal, Source};

/// Domains counted between two flushes; a flood of others is not.
const DOMAINS_MAX: usize = 20_000;

/// How a session to a host began.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    /// The recipients' domain, where hosts are found by MX: others get no reports, and no level is remembered.
    pub domain: Option<&'a str>,
    /// The host.
    pub host: &'a str,
    /// Its address.
    pub address: Option<IpAddr>,
    /// Ours.
    pub local: Option<IpAddr>,
    /// What was demanded.
    pub held: &'a Held,
    /// Whether TLS came about.
    pub is_encrypted: bool,
    /// What the certificate proved.
    pub verdict: Verdict,
    /// Why TLS did not come about, if it was tried.
    pub why: Option<&'a str>,
}

#[derive(Default)]
pub(crate) struct Tallies {
    counted: Mutex<HashMap<(u32, String), Tally>>,
}

impl Tallies {
    pub(crate) fn count(&self, session: &Session<'_>, now: i64) {
        let Some(domain) = session.domain else { return };
        let failure = failure(session);
        self.add(domain, &session.held.applied, failure.as_ref(), now);
    }

    pub(crate) fn dnssec_failed(&self, hop: &Hop<'_>, fault: &Fault, now: i64) {
        let Some(domain) = hop.domain.filter(|_| *fault == Fault::Bogus) else { return };
        let failure = at(hop.host, ResultType::DnssecInvalid, fault.to_string());
        self.add(domain, &Applied::Tlsa(hop.host.to_owned(), Vec::new()), Some(&failure), now);
    }

    pub(crate) fn policy_failed(&self, domain: &str, result: ResultType, why: &str, now: i64) {
        let failure = at("", result, why.to_owned());
        self.add(domain, &Applied::Sts(Vec::new(), Vec::new()), Some(&failure), now);
    }

    pub(crate) fn refused(&self, domain: &str, host: &str, refusal: &Refusal, applied: &Applied, now: i64) {
        let result = match refusal {
            Refusal::NotInPolicy => ResultType::ValidationFailure,
            Refusal::NoDane => ResultType::DaneRequired,
            Refusal::ClearRoute | Refusal::UnprovenHost => return,
        };
        self.add(domain, applied, Some(&at(host, result, refusal.to_string())), now);
    }

    fn add(&self, domain: &str, applied: &Applied, failure: Option<&Failure>, now: i64) {
        let day = u32::try_from(now / 86_400).unwrap_or(0);
        let mut counted = self.counted.lock();
        let key = (day, domain.to_owned());
        if counted.len() < DOMAINS_MAX || counted.contains_key(&key) {
            counted.entry(key).or_default().count(applied, failure);
        }
    }

    /// Hands out what was counted, by day.
    pub(crate) fn take(&self) -> Vec<(u32, Vec<(String, Tally)>)> {
        let mut by_day: HashMap<u32, Vec<(String, Tally)>> = HashMap::new();
        for ((day, domain), tally) in std::mem::take(&mut *self.counted.lock()) {
            by_day.entry(day).or_default().push((domain, tally));
        }
        by_day.into_iter().collect()
    }
}

fn at(host: &str, result: ResultType, reason: String) -> Failure {
    Failure { result, sending_ip: String::new(), mx: host.to_owned(), receiving_ip: String::new(), reason }
}

/// What a report says of a session; None: it met its policy.
fn failure(session: &Session<'_>) -> Option<Failure> {
    let (result, reason) = match (session.is_encrypted, session.verdict) {
        (_, Some(Err(why))) if session.held.applied != Applied::NoPolicy => (result_of(why), why.to_string()),
        (true, _) => return None,
        (false, _) => match session.why {
            Some(why) => (ResultType::ValidationFailure, why.to_owned()),
            None => (ResultType::StarttlsNotSupported, String::new()),
        },
    };
    let text = |address: Option<IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    Some(Failure {
        sending_ip: text(session.local),
        receiving_ip: text(session.address),
        ..at(session.host, result, reason)
    })
}

fn result_of(mismatch: Mismatch) -> ResultType {
    match mismatch {
        Mismatch::OtherHost => ResultType::CertificateHostMismatch,
        Mismatch::Expired => ResultType::CertificateExpired,
        Mismatch::NotTrusted => ResultType::CertificateNotTrusted,
        Mismatch::NoTlsaMatch | Mismatch::Broken => ResultType::ValidationFailure,
    }
}

impl Guard {
    /// Keeps how the domain was reached.
    pub(crate) fn remember(&self, session: &Session<'_>, now: i64) {
        let Some(domain) = session.domain else { return };
        let seen = match self.memory.seen(domain) {
            Ok(seen) => seen,
            Err(error) => {
                return tracing::error!(domain, %error, "what is remembered of the domain can't be read");
            }
        };
        let reached = match (session.is_encrypted, session.verdict) {
            (true, Some(Ok(()))) => Reached::Authenticated,
            (true, _) => Reached::Encrypted,
            (false, _) => Reached::Clear,
        };
        // A session that was given up for want of TLS reached nothing.
        let next = if !session.is_encrypted && !session.held.demand.allows_clear() {
            if session.held.demand.source == Source::Memory {
                tracing::warn!(
                    domain,
                    host = session.host,
                    "the domain always had TLS and has none now: somebody may be in between; its mail waits"
                );
            }
            seen.lacked(now)
        } else {
            if seen.lost_authentication(reached) {
                tracing::warn!(
                    domain,
                    host = session.host,
                    ?reached,
                    "the domain's certificates used to prove its hosts, and this one does not"
                );
            }
            seen.after(reached, now)
        };
        if let Some(next) = next {
            // Nobody waits for it: it is memory.
            drop(self.memory.keep_seen(domain, &next));
        }
    }
}
