//! What wakes a session: commits ring, the session looks what happened.

use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Rung by commits that touch the selected mailbox.
#[derive(Default)]
pub(super) struct Bell {
    pub(super) notify: Notify,
    rung: AtomicBool,
}

impl Bell {
    pub(super) fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    /// Whether it was rung since the last call.
    pub(super) fn heard(&self) -> bool {
        self.rung.swap(false, Ordering::AcqRel)
    }
}
