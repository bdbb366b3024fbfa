//! Commands about access control lists (RFC 4314 §7).

use super::cursor::Cursor;
use super::{FaultKind, Parsed};
use crate::ask::RightsChange;
use crate::command::{AclCommand, Body};
use model::Rights;

pub(super) fn arguments(cursor: &mut Cursor<'_>, name: &str) -> Option<Parsed<Body>> {
    let parse: fn(&mut Cursor<'_>) -> Parsed<AclCommand> = match name {
        "GETACL" => |_| Ok(AclCommand::Get),
        "MYRIGHTS" => |_| Ok(AclCommand::MyRights),
        "SETACL" => set,
        "DELETEACL" => |cursor| Ok(AclCommand::Delete { identifier: identifier(cursor)? }),
        "LISTRIGHTS" => |cursor| Ok(AclCommand::ListRights { identifier: identifier(cursor)? }),
        _ => return None,
    };
    Some(cursor.space().and_then(|()| {
        let mailbox = cursor.mailbox()?;
        Ok(Body::Acl { mailbox, command: parse(cursor)? })
    }))
}

/// ```text
/// SP identifier
/// identifier = astring
/// ```
fn identifier(cursor: &mut Cursor<'_>) -> Parsed<String> {
    cursor.space()?;
    cursor.utf8("an identifier")
}

/// ```text
/// setacl     = "SETACL" SP mailbox SP identifier SP mod-rights
/// mod-rights = astring                ;; +rights, -rights, rights
/// ```
fn set(cursor: &mut Cursor<'_>) -> Parsed<AclCommand> {
    let identifier = identifier(cursor)?;
    cursor.space()?;
    let start = cursor.at();
    let text = cursor.utf8("rights")?;
    let (make, letters): (fn(Rights) -> RightsChange, &str) = match text.as_bytes().first() {
        Some(b'+') => (RightsChange::Add, &text[1..]),
        Some(b'-') => (RightsChange::Remove, &text[1..]),
        _ => (RightsChange::Set, &text),
    };
    // RFC 4314 §3.1: "an unrecognized right MUST cause the command to return the BAD response".
    match Rights::parse(letters) {
        Ok(rights) => Ok(AclCommand::Set { identifier, change: make(rights) }),
        Err(_) => cursor.fault(start, FaultKind::Syntax, "rights, of lrswipkxteancd in lower case"),
    }
}
