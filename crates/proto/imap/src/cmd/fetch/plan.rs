//! What a FETCH needs of each message, worked out once.

use super::{CONTENT_BYTES_MAX, Shown, may_mark};
use crate::ask::{Access, ContentNeed, Needs};
use crate::command::{FetchItem, Peek, Preview, SectionText};
use crate::write::{self, write_section};
use mime::header::header_length;

/// A FETCH's items and what they take.
#[derive(Debug)]
pub(super) struct Plan {
    pub items: Vec<Item>,
    pub needs: Needs,
    /// The rows alone are enough for all items.
    pub is_of_rows: bool,
    /// \Seen is to be set.
    pub marks_seen: bool,
    /// FLAGS is among the items.
    pub shows_flags: bool,
    /// MODSEQ is among the items.
    pub shows_modseq: bool,
    /// UID is told.
    pub shows_uid: bool,
}

/// An item with its name as the response shows it.
#[derive(Debug)]
pub(super) struct Item {
    pub what: FetchItem,
    /// `BODY[HEADER.FIELDS (DATE)]<0> ` with the space behind it.
    pub label: Box<[u8]>,
}

/// How much of the content an item takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// The digest, or the header where there is none.
    DigestOrHeader,
    /// The digest, or everything where there is none.
    DigestOrAll,
    Header,
    /// A range that can be passed through.
    Range,
    /// As `Range`, once it is known where the header ends.
    BehindHeader,
    /// The first octets, whatever they show.
    Beginning,
    /// Everything at once, for its structure.
    All,
}

/// What PREVIEW (LAZY) looks at: a message that is larger is not worth the delay (RFC 8970 §4.1).
const PREVIEW_BYTES_MAX: u64 = 64 * 1024;

fn takes(item: &FetchItem) -> Takes {
    match item {
        FetchItem::Envelope => Takes::DigestOrHeader,
        FetchItem::Body | FetchItem::BodyStructure => Takes::DigestOrAll,
        FetchItem::Rfc822Header => Takes::Header,
        FetchItem::Rfc822 => Takes::Range,
        FetchItem::Rfc822Text => Takes::BehindHeader,
        FetchItem::BodySection { section, .. } => match (section.part.is_empty(), &section.text) {
            (true, SectionText::Whole) => Takes::Range,
            (true, SectionText::Text) => Takes::BehindHeader,
            (true, SectionText::Header | SectionText::HeaderFields(_) | SectionText::HeaderFieldsNot(_)) => {
                Takes::Header
            }
            _ => Takes::All,
        },
        FetchItem::Flags
        | FetchItem::InternalDate
        | FetchItem::Rfc822Size
        | FetchItem::Uid
        | FetchItem::ModSeq
        | FetchItem::EmailId
        | FetchItem::ThreadId
        | FetchItem::SaveDate
        | FetchItem::Annotation(_) => Takes::Nothing,
        FetchItem::Binary { .. } | FetchItem::BinarySize(_) | FetchItem::Preview(Preview::Make) => Takes::All,
        FetchItem::Preview(Preview::Lazy) => Takes::Beginning,
    }
}

impl Plan {
    /// Works it out.
    pub fn new(mut items: Vec<FetchItem>, with_uid: bool, changed_since: bool, access: Access) -> Plan {
        if with_uid && !items.contains(&FetchItem::Uid) {
            items.insert(0, FetchItem::Uid);
        }
        // RFC 7162 §3.1.4.1: CHANGEDSINCE implies MODSEQ.
        if changed_since && !items.contains(&FetchItem::ModSeq) {
            items.push(FetchItem::ModSeq);
        }
        let marks = |item: &FetchItem| {
            matches!(
                item,
                FetchItem::BodySection { peek: Peek::No, .. }
                    | FetchItem::Binary { peek: Peek::No, .. }
                    | FetchItem::Rfc822
                    | FetchItem::Rfc822Text
            )
        };
        let needs = needs(&items);
        Plan {
            is_of_rows: needs == Needs::default(),
            marks_seen: may_mark(access) && items.iter().any(marks),
            shows_flags: items.contains(&FetchItem::Flags),
            shows_modseq: items.contains(&FetchItem::ModSeq),
            shows_uid: items.contains(&FetchItem::Uid),
            needs,
            items: items.into_iter().map(|what| Item { label: label(&what), what }).collect(),
        }
    }

    /// Where the content that comes with a row begins.
    pub fn content_start(&self) -> u64 {
        match self.needs.content {
            ContentNeed::Range { start, .. } => start,
            ContentNeed::None | ContentNeed::Header => 0,
        }
    }

    /// Whether every item can be written, or passed through, with what came.
    pub fn is_enough(&self, message: Shown<'_>) -> bool {
        let bytes = message.content();
        let whole = message.is_whole();
        let header = || whole || (message.start == 0 && header_length(bytes) < bytes.len());
        let digest = message.row.digest().is_some();
        self.items.iter().all(|item| match takes(&item.what) {
            Takes::Nothing | Takes::Range | Takes::Beginning => true,
            Takes::DigestOrAll => digest || whole,
            Takes::DigestOrHeader | Takes::BehindHeader => digest || header(),
            // The store was asked for the header alone, and gave it.
            Takes::Header => header() || (self.needs.content == ContentNeed::Header && !bytes.is_empty()),
            Takes::All => whole,
        })
    }
}

fn needs(items: &[FetchItem]) -> Needs {
    let any = |wanted: &[Takes]| items.iter().any(|item| wanted.contains(&takes(item)));
    let digest = any(&[Takes::DigestOrHeader, Takes::DigestOrAll, Takes::BehindHeader]);
    let with_content = items
        .iter()
        .filter(|item| !matches!(takes(item), Takes::Nothing | Takes::DigestOrHeader | Takes::DigestOrAll));
    let partial = match with_content.clone().collect::<Vec<_>>()[..] {
        [FetchItem::BodySection { section, partial: Some(partial), .. }]
            if section.part.is_empty() && section.text == SectionText::Whole =>
        {
            Some(*partial)
        }
        _ => None,
    };
    let chunk = CONTENT_BYTES_MAX as u64;
    let content = match partial {
        // A client that reads a large message piece by piece: read no more than the piece.
        Some(partial) => ContentNeed::Range { start: partial.start, length: partial.length.min(chunk) },
        None if any(&[Takes::Range, Takes::BehindHeader, Takes::All]) => {
            ContentNeed::Range { start: 0, length: chunk }
        }
        None if any(&[Takes::Beginning]) => ContentNeed::Range { start: 0, length: PREVIEW_BYTES_MAX },
        None if any(&[Takes::Header]) => ContentNeed::Header,
        None => ContentNeed::None,
    };
    let annotations = items.iter().any(|item| matches!(item, FetchItem::Annotation(_)));
    Needs { digest, content, annotations }
}

fn dotted(part: &[u32]) -> String {
    let numbers: Vec<String> = part.iter().map(u32::to_string).collect();
    numbers.join(".")
}

fn label(item: &FetchItem) -> Box<[u8]> {
    let name: &[u8] = match item {
        FetchItem::Envelope => b"ENVELOPE ",
        FetchItem::Flags => b"FLAGS ",
        FetchItem::InternalDate => b"INTERNALDATE ",
        FetchItem::Rfc822Size => b"RFC822.SIZE ",
        FetchItem::Uid => b"UID ",
        FetchItem::Body => b"BODY ",
        FetchItem::BodyStructure => b"BODYSTRUCTURE ",
        FetchItem::Rfc822 => b"RFC822 ",
        FetchItem::Rfc822Header => b"RFC822.HEADER ",
        FetchItem::Rfc822Text => b"RFC822.TEXT ",
        FetchItem::ModSeq => b"MODSEQ ",
        FetchItem::EmailId => b"EMAILID ",
        FetchItem::ThreadId => b"THREADID ",
        FetchItem::SaveDate => b"SAVEDATE ",
        FetchItem::BodySection { section, partial, .. } => {
            let mut out = b"BODY[".to_vec();
            write_section(&mut out, section);
            out.push(b']');
            if let Some(partial) = partial {
                // RFC 9051 §7.5.2: the origin alone is shown.
                out.push(b'<');
                write::number(&mut out, partial.start);
                out.push(b'>');
            }
            out.push(b' ');
            return out.into();
        }
        FetchItem::Binary { part, partial, .. } => {
            let origin = partial.map_or(String::new(), |partial| format!("<{}>", partial.start));
            return format!("BINARY[{}]{origin} ", dotted(part)).into_bytes().into();
        }
        FetchItem::BinarySize(part) => return format!("BINARY.SIZE[{}] ", dotted(part)).into_bytes().into(),
        FetchItem::Preview(_) => b"PREVIEW ",
        FetchItem::Annotation(_) => b"ANNOTATION ",
    };
    name.into()
}
