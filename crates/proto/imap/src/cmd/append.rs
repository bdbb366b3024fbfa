//! APPEND (RFC 9051 §6.3.12; several messages: RFC 3502; APPENDUID: RFC 4315 §3; literal8: RFC 3516 §4.4; UTF8: RFC 9755 §4;
//! CATENATE: RFC 4469, in `assembly`).

mod assembly;
mod binary;

use super::{Begun, limit};
use crate::ask::{Answer, Ask};
use crate::command::AppendMessage;
use crate::sequence::write_uids;
use crate::session::{Core, Done, Event, Next, Running, mismatch};
pub(super) use assembly::{Assembly, Step};

#[derive(Debug)]
struct Append {
    mailbox: String,
    assembly: Option<Assembly>,
}

pub(super) fn start(core: &Core, mailbox: String, messages: Vec<AppendMessage>) -> Begun {
    if let Some(done) = limit::refused_append(core, messages.len()) {
        return Begun::Now(done);
    }
    Begun::Run(Box::new(Append { mailbox, assembly: Some(Assembly::new(messages)) }))
}

impl Running for Append {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        if let Some(assembly) = &mut self.assembly {
            return match assembly.resume(core, event) {
                Step::Ask(ask) => Next::Ask(ask),
                Step::Failed(done) => Next::Done(done),
                Step::Ready(messages) => {
                    self.assembly = None;
                    Next::Ask(Ask::Append { to: std::mem::take(&mut self.mailbox), messages })
                }
            };
        }
        match event {
            Event::Answer(Answer::Appended { place, uid_validity, uids }) => {
                core.messages += uids.len() as u64;
                let mut text = format!("[APPENDUID {uid_validity} ").into_bytes();
                let uids: model::UidSet = uids.into_iter().collect();
                core.brought(place, &uids);
                write_uids(&mut text, &uids);
                text.extend_from_slice(b"] APPEND completed");
                Next::Done(Done::ok(String::from_utf8(text).unwrap_or_default()))
            }
            Event::Answer(Answer::Refused(refused)) => Next::Done(Done::refused_target(&refused)),
            Event::Answer(answer) => mismatch(&answer),
            Event::Go | Event::Line(_) | Event::Changed => Next::Line,
        }
    }
}
