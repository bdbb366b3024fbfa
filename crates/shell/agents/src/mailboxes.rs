//! What the store does beside the directory: an account is made with its mailboxes and removed with them, in the
//! directory's own transaction.

use directory::{Companion, Created, Role};
use engine::{Abort, AccountId, Tx};
use store::{Layout, Limits, Store};

/// Makes and removes the mailboxes of accounts.
pub struct Mailboxes {
    default_quota: u64,
}

impl Mailboxes {
    /// `default_quota`: bytes for an account that is given no quota; 0 for no limit.
    pub fn new(default_quota: u64) -> Mailboxes {
        Mailboxes { default_quota }
    }

    /// The store's limits of an account with this quota.
    fn limits(&self, quota: directory::Quota) -> Limits {
        let default = (self.default_quota > 0).then_some(self.default_quota);
        Limits {
            bytes: quota.bytes.or(default).filter(|bytes| *bytes > 0),
            messages: quota.messages.filter(|messages| *messages > 0),
        }
    }
}

impl Companion for Mailboxes {
    fn created(&self, tx: &mut dyn Tx, account: &Created<'_>) -> Result<(), Abort> {
        let layout = match account.role {
            Role::Person | Role::Administrator => Layout::Person,
            Role::Shared => Layout::InboxOnly,
        };
        Store::create_account_in(tx, account.id, self.limits(account.quota), layout, account.now)
    }

    fn removed(&self, tx: &mut dyn Tx, account: AccountId) -> Result<(), Abort> {
        collecting::remove_of_account(tx, account)?;
        Store::delete_account_in(tx, account)
    }
}
