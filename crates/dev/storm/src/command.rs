//! The commands that the clients give, with what each must remember for its answer.

use crate::contexts::Context;
use crate::flags::{Flags, Mode, NAMES};
use crate::ledger::Content;
use crate::place::Place;
use crate::random::Random;
use crate::replica::Replica;
use crate::session::{Rule, Saved};
use crate::settings::Slot;
use crate::threads::references;
use crate::wishes::Wishes;

/// Whether a command's messages are named by UID.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Sequence numbers.
    Number,
    /// UIDs.
    Uid,
}

impl By {
    /// The word before the command's name.
    pub fn prefix(self) -> &'static str {
        match self {
            By::Number => "",
            By::Uid => "UID ",
        }
    }
}

/// What a command is, and what its answer is held against.
#[derive(Debug)]
pub enum Kind {
    /// Nothing to remember.
    Other(&'static str),
    /// NOOP: everything is told by its end.
    Noop,
    /// `sees`: it sets \Seen.
    Fetch {
        by: By,
        sees: bool,
    },
    Store(Box<Store>),
    Search {
        by: By,
    },
    Copy {
        moves: bool,
        name: String,
        to: Place,
    },
    Append {
        name: String,
        to: Place,
        messages: Vec<(Content, Flags)>,
    },
    Replace {
        name: String,
        to: Place,
        uid: u32,
        message: (Content, Flags),
    },
    Expunge {
        only: Option<Vec<u32>>,
    },
    Close,
    Unselect,
    Select {
        name: String,
        place: Place,
        writable: bool,
        known: Option<Saved>,
    },
    Create(String),
    Delete(String),
    Rename(String, String),
    Status {
        name: String,
        place: Place,
    },
    Idle,
    /// A search whose result is kept up to date.
    Context {
        tag: String,
        context: Context,
    },
    Cancel(String),
    Notify(Wishes),
    SetMetadata {
        name: String,
        place: Option<Place>,
        values: Vec<(Slot, &'static str, Option<String>)>,
    },
    Subscribe {
        name: String,
        place: Place,
        on: bool,
    },
}

/// STORE: `uids` are those that it names and that the client knows.
#[derive(Clone, Debug)]
pub struct Store {
    pub by: By,
    pub uids: Vec<u32>,
    pub mode: Mode,
    pub flags: Flags,
    pub silent: bool,
    pub unchanged_since: Option<u64>,
}

impl Kind {
    /// The name to count it under.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Other(name) => name,
            Kind::Noop => "NOOP",
            Kind::Fetch { by: By::Number, .. } => "FETCH",
            Kind::Fetch { by: By::Uid, .. } => "UID FETCH",
            Kind::Store(store) if store.by == By::Number => "STORE",
            Kind::Store(_) => "UID STORE",
            Kind::Search { by: By::Number } => "SEARCH",
            Kind::Search { by: By::Uid } => "UID SEARCH",
            Kind::Copy { moves: false, .. } => "COPY",
            Kind::Copy { moves: true, .. } => "MOVE",
            Kind::Append { .. } => "APPEND",
            Kind::Replace { .. } => "REPLACE",
            Kind::Expunge { only: None } => "EXPUNGE",
            Kind::Expunge { only: Some(_) } => "UID EXPUNGE",
            Kind::Close => "CLOSE",
            Kind::Unselect => "UNSELECT",
            Kind::Select { known: Some(_), .. } => "SELECT QRESYNC",
            Kind::Select { writable: true, .. } => "SELECT",
            Kind::Select { .. } => "EXAMINE",
            Kind::Create(_) => "CREATE",
            Kind::Delete(_) => "DELETE",
            Kind::Rename(..) => "RENAME",
            Kind::Status { .. } => "STATUS",
            Kind::Idle => "IDLE",
            Kind::Context { .. } => "SEARCH UPDATE",
            Kind::Cancel(_) => "CANCELUPDATE",
            Kind::Notify(_) => "NOTIFY",
            Kind::SetMetadata { .. } => "SETMETADATA",
            Kind::Subscribe { on: true, .. } => "SUBSCRIBE",
            Kind::Subscribe { .. } => "UNSUBSCRIBE",
        }
    }

    /// The name of the mailbox that messages come to.
    pub fn files_into(&self) -> Option<&str> {
        match self {
            Kind::Copy { name, .. } | Kind::Append { name, .. } | Kind::Replace { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The mailbox that it names, if that is not the selected one.
    pub fn place(&self) -> Option<Place> {
        match self {
            Kind::Copy { to, .. } | Kind::Append { to, .. } | Kind::Replace { to, .. } => Some(*to),
            Kind::Select { place, .. } => Some(*place),
            Kind::Status { place, .. } | Kind::Subscribe { place, .. } => Some(*place),
            Kind::SetMetadata { place, .. } => *place,
            _ => None,
        }
    }
}

/// A command ready to be sent: text, and literals between its parts.
#[derive(Debug)]
pub struct Command {
    /// Each but the last is followed by the literal beside it.
    pub text: String,
    /// Literals with the text behind each.
    pub literals: Vec<(Vec<u8>, String)>,
    pub kind: Kind,
    pub rule: Rule,
}

impl Command {
    /// One without literals, during which messages may leave.
    pub fn new(text: impl Into<String>, kind: Kind) -> Command {
        Command { text: text.into(), literals: Vec::new(), kind, rule: Rule::Any }
    }

    /// The same, during which they may not.
    pub fn steady(text: impl Into<String>, kind: Kind) -> Command {
        Command { rule: Rule::NumbersStand, ..Command::new(text, kind) }
    }

    /// In one piece, with literals that need no continuation (RFC 7888).
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.text.clone().into_bytes();
        for (literal, text) in &self.literals {
            bytes.extend_from_slice(format!(" {{{}+}}\r\n", literal.len()).as_bytes());
            bytes.extend_from_slice(literal);
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

/// A set of messages in the words of a command, and the UIDs that it is known to name.
pub fn messages(random: &mut Random, replica: &Replica, by: By, most: usize) -> Option<(String, Vec<u32>)> {
    let known = |at: &usize| replica.messages[*at].uid.is_some();
    let known: Vec<usize> = (0..replica.messages.len()).filter(known).collect();
    if known.is_empty() {
        return None;
    }
    let begin = random.below(known.len());
    let wanted = 1 + random.below(most.min(known.len() - begin));
    let dense = random.chance(50);
    let chosen: Vec<usize> =
        known[begin..].iter().copied().filter(|_| dense || random.chance(60)).take(wanted).collect();
    let uid = |at: usize| replica.messages[at].uid.unwrap_or(0);
    let name = |at: usize| match by {
        By::Number => at as u32 + 1,
        By::Uid => uid(at),
    };
    let (first, last) = (*chosen.first()?, *chosen.last()?);
    let uids: Vec<u32> = chosen.iter().map(|at| uid(*at)).collect();
    // Nothing unknown is between: it would have a place of its own, unless messages have no numbers.
    let closed = replica.has_numbers() || known.len() == replica.messages.len();
    if closed && last - first + 1 == chosen.len() && chosen.len() > 1 && random.chance(70) {
        let (a, b) = if random.chance(50) { (first, last) } else { (last, first) };
        return Some((format!("{}:{}", name(a), name(b)), uids));
    }
    let names: Vec<String> = chosen.iter().map(|at| name(*at).to_string()).collect();
    Some((names.join(","), uids))
}

/// Some flags.
pub fn some_flags(random: &mut Random) -> Flags {
    let mut flags = Flags::default();
    for _ in 0..random.below(4) {
        flags.0 |= 1 << random.below(NAMES.len());
    }
    // \Deleted more often: there is to be something to expunge.
    if random.chance(15) {
        flags.0 |= Flags::DELETED.0;
    }
    flags
}

/// A message of its own.
pub fn message(random: &mut Random, id: u64) -> (Vec<u8>, Content) {
    let mut text = format!(
        "From: storm@example.test\r\nTo: storm@example.test\r\nSubject: storm {id}\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n\
         Message-ID: <{id}@storm.example.test>\r\n{}\r\n",
        references(id)
    );
    let words = ["wind", "rain", "hail", "Гроза", "thunder", "calm"];
    for _ in 0..random.below(40) {
        text += words[random.below(words.len())];
        text += if random.chance(20) { "\r\n" } else { " " };
    }
    text += "\r\n";
    let content = Content { id, size: text.len() as u64 };
    (text.into_bytes(), content)
}
