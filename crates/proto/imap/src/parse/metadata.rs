//! GETMETADATA and SETMETADATA (RFC 5464), and entries in LIST (RFC 9590).

use super::cursor::{Cursor, EmptyList};
use super::{FaultKind, Parsed, limits};
use crate::command::{Body, Content, Depth};

pub(super) fn arguments(cursor: &mut Cursor<'_>, name: &str) -> Option<Parsed<Body>> {
    Some(match name {
        "GETMETADATA" => get(cursor),
        "SETMETADATA" => set(cursor),
        "NOTIFY" => super::notify::notify(cursor),
        _ => return None,
    })
}

#[derive(Default)]
struct Options {
    depth: Depth,
    size_max: Option<u32>,
}

/// ```text
/// getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries
/// entries     = entry / "(" entry *(SP entry) ")"
/// ```
/// The examples of RFC 5464 have the options behind the mailbox, and entries without parentheses; both are taken.
fn get(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    let mut options = Options::default();
    if cursor.peek() == Some(b'(') {
        options_of(cursor, &mut options)?;
        cursor.space()?;
    }
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    if cursor.peek() == Some(b'(') && cursor.is_word_behind_parenthesis() {
        options_of(cursor, &mut options)?;
        cursor.space()?;
    }
    let entries = if cursor.peek() == Some(b'(') {
        entries(cursor)?
    } else {
        let mut entries = vec![entry(cursor, Least::Root)?];
        while cursor.eat(b' ') {
            entries.push(entry(cursor, Least::Root)?);
            if entries.len() > limits::METADATA_ENTRIES_MAX {
                return cursor.fault(cursor.at(), FaultKind::Limit, "fewer entries");
            }
        }
        entries
    };
    Ok(Body::GetMetadata { mailbox, entries, depth: options.depth, size_max: options.size_max })
}

/// ```text
/// "(" entry *(SP entry) ")"
/// ```
pub(super) fn entries(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    cursor.list(limits::METADATA_ENTRIES_MAX, EmptyList::Refused, |cursor| entry(cursor, Least::Root))
}

/// ```text
/// getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
/// maxsize-opt         = "MAXSIZE" SP number
/// scope-opt           = "DEPTH" SP ("0" / "1" / "infinity")
/// ```
fn options_of(cursor: &mut Cursor<'_>, options: &mut Options) -> Parsed<()> {
    cursor.list(limits::OPTIONS_MAX, EmptyList::Refused, |cursor| {
        let start = cursor.at();
        match cursor.word().as_str() {
            "MAXSIZE" => {
                cursor.space()?;
                options.size_max = Some(cursor.number("a number of octets")?);
            }
            "DEPTH" => {
                cursor.space()?;
                let start = cursor.at();
                options.depth = match cursor.word().as_str() {
                    "0" => Depth::Zero,
                    "1" => Depth::One,
                    "INFINITY" => Depth::Infinity,
                    _ => return cursor.fault(start, FaultKind::Syntax, "0, 1 or infinity"),
                };
            }
            _ => return cursor.fault(start, FaultKind::Syntax, "MAXSIZE or DEPTH"),
        }
        Ok(())
    })?;
    Ok(())
}

/// ```text
/// setmetadata  = "SETMETADATA" SP mailbox SP entry-values
/// entry-values = "(" entry SP value *(SP entry SP value) ")"
/// value        = nstring / literal8
/// ```
fn set(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    let entries = cursor.list(limits::METADATA_ENTRIES_MAX, EmptyList::Refused, |cursor| {
        let name = entry(cursor, Least::Entry)?;
        cursor.space()?;
        let value = cursor.nstring("a value or NIL")?;
        Ok((name, value.map(|octets| Content(octets.into_owned()))))
    })?;
    Ok(Body::SetMetadata { mailbox, entries })
}

/// How much of a name there must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Least {
    /// `/private` will do, to ask for what is below.
    Root,
    /// RFC 5464 §3.2: two components, four where the second is `vendor`.
    Entry,
}

/// ```text
/// entry = astring        ; slash-separated path, MUST NOT contain "*" or "%"
/// ```
/// RFC 5464 §3.2: "Invalid entry names result in a BAD response".
fn entry(cursor: &mut Cursor<'_>, least: Least) -> Parsed<String> {
    let start = cursor.at();
    let octets = cursor.astring("the name of an entry")?;
    let plain = |octet: &u8| matches!(octet, b' '..=b'~') && !matches!(octet, b'*' | b'%');
    let name = match std::str::from_utf8(&octets) {
        Ok(name) if octets.iter().all(plain) => name.to_owned(),
        _ => return cursor.fault(start, FaultKind::Syntax, "the name of an entry"),
    };
    if name.len() > limits::METADATA_NAME_BYTES_MAX {
        return cursor.fault(start, FaultKind::Limit, "a shorter name of an entry");
    }
    let mut parts = name.split('/');
    let rooted = parts.next() == Some("");
    let parts: Vec<&str> = parts.collect();
    let scope = parts.first().copied().unwrap_or_default();
    let known = ["private", "shared"].iter().any(|known| known.eq_ignore_ascii_case(scope));
    let vendor = parts.get(1).is_some_and(|part| part.eq_ignore_ascii_case("vendor"));
    let wanted = match (least, vendor) {
        (Least::Root, _) => 1,
        (Least::Entry, false) => 2,
        (Least::Entry, true) => 4,
    };
    if !rooted || !known || parts.iter().any(|part| part.is_empty()) || parts.len() < wanted {
        return cursor.fault(start, FaultKind::Syntax, "the name of an entry, such as /private/comment");
    }
    Ok(name)
}
