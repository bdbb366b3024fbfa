//! GENURLAUTH and RESETKEY (RFC 4467 §7).

use super::Begun;
use crate::ask::{Answer, Ask, MakeKey};
use crate::session::{Core, Done, Event, Next, Running, otherwise};
use crate::url::{self, Url};
use crate::write;

/// The one mechanism that there is.
pub(super) const INTERNAL: &str = "INTERNAL";

/// Before words, where the mechanisms may be told: RFC 4467 §10 forbids it where others listen.
pub(super) fn mechanisms(core: &Core) -> &'static str {
    if core.secure { "[URLMECH INTERNAL] " } else { "" }
}

#[derive(Debug)]
struct Generate {
    /// Log-in name of the owner, name of the mailbox, and the URL.
    waiting: std::vec::IntoIter<(String, String, String)>,
    current: Option<String>,
    made: Vec<u8>,
}

pub(super) fn generate(core: &Core, urls: Vec<(String, String)>) -> Begun {
    let urls: Result<Vec<_>, _> =
        urls.into_iter().map(|(url, mechanism)| valid(core, url, &mechanism)).collect();
    match urls {
        Ok(urls) => Begun::Run(Box::new(Generate {
            waiting: urls.into_iter(),
            current: None,
            made: b"* GENURLAUTH".to_vec(),
        })),
        Err(done) => Begun::Now(done),
    }
}

/// RFC 4467 §7: what is wrong with a URL is answered with BAD.
fn valid(core: &Core, text: String, mechanism: &str) -> Result<(String, String, String), Done> {
    let url = Url::parse(&text).map_err(|fault| Done::bad(format!("{fault} in supplied URL")))?;
    if url.access.is_none() {
        return Err(Done::bad("missing access identifier in supplied URL"));
    }
    if url.verifier.is_some() {
        return Err(Done::bad("the supplied URL has a token already"));
    }
    let Some(server) = url.server.filter(|server| server.user.is_some()) else {
        return Err(Done::bad("missing owner username in supplied URL"));
    };
    let Some(login) = server.login(&core.connection.hostname) else {
        return Err(Done::bad("the supplied URL is of another server"));
    };
    if mechanism != INTERNAL {
        return Err(Done::no("[CANNOT] The only mechanism is INTERNAL"));
    }
    Ok((login, url.mailbox, text))
}

impl Running for Generate {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match (event, self.current.take()) {
            (Event::Answer(Answer::UrlKey(Some(key))), Some(rump)) => {
                let token = url::sign(&rump, &key.key);
                self.made.push(b' ');
                write::string(&mut self.made, format!("{rump}:internal:{token}").as_bytes());
            }
            (Event::Answer(Answer::UrlKey(None)), _) => {
                return Next::Done(Done::bad("the supplied URL names no mailbox of yours"));
            }
            (Event::Go, _) => {}
            (event, _) => return otherwise(event),
        }
        match self.waiting.next() {
            Some((user, mailbox, url)) => {
                self.current = Some(url);
                Next::Ask(Ask::UrlKey { user, mailbox, make: MakeKey::Yes })
            }
            None => {
                core.out.append(&mut self.made);
                core.out.extend_from_slice(b"\r\n");
                Next::Done(Done::ok("GENURLAUTH completed"))
            }
        }
    }
}

#[derive(Debug)]
struct Reset {
    mailbox: Option<String>,
    all: bool,
}

pub(super) fn reset(mailbox: Option<String>, mechanisms: &[String]) -> Begun {
    if mechanisms.iter().any(|mechanism| mechanism != INTERNAL) {
        return Begun::Now(Done::no("[CANNOT] The only mechanism is INTERNAL"));
    }
    Begun::Run(Box::new(Reset { all: mailbox.is_none(), mailbox }))
}

impl Running for Reset {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => Next::Ask(Ask::ResetKeys { mailbox: self.mailbox.take() }),
            Event::Answer(Answer::Done) if self.all => Next::Done(Done::ok("All keys removed")),
            Event::Answer(Answer::Done) => {
                Next::Done(Done::ok(format!("{}RESETKEY completed", mechanisms(core))))
            }
            event => otherwise(event),
        }
    }
}
