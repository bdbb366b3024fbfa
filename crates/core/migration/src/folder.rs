//! Copying one folder: listed first, then fetched in batches, then settled. It may be dropped at any point.

use crate::local::{self, BATCH, Candidates, Known, Local};
use crate::names::{Place, Share, SourceFolder};
use crate::record::{FolderRecord, RETIRED_MAX, SourceId, note_name};
use engine::AccountId;
use model::{FlagChange, FlagMode, FlagSet, Keyword, MailboxId, ModSeq, Uid, UidSet, UnixTime};
use std::collections::HashMap;
use std::sync::Arc;
use store::{Brought, Error, NewMessage, Noted, Prepared, Store, Taken};

/// What is done beyond copying.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Flags of messages that are here stay as they are here.
    pub keep_local_flags: bool,
    /// What the source has no more is removed here.
    pub delete: bool,
    /// Nothing is changed; see [`Folder::counts`] for what would be.
    pub dry_run: bool,
}

/// Which account is copied from where to where.
#[derive(Clone)]
pub struct Copying {
    /// Where to.
    pub store: Store,
    /// Whose.
    pub account: AccountId,
    /// From where.
    pub source: SourceId,
    /// What else is done.
    pub options: Options,
}

/// A message as the source lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// UID at the source.
    pub uid: Uid,
    /// System flags.
    pub flags: FlagSet,
    /// Keywords.
    pub keywords: Vec<Keyword>,
    /// INTERNALDATE.
    pub received: UnixTime,
    /// RFC822.SIZE, which some servers get wrong.
    pub size: u64,
}

/// A message with its content.
pub struct Fetched {
    /// As listed.
    pub listed: Listed,
    /// RFC 5322 text as the source gave it.
    pub content: Vec<u8>,
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is here now.
    New,
    /// It was here already.
    Recognised,
    /// Another run has brought it.
    Known,
    /// The account's quota would be exceeded.
    OverQuota,
}

/// What was done with a folder, or in a dry run what is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Messages at the source.
    pub messages: u64,
    /// Of these noted before.
    pub known: u64,
    /// Not noted: to be fetched.
    pub wanted: u64,
    /// Stored.
    pub new: u64,
    /// Not noted before, but here.
    pub recognised: u64,
    /// Beyond the quota.
    pub over_quota: u64,
    /// Messages whose flags were changed.
    pub flags: u64,
    /// Messages removed.
    pub removed: u64,
}

/// See the file's head.
pub struct Folder {
    copying: Copying,
    record: FolderRecord,
    /// None only in a dry run.
    mailbox: Option<MailboxId>,
    prefix: [u8; 12],
    known: Known,
    local: Option<Local>,
    candidates: Candidates,
    seen: UidSet,
    wanted: Vec<Listed>,
    reflag: HashMap<(FlagSet, Vec<Keyword>), UidSet>,
    counts: Counts,
}

/// Hash maps need it.
type Flags = (FlagSet, Vec<Keyword>);

impl Folder {
    /// Makes ready for a folder whose UIDVALIDITY is known; makes the mailbox if it is not there.
    ///
    /// # Errors
    /// The store's.
    pub fn open(
        copying: &Copying,
        folder: &SourceFolder,
        place: &Place,
        uid_validity: u32,
        now: UnixTime,
    ) -> Result<Folder, Error> {
        let Copying { store, account, source, options } = copying;
        let account = *account;
        let before = FolderRecord::load(store, account, source, &folder.name)?;
        let mailbox = whereto(store, account, before.as_ref(), place, (!options.dry_run).then_some(now))?;
        let mut record = FolderRecord {
            name: folder.name.clone(),
            mailbox: mailbox.map_or(0, |mailbox| mailbox.0),
            uid_validity,
            subscribed: folder.subscribed,
            is_view: place.share == Share::Remainder,
            retired: Vec::new(),
        };
        // At first only what is subscribed there: many servers show INBOX without.
        let mut subscription_news = place.share == Share::Whole && record.subscribed;
        if let Some(before) = &before {
            subscription_news = place.share == Share::Whole && before.subscribed != record.subscribed;
            record.retired.clone_from(&before.retired);
            let generation = (before.mailbox, before.uid_validity);
            if generation != (record.mailbox, uid_validity) {
                record.retired.retain(|retired| *retired != generation);
                record.retired.push(generation);
            }
            // A source that goes back to an earlier UIDVALIDITY shows its messages of then.
            record.retired.retain(|retired| *retired != (record.mailbox, uid_validity));
            let surplus = record.retired.len().saturating_sub(RETIRED_MAX);
            record.retired.drain(..surplus);
        }
        if !options.dry_run {
            if subscription_news && let Some(mailbox) = mailbox {
                let name = store.mailbox(account, mailbox)?.name;
                store.subscribe(account, &name, record.subscribed).wait()?;
            }
            if before.as_ref() != Some(&record) {
                record.save(store, account, source)?;
            }
        }
        Folder::load(copying, record, mailbox)
    }

    fn load(copying: &Copying, record: FolderRecord, mailbox: Option<MailboxId>) -> Result<Folder, Error> {
        let Copying { store, account, source, options } = copying;
        let account = *account;
        let prefix = source.notes(&record.name, record.uid_validity);
        let mut candidates = Candidates::default();
        let (mut known, mut local) = (Known::default(), None);
        if let Some(mailbox) = mailbox {
            known = local::known(store, account, mailbox, prefix, options.dry_run)?;
            let mut claimed = local::claimed_by_others(store, account, source, &record.name, mailbox)?;
            for uid in known.here() {
                claimed.insert(uid);
            }
            local = Some(Local::load(store, account, mailbox, &claimed, &mut candidates)?);
        }
        if record.is_view {
            local::elsewhere(store, account, source, &mut candidates)?;
        }
        Ok(Folder {
            copying: copying.clone(),
            record,
            mailbox,
            prefix,
            known,
            local,
            candidates,
            seen: UidSet::new(),
            wanted: Vec::new(),
            reflag: HashMap::new(),
            counts: Counts::default(),
        })
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The name of the mailbox here, when it is there.
    ///
    /// # Errors
    /// The store's.
    pub fn mailbox_name(&self) -> Result<Option<String>, Error> {
        self.mailbox
            .map(|mailbox| Ok(self.copying.store.mailbox(self.copying.account, mailbox)?.name))
            .transpose()
    }

    /// Takes a message of the source's listing.
    pub fn listed(&mut self, one: Listed) {
        if !self.seen.insert(one.uid) {
            return;
        }
        self.counts.messages += 1;
        match self.known.get(one.uid) {
            Some(Noted::Here(uid)) => {
                self.counts.known += 1;
                self.compare(uid, one.flags, one.keywords);
            }
            Some(Noted::As(..)) => self.counts.known += 1,
            None => {
                self.counts.wanted += 1;
                self.wanted.push(one);
            }
        }
    }

    /// The messages to be fetched, in ascending order of UID, once the listing has ended.
    pub fn wanted(&mut self) -> Vec<Listed> {
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.sort_by_key(|one| one.uid);
        wanted
    }

    fn compare(&mut self, uid: Uid, flags: FlagSet, keywords: Vec<Keyword>) {
        let differs = self.local.as_ref().is_some_and(|local| local.differs(uid, flags, &keywords));
        if differs && !self.copying.options.keep_local_flags {
            self.counts.flags += 1;
            self.reflag.entry((flags, keywords)).or_default().insert(uid);
        }
    }

    /// Stores messages that are not here, and notes them and those that are. One answer for each, in order. Not for a dry
    /// run.
    ///
    /// # Errors
    /// The store's. Some may have been stored all the same: open the folder again.
    pub fn take(&mut self, batch: Vec<Fetched>, now: UnixTime) -> Result<Vec<Fate>, Error> {
        let mailbox = self.mailbox.ok_or(Error::NoMailbox)?;
        let mut fates = vec![Fate::Recognised; batch.len()];
        let (mut notes, mut new, mut at_new) = (Vec::new(), Vec::new(), Vec::new());
        for (at, Fetched { listed, content }) in batch.into_iter().enumerate() {
            let note = note_name(self.prefix, listed.uid);
            let found =
                self.candidates.take(&self.copying.store, self.copying.account, listed.received, &content)?;
            if let Some(found) = found {
                let noted =
                    found.note.map_or(Noted::Here(found.uid), |other| Noted::As(found.mailbox, other));
                if let Noted::Here(uid) = noted {
                    self.compare(uid, listed.flags, listed.keywords);
                }
                self.known.insert(listed.uid, noted);
                notes.push((note, noted));
                continue;
            }
            at_new.push((at, listed.uid));
            new.push(Brought {
                new: NewMessage {
                    message: Prepared::new(&content)?,
                    flags: listed.flags,
                    keywords: listed.keywords,
                    received: listed.received,
                    annotations: Vec::new(),
                },
                note,
            });
        }
        let bringing =
            (!new.is_empty()).then(|| self.copying.store.bring(self.copying.account, mailbox, new, now));
        if !notes.is_empty() {
            self.counts.recognised += notes.len() as u64;
            self.copying.store.note(self.copying.account, mailbox, notes).wait()?;
        }
        let taken = bringing.map_or(Ok(Vec::new()), |bringing| bringing.wait())?;
        for ((at, uid), taken) in at_new.into_iter().zip(taken) {
            fates[at] = self.count(uid, taken);
        }
        Ok(fates)
    }

    fn count(&mut self, source_uid: Uid, taken: Taken) -> Fate {
        match taken {
            Taken::New(uid) => {
                self.known.insert(source_uid, Noted::Here(uid));
                self.counts.new += 1;
                Fate::New
            }
            Taken::Known => {
                self.counts.known += 1;
                Fate::Known
            }
            Taken::OverQuota => {
                self.counts.over_quota += 1;
                Fate::OverQuota
            }
        }
    }

    /// Brings flags over, and removes what the source has no more, if that is wanted, `is_complete` (nothing of the folder
    /// failed) and the listing had at least as many messages as the source said on opening (`exists`).
    ///
    /// # Errors
    /// The store's; the next run does the rest.
    pub fn settle(&mut self, exists: u32, is_complete: bool) -> Result<(), Error> {
        let vanished = self.known.beyond(&self.seen);
        let may_delete = self.copying.options.delete && is_complete && self.seen.len() >= exists;
        if self.copying.options.dry_run {
            if may_delete {
                let here = vanished.iter().filter(|(_, noted)| matches!(noted, Noted::Here(_)));
                self.counts.removed += here.count() as u64;
            }
            return Ok(());
        }
        let mailbox = self.mailbox.ok_or(Error::NoMailbox)?;
        if may_delete {
            let gone: Vec<_> =
                vanished.into_iter().map(|(uid, noted)| (note_name(self.prefix, uid), noted)).collect();
            // First the notes of earlier UIDVALIDITYs: they claim the same messages.
            self.remove_retired(mailbox)?;
            self.counts.removed += local::remove(&self.copying.store, self.copying.account, mailbox, &gone)?;
        }
        for ((flags, keywords), uids) in std::mem::take(&mut self.reflag) {
            self.change_flags(mailbox, &(flags, keywords), &uids)?;
        }
        Ok(())
    }

    fn remove_retired(&mut self, mailbox: MailboxId) -> Result<(), Error> {
        if self.record.retired.is_empty() {
            return Ok(());
        }
        let keep: UidSet = self.known.here().collect();
        self.counts.removed += local::remove_generations(
            &self.copying.store,
            self.copying.account,
            &self.copying.source,
            &self.record.name,
            &self.record.retired,
            Some((mailbox, &keep)),
        )?;
        self.record.retired.clear();
        self.record.save(&self.copying.store, self.copying.account, &self.copying.source)
    }

    fn change_flags(&self, mailbox: MailboxId, flags: &Flags, uids: &UidSet) -> Result<(), Error> {
        let uids: Vec<Uid> = uids.iter().collect();
        for part in uids.chunks(BATCH) {
            let part: Arc<UidSet> = Arc::new(part.iter().copied().collect());
            let store = |mode, flags, keywords| {
                let change = FlagChange { mode, flags, keywords };
                let written = self.copying.store.store_flags(
                    self.copying.account,
                    mailbox,
                    part.clone(),
                    change,
                    None,
                    ModSeq(u64::MAX),
                );
                written.wait()
            };
            match store(FlagMode::Replace, flags.0, flags.1.clone()) {
                Ok(_) => {}
                // Too many keywords for the mailbox: those that are there stay, system flags come over.
                Err(Error::Limit(_)) => {
                    store(FlagMode::Add, flags.0, Vec::new())?;
                    store(FlagMode::Remove, FlagSet(!flags.0.0), Vec::new())?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The mailbox of an earlier run, whatever it is called now; otherwise the one that the place names.
fn whereto(
    store: &Store,
    account: AccountId,
    before: Option<&FolderRecord>,
    place: &Place,
    make: Option<UnixTime>,
) -> Result<Option<MailboxId>, Error> {
    if let Some(before) = before {
        match store.mailbox(account, MailboxId(before.mailbox)) {
            Ok(_) => return Ok(Some(MailboxId(before.mailbox))),
            Err(Error::NoMailbox) => {}
            Err(error) => return Err(error),
        }
    }
    local::mailbox_for(store, account, &place.whither, make)
}
