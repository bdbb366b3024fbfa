//! Both kinds of mailboxes elsewhere, as one thing.

use crate::host::Why;
use crate::run::Halt;
use crate::{
    Credentials, Environment, ImapConnection, Mode, PlaintextAuth, PopConnection, Secret, Server, Settings,
    Trouble,
};
use collecting::{Name, Protocol, TroubleKind};
use model::{FlagSet, Keyword, SpecialUse, Uid, UnixTime};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use zeroize::Zeroizing;

/// A connection on which somebody is logged in.
pub(crate) struct Remote {
    connection: Connection,
    address: IpAddr,
}

enum Connection {
    Imap(Box<ImapConnection>),
    Pop(Box<PopConnection>),
}

/// A folder there.
#[derive(Clone, Debug)]
pub(crate) struct RemoteFolder {
    /// As the server calls it, decoded; POP3's only one has an empty name.
    pub name: String,
    /// Octets at the beginning of the name that say only whose it is.
    pub prefix_bytes: usize,
    pub delimiter: Option<char>,
    pub special_use: Option<SpecialUse>,
    pub is_selectable: bool,
}

impl RemoteFolder {
    /// POP3's.
    pub fn maildrop() -> RemoteFolder {
        RemoteFolder::named("")
    }

    /// Every IMAP server has it.
    pub fn inbox() -> RemoteFolder {
        RemoteFolder::named("INBOX")
    }

    /// One of which nothing else is known.
    pub fn named(name: &str) -> RemoteFolder {
        RemoteFolder {
            name: name.to_owned(),
            prefix_bytes: 0,
            delimiter: None,
            special_use: None,
            is_selectable: true,
        }
    }

    /// The levels of its name.
    pub fn levels(&self) -> Vec<&str> {
        let name = self.name.get(self.prefix_bytes..).unwrap_or(&self.name);
        match self.delimiter {
            Some(delimiter) => name.split(delimiter).collect(),
            None => vec![name],
        }
    }
}

/// A folder that is open.
pub(crate) struct Opened {
    pub uid_validity: u32,
    pub uid_next: Option<u32>,
}

/// A message in a listing.
#[derive(Clone, Debug)]
pub(crate) struct RemoteMessage {
    /// UID, or number in this session.
    pub handle: u32,
    /// None: the server does not name it.
    pub name: Option<Name>,
    pub size: u64,
    pub flags: FlagSet,
    pub keywords: Vec<Keyword>,
    pub date: Option<UnixTime>,
}

/// What goes wrong with a request.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The message is gone.
    NoMessage,
    /// The server refuses this one thing; the connection goes on.
    Refused(String),
    /// The connection is of no use any more.
    Lost(Why),
}

impl Fault {
    fn of(trouble: Trouble) -> Fault {
        match trouble {
            Trouble::Gone(_) => Fault::NoMessage,
            Trouble::Refused(words) => Fault::Refused(words),
            other => Fault::Lost(why(other)),
        }
    }

    /// For the status.
    pub fn why(self) -> Why {
        match self {
            Fault::NoMessage => (TroubleKind::Refused, "it is not there any more".to_owned()),
            Fault::Refused(words) => (TroubleKind::Refused, words),
            Fault::Lost(why) => why,
        }
    }

    /// When a folder can't be opened or listed.
    pub fn in_folder(self, folder: &RemoteFolder) -> Halt {
        match self {
            Fault::Lost(why) => Halt::All(why),
            Fault::NoMessage => {
                Halt::Folder((TroubleKind::Folder, format!("there is no folder {} (any more)", folder.name)))
            }
            Fault::Refused(words) => Halt::Folder((TroubleKind::Folder, words)),
        }
    }
}

fn why(trouble: Trouble) -> Why {
    let kind = match &trouble {
        Trouble::Unreachable(_) => TroubleKind::Unreachable,
        Trouble::Tls(_) => TroubleKind::Tls,
        Trouble::LoginRefused(_) => TroubleKind::Password,
        Trouble::Busy(_) | Trouble::Gone(_) | Trouble::Refused(_) => TroubleKind::Refused,
        Trouble::Protocol(_) | Trouble::Sink(_) => TroubleKind::Protocol,
    };
    (kind, trouble.text().to_owned())
}

impl Remote {
    /// Connects to that very address and logs in.
    ///
    /// # Errors
    /// It can't be reached, is not who it should be, or does not let in.
    pub async fn open(
        settings: &Settings,
        source: &collecting::Settings,
        address: SocketAddr,
        secret: &Zeroizing<String>,
    ) -> Result<Remote, Why> {
        let tls = match source.tls {
            collecting::Tls::None => crate::Tls::None,
            collecting::Tls::Starttls => crate::Tls::StartTls,
            collecting::Tls::Implicit => crate::Tls::Implicit,
        };
        let server = Server { host: crate::host::in_ascii(&source.host), port: source.port, tls };
        let password = Secret::Password(secret.as_str().to_owned().into());
        let credentials = Credentials { user: source.user.clone(), secret: password };
        // Whoever added the source chose that, and the command says what it means.
        let environment = Environment {
            addresses: Some(vec![address.ip()]),
            plaintext_auth: PlaintextAuth::Allowed,
            ..settings.environment.clone()
        };
        let connection = match source.protocol {
            Protocol::Imap => ImapConnection::open(&server, &credentials, &environment)
                .await
                .map(|connection| Connection::Imap(Box::new(connection))),
            Protocol::Pop3 => PopConnection::open(&server, &credentials, &environment)
                .await
                .map(|connection| Connection::Pop(Box::new(connection))),
        };
        Ok(Remote { connection: connection.map_err(why)?, address: address.ip() })
    }

    /// Where it is.
    pub fn address(&self) -> Option<IpAddr> {
        Some(self.address)
    }

    /// All folders of the user himself.
    ///
    /// # Errors
    /// The connection broke, or the server refuses.
    pub async fn folders(&mut self) -> Result<Vec<RemoteFolder>, Why> {
        let Connection::Imap(imap) = &mut self.connection else { return Ok(vec![RemoteFolder::maildrop()]) };
        let folders = imap.folders().await.map_err(why)?;
        let own = folders.into_iter().filter(|folder| folder.owner == crate::Owner::Oneself);
        let shown = own.map(|folder| RemoteFolder {
            name: folder.name,
            prefix_bytes: folder.prefix_bytes,
            delimiter: folder.delimiter,
            special_use: folder.special_use,
            is_selectable: folder.is_selectable,
        });
        Ok(shown.collect())
    }

    /// Opens a folder, for reading only unless something may have to be deleted.
    ///
    /// # Errors
    /// It is not there, or the connection broke.
    pub async fn open_folder(&mut self, folder: &RemoteFolder, deletes: bool) -> Result<Opened, Fault> {
        let Connection::Imap(imap) = &mut self.connection else {
            return Ok(Opened { uid_validity: 0, uid_next: None });
        };
        let mode = if deletes { Mode::Change } else { Mode::Read };
        let opened = imap.open_folder(&folder.name, mode).await.map_err(Fault::of)?;
        Ok(Opened { uid_validity: opened.uid_validity.0, uid_next: opened.uid_next.map(|uid| uid.0) })
    }

    /// The messages of the open folder, with UIDs from `from` on, oldest first.
    ///
    /// # Errors
    /// The connection broke, the server refuses, or there are more than `most`.
    pub async fn listing(
        &mut self,
        validity: u32,
        from: u32,
        most: usize,
    ) -> Result<Vec<RemoteMessage>, Fault> {
        let mut too_many = false;
        let found = match &mut self.connection {
            Connection::Imap(imap) => {
                // In no order, and some may be told twice.
                let mut found = BTreeMap::new();
                let mut take = |listed: crate::Listed| {
                    too_many |= found.len() >= most;
                    if !too_many && listed.uid.0 >= from {
                        found.insert(listed.uid.0, message_of_imap(validity, listed));
                    }
                };
                imap.listing(Uid(from), &mut take).await.map_err(Fault::of)?;
                found.into_values().collect()
            }
            Connection::Pop(pop) => {
                let listed = pop.listing().await.map_err(Fault::of)?;
                too_many = listed.len() > most;
                listed.into_iter().map(message_of_pop).collect()
            }
        };
        match too_many {
            true => Err(Fault::Refused(format!("the folder has more than {most} messages"))),
            false => Ok(found),
        }
    }

    /// Asks for messages of the open folder, in the order of the listing; they come with [`Remote::next`], before anything
    /// else can be asked.
    pub fn ask(&mut self, handles: &[u32]) {
        match &mut self.connection {
            Connection::Imap(imap) => imap.ask(&handles.iter().map(|uid| Uid(*uid)).collect::<Vec<_>>()),
            Connection::Pop(pop) => pop.ask(handles),
        }
    }

    /// The next message that was asked for, whole, in any order. None: that was all, what did not come is gone.
    ///
    /// # Errors
    /// The connection broke; that is so when a message turns out to be longer than `most`. Or, at the end, what did not
    /// come was refused.
    pub async fn next(&mut self, most: u64) -> Result<Option<(u32, Vec<u8>)>, Fault> {
        let mut content = Vec::new();
        let mut too_large = false;
        let mut sink = |octets: &[u8]| {
            if content.len() as u64 + octets.len() as u64 > most {
                too_large = true;
                return Err(std::io::Error::other("it is too large"));
            }
            content.extend_from_slice(octets);
            Ok(())
        };
        let came = match &mut self.connection {
            Connection::Imap(imap) => imap.next_message(&mut sink).await.map(|uid| uid.map(|uid| uid.0)),
            Connection::Pop(pop) => pop.next_message(&mut sink).await,
        };
        match came {
            Ok(handle) => Ok(handle.map(|handle| (handle, content))),
            Err(_) if too_large => Err(Fault::Lost((
                TroubleKind::Protocol,
                format!("the server sent a message larger than {most} bytes that it had called smaller"),
            ))),
            Err(trouble) => Err(Fault::of(trouble)),
        }
    }

    /// Deletes messages of the open folder; POP3 does it at the good-bye.
    ///
    /// # Errors
    /// The server refuses, or the connection broke; some may be deleted.
    pub async fn delete(&mut self, handles: &[u32]) -> Result<(), Fault> {
        match &mut self.connection {
            Connection::Imap(imap) => {
                let uids: Vec<Uid> = handles.iter().map(|uid| Uid(*uid)).collect();
                imap.delete(&uids).await.map_err(Fault::of)?;
            }
            Connection::Pop(pop) => {
                pop.delete_all(handles).await.map_err(Fault::of)?;
            }
        }
        Ok(())
    }

    /// Says good-bye, as far as the connection still stands.
    ///
    /// # Errors
    /// A POP3 server did not confirm what it was told to delete.
    pub async fn close(self) -> Result<(), Why> {
        match self.connection {
            Connection::Imap(imap) => {
                imap.close().await;
                Ok(())
            }
            Connection::Pop(pop) => pop.quit().await.map_err(why),
        }
    }
}

fn message_of_pop(entry: crate::MaildropEntry) -> RemoteMessage {
    RemoteMessage {
        handle: entry.number,
        name: entry.unique_id.map(|id| Name::of_uidl(id.as_bytes())),
        size: entry.size_bytes,
        flags: FlagSet::NONE,
        keywords: Vec::new(),
        date: None,
    }
}

fn message_of_imap(validity: u32, listed: crate::Listed) -> RemoteMessage {
    RemoteMessage {
        handle: listed.uid.0,
        name: Some(Name::Uid { validity, uid: listed.uid.0 }),
        size: listed.size_bytes,
        flags: listed.flags.system,
        keywords: listed.flags.keywords,
        date: listed.internal_date,
    }
}
