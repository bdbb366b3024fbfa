//! Where accepted messages went ([`queue::Queue::note_accepted`]) is written some time behind their deliveries, many at a
//! time.

use agents::World;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

const ROUND: Duration = Duration::from_secs(1);

/// Writes until the server goes down; what is left then is for [`write_all`].
pub async fn run(world: Weak<World>) {
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_fine = true;
    loop {
        rounds.tick().await;
        let Some(world) = world.upgrade() else { return };
        let why = write_all(world).await.err();
        // Once, not each second while a disk is full.
        if let Some(why) = why.as_ref().filter(|_| was_fine) {
            tracing::warn!(why, "where accepted messages went can't be written; it is tried again");
        }
        was_fine = why.is_none();
    }
}

/// Writes all that was noted.
///
/// # Errors
/// Why it could not be written.
pub async fn write_all(world: Arc<World>) -> Result<(), String> {
    let work = move || {
        let keep = world.outgoing.read().rules.history;
        while world.queue.write_accepted(keep)? {}
        Ok(())
    };
    let written = tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?;
    written.map_err(|abort| match abort {
        engine::Abort::Engine(error) => error.to_string(),
        engine::Abort::Cancelled => "it was given up".into(),
    })
}
