//! `troika list`

use super::{address, now};
use crate::cli::arguments::{self as cli, ListOptions, MailingList as Command};
use crate::control::{Failure, Sink};
use agents::World;
use lists::{List, PostState, Settings};
use serde_json::json;

/// Entries read at a time.
const PAGE: usize = 500;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    let lists = &world.lists;
    match command {
        Command::Add { address: text, options } => {
            lists.add(&address(&text)?, settings(Settings::default(), options)?, now()).wait()?;
            out.say(format!("added the list {text}"))
        }
        Command::List => lists.all()?.into_iter().try_for_each(|list| out.row(list)),
        Command::Show { address: text } => out.row(find(world, &text)?),
        Command::Set { address: text, options } => {
            let list = find(world, &text)?;
            lists.set(list.number, settings(list.settings, options)?).wait()?;
            out.say(format!("changed the list {text}"))
        }
        Command::Remove { address: text } => {
            lists.remove(find(world, &text)?.number).wait()?;
            out.say(format!("removed the list {text}"))
        }
        Command::Subscribe { list, addresses } => {
            let addresses = addresses.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
            let new = lists.subscribe(find(world, &list)?.number, addresses, now()).wait()?;
            out.say(format!("{new} new members of {list}"))
        }
        Command::Unsubscribe { list, addresses } => {
            let addresses = addresses.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
            let gone = lists.unsubscribe(find(world, &list)?.number, addresses).wait()?;
            out.say(format!("{gone} members of {list} were removed"))
        }
        Command::Members { list } => members(world, &find(world, &list)?, out),
        Command::Held { list } => held(world, list.as_deref(), out),
        Command::Approve { ids } => decide(&ids, "goes to the members", out, |id| {
            lists.approve(id).wait()?;
            lists.ring();
            Ok(())
        }),
        Command::Discard { ids } => decide(&ids, "was thrown away", out, |id| {
            lists.discard(id).wait()?;
            Ok(())
        }),
        Command::Reject { ids, reason } => decide(&ids, "was thrown away; its author is told", out, |id| {
            let post = lists.discard(id).wait()?;
            agents::lists::reject(world, &post, &reason).map_err(Failure::new)
        }),
    }
}

fn members(world: &World, list: &List, out: &mut dyn Sink) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let page = world.lists.members(list.number, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.number;
        page.into_iter().try_for_each(|member| out.row(member))?;
    }
}

fn held(world: &World, list: Option<&str>, out: &mut dyn Sink) -> Result<(), Failure> {
    let only = list.map(|list| find(world, list)).transpose()?;
    let (all, mut after) = (world.lists.all()?, 0);
    loop {
        let page = world.lists.posts(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for post in page {
            let PostState::Held(why) = &post.state else { continue };
            let list = all.iter().find(|list| list.number == post.list);
            if only.as_ref().is_none_or(|only| only.number == post.list) {
                out.row(json!({
                    "id": post.id, "list": list.map(|list| list.address.to_string()), "from": post.from,
                    "subject": post.subject, "size": post.size, "received": post.received, "why": why,
                }))?;
            }
        }
    }
}

fn decide(
    ids: &[u32],
    done: &str,
    out: &mut dyn Sink,
    act: impl Fn(u32) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for id in ids {
        act(*id)?;
        out.say(format!("message {id} {done}"))?;
    }
    Ok(())
}

fn find(world: &World, text: &str) -> Result<List, Failure> {
    let wanted = address(text)?;
    let normal = directory::normal_address(&wanted);
    let found = world.lists.all()?.into_iter().find(|list| Some(&list.address) == normal.as_ref());
    found.ok_or_else(|| {
        Failure::new(format!("there is no list {wanted}; `troika list list` shows those there are"))
    })
}

fn settings(mut settings: Settings, options: ListOptions) -> Result<Settings, Failure> {
    if let Some(name) = options.name {
        settings.name = name;
    }
    if !options.owners.is_empty() {
        let owners = options.owners.iter().map(|text| address(text).map(|owner| owner.to_string()));
        settings.owners = owners.collect::<Result<_, _>>()?;
    }
    if let Some(posting) = options.posting {
        settings.posting = match posting {
            cli::Posting::Anyone => lists::Posting::Anyone,
            cli::Posting::Members => lists::Posting::Members,
            cli::Posting::Owners => lists::Posting::Owners,
        };
    }
    if let Some(others) = options.others {
        settings.others = match others {
            cli::Others::Hold => lists::Others::Hold,
            cli::Others::Refuse => lists::Others::Refuse,
        };
    }
    if let Some(joining) = options.joining {
        settings.joining = match joining {
            cli::Joining::Open => lists::Joining::Open,
            cli::Joining::Closed => lists::Joining::Closed,
        };
    }
    if let Some(visible) = options.visible {
        settings.visible = match visible {
            cli::Visible::Owners => lists::Visible::Owners,
            cli::Visible::Members => lists::Visible::Members,
            cli::Visible::Users => lists::Visible::Users,
        };
    }
    if let Some(language) = options.language {
        settings.language = match language {
            cli::ListLanguage::En => lists::Language::En,
            cli::ListLanguage::Ru => lists::Language::Ru,
        };
    }
    if let Some(tag) = options.subject_tag {
        settings.subject_tag = (!tag.is_empty()).then_some(tag);
    }
    settings.reply_to_list = options.reply_to_list.unwrap_or(settings.reply_to_list);
    settings.from_list = options.from_list.unwrap_or(settings.from_list);
    settings.size_bytes_max = options.size.map_or(settings.size_bytes_max, |size| size.0);
    settings.bounces_max = options.bounces.unwrap_or(settings.bounces_max);
    Ok(settings)
}
