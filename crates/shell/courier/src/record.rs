//! Outcomes into the store: every recipient's, and what the sender is told of it, in one transaction ([`agents::settle`]).

use crate::{Courier, clock};
use queue::{Entry, Settled};
use std::time::Duration;

/// Pause before the next attempt to write what could not be written.
const PAUSE: Duration = Duration::from_secs(5);

/// Writes the outcomes and then counts them. Writes again and again until that succeeds: what was handed over must not be handed over again because a
/// disk was full meanwhile. Gives up (an error) when the store has stopped for good or the server goes down; then they are
/// tried again after the start.
pub(crate) async fn until_settled(
    courier: &Courier,
    hostname: &str,
    entry: Entry,
    settled: Vec<Settled>,
) -> Result<(), ()> {
    loop {
        let now = clock::now().unix_time();
        match agents::settle(&courier.world, hostname, &entry, settled.clone(), now).await {
            Ok(()) => {
                settled.iter().for_each(|one| courier.count(one.outcome));
                return Ok(());
            }
            Err(store::Error::Engine(engine::Error::Stopped)) => return Err(()),
            Err(error) => {
                tracing::error!(id = %entry.id, %error, "what became of a queued message can't be noted; it is tried again");
            }
        }
        courier.paused(PAUSE).await?;
    }
}
