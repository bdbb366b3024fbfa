//! Mail that waits until its customer fetches it (ATRN, RFC 2645): over a connection that he has made and turned round.
//!
//! Invariants:
//! - mail for a customer's domains leaves over such a connection of his and in no other way, and nothing else does over it;
//! - what its sender wants to go through TLS only (RFC 8689) goes over one that is encrypted;
//! - one message at a time is on it, whichever job it is of.

use crate::Courier;
use crate::clock;
use crate::connection::Connection;
use crate::content::Content;
use crate::fate::Fate;
use crate::security;
use crate::under_way::Mark;
use agents::Turn;
use model::Domain;
use parking_lot::RwLock;
use queue::schedule::{Destination, Host, Moment, Scheduler};
use queue::{Entry, Recipient};
use smtp::client::Verdict;
use std::sync::Arc;
use std::time::Duration;
use transport::SenderWish;

/// The longest time between two looks at whether everything has been sent.
const ROUND: Duration = Duration::from_secs(5);

/// A connection that was turned round.
pub(crate) struct Turned {
    domains: Vec<Domain>,
    customer: String,
    /// Whether it goes through TLS.
    is_encrypted: bool,
    /// None: it broke.
    connection: tokio::sync::Mutex<Option<Connection>>,
}

/// All that stand.
#[derive(Default)]
pub(crate) struct AllTurned(RwLock<Vec<Arc<Turned>>>);

/// Whether a customer is there for a message.
enum Present {
    No,
    /// Without TLS, which its sender demands.
    InClear,
    Yes(Arc<Turned>),
}

impl AllTurned {
    /// One over which mail for all these recipients may go, the newest first: the others may be dead.
    fn find(&self, recipients: &[Recipient], wish: SenderWish) -> Present {
        let takes =
            |turned: &&Arc<Turned>| recipients.iter().all(|one| turned.domains.contains(&one.address.domain));
        let mut present = Present::No;
        for turned in self.0.read().iter().rev().filter(takes) {
            // RFC 8689 §4.2.1 (4) wants it known who is at the other end of the encrypted session. Its certificate would
            // prove the name of an MX host; here the customer has proved who he is by his log-in inside that session.
            // That his server promises the same (5) is looked at by `smtp::client`.
            if turned.is_encrypted || wish != SenderWish::Required {
                return Present::Yes(turned.clone());
            }
            present = Present::InClear;
        }
        present
    }
}

impl Courier {
    /// Whether mail for this domain waits to be fetched.
    pub(crate) fn is_on_demand(&self, domain: &str) -> bool {
        self.world.policy.read().is_on_demand(domain)
    }

    /// Sends what waits for a customer over the connection that he has turned round, then says good-bye.
    pub(crate) async fn turn(self: Arc<Self>, turn: Turn) {
        let Turn { stream, domains, customer, over } = turn;
        let settings = self.settings();
        let is_encrypted = matches!(stream, net::Stream::Tls(_));
        let connection = match Connection::over(stream, &customer, &settings).await {
            Ok(connection) => connection,
            Err(why) => return tracing::info!(customer, why, "a connection was turned round in vain"),
        };
        let connection = tokio::sync::Mutex::new(Some(connection));
        let turned = Arc::new(Turned { domains, customer, is_encrypted, connection });
        self.turned.0.write().push(turned.clone());
        // What is under way may have looked for the customer before he was there: it is about to wait again.
        self.while_any(&turned, |scheduler, destination, _| scheduler.is_under_way(destination)).await;
        let mut sent = 0;
        for domain in &turned.domains {
            sent += self.world.queue.flush(domain, clock::now());
        }
        tracing::info!(customer = turned.customer, waiting = sent, "a connection was turned round");
        // Until nothing for the customer is due any more.
        self.while_any(&turned, Scheduler::is_busy).await;
        self.turned.0.write().retain(|one| !Arc::ptr_eq(one, &turned));
        if let Some(connection) = turned.connection.lock().await.take() {
            connection.quit().await;
        }
        drop(over);
    }

    /// Waits as long as this holds for one of the customer's destinations, and the connection is not broken.
    async fn while_any(&self, turned: &Turned, holds: impl Fn(&mut Scheduler, &Destination, Moment) -> bool) {
        let destinations: Vec<Destination> =
            turned.domains.iter().map(|domain| Destination(domain.as_str().into())).collect();
        let mut stopping = self.stopping.subscribe();
        loop {
            let ended = self.job_ended.notified();
            tokio::pin!(ended);
            // From here on: what ends between the look and the wait is heard.
            ended.as_mut().enable();
            let now = clock::now();
            let is_busy = destinations.iter().any(|one| holds(&mut self.world.queue.scheduler(), one, now));
            let is_broken = turned.connection.try_lock().is_ok_and(|connection| connection.is_none());
            if !is_busy || is_broken {
                return;
            }
            tokio::select! {
                () = ended => {}
                () = tokio::time::sleep(ROUND) => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
        }
    }

    /// What becomes of a message for a customer: handed over, if he is there; otherwise it waits. And what that says of
    /// his other mail.
    pub(crate) async fn attempt_on_demand(
        &self,
        entry: &Entry,
        recipients: &[Recipient],
        marks: &mut Vec<Mark>,
    ) -> (Vec<Fate>, Host) {
        let turned = match self.turned.find(recipients, security::wish(entry)) {
            Present::Yes(turned) => turned,
            Present::No => {
                let fate = waits_for_customer();
                return (vec![fate.clone(); recipients.len()], Host::Unusable(fate.reply));
            }
            Present::InClear => {
                // Not RFC 8689 §4.2.1's end of all attempts: he may come with TLS the next time. The rest goes.
                let text =
                    "its sender demands TLS, and its customer came without; it waits until he comes with TLS";
                return (vec![Fate::unusable(text.into(), "4.7.10"); recipients.len()], Host::Reached);
            }
        };
        let fates = self.over_turned(&turned, entry, recipients, marks).await;
        let host = match fates.first() {
            Some(fate) if !was_reached(&fates) => Host::Unusable(fate.reply.clone()),
            _ => Host::Reached,
        };
        (fates, host)
    }

    async fn over_turned(
        &self,
        turned: &Turned,
        entry: &Entry,
        recipients: &[Recipient],
        marks: &mut Vec<Mark>,
    ) -> Vec<Fate> {
        let waits = || vec![waits_for_customer(); recipients.len()];
        let mut held = turned.connection.lock().await;
        let Some(connection) = held.as_mut() else { return waits() };
        let content = match Content::open(&self.world.engine, entry.content) {
            Ok(Some(content)) => content,
            outcome => {
                tracing::error!(id = %entry.id, error = ?outcome.err(), "a queued message can't be read");
                return vec![
                    Fate::unusable("the message can't be read on this server now".into(), "4.3.0");
                    recipients.len()
                ];
            }
        };
        let (onward, time) = (connection.onward(), connection.time_kept(entry));
        let wanted: Vec<&Recipient> = recipients.iter().collect();
        let outcomes = connection.hand_over(self, entry, &wanted, content, marks).await;
        if connection.is_closed() {
            *held = None;
        }
        match outcomes {
            Ok(outcomes) => {
                let fate = |outcome| Fate { onward, time, ..Fate::of(outcome, &turned.customer) };
                outcomes.iter().map(fate).collect()
            }
            Err(error) => {
                tracing::error!(id = %entry.id, %error, "a queued message can't be read");
                waits()
            }
        }
    }
}

fn waits_for_customer() -> Fate {
    Fate::unusable("it waits for its customer to fetch it".into(), "4.4.1")
}

/// Whether a host took part in the attempt at all.
fn was_reached(fates: &[Fate]) -> bool {
    fates.iter().any(|fate| fate.verdict != Verdict::HostUnusable)
}
