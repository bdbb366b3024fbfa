//! What the server has acknowledged to all clients, and what therefore may and must be in the mailboxes when all is quiet.
//!
//! A command acts at one moment between its begin and its end, which the clients' common clock gives; of commands that
//! overlap either may be the first. So the ledger does not say what is, but what is possible.

use crate::flags::{Flags, Mode, NAMES};
use std::collections::HashMap;

/// A mailbox: account and UIDVALIDITY, which no two mailboxes of an account share.
pub type Key = (usize, u32);

/// An acknowledged change.
#[derive(Clone, Debug)]
pub struct Op {
    /// The clock before the command was sent.
    pub begin: u64,
    /// The clock after its tagged response.
    pub end: u64,
    /// Where.
    pub key: Key,
    /// What.
    pub what: What,
}

/// The kinds of change.
#[derive(Clone, Debug)]
pub enum What {
    /// APPEND, REPLACE: a new message.
    Add { uid: u32, content: Content, flags: Flags },
    /// COPY, MOVE: a message that was another.
    Copy { uid: u32, from: Key, source: u32 },
    /// MOVE, REPLACE: it left.
    Gone { uid: u32 },
    /// Flags of these.
    Store { uids: Vec<u32>, mode: Mode, flags: Flags },
    /// EXPUNGE, CLOSE: those with \Deleted left; of `only`, if given.
    Expunge { only: Option<Vec<u32>> },
    /// A client was told that it left.
    Told { uid: u32 },
}

/// What does not change about a message: number in its subject, and octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Content {
    /// The number in the subject.
    pub id: u64,
    /// RFC822.SIZE
    pub size: u64,
}

/// A message as a fresh client sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// UID
    pub uid: u32,
    /// FLAGS
    pub flags: Flags,
    /// MODSEQ
    pub modseq: u64,
    /// What it is.
    pub content: Content,
}

/// Everything known at the last quiet moment.
#[derive(Default)]
pub struct Ledger {
    mailboxes: HashMap<Key, Vec<Seen>>,
    uid_next: HashMap<Key, u32>,
    /// Messages whose place and flags were checked.
    pub checked: u64,
}

struct Birth {
    begin: u64,
    end: u64,
    origin: Origin,
}

enum Origin {
    Content(Content, Flags),
    Copy(Key, u32),
}

/// A STORE of one message: begin, end, what it did.
type Stored = (u64, u64, Mode, Flags);

/// An EXPUNGE: begin, end, of which UIDs.
type Expunged = (u64, u64, Option<Vec<u32>>);

/// The ops of a round, by what they touch.
struct Round {
    births: HashMap<(Key, u32), Birth>,
    stores: HashMap<(Key, u32), Vec<Stored>>,
    expunges: HashMap<Key, Vec<Expunged>>,
    /// Left for certain, and why.
    gone: HashMap<(Key, u32), &'static str>,
}

const NOT: u8 = 1;
const SET: u8 = 2;

impl Round {
    /// Whether the flag `bit` of a message can have been off or on between `begin` and `end`.
    fn possible(&self, message: (Key, u32), bit: usize, begin: u64, end: u64) -> u8 {
        let Some(birth) = self.births.get(&message) else { return NOT | SET };
        let value = |on: bool| if on { SET } else { NOT };
        let on = |flags: Flags| flags.0 & (1 << bit) != 0;
        let first = match birth.origin {
            Origin::Content(_, flags) => value(on(flags)),
            Origin::Copy(key, uid) => self.possible((key, uid), bit, birth.begin, birth.end),
        };
        let mut writes = vec![(birth.begin, birth.end, first)];
        for (begin, end, mode, flags) in self.stores.get(&message).into_iter().flatten() {
            match mode {
                Mode::Replace => writes.push((*begin, *end, value(on(*flags)))),
                Mode::Add if on(*flags) => writes.push((*begin, *end, SET)),
                Mode::Remove if on(*flags) => writes.push((*begin, *end, NOT)),
                _ => {}
            }
        }
        // A write is overwritten for certain if another began after its end, and ended before the time asked for.
        let overwritten = |ended: u64| writes.iter().any(|(b, e, _)| *b > ended && *e < begin);
        writes.iter().filter(|(b, e, _)| *b <= end && !overwritten(*e)).fold(0, |all, (_, _, v)| all | v)
    }

    fn content(&self, message: (Key, u32)) -> Option<Content> {
        match self.births.get(&message)?.origin {
            Origin::Content(content, _) => Some(content),
            Origin::Copy(key, uid) => self.content((key, uid)),
        }
    }
}

impl Ledger {
    /// Compares what happened with what there is now; `uncertain`: the outcome of some command is not known. Afterwards
    /// what there is now is what is known.
    ///
    /// # Errors
    /// The first difference.
    pub fn settle(
        &mut self,
        ops: Vec<Op>,
        now: u64,
        truth: HashMap<Key, (u32, Vec<Seen>)>,
        uncertain: bool,
    ) -> Result<(), String> {
        if !uncertain {
            let round = self.round(ops)?;
            for (key, (_, messages)) in &truth {
                check_mailbox(&round, *key, messages, now)?;
                self.checked += messages.len() as u64;
            }
        }
        for (key, (uid_next, messages)) in &truth {
            let before = self.uid_next.insert(*key, *uid_next).unwrap_or(0);
            if *uid_next < before || messages.last().is_some_and(|message| message.uid >= *uid_next) {
                return Err(format!("UIDNEXT of {key:?} is {uid_next}, was {before}"));
            }
        }
        self.mailboxes = truth.into_iter().map(|(key, (_, messages))| (key, messages)).collect();
        Ok(())
    }

    fn round(&self, ops: Vec<Op>) -> Result<Round, String> {
        let mut births = HashMap::new();
        for (key, messages) in &self.mailboxes {
            for message in messages {
                let origin = Origin::Content(message.content, message.flags);
                births.insert((*key, message.uid), Birth { begin: 0, end: 0, origin });
            }
        }
        let mut round =
            Round { births, stores: HashMap::new(), expunges: HashMap::new(), gone: HashMap::new() };
        let mut new: HashMap<Key, Vec<(u64, u64, u32)>> = HashMap::new();
        for Op { begin, end, key, what } in ops {
            let mut born = |uid, origin| {
                new.entry(key).or_default().push((begin, end, uid));
                let twice = round.births.insert((key, uid), Birth { begin, end, origin });
                if twice.is_some() { Err(format!("UID {uid} was given twice in {key:?}")) } else { Ok(()) }
            };
            match what {
                What::Add { uid, content, flags } => born(uid, Origin::Content(content, flags))?,
                What::Copy { uid, from, source } => born(uid, Origin::Copy(from, source))?,
                What::Gone { uid } => {
                    if round.gone.insert((key, uid), "moved") == Some("moved") {
                        return Err(format!("UID {uid} of {key:?} was moved or replaced twice"));
                    }
                }
                What::Told { uid } => {
                    round.gone.entry((key, uid)).or_insert("told as expunged");
                }
                What::Store { uids, mode, flags } => {
                    for uid in uids {
                        round.stores.entry((key, uid)).or_default().push((begin, end, mode, flags));
                    }
                }
                What::Expunge { only } => round.expunges.entry(key).or_default().push((begin, end, only)),
            }
        }
        for (key, births) in new {
            self.ascending(key, &births)?;
        }
        Ok(round)
    }

    /// RFC 9051 §2.3.1.1: UIDs are assigned in ascending order.
    fn ascending(&self, key: Key, births: &[(u64, u64, u32)]) -> Result<(), String> {
        let uid_next = self.uid_next.get(&key).copied().unwrap_or(0);
        for (begin, _, uid) in births {
            let earlier = births.iter().filter(|(_, end, _)| end < begin).map(|(_, _, uid)| *uid).max();
            if *uid < uid_next || earlier.is_some_and(|earlier| earlier >= *uid) {
                return Err(format!(
                    "UID {uid} was given in {key:?} after {earlier:?}; UIDNEXT had been {uid_next}"
                ));
            }
        }
        Ok(())
    }
}

fn check_mailbox(round: &Round, key: Key, messages: &[Seen], now: u64) -> Result<(), String> {
    let deleted = Flags::DELETED.0.trailing_zeros() as usize;
    for message in messages {
        let id = (key, message.uid);
        let Some(birth) = round.births.get(&id) else {
            return Err(format!("UID {} of {key:?} came from nowhere: {message:?}", message.uid));
        };
        if let Some(why) = round.gone.get(&id) {
            return Err(format!("UID {} of {key:?} is there, but was {why}", message.uid));
        }
        if round.content(id).is_some_and(|content| content != message.content) {
            return Err(format!("{message:?} of {key:?} is not {:?}", round.content(id)));
        }
        for (begin, end, only) in round.expunges.get(&key).into_iter().flatten() {
            let meant = only.as_ref().is_none_or(|only| only.contains(&message.uid)) && birth.end < *begin;
            if meant && round.possible(id, deleted, *begin, *end) == SET {
                return Err(format!("UID {} of {key:?} survived the EXPUNGE at {begin}", message.uid));
            }
        }
        for (bit, name) in NAMES.iter().enumerate() {
            let is = if message.flags.0 & (1 << bit) == 0 { NOT } else { SET };
            if round.possible(id, bit, now, now) & is == 0 {
                let stores = round.stores.get(&id);
                return Err(format!(
                    "{name} of UID {} of {key:?} is wrong: {message:?}; {stores:?}",
                    message.uid
                ));
            }
        }
    }
    for ((_, uid), _) in round.births.iter().filter(|((of, _), _)| *of == key) {
        let is_there = messages.binary_search_by_key(uid, |message| message.uid).is_ok();
        if is_there || round.gone.get(&(key, *uid)) == Some(&"moved") {
            continue;
        }
        let expunged = round.expunges.get(&key).into_iter().flatten().any(|(begin, end, only)| {
            only.as_ref().is_none_or(|only| only.contains(uid))
                && round.possible((key, *uid), deleted, *begin, *end) & SET != 0
        });
        if !expunged {
            return Err(format!("UID {uid} of {key:?} is gone, and nobody expunged it"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = (0, 1);
    const CONTENT: Content = Content { id: 1, size: 10 };

    fn seen(uid: u32, flags: u16) -> Seen {
        Seen { uid, flags: Flags(flags), modseq: 1, content: CONTENT }
    }

    fn outcome(ops: &[(u64, u64, What)], messages: Vec<Seen>) -> Result<(), String> {
        let mut ledger = Ledger::default();
        let known = HashMap::from([(KEY, (3, vec![seen(1, 0), seen(2, 8)]))]);
        ledger.settle(Vec::new(), 1, known, true).unwrap();
        let ops = ops.iter().cloned().map(|(begin, end, what)| Op { begin, end, key: KEY, what }).collect();
        ledger.settle(ops, 100, HashMap::from([(KEY, (10, messages))]), false)
    }

    fn store(mode: Mode, flags: u16) -> What {
        What::Store { uids: vec![1], mode, flags: Flags(flags) }
    }

    #[test]
    fn a_lost_update_is_found() {
        let both = || vec![(2, 3, store(Mode::Add, 1)), (4, 5, store(Mode::Add, 4))];
        assert_eq!(outcome(&both(), vec![seen(1, 5), seen(2, 8)]), Ok(()));
        assert!(outcome(&both(), vec![seen(1, 4), seen(2, 8)]).is_err());
        let overlapping = || vec![(2, 5, store(Mode::Replace, 1)), (3, 4, store(Mode::Replace, 4))];
        assert_eq!(outcome(&overlapping(), vec![seen(1, 1), seen(2, 8)]), Ok(()));
        assert_eq!(outcome(&overlapping(), vec![seen(1, 4), seen(2, 8)]), Ok(()));
        assert!(
            outcome(&overlapping(), vec![seen(1, 16), seen(2, 8)]).is_err(),
            "a flag that nobody has set"
        );
    }

    #[test]
    fn messages_come_and_go_for_a_reason() {
        let expunge = |only| vec![(2, 3, What::Expunge { only })];
        assert_eq!(outcome(&expunge(None), vec![seen(1, 0)]), Ok(()));
        assert!(outcome(&expunge(None), vec![seen(1, 0), seen(2, 8)]).is_err(), "it had \\Deleted");
        assert!(outcome(&expunge(None), vec![]).is_err(), "the other had not");
        assert!(outcome(&expunge(Some(vec![1])), vec![seen(1, 0)]).is_err(), "the other UID was named");
        assert!(outcome(&[], vec![seen(1, 0), seen(2, 8), seen(3, 0)]).is_err(), "from nowhere");
        let copy = |uid| (2, 3, What::Copy { uid, from: KEY, source: 2 });
        assert_eq!(outcome(&[copy(3)], vec![seen(1, 0), seen(2, 8), seen(3, 8)]), Ok(()));
        assert!(outcome(&[copy(3)], vec![seen(1, 0), seen(2, 8), seen(3, 0)]).is_err(), "flags are copied");
        assert!(outcome(&[copy(2)], vec![seen(1, 0), seen(2, 8)]).is_err(), "that UID was taken");
        let gone = || (2, 3, What::Gone { uid: 1 });
        assert!(outcome(&[gone(), gone()], vec![seen(2, 8)]).is_err(), "moved twice");
        let told = || (2, 3, What::Told { uid: 2 });
        assert!(outcome(&[told()], vec![seen(1, 0), seen(2, 8)]).is_err());
    }
}
