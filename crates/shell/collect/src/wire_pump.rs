//! Moves octets between a client without I/O and its socket. Reads while it writes, so that neither side waits for the
//! other.

use net::Stream;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// The part of a client that moves octets.
pub(crate) trait Talker {
    fn feed(&mut self, octets: &[u8]);
    fn output(&mut self) -> &mut Vec<u8>;
    fn closed(&mut self);
    fn timed_out(&mut self);
}

impl Talker for imap::client::Client {
    fn feed(&mut self, octets: &[u8]) {
        imap::client::Client::feed(self, octets);
    }

    fn output(&mut self) -> &mut Vec<u8> {
        imap::client::Client::output(self)
    }

    fn closed(&mut self) {
        imap::client::Client::closed(self);
    }

    fn timed_out(&mut self) {
        imap::client::Client::timed_out(self);
    }
}

impl Talker for pop3::client::Client {
    fn feed(&mut self, octets: &[u8]) {
        pop3::client::Client::feed(self, octets);
    }

    fn output(&mut self) -> &mut Vec<u8> {
        pop3::client::Client::output(self)
    }

    fn closed(&mut self) {
        pop3::client::Client::closed(self);
    }

    fn timed_out(&mut self) {
        pop3::client::Client::timed_out(self);
    }
}

/// A socket, and what is on its way there.
pub(crate) struct Wire {
    stream: Stream,
    output: Vec<u8>,
    /// How much of `output` has left.
    sent: usize,
    /// Whether TLS may still hold some of what was written.
    is_unflushed: bool,
    silence: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Input,
    Sent,
}

enum Moved {
    Wrote,
    Read,
}

/// How long a good-bye may take.
const GOODBYE_MAX: Duration = Duration::from_secs(10);

impl Wire {
    /// `silence`: how long the peer may neither send nor take anything.
    pub(crate) fn new(stream: Stream, silence: Duration) -> Wire {
        Wire { stream, output: Vec::new(), sent: 0, is_unflushed: false, silence }
    }

    /// Sends what there is and waits for something to read; the client is told what happened.
    pub(crate) async fn read(&mut self, client: &mut impl Talker) {
        self.exchange(client, Until::Input).await;
    }

    /// Sends all that there is, before anything is read: what this side says at once is short (the client bounds it).
    pub(crate) async fn send(&mut self, client: &mut impl Talker) {
        self.exchange(client, Until::Sent).await;
    }

    /// Sends the last words; nobody waits for an answer.
    pub(crate) async fn hang_up(&mut self, client: &mut impl Talker) {
        let words = async {
            while self.is_output_left(client) {
                if poll_fn(|cx| self.poll_write(client, cx)).await.is_err() {
                    return;
                }
            }
            let _ = poll_fn(|cx| self.stream.poll_shutdown(cx)).await;
        };
        let _ = tokio::time::timeout(GOODBYE_MAX, words).await;
    }

    /// Takes the socket out for a handshake; all output is to be sent before.
    pub(crate) fn take_stream(&mut self) -> Stream {
        std::mem::replace(&mut self.stream, Stream::Gone)
    }

    /// Puts it back.
    pub(crate) fn put_stream(&mut self, stream: Stream) {
        self.stream = stream;
    }

    fn is_output_left(&self, client: &mut impl Talker) -> bool {
        self.is_unflushed || self.sent < self.output.len() || !client.output().is_empty()
    }

    async fn exchange(&mut self, client: &mut impl Talker, until: Until) {
        loop {
            if until == Until::Sent && !self.is_output_left(client) {
                return;
            }
            let silence = self.silence;
            let moved = poll_fn(|cx| self.poll_exchange(client, until, cx));
            match tokio::time::timeout(silence, moved).await {
                Err(_) => return client.timed_out(),
                Ok(Err(_)) => return client.closed(),
                Ok(Ok(Moved::Wrote)) => {}
                Ok(Ok(Moved::Read)) => return,
            }
        }
    }

    fn poll_exchange(
        &mut self,
        client: &mut impl Talker,
        until: Until,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Moved>> {
        if until == Until::Input {
            match self.stream.poll_take(cx, &mut |octets| client.feed(octets)) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Poll::Ready(Ok(_)) => return Poll::Ready(Ok(Moved::Read)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
        }
        if self.is_output_left(client) {
            self.poll_write(client, cx).map_ok(|()| Moved::Wrote)
        } else {
            Poll::Pending
        }
    }

    /// Writes some; flushes when all is written.
    fn poll_write(&mut self, client: &mut impl Talker, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
            std::mem::swap(&mut self.output, client.output());
        }
        if self.output.is_empty() {
            return self.stream.poll_flush(cx).map_ok(|()| self.is_unflushed = false);
        }
        let some = ready!(self.stream.poll_write(cx, &self.output[self.sent..]))?;
        if some == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.sent += some;
        self.is_unflushed = true;
        Poll::Ready(Ok(()))
    }
}
