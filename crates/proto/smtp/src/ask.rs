//! What an SMTP, submission or LMTP session asks of the world, and what it hears back.
//!
//! The answering side needs no state of its own: every question carries what was said before it (behind an [`Arc`], so
//! that a thousand recipients cost no copies). Policy is decided there, syntax and order here. A refusal by policy is a
//! [`Refusal`], which the session sends as it is; trouble of the answering side is one of its 4xx values.

use crate::reply::Refusal;
use model::{EmailAddress, Path, ReversePath};
use std::net::IpAddr;
use std::sync::Arc;

/// A question. Each variant names the [`Answer`] that belongs to it; any other answer is a bug and ends the session
/// with 421.
#[derive(Debug)]
pub enum Ask {
    /// A step of a log-in (RFC 4954). Answer: [`Answer::Auth`].
    Auth {
        /// Who is connected.
        client: Arc<Client>,
        /// The step.
        question: sasl::Question,
    },
    /// May this message begin (MAIL)? Answer: [`Answer::Sender`].
    Sender(Arc<Sender>),
    /// May the message go there (RCPT)? Answer: [`Answer::Recipient`].
    Recipient {
        /// The MAIL command before.
        sender: Arc<Sender>,
        /// The recipient, not yet accepted.
        recipient: Arc<Recipient>,
        /// How many have been accepted before in this transaction.
        accepted_count: usize,
    },
    /// VRFY. Asked only when the listener lets this client. Answer: [`Answer::Listed`].
    Verify {
        /// Who asks.
        client: Arc<Client>,
        /// A user name, a mailbox, or a full name; no angle brackets.
        text: String,
    },
    /// EXPN, under the same condition. Answer: [`Answer::Listed`].
    Expand {
        /// Who asks.
        client: Arc<Client>,
        /// The list's name or mailbox; no angle brackets.
        text: String,
    },
    /// The octets that the URL of BURL names (RFC 4468). Answer: [`Answer::Url`].
    Url {
        /// Who is connected, and has logged in.
        client: Arc<Client>,
        /// As the client wrote it.
        url: String,
        /// Most octets in the answer.
        bytes_max: u64,
    },
    /// ETRN (RFC 1985): try what waits for this domain now. Answer: [`Answer::Flushed`].
    Flush {
        /// Who asks.
        client: Arc<Client>,
        /// Whose mail.
        domain: model::Domain,
        /// Which.
        reach: Reach,
    },
    /// ATRN (RFC 2645): may the connection turn round, for what waits for these domains? Answer: [`Answer::Turned`]; after
    /// an Ok the session is over ([`wire::End::Turned`]) and the connection the answering side's.
    Turn {
        /// Who asks, and has logged in.
        client: Arc<Client>,
        /// Whose mail; none: of all domains that are his.
        domains: Vec<model::Domain>,
    },
    /// Take this message. Answer: [`Answer::Deliver`], only when the result is durable.
    Deliver(Box<Delivery>),
}

/// The reply to an [`Ask`].
#[derive(Debug)]
pub enum Answer {
    /// To [`Ask::Auth`].
    Auth(sasl::Reply),
    /// To [`Ask::Sender`].
    Sender(Outcome),
    /// To [`Ask::Recipient`].
    Recipient(Outcome),
    /// To [`Ask::Verify`] and [`Ask::Expand`]: who it is. An empty list means "nobody" (550); several are the members
    /// of a list, or for VRFY the candidates of an ambiguous name (553).
    Listed(Result<Vec<Listed>, Refusal>),
    /// To [`Ask::Url`].
    Url(Result<Vec<u8>, Refusal>),
    /// To [`Ask::Flush`]: how many messages wait and are tried now.
    Flushed(Result<u64, Refusal>),
    /// To [`Ask::Turn`].
    Turned(Outcome),
    /// To [`Ask::Deliver`]. For LMTP one outcome per recipient, in their order (RFC 2033 §4.2); for SMTP and
    /// submission exactly one, for the message as a whole.
    Deliver(Vec<Outcome>),
}

/// Whose mail ETRN asks for (RFC 1985 §5.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reach {
    /// That of the domain.
    Domain,
    /// `@`: also that of all domains below it.
    Below,
}

/// Taken, or refused with this reply.
pub type Outcome = Result<(), Refusal>;

/// What the listener speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// SMTP between hosts, port 25 (RFC 5321).
    Mta,
    /// Message submission, ports 587 and 465 (RFC 6409, RFC 8314).
    Submission,
    /// LMTP (RFC 2033).
    Lmtp,
}

/// Who is connected, as far as is known at the moment of the question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// What the listener speaks.
    pub kind: Kind,
    /// The peer's address; None on a unix socket.
    pub peer: Option<IpAddr>,
    /// The connection's id in logs.
    pub trace: String,
    /// The argument of EHLO, HELO or LHLO: a domain or an address literal, as the client wrote it; empty before.
    pub helo: String,
    /// Which of the three greeted.
    pub greeting: Greeting,
    /// The account that logged in, as `user@domain`.
    pub user: Option<String>,
    /// Set when the connection is encrypted.
    pub tls: Option<wire::TlsInfo>,
}

/// How the client greeted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Greeting {
    /// Not yet (since the start or since TLS began).
    None,
    /// HELO: no extensions.
    Helo,
    /// EHLO
    Ehlo,
    /// LHLO (RFC 2033 §4.1)
    Lhlo,
}

/// An accepted or proposed MAIL command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// Who is connected.
    pub client: Arc<Client>,
    /// The reverse-path; a source route before it has been dropped.
    pub from: ReversePath,
    /// SIZE= in octets (RFC 1870), already held against the listener's limit.
    pub size_bytes: Option<u64>,
    /// BODY= (RFC 6152, RFC 3030).
    pub body: BodyType,
    /// SMTPUTF8 was given (RFC 6531 §3.4): addresses and header may hold UTF-8.
    pub smtputf8: bool,
    /// RET= (RFC 3461 §4.3): what of the message goes into a failure notice.
    pub ret: Option<Ret>,
    /// ENVID= (RFC 3461 §4.4), xtext decoded, printable ASCII.
    pub envid: Option<String>,
    /// AUTH= (RFC 4954 §5): who submitted it first, [`ReversePath::Null`] for `<>`. To be believed from trusted
    /// clients only.
    pub submitter: Option<ReversePath>,
    /// What else is asked for. Nothing unless the listener offers it.
    pub wishes: Wishes,
}

/// What MAIL asks of the way the message takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wishes {
    /// MT-PRIORITY= (RFC 6710), -9 to 9, not above 0 from strangers; None: not said.
    pub priority: Option<i8>,
    /// HOLDFOR= and HOLDUNTIL= (RFC 4865): not to leave, nor to be delivered, before; seconds since 1970 (UTC).
    pub release_at: Option<i64>,
    /// BY= (RFC 2852), from the time of this command.
    pub deliver_by: Option<DeliverBy>,
    /// REQUIRETLS (RFC 8689): only over connections that are encrypted, to hosts that are verified. TLS is on.
    pub require_tls: bool,
}

/// BY= of MAIL (RFC 2852 §4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DeliverBy {
    /// What is left of the time, in seconds; with `must_return` at least 1, otherwise negative when it is over.
    pub seconds: i64,
    /// `R`: to be returned when it can't be delivered in time; otherwise `N`: the sender is only told.
    pub must_return: bool,
    /// `T`: every host on the way tells the sender.
    pub trace: bool,
}

/// BODY= of MAIL.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum BodyType {
    /// Lines of ASCII; also when nothing was said.
    #[default]
    SevenBit,
    /// Lines of any octets (RFC 6152).
    EightBitMime,
    /// Any octets at all, by BDAT (RFC 3030 §3).
    BinaryMime,
}

/// RET= of MAIL (RFC 3461 §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ret {
    /// The whole message.
    Full,
    /// Its header only.
    Headers,
}

/// An accepted or proposed RCPT command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// The forward-path; a source route before it has been dropped (RFC 5321 appendix C).
    pub path: Path,
    /// NOTIFY= (RFC 3461 §4.1); None: not given, so failures (and at will delays) are reported.
    pub notify: Option<Notify>,
    /// ORCPT= (RFC 3461 §4.2).
    pub original: Option<OriginalRecipient>,
}

/// ORCPT=, decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OriginalRecipient {
    /// `rfc822`, `utf-8` …, in lower case.
    pub addr_type: String,
    /// The address, xtext (RFC 3461 §4) or utf-8-addr-xtext (RFC 6533 §3) decoded.
    pub address: String,
}

/// What NOTIFY= can name (RFC 3461 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum NotifyOn {
    /// The message was delivered.
    Success = 1,
    /// It could not be.
    Failure = 2,
    /// It waits for long.
    Delay = 4,
}

/// A set of [`NotifyOn`]; the empty set is NOTIFY=NEVER.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Notify(pub u8);

impl Notify {
    /// NOTIFY=NEVER.
    pub const NEVER: Notify = Notify(0);

    /// Whether that event is to be reported.
    pub fn has(self, event: NotifyOn) -> bool {
        self.0 & event as u8 != 0
    }

    /// The set with `event`.
    #[must_use]
    pub fn with(self, event: NotifyOn) -> Notify {
        Notify(self.0 | event as u8)
    }
}

/// A message with its envelope.
#[derive(Debug)]
pub struct Delivery {
    /// The MAIL command; the client is in it.
    pub sender: Arc<Sender>,
    /// The accepted recipients, in order, duplicates kept; at least one.
    pub recipients: Vec<Arc<Recipient>>,
    /// Names this message in logs, the reply and the trace field: the connection's trace, a dot, a number from 1.
    pub id: String,
    /// When its last octet came, seconds since 1970 (UTC).
    pub received_at: i64,
    /// The keyword of `with` in the trace field: `ESMTPSA`, `UTF8SMTP` … (RFC 3848, RFC 6531 §4.3).
    pub protocol: &'static str,
    /// The message as it is to be stored: this server's Received: field, then what came, with dots unstuffed. Lines end
    /// with CRLF, and the last one does too, unless the body type is [`BodyType::BinaryMime`].
    ///
    /// Return-Path: fields that came at the head are gone (RFC 5321 §4.4: the final delivery writes its own, which the
    /// delivering side prepends). Submission has added Message-ID, Date and From where they were missing and has
    /// removed Bcc (RFC 6409 §8). Nothing else was touched.
    pub message: Vec<u8>,
    /// Length of the Received: field at the front of `message`, in octets.
    pub trace_field_bytes: usize,
    /// Accounts for the memory of `message`; to be kept as long as that is.
    pub memory: wire::Share,
}

/// Somebody VRFY or EXPN found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Full name, when there is one to show.
    pub name: Option<String>,
    /// The mailbox.
    pub address: EmailAddress,
}
