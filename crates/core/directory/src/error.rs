//! What can go wrong, and the promise of a change.

use engine::{Abort, AccountId, Engine, Pending, Tx};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
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
    #[error("{0} is still in use; remove its addresses and the domains that are other names of it first")]
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
    /// The operating system gave no randomness.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
}

impl Error {
    /// Whether the same request may succeed later (a 4xx, not a 5xx).
    pub fn is_transient(&self) -> bool {
        match self {
            Error::Engine(error) => error.is_transient(),
            Error::Random(_) => true,
            _ => false,
        }
    }

    /// A name that may not be used, and why, in words.
    pub fn bad_name(name: &impl ToString, why: impl ToString) -> Error {
        Error::BadName { name: name.to_string(), why: why.to_string() }
    }
}

/// What a change gives up with.
pub enum Stop {
    /// For this reason.
    Reason(Error),
    /// The engine's (or the companion's) own abort.
    Abort(Abort),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Reason(error)
    }
}

impl From<engine::Error> for Stop {
    fn from(error: engine::Error) -> Stop {
        Stop::Abort(Abort::Engine(error))
    }
}

impl From<Abort> for Stop {
    fn from(abort: Abort) -> Stop {
        Stop::Abort(abort)
    }
}

/// A change on its way: await it, or [`Change::wait`] for it. Resolved means durable. Dropped, it still happens.
pub struct Change<T>(State<T>);

type Reason = Arc<parking_lot::Mutex<Option<Error>>>;

enum State<T> {
    Known(Option<Result<T, Error>>),
    Running(Pending<T>, Reason),
}

impl<T: Unpin + Send + 'static> Change<T> {
    /// Runs `work` as one transaction over account 0 and `also`; whatever it gives up with undoes all. For those who keep
    /// something beside the directory.
    pub fn run(
        engine: &(dyn Engine + 'static),
        also: Option<AccountId>,
        mut work: impl FnMut(&mut dyn Tx) -> Result<T, Stop> + Send + 'static,
    ) -> Change<T> {
        let reason = Reason::default();
        let tell = reason.clone();
        let accounts = [AccountId(0), also.unwrap_or(AccountId(0))];
        let accounts = if also.is_some() { &accounts[..] } else { &accounts[..1] };
        let pending = engine.transact(accounts, move |tx| {
            work(tx).map_err(|stop| match stop {
                Stop::Abort(abort) => abort,
                Stop::Reason(Error::Engine(error)) => Abort::Engine(error),
                Stop::Reason(error) => {
                    *tell.lock() = Some(error);
                    Abort::Cancelled
                }
            })
        });
        Change(State::Running(pending, reason))
    }

    /// The outcome is known already.
    pub fn known(outcome: Result<T, Error>) -> Change<T> {
        Change(State::Known(Some(outcome)))
    }

    /// Blocks this thread until the outcome is durable.
    ///
    /// # Errors
    /// Whatever the change met; nothing is kept then.
    pub fn wait(self) -> Result<T, Error> {
        match self.0 {
            State::Known(outcome) => outcome.unwrap_or(Err(Error::Refused)),
            State::Running(pending, reason) => pending.wait().map_err(|abort| why(abort, &reason)),
        }
    }
}

fn why(abort: Abort, reason: &Reason) -> Error {
    match abort {
        Abort::Engine(error) => Error::Engine(error),
        Abort::Cancelled => reason.lock().take().unwrap_or(Error::Refused),
    }
}

impl<T: Unpin> Future for Change<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Known(outcome) => Poll::Ready(outcome.take().unwrap_or(Err(Error::Refused))),
            State::Running(pending, reason) => {
                Pin::new(pending).poll(cx).map(|outcome| outcome.map_err(|abort| why(abort, reason)))
            }
        }
    }
}
