//! A client: gives commands, and holds each answer against what it asked for and what all clients have seen.

use crate::command::{Command, Kind};
use crate::outcome::Tagged;
use crate::random::Random;
use crate::session::{ENABLED, Heard, Opening, Rule, Session, Trouble};
use crate::shared::{Failed, Shared, lock};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// See the file's head.
pub struct Client {
    /// Its connection.
    pub session: Session,
    /// Its choices.
    pub random: Random,
    /// Mailboxes made, for their names.
    pub made: usize,
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
    let enabled = *random.pick(&ENABLED);
    let session = Session::open(shared, number, number % shared.accounts.len(), enabled).map_err(failed)?;
    let mut client = Client { session, random, made: 0 };
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
        client.compare().map_err(|why| failed(why.into()))?;
        shared.gate()?;
    }
    Ok(())
}

impl Client {
    /// One command, or several that are sent together; or a new connection.
    fn turn(&mut self) -> Result<(), Trouble> {
        if self.random.chance(1) {
            self.session.leave();
            self.session.must("LOGOUT").or_else(|trouble| match trouble {
                Trouble::Wrong(why) if why.starts_with("BYE") => Ok(String::new()),
                trouble => Err(trouble),
            })?;
            return self.reconnect();
        }
        let commands = self.choose();
        let changes = commands.iter().any(|command| command.kind.changes());
        match self.run(commands) {
            Err(Trouble::Gone) => {
                if changes {
                    self.session.shared.uncertain.store(true, Ordering::SeqCst);
                }
                self.reconnect()
            }
            outcome => outcome,
        }
    }

    fn reconnect(&mut self) -> Result<(), Trouble> {
        let enabled = *self.random.pick(&ENABLED);
        let saved = std::mem::take(&mut self.session.saved);
        let Session { number, account, shared, .. } = &self.session;
        self.session = Session::open(&Arc::clone(shared), *number, *account, enabled)?;
        self.session.saved = saved;
        Ok(())
    }

    fn run(&mut self, commands: Vec<Command>) -> Result<(), Trouble> {
        self.session.begin = self.session.shared.tick();
        // RFC 9051 §7.5.1: no EXPUNGE while no command is under way.
        self.session.drain(None, Rule::NumbersStand)?;
        let begin = self.session.shared.tick();
        self.session.begin = begin;
        let alone = commands.len() == 1;
        let mut tags = Vec::new();
        for command in &commands {
            if let Kind::Select { .. } = &command.kind {
                // What is told from here on is of the new mailbox, after CLOSED.
                self.session.leave();
                self.session.opening = Some(Opening::default());
            }
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
                tags.push(tag);
            } else {
                tags.push(self.session.send(&command.bytes())?);
            }
        }
        for (command, tag) in commands.into_iter().zip(tags) {
            self.session.heard = Heard::default();
            if matches!(command.kind, Kind::Idle) {
                self.idle()?;
            }
            let (kind, code) = self.session.until_tagged(&tag, command.rule)?;
            let end = self.session.shared.tick();
            *lock(&self.session.shared.counts).entry(command.kind.name()).or_default() += 1;
            if kind == "BAD" {
                return Err(format!("BAD [{code}] to {}", command.text).into());
            }
            self.answered(command.kind, &Tagged { ok: kind == "OK", code, when: (begin, end) })?;
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
