//! What a listener is told once and every session of it obeys.

use crate::ask::Kind;
use std::time::Duration;

/// A listener's settings and one connection's data.
#[derive(Clone, Debug)]
pub struct Config {
    /// What is spoken.
    pub kind: Kind,
    /// This connection.
    pub connection: wire::Connection,
    /// Bounds on everything that a peer can make grow.
    pub limits: Limits,
    /// Memory for messages that come in, shared with all sessions of the server.
    pub memory: wire::Budget,
    /// Mechanisms that may be used at all, best first; those that send the password in clear are left out before TLS
    /// unless the connection says otherwise. Empty: AUTH is not offered.
    pub mechanisms: Vec<sasl::Mechanism>,
    /// Whether mail is taken from clients that did not log in.
    pub login: Login,
    /// Who may use VRFY and EXPN.
    pub verify: Verify,
    /// Extensions that need a queue behind the session, and promise what it has to keep. Empty: none.
    pub offers: Vec<Offer>,
}

/// An extension that not every server can keep.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Offer {
    /// MT-PRIORITY (RFC 6710). Only who has logged in (and LMTP) may raise a priority.
    MtPriority,
    /// REQUIRETLS (RFC 8689), told and taken within TLS.
    RequireTls,
    /// DELIVERBY (RFC 2852).
    DeliverBy,
    /// ETRN (RFC 1985). Who may use it is for [`crate::Ask::Flush`] to say.
    Etrn,
    /// ATRN (RFC 2645): the connection turns round, and what waits for a customer is sent to him over it.
    Atrn,
    /// FUTURERELEASE (RFC 4865), on submission only.
    FutureRelease {
        /// How long a message may be held at most; 1 to 999999999.
        seconds_max: u32,
    },
}

impl Config {
    /// Usual settings of a kind: every mechanism but for LMTP, log-in required for submission, VRFY and EXPN off.
    pub fn new(kind: Kind, connection: wire::Connection) -> Config {
        let mechanisms = if kind == Kind::Lmtp { Vec::new() } else { sasl::Mechanism::USUAL.to_vec() };
        let login = if kind == Kind::Submission { Login::Required } else { Login::Optional };
        let memory = wire::Budget::unlimited();
        Config {
            kind,
            connection,
            limits: Limits::default(),
            memory,
            mechanisms,
            login,
            verify: Verify::Off,
            offers: Vec::new(),
        }
    }
}

/// Whether a log-in comes before mail (RFC 6409 §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Login {
    /// MAIL works without; what is taken from strangers is the policy's to say.
    Optional,
    /// MAIL, RCPT, DATA and BDAT get 530 before it.
    Required,
}

/// Who may use VRFY and EXPN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verify {
    /// Nobody: VRFY gets 252, EXPN 550.
    Off,
    /// Clients that have logged in; the others are answered as with [`Verify::Off`].
    LoggedIn,
}

/// Bounds. Octets count what travels, unless said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Longest command with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512, and the parameters of SIZE, BODY, SMTPUTF8,
    /// AUTH and DSN add to that (26 + 17 + 10 + 500 + some 620). Default 2048.
    pub command_bytes_max: usize,
    /// Longest AUTH command and longest line of a log-in (RFC 4954 §4). Default 12288.
    pub auth_line_bytes_max: usize,
    /// Largest message, dots unstuffed, without the trace field (SIZE, RFC 1870). Default 50 MiB. A session holds one
    /// message at a time: this is what bounds its memory.
    pub message_bytes_max: u64,
    /// How much of a refused message is read (and thrown away) to reach its end; beyond that the connection is closed.
    /// Never less than a whole message. Default 200 MiB.
    pub discard_bytes_max: u64,
    /// RCPT commands in one transaction (RFC 5321 §4.5.3.1.8 asks for 100). Default 1000.
    pub recipients_max: usize,
    /// MAIL commands in one session. Default 10000.
    pub messages_max: u32,
    /// Commands refused as malformed, unknown or out of order since the last accepted message. Default 20.
    pub errors_max: u32,
    /// Recipients that policy refused since the last accepted message. Default 1000.
    pub refused_recipients_max: u32,
    /// Failed log-ins (RFC 4954 §9: not less than 3). Default 3.
    pub failed_logins_max: u32,
    /// Silence before the next command (RFC 5321 §4.5.3.2.7: at least 5 minutes). Default that.
    pub command_patience: Duration,
    /// Silence within DATA or BDAT (§4.5.3.2.5). Default 3 minutes.
    pub data_patience: Duration,
    /// From the greeting to the log-in at most, in seconds, where one is required. Default 300.
    pub login_within_s: i64,
}

impl Limits {
    /// Most octets that are read for one message or chunk.
    pub(crate) fn read_bytes_max(&self) -> u64 {
        self.discard_bytes_max.max(self.message_bytes_max)
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            command_bytes_max: 2048,
            auth_line_bytes_max: 12_288,
            message_bytes_max: 50 * 1024 * 1024,
            discard_bytes_max: 200 * 1024 * 1024,
            recipients_max: 1000,
            messages_max: 10_000,
            errors_max: 20,
            refused_recipients_max: 1000,
            failed_logins_max: 3,
            command_patience: Duration::from_secs(5 * 60),
            data_patience: Duration::from_secs(3 * 60),
            login_within_s: 300,
        }
    }
}
