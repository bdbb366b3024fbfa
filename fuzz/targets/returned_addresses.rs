//! Addresses that come back: SRS, BATV, the tokens of lists. Nothing that arrives is believed unless it was made here, and
//! what is made here is an address that leads back, whatever the sender's looked like.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Domain, EmailAddress, UnixTime};
use rewriting::{Keys, Purpose, Returned, Rewriting, Rule, Tagged};

const NOW: UnixTime = UnixTime(1_795_262_400);

fn check(rewriting: &Rewriting, stranger: &Rewriting, address: &EmailAddress) {
    // The fuzzer does not know the key, and can't guess 30 bits of a hash; BATV's 24 it might.
    assert!(matches!(stranger.returned(address, NOW), None | Some(Returned::Forged)), "{address}");
    let _ = stranger.untagged(address, NOW);
    let here = Domain::new("here.test").unwrap();
    let made = rewriting.forwarded(address, &here, NOW);
    let printed = EmailAddress::parse(&made.address.to_string()).unwrap();
    assert_eq!(printed, made.address);
    match (rewriting.returned(&printed, NOW), made.kept) {
        (Some(Returned::Kept(token)), Some(kept)) => {
            assert_eq!((token, &kept.original), (kept.token, address))
        }
        // A chain leads back to its first host; it is spelt in capitals then, which is the same to whoever made it.
        (Some(Returned::To(back)), None) => {
            let scheme = address.local.as_str().get(..4).unwrap_or("").to_ascii_lowercase();
            let same = match scheme.as_str() {
                "srs0" => back.to_string().eq_ignore_ascii_case(&address.to_string()),
                scheme => scheme == "srs1" || back == *address,
            };
            assert!(same, "{back} for {address}");
        }
        other => panic!("{other:?} for {address}"),
    }
    if let Some(tagged) = rewriting.tagged(address, NOW) {
        assert_eq!(rewriting.untagged(&tagged, NOW), Some(Tagged::Right(address.clone())));
    }
}

fuzz_target!(|input: &[u8]| {
    let with = |key| Rewriting { keys: Keys::new(&[key; 32]), ..Rewriting::default() };
    let (rewriting, stranger) = (with(1), with(2));
    for line in input.split(|octet| *octet == b'\n').take(20) {
        let Ok(text) = std::str::from_utf8(line) else { continue };
        if let Ok(address) = EmailAddress::parse(text) {
            check(&rewriting, &stranger, &address);
        }
        let opened = rewriting.keys.open(Purpose::Unsubscribe, text, |_: &[u32; 2]| Some(String::new()));
        assert_eq!(opened, None, "{text}");
        if let Some((from, to)) = text.split_once(' ') {
            let _ = Rule::new(from, to);
        }
    }
});
