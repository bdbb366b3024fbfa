//! The wildcards of LIST and LSUB: `*` stands for anything, `%` for anything without a hierarchy separator.
//!
//! Invariant: matching takes at most (length of the pattern) × (length of the name) steps and no memory, whatever the
//! pattern: only the last `*` and the last `%` are ever tried again. That loses nothing: what an earlier wildcard could
//! take more of, a later `*` can take too; and an earlier `%` of the same run could only move what stands between the
//! two to the right within one level, which makes the level's rest shorter.
//!
//! RFC 9051 §6.3.9, RFC 5258 §3.

use crate::mailbox_name::{INBOX, NAME_BYTES_MAX, NameFault};

/// A canonical LIST pattern: reference and mailbox name put together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// No two wildcards side by side.
    bytes: Vec<u8>,
}

impl Pattern {
    /// Puts a reference and a name with wildcards together, both decoded.
    ///
    /// # Errors
    /// [`NameFault::TooLong`] if nothing so long could match.
    pub fn new(reference: &str, name: &str) -> Result<Pattern, NameFault> {
        let mut bytes: Vec<u8> = Vec::with_capacity(reference.len() + name.len());
        for byte in reference.bytes().chain(name.bytes()) {
            match (bytes.last_mut(), byte) {
                // `**`, `*%` and `%*` match what `*` matches, `%%` what `%` does.
                (Some(b'*'), b'*' | b'%') | (Some(b'%'), b'%') => {}
                (Some(last @ b'%'), b'*') => *last = b'*',
                _ => bytes.push(byte),
            }
        }
        if bytes.len() > 2 * NAME_BYTES_MAX {
            return Err(NameFault::TooLong);
        }
        Ok(Pattern { bytes })
    }

    /// Whether a name (decoded, the inbox as `INBOX`) matches. The inbox matches in any case (RFC 9051 §6.3.9).
    pub fn matches(&self, name: &str) -> bool {
        let inbox = name.strip_prefix(INBOX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let folded = if inbox { INBOX.len() } else { 0 };
        let (pattern, name) = (self.bytes.as_slice(), name.as_bytes());
        let equal =
            |at: usize, byte: u8| byte == name[at] || at < folded && byte.eq_ignore_ascii_case(&name[at]);
        let (mut p, mut n) = (0, 0);
        // Where to go on if it does not fit: pattern position behind the wildcard, and what the wildcard has taken up to.
        let mut star: Option<(usize, usize)> = None;
        let mut percent: Option<(usize, usize)> = None;
        loop {
            match pattern.get(p) {
                Some(b'*') => {
                    p += 1;
                    if p == pattern.len() {
                        return true;
                    }
                    star = Some((p, n));
                    percent = None;
                    continue;
                }
                Some(b'%') => {
                    p += 1;
                    percent = Some((p, n));
                    continue;
                }
                Some(&byte) if n < name.len() && equal(n, byte) => {
                    p += 1;
                    n += 1;
                    continue;
                }
                None if n == name.len() => return true,
                _ => {}
            }
            percent = percent.filter(|(_, taken)| name.get(*taken).is_some_and(|byte| *byte != b'/'));
            let retry = if percent.is_some() { &mut percent } else { &mut star };
            let Some((behind, taken)) = retry.as_mut().filter(|(_, taken)| *taken < name.len()) else {
                return false;
            };
            *taken += 1;
            (p, n) = (*behind, *taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::new("", pattern).unwrap().matches(name)
    }

    /// The definition, by trying everything.
    fn defined(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|taken| defined(rest, &name[taken..])),
            Some((b'%', rest)) => {
                let level = name.iter().position(|byte| *byte == b'/').unwrap_or(name.len());
                (0..=level).any(|taken| defined(rest, &name[taken..]))
            }
            Some((byte, rest)) => name.first() == Some(byte) && defined(rest, &name[1..]),
        }
    }

    #[test]
    fn wildcards() {
        for (pattern, name, wanted) in [
            ("*", "a/b", true),
            ("%", "a/b", false),
            ("%", "a", true),
            ("a/%", "a/b", true),
            ("a/%", "a/b/c", false),
            ("a/*", "a/b/c", true),
            ("a/*", "a", false),
            ("a*", "a", true),
            ("*c", "a/b/c", true),
            ("%/c", "a/b/c", false),
            ("%/%/c", "a/b/c", true),
            ("", "", true),
            ("", "a", false),
            ("От*ые", "Отправленные", true),
            ("%b%d", "abcbd", true),
            ("*a%b", "a/ab", true),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn only_the_inbox_ignores_case() {
        assert!(matches("inbox", "INBOX"));
        assert!(matches("in%", "INBOX"));
        assert!(matches("inbox/%", "INBOX/x"));
        assert!(!matches("inbox/X", "INBOX/x"));
        assert!(!matches("sent", "Sent"));
        assert!(!matches("inboxes", "INBOXES"));
    }

    #[test]
    fn the_reference_comes_first() {
        let pattern = Pattern::new("#news.", "comp.%").unwrap();
        assert!(pattern.matches("#news.comp.mail") && !pattern.matches("comp.mail"));
    }

    #[test]
    fn many_wildcards_cost_little() {
        let name = "a".repeat(NAME_BYTES_MAX);
        for unit in ["*", "%", "*a", "%a", "a*", "%*a%"] {
            let pattern = format!("{}b", unit.repeat(1900 / unit.len()));
            assert!(!matches(&pattern, &name), "{unit}");
        }
        assert!(Pattern::new("", &"a".repeat(2 * NAME_BYTES_MAX + 1)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_the_definition(pattern in "[ab/%*]{0,9}", name in "[ab/]{0,10}") {
            prop_assert_eq!(matches(&pattern, &name), defined(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
