//! A session's view of the selected mailbox: what its client has been told, and what it has not been told yet.
//!
//! Sequence numbers mean positions in [`View::told`], and nothing changes that set but what is sent to the client: new
//! messages are added with the EXISTS that announces them, expunged ones leave with their EXPUNGE (RFC 9051 §7.5.1,
//! RFC 3501 §5.5). While nothing is withheld, the set is the store's own, shared by all sessions that look at the same
//! state, so that an idle session keeps almost nothing.

use crate::ask::{Access, Changes, Owner, Place, Selected};
use crate::command::Numbering;
use crate::sequence::{Beyond, SequenceSet};
use crate::session::Contexts;
use model::{Keyword, MailboxId, ModSeq, Rights, SeqNo, Uid, UidSet, UidValidity};
use std::sync::Arc;

/// Most own STOREs remembered.
const OWN_MAX: usize = 1024;

/// The selected mailbox as one client knows it.
#[derive(Debug)]
pub(crate) struct View {
    /// What the client counts: position n is its message n.
    told: Arc<UidSet>,
    /// The store's state at `known`; the same as `told` when nothing is withheld.
    latest: Arc<UidSet>,
    /// Members of `told` that the store has no longer.
    gone: UidSet,
    /// Those that are \Recent for this session (RFC 3501 §2.3.2); empty once IMAP4rev2 is enabled.
    pub recent: UidSet,
    /// Up to which modification sequence the store was asked.
    pub known: ModSeq,
    /// Up to which everything was told; behind `known` while expunged messages are withheld.
    settled: ModSeq,
    /// The highest modification sequence that FETCH responses told since the last tagged reply.
    shown: ModSeq,
    /// The client was told to resynchronise from an earlier state than that of the last FETCH.
    lags: bool,
    /// Modification sequences of this session's own STOREs after `known`.
    pub own: Vec<ModSeq>,
    /// Messages that this session put here itself, if its client wants to hear of new ones (RFC 5465 §5.2).
    pub brought: UidSet,
    /// Keyword names by number, as told by the last FLAGS response.
    pub keywords: Arc<[Keyword]>,
    /// The last UIDBATCHES that was answered.
    pub batched: Option<Batched>,
    /// Results that are kept up to date (RFC 5267).
    pub contexts: Option<Box<Contexts>>,
    /// What `$` stands for (RFC 5182).
    pub saved: Option<Arc<UidSet>>,
    pub mailbox: MailboxId,
    pub uid_validity: UidValidity,
    pub access: Access,
    /// What this user may do with it, as told last.
    pub rights: Rights,
    /// Whose ids it and its messages have.
    pub owner: Owner,
    /// Changes of annotations are told (RFC 5257 §4.4).
    pub annotate: bool,
}

/// A UIDBATCHES command and the mailbox as it was then (RFC 10022 §3.1.1).
#[derive(Debug)]
pub(crate) struct Batched {
    pub size: u32,
    pub batches: Option<(u32, u32)>,
    /// Highest UID.
    pub last: Uid,
    /// Messages.
    pub count: u32,
}

impl View {
    /// The view of a client that was just told of the whole mailbox.
    pub fn new(selected: Selected) -> View {
        View {
            told: Arc::clone(&selected.uids),
            latest: selected.uids,
            gone: UidSet::new(),
            recent: selected.recent,
            known: selected.highest_modseq,
            settled: selected.highest_modseq,
            shown: selected.highest_modseq,
            lags: false,
            own: Vec::new(),
            brought: UidSet::new(),
            keywords: selected.keywords,
            batched: None,
            contexts: None,
            saved: None,
            mailbox: selected.mailbox,
            uid_validity: selected.uid_validity,
            access: selected.access,
            rights: selected.rights,
            owner: selected.owner,
            annotate: false,
        }
    }

    /// Which mailbox it is.
    pub fn place(&self) -> Place {
        Place { owner: self.owner, mailbox: self.mailbox }
    }

    /// Notes a STORE of this session's own. Beyond [`OWN_MAX`] it is told as if another had done it: a client that has
    /// called off all news of the mailbox (RFC 5465 §3.1) never makes room.
    pub fn wrote(&mut self, modseq: ModSeq) {
        if self.own.len() < OWN_MAX {
            self.own.push(modseq);
        }
    }

    /// Messages that the client counts.
    pub fn told(&self) -> &Arc<UidSet> {
        &self.told
    }

    /// How many messages the client counts.
    pub fn count(&self) -> u32 {
        self.told.len()
    }

    /// The client's number of a message.
    pub fn number(&self, uid: Uid) -> Option<SeqNo> {
        self.told.rank(uid)
    }

    /// Messages that a set names in this view.
    ///
    /// # Errors
    /// A sequence number that names none.
    pub fn resolve(&self, numbering: Numbering, set: &SequenceSet) -> Result<UidSet, Beyond> {
        match &self.saved {
            Some(saved) => set.resolve(numbering, &self.told, saved),
            // RFC 5182 §2.1: `$` is empty before anything was saved.
            None => set.resolve(numbering, &self.told, &UidSet::new()),
        }
    }

    /// Takes over what the store says, for numbering: new messages are counted from now on, so EXISTS has to be sent
    /// when the count differs. Expunged ones stay counted until [`expunged_are_told`](View::expunged_are_told).
    pub fn take(&mut self, changes: &Changes) {
        self.known = changes.up_to;
        // Another session may have looked before the last of them was written.
        self.own.retain(|own| *own > changes.up_to);
        self.latest = Arc::clone(&changes.uids);
        self.recent = self.recent.or(&changes.recent);
        let dropped = self.told.minus(&changes.uids);
        self.told =
            if dropped.is_empty() { Arc::clone(&self.latest) } else { Arc::new(dropped.or(&self.latest)) };
        self.gone = dropped;
        if self.gone.is_empty() {
            self.settled = self.known;
        }
    }

    /// A FETCH response has told this modification sequence.
    pub fn show(&mut self, modseq: ModSeq) {
        self.shown = self.shown.max(modseq);
    }

    /// Whether FETCH responses were ahead of what the store was asked for: something may be withheld that nobody knows of
    /// yet.
    pub fn is_ahead(&self) -> bool {
        self.shown > self.known
    }

    /// Up to which modification sequence everything was told.
    pub fn settled(&self) -> ModSeq {
        self.settled
    }

    /// Where the client has to resynchronise from when the connection breaks now, if it would take it for another state
    /// otherwise. RFC 7162 §3.2: "if the server sends MODSEQ FETCH data items while EXPUNGE (or VANISHED) replies with lower
    /// mod-sequences being delayed, the server MUST send the HIGHESTMODSEQ response code with a lower value". Due before each
    /// tagged reply (§6), and once more when all has been told.
    pub fn resync_from(&mut self) -> Option<ModSeq> {
        let lags = !self.gone.is_empty() && self.shown > self.settled;
        let caught_up = self.lags && self.gone.is_empty();
        self.shown = self.settled;
        self.lags = lags || self.lags && !caught_up;
        (lags || caught_up).then_some(self.settled)
    }

    /// Messages that are gone and still counted, lowest first.
    pub fn withheld(&self) -> &UidSet {
        &self.gone
    }

    /// The EXPUNGE of every withheld message has been sent: the numbers close up.
    pub fn expunged_are_told(&mut self) {
        self.told = Arc::clone(&self.latest);
        self.settled = self.known;
        let gone = std::mem::take(&mut self.gone);
        self.recent = self.recent.minus(&gone);
        if let Some(saved) = &mut self.saved {
            // RFC 5182 §2.1: an expunged message leaves the saved result.
            *saved = Arc::new(saved.minus(&gone));
        }
    }
}

/// Numbers ascending UIDs without counting from the start each time.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    last: Option<(Uid, SeqNo)>,
    /// Up to here every UID behind `last` is a message that the client counts.
    unbroken_to: Option<Uid>,
}

impl Numbers {
    /// For the messages of a page, from its `first` to its `last`.
    pub fn of_page(first: Uid, last: Uid, told: &UidSet) -> Numbers {
        let (one, other) = (told.rank(first), told.rank(last));
        let unbroken = one.zip(other).is_some_and(|(one, other)| other.0 - one.0 == last.0 - first.0);
        Numbers { last: None, unbroken_to: unbroken.then_some(last) }
    }

    /// The number of `uid`, which must be larger than the one before.
    pub fn of(&mut self, uid: Uid, told: &UidSet) -> Option<SeqNo> {
        let number = match self.last {
            // The usual case of a whole range: the next message has the next number.
            Some((last, number))
                if uid.0 == last.0.wrapping_add(1)
                    && (self.unbroken_to.is_some_and(|end| uid <= end) || told.contains(uid)) =>
            {
                SeqNo(number.0 + 1)
            }
            _ => told.rank(uid)?,
        };
        self.last = Some((uid, number));
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(uids: &[u32]) -> UidSet {
        uids.iter().copied().map(Uid).collect()
    }

    fn view(uids: &[u32]) -> View {
        View::new(Selected {
            mailbox: MailboxId(1),
            owner: Owner::SELF,
            access: Access::ReadWrite,
            rights: Rights::ALL,
            announced: Access::ReadWrite,
            uid_validity: UidValidity(1),
            uid_next: Uid(1000),
            highest_modseq: ModSeq(1),
            uids: Arc::new(set(uids)),
            recent: UidSet::new(),
            first_unseen: None,
            keywords: Arc::new([]),
        })
    }

    fn changes(up_to: u64, now: &[u32]) -> Changes {
        Changes {
            up_to: ModSeq(up_to),
            uids: Arc::new(set(now)),
            vanished: Arc::default(),
            arrived: Arc::default(),
            recent: UidSet::new(),
            flagged: Arc::default(),
            uid_next: Uid(1000),
            keywords: Arc::new([]),
        }
    }

    #[test]
    fn numbers_stand_until_the_client_is_told() {
        let mut view = view(&[10, 20, 30, 40]);
        view.own.extend([ModSeq(2), ModSeq(3)]);
        view.take(&changes(2, &[10, 40, 50]));
        assert!(view.own == [ModSeq(3)] && view.known == ModSeq(2), "what came before is settled");
        assert_eq!(view.count(), 5, "new messages count at once, expunged ones still");
        assert_eq!(view.number(Uid(40)), Some(SeqNo(4)));
        assert_eq!(view.number(Uid(50)), Some(SeqNo(5)));
        assert_eq!(view.withheld(), &set(&[20, 30]));
        view.take(&changes(3, &[10, 50]));
        assert_eq!(view.withheld(), &set(&[20, 30, 40]));
        assert_eq!(view.number(Uid(50)), Some(SeqNo(5)));
        view.expunged_are_told();
        assert_eq!(view.number(Uid(50)), Some(SeqNo(2)));
        assert!(view.withheld().is_empty());
    }

    #[test]
    fn a_state_that_was_not_told_whole_is_not_taken_for_told() {
        let mut view = view(&[10, 20, 30]);
        assert_eq!(view.resync_from(), None);
        view.show(ModSeq(5));
        assert!(view.is_ahead(), "the store has to be asked");
        view.take(&changes(5, &[10, 20, 30]));
        assert!(!view.is_ahead());
        assert_eq!(view.resync_from(), None, "nothing is withheld");
        view.take(&changes(6, &[10, 30]));
        assert_eq!(view.resync_from(), None, "nothing was told of what came behind it");
        view.show(ModSeq(7));
        view.take(&changes(7, &[10, 30]));
        assert_eq!(view.resync_from(), Some(ModSeq(5)));
        assert_eq!(view.resync_from(), None, "and with the next FETCH again");
        view.show(ModSeq(8));
        assert_eq!(view.resync_from(), Some(ModSeq(5)));
        view.expunged_are_told();
        assert_eq!(view.resync_from(), Some(ModSeq(7)), "all was told");
        assert_eq!(view.resync_from(), None);
    }

    #[test]
    fn own_writes_are_bounded() {
        let mut view = view(&[1]);
        for modseq in 0..3000 {
            view.wrote(ModSeq(modseq));
        }
        assert_eq!(view.own.len(), OWN_MAX, "STORE hands all of them on, each time");
    }

    #[test]
    fn nothing_is_copied_while_nothing_is_withheld() {
        let mut view = view(&[1, 2]);
        let next = changes(2, &[1, 2, 3]);
        view.take(&next);
        assert!(Arc::ptr_eq(view.told(), &next.uids));
    }

    #[test]
    fn ascending_numbers_agree_with_counting() {
        let told = set(&[1, 2, 3, 7, 8, 100_000, 100_001]);
        let mut numbers = Numbers::default();
        let mut page = Numbers::of_page(Uid(1), Uid(100_001), &told);
        for uid in [1, 2, 7, 8, 9, 100_000, 100_001].map(Uid) {
            assert_eq!(numbers.of(uid, &told), told.rank(uid));
            assert_eq!(page.of(uid, &told), told.rank(uid));
        }
        let mut unbroken = Numbers::of_page(Uid(7), Uid(8), &told);
        for uid in [7, 8, 9].map(Uid) {
            assert_eq!(unbroken.of(uid, &told), told.rank(uid));
        }
    }
}
