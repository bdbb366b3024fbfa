//! Where mail goes, and how much of it at a time: a window that grows with success and shrinks with trouble, pauses for
//! what can't be reached, limits of its own and of the groups it belongs to.

use super::group::Group;
use super::rate::{Bucket, Rate};
use super::turns::{CLASSES, LaneKey, Wheel};
use super::{Host, Moment, Settings};
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a destination that asked for less gets nothing new.
const BUSY_PAUSE: Duration = Duration::from_secs(10);
/// How long a job is meant to take: a host that is slow gets fewer messages in one, so that others' turns come.
const JOB_TIME: Duration = Duration::from_secs(10);
/// Longest text kept of a trouble, in bytes.
const TROUBLE_BYTES_MAX: usize = 300;
/// The group of all destinations in trouble.
const SUSPECTS: u32 = 0;
/// The group of all destinations that were not reached yet.
const UNPROVEN: u32 = 1;
/// How long an idle destination is remembered.
const REMEMBERED: Duration = Duration::from_hours(6);
/// How often the idle ones are looked for.
const SWEEP_PAUSE: Duration = Duration::from_mins(30);

/// Where mail goes, by a name that says all that connections can be shared by: a domain whose MX are asked, or a route's
/// next hop. The scheduler only compares it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Destination(pub Arc<str>);

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much of the mail for a destination, or for a group of them, at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Jobs at a time once it was reached, and after trouble is over; of a group without meaning. At least 1.
    pub jobs_at_first: u32,
    /// Jobs at a time at most, however well it goes. At least 1.
    pub jobs_max: u32,
    /// Messages in a time.
    pub rate: Option<Rate>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { jobs_at_first: 5, jobs_max: 20, rate: None }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct DestinationKey(u32);

pub(super) struct State {
    pub name: Destination,
    /// Said of this one; None: the settings' hold.
    pub own_limits: bool,
    pub limits: Limits,
    /// Jobs at a time now.
    pub window: u32,
    /// Milliseconds that a message takes, of late.
    pace: u64,
    /// Successes towards a larger window.
    credit: u32,
    pub running: u32,
    /// Messages ready, in all lanes.
    pub ready: usize,
    /// Lanes that take part in turns.
    pub offered: u32,
    parked: [VecDeque<LaneKey>; CLASSES],
    wheel: Wheel,
    /// Troubles in a row.
    pub failures: u32,
    /// How many times it got into trouble ever: jobs of an earlier round tell nothing new.
    pub round: u64,
    pub closed_until: Moment,
    /// A rate or a group has no room: waits for a timer or for the group.
    blocked: bool,
    pub trouble: Option<String>,
    bucket: Bucket,
    groups: Vec<u32>,
    /// Groups that it stands in line for.
    waits_for: Vec<u32>,
    timer: Option<Moment>,
    used: Moment,
    /// Jobs that make no attempt.
    pub noticing: u32,
    /// Jobs that reached it, since it is known.
    pub reached: u64,
}

impl State {
    fn new(name: &Destination, limits: &Limits) -> State {
        State {
            name: name.clone(),
            own_limits: false,
            limits: *limits,
            window: limits.jobs_at_first.clamp(1, limits.jobs_max.max(1)),
            pace: 0,
            credit: 0,
            running: 0,
            ready: 0,
            offered: 0,
            parked: Default::default(),
            wheel: Wheel::default(),
            failures: 0,
            round: 0,
            closed_until: Moment(i64::MIN),
            blocked: false,
            trouble: None,
            bucket: Bucket::default(),
            groups: Vec::new(),
            waits_for: Vec::new(),
            timer: None,
            used: Moment(i64::MIN),
            noticing: 0,
            reached: 0,
        }
    }

    /// What is said of this one, or what is usual.
    pub fn set_limits(&mut self, own: Option<Limits>, usual: Limits) {
        let limits = own.unwrap_or(usual);
        self.own_limits = own.is_some();
        if self.limits == limits {
            return;
        }
        let untouched = self.reached == 0 && self.failures == 0;
        // What held it back may not hold any more; else it is found again.
        (self.limits, self.blocked) = (limits, false);
        self.window = if untouched { limits.jobs_at_first } else { self.window };
        self.window = self.window.clamp(1, limits.jobs_max.max(1));
    }

    /// Mail for it was tried before this scheduler began: it may well be out of reach.
    pub fn was_deferred(&mut self) {
        if self.reached == 0 && self.round == 0 {
            self.failures = 1;
        }
    }

    /// Whether it is thought to be out of reach.
    pub fn is_suspect(&self) -> bool {
        self.failures > 0
    }

    /// Forgets its troubles.
    pub fn reopen(&mut self) {
        (self.failures, self.closed_until, self.blocked) = (0, Moment(i64::MIN), false);
        self.window = self.window.max(self.limits.jobs_at_first.clamp(1, self.limits.jobs_max.max(1)));
    }

    /// How many more jobs it may have now.
    pub fn room(&self, now: Moment) -> u32 {
        if self.blocked || now < self.closed_until {
            return 0;
        }
        // Not reached yet, or not any more: one is enough to find out.
        let window = if self.is_suspect() || self.reached == 0 { 1 } else { self.window };
        window.saturating_sub(self.running)
    }

    /// A job of its has ended. `random` spreads the ends of pauses.
    pub fn ended(&mut self, host: &Host, round: u64, settings: &Settings, now: Moment, random: u64) {
        self.used = now;
        let why = match host {
            Host::Unknown => return,
            Host::Reached => return self.succeeded(),
            Host::Busy(why) | Host::Unusable(why) => why,
        };
        self.trouble = Some(why[..why.floor_char_boundary(TROUBLE_BYTES_MAX)].to_owned());
        // All that ran when it happened tell the same again.
        if round != self.round {
            return;
        }
        self.round += 1;
        self.credit = 0;
        let pause = if matches!(host, Host::Busy(_)) && self.window > 1 && !self.is_suspect() {
            self.window /= 2;
            BUSY_PAUSE
        } else {
            self.window = 1;
            self.failures = self.failures.saturating_add(1);
            // The middle bits of a multiplicative hash: neighbours get different pauses.
            let random = random.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
            settings.unreachable.pause(self.failures, random as u32)
        };
        self.closed_until = now.plus(pause);
    }

    /// A job with so many messages took so long.
    pub fn keeps_pace(&mut self, took: Duration, messages: usize) {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX) / messages.max(1) as u64;
        let known = if self.pace == 0 { took } else { self.pace };
        self.pace = known.saturating_mul(3).saturating_add(took) / 4;
    }

    /// How many messages a job can hand over in time, at least one and up to `most`.
    pub fn messages_in_time(&self, most: u32) -> u32 {
        if self.is_suspect() || self.reached == 0 {
            return 1;
        }
        let in_time = JOB_TIME.as_millis() / u128::from(self.pace.max(1));
        u32::try_from(in_time).unwrap_or(most).clamp(1, most)
    }

    fn succeeded(&mut self) {
        self.reached += 1;
        if self.is_suspect() || self.reached == 1 {
            self.reopen();
        }
        self.trouble = None;
        self.credit += 1;
        // One more with each round of as many successes: slow enough to notice when it is too much.
        if self.credit >= self.window {
            (self.window, self.credit) = ((self.window + 1).min(self.limits.jobs_max.max(1)), 0);
        }
    }

    pub fn park(&mut self, lane: LaneKey) {
        self.parked[lane.class].push_back(lane);
    }

    /// A parked lane whose turn it is here.
    pub fn unpark(&mut self) -> Option<LaneKey> {
        let has = [0, 1, 2].map(|class: usize| !self.parked[class].is_empty());
        self.wheel.choose(has).and_then(|class| self.parked[class].pop_front())
    }

    fn is_idle(&self) -> bool {
        let jobs = self.running + self.noticing + self.offered;
        jobs == 0 && self.ready == 0 && self.parked.iter().all(VecDeque::is_empty)
    }
}

pub(super) struct Destinations {
    by_name: FxHashMap<Destination, DestinationKey>,
    all: FxHashMap<DestinationKey, State>,
    last: u32,
    timers: BTreeSet<(Moment, DestinationKey)>,
    groups: FxHashMap<u32, Group>,
    groups_by_name: FxHashMap<String, u32>,
    last_group: u32,
    swept: Moment,
}

/// Why there is no job for a destination now.
enum Blocked {
    /// Its own jobs; their ends tell.
    Full,
    Until(Moment),
    Group(u32),
}

impl Destinations {
    pub fn new(jobs_max: u32) -> Destinations {
        let mut groups = FxHashMap::default();
        groups.insert(SUSPECTS, Group::new("in trouble"));
        groups.insert(UNPROVEN, Group::new("not reached yet"));
        let mut new = Destinations {
            by_name: FxHashMap::default(),
            all: FxHashMap::default(),
            last: 0,
            timers: BTreeSet::new(),
            groups,
            groups_by_name: FxHashMap::default(),
            last_group: UNPROVEN,
            swept: Moment(i64::MIN),
        };
        new.set_jobs_max(jobs_max);
        new
    }

    pub fn set_jobs_max(&mut self, jobs_max: u32) {
        for (key, share) in [(SUSPECTS, 4), (UNPROVEN, 2)] {
            if let Some(group) = self.groups.get_mut(&key) {
                let most = (jobs_max / share).max(1);
                group.limits = Some(Limits { jobs_at_first: most, jobs_max: most, rate: None });
            }
        }
    }

    /// Limits of those of which nothing else is said.
    pub fn set_default(&mut self, limits: Limits) {
        for state in self.all.values_mut().filter(|state| !state.own_limits) {
            state.limits = limits;
            state.window = state.window.clamp(1, limits.jobs_max.max(1));
        }
    }

    pub fn find(&self, name: &Destination) -> Option<DestinationKey> {
        self.by_name.get(name).copied()
    }

    pub fn known(&mut self, name: &Destination, limits: &Limits) -> DestinationKey {
        if let Some(key) = self.find(name) {
            return key;
        }
        self.last += 1;
        let key = DestinationKey(self.last);
        self.by_name.insert(name.clone(), key);
        self.all.insert(key, State::new(name, limits));
        key
    }

    /// One that is known.
    pub fn get(&mut self, key: DestinationKey) -> &mut State {
        self.all.get_mut(&key).expect("a destination with mail or jobs is not forgotten")
    }

    pub fn iter(&self) -> impl Iterator<Item = (DestinationKey, &State)> {
        self.all.iter().map(|(key, state)| (*key, state))
    }

    /// Sets the limits of groups. Answers all destinations: what held one back may not hold any more.
    pub fn limit_groups(&mut self, named: &[(String, Limits)]) -> Vec<DestinationKey> {
        for (key, group) in &mut self.groups {
            if *key > UNPROVEN {
                group.limits = None;
            }
        }
        for (name, limits) in named {
            let key = self.group(name);
            if let Some(group) = self.groups.get_mut(&key) {
                group.limits = Some(*limits);
            }
        }
        self.all.values_mut().for_each(|state| state.blocked = false);
        self.all.keys().copied().collect()
    }

    fn group(&mut self, name: &str) -> u32 {
        if let Some(key) = self.groups_by_name.get(name) {
            return *key;
        }
        self.last_group += 1;
        self.groups.insert(self.last_group, Group::new(name));
        self.groups_by_name.insert(name.to_owned(), self.last_group);
        self.last_group
    }

    pub fn join(&mut self, key: DestinationKey, names: &[&str]) {
        let state = self.get(key);
        let old = std::mem::take(&mut state.groups);
        let new: Vec<u32> = names.iter().map(|name| self.group(name)).collect();
        for group in &new {
            self.change_members(*group, 1);
        }
        self.get(key).groups = new;
        for group in old {
            self.change_members(group, -1);
        }
    }

    fn change_members(&mut self, key: u32, by: i32) {
        if let Some(group) = self.groups.get_mut(&key) {
            group.members = group.members.saturating_add_signed(by);
            if key > UNPROVEN && group.is_unused() {
                self.groups_by_name.remove(&group.name);
                self.groups.remove(&key);
            }
        }
    }

    /// Takes room for a job of up to `wanted` messages: how many it may have, and the groups it counts in. None: not
    /// now; the destination is told when that changes.
    pub fn admit(&mut self, key: DestinationKey, wanted: u32, now: Moment) -> Option<(u32, Vec<u32>)> {
        match self.room_for(key, wanted, now) {
            Ok((messages, groups)) => {
                for group in &groups {
                    if let Some(group) = self.groups.get_mut(group) {
                        group.take(messages, now);
                    }
                }
                let state = self.get(key);
                state.running += 1;
                if let Some(rate) = state.limits.rate {
                    state.bucket.take(rate, messages, now);
                }
                Some((messages, groups))
            }
            Err(Blocked::Full) => None,
            Err(Blocked::Until(at)) => {
                self.get(key).blocked = true;
                self.arm(key, at);
                None
            }
            Err(Blocked::Group(group)) => {
                let state = self.get(key);
                state.blocked = true;
                if !state.waits_for.contains(&group) {
                    state.waits_for.push(group);
                    if let Some(group) = self.groups.get_mut(&group) {
                        group.waiting.push_back(key);
                    }
                }
                None
            }
        }
    }

    /// Takes room in those groups of a destination that a running job of it does not count in yet: these groups. None:
    /// one of them has none, and nothing was taken.
    pub fn admit_late(
        &mut self,
        key: DestinationKey,
        counted: &[u32],
        messages: u32,
        now: Moment,
    ) -> Option<Vec<u32>> {
        let state = self.all.get(&key)?;
        let joined: Vec<u32> =
            state.groups.iter().copied().filter(|group| !counted.contains(group)).collect();
        for group in joined.iter().filter_map(|key| self.groups.get(key)) {
            if group.room() == 0 || group.in_rate(now).is_err() {
                self.give_back(key, counted, messages);
                return None;
            }
        }
        for key in &joined {
            if let Some(group) = self.groups.get_mut(key) {
                group.take(messages, now);
            }
        }
        Some(joined)
    }

    /// The rates of a destination, and of the groups that a job of it counts in, as if it had not begun.
    fn give_back(&mut self, key: DestinationKey, counted: &[u32], messages: u32) {
        let state = self.get(key);
        if let Some(rate) = state.limits.rate {
            state.bucket.give_back(rate, messages);
        }
        for key in counted {
            if let Some(group) = self.groups.get_mut(key) {
                group.give_back(messages);
            }
        }
    }

    fn room_for(&self, key: DestinationKey, wanted: u32, now: Moment) -> Result<(u32, Vec<u32>), Blocked> {
        let Some(state) = self.all.get(&key).filter(|state| state.room(now) > 0) else {
            return Err(Blocked::Full);
        };
        let mut messages = wanted;
        if let Some(rate) = state.limits.rate {
            messages = messages.min(state.bucket.room(rate, now).map_err(Blocked::Until)?);
        }
        let groups = self.groups_of(state);
        for key in &groups {
            let Some(group) = self.groups.get(key) else { continue };
            messages = messages.min(group.in_rate(now).map_err(Blocked::Until)?);
        }
        // Last: who waits for a group lacks nothing else.
        match groups.iter().find(|key| self.groups.get(key).is_some_and(|group| group.room() == 0)) {
            Some(full) => Err(Blocked::Group(*full)),
            None => Ok((messages, groups)),
        }
    }

    fn groups_of(&self, state: &State) -> Vec<u32> {
        let common = match (state.is_suspect(), state.reached) {
            (true, _) => Some(SUSPECTS),
            (false, 0) => Some(UNPROVEN),
            (false, _) => None,
        };
        state.groups.iter().copied().chain(common).collect()
    }

    /// A job of this group has ended.
    pub fn leave(&mut self, group: u32) {
        if let Some(group) = self.groups.get_mut(&group) {
            group.running -= 1;
        }
        self.change_members(group, 0);
    }

    /// Lets those that stand in line for a group go on, as many as there is room for.
    pub fn woken_by(&mut self, key: u32) -> Vec<DestinationKey> {
        let Some(group) = self.groups.get_mut(&key) else { return Vec::new() };
        let many = (group.room() as usize).min(group.waiting.len());
        let woken: Vec<DestinationKey> = group.waiting.drain(..many).collect();
        for destination in &woken {
            if let Some(state) = self.all.get_mut(destination) {
                state.waits_for.retain(|group| *group != key);
                state.blocked = false;
            }
        }
        woken
    }

    /// Of a destination that did not take the room it may have been woken for: the groups with others that wait.
    pub fn groups_to_pass_on(&self, key: DestinationKey) -> Vec<u32> {
        let waits = |key: &u32| {
            self.groups.get(key).is_some_and(|group| !group.waiting.is_empty() && group.room() > 0)
        };
        let Some(state) = self.all.get(&key) else { return Vec::new() };
        state.groups.iter().copied().chain([SUSPECTS, UNPROVEN]).filter(waits).collect()
    }

    /// What holds it back is over, or will be found again.
    pub fn unblock(&mut self, key: DestinationKey) {
        if let Some(state) = self.all.get_mut(&key) {
            state.blocked = false;
        }
    }

    /// Wakes a destination then.
    pub fn arm(&mut self, key: DestinationKey, at: Moment) {
        let Some(state) = self.all.get_mut(&key) else { return };
        if state.timer.is_some_and(|timer| timer <= at) {
            return;
        }
        if let Some(old) = state.timer.replace(at) {
            self.timers.remove(&(old, key));
        }
        self.timers.insert((at, key));
    }

    /// A destination whose time has come.
    pub fn due(&mut self, now: Moment) -> Option<DestinationKey> {
        let (at, key) = *self.timers.first().filter(|(at, _)| *at <= now)?;
        self.timers.remove(&(at, key));
        if let Some(state) = self.all.get_mut(&key) {
            state.timer = None;
        }
        Some(key)
    }

    pub fn next_timer(&self) -> Option<Moment> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// All lanes are gone.
    pub fn forget_offers(&mut self) {
        for state in self.all.values_mut() {
            (state.offered, state.ready, state.parked) = (0, 0, Default::default());
        }
    }

    /// The clock went back by so many milliseconds.
    pub fn shift(&mut self, milliseconds: i64) {
        self.timers.clear();
        for (key, state) in &mut self.all {
            state.closed_until.0 = state.closed_until.0.saturating_sub(milliseconds);
            state.used.0 = state.used.0.saturating_sub(milliseconds);
            state.bucket.shift(milliseconds);
            if let Some(timer) = &mut state.timer {
                timer.0 = timer.0.saturating_sub(milliseconds);
                self.timers.insert((*timer, *key));
            }
        }
        for group in self.groups.values_mut() {
            group.bucket.shift(milliseconds);
        }
        self.swept.0 = self.swept.0.saturating_sub(milliseconds);
    }

    /// Forgets destinations that had nothing for long; `waits` says which have mail that waits for its time.
    pub fn sweep(&mut self, now: Moment, waits: impl FnOnce() -> BTreeSet<DestinationKey>) {
        if now < self.swept.plus(SWEEP_PAUSE) {
            return;
        }
        self.swept = now;
        for state in self.all.values_mut().filter(|state| state.used.0 == i64::MIN) {
            state.used = now;
        }
        let waits = waits();
        let old: Vec<DestinationKey> = self
            .iter()
            .filter(|(key, state)| {
                state.is_idle() && now >= state.used.plus(REMEMBERED) && !waits.contains(key)
            })
            .filter(|(_, state)| now >= state.closed_until)
            .map(|(key, _)| key)
            .collect();
        for key in old {
            self.join(key, &[]);
            let Some(state) = self.all.remove(&key) else { continue };
            self.by_name.remove(&state.name);
            if let Some(timer) = state.timer {
                self.timers.remove(&(timer, key));
            }
            for group in state.waits_for {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.waiting.retain(|other| *other != key);
                }
                self.change_members(group, 0);
            }
        }
    }
}
