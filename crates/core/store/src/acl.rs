//! Access control lists (RFC 4314): who may do what with a mailbox of another.
//!
//! The list of a mailbox stands in its owner's account, under the mailbox's id: it follows RENAME by itself. Each entry
//! that grants something has a reverse entry where those look who may be meant by it (the account's own, or the place of
//! `anyone` and of each group under account 0), so that listing what is shared with somebody never walks over accounts.
//! Invariants: list and reverse entries change in one transaction; [`Store::check`] holds them against each other.
//!
//! Rights of a user are the union of what the entries grant that fit, less the union of what the negative ones take away
//! (RFC 4314 §2 leaves the combination to the server). The owner has all rights unless an entry of his own says otherwise,
//! and never loses `l` and `a`, or nobody could mend the list.

use crate::feed::Touched;
use crate::keys;
use crate::ledger::Ledger;
use crate::read::{self, corrupt};
use crate::{Error, Limit, ListEvent, SERVER, Store, Written};
use engine::{AccountId, Order, Read, Tx};
use model::{MailboxId, Right, Rights};
use std::ops::ControlFlow;

/// Most entries of one list.
pub const ACL_ENTRIES_MAX: usize = 1000;

/// Whom an entry means.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Who {
    /// `anyone`: every account of this server.
    Anyone,
    /// A user.
    Account(AccountId),
    /// `$group`: the members of a group of the directory, by its address in normal form.
    Group(String),
}

/// What an entry does with its rights.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Effect {
    /// It grants them.
    Grant,
    /// `-identifier`: it takes them away, whatever else grants them (RFC 4314 §2).
    Deny,
}

/// One pair of identifier and rights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AclEntry {
    /// Whom.
    pub who: Who,
    /// Granted or taken away.
    pub effect: Effect,
    /// What.
    pub rights: Rights,
}

/// Whose \Seen a mailbox shows to those it is shared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SeenState {
    /// Everybody has a \Seen of his own; the owner's is that of the messages.
    #[default]
    Private,
    /// There is one for all.
    Shared,
}

/// The list of a mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acl {
    /// Whose \Seen.
    pub seen: SeenState,
    /// In the order of [`Who`].
    pub entries: Vec<AclEntry>,
}

/// Somebody who looks at mailboxes: his account, and the groups that he is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Viewer {
    /// His account.
    pub account: AccountId,
    /// Addresses of groups, in normal form.
    pub groups: Vec<String>,
}

/// What SETACL does with the rights of an identifier (RFC 4314 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RightsChange {
    /// These and no others.
    Set(Rights),
    /// These too.
    Add(Rights),
    /// No longer these.
    Remove(Rights),
}

impl RightsChange {
    fn of(self, before: Rights) -> Rights {
        match self {
            RightsChange::Set(rights) => rights,
            RightsChange::Add(rights) => before.or(rights),
            RightsChange::Remove(rights) => before.minus(rights),
        }
    }
}

impl Viewer {
    /// Somebody who is in no group.
    pub fn alone(account: AccountId) -> Viewer {
        Viewer { account, groups: Vec::new() }
    }

    fn is(&self, who: &Who) -> bool {
        match who {
            Who::Anyone => true,
            Who::Account(account) => *account == self.account,
            Who::Group(group) => self.groups.contains(group),
        }
    }
}

/// What the owner keeps whatever the list says (RFC 4314 §2: implicit rights).
pub const OWNER_ALWAYS: Rights = Rights(Right::Lookup as u16 | Right::Administer as u16);

impl Acl {
    /// What somebody may do with the mailbox of `owner` that has this list.
    pub fn rights(&self, owner: AccountId, viewer: &Viewer) -> Rights {
        let mut rights = [Rights::NONE; 2];
        for entry in self.entries.iter().filter(|entry| viewer.is(&entry.who)) {
            let sum = &mut rights[usize::from(entry.effect == Effect::Deny)];
            *sum = sum.or(entry.rights);
        }
        let [granted, denied] = rights;
        if viewer.account != owner {
            return granted.minus(denied);
        }
        let granted = if self.has_own_entry(owner) { granted } else { Rights::ALL };
        granted.minus(denied).or(OWNER_ALWAYS)
    }

    /// Whether the owner has limited himself.
    pub fn has_own_entry(&self, owner: AccountId) -> bool {
        self.entry(&Who::Account(owner), Effect::Grant).is_some()
    }

    /// The rights of an identifier, if it has an entry.
    pub fn entry(&self, who: &Who, effect: Effect) -> Option<Rights> {
        let mut fitting = self.entries.iter().filter(|entry| entry.who == *who && entry.effect == effect);
        fitting.next().map(|entry| entry.rights)
    }

    /// Whose \Seen state somebody sees and changes; None: that of the messages.
    pub fn private_seen(&self, owner: AccountId, viewer: AccountId) -> Option<AccountId> {
        (viewer != owner && self.seen == SeenState::Private).then_some(viewer)
    }

    fn set(&mut self, who: Who, effect: Effect, rights: Option<Rights>) -> Result<(), Error> {
        let place = self.entries.binary_search_by(|entry| (&entry.who, entry.effect).cmp(&(&who, effect)));
        match (place, rights) {
            (Ok(at), Some(rights)) => self.entries[at].rights = rights,
            (Ok(at), None) => drop(self.entries.remove(at)),
            (Err(_), Some(_)) if self.entries.len() >= ACL_ENTRIES_MAX => {
                return Err(Error::Limit(Limit::AclEntries));
            }
            (Err(at), Some(rights)) => self.entries.insert(at, AclEntry { who, effect, rights }),
            (Err(_), None) => {}
        }
        Ok(())
    }

    /// Those who find the mailbox in their list of what is shared with them.
    pub(crate) fn granted(&self, owner: AccountId) -> impl Iterator<Item = &Who> {
        let fits = move |entry: &&AclEntry| {
            entry.effect == Effect::Grant && !entry.rights.is_empty() && entry.who != Who::Account(owner)
        };
        self.entries.iter().filter(fits).map(|entry| &entry.who)
    }
}

impl Store {
    /// The access control list of a mailbox; an empty one when it is not shared.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn acl(&self, account: AccountId, mailbox: MailboxId) -> Result<Acl, Error> {
        let snapshot = self.engine.snapshot()?;
        let there = snapshot.get_with(&keys::mailbox(account, mailbox), &mut |_| {})?;
        if !there {
            return Err(Error::NoMailbox);
        }
        load(&*snapshot, account, mailbox)
    }

    /// All lists of an account that are not empty.
    ///
    /// # Errors
    /// Reading failed, or a list is damaged.
    pub fn acls(&self, account: AccountId) -> Result<Vec<(MailboxId, Acl)>, Error> {
        let mut lists = Vec::new();
        let mut damaged = None;
        let range = keys::tag_range(account, keys::ACL_TAG);
        self.engine.snapshot()?.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
            let mailbox = MailboxId(keys::last_u32(key).unwrap_or_default());
            match keys::decode_acl(value) {
                Some(acl) => lists.push((mailbox, acl)),
                None => damaged = Some(mailbox),
            }
            ControlFlow::Continue(())
        })?;
        match damaged {
            Some(mailbox) => Err(corrupt(account, "access control list of mailbox", mailbox)),
            None => Ok(lists),
        }
    }

    /// Changes the rights of an identifier, and whose \Seen is shown if that is said (RFC 4314 §3.1). An entry that is
    /// left without rights goes, but for the owner's own, which limits him.
    ///
    /// # Errors
    /// [`Error::NoMailbox`]; [`Error::NoAccount`]: that user does not exist; [`Error::Limit`].
    pub fn set_acl(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        who: Who,
        effect: Effect,
        change: RightsChange,
        seen: Option<SeenState>,
    ) -> Written<()> {
        self.edit_acl(account, mailbox, who.clone(), move |acl| {
            let own = who == Who::Account(account) && effect == Effect::Grant;
            // RFC 4314 §3.1: what the owner has without an entry is what `+` and `-` begin with.
            let before = acl.entry(&who, effect).unwrap_or(if own { Rights::ALL } else { Rights::NONE });
            let rights = Some(change.of(before)).filter(|rights| own || !rights.is_empty());
            acl.seen = seen.unwrap_or(acl.seen);
            acl.set(who.clone(), effect, rights)
        })
    }

    /// Removes the entry of an identifier (RFC 4314 §3.2); of the owner's, he has all rights again.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn delete_acl(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        who: Who,
        effect: Effect,
    ) -> Written<()> {
        self.edit_acl(account, mailbox, who.clone(), move |acl| acl.set(who.clone(), effect, None))
    }

    fn edit_acl(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        who: Who,
        mut edit: impl FnMut(&mut Acl) -> Result<(), Error> + Send + 'static,
    ) -> Written<()> {
        let mut accounts = vec![AccountId(0), account];
        accounts.extend(if let Who::Account(user) = who { Some(user) } else { None });
        accounts.sort_unstable();
        accounts.dedup();
        self.transact(&accounts, move |tx, touched| {
            read::mailbox(tx, account, mailbox)?;
            let before = load(tx, account, mailbox)?;
            let mut after = before.clone();
            edit(&mut after)?;
            if after == before {
                return Ok(());
            }
            if let Who::Account(user) = who
                && after.entries.len() > before.entries.len()
            {
                read::account(tx, user)?;
            }
            write(tx, account, mailbox, &before, &after, touched)?;
            let mut ledger = Ledger::load(tx, account)?;
            ledger.listed.push(ListEvent::Rights { mailbox });
            ledger.rewritten.push(mailbox);
            ledger.open(tx, mailbox)?;
            ledger.finish(tx, touched)
        })
    }

    /// Mailboxes of others of which an entry grants this viewer something; negative entries may take it away again.
    ///
    /// # Errors
    /// Reading failed.
    pub fn shared_with(&self, viewer: &Viewer) -> Result<Vec<(AccountId, MailboxId)>, Error> {
        let snapshot = self.engine.snapshot()?;
        let mut found = Vec::new();
        let groups = viewer.groups.iter().map(|group| Who::Group(group.clone()));
        for who in [Who::Anyone, Who::Account(viewer.account)].into_iter().chain(groups) {
            let range = keys::shared_range(&who);
            let bounds = (std::ops::Bound::Included(&*range.0), std::ops::Bound::Excluded(&*range.1));
            snapshot.scan(bounds, Order::Ascending, &mut |key, _| {
                found.extend(keys::shared_place(key).filter(|(owner, _)| *owner != viewer.account));
                ControlFlow::Continue(())
            })?;
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// The list of a mailbox.
pub(crate) fn load<R: Read + ?Sized>(from: &R, account: AccountId, mailbox: MailboxId) -> Result<Acl, Error> {
    let damaged = || corrupt(account, "access control list of mailbox", mailbox);
    Ok(read::value(from, &keys::acl(account, mailbox), keys::decode_acl, damaged)?.unwrap_or_default())
}

/// Puts a list in place of another, with its reverse entries.
pub(crate) fn write(
    tx: &mut dyn Tx,
    account: AccountId,
    mailbox: MailboxId,
    before: &Acl,
    after: &Acl,
    touched: &mut Touched,
) -> Result<(), Error> {
    let key = keys::acl(account, mailbox);
    if *after == Acl::default() {
        tx.delete(&key)?;
    } else {
        tx.put(&key, &keys::encode_acl(after))?;
    }
    let (old, new): (Vec<&Who>, Vec<&Who>) =
        (before.granted(account).collect(), after.granted(account).collect());
    for who in old.iter().filter(|who| !new.contains(who)) {
        tx.delete(&keys::shared(who, account, mailbox))?;
    }
    for who in new.iter().filter(|who| !old.contains(who)) {
        tx.put(&keys::shared(who, account, mailbox), &[keys::VERSION])?;
    }
    // Their lists of mailboxes are different now. Who is meant by a group or by `anyone` hears of it from the server's
    // feed; a negative entry may take away what another one grants.
    for entry in before.entries.iter().chain(&after.entries) {
        let reader = match &entry.who {
            Who::Account(user) => *user,
            Who::Anyone | Who::Group(_) => SERVER,
        };
        if reader != account && !touched.list.contains(&(reader, keys::LIST)) {
            touched.push((reader, keys::LIST));
        }
    }
    Ok(())
}

/// RFC 4314 §4: a new mailbox has the list of its nearest superior.
pub(crate) fn inherit(
    tx: &mut dyn Tx,
    account: AccountId,
    name: &str,
    mailbox: MailboxId,
    root: Option<MailboxId>,
) -> Result<(), Error> {
    let mut superior = None;
    for (end, _) in name.rmatch_indices('/') {
        superior = read::named(tx, account, &name[..end])?;
        if superior.is_some() {
            break;
        }
    }
    let Some(superior) = superior.or(root) else { return Ok(()) };
    let acl = load(tx, account, superior)?;
    if acl == Acl::default() {
        return Ok(());
    }
    write(tx, account, mailbox, &Acl::default(), &acl, &mut Touched::new())
}

/// The list goes with its mailbox.
pub(crate) fn remove(
    tx: &mut dyn Tx,
    account: AccountId,
    mailbox: MailboxId,
    touched: &mut Touched,
) -> Result<(), Error> {
    let acl = load(tx, account, mailbox)?;
    write(tx, account, mailbox, &acl, &Acl::default(), touched)
}

/// An account goes: what it shared is shared no longer, and nobody's list names it any more.
pub(crate) fn remove_account(tx: &mut dyn Tx, account: AccountId) -> Result<(), Error> {
    let mut own = Vec::new();
    let range = keys::tag_range(account, keys::ACL_TAG);
    tx.scan(keys::between(&range), Order::Ascending, &mut |key, _| {
        own.extend(keys::last_u32(key).map(MailboxId));
        ControlFlow::Continue(())
    })?;
    for mailbox in own {
        remove(tx, account, mailbox, &mut Touched::new())?;
    }
    let me = Who::Account(account);
    let mut given = Vec::new();
    let range = keys::shared_range(&me);
    let bounds = (std::ops::Bound::Included(&*range.0), std::ops::Bound::Excluded(&*range.1));
    tx.scan(bounds, Order::Ascending, &mut |key, _| {
        given.extend(keys::shared_place(key));
        ControlFlow::Continue(())
    })?;
    for (owner, mailbox) in given {
        let before = load(tx, owner, mailbox)?;
        let mut after = before.clone();
        after.set(me.clone(), Effect::Grant, None)?;
        after.set(me.clone(), Effect::Deny, None)?;
        write(tx, owner, mailbox, &before, &after, &mut Touched::new())?;
        crate::seen::forget(tx, owner, mailbox, account)?;
        crate::metadata::forget_reader(tx, owner, mailbox, account)?;
    }
    Ok(())
}
