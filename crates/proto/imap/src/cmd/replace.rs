//! REPLACE and UID REPLACE (RFC 8508): a new message comes and an old one goes, both or none.

use super::{Begun, append, read_only, resolve};
use crate::ask::{Answer, Ask, NewMessage};
use crate::command::{AppendMessage, Numbering};
use crate::sequence::SequenceSet;
use crate::session::{Core, Done, Event, Next, Running, mismatch};
use model::Uid;

#[derive(Debug)]
struct Replace {
    uid: Uid,
    to: String,
    message: Option<NewMessage>,
}

pub(super) fn start(
    core: &Core,
    numbering: Numbering,
    number: &SequenceSet,
    to: String,
    message: AppendMessage,
) -> Begun {
    if let Some(done) = read_only(core) {
        return Begun::Now(done);
    }
    let Some(view) = &core.view else { return Begun::Now(Done::bad("No mailbox is selected")) };
    let uid = match resolve(view, numbering, number) {
        Ok(uids) => uids.first(),
        Err(done) => return Begun::Now(done),
    };
    let Some(uid) = uid else { return Begun::Now(Done::no("[NONEXISTENT] There is no such message")) };
    match append::accepted(core, message) {
        Ok(message) => Begun::Run(Box::new(Replace { uid, to, message: Some(message) })),
        Err(done) => Begun::Now(done),
    }
}

impl Running for Replace {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        if let Some(message) = self.message.take() {
            return Next::Ask(Ask::Replace { uid: self.uid, to: std::mem::take(&mut self.to), message });
        }
        match event {
            Event::Answer(Answer::Replaced { uid_validity, uid, modseq }) => {
                core.messages += 1;
                // RFC 8508 §4.3: untagged, before the EXPUNGE, which comes with the news.
                core.line(format_args!("* OK [APPENDUID {uid_validity} {uid}] Replacement message ready"));
                // RFC 8508 §4.5: as after UID EXPUNGE.
                Next::Done(if core.enabled.condstore {
                    Done::ok(format!("[HIGHESTMODSEQ {modseq}] REPLACE completed"))
                } else {
                    Done::ok("REPLACE completed")
                })
            }
            Event::Answer(Answer::Refused(refused)) => Next::Done(Done::refused_target(&refused)),
            Event::Answer(answer) => mismatch(&answer),
            Event::Go | Event::Line(_) | Event::Changed => Next::Line,
        }
    }
}
