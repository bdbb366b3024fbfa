//! `troika import` and `troika export`: files on this side, the store on the other.

use super::arguments::{Export, Form, Import};
use super::files::{Found, maildir, mbox};
use super::{Reach, Terminal};
use crate::control::request::{ExportedMessage, ImportedMessage};
use crate::control::{Event, Failure, Request, Sink};
use serde_json::Value;
use std::fs;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

/// A batch is sent when it has so many messages or bytes; one commit each.
const BATCH_MESSAGES: usize = 200;
const BATCH_BYTES: usize = 8 << 20;

/// Brings mail in.
///
/// # Errors
/// When files can't be read or the store refuses; what came in before stays, and a second run skips it.
pub fn import(reach: &mut Reach, import: &Import, terminal: &mut Terminal) -> Result<(), Failure> {
    let unreadable = |error: io::Error| Failure::new(format!("{}: {error}", import.path.display()));
    let mut batch = Batch { account: import.account.clone(), ..Batch::default() };
    match import.form {
        Form::Maildir => {
            let folders = maildir::folders(&import.path).map_err(unreadable)?;
            let mut files = Vec::new();
            for (name, folder) in folders {
                files.push((below(&import.mailbox, &name), maildir::messages(&folder).map_err(unreadable)?));
            }
            batch.of = files.iter().flat_map(|(_, list)| list).map(|(_, size)| size).sum();
            for (mailbox, list) in files {
                batch.turn_to(&mailbox, reach, terminal)?;
                for (path, size) in list {
                    batch.done += size;
                    match maildir::read(&path) {
                        Ok(found) => batch.add(found, reach, terminal)?,
                        // Another program may have moved it meanwhile (a flag changed); a second run finds it.
                        Err(error) => {
                            terminal_say(terminal, format!("{}: {error}; skipped", path.display()))?
                        }
                    }
                }
            }
        }
        Form::Mbox => {
            let file = fs::File::open(&import.path).map_err(unreadable)?;
            batch.of = file.metadata().map_err(unreadable)?.len();
            batch.turn_to(&import.mailbox, reach, terminal)?;
            let mut reader = mbox::Reader::new(BufReader::with_capacity(1 << 20, file));
            while let Some(found) = reader.next().map_err(unreadable)? {
                batch.done = reader.bytes;
                batch.add(found, reach, terminal)?;
            }
        }
    }
    batch.send(reach, terminal)?;
    terminal.finish();
    terminal_say(terminal, format!("{} messages are new, {} were there already", batch.new, batch.known))
}

fn below(mailbox: &str, name: &str) -> String {
    match (mailbox, name) {
        (mailbox, "") => mailbox.to_owned(),
        ("INBOX", name) => name.to_owned(),
        (mailbox, name) => format!("{mailbox}/{name}"),
    }
}

fn terminal_say(terminal: &mut Terminal, text: String) -> Result<(), Failure> {
    (terminal as &mut dyn Sink).say(text)
}

#[derive(Default)]
struct Batch {
    account: String,
    mailbox: String,
    messages: Vec<ImportedMessage>,
    body: Vec<u8>,
    done: u64,
    of: u64,
    new: u64,
    known: u64,
}

impl Batch {
    fn turn_to(&mut self, mailbox: &str, reach: &mut Reach, terminal: &mut Terminal) -> Result<(), Failure> {
        self.send(reach, terminal)?;
        mailbox.clone_into(&mut self.mailbox);
        Ok(())
    }

    fn add(&mut self, found: Found, reach: &mut Reach, terminal: &mut Terminal) -> Result<(), Failure> {
        let length =
            u32::try_from(found.content.len()).map_err(|_| Failure::new("a message is larger than 4 GiB"))?;
        self.messages.push(ImportedMessage {
            length,
            key: found.key,
            flags: found.flags.0,
            keywords: found.keywords,
            received: found.received,
        });
        self.body.extend_from_slice(&found.content);
        if self.messages.len() >= BATCH_MESSAGES || self.body.len() >= BATCH_BYTES {
            self.send(reach, terminal)?;
        }
        Ok(())
    }

    fn send(&mut self, reach: &mut Reach, terminal: &mut Terminal) -> Result<(), Failure> {
        if self.messages.is_empty() {
            return Ok(());
        }
        let request = Request::ImportBatch {
            account: self.account.clone(),
            mailbox: self.mailbox.clone(),
            messages: std::mem::take(&mut self.messages),
        };
        let mut count = Count::default();
        reach.ask(&request, &self.body, &mut count)?;
        self.body.clear();
        self.new += count.number("new");
        self.known += count.number("known");
        (terminal as &mut dyn Sink).progress(self.done, self.of);
        Ok(())
    }
}

/// Takes the one row in which a batch is summed up.
#[derive(Default)]
struct Count(Value);

impl Count {
    fn number(&self, key: &str) -> u64 {
        self.0.get(key).and_then(Value::as_u64).unwrap_or(0)
    }
}

impl Sink for Count {
    fn event(&mut self, event: Event, _: &[u8]) -> io::Result<()> {
        if let Event::Row(row) = event {
            self.0 = row;
        }
        Ok(())
    }
}

/// Writes mail out.
///
/// # Errors
/// When files can't be written or the store can't be read; a second run goes on where this one stopped.
pub fn export(reach: &mut Reach, export: &Export, terminal: &mut Terminal) -> Result<(), Failure> {
    let mut rows = Rows::default();
    let list = crate::cli::arguments::Mailbox::List { address: export.account.clone() };
    reach.ask(&Request::Mailbox(list), b"", &mut rows)?;
    let mailboxes: Vec<(String, u64)> = rows
        .0
        .iter()
        .filter_map(|row| Some((row.get("name")?.as_str()?.to_owned(), row.get("messages")?.as_u64()?)))
        .filter(|(name, _)| export.mailbox.as_ref().is_none_or(|only| only == name))
        .collect();
    if let (Some(only), true) = (&export.mailbox, mailboxes.is_empty()) {
        return Err(Failure::new(format!("{} has no mailbox {only}", export.account)));
    }
    let of: u64 = mailboxes.iter().map(|(_, messages)| messages).sum();
    let (mut done, mut written) = (0, 0);
    for (mailbox, _) in &mailboxes {
        let outlet = outlet(export.form, &export.path, mailbox)
            .map_err(|error| Failure::new(format!("{}: {error}", export.path.display())))?;
        let Some(outlet) = outlet else { continue };
        let mut writing = Writing { outlet, last: 0, done, of, written: 0, terminal: &mut *terminal };
        loop {
            let before = writing.last;
            let request = Request::ExportBatch {
                account: export.account.clone(),
                mailbox: mailbox.clone(),
                from: writing.last.saturating_add(1),
            };
            reach.ask(&request, b"", &mut writing)?;
            if writing.last == before {
                break;
            }
        }
        done = writing.done;
        written += writing.written;
        writing
            .outlet
            .finish()
            .map_err(|error| Failure::new(format!("{}: {error}", export.path.display())))?;
    }
    terminal.finish();
    terminal_say(terminal, format!("{written} messages were written, {} were there already", done - written))
}

#[derive(Default)]
struct Rows(Vec<Value>);

impl Sink for Rows {
    fn event(&mut self, event: Event, _: &[u8]) -> io::Result<()> {
        if let Event::Row(row) = event {
            self.0.push(row);
        }
        Ok(())
    }
}

enum Outlet {
    Maildir(maildir::Writer),
    /// Written under another name until it is whole.
    Mbox(BufWriter<fs::File>, std::path::PathBuf, std::path::PathBuf),
}

/// None: an earlier run has finished this one.
fn outlet(form: Form, top: &Path, mailbox: &str) -> io::Result<Option<Outlet>> {
    if form == Form::Maildir {
        return maildir::Writer::open(top, mailbox).map(Outlet::Maildir).map(Some);
    }
    fs::create_dir_all(top)?;
    let name = mailbox.replace('/', "\u{2215}");
    let (part, whole) = (top.join(format!("{name}.mbox.part")), top.join(format!("{name}.mbox")));
    if whole.exists() {
        return Ok(None);
    }
    Ok(Some(Outlet::Mbox(BufWriter::new(fs::File::create(&part)?), part, whole)))
}

impl Outlet {
    fn write(&mut self, message: &ExportedMessage, content: &[u8]) -> io::Result<bool> {
        let found = Found {
            content: content.to_vec(),
            key: String::new(),
            flags: model::FlagSet(message.flags),
            keywords: message.keywords.clone(),
            received: message.received,
        };
        match self {
            Outlet::Maildir(writer) => {
                writer.write(&format!("{}.{}.troika", message.uid_validity, message.uid), &found)
            }
            Outlet::Mbox(file, ..) => mbox::write(file, &found).map(|()| true),
        }
    }

    fn finish(self) -> io::Result<()> {
        let Outlet::Mbox(mut file, part, whole) = self else { return Ok(()) };
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(part, whole)
    }
}

struct Writing<'a> {
    outlet: Outlet,
    last: u32,
    done: u64,
    of: u64,
    written: u64,
    terminal: &'a mut Terminal,
}

impl Sink for Writing<'_> {
    fn event(&mut self, event: Event, body: &[u8]) -> io::Result<()> {
        let Event::Message(message) = event else { return self.terminal.event(event, body) };
        self.written += u64::from(self.outlet.write(&message, body)?);
        self.last = message.uid;
        self.done += 1;
        (self.terminal as &mut dyn Sink).progress(self.done, self.of);
        Ok(())
    }
}
