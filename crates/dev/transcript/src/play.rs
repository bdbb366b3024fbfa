//! Plays a script against sessions.

use std::collections::BTreeMap;
use std::fmt;

use wire::{Deflating, Session, Step, TlsInfo};

use crate::script::{Event, Kind, Script, glob};
use crate::{Header, World};

/// Steps after which a session that wants neither input nor the end is taken for one that spins.
const STEPS_MAX: usize = 1_000_000;

/// Where and how a session departed from its transcript.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    file: String,
    line: usize,
    wanted: String,
    got: String,
    one_byte_at_a_time: bool,
}

impl Failure {
    pub(crate) fn script(file: &str, line: usize, why: String) -> Failure {
        let wanted = "a line as the head of crates/dev/transcript describes it".to_owned();
        Failure { file: file.to_owned(), line, wanted, got: why, one_byte_at_a_time: false }
    }

    /// Line of the transcript, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What the session did instead.
    pub fn got(&self) -> &str {
        &self.got
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { file, line, wanted, got, one_byte_at_a_time } = self;
        let how =
            if *one_byte_at_a_time { " (input byte by byte; in whole pieces it was right)" } else { "" };
        write!(f, "{file}:{line}{how}\n  wanted {wanted}\n  got    {got}")
    }
}

impl std::error::Error for Failure {}

/// Stands in the output where compression begins or ends.
const DEFLATE: &[u8] = b"\0compression begins or ends";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    NeedsInput,
    WaitsForTls,
    Closed,
}

struct Client<S> {
    session: S,
    rest: Rest,
    close_seen: bool,
    output: Vec<u8>,
    /// Sent by the client, not yet read.
    socket: Vec<u8>,
}

struct Play<W: World> {
    world: W,
    chunk: usize,
    now: i64,
    tls: TlsInfo,
    clients: BTreeMap<u8, Client<W::Session>>,
}

/// Plays the script, feeding at most `chunk` bytes at a time.
pub(crate) fn play<W: World>(script: &Script, world: W, chunk: usize) -> Result<(), Failure> {
    let now = script.header.get("now").and_then(|now| now.parse().ok()).unwrap_or(1_700_000_000);
    let tls = tls_info(&script.header);
    let mut play = Play { world, chunk, now, tls, clients: BTreeMap::new() };
    let failure = |line: usize, (wanted, got): (String, String)| Failure {
        file: script.name.clone(),
        line,
        wanted,
        got,
        one_byte_at_a_time: chunk == 1,
    };
    for event in &script.events {
        play.open(script, event.client).map_err(|why| failure(event.line, why))?;
        play.event(event).map_err(|why| failure(event.line, why))?;
    }
    let last = script.events.last().map_or(1, |event| event.line);
    for number in play.clients.keys().copied().collect::<Vec<_>>() {
        play.deliver(number).map_err(|why| failure(last, why))?;
        let client = &play.clients[&number];
        client.must_be_silent("the end of the transcript").map_err(|why| failure(last, why))?;
        if client.rest == Rest::Closed && !client.close_seen {
            return Err(failure(last, ("an open connection".into(), "closed by the server".into())));
        }
    }
    Ok(())
}

/// Wanted, got.
type Departure = (String, String);

impl<W: World> Play<W> {
    fn open(&mut self, script: &Script, number: u8) -> Result<(), Departure> {
        if self.clients.contains_key(&number) {
            return Ok(());
        }
        let mut session = self.world.open(&script.header, number);
        if script.header.get("tls") == Some("implicit") {
            session.tls_started(tls_info(&script.header));
        }
        let (output, socket) = (Vec::new(), Vec::new());
        let client = Client { session, rest: Rest::NeedsInput, close_seen: false, output, socket };
        self.clients.insert(number, client);
        self.run(number)
    }

    fn event(&mut self, event: &Event) -> Result<(), Departure> {
        let number = event.client;
        if let Kind::Send(bytes) = &event.kind {
            return self.send(number, bytes);
        }
        self.deliver(number)?;
        match &event.kind {
            Kind::Send(_) => unreachable!("above"),
            Kind::Line(_) | Kind::Glob(_) | Kind::Bytes(_) | Kind::Deflate => {
                self.client(number).expect(&event.kind)
            }
            Kind::StartTls => {
                let tls = self.tls.clone();
                let client = self.client(number);
                client.must_be_silent("TLS")?;
                if client.rest != Rest::WaitsForTls {
                    return Err(("the start of TLS".into(), client.rest.describe()));
                }
                client.session.tls_started(tls);
                client.rest = Rest::NeedsInput;
                self.run(number)
            }
            Kind::Close => {
                let client = self.client(number);
                client.must_be_silent("the end of the connection")?;
                client.close_seen = true;
                match client.rest {
                    Rest::Closed => Ok(()),
                    rest => Err(("the end of the connection".into(), rest.describe())),
                }
            }
            Kind::Change(text) => {
                self.world.change(text).map_err(|why| (format!("W: {text}"), why))?;
                self.client(number).session.world_changed();
                self.run(number)
            }
            Kind::ShutDown => {
                self.client(number).session.shut_down();
                self.run(number)
            }
            Kind::TimeOut => {
                self.client(number).session.timed_out();
                self.run(number)
            }
            Kind::Later(seconds) => {
                self.now += seconds;
                Ok(())
            }
        }
    }

    fn client(&mut self, number: u8) -> &mut Client<W::Session> {
        self.clients.get_mut(&number).expect("opened before its first event")
    }

    fn send(&mut self, number: u8, bytes: &[u8]) -> Result<(), Departure> {
        let client = self.client(number);
        client.must_be_silent("the client's next line")?;
        if client.rest != Rest::NeedsInput {
            return Err(("a session that reads".into(), client.rest.describe()));
        }
        client.socket.extend_from_slice(bytes);
        Ok(())
    }

    /// Feeds what the client has sent; lines in a row have come together.
    fn deliver(&mut self, number: u8) -> Result<(), Departure> {
        let sent = std::mem::take(&mut self.client(number).socket);
        for piece in sent.chunks(self.chunk) {
            let client = self.client(number);
            if client.rest != Rest::NeedsInput {
                // Clear text behind a STARTTLS must count for nothing; nobody reads behind the end.
                break;
            }
            client.session.feed(piece);
            self.run(number)?;
        }
        Ok(())
    }

    /// Steps until the session rests.
    fn run(&mut self, number: u8) -> Result<(), Departure> {
        let client = self.clients.get_mut(&number).expect("opened before its first event");
        if client.rest != Rest::NeedsInput {
            return Ok(());
        }
        for _ in 0..STEPS_MAX {
            let step = client.session.step(self.now);
            client.output.append(client.session.output());
            match step {
                Step::NeedInput => return Ok(()),
                Step::Flush => {}
                Step::Ask(ask) => client.session.answer(self.world.answer(number, ask)),
                Step::StartTls => {
                    client.rest = Rest::WaitsForTls;
                    return Ok(());
                }
                Step::Deflate(change) => {
                    if let Deflating::Start { unread } = change {
                        client.session.feed(&unread);
                    }
                    client.output.extend_from_slice(DEFLATE);
                    client.output.extend_from_slice(b"\r\n");
                }
                Step::Close => {
                    client.rest = Rest::Closed;
                    return Ok(());
                }
            }
        }
        Err(("a session that comes to rest".into(), format!("{STEPS_MAX} steps without end")))
    }
}

impl Rest {
    fn describe(self) -> String {
        let what = match self {
            Rest::NeedsInput => "the session waits for input",
            Rest::WaitsForTls => "the session waits for TLS",
            Rest::Closed => "the session has closed the connection",
        };
        what.to_owned()
    }
}

impl<S: Session> Client<S> {
    fn expect(&mut self, kind: &Kind) -> Result<(), Departure> {
        if let Kind::Bytes(bytes) = kind {
            if !self.output.starts_with(bytes) {
                return Err((quoted(bytes), self.rest_of_output()));
            }
            self.output.drain(..bytes.len());
            return Ok(());
        }
        let line = self.output.windows(2).position(|pair| pair == b"\r\n").map(|at| &self.output[..at]);
        let (fits, wanted) = match kind {
            Kind::Line(text) => (line == Some(text.as_bytes()), quoted(text.as_bytes())),
            Kind::Glob(text) => {
                (line.is_some_and(|line| glob(text, line)), format!("like {}", quoted(text.as_bytes())))
            }
            Kind::Deflate => (line == Some(DEFLATE), "compression to begin or end".to_owned()),
            _ => unreachable!("only what the server says"),
        };
        if !fits {
            return Err((wanted, self.rest_of_output()));
        }
        let used = line.map_or(0, |line| line.len() + 2);
        self.output.drain(..used);
        Ok(())
    }

    fn must_be_silent(&self, before: &str) -> Result<(), Departure> {
        if self.output.is_empty() { Ok(()) } else { Err((before.to_owned(), self.rest_of_output())) }
    }

    /// The first lines of what was said and not expected.
    fn rest_of_output(&self) -> String {
        if self.output.is_empty() {
            return format!("nothing; {}", self.rest.describe());
        }
        let lines = self.output.split_inclusive(|&b| b == b'\n').take(6);
        let lines: Vec<String> =
            lines.map(|line| quoted(line.strip_suffix(b"\r\n").unwrap_or(line))).collect();
        lines.join("\n         ")
    }
}

/// Readable, with everything invisible escaped; UTF-8 as it is; not endless.
fn quoted(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 400;
    if bytes.len() > SHOWN_MAX {
        let (start, end) = (&bytes[..SHOWN_MAX / 2], &bytes[bytes.len() - SHOWN_MAX / 2..]);
        let count = bytes.len();
        return format!("\"{}\" … \"{}\" ({count} bytes)", start.escape_ascii(), end.escape_ascii());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("\"{}\"", bytes.escape_ascii()),
    }
}

fn tls_info(header: &Header) -> TlsInfo {
    let words = |key| header.get(key).map(|text| text.split(' ').map(str::to_owned).collect());
    TlsInfo {
        version: "TLSv1.3".into(),
        cipher: "TLS13_AES_256_GCM_SHA384".into(),
        server_name: Some("mail.example.test".into()),
        exporter: header.get("exporter").map(|text| text.as_bytes().to_vec()),
        end_point: None,
        client_names: words("certificate").unwrap_or_default(),
    }
}
