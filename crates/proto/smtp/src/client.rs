//! SMTP (RFC 5321) and LMTP (RFC 2033): the client's side of a session, without I/O.
//!
//! One [`Client`] is one connection, over which many messages can go, one after the other:
//! ```text
//! Client::new(settings)          then, again and again:
//! step()  ──►  NeedInput    send the output, read, feed() what came (closed() when the peer hung up, timed_out() after
//!                           patience())
//!              Flush        send the output
//!              StartTls     send the output, make the handshake, tls_started()
//!              Ready        the session stands: peer() tells what the server can; send() a transaction, or quit()
//!              WantContent  give the next octets of the message to content()
//!              Transacted   an outcome for each recipient; send() again if can_send(), or quit()
//!              Closed       send the output, close
//! ```
//! The driver sends [`Client::output`] before it waits for anything, and reads while it sends.
//!
//! Extensions that are used where the server offers them: PIPELINING (RFC 2920), SIZE (1870), 8BITMIME (6152), CHUNKING
//! and BINARYMIME (3030), SMTPUTF8 (6531), DSN (3461), STARTTLS (3207), AUTH (4954), LIMITS (9422), REQUIRETLS (8689),
//! MT-PRIORITY (6710), DELIVERBY (2852).
//!
//! Invariants:
//! - every transaction that was sent gets exactly one [`Step::Transacted`], with an outcome for each recipient, however
//!   the connection ends;
//! - nothing that the server sends makes memory grow beyond the limits of [`Reply`]s (a kilobyte for each recipient), nor
//!   makes this side panic or spin;
//! - nothing read before TLS began is used after (RFC 3207 §4.2); no password leaves without TLS unless the settings say
//!   so; no message leaves before the TLS and the log-in that the settings demand.

mod content;
mod login;
mod outcome;
mod peer;
mod reply;
mod sending;
mod transaction;

#[cfg(test)]
mod tests;

pub use crate::ask::DeliverBy;
pub use outcome::{Break, Lack, Outcome, Stage, Verdict, Why};
pub use peer::{Extension, Fit, Peer};
pub use reply::{Reply, ReplyError, ReplyReader};
pub use transaction::{Options, Transaction};

use login::Login;
use outcome::Protection;
use sending::Sending;
use std::sync::Arc;
use std::time::Duration;
use wire::{FLUSH_BYTES, TlsInfo};

/// What a connection is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The argument of EHLO: this host's name, or its address in brackets.
    pub hello: String,
    /// What is spoken.
    pub protocol: Protocol,
    /// What is wanted of TLS.
    pub tls: TlsWish,
    /// For a log-in, which then has to succeed before a message leaves.
    pub credentials: Option<sasl::client::Credentials>,
    /// Whether passwords may travel without TLS (loopback and tests).
    pub plaintext_auth: bool,
    /// Host and port that were dialled, as a log-in with a token tells them (RFC 7628 §3.1).
    pub host: (String, u16),
    /// Fresh random octets for a log-in.
    pub entropy: [u8; 32],
    /// When BDAT is used instead of DATA.
    pub chunking: Chunking,
    /// How long the peer may stay silent.
    pub patience: Patience,
}

impl Settings {
    /// SMTP with TLS if it is offered, no log-in, and the usual patience.
    pub fn new(hello: impl Into<String>) -> Settings {
        Settings {
            hello: hello.into(),
            protocol: Protocol::Smtp,
            tls: TlsWish::IfOffered,
            credentials: None,
            plaintext_auth: false,
            host: (String::new(), 25),
            entropy: [0; 32],
            chunking: Chunking::Offered,
            patience: Patience::default(),
        }
    }
}

/// What is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    /// SMTP, or submission.
    Smtp,
    /// LMTP: each recipient gets a reply of its own to the message (RFC 2033 §4.2).
    Lmtp,
}

/// What is wanted of TLS before a message leaves. Where TLS stands from the first octet, [`Client::tls_started`] is
/// called before the first step, and every wish is fulfilled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TlsWish {
    /// Not even when it is offered.
    Never,
    /// STARTTLS when it is offered; in clear when it is not, or is refused (RFC 7435). A handshake that fails ends the
    /// connection: whoever dials may try again with [`TlsWish::Never`].
    IfOffered,
    /// STARTTLS, or the host is of no use.
    Required,
}

/// When BDAT is used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Chunking {
    /// Wherever it is offered: no dots to stuff, no reply to wait for.
    Offered,
    /// Only for BODY=BINARYMIME, which can't go otherwise.
    Needed,
}

/// How long the peer may stay silent (RFC 5321 §4.5.3.2, whose least values are the defaults).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// Before the greeting. 5 minutes.
    pub greeting: Duration,
    /// After EHLO, STARTTLS, AUTH, MAIL or RCPT. 5 minutes.
    pub command: Duration,
    /// After DATA. 2 minutes.
    pub data: Duration,
    /// While the message leaves, for each block that the peer has to take. 3 minutes.
    pub block: Duration,
    /// After the end of the message. 10 minutes.
    pub end: Duration,
    /// After QUIT: nothing depends on it. 10 seconds.
    pub quit: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Patience {
            greeting: minutes(5),
            command: minutes(5),
            data: minutes(2),
            block: minutes(3),
            end: minutes(10),
            quit: Duration::from_secs(10),
        }
    }
}

/// What a client wants next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing to do until octets come or the patience ends. Output has to be sent first.
    NeedInput,
    /// There is enough output that it should leave before more is made.
    Flush,
    /// Send the output, drop whatever was read in clear, make the handshake, then call [`Client::tls_started`], or
    /// [`Client::closed`] when it failed.
    StartTls,
    /// The session stands; told once. [`Client::peer`] has what the server can.
    Ready,
    /// The next octets of the message are wanted, any number: [`Client::content`].
    WantContent,
    /// The transaction is over: an outcome for each recipient, in their order.
    Transacted(Vec<Outcome>),
    /// Send the output and close. Ok: this side said good-bye; otherwise why the connection is of no use (any more).
    Closed(Result<(), Outcome>),
}

/// A client's side of one connection.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    replies: ReplyReader,
    output: Vec<u8>,
    state: State,
    peer: Peer,
    tls: Option<TlsInfo>,
    /// A transaction was begun and neither ended nor reset at the server.
    is_begun: bool,
    /// MAIL commands so far (RFC 9422 §4.1).
    mails: u32,
}

/// What is waited for.
#[derive(Debug)]
enum State {
    Greeting,
    Hello(Hello),
    /// The reply to STARTTLS.
    StartTls,
    /// To be stepped, to start TLS.
    ToHandshake,
    Handshake,
    Login(Box<Login>),
    /// To be stepped, to tell that the session stands.
    ToReady,
    /// A transaction, or good-bye.
    Idle,
    Sending(Box<Sending>),
    /// To be stepped, to tell the outcomes; then why the connection has ended, if it has.
    ToTransacted(Vec<Outcome>, Option<Outcome>),
    Quitting,
    Closed(Result<(), Outcome>),
}

/// Which greeting was said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hello {
    Ehlo,
    Helo,
    Lhlo,
}

impl Client {
    /// A connection on which nothing has been said.
    pub fn new(settings: Settings) -> Client {
        Client {
            settings,
            replies: ReplyReader::default(),
            output: Vec::new(),
            state: State::Greeting,
            peer: Peer::default(),
            tls: None,
            is_begun: false,
            mails: 0,
        }
    }

    /// Takes octets from the peer, at most [`wire::FEED_BYTES_MAX`] at a time, each followed by a step.
    pub fn feed(&mut self, octets: &[u8]) {
        // RFC 3207 §4.2: what came in clear behind the 220 is not the server's.
        if !matches!(self.state, State::ToHandshake | State::Handshake | State::Closed(_)) {
            self.replies.feed(octets);
        }
    }

    /// Octets for the peer; the driver takes them out (and may give the emptied buffer back).
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// What the server has told of itself.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What TLS brought, once it stands.
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.tls.as_ref()
    }

    /// Whether another transaction can be sent on this connection now.
    pub fn can_send(&self) -> bool {
        matches!(self.state, State::Idle) && self.peer.mails_max.is_none_or(|most| self.mails < most)
    }

    /// Begins a transaction. After the end of a connection all its recipients can go to another host.
    ///
    /// # Panics
    /// When a transaction is under way, or the session does not stand yet: a bug of the caller.
    pub fn send(&mut self, transaction: Transaction) {
        match &self.state {
            State::Idle => self.begin(transaction),
            State::Closed(ended) => {
                let outcome = match ended {
                    Err(outcome) => outcome.clone(),
                    Ok(()) => Outcome::broke(Stage::Idle, Break::Closed),
                };
                let outcome = Outcome { verdict: Verdict::HostUnusable, ..outcome };
                let outcomes = vec![outcome.clone(); transaction.recipients.len()];
                self.state = State::ToTransacted(outcomes, Some(outcome));
            }
            state => panic!("a transaction can't begin in {state:?}"),
        }
    }

    /// Ends the session politely (RFC 5321 §4.1.1.10); between transactions only.
    ///
    /// # Panics
    /// While a transaction is under way: a bug of the caller.
    pub fn quit(&mut self) {
        match &self.state {
            State::Closed(_) | State::Quitting => {}
            State::Sending(_) | State::ToTransacted(..) => panic!("QUIT can't come within a transaction"),
            State::ToHandshake | State::Handshake => self.state = State::Closed(Ok(())),
            _ => {
                self.output.extend_from_slice(b"QUIT\r\n");
                self.state = State::Quitting;
            }
        }
    }

    /// TLS stands: from the first octet, or after [`Step::StartTls`].
    pub fn tls_started(&mut self, tls: TlsInfo) {
        self.tls = Some(tls);
        if matches!(self.state, State::ToHandshake | State::Handshake) {
            self.replies.discard();
            // RFC 3207 §4.2: nothing that the server said before counts.
            self.say_hello(match self.settings.protocol {
                Protocol::Smtp => Hello::Ehlo,
                Protocol::Lmtp => Hello::Lhlo,
            });
        }
    }

    /// The peer has closed the connection, or the network has lost it, or the handshake failed.
    pub fn closed(&mut self) {
        // What was read before is still to be heard: a 421 often stands before the end.
        loop {
            match self.step() {
                Step::NeedInput | Step::StartTls | Step::WantContent => break,
                Step::Transacted(outcomes) => {
                    let ended = Outcome::broke(Stage::Idle, Break::Closed);
                    let ended = match std::mem::replace(&mut self.state, State::Idle) {
                        State::Closed(Err(outcome)) => outcome,
                        _ => ended,
                    };
                    self.state = State::ToTransacted(outcomes, Some(ended));
                    return;
                }
                Step::Closed(_) => return,
                Step::Flush => self.output.clear(),
                Step::Ready => {}
            }
        }
        self.broke(Break::Closed);
    }

    /// The peer was silent for longer than [`Client::patience`].
    pub fn timed_out(&mut self) {
        self.broke(Break::TimedOut);
    }

    /// The message can't be read to its end: the connection is given up, for otherwise a piece of it would be delivered.
    pub fn abandon(&mut self) {
        self.broke(Break::Abandoned);
    }

    /// How long the peer may stay silent now (or, while the message leaves, take nothing).
    pub fn patience(&self) -> Duration {
        let patience = &self.settings.patience;
        match self.stage() {
            Stage::Greeting => patience.greeting,
            Stage::Data => patience.data,
            Stage::Content => patience.block,
            Stage::Final => patience.end,
            Stage::Quit => patience.quit,
            _ => patience.command,
        }
    }

    /// Where the session stands, for logs and errors.
    pub fn stage(&self) -> Stage {
        match &self.state {
            State::Greeting => Stage::Greeting,
            State::Hello(_) => Stage::Hello,
            State::StartTls | State::ToHandshake | State::Handshake => Stage::StartTls,
            State::Login(_) => Stage::Login,
            State::ToReady | State::Idle | State::ToTransacted(..) => Stage::Idle,
            State::Sending(sending) => sending.stage(),
            State::Quitting | State::Closed(_) => Stage::Quit,
        }
    }

    /// Works until something is needed.
    pub fn step(&mut self) -> Step {
        loop {
            if self.output.len() >= FLUSH_BYTES {
                return Step::Flush;
            }
            match &mut self.state {
                State::ToHandshake => {
                    self.state = State::Handshake;
                    self.replies.discard();
                    return Step::StartTls;
                }
                State::Handshake => return Step::NeedInput,
                State::ToReady => {
                    self.state = State::Idle;
                    return Step::Ready;
                }
                State::ToTransacted(outcomes, ended) => {
                    let outcomes = std::mem::take(outcomes);
                    self.state = match ended.take() {
                        Some(outcome) => State::Closed(Err(outcome)),
                        None => State::Idle,
                    };
                    return Step::Transacted(outcomes);
                }
                State::Closed(ended) => return Step::Closed(ended.clone()),
                _ => {}
            }
            match self.replies.read() {
                Some(Ok(reply)) => self.replied(reply),
                Some(Err(error)) => self.broke(Break::Garbled(error)),
                None => {
                    if let Some(step) = self.go_on() {
                        return step;
                    }
                }
            }
        }
    }

    /// No reply is there: writes what can be written; None when that changed the state.
    fn go_on(&mut self) -> Option<Step> {
        match &self.state {
            State::Sending(_) => self.send_on(),
            _ => Some(Step::NeedInput),
        }
    }

    fn replied(&mut self, reply: Reply) {
        match &mut self.state {
            State::Greeting => self.greeted(&reply),
            State::Hello(hello) => {
                let hello = *hello;
                self.hello_answered(hello, reply);
            }
            State::StartTls => self.starttls_answered(reply),
            State::Login(_) => self.login_answered(&reply),
            State::Sending(_) => self.sending_answered(reply),
            State::Quitting => self.state = State::Closed(Ok(())),
            // A server that goes down says 421 at any time (RFC 5321 §3.8); anything else has no meaning here.
            State::Idle if reply.code == 421 => self.unusable(Stage::Idle, reply),
            _ => self.broke(Break::Garbled(ReplyError::Unexpected)),
        }
    }

    fn greeted(&mut self, reply: &Reply) {
        if !reply.is_positive() {
            return self.unusable(Stage::Greeting, reply.clone());
        }
        let text = reply.lines.first().map_or("", String::as_str);
        self.peer.greeting = text[..text.floor_char_boundary(500)].to_owned();
        self.say_hello(match self.settings.protocol {
            Protocol::Smtp => Hello::Ehlo,
            Protocol::Lmtp => Hello::Lhlo,
        });
    }

    fn say_hello(&mut self, hello: Hello) {
        let verb = match hello {
            Hello::Ehlo => "EHLO",
            Hello::Helo => "HELO",
            Hello::Lhlo => "LHLO",
        };
        self.output.extend_from_slice(format!("{verb} {}\r\n", self.settings.hello).as_bytes());
        self.state = State::Hello(hello);
    }

    fn hello_answered(&mut self, hello: Hello, reply: Reply) {
        match (reply.code / 100, hello) {
            (2, Hello::Helo) => {
                let greeting = std::mem::take(&mut self.peer.greeting);
                let name = peer::name_in(reply.lines.first().map_or("", String::as_str));
                self.peer = Peer { name, greeting, ..Peer::default() };
            }
            (2, _) => self.peer.hear(&reply),
            // RFC 5321 §3.2: an old server knows HELO only. Where TLS stands already it is none of those.
            (5, Hello::Ehlo) if self.tls.is_none() && reply.code != 521 => {
                return self.say_hello(Hello::Helo);
            }
            _ => return self.unusable(Stage::Hello, reply),
        }
        if self.tls.is_none() && self.settings.tls != TlsWish::Never {
            if self.peer.has(Extension::StartTls) {
                self.output.extend_from_slice(b"STARTTLS\r\n");
                self.state = State::StartTls;
                return;
            }
            if self.settings.tls == TlsWish::Required {
                return self.lacking(Lack::Tls);
            }
        }
        self.log_in_or_ready();
    }

    fn starttls_answered(&mut self, reply: Reply) {
        match reply.code {
            220 => self.state = State::ToHandshake,
            421 => self.unusable(Stage::StartTls, reply),
            // RFC 3207 §4.1: it is for the client to decide whether it goes on without.
            _ if self.settings.tls == TlsWish::IfOffered && reply.code >= 400 => self.log_in_or_ready(),
            _ => self.unusable(Stage::StartTls, reply),
        }
    }

    fn log_in_or_ready(&mut self) {
        match self.settings.credentials.is_some() {
            true => self.log_in(),
            false => self.state = State::ToReady,
        }
    }

    fn protection(&self) -> Protection {
        if self.tls.is_some() { Protection::Tls } else { Protection::Clear }
    }

    /// The peer refused the session itself; it is told good-bye without waiting for its answer.
    fn unusable(&mut self, stage: Stage, reply: Reply) {
        let says_bye = reply.code != 421;
        let reply = Arc::new(reply.shortened(REPLY_TEXT_BYTES_MAX));
        let outcome = Outcome::replied(stage, &reply, self.protection());
        self.give_up(Outcome { verdict: Verdict::HostUnusable, ..outcome }, says_bye);
    }

    fn lacking(&mut self, lack: Lack) {
        self.give_up(Outcome::lacks(lack), true);
    }

    fn give_up(&mut self, outcome: Outcome, says_bye: bool) {
        if says_bye {
            self.output.extend_from_slice(b"QUIT\r\n");
        }
        self.state = State::Closed(Err(outcome));
    }

    /// The connection is of no use any more; a transaction under way ends with it.
    fn broke(&mut self, how: Break) {
        let outcome = Outcome::broke(self.stage(), how);
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Sending(sending) => {
                self.state = State::ToTransacted(sending.end_all(&outcome), Some(outcome))
            }
            State::ToTransacted(outcomes, ended) => {
                self.state = State::ToTransacted(outcomes, Some(ended.unwrap_or(outcome)));
            }
            State::Quitting => self.state = State::Closed(Ok(())),
            State::Closed(ended) => self.state = State::Closed(ended),
            _ => self.state = State::Closed(Err(outcome)),
        }
    }
}

/// Most text that is kept of a reply to a command about a message, in octets.
const REPLY_TEXT_BYTES_MAX: usize = 1024;
