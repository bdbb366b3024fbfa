//! A small IMAP client's ear: responses of RFC 9051 §7 as trees. It shares nothing with the server's own parser, which it
//! is to judge.

use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer in this time is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// No greeting in this time is one. Shorter: a connection to a server that was killed just then may be half open, and is
/// tried again.
const GREETING_PATIENCE: Duration = Duration::from_secs(15);

/// A value in a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Anything that stands bare, sections in brackets included.
    Atom(String),
    /// A quoted string or a literal.
    Text(Vec<u8>),
    /// In parentheses.
    List(Vec<Value>),
}

impl Value {
    /// The words of an atom or a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Atom(text) => Some(text),
            Value::Text(bytes) => std::str::from_utf8(bytes).ok(),
            Value::List(_) => None,
        }
    }

    /// A number.
    pub fn number(&self) -> Option<u64> {
        self.text()?.parse().ok()
    }

    /// The members of a list.
    pub fn list(&self) -> Option<&[Value]> {
        match self {
            Value::List(values) => Some(values),
            _ => None,
        }
    }
}

/// One response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Response {
    /// `+`
    Continue,
    /// OK, NO, BAD, BYE, PREAUTH; `tag` is None for an untagged one.
    Status {
        /// Whose.
        tag: Option<String>,
        /// In capitals.
        kind: String,
        /// Between the brackets; empty without.
        code: String,
    },
    /// Anything else behind `*`.
    Data(Vec<Value>),
}

/// COMPRESS=DEFLATE (RFC 4978), with a window of its own for each direction.
struct Deflated {
    out: Box<CompressorOxide>,
    input: Box<InflateState>,
}

/// A connection.
pub struct Wire {
    stream: TcpStream,
    deflated: Option<Deflated>,
    buffer: Vec<u8>,
    start: usize,
}

impl Wire {
    /// Connects; until it is [`greeted`](Self::greeted), it is less patient.
    ///
    /// # Errors
    /// As the system.
    pub fn connect(address: SocketAddr) -> io::Result<Wire> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(GREETING_PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Wire { stream, deflated: None, buffer: Vec::new(), start: 0 })
    }

    /// The server is there.
    ///
    /// # Errors
    /// As the system.
    pub fn greeted(&self) -> io::Result<()> {
        self.stream.set_read_timeout(Some(PATIENCE))
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// As the system.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(deflated) = &mut self.deflated else { return self.stream.write_all(bytes) };
        let mut rest = bytes;
        let mut chunk = [0; 16 * 1024];
        loop {
            let done = deflate(&mut deflated.out, rest, &mut chunk, MZFlush::Sync);
            if !matches!(done.status, Ok(_) | Err(MZError::Buf)) {
                return Err(io::Error::other("the compressor failed"));
            }
            self.stream.write_all(&chunk[..done.bytes_written])?;
            rest = &rest[done.bytes_consumed..];
            if rest.is_empty() && done.bytes_written < chunk.len() {
                return Ok(());
            }
        }
    }

    /// From here on both directions are compressed.
    ///
    /// # Errors
    /// Something came behind the answer, not compressed.
    pub fn compress(&mut self) -> io::Result<()> {
        if self.start < self.buffer.len() {
            return Err(io::Error::other("more came with the answer to COMPRESS"));
        }
        let mut out = Box::new(CompressorOxide::default());
        out.set_format_and_level(DataFormat::Raw, 6);
        self.deflated = Some(Deflated { out, input: InflateState::new_boxed(DataFormat::Raw) });
        Ok(())
    }

    /// Reads one response; also its bytes, for the log. None: the server hung up.
    ///
    /// # Errors
    /// As the system, and responses that make no sense.
    pub fn response(&mut self) -> io::Result<Option<(Response, String)>> {
        let Some(raw) = self.raw()? else { return Ok(None) };
        let shown = String::from_utf8_lossy(&raw[..raw.len().min(400)]).trim_end().to_owned();
        let response = parse(&raw).ok_or_else(|| io::Error::other(format!("not understood: {shown}")))?;
        Ok(Some((response, shown)))
    }

    /// Whether something has come already, or comes within `wait`.
    ///
    /// # Errors
    /// As the system.
    pub fn has_more(&mut self, wait: Option<Duration>) -> io::Result<bool> {
        while self.start == self.buffer.len() {
            if !self.is_readable(wait)? {
                return Ok(false);
            }
            // What has come of a compressed stream may be but the mark behind what was read, and no response follows. Where
            // the connection has ended, the next one who reads will see that too.
            if self.deflated.is_none() || !self.more()? {
                return Ok(true);
            }
        }
        Ok(true)
    }

    fn is_readable(&mut self, wait: Option<Duration>) -> io::Result<bool> {
        let mut byte = [0];
        let peeked = match wait {
            Some(wait) => {
                self.stream.set_read_timeout(Some(wait))?;
                let peeked = self.stream.peek(&mut byte);
                self.stream.set_read_timeout(Some(PATIENCE))?;
                peeked
            }
            None => {
                self.stream.set_nonblocking(true)?;
                let peeked = self.stream.peek(&mut byte);
                self.stream.set_nonblocking(false)?;
                peeked
            }
        };
        match peeked {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// One response's bytes with its literals.
    fn raw(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut raw = Vec::new();
        loop {
            let from = raw.len();
            if !self.line_into(&mut raw)? {
                return Ok(None);
            }
            let Some(length) = literal_length(&raw[from..]) else { return Ok(Some(raw)) };
            while self.buffer.len() - self.start < length {
                if !self.more()? {
                    return Ok(None);
                }
            }
            raw.extend_from_slice(&self.buffer[self.start..self.start + length]);
            self.start += length;
        }
    }

    fn line_into(&mut self, raw: &mut Vec<u8>) -> io::Result<bool> {
        let mut searched = self.start;
        loop {
            if let Some(at) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let end = searched + at + 1;
                raw.extend_from_slice(&self.buffer[self.start..end]);
                self.start = end;
                return Ok(true);
            }
            let pending = self.buffer.len() - self.start;
            if !self.more()? {
                return Ok(false);
            }
            searched = self.start + pending;
        }
    }

    fn more(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(read) => {
                match &mut self.deflated {
                    Some(deflated) => inflate_into(&mut deflated.input, &chunk[..read], &mut self.buffer)?,
                    None => self.buffer.extend_from_slice(&chunk[..read]),
                }
                Ok(read > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(io::Error::other(format!("no answer in {} s", PATIENCE.as_secs())))
            }
            Err(error) => Err(error),
        }
    }
}

fn inflate_into(state: &mut InflateState, mut from: &[u8], to: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 16 * 1024];
    loop {
        let done = inflate(state, from, &mut chunk, MZFlush::None);
        if !matches!(done.status, Ok(MZStatus::Ok) | Err(MZError::Buf)) {
            return Err(io::Error::other(format!("what came can't be inflated: {:?}", done.status)));
        }
        to.extend_from_slice(&chunk[..done.bytes_written]);
        from = &from[done.bytes_consumed..];
        if from.is_empty() && done.bytes_written < chunk.len() {
            return Ok(());
        }
    }
}

/// The length of the literal that a line ends with.
fn literal_length(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}\r\n")?;
    let open = line.iter().rposition(|byte| *byte == b'{')?;
    std::str::from_utf8(&line[open + 1..]).ok()?.parse().ok()
}

fn parse(raw: &[u8]) -> Option<Response> {
    let line = raw.strip_suffix(b"\r\n")?;
    if line.first() == Some(&b'+') {
        return Some(Response::Continue);
    }
    let (tag, rest) = word(line);
    let (kind, text) = word(rest);
    let kind = std::str::from_utf8(kind).ok()?.to_ascii_uppercase();
    let tag = (tag != b"*").then(|| String::from_utf8_lossy(tag).into_owned());
    if matches!(kind.as_str(), "OK" | "NO" | "BAD" | "BYE" | "PREAUTH") {
        let text = std::str::from_utf8(text).ok()?;
        let code = text.strip_prefix('[').and_then(|text| text.split_once(']')).map_or("", |(code, _)| code);
        return Some(Response::Status { tag, kind, code: code.to_owned() });
    }
    if tag.is_some() {
        return None;
    }
    let mut cursor = Cursor { rest };
    let mut values = Vec::new();
    while !cursor.rest.is_empty() {
        values.push(cursor.value()?);
        cursor.rest = cursor.rest.strip_prefix(b" ").unwrap_or(cursor.rest);
    }
    Some(Response::Data(values))
}

fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    (&line[..end], line.get(end + 1..).unwrap_or_default())
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn value(&mut self) -> Option<Value> {
        match self.rest.first()? {
            b'(' => {
                self.rest = &self.rest[1..];
                let mut values = Vec::new();
                while *self.rest.first()? != b')' {
                    values.push(self.value()?);
                    self.rest = self.rest.strip_prefix(b" ").unwrap_or(self.rest);
                }
                self.rest = &self.rest[1..];
                Some(Value::List(values))
            }
            b'"' => self.quoted(),
            b'{' => {
                let end = self.rest.windows(3).position(|three| three == b"}\r\n")?;
                let length: usize = std::str::from_utf8(&self.rest[1..end]).ok()?.parse().ok()?;
                let text = self.rest.get(end + 3..end + 3 + length)?.to_vec();
                self.rest = &self.rest[end + 3 + length..];
                Some(Value::Text(text))
            }
            _ => self.atom(),
        }
    }

    fn quoted(&mut self) -> Option<Value> {
        let mut text = Vec::new();
        let mut at = 1;
        loop {
            match *self.rest.get(at)? {
                b'"' => break,
                b'\\' => {
                    at += 1;
                    text.push(*self.rest.get(at)?);
                }
                byte => text.push(byte),
            }
            at += 1;
        }
        self.rest = &self.rest[at + 1..];
        Some(Value::Text(text))
    }

    /// Spaces and parentheses within brackets belong to it: `BODY[HEADER.FIELDS (SUBJECT)]`.
    fn atom(&mut self) -> Option<Value> {
        let mut depth = 0;
        let mut end = self.rest.len();
        for (at, byte) in self.rest.iter().enumerate() {
            match byte {
                b'[' => depth += 1,
                b']' if depth > 0 => depth -= 1,
                b' ' | b'(' | b')' if depth == 0 => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        if end == 0 {
            return None;
        }
        let text = String::from_utf8(self.rest[..end].to_vec()).ok()?;
        self.rest = &self.rest[end..];
        Some(Value::Atom(text))
    }
}

/// The numbers of a set without `*`: `1:3,7`.
pub fn numbers(set: &str) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    for part in set.split(',') {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        numbers.extend(first.min(last)..=first.max(last));
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_trees() {
        let raw = b"* 3 FETCH (UID 7 FLAGS (\\Seen k1) BODY[HEADER.FIELDS (SUBJECT)] {4}\r\na)\r\n X NIL \"a\\\"b\")\r\n";
        let Some(Response::Data(values)) = parse(raw) else { panic!("data") };
        let items = values[2].list().unwrap();
        assert_eq!(values[0].number(), Some(3));
        assert_eq!(items[4], Value::Atom("BODY[HEADER.FIELDS (SUBJECT)]".into()));
        assert_eq!(items[5], Value::Text(b"a)\r\n".to_vec()));
        assert_eq!(items[8], Value::Text(b"a\"b".to_vec()));
        let status = parse(b"a1 OK [COPYUID 3 1:2 5:6] done\r\n").unwrap();
        let (tag, kind, code) = (Some("a1".into()), "OK".into(), "COPYUID 3 1:2 5:6".into());
        assert_eq!(status, Response::Status { tag, kind, code });
        assert_eq!(numbers("1:3,9,6:5"), Some(vec![1, 2, 3, 9, 5, 6]));
        assert!(parse(b"a1 FETCH\r\n").is_none() && parse(b"* 1 FETCH (\r\n").is_none());
    }

    #[test]
    fn the_mark_behind_compressed_text_is_no_response() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut wire = Wire::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        wire.compress().unwrap();
        let mut out = Box::new(CompressorOxide::default());
        out.set_format_and_level(DataFormat::Raw, 6);
        let mut chunk = [0; 1000];
        let done = deflate(&mut out, b"a OK done\r\n", &mut chunk, MZFlush::Sync);
        let (text, mark) = chunk[..done.bytes_written].split_at(done.bytes_written - 4);
        assert_eq!(mark, [0, 0, 0xff, 0xff]);
        server.write_all(text).unwrap();
        assert!(wire.has_more(Some(PATIENCE)).unwrap() && wire.response().unwrap().is_some());
        server.write_all(mark).unwrap();
        assert!(!wire.has_more(Some(Duration::from_millis(50))).unwrap());
        drop(server);
        assert!(wire.has_more(Some(PATIENCE)).unwrap() && wire.response().unwrap().is_none());
    }
}
