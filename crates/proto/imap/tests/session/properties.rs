//! Any input, cut in any way: the same output, no panic, bounded memory.

use crate::replica::run;
use crate::world::{NOW, World, simple};
use crate::{connection, prepare};
use imap::Session;
use model::FlagSet;
use proptest::prelude::*;
use std::sync::Arc;
use wire::{Session as _, Step, TlsMode};

fn fresh() -> (Session, World) {
    let mut world = World::new();
    let inbox = world.find("INBOX").expect("an inbox");
    for number in 1..=5 {
        world.deliver(inbox, simple(number).as_bytes(), FlagSet::NONE, NOW);
    }
    (Session::new(connection(TlsMode::None, true), Arc::default()), world)
}

/// Commands that a client might send, some of them wrong.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "a LOGIN joe secret\r\n",
        "b SELECT INBOX\r\n",
        "b EXAMINE INBOX\r\n",
        "c FETCH 1:* (FLAGS UID BODY[])\r\n",
        "c FETCH 2 (BODY[HEADER.FIELDS (Subject From)] RFC822.SIZE ENVELOPE BODYSTRUCTURE)\r\n",
        "c FETCH 9 FLAGS\r\n",
        "c FETCH 1:* (BINARY[1]<2.3> BINARY.SIZE[] PREVIEW (LAZY) PREVIEW)\r\n",
        "c UID FETCH 1:* (FLAGS) (CHANGEDSINCE 3 VANISHED PARTIAL -1:-2)\r\n",
        "c REPLACE 2 INBOX (\\Draft) {6+}\r\na: b\r\n\r\n",
        "c UID REPLACE 3 INBOX ~{7}\r\na: b\r\n\0\r\n",
        "b ENABLE QRESYNC UTF8=ACCEPT\r\n",
        "b ENABLE IMAP4rev2\r\n",
        "b ENABLE UIDONLY\r\n",
        "b SELECT INBOX (QRESYNC (1001 3 1:9 (1,3 1,3)))\r\n",
        "b UNAUTHENTICATE\r\n",
        "b COMPRESS DEFLATE\r\n",
        "b GETQUOTAROOT INBOX\r\n",
        "b SETQUOTA \"\" (STORAGE 10)\r\n",
        "b SETACL INBOX me lrse\r\n",
        "b SETACL INBOX me +ip\r\n",
        "b SETACL INBOX me -r\r\n",
        "b DELETEACL INBOX me\r\n",
        "b GETACL INBOX\r\n",
        "b LISTRIGHTS INBOX {4+}\r\nFred\r\n",
        "b MYRIGHTS inbox\r\n",
        "h LIST \"\" % RETURN (MYRIGHTS STATUS (UNSEEN))\r\n",
        "c UID SEARCH RETURN (SAVE PARTIAL 2:9 MIN) ALL\r\n",
        "c SORT (REVERSE DATE SUBJECT) UTF-8 ALL\r\n",
        "c UID SORT RETURN (MIN ALL PARTIAL 1:2) (SIZE) US-ASCII 1:3\r\n",
        "c UID SORT RETURN (SAVE COUNT MAX) (REVERSE FROM) UTF-8 MODSEQ 3\r\n",
        "c THREAD REFERENCES UTF-8 UNSEEN\r\n",
        "x UID SEARCH RETURN (UPDATE ALL) DELETED\r\n",
        "y SORT RETURN (UPDATE CONTEXT) (REVERSE DATE) UTF-8 1:3\r\n",
        "c CANCELUPDATE \"x\"\r\n",
        "c UID THREAD ORDEREDSUBJECT UTF-8 ALL\r\n",
        "d STORE 1:3 +FLAGS (\\Deleted $x)\r\n",
        "e EXPUNGE\r\n",
        "f SEARCH SUBJECT {7}\r\nmessage\r\n",
        "f UID SEARCH RETURN (ALL COUNT) SUBJECT {7+}\r\nmessage\r\n",
        "f ESEARCH IN (selected subtree {3+}\r\nnew mailboxes (INBOX {1}\r\na)) RETURN (MAX) MODSEQ 1 2:9\r\n",
        "f ESEARCH IN (personal) RETURN (MAX COUNT) OR MODSEQ 1 2:9\r\n",
        "f ESEARCH IN (personal mailboxes new) RETURN (MIN PARTIAL 1:2) MODSEQ 1\r\n",
        "f UID ESEARCH RETURN (SAVE UPDATE ALL) NOT 2\r\n",
        "f ESEARCH IN (subtree-one \"\") OR FILTER y RECENT\r\n",
        "g APPEND INBOX {6+}\r\nab\r\ncd\r\n",
        "g APPEND INBOX {6}\r\nab\r\ncd\r\n",
        "h LIST \"\" *\r\n",
        "i IDLE\r\nDONE\r\n",
        "i IDLE\r\nnot done\r\n",
        "j AUTHENTICATE PLAIN\r\n*\r\n",
        "j AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=\r\n",
        "k STATUS INBOX (MESSAGES UIDNEXT)\r\n",
        "k SETMETADATA INBOX (/private/comment {2+}\r\nhi /shared/vendor/a/b ~{1+}\r\n\0)\r\n",
        "k GETMETADATA INBOX (MAXSIZE 1 DEPTH infinity) (/private /shared/none)\r\n",
        "k NOTIFY SET STATUS (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (PERSONAL (MessageNew MessageExpunge MailboxName))\r\n",
        "k NOTIFY SET (SELECTED-DELAYED (MessageNew (BODY[]) MessageExpunge)) (SUBTREE new (MailboxName SubscriptionChange MailboxMetadataChange))\r\n",
        "k NOTIFY SET (MAILBOXES (INBOX new) NONE)\r\n",
        "k NOTIFY NONE\r\n",
        "k SETMETADATA \"\" (/private/filters/values/x \"OR FILTER x ALL\" /private/filters/values/y SEEN)\r\n",
        "k SETMETADATA \"\" (/private/filters/values/y \"UNSEEN\")\r\n",
        "k SEARCH RETURN (SAVE) OR FILTER y FILTER x\r\n",
        "k UID SEARCH NOT FILTER y\r\n",
        "k ENABLE METADATA\r\n",
        "k LIST \"\" * RETURN (METADATA (/private/comment))\r\n",
        "l NOOP\r\n",
        "m COPY 1:2 INBOX\r\n",
        "n CREATE new\r\n",
        "o CLOSE\r\n",
        "p bogus\r\n",
        "q NOOP\n",
        "\r\n",
    ]);
    prop_oneof![
        8 => known.prop_map(|line| line.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

/// Feeds the bytes cut at these places.
fn play(bytes: &[u8], cuts: &[usize]) -> String {
    let (mut session, mut world) = fresh();
    let mut said = run(&mut session, 1, &mut world, b"");
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let end = end.min(bytes.len()).max(start);
        if session.facts().end != wire::End::Open {
            break;
        }
        said.push_str(&run(&mut session, 1, &mut world, &bytes[start..end]));
        start = end;
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_cut_gives_the_same_output(
        lines in proptest::collection::vec(line(), 1..14),
        mut cuts in proptest::collection::vec(0usize..600, 0..12),
    ) {
        let bytes = lines.concat();
        cuts.sort_unstable();
        let every: Vec<usize> = (0..bytes.len()).collect();
        let whole = play(&bytes, &[]);
        prop_assert_eq!(&play(&bytes, &cuts), &whole);
        prop_assert_eq!(&play(&bytes, &every), &whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (mut session, mut world) = fresh();
        run(&mut session, 1, &mut world, b"a LOGIN joe secret\r\nb SELECT INBOX\r\n");
        run(&mut session, 1, &mut world, &bytes);
    }
}

/// A message larger than a chunk streams through: never more than a few chunks are held, and every octet arrives.
#[test]
fn a_large_message_streams() {
    let (mut session, mut world) = fresh();
    let body: String = (0..60_000).map(|line| format!("line number {line:>30}\r\n")).collect();
    let message = format!("Subject: large\r\n\r\n{body}");
    assert!(message.len() > 2 * 1024 * 1024);
    let inbox = world.find("INBOX").expect("an inbox");
    world.deliver(inbox, message.as_bytes(), FlagSet::NONE, NOW);
    for digests in [false, true] {
        world.digests = digests;
        run(&mut session, 1, &mut world, b"a LOGIN joe secret\r\nb SELECT INBOX\r\n");
        for (items, wanted) in [
            ("BODY.PEEK[]", &message[..]),
            ("RFC822.PEEK", ""),
            ("BODY.PEEK[TEXT]", &body[..]),
            ("BODY.PEEK[1]", &body[..]),
            ("BODY.PEEK[HEADER]", "Subject: large\r\n\r\n"),
            ("BODY.PEEK[]<1000000.1500000>", &message[1_000_000..2_500_000]),
            ("BODY.PEEK[TEXT]<2000000.10>", &body[2_000_000..2_000_010]),
        ] {
            let command = format!("c FETCH 6 (UID {items} FLAGS)\r\n");
            let (said, most) = measured(&mut session, &mut world, &command);
            assert!(most < CHUNK + 2 * wire::FLUSH_BYTES, "{items}: {most} octets at once");
            if wanted.is_empty() {
                continue;
            }
            assert!(said.contains(wanted) && said.contains(&format!("{{{}}}\r\n", wanted.len())), "{items}");
            assert!(said.contains(" FLAGS (") && said.ends_with("c OK FETCH completed\r\n"), "{items}");
        }
        // Many items, each of them large.
        let many: Vec<String> = (1..200).map(|n| format!("BODY.PEEK[1]<{n}.1000000>")).collect();
        let command = format!("c FETCH 6 ({})\r\n", many.join(" "));
        let (said, most) = measured(&mut session, &mut world, &command);
        assert!(said.len() > 199_000_000 && said.ends_with("c OK FETCH completed\r\n"));
        assert!(most < CHUNK + 2 * wire::FLUSH_BYTES, "{most} octets at once");
    }
}

/// What the store gives at most in one answer.
const CHUNK: usize = 1024 * 1024;

/// What a session says to a command, and the most that it had ready at once.
fn measured(session: &mut Session, world: &mut World, command: &str) -> (String, usize) {
    session.feed(command.as_bytes());
    let (mut said, mut most) = (Vec::new(), 0);
    loop {
        let step = session.step(NOW);
        most = most.max(session.output().len());
        match step {
            Step::Ask(ask) => {
                let answer = world.answer(1, ask);
                session.answer(answer);
            }
            Step::Flush => said.append(session.output()),
            _ => break,
        }
    }
    said.append(session.output());
    (String::from_utf8(said).expect("ASCII"), most)
}

/// Five thousand messages leave in pieces.
#[test]
fn a_large_fetch_is_flushed() {
    let (mut session, mut world) = fresh();
    let inbox = world.find("INBOX").expect("an inbox");
    for number in 6..=5000 {
        world.deliver(inbox, simple(number).as_bytes(), FlagSet::NONE, NOW);
    }
    run(&mut session, 1, &mut world, b"a LOGIN joe secret\r\nb SELECT INBOX\r\n");
    session.feed(b"c UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)\r\n");
    let (mut lines, mut most) = (0, 0);
    loop {
        match session.step(NOW) {
            Step::Ask(ask) => {
                let answer = world.answer(1, ask);
                session.answer(answer);
            }
            Step::Flush | Step::NeedInput if !session.output().is_empty() => {
                most = most.max(session.output().len());
                lines += session.output().iter().filter(|byte| **byte == b'\n').count();
                session.output().clear();
            }
            Step::NeedInput => break,
            _ => panic!("neither"),
        }
    }
    assert_eq!(lines, 5001);
    assert!(most < 2 * wire::FLUSH_BYTES, "{most}");
}

/// What an idle connection costs (DESIGN.md §2): the session itself, before shared views.
#[test]
fn an_idle_session_is_small() {
    assert!(size_of::<Session>() <= 448, "{}", size_of::<Session>());
    let world = prepare(&transcript::Header::default());
    assert_eq!(world.mailboxes.len(), 1);
}

#[test]
fn a_long_search_tells_its_progress() {
    let (mut session, mut world) = fresh();
    world.page = 1;
    let inbox = world.find("INBOX").expect("an inbox");
    let there = world.mailboxes[&inbox].messages.len();
    for number in there..8 {
        let number = u32::try_from(number).expect("few");
        world.deliver(inbox, simple(number).as_bytes(), FlagSet::NONE, NOW);
    }
    run(&mut session, 1, &mut world, b"l LOGIN joe secret\r\ns SELECT INBOX\r\n");
    let mut search = |tag: &str| {
        let (mut now, mut said, mut flushed) = (NOW, Vec::new(), 0);
        session.feed(format!("{tag} SEARCH TEXT \"this will be slow\"\r\n").as_bytes());
        loop {
            match session.step(now) {
                Step::Ask(ask) => {
                    now += 4;
                    let answer = world.answer(1, ask);
                    session.answer(answer);
                }
                Step::Flush => {
                    flushed += 1;
                    said.append(session.output());
                }
                _ => break,
            }
        }
        said.append(session.output());
        assert_eq!(flushed, 2, "each leaves at once");
        String::from_utf8(said).expect("ASCII")
    };
    // RFC 9585 §4: every 10 to 15 seconds; a tag with ] can't be named.
    let told = |tag: &str, own: &str| {
        format!(
            "* OK [INPROGRESS ({own} 3 8)] Processed 37% of the messages\r\n\
             * OK [INPROGRESS ({own} 6 8)] Processed 75% of the messages\r\n\
             * SEARCH\r\n{tag} OK SEARCH completed\r\n"
        )
    };
    assert_eq!(search("A001"), told("A001", "\"A001\""));
    assert_eq!(search("A]1"), told("A]1", "NIL"));
}

#[test]
fn a_search_of_many_mailboxes_tells_its_progress() {
    let (mut session, mut world) = fresh();
    world.page = 1;
    for name in ["one", "two", "three"] {
        let id = world.create(name, None);
        world.deliver(id, simple(1).as_bytes(), FlagSet::NONE, NOW);
        world.deliver(id, simple(2).as_bytes(), FlagSet::NONE, NOW);
    }
    run(&mut session, 1, &mut world, b"l LOGIN joe secret\r\n");
    session.feed(b"A1 ESEARCH IN (mailboxes (one two three)) ALL\r\n");
    let (mut now, mut said, mut flushed) = (NOW, Vec::new(), 0);
    loop {
        match session.step(now) {
            Step::Ask(ask) => {
                now += 4;
                let answer = world.answer(1, ask);
                session.answer(answer);
            }
            Step::Flush => {
                flushed += 1;
                said.append(session.output());
            }
            _ => break,
        }
    }
    said.append(session.output());
    assert_eq!(flushed, 2, "each leaves at once");
    let found = |name: &str, validity| {
        format!("* ESEARCH (TAG \"A1\" MAILBOX \"{name}\" UIDVALIDITY {validity}) UID ALL 1:2\r\n")
    };
    let validity = |name: &str| world.mailboxes[&world.find(name).expect("made above")].uid_validity;
    let lines: String = ["one", "two", "three"].iter().map(|name| found(name, validity(name))).collect();
    let said = String::from_utf8(said).expect("ASCII");
    let (progress, rest): (Vec<&str>, Vec<&str>) =
        said.split_inclusive("\r\n").partition(|line| line.starts_with("* OK [INPROGRESS"));
    assert_eq!(rest.concat(), format!("{lines}A1 OK ESEARCH completed\r\n"));
    let told = |done: u32| format!("* OK [INPROGRESS (\"A1\" {done} 3)] Searching mailboxes\r\n");
    assert_eq!(progress, [told(1), told(2)]);
}
