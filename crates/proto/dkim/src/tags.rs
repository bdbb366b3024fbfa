//! Lists of tags and values, as signatures and key records are written.
//!
//! ```text
//! tag-list  =  tag-spec *( ";" tag-spec ) [ ";" ]
//! tag-spec  =  [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
//! tag-name  =  ALPHA *ALNUMPUNC
//! tag-value =  [ tval *( 1*(WSP / FWS) tval ) ]
//! ```
//! RFC 6376 §3.2; values may hold UTF-8 besides (RFC 8616 §4).

use std::ops::Range;

/// More tags than any signature has; looking for doubles among them costs nothing.
const TAGS_MAX: usize = 64;

/// A list that was read; borrows the text.
#[derive(Debug)]
pub(crate) struct Tags<'a> {
    text: &'a str,
    /// Name, and where what follows the `=` lies, white space included.
    found: Vec<(&'a str, Range<usize>)>,
}

impl<'a> Tags<'a> {
    /// None: it is no such list, or a name stands in it twice.
    pub(crate) fn read(text: &'a [u8]) -> Option<Tags<'a>> {
        let text = std::str::from_utf8(text).ok()?;
        let mut found: Vec<(&str, Range<usize>)> = Vec::new();
        let mut at = 0;
        for spec in text.split(';') {
            let start = at;
            at += spec.len() + 1;
            if is_blank(spec) {
                // Only behind the last one may nothing stand.
                if at > text.len() {
                    break;
                }
                return None;
            }
            let equals = spec.find('=')?;
            let name = spec[..equals].trim_matches(is_space);
            let range = start + equals + 1..start + spec.len();
            let doubled = found.iter().any(|(other, _)| *other == name);
            if !is_name(name) || !is_value(&text[range.clone()]) || doubled || found.len() == TAGS_MAX {
                return None;
            }
            found.push((name, range));
        }
        (!found.is_empty()).then_some(Tags { text, found })
    }

    /// A value without the white space around it.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.range(name).map(|range| self.text[range].trim_matches(is_space))
    }

    /// A value without any white space (base64, lists).
    pub(crate) fn packed(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.chars().filter(|c| !is_space(*c)).collect())
    }

    /// Where a value lies in the text, with all white space around it.
    pub(crate) fn range(&self, name: &str) -> Option<Range<usize>> {
        self.found.iter().find(|(other, _)| *other == name).map(|(_, range)| range.clone())
    }

    /// The name that stands first.
    pub(crate) fn first(&self) -> &'a str {
        self.found.first().map_or("", |(name, _)| name)
    }
}

/// FWS: spaces, tabs and the line ends of folding.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_blank(text: &str) -> bool {
    text.chars().all(is_space)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_value(value: &str) -> bool {
    value.chars().all(|c| is_space(c) || !c.is_ascii() || c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let tags = Tags::read(b" v=1; a = rsa-sha256;\r\n\tb=ab\r\n c= ;h= a : b;").unwrap();
        assert_eq!(tags.first(), "v");
        assert_eq!(tags.get("a"), Some("rsa-sha256"));
        assert_eq!(tags.get("b"), Some("ab\r\n c="), "a value may hold = and white space");
        assert_eq!(tags.packed("b").as_deref(), Some("abc="));
        assert_eq!(tags.packed("h").as_deref(), Some("a:b"));
        assert_eq!(tags.get("B"), None, "names have a case");
        let tags = Tags::read("d=пример.рф; p=".as_bytes()).unwrap();
        assert_eq!((tags.get("d"), tags.get("p")), (Some("пример.рф"), Some("")));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for bad in
            ["", ";", " ", "a", "a=1;;b=2", ";a=1", "a=1; a=2", "1a=1", "a b=1", "=1", "a=\u{1}", "a=\x7f"]
        {
            assert!(Tags::read(bad.as_bytes()).is_none(), "{bad:?}");
        }
        assert!(Tags::read(b"a=\xff").is_none());
        let many: String = (0..=TAGS_MAX).map(|n| format!("a{n}=;")).collect();
        assert!(Tags::read(many.as_bytes()).is_none());
    }
}
