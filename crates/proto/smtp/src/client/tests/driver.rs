//! Plays a script against a client: every line in its turn, the server's octets at once and then one by one.

use super::*;
use crate::ask::{BodyType, Recipient};
use model::{EmailAddress, Path, ReversePath};
use std::collections::VecDeque;

pub(super) struct Driver {
    pub(super) client: Client,
    pub(super) message: Vec<u8>,
    /// What has happened and was not expected yet.
    pub(super) happened: VecDeque<String>,
    pub(super) output: Vec<u8>,
    pub(super) told_closed: bool,
}

impl Driver {
    pub(super) fn new(settings: Settings) -> Driver {
        let client = Client::new(settings);
        Driver {
            client,
            message: Vec::new(),
            happened: VecDeque::new(),
            output: Vec::new(),
            told_closed: false,
        }
    }

    pub(super) fn take_output(&mut self) {
        self.output.append(self.client.output());
        while let Some(end) = self.output.windows(2).position(|window| window == b"\r\n") {
            let line: Vec<u8> = self.output.drain(..end + 2).collect();
            self.happened.push_back(format!("C: {}", String::from_utf8_lossy(&line[..end])));
        }
    }

    pub(super) fn pump(&mut self) {
        for _ in 0..10_000 {
            let step = self.client.step();
            self.take_output();
            match step {
                Step::NeedInput => return,
                Step::Flush => {}
                Step::StartTls => self.happened.push_back("* StartTls".into()),
                Step::Ready => self.happened.push_back("* Ready".into()),
                Step::WantContent => {
                    let (piece, rest) = self.message.split_at(self.message.len().min(5));
                    let (piece, rest) = (piece.to_vec(), rest.to_vec());
                    self.client.content(&piece);
                    self.message = rest;
                }
                Step::Transacted(outcomes) => {
                    for outcome in outcomes {
                        self.happened.push_back(format!("* {:?} {outcome}", outcome.verdict));
                    }
                }
                Step::Closed(ended) => {
                    let why = ended
                        .map_or_else(|outcome| format!("{:?} {outcome}", outcome.verdict), |()| "Ok".into());
                    if !std::mem::replace(&mut self.told_closed, true) {
                        self.happened.push_back(format!("* Closed {why}"));
                    }
                    return;
                }
            }
        }
        panic!("the client spins");
    }

    pub(super) fn act(&mut self, what: &str) {
        let (verb, args) = what.split_once(' ').unwrap_or((what, ""));
        match verb {
            "send" => {
                let (transaction, message) = transaction(args);
                self.message = message;
                self.told_closed = false;
                self.client.send(transaction);
            }
            "quit" => self.client.quit(),
            "closed" => self.client.closed(),
            "silence" => self.client.timed_out(),
            "abandon" => self.client.abandon(),
            "tls" => self.client.tls_started(TlsInfo::default()),
            other => panic!("the driver can't {other}"),
        }
    }

    pub(super) fn play(mut self, script: &str, piece_bytes: usize) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.pump();
            if let Some(text) = line.strip_prefix("S: ") {
                assert_eq!(self.happened.pop_front(), None, "before {line}");
                for piece in format!("{text}\r\n").as_bytes().chunks(piece_bytes) {
                    self.client.feed(piece);
                    self.pump();
                }
            } else if let Some(what) = line.strip_prefix("> ") {
                assert_eq!(self.happened.pop_front(), None, "before {line}");
                self.act(what);
            } else {
                assert_eq!(self.happened.pop_front().as_deref().map(str::trim_end), Some(line));
            }
        }
        self.pump();
        assert_eq!(self.happened, VecDeque::<String>::new(), "at the end");
        assert!(self.output.is_empty(), "half a line");
    }
}

/// `from to,to key=value … : text`, where `|` in the text is a line end.
pub(super) fn transaction(text: &str) -> (Transaction, Vec<u8>) {
    let (envelope, text) = text.split_once(" : ").unwrap_or((text, "Hi|"));
    let mut words = envelope.split(' ');
    let address = |text: &str| EmailAddress::parse(text).unwrap();
    let from = match words.next().unwrap() {
        "<>" => ReversePath::Null,
        from => ReversePath::Mailbox(address(from)),
    };
    let to = words.next().unwrap().split(',');
    let recipient = |to| Recipient { path: Path::Mailbox(address(to)), notify: None, original: None };
    let mut options = Options::default();
    for word in words {
        match word {
            "8bit" => options.body = BodyType::EightBitMime,
            "binary" => options.body = BodyType::BinaryMime,
            "utf8" => options.smtputf8 = true,
            "requiretls" => options.require_tls = true,
            other => panic!("no option {other}"),
        }
    }
    let message = text.replace('|', "\r\n").into_bytes();
    let content_bytes = message.len() as u64;
    (Transaction { from, recipients: to.map(recipient).collect(), options, content_bytes }, message)
}

pub(super) fn play_with(settings: &Settings, script: &str) {
    for piece_bytes in [usize::MAX, 1] {
        Driver::new(settings.clone()).play(script, piece_bytes);
    }
}

pub(super) fn settings() -> Settings {
    Settings::new("client.example.test")
}

pub(super) fn play(script: &str) {
    play_with(&settings(), script);
}

pub(super) fn play_lmtp(script: &str) {
    play_with(&Settings { protocol: Protocol::Lmtp, ..settings() }, script);
}

/// A session that stands, with these extensions.
pub(super) fn after_ehlo(keywords: &str, script: &str) -> String {
    let mut lines: Vec<&str> = keywords.split(',').filter(|word| !word.is_empty()).collect();
    lines.insert(0, "mx.example.test");
    let last = lines.pop().unwrap();
    let list: String = lines.iter().map(|line| format!("S: 250-{line}\n")).collect();
    format!("S: 220 mx.example.test\nC: EHLO client.example.test\n{list}S: 250 {last}\n* Ready\n{script}")
}
