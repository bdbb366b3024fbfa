//! A client against a server that says anything: every transaction that was sent gets exactly one outcome for each
//! recipient, nothing spins or panics, what leaves is lines and a message that does not end early, and memory is bounded.
//!
//! Octet 0 of the input chooses the settings, octet 1 how long the pieces are; then what the server says, where `16 03` at
//! the place of a reply stands for nothing special: TLS begins at once when the client asks for it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{EmailAddress, Path, ReversePath};
use sasl::client::{Credentials, Secret};
use smtp::client::{Chunking, Client, Options, Protocol, Settings, Step, TlsWish, Transaction};
use smtp::{BodyType, Recipient};
use wire::TlsInfo;

const MESSAGE: &[u8] = b"Subject: x\r\n\r\n.\r\n..\r\nlast\r\n";

fn settings(bits: u8) -> Settings {
    let secret = match bits >> 4 & 3 {
        1 => Some(Secret::Password("secret".to_owned().into())),
        2 => Some(Secret::Token("token".to_owned().into())),
        _ => None,
    };
    let credentials =
        secret.map(|secret| Credentials { user: "tim".to_owned(), authorize_as: String::new(), secret });
    Settings {
        protocol: if bits & 1 == 0 { Protocol::Smtp } else { Protocol::Lmtp },
        tls: [TlsWish::IfOffered, TlsWish::Never, TlsWish::Required][usize::from(bits >> 1 & 3) % 3],
        chunking: if bits & 8 == 0 { Chunking::Offered } else { Chunking::Needed },
        credentials,
        plaintext_auth: true,
        ..Settings::new("client.test")
    }
}

fn transaction(number: usize) -> Transaction {
    let to = ["a@x.test", "b@y.test", "я@z.test", "c@x.test"];
    let recipient = |to: &str| Recipient {
        path: Path::Mailbox(EmailAddress::parse(to).unwrap()),
        notify: None,
        original: None,
    };
    let body = [BodyType::SevenBit, BodyType::EightBitMime, BodyType::BinaryMime][number % 3];
    Transaction {
        from: ReversePath::Null,
        recipients: to
            .iter()
            .cycle()
            .skip(number)
            .take(1 + number * 50 % 120)
            .map(|to| recipient(to))
            .collect(),
        options: Options { body, ..Options::default() },
        content_bytes: MESSAGE.len() as u64,
    }
}

/// What was said so far ends with a whole line, or is the message.
fn check(said: &[u8]) {
    assert!(said.len() < 4_000_000, "unbounded");
    assert!(!said.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r'), "a bare LF leaves");
}

fuzz_target!(|input: &[u8]| {
    let [bits, cut, text @ ..] = input else { return };
    let mut client = Client::new(settings(*bits));
    let (mut sent, mut wanted, mut told) = (0, 0, 0);
    let mut said = Vec::new();
    let mut pieces = text.chunks(usize::from(*cut).max(1));
    let mut hung_up = false;
    for _ in 0..200_000 {
        let step = client.step();
        said.append(client.output());
        match step {
            Step::NeedInput => match pieces.next() {
                Some(piece) => client.feed(piece),
                None if hung_up => panic!("it waits for a server that is gone"),
                None => {
                    hung_up = true;
                    if bits & 0x40 == 0 { client.closed() } else { client.timed_out() }
                }
            },
            Step::Flush => {}
            Step::StartTls => {
                client.tls_started(TlsInfo { exporter: Some(vec![7; 32]), ..TlsInfo::default() })
            }
            Step::Ready => {
                assert!(client.can_send());
                (sent, wanted) = (1, transaction(0).recipients.len());
                client.send(transaction(0));
            }
            Step::WantContent => {
                let left = client.content_wanted_bytes() as usize;
                let at = MESSAGE.len() - left;
                let piece = &MESSAGE[at..][..left.min(usize::from(*cut).max(1))];
                client.content(piece);
            }
            Step::Transacted(outcomes) => {
                told += 1;
                assert_eq!((told, outcomes.len()), (sent, wanted), "an outcome for each recipient, once");
                for outcome in &outcomes {
                    assert!(outcome.to_string().len() < 10_000);
                    let _ = (outcome.enhanced(), outcome.without_other_host(), outcome.is_surplus());
                }
                if client.can_send() && sent < 5 {
                    let next = transaction(sent);
                    wanted = next.recipients.len();
                    sent += 1;
                    client.send(next);
                } else if client.stage() == smtp::client::Stage::Idle {
                    client.quit();
                }
            }
            Step::Closed(_) => {
                assert_eq!(told, sent, "a transaction without an end");
                return check(&said);
            }
        }
    }
    panic!("the client spins");
});
