//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8): one question each.

use super::Begun;
use crate::ask::{Answer, Ask};
use crate::mailbox_name::{INBOX, check_new, normalized};
use crate::session::{Core, Done, Event, News, Next, Running, otherwise};
use crate::write;
use model::SpecialUse;
use std::fmt::Display;

/// A command that asks once and reports.
#[derive(Debug)]
struct Once {
    ask: Option<Ask>,
    name: &'static str,
    news: News,
    /// Told when it is done.
    oldname: Option<OldName>,
}

/// The client wrote a name otherwise than it is kept (RFC 9051 §6.3.9.7).
#[derive(Debug)]
struct OldName {
    attributes: &'static [&'static str],
    name: String,
    old: String,
}

impl Once {
    fn new(ask: Ask, name: &'static str) -> Once {
        Once { ask: Some(ask), name, news: News::All, oldname: None }
    }
}

/// What to tell if `old` is the client's spelling of `name`, or of a former name of it.
fn oldname(core: &Core, attributes: &'static [&'static str], old: &str, name: &str) -> Option<OldName> {
    let (kept_old, kept) = (normalized(old), normalized(name));
    let differs = kept_old.is_some() || kept.is_some();
    (core.enabled.rev2 && differs).then(|| OldName {
        attributes,
        name: kept.unwrap_or_else(|| name.to_owned()),
        old: old.to_owned(),
    })
}

impl Running for Once {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        if let Some(ask) = self.ask.take() {
            return Next::Ask(ask);
        }
        if let (Event::Answer(Answer::Done | Answer::Created(..)), Some(told)) = (&event, self.oldname.take())
        {
            let names = core.enabled.names();
            write::list_oldname(&mut core.out, told.attributes, &told.name, &told.old, names);
        }
        match event {
            Event::Answer(Answer::Done) => {
                Next::Done(Done::ok(format!("{} completed", self.name)).telling(self.news))
            }
            Event::Answer(Answer::Created(id, owner)) => {
                // RFC 8474 §4.1
                let id = write::mailbox_id_text(owner, id);
                Next::Done(Done::ok(format!("[MAILBOXID ({id})] CREATE completed")))
            }
            event => otherwise(event),
        }
    }
}

fn run(once: Once) -> Begun {
    Begun::Run(Box::new(once))
}

fn cannot(why: impl Display) -> Begun {
    Begun::Now(Done::no(format!("[CANNOT] {why}")))
}

/// RFC 9051 §6.3.4: a final separator only says that inferiors will come.
fn without_final_separator(mut name: String) -> String {
    if name.ends_with('/') {
        name.pop();
    }
    name
}

pub(super) fn create(core: &Core, name: String, special_use: &[String]) -> Begun {
    let name = without_final_separator(name);
    if let Err(why) = check_new(&name) {
        return cannot(why);
    }
    if name == INBOX {
        return Begun::Now(Done::no("[ALREADYEXISTS] INBOX is always there"));
    }
    let special_use = match special_use {
        [] => None,
        [one] => match SpecialUse::from_attribute(one) {
            Some(special_use) => Some(special_use),
            // RFC 6154 §3: an attribute that can't be given.
            None => return Begun::Now(Done::no("[USEATTR] That special use is not known")),
        },
        _ => return Begun::Now(Done::no("[USEATTR] A mailbox can have one special use")),
    };
    let oldname = oldname(core, &[], &name, &name);
    run(Once { oldname, ..Once::new(Ask::Create { name, special_use }, "CREATE") })
}

pub(super) fn delete(core: &Core, name: String) -> Begun {
    if name == INBOX {
        return cannot("INBOX can't be deleted");
    }
    // RFC 3501 §6.3.4: with inferiors left, the name goes on as \Noselect; deleting such a name is refused by the
    // store, for which it does not exist.
    let oldname = oldname(core, &["\\NonExistent"], &name, &name);
    run(Once { news: News::AfterDelete, oldname, ..Once::new(Ask::Delete { name }, "DELETE") })
}

pub(super) fn rename(core: &Core, from: String, to: String) -> Begun {
    let to = without_final_separator(to);
    if let Err(why) = check_new(&to) {
        return cannot(why);
    }
    if to == INBOX {
        return Begun::Now(Done::no("[ALREADYEXISTS] INBOX is always there"));
    }
    if to.strip_prefix(from.as_str()).is_some_and(|rest| rest.starts_with('/')) && from != INBOX {
        return cannot("A mailbox can't become its own inferior");
    }
    let oldname = oldname(core, &[], &from, &to);
    run(Once { oldname, ..Once::new(Ask::Rename { from, to }, "RENAME") })
}

pub(super) fn subscribe(name: String, on: bool) -> Begun {
    if let (true, Err(why)) = (on, check_new(&name)) {
        return cannot(why);
    }
    run(Once::new(Ask::Subscribe { name, on }, if on { "SUBSCRIBE" } else { "UNSUBSCRIBE" }))
}
