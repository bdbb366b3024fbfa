//! What a session sees of a mailbox: the set of its UIDs, shared by all who look at it, and what changed since.

use crate::{Counters, Error, Store};
use engine::AccountId;
use model::{Keyword, MailboxId, ModSeq, Uid, UidSet};
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
    pub vanished: UidSet,
    /// Messages that came and are still there.
    pub arrived: UidSet,
    /// Older messages (not in `arrived`) whose flags or modification sequence changed.
    pub flagged: UidSet,
    /// UIDNEXT now.
    pub uid_next: Uid,
    /// Names of the keywords by their number, now.
    pub keywords: Arc<[Keyword]>,
}

/// The shared sets of UIDs.
#[derive(Default)]
pub(crate) struct Views {}

impl Store {
    /// A mailbox as SELECT shows it, in time that does not depend on its size once somebody has looked.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn open(&self, account: AccountId, mailbox: MailboxId) -> Result<Opened, Error> {
        let _ = (account, mailbox);
        panic!()
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
        let _ = (account, mailbox, seen);
        panic!()
    }

    /// Those that would be \Recent, without claiming them (EXAMINE).
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn recent(&self, account: AccountId, mailbox: MailboxId, seen: &UidSet) -> Result<UidSet, Error> {
        let _ = (account, mailbox, seen);
        panic!()
    }

    /// What happened in a mailbox after `since`; None: nothing. A message whose last change bears a number of `own` is
    /// not in [`Changes::flagged`] (the session's own STOREs).
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
        let _ = (account, mailbox, since, own);
        panic!()
    }
}
