//! One connection's bytes: TCP or a unix socket, in clear or inside TLS. No buffer of its own.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// A connection.
pub enum Stream {
    /// TCP in clear.
    Tcp(TcpStream),
    /// A unix socket, always in clear.
    Unix(UnixStream),
    /// TCP inside TLS; boxed, because it is far larger than the others.
    Tls(Box<TlsStream<TcpStream>>),
    /// Given up, for good or during a handshake.
    Gone,
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

/// How much one read takes at most. On the stack of the poll, so that a waiting connection holds no buffer.
const READ_BYTES: usize = 32 * 1024;

impl Stream {
    /// Reads what has come and hands it to `take`; 0 bytes mean the peer closed its side.
    pub fn poll_take(
        &mut self,
        cx: &mut Context<'_>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(match self {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_read(cx, &mut buffer),
            Stream::Unix(unix) => Pin::new(unix).poll_read(cx, &mut buffer),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_read(cx, &mut buffer),
            Stream::Gone => gone(),
        })?;
        let bytes = buffer.filled();
        if !bytes.is_empty() {
            take(bytes);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    /// Writes some of `bytes`.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Unix(unix) => Pin::new(unix).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_write(cx, bytes),
            Stream::Gone => gone(),
        }
    }

    /// Pushes out what TLS still holds.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(_) | Stream::Unix(_) => Poll::Ready(Ok(())),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_flush(cx),
            Stream::Gone => gone(),
        }
    }

    /// Says good-bye (TLS close_notify, FIN).
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Unix(unix) => Pin::new(unix).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_shutdown(cx),
            Stream::Gone => gone(),
        }
    }
}
