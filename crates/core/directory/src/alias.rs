//! Aliases and groups: addresses that stand for others.

use crate::{Change, Directory, Error};
use model::{Domain, EmailAddress};

/// What an address that is no account is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AliasKind {
    /// Stands for one or many addresses, here or elsewhere.
    Alias,
    /// Stands for many accounts here.
    Group,
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
    /// Adds an alias or a group; the targets of a group must be accounts.
    pub fn add_alias(&self, alias: Alias) -> Change<()> {
        panic!("{alias:?}")
    }

    /// Replaces the targets of an alias or a group.
    pub fn set_alias(&self, alias: Alias) -> Change<()> {
        panic!("{alias:?}")
    }

    /// Removes an alias or a group.
    pub fn remove_alias(&self, kind: AliasKind, address: &EmailAddress) -> Change<()> {
        panic!("{kind:?} {address}")
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
        panic!("{kind:?} {domain:?} {after:?} {limit}")
    }

    /// The aliases and groups that name this address as a target.
    ///
    /// # Errors
    /// Reading failed.
    pub fn aliases_of(&self, target: &EmailAddress) -> Result<Vec<Alias>, Error> {
        panic!("{target}")
    }
}
