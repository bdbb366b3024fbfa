//! What holds for any input: no panic, the same output however it is cut, bounded memory, and no message removed but by
//! DELE and QUIT.

use std::time::Duration;

use pop3::Pop3;
use proptest::prelude::*;
use transcript::{Header, World as _};
use wire::{End, Session as _, Step};

mod stage;
use stage::Stage;

struct Outcome {
    output: Vec<u8>,
    closed: bool,
    stage: Stage,
    session: Pop3,
}

/// Output that a driver would hold at once: one flush, one message range stuffed, and a listing's last line.
const OUTPUT_HELD_MAX: usize = 64 * 1024 + 3 * 256 * 1024;

fn run(stage: Stage, pieces: &[&[u8]]) -> Outcome {
    let mut stage = stage;
    let mut session = stage.open(&Header::default(), 1);
    session.tls_started(wire::TlsInfo::default());
    let mut outcome = Outcome { output: Vec::new(), closed: false, stage, session };
    rest(&mut outcome);
    for piece in pieces {
        for piece in piece.chunks(wire::FEED_BYTES_MAX) {
            if !outcome.closed {
                outcome.session.feed(piece);
                rest(&mut outcome);
            }
        }
    }
    outcome
}

fn rest(outcome: &mut Outcome) {
    for _ in 0..100_000 {
        let step = outcome.session.step(1_700_000_000);
        assert!(outcome.session.output().len() <= OUTPUT_HELD_MAX, "{}", outcome.session.output().len());
        outcome.output.append(outcome.session.output());
        match step {
            Step::NeedInput => return,
            Step::Flush => {}
            Step::Ask(ask) => outcome.session.answer(outcome.stage.answer(1, ask)),
            Step::StartTls => panic!("TLS stands already"),
            Step::Deflate(_) => panic!("POP3 has no compression"),
            Step::Close => {
                outcome.closed = true;
                return;
            }
        }
    }
    panic!("no rest");
}

fn two() -> Stage {
    Stage::new(&Header::default())
}

/// Lines that lead somewhere, and some that do not.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => prop::sample::select(vec![
            "USER mrose", "PASS tanstaaf", "PASS x", "STAT", "LIST", "LIST 1", "UIDL", "UIDL 2", "RETR 1", "RETR 2", "DELE 1",
            "DELE 2", "TOP 1 0", "TOP 2 3", "RSET", "NOOP", "LAST", "CAPA", "LANG", "LANG ru", "UTF8", "STLS", "HELP", "AUTH",
            "AUTH PLAIN AG1yb3NlAHRhbnN0YWFm", "AUTH PLAIN", "AG1yb3NlAHRhbnN0YWFm", "AUTH LOGIN", "AUTH CRAM-MD5", "*",
            "AUTH SCRAM-SHA-1 biwsbj1tcm9zZSxyPWNsaWVudG5vbmNl", "APOP mrose c4c9334bac560ecc979e58001b3e22fb", "XTND",
            "RETR 4294967296", "QUIT", "",
        ])
        .prop_map(|line| [line.as_bytes(), b"\r\n"].concat()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => "[A-Z]{3,4} [0-9 *=]{0,8}(\r|\n|\r\n)".prop_map(String::into_bytes),
    ];
    prop::collection::vec(line, 0..25).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_split_gives_the_same_output(input in lines(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let whole = run(two(), &[&input]);
        let bytes: Vec<&[u8]> = input.chunks(1).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.extend([0, input.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &input[cut[0]..cut[1]]).collect();
        for cut in [run(two(), &bytes), run(two(), &pieces)] {
            prop_assert_eq!(whole.output.escape_ascii().to_string(), cut.output.escape_ascii().to_string());
            prop_assert_eq!(whole.closed, cut.closed);
            prop_assert_eq!(whole.session.facts(), cut.session.facts());
        }
    }

    #[test]
    fn messages_go_by_dele_and_quit_only(input in lines()) {
        let before: Vec<u32> = two().messages.iter().map(|message| message.0).collect();
        let mut outcome = run(two(), &[b"AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n", &input]);
        let after: Vec<u32> = outcome.stage.messages.iter().map(|message| message.0).collect();
        let said = String::from_utf8_lossy(&outcome.output).into_owned();
        if outcome.session.facts().end != End::Quit {
            prop_assert_eq!(&before, &after);
            // Another end gives the lock back.
            outcome.session.timed_out();
            rest(&mut outcome);
            prop_assert!(outcome.closed);
            prop_assert_eq!((outcome.stage.commits, outcome.stage.releases), (0, 1));
        } else {
            prop_assert_eq!((outcome.stage.commits, outcome.stage.releases), (1, 0));
            for (msg, uid) in (1..).zip(&before) {
                let marked = [format!("+OK message {msg} deleted"), format!("+OK письмо {msg} удалено")];
                let is_marked = marked.iter().any(|marked| said.contains(marked));
                prop_assert!(after.contains(uid) || is_marked, "{uid} is gone: {said}");
            }
        }
    }
}

#[test]
fn an_endless_line_meets_the_limit_on_errors() {
    let mut outcome = run(two(), &[]);
    let endless = vec![b'x'; wire::FEED_BYTES_MAX];
    let mut pieces = 0;
    while !outcome.closed {
        outcome.session.feed(&endless);
        rest(&mut outcome);
        pieces += 1;
        assert!(pieces < 1000, "endless");
    }
    let said = String::from_utf8(outcome.output).unwrap();
    assert!(said.ends_with("-ERR line too long\r\n-ERR too many errors, closing\r\n"), "{said}");
    assert_eq!(outcome.session.facts().end, End::Refused);
}

#[test]
fn autologout_is_ten_minutes_at_least_and_silent() {
    let mut outcome = run(two(), &[b"USER mrose\r\nPASS tanstaaf\r\nDELE 1\r\n"]);
    // RFC 1939 §3; the stage's settings say one second.
    assert_eq!(outcome.session.patience(), Duration::from_secs(600));
    let said = outcome.output.len();
    outcome.session.timed_out();
    rest(&mut outcome);
    assert!(outcome.closed);
    assert_eq!((outcome.output.len(), outcome.stage.messages.len()), (said, 2));
    assert_eq!(outcome.session.facts().end, End::TimedOut);
}

#[test]
fn a_large_listing_leaves_in_flushes() {
    let mut stage = two();
    stage.messages = (1..=50_000).map(|uid| (uid, b"a: b\r\n\r\n".to_vec())).collect();
    let outcome = run(stage, &[b"USER mrose\r\nPASS tanstaaf\r\nDELE 7\r\nLIST\r\nUIDL\r\nQUIT\r\n"]);
    let said = String::from_utf8(outcome.output).unwrap();
    assert!(
        said.contains("\r\n+OK 49999 messages (399992 octets)\r\n1 8\r\n2 8\r\n"),
        "deleted ones do not count"
    );
    assert!(
        said.contains("\r\n6 8\r\n8 8\r\n")
            && said.contains("\r\n50000 8\r\n.\r\n+OK unique-id listing follows\r\n1 ")
    );
    assert!(said.contains("\r\n50000 0000006a0000c350\r\n.\r\n"));
    assert!(outcome.closed);
}

#[test]
fn facts_for_the_log() {
    let outcome = run(two(), &[b"USER mrose\r\nPASS tanstaaf\r\nRETR 1\r\nBOGUS\r\nTOP 2 0\r\nQUIT\r\n"]);
    let facts = outcome.session.facts();
    assert_eq!(facts.user.as_deref(), Some("mrose"));
    assert_eq!((facts.commands, facts.errors, facts.messages, facts.end), (6, 1, 1, End::Quit));
}

#[test]
fn debug_output_has_no_password() {
    let outcome = run(two(), &[b"USER mrose\r\nPASS tanstaaf\r\n"]);
    assert!(!format!("{:?}", outcome.session).contains("tanstaaf"));
}
