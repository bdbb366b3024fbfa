//! The message log with its derived index (DESIGN.md §3).
//!
//! ```text
//! dir/FORMAT                  version of the on-disk format
//! dir/LOCK                    held by the process that has the store open
//! dir/log/0000000001.seg ...  segments of the log (record.rs), the truth
//! dir/log/0000000007.spare    freed segments, kept to be overwritten
//! dir/index.redb              key-values and table of contents, derived (index.rs)
//! ```
//! Three threads: the committer (committer.rs), its helper that feeds the index (applier.rs), and one that reclaims
//! space (compact.rs).

mod applier;
mod check;
mod committer;
mod compact;
mod index;
mod open;
mod record;
mod replay;
mod segment;
mod shared;
mod shrink;
mod space;
mod tail;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;

use crate::disk::{Disk, OsDisk};
use crate::{Abort, AccountId, CheckReport, Commit, Engine, Error, Figures, Progress, Snapshot, Space, Work};
use committer::{Committer, Request};
use compact::{Effort, Pick, Puts, Stuck};
pub use open::{rebuild, salvage};
use parking_lot::{Condvar, Mutex};
use shared::Shared;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// When the index takes in a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Apply {
    /// On a thread of its own while the log is flushed: fastest. (Before, when the disk is nearly full.)
    DuringFlush,
    /// Before the log is written: one thread less, and the order of disk operations is always the same.
    BeforeFlush,
}

/// How a [`LogEngine`] behaves; the defaults fit a server.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Memory for pages of the index, in bytes; taken as needed.
    pub index_cache_bytes: usize,
    /// Size of a log segment in bytes.
    pub segment_bytes: u64,
    /// When the index takes in a group.
    pub apply: Apply,
    /// Log bytes after which the index is made durable.
    pub checkpoint_bytes: u64,
    /// Longest time that written log waits for that.
    pub checkpoint_interval: Duration,
    /// Most requests in one group commit.
    pub group_requests: usize,
    /// Record bytes at which a group is closed.
    pub group_bytes: usize,
    /// Free disk space in bytes below which content is refused with [`Error::Full`]. Half of it is left to deletions and
    /// compaction, the other half to the index alone.
    pub reserve_bytes: u64,
    /// How often the background looks for space to give back.
    pub reclaim_interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            index_cache_bytes: 64 << 20,
            segment_bytes: 128 << 20,
            apply: Apply::DuringFlush,
            checkpoint_bytes: 64 << 20,
            checkpoint_interval: Duration::from_secs(10),
            group_requests: 512,
            group_bytes: 16 << 20,
            reserve_bytes: 32 << 20,
            reclaim_interval: Duration::from_secs(10),
        }
    }
}

/// The engine on local disk. Dropping it waits for everything queued, and closes the store.
pub struct LogEngine {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    committer: Option<JoinHandle<Result<(), Error>>>,
    reclaimer: Option<JoinHandle<()>>,
    _lock: open::Lock,
}

impl LogEngine {
    /// Opens the store in `dir`, or makes it; replays the log behind the last checkpoint.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it, [`Error::NewerFormat`], [`Error::Corrupt`] when the log or the
    /// index is damaged beyond a torn end, [`Error::Full`], [`Error::Io`].
    pub fn open(dir: &Path, options: Options) -> Result<LogEngine, Error> {
        LogEngine::open_on(Arc::new(OsDisk), dir, options)
    }

    pub(crate) fn open_on(disk: Arc<dyn Disk>, dir: &Path, options: Options) -> Result<LogEngine, Error> {
        let lock = open::claim(&*disk, dir)?;
        let shared = Arc::new(Shared::new(disk, dir.to_path_buf(), options));
        let committer = Committer::new(shared.clone(), open::open(&shared)?)?;
        let queue = Arc::new(Queue::default());
        let thread = |name: &str| std::thread::Builder::new().name(name.into());
        let commits = {
            let (queue, shared) = (queue.clone(), shared.clone());
            thread("commit").spawn(move || run_committer(committer, &queue, &shared))?
        };
        let mut engine = LogEngine { shared, queue, committer: Some(commits), reclaimer: None, _lock: lock };
        let (queue, shared) = (engine.queue.clone(), engine.shared.clone());
        engine.reclaimer = Some(thread("reclaim").spawn(move || run_reclaimer(&queue, &shared))?);
        Ok(engine)
    }

    /// Waits for everything queued, makes the index durable, ends the threads.
    ///
    /// # Errors
    /// When the last checkpoint failed: nothing is lost, the next start replays the log.
    pub fn close(mut self) -> Result<(), Error> {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Result<(), Error> {
        self.queue.close();
        if let Some(thread) = self.reclaimer.take() {
            // A panic there was already reported by the panic hook.
            let _ = thread.join();
        }
        match self.committer.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(Error::Stopped),
            None => Ok(()),
        }
    }
}

impl Drop for LogEngine {
    fn drop(&mut self) {
        // Whoever wants to know how it went calls close().
        let _ = self.shut_down();
    }
}

impl Engine for LogEngine {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, Error> {
        Ok(Box::new(self.shared.snapshot()?))
    }

    fn submit(&self, _accounts: &[AccountId], work: Work) -> Commit {
        let (resolver, commit) = Commit::pair();
        self.queue.push(Request::Work(work, resolver));
        commit
    }

    fn compact(&self, progress: Progress<'_>) -> Result<u64, Error> {
        let _alone = self.queue.reclaiming.lock();
        compact::compact_now(&self.shared, &mut &*self.queue, progress)
    }

    fn check(&self, progress: Progress<'_>) -> Result<CheckReport, Error> {
        check::check(&self.queue, progress)
    }

    fn space(&self, progress: Progress<'_>) -> Result<Space, Error> {
        let (snapshot, used) = self.queue.ask(|committer| {
            let used = committer.state.usage.iter().map(|(number, usage)| (*number, usage.used)).collect();
            committer.shared.snapshot().map(|snapshot| (snapshot, used))
        })??;
        space::space(&snapshot, &used, progress)
    }

    fn figures(&self) -> Figures {
        self.shared.figures()
    }
}

/// The way into the committer.
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Waiting>,
    /// Wakes the committer.
    arrived: Condvar,
    /// Wakes the reclaimer.
    closed: Condvar,
    /// Held by whoever rewrites segments.
    reclaiming: Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    closing: bool,
}

impl Queue {
    fn push(&self, request: Request) {
        let mut inner = self.inner.lock();
        if inner.closing {
            drop(inner);
            refuse(request);
            return;
        }
        inner.requests.push_back(request);
        drop(inner);
        self.arrived.notify_one();
    }

    /// Runs `question` on the committer, between two groups, and waits for its answer.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Committer) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = oneshot::async_channel();
        self.push(Request::Control(Box::new(move |committer| {
            // The asker waits below; it can't be gone.
            let _ = sender.send(question(committer));
        })));
        pollster::block_on(receiver).map_err(|_| Error::Stopped)
    }

    fn close(&self) {
        self.inner.lock().closing = true;
        self.arrived.notify_all();
        self.closed.notify_all();
    }

    /// Waits for requests until the deadline and moves them to `into`; true when there will be no more.
    fn take(&self, into: &mut VecDeque<Request>, deadline: Option<Instant>) -> bool {
        let mut inner = self.inner.lock();
        while into.is_empty() && inner.requests.is_empty() && !inner.closing {
            match deadline {
                None => self.arrived.wait(&mut inner),
                Some(deadline) => {
                    if self.arrived.wait_until(&mut inner, deadline).timed_out() {
                        break;
                    }
                }
            }
        }
        if into.is_empty() {
            std::mem::swap(into, &mut inner.requests);
        } else {
            into.append(&mut inner.requests);
        }
        inner.closing
    }
}

fn refuse(request: Request) {
    if let Request::Work(_, resolver) | Request::Slice(_, resolver) = request {
        resolver.resolve(Err(Abort::Engine(Error::Stopped)));
    }
}

/// When the committer dies of a bug of ours, nobody waits for it for ever.
struct LastWords<'a> {
    queue: &'a Queue,
    shared: &'a Shared,
}

impl Drop for LastWords<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.stopped.store(true, Ordering::Release);
        }
        self.queue.close();
        let left = std::mem::take(&mut self.queue.inner.lock().requests);
        left.into_iter().for_each(refuse);
    }
}

fn run_committer(mut committer: Committer, queue: &Queue, shared: &Shared) -> Result<(), Error> {
    let _last_words = LastWords { queue, shared };
    let options = shared.options;
    let mut waiting = VecDeque::new();
    // When the oldest log bytes that the durable index lacks were written.
    let mut unsaved_since: Option<Instant> = None;
    let mut retry_at: Option<Instant> = None;
    loop {
        let due = unsaved_since.map(|since| since + options.checkpoint_interval);
        let due = match (due, retry_at) {
            (Some(due), Some(retry)) => Some(due.max(retry)),
            (due, retry) => due.or(retry),
        };
        let retired = committer.has_retired().then(|| Instant::now() + options.checkpoint_interval);
        let closing = queue.take(&mut waiting, due.or(retired));
        if !waiting.is_empty() {
            committer.step(&mut waiting);
        } else if closing {
            return committer.close();
        }
        committer.release_retired();
        if !committer.unsaved {
            (unsaved_since, retry_at) = (None, None);
            continue;
        }
        let now = Instant::now();
        let since = *unsaved_since.get_or_insert(now);
        let late =
            now >= since + options.checkpoint_interval || committer.unsaved_bytes >= options.checkpoint_bytes;
        if late && retry_at.is_none_or(|retry| now >= retry) {
            // A failed checkpoint loses nothing, the log has everything; it is tried again a little later.
            retry_at = committer.checkpoint().is_err().then(|| now + Duration::from_secs(1));
        }
    }
}

fn run_reclaimer(queue: &Queue, shared: &Arc<Shared>) {
    // Segments that can't be rewritten because something in them is damaged; `check` reports that.
    let mut stuck = Vec::new();
    loop {
        {
            let mut inner = queue.inner.lock();
            if !inner.closing {
                queue.closed.wait_for(&mut inner, shared.options.reclaim_interval);
            }
            if inner.closing {
                return;
            }
        }
        let _alone = queue.reclaiming.lock();
        loop {
            let skip = stuck.clone();
            let Ok(Some(pick)) = queue.ask(move |committer| compact::pick(committer, &skip)) else { break };
            let (mut reach, mut ignore) = (queue, |_| {});
            let done = match pick {
                Pick::Segment(number) => {
                    match compact::rewrite(shared, &mut reach, number, Puts::Again, &mut ignore) {
                        Err(error @ Error::Corrupt { .. }) => Ok(Some(Stuck { number, error })),
                        done => done.map(|()| None),
                    }
                }
                Pick::Fold => compact::fold(shared, &mut reach, Effort::Background, &mut |_, _| {}),
            };
            match done {
                Ok(None) => {}
                Ok(Some(damaged)) => stuck.push(damaged.number),
                // A full disk, or the engine closes: later.
                Err(_) => break,
            }
            // It must be gone before the next choice, which goes by what is left.
            let settled = queue.ask(move |committer| committer.settle());
            let stays = |number: &u32| !stuck.contains(number) && shared.set().0.contains_key(number);
            if !matches!(settled, Ok(Ok(()))) || matches!(&pick, Pick::Segment(number) if stays(number)) {
                break;
            }
        }
        // What goes wrong is tried again after the next interval; the old index stays until then.
        let _ = shrink::shrink(shared, &mut &*queue, Effort::Background);
    }
}
