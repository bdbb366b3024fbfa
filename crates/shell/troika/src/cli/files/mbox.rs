//! mbox in its mboxrd form: a `From ` line before each message; `>From ` in a body has lost or gets one `>` (RFC 4155
//! and qmail's mbox(5)).

use super::{Found, to_crlf, to_lf};
use model::{Flag, FlagSet};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{self, BufRead, Write};

/// Largest message that is read from an mbox.
const MESSAGE_MAX: usize = 512 << 20;

/// Reads messages one after the other.
pub struct Reader<R> {
    input: R,
    /// The `From ` line that ended the message before.
    from_line: Option<Vec<u8>>,
    seen: HashMap<[u8; 32], u32>,
    /// Bytes read so far.
    pub bytes: u64,
}

impl<R: BufRead> Reader<R> {
    /// Starts at the beginning of a file.
    pub fn new(input: R) -> Reader<R> {
        Reader { input, from_line: None, seen: HashMap::new(), bytes: 0 }
    }

    /// The next message.
    ///
    /// # Errors
    /// When reading fails, the file is no mbox, or a message is absurdly large.
    pub fn next(&mut self) -> io::Result<Option<Found>> {
        let from_line = match self.from_line.take() {
            Some(line) => line,
            None => match self.first_from_line()? {
                Some(line) => line,
                None => return Ok(None),
            },
        };
        let mut content = Vec::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = self.input.read_until(b'\n', &mut line)?;
            self.bytes += length as u64;
            if length == 0 {
                break;
            }
            if line.starts_with(b"From ") && (content.is_empty() || ends_with_empty_line(&content)) {
                self.from_line = Some(line);
                break;
            }
            let quotes = line.iter().take_while(|byte| **byte == b'>').count();
            let unquoted =
                if quotes > 0 && line[quotes..].starts_with(b"From ") { &line[1..] } else { &line[..] };
            content.extend_from_slice(unquoted);
            if content.len() > MESSAGE_MAX {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a message in the mbox is larger than 512 MiB",
                ));
            }
        }
        // The empty line before the next From line belongs to the mbox, not to the message.
        if ends_with_empty_line(&content) {
            content.pop();
            if content.last() == Some(&b'\r') {
                content.pop();
            }
        }
        Ok(Some(self.found(&from_line, &content)))
    }

    fn first_from_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut line = Vec::new();
            let length = self.input.read_until(b'\n', &mut line)?;
            self.bytes += length as u64;
            match line.as_slice() {
                [] => return Ok(None),
                b"\n" | b"\r\n" => {}
                line if line.starts_with(b"From ") => return Ok(Some(line.to_vec())),
                _ => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "this is no mbox: it does not begin with a From line",
                    ));
                }
            }
        }
    }

    fn found(&mut self, from_line: &[u8], content: &[u8]) -> Found {
        let marked = to_crlf(content);
        let (flags, received) =
            (status_flags(&marked), envelope_date(from_line).or_else(|| header_date(&marked)));
        let content = &marked[leading_marks(&marked)..];
        let digest: [u8; 32] = Sha256::digest(content).into();
        // Two equal messages in one file are two messages: they are told apart by their order.
        let number = self.seen.entry(digest).or_default();
        *number += 1;
        let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Found {
            key: format!("mbox:{hex}:{number}"),
            flags,
            keywords: Vec::new(),
            received: received.unwrap_or(0),
            content: content.to_vec(),
        }
    }
}

fn ends_with_empty_line(content: &[u8]) -> bool {
    content.ends_with(b"\n\n") || content.ends_with(b"\n\r\n")
}

/// Status and X-Status as Pine, mutt and Dovecot write them: R read, A answered, F flagged, D deleted, T draft.
fn status_flags(content: &[u8]) -> FlagSet {
    let mut flags = FlagSet::NONE;
    for line in content.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        let letters: &[(char, Flag)] = match name.to_ascii_lowercase().as_str() {
            "status" => &[('R', Flag::Seen)],
            "x-status" => {
                &[('A', Flag::Answered), ('F', Flag::Flagged), ('D', Flag::Deleted), ('T', Flag::Draft)]
            }
            _ => continue,
        };
        flags = letters
            .iter()
            .filter(|(letter, _)| value.contains(*letter))
            .fold(flags, |all, (_, flag)| all.with(*flag));
    }
    flags
}

/// Octets of the Status and X-Status fields right behind the From line, where [`write()`] puts them: they are the mbox's,
/// not the message's, which comes back as it was. The same fields further down are left where another program put them.
fn leading_marks(content: &[u8]) -> usize {
    let mut at = 0;
    for name in [&b"status: "[..], b"x-status: "] {
        let rest = &content[at..];
        if rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            at += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        }
    }
    at
}

/// The date in `From sender Thu Nov 21 12:00:00 2026`, taken as UTC.
fn envelope_date(from_line: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(from_line).ok()?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let [.., month, day, clock, year] = words.as_slice() else { return None };
    mime::date::parse(format!("{day} {month} {year} {clock} +0000").as_bytes()).map(|date| date.unix_seconds)
}

fn header_date(content: &[u8]) -> Option<i64> {
    let value = mime::header::HeaderFields::new(content)
        .find(|field| field.name.eq_ignore_ascii_case(b"date"))?
        .value;
    mime::date::parse(value).map(|date| date.unix_seconds)
}

/// Writes one message with its From line; body lines that look like one get a `>` more.
///
/// # Errors
/// As the file.
pub fn write(out: &mut impl Write, found: &Found) -> io::Result<()> {
    let date =
        time::OffsetDateTime::from_unix_timestamp(found.received).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let format = time::macros::format_description!(
        "[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year]"
    );
    writeln!(out, "From MAILER-DAEMON {}", date.format(&format).map_err(io::Error::other)?)?;
    let mut status = String::new();
    if found.flags.has(Flag::Seen) {
        status.push('R');
    }
    status.push('O');
    let mut more = String::new();
    for (letter, flag) in
        [('A', Flag::Answered), ('F', Flag::Flagged), ('D', Flag::Deleted), ('T', Flag::Draft)]
    {
        if found.flags.has(flag) {
            more.push(letter);
        }
    }
    writeln!(out, "Status: {status}")?;
    if !more.is_empty() {
        writeln!(out, "X-Status: {more}")?;
    }
    let text = to_lf(&found.content);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        if line[quotes..].starts_with(b"From ") {
            out.write_all(b">")?;
        }
        out.write_all(line)?;
    }
    if !text.ends_with(b"\n") {
        out.write_all(b"\n")?;
    }
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_a_round_trip() {
        let text = "Subject: a\r\n\r\nFrom here\r\n>From there\r\n\r\nend\r\n";
        let found = |flags: FlagSet| Found {
            content: text.as_bytes().to_vec(),
            key: String::new(),
            flags,
            keywords: Vec::new(),
            received: 1_795_262_400,
        };
        let mut file = Vec::new();
        write(&mut file, &found(FlagSet::NONE.with(Flag::Seen).with(Flag::Flagged))).unwrap();
        write(&mut file, &found(FlagSet::NONE)).unwrap();
        let mut reader = Reader::new(file.as_slice());
        let first = reader.next().unwrap().unwrap();
        let second = reader.next().unwrap().unwrap();
        assert!(reader.next().unwrap().is_none());
        assert_eq!(String::from_utf8_lossy(&first.content), text);
        assert_eq!(String::from_utf8_lossy(&second.content), text);
        assert_eq!(first.flags, FlagSet::NONE.with(Flag::Seen).with(Flag::Flagged));
        assert_eq!(second.received, 1_795_262_400);
        assert_ne!(first.key, second.key);
    }

    #[test]
    fn a_file_that_is_no_mbox_is_refused() {
        assert!(Reader::new(&b"hello\n"[..]).next().is_err());
        assert!(Reader::new(&b"\n\n"[..]).next().unwrap().is_none());
    }
}
