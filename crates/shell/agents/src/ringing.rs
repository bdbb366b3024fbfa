//! Telling thousands of sessions of one mailbox, without keeping anybody else waiting.

use store::{Round, Store};
use tokio::runtime::Handle;

/// So many sessions are woken at a time, and run before the next ones are: some milliseconds of work. Woken all at once they
/// would stand in the queue of tasks before everything that comes after them.
const AT_ONCE: usize = 64;

/// Lets rounds be made as tasks of `runtime`.
pub fn ring_in_turns(store: &Store, runtime: Handle) {
    store.set_ringer(Box::new(move |round| drop(runtime.spawn(make(round)))));
}

async fn make(mut round: Round) {
    while round.tell(AT_ONCE) {
        tokio::task::yield_now().await;
    }
}
