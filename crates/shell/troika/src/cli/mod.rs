//! The command line: what is typed, how the store is reached, how answers are shown.

pub mod arguments;
mod collect;
mod dns;
mod files;
mod queue;
mod reach;
mod show;
mod transfer;

pub use reach::Reach;
pub use show::Terminal;

use crate::config::Config;
use crate::control::{Failure, Request};
use arguments::{Account, Arguments, Command, Migrate};
use std::io::Read;

/// Runs a command that needs the store; `serve` and the like are done by `main`.
///
/// # Errors
/// A sentence for the person.
pub fn run(arguments: &Arguments, command: Command) -> Result<(), Failure> {
    let path = Config::find(arguments.config.as_deref()).map_err(|error| Failure::new(error.to_string()))?;
    let config = Config::load(&path).map_err(|error| Failure::new(error.to_string()))?;
    let mut terminal = Terminal::new(arguments.json);
    if let Command::Store(arguments::Store::Rebuild { salvage }) = command {
        let rebuilt = reach::rebuild(&config, salvage, &mut terminal);
        return rebuilt.and(handed_back(&config));
    }
    let mut reach = Reach::open(&config)?;
    let alone = matches!(reach, Reach::Alone(_));
    let outcome = match command {
        Command::Domain(command) => reach.ask(&Request::Domain(command), b"", &mut terminal),
        Command::Account(command) => account(&mut reach, command, &mut terminal),
        Command::Alias(command) => reach.ask(&Request::Alias(command), b"", &mut terminal),
        Command::Group(command) => reach.ask(&Request::Group(command), b"", &mut terminal),
        Command::Redirect(command) => reach.ask(&Request::Redirect(command), b"", &mut terminal),
        Command::List(command) => reach.ask(&Request::List(command), b"", &mut terminal),
        Command::Collect(command) => collect::run(&mut reach, &config, command, &mut terminal),
        Command::AppPassword(command) => reach.ask(&Request::AppPassword(command), b"", &mut terminal),
        Command::Dkim(command) => dkim(&mut reach, command, &mut terminal),
        Command::Dns(command) => dns::run(&mut reach, &config, command, &mut terminal, arguments.json),
        Command::Mailbox(command) => reach.ask(&Request::Mailbox(command), b"", &mut terminal),
        Command::Queue(command) => {
            if matches!(command, arguments::Queue::History { .. }) {
                terminal.view(queue::dated);
            }
            if matches!(command, arguments::Queue::List(_)) {
                terminal.view(queue::brief);
            }
            reach.ask(&Request::Queue(command), b"", &mut terminal)
        }
        Command::Sender(command) => reach.ask(&Request::Sender(command), b"", &mut terminal),
        Command::TlsReports(command) => {
            terminal.view(queue::dated);
            reach.ask(&Request::TlsReports(command), b"", &mut terminal)
        }
        Command::Suppression(command) => reach.ask(&Request::Suppression(command), b"", &mut terminal),
        Command::Store(command) => reach.ask(&Request::Store(command), b"", &mut terminal),
        Command::Index(command) => reach.ask(&Request::Index(command), b"", &mut terminal),
        Command::Import(import) => transfer::import(&mut reach, &import, &mut terminal),
        Command::Migrate(command) => migrate(&mut reach, command, &mut terminal),
        Command::Export(export) => transfer::export(&mut reach, &export, &mut terminal),
        Command::Quickstart(_)
        | Command::Serve
        | Command::Config(_)
        | Command::Completions { .. }
        | Command::Man => {
            unreachable!("done by main")
        }
    };
    terminal.finish();
    drop(reach);
    if alone { outcome.and(handed_back(&config)) } else { outcome }
}

fn handed_back(config: &Config) -> Result<(), Failure> {
    let data_dir = &config.server.data_dir;
    crate::serve::hand_back(data_dir).map_err(|error| {
        Failure::new(format!("{} can't be given back to its owner: {error}", data_dir.display()))
    })
}

/// A PEM file with a key of 4096 bits has some 3,300.
const KEY_BYTES_MAX: u64 = 64 * 1024;

/// Adds to an account command what comes from standard input or a file.
fn account(reach: &mut Reach, command: Account, terminal: &mut Terminal) -> Result<(), Failure> {
    let mut body = Vec::new();
    let mut password = None;
    match &command {
        Account::Add { password_stdin: true, .. } | Account::Set { password_stdin: true, .. } => {
            password = Some(crate::control::request::Password(password_from_stdin()?));
        }
        Account::Import { file } if file.as_os_str() == "-" => {
            std::io::stdin().read_to_end(&mut body).map_err(|error| Failure::new(error.to_string()))?;
        }
        Account::Import { file } => {
            body = std::fs::read(file)
                .map_err(|error| Failure::new(format!("{} can't be read: {error}", file.display())))?;
        }
        Account::Remove { yes: false, address } => {
            return Err(Failure::new(format!(
                "this removes {address} and all its mail for good; say --yes when you mean it"
            )));
        }
        _ => {}
    }
    reach.ask(&Request::Account { command, password }, &body, terminal)
}

/// Adds the password and the list of accounts to the command. The server opens the file with the authorities: its path
/// must not depend on where this command was started.
fn migrate(reach: &mut Reach, mut command: Migrate, terminal: &mut Terminal) -> Result<(), Failure> {
    let unreadable = |path: &std::path::Path, error: std::io::Error| {
        Failure::new(format!("{} can't be read: {error}", path.display()))
    };
    if command.password_stdin && command.accounts.as_deref() == Some(std::path::Path::new("-")) {
        return Err(Failure::new("standard input can't be both the password and the list of accounts"));
    }
    let password = match command.password_stdin {
        true => Some(crate::control::request::Password(password_from_stdin()?)),
        false => None,
    };
    let mut list = zeroize::Zeroizing::new(Vec::new());
    match &command.accounts {
        None => {}
        Some(file) if file.as_os_str() == "-" => {
            std::io::stdin().read_to_end(&mut list).map_err(|error| unreadable(file, error))?;
        }
        Some(file) => *list = std::fs::read(file).map_err(|error| unreadable(file, error))?,
    }
    if let Some(file) = &mut command.authorities {
        *file = file.canonicalize().map_err(|error| unreadable(file, error))?;
    }
    reach.ask(&Request::Migrate { command, password }, &list, terminal)
}

/// Adds the key of `import` to the command.
fn dkim(reach: &mut Reach, command: arguments::Dkim, terminal: &mut Terminal) -> Result<(), Failure> {
    let mut key = zeroize::Zeroizing::new(Vec::new());
    if let arguments::Dkim::Import { .. } = command {
        let read = std::io::stdin().take(KEY_BYTES_MAX).read_to_end(&mut key);
        read.map_err(|error| Failure::new(format!("standard input can't be read: {error}")))?;
    }
    reach.ask(&Request::Dkim(command), &key, terminal)
}

pub(super) fn password_from_stdin() -> Result<String, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| Failure::new(error.to_string()))?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::new("standard input had no password; write it on one line"));
    }
    Ok(password.to_owned())
}
