//! The quiet moments between rounds: no command is under way, so every client must know the same.

use crate::choice::searches;
use crate::client::Client;
use crate::flags::{Flags, NAMES, PRIVATE_SEEN};
use crate::lasting::{ITEMS, Lasts};
use crate::ledger::{Key, Seen, State};
use crate::place::{Hold, Place};
use crate::session::Trouble;
use crate::settings::{Sighted, Slot};
use crate::shared::{Row, Shared, Truth, Truths, View, lock};
use crate::untagged::subject_id;
use crate::wire::{Response, Value, Wire};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Client {
    /// Hears the last news, asks for what was never told, and searches what it can answer itself.
    ///
    /// # Errors
    /// What is wrong.
    pub fn settle(&mut self) -> Result<(), Trouble> {
        self.session.must("NOOP")?;
        let Some(selected) = &mut self.session.selected else { return Ok(()) };
        selected.safe = selected.safe.max(selected.told);
        if !selected.replica.is_complete() {
            let items = if self.session.enabled.condstore() { "(FLAGS MODSEQ)" } else { "(FLAGS)" };
            self.session.must(&format!("UID FETCH 1:* {items}"))?;
        }
        self.session.must("NOOP")?;
        for (keys, wanted) in searches() {
            self.session.heard = crate::session::Heard::default();
            self.session.must(&format!("UID SEARCH {keys}"))?;
            let found = self.session.heard.found.take().unwrap_or_default();
            let Some(selected) = &self.session.selected else { return Ok(()) };
            let messages = selected.replica.messages.iter();
            let due = messages
                .filter(|message| message.flags.is_some_and(wanted))
                .filter_map(|message| message.uid);
            let due: Vec<u32> = due.collect();
            if found != due {
                return Err(format!("UID SEARCH {keys} found {found:?}, the replica has {due:?}").into());
            }
            // RFC 5256: the same messages in another order.
            self.session.must(&format!("UID SORT (REVERSE SIZE SUBJECT) UTF-8 {keys}"))?;
            let mut sorted = self.session.heard.found.take().unwrap_or_default();
            sorted.sort_unstable();
            if sorted != due {
                return Err(format!("UID SORT {keys} found {sorted:?}, the replica has {due:?}").into());
            }
        }
        Ok(())
    }

    /// Holds its replica against what a fresh client sees.
    ///
    /// # Errors
    /// The first difference.
    pub fn compare(&mut self) -> Result<(), Trouble> {
        self.check_watching()?;
        self.check_contexts()?;
        self.check_orders()?;
        Ok(self.check_replica()?)
    }

    fn check_replica(&self) -> Result<(), String> {
        let Some(selected) = &self.session.selected else { return Ok(()) };
        let truths = Arc::clone(&lock(&self.session.shared.truths));
        let truth = truths[self.session.account].values().find(|truth| truth.id == selected.id);
        let truth = truth.ok_or_else(|| format!("{} is selected, and not there", selected.name))?;
        let (mine, fresh) = (&selected.replica.messages, &truth.messages);
        if selected.replica.uids() != fresh.iter().map(|message| message.uid).collect::<Vec<_>>() {
            let fresh: Vec<u32> = fresh.iter().map(|message| message.uid).collect();
            return Err(format!(
                "{}: the replica has {:?}, the mailbox {fresh:?}",
                selected.name,
                selected.replica.uids()
            ));
        }
        for (mine, fresh) in mine.iter().zip(fresh) {
            let same_modseq =
                !self.session.enabled.condstore() || mine.modseq == 0 || mine.modseq == fresh.modseq;
            if mine.flags != Some(fresh.flags) || !same_modseq {
                return Err(format!("{}: the replica has {mine:?}, the mailbox {fresh:?}", selected.name));
            }
        }
        Ok(())
    }
}

/// Metadata entries in use.
pub const ENTRIES: [&str; 4] =
    ["/private/comment", "/shared/comment", "/private/vendor/storm/a", "/shared/vendor/storm/a"];

/// A fresh client of one account, that reads everything.
pub struct Judge {
    wire: Wire,
    shared: Arc<Shared>,
    number: usize,
    tags: u32,
}

impl Judge {
    /// Logs in.
    ///
    /// # Errors
    /// Whatever goes wrong.
    pub fn open(shared: &Arc<Shared>, account: usize) -> Result<Judge, String> {
        let wire = Wire::connect(shared.address).map_err(|error| format!("the judge: {error}"))?;
        let mut judge = Judge { wire, shared: Arc::clone(shared), number: shared.owned.len(), tags: 0 };
        judge.wire.response().map_err(|error| error.to_string())?;
        let (name, password) = &shared.accounts[account];
        judge.run(&format!("LOGIN \"{name}\" \"{password}\""))?;
        judge.run("ENABLE CONDSTORE")?;
        Ok(judge)
    }

    /// The untagged responses to a command; status responses by their codes, as atoms.
    ///
    /// # Errors
    /// Anything but OK.
    pub fn run(&mut self, command: &str) -> Result<Vec<Vec<Value>>, String> {
        self.tags += 1;
        let tag = format!("j{}", self.tags);
        self.shared.note(self.number, format!("C: {tag} {command}"));
        self.wire.send(format!("{tag} {command}\r\n").as_bytes()).map_err(|error| error.to_string())?;
        let mut all = Vec::new();
        loop {
            let response = self.wire.response().map_err(|error| format!("the judge: {error}"))?;
            let Some((response, shown)) = response else { return Err("hung up on the judge".to_owned()) };
            self.shared.note(self.number, format!("S: {shown}"));
            match response {
                Response::Data(values) => all.push(values),
                Response::Status { tag: None, code, .. } => all.push(vec![Value::Atom(code)]),
                Response::Status { kind, .. } if kind == "OK" => return Ok(all),
                Response::Status { .. } => return Err(format!("{shown} to the judge's {command}")),
                Response::Continue => return Err("a continuation for the judge".to_owned()),
            }
        }
    }

    /// Every mailbox of the account.
    ///
    /// # Errors
    /// STATUS, SELECT and FETCH differ among themselves.
    pub fn look(&mut self) -> Result<(BTreeMap<String, Truth>, View), String> {
        let (mut truths, mut view) = (BTreeMap::new(), View::default());
        let items = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ";
        for values in self.run(&format!("LIST \"\" \"*\" RETURN (SUBSCRIBED MYRIGHTS STATUS ({items}))"))? {
            let text = |at: usize| values.get(at).and_then(Value::text).unwrap_or_default();
            match text(0) {
                "STATUS" => {}
                "LIST" => {
                    let attributes = values.get(1).and_then(Value::list).unwrap_or_default();
                    let has = |wanted: &str| attributes.iter().any(|value| value.text() == Some(wanted));
                    // A mailbox that may be seen and not read is \Noselect (RFC 5819 §2), and is there all the same.
                    if !has("\\NonExistent") {
                        let row = Row { readable: false, subscribed: has("\\Subscribed") };
                        view.rows.insert(text(3).to_owned(), row);
                    }
                    continue;
                }
                "MYRIGHTS" => {
                    if let Some(row) = view.rows.get_mut(text(1)) {
                        row.readable = text(2).contains('r');
                    }
                    continue;
                }
                _ => continue,
            }
            let name = text(1).to_owned();
            let told = values.get(2).and_then(Value::list).unwrap_or_default();
            let figures: HashMap<String, u64> = told
                .chunks(2)
                .filter_map(|pair| Some((pair[0].text()?.to_owned(), pair.get(1)?.number()?)))
                .collect();
            let truth = self.mailbox(&name)?;
            for item in items.split(' ') {
                let due = truth.figure(item);
                if figures.get(item).copied() != due {
                    return Err(format!("STATUS {item} of {name} is {:?}, not {due:?}", figures.get(item)));
                }
            }
            truths.insert(name, truth);
        }
        let readable = view.rows.iter().filter(|(_, row)| row.readable).map(|(name, _)| name);
        if !readable.eq(truths.keys()) {
            return Err(format!("STATUS of {:?}; there are {:?}", truths.keys(), view.rows));
        }
        let server = String::new();
        for name in truths.keys().chain([&server]) {
            let entries = self.entries(name)?;
            view.entries.extend(entries.into_iter().map(|(entry, value)| ((name.clone(), entry), value)));
        }
        Ok((truths, view))
    }

    /// Metadata of a mailbox, or of the server.
    fn entries(&mut self, name: &str) -> Result<Vec<(String, Option<String>)>, String> {
        let command = format!("GETMETADATA \"{name}\" ({})", ENTRIES.join(" "));
        let mut found = Vec::new();
        for values in self.run(&command)?.iter().filter(|values| values[0].text() == Some("METADATA")) {
            for pair in values.get(2).and_then(Value::list).unwrap_or_default().chunks(2) {
                let entry = pair[0].text().ok_or("METADATA without a name")?.to_owned();
                let value = match pair.get(1) {
                    Some(Value::Text(value)) => Some(String::from_utf8_lossy(value).into_owned()),
                    Some(Value::Atom(nil)) if nil == "NIL" => None,
                    other => return Err(format!("{other:?} is not a value of {entry}")),
                };
                found.push((entry, value));
            }
        }
        match found.iter().map(|(entry, _)| entry).eq(ENTRIES.iter()) {
            true => Ok(found),
            false => Err(format!("{command} has {found:?}")),
        }
    }

    fn mailbox(&mut self, name: &str) -> Result<Truth, String> {
        let opened = self.run(&format!("EXAMINE \"{name}\""))?;
        let code = |wanted: &str| {
            let codes =
                opened.iter().filter_map(|values| values[0].text()?.strip_prefix(wanted)?.strip_prefix(' '));
            codes.map(str::to_owned).next_back().ok_or_else(|| format!("EXAMINE without {wanted}"))
        };
        let number = |wanted: &str| code(wanted)?.parse::<u64>().map_err(|error| error.to_string());
        let mut truth = Truth {
            id: code("MAILBOXID")?.trim_matches(['(', ')']).to_owned(),
            uid_validity: number("UIDVALIDITY")? as u32,
            uid_next: number("UIDNEXT")? as u32,
            highest: number("HIGHESTMODSEQ")?,
            messages: Vec::new(),
            lasting: BTreeMap::new(),
        };
        let exists = opened.iter().find(|values| values.get(1).and_then(Value::text) == Some("EXISTS"));
        let exists = exists.and_then(|values| values[0].number()).ok_or("EXAMINE without EXISTS")?;
        if exists > 0 {
            let items = "UID FLAGS MODSEQ RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)]";
            let items = format!("({items} {})", ITEMS.join(" "));
            for values in self.run(&format!("FETCH 1:* {items}"))? {
                if values.get(1).and_then(Value::text) == Some("FETCH") {
                    let seen = seen(&values[2])
                        .ok_or_else(|| format!("the judge does not understand {values:?}"))?;
                    if values[0].number() != Some(truth.messages.len() as u64 + 1)
                        || seen.modseq > truth.highest
                    {
                        return Err(format!("FETCH 1:* of {name} has {seen:?} at {:?}", values[0]));
                    }
                    let lasts =
                        lasts(&values[2]).ok_or_else(|| format!("{ITEMS:?} are not in {values:?}"))?;
                    truth.lasting.insert(seen.uid, lasts);
                    truth.messages.push(seen);
                }
            }
        }
        if truth.messages.len() as u64 != exists || !truth.messages.is_sorted_by(|a, b| a.uid < b.uid) {
            return Err(format!("{name} has {exists} messages, FETCH told {:?}", truth.messages));
        }
        Ok(truth)
    }
}

fn item<'a>(items: &'a [Value], wanted: &str) -> Option<&'a Value> {
    items.chunks(2).find(|pair| pair[0].text() == Some(wanted))?.get(1)
}

fn lasts(items: &Value) -> Option<Lasts> {
    let items = items.list()?;
    let mut lasts = Lasts::default();
    for (last, name) in lasts.iter_mut().zip(ITEMS) {
        let value = item(items, name)?;
        // An id is in parentheses (RFC 8474 §5).
        let text = if let Some([id]) = value.list() { id.text() } else { value.text() };
        text.filter(|text| *text != "NIL")?.clone_into(last);
    }
    Some(lasts)
}

fn seen(items: &Value) -> Option<Seen> {
    let items = items.list()?;
    let item = |wanted: &str| item(items, wanted);
    let subject = item("BODY[HEADER.FIELDS (SUBJECT)]")?.text()?;
    let flags = item("FLAGS")?.list()?.iter().filter_map(Value::text);
    Some(Seen {
        uid: item("UID")?.number()? as u32,
        flags: Flags::parse(flags).ok()?,
        modseq: item("MODSEQ")?.list()?.first()?.number()?,
        content: crate::ledger::Content {
            id: subject_id(subject.strip_prefix("Subject: ")?)?,
            size: item("RFC822.SIZE")?.number()?,
        },
    })
}

/// What all accounts together see, by whose mailbox it is.
///
/// # Errors
/// Two of them do not see the same.
pub fn merge(truths: &Truths) -> Result<HashMap<Key, State>, String> {
    let everybody = (1_u64 << (PRIVATE_SEEN + truths.len())) - (1 << PRIVATE_SEEN);
    let mut merged: HashMap<Key, State> = HashMap::new();
    for (viewer, truths) in truths.iter().enumerate() {
        for (name, truth) in truths {
            let place = Place::of(viewer, name);
            let key = (place.owner, truth.uid_validity);
            let seen: Vec<Seen> = truth
                .messages
                .iter()
                .map(|seen| Seen { flags: place.flags(seen.flags), ..seen.clone() })
                .collect();
            let state = merged.entry(key).or_insert_with(|| State {
                uid_next: truth.uid_next,
                messages: seen.clone(),
                hidden: Flags(everybody as u32 | Flags::SEEN.0),
            });
            let known = state.hidden.0 & 1 << place.seen == 0;
            state.hidden.0 &= !(1 << place.seen);
            let same = |old: &Seen, new: &Seen| {
                let shared = |flags: Flags| flags.0 & !Flags::SEEN.0 & ((1 << NAMES.len()) - 1);
                (old.uid, old.modseq, old.content) == (new.uid, new.modseq, new.content)
                    && shared(old.flags) == shared(new.flags)
                    && (!known || old.flags.0 & 1 << place.seen == new.flags.0 & 1 << place.seen)
            };
            if state.uid_next != truth.uid_next
                || state.messages.len() != seen.len()
                || !state.messages.iter().zip(&seen).all(|(old, new)| same(old, new))
            {
                return Err(format!("{name} of account {viewer} is {seen:?}, to others it is {state:?}"));
            }
            for (old, new) in state.messages.iter_mut().zip(seen) {
                old.flags.0 |= new.flags.0;
            }
        }
    }
    Ok(merged)
}

/// What is set of each mailbox, and for whom; and all mailboxes there are.
///
/// # Errors
/// Two of them do not see the same.
pub fn sighted(truths: &Truths, views: &[View]) -> Result<(Sighted, HashSet<Key>), String> {
    let (mut sighted, mut mailboxes) = (Sighted::default(), HashSet::new());
    for (viewer, (truths, view)) in truths.iter().zip(views).enumerate() {
        mailboxes
            .extend(truths.iter().map(|(name, truth)| (Place::of(viewer, name).owner, truth.uid_validity)));
        for ((name, entry), value) in &view.entries {
            let user = Some(viewer).filter(|_| entry.starts_with("/private/"));
            let slot = Slot::entry(viewer, truths, name, entry, user);
            sighted.see(slot.ok_or_else(|| format!("an entry of {name}"))?, value.clone())?;
        }
        // Other names come and go.
        for (name, row) in view.rows.iter().filter(|(name, _)| Place::of(viewer, name).hold == Hold::Firm) {
            let slot = Slot::Subscription { user: viewer, name: name.clone() };
            sighted.see(slot, row.subscribed.then(String::new))?;
        }
    }
    Ok((sighted, mailboxes))
}

/// The mailboxes that clients have made are there, under their names, and no others.
///
/// # Errors
/// The first difference.
pub fn check_names(shared: &Shared, truths: &Truths) -> Result<(), String> {
    let uncertain = shared.uncertain.load(Ordering::SeqCst);
    for (client, owned) in shared.owned.iter().enumerate() {
        let truth = &truths[client % truths.len()];
        let prefix = format!("v{client}-");
        let there = truth.iter().filter(|(name, _)| name.starts_with(&prefix));
        let there: BTreeMap<String, String> =
            there.map(|(name, truth)| (name.clone(), truth.id.clone())).collect();
        let mut owned = lock(owned);
        if uncertain {
            *owned = there;
        } else if *owned != there {
            return Err(format!("client {client} has made {owned:?}, there are {there:?}"));
        }
    }
    Ok(())
}
