//! The session as clients see it: golden transcripts, views of several sessions, properties of any input.

mod annotations;
mod contexts;
mod happenings;
mod order;
mod properties;
mod races;
mod replica;
mod search;
mod sharing;
mod world;

use imap::Session;
use imap::ask::{Answer, Ask};
use model::FlagSet;
use std::sync::Arc;
use transcript::Header;
use wire::{Connection, TlsMode};
use world::{NOW, World, simple};

/// A connection as the tests use it.
pub fn connection(tls: TlsMode, plaintext_auth: bool) -> Connection {
    Connection {
        hostname: "mail.example.test".to_owned(),
        peer: None,
        trace: "test".to_owned(),
        entropy: [7; 32],
        tls,
        plaintext_auth,
    }
}

impl transcript::World for World {
    type Session = Session;

    fn open(&mut self, header: &Header, _client: u8) -> Session {
        let tls = match header.get("tls") {
            Some("starttls") => TlsMode::Starttls,
            Some("implicit") => TlsMode::Implicit,
            _ => TlsMode::None,
        };
        let plaintext_auth = header.get("tls").is_none();
        let mut limits = imap::Settings::default();
        if let Some(limit) = header.get("message_bytes_max") {
            limits.message_bytes_max = limit.parse().expect("a number");
        }
        if let Some(limit) = header.get("message_limit") {
            limits.message_limit = imap::MessageLimit::Every(limit.parse().expect("a number"));
        }
        limits.submitters.extend(header.get("submitters").map(str::to_owned));
        if let Some(limit) = header.get("save_limit") {
            limits.message_limit = imap::MessageLimit::Save(limit.parse().expect("a number"));
        }
        limits.admin = header.get("admin").map(str::to_owned);
        limits.administrators.extend(header.get("administrator").map(str::to_owned));
        if let Some(names) = header.get("mechanisms") {
            let parse = |name: &str| sasl::Mechanism::parse(name.as_bytes()).expect("a mechanism");
            limits.mechanisms = names.split(' ').map(parse).collect();
        }
        Session::new(connection(tls, plaintext_auth), Arc::new(limits))
    }

    fn answer(&mut self, client: u8, ask: Ask) -> Answer {
        World::answer(self, client, ask)
    }

    /// `deliver NAME`, `expunge NAME UID`, `corrupt NAME UID`, `full`, `fail KIND`, `uidvalidity NAME NUMBER`, `rights NAME LETTERS`, `administrator`, or nothing.
    fn change(&mut self, text: &str) -> Result<(), String> {
        self.by_nobody();
        let words: Vec<&str> = text.split_whitespace().collect();
        let id = |name: &str| self.find(name).ok_or_else(|| format!("no mailbox {name}"));
        match words[..] {
            [] => {}
            ["deliver", name] => {
                let id = id(name)?;
                let number = self.mailboxes[&id].uid_next;
                self.deliver(id, simple(number).as_bytes(), FlagSet::NONE, NOW);
            }
            ["deliver", name, times] => {
                let id = id(name)?;
                for _ in 0..times.parse().map_err(|_| "a number".to_owned())? {
                    self.deliver(id, simple(1).as_bytes(), FlagSet::NONE, NOW);
                }
            }
            ["expunge", name, uid] => {
                let (id, uid) = (id(name)?, uid.parse().map_err(|_| "a UID".to_owned())?);
                self.expunge(id, &[uid]);
            }
            ["corrupt", name, uid] => {
                let (id, uid): (u32, u32) = (id(name)?, uid.parse().map_err(|_| "a UID".to_owned())?);
                self.mailboxes
                    .get_mut(&id)
                    .and_then(|mailbox| mailbox.messages.get_mut(&uid))
                    .ok_or("no message")?
                    .corrupt = true;
            }
            ["full"] => self.full = true,
            ["fail", kind] => self.failing = Some(kind.to_owned()),
            ["uidvalidity", name, value] => {
                let id = id(name)?;
                let value = value.parse().map_err(|_| "a number".to_owned())?;
                self.mailboxes.get_mut(&id).ok_or("no mailbox")?.uid_validity = value;
            }
            ["rights", name, letters] => {
                let id = id(name)?;
                let rights =
                    model::Rights::parse(letters.trim_matches('"')).map_err(|_| "rights".to_owned())?;
                let before = self.rights(id);
                self.note(happenings::Happening::Rights(id, before));
                let list = self.lists.entry(id).or_default();
                list.retain(|(who, _)| who != "me");
                list.push(("me".to_owned(), rights));
            }
            ["administrator"] => self.administrator = true,
            _ => return Err(format!("this world can't do {text:?}")),
        }
        Ok(())
    }
}

/// What the head of a transcript asks for.
fn prepare(header: &Header) -> World {
    let mut world = World::new();
    for (key, value) in header.iter() {
        match key {
            "now" | "tls" | "exporter" | "certificate" | "mechanisms" | "message_bytes_max"
            | "message_limit" | "save_limit" | "submitters" | "admin" | "administrator" => {}
            "messages" => {
                let inbox = world.find("INBOX").expect("an inbox");
                for number in 1..=value.parse().expect("a number") {
                    world.deliver(inbox, simple(number).as_bytes(), FlagSet::NONE, NOW + i64::from(number));
                }
            }
            "mailboxes" => {
                for name in value.split(", ") {
                    let (name, special_use) = match name.split_once(' ') {
                        Some((name, use_)) => (name, model::SpecialUse::from_attribute(use_)),
                        None => (name, None),
                    };
                    if world.find(name).is_none() {
                        world.create(name, special_use);
                    }
                }
            }
            "without" => {
                let id = world.find(value).expect("that mailbox");
                world.mailboxes.remove(&id);
            }
            "subscribed" => world.subscriptions.extend(value.split(", ").map(str::to_owned)),
            "page" => world.page = value.parse().expect("a number"),
            "chunk" => world.chunk = value.parse().expect("a number"),
            "digests" => world.digests = value == "yes",
            "world" if value == "rfc3501" => rfc3501(&mut world),
            "world" if value == "sort" => crate::order::five(&mut world),
            "world" if value == "comparator" => crate::order::spellings(&mut world),
            "world" if value == "undecodable" => crate::order::undecodable(&mut world),
            "world" if value == "threads" => crate::order::conversation(&mut world),
            "world" if value == "mime" => multipart(&mut world),
            "world" if value == "encoded" => {
                multipart(&mut world);
                encoded(&mut world);
            }
            key => panic!("unknown key {key} in the head of a transcript"),
        }
    }
    world
}

/// The mailbox of RFC 3501 §8, as far as it is told there.
fn rfc3501(world: &mut World) {
    let inbox = world.find("INBOX").expect("an inbox");
    let line = "0123456789012345678901234567890\r\n";
    let mut minutes = "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n\
                       From: Terry Gray <gray@cac.washington.edu>\r\n\
                       Subject: IMAP4rev1 WG mtg summary and minutes\r\n\
                       To: imap@cac.washington.edu\r\n\
                       cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n\
                       Message-Id: <B27397-0100000@cac.washington.edu>\r\n\
                       MIME-Version: 1.0\r\n\
                       Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n"
        .to_owned();
    minutes.push_str(&line.repeat(91));
    minutes.push_str(&"x".repeat(3028 - 91 * line.len() - 2));
    minutes.push_str("\r\n");
    for number in 1..=18 {
        let seen = if number < 17 { FlagSet::NONE.with(model::Flag::Seen) } else { FlagSet::NONE };
        let content = if number == 12 { minutes.clone() } else { simple(number) };
        world.deliver(inbox, content.as_bytes(), seen, 837_596_665);
    }
    let mailbox = world.mailboxes.get_mut(&inbox).expect("an inbox");
    mailbox.uid_validity = 3_857_529_045;
    mailbox.unclaimed = [17, 18].into();
}

/// One message with parts, one of them a message.
fn multipart(world: &mut World) {
    let inbox = world.find("INBOX").expect("an inbox");
    let text = "From: Fred <fred@example.test>\r\nSubject: parts\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\
                Content-Type: text/plain; charset=utf-8\r\n\r\nfirst\r\n--b\r\n\
                Content-Type: message/rfc822\r\n\r\nFrom: in@example.test\r\nSubject: inner\r\n\r\ninner body\r\n\
                --b--\r\n";
    world.deliver(inbox, text.as_bytes(), FlagSet::NONE, NOW);
}

/// A message with a part in base64 that holds NUL, and one whose transfer encoding nobody knows.
fn encoded(world: &mut World) {
    let inbox = world.find("INBOX").expect("an inbox");
    let text = "Subject: encoded\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: IMAGE/PNG\r\n\
                Content-Transfer-Encoding: BASE64\r\n\r\nUE5HAAE=\r\n--b\r\nContent-Type: IMAGE/PNG\r\n\
                Content-Transfer-Encoding: X-BLURDYBLOOP\r\n\r\n???\r\n--b--\r\n";
    world.deliver(inbox, text.as_bytes(), FlagSet::NONE, NOW);
}

#[test]
fn transcripts() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../golden/imap");
    transcript::run_folder(folder, prepare);
}
