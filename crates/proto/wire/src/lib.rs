//! The shape that every protocol session has, without I/O (DESIGN.md §2).
//!
//! A session is fed bytes, stepped, and says what it wants from the world: more input, its output sent, an answer to a
//! question, TLS started, or the end. One driver (`shell/net`) runs them all; tests run them in memory.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

mod budget;
pub mod deflate;
mod input;
pub use budget::{Budget, Share};
pub use input::{DROPPED_BYTES_MAX, Input, LineError};

/// What a session wants next.
#[derive(Debug)]
pub enum Step<A> {
    /// Nothing to do until bytes come, the patience ends, or the world changed. Output has to be sent first.
    NeedInput,
    /// There is enough output that it should leave before more work is done (back-pressure).
    Flush,
    /// A question for the world; nothing else happens until [`Session::answer`].
    Ask(A),
    /// Send the output, drop whatever was read in clear, and make the TLS handshake (RFC 3207 §4.2, RFC 9051 §6.2.1),
    /// then call [`Session::tls_started`].
    StartTls,
    /// Send the output, then begin or end compression of what follows it, in both directions; nothing is waited for.
    Deflate(Deflating),
    /// Send the output and close the connection; where the end is [`End::Turned`], hand it on instead.
    Close,
}

/// A change of compression (RFC 4978, RFC 8437 §2).
#[derive(Debug)]
pub enum Deflating {
    /// It begins. What the session was fed and has not used came behind the command and is compressed already: it is to
    /// be inflated and fed again.
    Start {
        /// That.
        unread: Vec<u8>,
    },
    /// It ends.
    Stop,
}

/// A server's side of one connection, sans I/O. Work per [`step`](Session::step) is bounded.
pub trait Session {
    /// A question to the world (directory, store, DNS).
    type Ask: Send + fmt::Debug;
    /// What comes back.
    type Answer: Send + fmt::Debug;

    /// Takes bytes from the peer. The driver calls it only after [`Step::NeedInput`], with at most
    /// [`FEED_BYTES_MAX`] at a time, so that the input a session must hold stays within its own limits plus that.
    fn feed(&mut self, bytes: &[u8]);

    /// Works until something is needed. `now` is the wall clock in seconds since 1970 (UTC).
    fn step(&mut self, now: i64) -> Step<Self::Ask>;

    /// The world's reply to the last [`Step::Ask`].
    fn answer(&mut self, answer: Self::Answer);

    /// Bytes for the peer; the driver takes them out (and may give the emptied buffer back).
    fn output(&mut self) -> &mut Vec<u8>;

    /// TLS stands (implicit, or after [`Step::StartTls`]).
    fn tls_started(&mut self, tls: TlsInfo);

    /// Something that this session watches (its mailbox) has changed; only a hint to step again.
    fn world_changed(&mut self) {}

    /// How long the peer may stay silent now.
    fn patience(&self) -> Duration;

    /// The peer was silent for longer than that: say so and close.
    fn timed_out(&mut self);

    /// What the peer sends can't be decoded any more (compression): say so and close.
    fn garbled(&mut self) {
        self.timed_out();
    }

    /// The server goes down: finish what is in hand, tell the peer at the next pause, and close.
    fn shut_down(&mut self);

    /// For the log line and the metrics of this session.
    fn facts(&self) -> Facts;
}

/// Most bytes that one [`Session::feed`] gets.
pub const FEED_BYTES_MAX: usize = 64 * 1024;

/// Output beyond which a session answers [`Step::Flush`].
pub const FLUSH_BYTES: usize = 64 * 1024;

/// What is known of the connection before the first byte.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Name of this server, as greetings and trace headers give it.
    pub hostname: String,
    /// The peer's address; None on a unix socket.
    pub peer: Option<IpAddr>,
    /// The connection's id in logs and trace headers, e.g. `4f1c9a7be2`.
    pub trace: String,
    /// Fresh random bytes for challenges and nonces of this session.
    pub entropy: [u8; 32],
    /// How TLS comes in.
    pub tls: TlsMode,
    /// Whether passwords may travel before TLS (loopback and tests).
    pub plaintext_auth: bool,
}

/// How TLS comes in on a listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TlsMode {
    /// Never.
    None,
    /// By STARTTLS or STLS.
    Starttls,
    /// From the first byte.
    Implicit,
}

/// What the handshake brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.3` …
    pub version: String,
    /// Cipher suite as IANA names it.
    pub cipher: String,
    /// The name the client asked for.
    pub server_name: Option<String>,
    /// 32 bytes of tls-exporter channel binding (RFC 9266); TLS 1.3 only.
    pub exporter: Option<Vec<u8>>,
    /// The server certificate's hash, for tls-server-end-point channel binding (RFC 5929 §4).
    pub end_point: Option<Vec<u8>>,
    /// Addresses in the client's certificate, if it has shown one that was verified.
    pub client_names: Vec<String>,
}

/// Why a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum End {
    /// It has not.
    #[default]
    Open,
    /// The peer said good-bye.
    Quit,
    /// The peer was silent too long.
    TimedOut,
    /// Too many errors, or one that can't be forgiven.
    Refused,
    /// The server goes down.
    ShutDown,
    /// The connection lives on: the peer is the server now (ATRN, RFC 2645 §5.3).
    Turned,
}

/// A session's facts for the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Who logged in.
    pub user: Option<String>,
    /// Commands taken.
    pub commands: u64,
    /// Commands refused as malformed or out of order.
    pub errors: u64,
    /// Messages accepted or handed out.
    pub messages: u64,
    /// Why it ended.
    pub end: End,
}
