//! One account inside a running transaction: its counters and those of the mailboxes that are touched, written back at
//! the end together with the change log.
//!
//! Invariants: a transaction takes at most one modification sequence per account, and only if it changes something;
//! counters are changed through this alone. Writes happen in the order of keys as far as that is cheap.

use crate::feed::Touched;
use crate::keys::{self, AccountValue, ChangeValue, MailboxValue, RowValue};
use crate::read::{self, corrupt};
use crate::{Error, Limit, ListEvent, Target};
use engine::{AccountId, Tx};
use model::{EmailId, Flag, Keyword, MailboxId, ModSeq, Uid, UidValidity, UnixTime};

/// Keywords that every mailbox knows from the beginning, so that FLAGS and PERMANENTFLAGS show them before anybody has set
/// them (RFC 5788 §3; RFC 8098 §3.2 for $MDNSent; RFC 8457 §3). Those of RFC 9979 become known when they are first set.
pub(crate) const REGISTERED: [&str; 6] =
    ["$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$Phishing", "$Important"];

/// Most keywords of a mailbox.
pub(crate) const KEYWORDS_MAX: usize = 512;

/// Most mailboxes of an account.
pub const MAILBOXES_MAX: u32 = 10_000;

/// A mailbox that the transaction looks at or changes.
pub(crate) struct OpenMailbox {
    pub(crate) id: MailboxId,
    pub(crate) value: MailboxValue,
    pub(crate) changes: ChangeValue,
    /// Loaded when needed.
    table: Option<Vec<Keyword>>,
    table_grew: bool,
    /// Being removed: nothing of it is written.
    gone: bool,
}

/// See the file's head.
pub(crate) struct Ledger {
    pub(crate) id: AccountId,
    pub(crate) account: AccountValue,
    /// Messages and octets when the transaction began.
    before: (u64, u64),
    open: Vec<OpenMailbox>,
    modseq: Option<ModSeq>,
    /// Mailboxes that came, went or were renamed, subscriptions, metadata.
    pub(crate) listed: Vec<ListEvent>,
    /// Mailboxes whose record changed otherwise than by their messages.
    pub(crate) rewritten: Vec<MailboxId>,
    limits_changed: bool,
}

/// Where a mailbox stands in its ledger.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(usize);

impl Ledger {
    /// The account's counters.
    pub(crate) fn load(tx: &dyn Tx, id: AccountId) -> Result<Ledger, Error> {
        let account = read::account(tx, id)?;
        Ok(Ledger::new(id, account))
    }

    pub(crate) fn new(id: AccountId, account: AccountValue) -> Ledger {
        Ledger {
            id,
            before: (account.messages, account.bytes),
            account,
            open: Vec::new(),
            modseq: None,
            listed: Vec::new(),
            rewritten: Vec::new(),
            limits_changed: false,
        }
    }

    pub(crate) fn at(&mut self, slot: Slot) -> &mut OpenMailbox {
        &mut self.open[slot.0]
    }

    /// Loads a mailbox, once.
    pub(crate) fn open(&mut self, tx: &dyn Tx, id: MailboxId) -> Result<Slot, Error> {
        if let Some(at) = self.open.iter().position(|open| open.id == id) {
            return Ok(Slot(at));
        }
        let value = read::mailbox(tx, self.id, id)?;
        Ok(self.push(id, value))
    }

    /// Takes in a mailbox whose record is known.
    pub(crate) fn push(&mut self, id: MailboxId, value: MailboxValue) -> Slot {
        self.open.push(OpenMailbox {
            id,
            value,
            changes: ChangeValue::default(),
            table: None,
            table_grew: false,
            gone: false,
        });
        Slot(self.open.len() - 1)
    }

    /// Loads the mailbox that a target names.
    pub(crate) fn open_target(&mut self, tx: &dyn Tx, target: &Target) -> Result<Slot, Error> {
        let id = read::resolve(tx, self.id, target)?;
        self.open(tx, id)
    }

    /// The modification sequence of this transaction.
    pub(crate) fn stamp(&mut self) -> ModSeq {
        let account = &mut self.account;
        *self.modseq.get_or_insert_with(|| {
            account.modseq += 1;
            ModSeq(account.modseq)
        })
    }

    /// Whether so much more fits into the quota. What the transaction has freed before may be taken up again, also above
    /// a quota that was lowered: only its net consumption counts (RFC 8508 §3.4), for messages and octets each.
    pub(crate) fn fits(&self, messages: u64, bytes: u64) -> bool {
        let account = &self.account;
        let (messages_before, bytes_before) = self.before;
        account.messages.saturating_add(messages) <= account.messages_max.max(messages_before)
            && account.bytes.saturating_add(bytes) <= account.bytes_max.max(bytes_before)
    }

    /// The same of what the transaction has come to so far.
    ///
    /// # Errors
    /// [`Error::OverQuota`].
    pub(crate) fn check_quota(&self) -> Result<(), Error> {
        if self.fits(0, 0) { Ok(()) } else { Err(Error::OverQuota) }
    }

    /// Takes an id for a new message.
    pub(crate) fn new_doc(&mut self) -> Result<EmailId, Error> {
        let doc = self.account.next_doc;
        self.account.next_doc = doc.checked_add(1).ok_or(Error::Limit(Limit::Messages))?;
        Ok(EmailId(doc))
    }

    /// Makes the record of a new mailbox; its name is the caller's to enter.
    pub(crate) fn new_mailbox(&mut self, name: String, now: UnixTime) -> Result<Slot, Error> {
        if self.account.mailboxes >= MAILBOXES_MAX {
            return Err(Error::Limit(Limit::Mailboxes));
        }
        let id = self.account.next_mailbox;
        let uid_validity = self.account.next_uid_validity;
        self.account.next_mailbox = id.checked_add(1).ok_or(Error::Limit(Limit::Mailboxes))?;
        self.account.next_uid_validity = uid_validity.checked_add(1).ok_or(Error::Limit(Limit::Mailboxes))?;
        self.account.mailboxes += 1;
        let modseq = self.stamp();
        self.listed.push(ListEvent::Created { mailbox: MailboxId(id), name: name.clone() });
        self.rewritten.push(MailboxId(id));
        let slot = self.push(
            MailboxId(id),
            MailboxValue {
                uid_validity: UidValidity(uid_validity),
                uid_next: Uid(1),
                messages: 0,
                unseen: 0,
                deleted: 0,
                recent: 0,
                recent_from: Uid(1),
                bytes: 0,
                highest_modseq: modseq,
                log_floor: modseq,
                special_use: None,
                keywords: 0,
                created: now,
                name,
            },
        );
        let mailbox = &mut self.open[slot.0];
        let table: Vec<Keyword> = REGISTERED.iter().filter_map(|word| Keyword::new(word).ok()).collect();
        mailbox.value.keywords = table.len() as u16;
        mailbox.table = Some(table);
        mailbox.table_grew = true;
        Ok(slot)
    }

    /// Takes the next UID of a mailbox and counts a new row with these flags and octets.
    pub(crate) fn arrive(&mut self, slot: Slot, flags: model::FlagSet, size: u32) -> Result<Uid, Error> {
        let mailbox = &mut self.open[slot.0];
        let uid = mailbox.value.uid_next;
        mailbox.value.uid_next = Uid(uid.0.checked_add(1).ok_or(Error::Limit(Limit::Uids))?);
        mailbox.changes.arrived.push(uid);
        let value = &mut mailbox.value;
        value.messages += 1;
        value.recent += 1;
        value.unseen += u32::from(!flags.has(Flag::Seen));
        value.deleted += u32::from(flags.has(Flag::Deleted));
        value.bytes += u64::from(size);
        self.account.messages += 1;
        self.account.bytes += u64::from(size);
        Ok(uid)
    }

    /// Counts a row that goes. Counters that were wrong before (damage) stop at zero.
    pub(crate) fn vanish(&mut self, slot: Slot, uid: Uid, row: &RowValue) {
        let mailbox = &mut self.open[slot.0];
        mailbox.changes.vanished.push(uid);
        let value = &mut mailbox.value;
        value.messages = value.messages.saturating_sub(1);
        value.recent = value.recent.saturating_sub(u32::from(uid >= value.recent_from));
        value.unseen = value.unseen.saturating_sub(u32::from(!row.flags.has(Flag::Seen)));
        value.deleted = value.deleted.saturating_sub(u32::from(row.flags.has(Flag::Deleted)));
        value.bytes = value.bytes.saturating_sub(u64::from(row.size));
        self.account.messages = self.account.messages.saturating_sub(1);
        self.account.bytes = self.account.bytes.saturating_sub(u64::from(row.size));
    }

    /// Counts a row whose flags change.
    pub(crate) fn reflag(&mut self, slot: Slot, uid: Uid, before: model::FlagSet, after: model::FlagSet) {
        let mailbox = &mut self.open[slot.0];
        mailbox.changes.flagged.push(uid);
        let value = &mut mailbox.value;
        let moved = |count: &mut u32, was: bool, is: bool| {
            *count = count.saturating_sub(u32::from(was)).saturating_add(u32::from(is));
        };
        moved(&mut value.unseen, !before.has(Flag::Seen), !after.has(Flag::Seen));
        moved(&mut value.deleted, before.has(Flag::Deleted), after.has(Flag::Deleted));
    }

    pub(crate) fn limits_changed(&mut self) {
        self.limits_changed = true;
    }

    /// The keyword table of a mailbox.
    pub(crate) fn table(&mut self, tx: &dyn Tx, slot: Slot) -> Result<&mut Vec<Keyword>, Error> {
        let account = self.id;
        let mailbox = &mut self.open[slot.0];
        if mailbox.table.is_none() {
            mailbox.table = Some(read::keywords(tx, account, mailbox.id, &mailbox.value)?);
        }
        Ok(mailbox.table.get_or_insert_default())
    }

    /// Numbers of keywords in a mailbox, ascending, without doubles; unknown ones become known.
    pub(crate) fn intern(&mut self, tx: &dyn Tx, slot: Slot, words: &[Keyword]) -> Result<Vec<u16>, Error> {
        self.intern_within(tx, slot, words, true)
    }

    /// The same, but words that have no number are left out.
    pub(crate) fn known(&mut self, tx: &dyn Tx, slot: Slot, words: &[Keyword]) -> Result<Vec<u16>, Error> {
        let table = if words.is_empty() { return Ok(Vec::new()) } else { self.table(tx, slot)? };
        let numbers = words.iter().filter_map(|word| table.iter().position(|known| known == word));
        Ok(sorted(numbers.map(|at| at as u16).collect()))
    }

    /// As [`intern`](Self::intern), but words beyond the limit are left out.
    pub(crate) fn intern_some(
        &mut self,
        tx: &dyn Tx,
        slot: Slot,
        words: &[Keyword],
    ) -> Result<Vec<u16>, Error> {
        self.intern_within(tx, slot, words, false)
    }

    fn intern_within(
        &mut self,
        tx: &dyn Tx,
        slot: Slot,
        words: &[Keyword],
        strict: bool,
    ) -> Result<Vec<u16>, Error> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let table = self.table(tx, slot)?;
        let before = table.len();
        let mut numbers = Vec::with_capacity(words.len());
        for word in words {
            let at = table.iter().position(|known| known == word).unwrap_or(table.len());
            if at == table.len() {
                if at >= KEYWORDS_MAX && strict {
                    return Err(Error::Limit(Limit::Keywords));
                }
                if at >= KEYWORDS_MAX {
                    continue;
                }
                table.push(word.clone());
            }
            numbers.push(at as u16);
        }
        let (grew, count) = (table.len() > before, table.len() as u16);
        let mailbox = &mut self.open[slot.0];
        mailbox.table_grew |= grew;
        mailbox.value.keywords = count;
        Ok(sorted(numbers))
    }

    /// Writes what changed and notes whom to tell.
    pub(crate) fn finish(mut self, tx: &mut dyn Tx, touched: &mut Touched) -> Result<(), Error> {
        let described = self.described();
        let changed =
            |open: &OpenMailbox| !open.changes.is_empty() || open.table_grew || described.contains(&open.id);
        if self.open.iter().any(changed) || !self.listed.is_empty() || !self.rewritten.is_empty() {
            self.stamp();
        }
        let Some(modseq) = self.modseq else {
            if self.limits_changed {
                tx.put(&keys::account(self.id), &self.account.encode())?;
            }
            return Ok(());
        };
        touched.stamps.push((self.id, modseq));
        for open in self.open.iter().filter(|open| !open.changes.is_empty()) {
            tx.put(&keys::change(self.id, open.id, modseq), &open.changes.encode())?;
        }
        if !self.listed.is_empty() {
            tx.put(&keys::change(self.id, keys::LIST, modseq), &keys::encode_listed(&self.listed))?;
            touched.push((self.id, keys::LIST));
        }
        for open in self.open.iter().filter(|open| open.table_grew) {
            let table = open.table.as_deref().unwrap_or_default();
            tx.put(&keys::keywords(self.id, open.id), &keys::encode_keywords(table))?;
        }
        tx.put(&keys::account(self.id), &self.account.encode())?;
        for open in &mut self.open {
            let is_changed = changed(open);
            if is_changed {
                open.value.highest_modseq = modseq;
            }
            if !is_changed && !self.rewritten.contains(&open.id) {
                continue;
            }
            touched.push((self.id, open.id));
            if !open.gone {
                tx.put(&keys::mailbox(self.id, open.id), &open.value.encode())?;
            }
        }
        Ok(())
    }

    /// Mailboxes of which a metadata entry was changed: that, too, raises HIGHESTMODSEQ (RFC 7162 §3.2).
    fn described(&self) -> Vec<MailboxId> {
        let entries = self.listed.iter().filter_map(|event| match event {
            ListEvent::Entry { mailbox, .. } => Some(*mailbox),
            _ => None,
        });
        entries.collect()
    }

    /// A mailbox that is being removed: nothing of it is written at the end, but those who watch it are told.
    pub(crate) fn forget(&mut self, slot: Slot) {
        let mailbox = &mut self.open[slot.0];
        mailbox.gone = true;
        mailbox.changes = ChangeValue::default();
        mailbox.table_grew = false;
        self.account.mailboxes = self.account.mailboxes.saturating_sub(1);
        self.account.messages = self.account.messages.saturating_sub(u64::from(mailbox.value.messages));
        self.account.bytes = self.account.bytes.saturating_sub(mailbox.value.bytes);
        let name = std::mem::take(&mut mailbox.value.name);
        self.rewritten.push(mailbox.id);
        self.listed.push(ListEvent::Deleted { mailbox: mailbox.id, name });
    }
}

fn sorted(mut numbers: Vec<u16>) -> Vec<u16> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Drops `count` rows' claims on each message; frees those that no row shows any more. Docs in ascending order.
pub(crate) fn release(tx: &mut dyn Tx, account: AccountId, docs: &[(EmailId, u32)]) -> Result<(), Error> {
    let mut gone = Vec::new();
    let mut counted = Vec::new();
    for (doc, count) in docs {
        let key = keys::references(account, *doc);
        let mut references = Some(1);
        let noted = tx.get_with(&key, &mut |value| references = keys::decode_u32(value))?;
        let references = references.ok_or_else(|| corrupt(account, "references of message", doc.0))?;
        match references.checked_sub(*count) {
            Some(left) if left > 0 => counted.push((key, Some(left).filter(|left| *left > 1))),
            _ => {
                gone.push(*doc);
                if noted {
                    counted.push((key, None));
                }
            }
        }
    }
    let mut hashes = Vec::new();
    for doc in gone {
        let key = keys::message(account, doc);
        let mut content = None;
        tx.get_with(&key, &mut |value| {
            let Some(message) = keys::MessageValue::decode(value) else { return };
            content = Some(message.content);
            hashes.extend(message.hashes().map(|hash| (hash, message.thread)));
        })?;
        tx.delete(&key)?;
        tx.delete(&keys::order(account, doc))?;
        // A message whose record is damaged frees nothing: the check tells of the content that is left over.
        if let Some(content) = content {
            tx.refer(content, -1)?;
        }
    }
    for (key, left) in counted {
        match left {
            Some(left) => tx.put(&key, &keys::encode_u32(left))?,
            None => tx.delete(&key)?,
        }
    }
    hashes.sort_unstable();
    crate::threads::forget(tx, account, &hashes)
}

/// Aggregates docs for [`release`].
pub(crate) fn counted(mut docs: Vec<EmailId>) -> Vec<(EmailId, u32)> {
    docs.sort_unstable();
    let mut counted: Vec<(EmailId, u32)> = Vec::with_capacity(docs.len());
    for doc in docs {
        match counted.last_mut() {
            Some((last, count)) if *last == doc => *count += 1,
            _ => counted.push((doc, 1)),
        }
    }
    counted
}
