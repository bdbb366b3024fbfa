//! `troika account`

use super::{account, address, now, random_password};
use crate::cli::arguments::Account as Command;
use crate::config::ByteSize;
use crate::control::{Failure, Sink};
use agents::World;
use directory::{AccountChange, NewAccount, Quota, Role};
use secrecy::SecretString;
use serde_json::json;
use store::Limits;

/// Entries read at a time.
const PAGE: usize = 500;

pub(super) fn run(
    world: &World,
    command: Command,
    password: Option<String>,
    body: &[u8],
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    let directory = &world.directory;
    match command {
        Command::Add { address: text, quota, quota_messages, name, shared, admin, .. } => {
            let made = (password.is_none() && !shared).then(random_password);
            let new = NewAccount {
                address: address(&text)?,
                display_name: name.unwrap_or_default(),
                password: password.or_else(|| made.clone()).map(SecretString::from),
                quota: Quota { bytes: quota.map(|quota| quota.0), messages: quota_messages },
                role: match (shared, admin) {
                    (true, _) => Role::Shared,
                    (_, true) => Role::Administrator,
                    _ => Role::Person,
                },
            };
            let id = directory.add_account(new, now()).wait()?;
            match made {
                Some(password) => out.row(json!({ "address": text, "id": id.0, "password": password })),
                None => out.say(format!("added the account {text}")),
            }
        }
        Command::Import { .. } => import(world, body, out),
        Command::List => {
            let mut after = None;
            loop {
                let page = directory.accounts(None, after, PAGE)?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(last.id);
                page.into_iter().try_for_each(|account| out.row(account))?;
            }
        }
        Command::Show { address: text } => show(world, &text, out),
        Command::Set { address: text, quota, quota_messages, name, disabled, admin, .. } => {
            let found = account(world, &text)?;
            if found.role == Role::Shared && (password.is_some() || admin.is_some()) {
                return Err(Failure::new("nobody logs in to a shared account"));
            }
            let role = admin.map(|admin| if admin { Role::Administrator } else { Role::Person });
            let password = password.map(SecretString::from);
            let change = AccountChange { display_name: name, disabled, password, role };
            directory.set_account(&found.address, change).wait()?;
            if quota.is_some() || quota_messages.is_some() {
                set_quota(world, &found, quota, quota_messages)?;
            }
            out.say(format!("changed the account {text}"))
        }
        Command::Remove { address: text, .. } => {
            let id = directory.remove_account(&address(&text)?).wait()?;
            while world.store.purge(id).wait().map_err(store_failure)? {}
            out.say(format!("removed the account {text} and its mail"))
        }
    }
}

fn import(world: &World, body: &[u8], out: &mut dyn Sink) -> Result<(), Failure> {
    let lines = body.iter().filter(|byte| **byte == b'\n').count() as u64;
    let outcome = world.directory.import_csv(&mut &*body, now(), &mut |done| out.progress(done, lines))?;
    for error in &outcome.errors {
        out.say(format!("line {}: {}", error.line, error.why))?;
    }
    let sentence =
        format!("{} accounts were made, {} lines were not taken", outcome.created, outcome.errors.len());
    if outcome.errors.is_empty() { out.say(sentence) } else { Err(Failure::new(sentence)) }
}

fn show(world: &World, text: &str, out: &mut dyn Sink) -> Result<(), Failure> {
    let found = account(world, text)?;
    let usage = world.store.usage(found.id).map_err(store_failure)?;
    let aliases: Vec<String> =
        world.directory.aliases_of(&found.address)?.iter().map(|alias| alias.address.to_string()).collect();
    let mut row = serde_json::to_value(&found).map_err(|error| Failure::new(error.to_string()))?;
    let more = json!({
        "bytes": usage.bytes, "messages": usage.messages, "mailboxes": usage.mailboxes,
        "quota_bytes": usage.limits.bytes, "quota_messages": usage.limits.messages, "aliases": aliases,
    });
    if let (Some(fields), serde_json::Value::Object(more)) = (row.as_object_mut(), more) {
        fields.extend(more);
    }
    out.row(row)
}

fn set_quota(
    world: &World,
    account: &directory::Account,
    bytes: Option<ByteSize>,
    messages: Option<u64>,
) -> Result<(), Failure> {
    let now = world.store.usage(account.id).map_err(store_failure)?.limits;
    let limits = Limits {
        bytes: bytes.map_or(now.bytes, |size| Some(size.0).filter(|bytes| *bytes > 0)),
        messages: messages.map_or(now.messages, |count| Some(count).filter(|count| *count > 0)),
    };
    world.store.set_limits(account.id, limits).wait().map_err(store_failure)
}

pub(super) fn store_failure(error: store::Error) -> Failure {
    Failure::new(error.to_string())
}
