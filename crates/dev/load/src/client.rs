//! A connection that reads lines and counted bytes, in clear or in TLS.

use memchr::memchr;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Room for one read: as much as a system call brings.
const READ_BYTES: usize = 256 * 1024;

/// One connection.
pub struct Client {
    stream: Stream,
    buffer: Vec<u8>,
    start: usize,
    /// Bytes read in all.
    pub bytes_read: u64,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// As the system.
    pub async fn connect(address: SocketAddr, tls: Option<&TlsConnector>) -> io::Result<Client> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let stream = match tls {
            None => Stream::Plain(tcp),
            Some(connector) => {
                let name = rustls_pki_types::ServerName::try_from("localhost").map_err(io::Error::other)?;
                Stream::Tls(Box::new(connector.connect(name, tcp).await?))
            }
        };
        Ok(Client { stream, buffer: Vec::new(), start: 0, bytes_read: 0 })
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// As the connection.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Reads one line, without its ending.
    ///
    /// # Errors
    /// As the connection.
    pub async fn line(&mut self) -> io::Result<String> {
        let line = self.next_line().await?;
        Ok(String::from_utf8_lossy(self.octets(line)).into_owned())
    }

    /// Reads one line and leaves it where it is: [`octets`](Self::octets) shows it until the next line is read. A download of
    /// 200,000 lines is timed, not the making of as many strings.
    ///
    /// # Errors
    /// As the connection.
    pub async fn next_line(&mut self) -> io::Result<Range<usize>> {
        let mut searched = self.start;
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[searched..]) {
                let (start, end) = (self.start, searched + at);
                self.start = end + 1;
                let ending = usize::from(self.buffer[start..end].ends_with(b"\r"));
                return Ok(start..end - ending);
            }
            let pending = self.buffer.len() - self.start;
            self.more().await?;
            searched = self.start + pending;
        }
    }

    /// A line that [`next_line`](Self::next_line) has just found.
    pub fn octets(&self, line: Range<usize>) -> &[u8] {
        &self.buffer[line]
    }

    /// Reads and drops a multi-line response (RFC 1939 §3) with its final dot.
    ///
    /// # Errors
    /// As the connection.
    pub async fn skip_to_dot(&mut self) -> io::Result<()> {
        let mut searched = self.start;
        loop {
            while let Some(at) = memchr(b'\n', &self.buffer[searched..]) {
                searched += at + 1;
                let line = &self.buffer[self.start..searched];
                self.start = searched;
                if line == b".\r\n" {
                    return Ok(());
                }
            }
            let pending = self.buffer.len() - self.start;
            self.more().await?;
            searched = self.start + pending;
        }
    }

    /// Reads and drops `count` bytes.
    ///
    /// # Errors
    /// As the connection.
    pub async fn skip(&mut self, mut count: usize) -> io::Result<()> {
        loop {
            let have = (self.buffer.len() - self.start).min(count);
            self.start += have;
            count -= have;
            if count == 0 {
                return Ok(());
            }
            self.more().await?;
        }
    }

    /// Gives the read buffer back (for connections that idle).
    pub fn forget(&mut self) {
        self.buffer = Vec::new();
        self.start = 0;
    }

    async fn more(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.reserve(READ_BYTES);
        let read = self.stream.read_buf(&mut self.buffer).await?;
        self.bytes_read += read as u64;
        if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// TLS that takes any certificate: the target is always this machine.
pub fn trusting_tls() -> TlsConnector {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone());
    let config = builder
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|error| panic!("rustls refuses its own defaults: {error}"))
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

#[derive(Debug)]
struct AnyCertificate(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &[rustls_pki_types::CertificateDer<'_>],
        _: &rustls_pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls_pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &rustls_pki_types::CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &rustls_pki_types::CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_shutdown(cx),
        }
    }
}
