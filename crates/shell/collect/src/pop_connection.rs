//! One connection to a POP3 server.

use crate::Sink;
use crate::dial::{self, Credentials, Environment, Limits, Server, Tls};
use crate::trouble::Trouble;
use crate::wire_pump::Wire;
use pop3::client::{Apop, Client, Done, Refusal, Settings, Step, TlsWish};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A connection on which somebody is logged in; the maildrop is his alone until it ends. Deletions take effect with
/// [`PopConnection::quit`] only: dropping a connection leaves everything there. After a [`Trouble`] that is about the
/// connection (everything but [`Trouble::Gone`], [`Trouble::Refused`] and [`Trouble::Busy`]) it is of no use.
pub struct PopConnection {
    wire: Wire,
    client: Client,
    server: Server,
    limits: Limits,
    /// Messages that were asked for and have not come.
    asked: VecDeque<u32>,
    /// Why some that were asked for did not come.
    refusal: Option<Trouble>,
    is_broken: bool,
}

/// A message in the maildrop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MaildropEntry {
    /// Its number in this session, from 1.
    pub number: u32,
    /// By what it is known in every session (RFC 1939 §7, UIDL); None: the server has no such thing.
    pub unique_id: Option<String>,
    /// How long it is, in octets, as the server says.
    pub size_bytes: u64,
}

/// What the pump stopped for.
enum Told {
    Ready,
    StartTls,
    Size(u32, u64),
    UniqueId(u32, String),
    Content(Vec<u8>),
    Done(Result<Done, Refusal>),
    /// QUIT was answered.
    Quit,
}

/// How long closing may take.
const GOODBYE_MAX: Duration = Duration::from_secs(10);

impl PopConnection {
    /// Dials, encrypts, logs in.
    ///
    /// # Errors
    /// [`Trouble`], within [`Limits::opening`].
    pub async fn open(
        server: &Server,
        credentials: &Credentials,
        environment: &Environment,
    ) -> Result<PopConnection, Trouble> {
        PopConnection::open_with(server, credentials, environment, Apop::Never).await
    }

    /// As [`PopConnection::open`], and says whether APOP is used: for old servers that have nothing better without TLS.
    ///
    /// # Errors
    /// [`Trouble`], within [`Limits::opening`].
    pub async fn open_with(
        server: &Server,
        credentials: &Credentials,
        environment: &Environment,
        apop: Apop,
    ) -> Result<PopConnection, Trouble> {
        let opening = PopConnection::log_in(server, credentials, environment, apop);
        tokio::time::timeout(environment.limits.opening, opening).await.unwrap_or_else(|_| {
            Err(Trouble::Unreachable(format!("{server}: connecting and logging in took too long")))
        })
    }

    async fn log_in(
        server: &Server,
        credentials: &Credentials,
        environment: &Environment,
        apop: Apop,
    ) -> Result<PopConnection, Trouble> {
        let dialled = dial::dial(server, environment).await?;
        let mut client = Client::new(Settings {
            tls: if server.tls == Tls::StartTls { TlsWish::Stls } else { TlsWish::AsItIs },
            credentials: sasl::client::Credentials {
                user: credentials.user.clone(),
                authorize_as: String::new(),
                secret: credentials.secret.clone(),
            },
            plaintext_auth: dialled.plaintext_auth,
            apop,
            host: (server.host.clone(), server.port),
            entropy: dial::entropy(),
            message_bytes_max: environment.limits.message_bytes_max,
        });
        if let Some(info) = dialled.tls {
            client.tls_started(info);
        }
        let mut connection = PopConnection {
            wire: dialled.wire,
            client,
            server: server.clone(),
            limits: environment.limits,
            asked: VecDeque::new(),
            refusal: None,
            is_broken: false,
        };
        loop {
            match connection.pump().await? {
                Told::Ready => return Ok(connection),
                Told::StartTls => {
                    let stream = connection.wire.take_stream();
                    let (stream, info) = dial::handshake(stream, server, environment).await?;
                    connection.wire.put_stream(stream);
                    connection.client.tls_started(info);
                }
                _ => return Err(connection.surprised()),
            }
        }
    }

    /// Whether anything can still be asked on it.
    pub fn is_usable(&self) -> bool {
        !self.is_broken
    }

    /// All messages, in the order of their numbers.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn listing(&mut self) -> Result<Vec<MaildropEntry>, Trouble> {
        self.within(async |this| {
            this.client.sizes();
            this.client.unique_ids();
            let mut entries: BTreeMap<u32, MaildropEntry> = BTreeMap::new();
            let mut done = 0;
            while done < 2 {
                match this.pump().await? {
                    Told::Size(number, size_bytes) => {
                        entries.insert(number, MaildropEntry { number, unique_id: None, size_bytes });
                    }
                    Told::UniqueId(number, id) => {
                        if let Some(entry) = entries.get_mut(&number) {
                            entry.unique_id = Some(id);
                        }
                    }
                    Told::Done(Ok(_)) => done += 1,
                    // RFC 1939 §7: UIDL is optional.
                    Told::Done(Err(_)) if done == 1 => done += 1,
                    // The answer to UIDL is still on its way: the connection is given up.
                    Told::Done(Err(refusal)) => {
                        return Err(this.refused("its messages can't be listed", &refusal));
                    }
                    _ => return Err(this.surprised()),
                }
            }
            Ok(entries.into_values().collect())
        })
        .await
    }

    /// Asks for messages, by number: all at once where the server has PIPELINING (RFC 2449 §6.6). They come with
    /// [`PopConnection::next_message`] in this order, before anything else.
    pub fn ask(&mut self, numbers: &[u32]) {
        if !self.is_broken {
            numbers.iter().for_each(|number| self.client.message(*number));
            self.asked.extend(numbers);
        }
    }

    /// Hands on the next message of those that were asked for, and answers its number. None: that was all. What the sink
    /// got before an error is not the message.
    ///
    /// # Errors
    /// [`Trouble`]; that of a connection which [is usable](PopConnection::is_usable) comes at the end: the server did not
    /// give those that are missing.
    pub async fn next_message(&mut self, sink: Sink<'_>) -> Result<Option<u32>, Trouble> {
        self.within(async |this| {
            while let Some(number) = this.asked.front().copied() {
                match this.pump().await? {
                    Told::Content(octets) => {
                        if let Err(error) = sink(&octets) {
                            return Err(Trouble::Sink(format!(
                                "message {number} of {} could not be taken: {error}",
                                this.server
                            )));
                        }
                    }
                    Told::Done(Ok(Done::Message { .. })) => {
                        this.asked.pop_front();
                        return Ok(Some(number));
                    }
                    Told::Done(Err(refusal)) => {
                        this.asked.pop_front();
                        let trouble = this.refused(&format!("message {number} can't be fetched"), &refusal);
                        this.refusal.get_or_insert(trouble);
                    }
                    _ => return Err(this.surprised()),
                }
            }
            this.refusal.take().map_or(Ok(None), Err)
        })
        .await
    }

    /// Marks a message: it goes with [`PopConnection::quit`].
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn delete(&mut self, number: u32) -> Result<(), Trouble> {
        self.delete_all(&[number]).await
    }

    /// Marks messages, without waiting for each answer where the server allows that.
    ///
    /// # Errors
    /// The first [`Trouble`]; all others are marked nevertheless, unless the connection broke.
    pub async fn delete_all(&mut self, numbers: &[u32]) -> Result<(), Trouble> {
        self.within(async |this| {
            for number in numbers {
                this.client.delete(*number);
            }
            let mut outcome = Ok(());
            for number in numbers {
                match this.pump().await? {
                    Told::Done(Ok(_)) => {}
                    Told::Done(Err(refusal)) => {
                        let trouble = this.refused(&format!("message {number} can't be deleted"), &refusal);
                        outcome = outcome.and(Err(trouble));
                    }
                    _ => return Err(this.surprised()),
                }
            }
            outcome
        })
        .await
    }

    /// Takes all marks away.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn reset(&mut self) -> Result<(), Trouble> {
        self.plain(Client::reset, "deletions can't be taken back").await
    }

    /// Keeps the connection alive while something else takes long.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn noop(&mut self) -> Result<(), Trouble> {
        self.plain(Client::noop, "it does not answer").await
    }

    /// Says good-bye; what is marked is removed. Without an Ok that is not known.
    ///
    /// # Errors
    /// [`Trouble`]; [`Trouble::Refused`]: some may be there still.
    pub async fn quit(mut self) -> Result<(), Trouble> {
        let outcome = self
            .within(async |this| {
                this.client.quit();
                match this.pump().await? {
                    Told::Quit => Ok(()),
                    _ => Err(this.surprised()),
                }
            })
            .await;
        self.hang_up().await;
        outcome
    }

    /// Hangs up: nothing that is marked is removed (RFC 1939 §6).
    pub async fn abandon(mut self) {
        self.hang_up().await;
    }

    async fn hang_up(&mut self) {
        let _ = tokio::time::timeout(GOODBYE_MAX, self.wire.hang_up(&mut self.client)).await;
    }

    async fn plain(&mut self, give: fn(&mut Client), what: &str) -> Result<(), Trouble> {
        self.within(async |this| {
            give(&mut this.client);
            match this.pump().await? {
                Told::Done(Ok(_)) => Ok(()),
                Told::Done(Err(refusal)) => Err(this.refused(what, &refusal)),
                _ => Err(this.surprised()),
            }
        })
        .await
    }

    fn refused(&self, what: &str, refusal: &Refusal) -> Trouble {
        Trouble::of_pop_refusal(&self.server.to_string(), what, refusal)
    }

    fn surprised(&self) -> Trouble {
        Trouble::Protocol(format!("{}: it answers what was not asked", self.server))
    }

    /// Runs something on the connection; one that was given up in the middle of something is of no use.
    async fn within<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PopConnection) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        if self.is_broken {
            return Err(Trouble::Unreachable(format!("{}: the connection has ended", self.server)));
        }
        // A caller that stops waiting leaves an answer unread, which the next command would take for its own.
        self.is_broken = true;
        let limit = self.limits.operation;
        match tokio::time::timeout(limit, work(&mut *self)).await {
            Ok(outcome) => {
                self.is_broken = match &outcome {
                    Ok(_) => false,
                    Err(Trouble::Gone(_) | Trouble::Refused(_) | Trouble::Busy(_)) => !self.client.is_idle(),
                    Err(_) => true,
                };
                outcome
            }
            Err(_) => Err(Trouble::Unreachable(format!("{}: the server took too long", self.server))),
        }
    }

    /// Moves octets until the client has something to tell.
    async fn pump(&mut self) -> Result<Told, Trouble> {
        loop {
            match self.client.step() {
                Step::NeedInput => self.wire.read(&mut self.client).await,
                Step::Flush => self.wire.send(&mut self.client).await,
                Step::StartTls => {
                    self.wire.send(&mut self.client).await;
                    return Ok(Told::StartTls);
                }
                Step::Ready => return Ok(Told::Ready),
                Step::Size { number, bytes } => return Ok(Told::Size(number, bytes)),
                Step::UniqueId { number, id } => return Ok(Told::UniqueId(number, id)),
                Step::Content(octets) => return Ok(Told::Content(octets)),
                Step::Done(outcome) => return Ok(Told::Done(outcome)),
                Step::Closed(Ok(())) => return Ok(Told::Quit),
                Step::Closed(Err(fault)) => {
                    self.hang_up().await;
                    return Err(Trouble::of_pop(&self.server.to_string(), &fault));
                }
            }
        }
    }
}
