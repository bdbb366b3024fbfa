//! Splits, limits and floods.

use super::*;
use crate::command::Body;
use crate::mailbox_name::NameEncoding;
use crate::parse::parse_received;
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    line_bytes_max: 100,
    command_bytes_max: 200,
    message_bytes_max: 1000,
    nonsync_bytes_max: 500,
    swallow_bytes_max: 2000,
};

/// What comes out, with commands as text.
#[derive(PartialEq, Eq, Debug, Clone)]
enum Out {
    Continue,
    Command(String, Vec<Vec<u8>>),
    Refused(Option<String>, Refusal),
    Flooded,
}

fn command(text: &str) -> Out {
    Out::Command(text.to_owned(), Vec::new())
}

fn refused(tag: &str, why: Refusal) -> Out {
    Out::Refused((!tag.is_empty()).then(|| tag.to_owned()), why)
}

fn run(chunks: &[&[u8]], limits: &Limits) -> Vec<Out> {
    let (mut input, mut receiver, mut out) = (Input::default(), Receiver::default(), Vec::new());
    for chunk in chunks {
        input.feed(chunk);
        loop {
            out.push(match receiver.next(&mut input, limits) {
                Event::NeedInput => break,
                Event::Continue => Out::Continue,
                Event::Command(received) => Out::Command(
                    String::from_utf8_lossy(&received.text).into_owned(),
                    received.detached.into_iter().map(|detached| detached.bytes).collect(),
                ),
                Event::Refused { tag, why } => Out::Refused(tag, why),
                Event::Flooded => {
                    out.push(Out::Flooded);
                    return out;
                }
            });
        }
        let held = receiver.received.len();
        assert!(held <= limits.command_bytes_max + limits.line_bytes_max + 1000, "{held} octets held");
    }
    out
}

fn check(text: &[u8], wanted: &[Out]) {
    let shown = String::from_utf8_lossy(text);
    assert_eq!(run(&[text], &LIMITS), wanted, "{shown}");
    let bytes: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(run(&bytes, &LIMITS), wanted, "one byte at a time: {shown}");
}

#[test]
fn lines_and_literals() {
    check(b"a NOOP\r\nb NOOP\r\n", &[command("a NOOP"), command("b NOOP")]);
    check(
        b"A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man\r\n",
        &[Out::Continue, Out::Continue, command("A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man")],
    );
    check(b"a LOGIN {1+}\r\nx {2+}\r\n\r\n\r\n", &[command("a LOGIN {1+}\r\nx {2+}\r\n\r\n")]);
    check(b"a LOGIN {0}\r\n y\r\n", &[Out::Continue, command("a LOGIN {0}\r\n y")]);
    check(b"a X \"{5}\"\r\n", &[command("a X \"{5}\"")]);
    check(b"a NOOP {}\r\nb NOOP {x5}\r\n", &[command("a NOOP {}"), command("b NOOP {x5}")]);
    check(b"\r\n", &[command("")]);
}

#[test]
fn a_command_that_does_not_exist_gets_no_literal() {
    check(
        b"A044 BLURDYBLOOP {102856}\r\na NOOP\r\n",
        &[command("A044 BLURDYBLOOP {102856}"), command("a NOOP")],
    );
}

#[test]
fn messages_are_kept_apart() {
    let message = |text: &str, messages: &[&[u8]]| {
        Out::Command(text.to_owned(), messages.iter().map(|message| message.to_vec()).collect())
    };
    check(b"a APPEND x {5}\r\nhello\r\n", &[Out::Continue, message("a APPEND x {5}\r\n", &[b"hello"])]);
    check(
        b"a append {1+}\r\nx (\\Seen) {5+}\r\nhello {2+}\r\n\r\n\r\n",
        &[message("a append {1+}\r\nx (\\Seen) {5+}\r\n {2+}\r\n", &[b"hello", b"\r\n"])],
    );
    check(b"a APPEND x ~{3+}\r\n\0\r\n\r\n", &[message("a APPEND x ~{3+}\r\n", &[b"\0\r\n"])]);
    check(b"a REPLACE 4 x {5+}\r\nhello\r\n", &[message("a REPLACE 4 x {5+}\r\n", &[b"hello"])]);
    check(
        b"a uid replace 4 {1+}\r\nx {5+}\r\nhello\r\n",
        &[message("a uid replace 4 {1+}\r\nx {5+}\r\n", &[b"hello"])],
    );
    let big = [b"a APPEND x {1000+}\r\n".as_slice(), &[b'x'; 1000], b"\r\n"].concat();
    let limits = Limits { nonsync_bytes_max: u64::MAX, ..LIMITS };
    assert_eq!(run(&[&big], &limits), [message("a APPEND x {1000+}\r\n", &[&[b'x'; 1000]])]);
}

#[test]
fn what_was_received_can_be_read() {
    let mut input = Input::default();
    input.feed(b"a APPEND {1+}\r\nx {5+}\r\nhello {3+}\r\nbye\r\n");
    let Event::Command(received) = Receiver::default().next(&mut input, &LIMITS) else { panic!() };
    assert_eq!(received.tag(), Some("a"));
    let Body::Append { mailbox, messages } = parse_received(received, NameEncoding::default()).unwrap().body
    else {
        panic!()
    };
    assert_eq!(mailbox, "x");
    let contents: Vec<&[u8]> = messages
        .iter()
        .map(|message| match &message.data {
            crate::command::AppendData::Literal(_, content) => content.0.as_slice(),
            crate::command::AppendData::Catenate(_) => panic!("{message:?}"),
        })
        .collect();
    assert_eq!(contents, [b"hello".as_slice(), b"bye"]);
}

#[test]
fn too_large_is_refused_before_it_is_read() {
    // A synchronising literal is not asked for; the client goes on with its next command.
    check(b"a APPEND x {1001}\r\nb NOOP\r\n", &[refused("a", Refusal::MessageTooBig), command("b NOOP")]);
    check(b"a LOGIN {201}\r\nb NOOP\r\n", &[refused("a", Refusal::CommandTooLong), command("b NOOP")]);
    check(
        b"a APPEND x {9223372036854775807}\r\nb NOOP\r\n",
        &[refused("a", Refusal::MessageTooBig), command("b NOOP")],
    );
    // A non-synchronising one is dropped, with the rest of its command and the literals in it.
    let text = [b"a LOGIN {300+}\r\n".as_slice(), &[b'\n'; 300], b" {3+}\r\na\rb {4}\r\nb NOOP\r\n"].concat();
    check(&text, &[refused("a", Refusal::CommandTooLong), command("b NOOP")]);
    let text = [b"a APPEND x {501+}\r\n".as_slice(), &[b'x'; 501], b"\r\nb NOOP\r\n"].concat();
    check(&text, &[refused("a", Refusal::NonsyncTooBig), command("b NOOP")]);
    // Several messages count together.
    let text = [b"a APPEND x {500+}\r\n".as_slice(), &[b'x'; 500], b" {501}\r\nb NOOP\r\n"].concat();
    check(&text, &[refused("a", Refusal::MessageTooBig), command("b NOOP")]);
    // So do the literals and lines of a command.
    let text = [b"a LOGIN {90+}\r\n".as_slice(), &[b'x'; 90], b" {90+}\r\n", &[b'x'; 90], b"\r\nb NOOP\r\n"]
        .concat();
    check(&text, &[refused("a", Refusal::CommandTooLong), command("b NOOP")]);
}

#[test]
fn an_absurd_literal_ends_the_connection() {
    check(b"a LOGIN {1073741824+}\r\nxx", &[refused("a", Refusal::NonsyncTooBig), Out::Flooded]);
    check(b"a LOGIN {9223372036854775807+}\r\nxx", &[refused("a", Refusal::NonsyncTooBig), Out::Flooded]);
}

#[test]
fn an_endless_line_is_answered_at_once_and_then_ends_the_connection() {
    let text = [b"a LOGIN ".as_slice(), &[b'x'; 5000]].concat();
    check(&text, &[refused("a", Refusal::LineTooLong), Out::Flooded]);
    let text = [b"a LOGIN ".as_slice(), &[b'x'; 500], b"\r\nb NOOP\r\n"].concat();
    check(&text, &[refused("a", Refusal::LineTooLong), command("b NOOP")]);
    // The literal at the end of such a line is no command.
    let text = [b"a LOGIN ".as_slice(), &[b'x'; 500], b" {8+}\r\nb NOOP\r\n\r\nc NOOP\r\n"].concat();
    check(&text, &[refused("a", Refusal::LineTooLong), command("c NOOP")]);
    assert_eq!(run(&[&[b'x'; 98], b"\r\n"], &LIMITS).len(), 1, "the limit counts the CRLF");
    assert_eq!(run(&[&[b'x'; 99]], &LIMITS), [refused("", Refusal::LineTooLong)]);
}

#[test]
fn before_login_no_more_than_a_little_is_swallowed() {
    let chunk = [b'x'; 4096];
    let (mut input, mut receiver) = (Input::default(), Receiver::default());
    let (mut fed, mut answered) = (0_u64, None);
    loop {
        input.feed(&chunk);
        fed += chunk.len() as u64;
        match receiver.next(&mut input, &Limits::BEFORE_LOGIN) {
            Event::NeedInput => {}
            Event::Refused { .. } => answered = Some(fed),
            Event::Flooded => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(answered.is_some_and(|answered| answered <= 12 * 1024), "{answered:?}");
    assert!(fed <= 80 * 1024, "{fed}");
}

#[test]
fn bare_endings_and_nul() {
    check(b"a NOOP\nb NOOP\r\n", &[refused("a", Refusal::BareEnding), command("b NOOP")]);
    check(b"a NO\rOP\r\nb NOOP\r\n", &[refused("a", Refusal::BareEnding), command("b NOOP")]);
    check(b"a NO\0OP\r\nb NOOP\r\n", &[refused("a", Refusal::Nul), command("b NOOP")]);
    check(b"a LOGIN {3+}\r\nx\0y {2+}\r\nzz\r\nb NOOP\r\n", &[refused("a", Refusal::Nul), command("b NOOP")]);
    check(b"a APPEND x {3+}\r\nx\0y\r\nb NOOP\r\n", &[refused("a", Refusal::Nul), command("b NOOP")]);
}

#[test]
fn an_announcement_alone_costs_no_memory() {
    let limits = Limits::after_login(50 << 20);
    let (mut input, mut receiver) = (Input::default(), Receiver::default());
    input.feed(b"a APPEND x {50000000}\r\n");
    assert_eq!(receiver.next(&mut input, &limits), Event::Continue);
    input.feed(b"x");
    assert_eq!(receiver.next(&mut input, &limits), Event::NeedInput);
    assert!(receiver.received.detached[0].bytes.capacity() <= 64 * 1024);
    input.feed(&[b'x'; 1 << 20]);
    assert_eq!(receiver.next(&mut input, &limits), Event::NeedInput);
    input.feed(b"x");
    assert_eq!(receiver.next(&mut input, &limits), Event::NeedInput);
    assert_eq!(receiver.received.detached[0].bytes.capacity(), 50_000_000, "room for all of it, and no more");
}

#[test]
fn a_session_can_refuse_a_literal_itself() {
    let (mut input, mut receiver) = (Input::default(), Receiver::default());
    input.feed(b"a APPEND x {10}\r\n");
    assert_eq!(receiver.next(&mut input, &LIMITS), Event::Continue);
    assert!(receiver.is_amid_command());
    assert_eq!(receiver.refuse_literal().tag(), Some("a"));
    assert!(!receiver.is_amid_command());
    input.feed(b"b NOOP\r\n");
    assert!(matches!(receiver.next(&mut input, &LIMITS), Event::Command(_)));
}

#[test]
fn lines_that_are_no_commands() {
    let (mut input, mut receiver) = (Input::default(), Receiver::default());
    input.feed(b"DONE");
    assert_eq!(receiver.line(&mut input, &LIMITS), Line::NeedInput);
    input.feed(b"\r\nx {5}\r\n*\nDONE\r\n");
    assert_eq!(receiver.line(&mut input, &LIMITS), Line::Line(b"DONE".to_vec()));
    assert_eq!(receiver.line(&mut input, &LIMITS), Line::Line(b"x {5}".to_vec()));
    assert_eq!(receiver.line(&mut input, &LIMITS), Line::Refused(Refusal::BareEnding));
    assert_eq!(receiver.line(&mut input, &LIMITS), Line::Line(b"DONE".to_vec()));
    input.feed(&[b'x'; 3000]);
    assert_eq!(receiver.line(&mut input, &LIMITS), Line::Refused(Refusal::LineTooLong));
    assert_eq!(receiver.line(&mut input, &LIMITS), Line::Flooded);
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        parts in proptest::collection::vec(prop_oneof![
            Just(b"a NOOP".to_vec()), Just(b"\r\n".to_vec()), Just(b"\n".to_vec()), Just(b"b APPEND x".to_vec()),
            Just(b" {3}\r\n".to_vec()), Just(b" {3+}\r\n".to_vec()), Just(b" ~{4+}\r\n".to_vec()),
            Just(b" {150+}\r\n".to_vec()), Just(b" {3000+}\r\n".to_vec()), Just(b"\r".to_vec()), Just(b"\0".to_vec()),
            Just(vec![b'x'; 70]), any::<Vec<u8>>(),
        ], 0..30),
        sizes in proptest::collection::vec(1_usize..40, 1..20),
    ) {
        let text = parts.concat();
        let mut chunks = Vec::new();
        let (mut rest, mut sizes) = (text.as_slice(), sizes.iter().cycle());
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at(rest.len().min(*sizes.next().unwrap_or(&1)));
            chunks.push(chunk);
            rest = behind;
        }
        prop_assert_eq!(run(&chunks, &LIMITS), run(&[&text], &LIMITS));
    }
}
