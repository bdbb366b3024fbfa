//! What a peer that sends without a pause gets to hear.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wire::{Facts, TlsInfo};

/// Refuses the first bytes, or takes all of them until the server goes down; says how many it got.
#[derive(Default)]
struct Listener {
    is_patient: bool,
    is_down: bool,
    fed: usize,
    output: Vec<u8>,
    end: End,
}

impl Session for Listener {
    type Ask = ();
    type Answer = ();

    fn feed(&mut self, bytes: &[u8]) {
        self.fed += bytes.len();
    }

    fn step(&mut self, _now: i64) -> Step<()> {
        if self.end == End::Open && (self.is_down || (!self.is_patient && self.fed > 0)) {
            self.end = if self.is_down { End::ShutDown } else { End::Refused };
            self.output.extend_from_slice(format!("421 after {}\r\n", self.fed).as_bytes());
        }
        if self.end == End::Open { Step::NeedInput } else { Step::Close }
    }

    fn answer(&mut self, (): ()) {}

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    fn tls_started(&mut self, _tls: TlsInfo) {}

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn timed_out(&mut self) {
        self.end = End::TimedOut;
    }

    fn shut_down(&mut self) {
        self.is_down = true;
    }

    fn facts(&self) -> Facts {
        Facts { end: self.end, ..Facts::default() }
    }
}

struct Nobody;

impl Desk for Nobody {
    type Session = Listener;

    async fn answer(&mut self, (): ()) {}
}

/// Two ends with buffers so small that a large write can't end before the other end reads or goes.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    socket2::SockRef::from(&listener).set_recv_buffer_size(16 * 1024).unwrap();
    let client = tokio::net::TcpSocket::new_v4().unwrap();
    client.set_send_buffer_size(16 * 1024).unwrap();
    let (client, server) = tokio::join!(client.connect(listener.local_addr().unwrap()), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

fn conversation(
    server: TcpStream,
    session: Listener,
    shutdown: watch::Receiver<bool>,
) -> Conversation<Nobody> {
    Conversation { stream: Stream::Tcp(server), session, desk: Nobody, tls: None, shutdown }
}

/// Found by reading: the connection was closed over unread bytes, which resets it.
#[tokio::test]
async fn a_refusal_reaches_a_peer_that_is_still_sending() {
    let (mut client, server) = pair().await;
    let (_running, shutdown) = watch::channel(false);
    let server = tokio::spawn(async move {
        let mut talk = conversation(server, Listener::default(), shutdown);
        drive(&mut talk).await.1
    });
    client.write_all(&vec![b'x'; 2 * 1024 * 1024]).await.expect("no reset while sending");
    client.shutdown().await.unwrap();
    let mut heard = String::new();
    client.read_to_string(&mut heard).await.expect("no reset while reading");
    assert!(heard.starts_with("421 after "), "{heard}");
    server.await.unwrap().unwrap();
}

/// Found by reading: what had come was always read first, so a peer that never paused was cut off without a word.
#[tokio::test]
async fn a_peer_that_never_pauses_is_told_of_the_shutdown() {
    let (mut client, server) = pair().await;
    client.write_all(&[b'x'; 1000]).await.unwrap();
    server.readable().await.unwrap();
    let (running, shutdown) = watch::channel(false);
    running.send(true).unwrap();
    let mut talk = conversation(server, Listener { is_patient: true, ..Listener::default() }, shutdown);
    client.shutdown().await.unwrap();
    drive(&mut talk).await.1.unwrap();
    drop(talk);
    let mut heard = String::new();
    client.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "421 after 0\r\n");
}
