//! IMAP (RFC 9051, RFC 3501): the client's side of a session, without I/O, for fetching mail from other servers.
//!
//! One [`Client`] is one connection:
//! ```text
//! Client::new(settings)          then, again and again:
//! step()  ──►  NeedInput    send the output, read, feed() what came (closed() when the peer hung up, timed_out() when it
//!                           was silent for too long)
//!              Flush        send the output
//!              StartTls     send the output, make the handshake, tls_started()
//!              Ready        logged in: one command after the other can be given
//!              Folder, Listed, Content, Message    what the running command brings, as it comes
//!              Done         the command is over
//!              Closed       send the output, close
//! ```
//! Commands: [`folders`](Client::folders), [`subscriptions`](Client::subscriptions), [`namespaces`](Client::namespaces),
//! [`open`](Client::open), [`counts`](Client::counts), [`listing`](Client::listing), [`messages`](Client::messages),
//! [`mark_deleted`](Client::mark_deleted), [`expunge`](Client::expunge), [`noop`](Client::noop),
//! [`logout`](Client::logout). One at a time; everything is named by UID, so that what other sessions do meanwhile
//! changes nothing.
//!
//! Invariants:
//! - nothing that the server sends makes memory grow beyond a response (128 KiB) and one feed, nor makes this side panic or
//!   spin; what is handed on is bounded in number;
//! - a message is handed on as it comes, and is whole only if [`Step::Message`] says so;
//! - nothing read before TLS began is used after (RFC 9051 §6.2.1); no password leaves without TLS unless the settings say
//!   so.

mod compose;
mod fault;
mod fetch;
mod folder;
mod login;
mod receive;
mod response;
mod running;
mod scan;

#[cfg(test)]
mod tests;

pub use compose::uid_sets;
pub use fault::{Fault, Refusal};
pub use fetch::Flags;
pub use folder::Folder;
pub use receive::ResponseError;
pub use response::{Capabilities, Capability, Counts, Namespace, Owner, Reason};

use crate::mailbox_name::NameEncoding;
use compose::Composer;
use login::Login;
use model::{Uid, UidSet, UidValidity, UnixTime};
use receive::{Received, Receiver};
use response::Response;
use sasl::client::Credentials;
use std::collections::VecDeque;
use std::fmt;
use wire::{FLUSH_BYTES, TlsInfo};

/// What a connection is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether STARTTLS is made.
    pub tls: TlsWish,
    /// Who logs in.
    pub credentials: Credentials,
    /// Whether passwords may travel without TLS (loopback and tests).
    pub plaintext_auth: bool,
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
    /// STARTTLS before anything else, or the server is of no use.
    StartTls,
    /// None is begun. Where TLS stands from the first octet, [`Client::tls_started`] is called before the first step.
    AsItIs,
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
    /// A mailbox ([`Client::folders`], [`Client::subscriptions`]).
    Folder(Folder),
    /// A message of the open mailbox ([`Client::listing`]).
    Listed(Listed),
    /// Octets of the message that is being fetched; of which one, [`Step::Message`] behind them says.
    Content(Vec<u8>),
    /// A message ([`Client::messages`]): what [`Step::Content`] brought since the one before is all of it.
    Message {
        /// Its UID.
        uid: Uid,
        /// How long it is, in octets. None: there is no such message (any more).
        bytes: Option<u64>,
    },
    /// The command is over.
    Done(Result<Done, Refusal>),
    /// Send the output and close. Ok: this side said good-bye.
    Closed(Result<(), Fault>),
}

/// What a command brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Done {
    /// All folders, or subscriptions, have been told.
    Folders,
    /// Where mailboxes are.
    Namespaces(Vec<Namespace>),
    /// The mailbox is open.
    Opened(Opened),
    /// How many messages a mailbox holds.
    Counts(Counts),
    /// All messages have been told.
    Listing,
    /// All messages have been handed on that there are of those that were named.
    Messages,
    /// It is done, and has nothing to tell.
    Nothing,
}

/// How a mailbox is opened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// EXAMINE: nothing changes, not even `\Recent`.
    Read,
    /// SELECT: messages can be deleted.
    Change,
}

/// An open mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Opened {
    /// How many messages it holds.
    pub exists: u32,
    /// With which UIDs hold; None: the server's UIDs do not last.
    pub uid_validity: Option<UidValidity>,
    /// The UID that the next message gets, at least; old servers do not tell.
    pub uid_next: Option<Uid>,
    /// The highest MODSEQ (RFC 7162), where the server has one.
    pub highest_mod_seq: Option<u64>,
    /// Flags in use.
    pub flags: Flags,
    /// Flags that can be changed for good; None: all (RFC 9051 §7.1).
    pub permanent_flags: Option<Flags>,
    /// Whether nothing can be changed.
    pub is_read_only: bool,
}

/// A message in a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its UID.
    pub uid: Uid,
    /// Its flags.
    pub flags: Flags,
    /// When it arrived there, if that can be understood.
    pub internal_date: Option<UnixTime>,
    /// How long it is, in octets, as the server says.
    pub size_bytes: u64,
}

/// Most mailboxes of one LIST.
const FOLDERS_MAX: u32 = 100_000;
/// Longest name of a mailbox, in octets.
const NAME_BYTES_MAX: usize = 8 * 1024;
/// Most messages of one listing.
const LISTED_MAX: u32 = 20_000_000;
/// Most octets of responses that bring nothing, for one command, before and after the log-in.
const NOISE_BYTES_MAX: (u64, u64) = (1 << 20, 64 << 20);

/// A client's side of one connection.
pub struct Client {
    settings: Settings,
    receiver: Receiver,
    output: Vec<u8>,
    state: State,
    progress: Progress,
    /// None: not known, or not any more.
    capabilities: Option<Capabilities>,
    tls: Option<TlsInfo>,
    names: NameEncoding,
    tags: u32,
    /// A message whose octets have been told, and its length, to be told next.
    whole: Option<(Uid, u64)>,
    /// Octets of responses that brought the running command nothing.
    noise_bytes: u64,
    /// No more octets will come.
    is_ended: bool,
}

impl fmt::Debug for Client {
    /// Without the output, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state.name())
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

/// How far the log-in has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    Greeted,
    LoggedIn,
    Enabled,
}

/// What is waited for.
enum State {
    Greeting,
    /// To be stepped, to start TLS.
    ToHandshake,
    Handshake,
    /// To be stepped, to tell that the session stands.
    ToReady,
    Idle,
    Running(Box<Running>),
    Closed(Result<(), Fault>),
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            State::Greeting => "Greeting",
            State::ToHandshake => "ToHandshake",
            State::Handshake => "Handshake",
            State::ToReady => "ToReady",
            State::Idle => "Idle",
            State::Running(_) => "Running",
            State::Closed(_) => "Closed",
        }
    }
}

/// A command under way.
struct Running {
    tag: String,
    kind: Kind,
    /// What of it still waits for `+`.
    fragments: VecDeque<Vec<u8>>,
}

/// Which command, and what it has brought so far.
enum Kind {
    Capability,
    StartTls,
    Authenticate(Box<Login>),
    Login,
    Enable,
    Folders {
        told: u32,
    },
    Namespaces(Vec<Namespace>),
    Open(Box<Opened>),
    Counts(Counts),
    Listing {
        from: Uid,
        told: u32,
    },
    /// Those that have not come.
    Messages {
        awaited: UidSet,
    },
    Plain,
    Logout,
}

impl Client {
    /// A connection on which nothing has been said.
    pub fn new(settings: Settings) -> Client {
        Client {
            settings,
            receiver: Receiver::default(),
            output: Vec::new(),
            state: State::Greeting,
            progress: Progress::Greeted,
            capabilities: None,
            tls: None,
            names: NameEncoding::ModifiedUtf7,
            tags: 0,
            whole: None,
            noise_bytes: 0,
            is_ended: false,
        }
    }

    /// Takes octets from the peer, at most [`wire::FEED_BYTES_MAX`] at a time, after [`Step::NeedInput`] only.
    pub fn feed(&mut self, octets: &[u8]) {
        // RFC 9051 §11.1: what came in clear behind the OK to STARTTLS is not the server's.
        if !matches!(self.state, State::ToHandshake | State::Handshake | State::Closed(_)) {
            self.receiver.feed(octets);
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
            self.receiver.discard();
            self.capabilities = None;
            self.go_on_logging_in();
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

    /// What the server can, once the session stands.
    pub fn has(&self, capability: Capability) -> bool {
        self.capabilities.as_ref().is_some_and(|known| known.has(capability))
    }

    /// A mailbox's name as this connection sends it.
    pub fn wire_name(&self, name: &str) -> Vec<u8> {
        folder::encode_name(name, self.names)
    }

    /// How a name that came on this connection reads.
    pub fn shown_name(&self, wire_name: &[u8]) -> String {
        folder::decode_name(wire_name, self.names)
    }

    /// Whether a command can be given now.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Works until something is needed or there is something to tell.
    pub fn step(&mut self) -> Step {
        loop {
            if self.output.len() >= FLUSH_BYTES {
                return Step::Flush;
            }
            if let Some((uid, bytes)) = self.whole.take() {
                return Step::Message { uid, bytes: Some(bytes) };
            }
            match &self.state {
                State::ToHandshake => {
                    self.state = State::Handshake;
                    return Step::StartTls;
                }
                State::ToReady => {
                    self.state = State::Idle;
                    return Step::Ready;
                }
                State::Closed(ended) => return Step::Closed(ended.clone()),
                State::Handshake if self.is_ended => self.ended(Fault::Closed),
                State::Handshake => return Step::NeedInput,
                State::Greeting | State::Idle | State::Running(_) => {}
            }
            let step = match self.receiver.read(self.message_awaited()) {
                None if matches!(self.state, State::Closed(_)) => None,
                None if self.is_ended => {
                    self.lost();
                    None
                }
                None => return Step::NeedInput,
                Some(Err(error)) => {
                    self.ended(Fault::Garbled(error));
                    None
                }
                Some(Ok(Received::Piece(octets))) => Some(Step::Content(octets)),
                Some(Ok(Received::Response(raw))) => {
                    let bytes = raw.octets.len() as u64 + 2;
                    match Response::parse(&raw) {
                        Some(response) => self.responded(response, bytes),
                        None => {
                            self.ended(Fault::Garbled(ResponseError::NotAResponse));
                            None
                        }
                    }
                }
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// How long a message may be, while one is awaited and has not come.
    fn message_awaited(&self) -> Option<u64> {
        match &self.state {
            State::Running(running) => match &running.kind {
                Kind::Messages { awaited } if !awaited.is_empty() => Some(self.settings.message_bytes_max),
                _ => None,
            },
            _ => None,
        }
    }

    /// The connection is over while something was expected.
    fn lost(&mut self) {
        let is_logout =
            matches!(&self.state, State::Running(running) if matches!(running.kind, Kind::Logout));
        self.state = State::Closed(if is_logout { Ok(()) } else { Err(Fault::Closed) });
    }

    fn ended(&mut self, fault: Fault) {
        if !matches!(self.state, State::Closed(_)) {
            self.state = State::Closed(Err(fault));
        }
    }

    fn next_tag(&mut self) -> String {
        self.tags = self.tags.wrapping_add(1);
        format!("t{}", self.tags)
    }

    fn begin(&mut self, kind: Kind, words: &str) {
        let tag = self.next_tag();
        let command = Composer::new(&tag, words);
        self.send(tag, kind, command);
    }

    fn send(&mut self, tag: String, kind: Kind, command: Composer) {
        let mut fragments = command.finish();
        if let Some(first) = fragments.pop_front() {
            self.output.extend_from_slice(&first);
        }
        self.noise_bytes = 0;
        self.state = State::Running(Box::new(Running { tag, kind, fragments }));
    }
}
