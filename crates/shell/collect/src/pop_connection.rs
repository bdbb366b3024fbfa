//! One connection to a POP3 server.

use crate::Sink;
use crate::dial::{self, Credentials, Environment, Server, Tls};
use crate::session::{self, Event, Session, Work};
use crate::trouble::Trouble;
use pop3::client::{Apop, Client, Done, Refusal, Settings, Step, TlsWish};
use std::collections::{BTreeMap, VecDeque};
use wire::TlsInfo;

/// A connection on which somebody is logged in; the maildrop is his alone until it ends. Deletions take effect with
/// [`PopConnection::quit`] only: dropping a connection leaves everything there. After a [`Trouble`] that is about the
/// connection (everything but [`Trouble::Gone`], [`Trouble::Refused`] and [`Trouble::Busy`]) it is of no use.
pub struct PopConnection {
    session: Session<Client>,
    /// Messages that were asked for and have not come.
    asked: VecDeque<u32>,
    /// Why some that were asked for did not come.
    refusal: Option<Trouble>,
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

/// What commands bring.
pub(crate) enum Told {
    Size(u32, u64),
    UniqueId(u32, String),
    Content(Vec<u8>),
    Done(Result<Done, Refusal>),
}

impl session::Client for Client {
    type Told = Told;

    fn tls_started(&mut self, info: TlsInfo) {
        Client::tls_started(self, info);
    }

    fn is_idle(&self) -> bool {
        Client::is_idle(self)
    }

    fn work(&mut self, server: &Server) -> Work<Told> {
        match self.step() {
            Step::NeedInput => Work::Input,
            Step::Flush => Work::Flush,
            Step::StartTls => Work::StartTls,
            Step::Ready => Work::Ready,
            Step::Size { number, bytes } => Work::Told(Told::Size(number, bytes)),
            Step::UniqueId { number, id } => Work::Told(Told::UniqueId(number, id)),
            Step::Content(octets) => Work::Told(Told::Content(octets)),
            Step::Done(outcome) => Work::Told(Told::Done(outcome)),
            Step::Closed(Ok(())) => Work::Closed(None),
            Step::Closed(Err(fault)) => Work::Closed(Some(Trouble::of_pop(&server.to_string(), &fault))),
        }
    }
}

impl Session<Client> {
    fn refused(&self, what: &str, refusal: &Refusal) -> Trouble {
        Trouble::of_pop_refusal(&self.server.to_string(), what, refusal)
    }
}

impl PopConnection {
    /// Dials, encrypts, logs in.
    ///
    /// # Errors
    /// [`Trouble`], within [`Limits::opening`](crate::Limits::opening).
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
    /// [`Trouble`], within [`Limits::opening`](crate::Limits::opening).
    pub async fn open_with(
        server: &Server,
        credentials: &Credentials,
        environment: &Environment,
        apop: Apop,
    ) -> Result<PopConnection, Trouble> {
        let settings = |plaintext_auth| Settings {
            tls: if server.tls == Tls::StartTls { TlsWish::Stls } else { TlsWish::AsItIs },
            credentials: sasl::client::Credentials {
                user: credentials.user.clone(),
                authorize_as: String::new(),
                secret: credentials.secret.clone(),
            },
            plaintext_auth,
            apop,
            host: (server.host.clone(), server.port),
            entropy: dial::entropy(),
            message_bytes_max: environment.limits.message_bytes_max,
        };
        let session =
            Session::open(server, environment, |plaintext_auth| Client::new(settings(plaintext_auth)))
                .await?;
        Ok(PopConnection { session, asked: VecDeque::new(), refusal: None })
    }

    /// Whether anything can still be asked on it.
    pub fn is_usable(&self) -> bool {
        self.session.is_alive()
    }

    /// All messages, in the order of their numbers.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn listing(&mut self) -> Result<Vec<MaildropEntry>, Trouble> {
        self.session
            .within(async |session| {
                session.client.sizes();
                session.client.unique_ids();
                let mut entries: BTreeMap<u32, MaildropEntry> = BTreeMap::new();
                let mut done = 0;
                while done < 2 {
                    match session.told().await? {
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
                            return Err(session.refused("its messages can't be listed", &refusal));
                        }
                        _ => return Err(session.surprised()),
                    }
                }
                Ok(entries.into_values().collect())
            })
            .await
    }

    /// Asks for messages, by number: all at once where the server has PIPELINING (RFC 2449 §6.6). They come with
    /// [`PopConnection::next_message`] in this order, before anything else.
    pub fn ask(&mut self, numbers: &[u32]) {
        if self.session.is_alive() {
            numbers.iter().for_each(|number| self.session.client.message(*number));
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
        let (asked, refused) = (&mut self.asked, &mut self.refusal);
        self.session
            .within(async |session| {
                while let Some(number) = asked.front().copied() {
                    match session.told().await? {
                        Told::Content(octets) => sink(&octets).map_err(|error| session.untaken(&error))?,
                        Told::Done(Ok(Done::Message { .. })) => {
                            asked.pop_front();
                            return Ok(Some(number));
                        }
                        Told::Done(Err(refusal)) => {
                            asked.pop_front();
                            let what = format!("message {number} can't be fetched");
                            let trouble = session.refused(&what, &refusal);
                            refused.get_or_insert(trouble);
                        }
                        _ => return Err(session.surprised()),
                    }
                }
                refused.take().map_or(Ok(None), Err)
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
        self.session
            .within(async |session| {
                for number in numbers {
                    session.client.delete(*number);
                }
                let mut outcome = Ok(());
                for number in numbers {
                    match session.told().await? {
                        Told::Done(Ok(_)) => {}
                        Told::Done(Err(refusal)) => {
                            let trouble =
                                session.refused(&format!("message {number} can't be deleted"), &refusal);
                            outcome = outcome.and(Err(trouble));
                        }
                        _ => return Err(session.surprised()),
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
            .session
            .within(async |session| {
                session.client.quit();
                match session.pump().await? {
                    Event::Over => Ok(()),
                    _ => Err(session.surprised()),
                }
            })
            .await;
        self.session.hang_up().await;
        outcome
    }

    /// Hangs up: nothing that is marked is removed (RFC 1939 §6).
    pub async fn abandon(mut self) {
        self.session.hang_up().await;
    }

    async fn plain(&mut self, give: fn(&mut Client), what: &str) -> Result<(), Trouble> {
        self.session
            .within(async |session| {
                give(&mut session.client);
                match session.told().await? {
                    Told::Done(Ok(_)) => Ok(()),
                    Told::Done(Err(refusal)) => Err(session.refused(what, &refusal)),
                    _ => Err(session.surprised()),
                }
            })
            .await
    }
}
