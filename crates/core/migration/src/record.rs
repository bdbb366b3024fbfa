//! What is kept of a source's folders in the account: under names of notes of INBOX, which is always there.
//!
//! A record's name is 8 bytes of hash of the source and 8 of the folder; a message's note is named by 12 bytes of hash of
//! source, folder and UIDVALIDITY, and the UID at the source. Values of records: a version byte, then postcard.

use engine::AccountId;
use model::{MailboxId, Uid};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Error, NoteName, Store};

const VERSION: u8 = 1;

/// INBOX of every account (`store::keys`).
pub(crate) const INBOX: MailboxId = MailboxId(1);

/// An account elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceId {
    /// Whose.
    pub user: String,
    /// Host and port as they were typed.
    pub server: String,
}

impl SourceId {
    fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        let server = self.server.to_lowercase();
        for part in [&b"migration"[..], self.user.as_bytes(), server.as_bytes()].iter().chain(parts) {
            // Lengths keep neighbours apart.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    fn records(&self) -> [u8; 8] {
        first(&self.hash(&[]))
    }

    fn record(&self, folder: &str) -> NoteName {
        let name: [u8; 8] = first(&self.hash(&[b"folder", folder.as_bytes()]));
        first(&[self.records(), name].concat())
    }

    /// How names of notes of a folder's messages begin.
    pub(crate) fn notes(&self, folder: &str, uid_validity: u32) -> [u8; 12] {
        first(&self.hash(&[b"messages", folder.as_bytes(), &uid_validity.to_be_bytes()]))
    }
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[..N]);
    out
}

/// The name of a message's note.
pub(crate) fn note_name(prefix: [u8; 12], uid: Uid) -> NoteName {
    first(&[&prefix[..], &uid.0.to_be_bytes()].concat())
}

/// The source's UID of a note.
pub(crate) fn uid_of(name: &NoteName) -> Uid {
    Uid(u32::from_be_bytes(first(&name[12..])))
}

/// What is known of a folder from earlier runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FolderRecord {
    /// Its name at the source.
    pub name: String,
    /// The mailbox here.
    pub mailbox: u32,
    /// UIDVALIDITY at the source.
    pub uid_validity: u32,
    /// Whether it was subscribed at the source.
    pub subscribed: bool,
    /// Whether it only shows messages of others.
    pub is_view: bool,
    /// Mailboxes and UIDVALIDITYs of notes from before the UIDVALIDITY changed.
    pub retired: Vec<(u32, u32)>,
}

/// Most generations of notes that are kept.
pub(crate) const RETIRED_MAX: usize = 8;

impl FolderRecord {
    fn decode(value: &[u8]) -> Option<FolderRecord> {
        let (version, rest) = value.split_first()?;
        (*version == VERSION).then(|| postcard::from_bytes(rest).ok()).flatten()
    }

    /// What is known of that folder. A record that can't be read counts as none.
    ///
    /// # Errors
    /// The engine's.
    pub fn load(
        store: &Store,
        account: AccountId,
        source: &SourceId,
        folder: &str,
    ) -> Result<Option<FolderRecord>, Error> {
        let records = store.import_records(account, INBOX, &source.record(folder))?;
        let record = records.first().and_then(|(_, value)| FolderRecord::decode(value));
        Ok(record.filter(|record| record.name == folder))
    }

    /// All folders of a source that are known.
    ///
    /// # Errors
    /// The engine's.
    pub fn all(store: &Store, account: AccountId, source: &SourceId) -> Result<Vec<FolderRecord>, Error> {
        let records = store.import_records(account, INBOX, &source.records())?;
        Ok(records.iter().filter_map(|(_, value)| FolderRecord::decode(value)).collect())
    }

    pub(crate) fn save(&self, store: &Store, account: AccountId, source: &SourceId) -> Result<(), Error> {
        let mut value = vec![VERSION];
        value.extend(postcard::to_stdvec(self).expect("a record has nothing that can't be written"));
        store.put_import_record(account, INBOX, source.record(&self.name), value).wait()
    }

    fn forget(&self, store: &Store, account: AccountId, source: &SourceId) -> Result<(), Error> {
        store.forget_notes(account, INBOX, vec![source.record(&self.name)]).wait()
    }
}

/// Removes what folders brought that the source has no more (`present` are all names that it lists); the mailboxes stay.
/// Answers each folder with the number of messages removed.
///
/// # Errors
/// The store's; a second call goes on.
pub fn left_over(
    store: &Store,
    account: AccountId,
    source: &SourceId,
    present: &[&str],
) -> Result<Vec<(String, u64)>, Error> {
    let mut removed = Vec::new();
    for record in FolderRecord::all(store, account, source)? {
        if present.contains(&&*record.name) {
            continue;
        }
        let mut generations = record.retired.clone();
        generations.push((record.mailbox, record.uid_validity));
        let count =
            crate::local::remove_generations(store, account, source, &record.name, &generations, None)?;
        record.forget(store, account, source)?;
        removed.push((record.name, count));
    }
    Ok(removed)
}
