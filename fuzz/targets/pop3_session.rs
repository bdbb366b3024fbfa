//! POP3 sessions over arbitrary octets: the course is the same however the input is cut, every line ends with CRLF,
//! messages are removed by DELE and QUIT only, memory is bounded, nothing panics.
//!
//! Setup octet: bits 0 and 1 as [`troika_fuzz::connection`], bit 2: TLS and the log-in have been done, bit 3: UTF-8
//! headers are sent to everybody, bits 4 and 5 the maildrop.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Uid, UidValidity};
use pop3::{Answer, Ask, Entry, Maildrop, Offer, Pop3, Settings, Uncommitted, Unopened, Unread, Utf8Header};
use std::sync::Arc;
use troika_fuzz::{Course, Luck, Plan, connection, end, lines, log_in, run};
use wire::Session as _;

/// One flush, and one range of a message with its dots stuffed.
const OUTPUT_MAX: usize = 64 * 1024 + 3 * 256 * 1024;

struct World {
    luck: Luck,
    messages: Vec<(Uid, Vec<u8>)>,
    is_locked: bool,
    commits: usize,
}

fn messages(setup: u8) -> Vec<(Uid, Vec<u8>)> {
    let texts: Vec<Vec<u8>> = match setup >> 4 & 3 {
        0 => vec![
            b"From: mrose\r\nSubject: one\r\n\r\n.\r\n..dots\r\n\r\n".to_vec(),
            b"Subject: two\r\n\r\n1\r\n2\r\n3\r\n".to_vec(),
        ],
        1 => Vec::new(),
        2 => vec![Vec::new(), b"no end of line".to_vec(), b".".to_vec(), b"\n\r.\r\r\n.\n".to_vec()],
        _ => vec!["Subject: привет\r\n\r\nтело\r\n".into(), b"Subject: \xd0\xd2\r\n\r\nKOI8-R\r\n".to_vec()],
    };
    (1..).map(Uid).zip(texts).collect()
}

impl World {
    fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Auth(question) => Answer::Auth(log_in(question, &mut self.luck)),
            Ask::Open { account } => {
                assert_eq!(account, "tim@example.test");
                assert!(!self.is_locked);
                if self.luck.is_bad(4) {
                    let why =
                        [Unopened::InUse, Unopened::LoginDelay, Unopened::Temporary, Unopened::Permanent];
                    return Answer::Unopened(why[usize::try_from(self.luck.below(4)).expect("small")]);
                }
                self.is_locked = true;
                let entry = |(uid, text): &(Uid, Vec<u8>)| Entry {
                    uid: *uid,
                    size_octets: u32::try_from(text.len()).expect("small"),
                };
                Answer::Opened(Maildrop {
                    uid_validity: UidValidity(0x6a),
                    messages: self.messages.iter().map(entry).collect(),
                    own_uidls: [(Uid(2), "QhdPYR:00WBw1Ph7x7".into())].into(),
                    last_accessed: None,
                })
            }
            Ask::Read { uid, range } => {
                assert!(
                    self.is_locked
                        && range.start < range.end
                        && range.end - range.start <= pop3::READ_OCTETS_MAX
                );
                if self.luck.is_bad(4) {
                    let why = [Unread::Gone, Unread::Temporary, Unread::Damaged];
                    return Answer::Unread(why[usize::try_from(self.luck.below(3)).expect("small")]);
                }
                let text = self.messages.iter().find(|(known, _)| *known == uid).map(|(_, text)| text);
                let Some(text) = text else { return Answer::Unread(Unread::Gone) };
                let at = |octet: u64| usize::try_from(octet).expect("small").min(text.len());
                // Fewer octets than were asked for: the agent is wrong, the session has to say so.
                let short = usize::from(self.luck.is_bad(10));
                Answer::Octets(
                    text[at(range.start)..at(range.end).saturating_sub(short).max(at(range.start))].to_vec(),
                )
            }
            Ask::Commit { deleted, .. } => {
                assert!(std::mem::take(&mut self.is_locked), "committed without the lock");
                assert!(deleted.is_sorted());
                self.commits += 1;
                if self.luck.is_bad(4) {
                    return Answer::Uncommitted(Uncommitted::Temporary);
                }
                self.messages.retain(|(uid, _)| !deleted.contains(uid));
                Answer::Done
            }
            Ask::Release => {
                assert!(std::mem::take(&mut self.is_locked), "released without the lock");
                Answer::Done
            }
        }
    }
}

fn course(plan: &Plan<'_>, pieces: &[Vec<&[u8]>]) -> (Course, Course, Vec<(Uid, Vec<u8>)>) {
    let settings = Settings {
        mechanisms: sasl::Mechanism::EVERY.to_vec(),
        apop: Offer::Offered,
        utf8_header: if plan.setup & 8 == 0 { Utf8Header::Refuse } else { Utf8Header::Send },
        ..Settings::default()
    };
    let before = messages(plan.setup);
    let mut world = World { luck: plan.luck(), messages: before.clone(), is_locked: false, commits: 0 };
    let mut session = Pop3::new(Arc::new(settings), connection(plan.setup));
    if plan.setup & 4 != 0 {
        session.tls_started(wire::TlsInfo::default());
        let opening: &[u8] = b"AUTH PLAIN AHRpbQBzZWNyZXQ=\r\n";
        run(&mut session, &[vec![opening]], OUTPUT_MAX, |ask| world.answer(ask));
    }
    let course = run(&mut session, pieces, OUTPUT_MAX, |ask| world.answer(ask));
    if course.facts.end != wire::End::Quit {
        assert_eq!((world.commits, &world.messages), (0, &before), "removed without QUIT");
    }
    let ending = end(&mut session, OUTPUT_MAX, |ask| world.answer(ask));
    assert!(!world.is_locked, "the maildrop stays locked");
    (course, ending, world.messages)
}

fn has_right_endings(plan: &Plan<'_>) -> bool {
    // The maildrop with bare CRs and LFs is sent as it is stored.
    plan.setup >> 4 & 3 != 2
}

fuzz_target!(|input: &[u8]| {
    let Some(plan) = Plan::new(input) else { return };
    let whole = course(&plan, &plan.whole());
    if has_right_endings(&plan) {
        for line in lines(&whole.0.output) {
            assert!(line.len() <= 510, "{}", line.escape_ascii());
        }
    }
    let cut = course(&plan, &plan.pieces());
    assert_eq!(whole.0.output.escape_ascii().to_string(), cut.0.output.escape_ascii().to_string());
    assert_eq!(whole, cut);
});
