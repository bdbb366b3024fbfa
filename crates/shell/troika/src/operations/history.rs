//! `troika queue history`: what became of messages. Of each that was accepted, where it went: into mailboxes here, to
//! mailing lists, into the queue; and what happened there. A row for each of these things.

use super::{address, now};
use crate::control::{Failure, Sink};
use agents::World;
use engine::AccountId;
use queue::{Accepted, EntryDetails, Filter, Past, Place, QueueId, RecipientState};
use serde_json::json;
use std::collections::BTreeSet;

/// Entries read at a time.
const PAGE: usize = 200;

/// Tells of the messages that `of` means: a queue id, the id of an accepted message, a Message-ID, or an address that sent
/// them or was to get them.
pub(super) fn run(world: &World, of: &str, out: &mut dyn Sink) -> Result<(), Failure> {
    let mut history = History { world, out, told: BTreeSet::new(), any: false };
    if let Ok(id) = of.parse::<QueueId>() {
        history.queued(id)?;
    } else {
        let of = of.trim_matches(['<', '>']);
        // What means one message may look like an address.
        let address = address(of);
        match &address {
            Ok(address) => {
                let account = world.directory.account(address)?.map(|account| account.id);
                history.accepted(Some((&address.to_string().to_lowercase(), account)), of)?;
                history.of_address(&address.to_string(), account)?;
            }
            Err(_) => history.accepted(None, of)?,
        }
    }
    if history.any { Ok(()) } else { Err(unknown(of)) }
}

struct History<'a> {
    world: &'a World,
    out: &'a mut dyn Sink,
    /// What of the queue was told.
    told: BTreeSet<QueueId>,
    any: bool,
}

impl History<'_> {
    /// Messages that this address (in small letters) or account sent or got, and those of this name.
    fn accepted(&mut self, who: Option<(&str, Option<AccountId>)>, name: &str) -> Result<(), Failure> {
        let queue = &self.world.queue;
        let bracketed = format!("<{name}>");
        let named = |one: &Accepted| one.id == name || one.message_id.as_deref() == Some(&bracketed);
        let wanted = |one: &Accepted| {
            let concerns =
                |(address, account): (&str, _)| one.concerns(address, account) && !one.is_relayed();
            named(one) || who.is_some_and(concerns)
        };
        let mut lately = queue.accepted_lately(&wanted);
        let mut after = None;
        loop {
            let (page, last) = queue.accepted(&wanted, after)?;
            lately.retain(|one| !page.contains(one));
            page.iter().try_for_each(|one| self.tell_accepted(one))?;
            if last.is_none() {
                break;
            }
            after = last;
        }
        lately.iter().try_for_each(|one| self.tell_accepted(one))
    }

    /// What is in the queue or was, of or for this address or account, as far as it was not told yet.
    fn of_address(&mut self, address: &str, account: Option<AccountId>) -> Result<(), Failure> {
        let queue = &self.world.queue;
        let mut after = None;
        loop {
            let (page, last) = queue.pasts_of(address, account, after)?;
            for past in &page {
                if self.told.insert(past.id) {
                    self.tell_past(past)?;
                }
            }
            let Some(last) = last else { break };
            after = Some(last);
        }
        let sent = match account {
            // His reverse-path may have been rewritten (BATV).
            Some(account) => Filter { account: Some(account), ..Filter::default() },
            None => Filter { sender: Some(address.to_owned()), ..Filter::default() },
        };
        let mut waiting = BTreeSet::new();
        for filter in [sent, Filter { recipient: Some(address.to_owned()), ..Filter::default() }] {
            let mut after = None;
            loop {
                let page = queue.list(&filter, after, PAGE)?;
                let Some(last) = page.last() else { break };
                after = Some(last.id);
                waiting.extend(page.iter().map(|entry| entry.id));
            }
        }
        waiting.into_iter().try_for_each(|id| self.queued(id))
    }

    /// A message in the queue, or one that was there; nothing, if it is forgotten or was told before.
    fn queued(&mut self, id: QueueId) -> Result<(), Failure> {
        if !self.told.insert(id) {
            return Ok(());
        }
        if let Some(past) = self.world.queue.past(id)? {
            return self.tell_past(&past);
        }
        match self.world.queue.show(id)? {
            Some(waits) => self.tell_waiting(&waits),
            None => Ok(()),
        }
    }

    fn tell_accepted(&mut self, one: &Accepted) -> Result<(), Failure> {
        let row = |to: String, what: &str, text: &str| json!({ "id": one.id, "at": one.at, "from": one.reverse_path, "to": to, "what": what, "text": text });
        self.row(row(one.recipients.join(" "), "accepted", one.message_id.as_deref().unwrap_or_default()))?;
        let mut queued = Vec::new();
        for placed in &one.places {
            let written = placed.recipient.and_then(|at| one.recipients.get(at as usize)).cloned();
            let (to, what, text) = match &placed.place {
                Place::Mailbox(account) => {
                    let owner = self.owner(AccountId(*account));
                    (written.unwrap_or_else(|| owner.clone()), "delivered", format!("into INBOX of {owner}"))
                }
                Place::List => (written.unwrap_or_default(), "posted", "to the mailing list".to_owned()),
                Place::Queue(id, to) => {
                    let id = QueueId(*id);
                    if !queued.contains(&id) {
                        queued.push(id);
                    }
                    (to.clone(), "queued", format!("as {id}"))
                }
                Place::Refused(text) => (written.unwrap_or_default(), "refused", text.clone()),
            };
            self.row(row(to, what, &text))?;
        }
        queued.into_iter().try_for_each(|id| self.queued(id))
    }

    fn owner(&self, id: AccountId) -> String {
        match self.world.directory.account_by_id(id) {
            Ok(Some(account)) => account.address.to_string(),
            _ => format!("account {}, which is gone", id.0),
        }
    }

    fn tell_past(&mut self, past: &Past) -> Result<(), Failure> {
        let to =
            |index: u32| past.recipients.iter().find(|one| one.index == index).map(|one| one.address.clone());
        let all = || past.recipients.iter().map(|one| one.address.clone()).collect();
        self.row(row(past.id, past.received, &past.reverse_path, all(), "accepted", ""))?;
        for line in &past.history {
            let to = line.recipient.and_then(to).into_iter().collect();
            self.row(row(past.id, line.at.0, &past.reverse_path, to, &kind(line), &line.text))?;
        }
        Ok(())
    }

    fn tell_waiting(&mut self, waits: &EntryDetails) -> Result<(), Failure> {
        let entry = &waits.entry;
        let address = |one: &queue::Recipient| one.address.to_string();
        let to = |index: u32| entry.recipients.iter().find(|one| one.index == index).map(address);
        let from = entry.reverse_path.to_string();
        for line in &waits.history {
            let all = || entry.recipients.iter().map(address).collect();
            let to = line.recipient.map_or_else(all, |index| to(index).into_iter().collect());
            self.row(row(entry.id, line.at.0, &from, to, &kind(line), &line.text))?;
        }
        let open =
            |one: &&queue::Recipient| matches!(one.state, RecipientState::Queued | RecipientState::Held);
        for one in entry.recipients.iter().filter(open) {
            let (at, what) = match one.state {
                RecipientState::Held => (now().0, "is held"),
                _ => (one.next_attempt.0, "is tried next"),
            };
            self.row(row(entry.id, at, &from, vec![address(one)], what, ""))?;
        }
        Ok(())
    }

    fn row(&mut self, row: serde_json::Value) -> Result<(), Failure> {
        self.any = true;
        self.out.row(row)
    }
}

/// As in `troika queue show`.
fn kind(line: &queue::Event) -> String {
    serde_json::to_value(line.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default()
}

fn row(id: QueueId, at: i64, from: &str, to: Vec<String>, what: &str, text: &str) -> serde_json::Value {
    json!({ "id": id, "at": at, "from": from, "to": to.join(" "), "what": what, "text": text })
}

fn unknown(of: &str) -> Failure {
    Failure::new(format!(
        "nothing is known of {of}: what is over is forgotten after [delivery] history_for or behind history_messages newer \
         ones; the log may have it"
    ))
}
