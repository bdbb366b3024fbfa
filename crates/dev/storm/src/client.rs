//! A client: gives commands, and holds each answer against what it asked for and what all clients have seen.

use crate::command::{Command, Kind};
use crate::outcome::Tagged;
use crate::place::Place;
use crate::random::Random;
use crate::session::{ENABLED, Enabled, Form, Heard, Opening, Rule, Session, Trouble};
use crate::shared::{Failed, Shared, lock};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// See the file's head.
pub struct Client {
    /// Its connection.
    pub session: Session,
    /// Its choices.
    pub random: Random,
    /// Mailboxes made, for their names.
    pub made: usize,
    /// Commands without an answer, and when they were sent.
    pending: VecDeque<(Kind, u64)>,
}

/// The server is up again in this time after it was ended.
const UP_AGAIN: Duration = Duration::from_secs(60);

fn wishes(random: &mut Random) -> (Enabled, Form) {
    let enabled = *random.pick(&ENABLED);
    (enabled, if random.chance(25) { Form::Deflated } else { Form::Plain })
}

/// A new connection, as soon as the server is up.
fn connect(
    shared: &Arc<Shared>,
    number: usize,
    account: usize,
    enabled: Enabled,
    form: Form,
) -> Result<Session, Trouble> {
    let begun = Instant::now();
    loop {
        match Session::open(shared, number, account, enabled, form) {
            // It is not up again, or is ended at this moment.
            Err(_) if shared.was_ended() && begun.elapsed() < UP_AGAIN => {
                std::thread::sleep(Duration::from_millis(10));
            }
            session => return session,
        }
    }
}

/// Lives until the rounds are over.
///
/// # Errors
/// This client, or another, has found a difference.
pub fn live(shared: &Arc<Shared>, number: usize, seed: u64, commands: usize) -> Result<(), Failed> {
    let failed = |trouble: Trouble| {
        let why = match trouble {
            Trouble::Wrong(why) => why,
            Trouble::Gone => "hung up at log-in".to_owned(),
        };
        shared.fail(format!("client {number}: {why}"));
        Failed
    };
    let mut random = Random::new(seed, number as u64);
    let (enabled, form) = wishes(&mut random);
    let account = number % shared.accounts.len();
    let session = connect(shared, number, account, enabled, form).map_err(failed)?;
    let mut client = Client { session, random, made: 0, pending: VecDeque::new() };
    while !shared.over.load(Ordering::SeqCst) {
        for _ in 0..commands {
            if shared.has_failed() {
                return Err(Failed);
            }
            client.turn().map_err(failed)?;
        }
        shared.gate()?;
        match client.settle() {
            Err(Trouble::Gone) => client.reconnect().map_err(failed)?,
            outcome => outcome.map_err(failed)?,
        }
        shared.gate()?;
        shared.gate()?;
        match client.compare() {
            Err(Trouble::Gone) => client.reconnect().map_err(failed)?,
            outcome => outcome.map_err(failed)?,
        }
        shared.gate()?;
    }
    Ok(())
}

impl Client {
    /// One command, or several that are sent together; or a new connection.
    fn turn(&mut self) -> Result<(), Trouble> {
        if self.random.chance(1) {
            self.session.must("LOGOUT").or_else(|trouble| match trouble {
                Trouble::Wrong(why) if why.starts_with("BYE") => Ok(String::new()),
                Trouble::Gone => Ok(String::new()),
                trouble => Err(trouble),
            })?;
            self.session.leave();
            return self.reconnect();
        }
        let commands = self.choose();
        let outcome = self.run(commands);
        let pending = std::mem::take(&mut self.pending);
        match outcome {
            Err(Trouble::Gone) => {
                for (kind, begin) in pending {
                    self.unanswered(kind, begin);
                }
                self.reconnect()
            }
            outcome => outcome,
        }
    }

    fn reconnect(&mut self) -> Result<(), Trouble> {
        let (enabled, form) = wishes(&mut self.random);
        let saved = std::mem::take(&mut self.session.saved);
        let Session { number, account, shared, .. } = &self.session;
        let mut session = connect(shared, *number, *account, enabled, form)?;
        session.saved = saved;
        self.session = session;
        Ok(())
    }

    fn run(&mut self, commands: Vec<Command>) -> Result<(), Trouble> {
        self.session.begin = self.session.shared.tick();
        // RFC 9051 §7.5.1: no EXPUNGE while no command is under way.
        self.session.drain(None, Rule::NumbersStand)?;
        let begin = self.session.shared.tick();
        self.session.begin = begin;
        let alone = commands.len() == 1;
        let mut tags = VecDeque::new();
        for mut command in commands {
            if let Kind::Select { place, .. } = &command.kind {
                // What is told from here on is of the new mailbox, after CLOSED.
                self.session.leave();
                let Place { owner, seen, .. } = *place;
                self.session.opening = Some(Opening { owner, seen, ..Opening::default() });
            }
            if let Kind::Context { tag, context } = &command.kind
                && let Some(selected) = &mut self.session.selected
            {
                selected.contexts.insert(tag.clone(), context.clone());
            }
            let kind = std::mem::replace(&mut command.kind, Kind::Noop);
            self.pending.push_back((kind, begin));
            let waits = alone && command.literals.len() == 1 && self.random.chance(50);
            if waits {
                let head = format!("{} {{{}}}", command.text, command.literals[0].0.len());
                let tag = self.session.send(head.as_bytes())?;
                if let Some((kind, code)) = self.session.until_continue(command.rule)? {
                    return Err(format!("{kind} [{code}] to a literal").into());
                }
                let mut rest = command.literals[0].0.clone();
                rest.extend_from_slice(format!("{}\r\n", command.literals[0].1).as_bytes());
                self.session.send_raw(&rest)?;
                tags.push_back((tag, command));
            } else {
                tags.push_back((self.session.send(&command.bytes())?, command));
            }
        }
        for (tag, command) in tags {
            self.session.heard = Heard::default();
            if matches!(self.pending.front(), Some((Kind::Idle, _))) {
                self.idle()?;
            }
            self.session.is_listing = matches!(self.pending.front(), Some((Kind::Other("LIST"), _)));
            let answer = self.session.until_tagged(&tag, command.rule);
            self.session.is_listing = false;
            let (answer, code) = answer?;
            let end = self.session.shared.tick();
            if answer == "BAD" {
                return Err(format!("BAD [{code}] to {}", command.text).into());
            }
            let Some((kind, begin)) = self.pending.pop_front() else { continue };
            *lock(&self.session.shared.counts).entry(kind.name()).or_default() += 1;
            self.answered(kind, &Tagged { ok: answer == "OK", code, when: (begin, end) })?;
        }
        Ok(())
    }

    fn idle(&mut self) -> Result<(), Trouble> {
        if let Some((kind, code)) = self.session.until_continue(Rule::Any)? {
            return Err(format!("{kind} [{code}] to IDLE").into());
        }
        for _ in 0..1 + self.random.below(3) {
            let wait = Duration::from_millis(1 + self.random.below(20) as u64);
            self.session.drain(Some(wait), Rule::Any)?;
        }
        self.session.send_raw(b"DONE\r\n")
    }
}
