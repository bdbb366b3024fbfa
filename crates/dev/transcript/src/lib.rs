//! Runs golden transcripts (`golden/<protocol>/*.t`) against a session in memory (DESIGN.md §5): once in whole pieces, once
//! byte by byte, with the same output each time.
//!
//! # Format
//! The head is `key: value` lines up to the first blank line; [`Header`] hands them to the test's [`World`]. This crate
//! itself reads `now` (seconds since 1970, 1700000000 unless given) and `tls` (`implicit`: TLS stands before the first
//! byte), `exporter` (the data of tls-exporter channel binding) and `certificate` (addresses in the client's, with spaces
//! between). A line beginning with `#` is a comment, everywhere; so is anything behind two or more spaces and `# ` at the end
//! of a line, where the rule is named (the spaces before it go too). A blank line means nothing. The others are:
//!
//! ```text
//! C: text       the client sends the text and CRLF; several in a row are pipelined
//! C< text       the client sends the text without CRLF; escapes as below
//! S: text       the server says exactly this line (and CRLF)
//! S~ text       the same, but `*` stands for any text (`\*` for a star)
//! S< text       the server says exactly these bytes, CRLF not implied; escapes as below
//! T:            the server starts TLS now; what was pipelined in clear is gone
//! Z:            compression begins or ends now; what follows is written here as it is
//! E:            the server closes the connection now
//! W: text       the text (may be empty) goes to `World::change`, then the session hears `world_changed`
//! D:            the server goes down (`shut_down`)
//! L:            the client was silent for too long (`timed_out`)
//! N: seconds    the clock is that much later
//! ```
//! Escapes: `\r` `\n` `\t` `\0` `\\` `\xNN`, and `\{1000:x}` for a thousand times `x` (one escape or character).
//! No comment is looked for behind `C<` and `S<`.
//!
//! A digit after the letter means another client of the same world (`C2:`, `S2:`, `W2:` …; none is client 1), whose
//! session is opened by the first line that names it.
//!
//! Whatever the server has said must have been expected before the client's next line and at the end; a connection that
//! closes without `E:` fails. A transcript that ends without `E:` is a client gone without a word.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use wire::Session;

mod play;
mod script;
#[cfg(test)]
mod tests;

pub use play::Failure;

/// The head of a transcript.
#[derive(Clone, Debug, Default)]
pub struct Header {
    values: BTreeMap<String, String>,
}

impl Header {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Every key with its value, by key: so that a test can refuse those that it does not know.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// What is around the sessions of one transcript: made anew for each run.
pub trait World {
    /// The session under test.
    type Session: Session;

    /// A client connects (number 1, unless the transcript has several).
    fn open(&mut self, header: &Header, client: u8) -> Self::Session;

    /// A session's question.
    fn answer(
        &mut self,
        client: u8,
        ask: <Self::Session as Session>::Ask,
    ) -> <Self::Session as Session>::Answer;

    /// `W: text`, of the test's own making, for example that a message has come.
    ///
    /// # Errors
    /// Text that the test does not understand; the transcript fails with it.
    fn change(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() { Ok(()) } else { Err(format!("this world can't do {text:?}")) }
    }
}

/// Runs one transcript: in whole pieces, then byte by byte.
///
/// # Errors
/// The first line where the session departs from it, or that is no transcript.
pub fn run<W: World>(name: &str, text: &str, world: impl Fn(&Header) -> W) -> Result<(), Failure> {
    let script = script::parse(name, text)?;
    for chunk in [wire::FEED_BYTES_MAX, 1] {
        play::play(&script, world(&script.header), chunk)?;
    }
    Ok(())
}

/// Runs every `*.t` of a folder; for a `#[test]`.
///
/// # Panics
/// With every failure, file and line, and when the folder has no transcript at all.
pub fn run_folder<W: World>(folder: impl AsRef<Path>, world: impl Fn(&Header) -> W) {
    let folder = folder.as_ref();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a folder's entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "t"));
    files.sort();
    assert!(!files.is_empty(), "{}: no transcript", folder.display());
    let mut report = String::new();
    for file in &files {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{name}: {e}"));
        if let Err(failure) = run(&name, &text, &world) {
            let _ = write!(report, "\n{failure}");
        }
    }
    assert!(report.is_empty(), "{report}");
}
