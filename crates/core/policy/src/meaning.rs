//! What an address means before the directory is asked: the operator's rules (`rewriting::Rules`), bounces that come back
//! to addresses made here (SRS, BATV).

use crate::refusal::refuse;
use crate::{Decider, Refusal, Verdict};
use directory::{Error, Resolution};
use model::{Domain, EmailAddress, Path, ReversePath, UnixTime};
use rewriting::{Batv, Returned, Tagged};
use std::sync::Arc;

/// What a forward-path means here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// What the directory says of it; never [`Resolution::NotLocal`] or [`Resolution::Relay`].
    Resolved(Arc<Resolution>),
    /// This address elsewhere, for those who may send there from here.
    Elsewhere(EmailAddress),
    /// This address elsewhere, whoever sends it: this server is the backup of that one (RFC 5321 §3.6.1).
    Relayed(EmailAddress),
    /// An address elsewhere to which it is sent on, whoever sends it: the author of a message that was forwarded, or what
    /// a rule of the operator says.
    SentOn(EmailAddress),
    /// Nothing: an address that was made here, but not so, or too long ago.
    Nothing(Refusal),
}

impl Decider<'_> {
    /// What `path` means for a message of `from`.
    ///
    /// # Errors
    /// The directory or the store could not be read.
    pub fn meaning(&self, path: &Path, from: &ReversePath, now: UnixTime) -> Result<Meaning, Error> {
        let Path::Mailbox(written) = path else {
            return self.directory.resolve_path(path).map(Meaning::Resolved);
        };
        let rewriting = &self.policy.rewriting;
        let rewritten = rewriting.recipients.apply(written);
        let address = rewritten.as_ref().unwrap_or(written);
        if let Some(returned) = rewriting.returned(address, now)
            && self.takes_srs(&address.domain)?
        {
            return self.sent_back(address, returned);
        }
        if let Some(tagged) = rewriting.untagged(address, now)
            && self.directory.is_home(&address.domain)?
        {
            return match tagged {
                // Who is not a bounce may have kept the tagged address from a message: a list, a reply to it.
                Tagged::Wrong(_) if *from == ReversePath::Null => Ok(nothing(
                    550,
                    [5, 7, 1],
                    format!("Nothing was sent from <{address}> lately that this could answer"),
                )),
                Tagged::Right(plain) | Tagged::Wrong(plain) => self.resolved(&plain),
            };
        }
        let meaning = self.resolved(address)?;
        // A rule of ours that leads elsewhere is a forward of ours; a foreign address it does not make one.
        if let (Meaning::Elsewhere(address), true) = (&meaning, rewritten.is_some())
            && self.directory.domain(&written.domain)?.is_some()
        {
            return Ok(Meaning::SentOn(address.clone()));
        }
        Ok(meaning)
    }

    fn resolved(&self, address: &EmailAddress) -> Result<Meaning, Error> {
        let resolution = self.directory.resolve(address)?;
        Ok(match &*resolution {
            Resolution::NotLocal => Meaning::Elsewhere(address.clone()),
            Resolution::Relay(address) => Meaning::Relayed(address.clone()),
            _ => Meaning::Resolved(resolution),
        })
    }

    /// Whether a bounce to this untagged address answers nothing that was sent from here (BATV).
    pub(crate) fn is_unasked_bounce(&self, path: &Path, from: &ReversePath, now: UnixTime) -> bool {
        let Path::Mailbox(address) = path else { return false };
        // RFC 5321 §4.5.1: the postmaster hears everybody.
        *from == ReversePath::Null
            && self.policy.rewriting.batv == Batv::Enforce
            && !address.local.as_str().eq_ignore_ascii_case("postmaster")
            && self.policy.rewriting.untagged(address, now).is_none()
    }

    fn takes_srs(&self, domain: &Domain) -> Result<bool, Error> {
        let named = self.policy.rewriting.srs_domain.as_ref() == Some(domain);
        Ok(named || self.directory.is_home(domain)?)
    }

    fn sent_back(&self, address: &EmailAddress, returned: Returned) -> Result<Meaning, Error> {
        let original = match returned {
            Returned::To(original) => Some(original),
            Returned::Kept(token) => rewriting::original(&*self.directory.engine().snapshot()?, &token)?,
            Returned::TooOld => None,
            Returned::Forged => {
                let text = format!("<{address}> was not made here; bounces go to addresses that were");
                return Ok(nothing(550, [5, 7, 1], text));
            }
        };
        let Some(original) = original else {
            let text = format!("<{address}> is too old; it was good for bounces for three weeks");
            return Ok(nothing(550, [5, 1, 6], text));
        };
        // Its domain may have become ours meanwhile.
        Ok(match self.resolved(&original)? {
            Meaning::Elsewhere(original) => Meaning::SentOn(original),
            meaning => meaning,
        })
    }
}

fn nothing(code: u16, enhanced: [u8; 3], text: String) -> Meaning {
    match refuse::<()>(code, enhanced, text) {
        Verdict::Refuse(refusal) => Meaning::Nothing(refusal),
        Verdict::Accept(()) => unreachable!("a refusal accepts nothing"),
    }
}

#[cfg(test)]
#[path = "meaning_tests.rs"]
mod tests;
