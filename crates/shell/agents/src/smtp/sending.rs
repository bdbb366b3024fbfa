//! What leaves for other hosts is counted: limits of users, addresses that nothing is sent to any more, and the alarm when
//! an account suddenly sends like a spammer ([`queue::SendingRules`], [`queue::SuppressionRule`]).

use super::SmtpAgent;
use crate::outgoing;
use crate::world::World;
use ::smtp::{Recipient, Refusal, Sender};
use engine::Abort;
use model::{Path, UnixTime};
use parking_lot::Mutex;
use policy::Destination;
use queue::{Counted, EventName, Happened, Withheld, count_sent, holding_of, keep_event};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::Extra;

/// What the count of a message said, known when its transaction is over.
#[derive(Clone, Default)]
pub(super) struct Said(Arc<Mutex<Option<Counted>>>);

impl SmtpAgent {
    /// Whether an accepted recipient may be sent to, as far as he is elsewhere.
    pub(super) fn may_leave(
        &mut self,
        recipient: &Recipient,
        destination: &Destination,
    ) -> Result<(), Refusal> {
        let remote = destination.remote.len() as u32;
        if remote == 0 {
            return Ok(());
        }
        let (outgoing, now) = (self.world.outgoing.read().clone(), World::now());
        if outgoing.rules.suppression.bounces > 0 {
            self.may_reach_somebody(recipient, destination, now)?;
        }
        let Some(account) = self.login.as_ref().map(|login| login.account) else { return Ok(()) };
        let more = self.leaving.saturating_add(remote);
        let withheld = self
            .world
            .queue
            .withheld(account, more, &outgoing.sending, now)
            .map_err(|error| unread(&error))?;
        if let Some(why) = withheld {
            return Err(refusal(why));
        }
        self.leaving = more;
        Ok(())
    }

    /// Refuses what would reach nobody: everywhere it leads nothing is sent any more. What leads to others, too, is taken,
    /// and the sender is told of the rest when it is sent (`courier`), as he is of what is suppressed meanwhile.
    fn may_reach_somebody(
        &self,
        recipient: &Recipient,
        destination: &Destination,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        if !destination.local.is_empty() || destination.lists > 0 {
            return Ok(());
        }
        let suppressed = self.world.queue.suppressed_among(&destination.remote, now);
        let mut suppressed = suppressed.map_err(|error| unread(&error))?;
        if suppressed.iter().any(Option::is_none) {
            return Ok(());
        }
        let text = match (&recipient.path, &destination.remote[..], suppressed.pop().flatten()) {
            (Path::Mailbox(written), [only], Some(why)) if written == only => {
                return Err(Refusal::new(550, (1, 1), format!("{why}. The administrator can change that")));
            }
            // Nobody is told here where an alias leads.
            _ => format!(
                "Nothing is sent any more to where <{}> leads. The administrator can change that",
                recipient.path
            ),
        };
        Err(Refusal::new(550, (7, 1), text))
    }

    /// RFC 4865 §6 (3): what would be held beyond the sender's quota is refused at MAIL.
    pub(super) fn may_hold(&self, sender: &Sender) -> Result<(), Refusal> {
        let Some(account) = self.login.as_ref().map(|login| login.account) else { return Ok(()) };
        if sender.wishes.release_at.is_none_or(|at| at <= World::now().0) {
            return Ok(());
        }
        let limits = self.world.outgoing.read().sending.held;
        let holding = self.world.queue.holding(account).map_err(|error| unread(&error))?;
        if holding.fits(sender.size_bytes.unwrap_or(0), &limits) {
            Ok(())
        } else {
            Err(refusal(Withheld::Held))
        }
    }

    /// Adds the count of what leaves to the transaction that queues it, which is given up if that is too much.
    /// `held`: the octets of a message that waits for its time.
    pub(super) fn counted(
        &self,
        extra: Extra,
        recipients: u64,
        held: Option<u64>,
        now: UnixTime,
    ) -> (Extra, Said) {
        let said = Said::default();
        let Some(account) = self.login.as_ref().map(|login| login.account) else { return (extra, said) };
        let outgoing = self.world.outgoing.read().clone();
        let (slot, references, mut queue) = (said.clone(), extra.references, extra.write);
        let recipients = u32::try_from(recipients).unwrap_or(u32::MAX);
        let write = move |tx: &mut dyn engine::Tx, content| {
            let mut counted = count_sent(tx, account, recipients, &outgoing.sending, now)?;
            if let Some(bytes) = held
                && !holding_of(tx, account)?.fits(bytes, &outgoing.sending.held)
            {
                counted = Counted::Withheld(Withheld::Held);
            }
            let is_withheld = matches!(counted, Counted::Withheld(_));
            if let Counted::Alarm(why) = &counted {
                let happened = Happened {
                    account: Some(account),
                    text: Some(why.clone()),
                    ..Happened::new(EventName::Alarm, now)
                };
                keep_event(tx, &happened, &outgoing.rules.events)?;
            }
            *slot.0.lock() = Some(counted);
            if is_withheld { Err(Abort::Cancelled) } else { queue(tx, content) }
        };
        (Extra { references, write: Box::new(write) }, said)
    }

    /// Tells the operator what was said of a message that is stored.
    pub(super) async fn heed(&self, said: &Said) {
        let why = match said.0.lock().take() {
            Some(Counted::Alarm(why)) => why,
            _ => return,
        };
        let Some(account) = self.login.as_ref().map(|login| login.account) else { return };
        outgoing::alarm(&self.world, &self.hostname, account, &why).await;
    }
}

impl Said {
    /// Why the message was not queued, if it was for that.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match *self.0.lock() {
            Some(Counted::Withheld(why)) => Some(refusal(why)),
            _ => None,
        }
    }
}

/// RFC 3463 X.7.1: a rule of this server.
fn refusal(why: Withheld) -> Refusal {
    match why {
        Withheld::Hour(limit) => Refusal::new(
            450,
            (7, 1),
            format!("You may send to {limit} recipients in an hour, and have done so; try again later"),
        ),
        Withheld::Day(limit) => Refusal::new(
            450,
            (7, 1),
            format!("You may send to {limit} recipients in a day, and have done so; try again tomorrow"),
        ),
        // RFC 4865 §6 (4), (5).
        Withheld::Held => Refusal::new(
            552,
            (7, 16),
            "So much of your mail waits for its time as may; send it when it shall go, or when some of that is gone",
        ),
        Withheld::Blocked => Refusal::new(
            550,
            (7, 1),
            "Your account sends nothing to other hosts until the administrator releases it; ask him why",
        ),
    }
}

fn unread(error: &engine::Error) -> Refusal {
    tracing::error!(%error, "what an account sent can't be read");
    Refusal::new(451, (3, 0), "The server can't look this up now; try again in some minutes")
}

/// Events of queued messages, each in the transaction that queues it.
pub(crate) fn keep_queued(
    tx: &mut dyn engine::Tx,
    id: queue::QueueId,
    entry: &queue::NewEntry,
    wanted: &BTreeSet<EventName>,
) -> Result<(), engine::Error> {
    let recipient = match &entry.recipients[..] {
        [only] => Some(only.address.to_string()),
        _ => None,
    };
    let happened = Happened {
        queue_id: Some(id),
        sender: Some(entry.reverse_path.to_string()),
        recipient,
        account: entry.account,
        ..Happened::new(EventName::Queued, entry.received)
    };
    keep_event(tx, &happened, wanted)
}
