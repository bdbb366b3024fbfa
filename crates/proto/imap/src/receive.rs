//! Framing: puts one command together from lines and literals, and refuses what is too large before it is read.
//!
//! Invariants: memory stays within [`Limits`] plus one feed; what is refused is answered at once, not when the client has
//! come to its end; what must be read although it is refused (RFC 7888 §4) is dropped as it comes and bounded by
//! [`Limits::swallow_bytes_max`], beyond which the connection ends; a line ends with CRLF and nothing else. A message of
//! an APPEND is moved, never copied, once it left the input buffer.
//!
//! RFC 9051 §2.2.1, §4.3; RFC 7888 (non-synchronising literals); RFC 3516 §4.4 (literal8).

use crate::parse::{is_unknown, tag_of};
use std::fmt;
use wire::Input;

/// What the receiver takes. A session gives narrow ones before log-in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Longest line with its CRLF, in octets; a literal begins a new line.
    pub line_bytes_max: usize,
    /// Longest command in octets, literals included, but for the messages of APPEND and REPLACE.
    pub command_bytes_max: usize,
    /// Largest message (all messages of one APPEND together), in octets.
    pub message_bytes_max: u64,
    /// Largest non-synchronising literal in octets: `u64::MAX` with LITERAL+, 4096 with LITERAL-.
    pub nonsync_bytes_max: u64,
    /// Most octets of a refused command that are read and dropped before the connection is ended.
    pub swallow_bytes_max: u64,
}

impl Limits {
    /// Before log-in.
    pub const BEFORE_LOGIN: Limits = Limits {
        line_bytes_max: 8 * 1024,
        command_bytes_max: 16 * 1024,
        message_bytes_max: 0,
        nonsync_bytes_max: u64::MAX,
        swallow_bytes_max: 64 * 1024,
    };

    /// After log-in. The largest message is also what is read and dropped at most.
    pub const fn after_login(message_bytes_max: u64) -> Limits {
        Limits {
            line_bytes_max: 64 * 1024,
            command_bytes_max: 1024 * 1024,
            message_bytes_max,
            nonsync_bytes_max: u64::MAX,
            swallow_bytes_max: if message_bytes_max > 1024 * 1024 { message_bytes_max } else { 1024 * 1024 },
        }
    }
}

/// A command as it was received.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Received {
    /// Lines and literals as they came, without the final CRLF and without the detached literals' octets.
    pub(crate) text: Vec<u8>,
    /// Messages, in order.
    pub(crate) detached: Vec<Detached>,
}

impl Received {
    /// The tag, if there is one.
    pub fn tag(&self) -> Option<&str> {
        tag_of(&self.text)
    }

    /// Octets held.
    pub fn len(&self) -> usize {
        self.text.len() + self.detached.iter().map(|detached| detached.bytes.len()).sum::<usize>()
    }

    /// Whether it is an empty line.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl fmt::Debug for Received {
    /// Shows no content: it may be a password or a message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Received({} octets, {} messages)", self.text.len(), self.detached.len())
    }
}

/// A literal that is kept apart from the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Detached {
    /// Where in the text it belongs.
    pub(crate) offset: usize,
    pub(crate) bytes: Vec<u8>,
}

/// Why a command, or the connection, is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// A line beyond [`Limits::line_bytes_max`]. BAD.
    LineTooLong,
    /// A command beyond [`Limits::command_bytes_max`]. BAD.
    CommandTooLong,
    /// A message beyond [`Limits::message_bytes_max`]. NO \[TOOBIG] (RFC 4469 §4.2, RFC 7889 §4).
    MessageTooBig,
    /// A non-synchronising literal beyond [`Limits::nonsync_bytes_max`] (RFC 7888 §5). BAD.
    NonsyncTooBig,
    /// A CR without LF or an LF without CR in a line. BAD.
    BareEnding,
    /// NUL in a line, or in a literal that is no literal8 (RFC 9051 §9, note 3). BAD.
    Nul,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::LineTooLong => "line too long",
            Refusal::CommandTooLong => "command too long",
            Refusal::MessageTooBig => "message too big",
            Refusal::NonsyncTooBig => "non-synchronizing literal too big, send {n} and wait",
            Refusal::BareEnding => "bare CR or LF in a line, lines end with CRLF",
            Refusal::Nul => "NUL in a command",
        })
    }
}

/// What [`Receiver::next`] has come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// More bytes are needed.
    NeedInput,
    /// Send a continuation request (`+ …`) and go on; the client waits with its literal.
    Continue,
    /// A whole command.
    Command(Received),
    /// A command is refused: answer it (untagged if the tag is None) and go on. Whatever it still sends is dropped
    /// without another word.
    Refused {
        /// The command's tag.
        tag: Option<String>,
        /// Why.
        why: Refusal,
    },
    /// More than [`Limits::swallow_bytes_max`] of a refused command: say BYE and close. It has been answered before.
    Flooded,
}

/// What [`Receiver::line`] has come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// More bytes are needed.
    NeedInput,
    /// A line without its CRLF.
    Line(Vec<u8>),
    /// The line is refused; the rest of it is dropped.
    Refused(Refusal),
    /// As [`Event::Flooded`].
    Flooded,
}

/// Puts commands together.
#[derive(Default, Debug)]
pub struct Receiver {
    state: State,
    received: Received,
    /// How far the pending input was searched for the end of its line.
    searched: usize,
    /// Octets of the messages in hand, announced or received.
    message_bytes: u64,
    /// Octets dropped since the last refusal.
    swallowed: u64,
}

#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Within a line of a command (or before it).
    #[default]
    InLine,
    /// Within a literal of which so many octets are still to come.
    InLiteral { left: usize, place: Place, eight: bool },
    /// Within a line of a refused command; the last octets that were dropped, for a literal at its end.
    SkipLine(Tail),
    /// Within a literal of a refused command.
    SkipLiteral { left: u64 },
}

/// Where a literal's octets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    Detached,
}

/// `["~"] "{" number64 ["+"] "}"` at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Announced {
    length: u64,
    sync: bool,
    eight: bool,
}

/// The last octets of a line that is dropped.
#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
struct Tail {
    bytes: [u8; Tail::LENGTH],
}

impl Tail {
    /// `{` + 19 digits + `+}` + CRLF, and a little more.
    const LENGTH: usize = 24;

    fn push(&mut self, dropped: &[u8]) {
        let new = &dropped[dropped.len().saturating_sub(Self::LENGTH)..];
        self.bytes.rotate_left(new.len());
        self.bytes[Self::LENGTH - new.len()..].copy_from_slice(new);
    }
}

impl Receiver {
    /// Gets on with the command in hand. Work is bounded by the pending input.
    pub fn next(&mut self, input: &mut Input, limits: &Limits) -> Event {
        loop {
            let event = match self.state {
                State::InLine => self.in_line(input, limits),
                State::InLiteral { .. } => self.in_literal(input),
                State::SkipLine(_) | State::SkipLiteral { .. } => self.skip(input, limits),
            };
            if let Some(event) = event {
                return event;
            }
        }
    }

    /// A line that is no command: a SASL response, or the DONE of IDLE. Call it only between commands.
    pub fn line(&mut self, input: &mut Input, limits: &Limits) -> Line {
        debug_assert!(self.received.is_empty(), "a command is under way");
        if self.state != State::InLine
            && let Some(event) = self.skip(input, limits)
        {
            return if event == Event::Flooded { Line::Flooded } else { Line::NeedInput };
        }
        match self.find_line(input, limits) {
            Found::NeedInput => Line::NeedInput,
            Found::Line(length) => {
                let line = input.pending()[..length].to_vec();
                self.consume(input, length + 2);
                Line::Line(line)
            }
            Found::Bad(why) => {
                self.state = State::SkipLine(Tail::default());
                Line::Refused(why)
            }
        }
    }

    /// Whether a line or literal of an unfinished command has been taken, or a refused one still comes. (The beginning of
    /// a first line stays in the input until it is whole.)
    pub fn is_amid_command(&self) -> bool {
        self.state != State::InLine || !self.received.is_empty()
    }

    /// Gives up the command in hand after [`Event::Continue`], which then is not sent: the session refuses it itself.
    /// The client, which waits, goes on with a new command.
    pub fn refuse_literal(&mut self) -> Received {
        self.state = State::InLine;
        self.message_bytes = 0;
        std::mem::take(&mut self.received)
    }

    /// Forgets everything (before TLS starts).
    pub fn reset(&mut self) {
        *self = Receiver::default();
    }

    fn consume(&mut self, input: &mut Input, count: usize) {
        input.consume(count);
        self.searched = 0;
    }

    fn find_line(&mut self, input: &Input, limits: &Limits) -> Found {
        let pending = input.pending();
        let ending = memchr::memchr2(b'\r', b'\n', &pending[self.searched.min(pending.len())..]);
        let Some(at) = ending.map(|at| at + self.searched) else {
            self.searched = pending.len();
            return if pending.len() + 2 > limits.line_bytes_max {
                Found::Bad(Refusal::LineTooLong)
            } else {
                Found::NeedInput
            };
        };
        if at + 2 > limits.line_bytes_max {
            return Found::Bad(Refusal::LineTooLong);
        }
        match (pending[at], pending.get(at + 1)) {
            (b'\r', None) => {
                self.searched = at;
                Found::NeedInput
            }
            (b'\r', Some(b'\n')) if memchr::memchr(0, &pending[..at]).is_some() => Found::Bad(Refusal::Nul),
            (b'\r', Some(b'\n')) => Found::Line(at),
            _ => Found::Bad(Refusal::BareEnding),
        }
    }

    fn in_line(&mut self, input: &mut Input, limits: &Limits) -> Option<Event> {
        let length = match self.find_line(input, limits) {
            Found::NeedInput => return Some(Event::NeedInput),
            Found::Bad(why) => {
                let head = input.pending().len().min(limits.line_bytes_max);
                self.received.text.extend_from_slice(&input.pending()[..head]);
                return Some(self.refuse(why, State::SkipLine(Tail::default())));
            }
            Found::Line(length) => length,
        };
        let line = &input.pending()[..length];
        let announced = announced(line);
        let text = &mut self.received.text;
        text.extend_from_slice(line);
        self.consume(input, length + 2);
        let Some(literal) = announced else {
            if self.received.text.len() > limits.command_bytes_max {
                return Some(self.refuse(Refusal::CommandTooLong, State::InLine));
            }
            self.message_bytes = 0;
            return Some(Event::Command(std::mem::take(&mut self.received)));
        };
        // RFC 9051 §7.6 shows it: a command that does not exist is answered, its literal not asked for.
        if literal.sync && self.received.detached.is_empty() && is_unknown(&self.received.text) {
            return Some(Event::Command(std::mem::take(&mut self.received)));
        }
        self.received.text.extend_from_slice(b"\r\n");
        let place = self.place();
        if let Some(why) = self.too_big(literal, place, limits) {
            // RFC 9051 §4.3: refused instead of the continuation request, and the client sends nothing of the literal.
            // RFC 7888 §4: a non-synchronising one comes all the same, and the rest of its line.
            let next = if literal.sync { State::InLine } else { State::SkipLiteral { left: literal.length } };
            return Some(self.refuse(why, next));
        }
        // Not too big, so that it fits.
        let left = usize::try_from(literal.length).unwrap_or(usize::MAX);
        if place == Place::Detached {
            self.message_bytes += literal.length;
            self.received.detached.push(Detached { offset: self.received.text.len(), bytes: Vec::new() });
        }
        self.state = State::InLiteral { left, place, eight: literal.eight };
        literal.sync.then_some(Event::Continue)
    }

    /// A literal of an APPEND or a REPLACE is a message unless it is the mailbox's name.
    ///
    /// RFC 9051 §9: append = "APPEND" SP mailbox …; so the name is the literal directly behind `APPEND SP`.
    fn place(&self) -> Place {
        let text = &self.received.text;
        let Some(rest) = tag_of(text).and_then(|tag| before_target(&text[tag.len() + 1..])) else {
            return Place::Text;
        };
        if rest.first().is_some_and(|first| *first != b'{') {
            return Place::Detached;
        }
        // The name was a literal, and this is a later one.
        let first_line = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        if first_line < rest.len() { Place::Detached } else { Place::Text }
    }

    fn too_big(&self, literal: Announced, place: Place, limits: &Limits) -> Option<Refusal> {
        let text = self.received.text.len() as u64;
        if text > limits.command_bytes_max as u64 {
            return Some(Refusal::CommandTooLong);
        }
        if !literal.sync && literal.length > limits.nonsync_bytes_max {
            return Some(Refusal::NonsyncTooBig);
        }
        match place {
            Place::Text => {
                let too_long = text.saturating_add(literal.length) > limits.command_bytes_max as u64;
                too_long.then_some(Refusal::CommandTooLong)
            }
            Place::Detached => {
                let too_big = self.message_bytes.saturating_add(literal.length) > limits.message_bytes_max;
                too_big.then_some(Refusal::MessageTooBig)
            }
        }
    }

    fn in_literal(&mut self, input: &mut Input) -> Option<Event> {
        let State::InLiteral { left, place, eight } = self.state else { return None };
        let taken = left.min(input.pending().len());
        let octets = &input.pending()[..taken];
        // RFC 9051 §9, note 3. Looked for as it comes, so that a big one is refused early.
        let nul = !eight && memchr::memchr(0, octets).is_some();
        match (place, self.received.detached.last_mut()) {
            (Place::Detached, Some(message)) => {
                make_room(&mut message.bytes, taken, left);
                message.bytes.extend_from_slice(octets);
            }
            _ => self.received.text.extend_from_slice(octets),
        }
        self.consume(input, taken);
        let left = left - taken;
        if nul {
            return Some(self.refuse(Refusal::Nul, State::SkipLiteral { left: left as u64 }));
        }
        if left == 0 {
            self.state = State::InLine;
            return None;
        }
        self.state = State::InLiteral { left, place, eight };
        Some(Event::NeedInput)
    }

    /// Answers the command in hand and forgets it; `next` drops what still comes of it.
    fn refuse(&mut self, why: Refusal, next: State) -> Event {
        let tag = tag_of(&self.received.text).map(str::to_owned);
        self.received = Received::default();
        self.searched = 0;
        self.message_bytes = 0;
        self.swallowed = 0;
        self.state = next;
        Event::Refused { tag, why }
    }

    /// Drops what comes of a refused command. None: it is over.
    fn skip(&mut self, input: &mut Input, limits: &Limits) -> Option<Event> {
        loop {
            let pending = input.pending();
            let (dropped, next) = match self.state {
                State::InLine | State::InLiteral { .. } => return None,
                State::SkipLiteral { left } => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(pending.len());
                    let left = left - taken as u64;
                    let next = if left == 0 {
                        State::SkipLine(Tail::default())
                    } else {
                        State::SkipLiteral { left }
                    };
                    (taken, next)
                }
                State::SkipLine(mut tail) => match memchr::memchr(b'\n', pending) {
                    Some(at) => {
                        tail.push(&pending[..=at]);
                        // RFC 7888 §4: a non-synchronising literal at the end of the line follows, whatever the command
                        // was. For a synchronising one no continuation is sent: the command is over.
                        let line = tail.bytes.strip_suffix(b"\r\n").unwrap_or_default();
                        let next = match announced(line) {
                            Some(Announced { length, sync: false, .. }) => {
                                State::SkipLiteral { left: length }
                            }
                            _ => State::InLine,
                        };
                        (at + 1, next)
                    }
                    None => {
                        tail.push(pending);
                        (pending.len(), State::SkipLine(tail))
                    }
                },
            };
            self.consume(input, dropped);
            self.swallowed += dropped as u64;
            let still = if let State::SkipLiteral { left } = next { left } else { 0 };
            if self.swallowed.saturating_add(still) > limits.swallow_bytes_max {
                return Some(Event::Flooded);
            }
            self.state = next;
            if next != State::InLine && input.pending().is_empty() {
                return Some(Event::NeedInput);
            }
        }
    }
}

/// What stands behind `APPEND SP` or `[UID SP] REPLACE SP seq-number SP` (RFC 8508 §5): the mailbox's name and more. None: it
/// is another command.
fn before_target(command: &[u8]) -> Option<&[u8]> {
    let behind = |text, word: &[u8]| -> Option<&[u8]> {
        let text: &[u8] = text;
        let (head, rest) = text.split_at_checked(word.len())?;
        head.eq_ignore_ascii_case(word).then_some(rest)
    };
    if let Some(rest) = behind(command, b"APPEND ") {
        return Some(rest);
    }
    let rest = behind(behind(command, b"UID ").unwrap_or(command), b"REPLACE ")?;
    Some(&rest[memchr::memchr(b' ', rest)? + 1..])
}

/// Makes room for the next octets of a message of which `left` are still to come. An announcement alone costs no memory;
/// whoever has sent [`BELIEVED_BYTES`] gets room for the rest, so that nothing needs to be moved again.
fn make_room(bytes: &mut Vec<u8>, next: usize, left: usize) {
    if bytes.capacity() - bytes.len() >= next {
        return;
    }
    let room =
        if bytes.len() >= BELIEVED_BYTES { left } else { left.min(bytes.len().max(wire::FEED_BYTES_MAX)) };
    bytes.reserve_exact(room);
}

/// Octets of a message after which its announced length is believed.
const BELIEVED_BYTES: usize = 256 * 1024;

/// What looking for a line has found.
enum Found {
    NeedInput,
    /// Its length without CRLF.
    Line(usize),
    Bad(Refusal),
}

/// The literal that the end of a line announces. A count beyond 2⁶³-1 is no count (RFC 9051 §9, number64).
fn announced(line: &[u8]) -> Option<Announced> {
    let inner = line.strip_suffix(b"}")?;
    let (inner, sync) = match inner.strip_suffix(b"+") {
        Some(inner) => (inner, false),
        None => (inner, true),
    };
    let digits = inner.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (before, digits) = inner.split_at(inner.len() - digits);
    let before = before.strip_suffix(b"{")?;
    let length = std::str::from_utf8(digits).ok()?.parse::<u64>().ok()?;
    (length <= i64::MAX as u64).then_some(Announced { length, sync, eight: before.ends_with(b"~") })
}

#[cfg(test)]
mod tests;
