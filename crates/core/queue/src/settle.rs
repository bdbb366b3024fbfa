//! What an attempt came to, for each recipient, inside one transaction: the states move on, the sender is to be told of
//! what he wants to hear, hard bounces feed the suppression list, and events are kept for the webhook.

use crate::dsn::{Action, Reported, status_of};
use crate::entry::{ByMode, Entry, Notify, QueueId, Recipient, RecipientState};
use crate::events::{self, EventName, Happened};
use crate::operate::{Attempt, record_attempt, record_warned};
use crate::past::Keep;
use crate::{record, sending, suppression};
use engine::{Error, Tx};
use model::{ReversePath, UnixTime};
use std::collections::BTreeSet;

/// Whether the next server tells the sender of a delivery that he wants to hear of (RFC 3461 §5.2.1, §5.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Onward {
    /// It knows DSN and was told what the sender wants.
    Tells,
    /// It does not know DSN: the sender hears that it was relayed.
    Silent,
    /// It was the last one (LMTP): the message is in the mailbox.
    Final,
}

/// What an attempt came to for one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settled {
    /// Which.
    pub index: u32,
    /// What.
    pub outcome: Attempt,
    /// Reply code and text, or why there was no reply. Empty with [`Attempt::Expired`]: the last one stands.
    pub reply: String,
    /// Enhanced status code. None: that of the reply.
    pub status: Option<String>,
    /// Who replied. None: this server itself.
    pub remote: Option<String>,
    /// For [`Attempt::Delivered`].
    pub onward: Onward,
    /// For [`Attempt::Delivered`] of a message with a time to deliver by.
    pub time: TimeKept,
}

/// Whether the next server heeds the time to deliver by (RFC 2852 §4.1.4).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum TimeKept {
    /// It was told, or there is nothing to tell.
    #[default]
    Yes,
    /// It does not know DELIVERBY, and the time is not over: the sender hears that the message was relayed
    /// (RFC 2852 §4.1.4.2).
    No,
}

impl Settled {
    /// Without a remote host.
    pub fn new(index: u32, outcome: Attempt, reply: impl Into<String>) -> Settled {
        Settled {
            index,
            outcome,
            reply: reply.into(),
            status: None,
            remote: None,
            onward: Onward::Silent,
            time: TimeKept::Yes,
        }
    }

    fn status(&self, entry: &Entry, now: UnixTime) -> String {
        let returned = entry.deliver_by.is_some_and(|by| by.mode == ByMode::Return && by.at <= now);
        match (&self.status, self.outcome) {
            (Some(status), _) => status.clone(),
            // RFC 2852 §4.1.3
            (None, Attempt::Expired) if returned => "5.4.7".to_owned(),
            // RFC 3463 X.4.7: what the last reply was is in Diagnostic-Code.
            (None, Attempt::Expired) => "4.4.7".to_owned(),
            (None, _) => status_of(&self.reply),
        }
    }

    fn action(&self) -> Option<Action> {
        match (self.outcome, self.onward) {
            // That is told when it has lasted for long: `warn`.
            (Attempt::Deferred(_), _) => None,
            (Attempt::Failed | Attempt::Expired, _) => Some(Action::Failed),
            (Attempt::Delivered, Onward::Tells) => None,
            (Attempt::Delivered, Onward::Silent) => Some(Action::Relayed),
            (Attempt::Delivered, Onward::Final) => Some(Action::Delivered),
        }
    }

    fn event(&self) -> EventName {
        match self.outcome {
            Attempt::Deferred(_) => EventName::Deferred,
            Attempt::Delivered => EventName::Delivered,
            Attempt::Failed => EventName::Failed,
            Attempt::Expired => EventName::Expired,
        }
    }
}

/// What is kept beside the queue itself; see [`settle`].
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Rules {
    /// When addresses are suppressed.
    pub suppression: suppression::Rule,
    /// Events that are kept for the webhook; empty: none.
    pub events: BTreeSet<EventName>,
    /// How long it is kept what became of a message.
    pub history: Keep,
}

/// Whether anything of this may have to be told to the sender: then the caller prepares a report, else it need not.
pub fn may_report(entry: &Entry, settled: &[Settled]) -> bool {
    settled.iter().any(|one| {
        let recipient = entry.recipients.iter().find(|recipient| recipient.index == one.index);
        recipient.is_some_and(|recipient| wants(entry, recipient, one).is_some())
    })
}

/// What the sender is to be told. RFC 5321 §4.5.5: with a null reverse-path, nothing.
fn wants(entry: &Entry, recipient: &Recipient, settled: &Settled) -> Option<Action> {
    if entry.reverse_path == ReversePath::Null {
        return None;
    }
    let asked = settled.action().filter(|action| recipient.notify.wants(*action));
    asked.or_else(|| tells_of_relaying(entry, recipient, settled).then_some(Action::Relayed))
}

/// RFC 2852 §4.1.4: with by-trace, and when the next host does not heed the time, the sender is told that the message was
/// relayed, whether he asked for successes or not.
fn tells_of_relaying(entry: &Entry, recipient: &Recipient, settled: &Settled) -> bool {
    let traced = entry.deliver_by.is_some_and(|by| by.trace);
    let dropped = entry.deliver_by.is_some() && settled.time == TimeKept::No;
    settled.outcome == Attempt::Delivered
        && settled.onward != Onward::Final
        && recipient.notify != Notify::Never
        && (traced || dropped)
}

/// Records what an attempt came to inside a transaction. Answers what the sender is to be told of it: of those recipients
/// only that were still waiting (or held), so that nothing is told twice; deliver that report in this same transaction.
/// An entry goes with its last recipient.
///
/// # Errors
/// The engine's.
pub fn settle(
    tx: &mut dyn Tx,
    entry: &Entry,
    settled: &[Settled],
    rules: &Rules,
    now: UnixTime,
) -> Result<Vec<Reported>, Error> {
    let mut told = Vec::new();
    let mut failed = 0;
    for one in settled {
        let Some(recipient) = open_recipient(tx, entry.id, one.index)? else { continue };
        let reply = match &recipient.last_reply {
            Some(last) if one.reply.is_empty() => last.clone(),
            _ => one.reply.clone(),
        };
        record_attempt(tx, entry.id, one.index, one.outcome, &reply, &rules.history, now)?;
        let status = one.status(entry, now);
        let address = recipient.address.to_string();
        suppression::learn(tx, &recipient.address, one.outcome, &status, &reply, rules.suppression, now)?;
        if one.outcome == Attempt::Failed {
            failed += 1;
        }
        let happened = Happened {
            name: one.event(),
            at: now,
            queue_id: Some(entry.id),
            sender: Some(entry.reverse_path.to_string()),
            recipient: Some(address.clone()),
            account: entry.account,
            status: Some(status.clone()),
            reply: Some(reply.clone()),
            remote: one.remote.clone(),
            attempts: Some(recipient.attempts + 1),
            text: None,
        };
        events::keep(tx, &happened, &rules.events)?;
        if let Some(action) = wants(entry, &recipient, one) {
            told.push(Reported {
                action,
                recipient: address,
                original: recipient.orcpt.clone(),
                reply,
                status,
                remote: one.remote.clone(),
                last_attempt: Some(now),
            });
        }
    }
    if let Some(account) = entry.account.filter(|_| failed > 0) {
        sending::count_failures(tx, account, failed, now)?;
    }
    Ok(told)
}

/// Whether the sender may have to be told that any of these recipients have waited for long.
pub fn may_warn(entry: &Entry, indexes: &[u32]) -> bool {
    entry.recipients.iter().any(|one| indexes.contains(&one.index) && hears_of_delay(entry, one))
}

fn hears_of_delay(entry: &Entry, recipient: &Recipient) -> bool {
    entry.reverse_path != ReversePath::Null && recipient.notify.wants(Action::Delayed)
}

/// Notes inside a transaction that these recipients have waited so long that their sender is told, once. Answers what he
/// is to be told, in this same transaction.
///
/// # Errors
/// The engine's.
pub fn warn(tx: &mut dyn Tx, entry: &Entry, indexes: &[u32], now: UnixTime) -> Result<Vec<Reported>, Error> {
    let mut told = Vec::new();
    for index in record_warned(tx, entry.id, indexes, now)? {
        let Some(recipient) = open_recipient(tx, entry.id, index)? else { continue };
        if !hears_of_delay(entry, &recipient) {
            continue;
        }
        let reply = recipient.last_reply.unwrap_or_default();
        told.push(Reported {
            action: Action::Delayed,
            recipient: recipient.address.to_string(),
            original: recipient.orcpt,
            // RFC 2852 §4.1.3: that the time is over has a status of its own.
            status: match entry.deliver_by {
                Some(by) if by.mode == ByMode::Notify && by.at <= now => "4.4.7".to_owned(),
                _ => status_of(&reply),
            },
            reply,
            remote: None,
            last_attempt: None,
        });
    }
    Ok(told)
}

/// A recipient that is not at its end.
fn open_recipient(tx: &dyn Tx, id: QueueId, index: u32) -> Result<Option<Recipient>, Error> {
    let Some(record) = record::recipient(tx, id, index)? else { return Ok(None) };
    if !matches!(record.state, RecipientState::Queued | RecipientState::Held) {
        return Ok(None);
    }
    record.show(index).map(Some)
}

#[cfg(test)]
mod tests;
