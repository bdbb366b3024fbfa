//! All names that LIST can show to a user, as they are now: read when the first of them is needed.

use crate::imap::convert;
use crate::imap::sharing::{Shown, Sight};
use ::imap::ask::{Listed, MailboxRow, Refused, WhyListed};
use engine::AccountId;
use model::{MailboxId, Rights};
use std::collections::{BTreeMap, HashMap};

pub(super) struct Names<'a> {
    sight: &'a Sight<'a>,
    read: Option<Read>,
}

struct Read {
    rows: BTreeMap<String, Shown>,
    by_id: HashMap<(AccountId, MailboxId), String>,
}

impl<'a> Names<'a> {
    pub(super) fn unread(sight: &'a Sight<'a>) -> Names<'a> {
        Names { sight, read: None }
    }

    pub(super) fn sight(&self) -> &'a Sight<'a> {
        self.sight
    }

    /// Forgets what was read: it is to be read anew.
    pub(super) fn forget(&mut self) {
        self.read = None;
    }

    fn read(&mut self) -> Result<&Read, Refused> {
        if self.read.is_none() {
            let shown = self.sight.listing()?;
            let ids = shown.iter().filter_map(|shown| Some(((shown.owner, shown.info.id?), shown)));
            let by_id = ids.map(|(place, shown)| (place, shown.info.name.clone())).collect();
            let rows = shown.into_iter().map(|shown| (shown.info.name.clone(), shown)).collect();
            self.read = Some(Read { rows, by_id });
        }
        // Just put there.
        self.read.as_ref().ok_or_else(crate::imap::sharing::no_mailbox)
    }

    /// Mailboxes of others.
    pub(super) fn others(
        &mut self,
    ) -> Result<impl Iterator<Item = (MailboxId, &Shown)> + use<'_, 'a>, Refused> {
        let own = self.sight.login.account;
        let rows = self.read()?.rows.values().filter(move |shown| shown.owner != own);
        Ok(rows.filter_map(|shown| Some((shown.info.id?, shown))))
    }

    /// A mailbox by its place.
    pub(super) fn row(&mut self, owner: AccountId, id: MailboxId) -> Result<Option<MailboxRow>, Refused> {
        let read = self.read()?;
        let shown = read.by_id.get(&(owner, id)).and_then(|name| read.rows.get(name));
        Ok(shown.map(|shown| convert::mailbox(shown.info.clone(), None, shown.standing.rights)))
    }

    /// A name, whatever it stands for now.
    pub(super) fn listed(
        &mut self,
        name: String,
        old_name: Option<String>,
        why: WhyListed,
    ) -> Result<Listed, Refused> {
        let rows = &self.read()?.rows;
        let below = format!("{name}/");
        let mut inferiors = rows.range(below.clone()..).take_while(|(name, _)| name.starts_with(&below));
        let has_children = inferiors.any(|(_, shown)| shown.info.id.is_some());
        let row = match rows.get(&name) {
            Some(shown) => convert::mailbox(shown.info.clone(), None, shown.standing.rights),
            None => MailboxRow {
                name,
                id: None,
                special_use: None,
                subscribed: false,
                counters: None,
                rights: Rights::NONE,
            },
        };
        Ok(Listed { row, has_children, old_name, why })
    }

    /// A name that came or went, and its direct parent, which is affected too (RFC 5465 §5.4).
    pub(super) fn with_parent(&mut self, name: &str, why: WhyListed) -> Result<Vec<Listed>, Refused> {
        let mut listed = vec![self.listed(name.to_owned(), None, why)?];
        if let Some((parent, _)) = name.rsplit_once('/') {
            listed.push(self.listed(parent.to_owned(), None, WhyListed::Name)?);
        }
        Ok(listed)
    }
}
