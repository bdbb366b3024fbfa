//! APPEND (RFC 9051 §6.3.12; several messages: RFC 3502; APPENDUID: RFC 4315 §3).

use super::Begun;
use crate::ask::{Answer, Ask, NewMessage};
use crate::command::{AppendForm, AppendMessage};
use crate::sequence::write_uids;
use crate::session::{Core, Done, Event, Next, Running, mismatch};

#[derive(Debug)]
struct Append {
    mailbox: String,
    messages: Vec<AppendMessage>,
}

pub(super) fn start(core: &Core, mailbox: String, messages: Vec<AppendMessage>) -> Begun {
    let limit = core.settings.message_bytes_max;
    if messages.iter().any(|message| message.content.0.len() as u64 > limit) {
        // RFC 7889 §3.1 names the code for it.
        return Begun::Now(Done::no("[TOOBIG] The message is larger than this server takes"));
    }
    // RFC 9051 §6.3.12 wants a message; a common fault of clients is to cancel with an empty literal.
    if messages.iter().any(|message| message.content.0.is_empty()) {
        return Begun::Now(Done::no("[CANNOT] An empty message is no message"));
    }
    if messages.iter().any(|message| message.form != AppendForm::Literal) {
        // RFC 3516, RFC 9755: neither BINARY nor UTF8=ACCEPT is offered.
        return Begun::Now(Done::bad("Only plain literals are supported"));
    }
    if messages.iter().any(|message| memchr::memchr(0, &message.content.0).is_some()) {
        // RFC 3501 §9: CHAR8 is any octet but NUL.
        return Begun::Now(Done::bad("[CLIENTBUG] A message holds NUL"));
    }
    Begun::Run(Box::new(Append { mailbox, messages }))
}

impl Running for Append {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => {
                let messages = std::mem::take(&mut self.messages).into_iter().map(new_message).collect();
                Next::Ask(Ask::Append { to: std::mem::take(&mut self.mailbox), messages })
            }
            Event::Answer(Answer::Appended { uid_validity, uids }) => {
                core.messages += uids.len() as u64;
                let mut text = format!("[APPENDUID {uid_validity} ").into_bytes();
                write_uids(&mut text, &uids.into_iter().collect());
                text.extend_from_slice(b"] APPEND completed");
                Next::Done(Done::ok(String::from_utf8(text).unwrap_or_default()))
            }
            Event::Answer(Answer::Refused(refused)) => Next::Done(Done::refused_target(&refused)),
            Event::Answer(answer) => mismatch(&answer),
            Event::Line(_) | Event::Changed => Next::Line,
        }
    }
}

fn new_message(message: AppendMessage) -> NewMessage {
    NewMessage {
        content: message.content.0,
        flags: message.flags.flags,
        keywords: message.flags.keywords,
        internal_date: message.internal_date,
    }
}
