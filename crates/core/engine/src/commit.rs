//! The promise of a commit: can be awaited (by the shell) or waited for (by tests and the command line).

use crate::{Abort, Error};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Resolves when a transaction is durable or was refused.
pub struct Commit(oneshot::AsyncReceiver<Result<(), Abort>>);

/// The engine's end of a [`Commit`].
pub struct Resolver(oneshot::Sender<Result<(), Abort>>);

impl Commit {
    /// A promise and the end that keeps it.
    pub fn pair() -> (Resolver, Commit) {
        let (sender, receiver) = oneshot::async_channel();
        (Resolver(sender), Commit(receiver))
    }
}

impl Resolver {
    /// Tells whoever still waits.
    pub fn resolve(self, outcome: Result<(), Abort>) {
        // The waiter may be gone (connection lost): the transaction stands all the same.
        let _ = self.0.send(outcome);
    }
}

impl Future for Commit {
    type Output = Result<(), Abort>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|got| got.unwrap_or(Err(Abort::Engine(Error::Stopped))))
    }
}

/// A [`Commit`] together with what the transaction returns.
pub struct Pending<T> {
    pub(crate) commit: Commit,
    pub(crate) slot: Arc<parking_lot::Mutex<Option<T>>>,
}

impl<T> Pending<T> {
    /// Blocks this thread until the outcome is durable.
    ///
    /// # Errors
    /// As the transaction's own.
    pub fn wait(self) -> Result<T, Abort> {
        pollster::block_on(self)
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Abort>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match Pin::new(&mut this.commit).poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(abort)) => Poll::Ready(Err(abort)),
            Poll::Ready(Ok(())) => {
                let value = this.slot.lock().take();
                Poll::Ready(value.ok_or(Abort::Engine(Error::Stopped)))
            }
        }
    }
}
