//! Reports to the sender (RFC 3461 §5.2, RFC 3464): of recipients that did not get a message which others got, and of
//! those that did, where the sender asked for it.

use super::SmtpAgent;
use super::deliver::orcpt;
use ::smtp::{BodyType, Delivery, NotifyOn, Outcome, Recipient, Refusal};
use model::{EmailAddress, ReversePath};
use queue::{Action, Reported};
use std::sync::Arc;

impl SmtpAgent {
    /// Tells the sender of the recipients that have the message in their mailboxes, if he asked for it
    /// (NOTIFY=SUCCESS). `delivered` says of each recipient whether its message ended here.
    pub(super) async fn confirm(&self, delivery: &Delivery, delivered: &[bool], each: &[Outcome]) {
        let ReversePath::Mailbox(sender) = &delivery.sender.from else { return };
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
        // The message itself is safe whatever becomes of its confirmation.
        if let Err(refusal) = self.report(delivery, sender, Action::Delivered, &confirmed).await {
            tracing::warn!(trace = self.trace(), id = %delivery.id, %refusal, "a delivery could not be confirmed");
        }
    }

    /// SMTP has one answer for the message. Once any recipient has it, it is accepted, and those who did not get it are
    /// reported to the sender, durably, before the answer (RFC 5321 §6.1).
    pub(super) async fn one_answer(&self, delivery: &Delivery, each: Vec<Outcome>) -> Vec<Outcome> {
        if each.iter().all(Result::is_ok) {
            return vec![Ok(())];
        }
        if !each.iter().any(Result::is_ok) {
            return each.into_iter().take(1).collect();
        }
        let failed: Vec<Reported> = delivery
            .recipients
            .iter()
            .zip(&each)
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
            .collect();
        let ReversePath::Mailbox(sender) = &delivery.sender.from else { return vec![Ok(())] };
        if failed.is_empty() {
            return vec![Ok(())];
        }
        vec![self.report(delivery, sender, Action::Failed, &failed).await]
    }

    /// Sends a report, durably, with a null reverse-path.
    async fn report(
        &self,
        delivery: &Delivery,
        sender: &EmailAddress,
        action: Action,
        recipients: &[Reported],
    ) -> Result<(), Refusal> {
        let message = queue::delivery_report(&queue::Report {
            hostname: &self.hostname,
            sender,
            envid: delivery.sender.envid.as_deref(),
            trace: &delivery.id,
            date: &mime::build::date_time(delivery.received_at, 0),
            action,
            recipients,
            header: &delivery.message[..mime::header::header_length(&delivery.message)],
        });
        let to = Arc::new(Recipient {
            path: model::Path::Mailbox(sender.clone()),
            notify: Some(::smtp::Notify::NEVER),
            original: None,
        });
        let report = Delivery {
            sender: Arc::new(::smtp::Sender {
                from: ReversePath::Null,
                smtputf8: sender.needs_utf8(),
                body: BodyType::EightBitMime,
                envid: None,
                ret: None,
                ..(*delivery.sender).clone()
            }),
            recipients: vec![to],
            id: format!("{}.report", delivery.id),
            received_at: delivery.received_at,
            protocol: delivery.protocol,
            message,
            trace_field_bytes: 0,
            memory: wire::Budget::unlimited().share(),
        };
        let plan = self.plan(&report);
        // Boxed: a report is never reported on, so this goes one level deep only.
        let outcomes = Box::pin(self.commit(&report, plan)).await;
        outcomes.into_iter().next().unwrap_or(Ok(()))
    }
}
