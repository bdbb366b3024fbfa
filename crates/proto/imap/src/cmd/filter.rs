//! FILTER in searches (RFC 5466): criteria kept as metadata entries of the server, put in place of their names before the
//! search begins. A name stands for all of its criteria together.

use super::Begun;
use crate::ask::{Answer, Ask};
use crate::command::{Body, Depth, Search, SearchKey};
use crate::mailbox_name::NameEncoding;
use crate::parse::{limits, parse_search_criteria};
use crate::session::{Core, Done, Event, Next, Running, otherwise};

/// Where values are kept: one's own first (RFC 5466 §3.1).
const VALUES: [&str; 2] = ["/private/filters/values/", "/shared/filters/values/"];

/// How often filters may name filters (RFC 5466 §3.1: three times at least). Whoever names himself comes to this end.
const PASSES_MAX: usize = 5;

/// Whether a filter is named somewhere.
pub(super) fn is_in(key: &SearchKey) -> bool {
    key.holds(&|key| matches!(key, SearchKey::Filter(_)))
}

/// Whether an entry of the server is a filter, and this is no criterion that one may hold.
pub(super) fn is_broken(entry: &str, value: &[u8]) -> bool {
    let name = VALUES.iter().find_map(|root| entry.strip_prefix(root));
    name.is_some() && parse_search_criteria(value).is_none()
}

#[derive(Debug)]
struct Filtered {
    body: Option<Body>,
    passes: usize,
    /// The search itself, once nothing is left to be put in.
    search: Option<Box<dyn Running>>,
}

pub(super) fn start(core: &mut Core, mut body: Body) -> Begun {
    if let Some(search) = search_of(&mut body) {
        let charset = search.charset.as_deref();
        let fits =
            |charset: &str| ["UTF-8", "US-ASCII"].iter().any(|known| known.eq_ignore_ascii_case(charset));
        // RFC 5466 §3.1: the values are UTF-8, and so is all of it.
        if !charset.is_none_or(fits) {
            return Begun::Now(Done::bad("[BADCHARSET (UTF-8 US-ASCII)] FILTER implies UTF-8"));
        }
        let implied = core.enabled.names() == NameEncoding::Utf8;
        search.charset = (!implied).then(|| "UTF-8".to_owned());
    }
    Begun::Run(Box::new(Filtered { body: Some(body), passes: 0, search: None }))
}

fn search_of(body: &mut Body) -> Option<&mut Search> {
    match body {
        Body::Search(search) | Body::Esearch { search, .. } | Body::Arrange { search, .. } => Some(search),
        _ => None,
    }
}

impl Running for Filtered {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        if let Some(search) = &mut self.search {
            return search.resume(core, event);
        }
        let Some(mut body) = self.body.take() else { return otherwise(event) };
        let Some(search) = search_of(&mut body) else { return otherwise(event) };
        match event {
            Event::Go => {}
            Event::Answer(Answer::Metadata(found)) => {
                self.passes += 1;
                let mut count = 0;
                if let Err(name) = substitute(&mut search.key, &found, &mut count) {
                    return undefined(core, search, &name);
                }
                if count > limits::SEARCH_KEYS_MAX {
                    let done = Done::no("[LIMIT] The filters hold too many search keys");
                    return failed(core, search, Next::Done(done));
                }
            }
            event => return failed(core, search, otherwise(event)),
        }
        let mut names = Vec::new();
        collect(&search.key, &mut names);
        match names.first() {
            None => match super::start(core, body) {
                Begun::Run(running) => self.search.insert(running).resume(core, Event::Go),
                Begun::Now(done) => Next::Done(done),
                Begun::StartTls | Begun::Logout => otherwise(Event::Go),
            },
            Some(name) if self.passes >= PASSES_MAX => undefined(core, search, name),
            Some(_) => {
                let entries =
                    names.iter().flat_map(|name| VALUES.map(|root| format!("{root}{name}"))).collect();
                self.body = Some(body);
                Next::Ask(Ask::Metadata { mailbox: None, entries, depth: Depth::Zero })
            }
        }
    }
}

/// RFC 5466 §3.1
fn undefined(core: &mut Core, search: &Search, name: &str) -> Next {
    let text = format!("[UNDEFINED-FILTER {name}] There is no such filter, or it names itself");
    failed(core, search, Next::Done(Done::no(text)))
}

/// RFC 5182 §2.1: a search that fails leaves an empty result.
fn failed(core: &mut Core, search: &Search, next: Next) -> Next {
    if search.saves() {
        super::nothing_saved(core);
    }
    next
}

/// Names of filters in lower case, as entries are; each once.
fn collect(key: &SearchKey, names: &mut Vec<String>) {
    match key {
        SearchKey::Filter(name) => {
            let name = name.to_ascii_lowercase();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        SearchKey::Not(key) | SearchKey::Fuzzy(key) => collect(key, names),
        SearchKey::Or(keys) | SearchKey::And(keys) => keys.iter().for_each(|key| collect(key, names)),
        _ => {}
    }
}

/// Puts the criteria in; counts the keys.
///
/// # Errors
/// The name of a filter that is not there, or holds no criterion.
fn substitute(key: &mut SearchKey, found: &[(String, Vec<u8>)], count: &mut usize) -> Result<(), String> {
    *count += 1;
    if *count > limits::SEARCH_KEYS_MAX {
        return Ok(());
    }
    match key {
        SearchKey::Filter(name) => {
            let place = |root: &&str| format!("{root}{}", name.to_ascii_lowercase());
            let values = VALUES.iter().map(place);
            let mut values = values.filter_map(|place| found.iter().find(|(entry, _)| *entry == place));
            let criteria = values.next().and_then(|(_, value)| parse_search_criteria(value));
            let Some((criteria, keys)) = criteria else { return Err(name.clone()) };
            *count += keys;
            *key = criteria;
            Ok(())
        }
        SearchKey::Not(key) | SearchKey::Fuzzy(key) => substitute(key, found, count),
        SearchKey::Or(keys) | SearchKey::And(keys) => {
            keys.iter_mut().try_for_each(|key| substitute(key, found, count))
        }
        _ => Ok(()),
    }
}
