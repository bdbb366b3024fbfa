//! One folder of a run: what is new is put into the account (`batch`), what is due is deleted.
//!
//! How far the folder is, is noted at the end, whatever ends it: all that has a note is safe, and what has none is
//! listed again, because the mark below which nothing is listed never passes it.

use crate::batch;
use crate::host::Why;
use crate::remote::{Fault, Remote, RemoteFolder, RemoteMessage};
use crate::run::{Halt, Run, deletes, stopped};
use collecting::plan::{Circumstances, Coverage, Former, Listed, Planner, Task};
use collecting::{FolderState, Keep, Name, Protocol, TroubleKind};
use model::UnixTime;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;
use store::Target;

/// Pause after which a complete listing is compared with the notes: to forget those of what is gone, and to delete what
/// has stayed its days.
const COMPARE_SECONDS: i64 = 86_400;
/// Messages that are deleted by one command.
const DELETED_AT_ONCE: usize = 200;
/// Most messages of a folder.
const LISTED_MAX: usize = 2_000_000;

/// A folder of a run.
pub(crate) struct FolderRun<'r, 'a, 'm> {
    pub run: &'r mut Run<'a>,
    pub remote: &'m mut Remote,
    pub target: Target,
}

/// What is left of a folder that was gone through.
pub(crate) enum Left {
    /// Nothing.
    Nothing,
    /// Messages that could not be had this time; why the first one.
    Some(Why),
}

/// What is known of a folder while it is gone through.
pub(crate) struct Work {
    pub state: FolderState,
    pub listing: Vec<RemoteMessage>,
    pub former: Former,
    /// To be deleted at the source: all of it has notes.
    pub deletable: Vec<u32>,
    /// Whether something was deleted in this session.
    pub has_deleted: bool,
    /// Handles of messages that have not been dealt with.
    pub open: BTreeSet<u32>,
    /// How often each content without a name came.
    pub ordinals: HashMap<[u8; 16], u32>,
    pub failed: Option<Why>,
    pub done: u64,
    pub of: u64,
}

/// Goes through a folder.
pub(crate) async fn run(at: &mut FolderRun<'_, '_, '_>, folder: &RemoteFolder) -> Result<Left, Halt> {
    let source = at.run.source;
    let collecting = &at.run.world.collecting;
    let mut state = collecting.folder(source.id, &folder.name).await.map_err(kept)?;
    let keep = source.settings.keep;
    let opened =
        at.remote.open_folder(folder, deletes(keep)).await.map_err(|fault| fault.in_folder(folder))?;
    let now = agents::World::now();
    let validity = opened.uid_validity;
    if source.settings.protocol == Protocol::Imap && validity != state.uid_validity {
        // Names mean other messages now: all are compared, from the first on, also after a crash in between.
        (state.uid_validity, state.next_uid, state.compared) = (validity, 1, UnixTime(0));
        state.stuck.clear();
        collecting.set_folder(source.id, &state).await.map_err(kept)?;
    }
    let complete = source.settings.protocol == Protocol::Pop3
        || keep == Keep::Nothing
        || (now.0 - state.compared.0).abs() >= COMPARE_SECONDS;
    if !complete && opened.uid_next.is_some_and(|next| next <= state.next_uid) {
        return Ok(Left::Nothing);
    }
    let from = if complete { 1 } else { state.next_uid.max(1) };
    let listing =
        at.remote.listing(validity, from, LISTED_MAX).await.map_err(|fault| fault.in_folder(folder))?;
    if !listing.iter().all(|message| message.name.is_some()) && keep != Keep::Nothing {
        return Err(Halt::All((
            TroubleKind::Nameless,
            "the server gives messages no lasting names (UIDL); it can only be collected from with --keep nothing"
                .to_owned(),
        )));
    }
    let coverage = if complete { Coverage::All } else { Coverage::New };
    let circumstances = Circumstances { keep, now, size_max: at.run.settings.size_max, stuck: &state.stuck };
    let shown = || listing.iter().map(|message| Listed { name: message.name, size: message.size });
    let mut planner = Planner::new(shown(), coverage, circumstances);
    read_notes(at, state.number, coverage, &mut planner)?;
    let plan = planner.plan(shown());
    at.run.counts.too_large += plan.too_large.len() as u64;
    let mut work = Work {
        open: plan.collect.iter().map(|task| listing[task.at].handle).collect(),
        of: plan.collect.len() as u64,
        former: plan.former,
        deletable: plan.delete.iter().map(|at| listing[*at].handle).collect(),
        has_deleted: false,
        ordinals: HashMap::new(),
        failed: None,
        done: 0,
        state,
        listing,
    };
    let outcome = go_through(at, &mut work, &plan.collect).await;
    finish(at, work, coverage, outcome).await
}

/// Tells the planner the notes that matter; they are read by page, and none is kept but those of what is gone.
fn read_notes(
    at: &FolderRun<'_, '_, '_>,
    folder: u32,
    coverage: Coverage,
    planner: &mut Planner<'_>,
) -> Result<(), Halt> {
    let (collecting, id) = (&at.run.world.collecting, at.run.source.id);
    let read = tokio::task::block_in_place(|| match coverage {
        Coverage::All => collecting.each_note(id, folder, &mut |name, note| planner.noted(name, note)),
        // A few, of perhaps a million.
        Coverage::New => planner.names().collect::<Vec<_>>().into_iter().try_for_each(|name| {
            if let Some(note) = collecting.note_of(id, folder, name)? {
                planner.noted(name, &note);
            }
            Ok(())
        }),
    });
    read.map_err(|error| Halt::All((TroubleKind::Storage, error.to_string())))
}

async fn go_through(at: &mut FolderRun<'_, '_, '_>, work: &mut Work, tasks: &[Task]) -> Result<(), Halt> {
    delete(at, work, 1).await?;
    let outcome = each(at, work, tasks).await;
    // What ended it may be ours alone, such as a full account. On a lost connection this fails at once.
    let deleted = delete(at, work, 1).await;
    outcome.and(deleted)
}

async fn each(at: &mut FolderRun<'_, '_, '_>, work: &mut Work, tasks: &[Task]) -> Result<(), Halt> {
    let mut left = tasks;
    while let Some(first) = left.first() {
        if at.run.is_stopped() {
            return Err(Halt::All(stopped()));
        }
        if Instant::now() >= at.run.until {
            return Err(Halt::More);
        }
        // POP3 deletes at the good-bye only: before a message at which sessions break, there has to be one.
        let pending = work.has_deleted || !work.deletable.is_empty();
        if first.stuck && pending && at.run.source.settings.protocol == Protocol::Pop3 {
            return Err(Halt::More);
        }
        let (now, later) = left.split_at(batch::first(left, &work.listing));
        left = later;
        for refused in batch::run(at, work, now).await? {
            batch::run(at, work, &[refused]).await?;
        }
        delete(at, work, DELETED_AT_ONCE).await?;
    }
    Ok(())
}

/// Deletes what is to be deleted, if there is so much of it.
async fn delete(at: &mut FolderRun<'_, '_, '_>, work: &mut Work, least: usize) -> Result<(), Halt> {
    while work.deletable.len() >= least.max(1) {
        let some = work.deletable.split_off(work.deletable.len().saturating_sub(DELETED_AT_ONCE));
        let what = |fault: Fault| {
            let (kind, words) = fault.why();
            (kind, format!("deleting what is collected already failed: {words}"))
        };
        at.remote.delete(&some).await.map_err(|fault| Halt::All(what(fault)))?;
        work.has_deleted = true;
        at.run.counts.deleted += some.len() as u64;
    }
    Ok(())
}

/// Notes how far the folder is.
async fn finish(
    at: &mut FolderRun<'_, '_, '_>,
    mut work: Work,
    coverage: Coverage,
    outcome: Result<(), Halt>,
) -> Result<Left, Halt> {
    let collecting = &at.run.world.collecting;
    let id = at.run.source.id;
    if at.run.source.settings.protocol == Protocol::Imap {
        let behind = work.listing.iter().map(|message| message.handle.saturating_add(1)).max();
        // Never past what is open; what came while this ran is behind all of the listing.
        if let Some(next) = work.open.first().copied().or(behind) {
            work.state.next_uid = next;
        }
    }
    if coverage == Coverage::All && outcome.is_ok() && work.failed.is_none() {
        let names = work.former.names();
        let (world, folder) = (at.run.world.clone(), work.state.number);
        let forgotten = tokio::task::block_in_place(move || world.collecting.forget(id, folder, &names));
        forgotten.map_err(kept)?;
        work.state.compared = agents::World::now();
        let is_listed = |name: &Name| work.listing.iter().any(|message| message.name == Some(*name));
        work.state.stuck.retain(is_listed);
    }
    let noted = collecting.set_folder(id, &work.state).await;
    outcome?;
    noted.map_err(kept)?;
    Ok(work.failed.map_or(Left::Nothing, Left::Some))
}

fn kept(error: directory::Error) -> Halt {
    let kind = match error {
        directory::Error::TooMany(_) => TroubleKind::Folder,
        _ => TroubleKind::Storage,
    };
    Halt::All((kind, error.to_string()))
}
