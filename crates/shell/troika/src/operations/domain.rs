//! `troika domain`

use super::{address, domain_name, now};
use crate::cli::arguments::{Domain as Command, Relay};
use crate::control::{Failure, Sink};
use agents::World;
use directory::DomainChange;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    let directory = &world.directory;
    match command {
        Command::Add { domain, catch_all, relay } => {
            let name = domain_name(&domain)?;
            directory.add_domain(&name, now()).wait()?;
            if catch_all.is_some() || relay.is_some() {
                let catch_all = catch_all.map(|text| address(&text)).transpose()?;
                let change = DomainChange {
                    catch_all: catch_all.map(Some),
                    relay: relay.map(relaying),
                    ..DomainChange::default()
                };
                directory.set_domain(&name, change).wait()?;
            }
            out.say(format!("added the domain {name}"))
        }
        Command::List => directory.domains()?.into_iter().try_for_each(|domain| out.row(domain)),
        Command::Show { domain } => {
            let name = domain_name(&domain)?;
            let shown = directory.domain(&name)?;
            out.row(shown.ok_or_else(|| Failure::new(format!("{name} is not a domain of this server")))?)
        }
        Command::Set { domain, catch_all, subaddress_separator, disabled, relay } => {
            let name = domain_name(&domain)?;
            let catch_all = match catch_all.as_deref() {
                None => None,
                Some("") => Some(None),
                Some(text) => Some(Some(address(text)?)),
            };
            let separator = subaddress_separator.map(|text| text.chars().next());
            let relay = relay.map(relaying);
            let change = DomainChange { disabled, catch_all, separator, alias_of: None, relay };
            directory.set_domain(&name, change).wait()?;
            out.say(format!("changed the domain {name}"))
        }
        Command::Remove { domain } => {
            let name = domain_name(&domain)?;
            directory.remove_domain(&name).wait()?;
            out.say(format!("removed the domain {name}"))
        }
    }
}

fn relaying(relay: Relay) -> directory::Relay {
    match relay {
        Relay::No => directory::Relay::No,
        Relay::All => directory::Relay::All,
        Relay::Known => directory::Relay::Known,
    }
}
