//! The HTTP listener. For the operator: `/metrics` for Prometheus, `/health` for load balancers and people. For everybody:
//! the MTA-STS policy of our domains (RFC 8461 §3.3), which other servers fetch with TLS.
//!
//! The operator is who shows the token of the configuration; where there is none, who comes to a listener on loopback and
//! not through a proxy: that one may stand between us and anybody.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, FORWARDED, HOST, HeaderValue, VIA};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use net::{Stream, Tls};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};

/// Connections at once of one listener: nobody needs many, and everybody may come.
const CONNECTIONS_MAX: usize = 256;
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long one connection may last, whatever it does.
const CONNECTION_MAX: Duration = Duration::from_secs(60);

/// What the pages show.
pub trait Pages: Send + Sync + 'static {
    /// OpenMetrics text.
    fn metrics(&self) -> String;
    /// Whether mail is taken, and a sentence.
    fn health(&self) -> (bool, String);
    /// The token that the operator's programs show; empty: there is none.
    fn operator_token(&self) -> String;
    /// The MTA-STS policy of the domain that this host name is for (`mta-sts.` and a domain of ours).
    fn policy(&self, host: &str) -> Option<String>;
    /// Takes a TLS report (RFC 8460 §5.4) as it was posted; the error says what is wrong with it.
    fn take_report(&self, posted: &[u8]) -> Result<(), String>;
    /// The TLS reports that came in of late, as JSON.
    fn reports(&self) -> String;
    /// Pages for people and their mail programs below a path of their own: status and HTML. `posted` is the body of a
    /// POST. None: there is no such page.
    fn page<'a>(&'a self, path: &'a str, posted: Option<&'a [u8]>) -> PageFuture<'a>;
}

/// What [`Pages::page`] answers later.
pub type PageFuture<'a> = Pin<Box<dyn Future<Output = Option<(u16, String)>> + Send + 'a>>;

/// Longest body of a POST.
const POSTED_BYTES_MAX: usize = 16 * 1024;

/// Largest TLS report that is taken.
const REPORT_BYTES_MAX: usize = 1024 * 1024;
/// Where TLS reports about our domains may be posted.
const REPORTS: &str = "/tls-reports";

/// Who may come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visitors {
    /// This machine.
    Own,
    /// Everybody: sees nothing of the server's inside.
    All,
}

/// Serves until shutdown; with TLS from the first octet where `tls` is given.
///
/// # Errors
/// When the socket can't be used at all.
pub async fn serve(
    listener: std::net::TcpListener,
    tls: Option<Tls>,
    visitors: Visitors,
    pages: Arc<dyn Pages>,
    mut shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = shutdown.wait_for(|down| *down) => return Ok(()),
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors: spinning would make it worse.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let (pages, tls) = (pages.clone(), tls.clone());
        tokio::spawn(async move {
            let _place = place;
            let ended = tokio::time::timeout(CONNECTION_MAX, converse(stream, tls, visitors, pages)).await;
            if let Ok(Err(error)) = ended {
                tracing::debug!(%error, "an http connection ended");
            }
        });
    }
}

async fn converse(
    tcp: TcpStream,
    tls: Option<Tls>,
    visitors: Visitors,
    pages: Arc<dyn Pages>,
) -> Result<(), String> {
    let Some(tls) = tls else { return talk(tcp, visitors, pages).await };
    let stream = tls.accept(tcp, HANDSHAKE_MAX).await.map_err(|error| error.to_string())?;
    let Stream::Tls(stream) = stream else { return Err("there is no TLS".into()) };
    talk(stream, visitors, pages).await
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    visitors: Visitors,
    pages: Arc<dyn Pages>,
) -> Result<(), String> {
    let service = service_fn(move |request| {
        let pages = pages.clone();
        async move { Ok::<_, Infallible>(respond(&*pages, visitors, request).await) }
    });
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(10))
        .serve_connection(TokioIo::new(stream), service)
        .await
        .map_err(|error| error.to_string())
}

/// How far a request may look into the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum View {
    /// All of it.
    Operator,
    /// It came to the listener for this machine, but not from the operator.
    Beside,
    /// Nothing of it.
    Public,
}

impl View {
    fn of(request: &Parts, visitors: Visitors, token: &str) -> View {
        let beside = if visitors == Visitors::Own { View::Beside } else { View::Public };
        if !token.is_empty() {
            return if shows(request, token) { View::Operator } else { beside };
        }
        match visitors {
            Visitors::Own if !came_through_proxy(request) => View::Operator,
            _ => beside,
        }
    }
}

/// RFC 6750 §2.1.
fn shows(request: &Parts, token: &str) -> bool {
    let shown = request.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    match shown.split_first_chunk::<7>() {
        Some((scheme, shown)) if scheme.eq_ignore_ascii_case(b"Bearer ") => {
            bool::from(shown.trim_ascii().ct_eq(token.as_bytes()))
        }
        _ => false,
    }
}

/// RFC 7239, RFC 9110 §7.6.3, and what proxies write in their place.
fn came_through_proxy(request: &Parts) -> bool {
    let named = [FORWARDED, VIA].iter().any(|name| request.headers.contains_key(name));
    let usual = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
    named || usual.iter().any(|name| request.headers.contains_key(*name))
}

/// Pages for the operator. None: it is none of them.
fn operator_page(pages: &dyn Pages, path: &str, view: View) -> Option<Response<Full<Bytes>>> {
    if view == View::Public {
        return None;
    }
    let is_operator = view == View::Operator;
    let forbidden = || {
        let text = "This page is for the operator: without a proxy from this machine, or with [http] operator_token.\n";
        answer(StatusCode::FORBIDDEN, TEXT, text.into())
    };
    Some(match path {
        "/metrics" | REPORTS if !is_operator => forbidden(),
        "/metrics" => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            answer(StatusCode::OK, kind, pages.metrics())
        }
        REPORTS => answer(StatusCode::OK, "application/json", pages.reports()),
        "/" | "/health" => {
            let (healthy, text) = pages.health();
            let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            // Why it is not healthy is for the operator.
            let short = if healthy { "Troika takes mail.\n" } else { "Troika takes no mail.\n" };
            answer(status, TEXT, if is_operator { text } else { short.into() })
        }
        _ => return None,
    })
}

const TEXT: &str = "text/plain; charset=utf-8";

async fn respond(pages: &dyn Pages, visitors: Visitors, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let view = View::of(&parts, visitors, &pages.operator_token());
    if matches!(parts.method, Method::GET | Method::HEAD)
        && let Some(page) = operator_page(pages, path, view)
    {
        return page;
    }
    match (&parts.method, path) {
        // RFC 8461 §3.3.
        (&Method::GET | &Method::HEAD, "/.well-known/mta-sts.txt") => {
            match host(&parts).and_then(|host| pages.policy(&host)) {
                Some(policy) => answer(StatusCode::OK, TEXT, policy),
                None => answer(StatusCode::NOT_FOUND, TEXT, "There is no policy for this name.\n".into()),
            }
        }
        (&Method::GET | &Method::HEAD, _) => match pages.page(path, None).await {
            Some((status, html)) => page(status, html),
            None if view == View::Operator => {
                answer(StatusCode::NOT_FOUND, TEXT, "There is /health and /metrics.\n".into())
            }
            None => answer(StatusCode::NOT_FOUND, TEXT, "There is nothing here.\n".into()),
        },
        (&Method::POST, REPORTS) => {
            let Ok(body) = Limited::new(body, REPORT_BYTES_MAX).collect().await else {
                return answer(StatusCode::PAYLOAD_TOO_LARGE, TEXT, "That is too much.\n".into());
            };
            match pages.take_report(&body.to_bytes()) {
                Ok(()) => answer(StatusCode::CREATED, TEXT, "Thank you.\n".into()),
                Err(why) => answer(StatusCode::BAD_REQUEST, TEXT, why + "\n"),
            }
        }
        (&Method::POST, _) => {
            let body = Limited::new(body, POSTED_BYTES_MAX).collect().await;
            let Ok(body) = body else {
                return answer(StatusCode::PAYLOAD_TOO_LARGE, TEXT, "That is too much.\n".into());
            };
            match pages.page(path, Some(&body.to_bytes())).await {
                Some((status, html)) => page(status, html),
                None => answer(StatusCode::METHOD_NOT_ALLOWED, TEXT, "Only GET is answered here.\n".into()),
            }
        }
        _ => answer(StatusCode::METHOD_NOT_ALLOWED, TEXT, "Only GET is answered here.\n".into()),
    }
}

fn page(status: u16, html: String) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, "text/html; charset=utf-8", html)
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The name that was asked for, without its port.
fn host(request: &Parts) -> Option<String> {
    let text = match request.uri.host() {
        Some(host) => host,
        None => request.headers.get(HOST)?.to_str().ok()?,
    };
    let name = text.rsplit_once(':').map_or(text, |(name, _)| name);
    Some(name.trim_end_matches('.').to_ascii_lowercase())
}
