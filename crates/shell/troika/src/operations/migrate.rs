//! `troika migrate`: accounts from another server, some at the same time. The server does it, so that the accounts are
//! in use meanwhile; the command only shows how far it is. When the command goes away, it ends after the message at hand.

mod rows;
mod wanted;

use super::account;
use crate::cli::arguments::Migrate as Command;
use crate::control::{Event, Failure, Sink};
use agents::World;
use collect::{Credentials, Environment, Secret};
use engine::AccountId;
use migration::{Choice, Copying, Options, SourceId};
use mover::{Address, ImapSource, Job, Outcome, Report};
use parking_lot::Mutex;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::Runtime;
use wanted::Wanted;

/// Accounts at the same time, at most.
const AT_ONCE_MAX: usize = 64;

pub(super) fn run(
    world: &World,
    command: &Command,
    password: Option<String>,
    body: &[u8],
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    let address = Address::parse(&command.from)
        .map_err(|error| Failure::new(format!("--from {}: {error}", command.from)))?;
    let list = match &command.account {
        Some(local) => vec![wanted::one(&address, local, password)?],
        None => wanted::list(body, password.as_deref(), command.master.is_some())?,
    };
    let is_list = command.account.is_none();
    let environment = environment(world, command)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (send, heard) = channel();
    let shared = Shared {
        world,
        command,
        address: &address,
        environment: &environment,
        list: &list,
        next: AtomicUsize::new(0),
        stop: stop.clone(),
    };
    std::thread::scope(|scope| {
        let workers = usize::from(command.at_once).clamp(1, AT_ONCE_MAX).min(list.len());
        for _ in 0..workers {
            let (shared, send) = (&shared, send.clone());
            scope.spawn(move || shared.work(&send));
        }
        drop(send);
        let told = tell(&heard, &list, is_list, command.dry_run, out);
        // Nobody listens any more, or all is done.
        stop.store(true, Ordering::Relaxed);
        told
    })
}

/// What workers share.
struct Shared<'a> {
    world: &'a World,
    command: &'a Command,
    address: &'a Address,
    environment: &'a Environment,
    list: &'a [Wanted],
    next: AtomicUsize,
    stop: Arc<AtomicBool>,
}

/// What a worker tells of an account of the list.
enum Heard {
    Report(Report),
    Ended(Result<Outcome, Failure>),
}

impl Shared<'_> {
    /// Takes accounts until there are no more.
    fn work(&self, send: &Sender<(usize, Heard)>) {
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(wanted) = self.list.get(at) else { return };
            let mut report = |report| {
                if send.send((at, Heard::Report(report))).is_err() {
                    self.stop.store(true, Ordering::Relaxed);
                }
            };
            let ended = self.copy(wanted, &mut report);
            if send.send((at, Heard::Ended(ended))).is_err() {
                return;
            }
        }
    }

    fn copy(&self, wanted: &Wanted, report: &mut dyn FnMut(Report)) -> Result<Outcome, Failure> {
        let account = account(self.world, &wanted.account)?.id;
        let _busy = Busy::take(account).ok_or_else(|| {
            Failure::new(format!("mail is being copied to {} already; wait for that to end", wanted.account))
        })?;
        let command = self.command;
        let job = Job {
            copying: Copying {
                store: (*self.world.store).clone(),
                account,
                source: SourceId { user: wanted.user.clone(), server: self.address.server() },
                options: Options {
                    keep_local_flags: command.keep_local_flags,
                    delete: command.delete,
                    dry_run: command.dry_run,
                },
            },
            choice: Choice { folders: command.folders.clone(), exclude: command.exclude.clone() },
            give_up_after: Duration::from_secs(u64::from(command.give_up_after)),
            stop: self.stop.clone(),
        };
        let secret = Secret::Password(SecretString::from(wanted.password.0.clone()));
        let (user, authorize_as) = match &command.master {
            Some(master) => (master.clone(), Some(&*wanted.user)),
            None => (wanted.user.clone(), None),
        };
        let credentials = Credentials { user, secret };
        let mut source = ImapSource::new(self.address, credentials, authorize_as, self.environment.clone());
        Ok(runtime()?.block_on(mover::run(&job, &mut source, report)))
    }
}

/// Connections to other servers: the authorities that the command names, or the system's.
fn environment(world: &World, command: &Command) -> Result<Environment, Failure> {
    let authorities = match &command.authorities {
        Some(file) => {
            net::authorities(file).map_err(|error| Failure::new(format!("--authorities: {error}")))?
        }
        None => net::system_authorities(),
    };
    Ok(Environment::new(world.resolver.clone(), Arc::new(authorities)))
}

/// For all commands of the process, and as long as it lives: the resolver keeps connections of it.
fn runtime() -> Result<&'static Runtime, Failure> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let made = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let made = made.map_err(|error| Failure::new(format!("no threads can be started: {error}")))?;
    Ok(RUNTIME.get_or_init(|| made))
}

/// An account that mail is copied to: by one at a time.
struct Busy(AccountId);

static BUSY: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

impl Busy {
    fn take(account: AccountId) -> Option<Busy> {
        BUSY.lock().insert(account.0).then(|| Busy(account))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.lock().remove(&self.0.0);
    }
}

/// Shows what workers tell, and at the end whether all came over.
fn tell(
    heard: &Receiver<(usize, Heard)>,
    list: &[Wanted],
    is_list: bool,
    dry_run: bool,
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    let mut progress = vec![(0, 0); list.len()];
    let mut incomplete = 0u64;
    let mut why = None;
    for (at, one) in heard {
        let wanted = &list[at];
        match one {
            Heard::Report(Report::Progress(done, of)) => {
                progress[at] = (done, of);
                let sum = progress.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                let told = out.event(Event::Progress(sum.0, sum.1), b"");
                told.map_err(|error| Failure::new(error.to_string()))?;
            }
            Heard::Report(Report::Say(text)) if is_list => out.say(format!("{}: {text}", wanted.account))?,
            Heard::Report(Report::Say(text)) => out.say(text)?,
            Heard::Ended(ended) => {
                let is_complete = ended.as_ref().is_ok_and(Outcome::is_complete);
                incomplete += u64::from(!is_complete);
                rows::say(wanted, &ended, is_list, out)?;
                match (is_list, ended) {
                    (true, ended) => out.row(rows::account(wanted, &ended, dry_run))?,
                    (false, Ok(outcome)) => {
                        rows::folders(&outcome, dry_run).into_iter().try_for_each(|row| out.row(row))?;
                        why = rows::trouble(&outcome);
                    }
                    (false, Err(failure)) => return Err(failure),
                }
            }
        }
    }
    match (incomplete, is_list) {
        (0, _) => Ok(()),
        (_, false) => Err(Failure::new(why.unwrap_or_else(|| "not everything came over".into()))),
        (count, true) => Err(Failure::new(format!(
            "of {} accounts {count} did not come over in full; mend what is told of them, then run it again: \
             it only copies what is missing",
            list.len()
        ))),
    }
}
