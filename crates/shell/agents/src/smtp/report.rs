//! Reports to the sender (RFC 3461 §5.2, RFC 3464): of recipients that did not get a message which others got, in the
//! same commit as that message; and of those that did, where the sender asked for it.

use super::deliver::{each, expiry, to_inboxes};
use super::plan::{Plan, Way, orcpt, queueing};
use super::{SmtpAgent, trouble};
use ::smtp::{Delivery, Kind, NotifyOn, Outcome, Recipient, Refusal};
use engine::AccountId;
use model::{EmailAddress, ReversePath, UnixTime};
use queue::{Action, NewEntry, Reported};
use std::sync::Arc;
use store::{Follow, Prepared};

/// Everything that a report needs to know of the message, and where it goes.
struct Reporter {
    hostname: String,
    sender: EmailAddress,
    envid: Option<String>,
    id: String,
    received_at: i64,
    header: Vec<u8>,
    account: Option<AccountId>,
    plan: Plan,
}

impl Reporter {
    /// The report as a delivery with a null reverse-path. None: there is nobody to send it to.
    fn delivery(
        &self,
        action: Action,
        recipients: &[Reported],
    ) -> Result<Option<store::Delivery>, store::Error> {
        if self.plan.is_empty() {
            return Ok(None);
        }
        let report = queue::delivery_report(&queue::Report {
            hostname: &self.hostname,
            sender: &self.sender,
            envid: self.envid.as_deref(),
            trace: &self.id,
            date: &mime::build::date_time(self.received_at, 0),
            action,
            recipients,
            header: &self.header,
        });
        let message = Prepared::new(&[b"Return-Path: <>\r\n", &report[..]].concat())?;
        let received = UnixTime(self.received_at);
        let entry = NewEntry {
            reverse_path: ReversePath::Null,
            recipients: Vec::new(),
            ret: None,
            envid: None,
            smtputf8: self.sender.needs_utf8(),
            body: queue::Body::EightBitMime,
            account: self.account,
            received,
            size: u64::from(message.size()),
            expires: expiry(received),
            held: false,
            wishes: queue::Wishes::default(),
        };
        Ok(Some(store::Delivery {
            message,
            recipients: to_inboxes(&self.plan.accounts),
            received,
            extra: queueing(self.plan.bounces(entry)),
            follow: None,
        }))
    }
}

impl SmtpAgent {
    /// None: the sender wants to hear nothing (RFC 5321 §6.1: a null reverse-path).
    fn reporter(&self, delivery: &Delivery) -> Result<Option<Reporter>, Refusal> {
        let ReversePath::Mailbox(sender) = &delivery.sender.from else { return Ok(None) };
        let to = Recipient {
            path: model::Path::Mailbox(sender.clone()),
            notify: Some(::smtp::Notify::NEVER),
            original: None,
        };
        let mut plan = Plan::default();
        let meaning = self.world.meaning(&to.path, &ReversePath::Null).map_err(|error| trouble(&error))?;
        if let Way::Lost(refusal) = plan.sort(&to, meaning) {
            tracing::warn!(trace = self.trace(), id = %delivery.id, %refusal, "there is nobody to report to");
        }
        Ok(Some(Reporter {
            hostname: self.hostname.clone(),
            sender: sender.clone(),
            envid: delivery.sender.envid.clone(),
            id: delivery.id.clone(),
            received_at: delivery.received_at,
            header: delivery.message[..mime::header::header_length(&delivery.message)].to_vec(),
            account: self.login.as_ref().map(|login| login.account),
            plan,
        }))
    }

    /// What is stored with the message if some recipients get it and others do not. (LMTP answers for each of them.)
    pub(super) fn follow(&self, delivery: &Delivery, plan: &Plan) -> Result<Option<Follow>, Refusal> {
        if delivery.sender.client.kind == Kind::Lmtp || plan.ways.len() < 2 {
            return Ok(None);
        }
        let Some(reporter) = self.reporter(delivery)? else { return Ok(None) };
        let (ways, recipients) = (plan.ways.clone(), delivery.recipients.clone());
        Ok(Some(Follow {
            accounts: reporter.plan.accounts.clone(),
            make: Box::new(move |stored| {
                let each = each(&ways, &recipients, stored);
                let failed = failed(&recipients, &each);
                if failed.is_empty() || !each.iter().any(Result::is_ok) {
                    return Ok(None);
                }
                reporter.delivery(Action::Failed, &failed)
            }),
        }))
    }

    /// Tells the sender of the recipients that have the message in their mailboxes, if he asked for it
    /// (NOTIFY=SUCCESS). `delivered` says of each recipient whether its message ended here.
    pub(super) async fn confirm(&self, delivery: &Delivery, delivered: &[bool], each: &[Outcome]) {
        let wanted =
            |recipient: &Recipient| recipient.notify.is_some_and(|notify| notify.has(NotifyOn::Success));
        let confirmed: Vec<Reported> = delivery
            .recipients
            .iter()
            .zip(delivered)
            .zip(each)
            .filter(|((recipient, delivered), outcome)| **delivered && outcome.is_ok() && wanted(recipient))
            .map(|((recipient, _), _)| Reported {
                recipient: recipient.path.to_string(),
                original: orcpt(recipient),
                reply: "250 2.1.5 Delivered".into(),
                status: "2.1.5".into(),
            })
            .collect();
        if confirmed.is_empty() {
            return;
        }
        let report = match self.reporter(delivery) {
            Ok(Some(reporter)) => reporter.delivery(Action::Delivered, &confirmed),
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

/// Those who did not get the message, as far as the sender wants to hear of it.
fn failed(recipients: &[Arc<Recipient>], each: &[Outcome]) -> Vec<Reported> {
    recipients
        .iter()
        .zip(each)
        .filter(|(recipient, _)| recipient.notify.is_none_or(|notify| notify.has(NotifyOn::Failure)))
        .filter_map(|(recipient, outcome)| {
            let refusal = outcome.as_ref().err()?;
            Some(Reported {
                recipient: recipient.path.to_string(),
                original: orcpt(recipient),
                reply: refusal.to_string(),
                status: refusal.enhanced.to_string(),
            })
        })
        .collect()
}
