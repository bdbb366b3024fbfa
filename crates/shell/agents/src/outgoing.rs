//! What comes of mail on its way out, as one commit: the states of its recipients ([`queue::settle`]) and the report to
//! its sender, which may itself go into a mailbox here or into the queue. So a crash leaves neither a failure without its
//! report nor a report of what did not happen.

use crate::reporter::{About, Reporter};
use crate::smtp::to_inboxes;
use crate::world::World;
use directory::Resolution;
use engine::AccountId;
use model::{EmailAddress, Path, ReversePath, UnixTime};
use queue::{
    AlarmAction, Attempt, Body, Entry, Language, QueueId, RecipientState, Reported, Ret, Rules, SendingRules,
    Settled, Wishes,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Delivery, RecipientOutcomes, Written};

/// Bytes of a message's beginning that are searched for its header.
const HEADER_BYTES_MAX: u64 = 64 * 1024;
/// Longer lines are not the Return-Path that this server wrote.
const RETURN_PATH_BYTES_MAX: usize = 1024;

/// What is told and kept of mail on its way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// This host.
    pub hostname: String,
    /// Of the reports to senders. None: the language of each sender.
    pub language: Option<Language>,
    /// Of larger messages no more is returned, even when all was asked for (RFC 3461 §6.2).
    pub message_bytes_max: usize,
    /// The suppression list, and events for the webhook.
    pub rules: Arc<Rules>,
    /// How much users may send.
    pub sending: SendingRules,
    /// Where TLS reports about our domains come by mail. None: to the postmaster of each.
    pub report_address: Option<EmailAddress>,
}

impl Default for Outgoing {
    fn default() -> Self {
        Outgoing {
            hostname: "localhost".into(),
            language: None,
            message_bytes_max: 256 * 1024,
            rules: Arc::default(),
            sending: SendingRules::default(),
            report_address: None,
        }
    }
}

/// Records what an attempt came to for recipients of `entry`, as it was read before the attempt, and delivers what its
/// sender is to be told. What is not recorded yet when this fails may be tried again: nothing of it was kept.
///
/// # Errors
/// Something could not be read or written.
pub async fn settle(
    world: &World,
    hostname: &str,
    entry: &Entry,
    settled: Vec<Settled>,
    now: UnixTime,
) -> Result<(), store::Error> {
    let ended = settled.clone();
    settling(world, hostname, entry, settled, now)?.await?;
    note_lost_reports(world, entry, &ended);
    if entry.reverse_path.to_string().contains("-bounces+") {
        // A list's: its owners may have to be told of a member who gets nothing more.
        world.lists.ring();
    }
    world.queue.ring();
    Ok(())
}

/// Tells the sender that recipients of `entry` have waited for long, once for each of them.
///
/// # Errors
/// Something could not be read or written.
pub async fn warn(
    world: &World,
    hostname: &str,
    entry: &Entry,
    indexes: Vec<u32>,
    now: UnixTime,
) -> Result<(), store::Error> {
    let told = queue::may_warn(entry, &indexes);
    let reporter = if told { reporter(world, hostname, entry, now)? } else { None };
    let about = entry.clone();
    let work = move |tx: &mut dyn engine::Tx| Ok(queue::warn(tx, &about, &indexes, now)?);
    commit(world, reporter, now, work).await?;
    world.queue.ring();
    Ok(())
}

/// Gives all open recipients of queued messages up now, and tells their senders; answers those that had any. Waits for the
/// disk, once for all of them: not for an async thread.
///
/// # Errors
/// Something could not be read or written; some may be given up then.
pub fn bounce(
    world: &World,
    ids: &[QueueId],
    reason: &str,
    now: UnixTime,
) -> Result<Vec<QueueId>, store::Error> {
    let hostname = world.outgoing.read().hostname.clone();
    let mut begun = Vec::new();
    for id in ids {
        let Some(shown) = world.queue.show(*id)? else { continue };
        let settled = given_up(&shown.entry, reason);
        if !settled.is_empty() {
            let written = settling(world, &hostname, &shown.entry, settled.clone(), now)?;
            begun.push((*id, shown.entry, settled, written));
        }
    }
    let mut done = Vec::new();
    for (id, entry, settled, written) in begun {
        written.wait()?;
        note_lost_reports(world, &entry, &settled);
        world.queue.changed(id);
        done.push(id);
    }
    Ok(done)
}

/// RFC 5321 §4.5.5: nobody is told when a report comes to nothing; so the operator is.
pub(crate) fn note_lost_reports(world: &World, entry: &Entry, settled: &[Settled]) {
    if entry.reverse_path != ReversePath::Null {
        return;
    }
    for one in settled.iter().filter(|one| matches!(one.outcome, Attempt::Failed | Attempt::Expired)) {
        let address = entry.recipients.iter().find(|recipient| recipient.index == one.index);
        let to = address.map(|recipient| recipient.address.to_string()).unwrap_or_default();
        tracing::warn!(id = %entry.id, to, reply = one.reply, "a report reached nobody");
        world.metrics.reports_lost.inc();
    }
}

/// The open recipients of an entry, ended.
fn given_up(entry: &Entry, reason: &str) -> Vec<Settled> {
    let open = |state| matches!(state, RecipientState::Queued | RecipientState::Held);
    let recipients = entry.recipients.iter().filter(|recipient| open(recipient.state));
    // RFC 3463 X.0.0: nothing is wrong but that somebody decided so.
    let ended =
        |index| Settled { status: Some("5.0.0".into()), ..Settled::new(index, Attempt::Failed, reason) };
    recipients.map(|recipient| ended(recipient.index)).collect()
}

fn settling(
    world: &World,
    hostname: &str,
    entry: &Entry,
    settled: Vec<Settled>,
    now: UnixTime,
) -> Result<Written<Vec<RecipientOutcomes>>, store::Error> {
    let told = queue::may_report(entry, &settled);
    let reporter = if told { reporter(world, hostname, entry, now)? } else { None };
    let outgoing = world.outgoing.read().clone();
    let entry = entry.clone();
    let work = move |tx: &mut dyn engine::Tx| Ok(queue::settle(tx, &entry, &settled, &outgoing.rules, now)?);
    Ok(commit(world, reporter, now, work))
}

/// One transaction: `work`, and the report on what it answers.
fn commit(
    world: &World,
    reporter: Option<Reporter>,
    now: UnixTime,
    mut work: impl FnMut(&mut dyn engine::Tx) -> Result<Vec<Reported>, store::Error> + Send + 'static,
) -> Written<Vec<RecipientOutcomes>> {
    let accounts = reporter.as_ref().map(|reporter| reporter.accounts().to_vec()).unwrap_or_default();
    world.store.deliver_made(&accounts, move |tx| {
        let told = work(tx)?;
        let report: Option<Delivery> = match &reporter {
            Some(reporter) if !told.is_empty() => reporter.delivery(&told, now)?,
            _ => None,
        };
        Ok(report.into_iter().collect())
    })
}

/// Tells the operator that an account sends like a spammer: in the log, in the metrics, and with a message to who reads
/// the postmaster's mail.
pub(crate) async fn alarm(world: &World, hostname: &str, account: AccountId, why: &str) {
    let name = match world.directory.account_by_id(account) {
        Ok(Some(account)) => account.address.to_string(),
        _ => format!("account {}", account.0),
    };
    let outgoing = world.outgoing.read().clone();
    let blocked = outgoing.sending.alarm == AlarmAction::Block;
    world.metrics.sending_alarms.inc();
    tracing::warn!(account = name, blocked, why, "an account sends like a spammer");
    let told = async {
        let postmaster = world.directory.resolve_path(&Path::Postmaster)?;
        let Resolution::Deliver { local, .. } = &*postmaster else { return Ok(()) };
        let accounts: Vec<AccountId> = local.iter().map(|target| target.account).collect();
        let now = World::now();
        let text = alarm_message(&outgoing, hostname, &name, why, blocked, now);
        let delivery = Delivery {
            message: store::Prepared::new(&text)?,
            recipients: to_inboxes(&accounts),
            received: now,
            extra: None,
            follow: None,
        };
        let outcomes = world.store.deliver(delivery).await?;
        for outcome in outcomes.iter().filter(|outcome| !matches!(outcome, store::Outcome::Delivered(_))) {
            tracing::error!(account = name, ?outcome, "the postmaster's mailbox does not take the alarm");
        }
        Ok::<(), Box<dyn std::error::Error>>(())
    };
    if let Err(error) = told.await {
        tracing::error!(%error, "the postmaster can't be told of it");
    }
}

fn alarm_message(
    outgoing: &Outgoing,
    hostname: &str,
    account: &str,
    why: &str,
    blocked: bool,
    now: UnixTime,
) -> Vec<u8> {
    let mut out = b"Return-Path: <>\r\n".to_vec();
    let russian = outgoing.language == Some(Language::Russian);
    let subject = if russian {
        format!("Тревога: {account} рассылает почту, как спамер")
    } else {
        format!("Alarm: {account} sends like a spammer")
    };
    for (name, value) in [
        ("Date", mime::build::date_time(now.0, 0)),
        ("From", mime::build::mailbox("Troika", &format!("postmaster@{hostname}"))),
        ("To", format!("postmaster@{hostname}")),
        ("Subject", mime::encoded_word::encode(&subject).into_owned()),
        ("Message-ID", format!("<{:x}.alarm.{account}@{hostname}>", now.0).replace(' ', "_")),
        ("Auto-Submitted", "auto-generated".into()),
        ("MIME-Version", "1.0".into()),
        ("Content-Type", "text/plain; charset=utf-8".into()),
        ("Content-Transfer-Encoding", "8bit".into()),
    ] {
        mime::build::write_field(name, &value, &mut out);
    }
    let done = match (russian, blocked) {
        (false, false) => {
            "It may send on. If somebody else has its password, set another one, and stop it until then:"
        }
        (false, true) => "It sends nothing to other hosts until it is released:",
        (true, false) => {
            "Рассылка не остановлена. Если пароль попал в чужие руки, смените его, а до тех пор остановите рассылку:"
        }
        (true, true) => "Учётная запись ничего не отправляет на другие серверы, пока её не освободят:",
    };
    let command = if blocked { "release" } else { "block" };
    let head = if russian { "Что случилось" } else { "What happened" };
    out.extend_from_slice(
        format!("\r\n{account}\r\n\r\n{head}: {why}.\r\n\r\n{done}\r\n\r\n    troika sender {command} {account}\r\n")
            .as_bytes(),
    );
    out
}

/// Who writes reports about a queued message. None: there is nobody to write to.
pub(crate) fn reporter(
    world: &World,
    hostname: &str,
    entry: &Entry,
    now: UnixTime,
) -> Result<Option<Reporter>, store::Error> {
    // RFC 5321 §4.5.5, §6.1: nothing bounces a bounce.
    let ReversePath::Mailbox(sender) = &entry.reverse_path else { return Ok(None) };
    // What is binary is not returned: the report would need BINARYMIME to travel (RFC 3030 §3).
    let ret = entry.ret.filter(|_| entry.body != Body::BinaryMime);
    // One more than is returned, so that it is seen whether that is all.
    let most = world.outgoing.read().message_bytes_max as u64 + RETURN_PATH_BYTES_MAX as u64 + 1;
    let bytes = if ret == Some(Ret::Full) { most.max(HEADER_BYTES_MAX) } else { HEADER_BYTES_MAX };
    let mut content = Vec::new();
    let snapshot = world.engine.snapshot()?;
    // It is gone when all its recipients came to their end meanwhile; then there will be nothing to tell.
    if snapshot.content_len(entry.content)?.is_some() {
        snapshot.read_content(entry.content, 0..bytes, &mut content)?;
    }
    drop(snapshot);
    let about = About {
        sender: sender.clone(),
        ret,
        envid: entry.envid.clone(),
        smtputf8: entry.smtputf8,
        trace: trace(entry.id, now),
        received: entry.received,
        account: entry.account,
        retry_until: Some(entry.expires),
        wishes: Wishes {
            priority: entry.priority,
            not_before: entry.not_before,
            deliver_by: entry.deliver_by,
            tls: entry.tls,
        },
    };
    match Reporter::new(world, hostname, about, without_return_path(&content)) {
        Ok(reporter) => Ok(Some(reporter)),
        Err(directory::Error::Engine(error)) => Err(error.into()),
        Err(error) => {
            tracing::error!(id = %entry.id, %error, "the sender can't be told what became of his message");
            Ok(None)
        }
    }
}

/// Names one report of one message, of which there may be several.
fn trace(id: QueueId, now: UnixTime) -> String {
    static REPORTS: AtomicU64 = AtomicU64::new(0);
    format!("{id}.{:x}.{:x}", now.0, REPORTS.fetch_add(1, Ordering::Relaxed))
}

/// The message behind the Return-Path that this server wrote on top of it, for those who have it here.
pub(crate) fn without_return_path(content: &[u8]) -> &[u8] {
    let first = &content[..content.len().min(RETURN_PATH_BYTES_MAX)];
    match first.windows(2).position(|pair| pair == b"\r\n") {
        Some(end) if content.starts_with(b"Return-Path: <") => &content[end + 2..],
        _ => content,
    }
}

#[cfg(test)]
mod tests;
