//! Messages for load: header and text of words, sizes of real mail (4 KiB to 1 MiB, 15 KiB on average).

use clap::Args;
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

/// Which sizes.
#[derive(Args, Clone)]
pub struct Shape {
    /// Seed of everything that is made up
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Size of every message in bytes; 0: mixed, 4 KiB to 1 MiB, 15 KiB on average
    #[arg(long, default_value_t = 0)]
    pub size: usize,
}

/// `load files`
#[derive(Args)]
pub struct FilesOptions {
    /// How many
    #[arg(long, default_value_t = 1000)]
    pub messages: u64,
    /// Write an mbox here
    #[arg(long)]
    pub mbox: Option<PathBuf>,
    /// Write a Maildir here
    #[arg(long)]
    pub maildir: Option<PathBuf>,
    /// Their sizes
    #[command(flatten)]
    pub shape: Shape,
}

/// A small generator (xorshift64*): quick, and the same everywhere.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// From a seed and a number in its series.
    pub fn new(seed: u64, number: u64) -> Random {
        let mixed = (seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Random(mixed | 1)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

const WORDS: [&str; 64] = [
    "the",
    "mail",
    "server",
    "queue",
    "letter",
    "about",
    "meeting",
    "tomorrow",
    "project",
    "report",
    "and",
    "of",
    "to",
    "in",
    "that",
    "with",
    "for",
    "this",
    "budget",
    "quarter",
    "please",
    "find",
    "attached",
    "invoice",
    "number",
    "regards",
    "thanks",
    "question",
    "answer",
    "time",
    "place",
    "week",
    "month",
    "year",
    "customer",
    "order",
    "delivery",
    "address",
    "street",
    "city",
    "price",
    "total",
    "discount",
    "offer",
    "contract",
    "agreement",
    "sign",
    "return",
    "before",
    "after",
    "between",
    "without",
    "within",
    "because",
    "however",
    "therefore",
    "engine",
    "storage",
    "index",
    "message",
    "mailbox",
    "folder",
    "archive",
    "письмо",
];

/// Size of the `number`-th message.
pub fn size(shape: &Shape, number: u64) -> usize {
    if shape.size > 0 {
        return shape.size;
    }
    let mut random = Random::new(shape.seed, number);
    let kilobytes = match random.below(1000) {
        0..=699 => 4 + random.below(5),
        700..=929 => 8 + random.below(17),
        930..=989 => 32 + random.below(65),
        990..=998 => 128 + random.below(257),
        _ => 1024,
    };
    usize::try_from(kilobytes * 1024).unwrap_or(4096)
}

/// The `number`-th message: CRLF lines, no line begins with a dot. `to` goes into the header.
pub fn make(shape: &Shape, number: u64, to: &str, out: &mut Vec<u8>) {
    let mut random = Random::new(shape.seed, number ^ 0x5555);
    let wanted = size(shape, number);
    out.clear();
    out.extend_from_slice(
        format!(
            "Message-ID: <{:x}.{number}@load.test>\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nFrom: Load <load@load.test>\r\nTo: <{to}>\r\nSubject: {} {} {} no. {number}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nX-Load: {number}\r\n\r\n",
            shape.seed,
            WORDS[random.below(63) as usize],
            WORDS[random.below(63) as usize],
            WORDS[random.below(63) as usize],
        )
        .as_bytes(),
    );
    // Every fourth message is mostly base64, as mail with attachments is.
    let attachment = number % 4 == 3;
    while out.len() < wanted {
        let line = out.len();
        if attachment {
            const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            for _ in 0..8 {
                let bits = random.next();
                out.extend((0..9).map(|at| SIGNS[(bits >> (at * 6)) as usize & 63]));
            }
        } else {
            while out.len() - line < 64 {
                out.extend_from_slice(WORDS[random.below(64) as usize].as_bytes());
                out.push(b' ');
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The first `count` messages, made before the clock runs: making them takes as long as storing them. `to` names the
/// recipient of each.
pub fn make_all(shape: &Shape, count: u64, to: impl Fn(u64) -> String) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| {
            let mut text = Vec::new();
            make(shape, number, &to(number), &mut text);
            text.shrink_to_fit();
            text
        })
        .collect()
}

/// Writes messages to files.
///
/// # Errors
/// As the system.
pub fn write_files(options: &FilesOptions) -> io::Result<Value> {
    let mut bytes = 0u64;
    let mut text = Vec::new();
    let mut mbox = options.mbox.as_ref().map(fs::File::create).transpose()?.map(io::BufWriter::new);
    if let Some(maildir) = &options.maildir {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(part))?;
        }
    }
    for number in 0..options.messages {
        make(&options.shape, number, "user0@example.test", &mut text);
        bytes += text.len() as u64;
        let plain: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\r').collect();
        if let Some(mbox) = &mut mbox {
            mbox.write_all(b"From load@load.test Sat Nov 21 12:00:00 2026\n")?;
            mbox.write_all(&plain)?;
            mbox.write_all(b"\n")?;
        }
        if let Some(maildir) = &options.maildir {
            fs::write(
                maildir.join("cur").join(format!("{}.{number:08}.load:2,S", 1_795_262_400 + number)),
                &plain,
            )?;
        }
    }
    if let Some(mut mbox) = mbox {
        mbox.flush()?;
    }
    Ok(json!({ "messages": options.messages, "bytes": bytes }))
}
