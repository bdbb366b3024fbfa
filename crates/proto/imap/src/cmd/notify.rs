//! NOTIFY (RFC 5465 §3.1). What is told later, and how, is in `session::notify`.

use super::Begun;
use crate::ask::{Answer, Ask, CountersNeed, Listed, MailboxRow, Watch, WhyListed};
use crate::command::{self, FetchItem, NotifyEvent, SourceMailboxes};
use crate::session::{
    Core, Done, Event, Expunges, FlagNews, News, Next, Running, Selected, Wishes, otherwise, tell_listed,
    tell_status,
};
use std::collections::BTreeSet;
use wire::FLUSH_BYTES;

/// Most names of mailboxes in one NOTIFY: each change is held against each of them.
const NAMES_MAX: usize = 1000;

/// What can be asked for (RFC 5465 §3.1: BADEVENT names all of it).
const EVENTS: &str = "MessageNew MessageExpunge FlagChange AnnotationChange MailboxName SubscriptionChange MailboxMetadataChange \
                      ServerMetadataChange";

#[derive(Debug)]
struct Notify {
    wishes: Option<Wishes>,
    /// Those from before, until this command has succeeded.
    before: Option<Wishes>,
    /// MODSEQ is among the items: success enables CONDSTORE.
    modseq: bool,
    /// Refused, once the watch is off again.
    failed: Option<Done>,
    /// STATUS responses are wanted.
    status: bool,
    /// What is watched from now on.
    watch: Watch,
    names: BTreeSet<String>,
    rows: Option<std::vec::IntoIter<MailboxRow>>,
}

pub(super) fn start(notify: Option<command::Notify>) -> Begun {
    let Some(command::Notify { status, groups }) = notify else {
        return Begun::Run(Notify::new(Wishes::default(), false));
    };
    let unknown = |event: &NotifyEvent| matches!(event, NotifyEvent::Other(_));
    if groups.iter().flat_map(|group| &group.events).any(unknown) {
        return Begun::Now(Done::no(format!("[BADEVENT ({EVENTS})] There is no such event here")));
    }
    let names = groups.iter().map(|group| group.mailboxes.names().len()).sum::<usize>();
    if names > NAMES_MAX {
        return Begun::Now(Done::no("[NOTIFICATIONOVERFLOW] Too many mailboxes are named"));
    }
    let mut wishes = Wishes::default();
    for group in groups {
        let expunges = match group.mailboxes {
            SourceMailboxes::Selected => Expunges::AtOnce,
            SourceMailboxes::SelectedDelayed => Expunges::Delayed,
            SourceMailboxes::SubtreeOne(_) => {
                // RFC 7377 §2.2 adds it for ESEARCH alone.
                return Begun::Now(Done::bad("SUBTREE-ONE belongs to ESEARCH"));
            }
            _ => {
                wishes.groups.push(group);
                continue;
            }
        };
        // RFC 5465 §3.1: NONE for the selected mailbox is the same as not to name it.
        let flags = match group.events.contains(&NotifyEvent::FlagChange) {
            true => FlagNews::Told,
            false => FlagNews::Untold,
        };
        let annotations = group.events.contains(&NotifyEvent::AnnotationChange);
        let items = group.events.into_iter().find_map(|event| match event {
            NotifyEvent::MessageNew(items) => Some(items),
            _ => None,
        });
        wishes.selected = items.map(|items| Selected { expunges, flags, annotations, items });
    }
    Begun::Run(Notify::new(wishes, status))
}

impl Running for Notify {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => match self.wishes.take() {
                Some(wishes) => {
                    let notify = core.notify.get_or_insert_default();
                    let (now, before) = (notify.watch_for(Some(&wishes)), notify.watch());
                    // What is watched for nothing does no harm; what is not watched while this may still fail does.
                    self.watch = if now == Watch::Off { now } else { now.max(before) };
                    self.before = notify.wishes.replace(wishes);
                    Next::Ask(Ask::Watch(self.watch))
                }
                None => self.tell(core),
            },
            Event::Answer(_) if self.failed.is_some() => {
                Next::Done(self.failed.take().unwrap_or_else(|| Done::no("[SERVERBUG] Internal error")))
            }
            // Where nothing is watched there is nothing to tell: what is off already can't fail any more.
            Event::Answer(Answer::Done) if self.watch != Watch::Off => {
                let counters = if self.status { CountersNeed::Plain } else { CountersNeed::None };
                Next::Ask(Ask::Mailboxes { counters })
            }
            Event::Answer(Answer::Done) => self.tell(core),
            Event::Answer(Answer::Mailboxes(rows)) => {
                let existing = rows.iter().filter(|row| row.id.is_some());
                self.names = existing.map(|row| row.name.clone()).collect();
                self.rows = Some(rows.into_iter());
                self.tell(core)
            }
            event => {
                let notify = core.notify.get_or_insert_default();
                // RFC 5465 §3.1: only a NOTIFY that succeeds changes what is told.
                notify.wishes = self.before.take();
                let watch = notify.watch();
                let failed = match otherwise(event) {
                    Next::Done(done) => done,
                    next => return next,
                };
                if watch == self.watch {
                    return Next::Done(failed);
                }
                self.failed = Some(failed);
                Next::Ask(Ask::Watch(watch))
            }
        }
    }
}

impl Notify {
    fn new(wishes: Wishes, status: bool) -> Box<Notify> {
        let items = wishes.selected.as_ref().map_or(&[][..], |selected| &selected.items);
        let modseq = items.contains(&FetchItem::ModSeq);
        Box::new(Notify {
            wishes: Some(wishes),
            before: None,
            modseq,
            failed: None,
            status,
            watch: Watch::Off,
            names: BTreeSet::new(),
            rows: None,
        })
    }

    /// STATUS of every other mailbox whose messages are watched, if that is wanted, and which of them can't be.
    fn tell(&mut self, core: &mut Core) -> Next {
        if std::mem::take(&mut self.modseq) {
            super::any_state::enable_condstore(core);
        }
        let selected = core.view.as_ref().map(|view| view.place());
        for row in self.rows.iter_mut().flatten() {
            let wishes = core.notify.as_ref().and_then(|notify| notify.wishes.as_ref());
            if wishes.is_some_and(|wishes| wishes.lacks_access(&row)) {
                let below = format!("{}/", row.name);
                let mut inferiors = self.names.range(below.clone()..);
                let has_children = inferiors.next().is_some_and(|name| name.starts_with(&below));
                let (why, old_name) = (WhyListed::Access, None);
                tell_listed(core, &Listed { row, has_children, old_name, why });
                continue;
            }
            let Some(counters) = row.counters.filter(|_| row.place() != selected) else {
                continue;
            };
            let wishes = core.notify.as_ref().and_then(|notify| notify.wishes.as_ref());
            let items = wishes.map(|wishes| wishes.first_status(&row)).unwrap_or_default();
            tell_status(core, &row, &items, &counters);
            if core.out.len() >= FLUSH_BYTES {
                return Next::Flush;
            }
        }
        // RFC 5465 §3.1: an implicit NOOP.
        Next::Done(Done::ok("NOTIFY completed").telling(News::Own))
    }
}
