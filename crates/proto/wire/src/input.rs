//! Input of a line protocol: lines with strict CRLF endings, and counted octets, within limits.

use memchr::{memchr, memchr2};

/// Why no line can be had. It is told at once, and once for each line; the rest of the line, up to the next CRLF, is
/// dropped as it comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineError {
    /// Longer than the limit.
    TooLong,
    /// A CR without LF or an LF without CR (RFC 5321 §2.3.8 forbids them). Neither ends a line, so what follows it on
    /// the same line is no command either.
    BareEnding,
    /// More of a line that was refused before has come than is dropped in the hope of its end: close the connection.
    Endless,
}

/// Octets of a refused line that are dropped in the hope of its end.
pub const DROPPED_BYTES_MAX: usize = 1024 * 1024;

/// Bytes that have come and were not used yet.
#[derive(Default, Debug)]
pub struct Input {
    buffer: Vec<u8>,
    start: usize,
    /// How far [`line`](Input::line) has looked without finding an end, from `start`.
    searched: usize,
    skip: Option<Skip>,
}

/// A line that is being dropped.
#[derive(Debug, Clone, Copy)]
struct Skip {
    dropped: usize,
    /// Whether the last octet dropped was a CR, which the LF to come would complete.
    after_cr: bool,
}

impl Input {
    /// Adds bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        } else if self.start > 4096 && self.start * 2 > self.buffer.len() {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// What has come and was not used.
    pub fn pending(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Marks `count` pending bytes as used.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.buffer.len());
        self.searched = 0;
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        }
    }

    /// Forgets everything (before TLS starts).
    pub fn discard(&mut self) {
        *self = Input::default();
    }

    /// Everything that has come and was not used, which is no input any more.
    pub fn take(&mut self) -> Vec<u8> {
        let pending = self.pending().to_vec();
        self.discard();
        pending
    }

    /// Gives spare memory back; for sessions that go idle.
    pub fn shrink(&mut self) {
        if self.start == self.buffer.len() {
            self.buffer = Vec::new();
            self.start = 0;
        }
    }

    /// Length of the next complete line without its CRLF, which the caller reads with [`pending`](Self::pending) and
    /// then drops with [`consume`](Self::consume)`(length + 2)`. None: more input is needed. `max` counts the CRLF.
    ///
    /// # Errors
    /// The line is dropped and reported.
    pub fn line(&mut self, max: usize) -> Option<Result<usize, LineError>> {
        self.line_by(|_| max)
    }

    /// As [`line`](Self::line), where the limit depends on how the line begins: `max` is shown what has come of it (and
    /// never what is left of a line before it that is being dropped).
    ///
    /// # Errors
    /// As [`line`](Self::line).
    pub fn line_by(&mut self, max: impl FnOnce(&[u8]) -> usize) -> Option<Result<usize, LineError>> {
        if let Some(skip) = self.skip {
            let (ended, dropped) = self.drop_rest(skip);
            // Also when the end did come, so that it does not depend on how the input was cut.
            if dropped > DROPPED_BYTES_MAX {
                self.skip = None;
                return Some(Err(LineError::Endless));
            }
            if !ended {
                return None;
            }
        }
        let max = max(&self.buffer[self.start..]);
        let pending = &self.buffer[self.start..];
        let Some(at) = memchr2(b'\r', b'\n', &pending[self.searched..]).map(|at| at + self.searched) else {
            self.searched = pending.len();
            return if pending.len() > max { self.drop_line(0, LineError::TooLong) } else { None };
        };
        if at + 2 > max {
            return self.drop_line(at, LineError::TooLong);
        }
        match (pending[at], pending.get(at + 1)) {
            (b'\r', Some(b'\n')) => Some(Ok(at)),
            (b'\r', None) => {
                self.searched = at;
                None
            }
            _ => self.drop_line(at + 1, LineError::BareEnding),
        }
    }

    fn drop_line(&mut self, used: usize, why: LineError) -> Option<Result<usize, LineError>> {
        self.consume(used);
        self.skip = Some(Skip { dropped: 0, after_cr: false });
        Some(Err(why))
    }

    /// Drops up to the CRLF that ends the line; answers whether it has come, and how much has been dropped by now.
    fn drop_rest(&mut self, mut skip: Skip) -> (bool, usize) {
        let pending = &self.buffer[self.start..];
        let (mut used, mut ended) = (0, false);
        while !ended && used < pending.len() {
            let Some(lf) = memchr(b'\n', &pending[used..]).map(|at| at + used) else {
                skip.after_cr = pending.ends_with(b"\r");
                used = pending.len();
                break;
            };
            ended = if lf == 0 { skip.after_cr } else { pending[lf - 1] == b'\r' };
            skip.after_cr = false;
            used = lf + 1;
        }
        skip.dropped += used;
        self.consume(used);
        self.skip = (!ended).then_some(skip);
        (ended, skip.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]], max: usize) -> Vec<Result<Vec<u8>, LineError>> {
        let mut input = Input::default();
        let mut out = Vec::new();
        for chunk in chunks {
            input.feed(chunk);
            while let Some(line) = input.line(max) {
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
    fn only_crlf_ends_a_line() {
        let text = b"one\r\ntwo\nthree\r\nfo\rur\r\n\r\nfive\r\n\r\rsix\r\nseven\r\n";
        let wanted = [
            Ok(b"one".to_vec()),
            Err(LineError::BareEnding),
            Err(LineError::BareEnding),
            Ok(Vec::new()),
            Ok(b"five".to_vec()),
            Err(LineError::BareEnding),
            Ok(b"seven".to_vec()),
        ];
        assert_eq!(lines(&[text], 100), wanted);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(&bytes, 100), wanted, "one byte at a time");
    }

    #[test]
    fn a_line_beyond_the_limit_is_dropped_and_not_kept() {
        let long = [b'x'; 5000];
        let chunks: [&[u8]; 4] = [&long, &long, b"\r\nok\r\n", b"12345678\r\n"];
        assert_eq!(
            lines(&chunks, 10),
            [Err(LineError::TooLong), Ok(b"ok".to_vec()), Ok(b"12345678".to_vec())]
        );
        assert_eq!(lines(&[b"123456789\r\nok\r\n"], 10), [Err(LineError::TooLong), Ok(b"ok".to_vec())]);
        let mut input = Input::default();
        input.feed(&long);
        assert_eq!(input.line(10), Some(Err(LineError::TooLong)));
        for _ in 0..DROPPED_BYTES_MAX / long.len() {
            assert_eq!(input.line(10), None, "told once");
            assert!(input.pending().is_empty(), "an endless line is dropped as it comes");
            input.feed(&long);
        }
        input.feed(b"\r\n");
        assert_eq!(input.line(10), Some(Err(LineError::Endless)));
    }

    #[test]
    fn the_limit_is_that_of_the_next_line() {
        let mut input = Input::default();
        let by = |begin: &[u8]| if begin.starts_with(b"long") { 20 } else { 5 };
        input.feed(b"1234567\r\nlong line\r\nlong");
        assert_eq!(input.line_by(by), Some(Err(LineError::TooLong)));
        assert_eq!(input.line_by(by), Some(Ok(9)));
    }
}
