//! NOTIFY (RFC 5465 §3.1). What is told later, and how, is in `session::notify`.

use super::Begun;
use crate::ask::{Answer, Ask, CountersNeed, MailboxRow, Watch};
use crate::command::{self, FetchItem, NotifyEvent, SourceMailboxes};
use crate::session::{
    Core, Done, Event, Expunges, FlagNews, News, Next, Running, Selected, Wishes, otherwise, tell_status,
};
use wire::FLUSH_BYTES;

/// Most names of mailboxes in one NOTIFY: each change is held against each of them.
const NAMES_MAX: usize = 1000;

/// What can be asked for (RFC 5465 §3.1: BADEVENT names all of it).
const EVENTS: &str = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange \
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
    rows: Option<std::vec::IntoIter<MailboxRow>>,
}

pub(super) fn start(notify: Option<command::Notify>) -> Begun {
    let Some(command::Notify { status, groups }) = notify else {
        return Begun::Run(Notify::new(Wishes::default(), false));
    };
    let unknown =
        |event: &NotifyEvent| matches!(event, NotifyEvent::Other(_) | NotifyEvent::AnnotationChange);
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
        let items = group.events.into_iter().find_map(|event| match event {
            NotifyEvent::MessageNew(items) => Some(items),
            _ => None,
        });
        wishes.selected = items.map(|items| Selected { expunges, flags, items });
    }
    Begun::Run(Notify::new(wishes, status))
}

impl Running for Notify {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => match self.wishes.take() {
                Some(wishes) => {
                    let notify = core.notify.get_or_insert_default();
                    let watch = watch(Some(&wishes), notify.metadata);
                    // Where nothing is watched, STATUS has nothing to tell: what is off already can't fail any more.
                    self.status &= watch == Watch::On;
                    self.before = notify.wishes.replace(wishes);
                    Next::Ask(Ask::Watch(watch))
                }
                None => self.tell(core),
            },
            Event::Answer(_) if self.failed.is_some() => {
                Next::Done(self.failed.take().unwrap_or_else(|| Done::no("[SERVERBUG] Internal error")))
            }
            Event::Answer(Answer::Done) if self.status => {
                Next::Ask(Ask::Mailboxes { counters: CountersNeed::Plain })
            }
            Event::Answer(Answer::Done) => self.tell(core),
            Event::Answer(Answer::Mailboxes(rows)) => {
                self.rows = Some(rows.into_iter());
                self.tell(core)
            }
            event => {
                let notify = core.notify.get_or_insert_default();
                // RFC 5465 §3.1: only a NOTIFY that succeeds changes what is told.
                notify.wishes = self.before.take();
                let watch = watch(notify.wishes.as_ref(), notify.metadata);
                match otherwise(event) {
                    Next::Done(done) if watch == Watch::Off => {
                        self.failed = Some(done);
                        Next::Ask(Ask::Watch(watch))
                    }
                    next => next,
                }
            }
        }
    }
}

/// Whether such wishes need the whole account watched.
fn watch(wishes: Option<&Wishes>, metadata: bool) -> Watch {
    if metadata || wishes.is_some_and(Wishes::is_of_account) { Watch::On } else { Watch::Off }
}

impl Notify {
    fn new(wishes: Wishes, status: bool) -> Box<Notify> {
        let items = wishes.selected.as_ref().map_or(&[][..], |selected| &selected.items);
        let modseq = items.contains(&FetchItem::ModSeq);
        Box::new(Notify { wishes: Some(wishes), before: None, modseq, failed: None, status, rows: None })
    }

    /// STATUS of every other mailbox whose messages are watched.
    fn tell(&mut self, core: &mut Core) -> Next {
        if std::mem::take(&mut self.modseq) {
            super::any_state::enable_condstore(core);
        }
        let selected = core.view.as_ref().map(|view| view.place());
        for row in self.rows.iter_mut().flatten() {
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
