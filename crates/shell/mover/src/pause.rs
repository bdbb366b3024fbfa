//! How long to wait before a connection is tried again.

use std::time::{Duration, Instant};

/// First pause.
const FIRST: Duration = Duration::from_millis(250);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// Growing pauses, until nothing has come for too long.
pub(crate) struct Pauses {
    next: Duration,
    limit: Duration,
    since: Option<Instant>,
}

impl Pauses {
    pub(crate) fn new(limit: Duration) -> Pauses {
        Pauses { next: FIRST, limit, since: None }
    }

    /// Something was achieved.
    pub(crate) fn reset(&mut self) {
        (self.next, self.since) = (FIRST, None);
    }

    /// The next pause; None: it is enough.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Duration> {
        let since = *self.since.get_or_insert(now);
        if now.duration_since(since) >= self.limit {
            return None;
        }
        let pause = self.next;
        self.next = (self.next * 2).min(LONGEST);
        Some(pause)
    }
}
