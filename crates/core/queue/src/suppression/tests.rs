use super::*;
use engine::{Engine, MemoryEngine};
use std::sync::Arc;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn later(seconds: i64) -> UnixTime {
    UnixTime(NOW.0 + seconds)
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

struct Bench(Arc<MemoryEngine>, Queue);

impl Bench {
    fn new() -> Bench {
        let engine = Arc::new(MemoryEngine::default());
        Bench(engine.clone(), Queue::new(engine))
    }

    fn learn(&self, to: &str, outcome: Attempt, status: &'static str, at: UnixTime) {
        let to = address(to);
        let rule = Rule { bounces: 2, seconds: 100 };
        let engine: &dyn Engine = &*self.0;
        engine
            .transact(&[AccountId(0)], move |tx| {
                Ok(learn(tx, &to, outcome, status, "550 5.1.1 no", rule, at)?)
            })
            .wait()
            .unwrap();
    }

    fn suppressed(&self, to: &str, at: UnixTime) -> bool {
        self.1.suppressed(&address(to), at).unwrap().is_some()
    }
}

#[test]
fn an_address_that_bounces_again_and_again_is_suppressed_for_a_while() {
    let bench = Bench::new();
    bench.learn("B@y.test", Attempt::Failed, "5.1.1", NOW);
    assert!(!bench.suppressed("b@y.test", NOW), "once may be a mistake of theirs");
    bench.learn("b@y.test", Attempt::Failed, "5.1.1", later(1));
    assert!(bench.suppressed("b@Y.test", later(100)) && !bench.suppressed("c@y.test", NOW));
    assert!(!bench.suppressed("b@y.test", later(101)), "its time is over");
    bench.learn("b@y.test", Attempt::Failed, "5.1.1", later(200));
    assert!(!bench.suppressed("b@y.test", later(200)), "it begins anew");
    assert_eq!(bench.1.suppressions(None, 10, later(200)).unwrap()[0].bounces, 1);
}

#[test]
fn a_delivery_clears_it_and_other_failures_do_not_count() {
    let bench = Bench::new();
    bench.learn("b@y.test", Attempt::Failed, "5.1.1", NOW);
    bench.learn("b@y.test", Attempt::Delivered, "2.0.0", NOW);
    bench.learn("b@y.test", Attempt::Failed, "5.1.1", NOW);
    for status in ["5.7.1", "5.0.0", "5.2.2", "5.1.8", "4.1.1"] {
        bench.learn("b@y.test", Attempt::Failed, status, NOW);
    }
    bench.learn("b@y.test", Attempt::Expired, "4.4.7", NOW);
    assert!(!bench.suppressed("b@y.test", NOW));
    bench.learn("b@y.test", Attempt::Failed, "5.2.1", NOW);
    assert!(bench.suppressed("b@y.test", NOW));
}

#[test]
fn operators_put_addresses_there_and_take_them_off() {
    let bench = Bench::new();
    for (text, until) in [("b@y.test", None), ("c@y.test", Some(later(5)))] {
        bench.1.suppress(&address(text), "asked for it", until, NOW).wait().unwrap();
    }
    bench.learn("b@y.test", Attempt::Delivered, "2.0.0", NOW);
    bench.learn("b@y.test", Attempt::Failed, "5.1.1", NOW);
    assert!(bench.suppressed("b@y.test", later(1_000_000)), "what an operator said stands");
    assert!(!bench.suppressed("c@y.test", later(5)));
    assert!(!bench.1.forget_suppressions(later(5)).wait().unwrap());
    let left = bench.1.suppressions(None, 10, NOW).unwrap();
    assert_eq!(left.iter().map(|one| one.address.as_str()).collect::<Vec<_>>(), ["b@y.test"]);
    assert_eq!(left[0].reason, "asked for it");
    assert!(bench.1.suppressions(Some("b@y.test"), 10, NOW).unwrap().is_empty());
    assert!(bench.1.unsuppress(&address("B@y.test")).wait().unwrap());
    assert!(!bench.1.unsuppress(&address("b@y.test")).wait().unwrap());
    assert!(!bench.suppressed("b@y.test", NOW));
}
