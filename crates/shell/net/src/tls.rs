//! TLS: certificates from files, chosen by server name, reloaded under running sessions.

use crate::stream::Stream;
use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use wire::TlsInfo;

/// Where one certificate lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM: the certificate, then its chain.
    pub certificate: PathBuf,
    /// PEM: the private key.
    pub key: PathBuf,
}

/// Why certificates can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read or is no PEM.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The pieces do not fit.
    #[error("TLS can't be set up: {0}")]
    Setup(String),
}

/// The server's side of TLS. Cheap to clone; [`Tls::reload`] changes all clones.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    keys: Arc<Keys>,
}

impl Tls {
    /// Loads certificates; the first is shown to clients that name no server or one that no certificate has.
    ///
    /// # Errors
    /// When a file is missing or wrong.
    pub fn load(files: &[CertificateFiles]) -> Result<Tls, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let keys = Arc::new(Keys { now: RwLock::new(Arc::new(KeySet::read(files, &provider)?)), provider });
        Tls::with(keys, WebPkiClientVerifier::no_client_auth())
    }

    /// The same certificates for a listener that asks its clients for theirs. A client without one goes on as ever; one
    /// that these authorities did not sign is refused.
    ///
    /// # Errors
    /// When the file is missing or has no certificate.
    pub fn asking_for_certificates(&self, authorities: &Path) -> Result<Tls, TlsError> {
        let fault = |why: String| TlsError::File { path: authorities.to_owned(), why };
        let mut roots = rustls::RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(authorities)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| fault(error.to_string()))?;
        for certificate in certificates {
            roots.add(certificate).map_err(|error| fault(error.to_string()))?;
        }
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), self.keys.provider.clone())
                .allow_unauthenticated()
                .build()
                .map_err(|error| fault(error.to_string()))?;
        Tls::with(self.keys.clone(), verifier)
    }

    fn with(keys: Arc<Keys>, verifier: Arc<dyn ClientCertVerifier>) -> Result<Tls, TlsError> {
        // rustls offers TLS 1.2 and 1.3 only (RFC 8996, RFC 9325 §3.1.1).
        let mut config = ServerConfig::builder_with_provider(keys.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(keys.clone());
        // One ticket is enough: mail clients resume one connection, and each ticket costs the handshake a packet.
        config.send_tls13_tickets = 1;
        config.session_storage = rustls::server::ServerSessionMemoryCache::new(4096);
        Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), keys })
    }

    /// Reads the files anew; sessions that stand keep what they have, new ones get the new certificates.
    ///
    /// # Errors
    /// When a file is missing or wrong: then the old certificates stay.
    pub fn reload(&self, files: &[CertificateFiles]) -> Result<(), TlsError> {
        let fresh = KeySet::read(files, &self.keys.provider)?;
        *self.keys.now.write() = Arc::new(fresh);
        Ok(())
    }
}

impl Tls {
    /// Makes the handshake with a client, for protocols that [`crate::drive`] does not run.
    ///
    /// # Errors
    /// The client breaks off, speaks no TLS, or takes longer than `limit`.
    pub async fn accept(&self, tcp: TcpStream, limit: Duration) -> io::Result<Stream> {
        handshake(self, tcp, limit).await.map(|(stream, _)| stream)
    }
}

/// Makes the handshake.
///
/// # Errors
/// When the peer breaks off, speaks no TLS, or takes longer than `limit`.
pub(crate) async fn handshake(tls: &Tls, tcp: TcpStream, limit: Duration) -> io::Result<(Stream, TlsInfo)> {
    let accepted = tokio::time::timeout(limit, tls.acceptor.accept(tcp)).await;
    let stream = accepted.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "TLS handshake"))??;
    let (_, connection) = stream.get_ref();
    // RFC 9266 §4.2: in TLS 1.2 only with the extended master secret, which can't be asked for here.
    let is_1_3 = connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
    let info = TlsInfo {
        version: version_name(connection.protocol_version()),
        cipher: cipher_name(connection.negotiated_cipher_suite()),
        server_name: connection.server_name().map(str::to_owned),
        exporter: is_1_3
            .then(|| connection.export_keying_material([0u8; 32], b"EXPORTER-Channel-Binding", Some(b"")))
            .and_then(Result::ok)
            .map(Vec::from),
        end_point: tls
            .keys
            .certificate_for(connection.server_name())
            .cert
            .first()
            .and_then(crate::der::end_point),
        client_names: connection
            .peer_certificates()
            .and_then(<[_]>::first)
            .map(crate::der::addresses_of)
            .unwrap_or_default(),
    };
    Ok((Stream::Tls(Box::new(stream.into())), info))
}

/// As people and trace headers write it.
pub(crate) fn version_name(version: Option<rustls::ProtocolVersion>) -> String {
    match version {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3".into(),
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2".into(),
        other => format!("{other:?}"),
    }
}

/// As IANA names it.
pub(crate) fn cipher_name(suite: Option<rustls::SupportedCipherSuite>) -> String {
    suite.map(|suite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_")).unwrap_or_default()
}

#[derive(Debug)]
struct Keys {
    now: RwLock<Arc<KeySet>>,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
struct KeySet {
    by_name: HashMap<String, Arc<CertifiedKey>>,
    first: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certificate_for(hello.server_name()))
    }
}

impl Keys {
    /// What a client that asks for this name is shown.
    fn certificate_for(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        let set = self.now.read().clone();
        let Some(name) = name else { return set.first.clone() };
        let name = name.to_ascii_lowercase();
        let wildcard = || name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        let found =
            set.by_name.get(&name).or_else(|| wildcard().and_then(|wildcard| set.by_name.get(&wildcard)));
        found.unwrap_or(&set.first).clone()
    }
}

impl KeySet {
    fn read(files: &[CertificateFiles], provider: &CryptoProvider) -> Result<KeySet, TlsError> {
        let mut by_name = HashMap::new();
        let mut first = None;
        for pair in files {
            let key = Arc::new(certified_key(pair, provider)?);
            for name in crate::der::names_of(&key.cert[0]) {
                by_name.entry(name).or_insert_with(|| key.clone());
            }
            first.get_or_insert(key);
        }
        let first = first.ok_or_else(|| TlsError::Setup("no certificate is given".into()))?;
        Ok(KeySet { by_name, first })
    }
}

fn certified_key(files: &CertificateFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let fault = |path: &Path, why: String| TlsError::File { path: path.to_owned(), why };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| fault(&files.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(fault(&files.certificate, "there is no certificate in it".into()));
    }
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| fault(&files.key, error.to_string()))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| fault(&files.key, error.to_string()))
}
