use super::*;
use crate::{NewEntry, NewRecipient, Orcpt, Queue, SuppressionRule, count_sent, enqueue};
use engine::{AccountId, Engine, MemoryEngine, Packed};
use model::EmailAddress;
use std::sync::Arc;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

struct Bench {
    engine: Arc<MemoryEngine>,
    queue: Queue,
    id: QueueId,
}

impl Bench {
    fn new(sender: &str, recipients: &[(&str, Notify)]) -> Bench {
        let engine = Arc::new(MemoryEngine::default());
        let reverse_path = match sender {
            "" => ReversePath::Null,
            sender => ReversePath::Mailbox(address(sender)),
        };
        let orcpt = Some(Orcpt { address_type: "rfc822".into(), address: "first@x.test".into() });
        let recipient = |(text, notify): &(&str, Notify)| NewRecipient {
            address: address(text),
            notify: *notify,
            orcpt: orcpt.clone(),
        };
        let new = NewEntry {
            reverse_path,
            recipients: recipients.iter().map(recipient).collect(),
            ret: None,
            envid: None,
            smtputf8: false,
            body: crate::Body::SevenBit,
            account: Some(AccountId(7)),
            received: NOW,
            size: 5,
            expires: UnixTime(NOW.0 + 500),
            held: false,
            wishes: crate::Wishes::default(),
        };
        let work = move |tx: &mut dyn Tx| {
            let content = tx.append(&Packed::new(b"Hello"), 1)?;
            Ok(enqueue(tx, content, &new)?)
        };
        let dynamic: &dyn Engine = &*engine;
        let id = dynamic.transact(&[AccountId(0)], work).wait().unwrap();
        Bench { queue: Queue::new(engine.clone()), engine, id }
    }

    fn entry(&self) -> Entry {
        self.queue.show(self.id).unwrap().unwrap().entry
    }

    fn settle(&self, entry: &Entry, settled: Vec<Settled>) -> Vec<Reported> {
        let entry = entry.clone();
        let rules = Rules {
            suppression: SuppressionRule { bounces: 1, seconds: 100 },
            events: BTreeSet::from(EventName::EVERY),
            ..Rules::default()
        };
        let dynamic: &dyn Engine = &*self.engine;
        let work = move |tx: &mut dyn Tx| Ok(settle(tx, &entry, &settled, &rules, NOW)?);
        dynamic.transact(&[AccountId(0)], work).wait().unwrap()
    }
}

impl Bench {
    fn warn(&self, entry: &Entry) -> Vec<Reported> {
        let entry = entry.clone();
        let dynamic: &dyn Engine = &*self.engine;
        let work = move |tx: &mut dyn Tx| Ok(warn(tx, &entry, &[0, 1], NOW)?);
        dynamic.transact(&[AccountId(0)], work).wait().unwrap()
    }
}

const SUCCESS: Notify = Notify::On { success: true, failure: false, delay: false };

#[test]
fn the_sender_is_told_what_he_wants_to_hear_and_once() {
    let five = [
        ("a@y.test", Notify::Default),
        ("b@y.test", Notify::Never),
        ("c@y.test", SUCCESS),
        ("d@y.test", SUCCESS),
        ("e@y.test", SUCCESS),
    ];
    let bench = Bench::new("s@x.test", &five);
    let entry = bench.entry();
    let failed = |index| Settled {
        remote: Some("mx.y.test".into()),
        ..Settled::new(index, Attempt::Failed, "550 5.1.1 no such user")
    };
    let delivered =
        |index, onward| Settled { onward, ..Settled::new(index, Attempt::Delivered, "250 2.0.0 ok") };
    let settled = vec![
        failed(0),
        failed(1),
        delivered(2, Onward::Silent),
        delivered(3, Onward::Tells),
        delivered(4, Onward::Final),
    ];
    assert!(may_report(&entry, &settled) && !may_report(&entry, &settled[1..2]));
    let told = bench.settle(&entry, settled.clone());
    let about: Vec<(&str, Action)> = told.iter().map(|one| (one.recipient.as_str(), one.action)).collect();
    let wanted =
        [("a@y.test", Action::Failed), ("c@y.test", Action::Relayed), ("e@y.test", Action::Delivered)];
    assert_eq!(about, wanted);
    assert_eq!((told[0].status.as_str(), told[0].remote.as_deref()), ("5.1.1", Some("mx.y.test")));
    assert_eq!(told[0].original.as_ref().unwrap().address, "first@x.test");
    assert!(bench.queue.show(bench.id).unwrap().is_none(), "all are at their end");
    assert!(bench.settle(&entry, settled).is_empty(), "nothing is told twice");
    let events = bench.queue.events(10).unwrap();
    assert_eq!(events.len(), 5);
    assert_eq!((events[0].event, events[0].account, events[4].number), (EventName::Failed, Some(7), 5));
    assert!(bench.queue.suppressed(&address("b@y.test"), NOW).unwrap().is_some());
}

#[test]
fn nothing_bounces_a_bounce() {
    let bench = Bench::new("", &[("a@y.test", Notify::Default)]);
    let settled = vec![Settled::new(0, Attempt::Failed, "550 5.1.1 no")];
    assert!(!may_report(&bench.entry(), &settled));
    assert!(bench.settle(&bench.entry(), settled).is_empty());
    assert_eq!(bench.queue.events(10).unwrap().len(), 1, "but the webhook hears of it");
}

#[test]
fn a_delay_is_told_when_it_is_time_and_an_expiry_with_the_last_reply() {
    let bench = Bench::new("s@x.test", &[("a@y.test", Notify::Default), ("b@y.test", SUCCESS)]);
    let entry = bench.entry();
    let later = Attempt::Deferred(UnixTime(NOW.0 + 60));
    assert!(bench.settle(&entry, vec![Settled::new(0, later, "451 4.7.1 greylisted")]).is_empty());
    assert!(may_warn(&entry, &[0, 1]) && !may_warn(&entry, &[1]));
    let told = bench.warn(&entry);
    assert_eq!(told.len(), 1, "RFC 3461 §5.2.5 (c): not who asked for other things");
    assert_eq!((told[0].action, told[0].status.as_str()), (Action::Delayed, "4.7.1"));
    assert!(bench.warn(&entry).is_empty(), "once is enough");
    assert!(bench.entry().recipients.iter().all(|one| one.warned));
    let told = bench.settle(&entry, vec![Settled::new(0, Attempt::Expired, "")]);
    assert_eq!((told[0].action, told[0].status.as_str()), (Action::Failed, "4.4.7"));
    assert_eq!(told[0].reply, "451 4.7.1 greylisted");
    let events: Vec<EventName> = bench.queue.events(10).unwrap().iter().map(|one| one.event).collect();
    assert_eq!(events, [EventName::Deferred, EventName::Expired]);
}

#[test]
fn hard_bounces_count_against_who_sent() {
    let bench = Bench::new("s@x.test", &[("a@y.test", Notify::Default)]);
    let dynamic: &dyn Engine = &*bench.engine;
    let sent = |tx: &mut dyn Tx| Ok(count_sent(tx, AccountId(7), 1, &crate::SendingRules::default(), NOW)?);
    dynamic.transact(&[AccountId(0)], sent).wait().unwrap();
    bench.settle(&bench.entry(), vec![Settled::new(0, Attempt::Failed, "550 5.1.1 no")]);
    assert_eq!(bench.queue.sending_of(AccountId(7), NOW).unwrap().failed_last_day, 1);
}

#[test]
fn events_are_taken_in_order_and_bounded_by_what_is_wanted() {
    let bench = Bench::new("s@x.test", &[("a@y.test", Notify::Default)]);
    for number in 0..5 {
        let happened = Happened { text: Some(number.to_string()), ..Happened::new(EventName::Alarm, NOW) };
        bench.queue.keep_event(happened, BTreeSet::from([EventName::Alarm])).wait().unwrap();
    }
    let quiet = Happened::new(EventName::Queued, NOW);
    bench.queue.keep_event(quiet, BTreeSet::from([EventName::Alarm])).wait().unwrap();
    let page = bench.queue.events(2).unwrap();
    assert_eq!(page.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
    bench.queue.forget_events(2).wait().unwrap();
    let rest = bench.queue.events(10).unwrap();
    assert_eq!(rest.iter().map(|one| one.text.as_deref().unwrap()).collect::<Vec<_>>(), ["2", "3", "4"]);
    assert_eq!("alarm".parse(), Ok(EventName::Alarm));
    assert!("bell".parse::<EventName>().unwrap_err().contains("deferred"));
}

#[test]
fn a_time_to_deliver_by_is_accounted_for() {
    let bench = Bench::new("s@x.test", &[("a@y.test", Notify::Default), ("b@y.test", Notify::Never)]);
    let timed = |mode, trace, at| Entry {
        deliver_by: Some(crate::DeliverBy { at: UnixTime(at), mode, trace }),
        ..bench.entry()
    };
    let relayed = |index, time, onward| Settled {
        time,
        onward,
        ..Settled::new(index, Attempt::Delivered, "250 2.0.0 ok")
    };
    let tells = |entry: &Entry, one: Settled| may_report(entry, &[one]);
    let plain = timed(ByMode::Notify, false, NOW.0 + 60);
    assert!(!tells(&plain, relayed(0, TimeKept::Yes, Onward::Tells)));
    assert!(tells(&plain, relayed(0, TimeKept::No, Onward::Tells)), "RFC 2852 section 4.1.4.2");
    assert!(!tells(&plain, relayed(1, TimeKept::No, Onward::Tells)), "NOTIFY=NEVER");
    assert!(!tells(&plain, relayed(0, TimeKept::No, Onward::Final)), "it is in the mailbox");
    assert!(!tells(&bench.entry(), relayed(0, TimeKept::No, Onward::Tells)), "nobody asked for a time");
    let traced = timed(ByMode::Return, true, NOW.0 + 60);
    assert!(tells(&traced, relayed(0, TimeKept::Yes, Onward::Tells)));
    let over = timed(ByMode::Return, false, NOW.0 - 1);
    let told = bench.settle(&over, vec![Settled::new(0, Attempt::Expired, "")]);
    assert_eq!((told[0].action, told[0].status.as_str()), (Action::Failed, "5.4.7"));
}

#[test]
fn a_warning_at_the_time_to_deliver_by_says_so() {
    let bench = Bench::new("s@x.test", &[("a@y.test", Notify::Default), ("b@y.test", Notify::Default)]);
    let by = crate::DeliverBy { at: NOW, mode: ByMode::Notify, trace: false };
    let told = bench.warn(&Entry { deliver_by: Some(by), ..bench.entry() });
    assert!(told.iter().all(|one| one.status == "4.4.7") && told.len() == 2);
}
