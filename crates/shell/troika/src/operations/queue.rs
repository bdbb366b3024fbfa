//! `troika queue`

use super::now;
use crate::cli::arguments::Queue as Command;
use crate::control::{Failure, Sink};
use agents::World;
use queue::{Filter, QueueId};

/// Entries read at a time.
const PAGE: usize = 200;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    let queue = &world.queue;
    match command {
        Command::List => {
            let mut after = None;
            loop {
                let page = queue.list(&Filter::default(), after, PAGE)?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(last.id);
                page.into_iter().try_for_each(|entry| out.row(entry))?;
            }
        }
        Command::Show { id } => {
            let shown = queue.show(known(&id)?)?;
            out.row(shown.ok_or_else(|| missing(&id))?)
        }
        Command::Hold { ids } => each(&ids, "held", out, |id| queue.hold(id, now())),
        Command::Release { ids } => each(&ids, "released", out, |id| queue.release(id, now())),
        Command::Bounce { ids, reason } => {
            for id in &ids {
                match agents::bounce(world, known(id)?, &reason, now()) {
                    Ok(true) => out.say(format!("gave {id} up; its sender is told"))?,
                    Ok(false) => return Err(missing(id)),
                    Err(error) => return Err(Failure::new(error.to_string())),
                }
            }
            Ok(())
        }
        Command::Remove { ids } => each(&ids, "removed", out, |id| queue.remove(id)),
    }
}

fn each(
    ids: &[String],
    done: &str,
    out: &mut dyn Sink,
    act: impl Fn(QueueId) -> Result<bool, engine::Abort>,
) -> Result<(), Failure> {
    for id in ids {
        if !act(known(id)?)? {
            return Err(missing(id));
        }
        out.say(format!("{done} {id}"))?;
    }
    Ok(())
}

fn known(id: &str) -> Result<QueueId, Failure> {
    id.parse().map_err(|_| Failure::new(format!("{id} is no queue id; `troika queue list` shows them")))
}

fn missing(id: &str) -> Failure {
    Failure::new(format!("nothing to do for {id}: it is not in the queue any more, or in that state already"))
}
