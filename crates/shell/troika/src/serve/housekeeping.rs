//! What is done once a day, beside the mail: shortening the change logs of mailboxes, which grow with every change, and
//! forgetting addresses that were kept for bounces which come no more, or because mail to them bounced, and what
//! became of messages that are long over.

use agents::World;
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::AccountId;

/// Newest changes of a mailbox that are kept. A client that was away for longer resynchronises in full.
const CHANGES_KEPT: usize = 100_000;
const ROUND: Duration = Duration::from_secs(24 * 3600);
/// Accounts looked up at a time.
const PAGE: usize = 500;

/// Works until the server goes down.
pub async fn run(world: Weak<World>) {
    let mut rounds = tokio::time::interval(ROUND);
    // The first tick comes at once; a restarted server has better things to do.
    rounds.tick().await;
    loop {
        rounds.tick().await;
        let Some(world) = world.upgrade() else { return };
        let round = tokio::task::spawn_blocking(move || {
            while rewriting::forget_older(&*world.engine, World::now()).wait().unwrap_or(false) {}
            while world.queue.forget_suppressions(World::now()).wait().unwrap_or(false) {}
            let keep = world.outgoing.read().rules.history;
            while world.queue.forget_past(keep, World::now()).wait().unwrap_or(false) {}
            while world.queue.forget_accepted(keep, World::now()).wait().unwrap_or(false) {}
            trim_all(&world)
        })
        .await;
        if let Ok(Err(error)) = round {
            tracing::warn!(%error, "the daily round could not be finished; it begins anew tomorrow");
        }
    }
}

fn trim_all(world: &Arc<World>) -> Result<(), store::Error> {
    let mut after = None;
    loop {
        let page = world.directory.accounts(None, after, PAGE).unwrap_or_default();
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for account in &page {
            trim(world, account.id)?;
        }
    }
}

fn trim(world: &World, account: AccountId) -> Result<(), store::Error> {
    while world.store.trim_list(account, CHANGES_KEPT).wait()? {}
    for mailbox in world.store.mailboxes(account)?.into_iter().filter_map(|info| info.id) {
        while world.store.trim_changes(account, mailbox, CHANGES_KEPT).wait()? {}
    }
    Ok(())
}
