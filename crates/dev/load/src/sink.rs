//! Taking: an SMTP server that drops every message and counts them; for relays under measurement.

use clap::Args;
use serde_json::{Value, json};
use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

/// `load sink`
#[derive(Args, Clone)]
pub struct Options {
    /// Where to listen (loopback only)
    #[arg(long, value_parser = crate::loopback)]
    pub address: SocketAddr,
}

#[derive(Default)]
struct Counts {
    messages: Cell<u64>,
    recipients: Cell<u64>,
    connections: Cell<u64>,
}

impl Counts {
    fn shown(&self) -> Value {
        json!({
            "messages": self.messages.get(), "recipients": self.recipients.get(),
            "connections": self.connections.get(),
        })
    }
}

/// Serves until standard input ends; each line there is answered with the counts.
///
/// # Errors
/// The address can't be had.
pub async fn run(options: &Options) -> io::Result<Value> {
    let listener = TcpListener::bind(options.address).await?;
    let counts = Rc::new(Counts::default());
    let local = LocalSet::new();
    let counted = counts.clone();
    local.spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.connections.set(counted.connections.get() + 1);
            let counted = counted.clone();
            tokio::task::spawn_local(async move {
                // A peer that breaks off has nothing more to be counted.
                let _ = serve(stream, &counted).await;
            });
        }
    });
    local
        .run_until(async {
            let mut lines = BufReader::new(tokio_stdin()?).lines();
            while lines.next_line().await?.is_some() {
                println!("{}", counts.shown());
            }
            Ok(counts.shown())
        })
        .await
}

/// Standard input as a pipe: tokio's own would need a thread and a feature of its own.
fn tokio_stdin() -> io::Result<impl tokio::io::AsyncRead + Unpin> {
    use std::os::fd::AsFd;
    let owned = io::stdin().as_fd().try_clone_to_owned()?;
    tokio::net::unix::pipe::Receiver::from_owned_fd(owned)
}

async fn serve(stream: TcpStream, counts: &Counts) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::with_capacity(64 * 1024, read);
    write.write_all(b"220 sink.test ESMTP\r\n").await?;
    let mut line = Vec::new();
    let mut replies = Vec::new();
    loop {
        line.clear();
        if (&mut read).take(4096).read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let verb: Vec<u8> = line.iter().take(4).map(u8::to_ascii_uppercase).collect();
        let reply: &[u8] = match verb.as_slice() {
            b"EHLO" => b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n",
            b"DATA" => b"354 go on\r\n",
            b"QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        if verb == b"RCPT" {
            counts.recipients.set(counts.recipients.get() + 1);
        }
        replies.extend_from_slice(reply);
        // Replies to what came together leave together.
        if read.buffer().is_empty() || verb == b"DATA" {
            write.write_all(&replies).await?;
            replies.clear();
        }
        match verb.as_slice() {
            b"QUIT" => {
                write.write_all(&replies).await?;
                return Ok(());
            }
            b"DATA" => {
                skip_message(&mut read).await?;
                counts.messages.set(counts.messages.get() + 1);
                replies.extend_from_slice(b"250 taken\r\n");
                if read.buffer().is_empty() {
                    write.write_all(&replies).await?;
                    replies.clear();
                }
            }
            _ => {}
        }
    }
}

/// Reads up to the final dot.
async fn skip_message(read: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if read.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(());
        }
    }
}
