//! Weeks of mail in seconds: the scheduler among hosts that work, are slow, are down for hours or for ever, greylist, or
//! take few connections; with bulk senders, operators and restarts. All of one seed.

use super::*;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const START: i64 = 1_700_000_000;
const EXPIRY: i64 = 5 * DAY;
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(300), longest: Duration::from_hours(2) };

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, most: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ x >> 31) >> 1) as i64 % most
    }
}

/// How a host behaves.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Nature {
    Works,
    /// Takes a minute for each message.
    Slow,
    /// Never answers.
    Dead,
    /// Down every other six hours.
    Flaky,
    /// The first attempt within five minutes of a message fails for now.
    Greylists,
    /// 421 beyond so many connections.
    Narrow(u32),
    /// Refuses every recipient.
    Refuses,
}

const NATURES: [Nature; 7] = [
    Nature::Works,
    Nature::Slow,
    Nature::Dead,
    Nature::Flaky,
    Nature::Greylists,
    Nature::Narrow(2),
    Nature::Refuses,
];

#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Delivered,
    Failed,
    Expired,
}

/// A recipient as the store has it.
struct Record {
    due: i64,
    attempts: Vec<i64>,
    end: Option<End>,
    running: bool,
}

struct Message {
    sender: u64,
    priority: i8,
    received: i64,
    not_before: Option<i64>,
    host: usize,
    warned: bool,
    recipients: Vec<Record>,
}

impl Message {
    fn arrivals(&self, id: u64) -> Vec<Arrival> {
        let mut times: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        for (index, record) in (0_u32..).zip(&self.recipients).filter(|(_, record)| record.end.is_none()) {
            times.entry(record.due).or_default().push(index);
        }
        let arrival = |(due, recipients)| Arrival {
            id: QueueId(id),
            priority: self.priority,
            sender: self.sender,
            expires: UnixTime(self.received + EXPIRY),
            strict: false,
            not_before: self.not_before.map(UnixTime),
            warn_at: (!self.warned).then(|| UnixTime(self.received + 4 * HOUR)),
            destination: name(self.host),
            limits: None,
            due: UnixTime(due),
            attempts: self.recipients.iter().map(|record| record.attempts.len() as u32).max().unwrap_or(0),
            recipients,
        };
        times.into_iter().map(arrival).collect()
    }
}

fn name(host: usize) -> Destination {
    Destination(format!("{:?}{host}.test", NATURES[host % NATURES.len()]).into())
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Arrives(u64),
    Ends(JobId),
}

struct World {
    random: Random,
    scheduler: Scheduler,
    now: i64,
    messages: BTreeMap<u64, Message>,
    running: HashMap<JobId, (usize, Job, bool)>,
    connections: HashMap<usize, u32>,
    agenda: BinaryHeap<Reverse<(i64, Happens)>>,
    /// Longest time in seconds from being due first to the first attempt, of each nature, for each sender.
    waited: BTreeMap<(u64, usize), i64>,
    jobs_most: usize,
    refused_connections: u64,
    starts: u64,
    /// No operators, no restarts.
    undisturbed: bool,
}

impl World {
    fn new(seed: u64, settings: Settings) -> World {
        World {
            random: Random(seed),
            scheduler: Scheduler::new(settings),
            now: START * 1000,
            messages: BTreeMap::new(),
            running: HashMap::new(),
            connections: HashMap::new(),
            agenda: BinaryHeap::new(),
            waited: BTreeMap::new(),
            jobs_most: 0,
            refused_connections: 0,
            starts: 0,
            undisturbed: false,
        }
    }

    fn send(&mut self, at: i64, sender: u64, priority: i8, host: usize, recipients: usize) {
        let not_before = (self.random.below(20) == 0).then(|| at + self.random.below(2 * DAY));
        let due = not_before.unwrap_or(at);
        let record = || Record { due, attempts: Vec::new(), end: None, running: false };
        let recipients = (0..recipients).map(|_| record()).collect();
        let id = self.messages.len() as u64 + 1;
        let message = Message { sender, priority, received: at, not_before, host, warned: false, recipients };
        self.messages.insert(id, message);
        self.agenda.push(Reverse((at * 1000, Happens::Arrives(id))));
    }

    fn seconds(&self) -> i64 {
        self.now / 1000
    }

    fn run(&mut self, until: i64) {
        loop {
            self.work();
            let timer = self.scheduler.wake_at().map(|at| at.0);
            let next = self.agenda.peek().map(|Reverse((at, _))| *at);
            let Some(next) = timer.into_iter().chain(next).min().filter(|at| *at <= until * 1000) else {
                break;
            };
            assert!(timer.is_none_or(|timer| timer > self.now), "a timer in the past brings nothing");
            self.now = next.max(self.now);
            while let Some(Reverse((at, _))) = self.agenda.peek()
                && *at <= self.now
                && let Some(Reverse((_, what))) = self.agenda.pop()
            {
                match what {
                    Happens::Arrives(id) => self.arrive(id),
                    Happens::Ends(job) => self.end(job),
                }
            }
            match self.random.below(2000) {
                _ if self.undisturbed => {}
                0 => self.operate(),
                1 if self.random.below(20) == 0 => self.restart(),
                _ => {}
            }
        }
    }

    fn arrive(&mut self, id: u64) {
        for arrival in self.messages[&id].arrivals(id) {
            self.scheduler.arrive(arrival, Moment(self.now));
        }
    }

    fn work(&mut self) {
        self.refill();
        while let Some(work) = self.scheduler.next(Moment(self.now)) {
            match work {
                Work::Deliver(job) => self.start(job),
                Work::Expire(job, _) => {
                    for (id, index) in pairs(&job) {
                        let now = self.seconds();
                        let message = self.messages.get_mut(&id).unwrap();
                        assert!(now >= message.received + EXPIRY, "expired too early");
                        assert!(matches!(
                            NATURES[message.host % 7],
                            Nature::Dead | Nature::Flaky | Nature::Narrow(_)
                        ));
                        finish(&mut message.recipients[index as usize], End::Expired);
                    }
                    self.scheduler.finished(job.id, &Host::Unknown, &[], Moment(self.now));
                }
                Work::Warn(job) => {
                    for (id, _) in pairs(&job) {
                        let message = self.messages.get_mut(&id).unwrap();
                        assert!(self.now / 1000 >= message.received + 4 * HOUR);
                        message.warned = true;
                    }
                    self.scheduler.finished(job.id, &Host::Unknown, &[], Moment(self.now));
                }
            }
        }
        assert!(self.running.len() <= self.scheduler.settings.jobs_max as usize);
        self.jobs_most = self.jobs_most.max(self.running.len());
    }

    fn start(&mut self, job: Job) {
        self.starts += 1;
        let now = self.seconds();
        let mut host = 0;
        for (id, index) in pairs(&job) {
            let message = self.messages.get_mut(&id).unwrap();
            host = message.host;
            assert_eq!(job.destination, name(host));
            let record = &mut message.recipients[index as usize];
            assert!(record.end.is_none() && !record.running, "message {id} is sent twice");
            assert!(now >= record.due, "too early");
            assert!(message.not_before.is_none_or(|at| now >= at), "the sender said when");
            record.running = true;
            if record.attempts.is_empty() {
                let waited = self.waited.entry((message.sender, host)).or_default();
                *waited = (*waited).max(now - record.due);
            }
        }
        let connections = self.connections.entry(host).or_default();
        *connections += 1;
        let nature = NATURES[host % NATURES.len()];
        let up = match nature {
            Nature::Dead => false,
            Nature::Flaky => now / (6 * HOUR) % 2 == 0,
            Nature::Narrow(most) => *connections <= most,
            _ => true,
        };
        let each = match nature {
            Nature::Slow => 60_000,
            _ => 20 + self.random.below(300),
        };
        let time = match (up, nature) {
            (true, _) => each * job.items.len() as i64,
            (false, Nature::Narrow(_)) => 50,
            (false, _) => 30_000,
        };
        self.agenda.push(Reverse((self.now + time, Happens::Ends(job.id))));
        self.running.insert(job.id, (host, job, up));
    }

    fn end(&mut self, job: JobId) {
        // Of a time before a restart.
        let Some((host, job, up)) = self.running.remove(&job) else { return };
        *self.connections.get_mut(&host).unwrap() -= 1;
        let (nature, now) = (NATURES[host % NATURES.len()], self.seconds());
        let outcome = match nature {
            _ if up => Host::Reached,
            Nature::Narrow(_) => {
                self.refused_connections += 1;
                Host::Busy("421 4.7.0 too many".to_owned())
            }
            _ => Host::Unusable("connection timed out".to_owned()),
        };
        let mut again = Vec::new();
        for (id, index) in pairs(&job) {
            let random = self.random.below(1 << 32) as u32;
            let message = self.messages.get_mut(&id).unwrap();
            let expires = UnixTime(message.received + EXPIRY);
            let record = &mut message.recipients[index as usize];
            record.running = false;
            if !up && matches!(nature, Nature::Narrow(_)) {
                // Not asked: no attempt of theirs.
                again.push(Again { id: QueueId(id), index, at: UnixTime(now) });
                continue;
            }
            record.attempts.push(now);
            let first = record.attempts[0];
            match nature {
                Nature::Refuses => finish(record, End::Failed),
                _ if up && (nature != Nature::Greylists || now >= first + 300) => {
                    finish(record, End::Delivered)
                }
                _ => match BACKOFF.retry(record.attempts.len() as u32, UnixTime(now), expires, random) {
                    Retry::GiveUp => finish(record, End::Expired),
                    Retry::At(at) => {
                        record.due = at.0;
                        again.push(Again { id: QueueId(id), index, at });
                    }
                },
            }
        }
        self.scheduler.finished(job.id, &outcome, &again, Moment(self.now));
    }

    /// An operator flushes a host, or changes a message (and changes it back).
    fn operate(&mut self) {
        if self.random.below(3) == 0 {
            let host = self.random.below(70) as usize;
            self.scheduler.flush(&name(host), Moment(self.now));
            for message in self.messages.values_mut().filter(|message| message.host == host) {
                let free = message.not_before.is_none_or(|at| at <= self.now / 1000);
                for record in message.recipients.iter_mut().filter(|_| free) {
                    record.due = record.due.min(self.now / 1000);
                }
            }
        }
        let id = 1 + self.random.below(self.messages.len() as i64) as u64;
        if self.messages[&id].received <= self.seconds() {
            self.scheduler.has_read_to(QueueId(u64::MAX));
            self.scheduler.changed(QueueId(id));
        }
    }

    fn refill(&mut self) {
        for id in self.scheduler.take_changed() {
            self.arrive(id.0);
        }
    }

    /// A crash: what ran is forgotten, the store is not.
    fn restart(&mut self) {
        self.scheduler = Scheduler {
            last_job: self.scheduler.last_job,
            ..Scheduler::new(self.scheduler.settings.clone())
        };
        self.running.clear();
        self.connections.clear();
        for message in self.messages.values_mut() {
            message.recipients.iter_mut().for_each(|record| record.running = false);
        }
        self.scheduler.has_read_to(QueueId(u64::MAX));
        let now = self.seconds();
        let queued = self.messages.iter().filter(|(_, message)| message.received <= now);
        for id in queued.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.arrive(id);
        }
    }

    /// What must hold when all time is over.
    fn check_ends(&mut self) {
        self.refill();
        assert!(self.scheduler.is_empty(), "{} items are left", self.scheduler.len());
        for (id, message) in &self.messages {
            let nature = NATURES[message.host % NATURES.len()];
            for record in &message.recipients {
                let right = match nature {
                    Nature::Dead => record.end == Some(End::Expired),
                    Nature::Refuses => record.end == Some(End::Failed),
                    _ => record.end == Some(End::Delivered),
                };
                assert!(right, "message {id} to {nature:?} ended {:?}", record.end);
                let pauses = record.attempts.windows(2).map(|pair| pair[1] - pair[0]);
                // An operator may have asked for an attempt sooner, but never for more than there are.
                assert!(record.attempts.len() < 90, "{} attempts", record.attempts.len());
                assert!(pauses.clone().all(|pause| pause >= 0));
                let last = record.attempts.last().copied().unwrap_or(message.received);
                assert!(last <= message.received + EXPIRY + HOUR, "tried beyond its time");
            }
        }
    }
}

fn pairs(job: &Job) -> Vec<(u64, u32)> {
    job.items.iter().flat_map(|item| item.recipients.iter().map(|index| (item.id.0, *index))).collect()
}

fn finish(record: &mut Record, end: End) {
    assert!(record.end.is_none(), "it ended already");
    record.end = Some(end);
    record.running = false;
}

/// Two weeks with 70 hosts of all natures.
fn weeks(seed: u64) -> World {
    let mut world = World::new(seed, Settings { jobs_max: 60, ..Settings::default() });
    for n in 0..1500 {
        let at = START + world.random.below(8 * DAY);
        let host = world.random.below(70) as usize;
        let recipients = if n % 100 == 0 { 250 } else { 1 + world.random.below(3) as usize };
        let (sender, priority) = (world.random.below(30) as u64, world.random.below(19) as i8 - 9);
        world.send(at, sender, priority, host, recipients);
    }
    // A bulk sender's burst on the third day.
    for n in 0..2000 {
        world.send(START + 2 * DAY, 1000, 0, n % 70, 1);
    }
    world.run(START + 15 * DAY);
    world
}

#[test]
fn weeks_pass_and_every_recipient_ends_once() {
    for seed in 1..=4 {
        let mut world = weeks(seed);
        world.check_ends();
        assert!(world.refused_connections * 10 < world.starts, "hosts that take few connections get few");
    }
}

#[test]
fn the_same_seed_gives_the_same_weeks() {
    let story = |seed| {
        let world = weeks(seed);
        (world.starts, world.waited, world.now)
    };
    assert_eq!(story(7), story(7));
}

/// Dead hosts with 20,000 messages and a bulk sender with as many for one slow host delay nobody else's mail.
#[test]
fn others_mail_is_not_delayed() {
    let mut world = World::new(11, Settings { jobs_max: 100, ..Settings::default() });
    world.undisturbed = true;
    let hosts_of = |nature: usize| (0..700_usize).filter(move |host| host % 7 == nature);
    let (dead, slow) = (hosts_of(2).collect::<Vec<_>>(), hosts_of(1).next().unwrap());
    for n in 0..10_000 {
        world.send(START, 1000 + (n % 50), 0, dead[n as usize % dead.len()], 1);
        world.send(START, 1, 0, slow, 1);
    }
    let works = hosts_of(0).collect::<Vec<_>>();
    for n in 0..2000_i64 {
        let host = works[world.random.below(100) as usize % works.len()];
        world.send(START + 600 + n * 10, 2, 0, host, 1);
        world.send(START + 600 + n * 10, 3, 0, slow, 1);
    }
    for message in world.messages.values_mut() {
        let received = message.received;
        message.not_before = None;
        message.recipients.iter_mut().for_each(|record| record.due = received);
    }
    world.run(START + 6 * HOUR);
    let waited = |sender, host| world.waited.get(&(sender, host)).copied().unwrap_or(0);
    let worst = works.iter().map(|host| waited(2, *host)).max();
    assert!(worst.unwrap() <= 1, "somebody waited {worst:?} seconds");
    // Two share a host that takes a minute for each message: one has 10,000, the other one every ten seconds.
    let (bulk, other) = (waited(1, slow), waited(3, slow));
    assert!(bulk > 3 * HOUR && other <= 120, "waited {bulk} and {other} seconds");
    // 10,000 messages for 100 dead hosts: probes, not an attempt for each.
    assert!(world.jobs_most > 20);
    let probes: usize = world
        .messages
        .values()
        .filter(|message| NATURES[message.host % 7] == Nature::Dead)
        .map(|message| message.recipients[0].attempts.len())
        .sum();
    assert!(probes < 12_000, "{probes} attempts");
}
