//! Messages that their senders had held (FUTURERELEASE, RFC 4865) and that are for people here: at their time they go from
//! the queue into mailboxes, or on to where an address leads by then. Recipients are looked up anew, as at any delivery.
//!
//! Invariant: the mailboxes, what is queued anew, the states in the queue and the report to the sender are one commit.

use crate::lists::Done;
use crate::outgoing::{note_lost_reports, reporter, without_return_path};
use crate::reporter::Reporter;
use crate::smtp::{Outgoing, Plan, Way, beside, expiry, list_held, to_inboxes};
use crate::world::{World, prepare};
use ::smtp::{NotifyOn, OriginalRecipient, Refusal};
use engine::AccountId;
use model::{Path, UnixTime};
use queue::{Attempt, Entry, NewEntry, Notify, Onward, Recipient, Settled, Wishes};

/// When a mailbox that is full is tried again.
const RETRY_SECONDS: i64 = 3600;

/// Takes the recipients of domains of ours out of a queued message that was held: those are for [`release`].
///
/// # Errors
/// The directory could not be read.
pub fn take_those_here(world: &World, entry: &mut Entry) -> Result<Vec<Recipient>, directory::Error> {
    if entry.not_before.is_none() {
        return Ok(Vec::new());
    }
    let mut here = Vec::new();
    let mut elsewhere = Vec::new();
    for recipient in &entry.recipients {
        let is_home = world.directory.is_home(&recipient.address.domain)?;
        if is_home { &mut here } else { &mut elsewhere }.push(recipient.clone());
    }
    entry.recipients = elsewhere;
    Ok(here)
}

/// Delivers a message whose time has come to these of its recipients; all are of domains of ours. Answers who is to be
/// tried again, and when.
///
/// # Errors
/// Something could not be read or written; nothing was done.
pub async fn release(
    world: &World,
    hostname: &str,
    entry: &Entry,
    now: UnixTime,
) -> Result<Vec<(u32, UnixTime)>, store::Error> {
    let mut content = Vec::new();
    world.engine.snapshot()?.read_content(entry.content, 0..entry.size, &mut content)?;
    let released = Released::new(world, entry, now)?;
    let again = released.settled.iter().filter_map(|one| match one.outcome {
        Attempt::Deferred(at) => Some((one.index, at)),
        _ => None,
    });
    let again = again.collect();
    let told = queue::may_report(entry, &released.settled);
    let reporter = if told { reporter(world, hostname, entry, now)? } else { None };
    let return_path = format!("Return-Path: <{}>\r\n", entry.reverse_path).into_bytes();
    let message = prepare(&[&return_path, without_return_path(&content)].concat())?;
    drop(content);
    released.commit(world, entry, message, reporter, now).await?;
    world.queue.ring();
    Ok(again)
}

/// What becomes of the recipients.
struct Released {
    accounts: Vec<AccountId>,
    onward: Vec<Outgoing>,
    settled: Vec<Settled>,
}

impl Released {
    fn new(world: &World, entry: &Entry, now: UnixTime) -> Result<Released, store::Error> {
        let mut released = Released { accounts: Vec::new(), onward: Vec::new(), settled: Vec::new() };
        for recipient in &entry.recipients {
            let outcome = match released.place(world, entry, recipient, now) {
                Ok(outcome) => outcome,
                Err(directory::Error::Engine(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::error!(id = %entry.id, %error, "a recipient can't be looked up");
                    Err(Refusal::lookup_failed())
                }
            };
            let again = Attempt::Deferred(UnixTime(now.0.saturating_add(RETRY_SECONDS)));
            released.settled.push(match outcome {
                Ok(()) => Settled {
                    onward: Onward::Final,
                    ..Settled::new(recipient.index, Attempt::Delivered, "250 2.1.5 Delivered")
                },
                Err(refusal) => {
                    let outcome = if refusal.is_transient() { again } else { Attempt::Failed };
                    let status = Some(refusal.enhanced.to_string());
                    Settled { status, ..Settled::new(recipient.index, outcome, refusal.to_string()) }
                }
            });
        }
        Ok(released)
    }

    /// Notes where one recipient's message goes.
    fn place(
        &mut self,
        world: &World,
        entry: &Entry,
        recipient: &Recipient,
        now: UnixTime,
    ) -> Result<Result<(), Refusal>, directory::Error> {
        let path = Path::Mailbox(recipient.address.clone());
        let meaning = world.meaning(&path, &entry.reverse_path)?;
        let mut plan = Plan::default();
        if let Way::Lost(refusal) = plan.sort(&said(path, recipient), meaning) {
            return Ok(Err(refusal));
        }
        if !plan.targets.is_empty() {
            return Ok(Err(list_held()));
        }
        let fits = |account: &AccountId| world.store.would_fit(*account, entry.size).unwrap_or(true);
        if !plan.accounts.iter().all(fits) {
            return Ok(Err(Refusal::mailbox_full(&recipient.address)));
        }
        let accounts = std::mem::take(&mut plan.accounts);
        self.accounts
            .extend(accounts.into_iter().filter(|one| !self.accounts.contains(one)).collect::<Vec<_>>());
        self.onward.extend(plan.entries(world, onward(entry, now))?);
        Ok(Ok(()))
    }

    async fn commit(
        self,
        world: &World,
        entry: &Entry,
        message: store::Prepared,
        reporter: Option<Reporter>,
        now: UnixTime,
    ) -> Result<(), store::Error> {
        let rules = world.outgoing.read().rules.clone();
        let (about, settled) = (entry, self.settled.clone());
        let entry = entry.clone();
        let mut accounts = self.accounts.clone();
        accounts.extend(reporter.iter().flat_map(|reporter| reporter.accounts().to_vec()));
        let delivered = self.accounts.len();
        let work = move |tx: &mut dyn engine::Tx| {
            let told = queue::settle(tx, &entry, &self.settled, &rules, now)?;
            let mut made = Vec::new();
            if !self.accounts.is_empty() || !self.onward.is_empty() {
                made.push(store::Delivery {
                    message: message.clone(),
                    recipients: to_inboxes(&self.accounts),
                    received: now,
                    extra: beside(rules.clone(), self.onward.clone(), Vec::new(), Done::default()),
                    follow: None,
                });
            }
            if let Some(reporter) = reporter.as_ref().filter(|_| !told.is_empty()) {
                made.extend(reporter.delivery(&told, now)?);
            }
            Ok(made)
        };
        // Whether there was room was asked before: the commit decides. What a mailbox does not take stays in the queue.
        let holds = move |outcomes: &[store::RecipientOutcomes]| match delivered {
            0 => Ok(()),
            _ => outcomes.first().map_or(Ok(()), |each| each.iter().try_for_each(taken)),
        };
        world.store.deliver_made_if(&accounts, work, holds).await?;
        note_lost_reports(world, about, &settled);
        world.metrics.deliveries.inc_by(delivered as u64);
        Ok(())
    }
}

fn taken(outcome: &store::Outcome) -> Result<(), store::Error> {
    match outcome {
        store::Outcome::Delivered(_) => Ok(()),
        store::Outcome::OverQuota => Err(store::Error::OverQuota),
        store::Outcome::NoMailbox | store::Outcome::NoAccount => Err(store::Error::NoAccount),
        store::Outcome::Limit => Err(store::Error::Limit(store::Limit::Messages)),
        store::Outcome::Damaged => Err(store::Error::Engine(engine::Error::Corrupt {
            what: "a mailbox".into(),
            why: "a held message can't be delivered into it".into(),
        })),
    }
}

/// The recipient as the session had it.
fn said(path: Path, recipient: &Recipient) -> ::smtp::Recipient {
    let notify = match recipient.notify {
        Notify::Default => None,
        Notify::Never => Some(::smtp::Notify::NEVER),
        Notify::On { success, failure, delay } => {
            let events =
                [(success, NotifyOn::Success), (failure, NotifyOn::Failure), (delay, NotifyOn::Delay)];
            let chosen = events.into_iter().filter_map(|(on, event)| on.then_some(event));
            Some(chosen.fold(::smtp::Notify::default(), ::smtp::Notify::with))
        }
    };
    let original = recipient.orcpt.as_ref().map(|original| OriginalRecipient {
        addr_type: original.address_type.clone(),
        address: original.address.clone(),
    });
    ::smtp::Recipient { path, notify, original }
}

/// What goes on to other hosts, but for its recipients: as it came, and at once.
fn onward(entry: &Entry, now: UnixTime) -> NewEntry {
    NewEntry {
        reverse_path: entry.reverse_path.clone(),
        recipients: Vec::new(),
        ret: entry.ret,
        envid: entry.envid.clone(),
        smtputf8: entry.smtputf8,
        body: entry.body,
        account: entry.account,
        received: now,
        size: entry.size,
        expires: expiry(now),
        held: false,
        wishes: Wishes {
            priority: entry.priority,
            not_before: None,
            deliver_by: entry.deliver_by,
            tls: entry.tls,
        },
    }
}
