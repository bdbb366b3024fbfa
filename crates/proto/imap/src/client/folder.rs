//! Names of mailboxes on other servers, and what LIST tells of them.

use super::response::ListLine;
use crate::mailbox_name::{INBOX, NameEncoding};
use crate::mutf7;
use model::SpecialUse;

/// A mailbox on the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    /// Its name, decoded; levels are separated by `delimiter`. The inbox is `INBOX`. Control characters are replaced.
    pub name: String,
    /// Its name as it travels; opens it again.
    pub wire_name: Vec<u8>,
    /// What separates levels; None: there are none.
    pub delimiter: Option<char>,
    /// What it is for (RFC 6154), if the server says so.
    pub special_use: Option<SpecialUse>,
    /// Whether it can be opened and hold messages.
    pub is_selectable: bool,
    /// Whether the user has subscribed to it, as far as the response tells.
    pub is_subscribed: bool,
}

impl Folder {
    pub(super) fn of(line: ListLine, encoding: NameEncoding) -> Folder {
        Folder {
            name: decode_name(&line.name, encoding),
            wire_name: line.name,
            delimiter: line.delimiter,
            special_use: line.special_use,
            is_selectable: line.is_selectable,
            is_subscribed: line.is_subscribed,
        }
    }
}

/// A name as it is shown. What is not spelled as it should be is taken for UTF-8, as it came.
pub(super) fn decode_name(wire: &[u8], encoding: NameEncoding) -> String {
    if wire.eq_ignore_ascii_case(INBOX.as_bytes()) {
        return INBOX.to_owned();
    }
    let decoded = match encoding {
        NameEncoding::ModifiedUtf7 => mutf7::decode(wire).ok(),
        NameEncoding::Utf8 => None,
    };
    let name = decoded.unwrap_or_else(|| String::from_utf8_lossy(wire).into_owned());
    if name.contains(char::is_control) {
        return name.chars().map(|one| if one.is_control() { '\u{fffd}' } else { one }).collect();
    }
    name
}

/// A name as it travels.
pub(super) fn encode_name(name: &str, encoding: NameEncoding) -> Vec<u8> {
    match encoding {
        NameEncoding::Utf8 => name.as_bytes().to_vec(),
        NameEncoding::ModifiedUtf7 => {
            let mut wire = Vec::with_capacity(name.len());
            mutf7::encode(name, &mut wire);
            wire
        }
    }
}
