//! Messages of a folder: several are asked for at once, so that a long way to the server is gone once for all of them, and
//! several become durable together.
//!
//! Invariants: what is in memory is bounded by what has come, not by what the server says; whatever ends a batch, what has
//! come whole is put into the account.

use crate::deliver::{self, Fetched};
use crate::folder::{FolderRun, Work};
use crate::host::Why;
use crate::remote::{Fault, RemoteMessage};
use crate::run::{Halt, stopped};
use collecting::plan::{Task, is_due};
use collecting::trace::Trace;
use collecting::{Fate, Name, Note, Noted, TroubleKind};
use engine::{Abort, Pending};
use model::Flag;
use std::collections::BTreeMap;
use store::{RecipientOutcomes, Written};

/// Messages that are asked for at once.
const ASKED_MESSAGES: usize = 200;
/// Their octets, as far as the server is to be believed.
const ASKED_BYTES: u64 = 8 << 20;
/// Messages that become durable together.
const KEPT_MESSAGES: usize = 50;
/// Octets in memory at which they are put into the account; one message may be larger.
const KEPT_BYTES: usize = 4 << 20;

/// How many of the first of these are asked for at once: at least one; a message at which runs broke comes alone.
pub(crate) fn first(tasks: &[Task], listing: &[RemoteMessage]) -> usize {
    let mut bytes = 0;
    let fits = tasks.iter().take(ASKED_MESSAGES).take_while(|task| {
        bytes += listing[task.at].size;
        !task.stuck && bytes <= ASKED_BYTES
    });
    fits.count().max(1)
}

/// Messages that were asked for.
struct Batch {
    /// Those that have not come, by handle.
    open: BTreeMap<u32, Task>,
    /// Those that came and are to be put into the account.
    came: Vec<Came>,
    /// Octets of these.
    bytes: usize,
    /// Why some could not be put there: then no more are.
    unkept: Option<Why>,
}

/// A message that came.
struct Came {
    task: Task,
    content: Vec<u8>,
}

/// How a batch ended on a connection that goes on.
enum Ended {
    /// What did not come is gone.
    All,
    /// Some are gone.
    NotAll,
    /// What did not come was refused.
    Refused(String),
    /// This server stops.
    Stopped,
}

/// Deals with messages of which each has another handle; answers those that the server did not give: they are to be asked
/// for alone.
pub(crate) async fn run(
    at: &mut FolderRun<'_, '_, '_>,
    work: &mut Work,
    tasks: &[Task],
) -> Result<Vec<Task>, Halt> {
    let open = tasks.iter().map(|task| (work.listing[task.at].handle, *task)).collect();
    let mut batch = Batch { open, came: Vec::new(), bytes: 0, unkept: None };
    at.remote.ask(&batch.open.keys().copied().collect::<Vec<_>>());
    let outcome = receive(at, work, &mut batch).await;
    // Also what came before it broke off: or a connection that breaks often would never get further.
    keep(at, work, &mut batch).await;
    if let Some(why) = batch.unkept {
        return Err(Halt::All(why));
    }
    let open = batch.open;
    match outcome {
        Err(why) => return Err(broken(work, &open, why)),
        Ok(Ended::Stopped) => return Err(Halt::All(stopped())),
        Ok(Ended::Refused(_) | Ended::NotAll) if tasks.len() > 1 => return Ok(open.into_values().collect()),
        Ok(Ended::Refused(words)) => {
            at.run.counts.failed += 1;
            let why = format!("a message can't be had from the server: {words}");
            work.failed.get_or_insert((TroubleKind::Message, why));
        }
        Ok(Ended::All | Ended::NotAll) => open.keys().for_each(|handle| {
            work.open.remove(handle);
        }),
    }
    work.done += open.len() as u64;
    Ok(Vec::new())
}

/// Takes what comes.
async fn receive(at: &mut FolderRun<'_, '_, '_>, work: &mut Work, batch: &mut Batch) -> Result<Ended, Why> {
    let mut stop = at.run.stop.clone();
    loop {
        let next = tokio::select! {
            next = at.remote.next(at.run.settings.size_max) => next,
            // A message of which a part has come is fetched anew by the next run.
            _ = stop.wait_for(|stopped| *stopped) => return Ok(Ended::Stopped),
        };
        let (handle, content) = match next {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(Ended::All),
            Err(Fault::NoMessage) => return Ok(Ended::NotAll),
            Err(Fault::Refused(words)) => return Ok(Ended::Refused(words)),
            Err(Fault::Lost(why)) => return Err(why),
        };
        // The connection answers no message twice, and none that was not asked for.
        let Some(task) = batch.open.remove(&handle) else { continue };
        if batch.unkept.is_some() {
            continue;
        }
        batch.bytes += content.len();
        batch.came.push(Came { task, content });
        if batch.bytes >= KEPT_BYTES || batch.came.len() >= KEPT_MESSAGES {
            keep(at, work, batch).await;
        }
    }
}

/// The connection broke. Servers give messages in their order: it is the first of the missing ones at which it did.
fn broken(work: &mut Work, open: &BTreeMap<u32, Task>, why: Why) -> Halt {
    let first = open.values().next();
    if let Some(name) = first.and_then(|task| task.name) {
        work.state.stuck_at(name);
    }
    // It comes after all others: it is the message that is at fault, not the source.
    Halt::All(match first {
        Some(task) if task.stuck => {
            (TroubleKind::Message, format!("sessions break at one message, the rest is here: {}", why.1))
        }
        _ => why,
    })
}

/// What is under way to the disk.
enum Under {
    /// Message and note.
    Delivery(Written<RecipientOutcomes>, u64),
    /// The note alone; what is then counted.
    Note(Pending<()>, Fate),
    /// It is here, with its note.
    Here,
}

/// Puts what came into the account, and waits until it is durable. What could not be put there stays open.
async fn keep(at: &mut FolderRun<'_, '_, '_>, work: &mut Work, batch: &mut Batch) {
    batch.bytes = 0;
    let came = std::mem::take(&mut batch.came);
    let begun: Vec<_> =
        tokio::task::block_in_place(|| came.into_iter().map(|one| begin(at, work, one)).collect());
    for one in begun {
        let ended = match one {
            Ok((begun, under)) => end(at, under).await.map(|()| begun),
            Err(why) => Err(why),
        };
        match ended {
            Ok(begun) => {
                if is_due(&begun.note, at.run.source.settings.keep, agents::World::now()) {
                    work.deletable.push(begun.handle);
                }
                work.state.stuck.retain(|stuck| *stuck != begun.name);
                work.open.remove(&begun.handle);
                work.done += 1;
            }
            Err(why) => {
                batch.unkept.get_or_insert(why);
            }
        }
    }
    at.run.world.collecting.tell(at.run.source.id, work.done, work.of, at.run.counts);
}

/// A message that is being put into the account.
struct Begun {
    handle: u32,
    name: Name,
    note: Note,
}

/// Begins to put a message into the account, unless it is there already.
fn begin(at: &FolderRun<'_, '_, '_>, work: &mut Work, came: Came) -> Result<(Begun, Under), Why> {
    let (world, source) = (at.run.world, at.run.source);
    let Came { task, content } = came;
    let listed = &work.listing[task.at];
    let (handle, now) = (listed.handle, agents::World::now());
    let digest = collecting::digest(&content);
    let name = task.name.unwrap_or_else(|| {
        let ordinal = work.ordinals.entry(digest).or_default();
        *ordinal += 1;
        Name::of_content(digest, *ordinal)
    });
    let storage = |error: engine::Error| (TroubleKind::Storage, error.to_string());
    let note_of = |name| world.collecting.note_of(source.id, work.state.number, name).map_err(storage);
    // Only names made of contents are known beforehand.
    if task.name.is_none()
        && let Some(note) = note_of(name)?
    {
        work.former.take_named(digest, name);
        return Ok((Begun { handle, name, note }, Under::Here));
    }
    let size = content.len() as u64;
    let mut noted = Noted {
        source: source.id,
        folder: work.state.number,
        name,
        note: Note { collected: now.0, digest, fate: Fate::Collected },
        former: None,
        size,
    };
    if let Some(former) = work.former.take(digest)
        && let Some(note) = note_of(former)?
    {
        (noted.former, noted.note) = (Some(former), note);
        return Ok((
            Begun { handle, name, note },
            Under::Note(world.collecting.begin_note(noted), Fate::Collected),
        ));
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
    if let Some(why) = trace.circle(&content) {
        tracing::warn!(source = source.id.0, why, "a message is left where it is");
        noted.note.fate = Fate::Circled;
        let begun = Begun { handle, name, note: noted.note };
        return Ok((begun, Under::Note(world.collecting.begin_note(noted), Fate::Circled)));
    }
    let mut flags = listed.flags;
    if !source.settings.keep_seen {
        flags = flags.without(Flag::Seen);
    }
    // Its deletion there is not meant for here.
    flags = flags.without(Flag::Deleted);
    let fetched = Fetched { content, flags, keywords: listed.keywords.clone(), date: listed.date };
    let delivery = deliver::begin(world, source.account, &at.target, &trace, fetched, noted)?;
    Ok((Begun { handle, name, note: noted.note }, Under::Delivery(delivery, size)))
}

/// Waits until it is durable, and counts it.
async fn end(at: &mut FolderRun<'_, '_, '_>, under: Under) -> Result<(), Why> {
    let (world, counts) = (at.run.world, &mut at.run.counts);
    match under {
        Under::Here => counts.known += 1,
        Under::Note(note, fate) => {
            match note.await {
                // Cancelled: there is one already.
                Ok(()) | Err(Abort::Cancelled) => {}
                Err(Abort::Engine(error)) => return Err((TroubleKind::Storage, error.to_string())),
            }
            match fate {
                Fate::Collected => counts.known += 1,
                Fate::Circled => counts.circled += 1,
            }
        }
        Under::Delivery(delivery, size) => {
            deliver::end(delivery).await?;
            counts.collected += 1;
            counts.bytes += size;
            world.metrics.collected.inc();
            world.metrics.collected_bytes.inc_by(size);
        }
    }
    Ok(())
}
