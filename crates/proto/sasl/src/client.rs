//! SASL for clients (RFC 4422): what this server says when it logs in elsewhere.
//!
//! [`choose`] picks a mechanism, [`Exchange::start`] gives the initial response, [`Exchange::challenge`] answers each of
//! the peer's messages, and [`Exchange::finish`] is asked when the peer grants: with SCRAM a peer that never proved to
//! know the password is no peer to trust (RFC 5802 §5). Nothing here shows a secret in [`fmt::Debug`].

mod scram;

use std::fmt;

use hmac::digest::Digest as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use wire::TlsInfo;

use crate::{Mechanism, ScramHash, cram_md5_digest, prepare};
use scram::Scram;

/// Whom to log in as, and how that is proved.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The name at the peer.
    pub user: String,
    /// Whom to act as there; empty: that user.
    pub authorize_as: String,
    /// The proof.
    pub secret: Secret,
}

/// What proves who one is.
#[derive(Clone, Debug)]
pub enum Secret {
    /// For every mechanism with a password.
    Password(SecretString),
    /// An access token (RFC 6750) for OAUTHBEARER and XOAUTH2.
    Token(SecretString),
}

/// What an exchange needs to know of its connection.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// Fresh random octets, of which the nonce is made; not to be used for two exchanges.
    pub entropy: &'a [u8; 32],
    /// What TLS brought, once it stands.
    pub tls: Option<&'a TlsInfo>,
    /// Whether the peer offers a mechanism with channel binding.
    pub peer_offers_binding: bool,
    /// Host and port that were dialled, for OAUTHBEARER (RFC 7628 §3.1).
    pub host: (&'a str, u16),
}

/// Why a log-in can't go on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Trouble {
    /// The peer's message is not what the mechanism has at this point.
    Malformed,
    /// The name or the password holds characters that may not be in it (RFC 4013).
    Unprepared,
    /// The peer asks for so many rounds of hashing that it would keep this server busy.
    TooExpensive,
    /// The peer does not know the password: its signature is wrong or missing, so it is somebody else.
    PeerUnproven,
    /// The peer says what is wrong (RFC 5802 §7 `e=`), printable ASCII.
    Refused(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trouble::Malformed => "its challenge can't be understood",
            Trouble::Unprepared => "the name or password holds characters that are not allowed there",
            Trouble::TooExpensive => "it demands too many rounds of hashing",
            Trouble::PeerUnproven => {
                "it has not proved that it knows the password, so it may be somebody else"
            }
            Trouble::Refused(why) => return write!(f, "it says {why}"),
        })
    }
}

impl std::error::Error for Trouble {}

/// Every mechanism that is spoken here, the best first.
const PREFERRED: [Mechanism; 9] = [
    Mechanism::OAuthBearer,
    Mechanism::XOAuth2,
    Mechanism::ScramSha256Plus,
    Mechanism::ScramSha1Plus,
    Mechanism::ScramSha256,
    Mechanism::ScramSha1,
    Mechanism::CramMd5,
    Mechanism::Plain,
    Mechanism::Login,
];

/// The best of the mechanisms a peer offers that fits the secret and the connection; those that show the secret itself
/// only within TLS, unless `plaintext_auth`.
pub fn choose(
    offered: &[Mechanism],
    secret: &Secret,
    tls: Option<&TlsInfo>,
    plaintext_auth: bool,
) -> Option<Mechanism> {
    let is_token = |mechanism: &Mechanism| matches!(mechanism, Mechanism::OAuthBearer | Mechanism::XOAuth2);
    PREFERRED.into_iter().find(|mechanism| {
        offered.contains(mechanism)
            && is_token(mechanism) == matches!(secret, Secret::Token(_))
            && mechanism.is_usable(tls, plaintext_auth)
    })
}

/// A log-in under way.
#[derive(Debug)]
pub struct Exchange {
    mechanism: Mechanism,
    credentials: Credentials,
    state: State,
}

#[derive(Debug)]
enum State {
    /// LOGIN: how many prompts have been answered.
    Prompts(u8),
    /// CRAM-MD5: the one challenge.
    ExpectDigestChallenge,
    Scram(Box<Scram>),
    /// PLAIN: all is said.
    Said,
    /// OAuth: all is said, but a refusal comes as a challenge.
    TokenSaid,
    Over,
}

impl Exchange {
    /// Begins; answers the initial response, if the mechanism has one.
    ///
    /// # Errors
    /// [`Trouble::Unprepared`], or [`Trouble::Malformed`] for a mechanism that [`choose`] never chooses.
    pub fn start(
        mechanism: Mechanism,
        credentials: &Credentials,
        setup: &Setup<'_>,
    ) -> Result<(Exchange, Option<Vec<u8>>), Trouble> {
        let user = prepared(&credentials.user)?;
        let authorize_as = match credentials.authorize_as.as_str() {
            "" => String::new(),
            name => prepared(name)?,
        };
        let credentials = Credentials { user, authorize_as, secret: credentials.secret.clone() };
        let (state, initial) = match mechanism {
            Mechanism::Plain => (State::Said, Some(credentials.plain()?)),
            Mechanism::Login => (State::Prompts(0), None),
            Mechanism::CramMd5 => (State::ExpectDigestChallenge, None),
            Mechanism::OAuthBearer => (State::TokenSaid, Some(credentials.bearer(setup.host)?)),
            Mechanism::XOAuth2 => (State::TokenSaid, Some(credentials.xoauth2()?)),
            Mechanism::ScramSha1
            | Mechanism::ScramSha256
            | Mechanism::ScramSha1Plus
            | Mechanism::ScramSha256Plus => {
                let hash = match mechanism {
                    Mechanism::ScramSha1 | Mechanism::ScramSha1Plus => ScramHash::Sha1,
                    _ => ScramHash::Sha256,
                };
                let (scram, first) = Scram::start(hash, mechanism.is_plus(), &credentials, setup)?;
                (State::Scram(Box::new(scram)), Some(first))
            }
            Mechanism::External | Mechanism::Anonymous => return Err(Trouble::Malformed),
        };
        Ok((Exchange { mechanism, credentials, state }, initial))
    }

    /// Which mechanism runs.
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The answer to a message of the peer, both decoded.
    ///
    /// # Errors
    /// The log-in is to be cancelled (`*`), or the connection closed.
    pub fn challenge(&mut self, message: &[u8]) -> Result<Vec<u8>, Trouble> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Prompts(number @ (0 | 1)) => {
                self.state = State::Prompts(number + 1);
                // Prompts differ between servers, and are in no standard; their order is not.
                match number {
                    0 => Ok(self.credentials.user.clone().into_bytes()),
                    _ => Ok(self.credentials.password()?.into_bytes()),
                }
            }
            State::ExpectDigestChallenge => {
                let digest = cram_md5_digest(message, self.credentials.password()?.as_bytes());
                self.state = State::Said;
                Ok(format!("{} {digest}", self.credentials.user).into_bytes())
            }
            State::Scram(mut scram) => {
                let password = self.credentials.password()?;
                let answer = scram.challenge(message, &password);
                self.state = State::Scram(scram);
                answer
            }
            // RFC 7628 §3.2.3: a refusal with its reasons, to which a dummy is answered; XOAUTH2 wants an empty one.
            State::TokenSaid => {
                self.state = State::Said;
                Ok(if self.mechanism == Mechanism::OAuthBearer { b"\x01".to_vec() } else { Vec::new() })
            }
            State::Prompts(_) | State::Said | State::Over => Err(Trouble::Malformed),
        }
    }

    /// The peer granted the log-in: whether that is to be believed.
    ///
    /// # Errors
    /// [`Trouble::PeerUnproven`]: the peer may be anybody; nothing is to be sent to it.
    pub fn finish(self) -> Result<(), Trouble> {
        match self.state {
            State::Scram(scram) if !scram.peer_is_proven() => Err(Trouble::PeerUnproven),
            _ => Ok(()),
        }
    }
}

impl Credentials {
    fn password(&self) -> Result<String, Trouble> {
        match &self.secret {
            Secret::Password(password) => prepared(password.expose_secret()),
            Secret::Token(_) => Err(Trouble::Malformed),
        }
    }

    /// RFC 6750 §2.1: no control character or space can be in a token; one would end the message.
    fn token(&self) -> Result<&str, Trouble> {
        match &self.secret {
            Secret::Token(token) if token.expose_secret().bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(token.expose_secret())
            }
            Secret::Token(_) => Err(Trouble::Unprepared),
            Secret::Password(_) => Err(Trouble::Malformed),
        }
    }

    /// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`
    fn plain(&self) -> Result<Vec<u8>, Trouble> {
        Ok(format!("{}\0{}\0{}", self.authorize_as, self.user, self.password()?).into_bytes())
    }

    /// RFC 7628 §3.1
    fn bearer(&self, (host, port): (&str, u16)) -> Result<Vec<u8>, Trouble> {
        let name = if self.authorize_as.is_empty() { &self.user } else { &self.authorize_as };
        let name = encode_saslname(name);
        let token = self.token()?;
        Ok(format!("n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01").into_bytes())
    }

    fn xoauth2(&self) -> Result<Vec<u8>, Trouble> {
        Ok(format!("user={}\x01auth=Bearer {}\x01\x01", self.user, self.token()?).into_bytes())
    }
}

fn prepared(text: &str) -> Result<String, Trouble> {
    prepare(text).map(std::borrow::Cow::into_owned).map_err(|_| Trouble::Unprepared)
}

/// saslname (RFC 5802 §5.1): `,` and `=` can't stand for themselves.
fn encode_saslname(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// A nonce of 144 bits as 24 printable characters without a comma.
fn nonce(entropy: &[u8; 32]) -> String {
    let digest = Sha256::new().chain_update(b"troika sasl client nonce").chain_update(entropy).finalize();
    let mut text = Vec::with_capacity(24);
    crate::encode_base64(&digest[..18], &mut text);
    text.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests;
