//! IMAP: the account's mailboxes, one of them selected and watched.

mod ahead;
mod annotations;
mod bell;
mod convert;
mod mailboxes;
mod refusing;
mod searching;
mod sharing;
mod watched;

use crate::login::{self, Login};
use crate::metrics::Protocol;
use crate::url;
use crate::world::World;
use ::imap::ask::{
    Access, Answer, Ask, MakeKey, Originals, Place, Refused, RefusedKind, Selected, UrlKey, Watch,
};
use ahead::{Ahead, Page, Reader, Wanted};
use bell::Bell;
use engine::AccountId;
use model::{MailboxId, ModSeq, Right, Rights, Uid, UidSet};
use parking_lot::Mutex;
use refusing::{demand_read, directory_away, done, for_anybody, for_the_barred, may_change, refused};
use sharing::{Sight, Standing};
pub use sharing::{identifier, identify};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use store::{Error, Look, Needs, Store, Written};
use watched::Watched;

/// Answers one IMAP session.
pub struct ImapAgent {
    world: Arc<World>,
    peer: Option<IpAddr>,
    trace: String,
    login: Option<Login>,
    /// Logged in by ANONYMOUS (RFC 4505): the session lets nothing be changed, and neither does this side.
    anonymous: bool,
    selected: Option<Open>,
    /// The whole account, if the session wants to hear of it.
    watched: Option<Box<Watched>>,
    /// The next page of the FETCH that is being answered.
    ahead: Option<Box<Ahead>>,
}

/// The selected mailbox.
struct Open {
    owner: AccountId,
    mailbox: MailboxId,
    access: Access,
    /// What the user may do with it, as the session was told last, and as it is.
    told: Mutex<Rights>,
    standing: Mutex<Known>,
    bell: Arc<Bell>,
    /// Rings the bell as long as it lives.
    watch: store::MailboxWatch,
    /// How often the mailbox's access key was reset, as the session knows.
    key_resets: AtomicU32,
}

/// What a user may do with the selected mailbox.
struct Known {
    standing: Standing,
    /// After how many rings of the mailbox's watch this was read; None: before there was a watch.
    rings: Option<u64>,
}

impl ImapAgent {
    /// For a new connection.
    pub fn new(world: Arc<World>, peer: Option<IpAddr>, trace: String) -> ImapAgent {
        ImapAgent {
            world,
            peer,
            trace,
            login: None,
            anonymous: false,
            selected: None,
            watched: None,
            ahead: None,
        }
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

    fn sight(&self) -> Result<Sight<'_>, Refused> {
        let login = self.login.as_ref();
        let login = login.ok_or_else(|| Refused::new(RefusedKind::NoPerm, "log in first"))?;
        Ok(Sight { world: &self.world, login })
    }

    /// The one bell that everything watched rings.
    fn bell(&self) -> Arc<Bell> {
        self.selected.as_ref().map_or_else(Arc::default, |open| open.bell.clone())
    }

    /// Waits for a write, and notes that it was this session's own.
    async fn own<T: Send + 'static>(&self, mut written: Written<T>) -> Result<T, Error> {
        let outcome = (&mut written).await;
        if let Some(watched) = &self.watched {
            watched.own(&written);
        }
        outcome
    }

    /// Whether the selected mailbox's access key was reset since this was asked last. RFC 4467 §7: sessions "logged in as the
    /// user" are told, not those who see another's mailbox.
    fn heard_of_key_resets(&self) -> bool {
        let Some(open) = &self.selected else { return false };
        let resets = open.watch.key_resets();
        open.key_resets.swap(resets, Ordering::AcqRel) != resets
            && self.account().is_ok_and(|own| own == open.owner)
    }

    /// The selected mailbox, and what the user may do with it now.
    fn open(&self) -> Result<(&Open, Standing), Refused> {
        let sight = self.sight()?;
        let open = self.selected.as_ref();
        let open = open.ok_or_else(|| Refused::new(RefusedKind::ServerBug, "no mailbox is selected"))?;
        let mut known = open.standing.lock();
        // Counted before it is read: what rings meanwhile is read again.
        let rings = Some(open.watch.rings());
        // Of another's mailbox each time: who is in a group may change without a ring.
        if known.rings != rings || open.owner != sight.login.account {
            *known = Known { standing: sight.standing(open.owner, open.mailbox)?, rings };
        }
        demand_read(known.standing)?;
        Ok((open, known.standing))
    }

    async fn serve(&mut self, ask: Ask) -> Result<Answer, Refused> {
        if self.anonymous && !for_anybody(&ask) {
            return Err(Refused::new(RefusedKind::NoPerm, "nobody in particular may only read here"));
        }
        if self.login.is_some() && !for_the_barred(&ask) {
            self.sight()?.demand_standing()?;
        }
        // What a FETCH asks between two pages leaves the next one as it is.
        if !matches!(ask, Ask::Rows { .. } | Ask::Content { .. } | Ask::Store { .. }) {
            self.ahead = None;
        }
        match ask {
            Ask::Changes { since, own } if own.is_empty() => self.happened(since),
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
            Ask::Watch(wanted) => tokio::task::block_in_place(|| self.watch(wanted)),
            Ask::News => {
                let (Some(watched), Some(login)) = (&mut self.watched, &self.login) else {
                    return Ok(Answer::News(Box::default()));
                };
                let sight = Sight { world: &self.world, login };
                let news = tokio::task::block_in_place(|| watched.news(&sight))?;
                Ok(Answer::News(Box::new(news)))
            }
            Ask::Unauthenticate => {
                self.selected = None;
                self.watched = None;
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
            | Ask::Quota(_)
            | Ask::SetQuota { .. }
            | Ask::Acl { .. }
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
                let reset = match mailbox {
                    Some(mailbox) => {
                        url::make_key(&self.world, account, &mailbox, store::Present::Goes).await.map(|_| ())
                    }
                    None => self.store().remove_access_keys(account).await,
                };
                // Of its own doing the session hears by the command's reply.
                self.heard_of_key_resets();
                done(reset)
            }
            Ask::Glance { mailbox } => tokio::task::block_in_place(|| self.glance(mailbox.as_deref())),
            Ask::SearchIn { owner, mailbox, query, among, from } => {
                tokio::task::block_in_place(|| self.search_in((owner, mailbox), query, &among, from))
            }
            Ask::Rows { uids, from, needs, rows_max, bytes_max } => {
                let (open, standing) = self.open()?;
                let (owner, mailbox, seen) = (open.owner, open.mailbox, standing.seen);
                self.rows(Wanted { owner, mailbox, seen, uids, from, needs, rows_max, bytes_max }).await
            }
            Ask::Changes { .. }
            | Ask::Resync { .. }
            | Ask::Content { .. }
            | Ask::Order { .. }
            | Ask::Search { .. } => {
                // These may read from disk: this thread's other connections go on elsewhere meanwhile.
                tokio::task::block_in_place(|| self.read(ask))
            }
            Ask::Store { .. }
            | Ask::Annotate { .. }
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
        let mut place = place;
        let found;
        let account = match owner {
            None => {
                // RFC 4469 §3: a message that this user may read, maybe in another's mailbox.
                found = self.sight()?.find(place.0)?;
                found.demand(Right::Read)?;
                place.0 = &found.info.name;
                found.spot.owner
            }
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

    fn watch(&mut self, wanted: Watch) -> Result<Answer, Refused> {
        if wanted == Watch::Off {
            self.watched = None;
            return Ok(Answer::Done);
        }
        let bell = self.bell();
        let Some(login) = &self.login else { return Err(Refused::new(RefusedKind::NoPerm, "log in first")) };
        let sight = Sight { world: &self.world, login };
        match &mut self.watched {
            // It goes on: what it has not told yet is told still.
            Some(watched) => watched.look_at(&sight, wanted)?,
            None => self.watched = Some(Box::new(Watched::new(&sight, bell, wanted)?)),
        }
        Ok(Answer::Done)
    }

    fn select(&mut self, name: &str, access: Access) -> Result<Answer, Refused> {
        self.selected = None;
        let found = self.sight()?.find(name)?;
        found.demand(Right::Read)?;
        let (owner, mailbox, standing) = (found.spot.owner, found.id, found.standing);
        let store = self.store();
        // Watched before it is read: nothing that happens in between is missed.
        let bell = self.watched.as_ref().map_or_else(Arc::default, |watched| watched.bell().clone());
        let rope = bell.clone();
        let watch = store.watch(owner, mailbox, Arc::new(move || rope.ring()));
        let opened = store.open(owner, mailbox).map_err(refused)?;
        // Who reads another's mailbox takes no \Recent from its owner.
        let recent = match access {
            Access::ReadWrite if found.spot.other.is_none() => {
                store.claim_recent(owner, mailbox, &opened.uids)
            }
            _ => store.recent(owner, mailbox, &opened.uids),
        };
        let recent = recent.map_err(refused)?;
        let first_unseen = match standing.seen {
            Some(_) => opened.uids.minus(&self.sight()?.seen(owner, mailbox, standing)?).first(),
            None => opened.first_unseen,
        };
        let announced = if standing.writes_for_others() { access } else { Access::ReadOnly };
        self.selected = Some(Open {
            owner,
            mailbox,
            access,
            told: Mutex::new(standing.rights),
            // The rights were read before the watch: they are read once more.
            standing: Mutex::new(Known { standing, rings: None }),
            bell,
            watch,
            key_resets: AtomicU32::new(0),
        });
        Ok(Answer::Selected(Box::new(Selected {
            mailbox,
            access,
            owner: self.owner(owner)?,
            rights: standing.rights,
            announced,
            uid_validity: opened.counters.uid_validity,
            uid_next: opened.counters.uid_next,
            highest_modseq: opened.counters.highest_modseq,
            uids: opened.uids,
            recent,
            first_unseen,
            keywords: opened.keywords,
        })))
    }

    /// A page of messages, and the next one begun.
    async fn rows(&mut self, wanted: Wanted) -> Result<Answer, Refused> {
        let (reader, ready) = match self.ahead.take_if(|ahead| ahead.is(&wanted)) {
            Some(ahead) => ahead.page().await,
            None => (Reader::new(self.world.store.clone(), self.trace.clone()), None),
        };
        let now = || {
            let rows = tokio::task::block_in_place(|| wanted.read(self.store(), &self.trace))?;
            Ok(Page { rows, behind: None })
        };
        let Page { mut rows, behind } = ready.unwrap_or_else(now).map_err(refused)?;
        if wanted.needs.annotations {
            let place = (wanted.owner, wanted.mailbox);
            // Behind the rows: a value may be newer than the MODSEQ beside it, never older, so that nothing is missed.
            let add = || self.add_annotations(place, &mut rows, wanted.bytes_max);
            tokio::task::block_in_place(add)?;
        }
        let begin = || rows.next.map(|next| reader.begin(wanted.behind(next)));
        self.ahead = behind.or_else(begin);
        Ok(Answer::Rows(rows))
    }

    /// What happened, to a session that has written nothing itself. Of ten thousand that hear of a message, one has to read.
    fn happened(&self, since: ModSeq) -> Result<Answer, Refused> {
        match self.found_by_another(since) {
            Some(look) => self.found(&look),
            None => tokio::task::block_in_place(|| self.read(Ask::Changes { since, own: Vec::new() })),
        }
    }

    /// What another session that watches the selected mailbox has found out, if all that this one needs is there: its own
    /// mailbox, and nothing in it that may be \Recent for this session.
    fn found_by_another(&self, since: ModSeq) -> Option<Arc<Look>> {
        let (open, login) = (self.selected.as_ref()?, self.login.as_ref()?);
        let looked = || open.watch.looked(since).filter(|look| look.is_claimed());
        (open.owner == login.account).then(looked).flatten()
    }

    /// The answer to [`Ask::Changes`] of a session that has written nothing itself.
    fn found(&self, look: &Look) -> Result<Answer, Refused> {
        let (sight, open) = (self.sight()?, self.selected.as_ref());
        let open = open.ok_or_else(|| Refused::new(RefusedKind::ServerBug, "no mailbox is selected"))?;
        let standing = sight.standing_in(open.owner, &look.acl)?;
        *open.standing.lock() = Known { standing, rings: Some(look.rings()) };
        demand_read(standing)?;
        if let Some(first) = self.tell_first(open, standing) {
            return Ok(first);
        }
        let Some(changes) = &look.changes else { return Ok(Answer::Unchanged) };
        let claim = match open.access {
            Access::ReadWrite if open.owner == sight.login.account => store::Claim::Take,
            _ => store::Claim::Leave,
        };
        let recent = self.store().recent_in(&open.watch, look, claim).map_err(refused)?;
        Ok(Answer::Changes(Box::new(convert::changes(changes, recent))))
    }

    /// What a session is told before it hears what happened.
    fn tell_first(&self, open: &Open, standing: Standing) -> Option<Answer> {
        let told = std::mem::replace(&mut *open.told.lock(), standing.rights);
        if told != standing.rights {
            return Some(Answer::Rights(standing.rights));
        }
        self.heard_of_key_resets().then_some(Answer::KeyReset)
    }

    fn read(&self, ask: Ask) -> Result<Answer, Refused> {
        let (open, standing) = self.open()?;
        let (account, mailbox, store) = (open.owner, open.mailbox, self.store());
        match ask {
            Ask::Changes { since, own } if own.is_empty() => {
                self.found(&*store.look_since(&open.watch, since).map_err(refused)?)
            }
            Ask::Changes { since, own } => {
                if let Some(first) = self.tell_first(open, standing) {
                    return Ok(first);
                }
                let Some(changes) = store.changes(account, mailbox, since, &own).map_err(refused)? else {
                    return Ok(Answer::Unchanged);
                };
                let recent = match open.access {
                    Access::ReadWrite if !changes.arrived.is_empty() && self.account()? == account => store
                        .claim_recent(account, mailbox, &changes.uids)
                        .map_err(refused)?
                        .and(&changes.arrived),
                    _ => {
                        store.recent(account, mailbox, &changes.uids).map_err(refused)?.and(&changes.arrived)
                    }
                };
                Ok(Answer::Changes(Box::new(convert::changes(&changes, recent))))
            }
            Ask::Resync { since } => {
                let changes = store.changes(account, mailbox, since, &[]).map_err(refused)?;
                Ok(convert::resync(changes))
            }
            Ask::Content { uid, start, length } => {
                store.content(account, mailbox, uid, start, length).map(Answer::Content).map_err(refused)
            }
            Ask::Order { uids, arrangement, comparator, scores } => {
                let seen = store::SortedFor { user: self.account()?, scores: &scores };
                let ordered = store.order(account, mailbox, &uids, &arrangement, comparator, seen);
                Ok(match ordered.map_err(refused)? {
                    store::Ordered::Sorted(uids) => Answer::Sorted(uids),
                    store::Ordered::Threaded(nodes) => Answer::Threaded(nodes),
                    store::Ordered::Preparing => Answer::Preparing,
                })
            }
            Ask::Search { query, among, from } => {
                self.search((account, mailbox), standing, query, &among, from)
            }
            _ => Err(Refused::new(RefusedKind::ServerBug, "misdirected question")),
        }
    }

    async fn write(&self, ask: Ask) -> Result<Answer, Refused> {
        let store = self.store();
        if let Ask::Append { to, messages } = ask {
            let (to, place) = self.target(&to)?;
            let prepare = |message| self.prepare(message, to.behalf.may);
            let prepared = messages.into_iter().map(prepare).collect::<Result<_, _>>()?;
            let appended = self.own(store.append_to(to, prepared, World::now())).await.map_err(refused)?;
            return Ok(Answer::Appended { place, uid_validity: appended.uid_validity, uids: appended.uids });
        }
        let (open, standing) = self.open()?;
        let (owner, mailbox) = (open.owner, open.mailbox);
        match ask {
            Ask::Store { uids, change, unchanged_since, known, own } => {
                may_change(&change, standing.rights)?;
                let (known, behalf) = (store::Known { up_to: known, own }, standing.behalf());
                let stored =
                    store.store_flags_as(owner, mailbox, uids, change, unchanged_since, known, behalf);
                Ok(convert::stored(self.own(stored).await.map_err(refused)?))
            }
            Ask::Annotate { uids, changes, unchanged_since, known, own } => {
                let check = || self.may_annotate((owner, mailbox), &uids, &changes, standing.rights);
                tokio::task::block_in_place(check)?;
                let (known, user) = (store::Known { up_to: known, own }, self.account()?);
                let stored = store.annotate(owner, mailbox, uids, user, changes, unchanged_since, known);
                Ok(convert::stored(self.own(stored).await.map_err(refused)?))
            }
            Ask::Replace { uid, to, message } => {
                // RFC 8508 §4.1: what STORE, EXPUNGE and APPEND need together.
                standing.demand(Right::DeleteMessages)?;
                standing.demand(Right::Expunge)?;
                let from = sharing::source(owner, mailbox, standing);
                let (to, place) = self.target(&to)?;
                let message = self.prepare(message, to.behalf.may)?;
                let replaced = self.own(store.replace_in(from, uid, to, message, World::now())).await;
                let replaced = replaced.map_err(|error| match error {
                    Error::NoMessage => Refused::new(RefusedKind::Expunged, error.to_string()),
                    error => refused(error),
                })?;
                Ok(Answer::Replaced {
                    place,
                    uid_validity: replaced.uid_validity,
                    uid: replaced.uid,
                    modseq: replaced.modseq,
                })
            }
            Ask::Copy { uids, to, originals } => {
                let originals = match originals {
                    Originals::Stay => store::Originals::Stay,
                    Originals::Go => {
                        // RFC 6851 §4.2: what STORE, COPY and EXPUNGE need together.
                        standing.demand(Right::DeleteMessages)?;
                        standing.demand(Right::Expunge)?;
                        store::Originals::Go
                    }
                };
                let from = sharing::source(owner, mailbox, standing);
                let (to, place) = self.target(&to)?;
                // Into another account the headers are read before.
                let copied =
                    tokio::task::block_in_place(|| store.copy_to(from, uids, to, originals, World::now()));
                Ok(convert::copied(place, self.own(copied).await.map_err(refused)?))
            }
            Ask::Expunge { only } => {
                standing.demand(Right::Expunge)?;
                let expunged = self.own(store.expunge(owner, mailbox, only)).await.map_err(refused)?;
                Ok(Answer::Expunged { uids: expunged.uids, modseq: expunged.modseq })
            }
            _ => Err(Refused::new(RefusedKind::ServerBug, "misdirected question")),
        }
    }

    /// A mailbox that messages may be put into, as the store and as the session name it.
    fn target(&self, name: &str) -> Result<(store::Destination, Place), Refused> {
        let found = self.sight()?.find(name)?;
        found.demand(Right::Insert)?;
        let place = Place { owner: self.owner(found.spot.owner)?, mailbox: found.id };
        Ok((found.destination(), place))
    }
}

impl net::Desk for ImapAgent {
    type Session = ::imap::Session;

    async fn answer(&mut self, ask: Ask) -> Answer {
        self.serve(ask).await.unwrap_or_else(Answer::Refused)
    }

    async fn changed(&mut self) {
        let bell = match (&self.watched, &self.selected) {
            (Some(watched), _) => watched.bell(),
            (None, Some(open)) => &open.bell,
            (None, None) => return std::future::pending().await,
        };
        loop {
            if bell.heard() {
                return;
            }
            bell.notify.notified().await;
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
