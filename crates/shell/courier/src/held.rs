//! A job from when the scheduler gives it until it hears of its end: it does, also when the code that does it panics. Else
//! the destination, the sender and all destinations together would have one job less for ever.

use crate::{Courier, clock};
use model::UnixTime;
use queue::schedule::{Again, Host, Job, JobId, JobItem};
use std::sync::Arc;

/// When what a job had is tried again whose code failed: not at once, for it may well fail again.
const AGAIN_SECONDS: i64 = 5 * 60;

/// See the module.
pub(crate) struct Held {
    courier: Arc<Courier>,
    id: JobId,
    /// What is to be tried again.
    items: Vec<JobItem>,
    is_over: bool,
}

impl Held {
    /// From now on.
    pub(crate) fn new(courier: &Arc<Courier>, job: &Job) -> Held {
        Held { courier: courier.clone(), id: job.id, items: job.items.clone(), is_over: false }
    }

    /// The job has ended.
    pub(crate) fn finished(mut self, host: &Host, again: &[Again]) {
        self.end(host, again);
    }

    fn end(&mut self, host: &Host, again: &[Again]) {
        self.is_over = true;
        self.courier.world.queue.scheduler().finished(self.id, host, again, clock::now());
        self.courier.job_ended.notify_waiters();
        self.courier.wake();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // Dropped with the runtime, it is no fault.
        if std::thread::panicking() {
            let ids: Vec<String> = self.items.iter().take(10).map(|item| item.id.to_string()).collect();
            tracing::error!(
                ids = ids.join(" "),
                messages = self.items.len(),
                "a fault of this server ended what was being done with queued messages; they are tried again in 5 minutes"
            );
            self.courier.world.metrics.sent_faults.inc();
        }
        let again = in_a_while(&self.items);
        self.end(&Host::Unknown, &again);
    }
}

/// All of these, when a while has passed. What of it was noted as done is no longer found then.
pub(crate) fn in_a_while(items: &[JobItem]) -> Vec<Again> {
    let at = UnixTime(clock::now().unix_time().0.saturating_add(AGAIN_SECONDS));
    let all = |item: &JobItem| {
        let id = item.id;
        item.recipients.clone().into_iter().map(move |index| Again { id, index, at })
    };
    items.iter().flat_map(all).collect()
}
