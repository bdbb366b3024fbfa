//! GETMETADATA and SETMETADATA (RFC 5464). An empty name of a mailbox means the server.
//!
//! Names of entries are kept in lower case (RFC 5464 §3.2: they are case-insensitive) and told as the client spelled them
//! where it named them.

use super::Begun;
use crate::ask::{Answer, Ask};
use crate::command::{Content, Depth};
use crate::session::{Core, Done, Event, Next, Running, mismatch, otherwise};
use crate::write;

/// Most octets of a value.
pub(super) const VALUE_BYTES_MAX: usize = 64 * 1024;

/// The one entry that the operator's configuration sets (RFC 5464 §3.2.1.1).
const ADMIN: &str = "/shared/admin";

#[derive(Debug)]
struct Get {
    mailbox: String,
    wanted: Wanted,
}

/// Which entries, and how they are told.
#[derive(Debug)]
pub(super) struct Wanted {
    pub entries: Vec<String>,
    pub depth: Depth,
    /// Larger values are left out.
    pub size_max: Option<u32>,
}

pub(super) fn get(mailbox: String, wanted: Wanted) -> Begun {
    Begun::Run(Box::new(Get { mailbox, wanted }))
}

impl Wanted {
    /// The question for these entries.
    pub fn ask(&self, mailbox: &str) -> Ask {
        Ask::Metadata {
            mailbox: (!mailbox.is_empty()).then(|| mailbox.to_owned()),
            entries: self.entries.iter().map(|name| name.to_ascii_lowercase()).collect(),
            depth: self.depth,
        }
    }

    /// Sends METADATA with these values; the size of the largest that was left out.
    pub fn tell(&self, core: &mut Core, mailbox: &str, mut found: Vec<(String, Vec<u8>)>) -> Option<usize> {
        if let (true, Some(uri)) = (mailbox.is_empty(), &core.settings.admin) {
            let reached = |name: &String| self.depth.reaches(&name.to_ascii_lowercase(), ADMIN);
            if self.entries.iter().any(reached) {
                found.push((ADMIN.to_owned(), uri.clone().into_bytes()));
            }
        }
        let mut rows: Vec<(&str, Option<&[u8]>)> = Vec::new();
        for name in &self.entries {
            let value = found.iter().find(|(there, _)| there.eq_ignore_ascii_case(name));
            let below = self.depth != Depth::Zero
                && found.iter().any(|(there, _)| self.depth.reaches(&name.to_ascii_lowercase(), there));
            // What was asked for and is not there is NIL, unless there is something below it.
            if (value.is_some() || !below) && !rows.iter().any(|(told, _)| told.eq_ignore_ascii_case(name)) {
                rows.push((name, value.map(|(_, value)| value.as_slice())));
            }
        }
        for (name, value) in &found {
            if !rows.iter().any(|(told, _)| told.eq_ignore_ascii_case(name)) {
                rows.push((name, Some(value)));
            }
        }
        let limit = self.size_max.map_or(usize::MAX, |limit| limit as usize);
        let length = |value: &Option<&[u8]>| value.map_or(0, <[u8]>::len);
        let longest = rows.iter().map(|(_, value)| length(value)).filter(|length| *length > limit).max();
        rows.retain(|(_, value)| length(value) <= limit);
        if !rows.is_empty() {
            write::metadata(&mut core.out, mailbox, core.enabled.names(), &rows);
        }
        longest
    }
}

impl Running for Get {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => Next::Ask(self.wanted.ask(&self.mailbox)),
            Event::Answer(Answer::Metadata(found)) => {
                Next::Done(match self.wanted.tell(core, &self.mailbox, found) {
                    // RFC 5464 §4.2.1
                    Some(length) => {
                        Done::ok(format!("[METADATA LONGENTRIES {length}] GETMETADATA completed"))
                    }
                    None => Done::ok("GETMETADATA completed"),
                })
            }
            event => otherwise(event),
        }
    }
}

#[derive(Debug)]
struct Set {
    ask: Option<Ask>,
}

pub(super) fn set(core: &Core, mailbox: String, entries: Vec<(String, Option<Content>)>) -> Begun {
    let lower: Vec<(String, Option<Vec<u8>>)> = entries
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.map(|value| value.0)))
        .collect();
    let length = |(_, value): &(String, Option<Vec<u8>>)| value.as_ref().map_or(0, Vec::len);
    if lower.iter().any(|entry| length(entry) > VALUE_BYTES_MAX) {
        // RFC 5464 §4.3
        let text = format!("[METADATA MAXSIZE {VALUE_BYTES_MAX}] A value is too large");
        return Begun::Now(Done::no(text));
    }
    let is_shared = |(name, _): &(String, Option<Vec<u8>>)| name.starts_with("/shared/");
    if mailbox.is_empty() && lower.iter().any(|(name, _)| name == ADMIN) {
        return Begun::Now(Done::no("[NOPERM] /shared/admin is set in the server's configuration"));
    }
    // RFC 5464 §3.3: what all users of the server read, only those set whom the operator trusts with it.
    if mailbox.is_empty() && lower.iter().any(is_shared) && !core.is_administrator() {
        return Begun::Now(Done::no("[NOPERM] Shared entries of the server are set by its administrators"));
    }
    let broken = |(name, value): &(String, Option<Vec<u8>>)| {
        value.as_ref().is_some_and(|value| super::filter::is_broken(name, value))
    };
    if mailbox.is_empty() && lower.iter().any(broken) {
        // RFC 5466 §3.2
        return Begun::Now(Done::no("[CANNOT] The value of a filter must be search criteria"));
    }
    let mailbox = (!mailbox.is_empty()).then_some(mailbox);
    Begun::Run(Box::new(Set { ask: Some(Ask::SetMetadata { mailbox, entries: lower }) }))
}

impl Running for Set {
    fn resume(&mut self, _core: &mut Core, event: Event) -> Next {
        if let Some(ask) = self.ask.take() {
            return Next::Ask(ask);
        }
        match event {
            Event::Answer(Answer::Done) => Next::Done(Done::ok("SETMETADATA completed")),
            Event::Answer(Answer::Refused(refused)) => Next::Done(Done::refused(&refused)),
            Event::Answer(answer) => mismatch(&answer),
            event => otherwise(event),
        }
    }
}
