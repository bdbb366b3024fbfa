//! AUTH (RFC 4954).

use super::{Pending, Session, State};
use crate::ask::{Ask, Client, Greeting};
use crate::reply::Refusal;
use sasl::{Exchange, Mechanism, Next, Reply, Setup, Verdict};
use std::sync::Arc;
use wire::LineError;

impl Session {
    /// What EHLO lists: only what would be taken now (RFC 4954 §4, §6 on 538).
    pub(super) fn usable_mechanisms(&self) -> impl Iterator<Item = Mechanism> {
        self.config.mechanisms.iter().copied().filter(|mechanism| self.is_usable(*mechanism))
    }

    fn is_usable(&self, mechanism: Mechanism) -> bool {
        mechanism.is_usable(self.client.tls.as_ref(), self.config.connection.plaintext_auth)
    }

    /// ```text
    /// auth-command     = "AUTH" SP sasl-mech [SP initial-response] *(CRLF [base64]) [CRLF cancel-response] CRLF
    /// initial-response = base64 / "="
    /// ```
    pub(super) fn auth(&mut self, args: &str, now: i64) {
        let (mechanism, initial) = match self.auth_args(args) {
            Ok(args) => args,
            Err(refusal) => return self.refuse(&refusal),
        };
        self.counts.exchanges += 1;
        let connection = &self.config.connection;
        let setup = Setup {
            entropy: &connection.entropy,
            exchange: self.counts.exchanges,
            hostname: &connection.hostname,
            now,
            tls: self.client.tls.as_ref(),
            offers_binding: sasl::offers_binding(&self.config.mechanisms, self.client.tls.as_ref()),
        };
        let (exchange, next) = Exchange::start(mechanism, &setup, initial.as_deref());
        if matches!(next, Next::Malformed) && mechanism == Mechanism::CramMd5 && initial.is_some() {
            // RFC 4954 §4: 501 5.7.0
            let text = format!("{mechanism} begins with the server; leave out the initial response");
            return self.refuse(&Refusal::new(501, (7, 0), text));
        }
        self.login_goes_on(Box::new(exchange), next);
    }

    fn auth_args(&self, args: &str) -> Result<(Mechanism, Option<Vec<u8>>), Refusal> {
        if self.config.mechanisms.is_empty() {
            return Err(Refusal::new(502, (5, 1), "There is no log-in on this port"));
        }
        if !matches!(self.client.greeting, Greeting::Ehlo | Greeting::Lhlo) {
            return Err(Refusal::new(503, (5, 1), "Greet first, with EHLO"));
        }
        if self.client.user.is_some() {
            return Err(Refusal::new(503, (5, 1), "You are logged in already"));
        }
        if self.transaction.is_some() {
            return Err(Refusal::new(503, (5, 1), "Log in before MAIL, or RSET first"));
        }
        let mut words = args.split(' ').filter(|word| !word.is_empty());
        let (name, initial) = match (words.next(), words.next(), words.next()) {
            (Some(name), initial, None) => (name, initial),
            _ => {
                return Err(Refusal::new(
                    501,
                    (5, 4),
                    "The syntax is AUTH mechanism, or AUTH mechanism response",
                ));
            }
        };
        let mechanism = Mechanism::parse(name.as_bytes())
            .filter(|mechanism| self.config.mechanisms.contains(mechanism))
            .ok_or_else(|| {
                Refusal::new(504, (5, 4), "That mechanism is not known here; EHLO lists what is")
            })?;
        if !self.is_usable(mechanism) && !mechanism.is_plaintext() {
            return Err(Refusal::new(504, (5, 4), "That mechanism can't be used on this connection"));
        }
        if !self.is_usable(mechanism) {
            let text = "That mechanism sends the password in clear; begin TLS first";
            return Err(Refusal::new(538, (7, 11), text));
        }
        let initial = match initial {
            None => None,
            Some("=") => Some(Vec::new()),
            Some(text) => Some(sasl::decode_base64(text.as_bytes()).ok_or_else(not_base64)?),
        };
        Ok((mechanism, initial))
    }

    /// Reads the client's answer to a challenge; gives the exchange back when no line is there yet.
    pub(super) fn login_line(&mut self, mut exchange: Box<Exchange>) -> Option<Box<Exchange>> {
        let line = self.input.line(self.config.limits.auth_line_bytes_max);
        let line = match line {
            None => return Some(exchange),
            Some(line) => line,
        };
        self.state = State::Command;
        let length = match line {
            Ok(length) => length,
            Err(LineError::TooLong | LineError::Endless) => {
                self.refuse(&Refusal::new(500, (5, 6), "The line is too long; the log-in is off"));
                return None;
            }
            Err(LineError::BareEnding) => {
                self.refuse(&Refusal::new(501, (5, 2), "Lines end with CR LF; the log-in is off"));
                return None;
            }
        };
        let line = &self.input.pending()[..length];
        let cancelled = line == b"*";
        let message = sasl::decode_base64(line);
        self.input.consume(length + 2);
        match message {
            _ if cancelled => self.refuse(&Refusal::new(501, (7, 0), "The log-in is off, as you wish")),
            None => self.refuse(&not_base64()),
            Some(message) => {
                let next = exchange.response(&message);
                self.login_goes_on(exchange, next);
            }
        }
        None
    }

    pub(super) fn login_answered(&mut self, mut exchange: Box<Exchange>, reply: Reply) {
        let next = exchange.reply(reply);
        self.login_goes_on(exchange, next);
    }

    fn login_goes_on(&mut self, exchange: Box<Exchange>, next: Next) {
        match next {
            Next::Challenge(message) => {
                // RFC 4954 §4: 334, a space, and base64 or nothing.
                self.output.extend_from_slice(b"334 ");
                sasl::encode_base64(&message, &mut self.output);
                self.output.extend_from_slice(b"\r\n");
                self.state = State::LoginLine(exchange);
            }
            Next::Ask(question) => {
                let ask = Ask::Auth { client: Arc::clone(&self.client), question };
                self.ask(ask, Pending::Login(exchange));
            }
            Next::Done { verdict } => self.login_ended(verdict),
            Next::Malformed => {
                let text = format!("That is not what {} has at this point", exchange.mechanism());
                self.refuse(&Refusal::new(501, (5, 2), text));
            }
        }
    }

    fn login_ended(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Granted { account } => {
                self.facts.user = Some(account.clone());
                self.client = Arc::new(Client { user: Some(account), ..Client::clone(&self.client) });
                self.counts.failed_logins = 0;
                return self.say(235, (7, 0), "Logged in");
            }
            Verdict::Unavailable => {
                let text = "Nobody can be logged in just now; the password may be right, try again later";
                return self.decline(&Refusal::new(454, (7, 0), text));
            }
            Verdict::Denied => self.decline(&Refusal::new(535, (7, 8), "The name or the password is wrong")),
            Verdict::Forbidden => {
                let text = "This account or password is not allowed to send mail here";
                self.decline(&Refusal::new(535, (7, 1), text));
            }
        }
        self.counts.failed_logins += 1;
        if self.counts.failed_logins >= self.config.limits.failed_logins_max {
            self.give_up((7, 0), "Too many failed log-ins; check the password and come back");
        }
    }
}

fn not_base64() -> Refusal {
    Refusal::new(501, (5, 2), "That is not base64; the log-in is off")
}
