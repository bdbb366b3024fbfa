//! The text of a message as UTF-8: decoded headers and text parts (for SEARCH BODY and TEXT, RFC 9051 §6.4.4, for
//! filters, and for PREVIEW, RFC 8970).

use std::borrow::Cow;

use crate::structure::{PartId, PartKind, Structure};
use crate::transfer::{self, Decoded};
use crate::{Comparable, charset, header, html};

/// Most bytes of one part that are decoded for a preview.
const PREVIEW_BYTES_MAX: usize = 256 * 1024;

/// The text of a text part: transfer encoding and charset decoded, HTML reduced to what is visible. `None` if the
/// part is no text or its transfer encoding is unknown.
///
/// At most `limit_bytes` bytes of content are decoded. An unknown charset is guessed. Borrows where the part is plain
/// text in UTF-8 or ASCII already.
pub fn part_text<'a>(structure: &Structure<'a>, id: PartId, limit_bytes: usize) -> Option<Cow<'a, str>> {
    let TextPart { octets, charset, is_html } = text_part(structure, id, limit_bytes)?;
    let text = match octets {
        Cow::Borrowed(octets) => to_text(&charset, octets),
        Cow::Owned(octets) => Cow::Owned(to_text(&charset, &octets).into_owned()),
    };
    Some(shown(text, is_html))
}

/// The same as it is compared (RFC 5255 §4.6). What can't be decoded is compared as it is, HTML included.
pub fn part_comparable<'a>(
    structure: &Structure<'a>,
    id: PartId,
    limit_bytes: usize,
) -> Option<Comparable<'a>> {
    let part = text_part(structure, id, limit_bytes)?;
    // One that is cut may end within a character.
    if part.octets.len() >= limit_bytes {
        return part_text(structure, id, limit_bytes).map(Comparable::Text);
    }
    Some(match part.octets {
        Cow::Borrowed(octets) => match charset::decode_valid(&part.charset, octets) {
            Some(text) => Comparable::Text(shown(text, part.is_html)),
            None => Comparable::Octets(Cow::Borrowed(octets)),
        },
        Cow::Owned(octets) => match charset::decode_valid(&part.charset, &octets) {
            Some(text) => Comparable::Text(shown(Cow::Owned(text.into_owned()), part.is_html)),
            None => Comparable::Octets(Cow::Owned(octets)),
        },
    })
}

/// A part's text before its charset is decoded.
struct TextPart<'a> {
    octets: Cow<'a, [u8]>,
    charset: String,
    is_html: bool,
}

fn text_part<'a>(structure: &Structure<'a>, id: PartId, limit_bytes: usize) -> Option<TextPart<'a>> {
    let part = structure.part(id);
    let content_type = part.content_type();
    if part.kind != PartKind::Leaf || !content_type.is("text", "*") {
        return None;
    }
    let body = structure.body(id);
    let encoding = part.encoding();
    let octets = if encoding.is_identity() {
        Cow::Borrowed(&body[..body.len().min(limit_bytes)])
    } else {
        let mut bytes = Vec::new();
        // Damage does not matter here: what could be decoded is searched.
        let _: Decoded = transfer::decode(encoding, body, limit_bytes, &mut bytes).ok()?;
        Cow::Owned(bytes)
    };
    let charset = content_type.charset().map_or_else(|| "us-ascii".to_owned(), Cow::into_owned);
    Some(TextPart { octets, charset, is_html: content_type.is("text", "html") })
}

fn shown(text: Cow<'_, str>, is_html: bool) -> Cow<'_, str> {
    if is_html { Cow::Owned(html::visible_text(&text)) } else { text }
}

fn to_text<'a>(charset: &str, bytes: &'a [u8]) -> Cow<'a, str> {
    charset::decode(charset, bytes).unwrap_or_else(|| charset::guess(bytes))
}

/// A header as text: each field as `Name: value` and LF, unfolded, encoded words decoded.
pub fn header_text(header: &[u8]) -> String {
    let mut out = String::with_capacity(header.len());
    for field in header::fields(header) {
        out.push_str(&charset::guess(field.name));
        out.push_str(": ");
        out.push_str(&field.text());
        out.push('\n');
    }
    out
}

/// Everything that SEARCH BODY looks at, piece by piece: the text parts, and the headers of encapsulated messages.
/// Pieces are made as they are asked for, each of at most `limit_bytes` bytes of content.
pub fn body_texts<'s, 'a>(
    structure: &'s Structure<'a>,
    limit_bytes: usize,
) -> impl Iterator<Item = Cow<'a, str>> + 's {
    structure.ids().filter_map(move |id| {
        let header = encapsulated_header(structure, id).map(header_text);
        match (header, part_text(structure, id, limit_bytes)) {
            (Some(header), Some(text)) => Some(Cow::Owned(header + "\n" + &text)),
            (Some(header), None) => Some(Cow::Owned(header)),
            (None, text) => text,
        }
    })
}

/// The header of a part, if it is that of an encapsulated message.
fn encapsulated_header<'a>(structure: &Structure<'a>, id: PartId) -> Option<&'a [u8]> {
    let parent = structure.part(id).parent?;
    (structure.part(parent).kind == PartKind::Message).then(|| structure.header(id))
}

/// What SEARCH BODY compares of one part.
pub struct BodyPiece<'a> {
    /// Which part.
    pub id: PartId,
    /// The header, if it is that of an encapsulated message.
    pub header: Option<&'a [u8]>,
    /// The text, if it is a text part.
    pub text: Option<Comparable<'a>>,
}

/// Everything that SEARCH BODY looks at, as it is compared (RFC 5255 §4.6): the same pieces as [`body_texts`].
pub fn body_pieces<'s, 'a>(
    structure: &'s Structure<'a>,
    limit_bytes: usize,
) -> impl Iterator<Item = BodyPiece<'a>> + 's {
    structure.ids().filter_map(move |id| {
        let header = encapsulated_header(structure, id);
        let text = part_comparable(structure, id, limit_bytes);
        (header.is_some() || text.is_some()).then_some(BodyPiece { id, header, text })
    })
}

/// A preview of at most `characters_max` characters (RFC 8970 §3: at most 256, 200 preferred): the beginning of the
/// first text that is no attachment, plain text preferred within the first multipart/alternative, on one line.
pub fn preview(structure: &Structure<'_>, characters_max: usize) -> String {
    let Some(text) = preview_part(structure).and_then(|id| part_text(structure, id, PREVIEW_BYTES_MAX))
    else {
        return String::new();
    };
    let mut out = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        let separator = usize::from(!out.is_empty());
        let room = characters_max.saturating_sub(count + separator);
        if room == 0 {
            break;
        }
        if separator == 1 {
            out.push(' ');
        }
        out.extend(word.chars().take(room));
        count += separator + word.chars().take(room).count();
    }
    out
}

fn preview_part(structure: &Structure<'_>) -> Option<PartId> {
    let mut first_html = None;
    for id in structure.ids() {
        let part = structure.part(id);
        let content_type = part.content_type();
        if part.kind != PartKind::Leaf || !content_type.is("text", "*") {
            continue;
        }
        if part.disposition().is_some_and(|disposition| disposition.kind.eq_ignore_ascii_case(b"attachment"))
        {
            continue;
        }
        if content_type.is("text", "html") {
            first_html.get_or_insert(id);
            continue;
        }
        return first_html.filter(|&html| structure.part(html).parent != part.parent).or(Some(id));
    }
    first_html
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
