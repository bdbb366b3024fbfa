//! `troika store check`: recounts everything.

mod annotations;
mod sharing;

use crate::keys::{self, AccountValue, ChangeValue, Key, MailboxValue, MessageValue, RowValue, ThreadValue};
use crate::order::OrderValue;
use crate::{Error, Store, read};
use engine::{AccountId, Order, Progress, Snapshot};
use model::{EmailId, Flag, MailboxId, ThreadId, Uid, UidSet};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

/// Something that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub account: AccountId,
    /// One sentence for the operator.
    pub text: String,
}

impl Store {
    /// Walks the entries of every account, by page, and recounts every counter: messages, unseen, deleted and octets of
    /// mailboxes, quota use, references to messages, names in both directions, UIDs and modification sequences against
    /// their counters; every content must be there with its length. (The engine's own check verifies checksums;
    /// [`claims`](Self::claims) serve to compare the counts of references.) `progress` gets the number of the account it has come to and the highest there is. An
    /// account that changes meanwhile is looked at from one snapshot, so nothing is reported that is merely new.
    ///
    /// # Errors
    /// Reading failed; damaged records are problems, not errors.
    pub fn check(&self, progress: Progress<'_>) -> Result<Vec<Problem>, Error> {
        let last = self.last_account()?;
        let mut problems = Vec::new();
        let mut after = AccountId(0);
        while let Some(account) = self.account_after(after)? {
            progress(u64::from(account.0), u64::from(last.0.max(account.0)));
            let snapshot = self.engine.snapshot()?;
            let mut recount = Recount::new(account, &*snapshot);
            recount.run()?;
            problems.extend(recount.problems.into_iter().map(|text| Problem { account, text }));
            after = account;
        }
        let snapshot = self.engine.snapshot()?;
        let mut names = Recount::new(AccountId(0), &*snapshot);
        names.shared_by_name()?;
        problems.extend(names.problems.into_iter().map(|text| Problem { account: AccountId(0), text }));
        Ok(problems)
    }

    /// Counts which content the messages of all accounts refer to, for [`engine::Claims::compare`] on the same snapshot.
    ///
    /// # Errors
    /// Reading failed. The content of a message whose record is damaged is not counted; [`check`](Self::check) tells of
    /// that record.
    pub fn claims(snapshot: &dyn Snapshot, claims: &mut engine::Claims) -> Result<(), Error> {
        let mut next = AccountId(1);
        loop {
            let mut found = None;
            let (start, _) = keys::account_range(next);
            let rest = (Bound::Included(&*start), Bound::Unbounded);
            snapshot.scan(rest, Order::Ascending, &mut |key, _| {
                found = keys::account_of(key);
                ControlFlow::Break(())
            })?;
            let Some(account) = found else { return Ok(()) };
            let messages = keys::tag_range(account, b'm');
            snapshot.scan(keys::between(&messages), Order::Ascending, &mut |_, value| {
                if let Some(message) = MessageValue::decode(value) {
                    claims.add(message.content);
                }
                ControlFlow::Continue(())
            })?;
            match account.0.checked_add(1) {
                Some(after) => next = AccountId(after),
                None => return Ok(()),
            }
        }
    }

    fn last_account(&self) -> Result<AccountId, Error> {
        let mut last = AccountId(0);
        let all = (Bound::Unbounded, Bound::Unbounded);
        self.engine.snapshot()?.scan(all, Order::Descending, &mut |key, _| {
            last = keys::account_of(key).unwrap_or(last);
            ControlFlow::Break(())
        })?;
        Ok(last)
    }
}

/// What rows say of a message.
#[derive(Clone, Copy)]
struct Shown {
    rows: u32,
    thread: ThreadId,
}

struct Recount<'a> {
    account: AccountId,
    snapshot: &'a dyn Snapshot,
    problems: Vec<String>,
    mailboxes: BTreeMap<MailboxId, MailboxValue>,
    doomed: Vec<MailboxId>,
    shown: FxHashMap<EmailId, Shown>,
    /// How many messages name an identifier within a thread.
    named: FxHashMap<(u64, ThreadId), u32>,
    messages: u64,
    bytes: u64,
}

/// Problems told of one account; a store so damaged needs no longer list.
const PROBLEMS_MAX: usize = 1000;

type Visit<'v> = &'v mut dyn FnMut(&mut Vec<String>, &[u8], &[u8]);

impl<'a> Recount<'a> {
    fn new(account: AccountId, snapshot: &'a dyn Snapshot) -> Recount<'a> {
        Recount {
            account,
            snapshot,
            problems: Vec::new(),
            mailboxes: BTreeMap::new(),
            doomed: Vec::new(),
            shown: FxHashMap::default(),
            named: FxHashMap::default(),
            messages: 0,
            bytes: 0,
        }
    }

    fn scan(&mut self, range: &(Key, Key), visit: Visit<'_>) -> Result<(), Error> {
        let problems = &mut self.problems;
        self.snapshot.scan(keys::between(range), Order::Ascending, &mut |key, value| {
            visit(problems, key, value);
            if problems.len() < PROBLEMS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(())
    }

    fn run(&mut self) -> Result<(), Error> {
        let mut doomed = Vec::new();
        self.scan(&keys::tag_range(self.account, b'd'), &mut |_, key, _| {
            doomed.extend(keys::last_u32(key).map(MailboxId));
        })?;
        self.doomed = doomed;
        let account = match read::account(self.snapshot, self.account) {
            Ok(account) => Some(account),
            // A removed account that is not purged yet has no record.
            Err(Error::NoAccount) if self.doomed.contains(&keys::LIST) => None,
            Err(error @ Error::Engine(engine::Error::Corrupt { .. })) => {
                self.problems.push(error.to_string());
                None
            }
            Err(Error::NoAccount) => {
                self.problems.push("there are entries, but there is no account".into());
                None
            }
            Err(error) => return Err(error),
        };
        self.names()?;
        for (id, value) in std::mem::take(&mut self.mailboxes) {
            self.mailbox(id, &value, account.as_ref())?;
            self.mailboxes.insert(id, value);
        }
        self.sharing()?;
        self.access_keys()?;
        self.stray_rows()?;
        self.entries()?;
        self.annotations()?;
        self.messages(account.as_ref())?;
        self.references()?;
        self.threads()?;
        self.orders()?;
        if let Some(account) = account {
            self.problems.extend(crate::search::check(self.snapshot, self.account, account.next_doc)?);
            let mailboxes = u64::try_from(self.mailboxes.len()).unwrap_or(u64::MAX);
            self.compare("messages of the account", account.messages, self.messages);
            self.compare("octets of the account", account.bytes, self.bytes);
            self.compare("mailboxes of the account", u64::from(account.mailboxes), mailboxes);
        }
        Ok(())
    }

    fn compare(&mut self, what: &str, counter: u64, counted: u64) {
        if counter != counted {
            self.problems.push(format!("{what}: the counter says {counter}, there are {counted}"));
        }
    }

    /// Names and mailboxes, in both directions.
    fn names(&mut self) -> Result<(), Error> {
        let mut mailboxes = BTreeMap::new();
        self.scan(&keys::tag_range(self.account, b'u'), &mut |problems, key, value| match (
            keys::last_u32(key).map(MailboxId),
            MailboxValue::decode(value),
        ) {
            (Some(id), Some(value)) => drop(mailboxes.insert(id, value)),
            (id, _) => problems.push(format!("the record of mailbox {} is damaged", id.unwrap_or_default())),
        })?;
        let mut named = 0;
        self.scan(&keys::tag_range(self.account, b'n'), &mut |problems, key, value| {
            let name = String::from_utf8_lossy(&key[5..]);
            named += 1;
            match keys::decode_u32(value).and_then(|id| mailboxes.get(&MailboxId(id))) {
                Some(mailbox) if mailbox.name == name => {}
                Some(mailbox) => problems.push(format!("name {name:?} leads to mailbox {:?}", mailbox.name)),
                None => problems.push(format!("name {name:?} leads nowhere")),
            }
        })?;
        self.mailboxes = mailboxes;
        self.compare("names of mailboxes", self.mailboxes.len() as u64, named);
        Ok(())
    }

    fn mailbox(
        &mut self,
        id: MailboxId,
        value: &MailboxValue,
        account: Option<&AccountValue>,
    ) -> Result<(), Error> {
        let name = &value.name;
        let mut counted =
            MailboxValue { messages: 0, unseen: 0, deleted: 0, recent: 0, bytes: 0, ..value.clone() };
        let mut shown = std::mem::take(&mut self.shown);
        let mut uids = UidSet::new();
        self.scan(&keys::rows_range(self.account, id), &mut |problems, key, row| {
            let Some(uid) = keys::last_u32(key).map(Uid) else { return };
            uids.push(uid);
            let Some(row) = RowValue::decode(row) else {
                problems.push(format!("the row of message {uid} of mailbox {name:?} is damaged"));
                return;
            };
            note(&mut shown, problems, &row);
            counted.messages += 1;
            counted.unseen += u32::from(!row.flags.has(Flag::Seen));
            counted.deleted += u32::from(row.flags.has(Flag::Deleted));
            counted.recent += u32::from(uid >= value.recent_from);
            counted.bytes += u64::from(row.size);
            if uid >= value.uid_next {
                problems.push(format!("message {uid} of mailbox {name:?} is not below UIDNEXT"));
            }
            if row.modseq > value.highest_modseq {
                problems.push(format!("message {uid} of mailbox {name:?} is above HIGHESTMODSEQ"));
            }
            if row.keywords.iter().any(|number| *number >= value.keywords) {
                problems.push(format!("message {uid} of mailbox {name:?} has a keyword without a name"));
            }
        })?;
        self.shown = shown;
        let counts =
            |value: &MailboxValue| [value.messages, value.unseen, value.deleted, value.recent].map(u64::from);
        for (at, what) in
            ["messages", "unseen messages", "deleted messages", "recent messages"].iter().enumerate()
        {
            self.compare(&format!("{what} of mailbox {name:?}"), counts(value)[at], counts(&counted)[at]);
        }
        self.compare(&format!("octets of mailbox {name:?}"), value.bytes, counted.bytes);
        self.messages += u64::from(counted.messages);
        self.bytes += counted.bytes;
        if account.is_some_and(|account| value.highest_modseq.0 > account.modseq) {
            self.problems.push(format!("HIGHESTMODSEQ of mailbox {name:?} is above the account's counter"));
        }
        if account.is_some_and(|account| value.uid_validity.0 >= account.next_uid_validity) {
            self.problems.push(format!("UIDVALIDITY of mailbox {name:?} is not below the account's counter"));
        }
        if let Err(error) = read::keywords(self.snapshot, self.account, id, value) {
            self.problems.push(error.to_string());
        }
        self.changes(id, value)?;
        let rebuilt = crate::view::rebuilt(self.snapshot, self.account, id, value);
        match rebuilt {
            Ok(Some(view)) if view != uids => {
                self.problems
                    .push(format!("the saved view of mailbox {name:?} does not lead to its messages"));
            }
            Ok(_) => {}
            Err(error) => self.problems.push(error.to_string()),
        }
        Ok(())
    }

    fn changes(&mut self, id: MailboxId, value: &MailboxValue) -> Result<(), Error> {
        let name = &value.name;
        self.scan(&keys::changes_range(self.account, id), &mut |problems, key, entry| {
            let modseq = keys::last_u64(key).unwrap_or_default();
            if modseq > value.highest_modseq.0 {
                problems.push(format!("change {modseq} of mailbox {name:?} is above HIGHESTMODSEQ"));
            }
            if ChangeValue::visit(entry, &mut |_, _, _| {}).is_none() {
                problems.push(format!("change {modseq} of mailbox {name:?} is damaged"));
            }
        })
    }

    /// Access keys of mailboxes that there are.
    fn access_keys(&mut self) -> Result<(), Error> {
        let mut keys = Vec::new();
        self.scan(&keys::tag_range(self.account, b'y'), &mut |problems, key, value| {
            keys.extend(keys::last_u32(key).map(MailboxId));
            if keys::decode_access_key(value).is_none() {
                problems.push(format!("an access key is damaged ({} octets)", value.len()));
            }
        })?;
        for id in keys {
            if !self.mailboxes.contains_key(&id)
                && !self.doomed.contains(&id)
                && !self.doomed.contains(&keys::LIST)
            {
                self.problems.push(format!("there is an access key of mailbox {id}, which is not there"));
            }
        }
        Ok(())
    }

    /// Rows of mailboxes that are gone: only those that wait for the purge.
    fn stray_rows(&mut self) -> Result<(), Error> {
        let mut shown = std::mem::take(&mut self.shown);
        let (mailboxes, doomed) = (std::mem::take(&mut self.mailboxes), std::mem::take(&mut self.doomed));
        self.scan(&keys::tag_range(self.account, b'i'), &mut |problems, key, row| {
            let mailbox = keys::row_mailbox(key).unwrap_or_default();
            if mailboxes.contains_key(&mailbox) {
                return;
            }
            if !doomed.contains(&mailbox) && !doomed.contains(&keys::LIST) {
                problems.push(format!("there is a row of mailbox {mailbox}, which does not exist"));
            }
            RowValue::decode(row).iter().for_each(|row| note(&mut shown, problems, row));
        })?;
        (self.shown, self.mailboxes, self.doomed) = (shown, mailboxes, doomed);
        Ok(())
    }

    /// Metadata entries count towards the account's octets.
    fn entries(&mut self) -> Result<(), Error> {
        let mailboxes = std::mem::take(&mut self.mailboxes);
        let (mut bytes, purging) = (0, self.doomed.contains(&keys::LIST));
        let account = self.account;
        self.scan(&keys::tag_range(self.account, b'e'), &mut |problems, key, value| match (
            keys::entry_of(key),
            keys::decode_entry(value),
        ) {
            (Some((mailbox, user, name)), Some(octets)) => {
                bytes += crate::metadata::counted(account, user, name, octets);
                if mailbox != keys::LIST && !mailboxes.contains_key(&mailbox) && !purging {
                    problems.push(format!("there is an entry of mailbox {mailbox}, which does not exist"));
                }
            }
            _ => problems.push("a metadata entry is damaged".into()),
        })?;
        self.mailboxes = mailboxes;
        self.bytes += bytes;
        self.scan(&keys::changes_range(self.account, keys::LIST), &mut |problems, key, value| {
            if keys::decode_listed(value).is_none() {
                let modseq = keys::last_u64(key).unwrap_or_default();
                problems.push(format!("change {modseq} of the list of mailboxes is damaged"));
            }
        })
    }

    fn messages(&mut self, account: Option<&AccountValue>) -> Result<(), Error> {
        let mut unseen: FxHashMap<EmailId, Shown> = self.shown.clone();
        let mut named = std::mem::take(&mut self.named);
        let snapshot = self.snapshot;
        self.scan(&keys::tag_range(self.account, b'm'), &mut |problems, key, value| {
            let doc = EmailId(keys::last_u32(key).unwrap_or_default());
            let Some(message) = MessageValue::decode(value) else {
                unseen.remove(&doc);
                problems.push(format!("the record of message {doc} is damaged"));
                return;
            };
            for hash in message.hashes() {
                *named.entry((hash, message.thread)).or_default() += 1;
            }
            match unseen.remove(&doc) {
                None => problems.push(format!("message {doc} stands in no mailbox")),
                Some(shown) if shown.thread != message.thread => {
                    problems.push(format!("message {doc} has another THREADID in a mailbox"));
                }
                Some(_) => {}
            }
            if account.is_some_and(|account| doc.0 >= account.next_doc) {
                problems.push(format!("message {doc} is not below the account's counter"));
            }
            match snapshot.content_len(message.content) {
                Ok(Some(length)) if length == u64::from(message.size) => {}
                Ok(Some(_)) => problems.push(format!("the content of message {doc} has another length")),
                Ok(None) => problems.push(format!("the content of message {doc} is missing")),
                Err(error) => problems.push(format!("the content of message {doc}: {error}")),
            }
        })?;
        self.named = named;
        self.problems.extend(unseen.keys().map(|doc| format!("message {doc} has no record, yet a row")));
        Ok(())
    }

    fn references(&mut self) -> Result<(), Error> {
        let mut several: FxHashMap<EmailId, u32> = self
            .shown
            .iter()
            .filter(|(_, shown)| shown.rows > 1)
            .map(|(doc, shown)| (*doc, shown.rows))
            .collect();
        self.scan(&keys::tag_range(self.account, b'r'), &mut |problems, key, value| {
            let doc = EmailId(keys::last_u32(key).unwrap_or_default());
            let rows = several.remove(&doc);
            if keys::decode_u32(value).is_none() || keys::decode_u32(value) != rows {
                problems.push(format!("message {doc} has a wrong count of references"));
            }
        })?;
        self.problems
            .extend(several.keys().map(|doc| format!("message {doc} lacks its count of references")));
        Ok(())
    }

    /// A record for sorting may be missing, but none may be left over.
    fn orders(&mut self) -> Result<(), Error> {
        let (snapshot, account) = (self.snapshot, self.account);
        let purging = self.doomed.contains(&keys::LIST);
        self.scan(&keys::tag_range(self.account, b'o'), &mut |problems, key, value| {
            let doc = EmailId(keys::last_u32(key).unwrap_or_default());
            if OrderValue::decode(value).is_none() {
                problems.push(format!("the record for sorting message {doc} is damaged"));
            }
            let there = snapshot.get_with(&keys::message(account, doc), &mut |_| {});
            if matches!(there, Ok(false)) && !purging {
                problems.push(format!("there is a record for sorting message {doc}, which does not exist"));
            }
        })
    }

    fn threads(&mut self) -> Result<(), Error> {
        let named = std::mem::take(&mut self.named);
        let purging = self.doomed.contains(&keys::LIST);
        self.scan(&keys::tag_range(self.account, b't'), &mut |problems, key, value| {
            let hash = keys::last_u64(key).unwrap_or_default();
            let Some(entry) = ThreadValue::decode(value) else {
                problems.push(format!("thread entry {hash:016x} is damaged"));
                return;
            };
            let counted = named.get(&(hash, entry.thread)).copied().unwrap_or(0);
            if counted != entry.messages && !purging {
                problems.push(format!(
                    "thread entry {hash:016x}: the counter says {}, there are {counted}",
                    entry.messages
                ));
            }
        })
    }
}

fn note(shown: &mut FxHashMap<EmailId, Shown>, problems: &mut Vec<String>, row: &RowValue) {
    let entry = shown.entry(row.doc).or_insert(Shown { rows: 0, thread: row.thread });
    entry.rows += 1;
    if entry.thread != row.thread {
        problems.push(format!("message {} has several THREADIDs", row.doc));
    }
}
