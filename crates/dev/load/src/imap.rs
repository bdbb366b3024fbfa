//! IMAP: one command timed.

use crate::client::{Client, trusting_tls};
use clap::Args;
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

/// `load imap`
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
    /// Mailbox to select
    #[arg(long, default_value = "INBOX")]
    pub mailbox: String,
    /// Command to time after SELECT
    #[arg(long, default_value = "NOOP")]
    pub command: String,
    /// How often SELECT and the command are repeated
    #[arg(long, default_value_t = 1)]
    pub times: u64,
}

/// Selects and times a command.
///
/// # Errors
/// The connection broke or the server refused.
pub async fn run(options: &Options) -> io::Result<Value> {
    let tls = options.tls.then(trusting_tls);
    let mut client = Client::connect(options.address, tls.as_ref()).await?;
    log_in(&mut client, &options.user, &options.password).await?;
    let (mut selects, mut commands) = (Vec::new(), Vec::new());
    let (mut bytes, mut lines) = (0, 0);
    for _ in 0..options.times {
        let start = Instant::now();
        tagged(&mut client, &format!("SELECT \"{}\"", options.mailbox)).await?;
        selects.push(start.elapsed().as_secs_f64() * 1000.0);
        let (start, before) = (Instant::now(), client.bytes_read);
        lines = tagged(&mut client, &options.command).await?;
        commands.push(start.elapsed().as_secs_f64() * 1000.0);
        bytes = client.bytes_read - before;
    }
    Ok(json!({
        "work": "imap", "command": options.command, "select_ms": selects, "command_ms": commands,
        "bytes": bytes, "untagged": lines,
    }))
}

pub(crate) async fn log_in(client: &mut Client, user: &str, password: &str) -> io::Result<()> {
    client.line().await?;
    tagged(client, &format!("LOGIN \"{user}\" \"{password}\"")).await.map(drop)
}

/// Sends a command and reads to its tagged OK; answers how many untagged responses came.
pub(crate) async fn tagged(client: &mut Client, command: &str) -> io::Result<u64> {
    client.send(format!("t {command}\r\n").as_bytes()).await?;
    let mut untagged = 0;
    loop {
        let line = client.next_line().await?;
        let line = client.octets(line);
        if let Some(rest) = line.strip_prefix(b"t ") {
            let line = String::from_utf8_lossy(line);
            return if rest.starts_with(b"OK") {
                Ok(untagged)
            } else {
                Err(io::Error::other(line.into_owned()))
            };
        }
        untagged += u64::from(line.starts_with(b"* "));
        if let Some(length) = literal(line) {
            client.skip(length).await?;
        }
    }
}

/// The length that a line announces at its end.
fn literal(line: &[u8]) -> Option<usize> {
    let digits = line.strip_suffix(b"}")?;
    let open = digits.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(&digits[open + 1..]).ok()?.parse().ok()
}
