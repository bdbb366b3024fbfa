//! Several clients on one mailbox. Each keeps a replica built from nothing but what its session told it; after a NOOP the
//! replica equals the store, whatever the others did in between, and no number ever shifted under FETCH, STORE, SEARCH
//! (RFC 9051 §7.5.1, RFC 3501 §5.5).

use crate::connection;
use crate::world::{NOW, World, simple};
use imap::Session;
use model::{Flag, FlagSet};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wire::{Deflating, Session as _, Step, TlsMode};

/// Runs a session until it wants input; gives what it said.
pub fn run(session: &mut Session, client: u8, world: &mut World, bytes: &[u8]) -> String {
    let mut said = Vec::new();
    let nothing: [&[u8]; 1] = [b""];
    let pieces = bytes.chunks(wire::FEED_BYTES_MAX);
    for piece in pieces.chain(nothing) {
        session.feed(piece);
        loop {
            match session.step(NOW) {
                Step::Ask(ask) => {
                    let answer = world.answer(client, ask);
                    session.answer(answer);
                }
                Step::Flush => said.append(session.output()),
                Step::Deflate(Deflating::Start { unread }) => session.feed(&unread),
                Step::Deflate(Deflating::Stop) => {}
                Step::NeedInput | Step::Close | Step::StartTls => break,
            }
        }
        said.append(session.output());
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Lines with the literals in them left out.
fn logical_lines(mut said: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    while let Some((line, rest)) = said.split_once("\r\n") {
        said = rest;
        let last = lines.last_mut().expect("never empty");
        last.push_str(line);
        let literal = line.strip_suffix('}').and_then(|line| line.rsplit_once('{')?.1.parse::<usize>().ok());
        match literal {
            Some(length) => said = &rest[length..],
            None => lines.push(String::new()),
        }
    }
    lines
}

/// What a client knows of one message.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    uid: Option<u32>,
    flags: Option<BTreeSet<String>>,
}

struct Client {
    number: u8,
    session: Session,
    known: Vec<Known>,
    tags: u32,
    idle: bool,
}

impl Client {
    fn new(number: u8, world: &mut World) -> Client {
        let mut session = Session::new(connection(TlsMode::None, true), Arc::default());
        let hello = run(&mut session, number, world, b"l LOGIN joe secret\r\ns SELECT INBOX\r\n");
        assert!(hello.contains("s OK [READ-WRITE]"), "{hello}");
        let mut client = Client { number, session, known: Vec::new(), tags: 0, idle: false };
        client.hear(&hello, true);
        client
    }

    /// Gives a command and takes in what comes. Answers its tagged reply.
    fn command(&mut self, world: &mut World, text: &str, may_expunge: bool) -> String {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        let said = run(&mut self.session, self.number, world, format!("{tag} {text}\r\n").as_bytes());
        self.hear(&said, may_expunge);
        let reply = said.lines().last().unwrap_or_default().to_owned();
        assert!(reply.starts_with(&format!("{tag} ")) || self.idle, "{text}: {said}");
        reply
    }

    fn hear(&mut self, said: &str, may_expunge: bool) {
        for line in logical_lines(said) {
            let line = line.as_str();
            let mut words = line.split(' ');
            let (Some("*"), Some(number), Some(kind)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<usize>() else {
                if number == "SEARCH" {
                    let found = line["* SEARCH".len()..].split_whitespace();
                    let beyond =
                        found.filter(|word| word.parse::<usize>().is_ok_and(|n| n > self.known.len()));
                    assert_eq!(beyond.count(), 0, "a number that the client does not have: {line}");
                }
                if number == "VANISHED" {
                    assert!(may_expunge, "VANISHED where none may be: {said}");
                    kind.split(',').for_each(|range| self.hear_vanished(range));
                }
                continue;
            };
            match kind {
                "EXISTS" => {
                    assert!(number >= self.known.len(), "RFC 3501 §5.2: EXISTS never shrinks: {said}");
                    self.known.resize(number, Known::default());
                }
                "EXPUNGE" => {
                    assert!(may_expunge, "EXPUNGE where none may be: {said}");
                    assert!((1..=self.known.len()).contains(&number), "{said}");
                    self.known.remove(number - 1);
                }
                "FETCH" => self.hear_fetch(number, line),
                _ => {}
            }
        }
    }

    /// RFC 7162 §3.2.10.2: each UID is one that the client counts, though it may not know at which number.
    fn hear_vanished(&mut self, range: &str) {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        for gone in first.parse::<u32>().expect("a UID")..=last.parse().expect("a UID") {
            let at = self.known.iter().position(|known| known.uid == Some(gone)).or_else(|| {
                let higher = self.known.iter().position(|known| known.uid.is_some_and(|uid| uid > gone));
                let below = &self.known[..higher.unwrap_or(self.known.len())];
                below.iter().rposition(|known| known.uid.is_none())
            });
            let at = at.unwrap_or_else(|| panic!("VANISHED {gone}, which is not counted: {:?}", self.known));
            self.known.remove(at);
        }
    }

    fn hear_fetch(&mut self, number: usize, line: &str) {
        let known = self.known.get_mut(number - 1).unwrap_or_else(|| panic!("no such message: {line}"));
        if let Some(at) = line.find("UID ") {
            let digits: String = line[at + 4..].chars().take_while(char::is_ascii_digit).collect();
            let uid = digits.parse().expect("a UID");
            assert!(known.uid.is_none_or(|before| before == uid), "the number meant another message: {line}");
            known.uid = Some(uid);
        }
        if let Some(at) = line.find("FLAGS (") {
            let flags = line[at + 7..].split(')').next().expect("a list");
            known.flags = Some(
                flags.split_whitespace().filter(|flag| *flag != "\\Recent").map(str::to_owned).collect(),
            );
        }
    }

    /// What a client assumes after STORE .SILENT went well.
    fn assume(&mut self, first: usize, last: usize, mode: char, flag: &str) {
        for known in &mut self.known[first - 1..last] {
            let Some(flags) = &mut known.flags else { continue };
            match mode {
                '+' => {
                    flags.insert(flag.to_owned());
                }
                '-' => {
                    flags.remove(flag);
                }
                _ => *flags = [flag.to_owned()].into(),
            }
        }
    }
}

fn truth(world: &World, mailbox: u32) -> Vec<(u32, BTreeSet<String>)> {
    let mailbox = &world.mailboxes[&mailbox];
    let flags = |message: &crate::world::Message| {
        let system = message.flags.iter().map(|flag: Flag| flag.name().to_owned());
        let keywords =
            message.keywords.iter().map(|number| mailbox.keywords[usize::from(*number)].to_string());
        system.chain(keywords).collect()
    };
    mailbox.messages.iter().map(|(uid, message)| (*uid, flags(message))).collect()
}

#[derive(Clone, Debug)]
enum Op {
    Deliver,
    Append,
    Noop,
    Idle,
    Fetch(u8, u8),
    FetchBody(u8),
    UidFetch,
    Search,
    UidSearch,
    Store { first: u8, last: u8, mode: char, flag: &'static str, silent: bool, uid: bool },
    Expunge,
    UidExpunge,
    Copy(u8, u8),
    Move(u8, u8),
    Compare,
}

fn op() -> impl Strategy<Value = Op> {
    let flag = prop_oneof![Just("\\Seen"), Just("\\Deleted"), Just("\\Flagged"), Just("$Junk"), Just("blue")];
    let mode = prop_oneof![Just('+'), Just('-'), Just(' ')];
    prop_oneof![
        2 => Just(Op::Deliver),
        1 => Just(Op::Append),
        2 => Just(Op::Noop),
        1 => Just(Op::Idle),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Op::Fetch(a, b)),
        1 => any::<u8>().prop_map(Op::FetchBody),
        1 => Just(Op::UidFetch),
        1 => Just(Op::Search),
        1 => Just(Op::UidSearch),
        6 => (any::<u8>(), any::<u8>(), mode, flag, any::<bool>(), any::<bool>())
            .prop_map(|(first, last, mode, flag, silent, uid)| Op::Store { first, last, mode, flag, silent, uid }),
        2 => Just(Op::Expunge),
        1 => Just(Op::UidExpunge),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Op::Copy(a, b)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Op::Move(a, b)),
        2 => Just(Op::Compare),
    ]
}

/// Two numbers of existing messages, in order; None in an empty mailbox.
fn numbers(client: &Client, a: u8, b: u8) -> Option<(usize, usize)> {
    let count = client.known.len();
    let of = |n: u8| usize::from(n) % count + 1;
    (count > 0).then(|| (of(a).min(of(b)), of(a).max(of(b))))
}

fn apply(client: &mut Client, world: &mut World, inbox: u32, op: &Op) {
    if client.idle {
        let said = run(&mut client.session, client.number, world, b"DONE\r\n");
        client.hear(&said, true);
        assert!(said.contains("OK IDLE"), "{said}");
        client.idle = false;
    }
    match op {
        Op::Deliver => {
            let number = world.mailboxes[&inbox].uid_next;
            world.deliver(inbox, simple(number).as_bytes(), FlagSet::NONE, NOW);
        }
        Op::Append => {
            let text = simple(1);
            client.command(world, &format!("APPEND INBOX (\\Draft) {{{}+}}\r\n{text}", text.len()), true);
        }
        Op::Noop => {
            client.command(world, "NOOP", true);
        }
        Op::Idle => {
            client.idle = true;
            client.command(world, "IDLE", true);
        }
        Op::Fetch(a, b) => {
            let Some((first, last)) = numbers(client, *a, *b) else { return };
            client.command(world, &format!("FETCH {first}:{last} (UID FLAGS)"), false);
        }
        Op::FetchBody(a) => {
            let Some((first, _)) = numbers(client, *a, *a) else { return };
            client.command(world, &format!("FETCH {first} (UID BODY[TEXT])"), false);
        }
        Op::UidFetch => {
            client.command(world, "UID FETCH 1:* (FLAGS INTERNALDATE)", true);
        }
        Op::Search => {
            client.command(world, "SEARCH OR UNSEEN DELETED", false);
        }
        Op::UidSearch => {
            client.command(world, "UID SEARCH RETURN (MIN MAX COUNT) UNDELETED", true);
        }
        Op::Store { first, last, mode, flag, silent, uid } => {
            let Some((first, last)) = numbers(client, *first, *last) else { return };
            let ends = (client.known[first - 1].uid, client.known[last - 1].uid);
            let (verb, set, by_uid) = match ends {
                (Some(low), Some(high)) if *uid => ("UID STORE", format!("{low}:{high}"), true),
                _ => ("STORE", format!("{first}:{last}"), false),
            };
            let mode_text = if *mode == ' ' { String::new() } else { mode.to_string() };
            let silence = if *silent { ".SILENT" } else { "" };
            if *silent {
                // Assumed before: what the server tells of it overrides it.
                client.assume(first, last, *mode, flag);
            }
            let reply =
                client.command(world, &format!("{verb} {set} {mode_text}FLAGS{silence} ({flag})"), by_uid);
            assert!(reply.contains(" OK ") || reply.contains("[EXPUNGEISSUED]"), "{reply}");
        }
        Op::Expunge => {
            client.command(world, "EXPUNGE", true);
        }
        Op::UidExpunge => {
            client.command(world, "UID EXPUNGE 2:5", true);
        }
        Op::Copy(a, b) => {
            let Some((first, last)) = numbers(client, *a, *b) else { return };
            client.command(world, &format!("COPY {first}:{last} INBOX"), true);
        }
        Op::Move(a, b) => {
            let Some((first, last)) = numbers(client, *a, *b) else { return };
            client.command(world, &format!("MOVE {first}:{last} Other"), true);
        }
        Op::Compare => compare(client, world, inbox),
    }
}

/// After a NOOP the client has the store's messages, in order, and believes no wrong flag.
fn compare(client: &mut Client, world: &mut World, inbox: u32) {
    client.command(world, "NOOP", true);
    let truth = truth(world, inbox);
    let what = client.known.clone();
    assert_eq!(what.len(), truth.len(), "{what:?} {truth:?}");
    for (known, (uid, flags)) in what.iter().zip(&truth) {
        assert!(known.uid.is_none_or(|known| known == *uid), "{what:?} {truth:?}");
        if let Some(believed) = &known.flags {
            assert_eq!(believed, flags, "flags of {uid}");
        }
    }
    client.command(world, "UID FETCH 1:* FLAGS", true);
    let all: Vec<_> = client.known.iter().map(|known| (known.uid, known.flags.clone())).collect();
    let wanted: Vec<_> = truth.into_iter().map(|(uid, flags)| (Some(uid), Some(flags))).collect();
    assert_eq!(all, wanted);
}

/// Sessions that idle hear at once.
fn wake(clients: &mut [Client], world: &mut World, inbox: u32, hint: bool) {
    for client in clients {
        if client.idle {
            client.session.world_changed();
            let said = run(&mut client.session, client.number, world, b"");
            client.hear(&said, true);
            let uids: BTreeMap<usize, u32> =
                client.known.iter().enumerate().filter_map(|(at, known)| Some((at, known.uid?))).collect();
            let truth = truth(world, inbox);
            assert_eq!(client.known.len(), truth.len(), "IDLE tells everything at once");
            assert!(uids.iter().all(|(at, uid)| truth[*at].0 == *uid));
        } else if hint {
            client.session.world_changed();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn replicas_follow_the_store(
        ops in proptest::collection::vec((0usize..3, op(), any::<bool>()), 1..60),
        page in 1usize..4,
        enables in prop_oneof![Just(None), Just(Some("ENABLE CONDSTORE")), Just(Some("ENABLE QRESYNC"))],
    ) {
        let mut world = World::new();
        world.page = page;
        world.create("Other", None);
        let inbox = world.find("INBOX").expect("an inbox");
        for number in 1..=6 {
            world.deliver(inbox, simple(number).as_bytes(), FlagSet::NONE, NOW);
        }
        let mut clients: Vec<Client> = (1..=3).map(|number| Client::new(number, &mut world)).collect();
        if let Some(enable) = enables {
            clients[0].command(&mut world, enable, true);
        }
        for (which, op, hint) in &ops {
            apply(&mut clients[*which], &mut world, inbox, op);
            wake(&mut clients, &mut world, inbox, *hint);
        }
        for client in &mut clients {
            apply(client, &mut world, inbox, &Op::Compare);
        }
    }
}
