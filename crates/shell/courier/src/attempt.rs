//! One attempt at a message: from host to host, and at each of them to the address that answers first, until it is known
//! what becomes of every recipient.

use crate::connection::{Connection, Opened};
use crate::content::Content;
use crate::fate::{Fate, Others};
use crate::hosts::{Candidate, Found};
use crate::job::Run;
use crate::pool::Kind;
use crate::security;
use net::{Endpoint, Stream};
use queue::schedule::Host;
use queue::{Entry, Recipient};
use route::{ADDRESSES_MAX, Trouble};
use smtp::client::Verdict;
use std::sync::Arc;
use std::time::Instant;

/// Where to knock next.
struct Reached {
    endpoint: Endpoint,
    /// Connected already.
    stream: Option<Stream>,
}

impl Run<'_> {
    /// One attempt: from host to host until each recipient's fate is known.
    pub(crate) async fn attempt(&mut self, entry: &Entry, recipients: &[Recipient]) -> Vec<Fate> {
        if recipients.iter().any(|one| self.courier.is_on_demand(one.address.domain.as_str())) {
            let (fates, host) = self.courier.attempt_on_demand(entry, recipients, &mut self.marks).await;
            self.host = host;
            return fates;
        }
        let hosts = match &self.hosts {
            Ok(hosts) => hosts.clone(),
            Err(trouble) => return self.no_way(&trouble.clone(), recipients.len()),
        };
        let mut fates: Vec<Option<Fate>> = vec![None; recipients.len()];
        let mut tried = 0;
        let mut no_address = Trouble::NoAddress;
        let mut others = Others::default();
        let begun = Instant::now();
        for (at, host) in hosts.iter().enumerate() {
            // RFC 5321 §5.1: at least two are to be tried, and there may be a limit. Each of twenty that keep silent would
            // hold this delivery, and its place among all, for as long as one is waited for.
            if at >= 2 && begun.elapsed() > self.settings.hosts_timeout {
                others.may_take_it_later();
                break;
            }
            let endpoints = match host.look_up(&self.courier.world.resolver, &self.settings).await {
                Found::Endpoints(endpoints) => endpoints,
                Found::Nothing => continue,
                Found::Unknown(trouble) => {
                    no_address = trouble;
                    others.may_take_it_later();
                    continue;
                }
                // RFC 5321 §5.1: neither this host nor those behind it, which are no better.
                Found::Oneself => {
                    // Better ones that could not be looked up now may be reached later.
                    no_address = if no_address.is_permanent() { Trouble::Loop } else { no_address };
                    break;
                }
            };
            let mut left: Vec<Endpoint> =
                endpoints.into_iter().filter(|one| !self.dead.contains(one)).collect();
            if left.is_empty() || left.len() > ADDRESSES_MAX - tried {
                others.may_take_it_later();
            }
            left.truncate(ADDRESSES_MAX - tried);
            tried += left.len();
            self.host(entry, recipients, host, left, &mut fates, &mut others).await;
            if is_settled(&fates) {
                self.host = Host::Reached;
                break;
            }
        }
        if tried == 0 && self.dead.is_empty() {
            return self.no_way(&no_address, recipients.len());
        }
        fates.iter_mut().flatten().for_each(|fate| others.temper(fate));
        self.note_host(&fates);
        let nothing = || Fate::unusable("no host of the domain can be reached now".into(), "4.4.1");
        fates.into_iter().map(|fate| fate.unwrap_or_else(nothing)).collect()
    }

    /// There is no host to go to.
    fn no_way(&mut self, trouble: &Trouble, recipients: usize) -> Vec<Fate> {
        let fate = Fate::no_way(trouble);
        self.host = if trouble.is_permanent() { Host::Reached } else { Host::Unusable(fate.reply.clone()) };
        vec![fate; recipients]
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

    /// Tries one host's addresses.
    async fn host(
        &mut self,
        entry: &Entry,
        recipients: &[Recipient],
        host: &Candidate,
        mut left: Vec<Endpoint>,
        fates: &mut [Option<Fate>],
        others: &mut Others,
    ) {
        let Some(first) = left.first() else { return };
        let domain = &recipients[0].address.domain;
        // It is demanded of the host, whichever of its addresses answers.
        let demanded = security::demand(self.courier, &self.way, entry, domain, host, first).await;
        let security = match demanded {
            Ok(held) => Arc::new(held),
            Err(fate) => {
                set_open(fates, &fate);
                return others.heard(fates);
            }
        };
        let kind = Kind { endpoint: first.clone(), name: host.name.clone(), way: self.way.clone(), security };
        let policy_domain = host.is_by_mx().then(|| domain.to_ascii());
        while let Some(reached) = self.reach(&kind, &mut left, fates).await {
            let kind = Kind { endpoint: reached.endpoint, ..kind.clone() };
            self.at(entry, recipients, &kind, policy_domain.as_deref(), reached.stream, fates).await;
            if is_settled(fates) {
                break;
            }
        }
        others.heard(fates);
    }

    /// The next address to be tried, out of those that are left: one to which a connection waits, else the one that
    /// answers first. Those that do not answer are told of in `fates`.
    async fn reach(
        &mut self,
        kind: &Kind,
        left: &mut Vec<Endpoint>,
        fates: &mut [Option<Fate>],
    ) -> Option<Reached> {
        let waits = |endpoint: &Endpoint| {
            let kind = Kind { endpoint: endpoint.clone(), ..kind.clone() };
            self.open.as_ref().is_some_and(|(open, _)| *open == kind) || self.courier.pool.has(&kind)
        };
        // A proxy has its own mind on how to get there.
        let at =
            if left.len() == 1 || kind.way.proxy.is_some() { Some(0) } else { left.iter().position(waits) };
        if let Some(at) = at.filter(|_| !left.is_empty()) {
            return Some(Reached { endpoint: left.remove(at), stream: None });
        }
        let race = Connection::race(kind, left, &self.settings, self.courier).await;
        for (at, why) in race.lost.iter().rev() {
            let endpoint = left[*at].clone();
            set_open(fates, &Fate::unreachable(&kind.name, &endpoint, &why.to_string()));
            self.courier.world.metrics.sent_connections_failed.inc();
            self.dead.insert(endpoint);
        }
        let Some((at, stream)) = race.won else {
            left.clear();
            return None;
        };
        let endpoint = left[at].clone();
        left.retain(|one| *one != endpoint && !self.dead.contains(one));
        Some(Reached { endpoint, stream: Some(stream) })
    }

    /// Tries one address for all recipients whose fate is open.
    async fn at(
        &mut self,
        entry: &Entry,
        recipients: &[Recipient],
        kind: &Kind,
        policy_domain: Option<&str>,
        mut stream: Option<Stream>,
        fates: &mut [Option<Fate>],
    ) {
        let open: Vec<usize> = (0..fates.len()).filter(|at| is_open(&fates[*at])).collect();
        let wanted: Vec<&Recipient> = open.iter().map(|at| &recipients[*at]).collect();
        let mut opened = Opened::Perhaps;
        loop {
            let mut connection = match self.connection(kind, opened, policy_domain, stream.take()).await {
                Ok(connection) => connection,
                Err(fate) => {
                    // What this message demanded another may not.
                    if fate.at_last != Verdict::Failed {
                        self.dead.insert(kind.endpoint.clone());
                    }
                    return set_open(fates, &fate);
                }
            };
            let (was_used, onward) = (connection.was_used(), connection.onward());
            let time = connection.time_kept(entry);
            let outcomes = match Content::open(&self.courier.world.engine, entry.content) {
                Ok(Some(content)) => {
                    connection.hand_over(self.courier, entry, &wanted, content, &mut self.marks).await
                }
                Ok(None) => {
                    return set_open(
                        fates,
                        &lost("550", "5.3.0", "the message's content is lost on this server"),
                    );
                }
                Err(error) => Err(error),
            };
            let outcomes = match outcomes {
                Ok(outcomes) => outcomes,
                Err(error) => {
                    tracing::error!(id = %entry.id, %error, "a queued message can't be read");
                    return set_open(
                        fates,
                        &lost("451", "4.3.0", "the message can't be read on this server now"),
                    );
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

    /// The connection of the message before, one that waits, or a new one, over `stream` if there is one.
    async fn connection(
        &mut self,
        kind: &Kind,
        opened: Opened,
        domain: Option<&str>,
        stream: Option<Stream>,
    ) -> Result<Connection, Fate> {
        if let Some((before, connection)) = self.open.take() {
            if before == *kind && opened == Opened::Perhaps && !self.is_worn(&connection) {
                return Ok(connection);
            }
            self.put_away(before, connection);
        }
        if opened == Opened::Perhaps
            && stream.is_none()
            && let Some(connection) = self.courier.pool.take(kind)
        {
            return Ok(connection);
        }
        let opened = Connection::open(kind, &self.settings, self.courier, domain, stream).await;
        let metrics = &self.courier.world.metrics;
        match &opened {
            Ok(_) => metrics.sent_connections.inc(),
            Err(_) => metrics.sent_connections_failed.inc(),
        };
        opened
    }
}

fn is_open(fate: &Option<Fate>) -> bool {
    fate.as_ref().is_none_or(|fate| fate.verdict == Verdict::HostUnusable)
}

fn is_settled(fates: &[Option<Fate>]) -> bool {
    !fates.iter().any(is_open)
}

/// The fate of all that have none yet, or none but that a host was of no use.
fn set_open(fates: &mut [Option<Fate>], fate: &Fate) {
    fates.iter_mut().filter(|one| is_open(one)).for_each(|one| *one = Some(fate.clone()));
}

fn lost(code: &str, status: &str, why: &str) -> Fate {
    let fate = Fate::unusable(format!("{code} {status} {why}"), status);
    let verdict = if code.starts_with('5') { Verdict::Failed } else { Verdict::Deferred };
    Fate { verdict, at_last: verdict, ..fate }
}
