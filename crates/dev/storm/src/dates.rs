//! Dates of messages: INTERNALDATE is what APPEND gave, or the day it came, and copies keep it (RFC 9051 §2.3.3, §6.4.7);
//! SAVEDATE is the moment when a message came into its mailbox, by APPEND, REPLACE, COPY or MOVE, and stays (RFC 8514). What
//! SEARCH finds by either is what FETCH tells of them.

use crate::client::Client;
use crate::facts::Facts;
use crate::flags::Flags;
use crate::ledger::{Key, Seen};
use crate::place::Place;
use crate::session::Trouble;
use crate::shared::{Truth, Truths};
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;

/// A date-time (RFC 9051 §9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Date {
    /// Since 1970, in UTC.
    seconds: i64,
    /// Days since 1970, as written: SEARCH disregards time and zone (RFC 9051 §6.4.4).
    day: i64,
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: usize) -> i64 {
    match month {
        1 => 28 + i64::from(is_leap(year)),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

/// `17-Jul-1996`, of years from 1970 on.
fn day_number(text: &str) -> Option<i64> {
    let mut words = text.trim_start().split('-');
    let day: i64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)?;
    let year: i64 = words.next()?.parse().ok()?;
    let years: i64 = (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum();
    let months: i64 = (0..month).map(|month| days_in(year, month)).sum();
    Some(years + months + day - 1)
}

/// The reverse.
fn day_name(mut day: i64) -> String {
    let (mut year, mut month) = (1970, 0);
    while day >= days_in(year, month) {
        day -= days_in(year, month);
        (year, month) = if month == 11 { (year + 1, 0) } else { (year, month + 1) };
    }
    format!("{}-{}-{year}", day + 1, MONTHS[month])
}

/// `17-Jul-1996 02:44:25 -0700`
fn parse(text: &str) -> Option<Date> {
    let mut words = text.trim_start().split(' ');
    let day = day_number(words.next()?)?;
    let time = words.next()?.split(':').map(|word| word.parse::<i64>().ok()).collect::<Option<Vec<_>>>()?;
    let [hours, minutes, seconds] = time[..] else { return None };
    let zone: i64 = words.next()?.parse().ok()?;
    let ahead = zone / 100 * 3600 + zone % 100 * 60;
    Some(Date { seconds: day * DAY + hours * 3600 + minutes * 60 + seconds - ahead, day })
}

/// The INTERNALDATE that a message is appended with, if any: few days, and many zones.
fn internal(id: u64) -> Option<(i64, i64)> {
    let chosen = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24;
    let seconds = 1_000_000_000 + (chosen % 12 * 60_000_000 + chosen / 12 % (2 * DAY as u64)) as i64;
    let zone = [-720, -30, 0, 330, 840][(chosen % 5) as usize];
    (!id.is_multiple_of(4)).then_some((seconds, zone))
}

/// The same in the words of APPEND, with a space before it.
pub fn given(id: u64) -> String {
    let Some((seconds, zone)) = internal(id) else { return String::new() };
    let local = seconds + zone * 60;
    let (day, time) = (day_name(local / DAY), local % DAY);
    let sign = if zone < 0 { '-' } else { '+' };
    format!(
        " \"{day:0>11} {:02}:{:02}:{:02} {sign}{:02}{:02}\"",
        time / 3600,
        time / 60 % 60,
        time % 60,
        zone.abs() / 60,
        zone.abs() % 60
    )
}

/// INTERNALDATE and SAVEDATE of a message.
fn dates(truth: &Truth, uid: u32) -> Option<[Date; 2]> {
    let [internal, saved, ..] = truth.lasting.get(&uid)?;
    Some([parse(internal)?, parse(saved)?])
}

/// INTERNALDATE of a message, in seconds since 1970.
pub fn arrived(truth: &Truth, uid: u32) -> Option<i64> {
    dates(truth, uid).map(|[internal, _]| internal.seconds)
}

/// What was saved when, up to the last quiet moment.
pub struct Dates {
    saved: HashMap<(Key, u32), i64>,
    begun: i64,
    looked: i64,
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs() as i64)
}

impl Default for Dates {
    fn default() -> Dates {
        // The clients have begun a moment ago.
        let begun = now() - 60;
        Dates { saved: HashMap::new(), begun, looked: begun }
    }
}

impl Dates {
    /// Looks at all messages: those that came since the last quiet moment were saved since then.
    ///
    /// # Errors
    /// The first difference.
    pub fn settle(&mut self, truths: &Truths, facts: &mut Facts) -> Result<(), String> {
        self.settle_at(truths, facts, now())
    }

    fn settle_at(&mut self, truths: &Truths, facts: &mut Facts, now: i64) -> Result<(), String> {
        let mut saved = HashMap::new();
        for (viewer, truths) in truths.iter().enumerate() {
            for (name, truth) in truths {
                let key = (Place::of(viewer, name).owner, truth.uid_validity);
                for seen in &truth.messages {
                    let told = truth.lasting.get(&seen.uid);
                    let found = dates(truth, seen.uid);
                    let [internal_date, save_date] =
                        found.ok_or_else(|| format!("dates of UID {} in {name}: {told:?}", seen.uid))?;
                    let due = match internal(seen.content.id) {
                        Some((seconds, _)) => seconds..=seconds,
                        None => self.begun..=now,
                    };
                    let before = self.saved.get(&(key, seen.uid));
                    let since = before.map_or(self.looked..=now, |before| *before..=*before);
                    if !due.contains(&internal_date.seconds) || !since.contains(&save_date.seconds) {
                        return Err(format!(
                            "{name} has {seen:?} with {told:?}; due are an INTERNALDATE of {due:?} and a SAVEDATE of {since:?}"
                        ));
                    }
                    let told =
                        told.map(|[internal, saved, ..]| [Some(internal.clone()), Some(saved.clone())]);
                    facts.dates(key, seen.uid, told.unwrap_or_default())?;
                    saved.insert((key, seen.uid), save_date.seconds);
                }
            }
        }
        (self.saved, self.looked) = (saved, now);
        Ok(())
    }
}

/// Search keys: which date they mean, and how it compares with a day.
type DateKey = (&'static str, usize, fn(i64, i64) -> bool);
const KEYS: [DateKey; 6] = [
    ("ON", 0, |date, day| date == day),
    ("BEFORE", 0, |date, day| date < day),
    ("SINCE", 0, |date, day| date >= day),
    ("SAVEDON", 1, |date, day| date == day),
    ("SAVEDBEFORE", 1, |date, day| date < day),
    ("SAVEDSINCE", 1, |date, day| date >= day),
];

impl Client {
    /// Searches the selected mailbox by dates, and sorts it.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_dates(&mut self, truth: &Truth) -> Result<(), Trouble> {
        let told = |seen: &Seen| dates(truth, seen.uid).ok_or_else(|| format!("no dates of {seen:?}"));
        let all = truth.messages.iter().map(|seen| Ok((seen, told(seen)?)));
        let all: Vec<(&Seen, [Date; 2])> = all.collect::<Result<_, String>>()?;
        for (name, which, holds) in KEYS {
            let near = if all.is_empty() { 20_000 } else { self.random.pick(&all).1[which].day };
            let day = near - 1 + self.random.below(3) as i64;
            let (not, is_not) = *self.random.pick(&[("", false), ("NOT ", true)]);
            let (unseen, is_unseen) = *self.random.pick(&[("", false), (" UNSEEN", true)]);
            let wanted = |(seen, dates): &&(&Seen, [Date; 2])| {
                holds(dates[which].day, day) != is_not && !(is_unseen && seen.flags.has(Flags::SEEN))
            };
            let due: Vec<u32> = all.iter().filter(wanted).map(|(seen, _)| seen.uid).collect();
            let command = format!("UID SEARCH {not}{name} {}{unseen}", day_name(day));
            let found = self.session.ask(&command)?.found.take().unwrap_or_default();
            if found != due {
                return Err(format!("{command} is {found:?}, not {due:?}").into());
            }
        }
        let found = self.session.ask("UID SORT (ARRIVAL) UTF-8 ALL")?.found.take().unwrap_or_default();
        let seconds = |uid: &u32| arrived(truth, *uid);
        let mut same = found.clone();
        same.sort_unstable();
        // Messages of one second may be told apart by less.
        match same.iter().eq(all.iter().map(|(seen, _)| &seen.uid)) && found.is_sorted_by_key(seconds) {
            true => Ok(()),
            false => Err(format!("UID SORT (ARRIVAL) is {found:?} of {:?}", truth.lasting).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Content;
    use std::collections::BTreeMap;

    #[test]
    fn dates_as_in_rfc_9051() {
        let date = parse("17-Jul-1996 02:44:25 -0700").unwrap();
        assert_eq!((date.seconds, day_name(date.day)), (837_596_665, "17-Jul-1996".to_owned()));
        assert_eq!(parse(" 1-Mar-2000 00:30:00 +0100").unwrap().seconds, 951_867_000);
        for id in [1, 2, 3, 5, 6, 7, 9, 10, 11, 13] {
            let given = given(id);
            let seconds = parse(given.trim_matches([' ', '"'])).unwrap().seconds;
            assert_eq!(Some(seconds), internal(id).map(|(seconds, _)| seconds), "{given}");
        }
    }

    /// Message 4, which has no INTERNALDATE of its own.
    fn round(uid: u32, internal: i64, saved: i64) -> Truths {
        let date = |seconds: i64| format!("{} 00:00:{:02} +0000", day_name(seconds / DAY), seconds % DAY);
        let seen = Seen { uid, flags: Flags::default(), modseq: 1, content: Content { id: 4, size: 1 } };
        let lasts = [date(internal), date(saved), String::new(), String::new()];
        let lasting = BTreeMap::from([(uid, lasts)]);
        let truth = Truth { uid_validity: 1, messages: vec![seen], lasting, ..Truth::default() };
        vec![BTreeMap::from([("INBOX".to_owned(), truth)])]
    }

    #[test]
    fn what_is_saved_has_the_date_of_that_moment_for_ever() {
        let outcome = |rounds: &[(u32, i64, i64)]| {
            let mut dates = Dates { saved: HashMap::new(), begun: 1, looked: 1 };
            let mut facts = Facts::default();
            rounds.iter().zip(1..).try_for_each(|((uid, internal, saved), at)| {
                dates.settle_at(&round(*uid, *internal, *saved), &mut facts, at * 10)
            })
        };
        assert_eq!(outcome(&[(1, 3, 4), (1, 3, 4), (2, 3, 21)]), Ok(()));
        assert!(outcome(&[(1, 3, 4), (1, 3, 5)]).is_err(), "another SAVEDATE");
        assert!(outcome(&[(1, 3, 4), (2, 3, 4)]).is_err(), "a copy has one of its own");
        assert!(outcome(&[(1, 3, 11)]).is_err() && outcome(&[(1, 11, 4)]).is_err(), "not yet");
        assert!(outcome(&[(1, 0, 4)]).is_err(), "before all began");
    }
}
