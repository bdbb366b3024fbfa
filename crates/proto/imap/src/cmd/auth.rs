//! LOGIN and AUTHENTICATE (RFC 9051 §6.2.2, §6.2.3; RFC 4959 for the initial response).

use super::Begun;
use crate::ask::{Answer, Ask};
use crate::command::Secret;
use crate::session::{Core, Done, Event, News, Next, Running, otherwise};
use crate::{capability, write};
use sasl::{Exchange, Mechanism, Setup, Verdict};

/// A log-in under way.
#[derive(Debug)]
struct LogIn {
    exchange: Exchange,
    /// What the exchange wanted when it began.
    first: Option<sasl::Next>,
    verb: &'static str,
}

pub(super) fn login(core: &mut Core, user: String, password: &Secret) -> Begun {
    if !capability::is_offered(Mechanism::Plain, core.stage(), core.tls.as_deref()) {
        return Begun::Now(privacy_required());
    }
    // The same question as PLAIN asks: one path for every password.
    let mut message = Vec::with_capacity(user.len() + password.0.len() + 2);
    message.push(0);
    message.extend_from_slice(user.as_bytes());
    message.push(0);
    message.extend_from_slice(&password.0);
    begin(core, Mechanism::Plain, Some(&message), "LOGIN")
}

pub(super) fn authenticate(core: &mut Core, mechanism: &str, initial: Option<Secret>) -> Begun {
    let known = Mechanism::parse(mechanism.as_bytes());
    let Some(mechanism) = known.filter(|known| core.settings.mechanisms.contains(known)) else {
        return Begun::Now(Done::no("That mechanism is not supported").telling(News::None));
    };
    if !capability::is_offered(mechanism, core.stage(), core.tls.as_deref()) {
        return Begun::Now(match mechanism.is_plaintext() {
            true => privacy_required(),
            false => Done::no("That mechanism is not supported on this connection").telling(News::None),
        });
    }
    begin(core, mechanism, initial.as_ref().map(|initial| initial.0.as_slice()), "AUTHENTICATE")
}

/// RFC 5530 §3: the password would travel in clear.
fn privacy_required() -> Done {
    Done::no("[PRIVACYREQUIRED] Start TLS before sending a password").telling(News::None)
}

fn begin(core: &mut Core, mechanism: Mechanism, initial: Option<&[u8]>, verb: &'static str) -> Begun {
    let setup = Setup {
        entropy: &core.connection.entropy,
        exchange: core.exchanges,
        hostname: &core.connection.hostname,
        now: core.now,
        tls: core.tls.as_deref(),
        offers_binding: sasl::offers_binding(&core.settings.mechanisms, core.tls.as_deref()),
    };
    core.exchanges += 1;
    let (exchange, first) = Exchange::start(mechanism, &setup, initial);
    Begun::Run(Box::new(LogIn { exchange, first: Some(first), verb }))
}

impl Running for LogIn {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        let next = match (self.first.take(), event) {
            (Some(first), _) => first,
            (None, Event::Answer(Answer::Auth(reply))) => self.exchange.reply(reply),
            // RFC 9051 §6.2.2: a single `*` cancels, and is BAD.
            (None, Event::Line(line)) if line == b"*" => {
                return Next::Done(Done::bad("AUTHENTICATE cancelled"));
            }
            (None, Event::Line(line)) => match sasl::decode_base64(&line) {
                Some(message) => self.exchange.response(&message),
                None => return Next::Done(Done::bad("That is not base64")),
            },
            // RFC 9051 §6.2.2: nothing but the exchange happens meanwhile.
            (None, Event::Changed) => return Next::Line,
            (None, event) => return otherwise(event),
        };
        match next {
            sasl::Next::Challenge(challenge) => {
                write::challenge(&mut core.out, &challenge);
                Next::Line
            }
            sasl::Next::Ask(question) => Next::Ask(Ask::Auth(question)),
            sasl::Next::Malformed => Next::Done(Done::bad("The mechanism's rules were broken")),
            sasl::Next::Done { verdict } => Next::Done(self.verdict(core, verdict)),
        }
    }
}

impl LogIn {
    fn verdict(&self, core: &mut Core, verdict: Verdict) -> Done {
        let done = match verdict {
            Verdict::Granted { account } => {
                core.user = Some(account.into());
                core.anonymous = self.exchange.mechanism() == Mechanism::Anonymous;
                // RFC 9051 §7.1: the list is another one now; saying so spares a CAPABILITY command.
                Done::ok(format!("[{}] {} completed", core.capabilities(), self.verb))
            }
            refused => {
                core.errors += 1;
                core.strikes += 1;
                Done::no(match refused {
                    Verdict::Forbidden => "[AUTHORIZATIONFAILED] This account may not use IMAP",
                    Verdict::Unavailable => "[UNAVAILABLE] Accounts can't be looked up now, try again later",
                    Verdict::Denied | Verdict::Granted { .. } => match self.exchange.mechanism() {
                        Mechanism::OAuthBearer | Mechanism::XOAuth2 => {
                            "[AUTHENTICATIONFAILED] The token is not good for this account"
                        }
                        Mechanism::External => "[AUTHENTICATIONFAILED] The certificate names no account",
                        _ => "[AUTHENTICATIONFAILED] Wrong name or password",
                    },
                })
            }
        };
        done.telling(News::None)
    }
}
