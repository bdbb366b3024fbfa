//! A directory in memory, for the tests of this crate.

use crate::{Alias, AliasKind, Change, Companion, Directory, NewAccount, Quota, Settings};
use engine::{AccountId, MemoryEngine};
use model::{Domain, EmailAddress, UnixTime};
use secrecy::SecretString;
use std::sync::Arc;

pub(crate) const NOW: UnixTime = UnixTime(1_700_000_000);

pub(crate) fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(crate) fn domain(text: &str) -> Domain {
    Domain::new(text).unwrap()
}

pub(crate) const SECRET: [u8; 32] = [42; 32];

pub(crate) fn open(settings: Settings, companion: Arc<dyn Companion>) -> Directory {
    Directory::open(Arc::new(MemoryEngine::default()), settings, &SECRET, companion).unwrap()
}

/// With the domain `x.test`.
pub(crate) fn directory() -> Directory {
    let directory = open(Settings::default(), Arc::new(()));
    directory.add_domain(&domain("x.test"), NOW).wait().unwrap();
    directory
}

pub(crate) fn add(directory: &Directory, name: &str, password: Option<&str>) -> AccountId {
    let new = NewAccount {
        address: address(name),
        display_name: String::new(),
        password: password.map(SecretString::from),
        quota: Quota::default(),
        role: crate::Role::Person,
    };
    directory.add_account(new, NOW).wait().unwrap()
}

pub(crate) fn alias(directory: &Directory, kind: AliasKind, name: &str, targets: &[&str]) -> Change<()> {
    let targets = targets.iter().map(|target| address(target)).collect();
    directory.add_alias(Alias { kind, address: address(name), targets })
}
