//! Several clients give random IMAP commands to a real server at the same time. Each keeps a replica of its mailbox from the
//! untagged responses; every response is held against the rules (RFC 9051 §7, RFC 7162, RFC 9586) and against what the
//! other clients have seen; in quiet moments all replicas must equal what a fresh client sees, and that must follow from
//! the commands that were acknowledged.
//!
//! The seed decides every client's commands, though not how they interleave; a run with the same seed soon fails the same way.

mod choice;
mod client;
mod command;
mod contexts;
mod dates;
mod facts;
mod flags;
mod lasting;
mod ledger;
mod orders;
mod outcome;
mod parts;
mod place;
mod quiet;
mod random;
mod replica;
mod server;
mod session;
mod settings;
mod shared;
mod threads;
mod untagged;
mod watching;
mod wire;
mod wishes;

use clap::Parser;
use quiet::{Judge, check_names, merge};
use random::Random;
use server::Server;
use shared::{Shared, lock};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(name = "storm", about = "Random IMAP sessions against a model")]
struct Arguments {
    /// The server's program
    #[arg(long, default_value = "target/release/troika")]
    server: PathBuf,
    /// How long, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How long, in minutes; instead of --seconds
    #[arg(long)]
    minutes: Option<u64>,
    /// What decides the commands; by default another one each time
    #[arg(long)]
    seed: Option<u64>,
    /// Connections at the same time
    #[arg(long, default_value_t = 6)]
    clients: usize,
    /// Accounts that they share
    #[arg(long, default_value_t = 2)]
    accounts: usize,
    /// Commands of each client between two quiet moments
    #[arg(long, default_value_t = 60)]
    commands: usize,
    /// The server is ended and started again in one of so many rounds, by SIGTERM and by SIGKILL; 0: never
    #[arg(long, default_value_t = 0)]
    restarts: usize,
    /// Clients watch their other mailboxes (NOTIFY)
    #[arg(long)]
    notify: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |now| now.as_nanos() as u64 % 1_000_000_000)
    });
    println!("storm: seed {seed}, {} clients, {} accounts", arguments.clients, arguments.accounts);
    match run(&arguments, seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("storm: FAILED with seed {seed}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, seed: u64) -> Result<(), String> {
    if arguments.clients == 0 || arguments.accounts == 0 {
        return Err("at least one client and one account".to_owned());
    }
    let mut server =
        Server::start(&arguments.server, arguments.accounts).map_err(|error| error.to_string())?;
    let shared = Arc::new(Shared::new(server.address, server.accounts.clone(), arguments.clients));
    shared.notify.store(arguments.notify, Ordering::SeqCst);
    let length = Duration::from_secs(arguments.minutes.map_or(arguments.seconds, |minutes| minutes * 60));
    let commands = arguments.commands;
    let ended = prepare(&server, &shared).and_then(|()| {
        let clients: Vec<_> = (0..arguments.clients)
            .map(|number| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || client::live(&shared, number, seed, commands))
            })
            .collect();
        let random = Random::new(seed, u64::MAX);
        let ended = judge(&mut server, &shared, length, Restarts { one_in: arguments.restarts, random });
        if let Err(why) = ended {
            shared.fail(why);
        }
        for client in clients {
            if client.join().is_err() {
                shared.fail("a client panicked: the test is at fault".to_owned());
            }
        }
        shared.failure().map_or(Ok(()), Err)
    });
    match ended {
        Ok(()) => server.stop().map_err(|error| error.to_string()),
        Err(why) => {
            let folder = server.keep();
            let log = folder.join("storm.log");
            let _ = std::fs::write(&log, shared.log());
            let lines: Vec<String> = shared.log().lines().map(str::to_owned).collect();
            for line in &lines[lines.len().saturating_sub(60)..] {
                eprintln!("{line}");
            }
            Err(format!("{why}\nall conversations: {}; the server's folder is beside it", log.display()))
        }
    }
}

/// Makes the mailboxes that always are.
fn prepare(server: &Server, shared: &Arc<Shared>) -> Result<(), String> {
    for account in 0..shared.accounts.len() {
        let mut judge = Judge::open(shared, account)?;
        for name in place::FIXED.iter().filter(|name| **name != "INBOX") {
            judge.run(&format!("CREATE {name}"))?;
        }
        let share = |name, rights, seen| server.share(Some(account), name, rights, seen);
        let flux = if place::has_one_seen(account) { "shared" } else { "private" };
        share(place::GAMMA, place::RIGHTS, "shared")
            .and_then(|()| share(place::DELTA, place::RIGHTS, "private"))
            .and_then(|()| share(place::FLUX, "l", flux))
            .map_err(|error| error.to_string())?;
    }
    server.share(None, "INBOX", place::RIGHTS, "shared").map_err(|error| error.to_string())?;
    fill(&mut Judge::open(shared, 0)?, shared)
}

/// Makes the large mailbox.
fn fill(judge: &mut Judge, shared: &Shared) -> Result<(), String> {
    judge.run(&format!("CREATE {}", place::MASS))?;
    let mut random = Random::new(0, 0);
    let mut ops = Vec::new();
    for _ in 0..place::MASS_MESSAGES / 100 {
        let mut text = format!("APPEND {}", place::MASS);
        for _ in 0..100 {
            let (message, content) = command::message(&mut random, shared.new_id());
            let message = String::from_utf8(message).map_err(|error| error.to_string())?;
            text += &format!("{} {{{}+}}\r\n{message}", dates::given(content.id), message.len());
            let what = ledger::What::Unanswered { content };
            ops.push(ledger::Op { begin: 0, end: 0, key: (0, 0), what, effect: ledger::Effect::Partial });
        }
        judge.run(&text)?;
    }
    lock(&shared.ops).extend(ops);
    Ok(())
}

/// When the server is ended in the midst of a round.
struct Restarts {
    /// In one of so many rounds; 0: never.
    one_in: usize,
    random: Random,
}

impl Restarts {
    fn perhaps(&mut self, server: &mut Server, shared: &Shared) -> Result<(), String> {
        if self.one_in == 0 || self.random.below(self.one_in) != 0 || shared.over.load(Ordering::SeqCst) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(self.random.below(300) as u64));
        let signal = *self.random.pick(&["-TERM", "-KILL"]);
        shared.ended.store(true, Ordering::SeqCst);
        *lock(&shared.counts)
            .entry(if signal == "-TERM" { "(SIGTERM)" } else { "(SIGKILL)" })
            .or_default() += 1;
        server.restart(signal).map_err(|error| error.to_string())
    }
}

/// Opens the gate from round to round, and looks at everything in between.
fn judge(
    server: &mut Server,
    shared: &Arc<Shared>,
    length: Duration,
    mut restarts: Restarts,
) -> Result<(), String> {
    let begun = Instant::now();
    let (mut told, mut lasting) = (Instant::now(), lasting::Lasting::default());
    let mut dates = dates::Dates::default();
    let (mut ledger, mut settings) = (ledger::Ledger::default(), settings::Settings::default());
    let (mut rounds, mut uncertain_rounds) = (0_u64, 0_u64);
    let failed = |_| "another failed first".to_owned();
    while !shared.over.load(Ordering::SeqCst) {
        restarts.perhaps(server, shared)?;
        shared.gate().map_err(failed)?;
        shared.gate().map_err(failed)?;
        shared.ended.store(false, Ordering::SeqCst);
        let (mut truths, mut views) = (Vec::new(), Vec::new());
        for account in 0..shared.accounts.len() {
            let (truth, view) = Judge::open(shared, account)?.look()?;
            truths.push(truth);
            views.push(view);
        }
        let uncertain = shared.uncertain.load(Ordering::SeqCst);
        check_names(shared, &truths)?;
        shared.uncertain.store(false, Ordering::SeqCst);
        let merged = merge(&truths)?;
        lasting.settle(&truths, &mut lock(&shared.facts), shared.tick())?;
        dates.settle(&truths, &mut lock(&shared.facts))?;
        let (sighted, mailboxes) = quiet::sighted(&truths, &views)?;
        settings.settle(&std::mem::take(&mut *lock(&shared.settings)), sighted, mailboxes)?;
        *lock(&shared.truths) = Arc::new(truths);
        *lock(&shared.views) = Arc::new(views);
        let ops = std::mem::take(&mut *lock(&shared.ops));
        ledger.settle(ops, shared.tick(), merged)?;
        lock(&shared.facts).tidy();
        rounds += 1;
        uncertain_rounds += u64::from(uncertain);
        if told.elapsed() > Duration::from_secs(60) {
            told = Instant::now();
            println!("storm: {} s, {rounds} rounds", begun.elapsed().as_secs());
        }
        if begun.elapsed() >= length {
            shared.over.store(true, Ordering::SeqCst);
        }
        shared.gate().map_err(failed)?;
        shared.gate().map_err(failed)?;
    }
    let counts = lock(&shared.counts);
    let mut counts: Vec<_> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    counts.sort();
    println!(
        "storm: no difference in {rounds} rounds ({uncertain_rounds} with names of unknown outcome), {} messages and {} settings compared; {}",
        ledger.checked,
        settings.checked,
        counts.join(", ")
    );
    Ok(())
}
