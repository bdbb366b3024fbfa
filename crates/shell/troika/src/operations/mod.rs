//! What the command line can do to the store, run by the server for its control socket, or by the command itself when
//! no server runs. One file for each noun of the command line.

mod account;
mod alias;
mod app_password;
pub mod collect;
mod dkim;
mod domain;
mod history;
mod index;
mod list;
mod mailbox;
mod migrate;
mod queue;
mod redirect;
mod sender;
mod store;
mod suppression;
mod tls_reports;
mod transfer;

use crate::control::{Failure, Request, Sink};
use agents::World;
use model::{Domain, EmailAddress, UnixTime};
use std::time::{SystemTime, UNIX_EPOCH};

/// Does what is asked.
///
/// # Errors
/// A sentence for the person.
pub fn run(world: &World, request: Request, body: &[u8], out: &mut dyn Sink) -> Result<(), Failure> {
    match request {
        Request::Domain(command) => domain::run(world, command, out),
        Request::Account { command, password } => {
            account::run(world, command, password.map(|password| password.0), body, out)
        }
        Request::Alias(command) => alias::run(world, directory::AliasKind::Alias, command, out),
        Request::Group(command) => alias::run(world, directory::AliasKind::Group, command, out),
        Request::Redirect(command) => redirect::run(world, command, out),
        Request::List(command) => list::run(world, command, out),
        Request::Collect { command, password } => {
            collect::run(world, command, password.map(|password| password.0), out)
        }
        Request::AppPassword(command) => app_password::run(world, command, out),
        Request::Dkim(command) => dkim::run(world, command, body, out),
        Request::Mailbox(command) => mailbox::run(world, command, out),
        Request::Queue(command) => queue::run(world, command, out),
        Request::Sender(command) => sender::run(world, command, out),
        Request::Suppression(command) => suppression::run(world, command, out),
        Request::TlsReports(command) => tls_reports::run(world, command, out),
        Request::Store(command) => store::run(world, &command, out),
        Request::Index(command) => index::run(world, command, out),
        Request::Migrate { command, password } => {
            migrate::run(world, &command, password.map(|password| password.0), body, out)
        }
        Request::ImportBatch { account, mailbox, messages } => {
            transfer::import(world, &account, &mailbox, &messages, body, out)
        }
        Request::ExportBatch { account, mailbox, from } => {
            transfer::export(world, &account, &mailbox, from, out)
        }
    }
}

impl From<directory::Error> for Failure {
    fn from(error: directory::Error) -> Failure {
        Failure::new(error.to_string())
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Failure {
        Failure::new(error.to_string())
    }
}

impl From<engine::Abort> for Failure {
    fn from(abort: engine::Abort) -> Failure {
        match abort {
            engine::Abort::Engine(error) => error.into(),
            engine::Abort::Cancelled => Failure::new("the store refused the change"),
        }
    }
}

fn address(text: &str) -> Result<EmailAddress, Failure> {
    EmailAddress::parse(text).map_err(|error| Failure::new(format!("{text} is no address: {error}")))
}

fn domain_name(text: &str) -> Result<Domain, Failure> {
    Domain::new(text).map_err(|error| Failure::new(format!("{text} is no domain: {error}")))
}

fn account(world: &World, text: &str) -> Result<directory::Account, Failure> {
    let address = address(text)?;
    world.directory.account(&address)?.ok_or_else(|| {
        Failure::new(format!("there is no account {address}; `troika account list` shows those there are"))
    })
}

/// Seconds since 1970.
pub fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Sixteen letters and digits in four groups, about 80 bits: easy to type, hard to guess.
pub fn random_password() -> String {
    const SIGNS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).unwrap_or_else(|error| panic!("the system gives no random numbers: {error}"));
    let mut text = String::new();
    for (index, byte) in bytes.into_iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(SIGNS[usize::from(byte) % SIGNS.len()]));
    }
    text
}
