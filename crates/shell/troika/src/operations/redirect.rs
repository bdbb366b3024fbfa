//! `troika redirect`

use super::address;
use crate::cli::arguments::Redirect as Command;
use crate::control::{Failure, Sink};
use agents::World;
use directory::Redirect;

/// Entries read at a time.
const PAGE: usize = 500;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    let directory = &world.directory;
    match command {
        Command::Set { address: of, targets, keep } => {
            let targets = targets.iter().map(|target| address(target)).collect::<Result<_, _>>()?;
            directory.set_redirect(Redirect { address: address(&of)?, targets, keep }).wait()?;
            let copy = if keep { ", and a copy stays" } else { "" };
            out.say(format!("mail of {of} goes on from now on{copy}"))
        }
        Command::List => {
            let mut after = None;
            loop {
                let page = directory.redirects(None, after, PAGE)?;
                let Some((last, _)) = page.last() else { return Ok(()) };
                after = Some(*last);
                page.into_iter().try_for_each(|(_, redirect)| out.row(redirect))?;
            }
        }
        Command::Show { address: of } => {
            let shown = directory.redirect(&address(&of)?)?;
            out.row(shown.ok_or_else(|| Failure::new(format!("mail of {of} is not sent on")))?)
        }
        Command::Remove { address: of } => {
            directory.remove_redirect(&address(&of)?).wait()?;
            out.say(format!("mail of {of} is sent on no longer"))
        }
    }
}
