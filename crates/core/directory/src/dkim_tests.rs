use super::*;
use crate::testing::{NOW, directory, domain};

fn pkcs8(seed: u8) -> Vec<u8> {
    ::dkim::ed25519_pkcs8(&[seed; 32]).to_vec()
}

fn add(directory: &Directory, name: &str, selector: &str, seed: u8) -> DkimKey {
    directory.add_dkim_key(&domain(name), selector, &pkcs8(seed), NOW).wait().unwrap()
}

fn sign_with(directory: &Directory, name: &str, selector: &str) {
    directory.set_dkim_state(&domain(name), selector, DkimState::Signing, NOW).wait().unwrap();
}

/// Domain and selectors that sign for an author at `name`.
fn signers(directory: &Directory, name: &str) -> Option<(String, Vec<String>)> {
    let keys = directory.domain_keys(&domain(name)).unwrap()?;
    let selectors = keys.signers().iter().map(|signer| signer.selector.to_owned()).collect();
    Some((keys.domain().to_string(), selectors))
}

#[test]
fn a_key_signs_from_the_moment_it_is_told_to() {
    let directory = directory();
    assert_eq!(signers(&directory, "x.test"), None);
    let key = add(&directory, "x.test", "S1", 1);
    assert_eq!((key.name.as_str(), key.kind.as_str(), key.bits), ("s1._domainkey.x.test", "ed25519", 256));
    assert_eq!(key.state, DkimState::Waiting);
    assert_eq!(signers(&directory, "x.test"), None, "its record may not be published yet");
    sign_with(&directory, "x.test", "s1");
    assert_eq!(signers(&directory, "x.test"), Some(("x.test".into(), vec!["s1".into()])));
    // The next one takes over, and the first one's record is still shown.
    add(&directory, "x.test", "s2", 2);
    sign_with(&directory, "x.test", "s2");
    assert_eq!(signers(&directory, "x.test"), Some(("x.test".into(), vec!["s2".into()])));
    let states: Vec<DkimState> =
        directory.dkim_keys(None).unwrap().into_iter().map(|key| key.state).collect();
    assert_eq!(states, [DkimState::Retired, DkimState::Signing]);
    directory.remove_dkim_key(&domain("x.test"), "s2").wait().unwrap();
    assert_eq!(signers(&directory, "x.test"), None);
}

#[test]
fn the_closest_domain_of_ours_signs() {
    let directory = directory();
    add(&directory, "x.test", "s", 1);
    sign_with(&directory, "x.test", "s");
    let wanted = Some(("x.test".to_owned(), vec!["s".to_owned()]));
    assert_eq!(signers(&directory, "mail.x.test"), wanted);
    assert_eq!(signers(&directory, "a.b.x.test"), wanted);
    for other in ["y.test", "xx.test", "test", "x.test.y.test"] {
        assert_eq!(signers(&directory, other), None, "{other}");
    }
    // One below that has keys of its own.
    directory.add_domain(&domain("mail.x.test"), NOW).wait().unwrap();
    assert_eq!(signers(&directory, "mail.x.test"), wanted);
    add(&directory, "mail.x.test", "m", 2);
    sign_with(&directory, "mail.x.test", "m");
    assert_eq!(signers(&directory, "mail.x.test"), Some(("mail.x.test".into(), vec!["m".into()])));
}

#[test]
fn rsa_and_ed25519_sign_side_by_side() {
    let directory = directory();
    let mut state = 1_u64;
    let rsa = ::dkim::rsa_pkcs8(2048, &mut |octets| {
        for octet in octets {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *octet = (state >> 56) as u8;
        }
    });
    add(&directory, "x.test", "a", 1);
    directory.add_dkim_key(&domain("x.test"), "b", &rsa, NOW).wait().unwrap();
    sign_with(&directory, "x.test", "a");
    sign_with(&directory, "x.test", "b");
    let wanted = Some(("x.test".to_owned(), vec!["b".to_owned(), "a".to_owned()]));
    assert_eq!(signers(&directory, "x.test"), wanted, "RSA first");
}

#[test]
fn what_is_wrong_is_refused() {
    let directory = directory();
    let fails = |name: &str, selector: &str, key: &[u8]| {
        directory.add_dkim_key(&domain(name), selector, key, NOW).wait().unwrap_err()
    };
    for bad in ["", "a b", "a..b", "-a", "a-", "é", "a;b"] {
        assert!(matches!(fails("x.test", bad, &pkcs8(1)), Error::BadName { .. }), "{bad:?}");
    }
    assert!(matches!(fails("y.test", "s", &pkcs8(1)), Error::Missing(_)));
    assert!(matches!(fails("x.test", "s", b"junk"), Error::BadName { .. }));
    add(&directory, "x.test", "s.2026", 1);
    assert!(matches!(fails("x.test", "S.2026", &pkcs8(1)), Error::Exists(_)));
    let set = directory.set_dkim_state(&domain("x.test"), "t", DkimState::Signing, NOW).wait();
    assert!(matches!(set, Err(Error::Missing(_))));
    for n in 1..KEYS_MAX {
        add(&directory, "x.test", &format!("k{n}"), 1);
    }
    assert!(matches!(fails("x.test", "more", &pkcs8(1)), Error::TooMany(_)));
}

#[test]
fn keys_are_sealed_and_go_with_their_domain() {
    let engine = Arc::new(engine::MemoryEngine::default());
    let open = |secret: &[u8; 32]| {
        Directory::open(engine.clone(), crate::Settings::default(), secret, Arc::new(())).unwrap()
    };
    let directory = open(&[1; 32]);
    directory.add_domain(&domain("x.test"), NOW).wait().unwrap();
    add(&directory, "x.test", "s", 0x77);
    sign_with(&directory, "x.test", "s");
    let snapshot = engine::Engine::snapshot(&*engine).unwrap();
    let place = keys::dkim_key(&domain("x.test"), "s");
    let stored = record::load::<DkimRecord>(&*snapshot, &place, "").unwrap().unwrap();
    assert!(!stored.sealed.windows(8).any(|part| part == [0x77; 8]));
    assert!(open(&[2; 32]).domain_keys(&domain("x.test")).is_err(), "another secret opens nothing");
    assert!(open(&[1; 32]).domain_keys(&domain("x.test")).unwrap().is_some());
    directory.remove_domain(&domain("x.test")).wait().unwrap();
    directory.add_domain(&domain("x.test"), NOW).wait().unwrap();
    assert!(directory.dkim_keys(None).unwrap().is_empty());
}
