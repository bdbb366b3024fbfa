//! Giving back what the index file holds beyond its entries: redb's file grows with the most that it ever held at once,
//! and does not shrink by itself.
//!
//! A new file is made beside the old one while deliveries go on: first from a snapshot, then from the log, where the
//! snapshot ends, as a restart would do. The last records are taken in between two groups, and the new file gets the
//! old one's name, but only if its state equals the committer's in every figure. Who holds a snapshot of the old file
//! reads on in it. A crash before the change of names leaves the old file, and one after it the new one, whose
//! checkpoint is durable by then.

use super::committer::Committer;
use super::compact::{Effort, Reach};
use super::index::{Delta, Index, Position, State, Tables, View, trouble};
use super::open::{INDEX_NAME, NEW_INDEX_NAME};
use super::shared::Shared;
use crate::disk::remove_if_there;
use crate::{Error, Order, Read};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// The file may hold four times the living keys and values, and this much beyond.
const SLACK_BYTES: u64 = 64 << 20;
/// The same when an operator asks for compaction.
const SLACK_NOW_BYTES: u64 = 2 << 20;
/// Copied in one commit of the new index.
const BATCH_BYTES: usize = 16 << 20;
/// Log bytes that may be left to the end, which holds up deliveries.
const REST_BYTES: u64 = 1 << 20;
/// Times that the new file catches up before the rest is taken in, however much it is.
const CATCH_UPS_MAX: usize = 8;

/// Whether the index file is worth making anew. Its size after the last time is the floor: it may need more than is
/// reckoned here.
fn is_bloated(committer: &Committer, effort: Effort) -> bool {
    let Some(index) = &committer.index else { return false };
    let options = &committer.shared.options;
    let slack = match effort {
        Effort::Background => SLACK_BYTES.min(16 * options.segment_bytes),
        Effort::Now => SLACK_NOW_BYTES.min(2 * options.segment_bytes),
    };
    let needed = 4 * committer.state.live_kv + slack;
    let free = committer.shared.disk.free_bytes(&committer.shared.dir).unwrap_or(0);
    index.file_bytes() > needed.max(2 * committer.index_floor) && free > needed + options.reserve_bytes
}

/// Makes the index file anew if that gives back enough. Answers the bytes given back.
pub(crate) fn shrink(shared: &Arc<Shared>, reach: &mut impl Reach, effort: Effort) -> Result<u64, Error> {
    let start = reach.ask(move |committer| {
        if !is_bloated(committer, effort) {
            return Ok(None);
        }
        // From here on no segment goes: whoever compacts is alone.
        committer.settle()?;
        committer.shared.snapshot().map(|snapshot| Some((snapshot, committer.state.clone())))
    })??;
    let Some((snapshot, state)) = start else { return Ok(0) };
    let path = shared.dir.join(NEW_INDEX_NAME);
    remove_if_there(&*shared.disk, &path)?;
    let made = make(shared, reach, &snapshot.view, state);
    drop(snapshot);
    let freed =
        made.and_then(|(index, state)| reach.ask(move |committer| put_in_place(committer, index, state))?);
    if freed.is_err() {
        // A leftover is removed at the next start.
        let _ = remove_if_there(&*shared.disk, &path);
    }
    freed
}

/// The new index, nearly up to date.
fn make(
    shared: &Arc<Shared>,
    reach: &mut impl Reach,
    view: &View,
    mut state: State,
) -> Result<(Index, State), Error> {
    let path = shared.dir.join(NEW_INDEX_NAME);
    let (mut index, _) = Index::open(&*shared.disk, &path, shared.options.index_cache_bytes)?;
    copy(view, &index)?;
    index.checkpoint(&state)?;
    index.squeeze()?;
    for _ in 0..CATCH_UPS_MAX {
        let limit = reach.ask(|committer| committer.state.position)?;
        state = catch_up(shared, &index, state, limit)?;
        let now = reach.ask(|committer| committer.state.position)?;
        if now.segment == limit.segment && now.offset - limit.offset < REST_BYTES {
            break;
        }
    }
    Ok((index, state))
}

fn catch_up(shared: &Arc<Shared>, index: &Index, state: State, limit: Position) -> Result<State, Error> {
    let (state, orphans) = super::replay::replay(index, &shared.set(), state, Some(limit), &mut |_, _| {})?;
    super::open::whole(&orphans)?;
    Ok(state)
}

fn copy(view: &View, index: &Index) -> Result<(), Error> {
    let mut delta = Delta::default();
    let mut last: Option<Vec<u8>> = None;
    loop {
        let txn = index.begin()?;
        let mut tables = Tables::open(&txn)?;
        let (mut bytes, mut failed, mut reached) = (0, None, None);
        let from = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        view.scan((from, Bound::Unbounded), Order::Ascending, &mut |key, value| {
            bytes += key.len() + value.len();
            failed = tables.put(key, value, &mut delta).err();
            if failed.is_none() && bytes < BATCH_BYTES {
                return ControlFlow::Continue(());
            }
            reached = Some(key.to_vec());
            ControlFlow::Break(())
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        if reached.is_none() {
            view.each_content(&mut |id, entry| tables.set_content(id, entry, &mut delta))?;
        }
        drop(tables);
        txn.commit().map_err(trouble)?;
        if reached.is_none() {
            return Ok(());
        }
        last = reached;
    }
}

/// Between two groups: takes in the last records, and the new file becomes the index.
fn put_in_place(committer: &mut Committer, index: Index, state: State) -> Result<u64, Error> {
    let shared = committer.shared.clone();
    let state = catch_up(&shared, &index, state, committer.state.position)?;
    if state != committer.state {
        let why = "a new one made of it and the log differs; `troika store check` tells more";
        return Err(Error::Corrupt { what: "the index".into(), why: why.into() });
    }
    index.checkpoint(&state)?;
    let before = committer.index.as_ref().map_or(0, |old| old.file_bytes());
    shared.disk.rename(&shared.dir.join(NEW_INDEX_NAME), &shared.dir.join(INDEX_NAME))?;
    // If the old name came back after a crash, it would ask for segments that are gone by then.
    shared.disk.sync_dir(&shared.dir).map_err(|_| committer.stop())?;
    committer.index_floor = index.file_bytes();
    let index = Arc::new(index);
    committer.index = Some(index.clone());
    shared.publish(Some(index), None);
    committer.checkpoint()?;
    Ok(before.saturating_sub(committer.index_floor))
}
