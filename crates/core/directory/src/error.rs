//! What can go wrong, and the promise of a change.

use engine::{Abort, Pending};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Why the directory could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The companion of a new or removed account gave up.
    #[error("the store refused the change")]
    Refused,
    /// Not a name that may be used.
    #[error("{name:?} can't be used: {why}")]
    BadName {
        /// As given.
        name: String,
        /// In words.
        why: String,
    },
    /// There is such a thing already.
    #[error("{0} exists already")]
    Exists(String),
    /// There is no such thing.
    #[error("there is no {0}")]
    Missing(String),
    /// The domain is still used.
    #[error("{0} still has addresses; remove them first")]
    InUse(String),
    /// A limit was reached.
    #[error("{0}")]
    TooMany(String),
    /// A password that can't be used (empty, too long, control characters).
    #[error("this password can't be used: {0}")]
    BadPassword(&'static str),
    /// The file to import could not be read.
    #[error("reading failed: {0}")]
    Read(String),
}

impl Error {
    /// Whether the same request may succeed later (a 4xx, not a 5xx).
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Engine(error) if error.is_transient())
    }
}

/// A change on its way: await it, or [`Change::wait`] for it. Resolved means durable.
pub struct Change<T>(State<T>);

enum State<T> {
    Known(Option<Result<T, Error>>),
    Running(Pending<Result<T, Error>>),
}

impl<T: Unpin> Change<T> {
    pub(crate) fn running(pending: Pending<Result<T, Error>>) -> Change<T> {
        Change(State::Running(pending))
    }

    pub(crate) fn known(outcome: Result<T, Error>) -> Change<T> {
        Change(State::Known(Some(outcome)))
    }

    /// Blocks this thread until the outcome is durable.
    ///
    /// # Errors
    /// Whatever the change met; nothing is kept then.
    pub fn wait(self) -> Result<T, Error> {
        match self.0 {
            State::Known(outcome) => outcome.unwrap_or(Err(Error::Refused)),
            State::Running(pending) => flatten(pending.wait()),
        }
    }
}

fn flatten<T>(outcome: Result<Result<T, Error>, Abort>) -> Result<T, Error> {
    match outcome {
        Ok(inner) => inner,
        Err(Abort::Engine(error)) => Err(Error::Engine(error)),
        Err(Abort::Cancelled) => Err(Error::Refused),
    }
}

impl<T: Unpin> Future for Change<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Known(outcome) => Poll::Ready(outcome.take().unwrap_or(Err(Error::Refused))),
            State::Running(pending) => Pin::new(pending).poll(cx).map(flatten),
        }
    }
}
