//! Lines and messages as they arrive, within bounds.

use super::fault::{Reason, Refusal, ReplyError};
use super::unstuff::Unstuffing;
use memchr::memchr;

/// Longest line, in octets. RFC 2449 §4 has 512; challenges of a log-in may be longer (RFC 5034 §4).
const LINE_BYTES_MAX: usize = 16 * 1024;
/// Longest text for people that is kept, in octets.
const TEXT_BYTES_MAX: usize = 400;

/// What was fed and not used.
#[derive(Default)]
pub(super) struct Input {
    octets: Vec<u8>,
    start: usize,
    /// Octets behind `start` that hold no line end.
    searched: usize,
}

impl Input {
    pub(super) fn feed(&mut self, octets: &[u8]) {
        if self.start == self.octets.len() {
            self.octets.clear();
            self.start = 0;
        } else if self.start > 4096 {
            self.octets.drain(..self.start);
            self.start = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.octets.len()
    }

    /// The next line without its end (a bare LF is one, too); None: it is not there yet.
    pub(super) fn line(&mut self) -> Option<Result<Vec<u8>, ReplyError>> {
        let pending = &self.octets[self.start..];
        let Some(end) = memchr(b'\n', &pending[self.searched..]).map(|at| at + self.searched) else {
            self.searched = pending.len();
            return (pending.len() > LINE_BYTES_MAX).then_some(Err(ReplyError::TooLong));
        };
        self.searched = 0;
        if end > LINE_BYTES_MAX {
            return Some(Err(ReplyError::TooLong));
        }
        let line = &pending[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
        self.start += end + 1;
        Some(Ok(line))
    }

    /// What there is of a message, and whether that is its end.
    pub(super) fn message(&mut self, unstuffing: &mut Unstuffing) -> (Vec<u8>, bool) {
        let pending = &self.octets[self.start..];
        let mut piece = Vec::with_capacity(pending.len());
        let end = unstuffing.push(pending, &mut piece);
        self.start += end.unwrap_or(pending.len());
        self.searched = 0;
        (piece, end.is_some())
    }
}

/// A status line (RFC 1939 §3, RFC 2449 §8, RFC 5034 §4).
#[derive(Debug)]
pub(super) enum Reply {
    /// `+OK`, and the text behind it.
    Ok(Vec<u8>),
    /// `-ERR`
    Refused(Refusal),
    /// `+ `: a challenge.
    Challenge(Vec<u8>),
}

impl Reply {
    /// None: it is no status line.
    pub(super) fn parse(line: &[u8]) -> Option<Reply> {
        let behind = |word: &[u8]| {
            let rest = line
                .get(..word.len())
                .filter(|head| head.eq_ignore_ascii_case(word))
                .map(|_| &line[word.len()..])?;
            match rest {
                [] => Some(rest),
                [b' ' | b'\t', text @ ..] => Some(text),
                _ => None,
            }
        };
        if let Some(text) = behind(b"+OK") {
            return Some(Reply::Ok(text.to_vec()));
        }
        if let Some(text) = behind(b"-ERR") {
            return Some(Reply::Refused(refusal(text)));
        }
        // Quirk: an empty challenge without its space.
        behind(b"+").map(|text| Reply::Challenge(text.to_vec()))
    }
}

/// `[code] text`
fn refusal(text: &[u8]) -> Refusal {
    let text = for_people(text);
    if let Some((code, rest)) = text.strip_prefix('[').and_then(|behind| behind.split_once(']'))
        && let Some(reason) = Reason::parse(code.split(' ').next().unwrap_or_default())
    {
        return Refusal { reason: Some(reason), text: rest.trim_start().to_owned() };
    }
    Refusal { reason: None, text }
}

/// Text of a server as it can be shown: one line, nothing that steers a terminal, short.
fn for_people(octets: &[u8]) -> String {
    let octets = &octets[..octets.len().min(TEXT_BYTES_MAX)];
    let text = String::from_utf8_lossy(octets);
    text.trim().chars().map(|one| if one.is_control() { '\u{fffd}' } else { one }).collect()
}

/// The time-stamp of APOP in a greeting (RFC 1939 §7): `<…@…>`.
pub(super) fn apop_timestamp(greeting: &[u8]) -> Option<Vec<u8>> {
    let from = memchr(b'<', greeting)?;
    let to = from + memchr(b'>', &greeting[from..])?;
    let stamp = &greeting[from..=to];
    let is_msg_id = stamp.contains(&b'@') && stamp.iter().all(u8::is_ascii_graphic);
    is_msg_id.then(|| stamp.to_vec())
}

/// `number SP word` of LIST and UIDL, from 1.
pub(super) fn numbered(line: &[u8]) -> Option<(u32, &[u8])> {
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let number = digits(words.next()?).and_then(|number| u32::try_from(number).ok()).filter(|n| *n > 0)?;
    Some((number, words.next()?))
}

/// A number within 64 bits.
pub(super) fn digits(word: &[u8]) -> Option<u64> {
    let is_number = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word).ok().filter(|_| is_number)?.parse().ok()
}
