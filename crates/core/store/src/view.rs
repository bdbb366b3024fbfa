//! What a session sees of a mailbox: the set of its UIDs, shared by all who look at it, and what changed since.

use crate::keys::{self, ChangeKind, ChangeValue, MailboxValue, RowValue};
use crate::read::{self, corrupt};
use crate::{Counters, Error, Store};
use engine::{AccountId, Order, Snapshot};
use model::{Flag, Keyword, MailboxId, ModSeq, Uid, UidSet};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A mailbox at the moment of its selection.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Which.
    pub mailbox: MailboxId,
    /// Name now.
    pub name: String,
    /// Counters; `highest_modseq` names the state that this shows.
    pub counters: Counters,
    /// All messages; shared with everyone who looks at this state.
    pub uids: Arc<UidSet>,
    /// First message without \Seen.
    pub first_unseen: Option<Uid>,
    /// Names of the keywords by their number; the list only grows.
    pub keywords: Arc<[Keyword]>,
}

/// What happened in a mailbox.
#[derive(Clone, Debug)]
pub struct Changes {
    /// State that this shows.
    pub up_to: ModSeq,
    /// All messages now.
    pub uids: Arc<UidSet>,
    /// Messages that are gone; may name some that came and went since.
    pub vanished: Arc<UidSet>,
    /// Messages that came and are still there.
    pub arrived: Arc<UidSet>,
    /// Older messages (not in `arrived`) whose flags or modification sequence changed.
    pub flagged: Arc<UidSet>,
    /// UIDNEXT now.
    pub uid_next: Uid,
    /// Names of the keywords by their number, now.
    pub keywords: Arc<[Keyword]>,
}

/// One mailbox as of some state, brought up to date from the change log when somebody looks.
#[derive(Default)]
pub(crate) struct View {
    /// State of `uids`; 0: not built yet.
    modseq: ModSeq,
    uids: Arc<UidSet>,
    /// No message below this is without \Seen.
    unseen_from: Uid,
    keywords: Arc<[Keyword]>,
    /// Messages below this were given to a session, also those of which the record does not know yet.
    recent_from: Uid,
}

type Shared = Arc<Mutex<View>>;

#[derive(Default)]
struct Cache {
    views: FxHashMap<(AccountId, MailboxId), (Shared, u64)>,
    looks: u64,
}

/// The shared views. Bounded: those not looked at for the longest time go first.
#[derive(Default)]
pub(crate) struct Views(Mutex<Cache>);

/// Most views kept. One takes some hundred bytes and, of a large mailbox, about an eighth of a byte to two bytes per
/// message.
const VIEWS_MAX: usize = 4096;

/// A view is saved when making it took that many rows or change log entries.
const SAVE_AFTER: u32 = 5000;

impl Views {
    fn get(&self, account: AccountId, mailbox: MailboxId) -> Shared {
        let mut cache = self.0.lock();
        cache.looks += 1;
        let looks = cache.looks;
        if cache.views.len() >= VIEWS_MAX && !cache.views.contains_key(&(account, mailbox)) {
            // A quarter at once, so that the price is paid rarely.
            let mut ages: Vec<u64> = cache.views.values().map(|(_, look)| *look).collect();
            let (_, limit, _) = ages.select_nth_unstable(VIEWS_MAX / 4);
            let limit = *limit;
            cache.views.retain(|_, (_, look)| *look > limit);
        }
        let (view, look) = cache.views.entry((account, mailbox)).or_default();
        *look = looks;
        view.clone()
    }

    fn peek(&self, account: AccountId, mailbox: MailboxId) -> Option<Shared> {
        self.0.lock().views.get(&(account, mailbox)).map(|(view, _)| view.clone())
    }

    fn drop_view(&self, account: AccountId, mailbox: MailboxId) {
        self.0.lock().views.remove(&(account, mailbox));
    }
}

impl Store {
    /// A mailbox as SELECT shows it, in time that does not depend on its size once somebody has looked.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn open(&self, account: AccountId, mailbox: MailboxId) -> Result<Opened, Error> {
        self.look(account, mailbox, |view, snapshot, value| {
            let first_unseen = view.first_unseen(snapshot, account, mailbox, value)?;
            let mut counters = counters(value);
            counters.recent = view.recent(value);
            Ok(Opened {
                mailbox,
                name: value.name.clone(),
                counters,
                uids: view.uids.clone(),
                first_unseen,
                keywords: view.keywords.clone(),
            })
        })
    }

    /// Gives the caller those messages of `seen` (a set from [`open`](Self::open) or [`changes`](Self::changes)) that
    /// no one was given yet: they are \Recent for this session and no other (RFC 3501 §2.3.2). Remembered in the
    /// background; after a crash some may be \Recent again.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn claim_recent(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        seen: &UidSet,
    ) -> Result<UidSet, Error> {
        let view = self.views.get(account, mailbox);
        let mut view = view.lock();
        let value = read::mailbox(&*self.engine.snapshot()?, account, mailbox)?;
        let from = view.recent_from.max(value.recent_from);
        let recent = from_on(seen, from);
        let Some(last) = recent.last() else { return Ok(recent) };
        let from = Uid(last.0.saturating_add(1));
        view.recent_from = from;
        drop(view);
        // Nobody waits for it: should it fail, the messages are \Recent once more after a restart.
        drop(self.transact(&[account], move |tx, _| {
            let mut value = match read::mailbox(tx, account, mailbox) {
                Err(Error::NoMailbox) => return Ok(()),
                other => other?,
            };
            if value.recent_from >= from {
                return Ok(());
            }
            value.recent_from = from;
            value.recent = 0;
            let (_, end) = keys::rows_range(account, mailbox);
            let range = (keys::row(account, mailbox, from), end);
            tx.scan(keys::between(&range), Order::Ascending, &mut |_, _| {
                value.recent += 1;
                ControlFlow::Continue(())
            })?;
            Ok(tx.put(&keys::mailbox(account, mailbox), &value.encode())?)
        }));
        Ok(recent)
    }

    /// Those that would be \Recent, without claiming them (EXAMINE).
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn recent(&self, account: AccountId, mailbox: MailboxId, seen: &UidSet) -> Result<UidSet, Error> {
        let view = self.views.get(account, mailbox);
        let view = view.lock();
        let value = read::mailbox(&*self.engine.snapshot()?, account, mailbox)?;
        Ok(from_on(seen, view.recent_from.max(value.recent_from)))
    }

    /// What happened in a mailbox after `since`; None: nothing. A message whose last change bears a number of `own` is
    /// not in [`Changes::flagged`] (the session's own STOREs).
    ///
    /// Where the change log does not go back so far ([`trim_changes`](Self::trim_changes)), `vanished` names all UIDs
    /// ever given that are not there, `arrived` may lack messages that came since, and these are in `flagged` instead:
    /// `uids` tells which are new to the caller.
    ///
    /// # Errors
    /// [`Error::NoMailbox`] when it has been deleted.
    pub fn changes(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        since: ModSeq,
        own: &[ModSeq],
    ) -> Result<Option<Changes>, Error> {
        // Without waiting for anybody who builds the view: mostly nothing happened.
        if read::mailbox(&*self.engine.snapshot()?, account, mailbox)?.highest_modseq <= since {
            return Ok(None);
        }
        self.look(account, mailbox, |view, snapshot, value| {
            let mut happened = if since < value.log_floor {
                happened_by_rows(snapshot, account, mailbox, since, own, value, &view.uids)?
            } else {
                happened_by_log(snapshot, account, mailbox, since, own)?
            };
            happened.arrived = happened.arrived.and(&view.uids);
            Ok(Some(Changes {
                up_to: value.highest_modseq,
                flagged: happened.flagged.minus(&happened.arrived).and(&view.uids).into(),
                vanished: happened.vanished.into(),
                arrived: happened.arrived.into(),
                uids: view.uids.clone(),
                uid_next: value.uid_next,
                keywords: view.keywords.clone(),
            }))
        })
    }

    /// Runs `show` on the view of a mailbox, brought up to date with the newest state.
    fn look<T>(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        show: impl FnOnce(&mut View, &dyn Snapshot, &MailboxValue) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let shared = self.views.get(account, mailbox);
        let mut view = shared.lock();
        // Taken under the lock: never older than what the view shows.
        let snapshot = self.engine.snapshot()?;
        let value = match read::mailbox(&*snapshot, account, mailbox) {
            Err(Error::NoMailbox) => {
                self.views.drop_view(account, mailbox);
                return Err(Error::NoMailbox);
            }
            other => other?,
        };
        let effort = view.catch_up(&*snapshot, account, mailbox, &value)?;
        if view.keywords.len() != usize::from(value.keywords) {
            view.keywords = read::keywords(&*snapshot, account, mailbox, &value)?.into();
        }
        let shown = show(&mut view, &*snapshot, &value)?;
        if effort >= SAVE_AFTER {
            self.save(account, mailbox, &view);
        }
        Ok(shown)
    }

    /// Keeps a view that was dear, so that the next start opens the mailbox without a scan. Nobody waits for it.
    fn save(&self, account: AccountId, mailbox: MailboxId, view: &View) {
        let Some(saved) = keys::encode_view(view.modseq, view.unseen_from, &view.uids) else { return };
        drop(self.transact(&[account], move |tx, _| {
            // Not for a mailbox that was deleted meanwhile.
            if tx.get_with(&keys::mailbox(account, mailbox), &mut |_| {})? {
                tx.put(&keys::saved_view(account, mailbox), &saved)?;
            }
            Ok(())
        }));
    }

    /// Counters of a mailbox, with what was claimed of \Recent but is not written yet.
    pub(crate) fn counters(&self, account: AccountId, mailbox: MailboxId, value: &MailboxValue) -> Counters {
        let mut counters = counters(value);
        // Who builds a view must not hold up a listing.
        let shared = if counters.recent > 0 { self.views.peek(account, mailbox) } else { None };
        if let Some(view) = shared.as_ref().and_then(|shared| shared.try_lock()) {
            counters.recent = view.recent(value);
        }
        counters
    }

    /// The keyword table, from the view if that knows it.
    pub(crate) fn keyword_table(
        &self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        mailbox: MailboxId,
        value: &MailboxValue,
    ) -> Result<Arc<[Keyword]>, Error> {
        let known = self.views.peek(account, mailbox);
        let known = known.and_then(|shared| shared.try_lock().map(|view| view.keywords.clone()));
        // The table only grows: one of that length is the same, a longer one serves as well.
        match known {
            Some(table) if table.len() >= usize::from(value.keywords) => Ok(table),
            _ => Ok(read::keywords(snapshot, account, mailbox, value)?.into()),
        }
    }
}

fn counters(value: &MailboxValue) -> Counters {
    Counters {
        messages: value.messages,
        recent: value.recent,
        unseen: value.unseen,
        deleted: value.deleted,
        uid_next: value.uid_next,
        uid_validity: value.uid_validity,
        highest_modseq: value.highest_modseq,
        size: value.bytes,
    }
}

impl View {
    /// Brings the set of UIDs to the snapshot's state; answers how many entries that took.
    fn catch_up(
        &mut self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        mailbox: MailboxId,
        value: &MailboxValue,
    ) -> Result<u32, Error> {
        if self.modseq == ModSeq(0) {
            self.load_saved(snapshot, account, mailbox, value)?;
        }
        if self.modseq == value.highest_modseq {
            return Ok(0);
        }
        if self.modseq == ModSeq(0) && value.uid_next.0.checked_sub(1) == Some(value.messages) {
            // As many messages as UIDs were ever given: all of them are there, and no row needs to be looked at.
            let mut uids = UidSet::new();
            if value.messages > 0 {
                uids.insert_range(Uid(1), Uid(value.messages));
            }
            self.uids = Arc::new(uids);
            self.unseen_from = Uid(1);
            self.modseq = value.highest_modseq;
            // Worth saving: once something is expunged, only the rows would tell.
            return Ok(value.messages);
        }
        if self.modseq == ModSeq(0) || self.modseq < value.log_floor {
            return self.scan(snapshot, account, mailbox, value);
        }
        let mut entries = 0;
        let mut damaged = None;
        let uids = Arc::make_mut(&mut self.uids);
        let mut flagged_below = UidSet::new();
        let below = Uid(self.unseen_from.0.saturating_sub(1));
        log(snapshot, account, mailbox, self.modseq, &mut |modseq, entry| {
            entries += 1;
            let read = ChangeValue::visit(entry, &mut |kind, first, last| match kind {
                ChangeKind::Arrived => uids.insert_range(first, last),
                ChangeKind::Vanished if first == last => {
                    uids.remove(first);
                }
                ChangeKind::Vanished => {
                    let mut gone = UidSet::new();
                    gone.insert_range(first, last);
                    *uids = uids.minus(&gone);
                }
                ChangeKind::Flagged => flagged_below.insert_range(first, last.min(below)),
            });
            if read.is_none() {
                damaged = Some(modseq);
            }
        })?;
        if damaged.is_some() {
            // The rows themselves tell as well.
            return self.scan(snapshot, account, mailbox, value);
        }
        self.modseq = value.highest_modseq;
        self.lower_unseen(snapshot, account, mailbox, &flagged_below)?;
        Ok(entries)
    }

    /// Messages below the first unseen one got other flags: is one of them unseen now?
    fn lower_unseen(
        &mut self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        mailbox: MailboxId,
        flagged: &UidSet,
    ) -> Result<(), Error> {
        // Of many, the next look at the first unseen message goes through the rows from the first of them on.
        if flagged.len() > 1000 {
            self.unseen_from = flagged.first().unwrap_or(self.unseen_from);
            return Ok(());
        }
        let flagged: Vec<Uid> = flagged.iter().collect();
        let unseen_from = &mut self.unseen_from;
        read::rows(snapshot, account, mailbox, &flagged, &mut |uid, row| {
            if !is_unseen(row) {
                return ControlFlow::Continue(());
            }
            *unseen_from = uid;
            ControlFlow::Break(())
        })
    }

    fn load_saved(
        &mut self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        mailbox: MailboxId,
        value: &MailboxValue,
    ) -> Result<(), Error> {
        let mut saved = None;
        snapshot
            .get_with(&keys::saved_view(account, mailbox), &mut |bytes| saved = keys::decode_view(bytes))?;
        // A damaged one counts as none.
        let Some((modseq, unseen_from, uids)) = saved else { return Ok(()) };
        let is_sane = uids.last().is_none_or(|last| last < value.uid_next);
        if is_sane && modseq >= value.log_floor && modseq <= value.highest_modseq {
            self.modseq = modseq;
            self.unseen_from = unseen_from;
            self.uids = Arc::new(uids);
        }
        Ok(())
    }

    /// From the rows.
    fn scan(
        &mut self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        mailbox: MailboxId,
        value: &MailboxValue,
    ) -> Result<u32, Error> {
        let mut uids = UidSet::new();
        let mut first_unseen = None;
        let range = keys::rows_range(account, mailbox);
        snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, row| {
            let Some(uid) = keys::last_u32(key).map(Uid) else { return ControlFlow::Continue(()) };
            uids.push(uid);
            if first_unseen.is_none() && is_unseen(row) {
                first_unseen = Some(uid);
            }
            ControlFlow::Continue(())
        })?;
        self.unseen_from = first_unseen.unwrap_or(value.uid_next);
        self.modseq = value.highest_modseq;
        let effort = uids.len();
        self.uids = Arc::new(uids);
        Ok(effort)
    }

    fn first_unseen(
        &mut self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        mailbox: MailboxId,
        value: &MailboxValue,
    ) -> Result<Option<Uid>, Error> {
        if value.unseen == 0 {
            self.unseen_from = value.uid_next;
            return Ok(None);
        }
        let mut first_unseen = None;
        let (_, end) = keys::rows_range(account, mailbox);
        let range = (keys::row(account, mailbox, self.unseen_from), end);
        snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, row| {
            if !is_unseen(row) {
                return ControlFlow::Continue(());
            }
            first_unseen = keys::last_u32(key).map(Uid);
            ControlFlow::Break(())
        })?;
        self.unseen_from = first_unseen.unwrap_or(value.uid_next);
        Ok(first_unseen)
    }

    /// How many messages nobody was given yet.
    fn recent(&self, value: &MailboxValue) -> u32 {
        if self.recent_from <= value.recent_from || self.modseq != value.highest_modseq {
            return value.recent;
        }
        let given = self.uids.count_up_to(Uid(self.recent_from.0.saturating_sub(1)));
        self.uids.len().saturating_sub(given)
    }
}

/// What the saved view and the change log after it lead to, for the check; None: no view is saved.
pub(crate) fn rebuilt(
    snapshot: &dyn Snapshot,
    account: AccountId,
    mailbox: MailboxId,
    value: &MailboxValue,
) -> Result<Option<UidSet>, Error> {
    let mut view = View::default();
    view.load_saved(snapshot, account, mailbox, value)?;
    if view.modseq == ModSeq(0) {
        return Ok(None);
    }
    view.catch_up(snapshot, account, mailbox, value)?;
    Ok(Some((*view.uids).clone()))
}

/// Those of a set from `first` on.
fn from_on(uids: &UidSet, first: Uid) -> UidSet {
    let mut below = UidSet::new();
    if first > Uid(1) {
        below.insert_range(Uid(1), Uid(first.0 - 1));
    }
    uids.minus(&below)
}

fn is_unseen(row: &[u8]) -> bool {
    RowValue::flags_of(row).is_some_and(|flags| !flags.has(Flag::Seen))
}

/// Visits the change log of a mailbox after `since`.
fn log(
    snapshot: &dyn Snapshot,
    account: AccountId,
    mailbox: MailboxId,
    since: ModSeq,
    visit: &mut dyn FnMut(ModSeq, &[u8]),
) -> Result<(), Error> {
    let Some(first) = since.0.checked_add(1) else { return Ok(()) };
    let range = (keys::change(account, mailbox, ModSeq(first)), keys::changes_range(account, mailbox).1);
    snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
        keys::last_u64(key).into_iter().for_each(|modseq| visit(ModSeq(modseq), value));
        ControlFlow::Continue(())
    })?;
    Ok(())
}

#[derive(Default)]
struct Happened {
    arrived: UidSet,
    flagged: UidSet,
    vanished: UidSet,
}

fn happened_by_log(
    snapshot: &dyn Snapshot,
    account: AccountId,
    mailbox: MailboxId,
    since: ModSeq,
    own: &[ModSeq],
) -> Result<Happened, Error> {
    let mut happened = Happened::default();
    let mut damaged = None;
    log(snapshot, account, mailbox, since, &mut |modseq, entry| {
        let is_own = own.contains(&modseq);
        let read = ChangeValue::visit(entry, &mut |kind, first, last| match kind {
            ChangeKind::Arrived => happened.arrived.insert_range(first, last),
            ChangeKind::Vanished => happened.vanished.insert_range(first, last),
            ChangeKind::Flagged if !is_own => happened.flagged.insert_range(first, last),
            ChangeKind::Flagged => (first.0..=last.0).for_each(|uid| {
                happened.flagged.remove(Uid(uid));
            }),
        });
        if read.is_none() {
            damaged = Some(modseq);
        }
    })?;
    damaged.map_or(Ok(happened), |modseq| {
        Err(corrupt(account, &format!("change log of mailbox {mailbox}, entry"), modseq))
    })
}

/// Without a change log that goes back so far: whatever is not there may have vanished since (RFC 7162 §3.2.5.2 allows
/// to name too many).
fn happened_by_rows(
    snapshot: &dyn Snapshot,
    account: AccountId,
    mailbox: MailboxId,
    since: ModSeq,
    own: &[ModSeq],
    value: &MailboxValue,
    uids: &UidSet,
) -> Result<Happened, Error> {
    let mut happened = Happened::default();
    if value.uid_next > Uid(1) {
        happened.vanished.insert_range(Uid(1), Uid(value.uid_next.0 - 1));
        happened.vanished = happened.vanished.minus(uids);
    }
    let range = keys::rows_range(account, mailbox);
    snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, row| {
        let changed =
            RowValue::decode(row).is_some_and(|row| row.modseq > since && !own.contains(&row.modseq));
        if changed {
            keys::last_u32(key).into_iter().for_each(|uid| happened.flagged.push(Uid(uid)));
        }
        ControlFlow::Continue(())
    })?;
    Ok(happened)
}
