use super::*;
use crate::Limits;
use wire::{Connection, Session as _};

fn session(kind: Kind) -> Session {
    let connection = Connection {
        hostname: "mx.test".into(),
        peer: None,
        trace: "t".into(),
        entropy: [1; 32],
        tls: TlsMode::Starttls,
        plaintext_auth: false,
    };
    let limits = Limits { message_bytes_max: 1024 * 1024, ..Limits::default() };
    Session::new(Config { limits, ..Config::new(kind, connection) })
}

/// Steps to rest, says yes to everything; what was written and where it ended.
fn run(session: &mut Session, text: &[u8]) -> (String, Step<Ask>) {
    let mut output = Vec::new();
    for piece in std::iter::once(&b""[..]).chain(text.chunks(wire::FEED_BYTES_MAX)) {
        if !piece.is_empty() {
            session.feed(piece);
        }
        loop {
            let step = session.step(0);
            output.append(session.output());
            match step {
                Step::Flush => {}
                Step::Ask(Ask::Sender(_)) => session.answer(Answer::Sender(Ok(()))),
                Step::Ask(Ask::Recipient { .. }) => session.answer(Answer::Recipient(Ok(()))),
                Step::NeedInput => break,
                other => return (String::from_utf8(output).unwrap(), other),
            }
        }
    }
    (String::from_utf8(output).unwrap(), Step::NeedInput)
}

#[test]
fn an_idle_session_is_small() {
    let mut session = session(Kind::Mta);
    run(&mut session, &[b"EHLO c.test\r\n".as_slice(), &b"NOOP\r\n".repeat(5000)].concat());
    assert_eq!((session.input.pending().len(), session.output.len()), (0, 0));
    assert!(format!("{:?}", session.input).contains("buffer: []"));
    assert!(size_of::<Session>() <= 1024, "{}", size_of::<Session>());
}

#[test]
fn what_a_client_can_make_a_session_hold_is_bounded() {
    // An endless command, an endless message, endless chunks: each held by its limit.
    let mut session = session(Kind::Mta);
    run(&mut session, &[b'x'; 1_000_000]);
    assert!(session.input.pending().len() <= 2048);
    run(&mut session, b"\r\nEHLO c.test\r\nMAIL FROM:<> SIZE=1000000\r\nRCPT TO:<a@b.test>\r\nDATA\r\n");
    run(&mut session, &b"0123456789\r\n".repeat(50_000));
    let State::Data(data) = &session.state else { panic!("{:?}", session.state) };
    assert_eq!(data.content.fault(), None);
    run(&mut session, &b"0123456789\r\n".repeat(50_000));
    let State::Data(data) = &session.state else { panic!("{:?}", session.state) };
    assert_eq!(data.content.held_bytes(), 0, "beyond the limit nothing is held");
    let (output, _) = run(&mut session, b".\r\n");
    assert!(output.starts_with("552 5.3.4 "), "{output}");
}

#[test]
fn replies_that_may_not_be_held_back_are_flushed() {
    // RFC 2920 §3.2 (5), (6)
    let mut session = session(Kind::Mta);
    run(&mut session, b"EHLO c.test\r\n");
    for first in ["NOOP", "FOO", "VRFY a", "EHLO c.test", "HELP", "DATA"] {
        session.feed(format!("{first}\r\nRSET\r\nRSET\r\n").as_bytes());
        assert!(matches!(session.step(0), Step::Flush), "{first}");
        session.output().clear();
        assert!(matches!(session.step(0), Step::NeedInput), "RSET may wait for its group");
        assert_eq!(session.output().iter().filter(|b| **b == b'\n').count(), 2);
        session.output().clear();
    }
}

#[test]
fn a_wrong_answer_kills_the_session_only() {
    let mut session = session(Kind::Mta);
    run(&mut session, b"EHLO c.test\r\n");
    session.feed(b"MAIL FROM:<>\r\nNOOP\r\n");
    assert!(matches!(session.step(0), Step::Ask(Ask::Sender(_))));
    assert!(matches!(session.step(0), Step::NeedInput), "nothing happens until the answer");
    session.answer(Answer::Deliver(Vec::new()));
    let (output, end) = run(&mut session, b"");
    assert!(output.starts_with("421 4.3.0 mx.test ") && matches!(end, Step::Close), "{output}");
    assert_eq!(session.facts().end, End::Refused);
    session.feed(b"NOOP\r\n");
    session.shut_down();
    session.timed_out();
    assert!(matches!(session.step(0), Step::Close) && session.output().is_empty(), "over is over");
}

#[test]
fn too_few_outcomes_are_never_a_yes() {
    for (kind, hello, count) in [(Kind::Mta, "EHLO", 1), (Kind::Lmtp, "LHLO", 2)] {
        let mut session = session(kind);
        let text =
            format!("{hello} c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\nRCPT TO:<a@b.c>\r\nDATA\r\n.\r\n");
        let (_, step) = run(&mut session, text.as_bytes());
        assert!(matches!(step, Step::Ask(Ask::Deliver(_))));
        session.answer(Answer::Deliver(Vec::new()));
        let (output, _) = run(&mut session, b"");
        assert_eq!(output.matches("451 4.3.0").count(), count, "{output}");
        assert_eq!(session.facts().messages, 0);
    }
}

#[test]
fn nothing_of_before_tls_is_used_after() {
    let mut session = session(Kind::Mta);
    let (_, step) = run(&mut session, b"EHLO c.test\r\nMAIL FROM:<>\r\nSTARTTLS\r\nRCPT TO:<a@b.test>\r\nRS");
    assert!(matches!(step, Step::StartTls));
    session.feed(b"ET\r\n");
    session.tls_started(TlsInfo::default());
    assert!(session.transaction.is_none() && session.client.greeting == Greeting::None);
    let (output, _) = run(&mut session, b"NOOP\r\n");
    assert_eq!(output, "250 2.0.0 Still here\r\n");
}

#[test]
fn patience_depends_on_the_state() {
    let mut session = session(Kind::Mta);
    run(&mut session, b"EHLO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\n");
    assert_eq!(session.patience(), Duration::from_secs(300));
    run(&mut session, b"DATA\r\n");
    assert_eq!(session.patience(), Duration::from_secs(180));
    session.timed_out();
    let (output, step) = run(&mut session, b"");
    assert!(output.starts_with("421 4.4.2 ") && matches!(step, Step::Close));
    assert_eq!(session.facts().end, End::TimedOut);
}
