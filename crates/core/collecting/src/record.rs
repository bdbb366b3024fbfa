//! Values, and reading them from a snapshot or a transaction alike.

use crate::keys;
use engine::{Error, Order, Read};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::ops::{Bound, ControlFlow};

/// Version of all values written today.
const VERSION: u8 = 1;

/// How a source is spoken to. Variants of these enums are numbered: add new ones at the end only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// RFC 1939.
    Pop3,
    /// RFC 9051, or RFC 3501 where the server knows no better.
    Imap,
}

/// How the way to a source is protected. With TLS its certificate has to be right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all: the password goes in clear.
    None,
    /// By STARTTLS or STLS, without which nothing is said (RFC 8314 §3.1).
    Starttls,
    /// From the first octet (RFC 8314 §3.2, §3.3).
    Implicit,
}

/// Which folders of an IMAP source are collected.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Folders {
    /// INBOX; all that POP3 has.
    Inbox,
    /// Those.
    Named(Vec<String>),
    /// All but views of others (\All, \Flagged; RFC 6154).
    All,
}

/// Where collected mail goes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// INBOX.
    Inbox,
    /// A mailbox; made when it is not there.
    Mailbox(String),
    /// For each folder a mailbox of the same name below this one; on the top level when empty.
    Mirrored(String),
}

/// How long mail stays at the source after it was collected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// For ever.
    Forever,
    /// So many days.
    Days(u32),
    /// It is deleted as soon as it is durable here.
    Nothing,
}

/// What a source is and how it is collected.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// POP3 or IMAP.
    pub protocol: Protocol,
    /// Its host: a name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub tls: Tls,
    /// Log-in name there.
    pub user: String,
    /// What of it is collected.
    pub folders: Folders,
    /// Where to.
    pub place: Place,
    /// How long mail stays there.
    pub keep: Keep,
    /// Seconds from the end of a run to the next one. None: the server's usual.
    pub interval: Option<u32>,
    /// Whether it rests.
    pub paused: bool,
    /// Whether what was read there is read here (\Seen); other flags are taken over always.
    pub keep_seen: bool,
    /// Whether the spam folder is left alone.
    pub skip_junk: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct SourceRecord {
    pub account: u32,
    pub settings: Settings,
    /// The password: nonce and ciphertext of XChaCha20-Poly1305.
    pub sealed: Vec<u8>,
    pub created: i64,
}

/// What goes wrong with sources.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TroubleKind {
    /// The host can't be found or reached, or the connection broke.
    Unreachable,
    /// No TLS, or a certificate that is not right.
    Tls,
    /// The password (or the name) is not taken.
    Password,
    /// The server refuses for now or for good what is asked.
    Refused,
    /// The server says what can't be understood.
    Protocol,
    /// It takes too long.
    Slow,
    /// Sources may not lie there.
    Forbidden,
    /// The source is the very account that collects.
    Circle,
    /// The account is full.
    OverQuota,
    /// A folder or a mailbox is not there or can't be made.
    Folder,
    /// The server gives its messages no names (UIDL), so that what was collected can't be told from what was not.
    Nameless,
    /// Our own disk or store.
    Storage,
    /// This server was stopped.
    Stopped,
    /// A message can't be had; all others are.
    Message,
}

/// What went wrong with a source.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trouble {
    /// Of which kind.
    pub kind: TroubleKind,
    /// In words: what, and what to do.
    pub words: String,
    /// Since when, seconds since 1970.
    pub since: i64,
}

/// What a run did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct RunCounts {
    /// Messages put into the account.
    pub collected: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Messages that turned out to be here already, under another name.
    pub known: u64,
    /// Messages deleted at the source.
    pub deleted: u64,
    /// Messages left there because they are too large.
    pub too_large: u64,
    /// Messages left there because they have been in this account before, or went in circles.
    pub circled: u64,
    /// Messages that could not be had this time.
    pub failed: u64,
}

/// How a source does.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Status {
    /// When the last run ended.
    pub last_run: Option<i64>,
    /// When the last run that met no trouble ended.
    pub last_success: Option<i64>,
    /// When the next one is due.
    pub next_run: i64,
    /// Runs in a row that met trouble.
    pub failures: u32,
    /// What is wrong now.
    pub trouble: Option<Trouble>,
    /// What the last run did.
    pub last: RunCounts,
}

/// What is counted of a source.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Counts {
    /// Notes of messages that were collected.
    pub notes: u64,
    /// Messages collected in all.
    pub collected: u64,
    /// Bytes of these.
    pub bytes: u64,
}

#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct FolderRecord {
    /// As the server calls it, decoded.
    pub name: String,
    pub uid_validity: u32,
    /// All UIDs below have been dealt with.
    pub next_uid: u32,
    /// When a complete listing was last compared with the notes.
    pub compared: i64,
    /// Names of messages at which runs broke: they come last.
    pub stuck: Vec<Vec<u8>>,
}

/// What became of a message that has a note.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Fate {
    /// It was put into the account.
    Collected,
    /// It had been in this account before, or went in circles, and stays where it is.
    Circled,
}

/// What is known of a message at a source that was dealt with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Note {
    /// When, seconds since 1970.
    pub collected: i64,
    /// The first half of the SHA-256 of its content there.
    pub digest: [u8; 16],
    /// What became of it.
    pub fate: Fate,
}

pub(crate) fn encode(record: &impl Serialize) -> Vec<u8> {
    // Writing to memory fails for no record we have: they hold no maps or sequences of unknown length.
    postcard::to_extend(record, vec![VERSION]).expect("a record can be encoded")
}

pub(crate) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Error> {
    let corrupt = |why: String| Error::Corrupt { what: what.to_owned(), why };
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|error| corrupt(error.to_string())),
        Some((&version, _)) if version > VERSION => {
            Err(Error::NewerFormat { found: version.into(), supported: VERSION.into() })
        }
        _ => Err(corrupt("no version byte".to_owned())),
    }
}

pub(crate) fn load<R: Read + ?Sized, T: DeserializeOwned>(
    read: &R,
    key: &[u8],
    what: &str,
) -> Result<Option<T>, Error> {
    let mut outcome = None;
    read.get_with(key, &mut |bytes| outcome = Some(decode(what, bytes)))?;
    outcome.transpose()
}

pub(crate) fn source<R: Read + ?Sized>(
    read: &R,
    source: crate::SourceId,
) -> Result<Option<SourceRecord>, Error> {
    load(read, &keys::of(b's', source), "a source")
}

/// Called with each key and value, until it breaks or fails.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, Error>;

/// Visits what begins with `prefix`, behind `after` if given, until `visit` breaks.
pub(crate) fn scan<R: Read + ?Sized>(
    read: &R,
    prefix: &[u8],
    after: Option<&[u8]>,
    visit: Visit<'_>,
) -> Result<(), Error> {
    let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
    let end = keys::behind(prefix);
    let mut outcome = Ok(());
    read.scan(
        (from, Bound::Excluded(&end[..])),
        Order::Ascending,
        &mut |key, value| match visit(key, value) {
            Ok(flow) => flow,
            Err(error) => {
                outcome = Err(error);
                ControlFlow::Break(())
            }
        },
    )?;
    outcome
}
