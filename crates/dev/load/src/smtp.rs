//! Sending: so many connections, one message after the other on each, pipelined within a message.

use crate::client::Client;
use crate::message::{self, Shape};
use clap::Args;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// `load smtp`
#[derive(Args, Clone)]
pub struct Options {
    /// Where the server listens (loopback only)
    #[arg(long, value_parser = crate::loopback)]
    pub address: SocketAddr,
    /// Connections at once
    #[arg(long, default_value_t = 32)]
    pub connections: u64,
    /// Messages in all
    #[arg(long, default_value_t = 10_000)]
    pub messages: u64,
    /// Recipients are user0 … userN-1 of the domain, in turn
    #[arg(long, default_value_t = 1)]
    pub users: u64,
    /// Domain of the recipients
    #[arg(long, default_value = "example.test")]
    pub domain: String,
    /// Recipients are spread over so many domains below that one; 0: all in it
    #[arg(long, default_value_t = 0)]
    pub domains: u64,
    /// Speak LMTP
    #[arg(long)]
    pub lmtp: bool,
    /// Sizes
    #[command(flatten)]
    pub shape: Shape,
}

impl Options {
    fn recipient(&self, number: u64) -> String {
        let user = number % self.users;
        match self.domains {
            0 => format!("user{user}@{}", self.domain),
            domains => format!("user{user}@d{}.{}", number % domains, self.domain),
        }
    }
}

/// The messages not sent yet, with their numbers.
type Texts = Rc<RefCell<std::iter::Enumerate<std::vec::IntoIter<Vec<u8>>>>>;

/// Sends everything; fails when a message is not accepted.
///
/// # Errors
/// A connection broke or a message was refused.
pub async fn run(options: &Options) -> io::Result<Value> {
    let to = |number| options.recipient(number);
    let texts = message::make_all(&options.shape, options.messages, to);
    let next: Texts = Rc::new(RefCell::new(texts.into_iter().enumerate()));
    let local = LocalSet::new();
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..options.connections {
        tasks.push(local.spawn_local(connection(options.clone(), next.clone())));
    }
    let (mut waits, mut bytes) = (Vec::new(), 0u64);
    local
        .run_until(async {
            for task in tasks {
                let (part, sent) = task.await.map_err(io::Error::other)??;
                waits.extend(part);
                bytes += sent;
            }
            Ok::<_, io::Error>(())
        })
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    waits.sort();
    Ok(json!({
        "work": "smtp", "messages": waits.len(), "bytes": bytes, "seconds": seconds,
        "messages_per_second": waits.len() as f64 / seconds,
        "ack_ms_p50": milliseconds(&waits, 50), "ack_ms_p99": milliseconds(&waits, 99),
    }))
}

pub(crate) fn milliseconds(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |wait| wait.as_secs_f64() * 1000.0)
}

async fn connection(options: Options, next: Texts) -> io::Result<(Vec<Duration>, u64)> {
    let mut client = Client::connect(options.address, None).await?;
    expect(&mut client, "220").await?;
    client.send(if options.lmtp { b"LHLO load.test\r\n" } else { b"EHLO load.test\r\n" }).await?;
    expect(&mut client, "250").await?;
    let (mut waits, mut bytes) = (Vec::new(), 0u64);
    loop {
        let Some((number, mut text)) = next.borrow_mut().next() else { break };
        let to = options.recipient(number as u64);
        bytes += text.len() as u64;
        let commands = format!("MAIL FROM:<load@load.test>\r\nRCPT TO:<{to}>\r\nDATA\r\n");
        client.send(commands.as_bytes()).await?;
        expect(&mut client, "250").await?;
        expect(&mut client, "250").await?;
        expect(&mut client, "354").await?;
        text.extend_from_slice(b".\r\n");
        let sent = Instant::now();
        client.send(&text).await?;
        expect(&mut client, "250").await?;
        waits.push(sent.elapsed());
    }
    client.send(b"QUIT\r\n").await?;
    expect(&mut client, "221").await?;
    Ok((waits, bytes))
}

pub(crate) async fn expect(client: &mut Client, code: &str) -> io::Result<()> {
    loop {
        let line = client.line().await?;
        if !line.starts_with(code) {
            return Err(io::Error::other(format!("the server said {line:?} where {code} was expected")));
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}
