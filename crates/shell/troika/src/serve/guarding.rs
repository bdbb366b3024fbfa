//! The guard's own work beside the mail: what was counted goes to the disk each minute; once a day policies are fetched
//! again, in a task of its own, which slow hosts may keep. What the last sessions bring is flushed by who waits for them.

use guard::Guard;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

const FLUSH: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Works until the server goes down.
pub async fn run(guard: Arc<Guard>, mut shutdown: watch::Receiver<bool>) {
    let mut rounds = tokio::time::interval(FLUSH);
    let mut refreshed = Instant::now();
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            _ = shutdown.wait_for(|down| *down) => return,
        }
        guard.flush().await;
        // A day takes longer than any refreshing: each host has its limit.
        if refreshed.elapsed() >= DAY {
            refreshed = Instant::now();
            let guard = guard.clone();
            tokio::spawn(async move { guard.daily().await });
        }
    }
}
