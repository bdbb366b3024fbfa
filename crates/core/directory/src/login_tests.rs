use super::*;
use crate::testing::{NOW, SECRET, add, address, alias, directory, domain};
use crate::{AccountChange, AliasKind, Scopes};
use engine::{Engine, MemoryEngine};
use proptest::prelude::*;
use sasl::{cram_md5_digest, scram_keys};
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW.0 as u64 + seconds)
}

fn peer(n: u8) -> Option<IpAddr> {
    Some(IpAddr::from([192, 0, 2, n]))
}

fn verdict((reply, delay): (Reply, Duration)) -> Delayed {
    match reply {
        Reply::Verdict(verdict) => (verdict, delay),
        Reply::ScramKeys(_) => panic!("no verdict"),
    }
}

fn question(authorize_as: &str, user: &str, password: &str) -> Question {
    Question::Password {
        authorize_as: authorize_as.to_owned(),
        user: user.to_owned(),
        password: SecretString::from(password),
    }
}

fn log_in(directory: &Directory, user: &str, password: &str) -> Verdict {
    verdict(directory.answer(&question("", user, password), Service::Imap, None, at(0))).0
}

fn granted(account: &str) -> Verdict {
    Verdict::Granted { account: account.to_owned() }
}

#[test]
fn names_of_one_account() {
    let directory = directory();
    add(&directory, "anna@x.test", Some("right"));
    add(&directory, "bert@x.test", Some("other"));
    alias(&directory, AliasKind::Alias, "boss@x.test", &["anna@x.test"]).wait().unwrap();
    alias(&directory, AliasKind::Alias, "both@x.test", &["anna@x.test", "bert@x.test"]).wait().unwrap();
    alias(&directory, AliasKind::Group, "team@x.test", &["anna@x.test"]).wait().unwrap();
    let catch_all = crate::DomainChange {
        catch_all: Some(Some(address("anna@x.test"))),
        ..crate::DomainChange::default()
    };
    directory.set_domain(&domain("x.test"), catch_all).wait().unwrap();
    for name in ["anna@x.test", "Anna", "anna+tag", "ANNA+tag@X.TEST", "boss", "boss+x@x.test"] {
        assert_eq!(log_in(&directory, name, "right"), granted("anna@x.test"), "{name}");
    }
    for name in ["both@x.test", "team@x.test", "stranger@x.test", "postmaster", "anna@y.test", "", "@", "a b"]
    {
        assert_eq!(log_in(&directory, name, "right"), Verdict::Denied, "{name}");
    }
    assert_eq!(log_in(&directory, "anna", "other"), Verdict::Denied);
    assert_eq!(directory.login_account("boss").unwrap().unwrap().address, address("anna@x.test"));
}

#[test]
fn without_a_domain_the_default_one_is_meant() {
    let directory = directory();
    add(&directory, "anna@x.test", Some("right"));
    let later = model::UnixTime(NOW.0 + 60);
    directory.add_domain(&domain("a.test"), later).wait().unwrap();
    let whose = |name| directory.login_account(name).unwrap().map(|account| account.address);
    assert_eq!(whose("anna"), Some(address("anna@x.test")), "the oldest, though another comes first by name");
    directory
        .reload(crate::Settings { default_domain: Some(domain("a.test")), ..crate::Settings::default() });
    assert_eq!(whose("anna"), None);
    directory
        .reload(crate::Settings { default_domain: Some(domain("x.test")), ..crate::Settings::default() });
    assert!(directory.login_account("anna").unwrap().is_some());
}

#[test]
fn passwords_change_and_accounts_close() {
    let directory = directory();
    add(&directory, "anna@x.test", Some("old"));
    assert_eq!(log_in(&directory, "anna", "old"), granted("anna@x.test"));
    assert_eq!(log_in(&directory, "anna", "old"), granted("anna@x.test"));
    let change = |change| directory.set_account(&address("anna@x.test"), change).wait().unwrap();
    change(AccountChange { password: Some("new".into()), ..AccountChange::default() });
    assert_eq!(log_in(&directory, "anna", "old"), Verdict::Denied, "what was remembered counts no more");
    assert_eq!(log_in(&directory, "anna", "new"), granted("anna@x.test"));
    change(AccountChange { disabled: Some(true), ..AccountChange::default() });
    assert_eq!(log_in(&directory, "anna", "new"), Verdict::Denied);
    change(AccountChange { disabled: Some(false), ..AccountChange::default() });
    assert_eq!(log_in(&directory, "anna", "new"), granted("anna@x.test"));
    let closed = crate::DomainChange { disabled: Some(true), ..crate::DomainChange::default() };
    directory.set_domain(&domain("x.test"), closed).wait().unwrap();
    assert_eq!(log_in(&directory, "anna@x.test", "new"), Verdict::Denied);
}

#[test]
fn nobody_acts_as_somebody_else() {
    let directory = directory();
    add(&directory, "anna@x.test", Some("right"));
    add(&directory, "bert@x.test", None);
    let ask = |as_whom: &str| {
        let question = question(as_whom, "anna@x.test", "right");
        verdict(directory.answer(&question, Service::Smtp, None, at(0))).0
    };
    assert_eq!(ask("anna+any@x.test"), granted("anna@x.test"));
    assert_eq!(ask("bert@x.test"), Verdict::Forbidden);
    assert_eq!(ask("nobody@x.test"), Verdict::Forbidden);
    assert_eq!(log_in(&directory, "bert", ""), Verdict::Denied, "no password, no log-in");
}

#[test]
fn a_remembered_password_costs_no_argon2_for_a_while() {
    let directory = directory();
    add(&directory, "anna@x.test", Some("right"));
    let time = |seconds| {
        let before = directory.verified.lock().len();
        let outcome = directory.answer(&question("", "anna", "right"), Service::Imap, peer(1), at(seconds));
        assert_eq!(verdict(outcome), (granted("anna@x.test"), Duration::ZERO));
        before
    };
    assert_eq!((time(0), time(299)), (0, 1));
    let (key, generation) = (directory.verified_key(AccountId(1), "right"), 0);
    assert_eq!(directory.remembered_as_right(Some(&(key, generation)), at(299)), Some(Which::Own));
    assert_eq!(directory.remembered_as_right(Some(&(key, generation + 1)), at(299)), None);
    time(299);
    assert_eq!(
        directory.remembered_as_right(Some(&(key, generation)), at(299 + 300)),
        None,
        "it grew too old"
    );
    assert_eq!(directory.remembered_as_right(Some(&(key, generation)), at(299)), None);
}

#[test]
fn imported_accounts_get_the_full_hash_at_their_first_log_in() {
    let directory = directory();
    let csv = "anna@x.test,right,\n";
    directory.import_csv(&mut csv.as_bytes(), NOW, &mut |_| {}).unwrap();
    let cost = || {
        let snapshot = directory.engine.snapshot().unwrap();
        record::credentials(&*snapshot, AccountId(1)).unwrap().unwrap().password.unwrap().argon2.cost()
    };
    assert_eq!(log_in(&directory, "anna", "wrong"), Verdict::Denied);
    assert_eq!(cost(), Cost::LIGHT);
    assert_eq!(log_in(&directory, "anna", "right"), granted("anna@x.test"));
    // The engine works in order: when this is done, so is the upgrade.
    directory.add_domain(&domain("z.test"), NOW).wait().unwrap();
    assert_eq!(cost(), Cost::FULL);
    directory.verified.lock().clear();
    assert_eq!(log_in(&directory, "anna@x.test", "right"), granted("anna@x.test"));
}

#[test]
fn scram_keys_of_real_and_of_invented_names() {
    let directory = directory();
    let id = add(&directory, "anna@x.test", Some("right"));
    let keys = |user: &str| {
        let question = Question::ScramKeys { user: user.to_owned(), hash: ScramHash::Sha256 };
        match directory.answer(&question, Service::Imap, peer(1), at(0)) {
            (Reply::ScramKeys(keys), Duration::ZERO) => keys,
            other => panic!("{other:?}"),
        }
    };
    let real = keys("Anna+tag");
    let wanted = scram_keys("right", &real.salt, real.iterations, ScramHash::Sha256);
    assert_eq!(real.candidates[0].stored_key, wanted.stored_key);
    let invented = keys("nobody@x.test");
    assert_eq!(invented.salt, keys("Nobody+tag@x.test").salt, "stable, for all ways to write it");
    assert_ne!(invented.salt, keys("nobody2@x.test").salt);
    assert_eq!((invented.salt.len(), invented.iterations), (real.salt.len(), real.iterations));
    assert_eq!(invented.candidates.len(), 1);
    assert_eq!(invented.candidates[0].stored_key.len(), 32);
    let proved = |user: &str, candidate| {
        let user = user.to_owned();
        let question = Question::ScramProved { authorize_as: String::new(), user, candidate };
        verdict(directory.answer(&question, Service::Imap, peer(1), at(0))).0
    };
    assert_eq!(proved("anna", 0), granted("anna@x.test"));
    assert_eq!(proved("anna", 1), Verdict::Denied);
    assert_eq!(proved("nobody@x.test", 0), Verdict::Denied);
    assert_eq!(id, AccountId(1));
}

fn app_password(directory: &Directory, name: &str, services: &[Service]) -> String {
    let made = directory.add_app_password(&address("anna@x.test"), name, Scopes::of(services), NOW);
    made.wait().unwrap().secret.expose_secret().to_owned()
}

fn digest(directory: &Directory, kind: DigestKind, user: &str, secret: &str, service: Service) -> Verdict {
    let challenge = b"<1896.697170952@postoffice.reston.mci.net>".to_vec();
    let response = match kind {
        DigestKind::CramMd5 => cram_md5_digest(&challenge, secret.as_bytes()),
        DigestKind::Apop => sasl::apop_digest(&challenge, secret.as_bytes()),
    };
    let question = Question::Digest { kind, user: user.to_owned(), challenge, response };
    verdict(directory.answer(&question, service, None, at(100))).0
}

#[test]
fn application_passwords_work_where_they_may() {
    let directory = directory();
    add(&directory, "anna@x.test", Some("right"));
    let secret = app_password(&directory, "phone", &[Service::Imap, Service::Pop3]);
    let typed = |service, password: &str| {
        verdict(directory.answer(&question("", "anna", password), service, None, at(0))).0
    };
    assert_eq!(typed(Service::Imap, &secret), granted("anna@x.test"));
    assert_eq!(typed(Service::Imap, &secret.replace('-', " ")), granted("anna@x.test"));
    assert_eq!(typed(Service::Pop3, &secret.replace('-', "")), granted("anna@x.test"));
    assert_eq!(typed(Service::Smtp, &secret), Verdict::Forbidden);
    assert_eq!(typed(Service::Smtp, "right"), granted("anna@x.test"));
    for kind in [DigestKind::CramMd5, DigestKind::Apop] {
        assert_eq!(digest(&directory, kind, "anna+t", &secret, Service::Pop3), granted("anna@x.test"));
        assert_eq!(digest(&directory, kind, "anna", &secret, Service::Smtp), Verdict::Forbidden);
        assert_eq!(
            digest(&directory, kind, "anna", "right", Service::Pop3),
            Verdict::Denied,
            "the own one never"
        );
        assert_eq!(digest(&directory, kind, "nobody", &secret, Service::Pop3), Verdict::Denied);
    }
    let question = Question::ScramKeys { user: "anna".to_owned(), hash: ScramHash::Sha1 };
    let (Reply::ScramKeys(keys), _) = directory.answer(&question, Service::Imap, None, at(0)) else {
        panic!()
    };
    let wanted = scram_keys(&secret, &keys.salt, keys.iterations, ScramHash::Sha1);
    assert_eq!(keys.candidates[1].stored_key, wanted.stored_key);
    let question = Question::ScramProved { authorize_as: String::new(), user: "anna".into(), candidate: 1 };
    let scram = |service| verdict(directory.answer(&question, service, None, at(0))).0;
    assert_eq!((scram(Service::Imap), scram(Service::Smtp)), (granted("anna@x.test"), Verdict::Forbidden));
}

#[test]
fn application_passwords_are_listed_and_revoked() {
    let directory = directory();
    add(&directory, "anna@x.test", None);
    let anna = address("Anna@x.test");
    let phone = app_password(&directory, "phone", &[Service::Imap]);
    let tablet = app_password(&directory, "tablet", &[Service::Smtp]);
    assert!(directory.add_app_password(&anna, "phone", Scopes::ALL, NOW).wait().is_err(), "one of a kind");
    assert!(directory.add_app_password(&anna, "none", Scopes::of(&[]), NOW).wait().is_err());
    assert_eq!(
        digest(&directory, DigestKind::CramMd5, "anna", &phone, Service::Imap),
        granted("anna@x.test")
    );
    assert_eq!(log_in(&directory, "anna", &phone), granted("anna@x.test"));
    // The engine works in order: when this is done, so is what nobody waited for.
    directory.add_domain(&domain("z.test"), NOW).wait().unwrap();
    let listed = directory.app_passwords(&anna).unwrap();
    assert_eq!(listed[0].last_used, Some(NOW.0 + 100), "noted, and not anew within the hour");
    assert_eq!((listed[1].last_used, listed[1].name.as_str()), (None, "tablet"));
    assert_eq!(serde_json::to_value(&listed[0]).unwrap()["scopes"], serde_json::json!(["imap"]));
    directory.remove_domain(&domain("z.test")).wait().unwrap();
    directory.remove_app_password(&anna, "phone").wait().unwrap();
    assert!(directory.remove_app_password(&anna, "phone").wait().is_err());
    assert_eq!(log_in(&directory, "anna", &phone), Verdict::Denied, "also what was remembered");
    assert_eq!(digest(&directory, DigestKind::CramMd5, "anna", &phone, Service::Imap), Verdict::Denied);
    assert_eq!(
        digest(&directory, DigestKind::CramMd5, "anna", &tablet, Service::Smtp),
        granted("anna@x.test")
    );
    directory.remove_account(&anna).wait().unwrap();
    assert_eq!(add(&directory, "anna@x.test", None), AccountId(2));
    assert_eq!(directory.app_passwords(&anna).unwrap(), []);
}

#[test]
fn wrong_log_ins_are_slowed_in_all_protocols_together() {
    let directory = directory();
    add(&directory, "anna@x.test", Some("right"));
    let wrong = |service, n| {
        let user = "anna".to_owned();
        verdict(directory.answer(&Question::Failed { user }, service, peer(n), at(0)))
    };
    let delays: Vec<u128> = [Service::Smtp, Service::Imap, Service::Pop3, Service::Smtp]
        .map(|service| wrong(service, 1))
        .map(|(verdict, delay)| (verdict == Verdict::Denied).then_some(delay.as_millis()).unwrap())
        .to_vec();
    assert_eq!(delays, [0, 500, 1000, 2000]);
    let right = |n| verdict(directory.answer(&question("", "anna", "right"), Service::Imap, peer(n), at(0)));
    assert_eq!(right(2), (granted("anna@x.test"), Duration::ZERO), "elsewhere nothing is felt");
    assert_eq!(right(1), (granted("anna@x.test"), Duration::from_secs(4)));
    for _ in 0..20 {
        wrong(Service::Imap, 3);
    }
    assert_eq!(wrong(Service::Imap, 3), (Verdict::Unavailable, Duration::ZERO));
    assert_eq!(right(3), (Verdict::Unavailable, Duration::ZERO), "a right guess among many is not told");
    assert_eq!(right(2).0, granted("anna@x.test"));
}

/// An engine that can't be read when the flag is up.
struct Broken(MemoryEngine, AtomicBool);

impl Engine for Broken {
    fn snapshot(&self) -> Result<Box<dyn engine::Snapshot + '_>, engine::Error> {
        if self.1.load(Ordering::SeqCst) { Err(engine::Error::Stopped) } else { self.0.snapshot() }
    }

    fn submit(&self, accounts: &[AccountId], work: engine::Work) -> engine::Commit {
        self.0.submit(accounts, work)
    }

    fn compact(&self, progress: engine::Progress<'_>) -> Result<u64, engine::Error> {
        self.0.compact(progress)
    }

    fn check(&self, progress: engine::Progress<'_>) -> Result<engine::CheckReport, engine::Error> {
        self.0.check(progress)
    }

    fn figures(&self) -> engine::Figures {
        self.0.figures()
    }
}

#[test]
fn trouble_of_the_store_is_no_fault_of_the_peer() {
    let engine = Arc::new(Broken(MemoryEngine::default(), AtomicBool::new(false)));
    let directory =
        Directory::open(engine.clone(), crate::Settings::default(), &SECRET, Arc::new(())).unwrap();
    directory.add_domain(&domain("x.test"), NOW).wait().unwrap();
    add(&directory, "anna@x.test", Some("right"));
    let ask = || verdict(directory.answer(&question("", "anna", "right"), Service::Imap, peer(1), at(0)));
    engine.1.store(true, Ordering::SeqCst);
    for _ in 0..20 {
        assert_eq!(ask(), (Verdict::Unavailable, Duration::ZERO));
    }
    assert!(directory.resolve(&address("anna@x.test")).is_err_and(|error| error.is_transient()));
    engine.1.store(false, Ordering::SeqCst);
    assert_eq!(ask(), (granted("anna@x.test"), Duration::ZERO), "nothing was counted");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever a name looks like, it is answered, and not with an account.
    #[test]
    fn strange_names_are_denied(user in ".{0,80}") {
        thread_local! {
            static DIRECTORY: Directory = directory();
        }
        DIRECTORY.with(|directory| {
            let question = Question::Failed { user: user.clone() };
            prop_assert_eq!(verdict(directory.answer(&question, Service::Pop3, None, at(0))).0, Verdict::Denied);
            let question = Question::ScramKeys { user, hash: ScramHash::Sha1 };
            let (reply, _) = directory.answer(&question, Service::Pop3, None, at(0));
            prop_assert!(matches!(reply, Reply::ScramKeys(keys) if keys.salt.len() == 16));
            Ok(())
        })?;
    }
}
