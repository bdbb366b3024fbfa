//! ENVELOPE, BODY and BODYSTRUCTURE as IMAP writes them (RFC 3501 §7.4.2 and §9, RFC 9051 §7.5.2).
//!
//! Everything goes straight into the caller's buffer. A string is quoted if it is short and printable ASCII, else a
//! literal: 8-bit bytes never stand in a quoted string, where an IMAP4rev1 client does not expect them. NUL, which no
//! string may hold, becomes a space.

use crate::address::Address;
use crate::content::{Disposition, Param};
use crate::envelope::{AddressFields, Envelope};
use crate::header::unfold;
use crate::structure::{Part, PartId, PartKind, Structure};

/// Longest quoted string; longer strings become literals.
pub const QUOTED_LENGTH_MAX: usize = 1000;

/// Most tags that are read from one Content-Language.
const LANGUAGES_MAX: usize = 50;

/// How much of the body structure is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// `BODY`: without extension data.
    Body,
    /// `BODYSTRUCTURE`: with extension data.
    BodyStructure,
}

/// Appends `string` (RFC 9051 §9): quoted if possible, else a literal.
pub fn write_string(value: &[u8], out: &mut Vec<u8>) {
    let is_quotable =
        value.len() <= QUOTED_LENGTH_MAX && value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    if !is_quotable {
        write_literal(value, out);
        return;
    }
    out.push(b'"');
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Appends `nstring`: NIL for `None`.
pub fn write_nstring(value: Option<&[u8]>, out: &mut Vec<u8>) {
    match value {
        Some(value) => write_string(value, out),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Appends a literal: `{length}`, CRLF, the bytes.
pub fn write_literal(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'{');
    write_number(value.len(), out);
    out.extend_from_slice(b"}\r\n");
    let start = out.len();
    out.extend_from_slice(value);
    // CHAR8 excludes NUL (RFC 3501 §9).
    if memchr::memchr(0, value).is_some() {
        out[start..].iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b' ');
    }
}

fn write_number(number: usize, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

fn write_field(value: Option<&[u8]>, out: &mut Vec<u8>) {
    write_nstring(value.map(unfold).as_deref(), out);
}

/// Appends the parenthesised envelope.
pub fn write_envelope(envelope: &Envelope<'_>, out: &mut Vec<u8>) {
    out.push(b'(');
    write_field(envelope.date, out);
    out.push(b' ');
    write_field(envelope.subject, out);
    let lists = [
        &envelope.from,
        envelope.sender_or_from(),
        envelope.reply_to_or_from(),
        &envelope.to,
        &envelope.cc,
        &envelope.bcc,
    ];
    for list in lists {
        out.push(b' ');
        write_addresses(list, out);
    }
    out.push(b' ');
    write_field(envelope.in_reply_to, out);
    out.push(b' ');
    write_field(envelope.message_id, out);
    out.push(b')');
}

fn write_addresses(fields: &AddressFields<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    for address in fields.iter() {
        // RFC 3501 §9: "(" 1*address ")", no space between addresses.
        if out.len() == start {
            out.push(b'(');
        }
        match address {
            Address::Mailbox(mailbox) => {
                out.push(b'(');
                write_nstring(mailbox.name.as_deref(), out);
                out.push(b' ');
                write_nstring(mailbox.route.as_deref(), out);
                out.push(b' ');
                // An empty host stays a string: NIL there would mean a group.
                write_string(&mailbox.local, out);
                out.push(b' ');
                write_string(&mailbox.domain, out);
                out.push(b')');
            }
            Address::GroupStart(name) => {
                out.extend_from_slice(b"(NIL NIL ");
                write_string(&name, out);
                out.extend_from_slice(b" NIL)");
            }
            Address::GroupEnd => out.extend_from_slice(b"(NIL NIL NIL NIL)"),
        }
    }
    out.extend_from_slice(if out.len() == start { b"NIL" } else { b")" });
}

/// Whose grammar is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// RFC 3501 §9: only MESSAGE/RFC822 has an envelope; MESSAGE/GLOBAL is a basic type there.
    Rev1,
    /// RFC 9051 §9: MESSAGE/GLOBAL has one, too.
    Rev2,
}

/// Appends the body structure of the whole message in the grammar of RFC 3501.
///
/// It differs from [`write_body_rev2`] in message/global only, which is a basic type here: an IMAP4rev1 client would
/// take the envelope for extension data.
pub fn write_body(structure: &Structure<'_>, form: BodyForm, out: &mut Vec<u8>) {
    write_any(structure, PartId::ROOT, form, Dialect::Rev1, None, out);
}

/// Appends the body structure of the whole message in the grammar of RFC 9051, for a client that enabled IMAP4rev2.
pub fn write_body_rev2(structure: &Structure<'_>, form: BodyForm, out: &mut Vec<u8>) {
    write_any(structure, PartId::ROOT, form, Dialect::Rev2, None, out);
}

/// Appends the structure of one part, without extension data, in the grammar of RFC 3501. With `decoded`, the octets of its
/// body without transfer encoding, it is shown as if it had none (RFC 5524 §3.2).
pub fn write_part(structure: &Structure<'_>, id: PartId, decoded: Option<usize>, out: &mut Vec<u8>) {
    write_any(structure, id, BodyForm::Body, Dialect::Rev1, decoded, out);
}

/// Recursion ends at [`crate::structure::MAX_DEPTH`].
fn write_any(
    structure: &Structure<'_>,
    id: PartId,
    form: BodyForm,
    dialect: Dialect,
    decoded: Option<usize>,
    out: &mut Vec<u8>,
) {
    let part = structure.part(id);
    let content_type = part.content_type();
    out.push(b'(');
    if part.kind == PartKind::Multipart {
        for child in structure.children(id) {
            write_any(structure, child, form, dialect, None, out);
        }
        out.push(b' ');
        write_string(content_type.subtype, out);
        if form == BodyForm::BodyStructure {
            out.push(b' ');
            write_params(&content_type.params, None, out);
            write_extension(part, out);
        }
        out.push(b')');
        return;
    }
    let is_text = content_type.is("text", "*");
    write_string(content_type.type_name, out);
    out.push(b' ');
    write_string(content_type.subtype, out);
    out.push(b' ');
    // RFC 2045 §5.2, RFC 2046 §4.1.2: the default charset, which the server fills in.
    write_params(&content_type.params, is_text.then_some("charset"), out);
    out.push(b' ');
    write_field(part.id, out);
    out.push(b' ');
    write_field(part.description, out);
    out.push(b' ');
    let encoding = part.encoding_token();
    match decoded {
        Some(_) => write_string(b"BINARY", out),
        None => write_string(if encoding.is_empty() { b"7BIT" } else { encoding }, out),
    }
    out.push(b' ');
    write_number(decoded.unwrap_or(part.body.len()), out);
    let shown = |_: &PartId| dialect == Dialect::Rev2 || content_type.is("message", "rfc822");
    let encapsulated = structure.encapsulated(id).filter(shown);
    if let Some(message) = encapsulated {
        out.push(b' ');
        write_envelope(&Envelope::parse(structure.header(message)), out);
        out.push(b' ');
        write_any(structure, message, form, dialect, None, out);
    }
    if is_text || encapsulated.is_some() {
        out.push(b' ');
        write_number(part.body_lines, out);
    }
    if form == BodyForm::BodyStructure {
        out.push(b' ');
        write_field(part.md5, out);
        write_extension(part, out);
    }
    out.push(b')');
}

/// Disposition, language and location, each behind a space.
fn write_extension(part: &Part<'_>, out: &mut Vec<u8>) {
    out.push(b' ');
    match part.disposition() {
        Some(Disposition { kind, params }) => {
            out.push(b'(');
            write_string(kind, out);
            out.push(b' ');
            write_params(&params, None, out);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
    out.push(b' ');
    write_languages(part.language, out);
    out.push(b' ');
    write_field(part.location, out);
}

/// `default_charset` names the parameter that is added with `US-ASCII` if it is missing.
fn write_params(params: &[Param<'_>], default_charset: Option<&str>, out: &mut Vec<u8>) {
    let missing = default_charset.filter(|name| !params.iter().any(|param| param.is(name)));
    if params.is_empty() && missing.is_none() {
        out.extend_from_slice(b"NIL");
        return;
    }
    let mut separator = b'(';
    if missing.is_some() {
        out.extend_from_slice(b"(\"CHARSET\" \"US-ASCII\"");
        separator = b' ';
    }
    for param in params {
        out.push(separator);
        separator = b' ';
        match &param.extended {
            Some(extended) => {
                write_string(&[&param.name, &b"*"[..]].concat(), out);
                out.push(b' ');
                write_string(extended, out);
            }
            None => {
                write_string(&param.name, out);
                out.push(b' ');
                write_string(&param.value, out);
            }
        }
    }
    out.push(b')');
}

/// `body-fld-lang = nstring / "(" string *(SP string) ")"`
fn write_languages(value: Option<&[u8]>, out: &mut Vec<u8>) {
    let value = value.unwrap_or_default();
    let mut tags =
        value.split(|&byte| byte == b',').map(crate::transfer::token).filter(|tag| !tag.is_empty());
    let Some(first) = tags.next() else {
        out.extend_from_slice(b"NIL");
        return;
    };
    let mut rest = tags.take(LANGUAGES_MAX).peekable();
    if rest.peek().is_none() {
        write_string(first, out);
        return;
    }
    out.push(b'(');
    write_string(first, out);
    for tag in rest {
        out.push(b' ');
        write_string(tag, out);
    }
    out.push(b')');
}

#[cfg(test)]
#[path = "imap_tests.rs"]
mod tests;
