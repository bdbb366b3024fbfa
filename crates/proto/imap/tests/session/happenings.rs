//! What happens to the account as a whole, for sessions that watch it, and metadata.

use crate::world::{World, away, no_such_mailbox, refused};
use imap::ask::{
    AccountNews, Answer, ChangedEntry, Listed, MailboxRow, RefusedKind, Touched, Watch, WhyListed,
};
use imap::command::Depth;
use model::{Right, Rights};
use std::collections::BTreeMap;

/// Something that happened, for NOTIFY.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happening {
    Arrived(u32),
    Vanished(u32),
    Flagged(u32),
    Created(String),
    Deleted(String),
    Renamed(String, String),
    Subscription(String),
    Entry(Option<u32>, String),
    /// What may be done with it; what might be done before.
    Rights(u32, Rights),
}

impl World {
    /// What happens from now on, none of the clients does.
    pub fn by_nobody(&mut self) {
        self.author = None;
    }

    pub fn note(&mut self, happening: Happening) {
        self.happened.push((self.author, happening));
    }

    pub fn watch(&mut self, client: u8, wanted: Watch) -> Answer {
        if wanted == Watch::Off {
            self.watching.remove(&client);
            return Answer::Done;
        }
        if self.fails_next("watch") {
            return away();
        }
        if wanted == Watch::All && self.fails_next("watch-all") {
            return refused(RefusedKind::Overflow, "There is too much to be watched");
        }
        self.watching.entry(client).or_insert(self.happened.len());
        Answer::Done
    }

    /// What others did since it was last asked; more than a hundred things are too many.
    pub fn news(&mut self, client: u8) -> AccountNews {
        let Some(seen) = self.watching.insert(client, self.happened.len()) else {
            self.watching.remove(&client);
            return AccountNews::default();
        };
        let mut news = AccountNews::default();
        let mut messages: BTreeMap<u32, [bool; 3]> = BTreeMap::new();
        let others = self.happened[seen..].iter().filter(|(by, _)| *by != Some(client));
        for (_, happening) in others.clone() {
            match happening {
                Happening::Arrived(id) => messages.entry(*id).or_default()[0] = true,
                Happening::Vanished(id) => messages.entry(*id).or_default()[1] = true,
                Happening::Flagged(id) => messages.entry(*id).or_default()[2] = true,
                Happening::Created(name) | Happening::Deleted(name) => {
                    news.listed.push(self.listed(name, None, WhyListed::Name));
                    if let Some((above, _)) = name.rsplit_once('/') {
                        news.listed.push(self.listed(above, None, WhyListed::Name));
                    }
                }
                Happening::Renamed(from, to) => {
                    news.listed.push(self.listed(to, Some(from.clone()), WhyListed::Name));
                }
                Happening::Subscription(name) => {
                    news.listed.push(self.listed(name, None, WhyListed::Subscription));
                }
                Happening::Rights(id, before) => news.listed.extend(self.access(*id, *before)),
                Happening::Entry(id, name) => {
                    let mailbox = id
                        .and_then(|id| self.mailboxes.get(&id))
                        .map(|mailbox| self.mailbox_row(&mailbox.name));
                    news.entries.push(ChangedEntry { mailbox, name: name.clone() });
                }
            }
        }
        for (id, [arrived, vanished, flagged]) in messages {
            if let Some(mailbox) = self.mailboxes.get(&id).filter(|_| self.rights(id).has(Right::Read)) {
                let row = self.mailbox_row(&mailbox.name);
                news.touched.push(Touched { row, arrived, vanished, flagged, described: false });
            }
        }
        if others.count() > 100 {
            return AccountNews { is_overflow: true, ..AccountNews::default() };
        }
        news
    }

    /// What is told when rights were given or taken (RFC 5465 §5.4, §5.9).
    fn access(&self, id: u32, before: Rights) -> Option<Listed> {
        let (now, name) = (self.rights(id), &self.mailboxes.get(&id)?.name);
        let changed = |right| now.has(right) != before.has(right);
        if changed(Right::Lookup) && now.has(Right::Lookup) {
            let was_seen = |happening: &Happening| match happening {
                Happening::Rights(of, before) => *of == id && before.has(Right::Lookup),
                _ => false,
            };
            let was_hidden = self.happened.iter().any(|(_, happening)| was_seen(happening));
            let why = if was_hidden { WhyListed::Access } else { WhyListed::Name };
            return Some(self.listed(name, None, why));
        }
        let told = changed(Right::Lookup) || changed(Right::Read);
        told.then(|| self.listed(name, None, WhyListed::Access))
    }

    fn mailbox_row(&self, name: &str) -> MailboxRow {
        let found = self.rows_of_mailboxes(true).into_iter().find(|row| row.name == name);
        found.unwrap_or_else(|| MailboxRow {
            name: name.to_owned(),
            id: None,
            special_use: None,
            subscribed: false,
            counters: None,
            rights: Rights::NONE,
        })
    }

    fn listed(&self, name: &str, old_name: Option<String>, why: WhyListed) -> Listed {
        let below = format!("{name}/");
        let has_children = self.mailboxes.values().any(|mailbox| mailbox.name.starts_with(&below));
        Listed { row: self.mailbox_row(name), has_children, old_name, why }
    }

    pub fn metadata(&self, mailbox: Option<String>, wanted: &[String], depth: Depth) -> Answer {
        let mut entries = match mailbox {
            None => self.metadata.clone(),
            Some(name) => match self.find(&name) {
                Some(id) => self.mailboxes[&id].metadata.clone(),
                None => return no_such_mailbox(),
            },
        };
        entries.retain(|name, _| wanted.iter().any(|root| depth.reaches(root, name)));
        Answer::Metadata(entries.into_iter().collect())
    }

    /// At most ten entries.
    pub fn set_metadata(
        &mut self,
        mailbox: Option<String>,
        entries: Vec<(String, Option<Vec<u8>>)>,
    ) -> Answer {
        let id = match mailbox.map(|name| self.find(&name)) {
            None => None,
            Some(Some(id)) => Some(id),
            Some(None) => return no_such_mailbox(),
        };
        let place = match id {
            None => &mut self.metadata,
            Some(id) => &mut self.mailboxes.get_mut(&id).expect("found").metadata,
        };
        let mut all = place.clone();
        for (name, value) in entries {
            self.happened.push((self.author, Happening::Entry(id, name.clone())));
            match value {
                Some(value) => drop(all.insert(name, value)),
                None => drop(all.remove(&name)),
            }
        }
        if all.len() > 10 {
            return refused(RefusedKind::Metadata, "There are too many entries");
        }
        *place = all;
        Answer::Done
    }
}
