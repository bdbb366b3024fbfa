//! The guard's own work beside the mail: what was counted goes to the disk each minute, policies are fetched again each
//! day. What the last sessions bring is flushed by who waits for them.

use guard::Guard;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const FLUSH: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Works until the server goes down.
pub async fn run(guard: Arc<Guard>, mut shutdown: watch::Receiver<bool>) {
    let (mut flushes, mut days) = (tokio::time::interval(FLUSH), tokio::time::interval(DAY));
    // The first ticks come at once; a restarted server has better things to do.
    flushes.tick().await;
    days.tick().await;
    loop {
        let is_day = tokio::select! {
            _ = flushes.tick() => false,
            _ = days.tick() => true,
            _ = shutdown.wait_for(|down| *down) => return,
        };
        if is_day {
            guard.daily().await;
        } else {
            guard.flush().await;
        }
    }
}
