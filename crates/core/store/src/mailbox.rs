//! Mailboxes: list, counters, making, removing, renaming, subscriptions.

use crate::copy::{Arriving, relocate};
use crate::keys::{self, MailboxValue};
use crate::ledger::{Ledger, Slot};
use crate::{Error, Limit, ListEvent, Originals, Store, Target, Written, acl, annotation, metadata, read};
use engine::{AccountId, Order, Snapshot, Tx};
use model::{MailboxId, ModSeq, SpecialUse, Uid, UidSet, UidValidity, UnixTime};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use unicode_normalization::UnicodeNormalization;

/// Counters of a mailbox (RFC 9051 §6.3.11).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// MESSAGES
    pub messages: u32,
    /// RECENT: messages that no session has been told of (RFC 3501 §2.3.2).
    pub recent: u32,
    /// UNSEEN: messages without \Seen.
    pub unseen: u32,
    /// DELETED: messages with \Deleted.
    pub deleted: u32,
    /// UIDNEXT
    pub uid_next: Uid,
    /// UIDVALIDITY
    pub uid_validity: UidValidity,
    /// HIGHESTMODSEQ; at least 1.
    pub highest_modseq: ModSeq,
    /// SIZE: octets of all messages (RFC 8438).
    pub size: u64,
}

/// A mailbox, or a subscribed name without one.
#[derive(Clone, PartialEq, Debug)]
pub struct MailboxInfo {
    /// UTF-8, `/` between levels.
    pub name: String,
    /// None: there is only a subscription to that name.
    pub id: Option<MailboxId>,
    /// RFC 6154.
    pub special_use: Option<SpecialUse>,
    /// Whether the name is on the list of subscriptions.
    pub subscribed: bool,
    /// All zero when there is only a subscription.
    pub counters: Counters,
    /// When it was made.
    pub created: UnixTime,
}

/// Whose access control list a new mailbox begins with (RFC 4314 §4, CREATE).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inherit {
    /// Its nearest superior's; without one, nobody's.
    Superior,
    /// Without a superior, that of INBOX, as if all mailboxes lay below it: in an account that is shared as a whole.
    SuperiorOrInbox,
}

/// Longest name, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 1000;

/// Most levels of a name.
pub const LEVELS_MAX: usize = 32;

/// The form in which a name is stored and looked up: NFC, `INBOX` in capitals, as the first level too.
pub(crate) fn canonical(name: &str) -> String {
    let mut name: String = if name.is_ascii() { name.to_owned() } else { name.nfc().collect() };
    let first = name.find('/').unwrap_or(name.len());
    // RFC 9051 §5.1: INBOX in any case is one name.
    if name[..first].eq_ignore_ascii_case("INBOX") {
        name.replace_range(..first, "INBOX");
    }
    name
}

/// What is wrong with a mailbox name; None: it can be had.
pub fn name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("the mailbox name is empty");
    }
    if name.len() > NAME_BYTES_MAX {
        return Some("the mailbox name is too long");
    }
    if name.split('/').count() > LEVELS_MAX {
        return Some("the mailbox name has too many levels");
    }
    // U+2028 and U+2029 are line ends to some (RFC 5198 §2).
    if name.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Some("the mailbox name holds a control character");
    }
    // They could never be listed exactly (RFC 9051 §6.3.9).
    if name.contains(['*', '%']) {
        return Some("the mailbox name holds a wildcard");
    }
    if name.split('/').any(str::is_empty) {
        return Some("a level of the mailbox name is empty");
    }
    // Exports write folders of these names.
    if name.split('/').any(|level| level == "." || level == "..") {
        return Some("a level of the mailbox name is a dot or two");
    }
    None
}

fn checked(name: &str) -> Result<String, Error> {
    let name = canonical(name);
    name_problem(&name).map_or(Ok(name), |problem| Err(Error::BadName(problem)))
}

impl Store {
    /// All mailboxes of the account and all subscribed names, in the order of names.
    ///
    /// # Errors
    /// [`Error::NoAccount`]; a mailbox whose record is damaged is left out.
    pub fn mailboxes(&self, account: AccountId) -> Result<Vec<MailboxInfo>, Error> {
        let snapshot = self.engine.snapshot()?;
        read::account(&*snapshot, account)?;
        let mut list = BTreeMap::new();
        let range = keys::tag_range(account, b'u');
        snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, value| {
            if let (Some(id), Some(value)) = (keys::last_u32(key), MailboxValue::decode(value)) {
                list.insert(value.name.clone(), (MailboxId(id), value));
            }
            ControlFlow::Continue(())
        })?;
        let mut infos: BTreeMap<String, MailboxInfo> = list
            .into_iter()
            .map(|(name, (id, value))| (name, self.info(account, id, &value, false)))
            .collect();
        let range = keys::tag_range(account, b's');
        snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, _| {
            let Ok(name) = str::from_utf8(&key[5..]) else { return ControlFlow::Continue(()) };
            let absent = || MailboxInfo {
                name: name.to_owned(),
                id: None,
                special_use: None,
                subscribed: true,
                counters: Counters::default(),
                created: UnixTime(0),
            };
            infos.entry(name.to_owned()).or_insert_with(absent).subscribed = true;
            ControlFlow::Continue(())
        })?;
        Ok(infos.into_values().collect())
    }

    /// The mailbox of that name (`inbox` in any case is INBOX).
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn mailbox_by_name(&self, account: AccountId, name: &str) -> Result<MailboxInfo, Error> {
        let snapshot = self.engine.snapshot()?;
        let id = read::named(&*snapshot, account, &canonical(name))?.ok_or(Error::NoMailbox)?;
        self.mailbox_in(&*snapshot, account, id)
    }

    /// The mailbox of that id.
    ///
    /// # Errors
    /// [`Error::NoMailbox`].
    pub fn mailbox(&self, account: AccountId, mailbox: MailboxId) -> Result<MailboxInfo, Error> {
        self.mailbox_in(&*self.engine.snapshot()?, account, mailbox)
    }

    pub(crate) fn mailbox_in(
        &self,
        snapshot: &dyn Snapshot,
        account: AccountId,
        id: MailboxId,
    ) -> Result<MailboxInfo, Error> {
        let value = read::mailbox(snapshot, account, id)?;
        let subscribed = snapshot.get_with(&keys::subscription(account, &value.name), &mut |_| {})?;
        Ok(self.info(account, id, &value, subscribed))
    }

    fn info(&self, account: AccountId, id: MailboxId, value: &MailboxValue, subscribed: bool) -> MailboxInfo {
        MailboxInfo {
            name: value.name.clone(),
            id: Some(id),
            special_use: value.special_use,
            subscribed,
            counters: self.counters(account, id, value),
            created: value.created,
        }
    }

    /// Makes a mailbox and the superior names that are missing (RFC 9051 §6.3.4).
    ///
    /// # Errors
    /// [`Error::MailboxExists`], [`Error::BadName`], [`Error::UseTaken`], [`Error::Limit`].
    pub fn create_mailbox(
        &self,
        account: AccountId,
        name: &str,
        special_use: Option<SpecialUse>,
        now: UnixTime,
    ) -> Written<MailboxId> {
        self.create_mailbox_as(account, name, special_use, Inherit::Superior, now)
    }

    /// The same, with a say in where its access control list comes from.
    ///
    /// # Errors
    /// As [`create_mailbox`](Self::create_mailbox).
    pub fn create_mailbox_as(
        &self,
        account: AccountId,
        name: &str,
        special_use: Option<SpecialUse>,
        inherit: Inherit,
        now: UnixTime,
    ) -> Written<MailboxId> {
        let name = match checked(name) {
            Ok(name) => name,
            Err(error) => return self.ready(Err(error)),
        };
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            if read::named(tx, account, &name)?.is_some() {
                return Err(Error::MailboxExists);
            }
            if let Some(special_use) = special_use {
                match read::resolve(tx, account, &Target::Use(special_use)) {
                    Err(Error::NoMailbox) => {}
                    Ok(_) => return Err(Error::UseTaken),
                    Err(error) => return Err(error),
                }
            }
            let slot = create_with_superiors(tx, &mut ledger, &name, now, inherit)?;
            let open = ledger.at(slot);
            open.value.special_use = special_use;
            let id = open.id;
            ledger.finish(tx, touched)?;
            Ok(id)
        })
    }

    /// Removes a mailbox and its messages; inferior names and the subscription stay (RFC 9051 §6.3.5). The mailbox is
    /// gone when this resolves; its space is given back in further transactions behind it.
    ///
    /// # Errors
    /// [`Error::NoMailbox`]; [`Error::BadName`] for INBOX.
    pub fn delete_mailbox(&self, account: AccountId, name: &str) -> Written<()> {
        self.delete_mailbox_if(account, name, None)
    }

    /// The same, if that name still means the mailbox whose rights were looked up before.
    ///
    /// # Errors
    /// As [`delete_mailbox`](Self::delete_mailbox); [`Error::NoMailbox`] also when another has the name meanwhile.
    pub fn delete_mailbox_if(
        &self,
        account: AccountId,
        name: &str,
        expected: Option<MailboxId>,
    ) -> Written<()> {
        let name = canonical(name);
        let written = self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let id = read::named(tx, account, &name)?.ok_or(Error::NoMailbox)?;
            if expected.is_some_and(|expected| expected != id) {
                return Err(Error::NoMailbox);
            }
            if id == keys::INBOX {
                return Err(Error::BadName("INBOX can't be deleted"));
            }
            let slot = ledger.open(tx, id)?;
            ledger.forget(slot);
            // RFC 4314 §4: "The DELETE command MUST delete the ACL".
            acl::remove(tx, account, id, touched)?;
            metadata::forget(tx, &mut ledger, id)?;
            annotation::forget_mailbox(tx, &mut ledger, id)?;
            tx.put(&keys::doomed(account, id), &[keys::VERSION])?;
            tx.delete(&keys::name(account, &name))?;
            tx.delete(&keys::mailbox(account, id))?;
            ledger.finish(tx, touched)
        });
        self.purge_behind(account);
        written
    }

    /// Renames a mailbox with its inferior names and makes missing superiors (RFC 9051 §6.3.6). From INBOX: its messages
    /// move into a new mailbox. A `from` that only exists because it has inferiors is renamed too. Subscriptions stay.
    ///
    /// # Errors
    /// [`Error::NoMailbox`], [`Error::MailboxExists`], [`Error::BadName`], [`Error::Limit`].
    pub fn rename_mailbox(&self, account: AccountId, from: &str, to: &str, now: UnixTime) -> Written<()> {
        self.transact_rename(account, from, to, None, now)
    }

    /// The same, if `from` still means the mailbox whose rights were looked up before (None: only has inferiors).
    ///
    /// # Errors
    /// As [`rename_mailbox`](Self::rename_mailbox); [`Error::NoMailbox`] also when another has the name meanwhile.
    pub fn rename_mailbox_if(
        &self,
        account: AccountId,
        from: &str,
        expected: Option<MailboxId>,
        to: &str,
        now: UnixTime,
    ) -> Written<()> {
        self.transact_rename(account, from, to, Some(expected), now)
    }

    fn transact_rename(
        &self,
        account: AccountId,
        from: &str,
        to: &str,
        expected: Option<Option<MailboxId>>,
        now: UnixTime,
    ) -> Written<()> {
        let from = canonical(from);
        let to = match checked(to) {
            Ok(to) => to,
            Err(error) => return self.ready(Err(error)),
        };
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            if let Some(expected) = expected
                && read::named(tx, account, &from)? != expected
            {
                return Err(Error::NoMailbox);
            }
            if read::named(tx, account, &to)?.is_some() {
                return Err(Error::MailboxExists);
            }
            if from == "INBOX" {
                move_inbox(tx, &mut ledger, &to, now)?;
            } else {
                rename(tx, &mut ledger, &from, &to, now)?;
            }
            ledger.finish(tx, touched)
        })
    }

    /// Puts a name on the list of subscriptions or takes it off; there need not be such a mailbox.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::NoAccount`]; [`Error::Limit`] when there are too many.
    pub fn subscribe(&self, account: AccountId, name: &str, on: bool) -> Written<()> {
        let name = match checked(name) {
            Ok(name) => name,
            // What could not be subscribed is not subscribed.
            Err(_) if !on => return self.ready(Ok(())),
            Err(error) => return self.ready(Err(error)),
        };
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let key = keys::subscription(account, &name);
            if tx.get_with(&key, &mut |_| {})? == on {
                return Ok(());
            }
            if on {
                let mut count = 0;
                let range = keys::tag_range(account, b's');
                tx.scan(keys::between(&range), Order::Ascending, &mut |_, _| {
                    count += 1;
                    ControlFlow::Continue(())
                })?;
                if count >= SUBSCRIPTIONS_MAX {
                    return Err(Error::Limit(Limit::Mailboxes));
                }
                tx.put(&key, &[keys::VERSION])?;
            } else {
                tx.delete(&key)?;
            }
            ledger.listed.push(match on {
                true => ListEvent::Subscribed { name: name.clone() },
                false => ListEvent::Unsubscribed { name: name.clone() },
            });
            ledger.finish(tx, touched)
        })
    }
}

/// Most subscribed names of an account.
const SUBSCRIPTIONS_MAX: u32 = 2 * crate::ledger::MAILBOXES_MAX;

/// Makes a mailbox whose name is free, and the superior names that are missing before it.
fn create_with_superiors(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    name: &str,
    now: UnixTime,
    inherit: Inherit,
) -> Result<Slot, Error> {
    for (end, _) in name.match_indices('/') {
        let superior = &name[..end];
        if read::named(tx, ledger.id, superior)?.is_none() {
            create_one(tx, ledger, superior, now, inherit)?;
        }
    }
    create_one(tx, ledger, name, now, inherit)
}

fn create_one(
    tx: &mut dyn Tx,
    ledger: &mut Ledger,
    name: &str,
    now: UnixTime,
    inherit: Inherit,
) -> Result<Slot, Error> {
    let slot = ledger.new_mailbox(name.to_owned(), now)?;
    let id = ledger.at(slot).id;
    let root = (inherit == Inherit::SuperiorOrInbox).then_some(keys::INBOX);
    acl::inherit(tx, ledger.id, name, id, root)?;
    tx.put(&keys::name(ledger.id, name), &keys::encode_u32(id.0))?;
    Ok(slot)
}

/// RFC 9051 §6.3.6: "Renaming INBOX is permitted and does not result in a tagged BAD response": its messages move, its
/// inferiors stay.
fn move_inbox(tx: &mut dyn Tx, ledger: &mut Ledger, to: &str, now: UnixTime) -> Result<(), Error> {
    let target = create_with_superiors(tx, ledger, to, now, Inherit::Superior)?;
    let source = ledger.open(tx, keys::INBOX)?;
    let new = ledger.at(target).id;
    metadata::copy(tx, ledger, keys::INBOX, new)?;
    let mut all = UidSet::new();
    let range = keys::rows_range(ledger.id, keys::INBOX);
    tx.scan(keys::between(&range), Order::Ascending, &mut |key, _| {
        keys::last_u32(key).into_iter().for_each(|uid| all.push(Uid(uid)));
        ControlFlow::Continue(())
    })?;
    let (rows, _) = read::decoded_rows(tx, ledger.id, keys::INBOX, &all)?;
    relocate(tx, ledger, source, target, rows, Originals::Go, &Arriving::plain(), now)?;
    Ok(())
}

fn rename(tx: &mut dyn Tx, ledger: &mut Ledger, from: &str, to: &str, now: UnixTime) -> Result<(), Error> {
    let account = ledger.id;
    if to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
        return Err(Error::BadName("a mailbox can't be moved below itself"));
    }
    let moved = subtree(tx, account, from)?;
    if moved.is_empty() {
        return Err(Error::NoMailbox);
    }
    for (name, _) in &moved {
        let new_name = format!("{to}{}", &name[from.len()..]);
        if let Some(problem) = name_problem(&new_name) {
            return Err(Error::BadName(problem));
        }
        if read::named(tx, account, &new_name)?.is_some() {
            return Err(Error::MailboxExists);
        }
    }
    for (name, id) in moved {
        let new_name = format!("{to}{}", &name[from.len()..]);
        tx.delete(&keys::name(account, &name))?;
        tx.put(&keys::name(account, &new_name), &keys::encode_u32(id.0))?;
        let slot = ledger.open(tx, id)?;
        ledger.at(slot).value.name = new_name;
        ledger.rewritten.push(id);
    }
    ledger.listed.push(ListEvent::Renamed { from: from.to_owned(), to: to.to_owned() });
    for (end, _) in to.match_indices('/') {
        let superior = &to[..end];
        if read::named(tx, account, superior)?.is_none() {
            create_one(tx, ledger, superior, now, Inherit::Superior)?;
        }
    }
    Ok(())
}

/// The mailbox of that name, if there is one, and all below it.
fn subtree(tx: &dyn Tx, account: AccountId, name: &str) -> Result<Vec<(String, MailboxId)>, Error> {
    let mut found: Vec<(String, MailboxId)> =
        read::named(tx, account, name)?.map(|id| (name.to_owned(), id)).into_iter().collect();
    let (start, mut end) = (keys::name(account, &format!("{name}/")), keys::name(account, name));
    // The character behind the slash.
    end.push(b'/' + 1);
    let bounds = (Bound::Included(&*start), Bound::Excluded(&*end));
    tx.scan(bounds, Order::Ascending, &mut |key, value| {
        if let (Ok(name), Some(id)) = (str::from_utf8(&key[5..]), keys::decode_u32(value)) {
            found.push((name.to_owned(), MailboxId(id)));
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}
