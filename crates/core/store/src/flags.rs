//! STORE: changing flags and keywords (RFC 9051 §6.4.6, RFC 7162 §3.1.3).

use crate::keys::{self, RowValue};
use crate::ledger::Ledger;
use crate::{Store, Written, read};
use engine::AccountId;
use model::{FlagChange, FlagMode, FlagSet, MailboxId, ModSeq, UidSet};
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
        known: impl Into<Known>,
    ) -> Written<Stored> {
        let known = known.into();
        self.transact(&[account], move |tx, touched| {
            let mut ledger = Ledger::load(tx, account)?;
            let slot = ledger.open(tx, mailbox)?;
            let (rows, missing) = read::decoded_rows(tx, account, mailbox, &uids)?;
            let keywords = match change.mode {
                _ if rows.is_empty() => Vec::new(),
                FlagMode::Remove => ledger.known(tx, slot, &change.keywords)?,
                FlagMode::Add | FlagMode::Replace => ledger.intern(tx, slot, &change.keywords)?,
            };
            let mut stored = Stored {
                modseq: ledger.at(slot).value.highest_modseq,
                changed: UidSet::new(),
                modified: UidSet::new(),
                missing,
                overtaken: UidSet::new(),
            };
            let mut value = Vec::with_capacity(64);
            for (uid, mut row) in rows {
                if row.modseq > known.up_to && !known.own.contains(&row.modseq) {
                    stored.overtaken.push(uid);
                }
                if unchanged_since.is_some_and(|limit| row.modseq > limit) {
                    stored.modified.push(uid);
                    continue;
                }
                let before = row.flags;
                if !apply(&change, &keywords, &mut row) {
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
            ledger.finish(tx, touched)?;
            Ok(stored)
        })
    }
}

/// Changes a row; answers whether it is different now. `keywords` are the numbers of the given ones.
fn apply(change: &FlagChange, keywords: &[u16], row: &mut RowValue) -> bool {
    let flags = match change.mode {
        FlagMode::Add => FlagSet(row.flags.0 | change.flags.0),
        FlagMode::Remove => FlagSet(row.flags.0 & !change.flags.0),
        FlagMode::Replace => change.flags,
    };
    let has = |list: &[u16], number: &u16| list.binary_search(number).is_ok();
    let differs = match change.mode {
        FlagMode::Add => keywords.iter().any(|number| !has(&row.keywords, number)),
        FlagMode::Remove => keywords.iter().any(|number| has(&row.keywords, number)),
        FlagMode::Replace => keywords != row.keywords,
    };
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
