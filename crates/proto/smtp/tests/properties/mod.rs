//! Whatever comes, in whatever pieces: the same replies and deliveries, no panic, bounded output.

use crate::world::World;
use proptest::prelude::*;
use wire::{Session as _, Step};

/// All that a session did with its input.
#[derive(PartialEq, Debug)]
struct Course {
    output: String,
    messages: Vec<String>,
    closed: bool,
    facts: wire::Facts,
}

fn course(kind: &str, chunks: &[&[u8]]) -> Course {
    let head = [
        ("kind", kind),
        ("boxes", "a@x.test b@x.test"),
        ("users", "tim:secret"),
        ("tls", "starttls"),
        ("plaintext_auth", "yes"),
        ("limits", "message=200 discard=400 recipients=3 errors=30"),
    ];
    let mut world = World::new(head.into_iter());
    let mut session = world.session();
    let mut output = Vec::new();
    let mut closed = false;
    let mut run = |session: &mut smtp::Session, closed: &mut bool| {
        for _ in 0..100_000 {
            let step = session.step(0);
            assert!(session.output().len() < wire::FLUSH_BYTES + 10_000, "back-pressure");
            output.append(session.output());
            match step {
                Step::NeedInput => return,
                Step::Flush => {}
                Step::Ask(ask) => {
                    let answer = world.answer(ask);
                    session.answer(answer);
                }
                // Input in clear behind STARTTLS depends on the split; what is inside TLS is another matter.
                Step::StartTls | Step::Deflate(_) | Step::Close => return *closed = true,
            }
        }
        panic!("the session spins");
    };
    run(&mut session, &mut closed);
    for chunk in chunks {
        if closed {
            break;
        }
        session.feed(chunk);
        run(&mut session, &mut closed);
    }
    let text = |octets: Vec<u8>| octets.escape_ascii().to_string();
    let messages = world.deliveries.into_iter().map(|delivery| text(delivery.message)).collect();
    let output = String::from_utf8(output).expect("replies are UTF-8");
    Course { output, messages, closed, facts: session.facts() }
}

/// Things that a client may say, right and wrong.
fn saying() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static [u8]> = vec![
        b"EHLO a.test\r\n",
        b"LHLO a.test\r\n",
        b"HELO a\r\n",
        b"MAIL FROM:<s@x.test>\r\n",
        b"MAIL FROM:<> SIZE=100\r\n",
        b"MAIL FROM:<s@x.test> BODY=BINARYMIME\r\n",
        b"RCPT TO:<a@x.test>\r\n",
        b"RCPT TO:<b@x.test>\r\n",
        b"RCPT TO:<nobody@x.test>\r\n",
        b"DATA\r\n",
        b"Subject: x\r\n\r\nhello\r\n",
        b"..dot\r\n",
        b".\r\n",
        b"\r\n.\r\n",
        b"BDAT 5\r\nab\r\nc",
        b"BDAT 3 LAST\r\nxyz",
        b"BDAT 0 LAST\r\n",
        b"BDAT 250\r\n",
        b"BDAT x\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"NOOP",
        b"VRFY a\r\n",
        b"HELP\r\n",
        b"AUTH PLAIN AHRpbQBzZWNyZXQ=\r\n",
        b"AUTH LOGIN\r\n",
        b"*\r\n",
        b"AUTH PLAIN\r\n",
        b"AHRpbQBzZWNyZXQ=\r\n",
        b"AHRpbQB3cm9uZw==\r\n",
        b"\r",
        b"\n",
        b".",
        b"\0",
        b"\xff\r\n",
        b"\n.\n",
        b"\r\n.\r",
        b"QUIT",
        b"TURN\r\n",
        b" \r\n",
        b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ];
    prop_oneof![8 => prop::sample::select(known).prop_map(<[u8]>::to_vec), 1 => prop::collection::vec(any::<u8>(), 0..20)]
}

fn kind() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["mta", "submission", "lmtp"])
}

/// A transaction is begun in most runs, so that content is reached often.
fn opening(kind: &str, deep: bool) -> Vec<u8> {
    let hello = if kind == "lmtp" { "LHLO" } else { "EHLO" };
    let auth = if kind == "submission" { "AUTH PLAIN AHRpbQBzZWNyZXQ=\r\n" } else { "" };
    match deep {
        true => {
            format!("{hello} c.test\r\n{auth}MAIL FROM:<s@x.test>\r\nRCPT TO:<a@x.test>\r\n").into_bytes()
        }
        false => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_has_the_same_course(
        kind in kind(),
        deep in any::<bool>(),
        sayings in prop::collection::vec(saying(), 0..30),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let text = [opening(kind, deep), sayings.concat()].concat();
        let whole = course(kind, &[&text]);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        prop_assert_eq!(&whole, &course(kind, &bytes));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        prop_assert_eq!(&whole, &course(kind, &pieces));
        // Strict replies: each line is a code, a sign, and text without CR, LF or control characters.
        for line in whole.output.split_terminator("\r\n") {
            prop_assert!(line.len() <= 510 && line.as_bytes()[..3].iter().all(u8::is_ascii_digit), "{}", line);
            prop_assert!(matches!(line.as_bytes()[3], b' ' | b'-') && !line.chars().any(char::is_control), "{}", line);
        }
        for message in &whole.messages {
            prop_assert!(message.starts_with("Received: from "));
            prop_assert!(message.len() < 200 * 4 + 500, "limit and trace field");
        }
    }

    #[test]
    fn any_octets_are_survived(kind in kind(), octets in prop::collection::vec(any::<u8>(), 0..3000)) {
        let whole = course(kind, &[&octets]);
        prop_assert!(whole.messages.is_empty());
    }
}
