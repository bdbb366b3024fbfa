//! One client's connection: sends commands, takes every response into its replica, and refuses what the RFCs forbid.

use crate::contexts::Context;
use crate::ledger::{Effect, Key};
use crate::place::{Hold, Place};
use crate::replica::{Fetched, Message, Numbered, Replica};
use crate::shared::{Shared, lock};
use crate::watching::Watching;
use crate::wire::{Response, Value, Wire};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A command of another client, whose effect is seen, is acknowledged in this time.
const TOLD_LATE: Duration = Duration::from_secs(10);

/// Why a command did not come to its end.
#[derive(Debug)]
pub enum Trouble {
    /// The server was wrong.
    Wrong(String),
    /// The server hung up with BYE, since the selected mailbox was deleted or may not be read any more; or it was ended.
    Gone,
}

impl From<String> for Trouble {
    fn from(why: String) -> Trouble {
        Trouble::Wrong(why)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Trouble::Wrong(format!("the connection: {error}"))
    }
}

/// What the client has enabled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Enabled {
    /// The words behind ENABLE.
    pub words: &'static str,
}

impl Enabled {
    fn has(self, word: &str) -> bool {
        self.words.split(' ').any(|enabled| enabled == word)
    }

    /// IMAP4rev2
    pub fn rev2(self) -> bool {
        self.has("IMAP4rev2")
    }

    /// CONDSTORE, which QRESYNC brings along
    pub fn condstore(self) -> bool {
        self.has("CONDSTORE") || self.qresync()
    }

    /// QRESYNC
    pub fn qresync(self) -> bool {
        self.has("QRESYNC")
    }

    /// UIDONLY
    pub fn uid_only(self) -> bool {
        self.has("UIDONLY")
    }
}

/// Every combination in use.
pub const ENABLED: [Enabled; 8] = [
    Enabled { words: "" },
    Enabled { words: "CONDSTORE" },
    Enabled { words: "QRESYNC" },
    Enabled { words: "IMAP4rev2" },
    Enabled { words: "IMAP4rev2 CONDSTORE" },
    Enabled { words: "IMAP4rev2 QRESYNC" },
    Enabled { words: "UIDONLY CONDSTORE" },
    Enabled { words: "IMAP4rev2 UIDONLY QRESYNC" },
];

/// How a connection's octets go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// As they are.
    Plain,
    /// COMPRESS=DEFLATE (RFC 4978).
    Deflated,
}

/// What may be told while a command is under way (RFC 9051 §7.5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// EXPUNGE and VANISHED may come.
    Any,
    /// FETCH, STORE, SEARCH with numbers, and no command at all: they may not.
    NumbersStand,
}

/// The selected mailbox.
pub struct Selected {
    pub name: String,
    pub place: Place,
    pub uid_validity: u32,
    pub id: String,
    pub writable: bool,
    pub replica: Replica,
    /// All changes up to here were told.
    pub safe: u64,
    /// The highest MODSEQ told.
    pub told: u64,
    /// Results that are kept up to date, by tag.
    pub contexts: HashMap<String, Context>,
    /// The UIDBATCHES asked for last: size and batches.
    pub batched: Option<(u32, Option<(u32, u32)>)>,
}

impl Selected {
    /// The ledger's name of it.
    pub fn key(&self) -> Key {
        (self.place.owner, self.uid_validity)
    }

    /// Whether what is done to it happens as it is acknowledged.
    pub fn effect(&self) -> Effect {
        self.place.effect()
    }
}

/// What SELECT tells before it is complete.
#[derive(Default)]
pub struct Opening {
    pub owner: usize,
    pub seen: usize,
    pub exists: usize,
    pub uid_validity: u32,
    pub uid_next: u64,
    pub highest: u64,
    pub id: String,
    pub vanished: Vec<u32>,
    pub fetched: Vec<(usize, Fetched)>,
}

/// A mailbox's state for a later resynchronisation (RFC 7162 §3.2.5).
#[derive(Clone, Debug)]
pub struct Saved {
    pub uid_validity: u32,
    pub modseq: u64,
    pub messages: Vec<Message>,
    /// The client names the messages that it knows, so that it is not told of new ones.
    pub names_known: bool,
}

/// What the command under way has brought so far.
#[derive(Default)]
pub struct Heard {
    /// Messages whose FLAGS came.
    pub flags: HashSet<u32>,
    /// Messages whose MODSEQ came.
    pub modseq: HashSet<u32>,
    /// The response under way has a section of a body.
    pub has_body: bool,
    /// Messages of which such a section came.
    pub bodies: Vec<u32>,
    /// INTERNALDATE and SAVEDATE in the response under way.
    pub dates: [Option<String>; 2],
    /// Results of SEARCH or ESEARCH ALL.
    pub found: Option<Vec<u32>>,
    /// ESEARCH MIN, MAX, COUNT.
    pub figures: HashMap<String, u64>,
    /// STATUS: mailbox, and items as name and value.
    pub status: Vec<(String, Vec<(String, Value)>)>,
    /// ESEARCH PARTIAL: the range as it was asked for, and what is there.
    pub partial: Option<(String, Vec<u32>)>,
    /// UIDBATCHES: first and last of each.
    pub batches: Option<Vec<(u32, u32)>>,
    /// THREAD
    pub threads: Vec<Value>,
    /// ESEARCH of many mailboxes: UIDVALIDITY and UIDs of each.
    pub many: HashMap<String, (u32, Vec<u32>)>,
    /// Response codes of untagged OK.
    pub codes: Vec<String>,
}

/// A client.
pub struct Session {
    pub number: usize,
    pub account: usize,
    pub shared: Arc<Shared>,
    pub wire: Wire,
    pub enabled: Enabled,
    pub selected: Option<Selected>,
    pub opening: Option<Opening>,
    /// The mailbox that was left last is another's: until the next one is open, the server may notice that it is lost.
    pub left_unsure: bool,
    pub heard: Heard,
    pub saved: HashMap<String, Saved>,
    /// The clock before the command under way was sent.
    pub begin: u64,
    tags: u64,
    /// BYE came.
    pub said_bye: bool,
    /// What NOTIFY has told, once it was given.
    pub watching: Option<Watching>,
    /// LIST is under way.
    pub is_listing: bool,
}

impl Heard {
    /// A STATUS item of a mailbox; the last that was told.
    pub fn status_item(&self, mailbox: &str, item: &str) -> Option<&Value> {
        let rows = self.status.iter().rev().filter(|(name, _)| name == mailbox);
        rows.flat_map(|(_, items)| items).find(|(name, _)| name == item).map(|(_, value)| value)
    }
}

impl Session {
    /// Connects, logs in, enables.
    ///
    /// # Errors
    /// Whatever goes wrong.
    pub fn open(
        shared: &Arc<Shared>,
        number: usize,
        account: usize,
        enabled: Enabled,
        form: Form,
    ) -> Result<Session, Trouble> {
        let mut session = Session {
            number,
            account,
            shared: Arc::clone(shared),
            wire: Wire::connect(shared.address)?,
            enabled: Enabled { words: "" },
            selected: None,
            opening: None,
            left_unsure: false,
            heard: Heard::default(),
            saved: HashMap::new(),
            begin: 0,
            tags: 0,
            said_bye: false,
            watching: None,
            is_listing: false,
        };
        shared.note(number, format!("--- connects, to enable ({})", enabled.words));
        session.next_response()?;
        session.wire.greeted()?;
        let (name, password) = &shared.accounts[account];
        session.must(&format!("LOGIN \"{name}\" \"{password}\""))?;
        if !enabled.words.is_empty() {
            session.must(&format!("ENABLE {}", enabled.words))?;
        }
        if form == Form::Deflated {
            session.must("COMPRESS DEFLATE")?;
            session.wire.compress()?;
        }
        session.enabled = enabled;
        Ok(session)
    }

    /// A simple command that can't be refused.
    ///
    /// # Errors
    /// It was, or something else is wrong.
    pub fn must(&mut self, command: &str) -> Result<String, Trouble> {
        self.begin = self.shared.tick();
        let tag = self.send(command.as_bytes())?;
        let (kind, code) = self.until_tagged(&tag, Rule::Any)?;
        if kind == "OK" { Ok(code) } else { Err(format!("{kind} [{code}] to {command}").into()) }
    }

    /// The tag of the next command.
    pub fn upcoming_tag(&self) -> String {
        format!("c{}x{}", self.number, self.tags + 1)
    }

    /// Sends a command with a tag of its own, which it answers.
    ///
    /// # Errors
    /// As the connection.
    pub fn send(&mut self, command: &[u8]) -> Result<String, Trouble> {
        let tag = self.upcoming_tag();
        self.tags += 1;
        let mut line = format!("{tag} ").into_bytes();
        line.extend_from_slice(command);
        line.extend_from_slice(b"\r\n");
        self.send_raw(&line)?;
        Ok(tag)
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// As the connection.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.shared.note(self.number, format!("C: {}", String::from_utf8_lossy(bytes).trim_end()));
        // Who said BYE does not read any more; that is found when its words are read.
        match self.wire.send(bytes) {
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::BrokenPipe | std::io::ErrorKind::ConnectionReset
                ) =>
            {
                Ok(())
            }
            outcome => Ok(outcome?),
        }
    }

    fn next_response(&mut self) -> Result<Response, Trouble> {
        let response = match self.wire.response() {
            Err(_) if self.shared.was_ended() => None,
            response => response?,
        };
        let Some((response, shown)) = response else {
            self.shared.note(self.number, "--- the server hung up".to_owned());
            let expected = self.said_bye || self.shared.was_ended();
            return Err(if expected { Trouble::Gone } else { "hung up without BYE".to_owned().into() });
        };
        self.shared.note(self.number, format!("S: {shown}"));
        Ok(response)
    }

    /// Reads up to a tagged response: its kind and its code.
    ///
    /// # Errors
    /// Whatever is wrong on the way.
    pub fn until_tagged(&mut self, tag: &str, rule: Rule) -> Result<(String, String), Trouble> {
        loop {
            match self.next_response()? {
                Response::Status { tag: Some(told), kind, code } if told == tag => return Ok((kind, code)),
                Response::Status { tag: Some(told), .. } => {
                    return Err(format!("the answer to {told} came, {tag} was due").into());
                }
                response => self.take(response, rule)?,
            }
        }
    }

    /// Reads up to a continuation; None if a tagged response came instead.
    ///
    /// # Errors
    /// Whatever is wrong on the way.
    pub fn until_continue(&mut self, rule: Rule) -> Result<Option<(String, String)>, Trouble> {
        loop {
            match self.next_response()? {
                Response::Continue => return Ok(None),
                Response::Status { tag: Some(_), kind, code } => return Ok(Some((kind, code))),
                response => self.take(response, rule)?,
            }
        }
    }

    /// Reads what has come unasked; up to `wait` for the first of it.
    ///
    /// # Errors
    /// Whatever is wrong with it.
    pub fn drain(&mut self, wait: Option<Duration>, rule: Rule) -> Result<(), Trouble> {
        let mut wait = wait;
        while self.has_more(wait)? {
            match self.next_response()? {
                Response::Status { tag: Some(tag), .. } => {
                    return Err(format!("{tag} is answered twice").into());
                }
                response => self.take(response, rule)?,
            }
            wait = None;
        }
        Ok(())
    }

    fn has_more(&mut self, wait: Option<Duration>) -> Result<bool, Trouble> {
        match self.wire.has_more(wait) {
            Err(_) if self.shared.was_ended() => Err(Trouble::Gone),
            more => Ok(more?),
        }
    }

    /// Whether the selected mailbox may be taken away.
    pub fn may_lose_mailbox(&self) -> bool {
        let selected = self.selected.as_ref();
        self.left_unsure || selected.is_some_and(|selected| selected.place.hold != Hold::Firm)
    }

    /// The ledger's name of the selected mailbox.
    pub fn key(&self) -> Option<Key> {
        self.selected.as_ref().map(Selected::key)
    }

    /// Forgets the selected mailbox, but keeps its state for a resynchronisation.
    pub fn leave(&mut self) {
        let Some(selected) = self.selected.take() else { return };
        self.left_unsure = selected.place.hold != Hold::Firm;
        // RFC 5465 §5: what happened in it was told otherwise.
        self.unwatch(&selected.name);
        if self.enabled.condstore() && selected.replica.is_complete() {
            let Selected { name, uid_validity, safe, replica, .. } = selected;
            self.saved.insert(
                name,
                Saved { uid_validity, modseq: safe, messages: replica.messages, names_known: false },
            );
        }
    }

    /// Takes over what SELECT has told; `known` is what the client had given of its own.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn opened(&mut self, name: &str, writable: bool, known: Option<Saved>) -> Result<(), Trouble> {
        self.left_unsure = false;
        let Some(opening) = self.opening.take() else {
            return Err("no SELECT is under way".to_owned().into());
        };
        let known = known.filter(|known| known.uid_validity == opening.uid_validity);
        let tells_all = known.as_ref().is_some_and(|known| !known.names_known);
        let mut messages = known.map_or_else(Vec::new, |known| known.messages);
        let vanished: HashSet<u32> = opening.vanished.into_iter().collect();
        messages.retain(|message| message.uid.is_none_or(|uid| !vanished.contains(&uid)));
        let numbered = if self.enabled.uid_only() { Numbered::No } else { Numbered::Yes };
        let mut replica = Replica::new(messages, numbered);
        replica.exists(opening.exists)?;
        for (number, fetched) in opening.fetched {
            match numbered {
                Numbered::Yes => replica.fetched(number, &fetched)?,
                Numbered::No => replica.uid_fetched(number as u32, &fetched)?,
            };
        }
        let place = Place::of(self.account, name);
        let key = (place.owner, opening.uid_validity);
        let clock = self.shared.tick();
        let mut facts = lock(&self.shared.facts);
        facts.highest(key, opening.highest, self.begin, clock)?;
        facts.uid_next(key, opening.uid_next, self.begin, clock)?;
        drop(facts);
        self.selected = Some(Selected {
            name: name.to_owned(),
            place,
            uid_validity: opening.uid_validity,
            id: opening.id,
            writable,
            replica,
            safe: opening.highest,
            told: opening.highest,
            contexts: HashMap::new(),
            batched: None,
        });
        if tells_all { self.must_know_all() } else { Ok(()) }
    }

    /// RFC 7162 §3.2.5: after the resynchronisation the client knows every message, but for those that were expunged as soon
    /// as they were counted, which leave now: at the latest once the other's command is acknowledged.
    fn must_know_all(&mut self) -> Result<(), Trouble> {
        let before = match &self.selected {
            Some(selected) if !selected.replica.is_complete() => selected.replica.grown,
            _ => return Ok(()),
        };
        let begun = Instant::now();
        loop {
            self.must("NOOP")?;
            match &self.selected {
                Some(Selected { replica, .. }) if replica.unknown() > replica.grown - before => {
                    if begun.elapsed() > TOLD_LATE {
                        let why = format!("not all is known after the resynchronisation: {replica:?}");
                        return Err(why.into());
                    }
                }
                _ => return Ok(()),
            }
        }
    }
}
