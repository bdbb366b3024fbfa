//! The raw floor: what the disk allows when nothing is done but appending and flushing.

use crate::message::{self, Shape};
use clap::Args;
use serde_json::{Value, json};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

/// `load floor`
#[derive(Args)]
pub struct Options {
    /// Folder for the file (removed afterwards)
    #[arg(long)]
    pub dir: PathBuf,
    /// Writers at once
    #[arg(long, default_value_t = 32)]
    pub writers: u64,
    /// Messages in all
    #[arg(long, default_value_t = 10_000)]
    pub messages: u64,
    /// Sizes
    #[command(flatten)]
    pub shape: Shape,
}

type Waiting = (Vec<u8>, Sender<()>);

/// Appends; each writer waits for the flush that covers its message before it makes the next.
///
/// # Errors
/// As the disk.
pub fn run(options: &Options) -> io::Result<Value> {
    let path = options.dir.join("floor.bin");
    let file = File::create(&path)?;
    let (sender, receiver) = channel::<Waiting>();
    let texts = message::make_all(&options.shape, options.messages, |_| "user0@example.test".into());
    let next = Mutex::new(texts.into_iter());
    let start = Instant::now();
    let (bytes, groups) = std::thread::scope(|scope| {
        for _ in 0..options.writers {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || writer(next, &sender));
        }
        drop(sender);
        append(&file, &receiver)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(json!({
        "work": "floor", "messages": options.messages, "bytes": bytes, "groups": groups, "seconds": seconds,
        "messages_per_second": options.messages as f64 / seconds,
    }))
}

fn writer(next: &Mutex<std::vec::IntoIter<Vec<u8>>>, sender: &Sender<Waiting>) {
    let (done, flushed) = channel();
    loop {
        let text = next.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
        let Some(text) = text else { return };
        if sender.send((text, done.clone())).is_err() || flushed.recv().is_err() {
            return;
        }
    }
}

fn append(file: &File, receiver: &Receiver<Waiting>) -> io::Result<(u64, u64)> {
    let (mut offset, mut groups) = (0u64, 0u64);
    let (mut buffer, mut waiting) = (Vec::new(), Vec::new());
    while let Ok((text, done)) = receiver.recv() {
        buffer.clear();
        buffer.extend_from_slice(&text);
        waiting.push(done);
        while let Ok((text, done)) = receiver.try_recv() {
            buffer.extend_from_slice(&text);
            waiting.push(done);
        }
        file.write_all_at(&buffer, offset)?;
        file.sync_data()?;
        offset += buffer.len() as u64;
        groups += 1;
        for done in waiting.drain(..) {
            let _ = done.send(());
        }
    }
    Ok((offset, groups))
}
