//! MTA-STS (RFC 8461): the TXT record that says a policy exists, the policy itself, and which hosts it allows.

use std::fmt::Write as _;

/// Longest policy body that is read (RFC 8461 §3.3 suggests 64 kilobytes).
pub const POLICY_BYTES_MAX: usize = 64 * 1024;
/// RFC 8461 §3.2: about a year.
pub const MAX_AGE_MAX: u32 = 31_557_600;
/// Host patterns of one policy that are looked at.
const HOSTS_MAX: usize = 500;

/// What a policy wants when a host fails it (RFC 8461 §5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Deliver to no such host.
    Enforce,
    /// Deliver, and report.
    Testing,
    /// There is no policy (any more).
    None,
}

impl Mode {
    /// As it stands in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Enforce => "enforce",
            Mode::Testing => "testing",
            Mode::None => "none",
        }
    }

    /// Reads what [`Mode::as_str`] writes.
    pub fn parse(text: &str) -> Option<Mode> {
        [Mode::Enforce, Mode::Testing, Mode::None].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A policy (RFC 8461 §3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// What it wants.
    pub mode: Mode,
    /// Host names, or `*.` and a domain for any one label below it; lower case.
    pub mx: Vec<String>,
    /// For how many seconds it may be kept.
    pub max_age: u32,
}

/// Why a text is no policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyError {
    /// `version: STSv1` is missing.
    Version,
    /// `mode` is missing or unknown.
    Mode,
    /// `max_age` is missing or no number of seconds up to a year.
    MaxAge,
    /// No usable `mx` although the mode needs one.
    Mx,
    /// A line without a colon.
    Line,
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PolicyError::Version => "the policy does not say version: STSv1",
            PolicyError::Mode => "the policy has no mode of enforce, testing or none",
            PolicyError::MaxAge => "the policy has no max_age within a year",
            PolicyError::Mx => "the policy names no host",
            PolicyError::Line => "the policy has a line that is no key: value",
        })
    }
}

/// The id in the TXT records at `_mta-sts.` of a domain, if exactly one record is there and says so (RFC 8461 §3.1).
pub fn record_id<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // "records that do not begin with "v=STSv1;" are discarded. If the number of resulting records is not one, or if the
    // resulting record is syntactically invalid, senders MUST assume the domain has no available MTA-STS Policy."
    let mut records = texts.into_iter().filter_map(|text| {
        let rest = text.strip_prefix("v=STSv1")?.trim_start_matches([' ', '\t']);
        rest.strip_prefix(';')
    });
    let (Some(fields), None) = (records.next(), records.next()) else { return None };
    let mut id = None;
    for field in
        fields.split(';').map(|field| field.trim_matches([' ', '\t'])).filter(|field| !field.is_empty())
    {
        let (key, value) = field.split_once('=')?;
        if key == "id" && id.is_none() {
            id = Some(value);
        }
    }
    // sts-id = %s"id" "=" 1*32(ALPHA / DIGIT)
    id.filter(|id| (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl Policy {
    /// Reads a policy; lines end in LF or CRLF, unknown keys are passed over.
    ///
    /// # Errors
    /// [`PolicyError`]: then the domain counts as having none.
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        let (mut version, mut mode, mut max_age, mut mx) = (None, None, None, Vec::new());
        for line in text.split('\n').map(|line| line.trim_end_matches(['\r', ' ', '\t'])) {
            if line.is_empty() {
                continue;
            }
            let (key, value) = line.split_once(':').ok_or(PolicyError::Line)?;
            let value = value.trim_start_matches([' ', '\t']);
            // RFC 8461 §3.2: of a key that stands twice the first counts, except for mx.
            match key {
                "version" => _ = version.get_or_insert(value),
                "mode" => _ = mode.get_or_insert(value),
                "max_age" => _ = max_age.get_or_insert(value),
                "mx" if mx.len() < HOSTS_MAX && is_pattern(value) => mx.push(value.to_ascii_lowercase()),
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err(PolicyError::Version);
        }
        let mode = mode.and_then(Mode::parse).ok_or(PolicyError::Mode)?;
        let digits =
            max_age.filter(|text| text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit()));
        let max_age = digits.and_then(|text| text.parse().ok()).filter(|seconds| *seconds <= MAX_AGE_MAX);
        let max_age = max_age.ok_or(PolicyError::MaxAge)?;
        if mx.is_empty() && mode != Mode::None {
            return Err(PolicyError::Mx);
        }
        Ok(Policy { mode, mx, max_age })
    }

    /// As it is published.
    pub fn to_text(&self) -> String {
        let mut text = format!("version: STSv1\r\nmode: {}\r\n", self.mode.as_str());
        for host in &self.mx {
            let _ = write!(text, "mx: {host}\r\n");
        }
        let _ = write!(text, "max_age: {}\r\n", self.max_age);
        text
    }

    /// Whether a host is one of the policy's (RFC 8461 §4.1); `host` in A-labels, without the final dot.
    pub fn allows(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            // "a wildcard identifier matches exactly one label"
            Some(parent) => {
                host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent)
            }
            None => *pattern == host,
        })
    }
}

/// Whether a text may stand as `mx` of a policy: a host name, or `*.` and a domain.
pub fn is_pattern(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_record_of_the_rfc_is_read() {
        assert_eq!(record_id(["v=STSv1; id=20160831085700Z;"]), Some("20160831085700Z"));
        assert_eq!(record_id(["v=spf1 -all", "v=STSv1;id=a", "other"]), Some("a"));
        assert_eq!(record_id(["v=STSv1 ;\tx=1; id=b"]), Some("b"));
    }

    #[test]
    fn what_is_not_exactly_one_good_record_is_none() {
        for texts in [
            &["v=STSv1; id=1;", "v=STSv1; id=2;"][..],
            &[],
            &["v=STSv1"],
            &["v=STSv1;"],
            &["v=STSv1; id=;"],
            &["v=STSv1; id=a-b;"],
            &["v=STSv1; id=123456789012345678901234567890123;"],
            &["v=STSv2; id=1;"],
            &["V=STSv1; id=1;"],
            &[" v=STSv1; id=1;"],
            &["v=STSv1; id"],
        ] {
            assert_eq!(record_id(texts.iter().copied()), None, "{texts:?}");
        }
    }

    #[test]
    fn the_policy_of_the_rfc_is_read_and_allows_its_hosts() {
        // RFC 8461 §3.2 and Appendix A.
        let text = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n";
        let policy = Policy::parse(text).unwrap();
        assert_eq!((policy.mode, policy.max_age, policy.mx.len()), (Mode::Enforce, 604_800, 3));
        assert_eq!(Policy::parse(&text.replace('\n', "\r\n")), Ok(policy.clone()));
        assert_eq!(Policy::parse(&policy.to_text()), Ok(policy.clone()));
        for (host, allowed) in [
            ("mail.example.com", true),
            ("MAIL.Example.COM", true),
            ("a.example.net", true),
            ("example.net", false),
            ("a.b.example.net", false),
            (".example.net", false),
            ("xmail.example.com", false),
            ("mail.example.com.evil.test", false),
        ] {
            assert_eq!(policy.allows(host), allowed, "{host}");
        }
    }

    #[test]
    fn of_a_key_that_stands_twice_the_first_counts_and_unknown_ones_are_passed_over() {
        let policy = Policy::parse(
            "version:STSv1 \nfuture: thing: other\nmode: testing\nmode: none\nmx: a.test\nmax_age:1\nmax_age: 2",
        );
        assert_eq!(policy, Ok(Policy { mode: Mode::Testing, mx: vec!["a.test".into()], max_age: 1 }));
    }

    #[test]
    fn a_wrong_policy_is_none() {
        for (text, error) in [
            ("", PolicyError::Version),
            ("mode: enforce\nmx: a.test\nmax_age: 1\n", PolicyError::Version),
            ("version: STSv2\nmode: enforce\nmx: a.test\nmax_age: 1\n", PolicyError::Version),
            ("version: STSv1\nmx: a.test\nmax_age: 1\n", PolicyError::Mode),
            ("version: STSv1\nmode: Enforce\nmx: a.test\nmax_age: 1\n", PolicyError::Mode),
            ("version: STSv1\nmode: enforce\nmx: a.test\n", PolicyError::MaxAge),
            ("version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 31557601\n", PolicyError::MaxAge),
            ("version: STSv1\nmode: enforce\nmx: a.test\nmax_age: -1\n", PolicyError::MaxAge),
            ("version: STSv1\nmode: enforce\nmax_age: 1\n", PolicyError::Mx),
            ("version: STSv1\nmode: enforce\nmx: *.*.test\nmax_age: 1\n", PolicyError::Mx),
            ("<html>\n", PolicyError::Line),
        ] {
            assert_eq!(Policy::parse(text), Err(error), "{text}");
        }
        assert!(Policy::parse("version: STSv1\nmode: none\nmax_age: 1\n").is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "(version: STSv1|mode: enforce|mx: [a-z*.]{0,9}|max_age: [0-9]{0,12}|[ -~\r\n]{0,9}|\n){0,12}") {
            if let Ok(policy) = Policy::parse(&text) {
                prop_assert_eq!(Policy::parse(&policy.to_text()), Ok(policy));
            }
            let _ = record_id([text.as_str()]);
        }
    }
}
