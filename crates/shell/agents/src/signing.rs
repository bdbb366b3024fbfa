//! Signing what leaves (DKIM, RFC 6376 §5).
//!
//! A message is signed when it is accepted, before it is queued, not at each sending: its content is committed once and
//! shared by local copies and all destinations, so that one signature serves every attempt and what is sent is, octet for
//! octet, what was acknowledged; and the agent knows here who logged in, which the queue does not. The price: a message
//! that has to be recoded for a host without 8BITMIME is signed again ([`World::sign_again`]), and one whose key is
//! removed while it waits arrives with a signature that nobody can verify.

use crate::world::{PREPARED_IN_PLACE_MAX, World};
use directory::DomainKeys;
use mime::Address;
use model::{Domain, EmailAddress, UnixTime};
use policy::{Client, Decider, Verdict};
use std::sync::Arc;

/// Authors of one message that are looked at; with more, nobody vouches for it.
const AUTHORS_MAX: usize = 10;

impl World {
    /// The fields to be put before a message that this server itself answers for (reports, lists' mail); none where the
    /// author's domain has no keys.
    pub fn signatures(&self, message: &[u8], now: UnixTime) -> Vec<u8> {
        let Some(authors) = authors(message) else { return Vec::new() };
        match authors.first() {
            Some(author) => self.signed_for(&author.domain, message, now),
            None => Vec::new(),
        }
    }

    /// As [`World::signatures`], for what a client sent: only where each author's address is one that this client may send
    /// as. A domain's key must not speak for somebody who merely has an account on the same server.
    pub(crate) fn signatures_for(&self, client: &Client, message: &[u8], now: UnixTime) -> Vec<u8> {
        let Some(authors) = authors(message) else { return Vec::new() };
        let Some(first) = authors.first() else { return Vec::new() };
        let policy = self.policy.read().clone();
        let decider = Decider { policy: &policy, directory: &self.directory };
        let may = |author: &EmailAddress| {
            let path = model::ReversePath::Mailbox(author.clone());
            matches!(decider.reverse_path(client, &path, now), Ok(Verdict::Accept(())))
        };
        let is_ours = client.user.is_some() || decider.is_own_network(client);
        if is_ours && authors.iter().all(may) {
            return self.signed_for(&first.domain, message, now);
        }
        Vec::new()
    }

    pub(crate) fn signed_for(&self, domain: &Domain, message: &[u8], now: UnixTime) -> Vec<u8> {
        let Some(keys) = self.keys_of(domain) else { return Vec::new() };
        self.metrics.signed.inc();
        if message.len() <= PREPARED_IN_PLACE_MAX {
            return sign_with(&keys, message, now);
        }
        tokio::task::block_in_place(|| sign_with(&keys, message, now))
    }

    /// A message that was changed for a host that could not take it as it was: where one of our signatures held before,
    /// our signatures are taken off and made anew (RFC 6376 §5.3); all others stay, broken as they are. `original` and
    /// `changed` are without Return-Path.
    pub fn sign_again(&self, original: &[u8], changed: Vec<u8>, now: UnixTime) -> Vec<u8> {
        let Some(domain) = self.signed_by(original, now) else { return changed };
        let Some(keys) = self.keys_of(&domain) else { return changed };
        let bare = without_signatures_of(&changed, &domain);
        self.metrics.signed.inc();
        [sign_with(&keys, &bare, now), bare].concat()
    }

    /// The domain of ours whose signature on the message is right, by its keys in the store: nobody else can have made it.
    fn signed_by(&self, raw: &[u8], now: UnixTime) -> Option<Domain> {
        let message = dkim::Message::new(raw);
        dkim::signatures(&message).into_iter().flatten().find_map(|signature| {
            let keys = self.directory.dkim_keys(Some(signature.domain())).ok()?;
            let key = keys.into_iter().find(|key| key.selector == signature.selector())?;
            let answer = dkim::KeyAnswer::Records(vec![key.record.into_bytes()]);
            let verdict = dkim::verify(&message, &signature, &answer, now.0);
            matches!(verdict, dkim::Verdict::Pass(_)).then(|| signature.domain().clone())
        })
    }

    /// What reports of this host are signed with.
    pub(crate) fn host_keys(&self, hostname: &str) -> Option<Arc<DomainKeys>> {
        self.keys_of(&Domain::new(hostname).ok()?)
    }

    pub(crate) fn keys_of(&self, domain: &Domain) -> Option<Arc<DomainKeys>> {
        self.directory.domain_keys(domain).unwrap_or_else(|error| {
            // Unsigned mail may still arrive; mail that is refused does not.
            tracing::error!(%domain, %error, "mail can't be signed and goes unsigned");
            None
        })
    }
}

/// The fields to be put before the message.
pub(crate) fn sign_with(keys: &DomainKeys, message: &[u8], now: UnixTime) -> Vec<u8> {
    dkim::sign(&dkim::Message::new(message), &keys.signers(), now.0, None)
}

/// The message without the signatures of this domain.
fn without_signatures_of(message: &[u8], domain: &Domain) -> Vec<u8> {
    let is_theirs = |field: &mime::HeaderField<'_>| {
        let alone = dkim::Message::new(&message[field.range.clone()]);
        dkim::signatures(&alone).iter().flatten().any(|signature| signature.domain() == domain)
    };
    let mut kept = Vec::with_capacity(message.len());
    let mut from = 0;
    for field in mime::header::fields(message).filter(is_theirs) {
        kept.extend_from_slice(&message[from..field.range.start]);
        from = field.range.end;
    }
    kept.extend_from_slice(&message[from..]);
    kept
}

/// The addresses in From. None: there is no such field, several, or one that can't be read.
fn authors(message: &[u8]) -> Option<Vec<EmailAddress>> {
    let mut fields = mime::header::fields(message).filter(|field| field.is("From"));
    let field = fields.next()?;
    if fields.next().is_some() {
        return None;
    }
    let mut authors = Vec::new();
    for address in mime::Addresses::new(field.value) {
        let Address::Mailbox(mailbox) = address else { continue };
        if authors.len() == AUTHORS_MAX {
            return None;
        }
        let local = model::LocalPart::new(std::str::from_utf8(&mailbox.local).ok()?).ok()?;
        let domain = Domain::new(std::str::from_utf8(&mailbox.domain).ok()?).ok()?;
        authors.push(EmailAddress { local, domain });
    }
    Some(authors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(from: &str) -> Option<Vec<String>> {
        let message = format!("Subject: x\r\n{from}\r\n\r\nFrom: body@x.test\r\n");
        Some(authors(message.as_bytes())?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn authors_are_those_in_from() {
        assert_eq!(found("From: A <a@x.test>"), Some(vec!["a@x.test".into()]));
        assert_eq!(found("from: a@x.test,\r\n \"b\" <b@xn--e1afmkfd.xn--p1ai>").unwrap()[1], "b@пример.рф");
        assert_eq!(found("From: undisclosed:;"), Some(vec![]));
        for bad in ["X: y", "From: a@x.test\r\nFrom: b@x.test", "From: root", "From: a@-x.test"] {
            assert_eq!(found(bad), None, "{bad}");
        }
        assert_eq!(found(&format!("From: {}", ["a@x.test"; 11].join(", "))), None);
    }

    #[test]
    fn only_the_signatures_of_one_domain_are_taken_off() {
        let domain = |name: &str| Domain::new(name).unwrap();
        let key = dkim::SigningKey::from_pkcs8(&dkim::ed25519_pkcs8(&[3; 32])).unwrap();
        let raw = b"From: a@x.test\r\n\r\nDKIM-Signature: in the body\r\n".to_vec();
        let signed = |raw: &[u8], name: &str| {
            let signer = dkim::Signer { domain: &domain(name), selector: "s", key: &key };
            [dkim::sign(&dkim::Message::new(raw), &[signer], 1, None), raw.to_vec()].concat()
        };
        let once = signed(&raw, "x.test");
        let twice = signed(&once, "y.test");
        assert_eq!(without_signatures_of(&once, &domain("x.test")), raw);
        assert_eq!(without_signatures_of(&twice, &domain("y.test")), once);
        assert_eq!(without_signatures_of(&twice, &domain("z.test")), twice);
        assert_eq!(
            without_signatures_of(&without_signatures_of(&twice, &domain("x.test")), &domain("y.test")),
            raw
        );
    }
}
