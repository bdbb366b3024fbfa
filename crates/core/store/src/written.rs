//! The promise of a write: resolves when its outcome is durable, and tells the change feed then.

use crate::feed::{Feed, Touched};
use crate::{Error, Store};
use engine::{Abort, AccountId, Pending, Tx};
use model::ModSeq;
use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll};

type Inner<T> = Pending<(T, Touched)>;

/// Resolves when a write is durable or was refused. May be dropped: the write stands all the same, and the change feed
/// tells of it.
pub struct Written<T: Send + 'static> {
    /// None: told, or nothing was to be written.
    pending: Option<Inner<T>>,
    /// The outcome when there is nothing to wait for.
    ready: Option<Result<T, Error>>,
    refusal: Arc<Mutex<Option<Error>>>,
    feed: Arc<Feed>,
    stamps: Vec<(AccountId, ModSeq)>,
    server_stamp: Option<u64>,
}

impl Store {
    /// Queues a transaction. `work` notes in its last argument what it changed; on an error nothing of it is kept.
    pub(crate) fn transact<T: Send + 'static>(
        &self,
        accounts: &[AccountId],
        mut work: impl FnMut(&mut dyn Tx, &mut Touched) -> Result<T, Error> + Send + 'static,
    ) -> Written<T> {
        let refusal = Arc::new(Mutex::new(None));
        let why = refusal.clone();
        let pending = self.engine.transact(accounts, move |tx| {
            let mut touched = Touched::new();
            match work(tx, &mut touched) {
                Ok(value) => Ok((value, touched)),
                Err(Error::Engine(error)) => Err(Abort::Engine(error)),
                Err(error) => {
                    *why.lock() = Some(error);
                    Err(Abort::Cancelled)
                }
            }
        });
        Written {
            pending: Some(pending),
            ready: None,
            refusal,
            feed: self.feed.clone(),
            stamps: Vec::new(),
            server_stamp: None,
        }
    }

    /// A write that turned out to be none.
    pub(crate) fn ready<T: Send + 'static>(&self, outcome: Result<T, Error>) -> Written<T> {
        Written {
            pending: None,
            ready: Some(outcome),
            refusal: Arc::default(),
            feed: self.feed.clone(),
            stamps: Vec::new(),
            server_stamp: None,
        }
    }
}

impl<T: Send + 'static> Written<T> {
    /// The modification sequence that each account took in the commit, once this has resolved (poll it by reference).
    pub fn stamps(&self) -> &[(AccountId, ModSeq)] {
        &self.stamps
    }

    /// The same for the shared entries of the server.
    pub fn server_stamp(&self) -> Option<u64> {
        self.server_stamp
    }

    /// Blocks this thread until the outcome is durable.
    ///
    /// # Errors
    /// As the method's that made it.
    pub fn wait(self) -> Result<T, Error> {
        pollster::block_on(self)
    }
}

// Nothing in it is pinned.
impl<T: Send + 'static> Unpin for Written<T> {}

impl<T: Send + 'static> Future for Written<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(outcome) = this.ready.take() {
            return Poll::Ready(outcome);
        }
        let pending = this.pending.as_mut().expect("a finished future is not polled again");
        let Poll::Ready(outcome) = Pin::new(pending).poll(cx) else { return Poll::Pending };
        this.pending = None;
        Poll::Ready(match outcome {
            Ok((value, touched)) => {
                this.feed.announce(&touched);
                this.stamps = touched.stamps;
                this.server_stamp = touched.server;
                Ok(value)
            }
            Err(Abort::Engine(error)) => Err(Error::Engine(error)),
            Err(Abort::Cancelled) => {
                Err(this.refusal.lock().take().unwrap_or(Error::Engine(engine::Error::Stopped)))
            }
        })
    }
}

impl<T: Send + 'static> Drop for Written<T> {
    /// The waiter is gone (connection lost) before the commit: those who watch must be told all the same.
    fn drop(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        let feed = self.feed.clone();
        orphans(Box::new(move || {
            if let Ok((_, touched)) = pending.wait() {
                feed.announce(&touched);
            }
        }));
    }
}

type Orphan = Box<dyn FnOnce() + Send>;

/// Hands a commit nobody waits for to the one thread that does; commits resolve in order, so one is enough.
fn orphans(orphan: Orphan) {
    static QUEUE: OnceLock<Sender<Orphan>> = OnceLock::new();
    let queue = QUEUE.get_or_init(|| {
        let (sender, receiver) = channel::<Orphan>();
        let body = move || receiver.into_iter().for_each(|orphan| orphan());
        // Without a thread (out of memory) the announcements are lost, the writes are not.
        let _ = std::thread::Builder::new().name("store-orphans".into()).stack_size(128 * 1024).spawn(body);
        sender
    });
    let _ = queue.send(orphan);
}
