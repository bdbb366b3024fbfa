//! One job: some messages to one destination, one after the other, over as few connections as possible.
//!
//! RFC 5321 §5.1: hosts are tried in their order until one takes the message. What a host says of a message or a
//! recipient settles it; only a host that can't be used at all (no connection, no greeting, 421) sends us to the next one.

use crate::Courier;
use crate::connection::{Connection, Opened};
use crate::content::Content;
use crate::fate::Fate;
use crate::hosts::{self, Candidate, Found};
use crate::pool::Kind;
use crate::settings::Settings;
use crate::{clock, record, security};
use model::{Domain, UnixTime};
use net::Endpoint;
use queue::schedule::{Again, Destination, Host, Job, JobItem};
use queue::{Attempt, ByMode, Entry, Recipient};
use route::{ADDRESSES_MAX, Trouble, Way};
use smtp::client::Verdict;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

/// A running job.
struct Run<'a> {
    courier: &'a Arc<Courier>,
    settings: Arc<Settings>,
    way: Arc<Way>,
    hosts: Result<Vec<Candidate>, Trouble>,
    open: Option<(Kind, Connection)>,
    /// Could not be reached in this job.
    dead: HashSet<Endpoint>,
    host: Host,
    again: Vec<Again>,
    /// Outcomes on their way to the disk: the next message goes out meanwhile.
    commits: JoinSet<()>,
}

/// Does a job from its beginning to [`queue::Scheduler::finished`].
pub(crate) async fn run(courier: &Arc<Courier>, job: Job) {
    let (host, again) = deliver(courier, &job).await;
    courier.world.queue.scheduler().finished(job.id, &host, &again, clock::now());
    courier.wake();
}

async fn deliver(courier: &Arc<Courier>, job: &Job) -> (Host, Vec<Again>) {
    let mut run: Option<Run<'_>> = None;
    let mut again = Vec::new();
    for item in &job.items {
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
            run = Run::begin(courier, &entry, &job.destination).await;
        }
        if let Some(run) = &mut run {
            run.message(entry).await;
        }
    }
    let Some(mut run) = run else { return (Host::Unknown, again) };
    run.leave().await;
    while run.commits.join_next().await.is_some() {}
    again.append(&mut run.again);
    (run.host, again)
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
    /// Finds out where the job's messages go. None: the message has no recipient any more.
    async fn begin(courier: &'a Arc<Courier>, entry: &Entry, destination: &Destination) -> Option<Run<'a>> {
        let settings = courier.settings();
        let domain: &Domain = &entry.recipients.first()?.address.domain;
        let account = courier.account_of(&settings, entry);
        let message = route::Message {
            recipient_domain: domain,
            sender: &entry.reverse_path,
            account: account.as_ref(),
        };
        let way = settings.table.find(&message).clone();
        let hosts = hosts::candidates(&courier.world.resolver, &settings, &way, domain).await;
        if let Ok(hosts) = &hosts {
            let names = hosts.iter().map(|host| host.name.as_str());
            courier.join(&settings.limits, destination, names, &way.sources);
        }
        let (open, dead, host, again) = (None, HashSet::new(), Host::Unknown, Vec::new());
        Some(Run { courier, settings, way, hosts, open, dead, host, again, commits: JoinSet::new() })
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
        log(&entry, &noted, clock::now().0 - started.0);
        let settled = noted
            .into_iter()
            .map(|(recipient, fate, attempt)| fate.settled(recipient.index, attempt))
            .collect();
        let courier = self.courier.clone();
        let settings = self.settings.clone();
        self.commits.spawn(async move {
            record::until_settled(&courier, &settings.hostname, entry, settled).await;
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

    /// One attempt: from host to host until each recipient's fate is known.
    async fn attempt(&mut self, entry: &Entry, recipients: &[Recipient]) -> Vec<Fate> {
        let hosts = match &self.hosts {
            Ok(hosts) => hosts.clone(),
            Err(trouble) => {
                let fate = Fate::no_way(trouble);
                self.host =
                    if trouble.is_permanent() { Host::Reached } else { Host::Unusable(fate.reply.clone()) };
                return vec![fate; recipients.len()];
            }
        };
        let mut fates: Vec<Option<Fate>> = vec![None; recipients.len()];
        let mut tried = 0;
        let mut no_address = Trouble::NoAddress;
        'hosts: for host in &hosts {
            let endpoints = match host.look_up(&self.courier.world.resolver, &self.settings).await {
                Found::Endpoints(endpoints) => endpoints,
                Found::Nothing => continue,
                Found::Unknown(trouble) => {
                    no_address = trouble;
                    continue;
                }
                // RFC 5321 §5.1: neither this host nor those behind it, which are no better.
                Found::Oneself => {
                    // Better ones that could not be looked up now may be reached later.
                    no_address = if no_address.is_permanent() { Trouble::Loop } else { no_address };
                    break;
                }
            };
            for endpoint in endpoints.into_iter().filter(|one| !self.dead.contains(one)).collect::<Vec<_>>() {
                if tried == ADDRESSES_MAX {
                    break 'hosts;
                }
                tried += 1;
                self.at(entry, recipients, host, endpoint, &mut fates).await;
                if fates.iter().flatten().filter(|fate| fate.verdict != Verdict::HostUnusable).count()
                    == fates.len()
                {
                    self.host = Host::Reached;
                    break 'hosts;
                }
            }
        }
        if tried == 0 && self.dead.is_empty() {
            let fate = Fate::no_way(&no_address);
            self.host =
                if no_address.is_permanent() { Host::Reached } else { Host::Unusable(fate.reply.clone()) };
            return vec![fate; recipients.len()];
        }
        self.note_host(&fates);
        let nothing = || Fate::unusable("no host of the domain can be reached now".into(), "4.4.1");
        fates.into_iter().map(|fate| fate.unwrap_or_else(nothing)).collect()
    }

    /// What the attempt says of the destination as a whole.
    fn note_host(&mut self, fates: &[Option<Fate>]) {
        // Where the host is of no use for this message alone, the destination is not in trouble.
        let is_unusable =
            |fate: &&Fate| fate.verdict == Verdict::HostUnusable && fate.at_last != Verdict::Failed;
        let unusable = fates.iter().flatten().find(is_unusable);
        match unusable {
            None => {}
            Some(fate) if fate.busy => self.host = Host::Busy(fate.reply.clone()),
            // Broken off over one message, by a host that took others: it may be this message.
            Some(_) if self.host == Host::Reached => {}
            Some(fate) => self.host = Host::Unusable(fate.reply.clone()),
        }
    }

    /// Tries one address for all recipients whose fate is open.
    async fn at(
        &mut self,
        entry: &Entry,
        recipients: &[Recipient],
        host: &Candidate,
        endpoint: Endpoint,
        fates: &mut [Option<Fate>],
    ) {
        let is_open =
            |fate: &Option<Fate>| fate.as_ref().is_none_or(|fate| fate.verdict == Verdict::HostUnusable);
        let open: Vec<usize> = (0..fates.len()).filter(|at| is_open(&fates[*at])).collect();
        let mut all = |fate: &Fate| open.iter().for_each(|at| fates[*at] = Some(fate.clone()));
        let domain = &recipients[0].address.domain;
        let demanded = security::demand(self.courier, &self.way, entry, domain, host, &endpoint).await;
        let security = match demanded {
            Ok(held) => Arc::new(held),
            Err(fate) => return all(&fate),
        };
        let policy_domain = host.is_by_mx().then(|| domain.to_ascii());
        let kind = Kind { endpoint, name: host.name.clone(), way: self.way.clone(), security };
        let wanted: Vec<&Recipient> = open.iter().map(|at| &recipients[*at]).collect();
        let mut opened = Opened::Perhaps;
        loop {
            let mut connection = match self.connection(&kind, opened, policy_domain.as_deref()).await {
                Ok(connection) => connection,
                Err(fate) => {
                    // What this message demanded another may not.
                    if fate.at_last != Verdict::Failed {
                        self.dead.insert(kind.endpoint.clone());
                    }
                    return all(&fate);
                }
            };
            let (was_used, onward) = (connection.was_used(), connection.onward());
            let time = connection.time_kept(entry);
            let outcomes = match Content::open(&self.courier.world.engine, entry.content) {
                Ok(Some(content)) => connection.hand_over(&self.courier.world, entry, &wanted, content).await,
                Ok(None) => {
                    return all(&lost("550", "5.3.0", "the message's content is lost on this server"));
                }
                Err(error) => Err(error),
            };
            let outcomes = match outcomes {
                Ok(outcomes) => outcomes,
                Err(error) => {
                    tracing::error!(id = %entry.id, %error, "a queued message can't be read");
                    return all(&lost("451", "4.3.0", "the message can't be read on this server now"));
                }
            };
            let broke = connection.is_closed();
            if !broke {
                self.open = Some((kind.clone(), connection));
            }
            // A host may close a connection that waited, just when the next message comes.
            if broke && was_used && opened == Opened::Perhaps && outcomes.iter().all(Connection::lost_it_idle)
            {
                opened = Opened::Anew;
                continue;
            }
            for (at, outcome) in open.iter().zip(&outcomes) {
                fates[*at] = Some(Fate { onward, time, ..Fate::of(outcome, &kind.name) });
            }
            return;
        }
    }

    /// The connection of the message before, one that waits, or a new one.
    async fn connection(
        &mut self,
        kind: &Kind,
        opened: Opened,
        domain: Option<&str>,
    ) -> Result<Connection, Fate> {
        if let Some((before, connection)) = self.open.take() {
            if before == *kind && opened == Opened::Perhaps && !self.is_worn(&connection) {
                return Ok(connection);
            }
            self.put_away(before, connection);
        }
        if opened == Opened::Perhaps
            && let Some(connection) = self.courier.pool.take(kind)
        {
            return Ok(connection);
        }
        let opened = Connection::open(kind, &self.settings, self.courier, domain).await;
        let metrics = &self.courier.world.metrics;
        match &opened {
            Ok(_) => metrics.sent_connections.inc(),
            Err(_) => metrics.sent_connections_failed.inc(),
        };
        opened
    }

    fn is_worn(&self, connection: &Connection) -> bool {
        connection.messages() >= self.settings.messages_per_connection
    }

    /// Keeps a connection for others, or says good-bye.
    fn put_away(&self, kind: Kind, connection: Connection) {
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

/// When a message is given up (RFC 2852 §4.1.4.1: also when the sender's time is over, if he wants it back then).
fn ends(entry: &Entry) -> UnixTime {
    let asked = entry.deliver_by.filter(|by| by.mode == ByMode::Return).map(|by| by.at);
    asked.map_or(entry.expires, |at| at.min(entry.expires))
}

fn lost(code: &str, status: &str, why: &str) -> Fate {
    let fate = Fate::unusable(format!("{code} {status} {why}"), status);
    let verdict = if code.starts_with('5') { Verdict::Failed } else { Verdict::Deferred };
    Fate { verdict, at_last: verdict, ..fate }
}

/// One line for each reply.
fn log(entry: &Entry, noted: &[(Recipient, Fate, Attempt)], milliseconds: i64) {
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
            tracing::warn!(id = %entry.id, to = %recipient.address, "the reply to a whole message was lost; the host may have taken it already");
        }
    }
}
