//! Metadata entries of mailboxes and of the server (RFC 5464). They follow their mailbox when it is renamed, go with it,
//! and count towards the account's octets; but for those that are private to somebody else who uses the mailbox: these
//! have tighter bounds for each such user ([`READER_ENTRIES_MAX`]), so that nobody fills what is another's.
//!
//! Entries of the server that are private belong to the account; those that are shared belong to account 0, where they
//! have a change log of their own. `/private/specialuse` is not stored: it is the mailbox's special use (RFC 6154 §4).

use crate::feed::Touched;
use crate::keys;
use crate::ledger::Ledger;
use crate::read::corrupt;
use crate::{Error, Limit, ListEvent, Store, Target, Written, read};
use engine::{AccountId, Order, Read, Tx};
use model::{MailboxId, ModSeq, SpecialUse};
use std::ops::ControlFlow;

/// Whose the shared entries of the server are.
pub const SERVER: AccountId = AccountId(0);

/// Most octets of a value (RFC 5464 §4.1 wants 1024 at least).
pub const ENTRY_BYTES_MAX: usize = 64 * 1024;

/// Most octets of an entry's name.
pub const ENTRY_NAME_BYTES_MAX: usize = 512;

/// Most entries of a mailbox, or of the server in one account, that are shared, and as many that are private to the
/// owner (RFC 5464 §4.1 wants 10 at least).
pub const ENTRIES_MAX: usize = 256;

/// Most octets of all these entries together, names counted.
pub const ENTRIES_BYTES_MAX: u64 = 512 * 1024;

/// Most entries of a mailbox that are private to one user who is not its owner.
pub const READER_ENTRIES_MAX: usize = 64;

/// Most octets of these, names counted.
pub const READER_BYTES_MAX: u64 = 128 * 1024;

/// RFC 6154 §4
const SPECIAL_USE: &str = "/private/specialuse";

/// The changes of the server's shared entries that are kept.
const SERVER_CHANGES_KEPT: u64 = 2000;

/// A name in lower case, and its value; None removes it, or says that there is none.
pub type MetadataEntry = (String, Option<Vec<u8>>);

/// How far below the named entries (RFC 5464 §4.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// Only they.
    Zero,
    /// They and what is immediately below.
    One,
    /// All that is below.
    Infinity,
}

impl Depth {
    /// Whether `name` is `root`, or below it and near enough.
    fn reaches(self, root: &str, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(root) else { return false };
        match (self, rest.strip_prefix('/')) {
            (_, None) => rest.is_empty(),
            (Depth::Zero, Some(_)) => false,
            (Depth::One, Some(below)) => !below.contains('/'),
            (Depth::Infinity, Some(_)) => true,
        }
    }
}

/// Octets that an entry takes.
fn size(name: &str, value: &[u8]) -> u64 {
    (name.len() + value.len()) as u64
}

/// Octets that an entry counts for in the account where it is kept.
pub(crate) fn counted(keeper: AccountId, user: AccountId, name: &str, value: &[u8]) -> u64 {
    match keeper != SERVER && (user == keeper || user == SERVER) {
        true => size(name, value),
        false => 0,
    }
}

/// Most entries, and octets of them, that one user has in one place.
fn bounds(keeper: AccountId, user: AccountId) -> (usize, u64) {
    match user == keeper || user == SERVER {
        true => (ENTRIES_MAX, ENTRIES_BYTES_MAX),
        false => (READER_ENTRIES_MAX, READER_BYTES_MAX),
    }
}

/// Where an entry of that name is kept: account and user.
fn place(
    account: AccountId,
    mailbox: Option<MailboxId>,
    user: AccountId,
    name: &str,
) -> (AccountId, AccountId) {
    let shared = name.starts_with("/shared/");
    let account = if shared && mailbox.is_none() { SERVER } else { account };
    (account, if shared { SERVER } else { user })
}

impl Store {
    /// Sets or removes entries of a mailbox, or of the server (None), all or none, for `user` (whose the private ones
    /// are). Names are in lower case and well-formed (RFC 5464 §3.2).
    ///
    /// # Errors
    /// [`Error::NoMailbox`], [`Error::OverQuota`], [`Error::Limit`]; [`Error::UseTaken`] for a special use that can't
    /// be given.
    pub fn set_metadata(
        &self,
        account: AccountId,
        mailbox: Option<MailboxId>,
        user: AccountId,
        entries: Vec<MetadataEntry>,
    ) -> Written<()> {
        let of_server = mailbox.is_none() && entries.iter().any(|(name, _)| name.starts_with("/shared/"));
        let accounts: &[AccountId] = if of_server { &[SERVER, account] } else { &[account] };
        self.transact(accounts, move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let slot = mailbox.map(|id| ledger.open(tx, id)).transpose()?;
            let mut of_server = Vec::new();
            for (name, value) in &entries {
                if let (SPECIAL_USE, Some(slot), true) = (name.as_str(), slot, user == account) {
                    let id = ledger.at(slot).id;
                    set_special_use(tx, &mut ledger, id, value.as_deref())?;
                    continue;
                }
                let (keeper, user) = place(account, mailbox, user, name);
                let id = mailbox.unwrap_or(keys::LIST);
                if !put(tx, &mut ledger, (keeper, id, user), name, value.as_deref())? {
                    continue;
                }
                let event = ListEvent::Entry { mailbox: id, user, name: name.clone() };
                match keeper {
                    SERVER => of_server.push(event),
                    _ => ledger.listed.push(event),
                }
            }
            note_server_changes(tx, &of_server, touched)?;
            ledger.finish(tx, touched)
        })
    }

    /// Entries of a mailbox, or of the server (None), that are among `wanted` or so far below: each once, by name. A
    /// wanted name in which there is nothing is left out.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn metadata(
        &self,
        account: AccountId,
        mailbox: Option<MailboxId>,
        user: AccountId,
        wanted: &[String],
        depth: Depth,
    ) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let snapshot = self.engine.snapshot()?;
        let is_wanted = |name: &str| wanted.iter().any(|root| depth.reaches(root, name));
        let mut found = Vec::new();
        if let Some(id) = mailbox {
            let value = read::mailbox(&*snapshot, account, id)?;
            if let Some(special_use) = value.special_use.filter(|_| user == account && is_wanted(SPECIAL_USE))
            {
                found.push((SPECIAL_USE.to_owned(), special_use.attribute().as_bytes().to_vec()));
            }
        }
        let id = mailbox.unwrap_or(keys::LIST);
        let keepers = if mailbox.is_none() { &[account, SERVER][..] } else { &[account] };
        for keeper in keepers {
            let range = keys::entries_range(*keeper, id);
            snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
                if let (Some((_, whose, name)), Some(octets)) =
                    (keys::entry_of(key), keys::decode_entry(value))
                    && (whose == SERVER || whose == user)
                    && is_wanted(name)
                {
                    found.push((name.to_owned(), octets.to_vec()));
                }
                ControlFlow::Continue(())
            })?;
        }
        found.sort();
        Ok(found)
    }
}

/// Writes one entry; whether anything changed.
fn put(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    (keeper, mailbox, user): (AccountId, MailboxId, AccountId),
    name: &str,
    value: Option<&[u8]>,
) -> Result<bool, Error> {
    let key = keys::entry(keeper, mailbox, user, name);
    let mut before = None;
    let there = tx.get_with(&key, &mut |old| before = keys::decode_entry(old).map(<[u8]>::to_vec))?;
    if there && before.is_none() {
        return Err(corrupt(keeper, "metadata entry", name));
    }
    if before.as_deref() == value {
        return Ok(false);
    }
    let (old, freed) = match &before {
        Some(old) => (size(name, old), counted(keeper, user, name, old)),
        None => (0, 0),
    };
    if let Some(value) = value {
        let added = counted(keeper, user, name, value);
        let (count, bytes) = usage(tx, keeper, mailbox, user)?;
        let (count_max, bytes_max) = bounds(keeper, user);
        let is_too_much = count + usize::from(before.is_none()) > count_max
            || bytes + size(name, value) > bytes_max + old
            || value.len() > ENTRY_BYTES_MAX
            || name.len() > ENTRY_NAME_BYTES_MAX;
        if is_too_much {
            return Err(Error::Limit(Limit::Metadata));
        }
        if added > freed && !ledger.fits(0, added - freed) {
            return Err(Error::OverQuota);
        }
        tx.put(&key, &keys::encode_entry(value))?;
        ledger.account.bytes += added;
    } else {
        tx.delete(&key)?;
    }
    ledger.account.bytes = ledger.account.bytes.saturating_sub(freed);
    Ok(true)
}

/// How many entries of one user (or shared ones) there are, and their octets.
fn usage<R: Read + ?Sized>(
    from: &R,
    keeper: AccountId,
    mailbox: MailboxId,
    user: AccountId,
) -> Result<(usize, u64), Error> {
    let (mut count, mut bytes) = (0, 0);
    let range = keys::entries_range(keeper, mailbox);
    from.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
        if let (Some((_, whose, name)), Some(octets)) = (keys::entry_of(key), keys::decode_entry(value))
            && whose == user
        {
            count += 1;
            bytes += size(name, octets);
        }
        ControlFlow::Continue(())
    })?;
    Ok((count, bytes))
}

/// RFC 6154 §4, §5.4: the use goes over from the mailbox that had it.
fn set_special_use(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    id: MailboxId,
    value: Option<&[u8]>,
) -> Result<(), Error> {
    let wanted = match value.map(<[u8]>::trim_ascii) {
        None | Some(b"") => None,
        Some(text) => {
            let known = str::from_utf8(text).ok().and_then(SpecialUse::from_attribute);
            // A mailbox has one use here, and the inbox is never another thing.
            Some(known.filter(|_| id != keys::INBOX).ok_or(Error::UseTaken)?)
        }
    };
    let slot = ledger.open(tx, id)?;
    if ledger.at(slot).value.special_use == wanted {
        return Ok(());
    }
    if let Some(special_use) = wanted {
        match read::resolve(tx, ledger.id, &Target::Use(special_use)) {
            Ok(holder) => give_use(tx, ledger, holder, None)?,
            Err(Error::NoMailbox) => {}
            Err(error) => return Err(error),
        }
    }
    give_use(tx, ledger, id, wanted)
}

fn give_use(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    mailbox: MailboxId,
    special_use: Option<SpecialUse>,
) -> Result<(), Error> {
    let slot = ledger.open(tx, mailbox)?;
    ledger.at(slot).value.special_use = special_use;
    ledger.rewritten.push(mailbox);
    let user = ledger.id;
    ledger.listed.push(ListEvent::Entry { mailbox, user, name: SPECIAL_USE.to_owned() });
    Ok(())
}

/// The number of the last change of the server's shared entries.
pub(crate) fn server_state<R: Read + ?Sized>(from: &R) -> Result<u64, Error> {
    let key = keys::entry(SERVER, keys::LIST, SERVER, "");
    let damaged = || corrupt(SERVER, "number of metadata changes", "");
    let decode = |value: &[u8]| Some(u64::from_be_bytes(keys::decode_entry(value)?.try_into().ok()?));
    Ok(read::value(from, &key, decode, damaged)?.unwrap_or(0))
}

fn note_server_changes(tx: &mut dyn Tx, events: &[ListEvent], touched: &mut Touched) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let number = server_state(tx)? + 1;
    let counter = keys::entry(SERVER, keys::LIST, SERVER, "");
    tx.put(&counter, &keys::encode_entry(&number.to_be_bytes()))?;
    tx.put(&keys::change(SERVER, keys::LIST, ModSeq(number)), &keys::encode_listed(events))?;
    if let Some(old) = number.checked_sub(SERVER_CHANGES_KEPT) {
        tx.delete(&keys::change(SERVER, keys::LIST, ModSeq(old)))?;
    }
    touched.push((SERVER, keys::LIST));
    touched.server = Some(number);
    Ok(())
}

/// The entries of a mailbox that is being removed go with it (RFC 5464 §4.1).
pub(crate) fn forget(tx: &mut dyn Tx, ledger: &mut Ledger, mailbox: MailboxId) -> Result<(), Error> {
    let mut gone = Vec::new();
    let range = keys::entries_range(ledger.id, mailbox);
    tx.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
        let counted = match (keys::entry_of(key), keys::decode_entry(value)) {
            (Some((_, user, name)), Some(octets)) => counted(ledger.id, user, name, octets),
            _ => 0,
        };
        gone.push((key.to_vec(), counted));
        ControlFlow::Continue(())
    })?;
    for (key, counted) in gone {
        tx.delete(&key)?;
        ledger.account.bytes = ledger.account.bytes.saturating_sub(counted);
    }
    Ok(())
}

/// What was private to a user who is gone.
pub(crate) fn forget_reader(
    tx: &mut dyn Tx,
    account: AccountId,
    mailbox: MailboxId,
    user: AccountId,
) -> Result<(), Error> {
    let mut gone = Vec::new();
    let range = keys::entries_range(account, mailbox);
    tx.scan(keys::between(&range), Order::Ascending, &mut |key, _| {
        if keys::entry_of(key).is_some_and(|(_, whose, _)| whose == user) {
            gone.push(key.to_vec());
        }
        ControlFlow::Continue(())
    })?;
    gone.iter().try_for_each(|key| Ok(tx.delete(key)?))
}

/// RFC 5464 §4.1: when INBOX is renamed, its entries are on both.
pub(crate) fn copy(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    from: MailboxId,
    to: MailboxId,
) -> Result<(), Error> {
    let mut copies = Vec::new();
    let range = keys::entries_range(ledger.id, from);
    tx.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
        if let (Some((_, user, name)), Some(octets)) = (keys::entry_of(key), keys::decode_entry(value)) {
            let counted = counted(ledger.id, user, name, octets);
            copies.push((keys::entry(ledger.id, to, user, name), value.to_vec(), counted));
        }
        ControlFlow::Continue(())
    })?;
    for (key, value, counted) in copies {
        tx.put(&key, &value)?;
        ledger.account.bytes += counted;
    }
    Ok(())
}
