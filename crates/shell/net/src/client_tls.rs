//! TLS on connections that we make: who the host has to prove to be is the verifier's matter, the handshake is here.

use crate::stream::Stream;
use crate::tls::TlsError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsConnector;
use wire::TlsInfo;

/// The client's side of TLS with one rule about certificates. Cheap to clone; clones share resumed sessions.
#[derive(Clone)]
pub struct ClientTls {
    connector: TlsConnector,
}

impl ClientTls {
    /// With a rule of one's own.
    ///
    /// # Errors
    /// TLS can't be set up at all.
    pub fn with(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientTls, TlsError> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(ClientTls { connector: TlsConnector::from(Arc::new(config)) })
    }

    /// Takes any certificate: for opportunistic TLS, whose alternative is clear text (RFC 7435 §1.2).
    ///
    /// # Errors
    /// As [`ClientTls::with`].
    pub fn unverified() -> Result<ClientTls, TlsError> {
        ClientTls::with(Arc::new(Anything(provider())))
    }

    /// Takes certificates that these authorities signed, for the name that is connected to.
    ///
    /// # Errors
    /// As [`ClientTls::with`], and when there is no authority.
    pub fn verified(authorities: Arc<RootCertStore>) -> Result<ClientTls, TlsError> {
        let verifier = WebPkiServerVerifier::builder_with_provider(authorities, provider())
            .build()
            .map_err(|error| TlsError::Setup(error.to_string()))?;
        ClientTls::with(verifier)
    }

    /// Makes the handshake with the host of that name (or address) within `limit`.
    ///
    /// # Errors
    /// The host breaks off, its certificate is not taken, or it is too slow. The connection is of no use then.
    pub async fn start(&self, stream: Stream, name: &str, limit: Duration) -> io::Result<(Stream, TlsInfo)> {
        let Stream::Tcp(tcp) = stream else {
            return Err(io::Error::other("TLS was asked for on a connection that cannot have it"));
        };
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, format!("{name} is no name for TLS")))?;
        let stream = tokio::time::timeout(limit, self.connector.connect(name, tcp))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake took too long"))??;
        let (_, connection) = stream.get_ref();
        let is_1_3 = connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
        let info = TlsInfo {
            version: crate::tls::version_name(connection.protocol_version()),
            cipher: crate::tls::cipher_name(connection.negotiated_cipher_suite()),
            server_name: None,
            exporter: is_1_3
                .then(|| connection.export_keying_material([0u8; 32], b"EXPORTER-Channel-Binding", Some(b"")))
                .and_then(Result::ok)
                .map(Vec::from),
            end_point: connection.peer_certificates().and_then(<[_]>::first).and_then(crate::der::end_point),
            client_names: Vec::new(),
        };
        Ok((Stream::Tls(Box::new(stream.into())), info))
    }
}

/// The authorities in a PEM file.
///
/// # Errors
/// The file can't be read or has no certificate that can be used.
pub fn authorities(file: &Path) -> Result<RootCertStore, TlsError> {
    let fault = |why: String| TlsError::File { path: file.to_owned(), why };
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    // A bundle of the system may hold one or the other that is beyond us.
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() { Err(fault("there is no authority's certificate in it".into())) } else { Ok(roots) }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// No certificate is too bad; whoever shows it must have its key all the same.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
