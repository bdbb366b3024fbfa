//! Sections of FETCH BODY[…] and BINARY[…] (RFC 3501 §6.4.5, RFC 9051 §6.4.5.1): part numbers to byte ranges.
//!
//! Part numbers go through multiparts; in a message/rfc822 part they go on in the encapsulated message. A message that
//! is no multipart has the one part 1, its body.

use std::ops::Range;

use crate::header;
use crate::structure::{PartId, PartKind, Structure};

/// What of a part is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Specifier {
    /// `BODY[]` or `BODY[1.2]`: the whole message, or the body of the part.
    Whole,
    /// `HEADER`, also for `HEADER.FIELDS`: the header of the message or of the message in the part.
    Header,
    /// `TEXT`: the body of the message or of the message in the part.
    Text,
    /// `MIME`: the header of the part itself; needs a part number.
    Mime,
}

/// Which fields of a header are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// `HEADER.FIELDS`
    Listed,
    /// `HEADER.FIELDS.NOT`
    NotListed,
}

/// The part that a (nonempty) list of part numbers names; for an empty list the message itself.
pub fn resolve(structure: &Structure<'_>, numbers: &[u32]) -> Option<PartId> {
    let mut part = PartId::ROOT;
    let mut is_message = true;
    for &number in numbers {
        let container = if is_message { part } else { structure.encapsulated(part).unwrap_or(part) };
        let is_multipart = structure.part(container).kind == PartKind::Multipart;
        let is_in_message = is_message || container != part;
        part = match (is_multipart, is_in_message, number) {
            (true, _, 1..) => structure.children(container).nth(usize::try_from(number - 1).ok()?)?,
            // A message that is no multipart has the part 1 only.
            (false, true, 1) => container,
            _ => return None,
        };
        is_message = false;
    }
    Some(part)
}

/// The byte range of a section in the message, or `None` if there is no such part or it has no such thing (HEADER and
/// TEXT of a part that is no message).
pub fn locate(structure: &Structure<'_>, numbers: &[u32], specifier: Specifier) -> Option<Range<usize>> {
    let id = resolve(structure, numbers)?;
    let part = structure.part(id);
    if numbers.is_empty() {
        return match specifier {
            Specifier::Whole => Some(0..structure.message().len()),
            Specifier::Header => Some(part.header.clone()),
            Specifier::Text => Some(part.body.clone()),
            Specifier::Mime => None,
        };
    }
    match specifier {
        Specifier::Whole => Some(part.body.clone()),
        Specifier::Mime => Some(part.header.clone()),
        Specifier::Header => Some(structure.part(structure.encapsulated(id)?).header.clone()),
        Specifier::Text => Some(structure.part(structure.encapsulated(id)?).body.clone()),
    }
}

/// Appends the wanted fields of `header` as they stand there, and the empty line at its end if it has one.
///
/// RFC 9051 §6.4.5.1: subsetting does not exclude the empty line; it is missing only where the message has none. Names
/// compare without case. Cost is the number of fields times the number of names of the same length.
pub fn write_header_fields<N: AsRef<[u8]>>(
    header: &[u8],
    names: &[N],
    selection: Selection,
    out: &mut Vec<u8>,
) {
    for field in header::fields(header) {
        let is_listed = names.iter().any(|name| name.as_ref().eq_ignore_ascii_case(field.name));
        if is_listed == (selection == Selection::Listed) {
            out.extend_from_slice(&header[field.range]);
        }
    }
    out.extend_from_slice(header::closing_line(header));
}

#[cfg(test)]
#[path = "section_tests.rs"]
mod tests;
