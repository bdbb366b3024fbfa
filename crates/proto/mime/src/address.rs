//! Address lists (RFC 5322 §3.4, obsolete forms §4.4, UTF-8 of RFC 6532), in the shape that ENVELOPE needs.
//!
//! Anything parses. Comma or semicolon end an address; what is missing is empty: `root` has an empty domain, `Name <>`
//! an empty local part. The list is an iterator, one pass over the input; an address uses at most [`TOKENS_MAX`] tokens.
//!
//! ```text
//! address      = mailbox / group
//! mailbox      = [display-name] "<" [route] addr-spec ">" / addr-spec
//! group        = display-name ":" [mailbox-list] ";"
//! ```

use std::borrow::Cow;
use std::ops::Range;

use crate::header::unfold;
use crate::lexical::{Scanner, unquote};

/// Most tokens (words, dots, at-signs) of one address; further ones are dropped.
pub const TOKENS_MAX: usize = 1000;

/// Most entries of a list that ENVELOPE and other users of [`Addresses`] in this crate take.
pub const ADDRESSES_MAX: usize = 10_000;

/// An entry of an address list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address<'a> {
    /// One mailbox.
    Mailbox(Mailbox<'a>),
    /// The start of a group, with its name; the mailboxes follow.
    GroupStart(Cow<'a, [u8]>),
    /// The end of a group; always comes, even if the semicolon is missing.
    GroupEnd,
}

/// A mailbox. All parts are without quoting and comments; encoded words are not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox<'a> {
    /// The display name, or the comment behind an address without one (the form of RFC 822 times).
    pub name: Option<Cow<'a, [u8]>>,
    /// The obsolete source route as written, such as `@a,@b` (RFC 5322 §4.4).
    pub route: Option<Cow<'a, [u8]>>,
    /// The local part; empty if there is none.
    pub local: Cow<'a, [u8]>,
    /// The domain or domain literal; empty if there is none.
    pub domain: Cow<'a, [u8]>,
}

impl Mailbox<'_> {
    /// `local@domain`, or just the local part if there is no domain.
    pub fn address(&self) -> Vec<u8> {
        let mut out = self.local.to_vec();
        if !self.domain.is_empty() {
            out.push(b'@');
            out.extend_from_slice(&self.domain);
        }
        out
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Atom,
    Quoted,
    Dot,
    At,
}

#[derive(Debug, Clone)]
struct Token {
    kind: Kind,
    /// In the input, quotes included.
    range: Range<usize>,
    is_spaced: bool,
}

/// Iterates over the entries of an address list.
#[derive(Debug, Clone)]
pub struct Addresses<'a> {
    scanner: Scanner<'a>,
    tokens: Vec<Token>,
    is_in_group: bool,
    is_group_ending: bool,
}

impl<'a> Addresses<'a> {
    /// Parses the raw (folded) value of an address field.
    pub fn new(value: &'a [u8]) -> Self {
        Addresses {
            scanner: Scanner::new(value),
            tokens: Vec::new(),
            is_in_group: false,
            is_group_ending: false,
        }
    }

    /// The mailboxes only, groups dissolved.
    pub fn mailboxes(self) -> impl Iterator<Item = Mailbox<'a>> {
        self.filter_map(|address| match address {
            Address::Mailbox(mailbox) => Some(mailbox),
            Address::GroupStart(_) | Address::GroupEnd => None,
        })
    }
}

impl<'a> Iterator for Addresses<'a> {
    type Item = Address<'a>;

    fn next(&mut self) -> Option<Address<'a>> {
        if std::mem::take(&mut self.is_group_ending) {
            return Some(Address::GroupEnd);
        }
        self.tokens.clear();
        let mut comment = None;
        loop {
            self.take_words(&mut comment);
            match self.scanner.peek() {
                Some(b'<') => {
                    self.scanner.position += 1;
                    return Some(Address::Mailbox(self.angle_address(comment)));
                }
                Some(b':') if !self.is_in_group && self.can_name_group() => {
                    self.scanner.position += 1;
                    self.is_in_group = true;
                    return Some(Address::GroupStart(self.phrase(0..self.tokens.len()).unwrap_or_default()));
                }
                separator @ (Some(b',' | b';') | None) => {
                    // Outside of a group a semicolon separates like a comma (as some clients write it).
                    let is_end = separator.is_none();
                    let ends_group = self.is_in_group && separator != Some(b',');
                    self.scanner.position += usize::from(!is_end);
                    self.is_in_group &= !ends_group;
                    if let Some(mailbox) = self.plain_address(comment.take()) {
                        self.is_group_ending = ends_group;
                        return Some(Address::Mailbox(mailbox));
                    }
                    if ends_group {
                        return Some(Address::GroupEnd);
                    }
                    if is_end {
                        return None;
                    }
                    self.tokens.clear();
                }
                // Junk: a lone bracket, backslash or control character.
                Some(_) => self.scanner.position += 1,
            }
        }
    }
}

impl<'a> Addresses<'a> {
    /// Collects tokens up to a byte that is none; remembers the last comment.
    fn take_words(&mut self, comment: &mut Option<Range<usize>>) {
        loop {
            self.scanner.skip_white_space();
            while let Some(range) = self.scanner.comment() {
                *comment = Some(range);
                self.scanner.skip_white_space();
            }
            let start = self.scanner.position;
            let is_spaced = self.tokens.last().is_some_and(|before| before.range.end < start);
            let kind = match self.scanner.peek() {
                None => return,
                Some(b'.') => {
                    self.scanner.position += 1;
                    Kind::Dot
                }
                Some(b'@') => {
                    self.scanner.position += 1;
                    Kind::At
                }
                Some(b'"') if self.scanner.quoted().is_some() => Kind::Quoted,
                Some(b'[') => {
                    // A domain literal (RFC 5322 §3.4.1), or at least what looks like one.
                    self.scanner
                        .take_while(|byte| !matches!(byte, b']' | b',' | b';' | b'<' | b'>' | b'"' | b'('));
                    self.scanner.take_if(b']');
                    Kind::Atom
                }
                Some(byte) if is_atom(byte) => {
                    self.scanner.take_while(is_atom);
                    Kind::Atom
                }
                Some(_) => return,
            };
            if self.tokens.len() < TOKENS_MAX {
                self.tokens.push(Token { kind, range: start..self.scanner.position, is_spaced });
            }
        }
    }

    fn can_name_group(&self) -> bool {
        !self.tokens.is_empty() && self.tokens.iter().all(|token| token.kind != Kind::At)
    }

    /// What stands between `<` and `>`; the tokens before are the display name.
    fn angle_address(&mut self, comment: Option<Range<usize>>) -> Mailbox<'a> {
        let name = self.phrase(0..self.tokens.len());
        let mut comment = comment;
        let route = self.route();
        self.tokens.clear();
        loop {
            let mut inner = None;
            self.take_words(&mut inner);
            match self.scanner.peek() {
                // A separator: the closing bracket is missing.
                Some(b',' | b';') | None => break,
                Some(b'>') => {
                    self.scanner.position += 1;
                    break;
                }
                Some(b':') => {
                    // `<mailto:a@b>`
                    self.tokens.clear();
                    self.scanner.position += 1;
                }
                Some(_) => self.scanner.position += 1,
            }
        }
        let at = self.tokens.iter().rposition(|token| token.kind == Kind::At);
        let count = self.tokens.len();
        let (local, domain) = match at {
            Some(at) => (self.joined(0..at), self.joined(at + 1..count)),
            None => (self.joined(0..count), Cow::Borrowed(&b""[..])),
        };
        self.skip_to_separator(&mut comment);
        let name = name.or_else(|| self.comment_text(comment));
        Mailbox { name, route, local, domain }
    }

    /// The obsolete route `@a,@b:` if one stands here (RFC 5322 §4.4).
    fn route(&mut self) -> Option<Cow<'a, [u8]>> {
        self.scanner.skip_cfws();
        if self.scanner.peek() != Some(b'@') {
            return None;
        }
        let start = self.scanner.position;
        let route = self.scanner.take_while(|byte| !matches!(byte, b':' | b'<' | b'>' | b';' | b'"'));
        if self.scanner.take_if(b':') {
            return Some(unfold(route));
        }
        self.scanner.position = start;
        None
    }

    /// Skips what stands between `>` and the next separator. If that is the start of another address in angle
    /// brackets (a forgotten comma), stays where it is.
    fn skip_to_separator(&mut self, comment: &mut Option<Range<usize>>) {
        let start = self.scanner.position;
        loop {
            self.scanner.skip_white_space();
            if let Some(range) = self.scanner.comment() {
                comment.get_or_insert(range);
                continue;
            }
            if self.scanner.quoted().is_some() {
                continue;
            }
            match self.scanner.peek() {
                None | Some(b',' | b';') => return,
                Some(b'<') => {
                    self.scanner.position = start;
                    return;
                }
                Some(_) => self.scanner.position += 1,
            }
        }
    }

    /// An address without angle brackets from the tokens; `None` if there are none.
    fn plain_address(&self, comment: Option<Range<usize>>) -> Option<Mailbox<'a>> {
        let tokens = &self.tokens;
        let count = tokens.len();
        if count == 0 {
            return None;
        }
        let empty = Cow::Borrowed(&b""[..]);
        let sticks = |at: usize| {
            !tokens[at].is_spaced
                || matches!(tokens[at].kind, Kind::Dot | Kind::At)
                || matches!(tokens[at - 1].kind, Kind::Dot | Kind::At)
        };
        let Some(at) = tokens.iter().rposition(|token| token.kind == Kind::At) else {
            // One word is a local mailbox name; several are somebody's name.
            if (1..count).all(sticks) {
                let name = self.comment_text(comment);
                return Some(Mailbox { name, route: None, local: self.joined(0..count), domain: empty });
            }
            return Some(Mailbox {
                name: self.phrase(0..count),
                route: None,
                local: empty.clone(),
                domain: empty,
            });
        };
        let start = (1..=at).rev().find(|&index| !sticks(index)).unwrap_or(0);
        let end = (at + 1..count).find(|&index| !sticks(index)).unwrap_or(count);
        let name =
            self.phrase(0..start).or_else(|| self.phrase(end..count)).or_else(|| self.comment_text(comment));
        Some(Mailbox { name, route: None, local: self.joined(start..at), domain: self.joined(at + 1..end) })
    }

    fn comment_text(&self, comment: Option<Range<usize>>) -> Option<Cow<'a, [u8]>> {
        let text = match unquote(&self.scanner.input[comment?]) {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
            Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_vec()),
        };
        (!text.is_empty()).then_some(text)
    }

    /// The tokens as a phrase: quoting removed, white space kept as one space; `None` if it is empty.
    fn phrase(&self, tokens: Range<usize>) -> Option<Cow<'a, [u8]>> {
        let tokens = &self.tokens[tokens];
        let raw = &self.scanner.input[tokens.first()?.range.start..tokens.last()?.range.end];
        let is_plain = !raw.iter().any(|byte| matches!(byte, b'"' | b'(' | b'\\' | b'\r' | b'\n'));
        let text =
            if is_plain { Cow::Borrowed(raw) } else { self.spelled(tokens, |token, _| token.is_spaced) };
        (!text.is_empty()).then_some(text)
    }

    /// The tokens as a local part or domain: quoting removed, no white space around dots and at-signs.
    fn joined(&self, tokens: Range<usize>) -> Cow<'a, [u8]> {
        let is_word = |token: &Token| matches!(token.kind, Kind::Atom | Kind::Quoted);
        self.spelled(&self.tokens[tokens], |token, before| {
            token.is_spaced && is_word(token) && is_word(before)
        })
    }

    fn spelled(&self, tokens: &[Token], is_spaced: impl Fn(&Token, &Token) -> bool) -> Cow<'a, [u8]> {
        let input = self.scanner.input;
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return Cow::Borrowed(b"") };
        let is_contiguous = tokens.windows(2).all(|pair| pair[0].range.end == pair[1].range.start);
        if is_contiguous && tokens.iter().all(|token| token.kind != Kind::Quoted) {
            return Cow::Borrowed(&input[first.range.start..last.range.end]);
        }
        let text = |token: &Token| match token.kind {
            Kind::Quoted => unquote(&input[token.range.start + 1..token.range.end - 1]),
            Kind::Atom | Kind::Dot | Kind::At => Cow::Borrowed(&input[token.range.clone()]),
        };
        if let [token] = tokens {
            return text(token);
        }
        let mut out = Vec::with_capacity(last.range.end - first.range.start);
        for (index, token) in tokens.iter().enumerate() {
            if index > 0 && is_spaced(token, &tokens[index - 1]) {
                out.push(b' ');
            }
            out.extend_from_slice(&text(token));
        }
        Cow::Owned(out)
    }
}

/// atext (RFC 5322 §3.2.3) and UTF-8 (RFC 6532 §3.2), and lone brackets, which harm nobody.
fn is_atom(byte: u8) -> bool {
    !matches!(
        byte,
        0..=32 | 127 | b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'\\' | b'"' | b'.' | b'['
    )
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
