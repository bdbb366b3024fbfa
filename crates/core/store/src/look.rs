//! What happened in a mailbox, found out once for all who watch it and know the same of it.
//!
//! Ten thousand sessions of one mailbox hear of a message at the same time, and all ask the same question. The first one
//! reads; the others take its answer, without a snapshot and without waiting for anything. An answer stands until the
//! mailbox's next ring, and every commit rings before it is acknowledged: so nobody is shown less than what has been
//! acknowledged.

use crate::feed::MailboxWatch;
use crate::{Acl, Changes, Error, Store};
use model::{ModSeq, UidSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Answers kept: sessions that lag behind ask from other states on than the others.
const LOOKS_MAX: usize = 4;

/// A mailbox as whoever watches it finds it after a ring.
pub struct Look {
    rings: u64,
    since: ModSeq,
    /// Who may do what.
    pub acl: Acl,
    /// What happened since the state that was asked from; None: nothing.
    pub changes: Option<Changes>,
    /// All of what came has been claimed (RFC 3501 §2.3.2).
    claimed: AtomicBool,
}

/// Whether messages that nobody was given yet are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// They are taken: \Recent for this session alone.
    Take,
    /// They are left to others (EXAMINE).
    Leave,
}

impl Look {
    /// After how many [rings](MailboxWatch::rings) it was.
    pub fn rings(&self) -> u64 {
        self.rings
    }

    /// Whether there is no message in it that may be \Recent for somebody: then [`Store::recent_in`] reads nothing.
    pub fn is_claimed(&self) -> bool {
        let came = self.changes.as_ref().is_some_and(|changes| !changes.arrived.is_empty());
        !came || self.claimed.load(Ordering::Acquire)
    }
}

impl MailboxWatch {
    /// The answer that another has got to the same question, if it still stands. Quick: nothing is read.
    pub fn looked(&self, since: ModSeq) -> Option<Arc<Look>> {
        let rings = self.rings();
        let looks = self.shared.looks.lock();
        looks.iter().find(|look| look.since == since && look.rings == rings).cloned()
    }
}

impl Store {
    /// What has happened in a watched mailbox after `since`; for those who ask the same it is read once.
    ///
    /// # Errors
    /// [`Error::NoMailbox`]; reading failed.
    pub fn look_since(&self, watch: &MailboxWatch, since: ModSeq) -> Result<Arc<Look>, Error> {
        let _one = watch.shared.looking.lock();
        if let Some(look) = watch.looked(since) {
            return Ok(look);
        }
        // Counted before anything is read: what rings meanwhile is read again.
        let rings = watch.rings();
        let (account, mailbox) = watch.mailbox();
        let acl = self.acl(account, mailbox)?;
        let changes = self.changes(account, mailbox, since, &[])?;
        let look = Arc::new(Look { rings, since, acl, changes, claimed: AtomicBool::new(false) });
        let mut looks = watch.shared.looks.lock();
        looks.retain(|old| old.rings == rings);
        if looks.len() >= LOOKS_MAX {
            looks.remove(0);
        }
        looks.push(look.clone());
        Ok(look)
    }

    /// Those messages that came and are \Recent for whoever asks (RFC 3501 §2.3.2).
    ///
    /// # Errors
    /// [`Error::NoMailbox`]; reading failed.
    pub fn recent_in(&self, watch: &MailboxWatch, look: &Look, claim: Claim) -> Result<UidSet, Error> {
        let Some(changes) = look.changes.as_ref().filter(|_| !look.is_claimed()) else {
            return Ok(UidSet::new());
        };
        let (account, mailbox) = watch.mailbox();
        if claim == Claim::Leave {
            return Ok(self.recent(account, mailbox, &changes.uids)?.and(&changes.arrived));
        }
        let recent = self.claim_recent(account, mailbox, &changes.uids)?.and(&changes.arrived);
        look.claimed.store(true, Ordering::Release);
        Ok(recent)
    }
}
