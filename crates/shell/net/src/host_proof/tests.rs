//! Chains made here, held against every kind of demand.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sha2::{Digest, Sha256, Sha512};
use time::OffsetDateTime;
use transport::{Source, Use};

struct Chain {
    host: CertificateDer<'static>,
    authority: CertificateDer<'static>,
}

fn chain(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Chain {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Authority of the test");
    let authority = params.self_signed(&key).unwrap().der().clone();
    let issuer = Issuer::new(params, key);
    let mut params =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    change(&mut params);
    let host = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().clone();
    Chain { host, authority }
}

fn verifier(proof: Proof, names: &[&str], authorities: &[&CertificateDer<'static>]) -> Verifier {
    let mut roots = RootCertStore::empty();
    authorities.iter().for_each(|one| roots.add((*one).clone()).unwrap());
    Verifier {
        proof,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        force: Force::Enforced,
        authorities: Arc::new(roots),
        provider: Arc::new(rustls::crypto::ring::default_provider()),
        verdict: Arc::default(),
    }
}

fn check(verifier: &Verifier, chain: &Chain) -> Result<(), Mismatch> {
    verifier.check(&chain.host, std::slice::from_ref(&chain.authority), UnixTime::now())
}

fn tlsa(usage: u8, selector: u8, matching: u8, certificate: &CertificateDer<'_>) -> Tlsa {
    let selected = if selector == 0 { &certificate[..] } else { der::key_and_issuer(certificate).unwrap().0 };
    let data = match matching {
        0 => selected.to_vec(),
        1 => Sha256::digest(selected).to_vec(),
        _ => Sha512::digest(selected).to_vec(),
    };
    Tlsa { usage, selector, matching, data }
}

#[test]
fn authorities_names_and_dates_count() {
    let good = chain(&["mx.test", "*.wild.test"], |_| {});
    let of = |names: &[&str]| check(&verifier(Proof::Authority, names, &[&good.authority]), &good);
    assert_eq!(of(&["mx.test"]), Ok(()));
    assert_eq!(of(&["other.test", "a.wild.test"]), Ok(()));
    assert_eq!(of(&["other.test"]), Err(Mismatch::OtherHost));
    assert_eq!(of(&["a.b.wild.test"]), Err(Mismatch::OtherHost));
    assert_eq!(of(&[]), Err(Mismatch::OtherHost));
    let stranger = chain(&["mx.test"], |_| {});
    let strict = verifier(Proof::Authority, &["mx.test"], &[&stranger.authority]);
    assert_eq!(check(&strict, &good), Err(Mismatch::NotTrusted));
    let old = chain(&["mx.test"], |params| {
        params.not_before = OffsetDateTime::now_utc() - time::Duration::days(10);
        params.not_after = OffsetDateTime::now_utc() - time::Duration::days(1);
    });
    assert_eq!(
        check(&verifier(Proof::Authority, &["mx.test"], &[&old.authority]), &old),
        Err(Mismatch::Expired)
    );
}

#[test]
fn dane_ee_looks_at_nothing_but_the_certificate() {
    // RFC 7672 §3.1.1: old, for another name, by nobody.
    let old = chain(&["other.test"], |params| {
        params.not_before = OffsetDateTime::now_utc() - time::Duration::days(10);
        params.not_after = OffsetDateTime::now_utc() - time::Duration::days(1);
    });
    for (selector, matching) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
        let right = tlsa(3, selector, matching, &old.host);
        assert_eq!(check(&verifier(Proof::Dane(vec![right]), &["mx.test"], &[]), &old), Ok(()));
        let wrong = tlsa(3, selector, matching, &old.authority);
        assert_eq!(
            check(&verifier(Proof::Dane(vec![wrong]), &["mx.test"], &[]), &old),
            Err(Mismatch::NoTlsaMatch)
        );
    }
}

#[test]
fn dane_ta_wants_the_chain_the_name_and_the_date() {
    let good = chain(&["mx.test"], |_| {});
    for (selector, matching) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
        let right = tlsa(2, selector, matching, &good.authority);
        let dane = |names: &[&str]| verifier(Proof::Dane(vec![right.clone()]), names, &[]);
        assert_eq!(check(&dane(&["mx.test"]), &good), Ok(()), "{selector} {matching}");
        assert_eq!(check(&dane(&["domain.test", "mx.test"]), &good), Ok(()));
        assert_eq!(check(&dane(&["other.test"]), &good), Err(Mismatch::OtherHost));
        // Where the record has it in full the authority need not be sent (RFC 7671 §5.2).
        let alone = dane(&["mx.test"]).check(&good.host, &[], UnixTime::now());
        assert_eq!(
            alone,
            if matching == 0 { Ok(()) } else { Err(Mismatch::NoTlsaMatch) },
            "{selector} {matching}"
        );
        let stranger = chain(&["mx.test"], |_| {});
        // The right authority's certificate beside a host that it did not sign.
        let mixed = Chain { host: stranger.host, authority: good.authority.clone() };
        assert_eq!(check(&dane(&["mx.test"]), &mixed), Err(Mismatch::NotTrusted));
    }
}

#[test]
fn one_matching_record_is_enough_and_a_common_name_counts_where_there_is_no_other() {
    let named = chain(&[], |params| params.distinguished_name.push(DnType::CommonName, "MX.test"));
    let (other, right) = (tlsa(3, 1, 1, &named.authority), tlsa(2, 0, 1, &named.authority));
    let both = Proof::Dane(vec![other, right]);
    assert_eq!(check(&verifier(both.clone(), &["mx.test"], &[]), &named), Ok(()));
    assert_eq!(check(&verifier(both, &["a.test"], &[]), &named), Err(Mismatch::OtherHost));
    let by_authority = verifier(Proof::Authority, &["mx.test"], &[&named.authority]);
    assert_eq!(check(&by_authority, &named), Err(Mismatch::OtherHost), "RFC 8461 §4.2: no common names");
}

#[test]
fn what_is_not_enforced_is_noted() {
    let good = chain(&["mx.test"], |_| {});
    let mut noting = verifier(Proof::Authority, &["other.test"], &[&good.authority]);
    let name = ServerName::try_from("other.test").unwrap();
    let run = |verifier: &Verifier| {
        verifier.verify_server_cert(&good.host, &[], &name, &[], UnixTime::now()).is_ok()
    };
    assert!(!run(&noting));
    noting.force = Force::Noted;
    assert!(run(&noting));
    assert_eq!(*noting.verdict.lock(), Some(Err(Mismatch::OtherHost)));
    let broken = CertificateDer::from(vec![0x30, 0x82, 0xff]);
    for proof in [Proof::Authority, Proof::Dane(vec![tlsa(3, 1, 1, &good.host)])] {
        assert!(
            verifier(proof, &["mx.test"], &[])
                .check(&broken, std::slice::from_ref(&broken), UnixTime::now())
                .is_err()
        );
    }
}

#[test]
fn a_demand_becomes_a_proof() {
    let demand = Demand {
        tls: Use::Always,
        proof: Proof::Authority,
        names: vec!["mx.test".into()],
        force: Force::Enforced,
        source: Source::Sts,
        is_final: false,
    };
    let proof = HostProof::new(&demand, &Arc::new(RootCertStore::empty())).unwrap();
    assert_eq!(proof.verdict(), None);
}
