//! POP3 (RFC 1939): the client's side of a session, without I/O, for fetching mail from other servers.
//!
//! One [`Client`] is one connection:
//! ```text
//! Client::new(settings)          then, again and again:
//! step()  ──►  NeedInput    send the output, read, feed() what came (closed() when the peer hung up, timed_out() when it
//!                           was silent for too long)
//!              Flush        send the output
//!              StartTls     send the output, make the handshake, tls_started()
//!              Ready        logged in: commands can be given
//!              Size, UniqueId, Content    what the first of the commands brings, as it comes
//!              Done         that command is over
//!              Closed       send the output, close
//! ```
//! Any number of commands may be given before the first is done; they leave at once where the server has PIPELINING
//! (RFC 2449 §6.6), one by one otherwise, and are done in their order. Deletions take effect with [`Client::quit`], and
//! only when the end is `Closed(Ok(()))`.
//!
//! Invariants:
//! - nothing that the server sends makes memory grow beyond a line (16 KiB) and one feed, nor makes this side panic or
//!   spin; what is handed on is bounded in number;
//! - nothing read before TLS began is used after (RFC 2595 §4); no password leaves without TLS unless the settings say so,
//!   but as a digest (APOP) when that is asked for.

mod fault;
mod login;
mod receive;
mod response;
mod unstuff;

#[cfg(test)]
mod tests;

pub use fault::{Fault, Reason, Refusal, ReplyError};

use login::Login;
use receive::Input;
use sasl::Mechanism;
use sasl::client::Credentials;
use std::collections::VecDeque;
use std::fmt;
use unstuff::Unstuffing;
use wire::{FLUSH_BYTES, TlsInfo};

/// What a connection is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether STLS is made.
    pub tls: TlsWish,
    /// Who logs in.
    pub credentials: Credentials,
    /// Whether passwords may travel without TLS (loopback and tests).
    pub plaintext_auth: bool,
    /// Whether APOP is used.
    pub apop: Apop,
    /// Host and port that were dialled, as a log-in with a token tells them (RFC 7628 §3.1).
    pub host: (String, u16),
    /// Fresh random octets for a log-in.
    pub entropy: [u8; 32],
    /// Longest message that is taken, in octets.
    pub message_bytes_max: u64,
}

/// What is wanted of TLS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TlsWish {
    /// STLS before anything else, or the server is of no use.
    Stls,
    /// None is begun. Where TLS stands from the first octet, [`Client::tls_started`] is called before the first step.
    AsItIs,
}

/// Whether APOP is used: MD5, which whoever listens can try passwords against.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Apop {
    /// No.
    Never,
    /// When the greeting has a time-stamp.
    WhenOffered,
}

/// What the server can (RFC 2449 §6), as far as it matters here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Capabilities {
    /// The mechanisms of AUTH that we know.
    pub mechanisms: Vec<Mechanism>,
    /// STLS.
    pub stls: bool,
    /// PIPELINING.
    pub pipelining: bool,
}

impl Capabilities {
    fn add(&mut self, line: &[u8]) {
        let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let Some(name) = words.next() else { return };
        if name.eq_ignore_ascii_case(b"SASL") {
            for mechanism in words.filter_map(Mechanism::parse) {
                if !self.mechanisms.contains(&mechanism) {
                    self.mechanisms.push(mechanism);
                }
            }
        }
        self.stls |= name.eq_ignore_ascii_case(b"STLS");
        self.pipelining |= name.eq_ignore_ascii_case(b"PIPELINING");
    }
}

/// What a client wants next, or has to tell.
#[derive(Debug)]
pub enum Step {
    /// Nothing to do until octets come. Output has to be sent first.
    NeedInput,
    /// There is output that should leave before more is made.
    Flush,
    /// Send the output, drop whatever was read in clear, make the handshake, then call [`Client::tls_started`], or
    /// [`Client::closed`] when it failed.
    StartTls,
    /// Logged in; told once.
    Ready,
    /// How long a message is, in octets, as the server says ([`Client::sizes`]).
    Size {
        /// Its number, from 1.
        number: u32,
        /// Octets.
        bytes: u64,
    },
    /// By what a message is known for good ([`Client::unique_ids`]).
    UniqueId {
        /// Its number, from 1.
        number: u32,
        /// Printable ASCII.
        id: String,
    },
    /// Octets of the message that is being fetched.
    Content(Vec<u8>),
    /// The first of the commands is over.
    Done(Result<Done, Refusal>),
    /// Send the output and close. Ok: this side said good-bye, and what was deleted is gone.
    Closed(Result<(), Fault>),
}

/// What a command brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Done {
    /// STAT: how many messages there are, and their octets.
    Drop {
        /// Messages.
        messages: u32,
        /// Octets.
        bytes: u64,
    },
    /// The message has been handed on whole.
    Message {
        /// How long it is.
        bytes: u64,
    },
    /// It is done, and has nothing (more) to tell.
    Nothing,
}

/// Most lines of a listing.
const ENTRIES_MAX: u32 = 500_000;
/// Most lines of CAPA.
const CAPABILITIES_MAX: u32 = 256;
/// Most challenges of one AUTH.
const CHALLENGES_MAX: u32 = 16;
/// Longest unique-id that is taken, in octets. RFC 1939 §7 has 70.
const UNIQUE_ID_BYTES_MAX: usize = 255;
/// Most commands that are on their way at once.
const WINDOW: usize = 64;

/// A client's side of one connection.
pub struct Client {
    settings: Settings,
    input: Input,
    output: Vec<u8>,
    state: State,
    capabilities: Capabilities,
    timestamp: Option<Vec<u8>>,
    tls: Option<TlsInfo>,
    commands: VecDeque<Command>,
    /// How many of `commands` have left.
    sent: usize,
    /// What of the first command's response is awaited.
    phase: Phase,
    /// No more octets will come.
    is_ended: bool,
}

impl fmt::Debug for Client {
    /// Without the output, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .field("capabilities", &self.capabilities)
            .field("commands", &self.commands.len())
            .finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Greeting,
    /// Up to the log-in.
    Opening,
    /// To be stepped, to start TLS.
    ToHandshake,
    Handshake,
    /// To be stepped, to tell that the session stands.
    ToReady,
    Standing,
    Closed(Result<(), Fault>),
}

struct Command {
    kind: Kind,
    line: Vec<u8>,
}

enum Kind {
    Capa,
    Stls,
    User,
    /// PASS or APOP.
    Login,
    Auth(Box<Login>),
    Stat,
    List,
    Uidl,
    Retr,
    Plain,
    Quit,
}

/// What is awaited of a response.
#[derive(Default)]
enum Phase {
    #[default]
    Status,
    /// More lines of the log-in.
    Challenges(u32),
    Lines {
        count: u32,
        capabilities: Capabilities,
    },
    Message {
        unstuffing: Unstuffing,
        bytes: u64,
    },
    /// The message was handed on, which is still to be told.
    Over {
        bytes: u64,
    },
}

impl Client {
    /// A connection on which nothing has been said.
    pub fn new(settings: Settings) -> Client {
        Client {
            settings,
            input: Input::default(),
            output: Vec::new(),
            state: State::Greeting,
            capabilities: Capabilities::default(),
            timestamp: None,
            tls: None,
            commands: VecDeque::new(),
            sent: 0,
            phase: Phase::Status,
            is_ended: false,
        }
    }

    /// Takes octets from the peer, at most [`wire::FEED_BYTES_MAX`] at a time, after [`Step::NeedInput`] only.
    pub fn feed(&mut self, octets: &[u8]) {
        // RFC 2595 §4: what came in clear behind the +OK to STLS is not the server's.
        if !matches!(self.state, State::ToHandshake | State::Handshake | State::Closed(_)) {
            self.input.feed(octets);
        }
    }

    /// Octets for the peer; the driver takes them out (and may give the emptied buffer back).
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// TLS stands: from the first octet, or after [`Step::StartTls`].
    pub fn tls_started(&mut self, tls: TlsInfo) {
        self.tls = Some(tls);
        if matches!(self.state, State::ToHandshake | State::Handshake) {
            self.input = Input::default();
            self.state = State::Opening;
            // RFC 2595 §4: nothing that the server said before counts; of the greeting, APOP's time-stamp neither.
            self.timestamp = None;
            self.give(Kind::Capa, b"CAPA");
        }
    }

    /// The peer has closed the connection, or the network has lost it, or the handshake failed. What was read before is
    /// still told by the next steps.
    pub fn closed(&mut self) {
        self.is_ended = true;
    }

    /// The peer was silent for too long.
    pub fn timed_out(&mut self) {
        self.ended(Fault::TimedOut);
    }

    /// What the server can.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether nothing that was given is still to be done, on a session that stands.
    pub fn is_idle(&self) -> bool {
        self.state == State::Standing && self.commands.is_empty()
    }

    /// Asks how many messages there are; [`Done::Drop`].
    pub fn stat(&mut self) {
        self.command(Kind::Stat, "STAT");
    }

    /// Tells the size of each message ([`Step::Size`]).
    pub fn sizes(&mut self) {
        self.command(Kind::List, "LIST");
    }

    /// Tells the unique-id of each message ([`Step::UniqueId`]); some servers refuse.
    pub fn unique_ids(&mut self) {
        self.command(Kind::Uidl, "UIDL");
    }

    /// Hands a message on ([`Step::Content`]); [`Done::Message`].
    pub fn message(&mut self, number: u32) {
        self.command(Kind::Retr, &format!("RETR {number}"));
    }

    /// Marks a message: [`Client::quit`] removes it.
    pub fn delete(&mut self, number: u32) {
        self.command(Kind::Plain, &format!("DELE {number}"));
    }

    /// Takes all marks away.
    pub fn reset(&mut self) {
        self.command(Kind::Plain, "RSET");
    }

    /// Does nothing, but keeps the connection alive.
    pub fn noop(&mut self) {
        self.command(Kind::Plain, "NOOP");
    }

    /// Ends the session and removes what is marked, when all that was given before is done. On a session that does not
    /// stand yet: the connection is closed.
    pub fn quit(&mut self) {
        match self.state {
            State::Standing | State::ToReady => self.give(Kind::Quit, b"QUIT"),
            State::Closed(_) => {}
            _ => self.state = State::Closed(Ok(())),
        }
    }

    /// # Panics
    /// Before the session stands: a bug of the caller. On a connection that has ended the next step says so.
    fn command(&mut self, kind: Kind, line: &str) {
        match self.state {
            State::Standing => self.give(kind, line.as_bytes()),
            State::Closed(_) => {}
            ref state => panic!("a command can't be given in {state:?}"),
        }
    }

    fn give(&mut self, kind: Kind, line: &[u8]) {
        self.commands.push_back(Command { kind, line: [line, b"\r\n"].concat() });
        self.send_on();
    }

    /// Lets commands leave as far as they may.
    fn send_on(&mut self) {
        // RFC 2449 §6.6: pipelining is for the TRANSACTION state here; log-ins are given one by one anyhow.
        let window = if self.capabilities.pipelining { WINDOW } else { 1 };
        while self.sent < self.commands.len().min(window) {
            self.output.extend_from_slice(&self.commands[self.sent].line);
            self.commands[self.sent].line = Vec::new();
            self.sent += 1;
        }
    }

    fn ended(&mut self, fault: Fault) {
        if !matches!(self.state, State::Closed(_)) {
            self.state = State::Closed(Err(fault));
        }
    }

    /// Works until something is needed or there is something to tell.
    pub fn step(&mut self) -> Step {
        loop {
            if self.output.len() >= FLUSH_BYTES {
                return Step::Flush;
            }
            match &self.state {
                State::ToHandshake => {
                    self.state = State::Handshake;
                    return Step::StartTls;
                }
                State::ToReady => {
                    self.state = State::Standing;
                    return Step::Ready;
                }
                State::Closed(ended) => return Step::Closed(ended.clone()),
                State::Handshake if !self.is_ended => return Step::NeedInput,
                State::Handshake | State::Greeting | State::Opening | State::Standing => {}
            }
            match &mut self.phase {
                Phase::Over { bytes } => {
                    let bytes = *bytes;
                    return self.done(Ok(Done::Message { bytes }));
                }
                Phase::Message { unstuffing, bytes } if !self.input.is_empty() => {
                    let (piece, is_end) = self.input.message(unstuffing);
                    let bytes = bytes.saturating_add(piece.len() as u64);
                    if bytes > self.settings.message_bytes_max {
                        self.ended(Fault::Garbled(ReplyError::MessageTooLong));
                        continue;
                    }
                    let unstuffing = *unstuffing;
                    self.phase =
                        if is_end { Phase::Over { bytes } } else { Phase::Message { unstuffing, bytes } };
                    if !piece.is_empty() {
                        return Step::Content(piece);
                    }
                    continue;
                }
                _ => {}
            }
            if let Some(step) = self.heard() {
                return step;
            }
        }
    }
}
