//! `troika index`

use super::account;
use super::account::store_failure;
use crate::cli::arguments::Index as Command;
use crate::control::{Failure, Sink};
use agents::World;
use directory::Account;
use serde_json::json;
use store::IndexGoal;

/// Accounts read at a time.
const PAGE: usize = 500;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    match command {
        Command::Rebuild { addresses } => rebuild(world, &addresses, out),
        Command::Status { addresses } => each(world, &addresses, &mut |found| {
            let status = world.store.index_status(found.id).map_err(store_failure)?;
            out.row(json!({
                "address": found.address.to_string(), "messages": status.messages, "waiting": status.waiting,
                "segments": status.segments, "words": status.words, "bytes": status.bytes,
                "unsure_messages": status.unsure, "encrypted_parts": status.encrypted_parts,
                "undecodable_parts": status.undecodable_parts, "rebuilt": status.rebuilt,
            }))
        }),
    }
}

/// Bytes of the text indexes of all accounts.
pub(super) fn bytes(world: &World) -> Result<u64, Failure> {
    let mut bytes = 0;
    each(world, &[], &mut |found| {
        // One without mail has no mailboxes, or is being removed.
        bytes += world.store.index_status(found.id).map_or(0, |status| status.bytes);
        Ok(())
    })?;
    Ok(bytes)
}

/// Takes out of the text indexes what stands in them for messages that are gone.
pub(super) fn give_back(world: &World) -> Result<(), Failure> {
    each(world, &[], &mut |found| {
        while world.store.index_step(found.id, IndexGoal::GiveBackAll).map_err(store_failure)?.more {}
        Ok(())
    })
}

/// Calls `act` with the accounts of these addresses, or with all.
fn each(
    world: &World,
    addresses: &[String],
    act: &mut dyn FnMut(&Account) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if !addresses.is_empty() {
        return addresses.iter().try_for_each(|address| act(&account(world, address)?));
    }
    let mut after = None;
    loop {
        let page = world.directory.accounts(None, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        page.iter().try_for_each(&mut *act)?;
    }
}

fn rebuild(world: &World, addresses: &[String], out: &mut dyn Sink) -> Result<(), Failure> {
    let mut accounts = Vec::new();
    each(world, addresses, &mut |found| {
        let status = world.store.index_status(found.id).map_err(store_failure)?;
        accounts.push((found.id, status.taken_in + status.waiting));
        Ok(())
    })?;
    let of = accounts.iter().map(|(_, messages)| messages).sum();
    let mut behind = 0;
    for (account, messages) in &accounts {
        for goal in [IndexGoal::Rebuild, IndexGoal::KeepUp] {
            // The second removes what the first replaced.
            loop {
                let step = world.store.index_step(*account, goal).map_err(store_failure)?;
                out.progress((behind + step.done).min(of), of);
                if !step.more {
                    break;
                }
            }
        }
        behind += messages;
    }
    out.progress(of, of);
    out.say(format!("the text index of {} accounts was made anew", accounts.len()))
}
