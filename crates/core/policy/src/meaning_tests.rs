//! Addresses that come back, rules, and what strangers may do with them.

use super::*;
use crate::testing::{Bench, NOW, OUTSIDE, OWN, path, proposed, sender};
use crate::{Policy, Proposed, Role, Room};
use rewriting::{Keys, Rewriting, Rule, Rules};

fn rewriting() -> Rewriting {
    let rule = |from: &str, to: &str| Rule::new(from, to).unwrap();
    Rewriting {
        keys: Keys::new(&[1; 32]),
        recipients: Rules(vec![
            rule("*@old.test", "*@x.test"),
            rule("gone@x.test", "gone@elsewhere.test"),
            rule("*@far.test", "*@further.test"),
        ]),
        ..Rewriting::default()
    }
}

fn bench(rewriting: Rewriting) -> Bench {
    Bench::new(Policy { rewriting, ..Policy::default() })
}

/// What becomes of a recipient: the accounts and addresses, or the code.
fn ask(bench: &Bench, role: (Role, &str), from: &str, to: &str, now: UnixTime) -> String {
    let client = bench.client(role.0, role.1, None);
    let (from, path) = (sender(from), path(to));
    let asked = Proposed { from: &from, now, ..proposed(&path) };
    match bench.decider().recipient(&client, asked, &mut |_| Ok(Room::Enough)).unwrap() {
        Verdict::Accept(taken) => {
            let local = taken.local.iter().map(|target| target.address.to_string());
            local
                .chain(taken.remote.iter().map(|address| format!("->{address}")))
                .collect::<Vec<_>>()
                .join(" ")
        }
        Verdict::Refuse(refusal) => format!("{} {:?}", refusal.code, refusal.enhanced),
    }
}

const STRANGER: (Role, &str) = (Role::Relay, OUTSIDE);

fn later(days: i64) -> UnixTime {
    UnixTime(NOW.0 + days * 86_400)
}

#[test]
fn a_bounce_of_what_was_forwarded_goes_to_its_author() {
    let bench = bench(rewriting());
    let here = Domain::new("x.test").unwrap();
    let author = EmailAddress::parse("author@far.test").unwrap();
    let forwarded = rewriting().forwarded(&author, &here, NOW).address.to_string();
    for from in ["", "postmaster@y.test"] {
        assert_eq!(ask(&bench, STRANGER, from, &forwarded, later(3)), "->author@far.test");
    }
    assert_eq!(ask(&bench, STRANGER, "", &forwarded.to_lowercase(), NOW), "->author@far.test");
    assert_eq!(ask(&bench, STRANGER, "", &forwarded, later(30)), "550 [5, 1, 6]");
    assert_eq!(ask(&bench, STRANGER, "", &forwarded.replace("author", "victim"), NOW), "550 [5, 7, 1]");
    let elsewhere = forwarded.replace("x.test", "y.test");
    assert_eq!(ask(&bench, STRANGER, "", &elsewhere, NOW), "550 [5, 7, 1]", "that domain is not ours");
    // Who has moved here since gets it here.
    let moved = EmailAddress::parse("anna@x.test").unwrap();
    let forwarded = rewriting().forwarded(&moved, &here, NOW).address.to_string();
    assert_eq!(ask(&bench, STRANGER, "", &forwarded, NOW), "anna@x.test");
    // Too long to carry its author, and nobody wrote it down.
    let long = EmailAddress::parse(&format!("{}@far.test", "a".repeat(60))).unwrap();
    let forwarded = rewriting().forwarded(&long, &here, NOW).address.to_string();
    assert_eq!(ask(&bench, STRANGER, "", &forwarded, NOW), "550 [5, 1, 6]");
}

#[test]
fn a_domain_for_srs_alone() {
    let srs_domain = Some(Domain::new("srs.test").unwrap());
    let rewriting = Rewriting { srs_domain, ..rewriting() };
    let author = EmailAddress::parse("author@far.test").unwrap();
    let forwarded = rewriting.forwarded(&author, &Domain::new("x.test").unwrap(), NOW).address.to_string();
    assert!(forwarded.ends_with("@srs.test"));
    let bench = bench(rewriting);
    assert_eq!(ask(&bench, STRANGER, "", &forwarded, NOW), "->author@far.test");
    assert_eq!(ask(&bench, STRANGER, "", "anna@srs.test", NOW), "550 [5, 7, 1]");
}

#[test]
fn signed_senders_hear_their_bounces_and_no_others() {
    let anna = EmailAddress::parse("anna@x.test").unwrap();
    let signed = rewriting().tagged(&anna, NOW).unwrap().to_string();
    for batv in [Batv::Off, Batv::Sign, Batv::Enforce] {
        let bench = bench(Rewriting { batv, ..rewriting() });
        assert_eq!(ask(&bench, STRANGER, "", &signed, later(7)), "anna@x.test");
        assert_eq!(ask(&bench, STRANGER, "", &signed, later(9)), "550 [5, 7, 1]");
        assert_eq!(ask(&bench, STRANGER, "a@y.test", &signed, later(9)), "anna@x.test", "no bounce");
        assert_eq!(ask(&bench, STRANGER, "", &signed.replace("anna", "bert"), NOW), "550 [5, 7, 1]");
        let unasked = if batv == Batv::Enforce { "550 [5, 7, 1]" } else { "anna@x.test" };
        assert_eq!(ask(&bench, STRANGER, "", "anna@x.test", NOW), unasked);
        assert_eq!(ask(&bench, (Role::Relay, OWN), "", "anna@x.test", NOW), "anna@x.test");
        assert_eq!(ask(&bench, STRANGER, "a@y.test", "anna@x.test", NOW), "anna@x.test");
        assert_eq!(ask(&bench, STRANGER, "", "Postmaster@x.test", NOW), "anna@x.test");
        assert_eq!(ask(&bench, STRANGER, "", "nobody@x.test", NOW), "550 [5, 1, 1]");
    }
}

#[test]
fn the_rules_of_the_operator() {
    let bench = bench(rewriting());
    assert_eq!(ask(&bench, STRANGER, "a@y.test", "Anna+tag@old.test", NOW), "anna@x.test");
    assert_eq!(ask(&bench, STRANGER, "a@y.test", "nobody@old.test", NOW), "550 [5, 1, 1]");
    // The domain is ours, so a rule that leads away from it is a forward; of others it makes no relay.
    assert_eq!(ask(&bench, STRANGER, "a@y.test", "gone@x.test", NOW), "->gone@elsewhere.test");
    assert_eq!(ask(&bench, STRANGER, "a@y.test", "who@far.test", NOW), "550 [5, 7, 1]");
    assert_eq!(ask(&bench, (Role::Relay, OWN), "a@y.test", "who@far.test", NOW), "->who@further.test");
}
