//! There and back, chains, age, forgery, length.

use super::*;
use proptest::prelude::*;

const NOW: UnixTime = UnixTime(1_795_262_400);
const DAY: i64 = 86_400;

fn rewriting() -> Rewriting {
    Rewriting { keys: Keys::new(&[7; 32]), ..Rewriting::default() }
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn here() -> Domain {
    Domain::new("x.test").unwrap()
}

fn forward(sender: &str) -> EmailAddress {
    let made = rewriting().forwarded(&address(sender), &here(), NOW);
    assert_eq!(made.kept, None, "{sender}");
    made.address
}

fn back(to: &EmailAddress, days: i64) -> Option<Returned> {
    rewriting().returned(to, UnixTime(NOW.0 + days * DAY))
}

#[test]
fn a_sender_is_found_again() {
    for sender in
        ["a@y.test", "A.b+c=d@sub.y.test", "\"a b\"@y.test", "почта@пример.рф", "a@[192.0.2.1]", "1@1"]
    {
        let made = forward(sender);
        assert!(made.local.as_str().starts_with("SRS0=") && made.domain == here(), "{made}");
        assert_eq!(back(&made, 0), Some(Returned::To(address(sender))), "{made}");
        assert_eq!(back(&made, 21), Some(Returned::To(address(sender))));
        assert_eq!(back(&made, 22), Some(Returned::TooOld));
        assert_eq!(back(&made, -1), Some(Returned::To(address(sender))), "a clock that is ahead");
        assert_eq!(back(&made, -2), Some(Returned::TooOld));
    }
}

#[test]
fn a_host_that_folds_the_case_does_no_harm() {
    let made = forward("Anna@y.test").to_string();
    let lower = back(&address(&made.to_lowercase()), 0);
    assert_eq!(lower, Some(Returned::To(address("anna@y.test"))));
    let upper = back(&address(&made.to_uppercase()), 0);
    assert_eq!(upper, Some(Returned::To(address("ANNA@y.test"))));
}

#[test]
fn what_others_forwarded_goes_back_to_the_first_of_them() {
    let first = "SRS0=abcd=ef=y.test=a@one.test";
    let second = forward(first);
    assert!(second.to_string().ends_with("=one.test==abcd=ef=y.test=a@x.test"), "{second}");
    assert_eq!(back(&second, 400), Some(Returned::To(address(first))));
    // As a second forwarder elsewhere has it: the way back passes it over.
    let third = forward("SRS1=zzzz=one.test==abcd=ef=y.test=a@two.test");
    assert_eq!(back(&third, 0), Some(Returned::To(address(first))));
    let plus = forward("SRS0+abcd=ef=y.test=a@one.test");
    assert_eq!(back(&plus, 0), Some(Returned::To(address("SRS0+abcd=ef=y.test=a@one.test"))));
    // Whatever only looks so.
    for odd in ["srs0=@one.test", "SRS1=@one.test", "SRS1=a@one.test", "SRS0a=b@one.test", "srs@one.test"] {
        assert_eq!(back(&forward(odd), 0), Some(Returned::To(address(odd))), "{odd}");
    }
}

#[test]
fn forged_ones_are_known() {
    let made = forward("a@y.test").to_string();
    let other = Rewriting { keys: Keys::new(&[8; 32]), ..Rewriting::default() };
    assert_eq!(other.returned(&address(&made), NOW), Some(Returned::Forged));
    for forged in [
        made.replace("y.test", "z.test"),
        made.replace("=a@", "=b@"),
        "SRS0=aaaaaa=aa=y.test=a@x.test".into(),
        "SRS1=aaaaaa=y.test==a@x.test".into(),
        "SRS0=@x.test".into(),
        "SRS0=a@x.test".into(),
        "SRS1=a=b@x.test".into(),
        // The hash of one kind is none of the other.
        made.replace("SRS0", "SRS1"),
    ] {
        assert_eq!(back(&address(&forged), 0), Some(Returned::Forged), "{forged}");
    }
    for plain in ["srs@x.test", "srs0@x.test", "srs2=a@x.test", "srsé=a@x.test", "a@x.test"] {
        assert_eq!(back(&address(plain), 0), None, "{plain}");
    }
}

#[test]
fn long_ones_are_kept() {
    let long = address("bounces+1234567-abcd-anna=example.org@em1234.mail.sender.test");
    let made = rewriting().forwarded(&long, &here(), NOW);
    let kept = made.kept.expect("too long to stand in it");
    assert!(made.address.local.as_str().len() <= 64 && kept.original == long);
    assert_eq!(back(&made.address, 0), Some(Returned::Kept(kept.token)));
    assert_eq!(back(&made.address, 22), Some(Returned::TooOld));
    assert_eq!(back(&address(&made.address.to_string().to_lowercase()), 0), Some(Returned::Kept(kept.token)));
}

#[test]
fn what_only_looks_like_a_chain_goes_as_any_other() {
    // The first forwarder of this one is no domain: chained, it would lead nowhere (found by fuzzing).
    for odd in ["SRS1=abcdef=one&test==ab=cd=y.test=a@here.test", "SRS1=a==b=c@x.test", "srs1=a=b=@x.test"] {
        let odd = address(odd);
        let made = rewriting().forwarded(&odd, &here(), NOW);
        assert_eq!((back(&made.address, 0), made.kept), (Some(Returned::To(odd)), None));
    }
}

#[test]
fn the_operator_may_name_the_domain() {
    let rewriting = Rewriting { srs_domain: Some(Domain::new("srs.x.test").unwrap()), ..rewriting() };
    let made = rewriting.forwarded(&address("a@y.test"), &here(), NOW);
    assert_eq!(made.address.domain.as_str(), "srs.x.test");
}

proptest! {
    #[test]
    fn any_sender_is_found_again(local in "[a-zA-Z0-9=+_.é-]{1,40}", domain in "[a-z]{1,10}(\\.[a-z]{2,10}){0,2}") {
        let sender = EmailAddress { local: LocalPart::new(&local).unwrap(), domain: Domain::new(&domain).unwrap() };
        let made = rewriting().forwarded(&sender, &here(), NOW);
        let wanted = match made.kept {
            Some(kept) => Returned::Kept(kept.token),
            None => Returned::To(sender.clone()),
        };
        let printed = address(&made.address.to_string());
        // A chain leads back to its first host, any other address to itself.
        if scheme(&local) != Some("srs1") {
            prop_assert_eq!(rewriting().returned(&printed, NOW), Some(wanted));
        }
    }

    #[test]
    fn no_local_part_is_too_odd(local in "(SRS[01][=+-])?[a-zA-Z0-9=+ é-]{1,50}") {
        if let Ok(local) = LocalPart::new(&local) {
            rewriting().returned(&EmailAddress { local, domain: here() }, NOW);
        }
    }
}
