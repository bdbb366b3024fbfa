//! `date-time` of RFC 5322 §3.3, always in UTC: ring 1 knows no time zones.

use std::fmt;

/// Seconds since 1970 (UTC), shown as `Sat, 21 Nov 2026 12:22:01 +0000`.
pub(crate) struct DateTime(pub(crate) i64);

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        // Years 0 to 9999: what four digits can say.
        let seconds = self.0.clamp(-62_167_219_200, 253_402_300_799);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        write!(
            f,
            "{}, {day} {} {year:04} {:02}:{:02}:{:02} +0000",
            DAYS[usize::try_from(days.rem_euclid(7)).unwrap_or(0)],
            MONTHS[usize::try_from(month - 1).unwrap_or(0)],
            second / 3600,
            second / 60 % 60,
            second % 60,
        )
    }
}

/// Year, month (1 to 12) and day of the proleptic Gregorian calendar, `days` after 1970-01-01. The year is counted from
/// March, so that the leap day is its last.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA_DAYS: i64 = 146_097;
    let days = days + 719_468;
    let era = days.div_euclid(ERA_DAYS);
    let of_era = days.rem_euclid(ERA_DAYS);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// Seconds since 1970 as RFC 3339 writes them, in UTC: `2026-11-21T12:22:01Z`.
pub(crate) struct InternetUtc(pub(crate) i64);

impl fmt::Display for InternetUtc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.clamp(-62_167_219_200, 253_402_300_799);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Reads `date-time` of RFC 3339 §5.6 with `Z` for its offset: seconds since 1970. Fractions are dropped; a leap second is
/// the one behind it.
pub(crate) fn internet_utc(text: &str) -> Option<i64> {
    let text = text.strip_suffix(['Z', 'z'])?;
    let (date, time) = text.split_once(['T', 't'])?;
    let whole = match time.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit()) => {
            whole
        }
        Some(_) => return None,
        None => time,
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(whole, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days_of(year, month, day)?;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Three numbers of so many digits each.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut number = |width: usize| {
        parts
            .next()
            .filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()))?
            .parse()
            .ok()
    };
    let found = [number(widths[0])?, number(widths[1])?, number(widths[2])?];
    parts.next().is_none().then_some(found)
}

/// Days since 1970-01-01 of a date; None when there is no such day.
fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // As `civil`: years from March.
    let (of_march, from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = of_march.div_euclid(400);
    let of_era = of_march.rem_euclid(400);
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let rows = [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_795_263_721, "Sat, 21 Nov 2026 12:22:01 +0000"),
            (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
            (4_107_542_400, "Mon, 1 Mar 2100 00:00:00 +0000"),
        ];
        for (seconds, wanted) in rows {
            assert_eq!(DateTime(seconds).to_string(), wanted);
        }
        for (seconds, _) in rows {
            assert_eq!(internet_utc(&InternetUtc(seconds).to_string()), Some(seconds));
        }
        assert_eq!(InternetUtc(1_795_263_721).to_string(), "2026-11-21T12:22:01Z");
        assert_eq!(internet_utc("2100-02-29T00:00:00Z"), None);
        assert!(DateTime(i64::MAX).to_string().contains(" 9999 "));
        assert!(DateTime(i64::MIN).to_string().contains(" 0000 "));
    }
}
