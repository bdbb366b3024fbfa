//! Responses about access control lists (RFC 4314 §3.6 to §3.8).

use super::{mailbox, string};
use crate::mailbox_name::NameEncoding;
use model::{Right, Rights};

fn rights(out: &mut Vec<u8>, rights: Rights) {
    if rights.is_empty() {
        out.extend_from_slice(b"\"\"");
    } else {
        out.extend_from_slice(rights.to_string().as_bytes());
    }
}

/// An identifier as it is mostly shown: without quotes where none are needed.
fn identifier(out: &mut Vec<u8>, name: &str) {
    let plain = |byte: u8| crate::parse::is_astring_char(byte);
    if !name.is_empty() && name.bytes().all(plain) && !name.eq_ignore_ascii_case("NIL") {
        out.extend_from_slice(name.as_bytes());
    } else {
        string(out, name.as_bytes());
    }
}

/// `* ACL INBOX fred rwipslxetad`
pub fn acl(out: &mut Vec<u8>, name: &str, encoding: NameEncoding, entries: &[(String, Rights)]) {
    out.extend_from_slice(b"* ACL ");
    mailbox(out, name, encoding);
    for (who, granted) in entries {
        out.push(b' ');
        identifier(out, who);
        out.push(b' ');
        rights(out, *granted);
    }
    out.extend_from_slice(b"\r\n");
}

/// `* LISTRIGHTS INBOX smith la r s w i p k x t e n c d`: no rights are tied together but those of the obsolete `c` and `d`,
/// which stand beside their members (RFC 4314 §2.1.1).
pub fn list_rights(
    out: &mut Vec<u8>,
    name: &str,
    encoding: NameEncoding,
    who: &str,
    required: Rights,
    optional: Rights,
) {
    out.extend_from_slice(b"* LISTRIGHTS ");
    mailbox(out, name, encoding);
    out.push(b' ');
    identifier(out, who);
    out.push(b' ');
    rights(out, required);
    let mut letters: Vec<char> =
        Right::EVERY.into_iter().filter(|right| optional.has(*right)).map(Right::letter).collect();
    for (members, letter) in [(Rights::OBSOLETE_CREATE, 'c'), (Rights::OBSOLETE_DELETE, 'd')] {
        if optional.has_any(members) {
            letters.push(letter);
        }
    }
    for letter in letters {
        out.extend_from_slice(&[b' ', letter as u8]);
    }
    out.extend_from_slice(b"\r\n");
}

/// `* MYRIGHTS INBOX rwiptsldaex`
pub fn my_rights(out: &mut Vec<u8>, name: &str, encoding: NameEncoding, granted: Rights) {
    out.extend_from_slice(b"* MYRIGHTS ");
    mailbox(out, name, encoding);
    out.push(b' ');
    rights(out, granted);
    out.extend_from_slice(b"\r\n");
}
