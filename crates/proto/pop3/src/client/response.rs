//! What each response means to the command that it is for.

use super::fault::{Fault, Refusal, ReplyError};
use super::receive::{Input, Reply, digits, numbered};
use super::unstuff::Unstuffing;
use super::{
    CAPABILITIES_MAX, CHALLENGES_MAX, Capabilities, Client, Done, ENTRIES_MAX, Kind, Phase, State, Step,
    UNIQUE_ID_BYTES_MAX,
};

impl Client {
    /// Reads a line, if there is one; None: something has changed.
    pub(super) fn heard(&mut self) -> Option<Step> {
        let is_asked = self.state == State::Greeting || !self.commands.is_empty();
        match if is_asked { self.input.line() } else { None } {
            Some(Ok(line)) => self.line(&line),
            Some(Err(error)) => self.garbled(error),
            None if self.is_ended => {
                self.ended(Fault::Closed);
                None
            }
            None => Some(Step::NeedInput),
        }
    }

    fn garbled(&mut self, error: ReplyError) -> Option<Step> {
        self.ended(Fault::Garbled(error));
        None
    }

    fn line(&mut self, line: &[u8]) -> Option<Step> {
        if matches!(self.phase, Phase::Lines { .. }) {
            return self.listed(line);
        }
        let Some(reply) = Reply::parse(line) else { return self.garbled(ReplyError::NotAReply) };
        if self.state == State::Greeting {
            self.greeted(reply);
            return None;
        }
        self.answered(reply)
    }

    /// The first command has its answer, or the first line of it.
    fn answered(&mut self, reply: Reply) -> Option<Step> {
        let command = self.commands.front()?;
        match (&command.kind, reply) {
            (Kind::Auth(_), Reply::Challenge(text)) => self.challenged_again(&text),
            (_, Reply::Challenge(_)) => self.garbled(ReplyError::NotAReply),
            (Kind::Capa | Kind::List | Kind::Uidl, Reply::Ok(_)) => {
                self.phase = Phase::Lines { count: 0, capabilities: Capabilities::default() };
                None
            }
            (Kind::Retr, Reply::Ok(_)) => {
                self.phase = Phase::Message { unstuffing: Unstuffing::LineStart, bytes: 0 };
                None
            }
            (Kind::Stat, Reply::Ok(text)) => match numbered_drop(&text) {
                Some(found) => Some(self.done(Ok(found))),
                None => self.garbled(ReplyError::NotAReply),
            },
            (Kind::Plain, Reply::Ok(_)) => Some(self.done(Ok(Done::Nothing))),
            (Kind::List | Kind::Uidl | Kind::Retr | Kind::Stat | Kind::Plain, Reply::Refused(refusal)) => {
                Some(self.done(Err(refusal)))
            }
            (Kind::Quit, Reply::Ok(_)) => {
                self.state = State::Closed(Ok(()));
                None
            }
            (Kind::Quit, Reply::Refused(refusal)) => {
                self.ended(Fault::NotRemoved(refusal));
                None
            }
            (_, reply) => {
                self.opening_answered(reply);
                None
            }
        }
    }

    /// CAPA, STLS and the log-in.
    fn opening_answered(&mut self, reply: Reply) {
        let Some(kind) = self.finish() else { return };
        match (kind, reply) {
            (Kind::Capa, Reply::Refused(_)) => self.capabilities_told(None),
            (Kind::Stls, Reply::Ok(_)) => {
                // RFC 2595 §4: what the server said before TLS does not count, nor what it said behind its +OK.
                self.input = Input::default();
                self.state = State::ToHandshake;
            }
            (Kind::Stls, _) => self.ended(Fault::NoTls),
            (_, Reply::Refused(refusal)) => self.ended(Fault::LoginRefused(refusal)),
            (Kind::User, _) => self.say_password(),
            (Kind::Auth(login), _) => match login.finish() {
                Ok(()) => self.state = State::ToReady,
                Err(trouble) => self.ended(Fault::Login(trouble)),
            },
            _ => self.state = State::ToReady,
        }
    }

    fn challenged_again(&mut self, text: &[u8]) -> Option<Step> {
        let count = if let Phase::Challenges(count) = self.phase { count + 1 } else { 1 };
        if count > CHALLENGES_MAX {
            return self.garbled(ReplyError::TooLong);
        }
        self.phase = Phase::Challenges(count);
        let mut command = self.commands.pop_front()?;
        let failed = match &mut command.kind {
            Kind::Auth(login) => self.challenged(login, text),
            _ => None,
        };
        self.commands.push_front(command);
        if let Some(fault) = failed {
            self.ended(fault);
        }
        None
    }

    /// A line of CAPA, LIST or UIDL.
    fn listed(&mut self, line: &[u8]) -> Option<Step> {
        let kind = &self.commands.front()?.kind;
        let Phase::Lines { count, capabilities } = &mut self.phase else { return None };
        if line == b"." {
            let capabilities = std::mem::take(capabilities);
            if matches!(kind, Kind::Capa) {
                self.finish();
                self.capabilities_told(Some(capabilities));
                return None;
            }
            return Some(self.done(Ok(Done::Nothing)));
        }
        *count += 1;
        let most = if matches!(kind, Kind::Capa) { CAPABILITIES_MAX } else { ENTRIES_MAX };
        if *count > most {
            return self.garbled(ReplyError::TooLong);
        }
        let line = line.strip_prefix(b".").unwrap_or(line);
        let step = match kind {
            Kind::Capa => {
                capabilities.add(line);
                return None;
            }
            Kind::List => numbered(line)
                .and_then(|(number, bytes)| digits(bytes).map(|bytes| Step::Size { number, bytes })),
            _ => numbered(line).and_then(|(number, id)| {
                let fits = id.len() <= UNIQUE_ID_BYTES_MAX && id.iter().all(u8::is_ascii_graphic);
                let id = String::from_utf8(id.to_vec()).ok().filter(|_| fits)?;
                Some(Step::UniqueId { number, id })
            }),
        };
        if step.is_none() {
            return self.garbled(ReplyError::NotAReply);
        }
        step
    }

    /// The first command is over.
    pub(super) fn done(&mut self, outcome: Result<Done, Refusal>) -> Step {
        self.finish();
        Step::Done(outcome)
    }

    fn finish(&mut self) -> Option<Kind> {
        self.phase = Phase::Status;
        let command = self.commands.pop_front()?;
        self.sent = self.sent.saturating_sub(1);
        self.send_on();
        Some(command.kind)
    }
}

/// `+OK nn mm`
fn numbered_drop(text: &[u8]) -> Option<Done> {
    let mut words = text.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let messages = digits(words.next()?).and_then(|number| u32::try_from(number).ok())?;
    Some(Done::Drop { messages, bytes: digits(words.next()?)? })
}
