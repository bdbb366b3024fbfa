//! Header fields that the server writes itself: folding, dates, mailboxes (RFC 5322 §2.1.1, §2.2.3, §3.3).

use std::borrow::Cow;

use crate::date::{Day, MONTHS};
use crate::encoded_word;

/// Line length that is not exceeded where white space permits to fold (RFC 5322 §2.1.1).
pub const LINE_LENGTH_GOAL: usize = 78;

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Appends `name: value CRLF`, folded at spaces so that lines stay within 78 characters where possible.
///
/// The value is written as it is (encode it with [`encoded_word::encode`] before); a CR, LF or NUL in it becomes a space,
/// so that no value can add a field of its own.
pub fn write_field(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut column = name.len() + 1;
    let is_unsafe = |character: char| matches!(character, '\r' | '\n' | '\0');
    let value: Cow<'_, str> = if value.contains(is_unsafe) {
        Cow::Owned(value.replace(is_unsafe, " "))
    } else {
        Cow::Borrowed(value)
    };
    let mut spaces = 1;
    for word in value.trim().split(' ') {
        if word.is_empty() {
            spaces += 1;
            continue;
        }
        // A line of white space only would be obsolete syntax (RFC 5322 §3.2.2): the first word stays on the first
        // line unless it is too long, and then at least the name stands before it.
        if column + spaces + word.len() > LINE_LENGTH_GOAL && column > 1 {
            out.extend_from_slice(b"\r\n");
            column = 0;
        }
        out.resize(out.len() + spaces, b' ');
        out.extend_from_slice(word.as_bytes());
        column += spaces + word.len();
        spaces = 1;
    }
    out.extend_from_slice(b"\r\n");
}

/// A date-time such as `Sat, 21 Nov 2026 12:00:00 +0000` (RFC 5322 §3.3).
///
/// Takes seconds since 1970-01-01 UTC and the offset of the zone to show in minutes, east positive; an offset beyond
/// 99:59 is shown as UTC.
pub fn date_time(unix_seconds: i64, offset_minutes: i32) -> String {
    let offset = if (-5999..=5999).contains(&offset_minutes) { offset_minutes } else { 0 };
    let local = unix_seconds.saturating_add(i64::from(offset) * 60);
    let days = local.div_euclid(86_400);
    let seconds = local.rem_euclid(86_400);
    let Day { year, month, day } = Day::from_days(days);
    let weekday = usize::try_from((days + 4).rem_euclid(7)).map_or("Sun", |index| WEEKDAYS[index]);
    let month = usize::try_from(month).map_or("Jan", |month| MONTHS[month - 1]);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let sign = if offset < 0 { '-' } else { '+' };
    let (zone_hours, zone_minutes) = (offset.abs() / 60, offset.abs() % 60);
    format!(
        "{weekday}, {day} {month} {year:04} {hour:02}:{minute:02}:{second:02} {sign}{zone_hours:02}{zone_minutes:02}"
    )
}

/// A date-time of RFC 3339 in UTC, such as `2026-11-21T12:00:00Z`. Takes seconds since 1970-01-01 UTC.
pub fn internet_time(unix_seconds: i64) -> String {
    let Day { year, month, day } = Day::from_days(unix_seconds.div_euclid(86_400));
    let seconds = unix_seconds.rem_euclid(86_400);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A mailbox for an address field: `address`, or `name <address>` with the name quoted or encoded as it needs.
pub fn mailbox(name: &str, address: &str) -> String {
    if name.is_empty() {
        address.to_owned()
    } else {
        format!("{} <{address}>", encoded_word::encode_phrase(name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{date, header};

    fn field(name: &str, value: &str) -> String {
        let mut out = Vec::new();
        write_field(name, value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn folding() {
        assert_eq!(field("Subject", "short"), "Subject: short\r\n");
        assert_eq!(field("Subject", ""), "Subject:\r\n");
        assert_eq!(field("X", "a\r\nBcc: evil@x"), "X: a  Bcc: evil@x\r\n");
        let long = "word ".repeat(40);
        let folded = field("References", &long);
        assert!(folded.lines().all(|line| line.len() <= LINE_LENGTH_GOAL));
        assert_eq!(&*header::fields(folded.as_bytes()).next().unwrap().unfolded(), long.trim().as_bytes());
        assert_eq!(field("A", &"x".repeat(100)), format!("A:\r\n {}\r\n", "x".repeat(100)));
    }

    #[test]
    fn dates() {
        assert_eq!(date_time(1_795_262_400, 0), "Sat, 21 Nov 2026 12:00:00 +0000");
        assert_eq!(internet_time(1_795_262_400), "2026-11-21T12:00:00Z");
        assert_eq!(date_time(880_127_706, -360), "Fri, 21 Nov 1997 09:55:06 -0600");
        assert_eq!(date_time(-27_723_426, -210), "Thu, 13 Feb 1969 23:32:54 -0330");
        assert_eq!(date_time(0, i32::MIN), "Thu, 1 Jan 1970 00:00:00 +0000");
        date_time(i64::MAX, 0);
        date_time(i64::MIN, -1);
    }

    #[test]
    fn mailboxes() {
        assert_eq!(mailbox("", "a@b"), "a@b");
        assert_eq!(mailbox("Joe Q. Public", "a@b"), "\"Joe Q. Public\" <a@b>");
        assert_eq!(mailbox("André", "a@b"), "=?utf-8?q?Andr=C3=A9?= <a@b>");
    }

    proptest! {
        #[test]
        fn dates_round_trip(unix in -62_000_000_000_i64..250_000_000_000, offset in -840_i32..840) {
            let read = date::parse(date_time(unix, offset).as_bytes());
            prop_assert_eq!(read, Some(date::DateTime { unix_seconds: unix, offset_minutes: offset }));
        }

        #[test]
        fn subjects_round_trip(text in "[a-zé€\u{1f600}=?_.]{1,12}( [a-zé€]{1,30}){0,12}") {
            let line = field("Subject", &encoded_word::encode(&text));
            prop_assert!(line.is_ascii() && line.lines().all(|line| line.len() <= LINE_LENGTH_GOAL));
            let read = header::fields(line.as_bytes()).next().unwrap();
            let value = read.unfolded();
            prop_assert_eq!(encoded_word::decode(&value), text);
        }
    }
}
