//! From the greeting to where mailboxes can be opened: CAPABILITY, STARTTLS, AUTHENTICATE or LOGIN, ENABLE.
//!
//! RFC 9051 §6.1 to §6.3.1, RFC 4959 (SASL-IR), RFC 5161, RFC 6855.

use super::compose::Composer;
use super::fault::{Fault, Refusal};
use super::receive::ResponseError;
use super::response::{Capability, Code, Condition, Reason, StatusText};
use super::{Client, Kind, Progress, State, TlsWish};
use sasl::client::{Exchange, Secret, Setup};
use secrecy::ExposeSecret as _;

/// AUTHENTICATE under way.
pub(super) struct Login {
    exchange: Exchange,
    /// The initial response, while it has not been asked for.
    unsaid: Option<Vec<u8>>,
}

/// Longest command with an initial response.
const COMMAND_BYTES_MAX: usize = 8000;

impl Client {
    pub(super) fn greeted(&mut self, condition: Condition, text: StatusText) {
        match condition {
            Condition::Ok => {}
            // RFC 9051 §11.1: STARTTLS can't come any more, so whoever is between could have said this.
            Condition::Preauth if self.settings.tls == TlsWish::StartTls && self.tls.is_none() => {
                return self.ended(Fault::PreauthWithoutTls);
            }
            Condition::Preauth => self.progress = Progress::LoggedIn,
            Condition::Bye => return self.ended(Fault::Bye(refusal(text))),
            Condition::No | Condition::Bad => return self.ended(Fault::Garbled(ResponseError::Unexpected)),
        }
        if let Some(Code::Capability(capabilities)) = text.code {
            self.capabilities = Some(capabilities);
        }
        self.go_on_logging_in();
    }

    /// What comes next before the session stands.
    pub(super) fn go_on_logging_in(&mut self) {
        let Some(capabilities) = &self.capabilities else {
            return self.begin(Kind::Capability, "CAPABILITY");
        };
        if self.tls.is_none() && self.settings.tls == TlsWish::StartTls {
            if !capabilities.has(Capability::StartTls) {
                return self.ended(Fault::NoTls);
            }
            return self.begin(Kind::StartTls, "STARTTLS");
        }
        match self.progress {
            Progress::Greeted => self.log_in(),
            // Without it a server may show messages with UTF-8 in their header otherwise than they are (RFC 6858).
            Progress::LoggedIn
                if capabilities.has(Capability::Enable) && capabilities.has(Capability::Utf8) =>
            {
                self.progress = Progress::Enabled;
                self.begin(Kind::Enable, "ENABLE UTF8=ACCEPT");
            }
            Progress::LoggedIn | Progress::Enabled => self.state = State::ToReady,
        }
    }

    fn log_in(&mut self) {
        let Some(capabilities) = self.capabilities.take() else { return };
        let tag = self.next_tag();
        let credentials = &self.settings.credentials;
        let plaintext_auth = self.settings.plaintext_auth;
        let mechanisms = &capabilities.mechanisms;
        let chosen = sasl::client::choose(mechanisms, &credentials.secret, self.tls.as_ref(), plaintext_auth);
        let Some(mechanism) = chosen else {
            let may_show = self.tls.is_some() || plaintext_auth;
            return match &credentials.secret {
                // RFC 9051 §6.2.3: LOGIN must not be tried where LOGINDISABLED is said.
                Secret::Password(password) if may_show && !capabilities.has(Capability::LoginDisabled) => {
                    let command = Composer::new(&tag, "LOGIN ")
                        .string(credentials.user.as_bytes())
                        .text(" ")
                        .string(password.expose_secret().as_bytes());
                    self.send(tag, Kind::Login, command);
                }
                _ => self.ended(Fault::NoLogin),
            };
        };
        let setup = Setup {
            entropy: &self.settings.entropy,
            tls: self.tls.as_ref(),
            peer_offers_binding: mechanisms.iter().any(|mechanism| mechanism.is_plus()),
            host: (&self.settings.host.0, self.settings.host.1),
        };
        let (exchange, initial) = match Exchange::start(mechanism, credentials, &setup) {
            Ok(started) => started,
            Err(trouble) => return self.ended(Fault::Login(trouble)),
        };
        let mut words = format!("AUTHENTICATE {mechanism}");
        let mut unsaid = None;
        match initial {
            Some(message)
                if !capabilities.has(Capability::SaslIr) || message.len() * 4 / 3 > COMMAND_BYTES_MAX =>
            {
                unsaid = Some(message);
            }
            // RFC 4959 §3: an empty one.
            Some(message) if message.is_empty() => words.push_str(" ="),
            Some(message) => {
                let mut text = Vec::new();
                sasl::encode_base64(&message, &mut text);
                words.push(' ');
                words.extend(text.into_iter().map(char::from));
            }
            None => {}
        }
        let command = Composer::new(&tag, &words);
        self.send(tag, Kind::Authenticate(Box::new(Login { exchange, unsaid })), command);
    }

    /// `+` while AUTHENTICATE runs.
    pub(super) fn challenged(&mut self, text: &[u8]) {
        let State::Running(running) = &mut self.state else { return };
        let Kind::Authenticate(login) = &mut running.kind else { return };
        let answer = match login.unsaid.take() {
            Some(message) => Ok(message),
            None => {
                // Quirk (several servers): text instead of base64 where nobody reads it, as LOGIN's prompts.
                let message = sasl::decode_base64(text.trim_ascii_end()).unwrap_or_default();
                login.exchange.challenge(&message)
            }
        };
        match answer {
            Ok(message) => {
                sasl::encode_base64(&message, &mut self.output);
                self.output.extend_from_slice(b"\r\n");
            }
            Err(trouble) => {
                // RFC 9051 §6.2.2: a single `*` cancels; what the server says to it changes nothing.
                self.output.extend_from_slice(b"*\r\n");
                self.ended(Fault::Login(trouble));
            }
        }
    }

    /// One of the commands of this file has ended.
    pub(super) fn opening_answered(&mut self, kind: Kind, condition: Condition, text: StatusText) {
        let is_ok = condition == Condition::Ok;
        match kind {
            Kind::Capability if is_ok => {
                // One that says OK and names nothing can nothing.
                self.capabilities.get_or_insert_default();
                self.go_on_logging_in();
            }
            Kind::StartTls if is_ok => {
                // RFC 9051 §6.2.1: what the server said before TLS does not count, nor what it said behind its OK.
                self.receiver.discard();
                self.capabilities = None;
                self.state = State::ToHandshake;
            }
            Kind::StartTls => self.ended(Fault::NoTls),
            Kind::Authenticate(_) | Kind::Login if !is_ok => {
                self.ended(Fault::LoginRefused(refusal(text)));
            }
            Kind::Authenticate(login) => match login.exchange.finish() {
                Ok(()) => self.logged_in(text),
                Err(trouble) => self.ended(Fault::Login(trouble)),
            },
            Kind::Login => self.logged_in(text),
            // What is not enabled is not there.
            Kind::Enable => self.state = State::ToReady,
            _ => self.ended(Fault::Refused(Refusal { is_bad: condition == Condition::Bad, ..refusal(text) })),
        }
    }

    /// RFC 9051 §6.2.2, §6.2.3: capabilities change with the log-in; those from before were forgotten.
    fn logged_in(&mut self, text: StatusText) {
        self.progress = Progress::LoggedIn;
        if let Some(Code::Capability(capabilities)) = text.code {
            self.capabilities = Some(capabilities);
        }
        self.go_on_logging_in();
    }
}

/// What a NO, BAD or BYE says.
pub(super) fn refusal(text: StatusText) -> Refusal {
    let reason = match text.code {
        Some(Code::Reason(reason)) => Some(reason),
        _ => None::<Reason>,
    };
    Refusal { is_bad: false, reason, text: text.text }
}
