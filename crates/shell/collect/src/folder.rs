//! One folder of a run: what is new is put into the account message by message, what is due is deleted.
//!
//! How far the folder is, is noted at the end, whatever ends it: all that has a note is safe, and what has none is
//! listed again, because the mark below which nothing is listed never passes it.

use crate::deliver::{Delivered, deliver};
use crate::host::Why;
use crate::remote::{Fault, Remote, RemoteFolder, RemoteMessage};
use crate::run::{Halt, Run, deletes, stopped};
use collecting::plan::{Circumstances, Coverage, Former, Listed, Task, is_due, plan};
use collecting::trace::Trace;
use collecting::{Fate, FolderState, Keep, Name, Note, Noted, Protocol, TroubleKind};
use model::UnixTime;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;
use store::Target;

/// Pause after which a complete listing is compared with the notes: to forget those of what is gone, and to delete what
/// has stayed its days.
const COMPARE_SECONDS: i64 = 86_400;
/// Messages that are deleted by one command.
const DELETED_AT_ONCE: usize = 50;
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
struct Work {
    state: FolderState,
    notes: BTreeMap<Name, Note>,
    listing: Vec<RemoteMessage>,
    former: Former,
    /// What is called how in this session.
    handles: HashMap<Name, u32>,
    /// To be deleted at the source: all of it has notes.
    deletable: Vec<u32>,
    /// Whether something was deleted in this session.
    has_deleted: bool,
    /// UIDs that have not been dealt with.
    open: BTreeSet<u32>,
    /// How often each content without a name came.
    ordinals: HashMap<[u8; 16], u32>,
    failed: Option<Why>,
    done: u64,
    of: u64,
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
    let notes = match complete || !listing.is_empty() {
        true => read_notes(at, state.number).await?,
        false => BTreeMap::new(),
    };
    let listed: Vec<Listed> =
        listing.iter().map(|message| Listed { name: message.name, size: message.size }).collect();
    let coverage = if complete { Coverage::All } else { Coverage::New };
    let size_max = at.run.settings.size_max;
    let plan = plan(&listed, coverage, &notes, Circumstances { keep, now, size_max, stuck: &state.stuck });
    at.run.counts.too_large += plan.too_large.len() as u64;
    let handles: HashMap<Name, u32> =
        listing.iter().filter_map(|message| message.name.map(|name| (name, message.handle))).collect();
    let deletable = plan.delete.iter().filter_map(|name| handles.get(name).copied()).collect();
    let mut work = Work {
        open: plan.collect.iter().map(|task| listing[task.at].handle).collect(),
        of: plan.collect.len() as u64,
        former: plan.former,
        handles,
        deletable,
        has_deleted: false,
        ordinals: HashMap::new(),
        failed: None,
        done: 0,
        state,
        notes,
        listing,
    };
    let outcome = go_through(at, &mut work, &plan.collect).await;
    finish(at, work, coverage, outcome).await
}

async fn read_notes(at: &FolderRun<'_, '_, '_>, folder: u32) -> Result<BTreeMap<Name, Note>, Halt> {
    let (world, id) = (at.run.world.clone(), at.run.source.id);
    let read = tokio::task::spawn_blocking(move || world.collecting.notes(id, folder)).await;
    match read {
        Ok(Ok(notes)) => Ok(notes),
        Ok(Err(error)) => Err(Halt::All((TroubleKind::Storage, error.to_string()))),
        Err(error) => Err(Halt::All((TroubleKind::Storage, error.to_string()))),
    }
}

async fn go_through(at: &mut FolderRun<'_, '_, '_>, work: &mut Work, tasks: &[Task]) -> Result<(), Halt> {
    delete(at, work, 1).await?;
    let outcome = each(at, work, tasks).await;
    // What ended it may be ours alone, such as a full account. On a lost connection this fails at once.
    let deleted = delete(at, work, 1).await;
    outcome.and(deleted)
}

async fn each(at: &mut FolderRun<'_, '_, '_>, work: &mut Work, tasks: &[Task]) -> Result<(), Halt> {
    for task in tasks {
        if at.run.is_stopped() {
            return Err(Halt::All(stopped()));
        }
        if Instant::now() >= at.run.until {
            return Err(Halt::More);
        }
        // POP3 deletes at the good-bye only: before a message at which sessions break, there has to be one.
        let pending = work.has_deleted || !work.deletable.is_empty();
        if task.stuck && pending && at.run.source.settings.protocol == Protocol::Pop3 {
            return Err(Halt::More);
        }
        one(at, work, task).await?;
        work.done += 1;
        at.run.world.collecting.tell(at.run.source.id, work.done, work.of, at.run.counts);
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

/// Deals with one message.
async fn one(at: &mut FolderRun<'_, '_, '_>, work: &mut Work, task: &Task) -> Result<(), Halt> {
    let message = &work.listing[task.at];
    let handle = message.handle;
    let mut stop = at.run.stop.clone();
    let fetched = tokio::select! {
        fetched = at.remote.fetch(message, at.run.settings.size_max) => fetched,
        // A message of which a part has come is fetched anew by the next run.
        _ = stop.wait_for(|stopped| *stopped) => return Err(Halt::All(stopped())),
    };
    let mut fetched = match fetched {
        Ok(fetched) => fetched,
        Err(Fault::NoMessage) => {
            work.open.remove(&handle);
            return Ok(());
        }
        Err(Fault::Refused(words)) => {
            at.run.counts.failed += 1;
            let why = format!("a message can't be had from the server: {words}");
            work.failed.get_or_insert((TroubleKind::Message, why));
            return Ok(());
        }
        Err(fault) => {
            if let Some(name) = task.name {
                work.state.stuck_at(name);
            }
            let (kind, words) = fault.why();
            // It comes after all others: it is the message that is at fault, not the source.
            return Err(Halt::All(match task.stuck {
                true => (
                    TroubleKind::Message,
                    format!("sessions break at one message, the rest is here: {words}"),
                ),
                false => (kind, words),
            }));
        }
    };
    if !at.run.source.settings.keep_seen {
        fetched.flags = fetched.flags.without(model::Flag::Seen);
    }
    // Its deletion there is not meant for here.
    fetched.flags = fetched.flags.without(model::Flag::Deleted);
    let digest = collecting::digest(&fetched.content);
    let name = task.name.unwrap_or_else(|| {
        let ordinal = work.ordinals.entry(digest).or_default();
        *ordinal += 1;
        Name::of_content(digest, *ordinal)
    });
    let note = settle(at, work, name, digest, fetched).await.map_err(Halt::All)?;
    if is_due(&note, at.run.source.settings.keep, agents::World::now()) {
        work.deletable.push(handle);
    }
    work.state.stuck.retain(|stuck| *stuck != name);
    work.open.remove(&handle);
    Ok(())
}

/// Puts a message into the account, unless it is there already; answers its note.
async fn settle(
    at: &mut FolderRun<'_, '_, '_>,
    work: &mut Work,
    name: Name,
    digest: [u8; 16],
    fetched: crate::deliver::Fetched,
) -> Result<Note, Why> {
    let (world, source) = (at.run.world, at.run.source);
    let now = agents::World::now();
    // Only names made of contents are known beforehand.
    if let Some(note) = work.notes.get(&name).copied() {
        work.former.take_named(digest, name);
        at.run.counts.known += 1;
        return Ok(note);
    }
    let size = fetched.content.len() as u64;
    let mut noted = Noted {
        source: source.id,
        folder: work.state.number,
        name,
        note: Note { collected: now.0, digest, fate: Fate::Collected },
        former: None,
        size,
    };
    let storage = |error: engine::Error| (TroubleKind::Storage, error.to_string());
    if let Some((former, note)) = former(work, digest) {
        (noted.former, noted.note) = (Some(former), note);
        note_alone(at, noted).await.map_err(storage)?;
        at.run.counts.known += 1;
        return Ok(note);
    }
    let trace = Trace {
        host: &source.settings.host,
        address: at.remote.address(),
        hostname: &at.run.settings.hostname,
        protocol: source.settings.protocol,
        tls: source.settings.tls,
        account: &at.run.address,
        now,
    };
    if let Some(why) = trace.circle(&fetched.content) {
        tracing::warn!(source = source.id.0, why, "a message is left where it is");
        noted.note.fate = Fate::Circled;
        note_alone(at, noted).await.map_err(storage)?;
        at.run.counts.circled += 1;
        return Ok(noted.note);
    }
    match deliver(world, source.account, &at.target, &trace, fetched, noted).await? {
        Delivered::New => {
            at.run.counts.collected += 1;
            at.run.counts.bytes += size;
            world.metrics.collected.inc();
            world.metrics.collected_bytes.inc_by(size);
        }
        Delivered::Known => {
            return Err((TroubleKind::Storage, "the source was removed meanwhile".to_owned()));
        }
    }
    Ok(noted.note)
}

/// The former name of a message of this content, with its note.
fn former(work: &mut Work, digest: [u8; 16]) -> Option<(Name, Note)> {
    let name = work.former.take(digest)?;
    work.notes.get(&name).map(|note| (name, *note))
}

async fn note_alone(at: &FolderRun<'_, '_, '_>, noted: Noted) -> Result<(), engine::Error> {
    let world = at.run.world.clone();
    tokio::task::block_in_place(move || world.collecting.note_alone(noted).map(drop))
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
        let handles = &work.handles;
        work.state.stuck.retain(|name| handles.contains_key(name));
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
