//! Content-Transfer-Encoding (RFC 2045 §6): base64, quoted-printable, the identity encodings, uuencode.
//!
//! Decoders take any bytes, repair what they can and say whether they had to; output never exceeds the given limit.
//! Encoders are exact: decoding gives back the input byte for byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::{memchr, memchr_iter};

/// Longest encoded line (RFC 2045 §6.7 (5), §6.8).
pub const LINE_LENGTH_MAX: usize = 76;

/// The mechanism that a Content-Transfer-Encoding field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEncoding<'a> {
    /// `7bit`, also the default when the field is absent (RFC 2045 §6.1).
    SevenBit,
    /// `8bit`
    EightBit,
    /// `binary`
    Binary,
    /// `base64`
    Base64,
    /// `quoted-printable`
    QuotedPrintable,
    /// `x-uuencode` and its other names; never standardised, still met.
    Uuencode,
    /// Any other token.
    Unknown(&'a [u8]),
}

impl<'a> TransferEncoding<'a> {
    /// From the raw value of a Content-Transfer-Encoding field, if there is one.
    pub fn from_field(value: Option<&'a [u8]>) -> Self {
        let token = value.map_or(&b""[..], token);
        let is = |name: &str| token.eq_ignore_ascii_case(name.as_bytes());
        match token {
            b"" => TransferEncoding::SevenBit,
            _ if is("7bit") || is("7-bit") => TransferEncoding::SevenBit,
            _ if is("8bit") || is("8-bit") => TransferEncoding::EightBit,
            _ if is("binary") => TransferEncoding::Binary,
            _ if is("base64") => TransferEncoding::Base64,
            _ if is("quoted-printable") => TransferEncoding::QuotedPrintable,
            _ if is("x-uuencode") || is("x-uue") || is("uuencode") || is("x-uu") => {
                TransferEncoding::Uuencode
            }
            _ => TransferEncoding::Unknown(token),
        }
    }

    /// Whether the content stands as it is.
    pub fn is_identity(self) -> bool {
        matches!(self, TransferEncoding::SevenBit | TransferEncoding::EightBit | TransferEncoding::Binary)
    }
}

/// The token at the start of the field's value, without comments and what else people add.
pub(crate) fn token(value: &[u8]) -> &[u8] {
    let mut scanner = crate::lexical::Scanner::new(value);
    scanner.skip_cfws();
    match scanner.quoted() {
        // Some clients write the token as a quoted string.
        Some(inside) => &value[inside],
        None => scanner.take_while(crate::lexical::is_token),
    }
}

/// How well the decoding went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// All of the input was valid.
    Clean,
    /// Invalid bytes were skipped or kept as they stood.
    Repaired,
    /// The limit was reached; the output is a prefix.
    Truncated,
}

/// The encoding is not known: BINARY answers UNKNOWN-CTE (RFC 9051 §7.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownEncoding;

/// Decodes `body` and appends at most `limit_bytes` bytes to `out`.
///
/// # Errors
/// The encoding is unknown; nothing is appended.
pub fn decode(
    encoding: TransferEncoding<'_>,
    body: &[u8],
    limit_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<Decoded, UnknownEncoding> {
    match encoding {
        TransferEncoding::SevenBit | TransferEncoding::EightBit | TransferEncoding::Binary => {
            let taken = body.len().min(limit_bytes);
            out.extend_from_slice(&body[..taken]);
            Ok(if taken < body.len() { Decoded::Truncated } else { Decoded::Clean })
        }
        TransferEncoding::Base64 => Ok(decode_base64(body, limit_bytes, out)),
        TransferEncoding::QuotedPrintable => Ok(decode_quoted_printable(body, limit_bytes, out)),
        TransferEncoding::Uuencode => Ok(decode_uuencode(body, limit_bytes, out)),
        TransferEncoding::Unknown(_) => Err(UnknownEncoding),
    }
}

const INVALID: u8 = 0xff;
const SKIP: u8 = 0xfe;
const PAD: u8 = 0xfd;

const SEXTETS: [u8; 256] = {
    let mut table = [INVALID; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        table[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    table[b' ' as usize] = SKIP;
    table[b'\t' as usize] = SKIP;
    table[b'\r' as usize] = SKIP;
    table[b'\n' as usize] = SKIP;
    table[b'=' as usize] = PAD;
    table
};

/// Decodes base64 and appends at most `limit_bytes` bytes to `out`.
///
/// RFC 2045 §6.8: characters outside the alphabet are ignored. Padding inside ends a group, and decoding goes on
/// (concatenated encodings); a group cut short yields the whole bytes that it has.
pub fn decode_base64(body: &[u8], limit_bytes: usize, out: &mut Vec<u8>) -> Decoded {
    let end = out.len().saturating_add(limit_bytes);
    out.reserve((body.len() / 4 * 3 + 3).min(limit_bytes));
    let mut damaged = false;
    let mut group = 0_u32;
    let mut count = 0_u32;
    let mut position = 0;
    while position < body.len() {
        if count == 0 {
            position += decode_base64_run(&body[position..], end, out);
        }
        let Some(&byte) = body.get(position) else { break };
        position += 1;
        match SEXTETS[usize::from(byte)] {
            SKIP => {}
            INVALID => damaged = true,
            PAD => {
                damaged |= flush_base64(group, count, out);
                (group, count) = (0, 0);
            }
            sextet => {
                group = (group << 6) | u32::from(sextet);
                count += 1;
                if count == 4 {
                    let [_, first, second, third] = group.to_be_bytes();
                    out.extend([first, second, third]);
                    (group, count) = (0, 0);
                }
            }
        }
        if out.len() >= end {
            return truncate(out, end, only_padding(&body[position..]) && count == 0, damaged);
        }
    }
    damaged |= count != 0;
    flush_base64(group, count, out);
    truncate(out, end, true, damaged)
}

/// Decodes whole groups of four as long as they are valid and fit; returns how many bytes of input that took.
fn decode_base64_run(body: &[u8], end: usize, out: &mut Vec<u8>) -> usize {
    let groups = (body.len() / 4).min(end.saturating_sub(out.len()) / 3);
    let mut taken = 0;
    for group in body.chunks_exact(4).take(groups) {
        let [a, b, c, d] = [0, 1, 2, 3].map(|index| SEXTETS[usize::from(group[index])]);
        if (a | b | c | d) >= 64 {
            break;
        }
        out.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        taken += 4;
    }
    taken
}

/// Writes the bytes of an unfinished group; true if it is not one that padding may end.
fn flush_base64(group: u32, count: u32, out: &mut Vec<u8>) -> bool {
    let [_, first, second, _] = (group << (6 * (4 - count.min(4)))).to_be_bytes();
    match count {
        2 => out.push(first),
        3 => out.extend([first, second]),
        _ => {}
    }
    count == 1
}

fn only_padding(rest: &[u8]) -> bool {
    rest.iter().all(|&byte| matches!(SEXTETS[usize::from(byte)], SKIP | PAD))
}

fn truncate(out: &mut Vec<u8>, end: usize, complete: bool, damaged: bool) -> Decoded {
    let complete = complete && out.len() <= end;
    out.truncate(end);
    match (complete, damaged) {
        (false, _) => Decoded::Truncated,
        (true, true) => Decoded::Repaired,
        (true, false) => Decoded::Clean,
    }
}

/// Decodes quoted-printable and appends at most `limit_bytes` bytes to `out`.
///
/// RFC 2045 §6.7: white space at the end of a line is not data; `=` at the end of a line is a soft break. An `=` that
/// is neither is kept. Line ends stay as they stand (CRLF or LF).
pub fn decode_quoted_printable(body: &[u8], limit_bytes: usize, out: &mut Vec<u8>) -> Decoded {
    let end = out.len().saturating_add(limit_bytes);
    out.reserve(body.len().min(limit_bytes));
    let mut damaged = false;
    let mut rest = body;
    while !rest.is_empty() {
        if out.len() >= end {
            return truncate(out, end, false, damaged);
        }
        let (line, line_end) = match memchr(b'\n', rest) {
            Some(at) => {
                let content = at - usize::from(at > 0 && rest[at - 1] == b'\r');
                (&rest[..content], &rest[content..=at])
            }
            None => (rest, &rest[rest.len()..]),
        };
        rest = &rest[line.len() + line_end.len()..];
        let padded = line.iter().rposition(|&byte| !matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
        let line = &line[..padded];
        match line.strip_suffix(b"=") {
            Some(soft) => damaged |= decode_quoted_line(soft, out),
            None => {
                damaged |= decode_quoted_line(line, out);
                out.extend_from_slice(line_end);
            }
        }
    }
    truncate(out, end, true, damaged)
}

/// Decodes the `=XX` of one line; true if there was an `=` without two hex digits.
fn decode_quoted_line(line: &[u8], out: &mut Vec<u8>) -> bool {
    let mut damaged = false;
    let mut rest = line;
    while let Some(at) = memchr(b'=', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        match hex_pair(rest) {
            Some(byte) => {
                out.push(byte);
                rest = &rest[2..];
            }
            None => {
                out.push(b'=');
                damaged = true;
            }
        }
    }
    out.extend_from_slice(rest);
    damaged
}

/// The byte that two hex digits at the start of `text` name.
pub(crate) fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(*text.first()?)? << 4 | digit(*text.get(1)?)?)
}

/// Decodes the lines between `begin` and `end` of a uuencoded body, at most `limit_bytes` bytes.
fn decode_uuencode(body: &[u8], limit_bytes: usize, out: &mut Vec<u8>) -> Decoded {
    let end = out.len().saturating_add(limit_bytes);
    let mut lines = body.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    if !lines.any(|line| line.starts_with(b"begin ")) {
        return Decoded::Repaired;
    }
    let sextet = |byte: &u8| byte.wrapping_sub(b' ') & 63;
    for line in lines {
        let Some((length, data)) = line.split_first() else { continue };
        let length = usize::from(sextet(length));
        if length == 0 {
            return truncate(out, end, true, false);
        }
        let start = out.len();
        for group in data.chunks(4) {
            let [a, b, c, d] = [0, 1, 2, 3].map(|index| group.get(index).map_or(0, sextet));
            out.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        }
        out.truncate(start + length);
        if out.len() > end {
            return truncate(out, end, false, false);
        }
    }
    Decoded::Repaired
}

/// Appends `data` in base64, in lines of 76 characters that each end with CRLF (RFC 2045 §6.8).
pub fn encode_base64(data: &[u8], out: &mut Vec<u8>) {
    out.reserve(data.len().div_ceil(57) * (LINE_LENGTH_MAX + 2));
    let mut line = [0; LINE_LENGTH_MAX];
    for chunk in data.chunks(LINE_LENGTH_MAX / 4 * 3) {
        // A chunk of 57 bytes makes 76 characters: the buffer always suffices.
        let Ok(length) = STANDARD.encode_slice(chunk, &mut line) else {
            unreachable!("57 bytes encode to 76")
        };
        out.extend_from_slice(&line[..length]);
        out.extend_from_slice(b"\r\n");
    }
}

/// What line ends in the input of [`encode_quoted_printable`] mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnds {
    /// Text: CRLF is a line end and stays one.
    Text,
    /// Binary: CR and LF are bytes like others and are encoded.
    Binary,
}

/// Appends `data` in quoted-printable, in lines of at most 76 characters (RFC 2045 §6.7).
pub fn encode_quoted_printable(data: &[u8], line_ends: LineEnds, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.reserve(data.len() + data.len() / 8);
    let mut column = 0;
    let is_break = |at: usize| line_ends == LineEnds::Text && data[at..].starts_with(b"\r\n");
    let mut position = 0;
    while position < data.len() {
        if is_break(position) {
            out.extend_from_slice(b"\r\n");
            position += 2;
            column = 0;
            continue;
        }
        let byte = data[position];
        position += 1;
        // §6.7 (3): white space may not end an encoded line.
        let at_end = position == data.len() || is_break(position);
        let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && !at_end);
        let width = if plain { 1 } else { 3 };
        // One column is kept for the `=` of a soft break, unless the line ends here anyway.
        if column + width > LINE_LENGTH_MAX - usize::from(!at_end) {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        column += width;
        if plain {
            out.push(byte);
        } else {
            out.extend([b'=', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

/// Number of line feeds, which is what IMAP calls the size in lines.
pub fn line_count(body: &[u8]) -> usize {
    memchr_iter(b'\n', body).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base64(text: &[u8]) -> (Vec<u8>, Decoded) {
        let mut out = Vec::new();
        let quality = decode_base64(text, usize::MAX, &mut out);
        (out, quality)
    }

    fn quoted(text: &str) -> (String, Decoded) {
        let mut out = Vec::new();
        let quality = decode_quoted_printable(text.as_bytes(), usize::MAX, &mut out);
        (String::from_utf8(out).unwrap(), quality)
    }

    #[test]
    fn names() {
        let rows: &[(&[u8], TransferEncoding)] = &[
            (b" BASE64 (really)", TransferEncoding::Base64),
            (b"(c) quoted-printable;", TransferEncoding::QuotedPrintable),
            (b"\"8bit\"", TransferEncoding::EightBit),
            (b"", TransferEncoding::SevenBit),
            (b"x-own", TransferEncoding::Unknown(b"x-own")),
        ];
        for (value, expected) in rows {
            assert_eq!(TransferEncoding::from_field(Some(value)), *expected);
        }
        assert_eq!(decode(TransferEncoding::Unknown(b"x"), b"a", 9, &mut Vec::new()), Err(UnknownEncoding));
    }

    #[test]
    fn base64_rows() {
        // RFC 4648 §10 and repairs.
        let rows: &[(&[u8], &[u8], Decoded)] = &[
            (b"", b"", Decoded::Clean),
            (b"Zg==", b"f", Decoded::Clean),
            (b"Zm8=", b"fo", Decoded::Clean),
            (b"Zm9v\r\nYmFy\r\n", b"foobar", Decoded::Clean),
            (b"Z g=\t=", b"f", Decoded::Clean),
            (b"Zg==Zm8=", b"ffo", Decoded::Clean),
            (b"Zm9vYg", b"foob", Decoded::Repaired),
            (b"Zm9vY", b"foo", Decoded::Repaired),
            (b"Zm!9v", b"foo", Decoded::Repaired),
        ];
        for (text, bytes, quality) in rows {
            assert_eq!(base64(text), (bytes.to_vec(), *quality), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn limits() {
        for limit in 0..8 {
            let mut out = b"keep".to_vec();
            let quality = decode_base64(b"Zm9v\r\nYmFy\r\n", limit, &mut out);
            assert_eq!(out, [b"keep", &b"foobar"[..limit.min(6)]].concat());
            assert_eq!(quality == Decoded::Truncated, limit < 6, "{limit}");
            let mut out = Vec::new();
            let quality = decode_quoted_printable(b"a=\r\nb=3Dc\r\n", limit, &mut out);
            assert_eq!(out, b"ab=c\r\n"[..limit.min(6)]);
            assert_eq!(quality == Decoded::Truncated, limit < 6, "{limit}");
        }
    }

    #[test]
    fn quoted_printable_rows() {
        // The first is the example of RFC 2045 §6.7 (5).
        let example = "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.";
        assert_eq!(quoted(example).0, "Now's the time for all folk to come to the aid of their country.");
        assert_eq!(quoted("a=3db  \r\nc=\t \r\nd"), ("a=b\r\ncd".into(), Decoded::Clean));
        assert_eq!(quoted("a=ZZ=\nb\n"), ("a=ZZb\n".into(), Decoded::Repaired));
        assert_eq!(quoted("a="), ("a".into(), Decoded::Clean));
    }

    #[test]
    fn uuencode() {
        let mut out = Vec::new();
        let body = b"text\r\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\n";
        assert_eq!(decode(TransferEncoding::Uuencode, body, 99, &mut out), Ok(Decoded::Clean));
        assert_eq!(out, b"Cat");
    }

    #[test]
    fn encoded_lines_are_short() {
        let mut out = Vec::new();
        encode_quoted_printable(&b"=\xff a\r\n".repeat(100), LineEnds::Binary, &mut out);
        assert!(out.split(|&byte| byte == b'\n').all(|line| line.len() <= LINE_LENGTH_MAX + 1));
        let mut out = Vec::new();
        encode_base64(&[7; 200], &mut out);
        assert!(out.split(|&byte| byte == b'\n').all(|line| line.len() <= LINE_LENGTH_MAX + 1));
    }

    proptest! {
        #[test]
        fn base64_identity(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut encoded = Vec::new();
            encode_base64(&data, &mut encoded);
            prop_assert_eq!(base64(&encoded), (data, Decoded::Clean));
        }

        #[test]
        fn quoted_printable_identity(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            for line_ends in [LineEnds::Text, LineEnds::Binary] {
                let mut encoded = Vec::new();
                encode_quoted_printable(&data, line_ends, &mut encoded);
                let mut out = Vec::new();
                prop_assert_eq!(decode_quoted_printable(&encoded, usize::MAX, &mut out), Decoded::Clean);
                prop_assert_eq!(&out, &data);
                prop_assert!(encoded.is_ascii());
            }
        }

        #[test]
        fn text_identity(text in "([a =\t.]|\r\n|é){0,200}") {
            let mut encoded = Vec::new();
            encode_quoted_printable(text.as_bytes(), LineEnds::Text, &mut encoded);
            prop_assert_eq!(quoted(std::str::from_utf8(&encoded).unwrap()).0, text);
        }

        #[test]
        fn any_bytes_within_limit(body in proptest::collection::vec(any::<u8>(), 0..300), limit in 0_usize..100) {
            for encoding in [TransferEncoding::Base64, TransferEncoding::QuotedPrintable, TransferEncoding::Uuencode] {
                let mut out = Vec::new();
                let _ = decode(encoding, &body, limit, &mut out);
                prop_assert!(out.len() <= limit);
            }
        }
    }
}
