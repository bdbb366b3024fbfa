//! Byte-stuffing of multi-line responses (RFC 1939 §3), a whole slice at a time.
//!
//! A dot is doubled behind every LF, not only behind CRLF: many clients take a bare LF in a message for a line's end, and
//! would see the end of the response in `LF . CRLF`.

use memchr::memmem;

/// Where in its lines a response is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DotStuffing {
    at_line_start: bool,
}

impl DotStuffing {
    pub(crate) fn new() -> DotStuffing {
        DotStuffing { at_line_start: true }
    }

    /// Appends a piece, stuffed.
    pub(crate) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let Some(&last) = piece.last() else {
            return;
        };
        out.reserve(piece.len() + 16);
        if self.at_line_start && piece[0] == b'.' {
            out.push(b'.');
        }
        let mut rest = 0;
        for at in memmem::find_iter(piece, b"\n.") {
            out.extend_from_slice(&piece[rest..=at]);
            out.push(b'.');
            rest = at + 1;
        }
        out.extend_from_slice(&piece[rest..]);
        self.at_line_start = last == b'\n';
    }

    /// Ends the last line where the message did not, and the response.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        if !self.at_line_start {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stuffed(pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut stuffing = DotStuffing::new();
        for piece in pieces {
            stuffing.push(piece, &mut out);
        }
        stuffing.finish(&mut out);
        out
    }

    /// As a client reads: lines up to a lone dot, one leading dot taken off.
    fn unstuffed(mut response: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        while let Some(end) = memchr::memchr(b'\n', response) {
            let (line, rest) = response.split_at(end + 1);
            response = rest;
            if line == b".\r\n" {
                assert!(response.is_empty(), "the end comes once");
                return text;
            }
            text.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        panic!("no end");
    }

    #[test]
    fn dots_at_line_starts_are_doubled() {
        assert_eq!(stuffed(&[b""]), b".\r\n");
        assert_eq!(stuffed(&[b"."]), b"..\r\n.\r\n");
        assert_eq!(stuffed(&[b"a\r\n", b".\r\n.", b".b\r\n"]), b"a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(stuffed(&[b"a.b\r", b"\n", b".c"]), b"a.b\r\n..c\r\n.\r\n");
        assert_eq!(stuffed(&[b"a\n.\r\nb\r\n"]), b"a\n..\r\nb\r\n.\r\n", "behind a bare LF too");
        assert_eq!(stuffed(&[b"a\r\n.\r"]), b"a\r\n..\r\r\n.\r\n");
    }

    proptest! {
        #[test]
        fn a_client_gets_back_what_was_sent(text in "[a.\r\n]{0,60}", cut in 0..60usize) {
            let text = text.as_bytes();
            let (one, two) = text.split_at(cut.min(text.len()));
            let response = stuffed(&[one, two]);
            prop_assert_eq!(&response, &stuffed(&[text]));
            let read = unstuffed(&response);
            prop_assert_eq!(read.strip_prefix(text).map(|more| more == b"" || more == b"\r\n"), Some(true));
        }
    }
}
