//! NOTIFY (RFC 5465): which events a client wants to hear of, and telling of those outside of the selected mailbox.
//!
//! What happens in the selected mailbox is told by `news`, with [`Selected`]'s wishes. All else comes from one question
//! about the account; the answering side remembers up to where it was answered, and bounds what it remembers. A client
//! that does not read makes it wait, not grow: when too much has come together, all is called off (§5.8).

use super::core::{Core, Done, News};
use super::running::{Event, Next, Running, otherwise};
use crate::ask::{AccountNews, Answer, Ask, ChangedEntry, Listed, MailboxRow, Touched, Watch, WhyListed};
use crate::command::{EventGroup, FetchItem, NotifyEvent, SourceMailboxes, StatusItem};
use crate::mailbox_name::{OTHER_USERS, SHARED};
use crate::write::{self, ListKind, StatusResponse};
use model::Right;
use wire::FLUSH_BYTES;

/// What a client asked for. Sessions that never did hold nothing.
#[derive(Debug, Default)]
pub(crate) struct Notify {
    /// NOTIFY was given.
    pub wishes: Option<Wishes>,
    /// ENABLE METADATA was given (RFC 5464 §4.4).
    pub metadata: bool,
    /// Something may have happened in the account.
    pub dirty: bool,
    /// Something may be told between commands.
    pub due: bool,
}

/// NOTIFY SET, or NONE.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// Events of messages in the selected mailbox; None: none at all.
    pub selected: Option<Selected>,
    /// Groups for other mailboxes.
    pub groups: Vec<EventGroup>,
}

/// Wishes for the selected mailbox.
#[derive(Debug)]
pub(crate) struct Selected {
    pub expunges: Expunges,
    pub flags: FlagNews,
    /// Whether changed annotations are told.
    pub annotations: bool,
    /// What is told of each new message.
    pub items: Vec<FetchItem>,
}

/// When EXPUNGE is told (RFC 5465 §6.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expunges {
    /// SELECTED: at once.
    AtOnce,
    /// SELECTED-DELAYED: with a command that allows it.
    Delayed,
}

/// Whether changed flags are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FlagNews {
    /// They are.
    Told,
    /// They are not.
    Untold,
}

impl SourceMailboxes {
    /// Whether a mailbox of that name, not as the selected one, is among them.
    pub(crate) fn holds_name(&self, name: &str, subscribed: bool) -> bool {
        let below = |root: &String| name.strip_prefix(root.as_str()).and_then(|rest| rest.strip_prefix('/'));
        match self {
            SourceMailboxes::Selected | SourceMailboxes::SelectedDelayed => false,
            // RFC 5465 §6.3: mail is delivered to any mailbox (rules, subaddresses).
            SourceMailboxes::Inboxes | SourceMailboxes::Personal => {
                !name.starts_with(OTHER_USERS) && !name.starts_with(SHARED)
            }
            SourceMailboxes::Subscribed => subscribed,
            SourceMailboxes::Subtree(roots) => {
                roots.iter().any(|root| root == name || root.is_empty() || below(root).is_some())
            }
            SourceMailboxes::SubtreeOne(roots) => roots.iter().any(|root| {
                let child = if root.is_empty() { Some(name) } else { below(root) };
                root == name || child.is_some_and(|child| !child.contains('/'))
            }),
            SourceMailboxes::Mailboxes(names) => names.iter().any(|one| one == name),
        }
    }
}

impl SourceMailboxes {
    /// Whether mailboxes of others can be among them.
    fn may_hold_others(&self) -> bool {
        let leads_there = |name: &String| {
            let spaces = [OTHER_USERS, SHARED].map(|prefix| prefix.trim_end_matches('/'));
            name.is_empty() || spaces.into_iter().any(|space| name.starts_with(space))
        };
        match self {
            SourceMailboxes::Subscribed => true,
            SourceMailboxes::Subtree(names)
            | SourceMailboxes::SubtreeOne(names)
            | SourceMailboxes::Mailboxes(names) => names.iter().any(leads_there),
            _ => false,
        }
    }
}

impl Wishes {
    /// Whether some group wants this event of this mailbox.
    fn wants(&self, event: &NotifyEvent, name: &str, subscribed: bool) -> bool {
        let mut groups = self.groups.iter().filter(|group| group.events.contains(event));
        groups.any(|group| group.mailboxes.holds_name(name, subscribed))
    }

    /// What STATUS tells of a mailbox with these wishes when these things happened (RFC 5465 §5.1 to §5.3).
    pub fn status_items(&self, touched: &Touched, condstore: bool) -> Vec<StatusItem> {
        let wants = |event| self.wants(&event, &touched.row.name, touched.row.subscribed);
        let mut items = Vec::new();
        let new = (touched.arrived || touched.vanished) && wants(NotifyEvent::MessageExpunge);
        let wants_flags = wants(NotifyEvent::FlagChange) || wants(NotifyEvent::AnnotationChange);
        let flags = touched.flagged && wants_flags;
        if new {
            items.extend([StatusItem::UidNext, StatusItem::Messages]);
        }
        if flags {
            items.extend([StatusItem::UidValidity, StatusItem::Unseen]);
        }
        if (new || flags || touched.described && wants_flags) && condstore {
            items.push(StatusItem::HighestModSeq);
        }
        items
    }

    /// What STATUS tells at the beginning (RFC 5465 §3.1).
    pub fn first_status(&self, row: &MailboxRow) -> Vec<StatusItem> {
        let wants = |event| self.wants(&event, &row.name, row.subscribed);
        let mut items = Vec::new();
        if wants(NotifyEvent::MessageExpunge) {
            items.extend([StatusItem::UidValidity, StatusItem::UidNext, StatusItem::Messages]);
        }
        if wants(NotifyEvent::FlagChange) || wants(NotifyEvent::AnnotationChange) {
            items.extend([StatusItem::Unseen, StatusItem::HighestModSeq]);
        }
        items
    }

    /// Whether any event of this mailbox is wanted.
    fn wants_any(&self, name: &str, subscribed: bool) -> bool {
        let mut groups = self.groups.iter().filter(|group| !group.events.is_empty());
        groups.any(|group| group.mailboxes.holds_name(name, subscribed))
    }

    /// What has to be watched for these wishes, beside the selected mailbox.
    pub fn watch(&self) -> Watch {
        let mut groups = self.groups.iter().filter(|group| !group.events.is_empty()).peekable();
        match (groups.peek().is_some(), groups.any(|group| group.mailboxes.may_hold_others())) {
            (false, _) => Watch::Off,
            (true, false) => Watch::Own,
            (true, true) => Watch::All,
        }
    }

    /// RFC 5465 §3.1: whether the client is to be told that it asks for events of a mailbox that it can list, but not
    /// read.
    pub fn lacks_access(&self, row: &MailboxRow) -> bool {
        row.id.is_some()
            && row.rights.has(Right::Lookup)
            && !row.rights.has(Right::Read)
            && self.wants_any(&row.name, row.subscribed)
    }
}

impl Notify {
    /// What has to be watched.
    pub fn watch(&self) -> Watch {
        self.watch_for(self.wishes.as_ref())
    }

    /// The same with other wishes. RFC 5464 §4.4: metadata is told of every mailbox that this user may use.
    pub fn watch_for(&self, wishes: Option<&Wishes>) -> Watch {
        if self.metadata { Watch::All } else { wishes.map_or(Watch::Off, Wishes::watch) }
    }

    fn wants_entry(&self, entry: &ChangedEntry) -> bool {
        let Some(wishes) = &self.wishes else { return self.metadata };
        let wanted = match &entry.mailbox {
            // RFC 5465 §5: every event needs `r`; RFC 5464 §3.3 does not.
            Some(row) if !row.rights.has(Right::Read) => false,
            Some(row) => wishes.wants(&NotifyEvent::MailboxMetadataChange, &row.name, row.subscribed),
            None => {
                wishes.groups.iter().any(|group| group.events.contains(&NotifyEvent::ServerMetadataChange))
            }
        };
        wanted || self.metadata
    }

    fn wants_listed(&self, listed: &Listed) -> bool {
        let Some(wishes) = &self.wishes else { return false };
        let (row, old) = (&listed.row, listed.old_name.as_deref());
        // RFC 5465 §6.4: a change of the list of subscriptions concerns "subscribed" either way.
        let subscribed = row.subscribed || listed.why == WhyListed::Subscription;
        let mut names = std::iter::once(row.name.as_str()).chain(old);
        let event = match listed.why {
            WhyListed::Name => NotifyEvent::MailboxName,
            WhyListed::Subscription => NotifyEvent::SubscriptionChange,
            // RFC 5465 §5.9
            WhyListed::Access => return names.any(|name| wishes.wants_any(name, subscribed)),
        };
        names.any(|name| wishes.wants(&event, name, subscribed))
    }
}

/// Tells what happened in the account; ends with `done`.
#[derive(Debug)]
pub(crate) struct Noticing {
    done: Option<Done>,
    rest: Option<Rest>,
}

#[derive(Debug)]
struct Rest {
    listed: std::vec::IntoIter<Listed>,
    touched: std::vec::IntoIter<Touched>,
    entries: std::iter::Peekable<std::vec::IntoIter<ChangedEntry>>,
}

impl Noticing {
    /// Prepares to tell.
    ///
    /// # Errors
    /// Gives `done` back when there is no reason to look.
    pub fn new(core: &mut Core, done: Done) -> Result<Noticing, Done> {
        match &mut core.notify {
            Some(notify) if notify.dirty => {
                notify.dirty = false;
                Ok(Noticing { done: Some(done.telling(News::None)), rest: None })
            }
            _ => Err(done),
        }
    }

    fn end(&mut self) -> Next {
        Next::Done(self.done.take().unwrap_or_else(|| Done::ok("Done").telling(News::None)))
    }

    fn tell(&mut self, core: &mut Core) -> Next {
        let Some(rest) = &mut self.rest else { return self.end() };
        loop {
            if core.out.len() >= FLUSH_BYTES {
                return Next::Flush;
            }
            if let Some(listed) = rest.listed.next() {
                tell_listed(core, &listed);
            } else if let Some(touched) = rest.touched.next() {
                tell_touched(core, &touched);
            } else if let Some(entry) = rest.entries.next() {
                tell_entries(core, &entry, &mut rest.entries);
            } else {
                return self.end();
            }
        }
    }
}

impl Running for Noticing {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go if self.rest.is_none() => Next::Ask(Ask::News),
            Event::Go => self.tell(core),
            // ENABLE METADATA alone: the next change is told again.
            Event::Answer(Answer::News(news))
                if news.is_overflow && core.notify.as_ref().is_none_or(|notify| notify.wishes.is_none()) =>
            {
                self.end()
            }
            Event::Answer(Answer::News(news)) if news.is_overflow => {
                // RFC 5465 §5.8: as if NOTIFY NONE had been given.
                core.tell(
                    "OK",
                    format_args!("[NOTIFICATIONOVERFLOW] Too much has happened; ask again with NOTIFY"),
                );
                if let Some(notify) = &mut core.notify {
                    notify.wishes = Some(Wishes::default());
                    notify.metadata = false;
                }
                Next::Ask(Ask::Watch(Watch::Off))
            }
            Event::Answer(Answer::News(news)) => {
                let AccountNews { listed, touched, entries, .. } = *news;
                self.rest = Some(Rest {
                    listed: listed.into_iter(),
                    touched: touched.into_iter(),
                    entries: entries.into_iter().peekable(),
                });
                self.tell(core)
            }
            // The watch is off; or it could not be looked now, and will be with the next change.
            Event::Answer(Answer::Done | Answer::Refused(_)) => self.end(),
            event => otherwise(event),
        }
    }
}

/// RFC 5465 §5.4, §5.5
pub(crate) fn tell_listed(core: &mut Core, listed: &Listed) {
    if !core.notify.as_ref().is_some_and(|notify| notify.wants_listed(listed)) {
        return;
    }
    let row = &listed.row;
    let mut attributes = Vec::with_capacity(5);
    if row.id.is_none() {
        attributes.push("\\NonExistent");
    }
    let is_hidden = row.id.is_none() && listed.why == WhyListed::Access;
    if is_hidden || row.id.is_some() && !row.rights.has(Right::Read) {
        attributes.push("\\NoAccess");
    }
    attributes.push(if listed.has_children { "\\HasChildren" } else { "\\HasNoChildren" });
    if row.subscribed {
        attributes.push("\\Subscribed");
    }
    attributes.extend(row.special_use.map(model::SpecialUse::attribute));
    let names = core.enabled.names();
    match &listed.old_name {
        Some(old) => write::list_oldname(&mut core.out, &attributes, &row.name, old, names),
        None => write::list(&mut core.out, ListKind::List, attributes, &row.name, names, &[]),
    }
}

fn tell_touched(core: &mut Core, touched: &Touched) {
    let row = &touched.row;
    let selected = core.view.as_ref().map(|view| view.place());
    let Some(counters) = row.counters.filter(|_| row.place() != selected) else {
        return;
    };
    let condstore = core.enabled.condstore;
    let Some(wishes) = core.notify.as_ref().and_then(|notify| notify.wishes.as_ref()) else { return };
    let items = wishes.status_items(touched, condstore);
    tell_status(core, row, &items, &counters);
}

/// `* STATUS …`, if there is anything to tell.
pub(crate) fn tell_status(
    core: &mut Core,
    row: &MailboxRow,
    items: &[StatusItem],
    counters: &crate::ask::Counters,
) {
    if items.is_empty() {
        return;
    }
    let names = core.enabled.names();
    let mut response = StatusResponse::begin(&mut core.out, &row.name, names);
    for item in items {
        response.number(
            *item,
            match item {
                StatusItem::Messages => u64::from(counters.messages),
                StatusItem::UidNext => u64::from(counters.uid_next.0),
                StatusItem::UidValidity => u64::from(counters.uid_validity.0),
                StatusItem::Unseen => u64::from(counters.unseen),
                _ => counters.highest_modseq.0,
            },
        );
    }
    response.end();
}

/// RFC 5464 §4.4.2: entries of one mailbox that come one after the other share a response.
fn tell_entries(
    core: &mut Core,
    first: &ChangedEntry,
    rest: &mut std::iter::Peekable<std::vec::IntoIter<ChangedEntry>>,
) {
    if !core.notify.as_ref().is_some_and(|notify| notify.wants_entry(first)) {
        return;
    }
    let place = |entry: &ChangedEntry| entry.mailbox.as_ref().map(|row| row.name.clone());
    let mailbox = place(first);
    let mut more = Vec::new();
    while let Some(entry) = rest.next_if(|entry| place(entry) == mailbox) {
        more.push(entry.name);
    }
    let mut names: Vec<&str> = vec![&first.name];
    for name in &more {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let encoding = core.enabled.names();
    write::metadata_names(&mut core.out, mailbox.as_deref().unwrap_or_default(), encoding, &names);
}
