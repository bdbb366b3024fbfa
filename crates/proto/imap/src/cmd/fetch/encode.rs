//! Writes one message's FETCH response, item by item.

use super::plan::{Item, Plan};
use super::{OUT_BYTES, Shown};
use crate::ask::Owner;
use crate::command::{FetchItem, Partial, Preview, Section, SectionText};
use crate::session::Core;
use crate::view::Numbers;
use crate::write;
use mime::header::header_length;
use mime::imap::{BodyForm, write_body, write_body_rev2, write_envelope};
use mime::section::{self, Selection, Specifier};
use mime::structure::{PartId, PartKind};
use mime::transfer::{self, TransferEncoding, UnknownEncoding};
use mime::{Envelope, Structure};
use std::borrow::Cow;
use std::ops::Range;
use wire::FLUSH_BYTES;

/// One message to write.
pub(super) struct Piece<'a> {
    pub plan: &'a Plan,
    pub message: Shown<'a>,
    /// This FETCH has set its \Seen.
    pub was_marked: bool,
}

/// How far it came.
pub(super) enum Written {
    /// The response is complete.
    All,
    /// These octets of the message (maybe none) come next, then `item`.
    UpTo { item: usize, rest: Range<u64> },
}

impl Piece<'_> {
    /// Writes from `item` on.
    pub fn write(&self, core: &mut Core, numbers: &mut Numbers, item: usize) -> Written {
        if item == 0 && core.begin_fetch(numbers, self.message.row.uid).is_none() {
            return Written::All;
        }
        let mut structure = None;
        for (index, item) in self.plan.items.iter().enumerate().skip(item) {
            if index > 0 {
                // Hundreds of items, each with a large value, leave one by one.
                if core.out.len() >= OUT_BYTES {
                    return Written::UpTo { item: index, rest: 0..0 };
                }
                core.out.push(b' ');
            }
            core.out.extend_from_slice(&item.label);
            if let Some(rest) = self.item(core, item, &mut structure) {
                return Written::UpTo { item: index + 1, rest };
            }
        }
        self.news_of_itself(core);
        core.out.extend_from_slice(b")\r\n");
        Written::All
    }

    /// RFC 9051 §6.4.5: \Seen set by this command is reported; RFC 7162 §3.2.4: with UID and MODSEQ to clients that want them.
    fn news_of_itself(&self, core: &mut Core) {
        if !self.was_marked {
            return;
        }
        // UIDFETCH begins with it (RFC 9586 §3.3).
        if core.enabled.condstore && !core.enabled.uid_only && !self.plan.shows_uid {
            core.out.extend_from_slice(b" UID ");
            write::number(&mut core.out, u64::from(self.message.row.uid.0));
        }
        if !self.plan.shows_flags {
            core.out.push(b' ');
            core.write_message_flags(
                self.message.row.uid,
                self.message.row.flags,
                &self.message.row.keywords,
            );
        }
        if core.enabled.condstore && !self.plan.shows_modseq {
            core.out.extend_from_slice(b" MODSEQ (");
            core.write_modseq(self.message.row.modseq);
            core.out.push(b')');
        }
    }

    /// Writes one value; Some: the rest of it has to be passed through.
    fn item<'a>(
        &'a self,
        core: &mut Core,
        item: &Item,
        structure: &mut Option<Structure<'a>>,
    ) -> Option<Range<u64>> {
        let row = self.message.row;
        let body: fn(&Structure<'_>, BodyForm, &mut Vec<u8>) =
            if core.enabled.rev2 { write_body_rev2 } else { write_body };
        let owner = core.view.as_ref().map_or(Owner::SELF, |view| view.owner);
        let out = &mut core.out;
        match &item.what {
            FetchItem::Flags => {
                // The label has the name already.
                out.truncate(out.len() - item.label.len());
                core.write_message_flags(row.uid, row.flags, &row.keywords);
            }
            FetchItem::Uid => write::number(out, u64::from(row.uid.0)),
            FetchItem::Rfc822Size => write::number(out, row.size),
            FetchItem::InternalDate => write::date_time(out, row.internal_date),
            FetchItem::SaveDate => write::date_time(out, row.save_date),
            FetchItem::ModSeq => {
                out.push(b'(');
                core.write_modseq(row.modseq);
                core.out.push(b')');
            }
            FetchItem::EmailId => {
                out.push(b'(');
                write::email_id(out, owner, row.email_id);
                out.push(b')');
            }
            FetchItem::ThreadId => {
                out.push(b'(');
                write::thread_id(out, owner, row.thread_id);
                out.push(b')');
            }
            FetchItem::Annotation(request) => write::annotations(out, request, row.annotations()),
            FetchItem::Envelope => match row.digest() {
                Some(digest) => out.extend_from_slice(digest.envelope()),
                None => write_envelope(&Envelope::parse(self.message.content()), out),
            },
            FetchItem::Body => match row.digest() {
                Some(digest) => out.extend_from_slice(digest.body()),
                None => body(self.structure(structure), BodyForm::Body, out),
            },
            FetchItem::BodyStructure => match row.digest() {
                Some(digest) => out.extend_from_slice(digest.body_structure()),
                None => body(self.structure(structure), BodyForm::BodyStructure, out),
            },
            FetchItem::Rfc822 => return self.range(out, 0..row.size, None),
            FetchItem::Rfc822Header => {
                let header = self.header_length();
                return self.range(out, 0..header, None);
            }
            FetchItem::Rfc822Text => {
                let header = self.header_length();
                return self.range(out, header..row.size, None);
            }
            FetchItem::BodySection { section, partial, .. } => {
                return self.section(out, section, *partial, structure);
            }
            FetchItem::Binary { part, partial, .. } => {
                let decoded = decoded(self.structure(structure), part);
                // RFC 9051 §9: a part that does not exist has no value.
                let Some(Ok(decoded)) = decoded else {
                    out.extend_from_slice(b"NIL");
                    return None;
                };
                let range = cut(0..decoded.len() as u64, *partial);
                write_binary(&decoded[range.start as usize..range.end as usize], out);
            }
            FetchItem::BinarySize(part) => {
                let decoded = decoded(self.structure(structure), part);
                write::number(out, decoded.and_then(Result::ok).map_or(0, |decoded| decoded.len() as u64));
            }
            // RFC 8970 §3.2: only a lazy one may be NIL.
            FetchItem::Preview(Preview::Lazy) if !self.message.is_whole() => out.extend_from_slice(b"NIL"),
            FetchItem::Preview(_) => {
                let preview = mime::text::preview(self.structure(structure), PREVIEW_CHARACTERS);
                write::string(out, preview.as_bytes());
            }
        }
        None
    }

    /// Whether BINARY asks for a part whose transfer encoding is not known (RFC 3516 §4.3).
    pub fn has_unknown_encoding(&self) -> bool {
        let mut structure = None;
        self.plan.items.iter().any(|item| match &item.what {
            FetchItem::Binary { part, .. } | FetchItem::BinarySize(part) => {
                let structure = self.structure(&mut structure);
                let leaf = leaf(structure, part).map(|id| structure.part(id).encoding());
                matches!(leaf, Some(TransferEncoding::Unknown(_)))
            }
            _ => false,
        })
    }

    fn structure<'a, 's>(&'a self, structure: &'s mut Option<Structure<'a>>) -> &'s Structure<'a> {
        structure.get_or_insert_with(|| mime::parse(self.message.content()))
    }

    /// Octets of the header with its empty line.
    fn header_length(&self) -> u64 {
        match self.message.row.digest() {
            Some(digest) => digest.header_length().min(self.message.row.size),
            None => header_length(self.message.content()) as u64,
        }
    }

    fn section<'a>(
        &'a self,
        out: &mut Vec<u8>,
        section: &Section,
        partial: Option<Partial>,
        structure: &mut Option<Structure<'a>>,
    ) -> Option<Range<u64>> {
        let (specifier, fields) = match &section.text {
            SectionText::Whole => (Specifier::Whole, None),
            SectionText::Header => (Specifier::Header, None),
            SectionText::Text => (Specifier::Text, None),
            SectionText::Mime => (Specifier::Mime, None),
            SectionText::HeaderFields(names) => (Specifier::Header, Some((names, Selection::Listed))),
            SectionText::HeaderFieldsNot(names) => (Specifier::Header, Some((names, Selection::NotListed))),
        };
        let range = if section.part.is_empty() {
            let header = if specifier == Specifier::Whole { 0 } else { self.header_length() };
            match specifier {
                Specifier::Whole => 0..self.message.row.size,
                Specifier::Text => header..self.message.row.size,
                Specifier::Header | Specifier::Mime => 0..header,
            }
        } else {
            let found = section::locate(self.structure(structure), &section.part, specifier);
            let Some(found) = found else {
                // RFC 9051 §9: a part that does not exist has no value.
                out.extend_from_slice(b"NIL");
                return None;
            };
            found.start as u64..found.end as u64
        };
        let Some((names, selection)) = fields else { return self.range(out, range, partial) };
        let header = self.slice(range).unwrap_or_default();
        let mut chosen = Vec::new();
        section::write_header_fields(header, names, selection, &mut chosen);
        let part = cut(0..chosen.len() as u64, partial);
        write_value(&chosen[part.start as usize..part.end as usize], out);
        None
    }

    fn slice(&self, range: Range<u64>) -> Option<&[u8]> {
        self.message.slice(range)
    }

    /// Writes octets of the message, cut as `partial` says; Some: their literal's head alone, for they are many or have
    /// not come yet.
    fn range(&self, out: &mut Vec<u8>, range: Range<u64>, partial: Option<Partial>) -> Option<Range<u64>> {
        let range = cut(range, partial);
        if range.is_empty() {
            write_value(b"", out);
            return None;
        }
        if range.end - range.start <= FLUSH_BYTES as u64
            && let Some(bytes) = self.slice(range.clone())
        {
            write::literal_head(out, bytes.len() as u64);
            self.message.write_octets(bytes, out);
            return None;
        }
        write::literal_head(out, range.end - range.start);
        Some(range)
    }
}

/// `<start.length>` of a range (RFC 9051 §6.4.5: beyond the end there is nothing, which is no error).
fn cut(range: Range<u64>, partial: Option<Partial>) -> Range<u64> {
    let Some(partial) = partial else { return range };
    let start = range.start.saturating_add(partial.start).min(range.end);
    start..start.saturating_add(partial.length).min(range.end)
}

/// A part that has a transfer encoding: neither the whole message nor a part that holds others.
fn leaf(structure: &Structure<'_>, part: &[u32]) -> Option<PartId> {
    let id = section::resolve(structure, part)?;
    (!part.is_empty() && structure.part(id).kind == PartKind::Leaf).then_some(id)
}

/// A part without its transfer encoding. None: there is no such part.
fn decoded<'a>(structure: &Structure<'a>, part: &[u32]) -> Option<Result<Cow<'a, [u8]>, UnknownEncoding>> {
    let range = section::locate(structure, part, Specifier::Whole)?;
    let body = &structure.message()[range];
    let encoding = match leaf(structure, part) {
        Some(id) => structure.part(id).encoding(),
        None => TransferEncoding::Binary,
    };
    if encoding.is_identity() {
        return Some(Ok(Cow::Borrowed(body)));
    }
    let mut out = Vec::new();
    Some(transfer::decode(encoding, body, usize::MAX, &mut out).map(|_| Cow::Owned(out)))
}

/// A string, or a literal8 if there is NUL in it (RFC 3516 §4.3).
fn write_binary(bytes: &[u8], out: &mut Vec<u8>) {
    if memchr::memchr(0, bytes).is_none() {
        return write_value(bytes, out);
    }
    out.push(b'~');
    write::literal(out, bytes);
}

/// RFC 8970 §3.3: as many as a server should show.
const PREVIEW_CHARACTERS: usize = 200;

/// Content as a literal, or `""`: a literal always can hold it, whatever it is.
fn write_value(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.is_empty() {
        out.extend_from_slice(b"\"\"");
        return;
    }
    write::literal_head(out, bytes.len() as u64);
    write_octets(bytes, out);
}

/// Octets of a literal. RFC 3501 §9: CHAR8 excludes NUL; BINARYMIME mail may hold it.
pub(in crate::cmd) fn write_octets(bytes: &[u8], out: &mut Vec<u8>) {
    // A little at a time: it is still near when it is looked at for the second time.
    for some in bytes.chunks(8 * 1024) {
        let start = out.len();
        out.extend_from_slice(some);
        if memchr::memchr(0, some).is_some() {
            out[start..].iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_beyond_the_end_is_empty() {
        let partial = |start, length| Some(Partial { start, length });
        assert_eq!(cut(10..20, partial(0, 5)), 10..15);
        assert_eq!(cut(10..20, partial(8, 5)), 18..20);
        assert_eq!(cut(10..20, partial(10, 5)), 20..20);
        assert_eq!(cut(10..20, partial(u64::MAX, u64::MAX)), 20..20);
    }
}
