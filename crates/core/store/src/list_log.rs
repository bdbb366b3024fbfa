//! What happened in an account, or to the shared entries of the server, since a state: for sessions that are told of all
//! mailboxes (RFC 5465). The change log of the list of mailboxes names what came, went, was renamed, subscribed or
//! annotated; the change log of each mailbox says what became of its messages.
//!
//! Invariants: an answer is bounded ([`LIST_EVENTS_MAX`]); who lags behind further is told so and begins anew.

use crate::keys::{self, ChangeKind, ChangeValue, MailboxValue};
use crate::{Error, MailboxInfo, SERVER, Store, read};
use engine::{AccountId, Order, Snapshot};
use model::{MailboxId, ModSeq};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Most events, and most mailboxes, of one answer.
pub const LIST_EVENTS_MAX: usize = 1000;

/// Something that happened to the list of mailboxes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListEvent {
    /// A mailbox was made.
    Created {
        /// Which.
        mailbox: MailboxId,
        /// Under that name.
        name: String,
    },
    /// A mailbox was removed.
    Deleted {
        /// Which.
        mailbox: MailboxId,
        /// Its last name.
        name: String,
    },
    /// A mailbox, or a name that only has inferiors, was renamed with all its inferiors.
    Renamed {
        /// Former name.
        from: String,
        /// Name.
        to: String,
    },
    /// A name came on the list of subscriptions.
    Subscribed {
        /// Which.
        name: String,
    },
    /// A name went from the list of subscriptions.
    Unsubscribed {
        /// Which.
        name: String,
    },
    /// A metadata entry was set, changed or removed (RFC 5464).
    Entry {
        /// Of which mailbox; 0: of the server.
        mailbox: MailboxId,
        /// Whose private entry; 0: it is shared.
        user: AccountId,
        /// Name of the entry.
        name: String,
    },
    /// The access control list of a mailbox was changed.
    Rights {
        /// Which.
        mailbox: MailboxId,
    },
}

impl ListEvent {
    fn is_entry_of(&self, wanted: MailboxId) -> bool {
        matches!(self, ListEvent::Entry { mailbox, .. } if *mailbox == wanted)
    }
}

/// What happened in an account.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AccountChanges {
    /// State that this shows.
    pub up_to: ModSeq,
    /// What happened to the list of mailboxes, in order.
    pub events: Vec<ListEvent>,
    /// Mailboxes with changed messages, or metadata.
    pub mailboxes: Vec<TouchedMailbox>,
    /// There is more than one answer holds: the lists are empty.
    pub is_overflow: bool,
}

/// A mailbox in which something happened that has raised its HIGHESTMODSEQ.
#[derive(Clone, PartialEq, Debug)]
pub struct TouchedMailbox {
    /// As it is now.
    pub info: MailboxInfo,
    /// Messages came.
    pub arrived: bool,
    /// Messages went.
    pub vanished: bool,
    /// Flags changed.
    pub flagged: bool,
    /// Metadata entries changed, with which HIGHESTMODSEQ rises as well.
    pub described: bool,
}

/// What happened to the shared entries of the server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ServerChanges {
    /// State that this shows.
    pub up_to: u64,
    /// Names of entries.
    pub entries: Vec<String>,
    /// There is more than one answer holds.
    pub is_overflow: bool,
}

impl Store {
    /// The account's modification sequence: the state that it is in now.
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn account_modseq(&self, account: AccountId) -> Result<ModSeq, Error> {
        Ok(ModSeq(read::account(&*self.engine.snapshot()?, account)?.modseq))
    }

    /// What happened in an account after `since`, but for the commits with a number of `own`. Of messages: in the
    /// mailboxes `only` (None: in any, which takes a look at each).
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn account_changes(
        &self,
        account: AccountId,
        since: ModSeq,
        only: Option<&BTreeSet<MailboxId>>,
        own: &[ModSeq],
    ) -> Result<AccountChanges, Error> {
        let snapshot = self.engine.snapshot()?;
        let up_to = ModSeq(read::account(&*snapshot, account)?.modseq);
        let mut changes = AccountChanges { up_to, ..AccountChanges::default() };
        if up_to <= since {
            return Ok(changes);
        }
        let events = list_events(&*snapshot, account, since, own)?;
        let mut touched = Vec::new();
        match only {
            Some(only) => {
                for id in only.iter().filter(|id| **id != keys::LIST) {
                    match read::mailbox(&*snapshot, account, *id) {
                        Ok(value) => touched.push((*id, value)),
                        Err(Error::NoMailbox) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            None => touched = all_mailboxes(&*snapshot, account)?,
        }
        touched.retain(|(_, value)| value.highest_modseq > since);
        let Some(events) = events.filter(|_| touched.len() <= LIST_EVENTS_MAX) else {
            changes.is_overflow = true;
            return Ok(changes);
        };
        changes.events = events;
        for (id, value) in touched {
            let [arrived, vanished, flagged] = kinds(&*snapshot, account, id, &value, since, own)?;
            let described = changes.events.iter().any(|event| event.is_entry_of(id));
            if [arrived, vanished, flagged, described] == [false; 4] {
                continue;
            }
            let info = self.mailbox_in(&*snapshot, account, id)?;
            changes.mailboxes.push(TouchedMailbox { info, arrived, vanished, flagged, described });
        }
        Ok(changes)
    }

    /// What happened to the shared entries of the server after `since` (None: only the state that they are in now), but
    /// for the changes with a number of `own`.
    ///
    /// # Errors
    /// Reading failed.
    pub fn server_changes(&self, since: Option<u64>, own: &[ModSeq]) -> Result<ServerChanges, Error> {
        let snapshot = self.engine.snapshot()?;
        let up_to = crate::metadata::server_state(&*snapshot)?;
        let mut changes = ServerChanges { up_to, ..ServerChanges::default() };
        let Some(since) = since.filter(|since| *since < up_to) else { return Ok(changes) };
        match list_events(&*snapshot, SERVER, ModSeq(since), own)? {
            Some(events) => {
                changes.entries = events
                    .into_iter()
                    .filter_map(|event| match event {
                        ListEvent::Entry { name, .. } => Some(name),
                        _ => None,
                    })
                    .collect();
            }
            None => changes.is_overflow = true,
        }
        Ok(changes)
    }
}

fn all_mailboxes(
    snapshot: &dyn Snapshot,
    account: AccountId,
) -> Result<Vec<(MailboxId, MailboxValue)>, Error> {
    let mut found = Vec::new();
    let range = keys::tag_range(account, b'u');
    snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
        if let (Some(id), Some(value)) = (keys::last_u32(key), MailboxValue::decode(value)) {
            found.push((MailboxId(id), value));
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// None: too many. A damaged entry is passed over; the check tells of it.
fn list_events(
    snapshot: &dyn Snapshot,
    account: AccountId,
    since: ModSeq,
    own: &[ModSeq],
) -> Result<Option<Vec<ListEvent>>, Error> {
    let mut events = Vec::new();
    let (_, end) = keys::changes_range(account, keys::LIST);
    let range = (keys::change(account, keys::LIST, ModSeq(since.0.saturating_add(1))), end);
    let mut seen = 0;
    snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
        let modseq = keys::last_u64(key).map(ModSeq).unwrap_or_default();
        seen += 1;
        if !own.contains(&modseq) {
            events.extend(keys::decode_listed(value).unwrap_or_default());
        }
        if events.len().max(seen) > LIST_EVENTS_MAX {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok((events.len().max(seen) <= LIST_EVENTS_MAX).then_some(events))
}

/// Whether messages came, went, or had their flags changed.
fn kinds(
    snapshot: &dyn Snapshot,
    account: AccountId,
    id: MailboxId,
    value: &MailboxValue,
    since: ModSeq,
    own: &[ModSeq],
) -> Result<[bool; 3], Error> {
    if since < value.log_floor && value.messages > 0 {
        return Ok([true; 3]);
    }
    let mut kinds = [false; 3];
    let (_, end) = keys::changes_range(account, id);
    let range = (keys::change(account, id, ModSeq(since.0.saturating_add(1))), end);
    snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, entry| {
        if !keys::last_u64(key).is_some_and(|modseq| own.contains(&ModSeq(modseq))) {
            ChangeValue::visit(entry, &mut |kind, _, _| {
                kinds[match kind {
                    ChangeKind::Arrived => 0,
                    ChangeKind::Vanished => 1,
                    ChangeKind::Flagged => 2,
                }] = true;
            });
        }
        if kinds == [true; 3] { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(kinds)
}
