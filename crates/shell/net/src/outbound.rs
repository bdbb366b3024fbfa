//! Connections that we make: TCP from a chosen address, through a SOCKS5 proxy, or a unix socket; each bounded in time.

use crate::socks;
use crate::stream::Stream;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream, UnixStream};

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

    #[test]
    fn own_addresses_are_known() {
        assert!(is_own_address("127.0.0.7".parse().unwrap()));
        assert!(is_own_address("::1".parse().unwrap()));
        assert!(!is_own_address("192.0.2.1".parse().unwrap()));
    }
}
