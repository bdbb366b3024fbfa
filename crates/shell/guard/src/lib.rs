//! The guard of mail that leaves: asks the DNS and policy hosts what TLS a host has to show, lets [`transport`] decide,
//! remembers how sessions ended up, and counts them for TLS reports (RFC 8460).
//!
//! - `policies`: MTA-STS policies, fetched and kept (RFC 8461).
//! - `tlsa`: where TLSA records of a host are looked for (RFC 7672 §2.2).
//! - `https`: the requests for them, and for reports.
//! - `tallies`: what was counted.
//!
//! Invariants: a failing look-up of TLSA records makes a host unusable for now, never less secure (RFC 7672 §2.1.2); a
//! policy that was had holds until its end, whatever the network says in between.

pub mod https;
mod policies;
mod tallies;
#[cfg(test)]
mod tests;
mod tlsa;

pub use policies::Known;
pub use tallies::Session;

use dns::{Fault, Resolver};
use net::{ClientTls, TlsError};
use parking_lot::RwLock;
use policies::Policies;
use route::TlsWish;
use rustls::RootCertStore;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tallies::Tallies;
use transport::report::Applied;
use transport::{Dane, Demand, Facts, Memory, Refusal, SenderWish};

/// What the configuration says.
#[derive(Clone)]
pub struct Settings {
    /// Authorities that sign other servers' certificates.
    pub authorities: Arc<RootCertStore>,
    /// For how long after TLS was first missed a domain that always had it is not sent to in clear. Zero: never guarded.
    pub downgrade_grace: Duration,
}

/// See the crate.
pub struct Guard {
    resolver: Arc<Resolver>,
    memory: Memory,
    policies: Policies,
    tallies: Tallies,
    settings: RwLock<Arc<Trust>>,
}

/// Settings with what is made of them.
struct Trust {
    settings: Settings,
    https: ClientTls,
}

/// A host that may be used next.
#[derive(Clone, Debug)]
pub struct Hop<'a> {
    /// The recipients' domain (A-labels, lower case), where hosts are found by MX.
    pub domain: Option<&'a str>,
    /// The host: a name in A-labels, or an address.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// Whether it is known to be the right one: configured, or by signed MX records.
    pub is_proven: bool,
    /// The route's wish.
    pub wish: TlsWish,
    /// The sender's.
    pub sender: SenderWish,
}

/// What is demanded of a host, and by what it was decided.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Held {
    /// The demand.
    pub demand: Demand,
    /// The policy that a report names.
    pub applied: Applied,
}

/// Why a host can't be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// By what is known of it.
    Forbidden(Refusal),
    /// What has to be known of it can't be found out now.
    Unknown(Fault),
}

impl Refused {
    /// Whether another attempt can't help.
    pub fn is_final(&self) -> bool {
        matches!(self, Refused::Forbidden(refusal) if refusal.is_final())
    }

    /// The enhanced status code.
    pub fn status(&self) -> &'static str {
        match self {
            Refused::Forbidden(refusal) => refusal.status(),
            // RFC 3463 §3.8, X.7.5: cryptographic failure.
            Refused::Unknown(_) => "4.7.5",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Forbidden(refusal) => refusal.fmt(f),
            Refused::Unknown(fault) => {
                write!(f, "whether the host has TLSA records can't be found out: {fault}")
            }
        }
    }
}

impl Guard {
    /// A guard that remembers in `memory`. Policies are fetched from `sts_port` (443, but for tests).
    ///
    /// # Errors
    /// TLS can't be set up.
    pub fn new(
        resolver: Arc<Resolver>,
        memory: Memory,
        settings: Settings,
        sts_port: u16,
    ) -> Result<Guard, TlsError> {
        let settings = RwLock::new(Arc::new(Trust::new(settings)?));
        let policies = Policies::new(memory.clone(), sts_port);
        Ok(Guard { resolver, memory, policies, tallies: Tallies::default(), settings })
    }

    /// Takes other settings.
    ///
    /// # Errors
    /// TLS can't be set up; then the old ones stay.
    pub fn reload(&self, settings: Settings) -> Result<(), TlsError> {
        *self.settings.write() = Arc::new(Trust::new(settings)?);
        Ok(())
    }

    /// Authorities that sign other servers' certificates.
    pub fn authorities(&self) -> Arc<RootCertStore> {
        self.settings.read().settings.authorities.clone()
    }

    /// TLS for requests to hosts that have to prove themselves.
    pub fn https(&self) -> ClientTls {
        self.settings.read().https.clone()
    }

    /// What is remembered.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What is demanded of a host.
    ///
    /// # Errors
    /// It must not be used now.
    pub async fn demand(&self, hop: &Hop<'_>) -> Result<Held, Refused> {
        if hop.wish == TlsWish::None {
            return self.decide(hop, &Known::default(), &tlsa::Found::none());
        }
        let tls = self.https();
        let now = now();
        let known = async {
            match hop.domain {
                Some(domain) => self.policies.of(&self.resolver, &tls, domain, now).await,
                None => Known::default(),
            }
        };
        let (known, found) = tokio::join!(known, tlsa::look_up(&self.resolver, hop));
        let found = found.map_err(|fault| {
            self.tallies.dnssec_failed(hop, &fault, now);
            Refused::Unknown(fault)
        });
        // Where the sender waived it, what can't be found out does not hinder (RFC 8689 §4.2.2).
        let found = match found {
            Err(_) if hop.sender == SenderWish::Waived => tlsa::Found::none(),
            found => found?,
        };
        if let (Some(domain), Some((result, why))) = (hop.domain, &known.failure) {
            self.tallies.policy_failed(domain, *result, why, now);
        }
        let held = self.decide(hop, &known, &found);
        if let (Some(domain), Err(Refused::Forbidden(refusal))) = (hop.domain, &held) {
            self.tallies.refused(domain, hop.host, refusal, &applied(&known, &found), now);
        }
        held
    }

    fn decide(&self, hop: &Hop<'_>, known: &Known, found: &tlsa::Found) -> Result<Held, Refused> {
        let grace =
            i64::try_from(self.settings.read().settings.downgrade_grace.as_secs()).unwrap_or(i64::MAX);
        let seen = hop.domain.map(|domain| self.memory.seen(domain));
        let was_encrypted = matches!(seen, Some(Ok(seen)) if seen.forbids_clear(now(), grace));
        let facts = Facts {
            wish: hop.wish,
            sender: hop.sender,
            host: hop.host,
            is_proven: hop.is_proven,
            dane: &found.dane,
            dane_names: &found.names,
            sts: known.policy.as_ref().map(|fetched| &fetched.policy),
            was_encrypted,
        };
        let demand = transport::demand(&facts).map_err(Refused::Forbidden)?;
        Ok(Held { demand, applied: applied(known, found) })
    }

    /// Notes how a session began: for reports and for the memory of levels.
    pub fn note(&self, session: &Session<'_>) {
        let now = now();
        self.tallies.count(session, now);
        self.remember(session, now);
    }

    /// Brings what was counted to the disk; called now and then, and at the end.
    pub async fn flush(&self) {
        for (day, counted) in self.tallies.take() {
            if self.memory.add_tallies(day, counted).await.is_err() {
                tracing::error!("what was counted for TLS reports can't be kept");
            }
        }
    }

    /// Fetches policies again and forgets what is old; once a day.
    pub async fn daily(&self) {
        let tls = self.https();
        self.policies.refresh(&self.resolver, &tls, now()).await;
        let memory = self.memory.clone();
        let forgotten = tokio::task::spawn_blocking(move || memory.forget(now())).await;
        if !matches!(forgotten, Ok(Ok(()))) {
            tracing::error!("old transport security records can't be removed");
        }
    }
}

impl Trust {
    fn new(settings: Settings) -> Result<Trust, TlsError> {
        // A verifier without any authority can't be made; a server without one proves nobody.
        let https = if settings.authorities.is_empty() {
            tracing::warn!(
                "the system has no certificate authorities (package ca-certificates): no MTA-STS policy can be fetched"
            );
            let demand = Demand { names: Vec::new(), ..refuse_all() };
            net::HostProof::new(&demand, &settings.authorities)?.tls().clone()
        } else {
            ClientTls::verified(settings.authorities.clone())?
        };
        Ok(Trust { settings, https })
    }
}

fn refuse_all() -> Demand {
    Demand {
        tls: transport::Use::Always,
        proof: transport::Proof::Authority,
        force: transport::Force::Enforced,
        ..Demand::clear()
    }
}

/// What a report says was applied (RFC 8460 §4.4): DANE before MTA-STS.
fn applied(known: &Known, found: &tlsa::Found) -> Applied {
    if found.dane != Dane::Absent {
        return Applied::Tlsa(found.base.clone(), found.texts.clone());
    }
    match &known.policy {
        Some(fetched) if fetched.policy.mode != transport::sts::Mode::None => {
            let text = fetched.policy.to_text();
            Applied::Sts(text.lines().map(str::to_owned).collect(), fetched.policy.mx.clone())
        }
        _ => Applied::NoPolicy,
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
