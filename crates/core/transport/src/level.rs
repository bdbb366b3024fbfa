//! Which TLS is demanded of a host: the route's wish, what the domain publishes (DANE before MTA-STS, RFC 8461 §2), what
//! the sender wants (RFC 8689), and what the domain was seen to do before. Pure.

use crate::dane::Dane;
use crate::sts::{Mode, Policy};
use model::Tlsa;
use route::TlsWish;
use std::fmt;

/// What the sender of a message wants (RFC 8689).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum SenderWish {
    /// Nothing said.
    #[default]
    Usual,
    /// REQUIRETLS.
    Required,
    /// `TLS-Required: No`.
    Waived,
}

/// Whether TLS is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Use {
    /// Not even if offered.
    Never,
    /// If offered and it works; else in clear (RFC 7435).
    IfOffered,
    /// Or the host is not used.
    Always,
}

/// What the host's certificate has to be.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Proof {
    /// Anything.
    Nothing,
    /// One that a known authority signed for one of the names.
    Authority,
    /// One that a TLSA record means.
    Dane(Vec<Tlsa>),
}

/// What becomes of a host whose certificate is not that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Force {
    /// It is not used.
    Enforced,
    /// It is used all the same; the failure is noted.
    Noted,
}

/// Who made the demand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// The configuration.
    Route,
    /// TLSA records of the host.
    Dane,
    /// The domain's MTA-STS policy.
    Sts,
    /// The sender (REQUIRETLS).
    Sender,
    /// The domain was always sent to with TLS before.
    Memory,
}

/// What is demanded of a connection. Connections are shared between messages that demand the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Demand {
    /// Whether TLS is spoken.
    pub tls: Use,
    /// What the certificate has to be.
    pub proof: Proof,
    /// The names one of which the certificate has to bear (of a DANE-EE record none).
    pub names: Vec<String>,
    /// What a wrong certificate leads to.
    pub force: Force,
    /// Who demands it.
    pub source: Source,
    /// A failure is for good: the sender wanted no delivery without TLS (RFC 8689 §4.2.1).
    pub is_final: bool,
}

impl Demand {
    /// No TLS at all.
    pub fn clear() -> Demand {
        Demand {
            tls: Use::Never,
            proof: Proof::Nothing,
            names: Vec::new(),
            force: Force::Noted,
            source: Source::Route,
            is_final: false,
        }
    }

    /// Whether a message may go in clear when TLS fails.
    pub fn allows_clear(&self) -> bool {
        self.tls != Use::Always
    }
}

/// Why a host can't be used at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The domain's policy does not name it (RFC 8461 §4.1).
    NotInPolicy,
    /// The route wants DANE, and there are no usable records.
    NoDane,
    /// REQUIRETLS, and the route forbids TLS.
    ClearRoute,
    /// REQUIRETLS, and nothing proves that this is a host of the domain (RFC 8689 §4.2.1 point 2).
    UnprovenHost,
}

impl Refusal {
    /// Whether another attempt can't help: the sender asked to be told.
    pub fn is_final(&self) -> bool {
        matches!(self, Refusal::ClearRoute | Refusal::UnprovenHost)
    }

    /// The enhanced status code (RFC 8689 §4.2.1 for REQUIRETLS; RFC 3463 X.7.5, cryptographic failure).
    pub fn status(&self) -> &'static str {
        if self.is_final() { "5.7.10" } else { "4.7.5" }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::NotInPolicy => "the domain's MTA-STS policy does not allow this host",
            Refusal::NoDane => "the route demands DANE, and the host has no usable and securely signed TLSA records",
            Refusal::ClearRoute => "the sender demands TLS (REQUIRETLS), and the route to this host has none",
            Refusal::UnprovenHost => {
                "the sender demands TLS (REQUIRETLS), and neither DNSSEC nor MTA-STS proves that this is a host of the domain"
            }
        })
    }
}

/// What is known of a host.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The route's wish.
    pub wish: TlsWish,
    /// The sender's.
    pub sender: SenderWish,
    /// The host, as the MX record or the configuration names it.
    pub host: &'a str,
    /// Whether the host is known to be the right one: configured, or found through signed MX records.
    pub is_proven: bool,
    /// Its TLSA records.
    pub dane: &'a Dane,
    /// Names that count for DANE-TA (RFC 7672 §3.2.2).
    pub dane_names: &'a [String],
    /// The policy of the recipients' domain, where hosts are found by MX.
    pub sts: Option<&'a Policy>,
    /// The domain was always sent to with TLS, so that its sudden lack looks like an attack.
    pub was_encrypted: bool,
}

/// What is demanded of a host.
///
/// # Errors
/// It must not be used.
pub fn demand(facts: &Facts<'_>) -> Result<Demand, Refusal> {
    if facts.wish == TlsWish::None {
        return if facts.sender == SenderWish::Required {
            Err(Refusal::ClearRoute)
        } else {
            Ok(Demand::clear())
        };
    }
    let policy = facts.sts.filter(|policy| policy.mode != Mode::None);
    let enforced = policy.is_some_and(|policy| policy.mode == Mode::Enforce);
    let allowed = policy.is_some_and(|policy| policy.allows(facts.host));
    // RFC 8461 §5.1; RFC 8689 §4.2.2: the sender may waive what the recipient's domain wants.
    if enforced && !allowed && facts.sender != SenderWish::Waived {
        return Err(Refusal::NotInPolicy);
    }
    if facts.wish == TlsWish::DaneOnly && (!matches!(facts.dane, Dane::Usable(_)) || !facts.is_proven) {
        return Err(Refusal::NoDane);
    }
    let demand = published(facts, policy);
    match facts.sender {
        SenderWish::Usual => Ok(demand),
        SenderWish::Required => required(facts, allowed, demand),
        SenderWish::Waived if demand.source == Source::Route => Ok(demand),
        SenderWish::Waived => Ok(Demand { tls: Use::IfOffered, force: Force::Noted, ..demand }),
    }
}

/// What route, domain and memory demand.
fn published(facts: &Facts<'_>, policy: Option<&Policy>) -> Demand {
    let own = vec![facts.host.to_owned()];
    let of = |tls, proof, force, source| {
        let names = if matches!(proof, Proof::Dane(_)) { facts.dane_names.to_vec() } else { own.clone() };
        Demand { tls, proof, names, force, source, is_final: false }
    };
    // What the configuration says outright stands above what a domain publishes.
    if facts.wish == TlsWish::Verify {
        return of(Use::Always, Proof::Authority, Force::Enforced, Source::Route);
    }
    match facts.dane {
        Dane::Usable(records) => {
            return of(Use::Always, Proof::Dane(records.clone()), Force::Enforced, Source::Dane);
        }
        // RFC 7672 §2.2: encrypted, but authentication is not required.
        Dane::Unusable => return of(Use::Always, Proof::Authority, Force::Noted, Source::Dane),
        Dane::Absent => {}
    }
    let tls = if facts.wish == TlsWish::Require { Use::Always } else { Use::IfOffered };
    match policy {
        Some(policy) if policy.mode == Mode::Enforce => {
            of(Use::Always, Proof::Authority, Force::Enforced, Source::Sts)
        }
        // RFC 8461 §5: in testing mode mail goes on, and failures are reported.
        Some(_) => of(tls, Proof::Authority, Force::Noted, Source::Sts),
        None if facts.was_encrypted && tls == Use::IfOffered => {
            of(Use::Always, Proof::Authority, Force::Noted, Source::Memory)
        }
        None => of(tls, Proof::Authority, Force::Noted, Source::Route),
    }
}

/// RFC 8689 §4.2.1: points 2 and 4.
fn required(facts: &Facts<'_>, allowed: bool, demand: Demand) -> Result<Demand, Refusal> {
    if !facts.is_proven && !allowed {
        return Err(Refusal::UnprovenHost);
    }
    let demand = Demand { is_final: true, ..demand };
    if demand.tls == Use::Always && demand.force == Force::Enforced && demand.proof != Proof::Nothing {
        return Ok(demand);
    }
    Ok(Demand {
        tls: Use::Always,
        proof: Proof::Authority,
        names: vec![facts.host.to_owned()],
        force: Force::Enforced,
        source: Source::Sender,
        is_final: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "version: STSv1\nmode: MODE\nmx: mx.test\nmax_age: 86400\n";

    fn policy(mode: &str) -> Policy {
        Policy::parse(&POLICY.replace("MODE", mode)).unwrap()
    }

    fn usable() -> Dane {
        Dane::of(vec![Tlsa { usage: 3, selector: 1, matching: 1, data: vec![7; 32] }])
    }

    fn unusable() -> Dane {
        Dane::of(vec![Tlsa { usage: 0, selector: 1, matching: 1, data: vec![7; 32] }])
    }

    fn facts<'a>(dane: &'a Dane, sts: Option<&'a Policy>) -> Facts<'a> {
        Facts {
            wish: TlsWish::Opportunistic,
            sender: SenderWish::Usual,
            host: "mx.test",
            is_proven: false,
            dane,
            dane_names: &[],
            sts,
            was_encrypted: false,
        }
    }

    fn of(facts: &Facts<'_>) -> (Use, Force, Source) {
        let demand = demand(facts).unwrap();
        (demand.tls, demand.force, demand.source)
    }

    #[test]
    fn without_anything_tls_is_used_if_offered() {
        let none = facts(&Dane::Absent, None);
        assert_eq!(of(&none), (Use::IfOffered, Force::Noted, Source::Route));
        let seen = Facts { was_encrypted: true, ..none.clone() };
        assert_eq!(of(&seen), (Use::Always, Force::Noted, Source::Memory));
        for (wish, tls, force) in [
            (TlsWish::None, Use::Never, Force::Noted),
            (TlsWish::Require, Use::Always, Force::Noted),
            (TlsWish::Verify, Use::Always, Force::Enforced),
        ] {
            assert_eq!(of(&Facts { wish, ..seen.clone() }), (tls, force, Source::Route));
        }
        assert_eq!(demand(&Facts { wish: TlsWish::DaneOnly, ..seen }), Err(Refusal::NoDane));
    }

    #[test]
    fn dane_stands_before_sts_and_sts_hosts_count_all_the_same() {
        let (enforce, testing) = (policy("enforce"), policy("testing"));
        let (usable, unusable) = (usable(), unusable());
        assert_eq!(of(&facts(&usable, Some(&enforce))), (Use::Always, Force::Enforced, Source::Dane));
        assert_eq!(of(&facts(&unusable, Some(&testing))), (Use::Always, Force::Noted, Source::Dane));
        assert_eq!(of(&facts(&Dane::Absent, Some(&enforce))), (Use::Always, Force::Enforced, Source::Sts));
        assert_eq!(of(&facts(&Dane::Absent, Some(&testing))), (Use::IfOffered, Force::Noted, Source::Sts));
        let other = Facts { host: "other.test", ..facts(&usable, Some(&enforce)) };
        assert_eq!(demand(&other), Err(Refusal::NotInPolicy));
        let other = Facts { sts: Some(&testing), ..other };
        assert_eq!(of(&other).2, Source::Dane);
        let none = policy("none");
        assert_eq!(of(&facts(&Dane::Absent, Some(&none))).2, Source::Route);
    }

    #[test]
    fn dane_only_needs_records_and_signed_hosts() {
        let (usable, unusable) = (usable(), unusable());
        let wish = TlsWish::DaneOnly;
        assert_eq!(demand(&Facts { wish, ..facts(&usable, None) }), Err(Refusal::NoDane));
        assert!(demand(&Facts { wish, is_proven: true, ..facts(&usable, None) }).is_ok());
        assert_eq!(demand(&Facts { wish, is_proven: true, ..facts(&unusable, None) }), Err(Refusal::NoDane));
    }

    #[test]
    fn requiretls_wants_a_proven_host_and_a_proven_certificate() {
        // RFC 8689 §4.2.1.
        let sender = SenderWish::Required;
        let (enforce, testing) = (policy("enforce"), policy("testing"));
        assert_eq!(demand(&Facts { sender, ..facts(&Dane::Absent, None) }), Err(Refusal::UnprovenHost));
        let signed = Facts { sender, is_proven: true, ..facts(&Dane::Absent, None) };
        assert_eq!(of(&signed), (Use::Always, Force::Enforced, Source::Sender));
        assert!(demand(&signed).unwrap().is_final);
        let by_policy = Facts { sender, ..facts(&Dane::Absent, Some(&testing)) };
        assert_eq!(of(&by_policy), (Use::Always, Force::Enforced, Source::Sender));
        let (usable, unusable) = (usable(), unusable());
        assert_eq!(
            of(&Facts { dane: &usable, ..signed.clone() }),
            (Use::Always, Force::Enforced, Source::Dane)
        );
        assert_eq!(of(&Facts { dane: &unusable, ..signed.clone() }).1, Force::Enforced);
        let clear = Facts { wish: TlsWish::None, ..signed.clone() };
        assert_eq!(demand(&clear), Err(Refusal::ClearRoute));
        assert_eq!(demand(&clear).unwrap_err().status(), "5.7.10");
        let other = Facts { sts: Some(&enforce), host: "other.test", ..signed };
        assert_eq!(demand(&other), Err(Refusal::NotInPolicy));
    }

    #[test]
    fn the_sender_may_waive_what_the_domain_wants_but_not_what_the_route_says() {
        // RFC 8689 §4.2.2.
        let sender = SenderWish::Waived;
        let (enforce, usable) = (policy("enforce"), usable());
        for facts in
            [facts(&usable, Some(&enforce)), Facts { was_encrypted: true, ..facts(&Dane::Absent, None) }]
        {
            let waived = demand(&Facts { sender, host: "other.test", ..facts }).unwrap();
            assert!(waived.allows_clear());
            assert_eq!(waived.force, Force::Noted);
        }
        let wish = TlsWish::Verify;
        assert_eq!(of(&Facts { sender, wish, ..facts(&Dane::Absent, None) }).1, Force::Enforced);
    }
}
