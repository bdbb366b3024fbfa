//! Commands about messages: FETCH, STORE, COPY, MOVE, UID EXPUNGE (RFC 9051 §6.4).

use super::cursor::{Cursor, EmptyList};
use super::mailbox::{append_message, once_each};
use super::{FaultKind, Parsed, annotation, flags, limits, order, search};
use crate::ask::Originals;
use crate::command::{
    Body, Counted, Echo, Fetch, FetchItem, Numbering, Partial, PartialRange, Peek, Preview, Section,
    SectionText, Store,
};
use model::FlagMode;
use model::ModSeq;

/// The commands that exist with sequence numbers and with UIDs.
pub(super) fn by_number(cursor: &mut Cursor<'_>, name: &str, numbering: Numbering) -> Option<Parsed<Body>> {
    Some(match name {
        "FETCH" => fetch(cursor, numbering),
        "STORE" => store(cursor, numbering),
        "COPY" => copy(cursor, numbering, Originals::Stay),
        "MOVE" => copy(cursor, numbering, Originals::Go),
        "SEARCH" => search::search(cursor, numbering),
        // RFC 7377 §2.1: "the responses MUST contain information about UIDs", whether UID was said or not.
        "ESEARCH" => search::esearch(cursor),
        "CANCELUPDATE" if numbering == Numbering::Sequence => order::cancel_update(cursor),
        "SORT" => order::sort(cursor, numbering),
        "THREAD" => order::thread(cursor, numbering),
        "REPLACE" => replace(cursor, numbering),
        "EXPUNGE" if numbering == Numbering::Uid => uid_expunge(cursor),
        "UIDBATCHES" if numbering == Numbering::Sequence => uid_batches(cursor),
        _ => return None,
    })
}

/// ```text
/// uid-expunge = "EXPUNGE" SP sequence-set
/// ```
fn uid_expunge(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    cursor.space()?;
    Ok(Body::Expunge(Some(cursor.sequence_set()?)))
}

/// ```text
/// message-batches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number]        (RFC 10022)
/// ```
fn uid_batches(cursor: &mut Cursor<'_>) -> Parsed<Body> {
    const BATCHES: &str = "a range of batches such as 1:10";
    cursor.space()?;
    let size = cursor.nz_number("a number of messages")?;
    let mut batches = None;
    if cursor.eat(b' ') {
        let first = cursor.nz_number(BATCHES)?;
        cursor.expect(b':', BATCHES)?;
        batches = Some((first, cursor.nz_number(BATCHES)?));
    }
    Ok(Body::UidBatches { size, batches })
}

/// ```text
/// copy = "COPY" SP sequence-set SP mailbox
/// move = "MOVE" SP sequence-set SP mailbox
/// ```
fn copy(cursor: &mut Cursor<'_>, numbering: Numbering, originals: Originals) -> Parsed<Body> {
    cursor.space()?;
    let set = cursor.sequence_set()?;
    cursor.space()?;
    Ok(Body::Copy { numbering, set, mailbox: cursor.mailbox()?, originals })
}

/// ```text
/// replace = "REPLACE" SP seq-number SP mailbox append-message             (RFC 8508)
/// ```
fn replace(cursor: &mut Cursor<'_>, numbering: Numbering) -> Parsed<Body> {
    cursor.space()?;
    let number = cursor.one_of_a_sequence()?;
    cursor.space()?;
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    let message = Box::new(append_message(cursor)?);
    Ok(Body::Replace { numbering, number, mailbox, message })
}

/// ```text
/// store           = "STORE" SP sequence-set [SP store-modifiers] SP store-att-flags
/// store-modifiers = "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"       (RFC 7162)
/// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag))) / att-annotate
/// ```
fn store(cursor: &mut Cursor<'_>, numbering: Numbering) -> Parsed<Body> {
    cursor.space()?;
    let set = cursor.sequence_set()?;
    cursor.space()?;
    let mut unchanged_since = None;
    if cursor.peek() == Some(b'(') {
        cursor.list(1, EmptyList::Refused, |cursor| {
            if !cursor.eat_word("UNCHANGEDSINCE ") {
                return cursor.expected("UNCHANGEDSINCE");
            }
            unchanged_since = Some(ModSeq(cursor.number64("a modification sequence")?));
            Ok(())
        })?;
        cursor.space()?;
    }
    if cursor.eat_word("ANNOTATION ") {
        // RFC 5257 §4.5: "an implicit .SILENT behavior".
        let (mode, echo, flags) = (FlagMode::Add, Echo::Silent, Default::default());
        let annotations = annotation::changes(cursor)?;
        return Ok(Body::Store(Store { numbering, set, unchanged_since, mode, echo, flags, annotations }));
    }
    let mode = match cursor.peek() {
        Some(b'+') => FlagMode::Add,
        Some(b'-') => FlagMode::Remove,
        _ => FlagMode::Replace,
    };
    let _ = cursor.eat(b'+') || cursor.eat(b'-');
    let start = cursor.at();
    let echo = match cursor.word().as_str() {
        "FLAGS" => Echo::Flags,
        "FLAGS.SILENT" => Echo::Silent,
        _ => return cursor.fault(start, FaultKind::Syntax, "FLAGS or FLAGS.SILENT"),
    };
    cursor.space()?;
    let flags = flags::store_flags(cursor)?;
    let annotations = Vec::new();
    Ok(Body::Store(Store { numbering, set, unchanged_since, mode, echo, flags, annotations }))
}

/// ```text
/// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
///         [SP "(" fetch-modifier *(SP fetch-modifier) ")"]                (RFC 4466)
/// ```
fn fetch(cursor: &mut Cursor<'_>, numbering: Numbering) -> Parsed<Body> {
    cursor.space()?;
    let set = cursor.sequence_set()?;
    cursor.space()?;
    let items = match cursor.peek() {
        Some(b'(') => once_each(cursor.list(limits::FETCH_ITEMS_MAX, EmptyList::Refused, item)?),
        _ => match macro_items(cursor) {
            Some(items) => items,
            None => vec![item(cursor)?],
        },
    };
    let mut fetch = Fetch { numbering, set, items, changed_since: None, vanished: false, partial: None };
    if cursor.eat(b' ') {
        fetch_modifiers(cursor, &mut fetch)?;
    }
    Ok(Body::Fetch(fetch))
}

/// ```text
/// "ALL" / "FULL" / "FAST"
/// ```
fn macro_items(cursor: &mut Cursor<'_>) -> Option<Vec<FetchItem>> {
    let fast = [FetchItem::Flags, FetchItem::InternalDate, FetchItem::Rfc822Size];
    // RFC 9051 §6.4.5: a macro stands alone, not among other items.
    let more: &[FetchItem] = if cursor.eat_word("ALL") {
        &[FetchItem::Envelope]
    } else if cursor.eat_word("FULL") {
        &[FetchItem::Envelope, FetchItem::Body]
    } else if cursor.eat_word("FAST") {
        &[]
    } else {
        return None;
    };
    Some(fast.iter().chain(more).cloned().collect())
}

/// ```text
/// fetch-modifier = "CHANGEDSINCE" SP mod-sequence-value / "VANISHED" /    (RFC 7162 §7)
///                  "PARTIAL" SP partial-range                             (RFC 9394 §4)
/// ```
fn fetch_modifiers(cursor: &mut Cursor<'_>, fetch: &mut Fetch) -> Parsed<()> {
    let start = cursor.at();
    cursor.list(limits::OPTIONS_MAX, EmptyList::Refused, |cursor| {
        let start = cursor.at();
        match cursor.word().as_str() {
            // Quirk (iOS 16.5): sends CHANGEDSINCE 0, though a mod-sequence-value begins at 1.
            "CHANGEDSINCE" if fetch.changed_since.is_none() => {
                cursor.space()?;
                fetch.changed_since = Some(ModSeq(cursor.number64("a modification sequence")?));
            }
            "VANISHED" => fetch.vanished = true,
            // RFC 9394 §3.3 extends UID FETCH only.
            "PARTIAL" if fetch.partial.is_none() && fetch.numbering == Numbering::Uid => {
                cursor.space()?;
                fetch.partial = Some(partial_range(cursor)?);
            }
            _ => return cursor.fault(start, FaultKind::Syntax, "CHANGEDSINCE, VANISHED or one PARTIAL"),
        }
        Ok(())
    })?;
    // RFC 7162 §3.2.6: VANISHED without CHANGEDSINCE, or with FETCH by sequence numbers, is answered with BAD.
    if fetch.vanished && (fetch.changed_since.is_none() || fetch.numbering != Numbering::Uid) {
        return cursor.fault(start, FaultKind::Syntax, "VANISHED with CHANGEDSINCE, in UID FETCH only");
    }
    Ok(())
}

/// ```text
/// partial-range = (nz-number ":" nz-number) / ("-" nz-number ":-" nz-number)
/// ```
pub(super) fn partial_range(cursor: &mut Cursor<'_>) -> Parsed<PartialRange> {
    const WHAT: &str = "a range such as 1:100 or -1:-100";
    let counted = if cursor.eat(b'-') { Counted::FromLast } else { Counted::FromFirst };
    let one = cursor.nz_number(WHAT)?;
    cursor.expect(b':', WHAT)?;
    if counted == Counted::FromLast {
        cursor.expect(b'-', WHAT)?;
    }
    let other = cursor.nz_number(WHAT)?;
    Ok(PartialRange { counted, one, other })
}

/// ```text
/// fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
///             "BODY" ["STRUCTURE"] / "UID" / "BODY" [".PEEK"] section [partial] /
///             "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary /
///             "MODSEQ" / "EMAILID" / "THREADID" / "SAVEDATE" / "PREVIEW" [SP "(" "LAZY" ")"] /
///             "ANNOTATION" SP "(" entries SP attribs ")"
/// ```
pub(super) fn item(cursor: &mut Cursor<'_>) -> Parsed<FetchItem> {
    let start = cursor.at();
    let name = cursor.word();
    let section = cursor.peek() == Some(b'[');
    Ok(match (name.as_str(), section) {
        ("ENVELOPE", false) => FetchItem::Envelope,
        ("FLAGS", false) => FetchItem::Flags,
        ("INTERNALDATE", false) => FetchItem::InternalDate,
        ("RFC822.SIZE", false) => FetchItem::Rfc822Size,
        ("RFC822", false) => FetchItem::Rfc822,
        ("RFC822.HEADER", false) => FetchItem::Rfc822Header,
        ("RFC822.TEXT", false) => FetchItem::Rfc822Text,
        ("UID", false) => FetchItem::Uid,
        ("BODY", false) => FetchItem::Body,
        ("BODYSTRUCTURE", false) => FetchItem::BodyStructure,
        ("MODSEQ", false) => FetchItem::ModSeq,
        ("EMAILID", false) => FetchItem::EmailId,
        ("THREADID", false) => FetchItem::ThreadId,
        ("SAVEDATE", false) => FetchItem::SaveDate,
        ("PREVIEW", false) if cursor.eat_word(" (LAZY)") => FetchItem::Preview(Preview::Lazy),
        ("PREVIEW", false) => FetchItem::Preview(Preview::Make),
        ("ANNOTATION", false) => FetchItem::Annotation(annotation::request(cursor)?),
        ("BODY", true) => body_section(cursor, Peek::No)?,
        ("BODY.PEEK", true) => body_section(cursor, Peek::Yes)?,
        ("BINARY", true) => binary(cursor, Peek::No)?,
        ("BINARY.PEEK", true) => binary(cursor, Peek::Yes)?,
        ("BINARY.SIZE", true) => FetchItem::BinarySize(section_binary(cursor)?),
        _ => return cursor.fault(start, FaultKind::Syntax, "a FETCH data item"),
    })
}

fn body_section(cursor: &mut Cursor<'_>, peek: Peek) -> Parsed<FetchItem> {
    Ok(FetchItem::BodySection { section: section(cursor)?, partial: partial(cursor)?, peek })
}

fn binary(cursor: &mut Cursor<'_>, peek: Peek) -> Parsed<FetchItem> {
    Ok(FetchItem::Binary { part: section_binary(cursor)?, partial: partial(cursor)?, peek })
}

/// ```text
/// section-binary = "[" [section-part] "]"
/// ```
fn section_binary(cursor: &mut Cursor<'_>) -> Parsed<Vec<u32>> {
    cursor.expect(b'[', "[")?;
    let (part, dot) = section_part(cursor)?;
    if dot {
        return cursor.expected("a part number");
    }
    cursor.expect(b']', "]")?;
    Ok(part)
}

/// ```text
/// section      = "[" [section-spec] "]"
/// section-spec = section-msgtext / (section-part ["." section-text])
/// section-text = section-msgtext / "MIME"
/// ```
fn section(cursor: &mut Cursor<'_>) -> Parsed<Section> {
    cursor.expect(b'[', "[")?;
    let section = section_spec(cursor)?;
    cursor.expect(b']', "]")?;
    Ok(section)
}

/// What stands in the brackets.
pub(super) fn section_spec(cursor: &mut Cursor<'_>) -> Parsed<Section> {
    let (part, dot) = section_part(cursor)?;
    let text = if part.is_empty() || dot { section_text(cursor, &part)? } else { SectionText::Whole };
    Ok(Section { part, text })
}

/// ```text
/// section-part = nz-number *("." nz-number)
/// ```
/// May be empty. Also answers whether a dot was taken behind which no number stands.
fn section_part(cursor: &mut Cursor<'_>) -> Parsed<(Vec<u32>, bool)> {
    let mut part = Vec::new();
    while cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        if part.len() >= limits::SECTION_DEPTH_MAX {
            return cursor.fault(cursor.at(), FaultKind::Limit, "fewer part numbers");
        }
        part.push(cursor.nz_number("a part number")?);
        if !cursor.eat(b'.') {
            return Ok((part, false));
        }
    }
    let dot = !part.is_empty();
    Ok((part, dot))
}

/// ```text
/// section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
/// header-list     = "(" header-fld-name *(SP header-fld-name) ")"
/// ```
fn section_text(cursor: &mut Cursor<'_>, part: &[u32]) -> Parsed<SectionText> {
    let start = cursor.at();
    Ok(match cursor.word().as_str() {
        "" if part.is_empty() => SectionText::Whole,
        "HEADER" => SectionText::Header,
        "HEADER.FIELDS" => SectionText::HeaderFields(header_list(cursor)?),
        "HEADER.FIELDS.NOT" => SectionText::HeaderFieldsNot(header_list(cursor)?),
        "TEXT" => SectionText::Text,
        "MIME" if !part.is_empty() => SectionText::Mime,
        _ => return cursor.fault(start, FaultKind::Syntax, "a section such as 1.2, HEADER or TEXT"),
    })
}

fn header_list(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    cursor.space()?;
    cursor.list(limits::HEADER_NAMES_MAX, EmptyList::Refused, header_name)
}

/// ```text
/// header-fld-name = astring
/// ```
/// Visible ASCII without colon (RFC 5322 §2.2): no other field can exist.
pub(super) fn header_name(cursor: &mut Cursor<'_>) -> Parsed<String> {
    const WHAT: &str = "the name of a header field";
    let start = cursor.at();
    let name = cursor.utf8(WHAT)?;
    if name.is_empty() || !name.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b':') {
        return cursor.fault(start, FaultKind::Syntax, WHAT);
    }
    Ok(name)
}

/// ```text
/// partial = "<" number64 "." nz-number64 ">"
/// ```
fn partial(cursor: &mut Cursor<'_>) -> Parsed<Option<Partial>> {
    if !cursor.eat(b'<') {
        return Ok(None);
    }
    let start = cursor.number64("the first octet")?;
    cursor.expect(b'.', ". and a number of octets")?;
    let at = cursor.at();
    let length = cursor.number64("a number of octets")?;
    if length == 0 {
        return cursor.fault(at, FaultKind::Syntax, "a number of octets from 1 on");
    }
    cursor.expect(b'>', ">")?;
    Ok(Some(Partial { start, length }))
}
