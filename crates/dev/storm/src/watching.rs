//! NOTIFY (RFC 5465): what the server tells of mailboxes that are not selected must, in quiet moments, be their state, and
//! nothing that was asked for may be left out: between two quiet moments every change but the client's own is told.

use crate::client::Client;
use crate::command::{Command, Kind};
use crate::session::{Rule, Session, Trouble};
use crate::shared::{Row, Truth, View, lock};
use crate::wire::Value;
use crate::wishes::{Event, Wishes, is_firm};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// News of what is over must come in this time.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the events say; the number of unseen messages, for example, is told on demand alone.
const KEPT: [&str; 4] = ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "HIGHESTMODSEQ"];

/// A name as LIST told it; None: there is no such mailbox for this client.
type Told = Option<Row>;

/// The last quiet moment in which all was told.
#[derive(Clone, Debug)]
struct Before {
    ids: HashMap<String, String>,
    view: View,
}

/// What was told of mailboxes, and what this client has changed itself since, of which it need not be told (§5).
#[derive(Debug)]
pub struct Watching {
    account: usize,
    wishes: Wishes,
    /// CONDSTORE is enabled, so that HIGHESTMODSEQ is told.
    condstore: bool,
    /// STATUS items, by name.
    told: HashMap<String, HashMap<String, u64>>,
    /// LIST, by name.
    rows: HashMap<String, Told>,
    /// Metadata entries that have changed.
    entries: HashSet<(String, String)>,
    own_names: HashSet<String>,
    own_entries: HashSet<(String, String)>,
    before: Option<Before>,
}

impl Watching {
    /// What these wishes are to bring from now on.
    pub fn new(account: usize, wishes: Wishes, condstore: bool) -> Watching {
        Watching {
            account,
            wishes,
            condstore,
            told: HashMap::new(),
            rows: HashMap::new(),
            entries: HashSet::new(),
            own_names: HashSet::new(),
            own_entries: HashSet::new(),
            before: None,
        }
    }

    /// Whether that item of that mailbox is told whenever it changes.
    fn is_kept(&self, name: &str, item: &str) -> bool {
        let flags = self.wishes.wants(Event::Flags, name) && self.condstore;
        self.wishes.wants(Event::Messages, name) && KEPT.contains(&item) && (item != "HIGHESTMODSEQ" || flags)
    }

    /// STATUS
    fn status(&mut self, name: &str, items: &[(String, Value)]) {
        let kept = items.iter().filter(|(item, _)| self.is_kept(name, item));
        let kept: Vec<_> = kept.filter_map(|(item, value)| Some((item.clone(), value.number()?))).collect();
        self.told.entry(name.to_owned()).or_default().extend(kept);
    }

    /// LIST
    fn list(&mut self, name: &str, told: Told, old_name: Option<&str>) {
        // RFC 5465 §5.9: what cannot be read is not told any more.
        if told.is_none_or(|row| !row.readable) {
            self.told.remove(name);
        }
        self.rows.insert(name.to_owned(), told);
        if let Some(old) = old_name {
            self.told.remove(old);
            self.rows.insert(old.to_owned(), None);
        }
    }

    /// The first item that is not as it is.
    fn figures_differ(&self, name: &str, truth: &Truth) -> Option<String> {
        let told = self.told.get(name)?;
        told.iter().find_map(|(item, value)| {
            let due = truth.figure(item)?;
            (due != *value).then(|| format!("NOTIFY told {item} {value} of {name}, which is {due}"))
        })
    }

    /// What LIST should have told of a name, and has not.
    fn name_differs(&self, name: &str, view: &View) -> Option<String> {
        if self.own_names.contains(name) {
            return None;
        }
        let is = view.rows.get(name).copied();
        let before = self.before.as_ref().map(|before| before.view.rows.get(name).copied());
        let told = self.rows.get(name).copied().or(before)?;
        let wishes = &self.wishes;
        let (came_or_went, access) = match (told, is) {
            (Some(told), Some(is)) => (false, told.readable != is.readable),
            (None, None) => (false, false),
            _ => (true, false),
        };
        let subscription = told.zip(is).is_some_and(|(told, is)| told.subscribed != is.subscribed);
        let differs = came_or_went && wishes.wants(Event::Name, name)
            || access && wishes.wants_any(name)
            || subscription && wishes.wants(Event::Subscription, name);
        differs.then(|| format!("NOTIFY told LIST {told:?} of {name}, which is {is:?}"))
    }

    /// An entry whose change was not told.
    fn entry_differs(
        &self,
        key: &(String, String),
        truth: &BTreeMap<String, Truth>,
        view: &View,
    ) -> Option<String> {
        let before = self.before.as_ref()?;
        let (name, entry) = key;
        let wanted = match name.is_empty() {
            true => self.wishes.wants_server(),
            false => self.wishes.wants(Event::Metadata, name) && is_firm(self.account, name),
        };
        let is_another = truth.get(name).map(|truth| &truth.id) != before.ids.get(name);
        if !wanted || self.own_entries.contains(key) || is_another {
            return None;
        }
        let (was, is) = (before.view.entries.get(key)?, view.entries.get(key)?);
        (was != is && !self.entries.contains(key))
            .then(|| format!("NOTIFY has not told METADATA of {name}: {entry} was {was:?}, is {is:?}"))
    }

    fn difference(
        &self,
        selected: Option<&str>,
        truth: &BTreeMap<String, Truth>,
        view: &View,
    ) -> Option<String> {
        let others = truth.iter().filter(|(_, truth)| selected != Some(&truth.id));
        let names = view.rows.keys().chain(self.rows.keys());
        let before = self.before.iter().flat_map(|before| before.view.rows.keys());
        let mut names = names.chain(before);
        others
            .filter_map(|(name, truth)| self.figures_differ(name, truth))
            .next()
            .or_else(|| names.find_map(|name| self.name_differs(name, view)))
            .or_else(|| view.entries.keys().find_map(|key| self.entry_differs(key, truth, view)))
    }

    /// All was told: from here on every change must be.
    fn begin_anew(&mut self, selected: Option<&str>, truth: &BTreeMap<String, Truth>, view: &View) {
        self.told.clear();
        for (name, truth) in truth.iter().filter(|(_, truth)| selected != Some(&truth.id)) {
            let items = KEPT.iter().filter(|item| self.is_kept(name, item));
            let figures = items.filter_map(|item| Some(((*item).to_owned(), truth.figure(item)?)));
            self.told.insert(name.clone(), figures.collect());
        }
        self.rows.clear();
        self.entries.clear();
        self.own_names.clear();
        self.own_entries.clear();
        let ids = truth.iter().map(|(name, truth)| (name.clone(), truth.id.clone())).collect();
        self.before = Some(Before { ids, view: view.clone() });
    }
}

impl Session {
    /// Any STATUS response.
    pub fn watched(&mut self, name: &str, items: &[(String, Value)]) {
        if let Some(watching) = &mut self.watching {
            watching.status(name, items);
        }
    }

    /// Any LIST response: attributes, name, and the name it had.
    pub fn listed(&mut self, attributes: &[Value], name: &str, old_name: Option<&str>) {
        let Some(watching) = &mut self.watching else { return };
        let has = |wanted: &str| attributes.iter().any(|value| value.text() == Some(wanted));
        // SELECT of IMAP4rev2 tells the name too (RFC 9051 §6.3.2), which is no news.
        if !has("\\HasChildren") && !has("\\HasNoChildren") {
            return;
        }
        if self.is_listing && old_name.is_none() {
            // The command's own responses are none of NOTIFY's, which look the same but for an old name.
            watching.own_names.insert(name.to_owned());
            if has("\\NoAccess") {
                // But this word, which is NOTIFY's (RFC 5465 §5.9): messages are not told any more.
                watching.told.remove(name);
            }
            return;
        }
        let row = Row { readable: !has("\\NoAccess"), subscribed: has("\\Subscribed") };
        watching.list(name, Some(row).filter(|_| !has("\\NonExistent")), old_name);
    }

    /// METADATA without values (RFC 5464 §4.4.2).
    pub fn noticed(&mut self, mailbox: &str, entries: impl Iterator<Item = String>) {
        if let Some(watching) = &mut self.watching {
            watching.entries.extend(entries.map(|entry| (mailbox.to_owned(), entry)));
        }
    }

    /// This client has changed the messages of that mailbox, or knows it better.
    pub fn unwatch(&mut self, name: &str) {
        if let Some(watching) = &mut self.watching {
            watching.told.remove(name);
        }
    }

    /// This client has made, removed, renamed that mailbox, or subscribed to it.
    pub fn unwatch_name(&mut self, name: &str) {
        if let Some(watching) = &mut self.watching {
            watching.own_names.insert(name.to_owned());
        }
    }

    /// This client has set that entry.
    pub fn unwatch_entry(&mut self, mailbox: &str, entry: &str) {
        if let Some(watching) = &mut self.watching {
            watching.own_entries.insert((mailbox.to_owned(), entry.to_owned()));
        }
    }
}

impl Client {
    /// NOTIFY SET.
    pub fn notify(&mut self) -> Command {
        let initially = if self.random.chance(50) { "STATUS " } else { "" };
        let new = if self.random.chance(30) { "MessageNew (UID FLAGS)" } else { "MessageNew" };
        let accounts = self.session.shared.accounts.len();
        let wishes = Wishes::random(&mut self.random, self.session.account, accounts);
        let selected = format!("(selected-delayed ({new} MessageExpunge FlagChange))");
        let text = format!("NOTIFY SET {initially}{selected}{}", wishes.text());
        Command::new(text, Kind::Notify(wishes))
    }

    /// NOTIFY has succeeded; what came with it is the new wishes' already.
    pub fn notified(&mut self, wishes: Wishes) {
        let condstore = self.session.enabled.condstore();
        let mut watching = Watching::new(self.session.account, wishes, condstore);
        for (name, items) in &self.session.heard.status {
            watching.status(name, items);
        }
        self.session.watching = Some(watching);
    }

    /// Waits until what was told is so, and all of it was told.
    ///
    /// # Errors
    /// The first difference that stays.
    pub fn check_watching(&mut self) -> Result<(), Trouble> {
        let account = self.session.account;
        let truths = Arc::clone(&lock(&self.session.shared.truths));
        let views = Arc::clone(&lock(&self.session.shared.views));
        let (truth, view) = (&truths[account], &views[account]);
        let begun = Instant::now();
        loop {
            self.session.drain(None, Rule::Any)?;
            // Another may have given it a new name.
            let selected = self.session.selected.as_ref().map(|selected| selected.id.clone());
            let selected = selected.as_deref();
            let Some(watching) = &mut self.session.watching else { return Ok(()) };
            let Some(why) = watching.difference(selected, truth, view) else {
                watching.begin_anew(selected, truth, view);
                return Ok(());
            };
            if begun.elapsed() > PATIENCE {
                return Err(why.into());
            }
            self.session.drain(Some(Duration::from_millis(50)), Rule::Any)?;
        }
    }
}
