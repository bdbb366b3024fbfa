//! A small world in memory: one account with mailboxes, shared by all sessions of a test. Plain and slow on purpose, so
//! that it is easy to see that it is right.

use crate::happenings::Happening;
use imap::ask::{
    Access, Answer, Ask, Changes, Copied, Counters, CountersNeed, Glance, MailboxRow, MakeKey, Needs,
    NewMessage, Originals, Owner, Place, Quota, Refused, RefusedKind, Resource, RowContent, Rows, Selected,
    Stored, UrlKey,
};
use imap::url::AccessKey;
use model::{
    Collation, Flag, FlagSet, Keyword, MailboxId, ModSeq, Right, Rights, SpecialUse, Uid, UidSet, UidValidity,
};
use model::{FlagChange, FlagMode, Query};
use sasl::{Question, Reply, Verdict};
use secrecy::ExposeSecret;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// 2023-11-14, the runner's clock.
pub const NOW: i64 = 1_700_000_000;

#[derive(Clone, Debug)]
pub struct Message {
    pub email: u32,
    pub flags: FlagSet,
    pub keywords: BTreeSet<u16>,
    pub created: u64,
    pub modseq: u64,
    pub date: i64,
    pub content: Arc<[u8]>,
    pub corrupt: bool,
    /// By name and whose.
    pub annotations: crate::annotations::Annotated,
}

#[derive(Clone, Debug, Default)]
pub struct Mailbox {
    pub name: String,
    pub special_use: Option<SpecialUse>,
    pub uid_validity: u32,
    pub uid_next: u32,
    pub highest: u64,
    pub messages: BTreeMap<u32, Message>,
    /// When each expunged message went.
    pub gone: BTreeMap<u32, u64>,
    pub unclaimed: BTreeSet<u32>,
    pub keywords: Vec<Keyword>,
    pub metadata: BTreeMap<String, Vec<u8>>,
}

/// What one connection's answering side keeps.
#[derive(Clone, Copy, Debug)]
struct Selection {
    mailbox: u32,
    access: Access,
    /// As told last.
    rights: Rights,
    /// How often the access key was reset, as told last.
    resets: u32,
}

#[derive(Debug)]
pub struct World {
    pub mailboxes: BTreeMap<u32, Mailbox>,
    pub subscriptions: BTreeSet<String>,
    /// Of the server.
    pub metadata: BTreeMap<String, Vec<u8>>,
    selected: BTreeMap<u8, Selection>,
    modseq: u64,
    next_mailbox: u32,
    next_email: u32,
    /// Messages in a page at most, so that tests see pages.
    pub page: usize,
    /// Most octets in an answer to Content.
    pub chunk: u64,
    /// No space is left.
    pub full: bool,
    /// The next question of that kind can't be answered.
    pub failing: Option<String>,
    /// Uses the digests that a real store would have.
    pub digests: bool,
    /// Access control lists; see `sharing`.
    pub lists: BTreeMap<u32, Vec<(String, Rights)>>,
    /// Whoever is logged in may set limits.
    pub administrator: bool,
    /// The limits of the quota root.
    pub octets_max: Option<u64>,
    pub messages_max: Option<u64>,
    /// What happened to the account and who did it (None: somebody else), for those who watch it.
    pub happened: Vec<(Option<u8>, Happening)>,
    /// How much of it each watching client was told.
    pub watching: BTreeMap<u8, usize>,
    pub author: Option<u8>,
    /// Every question, by its name, for tests that count.
    pub asked: Vec<String>,
    /// What programs said they were.
    pub introductions: Vec<String>,
    /// Access keys of mailboxes.
    keys: BTreeMap<u32, u8>,
    next_key: u8,
    /// How often each was replaced or taken away.
    resets: BTreeMap<u32, u32>,
}

pub fn refused(kind: RefusedKind, text: &'static str) -> Answer {
    Answer::Refused(Refused::new(kind, text))
}

fn place(mailbox: u32) -> Place {
    Place { owner: Owner::SELF, mailbox: MailboxId(mailbox) }
}

pub fn away() -> Answer {
    refused(RefusedKind::Unavailable, "The store is away")
}

pub fn no_such_mailbox() -> Answer {
    refused(RefusedKind::NonExistent, "There is no such mailbox")
}

/// A message like any other.
pub fn simple(number: u32) -> String {
    format!(
        "Date: Tue, 14 Nov 2023 10:00:{:02} +0000\r\nFrom: A{number} <a{number}@example.test>\r\nTo: me@example.test\r\n\
         Subject: message {number}\r\nMessage-ID: <{number}@example.test>\r\n\r\nbody {number}\r\n",
        number % 60
    )
}

impl World {
    /// An account with an empty INBOX.
    pub fn new() -> World {
        let mut world = World {
            mailboxes: BTreeMap::new(),
            subscriptions: BTreeSet::new(),
            metadata: BTreeMap::new(),
            selected: BTreeMap::new(),
            modseq: 10,
            next_mailbox: 1,
            next_email: 1,
            page: usize::MAX,
            chunk: u64::MAX,
            full: false,
            failing: None,
            digests: false,
            lists: BTreeMap::new(),
            administrator: false,
            octets_max: Some(512 * 1024),
            messages_max: None,
            happened: Vec::new(),
            watching: BTreeMap::new(),
            author: None,
            asked: Vec::new(),
            introductions: Vec::new(),
            keys: BTreeMap::new(),
            next_key: 1,
            resets: BTreeMap::new(),
        };
        world.create("INBOX", None);
        world
    }

    pub fn next_modseq(&mut self) -> u64 {
        self.modseq += 1;
        self.modseq
    }

    pub fn create(&mut self, name: &str, special_use: Option<SpecialUse>) -> u32 {
        if let Some((above, _)) = name.rsplit_once('/')
            && self.find(above).is_none()
        {
            self.create(above, None);
        }
        let id = self.next_mailbox;
        self.next_mailbox += 1;
        let highest = self.next_modseq();
        let mailbox = Mailbox {
            name: name.to_owned(),
            special_use,
            uid_validity: 1000 + id,
            uid_next: 1,
            highest,
            ..Mailbox::default()
        };
        self.mailboxes.insert(id, mailbox);
        self.note(Happening::Created(name.to_owned()));
        id
    }

    pub fn find(&self, name: &str) -> Option<u32> {
        self.mailboxes.iter().find(|(_, mailbox)| mailbox.name == name).map(|(id, _)| *id)
    }

    /// Puts a message into a mailbox as delivery does.
    pub fn deliver(&mut self, mailbox: u32, content: &[u8], flags: FlagSet, date: i64) -> u32 {
        let modseq = self.next_modseq();
        let email = self.next_email;
        self.next_email += 1;
        let message = Message {
            email,
            flags,
            keywords: BTreeSet::new(),
            created: modseq,
            modseq,
            date,
            content: content.into(),
            corrupt: false,
            annotations: BTreeMap::new(),
        };
        self.add(mailbox, message)
    }

    fn add(&mut self, mailbox: u32, message: Message) -> u32 {
        self.note(Happening::Arrived(mailbox));
        let mailbox = self.mailboxes.get_mut(&mailbox).expect("a mailbox");
        let uid = mailbox.uid_next;
        mailbox.uid_next += 1;
        mailbox.highest = mailbox.highest.max(message.created);
        mailbox.unclaimed.insert(uid);
        mailbox.messages.insert(uid, message);
        uid
    }

    pub fn expunge(&mut self, mailbox: u32, uids: &[u32]) -> u64 {
        let modseq = if uids.is_empty() { self.mailboxes[&mailbox].highest } else { self.next_modseq() };
        if !uids.is_empty() {
            self.note(Happening::Vanished(mailbox));
        }
        let mailbox = self.mailboxes.get_mut(&mailbox).expect("a mailbox");
        for uid in uids {
            if mailbox.messages.remove(uid).is_some() {
                mailbox.gone.insert(*uid, modseq);
                mailbox.unclaimed.remove(uid);
            }
        }
        mailbox.highest = mailbox.highest.max(modseq);
        modseq
    }

    /// Answers as the store and the directory would. Names are kept in normalisation form C.
    #[expect(clippy::too_many_lines, reason = "a table: one arm for each question")]
    pub fn answer(&mut self, client: u8, mut ask: Ask) -> Answer {
        match &mut ask {
            Ask::Create { name, .. } | Ask::Delete { name } | Ask::Select { name, .. } => {
                *name = imap::mailbox_name::normalized(name).unwrap_or_else(|| name.clone());
            }
            Ask::Metadata { mailbox: Some(name), .. } | Ask::SetMetadata { mailbox: Some(name), .. } => {
                *name = imap::mailbox_name::normalized(name).unwrap_or_else(|| name.clone());
            }
            Ask::Rename { from, to } => {
                *from = imap::mailbox_name::normalized(from).unwrap_or_else(|| from.clone());
                *to = imap::mailbox_name::normalized(to).unwrap_or_else(|| to.clone());
            }
            _ => {}
        }
        let name = format!("{ask:?}");
        self.author = Some(client);
        self.asked.push(name.split([' ', '{', '(']).next().unwrap_or_default().to_owned());
        let selected = self.selected.get(&client).map(|selection| selection.mailbox);
        if let Err(refused) = self.forbidden(selected, &mut ask) {
            return refused;
        }
        match ask {
            Ask::Acl { mailbox, ask } => self.acl(&mailbox, ask),
            Ask::SetQuota { root, octets, messages } => self.set_quota(&root, octets, messages),
            Ask::Auth(question) => Answer::Auth(auth(question)),
            Ask::Mailboxes { .. } if self.fails_next("mailboxes") => away(),
            Ask::Mailboxes { counters } => {
                Answer::Mailboxes(self.rows_of_mailboxes(counters != CountersNeed::None))
            }
            Ask::Create { name, special_use } => match self.find(&name) {
                Some(_) => refused(RefusedKind::AlreadyExists, "That mailbox exists"),
                None => Answer::Created(MailboxId(self.create(&name, special_use)), Owner::SELF),
            },
            Ask::Delete { name } => match self.find(&name) {
                Some(id) => {
                    self.mailboxes.remove(&id);
                    self.note(Happening::Deleted(name));
                    Answer::Done
                }
                None => no_such_mailbox(),
            },
            Ask::Rename { from, to } => self.rename(&from, &to),
            Ask::Subscribe { name, on } => {
                self.note(Happening::Subscription(name.clone()));
                if on {
                    self.subscriptions.insert(name);
                } else {
                    self.subscriptions.remove(&name);
                }
                Answer::Done
            }
            Ask::Status { name, .. } => match self.find(&name) {
                Some(id) => Answer::Status(MailboxId(id), counters(&self.mailboxes[&id])),
                None => no_such_mailbox(),
            },
            Ask::Select { name, access } => self.select(client, &name, access),
            Ask::Unselect => {
                self.selected.remove(&client);
                Answer::Done
            }
            Ask::Watch(wanted) => self.watch(client, wanted),
            Ask::News => Answer::News(Box::new(self.news(client))),
            Ask::Metadata { mailbox, entries, depth } => self.metadata(mailbox, &entries, depth),
            Ask::SetMetadata { mailbox, entries } => self.set_metadata(mailbox, entries),
            Ask::Glance { mailbox } => self.glance(selected, mailbox.as_deref()),
            Ask::SearchIn { mailbox, query, among, from, .. } => {
                match (self.mailboxes.contains_key(&mailbox.0), self.may(mailbox.0, Right::Read)) {
                    (true, Ok(())) => self.search(mailbox.0, &query, &among, from),
                    (true, Err(refused)) => refused,
                    (false, _) => no_such_mailbox(),
                }
            }
            Ask::Append { to, messages } => self.append(&to, messages),
            Ask::UrlMessage { owner, mailbox, uid_validity, uid, start, length } => {
                self.url_message(owner.as_deref(), &mailbox, uid_validity, uid, (start, length))
            }
            Ask::UrlKey { user, mailbox, make } => self.url_key(&user, &mailbox, make),
            Ask::ResetKeys { mailbox } => self.reset_keys(mailbox.as_deref()),
            Ask::Quota(of) => self.quota_of(&of),
            Ask::Client(fields) => {
                self.introductions.push(format!("{fields:?}"));
                Answer::Done
            }
            Ask::Unauthenticate => {
                self.selected.remove(&client);
                self.watching.remove(&client);
                Answer::Done
            }
            ask => self.answer_selected(client, ask),
        }
    }

    fn answer_selected(&mut self, client: u8, ask: Ask) -> Answer {
        let Some(selection) = self.selected.get(&client).copied() else { return no_such_mailbox() };
        if !self.mailboxes.contains_key(&selection.mailbox) {
            return no_such_mailbox();
        }
        let id = selection.mailbox;
        match ask {
            Ask::Changes { since, own } => self.changes(client, selection, since.0, &own),
            Ask::Resync { since } => {
                let mailbox = &self.mailboxes[&id];
                let changed = mailbox.messages.iter().filter(|(_, message)| message.modseq > since.0);
                Answer::Resync {
                    vanished: mailbox
                        .gone
                        .iter()
                        .filter(|(_, at)| **at > since.0)
                        .map(|(uid, _)| Uid(*uid))
                        .collect(),
                    changed: changed.map(|(uid, _)| Uid(*uid)).collect(),
                }
            }
            Ask::Rows { uids, from, needs, rows_max, bytes_max } => {
                self.rows(id, &uids, from, needs, rows_max, bytes_max)
            }
            Ask::Content { uid, start, length } => match self.mailboxes[&id].messages.get(&uid.0) {
                Some(message) if message.corrupt => refused(RefusedKind::Corrupt, "damaged"),
                Some(message) => {
                    Answer::Content(range(&message.content, start, length.min(self.chunk)).to_vec())
                }
                None => refused(RefusedKind::NonExistent, "expunged"),
            },
            Ask::Store { uids, change, unchanged_since, known, own } => {
                self.store(id, &uids, &change, unchanged_since, (known, &own))
            }
            Ask::Annotate { uids, changes, unchanged_since, known, own } => {
                self.annotate(id, &uids, &changes, unchanged_since, (known, &own))
            }
            Ask::Copy { uids, to, originals } => self.copy(id, &uids, &to, originals),
            Ask::Replace { uid, to, message } => self.replace(id, uid, &to, message),
            Ask::Expunge { only } => {
                let chosen: Vec<u32> = self.mailboxes[&id]
                    .messages
                    .iter()
                    .filter(|(uid, message)| {
                        message.flags.has(Flag::Deleted)
                            && only.as_ref().is_none_or(|only| only.contains(Uid(**uid)))
                    })
                    .map(|(uid, _)| *uid)
                    .collect();
                let modseq = self.expunge(id, &chosen);
                Answer::Expunged { uids: chosen.into_iter().map(Uid).collect(), modseq: ModSeq(modseq) }
            }
            Ask::Search { query, among, from } => self.search(id, &query, &among, from),
            Ask::Order { uids, arrangement, comparator, scores } => {
                let scores = scores.into_iter().collect();
                crate::order::order(&self.mailboxes[&id], &uids, &arrangement, comparator, &scores)
            }
            other => panic!("a question for a selected mailbox was expected: {other:?}"),
        }
    }

    /// The mailboxes belong to joe, whatever name was logged in with.
    fn url_message(
        &self,
        owner: Option<&str>,
        mailbox: &str,
        uid_validity: Option<UidValidity>,
        uid: Uid,
        (start, length): (u64, u64),
    ) -> Answer {
        let mailbox = self.find(mailbox).map(|id| &self.mailboxes[&id]);
        let mailbox = mailbox.filter(|mailbox| {
            let is_same = uid_validity.is_none_or(|wanted| wanted.0 == mailbox.uid_validity);
            is_same && owner.is_none_or(|owner| owner == "joe@example.test")
        });
        match mailbox.and_then(|mailbox| mailbox.messages.get(&uid.0)) {
            Some(message) if message.corrupt => refused(RefusedKind::Corrupt, "damaged"),
            Some(message) => Answer::UrlMessage {
                size: message.content.len() as u64,
                bytes: range(&message.content, start, length.min(self.chunk)).to_vec(),
            },
            None => refused(RefusedKind::NonExistent, "There is no such message"),
        }
    }

    fn url_key(&mut self, user: &str, mailbox: &str, make: MakeKey) -> Answer {
        let Some(id) = self.find(mailbox).filter(|_| matches!(user, "joe" | "joe@example.test")) else {
            return Answer::UrlKey(None);
        };
        if make == MakeKey::Yes && !self.keys.contains_key(&id) {
            self.keys.insert(id, self.next_key);
            self.next_key = self.next_key.wrapping_add(1);
        }
        let key = self.keys.get(&id).map(|key| AccessKey([*key; 32]));
        Answer::UrlKey(key.map(|key| Box::new(UrlKey { key, owner: "joe@example.test".to_owned() })))
    }

    fn reset_keys(&mut self, mailbox: Option<&str>) -> Answer {
        let reset: Vec<u32> = match mailbox {
            None => std::mem::take(&mut self.keys).into_keys().collect(),
            Some(mailbox) => {
                let Some(id) = self.find(mailbox) else { return no_such_mailbox() };
                self.keys.insert(id, self.next_key);
                self.next_key = self.next_key.wrapping_add(1);
                vec![id]
            }
        };
        for id in reset {
            *self.resets.entry(id).or_default() += 1;
        }
        // Whoever did it knows.
        if let Some(selection) = self.author.and_then(|client| self.selected.get_mut(&client)) {
            selection.resets = self.resets.get(&selection.mailbox).copied().unwrap_or_default();
        }
        Answer::Done
    }

    pub fn rows_of_mailboxes(&self, with_counters: bool) -> Vec<MailboxRow> {
        let mut rows: Vec<MailboxRow> = self
            .mailboxes
            .iter()
            .filter(|(id, _)| self.rights(**id).has(Right::Lookup))
            .map(|(id, mailbox)| MailboxRow {
                rights: self.rights(*id),
                name: mailbox.name.clone(),
                id: Some(MailboxId(*id)),
                special_use: mailbox.special_use,
                subscribed: self.subscriptions.contains(&mailbox.name),
                counters: (with_counters && self.rights(*id).has(Right::Read)).then(|| counters(mailbox)),
            })
            .collect();
        for name in &self.subscriptions {
            if self.find(name).is_none() {
                rows.push(MailboxRow {
                    rights: Rights::NONE,
                    name: name.clone(),
                    id: None,
                    special_use: None,
                    subscribed: true,
                    counters: None,
                });
            }
        }
        rows
    }

    fn rename(&mut self, from: &str, to: &str) -> Answer {
        if self.find(to).is_some() {
            return refused(RefusedKind::AlreadyExists, "That mailbox exists");
        }
        self.note(Happening::Renamed(from.to_owned(), to.to_owned()));
        if from == "INBOX" {
            let inbox = self.find("INBOX").expect("an inbox");
            let new = self.create(to, None);
            // Messages name their keywords by number.
            let keywords = self.mailboxes[&inbox].keywords.clone();
            self.mailboxes.get_mut(&new).expect("new").keywords = keywords;
            let uids: Vec<u32> = self.mailboxes[&inbox].messages.keys().copied().collect();
            for uid in &uids {
                let mut message = self.mailboxes[&inbox].messages[uid].clone();
                message.created = self.next_modseq();
                message.modseq = message.created;
                self.add(new, message);
            }
            self.expunge(inbox, &uids);
            return Answer::Done;
        }
        if let Some((above, _)) = to.rsplit_once('/')
            && self.find(above).is_none()
        {
            self.create(above, None);
        }
        let below = format!("{from}/");
        let mut found = false;
        for mailbox in self.mailboxes.values_mut() {
            if mailbox.name == from {
                mailbox.name = to.to_owned();
                found = true;
            } else if let Some(rest) = mailbox.name.strip_prefix(&below) {
                mailbox.name = format!("{to}/{rest}");
                found = true;
            }
        }
        if found { Answer::Done } else { no_such_mailbox() }
    }

    fn select(&mut self, client: u8, name: &str, access: Access) -> Answer {
        self.selected.remove(&client);
        let Some(id) = self.find(name) else { return no_such_mailbox() };
        if let Err(refused) = self.may(id, Right::Read) {
            return refused;
        }
        let rights = self.rights(id);
        let resets = self.resets.get(&id).copied().unwrap_or_default();
        self.selected.insert(client, Selection { mailbox: id, access, rights, resets });
        let mailbox = self.mailboxes.get_mut(&id).expect("found");
        let recent = mailbox.unclaimed.iter().copied().map(Uid).collect();
        if access == Access::ReadWrite {
            mailbox.unclaimed.clear();
        }
        let mut unseen = mailbox.messages.iter().filter(|(_, message)| !message.flags.has(Flag::Seen));
        Answer::Selected(Box::new(Selected {
            mailbox: MailboxId(id),
            owner: Owner::SELF,
            access,
            rights,
            // RFC 4314 §5.2, with a \Seen for everybody.
            announced: match rights.has_any(Rights::parse("iestw").expect("rights")) {
                true => access,
                false => Access::ReadOnly,
            },
            uid_validity: UidValidity(mailbox.uid_validity),
            uid_next: Uid(mailbox.uid_next),
            highest_modseq: ModSeq(mailbox.highest),
            uids: uids(mailbox),
            recent,
            first_unseen: unseen.next().map(|(uid, _)| Uid(*uid)),
            keywords: mailbox.keywords.clone().into(),
        }))
    }

    fn changes(&mut self, client: u8, selection: Selection, since: u64, own: &[ModSeq]) -> Answer {
        let rights = self.rights(selection.mailbox);
        if !rights.has(Right::Read) {
            return refused(RefusedKind::NoPerm, "You may not read it any more");
        }
        if rights != selection.rights {
            self.selected.insert(client, Selection { rights, ..selection });
            return Answer::Rights(rights);
        }
        let resets = self.resets.get(&selection.mailbox).copied().unwrap_or_default();
        if resets != selection.resets {
            self.selected.insert(client, Selection { resets, ..selection });
            return Answer::KeyReset;
        }
        let mailbox = self.mailboxes.get_mut(&selection.mailbox).expect("selected");
        if mailbox.highest <= since {
            return Answer::Unchanged;
        }
        let of = |wanted: &dyn Fn(&Message) -> bool| -> UidSet {
            mailbox.messages.iter().filter(|(_, message)| wanted(message)).map(|(uid, _)| Uid(*uid)).collect()
        };
        let arrived = of(&|message| message.created > since);
        let flagged = of(&|message| {
            message.created <= since && message.modseq > since && !own.contains(&ModSeq(message.modseq))
        });
        let recent: UidSet =
            mailbox.unclaimed.iter().copied().map(Uid).filter(|uid| arrived.contains(*uid)).collect();
        if selection.access == Access::ReadWrite {
            mailbox.unclaimed.retain(|uid| !recent.contains(Uid(*uid)));
        }
        Answer::Changes(Box::new(Changes {
            up_to: ModSeq(mailbox.highest),
            uids: uids(mailbox),
            vanished: Arc::new(
                mailbox.gone.iter().filter(|(_, at)| **at > since).map(|(uid, _)| Uid(*uid)).collect(),
            ),
            arrived: Arc::new(arrived),
            recent,
            flagged: Arc::new(flagged),
            uid_next: Uid(mailbox.uid_next),
            keywords: mailbox.keywords.clone().into(),
        }))
    }

    fn rows(
        &self,
        id: u32,
        uids: &UidSet,
        from: Uid,
        needs: Needs,
        rows_max: usize,
        bytes_max: usize,
    ) -> Answer {
        let mailbox = &self.mailboxes[&id];
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let mut next = None;
        for (uid, message) in mailbox.messages.range(from.0..) {
            if !uids.contains(Uid(*uid)) {
                continue;
            }
            if rows.len() >= rows_max.min(self.page) || bytes >= bytes_max {
                next = Some(Uid(*uid));
                break;
            }
            let row = self.row(*uid, message, needs);
            if let RowContent::Bytes(content) = row.content() {
                bytes += content.len();
            }
            rows.push(row);
        }
        Answer::Rows(Rows { rows, next, keywords: mailbox.keywords.clone().into() })
    }

    fn store(
        &mut self,
        id: u32,
        uids: &UidSet,
        change: &FlagChange,
        unchanged_since: Option<ModSeq>,
        (known, own): (ModSeq, &[ModSeq]),
    ) -> Answer {
        let modseq = self.modseq + 1;
        let mailbox = self.mailboxes.get_mut(&id).expect("selected");
        let numbers: BTreeSet<u16> =
            change.keywords.iter().map(|keyword| number_of(mailbox, keyword)).collect();
        let mut stored = Stored {
            modseq: ModSeq(mailbox.highest),
            changed: UidSet::new(),
            modified: UidSet::new(),
            missing: UidSet::new(),
            overtaken: UidSet::new(),
        };
        for uid in uids.iter() {
            let Some(message) = mailbox.messages.get_mut(&uid.0) else {
                stored.missing.insert(uid);
                continue;
            };
            if message.modseq > known.0 && !own.contains(&ModSeq(message.modseq)) {
                stored.overtaken.insert(uid);
            }
            if unchanged_since.is_some_and(|since| message.modseq > since.0) {
                stored.modified.insert(uid);
                continue;
            }
            let before = (message.flags, message.keywords.clone());
            match change.mode {
                FlagMode::Add => {
                    message.flags = FlagSet(message.flags.0 | change.flags.0);
                    message.keywords.extend(&numbers);
                }
                FlagMode::Remove => {
                    message.flags = FlagSet(message.flags.0 & !change.flags.0);
                    message.keywords.retain(|number| !numbers.contains(number));
                }
                FlagMode::Replace => {
                    message.flags = change.flags;
                    message.keywords.clone_from(&numbers);
                }
            }
            if before != (message.flags, message.keywords.clone()) {
                message.modseq = modseq;
                stored.changed.insert(uid);
            }
        }
        if !stored.changed.is_empty() {
            stored.modseq = ModSeq(modseq);
            mailbox.highest = modseq;
            self.modseq = modseq;
            self.note(Happening::Flagged(id));
        }
        Answer::Stored(Box::new(stored))
    }

    fn append(&mut self, to: &str, messages: Vec<NewMessage>) -> Answer {
        let Some(id) = self.find(to) else { return no_such_mailbox() };
        if self.full {
            return refused(RefusedKind::OverQuota, "The quota is used up");
        }
        let mut uids = Vec::new();
        for message in messages {
            let date = message.internal_date.map_or(NOW, |date| date.0);
            let uid = self.deliver(id, &message.content, message.flags, date);
            let mailbox = self.mailboxes.get_mut(&id).expect("found");
            let keywords = message.keywords.iter().map(|keyword| number_of(mailbox, keyword)).collect();
            mailbox.messages.get_mut(&uid).expect("new").keywords = keywords;
            self.annotate_new(id, uid, message.annotations);
            uids.push(Uid(uid));
        }
        let uid_validity = UidValidity(self.mailboxes[&id].uid_validity);
        Answer::Appended { place: place(id), uid_validity, uids }
    }

    fn replace(&mut self, id: u32, uid: Uid, to: &str, message: NewMessage) -> Answer {
        if !self.mailboxes[&id].messages.contains_key(&uid.0) {
            return refused(RefusedKind::Expunged, "The message is gone");
        }
        match self.append(to, vec![message]) {
            Answer::Appended { place, uid_validity, uids } => {
                let modseq = ModSeq(self.expunge(id, &[uid.0]));
                Answer::Replaced { place, uid_validity, uid: uids[0], modseq }
            }
            refused => refused,
        }
    }

    pub fn fails_next(&mut self, kind: &str) -> bool {
        self.failing.take_if(|failing| failing == kind).is_some()
    }

    pub fn quota(&self) -> Quota {
        let all = || self.mailboxes.values().flat_map(|mailbox| mailbox.messages.values());
        Quota {
            storage: Resource {
                usage: all().map(|message| message.content.len() as u64).sum(),
                limit: self.octets_max,
            },
            messages: Resource { usage: all().count() as u64, limit: self.messages_max },
            mailboxes: Resource { usage: self.mailboxes.len() as u64, limit: Some(100) },
        }
    }

    fn copy(&mut self, id: u32, uids: &UidSet, to: &str, originals: Originals) -> Answer {
        let Some(target) = self.find(to) else { return no_such_mailbox() };
        if self.full {
            return refused(RefusedKind::OverQuota, "The quota is used up");
        }
        let mut copied = Copied {
            place: place(target),
            uid_validity: UidValidity(self.mailboxes[&target].uid_validity),
            from: UidSet::new(),
            to: UidSet::new(),
            missing: UidSet::new(),
            modseq: ModSeq(0),
        };
        for uid in uids.iter() {
            let Some(message) = self.mailboxes[&id].messages.get(&uid.0).cloned() else {
                copied.missing.insert(uid);
                continue;
            };
            let names: Vec<Keyword> = message
                .keywords
                .iter()
                .map(|number| self.mailboxes[&id].keywords[usize::from(*number)].clone())
                .collect();
            let created = self.next_modseq();
            let mailbox = self.mailboxes.get_mut(&target).expect("found");
            let keywords = names.iter().map(|keyword| number_of(mailbox, keyword)).collect();
            let new = self.add(target, Message { created, modseq: created, keywords, ..message });
            copied.from.insert(uid);
            copied.to.insert(Uid(new));
        }
        if originals == Originals::Go {
            let gone: Vec<u32> = copied.from.iter().map(|uid| uid.0).collect();
            copied.modseq = ModSeq(self.expunge(id, &gone));
        }
        Answer::Copied(Box::new(copied))
    }

    fn glance(&self, selected: Option<u32>, name: Option<&str>) -> Answer {
        let id = name.map_or(selected, |name| self.find(name));
        let Some((id, mailbox)) = id.and_then(|id| Some((id, self.mailboxes.get(&id)?))) else {
            return no_such_mailbox();
        };
        if let Err(refused) = self.may(id, Right::Read) {
            return refused;
        }
        Answer::Glance(Box::new(Glance {
            name: mailbox.name.clone(),
            mailbox: MailboxId(id),
            owner: Owner::SELF,
            uid_validity: UidValidity(mailbox.uid_validity),
            uids: uids(mailbox),
            recent: mailbox.unclaimed.iter().copied().map(Uid).collect(),
        }))
    }

    fn search(&self, id: u32, query: &Query, among: &UidSet, from: Uid) -> Answer {
        let mailbox = &self.mailboxes[&id];
        let (mut found, mut next, mut highest) = (UidSet::new(), None, None);
        let mut scores = Vec::new();
        let mut looked = 0;
        for (uid, message) in mailbox.messages.range(from.0..) {
            if !among.contains(Uid(*uid)) {
                continue;
            }
            if looked >= self.page {
                next = Some(Uid(*uid));
                break;
            }
            looked += 1;
            if crate::search::matches(query, Collation::default(), Uid(*uid), message, mailbox) {
                found.insert(Uid(*uid));
                scores.extend(crate::search::score(query, Uid(*uid)));
                highest = highest.max(Some(ModSeq(message.modseq)));
            }
        }
        let highest_modseq = if crate::search::names_modseq(query) { highest } else { None };
        Answer::Found { uids: found, scores, highest_modseq, next }
    }
}

fn number_of(mailbox: &mut Mailbox, keyword: &Keyword) -> u16 {
    let at = mailbox.keywords.iter().position(|known| known == keyword).unwrap_or_else(|| {
        mailbox.keywords.push(keyword.clone());
        mailbox.keywords.len() - 1
    });
    u16::try_from(at).expect("few keywords")
}

fn uids(mailbox: &Mailbox) -> Arc<UidSet> {
    Arc::new(mailbox.messages.keys().copied().map(Uid).collect())
}

pub fn range(content: &[u8], start: u64, length: u64) -> &[u8] {
    let start = usize::try_from(start).unwrap_or(usize::MAX).min(content.len());
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(content.len() - start);
    &content[start..start + length]
}

pub fn digest(content: &[u8]) -> imap::ask::Digest {
    let structure = mime::parse(content);
    let mut bytes = Vec::new();
    mime::imap::write_envelope(&mime::Envelope::parse(content), &mut bytes);
    let envelope = u32::try_from(bytes.len()).expect("small");
    mime::imap::write_body(&structure, mime::imap::BodyForm::Body, &mut bytes);
    let body = u32::try_from(bytes.len()).expect("small");
    mime::imap::write_body(&structure, mime::imap::BodyForm::BodyStructure, &mut bytes);
    let header = u32::try_from(mime::header::header_length(content)).expect("small");
    imap::ask::Digest::new(bytes, envelope, body, header).expect("in order")
}

fn counters(mailbox: &Mailbox) -> Counters {
    let count = |wanted: &dyn Fn(&Message) -> bool| {
        u32::try_from(mailbox.messages.values().filter(|message| wanted(message)).count()).expect("few")
    };
    Counters {
        messages: count(&|_| true),
        recent: u32::try_from(mailbox.unclaimed.len()).expect("few"),
        unseen: count(&|message| !message.flags.has(Flag::Seen)),
        deleted: count(&|message| message.flags.has(Flag::Deleted)),
        uid_next: Uid(mailbox.uid_next),
        uid_validity: UidValidity(mailbox.uid_validity),
        owner: Owner::SELF,
        highest_modseq: ModSeq(mailbox.highest),
        size: mailbox.messages.values().map(|message| message.content.len() as u64).sum(),
        deleted_size: mailbox
            .messages
            .values()
            .filter(|message| message.flags.has(Flag::Deleted))
            .map(|message| message.content.len() as u64)
            .sum(),
    }
}

/// Everybody's password is `secret`; `away` can't be looked up, `nomail` may not use IMAP.
fn auth(question: Question) -> Reply {
    Reply::Verdict(match question {
        Question::Password { user, password, .. } => match (user.as_str(), password.expose_secret()) {
            ("away", _) => Verdict::Unavailable,
            ("nomail", "secret") => Verdict::Forbidden,
            (user, "secret") => Verdict::Granted { account: format!("{user}@example.test") },
            _ => Verdict::Denied,
        },
        Question::Token { user, token } if token.expose_secret() == "good" => {
            Verdict::Granted { account: if user.is_empty() { "joe@example.test".to_owned() } else { user } }
        }
        Question::Certificate { authorize_as, names } if names.contains(&authorize_as) => {
            Verdict::Granted { account: authorize_as }
        }
        Question::Certificate { authorize_as, mut names } if authorize_as.is_empty() => {
            Verdict::Granted { account: names.remove(0) }
        }
        Question::Certificate { .. } => Verdict::Forbidden,
        Question::Anonymous { .. } => Verdict::Granted { account: "joe@example.test".to_owned() },
        _ => Verdict::Denied,
    })
}
