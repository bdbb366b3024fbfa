//! A source that is an IMAP server.

use crate::address::{Address, Security};
use crate::source::{Connect, Opened, Source, Trouble};
use collect::{Credentials, Environment, ImapConnection, Mode, Owner, Server, Tls};
use migration::{Listed, SourceFolder};
use model::{Uid, UnixTime};
use std::io;

/// Makes sessions with an IMAP server.
pub struct ImapSource {
    server: Server,
    credentials: Credentials,
    authorize_as: String,
    environment: Environment,
}

impl ImapSource {
    /// With what is needed to connect and to log in; `authorize_as`: in whose name, if not in one's own.
    pub fn new(
        address: &Address,
        credentials: Credentials,
        authorize_as: Option<&str>,
        environment: Environment,
    ) -> ImapSource {
        let tls = match address.security {
            Security::Implicit => Tls::Implicit,
            Security::StartTls => Tls::StartTls,
            Security::None => Tls::None,
        };
        let server = Server { host: address.host.clone(), port: address.port, tls };
        let authorize_as = authorize_as.unwrap_or_default().to_owned();
        ImapSource { server, credentials, authorize_as, environment }
    }
}

impl Connect for ImapSource {
    type Source = ImapConnection;

    async fn connect(&mut self) -> Result<ImapConnection, Trouble> {
        ImapConnection::open_as(&self.server, &self.credentials, &self.authorize_as, &self.environment)
            .await
            .map_err(|trouble| Trouble::of(trouble, false))
    }

    fn message_bytes_max(&self) -> u64 {
        self.environment.limits.message_bytes_max
    }
}

impl Trouble {
    fn of(trouble: collect::Trouble, is_usable: bool) -> Trouble {
        let text = trouble.to_string();
        match trouble {
            collect::Trouble::Tls(_) | collect::Trouble::LoginRefused(_) => Trouble::Hopeless(text),
            _ if is_usable => Trouble::Refused(text),
            collect::Trouble::Refused(_) | collect::Trouble::Gone(_) => Trouble::Refused(text),
            _ => Trouble::Lost(text),
        }
    }
}

impl Source for ImapConnection {
    async fn folders(&mut self) -> Result<Vec<SourceFolder>, Trouble> {
        let folders = ImapConnection::folders(self).await;
        let folders = folders.map_err(|trouble| Trouble::of(trouble, self.is_usable()))?;
        // Other people's and shared folders are not this account's.
        let own = folders.into_iter().filter(|folder| folder.owner == Owner::Oneself);
        Ok(own
            .map(|folder| SourceFolder {
                name: folder.name,
                delimiter: folder.delimiter,
                special_use: folder.special_use,
                selectable: folder.is_selectable,
                subscribed: folder.is_subscribed,
            })
            .collect())
    }

    async fn open(&mut self, name: &str) -> Result<Opened, Trouble> {
        let opened = self.open_folder(name, Mode::Read).await;
        let opened = opened.map_err(|trouble| Trouble::of(trouble, self.is_usable()))?;
        Ok(Opened { exists: opened.exists, uid_validity: opened.uid_validity.0 })
    }

    async fn list(&mut self, listed: &mut (dyn FnMut(Listed) + Send)) -> Result<(), Trouble> {
        let mut tell = |one: collect::Listed| {
            listed(Listed {
                uid: one.uid,
                flags: one.flags.system,
                keywords: one.flags.keywords,
                // What can't be understood is long ago rather than now: so it is the same in each run.
                received: one.internal_date.unwrap_or(UnixTime(0)),
                size: one.size_bytes,
            });
        };
        let told = self.listing(Uid(1), &mut tell).await;
        told.map_err(|trouble| Trouble::of(trouble, self.is_usable()))
    }

    fn ask(&mut self, uids: &[Uid]) {
        ImapConnection::ask(self, uids);
    }

    async fn next(&mut self) -> Result<Option<(Uid, Vec<u8>)>, Trouble> {
        let mut content = Vec::new();
        let mut take = |octets: &[u8]| -> io::Result<()> {
            content.extend_from_slice(octets);
            Ok(())
        };
        match self.next_message(&mut take).await {
            Ok(uid) => Ok(uid.map(|uid| (uid, content))),
            Err(collect::Trouble::Gone(why)) => Err(Trouble::Gone(why)),
            Err(trouble) => Err(Trouble::of(trouble, self.is_usable())),
        }
    }

    async fn close(self) {
        ImapConnection::close(self).await;
    }
}
