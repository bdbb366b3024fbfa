//! The whole account, watched for a session (NOTIFY, RFC 5465), and the mailboxes of others that it may see (`others`).
//! Commits ring the bell and leave which mailboxes they touched; what happened there is read from the store's change logs
//! when the session asks.
//!
//! Invariants: what is remembered is bounded, however long the session does not ask: beyond [`TOUCHED_MAX`] mailboxes, all
//! are looked at; beyond [`OWN_MAX`] own writes, some of them are told as if another had made them. What could not be read
//! is told the next time: nothing moves on before everything was read. A commit can be read before its bell rings: where
//! some number between two states has not rung, all mailboxes are looked at.

mod names;
mod others;

use super::sharing::{METADATA, Sight};
use super::{Bell, convert, refused};
use ::imap::ask::{self, AccountNews, ChangedEntry, MailboxRow, Owner, Refused, Touched, WhyListed};
use engine::AccountId;
use model::{MailboxId, ModSeq, Right, Rights};
use names::Names;
use others::Others;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{AccountChanges, ListEvent, SERVER, Store, Viewer, Watch, Written};

/// Mailboxes remembered one by one.
const TOUCHED_MAX: usize = 256;

/// Names that are gone and remembered.
const GONE_MAX: usize = 1024;

/// Own writes remembered.
const OWN_MAX: usize = 1024;

/// Stands for the list of mailboxes of an account, as in the store's feed.
const LIST: MailboxId = MailboxId(0);

pub(super) struct Watched {
    account: AccountId,
    bell: Arc<Bell>,
    state: Arc<Mutex<State>>,
    told: Told,
    /// Mailboxes of others, if they are to be looked at.
    others: Option<Others>,
    /// Ring the bell as long as they live.
    _watches: [Watch; 2],
}

/// What commits and own writes leave behind.
#[derive(Default)]
struct State {
    /// None: too many. [`LIST`] stands for an account's list.
    touched: Option<BTreeSet<(AccountId, MailboxId)>>,
    /// Numbers of the commits that touched them.
    stamps: BTreeSet<(AccountId, ModSeq)>,
    own: Vec<(AccountId, ModSeq)>,
    own_of_server: Vec<ModSeq>,
    /// Mailboxes of others that this user may see; what happens in others of theirs rings nothing.
    visible: BTreeSet<(AccountId, MailboxId)>,
    /// Accounts of which `visible` speaks; of one that has just been found, everything rings.
    settled: BTreeSet<AccountId>,
}

/// Up to where things were told.
#[derive(Clone)]
struct Told {
    since: ModSeq,
    server_since: u64,
    /// Own mailboxes that this user has forbidden himself to read.
    unreadable: BTreeSet<MailboxId>,
    gone: Gone,
}

/// Names that have stood for a mailbox and do so no more, since the watch began. If one stands for a mailbox again, that one
/// has another UIDVALIDITY.
#[derive(Clone, Default)]
struct Gone {
    names: BTreeSet<String>,
    /// There were too many: any name may be one of them.
    any: bool,
}

impl Gone {
    fn note(&mut self, name: &str) {
        if self.names.len() < GONE_MAX {
            self.names.insert(name.to_owned());
        } else {
            self.any = true;
        }
    }

    /// Whether the name, or one above it that took it along, is among them.
    fn holds(&self, name: &str) -> bool {
        let above = name.match_indices('/').map(|(at, _)| &name[..at]);
        self.any || above.chain([name]).any(|name| self.names.contains(name))
    }
}

/// What is to be looked at now.
struct Taken {
    touched: Option<BTreeSet<(AccountId, MailboxId)>>,
    stamps: BTreeSet<(AccountId, ModSeq)>,
    own: Vec<(AccountId, ModSeq)>,
    own_of_server: Vec<ModSeq>,
}

impl State {
    fn take(&mut self) -> Taken {
        Taken {
            touched: self.touched.replace(BTreeSet::new()),
            stamps: std::mem::take(&mut self.stamps),
            own: std::mem::take(&mut self.own),
            own_of_server: std::mem::take(&mut self.own_of_server),
        }
    }

    /// It could not be looked at: next time everything is, from the same place on.
    fn put_back(&mut self, taken: Taken) {
        self.touched = None;
        self.stamps.clear();
        self.own.splice(0..0, taken.own);
        self.own_of_server.splice(0..0, taken.own_of_server);
    }

    fn is_visible(&self, account: AccountId, mailbox: MailboxId) -> bool {
        self.visible.contains(&(account, mailbox)) || !self.settled.contains(&account)
    }

    /// All mailboxes of one commit at once: one that is read between two of them would take the number for the whole.
    fn touch(&mut self, account: AccountId, mailboxes: &[MailboxId], stamp: ModSeq) {
        if let Some(touched) = &mut self.touched {
            touched.extend(mailboxes.iter().map(|mailbox| (account, *mailbox)));
            if touched.len() > TOUCHED_MAX {
                self.touched = None;
            }
        }
        self.pass(account, stamp);
    }

    /// A commit of which nothing is to be looked at; or, besides, one that touched something.
    fn pass(&mut self, account: AccountId, stamp: ModSeq) {
        if self.touched.is_some() {
            self.stamps.insert((account, stamp));
            if self.stamps.len() > TOUCHED_MAX {
                self.touched = None;
            }
        }
        if self.touched.is_none() {
            self.stamps.clear();
        }
    }
}

impl Taken {
    /// Mailboxes of one account; None: any.
    fn of(&self, account: AccountId) -> Option<BTreeSet<MailboxId>> {
        let touched = self.touched.as_ref()?;
        Some(touched.range((account, LIST)..=(account, MailboxId(u32::MAX))).map(|(_, id)| *id).collect())
    }

    /// Whether the bell has rung for every commit in between.
    fn covers(&self, account: AccountId, since: ModSeq, up_to: ModSeq) -> bool {
        let rung = self.stamps.range((account, since)..=(account, up_to));
        rung.filter(|(_, stamp)| *stamp > since).count() as u64 == up_to.0.saturating_sub(since.0)
    }

    /// What happened in an account after `since`.
    fn changes(
        &self,
        store: &Store,
        account: AccountId,
        since: ModSeq,
    ) -> Result<AccountChanges, store::Error> {
        let own = self.own_in(account);
        if let Some(only) = self.of(account) {
            let changes = store.account_changes(account, since, Some(&only), &own)?;
            if self.covers(account, since, changes.up_to) {
                return Ok(changes);
            }
        }
        store.account_changes(account, since, None, &own)
    }

    /// Own writes in one account.
    fn own_in(&self, account: AccountId) -> Vec<ModSeq> {
        self.own.iter().filter(|(whose, _)| *whose == account).map(|(_, modseq)| *modseq).collect()
    }

    /// Whether some list of mailboxes, or of what is shared, may be another than before.
    fn has_list(&self) -> bool {
        self.touched.as_ref().is_none_or(|touched| touched.iter().any(|(_, mailbox)| *mailbox == LIST))
    }
}

impl Watched {
    pub(super) fn new(sight: &Sight<'_>, bell: Arc<Bell>, wanted: ask::Watch) -> Result<Watched, Refused> {
        let (store, account) = (sight.store(), sight.login.account);
        let state = Arc::new(Mutex::new(State { touched: Some(BTreeSet::new()), ..State::default() }));
        // Watched before it is read: nothing that happens in between is missed.
        let watches = [account, SERVER].map(|whose| {
            let (rope, notes) = (bell.clone(), state.clone());
            let ring = move |mailboxes: &[MailboxId], stamp| {
                notes.lock().touch(whose, mailboxes, stamp);
                rope.ring();
            };
            store.watch_each(whose, Arc::new(ring))
        });
        let told = Told {
            since: store.account_modseq(account).map_err(refused)?,
            server_since: store.server_changes(None, &[]).map_err(refused)?.up_to,
            unreadable: unreadable(sight)?,
            gone: Gone::default(),
        };
        let mut watched = Watched { account, bell, state, told, others: None, _watches: watches };
        watched.look_at(sight, wanted)?;
        Ok(watched)
    }

    /// Begins or ends to look at mailboxes of others; those that are looked at already go on from where they are.
    pub(super) fn look_at(&mut self, sight: &Sight<'_>, wanted: ask::Watch) -> Result<(), Refused> {
        match wanted {
            ask::Watch::Off | ask::Watch::Own => self.others = None,
            ask::Watch::All if self.others.is_none() => {
                self.others = Some(Others::new(sight, &self.bell, &self.state)?);
            }
            ask::Watch::All => {}
        }
        Ok(())
    }

    pub(super) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// A write of this session, which it does not want to hear of.
    pub(super) fn own<T: Send + 'static>(&self, written: &Written<T>) {
        let mut state = self.state.lock();
        if state.own.len() < OWN_MAX {
            state.own.extend(written.stamps());
            state.own_of_server.extend(written.server_stamp().map(ModSeq));
        }
    }

    /// What others did since this was last asked.
    pub(super) fn news(&mut self, sight: &Sight<'_>) -> Result<AccountNews, Refused> {
        let taken = self.state.lock().take();
        let news = self.read(sight, &taken);
        if news.is_err() {
            self.state.lock().put_back(taken);
        }
        news
    }

    fn read(&mut self, sight: &Sight<'_>, taken: &Taken) -> Result<AccountNews, Refused> {
        let (store, account, mut told) = (sight.store(), self.account, self.told.clone());
        let changes = taken.changes(store, account, told.since).map_err(refused)?;
        let server = store.server_changes(Some(told.server_since), &taken.own_of_server).map_err(refused)?;
        (told.since, told.server_since) = (changes.up_to, server.up_to);
        let is_overflow = changes.is_overflow || server.is_overflow;
        let mut news = AccountNews { is_overflow, ..AccountNews::default() };
        let mut names = Names::unread(sight);
        own_news(&mut news, &mut names, changes, &mut told)?;
        let next = match &mut self.others {
            Some(others) => Some(others.read(&mut names, taken, &mut news)?),
            None => None,
        };
        news.entries.extend(server.entries.into_iter().map(|name| ChangedEntry { mailbox: None, name }));
        self.told = told;
        if let (Some(others), Some(next)) = (&mut self.others, next) {
            others.go_on(next, &self.state);
        }
        Ok(match news.is_overflow {
            true => AccountNews { is_overflow: true, ..AccountNews::default() },
            false => news,
        })
    }
}

/// What happened in this user's own account.
fn own_news(
    news: &mut AccountNews,
    names: &mut Names<'_>,
    changes: AccountChanges,
    told: &mut Told,
) -> Result<(), Refused> {
    let own = names.sight().login.account;
    let mut renewed = Vec::new();
    for event in changes.events {
        match event {
            ListEvent::Created { name, .. } => {
                news.listed.extend(names.with_parent(&name, WhyListed::Name)?);
                renewed.push(name);
            }
            ListEvent::Deleted { name, .. } => {
                news.listed.extend(names.with_parent(&name, WhyListed::Name)?);
                told.gone.note(&name);
            }
            ListEvent::Renamed { from, to } => {
                told.gone.note(&from);
                renewed.push(to.clone());
                news.listed.push(names.listed(to, Some(from), WhyListed::Name)?);
            }
            ListEvent::Subscribed { name } | ListEvent::Unsubscribed { name } => {
                news.listed.push(names.listed(name, None, WhyListed::Subscription)?);
            }
            ListEvent::Entry { mailbox, user, name } if user == SERVER || user == own => {
                let row = names.row(own, mailbox)?.filter(|row| row.rights.has_any(METADATA));
                // Of a mailbox that has gone meanwhile, or may not be used so, there is nothing to tell.
                if mailbox == LIST || row.is_some() {
                    news.entries.push(ChangedEntry { mailbox: row, name });
                }
            }
            ListEvent::Rights { mailbox } => {
                let now = unreadable(names.sight())?;
                // RFC 5465 §5.9
                if now.contains(&mailbox) != told.unreadable.contains(&mailbox)
                    && let Some(row) = names.row(own, mailbox)?
                {
                    news.listed.push(names.listed(row.name, None, WhyListed::Access)?);
                }
                told.unreadable = now;
            }
            ListEvent::Entry { .. } => {}
        }
    }
    for touched in changes.mailboxes {
        if touched.info.id.is_some_and(|id| told.unreadable.contains(&id)) {
            continue;
        }
        let counters = convert::counters(&touched.info.counters, Owner::SELF, 0);
        news.touched.push(Touched {
            row: convert::mailbox(touched.info, Some(counters), Rights::ALL),
            arrived: touched.arrived,
            vanished: touched.vanished,
            flagged: touched.flagged,
            described: touched.described,
        });
    }
    own_renewed(news, names, told, &renewed)
}

/// RFC 5465 §5.1: "the server MUST notify the client about mailbox UIDVALIDITY changes", by STATUS as of changed flags. These
/// names, and those below, have just come to stand for a mailbox, maybe for another one than before.
fn own_renewed(
    news: &mut AccountNews,
    names: &Names<'_>,
    told: &Told,
    renewed: &[String],
) -> Result<(), Refused> {
    if renewed.is_empty() {
        return Ok(());
    }
    let own = names.sight().login.account;
    let is_renewed = |name: &str| {
        let rest = renewed.iter().filter_map(|renewed| name.strip_prefix(renewed.as_str()));
        rest.into_iter().any(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    for info in names.sight().store().mailboxes(own).map_err(refused)? {
        let is_readable = info.id.is_some_and(|id| !told.unreadable.contains(&id));
        if !is_readable || !is_renewed(&info.name) || !told.gone.holds(&info.name) {
            continue;
        }
        let counters = convert::counters(&info.counters, Owner::SELF, 0);
        renew(news, convert::mailbox(info, Some(counters), Rights::ALL));
    }
    Ok(())
}

/// STATUS is to tell UIDVALIDITY of a mailbox, as it does of changed flags.
fn renew(news: &mut AccountNews, row: MailboxRow) {
    let place = row.place();
    match news.touched.iter_mut().find(|touched| touched.row.place() == place) {
        Some(touched) => touched.flagged = true,
        None => {
            let (arrived, vanished, flagged, described) = (false, false, true, false);
            news.touched.push(Touched { row, arrived, vanished, flagged, described });
        }
    }
}

/// Mailboxes of his own that a user may not read.
fn unreadable(sight: &Sight<'_>) -> Result<BTreeSet<MailboxId>, Refused> {
    let own = sight.login.account;
    let lists = sight.store().acls(own).map_err(refused)?;
    let limited = lists.iter().filter(|(_, acl)| !acl.rights(own, &Viewer::alone(own)).has(Right::Read));
    Ok(limited.map(|(mailbox, _)| *mailbox).collect())
}

#[cfg(test)]
mod tests;
