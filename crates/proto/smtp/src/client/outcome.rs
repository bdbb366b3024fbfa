//! What became of a recipient or of a connection, and what to do about it.

use super::reply::{Reply, ReplyError};
use crate::reply::Enhanced;
use std::fmt;
use std::sync::Arc;

/// What to do next about a recipient.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// The peer took responsibility (RFC 5321 §2.1).
    Delivered,
    /// Not now; try again later.
    Deferred,
    /// Never: tell the sender.
    Failed,
    /// Nothing is wrong with the message as far as is known; this host can't be used. Try the next one at once, and when
    /// there is none [`Outcome::without_other_host`] says what it comes to.
    HostUnusable,
}

/// Where in the course of a session something happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// Waiting for the 220 at the beginning.
    Greeting,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS and the handshake.
    StartTls,
    /// AUTH.
    Login,
    /// Between messages.
    Idle,
    /// MAIL (and RSET before it).
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA, before the message.
    Data,
    /// The message is leaving.
    Content,
    /// The message is out; the reply to it is missing.
    Final,
    /// QUIT.
    Quit,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Greeting => "before its greeting",
            Stage::Hello => "after EHLO",
            Stage::StartTls => "after STARTTLS",
            Stage::Login => "during the log-in",
            Stage::Idle => "between two messages",
            Stage::Mail => "after MAIL",
            Stage::Rcpt => "after RCPT",
            Stage::Data => "after DATA",
            Stage::Content => "while the message was sent",
            Stage::Final => "after the end of the message",
            Stage::Quit => "after QUIT",
        })
    }
}

/// How a connection broke.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Break {
    /// The peer closed it, or the network did.
    Closed,
    /// The peer was silent for longer than [`super::Client::patience`].
    TimedOut,
    /// What the peer sent is no reply.
    Garbled(ReplyError),
    /// The log-in can't go on: why.
    Login(sasl::client::Trouble),
    /// This side gave up: the message could not be read any further.
    Abandoned,
}

/// What a peer would need to have, and has not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lack {
    /// STARTTLS, which the settings demand.
    Tls,
    /// AUTH, or a mechanism that is known here, can be used without TLS if there is none, and fits the credentials.
    Login,
    /// SMTPUTF8, for an address or a header beyond ASCII (RFC 6531 §3.5, §8).
    SmtpUtf8,
    /// 8BITMIME; the message has not been converted (RFC 6152 §3).
    EightBitMime,
    /// BINARYMIME and CHUNKING; the message has not been converted (RFC 3030 §3).
    BinaryMime,
    /// Room for so large a message: its limit in octets (RFC 1870 §6.1).
    Size {
        /// As EHLO gave it.
        limit_bytes: u64,
    },
    /// TLS, for a message that may only travel so (RFC 8689 §4.2.1).
    Encryption,
    /// REQUIRETLS, for such a message: the next host would not care (RFC 8689 §4.2.1 (5)).
    RequireTls,
    /// DELIVERBY, for a message that is to be returned when it can't be handed over in time (RFC 2852 §4.1.4), or the
    /// least time it takes.
    DeliverBy,
}

impl Lack {
    /// The status for a report (RFC 3463, RFC 5248, RFC 6531, RFC 8689).
    pub fn enhanced(self) -> Enhanced {
        match self {
            Lack::Tls => Enhanced(4, 7, 10),
            Lack::Login => Enhanced(4, 7, 0),
            // RFC 6531 §3.5: X.6.7, non-ASCII addresses not permitted.
            Lack::SmtpUtf8 => Enhanced(5, 6, 7),
            // RFC 3463 §3.7: X.6.3, conversion required but not supported.
            Lack::EightBitMime | Lack::BinaryMime => Enhanced(5, 6, 3),
            Lack::Size { .. } => Enhanced(5, 3, 4),
            // RFC 8689 §4.2.1
            Lack::Encryption => Enhanced(5, 7, 10),
            Lack::RequireTls => Enhanced(5, 7, 30),
            Lack::DeliverBy => Enhanced(5, 4, 7),
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lack::Tls => "it does not offer STARTTLS, which is demanded for this host",
            Lack::Login => "it offers no way to log in with the credentials for this host",
            Lack::SmtpUtf8 => "it does not offer SMTPUTF8, which an address or the header needs",
            Lack::EightBitMime => "it does not offer 8BITMIME, and the message can't be converted",
            Lack::BinaryMime => "it does not offer BINARYMIME, and the message can't be converted",
            Lack::Size { limit_bytes } => {
                return write!(f, "the message is too large for it; it takes at most {limit_bytes} octets");
            }
            Lack::Encryption => "the connection is not encrypted, which the sender demands",
            Lack::RequireTls => "it does not offer REQUIRETLS, which the sender demands",
            Lack::DeliverBy => "it does not offer DELIVERBY, which the sender demands",
        })
    }
}

/// Why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// The peer said so.
    Replied {
        /// To what.
        stage: Stage,
        /// Its reply; at most a kilobyte of its text. One to the whole message is shared by its recipients.
        reply: Arc<Reply>,
    },
    /// The connection broke.
    Broke {
        /// When.
        stage: Stage,
        /// How.
        how: Break,
    },
    /// The peer can't do what is needed.
    Lacks(Lack),
    /// More recipients than the peer takes at once (RFC 9422 §4.2, RFC 5321 §4.5.3.1.10) that it has not been told of:
    /// send the message again for these, on the same connection if you like.
    Surplus,
}

/// What became of a recipient, or why a connection is of no use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What to do.
    pub verdict: Verdict,
    /// Why.
    pub why: Why,
}

impl Outcome {
    pub(super) fn replied(stage: Stage, reply: &Arc<Reply>, protection: Protection) -> Outcome {
        let verdict = verdict(stage, reply, protection);
        Outcome { verdict, why: Why::Replied { stage, reply: Arc::clone(reply) } }
    }

    pub(super) fn broke(stage: Stage, how: Break) -> Outcome {
        // RFC 5321 §3.8: as if 451 had come. Before the message was out the next host may take it at once; afterwards
        // this one may have taken it already, and a copy elsewhere can't be told from it.
        let verdict = if stage == Stage::Final { Verdict::Deferred } else { Verdict::HostUnusable };
        Outcome { verdict, why: Why::Broke { stage, how } }
    }

    pub(super) fn lacks(lack: Lack) -> Outcome {
        let verdict = match lack {
            // RFC 8689 §4.2.1: every other host is tried. So it is with the others that hosts can differ in.
            Lack::Tls | Lack::Login | Lack::Encryption | Lack::RequireTls | Lack::DeliverBy => {
                Verdict::HostUnusable
            }
            _ => Verdict::Failed,
        };
        Outcome { verdict, why: Why::Lacks(lack) }
    }

    /// What [`Verdict::HostUnusable`] comes to when there is no other host: Failed where the peer says that it takes no
    /// mail at all (521 and 556, RFC 7504 §2, §3), or lacks what the sender demands (RFC 8689 §4.2.1, RFC 2852 §4.1.4.1);
    /// Deferred otherwise; other verdicts as they are.
    pub fn without_other_host(&self) -> Verdict {
        match (&self.why, self.verdict) {
            (Why::Replied { reply, .. }, Verdict::HostUnusable) if matches!(reply.code, 521 | 556) => {
                Verdict::Failed
            }
            (Why::Lacks(Lack::Encryption | Lack::RequireTls | Lack::DeliverBy), Verdict::HostUnusable) => {
                Verdict::Failed
            }
            (_, Verdict::HostUnusable) => Verdict::Deferred,
            (_, verdict) => verdict,
        }
    }

    /// The peer may have taken the message although this says otherwise: the reply to its end was lost. Trying again can
    /// make a second copy (RFC 5321 §6.1), not trying can lose it.
    pub fn is_uncertain(&self) -> bool {
        matches!(self.why, Why::Broke { stage: Stage::Final, .. })
    }

    /// The recipient is one too many for this transaction, told by the peer or known from its limits: it can go in
    /// another one at once.
    pub fn is_surplus(&self) -> bool {
        match &self.why {
            Why::Surplus => true,
            Why::Replied { stage: Stage::Rcpt, reply } => is_too_many(reply),
            _ => false,
        }
    }

    /// The peer's own words, if it has said anything.
    pub fn reply(&self) -> Option<&Reply> {
        match &self.why {
            Why::Replied { reply, .. } => Some(reply),
            _ => None,
        }
    }

    /// The status for a report (RFC 3464 §2.3.4): the peer's own, or what its code comes to, with the class that the
    /// verdict has.
    pub fn enhanced(&self) -> Enhanced {
        let class = match self.verdict {
            Verdict::Delivered => 2,
            Verdict::Failed => 5,
            Verdict::Deferred | Verdict::HostUnusable => 4,
        };
        let Enhanced(_, subject, detail) = match &self.why {
            Why::Replied { stage, reply } => {
                reply.enhanced.unwrap_or_else(|| usual_status(*stage, reply.code))
            }
            // RFC 3463 §3.5: X.4.2 bad connection, X.5.5 wrong protocol version.
            Why::Broke { how: Break::Garbled(_), .. } => Enhanced(4, 5, 0),
            Why::Broke { how: Break::Login(_), .. } => Enhanced(4, 7, 0),
            Why::Broke { how: Break::Abandoned, .. } => Enhanced(4, 3, 0),
            Why::Broke { .. } => Enhanced(4, 4, 2),
            Why::Lacks(lack) => lack.enhanced(),
            Why::Surplus => Enhanced(4, 5, 3),
        };
        Enhanced(class, subject, detail)
    }
}

/// What it is in words, for histories and reports: the peer's reply as it came, or what happened.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Replied { reply, .. } => reply.fmt(f),
            Why::Broke { stage, how } => match how {
                Break::Closed => write!(f, "the host closed the connection {stage}"),
                Break::TimedOut => write!(f, "the host was silent for too long {stage}"),
                Break::Garbled(error) => write!(f, "the host can't be understood {stage}: {error}"),
                Break::Login(trouble) => write!(f, "the log-in at the host failed: {trouble}"),
                Break::Abandoned => write!(f, "this server gave up {stage}"),
            },
            Why::Lacks(lack) => write!(f, "the host can't take it: {lack}"),
            Why::Surplus => f.write_str("the host takes fewer recipients at once; it goes in another turn"),
        }
    }
}

/// Whether the connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Protection {
    Clear,
    Tls,
}

/// What a reply means for the recipients it is about.
fn verdict(stage: Stage, reply: &Reply, protection: Protection) -> Verdict {
    let in_transaction =
        matches!(stage, Stage::Mail | Stage::Rcpt | Stage::Data | Stage::Content | Stage::Final);
    match reply.code {
        // Without the extension's own greeting, EHLO or log-in nothing has been said about the message.
        _ if !in_transaction => Verdict::HostUnusable,
        200..=299 if stage == Stage::Final => Verdict::Delivered,
        // RFC 5321 §3.8, §4.2.1: the service goes down and closes. A reply to the message itself is about the message.
        421 if stage == Stage::Final => Verdict::Deferred,
        421 => Verdict::HostUnusable,
        400..=499 => Verdict::Deferred,
        _ if stage == Stage::Rcpt && is_too_many(reply) => Verdict::Deferred,
        // RFC 3207 §4, RFC 5248 (X.7.10): TLS is wanted here, and the handshake has failed or was not offered. That is
        // no fault of the message, and may be mended.
        530 | 523 if protection == Protection::Clear => Verdict::HostUnusable,
        500..=599 if protection == Protection::Clear && reply.enhanced == Some(Enhanced(5, 7, 10)) => {
            Verdict::HostUnusable
        }
        // RFC 7504 §2: this host takes no mail; another one may.
        521 => Verdict::HostUnusable,
        500..=599 => Verdict::Failed,
        // A 3yz or 2yz where none belongs is taken care of before.
        _ => Verdict::Deferred,
    }
}

/// RFC 5321 §4.5.3.1.10: 452 is one recipient too many, and 552 has to be understood so too, unless it says that it
/// means the mailbox or the message.
fn is_too_many(reply: &Reply) -> bool {
    match (reply.code, reply.enhanced) {
        (452 | 552, Some(Enhanced(_, subject, detail))) => (subject, detail) == (5, 3),
        (552, None) => true,
        _ => false,
    }
}

/// The status when the peer gives none (RFC 3463 §3, RFC 5248).
fn usual_status(stage: Stage, code: u16) -> Enhanced {
    match (code, stage) {
        (550, Stage::Rcpt) => Enhanced(5, 1, 1),
        (553, Stage::Rcpt) => Enhanced(5, 1, 3),
        (553, Stage::Mail) => Enhanced(5, 1, 7),
        (551, _) => Enhanced(5, 1, 6),
        (552, Stage::Rcpt) => Enhanced(5, 2, 2),
        (552, _) => Enhanced(5, 3, 4),
        (452, Stage::Rcpt) => Enhanced(4, 5, 3),
        (452, _) => Enhanced(4, 3, 1),
        (450, _) => Enhanced(4, 2, 0),
        (421, _) => Enhanced(4, 3, 2),
        (500..=503 | 555, _) => Enhanced(5, 5, 0),
        (521 | 556, _) => Enhanced(5, 1, 10),
        (530 | 535, _) => Enhanced(5, 7, 0),
        (550 | 554, Stage::Mail) => Enhanced(5, 1, 0),
        _ => Enhanced(5, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(stage: Stage, protection: Protection, text: &str) -> Outcome {
        let mut reader = super::super::ReplyReader::default();
        reader.feed(text.as_bytes());
        reader.feed(b"\r\n");
        Outcome::replied(stage, &Arc::new(reader.read().unwrap().unwrap()), protection)
    }

    #[test]
    fn verdicts() {
        use Protection::{Clear, Tls};
        use Stage::{Data, Final, Greeting, Hello, Login, Mail, Rcpt};
        use Verdict::{Deferred, Delivered, Failed, HostUnusable};
        let rows = [
            (Final, Tls, "250 2.0.0 queued", Delivered, "2.0.0"),
            (Final, Tls, "250 queued", Delivered, "2.0.0"),
            (Final, Tls, "421 4.3.2 later", Deferred, "4.3.2"),
            (Final, Tls, "554 5.7.1 spam", Failed, "5.7.1"),
            (Final, Tls, "552 too large", Failed, "5.3.4"),
            (Rcpt, Tls, "550 no such user", Failed, "5.1.1"),
            (Rcpt, Tls, "450 4.2.0 greylisted", Deferred, "4.2.0"),
            (Rcpt, Tls, "452 4.5.3 too many", Deferred, "4.5.3"),
            (Rcpt, Tls, "552 too many", Deferred, "4.2.2"),
            (Rcpt, Tls, "552 5.2.2 over quota", Failed, "5.2.2"),
            (Rcpt, Tls, "421 4.7.0 slow down", HostUnusable, "4.7.0"),
            (Mail, Clear, "530 5.7.0 Must issue a STARTTLS command first", HostUnusable, "4.7.0"),
            (Mail, Tls, "530 5.7.0 Authentication required", Failed, "5.7.0"),
            (Rcpt, Clear, "550 5.7.10 Encryption needed", HostUnusable, "4.7.10"),
            (Mail, Tls, "552 5.3.4 too large", Failed, "5.3.4"),
            (Data, Tls, "451 4.3.0 disk", Deferred, "4.3.0"),
            (Greeting, Clear, "554 5.7.1 blocked", HostUnusable, "4.7.1"),
            (Greeting, Clear, "521 no mail here", HostUnusable, "4.1.10"),
            (Hello, Clear, "550 bad name", HostUnusable, "4.0.0"),
            (Login, Tls, "535 5.7.8 no", HostUnusable, "4.7.8"),
        ];
        for (stage, protection, text, verdict, status) in rows {
            let outcome = outcome(stage, protection, text);
            assert_eq!(
                (outcome.verdict, outcome.enhanced().to_string().as_str()),
                (verdict, status),
                "{text}"
            );
        }
    }

    #[test]
    fn the_last_host() {
        let last = |text: &str| outcome(Stage::Greeting, Protection::Clear, text).without_other_host();
        assert_eq!(last("521 host does not accept mail"), Verdict::Failed);
        assert_eq!(last("554 blocked"), Verdict::Deferred);
        assert_eq!(Outcome::lacks(Lack::RequireTls).without_other_host(), Verdict::Failed);
        assert_eq!(Outcome::lacks(Lack::Tls).without_other_host(), Verdict::Deferred);
        let lost = Outcome::broke(Stage::Final, Break::Closed);
        assert!(lost.is_uncertain() && lost.verdict == Verdict::Deferred);
        assert!(!Outcome::broke(Stage::Content, Break::Closed).is_uncertain());
        assert!(outcome(Stage::Rcpt, Protection::Tls, "452 4.5.3 enough").is_surplus());
        assert!(!outcome(Stage::Rcpt, Protection::Tls, "452 4.2.2 full").is_surplus());
    }
}
