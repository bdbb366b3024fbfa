//! Keys that domains sign their mail with (DKIM, RFC 6376).
//!
//! A key waits until its record is published, signs until another one takes over, and is retired then: its record has to
//! stand as long as mail that it signed is on its way. Private keys are sealed with the server's secret, as application
//! passwords are; they never leave this crate but as [`SigningKey`], which shows nothing.

use crate::app_password::Seal;
use crate::bounded::Bounded;
use crate::domain::missing;
use crate::error::Stop;
use crate::record::{self, DkimRecord, encode, scan_prefix};
use crate::{Change, Directory, Error, keys};
use ::dkim::{KeyKind, Signer, SigningKey};
use engine::{Read, Tx};
use model::{Domain, UnixTime};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Keys of one domain at most, retired ones included.
const KEYS_MAX: usize = 20;
/// Domains whose keys are kept ready.
const READY_MAX: usize = 2000;

/// What a key is at. Variants are numbered: add new ones at the end only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DkimState {
    /// It signs nothing: its record is not published yet.
    Waiting,
    /// It signs.
    Signing,
    /// It signs no more; its record has to stand for some days.
    Retired,
}

/// A key as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct DkimKey {
    /// Whose.
    #[serde(serialize_with = "crate::names::as_text")]
    pub domain: Domain,
    /// Names it within the domain.
    pub selector: String,
    /// `rsa` or `ed25519`.
    pub kind: String,
    /// Of the modulus, or 256.
    pub bits: u32,
    /// What it is at.
    pub state: DkimState,
    /// Seconds since 1970.
    #[serde(serialize_with = "crate::names::unix_time")]
    pub created: UnixTime,
    /// When it came into its state; seconds since 1970.
    #[serde(serialize_with = "crate::names::unix_time")]
    pub since: UnixTime,
    /// Where its record has to be published.
    pub name: String,
    /// The TXT record.
    pub record: String,
}

/// The keys that a domain signs with now.
#[derive(Debug)]
pub struct DomainKeys {
    domain: Domain,
    keys: Vec<(String, SigningKey)>,
}

impl DomainKeys {
    /// The domain that signs (d=).
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// For `dkim::sign`: RSA first, as some verifiers look at the first signature only and know no Ed25519.
    pub fn signers(&self) -> Vec<Signer<'_>> {
        let signer = |(selector, key)| Signer { domain: &self.domain, selector, key };
        self.keys.iter().map(|(selector, key)| signer((selector.as_str(), key))).collect()
    }
}

/// Keys that were unsealed, as long as the generation is this one.
pub(crate) struct ReadyKeys {
    generation: u64,
    of: Bounded<Domain, Option<Arc<DomainKeys>>>,
}

impl ReadyKeys {
    pub(crate) fn new() -> ReadyKeys {
        ReadyKeys { generation: 0, of: Bounded::new(READY_MAX) }
    }
}

impl Directory {
    /// Adds a key, given in PKCS#8, in state [`DkimState::Waiting`].
    pub fn add_dkim_key(
        &self,
        domain: &Domain,
        selector: &str,
        pkcs8: &[u8],
        now: UnixTime,
    ) -> Change<DkimKey> {
        let new = match self.prepare_dkim_key(domain, selector, pkcs8, now) {
            Ok(new) => new,
            Err(error) => return Change::known(Err(error)),
        };
        let (domain, selector) = (domain.clone(), selector.to_ascii_lowercase());
        Change::run(&*self.engine, None, move |tx| {
            record::domain(tx, &domain)?.ok_or_else(|| missing(&domain))?;
            let place = keys::dkim_key(&domain, &selector);
            if dkim_record(tx, &place)?.is_some() {
                return Err(Error::Exists(format!("a key {selector} of {domain}")).into());
            }
            if of_domain(tx, &domain)?.len() >= KEYS_MAX {
                let why = format!("a domain has at most {KEYS_MAX} keys; remove retired ones");
                return Err(Error::TooMany(why).into());
            }
            put(tx, &place, &new)?;
            Ok(shown(&domain, selector.clone(), new.clone()))
        })
    }

    fn prepare_dkim_key(
        &self,
        domain: &Domain,
        selector: &str,
        pkcs8: &[u8],
        now: UnixTime,
    ) -> Result<DkimRecord, Error> {
        let labels = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !selector.split('.').all(labels) || selector.len() > 100 {
            let why = "a selector is made of ASCII letters, digits and hyphens, as a name in DNS";
            return Err(Error::bad_name(&selector, why));
        }
        let key = SigningKey::from_pkcs8(pkcs8).map_err(|fault| Error::bad_name(&selector, fault))?;
        let place = keys::dkim_key(domain, &selector.to_ascii_lowercase());
        Ok(DkimRecord {
            state: DkimState::Waiting,
            kind: key.kind().name().to_owned(),
            bits: key.bits() as u32,
            created: now.0,
            since: now.0,
            record: key.record(),
            sealed: self.dkim_seal.close_octets(&place, pkcs8)?,
        })
    }

    /// Sets the state of a key. The keys of the same kind that signed until now are retired when it begins to.
    pub fn set_dkim_state(
        &self,
        domain: &Domain,
        selector: &str,
        state: DkimState,
        now: UnixTime,
    ) -> Change<()> {
        let (domain, selector) = (domain.clone(), selector.to_ascii_lowercase());
        Change::run(&*self.engine, None, move |tx| {
            let mut found = false;
            let all = of_domain(tx, &domain)?;
            let kind = all.iter().find(|(name, _)| *name == selector).map(|(_, key)| key.kind.clone());
            for (name, mut key) in all {
                let next = match (name == selector, state) {
                    (true, state) => {
                        found = true;
                        state
                    }
                    (false, DkimState::Signing)
                        if key.state == DkimState::Signing && Some(&key.kind) == kind.as_ref() =>
                    {
                        DkimState::Retired
                    }
                    _ => key.state,
                };
                if next != key.state {
                    key.state = next;
                    key.since = now.0;
                    put(tx, &keys::dkim_key(&domain, &name), &key)?;
                }
            }
            if found { Ok(()) } else { Err(no_key(&domain, &selector).into()) }
        })
    }

    /// Removes a key for good.
    pub fn remove_dkim_key(&self, domain: &Domain, selector: &str) -> Change<()> {
        let (domain, selector) = (domain.clone(), selector.to_ascii_lowercase());
        Change::run(&*self.engine, None, move |tx| {
            let place = keys::dkim_key(&domain, &selector);
            dkim_record(tx, &place)?.ok_or_else(|| no_key(&domain, &selector))?;
            tx.delete(&place)?;
            Ok(record::raise_generation(tx)?)
        })
    }

    /// All keys, of one domain or of all, by name.
    ///
    /// # Errors
    /// Reading failed.
    pub fn dkim_keys(&self, domain: Option<&Domain>) -> Result<Vec<DkimKey>, Error> {
        let snapshot = self.engine.snapshot()?;
        let domains = match domain {
            Some(domain) => vec![domain.clone()],
            None => self.domains()?.into_iter().map(|info| info.name).collect(),
        };
        let mut found = Vec::new();
        for domain in domains {
            let keys = of_domain(&*snapshot, &domain)?;
            found.extend(keys.into_iter().map(|(selector, key)| shown(&domain, selector, key)));
        }
        Ok(found)
    }

    /// What mail of an author at `domain` is signed with: the keys of that domain, or of the closest one above it that is
    /// ours and signs (DMARC's relaxed alignment). None: nothing. Answered from a cache that never outlives a change.
    ///
    /// # Errors
    /// Reading failed, or a key can't be unsealed: the server's secret is another one than then.
    pub fn domain_keys(&self, domain: &Domain) -> Result<Option<Arc<DomainKeys>>, Error> {
        let snapshot = self.engine.snapshot()?;
        let generation = record::generation(&*snapshot)?;
        {
            let mut ready = self.ready_keys.lock();
            if ready.generation == generation
                && let Some(keys) = ready.of.get_mut(domain)
            {
                return Ok(keys.clone());
            }
        }
        let keys = self.find_domain_keys(&*snapshot, domain)?.map(Arc::new);
        let mut ready = self.ready_keys.lock();
        if generation > ready.generation {
            ready.of.clear();
            ready.generation = generation;
        }
        if generation == ready.generation {
            ready.of.insert(domain.clone(), keys.clone());
        }
        Ok(keys)
    }

    fn find_domain_keys(&self, read: &dyn Read, domain: &Domain) -> Result<Option<DomainKeys>, Error> {
        let mut name = domain.as_str();
        loop {
            let signing = Domain::new(name).ok();
            if let Some(signing) = signing
                && record::domain(read, &signing)?.is_some_and(|record| !record.disabled)
            {
                let keys = self.unsealed(read, &signing)?;
                if !keys.is_empty() {
                    return Ok(Some(DomainKeys { domain: signing, keys }));
                }
            }
            match name.split_once('.') {
                Some((_, above)) if above.contains('.') => name = above,
                _ => return Ok(None),
            }
        }
    }

    fn unsealed(&self, read: &dyn Read, domain: &Domain) -> Result<Vec<(String, SigningKey)>, Error> {
        let mut keys = Vec::new();
        for (selector, record) in of_domain(read, domain)? {
            if record.state != DkimState::Signing {
                continue;
            }
            let place = keys::dkim_key(domain, &selector);
            let key = self.dkim_seal.open_octets(&place, &record.sealed);
            let key = key.and_then(|pkcs8| SigningKey::from_pkcs8(&pkcs8).ok());
            keys.push((selector.clone(), key.ok_or_else(|| sealed_by_another(domain, &selector))?));
        }
        keys.sort_by_key(|(_, key)| key.kind() != KeyKind::Rsa);
        Ok(keys)
    }
}

/// Encrypts private keys, apart from application passwords.
pub(crate) fn seal(secret: &[u8; 32]) -> Seal {
    Seal::for_purpose(secret, b"troika dkim keys 1")
}

/// With the domain go its keys.
pub(crate) fn remove_all(tx: &mut dyn Tx, domain: &Domain) -> Result<(), Stop> {
    for (selector, _) in of_domain(tx, domain)? {
        tx.delete(&keys::dkim_key(domain, &selector))?;
    }
    Ok(())
}

fn put(tx: &mut dyn Tx, place: &[u8], key: &DkimRecord) -> Result<(), Stop> {
    tx.put(place, &encode(key))?;
    Ok(record::raise_generation(tx)?)
}

fn dkim_record(read: &dyn Read, place: &[u8]) -> Result<Option<DkimRecord>, Error> {
    record::load(read, place, "a DKIM key")
}

/// Keys with their selectors.
fn of_domain(read: &dyn Read, domain: &Domain) -> Result<Vec<(String, DkimRecord)>, Error> {
    let prefix = keys::dkim_keys_of(domain);
    let mut found = Vec::new();
    scan_prefix(read, &prefix, &mut |key, value| {
        let selector = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
        found.push((selector, record::decode("a DKIM key", value)?));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn shown(domain: &Domain, selector: String, key: DkimRecord) -> DkimKey {
    DkimKey {
        name: format!("{selector}._domainkey.{}", domain.to_ascii()),
        domain: domain.clone(),
        selector,
        kind: key.kind,
        bits: key.bits,
        state: key.state,
        created: UnixTime(key.created),
        since: UnixTime(key.since),
        record: key.record,
    }
}

fn no_key(domain: &Domain, selector: &str) -> Error {
    Error::Missing(format!("key {selector} of {domain}"))
}

fn sealed_by_another(domain: &Domain, selector: &str) -> Error {
    let what = format!("the key {selector} of {domain}");
    Error::Engine(engine::Error::Corrupt { what, why: "it was sealed with another secret".to_owned() })
}

#[cfg(test)]
#[path = "dkim_tests.rs"]
mod tests;
