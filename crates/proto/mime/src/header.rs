//! Header fields of a message or of a MIME part (RFC 5322 §2.2, RFC 2045 §3).
//!
//! A header ends with its first empty line and with nothing else: a line that is no field (no colon, junk before the
//! colon) is skipped but stays part of the header, so that `BODY[HEADER]` and `BODY[TEXT]` are always the whole message.
//! Lines end with LF; a CR before it belongs to the line end; a bare CR is ordinary data.
//! Every function is linear in its input and allocates nothing (but [`unfold`] where a value really is folded).

use crate::Comparable;
use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2};

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderField<'a> {
    /// The field name as written, without white space before the colon (RFC 5322 §4.5 permits some there).
    pub name: &'a [u8],
    /// Everything after the colon, folding included, without the final line end.
    pub value: &'a [u8],
    /// Byte range of the whole field with its line ends, relative to the slice that the iterator was given.
    pub range: Range<usize>,
}

impl<'a> HeaderField<'a> {
    /// Whether the field has this name (ASCII letters compare without case, RFC 5322 §1.2.2).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value unfolded and without surrounding white space.
    pub fn unfolded(&self) -> Cow<'a, [u8]> {
        unfold(self.value)
    }

    /// The value as text: unfolded, encoded words decoded, what can't be decoded guessed.
    pub fn text(&self) -> String {
        crate::encoded_word::decode(&self.unfolded()).into_owned()
    }

    /// The value as SEARCH HEADER compares it (RFC 9051 §6.4.4, RFC 5255 §4.6).
    pub fn comparable(&self) -> Comparable<'a> {
        match self.unfolded() {
            Cow::Borrowed(value) => crate::encoded_word::comparable(value),
            Cow::Owned(value) => crate::encoded_word::comparable(&value).into_owned(),
        }
    }
}

/// Iterates over the fields of the header at the start of a slice; stops at the empty line or at the end.
#[derive(Debug, Clone)]
pub struct HeaderFields<'a> {
    input: &'a [u8],
    position: usize,
}

impl<'a> HeaderFields<'a> {
    /// Starts at the first byte of `input`, which may be a whole message or just its header.
    pub fn new(input: &'a [u8]) -> Self {
        HeaderFields { input, position: 0 }
    }
}

impl<'a> Iterator for HeaderFields<'a> {
    type Item = HeaderField<'a>;

    fn next(&mut self) -> Option<HeaderField<'a>> {
        loop {
            let start = self.position;
            let rest = &self.input[start..];
            if rest.is_empty() || empty_line_length(rest).is_some() {
                return None;
            }
            let end = start + field_length(rest);
            self.position = end;
            let field = &self.input[start..end];
            // The name stands on the first line: a colon found on a later line makes the field junk.
            let Some(colon) = memchr2(b':', b'\n', field).filter(|&at| field[at] == b':') else { continue };
            let name = field[..colon].trim_ascii_end();
            if name.is_empty() || !name.iter().all(|byte| (33..=126).contains(byte)) {
                continue;
            }
            let value = strip_line_end(&field[colon + 1..]);
            return Some(HeaderField { name, value, range: start..end });
        }
    }
}

/// The fields of the header at the start of `input`.
pub fn fields(input: &[u8]) -> HeaderFields<'_> {
    HeaderFields::new(input)
}

/// Raw value of the first field called `name`, if there is one.
pub fn first<'a>(input: &'a [u8], name: &str) -> Option<&'a [u8]> {
    fields(input).find(|field| field.is(name)).map(|field| field.value)
}

/// Length of the header at the start of `input`, the empty line that ends it included; all of it if there is none.
pub fn header_length(input: &[u8]) -> usize {
    let mut position = 0;
    loop {
        let rest = &input[position..];
        if let Some(length) = empty_line_length(rest) {
            return position + length;
        }
        match memchr(b'\n', rest) {
            Some(at) => position += at + 1,
            None => return input.len(),
        }
    }
}

/// `Some(length)` when `input` begins with an empty line (CRLF or LF).
pub fn empty_line_length(input: &[u8]) -> Option<usize> {
    match input {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => None,
    }
}

/// The empty line that ends `header` (as cut by [`header_length`]), or nothing if it has none.
pub fn closing_line(header: &[u8]) -> &[u8] {
    for line_end in [&b"\r\n"[..], b"\n"] {
        let Some(before) = header.strip_suffix(line_end) else { continue };
        if before.is_empty() || before.ends_with(b"\n") {
            return &header[before.len()..];
        }
    }
    b""
}

/// Length of the first line of `rest` together with its continuation lines (RFC 5322 §2.2.3).
fn field_length(rest: &[u8]) -> usize {
    let mut length = 0;
    loop {
        match memchr(b'\n', &rest[length..]) {
            Some(at) => length += at + 1,
            None => return rest.len(),
        }
        if !matches!(rest.get(length), Some(b' ' | b'\t')) {
            return length;
        }
    }
}

fn strip_line_end(value: &[u8]) -> &[u8] {
    match value.strip_suffix(b"\n") {
        Some(value) => value.strip_suffix(b"\r").unwrap_or(value),
        None => value,
    }
}

/// Removes the line ends of folding (RFC 5322 §2.2.3: the white space after them stays) and surrounding white space.
///
/// Any CRLF or LF goes, so that the result never contains a line feed; a bare CR becomes a space, as no IMAP quoted
/// string may hold one and it never was meant. Borrows if there is nothing to do.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.trim_ascii();
    if memchr2(b'\n', b'\r', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr2(b'\n', b'\r', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        match empty_line_length(rest) {
            Some(length) => rest = &rest[length..],
            None => {
                out.push(b' ');
                rest = &rest[1..];
            }
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(input: &[u8]) -> Vec<String> {
        fields(input).map(|field| String::from_utf8_lossy(field.name).into_owned()).collect()
    }

    #[test]
    fn fields_folding_and_end() {
        let message = b"Subject: This\r\n is a test\r\nTo  : a@b\nX:\n\tlast\r\n\r\nBody: no field\r\n";
        let found: Vec<_> = fields(message).collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].value, b" This\r\n is a test");
        assert_eq!(found[0].range, 0..27);
        assert_eq!(&*found[0].unfolded(), b"This is a test");
        assert!(found[1].is("TO"));
        assert_eq!(&*found[2].unfolded(), b"last");
        assert_eq!(&message[header_length(message)..], b"Body: no field\r\n");
        assert_eq!(fields(b"A: =?utf-8?q?=C3=A9?=\r\n x").next().unwrap().text(), "é x");
        assert_eq!(first(message, "to"), Some(&b" a@b"[..]));
    }

    #[test]
    fn junk_lines_are_skipped_but_belong_to_the_header() {
        let message = b"From mbox line 12\r\n folded: junk\r\n:none\r\nbad name: x\r\nA: 1\r\nno colon\nB: 2";
        assert_eq!(names(message), ["A", "B"]);
        assert_eq!(header_length(message), message.len());
        assert_eq!(names(b" leading: continuation\r\nA:\r\n"), ["A"]);
    }

    #[test]
    fn no_header_at_all() {
        assert_eq!(header_length(b"\r\nbody"), 2);
        assert_eq!(header_length(b"\nbody"), 1);
        assert_eq!(header_length(b""), 0);
        assert!(names(b"\r\nA: body").is_empty());
    }

    #[test]
    fn white_space_line_is_folding() {
        // RFC 5322 appendix A.6.3: a folded line of white space only is legal.
        let message = b"To    : Mary Smith\r\n  \r\n          <mary@example.net>\r\nA: b\r\n\r\n";
        assert_eq!(names(message), ["To", "A"]);
        assert_eq!(header_length(message), message.len());
    }

    #[test]
    fn closing_lines() {
        assert_eq!(closing_line(b"A: b\r\n\r\n"), b"\r\n");
        assert_eq!(closing_line(b"A: b\n\n"), b"\n");
        assert_eq!(closing_line(b"A: b\r\n"), b"");
        assert_eq!(closing_line(b"\r\n"), b"\r\n");
        assert_eq!(closing_line(b""), b"");
    }

    #[test]
    fn unfolding() {
        assert_eq!(&*unfold(b" a\r\n\tb\n c \r\n"), b"a\tb c");
        assert_eq!(&*unfold(b"a\rb\r\r\n c"), b"a b  c");
        assert!(matches!(unfold(b" plain "), Cow::Borrowed(b"plain")));
    }
}
