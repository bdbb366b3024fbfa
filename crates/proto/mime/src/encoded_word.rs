//! Encoded words in header fields (RFC 2047, language suffix of RFC 2231 §5), both directions.
//!
//! `encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="`
//!
//! Decoding is lenient: words are found anywhere, also inside atoms and quoted strings, as mail readers do; white space
//! inside a Q word is data; a character split over adjacent words of one charset is put together again. What is no
//! encoded word stays as it is. Encoding makes words of at most 75 characters that are valid in text and in phrases.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::{memchr, memmem};

use crate::{Comparable, charset, transfer};

/// Longest encoded word (RFC 2047 §2).
pub const WORD_LENGTH_MAX: usize = 75;

/// Longest charset with language that is still looked at in a word.
const CHARSET_LENGTH_MAX: usize = 100;

/// Decodes an (unfolded) header value to UTF-8.
///
/// Raw 8-bit bytes are taken for UTF-8 if valid, else for windows-1252; so are words in an unknown charset.
pub fn decode(value: &[u8]) -> Cow<'_, str> {
    if memmem::find(value, b"=?").is_none() {
        return charset::guess(value);
    }
    let mut out = String::with_capacity(value.len());
    pieces(value, &mut |charset, bytes| match charset {
        Some(charset) => out.push_str(&decoded(charset, bytes)),
        None => out.push_str(&charset::guess(bytes)),
    });
    Cow::Owned(out)
}

fn decoded<'a>(charset: &[u8], bytes: &'a [u8]) -> Cow<'a, str> {
    let name = String::from_utf8_lossy(charset);
    charset::decode(&name, bytes).unwrap_or_else(|| charset::guess(bytes))
}

/// An (unfolded) header value as it is compared (RFC 5255 §4.6): octets, as soon as one of its words can't be decoded.
pub fn comparable(value: &[u8]) -> Comparable<'_> {
    if memmem::find(value, b"=?").is_none() {
        return Comparable::undeclared(value);
    }
    let (mut text, mut octets) = (Some(String::with_capacity(value.len())), Vec::with_capacity(value.len()));
    pieces(value, &mut |charset, bytes| {
        octets.extend_from_slice(bytes);
        let piece = match charset {
            Some(charset) => charset::decode_valid(&String::from_utf8_lossy(charset), bytes),
            None => str::from_utf8(bytes).ok().map(Cow::Borrowed),
        };
        match (&mut text, piece) {
            (Some(text), Some(piece)) => text.push_str(&piece),
            _ => text = None,
        }
    });
    match text {
        Some(text) => Comparable::Text(Cow::Owned(text)),
        None => Comparable::Octets(Cow::Owned(octets)),
    }
}

/// Called with octets, and their charset if they stood in encoded words.
type Visit<'v> = dyn FnMut(Option<&[u8]>, &[u8]) + 'v;

/// Visits what a header value is made of, encodings removed; adjacent words of one charset are one piece.
fn pieces(value: &[u8], visit: &mut Visit<'_>) {
    let mut decoder = Decoder { visit, charset: b"", bytes: Vec::new() };
    let mut done = 0;
    let mut search = 0;
    let mut after_word = false;
    while let Some(found) = memmem::find(&value[search..], b"=?") {
        let start = search + found;
        let Some(word) = Word::parse(&value[start..]) else {
            search = start + 2;
            continue;
        };
        let between = &value[done..start];
        // RFC 2047 §6.2: linear white space between adjacent encoded words is not displayed.
        if !(after_word && between.iter().all(u8::is_ascii_whitespace)) {
            decoder.flush();
            decoder.raw(between);
        }
        decoder.push(&word);
        done = start + word.length;
        search = done;
        after_word = true;
    }
    decoder.flush();
    decoder.raw(&value[done..]);
}

/// Collects the bytes of adjacent words of one charset, so that split characters are decoded whole.
struct Decoder<'a, 'v> {
    visit: &'v mut Visit<'v>,
    charset: &'a [u8],
    bytes: Vec<u8>,
}

impl<'a> Decoder<'a, '_> {
    fn push(&mut self, word: &Word<'a>) {
        if !word.charset.eq_ignore_ascii_case(self.charset) {
            self.flush();
            self.charset = word.charset;
        }
        match word.encoding {
            WordEncoding::B => {
                transfer::decode_base64(word.text, usize::MAX, &mut self.bytes);
            }
            WordEncoding::Q => decode_q(word.text, &mut self.bytes),
        }
    }

    fn flush(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        (self.visit)(Some(self.charset), &self.bytes);
        self.bytes.clear();
    }

    fn raw(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            (self.visit)(None, bytes);
        }
    }
}

#[derive(Clone, Copy)]
enum WordEncoding {
    B,
    Q,
}

struct Word<'a> {
    charset: &'a [u8],
    encoding: WordEncoding,
    text: &'a [u8],
    /// Length of the whole word.
    length: usize,
}

impl<'a> Word<'a> {
    /// Parses the word at the start of `input`, which begins with `=?`.
    fn parse(input: &'a [u8]) -> Option<Word<'a>> {
        let rest = &input[2..];
        let charset_end = memchr(b'?', &rest[..rest.len().min(CHARSET_LENGTH_MAX)])?;
        let (charset, rest) = rest.split_at(charset_end);
        if charset.is_empty() || charset.iter().any(u8::is_ascii_whitespace) {
            return None;
        }
        let encoding = match rest.get(1)? {
            b'B' | b'b' => WordEncoding::B,
            b'Q' | b'q' => WordEncoding::Q,
            _ => return None,
        };
        if rest.get(2) != Some(&b'?') {
            return None;
        }
        let text_start = 2 + charset_end + 3;
        let text_end = text_start + memchr(b'?', &input[text_start..])?;
        if input.get(text_end + 1) != Some(&b'=') {
            return None;
        }
        // RFC 2231 §5: the language follows the charset behind an asterisk.
        let charset = &charset[..memchr(b'*', charset).unwrap_or(charset.len())];
        Some(Word { charset, encoding, text: &input[text_start..text_end], length: text_end + 2 })
    }
}

/// RFC 2047 §4.2: `_` is a space, `=XX` a byte; an `=` without two hex digits stays.
fn decode_q(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'_' => out.push(b' '),
            b'=' => match transfer::hex_pair(tail) {
                Some(value) => {
                    out.push(value);
                    rest = &tail[2..];
                }
                None => out.push(b'='),
            },
            _ => out.push(byte),
        }
    }
}

/// Encodes text for an unstructured field (Subject, Content-Description): plain printable ASCII stays as it is, the
/// span of words that need it becomes encoded words separated by single spaces. Fold with [`crate::build::write_field`].
pub fn encode(text: &str) -> Cow<'_, str> {
    let Some(start) = text.split(' ').position(needs_encoding) else { return Cow::Borrowed(text) };
    let words: Vec<&str> = text.split(' ').collect();
    let end = words.iter().rposition(|word| needs_encoding(word)).unwrap_or(start);
    let mut out = words[..start].join(" ");
    if start > 0 {
        out.push(' ');
    }
    push_words(&words[start..=end].join(" "), &mut out);
    if end + 1 < words.len() {
        out.push(' ');
        out.push_str(&words[end + 1..].join(" "));
    }
    Cow::Owned(out)
}

/// Encodes a display name for a phrase (RFC 5322 §3.2.5): atoms as they are, other ASCII as a quoted string, all
/// else as encoded words (RFC 2047 §5 (3)).
pub fn encode_phrase(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) || name.contains("=?") {
        let mut out = String::with_capacity(name.len() * 2);
        push_words(name, &mut out);
        return Cow::Owned(out);
    }
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let plain = !name.is_empty() && name.split(' ').all(|word| !word.is_empty() && word.bytes().all(is_atom));
    if plain {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 2);
    out.push('"');
    for character in name.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    Cow::Owned(out)
}

fn needs_encoding(word: &str) -> bool {
    word.bytes().any(|byte| !(b'!'..=b'~').contains(&byte)) || word.contains("=?")
}

/// Appends `text` as encoded words: Q, which people can read in the raw, unless it would be much longer than B.
fn push_words(text: &str, out: &mut String) {
    let q_length: usize = text.bytes().map(q_width).sum();
    let in_q = q_length <= text.len() * 2;
    let room = WORD_LENGTH_MAX - "=?utf-8?q??=".len();
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        // RFC 2047 §5: a multi-byte character may not be split over two words.
        let mut width = 0;
        let cut = rest.char_indices().find_map(|(at, character)| {
            let end = at + character.len_utf8();
            width = if in_q {
                width + rest.as_bytes()[at..end].iter().copied().map(q_width).sum::<usize>()
            } else {
                end.div_ceil(3) * 4
            };
            (width > room).then_some(at)
        });
        let (head, tail) = rest.split_at(cut.unwrap_or(rest.len()));
        if !first {
            out.push(' ');
        }
        first = false;
        out.push_str(if in_q { "=?utf-8?q?" } else { "=?utf-8?b?" });
        if in_q {
            head.bytes().for_each(|byte| push_q(byte, out));
        } else {
            STANDARD.encode_string(head, out);
        }
        out.push_str("?=");
        rest = tail;
    }
}

/// RFC 2047 §5 (3): the characters that may stand for themselves in a phrase, and so everywhere.
fn is_q_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!*+-/".contains(&byte)
}

fn q_width(byte: u8) -> usize {
    if is_q_plain(byte) || byte == b' ' { 1 } else { 3 }
}

fn push_q(byte: u8, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    match byte {
        b' ' => out.push('_'),
        _ if is_q_plain(byte) => out.push(char::from(byte)),
        _ => {
            out.push('=');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn examples_of_rfc_2047_section_8() {
        let rows: &[(&str, &str)] = &[
            ("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"),
            ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"),
            ("=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"),
            (
                "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
                "If you can read this you understand the example.",
            ),
            ("=?ISO-8859-1?Q?Olle_J=E4rnefors?=", "Olle Järnefors"),
            ("=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?=", "Patrik Fältström"),
            ("(=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)", "(םולש ןב ילטפנ)"),
            ("(=?ISO-8859-1?Q?a?=)", "(a)"),
            ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a?=\r\n     =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        ];
        for (encoded, shown) in rows {
            assert_eq!(decode(encoded.as_bytes()), *shown, "{encoded}");
        }
    }

    #[test]
    fn real_mail() {
        // RFC 2231 §5: language suffix.
        assert_eq!(decode(b"=?US-ASCII*EN?Q?Keith_Moore?="), "Keith Moore");
        // A character split over two words.
        assert_eq!(decode(b"=?utf-8?B?0J/R?= =?UTF-8?Q?=80?="), "Пр");
        assert_eq!(decode(b"=?koi8-r?B?8NLJ18XU?="), "Привет");
        assert_eq!(decode(b"=?iso-2022-jp?B?GyRCJDMkcxsoQg==?="), "こん");
        assert_eq!(decode(b"=?gb2312?B?xOO6ww==?= x"), "你好 x");
        assert_eq!(decode(b"Re: foo=?utf-8?q?=C3=A9?=bar"), "Re: fooébar");
        assert_eq!(decode(b"=?utf-8?Q?a b=zz?="), "a b=zz");
        assert_eq!(decode(b"=?x-none?Q?=E9?="), "é");
        assert_eq!(decode(b"raw \xe9"), "raw é");
        assert_eq!(decode("raw é".as_bytes()), "raw é");
    }

    #[test]
    fn no_encoded_words() {
        for text in [
            "=?",
            "=?utf-8",
            "=?utf-8?",
            "=?utf-8?q?",
            "=?utf-8?q?a?",
            "=?utf-8?x?a?=",
            "=? ?q?a?=",
            "a =? b",
        ] {
            assert_eq!(decode(text.as_bytes()), text);
        }
        assert_eq!(decode(b"=?utf-8?q??="), "");
    }

    #[test]
    fn a_megabyte_of_openings_is_linear() {
        let text = b"=?a?q?".repeat(170_000);
        assert_eq!(decode(&text).len(), text.len());
    }

    #[test]
    fn encoding() {
        assert_eq!(encode("plain text"), "plain text");
        assert_eq!(encode("Re: привет всем now"), "Re: =?utf-8?b?0L/RgNC40LLQtdGCINCy0YHQtdC8?= now");
        assert_eq!(encode("un café"), "un =?utf-8?q?caf=C3=A9?=");
        assert_eq!(encode_phrase("Joe Public"), "Joe Public");
        assert_eq!(encode_phrase("Joe Q. \"P\""), "\"Joe Q. \\\"P\\\"\"");
        assert_eq!(encode_phrase("André"), "=?utf-8?q?Andr=C3=A9?=");
        assert_eq!(encode_phrase(""), "\"\"");
        let long = encode(&"ж".repeat(200)).into_owned();
        assert!(long.split(' ').all(|word| word.len() <= WORD_LENGTH_MAX));
        assert_eq!(decode(long.as_bytes()), "ж".repeat(200));
    }

    proptest! {
        #[test]
        fn decode_reverses_encode(text in "\\PC{0,80}") {
            let encoded = encode(&text);
            prop_assert_eq!(decode(encoded.as_bytes()), text.as_str());
        }

        #[test]
        fn any_bytes(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            decode(&value);
        }

        #[test]
        fn nearly_words(value in "(=\\?|utf-8|\\?|q|b|=|_|a| |\\?=){0,30}") {
            decode(value.as_bytes());
        }
    }
}
