//! EXPUNGE, UID EXPUNGE, CLOSE, UNSELECT (RFC 9051 §6.4.1 to §6.4.3; RFC 4315 §2.1; RFC 3691).

use super::{Begun, read_only, resolve};
use crate::ask::{Access, Answer, Ask};
use crate::command::Numbering;
use crate::sequence::SequenceSet;
use crate::session::{Core, Done, Event, News, Next, Running, otherwise};
use model::UidSet;

/// The EXPUNGE responses come with the news: what was removed here is news like any other.
#[derive(Debug)]
struct Expunge {
    only: Option<UidSet>,
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
    Begun::Run(Box::new(Expunge { only }))
}

impl Running for Expunge {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => Next::Ask(Ask::Expunge { only: self.only.take() }),
            Event::Answer(Answer::Expunged { modseq, .. }) => {
                // RFC 7162 §3.2.10: where to resynchronise from.
                let text = if core.enabled.condstore {
                    format!("[HIGHESTMODSEQ {modseq}] EXPUNGE completed").into()
                } else {
                    std::borrow::Cow::Borrowed("EXPUNGE completed")
                };
                Next::Done(Done::ok(text))
            }
            event => otherwise(event),
        }
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
    let expunge = core.view.as_ref().is_some_and(|view| view.access == Access::ReadWrite);
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
