//! One connection to an IMAP server.

use crate::Sink;
use crate::dial::{self, Credentials, Environment, Server, Tls};
use crate::session::{self, Event, Session, Work};
use crate::trouble::Trouble;
use imap::client::{
    Capability, Client, Counts, Done, Flags, Listed, Mode, Namespace, Owner, Refusal, Settings, Step,
    TlsWish, uid_sets,
};
use model::{SpecialUse, Uid, UidValidity};
use std::collections::{HashMap, VecDeque};
use wire::TlsInfo;

/// A connection on which somebody is logged in. After a [`Trouble`] that is about the connection (everything but
/// [`Trouble::Gone`], [`Trouble::Refused`] and [`Trouble::Busy`]) it is of no use: [`ImapConnection::is_usable`].
pub struct ImapConnection {
    session: Session<Client>,
    /// Names whose spelling on the wire is not the one that this side would choose.
    odd_names: HashMap<String, Vec<u8>>,
    /// Messages that are still to be asked for.
    asked: VecDeque<Uid>,
    /// Why some that were asked for did not come.
    refusal: Option<Trouble>,
}

/// A mailbox on the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    /// Its name, decoded; levels are separated by `delimiter`. The inbox is `INBOX`.
    pub name: String,
    /// What separates levels; None: there are none.
    pub delimiter: Option<char>,
    /// What it is for (RFC 6154), if the server says so.
    pub special_use: Option<SpecialUse>,
    /// Whether it can be opened and hold messages.
    pub is_selectable: bool,
    /// Whether the user has subscribed to it.
    pub is_subscribed: bool,
    /// Whose it is.
    pub owner: Owner,
    /// Octets at the beginning of `name` that only say whose it is, as `INBOX.` on some servers (RFC 2342).
    pub prefix_bytes: usize,
}

impl Folder {
    /// The levels of its name, without the prefix of the user's own mailboxes.
    pub fn levels(&self) -> Vec<&str> {
        let name = &self.name[self.prefix_bytes..];
        match self.delimiter {
            Some(delimiter) => name.split(delimiter).filter(|level| !level.is_empty()).collect(),
            None => vec![name],
        }
    }
}

/// An open mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opened {
    /// With which UIDs hold: when it is another than last time, all UIDs begin anew.
    pub uid_validity: UidValidity,
    /// The UID that the next message gets, at least; old servers do not tell.
    pub uid_next: Option<Uid>,
    /// How many messages it holds.
    pub exists: u32,
    /// The highest MODSEQ (RFC 7162), where the server has one.
    pub highest_mod_seq: Option<u64>,
    /// Flags in use.
    pub flags: Flags,
    /// Flags that can be changed for good; None: all.
    pub permanent_flags: Option<Flags>,
    /// Whether nothing can be changed.
    pub is_read_only: bool,
}

/// What became of messages that were to be deleted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Deleted {
    /// They are gone.
    Removed,
    /// They are marked `\Deleted` and stay: the server has no UIDPLUS, and EXPUNGE would remove others' as well.
    MarkedOnly,
}

/// What commands bring.
pub(crate) enum Told {
    Folder(imap::client::Folder),
    Listed(Listed),
    Content(Vec<u8>),
    Message(Uid, Option<u64>),
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
            Step::Folder(folder) => Work::Told(Told::Folder(folder)),
            Step::Listed(listed) => Work::Told(Told::Listed(listed)),
            Step::Content(octets) => Work::Told(Told::Content(octets)),
            Step::Message { uid, bytes } => Work::Told(Told::Message(uid, bytes)),
            Step::Done(outcome) => Work::Told(Told::Done(outcome)),
            Step::Closed(Ok(())) => Work::Closed(None),
            Step::Closed(Err(fault)) => Work::Closed(Some(Trouble::of_imap(&server.to_string(), &fault))),
        }
    }
}

impl Session<Client> {
    async fn namespaces(&mut self) -> Result<Vec<Namespace>, Trouble> {
        if !self.client.has(Capability::Namespace) {
            return Ok(Vec::new());
        }
        self.client.namespaces();
        match self.told().await? {
            Told::Done(Ok(Done::Namespaces(found))) => Ok(found),
            Told::Done(Err(_)) => Ok(Vec::new()),
            _ => Err(self.surprised()),
        }
    }

    async fn listed_folders(&mut self) -> Result<Vec<imap::client::Folder>, Trouble> {
        let mut found = Vec::new();
        loop {
            match self.told().await? {
                Told::Folder(folder) => found.push(folder),
                Told::Done(Ok(_)) => return Ok(found),
                Told::Done(Err(refusal)) => return Err(self.refused("its folders can't be listed", &refusal)),
                _ => return Err(self.surprised()),
            }
        }
    }

    fn refused(&self, what: &str, refusal: &Refusal) -> Trouble {
        Trouble::of_refusal(&self.server.to_string(), what, refusal)
    }
}

impl ImapConnection {
    /// Dials, encrypts, logs in.
    ///
    /// # Errors
    /// [`Trouble`], within [`Limits::opening`](crate::Limits::opening).
    pub async fn open(
        server: &Server,
        credentials: &Credentials,
        environment: &Environment,
    ) -> Result<ImapConnection, Trouble> {
        ImapConnection::open_as(server, credentials, "", environment).await
    }

    /// The same in the name of another user (RFC 4616 §2, authzid), for whom the one who logs in may act; empty: his own.
    ///
    /// # Errors
    /// As [`ImapConnection::open`].
    pub async fn open_as(
        server: &Server,
        credentials: &Credentials,
        authorize_as: &str,
        environment: &Environment,
    ) -> Result<ImapConnection, Trouble> {
        let settings = |plaintext_auth| Settings {
            tls: if server.tls == Tls::StartTls { TlsWish::StartTls } else { TlsWish::AsItIs },
            credentials: sasl::client::Credentials {
                user: credentials.user.clone(),
                authorize_as: authorize_as.to_owned(),
                secret: credentials.secret.clone(),
            },
            plaintext_auth,
            host: (server.host.clone(), server.port),
            entropy: dial::entropy(),
            message_bytes_max: environment.limits.message_bytes_max,
        };
        let session =
            Session::open(server, environment, |plaintext_auth| Client::new(settings(plaintext_auth)))
                .await?;
        Ok(ImapConnection { session, odd_names: HashMap::new(), asked: VecDeque::new(), refusal: None })
    }

    /// Whether anything can be asked on it now.
    pub fn is_usable(&self) -> bool {
        self.session.is_alive() && self.session.client.is_idle() && self.asked.is_empty()
    }

    /// All mailboxes, those that can't be opened, too, each once, in the server's order.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn folders(&mut self) -> Result<Vec<Folder>, Trouble> {
        let (listed, namespaces) = self
            .within(async |session| {
                let namespaces = session.namespaces().await?;
                session.client.folders();
                let mut listed = session.listed_folders().await?;
                if !session.client.lists_subscriptions() {
                    session.client.subscriptions();
                    // Not to know what is subscribed to is no reason not to know what there is.
                    match session.listed_folders().await {
                        Ok(subscribed) => mark_subscribed(&mut listed, &subscribed),
                        Err(Trouble::Refused(_)) => {}
                        Err(trouble) => return Err(trouble),
                    }
                }
                Ok((listed, namespaces))
            })
            .await?;
        Ok(self.told_folders(listed, &namespaces))
    }

    fn told_folders(&mut self, listed: Vec<imap::client::Folder>, namespaces: &[Namespace]) -> Vec<Folder> {
        let mut seen = std::collections::HashSet::new();
        let mut folders = Vec::new();
        for folder in listed {
            if !seen.insert(folder.name.clone()) {
                continue;
            }
            if self.session.client.wire_name(&folder.name) != folder.wire_name {
                self.odd_names.insert(folder.name.clone(), folder.wire_name.clone());
            }
            let (owner, prefix) = self.place(&folder, namespaces);
            folders.push(Folder {
                name: folder.name,
                delimiter: folder.delimiter,
                special_use: folder.special_use,
                is_selectable: folder.is_selectable,
                is_subscribed: folder.is_subscribed,
                owner,
                prefix_bytes: prefix,
            });
        }
        folders
    }

    /// Whose a mailbox is, and how many octets of its name say so: by the longest prefix that fits.
    fn place(&self, folder: &imap::client::Folder, namespaces: &[Namespace]) -> (Owner, usize) {
        let longest = namespaces
            .iter()
            .map(|space| (space, self.session.client.shown_name(&space.prefix)))
            .filter(|(space, prefix)| {
                let stem = space.delimiter.and_then(|delimiter| prefix.strip_suffix(delimiter));
                folder.name.starts_with(prefix.as_str()) || stem == Some(folder.name.as_str())
            })
            .max_by_key(|(_, prefix)| prefix.len());
        match longest {
            Some((space, prefix)) if space.owner == Owner::Oneself => {
                let is_below = folder.name.len() > prefix.len() && folder.name.starts_with(prefix.as_str());
                (Owner::Oneself, if is_below { prefix.len() } else { 0 })
            }
            Some((space, _)) => (space.owner, 0),
            None => (Owner::Oneself, 0),
        }
    }

    /// Opens a mailbox, by its name as [`ImapConnection::folders`] tells it, or any other.
    ///
    /// # Errors
    /// [`Trouble`]; [`Trouble::Refused`] and [`Trouble::Gone`] are about the mailbox.
    pub async fn open_folder(&mut self, name: &str, mode: Mode) -> Result<Opened, Trouble> {
        let wire_name = self.spelled(name);
        let told = self.asked(|client| client.open(&wire_name, mode)).await?;
        let opened = match told {
            Told::Done(Ok(Done::Opened(opened))) => opened,
            Told::Done(Err(refusal)) => {
                return Err(self.session.refused(&format!("the folder {name} can't be opened"), &refusal));
            }
            _ => return Err(self.session.surprised()),
        };
        let Some(uid_validity) = opened.uid_validity else {
            return Err(Trouble::Protocol(format!(
                "{}: it tells no UIDVALIDITY of {name}: which messages are new can't be known",
                self.session.server
            )));
        };
        Ok(Opened {
            uid_validity,
            uid_next: opened.uid_next,
            exists: opened.exists,
            highest_mod_seq: opened.highest_mod_seq,
            flags: opened.flags,
            permanent_flags: opened.permanent_flags,
            is_read_only: opened.is_read_only,
        })
    }

    /// How many messages a mailbox holds, without opening it; not of the one that is open.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn counts(&mut self, name: &str) -> Result<Counts, Trouble> {
        let wire_name = self.spelled(name);
        match self.asked(|client| client.counts(&wire_name)).await? {
            Told::Done(Ok(Done::Counts(counts))) => Ok(counts),
            Told::Done(Err(refusal)) => {
                Err(self.session.refused(&format!("the folder {name} can't be looked at"), &refusal))
            }
            _ => Err(self.session.surprised()),
        }
    }

    /// Tells the messages of the open mailbox from a UID on, as they come: in no order that could be relied on, and a
    /// server may tell one twice.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn listing(&mut self, from: Uid, told: &mut (dyn FnMut(Listed) + Send)) -> Result<(), Trouble> {
        self.within(async |session| {
            session.client.listing(from);
            loop {
                match session.told().await? {
                    Told::Listed(listed) => told(listed),
                    Told::Done(Ok(_)) => return Ok(()),
                    Told::Done(Err(refusal)) => {
                        return Err(session.refused("its messages can't be listed", &refusal));
                    }
                    _ => return Err(session.surprised()),
                }
            }
        })
        .await
    }

    /// Asks for messages of the open mailbox, by UID, ascending, without marking them as read. They come with
    /// [`ImapConnection::next_message`], until which nothing else can be asked.
    pub fn ask(&mut self, uids: &[Uid]) {
        self.asked.extend(uids);
    }

    /// Hands on the next message of those that were asked for, and answers its UID: they come in no order that could be
    /// relied on. None: that was all; what did not come is not there any more. What the sink got before an error is not the
    /// message.
    ///
    /// # Errors
    /// [`Trouble`]; that of a connection which [is usable](ImapConnection::is_usable) comes at the end: the server did not
    /// give all of them, and which of the others it would give is known by asking for each alone.
    pub async fn next_message(&mut self, sink: Sink<'_>) -> Result<Option<Uid>, Trouble> {
        let (asked, refused) = (&mut self.asked, &mut self.refusal);
        self.session
            .within(async |session| {
                loop {
                    if session.client.is_idle() {
                        if asked.is_empty() {
                            return refused.take().map_or(Ok(None), Err);
                        }
                        let count = session.client.messages(asked.make_contiguous());
                        asked.drain(..count);
                    }
                    match session.told().await? {
                        Told::Content(octets) => sink(&octets).map_err(|error| session.untaken(&error))?,
                        Told::Message(uid, Some(_)) => return Ok(Some(uid)),
                        Told::Message(_, None) | Told::Done(Ok(_)) => {}
                        Told::Done(Err(refusal)) => {
                            let trouble = session.refused("messages can't be fetched", &refusal);
                            refused.get_or_insert(trouble);
                        }
                        _ => return Err(session.surprised()),
                    }
                }
            })
            .await
    }

    /// Deletes messages of the open mailbox: these, and no other. Any number.
    ///
    /// # Errors
    /// [`Trouble`]; some may be deleted then.
    pub async fn delete(&mut self, uids: &[Uid]) -> Result<Deleted, Trouble> {
        let removes = self.session.client.has(Capability::UidPlus);
        for set in uid_sets(uids) {
            self.plain(|client| client.mark_deleted(&set), "messages can't be deleted").await?;
            if removes {
                self.plain(|client| client.expunge(&set), "messages can't be removed").await?;
            }
        }
        Ok(if removes { Deleted::Removed } else { Deleted::MarkedOnly })
    }

    /// Keeps the connection alive while something else takes long.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn noop(&mut self) -> Result<(), Trouble> {
        self.plain(Client::noop, "it does not answer").await
    }

    /// Says good-bye; the mailbox stays as it is.
    pub async fn close(mut self) {
        if self.is_usable() {
            self.session.client.logout();
            let goodbye = async { while let Ok(Event::Told(_)) = self.session.pump().await {} };
            let _ = tokio::time::timeout(GOODBYE_MAX, goodbye).await;
        }
        self.session.hang_up().await;
    }

    /// Gives a command and waits for the first that it brings.
    async fn asked(&mut self, give: impl FnOnce(&mut Client)) -> Result<Told, Trouble> {
        self.within(async |session| {
            give(&mut session.client);
            session.told().await
        })
        .await
    }

    async fn plain(&mut self, give: impl FnOnce(&mut Client), what: &str) -> Result<(), Trouble> {
        match self.asked(give).await? {
            Told::Done(Ok(_)) => Ok(()),
            Told::Done(Err(refusal)) => Err(self.session.refused(what, &refusal)),
            _ => Err(self.session.surprised()),
        }
    }

    fn spelled(&self, name: &str) -> Vec<u8> {
        self.odd_names.get(name).cloned().unwrap_or_else(|| self.session.client.wire_name(name))
    }

    /// Runs something on the session, when nothing else is to come first.
    async fn within<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Session<Client>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        if !self.is_usable() {
            return Err(self.session.ended());
        }
        self.session.within(work).await
    }
}

/// How long a good-bye may take.
const GOODBYE_MAX: std::time::Duration = std::time::Duration::from_secs(10);

/// Quirk: LSUB also names what does not exist any more; that is no mailbox.
fn mark_subscribed(listed: &mut [imap::client::Folder], subscribed: &[imap::client::Folder]) {
    let names: std::collections::HashSet<&str> = subscribed
        .iter()
        // RFC 3501 §6.3.9: \Noselect there means that only something below is subscribed to.
        .filter(|folder| folder.is_selectable)
        .map(|folder| folder.name.as_str())
        .collect();
    for folder in listed {
        folder.is_subscribed |= names.contains(folder.name.as_str());
    }
}
