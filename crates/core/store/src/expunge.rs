//! Removing messages: EXPUNGE, UID EXPUNGE, CLOSE, and POP3's QUIT.

use crate::{Store, Written};
use engine::AccountId;
use model::{MailboxId, ModSeq, UidSet};

/// What was removed.
#[derive(Clone, PartialEq, Debug)]
pub struct Expunged {
    /// Which.
    pub uids: UidSet,
    /// Modification sequence of the removal, or the mailbox's highest if nothing was removed.
    pub modseq: ModSeq,
}

impl Store {
    /// Removes the messages that are \Deleted (RFC 9051 §6.4.3), only those among `only` if given (RFC 4315 §2.1), in
    /// one commit.
    ///
    /// # Errors
    /// [`Error::NoMailbox`](crate::Error::NoMailbox).
    pub fn expunge(&self, account: AccountId, mailbox: MailboxId, only: Option<UidSet>) -> Written<Expunged> {
        let _ = (account, mailbox, only);
        panic!()
    }

    /// Removes these messages whatever their flags (POP3), in one commit. Those that are not there are left out.
    ///
    /// # Errors
    /// [`Error::NoMailbox`](crate::Error::NoMailbox).
    pub fn remove(&self, account: AccountId, mailbox: MailboxId, uids: UidSet) -> Written<Expunged> {
        let _ = (account, mailbox, uids);
        panic!()
    }
}
