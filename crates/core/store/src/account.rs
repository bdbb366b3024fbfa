//! Accounts: making, removing, quota.

use crate::{Error, Store, Written};
use engine::{Abort, AccountId, Tx};
use model::UnixTime;

/// Quota of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Most octets of all messages together; None: no limit.
    pub bytes: Option<u64>,
    /// Most messages; None: no limit.
    pub messages: Option<u64>,
}

/// What an account uses. A copy in a second mailbox counts again (RFC 9208 leaves that to the server).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Octets of all messages together.
    pub bytes: u64,
    /// Messages.
    pub messages: u64,
    /// Mailboxes.
    pub mailboxes: u32,
    /// The quota.
    pub limits: Limits,
}

impl Store {
    /// Makes an account with its INBOX, Drafts, Sent, Junk, Trash and Archive, all subscribed (RFC 6154).
    ///
    /// # Errors
    /// [`Error::AccountExists`].
    pub fn create_account(&self, account: AccountId, limits: Limits, now: UnixTime) -> Written<()> {
        let _ = (account, limits, now);
        panic!()
    }

    /// The same inside another's transaction (the directory's). Does nothing when the account is there already.
    ///
    /// # Errors
    /// The engine's.
    pub fn create_account_in(
        tx: &mut dyn Tx,
        account: AccountId,
        limits: Limits,
        now: UnixTime,
    ) -> Result<(), Abort> {
        let _ = (tx, account, limits, now);
        panic!()
    }

    /// Removes an account with all its mail. The account is gone when this resolves; its space is given back in
    /// further transactions behind it.
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn delete_account(&self, account: AccountId) -> Written<()> {
        let _ = account;
        panic!()
    }

    /// The same inside another's transaction; afterwards [`Store::purge`] gives the space back.
    ///
    /// # Errors
    /// The engine's.
    pub fn delete_account_in(tx: &mut dyn Tx, account: AccountId) -> Result<(), Abort> {
        let _ = (tx, account);
        panic!()
    }

    /// Gives back what removed mailboxes (or the removed account) still hold, one bounded transaction; resolves to
    /// whether there is more. Call it after [`delete_account_in`](Self::delete_account_in), and for each account at
    /// start, until it resolves to false.
    pub fn purge(&self, account: AccountId) -> Written<bool> {
        let _ = account;
        panic!()
    }

    /// Sets the quota. What exceeds it already stays.
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn set_limits(&self, account: AccountId, limits: Limits) -> Written<()> {
        let _ = (account, limits);
        panic!()
    }

    /// What the account uses, and its quota.
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn usage(&self, account: AccountId) -> Result<Usage, Error> {
        let _ = account;
        panic!()
    }

    /// Whether one more message of so many octets would fit in now (for RCPT; the commit decides).
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn would_fit(&self, account: AccountId, bytes: u64) -> Result<bool, Error> {
        let _ = (account, bytes);
        panic!()
    }
}
