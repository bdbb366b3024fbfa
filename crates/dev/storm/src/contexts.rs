//! Results that the server keeps up to date (CONTEXT=SEARCH, CONTEXT=SORT; RFC 5267 §4.3): in quiet moments each must be
//! what the same search finds anew.

use crate::client::Client;
use crate::command::{By, Command, Kind};
use crate::session::{Selected, Session, Trouble};
use crate::wire::{Value, numbers};

/// Keys that can be asked for again and again.
const KEYS: [&str; 11] = [
    "ALL",
    "BEFORE 1-Jan-2012",
    "UNSEEN SAVEDSINCE 1-Jan-2026",
    "UNSEEN",
    "DELETED",
    "OR FLAGGED KEYWORD k1",
    "NOT ANSWERED UNKEYWORD k3",
    "KEYWORD k1 NOT KEYWORD k2",
    "BODY thunder",
    "LARGER 300 UNDELETED",
    "OR (SEEN BODY calm) (UNSEEN SUBJECT 7)",
];

/// Orders (RFC 5256).
const ORDERS: [&str; 5] = ["REVERSE SIZE", "SUBJECT", "REVERSE SUBJECT", "ARRIVAL", "REVERSE DATE SIZE"];

/// One result.
#[derive(Clone, Debug)]
pub struct Context {
    by: By,
    keys: &'static str,
    order: Option<&'static str>,
    /// The result as it was told.
    found: Vec<u32>,
}

impl Context {
    fn text(&self, returns: &str) -> String {
        let Context { by, keys, order, .. } = self;
        match order {
            Some(order) => format!("{}SORT {returns} ({order}) UTF-8 {keys}", by.prefix()),
            None => format!("{}SEARCH {returns} {keys}", by.prefix()),
        }
    }

    /// ADDTO or REMOVEFROM: pairs of a position and a set (RFC 5267 §4.3.3, §4.3.4).
    fn update(&mut self, adds: bool, pairs: &[Value]) -> Result<(), String> {
        for pair in pairs.chunks(2) {
            let position = pair[0].number().ok_or_else(|| format!("a position in {pairs:?}"))? as usize;
            let set = pair.get(1).and_then(Value::text).and_then(numbers);
            let set = set.ok_or_else(|| format!("a set in {pairs:?}"))?;
            if position == 0 && self.order.is_some() {
                return Err("position 0 in a sorted result".to_owned());
            }
            for (at, message) in set.into_iter().enumerate() {
                if adds { self.add(position, at, message)? } else { self.remove(position, message)? }
            }
        }
        Ok(())
    }

    fn add(&mut self, position: usize, nth: usize, message: u32) -> Result<(), String> {
        if self.found.contains(&message) {
            return Err(format!("ADDTO of {message}, which is in {:?}", self.found));
        }
        let at = match position.checked_sub(1) {
            Some(at) => at + nth,
            None => self.found.partition_point(|other| *other < message),
        };
        if at > self.found.len() {
            return Err(format!("ADDTO at {position}: there are {}", self.found.len()));
        }
        self.found.insert(at, message);
        Ok(())
    }

    fn remove(&mut self, position: usize, message: u32) -> Result<(), String> {
        let at = match position.checked_sub(1) {
            Some(at) => Some(at).filter(|at| self.found.get(*at) == Some(&message)),
            None => self.found.iter().position(|other| *other == message),
        };
        let at = at.ok_or_else(|| format!("REMOVEFROM ({position} {message}) of {:?}", self.found))?;
        self.found.remove(at);
        Ok(())
    }

    /// A message number is used no more; it must not be in the result any longer (RFC 5267 §4.3.4).
    fn renumber(&mut self, number: u32) -> Result<(), String> {
        if self.by == By::Uid {
            return Ok(());
        }
        if self.found.contains(&number) {
            return Err(format!("{number} EXPUNGE, and it is still in a result"));
        }
        self.found.iter_mut().filter(|found| **found > number).for_each(|found| *found -= 1);
        Ok(())
    }
}

impl Selected {
    /// `* n EXPUNGE`
    ///
    /// # Errors
    /// A result has it still.
    pub fn renumber(&mut self, number: usize) -> Result<(), String> {
        self.contexts.values_mut().try_for_each(|context| context.renumber(number as u32))
    }
}

impl Session {
    /// An ESEARCH response with a tag and what stands behind it; whether it was one of these results.
    ///
    /// # Errors
    /// It contradicts what was told before.
    pub fn context(&mut self, tag: &str, values: &[Value]) -> Result<bool, Trouble> {
        let context = self.selected.as_mut().and_then(|selected| selected.contexts.get_mut(tag));
        let changes =
            |value: &Value| matches!(value.text(), Some(word) if word == "ADDTO" || word == "REMOVEFROM");
        let Some(context) = context else {
            // What is on its way while the mailbox is left.
            let is_update = values.iter().any(changes);
            return match is_update && self.opening.is_none() {
                true => Err(format!("an update for {tag}, which is not kept up to date").into()),
                false => Ok(is_update),
            };
        };
        let mut rest = values.iter().peekable();
        let by_uid = rest.next_if(|value| value.text() == Some("UID")).is_some();
        if by_uid != (context.by == By::Uid) {
            return Err(format!("UIDs and numbers are confused in {values:?}").into());
        }
        while let (Some(name), Some(value)) = (rest.next(), rest.next()) {
            match (name.text(), value.list()) {
                (Some("ALL"), _) => {
                    context.found = value.text().and_then(numbers).ok_or("ALL without numbers".to_owned())?;
                }
                (Some(word @ ("ADDTO" | "REMOVEFROM")), Some(pairs)) => {
                    context.update(word == "ADDTO", pairs)?;
                }
                _ => return Err(format!("not an update: {values:?}").into()),
            }
        }
        Ok(true)
    }
}

impl Client {
    /// A search that is to be kept up to date, or the end of one.
    pub fn follow(&mut self) -> Option<Command> {
        let tags: Vec<String> = self.session.selected.as_ref()?.contexts.keys().cloned().collect();
        if tags.len() > 3 && self.random.chance(50) {
            let tag = self.random.pick(&tags).clone();
            return Some(Command::new(format!("CANCELUPDATE \"{tag}\""), Kind::Cancel(tag)));
        }
        // With VANISHED numbers change in places that are not known.
        let enabled = self.session.enabled;
        let numbered = !enabled.uid_only() && !enabled.qresync() && self.random.chance(40);
        let order = if self.random.chance(50) { Some(*self.random.pick(&ORDERS)) } else { None };
        let context = Context {
            by: if numbered { By::Number } else { By::Uid },
            keys: KEYS[self.random.below(KEYS.len())],
            order,
            found: Vec::new(),
        };
        let text = context.text("RETURN (UPDATE ALL)");
        let kind = Kind::Context { tag: self.session.upcoming_tag(), context };
        Some(if numbered { Command::steady(text, kind) } else { Command::new(text, kind) })
    }

    /// Searches anew for each result.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_contexts(&mut self) -> Result<(), Trouble> {
        let Some(selected) = &self.session.selected else { return Ok(()) };
        let mut tags: Vec<String> = selected.contexts.keys().cloned().collect();
        tags.sort();
        for tag in tags {
            let Some(selected) = &self.session.selected else { return Ok(()) };
            let command = selected.contexts[&tag].text("RETURN (ALL)");
            self.session.heard.found = None;
            self.session.must(&command)?;
            let fresh = self.session.heard.found.take().unwrap_or_default();
            let Some(selected) = &self.session.selected else { return Ok(()) };
            let kept = &selected.contexts[&tag].found;
            if *kept != fresh {
                return Err(format!("the result {tag} is {kept:?}; {command} finds {fresh:?}").into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(order: Option<&'static str>, found: &[u32]) -> Context {
        Context { by: By::Number, keys: "ALL", order, found: found.to_vec() }
    }

    fn atoms(words: &[&str]) -> Vec<Value> {
        words.iter().map(|word| Value::Atom((*word).to_owned())).collect()
    }

    #[test]
    fn updates_as_in_rfc_5267_4_3_3() {
        for (times, pairs) in [(1, &["1", "2733", "1", "2732", "1", "2731"][..]), (1, &["1", "2731:2733"])] {
            let mut sorted = context(Some("ARRIVAL"), &[2734, 2735]);
            for _ in 0..times {
                sorted.update(true, &atoms(pairs)).unwrap();
            }
            assert_eq!(sorted.found, [2731, 2732, 2733, 2734, 2735]);
        }
        let mut found = context(None, &[4, 8]);
        found.update(true, &atoms(&["0", "2,6,9"])).unwrap();
        assert_eq!(found.found, [2, 4, 6, 8, 9]);
        assert!(found.update(true, &atoms(&["0", "6"])).is_err(), "it is there");
        assert!(found.update(false, &atoms(&["2", "6"])).is_err(), "it is elsewhere");
        assert!(found.renumber(4).is_err());
        found.update(false, &atoms(&["2", "4,6"])).unwrap();
        found.renumber(4).unwrap();
        assert_eq!(found.found, [2, 7, 8]);
    }
}
