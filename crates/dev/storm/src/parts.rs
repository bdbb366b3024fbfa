//! Parts of results and of mailboxes in quiet moments: PARTIAL of SEARCH, SORT and UID FETCH is a piece of the whole
//! (RFC 9394), and UIDBATCHES are ranges with as many messages as asked for, each message in one of them (RFC 10022).

use crate::client::Client;
use crate::flags::Flags;
use crate::orders::sorted;
use crate::random::Random;
use crate::session::{Heard, Trouble};
use crate::shared::Truth;
use std::fmt;

/// Fewest messages of a batch that may be asked for (RFC 10022 §3.1.3.2).
const BATCH_MIN: u32 = 500;

/// Positions in a result, from 1 on; from its end, if they are negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Part {
    from_end: bool,
    one: usize,
    other: usize,
}

impl Part {
    /// One of a result with so many messages, or beyond it.
    fn random(random: &mut Random, count: usize) -> Part {
        let mut position = || 1 + random.below(count + 2);
        let (one, other) = (position(), position());
        Part { from_end: random.chance(50), one, other }
    }

    /// What is there of it; none of it may be.
    fn of(self, all: &[u32]) -> Vec<u32> {
        let (first, last) = (self.one.min(self.other), self.one.max(self.other));
        let (begin, end) = match self.from_end {
            false => (first - 1, last),
            true => (all.len().saturating_sub(last), (all.len() + 1).saturating_sub(first)),
        };
        all.get(begin..end.min(all.len())).unwrap_or_default().to_vec()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.from_end { "-" } else { "" };
        write!(f, "{sign}{}:{sign}{}", self.one, self.other)
    }
}

/// What `$` means after a search with SAVE and PARTIAL (RFC 9394 §3.2, table 1).
fn kept(returns: &str, part: &[u32], all: &[u32]) -> Vec<u32> {
    if returns.contains("COUNT") {
        return all.to_vec();
    }
    let end = |name: &str, uid: Option<&u32>| uid.copied().filter(|_| returns.contains(name));
    let ends = [end("MIN", all.first()), end("MAX", all.last())];
    let mut kept: Vec<u32> = part.iter().copied().chain(ends.into_iter().flatten()).collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

impl Client {
    /// Asks for parts of the selected mailbox.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_parts(&mut self, truth: &Truth) -> Result<(), Trouble> {
        let uids: Vec<u32> = truth.messages.iter().map(|seen| seen.uid).collect();
        let unseen = truth.messages.iter().filter(|seen| !seen.flags.has(Flags::SEEN));
        let unseen: Vec<u32> = unseen.map(|seen| seen.uid).collect();
        for (keys, all) in [("ALL", &uids), ("UNSEEN", &unseen)] {
            self.check_partial_search(keys, all)?;
        }
        let order = "SUBJECT REVERSE SIZE";
        let part = Part::random(&mut self.random, uids.len());
        let command = format!("UID SORT RETURN (PARTIAL {part}) ({order}) UTF-8 ALL");
        let due = part.of(&sorted(truth, order));
        is_part(&command, self.session.ask(&command)?, part, &due)?;
        self.check_partial_fetch(truth, &uids)?;
        self.check_batches(&uids)
    }

    fn check_partial_search(&mut self, keys: &str, all: &[u32]) -> Result<(), Trouble> {
        let part = Part::random(&mut self.random, all.len());
        let returns = *self.random.pick(&["", " MIN", " MAX", " MIN MAX", " COUNT", " MIN COUNT"]);
        let save = *self.random.pick(&["", " SAVE"]);
        let command = format!("UID SEARCH RETURN (PARTIAL {part}{returns}{save}) {keys}");
        let due = part.of(all);
        let heard = self.session.ask(&command)?;
        is_part(&command, heard, part, &due)?;
        let count = all.len() as u64;
        let ends = |uid: Option<&u32>| uid.copied().map(u64::from);
        for (name, figure) in [("MIN", ends(all.first())), ("MAX", ends(all.last())), ("COUNT", Some(count))]
        {
            let figure = figure.filter(|_| returns.contains(name));
            if heard.figures.get(name).copied() != figure {
                return Err(format!("{command} has {:?} of {all:?}", heard.figures).into());
            }
        }
        if save.is_empty() {
            return Ok(());
        }
        let due = kept(returns, &due, all);
        let found = self.session.ask("UID SEARCH UID $")?.found.take().unwrap_or_default();
        match found == due {
            true => Ok(()),
            false => Err(format!("{command} keeps {found:?} as $, not {due:?}").into()),
        }
    }

    /// RFC 9394 §3.3
    fn check_partial_fetch(&mut self, truth: &Truth, uids: &[u32]) -> Result<(), Trouble> {
        let mut uid = || 1 + self.random.below(truth.uid_next as usize + 2) as u32;
        let (one, other) = (uid(), uid());
        let named = |uid: &&u32| (one.min(other)..=one.max(other)).contains(*uid);
        let named: Vec<u32> = uids.iter().filter(named).copied().collect();
        let part = Part::random(&mut self.random, named.len());
        let command = format!("UID FETCH {one}:{other} (UID FLAGS) (PARTIAL {part})");
        let heard = self.session.ask(&command)?;
        let mut fetched: Vec<u32> = heard.flags.iter().copied().collect();
        fetched.sort_unstable();
        let due = part.of(&named);
        match fetched == due {
            true => Ok(()),
            false => Err(format!("{command} has {fetched:?}, not {due:?}").into()),
        }
    }

    fn check_batches(&mut self, uids: &[u32]) -> Result<(), Trouble> {
        let size = BATCH_MIN + self.random.below(100) as u32;
        let first = 1 + self.random.below(3) as u32;
        let wanted = self.random.chance(50).then(|| (first, first + self.random.below(3) as u32));
        let range = wanted.map_or(String::new(), |(first, last)| format!(" {first}:{last}"));
        let Some(selected) = &mut self.session.selected else { return Ok(()) };
        let before = selected.batched.replace((size, wanted));
        let command = format!("UIDBATCHES {size}{range}");
        let told = match self.session.ask(&command) {
            // RFC 10022 §3.1.1: not twice without need.
            Err(Trouble::Wrong(why)) if why.starts_with("NO [LIMIT") && before == Some((size, wanted)) => {
                return Ok(());
            }
            heard => heard?.batches.take(),
        };
        let told = told.ok_or_else(|| format!("{command} without an answer"))?;
        Ok(batches_hold(&told, uids, size, wanted).map_err(|why| format!("{command} has {told:?}: {why}"))?)
    }
}

/// Whether a PARTIAL came, with these messages.
fn is_part(command: &str, heard: &mut Heard, part: Part, due: &[u32]) -> Result<(), String> {
    match heard.partial.take() {
        Some((range, found)) if range == part.to_string() && found == due => Ok(()),
        other => Err(format!("{command} has {other:?}, not {due:?}")),
    }
}

/// Ranges, first UID behind last, hold the messages in batches from the newest on (RFC 10022 §3.1); nothing came or went.
fn batches_hold(
    told: &[(u32, u32)],
    uids: &[u32],
    size: u32,
    wanted: Option<(u32, u32)>,
) -> Result<(), String> {
    let (first, last) = wanted.unwrap_or((1, u32::MAX));
    let newest_first: Vec<u32> = uids.iter().rev().copied().collect();
    let batches = newest_first.chunks(size as usize);
    let due: Vec<&[u32]> =
        batches.zip(1..=last).filter(|(_, at)| *at >= first).map(|(uids, _)| uids).collect();
    if told.len() != due.len() {
        return Err(format!("{} ranges for {} batches", told.len(), due.len()));
    }
    if !told.iter().all(|(high, low)| high >= low) || !told.is_sorted_by(|above, below| above.1 > below.0) {
        return Err("they are not in order".to_owned());
    }
    for ((high, low), due) in told.iter().zip(due) {
        let within = |uid: &&u32| (*low..=*high).contains(*uid);
        if !newest_first.iter().filter(within).eq(due) {
            return Err(format!("{high}:{low} does not hold {due:?}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_as_in_rfc_9394() {
        let all: Vec<u32> = (1..=24).map(|uid| uid * 10).collect();
        let part = |from_end, one, other| Part { from_end, one, other };
        for (part, text, due) in [
            (part(true, 1, 3), "-1:-3", &[220, 230, 240][..]),
            (part(false, 23, 30), "23:30", &[230, 240]),
            (part(false, 2, 1), "2:1", &[10, 20]),
            (part(false, 25, 26), "25:26", &[]),
            (part(true, 25, 30), "-25:-30", &[]),
            (part(true, 30, 23), "-30:-23", &[10, 20]),
        ] {
            assert_eq!((part.to_string().as_str(), &part.of(&all)[..]), (text, due));
            assert!(part.of(&[]).is_empty());
        }
        assert_eq!(kept("", &[20], &all), [20]);
        assert_eq!(kept(" MIN MAX", &[20, 240], &all), [10, 20, 240]);
        assert_eq!(kept(" MIN COUNT", &[20], &all), all);
    }

    #[test]
    fn batches_as_in_rfc_10022() {
        let uids = [2, 3, 5, 8, 13];
        let hold = |told: &[(u32, u32)], wanted| batches_hold(told, &uids, 2, wanted);
        assert_eq!(hold(&[(13, 6), (5, 3), (2, 1)], None), Ok(()));
        assert_eq!(hold(&[(7, 3), (2, 2)], Some((2, 9))), Ok(()));
        assert_eq!(hold(&[], Some((4, 5))), Ok(()));
        assert!(hold(&[(13, 6), (5, 3)], None).is_err(), "one is missing");
        assert!(hold(&[(13, 5), (5, 3), (2, 1)], None).is_err(), "one is in two");
        assert!(hold(&[(13, 5), (4, 3), (2, 1)], None).is_err(), "too large");
        assert!(hold(&[(2, 1), (5, 3), (13, 6)], None).is_err(), "the other way");
        assert_eq!(batches_hold(&[], &[], 2, None), Ok(()));
    }
}
