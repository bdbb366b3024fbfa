//! IMAP: the account's mailboxes, one of them selected and watched.

mod convert;

use crate::login::{self, Login};
use crate::metrics::Protocol;
use crate::url;
use crate::world::{self, World};
use ::imap::ask::{
    Access, Answer, Ask, CountersNeed, MailboxRow, MakeKey, NewMessage, Originals, Refused, RefusedKind,
    Selected, UrlKey,
};
use engine::AccountId;
use model::{MailboxId, ModSeq, Uid, UidSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::{Error, Needs, Store, Target, Watch};
use tokio::sync::Notify;

/// Answers one IMAP session.
pub struct ImapAgent {
    world: Arc<World>,
    peer: Option<IpAddr>,
    trace: String,
    login: Option<Login>,
    /// Logged in by ANONYMOUS (RFC 4505): the session lets nothing be changed, and neither does this side.
    anonymous: bool,
    selected: Option<Open>,
}

/// What may be asked without saying who one is.
fn for_anybody(ask: &Ask) -> bool {
    matches!(
        ask,
        Ask::Auth(_)
            | Ask::Client(_)
            | Ask::Unauthenticate
            | Ask::Mailboxes { .. }
            | Ask::Quota
            | Ask::Status { .. }
            | Ask::Select { access: Access::ReadOnly, .. }
            | Ask::Unselect
            | Ask::Changes { .. }
            | Ask::Resync { .. }
            | Ask::Rows { .. }
            | Ask::Content { .. }
            | Ask::Search { .. }
    )
}

/// The selected mailbox.
struct Open {
    mailbox: MailboxId,
    access: Access,
    bell: Arc<Bell>,
    /// Rings the bell as long as it lives.
    _watch: Watch,
}

/// Rung by commits that touch the selected mailbox.
#[derive(Default)]
struct Bell {
    notify: Notify,
    rung: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    /// Whether it was rung since the last call.
    fn heard(&self) -> bool {
        self.rung.swap(false, Ordering::AcqRel)
    }
}

impl ImapAgent {
    /// For a new connection.
    pub fn new(world: Arc<World>, peer: Option<IpAddr>, trace: String) -> ImapAgent {
        ImapAgent { world, peer, trace, login: None, anonymous: false, selected: None }
    }

    /// The connection's id in logs.
    pub fn trace(&self) -> &str {
        &self.trace
    }

    fn store(&self) -> &Store {
        &self.world.store
    }

    fn account(&self) -> Result<AccountId, Refused> {
        let login = self.login.as_ref();
        login.map(|login| login.account).ok_or_else(|| Refused::new(RefusedKind::NoPerm, "log in first"))
    }

    fn open(&self) -> Result<(AccountId, &Open), Refused> {
        let account = self.account()?;
        let open = self.selected.as_ref();
        open.map(|open| (account, open))
            .ok_or_else(|| Refused::new(RefusedKind::ServerBug, "no mailbox is selected"))
    }

    async fn serve(&mut self, ask: Ask) -> Result<Answer, Refused> {
        if self.anonymous && !for_anybody(&ask) {
            return Err(Refused::new(RefusedKind::NoPerm, "nobody in particular may only read here"));
        }
        match ask {
            Ask::Auth(question) => {
                let anonymous = matches!(question, sasl::Question::Anonymous { .. });
                let (reply, login) =
                    login::answer(&self.world, Protocol::Imap, self.peer, &self.trace, question).await;
                if login.is_some() {
                    self.login = login;
                    self.anonymous = anonymous;
                }
                Ok(Answer::Auth(reply))
            }
            Ask::Select { name, access } => {
                // Nobody may have looked at this mailbox yet: then all its rows are read.
                tokio::task::block_in_place(|| self.select(&name, access))
            }
            Ask::Unselect => {
                self.selected = None;
                Ok(Answer::Done)
            }
            Ask::Unauthenticate => {
                self.selected = None;
                self.login = None;
                self.anonymous = false;
                Ok(Answer::Done)
            }
            Ask::Client(fields) => {
                tracing::info!(trace = self.trace, client = convert::client(&fields), "client");
                Ok(Answer::Done)
            }
            Ask::Mailboxes { .. }
            | Ask::Metadata { .. }
            | Ask::SetMetadata { .. }
            | Ask::Quota
            | Ask::Create { .. }
            | Ask::Delete { .. }
            | Ask::Rename { .. }
            | Ask::Subscribe { .. }
            | Ask::Status { .. } => self.mailbox_question(ask).await,
            Ask::UrlMessage { owner, mailbox, uid_validity, uid, start, length } => {
                let place = (mailbox.as_str(), uid_validity, uid);
                tokio::task::block_in_place(|| self.url_message(owner.as_deref(), place, start, length))
            }
            Ask::UrlKey { user, mailbox, make } => self.url_key(&user, &mailbox, make).await,
            Ask::ResetKeys { mailbox } => {
                let account = self.account()?;
                match mailbox {
                    Some(mailbox) => done(
                        url::make_key(&self.world, account, &mailbox, store::Present::Goes).await.map(|_| ()),
                    ),
                    None => done(self.store().remove_access_keys(account).await),
                }
            }
            Ask::Changes { .. }
            | Ask::Resync { .. }
            | Ask::Rows { .. }
            | Ask::Content { .. }
            | Ask::Order { .. }
            | Ask::Search { .. } => {
                // These may read from disk: this thread's other connections go on elsewhere meanwhile.
                tokio::task::block_in_place(|| self.read(ask))
            }
            Ask::Store { .. }
            | Ask::Append { .. }
            | Ask::Replace { .. }
            | Ask::Copy { .. }
            | Ask::Expunge { .. } => self.write(ask).await,
        }
    }

    /// Octets of a message of this account, or of another's, whose URL was found to be right.
    fn url_message(
        &self,
        owner: Option<&str>,
        place: url::Place<'_>,
        start: u64,
        length: u64,
    ) -> Result<Answer, Refused> {
        let account = match owner {
            None => self.account()?,
            Some(owner) => {
                url::owner(&self.world, owner)
                    .map_err(directory_away)?
                    .ok_or(Error::NoAccount)
                    .map_err(refused)?
                    .0
            }
        };
        let piece = url::read(&self.world, account, place, start, length).map_err(refused)?;
        Ok(Answer::UrlMessage { size: piece.size, bytes: piece.bytes })
    }

    async fn url_key(&self, user: &str, mailbox: &str, make: MakeKey) -> Result<Answer, Refused> {
        let found = tokio::task::block_in_place(|| url::owner(&self.world, user)).map_err(directory_away)?;
        let Some((account, owner)) = found else { return Ok(Answer::UrlKey(None)) };
        let key = match make {
            MakeKey::No => tokio::task::block_in_place(|| url::key(&self.world, account, mailbox)),
            // RFC 4467 §7: only an owner may have URLs made.
            MakeKey::Yes if account != self.account()? => return Ok(Answer::UrlKey(None)),
            MakeKey::Yes => match url::make_key(&self.world, account, mailbox, store::Present::Stays).await {
                Err(Error::NoMailbox) => Ok(None),
                key => key.map(Some),
            },
        };
        Ok(Answer::UrlKey(key.map_err(refused)?.map(|key| Box::new(UrlKey { key, owner }))))
    }

    fn select(&mut self, name: &str, access: Access) -> Result<Answer, Refused> {
        self.selected = None;
        let account = self.account()?;
        let store = self.store();
        let found = store.mailbox_by_name(account, name).map_err(refused)?;
        let mailbox = found.id.ok_or(Error::NoMailbox).map_err(refused)?;
        // Watched before it is read: nothing that happens in between is missed.
        let bell = Arc::new(Bell::default());
        let rope = bell.clone();
        let watch = store.watch(account, Some(mailbox), Arc::new(move || rope.ring()));
        let opened = store.open(account, mailbox).map_err(refused)?;
        let recent = match access {
            Access::ReadWrite => store.claim_recent(account, mailbox, &opened.uids),
            Access::ReadOnly => store.recent(account, mailbox, &opened.uids),
        };
        self.selected = Some(Open { mailbox, access, bell, _watch: watch });
        Ok(Answer::Selected(Box::new(Selected {
            mailbox,
            access,
            uid_validity: opened.counters.uid_validity,
            uid_next: opened.counters.uid_next,
            highest_modseq: opened.counters.highest_modseq,
            uids: opened.uids,
            recent: recent.map_err(refused)?,
            first_unseen: opened.first_unseen,
            keywords: opened.keywords,
        })))
    }

    fn mailboxes(&self, account: AccountId, counters: CountersNeed) -> Result<Vec<MailboxRow>, Error> {
        let row = |info: store::MailboxInfo| {
            let counters = match info.id {
                Some(id) if counters != CountersNeed::None => {
                    Some(self.counters(account, id, &info.counters, counters)?)
                }
                _ => None,
            };
            Ok(convert::mailbox(info, counters))
        };
        self.store().mailboxes(account)?.into_iter().map(row).collect()
    }

    fn counters(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        counters: &store::Counters,
        need: CountersNeed,
    ) -> Result<::imap::ask::Counters, Error> {
        let deleted_size = match need {
            CountersNeed::WithDeletedSize => self.store().deleted_bytes(account, mailbox)?,
            CountersNeed::None | CountersNeed::Plain => 0,
        };
        Ok(convert::counters(counters, deleted_size))
    }

    /// What metadata belongs to: a mailbox, or the server as this account sees it.
    fn annotated(&self, mailbox: Option<&str>) -> Result<(AccountId, Option<MailboxId>), Refused> {
        let account = self.account()?;
        let Some(name) = mailbox else { return Ok((account, None)) };
        let info = self.store().mailbox_by_name(account, name).map_err(refused)?;
        let id = info.id.ok_or(Error::NoMailbox).map_err(refused)?;
        Ok((account, Some(id)))
    }

    async fn mailbox_question(&self, ask: Ask) -> Result<Answer, Refused> {
        let (account, store) = (self.account()?, self.store());
        match ask {
            Ask::Mailboxes { counters } => {
                let all = tokio::task::block_in_place(|| self.mailboxes(account, counters));
                all.map(Answer::Mailboxes).map_err(refused)
            }
            Ask::Quota => {
                store.usage(account).map(|usage| Answer::Quota(convert::quota(&usage))).map_err(refused)
            }
            Ask::Metadata { mailbox, entries, depth } => {
                let place = self.annotated(mailbox.as_deref())?;
                let found = store.metadata(place.0, place.1, account, &entries, convert::depth(depth));
                found.map(Answer::Metadata).map_err(refused)
            }
            Ask::SetMetadata { mailbox, entries } => {
                let place = self.annotated(mailbox.as_deref())?;
                done(store.set_metadata(place.0, place.1, account, entries).await)
            }
            Ask::Create { name, special_use } => {
                let made = store.create_mailbox(account, &name, special_use, World::now()).await;
                made.map(Answer::Created).map_err(refused)
            }
            Ask::Delete { name } => done(store.delete_mailbox(account, &name).await),
            Ask::Rename { from, to } => done(store.rename_mailbox(account, &from, &to, World::now()).await),
            Ask::Subscribe { name, on } => done(store.subscribe(account, &name, on).await),
            Ask::Status { name, counters } => {
                let info = store.mailbox_by_name(account, &name).map_err(refused)?;
                let id = info.id.ok_or(Error::NoMailbox).map_err(refused)?;
                let counted =
                    tokio::task::block_in_place(|| self.counters(account, id, &info.counters, counters));
                Ok(Answer::Status(id, counted.map_err(refused)?))
            }
            _ => Err(Refused::new(RefusedKind::ServerBug, "misdirected question")),
        }
    }

    fn read(&self, ask: Ask) -> Result<Answer, Refused> {
        let (account, open) = self.open()?;
        let (mailbox, store) = (open.mailbox, self.store());
        match ask {
            Ask::Changes { since, own } => {
                let Some(changes) = store.changes(account, mailbox, since, &own).map_err(refused)? else {
                    return Ok(Answer::Unchanged);
                };
                let recent = match open.access {
                    Access::ReadWrite if !changes.arrived.is_empty() => store
                        .claim_recent(account, mailbox, &changes.uids)
                        .map_err(refused)?
                        .and(&changes.arrived),
                    _ => {
                        store.recent(account, mailbox, &changes.uids).map_err(refused)?.and(&changes.arrived)
                    }
                };
                Ok(Answer::Changes(Box::new(convert::changes(changes, recent))))
            }
            Ask::Resync { since } => {
                let changes = store.changes(account, mailbox, since, &[]).map_err(refused)?;
                Ok(convert::resync(changes))
            }
            Ask::Rows { uids, from, needs, rows_max, bytes_max } => {
                let rows =
                    store.rows(account, mailbox, &uids, from, convert::needs(needs), rows_max, bytes_max);
                Ok(Answer::Rows(convert::rows(rows.map_err(refused)?, &self.trace)))
            }
            Ask::Content { uid, start, length } => {
                store.content(account, mailbox, uid, start, length).map(Answer::Content).map_err(refused)
            }
            Ask::Order { uids, arrangement } => {
                Ok(match store.order(account, mailbox, &uids, &arrangement).map_err(refused)? {
                    store::Ordered::Sorted(uids) => Answer::Sorted(uids),
                    store::Ordered::Threaded(nodes) => Answer::Threaded(nodes),
                    store::Ordered::Preparing => Answer::Preparing,
                })
            }
            Ask::Search { query, among, from } => {
                let found = store.search(account, mailbox, &query, &among, from);
                let found = found.map_err(refused)?;
                for uid in found.unreadable.iter() {
                    tracing::error!(trace = self.trace, %uid, "a message can't be searched, its record is damaged");
                }
                let highest_modseq = match convert::names_modseq(&query) {
                    true => highest_modseq(store, account, mailbox, &found.uids).map_err(refused)?,
                    false => None,
                };
                Ok(Answer::Found { uids: found.uids, highest_modseq, next: found.next })
            }
            _ => Err(Refused::new(RefusedKind::ServerBug, "misdirected question")),
        }
    }

    async fn write(&self, ask: Ask) -> Result<Answer, Refused> {
        let (account, store) = (self.account()?, self.store());
        if let Ask::Append { to, messages } = ask {
            let prepared = messages.into_iter().map(prepare).collect::<Result<_, _>>().map_err(refused)?;
            let appended =
                store.append(account, Target::Name(to), prepared, World::now()).await.map_err(refused)?;
            return Ok(Answer::Appended { uid_validity: appended.uid_validity, uids: appended.uids });
        }
        let (_, open) = self.open()?;
        let mailbox = open.mailbox;
        match ask {
            Ask::Store { uids, change, unchanged_since, known, own } => {
                let known = store::Known { up_to: known, own };
                let stored = store.store_flags(account, mailbox, uids, change, unchanged_since, known).await;
                Ok(convert::stored(stored.map_err(refused)?))
            }
            Ask::Replace { uid, to, message } => {
                let message = prepare(message).map_err(refused)?;
                let replaced =
                    store.replace(account, mailbox, uid, Target::Name(to), message, World::now()).await;
                let replaced = replaced.map_err(|error| match error {
                    Error::NoMessage => Refused::new(RefusedKind::Expunged, error.to_string()),
                    error => refused(error),
                })?;
                Ok(Answer::Replaced {
                    uid_validity: replaced.uid_validity,
                    uid: replaced.uid,
                    modseq: replaced.modseq,
                })
            }
            Ask::Copy { uids, to, originals } => {
                let originals = match originals {
                    Originals::Stay => store::Originals::Stay,
                    Originals::Go => store::Originals::Go,
                };
                let copied =
                    store.copy(account, mailbox, uids, Target::Name(to), originals, World::now()).await;
                Ok(convert::copied(copied.map_err(refused)?))
            }
            Ask::Expunge { only } => {
                let expunged = store.expunge(account, mailbox, only).await.map_err(refused)?;
                Ok(Answer::Expunged { uids: expunged.uids, modseq: expunged.modseq })
            }
            _ => Err(Refused::new(RefusedKind::ServerBug, "misdirected question")),
        }
    }
}

impl net::Desk for ImapAgent {
    type Session = ::imap::Session;

    async fn answer(&mut self, ask: Ask) -> Answer {
        self.serve(ask).await.unwrap_or_else(Answer::Refused)
    }

    async fn changed(&mut self) {
        let Some(open) = &self.selected else { return std::future::pending().await };
        loop {
            if open.bell.heard() {
                return;
            }
            open.bell.notify.notified().await;
        }
    }
}

fn highest_modseq(
    store: &Store,
    account: AccountId,
    mailbox: MailboxId,
    uids: &UidSet,
) -> Result<Option<ModSeq>, Error> {
    let (mut highest, mut from) = (None, Uid(1));
    loop {
        let page = store.rows(account, mailbox, uids, from, Needs::default(), 2000, usize::MAX)?;
        highest = page.rows.iter().map(|row| row.modseq).max().max(highest);
        match page.next {
            Some(next) => from = next,
            None => return Ok(highest),
        }
    }
}

/// Takes a new message apart on this connection's thread.
fn prepare(message: NewMessage) -> Result<store::NewMessage, Error> {
    Ok(store::NewMessage {
        message: world::prepare(&message.content)?,
        flags: message.flags,
        keywords: message.keywords,
        received: message.internal_date.unwrap_or_else(World::now),
    })
}

fn directory_away(error: directory::Error) -> Refused {
    tracing::error!(%error, "the directory failed");
    Refused::new(RefusedKind::Unavailable, "The directory can't be read now")
}

fn done(outcome: Result<(), Error>) -> Result<Answer, Refused> {
    outcome.map(|()| Answer::Done).map_err(refused)
}

/// The store's trouble, in the session's words.
fn refused(error: Error) -> Refused {
    let kind = match &error {
        Error::NoMailbox | Error::NoMessage | Error::NoAccount => RefusedKind::NonExistent,
        Error::MailboxExists | Error::AccountExists => RefusedKind::AlreadyExists,
        Error::BadName(_) => RefusedKind::Cannot,
        Error::OverQuota => RefusedKind::OverQuota,
        Error::Limit(store::Limit::Metadata) => RefusedKind::Metadata,
        Error::Limit(_) => RefusedKind::Limit,
        Error::UseTaken => RefusedKind::UseAttr,
        Error::Engine(engine::Error::Corrupt { .. }) => RefusedKind::Corrupt,
        Error::Engine(_) | Error::Cancelled => RefusedKind::Unavailable,
    };
    if let Error::Engine(error) = &error {
        tracing::error!(%error, "the store failed");
    }
    Refused::new(kind, error.to_string())
}
