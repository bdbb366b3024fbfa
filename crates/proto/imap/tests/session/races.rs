//! Another session changes flags between two questions of one command: whatever MODSEQ is told, the flags told with it (or
//! known before) are those of that moment (RFC 7162 §3.1). Both faults were found by `crates/dev/storm`.

use crate::connection;
use crate::replica::run;
use crate::world::{NOW, World, refused, simple};
use imap::Session;
use imap::ask::{Answer, Ask, RefusedKind};
use model::FlagSet;
use std::sync::Arc;
use wire::{Session as _, Step, TlsMode};

struct Two {
    world: World,
    first: Session,
    second: Session,
}

impl Two {
    /// Two sessions that have INBOX selected, with one message; the first wants MODSEQ.
    fn new() -> Two {
        let mut world = World::new();
        let inbox = world.find("INBOX").unwrap();
        world.deliver(inbox, simple(1).as_bytes(), FlagSet::NONE, NOW);
        let open = || Session::new(connection(TlsMode::None, true), Arc::default());
        let mut two = Two { world, first: open(), second: open() };
        run(&mut two.first, 1, &mut two.world, b"a LOGIN joe secret\r\nb SELECT INBOX (CONDSTORE)\r\n");
        run(&mut two.second, 2, &mut two.world, b"a LOGIN joe secret\r\nb SELECT INBOX\r\n");
        two
    }

    /// The first session gives a command; just before the question that `at` names is answered for the `nth` time, the
    /// second session gives another.
    fn between(&mut self, command: &str, at: fn(&Ask) -> bool, nth: usize, other: &str) -> String {
        let (mut said, mut seen) = (Vec::new(), 0);
        self.first.feed(command.as_bytes());
        loop {
            match self.first.step(NOW) {
                Step::Ask(ask) => {
                    seen += usize::from(at(&ask));
                    if at(&ask) && seen == nth {
                        run(&mut self.second, 2, &mut self.world, other.as_bytes());
                    }
                    let answer = self.world.answer(1, ask);
                    self.first.answer(answer);
                }
                Step::Flush => said.append(self.first.output()),
                _ => break,
            }
        }
        said.append(self.first.output());
        assert!(seen >= nth, "that question was not asked");
        String::from_utf8(said).unwrap()
    }
}

#[test]
fn what_changed_between_reading_and_marking_is_told() {
    let mut two = Two::new();
    let other = "c STORE 1 +FLAGS (\\Flagged)\r\n";
    let said = two.between("c FETCH 1 (BODY[] FLAGS)\r\n", |ask| matches!(ask, Ask::Store { .. }), 1, other);
    let told: Vec<&str> = said.lines().filter(|line| line.contains("FLAGS (")).collect();
    assert!(!told.is_empty() && told.iter().all(|line| line.contains("\\Flagged \\Seen")), "{said}");
}

#[test]
fn a_silent_store_that_was_overtaken_at_once_tells_the_flags() {
    let mut two = Two::new();
    let other = "c STORE 1 +FLAGS (\\Flagged)\r\n";
    let said =
        two.between("c STORE 1 +FLAGS.SILENT (\\Draft)\r\n", |ask| matches!(ask, Ask::Rows { .. }), 1, other);
    let told: Vec<&str> = said.lines().filter(|line| line.contains("FETCH")).collect();
    assert!(told.iter().any(|line| line.contains("FLAGS (\\Flagged \\Draft")), "{said}");
    assert!(
        told.iter().all(|line| line.contains("FLAGS (")),
        "MODSEQ alone would stand for older flags: {said}"
    );
}

#[test]
fn what_was_stored_is_not_refused_when_it_can_not_be_read_any_more() {
    let mut two = Two::new();
    two.first.feed(b"c STORE 1 +FLAGS (\\Deleted)\r\n");
    let (mut said, mut stored) = (Vec::new(), false);
    loop {
        match two.first.step(NOW) {
            Step::Ask(ask) => {
                let answer = match ask {
                    // Somebody took the right to read away behind the STORE.
                    Ask::Rows { .. } | Ask::Changes { .. } if stored => {
                        refused(RefusedKind::NoPerm, "You may not read it any more")
                    }
                    ask => two.world.answer(1, ask),
                };
                stored |= matches!(answer, Answer::Stored(_));
                two.first.answer(answer);
            }
            Step::Flush => said.append(two.first.output()),
            _ => break,
        }
    }
    said.append(two.first.output());
    let said = String::from_utf8(said).unwrap();
    assert!(stored && said == "c OK STORE completed\r\n", "{said}");
}
