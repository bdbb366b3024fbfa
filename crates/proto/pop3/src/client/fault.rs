//! Why a connection is of no use (any more), and why a command was refused.

use sasl::client::Trouble;
use std::fmt;

/// `-ERR`; the connection goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The response code, when there is one that we know.
    pub reason: Option<Reason>,
    /// The server's words, printable, without the code.
    pub text: String,
}

/// Why a server refuses, in the words that have a meaning for programs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reason {
    /// IN-USE (RFC 2449 §8.1.2): somebody else has the maildrop open.
    InUse,
    /// LOGIN-DELAY (RFC 2449 §8.1.1): too soon after the last time.
    LoginDelay,
    /// SYS/TEMP (RFC 3206 §4): a trouble of the server that passes.
    SystemTemporary,
    /// SYS/PERM (RFC 3206 §4): one that people have to settle.
    SystemPermanent,
    /// AUTH (RFC 3206 §5): name or password are wrong.
    Auth,
}

impl Reason {
    pub(super) fn parse(code: &str) -> Option<Reason> {
        [
            ("IN-USE", Reason::InUse),
            ("LOGIN-DELAY", Reason::LoginDelay),
            ("SYS/TEMP", Reason::SystemTemporary),
            ("SYS/PERM", Reason::SystemPermanent),
            ("AUTH", Reason::Auth),
        ]
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(code))
        .map(|(_, reason)| reason)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.as_str() {
            "" => f.write_str("no reason given"),
            text => f.write_str(text),
        }
    }
}

/// Why what came can't be understood.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReplyError {
    /// It is no response of POP3.
    NotAReply,
    /// A line, or a number of them, that does not end within the limits.
    TooLong,
    /// A message that is longer than is taken.
    MessageTooLong,
    /// Something came that was not asked for.
    Unexpected,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReplyError::NotAReply => "what it sent is no POP3 response",
            ReplyError::TooLong => "its response does not end",
            ReplyError::MessageTooLong => "it sends a message that is longer than is taken",
            ReplyError::Unexpected => "its response has no meaning at this point",
        })
    }
}

/// Why a connection can't be used (any more).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The server greeted with `-ERR`.
    Greeted(Refusal),
    /// The peer or the network closed the connection.
    Closed,
    /// The peer was silent for too long.
    TimedOut,
    /// What came can't be understood.
    Garbled(ReplyError),
    /// STLS is wanted, and not offered, or refused.
    NoTls,
    /// There is no way to log in that the secret fits and that does not show it to everybody.
    NoLogin,
    /// The log-in was refused.
    LoginRefused(Refusal),
    /// The log-in can't be made, or the server is not who it should be.
    Login(Trouble),
    /// QUIT was refused: some messages that were deleted may still be there (RFC 1939 §6).
    NotRemoved(Refusal),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Greeted(refusal) => write!(f, "the server takes no connection: {refusal}"),
            Fault::Closed => f.write_str("the server closed the connection"),
            Fault::TimedOut => f.write_str("the server was silent for too long"),
            Fault::Garbled(error) => error.fmt(f),
            Fault::NoTls => f.write_str("the server does not offer STLS"),
            Fault::NoLogin => {
                f.write_str("the server offers no way to log in that fits what is known and is safe here")
            }
            Fault::LoginRefused(refusal) => write!(f, "the log-in was refused: {refusal}"),
            Fault::Login(trouble) => write!(f, "the log-in failed: {trouble}"),
            Fault::NotRemoved(refusal) => {
                write!(f, "the server did not remove what was deleted: {refusal}")
            }
        }
    }
}

impl std::error::Error for Fault {}
