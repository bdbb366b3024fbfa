//! `troika store`

use super::account::store_failure;
use crate::cli::arguments::Store as Command;
use crate::control::{Failure, Sink};
use agents::World;
use serde_json::json;

pub(super) fn run(world: &World, command: &Command, out: &mut dyn Sink) -> Result<(), Failure> {
    match command {
        Command::Check => check(world, out),
        Command::Compact => {
            super::index::give_back(world)?;
            let freed = world.engine.compact(&mut |done, of| out.progress(done, of))?;
            out.say(format!("{freed} bytes were given back"))
        }
        Command::Space => space(world, out),
        Command::Rebuild { .. } => Err(Failure::new(
            "the index can't be built anew under a running server: stop it first, then try again",
        )),
        Command::Show => {
            let figures = world.engine.figures();
            let text_index_bytes = super::index::bytes(world)?;
            out.row(json!({
                "log_bytes": figures.log_bytes, "live_content_bytes": figures.live_content_bytes,
                "index_bytes": figures.index_bytes, "text_index_bytes": text_index_bytes, "segments": figures.segments,
                "commits_since_start": figures.commits, "groups_since_start": figures.groups,
            }))
        }
    }
}

/// Where the bytes are: of the index by kind of key, of the log by what was written and whether it still counts.
fn space(world: &World, out: &mut dyn Sink) -> Result<(), Failure> {
    let space = world.engine.space(&mut |done, of| out.progress(done, of))?;
    for keys in space.keys {
        out.row(json!({
            "part": "index", "what": kind_of(keys.group), "records": keys.entries,
            "live_bytes": keys.bytes, "dead_bytes": 0,
        }))?;
    }
    for part in space.log {
        let of = part.group.map(|group| format!(" of {}", kind_of(group))).unwrap_or_default();
        out.row(json!({
            "part": "log", "what": format!("{}{of}", part.what), "records": part.records,
            "live_bytes": part.live_bytes, "dead_bytes": part.dead_bytes,
        }))?;
    }
    Ok(())
}

/// What keys hold, by the tags that `store`, `directory` and `queue` document in their `keys.rs`.
fn kind_of(group: engine::KeyGroup) -> String {
    let words = match (group.server, group.tag) {
        (true, b'a') => "addresses kept for bounces",
        (true, b'd') => "directory",
        (true, b'f') => "collected from elsewhere",
        (true, b'l') => "mailing lists",
        (true, b'q') => "queue",
        (_, b'c') => "change logs",
        (_, b'e') => "metadata",
        (false, b'g') => "shared with the account",
        (false, b'i') => "rows of mailboxes",
        (false, b'k') => "keyword tables",
        (false, b'l') => "access control lists",
        (false, b'm') => "messages",
        (false, b'n') => "mailbox names",
        (false, b'o') => "sort keys",
        (false, b'p') => "seen by other users",
        (false, b'q') => "account counters",
        (false, b'r') => "references",
        (true, b's') => "shared mailboxes",
        (false, b's') => "subscriptions",
        (false, b't') => "threads",
        (false, b'u') => "mailboxes",
        (true, b'v') => "used UIDVALIDITYs",
        (false, b'v') => "saved views",
        (false, b'w') => "text index",
        (false, b'x') => "import notes",
        (false, b'y') => "access keys",
        (_, tag) => return format!("keys with {:?}", char::from(tag)),
    };
    words.into()
}

fn check(world: &World, out: &mut dyn Sink) -> Result<(), Failure> {
    let walked = world.engine.check(&mut |done, of| out.progress(done, of))?;
    let mut problems = walked.problems;
    problems.extend(walked.damaged.iter().map(|id| format!("content {} is damaged", id.0)));
    let recounted = world.store.check(&mut |done, of| out.progress(done, of)).map_err(store_failure)?;
    problems.extend(
        recounted.into_iter().map(|problem| format!("account {}: {}", problem.account.0, problem.text)),
    );
    problems.extend(world.queue.check()?.into_iter().map(|problem| format!("queue: {problem}")));
    problems.extend(world.lists.check()?.into_iter().map(|problem| format!("lists: {problem}")));
    let is_account = |id| world.directory.account_by_id(id).is_ok_and(|account| account.is_some());
    let collecting = world.collecting.check(&is_account)?;
    problems.extend(collecting.into_iter().map(|problem| format!("collecting: {problem}")));
    let snapshot = world.engine.snapshot()?;
    let mut claims = engine::Claims::default();
    store::Store::claims(&*snapshot, &mut claims).map_err(store_failure)?;
    queue::claims(&*snapshot, &mut claims)?;
    lists::claims(&*snapshot, &mut claims)?;
    problems.extend(claims.compare(&*snapshot)?);
    drop(snapshot);
    for problem in &problems {
        out.say(problem.clone())?;
    }
    let words = format!(
        "{} log records, {} contents, {} entries were checked",
        walked.records, walked.contents, walked.entries
    );
    match problems.len() {
        0 => out.say(format!("{words}; everything holds")),
        count => Err(Failure::new(format!("{words}; {count} things do not hold"))),
    }
}
