//! Reports against the examples of RFC 8460, and the memory on an engine without a disk.

use crate::memory::{Fetched, Memory, note_reported};
use crate::report::{Applied, Cover, Failure, Place, ResultType, Tally, from_json, record_places, to_json};
use crate::seen::{Reached, Seen};
use crate::sts::Policy;
use engine::MemoryEngine;
use proptest::prelude::*;
use serde_json::Value;
use std::sync::Arc;

fn failure(result: ResultType, mx: &str) -> Failure {
    Failure {
        result,
        sending_ip: "2001:db8::1".into(),
        mx: mx.into(),
        receiving_ip: String::new(),
        reason: String::new(),
    }
}

#[test]
fn records_say_where_reports_go() {
    // RFC 8460 §3.1 and appendix A.
    let mail = |address: &str| Place::Mail(address.into());
    assert_eq!(record_places(["v=TLSRPTv1;rua=mailto:reports@example.com"]), [mail("reports@example.com")]);
    assert_eq!(
        record_places([
            "other",
            "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt , mailto:a%2Cb@x.test"
        ]),
        [Place::Https("https://reporting.example.com/v1/tlsrpt".into()), mail("a,b@x.test")]
    );
    for none in [
        &["v=TLSRPTv1;rua=mailto:a@x.test", "v=TLSRPTv1;rua=mailto:b@x.test"][..],
        &["v=TLSRPTv1"],
        &["v=TLSRPTv1;rua=http://x.test/"],
        &["v=TLSRPTv1;rua=mailto:nobody"],
        &["v=TLSRPTv1;rua=mailto:a%0d%0aBcc:b@x.test"],
        &["v=TLSRPTv2;rua=mailto:a@x.test"],
    ] {
        assert_eq!(record_places(none.iter().copied()), [], "{none:?}");
    }
}

#[test]
fn a_report_has_the_shape_of_the_rfc_and_is_read_again() {
    let lines = ["version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400"];
    let sts = Applied::Sts(lines.map(str::to_owned).to_vec(), vec!["*.mail.company-y.example".into()]);
    let mut tally = Tally::default();
    for _ in 0..5326 {
        tally.count(&sts, None);
    }
    for _ in 0..100 {
        tally.count(&sts, Some(&failure(ResultType::CertificateExpired, "mx1.mail.company-y.example")));
    }
    tally.count(&sts, Some(&failure(ResultType::StarttlsNotSupported, "mx2.mail.company-y.example")));
    tally.count(&Applied::NoPolicy, None);
    let cover =
        Cover { organization: "Company-X", contact: "sts@company-x.example", id: "5065427c", day: 16892 };
    let text = to_json(&cover, "company-y.example", &tally);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["date-range"]["start-datetime"], "2016-04-01T00:00:00Z");
    assert_eq!(value["date-range"]["end-datetime"], "2016-04-01T23:59:59Z");
    assert_eq!(value["policies"][0]["policy"]["policy-type"], "sts");
    assert_eq!(value["policies"][0]["policy"]["policy-string"][1], "mode: testing");
    assert_eq!(value["policies"][0]["summary"]["total-failure-session-count"], 101);
    assert_eq!(value["policies"][0]["failure-details"][0]["result-type"], "certificate-expired");
    assert_eq!(value["policies"][0]["failure-details"][0]["failed-session-count"], 100);
    assert_eq!(value["policies"][1]["policy"]["policy-type"], "no-policy-found");
    let read = from_json(text.as_bytes()).unwrap();
    assert_eq!((read.organization.as_str(), read.id.as_str()), ("Company-X", "5065427c"));
    assert_eq!((read.policies[0].successes, read.policies[0].failures), (5326, 101));
    assert_eq!(read.policies[0].details[0].3, 100);
}

#[test]
fn tallies_are_bounded() {
    let mut tally = Tally::default();
    for n in 0..1000 {
        let applied = Applied::Tlsa(format!("mx{n}.test"), vec![]);
        tally.count(&applied, None);
        tally
            .count(&Applied::NoPolicy, Some(&failure(ResultType::ValidationFailure, &format!("mx{n}.test"))));
    }
    assert!(tally.policies.len() <= 20);
    let failures: u64 = tally.policies.iter().map(|policy| policy.failures + policy.successes).sum();
    assert_eq!(failures, 2000, "all are counted");
    assert!(tally.policies.iter().all(|policy| policy.details.len() <= 100));
    let mut twice = tally.clone();
    twice.add(&tally);
    assert_eq!(twice.policies[0].successes, 2 * tally.policies[0].successes);
}

#[test]
fn memory_keeps_and_forgets() {
    let memory = Memory::new(Arc::new(MemoryEngine::new(engine::Faults::default())));
    let policy = Policy::parse("version: STSv1\nmode: enforce\nmx: mx.x.test\nmax_age: 100\n").unwrap();
    let fetched = Fetched { id: "1".into(), policy, at: 1000, expires: 1100 };
    memory.keep_policy("x.test", Some(&fetched)).wait().unwrap();
    assert_eq!(memory.policy("x.test", 1099).unwrap(), Some(fetched.clone()));
    assert_eq!(memory.policy("x.test", 1100).unwrap(), None);
    assert_eq!(memory.policy("test", 1000).unwrap(), None);
    assert_eq!(memory.policies(1000).unwrap(), [("x.test".to_owned(), fetched)]);

    let seen = Seen::default().after(Reached::Encrypted, 1000).unwrap();
    memory.keep_seen("x.test", &seen).wait().unwrap();
    assert_eq!(memory.seen("x.test").unwrap(), seen);
    assert_eq!(memory.seen("y.test").unwrap(), Seen::default());

    let mut tally = Tally::default();
    tally.count(&Applied::NoPolicy, None);
    for day in [10, 10, 11] {
        memory.add_tallies(day, vec![("x.test".into(), tally.clone())]).wait().unwrap();
    }
    let before = memory.tallies_before(11).unwrap();
    assert_eq!((before.len(), before[0].0, before[0].2.policies[0].successes), (1, 10, 2));
    memory.drop_tally(10, "x.test").wait().unwrap();
    assert_eq!(memory.tallies_before(12).unwrap().len(), 1);

    let report = from_json(br#"{"report-id":"r","policies":[]}"#).unwrap();
    memory.keep_received(5000, &report).wait().unwrap();
    memory.keep_received(5000, &report).wait().unwrap();
    assert_eq!(memory.received(0).unwrap(), [(5000, report)]);
    assert!(memory.received(5001).unwrap().is_empty());

    memory.forget(1_000_000_000).unwrap();
    assert!(memory.policies(0).unwrap().is_empty());
    assert_eq!(memory.seen("x.test").unwrap(), Seen::default());
    assert!(memory.tallies_before(u32::MAX).unwrap().is_empty());
    assert!(memory.received(0).unwrap().is_empty());
}

proptest! {
    #[test]
    fn any_report_is_read_without_harm(text in "\\PC{0,200}", bytes: Vec<u8>) {
        let _ = from_json(text.as_bytes());
        let _ = from_json(&bytes);
        let _ = record_places([text.as_str()]);
    }
}

#[test]
fn who_has_a_report_is_remembered_until_the_tally_goes() {
    let engine: Arc<dyn engine::Engine> = Arc::new(MemoryEngine::default());
    let memory = Memory::new(engine.clone());
    let mut tally = Tally::default();
    tally.count(&Applied::NoPolicy, None);
    let day = 20_000;
    let of = |domain: &str| (domain.to_owned(), tally.clone());
    memory.add_tallies(day, vec![of("y.test"), of("y.test.z.test")]).wait().unwrap();
    let reported = |domain: &str, place: &str| memory.is_reported(day, domain, place).unwrap();
    memory.keep_reported(day, "y.test", "mailto:a@y.test").wait().unwrap();
    let noted =
        move |tx: &mut dyn engine::Tx| Ok(note_reported(tx, day, "y.test.z.test", "https://z.test/")?);
    engine.transact(&[engine::AccountId(0)], noted).wait().unwrap();
    assert!(reported("y.test", "mailto:a@y.test") && !reported("y.test", "mailto:a@y.test2"));
    assert!(!memory.is_reported(day + 1, "y.test", "mailto:a@y.test").unwrap());
    memory.drop_tally(day, "y.test").wait().unwrap();
    assert!(!reported("y.test", "mailto:a@y.test"));
    assert!(reported("y.test.z.test", "https://z.test/"), "another domain's stays");
    memory.forget((i64::from(day) + 30) * 86_400).unwrap();
    assert!(!reported("y.test.z.test", "https://z.test/"));
}
