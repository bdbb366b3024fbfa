//! Mailboxes of other users and of shared accounts, as far as a session may see them (RFC 5465 §5.4, §5.9).
//!
//! What is seen may change by what their owners do, by access control lists, and by who is in a group: so names and rights
//! are compared with those that were seen before, whenever one of these may have changed. Messages and metadata entries
//! are read from the change logs of their owners. Who is put into a group, or taken out of one, hears of it with the next
//! thing that he hears of: the directory rings no bell.

use super::names::Names;
use super::{Gone, LIST, State, Taken};
use crate::imap::sharing::{METADATA, Shown, Sight};
use crate::imap::{Bell, refused};
use ::imap::ask::{AccountNews, ChangedEntry, CountersNeed, Refused, RefusedKind, Touched, WhyListed};
use engine::AccountId;
use model::{MailboxId, ModSeq, Right, Rights};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{AccountChanges, Error, ListEvent, SERVER, Viewer, Watch};

/// Most mailboxes of others that are watched; and most that are remembered as seen no more.
const VISIBLE_MAX: usize = 10_000;

pub(super) struct Others {
    bell: Arc<Bell>,
    state: Arc<Mutex<State>>,
    seen: Seen,
    /// Ring the bell as long as they live; and the state of the account when it was first watched.
    watches: BTreeMap<AccountId, (Watch, ModSeq)>,
}

/// What was told.
#[derive(Clone)]
pub(super) struct Seen {
    viewer: Viewer,
    mailboxes: Arc<BTreeMap<(AccountId, MailboxId), Known>>,
    /// Up to where what happened in each account was told.
    since: BTreeMap<AccountId, ModSeq>,
    /// Accounts of which changes of names or rights were read after these mailboxes were: some of them may not show in
    /// `mailboxes`, and will not be read again.
    unsettled: BTreeSet<AccountId>,
    gone: Gone,
    /// Mailboxes that are there, and of which it was told that this user may see them no more.
    hidden: BTreeSet<(AccountId, MailboxId)>,
}

/// A mailbox of another.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Known {
    /// As this user calls it.
    name: String,
    rights: Rights,
}

/// What became of a mailbox that was seen, or is.
#[derive(PartialEq, Eq, Debug)]
enum Change<'a> {
    /// It was made, or may be seen now.
    Came(&'a Known),
    /// It was removed, or may be seen no more.
    Went(&'a Known),
    /// It has another name.
    Renamed(&'a Known, &'a Known),
    /// It may be read now, or may be no more.
    Access(&'a Known),
}

impl Others {
    pub(super) fn new(
        sight: &Sight<'_>,
        bell: &Arc<Bell>,
        state: &Arc<Mutex<State>>,
    ) -> Result<Others, Refused> {
        let (viewer, gone) = (sight.viewer()?, Gone::default());
        let seen = Seen {
            viewer,
            mailboxes: Arc::default(),
            since: BTreeMap::new(),
            unsettled: BTreeSet::new(),
            gone,
            hidden: BTreeSet::new(),
        };
        let mut others = Others { bell: bell.clone(), state: state.clone(), seen, watches: BTreeMap::new() };
        let mailboxes = Arc::new(others.look(&mut Names::unread(sight))?);
        let since = others.watches.iter().map(|(owner, (_, since))| (*owner, *since)).collect();
        let seen = Seen { mailboxes, since, ..others.seen.clone() };
        others.go_on(seen, state);
        Ok(others)
    }

    /// All mailboxes of others that may be seen now. Their owners are watched before what they share is read.
    fn look(&mut self, names: &mut Names<'_>) -> Result<BTreeMap<(AccountId, MailboxId), Known>, Refused> {
        loop {
            let mut found = BTreeMap::new();
            for (id, Shown { owner, info, standing }) in names.others()? {
                found.insert((*owner, id), Known { name: info.name.clone(), rights: standing.rights });
            }
            if found.len() > VISIBLE_MAX {
                let text = "too many mailboxes are shared with you to watch them all";
                return Err(Refused::new(RefusedKind::Overflow, text));
            }
            let owners: BTreeSet<AccountId> = found.keys().map(|(owner, _)| *owner).collect();
            let new: Vec<AccountId> =
                owners.into_iter().filter(|owner| !self.watches.contains_key(owner)).collect();
            if new.is_empty() {
                return Ok(found);
            }
            for owner in new {
                self.watch(names.sight(), owner)?;
            }
            names.forget();
        }
    }

    fn watch(&mut self, sight: &Sight<'_>, owner: AccountId) -> Result<(), Refused> {
        let (rope, notes) = (self.bell.clone(), self.state.clone());
        let ring = move |mailboxes: &[MailboxId], stamp| {
            let mut state = notes.lock();
            let of_interest = |mailbox: &&MailboxId| **mailbox == LIST || state.is_visible(owner, **mailbox);
            let mailboxes: Vec<MailboxId> = mailboxes.iter().filter(of_interest).copied().collect();
            if mailboxes.is_empty() {
                return state.pass(owner, stamp);
            }
            state.touch(owner, &mailboxes, stamp);
            drop(state);
            rope.ring();
        };
        let watch = sight.store().watch_each(owner, Arc::new(ring));
        match sight.store().account_modseq(owner) {
            Ok(since) => drop(self.watches.insert(owner, (watch, since))),
            // Gone meanwhile: it will not be found again.
            Err(Error::NoAccount) => {}
            Err(error) => return Err(refused(error)),
        }
        Ok(())
    }

    /// Adds what happened; what is told afterwards follows upon the answer, once it has been taken by
    /// [`go_on`](Self::go_on).
    pub(super) fn read(
        &mut self,
        names: &mut Names<'_>,
        taken: &Taken,
        news: &mut AccountNews,
    ) -> Result<Seen, Refused> {
        let mut next = self.seen.clone();
        next.viewer = names.sight().viewer()?;
        let regrouped = next.viewer != self.seen.viewer;
        let mut is_new = regrouped || taken.has_list();
        if is_new {
            self.look_again(names, &mut next, news)?;
            next.unsettled.clear();
        }
        let mut quiet = BTreeSet::new();
        let owners: BTreeSet<AccountId> = self.watches.keys().copied().collect();
        for owner in owners {
            let only = taken.of(owner);
            if only.as_ref().is_some_and(BTreeSet::is_empty) && next.since.contains_key(&owner) {
                continue;
            }
            let first = self.watches.get(&owner).map_or(ModSeq(0), |(_, since)| *since);
            let since = next.since.get(&owner).copied().unwrap_or(first);
            let own = taken.own_in(owner);
            let changes = match taken.changes(names.sight().store(), owner, since) {
                Ok(changes) => changes,
                // Removed; its mailboxes are found no more.
                Err(Error::NoAccount) => continue,
                Err(error) => return Err(refused(error)),
            };
            news.is_overflow |= changes.is_overflow;
            next.since.insert(owner, changes.up_to);
            let of_list = changes.events.iter().any(is_of_list);
            if !regrouped && !own.is_empty() && !of_list && !self.seen.unsettled.contains(&owner) {
                quiet.insert(owner);
            }
            if of_list && is_new {
                next.unsettled.insert(owner);
            } else if of_list {
                // Read before its bell has rung.
                is_new = true;
                self.look_again(names, &mut next, news)?;
            }
            messages(names, &next, owner, changes, news)?;
        }
        if is_new {
            // What came behind what was read, and shows already, is another's.
            let modseq = |owner: &AccountId| names.sight().store().account_modseq(*owner).ok();
            quiet.retain(|owner| modseq(owner).as_ref() == next.since.get(owner));
            self.list(names, &mut next, &quiet, news)?;
        }
        Ok(next)
    }

    /// What is seen now.
    fn look_again(
        &mut self,
        names: &mut Names<'_>,
        next: &mut Seen,
        news: &mut AccountNews,
    ) -> Result<(), Refused> {
        // An account can be there or not only once.
        names.forget();
        match self.look(names) {
            Ok(found) => next.mailboxes = Arc::new(found),
            Err(why) if why.kind == RefusedKind::Overflow => news.is_overflow = true,
            Err(why) => return Err(why),
        }
        Ok(())
    }

    /// Tells how the names differ from those that were told; of `quiet` accounts this session itself did all of it.
    fn list(
        &self,
        names: &mut Names<'_>,
        next: &mut Seen,
        quiet: &BTreeSet<AccountId>,
        news: &mut AccountNews,
    ) -> Result<(), Refused> {
        let changes = differences(&self.seen.mailboxes, &next.mailboxes);
        for (.., change) in &changes {
            if let Change::Went(was) | Change::Renamed(was, _) = change {
                next.gone.note(&was.name);
            }
        }
        for (owner, id, change) in changes {
            let was_hidden = matches!(change, Change::Came(_)) && next.hidden.remove(&(owner, id));
            if quiet.contains(&owner) {
                continue;
            }
            match change {
                Change::Came(known) => {
                    // RFC 5465 §5.9: what was told to be out of reach is not any more; that concerns all who heard of it,
                    // whether they ask for names or not.
                    let why = if was_hidden { WhyListed::Access } else { WhyListed::Name };
                    news.listed.extend(names.with_parent(&known.name, why)?);
                    if next.gone.holds(&known.name) {
                        renewed(names, (owner, id), known, news)?;
                    }
                }
                Change::Went(known) => {
                    // RFC 5465 §5.9: not the same as a mailbox that is not there any more.
                    let why = match names.sight().store().mailbox(owner, id) {
                        Ok(_) => WhyListed::Access,
                        Err(_) => WhyListed::Name,
                    };
                    if why == WhyListed::Access && next.hidden.len() < VISIBLE_MAX {
                        next.hidden.insert((owner, id));
                    }
                    news.listed.extend(names.with_parent(&known.name, why)?);
                }
                Change::Renamed(before, after) => {
                    let old = Some(before.name.clone());
                    let is_access = before.rights.has(Right::Read) != after.rights.has(Right::Read);
                    let why = if is_access { WhyListed::Access } else { WhyListed::Name };
                    news.listed.push(names.listed(after.name.clone(), old, why)?);
                    if next.gone.holds(&after.name) {
                        renewed(names, (owner, id), after, news)?;
                    }
                }
                Change::Access(known) => {
                    news.listed.push(names.listed(known.name.clone(), None, WhyListed::Access)?);
                }
            }
        }
        Ok(())
    }

    /// What was read has been told.
    pub(super) fn go_on(&mut self, next: Seen, state: &Mutex<State>) {
        let owners: BTreeSet<AccountId> = next.mailboxes.keys().map(|(owner, _)| *owner).collect();
        if !Arc::ptr_eq(&next.mailboxes, &self.seen.mailboxes) {
            let mut state = state.lock();
            state.visible = next.mailboxes.keys().copied().collect();
            state.settled.clone_from(&owners);
        }
        self.seen = next;
        self.seen.since.retain(|owner, _| owners.contains(owner));
        self.watches.retain(|owner, _| owners.contains(owner));
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        state.visible.clear();
        state.settled.clear();
    }
}

/// Whether the list of mailboxes, or what may be done with them, is different afterwards.
fn is_of_list(event: &ListEvent) -> bool {
    matches!(
        event,
        ListEvent::Created { .. }
            | ListEvent::Deleted { .. }
            | ListEvent::Renamed { .. }
            | ListEvent::Rights { .. }
    )
}

/// RFC 5465 §5.1: a name stands for another mailbox than before, whose UIDVALIDITY is told by STATUS.
fn renewed(
    names: &mut Names<'_>,
    (owner, id): (AccountId, MailboxId),
    known: &Known,
    news: &mut AccountNews,
) -> Result<(), Refused> {
    let sight = names.sight();
    let Some(mut row) = names.row(owner, id)?.filter(|_| known.rights.has(Right::Read)) else {
        return Ok(());
    };
    let gone = |why: &Refused| why.kind == RefusedKind::NonExistent;
    let counters = sight.store().mailbox(owner, id).map_err(refused);
    let counters = counters.and_then(|info| {
        let standing = sight.standing(owner, id)?;
        sight.counters(owner, id, standing, &info.counters, CountersNeed::Plain)
    });
    match counters {
        Ok(counters) => row.counters = Some(counters),
        Err(why) if gone(&why) => return Ok(()),
        Err(why) => return Err(why),
    }
    super::renew(news, row);
    Ok(())
}

/// What happened to messages and metadata entries of one owner's mailboxes.
fn messages(
    names: &mut Names<'_>,
    seen: &Seen,
    owner: AccountId,
    changes: AccountChanges,
    news: &mut AccountNews,
) -> Result<(), Refused> {
    let sight = names.sight();
    for event in changes.events {
        let ListEvent::Entry { mailbox, user, name } = event else { continue };
        let Some(known) = seen.mailboxes.get(&(owner, mailbox)) else { continue };
        let is_mine = user == SERVER || user == sight.login.account;
        if is_mine && known.rights.has_any(METADATA) {
            news.entries
                .extend(names.row(owner, mailbox)?.map(|row| ChangedEntry { mailbox: Some(row), name }));
        }
    }
    for touched in changes.mailboxes {
        let Some(id) = touched.info.id else { continue };
        // RFC 5465 §5: every event needs `l` and `r`.
        let readable = seen.mailboxes.get(&(owner, id)).is_some_and(|known| known.rights.has(Right::Read));
        let Some(mut row) = names.row(owner, id)?.filter(|_| readable) else { continue };
        let counters = sight.standing(owner, id).and_then(|standing| {
            sight.counters(owner, id, standing, &touched.info.counters, CountersNeed::Plain)
        });
        row.counters = match counters {
            Ok(counters) => Some(counters),
            Err(why) if why.kind == RefusedKind::NonExistent => continue,
            Err(why) => return Err(why),
        };
        let store::TouchedMailbox { arrived, vanished, flagged, described, .. } = touched;
        news.touched.push(Touched { row, arrived, vanished, flagged, described });
    }
    Ok(())
}

/// How what is seen differs from what was. Of what was renamed together with a mailbox above, nothing is said (RFC 5465
/// §5.4).
fn differences<'a>(
    before: &'a BTreeMap<(AccountId, MailboxId), Known>,
    after: &'a BTreeMap<(AccountId, MailboxId), Known>,
) -> Vec<(AccountId, MailboxId, Change<'a>)> {
    let mut changes = Vec::new();
    let mut renamed: BTreeMap<&str, &str> = BTreeMap::new();
    for (place, was) in before {
        if let Some(is) = after.get(place).filter(|is| is.name != was.name) {
            renamed.insert(&was.name, &is.name);
        }
    }
    let follows = |old: &str, new: &str| {
        let mut above = old.rmatch_indices('/').map(|(at, _)| old.split_at(at));
        above.any(|(above, rest)| {
            renamed.get(above).is_some_and(|renamed| new.strip_prefix(renamed) == Some(rest))
        })
    };
    for ((owner, id), was) in before {
        let change = match after.get(&(*owner, *id)) {
            None => Change::Went(was),
            Some(is) if is.name != was.name && !follows(&was.name, &is.name) => Change::Renamed(was, is),
            Some(is) if is.rights.has(Right::Read) != was.rights.has(Right::Read) => Change::Access(is),
            Some(_) => continue,
        };
        changes.push((*owner, *id, change));
    }
    let came = after.iter().filter(|(place, _)| !before.contains_key(place));
    changes.extend(came.map(|((owner, id), is)| (*owner, *id, Change::Came(is))));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(list: &[(u32, &str, &str)]) -> BTreeMap<(AccountId, MailboxId), Known> {
        let known = |(id, name, rights): &(u32, &str, &str)| {
            let rights = Rights::parse(rights).unwrap();
            ((AccountId(9), MailboxId(*id)), Known { name: (*name).to_owned(), rights })
        };
        list.iter().map(known).collect()
    }

    fn told(before: &[(u32, &str, &str)], after: &[(u32, &str, &str)]) -> Vec<String> {
        let (before, after) = (seen(before), seen(after));
        let changes = differences(&before, &after).into_iter().map(|(.., change)| match change {
            Change::Came(is) => format!("+{}", is.name),
            Change::Went(was) => format!("-{}", was.name),
            Change::Renamed(was, is) => format!("{}>{}", was.name, is.name),
            Change::Access(is) => format!("?{}", is.name),
        });
        changes.collect()
    }

    #[test]
    fn what_differs_is_told_once() {
        let before = [(1, "o/a", "lr"), (2, "o/a/b", "lr"), (3, "o/a/b/c", "l"), (4, "o/ab", "lr")];
        assert!(told(&before, &before).is_empty());
        assert_eq!(told(&before, &before[1..]), ["-o/a"]);
        assert_eq!(told(&before[1..], &before), ["+o/a"]);
        // RFC 5465 §5.4: nothing of what lies below.
        let all = [(1, "o/z", "lr"), (2, "o/z/b", "lr"), (3, "o/z/b/c", "l"), (4, "o/ab", "lr")];
        assert_eq!(told(&before, &all), ["o/a>o/z"]);
        let odd = [(1, "o/z", "lr"), (2, "o/y", "lr"), (3, "o/y/c", "lr"), (4, "o/zb", "l")];
        assert_eq!(told(&before, &odd), ["o/a>o/z", "o/a/b>o/y", "?o/y/c", "o/ab>o/zb"]);
        // Without the one above, which may not be seen.
        assert_eq!(told(&before[1..3], &all[1..3]), ["o/a/b>o/z/b"]);
        assert_eq!(
            told(&before, &[(1, "o/a", "l"), before[1], (3, "o/a/b/c", "lr"), before[3]]),
            ["?o/a", "?o/a/b/c"]
        );
        assert_eq!(told(&before, &[(1, "o/a", "lrs"), before[1], before[2], before[3]]), [""; 0]);
    }
}
