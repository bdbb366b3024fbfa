//! URLFETCH (RFC 4467 §7; with parameters: RFC 5524).
//!
//! Each URL has a response of its own. Memory: one message, and what of it is decoded.

use super::Begun;
use super::fetch::write_octets;
use super::url_auth::INTERNAL;
use crate::ask::{Answer, Ask, MakeKey, RefusedKind};
use crate::command::{UrlParam, UrlWanted};
use crate::session::{Core, Done, Event, Next, Running, otherwise};
use crate::url::{self, Reader, Url};
use crate::write;
use model::UnixTime;
use wire::FLUSH_BYTES;

/// Most octets of content in one answer of the store.
const CHUNK_BYTES: u64 = 1024 * 1024;

#[derive(Debug)]
struct UrlFetch {
    waiting: std::vec::IntoIter<UrlWanted>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The next URL is due.
    Next,
    /// Its key is asked for.
    Key(Box<Wanted>),
    /// Its message is coming.
    Gather { wanted: Box<Wanted>, owner: String, message: Vec<u8> },
    /// Octets that leave, and what stands behind them.
    Write { octets: Vec<u8>, at: usize, behind: &'static [u8], nul: Nul },
}

/// What becomes of NUL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Nul {
    /// It stays: the literal is a literal8.
    Stays,
    /// RFC 3501 §9: it can't be in a literal.
    Goes,
}

#[derive(Debug)]
struct Wanted {
    text: String,
    url: Url,
    params: Vec<UrlParam>,
}

pub(super) fn start(urls: Vec<UrlWanted>) -> Begun {
    Begun::Run(Box::new(UrlFetch { waiting: urls.into_iter(), state: State::Next }))
}

impl Running for UrlFetch {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        if let Event::Answer(answer) = event
            && let Some(next) = self.answered(core, answer)
        {
            return next;
        }
        loop {
            if core.out.len() >= FLUSH_BYTES {
                return Next::Flush;
            }
            if let Some(next) = self.go_on(core) {
                return next;
            }
        }
    }
}

impl UrlFetch {
    /// One piece of work; None: there is more.
    fn go_on(&mut self, core: &mut Core) -> Option<Next> {
        match &mut self.state {
            State::Next => {
                let Some(UrlWanted { url: text, params }) = self.waiting.next() else {
                    return Some(Next::Done(Done::ok("URLFETCH completed")));
                };
                // RFC 4467 §7: NIL for whatever is invalid.
                let Some((url, user)) = authorised(core, &text) else {
                    nil(core, &text);
                    return None;
                };
                let mailbox = url.mailbox.clone();
                self.state = State::Key(Box::new(Wanted { text, url, params }));
                Some(Next::Ask(Ask::UrlKey { user, mailbox, make: MakeKey::No }))
            }
            // Only its answer gets on with it.
            State::Key(_) => Some(Next::Done(Done::no("[SERVERBUG] Internal error"))),
            State::Gather { wanted, owner, message } => Some(Next::Ask(Ask::UrlMessage {
                owner: Some(owner.clone()),
                mailbox: wanted.url.mailbox.clone(),
                uid_validity: wanted.url.uid_validity,
                uid: wanted.url.uid,
                start: message.len() as u64,
                length: CHUNK_BYTES,
            })),
            State::Write { octets, at, behind, nul } => {
                let end = octets.len().min(*at + FLUSH_BYTES);
                match nul {
                    Nul::Stays => core.out.extend_from_slice(&octets[*at..end]),
                    Nul::Goes => write_octets(&octets[*at..end], &mut core.out),
                }
                *at = end;
                if end == octets.len() {
                    core.out.extend_from_slice(behind);
                    self.state = State::Next;
                }
                None
            }
        }
    }

    fn answered(&mut self, core: &mut Core, answer: Answer) -> Option<Next> {
        match (std::mem::replace(&mut self.state, State::Next), answer) {
            (State::Key(wanted), Answer::UrlKey(key)) => {
                let is_right = url::is_authentic(&wanted.url, &wanted.text, key.as_ref().map(|key| &key.key));
                match key.filter(|key| is_right && may_read(core, &wanted.url, &key.owner)) {
                    Some(key) => {
                        self.state = State::Gather { wanted, owner: key.owner, message: Vec::new() };
                    }
                    None => nil(core, &wanted.text),
                }
                None
            }
            (State::Gather { wanted, owner, mut message }, Answer::UrlMessage { size, bytes }) => {
                let is_end = bytes.is_empty() || (message.len() + bytes.len()) as u64 >= size;
                if message.is_empty() {
                    message = bytes;
                } else {
                    message.extend_from_slice(&bytes);
                }
                if is_end {
                    self.tell(core, &wanted, &message);
                } else {
                    self.state = State::Gather { wanted, owner, message };
                }
                None
            }
            // RFC 4467 §7: NO only where a later try may help.
            (State::Gather { wanted, .. }, Answer::Refused(refused))
                if refused.kind != RefusedKind::Unavailable =>
            {
                nil(core, &wanted.text);
                None
            }
            (_, answer) => Some(otherwise(Event::Answer(answer))),
        }
    }

    fn tell(&mut self, core: &mut Core, wanted: &Wanted, message: &[u8]) {
        let Wanted { text, url, params } = wanted;
        let Some(octets) = url::fetch(url, message) else { return nil(core, text) };
        head(core, text);
        let is_binary = params.contains(&UrlParam::Binary);
        if params.contains(&UrlParam::BodyPartStructure) {
            core.out.extend_from_slice(b" (BODYPARTSTRUCTURE ");
            url::write_structure(url, message, is_binary, &mut core.out);
            core.out.push(b')');
        }
        let (octets, before, behind): (_, &[u8], &'static [u8]) = if is_binary {
            (url::fetch_decoded(url, message), b" (BINARY ", b")\r\n")
        } else if params.contains(&UrlParam::Body) {
            (Some(octets), b" (BODY ", b")\r\n")
        } else if params.is_empty() {
            (Some(octets), b" ", b"\r\n")
        } else {
            core.out.extend_from_slice(b"\r\n");
            return;
        };
        core.out.extend_from_slice(before);
        let octets = match octets.map(std::borrow::Cow::into_owned) {
            Some(octets) if !octets.is_empty() => octets,
            // RFC 5524 §3.2, RFC 4467 §8
            nothing => {
                core.out.extend_from_slice(if nothing.is_none() { b"NIL" } else { b"\"\"" });
                core.out.extend_from_slice(behind);
                return;
            }
        };
        let nul = if is_binary && memchr::memchr(0, &octets).is_some() { Nul::Stays } else { Nul::Goes };
        if nul == Nul::Stays {
            core.out.push(b'~');
        }
        write::literal_head(&mut core.out, octets.len() as u64);
        self.state = State::Write { octets, at: 0, behind, nul };
    }
}

/// A URL that can be looked at at all, and the log-in name of its owner.
fn authorised(core: &Core, text: &str) -> Option<(Url, String)> {
    let url = Url::parse(text).ok()?;
    let is_internal = url.verifier.as_ref().is_some_and(|verifier| verifier.mechanism == INTERNAL);
    let user = url.server.as_ref()?.login(&core.connection.hostname)?;
    is_internal.then_some((url, user))
}

/// RFC 4467 §3: who may use it.
fn may_read(core: &Core, url: &Url, owner: &str) -> bool {
    let user = core.user.as_deref().unwrap_or_default();
    let reader = if core.anonymous { Reader::Anonymous } else { Reader::User(user) };
    let now = UnixTime(core.now);
    let submits = core.settings.submitters.iter().any(|submitter| submitter.eq_ignore_ascii_case(user));
    url.permits(reader, owner, now) || submits && url.permits(Reader::Submission(None), owner, now)
}

fn head(core: &mut Core, text: &str) {
    core.out.extend_from_slice(b"* URLFETCH ");
    write::string(&mut core.out, text.as_bytes());
}

fn nil(core: &mut Core, text: &str) {
    head(core, text);
    core.out.extend_from_slice(b" NIL\r\n");
}
