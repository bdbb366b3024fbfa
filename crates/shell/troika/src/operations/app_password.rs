//! `troika app-password`

use super::{account, address, now};
use crate::cli::arguments::{AppPassword as Command, Scope};
use crate::control::{Failure, Sink};
use agents::World;
use directory::{Scopes, Service};
use secrecy::ExposeSecret;
use serde_json::json;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    let directory = &world.directory;
    match command {
        Command::Add { address: text, name, scope } => {
            let services: Vec<Service> = scope.iter().copied().map(service).collect();
            let scopes = if services.is_empty() { Scopes::ALL } else { Scopes::of(&services) };
            let made = directory.add_app_password(&address(&text)?, &name, scopes, now()).wait()?;
            out.row(json!({ "address": text, "name": name, "password": made.secret.expose_secret() }))
        }
        Command::List { address: text } => {
            let owner = account(world, &text)?;
            directory.app_passwords(&owner.address)?.into_iter().try_for_each(|password| {
                let good_for: Vec<&str> =
                    [(Service::Smtp, "smtp"), (Service::Imap, "imap"), (Service::Pop3, "pop3")]
                        .into_iter()
                        .filter_map(|(service, word)| password.scopes.has(service).then_some(word))
                        .collect();
                out.row(json!({
                    "name": password.name, "scope": good_for, "created": password.created.0,
                    "last_used": password.last_used,
                }))
            })
        }
        Command::Revoke { address: text, name } => {
            directory.remove_app_password(&address(&text)?, &name).wait()?;
            out.say(format!("revoked the application password {name} of {text}"))
        }
    }
}

fn service(scope: Scope) -> Service {
    match scope {
        Scope::Smtp => Service::Smtp,
        Scope::Imap => Service::Imap,
        Scope::Pop3 => Service::Pop3,
    }
}
