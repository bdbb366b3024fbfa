//! ANNOTATION in FETCH (RFC 5257 §4.3); in STORE, APPEND, SEARCH and SORT it is `model`'s.

use model::AnnotationScope;

/// Which annotations FETCH shows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct AnnotationRequest {
    /// Names of entries, maybe with `*` and `%`.
    pub entries: Vec<String>,
    /// What of each.
    pub attributes: Vec<AnnotationAttribute>,
}

/// An attribute, maybe of private and shared values both.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AnnotationAttribute {
    /// Which.
    pub name: AttributeName,
    /// Whose; None: both.
    pub scope: Option<AnnotationScope>,
}

/// RFC 5257 §3.2.2
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AttributeName {
    /// The value itself.
    Value,
    /// Its octets.
    Size,
}

impl AttributeName {
    /// As it is written, without suffix.
    pub fn name(self) -> &'static str {
        match self {
            AttributeName::Value => "value",
            AttributeName::Size => "size",
        }
    }
}

impl AnnotationAttribute {
    /// Reads a name with or without suffix; names are case-sensitive (RFC 5257 §3.2).
    pub fn parse(text: &str) -> Option<AnnotationAttribute> {
        let (name, scope) = match text.split_once('.') {
            Some((name, suffix)) => {
                let fits = |scope: &AnnotationScope| scope.suffix()[1..] == *suffix;
                (name, Some(AnnotationScope::EVERY.into_iter().find(fits)?))
            }
            None => (text, None),
        };
        let name =
            [AttributeName::Value, AttributeName::Size].into_iter().find(|known| known.name() == name)?;
        Some(AnnotationAttribute { name, scope })
    }

    /// The other way round.
    pub fn text(self) -> String {
        format!("{}{}", self.name.name(), self.scope.map_or("", AnnotationScope::suffix))
    }
}

/// The part that an entry is about, if it is about one (RFC 5257 §3.2.1): `/1.2/comment`.
pub fn part_of_entry(entry: &str) -> Option<Vec<u32>> {
    let (part, _) = entry.strip_prefix('/')?.split_once('/')?;
    section_part(part)
}

/// ```text
/// section-part = nz-number *("." nz-number)
/// ```
pub(crate) fn section_part(text: &str) -> Option<Vec<u32>> {
    let is_number =
        |number: &&str| !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').map(|number| Some(number).filter(is_number)?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_about_parts() {
        for (entry, part) in [
            ("/1/comment", Some(vec![1])),
            ("/1.20.3/flags/seen", Some(vec![1, 20, 3])),
            ("/comment", None),
            ("/1", None),
            ("//comment", None),
            ("/0/comment", None),
            ("/01/comment", None),
            ("/+1/comment", None),
            ("/1.+1/comment", None),
            ("/1./comment", None),
            ("/1..2/comment", None),
            ("/1.02/comment", None),
            ("/4294967296/comment", None),
        ] {
            assert_eq!(part_of_entry(entry), part, "{entry}");
        }
    }
}
