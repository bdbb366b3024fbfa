//! Input of a line protocol: lines with strict CRLF endings, and counted octets, within limits.

use memchr::memchr2;

/// Why no line can be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineError {
    /// Longer than the limit. The rest is skipped up to its end; [`Input::line`] goes on behind it.
    TooLong,
    /// A CR without LF or an LF without CR (RFC 5321 §2.3.8 forbids them). The line up to the next LF is skipped.
    BareEnding,
}

/// Bytes that have come and were not used yet.
#[derive(Default, Debug)]
pub struct Input {
    buffer: Vec<u8>,
    start: usize,
    /// How far [`line`](Input::line) has looked without finding an end, from `start`.
    searched: usize,
    skip: Skip,
}

#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
enum Skip {
    #[default]
    No,
    /// Drop everything to the next LF, then report.
    ToLf(LineError),
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
    /// The line is skipped and reported once.
    pub fn line(&mut self, max: usize) -> Option<Result<usize, LineError>> {
        if let Skip::ToLf(why) = self.skip {
            let Some(at) = memchr::memchr(b'\n', self.pending()) else {
                let all = self.pending().len();
                self.consume(all);
                return None;
            };
            self.consume(at + 1);
            self.skip = Skip::No;
            return Some(Err(why));
        }
        let pending = &self.buffer[self.start..];
        let Some(at) = memchr2(b'\r', b'\n', &pending[self.searched..]).map(|at| at + self.searched) else {
            self.searched = pending.len();
            return if pending.len() > max { self.skip_line(LineError::TooLong, max) } else { None };
        };
        if at + 2 > max {
            return self.skip_line(LineError::TooLong, max);
        }
        match (pending[at], pending.get(at + 1)) {
            (b'\r', Some(b'\n')) => Some(Ok(at)),
            (b'\r', None) => {
                self.searched = at;
                None
            }
            _ => self.skip_line(LineError::BareEnding, max),
        }
    }

    fn skip_line(&mut self, why: LineError, max: usize) -> Option<Result<usize, LineError>> {
        self.skip = Skip::ToLf(why);
        self.searched = 0;
        self.line(max)
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
        let text = b"one\r\ntwo\nthree\r\nfo\rur\r\n\r\nfive\r\n";
        let wanted = [
            Ok(b"one".to_vec()),
            Err(LineError::BareEnding),
            Ok(b"three".to_vec()),
            Err(LineError::BareEnding),
            Ok(Vec::new()),
            Ok(b"five".to_vec()),
        ];
        assert_eq!(lines(&[text], 100), wanted);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(&bytes, 100), wanted, "one byte at a time");
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped_and_not_kept() {
        let long = [b'x'; 5000];
        let chunks: [&[u8]; 4] = [&long, &long, b"\r\nok\r\n", b"12345678\r\n"];
        assert_eq!(lines(&chunks, 10), [Err(LineError::TooLong), Ok(b"ok".to_vec()), Ok(b"12345678".to_vec())]);
        let mut input = Input::default();
        for _ in 0..100 {
            input.feed(&long);
            assert_eq!(input.line(10), None);
            assert!(input.pending().is_empty(), "an endless line is dropped as it comes");
        }
    }
}
