//! The whole account, watched for a session (NOTIFY, RFC 5465). Commits ring the bell and leave which mailboxes they
//! touched; what happened there is read from the store's change logs when the session asks.
//!
//! Invariant: what is remembered is bounded, however long the session does not ask: beyond [`TOUCHED_MAX`] mailboxes, all
//! are looked at; beyond [`OWN_MAX`] own writes, some of them are told as if another had made them.

use super::{Bell, convert};
use ::imap::ask::{AccountNews, ChangedEntry, Listed, MailboxRow, Owner, Touched, WhyListed};
use engine::AccountId;
use model::{MailboxId, ModSeq, Rights};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Error, ListEvent, MailboxInfo, SERVER, Store, Watch, Written};

/// Mailboxes remembered one by one.
const TOUCHED_MAX: usize = 256;

/// Own writes remembered.
const OWN_MAX: usize = 1024;

pub(super) struct Watched {
    account: AccountId,
    bell: Arc<Bell>,
    state: Arc<Mutex<State>>,
    /// Ring the bell as long as they live.
    _watches: [Watch; 2],
}

#[derive(Default)]
struct State {
    /// None: too many.
    touched: Option<BTreeSet<MailboxId>>,
    since: ModSeq,
    server_since: u64,
    own: Vec<ModSeq>,
    own_of_server: Vec<ModSeq>,
}

/// What is to be looked at now.
struct Taken {
    touched: Option<BTreeSet<MailboxId>>,
    since: ModSeq,
    server_since: u64,
    own: Vec<ModSeq>,
    own_of_server: Vec<ModSeq>,
}

impl State {
    fn take(&mut self) -> Taken {
        Taken {
            touched: self.touched.replace(BTreeSet::new()),
            since: self.since,
            server_since: self.server_since,
            own: std::mem::take(&mut self.own),
            own_of_server: std::mem::take(&mut self.own_of_server),
        }
    }

    /// It could not be looked at: next time everything is, from the same place on.
    fn put_back(&mut self, taken: Taken) {
        self.touched = None;
        self.own.splice(0..0, taken.own);
        self.own_of_server.splice(0..0, taken.own_of_server);
    }
}

impl Watched {
    pub(super) fn new(store: &Store, account: AccountId, bell: Arc<Bell>) -> Result<Watched, Error> {
        let state = Arc::new(Mutex::new(State { touched: Some(BTreeSet::new()), ..State::default() }));
        // Watched before it is read: nothing that happens in between is missed.
        let (rope, notes) = (bell.clone(), state.clone());
        let touch = move |mailbox| {
            let mut state = notes.lock();
            if let Some(touched) = &mut state.touched {
                touched.insert(mailbox);
                if touched.len() > TOUCHED_MAX {
                    state.touched = None;
                }
            }
            drop(state);
            rope.ring();
        };
        let rope = bell.clone();
        let watches = [
            store.watch_each(account, Arc::new(touch)),
            store.watch_each(SERVER, Arc::new(move |_| rope.ring())),
        ];
        let mut now = state.lock();
        now.since = store.account_modseq(account)?;
        now.server_since = store.server_changes(None, &[])?.up_to;
        drop(now);
        Ok(Watched { account, bell, state, _watches: watches })
    }

    pub(super) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// A write of this session, which it does not want to hear of.
    pub(super) fn own<T: Send + 'static>(&self, written: &Written<T>) {
        let mut state = self.state.lock();
        if state.own.len() < OWN_MAX {
            let own = written.stamps().iter().filter(|(account, _)| *account == self.account);
            state.own.extend(own.map(|(_, modseq)| *modseq));
            state.own_of_server.extend(written.server_stamp().map(ModSeq));
        }
    }

    /// What others did since this was last asked.
    pub(super) fn news(&self, store: &Store) -> Result<AccountNews, Error> {
        let taken = self.state.lock().take();
        let read = self.read(store, &taken);
        let mut state = self.state.lock();
        match read {
            Ok((news, since, server_since)) => {
                (state.since, state.server_since) = (since, server_since);
                Ok(news)
            }
            Err(error) => {
                state.put_back(taken);
                Err(error)
            }
        }
    }

    /// What happened, and up to where that is the account's and the server's news.
    fn read(&self, store: &Store, taken: &Taken) -> Result<(AccountNews, ModSeq, u64), Error> {
        let changes = store.account_changes(self.account, taken.since, taken.touched.as_ref(), &taken.own)?;
        let server = store.server_changes(Some(taken.server_since), &taken.own_of_server)?;
        if changes.is_overflow || server.is_overflow {
            let news = AccountNews { is_overflow: true, ..AccountNews::default() };
            return Ok((news, changes.up_to, server.up_to));
        }
        let mut news = self.listed(store, changes.events)?;
        news.touched = changes
            .mailboxes
            .into_iter()
            .map(|touched| {
                let counters = convert::counters(&touched.info.counters, Owner::SELF, 0);
                Touched {
                    row: convert::mailbox(touched.info, Some(counters), Rights::ALL),
                    arrived: touched.arrived,
                    vanished: touched.vanished,
                    flagged: touched.flagged,
                }
            })
            .collect();
        news.entries.extend(server.entries.into_iter().map(|name| ChangedEntry { mailbox: None, name }));
        Ok((news, changes.up_to, server.up_to))
    }

    /// Names as they are now.
    fn listed(&self, store: &Store, events: Vec<ListEvent>) -> Result<AccountNews, Error> {
        let mut news = AccountNews::default();
        if events.is_empty() {
            return Ok(news);
        }
        let names = Names::new(store.mailboxes(self.account)?);
        for event in events {
            match event {
                ListEvent::Created { name, .. } | ListEvent::Deleted { name, .. } => {
                    // RFC 5465 §5.4: the direct parent is affected too.
                    let parent = name.rsplit_once('/').map(|(parent, _)| parent.to_owned());
                    news.listed.push(names.listed(name, None, WhyListed::Name));
                    news.listed.extend(parent.map(|parent| names.listed(parent, None, WhyListed::Name)));
                }
                ListEvent::Renamed { from, to } => {
                    news.listed.push(names.listed(to, Some(from), WhyListed::Name));
                }
                ListEvent::Subscribed { name } | ListEvent::Unsubscribed { name } => {
                    news.listed.push(names.listed(name, None, WhyListed::Subscription));
                }
                ListEvent::Entry { mailbox, user, name } if user == SERVER || user == self.account => {
                    let row = names.by_id(mailbox);
                    // Of a mailbox that has gone meanwhile there is nothing to tell.
                    if mailbox == MailboxId(0) || row.is_some() {
                        news.entries.push(ChangedEntry { mailbox: row, name });
                    }
                }
                ListEvent::Entry { .. } | ListEvent::Rights { .. } => {}
            }
        }
        Ok(news)
    }
}

/// All names of the account.
struct Names(BTreeMap<String, MailboxInfo>);

impl Names {
    fn new(list: Vec<MailboxInfo>) -> Names {
        Names(list.into_iter().map(|info| (info.name.clone(), info)).collect())
    }

    fn listed(&self, name: String, old_name: Option<String>, why: WhyListed) -> Listed {
        let below = format!("{name}/");
        let mut inferiors = self.0.range(below.clone()..).take_while(|(name, _)| name.starts_with(&below));
        let has_children = inferiors.any(|(_, info)| info.id.is_some());
        let row = match self.0.get(&name) {
            Some(info) => convert::mailbox(info.clone(), None, Rights::ALL),
            None => MailboxRow {
                name,
                id: None,
                special_use: None,
                subscribed: false,
                counters: None,
                rights: Rights::NONE,
            },
        };
        Listed { row, has_children, old_name, why }
    }

    fn by_id(&self, id: MailboxId) -> Option<MailboxRow> {
        let info = self.0.values().find(|info| info.id == Some(id))?;
        Some(convert::mailbox(info.clone(), None, Rights::ALL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_looked_at_is_not_lost() {
        let mut state = State {
            touched: Some([MailboxId(1)].into()),
            since: ModSeq(7),
            server_since: 3,
            own: vec![ModSeq(8)],
            own_of_server: vec![ModSeq(4)],
        };
        let taken = state.take();
        assert_eq!(
            (taken.touched.as_ref().map(BTreeSet::len), state.touched.as_ref()),
            (Some(1), Some(&BTreeSet::new()))
        );
        // Happens while it is read.
        state.own.push(ModSeq(9));
        state.put_back(taken);
        assert!(state.touched.is_none(), "all mailboxes are looked at");
        assert_eq!((state.since, state.server_since), (ModSeq(7), 3));
        assert_eq!((state.own, state.own_of_server), (vec![ModSeq(8), ModSeq(9)], vec![ModSeq(4)]));
    }
}
