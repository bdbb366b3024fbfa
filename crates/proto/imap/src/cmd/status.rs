//! STATUS (RFC 9051 §6.3.11), also for each name of a LIST (RFC 5819).

use super::Begun;
use super::any_state::enable_condstore;
use crate::ask::{Answer, Ask, Counters, CountersNeed};
use crate::command::StatusItem;
use crate::session::{Core, Done, Event, Next, Running, otherwise};
use crate::write::StatusResponse;
use model::MailboxId;

#[derive(Debug)]
struct Status {
    mailbox: String,
    items: Vec<StatusItem>,
}

pub(super) fn start(core: &mut Core, mailbox: String, items: Vec<StatusItem>) -> Begun {
    if items.contains(&StatusItem::HighestModSeq) {
        enable_condstore(core);
    }
    Begun::Run(Box::new(Status { mailbox, items }))
}

/// What of the counters these items take.
pub(super) fn counters_for(items: &[StatusItem]) -> CountersNeed {
    match items {
        [] => CountersNeed::None,
        items if items.contains(&StatusItem::DeletedStorage) => CountersNeed::WithDeletedSize,
        _ => CountersNeed::Plain,
    }
}

impl Running for Status {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => {
                Next::Ask(Ask::Status { name: self.mailbox.clone(), counters: counters_for(&self.items) })
            }
            Event::Answer(Answer::Status(id, counters)) => {
                write_status(core, &self.mailbox, &self.items, id, &counters);
                Next::Done(Done::ok("STATUS completed"))
            }
            event => otherwise(event),
        }
    }
}

/// Sends `* STATUS name (…)`.
pub(super) fn write_status(
    core: &mut Core,
    name: &str,
    items: &[StatusItem],
    id: MailboxId,
    counters: &Counters,
) {
    let limit = core.settings.message_bytes_max;
    let names = core.enabled.names();
    let mut response = StatusResponse::begin(&mut core.out, name, names);
    for item in items {
        let number = match item {
            StatusItem::Messages => u64::from(counters.messages),
            StatusItem::Recent => u64::from(counters.recent),
            StatusItem::UidNext => u64::from(counters.uid_next.0),
            StatusItem::UidValidity => u64::from(counters.uid_validity.0),
            StatusItem::Unseen => u64::from(counters.unseen),
            StatusItem::Deleted => u64::from(counters.deleted),
            StatusItem::Size => counters.size,
            StatusItem::HighestModSeq => counters.highest_modseq.0,
            StatusItem::AppendLimit => limit,
            StatusItem::DeletedStorage => counters.deleted_size,
            StatusItem::MailboxId => {
                response.mailbox_id(counters.owner, id);
                continue;
            }
        };
        response.number(*item, number);
    }
    response.end();
}
