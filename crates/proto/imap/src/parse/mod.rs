//! Commands from bytes: recursive descent by hand, over one command with its literals.
//!
//! Invariants: no input makes it panic; time is linear in the input (sorting a sequence set aside); memory is bounded by
//! the input's length and [`limits`]; recursion by [`limits::SEARCH_DEPTH_MAX`]; every fault names its place.
//!
//! RFC 3501 §9, RFC 9051 §9, RFC 4466 and the grammars of the extensions in `command`.

use crate::command::{Body, Command, Numbering, Section};
use crate::mailbox_name::{NameEncoding, NameFault};
use crate::receive::{Detached, Received};
use crate::sequence::SequenceSet;
use cursor::Cursor;
pub(crate) use cursor::is_astring_char;
pub(crate) use date::{civil_from_days, month_name, read_date_time, rfc3339};
use std::borrow::Cow;
use std::fmt;

mod account;
mod acl;
mod annotation;
mod cursor;
mod date;
mod flags;
pub mod limits;
mod mailbox;
mod message;
mod metadata;
mod notify;
mod order;
#[cfg(test)]
mod round_trip;
mod search;
#[cfg(test)]
mod tests;
mod url;

/// Why a command can't be understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// The command's tag. None: it has none, and the answer is an untagged BAD.
    pub tag: Option<String>,
    /// How to answer.
    pub kind: FaultKind,
    /// Octets before the place, from the beginning of the command (literals counted, unless they are messages).
    pub offset: usize,
    /// What should stand there.
    expected: Cow<'static, str>,
    /// What stands there, printable ASCII; empty at the end, and where it may be a secret.
    found: String,
}

/// What kind of fault it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// BAD: the grammar knows nothing like it.
    Syntax,
    /// BAD: there is no such command.
    UnknownCommand,
    /// NO: a mailbox of that name can't exist.
    Name(NameFault),
    /// NO \[LIMIT]: well-formed, but larger than the server takes.
    Limit,
    /// NO \[ANNOTATE TOOMANY]: more annotations than a message can have (RFC 5257 §4.5).
    Annotations,
}

impl fmt::Display for ParseError {
    /// One line of ASCII for the text of the response.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FaultKind::UnknownCommand => f.write_str("unknown command")?,
            FaultKind::Name(why) => why.fmt(f)?,
            FaultKind::Syntax | FaultKind::Limit | FaultKind::Annotations => {
                write!(f, "expected {}", self.expected)?
            }
        }
        write!(f, " at column {}", self.offset + 1)?;
        if self.found.is_empty() { Ok(()) } else { write!(f, ": \"{}\"", self.found) }
    }
}

impl std::error::Error for ParseError {}

struct Fault {
    offset: usize,
    kind: FaultKind,
    expected: Cow<'static, str>,
}

type Parsed<T> = Result<T, Box<Fault>>;

/// Reads one command with its literals in place. A final CRLF may be there or not.
///
/// # Errors
/// [`ParseError`], with the tag if there is one.
pub fn parse_command(bytes: &[u8], names: NameEncoding) -> Result<Command, ParseError> {
    parse(bytes, Vec::new(), names)
}

/// Reads what the receiver has put together; the messages of an APPEND are taken out of it, not copied.
///
/// # Errors
/// As [`parse_command`].
pub fn parse_received(received: Received, names: NameEncoding) -> Result<Command, ParseError> {
    parse(&received.text, received.detached, names)
}

fn parse(text: &[u8], detached: Vec<Detached>, names: NameEncoding) -> Result<Command, ParseError> {
    let mut cursor = Cursor::new(text, detached, names);
    let tag = tag_of(text);
    let body = command(&mut cursor, tag);
    match (body, tag) {
        (Ok(body), Some(tag)) => Ok(Command { tag: tag.to_owned(), body }),
        (Ok(_), None) => unreachable!("a command without tag is a fault"),
        (Err(fault), tag) => {
            let Fault { offset, kind, expected } = *fault;
            let found = found_at(text, offset);
            Err(ParseError { tag: tag.map(str::to_owned), kind, offset, expected, found })
        }
    }
}

/// The tag at the beginning of a command, if there is one with a space behind it.
///
/// ```text
/// tag = 1*<any ASTRING-CHAR except "+">
/// ```
pub(crate) fn tag_of(text: &[u8]) -> Option<&str> {
    let head = &text[..text.len().min(limits::TAG_BYTES_MAX + 1)];
    let length = memchr::memchr(b' ', head).filter(|length| *length > 0)?;
    let tag = &head[..length];
    let fits = tag.iter().all(|byte| is_astring_char(*byte) && *byte != b'+');
    std::str::from_utf8(tag).ok().filter(|_| fits)
}

/// A few characters of what stands at `offset`, for the answer. Nothing of a log-in, nor of a line without tag, which may
/// be a belated SASL message: a password may stand there.
fn found_at(text: &[u8], offset: usize) -> String {
    const LENGTH_MAX: usize = 32;
    let Some(command) = tag_of(text).and_then(|tag| text.get(tag.len()..)) else { return String::new() };
    let command = command.trim_ascii_start();
    let secret = ["LOGIN", "AUTHENTICATE"]
        .iter()
        .any(|name| command.get(..name.len()).is_some_and(|here| here.eq_ignore_ascii_case(name.as_bytes())));
    if secret {
        return String::new();
    }
    let rest = text.get(offset..).unwrap_or_default();
    let line = rest.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let shown = &line[..line.len().min(LENGTH_MAX)];
    shown.iter().map(|byte| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '?' }).collect()
}

/// ```text
/// command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF
/// ```
fn command(cursor: &mut Cursor<'_>, tag: Option<&str>) -> Parsed<Body> {
    let Some(tag) = tag else { return cursor.expected("a tag and a space") };
    cursor.eat_word(tag);
    cursor.space()?;
    let start = cursor.at();
    let name = cursor.word();
    let body = match name.as_str() {
        "UID" => {
            cursor.space()?;
            let start = cursor.at();
            let name = cursor.word();
            message::by_number(cursor, &name, Numbering::Uid).unwrap_or_else(|| {
                cursor.fault(start, FaultKind::UnknownCommand, "a command that knows UIDs")
            })?
        }
        name => match arguments(cursor, name) {
            Some(body) => body?,
            None => return cursor.fault(start, FaultKind::UnknownCommand, "a command"),
        },
    };
    cursor.end()?;
    Ok(body)
}

/// The names of all commands, but for those that only stand behind UID.
const NAMES: &[&str] = &[
    "APPEND",
    "AUTHENTICATE",
    "CANCELUPDATE",
    "CAPABILITY",
    "CHECK",
    "CLOSE",
    "COMPRESS",
    "COMPARATOR",
    "COPY",
    "CREATE",
    "DELETE",
    "DELETEACL",
    "ENABLE",
    "ESEARCH",
    "EXAMINE",
    "EXPUNGE",
    "FETCH",
    "GENURLAUTH",
    "GETACL",
    "GETMETADATA",
    "GETQUOTA",
    "GETQUOTAROOT",
    "ID",
    "IDLE",
    "LANGUAGE",
    "LIST",
    "LISTRIGHTS",
    "LOGIN",
    "LOGOUT",
    "LSUB",
    "MOVE",
    "MYRIGHTS",
    "NAMESPACE",
    "NOOP",
    "NOTIFY",
    "RENAME",
    "REPLACE",
    "RESETKEY",
    "SEARCH",
    "SELECT",
    "SETACL",
    "SETMETADATA",
    "SETQUOTA",
    "SORT",
    "STARTTLS",
    "STATUS",
    "STORE",
    "SUBSCRIBE",
    "THREAD",
    "UID",
    "UIDBATCHES",
    "UNAUTHENTICATE",
    "UNSELECT",
    "UNSUBSCRIBE",
    "URLFETCH",
];

/// Whether the beginning of a command (up to its first literal at least) names one that does not exist.
pub(crate) fn is_unknown(text: &[u8]) -> bool {
    let Some(tag) = tag_of(text) else { return false };
    let mut cursor = Cursor::new(&text[tag.len() + 1..], Vec::new(), NameEncoding::default());
    !NAMES.contains(&cursor.word().as_str())
}

/// What stands behind the name of a command; None: there is no such command.
fn arguments(cursor: &mut Cursor<'_>, name: &str) -> Option<Parsed<Body>> {
    let plain = match name {
        "CAPABILITY" => Some(Body::Capability),
        "NOOP" => Some(Body::Noop),
        "LOGOUT" => Some(Body::Logout),
        "STARTTLS" => Some(Body::StartTls),
        "UNAUTHENTICATE" => Some(Body::Unauthenticate),
        "NAMESPACE" => Some(Body::Namespace),
        "IDLE" => Some(Body::Idle),
        "CHECK" => Some(Body::Check),
        "CLOSE" => Some(Body::Close),
        "UNSELECT" => Some(Body::Unselect),
        "EXPUNGE" => Some(Body::Expunge(None)),
        _ => None,
    };
    if let Some(body) = plain {
        return Some(Ok(body));
    }
    account::arguments(cursor, name)
        .or_else(|| mailbox::arguments(cursor, name))
        .or_else(|| metadata::arguments(cursor, name))
        .or_else(|| url::arguments(cursor, name))
        .or_else(|| acl::arguments(cursor, name))
        .or_else(|| message::by_number(cursor, name, Numbering::Sequence))
}

/// Reads a section without its brackets, such as stands in URLs (RFC 5092 §6).
pub(crate) fn parse_section(bytes: &[u8]) -> Option<Section> {
    let mut cursor = Cursor::new(bytes, Vec::new(), NameEncoding::default());
    let section = message::section_spec(&mut cursor).ok()?;
    cursor.end().is_ok().then_some(section)
}

/// Reads the criteria of a filter (RFC 5466 §4), and how many keys they have; None: they are not whole.
pub(crate) fn parse_search_criteria(bytes: &[u8]) -> Option<(crate::command::SearchKey, usize)> {
    search::criteria(&mut Cursor::new(bytes, Vec::new(), NameEncoding::Utf8)).ok()
}

/// Reads a sequence set that stands alone.
///
/// # Errors
/// As [`parse_command`], without tag.
pub fn parse_sequence_set(bytes: &[u8]) -> Result<SequenceSet, ParseError> {
    let mut cursor = Cursor::new(bytes, Vec::new(), NameEncoding::default());
    let set = cursor.sequence_set().and_then(|set| cursor.end().map(|()| set));
    set.map_err(|fault| {
        let Fault { offset, kind, expected } = *fault;
        ParseError { tag: None, kind, offset, expected, found: found_at(bytes, offset) }
    })
}
