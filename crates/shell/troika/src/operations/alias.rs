//! `troika alias` and `troika group`

use super::address;
use crate::cli::arguments::Alias as Command;
use crate::control::{Failure, Sink};
use agents::World;
use directory::{Alias, AliasKind};

/// Entries read at a time.
const PAGE: usize = 500;

pub(super) fn run(
    world: &World,
    kind: AliasKind,
    command: Command,
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    let directory = &world.directory;
    let word = match kind {
        AliasKind::Alias => "alias",
        AliasKind::Group => "group",
    };
    let made = |address_text: &str, targets: &[String]| -> Result<Alias, Failure> {
        let targets = targets.iter().map(|target| address(target)).collect::<Result<_, _>>()?;
        Ok(Alias { kind, address: address(address_text)?, targets })
    };
    match command {
        Command::Add { address, targets } => {
            directory.add_alias(made(&address, &targets)?).wait()?;
            out.say(format!("added the {word} {address}"))
        }
        Command::Set { address, targets } => {
            directory.set_alias(made(&address, &targets)?).wait()?;
            out.say(format!("changed the {word} {address}"))
        }
        Command::Remove { address: text } => {
            directory.remove_alias(kind, &address(&text)?).wait()?;
            out.say(format!("removed the {word} {text}"))
        }
        Command::List => each(world, kind, &mut |alias| out.row(alias)),
        Command::Show { address: text } => {
            let wanted = address(&text)?;
            let mut found = None;
            each(world, kind, &mut |alias| {
                if alias.address == wanted {
                    found = Some(alias);
                }
                Ok(())
            })?;
            out.row(found.ok_or_else(|| Failure::new(format!("there is no {word} {wanted}")))?)
        }
    }
}

fn each(
    world: &World,
    kind: AliasKind,
    visit: &mut dyn FnMut(Alias) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = world.directory.aliases(kind, None, after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.address.clone());
        page.into_iter().try_for_each(&mut *visit)?;
    }
}
