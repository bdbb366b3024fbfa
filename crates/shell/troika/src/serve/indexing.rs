//! Taking new mail into the text index, behind the deliveries: one step at a time, with pauses, and not while mail
//! pours in. What is not in it yet is found all the same, only less quickly.

use agents::World;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use store::{AccountId, IndexGoal, IndexProgress};

const ROUND: Duration = Duration::from_secs(1);
/// Commits in a second above which indexing waits.
const BUSY_COMMITS: u64 = 200;
/// Rounds that it waits at most.
const BUSY_ROUNDS: u32 = 60;
/// Pause after a step, in times of what the step took: so much of one core at most.
const PAUSE: u32 = 2;
/// Accounts looked up at a time.
const PAGE: usize = 500;

/// Works until the server goes down.
pub async fn run(world: Weak<World>) {
    let Some(all) = with(&world, |world| all_accounts(world)).await else { return };
    let mut waiting: BTreeSet<AccountId> = all.into_iter().collect();
    let (mut commits, mut waited) = (0, 0u32);
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let Some(now) = world.upgrade().map(|world| {
            waiting.extend(world.store.take_changed());
            world.engine.figures().commits
        }) else {
            return;
        };
        let busy = now.saturating_sub(std::mem::replace(&mut commits, now)) > BUSY_COMMITS;
        waited = if busy { waited + 1 } else { 0 };
        if busy && !waited.is_multiple_of(BUSY_ROUNDS) {
            continue;
        }
        if work(&world, &mut waiting).await.is_none() {
            return;
        }
    }
}

/// Brings the index of each waiting account up to date. None: the server goes down.
async fn work(world: &Weak<World>, waiting: &mut BTreeSet<AccountId>) -> Option<()> {
    while let Some(account) = waiting.pop_first() {
        let mut goal = IndexGoal::KeepUp;
        loop {
            let start = Instant::now();
            let step = with(world, move |world| world.store.index_step(account, goal)).await?;
            match step {
                Ok(IndexProgress { more: true, .. }) => {
                    // Whoever got hundreds of messages may have lost as many: looking costs a scan of the rows.
                    goal = IndexGoal::GiveBack;
                    tokio::time::sleep(start.elapsed() * PAUSE).await;
                }
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(account = account.0, %error, "new mail could not be taken into the text index; its searches are slow");
                    break;
                }
            }
        }
    }
    Some(())
}

/// Runs work that blocks. None: the server goes down.
async fn with<T: Send + 'static>(
    world: &Weak<World>,
    work: impl FnOnce(&Arc<World>) -> T + Send + 'static,
) -> Option<T> {
    let world = world.upgrade()?;
    tokio::task::spawn_blocking(move || work(&world)).await.ok()
}

fn all_accounts(world: &World) -> Vec<AccountId> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = world.directory.accounts(None, after, PAGE).unwrap_or_default();
        let Some(last) = page.last() else { return found };
        after = Some(last.id);
        found.extend(page.iter().map(|account| account.id));
    }
}
