//! Puts the messages of an APPEND or a REPLACE together, from literals and from messages that URLs name (CATENATE, RFC 4469).
//!
//! Memory: the messages themselves, and one message that a URL takes a part from. Whole messages, and cuts of them, come
//! chunk by chunk straight into their place. All messages of a command together are within the limit of one
//! ([`Settings::message_bytes_max`](crate::Settings::message_bytes_max)), as their literals are.

use super::binary;
use crate::ask::{Answer, Ask, NewMessage, RefusedKind};
use crate::command::{AppendData, AppendMessage, CatPart, FlagList, Section, SectionText};
use crate::session::{Core, Done, Event, Next, otherwise};
use crate::url::{self, Url};
use model::{AnnotationChange, Uid, UidValidity, UnixTime};
use std::fmt;

/// Most octets of content in one answer of the store.
const CHUNK_BYTES: u64 = 1024 * 1024;

/// Messages being put together.
#[derive(Debug)]
pub(in crate::cmd) struct Assembly {
    waiting: std::vec::IntoIter<AppendMessage>,
    ready: Vec<NewMessage>,
    /// Octets of those.
    bytes: u64,
    draft: Option<Draft>,
    /// The message that the last part came from, for the next part may come from it too.
    source: Option<Source>,
}

/// What comes next.
#[derive(Debug)]
pub(in crate::cmd) enum Step {
    Ask(Ask),
    Failed(Done),
    Ready(Vec<NewMessage>),
}

#[derive(Debug)]
struct Draft {
    worn: Worn,
    parts: std::vec::IntoIter<CatPart>,
    content: Vec<u8>,
    /// A URL whose octets are coming.
    coming: Option<Coming>,
}

/// What a message comes with.
#[derive(Debug)]
struct Worn {
    flags: FlagList,
    internal_date: Option<UnixTime>,
    annotations: Vec<AnnotationChange>,
}

#[derive(Debug)]
struct Coming {
    text: String,
    url: Box<Url>,
    /// Octets of the message (or of the cut) that came already; for those that go straight into their place.
    came: u64,
}

#[derive(Debug)]
struct Source {
    place: Place,
    bytes: Vec<u8>,
    is_whole: bool,
}

/// Where a message is.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    mailbox: String,
    uid_validity: Option<UidValidity>,
    uid: Uid,
}

impl Assembly {
    pub(in crate::cmd) fn new(messages: Vec<AppendMessage>) -> Assembly {
        let ready = Vec::with_capacity(messages.len());
        Assembly { waiting: messages.into_iter(), ready, bytes: 0, draft: None, source: None }
    }

    /// Begins (with [`Event::Go`]) or goes on with an answer.
    pub(in crate::cmd) fn resume(&mut self, core: &Core, event: Event) -> Step {
        let limit = core.settings.message_bytes_max;
        if let Some(step) = self.answered(event, limit) {
            return step;
        }
        loop {
            let step = match &mut self.draft {
                Some(_) => self.go_on(core),
                None => match self.waiting.next() {
                    Some(message) => self.begin(message, limit),
                    None => return Step::Ready(std::mem::take(&mut self.ready)),
                },
            };
            match step {
                Ok(None) => {}
                Ok(Some(ask)) => return Step::Ask(ask),
                Err(done) => return Step::Failed(done),
            }
        }
    }

    fn begin(&mut self, message: AppendMessage, limit: u64) -> Result<Option<Ask>, Done> {
        let AppendMessage { flags, internal_date, annotations, data } = message;
        let worn = Worn { flags, internal_date, annotations };
        match data {
            AppendData::Literal(_, content) => self.add(worn, content.0, limit)?,
            AppendData::Catenate(parts) => {
                let parts = parts.into_iter();
                self.draft = Some(Draft { worn, parts, content: Vec::new(), coming: None });
            }
        }
        Ok(None)
    }

    /// One more message is complete.
    ///
    /// # Errors
    /// NO, if this server can't store it.
    fn add(&mut self, worn: Worn, content: Vec<u8>, limit: u64) -> Result<(), Done> {
        let before = content.len() as u64;
        if before.saturating_add(self.bytes) > limit {
            return Err(too_big());
        }
        // RFC 9051 §6.3.12 wants a message; a common fault of clients is to cancel with an empty literal.
        if content.is_empty() {
            return Err(Done::no("[CANNOT] An empty message is no message"));
        }
        // RFC 9755 §4 asks to refuse 8-bit header fields before ENABLE UTF8=ACCEPT. Quirk (mbsync, offlineimap, imapsync):
        // they bring old mail with raw KOI8-R or UTF-8 in its header and never enable anything; refused, it would be lost.
        let content = binary::without_nul(content)
            .ok_or_else(|| Done::no("[UNKNOWN-CTE] NUL stands where no transfer encoding can hide it"))?;
        if content.len() as u64 > limit {
            return Err(Done::no("[TOOBIG] The message, encoded, is larger than this server takes"));
        }
        self.bytes += before;
        let Worn { flags, internal_date, annotations } = worn;
        let FlagList { flags, keywords } = flags;
        self.ready.push(NewMessage { content, flags, keywords, internal_date, annotations });
        Ok(())
    }

    /// The next part of the draft, or its end.
    fn go_on(&mut self, core: &Core) -> Result<Option<Ask>, Done> {
        let limit = core.settings.message_bytes_max;
        let Some(draft) = &mut self.draft else { return Ok(None) };
        if draft.coming.is_some() {
            return self.fetch(limit);
        }
        match draft.parts.next() {
            Some(CatPart::Text(_, content)) => {
                append(&mut draft.content, &content.0, self.bytes, limit)?;
            }
            Some(CatPart::Url(text)) => {
                let url = own(core, &text).map_err(|why| bad_url(&text, why))?;
                draft.coming = Some(Coming { text, url: Box::new(url), came: 0 });
            }
            None => {
                if let Some(Draft { worn, content, .. }) = self.draft.take() {
                    self.add(worn, content, limit)?;
                }
            }
        }
        Ok(None)
    }

    /// Takes a part out of the message that is there, or asks for (more of) it.
    fn fetch(&mut self, limit: u64) -> Result<Option<Ask>, Done> {
        let Some(draft) = &mut self.draft else { return Ok(None) };
        let Some(coming) = &draft.coming else { return Ok(None) };
        let place = Place::of(&coming.url);
        if goes_straight(&coming.url.section) {
            let partial = coming.url.partial;
            let start = partial.map_or(0, |partial| partial.start).saturating_add(coming.came);
            let left = partial.map_or(url::REST, |partial| partial.length).saturating_sub(coming.came);
            return Ok(Some(place.ask(start, left.min(CHUNK_BYTES))));
        }
        match &self.source {
            Some(source) if source.place == place && source.is_whole => {
                let Some(octets) = url::fetch(&coming.url, &source.bytes) else {
                    return Err(bad_url(&coming.text, "There is no such part"));
                };
                append(&mut draft.content, &octets, self.bytes, limit)?;
                draft.coming = None;
                Ok(None)
            }
            Some(source) if source.place == place => {
                Ok(Some(place.ask(source.bytes.len() as u64, CHUNK_BYTES)))
            }
            _ => {
                let ask = place.ask(0, CHUNK_BYTES);
                self.source = Some(Source { place, bytes: Vec::new(), is_whole: false });
                Ok(Some(ask))
            }
        }
    }

    /// Takes what came. Some: it was trouble.
    fn answered(&mut self, event: Event, limit: u64) -> Option<Step> {
        let (size, bytes) = match event {
            Event::Go => return None,
            Event::Answer(Answer::UrlMessage { size, bytes }) => (size, bytes),
            Event::Answer(Answer::Refused(refused)) if refused.kind == RefusedKind::NonExistent => {
                let coming = self.draft.as_ref().and_then(|draft| draft.coming.as_ref());
                let text = coming.map_or("", |coming| coming.text.as_str());
                return Some(Step::Failed(bad_url(text, "There is no such message")));
            }
            event => {
                return Some(Step::Failed(match otherwise(event) {
                    Next::Done(done) => done,
                    _ => Done::no("[SERVERBUG] Internal error"),
                }));
            }
        };
        let draft = self.draft.as_mut()?;
        let coming = draft.coming.as_mut()?;
        if goes_straight(&coming.url.section) {
            coming.came += bytes.len() as u64;
            let (start, wanted) =
                coming.url.partial.map_or((0, url::REST), |partial| (partial.start, partial.length));
            let is_end =
                bytes.is_empty() || start.saturating_add(coming.came) >= size || coming.came >= wanted;
            // RFC 4469 §4.2: told before more of it is read.
            let whole = size
                .saturating_sub(start)
                .min(wanted)
                .saturating_add(draft.content.len() as u64 + self.bytes);
            if whole.saturating_add(bytes.len() as u64) > limit.saturating_add(coming.came) {
                return Some(Step::Failed(too_big()));
            }
            let outcome = append(&mut draft.content, &bytes, self.bytes, limit);
            if is_end {
                draft.coming = None;
            }
            return outcome.err().map(Step::Failed);
        }
        let source = self.source.as_mut()?;
        source.is_whole = bytes.is_empty() || (source.bytes.len() + bytes.len()) as u64 >= size;
        if source.bytes.is_empty() {
            source.bytes = bytes;
        } else {
            source.bytes.extend_from_slice(&bytes);
        }
        None
    }
}

impl Place {
    fn of(url: &Url) -> Place {
        Place { mailbox: url.mailbox.clone(), uid_validity: url.uid_validity, uid: url.uid }
    }

    fn ask(&self, start: u64, length: u64) -> Ask {
        let Place { mailbox, uid_validity, uid } = self.clone();
        Ask::UrlMessage { owner: None, mailbox, uid_validity, uid, start, length }
    }
}

/// Whether the octets are those of the message as they lie there.
fn goes_straight(section: &Section) -> bool {
    section.part.is_empty() && section.text == SectionText::Whole
}

fn append(content: &mut Vec<u8>, octets: &[u8], before: u64, limit: u64) -> Result<(), Done> {
    if (content.len() as u64 + before).saturating_add(octets.len() as u64) > limit {
        return Err(too_big());
    }
    content.extend_from_slice(octets);
    Ok(())
}

/// The URL, if it names a message of this user on this server.
fn own(core: &Core, text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|fault| fault.0)?;
    if url.access.is_some() || url.expire.is_some() {
        return Err("An authorised URL is of use to URLFETCH only");
    }
    let Some(server) = &url.server else { return Ok(url) };
    // RFC 4469 §3: URLs of another server or user are beyond it.
    let user = core.user.as_deref().unwrap_or_default();
    let is_here = match &server.user {
        Some(_) => {
            server.login(&core.connection.hostname).is_some_and(|login| url::is_same_user(&login, user, user))
        }
        None => server.host.eq_ignore_ascii_case(&core.connection.hostname),
    };
    if is_here { Ok(url) } else { Err("It is of another server or user") }
}

/// RFC 4469 §4.1. What can't stand in a response code is percent-encoded.
fn bad_url(text: &str, why: &str) -> Done {
    Done::no(format!("[BADURL {}] {why}", Shown(text)))
}

struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.bytes().take(url::URL_BYTES_MAX);
        if self.0.is_empty() {
            return f.write_str("\"\"");
        }
        for byte in shown {
            match byte {
                b'!'..=b'~' if byte != b']' => write!(f, "{}", char::from(byte))?,
                byte => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

/// RFC 4469 §4.2, RFC 7889 §3.1.
fn too_big() -> Done {
    Done::no("[TOOBIG] The message is larger than this server takes")
}
