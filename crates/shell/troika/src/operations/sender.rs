//! `troika sender`

use super::{account, now};
use crate::cli::arguments::Sender as Command;
use crate::control::{Failure, Sink};
use agents::World;
use queue::Sending;

/// Entries read at a time.
const PAGE: usize = 500;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    let queue = &world.queue;
    match command {
        Command::List => {
            let mut after = None;
            loop {
                let page = queue.sendings(after, PAGE, now())?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(last.account);
                page.into_iter().try_for_each(|one| row(world, one, out))?;
            }
        }
        Command::Show { address } => row(world, queue.sending_of(account(world, &address)?.id, now())?, out),
        Command::Limit { address, per_hour, per_day } => {
            let account = account(world, &address)?;
            queue.set_sending_limits(account.id, per_hour, per_day, now()).wait()?;
            out.say(format!("changed the limits of {address}"))
        }
        Command::Block { address } => {
            queue.block_sender(account(world, &address)?.id, now()).wait()?;
            out.say(format!("{address} sends nothing to other hosts until it is released"))
        }
        Command::Release { address } => {
            queue.release_sender(account(world, &address)?.id, now()).wait()?;
            out.say(format!("{address} may send to other hosts"))
        }
    }
}

/// With the account's address, which the queue does not know.
fn row(world: &World, sending: Sending, out: &mut dyn Sink) -> Result<(), Failure> {
    let account = world.directory.account_by_id(sending.account)?;
    let address = account.map_or_else(|| "(removed)".to_owned(), |account| account.address.to_string());
    let mut row = serde_json::json!({ "address": address });
    let figures = serde_json::to_value(&sending).map_err(|error| Failure::new(error.to_string()))?;
    if let (Some(row), serde_json::Value::Object(figures)) = (row.as_object_mut(), figures) {
        row.extend(figures);
    }
    out.row(row)
}
