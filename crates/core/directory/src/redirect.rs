//! Redirects: people have their mail sent on, with or without a copy here (what `.forward` files did).

use crate::error::Stop;
use crate::record::{self, RedirectRecord, encode};
use crate::{Change, Directory, Error, account, keys, names};
use engine::AccountId;
use model::{Domain, EmailAddress};
use std::ops::{Bound, ControlFlow};

/// Targets of one redirect at most.
const TARGETS_MAX: usize = 20;

/// Where an account's mail goes.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Redirect {
    /// The account's own address.
    #[serde(serialize_with = "crate::names::as_text")]
    pub address: EmailAddress,
    /// Where to.
    #[serde(serialize_with = "crate::names::all_as_text")]
    pub targets: Vec<EmailAddress>,
    /// Whether a copy stays here.
    pub keep: bool,
}

impl Directory {
    /// Makes or replaces the redirect of the account with that address.
    pub fn set_redirect(&self, redirect: Redirect) -> Change<()> {
        let targets = match checked(&redirect) {
            Ok(targets) => targets,
            Err(error) => return Change::known(Err(error)),
        };
        let Redirect { address, keep, .. } = redirect;
        Change::run(&*self.engine, None, move |tx| {
            let id = owner(tx, &address)?;
            tx.put(&keys::redirect(id), &encode(&RedirectRecord { targets: targets.clone(), keep }))?;
            Ok(record::raise_generation(tx)?)
        })
    }

    /// Removes the redirect of the account with that address.
    pub fn remove_redirect(&self, address: &EmailAddress) -> Change<()> {
        let address = address.clone();
        Change::run(&*self.engine, None, move |tx| {
            let id = owner(tx, &address)?;
            record::redirect(tx, id)?.ok_or_else(|| missing(&address))?;
            tx.delete(&keys::redirect(id))?;
            Ok(record::raise_generation(tx)?)
        })
    }

    /// The redirect of the account with that address.
    ///
    /// # Errors
    /// Reading failed.
    pub fn redirect(&self, address: &EmailAddress) -> Result<Option<Redirect>, Error> {
        let snapshot = self.engine.snapshot()?;
        let Some((id, account)) = account::find(&*snapshot, address)? else { return Ok(None) };
        record::redirect(&*snapshot, id)?.map(|record| show(&account.address, record)).transpose()
    }

    /// A page of redirects by account, of one domain or of all, beginning behind `after`; with the account of each.
    ///
    /// # Errors
    /// Reading failed.
    pub fn redirects(
        &self,
        domain: Option<&Domain>,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<(AccountId, Redirect)>, Error> {
        let snapshot = self.engine.snapshot()?;
        let prefix = keys::all(b'r');
        let from = after.map(keys::redirect);
        let from = from.as_deref().map_or(Bound::Included(&prefix[..]), Bound::Excluded);
        let mut records = Vec::new();
        record::scan_between(&*snapshot, from, &keys::behind(&prefix), &mut |key, value| {
            let id = AccountId(keys::last_u32(key));
            let account = record::account(&*snapshot, id)?;
            if let Some(account) = account {
                let redirect = show(&account.address, record::decode("an account's redirect", value)?)?;
                if domain.is_none_or(|domain| *domain == redirect.address.domain) {
                    records.push((id, redirect));
                }
            }
            Ok(if records.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(records)
    }
}

/// The targets as they are stored, each once.
fn checked(redirect: &Redirect) -> Result<Vec<String>, Error> {
    if redirect.targets.is_empty() {
        return Err(Error::bad_name(&redirect.address, "a redirect leads somewhere"));
    }
    if redirect.targets.len() > TARGETS_MAX {
        let given = redirect.targets.len();
        return Err(Error::TooMany(format!("at most {TARGETS_MAX} targets, {given} were given")));
    }
    let own = names::normal_address(&redirect.address);
    let mut targets: Vec<String> = Vec::new();
    for target in &redirect.targets {
        if own.is_some() && names::normal_address(target) == own {
            let why = "a redirect to itself; to keep a copy is said apart";
            return Err(Error::bad_name(target, why));
        }
        let text = target.to_string();
        if !targets.contains(&text) {
            targets.push(text);
        }
    }
    Ok(targets)
}

fn owner(read: &dyn engine::Read, address: &EmailAddress) -> Result<AccountId, Stop> {
    let found = account::find(read, address)?;
    Ok(found.map(|(id, _)| id).ok_or_else(|| account::missing(address))?)
}

fn missing(address: &EmailAddress) -> Error {
    Error::Missing(format!("redirect of {address}"))
}

fn show(address: &str, record: RedirectRecord) -> Result<Redirect, Error> {
    Ok(Redirect {
        address: record::stored_address(address)?,
        targets: record.targets.iter().map(|text| record::stored_address(text)).collect::<Result<_, _>>()?,
        keep: record.keep,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Resolution;
    use crate::testing::{add, address, alias, directory};
    use crate::{AccountChange, AliasKind};

    fn set(directory: &Directory, of: &str, targets: &[&str], keep: bool) -> Result<(), Error> {
        let targets = targets.iter().map(|target| address(target)).collect();
        directory.set_redirect(Redirect { address: address(of), targets, keep }).wait()
    }

    fn who(directory: &Directory, text: &str) -> String {
        let Resolution::Deliver { local, remote, .. } = &*directory.resolve(&address(text)).unwrap() else {
            return "nobody".to_owned();
        };
        let local = local.iter().map(|target| target.address.to_string());
        local.chain(remote.iter().map(|address| format!("->{address}"))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn mail_goes_on_with_or_without_a_copy() {
        let directory = directory();
        for name in ["a@x.test", "b@x.test"] {
            add(&directory, name, None);
        }
        alias(&directory, AliasKind::Alias, "info@x.test", &["a@x.test"]).wait().unwrap();
        set(&directory, "A@x.test", &["far@y.test", "B+box@x.test", "far@y.test"], false).unwrap();
        for given in ["a@x.test", "a+tag@x.test", "info@x.test"] {
            assert_eq!(who(&directory, given), "b@x.test ->far@y.test", "{given}");
        }
        set(&directory, "a@x.test", &["far@y.test"], true).unwrap();
        assert_eq!(who(&directory, "a@x.test"), "a@x.test ->far@y.test");
        let shown = directory.redirect(&address("A@x.test")).unwrap().unwrap();
        assert_eq!((shown.targets, shown.keep), (vec![address("far@y.test")], true));
        assert_eq!(directory.redirects(None, None, 10).unwrap().len(), 1);
        directory.remove_redirect(&address("a@x.test")).wait().unwrap();
        assert_eq!(who(&directory, "a@x.test"), "a@x.test");
        assert!(directory.remove_redirect(&address("a@x.test")).wait().is_err());
        assert!(
            set(&directory, "info@x.test", &["b@x.test"], true).is_err(),
            "an alias has targets of its own"
        );
        assert!(set(&directory, "a@x.test", &[], true).is_err());
        assert!(set(&directory, "a@x.test", &["A@x.test"], true).is_err());
    }

    #[test]
    fn circles_and_dead_ends_lose_nothing() {
        let directory = directory();
        for name in ["a@x.test", "b@x.test", "c@x.test"] {
            add(&directory, name, None);
        }
        set(&directory, "a@x.test", &["b@x.test"], false).unwrap();
        set(&directory, "b@x.test", &["a@x.test"], false).unwrap();
        assert_eq!(who(&directory, "a@x.test"), "a@x.test b@x.test");
        set(&directory, "b@x.test", &["a@x.test", "far@y.test"], false).unwrap();
        assert_eq!(who(&directory, "a@x.test"), "->far@y.test");
        set(&directory, "c@x.test", &["gone@x.test"], false).unwrap();
        assert_eq!(who(&directory, "c@x.test"), "c@x.test");
    }

    #[test]
    fn a_redirect_is_of_the_account_alone() {
        let directory = directory();
        let a = add(&directory, "a@x.test", None);
        let b = add(&directory, "b@x.test", None);
        set(&directory, "a@x.test", &["b@x.test", "far@y.test"], false).unwrap();
        assert!(directory.owns(a, &address("a@x.test")).unwrap(), "he still sends as himself");
        assert!(!directory.owns(b, &address("a@x.test")).unwrap());
        let listed = directory.members(&model::Path::Mailbox(address("a@x.test"))).unwrap();
        assert!(
            matches!(listed, Resolution::Deliver { local, remote, .. } if local[0].account == a && remote.is_empty())
        );
        let disable = AccountChange { disabled: Some(true), ..AccountChange::default() };
        directory.set_account(&address("a@x.test"), disable).wait().unwrap();
        assert_eq!(who(&directory, "a@x.test"), "nobody");
        directory.remove_account(&address("a@x.test")).wait().unwrap();
        add(&directory, "a@x.test", None);
        assert_eq!(who(&directory, "a@x.test"), "a@x.test");
        assert!(directory.redirects(None, None, 10).unwrap().is_empty());
    }
}
