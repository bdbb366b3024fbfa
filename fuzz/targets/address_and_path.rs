//! Addresses: those of SMTP and of accounts (RFC 5321, 6531, IDNA, PRECIS), and address lists of headers (RFC 5322).
//! What was accepted prints to something that is accepted again and is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mime::address::ADDRESSES_MAX;
use model::{Domain, EmailAddress, LocalPart};

fn check_text(text: &str) {
    if let Ok(address) = EmailAddress::parse(text) {
        let printed = address.to_string();
        assert!(!printed.chars().any(char::is_control), "{printed:?}");
        let again = EmailAddress::parse(&printed).unwrap_or_else(|error| panic!("{printed:?}: {error}"));
        assert_eq!(again, address);
        assert_eq!(again.to_string(), printed);
        assert_eq!(address.needs_utf8(), !address.local.as_str().is_ascii());
    }
    if let Ok(domain) = Domain::new(text) {
        assert!(Domain::new(domain.as_str()).is_ok_and(|again| again == domain), "{domain}");
        let ascii = domain.to_ascii();
        assert!(ascii.is_ascii() && ascii.len() <= 255, "{ascii:?}");
        assert!(Domain::new(&ascii).is_ok_and(|again| again == domain), "{domain} is {ascii}");
    }
    if let Ok(local) = LocalPart::new(text) {
        assert!(LocalPart::new(local.as_str()).is_ok_and(|again| again == local), "{:?}", local.as_str());
    }
    // The names of log-ins.
    if let Ok(name) = sasl::prepare(text) {
        assert!(sasl::prepare(&name).is_ok_and(|again| again == name), "{name:?}");
    }
}

fn check_list(value: &[u8]) {
    let mut octets = 0;
    for address in mime::Addresses::new(value).take(2 * ADDRESSES_MAX) {
        octets += format!("{address:?}").len().min(1);
    }
    assert!(octets <= value.len() + 1 && octets <= ADDRESSES_MAX);
}

fuzz_target!(|input: &[u8]| {
    check_list(input);
    for line in input.split(|octet| *octet == b'\n').take(20) {
        if let Ok(text) = std::str::from_utf8(line) {
            check_text(text);
        }
    }
});
