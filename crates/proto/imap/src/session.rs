//! An IMAP session: takes commands one after the other, runs each to its end, and tells what others did.
//!
//! Invariants: a command begins only when the one before has its tagged reply, whatever was pipelined (RFC 9051 §5.5);
//! sequence numbers are resolved in this session's own view, and nothing but a response to the client changes it
//! (`view`); whatever came in clear is forgotten when TLS starts; an idle session holds no buffers.
//!
//! RFC 3501, RFC 9051 §3 (states), §5.4 (autologout), §7.1.5 (BYE).

mod contexts;
mod core;
mod news;
mod notify;
mod running;

use crate::ask::{Answer, Ask};
use crate::cmd::{self, Begun};
use crate::command::{Body, Command, Numbering};
use crate::language::Language;
use crate::parse::{self, FaultKind, ParseError};
use crate::receive::{self, Line, Receiver, Refusal};
use crate::write::{self, Condition};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use wire::{Connection, Deflating, End, FLUSH_BYTES, Facts, Input, Step, TlsInfo, TlsMode};

pub(crate) use self::contexts::{Context, ContextResult, Contexts, SortedResult};
pub use self::core::{ANNOTATION_BYTES_MAX, MessageLimit, Settings};
pub(crate) use self::core::{Core, Deflate, Done, Enabled, News};
pub(crate) use news::{ROWS_MAX, Telling, write_news};
pub(crate) use notify::{Expunges, FlagNews, Noticing, Selected, Wishes, tell_listed, tell_status};
pub(crate) use running::{Event, Next, Running, mismatch, otherwise};

/// One connection of an IMAP client.
#[derive(Debug)]
pub struct Session {
    core: Core,
    input: Input,
    receiver: Receiver,
    phase: Phase,
    running: Option<Box<dyn Running>>,
    waits: Waits,
    answer: Option<Answer>,
    /// The command under way belongs to the UID family.
    by_uid: bool,
    going_down: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// The greeting is due.
    Greeting,
    /// Commands are taken.
    Open,
    /// The reply to STARTTLS is out; the handshake comes next.
    StartingTls,
    /// Everything is said.
    Closing,
}

/// What the command under way waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waits {
    Nothing,
    Answer,
    Line,
}

impl Session {
    /// A session before its greeting.
    pub fn new(connection: Connection, settings: Arc<Settings>) -> Session {
        Session {
            core: Core {
                out: Vec::new(),
                secure: false,
                tls: None,
                language: Language::Default,
                comparator: model::Comparator::default(),
                deflate: Deflate::Off,
                connection: Box::new(connection),
                settings,
                tag: String::new(),
                user: None,
                anonymous: false,
                view: None,
                enabled: Enabled::default(),
                dirty: false,
                notify: None,
                abandoned: false,
                now: 0,
                nobody_since: 0,
                introduced: false,
                exchanges: 0,
                commands: 0,
                errors: 0,
                strikes: 0,
                messages: 0,
                end: End::Open,
            },
            input: Input::default(),
            receiver: Receiver::default(),
            phase: Phase::Greeting,
            running: None,
            waits: Waits::Nothing,
            answer: None,
            by_uid: false,
            going_down: false,
        }
    }

    fn greet(&mut self) {
        let list = self.core.capabilities();
        let hostname = self.core.connection.hostname.clone();
        self.core.line(format_args!("* OK [{list}] {hostname} ready"));
        self.core.nobody_since = self.core.now;
        self.phase = Phase::Open;
    }

    /// Says BYE and closes.
    fn bye(&mut self, end: End, why: &str) {
        if self.phase == Phase::Closing {
            return;
        }
        self.core.tell("BYE", format_args!("{why}"));
        self.core.end = end;
        self.phase = Phase::Closing;
        self.running = None;
    }

    /// Resumes the command under way until it needs something. Some: that is the step.
    fn run(&mut self, mut running: Box<dyn Running>) -> Option<Step<Ask>> {
        let event = match self.waits {
            Waits::Nothing => Event::Go,
            Waits::Answer => match self.answer.take() {
                Some(answer) => Event::Answer(answer),
                None => {
                    debug_assert!(false, "stepped without the answer that was asked for");
                    self.running = Some(running);
                    return Some(Step::NeedInput);
                }
            },
            Waits::Line => match self.line() {
                Some(event) => event,
                None => {
                    self.running = Some(running);
                    return self.pause();
                }
            },
        };
        let step = match running.resume(&mut self.core, event) {
            Next::Ask(ask) => {
                self.waits = Waits::Answer;
                Some(Step::Ask(ask))
            }
            Next::Flush => {
                self.waits = Waits::Nothing;
                Some(Step::Flush)
            }
            Next::Line => {
                self.waits = Waits::Line;
                None
            }
            Next::Done(done) => {
                self.finish(done);
                return None;
            }
        };
        self.running = Some(running);
        step
    }

    /// What a command that waits for a line is resumed with, if there is anything.
    fn line(&mut self) -> Option<Event> {
        let framing = self.framing();
        match self.receiver.line(&mut self.input, &framing) {
            Line::Line(line) => Some(Event::Line(line)),
            // No command takes this for what it waits for, so that each refuses it.
            Line::Refused(_) => Some(Event::Line(vec![0])),
            Line::Flooded => {
                self.bye(End::Refused, "Too much of a refused command");
                None
            }
            Line::NeedInput if self.core.has_news() => {
                self.core.dirty = false;
                Some(Event::Changed)
            }
            Line::NeedInput => None,
        }
    }

    /// Nothing to do before the peer speaks.
    fn pause(&mut self) -> Option<Step<Ask>> {
        if self.phase == Phase::Closing {
            return None;
        }
        if self.going_down {
            self.bye(End::ShutDown, "Server is shutting down");
            return None;
        }
        self.input.shrink();
        Some(Step::NeedInput)
    }

    /// A command has ended: tells what is due before its reply, then replies.
    fn finish(&mut self, done: Done) {
        self.running = None;
        self.waits = Waits::Nothing;
        if self.core.abandoned {
            self.core.end = End::Refused;
            self.phase = Phase::Closing;
            return;
        }
        if self.core.end != End::Open {
            // BYE has been said.
            self.phase = Phase::Closing;
            return;
        }
        if let (News::All | News::Own, Some(notify)) = (done.news, &mut self.core.notify) {
            // The world may have had no time to say so.
            notify.dirty = true;
        }
        let done = match Telling::new(&self.core, done, self.by_uid) {
            Ok(telling) => {
                self.running = Some(Box::new(telling));
                return;
            }
            Err(done) => done,
        };
        let done = match Noticing::new(&mut self.core, done) {
            Ok(noticing) => {
                self.running = Some(Box::new(noticing));
                return;
            }
            Err(done) => done,
        };
        let tag = std::mem::take(&mut self.core.tag);
        if tag.is_empty() {
            // It was no command that told this, see `notice`.
            return;
        }
        self.core.tell_resync();
        let text = self.core.language.text(&done.text);
        match text {
            Cow::Borrowed(text) => write::tagged(&mut self.core.out, &tag, done.condition, None, text),
            Cow::Owned(text) => write::tagged_utf8(&mut self.core.out, &tag, done.condition, &text),
        }
        self.count_errors(done.condition);
        self.notice();
    }

    /// RFC 5465 §3.1: tells what is wanted between commands.
    fn notice(&mut self) {
        let Some(notify) = &mut self.core.notify else { return };
        notify.due = false;
        let Some(wishes) = &notify.wishes else { return };
        let news = match &wishes.selected {
            Some(Selected { expunges: Expunges::AtOnce, .. }) => News::Hinted,
            Some(Selected { expunges: Expunges::Delayed, .. }) => News::Numbered,
            None => News::None,
        };
        // RFC 5465 §5.1: FETCH carries the UID.
        self.by_uid = true;
        if matches!(self.core.deflate, Deflate::Starting | Deflate::Stopping) {
            // The reply ends a stream; nothing may come behind it yet.
            self.core.notify.iter_mut().for_each(|notify| notify.due = true);
        } else if self.phase == Phase::Open {
            self.finish(Done::ok("").telling(news));
        }
    }

    fn count_errors(&mut self, condition: Condition) {
        match condition {
            Condition::Bad => {
                self.core.errors += 1;
                self.core.strikes += 1;
            }
            // A client that lives for weeks may err now and then.
            Condition::Ok if self.core.user.is_some() => self.core.strikes = 0,
            _ => {}
        }
        let settings = &self.core.settings;
        let before_login = self.core.user.is_none();
        let most = if before_login { settings.errors_before_login_max } else { settings.errors_max };
        if u64::from(self.core.strikes) >= most {
            self.bye(End::Refused, "Too many errors");
        }
    }

    fn framing(&self) -> receive::Limits {
        if self.core.user.is_some() {
            receive::Limits::after_login(self.core.settings.message_bytes_max)
        } else {
            receive::Limits::BEFORE_LOGIN
        }
    }

    /// Takes the next command. Some: that is the step.
    fn take(&mut self) -> Option<Step<Ask>> {
        let framing = self.framing();
        match self.receiver.next(&mut self.input, &framing) {
            receive::Event::NeedInput if self.core.notify.as_ref().is_some_and(|notify| notify.due) => {
                self.notice();
            }
            receive::Event::NeedInput => return self.pause(),
            receive::Event::Continue => self.core.line(format_args!("+ Ready for literal data")),
            receive::Event::Command(received) => {
                match parse::parse_received(received, self.core.enabled.names()) {
                    Ok(command) => self.begin(command),
                    Err(fault) => self.malformed(fault),
                }
            }
            receive::Event::Refused { tag, why } => {
                let done = match why {
                    Refusal::MessageTooBig if self.core.user.is_some() => Done::no(format!("[TOOBIG] {why}")),
                    why => Done::bad(why.to_string()),
                };
                self.refuse(tag, done);
            }
            receive::Event::Flooded => self.bye(End::Refused, "Too much of a refused command"),
        }
        None
    }

    fn malformed(&mut self, fault: ParseError) {
        let done = match fault.kind {
            FaultKind::Syntax | FaultKind::UnknownCommand => Done::bad(fault.to_string()),
            FaultKind::Name(_) => Done::no(format!("[CANNOT] {fault}")),
            FaultKind::Limit => Done::no(format!("[LIMIT] {fault}")),
            FaultKind::Annotations => Done::no(format!("[ANNOTATE TOOMANY] {fault}")),
        };
        self.refuse(fault.tag, done);
    }

    /// Refuses what did not become a command. RFC 9051 §7.1.3: without a tag, untagged.
    fn refuse(&mut self, tag: Option<String>, done: Done) {
        self.core.tag = tag.unwrap_or_else(|| "*".to_owned());
        self.by_uid = false;
        self.finish(done.telling(News::None));
    }

    fn begin(&mut self, command: Command) {
        self.core.commands += 1;
        self.core.tag = command.tag;
        self.by_uid = is_by_uid(&command.body);
        match cmd::start(&mut self.core, command.body) {
            Begun::Now(done) => self.finish(done),
            Begun::Run(running) => {
                self.waits = Waits::Nothing;
                self.running = Some(running);
            }
            Begun::StartTls => {
                self.finish(Done::ok("Begin TLS negotiation now"));
                self.phase = Phase::StartingTls;
            }
            Begun::Logout => {
                // RFC 9051 §6.1.3: BYE comes before the tagged OK.
                self.core.tell("BYE", format_args!("Logging out"));
                let tag = std::mem::take(&mut self.core.tag);
                let text = self.core.language.text("LOGOUT completed");
                self.core.line(format_args!("{tag} OK {text}"));
                self.core.end = End::Quit;
                self.phase = Phase::Closing;
            }
        }
    }

    /// A change of compression that a reply has announced.
    fn deflating(&mut self) -> Option<Deflating> {
        if self.running.is_some() {
            return None;
        }
        match self.core.deflate {
            Deflate::Starting => {
                self.core.deflate = Deflate::On;
                // RFC 4978 §3: what follows the command is compressed, whether it was read together with it or not.
                Some(Deflating::Start { unread: self.input.take() })
            }
            Deflate::Stopping => {
                self.core.deflate = Deflate::Off;
                Some(Deflating::Stop)
            }
            Deflate::Off | Deflate::On => None,
        }
    }

    /// A log-in must come in time, however busily the peer does something else.
    fn check_login_time(&mut self) {
        let since = self.core.now.saturating_sub(self.core.nobody_since);
        let limit = i64::try_from(self.core.settings.login_within_s).unwrap_or(i64::MAX);
        if self.core.user.is_none() && self.phase == Phase::Open && since > limit {
            self.bye(End::TimedOut, "No log-in came in time");
        }
    }
}

fn is_by_uid(body: &Body) -> bool {
    match body {
        Body::Fetch(fetch) => fetch.numbering == Numbering::Uid,
        Body::Store(store) => store.numbering == Numbering::Uid,
        Body::Search(search) | Body::Arrange { search, .. } => search.numbering == Numbering::Uid,
        Body::Copy { numbering, .. } | Body::Replace { numbering, .. } => *numbering == Numbering::Uid,
        Body::Esearch { .. } => true,
        Body::Expunge(uids) => uids.is_some(),
        _ => false,
    }
}

impl wire::Session for Session {
    type Ask = Ask;
    type Answer = Answer;

    fn feed(&mut self, bytes: &[u8]) {
        self.input.feed(bytes);
    }

    fn step(&mut self, now: i64) -> Step<Ask> {
        self.core.now = now;
        if self.phase == Phase::Greeting {
            self.greet();
        }
        self.check_login_time();
        loop {
            match self.phase {
                Phase::Closing => return Step::Close,
                Phase::StartingTls => {
                    // RFC 9051 §6.2.1: nothing that came in clear may be taken for something said inside TLS.
                    self.input.discard();
                    self.receiver.reset();
                    return Step::StartTls;
                }
                Phase::Greeting | Phase::Open => {}
            }
            if self.core.out.len() >= FLUSH_BYTES {
                return Step::Flush;
            }
            if let Some(change) = self.deflating() {
                return Step::Deflate(change);
            }
            let step = match self.running.take() {
                Some(running) => self.run(running),
                None => self.take(),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    fn answer(&mut self, answer: Answer) {
        debug_assert!(self.waits == Waits::Answer, "an answer to nothing");
        self.answer = Some(answer);
    }

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.core.out
    }

    fn tls_started(&mut self, tls: TlsInfo) {
        self.core.secure = true;
        self.core.tls = Some(Box::new(tls));
        // RFC 5255 §3.1: what was asked for in clear may not have been asked for by this client.
        self.core.language = Language::Default;
        self.input.discard();
        self.receiver.reset();
        if self.phase == Phase::StartingTls {
            self.phase = Phase::Open;
        }
        debug_assert!(self.core.connection.tls != TlsMode::None, "TLS where none was configured");
    }

    fn world_changed(&mut self) {
        self.core.dirty = true;
        if let Some(notify) = &mut self.core.notify {
            notify.dirty = true;
            notify.due = true;
        }
    }

    fn patience(&self) -> Duration {
        let settings = &self.core.settings;
        let seconds =
            if self.core.user.is_some() { settings.silence_s } else { settings.silence_before_login_s };
        Duration::from_secs(seconds)
    }

    fn timed_out(&mut self) {
        self.bye(End::TimedOut, "Autologout; silent for too long");
    }

    fn garbled(&mut self) {
        self.bye(End::Refused, "What came is not DEFLATE");
    }

    fn shut_down(&mut self) {
        self.going_down = true;
    }

    fn facts(&self) -> Facts {
        Facts {
            user: self.core.user.as_ref().map(ToString::to_string),
            commands: self.core.commands,
            errors: u64::from(self.core.errors),
            messages: self.core.messages,
            end: self.core.end,
        }
    }
}
