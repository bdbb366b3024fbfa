//! What can go wrong with a foreign mailbox, by what is to be done about it.

use imap::client::{Fault, Reason, Refusal};
use std::fmt;

/// What went wrong; within each the sentence for people, which names the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The server can't be reached, is silent, or closed the connection: worth another attempt.
    Unreachable(String),
    /// TLS failed, its certificate is not to be trusted, or there is none where it has to be: people have to look.
    Tls(String),
    /// Name or password are wrong, or there is no way to log in: another attempt is useless (and may lock the account).
    LoginRefused(String),
    /// What the server says can't be understood.
    Protocol(String),
    /// The mailbox is in use, or the server too busy: worth another attempt later.
    Busy(String),
    /// The message or the mailbox is not there (any more).
    Gone(String),
    /// The server refuses this one thing, such as a mailbox without the right to read it.
    Refused(String),
    /// Whoever takes the message could not.
    Sink(String),
}

impl Trouble {
    /// Whether another attempt may succeed without anybody doing something.
    pub fn is_transient(&self) -> bool {
        matches!(self, Trouble::Unreachable(_) | Trouble::Busy(_) | Trouble::Protocol(_) | Trouble::Sink(_))
    }

    /// A word for status and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Trouble::Unreachable(_) => "unreachable",
            Trouble::Tls(_) => "tls",
            Trouble::LoginRefused(_) => "login",
            Trouble::Protocol(_) => "protocol",
            Trouble::Busy(_) => "busy",
            Trouble::Gone(_) => "gone",
            Trouble::Refused(_) => "refused",
            Trouble::Sink(_) => "storing",
        }
    }

    /// The sentence.
    pub fn text(&self) -> &str {
        match self {
            Trouble::Unreachable(text)
            | Trouble::Tls(text)
            | Trouble::LoginRefused(text)
            | Trouble::Protocol(text)
            | Trouble::Busy(text)
            | Trouble::Gone(text)
            | Trouble::Refused(text)
            | Trouble::Sink(text) => text,
        }
    }

    /// Why an IMAP connection ended.
    pub(crate) fn of_imap(server: &str, fault: &Fault) -> Trouble {
        let text = format!("{server}: {fault}");
        match fault {
            Fault::Closed | Fault::TimedOut => Trouble::Unreachable(text),
            Fault::Bye(refusal) | Fault::LoginRefused(refusal) if is_busy(refusal) => Trouble::Busy(text),
            Fault::Bye(_) => Trouble::Unreachable(text),
            Fault::NoTls | Fault::PreauthWithoutTls => Trouble::Tls(text),
            Fault::NoLogin | Fault::LoginRefused(_) | Fault::Login(_) => Trouble::LoginRefused(text),
            Fault::Garbled(_) | Fault::Refused(_) => Trouble::Protocol(text),
        }
    }

    /// Why an IMAP command failed. `what` was wanted, as in "the folder x could not be opened".
    pub(crate) fn of_refusal(server: &str, what: &str, refusal: &Refusal) -> Trouble {
        let text = format!("{server}: {what}: {refusal}");
        match refusal.reason {
            _ if is_busy(refusal) => Trouble::Busy(text),
            Some(Reason::NonExistent | Reason::ExpungeIssued) => Trouble::Gone(text),
            _ => Trouble::Refused(text),
        }
    }

    /// Why a POP3 connection ended.
    pub(crate) fn of_pop(server: &str, fault: &pop3::client::Fault) -> Trouble {
        use pop3::client::Fault;
        let text = format!("{server}: {fault}");
        match fault {
            Fault::Closed | Fault::TimedOut => Trouble::Unreachable(text),
            Fault::LoginRefused(refusal) if is_pop_busy(refusal) => Trouble::Busy(text),
            Fault::Greeted(_) => Trouble::Busy(text),
            Fault::NoTls => Trouble::Tls(text),
            Fault::NoLogin | Fault::LoginRefused(_) | Fault::Login(_) => Trouble::LoginRefused(text),
            Fault::Garbled(_) => Trouble::Protocol(text),
            Fault::NotRemoved(_) => Trouble::Refused(text),
        }
    }

    /// Why a POP3 command failed; `what` as in [`Trouble::of_refusal`].
    pub(crate) fn of_pop_refusal(server: &str, what: &str, refusal: &pop3::client::Refusal) -> Trouble {
        let text = format!("{server}: {what}: {refusal}");
        if is_pop_busy(refusal) { Trouble::Busy(text) } else { Trouble::Refused(text) }
    }
}

/// RFC 2449 §8.1, RFC 3206 §4: what passes by itself.
fn is_pop_busy(refusal: &pop3::client::Refusal) -> bool {
    use pop3::client::Reason;
    match refusal.reason {
        Some(Reason::InUse | Reason::LoginDelay | Reason::SystemTemporary) => true,
        Some(Reason::SystemPermanent | Reason::Auth) => false,
        // Quirk (servers without response codes): RFC 1939 §4 says "unable to lock maildrop", and they say it so.
        None => {
            let text = refusal.text.to_ascii_lowercase();
            ["lock maildrop", "locked", "in use", "already open"].iter().any(|words| text.contains(words))
        }
    }
}

/// RFC 5530 §3: what passes by itself.
fn is_busy(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Some(Reason::Unavailable | Reason::InUse | Reason::Limit | Reason::ServerBug))
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Trouble {}
