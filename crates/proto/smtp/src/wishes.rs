//! What MAIL asks of the way the message takes: MT-PRIORITY (RFC 6710), HOLDFOR and HOLDUNTIL (RFC 4865), BY (RFC 2852),
//! REQUIRETLS (RFC 8689).

use crate::ask::DeliverBy;
use crate::date;
use crate::reply::Refusal;

/// The parameters as they stand in the command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Said {
    pub(crate) priority: Option<i8>,
    pub(crate) hold: Option<Hold>,
    pub(crate) deliver_by: Option<DeliverBy>,
    pub(crate) require_tls: bool,
}

/// RFC 4865 §3: how long the message is to be held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    /// That many seconds.
    For(i64),
    /// Until then, seconds since 1970 (UTC).
    Until(i64),
}

impl Hold {
    /// When the message is released. RFC 4865 §3: later than `seconds_max` from now is refused.
    pub(crate) fn release_at(self, now: i64, seconds_max: u32) -> Result<i64, Refusal> {
        let at = match self {
            Hold::For(seconds) => now.saturating_add(seconds),
            Hold::Until(at) => at,
        };
        if at > now.saturating_add(i64::from(seconds_max)) {
            return Err(bad_value("The message may not be held so long; EHLO says how long it may"));
        }
        Ok(at)
    }
}

fn bad_value(text: &'static str) -> Refusal {
    Refusal::new(501, (5, 4), text)
}

/// `priority-value = (["-"] NZDIGIT) / "0"` (RFC 6710 §7; §4.1: 501 5.5.2 for anything else)
pub(crate) fn priority(value: Option<&str>) -> Result<i8, Refusal> {
    let wrong = || Refusal::new(501, (5, 2), "MT-PRIORITY takes a number from -9 to 9");
    let value = value.ok_or_else(wrong)?;
    let digit = value.strip_prefix('-').unwrap_or(value);
    let fine = digit.len() == 1 && value != "-0";
    value.parse().ok().filter(|_| fine).ok_or_else(wrong)
}

/// `future-release-integer = %x31-39 *8DIGIT` (RFC 4865 §3)
pub(crate) fn hold_for(value: Option<&str>) -> Result<Hold, Refusal> {
    digits(value, 9)
        .filter(|seconds| *seconds > 0 && value.is_some_and(|value| !value.starts_with('0')))
        .map(Hold::For)
        .ok_or_else(|| bad_value("HOLDFOR takes 1 to 999999999 seconds"))
}

/// A date-time of RFC 3339 in UTC (RFC 4865 §3).
pub(crate) fn hold_until(value: Option<&str>) -> Result<Hold, Refusal> {
    value
        .and_then(date::internet_utc)
        .map(Hold::Until)
        .ok_or_else(|| bad_value("HOLDUNTIL takes a time such as 2026-12-24T18:00:00Z, in UTC"))
}

/// ```text
/// by-value = by-time ";" by-mode [by-trace]
/// by-time  = ["-" / "+"] 1*9digit       by-mode = "N" / "R"       by-trace = "T"
/// ```
/// RFC 2852 §4: zero and less have no meaning with `R`.
pub(crate) fn by(value: Option<&str>) -> Result<DeliverBy, Refusal> {
    let wrong =
        || bad_value("BY takes seconds, a semicolon, N or R, and perhaps T; with R at least one second");
    let (time, mode) = value.and_then(|value| value.split_once(';')).ok_or_else(wrong)?;
    let (sign, number) = match time.split_at_checked(1) {
        Some(("-", number)) => (-1, number),
        Some(("+", number)) => (1, number),
        _ => (1, time),
    };
    let seconds = sign * digits(Some(number), 9).ok_or_else(wrong)?;
    let (must_return, trace) = match mode.to_ascii_uppercase().as_str() {
        "N" => (false, false),
        "NT" => (false, true),
        "R" => (true, false),
        "RT" => (true, true),
        _ => return Err(wrong()),
    };
    if must_return && seconds < 1 {
        return Err(wrong());
    }
    Ok(DeliverBy { seconds, must_return, trace })
}

/// So many digits at most.
fn digits(value: Option<&str>, most: usize) -> Option<i64> {
    value
        .filter(|value| (1..=most).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|value| value.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities() {
        for (value, wanted) in [("0", Some(0)), ("-9", Some(-9)), ("9", Some(9))] {
            assert_eq!(priority(Some(value)).ok(), wanted);
        }
        for value in ["", "10", "-10", "-0", "+1", "--1", "x", "1x", "é"] {
            assert_eq!(priority(Some(value)).unwrap_err().to_string().get(..9), Some("501 5.5.2"), "{value}");
        }
    }

    #[test]
    fn holds() {
        assert_eq!(hold_for(Some("999999999")), Ok(Hold::For(999_999_999)));
        for value in ["0", "01", "-1", "1000000000", "1.5", "", "x"] {
            assert!(hold_for(Some(value)).is_err(), "{value}");
        }
        assert_eq!(hold_until(Some("1970-01-02T00:00:01Z")), Ok(Hold::Until(86_401)));
        assert_eq!(hold_until(Some("2026-11-21t12:22:01.75z")), Ok(Hold::Until(1_795_263_721)));
        for value in [
            "",
            "2026-11-21",
            "2026-11-21T12:22:01",
            "2026-11-21T12:22:01+00:00",
            "2026-13-21T12:22:01Z",
            "2026-11-31T12:22:01Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T12:22:01.Z",
            "2026-11-21 12:22:01Z",
            "26-11-21T12:22:01Z",
            "２026-11-21T12:22:01Z",
        ] {
            assert!(hold_until(Some(value)).is_err(), "{value}");
        }
        assert_eq!(Hold::For(10).release_at(100, 10), Ok(110));
        assert!(Hold::For(11).release_at(100, 10).is_err());
        assert_eq!(Hold::Until(1).release_at(100, 10), Ok(1));
    }

    #[test]
    fn times_to_deliver_by() {
        let by = |value| by(Some(value)).ok();
        assert_eq!(by("120;R"), Some(DeliverBy { seconds: 120, must_return: true, trace: false }));
        assert_eq!(by("-5;nt"), Some(DeliverBy { seconds: -5, must_return: false, trace: true }));
        assert_eq!(by("+5;RT").map(|by| by.seconds), Some(5));
        for value in ["0;R", "-1;R", "5", "5;", "5;X", "5;TR", ";R", "5;RTT", "1000000000;N", "--5;N", "5;R;"]
        {
            assert_eq!(by(value), None, "{value}");
        }
    }
}
