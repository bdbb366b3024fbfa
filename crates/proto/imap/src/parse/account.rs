//! Commands about the connection and the account: log-in, ID, ENABLE, LANGUAGE, COMPARATOR, COMPRESS, quota.

use super::cursor::{Cursor, EmptyList};
use super::{FaultKind, Parsed, limits};
use crate::command::{Body, Secret};
use std::borrow::Cow;

pub(super) fn arguments(cursor: &mut Cursor<'_>, name: &str) -> Option<Parsed<Body>> {
    Some(match name {
        "LOGIN" => login(cursor),
        "AUTHENTICATE" => authenticate(cursor),
        "ID" => id(cursor),
        "ENABLE" => enable(cursor),
        "LANGUAGE" => language(cursor),
        "COMPARATOR" => comparator(cursor),
        "COMPRESS" => compress(cursor),
        "GETQUOTA" => get_quota(cursor),
        "SETQUOTA" => set_quota(cursor),
        _ => return None,
    })
}

/// ```text
/// login = "LOGIN" SP userid SP password
/// ```
fn login(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    let user = cursor.utf8("a user name")?;
    cursor.space()?;
    let password = cursor.utf8("a password")?;
    Ok(Body::Login { user, password: Secret(password.into_bytes()) })
}

/// ```text
/// authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]
/// initial-resp = (base64 / "=")
/// ```
fn authenticate(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    let mechanism = cursor.atom("the name of a mechanism")?.to_ascii_uppercase();
    if !cursor.eat(b' ') {
        return Ok(Body::Authenticate { mechanism, initial: None });
    }
    let start = cursor.at();
    let base64 = cursor.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    let initial = match base64 {
        b"=" => Some(Vec::new()),
        b"" => None,
        base64 => sasl::decode_base64(base64),
    };
    match initial {
        Some(initial) => Ok(Body::Authenticate { mechanism, initial: Some(Secret(initial)) }),
        None => cursor.fault(start, FaultKind::Syntax, "base64 or ="),
    }
}

/// ```text
/// id             = "ID" SP id-params-list
/// id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
/// ```
fn id(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    if cursor.eat_word("NIL") {
        return Ok(Body::Id(Vec::new()));
    }
    let text = |bytes: Cow<'_, [u8]>| String::from_utf8_lossy(&bytes).into_owned();
    let pairs = cursor.list(limits::ID_PAIRS_MAX, EmptyList::Allowed, |cursor| {
        let field = cursor.string("a quoted field name")?;
        cursor.space()?;
        let value = cursor.nstring("a quoted value or NIL")?;
        Ok((text(field), value.map(text)))
    })?;
    Ok(Body::Id(pairs))
}

/// ```text
/// enable = "ENABLE" 1*(SP capability)
/// ```
fn enable(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    let mut capabilities = Vec::new();
    cursor.space()?;
    loop {
        capabilities.push(cursor.atom("a capability")?.to_ascii_uppercase());
        if capabilities.len() > limits::OPTIONS_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer capabilities");
        }
        if !cursor.eat(b' ') {
            return Ok(Body::Enable(capabilities));
        }
    }
}

/// ```text
/// language-cmd = "LANGUAGE" *(SP lang-range-quoted)      lang-range-quoted = astring
/// ```
fn language(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    let mut ranges = Vec::new();
    while cursor.eat(b' ') {
        ranges.push(cursor.utf8("a language range")?);
        if ranges.len() > limits::OPTIONS_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer languages");
        }
    }
    Ok(Body::Language(ranges))
}

/// ```text
/// comparator-cmd = "COMPARATOR" *(SP comp-order-quoted)      comp-order-quoted = astring
/// ```
fn comparator(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    let mut orders = Vec::new();
    while cursor.eat(b' ') {
        orders.push(cursor.utf8("a comparator")?);
        if orders.len() > limits::OPTIONS_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer comparators");
        }
    }
    Ok(Body::Comparator(orders))
}

/// ```text
/// compress = "COMPRESS" SP algorithm
/// ```
fn compress(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    Ok(Body::Compress(cursor.atom("the name of an algorithm")?.to_ascii_uppercase()))
}

/// ```text
/// getquota        = "GETQUOTA" SP quota-root-name
/// quota-root-name = astring
/// ```
fn get_quota(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    Ok(Body::GetQuota(cursor.utf8("the name of a quota root")?))
}

/// ```text
/// setquota          = "SETQUOTA" SP quota-root-name SP setquota-list
/// setquota-list     = "(" [setquota-resource *(SP setquota-resource)] ")"
/// setquota-resource = resource-name SP resource-limit
/// ```
fn set_quota(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    let root = cursor.utf8("the name of a quota root")?;
    cursor.space()?;
    let limits = cursor.list(limits::OPTIONS_MAX, EmptyList::Allowed, |cursor| {
        let resource = cursor.atom("the name of a resource")?.to_ascii_uppercase();
        cursor.space()?;
        Ok((resource, cursor.number64("a limit")?))
    })?;
    Ok(Body::SetQuota { root, limits })
}
