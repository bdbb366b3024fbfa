//! STORE: changing flags and keywords (RFC 9051 §6.4.6, RFC 7162 §3.1.3).

use crate::keys::{self, RowValue};
use crate::ledger::Ledger;
use crate::{Error, Store, Written, read, seen};
use engine::{AccountId, Tx};
use model::{Flag, FlagChange, FlagMode, FlagSet, MailboxId, ModSeq, Right, Rights, Uid, UidSet};
use std::sync::Arc;

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
    /// Messages (asked for and there) that somebody had changed before, unknown to the asker; see [`Known`].
    pub overtaken: UidSet,
}

/// What the asker knows of a mailbox: its state at `up_to`, and beyond that the outcome of its own changes.
#[derive(Clone, Debug)]
pub struct Known {
    /// State of the mailbox.
    pub up_to: ModSeq,
    /// Modification sequences of its own changes.
    pub own: Vec<ModSeq>,
}

impl From<ModSeq> for Known {
    fn from(up_to: ModSeq) -> Known {
        Known { up_to, own: Vec::new() }
    }
}

/// On whose behalf messages are changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Behalf {
    /// What he may do with the mailbox; flags that he may not change stay as they are.
    pub may: Rights,
    /// Whose own \Seen it is; None: that of the messages.
    pub seen: Option<AccountId>,
    /// Whose private annotations they are; None: the owner's.
    pub user: Option<AccountId>,
}

impl Behalf {
    /// The owner's, or the server's own.
    pub const OWNER: Behalf = Behalf { may: Rights::ALL, seen: None, user: None };

    /// Flags and keywords with which a message comes into the mailbox (RFC 4314 §4): what he may not set is left out,
    /// and his own \Seen is told apart.
    pub(crate) fn arriving(self, flags: FlagSet) -> (FlagSet, bool) {
        let flags = FlagSet(flags.0 & self.may.flags().0);
        match self.seen {
            Some(_) => (flags.without(Flag::Seen), flags.has(Flag::Seen)),
            None => (flags, false),
        }
    }

    pub(crate) fn may_set_keywords(self) -> bool {
        self.may.has(Right::Write)
    }
}

impl Stored {
    /// Before the first message: nothing was changed yet.
    pub(crate) fn begin(modseq: ModSeq, missing: UidSet) -> Stored {
        Stored { modseq, changed: UidSet::new(), modified: UidSet::new(), missing, overtaken: UidSet::new() }
    }

    /// Whether a message may be changed; notes why not, and that it was overtaken.
    pub(crate) fn admits(
        &mut self,
        uid: Uid,
        modseq: ModSeq,
        known: &Known,
        unchanged_since: Option<ModSeq>,
    ) -> bool {
        if modseq > known.up_to && !known.own.contains(&modseq) {
            self.overtaken.push(uid);
        }
        let admitted = unchanged_since.is_none_or(|limit| modseq <= limit);
        if !admitted {
            self.modified.push(uid);
        }
        admitted
    }
}

impl Store {
    /// Changes flags of messages, all in one commit. With `unchanged_since`, messages modified after it are left alone
    /// (RFC 7162 §3.1.3). `known` only fills [`Stored::overtaken`].
    ///
    /// # Errors
    /// [`Error::NoMailbox`]; [`Error::Limit`]: too many keywords.
    pub fn store_flags(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: Arc<UidSet>,
        change: FlagChange,
        unchanged_since: Option<ModSeq>,
        known: impl Into<Known>,
    ) -> Written<Stored> {
        self.store_flags_as(account, mailbox, uids, change, unchanged_since, known, Behalf::OWNER)
    }

    /// The same on somebody's behalf: what he may not change stays (RFC 4314 §4, STORE).
    ///
    /// # Errors
    /// As [`store_flags`](Self::store_flags).
    #[expect(clippy::too_many_arguments, reason = "a STORE has all of these")]
    pub fn store_flags_as(
        &self,
        account: AccountId,
        mailbox: MailboxId,
        uids: Arc<UidSet>,
        change: FlagChange,
        unchanged_since: Option<ModSeq>,
        known: impl Into<Known>,
        behalf: Behalf,
    ) -> Written<Stored> {
        let known = known.into();
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let slot = ledger.open(tx, mailbox)?;
            let (rows, missing) = read::decoded_rows(tx, account, mailbox, &uids)?;
            let mut seen = Seen::load(tx, account, mailbox, behalf.seen, &uids)?;
            // Where nothing is changed, the mailbox has no new keyword either.
            let admits = |row: &RowValue| unchanged_since.is_none_or(|limit| row.modseq <= limit);
            let keywords = match change.mode {
                _ if !behalf.may_set_keywords() || !rows.iter().any(|(_, row)| admits(row)) => Vec::new(),
                FlagMode::Remove => ledger.known(tx, slot, &change.keywords)?,
                FlagMode::Add | FlagMode::Replace => ledger.intern(tx, slot, &change.keywords)?,
            };
            let mut stored = Stored::begin(ledger.at(slot).value.highest_modseq, missing);
            let mut value = Vec::with_capacity(64);
            for (uid, mut row) in rows {
                if !stored.admits(uid, row.modseq, &known, unchanged_since) {
                    continue;
                }
                let before = row.flags;
                let marked = seen.apply(&change, behalf.may, uid);
                if !apply(&change, &keywords, behalf, &mut row) && !marked {
                    continue;
                }
                row.modseq = ledger.stamp();
                ledger.reflag(slot, uid, before, row.flags);
                row.encode(&mut value);
                tx.put(&keys::row(account, mailbox, uid), &value)?;
                stored.changed.push(uid);
            }
            if !stored.changed.is_empty() {
                stored.modseq = ledger.stamp();
            }
            seen.write(tx, account, mailbox)?;
            ledger.finish(tx, touched)?;
            Ok(stored)
        })
    }
}

/// \Seen of one user while a STORE runs.
struct Seen {
    user: Option<AccountId>,
    before: UidSet,
    add: UidSet,
    remove: UidSet,
}

impl Seen {
    fn load(
        tx: &dyn Tx,
        account: AccountId,
        mailbox: MailboxId,
        user: Option<AccountId>,
        uids: &UidSet,
    ) -> Result<Seen, Error> {
        let before = match (user, uids.first(), uids.last()) {
            (Some(user), Some(first), Some(last)) => seen::load(tx, account, mailbox, user, first, last)?,
            _ => UidSet::new(),
        };
        Ok(Seen { user, before, add: UidSet::new(), remove: UidSet::new() })
    }

    /// Answers whether the message is marked otherwise now.
    fn apply(&mut self, change: &FlagChange, may: Rights, uid: Uid) -> bool {
        if self.user.is_none() || !may.has(Right::Seen) {
            return false;
        }
        let before = self.before.contains(uid);
        let after = match change.mode {
            FlagMode::Add => before || change.flags.has(Flag::Seen),
            FlagMode::Remove => before && !change.flags.has(Flag::Seen),
            FlagMode::Replace => change.flags.has(Flag::Seen),
        };
        if before == after {
            return false;
        }
        if after {
            self.add.push(uid)
        } else {
            self.remove.push(uid)
        };
        true
    }

    fn write(&self, tx: &mut dyn Tx, account: AccountId, mailbox: MailboxId) -> Result<(), Error> {
        match self.user {
            Some(user) => seen::change(tx, account, mailbox, user, &self.add, &self.remove),
            None => Ok(()),
        }
    }
}

/// Changes a row; answers whether it is different now. `keywords` are the numbers of the given ones.
fn apply(change: &FlagChange, keywords: &[u16], behalf: Behalf, row: &mut RowValue) -> bool {
    let mut mask = behalf.may.flags();
    if behalf.seen.is_some() {
        mask = mask.without(Flag::Seen);
    }
    let given = change.flags.0 & mask.0;
    let flags = match change.mode {
        FlagMode::Add => FlagSet(row.flags.0 | given),
        FlagMode::Remove => FlagSet(row.flags.0 & !given),
        FlagMode::Replace => FlagSet(row.flags.0 & !mask.0 | given),
    };
    let has = |list: &[u16], number: &u16| list.binary_search(number).is_ok();
    let differs = match change.mode {
        FlagMode::Add => keywords.iter().any(|number| !has(&row.keywords, number)),
        FlagMode::Remove => keywords.iter().any(|number| has(&row.keywords, number)),
        FlagMode::Replace => keywords != row.keywords,
    } && behalf.may_set_keywords();
    if flags == row.flags && !differs {
        return false;
    }
    row.flags = flags;
    match change.mode {
        _ if !differs => {}
        FlagMode::Add => {
            row.keywords.extend(keywords);
            row.keywords.sort_unstable();
            row.keywords.dedup();
        }
        FlagMode::Remove => row.keywords.retain(|number| !has(keywords, number)),
        FlagMode::Replace => row.keywords = keywords.to_vec(),
    }
    true
}
