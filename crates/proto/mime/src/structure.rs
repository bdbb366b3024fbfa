//! The MIME structure of a message (RFC 2045, RFC 2046): a flat list of parts with byte ranges.
//!
//! One forward pass finds everything: header lines are scanned until the empty line, bodies are searched for
//! `LF "--"`, and each such line is compared with the boundaries of the multiparts that are open. Cost is linear in the
//! message (times [`MAX_DEPTH`] at worst), memory is at most [`MAX_PARTS`] times a part.
//!
//! Invariants: part 0 is the message itself; parents stand before their children; a part's ranges lie within the body
//! of its parent and siblings do not overlap; `header.end == body.start`. A [`PartKind::Multipart`] has at least one
//! child, a [`PartKind::Message`] exactly one: the encapsulated message.
//!
//! What cannot be taken apart becomes a leaf: a multipart without boundary or without parts is shown as text/plain
//! (RFC 2045 §5.2), one that is too deep, or a message/rfc822 in base64 (RFC 2046 §5.2.1 forbids it), as
//! application/octet-stream.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr_iter, memmem};

use crate::content::{self, ContentType, Disposition};
use crate::header;
use crate::transfer::TransferEncoding;

/// Deepest nesting of parts; the message itself has depth 0.
pub const MAX_DEPTH: usize = 100;

/// Most parts of a message; what follows belongs to the body of the last one.
pub const MAX_PARTS: usize = 1000;

/// Index of a part in [`Structure::parts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartId(u16);

impl PartId {
    /// The message itself.
    pub const ROOT: PartId = PartId(0);

    /// The index as a number.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    fn new(index: usize) -> Self {
        // MAX_PARTS keeps this far from the limit.
        PartId(u16::try_from(index).unwrap_or(u16::MAX))
    }
}

/// What a part consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A body that is not taken apart.
    Leaf,
    /// Parts between boundaries (RFC 2046 §5.1).
    Multipart,
    /// An encapsulated message: message/rfc822 or message/global (RFC 2046 §5.2.1, RFC 6532 §3.7).
    Message,
}

/// Where the media type of a part comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Declared,
    TextPlain,
    OctetStream,
    MessageRfc822,
}

/// A part, or the message itself.
#[derive(Debug, Clone)]
pub struct Part<'a> {
    /// What it consists of.
    pub kind: PartKind,
    /// The header with the empty line that ends it, as byte range of the message.
    pub header: Range<usize>,
    /// The body, without the line end that belongs to the boundary behind it (RFC 2046 §5.1.1).
    pub body: Range<usize>,
    /// Number of line feeds in the body.
    pub body_lines: usize,
    /// The enclosing part; `None` for the message itself.
    pub parent: Option<PartId>,
    first_child: Option<PartId>,
    next_sibling: Option<PartId>,
    media: Media,
    content_type: Option<&'a [u8]>,
    encoding: Option<&'a [u8]>,
    disposition: Option<&'a [u8]>,
    /// Raw value of Content-ID (RFC 2045 §7).
    pub id: Option<&'a [u8]>,
    /// Raw value of Content-Description (RFC 2045 §8).
    pub description: Option<&'a [u8]>,
    /// Raw value of Content-MD5 (RFC 1864).
    pub md5: Option<&'a [u8]>,
    /// Raw value of Content-Language (RFC 3282).
    pub language: Option<&'a [u8]>,
    /// Raw value of Content-Location (RFC 2557).
    pub location: Option<&'a [u8]>,
}

impl<'a> Part<'a> {
    /// The media type, defaults applied: text/plain, message/rfc822 in a digest, or the fallback named at the head of
    /// this module. A missing charset is not filled in here.
    pub fn content_type(&self) -> ContentType<'a> {
        match self.media {
            Media::Declared => self.content_type.and_then(ContentType::parse),
            Media::OctetStream => Some(ContentType::of("APPLICATION", "OCTET-STREAM")),
            Media::MessageRfc822 => Some(ContentType::of("MESSAGE", "RFC822")),
            Media::TextPlain => None,
        }
        .unwrap_or_else(|| ContentType::of("TEXT", "PLAIN"))
    }

    /// Raw value of Content-Type, which may differ from what [`Part::content_type`] makes of it.
    pub fn declared_type(&self) -> Option<&'a [u8]> {
        self.content_type
    }

    /// The transfer encoding, `7bit` if none is declared.
    pub fn encoding(&self) -> TransferEncoding<'a> {
        TransferEncoding::from_field(self.encoding)
    }

    /// The token of Content-Transfer-Encoding as written; empty if there is none.
    pub fn encoding_token(&self) -> &'a [u8] {
        self.encoding.map_or(b"", crate::transfer::token)
    }

    /// The disposition, if there is one.
    pub fn disposition(&self) -> Option<Disposition<'a>> {
        self.disposition.and_then(Disposition::parse)
    }

    /// The file name that the disposition or else the `name` of the content type gives, decoded.
    pub fn file_name(&self) -> Option<String> {
        let disposition = self.disposition().map(|disposition| disposition.params).unwrap_or_default();
        if let Some(param) = content::find(&disposition, "filename") {
            return Some(param.text());
        }
        let content_type = self.content_type();
        content::find(&content_type.params, "name").map(content::Param::text)
    }
}

/// The parts of a message, made by [`parse`].
#[derive(Debug, Clone)]
pub struct Structure<'a> {
    message: &'a [u8],
    parts: Vec<Part<'a>>,
}

impl<'a> Structure<'a> {
    /// The message that was parsed.
    pub fn message(&self) -> &'a [u8] {
        self.message
    }

    /// All parts; the first is the message itself, each parent comes before its children.
    pub fn parts(&self) -> &[Part<'a>] {
        &self.parts
    }

    /// The message itself.
    pub fn root(&self) -> &Part<'a> {
        &self.parts[0]
    }

    /// The part with this id (ids come from this structure).
    ///
    /// # Panics
    /// If the id comes from another structure and does not exist here.
    pub fn part(&self, id: PartId) -> &Part<'a> {
        &self.parts[id.index()]
    }

    /// The ids of all parts, in the order of [`Structure::parts`].
    pub fn ids(&self) -> impl Iterator<Item = PartId> + '_ {
        (0..self.parts.len()).map(PartId::new)
    }

    /// The parts directly below one.
    pub fn children(&self, id: PartId) -> impl Iterator<Item = PartId> + '_ {
        std::iter::successors(self.part(id).first_child, |&child| self.part(child).next_sibling)
    }

    /// The message inside a [`PartKind::Message`] part.
    pub fn encapsulated(&self, id: PartId) -> Option<PartId> {
        let part = self.part(id);
        if part.kind == PartKind::Message { part.first_child } else { None }
    }

    /// The bytes of a part's header, empty line included.
    pub fn header(&self, id: PartId) -> &'a [u8] {
        &self.message[self.part(id).header.clone()]
    }

    /// The bytes of a part's body, still transfer-encoded.
    pub fn body(&self, id: PartId) -> &'a [u8] {
        &self.message[self.part(id).body.clone()]
    }
}

/// Takes a message apart. Any bytes are a message.
pub fn parse(message: &[u8]) -> Structure<'_> {
    let mut parser = Parser {
        message,
        parts: Vec::with_capacity(4),
        open: Vec::with_capacity(4),
        lines: LineCounter { message, position: 0, count: 0 },
        finder: memmem::Finder::new(b"\n--"),
        search: 0,
        active: 0,
        is_exhausted: false,
    };
    parser.open_part(0);
    while !parser.is_exhausted
        && let Some(delimiter) = parser.next_delimiter()
    {
        if parser.parts.len() == MAX_PARTS && !delimiter.is_close {
            parser.is_exhausted = true;
            break;
        }
        parser.close_down_to(delimiter.level + 1, before_line_end(message, delimiter.start));
        let line_end = memchr::memchr(b'\n', &message[delimiter.start..]);
        let next = line_end.map_or(message.len(), |at| delimiter.start + at + 1);
        if delimiter.is_close {
            parser.open[delimiter.level].boundary = None;
            parser.active -= 1;
            parser.search = next.saturating_sub(1);
        } else {
            parser.open_part(next);
        }
    }
    parser.close_down_to(0, message.len());
    Structure { message, parts: parser.parts }
}

/// A part whose end is not yet known.
struct Open<'a> {
    id: usize,
    last_child: Option<usize>,
    /// The boundary of a multipart that has not been closed.
    boundary: Option<Cow<'a, [u8]>>,
    is_digest: bool,
}

/// A boundary line: `"--" boundary ["--"]`.
struct Delimiter {
    /// Where the line starts.
    start: usize,
    /// Index in `open` of the multipart that it belongs to.
    level: usize,
    is_close: bool,
}

struct Parser<'a> {
    message: &'a [u8],
    parts: Vec<Part<'a>>,
    /// From the message itself to the innermost part; never empty while parsing.
    open: Vec<Open<'a>>,
    lines: LineCounter<'a>,
    finder: memmem::Finder<'static>,
    /// Where the search for the next delimiter goes on.
    search: usize,
    /// How many of `open` have a boundary.
    active: usize,
    is_exhausted: bool,
}

impl<'a> Parser<'a> {
    /// Opens the part at `start` and, if it is a message, the message in it and so on.
    fn open_part(&mut self, start: usize) {
        let mut start = start;
        let mut is_cut = false;
        loop {
            if self.parts.len() == MAX_PARTS {
                self.is_exhausted = true;
                return;
            }
            // A header that a boundary cut off leaves nothing for what is encapsulated.
            let header_end = if is_cut { start } else { self.header_end(start, &mut is_cut) };
            let id = self.parts.len();
            let parent = self.open.last_mut();
            let is_in_digest = parent.as_ref().is_some_and(|parent| parent.is_digest);
            let previous = parent.as_ref().and_then(|parent| parent.last_child);
            let mut part = new_part(&self.message[start..header_end]);
            part.header = start..header_end;
            part.body = header_end..header_end;
            part.body_lines = self.lines.up_to(header_end);
            part.parent = parent.as_ref().map(|parent| PartId::new(parent.id));
            if let Some(parent) = parent {
                parent.last_child = Some(id);
                match previous {
                    Some(previous) => self.parts[previous].next_sibling = Some(PartId::new(id)),
                    None => self.parts[parent.id].first_child = Some(PartId::new(id)),
                }
            }
            let (boundary, is_digest) = classify(&mut part, is_in_digest, self.open.len());
            self.active += usize::from(boundary.is_some());
            let kind = part.kind;
            self.parts.push(part);
            self.open.push(Open { id, last_child: None, boundary, is_digest });
            // The line feed before the body may be the one before a boundary.
            self.search = header_end.saturating_sub(1);
            if kind != PartKind::Message {
                return;
            }
            start = header_end;
        }
    }

    /// End of the header that begins at `start`: behind the empty line, or before a boundary line (and the line end that
    /// belongs to it) if that comes first.
    fn header_end(&self, start: usize, is_cut: &mut bool) -> usize {
        let mut position = start;
        loop {
            let rest = &self.message[position..];
            if let Some(length) = header::empty_line_length(rest) {
                return position + length;
            }
            if rest.starts_with(b"--") && self.delimiter_at(position).is_some() {
                *is_cut = true;
                return before_line_end(self.message, position).max(start);
            }
            match memchr::memchr(b'\n', rest) {
                Some(at) => position += at + 1,
                None => return self.message.len(),
            }
        }
    }

    fn next_delimiter(&mut self) -> Option<Delimiter> {
        if self.active == 0 {
            return None;
        }
        while let Some(found) = self.finder.find(&self.message[self.search..]) {
            let start = self.search + found + 1;
            self.search = start;
            if let Some(delimiter) = self.delimiter_at(start) {
                return Some(delimiter);
            }
        }
        None
    }

    /// The delimiter line at `start`, where two hyphens stand.
    ///
    /// RFC 2046 §5.1.2: the boundary of any enclosing multipart counts, else a truncated inner one would swallow the
    /// rest. §5.1.1: the line only has to begin with it; where several do, the longest is meant, of equal ones the
    /// innermost.
    fn delimiter_at(&self, start: usize) -> Option<Delimiter> {
        let line = &self.message[start + 2..];
        let mut best: Option<(usize, usize)> = None;
        for (level, open) in self.open.iter().enumerate() {
            let Some(boundary) = &open.boundary else { continue };
            if best.is_none_or(|(_, length)| boundary.len() >= length) && line.starts_with(boundary) {
                best = Some((level, boundary.len()));
            }
        }
        let (level, length) = best?;
        Some(Delimiter { start, level, is_close: line[length..].starts_with(b"--") })
    }

    /// Ends all open parts from `level` on at byte `end`.
    fn close_down_to(&mut self, level: usize, end: usize) {
        let mut end = end;
        for open in self.open.drain(level..).rev() {
            let part = &mut self.parts[open.id];
            // A part that begins right at the delimiter keeps its parents open up to there.
            end = end.max(part.body.start);
            part.body.end = end;
            part.body_lines = self.lines.up_to(end).saturating_sub(part.body_lines);
            self.active -= usize::from(open.boundary.is_some());
            if part.kind == PartKind::Leaf || open.last_child.is_some() {
                continue;
            }
            part.kind = PartKind::Leaf;
            let is_broken = part.media == Media::Declared && !self.is_exhausted;
            part.media = if is_broken { Media::TextPlain } else { Media::OctetStream };
        }
    }
}

/// The end of the line before the one that begins at `start`, without its line end.
fn before_line_end(message: &[u8], start: usize) -> usize {
    let before = &message[..start];
    let Some(before) = before.strip_suffix(b"\n") else { return start };
    before.strip_suffix(b"\r").unwrap_or(before).len()
}

/// A leaf with the Content-* fields of `header`; of repeated fields the first counts.
fn new_part(header: &[u8]) -> Part<'_> {
    let mut part = Part {
        kind: PartKind::Leaf,
        header: 0..0,
        body: 0..0,
        body_lines: 0,
        parent: None,
        first_child: None,
        next_sibling: None,
        media: Media::Declared,
        content_type: None,
        encoding: None,
        disposition: None,
        id: None,
        description: None,
        md5: None,
        language: None,
        location: None,
    };
    for field in header::fields(header) {
        let Some((prefix, rest)) = field.name.split_at_checked("content-".len()) else { continue };
        if !prefix.eq_ignore_ascii_case(b"content-") {
            continue;
        }
        let is = |name: &str| rest.eq_ignore_ascii_case(name.as_bytes());
        let slot = match rest.len() {
            4 if is("type") => &mut part.content_type,
            17 if is("transfer-encoding") => &mut part.encoding,
            11 if is("disposition") => &mut part.disposition,
            2 if is("id") => &mut part.id,
            11 if is("description") => &mut part.description,
            3 if is("md5") => &mut part.md5,
            8 if is("language") => &mut part.language,
            8 if is("location") => &mut part.location,
            _ => continue,
        };
        slot.get_or_insert(field.value);
    }
    part
}

/// Sets kind and media of a new part at this depth; returns its boundary and whether it is a digest.
fn classify<'a>(part: &mut Part<'a>, is_in_digest: bool, depth: usize) -> (Option<Cow<'a, [u8]>>, bool) {
    let declared = part.content_type.map(content::split_type);
    let (type_name, subtype, rest) = match declared {
        // RFC 2046 §5.1.5: the default in a digest.
        None if is_in_digest => {
            part.media = Media::MessageRfc822;
            (&b"message"[..], &b"rfc822"[..], &b""[..])
        }
        None | Some(None) => {
            part.media = Media::TextPlain;
            return (None, false);
        }
        Some(Some(found)) => found,
    };
    if type_name.eq_ignore_ascii_case(b"multipart") {
        if depth >= MAX_DEPTH {
            part.media = Media::OctetStream;
            return (None, false);
        }
        let boundary = content::boundary(rest);
        if boundary.is_some() {
            part.kind = PartKind::Multipart;
        } else {
            part.media = Media::TextPlain;
        }
        return (boundary, subtype.eq_ignore_ascii_case(b"digest"));
    }
    let is_message = type_name.eq_ignore_ascii_case(b"message")
        && (subtype.eq_ignore_ascii_case(b"rfc822") || subtype.eq_ignore_ascii_case(b"global"));
    if !is_message {
        return (None, false);
    }
    if depth >= MAX_DEPTH || !part.encoding().is_identity() {
        part.media = Media::OctetStream;
    } else {
        part.kind = PartKind::Message;
    }
    (None, false)
}

/// Counts line feeds up to positions that (nearly) only grow, so that all of them together cost one pass.
struct LineCounter<'a> {
    message: &'a [u8],
    position: usize,
    count: usize,
}

impl LineCounter<'_> {
    fn up_to(&mut self, position: usize) -> usize {
        if position >= self.position {
            self.count += memchr_iter(b'\n', &self.message[self.position..position]).count();
        } else {
            self.count -= memchr_iter(b'\n', &self.message[position..self.position]).count();
        }
        self.position = position;
        self.count
    }
}

#[cfg(test)]
#[path = "structure_tests.rs"]
mod tests;
