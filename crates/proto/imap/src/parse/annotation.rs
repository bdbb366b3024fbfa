//! ANNOTATION in FETCH, STORE, APPEND, SEARCH and SORT (RFC 5257 §5).

use super::cursor::{Cursor, EmptyList, is_atom_char};
use super::{FaultKind, Parsed, limits};
use crate::command::{
    AnnotationAttribute, AnnotationRequest, AttributeName, SearchKey, part_of_entry, section_part,
};
use model::{AnnotationChange, AnnotationKey, AnnotationScope};

const ENTRY: &str = "the name of an entry such as /comment";

/// ```text
/// fetch-att =/ "ANNOTATION" SP "(" entries SP attribs ")"
/// entries   = entry-match / "(" entry-match *(SP entry-match) ")"
/// attribs   = attrib / "(" attrib *(SP attrib) ")"
/// ```
pub(super) fn request(cursor: &mut Cursor<'_>) -> Parsed<AnnotationRequest> {
    cursor.space()?;
    cursor.expect(b'(', "entries and attributes in parentheses")?;
    let entries = one_or_list(cursor, pattern)?;
    cursor.space()?;
    let attributes = one_or_list(cursor, attribute)?;
    cursor.expect(b')', ")")?;
    Ok(AnnotationRequest { entries: once(entries), attributes: once(attributes) })
}

fn once<T: PartialEq>(list: Vec<T>) -> Vec<T> {
    let mut kept = Vec::with_capacity(list.len());
    for item in list {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

fn one_or_list<T>(cursor: &mut Cursor<'_>, one: fn(&mut Cursor<'_>) -> Parsed<T>) -> Parsed<Vec<T>> {
    match cursor.peek() {
        Some(b'(') => cursor.list(limits::ANNOTATION_ENTRIES_MAX, EmptyList::Refused, one),
        _ => Ok(vec![one(cursor)?]),
    }
}

/// ```text
/// att-annotate = "ANNOTATION" SP "(" entry-att *(SP entry-att) ")"
/// entry-att    = entry SP "(" att-value *(SP att-value) ")"
/// att-value    = attrib SP value
/// value        = nstring / literal8
/// ```
/// RFC 5257 §3.2.2: a suffix there must be, and the size is the server's.
pub(super) fn changes(cursor: &mut Cursor<'_>) -> Parsed<Vec<AnnotationChange>> {
    const MAX: usize = limits::ANNOTATION_ENTRIES_MAX;
    let (mut changes, mut entries) = (Vec::new(), 0);
    cursor.list(MAX + 1, EmptyList::Refused, |cursor| {
        entries += 1;
        if entries > MAX {
            let text = format!("at most {MAX} entries");
            return cursor.fault(cursor.at(), FaultKind::Annotations, text);
        }
        let name = entry(cursor)?;
        cursor.space()?;
        cursor.list(limits::OPTIONS_MAX, EmptyList::Refused, |cursor| {
            let scope = scoped_value(cursor)?;
            cursor.space()?;
            let start = cursor.at();
            let value = cursor.nstring("a value or NIL")?.map(std::borrow::Cow::into_owned);
            if is_flag(&name) && !matches!(value.as_deref(), None | Some(b"0" | b"1")) {
                return cursor.fault(start, FaultKind::Syntax, "\"1\", \"0\" or NIL");
            }
            changes.push(AnnotationChange { entry: name.clone(), scope, value });
            Ok(())
        })
    })?;
    Ok(changes)
}

/// ```text
/// search-key =/ "ANNOTATION" SP entry-match SP att-search SP value
/// ```
/// NIL: messages that have no such value.
pub(super) fn search_key(cursor: &mut Cursor<'_>) -> Parsed<SearchKey> {
    cursor.space()?;
    let entries = pattern(cursor)?;
    cursor.space()?;
    let start = cursor.at();
    let attribute = attribute(cursor)?;
    if attribute.name != AttributeName::Value {
        return cursor.fault(start, FaultKind::Syntax, "value, value.priv or value.shared");
    }
    cursor.space()?;
    let text = cursor.nstring("a string")?.map(std::borrow::Cow::into_owned);
    let key = |text| SearchKey::Annotation { entries, scope: attribute.scope, text };
    Ok(match text {
        Some(text) => key(text),
        None => SearchKey::Not(Box::new(key(Vec::new()))),
    })
}

/// ```text
/// sort-key =/ "ANNOTATION" SP entry SP att-sort
/// ```
pub(super) fn sort_key(cursor: &mut Cursor<'_>) -> Parsed<AnnotationKey> {
    cursor.space()?;
    let entry = entry(cursor)?;
    cursor.space()?;
    Ok(AnnotationKey { entry, scope: scoped_value(cursor)? })
}

fn scoped_value(cursor: &mut Cursor<'_>) -> Parsed<AnnotationScope> {
    let start = cursor.at();
    match attribute(cursor)? {
        AnnotationAttribute { name: AttributeName::Value, scope: Some(scope) } => Ok(scope),
        _ => cursor.fault(start, FaultKind::Syntax, "value.priv or value.shared"),
    }
}

fn attribute(cursor: &mut Cursor<'_>) -> Parsed<AnnotationAttribute> {
    const WHAT: &str = "value or size, with .priv or .shared behind it";
    let start = cursor.at();
    let name = cursor.utf8(WHAT)?;
    match AnnotationAttribute::parse(&name) {
        Some(attribute) => Ok(attribute),
        None => cursor.fault(start, FaultKind::Syntax, WHAT),
    }
}

/// ```text
/// entry-match = list-mailbox     ; slash-separated path, MAY contain "*" or "%"
/// ```
fn pattern(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let start = cursor.at();
    let octets = match cursor.peek() {
        Some(b'"' | b'{' | b'~') => cursor.string(ENTRY)?.into_owned(),
        _ => cursor.take_while(|byte| is_atom_char(byte) || matches!(byte, b'*' | b'%' | b']')).to_vec(),
    };
    match String::from_utf8(octets) {
        Ok(name) if is_name(&name) && name.starts_with(['/', '*', '%']) && has_sound_part(&name) => Ok(name),
        _ => cursor.fault(start, FaultKind::Syntax, ENTRY),
    }
}

/// ```text
/// entry = astring                ; slash-separated path, MUST NOT contain "*" or "%"
/// ```
fn entry(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let start = cursor.at();
    let octets = cursor.astring(ENTRY)?.into_owned();
    match String::from_utf8(octets) {
        Ok(name) if is_name(&name) && is_entry(&name) => Ok(name),
        _ => cursor.fault(start, FaultKind::Syntax, ENTRY),
    }
}

/// RFC 5257 §3.2: ASCII, no two slashes side by side, none at the end.
fn is_name(name: &str) -> bool {
    let fits = |byte| matches!(byte, b' '..=b'~');
    (1..=limits::ANNOTATION_NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(fits)
        && !name.contains("//")
        && !name.ends_with('/')
}

/// RFC 5257 §3.2.1: BAD for a part specifier that is none. One with wildcards stands for what it finds.
fn has_sound_part(pattern: &str) -> bool {
    let part = pattern.strip_prefix('/').and_then(|rest| rest.split('/').next()).unwrap_or_default();
    !part.starts_with(|first: char| first.is_ascii_digit())
        || part.contains(['*', '%'])
        || section_part(part).is_some()
}

/// RFC 5257 §3.2.1: the value of a part's flag "must be either "1", "0", or "NIL"".
fn is_flag(name: &str) -> bool {
    let of_part = part_of_entry(name).is_some();
    of_part && name.splitn(3, '/').nth(2).is_some_and(|rest| rest.starts_with("flags/"))
}

/// RFC 5257 §3.2.1: an entry about a part names a part and something of it; §3.5: /flags MUST NOT be used.
fn is_entry(name: &str) -> bool {
    let Some(rest) = name.strip_prefix('/') else { return false };
    let of_part = rest.starts_with(|first: char| first.is_ascii_digit());
    !name.contains(['*', '%'])
        && rest != "flags"
        && !rest.starts_with("flags/")
        && (!of_part || part_of_entry(name).is_some())
}
