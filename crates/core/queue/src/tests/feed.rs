//! From the store into the scheduler and back.

use super::*;
use crate::schedule::{Again, Destination, Host, Job, JobItem, Moment, Settings, Work};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn by_domain(addressed: &Addressed<'_>) -> (Destination, Option<crate::schedule::Limits>) {
    (Destination(addressed.domain.into()), None)
}

fn at(time: UnixTime) -> Moment {
    time.into()
}

impl Bench {
    fn refill(&self, now: UnixTime) -> u64 {
        let refilled = self.queue.refill(&mut by_domain, at(now)).unwrap();
        assert_eq!(refilled.problems, [""; 0]);
        refilled.entries
    }

    /// A destination that takes more than a probe.
    fn reached(&self, name: &str) {
        let mut scheduler = self.queue.scheduler();
        let (id, now) = (QueueId(u64::MAX), UnixTime(0));
        let arrival = schedule::Arrival {
            id,
            priority: 9,
            sender: 0,
            expires: UnixTime(i64::MAX),
            strict: false,
            not_before: None,
            warn_at: None,
            destination: Destination(name.into()),
            limits: None,
            due: now,
            attempts: 0,
            recipients: vec![0],
        };
        scheduler.arrive(arrival, at(now));
        let Some(Work::Deliver(job)) = scheduler.next(at(NOW)) else { panic!("no job") };
        scheduler.finished(job.id, &Host::Reached, &[], at(NOW));
    }

    fn next(&self, now: UnixTime) -> Option<Work> {
        self.queue.scheduler().next(at(now))
    }

    fn job(&self, now: UnixTime) -> Job {
        match self.next(now) {
            Some(Work::Deliver(job)) => job,
            other => panic!("no job but {other:?}"),
        }
    }

    fn finished(&self, job: &Job, again: &[Again], now: UnixTime) {
        self.queue.scheduler().finished(job.id, &Host::Reached, again, at(now));
    }
}

fn item(id: u64, recipients: &[u32]) -> JobItem {
    JobItem { id: QueueId(id), recipients: recipients.to_vec() }
}

#[test]
fn what_is_queued_is_sent_once() {
    let bench = Bench::new();
    bench.put(new_entry("a@x.test", &["b@y.test", "c@z.test", "d@y.test"]));
    bench.reached("y.test");
    assert_eq!(bench.refill(NOW), 1);
    assert_eq!(bench.refill(NOW), 0, "it was read");
    let (first, second) = (bench.job(NOW), bench.job(NOW));
    assert_eq!((&*first.destination.0, &first.items[..]), ("y.test", &[item(1, &[0, 2])][..]));
    assert_eq!((&*second.destination.0, &second.items[..]), ("z.test", &[item(1, &[1])][..]));
    assert_eq!(bench.next(NOW), None);
    bench.put(new_entry("a@x.test", &["b@y.test"]));
    bench.refill(NOW);
    assert_eq!(bench.job(NOW).items, [item(2, &[0])]);
    let again = Again { id: QueueId(1), index: 2, at: later(60) };
    bench.finished(&first, &[again], NOW);
    assert_eq!(bench.queue.scheduler().wake_at(), Some(at(later(60))));
    assert_eq!(bench.next(later(59)), None);
    assert_eq!(bench.job(later(60)).items, [item(1, &[2])]);
}

#[test]
fn a_new_scheduler_knows_what_the_old_one_knew() {
    let bench = Bench::new();
    let (id, _) = bench.put(new_entry("a@x.test", &["b@y.test", "c@y.test"]));
    bench.attempt(id, 0, Attempt::Deferred(later(60)), "451");
    bench.put(NewEntry { held: true, ..new_entry("", &["d@y.test"]) });
    let fresh = Queue::new(bench.engine.clone());
    fresh.refill(&mut by_domain, at(NOW)).unwrap();
    let Some(Work::Deliver(job)) = fresh.scheduler().next(at(NOW)) else { panic!("no job") };
    assert_eq!(job.items, [item(1, &[1])]);
    assert_eq!(fresh.scheduler().wake_at(), Some(at(later(60))), "the first one's attempt");
    assert_eq!(fresh.scheduler().len(), 2);
}

#[test]
fn operators_reach_what_is_scheduled() {
    let bench = Bench::new();
    let (id, _) = bench.put(new_entry("a@x.test", &["b@y.test"]));
    bench.refill(NOW);
    bench.queue.hold(id, NOW).unwrap();
    bench.refill(NOW);
    assert_eq!(bench.next(NOW), None);
    bench.queue.release(id, NOW).unwrap();
    bench.refill(NOW);
    let job = bench.job(NOW);
    // Held while it runs, deferred by the host: it does not come back by itself.
    bench.queue.hold(id, NOW).unwrap();
    bench.refill(NOW);
    bench.attempt(id, 0, Attempt::Deferred(later(60)), "451");
    bench.finished(&job, &[Again { id, index: 0, at: later(60) }], NOW);
    bench.refill(NOW);
    assert_eq!(bench.next(later(60)), None);
    bench.queue.release(id, later(61)).unwrap();
    bench.refill(later(61));
    let job = bench.job(later(61));
    bench.attempt(id, 0, Attempt::Deferred(later(600)), "451");
    bench.finished(&job, &[Again { id, index: 0, at: later(600) }], later(61));
    assert!(bench.queue.retry(id, later(70)).unwrap());
    bench.refill(later(70));
    assert_eq!(bench.job(later(70)).items, [item(1, &[0])]);
    bench.queue.remove(id, NOW).unwrap();
    bench.refill(later(70));
    assert_eq!(bench.queue.show(id).unwrap(), None);
    assert!(!bench.queue.retry(id, later(70)).unwrap());
}

#[test]
fn the_bell_rings_for_changes() {
    let bench = Bench::new();
    let rung = Arc::new(AtomicUsize::new(0));
    let count = rung.clone();
    bench.queue.listen(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (id, _) = bench.put(new_entry("a@x.test", &["b@y.test"]));
    bench.queue.hold(id, NOW).unwrap();
    assert!(!bench.queue.hold(id, NOW).unwrap());
    bench.queue.ring();
    assert_eq!(rung.load(Ordering::Relaxed), 2);
}

#[test]
fn wishes_are_kept_and_heeded() {
    let bench = Bench::new();
    let mut new = new_entry("a@x.test", &["b@y.test"]);
    let by = DeliverBy { at: later(7200), mode: ByMode::Return, trace: true };
    new.wishes =
        Wishes { priority: -5, not_before: Some(later(3600)), deliver_by: Some(by), tls: TlsWish::Required };
    let (id, _) = bench.put(new);
    let entry = bench.queue.show(id).unwrap().unwrap().entry;
    assert_eq!((entry.priority, entry.not_before, entry.deliver_by), (-5, Some(later(3600)), Some(by)));
    assert_eq!((entry.tls, entry.recipients[0].next_attempt), (TlsWish::Required, later(3600)));
    let json = serde_json::to_value(&entry).unwrap();
    assert_eq!(json["deliver_by"]["mode"], "return");
    assert_eq!((&json["not_before"], &json["tls"]), (&later(3600).0.into(), &"required".into()));
    bench.refill(NOW);
    assert_eq!(bench.queue.scheduler().flush(&Destination("y.test".into()), at(NOW)), 0);
    assert_eq!(bench.next(later(3599)), None);
    let job = bench.job(later(3600));
    bench.finished(&job, &[Again { id, index: 0, at: later(9000) }], later(3601));
    let Some(Work::Expire(ended, None)) = bench.next(later(7200)) else { panic!("its time is over") };
    assert_eq!(ended.items, [item(1, &[0])]);
}

#[test]
fn senders_are_warned_once() {
    let bench = Bench::new();
    let mut new = new_entry("a@x.test", &["b@y.test", "c@y.test", "d@y.test"]);
    new.recipients[1].notify = Notify::Never;
    new.recipients[2].notify = Notify::On { success: false, failure: false, delay: true };
    let (id, _) = bench.put(new);
    bench.put(new_entry("", &["b@y.test"]));
    bench.reached("y.test");
    let settings = Settings { warn_after: Some(Duration::from_secs(3600)), ..Settings::default() };
    bench.queue.scheduler().set(settings);
    bench.refill(NOW);
    let mut jobs = Vec::new();
    while let Some(Work::Deliver(job)) = bench.next(NOW) {
        jobs.push(job);
    }
    for job in &jobs {
        let again = |item: &JobItem| {
            let id = item.id;
            item.recipients
                .iter()
                .map(|index| Again { id, index: *index, at: later(5000) })
                .collect::<Vec<_>>()
        };
        bench.finished(job, &job.items.iter().flat_map(again).collect::<Vec<_>>(), NOW);
    }
    assert_eq!(bench.next(later(3599)), None);
    let Some(Work::Warn(warned)) = bench.next(later(3600)) else { panic!("no warning") };
    assert_eq!(warned.items, [item(1, &[0, 2])]);
    assert_eq!(bench.next(later(3600)), None);
    bench.queue.scheduler().finished(warned.id, &Host::Unknown, &[], at(later(3600)));
    let note = move |tx: &mut dyn engine::Tx| Ok(record_warned(tx, id, &[0, 2], later(3600))?);
    let noted = bench.engine().transact(&[AccountId(0)], note).wait().unwrap();
    assert_eq!(noted, [0, 2]);
    assert_eq!(bench.engine().transact(&[AccountId(0)], note).wait().unwrap(), [0_u32; 0]);
    assert_eq!(bench.queue.show(id).unwrap().unwrap().history[1].kind, EventKind::Warned);
    let fresh = Queue::new(bench.engine.clone());
    fresh.scheduler().set(Settings { warn_after: Some(Duration::from_secs(1)), ..Settings::default() });
    fresh.refill(&mut by_domain, at(later(10))).unwrap();
    while let Some(work) = fresh.scheduler().next(at(later(10))) {
        assert!(matches!(work, Work::Deliver(_)), "{work:?}");
    }
}

#[test]
fn a_damaged_record_keeps_no_other_mail_back() {
    let bench = Bench::new();
    let (id, _) = bench.put(new_entry("a@x.test", &["b@y.test"]));
    bench.put(new_entry("a@x.test", &["c@z.test"]));
    let harm = move |tx: &mut dyn engine::Tx| Ok(tx.put(&keys::entry(id), b"\x02")?);
    bench.engine().transact(&[AccountId(0)], harm).wait().unwrap();
    let refilled = bench.queue.refill(&mut by_domain, at(NOW)).unwrap();
    assert!(refilled.problems[0].contains("00000001 is damaged"), "{refilled:?}");
    assert_eq!(bench.job(NOW).items, [item(2, &[0])]);
}

#[test]
fn records_of_version_1_are_read() {
    let bench = Bench::new();
    let (id, _) = bench.put(new_entry("a@x.test", &["b@y.test"]));
    // What version 2 added stands at the end: four bytes of the envelope, one of the recipient.
    let age = move |tx: &mut dyn engine::Tx| {
        for (key, added) in [(keys::entry(id), 4), (keys::part(b'r', id, 0), 1)] {
            let mut value = tx.get(&key)?.unwrap();
            value.truncate(value.len() - added);
            value[0] = 1;
            tx.put(&key, &value)?;
        }
        Ok(())
    };
    let new = bench.queue.show(id).unwrap();
    bench.engine().transact(&[AccountId(0)], age).wait().unwrap();
    assert_eq!(bench.queue.show(id).unwrap(), new);
}

#[test]
fn counters_of_version_2_are_read() {
    let bench = Bench::new();
    bench.put(new_entry("a@x.test", &["b@y.test"]));
    let age = |tx: &mut dyn engine::Tx| {
        let mut value = tx.get(&keys::TOTALS)?.unwrap();
        value.drain(1..9);
        value[0] = 2;
        tx.put(&keys::TOTALS, &value)?;
        Ok(tx.put(&keys::LAST_ID, &7_u64.to_be_bytes())?)
    };
    bench.engine().transact(&[AccountId(0)], age).wait().unwrap();
    assert_eq!(bench.put(new_entry("", &["b@y.test"])).0, QueueId(8));
    assert_eq!(bench.put(new_entry("", &["b@y.test"])).0, QueueId(9));
    assert_eq!(bench.check().entries, 3);
}

#[test]
fn other_limits_hold_after_a_restart() {
    let bench = Bench::new();
    for n in 0..5 {
        bench.put(new_entry(&format!("s{n}@x.test"), &[&format!("r@y{n}.test")]));
    }
    let rate = Some(schedule::Rate { messages: 2, per: Duration::from_hours(240) });
    let slow = schedule::Limits { rate, ..schedule::Limits::default() };
    let refill = |limits| {
        let mut route = |_: &Addressed<'_>| (Destination("hop".into()), limits);
        bench.queue.refill(&mut route, at(NOW)).unwrap();
    };
    refill(Some(slow));
    for _ in 0..2 {
        let job = bench.job(NOW);
        bench.attempt(job.items[0].id, 0, Attempt::Delivered, "250");
        bench.finished(&job, &[], NOW);
    }
    assert_eq!(bench.next(NOW), None);
    bench.queue.scheduler().set(Settings::default());
    bench.queue.scheduler().limit_groups(&[]);
    bench.queue.scheduler().restart();
    refill(None);
    assert_eq!(bench.job(NOW).items.len(), 1);
    assert_eq!(bench.job(NOW).items.len(), 1);
    assert_eq!(bench.job(NOW).items.len(), 1);
}
