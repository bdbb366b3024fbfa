//! Commands about URLs: GENURLAUTH, URLFETCH, RESETKEY (RFC 4467 §9, RFC 5524 §5). The URLs themselves are read by `url`.

use super::cursor::Cursor;
use super::{FaultKind, Parsed, limits};
use crate::command::{Body, UrlParam, UrlWanted};

pub(super) fn arguments(cursor: &mut Cursor<'_>, name: &str) -> Option<Parsed<Body>> {
    Some(match name {
        "GENURLAUTH" => several(cursor, rump).map(Body::GenUrlAuth),
        "URLFETCH" => several(cursor, wanted).map(Body::UrlFetch),
        "RESETKEY" => reset_key(cursor),
        _ => return None,
    })
}

/// ```text
/// 1*(SP item)
/// ```
fn several<T>(cursor: &mut Cursor<'_>, mut item: impl FnMut(&mut Cursor<'_>) -> Parsed<T>) -> Parsed<Vec<T>> {
    let mut items = Vec::new();
    cursor.space()?;
    loop {
        if items.len() >= limits::URLS_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer URLs in one command");
        }
        items.push(item(cursor)?);
        if !cursor.eat(b' ') {
            return Ok(items);
        }
    }
}

/// ```text
/// url-rump SP mechanism
/// ```
fn rump(cursor: &mut Cursor<'_>) -> Parsed<(String, String)> {
    let url = cursor.utf8("a URL")?;
    cursor.space()?;
    Ok((url, mechanism(cursor)?))
}

/// ```text
/// mechanism = "INTERNAL" / 1*(ALPHA / DIGIT / "-" / ".")
/// ```
fn mechanism(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let start = cursor.at();
    match cursor.word() {
        name if name.is_empty() || name.contains('=') => {
            cursor.fault(start, FaultKind::Syntax, "the name of a mechanism, such as INTERNAL")
        }
        name => Ok(name),
    }
}

/// ```text
/// url-fetch-arg = url-full / "(" url-full *(SP url-fetch-param) ")"
/// ```
fn wanted(cursor: &mut Cursor<'_>) -> Parsed<UrlWanted> {
    const WHAT: &str = "BODYPARTSTRUCTURE, and one of BODY and BINARY";
    if !cursor.eat(b'(') {
        return Ok(UrlWanted { url: cursor.utf8("a URL")?, params: Vec::new() });
    }
    let url = cursor.utf8("a URL")?;
    let mut params = Vec::new();
    while cursor.eat(b' ') {
        let start = cursor.at();
        let name = cursor.word();
        let param = UrlParam::EVERY.into_iter().find(|param| param.name() == name);
        // RFC 5524 §3.1: none twice, and not BODY beside BINARY.
        match param.filter(|param| !params.contains(param)) {
            Some(param) => params.push(param),
            None => return cursor.fault(start, FaultKind::Syntax, WHAT),
        }
        if params.contains(&UrlParam::Body) && params.contains(&UrlParam::Binary) {
            return cursor.fault(start, FaultKind::Syntax, WHAT);
        }
    }
    cursor.expect(b')', "a space or )")?;
    Ok(UrlWanted { url, params })
}

/// ```text
/// resetkey = "RESETKEY" [SP mailbox *(SP mechanism)]
/// ```
fn reset_key(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    if !cursor.eat(b' ') {
        return Ok(Body::ResetKey { mailbox: None, mechanisms: Vec::new() });
    }
    let mailbox = Some(cursor.mailbox()?);
    let mut mechanisms = Vec::new();
    while cursor.eat(b' ') {
        if mechanisms.len() >= limits::OPTIONS_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer mechanisms");
        }
        mechanisms.push(mechanism(cursor)?);
    }
    Ok(Body::ResetKey { mailbox, mechanisms })
}
