//! Messages out of multi-line responses (RFC 1939 §3), a whole slice at a time.
//!
//! Only CRLF ends a line: a dot behind a bare LF neither ends the message nor is taken off. Otherwise a message with
//! such a line could end early, and its rest would be heard as the server's next responses.

use memchr::memchr;

/// Where in its lines a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unstuffing {
    /// At the beginning of a line.
    LineStart,
    /// Behind a dot there.
    Dot,
    /// Behind a dot and CR there.
    DotCr,
    /// Within a line.
    Text,
    /// Behind CR.
    Cr,
}

impl Unstuffing {
    /// Appends what of a piece is the message's; Some: how many octets of the piece were used up to its end.
    pub(super) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            *self = match *self {
                Unstuffing::Text => {
                    let rest = &piece[at..];
                    let Some(end) = memchr(b'\r', rest) else {
                        out.extend_from_slice(rest);
                        return None;
                    };
                    out.extend_from_slice(&rest[..=end]);
                    at += end;
                    Unstuffing::Cr
                }
                Unstuffing::LineStart if byte == b'.' => Unstuffing::Dot,
                Unstuffing::Dot if byte == b'\r' => Unstuffing::DotCr,
                Unstuffing::DotCr if byte == b'\n' => return Some(at + 1),
                Unstuffing::DotCr => {
                    out.push(b'\r');
                    *self = Unstuffing::Cr;
                    continue;
                }
                before => {
                    out.push(byte);
                    match byte {
                        b'\r' => Unstuffing::Cr,
                        b'\n' if before == Unstuffing::Cr => Unstuffing::LineStart,
                        _ => Unstuffing::Text,
                    }
                }
            };
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dot_stuffing::DotStuffing;
    use proptest::prelude::*;

    fn unstuffed(octets: &[u8], piece: usize) -> Option<(Vec<u8>, usize)> {
        let (mut state, mut out, mut used) = (Unstuffing::LineStart, Vec::new(), 0);
        for piece in octets.chunks(piece) {
            if let Some(end) = state.push(piece, &mut out) {
                return Some((out, used + end));
            }
            used += piece.len();
        }
        None
    }

    #[test]
    fn dots_are_taken_off_and_the_end_is_found() {
        for (stuffed, message) in [
            (&b".\r\n"[..], &b""[..]),
            (b"a\r\n.\r\n", b"a\r\n"),
            (b"..\r\n.\r\n", b".\r\n"),
            (b"..a\r\n...\r\n.\r\n", b".a\r\n..\r\n"),
            (b".a\r\n.\r\n", b"a\r\n"),
            // No line begins behind a bare LF or a bare CR.
            (b"a\n.\r\n.\r\n", b"a\n.\r\n"),
            (b"a\n..\r\n.\r\n", b"a\n..\r\n"),
            (b"a\r.\r\n.\r\n", b"a\r.\r\n"),
            (b"a\r\n.\rb\r\n.\r\n", b"a\r\n\rb\r\n"),
            (b"a\r\n.\r\r\n.\r\n", b"a\r\n\r\r\n"),
            (b".\n.\r\n\r\n.\r\n", b"\n.\r\n\r\n"),
        ] {
            for piece in [1, 2, 3, 100] {
                let found = unstuffed(&[stuffed, b"+OK next\r\n"].concat(), piece);
                assert_eq!(found, Some((message.to_vec(), stuffed.len())), "{}", stuffed.escape_ascii());
            }
        }
        assert_eq!(unstuffed(b"a\r\n.\r", 3), None);
        assert_eq!(unstuffed(b"a\n.\n", 3), None);
    }

    proptest! {
        #[test]
        fn what_is_stuffed_comes_back(text in "([a.]|\r\n){0,40}", piece in 1_usize..9) {
            let text = text + "\r\n";
            let mut stuffed = Vec::new();
            let mut stuffing = DotStuffing::new();
            stuffing.push(text.as_bytes(), &mut stuffed);
            stuffing.finish(&mut stuffed);
            let length = stuffed.len();
            prop_assert_eq!(unstuffed(&stuffed, piece), Some((text.into_bytes(), length)));
        }
    }
}
