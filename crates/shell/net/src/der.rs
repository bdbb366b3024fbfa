//! What is read from certificates beside what rustls does: names, addresses, the hash of a signature. No panic on any
//! octets, and no more than a certificate's own length of work.

use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The OID 2.5.29.17, subjectAltName.
const ALT_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
/// The OID 2.5.4.3, commonName.
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];

/// The DNS names a certificate is for, in lower case.
///
/// rustls offers the check of one name, not the list, so the list is read from the subjectAltName extension
/// (RFC 5280 §4.2.1.6): after its OID an OCTET STRING holds a SEQUENCE whose elements with tag [2] are names.
pub(crate) fn names_of(der: &CertificateDer<'_>) -> Vec<String> {
    alternative(der, 0x82).map(|name| name.to_ascii_lowercase()).collect()
}

/// The addresses that a client's certificate stands for: those of its subjectAltName (rfc822Name, tag [1]), or, without
/// any, a common name that is one.
pub(crate) fn addresses_of(der: &CertificateDer<'_>) -> Vec<String> {
    // RFC 5280 §4.2.1.6: a whole address. Without a domain it would mean an account of the default domain.
    let addresses: Vec<String> = alternative(der, 0x81).filter(|address| address.contains('@')).collect();
    if !addresses.is_empty() {
        return addresses;
    }
    common_name(der).filter(|name| name.contains('@')).into_iter().collect()
}

/// Elements of the subjectAltName with this tag.
fn alternative(der: &[u8], wanted: u8) -> impl Iterator<Item = String> {
    let mut entries = alternatives(der).unwrap_or_default();
    std::iter::from_fn(move || {
        loop {
            let (tag, value, after) = element(entries)?;
            entries = after;
            if tag == wanted
                && let Ok(name) = std::str::from_utf8(value)
            {
                return Some(name.to_owned());
            }
        }
    })
}

/// The GeneralNames of the subjectAltName. Its place is found by the structure: whoever has a key certified chooses the
/// octets of that key, and much of his name, and could write another extension there for a search to find.
fn alternatives(der: &[u8]) -> Option<&[u8]> {
    let mut fields = to_be_signed(der)?;
    // extensions [3] EXPLICIT SEQUENCE
    let wrapped = loop {
        match element(fields)? {
            (0xa3, value, _) => break value,
            (_, _, after) => fields = after,
        }
    };
    let (0x30, mut extensions, _) = element(wrapped)? else { return None };
    loop {
        let (0x30, extension, after) = element(extensions)? else { return None };
        extensions = after;
        let Some(rest) = extension.strip_prefix(ALT_NAME) else { continue };
        // An optional `critical` BOOLEAN stands before the OCTET STRING.
        let rest = if rest.first() == Some(&0x01) { element(rest)?.2 } else { rest };
        let (0x04, octets, _) = element(rest)? else { return None };
        let (0x30, entries, _) = element(octets)? else { return None };
        return Some(entries);
    }
}

/// The subject's common name.
fn common_name(der: &[u8]) -> Option<String> {
    let mut rest = to_be_signed(der)?;
    if rest.first() == Some(&0xa0) {
        rest = element(rest)?.2;
    }
    // serialNumber, signature, issuer, validity
    for _ in 0..4 {
        rest = element(rest)?.2;
    }
    let (0x30, mut subject, _) = element(rest)? else { return None };
    // A sequence of sets of pairs; found by the structure, as above.
    loop {
        let (0x31, mut set, after) = element(subject)? else { return None };
        subject = after;
        while let Some((0x30, pair, after)) = element(set) {
            set = after;
            let Some(value) = pair.strip_prefix(COMMON_NAME) else { continue };
            let (0x0c | 0x13 | 0x16, text, _) = element(value)? else { return None };
            return std::str::from_utf8(text).ok().map(str::to_owned);
        }
    }
}

/// The fields of a certificate (RFC 5280 §4.1: version, serialNumber, signature, issuer, validity, subject,
/// subjectPublicKeyInfo, extensions).
fn to_be_signed(der: &[u8]) -> Option<&[u8]> {
    let (0x30, certificate, _) = element(der)? else { return None };
    let (0x30, fields, _) = element(certificate)? else { return None };
    Some(fields)
}

/// The subjectPublicKeyInfo with its tag and length, as TLSA records mean it (RFC 6698 §2.1.2), and the content of the
/// issuer's name.
pub(crate) fn key_and_issuer(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = to_be_signed(der)?;
    if rest.first() == Some(&0xa0) {
        rest = element(rest)?.2;
    }
    // serialNumber, signature
    for _ in 0..2 {
        rest = element(rest)?.2;
    }
    let (0x30, issuer, rest) = element(rest)? else { return None };
    // validity, subject
    let rest = element(element(rest)?.2)?.2;
    let (0x30, _, after) = element(rest)? else { return None };
    Some((&rest[..rest.len() - after.len()], issuer))
}

/// The texts in a name (its content: a sequence of sets of pairs), as far as they are UTF-8.
pub(crate) fn texts_of_name(mut name: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some((0x31, mut set, after)) = element(name) {
        name = after;
        while let Some((0x30, pair, after)) = element(set) {
            set = after;
            let value = element(pair).and_then(|(_, _, value)| element(value));
            // UTF8String, PrintableString, IA5String
            if let Some((0x0c | 0x13 | 0x16, text, _)) = value {
                texts.extend(std::str::from_utf8(text).map(str::to_owned));
            }
        }
    }
    texts
}

/// The content of a SEQUENCE that is all of `der`.
pub(crate) fn sequence(der: &[u8]) -> Option<&[u8]> {
    match element(der)? {
        (0x30, content, []) => Some(content),
        _ => None,
    }
}

/// The subject's common name, in lower case: counts as a host only where no alternative names one (RFC 6125 §6.4.4).
pub(crate) fn common_name_of(der: &CertificateDer<'_>) -> Option<String> {
    common_name(der).map(|name| name.to_ascii_lowercase())
}

/// The certificate's hash for tls-server-end-point (RFC 5929 §4.1): with the hash of its own signature, SHA-256 in place
/// of MD5 and SHA-1. None where that signature has no single hash (Ed25519, RSA-PSS).
pub(crate) fn end_point(der: &CertificateDer<'_>) -> Option<Vec<u8>> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA_SHA2: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
    let (_, certificate, _) = element(der)?;
    let (_, _, rest) = element(certificate)?;
    let (0x30, algorithm, _) = element(rest)? else { return None };
    let (0x06, oid, _) = element(algorithm)? else { return None };
    let (last, family) = oid.split_last()?;
    match (family, last) {
        // md5WithRSA, sha1WithRSA, sha256WithRSA; ecdsa-with-SHA256
        (RSA, 4 | 5 | 11) | (ECDSA_SHA2, 2) => Some(Sha256::digest(der).to_vec()),
        (RSA, 12) | (ECDSA_SHA2, 3) => Some(Sha384::digest(der).to_vec()),
        (RSA, 13) | (ECDSA_SHA2, 4) => Some(Sha512::digest(der).to_vec()),
        _ => None,
    }
}

/// One DER element: tag, content, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?), &rest[2..]),
        _ => return None,
    };
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P384_SHA384, SanType};

    fn certificate(common_name: &str, alternatives: Vec<SanType>) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.subject_alt_names = alternatives;
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn addresses_are_those_of_the_alternative_names_or_the_common_name() {
        let address = |text: &str| SanType::Rfc822Name(text.try_into().unwrap());
        let host = SanType::DnsName("a.test".try_into().unwrap());
        let both = certificate("c@x.test", vec![host.clone(), address("a@x.test"), address("b@x.test")]);
        assert_eq!(addresses_of(&both), ["a@x.test", "b@x.test"]);
        assert_eq!(names_of(&both), ["a.test"]);
        assert_eq!(addresses_of(&certificate("c@x.test", vec![host])), ["c@x.test"]);
        assert!(addresses_of(&certificate("Anna", vec![])).is_empty());
    }

    #[test]
    fn what_looks_like_an_extension_in_somebodys_name_or_key_is_none() {
        // In a BMPString any octets can stand, as in the modulus of an RSA key.
        let planted = |octets: &[u8]| {
            let name = rcgen::string::BmpString::from_utf16be(octets.to_vec()).unwrap();
            let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
            params.distinguished_name.push(DnType::OrganizationName, rcgen::DnValue::BmpString(name));
            params
        };
        let signed = |params: CertificateParams| {
            params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
        };
        let alternative = b"\x06\x03\x55\x1d\x11\x04\x0c\x30\x0a\x81\x08v@x.test\0";
        let mut params = planted(alternative);
        params.subject_alt_names = vec![SanType::Rfc822Name("a@x.test".try_into().unwrap())];
        assert_eq!(addresses_of(&signed(params)), ["a@x.test"]);
        assert!(addresses_of(&signed(planted(alternative))).is_empty());
        let mut params = planted(b"\x06\x03\x55\x04\x03\x0c\x08v@x.test\0");
        params.distinguished_name.push(DnType::CommonName, "c@x.test");
        assert_eq!(addresses_of(&signed(params)), ["c@x.test"]);
    }

    #[test]
    fn an_address_without_domain_is_none() {
        let bare = SanType::Rfc822Name("postmaster".try_into().unwrap());
        assert!(addresses_of(&certificate("Anna", vec![bare])).is_empty());
    }

    #[test]
    fn the_end_point_is_hashed_as_it_is_signed() {
        let small = certificate("x", vec![]);
        assert_eq!(end_point(&small), Some(Sha256::digest(&small).to_vec()));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let large = CertificateParams::new(vec!["x".to_owned()]).unwrap().self_signed(&key).unwrap();
        assert_eq!(end_point(large.der()), Some(Sha384::digest(large.der()).to_vec()));
    }

    #[test]
    fn no_octets_make_it_panic() {
        let whole = certificate("c@x.test", vec![]).to_vec();
        for cut in 0..whole.len() {
            for der in [whole[..cut].to_vec(), whole[cut..].to_vec(), {
                let mut other = whole.clone();
                other[cut] ^= 0xff;
                other
            }] {
                let der = CertificateDer::from(der);
                let _ = (addresses_of(&der), names_of(&der), end_point(&der), key_and_issuer(&der));
            }
        }
    }
}
