//! Why a connection is of no use (any more), and why a command was refused.

use super::receive::ResponseError;
use super::response::Reason;
use sasl::client::Trouble;
use std::fmt;

/// NO or BAD to a command; the connection goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// BAD: the server says that we are at fault.
    pub is_bad: bool,
    /// The response code, when it is one that has a meaning for programs.
    pub reason: Option<Reason>,
    /// The server's words, printable.
    pub text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.as_str() {
            "" => f.write_str("no reason given"),
            text => f.write_str(text),
        }
    }
}

/// Why a connection can't be used (any more).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The server said BYE.
    Bye(Refusal),
    /// The peer or the network closed the connection.
    Closed,
    /// The peer was silent for too long.
    TimedOut,
    /// What came can't be understood.
    Garbled(ResponseError),
    /// STARTTLS is wanted, and not offered, or refused.
    NoTls,
    /// The server says that one is logged in already, before TLS began (RFC 9051 §11.1: it could be somebody between).
    PreauthWithoutTls,
    /// There is no way to log in that the secret fits and that does not show it to everybody.
    NoLogin,
    /// The log-in was refused.
    LoginRefused(Refusal),
    /// The log-in can't be made, or the server is not who it should be.
    Login(Trouble),
    /// A command that no server can refuse was refused.
    Refused(Refusal),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Bye(refusal) => write!(f, "the server said good-bye: {refusal}"),
            Fault::Closed => f.write_str("the server closed the connection"),
            Fault::TimedOut => f.write_str("the server was silent for too long"),
            Fault::Garbled(error) => error.fmt(f),
            Fault::NoTls => f.write_str("the server does not offer STARTTLS"),
            Fault::PreauthWithoutTls => {
                f.write_str("the server took the log-in for granted before TLS could begin")
            }
            Fault::NoLogin => {
                f.write_str("the server offers no way to log in that fits what is known and is safe here")
            }
            Fault::LoginRefused(refusal) => write!(f, "the log-in was refused: {refusal}"),
            Fault::Login(trouble) => write!(f, "the log-in failed: {trouble}"),
            Fault::Refused(refusal) => write!(f, "the server refused what it has to do: {refusal}"),
        }
    }
}

impl std::error::Error for Fault {}
