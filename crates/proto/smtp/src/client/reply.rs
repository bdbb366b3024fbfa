//! Replies as a client reads them (RFC 5321 §4.2), within bounds, whatever a server sends.
//!
//! ```text
//! Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
//! Reply-code = %x32-35 %x30-35 %x30-39
//! ```
//! A bare LF ends a line too: nothing depends on it, and old servers send it. Everything else that is no reply ends the
//! connection: what follows it could not be told apart from the next reply.

use crate::reply::Enhanced;
use memchr::memchr;
use std::fmt;

/// A server's reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The enhanced code at the head of the text, when there is one whose class fits the code (RFC 2034 §4).
    pub enhanced: Option<Enhanced>,
    /// The text of each line, without codes; at least one. Control characters and what is not UTF-8 are replaced.
    pub lines: Vec<String>,
}

/// Why what came is no reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReplyError {
    /// A line that does not begin with three digits and a space, hyphen or its end.
    NotAReply,
    /// The lines of one reply say different things: their codes begin with different digits.
    Contradictory,
    /// A line, or the whole reply, that does not end within the limits.
    TooLong,
    /// A reply that has no meaning where it came.
    Unexpected,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReplyError::NotAReply => "what it sent is no SMTP reply",
            ReplyError::Contradictory => "the lines of its reply contradict each other",
            ReplyError::TooLong => "its reply does not end",
            ReplyError::Unexpected => "its reply has no meaning at this point",
        })
    }
}

/// Longest line, in octets. RFC 5321 §4.5.3.1.5 has 512; a challenge of a log-in may be 12288 (RFC 4954 §4).
const LINE_BYTES_MAX: usize = 16 * 1024;
/// Most lines of a reply.
const LINES_MAX: usize = 512;
/// Most text of a reply, in octets.
const TEXT_BYTES_MAX: usize = 64 * 1024;

impl Reply {
    /// 2yz
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4yz
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// 5yz
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// All lines in one, with spaces between.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Whether this is a server that takes the message only when it comes again later: such mail is worth another
    /// attempt soon. No code says so; the usual texts do.
    pub fn is_greylisting(&self) -> bool {
        let text = || self.text().to_ascii_lowercase();
        matches!(self.code, 421 | 450 | 451)
            && (self.enhanced == Some(Enhanced(4, 7, 1)) || {
                let text = text();
                ["greylist", "graylist", "grey list", "gray list", "grey-list", "gray-list"]
                    .iter()
                    .any(|word| text.contains(word))
            })
    }

    /// The reply with at most that much text, in octets: what is kept of a thousand recipients has to be little.
    #[must_use]
    pub(super) fn shortened(mut self, bytes_max: usize) -> Reply {
        let mut left = bytes_max;
        for at in 0..self.lines.len() {
            let line = &mut self.lines[at];
            if line.len() > left {
                line.truncate(line.floor_char_boundary(left));
                self.lines.truncate(at + 1);
                break;
            }
            left -= line.len();
        }
        self.lines.shrink_to_fit();
        self
    }
}

impl fmt::Display for Reply {
    /// `550 5.1.1 text`, all on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for line in self.lines.iter().filter(|line| !line.is_empty()) {
            write!(f, " {line}")?;
        }
        Ok(())
    }
}

/// Makes replies of octets, however they were cut into pieces.
#[derive(Debug, Default)]
pub struct ReplyReader {
    input: Vec<u8>,
    /// Octets of `input` that were used.
    start: usize,
    /// Octets behind them that hold no line end.
    searched: usize,
    partial: Option<Partial>,
}

/// The lines of a reply so far.
#[derive(Debug)]
struct Partial {
    reply: Reply,
    text_bytes: usize,
}

impl ReplyReader {
    /// Adds octets.
    pub fn feed(&mut self, octets: &[u8]) {
        if self.start == self.input.len() {
            self.input.clear();
            self.start = 0;
        } else if self.start > 4096 {
            self.input.drain(..self.start);
            self.start = 0;
        }
        self.input.extend_from_slice(octets);
    }

    /// Forgets everything (RFC 3207 §4.2: before TLS starts).
    pub fn discard(&mut self) {
        *self = ReplyReader::default();
    }

    /// The next whole reply; None: more octets are needed.
    ///
    /// # Errors
    /// What came is no reply; the connection can't be used any more.
    pub fn read(&mut self) -> Option<Result<Reply, ReplyError>> {
        loop {
            let pending = &self.input[self.start..];
            let Some(end) = memchr(b'\n', &pending[self.searched..]).map(|at| at + self.searched) else {
                self.searched = pending.len();
                return (pending.len() > LINE_BYTES_MAX).then_some(Err(ReplyError::TooLong));
            };
            if end > LINE_BYTES_MAX {
                return Some(Err(ReplyError::TooLong));
            }
            let line = &pending[..end];
            let line = Line::parse(line.strip_suffix(b"\r").unwrap_or(line));
            self.start += end + 1;
            self.searched = 0;
            let last = match line {
                Err(error) => return Some(Err(error)),
                Ok(line) => match self.add(line) {
                    Err(error) => return Some(Err(error)),
                    Ok(last) => last,
                },
            };
            if last {
                if self.start == self.input.len() {
                    // Idle connections hold no buffers.
                    (self.input, self.start) = (Vec::new(), 0);
                }
                return self.partial.take().map(|partial| Ok(partial.reply));
            }
        }
    }

    /// Adds a line to the reply; answers whether it is the last one.
    fn add(&mut self, line: Line) -> Result<bool, ReplyError> {
        let Some(partial) = &mut self.partial else {
            let text_bytes = line.text.len();
            let reply = Reply { code: line.code, enhanced: line.enhanced, lines: vec![line.text] };
            self.partial = Some(Partial { reply, text_bytes });
            return Ok(line.is_last);
        };
        // RFC 5321 §4.2.1: the codes of all lines are the same. A difference within the class is a blemish, and the
        // last one counts; any other would let us guess.
        if partial.reply.code / 100 != line.code / 100 {
            return Err(ReplyError::Contradictory);
        }
        partial.text_bytes += line.text.len();
        if partial.text_bytes > TEXT_BYTES_MAX || partial.reply.lines.len() >= LINES_MAX {
            return Err(ReplyError::TooLong);
        }
        partial.reply.code = line.code;
        partial.reply.enhanced = line.enhanced.or(partial.reply.enhanced);
        partial.reply.lines.push(line.text);
        Ok(line.is_last)
    }
}

/// One line, taken apart.
struct Line {
    code: u16,
    enhanced: Option<Enhanced>,
    text: String,
    is_last: bool,
}

impl Line {
    fn parse(line: &[u8]) -> Result<Line, ReplyError> {
        let (&code, rest) = line.split_first_chunk::<3>().ok_or(ReplyError::NotAReply)?;
        if !code.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&code[0]) {
            return Err(ReplyError::NotAReply);
        }
        let (is_last, text) = match rest.split_first() {
            None => (true, rest),
            Some((b' ', text)) => (true, text),
            Some((b'-', text)) => (false, text),
            Some(_) => return Err(ReplyError::NotAReply),
        };
        let code = code.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        let text = String::from_utf8_lossy(text);
        let (enhanced, text) = split_enhanced(code, &text);
        let text = text.chars().map(|c| if c.is_control() && c != '\t' { '?' } else { c }).collect();
        Ok(Line { code, enhanced, text, is_last })
    }
}

/// ```text
/// status-code = class "." subject "." detail      class = "2" / "4" / "5"      subject, detail = 1*3DIGIT
/// ```
/// RFC 2034 §4, RFC 3463 §2. Taken from any server: many give it to MAIL and RCPT without having listed the extension.
fn split_enhanced(code: u16, text: &str) -> (Option<Enhanced>, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let number = |text: &str| {
        let fine = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if fine { text.parse::<u16>().ok() } else { None }
    };
    let mut parts = word.split('.');
    let parsed =
        (parts.next().and_then(number), parts.next().and_then(number), parts.next().and_then(number));
    match (parsed, parts.next()) {
        ((Some(class), Some(subject), Some(detail)), None) if class == code / 100 => {
            (u8::try_from(class).ok().map(|class| Enhanced(class, subject, detail)), rest)
        }
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(chunks: &[&[u8]]) -> Vec<Result<Reply, ReplyError>> {
        let mut reader = ReplyReader::default();
        let mut out = Vec::new();
        for chunk in chunks {
            reader.feed(chunk);
            while let Some(reply) = reader.read() {
                let failed = reply.is_err();
                out.push(reply);
                if failed {
                    return out;
                }
            }
        }
        out
    }

    fn shown(text: &str) -> String {
        read(&[text.as_bytes()])
            .into_iter()
            .map(|reply| match reply {
                Ok(reply) => format!("{reply}|"),
                Err(error) => format!("{error:?}|"),
            })
            .collect()
    }

    #[test]
    fn replies_are_read() {
        let rows = [
            // RFC 5321 §4.2.1, appendix D; RFC 2034 §5; RFC 3463.
            (
                "220 foo.com Simple Mail Transfer Service Ready\r\n",
                "220 foo.com Simple Mail Transfer Service Ready|",
            ),
            (
                "250-First line\r\n250-Second line\r\n250-234 Text beginning with numbers\r\n250 The last line\r\n",
                "250 First line Second line 234 Text beginning with numbers The last line|",
            ),
            ("250\r\n", "250|"),
            ("250 \r\n", "250|"),
            ("250-\r\n250\r\n", "250|"),
            ("550 5.1.1 no\r\n250 ok\r\n", "550 5.1.1 no|250 ok|"),
            ("550-5.7.1 one\r\n550 5.7.1 two\r\n", "550 5.7.1 one two|"),
            ("550 2.1.1 other class\r\n", "550 2.1.1 other class|"),
            ("421 4.3.2\n", "421 4.3.2|"),
            ("450-a\r\n451 b\r\n", "451 a b|"),
            ("250 a\0\x1b[1mb\r\n", "250 a??[1mb|"),
        ];
        for (text, wanted) in rows {
            assert_eq!(shown(text), wanted, "{text:?}");
        }
        let reply = read(&[b"550 5.1.1 no\r\n"]).remove(0).unwrap();
        assert_eq!(reply.enhanced, Some(Enhanced(5, 1, 1)));
        assert_eq!(reply.text(), "no");
        assert_eq!(read(&[b"550 5.1.1.1 no\r\n"]).remove(0).unwrap().enhanced, None);
        assert_eq!(read(&[b"550 5.1000.1 no\r\n"]).remove(0).unwrap().enhanced, None);
        assert_eq!(read(&[b"250 \xff\xfe\r\n"]).remove(0).unwrap().text(), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for text in [
            "\r\n",
            "25\r\n",
            "hello\r\n",
            "2500 x\r\n",
            "250_x\r\n",
            "150 x\r\n",
            "650 x\r\n",
            "SSH-2.0-x\r\n",
            "+OK\r\n",
            " 250 x\r\n",
        ] {
            assert_eq!(read(&[text.as_bytes()]), [Err(ReplyError::NotAReply)], "{text:?}");
        }
        assert_eq!(read(&[b"250-x\r\n550 y\r\n"]), [Err(ReplyError::Contradictory)]);
        assert_eq!(read(&[&b"250-x\r\n".repeat(600)]), [Err(ReplyError::TooLong)]);
        assert_eq!(read(&[b"250 ", &[b'x'; 20_000]]), [Err(ReplyError::TooLong)]);
        let long = [b"250-".as_slice(), &[b'x'; 10_000], b"\r\n"].concat().repeat(7);
        assert_eq!(read(&[&long]), [Err(ReplyError::TooLong)]);
    }

    #[test]
    fn greylisting_is_told_by_its_text() {
        let reply = |text: &str| read(&[text.as_bytes()]).remove(0).unwrap();
        assert!(reply("451 4.7.1 Please try again later\r\n").is_greylisting());
        assert!(reply("450 <a@b>: Recipient address rejected: Greylisted\r\n").is_greylisting());
        assert!(!reply("451 4.3.0 disk\r\n").is_greylisting());
        assert!(!reply("550 5.7.1 greylisted\r\n").is_greylisting());
    }

    #[test]
    fn text_is_shortened_at_a_character() {
        let reply = read(&["550-абв\r\n550-г\r\n550 д\r\n".as_bytes()]).remove(0).unwrap();
        assert_eq!(reply.clone().shortened(7).lines, ["абв", ""]);
        assert_eq!(reply.shortened(100).lines.len(), 3);
    }

    proptest! {
        #[test]
        fn any_octets_in_any_pieces(octets in prop::collection::vec(prop_oneof![Just(b'2'), Just(b'5'), Just(b'0'), Just(b'-'), Just(b' '), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200), cut in 1..9_usize) {
            let pieces: Vec<&[u8]> = octets.chunks(cut).collect();
            prop_assert_eq!(read(&pieces), read(&[&octets]));
        }
    }
}
