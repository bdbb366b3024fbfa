//! Down-conversion of a message for a host that can't take it as it is (RFC 6152 §3, RFC 3030 §3; RFC 2045 §6).
//!
//! Each part that holds what may not travel gets another Content-Transfer-Encoding, base64 or quoted-printable, whichever
//! makes it smaller and keeps text readable; everything else stays octet for octet. Signatures over what is changed break:
//! whoever signs does so afterwards.
//!
//! Invariants: decoding each part gives the same octets as before; bodies of the result satisfy the [`Target`]; the
//! result is at most a few times as large. Header fields are not touched but for Content-Transfer-Encoding: octets beyond
//! ASCII in them are either SMTPUTF8's (RFC 6531) or nobody's.

use crate::header;
use crate::structure::{MAX_DEPTH, MAX_PARTS, Part, PartId, PartKind, Structure, parse};
use crate::transfer::{self, LineEnds, TransferEncoding};
use memchr::memchr2_iter;
use std::cell::Cell;

/// What octets a text consists of, from the tamest to the wildest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Octets {
    /// ASCII without NUL, in lines of at most 998 octets that end with CRLF (RFC 2045 §2.7).
    SevenBit,
    /// The same with octets beyond ASCII (RFC 2045 §2.8).
    EightBit,
    /// Anything: NUL, CR or LF alone, or longer lines (RFC 2045 §2.9).
    Binary,
}

/// Longest line without its CRLF (RFC 5322 §2.1.1).
const LINE_BYTES_MAX: usize = 998;

impl Octets {
    /// What these octets are.
    pub fn of(text: &[u8]) -> Octets {
        let mut line_start = 0;
        let mut at_end = memchr2_iter(b'\r', b'\n', text);
        while let Some(at) = at_end.next() {
            let is_line_end = text[at] == b'\r' && text.get(at + 1) == Some(&b'\n');
            if !is_line_end || at - line_start > LINE_BYTES_MAX {
                return Octets::Binary;
            }
            // The LF of this CRLF.
            at_end.next();
            line_start = at + 2;
        }
        if text.len() - line_start > LINE_BYTES_MAX || memchr::memchr(0, text).is_some() {
            return Octets::Binary;
        }
        if text.is_ascii() { Octets::SevenBit } else { Octets::EightBit }
    }
}

/// What a message consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survey {
    /// Its header: beyond ASCII it needs SMTPUTF8 (RFC 6531 §3.4).
    pub header: Octets,
    /// Its body, all parts.
    pub body: Octets,
}

/// Looks at a message; one pass, no allocation.
pub fn survey(message: &[u8]) -> Survey {
    let (header, body) = message.split_at(header::header_length(message));
    Survey { header: Octets::of(header), body: Octets::of(body) }
}

/// What the next host takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// ASCII in lines: a host without 8BITMIME.
    SevenBit,
    /// Lines: a host with 8BITMIME and without BINARYMIME.
    EightBit,
}

impl Target {
    fn takes(self, octets: Octets) -> bool {
        match self {
            Target::SevenBit => octets == Octets::SevenBit,
            Target::EightBit => octets != Octets::Binary,
        }
    }

    /// The Content-Transfer-Encoding of parts that need none.
    fn name(self) -> &'static str {
        match self {
            Target::SevenBit => "7bit",
            Target::EightBit => "8bit",
        }
    }
}

/// The message can't be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inconvertible {
    /// It has more parts, or deeper nesting, than are taken apart, or its structure depends on octets that may not travel.
    TooComplex,
    /// A part has an encoding that nobody knows, and octets that may not be in it.
    UnknownEncoding,
}

impl std::fmt::Display for Inconvertible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Inconvertible::TooComplex => "the message has too many or damaged parts to be converted",
            Inconvertible::UnknownEncoding => {
                "a part of the message has an unknown encoding and can't be converted"
            }
        })
    }
}

/// Makes a message that the target takes; `None` when it does already, which is often so whatever was announced.
///
/// A message without MIME becomes one: text/plain in UTF-8 when it is that, else in `unknown-8bit` (RFC 1428 §3).
///
/// # Errors
/// [`Inconvertible`]: the message has to go back to its sender (RFC 6152 §3).
pub fn convert(message: &[u8], target: Target) -> Result<Option<Vec<u8>>, Inconvertible> {
    let body = &message[header::header_length(message)..];
    if target.takes(Octets::of(body)) {
        return Ok(None);
    }
    let structure = parse(message);
    if structure.parts().len() >= MAX_PARTS || depth(&structure) >= MAX_DEPTH {
        return Err(Inconvertible::TooComplex);
    }
    let mut out = Vec::with_capacity(message.len() + message.len() / 2);
    let converter = Converter { structure: &structure, target, parts: Cell::new(0) };
    converter.part(PartId::ROOT, &mut out)?;
    // Damaged messages can mean something else once they are mended: better back to the sender than that.
    let made = parse(&out);
    let fits = |id: PartId| made.part(id).kind != PartKind::Leaf || target.takes(Octets::of(made.body(id)));
    if made.parts().len() != converter.parts.get() || !made.ids().all(fits) {
        return Err(Inconvertible::TooComplex);
    }
    drop(made);
    Ok(Some(out))
}

/// Deepest nesting; the message itself has 0.
fn depth(structure: &Structure<'_>) -> usize {
    let mut depths: Vec<usize> = Vec::with_capacity(structure.parts().len());
    for part in structure.parts() {
        // Parents stand before their children.
        depths.push(part.parent.map_or(0, |parent| depths[parent.index()] + 1));
    }
    depths.into_iter().max().unwrap_or(0)
}

struct Converter<'a> {
    structure: &'a Structure<'a>,
    target: Target,
    /// How many parts the result has so far.
    parts: Cell<usize>,
}

impl Converter<'_> {
    /// Appends a part. Recursion is bounded by the depth that was checked.
    fn part(&self, id: PartId, out: &mut Vec<u8>) -> Result<(), Inconvertible> {
        self.parts.set(self.parts.get() + 1);
        let part = self.structure.part(id);
        let body = self.structure.body(id);
        match part.kind {
            PartKind::Leaf => self.leaf(id, out),
            // RFC 6532 §3.7: message/global may be encoded, and then its header can be anything.
            PartKind::Message if self.is_global(part) && !self.target.takes(Octets::of(body)) => {
                self.header(id, Some("base64"), out);
                transfer::encode_base64(body, out);
                Ok(())
            }
            PartKind::Multipart | PartKind::Message => {
                // RFC 2045 §6.4: these have no other encoding than 7bit, 8bit and binary.
                let relabel =
                    matches!(part.encoding(), TransferEncoding::EightBit | TransferEncoding::Binary);
                self.header(id, relabel.then(|| self.target.name()), out);
                let mut position = part.body.start;
                for child in self.structure.children(id) {
                    self.between(position, self.structure.part(child).header.start, out);
                    self.part(child, out)?;
                    position = self.structure.part(child).body.end;
                }
                self.between(position, part.body.end, out);
                Ok(())
            }
        }
    }

    fn is_global(&self, part: &Part<'_>) -> bool {
        part.content_type().subtype.eq_ignore_ascii_case(b"global")
    }

    fn leaf(&self, id: PartId, out: &mut Vec<u8>) -> Result<(), Inconvertible> {
        let part = self.structure.part(id);
        let body = self.structure.body(id);
        let encoding = part.encoding();
        if self.target.takes(Octets::of(body)) {
            // What it is said to be counts at the next host too.
            let beyond = match encoding {
                TransferEncoding::Binary => true,
                TransferEncoding::EightBit => self.target == Target::SevenBit,
                _ => false,
            };
            self.header(id, beyond.then(|| self.target.name()), out);
            out.extend_from_slice(body);
            return Ok(());
        }
        match encoding {
            TransferEncoding::SevenBit | TransferEncoding::EightBit | TransferEncoding::Binary => {
                let is_text = part.content_type().type_name.eq_ignore_ascii_case(b"text");
                if is_text && quoted_is_smaller(body) {
                    self.header(id, Some("quoted-printable"), out);
                    transfer::encode_quoted_printable(body, LineEnds::Text, out);
                    if id == PartId::ROOT && !out.ends_with(b"\r\n") {
                        // The message will end with CRLF, which is not its own.
                        out.extend_from_slice(b"=\r\n");
                    }
                } else {
                    self.header(id, Some("base64"), out);
                    transfer::encode_base64(body, out);
                }
            }
            // Damaged: what a reader would make of it is encoded anew.
            TransferEncoding::Base64 | TransferEncoding::QuotedPrintable => {
                let mut decoded = Vec::new();
                transfer::decode(encoding, body, usize::MAX, &mut decoded)
                    .map_err(|_| Inconvertible::UnknownEncoding)?;
                self.header(id, Some("base64"), out);
                transfer::encode_base64(&decoded, out);
            }
            TransferEncoding::Uuencode | TransferEncoding::Unknown(_) => {
                return Err(Inconvertible::UnknownEncoding);
            }
        }
        Ok(())
    }

    /// Appends a part's header, with this Content-Transfer-Encoding instead of any other.
    fn header(&self, id: PartId, encoding: Option<&str>, out: &mut Vec<u8>) {
        let header = self.structure.header(id);
        let Some(encoding) = encoding else { return append_lines(header, out) };
        let mut unsaid = Some(format!("Content-Transfer-Encoding: {encoding}\r\n"));
        let mut position = 0;
        for field in header::fields(header).filter(|field| field.is("Content-Transfer-Encoding")) {
            append_lines(&header[position..field.range.start], out);
            out.extend_from_slice(unsaid.take().unwrap_or_default().as_bytes());
            position = field.range.end;
        }
        let end = header.len() - header::closing_line(header).len();
        append_lines(&header[position..end.max(position)], out);
        if id == PartId::ROOT {
            self.become_mime(out);
        }
        out.extend_from_slice(unsaid.unwrap_or_default().as_bytes());
        append_lines(&header[end.max(position)..], out);
    }

    /// The fields that a message with an encoding must have (RFC 2045 §4, §5).
    fn become_mime(&self, out: &mut Vec<u8>) {
        let header = self.structure.header(PartId::ROOT);
        if header::first(header, "MIME-Version").is_none() {
            out.extend_from_slice(b"MIME-Version: 1.0\r\n");
        }
        if self.structure.root().declared_type().is_none() {
            let is_utf8 = std::str::from_utf8(self.structure.body(PartId::ROOT)).is_ok();
            let charset = if is_utf8 { "utf-8" } else { "unknown-8bit" };
            out.extend_from_slice(format!("Content-Type: text/plain; charset={charset}\r\n").as_bytes());
        }
    }

    /// Appends what stands between parts: boundaries, and text that nobody is shown (RFC 2046 §5.1.1), in which a
    /// question mark takes the place of what may not travel, and too long a line loses its end.
    fn between(&self, start: usize, end: usize, out: &mut Vec<u8>) {
        let text = &self.structure.message()[start..end.max(start)];
        if self.target.takes(Octets::of(text)) {
            return out.extend_from_slice(text);
        }
        let mut lines = Vec::with_capacity(text.len());
        append_lines(text, &mut lines);
        let mut line_bytes = 0;
        for byte in lines {
            line_bytes = if byte == b'\n' { 0 } else { line_bytes + 1 };
            let is_fine = byte != 0 && (byte.is_ascii() || self.target == Target::EightBit);
            if line_bytes <= LINE_BYTES_MAX || byte == b'\r' {
                out.push(if is_fine { byte } else { b'?' });
            }
        }
    }
}

/// Appends text whose lines end with CRLF, whatever they ended with; a CR alone becomes a space (a question mark at the
/// beginning of a line, where a space would fold a header). The structure of a message depends on its line ends, so they stay line ends; mostly there is nothing
/// to do.
fn append_lines(text: &[u8], out: &mut Vec<u8>) {
    let mut copied = 0;
    for at in memchr2_iter(b'\r', b'\n', text) {
        let lone = match text[at] {
            b'\r' => text.get(at + 1) != Some(&b'\n'),
            _ => at == 0 || text[at - 1] != b'\r',
        };
        if lone {
            out.extend_from_slice(&text[copied..at]);
            out.extend_from_slice(match text[at] {
                b'\n' => b"\r\n",
                _ if at == 0 || text[at - 1] == b'\n' => b"?",
                _ => b" ",
            });
            copied = at + 1;
        }
    }
    out.extend_from_slice(&text[copied..]);
}

/// Whether quoted-printable is not much larger than base64: then people without a decoder can read it.
fn quoted_is_smaller(text: &[u8]) -> bool {
    let plain =
        text.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n') && **byte != b'=');
    let encoded = text.len() - plain.count();
    text.len() + 2 * encoded <= text.len() / 3 * 4
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
