//! One connection to one host: dialled, greeted, encrypted, logged in, then used for message after message.
//!
//! Runs [`smtp::client::Client`] against a socket. Reads while it writes, so that neither side waits for the other, and
//! has patience with a peer only as long as it brings the session on: octets that make no reply do not count.

use crate::Courier;
use crate::clock;
use crate::content::Content;
use crate::envelope;
use crate::fate::Fate;
use crate::hosts;
use crate::pool::Kind;
use crate::security::{self, Begun};
use crate::settings::Settings;
use crate::under_way::{Left, Mark};
use net::{Dial, Endpoint, HostProof, Race, SocksProxy, Stream};
use queue::{Entry, Onward, Recipient, TimeKept};
use route::{Login, Way};
use sasl::client::{Credentials, Secret};
use smtp::client::{Client, Extension, Lack, Outcome, Stage, Step, Why};
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;
use transport::Demand;
use wire::TlsInfo;

/// How long TCP, greeting, TLS and log-in may take together: a host that drips lines is given up.
const OPENING_MAX: Duration = Duration::from_secs(15 * 60);
/// A message may take a second for so many octets, beside [`Settings::message_time`].
const OCTETS_A_SECOND: u64 = 8 * 1024;
/// How long a good-bye may take.
const GOODBYE_MAX: Duration = Duration::from_secs(10);

/// Whether a connection that waits may be taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Opened {
    /// Yes.
    Perhaps,
    /// No: a new one.
    Anew,
}

/// See the module.
pub(crate) struct Connection {
    stream: Stream,
    client: Client,
    /// What is on its way to the peer, and how much of it has left.
    output: Vec<u8>,
    sent: usize,
    /// Whether TLS may still hold some of what was written.
    is_unflushed: bool,
    protocol: route::Protocol,
    messages: u32,
    is_closed: bool,
    waiting: Waiting,
}

/// Since when the peer makes us wait, and in which stage.
#[derive(Clone, Copy)]
struct Waiting {
    stage: Stage,
    since: Instant,
    /// Whatever it does, not longer.
    at_most: Option<Instant>,
}

/// What the pump stopped for.
enum Stop {
    Ready,
    WantContent,
    Transacted(Vec<Outcome>),
    Closed(Result<(), Outcome>),
    StartTls,
}

impl Connection {
    /// Dials these addresses of the kind's host: the first that answers is taken.
    pub(crate) async fn race(
        kind: &Kind,
        endpoints: &[Endpoint],
        settings: &Settings,
        courier: &Courier,
    ) -> Race {
        let way = |endpoint: &Endpoint| {
            let towards = towards(endpoint);
            let source = towards.and_then(|towards| courier.sources.next(&kind.way.sources, towards));
            (endpoint.clone(), Dial { source, proxy: None })
        };
        net::dial_first(endpoints.iter().map(way).collect(), settings.connect_timeout).await
    }

    /// Brings the session to where a message can be sent, over `stream`, or dials.
    pub(crate) async fn open(
        kind: &Kind,
        settings: &Settings,
        courier: &Courier,
        domain: Option<&str>,
        stream: Option<Stream>,
    ) -> Result<Connection, Fate> {
        let (demand, mut begun) = (&kind.security.demand, Begun::default());
        let opening = async {
            match Connection::try_open(kind, settings, courier, demand, &mut begun, stream).await {
                // RFC 7435 §4: what would have been sent in clear anyhow is, when TLS fails.
                Err(Refused::Handshake(why)) if demand.allows_clear() && !kind.way.implicit_tls => {
                    tracing::info!(host = kind.name, endpoint = %kind.endpoint, why, "TLS failed; sending in clear");
                    Connection::try_open(kind, settings, courier, &Demand::clear(), &mut begun, None).await
                }
                other => other,
            }
        };
        let opened = tokio::time::timeout(OPENING_MAX, opening).await;
        let no_tls = matches!(&opened, Ok(Err(Refused::Handshake(_))))
            || matches!(&opened, Ok(Err(Refused::Said(outcome))) if outcome.why == Why::Lacks(Lack::Tls));
        begun.talked |= no_tls;
        begun.tell(courier, domain, kind);
        let refused = match opened {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(refused)) => refused,
            Err(_) => Refused::Dial("the connection took too long to be of use".into()),
        };
        let of = |why: String| format!("{}[{}]: {why}", kind.name, kind.endpoint);
        Err(match refused {
            Refused::Dial(why) => Fate::unreachable(&kind.name, &kind.endpoint, &why),
            // RFC 7435, RFC 5248: X.7.5, cryptographic failure.
            Refused::Handshake(why) => Fate::unusable(
                of(format!("TLS failed: {why}")),
                if demand.is_final { "5.7.10" } else { "4.7.5" },
            ),
            Refused::Said(outcome) => Fate::of(&outcome, &kind.name),
        })
        // RFC 8689 §4.2.1: who demanded TLS is told at once that there is none.
        .map_err(|fate| if no_tls && demand.is_final { fate.for_good() } else { fate })
    }

    async fn try_open(
        kind: &Kind,
        settings: &Settings,
        courier: &Courier,
        demand: &Demand,
        begun: &mut Begun,
        stream: Option<Stream>,
    ) -> Result<Connection, Refused> {
        let mut stream = match stream {
            Some(stream) => stream,
            None => dial(kind, settings, courier).await.map_err(Refused::Dial)?,
        };
        begun.local = stream.local_address();
        let proof = HostProof::new(demand, &courier.guard.authorities())
            .map_err(|error| Refused::Handshake(error.to_string()))?;
        let mut client = Client::new(client_settings(kind, settings, demand));
        if kind.way.implicit_tls {
            let (secured, info) = handshake(stream, &proof, &kind.name, settings, begun).await?;
            stream = secured;
            client.tls_started(info);
        }
        let waiting = Waiting { stage: client.stage(), since: Instant::now(), at_most: None };
        let mut connection = Connection {
            stream,
            client,
            output: Vec::new(),
            sent: 0,
            is_unflushed: false,
            protocol: kind.way.protocol,
            messages: 0,
            is_closed: false,
            waiting,
        };
        loop {
            match connection.pump().await {
                Stop::Ready => {
                    begun.talked = true;
                    return Ok(connection);
                }
                Stop::StartTls => {
                    let stream = std::mem::replace(&mut connection.stream, Stream::Gone);
                    let (secured, info) = handshake(stream, &proof, &kind.name, settings, begun).await?;
                    connection.stream = secured;
                    connection.client.tls_started(info);
                }
                Stop::Closed(Err(outcome)) => {
                    connection.flush_last_words().await;
                    return Err(Refused::Said(Box::new(outcome)));
                }
                Stop::Closed(Ok(())) | Stop::WantContent | Stop::Transacted(_) => {
                    return Err(Refused::Dial("the session ended before it began".into()));
                }
            }
        }
    }

    /// On a connection that the peer has made and turned round (RFC 2645 §5.3): he greets, as a server.
    ///
    /// # Errors
    /// Why the session does not come to stand.
    pub(crate) async fn over(
        stream: Stream,
        customer: &str,
        settings: &Settings,
    ) -> Result<Connection, String> {
        let mut client = Client::new(smtp::client::Settings {
            // Where there is TLS, it stands; who is there has proved it by logging in.
            tls: smtp::client::TlsWish::Never,
            host: (customer.to_owned(), 0),
            patience: settings.patience,
            ..smtp::client::Settings::new(settings.hello.clone())
        });
        if matches!(stream, Stream::Tls(_)) {
            client.tls_started(TlsInfo::default());
        }
        let waiting = Waiting { stage: client.stage(), since: Instant::now(), at_most: None };
        let mut connection = Connection {
            stream,
            client,
            output: Vec::new(),
            sent: 0,
            is_unflushed: false,
            protocol: route::Protocol::Smtp,
            messages: 0,
            is_closed: false,
            waiting,
        };
        match tokio::time::timeout(OPENING_MAX, connection.pump()).await {
            Ok(Stop::Ready) => Ok(connection),
            Ok(Stop::Closed(Err(outcome))) => {
                connection.flush_last_words().await;
                Err(outcome.to_string())
            }
            Ok(_) => Err("the session ended before it began".into()),
            Err(_) => Err("the connection took too long to be of use".into()),
        }
    }

    /// Whether it carried a message before.
    pub(crate) fn was_used(&self) -> bool {
        self.messages > 0
    }

    /// Messages so far.
    pub(crate) fn messages(&self) -> u32 {
        self.messages
    }

    /// Whether it is of no use any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether the host tells the sender what he wants to hear (RFC 3461 §5.2).
    pub(crate) fn onward(&self) -> Onward {
        match self.protocol {
            route::Protocol::Lmtp => Onward::Final,
            route::Protocol::Smtp if self.client.peer().has(Extension::Dsn) => Onward::Tells,
            route::Protocol::Smtp => Onward::Silent,
        }
    }

    /// Whether the host heeds the time to deliver a message by (RFC 2852 §4.1.4.2).
    pub(crate) fn time_kept(&self, entry: &Entry) -> TimeKept {
        let is_running = entry.deliver_by.is_some_and(|by| by.at > clock::now().unix_time());
        let knows = self.client.peer().has(Extension::DeliverBy);
        if is_running && !knows { TimeKept::No } else { TimeKept::Yes }
    }

    /// Whether the outcome says no more than that the peer closed a connection on which nothing was under way.
    pub(crate) fn lost_it_idle(outcome: &Outcome) -> bool {
        match &outcome.why {
            Why::Broke { stage, .. } => matches!(stage, Stage::Idle | Stage::Mail),
            Why::Replied { stage, reply } => matches!(stage, Stage::Idle | Stage::Mail) && reply.code == 421,
            _ => false,
        }
    }

    /// Hands a message over; answers an outcome for each recipient, in their order.
    ///
    /// # Errors
    /// The content can't be read; nothing has been said to the host then.
    pub(crate) async fn hand_over(
        &mut self,
        courier: &Courier,
        entry: &Entry,
        recipients: &[&Recipient],
        mut content: Content,
        marks: &mut Vec<Mark>,
    ) -> Result<Vec<Outcome>, engine::Error> {
        let peer = self.client.peer();
        let transaction = envelope::transaction(entry, recipients, &mut content, peer, &courier.world)?;
        self.messages += 1;
        self.client.send(transaction);
        let (now, settings) = (Instant::now(), courier.settings());
        let time = settings.message_time + Duration::from_secs(entry.size / OCTETS_A_SECOND);
        self.waiting = Waiting { since: now, at_most: Some(now + time), ..self.waiting };
        loop {
            match self.pump().await {
                Stop::WantContent => match content.next() {
                    Ok(piece) if !piece.is_empty() => {
                        if content.left() == 0 {
                            let first = recipients[0];
                            let (id, index, attempts) = (entry.id, first.index, first.attempts);
                            marks.extend(courier.under_way.mark(Left { id, index, attempts }));
                        }
                        self.client.content(&piece);
                    }
                    other => {
                        tracing::error!(id = %entry.id, error = ?other.err(), "a queued message can't be read to its end");
                        self.client.abandon();
                    }
                },
                Stop::Transacted(outcomes) => {
                    self.waiting.at_most = None;
                    self.is_closed = !self.client.can_send();
                    if self.is_closed {
                        // No more messages on this one, or it has ended already.
                        self.client.quit();
                        self.flush_last_words().await;
                    }
                    return Ok(outcomes);
                }
                Stop::Closed(_) | Stop::Ready | Stop::StartTls => {
                    unreachable!("a transaction ends with its outcomes")
                }
            }
        }
    }

    /// Says good-bye.
    pub(crate) async fn quit(mut self) {
        if self.is_closed {
            return;
        }
        self.client.quit();
        let goodbye = async {
            while !matches!(self.pump().await, Stop::Closed(_)) {}
            let _ = poll_fn(|cx| self.stream.poll_shutdown(cx)).await;
        };
        let _ = tokio::time::timeout(GOODBYE_MAX, goodbye).await;
    }

    /// Sends what there is, such as a QUIT whose reply nobody waits for.
    async fn flush_last_words(&mut self) {
        let words = async {
            while self.is_output_left() {
                if poll_fn(|cx| self.poll_write(cx)).await.is_err() {
                    return;
                }
            }
            let _ = poll_fn(|cx| self.stream.poll_shutdown(cx)).await;
        };
        let _ = tokio::time::timeout(GOODBYE_MAX, words).await;
    }

    /// Moves octets until the client wants something else.
    async fn pump(&mut self) -> Stop {
        loop {
            match self.client.step() {
                Step::NeedInput => self.exchange(Until::Input).await,
                Step::Flush => self.exchange(Until::Sent).await,
                Step::WantContent => {
                    if self.is_output_left() {
                        self.exchange(Until::Sent).await;
                    } else {
                        return Stop::WantContent;
                    }
                }
                Step::StartTls => {
                    while self.is_output_left() {
                        self.exchange(Until::Sent).await;
                    }
                    return Stop::StartTls;
                }
                Step::Ready => return Stop::Ready,
                Step::Transacted(outcomes) => return Stop::Transacted(outcomes),
                Step::Closed(outcome) => {
                    self.is_closed = true;
                    return Stop::Closed(outcome);
                }
            }
        }
    }

    fn is_output_left(&mut self) -> bool {
        self.is_unflushed || self.sent < self.output.len() || !self.client.output().is_empty()
    }

    /// Writes and reads until what is asked for has happened, something was read, or patience ends.
    async fn exchange(&mut self, until: Until) {
        if until == Until::Sent && !self.is_output_left() {
            return;
        }
        let stage = self.client.stage();
        if stage != self.waiting.stage {
            self.waiting = Waiting { stage, since: Instant::now(), ..self.waiting };
        }
        loop {
            let patience = self.waiting.since + self.client.patience();
            let deadline = self.waiting.at_most.map_or(patience, |at_most| patience.min(at_most));
            let moved = match tokio::time::timeout_at(deadline, poll_fn(|cx| self.poll_exchange(cx))).await {
                Err(_) => return self.client.timed_out(),
                Ok(Err(_)) => return self.client.closed(),
                Ok(Ok(moved)) => moved,
            };
            match moved {
                Moved::Wrote => {
                    self.waiting.since = Instant::now();
                    if until == Until::Sent && !self.is_output_left() {
                        return;
                    }
                }
                Moved::Read { lines } => {
                    // Each recipient's reply is waited for anew (RFC 5321 §4.5.3.2.3).
                    if lines && stage == Stage::Rcpt {
                        self.waiting.since = Instant::now();
                    }
                    return;
                }
            }
        }
    }

    fn poll_exchange(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Moved>> {
        let mut lines = false;
        let client = &mut self.client;
        let read = self.stream.poll_take(cx, &mut |octets| {
            lines |= octets.contains(&b'\n');
            client.feed(octets);
        });
        match read {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            Poll::Ready(Ok(_)) => return Poll::Ready(Ok(Moved::Read { lines })),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => {}
        }
        if self.is_output_left() { self.poll_write(cx).map_ok(|()| Moved::Wrote) } else { Poll::Pending }
    }

    /// Writes some; flushes when all is written.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.sent == self.output.len() {
            self.output.clear();
            self.sent = 0;
            std::mem::swap(&mut self.output, self.client.output());
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Input,
    Sent,
}

enum Moved {
    Wrote,
    Read { lines: bool },
}

/// Why a connection did not come to stand.
enum Refused {
    Dial(String),
    Handshake(String),
    Said(Box<Outcome>),
}

async fn handshake(
    stream: Stream,
    proof: &HostProof,
    name: &str,
    settings: &Settings,
    begun: &mut Begun,
) -> Result<(Stream, TlsInfo), Refused> {
    let outcome = proof.tls().start(stream, name, settings.patience.command).await;
    let failed = outcome.as_ref().err().map(|error| match proof.verdict() {
        Some(Err(mismatch)) => mismatch.to_string(),
        _ => error.to_string(),
    });
    begun.note(proof, failed.as_deref());
    outcome.map_err(|error| Refused::Handshake(failed.unwrap_or_else(|| error.to_string())))
}

fn client_settings(kind: &Kind, settings: &Settings, demand: &Demand) -> smtp::client::Settings {
    let way = &kind.way;
    let is_loopback = match &kind.endpoint {
        Endpoint::Tcp(address) => address.ip().is_loopback(),
        Endpoint::Unix(_) => true,
    };
    let port = match &kind.endpoint {
        Endpoint::Tcp(address) => address.port(),
        Endpoint::Unix(_) => 0,
    };
    let mut entropy = [0; 32];
    getrandom::fill(&mut entropy)
        .unwrap_or_else(|error| panic!("the system gives no random numbers: {error}"));
    smtp::client::Settings {
        protocol: match way.protocol {
            route::Protocol::Smtp => smtp::client::Protocol::Smtp,
            route::Protocol::Lmtp => smtp::client::Protocol::Lmtp,
        },
        tls: security::client_wish(demand.tls),
        credentials: way.login.as_ref().map(credentials),
        plaintext_auth: is_loopback,
        host: (kind.name.clone(), port),
        entropy,
        patience: settings.patience,
        ..smtp::client::Settings::new(settings.hello.clone())
    }
}

fn credentials(login: &Login) -> Credentials {
    let token = login
        .mechanism
        .as_deref()
        .is_some_and(|name| name.eq_ignore_ascii_case("XOAUTH2") || name.eq_ignore_ascii_case("OAUTHBEARER"));
    let secret = login.secret.clone().into();
    Credentials {
        user: login.username.clone(),
        authorize_as: String::new(),
        secret: if token { Secret::Token(secret) } else { Secret::Password(secret) },
    }
}

/// Which source address and which proxy.
async fn how_to_dial(
    way: &Way,
    endpoint: &Endpoint,
    settings: &Settings,
    courier: &Courier,
) -> Result<Dial, String> {
    let proxy = match &way.proxy {
        None => None,
        Some(proxy) => {
            let address = hosts::proxy_address(proxy, settings, &courier.world.resolver).await?;
            Some(SocksProxy { address, login: proxy.login.clone() })
        }
    };
    let towards = proxy.as_ref().map_or_else(|| towards(endpoint), |proxy| Some(proxy.address.ip()));
    let source = towards.and_then(|towards| courier.sources.next(&way.sources, towards));
    Ok(Dial { source, proxy })
}

fn towards(endpoint: &Endpoint) -> Option<IpAddr> {
    match endpoint {
        Endpoint::Tcp(address) => Some(address.ip()),
        Endpoint::Unix(_) => None,
    }
}

/// Connects, within the time that there is for it.
async fn dial(kind: &Kind, settings: &Settings, courier: &Courier) -> Result<Stream, String> {
    let dial = how_to_dial(&kind.way, &kind.endpoint, settings, courier).await?;
    net::dial(&kind.endpoint, &dial, settings.connect_timeout).await.map_err(|error| error.to_string())
}
