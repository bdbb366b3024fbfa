//! Who an address is.

use crate::{Directory, Error};
use engine::AccountId;
use model::{EmailAddress, Path};
use std::sync::Arc;

/// One of our accounts that gets the message.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LocalTarget {
    /// Whose mailboxes.
    pub account: AccountId,
    /// The account's own address.
    pub address: EmailAddress,
    /// What stood behind the separator (`user+detail@…`), as written (RFC 5233).
    pub detail: Option<String>,
}

/// What an address stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// These, each once. At least one of the two is not empty.
    Deliver {
        /// Accounts here.
        local: Vec<LocalTarget>,
        /// Addresses elsewhere that an alias of ours names.
        remote: Vec<EmailAddress>,
    },
    /// The domain is ours, the user is not (or only a loop of aliases).
    NoSuchUser,
    /// The domain is not ours.
    NotLocal,
    /// The account or the domain is disabled.
    Disabled,
}

impl Directory {
    /// What a recipient address stands for: account, subaddress, alias, group, domain alias, catch-all, postmaster.
    /// Chains of aliases are followed to a bounded depth, loops cut, duplicates dropped. Answered from a cache in about
    /// a microsecond, which never outlives a change.
    ///
    /// # Errors
    /// Reading failed.
    pub fn resolve(&self, address: &EmailAddress) -> Result<Arc<Resolution>, Error> {
        panic!("{address}")
    }

    /// As [`Directory::resolve`], for what RCPT names; `Postmaster` alone is that of the default domain.
    ///
    /// # Errors
    /// Reading failed.
    pub fn resolve_path(&self, path: &Path) -> Result<Arc<Resolution>, Error> {
        panic!("{path}")
    }

    /// Whether mail to `address` reaches `account` other than through a group: the account's own address, its
    /// subaddresses and aliases, and what a catch-all gives it. That is what it may also send from.
    ///
    /// # Errors
    /// Reading failed.
    pub fn owns(&self, account: AccountId, address: &EmailAddress) -> Result<bool, Error> {
        panic!("{account:?} {address}")
    }
}
