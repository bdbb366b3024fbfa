//! Aliases and groups: addresses that stand for others.

use crate::error::Stop;
use crate::record::{self, AddressRecord, encode};
use crate::{Change, Directory, Error, domain, keys, names};
use engine::{Read, Tx};
use model::{Domain, EmailAddress};
use std::ops::{Bound, ControlFlow};

/// Targets of one alias or group at most.
const TARGETS_MAX: usize = 5000;

/// What an address that is no account is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AliasKind {
    /// Stands for one or many addresses, here or elsewhere.
    Alias,
    /// Stands for many accounts here. Its members may not send as it, those of an alias may.
    Group,
}

impl AliasKind {
    fn word(self) -> &'static str {
        match self {
            AliasKind::Alias => "alias",
            AliasKind::Group => "group",
        }
    }
}

/// An alias or a group.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Alias {
    /// Which of the two.
    pub kind: AliasKind,
    /// Its address.
    #[serde(serialize_with = "crate::names::as_text")]
    pub address: EmailAddress,
    /// Whom it stands for.
    #[serde(serialize_with = "crate::names::all_as_text")]
    pub targets: Vec<EmailAddress>,
}

impl Directory {
    /// Adds an alias or a group; the targets of a group must be accounts. An alias may name what does not exist yet.
    pub fn add_alias(&self, alias: Alias) -> Change<()> {
        self.change_alias(&alias, |alias, existing| match existing {
            Some(_) => Err(Error::Exists(alias.address.to_string())),
            None => Ok(()),
        })
    }

    /// Replaces the targets of an alias or a group.
    pub fn set_alias(&self, alias: Alias) -> Change<()> {
        self.change_alias(&alias, |alias, existing| match existing {
            Some(record) if kind_of(record) == Some(alias.kind) => Ok(()),
            _ => Err(missing(alias.kind, &alias.address)),
        })
    }

    fn change_alias(
        &self,
        alias: &Alias,
        allowed: impl Fn(&Alias, Option<&AddressRecord>) -> Result<(), Error> + Send + 'static,
    ) -> Change<()> {
        let alias = match normal(alias) {
            Ok(alias) => alias,
            Err(error) => return Change::known(Err(error)),
        };
        Change::run(&*self.engine, None, move |tx| {
            let name = &alias.address.domain;
            let own_domain = record::domain(tx, name)?.ok_or_else(|| domain::missing(name))?;
            if let Some(other) = own_domain.alias_of {
                let why = format!("{name} is another name of {other}; make it there");
                return Err(Error::bad_name(&alias.address, why).into());
            }
            let existing = record::address(tx, &alias.address)?;
            allowed(&alias, existing.as_ref())?;
            if alias.kind == AliasKind::Group {
                for member in &alias.targets {
                    if !matches!(record::address(tx, member)?, Some(AddressRecord::Account(_))) {
                        let why = "a member of a group must be the address of an account here";
                        return Err(Error::bad_name(member, why).into());
                    }
                }
            }
            unlink(tx, &alias.address, existing.as_ref())?;
            put(tx, &alias)?;
            Ok(record::raise_generation(tx)?)
        })
    }

    /// Removes an alias or a group.
    pub fn remove_alias(&self, kind: AliasKind, address: &EmailAddress) -> Change<()> {
        let Some(address) = names::normal_address(address) else {
            return Change::known(Err(missing(kind, address)));
        };
        Change::run(&*self.engine, None, move |tx| {
            let existing = record::address(tx, &address)?;
            if existing.as_ref().and_then(kind_of) != Some(kind) {
                return Err(missing(kind, &address).into());
            }
            unlink(tx, &address, existing.as_ref())?;
            tx.delete(&keys::address(&address))?;
            Ok(record::raise_generation(tx)?)
        })
    }

    /// A page of aliases or groups by address, of one domain or of all, beginning behind `after`.
    ///
    /// # Errors
    /// Reading failed.
    pub fn aliases(
        &self,
        kind: AliasKind,
        domain: Option<&Domain>,
        after: Option<&EmailAddress>,
        limit: usize,
    ) -> Result<Vec<Alias>, Error> {
        let snapshot = self.engine.snapshot()?;
        let prefix = domain.map_or_else(|| keys::all(b'a'), keys::addresses_in);
        let from = after.and_then(names::normal_address).map(|address| keys::address(&address));
        let from = from.as_deref().map_or(Bound::Included(&prefix[..]), Bound::Excluded);
        let letter = keys::all(b'a').len();
        let mut found = Vec::new();
        record::scan_between(&*snapshot, from, &keys::behind(&prefix), &mut |key, value| {
            if found.len() >= limit {
                return Ok(ControlFlow::Break(()));
            }
            let record: AddressRecord = record::decode("an address's record", value)?;
            if kind_of(&record) == Some(kind) {
                found.push(show(name_in(&key[letter..])?, record)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The group of that address, written in any way.
    ///
    /// # Errors
    /// Reading failed.
    pub fn group(&self, address: &EmailAddress) -> Result<Option<Alias>, Error> {
        let Some(address) = names::normal_address(address) else { return Ok(None) };
        match record::address(&*self.engine.snapshot()?, &address)? {
            Some(record @ AddressRecord::Group(_)) => show(address, record).map(Some),
            _ => Ok(None),
        }
    }

    /// The aliases and groups that name this address as a target.
    ///
    /// # Errors
    /// Reading failed.
    pub fn aliases_of(&self, target: &EmailAddress) -> Result<Vec<Alias>, Error> {
        let snapshot = self.engine.snapshot()?;
        let mut found = Vec::new();
        for address in linked(&*snapshot, &target_key(target))? {
            if let Some(record) = record::address(&*snapshot, &address)? {
                found.push(show(address, record)?);
            }
        }
        Ok(found)
    }
}

/// Removes `target` from all that name it; what stands for nobody then vanishes.
pub(crate) fn drop_target(tx: &mut dyn Tx, target: &EmailAddress) -> Result<(), Stop> {
    for address in linked(tx, target)? {
        let Some(existing) = record::address(tx, &address)? else { continue };
        unlink(tx, &address, Some(&existing))?;
        let Some(kind) = kind_of(&existing) else { continue };
        let mut alias = show(address, existing)?;
        alias.targets.retain(|known| target_key(known) != *target);
        if alias.targets.is_empty() {
            tx.delete(&keys::address(&alias.address))?;
        } else {
            put(tx, &Alias { kind, ..alias })?;
        }
    }
    Ok(())
}

fn normal(alias: &Alias) -> Result<Alias, Error> {
    if alias.targets.is_empty() {
        return Err(Error::bad_name(&alias.address, "it must stand for somebody"));
    }
    if alias.targets.len() > TARGETS_MAX {
        return Err(Error::TooMany(format!(
            "at most {TARGETS_MAX} targets, {} were given",
            alias.targets.len()
        )));
    }
    let address = names::new_address(&alias.address)?;
    let mut targets: Vec<EmailAddress> = Vec::with_capacity(alias.targets.len());
    let mut seen = std::collections::HashSet::new();
    for target in &alias.targets {
        // Addresses elsewhere keep their case (RFC 5321 §2.4); members of a group are accounts, in normal form.
        let kept = if alias.kind == AliasKind::Group { target_key(target) } else { target.clone() };
        if seen.insert(target_key(target)) {
            targets.push(kept);
        }
    }
    Ok(Alias { kind: alias.kind, address, targets })
}

/// The form of a target in the reverse index.
fn target_key(target: &EmailAddress) -> EmailAddress {
    names::normal_address(target).unwrap_or_else(|| target.clone())
}

fn kind_of(record: &AddressRecord) -> Option<AliasKind> {
    match record {
        AddressRecord::Account(_) | AddressRecord::List(_) => None,
        AddressRecord::Alias(_) => Some(AliasKind::Alias),
        AddressRecord::Group(_) => Some(AliasKind::Group),
    }
}

fn missing(kind: AliasKind, address: &EmailAddress) -> Error {
    Error::Missing(format!("{} {address}", kind.word()))
}

fn show(address: EmailAddress, record: AddressRecord) -> Result<Alias, Error> {
    let kind = kind_of(&record).unwrap_or(AliasKind::Alias);
    let (AddressRecord::Alias(targets) | AddressRecord::Group(targets)) = record else {
        return Ok(Alias { kind, address, targets: Vec::new() });
    };
    let targets = targets.iter().map(|text| record::stored_address(text)).collect::<Result<_, _>>()?;
    Ok(Alias { kind, address, targets })
}

fn put(tx: &mut dyn Tx, alias: &Alias) -> Result<(), Error> {
    let targets: Vec<String> = alias.targets.iter().map(ToString::to_string).collect();
    let record = match alias.kind {
        AliasKind::Alias => AddressRecord::Alias(targets),
        AliasKind::Group => AddressRecord::Group(targets),
    };
    tx.put(&keys::address(&alias.address), &encode(&record))?;
    for target in &alias.targets {
        tx.put(&keys::target(&target_key(target), &alias.address), &[])?;
    }
    Ok(())
}

/// Drops the reverse index of what an alias stood for.
fn unlink(tx: &mut dyn Tx, address: &EmailAddress, record: Option<&AddressRecord>) -> Result<(), Error> {
    let Some(AddressRecord::Alias(targets) | AddressRecord::Group(targets)) = record else { return Ok(()) };
    for target in targets {
        let target = target_key(&record::stored_address(target)?);
        tx.delete(&keys::target(&target, address))?;
    }
    Ok(())
}

/// The addresses whose targets include this one (in normal form).
fn linked(read: &dyn Read, target: &EmailAddress) -> Result<Vec<EmailAddress>, Error> {
    let prefix = keys::targets_of(target);
    let mut found = Vec::new();
    record::scan_prefix(read, &prefix, &mut |key, _| {
        found.push(name_in(&key[prefix.len()..])?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

fn name_in(key: &[u8]) -> Result<EmailAddress, Error> {
    let (domain, local) = keys::split_name(key).unwrap_or_default();
    record::stored_address(&format!("{local}@{domain}"))
}
