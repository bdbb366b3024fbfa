//! COPY, MOVE and their UID forms (RFC 9051 §6.4.7, §6.4.8; RFC 6851; RFC 4315 §3 for COPYUID).

use super::limit::{self, Exceeded};
use super::{Begun, read_only, resolve};
use crate::ask::{Answer, Ask, Copied, Originals};
use crate::command::Numbering;
use crate::sequence::{SequenceSet, write_uids};
use crate::session::{Core, Done, Event, News, Next, Running, mismatch};
use model::UidSet;
use std::sync::Arc;

#[derive(Debug)]
struct Copy {
    uids: Arc<UidSet>,
    to: String,
    originals: Originals,
    exceeded: Option<Exceeded>,
}

pub(super) fn start(
    core: &Core,
    numbering: Numbering,
    set: &SequenceSet,
    mailbox: String,
    originals: Originals,
) -> Begun {
    if originals == Originals::Go
        && let Some(done) = read_only(core)
    {
        return Begun::Now(done);
    }
    let Some(view) = &core.view else { return Begun::Now(Done::bad("No mailbox is selected")) };
    match resolve(view, numbering, set) {
        Err(done) => Begun::Now(done),
        // RFC 9051 §6.3.12's example A005: UIDs that do not exist are no error.
        Ok(uids) if uids.is_empty() => Begun::Now(Done::ok("No matching messages, so nothing done")),
        Ok(uids) => {
            // RFC 9738 §3.1: COPY is all or nothing, MOVE is not.
            let (uids, exceeded) = match originals {
                Originals::Stay => match limit::refused_copy(core, &uids) {
                    Some(done) => return Begun::Now(done),
                    None => (uids, None),
                },
                Originals::Go => limit::cut(core, uids),
            };
            Begun::Run(Box::new(Copy { uids: Arc::new(uids), to: mailbox, originals, exceeded }))
        }
    }
}

impl Running for Copy {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => Next::Ask(Ask::Copy {
                uids: Arc::clone(&self.uids),
                to: std::mem::take(&mut self.to),
                originals: self.originals,
            }),
            Event::Answer(Answer::Copied(copied)) => {
                let done = self.copied(core, &copied);
                Next::Done(Exceeded::tell(self.exceeded, core, done))
            }
            Event::Answer(Answer::Refused(refused)) => Next::Done(Done::refused_target(&refused)),
            Event::Answer(answer) => mismatch(&answer),
            Event::Line(_) | Event::Changed => Next::Line,
        }
    }
}

impl Copy {
    fn copied(&self, core: &mut Core, copied: &Copied) -> Done {
        let verb = if self.originals == Originals::Go { "MOVE" } else { "COPY" };
        if copied.from.is_empty() {
            // RFC 2180 §4.4: all of them had been expunged, which the client learns now.
            return Done::no("[EXPUNGEISSUED] The messages no longer exist");
        }
        core.messages += u64::from(copied.from.len());
        core.brought(copied.place, &copied.to);
        let mut code = Vec::new();
        code.extend_from_slice(format!("[COPYUID {} ", copied.uid_validity).as_bytes());
        write_uids(&mut code, &copied.from);
        code.push(b' ');
        write_uids(&mut code, &copied.to);
        code.push(b']');
        let code = String::from_utf8(code).unwrap_or_default();
        if self.originals == Originals::Stay {
            return Done::ok(format!("{code} COPY completed"));
        }
        // RFC 6851 §4.3: before the EXPUNGEs, which come with the news.
        core.tell("OK", format_args!("{code} Moved UIDs"));
        // RFC 6851 §4.4
        if core.enabled.condstore {
            return Done::ok(format!("[HIGHESTMODSEQ {}] {verb} completed", copied.modseq))
                .telling(News::Own);
        }
        Done::ok(format!("{verb} completed")).telling(News::Own)
    }
}
