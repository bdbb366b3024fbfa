//! Accounts.

use crate::{Change, Directory, Error};
use engine::AccountId;
use model::{Domain, EmailAddress, UnixTime};
use secrecy::SecretString;

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
}

impl Directory {
    /// Makes an account; the companion makes its mailboxes in the same transaction. Hashes the password in this call
    /// (some 30 ms): not for an async thread.
    pub fn add_account(&self, new: NewAccount, now: UnixTime) -> Change<AccountId> {
        panic!("{new:?} {now}")
    }

    /// Changes an account. Hashes a new password in this call.
    pub fn set_account(&self, address: &EmailAddress, change: AccountChange) -> Change<()> {
        panic!("{address} {change:?}")
    }

    /// Removes an account, its credentials, and its address from aliases and groups (which vanish when empty).
    pub fn remove_account(&self, address: &EmailAddress) -> Change<AccountId> {
        panic!("{address}")
    }

    /// The account that has exactly this address (no alias, no subaddress).
    ///
    /// # Errors
    /// Reading failed.
    pub fn account(&self, address: &EmailAddress) -> Result<Option<Account>, Error> {
        panic!("{address}")
    }

    /// The account with this id.
    ///
    /// # Errors
    /// Reading failed.
    pub fn account_by_id(&self, id: AccountId) -> Result<Option<Account>, Error> {
        panic!("{id:?}")
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
        panic!("{domain:?} {after:?} {limit}")
    }
}
