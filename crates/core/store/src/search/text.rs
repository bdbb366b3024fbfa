//! The text of a message that is searched, folded as the collation says: the same for the scan, which looks into it, and for the index, which
//! takes its words. Text deeper than `mime::structure::MAX_DEPTH` parts is not searched (RFC 9051 §6.4.4 leaves bounds to
//! the server).

use super::fold::fold;
use mime::PartKind;
use mime::transfer::TransferEncoding;
use model::Collation;

/// Most bytes of one text part that are looked at.
const PART_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The header's text: `name: value` and LF for each field.
pub(super) fn header(header: &[u8], collation: Collation) -> String {
    fold(&mime::text::header_text(header), collation)
}

/// Calls `visit` with each field's name in small letters, and its text folded as for the index.
pub(super) fn each_field(header: &[u8], visit: &mut dyn FnMut(&str, &str)) {
    for field in mime::header::fields(header) {
        // RFC 5322 §2.2: names are of ASCII; the iterator sees to it.
        visit(
            &String::from_utf8_lossy(field.name).to_ascii_lowercase(),
            &fold(&field.text(), Collation::UnicodeCasemap),
        );
    }
}

/// Each text of the body.
pub(super) fn each_body<'s>(
    structure: &'s mime::Structure<'_>,
    collation: Collation,
) -> impl Iterator<Item = String> + 's {
    mime::text::body_texts(structure, PART_BYTES_MAX).map(move |text| fold(&text, collation))
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
