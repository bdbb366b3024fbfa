//! ANNOTATION in FETCH responses (RFC 5257 §4.4).

use super::{astring, nstring, number};
use crate::ask::Annotation;
use crate::command::{AnnotationRequest, AttributeName};
use model::{AnnotationScope, is_annotation_entry};

/// `(/comment (value.priv "x" value.shared NIL))`: what was asked for. An entry that is named is shown even if there is no
/// such value; of a pattern's, those that have one. Where that would be none, one that the pattern means stands there: the
/// grammar (RFC 5257 §5) wants an entry, and NIL and "0" say that it has no value (§3.2.2).
pub fn annotations(out: &mut Vec<u8>, request: &AnnotationRequest, there: &[Annotation]) {
    let example;
    let mut shown: Vec<&str> = Vec::new();
    let wanted = |scope: AnnotationScope| {
        request.attributes.iter().any(|attribute| attribute.scope.is_none_or(|wanted| wanted == scope))
    };
    for pattern in &request.entries {
        if !pattern.contains(['*', '%']) {
            shown.push(pattern);
            continue;
        }
        let live = there.iter().filter(|annotation| annotation.value.is_some() && wanted(annotation.scope));
        shown
            .extend(live.map(|live| live.entry.as_str()).filter(|entry| is_annotation_entry(entry, pattern)));
    }
    if let (true, Some(pattern)) = (shown.is_empty(), request.entries.first()) {
        example = entry_like(pattern);
        shown.push(&example);
    }
    let mut told: Vec<&str> = Vec::new();
    out.push(b'(');
    for entry in shown {
        if told.contains(&entry) {
            continue;
        }
        if !told.is_empty() {
            out.push(b' ');
        }
        told.push(entry);
        astring(out, entry.as_bytes());
        out.extend_from_slice(b" (");
        let mut first = true;
        for attribute in &request.attributes {
            for scope in AnnotationScope::EVERY {
                if attribute.scope.is_some_and(|wanted| wanted != scope) {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(b' ');
                }
                out.extend_from_slice(attribute.name.name().as_bytes());
                out.extend_from_slice(scope.suffix().as_bytes());
                out.push(b' ');
                let mut found = there.iter().filter(|one| one.scope == scope && one.entry == entry);
                let value = found.next().and_then(|annotation| annotation.value.as_deref());
                attribute_value(out, attribute.name, value);
            }
        }
        out.push(b')');
    }
    out.push(b')');
}

/// The name of an entry, maybe of one that is not there, in which something stands for each wildcard.
fn entry_like(pattern: &str) -> String {
    let mut name = String::from(if pattern.starts_with('/') { "" } else { "/" });
    for sign in pattern.chars() {
        match sign {
            // In the number of a part another digit.
            '*' | '%' if name.ends_with(|last: char| last.is_ascii_digit() || last == '.') => name.push('1'),
            '*' | '%' => name.push_str("comment"),
            sign => name.push(sign),
        }
    }
    name
}

fn attribute_value(out: &mut Vec<u8>, name: AttributeName, value: Option<&[u8]>) {
    match name {
        AttributeName::Value => {
            if value.is_some_and(|value| memchr::memchr(0, value).is_some()) {
                // literal8
                out.push(b'~');
            }
            nstring(out, value);
        }
        AttributeName::Size => {
            out.push(b'"');
            number(out, value.map_or(0, <[u8]>::len) as u64);
            out.push(b'"');
        }
    }
}

/// ` ANNOTATION (/comment /altsubject)`: names alone, of what somebody changed; nothing if that is nothing.
pub fn changed_annotations<'a>(out: &mut Vec<u8>, entries: impl Iterator<Item = &'a str>) {
    let mut told: Vec<&str> = Vec::new();
    for entry in entries {
        if told.contains(&entry) {
            continue;
        }
        out.extend_from_slice(if told.is_empty() { b" ANNOTATION (" } else { b" " });
        astring(out, entry.as_bytes());
        told.push(entry);
    }
    if !told.is_empty() {
        out.push(b')');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_entries() {
        for (pattern, entry) in [
            ("/*", "/comment"),
            ("*", "/comment"),
            ("/1/%", "/1/comment"),
            ("/1%/comment", "/11/comment"),
            ("/1.*", "/1.1"),
            ("/vendor/*/x", "/vendor/comment/x"),
            ("/**", "/commentcomment"),
        ] {
            assert_eq!(entry_like(pattern), entry);
            assert!(is_annotation_entry(entry, pattern), "{pattern}");
        }
    }
}
