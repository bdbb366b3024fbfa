//! Getting there: names, TCP, TLS, and how long each may take.

use crate::trouble::Trouble;
use crate::wire_pump::Wire;
use net::{ClientTls, Dial, Endpoint, SocksProxy, Stream};
use rustls::RootCertStore;
use sasl::client::Secret;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use wire::TlsInfo;

/// Where the mailbox is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Server {
    /// A name (A-labels) or an address; the certificate has to be for it.
    pub host: String,
    /// 993 and 995 with TLS from the first octet, 143 and 110 otherwise.
    pub port: u16,
    /// How TLS begins.
    pub tls: Tls,
}

/// How TLS begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tls {
    /// With the first octet (RFC 8314 §3).
    Implicit,
    /// By STARTTLS or STLS; a server without is of no use.
    StartTls,
    /// Not at all.
    None,
}

/// Who logs in there.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The name at the server.
    pub user: String,
    /// Password or access token.
    pub secret: Secret,
}

/// What connections need of the world. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    /// Dials these instead of looking the server's name up: addresses that somebody has looked at.
    pub addresses: Option<Vec<IpAddr>>,
    /// Finds addresses.
    pub resolver: Arc<dns::Resolver>,
    /// Whose certificates are taken: the system's ([`net::system_authorities`]) or those of a file ([`net::authorities`]).
    pub authorities: Arc<RootCertStore>,
    /// How to get there.
    pub route: Dial,
    /// When a secret may travel in clear.
    pub plaintext_auth: PlaintextAuth,
    /// How long things may take, and how long a message may be.
    pub limits: Limits,
}

impl Environment {
    /// With the usual limits, straight there, and secrets in clear on this machine only.
    pub fn new(resolver: Arc<dns::Resolver>, authorities: Arc<RootCertStore>) -> Environment {
        Environment {
            addresses: None,
            resolver,
            authorities,
            route: Dial::default(),
            plaintext_auth: PlaintextAuth::Loopback,
            limits: Limits::default(),
        }
    }

    /// Sends from an address, or through a proxy.
    #[must_use]
    pub fn through(mut self, source: Option<IpAddr>, proxy: Option<SocksProxy>) -> Environment {
        self.route = Dial { source, proxy };
        self
    }
}

/// When a password or token may travel without TLS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PlaintextAuth {
    /// To addresses of this machine.
    Loopback,
    /// Wherever [`Tls::None`] is said.
    Allowed,
}

/// How long things may take, and how long a message may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// One TCP connection, and the TLS handshake. 30 seconds.
    pub connect: Duration,
    /// Names, TCP, TLS and log-in together. 3 minutes.
    pub opening: Duration,
    /// How long the server may be silent. 2 minutes.
    pub silence: Duration,
    /// One operation: a message, a listing. 1 hour.
    pub operation: Duration,
    /// Longest message that is taken, in octets: who announces a longer one is hung up on. 256 MiB.
    pub message_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connect: Duration::from_secs(30),
            opening: Duration::from_secs(180),
            silence: Duration::from_secs(120),
            operation: Duration::from_secs(3600),
            message_bytes_max: 256 << 20,
        }
    }
}

/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// A connection on which nothing has been said by us.
pub(crate) struct Dialled {
    pub wire: Wire,
    /// When TLS stands already.
    pub tls: Option<TlsInfo>,
    /// Whether a secret may be said without TLS.
    pub plaintext_auth: bool,
}

/// Dials, and makes the handshake where TLS comes first.
pub(crate) async fn dial(server: &Server, environment: &Environment) -> Result<Dialled, Trouble> {
    let (stream, address) = connect(server, environment).await?;
    let is_here = environment.route.proxy.is_none() && address.is_loopback();
    let plaintext_auth = is_here || environment.plaintext_auth == PlaintextAuth::Allowed;
    let silence = environment.limits.silence;
    if server.tls != Tls::Implicit {
        return Ok(Dialled { wire: Wire::new(stream, silence), tls: None, plaintext_auth });
    }
    let (stream, info) = handshake(stream, server, environment).await?;
    Ok(Dialled { wire: Wire::new(stream, silence), tls: Some(info), plaintext_auth })
}

async fn connect(server: &Server, environment: &Environment) -> Result<(Stream, IpAddr), Trouble> {
    let mut failed = None;
    for address in addresses(server, environment).await? {
        let endpoint = Endpoint::Tcp(SocketAddr::new(address, server.port));
        match net::dial(&endpoint, &environment.route, environment.limits.connect).await {
            Ok(stream) => return Ok((stream, address)),
            Err(error) => {
                failed.get_or_insert_with(|| format!("{server} can't be reached at {endpoint}: {error}"));
            }
        }
    }
    Err(Trouble::Unreachable(failed.unwrap_or_else(|| format!("{server}: the name has no address"))))
}

async fn addresses(server: &Server, environment: &Environment) -> Result<Vec<IpAddr>, Trouble> {
    if let Some(addresses) = &environment.addresses {
        return Ok(addresses.clone());
    }
    let host = server.host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let answer = environment.resolver.addresses(host).await.map_err(|fault| {
        Trouble::Unreachable(format!("{server}: its address could not be found out: {fault}"))
    })?;
    Ok(answer.records.into_iter().take(ADDRESSES_MAX).collect())
}

/// The TLS handshake; the certificate has to be for the server's name and by one of the authorities.
pub(crate) async fn handshake(
    stream: Stream,
    server: &Server,
    environment: &Environment,
) -> Result<(Stream, TlsInfo), Trouble> {
    let failed = |why: String| Trouble::Tls(format!("{server}: TLS failed: {why}"));
    if environment.authorities.is_empty() {
        return Err(failed(
            "there are no certificate authorities to verify it by (package ca-certificates, or name a file)"
                .into(),
        ));
    }
    let tls =
        ClientTls::verified(environment.authorities.clone()).map_err(|error| failed(error.to_string()))?;
    let host = server.host.trim_start_matches('[').trim_end_matches(']');
    match tls.start(stream, host, environment.limits.connect).await {
        Ok(secured) => Ok(secured),
        // What rustls refuses is invalid data; everything else is the network, and passes.
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput) => {
            Err(Trouble::Unreachable(format!("{server}: TLS did not come to stand: {error}")))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Fresh random octets for a log-in.
pub(crate) fn entropy() -> [u8; 32] {
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy)
        .unwrap_or_else(|error| panic!("the system gives no random numbers: {error}"));
    entropy
}
