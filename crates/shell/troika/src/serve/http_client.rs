//! One HTTP request to a place that the configuration names, on a connection of its own, bounded in time and size.
//! Redirects are not followed.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{HOST, USER_AGENT};
use hyper::http::request::Builder;
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use net::{ClientTls, Dial, Endpoint, Stream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// Most octets read of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Where requests go.
pub struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    /// As it stands in the Host field.
    authority: String,
    pub(super) path: String,
    tls: Option<ClientTls>,
    timeout: Duration,
}

impl Target {
    /// `url` with https, or http; `authorities` of the other side's certificate (an empty path: the system's); `timeout`
    /// for dialling, for TLS and for the answer.
    ///
    /// # Errors
    /// A sentence: what is wrong with it.
    pub fn new(url: &str, authorities: &Path, timeout: Duration) -> Result<Target, String> {
        let uri: Uri = url.parse().map_err(|error| format!("url: {url}: {error}"))?;
        let authority = uri.authority().ok_or_else(|| format!("url: {url} has no host"))?.clone();
        let (port, tls) = match uri.scheme_str() {
            Some("https") => (443, Some(tls(authorities)?)),
            Some("http") => (80, None),
            _ => return Err(format!("url: {url} begins neither with https:// nor with http://")),
        };
        if authority.as_str().contains('@') {
            return Err("url: there is no log-in with a password in it".into());
        }
        Ok(Target {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(port),
            authority: authority.to_string(),
            path: uri.path_and_query().map_or_else(|| "/".into(), ToString::to_string),
            tls,
            timeout,
        })
    }

    /// The host and port, for messages.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether nobody can read on the way.
    pub fn is_private(&self) -> bool {
        let local = |host: &str| host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        self.tls.is_some() || self.host == "localhost" || local(&self.host)
    }

    async fn connect(&self) -> Result<Stream, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.authority);
        let mut last = format!("{} has no address", self.host);
        for address in tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(failed)? {
            match net::dial(&Endpoint::Tcp(address), &Dial::default(), self.timeout).await {
                Ok(stream) => {
                    let Some(tls) = &self.tls else { return Ok(stream) };
                    let started = tls.start(stream, &self.host, self.timeout).await;
                    return started.map(|(stream, _)| stream).map_err(failed);
                }
                Err(error) => last = failed(error),
            }
        }
        Err(last)
    }

    /// Brings a body over by POST; `head` has what the request says beside the host and who asks. Answers the status and
    /// the content.
    ///
    /// # Errors
    /// A sentence: nobody can be reached, or what came is no HTTP, too much, or too late.
    pub async fn post(&self, head: Builder, body: Vec<u8>) -> Result<(StatusCode, Vec<u8>), String> {
        let request = head
            .method(Method::POST)
            .uri(&self.path)
            .header(HOST, &self.authority)
            .header(USER_AGENT, concat!("Troika/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        let exchanged = async {
            match self.connect().await? {
                Stream::Tls(tls) => exchange(*tls, request).await,
                Stream::Tcp(tcp) => exchange(tcp, request).await,
                _ => Err("a connection of another kind than asked for".into()),
            }
        };
        let exchanged = tokio::time::timeout(self.timeout * 3, exchanged).await;
        let exchanged = exchanged.map_err(|_| format!("{} is too slow", self.authority))?;
        exchanged.map_err(|why| format!("{}: {why}", self.authority))
    }
}

/// One request on a connection of its own.
async fn exchange(
    connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Vec<u8>), String> {
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(connection)).await;
    let (mut sender, driver) = shaken.map_err(|error| error.to_string())?;
    let driver = tokio::spawn(driver);
    let answered = async {
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = answer.status();
        // To its end, so that the other side sees no broken connection.
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok((status, body.map_err(|error| error.to_string())?.to_bytes().to_vec()))
    };
    let answered = answered.await;
    driver.abort();
    answered
}

fn tls(authorities: &Path) -> Result<ClientTls, String> {
    let file = crate::sending::authorities_file(authorities)
        .ok_or("https needs authorities: a PEM file; the system has none in the usual places")?;
    let roots = net::authorities(&file).map_err(|error| error.to_string())?;
    ClientTls::verified(Arc::new(roots)).map_err(|error| error.to_string())
}
