//! Tokens that RFC 5322 §3.2 and RFC 2045 §5.1 share: white space, comments, quoted strings.
//!
//! An unterminated comment or quoted string is no token: the caller is told once and then treats the opening byte as
//! ordinary ([`Scanner`] remembers it, so that a row of such bytes does not cost quadratic time).

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr2, memchr3};

/// A position in structured header text, with the memory of which brackets can no longer be closed.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    pub input: &'a [u8],
    pub position: usize,
    quotes_broken: bool,
    comments_broken: bool,
}

impl<'a> Scanner<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Scanner { input, position: 0, quotes_broken: false, comments_broken: false }
    }

    pub fn peek(&self) -> Option<u8> {
        self.input.get(self.position).copied()
    }

    pub fn take_if(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        self.position += usize::from(hit);
        hit
    }

    pub fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    /// Skips white space and comments (RFC 5322 §3.2.2, CFWS).
    pub fn skip_cfws(&mut self) {
        loop {
            self.skip_white_space();
            if self.comment().is_none() {
                return;
            }
        }
    }

    /// If a whole comment starts here, moves behind it and returns the range of its inside.
    pub fn comment(&mut self) -> Option<Range<usize>> {
        if self.peek() != Some(b'(') || self.comments_broken {
            return None;
        }
        let start = self.position + 1;
        let mut at = start;
        let mut depth = 1_usize;
        while let Some(found) = memchr3(b'(', b')', b'\\', &self.input[at.min(self.input.len())..]) {
            at += found;
            match self.input[at] {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => at += 1,
            }
            at += 1;
            if depth == 0 {
                self.position = at;
                return Some(start..at - 1);
            }
        }
        self.comments_broken = true;
        None
    }

    /// If a whole quoted string starts here, moves behind it and returns the range of its inside.
    pub fn quoted(&mut self) -> Option<Range<usize>> {
        if self.peek() != Some(b'"') || self.quotes_broken {
            return None;
        }
        let start = self.position + 1;
        let mut at = start;
        while let Some(found) = memchr2(b'"', b'\\', &self.input[at.min(self.input.len())..]) {
            at += found;
            if self.input[at] == b'"' {
                self.position = at + 1;
                return Some(start..at);
            }
            at += 2;
        }
        self.quotes_broken = true;
        None
    }

    /// Takes bytes while `wanted`, which may be none.
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = &self.input[self.position..];
        let length = rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len());
        self.position += length;
        &rest[..length]
    }
}

/// The inside of a quoted string or comment without its quoting: `\x` becomes `x`, line ends of folding go.
pub(crate) fn unquote(inside: &[u8]) -> Cow<'_, [u8]> {
    if memchr3(b'\\', b'\r', b'\n', inside).is_none() {
        return Cow::Borrowed(inside);
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            b'\r' | b'\n' => {}
            _ => out.push(byte),
        }
    }
    Cow::Owned(out)
}

/// A token of RFC 2045 §5.1, widened by 8-bit bytes, which real mail has there.
pub(crate) fn is_token(byte: u8) -> bool {
    !matches!(
        byte,
        0..=32
            | 127
            | b'('
            | b')'
            | b'<'
            | b'>'
            | b'@'
            | b','
            | b';'
            | b':'
            | b'\\'
            | b'"'
            | b'/'
            | b'['
            | b']'
            | b'?'
            | b'='
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_nest_and_escape() {
        let mut scanner = Scanner::new(b" (a(b)\\)c) (d) x");
        scanner.skip_cfws();
        assert_eq!(scanner.peek(), Some(b'x'));
        let mut open = Scanner::new(b"((()");
        assert_eq!(open.comment(), None);
        assert_eq!(open.position, 0);
    }

    #[test]
    fn quoted_strings() {
        let mut scanner = Scanner::new(b"\"a\\\"b\"rest");
        let inside = scanner.quoted().unwrap();
        assert_eq!(&*unquote(&scanner.input[inside]), b"a\"b");
        assert_eq!(scanner.peek(), Some(b'r'));
        assert_eq!(Scanner::new(b"\"open\\").quoted(), None);
        assert_eq!(Scanner::new(b"\"open\\\"").quoted(), None);
    }

    #[test]
    fn a_row_of_open_brackets_is_linear() {
        let text = b"(\"\\".repeat(300_000);
        let mut scanner = Scanner::new(&text);
        while scanner.position < text.len() {
            if scanner.comment().is_none() && scanner.quoted().is_none() {
                scanner.position += 1;
            }
        }
    }
}
