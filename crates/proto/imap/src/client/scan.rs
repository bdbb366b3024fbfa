//! Reading a response from left to right.
//!
//! Every reader answers None where the grammar has something else; none can panic, and none goes back.

use super::receive::{Gap, Raw};
use std::borrow::Cow;

/// A place in a response.
#[derive(Clone)]
pub(super) struct Scan<'a> {
    octets: &'a [u8],
    at: usize,
    gap: Option<Gap>,
}

/// A string's octets.
#[derive(Debug)]
pub(super) enum Text<'a> {
    /// Here they are.
    Here(Cow<'a, [u8]>),
    /// They have been handed on.
    HandedOn {
        /// How many.
        bytes: u64,
    },
}

/// Lists nest no deeper than this.
const DEPTH_MAX: usize = 64;

impl<'a> Scan<'a> {
    pub(super) fn new(raw: &'a Raw) -> Scan<'a> {
        Scan { octets: &raw.octets, at: 0, gap: raw.gap }
    }

    /// Of text that can hold no gap.
    pub(super) fn of(octets: &'a [u8]) -> Scan<'a> {
        Scan { octets, at: 0, gap: None }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        &self.octets[self.at..]
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        self.eat(byte).then_some(())
    }

    /// Any spaces. Quirk (several servers): more than one, or one at the end of a list or line.
    pub(super) fn spaces(&mut self) {
        while self.eat(b' ') {}
    }

    /// At least one space.
    pub(super) fn space(&mut self) -> Option<()> {
        self.expect(b' ')?;
        self.spaces();
        Some(())
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A word: everything up to a space, parenthesis, quote, bracket or brace. Not empty.
    pub(super) fn word(&mut self) -> Option<&'a [u8]> {
        let word = self.take_while(|byte| !matches!(byte, b' ' | b'(' | b')' | b'"' | b'[' | b']' | b'{'));
        (!word.is_empty()).then_some(word)
    }

    /// Everything up to a space or a closing bracket or parenthesis: numbers and flags, whatever they hold. Not empty.
    pub(super) fn flag(&mut self) -> Option<&'a [u8]> {
        let word = self.take_while(|byte| !matches!(byte, b' ' | b'(' | b')'));
        (!word.is_empty()).then_some(word)
    }

    /// A number within 64 bits.
    pub(super) fn number64(&mut self) -> Option<u64> {
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// A number within 32 bits.
    pub(super) fn number(&mut self) -> Option<u32> {
        u32::try_from(self.number64()?).ok()
    }

    /// `nz-number`
    pub(super) fn nz_number(&mut self) -> Option<u32> {
        self.number().filter(|number| *number > 0)
    }

    /// `NIL`, in any case, as a whole word.
    pub(super) fn nil(&mut self) -> bool {
        let rest = self.rest();
        let found = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"NIL"))
            && !rest.get(3).is_some_and(|byte| byte.is_ascii_alphanumeric());
        self.at += if found { 3 } else { 0 };
        found
    }

    /// `string`: quoted, or a literal.
    pub(super) fn string(&mut self) -> Option<Text<'a>> {
        match self.peek()? {
            b'"' => self.quoted().map(Text::Here),
            b'{' | b'~' => self.literal(),
            _ => None,
        }
    }

    /// A string whose octets are here.
    pub(super) fn short_string(&mut self) -> Option<Cow<'a, [u8]>> {
        match self.string()? {
            Text::Here(octets) => Some(octets),
            Text::HandedOn { .. } => None,
        }
    }

    /// `astring`. Quirk: unquoted names may hold anything but spaces.
    pub(super) fn astring(&mut self) -> Option<Cow<'a, [u8]>> {
        match self.peek()? {
            b'"' | b'{' => self.short_string(),
            _ => self.flag().map(Cow::Borrowed),
        }
    }

    fn quoted(&mut self) -> Option<Cow<'a, [u8]>> {
        self.expect(b'"')?;
        let plain = self.take_while(|byte| !matches!(byte, b'"' | b'\\'));
        if self.eat(b'"') {
            return Some(Cow::Borrowed(plain));
        }
        let mut octets = plain.to_vec();
        loop {
            if self.eat(b'"') {
                return Some(Cow::Owned(octets));
            }
            self.expect(b'\\')?;
            octets.push(self.peek()?);
            self.at += 1;
            octets.extend_from_slice(self.take_while(|byte| !matches!(byte, b'"' | b'\\')));
        }
    }

    fn literal(&mut self) -> Option<Text<'a>> {
        self.eat(b'~');
        self.expect(b'{')?;
        let bytes = self.number64()?;
        self.eat(b'+');
        self.expect(b'}')?;
        self.expect(b'\r')?;
        self.expect(b'\n')?;
        if self.gap.is_some_and(|gap| gap.at == self.at) {
            return self.gap.take().map(|gap| Text::HandedOn { bytes: gap.bytes });
        }
        let octets = self.rest().get(..usize::try_from(bytes).ok()?)?;
        self.at += octets.len();
        Some(Text::Here(Cow::Borrowed(octets)))
    }

    /// Whether a literal was handed on that no reader has met.
    pub(super) fn has_gap(&self) -> bool {
        self.gap.is_some()
    }

    /// Goes past one value of any kind: a string, a list with all that it holds, a word with what stands in brackets
    /// behind it.
    pub(super) fn skip_value(&mut self) -> Option<()> {
        let mut depth = 0;
        loop {
            match self.peek()? {
                b'(' if depth == DEPTH_MAX => return None,
                b'(' => {
                    self.at += 1;
                    depth += 1;
                }
                b')' if depth == 0 => return None,
                b')' => {
                    self.at += 1;
                    depth -= 1;
                }
                b' ' if depth == 0 => return None,
                b' ' => {
                    self.at += 1;
                    continue;
                }
                b'"' | b'{' => {
                    self.short_string()?;
                }
                b'[' => self.skip_section()?,
                b']' => self.at += 1,
                _ => {
                    self.word()?;
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// Goes past `[…]` and what may follow it directly (`<0>`).
    pub(super) fn skip_section(&mut self) -> Option<()> {
        self.expect(b'[')?;
        loop {
            match self.peek()? {
                b']' => break,
                b'"' => {
                    self.quoted()?;
                }
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.take_while(|byte| matches!(byte, b'<' | b'>' | b'.') || byte.is_ascii_digit());
        Some(())
    }
}
