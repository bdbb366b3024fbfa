//! The courier: takes what [`queue::Scheduler`] says is due, finds out where it goes ([`route`]), looks the hosts up
//! ([`dns`]), dials ([`net`]), hands the message over ([`smtp::client`]), and notes what became of every recipient in one
//! transaction together with what the sender is told.
//!
//! Invariants:
//!
//! - A recipient is in at most one running job (the scheduler's), so nothing is handed over twice; only when the reply to
//!   a whole message is lost, or the machine stops between that reply and its note, SMTP itself can't tell (RFC 5321
//!   §6.1), and that is logged.
//! - An outcome is noted before the scheduler hears of it.
//! - What one job holds is bounded: a connection and a piece of one message.

mod clock;
mod connection;
mod content;
mod envelope;
mod fate;
mod hosts;
mod job;
mod limits;
mod pool;
mod random;
mod record;
mod security;
mod settings;

pub use limits::{LimitRule, LimitRules, Limited};
pub use settings::Settings;

use agents::{BySent, SentOutcome, World};
use engine::AccountId;
use guard::Guard;
use model::{Domain, EmailAddress, ReversePath};
use parking_lot::RwLock;
use pool::Pool;
use queue::schedule::{Destination, Job, JobItem, Limits, Moment, Work};
use queue::{Addressed, Attempt, Entry, RecipientState, Settled};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Pause before something that could not be read is read again.
const READ_AGAIN: Duration = Duration::from_secs(60);

/// The longest time between two looks at what the scheduler has.
const ROUND: Duration = Duration::from_secs(5);

/// See the crate.
pub struct Courier {
    world: Arc<World>,
    guard: Arc<Guard>,
    settings: RwLock<Arc<Settings>>,
    pool: Pool,
    bell: Arc<Notify>,
    stopping: watch::Sender<bool>,
}

impl Courier {
    /// Ready to [`run`](Courier::run).
    pub fn new(world: Arc<World>, guard: Arc<Guard>, settings: Settings) -> Arc<Courier> {
        let bell = Arc::new(Notify::new());
        let rung = bell.clone();
        world.queue.listen(move || rung.notify_one());
        let (stopping, _) = watch::channel(false);
        let (settings, pool) = (RwLock::new(Arc::new(settings)), Pool::default());
        let courier = Arc::new(Courier { world, guard, settings, pool, bell, stopping });
        let namer = Arc::downgrade(&courier);
        courier.world.queue.name_destinations(move |domain| match namer.upgrade() {
            Some(courier) => courier.destination(domain),
            None => Destination(domain.as_str().into()),
        });
        courier.limit_groups(&courier.settings().limits);
        courier
    }

    /// Takes other settings: for what goes out from now on. Routes are asked anew for all that waits.
    pub fn reload(&self, settings: Settings) {
        self.limit_groups(&settings.limits);
        *self.settings.write() = Arc::new(settings);
        self.world.queue.scheduler().restart();
        self.wake();
    }

    /// Sends until `shutdown`, then lets running messages finish.
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let mut jobs = JoinSet::new();
        let mut refill = true;
        loop {
            if refill {
                self.refill().await;
            }
            let wake_at = self.start_due(&mut jobs);
            let pause =
                wake_at.map_or(ROUND, |at| clock::now().until(at)).clamp(Duration::from_millis(1), ROUND);
            refill = tokio::select! {
                () = self.bell.notified() => true,
                Some(_) = jobs.join_next(), if !jobs.is_empty() => false,
                () = tokio::time::sleep(pause) => true,
                _ = shutdown.wait_for(|down| *down) => break,
            };
            self.tidy(false);
        }
        self.stopping.send_replace(true);
        while jobs.join_next().await.is_some() {}
        self.tidy(true);
    }

    /// Takes new mail into the scheduler.
    async fn refill(self: &Arc<Self>) {
        let courier = self.clone();
        // At start this reads the whole queue.
        let read = tokio::task::spawn_blocking(move || {
            let settings = courier.settings();
            courier.world.queue.refill(&mut |addressed| courier.route(&settings, addressed), clock::now())
        });
        match read.await {
            Ok(Ok(refilled)) => {
                for problem in refilled.problems {
                    tracing::error!(problem, "a queued message is not sent; run `troika store check`");
                }
            }
            Ok(Err(error)) => tracing::error!(%error, "the queue can't be read"),
            Err(error) => tracing::error!(%error, "reading the queue failed"),
        }
    }

    /// Starts what the scheduler has; answers when it has more.
    fn start_due(self: &Arc<Self>, jobs: &mut JoinSet<()>) -> Option<Moment> {
        let mut scheduler = self.world.queue.scheduler();
        while let Some(work) = scheduler.next(clock::now()) {
            let courier = self.clone();
            match work {
                Work::Deliver(job) => jobs.spawn(async move { job::run(&courier, job).await }),
                Work::Expire(job, trouble) => jobs.spawn(async move { courier.expire(job, trouble).await }),
                Work::Warn(job) => jobs.spawn(async move { courier.warn(job).await }),
            };
        }
        scheduler.wake_at()
    }

    /// Where a recipient's mail goes.
    fn route(&self, settings: &Settings, addressed: &Addressed<'_>) -> (Destination, Option<Limits>) {
        let named = |name: &str| {
            let limits = settings.limits.of(name, addressed.domain, &settings.usual);
            (Destination(name.into()), limits)
        };
        if settings.table.is_empty() {
            return named(addressed.domain);
        }
        let Ok(domain) = Domain::new(addressed.domain) else { return named(addressed.domain) };
        let sender = EmailAddress::parse(addressed.sender).map_or(ReversePath::Null, ReversePath::Mailbox);
        let account = addressed.account.and_then(|id| self.address_of(settings, id));
        let message =
            route::Message { recipient_domain: &domain, sender: &sender, account: account.as_ref() };
        named(&settings.table.destination(&message))
    }

    /// Where mail for a domain goes, whoever sends it.
    fn destination(&self, domain: &Domain) -> Destination {
        let settings = self.settings();
        if settings.table.is_empty() {
            return Destination(domain.as_str().into());
        }
        let sender = ReversePath::Null;
        let message = route::Message { recipient_domain: domain, sender: &sender, account: None };
        Destination(settings.table.destination(&message).as_str().into())
    }

    fn account_of(&self, settings: &Settings, entry: &Entry) -> Option<EmailAddress> {
        entry.account.and_then(|id| self.address_of(settings, id))
    }

    /// The address of the account that sent, if any route wants to know it.
    fn address_of(&self, settings: &Settings, id: AccountId) -> Option<EmailAddress> {
        if !settings.table.asks_for_account() {
            return None;
        }
        self.world.directory.account_by_id(id).ok().flatten().map(|account| account.address)
    }

    /// Recipients whose time is over.
    async fn expire(self: Arc<Self>, job: Job, trouble: Option<String>) {
        let settings = self.settings();
        let mut again = Vec::new();
        for item in &job.items {
            match self.read(item) {
                Ok(Some(entry)) => {
                    // Without a reply of its own, the last one stands.
                    let why = trouble.clone().unwrap_or_default();
                    let settled =
                        |one: &queue::Recipient| Settled::new(one.index, Attempt::Expired, why.clone());
                    let settled: Vec<Settled> = entry.recipients.iter().map(settled).collect();
                    tracing::info!(id = %entry.id, from = %entry.reverse_path, recipients = settled.len(), outcome = "expired", reply = why, "sent");
                    record::until_settled(&self, &settings.hostname, entry, settled).await;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(id = %item.id, %error, "a queued message can't be read; it is tried again");
                    again.extend(job::later(item));
                }
            }
        }
        if !again.is_empty() {
            // Their time is over, so they are due again at once.
            let _ = self.paused(READ_AGAIN).await;
        }
        self.world.queue.scheduler().finished(job.id, &queue::schedule::Host::Unknown, &again, clock::now());
        self.wake();
    }

    /// Recipients that have waited for long.
    async fn warn(self: Arc<Self>, job: Job) {
        let now = clock::now().unix_time();
        for item in job.items {
            let told = match self.read(&item) {
                Ok(Some(entry)) => {
                    agents::warn(&self.world, &self.settings().hostname, &entry, item.recipients, now).await
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = told {
                tracing::error!(id = %item.id, %error, "the sender can't be told that his message is delayed");
            }
        }
        self.world.queue.scheduler().finished(job.id, &queue::schedule::Host::Unknown, &[], clock::now());
        self.wake();
    }

    /// What the store has of a job's item, with the recipients that still wait. None: there are none.
    fn read(&self, item: &JobItem) -> Result<Option<Entry>, engine::Error> {
        let Some(mut entry) = self.world.queue.entry(item.id, &item.recipients)? else { return Ok(None) };
        entry.recipients.retain(|one| one.state == RecipientState::Queued);
        Ok((!entry.recipients.is_empty()).then_some(entry))
    }

    fn settings(&self) -> Arc<Settings> {
        self.settings.read().clone()
    }

    fn wake(&self) {
        self.bell.notify_one();
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Waits; an error when the server goes down meanwhile.
    async fn paused(&self, time: Duration) -> Result<(), ()> {
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            _ = stopping.wait_for(|stopping| *stopping) => Err(()),
        }
    }

    fn count(&self, attempt: Attempt) {
        let outcome = match attempt {
            Attempt::Delivered => SentOutcome::Delivered,
            Attempt::Deferred(_) => SentOutcome::Deferred,
            Attempt::Failed => SentOutcome::Failed,
            Attempt::Expired => SentOutcome::Expired,
        };
        self.world.metrics.sent.get_or_create(&BySent { outcome }).inc();
    }

    /// Closes connections that nobody needs any more.
    fn tidy(&self, all: bool) {
        for connection in self.pool.expired(all) {
            tokio::spawn(connection.quit());
        }
    }
}
