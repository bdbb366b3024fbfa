//! Log-ins, the same for every protocol: the directory's verdict, held back as long as the throttle says.

use crate::introspection::{Introspected, introspect};
use crate::metrics::{By, Protocol};
use crate::world::World;
use directory::Service;
use engine::AccountId;
use model::EmailAddress;
use sasl::{Question, Reply, Verdict};
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;
use tokio::sync::Semaphore;

/// Who logged in on a connection.
#[derive(Clone, Debug)]
pub struct Login {
    /// Whose mailboxes.
    pub account: AccountId,
    /// The account's own address.
    pub address: EmailAddress,
}

/// Log-ins that are worked on at once, one for each core: argon2 is all computing, and takes 19 MiB a time. The others
/// wait without a thread. (A queue of guesses must not take all threads for blocking work, which readers of disks need as
/// well.)
static AT_ONCE: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Semaphore::new(cores.clamp(2, 32))
});

/// Answers a question of a log-in; with a granted one, who it is.
pub(crate) async fn answer(
    world: &Arc<World>,
    protocol: Protocol,
    peer: Option<IpAddr>,
    trace: &str,
    question: Question,
) -> (Reply, Option<Login>) {
    let service = match protocol {
        Protocol::Smtp | Protocol::Submission | Protocol::Lmtp => Service::Smtp,
        Protocol::Pop3 => Service::Pop3,
        Protocol::Imap => Service::Imap,
    };
    let asked = world.clone();
    // Before a place is taken: the issuer may be slow.
    let introspected = introspect(world, peer, trace, &question).await;
    if matches!(introspected, Introspected::Unavailable) {
        return (Reply::Verdict(Verdict::Unavailable), None);
    }
    // The semaphore is never closed.
    let place = AT_ONCE.acquire().await;
    // argon2 takes tens of milliseconds of a core: not on a thread that moves bytes.
    let work = tokio::task::spawn_blocking(move || {
        let (directory, now) = (&asked.directory, SystemTime::now());
        let answer = match &introspected {
            Introspected::Answer(said) => {
                directory.answer_introspected(claimed(&question), said, service, peer, now)
            }
            Introspected::Needless | Introspected::Unavailable => {
                directory.answer(&question, service, peer, now)
            }
        };
        (answer, claimed(&question).to_owned())
    });
    let worked = work.await;
    drop(place);
    let Ok(((reply, delay), user)) = worked else {
        return (Reply::Verdict(Verdict::Unavailable), None);
    };
    let Reply::Verdict(verdict) = &reply else { return (reply, None) };
    let by = By { protocol };
    // Waited for whatever the answer: a quick one from a guessing address would show that the guess was right.
    let mut stopping = world.stopping.subscribe();
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        // Not even then may an early answer tell anything.
        Ok(_) = stopping.wait_for(|stopping| *stopping), if !delay.is_zero() => {
            return (Reply::Verdict(Verdict::Unavailable), None);
        }
    }
    if let Verdict::Granted { account } = verdict {
        world.metrics.logins.get_or_create(&by).inc();
        let login = login_of(world, account);
        tracing::info!(
            trace,
            protocol = protocol.name(),
            account,
            peer = peer.map(tracing::field::display),
            "log-in"
        );
        return match login {
            Some(login) => (reply, Some(login)),
            None => (Reply::Verdict(Verdict::Unavailable), None),
        };
    }
    world.metrics.logins_failed.get_or_create(&by).inc();
    tracing::warn!(
        trace,
        protocol = protocol.name(),
        user,
        peer = peer.map(tracing::field::display),
        ?verdict,
        "log-in refused"
    );
    (reply, None)
}

fn login_of(world: &World, account: &str) -> Option<Login> {
    let address = EmailAddress::parse(account).ok()?;
    let found = world.directory.account(&address).ok()??;
    Some(Login { account: found.id, address: found.address })
}

/// The name in a question, for the log.
fn claimed(question: &Question) -> &str {
    match question {
        Question::Password { user, .. }
        | Question::ScramKeys { user, .. }
        | Question::ScramProved { user, .. }
        | Question::Failed { user }
        | Question::Digest { user, .. }
        | Question::Token { user, .. } => user,
        Question::Certificate { names, .. } => names.first().map_or("", String::as_str),
        Question::Anonymous { trace } => trace,
    }
}
