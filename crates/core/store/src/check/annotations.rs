//! Annotations of messages against their rows and their totals.

use super::Recount;
use crate::keys::{self, AnnotationTotals, AnnotationValue};
use crate::{Error, annotation};
use model::MailboxId;
use std::collections::BTreeMap;

impl Recount<'_> {
    /// Each annotation belongs to a message that is there; the totals of each mailbox are what it has.
    pub(super) fn annotations(&mut self) -> Result<(), Error> {
        let (account, snapshot) = (self.account, self.snapshot);
        let mut noted: BTreeMap<MailboxId, AnnotationTotals> = BTreeMap::new();
        let mut counted: BTreeMap<MailboxId, AnnotationTotals> = BTreeMap::new();
        let mut owners = Vec::new();
        self.scan(&keys::tag_range(account, keys::ANNOTATION_TAG), &mut |problems, key, value| {
            let Some((mailbox, uid, user, entry)) = keys::annotation_of(key) else {
                let mailbox = MailboxId(keys::last_u32(key).unwrap_or_default());
                match AnnotationTotals::decode(value) {
                    Some(totals) => drop(noted.insert(mailbox, totals)),
                    None => problems.push(format!("the annotation totals of mailbox {mailbox} are damaged")),
                }
                return;
            };
            let Some(value) = AnnotationValue::decode(value) else {
                problems.push(format!("an annotation of message {uid} of mailbox {mailbox} is damaged"));
                return;
            };
            let totals = counted.entry(mailbox).or_default();
            totals.records += 1;
            totals.bytes += annotation::counted(account, user, entry, value.value.as_deref());
            if owners.last() != Some(&(mailbox, uid)) {
                owners.push((mailbox, uid));
            }
        })?;
        for (mailbox, uid) in owners {
            if self.mailboxes.contains_key(&mailbox)
                && !snapshot.get_with(&keys::row(account, mailbox, uid), &mut |_| {})?
            {
                self.problems
                    .push(format!("message {uid} of mailbox {mailbox} has annotations and is not there"));
            }
        }
        let purging = |mailbox| self.doomed.contains(mailbox) || self.doomed.contains(&keys::LIST);
        let strays = counted.keys().chain(noted.keys());
        let strays = strays.filter(|mailbox| !self.mailboxes.contains_key(mailbox) && !purging(mailbox));
        let strays: Vec<MailboxId> = strays.copied().collect();
        for mailbox in strays {
            self.problems.push(format!("there are annotations of mailbox {mailbox}, which does not exist"));
        }
        let ids: Vec<MailboxId> = self.mailboxes.keys().copied().collect();
        for mailbox in ids {
            let noted = noted.get(&mailbox).copied().unwrap_or_default();
            let counted = counted.get(&mailbox).copied().unwrap_or_default();
            self.compare(&format!("annotations of mailbox {mailbox}"), noted.records, counted.records);
            self.compare(&format!("octets of annotations of mailbox {mailbox}"), noted.bytes, counted.bytes);
            self.bytes += counted.bytes;
        }
        Ok(())
    }
}
