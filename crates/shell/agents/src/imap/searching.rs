//! Searching: the selected mailbox, and others that are looked at in passing (RFC 7377).

use super::sharing::Standing;
use super::{ImapAgent, convert, highest_modseq, refused};
use ::imap::ask::{Answer, Glance, Owner, Refused};
use engine::AccountId;
use model::{MailboxId, Query, Right, Uid, UidSet};
use std::sync::Arc;

impl ImapAgent {
    /// A mailbox that is not selected, as it is now; without a name the selected one.
    pub(super) fn glance(&self, name: Option<&str>) -> Result<Answer, Refused> {
        let (sight, store) = (self.sight()?, self.store());
        let (owner, mailbox, name) = match name {
            Some(name) => {
                let found = sight.find(name)?;
                found.demand(Right::Read)?;
                let name = match &found.spot.other {
                    Some(account) => sight.name_of(account, &found.info.name),
                    None => found.info.name,
                };
                (found.spot.owner, found.id, name)
            }
            None => {
                let (open, _) = self.open()?;
                let name = store.mailbox(open.owner, open.mailbox).map_err(refused)?.name;
                let name = match open.owner == sight.login.account {
                    true => name,
                    false => sight.name_in(open.owner, &name)?,
                };
                (open.owner, open.mailbox, name)
            }
        };
        let opened = store.open(owner, mailbox).map_err(refused)?;
        let recent = store.recent(owner, mailbox, &opened.uids).map_err(refused)?;
        Ok(Answer::Glance(Box::new(Glance {
            name,
            mailbox,
            owner: self.owner(owner)?,
            uid_validity: opened.counters.uid_validity,
            uids: opened.uids,
            recent,
        })))
    }

    /// A page of a search in a mailbox that was glanced at. Rights are looked up each time: they may have gone.
    pub(super) fn search_in(
        &self,
        (owner, mailbox): (Owner, MailboxId),
        query: Arc<Query>,
        among: &UidSet,
        from: Uid,
    ) -> Result<Answer, Refused> {
        let owner = if owner == Owner::SELF { self.account()? } else { AccountId(owner.0) };
        let standing = self.sight()?.standing(owner, mailbox)?;
        standing.demand(Right::Read)?;
        self.search((owner, mailbox), standing, query, among, from)
    }

    /// A page of a search as this user sees the messages.
    pub(super) fn search(
        &self,
        (account, mailbox): (AccountId, MailboxId),
        standing: Standing,
        query: Arc<Query>,
        among: &UidSet,
        from: Uid,
    ) -> Result<Answer, Refused> {
        let store = self.store();
        let mine = match standing.seen {
            Some(_) => convert::own_seen(&query, &self.sight()?.seen(account, mailbox, standing)?),
            None => None,
        };
        let query = mine.map_or(query, Arc::new);
        let annotated = self.with_annotated((account, mailbox), &query, model::Collation::default())?;
        let query = annotated.map_or(query, Arc::new);
        let found = store.search(account, mailbox, &query, among, from);
        let found = found.map_err(refused)?;
        for uid in found.unreadable.iter() {
            tracing::error!(trace = self.trace, %uid, "a message can't be searched, its record is damaged");
        }
        let highest_modseq = match convert::names_modseq(&query) {
            true => highest_modseq(store, account, mailbox, &found.uids).map_err(refused)?,
            false => None,
        };
        Ok(Answer::Found { uids: found.uids, scores: found.scores, highest_modseq, next: found.next })
    }
}
