//! IDLE (RFC 2177, RFC 9051 §6.3.13): news are told as they come, until DONE.

use super::Begun;
use crate::session::{Core, Done, Event, News, Next, Running, Telling};
use crate::write;
use wire::End;

#[derive(Debug)]
struct Idle {
    /// News being told.
    telling: Option<Telling>,
}

pub(super) fn start(core: &mut Core) -> Begun {
    write::continuation(&mut core.out, "idling");
    Begun::Run(Box::new(Idle { telling: None }))
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
                self.telling = Telling::new(core, done, true).ok();
            }
            Event::Answer(_) => {}
        }
        let Some(telling) = &mut self.telling else { return Next::Line };
        let event = if let Event::Answer(_) = event { event } else { Event::Go };
        match telling.resume(core, event) {
            // The mailbox is gone, and BYE was said.
            Next::Done(done) if core.end != End::Open => Next::Done(done),
            Next::Done(_) => {
                self.telling = None;
                Next::Line
            }
            next => next,
        }
    }
}
