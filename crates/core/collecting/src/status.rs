//! How sources do: what is kept of their last run, and what is known of those that run now.

use crate::pace::{self, Ended};
use crate::record::{self, Counts, RunCounts, Status, Trouble, TroubleKind, encode};
use crate::{Collecting, SourceId, keys};
use directory::Change;
use model::UnixTime;
use std::collections::HashMap;
use std::time::Duration;

/// Longest description of trouble that is kept.
const WORDS_BYTES_MAX: usize = 500;

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// What it did.
    pub counts: RunCounts,
    /// What went wrong.
    pub trouble: Option<(TroubleKind, String)>,
    /// Whether it stopped because its time was up.
    pub more: bool,
}

/// How far a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// When it began.
    pub since: UnixTime,
    /// Messages dealt with in this folder.
    pub done: u64,
    /// Messages to be dealt with there.
    pub of: u64,
    /// What it did so far.
    pub counts: RunCounts,
}

/// Runs under way in this process.
#[derive(Default, Debug)]
pub(crate) struct Running {
    now: HashMap<SourceId, Progress>,
    /// Runs that have ended since the start of the process, so that one can be waited for.
    ended: HashMap<SourceId, u64>,
}

impl Collecting {
    /// How a source does.
    ///
    /// # Errors
    /// Reading failed.
    pub fn status(&self, id: SourceId) -> Result<(Status, Counts), engine::Error> {
        let snapshot = self.engine.snapshot()?;
        let status = record::load(&*snapshot, &keys::of(b't', id), "a source's status")?;
        let counts = record::load(&*snapshot, &keys::of(b'k', id), "a source's counts")?;
        Ok((status.unwrap_or_default(), counts.unwrap_or_default()))
    }

    /// Notes how a run ended, and sets the time of the next one, which is answered; None: the source is gone.
    pub fn finish(
        &self,
        id: SourceId,
        ending: Ending,
        interval: Duration,
        now: UnixTime,
        random: u32,
    ) -> Change<Option<UnixTime>> {
        Change::run(&*self.engine, None, move |tx| {
            if !tx.get_with(&keys::of(b's', id), &mut |_| {})? {
                return Ok(None);
            }
            let key = keys::of(b't', id);
            let old: Status = record::load(tx, &key, "a source's status")?.unwrap_or_default();
            let status = after(old, &ending, interval, now, random);
            tx.put(&key, &encode(&status))?;
            Ok(Some(UnixTime(status.next_run)))
        })
    }

    /// Says that the source is due now; answers false when there is none.
    pub fn hurry(&self, id: SourceId, now: UnixTime) -> Change<bool> {
        Change::run(&*self.engine, None, move |tx| {
            if !tx.get_with(&keys::of(b's', id), &mut |_| {})? {
                return Ok(false);
            }
            let key = keys::of(b't', id);
            let mut status: Status = record::load(tx, &key, "a source's status")?.unwrap_or_default();
            status.next_run = now.0;
            tx.put(&key, &encode(&status))?;
            Ok(true)
        })
    }

    /// A run begins. Answers false when one is under way.
    pub fn begin(&self, id: SourceId, now: UnixTime) -> bool {
        let mut running = self.running.lock();
        if running.now.contains_key(&id) {
            return false;
        }
        let progress = Progress { since: now, done: 0, of: 0, counts: RunCounts::default() };
        running.now.insert(id, progress);
        true
    }

    /// Tells how far a run is.
    pub fn tell(&self, id: SourceId, done: u64, of: u64, counts: RunCounts) {
        if let Some(progress) = self.running.lock().now.get_mut(&id) {
            (progress.done, progress.of, progress.counts) = (done, of, counts);
        }
    }

    /// A run has ended and was noted.
    pub fn end(&self, id: SourceId) {
        let mut running = self.running.lock();
        running.now.remove(&id);
        *running.ended.entry(id).or_default() += 1;
    }

    /// How far a run is, if there is one, and how many have ended in this process.
    pub fn progress(&self, id: SourceId) -> (Option<Progress>, u64) {
        let running = self.running.lock();
        (running.now.get(&id).copied(), running.ended.get(&id).copied().unwrap_or(0))
    }
}

/// The status after a run.
fn after(old: Status, ending: &Ending, interval: Duration, now: UnixTime, random: u32) -> Status {
    let mut status = Status {
        last_run: Some(now.0),
        last: ending.counts,
        last_success: old.last_success,
        ..Status::default()
    };
    let ended = match &ending.trouble {
        None => {
            status.last_success = Some(now.0);
            if ending.more { Ended::More } else { Ended::Well }
        }
        // Our own stop is nothing that is wrong with the source, and nothing that was is mended by it.
        Some((TroubleKind::Stopped, _)) => {
            (status.failures, status.trouble) = (old.failures, old.trouble);
            Ended::Trouble(TroubleKind::Stopped, status.failures)
        }
        Some((kind, words)) => {
            status.failures = old.failures.saturating_add(1);
            let since = match &old.trouble {
                Some(trouble) if trouble.kind == *kind => trouble.since,
                _ => now.0,
            };
            status.trouble = Some(Trouble { kind: *kind, words: shortened(words), since });
            // Something was collected after all: the source is alive, and the rest is not made to wait ever longer.
            let counted = if ending.counts.collected > 0 { 1 } else { status.failures };
            Ended::Trouble(*kind, counted)
        }
    };
    status.next_run = pace::next(interval, ended, now, random).0;
    status
}

/// Words of another server in one line, without control characters.
fn shortened(words: &str) -> String {
    let mut line: String = words.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    if line.len() > WORDS_BYTES_MAX {
        let mut end = WORDS_BYTES_MAX;
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        line.truncate(end);
    }
    line
}
