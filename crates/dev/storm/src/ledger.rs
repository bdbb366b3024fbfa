//! What the server has acknowledged to all clients, and what therefore may and must be in the mailboxes when all is quiet.
//!
//! A command acts at one moment between its begin and its end, which the clients' common clock gives; of commands that
//! overlap either may be the first. So the ledger does not say what is, but what is possible. Where rights may be taken
//! while a command runs (RFC 4314), or no answer came, a change need not have happened.

use crate::flags::{BITS, Flags, Mode, NAMES};
use std::collections::{HashMap, HashSet};

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
    /// Whether it happened.
    pub effect: Effect,
}

/// Whether a change happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// As it was acknowledged.
    Whole,
    /// Messages came and went as acknowledged; flags changed as far as rights allowed.
    Partial,
}

/// The kinds of change.
#[derive(Clone, Debug)]
pub enum What {
    /// APPEND, REPLACE: a new message.
    Add { uid: u32, content: Content, flags: Flags },
    /// COPY, MOVE: a message that was another. \Seen is that of whoever copied: its bit there and here.
    Copy { uid: u32, from: Key, source: u32, seen: (usize, usize) },
    /// MOVE, REPLACE: it left.
    Gone { uid: u32 },
    /// Flags of these, with \Seen at that bit.
    Store { uids: Vec<u32>, mode: Mode, flags: Flags, seen: usize },
    /// EXPUNGE, CLOSE: those with \Deleted left; of `only`, if given.
    Expunge { only: Option<Vec<u32>> },
    /// A client was told that it left.
    Told { uid: u32 },
    /// APPEND, REPLACE without an answer: it may be anywhere.
    Unanswered { content: Content },
    /// COPY, MOVE without an answer: messages of the mailbox may be anywhere.
    CopiesUnanswered,
    /// MOVE, REPLACE without an answer: messages may have left.
    MayBeGone,
}

/// What does not change about a message: number in its subject, and octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
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

/// A mailbox in a quiet moment.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct State {
    /// UIDNEXT
    pub uid_next: u32,
    /// In order of UID.
    pub messages: Vec<Seen>,
    /// Flags that nobody could look at: the \Seen of those who lack rights.
    pub hidden: Flags,
}

/// Everything known at the last quiet moment.
#[derive(Default)]
pub struct Ledger {
    mailboxes: HashMap<Key, State>,
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
    /// With flags, of which the second ones need not be as in the first.
    Content(Content, Flags, Flags),
    Copy(Key, u32, (usize, usize), Effect),
}

/// A STORE of one message.
#[derive(Debug)]
struct Stored {
    begin: u64,
    end: u64,
    mode: Mode,
    flags: Flags,
    seen: usize,
    effect: Effect,
}

impl Stored {
    /// Whether it says anything of this flag: it does not of another's \Seen.
    fn names(&self, bit: usize) -> bool {
        bit == self.seen || (1..NAMES.len()).contains(&bit)
    }
}

/// An EXPUNGE: begin, end, of which UIDs.
type Expunged = (u64, u64, Option<Vec<u32>>, Effect);

/// The ops of a round, by what they touch.
#[derive(Default)]
struct Round {
    births: HashMap<(Key, u32), Birth>,
    stores: HashMap<(Key, u32), Vec<Stored>>,
    expunges: HashMap<Key, Vec<Expunged>>,
    /// Left for certain, and why.
    gone: HashMap<(Key, u32), &'static str>,
    /// What may have come without an answer.
    unanswered: HashSet<Content>,
    /// Whose messages may have been copied, or may have left, without an answer.
    copied: HashSet<Key>,
    may_be_gone: HashSet<Key>,
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
            Origin::Content(_, _, doubtful) if on(doubtful) => NOT | SET,
            Origin::Content(_, flags, _) => value(on(flags)),
            Origin::Copy(.., (_, seen), _) if (bit == 0 || bit >= NAMES.len()) && bit != seen => NOT,
            Origin::Copy(key, uid, (seen, here), effect) => {
                let there = if bit == here { seen } else { bit };
                let doubt = if effect == Effect::Partial { NOT } else { 0 };
                self.possible((key, uid), there, birth.begin, birth.end) | doubt
            }
        };
        let mut writes = vec![(birth.begin, birth.end, first)];
        for store in self.stores.get(&message).into_iter().flatten().filter(|store| store.names(bit)) {
            // What need not have happened overwrites nothing, and shows for as long as one looks.
            let end = if store.effect == Effect::Partial { u64::MAX } else { store.end };
            match store.mode {
                Mode::Replace => writes.push((store.begin, end, value(on(store.flags)))),
                Mode::Add if on(store.flags) => writes.push((store.begin, end, SET)),
                Mode::Remove if on(store.flags) => writes.push((store.begin, end, NOT)),
                _ => {}
            }
        }
        // A write is overwritten for certain if another began after its end, and ended before the time asked for.
        let overwritten = |ended: u64| writes.iter().any(|(b, e, _)| *b > ended && *e < begin);
        writes.iter().filter(|(b, e, _)| *b <= end && !overwritten(*e)).fold(0, |all, (_, _, v)| all | v)
    }

    fn content(&self, message: (Key, u32)) -> Option<Content> {
        match self.births.get(&message)?.origin {
            Origin::Content(content, ..) => Some(content),
            Origin::Copy(key, uid, ..) => self.content((key, uid)),
        }
    }

    /// Whether it may have come by a command that nobody answered.
    fn may_have_come(&self, content: Content) -> bool {
        let was_there = |message: &(Key, u32)| {
            self.copied.contains(&message.0) && self.content(*message) == Some(content)
        };
        self.unanswered.contains(&content) || !self.copied.is_empty() && self.births.keys().any(was_there)
    }
}

impl Ledger {
    /// Compares what happened with what there is now. Afterwards what there is now is what is known.
    ///
    /// # Errors
    /// The first difference.
    pub fn settle(&mut self, ops: Vec<Op>, now: u64, truth: HashMap<Key, State>) -> Result<(), String> {
        let round = self.round(ops)?;
        for (key, state) in &truth {
            check_mailbox(&round, *key, state, now)?;
            self.checked += state.messages.len() as u64;
        }
        for (key, State { uid_next, messages, .. }) in &truth {
            let before = self.uid_next.insert(*key, *uid_next).unwrap_or(0);
            if *uid_next < before || messages.last().is_some_and(|message| message.uid >= *uid_next) {
                return Err(format!("UIDNEXT of {key:?} is {uid_next}, was {before}"));
            }
        }
        self.mailboxes = truth;
        Ok(())
    }

    fn round(&self, ops: Vec<Op>) -> Result<Round, String> {
        let mut births = HashMap::new();
        for (key, State { messages, hidden, .. }) in &self.mailboxes {
            for message in messages {
                let origin = Origin::Content(message.content, message.flags, *hidden);
                births.insert((*key, message.uid), Birth { begin: 0, end: 0, origin });
            }
        }
        let mut round = Round { births, ..Round::default() };
        let mut new: HashMap<Key, Vec<(u64, u64, u32)>> = HashMap::new();
        for Op { begin, end, key, what, effect } in ops {
            let mut born = |uid, origin| {
                new.entry(key).or_default().push((begin, end, uid));
                let twice = round.births.insert((key, uid), Birth { begin, end, origin });
                if twice.is_some() { Err(format!("UID {uid} was given twice in {key:?}")) } else { Ok(()) }
            };
            match what {
                What::Add { uid, content, flags } => {
                    let doubtful = if effect == Effect::Partial { flags } else { Flags::default() };
                    born(uid, Origin::Content(content, flags, doubtful))?;
                }
                What::Copy { uid, from, source, seen } => {
                    born(uid, Origin::Copy(from, source, seen, effect))?;
                }
                What::Gone { uid } => {
                    if round.gone.insert((key, uid), "moved") == Some("moved") {
                        return Err(format!("UID {uid} of {key:?} was moved or replaced twice"));
                    }
                }
                What::Told { uid } => {
                    round.gone.entry((key, uid)).or_insert("told as expunged");
                }
                What::Store { uids, mode, flags, seen } => {
                    for uid in uids {
                        let stored = Stored { begin, end, mode, flags, seen, effect };
                        round.stores.entry((key, uid)).or_default().push(stored);
                    }
                }
                What::Expunge { only } => {
                    round.expunges.entry(key).or_default().push((begin, end, only, effect));
                }
                What::Unanswered { content } => drop(round.unanswered.insert(content)),
                What::CopiesUnanswered => drop(round.copied.insert(key)),
                What::MayBeGone => drop(round.may_be_gone.insert(key)),
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

fn check_mailbox(round: &Round, key: Key, state: &State, now: u64) -> Result<(), String> {
    let State { messages, hidden, .. } = state;
    let deleted = Flags::DELETED.0.trailing_zeros() as usize;
    for message in messages {
        let id = (key, message.uid);
        let Some(birth) = round.births.get(&id) else {
            if round.may_have_come(message.content) {
                continue;
            }
            return Err(format!("UID {} of {key:?} came from nowhere: {message:?}", message.uid));
        };
        if let Some(why) = round.gone.get(&id) {
            return Err(format!("UID {} of {key:?} is there, but was {why}", message.uid));
        }
        if round.content(id).is_some_and(|content| content != message.content) {
            return Err(format!("{message:?} of {key:?} is not {:?}", round.content(id)));
        }
        for (begin, end, only, effect) in round.expunges.get(&key).into_iter().flatten() {
            let meant = *effect == Effect::Whole
                && only.as_ref().is_none_or(|only| only.contains(&message.uid))
                && birth.end < *begin;
            if meant && round.possible(id, deleted, *begin, *end) == SET {
                return Err(format!("UID {} of {key:?} survived the EXPUNGE at {begin}", message.uid));
            }
        }
        for bit in (0..BITS).filter(|bit| hidden.0 & (1 << bit) == 0) {
            let is = if message.flags.0 & (1 << bit) == 0 { NOT } else { SET };
            if round.possible(id, bit, now, now) & is == 0 {
                let stores = round.stores.get(&id);
                let name = NAMES.get(bit).unwrap_or(&"another's \\Seen");
                return Err(format!(
                    "{name} ({bit}) of UID {} of {key:?} is wrong: {message:?}; {stores:?}",
                    message.uid
                ));
            }
        }
    }
    for ((_, uid), _) in round.births.iter().filter(|((of, _), _)| *of == key) {
        let is_there = messages.binary_search_by_key(uid, |message| message.uid).is_ok();
        let moved = round.gone.get(&(key, *uid)) == Some(&"moved") || round.may_be_gone.contains(&key);
        if is_there || moved {
            continue;
        }
        let expunged = round.expunges.get(&key).into_iter().flatten().any(|(begin, end, only, _)| {
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

    fn seen(uid: u32, flags: u32) -> Seen {
        Seen { uid, flags: Flags(flags), modseq: 1, content: CONTENT }
    }

    fn outcome(ops: &[(u64, u64, What)], messages: Vec<Seen>) -> Result<(), String> {
        outcome_of(Effect::Whole, ops, messages)
    }

    fn outcome_of(effect: Effect, ops: &[(u64, u64, What)], messages: Vec<Seen>) -> Result<(), String> {
        let state = |uid_next, messages| State { uid_next, messages, hidden: Flags::default() };
        let mailboxes = HashMap::from([(KEY, state(3, vec![seen(1, 0), seen(2, 8)]))]);
        let mut ledger = Ledger { mailboxes, uid_next: HashMap::from([(KEY, 3)]), checked: 0 };
        let op = |(begin, end, what)| Op { begin, end, key: KEY, what, effect };
        let ops = ops.iter().cloned().map(op).collect();
        ledger.settle(ops, 100, HashMap::from([(KEY, state(10, messages))]))
    }

    fn store(mode: Mode, flags: u32) -> What {
        What::Store { uids: vec![1], mode, flags: Flags(flags), seen: 0 }
    }

    #[test]
    fn what_need_not_have_happened_may_have() {
        let stored = || vec![(2, 3, store(Mode::Add, 4))];
        assert_eq!(outcome_of(Effect::Partial, &stored(), vec![seen(1, 4), seen(2, 8)]), Ok(()));
        assert_eq!(outcome_of(Effect::Partial, &stored(), vec![seen(1, 0), seen(2, 8)]), Ok(()));
        assert!(outcome_of(Effect::Partial, &stored(), vec![seen(1, 16), seen(2, 8)]).is_err());
        let expunged = || vec![(2, 3, What::Expunge { only: None })];
        assert_eq!(outcome_of(Effect::Partial, &expunged(), vec![seen(1, 0)]), Ok(()));
        assert_eq!(outcome_of(Effect::Partial, &expunged(), vec![seen(1, 0), seen(2, 8)]), Ok(()));
        let appended = |id| vec![(2, 3, What::Unanswered { content: Content { id, size: 10 } })];
        let there = || vec![seen(1, 0), seen(2, 8), seen(3, 0)];
        assert_eq!(outcome(&appended(1), there()), Ok(()));
        assert!(outcome(&appended(2), there()).is_err());
        assert_eq!(outcome(&[(2, 3, What::CopiesUnanswered)], there()), Ok(()));
        assert!(outcome(&[(2, 3, What::CopiesUnanswered)], vec![seen(1, 0)]).is_err());
        assert_eq!(outcome(&[(2, 3, What::MayBeGone)], vec![seen(1, 0)]), Ok(()));
    }

    #[test]
    fn everybody_has_a_seen_of_his_own() {
        let other = |flags| What::Store { uids: vec![1], mode: Mode::Replace, flags: Flags(flags), seen: 11 };
        let both = |flags| vec![(2, 3, store(Mode::Replace, 1)), (4, 5, other(flags))];
        assert_eq!(outcome(&both(1 << 11), vec![seen(1, 1 | 1 << 11), seen(2, 8)]), Ok(()));
        assert_eq!(outcome(&both(0), vec![seen(1, 1), seen(2, 8)]), Ok(()));
        assert!(outcome(&both(0), vec![seen(1, 0), seen(2, 8)]).is_err());
        let copy = (6, 7, What::Copy { uid: 3, from: KEY, source: 1, seen: (11, 0) });
        let ops: Vec<_> = both(1 << 11).into_iter().chain([copy]).collect();
        assert_eq!(outcome(&ops, vec![seen(1, 1 | 1 << 11), seen(2, 8), seen(3, 1)]), Ok(()));
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
        let copy = |uid| (2, 3, What::Copy { uid, from: KEY, source: 2, seen: (0, 0) });
        assert_eq!(outcome(&[copy(3)], vec![seen(1, 0), seen(2, 8), seen(3, 8)]), Ok(()));
        assert!(outcome(&[copy(3)], vec![seen(1, 0), seen(2, 8), seen(3, 0)]).is_err(), "flags are copied");
        assert!(outcome(&[copy(2)], vec![seen(1, 0), seen(2, 8)]).is_err(), "that UID was taken");
        let gone = || (2, 3, What::Gone { uid: 1 });
        assert!(outcome(&[gone(), gone()], vec![seen(2, 8)]).is_err(), "moved twice");
        let told = || (2, 3, What::Told { uid: 2 });
        assert!(outcome(&[told()], vec![seen(1, 0), seen(2, 8)]).is_err());
    }
}
