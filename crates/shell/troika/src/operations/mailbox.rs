//! `troika mailbox`

use super::account;
use super::account::store_failure;
use crate::cli::arguments::Mailbox as Command;
use crate::control::{Failure, Sink};
use agents::World;
use serde_json::json;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    let Command::List { address } = command;
    let owner = account(world, &address)?;
    for info in world.store.mailboxes(owner.id).map_err(store_failure)? {
        let Some(id) = info.id else { continue };
        out.row(json!({
            "name": info.name,
            "id": id.0,
            "special_use": info.special_use.map(model::SpecialUse::attribute),
            "subscribed": info.subscribed,
            "messages": info.counters.messages,
            "unseen": info.counters.unseen,
            "bytes": info.counters.size,
            "uid_validity": info.counters.uid_validity.0,
            "uid_next": info.counters.uid_next.0,
        }))?;
    }
    Ok(())
}
