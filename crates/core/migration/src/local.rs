//! What is in the account already.

use crate::record::{FolderRecord, INBOX, SourceId, note_name, uid_of};
use engine::AccountId;
use model::{FlagSet, Keyword, MailboxId, Uid, UidSet, UnixTime};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use store::{Error, Needs, NoteName, Noted, Row, Store};

/// Rows read at a time.
const PAGE: usize = 2000;
/// Messages removed, or notes written, in one commit.
pub(crate) const BATCH: usize = 1000;

/// Flags of a message here.
pub(crate) struct LocalFlags {
    flags: FlagSet,
    keywords: Box<[u16]>,
}

/// The messages of a mailbox: some 45 bytes for each.
pub(crate) struct Local {
    flags: HashMap<Uid, LocalFlags>,
    words: Arc<[Keyword]>,
}

/// A message here that may be one of the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Candidate {
    pub(crate) mailbox: MailboxId,
    pub(crate) uid: Uid,
    /// Its note, when it stands for a message of another folder.
    pub(crate) note: Option<NoteName>,
}

/// Messages here by INTERNALDATE and size.
#[derive(Default)]
pub(crate) struct Candidates(HashMap<(UnixTime, u64), Vec<Candidate>>);

impl Candidates {
    fn add(&mut self, row: &Row, candidate: Candidate) {
        self.0.entry((row.received, row.size)).or_default().push(candidate);
    }

    /// The message here that is this one, to the octet; it can't be taken for another one afterwards.
    pub(crate) fn take(
        &mut self,
        store: &Store,
        account: AccountId,
        received: UnixTime,
        content: &[u8],
    ) -> Result<Option<Candidate>, Error> {
        let Some(list) = self.0.get_mut(&(received, content.len() as u64)) else { return Ok(None) };
        for at in 0..list.len() {
            let candidate = list[at];
            let same = match store.content(account, candidate.mailbox, candidate.uid, 0, u64::MAX) {
                Ok(here) => here == content,
                // Removed meanwhile, or damaged: it stands for nothing.
                Err(Error::NoMessage | Error::NoMailbox | Error::Engine(engine::Error::Corrupt { .. })) => {
                    false
                }
                Err(error) => return Err(error),
            };
            if same {
                // A message that stands in another folder may be shown by many.
                if candidate.note.is_none() {
                    list.remove(at);
                }
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }
}

impl Local {
    /// Reads a mailbox. What `claimed` does not hold may be a message of the source without a note.
    pub(crate) fn load(
        store: &Store,
        account: AccountId,
        mailbox: MailboxId,
        claimed: &UidSet,
        candidates: &mut Candidates,
    ) -> Result<Local, Error> {
        let mut local = Local { flags: HashMap::new(), words: Arc::default() };
        each_row(store, account, mailbox, &mut |row, words| {
            if !claimed.contains(row.uid) {
                candidates.add(&row, Candidate { mailbox, uid: row.uid, note: None });
            }
            // Numbers of keywords are given once and for all, so the last table knows them all.
            if words.len() > local.words.len() {
                local.words = words.clone();
            }
            local.flags.insert(row.uid, LocalFlags { flags: row.flags, keywords: row.keywords.into() });
        })?;
        Ok(local)
    }

    /// Whether a message is here with other flags than these; one that is gone is not.
    pub(crate) fn differs(&self, uid: Uid, flags: FlagSet, keywords: &[Keyword]) -> bool {
        let Some(here) = self.flags.get(&uid) else { return false };
        let known =
            |number: &u16| self.words.get(usize::from(*number)).is_some_and(|word| keywords.contains(word));
        let distinct =
            keywords.iter().enumerate().filter(|(at, word)| !keywords[..*at].contains(word)).count();
        here.flags != flags || here.keywords.len() != distinct || !here.keywords.iter().all(known)
    }
}

/// Adds the messages that other folders of the source brought, but for its views.
pub(crate) fn elsewhere(
    store: &Store,
    account: AccountId,
    source: &SourceId,
    candidates: &mut Candidates,
) -> Result<(), Error> {
    for record in FolderRecord::all(store, account, source)?.into_iter().filter(|record| !record.is_view) {
        let mailbox = MailboxId(record.mailbox);
        let mut by_uid: HashMap<Uid, NoteName> = HashMap::new();
        let notes = source.notes(&record.name, record.uid_validity);
        store.each_note(account, mailbox, &notes, &mut |name, noted| {
            if let Noted::Here(uid) = noted {
                by_uid.insert(uid, name);
            }
        })?;
        let read = each_row(store, account, mailbox, &mut |row, _| {
            if let Some(note) = by_uid.get(&row.uid) {
                candidates.add(&row, Candidate { mailbox, uid: row.uid, note: Some(*note) });
            }
        });
        match read {
            Ok(()) | Err(Error::NoMailbox) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// UIDs in a mailbox that messages of other folders of the same source have.
pub(crate) fn claimed_by_others(
    store: &Store,
    account: AccountId,
    source: &SourceId,
    folder: &str,
    mailbox: MailboxId,
) -> Result<UidSet, Error> {
    let mut claimed = UidSet::new();
    for record in FolderRecord::all(store, account, source)? {
        if record.name == folder || record.mailbox != mailbox.0 {
            continue;
        }
        let notes = source.notes(&record.name, record.uid_validity);
        store.each_note(account, mailbox, &notes, &mut |_, noted| {
            if let Noted::Here(uid) = noted {
                claimed.insert(uid);
            }
        })?;
    }
    Ok(claimed)
}

fn each_row(
    store: &Store,
    account: AccountId,
    mailbox: MailboxId,
    act: &mut dyn FnMut(Row, &Arc<[Keyword]>),
) -> Result<(), Error> {
    let uids = store.open(account, mailbox)?.uids;
    let mut from = Some(Uid(1));
    while let Some(start) = from {
        let page = store.rows(account, mailbox, &uids, start, Needs::default(), PAGE, 0)?;
        page.rows.into_iter().for_each(|row| act(row, &page.keywords));
        from = page.next;
    }
    Ok(())
}

/// Removes messages with their notes, but leaves those that other notes of the mailbox claim too; answers how many are
/// gone. The messages go first: interrupted, the next run finds the notes and goes on.
pub(crate) fn remove(
    store: &Store,
    account: AccountId,
    mailbox: MailboxId,
    gone: &[(NoteName, Noted)],
) -> Result<u64, Error> {
    let ours: HashSet<NoteName> = gone.iter().map(|(name, _)| *name).collect();
    let mut removable = UidSet::new();
    for (_, noted) in gone {
        if let Noted::Here(uid) = noted {
            removable.insert(*uid);
        }
    }
    if !removable.is_empty() {
        store.each_note(account, mailbox, &[], &mut |name, noted| {
            if let (Noted::Here(uid), false) = (noted, ours.contains(&name)) {
                removable.remove(uid);
            }
        })?;
    }
    let mut removed = 0;
    let uids: Vec<Uid> = removable.iter().collect();
    for part in uids.chunks(BATCH) {
        let part = part.iter().copied().collect();
        removed += u64::from(store.remove(account, mailbox, part).wait()?.uids.len());
    }
    for part in gone.chunks(BATCH) {
        let names = part.iter().map(|(name, _)| *name).collect();
        store.forget_notes(account, mailbox, names).wait()?;
    }
    Ok(removed)
}

/// Removes what a folder brought under these mailboxes and UIDVALIDITYs, but for the messages in `keep` of the mailbox
/// where the folder goes now.
pub(crate) fn remove_generations(
    store: &Store,
    account: AccountId,
    source: &SourceId,
    folder: &str,
    generations: &[(u32, u32)],
    keep: Option<(MailboxId, &UidSet)>,
) -> Result<u64, Error> {
    let mut removed = 0;
    for (mailbox, uid_validity) in generations {
        let mailbox = MailboxId(*mailbox);
        let gone = store.notes(account, mailbox, &source.notes(folder, *uid_validity))?;
        let (kept, gone): (Vec<_>, Vec<_>) = gone.into_iter().partition(|(_, noted)| match (noted, keep) {
            (Noted::Here(uid), Some((now, keep))) => now == mailbox && keep.contains(*uid),
            _ => false,
        });
        removed += match remove(store, account, mailbox, &gone) {
            Ok(count) => count,
            Err(Error::NoMailbox) => 0,
            Err(error) => return Err(error),
        };
        for part in kept.chunks(BATCH) {
            let names = part.iter().map(|(name, _)| *name).collect();
            store.forget_notes(account, mailbox, names).wait()?;
        }
    }
    Ok(removed)
}

/// Notes of a folder's messages by UID at the source, ascending: some 12 bytes for each.
#[derive(Default)]
pub(crate) struct Known {
    here: BTreeMap<Uid, Uid>,
    /// Those that stand for messages of other folders: only views have them.
    elsewhere: BTreeMap<Uid, (MailboxId, NoteName)>,
}

impl Known {
    pub(crate) fn get(&self, uid: Uid) -> Option<Noted> {
        let elsewhere = || self.elsewhere.get(&uid).map(|(mailbox, note)| Noted::As(*mailbox, *note));
        self.here.get(&uid).map(|here| Noted::Here(*here)).or_else(elsewhere)
    }

    pub(crate) fn insert(&mut self, uid: Uid, noted: Noted) {
        match noted {
            Noted::Here(here) => {
                self.here.insert(uid, here);
            }
            Noted::As(mailbox, note) => {
                self.elsewhere.insert(uid, (mailbox, note));
            }
        }
    }

    /// UIDs here.
    pub(crate) fn here(&self) -> impl Iterator<Item = Uid> + '_ {
        self.here.values().copied()
    }

    /// Those that `seen` does not hold.
    pub(crate) fn beyond(&self, seen: &UidSet) -> Vec<(Uid, Noted)> {
        let here = self.here.iter().map(|(uid, here)| (*uid, Noted::Here(*here)));
        let elsewhere =
            self.elsewhere.iter().map(|(uid, (mailbox, note))| (*uid, Noted::As(*mailbox, *note)));
        here.chain(elsewhere).filter(|(uid, _)| !seen.contains(*uid)).collect()
    }
}

/// What is known of a folder's messages. Notes that stand for a message of another folder which that folder has no more are
/// forgotten.
pub(crate) fn known(
    store: &Store,
    account: AccountId,
    mailbox: MailboxId,
    prefix: [u8; 12],
    dry_run: bool,
) -> Result<Known, Error> {
    let mut known = Known::default();
    store.each_note(account, mailbox, &prefix, &mut |name, noted| known.insert(uid_of(&name), noted))?;
    let mut stale = Vec::new();
    for (uid, (other, note)) in &known.elsewhere {
        if !store.is_noted(account, *other, *note)? {
            stale.push(*uid);
        }
    }
    known.elsewhere.retain(|uid, _| !stale.contains(uid));
    for part in stale.chunks(BATCH).filter(|_| !dry_run) {
        let names = part.iter().map(|uid| note_name(prefix, *uid)).collect();
        store.forget_notes(account, mailbox, names).wait()?;
    }
    Ok(known)
}

/// The mailbox that a folder goes to; made if `make`. None: it is not there yet.
pub(crate) fn mailbox_for(
    store: &Store,
    account: AccountId,
    whither: &crate::Whither,
    make: Option<UnixTime>,
) -> Result<Option<MailboxId>, Error> {
    use crate::Whither;
    let (special_use, name) = match whither {
        Whither::Inbox => return Ok(Some(INBOX)),
        Whither::Use(special_use, name) => (Some(*special_use), name),
        Whither::Name(name) => (None, name),
    };
    loop {
        let mailboxes = store.mailboxes(account)?;
        let by_use =
            special_use.and_then(|wanted| mailboxes.iter().find(|one| one.special_use == Some(wanted)));
        if let Some(id) = by_use.and_then(|found| found.id) {
            return Ok(Some(id));
        }
        match store.mailbox_by_name(account, name) {
            Ok(found) => return Ok(found.id),
            Err(Error::NoMailbox) => {}
            Err(error) => return Err(error),
        }
        let Some(now) = make else { return Ok(None) };
        match store.create_mailbox(account, name, special_use, now).wait() {
            Ok(id) => return Ok(Some(id)),
            // Somebody else was quicker.
            Err(Error::MailboxExists | Error::UseTaken) => {}
            Err(error) => return Err(error),
        }
    }
}
