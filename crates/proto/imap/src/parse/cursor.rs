//! Reading tokens from a command's bytes: a position, one look ahead, no way back past a literal.

use super::{Fault, FaultKind, Parsed};
use crate::mailbox_name::{self, NameEncoding};
use crate::receive::Detached;
use crate::sequence::{End, RANGES_MAX, RangesBuilder, SequenceSet};
use std::borrow::Cow;

/// Where the parser is.
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    /// Literals that the receiver kept out of the text, in order.
    detached: std::iter::Peekable<std::vec::IntoIter<Detached>>,
    pub(super) names: NameEncoding,
}

/// `ATOM-CHAR = <any CHAR except "(" / ")" / "{" / SP / CTL / "%" / "*" / DQUOTE / "\" / "]">`
pub(super) fn is_atom_char(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

/// `ASTRING-CHAR = ATOM-CHAR / "]"`
pub(crate) fn is_astring_char(byte: u8) -> bool {
    is_atom_char(byte) || byte == b']'
}

/// `list-char = ATOM-CHAR / "%" / "*" / "]"`
fn is_list_char(byte: u8) -> bool {
    is_astring_char(byte) || matches!(byte, b'%' | b'*')
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8], detached: Vec<Detached>, names: NameEncoding) -> Cursor<'a> {
        Cursor { text, at: 0, detached: detached.into_iter().peekable(), names }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    /// The fault of finding something else here.
    pub(super) fn expected<T>(&self, what: impl Into<Cow<'static, str>>) -> Parsed<T> {
        self.fault(self.at, FaultKind::Syntax, what)
    }

    pub(super) fn fault<T>(
        &self,
        at: usize,
        kind: FaultKind,
        what: impl Into<Cow<'static, str>>,
    ) -> Parsed<T> {
        Err(Box::new(Fault { offset: at, kind, expected: what.into() }))
    }

    /// Takes `byte` if it stands here.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8, what: &'static str) -> Parsed<()> {
        if self.eat(byte) { Ok(()) } else { self.expected(what) }
    }

    /// `SP`: exactly one space (RFC 9051 §9, note 2).
    pub(super) fn space(&mut self) -> Parsed<()> {
        self.expect(b' ', "a space")
    }

    /// Takes `word`, in any case, if it stands here, whatever comes behind.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found =
            self.rest().get(..word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()));
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// The end of the command, with its CRLF or without.
    pub(super) fn end(&self) -> Parsed<()> {
        if matches!(self.rest(), b"" | b"\r\n") { Ok(()) } else { self.expected("the end of the command") }
    }

    /// Whether a letter comes behind the parenthesis that stands here.
    pub(super) fn is_word_behind_parenthesis(&self) -> bool {
        self.rest().get(1).is_some_and(u8::is_ascii_alphabetic)
    }

    /// As many bytes as `fits` takes; may be none.
    pub(super) fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !fits(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// `atom = 1*ATOM-CHAR`
    pub(super) fn atom(&mut self, what: &'static str) -> Parsed<&'a str> {
        let start = self.at;
        let atom = self.take_while(is_atom_char);
        match std::str::from_utf8(atom) {
            Ok(atom) if !atom.is_empty() => Ok(atom),
            _ => self.fault(start, FaultKind::Syntax, what),
        }
    }

    /// A word of letters, digits, dots and hyphens, in capitals: the names of commands, items and keys.
    pub(super) fn word(&mut self) -> String {
        let word = self.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'='));
        word.iter().map(|byte| char::from(byte.to_ascii_uppercase())).collect()
    }

    /// `number64 = 1*DIGIT`, at most 2⁶³-1.
    pub(super) fn number64(&mut self, what: &'static str) -> Parsed<u64> {
        let start = self.at;
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
        match number {
            Some(number) if number <= i64::MAX as u64 => Ok(number),
            _ => self.fault(start, FaultKind::Syntax, what),
        }
    }

    /// `number = 1*DIGIT`, at most 2³²-1.
    pub(super) fn number(&mut self, what: &'static str) -> Parsed<u32> {
        let start = self.at;
        match u32::try_from(self.number64(what)?) {
            Ok(number) => Ok(number),
            Err(_) => self.fault(start, FaultKind::Syntax, what),
        }
    }

    /// `nz-number = digit-nz *DIGIT`
    pub(super) fn nz_number(&mut self, what: &'static str) -> Parsed<u32> {
        let start = self.at;
        match self.number(what)? {
            0 => self.fault(start, FaultKind::Syntax, what),
            number => Ok(number),
        }
    }

    /// ```text
    /// astring = 1*ASTRING-CHAR / string
    /// ```
    pub(super) fn astring(&mut self, what: &'static str) -> Parsed<Cow<'a, [u8]>> {
        self.word_or_string(is_astring_char, what)
    }

    /// ```text
    /// list-mailbox = 1*list-char / string
    /// ```
    pub(super) fn list_mailbox(&mut self) -> Parsed<String> {
        let start = self.at;
        let bytes = self.word_or_string(is_list_char, "a mailbox name or pattern")?;
        self.name(start, &bytes)
    }

    fn word_or_string(&mut self, fits: fn(u8) -> bool, what: &'static str) -> Parsed<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(what),
            Some(b'~') if self.rest().starts_with(b"~{") => self.string(what),
            Some(byte) if fits(byte) => Ok(Cow::Borrowed(self.take_while(fits))),
            _ => self.expected(what),
        }
    }

    /// ```text
    /// string = quoted / literal
    /// ```
    pub(super) fn string(&mut self, what: &'static str) -> Parsed<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{' | b'~') => self.literal().map(|literal| literal.bytes),
            _ => self.expected(what),
        }
    }

    /// ```text
    /// nstring = string / nil
    /// ```
    pub(super) fn nstring(&mut self, what: &'static str) -> Parsed<Option<Cow<'a, [u8]>>> {
        if self.eat_word("NIL") { Ok(None) } else { self.string(what).map(Some) }
    }

    /// ```text
    /// quoted      = DQUOTE *QUOTED-CHAR DQUOTE
    /// QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials / UTF8-2 / UTF8-3 / UTF8-4
    /// ```
    /// Octets above 127 are taken in IMAP4rev1 too: clients send search texts and mailbox names in raw UTF-8 (Python's
    /// imaplib sends what the program gives it). Whoever uses the string decides whether it is UTF-8.
    fn quoted(&mut self) -> Parsed<Cow<'a, [u8]>> {
        let start = self.at;
        self.at += 1;
        let plain = self.take_while(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n' | 0));
        if self.eat(b'"') {
            // RFC 9755 §3: BAD for what is no UTF-8, once that was agreed upon.
            if self.names == NameEncoding::Utf8 && std::str::from_utf8(plain).is_err() {
                return self.fault(start, FaultKind::Syntax, "UTF-8 in a quoted string");
            }
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_vec();
        loop {
            text.extend_from_slice(self.take_while(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n' | 0)));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    if self.names == NameEncoding::Utf8 && std::str::from_utf8(&text).is_err() {
                        return self.fault(start, FaultKind::Syntax, "UTF-8 in a quoted string");
                    }
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(byte @ (b'"' | b'\\')) => text.push(byte),
                        _ => return self.expected("\" or \\ behind a backslash"),
                    }
                    self.at += 1;
                }
                Some(_) => return self.expected("no CR, LF or NUL in a quoted string"),
                None => return self.fault(start, FaultKind::Syntax, "a closing quotation mark"),
            }
        }
    }

    /// ```text
    /// literal  = "{" number64 ["+"] "}" CRLF *CHAR8
    /// literal8 = "~{" number64 ["+"] "}" CRLF *OCTET      (RFC 3516; "+" by RFC 7888 §8)
    /// ```
    pub(super) fn literal(&mut self) -> Parsed<Literal<'a>> {
        let start = self.at;
        let eight = self.eat(b'~');
        self.expect(b'{', "a literal")?;
        let length = self.number64("the octet count of a literal")?;
        self.eat(b'+');
        self.expect(b'}', "} behind the octet count")?;
        if !self.rest().starts_with(b"\r\n") {
            return self.expected("the end of the line behind a literal's }");
        }
        self.at += 2;
        let bytes = match self.detached.next_if(|detached| detached.offset == self.at) {
            Some(detached) => Cow::Owned(detached.bytes),
            None => match usize::try_from(length).ok().and_then(|length| self.rest().get(..length)) {
                Some(bytes) => {
                    self.at += bytes.len();
                    Cow::Borrowed(bytes)
                }
                None => return self.fault(start, FaultKind::Syntax, "a literal of that many octets"),
            },
        };
        if !eight && memchr::memchr(0, &bytes).is_some() {
            return self.fault(start, FaultKind::Syntax, "a literal without NUL (literal8 may hold it)");
        }
        Ok(Literal { bytes, eight })
    }

    /// ```text
    /// mailbox = "INBOX" / astring
    /// ```
    pub(super) fn mailbox(&mut self) -> Parsed<String> {
        let start = self.at;
        let bytes = self.astring("a mailbox name")?;
        self.name(start, &bytes)
    }

    fn name(&self, start: usize, bytes: &[u8]) -> Parsed<String> {
        match mailbox_name::decode(bytes, self.names) {
            Ok(name) => Ok(name),
            Err(why) => self.fault(start, FaultKind::Name(why), "a mailbox name"),
        }
    }

    /// An astring that is UTF-8.
    pub(super) fn utf8(&mut self, what: &'static str) -> Parsed<String> {
        let start = self.at;
        let bytes = self.astring(what)?;
        match String::from_utf8(bytes.into_owned()) {
            Ok(text) => Ok(text),
            Err(_) => self.fault(start, FaultKind::Syntax, "UTF-8"),
        }
    }

    /// ```text
    /// sequence-set = (seq-number / seq-range) ["," sequence-set] / "$"
    /// seq-range    = seq-number ":" seq-number
    /// seq-number   = nz-number / "*"
    /// ```
    pub(super) fn sequence_set(&mut self) -> Parsed<SequenceSet> {
        if self.eat(b'$') {
            return Ok(SequenceSet::Saved);
        }
        let start = self.at;
        let mut builder = RangesBuilder::new();
        loop {
            let one = self.seq_number(start)?;
            let other = if self.eat(b':') { self.seq_number(start)? } else { one };
            if builder.add(one, other).is_err() {
                let text = format!("at most {RANGES_MAX} ranges in a sequence set");
                return self.fault(start, FaultKind::Limit, text);
            }
            if !self.eat(b',') {
                return Ok(builder.finish());
            }
        }
    }

    /// ```text
    /// seq-number = nz-number / "*"
    /// ```
    pub(super) fn one_of_a_sequence(&mut self) -> Parsed<SequenceSet> {
        let one = self.seq_number(self.at)?;
        let mut builder = RangesBuilder::new();
        // One is never too many.
        let _ = builder.add(one, one);
        Ok(builder.finish())
    }

    fn seq_number(&mut self, start: usize) -> Parsed<End> {
        if self.eat(b'*') {
            return Ok(End::Last);
        }
        match self.nz_number("a sequence set") {
            Ok(number) => Ok(End::Number(number)),
            // Point at the set, unless that would be far from the fault.
            Err(mut fault) => {
                if fault.offset - start < 16 {
                    fault.offset = start;
                }
                Err(fault)
            }
        }
    }

    /// ```text
    /// "(" item *(SP item) ")"
    /// ```
    /// of at most `max` items; an empty list only if `empty` allows it.
    pub(super) fn list<T>(
        &mut self,
        max: usize,
        empty: EmptyList,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        self.expect(b'(', "(")?;
        let mut items = Vec::new();
        if empty == EmptyList::Allowed && self.eat(b')') {
            return Ok(items);
        }
        loop {
            if items.len() >= max {
                return self.fault(self.at, FaultKind::Limit, format!("at most {max} items in a list"));
            }
            items.push(item(self)?);
            if self.eat(b')') {
                return Ok(items);
            }
            self.expect(b' ', "a space or )")?;
        }
    }
}

/// Whether `()` will do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EmptyList {
    Allowed,
    Refused,
}

/// A literal's octets.
pub(super) struct Literal<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// Whether it was a literal8.
    pub(super) eight: bool,
}
