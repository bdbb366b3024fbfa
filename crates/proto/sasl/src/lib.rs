//! SASL (RFC 4422) for servers, and in [`client`] for clients: each mechanism is a small state machine over decoded
//! messages; the protocol crates do base64 and framing, the directory answers the questions. No password is kept longer
//! than a question lives.
//!
//! A protocol starts an [`Exchange`] at its AUTH command, sends each [`Next::Challenge`], brings each of the client's
//! messages to [`Exchange::response`] and each answer of the world to [`Exchange::reply`], until [`Next::Done`] or
//! [`Next::Malformed`]. A client that cancels (`*`) needs no call: the exchange is dropped.

use std::fmt;

use secrecy::SecretString;

mod anonymous;
mod base64_text;
pub mod client;
mod cram_md5;
mod exchange;
mod external;
mod keys;
mod login;
mod mechanism;
mod oauth;
mod plain;
mod prepare;
mod scram;

pub use base64_text::{decode_base64, encode_base64};
pub use exchange::{Exchange, MESSAGE_BYTES_MAX, Setup};
pub use keys::{
    apop_digest, apop_timestamp, cram_md5_digest, digest_matches, invented_scram_salt, scram_keys,
};
pub use mechanism::offers_binding;
pub use prepare::{Unprepared, prepare, prepare_secret};

/// What the world must answer during a log-in.
#[derive(Debug)]
pub enum Question {
    /// Is this the password (PLAIN, LOGIN, USER/PASS, IMAP LOGIN)? Answer: [`Reply::Verdict`].
    Password {
        /// Whom to act as; empty: the user himself (RFC 4616 §2).
        authorize_as: String,
        /// Whose password it is.
        user: String,
        /// As typed.
        password: SecretString,
    },
    /// Keys of a SCRAM log-in (RFC 5802 §3). Answer: [`Reply::ScramKeys`], invented but stable ones for unknown names.
    ScramKeys {
        /// Whose.
        user: String,
        /// Of which hash.
        hash: ScramHash,
    },
    /// SCRAM succeeded with the `candidate`-th of the given keys. Answer: [`Reply::Verdict`].
    ScramProved {
        /// Whom to act as; empty: the user himself.
        authorize_as: String,
        /// Who.
        user: String,
        /// Which key matched.
        candidate: usize,
    },
    /// A log-in failed here, for the throttle that counts. Answer: [`Reply::Verdict`], never granted.
    Failed {
        /// Who was claimed.
        user: String,
    },
    /// A keyed digest over a challenge (CRAM-MD5, APOP); only application passwords can answer it. Answer:
    /// [`Reply::Verdict`].
    Digest {
        /// How it was made.
        kind: DigestKind,
        /// Who.
        user: String,
        /// What this server sent.
        challenge: Vec<u8>,
        /// What came back, lower-case hexadecimal.
        response: String,
    },
    /// Is this token good, and whose is it (OAUTHBEARER, XOAUTH2)? Answer: [`Reply::Verdict`].
    Token {
        /// Whose it should be; empty: whose it is.
        user: String,
        /// As it came (RFC 6750 §2.1).
        token: SecretString,
    },
    /// TLS has verified a certificate with these addresses (EXTERNAL). Answer: [`Reply::Verdict`].
    Certificate {
        /// Whom to act as; empty: whom the certificate names.
        authorize_as: String,
        /// Addresses in the certificate, in its order.
        names: Vec<String>,
    },
    /// Somebody who does not say who he is (ANONYMOUS). Answer: [`Reply::Verdict`].
    Anonymous {
        /// What he says instead, for the log.
        trace: String,
    },
}

/// The world's answer.
#[derive(Debug)]
pub enum Reply {
    /// Granted or not.
    Verdict(Verdict),
    /// Keys for SCRAM.
    ScramKeys(ScramKeys),
}

/// The end of a log-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Logged in, under this account's own address.
    Granted {
        /// `user@domain`, as the directory has it.
        account: String,
    },
    /// Wrong name or password, or a disabled account: the peer learns no more than that.
    Denied,
    /// Right, but this service is not for this account or credential.
    Forbidden,
    /// The directory could not be asked; try again later.
    Unavailable,
}

/// Keys of one account (RFC 5802 §3). All its credentials share salt and iterations.
#[derive(Clone, Debug)]
pub struct ScramKeys {
    /// Random bytes.
    pub salt: Vec<u8>,
    /// PBKDF2 rounds.
    pub iterations: u32,
    /// StoredKey and ServerKey of each credential.
    pub candidates: Vec<ScramKey>,
}

/// One credential's keys. [`fmt::Debug`] does not show them: they are as good as the password for a guesser at leisure.
#[derive(Clone)]
pub struct ScramKey {
    /// H(ClientKey)
    pub stored_key: Vec<u8>,
    /// HMAC(SaltedPassword, "Server Key")
    pub server_key: Vec<u8>,
}

impl fmt::Debug for ScramKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKey([redacted])")
    }
}

/// Hash of a SCRAM mechanism.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ScramHash {
    /// SCRAM-SHA-1
    Sha1,
    /// SCRAM-SHA-256
    Sha256,
}

/// Digest over a challenge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DigestKind {
    /// HMAC-MD5(password, challenge), RFC 2195.
    CramMd5,
    /// MD5(challenge + password), RFC 1939 §7.
    Apop,
}

/// A mechanism this server knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mechanism {
    /// RFC 4616
    Plain,
    /// draft-murchison-sasl-login
    Login,
    /// RFC 7677
    ScramSha256,
    /// RFC 5802
    ScramSha1,
    /// RFC 2195, application passwords only
    CramMd5,
    /// RFC 7677 with channel binding (RFC 5802 §6)
    ScramSha256Plus,
    /// RFC 5802 with channel binding
    ScramSha1Plus,
    /// RFC 7628
    OAuthBearer,
    /// Google's and Microsoft's forerunner of it
    XOAuth2,
    /// RFC 4422, appendix A, with TLS certificates
    External,
    /// RFC 4505
    Anonymous,
}

/// What an exchange wants next.
#[derive(Debug)]
pub enum Next {
    /// Send this to the client (the protocol encodes it) and bring its answer to [`Exchange::response`].
    Challenge(Vec<u8>),
    /// Ask the world, and bring its answer to [`Exchange::reply`].
    Ask(Question),
    /// Finished. SCRAM's `v=` went out before this as one more [`Next::Challenge`], which the client answered by an
    /// empty message: none of SMTP, POP3 and IMAP can carry additional data in its success reply.
    Done {
        /// Granted or not.
        verdict: Verdict,
    },
    /// The client broke the rules of the mechanism (RFC 4954: 501).
    Malformed,
}
