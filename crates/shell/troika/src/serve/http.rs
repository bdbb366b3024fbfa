//! The loopback HTTP listener: `/metrics` for Prometheus, `/health` for load balancers and people, and pages that a proxy
//! with TLS may show to the world (`/unsubscribe/…`).

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What the pages show.
pub trait Pages: Send + Sync + 'static {
    /// OpenMetrics text.
    fn metrics(&self) -> String;
    /// Whether mail is taken, and a sentence.
    fn health(&self) -> (bool, String);
    /// Pages for people and their mail programs below a path of their own: status and HTML. `posted` is the body of a
    /// POST. None: there is no such page.
    fn page<'a>(&'a self, path: &'a str, posted: Option<&'a [u8]>) -> PageFuture<'a>;
}

/// What [`Pages::page`] answers later.
pub type PageFuture<'a> = Pin<Box<dyn Future<Output = Option<(u16, String)>> + Send + 'a>>;

/// Longest body of a POST.
const POSTED_BYTES_MAX: usize = 16 * 1024;

/// Serves until shutdown.
///
/// # Errors
/// When the socket can't be used at all.
pub async fn serve(
    listener: std::net::TcpListener,
    pages: Arc<dyn Pages>,
    mut shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
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
        let pages = pages.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let pages = pages.clone();
                async move { Ok::<_, Infallible>(respond(&*pages, request).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an http connection ended");
            }
        });
    }
}

async fn respond(pages: &dyn Pages, request: Request<Incoming>) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    match (&parts.method, path) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            answer(StatusCode::OK, kind, pages.metrics())
        }
        (&Method::GET | &Method::HEAD, "/" | "/health") => {
            let (healthy, text) = pages.health();
            let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            answer(status, TEXT, text)
        }
        (&Method::GET | &Method::HEAD, _) => match pages.page(path, None).await {
            Some((status, html)) => page(status, html),
            None => answer(StatusCode::NOT_FOUND, TEXT, "There is /health and /metrics.\n".into()),
        },
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
