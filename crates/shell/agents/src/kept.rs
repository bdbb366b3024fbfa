//! What this server itself says to people here (reports on their mail, letters of lists) and a full or damaged mailbox does
//! not take: it waits in the queue like any mail, and is tried again until it expires, as Postfix keeps a bounce.
//!
//! Invariant: the refusal and the queued entry are one commit, so that a report is in a mailbox, in the queue or counted as
//! lost, and never nowhere.

use crate::lists::Done;
use crate::smtp::{Outgoing, beside};
use crate::world::World;
use engine::AccountId;
use model::{EmailAddress, UnixTime};
use prometheus_client::metrics::counter::Counter;
use queue::{NewEntry, NewRecipient, Notify, Rules, Wishes};
use std::sync::Arc;
use store::{Delivery, Follow, Outcome, Prepared};

/// When a mailbox is tried again.
const RETRY_SECONDS: i64 = 3600;

/// Keeps what the mailboxes of some accounts do not take.
#[derive(Clone)]
pub(crate) struct Keeper {
    /// Where each account is found again, in the order of the delivery; None: there is no such account.
    addresses: Vec<Option<EmailAddress>>,
    rules: Arc<Rules>,
    kept: Counter,
    lost: Counter,
}

impl Keeper {
    /// Of these accounts.
    ///
    /// # Errors
    /// The directory could not be read.
    pub(crate) fn new(world: &World, accounts: &[AccountId]) -> Result<Keeper, directory::Error> {
        let address = |account: &AccountId| {
            Ok(world.directory.account_by_id(*account)?.map(|account| account.address.clone()))
        };
        Ok(Keeper {
            addresses: accounts.iter().map(address).collect::<Result<_, directory::Error>>()?,
            rules: world.outgoing.read().rules.clone(),
            kept: world.metrics.reports_kept.clone(),
            lost: world.metrics.reports_lost.clone(),
        })
    }

    /// What follows the delivery of `message` to the INBOX of each of the accounts; `entry` is the queue's, but for its
    /// recipients. `id` names the message in the log.
    pub(crate) fn follow(
        &self,
        message: &Prepared,
        entry: &NewEntry,
        id: &str,
        now: UnixTime,
    ) -> Option<Follow> {
        if self.addresses.is_empty() {
            return None;
        }
        let (keeper, message, entry, id) = (self.clone(), message.clone(), entry.clone(), id.to_owned());
        let make = move |outcomes: &[Outcome]| {
            let recipients = keeper.refused(outcomes, &id);
            if recipients.is_empty() {
                return Ok(None);
            }
            keeper.kept.inc_by(recipients.len() as u64);
            // What has a time of its own is taken into mailboxes here when that comes (`release`).
            let not_before = Some(UnixTime(now.0.saturating_add(RETRY_SECONDS)));
            let entry =
                NewEntry { recipients, wishes: Wishes { not_before, ..entry.wishes }, ..entry.clone() };
            let entries = vec![Outgoing::plain(entry)];
            Ok(Some(Delivery {
                message: message.clone(),
                recipients: Vec::new(),
                received: now,
                extra: beside(keeper.rules.clone(), entries, Vec::new(), Done::default()),
                follow: None,
            }))
        };
        Some(Follow { accounts: Vec::new(), make: Box::new(make) })
    }

    /// Who is tried again.
    fn refused(&self, outcomes: &[Outcome], id: &str) -> Vec<NewRecipient> {
        let mut again = Vec::new();
        for (outcome, address) in outcomes.iter().zip(&self.addresses) {
            match (outcome, address) {
                (Outcome::Delivered(_), _) => {}
                (Outcome::OverQuota | Outcome::Limit | Outcome::Damaged, Some(address)) => {
                    tracing::warn!(id, %address, ?outcome, "a mailbox does not take a report; it waits in the queue");
                    let address = address.clone();
                    again.push(NewRecipient { address, notify: Notify::Never, orcpt: None });
                }
                (outcome, address) => {
                    tracing::warn!(id, ?address, ?outcome, "a report is lost: its mailbox is gone");
                    self.lost.inc();
                }
            }
        }
        again
    }
}
