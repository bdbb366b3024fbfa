//! The text of a message that is searched, folded as the collation says: the same for the scan, which looks into it, and
//! for the index, which takes its words. Text that can't be decoded is searched octet by octet (RFC 5255 §4.6 (c)); the
//! index, and FUZZY, take it as it is guessed, and the index does not decide about such a message. Text deeper than `mime::structure::MAX_DEPTH` parts is not searched (RFC 9051 §6.4.4 leaves bounds to
//! the server).

use super::fold::fold;
use mime::transfer::TransferEncoding;
use mime::{Comparable, PartKind};
use model::Collation;

/// Most bytes of one text part that are looked at.
const PART_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The header's text: `name: value` and LF for each field.
pub(super) fn header(header: &[u8], collation: Collation) -> String {
    let mut out = String::with_capacity(header.len());
    for field in mime::header::fields(header) {
        out.push_str(&fold(&mime::charset::guess(field.name), collation));
        out.push_str(": ");
        push(field.comparable(), collation, &mut out);
        out.push('\n');
    }
    out
}

fn push(text: Comparable<'_>, collation: Collation, out: &mut String) {
    match text {
        Comparable::Text(text) => out.push_str(&fold(&text, collation)),
        octets => out.push_str(&octets.into_text()),
    }
}

/// Whether text could be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Soundness {
    /// It could.
    Sound,
    /// It could not, and is guessed here.
    Guessed,
}

/// Calls `visit` with each field's name in small letters, and its text folded as for the index.
pub(super) fn each_field(header: &[u8], visit: &mut dyn FnMut(&str, &str, Soundness)) {
    for field in mime::header::fields(header) {
        let (text, soundness) = match field.comparable() {
            Comparable::Text(text) => (text, Soundness::Sound),
            Comparable::Octets(_) => (field.text().into(), Soundness::Guessed),
        };
        // RFC 5322 §2.2: names are of ASCII; the iterator sees to it.
        visit(
            &String::from_utf8_lossy(field.name).to_ascii_lowercase(),
            &fold(&text, Collation::UnicodeCasemap),
            soundness,
        );
    }
}

/// Each text of the body, folded as for the index.
pub(super) fn each_guessed_body(structure: &mime::Structure<'_>, visit: &mut dyn FnMut(&str, Soundness)) {
    for piece in mime::text::body_pieces(structure, PART_BYTES_MAX) {
        let (mut out, mut soundness) = (String::new(), Soundness::Sound);
        if let Some(header) = piece.header {
            each_field(header, &mut |_, _, field| {
                if field == Soundness::Guessed {
                    soundness = field;
                }
            });
            out = mime::text::header_text(header) + "\n";
        }
        match piece.text {
            Some(Comparable::Text(text)) => out.push_str(&text),
            Some(Comparable::Octets(_)) => {
                soundness = Soundness::Guessed;
                let guessed = mime::text::part_text(structure, piece.id, PART_BYTES_MAX);
                out.push_str(&guessed.unwrap_or_default());
            }
            None => {}
        }
        visit(&fold(&out, Collation::UnicodeCasemap), soundness);
    }
}

/// Each text of the body.
pub(super) fn each_body<'s>(
    structure: &'s mime::Structure<'_>,
    collation: Collation,
) -> impl Iterator<Item = String> + 's {
    mime::text::body_pieces(structure, PART_BYTES_MAX).map(move |piece| {
        let mut out = piece.header.map_or_else(String::new, |bytes| header(bytes, collation) + "\n");
        piece.text.into_iter().for_each(|text| push(text, collation, &mut out));
        out
    })
}

/// Parts that nobody can search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Closed {
    pub(super) encrypted: u32,
    /// Text with an unknown transfer encoding.
    pub(super) undecodable: u32,
}

pub(super) fn closed(structure: &mime::Structure<'_>) -> Closed {
    let mut closed = Closed::default();
    for part in structure.parts() {
        let content_type = part.content_type();
        // RFC 8551 §3.3, RFC 1847 §2.2, RFC 3156 §4.
        let encrypted = content_type.is("multipart", "encrypted")
            || content_type.is("application", "pkcs7-mime")
            || content_type.is("application", "x-pkcs7-mime");
        let is_text = part.kind == PartKind::Leaf && content_type.is("text", "*");
        closed.encrypted += u32::from(encrypted);
        closed.undecodable += u32::from(is_text && matches!(part.encoding(), TransferEncoding::Unknown(_)));
    }
    closed
}
