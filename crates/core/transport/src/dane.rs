//! DANE for SMTP: which TLSA records count, and whether a certificate is the one that a record means (RFC 6698 §2.1,
//! RFC 7671, RFC 7672 §2.2 and §3.1). Pure: the certificates are octets.

use model::Tlsa;
use sha2::{Digest, Sha256, Sha512};

/// A record names the server's own certificate (RFC 7218).
pub const DANE_EE: u8 = 3;
/// A record names an authority above the server's certificate (RFC 7218).
pub const DANE_TA: u8 = 2;
/// Records of one host that are looked at.
const RECORDS_MAX: usize = 64;

/// What a host's TLSA records demand (RFC 7672 §2.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dane {
    /// There are none, or not securely: DANE says nothing about this host.
    Absent,
    /// There are some, and none is usable: TLS is demanded, without authentication.
    Unusable,
    /// The certificate has to match one of these.
    Usable(Vec<Tlsa>),
}

impl Dane {
    /// Sorts out securely obtained records.
    pub fn of(records: Vec<Tlsa>) -> Dane {
        if records.is_empty() {
            return Dane::Absent;
        }
        let mut usable: Vec<Tlsa> = records.into_iter().take(RECORDS_MAX).filter(is_usable).collect();
        // RFC 7671 §9, digest algorithm agility: beside a stronger digest for the same usage and selector the weaker one
        // does not count.
        let strong: Vec<(u8, u8)> = usable
            .iter()
            .filter(|record| record.matching == 2)
            .map(|record| (record.usage, record.selector))
            .collect();
        usable.retain(|record| record.matching != 1 || !strong.contains(&(record.usage, record.selector)));
        if usable.is_empty() { Dane::Unusable } else { Dane::Usable(usable) }
    }
}

/// RFC 7672 §3.1.3: usages 0 and 1 are treated as unusable; so is everything that this program does not know, and a digest
/// of a wrong length, which nothing can match (RFC 6698 §4.1: "unusable" then, not a failure).
fn is_usable(record: &Tlsa) -> bool {
    matches!(record.usage, DANE_TA | DANE_EE)
        && record.selector <= 1
        && match record.matching {
            0 => !record.data.is_empty(),
            1 => record.data.len() == 32,
            2 => record.data.len() == 64,
            _ => false,
        }
}

/// Whether `record` means this certificate: the whole of it, or its subjectPublicKeyInfo, both in DER.
pub fn matches(record: &Tlsa, certificate: &[u8], public_key: &[u8]) -> bool {
    let selected = match record.selector {
        0 => certificate,
        1 => public_key,
        _ => return false,
    };
    match record.matching {
        0 => record.data == selected,
        1 => record.data == Sha256::digest(selected).as_slice(),
        2 => record.data == Sha512::digest(selected).as_slice(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(usage: u8, selector: u8, matching: u8, data: &[u8]) -> Tlsa {
        Tlsa { usage, selector, matching, data: data.to_vec() }
    }

    #[test]
    fn selectors_and_digests_are_those_of_the_record() {
        let (certificate, key) = (b"certificate".as_slice(), b"key".as_slice());
        for (selector, octets) in [(0, certificate), (1, key)] {
            assert!(matches(&record(3, selector, 0, octets), certificate, key));
            assert!(matches(&record(3, selector, 1, &Sha256::digest(octets)), certificate, key));
            assert!(matches(&record(3, selector, 2, &Sha512::digest(octets)), certificate, key));
            assert!(!matches(&record(3, 1 - selector, 1, &Sha256::digest(octets)), certificate, key));
            assert!(!matches(&record(3, selector, 2, &Sha256::digest(octets)), certificate, key));
        }
        assert!(!matches(&record(3, 2, 0, certificate), certificate, key));
        assert!(!matches(&record(3, 0, 3, certificate), certificate, key));
    }

    #[test]
    fn what_is_unusable_demands_encryption_and_nothing_demands_nothing() {
        assert_eq!(Dane::of(Vec::new()), Dane::Absent);
        for bad in [
            record(0, 0, 1, &[7; 32]),
            record(1, 1, 1, &[7; 32]),
            record(4, 1, 1, &[7; 32]),
            record(3, 2, 1, &[7; 32]),
            record(3, 1, 3, &[7; 32]),
            record(3, 1, 1, &[7; 31]),
            record(3, 1, 2, &[7; 32]),
            record(2, 0, 0, &[]),
        ] {
            assert_eq!(Dane::of(vec![bad.clone()]), Dane::Unusable, "{bad:?}");
            let good = record(3, 1, 1, &[8; 32]);
            assert_eq!(Dane::of(vec![bad, good.clone()]), Dane::Usable(vec![good]));
        }
    }

    #[test]
    fn the_stronger_digest_rules_within_its_usage_and_selector() {
        let (weak, strong) = (record(3, 1, 1, &[1; 32]), record(3, 1, 2, &[2; 64]));
        let (other, full) = (record(2, 0, 1, &[3; 32]), record(3, 1, 0, b"whole"));
        let Dane::Usable(kept) = Dane::of(vec![weak, strong.clone(), other.clone(), full.clone()]) else {
            panic!()
        };
        assert_eq!(kept, [strong, other, full]);
    }

    proptest! {
        #[test]
        fn any_record_is_sorted_out(usage: u8, selector: u8, matching: u8, data: Vec<u8>, certificate: Vec<u8>) {
            let record = record(usage, selector, matching, &data);
            let hit = matches(&record, &certificate, &certificate);
            if let Dane::Usable(_) = Dane::of(vec![record]) {
                prop_assert!(matching != 0 || hit == (data == certificate));
            }
        }
    }
}
