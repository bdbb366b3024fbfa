//! THREAD in quiet moments (RFC 5256; REFS: draft-ietf-morg-inthread). Messages stand in families: whom one answers, its
//! number says, so that the model knows each message's place in the forest from what is in the mailbox.

use crate::client::Client;
use crate::dates::arrived;
use crate::flags::Flags;
use crate::ledger::Seen;
use crate::session::Trouble;
use crate::shared::Truth;
use crate::wire::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Messages of one family, one behind the other; all stem from the first.
const FAMILY: u64 = 16;

/// The message that this one answers: an earlier one of its family.
fn parent(id: u64) -> Option<u64> {
    let (first, at) = (id - id % FAMILY, id % FAMILY);
    let chosen = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (at > 0).then(|| first + chosen % at)
}

/// Those before it, its parent first.
fn ancestors(id: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(parent(id), |id| parent(*id))
}

/// The header fields that say so, each with its line's end.
pub fn references(id: u64) -> String {
    let mut all: Vec<String> = ancestors(id).map(|id| format!("<{id}@storm.example.test>")).collect();
    all.reverse();
    match all.last() {
        None => String::new(),
        Some(last) => format!("In-Reply-To: {last}\r\nReferences: {}\r\n", all.join("\r\n ")),
    }
}

/// The algorithms that go by references.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Algorithm {
    References,
    Refs,
}

/// Where a message is: under which other, and in which thread, by its family; a thread of its own has its UID beside it.
type Node = (Option<u32>, (u64, u32));

/// Where each message has to be. Of messages with one Message-ID only the first has it (RFC 5256 §3, step 1).
fn due(messages: &[&Seen], algorithm: Algorithm) -> BTreeMap<u32, Node> {
    let mut first: BTreeMap<u64, u32> = BTreeMap::new();
    for seen in messages {
        first.entry(seen.content.id).or_insert(seen.uid);
    }
    let node = |seen: &&Seen| {
        let id = seen.content.id;
        let above = ancestors(id).find_map(|id| first.get(&id)).copied();
        // Another copy of a family's first has nothing above or below it, but its subject (step 5).
        let alone = algorithm == Algorithm::Refs && id.is_multiple_of(FAMILY) && first[&id] != seen.uid;
        (seen.uid, (above, (id / FAMILY, if alone { seen.uid } else { 0 })))
    };
    messages.iter().map(node).collect()
}

/// The messages of a thread in the order in which they are listed, each with its parent.
fn walk(values: &[Value], above: Option<u32>, into: &mut Vec<(u32, Option<u32>)>) -> Result<(), String> {
    let mut above = above;
    for value in values {
        match (value.list(), value.number()) {
            (Some(values), _) => walk(values, above, into)?,
            (None, Some(uid)) => {
                into.push((uid as u32, above));
                above = Some(uid as u32);
            }
            _ => return Err(format!("{value:?} in a thread")),
        }
    }
    Ok(())
}

/// Whether threads are as they have to be.
fn hold(told: &[Value], truth: &Truth, messages: &[&Seen], algorithm: Algorithm) -> Result<(), String> {
    let due = due(messages, algorithm);
    let (mut told_of, mut threads, mut keys) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    for thread in told {
        let mut members = Vec::new();
        walk(thread.list().ok_or("a thread without parentheses")?, None, &mut members)?;
        let first = members.first().ok_or("a thread without messages")?.0;
        let mut newest = 0;
        let key = due.get(&first).map(|node| node.1);
        for (uid, above) in &members {
            let node = due.get(uid).ok_or_else(|| format!("UID {uid} was not searched for"))?;
            if told_of.insert(*uid, *above).is_some() || (*above, key) != (node.0, Some(node.1)) {
                return Err(format!("UID {uid} is under {above:?}, in the thread {key:?}; due is {node:?}"));
            }
            newest = newest.max(arrived(truth, *uid).unwrap_or(0));
        }
        if !threads.insert(key) {
            return Err(format!("the thread {key:?} is in pieces"));
        }
        // All have one date; of those of one second it is not known which came first.
        keys.push(if algorithm == Algorithm::Refs { newest } else { i64::from(first) });
    }
    if !told_of.keys().eq(due.keys()) {
        return Err(format!("there are {:?}, not {:?}", told_of.keys(), due.keys()));
    }
    if keys.is_sorted() { Ok(()) } else { Err(format!("threads are in the order of {keys:?}")) }
}

impl Client {
    /// Asks for the threads of the selected mailbox, or of a part of it.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_threads(&mut self, truth: &Truth) -> Result<(), Trouble> {
        for (name, algorithm) in [("REFERENCES", Algorithm::References), ("REFS", Algorithm::Refs)] {
            let (keys, all) = *self.random.pick(&[("ALL", true), ("UNSEEN", false)]);
            let messages = truth.messages.iter().filter(|seen| all || !seen.flags.has(Flags::SEEN));
            let messages: Vec<&Seen> = messages.collect();
            let command = format!("UID THREAD {name} UTF-8 {keys}");
            let told = std::mem::take(&mut self.session.ask(&command)?.threads);
            hold(&told, truth, &messages, algorithm)
                .map_err(|why| format!("{command} has {told:?}: {why}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Content;

    fn seen(uid: u32, id: u64) -> Seen {
        Seen { uid, flags: Flags::default(), modseq: 1, content: Content { id, size: 1 } }
    }

    fn number(uid: u32) -> Value {
        Value::Atom(uid.to_string())
    }

    #[test]
    fn everybody_stems_from_the_first_of_the_family() {
        for id in 1..200 {
            assert_eq!(ancestors(id).last(), (id % FAMILY > 0).then(|| id - id % FAMILY));
            assert!(references(id).matches('@').count() != 1);
        }
        assert_eq!(references(16), "");
        let chain = "In-Reply-To: <16@storm.example.test>\r\nReferences: <16@storm.example.test>\r\n";
        assert_eq!(references(17), chain);
    }

    #[test]
    fn other_threads_are_found() {
        // The first of a family in two copies, and one that answers it; one of another family.
        let messages = [seen(1, 16), seen(2, 17), seen(3, 16), seen(4, 33)];
        let messages: Vec<&Seen> = messages.iter().collect();
        let list = |values: &[Value]| Value::List(values.to_vec());
        let outcome = |told: &[Value], algorithm| hold(told, &Truth::default(), &messages, algorithm);
        let answered = list(&[number(1), number(2)]);
        let gathered = list(&[answered.clone(), list(&[number(3)])]);
        let (references, refs) = (Algorithm::References, Algorithm::Refs);
        assert_eq!(outcome(&[gathered.clone(), list(&[number(4)])], references), Ok(()));
        assert_eq!(outcome(&[answered.clone(), list(&[number(3)]), list(&[number(4)])], refs), Ok(()));
        assert!(outcome(&[gathered.clone(), list(&[number(4)])], refs).is_err(), "by subject");
        assert!(outcome(&[answered.clone(), list(&[number(3)]), list(&[number(4)])], references).is_err());
        assert!(outcome(&[list(&[number(4)]), gathered.clone()], references).is_err(), "order");
        assert!(outcome(std::slice::from_ref(&gathered), references).is_err(), "one is missing");
        assert!(outcome(&[gathered, list(&[number(4), number(2)])], references).is_err(), "one twice");
        let unanswered = list(&[list(&[number(1)]), list(&[number(2)]), list(&[number(3)])]);
        assert!(outcome(&[unanswered, list(&[number(4)])], references).is_err(), "nobody's answer");
    }
}
