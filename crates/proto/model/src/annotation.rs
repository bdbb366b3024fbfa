//! Annotations of messages (RFC 5257): named values, each user's own and those for all.

/// Whose a value is (RFC 5257 §3.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AnnotationScope {
    /// `.priv`: the user's own.
    Private,
    /// `.shared`: that of all who may read the mailbox.
    Shared,
}

impl AnnotationScope {
    /// Both.
    pub const EVERY: [AnnotationScope; 2] = [AnnotationScope::Private, AnnotationScope::Shared];

    /// Behind the name of an attribute: `.priv`, `.shared`.
    pub fn suffix(self) -> &'static str {
        match self {
            AnnotationScope::Private => ".priv",
            AnnotationScope::Shared => ".shared",
        }
    }
}

/// A value to be set, or removed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AnnotationChange {
    /// Name of the entry, well-formed (RFC 5257 §3.2), without wildcards.
    pub entry: String,
    /// Whose.
    pub scope: AnnotationScope,
    /// None removes it.
    pub value: Option<Vec<u8>>,
}

/// What SEARCH ANNOTATION looks for (RFC 5257 §4.8).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AnnotationQuery {
    /// Names of entries, maybe with `*` and `%`.
    pub entries: String,
    /// Whose values; None: either.
    pub scope: Option<AnnotationScope>,
    /// What must be in a value.
    pub text: String,
}

/// The value that SORT compares (RFC 5257 §4.9).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AnnotationKey {
    /// Name of the entry.
    pub entry: String,
    /// Whose.
    pub scope: AnnotationScope,
}

/// Whether the name of an entry is one of those that a pattern means: `*` stands for anything, `%` for anything within a
/// level, both for one character at least (RFC 5257 §4.3). Takes time in proportion to the lengths of both, multiplied.
pub fn is_annotation_entry(entry: &str, pattern: &str) -> bool {
    let entry = entry.as_bytes();
    // Whether so much of the pattern stands for so much of the entry.
    let mut fits = vec![false; entry.len() + 1];
    fits[0] = true;
    for sign in pattern.bytes() {
        match sign {
            b'*' | b'%' => {
                let mut before = std::mem::take(&mut fits[0]);
                for at in 0..entry.len() {
                    let fits_here = (before || fits[at]) && (sign == b'*' || entry[at] != b'/');
                    before = std::mem::replace(&mut fits[at + 1], fits_here);
                }
            }
            sign => {
                for at in (0..entry.len()).rev() {
                    fits[at + 1] = fits[at] && entry[at] == sign;
                }
                fits[0] = false;
            }
        }
    }
    fits[entry.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_names() {
        for (entry, pattern, fits) in [
            ("/comment", "/comment", true),
            ("/comment", "/Comment", false),
            // RFC 5257 §4.3: "/%" matches "/comment" and "/altsubject", but not "/1/comment".
            ("/comment", "/%", true),
            ("/1/comment", "/%", false),
            ("/1/comment", "/*", true),
            ("/1/comment", "*", true),
            ("/1/comment", "/%/comment", true),
            ("/1/2/comment", "/%/comment", false),
            ("/1/2/comment", "/*/comment", true),
            // "to match one or more characters at that position"
            ("/comment", "/comment*", false),
            ("/comment", "/comment%", false),
            ("/comment", "/*comment", false),
            ("/comment", "*/comment", false),
            ("/comments", "/comment*", true),
            ("/comment", "/**", true),
            ("/c", "/**", false),
            ("/c/d", "/c/%%", false),
            ("/c/de", "/c/%%", true),
            ("/c/d", "/c%d", false),
            ("/c/d", "/c*d", true),
            ("/comment", "/comm%t", true),
            ("/comment", "/comm%x", false),
            ("/a", "/a/", false),
            ("/aXaXb", "*X%b", true),
            ("", "", true),
            ("", "%", false),
            ("", "*", false),
        ] {
            assert_eq!(is_annotation_entry(entry, pattern), fits, "{entry} {pattern}");
        }
        let (long, stars) = ("/a".repeat(200), "*%".repeat(200));
        assert!(is_annotation_entry(&long, &stars));
    }
}
