//! Connections that we make: TCP from a chosen address, through a SOCKS5 proxy, or a unix socket; each bounded in time.

use crate::socks;
use crate::stream::Stream;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::task::JoinSet;

/// How long one address has the word alone before the next one is tried beside it (RFC 8305 §5: a quarter of a second is
/// recommended to browsers, two seconds at most; mail has time, and half-made connections are a burden to busy hosts).
const ATTEMPT_DELAY: Duration = Duration::from_secs(1);

/// A place to connect to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Endpoint {
    /// TCP.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(address) => address.fmt(f),
            Endpoint::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A proxy on the way.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SocksProxy {
    /// Where it listens.
    pub address: SocketAddr,
    /// Name and password, each of 1 to 255 octets.
    pub login: Option<(String, String)>,
}

/// How to get there.
#[derive(Clone, Default)]
pub struct Dial {
    /// The address to send from. None: the system's choice.
    pub source: Option<IpAddr>,
    /// The proxy. With one, `source` is used towards it.
    pub proxy: Option<SocksProxy>,
}

/// Connects within `limit`.
///
/// # Errors
/// As the system or the proxy says; `TimedOut` beyond the limit.
pub async fn dial(endpoint: &Endpoint, dial: &Dial, limit: Duration) -> io::Result<Stream> {
    let connected = async {
        match endpoint {
            Endpoint::Unix(path) => UnixStream::connect(path).await.map(Stream::Unix),
            Endpoint::Tcp(address) => {
                let tcp = match &dial.proxy {
                    None => connect(*address, dial.source).await?,
                    Some(proxy) => {
                        let mut tcp = connect(proxy.address, dial.source).await?;
                        let login =
                            proxy.login.as_ref().map(|(name, secret)| (name.as_str(), secret.as_str()));
                        socks::connect(&mut tcp, *address, login).await?;
                        tcp
                    }
                };
                Ok(Stream::Tcp(tcp))
            }
        }
    };
    tokio::time::timeout(limit, connected)
        .await
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer to the connection")))
}

/// What a race brought.
pub struct Race {
    /// The place that answered first, by its position, and its connection.
    pub won: Option<(usize, Stream)>,
    /// Those that failed before, and why.
    pub lost: Vec<(usize, io::Error)>,
}

/// Connects to the first of these places that answers: they are tried in their order, each when the one before has
/// failed or has been silent for a second, and has `limit` from then (RFC 8305 §5). So an address family that leads
/// nowhere costs a second instead of its whole time. Connections that come too late are dropped.
pub async fn dial_first(places: Vec<(Endpoint, Dial)>, limit: Duration) -> Race {
    let count = places.len();
    let mut places = places.into_iter();
    let attempts = std::iter::from_fn(move || {
        let (endpoint, how) = places.next()?;
        Some(async move { dial(&endpoint, &how, limit).await })
    });
    let (won, lost) = race(attempts, count).await;
    Race { won, lost }
}

async fn race<T: Send + 'static, F: Future<Output = io::Result<T>> + Send + 'static>(
    mut attempts: impl Iterator<Item = F>,
    count: usize,
) -> (Option<(usize, T)>, Vec<(usize, io::Error)>) {
    let (mut running, mut lost) = (JoinSet::new(), Vec::new());
    let mut begun = 0;
    loop {
        if let Some(attempt) = attempts.next() {
            let at = begun;
            begun += 1;
            running.spawn(async move { (at, attempt.await) });
        }
        let ended = if begun < count {
            match tokio::time::timeout(ATTEMPT_DELAY, running.join_next()).await {
                Ok(ended) => ended,
                // Silent: the next one is tried beside it.
                Err(_) => continue,
            }
        } else {
            running.join_next().await
        };
        match ended {
            Some(Ok((at, Ok(made)))) => return (Some((at, made)), lost),
            Some(Ok((at, Err(error)))) => lost.push((at, error)),
            Some(Err(_)) => {}
            None if begun < count => {}
            None => return (None, lost),
        }
    }
}

async fn connect(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = source.filter(|source| source.is_ipv4() == address.is_ipv4()) {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    // Commands and replies are small and wait for each other.
    socket.set_nodelay(true)?;
    socket.connect(address).await
}

/// Whether `address` is one of this machine's own, or stands for all of them.
pub fn is_own_address(address: IpAddr) -> bool {
    // The system lets nobody bind another's address; no packet leaves.
    address.is_loopback() || address.is_unspecified() || std::net::UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn now<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn the_source_address_is_the_one_asked_for() {
        now(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = Endpoint::Tcp(listener.local_addr().unwrap());
            let from = Dial { source: Some("127.0.0.9".parse().unwrap()), proxy: None };
            let limit = Duration::from_secs(5);
            let (dialled, accepted) = tokio::join!(dial(&endpoint, &from, limit), listener.accept());
            assert!(matches!(dialled.unwrap(), Stream::Tcp(_)));
            assert_eq!(accepted.unwrap().1.ip().to_string(), "127.0.0.9");
            // One of the other family is no reason to fail.
            let from = Dial { source: Some("::1".parse().unwrap()), proxy: None };
            assert!(dial(&endpoint, &from, limit).await.is_ok());
        });
    }

    #[test]
    fn nobody_there_is_an_error() {
        now(async {
            let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
            let refused = dial(&Endpoint::Tcp(gone), &Dial::default(), Duration::from_secs(5)).await;
            assert_eq!(refused.err().map(|error| error.kind()), Some(io::ErrorKind::ConnectionRefused));
            let none =
                dial(&Endpoint::Unix("/nowhere/at/all".into()), &Dial::default(), Duration::from_secs(5))
                    .await;
            assert_eq!(none.err().map(|error| error.kind()), Some(io::ErrorKind::NotFound));
        });
    }

    /// Attempts that end after so many milliseconds, well or badly; who won, who lost, and after how long.
    fn raced(rows: &[(u64, bool)]) -> (Option<usize>, Vec<usize>, u64) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let begun = tokio::time::Instant::now();
            let attempts: Vec<_> = rows
                .iter()
                .map(|&(milliseconds, well)| async move {
                    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                    if well { Ok(()) } else { Err(io::Error::from(io::ErrorKind::ConnectionRefused)) }
                })
                .collect();
            let (won, lost) = race(attempts.into_iter(), rows.len()).await;
            let took = u64::try_from(begun.elapsed().as_millis()).unwrap();
            (won.map(|(at, ())| at), lost.into_iter().map(|(at, _)| at).collect(), took)
        })
    }

    #[test]
    fn the_first_address_that_answers_is_taken() {
        assert_eq!(raced(&[(20, true), (1, true)]), (Some(0), vec![], 20), "the better one is not overtaken");
        assert_eq!(raced(&[(20, false), (30, true)]), (Some(1), vec![0], 50), "a refusal costs no pause");
        assert_eq!(raced(&[(30_000, false), (40, true)]), (Some(1), vec![], 1040), "silence costs a second");
        assert_eq!(raced(&[(30_000, false), (30_000, false), (5, true)]), (Some(2), vec![], 2005));
        assert_eq!(raced(&[(1500, true), (3000, true)]), (Some(0), vec![], 1500), "slow, but the first");
        assert_eq!(raced(&[(3000, false), (500, false)]), (None, vec![1, 0], 3000));
        assert_eq!(raced(&[]), (None, vec![], 0));
    }

    #[test]
    fn own_addresses_are_known() {
        assert!(is_own_address("127.0.0.7".parse().unwrap()));
        assert!(is_own_address("::1".parse().unwrap()));
        assert!(!is_own_address("192.0.2.1".parse().unwrap()));
    }
}
