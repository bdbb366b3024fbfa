//! From the greeting to the TRANSACTION state: CAPA, STLS, AUTH, APOP or USER and PASS.
//!
//! RFC 1939 §4, §7, RFC 2449 §5, RFC 2595 §4, RFC 5034.

use super::fault::{Fault, ReplyError};
use super::receive::{Reply, apop_timestamp};
use super::{Apop, Capabilities, Client, Kind, State, TlsWish};
use sasl::client::{Exchange, Secret, Setup, Trouble};
use secrecy::ExposeSecret as _;

/// AUTH under way.
pub(super) struct Login {
    exchange: Exchange,
    /// The initial response, while it has not been asked for.
    unsaid: Option<Vec<u8>>,
}

/// Longest AUTH command with an initial response (RFC 5034 §4).
const COMMAND_BYTES_MAX: usize = 255;

impl Client {
    pub(super) fn greeted(&mut self, reply: Reply) {
        match reply {
            Reply::Ok(text) => {
                self.timestamp = apop_timestamp(&text);
                self.state = State::Opening;
                self.give(Kind::Capa, b"CAPA");
            }
            Reply::Refused(refusal) => self.ended(Fault::Greeted(refusal)),
            Reply::Challenge(_) => self.ended(Fault::Garbled(ReplyError::NotAReply)),
        }
    }

    /// What comes when CAPA has been answered. None: the server does not know CAPA.
    pub(super) fn capabilities_told(&mut self, told: Option<Capabilities>) {
        let knows_capa = told.is_some();
        self.capabilities = told.unwrap_or_default();
        if self.tls.is_none() && self.settings.tls == TlsWish::Stls {
            if knows_capa && !self.capabilities.stls {
                return self.ended(Fault::NoTls);
            }
            return self.give(Kind::Stls, b"STLS");
        }
        self.log_in();
    }

    fn log_in(&mut self) {
        let credentials = &self.settings.credentials;
        let plaintext_auth = self.settings.plaintext_auth;
        if let (Apop::WhenOffered, Some(timestamp), Secret::Password(password)) =
            (self.settings.apop, &self.timestamp, &credentials.secret)
        {
            let digest = sasl::apop_digest(timestamp, password.expose_secret().as_bytes());
            return match one_line(&credentials.user) {
                Ok(user) => self.give(Kind::Login, format!("APOP {user} {digest}").as_bytes()),
                Err(trouble) => self.ended(Fault::Login(trouble)),
            };
        }
        let mechanisms = &self.capabilities.mechanisms;
        let tls = self.tls.as_ref();
        let Some(mechanism) = sasl::client::choose(mechanisms, &credentials.secret, tls, plaintext_auth)
        else {
            return match &credentials.secret {
                Secret::Password(_) if tls.is_some() || plaintext_auth => match one_line(&credentials.user) {
                    Ok(user) => self.give(Kind::User, format!("USER {user}").as_bytes()),
                    Err(trouble) => self.ended(Fault::Login(trouble)),
                },
                _ => self.ended(Fault::NoLogin),
            };
        };
        let setup = Setup {
            entropy: &self.settings.entropy,
            tls,
            peer_offers_binding: mechanisms.iter().any(|mechanism| mechanism.is_plus()),
            host: (&self.settings.host.0, self.settings.host.1),
        };
        let (exchange, initial) = match Exchange::start(mechanism, credentials, &setup) {
            Ok(started) => started,
            Err(trouble) => return self.ended(Fault::Login(trouble)),
        };
        let mut command = format!("AUTH {mechanism}").into_bytes();
        let mut unsaid = None;
        match initial {
            Some(message) if command.len() + 1 + message.len().div_ceil(3) * 4 + 2 > COMMAND_BYTES_MAX => {
                unsaid = Some(message);
            }
            Some(message) if message.is_empty() => command.extend_from_slice(b" ="),
            Some(message) => {
                command.push(b' ');
                sasl::encode_base64(&message, &mut command);
            }
            None => {}
        }
        self.give(Kind::Auth(Box::new(Login { exchange, unsaid })), &command);
    }

    /// USER was taken.
    pub(super) fn say_password(&mut self) {
        let Secret::Password(password) = &self.settings.credentials.secret else { return };
        match one_line(password.expose_secret()) {
            Ok(password) => {
                let command = format!("PASS {password}");
                self.give(Kind::Login, command.as_bytes());
            }
            Err(trouble) => self.ended(Fault::Login(trouble)),
        }
    }

    /// A challenge came; None: AUTH goes on.
    pub(super) fn challenged(&mut self, login: &mut Login, text: &[u8]) -> Option<Fault> {
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
                None
            }
            Err(trouble) => {
                // RFC 5034 §4: a single `*` cancels; what the server says to it changes nothing.
                self.output.extend_from_slice(b"*\r\n");
                Some(Fault::Login(trouble))
            }
        }
    }
}

impl Login {
    pub(super) fn finish(self) -> Result<(), Trouble> {
        self.exchange.finish()
    }
}

/// What can stand in a command.
fn one_line(text: &str) -> Result<&str, Trouble> {
    if text.contains(['\r', '\n', '\0']) { Err(Trouble::Unprepared) } else { Ok(text) }
}
