//! An IMAP client against a server that says anything: nothing spins or panics, every command ends once or the connection
//! does, what leaves is whole lines, and memory is bounded.
//!
//! Octet 0 of the input chooses the settings, octet 1 how long the pieces are; then what the server says. TLS begins at
//! once when the client asks for it.
#![no_main]

use imap::client::{Client, Mode, Settings, Step, TlsWish, uid_sets};
use libfuzzer_sys::fuzz_target;
use model::Uid;
use sasl::client::{Credentials, Secret};
use wire::TlsInfo;

fn settings(bits: u8) -> Settings {
    let secret = match bits & 1 {
        0 => Secret::Password("se\"cret\u{e9}".to_owned().into()),
        _ => Secret::Token("token".to_owned().into()),
    };
    Settings {
        tls: if bits & 2 == 0 { TlsWish::AsItIs } else { TlsWish::StartTls },
        credentials: Credentials { user: "tim".to_owned(), authorize_as: String::new(), secret },
        plaintext_auth: true,
        host: ("client.test".to_owned(), 143),
        entropy: [7; 32],
        message_bytes_max: 5000,
    }
}

/// The commands, one after the other.
fn give(client: &mut Client, number: usize) {
    match number {
        0 => client.namespaces(),
        1 => client.folders(),
        2 => client.subscriptions(),
        3 => {
            let name = client.wire_name("Entw\u{fc}rfe");
            client.open(&name, Mode::Change);
        }
        4 => client.listing(Uid(3)),
        5 => assert_eq!(client.messages(&[Uid(4), Uid(5), Uid(7)]), 3),
        6 => client.mark_deleted(&uid_sets(&[Uid(4), Uid(5)])[0]),
        7 => client.expunge("4:5"),
        8 => client.counts(b"\xff\r"),
        9 => assert_eq!(client.messages(&[Uid(5)]), 1),
        10 => client.noop(),
        _ => client.logout(),
    }
}

fuzz_target!(|input: &[u8]| {
    let [bits, cut, text @ ..] = input else { return };
    let mut client = Client::new(settings(*bits));
    let (mut given, mut content) = (0, 0);
    let mut said = Vec::new();
    let mut pieces = text.chunks(usize::from(*cut).max(1));
    let mut hung_up = false;
    for _ in 0..200_000 {
        let step = client.step();
        said.append(client.output());
        assert!(said.len() < 1_000_000, "unbounded");
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
            Step::Ready | Step::Done(_) => {
                assert!(client.is_idle());
                content = 0;
                // The numbers of the commands begin where the settings say: each is reached with short inputs.
                give(&mut client, given + usize::from(bits >> 2 & 7));
                given += 1;
            }
            Step::Folder(folder) => assert!(!folder.name.contains(char::is_control)),
            Step::Listed(row) => assert!(row.uid >= Uid(3)),
            Step::Content(octets) => {
                content += octets.len();
                assert!(content <= 5_000, "beyond the limit");
            }
            Step::Message { uid, bytes } => {
                assert!([4, 5, 7].contains(&uid.0), "it was not asked for");
                assert_eq!(bytes.unwrap_or(0), content as u64, "not all of it was told");
                content = 0;
            }
            Step::Closed(ended) => {
                if let Err(fault) = ended {
                    assert!(fault.to_string().len() < 2_000);
                }
                return;
            }
        }
    }
    panic!("the client spins");
});
