//! Our own domains.

use crate::{Change, Directory, Error};
use model::{Domain, EmailAddress, UnixTime};

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
    /// Set or clear the separator.
    pub separator: Option<Option<char>>,
    /// Make it another name of a domain, or one of its own again.
    pub alias_of: Option<Option<Domain>>,
}

impl Directory {
    /// Adds a domain with the usual settings (separator `+`, no catch-all).
    pub fn add_domain(&self, name: &Domain, now: UnixTime) -> Change<()> {
        panic!("{name} {now}")
    }

    /// Changes a domain.
    pub fn set_domain(&self, name: &Domain, change: DomainChange) -> Change<()> {
        panic!("{name} {change:?}")
    }

    /// Removes a domain that has no addresses any more.
    pub fn remove_domain(&self, name: &Domain) -> Change<()> {
        panic!("{name}")
    }

    /// All domains, by name.
    ///
    /// # Errors
    /// Reading failed.
    pub fn domains(&self) -> Result<Vec<DomainInfo>, Error> {
        panic!()
    }

    /// One domain; None when it is not ours.
    ///
    /// # Errors
    /// Reading failed.
    pub fn domain(&self, name: &Domain) -> Result<Option<DomainInfo>, Error> {
        panic!("{name}")
    }
}
