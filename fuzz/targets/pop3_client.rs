//! A POP3 client against a server that says anything: nothing spins or panics, commands are done in their order or the
//! connection ends, what leaves is whole lines, and memory is bounded.
//!
//! Octet 0 of the input chooses the settings, octet 1 how long the pieces are; then what the server says. TLS begins at
//! once when the client asks for it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pop3::client::{Apop, Client, Settings, Step, TlsWish};
use sasl::client::{Credentials, Secret};
use wire::TlsInfo;

fn settings(bits: u8) -> Settings {
    let secret = match bits & 1 {
        0 => Secret::Password("secret".to_owned().into()),
        _ => Secret::Token("token".to_owned().into()),
    };
    Settings {
        tls: if bits & 2 == 0 { TlsWish::AsItIs } else { TlsWish::Stls },
        credentials: Credentials { user: "tim".to_owned(), authorize_as: String::new(), secret },
        plaintext_auth: true,
        apop: if bits & 4 == 0 { Apop::Never } else { Apop::WhenOffered },
        host: ("client.test".to_owned(), 110),
        entropy: [7; 32],
        message_bytes_max: 5000,
    }
}

fuzz_target!(|input: &[u8]| {
    let [bits, cut, text @ ..] = input else { return };
    let mut client = Client::new(settings(*bits));
    let (mut content, mut done) = (0, 0);
    let mut said = Vec::new();
    let mut pieces = text.chunks(usize::from(*cut).max(1));
    let mut hung_up = false;
    for _ in 0..200_000 {
        let step = client.step();
        said.append(client.output());
        assert!(said.len() < 100_000, "unbounded");
        assert!(said.is_empty() || said.ends_with(b"\r\n"), "half a line leaves");
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
                client.stat();
                client.sizes();
                client.unique_ids();
                client.message(1);
                client.delete(1);
                client.message(2);
                client.reset();
                client.noop();
                client.quit();
            }
            Step::Size { number, .. } => assert!(number > 0),
            Step::UniqueId { id, .. } => assert!(id.bytes().all(|byte| byte.is_ascii_graphic())),
            Step::Content(octets) => {
                content += octets.len();
                assert!(content <= 10_000, "beyond the limit");
            }
            Step::Done(_) => {
                done += 1;
                assert!(done <= 8, "more is done than was given");
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
