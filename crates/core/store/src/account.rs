//! Accounts: making, removing, quota.

use crate::feed::Touched;
use crate::keys::{self, AccountValue};
use crate::ledger::Ledger;
use crate::{Error, Store, Written, read};
use engine::{Abort, AccountId, Order, Tx};
use model::{SpecialUse, UnixTime};
use std::ops::ControlFlow;

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

/// Which mailboxes a new account has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// INBOX, Drafts, Sent, Junk, Trash and Archive.
    Person,
    /// INBOX: for an account that nobody logs in to.
    InboxOnly,
}

/// The mailboxes of a new account after INBOX (RFC 6154).
const INITIAL: [(&str, SpecialUse); 5] = [
    ("Drafts", SpecialUse::Drafts),
    ("Sent", SpecialUse::Sent),
    ("Junk", SpecialUse::Junk),
    ("Trash", SpecialUse::Trash),
    ("Archive", SpecialUse::Archive),
];

impl Limits {
    fn bytes_max(self) -> u64 {
        self.bytes.unwrap_or(u64::MAX)
    }

    fn messages_max(self) -> u64 {
        self.messages.unwrap_or(u64::MAX)
    }
}

impl Store {
    /// Makes an account with its INBOX, Drafts, Sent, Junk, Trash and Archive, all subscribed (RFC 6154).
    ///
    /// # Errors
    /// [`Error::AccountExists`].
    pub fn create_account(&self, account: AccountId, limits: Limits, now: UnixTime) -> Written<()> {
        self.transact(&[AccountId(0), account], move |tx, touched| {
            if tx.get_with(&keys::account(account), &mut |_| {})? {
                return Err(Error::AccountExists);
            }
            create(tx, account, limits, Layout::Person, now, touched)
        })
    }

    /// The same inside another's transaction (the directory's). Does nothing when the account is there already.
    ///
    /// # Errors
    /// The engine's.
    pub fn create_account_in(
        tx: &mut dyn Tx,
        account: AccountId,
        limits: Limits,
        layout: Layout,
        now: UnixTime,
    ) -> Result<(), Abort> {
        if tx.get_with(&keys::account(account), &mut |_| {})? {
            return Ok(());
        }
        create(tx, account, limits, layout, now, &mut Touched::new()).map_err(abort)
    }

    /// Removes an account with all its mail. The account is gone when this resolves; its space is given back in
    /// further transactions behind it.
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn delete_account(&self, account: AccountId) -> Written<()> {
        let written = self.transact(&[AccountId(0), account], move |tx, touched| {
            touched.push((account, keys::LIST));
            delete(tx, account)
        });
        self.purge_behind(account);
        written
    }

    /// The same inside another's transaction; afterwards [`Store::purge`] gives the space back.
    ///
    /// # Errors
    /// The engine's. An account that is not there is no error.
    pub fn delete_account_in(tx: &mut dyn Tx, account: AccountId) -> Result<(), Abort> {
        match delete(tx, account) {
            Ok(()) | Err(Error::NoAccount) => Ok(()),
            Err(error) => Err(abort(error)),
        }
    }

    /// Sets the quota. What exceeds it already stays.
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn set_limits(&self, account: AccountId, limits: Limits) -> Written<()> {
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            ledger.account.bytes_max = limits.bytes_max();
            ledger.account.messages_max = limits.messages_max();
            ledger.limits_changed();
            ledger.finish(tx, touched)
        })
    }

    /// What the account uses, and its quota.
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn usage(&self, account: AccountId) -> Result<Usage, Error> {
        let value = read::account(&*self.engine.snapshot()?, account)?;
        let limit = |number: u64| (number != u64::MAX).then_some(number);
        Ok(Usage {
            bytes: value.bytes,
            messages: value.messages,
            mailboxes: value.mailboxes,
            limits: Limits { bytes: limit(value.bytes_max), messages: limit(value.messages_max) },
        })
    }

    /// Whether one more message of so many octets would fit in now (for RCPT; the commit decides).
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn would_fit(&self, account: AccountId, bytes: u64) -> Result<bool, Error> {
        let value = read::account(&*self.engine.snapshot()?, account)?;
        Ok(value.messages < value.messages_max && value.bytes.saturating_add(bytes) <= value.bytes_max)
    }
}

/// For transactions of others, who word refusals themselves.
fn abort(error: Error) -> Abort {
    match error {
        Error::Engine(error) => Abort::Engine(error),
        _ => Abort::Cancelled,
    }
}

fn create(
    tx: &mut dyn Tx,
    account: AccountId,
    limits: Limits,
    layout: Layout,
    now: UnixTime,
    touched: &mut Touched,
) -> Result<(), Error> {
    // RFC 9051 §2.3.1.1: an account that is made anew with its old name must not show its old UIDVALIDITYs, not even
    // within the second.
    let mut used = None;
    tx.get_with(&keys::used_validities(), &mut |value| used = keys::decode_u32(value))?;
    let next_uid_validity = u32::try_from(now.0).unwrap_or(1).max(used.unwrap_or(0)).max(1);
    let value = AccountValue {
        bytes_max: limits.bytes_max(),
        messages_max: limits.messages_max(),
        bytes: 0,
        messages: 0,
        mailboxes: 0,
        next_doc: 1,
        next_mailbox: keys::INBOX.0,
        next_uid_validity,
        modseq: 0,
    };
    let mut ledger = Ledger::new(account, value);
    let inbox = std::iter::once(("INBOX", None));
    let others: &[(&str, SpecialUse)] = match layout {
        Layout::Person => &INITIAL,
        Layout::InboxOnly => &[],
    };
    for (name, special_use) in inbox.chain(others.iter().map(|(name, kind)| (*name, Some(*kind)))) {
        let slot = ledger.new_mailbox(name.to_owned(), now)?;
        ledger.at(slot).value.special_use = special_use;
        let id = ledger.at(slot).id;
        tx.put(&keys::name(account, name), &keys::encode_u32(id.0))?;
        tx.put(&keys::subscription(account, name), &[keys::VERSION])?;
    }
    ledger.finish(tx, touched)
}

/// The account and its mailboxes are not there any more; what they hold is doomed.
fn delete(tx: &mut dyn Tx, account: AccountId) -> Result<(), Error> {
    let mut value = None;
    if !tx.get_with(&keys::account(account), &mut |bytes| value = AccountValue::decode(bytes))? {
        return Err(Error::NoAccount);
    }
    // Of a damaged account nobody knows; the next one begins with its own second.
    if let Some(value) = value {
        let mut used = None;
        tx.get_with(&keys::used_validities(), &mut |value| used = keys::decode_u32(value))?;
        if used.unwrap_or(0) < value.next_uid_validity {
            tx.put(&keys::used_validities(), &keys::encode_u32(value.next_uid_validity))?;
        }
    }
    crate::acl::remove_account(tx, account)?;
    tx.put(&keys::doomed(account, keys::LIST), &[keys::VERSION])?;
    tx.delete(&keys::account(account))?;
    for tag in [b'n', b'u'] {
        let mut gone = Vec::new();
        let range = keys::tag_range(account, tag);
        tx.scan(keys::between(&range), Order::Ascending, &mut |key, _| {
            gone.push(key.to_vec());
            ControlFlow::Continue(())
        })?;
        for key in gone {
            tx.delete(&key)?;
        }
    }
    Ok(())
}
