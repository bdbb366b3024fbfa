//! Listening sockets: bound before privileges are dropped, served until shutdown.

use crate::admission::{Admission, Pass};
use crate::driver::{Conversation, Desk, Traffic, drive, upgrade};
use crate::stream::Stream;
use crate::tls::Tls;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use wire::TlsMode;

/// A socket that listens, not yet served.
pub enum Bound {
    /// TCP.
    Tcp(std::net::TcpListener),
    /// A unix socket.
    Unix(std::os::unix::net::UnixListener),
}

impl Bound {
    /// Binds a TCP address.
    ///
    /// # Errors
    /// As the system says (address in use, not permitted).
    pub fn tcp(address: SocketAddr) -> io::Result<Bound> {
        use socket2::{Domain, Protocol, Socket, Type};
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            // [::] and 0.0.0.0 are configured apart, so that neither depends on a system setting.
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(1024)?;
        Ok(Bound::Tcp(socket.into()))
    }

    /// Binds a unix socket; one left over from an earlier run is replaced.
    ///
    /// # Errors
    /// As the system says.
    pub fn unix(path: &Path) -> io::Result<Bound> {
        if std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket())
            && std::os::unix::net::UnixStream::connect(path).is_err()
        {
            std::fs::remove_file(path)?;
        }
        let listener = std::os::unix::net::UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok(Bound::Unix(listener))
    }

    /// The address, for people.
    pub fn address(&self) -> String {
        match self {
            Bound::Tcp(tcp) => tcp.local_addr().map(|address| address.to_string()).unwrap_or_default(),
            Bound::Unix(unix) => unix
                .local_addr()
                .ok()
                .and_then(|address| address.as_pathname().map(|path| format!("unix:{}", path.display())))
                .unwrap_or_default(),
        }
    }
}

/// What a listener speaks: makes a session and a desk for each connection, and hears of its end.
pub trait Protocol: Send + Sync + 'static {
    /// Answers the sessions' questions.
    type Desk: Desk + 'static;

    /// A new connection.
    fn begin(&self, peer: Option<IpAddr>) -> (<Self::Desk as Desk>::Session, Self::Desk);

    /// What a peer is told when no further connection is taken from it; asked once for each that is turned away.
    fn busy(&self) -> &'static [u8];

    /// A connection ended.
    fn ended(
        &self,
        peer: Option<IpAddr>,
        talk: &Conversation<Self::Desk>,
        traffic: Traffic,
        outcome: io::Result<()>,
    );

    /// A connection is gone, whatever way, even if its session panicked: once for each [`begin`](Protocol::begin).
    fn gone(&self);

    /// How TLS comes in.
    fn tls_mode(&self) -> TlsMode;
}

/// Accepts connections until shutdown, then waits for the running ones.
///
/// # Errors
/// When the socket can't be used at all.
pub async fn serve<P: Protocol>(
    bound: Bound,
    protocol: Arc<P>,
    tls: Option<Tls>,
    admission: Arc<dyn Admission>,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = match bound {
        Bound::Tcp(tcp) => Listener::Tcp(tokio::net::TcpListener::from_std(tcp)?),
        Bound::Unix(unix) => Listener::Unix(tokio::net::UnixListener::from_std(unix)?),
    };
    // Every connection holds a sender; when all are gone the receiver sees the end.
    let (alive, mut all_gone) = tokio::sync::mpsc::channel::<()>(1);
    let mut stop = shutdown.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|down| *down) => break,
        };
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            // The peer was gone before it was taken in: no trouble of ours, and others wait.
            Err(error)
                if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) =>
            {
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed");
                // Out of descriptors: the cause needs a moment to go; spinning would make it worse.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(pass) = admission.admit(peer) else {
            turn_away(stream, protocol.busy());
            continue;
        };
        let (protocol, tls, shutdown, alive) =
            (protocol.clone(), tls.clone(), shutdown.clone(), alive.clone());
        tokio::spawn(async move {
            converse(stream, peer, protocol, tls, shutdown, pass).await;
            drop(alive);
        });
    }
    drop(listener);
    drop(alive);
    let _ = all_gone.recv().await;
    Ok(())
}

enum Listener {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Listener {
    async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Listener::Tcp(tcp) => {
                let (stream, peer) = tcp.accept().await?;
                // Replies are small and waited for; output is gathered by the driver already.
                // That fails only where the peer is gone again, which the session finds out.
                let _ = stream.set_nodelay(true);
                Ok((Stream::Tcp(stream), Some(peer.ip().to_canonical())))
            }
            Listener::Unix(unix) => Ok((Stream::Unix(unix.accept().await?.0), None)),
        }
    }
}

/// Says why, without waiting for anybody.
fn turn_away(stream: Stream, text: &'static [u8]) {
    if let Stream::Tcp(mut tcp) = stream {
        tokio::spawn(async move {
            let _ = tokio::time::timeout(Duration::from_secs(5), tcp.write_all(text)).await;
        });
    }
}

/// Tells the protocol that a connection is gone.
struct Gone<P: Protocol>(Arc<P>);

impl<P: Protocol> Drop for Gone<P> {
    fn drop(&mut self) {
        self.0.gone();
    }
}

async fn converse<P: Protocol>(
    stream: Stream,
    peer: Option<IpAddr>,
    protocol: Arc<P>,
    tls: Option<Tls>,
    shutdown: watch::Receiver<bool>,
    pass: Pass,
) {
    let (session, desk) = protocol.begin(peer);
    let _gone = Gone(protocol.clone());
    let mut talk = Conversation { stream, session, desk, tls, shutdown };
    if protocol.tls_mode() == TlsMode::Implicit
        && let Err(error) = Box::pin(upgrade(&mut talk)).await
    {
        protocol.ended(peer, &talk, Traffic::default(), Err(error));
        return;
    }
    let (traffic, outcome) = drive(&mut talk).await;
    protocol.ended(peer, &talk, traffic, outcome);
    drop(pass);
}
