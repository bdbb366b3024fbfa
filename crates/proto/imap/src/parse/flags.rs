//! Flags that a client gives (RFC 9051 §9).

use super::cursor::{Cursor, EmptyList};
use super::{FaultKind, Parsed, limits};
use crate::command::FlagList;
use model::{Flag, FlagSet, Keyword};
use std::collections::HashSet;

/// One flag, or nothing if it is to be ignored.
enum Given {
    System(Flag),
    Keyword(Keyword),
    Ignored,
}

/// ```text
/// flag-list = "(" [flag *(SP flag)] ")"
/// ```
pub(super) fn flag_list(cursor: &mut Cursor<'_>) -> Parsed<FlagList> {
    Ok(collect(cursor.list(limits::FLAGS_MAX, EmptyList::Allowed, flag)?))
}

/// ```text
/// flag-list / (flag *(SP flag))
/// ```
pub(super) fn store_flags(cursor: &mut Cursor<'_>) -> Parsed<FlagList> {
    if cursor.peek() == Some(b'(') {
        return flag_list(cursor);
    }
    let mut given = vec![flag(cursor)?];
    while cursor.eat(b' ') {
        if given.len() >= limits::FLAGS_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer flags");
        }
        given.push(flag(cursor)?);
    }
    Ok(collect(given))
}

/// ```text
/// flag         = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
/// flag-keyword = atom
/// ```
fn flag(cursor: &mut Cursor<'_>) -> Parsed<Given> {
    let start = cursor.at();
    if !cursor.eat(b'\\') {
        return keyword(cursor).map(Given::Keyword);
    }
    let name = cursor.atom("the name of a flag")?;
    match Flag::from_name(&format!("\\{name}")) {
        Some(flag) => Ok(Given::System(flag)),
        None if name.len() > Keyword::LEN_MAX => cursor.fault(start, FaultKind::Syntax, "a flag"),
        // RFC 9051 §7.1: what PERMANENTFLAGS does not name may be ignored. \Recent is among it: programs that copy
        // mail between servers (imapsync) send back what the other server showed them.
        None => Ok(Given::Ignored),
    }
}

pub(super) fn keyword(cursor: &mut Cursor<'_>) -> Parsed<Keyword> {
    let start = cursor.at();
    let word = cursor.atom("a flag")?;
    match Keyword::new(word) {
        Ok(keyword) => Ok(keyword),
        Err(_) => cursor.fault(start, FaultKind::Syntax, "a shorter keyword"),
    }
}

fn collect(given: Vec<Given>) -> FlagList {
    let mut list = FlagList { flags: FlagSet::NONE, keywords: Vec::new() };
    let mut known = HashSet::new();
    for given in given {
        match given {
            Given::System(flag) => list.flags = list.flags.with(flag),
            Given::Keyword(keyword) if known.insert(keyword.clone()) => list.keywords.push(keyword),
            Given::Keyword(_) | Given::Ignored => {}
        }
    }
    list
}
