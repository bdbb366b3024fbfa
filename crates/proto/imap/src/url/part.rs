//! The octets that a URL names, out of a message.

use super::Url;
use crate::command::{Partial, Section, SectionText};
use mime::Structure;
use mime::header::header_length;
use mime::imap::write_part;
use mime::section::{self, Selection, Specifier};
use mime::structure::{PartId, PartKind};
use mime::transfer;
use std::borrow::Cow;
use std::ops::Range;

/// The octets of a section, cut as the URL says, as `BODY.PEEK[section]<partial>` shows them. None: there is no such part.
pub fn fetch<'a>(url: &Url, message: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let octets = match &url.section {
        Section { part, text: SectionText::Whole } if part.is_empty() => Cow::Borrowed(message),
        section => section_of(section, message)?,
    };
    Some(match (url.partial, octets) {
        (None, octets) => octets,
        (Some(partial), Cow::Borrowed(octets)) => Cow::Borrowed(&octets[cut(octets.len(), partial)]),
        (Some(partial), Cow::Owned(mut octets)) => {
            let range = cut(octets.len(), partial);
            octets.truncate(range.end);
            octets.drain(..range.start);
            Cow::Owned(octets)
        }
    })
}

/// The same without the part's transfer encoding (RFC 5524 §3.2). None: it can't be undone, or there is no such part.
pub fn fetch_decoded<'a>(url: &Url, message: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let structure = mime::parse(message);
    let Some(id) = encoded_leaf(url, &structure) else { return fetch(url, message) };
    let mut out = decoded(&structure, id)?;
    if let Some(partial) = url.partial {
        let range = cut(out.len(), partial);
        out.truncate(range.end);
        out.drain(..range.start);
    }
    Some(Cow::Owned(out))
}

/// Appends the structure of the part that a URL is about, as BODY shows it; without its transfer encoding, if octets are
/// told without (RFC 5524 §3.2).
pub fn write_structure(url: &Url, message: &[u8], is_binary: bool, out: &mut Vec<u8>) {
    let structure = mime::parse(message);
    let id = section::resolve(&structure, &url.section.part).unwrap_or(PartId::ROOT);
    let leaf = encoded_leaf(url, &structure).filter(|_| is_binary);
    let size = leaf.and_then(|id| decoded(&structure, id)).map(|octets| octets.len());
    write_part(&structure, id, size, out);
}

/// The part, if its body is wanted and there is an encoding to undo.
fn encoded_leaf(url: &Url, structure: &Structure<'_>) -> Option<PartId> {
    if url.section.part.is_empty() || url.section.text != SectionText::Whole {
        return None;
    }
    let id = section::resolve(structure, &url.section.part)?;
    let part = structure.part(id);
    (part.kind == PartKind::Leaf && !part.encoding().is_identity()).then_some(id)
}

fn decoded(structure: &Structure<'_>, id: PartId) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    transfer::decode(structure.part(id).encoding(), structure.body(id), usize::MAX, &mut out).ok()?;
    Some(out)
}

fn cut(length: usize, partial: Partial) -> Range<usize> {
    let start = usize::try_from(partial.start).unwrap_or(usize::MAX).min(length);
    let wanted = usize::try_from(partial.length).unwrap_or(usize::MAX);
    start..start.saturating_add(wanted).min(length)
}

fn section_of<'a>(section: &Section, message: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let specifier = match &section.text {
        SectionText::Whole => Specifier::Whole,
        SectionText::Text => Specifier::Text,
        SectionText::Mime => Specifier::Mime,
        SectionText::Header | SectionText::HeaderFields(_) | SectionText::HeaderFieldsNot(_) => {
            Specifier::Header
        }
    };
    let range = if section.part.is_empty() {
        let header = header_length(message);
        if specifier == Specifier::Text { header..message.len() } else { 0..header }
    } else {
        let structure: Structure<'_> = mime::parse(message);
        section::locate(&structure, &section.part, specifier)?
    };
    let octets = message.get(range)?;
    let (names, selection) = match &section.text {
        SectionText::HeaderFields(names) => (names, Selection::Listed),
        SectionText::HeaderFieldsNot(names) => (names, Selection::NotListed),
        _ => return Some(Cow::Borrowed(octets)),
    };
    let mut chosen = Vec::new();
    section::write_header_fields(octets, names, selection, &mut chosen);
    Some(Cow::Owned(chosen))
}
