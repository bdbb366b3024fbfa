//! One connection's bytes: TCP or a unix socket, in clear or inside TLS, and compressed above that where the session
//! turned it on. No buffer of its own but for compression.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsStream;
use wire::deflate::{Deflate, Inflate, Inflated};

/// A connection.
pub enum Stream {
    /// TCP in clear.
    Tcp(TcpStream),
    /// A unix socket, always in clear.
    Unix(UnixStream),
    /// TCP inside TLS; boxed, because it is far larger than the others.
    Tls(Box<TlsStream<TcpStream>>),
    /// Any of them, compressed (RFC 4978 §3: compressed first, then encrypted).
    Deflated(Box<Deflated>),
    /// Given up, for good or during a handshake.
    Gone,
}

/// A compressed connection.
pub struct Deflated {
    under: Stream,
    inflate: Inflate,
    deflate: Deflate,
    garbled: bool,
    /// The next flush ends our direction.
    ending: bool,
}

impl Deflated {
    fn poll_take(&mut self, cx: &mut Context<'_>, take: &mut dyn FnMut(&[u8])) -> Poll<io::Result<usize>> {
        loop {
            match self.inflate.inflate() {
                Ok(Inflated::Bytes(bytes)) => {
                    take(bytes);
                    return Poll::Ready(Ok(bytes.len()));
                }
                Ok(Inflated::Ended) => return Poll::Ready(Ok(0)),
                Ok(Inflated::NeedInput) => {}
                Err(error) => {
                    self.garbled = true;
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
                }
            }
            let inflate = &mut self.inflate;
            if ready!(self.under.poll_take(cx, &mut |bytes| inflate.feed(bytes)))? == 0 {
                return Poll::Ready(Ok(0));
            }
        }
    }

    /// Sends what is compressed.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.deflate.ready().is_empty() {
            let some = ready!(self.under.poll_write(cx, self.deflate.ready()))?;
            if some == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.deflate.consume(some);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // A little at a time: what is compressed and waits for a slow peer stays small.
        ready!(self.poll_drain(cx))?;
        let some = &bytes[..bytes.len().min(READ_BYTES)];
        self.deflate.write(some);
        Poll::Ready(Ok(some.len()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.ending) {
            self.deflate.finish();
        } else {
            self.deflate.flush();
        }
        ready!(self.poll_drain(cx))?;
        self.under.poll_flush(cx)
    }
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

/// How much one read takes at most. On the stack of the poll, so that a waiting connection holds no buffer.
const READ_BYTES: usize = 32 * 1024;

impl Stream {
    /// Our end's address, of TCP.
    pub fn local_address(&self) -> Option<std::net::IpAddr> {
        let tcp = match self {
            Stream::Tcp(tcp) => tcp,
            Stream::Tls(tls) => tls.get_ref().0,
            Stream::Unix(_) | Stream::Deflated(_) | Stream::Gone => return None,
        };
        tcp.local_addr().ok().map(|address| address.ip().to_canonical())
    }

    /// Reads what has come and hands it to `take`; 0 bytes mean the peer closed its side.
    pub fn poll_take(
        &mut self,
        cx: &mut Context<'_>,
        take: &mut dyn FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        if let Stream::Deflated(deflated) = self {
            return deflated.poll_take(cx, take);
        }
        let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(match self {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_read(cx, &mut buffer),
            Stream::Unix(unix) => Pin::new(unix).poll_read(cx, &mut buffer),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_read(cx, &mut buffer),
            Stream::Gone | Stream::Deflated(_) => gone(),
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
            Stream::Deflated(deflated) => deflated.poll_write(cx, bytes),
            Stream::Gone => gone(),
        }
    }

    /// Pushes out what TLS still holds.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(_) | Stream::Unix(_) => Poll::Ready(Ok(())),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_flush(cx),
            Stream::Deflated(deflated) => deflated.poll_flush(cx),
            Stream::Gone => gone(),
        }
    }

    /// Says good-bye (TLS close_notify, FIN).
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Unix(unix) => Pin::new(unix).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(&mut **tls).poll_shutdown(cx),
            Stream::Deflated(deflated) => deflated.under.poll_shutdown(cx),
            Stream::Gone => gone(),
        }
    }

    /// Compresses what follows, in both directions; `unread` was read already and is compressed.
    pub(crate) fn begin_deflate(&mut self, unread: &[u8]) {
        let under = std::mem::replace(self, Stream::Gone);
        let mut inflate = Inflate::default();
        inflate.feed(unread);
        let (deflate, garbled, ending) = (Deflate::default(), false, false);
        *self = Stream::Deflated(Box::new(Deflated { under, inflate, deflate, garbled, ending }));
    }

    /// Lets the next flush end the compressed output.
    pub(crate) fn finish_deflate(&mut self) {
        if let Stream::Deflated(deflated) = self {
            deflated.ending = true;
        }
    }

    /// Goes on in clear; gives what was read and is not compressed any more.
    pub(crate) fn end_deflate(&mut self) -> Vec<u8> {
        match std::mem::replace(self, Stream::Gone) {
            Stream::Deflated(mut deflated) => {
                // The peer's last line may have been read before the flush or the end of the stream behind it.
                let mut unread = Vec::new();
                while let Ok(Inflated::Bytes(bytes)) = deflated.inflate.inflate() {
                    unread.extend_from_slice(bytes);
                    if unread.len() > READ_BYTES {
                        break;
                    }
                }
                unread.extend_from_slice(deflated.inflate.unread());
                *self = deflated.under;
                unread
            }
            other => {
                *self = other;
                Vec::new()
            }
        }
    }

    /// Whether what the peer sends can't be inflated.
    pub(crate) fn is_garbled(&self) -> bool {
        matches!(self, Stream::Deflated(deflated) if deflated.garbled)
    }

    /// The connection waits: what it does not need meanwhile is given back.
    pub(crate) fn rest(&mut self) {
        if let Stream::Deflated(deflated) = self {
            deflated.deflate.rest();
            deflated.inflate.rest();
        }
    }
}
