//! The part of `troika store check` that belongs to sources.

use crate::note::Name;
use crate::record::{self, Counts, FolderRecord, Note, SourceRecord, Status};
use crate::{Collecting, SourceId, keys};
use engine::{AccountId, Error, Snapshot};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Problems told at most.
const PROBLEMS_MAX: usize = 1000;

impl Collecting {
    /// Recounts the notes of each source and looks whether sources, accounts, folders and notes belong together; all of
    /// one snapshot. `is_account` answers whether there is such an account. Answers a sentence for each thing that does
    /// not hold.
    ///
    /// # Errors
    /// Reading failed.
    pub fn check(&self, is_account: &dyn Fn(AccountId) -> bool) -> Result<Vec<String>, Error> {
        let snapshot = self.engine.snapshot()?;
        let mut problems = Vec::new();
        let mut sources = BTreeMap::new();
        record::scan(&*snapshot, &keys::all(b's'), None, &mut |key, value| {
            let record: SourceRecord = record::decode("a source", value)?;
            sources.insert(keys::source_in(key), AccountId(record.account));
            Ok(ControlFlow::Continue(()))
        })?;
        let last = last_number(&*snapshot)?;
        for (id, account) in &sources {
            if !is_account(*account) {
                problems.push(format!("source {} is of account {}, which is not there", id.0, account.0));
            }
            if !snapshot.get_with(&keys::owned(*account, *id), &mut |_| {})? {
                problems.push(format!("source {} is not listed with its account {}", id.0, account.0));
            }
            if record::load::<_, Status>(&*snapshot, &keys::of(b't', *id), "a source's status")?.is_none() {
                problems.push(format!("source {} has no status", id.0));
            }
            if id.0 > last {
                problems.push(format!("source {} is beyond the last number {last}", id.0));
            }
        }
        record::scan(&*snapshot, &keys::all(b'a'), None, &mut |key, _| {
            let id = SourceId(keys::last_u32(key));
            if !sources.contains_key(&id) {
                problems.push(format!("an account lists source {}, which is not there", id.0));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let mut removed = BTreeSet::new();
        record::scan(&*snapshot, &keys::all(b'x'), None, &mut |key, _| {
            removed.insert(keys::source_in(key));
            Ok(ControlFlow::Continue(()))
        })?;
        let known = |id: SourceId| sources.contains_key(&id) || removed.contains(&id);
        recount(&*snapshot, &sources, &known, &mut problems)?;
        problems.truncate(PROBLEMS_MAX);
        Ok(problems)
    }
}

fn recount(
    snapshot: &dyn Snapshot,
    sources: &BTreeMap<SourceId, AccountId>,
    known: &dyn Fn(SourceId) -> bool,
    problems: &mut Vec<String>,
) -> Result<(), Error> {
    let mut folders = BTreeSet::new();
    record::scan(snapshot, &keys::all(b'd'), None, &mut |key, value| {
        let _: FolderRecord = record::decode("a folder of a source", value)?;
        folders.insert((keys::source_in(key), keys::last_u32(key)));
        Ok(ControlFlow::Continue(()))
    })?;
    for (id, folder) in folders.iter().filter(|(id, _)| !known(*id)) {
        problems.push(format!("folder {folder} is of source {}, which is not there", id.0));
    }
    let mut counted: BTreeMap<SourceId, u64> = BTreeMap::new();
    record::scan(snapshot, &keys::all(b'm'), None, &mut |key, value| {
        let _: Note = record::decode("a note of a source", value)?;
        let id = keys::source_in(key);
        *counted.entry(id).or_default() += 1;
        let folder = keys::last_u32(key.get(..keys::NOTE_NAME_AT).unwrap_or_default());
        if known(id) && !folders.contains(&(id, folder)) && sources.contains_key(&id) {
            problems.push(format!("source {} has a note in folder {folder}, which is not there", id.0));
        }
        if key.get(keys::NOTE_NAME_AT..).and_then(Name::from_octets).is_none() {
            problems.push(format!("source {} has a note with a name that is none", id.0));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    for (id, many) in counted.iter().filter(|(id, _)| !known(**id)) {
        problems.push(format!("{many} notes are of source {}, which is not there", id.0));
    }
    for id in sources.keys() {
        let counts: Option<Counts> = record::load(snapshot, &keys::of(b'k', *id), "a source's counts")?;
        let many = counted.get(id).copied().unwrap_or(0);
        match counts {
            None => problems.push(format!("source {} has no counts", id.0)),
            Some(counts) if counts.notes != many => {
                problems.push(format!("source {} has {many} notes, not {}", id.0, counts.notes));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn last_number(snapshot: &dyn Snapshot) -> Result<u32, Error> {
    let mut last = 0;
    snapshot.get_with(&keys::LAST_SOURCE, &mut |bytes| last = keys::last_u32(bytes))?;
    Ok(last)
}
