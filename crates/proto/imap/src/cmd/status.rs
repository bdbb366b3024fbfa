//! STATUS (RFC 9051 §6.3.11), also for each name of a LIST (RFC 5819).

use super::Start;
use super::any_state::enable_condstore;
use crate::ask::{Answer, Ask, Counters};
use crate::command::StatusItem;
use crate::session::{Core, Done, Event, Next, Running, otherwise, write_number};
use crate::write;
use model::MailboxId;

#[derive(Debug)]
struct Status {
    mailbox: String,
    items: Vec<StatusItem>,
}

pub(super) fn start(core: &mut Core, mailbox: String, items: Vec<StatusItem>) -> Start {
    if let Some(done) = unsupported(&items) {
        return Start::Now(done);
    }
    if items.contains(&StatusItem::HighestModSeq) {
        enable_condstore(core);
    }
    Start::Run(Box::new(Status { mailbox, items }))
}

/// Items that belong to extensions which are not advertised.
pub(super) fn unsupported(items: &[StatusItem]) -> Option<Done> {
    let item = items.iter().find(|item| matches!(item, StatusItem::DeletedStorage))?;
    Some(Done::bad(format!("STATUS item {} is not supported", item.name())))
}

impl Running for Status {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => Next::Ask(Ask::Status { name: self.mailbox.clone() }),
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
    let limit = core.limits.message_bytes_max;
    let out = &mut core.out;
    out.extend_from_slice(b"* STATUS ");
    write::mailbox(out, name);
    out.extend_from_slice(b" (");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(item.name().as_bytes());
        out.push(b' ');
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
            StatusItem::DeletedStorage => 0,
            StatusItem::MailboxId => {
                out.extend_from_slice(format!("(F{id})").as_bytes());
                continue;
            }
        };
        write_number(out, number);
    }
    out.extend_from_slice(b")\r\n");
}
