//! IDLE (RFC 2177, RFC 9051 §6.3.13): news are told as they come, until DONE.

use super::Begun;
use crate::session::{Core, Done, Event, News, Next, Noticing, Running, Telling};
use crate::write;
use wire::End;

#[derive(Debug)]
struct Idle {
    /// News being told.
    telling: Option<Box<dyn Running>>,
}

pub(super) fn start(core: &mut Core) -> Begun {
    write::continuation(&mut core.out, "idling");
    Begun::Run(Box::new(Idle { telling: None }))
}

/// RFC 5465 §4: what NOTIFY wants of the rest of the account.
fn noticing(core: &mut Core, done: Done) -> Option<Box<dyn Running>> {
    Noticing::new(core, done).ok().map(|noticing| Box::new(noticing) as Box<dyn Running>)
}

impl Running for Idle {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Line(line) if line.eq_ignore_ascii_case(b"DONE") => {
                return Next::Done(Done::ok("IDLE terminated"));
            }
            Event::Line(_) => return Next::Done(Done::bad("DONE was expected")),
            Event::Go if self.telling.is_some() => {}
            // RFC 9051 §6.3.13: what happened before is told as well; FETCH carries the UID.
            Event::Go | Event::Changed => {
                let done = Done::ok("").telling(News::All);
                self.telling = match Telling::new(core, done, true) {
                    Ok(telling) => Some(Box::new(telling)),
                    Err(done) => noticing(core, done),
                };
            }
            Event::Answer(_) => {}
        }
        let Some(telling) = &mut self.telling else { return Next::Line };
        let event = if let Event::Answer(_) = event { event } else { Event::Go };
        match telling.resume(core, event) {
            // The mailbox is gone, and BYE was said.
            Next::Done(done) if core.end != End::Open => Next::Done(done),
            Next::Done(done) => match noticing(core, done) {
                Some(noticing) => {
                    self.telling = Some(noticing);
                    self.resume(core, Event::Go)
                }
                None => {
                    self.telling = None;
                    Next::Line
                }
            },
            next => next,
        }
    }
}
