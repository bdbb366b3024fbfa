//! ATRN (RFC 2645): a customer who has logged in turns the connection round and gets what waits for his domains.

use super::SmtpAgent;
use crate::Turn;
use ::smtp::{Outcome, Refusal};
use model::Domain;
use queue::schedule::Destination;
use std::time::Instant;

impl SmtpAgent {
    /// RFC 2645 §5.2.1: all of the domains are his, he has not just asked for them, and something waits for them.
    pub(super) fn may_turn(&mut self, domains: Vec<Domain>) -> Outcome {
        let Some(login) = &self.login else {
            return Err(Refusal::new(530, (7, 0), "Log in first, with AUTH"));
        };
        let (his, interval) = {
            let policy = self.world.policy.read();
            (policy.domains_on_demand(&login.address), policy.interval_on_demand(&login.address))
        };
        let domains = if domains.is_empty() { his.clone() } else { domains };
        if domains.is_empty() || domains.iter().any(|domain| !his.contains(domain)) {
            return Err(Refusal::new(450, (7, 1), "Mail for these domains does not wait here for you"));
        }
        if let Err(left) = self.world.turns.ask(&domains, interval, Instant::now()) {
            tracing::info!(trace = self.trace, account = %login.address, "ATRN too soon");
            let seconds = left.as_secs() + 1;
            let text = format!("You asked for this mail a moment ago; ask again in {seconds} s");
            return Err(Refusal::new(450, (7, 1), text));
        }
        let mut scheduler = self.world.queue.scheduler();
        let waits = |domain: &Domain| {
            let destination = Destination(domain.as_str().into());
            // What is under way just now has not found him, and is about to wait again.
            scheduler.waiting(&destination) + usize::from(scheduler.is_under_way(&destination))
        };
        let waiting: usize = domains.iter().map(waits).sum();
        drop(scheduler);
        tracing::info!(trace = self.trace, account = %login.address, waiting, "ATRN");
        if waiting == 0 {
            return Err(Refusal::new(453, (0, 0), "You have no mail"));
        }
        self.turning = domains;
        Ok(())
    }

    /// Hands the connection over, and waits until everything has gone its way.
    pub(super) async fn turn(&mut self, stream: net::Stream) {
        let Some(login) = &self.login else { return };
        let (over, ended) = tokio::sync::oneshot::channel();
        let domains = std::mem::take(&mut self.turning);
        let customer = login.address.to_string();
        self.world.turns.give(Turn { stream, domains, customer, over });
        let _ = ended.await;
    }
}
