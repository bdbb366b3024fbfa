//! The date-time of RFC 5322 §3.3 with the obsolete forms of §4.3, and the forms of mail that never read either.
//!
//! `date-time = [day-of-week ","] day month year hour ":" minute [":" second] zone`
//!
//! Order matters little here: the month is the word that looks like one, the time is what has a colon, the first other
//! number is the day, the second the year. So `Nov 21 1997`, `21-Nov-97` and the form of asctime are read, too.

use crate::lexical::Scanner;

/// A moment and the offset in which it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// Seconds since 1970-01-01 00:00:00 UTC; negative before.
    pub unix_seconds: i64,
    /// Offset from UTC in minutes, east positive.
    pub offset_minutes: i32,
}

/// A day of the calendar (proleptic Gregorian).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// Year, such as 1997.
    pub year: i64,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, 1 to 31.
    pub day: u32,
}

/// Names of the months, as RFC 5322 §3.3 writes them.
pub const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const SECONDS_PER_DAY: i64 = 86_400;

impl DateTime {
    /// The day as it was written, in its own zone: SENTON and its kin disregard time and zone (RFC 9051 §6.4.4).
    pub fn day(&self) -> Day {
        Day::from_days((self.unix_seconds + i64::from(self.offset_minutes) * 60).div_euclid(SECONDS_PER_DAY))
    }
}

impl Day {
    /// Days since 1970-01-01.
    pub fn to_days(self) -> i64 {
        // The year is taken to begin in March, so that the leap day is its last.
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// The day that lies so many days after 1970-01-01.
    pub fn from_days(days: i64) -> Day {
        let days = days.saturating_add(719_468);
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let small = |value: i64| u32::try_from(value).unwrap_or(1);
        let month = small(if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 });
        let day = small(day_of_year - (153 * month_from_march + 2) / 5 + 1);
        Day { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
    }
}

/// Parses the value of a Date field; `None` if it has no day, month or year, or one out of range.
///
/// A missing time is midnight, a missing or unknown zone is UTC (RFC 5322 §4.3 has unknown zones as `-0000`).
pub fn parse(value: &[u8]) -> Option<DateTime> {
    let mut found = Found::default();
    let mut scanner = Scanner::new(value);
    loop {
        scanner.skip_cfws();
        match scanner.peek() {
            None => break,
            Some(b'0'..=b'9') => found.number(&mut scanner)?,
            Some(byte) if byte.is_ascii_alphabetic() => {
                found.word(scanner.take_while(|byte| byte.is_ascii_alphabetic()))
            }
            Some(sign @ (b'+' | b'-')) => {
                scanner.position += 1;
                if found.time.is_some() && found.zone.is_none() {
                    found.zone = numeric_zone(&mut scanner, if sign == b'-' { -1 } else { 1 });
                }
            }
            Some(_) => scanner.position += 1,
        }
    }
    found.finish()
}

#[derive(Default)]
struct Found {
    day: Option<u32>,
    month: Option<u32>,
    year: Option<i64>,
    time: Option<i64>,
    zone: Option<i32>,
}

impl Found {
    fn number(&mut self, scanner: &mut Scanner<'_>) -> Option<()> {
        let (value, digits) = digits(scanner)?;
        scanner.skip_cfws();
        if self.time.is_none() && scanner.peek() == Some(b':') {
            self.time = Some(time(value, scanner)?);
        } else if self.day.is_none() && digits <= 2 {
            self.day = Some(value);
        } else if self.year.is_none() {
            self.year = Some(full_year(value, digits));
        }
        Some(())
    }

    fn word(&mut self, word: &[u8]) {
        let is_month = |name: &str| word.len() >= 3 && word[..3].eq_ignore_ascii_case(name.as_bytes());
        if self.month.is_none()
            && let Some(index) = MONTHS.iter().position(|name| is_month(name))
        {
            self.month = u32::try_from(index + 1).ok();
        } else if self.time.is_some() && self.zone.is_none() {
            self.zone = named_zone(word);
        }
    }

    fn finish(self) -> Option<DateTime> {
        let date = Day { year: self.year?, month: self.month?, day: self.day? };
        let is_leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
        let length = match date.month {
            2 => 28 + u32::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if !(1..=length).contains(&date.day) || !(1..=9999).contains(&date.year) {
            return None;
        }
        let offset_minutes = self.zone.unwrap_or(0);
        let local = date.to_days() * SECONDS_PER_DAY + self.time.unwrap_or(0);
        Some(DateTime { unix_seconds: local - i64::from(offset_minutes) * 60, offset_minutes })
    }
}

/// A number and how many digits it has; `None` if it has more than nine.
fn digits(scanner: &mut Scanner<'_>) -> Option<(u32, usize)> {
    let digits = scanner.take_while(|byte| byte.is_ascii_digit());
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let value = digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    Some((value, digits.len()))
}

/// Seconds since midnight; the scanner stands at the colon behind the hour.
fn time(hour: u32, scanner: &mut Scanner<'_>) -> Option<i64> {
    let mut next = || -> Option<u32> {
        scanner.skip_cfws();
        if !scanner.take_if(b':') {
            return Some(0);
        }
        scanner.skip_cfws();
        Some(digits(scanner)?.0)
    };
    let minute = next()?;
    let second = next()?;
    // RFC 5322 §3.3: 60 is a leap second.
    (hour <= 23 && minute <= 59 && second <= 60).then(|| i64::from(hour * 3600 + minute * 60 + second))
}

/// RFC 5322 §4.3: 00 to 49 are of this century, 50 to 99 and three digits of the last.
fn full_year(value: u32, digits: usize) -> i64 {
    match (digits, value) {
        (..=2, 0..=49) => 2000 + i64::from(value),
        (..=3, _) => 1900 + i64::from(value),
        _ => i64::from(value),
    }
}

/// `hhmm`, also `hh` and `hh:mm`.
fn numeric_zone(scanner: &mut Scanner<'_>, sign: i32) -> Option<i32> {
    let (value, count) = digits(scanner)?;
    let value = i32::try_from(value).ok()?;
    let (hours, minutes) = match count {
        1 | 2 if scanner.take_if(b':') => (value, i32::try_from(digits(scanner)?.0).ok()?),
        1 | 2 => (value, 0),
        _ => (value / 100, value % 100),
    };
    (hours <= 99 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// RFC 5322 §4.3. Any other name, the military letters among them, says nothing: UTC.
fn named_zone(word: &[u8]) -> Option<i32> {
    let hours = match word.to_ascii_uppercase().as_slice() {
        b"EDT" => -4,
        b"EST" | b"CDT" => -5,
        b"CST" | b"MDT" => -6,
        b"MST" | b"PDT" => -7,
        b"PST" => -8,
        b"AM" | b"PM" => return None,
        _ => 0,
    };
    Some(hours * 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn date(value: &str) -> Option<(i64, i32)> {
        parse(value.as_bytes()).map(|date| (date.unix_seconds, date.offset_minutes))
    }

    #[test]
    fn rfc_5322_appendix_a() {
        assert_eq!(date("Fri, 21 Nov 1997 09:55:06 -0600"), Some((880_127_706, -360)));
        assert_eq!(date("Tue, 1 Jul 2003 10:52:37 +0200"), Some((1_057_049_557, 120)));
        assert_eq!(date("Thu, 13 Feb 1969 23:32:54 -0330"), Some((-27_723_426, -210)));
        assert_eq!(
            date(
                "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)"
            ),
            Some((-27_723_480, -210))
        );
        assert_eq!(date("21 Nov 97 09:55:06 GMT"), Some((880_106_106, 0)));
        assert_eq!(date("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600"), Some((880_127_706, -360)));
    }

    #[test]
    fn obsolete_and_sick() {
        let expected = |offset: i32| Some((880_106_106 - i64::from(offset) * 60, offset));
        let rows = [
            ("Fri, 21 Nov 97 09:55:06 EST", -300),
            ("Fri, 21 Nov 97 09:55:06 PDT", -420),
            ("Fri, 21 Nov 097 09:55:06 Z", 0),
            ("Friday, 21-Nov-97 09:55:06 UT", 0),
            ("Fri Nov 21 09:55:06 1997", 0),
            ("Fri Nov 21 09:55:06 CST 1997", -360),
            ("Nov 21, 1997 09:55:06", 0),
            ("21 November 1997 09:55:06 +02:00", 120),
            ("21 Nov 1997 09:55:06 +05", 300),
            ("21 Nov 1997 09:55:06 -0000 (UTC)", 0),
            ("21 Nov 1997 09:55:06 K", 0),
            ("Fri, 21 Nov 1997 09:55:06 -0600 +0100", -360),
        ];
        for (value, offset) in rows {
            assert_eq!(date(value), expected(offset), "{value}");
        }
        assert_eq!(date("21 Nov 1997"), Some((880_070_400, 0)));
        assert_eq!(date("1 Jan 49 00:00 Z").map(|date| date.0), Some(2_493_072_000));
    }

    #[test]
    fn no_dates() {
        for value in [
            "",
            "Fri",
            "31 Feb 2020 10:00",
            "29 Feb 2019 10:00",
            "1 Jan 2020 24:00",
            "1 Jan 2020 10:60",
            "99999999999 Jan 2020",
            "1 Jan 0000 10:00",
            "32 Jan 2020",
            "10:00:00",
        ] {
            assert_eq!(date(value), None, "{value}");
        }
    }

    #[test]
    fn the_day_is_that_of_the_writer() {
        let day = |value: &str| parse(value.as_bytes()).unwrap().day();
        assert_eq!(day("1 Mar 2024 00:30 +0100"), Day { year: 2024, month: 3, day: 1 });
        assert_eq!(day("29 Feb 2024 23:59 -1100"), Day { year: 2024, month: 2, day: 29 });
    }

    proptest! {
        #[test]
        fn days_round_trip(days in -700_000_i64..3_000_000) {
            prop_assert_eq!(Day::from_days(days).to_days(), days);
        }

        #[test]
        fn any_bytes(value in proptest::collection::vec(any::<u8>(), 0..80)) {
            parse(&value);
        }

        #[test]
        fn nearly_dates(value in "([0-9]|:|Jan|,| |\\+|-|EST|\\(|\\)){0,30}") {
            parse(value.as_bytes());
        }
    }
}
