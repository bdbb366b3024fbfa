//! One rule at a time; `simulation.rs` has them all at once.

use super::*;

const NOW: Moment = Moment(1_700_000_000_000);

fn later(seconds: i64) -> Moment {
    Moment(NOW.0 + seconds * 1000)
}

fn to(name: &str) -> Destination {
    Destination(name.into())
}

fn arrival(id: u64, sender: u64, host: &str) -> Arrival {
    Arrival {
        id: QueueId(id),
        priority: 0,
        sender,
        expires: later(86_400).unix_time(),
        strict: false,
        not_before: None,
        warn_at: None,
        destination: to(host),
        limits: None,
        due: NOW.unix_time(),
        attempts: 0,
        recipients: vec![0],
    }
}

fn scheduler(jobs_max: u32, limits: Limits) -> Scheduler {
    Scheduler::new(Settings { jobs_max, messages_per_job: 1, limits, ..Settings::default() })
}

fn limits(jobs: u32) -> Limits {
    Limits { jobs_at_first: jobs, jobs_max: jobs, rate: None }
}

impl Scheduler {
    /// All jobs that may begin now.
    fn jobs(&mut self, now: Moment) -> Vec<Job> {
        std::iter::from_fn(|| self.next(now))
            .map(|work| match work {
                Work::Deliver(job) => job,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    /// It was reached before.
    fn join_proven(&mut self, name: &str) {
        let key = self.destinations.known(&to(name), &self.settings.limits);
        self.destinations.get(key).reached = 1;
    }

    /// Runs one job after the other, each a success, and says which messages went, in order.
    fn order(&mut self, now: Moment) -> Vec<u64> {
        let mut sent = Vec::new();
        while let Some(Work::Deliver(job)) = self.next(now) {
            sent.extend(job.items.iter().map(|item| item.id.0));
            self.finished(job.id, &Host::Reached, &[], now);
        }
        sent
    }

    fn fails(&mut self, job: &Job, now: Moment) {
        self.ends(job, &Host::Unusable("no answer".to_owned()), now);
    }

    /// Its recipients come back at once.
    fn ends(&mut self, job: &Job, host: &Host, now: Moment) {
        let again = |item: &JobItem| Again { id: item.id, index: item.recipients[0], at: now.unix_time() };
        let again: Vec<Again> = job.items.iter().map(again).collect();
        self.finished(job.id, host, &again, now);
    }
}

#[test]
fn senders_take_turns_within_a_destination() {
    let mut scheduler = scheduler(10, limits(1));
    for id in 1..=6 {
        scheduler.arrive(arrival(id, 1, "x.test"), NOW);
    }
    scheduler.arrive(arrival(7, 2, "x.test"), NOW);
    scheduler.arrive(arrival(8, 2, "x.test"), NOW);
    assert_eq!(scheduler.order(NOW), [1, 7, 2, 8, 3, 4, 5, 6]);
    assert!(scheduler.is_empty());
}

#[test]
fn destinations_take_turns() {
    let mut scheduler = scheduler(1, limits(5));
    for id in 1..=4 {
        scheduler.arrive(arrival(id, 1, "x.test"), NOW);
    }
    scheduler.arrive(arrival(5, 1, "y.test"), NOW);
    scheduler.arrive(arrival(6, 1, "z.test"), NOW);
    let order = scheduler.order(NOW);
    assert!(order.iter().position(|id| *id == 6) <= Some(3), "{order:?}");
}

#[test]
fn urgent_mail_is_first_and_bulk_does_not_starve() {
    let mut scheduler = scheduler(1, limits(1));
    for n in 0..40_u64 {
        for (class, priority) in [(100, -3), (200, 0), (300, 6)] {
            scheduler.arrive(Arrival { priority, ..arrival(class + n, class, "x.test") }, NOW);
        }
    }
    let order = scheduler.order(NOW);
    let first: Vec<u64> = order[..26].iter().map(|id| id / 100).collect();
    let many = |class| first.iter().filter(|one| **one == class).count();
    assert_eq!((many(3), many(2), many(1)), (18, 6, 2), "{first:?}");
    assert_eq!(order.len(), 120);
}

#[test]
fn one_sender_has_half_of_the_jobs_at_most() {
    let mut scheduler = scheduler(10, limits(100));
    for id in 1..=20 {
        scheduler.arrive(arrival(id, 1, &format!("x{id}.test")), NOW);
    }
    (1..=20).for_each(|id| scheduler.join_proven(&format!("x{id}.test")));
    let jobs = scheduler.jobs(NOW);
    assert_eq!(jobs.len(), 5);
    scheduler.arrive(arrival(21, 2, "x1.test"), NOW);
    assert_eq!(scheduler.jobs(NOW).len(), 1, "there is room for another's");
    scheduler.finished(jobs[0].id, &Host::Reached, &[], NOW);
    assert_eq!(scheduler.jobs(NOW).len(), 1);
}

#[test]
fn the_window_grows_with_success_and_halves_when_it_is_too_much() {
    let mut scheduler = scheduler(1000, Limits { jobs_at_first: 2, jobs_max: 8, rate: None });
    for id in 1..=300 {
        scheduler.arrive(arrival(id, id, "x.test"), NOW);
    }
    scheduler.join_proven("x.test");
    let mut sizes = Vec::new();
    let mut jobs = scheduler.jobs(NOW);
    for _ in 0..8 {
        sizes.push(jobs.len());
        for job in jobs {
            scheduler.finished(job.id, &Host::Reached, &[], NOW);
        }
        jobs = scheduler.jobs(NOW);
    }
    assert_eq!(sizes, [2, 3, 4, 5, 6, 7, 8, 8]);
    // All that ran tell of the same trouble: it counts once.
    for job in &jobs {
        scheduler.ends(job, &Host::Busy("421 4.7.0 too many".into()), NOW);
    }
    assert_eq!(scheduler.jobs(NOW), [], "a short pause");
    let wake = scheduler.wake_at().unwrap();
    assert_eq!(NOW.until(wake), Duration::from_secs(10));
    assert_eq!(scheduler.jobs(wake).len(), 4);
}

#[test]
fn a_destination_out_of_reach_gets_a_probe_now_and_then() {
    let mut scheduler = scheduler(1000, limits(5));
    for id in 1..=50 {
        scheduler.arrive(arrival(id, id, "x.test"), NOW);
    }
    scheduler.join_proven("x.test");
    for job in scheduler.jobs(NOW) {
        scheduler.fails(&job, NOW);
    }
    let mut now = NOW;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        assert_eq!(scheduler.jobs(now), []);
        let wake = scheduler.wake_at().unwrap();
        pauses.push(now.until(wake).as_secs());
        now = wake;
        let probes = scheduler.jobs(now);
        assert_eq!(probes.len(), 1);
        scheduler.fails(&probes[0], now);
    }
    let expected = [60, 120, 240, 480, 960, 1920, 3600, 3600];
    for (pause, expected) in pauses.into_iter().zip(expected) {
        assert!((expected * 9 / 10..=expected * 11 / 10).contains(&pause), "{pause} instead of {expected}");
    }
    let status = scheduler.status(now);
    assert_eq!((status.destinations[0].failures, status.destinations[0].ready), (9, 50));
    assert_eq!(status.destinations[0].trouble.as_deref(), Some("no answer"));
    // It answers again: everything goes.
    let now = scheduler.wake_at().unwrap();
    let probe = scheduler.jobs(now).remove(0);
    scheduler.finished(probe.id, &Host::Reached, &[], now);
    assert_eq!(scheduler.jobs(now).len(), 5);
    assert_eq!(scheduler.order(now).len(), 0);
}

#[test]
fn destinations_in_trouble_have_a_quarter_of_the_jobs() {
    let mut scheduler = scheduler(40, limits(5));
    for id in 1..=80 {
        scheduler.arrive(arrival(id, id, &format!("dead{id}.test")), NOW);
    }
    while let Some(job) = scheduler.jobs(NOW).first() {
        scheduler.fails(job, NOW);
        for (id, running) in
            scheduler.running.iter().map(|(id, job)| (*id, job.items[0].id)).collect::<Vec<_>>()
        {
            let again = Again { id: running, index: 0, at: NOW.unix_time() };
            scheduler.finished(id, &Host::Unusable(String::new()), &[again], NOW);
        }
    }
    let mut probes = scheduler.jobs(later(100));
    assert_eq!(probes.len(), 10);
    for id in 101..=130 {
        scheduler.arrive(arrival(id, id, &format!("well{id}.test")), later(100));
    }
    (101..=130).for_each(|id| scheduler.join_proven(&format!("well{id}.test")));
    assert_eq!(scheduler.jobs(later(100)).len(), 30);
    // As one probe ends, the next one's turn comes; all 80 are asked.
    let mut asked = BTreeSet::new();
    while let Some(probe) = probes.pop() {
        asked.insert(probe.destination.clone());
        scheduler.fails(&probe, later(100));
        probes.extend(scheduler.jobs(later(100)));
    }
    assert_eq!(asked.len(), 80);
}

#[test]
fn rates_hold_for_a_destination_and_for_a_group() {
    let rate = Some(Rate { messages: 3, per: Duration::from_secs(30) });
    let mut scheduler = scheduler(100, limits(100));
    for id in 1..=10 {
        scheduler.arrive(
            Arrival { limits: Some(Limits { rate, ..limits(100) }), ..arrival(id, id, "x.test") },
            NOW,
        );
    }
    ["x.test", "a.test", "b.test"].iter().for_each(|name| scheduler.join_proven(name));
    assert_eq!(scheduler.jobs(NOW).len(), 3);
    let wake = scheduler.wake_at().unwrap();
    assert!((10_000..10_010).contains(&(wake.0 - NOW.0)));
    assert_eq!(scheduler.jobs(wake).len(), 1);
    scheduler.limit_groups(&[("outlook".into(), Limits { rate, ..limits(100) })]);
    for name in ["a.test", "b.test"] {
        scheduler.join(&to(name), &["outlook"]);
        for id in 20..30 {
            scheduler.arrive(arrival(id, id, name), wake);
        }
    }
    assert_eq!(scheduler.jobs(wake).len(), 3);
    assert_eq!(scheduler.jobs(Moment(wake.0 + 300_000)).len(), 3 + 3, "both, no more than the burst");
}

#[test]
fn limits_that_are_lifted_hold_nothing_back() {
    let rate = Some(Rate { messages: 1, per: Duration::from_hours(24) });
    let mut scheduler = scheduler(100, limits(100));
    scheduler.join_proven("x.test");
    scheduler.join_proven("y.test");
    scheduler.limit_groups(&[("outlook".into(), Limits { rate, ..limits(100) })]);
    scheduler.join(&to("y.test"), &["outlook"]);
    let slow = |id| Arrival { limits: Some(Limits { rate, ..limits(100) }), ..arrival(id, id, "x.test") };
    (1..=4).for_each(|id| scheduler.arrive(slow(id), NOW));
    (11..=14).for_each(|id| scheduler.arrive(arrival(id, id, "y.test"), NOW));
    assert_eq!(scheduler.jobs(NOW).len(), 2);
    scheduler.limit_groups(&[]);
    assert_eq!(scheduler.jobs(NOW).len(), 3, "those of the group");
    scheduler.restart();
    (1..=4).for_each(|id| scheduler.arrive(arrival(id, id, "x.test"), NOW));
    assert_eq!(scheduler.jobs(NOW).len(), 3);
}

#[test]
fn a_group_has_jobs_for_all_its_destinations_in_turn() {
    let mut scheduler = scheduler(100, limits(5));
    scheduler.limit_groups(&[("10.0.0.1".into(), limits(3))]);
    for host in 0..6 {
        let name = format!("{host}.test");
        scheduler.join(&to(&name), &["10.0.0.1"]);
        for id in 0..4 {
            scheduler.arrive(arrival(host * 10 + id + 1, host, &name), NOW);
        }
    }
    let mut jobs = scheduler.jobs(NOW);
    let mut sent = Vec::new();
    while !jobs.is_empty() {
        assert!(jobs.len() <= 3);
        let job = jobs.remove(0);
        sent.push(job.destination.to_string());
        scheduler.finished(job.id, &Host::Reached, &[], NOW);
        jobs.extend(scheduler.jobs(NOW));
    }
    assert_eq!(sent.len(), 24);
    assert_eq!(sent[..12].iter().collect::<BTreeSet<_>>().len(), 6, "{sent:?}");
}

#[test]
fn a_destination_whose_group_is_found_by_its_first_job_does_not_go_beyond_it() {
    let rate = Some(Rate { messages: 1, per: Duration::from_hours(24) });
    let mut scheduler = scheduler(100, limits(5));
    scheduler.limit_groups(&[("mx".into(), limits(2))]);
    for id in 1..=5 {
        let own = (id == 3).then_some(Limits { rate, ..limits(5) });
        scheduler.arrive(Arrival { limits: own, ..arrival(id, id, &format!("{id}.test")) }, NOW);
    }
    let begun = scheduler.jobs(NOW);
    assert_eq!(begun.len(), 5, "nobody knows yet that they share hosts");
    let (may, may_not): (Vec<Job>, Vec<Job>) =
        begun.into_iter().partition(|job| scheduler.regroup(job.id, &["mx"], NOW));
    assert_eq!((may.len(), may_not.len()), (2, 3));
    may_not.iter().for_each(|job| scheduler.ends(job, &Host::Unknown, NOW));
    assert_eq!(scheduler.jobs(NOW), [], "they stand in line");
    let mut sent = 2;
    let mut running = may;
    while let Some(job) = running.pop() {
        scheduler.finished(job.id, &Host::Reached, &[], NOW);
        let next = scheduler.jobs(NOW);
        assert!(next.len() <= 1, "one for one");
        for job in next {
            assert!(scheduler.regroup(job.id, &["mx"], NOW), "known and counted already");
            sent += 1;
            running.push(job);
        }
    }
    assert_eq!(sent, 5, "and nothing was taken off the rate of the third by what was given back");
    assert!(scheduler.is_empty());
}

#[test]
fn what_could_not_be_ended_is_ended_later_and_not_at_once() {
    let mut scheduler = scheduler(10, limits(1));
    let expires = later(1000).unix_time();
    scheduler.arrive(
        Arrival { expires, due: later(2000).unix_time(), attempts: 1, ..arrival(1, 1, "x.test") },
        NOW,
    );
    for at in [1000, 1060, 1120] {
        let Some(Work::Expire(job, _)) = scheduler.next(later(at)) else { panic!("nothing ends at {at}") };
        let again = [Again { id: QueueId(1), index: 0, at: later(at + 60).unix_time() }];
        scheduler.finished(job.id, &Host::Unknown, &again, later(at));
        assert_eq!(scheduler.next(later(at)), None);
        assert_eq!(scheduler.wake_at(), Some(later(at + 60)));
    }
}

#[test]
fn a_flush_makes_all_due_that_may_be() {
    let mut scheduler = scheduler(10, limits(5));
    scheduler.arrive(Arrival { due: later(500).unix_time(), ..arrival(1, 1, "x.test") }, NOW);
    let at = later(600).unix_time();
    scheduler.arrive(Arrival { due: at, not_before: Some(at), ..arrival(2, 1, "x.test") }, NOW);
    scheduler.arrive(arrival(3, 1, "x.test"), NOW);
    scheduler.join_proven("x.test");
    let job = scheduler.jobs(NOW).remove(0);
    scheduler.fails(&job, NOW);
    assert_eq!(scheduler.jobs(NOW), []);
    assert_eq!(scheduler.flush(&to("y.test"), NOW), 0);
    assert_eq!(scheduler.flush(&to("x.test"), NOW), 1);
    let ids: Vec<u64> = scheduler.jobs(NOW).iter().map(|job| job.items[0].id.0).collect();
    assert_eq!(ids, [3, 1]);
}

#[test]
fn what_waits_and_what_may_go_is_known() {
    let mut scheduler = scheduler(10, limits(1));
    let x = to("x.test");
    assert!(scheduler.waiting(&x) == 0 && !scheduler.is_busy(&x, NOW));
    scheduler.arrive(arrival(1, 1, "x.test"), NOW);
    scheduler.arrive(arrival(2, 1, "x.test"), NOW);
    scheduler.arrive(arrival(3, 1, "y.test"), NOW);
    assert!(scheduler.waiting(&x) == 2 && scheduler.is_busy(&x, NOW) && !scheduler.is_under_way(&x));
    let jobs = scheduler.jobs(NOW);
    assert!(scheduler.waiting(&x) == 1 && scheduler.is_busy(&x, NOW) && scheduler.is_under_way(&x));
    for job in &jobs {
        scheduler.fails(job, NOW);
    }
    // Behind a host in trouble nothing may go for a while.
    assert!(scheduler.waiting(&x) > 0 && !scheduler.is_busy(&x, NOW) && !scheduler.is_under_way(&x));
    scheduler.flush(&x, NOW);
    assert!(scheduler.is_busy(&x, NOW));
}

#[test]
fn a_clock_that_goes_back_holds_nothing_up() {
    let mut scheduler = scheduler(10, limits(5));
    scheduler.arrive(Arrival { due: later(300).unix_time(), ..arrival(1, 1, "x.test") }, NOW);
    scheduler.arrive(arrival(2, 1, "y.test"), NOW);
    let job = scheduler.jobs(NOW).remove(0);
    scheduler.fails(&job, NOW);
    let back = later(-100_000);
    assert_eq!(scheduler.jobs(back), []);
    assert!(scheduler.wake_at().unwrap() <= later(-100_000 + 70));
    assert_eq!(scheduler.jobs(later(-100_000 + 301)).len(), 2);
}

#[test]
fn what_a_clock_noted_that_was_ahead_does_not_wait_for_it() {
    let mut scheduler = scheduler(10, limits(5));
    let days = later(3 * 86_400).unix_time();
    scheduler.arrive(Arrival { due: days, attempts: 1, ..arrival(1, 1, "x.test") }, NOW);
    scheduler.arrive(Arrival { due: days, not_before: Some(days), ..arrival(2, 1, "y.test") }, NOW);
    let soon = later(3600).unix_time();
    scheduler.arrive(Arrival { due: days, not_before: Some(soon), ..arrival(3, 1, "z.test") }, NOW);
    scheduler.arrive(Arrival { due: soon, attempts: 9, ..arrival(4, 1, "w.test") }, NOW);
    let ids = |jobs: Vec<Job>| jobs.iter().map(|job| job.items[0].id.0).collect::<BTreeSet<_>>();
    assert_eq!(ids(scheduler.jobs(NOW)), [1].into());
    assert_eq!(ids(scheduler.jobs(later(3600))), [3, 4].into());
}

#[test]
fn behind_a_dead_host_mail_expires_without_an_attempt_of_its_own() {
    let mut scheduler = scheduler(10, limits(1));
    let expires = later(1000).unix_time();
    for id in 1..=3 {
        scheduler.arrive(Arrival { expires, ..arrival(id, 1, "x.test") }, NOW);
    }
    let job = scheduler.jobs(NOW).remove(0);
    scheduler.finished(job.id, &Host::Unusable("no route".into()), &[], NOW);
    let mut ended = Vec::new();
    let mut now = NOW;
    while let Some(wake) = scheduler.wake_at() {
        now = wake;
        while let Some(work) = scheduler.next(now) {
            match work {
                Work::Deliver(job) => scheduler.fails(&job, now),
                Work::Expire(job, why) => {
                    assert!(why.is_some() && now >= later(1000));
                    ended.push(job.items[0].id.0);
                    scheduler.finished(job.id, &Host::Unknown, &[], now);
                }
                Work::Warn(_) => panic!("nobody asked"),
            }
        }
        if scheduler.is_empty() {
            break;
        }
    }
    ended.sort_unstable();
    assert_eq!(ended, [2, 3]);
    assert!(now < later(1300));
}

#[test]
fn thousands_of_delays_are_told_some_at_a_time() {
    let mut scheduler = scheduler(10, limits(1));
    let (due, warn_at) = (later(900).unix_time(), Some(later(60).unix_time()));
    for id in 1..=1000 {
        scheduler.arrive(Arrival { due, warn_at, ..arrival(id, 1, "x.test") }, NOW);
    }
    let mut told = VecDeque::new();
    let mut ids = BTreeSet::new();
    loop {
        while let Some(work) = scheduler.next(later(60)) {
            let Work::Warn(job) = work else { panic!("{work:?}") };
            assert!(ids.insert(job.items[0].id), "told twice");
            told.push_back(job.id);
        }
        assert!(told.len() <= NOTICES_MAX && scheduler.wake_at().is_none_or(|at| at > later(60)));
        let Some(job) = told.pop_front() else { break };
        scheduler.finished(job, &Host::Unknown, &[], later(60));
    }
    assert_eq!((ids.len(), scheduler.len()), (1000, 1000), "and they are still to be sent");
    assert_eq!(scheduler.jobs(later(900)).len(), 1);
}

#[test]
fn many_recipients_are_cut_into_transactions() {
    let mut scheduler = Scheduler::new(Settings { limits: limits(5), ..Settings::default() });
    scheduler.join_proven("x.test");
    scheduler.arrive(Arrival { recipients: (0..250).collect(), ..arrival(1, 1, "x.test") }, NOW);
    let jobs = scheduler.jobs(NOW);
    let sizes: Vec<usize> =
        jobs.iter().flat_map(|job| &job.items).map(|item| item.recipients.len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    // Some of them come back, at two times.
    let at = |index: u32| Again { id: QueueId(1), index, at: later(i64::from(60 + index / 50)).unix_time() };
    scheduler.finished(jobs[0].id, &Host::Reached, &[at(7), at(8), at(70), at(150)], NOW);
    let next: Vec<Vec<u32>> =
        scheduler.jobs(later(100)).iter().map(|job| job.items[0].recipients.clone()).collect();
    assert_eq!(next, [vec![7, 8], vec![70]], "150 is not of that job");
}

#[test]
fn few_messages_are_spread_and_many_share_a_connection() {
    let mut scheduler = Scheduler::new(Settings { limits: limits(4), ..Settings::default() });
    for id in 1..=4 {
        scheduler.arrive(arrival(id, 1, "few.test"), NOW);
    }
    for id in 11..=110 {
        scheduler.arrive(arrival(id, 2, "many.test"), NOW);
    }
    ["few.test", "many.test"].iter().for_each(|name| scheduler.join_proven(name));
    let sizes: Vec<usize> = scheduler.jobs(NOW).iter().map(|job| job.items.len()).collect();
    assert_eq!(sizes, [1, 10, 1, 10, 1, 10, 1, 10]);
}

#[test]
fn after_a_restart_what_runs_is_not_taken_twice() {
    let mut scheduler = scheduler(10, limits(1));
    scheduler.arrive(arrival(1, 1, "x.test"), NOW);
    scheduler.arrive(arrival(2, 1, "x.test"), NOW);
    let job = scheduler.jobs(NOW).remove(0);
    scheduler.restart();
    for id in 1..=2 {
        scheduler.arrive(arrival(id, 1, "other.test"), NOW);
    }
    let jobs = scheduler.jobs(NOW);
    assert_eq!(jobs.iter().map(|job| job.items[0].id.0).collect::<Vec<_>>(), [2]);
    scheduler.has_read_to(QueueId(2));
    scheduler.ends(&job, &Host::Reached, NOW);
    assert_eq!(scheduler.jobs(NOW), [], "it is read again first");
    assert_eq!(scheduler.take_changed().into_iter().collect::<Vec<_>>(), [QueueId(1)]);
}

#[test]
fn idle_destinations_are_forgotten() {
    let mut scheduler = scheduler(10, limits(1));
    for id in 1..=100 {
        scheduler.arrive(arrival(id, id, &format!("x{id}.test")), NOW);
        scheduler.join(&to(&format!("x{id}.test")), &[&format!("mx{id}")]);
    }
    assert_eq!(scheduler.order(NOW).len(), 100);
    assert_eq!(scheduler.destinations().count(), 100);
    let (due, not_before) = (later(90_000).unix_time(), Some(later(90_000).unix_time()));
    let expires = later(99_000).unix_time();
    scheduler.arrive(Arrival { due, not_before, expires, ..arrival(101, 1, "x1.test") }, NOW);
    assert_eq!(scheduler.next(later(50_000)), None);
    assert_eq!(scheduler.destinations().map(ToString::to_string).collect::<Vec<_>>(), ["x1.test"]);
}
