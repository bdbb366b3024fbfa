//! The load generator of `bench/`: the same work against any server on loopback, one JSON object of figures at the end.
//! Everything it makes (sizes, texts) follows from the seed, so that both sides of a comparison get the same bytes.

mod client;
mod floor;
mod idle;
mod imap;
mod message;
mod pop3;
mod sink;
mod smtp;

use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "load", about = "Load for mail servers on loopback")]
struct Arguments {
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Send messages over SMTP or LMTP and wait for each acknowledgement
    Smtp(smtp::Options),
    /// Take messages over SMTP and drop them
    Sink(sink::Options),
    /// Fetch a whole maildrop over POP3
    Pop3(pop3::Options),
    /// Run one IMAP command after SELECT and time it
    Imap(imap::Options),
    /// Hold many IMAP connections in IDLE until standard input ends, and time how soon they hear of new messages
    Idle(idle::Options),
    /// The raw floor: the same bytes appended to a file by so many writers, with one fdatasync for each group
    Floor(floor::Options),
    /// Write the messages to an mbox file or a Maildir instead of sending them
    Files(message::FilesOptions),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.work {
        Work::Floor(options) => floor::run(options),
        Work::Files(options) => message::write_files(options),
        work => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match (runtime, work) {
                (Err(error), _) => Err(error),
                (Ok(runtime), Work::Smtp(options)) => runtime.block_on(smtp::run(options)),
                (Ok(runtime), Work::Sink(options)) => runtime.block_on(sink::run(options)),
                (Ok(runtime), Work::Pop3(options)) => runtime.block_on(pop3::run(options)),
                (Ok(runtime), Work::Imap(options)) => runtime.block_on(imap::run(options)),
                (Ok(runtime), Work::Idle(options)) => runtime.block_on(idle::run(options)),
                (Ok(_), Work::Floor(_) | Work::Files(_)) => Ok(serde_json::Value::Null),
            }
        }
    };
    match outcome {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Only loopback is ever a target.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| format!("{text} is no address:port"))?;
    if address.ip().is_loopback() { Ok(address) } else { Err(format!("{address} is not on loopback")) }
}
