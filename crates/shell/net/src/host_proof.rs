//! Whether the certificate of a host that we connect to proves what is demanded ([`transport::Demand`]): by a known
//! authority and name (RFC 6125, RFC 8461 §4.2), or by TLSA records (RFC 7672 §3). A demand that is not enforced lets the
//! handshake go on and notes what would have failed, so that nobody has to connect twice.

use crate::client_tls::ClientTls;
use crate::der;
use crate::tls::TlsError;
use model::Tlsa;
use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use std::fmt;
use std::sync::Arc;
use transport::dane::{self, DANE_TA};
use transport::{Demand, Force, Proof};

/// Certificates of a chain that are looked at: a host can't make us compare for long.
const CHAIN_MAX: usize = 10;

/// Why a certificate does not prove the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// It is for other names.
    OtherHost,
    /// Its time is over, or has not come.
    Expired,
    /// No known authority signed it.
    NotTrusted,
    /// No TLSA record means it.
    NoTlsaMatch,
    /// It can't be read, or the host does not have its key.
    Broken,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mismatch::OtherHost => "the host's certificate is for other names",
            Mismatch::Expired => "the host's certificate has expired or is not valid yet",
            Mismatch::NotTrusted => "no known authority signed the host's certificate",
            Mismatch::NoTlsaMatch => "the host's certificate is none that its TLSA records mean",
            Mismatch::Broken => "the host's certificate can't be used",
        })
    }
}

impl std::error::Error for Mismatch {}

/// What the certificate proved; None before the handshake came to it.
pub type Verdict = Option<Result<(), Mismatch>>;

/// A demand, ready for one connection.
pub struct HostProof {
    verdict: Arc<Mutex<Verdict>>,
    tls: ClientTls,
}

impl HostProof {
    /// Prepares the check of `demand`.
    ///
    /// # Errors
    /// TLS can't be set up.
    pub fn new(demand: &Demand, authorities: &Arc<RootCertStore>) -> Result<HostProof, TlsError> {
        let verdict = Arc::new(Mutex::new(None));
        let verifier = Verifier {
            proof: demand.proof.clone(),
            names: demand.names.clone(),
            force: demand.force,
            authorities: authorities.clone(),
            provider: Arc::new(rustls::crypto::ring::default_provider()),
            verdict: verdict.clone(),
        };
        // A configuration of its own also means that no session is resumed for which nothing was checked.
        Ok(HostProof { tls: ClientTls::with(Arc::new(verifier))?, verdict })
    }

    /// The handshake.
    pub fn tls(&self) -> &ClientTls {
        &self.tls
    }

    /// What came out.
    pub fn verdict(&self) -> Verdict {
        *self.verdict.lock()
    }
}

/// The authorities that this system trusts (SSL_CERT_FILE and SSL_CERT_DIR say otherwise where they are set). May be
/// empty, where a system has none: then no certificate is by a known authority.
pub fn system_authorities() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some of the system's certificate authorities can't be read");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    roots
}

#[derive(Debug)]
struct Verifier {
    proof: Proof,
    names: Vec<String>,
    force: Force,
    authorities: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    verdict: Arc<Mutex<Verdict>>,
}

impl Verifier {
    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Mismatch> {
        let intermediates = &intermediates[..intermediates.len().min(CHAIN_MAX)];
        match &self.proof {
            Proof::Nothing => Ok(()),
            Proof::Authority => self.chain(end_entity, intermediates, &self.authorities, now),
            Proof::Dane(records) => {
                let mut why = Mismatch::NoTlsaMatch;
                for record in records {
                    match self.tlsa(record, end_entity, intermediates, now) {
                        Ok(()) => return Ok(()),
                        Err(Mismatch::NoTlsaMatch) => {}
                        // The record meant an authority of this chain: what failed behind that tells more.
                        Err(other) => why = other,
                    }
                }
                Err(why)
            }
        }
    }

    fn tlsa(
        &self,
        record: &Tlsa,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Mismatch> {
        let means = |certificate: &CertificateDer<'_>| {
            der::key_and_issuer(certificate).is_some_and(|(key, _)| dane::matches(record, certificate, key))
        };
        if record.usage != DANE_TA {
            // RFC 7672 §3.1.1: neither names nor dates are looked at.
            return if means(end_entity) { Ok(()) } else { Err(Mismatch::NoTlsaMatch) };
        }
        let mut anchors = RootCertStore::empty();
        for certificate in intermediates.iter().filter(|certificate| means(certificate)) {
            let _ = anchors.add(certificate.clone().into_owned());
        }
        // RFC 7671 §5.2.2, §5.2.3: an authority that the record has in full need not be sent along.
        match (record.selector, record.matching) {
            (0, 0) => _ = anchors.add(CertificateDer::from(record.data.clone())),
            (1, 0) => anchors.roots.extend(bare_key(&record.data, end_entity, intermediates)),
            _ => {}
        }
        if anchors.is_empty() {
            Err(Mismatch::NoTlsaMatch)
        } else {
            self.chain(end_entity, intermediates, &anchors, now)
        }
    }

    /// A chain to one of the anchors, in time, for one of the names.
    fn chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        anchors: &RootCertStore,
        now: UnixTime,
    ) -> Result<(), Mismatch> {
        let parsed = ParsedCertificate::try_from(end_entity).map_err(|_| Mismatch::Broken)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, anchors, intermediates, now, algorithms)
            .map_err(|error| mismatch(&error))?;
        let fits = |name: &String| {
            ServerName::try_from(name.as_str()).is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
        };
        if self.names.iter().any(fits) || self.fits_common_name(end_entity) {
            Ok(())
        } else {
            Err(Mismatch::OtherHost)
        }
    }

    /// RFC 7672 §3.2.3: of a certificate without DNS names the common name counts, with DANE.
    fn fits_common_name(&self, end_entity: &CertificateDer<'_>) -> bool {
        if !matches!(self.proof, Proof::Dane(_)) || !der::names_of(end_entity).is_empty() {
            return false;
        }
        let Some(common) = der::common_name_of(end_entity) else { return false };
        self.names.iter().map(|name| name.to_ascii_lowercase()).any(|name| {
            let below = |parent: &str| name.split_once('.').is_some_and(|(_, rest)| rest == parent);
            common == name || common.strip_prefix("*.").is_some_and(below)
        })
    }

    fn note(&self, outcome: Result<(), Mismatch>) -> Result<(), Error> {
        *self.verdict.lock() = Some(outcome);
        match (outcome, self.force) {
            (Err(why), Force::Enforced) => {
                Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(why)))))
            }
            _ => Ok(()),
        }
    }

    /// The host has to have the certificate's key; where nothing is enforced, that is noted, too.
    fn signed(
        &self,
        outcome: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match outcome {
            Ok(valid) => Ok(valid),
            Err(error) if self.force == Force::Enforced => Err(error),
            Err(_) => {
                self.note(Err(Mismatch::Broken))?;
                Ok(HandshakeSignatureValid::assertion())
            }
        }
    }
}

/// An authority of which nothing but its key is known: whoever is said to have issued a certificate of the chain.
fn bare_key(
    key: &[u8],
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Vec<TrustAnchor<'static>> {
    let Some(key) = der::sequence(key) else { return Vec::new() };
    let anchor = |certificate: &CertificateDer<'_>| {
        let (_, issuer) = der::key_and_issuer(certificate)?;
        Some(TrustAnchor {
            subject: issuer.to_vec().into(),
            subject_public_key_info: key.to_vec().into(),
            name_constraints: None,
        })
    };
    std::iter::once(end_entity).chain(intermediates).filter_map(anchor).collect()
}

fn mismatch(error: &Error) -> Mismatch {
    match error {
        Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => Mismatch::Expired,
        Error::InvalidCertificate(
            CertificateError::BadEncoding | CertificateError::UnhandledCriticalExtension,
        ) => Mismatch::Broken,
        _ => Mismatch::NotTrusted,
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.note(self.check(end_entity, intermediates, now)).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.signed(rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.signed(rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
