//! `troika suppression`

use super::{address, now};
use crate::cli::arguments::Suppression as Command;
use crate::control::{Failure, Sink};
use agents::World;
use model::UnixTime;

/// Entries read at a time.
const PAGE: usize = 500;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    let queue = &world.queue;
    match command {
        Command::List => {
            let mut after = None;
            loop {
                let page = queue.suppressions(after.as_deref(), PAGE, now())?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(last.address.clone());
                page.into_iter().try_for_each(|one| out.row(one))?;
            }
        }
        Command::Add { address: text, reason, days } => {
            let until = days.map(|days| UnixTime(now().0 + i64::from(days) * 86_400));
            queue.suppress(&address(&text)?, &reason, until, now()).wait()?;
            out.say(format!("nothing is sent to {text} any more"))
        }
        Command::Remove { address: text } => {
            if !queue.unsuppress(&address(&text)?).wait()? {
                let why = format!("{text} is not on the list; `troika suppression list` shows it");
                return Err(Failure::new(why));
            }
            out.say(format!("{text} is sent to again"))
        }
    }
}
