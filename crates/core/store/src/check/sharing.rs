//! Access control lists against their reverse entries, and what people have seen.

use super::{PROBLEMS_MAX, Recount};
use crate::acl::{self, Who};
use crate::keys;
use crate::{Error, seen};
use engine::{AccountId, Order};
use model::{MailboxId, UidSet};
use std::ops::{Bound, ControlFlow};

impl Recount<'_> {
    /// Lists of this account, in both directions.
    pub(super) fn sharing(&mut self) -> Result<(), Error> {
        let (account, snapshot) = (self.account, self.snapshot);
        let purging = self.doomed.contains(&keys::LIST);
        let mut lists = Vec::new();
        self.scan(&keys::tag_range(account, keys::ACL_TAG), &mut |problems, key, value| {
            let mailbox = MailboxId(keys::last_u32(key).unwrap_or_default());
            match keys::decode_acl(value) {
                Some(acl) => lists.push((mailbox, acl)),
                None => problems.push(format!("the access control list of mailbox {mailbox} is damaged")),
            }
        })?;
        for (mailbox, acl) in lists {
            if !self.mailboxes.contains_key(&mailbox) {
                self.problems
                    .push(format!("mailbox {mailbox} has an access control list and does not exist"));
            }
            for who in acl.granted(account) {
                if !snapshot.get_with(&keys::shared(who, account, mailbox), &mut |_| {})? {
                    let text = format!("mailbox {mailbox} is shared with {who:?}, whose list lacks it");
                    self.problems.push(text);
                }
            }
        }
        if !purging {
            self.reverse(&Who::Account(account))?;
        }
        self.seen_states()
    }

    /// What is shared with `anyone` and with groups.
    pub(super) fn shared_by_name(&mut self) -> Result<(), Error> {
        let mut all: Vec<Who> = Vec::new();
        let mut damaged = false;
        let range = keys::shared_by_name();
        let bounds = (Bound::Included(&*range.0), Bound::Excluded(&*range.1));
        self.snapshot.scan(bounds, Order::Ascending, &mut |key, _| {
            match keys::shared_who(key) {
                Some(who) if all.last() != Some(&who) => all.push(who),
                Some(_) => {}
                None => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        if damaged {
            self.problems.push("an entry of what is shared is damaged".into());
        }
        all.iter().try_for_each(|who| self.reverse(who))
    }

    /// Each reverse entry belongs to a list that grants something.
    fn reverse(&mut self, who: &Who) -> Result<(), Error> {
        let range = keys::shared_range(who);
        let bounds = (Bound::Included(&*range.0), Bound::Excluded(&*range.1));
        let mut places: Vec<(AccountId, MailboxId)> = Vec::new();
        self.snapshot.scan(bounds, Order::Ascending, &mut |key, _| {
            places.extend(keys::shared_place(key));
            if places.len() < PROBLEMS_MAX * 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        for (owner, mailbox) in places {
            // A damaged list is told of where it stands.
            let acl = acl::load(self.snapshot, owner, mailbox).unwrap_or_default();
            if !acl.granted(owner).any(|granted| granted == who) {
                self.problems.push(format!(
                    "mailbox {mailbox} of account {} is listed as shared with {who:?}, and is not",
                    owner.0
                ));
            }
        }
        Ok(())
    }

    fn seen_states(&mut self) -> Result<(), Error> {
        let (mailboxes, doomed) = (std::mem::take(&mut self.mailboxes), std::mem::take(&mut self.doomed));
        self.scan(&keys::tag_range(self.account, keys::SEEN_TAG), &mut |problems, key, value| {
            let mailbox = keys::row_mailbox(key).unwrap_or_default();
            let Some(owner) = mailboxes.get(&mailbox) else {
                if !doomed.contains(&mailbox) && !doomed.contains(&keys::LIST) {
                    problems
                        .push(format!("there is a seen state of mailbox {mailbox}, which does not exist"));
                }
                return;
            };
            let base = keys::last_u32(key).unwrap_or_default().saturating_mul(seen::CHUNK);
            let mut uids = UidSet::new();
            if keys::decode_seen(value, base, &mut uids).is_none() {
                problems.push(format!("a seen state of mailbox {:?} is damaged", owner.name));
            }
            if uids.last().is_some_and(|last| last >= owner.uid_next) {
                problems.push(format!("a seen state of mailbox {:?} is not below UIDNEXT", owner.name));
            }
        })?;
        (self.mailboxes, self.doomed) = (mailboxes, doomed);
        Ok(())
    }
}
