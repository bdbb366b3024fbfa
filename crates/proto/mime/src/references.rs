//! Message identifiers (RFC 5322 §3.6.4) as threading needs them (RFC 5256 §3, REFERENCES).
//!
//! A list may be endless: the first [`FIRST_MAX`] and the last [`LAST_MAX`] identifiers are kept, which are the root of
//! the thread and the nearest ancestors. One pass, bounded memory.

use std::borrow::Cow;
use std::collections::VecDeque;

use memchr::memchr;

use crate::lexical::{Scanner, unquote};

/// Identifiers kept from the start of a list.
pub const FIRST_MAX: usize = 10;

/// Identifiers kept from the end of a list.
pub const LAST_MAX: usize = 50;

/// Longest identifier kept; a longer one is no identifier (RFC 5322 §2.1.1: a line has at most 998 characters).
pub const LENGTH_MAX: usize = 998;

/// The identifiers in the raw value of References, In-Reply-To or Message-ID, in their order, normalised and without
/// the angle brackets; at most [`FIRST_MAX`] + [`LAST_MAX`].
///
/// What stands outside of angle brackets is ignored (RFC 5322 §4.5.4: phrases in old In-Reply-To fields).
pub fn message_ids(value: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let mut first = Vec::new();
    let mut last = VecDeque::new();
    for id in raw_ids(value) {
        if first.len() < FIRST_MAX {
            first.push(id);
            continue;
        }
        if last.len() == LAST_MAX {
            last.pop_front();
        }
        last.push_back(id);
    }
    first.into_iter().chain(last).map(normalise).collect()
}

/// The first identifier of a raw value: that of a Message-ID field.
pub fn message_id(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    raw_ids(value).next().map(normalise)
}

/// What stands between angle brackets.
fn raw_ids(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = value;
    std::iter::from_fn(move || {
        loop {
            let start = memchr(b'<', rest)? + 1;
            let tail = &rest[start..];
            let end = memchr(b'>', tail)?;
            // A `<` inside means that the one before was never closed.
            let open = tail[..end].iter().rposition(|&byte| byte == b'<').map_or(0, |at| at + 1);
            let id = &tail[open..end];
            rest = &tail[end + 1..];
            if !id.trim_ascii().is_empty() && id.len() <= LENGTH_MAX {
                return Some(id);
            }
        }
    })
}

/// RFC 5256 §3: identifiers are compared in their normalised form, so quoting that is not needed is dropped, and so
/// are white space and comments (RFC 5322 §4.5.4, obs-id-left).
fn normalise(id: &[u8]) -> Cow<'_, [u8]> {
    if !id.iter().any(|byte| matches!(byte, 0..=b' ' | b'"' | b'(' | b'\\')) {
        return Cow::Borrowed(id);
    }
    let mut scanner = Scanner::new(id);
    let mut out = Vec::with_capacity(id.len());
    loop {
        scanner.skip_cfws();
        if let Some(inside) = scanner.quoted() {
            out.extend_from_slice(&unquote(&id[inside]));
            continue;
        }
        let Some(byte) = scanner.peek() else { break };
        out.push(byte);
        scanner.position += 1;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(value: &str) -> Vec<String> {
        message_ids(value.as_bytes()).iter().map(|id| String::from_utf8_lossy(id).into_owned()).collect()
    }

    #[test]
    fn rows() {
        let rows: &[(&str, &[&str])] = &[
            (
                "<1234@local.machine.example> <3456@example.net>",
                &["1234@local.machine.example", "3456@example.net"],
            ),
            ("<a@b>\r\n\t<c@d>", &["a@b", "c@d"]),
            // RFC 5322 appendix A.6.3
            ("<1234   @   local(blah)  .machine .example>", &["1234@local.machine.example"]),
            // RFC 5256 §3
            ("<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>", &["01KF8JCEOCBS0045PS@xxx.yyy.com"]),
            ("Your message of Fri <a@b> (really)", &["a@b"]),
            ("<a@b><c@d>,<e@f>", &["a@b", "c@d", "e@f"]),
            ("<open <a@b>", &["a@b"]),
            ("<> < > <never closed", &[]),
            ("none", &[]),
        ];
        for (value, expected) in rows {
            assert_eq!(ids(value), *expected, "{value}");
        }
        assert_eq!(message_id(b" <x@y> <z>").as_deref(), Some(&b"x@y"[..]));
    }

    #[test]
    fn a_hundred_thousand_ids() {
        let list: String = (0..100_000).map(|number| format!("<{number}@x> ")).collect();
        let found = ids(&list);
        assert_eq!(found.len(), FIRST_MAX + LAST_MAX);
        assert_eq!(found[0], "0@x");
        assert_eq!(found[9], "9@x");
        assert_eq!(found[10], "99950@x");
        assert_eq!(found[59], "99999@x");
    }

    #[test]
    fn hostile_rows_are_linear() {
        for row in ["<", "<a", "<\"", "<(", ">"] {
            let value = row.repeat(300_000);
            assert!(message_ids(value.as_bytes()).is_empty());
            assert!(message_ids(format!("{value}>").as_bytes()).len() <= 1);
        }
    }

    proptest! {
        #[test]
        fn any_bytes(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(message_ids(&value).len() <= FIRST_MAX + LAST_MAX);
        }
    }
}
