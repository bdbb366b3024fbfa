//! How much each account sends to other hosts: limits, and the alarm when an account suddenly sends like a spammer,
//! which most often means that somebody else has its password.
//!
//! One small record for each account that ever sent, written in the transaction that queues a message: recipients by the
//! hour of the last day, the largest hour of each of the last days. An account that has its usual load raises no alarm,
//! however much that is; a burst beyond it does, and so do many addresses that do not exist.

use crate::holding::HoldLimits;
use crate::record::{decode, encode, page};
use crate::{Queue, keys};
use engine::{AccountId, Error, Pending, Read, Tx};
use model::UnixTime;
use serde::{Deserialize, Serialize};

const HOUR: i64 = 3600;
const HOURS: usize = 24;
/// Days whose largest hour is remembered.
const DAYS: usize = 14;
/// Hard bounces in an hour, and as a share of what was sent in it, from which on they are an alarm of their own.
const FAILED_MIN: u32 = 50;
const FAILED_PERCENT: u64 = 30;

/// What comes of an alarm.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum AlarmAction {
    /// There are none.
    Off,
    /// The operator is told.
    #[default]
    Tell,
    /// And the account sends nothing to other hosts until the operator releases it.
    Block,
}

/// Limits of an account; 0: none.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SendingLimits {
    /// Recipients in an hour.
    pub per_hour: u32,
    /// Recipients in a day.
    pub per_day: u32,
}

/// The rules for all accounts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendingRules {
    /// Of an account that has none of its own.
    pub limits: SendingLimits,
    /// What comes of an alarm.
    pub alarm: AlarmAction,
    /// Fewer recipients in an hour never are an alarm.
    pub alarm_from: u32,
    /// So many times the usual largest hour are one.
    pub alarm_factor: u32,
    /// How much of an account may wait for a time of its own.
    pub held: HoldLimits,
}

impl Default for SendingRules {
    fn default() -> Self {
        SendingRules {
            limits: SendingLimits::default(),
            alarm: AlarmAction::Tell,
            alarm_from: 200,
            alarm_factor: 5,
            held: HoldLimits::default(),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct SendingRecord {
    /// The newest hour of `sent`, in hours since 1970.
    hour: i64,
    /// Recipients by hour, the newest last; [`HOURS`] of them.
    sent: Vec<u32>,
    /// Hard bounces, likewise.
    failed: Vec<u32>,
    /// The largest hour of each past day on which it sent, the newest last; at most [`DAYS`].
    peaks: Vec<u32>,
    /// The largest hour of the day of `hour`.
    peak_today: u32,
    alarmed: Option<i64>,
    blocked: bool,
    per_hour: Option<u32>,
    per_day: Option<u32>,
}

/// What an account sent, and what it may.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Sending {
    /// The account.
    #[serde(serialize_with = "account_id")]
    pub account: AccountId,
    /// Recipients in the last hour.
    pub last_hour: u64,
    /// Recipients in the last day.
    pub last_day: u64,
    /// Hard bounces in the last day.
    pub failed_last_day: u64,
    /// The largest hour of the last days.
    pub usual_hour: u32,
    /// Its own limit of recipients in an hour, if it has one; 0: none at all.
    pub per_hour: Option<u32>,
    /// Its own limit of recipients in a day, likewise.
    pub per_day: Option<u32>,
    /// Of the last alarm; seconds since 1970.
    pub alarmed: Option<i64>,
    /// Whether it may not send until it is released.
    pub blocked: bool,
}

/// Why an account may not send more now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withheld {
    /// It sent so many in the last hour as it may.
    Hour(u32),
    /// It sent so many in the last day as it may.
    Day(u32),
    /// There was an alarm; the operator has to release it.
    Blocked,
    /// So much of it waits for a time of its own as may (RFC 4865 §6).
    Held,
}

/// What comes of sending more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Counted {
    /// It was counted.
    Fine,
    /// It was counted, and the operator is to be told this.
    Alarm(String),
    /// It was not: the message must not be queued.
    Withheld(Withheld),
}

impl SendingRecord {
    fn new(now: UnixTime) -> SendingRecord {
        SendingRecord {
            hour: now.0.div_euclid(HOUR),
            sent: vec![0; HOURS],
            failed: vec![0; HOURS],
            peaks: Vec::new(),
            peak_today: 0,
            alarmed: None,
            blocked: false,
            per_hour: None,
            per_day: None,
        }
    }

    /// Moves on to the hour of `now`. A clock that went back counts into the newest hour.
    fn turn(&mut self, now: UnixTime) {
        self.sent.resize(HOURS, 0);
        self.failed.resize(HOURS, 0);
        let hour = now.0.div_euclid(HOUR);
        let passed = hour.saturating_sub(self.hour);
        if passed <= 0 {
            return;
        }
        let steps = usize::try_from(passed).unwrap_or(usize::MAX).min(HOURS);
        for hours in [&mut self.sent, &mut self.failed] {
            hours.rotate_left(steps % HOURS);
            hours[HOURS - steps..].fill(0);
        }
        if hour.div_euclid(24) != self.hour.div_euclid(24) && self.peak_today > 0 {
            self.peaks.push(self.peak_today);
            self.peak_today = 0;
            if self.peaks.len() > DAYS {
                self.peaks.remove(0);
            }
        }
        self.hour = hour;
    }

    /// Of the last 60 minutes: the hour before counts as far as it lies in them.
    fn last_hour(hours: &[u32], now: UnixTime) -> u64 {
        let left = (HOUR - now.0.rem_euclid(HOUR)) as u64;
        u64::from(hours[HOURS - 1]) + u64::from(hours[HOURS - 2]) * left / HOUR as u64
    }

    fn last_day(hours: &[u32]) -> u64 {
        hours.iter().copied().map(u64::from).sum()
    }

    fn usual(&self) -> u32 {
        self.peaks.iter().copied().max().unwrap_or(0)
    }

    fn limits(&self, rules: &SendingRules) -> SendingLimits {
        SendingLimits {
            per_hour: self.per_hour.unwrap_or(rules.limits.per_hour),
            per_day: self.per_day.unwrap_or(rules.limits.per_day),
        }
    }

    fn withheld(&self, more: u32, rules: &SendingRules, now: UnixTime) -> Option<Withheld> {
        if self.blocked {
            return Some(Withheld::Blocked);
        }
        let limits = self.limits(rules);
        let over = |limit: u32, sent: u64| limit > 0 && sent + u64::from(more) > u64::from(limit);
        if over(limits.per_hour, Self::last_hour(&self.sent, now)) {
            return Some(Withheld::Hour(limits.per_hour));
        }
        over(limits.per_day, Self::last_day(&self.sent)).then_some(Withheld::Day(limits.per_day))
    }

    /// A sentence when what was sent is not what the account usually sends. At most once a day.
    fn alarm(&self, rules: &SendingRules, now: UnixTime) -> Option<String> {
        let quiet = self.alarmed.is_some_and(|at| now.0.saturating_sub(at) < 24 * HOUR);
        if rules.alarm == AlarmAction::Off || quiet {
            return None;
        }
        let sent = Self::last_hour(&self.sent, now);
        let failed = Self::last_hour(&self.failed, now);
        if failed >= u64::from(FAILED_MIN) && failed * 100 >= sent * FAILED_PERCENT {
            return Some(format!(
                "{failed} of the {sent} recipients that the account sent to in the last hour do not exist"
            ));
        }
        let usual = u64::from(self.usual());
        let beyond = sent > usual.saturating_mul(rules.alarm_factor.into());
        (sent >= u64::from(rules.alarm_from) && beyond).then(|| {
            format!(
                "the account sent to {sent} recipients in the last hour; its largest hour so far was {usual}"
            )
        })
    }

    fn show(mut self, account: AccountId, now: UnixTime) -> Sending {
        self.turn(now);
        Sending {
            account,
            last_hour: Self::last_hour(&self.sent, now),
            last_day: Self::last_day(&self.sent),
            failed_last_day: Self::last_day(&self.failed),
            usual_hour: self.usual(),
            per_hour: self.per_hour,
            per_day: self.per_day,
            alarmed: self.alarmed,
            blocked: self.blocked,
        }
    }
}

fn load<R: Read + ?Sized>(read: &R, account: AccountId) -> Result<Option<SendingRecord>, Error> {
    let mut found = None;
    read.get_with(&keys::sending(account), &mut |bytes| {
        found = Some(decode("an account's sending record", bytes));
    })?;
    found.transpose()
}

/// Counts recipients at other hosts that an account sends a message to, inside the transaction that queues it. Must be
/// undone when the answer is [`Counted::Withheld`].
///
/// # Errors
/// The engine's.
pub fn count_sent(
    tx: &mut dyn Tx,
    account: AccountId,
    recipients: u32,
    rules: &SendingRules,
    now: UnixTime,
) -> Result<Counted, Error> {
    let mut record = load(tx, account)?.unwrap_or_else(|| SendingRecord::new(now));
    record.turn(now);
    if let Some(why) = record.withheld(recipients, rules, now) {
        return Ok(Counted::Withheld(why));
    }
    record.sent[HOURS - 1] = record.sent[HOURS - 1].saturating_add(recipients);
    record.peak_today = record.peak_today.max(record.sent[HOURS - 1]);
    let alarm = record.alarm(rules, now);
    if alarm.is_some() {
        record.alarmed = Some(now.0);
        record.blocked = rules.alarm == AlarmAction::Block;
    }
    tx.put(&keys::sending(account), &encode(&record))?;
    Ok(alarm.map_or(Counted::Fine, Counted::Alarm))
}

/// Counts hard bounces of what an account sent.
pub(crate) fn count_failures(
    tx: &mut dyn Tx,
    account: AccountId,
    failed: u32,
    now: UnixTime,
) -> Result<(), Error> {
    let Some(mut record) = load(tx, account)? else { return Ok(()) };
    record.turn(now);
    record.failed[HOURS - 1] = record.failed[HOURS - 1].saturating_add(failed);
    tx.put(&keys::sending(account), &encode(&record))
}

impl Queue {
    /// Why the account may not send to so many more recipients now. None: it may.
    ///
    /// # Errors
    /// Reading failed.
    pub fn withheld(
        &self,
        account: AccountId,
        more: u32,
        rules: &SendingRules,
        now: UnixTime,
    ) -> Result<Option<Withheld>, Error> {
        let record = load(&*self.engine.snapshot()?, account)?;
        let mut record = record.unwrap_or_else(|| SendingRecord::new(now));
        record.turn(now);
        Ok(record.withheld(more, rules, now))
    }

    /// What one account sent.
    ///
    /// # Errors
    /// Reading failed.
    pub fn sending_of(&self, account: AccountId, now: UnixTime) -> Result<Sending, Error> {
        let record = load(&*self.engine.snapshot()?, account)?;
        Ok(record.unwrap_or_else(|| SendingRecord::new(now)).show(account, now))
    }

    /// A page of accounts that ever sent to other hosts, or have limits, beginning behind `after`.
    ///
    /// # Errors
    /// Reading failed.
    pub fn sendings(
        &self,
        after: Option<AccountId>,
        limit: usize,
        now: UnixTime,
    ) -> Result<Vec<Sending>, Error> {
        let (snapshot, after) = (self.engine.snapshot()?, after.map(keys::sending));
        let show = |key: &[u8], record: SendingRecord| Some(record.show(AccountId(keys::last_u32(key)), now));
        page(&*snapshot, b'a', after.as_deref(), limit, "an account's sending record", show)
    }

    /// Gives an account limits of its own; None: those of all accounts.
    pub fn set_sending_limits(
        &self,
        account: AccountId,
        per_hour: Option<u32>,
        per_day: Option<u32>,
        now: UnixTime,
    ) -> Pending<()> {
        self.change_sending(account, now, move |record| {
            record.per_hour = per_hour;
            record.per_day = per_day;
        })
    }

    /// Lets an account send again that an alarm blocked; what it sends today counts as usual from now on.
    pub fn release_sender(&self, account: AccountId, now: UnixTime) -> Pending<()> {
        self.change_sending(account, now, |record| {
            record.blocked = false;
            let peak = record.peak_today;
            if peak > 0 {
                record.peaks.push(peak);
            }
        })
    }

    /// Lets an account send nothing to other hosts until it is released.
    pub fn block_sender(&self, account: AccountId, now: UnixTime) -> Pending<()> {
        self.change_sending(account, now, |record| record.blocked = true)
    }

    fn change_sending(
        &self,
        account: AccountId,
        now: UnixTime,
        change: impl Fn(&mut SendingRecord) + Send + 'static,
    ) -> Pending<()> {
        self.engine.transact(&[AccountId(0)], move |tx| {
            let mut record = load(tx, account)?.unwrap_or_else(|| SendingRecord::new(now));
            record.turn(now);
            change(&mut record);
            Ok(tx.put(&keys::sending(account), &encode(&record))?)
        })
    }
}

fn account_id<S: serde::Serializer>(account: &AccountId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u32(account.0)
}

#[cfg(test)]
mod tests;
