//! APPEND (RFC 9051 §6.3.12; several messages: RFC 3502; APPENDUID: RFC 4315 §3; literal8: RFC 3516 §4.4; UTF8: RFC 9755 §4).

mod binary;

use super::{Begun, limit};
use crate::ask::{Answer, Ask, NewMessage};
use crate::command::AppendMessage;
use crate::sequence::write_uids;
use crate::session::{Core, Done, Event, Next, Running, mismatch};

#[derive(Debug)]
struct Append {
    mailbox: String,
    messages: Vec<NewMessage>,
}

pub(super) fn start(core: &Core, mailbox: String, messages: Vec<AppendMessage>) -> Begun {
    if let Some(done) = limit::refused_append(core, messages.len()) {
        return Begun::Now(done);
    }
    match messages.into_iter().map(|message| accepted(core, message)).collect() {
        Ok(messages) => Begun::Run(Box::new(Append { mailbox, messages })),
        Err(done) => Begun::Now(done),
    }
}

/// The message as it is stored.
///
/// # Errors
/// NO, if this server can't store it.
pub(super) fn accepted(core: &Core, message: AppendMessage) -> Result<NewMessage, Done> {
    let AppendMessage { flags, internal_date, form: _, content } = message;
    let content = content.0;
    let limit = core.settings.message_bytes_max;
    if content.len() as u64 > limit {
        // RFC 7889 §3.1 names the code for it.
        return Err(Done::no("[TOOBIG] The message is larger than this server takes"));
    }
    // RFC 9051 §6.3.12 wants a message; a common fault of clients is to cancel with an empty literal.
    if content.is_empty() {
        return Err(Done::no("[CANNOT] An empty message is no message"));
    }
    // RFC 9755 §4 asks to refuse 8-bit header fields before ENABLE UTF8=ACCEPT. Quirk (mbsync, offlineimap, imapsync):
    // they bring old mail with raw KOI8-R or UTF-8 in its header and never enable anything; refused, it would be lost.
    let content = binary::without_nul(content)
        .ok_or_else(|| Done::no("[UNKNOWN-CTE] NUL stands where no transfer encoding can hide it"))?;
    if content.len() as u64 > limit {
        return Err(Done::no("[TOOBIG] The message, encoded, is larger than this server takes"));
    }
    Ok(NewMessage { content, flags: flags.flags, keywords: flags.keywords, internal_date })
}

impl Running for Append {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => {
                let (to, messages) = (std::mem::take(&mut self.mailbox), std::mem::take(&mut self.messages));
                Next::Ask(Ask::Append { to, messages })
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
