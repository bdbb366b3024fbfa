//! Responses as they arrive, cut at their ends, within bounds.
//!
//! A response is a line, but for literals: `{n}` at a line's end says that n octets and another line follow
//! (RFC 9051 §4.3). Short literals stay where they are in the response; the one that is a message which is being
//! fetched is handed on piece by piece and leaves a gap.
//!
//! Invariants: whatever a server sends, no more than [`RESPONSE_BYTES_MAX`] and one feed are held; text behind OK, NO, BAD
//! and BYE has no literals, whatever it looks like.

use memchr::memchr;
use std::fmt;

/// Longest response, in octets, its literals counted, but not the message that it brings.
const RESPONSE_BYTES_MAX: usize = 128 * 1024;

/// Why what came can't be understood.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ResponseError {
    /// It does not follow the grammar.
    NotAResponse,
    /// A response, or a number of them, that does not end within the limits.
    TooLong,
    /// A message that is longer than is taken.
    MessageTooLong,
    /// A response that has no meaning where it came.
    Unexpected,
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ResponseError::NotAResponse => "what it sent is no IMAP response",
            ResponseError::TooLong => "its responses do not end",
            ResponseError::MessageTooLong => "it sends a message that is longer than is taken",
            ResponseError::Unexpected => "its response has no meaning at this point",
        })
    }
}

/// A whole response, without its CRLF.
#[derive(Debug)]
pub(super) struct Raw {
    /// Literals stand in it as they came: `{5}CRLFhello`.
    pub octets: Vec<u8>,
    /// The literal that has been handed on and is missing here.
    pub gap: Option<Gap>,
}

/// Where a literal was taken out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// Where its first octet would stand.
    pub at: usize,
    /// How many octets it had.
    pub bytes: u64,
}

/// What has been received.
#[derive(Debug)]
pub(super) enum Received {
    /// A response.
    Response(Raw),
    /// Octets of the message that is being fetched.
    Piece(Vec<u8>),
}

/// Makes responses of octets, however they were cut into pieces.
#[derive(Default)]
pub(super) struct Receiver {
    input: Vec<u8>,
    /// Octets of `input` that were used.
    start: usize,
    /// Octets behind them that hold no line end.
    searched: usize,
    raw: Vec<u8>,
    /// Where in `raw` the line begins that is being read: behind the last literal.
    line_at: usize,
    gap: Option<Gap>,
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Line,
    Literal {
        left: usize,
    },
    Message {
        left: u64,
    },
}

impl Receiver {
    pub(super) fn feed(&mut self, octets: &[u8]) {
        if self.start == self.input.len() {
            self.input.clear();
            self.start = 0;
        } else if self.start > 4096 {
            self.input.drain(..self.start);
            self.start = 0;
        }
        self.input.extend_from_slice(octets);
    }

    /// Forgets everything (before TLS starts).
    pub(super) fn discard(&mut self) {
        *self = Receiver::default();
    }

    /// The next response or piece; None: more octets are needed. `message_bytes_max`: a message is awaited, of at most
    /// that many octets.
    pub(super) fn read(&mut self, message_bytes_max: Option<u64>) -> Option<Result<Received, ResponseError>> {
        loop {
            match self.state {
                State::Message { left: 0 } | State::Literal { left: 0 } => {
                    self.line_at = self.raw.len();
                    self.state = State::Line;
                }
                State::Message { ref mut left } => {
                    let pending = &self.input[self.start..];
                    if pending.is_empty() {
                        return None;
                    }
                    let bytes = pending.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let piece = pending[..bytes].to_vec();
                    *left -= bytes as u64;
                    self.start += bytes;
                    return Some(Ok(Received::Piece(piece)));
                }
                State::Literal { ref mut left } => {
                    let pending = &self.input[self.start..];
                    if pending.is_empty() {
                        return None;
                    }
                    let bytes = pending.len().min(*left);
                    self.raw.extend_from_slice(&pending[..bytes]);
                    *left -= bytes;
                    self.start += bytes;
                }
                State::Line => match self.read_line(message_bytes_max)? {
                    Err(error) => return Some(Err(error)),
                    Ok(true) => {
                        self.line_at = 0;
                        let octets = std::mem::take(&mut self.raw);
                        return Some(Ok(Received::Response(Raw { octets, gap: self.gap.take() })));
                    }
                    Ok(false) => {}
                },
            }
        }
    }

    /// Takes a line; answers whether it ends the response. None: it is not there yet.
    fn read_line(&mut self, message_bytes_max: Option<u64>) -> Option<Result<bool, ResponseError>> {
        let pending = &self.input[self.start..];
        let Some(end) = memchr(b'\n', &pending[self.searched..]).map(|at| at + self.searched) else {
            self.searched = pending.len();
            let is_too_long = self.raw.len() + pending.len() > RESPONSE_BYTES_MAX;
            return is_too_long.then_some(Err(ResponseError::TooLong));
        };
        if self.raw.len() + end > RESPONSE_BYTES_MAX {
            return Some(Err(ResponseError::TooLong));
        }
        // A bare LF ends a line, too: nothing depends on it.
        let line = &pending[..end];
        self.raw.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        self.start += end + 1;
        self.searched = 0;
        let Some((brace, bytes)) = announced(&self.raw[self.line_at..]).filter(|_| has_literals(&self.raw))
        else {
            return Some(Ok(true));
        };
        let Some(bytes) = bytes else { return Some(Err(ResponseError::TooLong)) };
        let brace = self.line_at + brace;
        let is_message = self.gap.is_none() && is_message_item(&self.raw[..brace]);
        self.raw.extend_from_slice(b"\r\n");
        if let Some(bytes_max) = message_bytes_max.filter(|_| is_message) {
            if bytes > bytes_max {
                return Some(Err(ResponseError::MessageTooLong));
            }
            self.gap = Some(Gap { at: self.raw.len(), bytes });
            self.state = State::Message { left: bytes };
            return Some(Ok(false));
        }
        match usize::try_from(bytes) {
            Ok(left) if left <= RESPONSE_BYTES_MAX && self.raw.len() + left <= RESPONSE_BYTES_MAX => {
                self.state = State::Literal { left };
                Some(Ok(false))
            }
            _ => Some(Err(ResponseError::TooLong)),
        }
    }
}

/// `{n}` or `{n+}` at the end: where, and n; None within for a number beyond all limits.
fn announced(line: &[u8]) -> Option<(usize, Option<u64>)> {
    let inner = line.strip_suffix(b"}")?;
    let inner = inner.strip_suffix(b"+").unwrap_or(inner);
    let digits = inner.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let at = inner.len() - digits;
    if digits == 0 || at == 0 || inner[at - 1] != b'{' {
        return None;
    }
    let number = std::str::from_utf8(&inner[at..]).ok().and_then(|digits| digits.parse().ok());
    Some((at - 1, number))
}

/// Untagged data; status responses and those with a tag are text to their end.
fn has_literals(raw: &[u8]) -> bool {
    let Some(rest) = raw.strip_prefix(b"* ") else { return false };
    let word = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
    ![&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|status| word.eq_ignore_ascii_case(status))
}

/// Whether what stands before a literal says that it is a whole message.
fn is_message_item(before: &[u8]) -> bool {
    let is_fetch = before.strip_prefix(b"* ").is_some_and(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && rest[digits..].get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b" FETCH "))
    });
    let before = before.strip_suffix(b"~").unwrap_or(before).trim_ascii_end();
    let ends = |item: &[u8]| {
        before.len() > item.len() && before[before.len() - item.len()..].eq_ignore_ascii_case(item)
    };
    is_fetch && (ends(b"BODY[]") || ends(b"BODY[]<0>"))
}
