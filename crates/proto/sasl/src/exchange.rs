//! One log-in from its AUTH command to the verdict: dispatches to the mechanism's own state machine.
//!
//! Invariants: a grant comes from the world only; after `Done` or `Malformed` nothing more is asked; a message beyond
//! [`MESSAGE_BYTES_MAX`] is malformed whatever the mechanism.

use hmac::digest::Digest as _;
use sha2::Sha256;

use wire::TlsInfo;

use crate::anonymous::Anonymous;
use crate::cram_md5::CramMd5;
use crate::external::External;
use crate::login::Login;
use crate::oauth::{Dialect, OAuth};
use crate::plain::Plain;
use crate::scram::{Binding, Scram};
use crate::{Mechanism, Next, Question, Reply, ScramHash, Verdict};

/// Longest decoded message of a client, in octets: what a line of 12288 octets can carry in base64 (RFC 4954 §4.3).
pub const MESSAGE_BYTES_MAX: usize = 12 * 1024;

/// What nonces and challenges are made of.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// The session's random bytes (`wire::Connection::entropy`).
    pub entropy: &'a [u8; 32],
    /// Number of this exchange within its session; a number used twice would make a nonce twice.
    pub exchange: u32,
    /// Name of this server.
    pub hostname: &'a str,
    /// Seconds since 1970 (UTC).
    pub now: i64,
    /// What TLS brought, once it stands.
    pub tls: Option<&'a TlsInfo>,
    /// Whether a mechanism with channel binding was offered: then no client may be made to believe that there is none.
    pub offers_binding: bool,
}

/// A fresh nonce of 144 bits as 24 letters of base64's alphabet, which neither mechanism needs to quote.
pub(crate) fn nonce(setup: &Setup<'_>) -> String {
    let digest = Sha256::new()
        .chain_update(b"troika sasl nonce")
        .chain_update(setup.entropy)
        .chain_update(setup.exchange.to_be_bytes())
        .chain_update(setup.now.to_be_bytes())
        .finalize();
    let mut text = Vec::with_capacity(24);
    crate::encode_base64(&digest[..18], &mut text);
    // CRAM-MD5 and APOP put it into a msg-id, whose left side has `+` and `/` as atext but reads better without.
    text.into_iter().map(|b| if b == b'/' { '-' } else { char::from(b) }).collect()
}

/// A log-in under way.
#[derive(Debug)]
pub struct Exchange {
    mechanism: Mechanism,
    state: State,
    /// [`Question::Failed`] was asked: no answer can grant any more.
    has_failed: bool,
}

#[derive(Debug)]
enum State {
    Plain(Plain),
    Login(Login),
    Scram(Box<Scram>),
    CramMd5(CramMd5),
    OAuth(OAuth),
    External(External),
    Anonymous(Anonymous),
    Over,
}

impl Exchange {
    /// Begins. `initial` is the client's initial response, decoded (`Some` of nothing for `=`); None when there was none.
    pub fn start(mechanism: Mechanism, setup: &Setup<'_>, initial: Option<&[u8]>) -> (Exchange, Next) {
        let scram = |hash, binding| State::Scram(Box::new(Scram::new(hash, nonce(setup), binding)));
        let state = match mechanism {
            Mechanism::Plain => State::Plain(Plain),
            Mechanism::Login => State::Login(Login::ExpectUser),
            Mechanism::ScramSha256 => scram(ScramHash::Sha256, Binding::without(setup)),
            Mechanism::ScramSha1 => scram(ScramHash::Sha1, Binding::without(setup)),
            Mechanism::ScramSha256Plus => scram(ScramHash::Sha256, Binding::with(setup)),
            Mechanism::ScramSha1Plus => scram(ScramHash::Sha1, Binding::with(setup)),
            Mechanism::CramMd5 => State::CramMd5(CramMd5::new(setup)),
            Mechanism::OAuthBearer => State::OAuth(OAuth::ExpectToken(Dialect::Bearer)),
            Mechanism::XOAuth2 => State::OAuth(OAuth::ExpectToken(Dialect::XOAuth2)),
            Mechanism::External => {
                let names = setup.tls.map(|tls| tls.client_names.clone()).unwrap_or_default();
                State::External(External { names })
            }
            Mechanism::Anonymous => State::Anonymous(Anonymous),
        };
        let mut exchange = Exchange { mechanism, state, has_failed: false };
        let next = exchange.begin(initial);
        (exchange, next)
    }

    fn begin(&mut self, initial: Option<&[u8]>) -> Next {
        match (&self.state, initial) {
            // RFC 4954 §4: a server-first mechanism takes no initial response.
            (State::CramMd5(_), Some(_)) => self.over(Next::Malformed),
            (State::CramMd5(cram), None) => Next::Challenge(cram.challenge.clone()),
            // RFC 4422 §5: an empty challenge asks a client-first mechanism for its first message.
            (
                State::Plain(_)
                | State::Scram(_)
                | State::OAuth(_)
                | State::External(_)
                | State::Anonymous(_),
                None,
            ) => Next::Challenge(Vec::new()),
            // Quirk (several mailers): LOGIN with an empty initial response means none.
            (State::Login(_), None | Some([])) => Next::Challenge(Login::USER_PROMPT.to_vec()),
            (_, Some(message)) => self.response(message),
            (State::Over, None) => Next::Malformed,
        }
    }

    /// Which mechanism runs.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Takes the client's answer to the last challenge, decoded.
    pub fn response(&mut self, message: &[u8]) -> Next {
        if message.len() > MESSAGE_BYTES_MAX {
            return self.over(Next::Malformed);
        }
        let next = match &mut self.state {
            State::Plain(plain) => plain.response(message),
            State::Login(login) => login.response(message),
            State::Scram(scram) => scram.response(message),
            State::CramMd5(cram) => cram.response(message),
            State::OAuth(oauth) => oauth.response(message),
            State::External(external) => external.response(message),
            State::Anonymous(anonymous) => anonymous.response(message),
            State::Over => Next::Malformed,
        };
        self.over(next)
    }

    /// Takes the world's answer to the last [`Next::Ask`].
    pub fn reply(&mut self, reply: Reply) -> Next {
        let next = match (&mut self.state, reply) {
            (State::Scram(scram), reply) => scram.reply(reply),
            (State::OAuth(oauth), Reply::Verdict(Verdict::Granted { .. })) if self.has_failed => {
                oauth.reply(Verdict::Denied)
            }
            (State::OAuth(oauth), Reply::Verdict(verdict)) => oauth.reply(verdict),
            (State::Over, Reply::Verdict(_)) => Next::Done { verdict: Verdict::Unavailable },
            (_, Reply::Verdict(Verdict::Granted { .. })) if self.has_failed => {
                Next::Done { verdict: Verdict::Denied }
            }
            (
                State::Plain(_)
                | State::Login(_)
                | State::CramMd5(_)
                | State::External(_)
                | State::Anonymous(_),
                Reply::Verdict(verdict),
            ) => Next::Done { verdict },
            (_, Reply::ScramKeys(_)) => Next::Done { verdict: Verdict::Unavailable },
        };
        self.over(next)
    }

    /// Forgets everything as soon as the end is reached.
    fn over(&mut self, next: Next) -> Next {
        self.has_failed |= matches!(next, Next::Ask(Question::Failed { .. }));
        if matches!(next, Next::Done { .. } | Next::Malformed) {
            self.state = State::Over;
        }
        next
    }
}
