//! Command lines. Only CRLF ends one: a bare CR or LF gets the line refused and everything up to the next CRLF dropped
//! with it, so that two parties can't disagree about where a command begins (RFC 5321 §2.3.8, SMTP smuggling).
//!
//! Unlike `wire::Input::line`, a refused line is told once however long it is (one reply to each command); one that does
//! not end at all is the end of the session ([`Refused::Endless`]).

use memchr::{memchr, memchr2};
use wire::{Input, LineError};

/// Finds lines in an [`Input`].
#[derive(Default, Debug)]
pub(crate) struct Lines {
    /// How far has been looked without finding CR or LF.
    searched: usize,
    /// The line was refused; its rest is to be dropped.
    skipping: bool,
    /// Octets of it that were.
    dropped_bytes: usize,
}

/// Octets of a refused line that are dropped in the hope of its end.
const DROPPED_BYTES_MAX: usize = 1024 * 1024;

/// Where a refused line stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// There is none, or it has ended.
    Over,
    /// Its end has not come.
    Amid,
    /// More came than is read in the hope of an end.
    Endless,
}

impl Lines {
    /// Length of the next line without its CRLF; the caller consumes it with `length + 2`. `max` counts the CRLF.
    /// None: more input is needed, and what can be dropped has been. A refused line is reported once, as early as it
    /// is seen.
    pub(crate) fn next(&mut self, input: &mut Input, max: usize) -> Option<Result<usize, LineError>> {
        if self.refused(input) != Refused::Over {
            return None;
        }
        let pending = input.pending();
        let Some(at) = memchr2(b'\r', b'\n', &pending[self.searched..]).map(|at| at + self.searched) else {
            self.searched = pending.len();
            // Whatever comes, the CR can't stand early enough any more.
            return if pending.len() + 1 >= max { self.refuse(input, 0, LineError::TooLong) } else { None };
        };
        if at + 2 > max {
            return self.refuse(input, 0, LineError::TooLong);
        }
        match (pending[at], pending.get(at + 1)) {
            (b'\r', Some(b'\n')) => {
                self.searched = 0;
                Some(Ok(at))
            }
            (b'\r', None) => {
                self.searched = at;
                None
            }
            _ => self.refuse(input, at + 1, LineError::BareEnding),
        }
    }

    /// Drops what has come of a refused line.
    pub(crate) fn refused(&mut self, input: &mut Input) -> Refused {
        if !self.skipping {
            return Refused::Over;
        }
        let before = input.pending().len();
        let ended = self.skip(input);
        self.dropped_bytes += before - input.pending().len();
        // Also when the end did come, so that it does not depend on how the input was cut.
        match ended {
            _ if self.dropped_bytes > DROPPED_BYTES_MAX => Refused::Endless,
            true => Refused::Over,
            false => Refused::Amid,
        }
    }

    fn refuse(&mut self, input: &mut Input, used: usize, why: LineError) -> Option<Result<usize, LineError>> {
        input.consume(used);
        self.searched = 0;
        self.skipping = true;
        self.dropped_bytes = 0;
        Some(Err(why))
    }

    /// Drops everything up to and with the next CRLF; false while it has not come.
    fn skip(&mut self, input: &mut Input) -> bool {
        loop {
            let pending = input.pending();
            let Some(at) = memchr(b'\r', pending) else {
                let all = pending.len();
                input.consume(all);
                return false;
            };
            let next = pending.get(at + 1).copied();
            match next {
                Some(b'\n') => {
                    input.consume(at + 2);
                    self.skipping = false;
                    return true;
                }
                Some(_) => input.consume(at + 1),
                None => {
                    input.consume(at);
                    return false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Result<Vec<u8>, LineError>;

    fn lines(chunks: &[&[u8]], max: usize) -> Vec<Read> {
        let (mut input, mut lines, mut out) = (Input::default(), Lines::default(), Vec::new());
        for chunk in chunks {
            input.feed(chunk);
            while let Some(line) = lines.next(&mut input, max) {
                out.push(line.map(|length| {
                    let line = input.pending()[..length].to_vec();
                    input.consume(length + 2);
                    line
                }));
            }
        }
        out
    }

    #[test]
    fn a_bare_ending_takes_the_whole_line_with_it() {
        let bare = Err(LineError::BareEnding);
        let rows: [(&[u8], Vec<Read>); 6] = [
            (b"NOOP\r\nQUIT\r\n", vec![Ok(b"NOOP".into()), Ok(b"QUIT".into())]),
            (b"NOOP\nQUIT\r\nRSET\r\n", vec![bare.clone(), Ok(b"RSET".into())]),
            (b"NOOP\rQUIT\r\nRSET\r\n", vec![bare.clone(), Ok(b"RSET".into())]),
            (b"NOOP\r\r\nRSET\r\n", vec![bare.clone(), Ok(b"RSET".into())]),
            (b"NOOP\n\r\nRSET\r\n", vec![bare.clone(), Ok(b"RSET".into())]),
            (b"\n\n\n\r\n\r\n", vec![bare, Ok(b"".into())]),
        ];
        for (text, wanted) in rows {
            assert_eq!(lines(&[text], 100), wanted, "{:?}", String::from_utf8_lossy(text));
            let bytes: Vec<&[u8]> = text.chunks(1).collect();
            assert_eq!(lines(&bytes, 100), wanted, "{:?}, byte by byte", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_line_too_long_is_told_at_once_and_dropped_as_it_comes() {
        let text = b"12345678\r\n123456789\r\nok\r\n";
        let wanted = [Ok(b"12345678".to_vec()), Err(LineError::TooLong), Ok(b"ok".to_vec())];
        assert_eq!(lines(&[text], 10), wanted);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(&bytes, 10), wanted);

        let (mut input, mut lines) = (Input::default(), Lines::default());
        input.feed(&[b'x'; 5000]);
        assert_eq!(lines.next(&mut input, 10), Some(Err(LineError::TooLong)));
        for _ in 0..100 {
            assert_eq!(lines.next(&mut input, 10), None);
            assert_eq!((lines.refused(&mut input), input.pending().len()), (Refused::Amid, 0));
            input.feed(&[b'x'; 5000]);
        }
        input.feed(&vec![b'x'; DROPPED_BYTES_MAX]);
        input.feed(b"\r\n");
        assert_eq!(lines.refused(&mut input), Refused::Endless);
    }
}
