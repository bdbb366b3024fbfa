//! Many IMAP connections held idle, and how soon they hear of new messages.

use crate::client::{Client, trusting_tls};
use crate::imap::{log_in, tagged};
use crate::smtp::{expect, milliseconds};
use clap::Args;
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

/// How long a message's news may take at most before the run fails.
const NEWS_MAX: Duration = Duration::from_secs(60);

/// `load idle`
#[derive(Args)]
pub struct Options {
    /// Where the server listens (loopback only)
    #[arg(long, value_parser = crate::loopback)]
    pub address: SocketAddr,
    /// TLS from the first byte
    #[arg(long)]
    pub tls: bool,
    /// Log-in name; {} becomes the connection's number modulo --users
    #[arg(long)]
    pub user: String,
    /// Password
    #[arg(long)]
    pub password: String,
    /// Connections
    #[arg(long, default_value_t = 5000)]
    pub connections: u64,
    /// Accounts among which the connections are shared out
    #[arg(long, default_value_t = 1)]
    pub users: u64,
    /// Where messages are handed in by SMTP (loopback only), to be heard of
    #[arg(long, value_parser = crate::loopback)]
    pub deliver: Option<SocketAddr>,
    /// How many messages, to the accounts in turn
    #[arg(long, default_value_t = 20)]
    pub messages: u64,
}

impl Options {
    fn name(&self, number: u64) -> String {
        self.user.replace("{}", &(number % self.users).to_string())
    }
}

/// Connects, selects and idles on all connections and says so; delivers messages, if it is to; then waits for the end of
/// standard input.
///
/// # Errors
/// A connection broke, the server refused, or news did not come within a minute.
pub async fn run(options: &Options) -> io::Result<Value> {
    let tls = options.tls.then(trusting_tls);
    let mut held = Vec::new();
    let start = Instant::now();
    for number in 0..options.connections {
        let mut client = Client::connect(options.address, tls.as_ref()).await?;
        log_in(&mut client, &options.name(number), &options.password).await?;
        tagged(&mut client, "SELECT INBOX").await?;
        client.send(b"a IDLE\r\n").await?;
        while !client.line().await?.starts_with('+') {}
        client.forget();
        held.push(client);
    }
    let ready = json!({ "ready": held.len(), "seconds": start.elapsed().as_secs_f64() });
    println!("{ready}");
    let (figures, held) = match options.deliver {
        None => (json!({ "work": "idle", "connections": held.len() }), held),
        Some(smtp) => {
            let figures = LocalSet::new().run_until(news(options, smtp, held)).await?;
            println!("{figures}");
            (figures, Vec::new())
        }
    };
    let waited = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new())).await;
    waited.map_err(io::Error::other)??;
    drop(held);
    Ok(figures)
}

/// Delivers message after message and takes the time from its last octet to each EXISTS.
async fn news(options: &Options, smtp: SocketAddr, held: Vec<Client>) -> io::Result<Value> {
    let (tell, mut heard) = mpsc::unbounded_channel();
    let connections = held.len();
    for mut client in held {
        let tell = tell.clone();
        tokio::task::spawn_local(async move {
            while let Ok(line) = client.line().await {
                if line.ends_with(" EXISTS") && tell.send(Instant::now()).is_err() {
                    return;
                }
                client.forget();
            }
        });
    }
    let mut sender = Client::connect(smtp, None).await?;
    expect(&mut sender, "220").await?;
    sender.send(b"EHLO load.test\r\n").await?;
    expect(&mut sender, "250").await?;
    let (mut delays, mut acknowledged) = (Vec::new(), Vec::new());
    for number in 0..options.messages {
        let user = number % options.users;
        let listeners = (0..options.connections).filter(|one| one % options.users == user).count();
        let to = options.name(user);
        sender.send(format!("MAIL FROM:<load@load.test>\r\nRCPT TO:<{to}>\r\nDATA\r\n").as_bytes()).await?;
        for code in ["250", "250", "354"] {
            expect(&mut sender, code).await?;
        }
        let begun = Instant::now();
        sender.send(b"From: load@load.test\r\nSubject: news\r\n\r\nnews\r\n.\r\n").await?;
        expect(&mut sender, "250").await?;
        acknowledged.push(begun.elapsed());
        for _ in 0..listeners {
            let when = tokio::time::timeout(NEWS_MAX, heard.recv()).await?;
            let when = when.ok_or(io::ErrorKind::BrokenPipe)?;
            delays.push(when.duration_since(begun));
        }
    }
    delays.sort();
    acknowledged.sort();
    Ok(json!({
        "work": "idle", "connections": connections, "messages": options.messages, "heard": delays.len(),
        "news_ms_p50": milliseconds(&delays, 50), "news_ms_p99": milliseconds(&delays, 99),
        "news_ms_max": milliseconds(&delays, 100), "ack_ms_p50": milliseconds(&acknowledged, 50),
    }))
}
