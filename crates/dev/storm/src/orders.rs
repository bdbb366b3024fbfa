//! SEARCH, SORT, THREAD and searches of many mailboxes in quiet moments, against what the model makes of the same messages
//! (RFC 5256, RFC 4731, RFC 7377).

use crate::client::Client;
use crate::flags::Flags;
use crate::ledger::Seen;
use crate::place::Place;
use crate::session::{Heard, Session, Trouble};
use crate::shared::{Truth, lock};
use crate::wire::{Value, numbers};
use std::collections::BTreeMap;
use std::sync::Arc;

fn subject(seen: &Seen) -> String {
    format!("storm {}", seen.content.id)
}

fn uids<'a>(messages: impl Iterator<Item = &'a Seen>) -> Vec<u32> {
    messages.map(|seen| seen.uid).collect()
}

/// SORT with an order of the test's own; messages that are equal stay in the mailbox's order (RFC 5256 §3).
pub fn sorted(truth: &Truth, order: &str) -> Vec<u32> {
    let mut messages: Vec<&Seen> = truth.messages.iter().collect();
    match order {
        "SUBJECT REVERSE SIZE" => {
            messages.sort_by(|a, b| subject(a).cmp(&subject(b)).then(b.content.size.cmp(&a.content.size)))
        }
        "REVERSE SUBJECT" => messages.sort_by_key(|seen| std::cmp::Reverse(subject(seen))),
        "SIZE" => messages.sort_by_key(|seen| seen.content.size),
        // All have one date, and one author.
        _ => {}
    }
    uids(messages.into_iter())
}

/// THREAD ORDEREDSUBJECT (RFC 5256 §3): those of one subject are one thread; all have one date.
fn threads(truth: &Truth) -> Vec<Value> {
    let mut by_subject: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for seen in &truth.messages {
        by_subject.entry(subject(seen)).or_default().push(seen.uid);
    }
    let mut threads: Vec<Vec<u32>> = by_subject.into_values().collect();
    threads.sort();
    let atom = |uid: &u32| Value::Atom(uid.to_string());
    let tree = |thread: Vec<u32>| match &thread[..] {
        [first, rest @ ..] if rest.len() > 1 => {
            let branches = rest.iter().map(|uid| Value::List(vec![atom(uid)]));
            Value::List(std::iter::once(atom(first)).chain(branches).collect())
        }
        line => Value::List(line.iter().map(atom).collect()),
    };
    threads.into_iter().map(tree).collect()
}

impl Session {
    /// A command that can't be refused, and what it has brought.
    ///
    /// # Errors
    /// As [`Session::must`].
    pub fn ask(&mut self, command: &str) -> Result<&mut Heard, Trouble> {
        self.heard = Heard::default();
        self.must(command)?;
        Ok(&mut self.heard)
    }
}

impl Client {
    /// Asks for several orders of the selected mailbox, and searches all of one's own.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_orders(&mut self) -> Result<(), Trouble> {
        let truths = Arc::clone(&lock(&self.session.shared.truths));
        let truths = &truths[self.session.account];
        if self.random.chance(30) {
            self.check_many(truths)?;
        }
        let Some(selected) = &self.session.selected else { return Ok(()) };
        let Some(truth) = truths.values().find(|truth| truth.id == selected.id) else { return Ok(()) };
        for order in ["SUBJECT REVERSE SIZE", "REVERSE SUBJECT", "SIZE", "REVERSE DATE FROM"] {
            let due = sorted(truth, order);
            let command = format!("UID SORT ({order}) UTF-8 ALL");
            let found = self.session.ask(&command)?.found.take().unwrap_or_default();
            if found != due {
                return Err(format!("{command} is {found:?}, not {due:?}").into());
            }
        }
        let due = threads(truth);
        let found = std::mem::take(&mut self.session.ask("UID THREAD ORDEREDSUBJECT UTF-8 ALL")?.threads);
        if found != due {
            return Err(format!("THREAD ORDEREDSUBJECT is {found:?}, not {due:?}").into());
        }
        self.check_figures(truth)?;
        self.check_dates(truth)?;
        self.check_parts(truth)?;
        self.check_threads(truth)
    }

    /// RFC 4731 §3.1
    fn check_figures(&mut self, truth: &Truth) -> Result<(), Trouble> {
        let least = 200 + self.random.below(300) as u64;
        let unflagged = |seen: &&Seen| seen.flags.0 & 1 << 2 == 0;
        let due = uids(truth.messages.iter().filter(|seen| seen.content.size > least).filter(unflagged));
        let command = format!("UID SEARCH RETURN (MIN MAX COUNT ALL) LARGER {least} UNFLAGGED");
        let heard = self.session.ask(&command)?;
        let found = heard.found.take().unwrap_or_default();
        let ends = [("MIN", due.first()), ("MAX", due.last())];
        let mut figures = ends.into_iter().map(|(name, uid)| (name, uid.map(|uid| u64::from(*uid))));
        let same = figures.all(|(name, due)| heard.figures.get(name).copied() == due)
            && heard.figures.get("COUNT").copied() == Some(due.len() as u64);
        match found == due && same {
            true => Ok(()),
            false => Err(format!("{command} is {found:?} {:?}, not {due:?}", heard.figures).into()),
        }
    }

    /// RFC 7377 §2.1: a response for each mailbox in which something was found.
    fn check_many(&mut self, truths: &BTreeMap<String, Truth>) -> Result<(), Trouble> {
        let account = self.session.account;
        let found = std::mem::take(&mut self.session.ask("ESEARCH IN (personal) RETURN (ALL) UNSEEN")?.many);
        for (name, truth) in truths.iter().filter(|(name, _)| Place::of(account, name).owner == account) {
            let due = uids(truth.messages.iter().filter(|seen| !seen.flags.has(Flags::SEEN)));
            let told = found.get(name).cloned().unwrap_or_default();
            if told != (truth.uid_validity, due.clone()) && !(due.is_empty() && told.1.is_empty()) {
                return Err(format!("ESEARCH has {told:?} of {name}, not {due:?}").into());
            }
        }
        Ok(())
    }
}

/// A result of one of many mailboxes: its name, UIDVALIDITY and UIDs; None: it is not one.
pub fn one_of_many(values: &[Value]) -> Option<(String, (u32, Vec<u32>))> {
    let correlator = values.first()?.list()?;
    let item = |wanted: &str| {
        correlator.chunks(2).find(|pair| pair[0].text() == Some(wanted)).and_then(|pair| pair.get(1))
    };
    let (name, validity) = (item("MAILBOX")?.text()?, item("UIDVALIDITY")?.number()?);
    let set = values.iter().skip_while(|value| value.text() != Some("ALL")).nth(1).and_then(Value::text);
    Some((name.to_owned(), (validity as u32, set.and_then(numbers).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Content;

    #[test]
    fn threads_as_in_rfc_5256() {
        let message = |(uid, id)| {
            let content = Content { id, size: 100 - id };
            Seen { uid, flags: Flags::default(), modseq: 1, content }
        };
        let messages = [(1, 7), (2, 10), (3, 7), (5, 9), (6, 7), (8, 10)].map(message).to_vec();
        let truth = Truth {
            id: String::new(),
            uid_validity: 1,
            uid_next: 9,
            highest: 1,
            messages,
            lasting: BTreeMap::new(),
        };
        let list = |values: &[Value]| Value::List(values.to_vec());
        let [one, two, three, five, six, eight] =
            ["1", "2", "3", "5", "6", "8"].map(|uid| Value::Atom(uid.to_owned()));
        let branches = [list(&[three]), list(&[six])];
        let [left, right] = &branches;
        let due = [list(&[one, left.clone(), right.clone()]), list(&[two, eight]), list(&[five])];
        assert_eq!(threads(&truth), due);
        assert_eq!(sorted(&truth, "SUBJECT REVERSE SIZE"), [2, 8, 1, 3, 6, 5]);
        assert_eq!(sorted(&truth, "REVERSE SUBJECT"), [5, 1, 3, 6, 2, 8]);
        assert_eq!(sorted(&truth, "SIZE"), [2, 8, 5, 1, 3, 6]);
    }
}
