//! Notes: what was collected, and how far each folder is.

use crate::record::{self, Counts, Fate, FolderRecord, Note, encode};
use crate::{Collecting, SourceId, keys};
use directory::Change;
use engine::{Abort, Pending, Tx};
use model::UnixTime;
use sha2::{Digest, Sha256};
use std::ops::ControlFlow;

/// Folders of one source at most.
const FOLDERS_MAX: usize = 10_000;
/// Messages remembered at which runs broke.
const STUCK_MAX: usize = 32;
/// Notes read at a time.
const NOTES_AT_ONCE: usize = 2000;
/// Notes forgotten in one transaction.
const FORGOTTEN_AT_ONCE: usize = 2000;

/// What a message is called at its source, as long as that keeps the name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Name {
    /// IMAP (RFC 9051 §2.3.1.1).
    Uid {
        /// UIDVALIDITY of the folder.
        validity: u32,
        /// UID.
        uid: u32,
    },
    /// A hash: of the UIDL (RFC 1939 §7), or of the content.
    Hash([u8; 16]),
}

impl Name {
    /// Of a message that POP3 names so.
    pub fn of_uidl(uidl: &[u8]) -> Name {
        let mut hash = Sha256::new();
        hash.update(b"uidl\0");
        hash.update(uidl);
        Name::Hash(half(hash))
    }

    /// Of a message that has no name of its own: the `ordinal`th of those with this content in the folder, in the
    /// order in which the source has them.
    pub fn of_content(digest: [u8; 16], ordinal: u32) -> Name {
        let mut hash = Sha256::new();
        hash.update(b"content\0");
        hash.update(digest);
        hash.update(ordinal.to_be_bytes());
        Name::Hash(half(hash))
    }

    /// As it stands in keys.
    pub fn octets(&self) -> Vec<u8> {
        match self {
            Name::Uid { validity, uid } => [validity.to_be_bytes(), uid.to_be_bytes()].concat(),
            Name::Hash(hash) => hash.to_vec(),
        }
    }

    pub(crate) fn from_octets(octets: &[u8]) -> Option<Name> {
        let number = |octets: &[u8]| octets.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        match octets.len() {
            8 => Some(Name::Uid { validity: number(octets), uid: number(&octets[4..]) }),
            _ => octets.try_into().ok().map(Name::Hash),
        }
    }
}

/// The digest of a message's content, for [`Note`].
pub fn digest(content: &[u8]) -> [u8; 16] {
    half(Sha256::new_with_prefix(content))
}

fn half(hash: Sha256) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.finalize()[..16]);
    half
}

/// How far a folder is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderState {
    /// Its number within the source.
    pub number: u32,
    /// As the server calls it.
    pub name: String,
    /// UIDVALIDITY when it was last opened; 0 for none.
    pub uid_validity: u32,
    /// All UIDs below have been dealt with.
    pub next_uid: u32,
    /// When a complete listing was last compared with the notes.
    pub compared: UnixTime,
    /// Messages at which runs broke.
    pub stuck: Vec<Name>,
}

/// What is written beside a message, or instead of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Noted {
    /// The source.
    pub source: SourceId,
    /// Number of the folder.
    pub folder: u32,
    /// The message's name there.
    pub name: Name,
    /// What is to be known of it.
    pub note: Note,
    /// Its former name, whose note this one replaces: it is here already.
    pub former: Option<Name>,
    /// Its bytes; they count when it was put into the account.
    pub size: u64,
}

/// Writes a note: in the transaction that puts the message into the account, or alone when it is there already.
///
/// # Errors
/// [`Abort::Cancelled`] when there is such a note already or no such source any more: then nothing may be delivered.
pub fn note(tx: &mut dyn Tx, noted: &Noted) -> Result<(), Abort> {
    let (source, folder) = (noted.source, noted.folder);
    let key = keys::note(source, folder, &noted.name.octets());
    let missing = !tx.get_with(&keys::of(b's', source), &mut |_| {})?;
    if missing || tx.get_with(&key, &mut |_| {})? {
        return Err(Abort::Cancelled);
    }
    let counts_key = keys::of(b'k', source);
    let mut counts: Counts = record::load(tx, &counts_key, "a source's counts")?.unwrap_or_default();
    counts.notes += 1;
    if let Some(former) = noted.former {
        let former = keys::note(source, folder, &former.octets());
        if !tx.get_with(&former, &mut |_| {})? {
            return Err(Abort::Cancelled);
        }
        tx.delete(&former)?;
        counts.notes -= 1;
    } else if noted.note.fate == Fate::Collected {
        counts.collected += 1;
        counts.bytes += noted.size;
    }
    tx.put(&key, &encode(&noted.note))?;
    tx.put(&counts_key, &encode(&counts))?;
    Ok(())
}

impl Collecting {
    /// How far the folder of that name is; one that is not known yet gets a number, 0 for POP3's maildrop (empty name).
    pub fn folder(&self, source: SourceId, name: &str) -> Change<FolderState> {
        let name = name.to_owned();
        Change::run(&*self.engine, None, move |tx| {
            let (mut found, mut last, mut many) = (None, 0, 0);
            record::scan(tx, &keys::of(b'd', source), None, &mut |key, value| {
                let record: FolderRecord = record::decode("a folder of a source", value)?;
                (last, many) = (keys::last_u32(key), many + 1);
                if record.name == name {
                    found = Some((last, record));
                    return Ok(ControlFlow::Break(()));
                }
                Ok(ControlFlow::Continue(()))
            })?;
            if let Some((number, record)) = found {
                return Ok(shown(number, record));
            }
            if !tx.get_with(&keys::of(b's', source), &mut |_| {})? {
                return Err(crate::source::missing(source).into());
            }
            if many >= FOLDERS_MAX {
                let why = format!("at most {FOLDERS_MAX} folders of one source");
                return Err(directory::Error::TooMany(why).into());
            }
            let number = if name.is_empty() { 0 } else { last + 1 };
            let record = FolderRecord { name: name.clone(), ..FolderRecord::default() };
            tx.put(&keys::folder(source, number), &encode(&record))?;
            Ok(shown(number, record))
        })
    }

    /// Notes how far a folder is.
    pub fn set_folder(&self, source: SourceId, state: &FolderState) -> Change<()> {
        let (number, record) = (state.number, kept(state));
        Change::run(&*self.engine, None, move |tx| {
            if !tx.get_with(&keys::of(b's', source), &mut |_| {})? {
                return Err(crate::source::missing(source).into());
            }
            Ok(tx.put(&keys::folder(source, number), &encode(&record))?)
        })
    }

    /// Tells all notes of a folder in the order of their names, a page at a time: what is written meanwhile may be told or
    /// not.
    ///
    /// # Errors
    /// Reading failed.
    pub fn each_note(
        &self,
        source: SourceId,
        folder: u32,
        act: &mut dyn FnMut(Name, &Note),
    ) -> Result<(), engine::Error> {
        let mut behind: Option<Vec<u8>> = None;
        loop {
            let (mut told, mut last) = (0, None);
            let snapshot = self.engine.snapshot()?;
            record::scan(&*snapshot, &keys::notes(source, folder), behind.as_deref(), &mut |key, value| {
                if let Some(name) = key.get(keys::NOTE_NAME_AT..).and_then(Name::from_octets) {
                    act(name, &record::decode("a note of a source", value)?);
                }
                told += 1;
                if told < NOTES_AT_ONCE {
                    return Ok(ControlFlow::Continue(()));
                }
                last = Some(key.to_vec());
                Ok(ControlFlow::Break(()))
            })?;
            match last {
                Some(key) => behind = Some(key),
                None => return Ok(()),
            }
        }
    }

    /// The note of that name, if there is one.
    ///
    /// # Errors
    /// Reading failed.
    pub fn note_of(&self, source: SourceId, folder: u32, name: Name) -> Result<Option<Note>, engine::Error> {
        let snapshot = self.engine.snapshot()?;
        record::load(&*snapshot, &keys::note(source, folder, &name.octets()), "a note of a source")
    }

    /// Begins to write a note alone; cancelled when there is one already, or no such source.
    pub fn begin_note(&self, noted: Noted) -> Pending<()> {
        self.engine.transact(&[engine::AccountId(0)], move |tx| note(tx, &noted))
    }

    /// Forgets notes of messages that are gone from the source.
    ///
    /// # Errors
    /// The engine's; some may be forgotten by then.
    pub fn forget(&self, source: SourceId, folder: u32, names: &[Name]) -> Result<(), directory::Error> {
        for part in names.chunks(FORGOTTEN_AT_ONCE) {
            let part = part.to_vec();
            Change::run(&*self.engine, None, move |tx| {
                let counts_key = keys::of(b'k', source);
                let counts: Option<Counts> = record::load(tx, &counts_key, "a source's counts")?;
                let Some(mut counts) = counts else { return Ok(()) };
                for name in &part {
                    let key = keys::note(source, folder, &name.octets());
                    if tx.get_with(&key, &mut |_| {})? {
                        tx.delete(&key)?;
                        counts.notes = counts.notes.saturating_sub(1);
                    }
                }
                Ok(tx.put(&counts_key, &encode(&counts))?)
            })
            .wait()?;
        }
        Ok(())
    }
}

impl FolderState {
    /// Remembers that a run broke at this message, so that the next one takes all others first.
    pub fn stuck_at(&mut self, name: Name) {
        self.stuck.retain(|other| *other != name);
        self.stuck.push(name);
        if self.stuck.len() > STUCK_MAX {
            self.stuck.remove(0);
        }
    }
}

fn shown(number: u32, record: FolderRecord) -> FolderState {
    FolderState {
        number,
        name: record.name,
        uid_validity: record.uid_validity,
        next_uid: record.next_uid,
        compared: UnixTime(record.compared),
        stuck: record.stuck.iter().filter_map(|octets| Name::from_octets(octets)).collect(),
    }
}

fn kept(state: &FolderState) -> FolderRecord {
    FolderRecord {
        name: state.name.clone(),
        uid_validity: state.uid_validity,
        next_uid: state.next_uid,
        compared: state.compared.0,
        stuck: state.stuck.iter().map(Name::octets).collect(),
    }
}
