//! REPLACE and UID REPLACE (RFC 8508): a new message comes and an old one goes, both or none.

use super::append::{Assembly, Step};
use super::{Begun, read_only, resolve};
use crate::ask::{Answer, Ask};
use crate::command::{AppendMessage, Numbering};
use crate::sequence::SequenceSet;
use crate::session::{Core, Done, Event, News, Next, Running, mismatch};
use model::Uid;

#[derive(Debug)]
struct Replace {
    uid: Uid,
    to: String,
    assembly: Option<Assembly>,
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
    Begun::Run(Box::new(Replace { uid, to, assembly: Some(Assembly::new(vec![message])) }))
}

impl Running for Replace {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        if let Some(assembly) = &mut self.assembly {
            return match assembly.resume(core, event) {
                Step::Ask(ask) => Next::Ask(ask),
                Step::Failed(done) => Next::Done(done),
                Step::Ready(mut messages) => {
                    self.assembly = None;
                    match messages.pop() {
                        Some(message) => {
                            let to = std::mem::take(&mut self.to);
                            Next::Ask(Ask::Replace { uid: self.uid, to, message })
                        }
                        None => Next::Done(Done::no("[SERVERBUG] Internal error")),
                    }
                }
            };
        }
        match event {
            Event::Answer(Answer::Replaced { place, uid_validity, uid, modseq }) => {
                core.messages += 1;
                core.brought(place, &[uid].into_iter().collect());
                // RFC 8508 §4.3: untagged, before the EXPUNGE, which comes with the news.
                core.tell("OK", format_args!("[APPENDUID {uid_validity} {uid}] Replacement message ready"));
                // RFC 8508 §4.5: as after UID EXPUNGE.
                let done = if core.enabled.condstore {
                    Done::ok(format!("[HIGHESTMODSEQ {modseq}] REPLACE completed"))
                } else {
                    Done::ok("REPLACE completed")
                };
                Next::Done(done.telling(News::Own))
            }
            Event::Answer(Answer::Refused(refused)) => Next::Done(Done::refused_target(&refused)),
            Event::Answer(answer) => mismatch(&answer),
            Event::Go | Event::Line(_) | Event::Changed => Next::Line,
        }
    }
}
