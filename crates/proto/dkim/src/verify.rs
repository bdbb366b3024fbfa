//! Whether a signature is right (RFC 6376 §6.1).

use crate::canonical::write_field;
use crate::key::{KeyFault, PublicKey};
use crate::message::Message;
use crate::signature::Signature;

/// Why a signature counts for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// It can't be read.
    #[error("syntax error in the signature")]
    Syntax,
    /// v= is not 1.
    #[error("incompatible version")]
    Version,
    /// A tag that has to be there is not.
    #[error("signature missing a required tag")]
    MissingTag,
    /// a= is none that may be used, such as rsa-sha1 (RFC 8301 §3.1).
    #[error("unknown or historic algorithm")]
    Algorithm,
    /// c= is none that we know.
    #[error("unknown canonicalization")]
    Canonicalization,
    /// i= is outside of d=.
    #[error("domain mismatch")]
    DomainMismatch,
    /// h= lacks From.
    #[error("From field not signed")]
    FromNotSigned,
    /// x= has passed.
    #[error("signature expired")]
    Expired,
    /// DNS did not answer.
    #[error("key unavailable")]
    KeyUnavailable,
    /// There is no such record.
    #[error("no key for signature")]
    NoKey,
    /// The record is no key that fits.
    #[error("{0}")]
    Key(#[from] KeyFault),
    /// l= is larger than the body.
    #[error("body shorter than signed")]
    BodyTooShort,
    /// The body was changed.
    #[error("body hash did not verify")]
    BodyHash,
    /// The header was changed, or the key is another one.
    #[error("signature did not verify")]
    Signature,
}

/// What becomes of a signature, in the words of RFC 8601 §2.7.1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is right.
    Pass(PublicKey),
    /// It is well-formed and wrong.
    Fail(Fault),
    /// It can't be read.
    Neutral(Fault),
    /// A later attempt may tell.
    TempError(Fault),
    /// There is nothing that would verify it.
    PermError(Fault),
}

impl Verdict {
    /// `pass`, `fail`, …
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Pass(_) => "pass",
            Verdict::Fail(_) => "fail",
            Verdict::Neutral(_) => "neutral",
            Verdict::TempError(_) => "temperror",
            Verdict::PermError(_) => "permerror",
        }
    }

    /// Why it is no pass.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Verdict::Pass(_) => None,
            Verdict::Fail(fault)
            | Verdict::Neutral(fault)
            | Verdict::TempError(fault)
            | Verdict::PermError(fault) => Some(*fault),
        }
    }
}

impl From<Fault> for Verdict {
    fn from(fault: Fault) -> Verdict {
        match fault {
            Fault::Syntax | Fault::Canonicalization => Verdict::Neutral(fault),
            Fault::KeyUnavailable => Verdict::TempError(fault),
            Fault::Expired | Fault::BodyTooShort | Fault::BodyHash | Fault::Signature => Verdict::Fail(fault),
            Fault::Version
            | Fault::MissingTag
            | Fault::Algorithm
            | Fault::DomainMismatch
            | Fault::FromNotSigned
            | Fault::NoKey
            | Fault::Key(_) => Verdict::PermError(fault),
        }
    }
}

/// What DNS says of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyAnswer {
    /// The TXT records with that name, the strings of each joined.
    Records(Vec<Vec<u8>>),
    /// There are none.
    None,
    /// It could not be found out.
    Unavailable,
}

/// Records of one name that are tried; there should be one (§3.6.2.2).
const RECORDS_MAX: usize = 4;

/// Verifies one signature of `message`. `now`: seconds since 1970.
pub fn verify(message: &Message<'_>, signature: &Signature, key: &KeyAnswer, now: i64) -> Verdict {
    match try_verify(message, signature, key, MAIL, now) {
        Ok(key) => Verdict::Pass(key),
        Err(fault) => fault.into(),
    }
}

/// As [`verify`], of a TLS report: its key may be for those only (RFC 8460 §3).
pub fn verify_report(message: &Message<'_>, signature: &Signature, key: &KeyAnswer, now: i64) -> Verdict {
    match try_verify(message, signature, key, REPORTS, now) {
        Ok(key) => Verdict::Pass(key),
        Err(fault) => fault.into(),
    }
}

/// Service types of keys (§3.6.1) for mail, and for TLS reports.
pub(crate) const MAIL: &[&str] = &["*", "email"];
const REPORTS: &[&str] = &["*", "email", "tlsrpt"];

pub(crate) fn try_verify(
    message: &Message<'_>,
    signature: &Signature,
    key: &KeyAnswer,
    services: &[&str],
    now: i64,
) -> Result<PublicKey, Fault> {
    if signature.expires.is_some_and(|expires| i64::try_from(expires).is_ok_and(|expires| expires < now)) {
        return Err(Fault::Expired);
    }
    let keys = keys(key, services)?;
    let body = message.hash_body(signature.body_form, signature.length).ok_or(Fault::BodyHash)?;
    if signature.length.is_some_and(|length| length > body.octets) {
        return Err(Fault::BodyTooShort);
    }
    if body.digest != signature.body_hash {
        return Err(Fault::BodyHash);
    }
    let mut signed = Vec::new();
    message.write_chosen(signature.header_form, signature.names.iter().map(String::as_str), &mut signed);
    write_field(signature.header_form, &signature.unsigned, &mut signed);
    // §3.7: the signature's own field comes last and has no line end.
    signed.truncate(signed.len() - 2);
    // §6.1.2 step 4: any of the records may fit; why the last one does not is told.
    let mut fault = Fault::NoKey;
    for key in keys.into_iter().take(RECORDS_MAX) {
        match try_key(signature, key, &signed) {
            Ok(key) => return Ok(key),
            Err(why) => fault = why,
        }
    }
    Err(fault)
}

pub(crate) fn keys(answer: &KeyAnswer, services: &[&str]) -> Result<Vec<Result<PublicKey, KeyFault>>, Fault> {
    match answer {
        KeyAnswer::Unavailable => Err(Fault::KeyUnavailable),
        KeyAnswer::None => Err(Fault::NoKey),
        KeyAnswer::Records(records) => {
            Ok(records.iter().map(|record| PublicKey::read_for(record, services)).collect())
        }
    }
}

fn try_key(
    signature: &Signature,
    key: Result<PublicKey, KeyFault>,
    signed: &[u8],
) -> Result<PublicKey, Fault> {
    let key = key?;
    if key.kind() != signature.kind {
        return Err(KeyFault::Kind.into());
    }
    // §3.6.1, t=s.
    if key.wants_same_domain() && !signature.identity_is_domain() {
        return Err(Fault::DomainMismatch);
    }
    if key.verifies(signed, &signature.octets) { Ok(key) } else { Err(Fault::Signature) }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
