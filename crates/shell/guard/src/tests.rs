//! The guard over a zone file; policies over HTTPS are in tests/e2e/test_transport_security.py.

use super::*;
use net::Mismatch;
use transport::report::ResultType;
use transport::{Force, Proof, Source, Use};

const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn guard(zone: &str) -> Guard {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, zone.replace("DIGEST", DIGEST)).unwrap();
    let settings = dns::Settings { zone_file: Some(file.path().to_owned()), ..dns::Settings::default() };
    let resolver = Arc::new(Resolver::new(settings).unwrap());
    let memory = Memory::new(Arc::new(engine::MemoryEngine::new(engine::Faults::default())));
    let settings = Settings {
        authorities: Arc::new(RootCertStore::empty()),
        downgrade_grace: Duration::from_secs(86_400),
    };
    Guard::new(resolver, memory, settings, 443).unwrap()
}

fn hop<'a>(host: &'a str, is_proven: bool) -> Hop<'a> {
    let (wish, sender) = (TlsWish::Opportunistic, SenderWish::Usual);
    Hop { domain: Some("x.test"), host, port: 25, is_proven, wish, sender }
}

const ZONE: &str = "
x.test MX 10 mx.x.test
mx.x.test A 192.0.2.1
_25._tcp.mx.x.test TLSA 2 0 1 DIGEST
alias.x.test CNAME real.y.test
real.y.test A 192.0.2.2
_25._tcp.alias.x.test TLSA 3 1 1 DIGEST
far.x.test CNAME there.z.test
there.z.test A 192.0.2.3
_25._tcp.there.z.test TLSA 3 1 1 DIGEST
plain.u.test A 192.0.2.4
_25._tcp.plain.u.test TLSA 3 1 1 DIGEST
broken.x.test A 192.0.2.5
;; insecure y.test
;; insecure u.test
;; servfail _25._tcp.broken.x.test
";

#[tokio::test]
async fn tlsa_records_are_found_where_the_rfc_looks_for_them() {
    // RFC 7672 §2.2.2, §3.2.2.
    let guard = guard(ZONE);
    for (host, names) in [
        ("mx.x.test", Some(&["mx.x.test", "x.test"][..])),
        // The alias is signed, its target is not: the alias counts.
        ("alias.x.test", Some(&["alias.x.test", "x.test"])),
        ("far.x.test", Some(&["there.z.test", "x.test"])),
        ("plain.u.test", None),
        ("192.0.2.1", None),
    ] {
        let held = guard.demand(&hop(host, true)).await.unwrap();
        match names {
            Some(names) => {
                assert!(matches!(held.demand.proof, Proof::Dane(_)), "{host}");
                assert_eq!(held.demand.names, names, "{host}");
                assert_eq!(held.demand.tls, Use::Always);
            }
            None => assert_eq!(held.demand.source, Source::Route, "{host}"),
        }
    }
    // Behind unsigned MX records the host's name alone counts.
    let held = guard.demand(&hop("mx.x.test", false)).await.unwrap();
    assert_eq!(held.demand.names, ["mx.x.test"]);
    assert!(
        matches!(held.applied, Applied::Tlsa(base, records) if base == "mx.x.test" && records.len() == 1)
    );
}

#[tokio::test]
async fn what_can_not_be_found_out_makes_a_host_unusable_unless_the_sender_waived_it() {
    let guard = guard(ZONE);
    let broken = hop("broken.x.test", true);
    let refused = guard.demand(&broken).await.unwrap_err();
    assert!(matches!(refused, Refused::Unknown(_)) && !refused.is_final());
    let waived = Hop { sender: SenderWish::Waived, ..broken.clone() };
    assert!(guard.demand(&waived).await.unwrap().demand.allows_clear());
    let never = Hop { wish: TlsWish::None, ..broken };
    assert_eq!(guard.demand(&never).await.unwrap().demand.tls, Use::Never);
    let required = Hop { sender: SenderWish::Required, ..hop("plain.u.test", false) };
    assert_eq!(guard.demand(&required).await.unwrap_err().status(), "5.7.10");
}

#[tokio::test]
async fn sessions_are_counted_and_remembered() {
    let guard = guard("x.test MX 10 mx.x.test\nmx.x.test A 192.0.2.1\n;; insecure x.test\n");
    let held = guard.demand(&hop("mx.x.test", false)).await.unwrap();
    assert_eq!((held.demand.tls, held.demand.force), (Use::IfOffered, Force::Noted));
    let session = |is_encrypted, verdict| Session {
        domain: Some("x.test"),
        host: "mx.x.test",
        address: None,
        local: None,
        held: &held,
        is_encrypted,
        verdict,
        why: None,
    };
    for _ in 0..3 {
        guard.note(&session(true, Some(Err(Mismatch::NotTrusted))));
        // Written in the background.
        guard.flush().await;
    }
    let suspicious = guard.demand(&hop("mx.x.test", false)).await.unwrap();
    assert_eq!((suspicious.demand.tls, suspicious.demand.source), (Use::Always, Source::Memory));
    guard.note(&session(false, None));
    guard.flush().await;
    let today = u32::try_from(now() / 86_400).unwrap();
    let counted = guard.memory().tallies_before(today + 1).unwrap();
    let policy = &counted[0].2.policies[0];
    assert_eq!((counted[0].1.as_str(), policy.successes, policy.failures), ("x.test", 3, 1));
    assert_eq!(policy.details[0].0.result, ResultType::StarttlsNotSupported);
}
