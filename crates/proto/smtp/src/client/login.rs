//! AUTH (RFC 4954 §4) from the client's side.

use super::outcome::{Break, Lack, Stage};
use super::reply::{Reply, ReplyError};
use super::{Client, State};
use sasl::client::{Exchange, Setup, Trouble};

/// A log-in under way.
#[derive(Debug)]
pub(super) struct Login {
    exchange: Exchange,
    /// The initial response, while it has not been asked for.
    unsaid: Option<Vec<u8>>,
}

/// Longest AUTH command with an initial response: one of 512 octets is always taken (RFC 5321 §4.5.3.1.4), and
/// RFC 4954 §4 leaves it to the client to send a longer one only when it is asked for it.
const COMMAND_BYTES_MAX: usize = 512;

impl Client {
    pub(super) fn log_in(&mut self) {
        let Some(credentials) = &self.settings.credentials else { return self.state = State::ToReady };
        let chosen = sasl::client::choose(
            &self.peer.mechanisms,
            &credentials.secret,
            self.tls.as_ref(),
            self.settings.plaintext_auth,
        );
        let Some(mechanism) = chosen else { return self.lacking(Lack::Login) };
        let setup = Setup {
            entropy: &self.settings.entropy,
            tls: self.tls.as_ref(),
            peer_offers_binding: self.peer.mechanisms.iter().any(|mechanism| mechanism.is_plus()),
            host: (&self.settings.host.0, self.settings.host.1),
        };
        let (exchange, initial) = match Exchange::start(mechanism, credentials, &setup) {
            Ok(started) => started,
            Err(trouble) => return self.login_failed(trouble),
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
        command.extend_from_slice(b"\r\n");
        self.output.extend_from_slice(&command);
        self.state = State::Login(Box::new(Login { exchange, unsaid }));
    }

    pub(super) fn login_answered(&mut self, reply: &Reply) {
        let State::Login(mut login) = std::mem::replace(&mut self.state, State::Idle) else { return };
        match reply.code {
            334 => match login.answer(reply) {
                Ok(message) => {
                    sasl::encode_base64(&message, &mut self.output);
                    self.output.extend_from_slice(b"\r\n");
                    self.state = State::Login(login);
                }
                Err(trouble) => {
                    // RFC 4954 §4: a single `*` cancels; what the server says to it changes nothing.
                    self.output.extend_from_slice(b"*\r\n");
                    self.login_failed(trouble);
                }
            },
            200..=299 => match login.exchange.finish() {
                Ok(()) => self.state = State::ToReady,
                Err(trouble) => self.login_failed(trouble),
            },
            300..=399 => {
                self.state = State::Login(login);
                self.broke(Break::Garbled(ReplyError::Unexpected));
            }
            _ => self.unusable(Stage::Login, reply.clone()),
        }
    }

    fn login_failed(&mut self, trouble: Trouble) {
        self.give_up(super::Outcome::broke(Stage::Login, Break::Login(trouble)), true);
    }
}

impl Login {
    fn answer(&mut self, reply: &Reply) -> Result<Vec<u8>, Trouble> {
        if let Some(message) = self.unsaid.take() {
            return Ok(message);
        }
        let text = reply.lines.last().map_or("", |line| line.trim_end_matches(' '));
        // Quirk (several servers): text instead of base64 where nobody reads it, as a first challenge or LOGIN's prompt.
        let message = sasl::decode_base64(text.as_bytes()).unwrap_or_default();
        self.exchange.challenge(&message)
    }
}
