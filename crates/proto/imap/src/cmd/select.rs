//! SELECT and EXAMINE (RFC 3501 §6.3.1, §6.3.2; RFC 9051 §6.3.2).

use super::Begun;
use super::any_state::enable_condstore;
use crate::ask::{Access, Answer, Ask, Selected};
use crate::session::{Core, Done, Event, News, Next, Running, otherwise};
use crate::view::View;
use crate::write;

#[derive(Debug)]
struct Select {
    mailbox: String,
    access: Access,
}

pub(super) fn start(
    core: &mut Core,
    mailbox: String,
    access: Access,
    condstore: bool,
    qresync: bool,
) -> Begun {
    if qresync {
        // RFC 7162 §3.2.5: BAD unless QRESYNC has been enabled, which is not offered.
        return Begun::Now(Done::bad("QRESYNC is not enabled"));
    }
    // RFC 9051 §6.3.2: whatever comes of this, the mailbox selected before is closed.
    core.view = None;
    core.dirty = false;
    if condstore {
        enable_condstore(core);
    }
    Begun::Run(Box::new(Select { mailbox, access }))
}

impl Running for Select {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => {
                Next::Ask(Ask::Select { name: std::mem::take(&mut self.mailbox), access: self.access })
            }
            Event::Answer(Answer::Selected(selected)) => {
                let verb = if self.access == Access::ReadWrite { "SELECT" } else { "EXAMINE" };
                let state = if selected.access == Access::ReadWrite { "READ-WRITE" } else { "READ-ONLY" };
                announce(core, *selected);
                Next::Done(Done::ok(format!("[{state}] {verb} completed")).telling(News::None))
            }
            event => match otherwise(event) {
                Next::Done(done) => Next::Done(done.telling(News::None)),
                next => next,
            },
        }
    }
}

/// The untagged responses in the order of RFC 3501's examples.
fn announce(core: &mut Core, selected: Selected) {
    let first_unseen = selected.first_unseen.and_then(|uid| selected.uids.rank(uid));
    let uid_next = selected.uid_next;
    let view = View::new(selected);
    let (count, recent) = (view.count(), view.recent.len());
    let (uid_validity, highest, mailbox) = (view.uid_validity, view.known, view.mailbox);
    core.view = Some(Box::new(view));
    write::exists(&mut core.out, count);
    write::recent(&mut core.out, recent);
    if let Some(number) = first_unseen {
        core.line(format_args!("* OK [UNSEEN {number}] Message {number} is the first unseen"));
    }
    core.line(format_args!("* OK [UIDVALIDITY {uid_validity}] UIDs are valid"));
    core.line(format_args!("* OK [UIDNEXT {uid_next}] Predicted next UID"));
    core.flags_lines();
    // RFC 7162 §3.1.2.1: due after a CONDSTORE enabling command, and harmless before one.
    core.line(format_args!("* OK [HIGHESTMODSEQ {highest}] Highest modification sequence"));
    // RFC 8474 §4.2
    core.line(format_args!("* OK [MAILBOXID (F{mailbox})] Id of this mailbox"));
}
