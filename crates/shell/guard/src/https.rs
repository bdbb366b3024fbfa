//! One HTTPS request, bounded in time and size. Redirects are never followed (RFC 8461 §3.3, RFC 8460 §5.4 has no need).

use dns::Resolver;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use net::{ClientTls, Dial, Endpoint};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Addresses of one host that are tried.
const ADDRESSES_MAX: usize = 4;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Trouble {
    /// The host has no address, or nobody answers there.
    #[error("{0}")]
    Unreachable(String),
    /// Its certificate does not prove it.
    #[error("the certificate of {host} is not taken: {why}")]
    Certificate {
        /// The host.
        host: String,
        /// In rustls' words.
        why: String,
    },
    /// It answered with something other than success.
    #[error("{host} answered {status}")]
    Status {
        /// The host.
        host: String,
        /// The number.
        status: u16,
    },
    /// What it answered is of no use.
    #[error("{host} answered nonsense: {why}")]
    Answer {
        /// The host.
        host: String,
        /// What is wrong.
        why: String,
    },
    /// It took too long.
    #[error("{0} took too long")]
    TimedOut(String),
}

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The host, in A-labels.
    pub host: &'a str,
    /// Usually 443.
    pub port: u16,
    /// Path and query.
    pub path: &'a str,
    /// None: GET. Else POST of this, with its media type.
    pub body: Option<(&'a str, Vec<u8>)>,
    /// How long it may take in all.
    pub limit: Duration,
    /// Largest answer.
    pub bytes_max: usize,
}

/// What came back with a 2xx.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The media type, in lower case, without parameters.
    pub kind: String,
    /// The content.
    pub body: Vec<u8>,
}

/// Asks; the host has to prove itself to `tls`.
///
/// # Errors
/// [`Trouble`].
pub async fn ask(resolver: &Resolver, tls: &ClientTls, ask: Ask<'_>) -> Result<Reply, Trouble> {
    let host = ask.host.to_owned();
    let limit = ask.limit;
    tokio::time::timeout(limit, asked(resolver, tls, ask)).await.unwrap_or(Err(Trouble::TimedOut(host)))
}

async fn asked(resolver: &Resolver, tls: &ClientTls, ask: Ask<'_>) -> Result<Reply, Trouble> {
    let nonsense = |why: String| Trouble::Answer { host: ask.host.to_owned(), why };
    let net::Stream::Tls(stream) = connect(resolver, tls, &ask).await? else {
        return Err(nonsense("there is no TLS".into()));
    };
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(64 * 1024)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| nonsense(error.to_string()))?;
    let driver = tokio::spawn(connection);
    let request = request(&ask).map_err(|error| nonsense(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(|error| nonsense(error.to_string()));
    let reply = match response {
        Ok(response) => read(response, &ask).await,
        Err(trouble) => Err(trouble),
    };
    driver.abort();
    reply
}

fn request(ask: &Ask<'_>) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let authority = if ask.port == 443 { ask.host.to_owned() } else { format!("{}:{}", ask.host, ask.port) };
    let request = Request::builder().uri(ask.path).header(HOST, authority).header(USER_AGENT, "Troika");
    match &ask.body {
        None => request.method(Method::GET).body(Full::default()),
        Some((kind, body)) => request
            .method(Method::POST)
            .header(CONTENT_TYPE, *kind)
            .body(Full::new(Bytes::from(body.clone()))),
    }
}

async fn read(response: Response<Incoming>, ask: &Ask<'_>) -> Result<Reply, Trouble> {
    let status = response.status();
    // A policy is there with 200 only (RFC 8461 §3.3); a report is taken with any 2xx (RFC 8460 §5.4).
    let fine = if ask.body.is_some() { status.is_success() } else { status == StatusCode::OK };
    if !fine {
        return Err(Trouble::Status { host: ask.host.to_owned(), status: status.as_u16() });
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let body = Limited::new(response.into_body(), ask.bytes_max).collect().await;
    let body = body.map_err(|error| Trouble::Answer { host: ask.host.to_owned(), why: error.to_string() })?;
    Ok(Reply { kind, body: body.to_bytes().to_vec() })
}

async fn connect(resolver: &Resolver, tls: &ClientTls, ask: &Ask<'_>) -> Result<net::Stream, Trouble> {
    let addresses = match ask.host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => {
            let found = resolver.addresses(ask.host).await;
            found.map_err(|fault| Trouble::Unreachable(format!("{}: {fault}", ask.host)))?.records
        }
    };
    let mut why = "it has no address".to_owned();
    for address in addresses.into_iter().take(ADDRESSES_MAX) {
        let endpoint = Endpoint::Tcp(SocketAddr::new(address, ask.port));
        let stream = match net::dial(&endpoint, &Dial::default(), ask.limit / 2).await {
            Ok(stream) => stream,
            Err(error) => {
                why = format!("{address}: {error}");
                continue;
            }
        };
        match tls.start(stream, ask.host, ask.limit).await {
            Ok((stream, _)) => return Ok(stream),
            Err(error) => {
                let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
                if let Some(rustls::Error::InvalidCertificate(why)) = inner {
                    return Err(Trouble::Certificate { host: ask.host.to_owned(), why: why.to_string() });
                }
                why = format!("{address}: {error}");
            }
        }
    }
    Err(Trouble::Unreachable(format!("{} can't be reached: {why}", ask.host)))
}
