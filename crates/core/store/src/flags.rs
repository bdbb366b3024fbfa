//! STORE: changing flags and keywords (RFC 9051 §6.4.6, RFC 7162 §3.1.3).

use crate::{Store, Written};
use engine::AccountId;
use model::{FlagSet, Keyword, MailboxId, ModSeq, UidSet};
use std::sync::Arc;

/// How flags are changed.
#[derive(Clone, Debug)]
pub struct FlagChange {
    /// What is done with the given ones.
    pub mode: FlagMode,
    /// System flags.
    pub flags: FlagSet,
    /// Keywords; unknown ones become known (not for [`FlagMode::Remove`]).
    pub keywords: Vec<Keyword>,
}

/// What is done with the given flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlagMode {
    /// +FLAGS
    Add,
    /// -FLAGS
    Remove,
    /// FLAGS
    Replace,
}

/// What STORE did.
#[derive(Clone, PartialEq, Debug)]
pub struct Stored {
    /// Modification sequence of this commit; if nothing changed, the mailbox's highest.
    pub modseq: ModSeq,
    /// Messages whose flags are different now.
    pub changed: UidSet,
    /// Messages left alone because of `unchanged_since`.
    pub modified: UidSet,
    /// Asked for, but not there (any more).
    pub missing: UidSet,
    /// Messages (asked for and there) whose modification sequence was above `known` before.
    pub overtaken: UidSet,
}

impl Store {
    /// Changes flags of messages, all in one commit. With `unchanged_since`, messages modified after it are left alone
    /// (RFC 7162 §3.1.3). `known` only fills [`Stored::overtaken`].
    ///
    /// # Errors
    /// [`Error::NoMailbox`](crate::Error::NoMailbox); [`Error::Limit`](crate::Error::Limit): too many keywords.
    pub fn store_flags(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: Arc<UidSet>,
        change: FlagChange,
        unchanged_since: Option<ModSeq>,
        known: ModSeq,
    ) -> Written<Stored> {
        let _ = (account, mailbox, uids, change, unchanged_since, known);
        panic!()
    }
}
