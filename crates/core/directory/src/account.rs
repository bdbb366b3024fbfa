//! Accounts.

use crate::domain;
use crate::error::Stop;
use crate::password::{Cost, prepare, random};
use crate::record::{self, AccountRecord, AddressRecord, Credentials, PasswordRecord, Role, encode};
use crate::{Change, Companion, Created, Directory, Error, alias, keys, names};
use engine::{AccountId, Order, Read, Tx};
use model::{Domain, EmailAddress, UnixTime};
use secrecy::{ExposeSecret as _, SecretString};
use std::ops::{Bound, ControlFlow};

/// Limits of an account; the store keeps and enforces them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Quota {
    /// Bytes; None: no limit.
    pub bytes: Option<u64>,
    /// Messages; None: no limit.
    pub messages: Option<u64>,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its address; its domain must be ours.
    pub address: EmailAddress,
    /// For people.
    pub display_name: String,
    /// None: nobody can log in until one is set.
    pub password: Option<SecretString>,
    /// For the store.
    pub quota: Quota,
    /// What it is for; a shared one must not have a password.
    pub role: Role,
}

/// An account as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Account {
    /// Its id, the first part of all keys of its mail.
    #[serde(serialize_with = "crate::names::account_id")]
    pub id: AccountId,
    /// Its own address.
    #[serde(serialize_with = "crate::names::as_text")]
    pub address: EmailAddress,
    /// For people.
    pub display_name: String,
    /// What it is for.
    pub role: Role,
    /// Takes no mail and no log-ins.
    pub disabled: bool,
    /// Whether it has a password of its own.
    pub has_password: bool,
    /// Seconds since 1970.
    #[serde(serialize_with = "crate::names::unix_time")]
    pub created: UnixTime,
}

/// What to change; None leaves as it is.
#[derive(Clone, Default, Debug)]
pub struct AccountChange {
    /// For people.
    pub display_name: Option<String>,
    /// Disable or enable.
    pub disabled: Option<bool>,
    /// Another password.
    pub password: Option<SecretString>,
    /// Another purpose.
    pub role: Option<Role>,
}

/// All of a new account but its id; made outside the transaction, since hashing takes its time.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) address: EmailAddress,
    pub(crate) display_name: String,
    pub(crate) quota: Quota,
    pub(crate) role: Role,
    pub(crate) credentials: Credentials,
}

impl Prepared {
    pub(crate) fn new(new: &NewAccount, iterations: u32, cost: Cost) -> Result<Prepared, Error> {
        let address = names::new_address(&new.address)?;
        check_display_name(&new.display_name)?;
        let scram_salt = random()?;
        let password = match &new.password {
            Some(password) => {
                let password = prepare(password.expose_secret())?;
                Some(PasswordRecord::new(&password, &scram_salt, iterations, cost)?)
            }
            None => None,
        };
        Ok(Prepared {
            address,
            display_name: new.display_name.clone(),
            quota: new.quota,
            role: new.role,
            credentials: Credentials {
                password,
                scram_salt,
                scram_iterations: iterations,
                last_app_password: 0,
            },
        })
    }
}

impl Directory {
    /// Makes an account; the companion makes its mailboxes in the same transaction. Hashes the password in this call
    /// (some 30 ms): not for an async thread.
    pub fn add_account(&self, new: NewAccount, now: UnixTime) -> Change<AccountId> {
        let iterations = self.settings.read().scram_iterations;
        let prepared = {
            let _place = self.gate.enter();
            match Prepared::new(&new, iterations, Cost::FULL) {
                Ok(prepared) => prepared,
                Err(error) => return Change::known(Err(error)),
            }
        };
        let companion = self.companion.clone();
        Change::run(&*self.engine, None, move |tx| create(tx, &prepared, &*companion, now))
    }

    /// Changes an account. Hashes a new password in this call. A new password or a disabled account ends no session
    /// that is logged in.
    pub fn set_account(&self, address: &EmailAddress, change: AccountChange) -> Change<()> {
        let (id, password) = match self.prepare_change(address, &change) {
            Ok(prepared) => prepared,
            Err(error) => return Change::known(Err(error)),
        };
        let address = address.clone();
        Change::run(&*self.engine, None, move |tx| {
            let mut account = record::account(tx, id)?.ok_or_else(|| missing(&address))?;
            if let Some(name) = &change.display_name {
                account.display_name.clone_from(name);
            }
            if let Some(disabled) = change.disabled {
                account.disabled = disabled;
            }
            account.role = change.role.unwrap_or(account.role);
            if let Some(password) = &password {
                let mut credentials = record::credentials(tx, id)?.ok_or_else(|| missing(&address))?;
                credentials.password = Some(password.clone());
                account.has_password = true;
                tx.put(&keys::credentials(id), &encode(&credentials))?;
            }
            account.credentials_generation += 1;
            tx.put(&keys::account(id), &encode(&account))?;
            Ok(record::raise_generation(tx)?)
        })
    }

    /// What can be done before the transaction: find the account, hash the password with the account's salt, which never
    /// changes.
    fn prepare_change(
        &self,
        address: &EmailAddress,
        change: &AccountChange,
    ) -> Result<(AccountId, Option<PasswordRecord>), Error> {
        check_display_name(change.display_name.as_deref().unwrap_or_default())?;
        let snapshot = self.engine.snapshot()?;
        let (id, _) = find(&*snapshot, address)?.ok_or_else(|| missing(address))?;
        let Some(password) = &change.password else { return Ok((id, None)) };
        let credentials = record::credentials(&*snapshot, id)?.ok_or_else(|| missing(address))?;
        drop(snapshot);
        let password = prepare(password.expose_secret())?;
        let _place = self.gate.enter();
        let (salt, iterations) = (credentials.scram_salt, credentials.scram_iterations);
        Ok((id, Some(PasswordRecord::new(&password, &salt, iterations, Cost::FULL)?)))
    }

    /// Removes an account, its credentials, and its address from aliases and groups (which vanish when empty).
    pub fn remove_account(&self, address: &EmailAddress) -> Change<AccountId> {
        let found =
            self.engine.snapshot().map_err(Error::from).and_then(|snapshot| find(&*snapshot, address));
        let id = match found {
            Ok(Some((id, _))) => id,
            Ok(None) => return Change::known(Err(missing(address))),
            Err(error) => return Change::known(Err(error)),
        };
        let companion = self.companion.clone();
        Change::run(&*self.engine, Some(id), move |tx| {
            remove(tx, id)?;
            companion.removed(tx, id)?;
            Ok(id)
        })
    }

    /// The account that has exactly this address (no alias, no subaddress).
    ///
    /// # Errors
    /// Reading failed.
    pub fn account(&self, address: &EmailAddress) -> Result<Option<Account>, Error> {
        let snapshot = self.engine.snapshot()?;
        find(&*snapshot, address)?.map(|(id, record)| show(id, record)).transpose()
    }

    /// The account with this id.
    ///
    /// # Errors
    /// Reading failed.
    pub fn account_by_id(&self, id: AccountId) -> Result<Option<Account>, Error> {
        let snapshot = self.engine.snapshot()?;
        record::account(&*snapshot, id)?.map(|record| show(id, record)).transpose()
    }

    /// A page of accounts by id, of one domain or of all, beginning behind `after`.
    ///
    /// # Errors
    /// Reading failed.
    pub fn accounts(
        &self,
        domain: Option<&Domain>,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Account>, Error> {
        let snapshot = self.engine.snapshot()?;
        let mut found = Vec::new();
        let prefix = keys::all(b'i');
        let from = after.map(keys::account);
        let from = from.as_deref().map_or(Bound::Included(&prefix[..]), Bound::Excluded);
        record::scan_between(&*snapshot, from, &keys::behind(&prefix), &mut |key, value| {
            if found.len() >= limit {
                return Ok(ControlFlow::Break(()));
            }
            let account = show(AccountId(keys::last_u32(key)), record::decode_account(value)?)?;
            if domain.is_none_or(|domain| *domain == account.address.domain) {
                found.push(account);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }
}

/// The account with this address, written in any way.
pub(crate) fn find(
    read: &dyn Read,
    address: &EmailAddress,
) -> Result<Option<(AccountId, AccountRecord)>, Error> {
    match names::normal_address(address) {
        Some(normal) => record::account_at(read, &normal),
        None => Ok(None),
    }
}

pub(crate) fn missing(address: &EmailAddress) -> Error {
    Error::Missing(format!("account {address}"))
}

pub(crate) fn show(id: AccountId, record: AccountRecord) -> Result<Account, Error> {
    Ok(Account {
        id,
        address: record::stored_address(&record.address)?,
        display_name: record.display_name,
        role: record.role,
        disabled: record.disabled,
        has_password: record.has_password,
        created: UnixTime(record.created),
    })
}

/// It ends up in header fields and replies.
fn check_display_name(name: &str) -> Result<(), Error> {
    if name.len() > 255 || name.chars().any(char::is_control) {
        return Err(Error::bad_name(&name, "a display name has at most 255 bytes and no control characters"));
    }
    Ok(())
}

/// Makes an account inside a transaction.
pub(crate) fn create(
    tx: &mut dyn Tx,
    new: &Prepared,
    companion: &dyn Companion,
    now: UnixTime,
) -> Result<AccountId, Stop> {
    let name = &new.address.domain;
    let mut own_domain = record::domain(tx, name)?.ok_or_else(|| domain::missing(name))?;
    if let Some(other) = &own_domain.alias_of {
        let why = format!("{name} is another name of {other}; make the account there");
        return Err(Error::bad_name(&new.address, why).into());
    }
    if record::address(tx, &new.address)?.is_some() {
        return Err(Error::Exists(new.address.to_string()).into());
    }
    let last = u32::from_be_bytes(record::number(tx, &keys::LAST_ACCOUNT)?);
    let id = AccountId(last.checked_add(1).expect("fewer than 2^32 accounts were ever made"));
    tx.put(&keys::LAST_ACCOUNT, &id.0.to_be_bytes())?;
    let account = AccountRecord {
        address: new.address.to_string(),
        display_name: new.display_name.clone(),
        disabled: false,
        has_password: new.credentials.password.is_some(),
        created: now.0,
        credentials_generation: 0,
        role: new.role,
    };
    tx.put(&keys::account(id), &encode(&account))?;
    tx.put(&keys::credentials(id), &encode(&new.credentials))?;
    tx.put(&keys::address(&new.address), &encode(&AddressRecord::Account(id.0)))?;
    if own_domain.first_account.is_none() {
        own_domain.first_account = Some(id.0);
        domain::put(tx, name, &own_domain)?;
    } else {
        record::raise_generation(tx)?;
    }
    companion.created(tx, &Created { id, address: &new.address, quota: new.quota, role: new.role, now })?;
    Ok(id)
}

fn remove(tx: &mut dyn Tx, id: AccountId) -> Result<(), Stop> {
    let account = record::account(tx, id)?.ok_or_else(|| Error::Missing("such account".to_owned()))?;
    let address = record::stored_address(&account.address)?;
    for (number, _) in record::app_passwords(tx, id)? {
        tx.delete(&keys::app_password(id, number))?;
        tx.delete(&keys::last_used(id, number))?;
    }
    tx.delete(&keys::credentials(id))?;
    tx.delete(&keys::redirect(id))?;
    tx.delete(&keys::account(id))?;
    tx.delete(&keys::address(&address))?;
    alias::drop_target(tx, &address)?;
    let Some(mut own_domain) = record::domain(tx, &address.domain)? else {
        return Ok(record::raise_generation(tx)?);
    };
    if own_domain.first_account == Some(id.0) {
        own_domain.first_account = oldest_account(tx, &address.domain)?;
    }
    domain::put(tx, &address.domain, &own_domain)
}

fn oldest_account(read: &dyn Read, name: &Domain) -> Result<Option<u32>, Error> {
    let mut oldest = None;
    record::scan_prefix(read, &keys::addresses_in(name), &mut |_, value| {
        if let AddressRecord::Account(id) = record::decode("an address's record", value)? {
            oldest = Some(oldest.map_or(id, |known: u32| known.min(id)));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(oldest)
}

/// The account with the lowest id.
pub(crate) fn first_of_all(read: &dyn Read) -> Result<Option<AccountId>, Error> {
    let mut first = None;
    let prefix = keys::all(b'i');
    let range = (Bound::Included(&prefix[..]), Bound::Excluded(&keys::behind(&prefix)[..]));
    read.scan(range, Order::Ascending, &mut |key, _| {
        first = Some(AccountId(keys::last_u32(key)));
        ControlFlow::Break(())
    })?;
    Ok(first)
}
