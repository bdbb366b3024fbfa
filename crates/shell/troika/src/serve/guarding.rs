//! The guard's own work beside the mail: what was counted goes to the disk each minute; once a day policies are fetched
//! again and reports are sent. What the last sessions bring is flushed by who waits for them.

use super::doors::Settings;
use super::reporting;
use agents::World;
use guard::Guard;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;

const FLUSH: Duration = Duration::from_secs(60);
const DAY: i64 = 24 * 3600;
/// RFC 8460 §4.1 has all reports cover the same day; they should not all come in the same minute after it (§5.5).
const SPREAD: u64 = 4 * 3600;

/// Works until the server goes down.
pub async fn run(
    guard: Arc<Guard>,
    world: Weak<World>,
    settings: Arc<Settings>,
    mut shutdown: watch::Receiver<bool>,
) {
    let mut rounds = tokio::time::interval(FLUSH);
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .unwrap_or_else(|error| panic!("the system gives no random numbers: {error}"));
    let offset = i64::try_from(u64::from_be_bytes(random) % SPREAD).unwrap_or(0);
    // What is left of days before yesterday goes at once.
    let mut done = None;
    loop {
        let is_down = tokio::select! {
            _ = rounds.tick() => false,
            _ = shutdown.wait_for(|down| *down) => true,
        };
        if is_down {
            return;
        }
        guard.flush().await;
        // The day whose reports are due, and all before it.
        let day = u32::try_from((World::now().0 - offset) / DAY).unwrap_or(0);
        if done == Some(day) {
            continue;
        }
        let Some(world) = world.upgrade() else { return };
        reporting::send(&world, &guard, &settings.now(), day).await;
        if done.is_some() {
            guard.daily().await;
        }
        done = Some(day);
    }
}
