//! EXPUNGE, UID EXPUNGE, CLOSE, UNSELECT (RFC 9051 §6.4.1 to §6.4.3; RFC 4315 §2.1; RFC 3691).

use super::limit::{self, Exceeded};
use super::{Begun, read_only, resolve};
use crate::ask::{Access, Answer, Ask};
use crate::command::Numbering;
use crate::sequence::SequenceSet;
use crate::session::{Core, Done, Event, News, Next, Running, otherwise};
use model::{Flag, Query, Right, Uid, UidSet};
use std::sync::Arc;

/// The EXPUNGE responses come with the news: what was removed here is news like any other.
#[derive(Debug)]
struct Expunge {
    only: Option<UidSet>,
    exceeded: Option<Exceeded>,
    /// Those \Deleted, being counted: RFC 9738 §3.1 limits UID EXPUNGE.
    counting: Option<Counting>,
}

#[derive(Debug)]
struct Counting {
    among: Arc<UidSet>,
    found: UidSet,
    from: Uid,
}

pub(super) fn expunge(core: &Core, uids: Option<SequenceSet>) -> Begun {
    if let Some(done) = read_only(core) {
        return Begun::Now(done);
    }
    let only = match (uids, &core.view) {
        (Some(set), Some(view)) => match resolve(view, Numbering::Uid, &set) {
            Ok(uids) => Some(uids),
            Err(done) => return Begun::Now(done),
        },
        _ => None,
    };
    let many = only.as_ref().is_some_and(|only| limit::cut(core, only.clone()).1.is_some());
    let counting = only.as_ref().filter(|_| many).map(|only| Counting {
        among: Arc::new(only.clone()),
        found: UidSet::new(),
        from: Uid(0),
    });
    Begun::Run(Box::new(Expunge { only, exceeded: None, counting }))
}

impl Running for Expunge {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => self.ask(),
            Event::Answer(Answer::Found { uids, next, .. }) if self.counting.is_some() => {
                if let Some(counting) = &mut self.counting {
                    counting.found = counting.found.or(&uids);
                    match next {
                        Some(from) => counting.from = from,
                        None => {
                            let found = std::mem::take(&mut counting.found);
                            let (only, exceeded) = limit::cut(core, found);
                            *self = Expunge { only: Some(only), exceeded, counting: None };
                        }
                    }
                }
                self.ask()
            }
            Event::Answer(Answer::Expunged { uids, modseq }) => {
                // RFC 7162 §3.2.7: where to resynchronise from, if something was removed. If nothing was, this session's
                // news are not read, and the number could stand for what another did that has not been told.
                let text = if core.enabled.condstore && !uids.is_empty() {
                    format!("[HIGHESTMODSEQ {modseq}] EXPUNGE completed").into()
                } else {
                    std::borrow::Cow::Borrowed("EXPUNGE completed")
                };
                Next::Done(Exceeded::tell(self.exceeded, core, Done::ok(text).telling(News::Own)))
            }
            event => otherwise(event),
        }
    }
}

impl Expunge {
    fn ask(&mut self) -> Next {
        Next::Ask(match &self.counting {
            Some(Counting { among, from, .. }) => Ask::Search {
                query: Arc::new(Query::Flag(Flag::Deleted)),
                among: Arc::clone(among),
                from: *from,
            },
            None => Ask::Expunge { only: self.only.take() },
        })
    }
}

/// CLOSE removes without a word; UNSELECT removes nothing. Both leave the mailbox.
#[derive(Debug)]
struct Close {
    expunge: bool,
    name: &'static str,
}

pub(super) fn close(core: &Core) -> Begun {
    // RFC 9051 §6.4.1: no messages are removed, and no error is given, after EXAMINE.
    // RFC 4314 §4: without the right, "the server MUST ignore the expunge request".
    let expunge = core
        .view
        .as_ref()
        .is_some_and(|view| view.access == Access::ReadWrite && view.rights.has(Right::Expunge));
    Begun::Run(Box::new(Close { expunge, name: "CLOSE" }))
}

pub(super) fn unselect() -> Begun {
    Begun::Run(Box::new(Close { expunge: false, name: "UNSELECT" }))
}

impl Running for Close {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go if self.expunge => {
                self.expunge = false;
                Next::Ask(Ask::Expunge { only: None })
            }
            Event::Go | Event::Answer(Answer::Expunged { .. }) => {
                core.view = None;
                Next::Ask(Ask::Unselect)
            }
            Event::Answer(Answer::Done) => {
                Next::Done(Done::ok(format!("{} completed", self.name)).telling(News::None))
            }
            event => otherwise(event),
        }
    }
}
