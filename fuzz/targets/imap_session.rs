//! IMAP sessions over arbitrary octets, with the world of the session's own tests: output is well-formed lines with
//! whole literals, the course is the same however the input is cut, memory is bounded, nothing panics.
//!
//! Setup octet: bits 0 and 1 as [`troika_fuzz::connection`], bit 2: logged in and the inbox selected, bit 3: the store
//! keeps digests, bit 4: pages of two, bit 5: the disk is full, bit 6: a message is damaged.
#![no_main]

use imap::ask::{Answer, Ask, Refused, RefusedKind};
use libfuzzer_sys::fuzz_target;
use model::FlagSet;
use std::sync::Arc;
use troika_fuzz::{Course, Luck, Plan, connection, end, run};
use world::{NOW, World};

#[path = "../../crates/proto/imap/tests/session/annotations.rs"]
mod annotations;
#[allow(dead_code, reason = "the crate's own tests use more of it")]
#[path = "../../crates/proto/imap/tests/session/happenings.rs"]
mod happenings;
#[allow(dead_code, reason = "the crate's own tests use more of it")]
#[path = "../../crates/proto/imap/tests/session/order.rs"]
mod order;
#[path = "../../crates/proto/imap/tests/session/search.rs"]
mod search;
#[allow(dead_code, reason = "the crate's own tests use more of it")]
#[path = "../../crates/proto/imap/tests/session/sharing.rs"]
mod sharing;
#[allow(dead_code, reason = "the crate's own tests use more of it")]
#[path = "../../crates/proto/imap/tests/session/world.rs"]
mod world;

const OUTPUT_MAX: usize = 1 << 20;

/// A message with everything that FETCH can ask for.
const MULTIPART: &str = "From: \"A \\\"B\\\"\" <a@x.test>\r\nTo: group: b@x.test, c@x.test;\r\n\
    Subject: =?koi8-r?b?8NLJ18XU?= and {5}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n0L/RgNC40LLQtdGC\r\n--b\r\n\
    Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nText\r\n--b--\r\n";

struct Stage {
    world: World,
    luck: Luck,
}

impl Stage {
    fn new(plan: &Plan<'_>) -> Stage {
        let mut world = World::new();
        let inbox = world.find("INBOX").expect("an inbox");
        for number in 1..=3 {
            world.deliver(inbox, world::simple(number).as_bytes(), FlagSet::NONE, NOW);
        }
        world.deliver(inbox, MULTIPART.as_bytes(), FlagSet::NONE, NOW);
        world.deliver(inbox, b"no header\0 and \r a {3}\n bare end", FlagSet::NONE, NOW);
        world.create("Архив/2023 & more", None);
        world.digests = plan.setup & 8 != 0;
        if plan.setup & 16 != 0 {
            world.page = 2;
            world.chunk = 10;
        }
        world.full = plan.setup & 32 != 0;
        if plan.setup & 64 != 0 {
            let messages = &mut world.mailboxes.get_mut(&inbox).expect("an inbox").messages;
            messages.get_mut(&2).expect("a message").corrupt = true;
        }
        Stage { world, luck: plan.luck() }
    }

    fn answer(&mut self, ask: Ask) -> Answer {
        if !matches!(ask, Ask::Auth(_)) && self.luck.is_bad(8) {
            let kinds = [RefusedKind::NonExistent, RefusedKind::OverQuota, RefusedKind::AlreadyExists];
            let kind = kinds[usize::try_from(self.luck.below(3)).expect("small")];
            // The world's answering side forgets the selection with a refused SELECT, and so does this one.
            if matches!(ask, Ask::Select { .. }) {
                self.world.answer(1, Ask::Unselect);
            }
            return Answer::Refused(Refused::new(kind, "no\r\nluck \0 {9} today"));
        }
        self.world.answer(1, ask)
    }
}

/// Lines of text that end with CRLF, begin with a tag, `*` or `+`, and hold whole literals; in a literal anything goes.
fn check_output(output: &[u8]) {
    let (mut at, mut is_start) = (0, true);
    while at < output.len() {
        let length = output[at..].iter().position(|octet| *octet == b'\n').expect("an end of the last line");
        let line = output[at..at + length].strip_suffix(b"\r").expect("a bare LF");
        let shown = line.escape_ascii();
        assert!(!line.iter().any(|octet| *octet < b' ' && *octet != b'\t' || *octet == 127), "{shown}");
        assert!(!is_start || !line.is_empty(), "an empty line");
        if is_start && !line.starts_with(b"* ") && !line.starts_with(b"+ ") {
            let tag = line.split(|octet| *octet == b' ').next().unwrap_or_default();
            let rest = &line[tag.len()..];
            let verdicts: [&[u8]; 3] = [b" OK ", b" NO ", b" BAD "];
            assert!(verdicts.iter().any(|verdict| rest.starts_with(verdict)), "{shown}");
            assert!(!tag.is_empty() && !tag.iter().any(|octet| b"(){%*\"\\+".contains(octet)), "{shown}");
        }
        at += length + 1;
        is_start = true;
        if let Some(octets) = literal_length(line) {
            assert!(at + octets + 2 <= output.len(), "a literal runs over the end: {shown}");
            at += octets;
            is_start = false;
        }
    }
}

/// `{n}` (or `~{n}`) at the end of a line.
fn literal_length(line: &[u8]) -> Option<usize> {
    let open = line.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(line[open + 1..].strip_suffix(b"}")?).ok()?.parse().ok()
}

fn course(plan: &Plan<'_>, pieces: &[Vec<&[u8]>]) -> (Course, Course) {
    let limits = imap::Settings { message_bytes_max: 4000, ..imap::Settings::default() };
    let mut stage = Stage::new(plan);
    let setup = if plan.setup & 4 == 0 { plan.setup } else { plan.setup & !2 };
    let mut session = imap::Session::new(connection(setup), Arc::new(limits));
    if plan.setup & 4 != 0 {
        let opening: &[u8] = b"a LOGIN joe secret\r\nb SELECT INBOX\r\n";
        run(&mut session, &[vec![opening]], OUTPUT_MAX, |ask| stage.answer(ask));
    }
    let course = run(&mut session, pieces, OUTPUT_MAX, |ask| stage.answer(ask));
    check_output(&course.output);
    let ending = end(&mut session, OUTPUT_MAX, |ask| stage.answer(ask));
    (course, ending)
}

fuzz_target!(|input: &[u8]| {
    let Some(plan) = Plan::new(input) else { return };
    let whole = course(&plan, &plan.whole());
    let cut = course(&plan, &plan.pieces());
    assert_eq!(whole.0.output.escape_ascii().to_string(), cut.0.output.escape_ascii().to_string());
    assert_eq!(whole, cut);
});
