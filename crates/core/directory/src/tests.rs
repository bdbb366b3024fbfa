//! Domains, accounts, aliases, and who an address is.

use crate::testing::{NOW, add, address, alias, directory, domain, open};
use crate::{
    AccountChange, Alias, AliasKind, Companion, Created, Directory, DomainChange, Error, LocalTarget,
    NewAccount, Quota, Relay, Resolution, Settings,
};
use engine::{Abort, AccountId, Tx};
use model::Path;
use parking_lot::Mutex;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;

/// `address=account/detail …, remote …`, or a word.
fn who(directory: &Directory, text: &str) -> String {
    match &*directory.resolve(&address(text)).unwrap() {
        Resolution::Deliver { local, remote, .. } => {
            let local = local.iter().map(|LocalTarget { address, detail, .. }| match detail {
                Some(detail) => format!("{address}/{detail}"),
                None => address.to_string(),
            });
            let remote = remote.iter().map(|address| format!("->{address}"));
            local.chain(remote).collect::<Vec<_>>().join(" ")
        }
        Resolution::NoSuchUser => "no such user".to_owned(),
        Resolution::NotLocal => "not local".to_owned(),
        Resolution::Relay(address) => format!("relay {address}"),
        Resolution::Disabled => "disabled".to_owned(),
    }
}

#[test]
fn accounts_and_their_spellings() {
    let directory = directory();
    directory.add_domain(&domain("пример.рф"), NOW).wait().unwrap();
    assert_eq!(add(&directory, "Anna@X.test", None), AccountId(1));
    assert_eq!(add(&directory, "почта@пример.рф", None), AccountId(2));
    for (given, wanted) in [
        ("anna@x.test", "anna@x.test"),
        ("ANNA@x.test.", "anna@x.test"),
        ("Anna+Work+More@x.test", "anna@x.test/Work+More"),
        ("anna+@x.test", "anna@x.test"),
        ("Почта+Тег@xn--e1afmkfd.xn--p1ai", "почта@пример.рф/Тег"),
        ("annas@x.test", "no such user"),
        ("+anna@x.test", "no such user"),
        ("\"an na\"@x.test", "no such user"),
        ("anna@y.test", "not local"),
    ] {
        assert_eq!(who(&directory, given), wanted, "{given}");
    }
}

#[test]
fn ids_are_never_used_again_and_names_are_one_thing_only() {
    let directory = directory();
    add(&directory, "a@x.test", None);
    assert_eq!(directory.remove_account(&address("A@x.test")).wait().unwrap(), AccountId(1));
    assert_eq!(who(&directory, "a@x.test"), "no such user");
    assert_eq!(add(&directory, "a@x.test", None), AccountId(2));
    let twice = alias(&directory, AliasKind::Alias, "A@x.test", &["b@y.test"]).wait();
    assert!(matches!(twice, Err(Error::Exists(_))), "{twice:?}");
    let elsewhere = alias(&directory, AliasKind::Alias, "a@y.test", &["b@y.test"]).wait();
    assert!(matches!(elsewhere, Err(Error::Missing(_))), "{elsewhere:?}");
}

#[test]
fn the_separator_may_be_another_and_the_longest_name_wins() {
    let directory = directory();
    let change = |separator| DomainChange { separator: Some(separator), ..DomainChange::default() };
    directory.set_domain(&domain("x.test"), change(Some('-'))).wait().unwrap();
    add(&directory, "a@x.test", None);
    add(&directory, "a-b@x.test", None);
    assert_eq!(who(&directory, "a-b-c@x.test"), "a-b@x.test/c");
    assert_eq!(who(&directory, "a-c-b@x.test"), "a@x.test/c-b");
    assert_eq!(who(&directory, "a+c@x.test"), "no such user");
    directory.set_domain(&domain("x.test"), change(None)).wait().unwrap();
    assert_eq!(who(&directory, "a-c@x.test"), "no such user");
    assert!(directory.set_domain(&domain("x.test"), change(Some('@'))).wait().is_err());
    assert!(directory.set_domain(&domain("x.test"), change(Some('a'))).wait().is_err());
}

#[test]
fn aliases_groups_loops_and_duplicates() {
    let directory = directory();
    for name in ["a@x.test", "b@x.test", "c@x.test"] {
        add(&directory, name, None);
    }
    let make = |kind, name, targets: &[&str]| alias(&directory, kind, name, targets).wait();
    make(AliasKind::Alias, "one@x.test", &["A@x.test"]).unwrap();
    make(AliasKind::Alias, "mixed@x.test", &["one@x.test", "a@x.test", "Far@Y.test", "b+box@x.test"])
        .unwrap();
    make(AliasKind::Group, "all@x.test", &["a@x.test", "b@x.test", "c@x.test", "C@x.test"]).unwrap();
    make(AliasKind::Alias, "loop1@x.test", &["loop2@x.test"]).unwrap();
    make(AliasKind::Alias, "loop2@x.test", &["loop1@x.test"]).unwrap();
    make(AliasKind::Alias, "loop3@x.test", &["loop3@x.test", "loop1@x.test", "c@x.test"]).unwrap();
    make(AliasKind::Alias, "nobody@x.test", &["gone@x.test"]).unwrap();
    assert!(make(AliasKind::Group, "g@x.test", &["one@x.test"]).is_err(), "an alias is no member");
    assert!(make(AliasKind::Alias, "empty@x.test", &[]).is_err());
    for (given, wanted) in [
        ("one@x.test", "a@x.test"),
        ("one+tag@x.test", "a@x.test/tag"),
        ("mixed@x.test", "a@x.test b@x.test/box ->Far@y.test"),
        ("ALL@x.test", "a@x.test b@x.test c@x.test"),
        ("loop1@x.test", "no such user"),
        ("loop3@x.test", "c@x.test"),
        ("nobody@x.test", "no such user"),
    ] {
        assert_eq!(who(&directory, given), wanted, "{given}");
    }
}

#[test]
fn a_chain_is_followed_so_far_and_no_further() {
    let directory = directory();
    add(&directory, "end@x.test", None);
    for n in 0..12 {
        let target = if n == 0 { "end@x.test".to_owned() } else { format!("c{}@x.test", n - 1) };
        alias(&directory, AliasKind::Alias, &format!("c{n}@x.test"), &[&target]).wait().unwrap();
    }
    assert_eq!(who(&directory, "c9@x.test"), "end@x.test");
    assert_eq!(who(&directory, "c10@x.test"), "no such user");
}

#[test]
fn changes_are_seen_at_once_through_the_cache() {
    let directory = directory();
    assert_eq!(who(&directory, "a@x.test"), "no such user");
    assert_eq!(who(&directory, "a@x.test"), "no such user");
    add(&directory, "a@x.test", None);
    assert_eq!(who(&directory, "a@x.test"), "a@x.test");
    let disable = |disabled| AccountChange { disabled: Some(disabled), ..AccountChange::default() };
    directory.set_account(&address("a@x.test"), disable(true)).wait().unwrap();
    assert_eq!(who(&directory, "a@x.test"), "disabled");
    directory.set_account(&address("a@x.test"), disable(false)).wait().unwrap();
    assert_eq!(who(&directory, "a@x.test"), "a@x.test");
    let closed = DomainChange { disabled: Some(true), ..DomainChange::default() };
    directory.set_domain(&domain("x.test"), closed).wait().unwrap();
    assert_eq!(who(&directory, "a@x.test"), "disabled");
    assert_eq!(who(&directory, "b@x.test"), "disabled");
}

#[test]
fn a_disabled_member_is_passed_over() {
    let directory = directory();
    add(&directory, "a@x.test", None);
    add(&directory, "b@x.test", None);
    alias(&directory, AliasKind::Group, "g@x.test", &["a@x.test", "b@x.test"]).wait().unwrap();
    let disable = AccountChange { disabled: Some(true), ..AccountChange::default() };
    directory.set_account(&address("a@x.test"), disable.clone()).wait().unwrap();
    assert_eq!(who(&directory, "g@x.test"), "b@x.test");
    directory.set_account(&address("b@x.test"), disable).wait().unwrap();
    assert_eq!(who(&directory, "g@x.test"), "disabled");
}

#[test]
fn catch_all_and_other_names_of_a_domain() {
    let directory = directory();
    add(&directory, "a@x.test", None);
    let change = DomainChange { catch_all: Some(Some(address("A@x.test"))), ..DomainChange::default() };
    directory.set_domain(&domain("x.test"), change).wait().unwrap();
    assert_eq!(who(&directory, "whoever@x.test"), "a@x.test");
    assert_eq!(who(&directory, "\"who ever\"@x.test"), "a@x.test");
    let to = |text| DomainChange { catch_all: Some(Some(address(text))), ..DomainChange::default() };
    directory.set_domain(&domain("x.test"), to("all@far.test")).wait().unwrap();
    assert_eq!(who(&directory, "whoever@x.test"), "->all@far.test");
    directory.set_domain(&domain("x.test"), to("nobody@x.test")).wait().unwrap();
    assert_eq!(who(&directory, "whoever@x.test"), "no such user");
    directory.set_domain(&domain("x.test"), to("a@x.test")).wait().unwrap();
    directory.add_domain(&domain("y.test"), NOW).wait().unwrap();
    let also = |other: &str| DomainChange { alias_of: Some(Some(domain(other))), ..DomainChange::default() };
    directory.set_domain(&domain("y.test"), also("x.test")).wait().unwrap();
    assert_eq!(who(&directory, "a+t@y.test"), "a@x.test/t");
    let new = NewAccount {
        address: address("b@y.test"),
        display_name: String::new(),
        password: None,
        quota: Quota::default(),
        role: crate::Role::Person,
    };
    assert!(directory.add_account(new, NOW).wait().is_err(), "accounts belong to the domain that is meant");
    assert!(directory.set_domain(&domain("x.test"), also("y.test")).wait().is_err(), "no chains");
    assert!(directory.set_domain(&domain("x.test"), also("x.test")).wait().is_err());
    assert!(matches!(directory.remove_domain(&domain("x.test")).wait(), Err(Error::InUse(_))));
    directory.remove_domain(&domain("y.test")).wait().unwrap();
    assert_eq!(who(&directory, "a@y.test"), "not local");
    assert_eq!(directory.domains().unwrap().len(), 1);
}

#[test]
fn a_backup_passes_on_what_is_not_made_here() {
    let directory = directory();
    directory.add_domain(&domain("far.test"), NOW).wait().unwrap();
    let relay = |relay| DomainChange { relay: Some(relay), ..DomainChange::default() };
    directory.set_domain(&domain("far.test"), relay(Relay::All)).wait().unwrap();
    assert!(
        !directory.is_home(&domain("far.test")).unwrap() && directory.is_home(&domain("x.test")).unwrap()
    );
    add(&directory, "here@far.test", None);
    alias(&directory, AliasKind::Alias, "both@far.test", &["here@far.test", "both@far.test"]).wait().unwrap();
    alias(&directory, AliasKind::Alias, "known@far.test", &["Known@far.test"]).wait().unwrap();
    alias(&directory, AliasKind::Alias, "way@x.test", &["Who@far.test"]).wait().unwrap();
    for (given, wanted) in [
        ("Who+tag@far.test", "relay Who+tag@far.test"),
        ("\"who ever\"@far.test", "relay \"who ever\"@far.test"),
        ("Postmaster@far.test", "relay Postmaster@far.test"),
        ("here+tag@far.test", "here@far.test/tag"),
        ("both@far.test", "here@far.test"),
        ("Known+tag@far.test", "relay Known+tag@far.test"),
        ("way@x.test", "->Who@far.test"),
        ("who@x.test", "no such user"),
    ] {
        assert_eq!(who(&directory, given), wanted, "{given}");
    }
    directory.set_domain(&domain("far.test"), relay(Relay::Known)).wait().unwrap();
    assert_eq!(who(&directory, "known@far.test"), "relay known@far.test");
    assert_eq!(who(&directory, "who@far.test"), "no such user");
    assert_eq!(who(&directory, "postmaster@far.test"), "here@far.test");
    directory.set_domain(&domain("far.test"), relay(Relay::No)).wait().unwrap();
    assert_eq!(who(&directory, "known@far.test"), "no such user");
}

#[test]
fn every_domain_has_a_postmaster() {
    let directory = directory();
    directory.add_domain(&domain("y.test"), NOW).wait().unwrap();
    assert_eq!(who(&directory, "postmaster@x.test"), "no such user");
    add(&directory, "z@x.test", None);
    add(&directory, "a@x.test", None);
    assert_eq!(who(&directory, "Postmaster@x.test"), "z@x.test", "the oldest, not the first by name");
    assert_eq!(who(&directory, "postmaster@y.test"), "z@x.test");
    directory.remove_account(&address("z@x.test")).wait().unwrap();
    assert_eq!(who(&directory, "postmaster@x.test"), "a@x.test");
    let alone = directory.resolve_path(&Path::Postmaster).unwrap();
    assert!(matches!(&*alone, Resolution::Deliver { local, .. } if local[0].address == address("a@x.test")));
    add(&directory, "boss@y.test", None);
    let settings = Settings { postmaster: Some(address("boss@y.test")), ..Settings::default() };
    directory.reload(settings);
    assert_eq!(who(&directory, "postmaster@x.test"), "boss@y.test");
    alias(&directory, AliasKind::Alias, "postmaster@x.test", &["far@z.test"]).wait().unwrap();
    assert_eq!(who(&directory, "postmaster@x.test"), "->far@z.test");
}

#[test]
fn who_owns_an_address_may_send_from_it() {
    let directory = directory();
    let a = add(&directory, "a@x.test", None);
    let b = add(&directory, "b@x.test", None);
    alias(&directory, AliasKind::Alias, "info@x.test", &["a@x.test", "far@y.test"]).wait().unwrap();
    alias(&directory, AliasKind::Group, "team@x.test", &["a@x.test", "b@x.test"]).wait().unwrap();
    let owns = |account, text: &str| directory.owns(account, &address(text)).unwrap();
    assert!(owns(a, "A+shop@x.test"));
    assert!(owns(a, "info@x.test"));
    assert!(!owns(b, "info@x.test"));
    assert!(!owns(b, "a@x.test"));
    assert!(!owns(a, "team@x.test"));
    assert!(!owns(a, "far@y.test"));
}

#[test]
fn removing_an_account_drops_it_from_what_names_it() {
    let directory = directory();
    add(&directory, "a@x.test", None);
    add(&directory, "b@x.test", None);
    alias(&directory, AliasKind::Alias, "only@x.test", &["A@x.test"]).wait().unwrap();
    alias(&directory, AliasKind::Group, "both@x.test", &["a@x.test", "b@x.test"]).wait().unwrap();
    let names = |of: &str| {
        let found = directory.aliases_of(&address(of)).unwrap();
        found.iter().map(|alias| alias.address.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names("a@x.test"), ["both@x.test", "only@x.test"]);
    directory.remove_account(&address("a@x.test")).wait().unwrap();
    assert_eq!(names("a@x.test"), [""; 0]);
    let groups = directory.aliases(AliasKind::Group, None, None, 10).unwrap();
    assert_eq!(groups[0].targets, [address("b@x.test")]);
    assert_eq!(directory.aliases(AliasKind::Alias, None, None, 10).unwrap(), []);
}

#[test]
fn aliases_are_replaced_removed_and_paged() {
    let directory = directory();
    for n in 0..5 {
        alias(&directory, AliasKind::Alias, &format!("n{n}@x.test"), &["far@y.test"]).wait().unwrap();
    }
    let change = |name: &str, target: &str| {
        let alias = Alias { kind: AliasKind::Alias, address: address(name), targets: vec![address(target)] };
        directory.set_alias(alias).wait()
    };
    change("n1@x.test", "other@y.test").unwrap();
    assert!(matches!(change("new@x.test", "other@y.test"), Err(Error::Missing(_))));
    assert_eq!(directory.aliases_of(&address("far@y.test")).unwrap().len(), 4);
    directory.remove_alias(AliasKind::Alias, &address("N0@x.test")).wait().unwrap();
    assert!(directory.remove_alias(AliasKind::Group, &address("n2@x.test")).wait().is_err());
    let page = |after: Option<&str>| {
        let after = after.map(address);
        let x = domain("x.test");
        let found = directory.aliases(AliasKind::Alias, Some(&x), after.as_ref(), 2).unwrap();
        found.iter().map(|alias| alias.address.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(page(None), ["n1@x.test", "n2@x.test"]);
    assert_eq!(page(Some("n2@x.test")), ["n3@x.test", "n4@x.test"]);
    assert_eq!(page(Some("n4@x.test")), [""; 0]);
}

#[test]
fn accounts_are_paged_by_id() {
    let directory = directory();
    directory.add_domain(&domain("y.test"), NOW).wait().unwrap();
    for name in ["a@x.test", "b@y.test", "c@x.test"] {
        add(&directory, name, None);
    }
    let page = |of: Option<&str>, after: Option<u32>| {
        let of = of.map(domain);
        let found = directory.accounts(of.as_ref(), after.map(AccountId), 2).unwrap();
        found.iter().map(|account| account.id.0).collect::<Vec<_>>()
    };
    assert_eq!(page(None, None), [1, 2]);
    assert_eq!(page(None, Some(2)), [3]);
    assert_eq!(page(Some("x.test"), None), [1, 3]);
    let shown = directory.account(&address("B@y.test")).unwrap().unwrap();
    assert_eq!(directory.account_by_id(AccountId(2)).unwrap().unwrap(), shown);
    let json = serde_json::to_value(&shown).unwrap();
    assert_eq!(json["address"], "b@y.test");
    assert_eq!((json["id"].as_u64(), json["disabled"].as_bool()), (Some(2), Some(false)));
}

/// Writes down what it is told; refuses `bad@…` after a write.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Companion for Notes {
    fn created(&self, tx: &mut dyn Tx, account: &Created<'_>) -> Result<(), Abort> {
        tx.put(&[&account.id.0.to_be_bytes()[..], b"mine"].concat(), b"1")?;
        if account.address.local.as_str() == "bad" {
            return Err(Abort::Cancelled);
        }
        self.0.lock().push(format!("+{} {} {:?}", account.id.0, account.address, account.quota.bytes));
        Ok(())
    }

    fn removed(&self, _: &mut dyn Tx, account: AccountId) -> Result<(), Abort> {
        self.0.lock().push(format!("-{}", account.0));
        Ok(())
    }
}

#[test]
fn the_companion_shares_the_transaction() {
    let notes = Arc::new(Notes::default());
    let directory = open(Settings::default(), notes.clone());
    directory.add_domain(&domain("x.test"), NOW).wait().unwrap();
    let new = |name: &str| NewAccount {
        address: address(name),
        display_name: "A".to_owned(),
        password: None,
        quota: Quota { bytes: Some(5), messages: None },
        role: crate::Role::Person,
    };
    directory.add_account(new("a@x.test"), NOW).wait().unwrap();
    assert!(matches!(directory.add_account(new("bad@x.test"), NOW).wait(), Err(Error::Refused)));
    assert_eq!(directory.account(&address("bad@x.test")).unwrap(), None);
    assert_eq!(who(&directory, "bad@x.test"), "no such user");
    directory.remove_account(&address("a@x.test")).wait().unwrap();
    assert_eq!(*notes.0.lock(), ["+1 a@x.test Some(5)", "-1"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Aliases that point at each other in any way end, and everybody gets the mail once.
    #[test]
    fn any_tangle_of_aliases_ends(
        edges in prop::collection::vec(prop::collection::vec(0_usize..12, 1..5), 8),
    ) {
        let directory = directory();
        // 0 to 7 are aliases, 8 to 10 accounts, 11 is elsewhere.
        let name = |n: usize| if n == 11 { "far@y.test".to_owned() } else { format!("n{n}@x.test") };
        for n in 8..11 {
            add(&directory, &name(n), None);
        }
        for (n, targets) in edges.iter().enumerate() {
            let targets: Vec<String> = targets.iter().map(|&n| name(n)).collect();
            let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
            alias(&directory, AliasKind::Alias, &name(n), &targets).wait().unwrap();
        }
        let mut reachable = HashSet::new();
        let mut open = vec![0];
        while let Some(n) = open.pop() {
            if reachable.insert(n) && n < 8 {
                open.extend(&edges[n]);
            }
        }
        let mut wanted: Vec<String> = reachable.into_iter().filter(|&n| n >= 8).map(name).collect();
        wanted.sort();
        let found = match &*directory.resolve(&address("n0@x.test")).unwrap() {
            Resolution::Deliver { local, remote, .. } => {
                let local = local.iter().map(|target| target.address.to_string());
                let mut all: Vec<String> = local.chain(remote.iter().map(ToString::to_string)).collect();
                all.sort();
                all
            }
            Resolution::NoSuchUser => Vec::new(),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(found, wanted);
    }

    /// The normal form is normal.
    #[test]
    fn normal_forms_do_not_change_again(local in "\\PC{1,20}") {
        if let Ok(local) = model::LocalPart::new(&local) {
            let once = crate::normal_address(&model::EmailAddress { local, domain: domain("x.test") });
            if let Some(once) = once {
                prop_assert_eq!(crate::normal_address(&once), Some(once));
            }
        }
    }
}
