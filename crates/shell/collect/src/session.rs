//! What connections to both kinds of servers have in common: how they begin, how octets move, and when they are of no use
//! any more.

use crate::dial::{self, Environment, Limits, Server};
use crate::trouble::Trouble;
use crate::wire_pump::{Talker, Wire};
use wire::TlsInfo;

/// A client without I/O.
pub(crate) trait Client: Talker {
    /// What its commands bring.
    type Told;

    /// TLS stands.
    fn tls_started(&mut self, info: TlsInfo);

    /// Whether no command runs, on a session that stands.
    fn is_idle(&self) -> bool;

    /// Works until something is needed or there is something to tell; troubles name the server.
    fn work(&mut self, server: &Server) -> Work<Self::Told>;
}

/// What a client wants next, or has to tell.
pub(crate) enum Work<T> {
    /// Octets.
    Input,
    /// That its own leave.
    Flush,
    /// TLS, when its own have left.
    StartTls,
    /// Nothing: somebody is logged in.
    Ready,
    /// Nothing: this came.
    Told(T),
    /// Nothing any more; why. None: this side said good-bye.
    Closed(Option<Trouble>),
}

/// What the pump stopped for.
pub(crate) enum Event<T> {
    StartTls,
    Ready,
    Told(T),
    /// This side said good-bye, and was answered.
    Over,
}

/// A client with its socket.
pub(crate) struct Session<C> {
    pub client: C,
    pub server: Server,
    wire: Wire,
    limits: Limits,
    is_broken: bool,
}

impl<C: Client> Session<C> {
    /// Dials, encrypts, logs in with the client that `make` makes when it knows whether a secret may be said without TLS.
    ///
    /// # Errors
    /// [`Trouble`], within [`Limits::opening`].
    pub async fn open(
        server: &Server,
        environment: &Environment,
        make: impl FnOnce(bool) -> C,
    ) -> Result<Session<C>, Trouble> {
        let opening = Session::log_in(server, environment, make);
        tokio::time::timeout(environment.limits.opening, opening).await.unwrap_or_else(|_| {
            Err(Trouble::Unreachable(format!("{server}: connecting and logging in took too long")))
        })
    }

    async fn log_in(
        server: &Server,
        environment: &Environment,
        make: impl FnOnce(bool) -> C,
    ) -> Result<Session<C>, Trouble> {
        let dialled = dial::dial(server, environment).await?;
        let mut client = make(dialled.plaintext_auth);
        if let Some(info) = dialled.tls {
            client.tls_started(info);
        }
        let (wire, limits) = (dialled.wire, environment.limits);
        let mut session = Session { client, server: server.clone(), wire, limits, is_broken: false };
        loop {
            match session.pump().await? {
                Event::Ready => return Ok(session),
                Event::StartTls => {
                    let stream = session.wire.take_stream();
                    let (stream, info) = dial::handshake(stream, server, environment).await?;
                    session.wire.put_stream(stream);
                    session.client.tls_started(info);
                }
                Event::Told(_) | Event::Over => return Err(session.surprised()),
            }
        }
    }

    /// Whether it can still be used.
    pub fn is_alive(&self) -> bool {
        !self.is_broken
    }

    /// Runs something on it; one that was given up in the middle of something is of no use.
    pub async fn within<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Session<C>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        if self.is_broken {
            return Err(self.ended());
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

    /// The next thing that commands bring.
    pub async fn told(&mut self) -> Result<C::Told, Trouble> {
        match self.pump().await? {
            Event::Told(told) => Ok(told),
            _ => Err(self.surprised()),
        }
    }

    /// Moves octets until the client has something to tell.
    pub async fn pump(&mut self) -> Result<Event<C::Told>, Trouble> {
        loop {
            match self.client.work(&self.server) {
                Work::Input => self.wire.read(&mut self.client).await,
                Work::Flush => self.wire.send(&mut self.client).await,
                Work::StartTls => {
                    self.wire.send(&mut self.client).await;
                    return Ok(Event::StartTls);
                }
                Work::Ready => return Ok(Event::Ready),
                Work::Told(told) => return Ok(Event::Told(told)),
                Work::Closed(None) => return Ok(Event::Over),
                Work::Closed(Some(trouble)) => {
                    self.hang_up().await;
                    return Err(trouble);
                }
            }
        }
    }

    /// Sends the last words; nobody waits for an answer.
    pub async fn hang_up(&mut self) {
        self.is_broken = true;
        self.wire.hang_up(&mut self.client).await;
    }

    /// What has come answers nothing that was asked.
    pub fn surprised(&self) -> Trouble {
        Trouble::Protocol(format!("{}: it answers what was not asked", self.server))
    }

    /// It can't be used any more.
    pub fn ended(&self) -> Trouble {
        Trouble::Unreachable(format!("{}: the connection has ended", self.server))
    }

    /// Whoever takes a message could not.
    pub fn untaken(&self, error: &std::io::Error) -> Trouble {
        Trouble::Sink(format!("a message of {} could not be taken: {error}", self.server))
    }
}
