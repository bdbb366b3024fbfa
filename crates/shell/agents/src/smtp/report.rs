//! Reports to the sender (RFC 3461 §5.2, RFC 3464): of recipients that did not get a message which others got, in the
//! same commit as that message; and of those that did, or whose address was expanded, where the sender asked for it.

use super::deliver::{each, ret, wishes};
use super::plan::{Plan, orcpt};
use super::{SmtpAgent, trouble};
use crate::reporter::{About, Reporter};
use crate::world::World;
use ::smtp::{BodyType, Delivery, Kind, NotifyOn, Outcome, Recipient, Refusal};
use model::{ReversePath, UnixTime};
use queue::{Action, Reported};
use std::sync::Arc;
use store::Follow;

impl SmtpAgent {
    /// None: the sender wants to hear nothing (RFC 5321 §6.1: a null reverse-path).
    fn reporter(&self, delivery: &Delivery) -> Result<Option<Reporter>, Refusal> {
        let ReversePath::Mailbox(sender) = &delivery.sender.from else { return Ok(None) };
        let about = About {
            sender: sender.clone(),
            // What is binary is not returned: the report would need BINARYMIME to travel (RFC 3030 §3).
            ret: delivery.sender.ret.map(ret).filter(|_| delivery.sender.body != BodyType::BinaryMime),
            envid: delivery.sender.envid.clone(),
            smtputf8: delivery.sender.smtputf8,
            trace: delivery.id.clone(),
            received: UnixTime(delivery.received_at),
            account: self.login.as_ref().map(|login| login.account),
            retry_until: None,
            wishes: wishes(&delivery.sender.wishes, &delivery.message, UnixTime(delivery.received_at)),
        };
        Reporter::new(&self.world, &self.hostname, about, &delivery.message)
            .map(Some)
            .map_err(|error| trouble(&error))
    }

    /// What is stored with the message if some recipients get it and others do not. (LMTP answers for each of them.)
    pub(super) fn follow(&self, delivery: &Delivery, plan: &Plan) -> Result<Option<Follow>, Refusal> {
        if delivery.sender.client.kind == Kind::Lmtp || plan.ways.len() < 2 {
            return Ok(None);
        }
        let Some(reporter) = self.reporter(delivery)? else { return Ok(None) };
        let (ways, recipients) = (plan.ways.clone(), delivery.recipients.clone());
        let now = UnixTime(delivery.received_at);
        Ok(Some(Follow {
            accounts: reporter.accounts().to_vec(),
            make: Box::new(move |stored| {
                let each = each(&ways, &recipients, stored);
                let failed = failed(&recipients, &each);
                if failed.is_empty() || !each.iter().any(Result::is_ok) {
                    return Ok(None);
                }
                reporter.delivery(&failed, now)
            }),
        }))
    }

    /// Tells the sender of the recipients that have the message in their mailboxes, and of those whose addresses stand
    /// for several, if he asked for it (NOTIFY=SUCCESS). `ends` says of each recipient how its message ended here.
    pub(super) async fn confirm(&self, delivery: &Delivery, ends: &[Option<Action>], each: &[Outcome]) {
        let wanted =
            |recipient: &Recipient| recipient.notify.is_some_and(|notify| notify.has(NotifyOn::Success));
        let confirmed: Vec<Reported> = delivery
            .recipients
            .iter()
            .zip(ends)
            .zip(each)
            .filter(|((recipient, _), outcome)| outcome.is_ok() && wanted(recipient))
            .filter_map(|((recipient, end), _)| {
                let reply = match (*end)? {
                    Action::Expanded => "250 2.1.5 Expanded",
                    _ => "250 2.1.5 Delivered",
                };
                Some(reported(recipient, (*end)?, reply.into(), "2.1.5".into()))
            })
            .collect();
        if confirmed.is_empty() {
            return;
        }
        let report = match self.reporter(delivery) {
            Ok(Some(reporter)) => reporter.delivery(&confirmed, World::now()),
            Ok(None) | Err(_) => return,
        };
        let written = match report {
            Ok(Some(report)) => self.world.store.deliver(report).await.map(|_| self.world.queue.ring()),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        // The message itself is safe whatever becomes of its confirmation.
        if let Err(error) = written {
            tracing::warn!(trace = self.trace(), id = %delivery.id, %error, "a delivery could not be confirmed");
        }
    }
}

fn reported(recipient: &Recipient, action: Action, reply: String, status: String) -> Reported {
    Reported {
        action,
        recipient: recipient.path.to_string(),
        original: orcpt(recipient),
        reply,
        status,
        remote: None,
        last_attempt: None,
    }
}

/// Those who did not get the message, as far as the sender wants to hear of it.
fn failed(recipients: &[Arc<Recipient>], each: &[Outcome]) -> Vec<Reported> {
    recipients
        .iter()
        .zip(each)
        .filter(|(recipient, _)| recipient.notify.is_none_or(|notify| notify.has(NotifyOn::Failure)))
        .filter_map(|(recipient, outcome)| {
            let refusal = outcome.as_ref().err()?;
            Some(reported(recipient, Action::Failed, refusal.to_string(), refusal.enhanced.to_string()))
        })
        .collect()
}
