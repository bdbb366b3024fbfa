//! Messages with NUL in them (RFC 3516 §4.4).
//!
//! FETCH BODY[…] must never send NUL (RFC 3501 §9, CHAR8) and must show what BODYSTRUCTURE describes (RFC 3516 §6). So a part
//! that holds NUL is given base64 as its transfer encoding before it is stored ("the server MAY modify the CTE of the
//! appended data"); FETCH BINARY gives back the octets that came.

use mime::header::fields;
use mime::structure::{PartId, PartKind, Structure};
use mime::transfer::{TransferEncoding, encode_base64};
use std::ops::Range;

const FIELD: &[u8] = b"Content-Transfer-Encoding: base64\r\n";

/// The message itself if there is no NUL in it, else one whose parts with NUL are in base64. None: that can't be done
/// without loss (NUL in a header, around parts, or in a part that claims to be encoded).
pub(super) fn without_nul(content: Vec<u8>) -> Option<Vec<u8>> {
    if memchr::memchr(0, &content).is_none() {
        return Some(content);
    }
    let structure = mime::parse(&content);
    let parts: Vec<PartId> = structure.ids().filter(|id| must_change(&structure, *id)).collect();
    let mut edits = Vec::with_capacity(2 * parts.len());
    for id in &parts {
        edits.extend(edits_of(&structure, *id));
    }
    // Parts come in the order of the message, and leaves do not lie in each other.
    let encoded = apply(&content, &edits);
    let again = mime::parse(&encoded);
    let same = |id: &PartId| {
        let mut decoded = Vec::new();
        let part = again.parts().get(id.index())?;
        mime::transfer::decode(part.encoding(), again.body(*id), usize::MAX, &mut decoded).ok()?;
        (decoded == structure.body(*id)).then_some(())
    };
    let kept = again.parts().len() == structure.parts().len() && parts.iter().all(|id| same(id).is_some());
    (kept && memchr::memchr(0, &encoded).is_none()).then_some(encoded)
}

fn must_change(structure: &Structure<'_>, id: PartId) -> bool {
    let part = structure.part(id);
    part.kind == PartKind::Leaf
        && part.encoding().is_identity()
        && memchr::memchr(0, structure.body(id)).is_some()
}

/// What is put in the place of which octets: the field, or nothing where there was none, and the body.
fn edits_of(structure: &Structure<'_>, id: PartId) -> [(Range<usize>, Vec<u8>); 2] {
    let part = structure.part(id);
    let start = part.header.start;
    let field = fields(structure.header(id)).find(|field| field.is("Content-Transfer-Encoding"));
    let place = field.map_or(start..start, |field| start + field.range.start..start + field.range.end);
    debug_assert!(part.encoding() != TransferEncoding::Base64, "only what stands as it is holds NUL");
    let mut body = Vec::new();
    encode_base64(structure.body(id), &mut body);
    [(place, FIELD.to_vec()), (part.body.clone(), body)]
}

fn apply(content: &[u8], edits: &[(Range<usize>, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + content.len() / 2);
    let mut at = 0;
    for (range, with) in edits {
        // The parser's ranges ascend; if they did not, what comes out would be found to differ.
        out.extend_from_slice(content.get(at..range.start).unwrap_or_default());
        out.extend_from_slice(with);
        at = range.end;
    }
    out.extend_from_slice(content.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(message: &str) -> Option<String> {
        without_nul(message.as_bytes().to_vec()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_parts_with_nul_change() {
        let plain = "Subject: x\r\n\r\nhello\r\n";
        assert_eq!(converted(plain).as_deref(), Some(plain));
        assert_eq!(
            converted("Subject: x\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\u{1}\u{2}").as_deref(),
            Some("Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n")
        );
        assert_eq!(
            converted(
                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
                 Content-Type: image/x\r\n\r\n\0\r\n--b--\r\n"
            )
            .as_deref(),
            Some(
                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\
                 Content-Transfer-Encoding: base64\r\nContent-Type: image/x\r\n\r\nAA==\r\n\r\n--b--\r\n"
            )
        );
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for message in [
            "Subject: a\0b\r\n\r\nhello\r\n",
            "Content-Transfer-Encoding: base64\r\n\r\nAA\0A\r\n",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\0amble\r\n--b\r\n\r\ntext\r\n--b--\r\n",
        ] {
            assert_eq!(converted(message), None, "{message:?}");
        }
    }
}
