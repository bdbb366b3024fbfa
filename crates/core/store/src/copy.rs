//! COPY and MOVE (RFC 9051 §6.4.7, §6.4.8).

use crate::{Store, Target, Written};
use engine::AccountId;
use model::{MailboxId, ModSeq, UidSet, UidValidity, UnixTime};
use std::sync::Arc;

/// What becomes of the originals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Originals {
    /// COPY.
    Stay,
    /// MOVE: removed in the same commit.
    Go,
}

/// What COPY or MOVE did.
#[derive(Clone, PartialEq, Debug)]
pub struct Copied {
    /// The mailbox that was copied to.
    pub mailbox: MailboxId,
    /// Its UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UIDs of the originals; the n-th became the n-th of `to`.
    pub from: UidSet,
    /// UIDs of the copies.
    pub to: UidSet,
    /// Asked for, but not there (any more).
    pub missing: UidSet,
    /// Modification sequence of the commit.
    pub modseq: ModSeq,
}

impl Store {
    /// Copies messages with their flags, keywords and dates to another mailbox (or the same) in ascending order, all or
    /// none; EMAILID and THREADID stay (RFC 8474 §5). A move within one mailbox gives new UIDs.
    ///
    /// # Errors
    /// [`Error::NoMailbox`](crate::Error::NoMailbox), [`Error::OverQuota`](crate::Error::OverQuota),
    /// [`Error::Limit`](crate::Error::Limit).
    pub fn copy(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: Arc<UidSet>,
        to: Target,
        originals: Originals,
        now: UnixTime,
    ) -> Written<Copied> {
        let _ = (account, mailbox, uids, to, originals, now);
        panic!()
    }
}
