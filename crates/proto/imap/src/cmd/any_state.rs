//! CAPABILITY, ID, STARTTLS, LANGUAGE, COMPRESS, ENABLE, UNAUTHENTICATE: commands about the connection (RFC 9051 §6.1, §6.2.1,
//! §6.3.1; RFC 2971; RFC 4978; RFC 5255; RFC 8437).

use super::Begun;
use crate::ask::{Answer, Ask, RefusedKind, Watch};
use crate::language::Language;
use crate::session::{Contexts, Core, Deflate, Done, Enabled, Event, News, Next, Running, otherwise};
use crate::write;
use model::Comparator;

pub(super) fn capability(core: &mut Core) -> Done {
    let list = core.capabilities();
    core.line(format_args!("* {list}"));
    Done::ok("CAPABILITY completed")
}

/// Fields of the client's ID that go into the log, and how many characters of each.
const ID_FIELDS: [&str; 5] = ["name", "version", "os", "os-version", "vendor"];
const ID_CHARACTERS_MAX: usize = 64;

/// RFC 2971 §3.3: of this server the name alone; a version would only help an attacker. The client's own words change
/// nothing here (§4: they must not); the first ones of a connection are told to the log.
pub(super) fn id(core: &mut Core, pairs: Vec<(String, Option<String>)>) -> Begun {
    write::id(&mut core.out, &[("name", Some("Troika"))]);
    let done = Done::ok("ID completed");
    let known: Vec<(&'static str, String)> = pairs.iter().filter_map(known_field).collect();
    if core.introduced || known.is_empty() {
        return Begun::Now(done);
    }
    core.introduced = true;
    Begun::Run(Box::new(Told { ask: Some(Ask::Client(known)), done: Some(done) }))
}

/// A field that is on the list, its value made fit for a line of the log.
fn known_field((field, value): &(String, Option<String>)) -> Option<(&'static str, String)> {
    let field = ID_FIELDS.into_iter().find(|known| known.eq_ignore_ascii_case(field))?;
    let value = value.as_ref()?.chars().take(ID_CHARACTERS_MAX);
    Some((field, value.map(|character| if character.is_control() { '?' } else { character }).collect()))
}

/// Tells the world something, then ends.
#[derive(Debug)]
struct Told {
    ask: Option<Ask>,
    done: Option<Done>,
}

impl Running for Told {
    fn resume(&mut self, _core: &mut Core, event: Event) -> Next {
        if let Some(ask) = self.ask.take() {
            return Next::Ask(ask);
        }
        match (event, self.done.take()) {
            (Event::Answer(Answer::Done), Some(done)) => Next::Done(done),
            (Event::Answer(Answer::Refused(why)), done) if why.kind == RefusedKind::Overflow => {
                // ENABLE can't be refused: then mailboxes of others are left out.
                self.done = done;
                Next::Ask(Ask::Watch(Watch::Own))
            }
            (event, _) => otherwise(event),
        }
    }
}

/// RFC 8437 §2: back to the state before the log-in, TLS aside.
#[derive(Debug)]
struct Unauthenticate;

pub(super) fn unauthenticate() -> Begun {
    Begun::Run(Box::new(Unauthenticate))
}

impl Running for Unauthenticate {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => Next::Ask(Ask::Unauthenticate),
            Event::Answer(Answer::Done) => {
                core.user = None;
                core.anonymous = false;
                // RFC 8437 §3
                core.language = Language::Default;
                core.comparator = Comparator::default();
                // The mailbox is left as by UNSELECT: nothing is expunged.
                core.view = None;
                core.dirty = false;
                core.enabled = Enabled::default();
                core.notify = None;
                core.nobody_since = core.now;
                // §2: the compression ends with this reply.
                if core.deflate == Deflate::On {
                    core.deflate = Deflate::Stopping;
                }
                let done = Done::ok(format!("[{}] UNAUTHENTICATE completed", core.capabilities()));
                Next::Done(done.telling(News::None))
            }
            event => otherwise(event),
        }
    }
}

/// RFC 5255 §3.2: the first range that fits counts; the change takes effect behind the LANGUAGE response.
pub(super) fn language(core: &mut Core, ranges: &[String]) -> Done {
    if ranges.is_empty() {
        let tags = Language::EVERY.map(Language::tag).join(" ");
        core.line(format_args!("* LANGUAGE ({tags})"));
        return Done::ok("Supported languages have been listed").telling(News::None);
    }
    let Some(language) = ranges.iter().find_map(|range| Language::matching(range)) else {
        return Done::no("That language is not supported").telling(News::None);
    };
    core.line(format_args!("* LANGUAGE ({})", language.tag()));
    let translated = [core.language, language].contains(&Language::Russian);
    core.language = language;
    // §3.2: "A possible NAMESPACE response", where it is the time for that command.
    if translated && core.user.is_some() {
        super::namespace::tell(core);
    }
    let now = if language == Language::Russian { "Now speaking Russian" } else { "Now speaking English" };
    Done::ok(now).telling(News::None)
}

/// RFC 4978 §3. After the log-in only, as others have it: strangers are not given the memory, and no password shares a
/// window with what somebody else chooses.
pub(super) fn compress(core: &mut Core, algorithm: &str) -> Done {
    if algorithm != "DEFLATE" {
        return Done::bad("DEFLATE is the only algorithm");
    }
    if core.deflate != Deflate::Off {
        return Done::bad("[COMPRESSIONACTIVE] DEFLATE is active already");
    }
    core.deflate = Deflate::Starting;
    Done::ok("DEFLATE active").telling(News::None)
}

pub(super) fn start_tls(core: &Core) -> Begun {
    if core.may_start_tls() {
        return Begun::StartTls;
    }
    // RFC 9051 §6.2.1: BAD when TLS runs already or is not to be had.
    let why = if core.secure { "TLS is already active" } else { "STARTTLS is not available here" };
    Begun::Now(Done::bad(why))
}

/// RFC 5161 §3.1: unknown and unneeded capabilities are ignored; the response names what is newly enabled.
pub(super) fn enable(core: &mut Core, capabilities: &[String]) -> Begun {
    let has = |wanted: &str| capabilities.iter().any(|name| name == wanted);
    let mut new = Vec::new();
    let condstore = has("CONDSTORE") && !core.enabled.condstore;
    if condstore {
        new.push("CONDSTORE");
    }
    let condstore_before = core.enabled.condstore;
    if has("QRESYNC") && !core.enabled.qresync {
        core.enabled.qresync = true;
        new.push("QRESYNC");
    }
    // RFC 9051 §6.3.1, appendix A
    if has("IMAP4REV2") && !core.enabled.rev2 {
        core.enabled.rev2 = true;
        new.push("IMAP4rev2");
    }
    // RFC 9586 §3.1
    if has("UIDONLY") && !core.enabled.uid_only {
        core.enabled.uid_only = true;
        new.push("UIDONLY");
    }
    if has("UTF8=ACCEPT") && !core.enabled.utf8 {
        core.enabled.utf8 = true;
        new.push("UTF8=ACCEPT");
    }
    // RFC 5464 §4.1: from now on entries that others change are told.
    let metadata = has("METADATA") && !core.notify.as_ref().is_some_and(|notify| notify.metadata);
    if metadata {
        core.notify.get_or_insert_default().metadata = true;
        new.push("METADATA");
    }
    write::enabled(&mut core.out, &new.join(" "));
    // RFC 9586 §3: from now on no sequence number "in any response"; RFC 5267 §4.3.1 has the words for what can't go on.
    if let Some(view) = core.view.as_mut().filter(|_| new.contains(&"UIDONLY")) {
        let ended = Contexts::remove_numbered(view);
        ended.iter().for_each(|tag| core.no_update(tag));
    }
    // RFC 7162 §3.2.3: ENABLE QRESYNC is a CONDSTORE enabling command.
    if (condstore || core.enabled.qresync) && !condstore_before {
        enable_condstore(core);
    }
    let done = Done::ok("ENABLE completed").telling(News::None);
    match metadata {
        true => Begun::Run(Box::new(Told { ask: Some(Ask::Watch(Watch::All)), done: Some(done) })),
        false => Begun::Now(done),
    }
}

/// RFC 7162 §3.1: the first CONDSTORE enabling command while a mailbox is selected is answered with its HIGHESTMODSEQ.
pub(crate) fn enable_condstore(core: &mut Core) {
    if core.enabled.condstore {
        return;
    }
    core.enabled.condstore = true;
    if let Some(view) = &core.view {
        // RFC 7162 §3.2: not beyond an expunged message that is withheld.
        let highest = view.settled();
        core.tell(
            "OK",
            format_args!("[HIGHESTMODSEQ {highest}] Modification sequences are told from now on"),
        );
    }
}
