//! The driver: reads, feeds, steps, writes, runs questions, times out, drains on shutdown.
//!
//! Every protocol runs through these lines. Output leaves before the session waits for anything that does not come at
//! once, so pipelined replies travel together and a slow question never withholds an answer given before it.

use crate::stream::Stream;
use crate::tls::{self, Tls};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use wire::{Deflating, End, Session, Step};

#[cfg(test)]
mod tests;

/// Answers what the sessions of one protocol ask; one desk per connection.
pub trait Desk: Send {
    /// The session it serves.
    type Session: Session + Send;

    /// Answers a question. Trouble is an answer too: the session must always be able to go on.
    fn answer(
        &mut self,
        ask: <Self::Session as Session>::Ask,
    ) -> impl Future<Output = <Self::Session as Session>::Answer> + Send;

    /// The session has ended, but not the connection, which is the desk's now ([`End::Turned`]). Whoever drives waits.
    fn turned(&mut self, stream: Stream) -> impl Future<Output = ()> + Send {
        drop(stream);
        std::future::ready(())
    }

    /// Resolves when something that the session watches has changed; waits for ever when it watches nothing.
    fn changed(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// Bytes that went each way, counted inside TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the peer.
    pub bytes_in: u64,
    /// To the peer.
    pub bytes_out: u64,
}

/// One connection with its session, ready to be driven.
pub struct Conversation<D: Desk> {
    /// The bytes.
    pub stream: Stream,
    /// The protocol.
    pub session: D::Session,
    /// The world.
    pub desk: D,
    /// Certificates, where TLS may start.
    pub tls: Option<Tls>,
    /// Turns true when the server goes down.
    pub shutdown: watch::Receiver<bool>,
}

/// How long a peer may take to accept output or to finish a handshake before the connection is given up.
const STUCK: Duration = Duration::from_secs(120);

/// A waiting connection keeps an output buffer of this size at most.
const KEPT_OUTPUT_BYTES: usize = 1024;

/// Runs a session to its end.
///
/// # Errors
/// When the connection broke; the session's own errors are told to the peer and are no error here.
pub async fn drive<D: Desk>(conversation: &mut Conversation<D>) -> (Traffic, io::Result<()>) {
    let mut traffic = Traffic::default();
    let outcome = run(conversation, &mut traffic).await;
    (traffic, outcome)
}

async fn run<D: Desk>(talk: &mut Conversation<D>, traffic: &mut Traffic) -> io::Result<()> {
    loop {
        match talk.session.step(now()) {
            Step::NeedInput => {
                flush(&mut talk.stream, &mut talk.session, traffic).await?;
                wait(talk, traffic).await?;
            }
            Step::Flush => flush(&mut talk.stream, &mut talk.session, traffic).await?,
            Step::Ask(ask) => {
                let answer = ask_world(talk, ask, traffic).await?;
                talk.session.answer(answer);
            }
            Step::StartTls => {
                flush(&mut talk.stream, &mut talk.session, traffic).await?;
                Box::pin(upgrade(talk)).await?;
            }
            Step::Deflate(change) => deflate(talk, change, traffic).await?,
            Step::Close => {
                flush(&mut talk.stream, &mut talk.session, traffic).await?;
                if talk.session.facts().end == End::Turned {
                    let stream = std::mem::replace(&mut talk.stream, Stream::Gone);
                    Box::pin(talk.desk.turned(stream)).await;
                    return Ok(());
                }
                let goodbye = poll_fn(|cx| talk.stream.poll_shutdown(cx));
                let _ = tokio::time::timeout(Duration::from_secs(5), goodbye).await;
                if talk.session.facts().end != End::Quit {
                    linger(&mut talk.stream).await;
                }
                return Ok(());
            }
        }
    }
}

/// Begins or ends compression behind what has been said.
async fn deflate<D: Desk>(
    talk: &mut Conversation<D>,
    change: Deflating,
    traffic: &mut Traffic,
) -> io::Result<()> {
    match change {
        Deflating::Start { unread } => {
            flush(&mut talk.stream, &mut talk.session, traffic).await?;
            talk.stream.begin_deflate(&unread);
        }
        Deflating::Stop => {
            // Before the flush, so that the end comes together with the reply: a client may take what comes later as plain.
            talk.stream.finish_deflate();
            flush(&mut talk.stream, &mut talk.session, traffic).await?;
            let unread = talk.stream.end_deflate();
            for piece in unread.chunks(wire::FEED_BYTES_MAX) {
                talk.session.feed(piece);
            }
        }
    }
    Ok(())
}

/// How long, and for how many bytes, a refused peer that is still sending is listened to.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Reads on for a moment after the last word. A connection closed over unread bytes is reset, and a peer in the middle of
/// sending would lose the answer that says why.
async fn linger(stream: &mut Stream) {
    let mut heard = 0;
    let deaf = async {
        while heard < LINGER_BYTES_MAX {
            match poll_fn(|cx| stream.poll_take(cx, &mut |_| {})).await {
                Ok(0) | Err(_) => return,
                Ok(some) => heard += some,
            }
        }
    };
    let _ = Box::pin(tokio::time::timeout(LINGER, deaf)).await;
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Answers a question; what the session has said before it leaves first unless the answer is there at once.
async fn ask_world<D: Desk>(
    talk: &mut Conversation<D>,
    ask: <D::Session as Session>::Ask,
    traffic: &mut Traffic,
) -> io::Result<<D::Session as Session>::Answer> {
    // Boxed: the largest question must not set the size of every idle connection.
    let mut answer = Box::pin(talk.desk.answer(ask));
    let at_once = poll_fn(|cx| match answer.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => Poll::Ready(None),
    })
    .await;
    if let Some(answer) = at_once {
        return Ok(answer);
    }
    flush(&mut talk.stream, &mut talk.session, traffic).await?;
    Ok(answer.await)
}

async fn flush<S: Session>(stream: &mut Stream, session: &mut S, traffic: &mut Traffic) -> io::Result<()> {
    if session.output().is_empty() {
        return Ok(());
    }
    let mut bytes = std::mem::take(session.output());
    let mut sent = 0;
    while sent < bytes.len() {
        let some = patiently(poll_fn(|cx| stream.poll_write(cx, &bytes[sent..]))).await?;
        if some == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        sent += some;
    }
    traffic.bytes_out += sent as u64;
    patiently(poll_fn(|cx| stream.poll_flush(cx))).await?;
    bytes.clear();
    *session.output() = bytes;
    Ok(())
}

/// Completes at once when it can, and only else arms a timer.
async fn patiently<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let mut work = pin!(work);
    if let Poll::Ready(done) = poll_once(work.as_mut()).await {
        return done;
    }
    match Box::pin(tokio::time::timeout(STUCK, work)).await {
        Ok(done) => done,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes no output")),
    }
}

async fn poll_once<F: Future>(mut work: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await
}

/// Waits for the first of: bytes, a change of what is watched, the end of patience, shutdown.
async fn wait<D: Desk>(talk: &mut Conversation<D>, traffic: &mut Traffic) -> io::Result<()> {
    let Conversation { stream, session, desk, shutdown, .. } = talk;
    // Before anything is read: a peer that never pauses must not keep its session from hearing of it.
    if shutdown.has_changed().unwrap_or(false) {
        hear_shutdown(session, shutdown);
        return Ok(());
    }
    // A large buffer serves a whole download, but is not kept by a connection that may idle for an hour.
    if session.output().capacity() > KEPT_OUTPUT_BYTES {
        *session.output() = Vec::new();
    }
    let mut read = 0u64;
    let patience = session.patience();
    let mut take = poll_fn(|cx| {
        stream.poll_take(cx, &mut |bytes| {
            read += bytes.len() as u64;
            session.feed(bytes);
        })
    });
    let first = poll_once(Pin::new(&mut take)).await;
    let woken = match first {
        Poll::Ready(got) => Woken::Read(got),
        Poll::Pending => {
            // What was polled has to be dropped before the stream can be told that there will be a pause.
            stream.rest();
            let mut take = poll_fn(|cx| {
                stream.poll_take(cx, &mut |bytes| {
                    read += bytes.len() as u64;
                    session.feed(bytes);
                })
            });
            let going_down = async {
                if shutdown.wait_for(|down| *down).await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                biased;
                got = &mut take => Woken::Read(got),
                () = desk.changed() => Woken::Changed,
                () = going_down => Woken::ShutDown,
                () = tokio::time::sleep(patience) => Woken::Silence,
            }
        }
    };
    traffic.bytes_in += read;
    match woken {
        Woken::Read(Err(_)) if stream.is_garbled() => session.garbled(),
        Woken::Read(Err(error)) => return Err(error),
        Woken::Read(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
        Woken::Read(Ok(_)) => {}
        Woken::Changed => session.world_changed(),
        Woken::Silence => session.timed_out(),
        Woken::ShutDown => hear_shutdown(session, shutdown),
    }
    Ok(())
}

/// Tells the session once; from now on only the peer or the end of patience matters.
fn hear_shutdown<S: Session>(session: &mut S, shutdown: &mut watch::Receiver<bool>) {
    session.shut_down();
    let (never, receiver) = watch::channel(false);
    *shutdown = receiver;
    drop(never);
}

enum Woken {
    Read(io::Result<usize>),
    Changed,
    Silence,
    ShutDown,
}

/// The handshake, first thing or in the middle of a session. Bytes already read in clear are the session's to discard; bytes not yet
/// read are the handshake's (RFC 3207 §4.2).
pub(crate) async fn upgrade<D: Desk>(talk: &mut Conversation<D>) -> io::Result<()> {
    let tls = talk.tls.clone().ok_or_else(|| io::Error::other("no certificate is configured"))?;
    let Stream::Tcp(tcp) = std::mem::replace(&mut talk.stream, Stream::Gone) else {
        return Err(io::Error::other("TLS was asked for on a connection that cannot have it"));
    };
    let mut shutdown = talk.shutdown.clone();
    let (stream, info) = tokio::select! {
        done = tls::handshake(&tls, tcp, STUCK) => done?,
        // Nothing has been said inside TLS, so nothing is lost and nobody can be told.
        Ok(_) = shutdown.wait_for(|down| *down) => {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "the server goes down"));
        }
    };
    talk.stream = stream;
    talk.session.tls_started(info);
    Ok(())
}
