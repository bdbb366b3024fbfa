//! Our own domains.

use crate::error::Stop;
use crate::record::{self, DomainRecord, Relay, encode, scan_prefix};
use crate::{Change, Directory, Error, keys, names};
use engine::{Read, Tx};
use model::{Domain, EmailAddress, UnixTime};
use std::ops::ControlFlow;

/// One of our domains.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct DomainInfo {
    /// Its name, with U-labels.
    #[serde(serialize_with = "crate::names::as_text")]
    pub name: Domain,
    /// Mail for it is refused, its accounts can't log in.
    pub disabled: bool,
    /// Who gets mail for unknown local parts.
    #[serde(serialize_with = "crate::names::maybe_as_text")]
    pub catch_all: Option<EmailAddress>,
    /// What parts a local part from its subaddress (RFC 5233); None: no subaddresses.
    pub separator: Option<char>,
    /// This domain is another name of that one: same local parts.
    #[serde(serialize_with = "crate::names::maybe_as_text")]
    pub alias_of: Option<Domain>,
    /// Whether its mail goes on to another server.
    pub relay: Relay,
    /// Seconds since 1970.
    #[serde(serialize_with = "crate::names::unix_time")]
    pub created: UnixTime,
}

/// What to change; None leaves as it is.
#[derive(Clone, Default, Debug)]
pub struct DomainChange {
    /// Disable or enable.
    pub disabled: Option<bool>,
    /// Set (Some) or clear (None) the catch-all.
    pub catch_all: Option<Option<EmailAddress>>,
    /// Set or clear the separator: one of `+ - = _ . #` or another sign of an atom.
    pub separator: Option<Option<char>>,
    /// Make it another name of a domain, or one of its own again.
    pub alias_of: Option<Option<Domain>>,
    /// Let its mail go on to another server, or end here.
    pub relay: Option<Relay>,
}

impl Directory {
    /// Adds a domain with the usual settings (separator `+`, no catch-all).
    pub fn add_domain(&self, name: &Domain, now: UnixTime) -> Change<()> {
        if name.as_str().starts_with('[') {
            return Change::known(Err(Error::bad_name(name, "an address literal is no domain name")));
        }
        let name = name.clone();
        Change::run(&*self.engine, None, move |tx| {
            if record::domain(tx, &name)?.is_some() {
                return Err(Error::Exists(format!("the domain {name}")).into());
            }
            let new = DomainRecord {
                disabled: false,
                catch_all: None,
                separator: Some('+'),
                alias_of: None,
                created: now.0,
                first_account: None,
                relay: Relay::No,
            };
            put(tx, &name, &new)
        })
    }

    /// Changes a domain.
    pub fn set_domain(&self, name: &Domain, change: DomainChange) -> Change<()> {
        let name = name.clone();
        Change::run(&*self.engine, None, move |tx| {
            let mut domain = record::domain(tx, &name)?.ok_or_else(|| missing(&name))?;
            if let Some(disabled) = change.disabled {
                domain.disabled = disabled;
            }
            if let Some(catch_all) = &change.catch_all {
                domain.catch_all = catch_all.as_ref().map(ToString::to_string);
            }
            if let Some(separator) = change.separator {
                check_separator(separator)?;
                domain.separator = separator;
            }
            domain.relay = change.relay.unwrap_or(domain.relay);
            if let Some(alias_of) = &change.alias_of {
                if let Some(other) = alias_of {
                    check_alias_of(tx, &name, other)?;
                }
                domain.alias_of = alias_of.as_ref().map(ToString::to_string);
            }
            put(tx, &name, &domain)
        })
    }

    /// Removes a domain that has no addresses any more, with its DKIM keys.
    pub fn remove_domain(&self, name: &Domain) -> Change<()> {
        let name = name.clone();
        Change::run(&*self.engine, None, move |tx| {
            record::domain(tx, &name)?.ok_or_else(|| missing(&name))?;
            if has_addresses(tx, &name)? || has_other_names(tx, &name)? {
                return Err(Error::InUse(name.to_string()).into());
            }
            crate::dkim::remove_all(tx, &name)?;
            tx.delete(&keys::domain(&name))?;
            Ok(record::raise_generation(tx)?)
        })
    }

    /// All domains, by name.
    ///
    /// # Errors
    /// Reading failed.
    pub fn domains(&self) -> Result<Vec<DomainInfo>, Error> {
        let snapshot = self.engine.snapshot()?;
        all(&*snapshot)?.into_iter().map(|(name, record)| info(name, record)).collect()
    }

    /// One domain; None when it is not ours.
    ///
    /// # Errors
    /// Reading failed.
    pub fn domain(&self, name: &Domain) -> Result<Option<DomainInfo>, Error> {
        let snapshot = self.engine.snapshot()?;
        record::domain(&*snapshot, name)?.map(|record| info(name.clone(), record)).transpose()
    }

    /// Whether mail for that domain ends here: it is ours, and no backup of another server.
    ///
    /// # Errors
    /// Reading failed.
    pub fn is_home(&self, name: &Domain) -> Result<bool, Error> {
        let domain = record::domain(&*self.engine.snapshot()?, name)?;
        Ok(domain.is_some_and(|domain| domain.relay == Relay::No))
    }

    /// The domain that names without one belong to: the configured one, else the oldest (of equally old ones the first
    /// by name), so that adding a domain locks nobody out.
    pub(crate) fn default_domain(&self, read: &dyn Read) -> Result<Option<Domain>, Error> {
        if let Some(domain) = &self.settings.read().default_domain {
            return Ok(Some(domain.clone()));
        }
        let oldest = all(read)?.into_iter().min_by_key(|(_, record)| record.created);
        Ok(oldest.map(|(name, _)| name))
    }
}

/// Also when a first account comes or goes.
pub(crate) fn put(tx: &mut dyn Tx, name: &Domain, record: &DomainRecord) -> Result<(), Stop> {
    tx.put(&keys::domain(name), &encode(record))?;
    Ok(record::raise_generation(tx)?)
}

pub(crate) fn missing(name: &Domain) -> Error {
    Error::Missing(format!("domain {name}"))
}

fn all(read: &dyn Read) -> Result<Vec<(Domain, DomainRecord)>, Error> {
    let prefix = keys::all(b'd');
    let mut found = Vec::new();
    scan_prefix(read, &prefix, &mut |key, value| {
        let name = record::stored_domain(&String::from_utf8_lossy(&key[prefix.len()..]))?;
        found.push((name, record::decode_domain(value)?));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn info(name: Domain, record: DomainRecord) -> Result<DomainInfo, Error> {
    Ok(DomainInfo {
        name,
        disabled: record.disabled,
        catch_all: record.catch_all.as_deref().map(record::stored_address).transpose()?,
        separator: record.separator,
        alias_of: record.alias_of.as_deref().map(record::stored_domain).transpose()?,
        relay: record.relay,
        created: UnixTime(record.created),
    })
}

fn check_separator(separator: Option<char>) -> Result<(), Error> {
    let Some(c) = separator else { return Ok(()) };
    if c.is_ascii_punctuation()
        && names::normal_local(&c.to_string()).is_some()
        && !"@\"\\<>()[],:;".contains(c)
    {
        return Ok(());
    }
    Err(Error::bad_name(&c, "a separator is one ASCII sign that needs no quotes"))
}

/// Other names don't chain, so looking one up takes one step.
fn check_alias_of(read: &dyn Read, name: &Domain, other: &Domain) -> Result<(), Error> {
    if name == other {
        return Err(Error::bad_name(other, "a domain can't be another name of itself"));
    }
    let target = record::domain(read, other)?.ok_or_else(|| missing(other))?;
    if target.alias_of.is_some() || has_other_names(read, name)? {
        return Err(Error::bad_name(other, "other names of domains can't be chained"));
    }
    if has_addresses(read, name)? {
        return Err(Error::InUse(name.to_string()));
    }
    Ok(())
}

fn has_addresses(read: &dyn Read, name: &Domain) -> Result<bool, Error> {
    let mut any = false;
    scan_prefix(read, &keys::addresses_in(name), &mut |_, _| {
        any = true;
        Ok(ControlFlow::Break(()))
    })?;
    Ok(any)
}

fn has_other_names(read: &dyn Read, name: &Domain) -> Result<bool, Error> {
    Ok(all(read)?.iter().any(|(_, record)| record.alias_of.as_deref() == Some(name.as_str())))
}
