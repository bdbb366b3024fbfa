//! A certificate authority of our own for servers that have no certificate yet.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The generator refused.
    #[error("the certificate can't be made: {0}")]
    Make(#[from] rcgen::Error),
    /// A file can't be written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
}

/// Makes, where there is none yet, a CA (`ca.pem`) and under it a certificate for `names` (`server.pem`,
/// `server.key`) in `dir`. People import the CA file once; the key of the CA is not kept.
///
/// # Errors
/// When files can't be written or a name can't stand in a certificate.
pub fn self_signed_authority(dir: &Path, names: &[String]) -> Result<(), CertificateError> {
    let (ca_file, certificate_file, key_file) =
        (dir.join("ca.pem"), dir.join("server.pem"), dir.join("server.key"));
    if certificate_file.exists() && key_file.exists() {
        return Ok(());
    }
    let year = 365 * 24 * 3600;
    let today = time::OffsetDateTime::now_utc();
    let mut ca = CertificateParams::new(Vec::<String>::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, format!("Troika CA of {}", names[0]));
    ca.not_before = today - time::Duration::days(1);
    ca.not_after = today + time::Duration::seconds(10 * year);
    let ca_key = KeyPair::generate()?;
    let ca_certificate = ca.self_signed(&ca_key)?;
    let issuer = Issuer::new(ca, ca_key);

    let mut server = CertificateParams::new(names.to_vec())?;
    server.distinguished_name.push(DnType::CommonName, names[0].clone());
    server.not_before = today - time::Duration::days(1);
    // Apple's clients refuse server certificates that are valid for more than 825 days.
    server.not_after = today + time::Duration::days(820);
    server.use_authority_key_identifier_extension = true;
    server.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let server_key = KeyPair::generate()?;
    let server_certificate = server.signed_by(&server_key, &issuer)?;

    write(&ca_file, &ca_certificate.pem(), 0o644)?;
    write(&key_file, &server_key.serialize_pem(), 0o600)?;
    write(&certificate_file, &(server_certificate.pem() + &ca_certificate.pem()), 0o644)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), CertificateError> {
    let attempt = || {
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    attempt().map_err(|error| CertificateError::File { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::names_of;
    use crate::tls::{CertificateFiles, Tls};

    #[test]
    fn the_made_certificate_loads_and_names_its_host() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["mail.example.test".to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()];
        self_signed_authority(dir.path(), &names).unwrap();
        let files = CertificateFiles {
            certificate: dir.path().join("server.pem"),
            key: dir.path().join("server.key"),
        };
        let tls = Tls::load(std::slice::from_ref(&files)).unwrap();
        tls.reload(&[files]).unwrap();
        let pem = std::fs::read(dir.path().join("server.pem")).unwrap();
        let der =
            <rustls_pki_types::CertificateDer<'_> as rustls_pki_types::pem::PemObject>::from_pem_slice(&pem)
                .unwrap();
        assert_eq!(names_of(&der), ["mail.example.test", "localhost"]);
    }
}
