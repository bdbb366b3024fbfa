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
//! - The scheduler hears of every job's end, also when its code panics.
//! - What one job holds is bounded: a connection and a piece of one message.

mod attempt;
mod clock;
mod connection;
mod content;
mod envelope;
mod fate;
mod held;
mod hosts;
mod job;
mod limits;
mod pool;
mod random;
mod record;
mod security;
mod settings;
mod sources;
mod turned;
mod under_way;

pub use limits::{LimitRule, LimitRules, Limited};
pub use settings::Settings;
pub use under_way::UnderWay;

use agents::{BySent, SentOutcome, World};
use engine::AccountId;
use guard::Guard;
use held::Held;
use model::{Domain, EmailAddress, ReversePath};
use parking_lot::RwLock;
use pool::Pool;
use queue::schedule::{Destination, Host, Job, JobItem, Limits, Moment, Work};
use queue::{Addressed, Attempt, Entry, RecipientState, Settled};
use sources::Sources;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// The longest time between two looks at what the scheduler has.
const ROUND: Duration = Duration::from_secs(5);

/// See the crate.
pub struct Courier {
    world: Arc<World>,
    guard: Arc<Guard>,
    settings: RwLock<Arc<Settings>>,
    pool: Pool,
    sources: Sources,
    under_way: Arc<UnderWay>,
    turned: turned::AllTurned,
    /// Told whenever a job is over.
    job_ended: Notify,
    bell: Arc<Notify>,
    stopping: watch::Sender<bool>,
}

impl Courier {
    /// Ready to [`run`](Courier::run).
    pub fn new(
        world: Arc<World>,
        guard: Arc<Guard>,
        settings: Settings,
        under_way: UnderWay,
    ) -> Arc<Courier> {
        let bell = Arc::new(Notify::new());
        let rung = bell.clone();
        world.queue.listen(move || rung.notify_one());
        let (stopping, _) = watch::channel(false);
        let (settings, pool) = (RwLock::new(Arc::new(settings)), Pool::default());
        let (sources, under_way) = (Sources::default(), Arc::new(under_way));
        let (turned, job_ended) = (turned::AllTurned::default(), Notify::new());
        let courier = Arc::new(Courier {
            world,
            guard,
            settings,
            pool,
            sources,
            under_way,
            turned,
            job_ended,
            bell,
            stopping,
        });
        let namer = Arc::downgrade(&courier);
        courier.world.queue.name_destinations(move |domain| match namer.upgrade() {
            Some(courier) => courier.destination(domain),
            None => Destination(domain.as_str().into()),
        });
        let taker = Arc::downgrade(&courier);
        courier.world.turns.taken_by(move |turn| {
            if let Some(courier) = taker.upgrade() {
                tokio::spawn(courier.turn(turn));
            }
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
        self.tell_left();
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

    /// Says which messages the last run may have handed over without having noted it: they go out again
    /// (RFC 5321 §6.1).
    fn tell_left(&self) {
        for left in self.under_way.take_left() {
            let entry = match self.world.queue.entry(left.id, &[left.index]) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(error) => {
                    tracing::error!(id = %left.id, %error, "a queued message can't be read");
                    continue;
                }
            };
            let waits = |one: &&queue::Recipient| {
                one.state == RecipientState::Queued && one.attempts == left.attempts
            };
            if let Some(recipient) = entry.recipients.iter().find(waits) {
                tracing::warn!(
                    id = %entry.id,
                    from = %entry.reverse_path,
                    to = %recipient.address,
                    "the server stopped before the reply to a whole message was noted; the host may have taken it already, and gets it again"
                );
                self.world.metrics.sent_uncertain.inc();
            }
        }
    }

    /// Takes new mail into the scheduler.
    async fn refill(self: &Arc<Self>) {
        let courier = self.clone();
        // At start this reads the whole queue.
        let read = tokio::task::spawn_blocking(move || {
            courier.world.queue.refill(&mut |addressed| courier.route_now(addressed), clock::now())
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

    /// Where a recipient's mail goes, by the settings in force at this moment: what is reloaded while the queue is read
    /// holds for all that is read from then on.
    fn route_now(&self, addressed: &Addressed<'_>) -> (Destination, Option<Limits>) {
        let settings = self.settings();
        let name = self.name_of(&settings, addressed);
        let limits = settings.limits.of(&name, addressed.domain, &settings.usual);
        (Destination(name.as_ref().into()), limits)
    }

    /// The name of the destination.
    fn name_of<'a>(&self, settings: &Settings, addressed: &Addressed<'a>) -> Cow<'a, str> {
        // Mail that is fetched goes no way that others go.
        if settings.table.is_empty() || self.is_on_demand(addressed.domain) {
            return Cow::Borrowed(addressed.domain);
        }
        let Ok(domain) = Domain::new(addressed.domain) else { return Cow::Borrowed(addressed.domain) };
        let sender = EmailAddress::parse(addressed.sender).map_or(ReversePath::Null, ReversePath::Mailbox);
        let account = addressed.account.and_then(|id| self.address_of(settings, id));
        let message =
            route::Message { recipient_domain: &domain, sender: &sender, account: account.as_ref() };
        Cow::Owned(settings.table.destination(&message))
    }

    /// Whether all recipients of a message that wait go to this destination by these settings.
    fn leads_to(&self, settings: &Settings, entry: &Entry, destination: &Destination) -> bool {
        let sender = match &entry.reverse_path {
            ReversePath::Null => String::new(),
            ReversePath::Mailbox(address) => address.to_string(),
        };
        entry.recipients.iter().all(|recipient| {
            let domain = recipient.address.domain.as_str();
            let addressed = Addressed { domain, sender: &sender, account: entry.account };
            self.name_of(settings, &addressed) == *destination.0
        })
    }

    /// Where mail for a domain goes, whoever sends it.
    fn destination(&self, domain: &Domain) -> Destination {
        let settings = self.settings();
        if settings.table.is_empty() || self.is_on_demand(domain.as_str()) {
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
        let (settings, held) = (self.settings(), Held::new(&self, &job));
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
                    // Else it ends after the next start.
                    let _ = record::until_settled(&self, &settings.hostname, entry, settled).await;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(id = %item.id, %error, "a queued message can't be read; it is tried again");
                    again.extend(held::in_a_while(std::slice::from_ref(item)));
                }
            }
        }
        held.finished(&Host::Unknown, &again);
    }

    /// Recipients that have waited for long.
    async fn warn(self: Arc<Self>, job: Job) {
        let now = clock::now().unix_time();
        let held = Held::new(&self, &job);
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
        held.finished(&Host::Unknown, &[]);
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

#[cfg(test)]
mod tests;
