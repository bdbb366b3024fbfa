//! The client of this crate against its server, in memory: whatever is sent arrives, octet for octet, and both sides agree
//! on what became of each recipient.

use crate::world::World;
use model::{EmailAddress, Path, ReversePath};
use proptest::prelude::*;
use smtp::client::{Chunking, Client, Options, Outcome, Protocol, Settings, Step, Transaction, Verdict};
use smtp::{BodyType, Recipient, Session};
use wire::Session as _;

/// One connection between the two.
struct Line {
    client: Client,
    server: Session,
    world: World,
    /// Most octets that travel at once.
    piece_bytes: usize,
    message: Vec<u8>,
    server_closed: bool,
}

/// What the client told.
#[derive(Debug)]
enum Told {
    Ready,
    Transacted(Vec<Outcome>),
    Closed(Result<(), Outcome>),
}

impl Line {
    fn new(settings: Settings, head: &[(&str, &str)], piece_bytes: usize) -> Line {
        let world = World::new(head.iter().copied());
        let server = world.session();
        Line {
            client: Client::new(settings),
            server,
            world,
            piece_bytes,
            message: Vec::new(),
            server_closed: false,
        }
    }

    /// Until the client has something to tell.
    fn run(&mut self) -> Told {
        let mut idle = 0;
        loop {
            let mut moved = self.run_server();
            match self.client.step() {
                Step::NeedInput | Step::Flush => {}
                Step::StartTls => panic!("there is no TLS here"),
                Step::Ready => return Told::Ready,
                Step::WantContent => {
                    let piece: Vec<u8> =
                        self.message.drain(..self.message.len().min(self.piece_bytes)).collect();
                    self.client.content(&piece);
                    moved = true;
                }
                Step::Transacted(outcomes) => return Told::Transacted(outcomes),
                Step::Closed(ended) => return Told::Closed(ended),
            }
            let octets = std::mem::take(self.client.output());
            for piece in octets.chunks(self.piece_bytes) {
                self.server.feed(piece);
                moved |= self.run_server();
            }
            idle = if moved { 0 } else { idle + 1 };
            if idle > 3 && self.server_closed {
                self.client.closed();
            }
            assert!(idle < 10, "both wait for each other");
        }
    }

    /// Lets the server work, and brings the client what it says.
    fn run_server(&mut self) -> bool {
        let mut moved = false;
        for _ in 0..10_000 {
            let step = self.server.step(0);
            let output = std::mem::take(self.server.output());
            moved |= !output.is_empty();
            for piece in output.chunks(self.piece_bytes) {
                self.client.feed(piece);
            }
            match step {
                wire::Step::Ask(ask) => {
                    let answer = self.world.answer(ask);
                    self.server.answer(answer);
                }
                wire::Step::Close => {
                    self.server_closed = true;
                    return moved;
                }
                wire::Step::Flush => {}
                _ => return moved,
            }
        }
        panic!("the server spins");
    }

    fn send(&mut self, transaction: Transaction, message: &[u8]) -> Vec<Outcome> {
        self.message = message.to_vec();
        self.client.send(transaction);
        match self.run() {
            Told::Transacted(outcomes) => outcomes,
            other => panic!("{other:?}"),
        }
    }
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn transaction(to: &[&str], message: &[u8], body: BodyType) -> Transaction {
    let recipient = |to: &&str| Recipient { path: Path::Mailbox(address(to)), notify: None, original: None };
    Transaction {
        from: ReversePath::Mailbox(address("sender@z.test")),
        recipients: to.iter().map(recipient).collect(),
        options: Options { body, ..Options::default() },
        content_bytes: message.len() as u64,
    }
}

fn verdicts(outcomes: &[Outcome]) -> Vec<Verdict> {
    outcomes.iter().map(|outcome| outcome.verdict).collect()
}

const BOXES: (&str, &str) = ("boxes", "a@x.test b@x.test");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn messages_arrive(
        lines in prop::collection::vec("[.a]{0,5}", 0..30),
        octets in prop::collection::vec(prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200),
        piece_bytes in prop_oneof![1..4_usize, Just(60_000)],
        lmtp in any::<bool>(),
        chunked in any::<bool>(),
    ) {
        let chunking = if chunked { Chunking::Offered } else { Chunking::Needed };
        let protocol = if lmtp { Protocol::Lmtp } else { Protocol::Smtp };
        let settings = Settings { chunking, protocol, ..Settings::new("client.test") };
        let kind = ("kind", if lmtp { "lmtp" } else { "mta" });
        let mut line = Line::new(settings, &[BOXES, kind], piece_bytes);
        prop_assert!(matches!(line.run(), Told::Ready));
        // The server would end a header that is none.
        let head = b"X: y\r\n\r\n".to_vec();
        let text: Vec<u8> = lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect();
        let (text, octets) = ([head.clone(), text].concat(), [head, octets].concat());
        for (message, body) in [(&text, BodyType::SevenBit), (&octets, BodyType::BinaryMime)] {
            let outcomes = line.send(transaction(&["a@x.test", "c@x.test", "b@x.test"], message, body), message);
            prop_assert_eq!(verdicts(&outcomes), [Verdict::Delivered, Verdict::Failed, Verdict::Delivered]);
            prop_assert_eq!(outcomes[1].enhanced().to_string(), "5.1.1");
            let delivery = line.world.deliveries.last().unwrap();
            prop_assert_eq!(&delivery.message[delivery.trace_field_bytes..], message.as_slice());
            prop_assert_eq!(delivery.recipients.len(), 2);
            let nobody = line.send(transaction(&["c@x.test"], message, body), message);
            prop_assert_eq!(verdicts(&nobody), [Verdict::Failed]);
        }
        prop_assert_eq!(line.world.deliveries.len(), 2);
        line.client.quit();
        prop_assert!(matches!(line.run(), Told::Closed(Ok(()))));
    }
}

#[test]
fn lmtp_outcomes_are_apart() {
    let settings = Settings { protocol: Protocol::Lmtp, ..Settings::new("client.test") };
    let head = [BOXES, ("kind", "lmtp"), ("at-delivery", "b@x.test=quota")];
    let mut line = Line::new(settings, &head, 7);
    line.run();
    let outcomes = line.send(transaction(&["a@x.test", "b@x.test"], b"x\r\n", BodyType::SevenBit), b"x\r\n");
    assert_eq!(verdicts(&outcomes), [Verdict::Delivered, Verdict::Deferred]);
    assert_eq!(outcomes[1].enhanced().to_string(), "4.2.2");
}

#[test]
fn more_recipients_than_the_server_takes_go_in_turns() {
    let to: Vec<String> = (0..7).map(|number| format!("u{number}@x.test")).collect();
    let boxes = to.join(" ");
    let mut line =
        Line::new(Settings::new("client.test"), &[("boxes", &boxes), ("limits", "recipients=3")], 60_000);
    line.run();
    let mut left: Vec<&str> = to.iter().map(String::as_str).collect();
    let mut turns = 0;
    while !left.is_empty() {
        let outcomes = line.send(transaction(&left, b"x\r\n", BodyType::SevenBit), b"x\r\n");
        left = left
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| outcome.is_surplus())
            .map(|(to, _)| *to)
            .collect();
        turns += 1;
    }
    assert_eq!((turns, line.world.deliveries.len()), (3, 3));
}

#[test]
fn every_mechanism_logs_in() {
    for mechanism in ["scram-sha-256", "scram-sha-1", "cram-md5", "plain", "login"] {
        for (password, fine) in [("secret", true), ("wrong", false)] {
            let secret = sasl::client::Secret::Password(password.to_owned().into());
            let credentials =
                sasl::client::Credentials { user: "tim".into(), authorize_as: String::new(), secret };
            let settings = Settings {
                credentials: Some(credentials),
                plaintext_auth: true,
                ..Settings::new("client.test")
            };
            let head = [
                BOXES,
                ("kind", "submission"),
                ("users", "tim:secret"),
                ("plaintext_auth", "yes"),
                ("auth", mechanism),
            ];
            let mut line = Line::new(settings, &head, 60_000);
            match line.run() {
                Told::Ready => assert!(fine, "{mechanism}"),
                Told::Closed(Err(outcome)) => {
                    assert!(!fine && outcome.verdict == Verdict::HostUnusable, "{mechanism}: {outcome}");
                }
                other => panic!("{mechanism}: {other:?}"),
            }
        }
    }
}
