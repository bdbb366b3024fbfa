//! What records in DNS say of a certificate: its key (TLSA, RFC 6698 §2.1) and who issued it (CAA, RFC 8659).

use crate::der;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// Facts of one certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFacts {
    /// SHA-256 of its subjectPublicKeyInfo: what `3 1 1` in a TLSA record means.
    pub key_sha256: [u8; 32],
    /// The texts in its issuer's name (organisation, common name), with spaces between them.
    pub issuer: String,
}

impl CertificateFacts {
    /// Reads the first certificate of a PEM file.
    ///
    /// # Errors
    /// A sentence: the file can't be read, or holds no certificate.
    pub fn read(path: &Path) -> Result<CertificateFacts, String> {
        let certificate = CertificateDer::from_pem_file(path).map_err(|error| error.to_string())?;
        CertificateFacts::of(&certificate)
            .ok_or_else(|| format!("{}: this is no certificate", path.display()))
    }

    fn of(certificate: &[u8]) -> Option<CertificateFacts> {
        let (key, issuer) = der::key_and_issuer(certificate)?;
        Some(CertificateFacts {
            key_sha256: Sha256::digest(key).into(),
            issuer: der::texts_of_name(issuer).join(" "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_our_own_certificate() {
        let dir = tempfile::tempdir().unwrap();
        crate::self_signed_authority(dir.path(), &["mx.x.test".to_owned()]).unwrap();
        let facts = CertificateFacts::read(&dir.path().join("server.pem")).unwrap();
        assert_eq!(facts.issuer, "Troika CA of mx.x.test");
        let key = rcgen::KeyPair::from_pem(&std::fs::read_to_string(dir.path().join("server.key")).unwrap())
            .unwrap();
        use rcgen::PublicKeyData as _;
        let wanted: [u8; 32] = Sha256::digest(key.subject_public_key_info()).into();
        assert_eq!(facts.key_sha256, wanted);
        assert!(CertificateFacts::read(&dir.path().join("none.pem")).is_err());
        assert!(CertificateFacts::read(&dir.path().join("server.key")).is_err());
    }
}
