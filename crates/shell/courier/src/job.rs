//! One job: some messages to one destination, one after the other, over as few connections as possible.
//!
//! RFC 5321 §5.1: hosts are tried in their order until one takes the message. What a host says of a message or a
//! recipient settles it; only a host that can't be used at all (no connection, no greeting, 421) sends us to the next one.

use crate::Courier;
use crate::connection::Connection;
use crate::fate::Fate;
use crate::held::{Held, in_a_while};
use crate::hosts::{self, Candidate};
use crate::pool::Kind;
use crate::settings::Settings;
use crate::under_way::Mark;
use crate::{clock, record};
use model::{Domain, UnixTime};
use net::Endpoint;
use queue::schedule::{Again, Host, Job, JobItem};
use queue::{Attempt, ByMode, Entry, Recipient};
use route::{Trouble, Way};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A running job.
pub(crate) struct Run<'a> {
    pub courier: &'a Arc<Courier>,
    pub settings: Arc<Settings>,
    pub way: Arc<Way>,
    pub hosts: Result<Vec<Candidate>, Trouble>,
    pub open: Option<(Kind, Connection)>,
    /// Could not be reached in this job.
    pub dead: HashSet<Endpoint>,
    pub host: Host,
    /// Of the message under way: where its end left, until what came of it is noted.
    pub marks: Vec<Mark>,
    again: Vec<Again>,
    /// Outcomes on their way to the disk: the next message goes out meanwhile.
    commits: JoinSet<()>,
}

/// Does a job from its beginning to [`queue::Scheduler::finished`].
pub(crate) async fn run(courier: &Arc<Courier>, job: Job) {
    let held = Held::new(courier, &job);
    let (host, again) = deliver(courier, &job).await;
    held.finished(&host, &again);
}

async fn deliver(courier: &Arc<Courier>, job: &Job) -> (Host, Vec<Again>) {
    let mut run: Option<Run<'_>> = None;
    let mut again = Vec::new();
    // The same for all messages of the job, whatever is reloaded meanwhile.
    let settings = courier.settings();
    for (at, item) in job.items.iter().enumerate() {
        let is_over = |run: &Run<'_>| !matches!(run.host, Host::Unknown | Host::Reached);
        if courier.is_stopping() || run.as_ref().is_some_and(is_over) {
            // The destination is in trouble: the others need no attempt of their own to know it.
            again.extend(later(item));
            continue;
        }
        let mut entry = match courier.read(item) {
            Ok(Some(entry)) => entry,
            Ok(None) => continue,
            Err(error) => {
                tracing::error!(id = %item.id, %error, "a queued message can't be read");
                again.extend(later(item));
                continue;
            }
        };
        if !courier.leads_to(&settings, &entry, &job.destination) {
            // Routes were changed after the scheduler had put it here: it reads it again, and the job's end has no say.
            courier.world.queue.changed(item.id);
            continue;
        }
        match agents::take_those_here(&courier.world, &mut entry) {
            Ok(here) if !here.is_empty() => again.extend(release(courier, &entry, here).await),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(id = %item.id, %error, "a queued message's domain can't be looked up");
                again.extend(later(item));
                continue;
            }
        }
        if entry.recipients.is_empty() {
            continue;
        }
        if run.is_none() {
            run = Run::begin(courier, settings.clone(), &entry, job).await;
            if run.is_none() {
                // Its hosts turned out to have enough from us now.
                again.extend(job.items[at..].iter().flat_map(later));
                break;
            }
        }
        if let Some(run) = &mut run {
            run.message(entry).await;
        }
    }
    let Some(mut run) = run else { return (Host::Unknown, again) };
    run.leave().await;
    while let Some(ended) = run.commits.join_next().await {
        if ended.is_err_and(|error| error.is_panic()) {
            tracing::error!(
                destination = %job.destination,
                "a fault of this server: what became of a queued message was not noted; it is tried again in 5 minutes"
            );
            courier.world.metrics.sent_faults.inc();
            // Which one is not known; of the others nothing is left to be done.
            run.again = in_a_while(&job.items);
        }
    }
    again.append(&mut run.again);
    (run.host.clone(), again)
}

/// An item as it was: due at once, when its destination allows.
pub(crate) fn later(item: &JobItem) -> impl Iterator<Item = Again> {
    let at = clock::now().unix_time();
    item.recipients.iter().map(move |index| Again { id: item.id, index: *index, at })
}

/// Into the mailboxes of these recipients here, whose time has come (RFC 4865).
async fn release(courier: &Courier, entry: &Entry, here: Vec<Recipient>) -> Vec<Again> {
    const PAUSE_SECONDS: i64 = 60;
    let now = clock::now().unix_time();
    let hostname = courier.settings().hostname.clone();
    let entry = Entry { recipients: here, ..entry.clone() };
    let again = agents::release(&courier.world, &hostname, &entry, now).await.unwrap_or_else(|error| {
        tracing::error!(id = %entry.id, %error, "a message that was held can't be delivered; it is tried again");
        let at = UnixTime(now.0.saturating_add(PAUSE_SECONDS));
        entry.recipients.iter().map(|recipient| (recipient.index, at)).collect()
    });
    again.into_iter().map(|(index, at)| Again { id: entry.id, index, at }).collect()
}

impl<'a> Run<'a> {
    /// Finds out where the job's messages go. None: too much goes to those hosts already.
    async fn begin(
        courier: &'a Arc<Courier>,
        settings: Arc<Settings>,
        entry: &Entry,
        job: &Job,
    ) -> Option<Run<'a>> {
        let domain: &Domain = &entry.recipients.first()?.address.domain;
        let account = courier.account_of(&settings, entry);
        let message = route::Message {
            recipient_domain: domain,
            sender: &entry.reverse_path,
            account: account.as_ref(),
        };
        let way = settings.table.find(&message).clone();
        let hosts = if courier.is_on_demand(domain.as_str()) {
            // Nobody is asked where they are: they come.
            Err(Trouble::NoAddress)
        } else {
            hosts::candidates(&courier.world.resolver, &settings, &way, domain).await
        };
        if let Ok(hosts) = &hosts {
            let names = hosts.iter().map(|host| host.name.as_str());
            if !courier.regroup(&settings.limits, job, names, &way.sources) {
                return None;
            }
        }
        let (open, dead, host, again, marks) = (None, HashSet::new(), Host::Unknown, Vec::new(), Vec::new());
        Some(Run { courier, settings, way, hosts, open, dead, host, marks, again, commits: JoinSet::new() })
    }

    /// Brings one message on, and has its outcome noted.
    async fn message(&mut self, entry: Entry) {
        let started = clock::now();
        let (mut left, mut noted) = self.without_suppressed(&entry);
        while !left.is_empty() {
            let fates = self.attempt(&entry, &left).await;
            let now = clock::now().unix_time();
            let brings_on = fates.iter().any(|fate| !fate.surplus);
            let mut surplus = Vec::new();
            for (recipient, fate) in left.into_iter().zip(fates) {
                // More recipients than the host takes at once go in another turn, as long as that brings us on.
                if fate.surplus && brings_on {
                    surplus.push(recipient);
                    continue;
                }
                let attempt = fate.attempt(recipient.attempts, &self.settings.retry, now, ends(&entry));
                if let Attempt::Deferred(at) = attempt {
                    self.again.push(Again { id: entry.id, index: recipient.index, at });
                }
                noted.push((recipient, fate, attempt));
            }
            left = surplus;
        }
        log(self.courier, &entry, &noted, clock::now().0 - started.0);
        let settled = noted
            .into_iter()
            .map(|(recipient, fate, attempt)| fate.settled(recipient.index, attempt))
            .collect();
        let courier = self.courier.clone();
        let settings = self.settings.clone();
        let marks = std::mem::take(&mut self.marks);
        self.commits.spawn(async move {
            if record::until_settled(&courier, &settings.hostname, entry, settled).await.is_ok() {
                marks.into_iter().for_each(Mark::noted);
            }
        });
    }

    /// Those that are sent to; and those that nothing is sent to any more, with that as their end. Also where an alias, a
    /// redirect or a list led to them, and where they were queued before: so they are looked up here and not at RCPT only.
    fn without_suppressed(&self, entry: &Entry) -> (Vec<Recipient>, Vec<(Recipient, Fate, Attempt)>) {
        let world = &self.courier.world;
        if world.outgoing.read().rules.suppression.bounces == 0 {
            return (entry.recipients.clone(), Vec::new());
        }
        let addresses = entry.recipients.iter().map(|recipient| &recipient.address);
        let found = world.queue.suppressed_among(addresses, clock::now().unix_time());
        let found = found.unwrap_or_else(|error| {
            tracing::error!(id = %entry.id, %error, "the suppression list can't be read");
            vec![None; entry.recipients.len()]
        });
        let (mut left, mut ended) = (Vec::new(), Vec::new());
        for (recipient, suppressed) in entry.recipients.iter().cloned().zip(found) {
            match suppressed {
                None => left.push(recipient),
                Some(why) => ended.push((recipient, Fate::suppressed(&why), Attempt::Failed)),
            }
        }
        (left, ended)
    }

    pub(crate) fn is_worn(&self, connection: &Connection) -> bool {
        connection.messages() >= self.settings.messages_per_connection
    }

    /// Keeps a connection for others, or says good-bye.
    pub(crate) fn put_away(&self, kind: Kind, connection: Connection) {
        let left = if self.is_worn(&connection) || self.courier.is_stopping() {
            Some(connection)
        } else {
            self.courier.pool.keep(kind, connection, self.settings.idle)
        };
        if let Some(connection) = left {
            tokio::spawn(connection.quit());
        }
    }

    async fn leave(&mut self) {
        if let Some((kind, connection)) = self.open.take() {
            self.put_away(kind, connection);
        }
    }
}

impl Drop for Run<'_> {
    /// When this job's own code fails, what was handed over before is noted all the same: else it would go out twice.
    fn drop(&mut self) {
        self.commits.detach_all();
    }
}

/// When a message is given up (RFC 2852 §4.1.4.1: also when the sender's time is over, if he wants it back then).
fn ends(entry: &Entry) -> UnixTime {
    let asked = entry.deliver_by.filter(|by| by.mode == ByMode::Return).map(|by| by.at);
    asked.map_or(entry.expires, |at| at.min(entry.expires))
}

/// One line for each reply.
fn log(courier: &Courier, entry: &Entry, noted: &[(Recipient, Fate, Attempt)], milliseconds: i64) {
    for group in noted
        .chunk_by(|(_, a, x), (_, b, y)| a == b && std::mem::discriminant(x) == std::mem::discriminant(y))
    {
        let (recipient, fate, attempt) = &group[0];
        let (outcome, next) = match attempt {
            Attempt::Delivered => ("delivered", None),
            Attempt::Failed => ("failed", None),
            Attempt::Expired => ("expired", None),
            Attempt::Deferred(at) => ("deferred", Some(at.0)),
        };
        tracing::info!(
            id = %entry.id,
            from = %entry.reverse_path,
            to = %recipient.address,
            recipients = group.len(),
            outcome,
            next,
            attempts = recipient.attempts + 1,
            milliseconds,
            reply = fate.reply,
            "sent"
        );
        if fate.uncertain {
            // RFC 5321 §6.1: it will be tried again, and then there may be two copies.
            courier.world.metrics.sent_uncertain.inc();
            tracing::warn!(id = %entry.id, to = %recipient.address, "the reply to a whole message was lost; the host may have taken it already");
        }
    }
}
