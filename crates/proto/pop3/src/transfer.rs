//! One message on its way to the client: RETR, or TOP's header and first lines (RFC 1939 §5, §7).
//!
//! A message is read from the world in ranges, so that a session holds one range at a time whatever the message's size.

use std::ops::Range;

use memchr::memchr_iter;

use crate::ask::{Entry, READ_OCTETS_MAX};
use crate::dot_stuffing::DotStuffing;

/// First range that TOP reads, in octets: most headers fit.
const TOP_FIRST_OCTETS: u64 = 16 * 1024;

/// A response under way.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) msg: u32,
    pub(crate) entry: Entry,
    next: u64,
    limit: Limit,
    stuffing: DotStuffing,
}

#[derive(Debug)]
enum Limit {
    Whole,
    Top(TopLines),
}

/// Where TOP stops.
#[derive(Debug)]
struct TopLines {
    in_header: bool,
    lines_left: u64,
    line: Line,
    reached: bool,
}

/// What the present line has so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line {
    Empty,
    OnlyCr,
    Text,
}

impl Transfer {
    pub(crate) fn retr(msg: u32, entry: Entry) -> Transfer {
        Transfer { msg, entry, next: 0, limit: Limit::Whole, stuffing: DotStuffing::new() }
    }

    pub(crate) fn top(msg: u32, entry: Entry, lines: u64) -> Transfer {
        let top = TopLines { in_header: true, lines_left: lines, line: Line::Empty, reached: false };
        Transfer { limit: Limit::Top(top), ..Transfer::retr(msg, entry) }
    }

    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.limit, Limit::Whole)
    }

    /// Nothing of it was read yet.
    pub(crate) fn is_at_start(&self) -> bool {
        self.next == 0
    }

    /// What to read next; None: the message is through.
    pub(crate) fn next_range(&self) -> Option<Range<u64>> {
        let size = u64::from(self.entry.size_octets);
        let length = match &self.limit {
            Limit::Top(top) if top.reached => return None,
            Limit::Top(_) if self.next == 0 => TOP_FIRST_OCTETS,
            _ => READ_OCTETS_MAX,
        };
        (self.next < size).then(|| self.next..size.min(self.next + length))
    }

    /// Takes the range that was asked for.
    pub(crate) fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.next += octets.len() as u64;
        let used = match &mut self.limit {
            Limit::Whole => octets.len(),
            Limit::Top(top) => top.take(octets),
        };
        self.stuffing.push(&octets[..used], out);
    }

    /// Ends the response.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        self.stuffing.finish(out);
    }
}

impl TopLines {
    /// How many of these octets are wanted.
    fn take(&mut self, octets: &[u8]) -> usize {
        let mut start = 0;
        for end in memchr_iter(b'\n', octets) {
            self.extend_line(&octets[start..end]);
            start = end + 1;
            let is_blank = self.line != Line::Text;
            self.line = Line::Empty;
            if !self.in_header {
                self.lines_left -= 1;
            } else if is_blank {
                self.in_header = false;
            }
            if !self.in_header && self.lines_left == 0 {
                self.reached = true;
                return start;
            }
        }
        self.extend_line(&octets[start..]);
        octets.len()
    }

    fn extend_line(&mut self, piece: &[u8]) {
        self.line = match (self.line, piece) {
            (line, []) => line,
            (Line::Empty, b"\r") => Line::OnlyCr,
            _ => Line::Text,
        };
    }
}

/// Whether the message needs UTF8 mode (RFC 6856 §2.1): UTF-8 beyond ASCII in its header. Other eight-bit octets there
/// (KOI8-R and its like) are no UTF-8 and pass as ever. Looks at the first range only.
pub(crate) fn has_utf8_header(first: &[u8]) -> bool {
    let end = memchr::memmem::find(first, b"\r\n\r\n").unwrap_or(first.len());
    let header = &first[..end];
    if header.is_ascii() {
        return false;
    }
    match std::str::from_utf8(header) {
        Ok(_) => true,
        // The range may end within a character.
        Err(error) => end == first.len() && error.error_len().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use model::Uid;

    use super::*;

    const MESSAGE: &[u8] = b"Subject: x\r\nTo: y\r\n\r\none\r\n\r\n.three\r\nfour";

    fn entry(message: &[u8]) -> Entry {
        Entry { uid: Uid(1), size_octets: u32::try_from(message.len()).unwrap() }
    }

    fn top(message: &[u8], lines: u64, chunk: usize) -> String {
        let mut transfer = Transfer::top(1, entry(message), lines);
        let mut out = Vec::new();
        while let Some(range) = transfer.next_range() {
            let start = usize::try_from(range.start).unwrap();
            // As if the ranges were that short.
            transfer.push(&message[start..message.len().min(start + chunk)], &mut out);
        }
        transfer.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn top_stops_after_its_lines() {
        let header = "Subject: x\r\nTo: y\r\n\r\n";
        for chunk in [1, 2, 3, 20, 1000] {
            assert_eq!(top(MESSAGE, 0, chunk), format!("{header}.\r\n"), "{chunk}");
            assert_eq!(top(MESSAGE, 1, chunk), format!("{header}one\r\n.\r\n"));
            assert_eq!(top(MESSAGE, 3, chunk), format!("{header}one\r\n\r\n..three\r\n.\r\n"));
            assert_eq!(top(MESSAGE, 4, chunk), format!("{header}one\r\n\r\n..three\r\nfour\r\n.\r\n"));
            assert_eq!(top(MESSAGE, u64::from(u32::MAX), chunk), top(MESSAGE, 4, chunk));
            assert_eq!(top(b"\r\nbody\r\n", 0, chunk), "\r\n.\r\n", "no header at all");
            assert_eq!(top(b"Subject: no end", 0, chunk), "Subject: no end\r\n.\r\n");
            assert_eq!(top(b"a: b\n\nc\nd\n", 1, chunk), "a: b\n\nc\n.\r\n", "bare LF");
            assert_eq!(
                top(b"a: b\r\n\r\r\nc\r\n", 0, chunk),
                "a: b\r\n\r\r\nc\r\n.\r\n",
                "CR CR LF is no blank line"
            );
        }
        assert_eq!(top(b"", 5, 1), ".\r\n");
    }

    #[test]
    fn ranges_are_bounded() {
        let big = Entry { uid: Uid(1), size_octets: 300 * 1024 };
        let mut transfer = Transfer::retr(1, big);
        assert_eq!(transfer.next_range(), Some(0..256 * 1024));
        transfer.push(&vec![b'x'; 256 * 1024], &mut Vec::new());
        assert_eq!(transfer.next_range(), Some(256 * 1024..300 * 1024));
        transfer.push(&vec![b'x'; 44 * 1024], &mut Vec::new());
        assert_eq!(transfer.next_range(), None);
        assert_eq!(Transfer::top(1, big, 1).next_range(), Some(0..16 * 1024));
    }

    #[test]
    fn utf8_headers_are_found() {
        assert!(has_utf8_header("Subject: привет\r\n\r\nx".as_bytes()));
        assert!(has_utf8_header(&"Subject: привет".as_bytes()[..10]), "cut within a letter");
        assert!(!has_utf8_header("Subject: x\r\n\r\nпривет".as_bytes()));
        assert!(!has_utf8_header(b"Subject: \xd0\xd2\xc9\xd7\xc5\xd4\r\n\r\n"), "KOI8-R");
        assert!(!has_utf8_header(b""));
    }
}
