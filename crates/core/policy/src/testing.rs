//! A directory with a few people, for the tests of this crate.

use crate::{Client, Decider, Policy, Proposed, Role};
use directory::{AccountChange, Alias, AliasKind, Directory, NewAccount, Quota, Settings};
use engine::{AccountId, MemoryEngine};
use model::{Domain, EmailAddress, Path, ReversePath, UnixTime};
use std::sync::Arc;

pub(crate) const OUTSIDE: &str = "192.0.2.9";
/// In a network that [`Bench::new`] makes own unless the policy names others.
pub(crate) const OWN: &str = "10.1.2.3";

pub(crate) fn sender(text: &str) -> ReversePath {
    if text.is_empty() { ReversePath::Null } else { ReversePath::Mailbox(EmailAddress::parse(text).unwrap()) }
}

pub(crate) fn path(text: &str) -> Path {
    if text == "Postmaster" { Path::Postmaster } else { Path::Mailbox(EmailAddress::parse(text).unwrap()) }
}

pub(crate) const NOW: UnixTime = UnixTime(1_700_000_000);

/// The first recipient of a bounce, now.
pub(crate) fn proposed(path: &Path) -> Proposed<'_> {
    Proposed { path, from: &ReversePath::Null, accepted: 0, now: NOW }
}

/// `x.test` with anna, bert and closed; the group team, the alias info of anna, the alias away to far@y.test.
pub(crate) struct Bench {
    policy: Policy,
    directory: Directory,
    pub(crate) anna: AccountId,
}

impl Bench {
    pub(crate) fn new(mut policy: Policy) -> Bench {
        policy.own_networks.push("10.0.0.0/8".parse().unwrap());
        let engine = Arc::new(MemoryEngine::default());
        let directory = Directory::open(engine, Settings::default(), &[1; 32], Arc::new(())).unwrap();
        let now = NOW;
        directory.add_domain(&Domain::new("x.test").unwrap(), now).wait().unwrap();
        let address = |text: &str| EmailAddress::parse(text).unwrap();
        let add = |name: &str, display_name: &str| {
            let display_name = display_name.to_owned();
            let new = NewAccount {
                address: address(name),
                display_name,
                password: None,
                quota: Quota::default(),
                role: directory::Role::Person,
            };
            directory.add_account(new, now).wait().unwrap()
        };
        let anna = add("anna@x.test", "Anna A.");
        add("bert@x.test", "");
        add("closed@x.test", "");
        let closed = AccountChange { disabled: Some(true), ..AccountChange::default() };
        directory.set_account(&address("closed@x.test"), closed).wait().unwrap();
        let alias = |kind, name: &str, targets: &[&str]| {
            let targets = targets.iter().map(|target| address(target)).collect();
            directory.add_alias(Alias { kind, address: address(name), targets }).wait().unwrap();
        };
        alias(AliasKind::Group, "team@x.test", &["anna@x.test", "bert@x.test"]);
        alias(AliasKind::Alias, "info@x.test", &["anna@x.test"]);
        alias(AliasKind::Alias, "away@x.test", &["far@y.test"]);
        Bench { policy, directory, anna }
    }

    pub(crate) fn decider(&self) -> Decider<'_> {
        Decider { policy: &self.policy, directory: &self.directory }
    }

    /// `from` may be empty: a unix socket.
    pub(crate) fn client(&self, role: Role, from: &str, user: Option<AccountId>) -> Client {
        Client { address: from.parse().ok(), user, role }
    }
}
