//! Dates and date-times (RFC 9051 §9).

use super::cursor::Cursor;
use super::{FaultKind, Parsed};
use crate::mailbox_name::NameEncoding;
use model::Day;
use model::UnixTime;

/// As IMAP writes them.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The name of a month, from 1.
pub(crate) fn month_name(month: u32) -> &'static str {
    MONTHS[(month as usize + 11) % 12]
}

/// ```text
/// date      = date-text / DQUOTE date-text DQUOTE
/// date-text = date-day "-" date-month "-" date-year
/// date-day  = 1*2DIGIT
/// ```
pub(super) fn date(cursor: &mut Cursor<'_>) -> Parsed<Day> {
    let quoted = cursor.eat(b'"');
    let day = date_text(cursor)?;
    if quoted {
        cursor.expect(b'"', "a closing quotation mark")?;
    }
    Ok(day)
}

fn date_text(cursor: &mut Cursor<'_>) -> Parsed<Day> {
    const WHAT: &str = "a date such as 1-Feb-1994";
    let start = cursor.at();
    let day = digits(cursor, 1, 2, WHAT)?;
    cursor.expect(b'-', WHAT)?;
    let Some(month) = MONTHS.iter().position(|name| cursor.eat_word(name)) else {
        return cursor.expected(WHAT);
    };
    cursor.expect(b'-', WHAT)?;
    let year = digits(cursor, 4, 4, WHAT)?;
    let month = u32::try_from(month).unwrap_or(0) + 1;
    if day == 0 || day > days_in_month(year, month) {
        return cursor.fault(start, FaultKind::Syntax, "a day that the month has");
    }
    Ok(Day(days_from_civil(year, month, day)))
}

/// A date-time and nothing else, with its quotes; None for what is none.
pub(crate) fn read_date_time(octets: &[u8]) -> Option<UnixTime> {
    let mut cursor = Cursor::new(octets, Vec::new(), NameEncoding::Utf8);
    let time = date_time(&mut cursor).ok()?;
    (cursor.at() == octets.len()).then_some(time)
}

/// ```text
/// date-time      = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
/// date-day-fixed = (SP DIGIT) / 2DIGIT
/// time           = 2DIGIT ":" 2DIGIT ":" 2DIGIT
/// zone           = ("+" / "-") 4DIGIT
/// ```
/// A day of one digit without the space before it is taken too: it can mean nothing else.
pub(super) fn date_time(cursor: &mut Cursor<'_>) -> Parsed<UnixTime> {
    const WHAT: &str = "a date-time such as \"17-Jul-1996 02:44:25 -0700\"";
    let start = cursor.at();
    cursor.expect(b'"', WHAT)?;
    cursor.eat(b' ');
    let day = date_text(cursor)?;
    cursor.expect(b' ', WHAT)?;
    let hour = digits(cursor, 2, 2, WHAT)?;
    cursor.expect(b':', WHAT)?;
    let minute = digits(cursor, 2, 2, WHAT)?;
    cursor.expect(b':', WHAT)?;
    let second = digits(cursor, 2, 2, WHAT)?;
    cursor.expect(b' ', WHAT)?;
    let east = match cursor.peek() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return cursor.expected(WHAT),
    };
    cursor.eat(if east == 1 { b'+' } else { b'-' });
    let zone = digits(cursor, 4, 4, WHAT)?;
    cursor.expect(b'"', WHAT)?;
    // A leap second (60) counts as the first of the next minute.
    if hour > 23 || minute > 59 || second > 60 || zone / 100 > 23 || zone % 100 > 59 {
        return cursor.fault(start, FaultKind::Syntax, WHAT);
    }
    let zone_seconds = east * i64::from(zone / 100 * 3600 + zone % 100 * 60);
    let in_day = i64::from(hour * 3600 + minute * 60 + second);
    Ok(UnixTime(i64::from(day.0) * 86_400 + in_day - zone_seconds))
}

fn digits(cursor: &mut Cursor<'_>, least: usize, most: usize, what: &'static str) -> Parsed<u32> {
    let start = cursor.at();
    let digits = cursor.take_while(|byte| byte.is_ascii_digit());
    if digits.len() < least || digits.len() > most {
        return cursor.fault(start, FaultKind::Syntax, what);
    }
    Ok(digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

/// A date and time of RFC 3339 §5.6, such as `2006-05-31T23:59:59.5+02:00`; parts of a second are dropped.
pub(crate) fn rfc3339(text: &str) -> Option<UnixTime> {
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let at = |place: usize, wanted: u8| {
        text.as_bytes().get(place).is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let signs = at(4, b'-') && at(7, b'-') && at(10, b'T') && at(13, b':') && at(16, b':');
    let exists = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    if !signs || !exists || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut zone = 19;
    if at(zone, b'.') {
        let digits = text.get(20..)?.bytes().take_while(u8::is_ascii_digit).count();
        zone += digits + 1;
        if digits == 0 {
            return None;
        }
    }
    let east = match text.as_bytes().get(zone)? {
        b'z' | b'Z' if text.len() == zone + 1 => 0,
        sign @ (b'+' | b'-') if text.len() == zone + 6 && at(zone + 3, b':') => {
            let (hours, minutes) = (number(zone + 1, zone + 3)?, number(zone + 4, zone + 6)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let east = i64::from(hours * 3600 + minutes * 60);
            if *sign == b'+' { east } else { -east }
        }
        _ => return None,
    };
    let in_day = i64::from(hour * 3600 + minute * 60 + second);
    Some(UnixTime(i64::from(days_from_civil(year, month, day)) * 86_400 + in_day - east))
}

fn days_in_month(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, for the years 0 to 9999. Counts years from March, so that the day
/// a leap year adds is the last one.
fn days_from_civil(year: u32, month: u32, day: u32) -> i32 {
    let from_march = (month + 9) % 12;
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = i64::from((153 * from_march + 2) / 5 + day - 1);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).unwrap_or(i32::MAX)
}

/// Year, month (from 1) and day of a number of days since 1970-01-01.
pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}
