//! Single cases of copying a folder, and the world of the property tests.

use crate::{
    Choice, Copying, Counts, Fate, Fetched, Folder, Listed, Options, SourceFolder, SourceId, left_over,
    places,
};
use engine::{AccountId, MemoryEngine};
use model::{
    Flag, FlagChange, FlagMode, FlagSet, Keyword, MailboxId, ModSeq, SpecialUse, Uid, UidSet, UnixTime,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{ContentNeed, Limits, Needs, RowContent, Store};

pub(crate) const ANNA: AccountId = AccountId(7);
pub(crate) const NOW: UnixTime = UnixTime(1_700_000_000);

/// What a message is, wherever it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Mail {
    pub(crate) content: Vec<u8>,
    pub(crate) received: i64,
    pub(crate) flags: u8,
    pub(crate) keywords: Vec<String>,
}

pub(crate) fn mail(number: u8) -> Mail {
    Mail {
        content: format!("Subject: {number}\r\n\r\n{number}\r\n").into_bytes(),
        received: 1_600_000_000,
        flags: 0,
        keywords: Vec::new(),
    }
}

/// A folder of the source.
#[derive(Clone)]
pub(crate) struct Theirs {
    pub(crate) folder: SourceFolder,
    pub(crate) uid_validity: u32,
    pub(crate) uid_next: u32,
    pub(crate) mails: BTreeMap<u32, Mail>,
}

impl Theirs {
    pub(crate) fn new(name: &str, special_use: Option<SpecialUse>) -> Theirs {
        let folder = SourceFolder {
            name: name.to_owned(),
            delimiter: Some('.'),
            special_use,
            selectable: true,
            subscribed: true,
        };
        Theirs { folder, uid_validity: 1, uid_next: 1, mails: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, mail: Mail) {
        self.mails.insert(self.uid_next, mail);
        self.uid_next += 1;
    }

    pub(crate) fn new_validity(&mut self) {
        self.uid_validity += 1;
        // Numbers may be the same and mean others.
        let mails = std::mem::take(&mut self.mails);
        self.uid_next = 1;
        mails.into_values().rev().for_each(|mail| self.add(mail));
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) source: SourceId,
    pub(crate) folders: Vec<Theirs>,
}

impl World {
    pub(crate) fn new(folders: Vec<Theirs>) -> World {
        let store = Store::new(Arc::new(MemoryEngine::default()));
        store.create_account(ANNA, Limits::default(), NOW).wait().unwrap();
        let source = SourceId { user: "anna".into(), server: "old.test:993".into() };
        World { store, source, folders }
    }

    pub(crate) fn copying(&self, options: Options) -> Copying {
        Copying { store: self.store.clone(), account: ANNA, source: self.source.clone(), options }
    }

    /// Copies, until so many batches of two have been stored; answers the counts of the folders that were settled.
    pub(crate) fn run(&self, options: Options, mut batches: usize) -> Vec<(String, Counts)> {
        let folders: Vec<SourceFolder> = self.folders.iter().map(|theirs| theirs.folder.clone()).collect();
        let mut out = Vec::new();
        for place in places(&folders, &Choice::default()) {
            let theirs = &self.folders[place.folder];
            let validity = theirs.uid_validity;
            let copying = self.copying(options);
            let mut folder = Folder::open(&copying, &theirs.folder, &place, validity, NOW).unwrap();
            // Servers may list in any order.
            theirs.mails.iter().rev().for_each(|(uid, mail)| folder.listed(listed(*uid, mail)));
            let wanted = folder.wanted();
            for batch in wanted.chunks(2).filter(|_| !options.dry_run) {
                if batches == 0 {
                    return out;
                }
                batches -= 1;
                let fetched = batch.iter().map(|listed| Fetched {
                    listed: listed.clone(),
                    content: theirs.mails[&listed.uid.0].content.clone(),
                });
                folder.take(fetched.collect(), NOW).unwrap();
            }
            if batches == 0 {
                return out;
            }
            folder.settle(theirs.mails.len() as u32, true).unwrap();
            out.push((theirs.folder.name.clone(), folder.counts()));
        }
        out
    }

    pub(crate) fn all(&self, options: Options) -> Vec<(String, Counts)> {
        self.run(options, usize::MAX)
    }

    pub(crate) fn mailbox(&self, name: &str) -> MailboxId {
        self.store.mailbox_by_name(ANNA, name).unwrap().id.unwrap()
    }

    /// What is here, in order of UID.
    pub(crate) fn here(&self, name: &str) -> Vec<Mail> {
        let Ok(info) = self.store.mailbox_by_name(ANNA, name) else { return Vec::new() };
        let id = info.id.unwrap();
        let uids = self.store.open(ANNA, id).unwrap().uids;
        let needs = Needs { digest: false, content: ContentNeed::Range { start: 0, length: u64::MAX } };
        let page = self.store.rows(ANNA, id, &uids, Uid(1), needs, usize::MAX, usize::MAX).unwrap();
        let word = |number: &u16| page.keywords[usize::from(*number)].as_str().to_lowercase();
        page.rows
            .iter()
            .map(|row| Mail {
                content: match &row.content {
                    RowContent::Bytes(bytes) => bytes.clone(),
                    other => panic!("{other:?}"),
                },
                received: row.received.0,
                flags: row.flags.0,
                keywords: sorted(row.keywords.iter().map(word).collect()),
            })
            .collect()
    }
}

pub(crate) fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

fn listed(uid: u32, mail: &Mail) -> Listed {
    Listed {
        uid: Uid(uid),
        flags: FlagSet(mail.flags),
        keywords: mail.keywords.iter().map(|word| Keyword::new(word).unwrap()).collect(),
        received: UnixTime(mail.received),
        size: mail.content.len() as u64,
    }
}

const DELETE: Options = Options { keep_local_flags: false, delete: true, dry_run: false };

fn inbox(count: u8) -> World {
    let mut theirs = Theirs::new("INBOX", None);
    (0..count).for_each(|number| theirs.add(mail(number)));
    World::new(vec![theirs])
}

#[test]
fn a_second_run_copies_news_and_brings_flags_over() {
    let mut world = inbox(3);
    let first = world.all(Options::default())[0].1;
    assert_eq!((first.messages, first.wanted, first.new), (3, 3, 3));
    world.folders[0].mails.get_mut(&2).unwrap().flags = FlagSet::NONE.with(Flag::Seen).0;
    world.folders[0].mails.get_mut(&3).unwrap().keywords = vec!["$forwarded".into()];
    world.folders[0].add(mail(9));
    let dry = world.all(Options { dry_run: true, ..Options::default() })[0].1;
    assert_eq!((dry.wanted, dry.new, dry.flags), (1, 0, 2));
    assert_eq!(world.here("INBOX").len(), 3);
    let kept = world.all(Options { keep_local_flags: true, ..Options::default() })[0].1;
    assert_eq!((kept.new, kept.flags, kept.known), (1, 0, 3));
    let second = world.all(Options::default())[0].1;
    assert_eq!((second.new, second.flags), (0, 2));
    let expected: Vec<Mail> = world.folders[0].mails.values().cloned().collect();
    assert_eq!(world.here("INBOX"), expected);
    assert_eq!(world.all(Options::default())[0].1.flags, 0);
}

#[test]
fn what_was_removed_here_stays_removed_and_a_renamed_mailbox_is_found() {
    let mut world = World::new(vec![Theirs::new("Work", None)]);
    (0..4).for_each(|number| world.folders[0].add(mail(number)));
    world.all(DELETE);
    let gone: UidSet = [Uid(2)].into_iter().collect();
    world.store.remove(ANNA, world.mailbox("Work"), gone).wait().unwrap();
    world.store.rename_mailbox(ANNA, "Work", "Arbeit", NOW).wait().unwrap();
    world.folders[0].add(mail(7));
    assert_eq!(world.all(DELETE)[0].1.new, 1);
    assert_eq!(world.here("Arbeit").len(), 4);
    assert!(world.store.mailbox_by_name(ANNA, "Work").is_err());
}

#[test]
fn mail_that_came_by_other_means_is_recognised_one_by_one() {
    let world = inbox(2);
    let mut twice = inbox(2);
    twice.folders[0].add(mail(1));
    // The same account at another address of the source: notes mean nothing.
    let other = World {
        store: world.store.clone(),
        source: SourceId { server: "192.0.2.1".into(), ..world.source.clone() },
        folders: twice.folders,
    };
    world.all(Options::default());
    world
        .store
        .store_flags(
            ANNA,
            MailboxId(1),
            Arc::new([Uid(1)].into_iter().collect()),
            FlagChange {
                mode: FlagMode::Add,
                flags: FlagSet::NONE.with(Flag::Flagged),
                keywords: Vec::new(),
            },
            None,
            ModSeq(u64::MAX),
        )
        .wait()
        .unwrap();
    let counts = other.all(Options::default())[0].1;
    assert_eq!((counts.recognised, counts.new, counts.flags), (2, 1, 1));
    assert_eq!(world.here("INBOX"), [mail(0), mail(1), mail(1)]);
    assert_eq!(other.all(DELETE)[0].1.known, 3);
    assert_eq!(world.here("INBOX").len(), 3);
}

#[test]
fn what_another_folder_brought_into_the_same_mailbox_stands_for_that_one_alone() {
    let mut work = Theirs::new("Work", None);
    work.add(mail(1));
    work.add(mail(2));
    let mut world = World::new(vec![work]);
    world.all(Options::default());
    world.store.rename_mailbox(ANNA, "Work", "Job", NOW).wait().unwrap();
    // Now two folders go to one mailbox, and have a message with the same octets.
    let mut job = Theirs::new("Job", None);
    job.add(mail(1));
    world.folders.push(job);
    let counts = world.all(Options::default());
    let job = counts.iter().find(|(name, _)| name == "Job").unwrap().1;
    assert_eq!((job.new, job.recognised), (1, 0));
    assert_eq!(sorted(world.here("Job")), [mail(1), mail(1), mail(2)]);
    // Each goes when its own folder has it no more.
    world.folders[0].mails.clear();
    world.all(DELETE);
    assert_eq!(world.here("Job"), [mail(1)]);
}

#[test]
fn nothing_is_removed_by_a_listing_that_is_cut_short_or_while_something_failed() {
    let mut world = inbox(3);
    world.all(Options::default());
    world.folders[0].mails.clear();
    let place = &places(&[world.folders[0].folder.clone()], &Choice::default())[0];
    let open = || {
        let folder = &world.folders[0].folder;
        Folder::open(&world.copying(DELETE), folder, place, 1, NOW).unwrap()
    };
    open().settle(3, true).unwrap();
    open().settle(0, false).unwrap();
    assert_eq!(world.here("INBOX").len(), 3);
    open().settle(0, true).unwrap();
    assert_eq!(world.here("INBOX").len(), 0);
}

#[test]
fn messages_that_two_sources_have_go_when_both_have_lost_them() {
    let mut world = inbox(2);
    let mut other = World {
        store: world.store.clone(),
        source: SourceId { user: "boris".into(), ..world.source.clone() },
        folders: world.folders.clone(),
    };
    world.all(DELETE);
    assert_eq!(other.all(DELETE)[0].1.recognised, 2);
    world.folders[0].mails.clear();
    world.all(DELETE);
    assert_eq!(world.here("INBOX").len(), 2);
    other.folders[0].mails.clear();
    other.all(DELETE);
    assert_eq!(world.here("INBOX").len(), 0);
}

#[test]
fn what_a_lost_folder_brought_goes_and_other_mail_stays() {
    let mut world = World::new(vec![Theirs::new("Work", None), Theirs::new("INBOX", None)]);
    (0..3).for_each(|number| world.folders[0].add(mail(number)));
    world.all(DELETE);
    let own = store::NewMessage {
        message: store::Prepared::new(b"own").unwrap(),
        flags: FlagSet::NONE,
        keywords: Vec::new(),
        received: NOW,
        annotations: Vec::new(),
    };
    world.store.append(ANNA, "Work".into(), vec![own], NOW).wait().unwrap();
    assert_eq!(left_over(&world.store, ANNA, &world.source, &["Work", "INBOX"]).unwrap(), []);
    world.folders.remove(0);
    assert_eq!(left_over(&world.store, ANNA, &world.source, &["INBOX"]).unwrap(), [("Work".to_owned(), 3)]);
    assert_eq!(world.here("Work").len(), 1);
    assert_eq!(left_over(&world.store, ANNA, &world.source, &["INBOX"]).unwrap(), []);
}

#[test]
fn the_view_of_all_messages_gives_what_stands_nowhere_else() {
    let mut all = Theirs::new("All", Some(SpecialUse::All));
    let mut work = Theirs::new("Work", None);
    (0..4).for_each(|number| all.add(mail(number)));
    work.add(mail(1));
    work.add(mail(3));
    let mut world = World::new(vec![all, work, Theirs::new("INBOX", None)]);
    for _ in 0..2 {
        world.all(DELETE);
        assert_eq!(world.here("Archive"), [mail(0), mail(2)]);
        assert_eq!(world.here("Work"), [mail(1), mail(3)]);
    }
    // The label goes, the message stays.
    world.folders[1].mails.remove(&1);
    world.all(DELETE);
    assert_eq!(world.here("Archive"), [mail(0), mail(2), mail(1)]);
    assert_eq!(world.here("Work"), [mail(3)]);
}

#[test]
fn the_quota_leaves_out_what_is_too_large_and_a_later_run_brings_it() {
    let mut world = inbox(1);
    let mut large = mail(1);
    large.content.extend_from_slice(&[b'x'; 1000]);
    world.folders[0].add(large);
    world.folders[0].add(mail(2));
    world.store.set_limits(ANNA, Limits { bytes: Some(500), messages: None }).wait().unwrap();
    let counts = world.all(Options::default())[0].1;
    assert_eq!((counts.new, counts.over_quota), (2, 1));
    world.store.set_limits(ANNA, Limits::default()).wait().unwrap();
    let counts = world.all(Options::default())[0].1;
    assert_eq!((counts.new, counts.known), (1, 2));
}

#[test]
fn two_runs_at_once_do_not_double() {
    let world = inbox(2);
    let folder = &world.folders[0].folder;
    let place = &places(std::slice::from_ref(folder), &Choice::default())[0];
    let open = || Folder::open(&world.copying(Options::default()), folder, place, 1, NOW).unwrap();
    let (mut one, mut two) = (open(), open());
    let batch = || {
        let fetched = |(uid, mail): (&u32, &Mail)| Fetched {
            listed: listed(*uid, mail),
            content: mail.content.clone(),
        };
        world.folders[0].mails.iter().map(fetched).collect()
    };
    assert_eq!(one.take(batch(), NOW).unwrap(), [Fate::New; 2]);
    assert_eq!(two.take(batch(), NOW).unwrap(), [Fate::Known; 2]);
    assert_eq!(world.here("INBOX").len(), 2);
}

#[test]
fn subscriptions_come_over_and_later_their_changes() {
    let mut world = World::new(vec![Theirs::new("INBOX", None), Theirs::new("Work", None)]);
    world.folders[0].folder.subscribed = false;
    let listed = |world: &World| -> Vec<String> {
        let all = world.store.mailboxes(ANNA).unwrap();
        all.into_iter().filter(|one| one.subscribed).map(|one| one.name).collect()
    };
    world.all(Options::default());
    assert!(listed(&world).contains(&"INBOX".to_owned()) && listed(&world).contains(&"Work".to_owned()));
    // What he changes here stays until it changes there.
    world.store.subscribe(ANNA, "Work", false).wait().unwrap();
    world.all(Options::default());
    assert!(!listed(&world).contains(&"Work".to_owned()));
    world.folders[1].folder.subscribed = false;
    world.all(Options::default());
    world.folders[1].folder.subscribed = true;
    world.all(Options::default());
    assert!(listed(&world).contains(&"Work".to_owned()));
}
