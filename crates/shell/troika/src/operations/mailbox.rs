//! `troika mailbox`

use super::account;
use super::account::store_failure;
use crate::cli::arguments::{Mailbox as Command, Seen};
use crate::control::{Failure, Sink};
use agents::World;
use model::{MailboxId, Rights};
use serde_json::{Value, json};
use store::{Acl, Effect, RightsChange, SeenState, Who};

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    match command {
        Command::List { address } => list(world, &address, out),
        Command::Share { address, mailbox, with, rights, seen } => {
            let letters = rights;
            let rights = Rights::parse(&letters).map_err(|bad| {
                Failure::new(format!("{:?} is no right; rights are letters of lrswipkxtean", bad.0))
            })?;
            let (owner, id) = find(world, &address, &mailbox)?;
            let (who, effect) = whom(world, &address, &with)?;
            let seen = seen.map(|seen| match seen {
                Seen::Private => SeenState::Private,
                Seen::Shared => SeenState::Shared,
            });
            let change = RightsChange::Set(rights);
            world.store.set_acl(owner, id, who, effect, change, seen).wait().map_err(store_failure)?;
            out.say(format!("{with} has the rights {rights} on {mailbox} of {address}"))
        }
        Command::Unshare { address, mailbox, with } => {
            let (owner, id) = find(world, &address, &mailbox)?;
            let (who, effect) = whom(world, &address, &with)?;
            let acl = world.store.acl(owner, id).map_err(store_failure)?;
            if acl.entry(&who, effect).is_none() {
                return Err(Failure::new(format!("{mailbox} of {address} is not shared with {with}")));
            }
            world.store.delete_acl(owner, id, who, effect).wait().map_err(store_failure)?;
            out.say(format!("{mailbox} of {address} is not shared with {with} any more"))
        }
    }
}

fn list(world: &World, address: &str, out: &mut dyn Sink) -> Result<(), Failure> {
    let owner = account(world, address)?;
    let lists = world.store.acls(owner.id).map_err(store_failure)?;
    for info in world.store.mailboxes(owner.id).map_err(store_failure)? {
        let Some(id) = info.id else { continue };
        let acl = lists.iter().find(|(mailbox, _)| *mailbox == id).map(|(_, acl)| acl);
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
            "shared_with": acl.map_or(Value::Array(Vec::new()), |acl| shown(world, acl)),
            "seen": acl.map(|acl| match acl.seen {
                SeenState::Private => "private",
                SeenState::Shared => "shared",
            }),
        }))?;
    }
    Ok(())
}

/// `user@example.org=lrs`, one for each identifier.
fn shown(world: &World, acl: &Acl) -> Value {
    let entry = |entry: &store::AclEntry| {
        let sign = if entry.effect == Effect::Deny { "-" } else { "" };
        Value::String(format!("{sign}{}={}", agents::identifier(world, &entry.who), entry.rights))
    };
    Value::Array(acl.entries.iter().map(entry).collect())
}

fn find(world: &World, address: &str, mailbox: &str) -> Result<(engine::AccountId, MailboxId), Failure> {
    let owner = account(world, address)?;
    let found = world.store.mailbox_by_name(owner.id, mailbox).ok().and_then(|info| info.id);
    let id = found.ok_or_else(|| {
        Failure::new(format!(
            "{address} has no mailbox {mailbox}; `troika mailbox list {address}` shows those there are"
        ))
    })?;
    Ok((owner.id, id))
}

fn whom(world: &World, near: &str, with: &str) -> Result<(Who, Effect), Failure> {
    let near = super::address(near)?;
    let (effect, name) = match with.strip_prefix('-') {
        Some(name) => (Effect::Deny, name),
        None => (Effect::Grant, with),
    };
    let who =
        agents::identify(world, Some(&near), name).map_err(|why| Failure::new(why.text.into_owned()))?;
    Ok((who, effect))
}
