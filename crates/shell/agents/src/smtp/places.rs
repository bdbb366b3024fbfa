//! Where an accepted message went, for [`queue::Queue::note_accepted`]: told behind its commit, for `troika queue history`.

use super::SmtpAgent;
use super::plan::{Outgoing, Plan, Queued, Way};
use ::smtp::{Delivery, Outcome, Recipient};
use model::{EmailAddress, Path};
use queue::{Accepted, Place, Placed};
use std::sync::Arc;

/// Recipients whose places are looked up in a message; no more are kept.
const RECIPIENTS_MAX: usize = 200;

/// What is to be known of the queue's entries when they are written.
pub(super) struct Onward {
    /// Their recipients, entry by entry.
    addresses: Vec<Vec<EmailAddress>>,
    /// Their names, in the same order.
    pub(super) queued: Queued,
}

impl Onward {
    pub(super) fn of(entries: &[Outgoing]) -> Onward {
        let addresses = |one: &Outgoing| {
            let recipients = one.entry.recipients.iter().take(RECIPIENTS_MAX);
            recipients.map(|recipient| recipient.address.clone()).collect()
        };
        Onward { addresses: entries.iter().map(addresses).collect(), queued: Queued::default() }
    }

    /// The places in the queue, each with the recipient who was written so.
    fn places(&self, recipients: &[Arc<Recipient>]) -> Vec<Placed> {
        let names = self.queued.take();
        let mut places = Vec::new();
        for (id, addresses) in names.into_iter().zip(&self.addresses) {
            for address in addresses {
                let written =
                    |one: &Arc<Recipient>| matches!(&one.path, Path::Mailbox(path) if path == address);
                let recipient = recipients.iter().take(RECIPIENTS_MAX).position(written);
                let place = Place::Queue(id.0, address.to_string());
                places.push(Placed { recipient: recipient.map(|at| at as u32), place });
            }
        }
        places
    }
}

impl SmtpAgent {
    /// Notes where a message went. `each` says of each recipient whether anybody got it, `stored` of each account.
    pub(super) fn note_places(
        &self,
        delivery: &Delivery,
        plan: &Plan,
        each: &[Outcome],
        stored: &[store::Outcome],
        onward: &Onward,
    ) {
        let keep = self.world.outgoing.read().rules.history;
        if keep.messages == 0 || keep.seconds <= 0 || each.iter().all(Result::is_err) {
            return;
        }
        let mut places = Vec::new();
        let one = |at: usize, place| Placed { recipient: Some(at as u32), place };
        for (at, (way, outcome)) in plan.ways.iter().zip(each).enumerate().take(RECIPIENTS_MAX) {
            match (way, outcome) {
                (Way::Goes { accounts, .. }, Ok(())) => {
                    let account = |account: &usize| match stored.get(*account) {
                        Some(store::Outcome::Delivered(_)) => Place::Mailbox(plan.accounts[*account].0),
                        refused => Place::Refused(super::deliver::refused(refused, &delivery.recipients[at])),
                    };
                    places.extend(accounts.iter().map(|number| one(at, account(number))));
                }
                (_, Err(refusal)) => places.push(one(at, Place::Refused(refusal.to_string()))),
                (Way::Lost(_), Ok(())) => {}
            }
        }
        places.extend(plan.posted.iter().map(|at| one(*at, Place::List)));
        places.extend(onward.places(&delivery.recipients));
        let mut ids = mime::header::fields(&delivery.message).filter(|field| field.is("Message-ID"));
        let message_id = ids.next().map(|field| String::from_utf8_lossy(&field.unfolded()).trim().to_owned());
        self.world.queue.note_accepted(Accepted {
            id: delivery.id.clone(),
            message_id,
            reverse_path: delivery.sender.from.to_string(),
            account: self.login.as_ref().map(|login| login.account.0),
            at: delivery.received_at,
            recipients: delivery
                .recipients
                .iter()
                .take(RECIPIENTS_MAX)
                .map(|one| one.path.to_string())
                .collect(),
            places,
        });
    }
}
