//! Fetching a maildrop.

use crate::client::{Client, trusting_tls};
use clap::Args;
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

/// `load pop3`
#[derive(Args)]
pub struct Options {
    /// Where the server listens (loopback only)
    #[arg(long, value_parser = crate::loopback)]
    pub address: SocketAddr,
    /// TLS from the first byte
    #[arg(long)]
    pub tls: bool,
    /// Log-in name
    #[arg(long)]
    pub user: String,
    /// Password
    #[arg(long)]
    pub password: String,
    /// RETR commands sent ahead
    #[arg(long, default_value_t = 1)]
    pub ahead: u64,
}

/// Logs in and retrieves everything.
///
/// # Errors
/// The connection broke or the server refused.
pub async fn run(options: &Options) -> io::Result<Value> {
    let tls = options.tls.then(trusting_tls);
    let start = Instant::now();
    let mut client = Client::connect(options.address, tls.as_ref()).await?;
    ok(&mut client).await?;
    client.send(format!("USER {}\r\n", options.user).as_bytes()).await?;
    ok(&mut client).await?;
    client.send(format!("PASS {}\r\n", options.password).as_bytes()).await?;
    ok(&mut client).await?;
    client.send(b"STAT\r\n").await?;
    let stat = ok(&mut client).await?;
    let count: u64 = stat.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    let opened = start.elapsed().as_secs_f64();
    let (before, mut asked) = (client.bytes_read, 0);
    for number in 1..=count {
        // Half of what is sent ahead goes at once, so that commands don't take a packet each.
        if asked < count && asked < number - 1 + options.ahead.div_ceil(2) {
            let last = count.min(number - 1 + options.ahead);
            let commands: String = (asked + 1..=last).map(|asked| format!("RETR {asked}\r\n")).collect();
            client.send(commands.as_bytes()).await?;
            asked = last;
        }
        ok(&mut client).await?;
        client.skip_to_dot().await?;
    }
    let seconds = start.elapsed().as_secs_f64() - opened;
    client.send(b"QUIT\r\n").await?;
    ok(&mut client).await?;
    Ok(json!({
        "work": "pop3", "messages": count, "bytes": client.bytes_read - before, "open_seconds": opened,
        "seconds": seconds, "messages_per_second": count as f64 / seconds,
    }))
}

async fn ok(client: &mut Client) -> io::Result<String> {
    let line = client.line().await?;
    if line.starts_with("+OK") { Ok(line) } else { Err(io::Error::other(line)) }
}
