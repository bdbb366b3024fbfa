use super::*;
use engine::{Engine, MemoryEngine};
use std::sync::Arc;

/// The first second of a day.
const NOW: UnixTime = UnixTime(1_800_057_600);
const ANNA: AccountId = AccountId(1);

fn later(seconds: i64) -> UnixTime {
    UnixTime(NOW.0 + seconds)
}

struct Bench {
    engine: Arc<MemoryEngine>,
    queue: Queue,
    rules: SendingRules,
}

impl Bench {
    fn new(rules: SendingRules) -> Bench {
        let engine = Arc::new(MemoryEngine::default());
        Bench { queue: Queue::new(engine.clone()), engine, rules }
    }

    fn send(&self, recipients: u32, at: UnixTime) -> Counted {
        let rules = self.rules;
        let engine: &dyn Engine = &*self.engine;
        engine
            .transact(&[AccountId(0)], move |tx| Ok(count_sent(tx, ANNA, recipients, &rules, at)?))
            .wait()
            .unwrap()
    }

    fn fail(&self, recipients: u32, at: UnixTime) {
        let engine: &dyn Engine = &*self.engine;
        engine
            .transact(&[AccountId(0)], move |tx| Ok(count_failures(tx, ANNA, recipients, at)?))
            .wait()
            .unwrap();
    }

    fn may(&self, more: u32, at: UnixTime) -> Option<Withheld> {
        self.queue.withheld(ANNA, more, &self.rules, at).unwrap()
    }
}

fn limits(per_hour: u32, per_day: u32) -> SendingRules {
    SendingRules { limits: SendingLimits { per_hour, per_day }, ..SendingRules::default() }
}

#[test]
fn limits_by_the_hour_and_by_the_day() {
    let bench = Bench::new(limits(10, 25));
    assert_eq!(bench.send(10, NOW), Counted::Fine);
    assert_eq!(bench.may(1, NOW), Some(Withheld::Hour(10)));
    assert_eq!(bench.send(1, NOW), Counted::Withheld(Withheld::Hour(10)));
    // Half an hour into the next one, half of what was sent in the hour before is older than an hour.
    assert_eq!((bench.may(5, later(5400)), bench.may(6, later(5400))), (None, Some(Withheld::Hour(10))));
    assert_eq!(bench.send(10, later(2 * HOUR)), Counted::Fine);
    assert_eq!(bench.may(6, later(4 * HOUR)), Some(Withheld::Day(25)));
    assert_eq!(bench.send(5, later(4 * HOUR)), Counted::Fine);
    assert_eq!(bench.may(10, later(24 * HOUR)), None, "the first ten are over");
    let shown = bench.queue.sending_of(ANNA, later(4 * HOUR)).unwrap();
    assert_eq!((shown.last_hour, shown.last_day), (5, 25));
}

#[test]
fn accounts_have_limits_of_their_own() {
    let bench = Bench::new(limits(10, 0));
    bench.queue.set_sending_limits(ANNA, Some(0), Some(3), NOW).wait().unwrap();
    assert_eq!(bench.may(4, NOW), Some(Withheld::Day(3)));
    bench.queue.set_sending_limits(ANNA, Some(20), None, NOW).wait().unwrap();
    assert_eq!((bench.may(20, NOW), bench.may(21, NOW)), (None, Some(Withheld::Hour(20))));
    assert_eq!(bench.queue.sendings(None, 10, NOW).unwrap().len(), 1);
    assert!(bench.queue.sendings(Some(ANNA), 10, NOW).unwrap().is_empty());
}

#[test]
fn a_burst_beyond_the_usual_is_an_alarm_once_a_day() {
    let bench = Bench::new(SendingRules::default());
    for day in 0..5 {
        assert_eq!(bench.send(100, later(day * 24 * HOUR)), Counted::Fine);
    }
    let today = 5 * 24 * HOUR;
    assert_eq!(bench.send(500, later(today)), Counted::Fine, "five times the usual");
    let alarm = bench.send(1, later(today));
    assert!(matches!(&alarm, Counted::Alarm(why) if why.contains("501") && why.contains("100")), "{alarm:?}");
    assert_eq!(bench.send(500, later(today + 60)), Counted::Fine, "told already, and not blocked");
    assert_eq!(bench.queue.sending_of(ANNA, later(today)).unwrap().alarmed, Some(later(today).0));
}

#[test]
fn a_new_account_may_send_a_little() {
    let bench = Bench::new(SendingRules::default());
    assert_eq!(bench.send(199, NOW), Counted::Fine);
    assert!(matches!(bench.send(1, NOW), Counted::Alarm(_)));
    let silent = Bench::new(SendingRules { alarm: AlarmAction::Off, ..SendingRules::default() });
    assert_eq!(silent.send(100_000, NOW), Counted::Fine);
}

#[test]
fn an_alarm_blocks_where_it_shall_until_released() {
    let bench = Bench::new(SendingRules { alarm: AlarmAction::Block, ..SendingRules::default() });
    assert!(matches!(bench.send(300, NOW), Counted::Alarm(_)));
    assert_eq!(bench.send(1, later(60)), Counted::Withheld(Withheld::Blocked));
    assert_eq!(bench.may(1, later(3 * 24 * HOUR)), Some(Withheld::Blocked), "it does not end by itself");
    bench.queue.release_sender(ANNA, later(120)).wait().unwrap();
    assert_eq!(bench.send(300, later(25 * HOUR)), Counted::Fine, "that was usual then");
    bench.queue.block_sender(ANNA, later(26 * HOUR)).wait().unwrap();
    assert_eq!(bench.may(1, later(26 * HOUR)), Some(Withheld::Blocked));
}

#[test]
fn many_addresses_that_do_not_exist_are_an_alarm() {
    let bench = Bench::new(SendingRules { alarm_from: 10_000, ..SendingRules::default() });
    bench.fail(100, NOW);
    assert_eq!(bench.send(100, NOW), Counted::Fine, "what was not sent cannot have failed");
    bench.fail(49, NOW);
    assert_eq!(bench.send(1, NOW), Counted::Fine);
    bench.fail(1, NOW);
    let alarm = bench.send(1, NOW);
    assert!(matches!(&alarm, Counted::Alarm(why) if why.contains("do not exist")), "{alarm:?}");
}

#[test]
fn clocks_that_jump_are_survived() {
    let bench = Bench::new(limits(10, 25));
    bench.send(10, NOW);
    assert_eq!(bench.may(1, later(-1_000_000)), Some(Withheld::Hour(10)), "back: nothing is forgotten");
    assert_eq!(bench.may(10, UnixTime(i64::MAX)), None);
    assert_eq!(bench.send(1, UnixTime(i64::MIN)), Counted::Withheld(Withheld::Hour(10)));
}
