//! BURL: what an IMAP URL names, from this server's own store (RFC 4468). No other host is ever asked.

use super::SmtpAgent;
use crate::url;
use crate::world::World;
use ::imap::url::{Reader, Url, fetch, is_authentic};
use ::smtp::Refusal;
use engine::AccountId;

impl SmtpAgent {
    /// The octets that a URL names.
    ///
    /// # Errors
    /// A reply of RFC 4468 §6.
    pub(super) fn url(&self, text: &str, bytes_max: u64) -> Result<Vec<u8>, Refusal> {
        let url = Url::parse(text).map_err(|fault| unresolved(fault.0))?;
        let owner = self.url_owner(&url, text)?;
        let place = (url.mailbox.as_str(), url.uid_validity, url.uid);
        let piece = url::read(&self.world, owner, place, 0, u64::MAX).map_err(|error| match error {
            store::Error::NoMailbox | store::Error::NoMessage => unresolved("there is no such message"),
            error => away(&error),
        })?;
        let octets = fetch(&url, &piece.bytes).ok_or_else(|| unresolved("there is no such part"))?;
        if octets.len() as u64 > bytes_max {
            return Err(Refusal::new(554, (3, 4), "Message too big for system"));
        }
        Ok(octets.into_owned())
    }

    /// Whose message it is, if this client may have it.
    fn url_owner(&self, url: &Url, text: &str) -> Result<AccountId, Refusal> {
        // RFC 4468 §3.5: an absolute URI.
        let Some(server) = &url.server else { return Err(unresolved("it is not absolute")) };
        let Some(user) = &self.login else { return Err(unauthorised()) };
        let login = match &server.user {
            Some(_) => server.login(&self.hostname),
            None => server.host.eq_ignore_ascii_case(&self.hostname).then(|| user.address.to_string()),
        };
        // RFC 4468 §6
        let Some(login) = login else { return Err(stranger()) };
        let found = url::owner(&self.world, &login).map_err(|error| super::trouble(&error))?;
        let domain_is_ours = found.is_some() || server.host.eq_ignore_ascii_case(&self.hostname);
        if url.access.is_none() {
            // RFC 4468 §3.3: a regular URL of what this user can read.
            return match found {
                Some((account, _)) if account == user.account => Ok(account),
                _ if domain_is_ours => Err(unauthorised()),
                _ => Err(stranger()),
            };
        }
        let key = match &found {
            Some((account, _)) => {
                url::key(&self.world, *account, &url.mailbox).map_err(|error| away(&error))?
            }
            None => None,
        };
        let is_right = is_authentic(url, text, key.as_ref());
        let reader = user.address.to_string();
        let Some((account, owner)) = found else {
            return Err(if domain_is_ours { unauthorised() } else { stranger() });
        };
        let is_internal = url.verifier.as_ref().is_some_and(|verifier| verifier.mechanism == "INTERNAL");
        // RFC 4468 §3.3: submit+ for the very user who logged in here.
        if is_right && is_internal && url.permits(Reader::Submission(Some(&reader)), &owner, World::now()) {
            Ok(account)
        } else {
            Err(unauthorised())
        }
    }
}

fn unresolved(why: &str) -> Refusal {
    Refusal::new(554, (6, 6), format!("IMAP URL resolution failed: {why}"))
}

fn unauthorised() -> Refusal {
    Refusal::new(554, (7, 0), "IMAP URL authorization failed")
}

fn stranger() -> Refusal {
    Refusal::new(
        554,
        (7, 8),
        "URL resolution requires trust relationship, and there is none with that server",
    )
}

fn away(error: &store::Error) -> Refusal {
    tracing::error!(%error, "the message of a URL can't be read");
    Refusal::new(451, (4, 1), "The message can't be read now; try again in some minutes")
}
