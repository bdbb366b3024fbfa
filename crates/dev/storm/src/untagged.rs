//! What untagged responses do to the replica, and which of them may not come (RFC 9051 §7.5, RFC 7162 §3.2.10, RFC 9586).

use crate::flags::Flags;
use crate::ledger::{Effect, Op, What};
use crate::orders::one_of_many;
use crate::replica::Fetched;
use crate::session::{Opening, Rule, Session, Trouble};
use crate::shared::lock;
use crate::wire::{Response, Value, numbers};

impl Session {
    /// Takes one response that is not tagged.
    ///
    /// # Errors
    /// It may not come, or contradicts what is known.
    pub fn take(&mut self, response: Response, rule: Rule) -> Result<(), Trouble> {
        match response {
            Response::Continue => Err("a continuation that nobody waits for".to_owned().into()),
            Response::Status { kind, code, .. } => self.status(&kind, code),
            Response::Data(values) => self.data(&values, rule),
        }
    }

    fn status(&mut self, kind: &str, code: String) -> Result<(), Trouble> {
        match kind {
            "BYE" if !self.may_lose_mailbox() && !self.shared.was_ended() => {
                return Err("BYE, for no reason".to_owned().into());
            }
            "BYE" => self.said_bye = true,
            "BAD" => return Err("untagged BAD".to_owned().into()),
            // RFC 5465 §5.8: nothing more will be told.
            _ if code == "NOTIFICATIONOVERFLOW" => self.watching = None,
            _ => {}
        }
        let (name, value) = code.split_once(' ').unwrap_or((&code, ""));
        let number = || value.parse::<u64>().map_err(|_| format!("the code {code}"));
        if let Some(opening) = &mut self.opening {
            match name {
                // RFC 7162 §3.2.11: what comes behind it is about the new mailbox.
                "CLOSED" => {
                    *opening = Opening { owner: opening.owner, seen: opening.seen, ..Opening::default() };
                }
                "UIDVALIDITY" => opening.uid_validity = number()? as u32,
                "UIDNEXT" => opening.uid_next = number()?,
                "HIGHESTMODSEQ" => opening.highest = number()?,
                "MAILBOXID" => opening.id = value.trim_matches(['(', ')']).to_owned(),
                _ => {}
            }
        }
        if name == "CLOSED" && self.opening.is_none() {
            self.selected = None;
        }
        self.heard.codes.push(code);
        Ok(())
    }

    fn data(&mut self, values: &[Value], rule: Rule) -> Result<(), Trouble> {
        let text = |at: usize| values.get(at).and_then(Value::text).unwrap_or_default();
        let first = values.first().and_then(Value::number);
        match (first, text(if first.is_some() { 1 } else { 0 })) {
            (Some(count), "EXISTS") => self.exists(count as usize)?,
            (Some(number), "EXPUNGE") => self.expunge(number as usize, rule)?,
            (Some(number), name @ ("FETCH" | "UIDFETCH")) => {
                let items = values.get(2).and_then(Value::list).ok_or("FETCH without a list".to_owned())?;
                self.fetch(number as usize, name == "UIDFETCH", items)?;
            }
            (Some(_), "RECENT") if self.enabled.rev2() => {
                return Err("RECENT in IMAP4rev2".to_owned().into());
            }
            (None, "VANISHED") => self.vanished(values, rule)?,
            (None, "SEARCH") => {
                if self.enabled.rev2() {
                    return Err("SEARCH in IMAP4rev2".to_owned().into());
                }
                self.heard.found =
                    Some(values[1..].iter().filter_map(|v| v.number().map(|n| n as u32)).collect());
            }
            (None, "SORT") => {
                self.heard.found =
                    Some(values[1..].iter().filter_map(|v| v.number().map(|n| n as u32)).collect());
            }
            (None, "THREAD") => self.heard.threads = values[1..].to_vec(),
            (None, "ESEARCH") => self.esearch(&values[1..])?,
            (None, "UIDBATCHES") => {
                let ranges = text(2).split(',').filter(|range| !range.is_empty());
                let pair = |range: &str| {
                    let (high, low) = range.split_once(':')?;
                    Some((high.parse().ok()?, low.parse().ok()?))
                };
                let ranges = ranges.map(pair).collect::<Option<Vec<(u32, u32)>>>();
                self.heard.batches = Some(ranges.ok_or(format!("UIDBATCHES {}", text(2)))?);
            }
            (None, "STATUS") => {
                let items = values.get(2).and_then(Value::list).ok_or("STATUS without a list".to_owned())?;
                let pairs = items
                    .chunks(2)
                    .filter_map(|pair| Some((pair[0].text()?.to_owned(), pair.get(1)?.clone())));
                let pairs: Vec<_> = pairs.collect();
                self.watched(text(1), &pairs);
                self.heard.status.push((text(1).to_owned(), pairs));
            }
            (None, "LIST") => {
                let extended = values.get(4).and_then(Value::list).unwrap_or_default();
                let old = extended.chunks(2).find(|pair| pair[0].text() == Some("OLDNAME"));
                let old = old.and_then(|pair| pair.get(1)?.list()?.first()?.text());
                self.listed(values.get(1).and_then(Value::list).unwrap_or_default(), text(3), old);
            }
            (None, "METADATA") => {
                // With values it is an answer, without them it is news (RFC 5464 §4.4).
                let names = values.get(2..).unwrap_or_default().iter().filter_map(Value::text);
                self.noticed(text(1), names.map(str::to_owned));
            }
            (Some(_), "RECENT")
            | (None, "FLAGS" | "CAPABILITY" | "ENABLED" | "LSUB" | "ACL" | "MYRIGHTS") => {}
            _ => return Err(format!("a response that is not known: {values:?}").into()),
        }
        Ok(())
    }

    fn exists(&mut self, count: usize) -> Result<(), Trouble> {
        if let Some(opening) = &mut self.opening {
            opening.exists = count;
            return Ok(());
        }
        let selected = self.selected.as_mut().ok_or("EXISTS, and nothing is selected".to_owned())?;
        Ok(selected.replica.exists(count)?)
    }

    fn expunge(&mut self, number: usize, rule: Rule) -> Result<(), Trouble> {
        if rule == Rule::NumbersStand {
            return Err("EXPUNGE while numbers have to stand".to_owned().into());
        }
        if self.enabled.qresync() || self.enabled.uid_only() {
            return Err("EXPUNGE in place of VANISHED".to_owned().into());
        }
        let selected = self.selected.as_mut().ok_or("EXPUNGE, and nothing is selected".to_owned())?;
        selected.renumber(number)?;
        if let Some(uid) = selected.replica.expunge(number)? {
            self.told_gone(uid);
        }
        Ok(())
    }

    fn told_gone(&self, uid: u32) {
        let Some(key) = self.key() else { return };
        let end = self.shared.tick();
        lock(&self.shared.ops).push(Op {
            begin: self.begin,
            end,
            key,
            what: What::Told { uid },
            effect: Effect::Whole,
        });
    }

    fn vanished(&mut self, values: &[Value], rule: Rule) -> Result<(), Trouble> {
        let earlier = values.get(1).is_some_and(|value| value.list().is_some());
        let set = values
            .last()
            .and_then(Value::text)
            .and_then(numbers)
            .ok_or("VANISHED without UIDs".to_owned())?;
        if earlier {
            if let Some(opening) = &mut self.opening {
                opening.vanished.extend(set);
            }
            return Ok(());
        }
        if rule == Rule::NumbersStand {
            return Err("VANISHED while numbers have to stand".to_owned().into());
        }
        if !self.enabled.qresync() && !self.enabled.uid_only() {
            return Err("VANISHED, which was not enabled".to_owned().into());
        }
        for uid in set {
            let selected = self.selected.as_mut().ok_or("VANISHED, and nothing is selected".to_owned())?;
            selected.replica.vanished(uid)?;
            self.told_gone(uid);
        }
        Ok(())
    }

    fn esearch(&mut self, values: &[Value]) -> Result<(), Trouble> {
        let correlator = values.first().and_then(Value::list).unwrap_or_default();
        if let [name, tag] = correlator
            && name.text() == Some("TAG")
            && self.context(tag.text().unwrap_or_default(), &values[1..])?
        {
            return Ok(());
        }
        if let Some((name, result)) = one_of_many(values) {
            self.heard.many.insert(name, result);
            return Ok(());
        }
        let mut found = Vec::new();
        // Behind the tag.
        let mut rest = values.iter().skip(usize::from(!correlator.is_empty()));
        while let Some(name) = rest.next() {
            match name.text() {
                Some("UID") => {}
                Some("ALL") => {
                    let set = rest.next().and_then(Value::text).and_then(numbers);
                    found = set.ok_or("ESEARCH ALL without numbers".to_owned())?;
                }
                Some("PARTIAL") => {
                    let [range, set] = rest.next().and_then(Value::list).unwrap_or_default() else {
                        return Err("PARTIAL without a range and a set".to_owned().into());
                    };
                    let set = set.text().filter(|set| *set != "NIL").map_or(Some(Vec::new()), numbers);
                    let set = set.ok_or("PARTIAL without numbers".to_owned())?;
                    self.heard.partial = Some((range.text().unwrap_or_default().to_owned(), set));
                }
                Some(name) => {
                    let value = rest.next().and_then(Value::number).ok_or(format!("ESEARCH {name}"))?;
                    self.heard.figures.insert(name.to_owned(), value);
                }
                None => {}
            }
        }
        self.heard.found = Some(found);
        Ok(())
    }

    fn fetch(&mut self, number: usize, by_uid: bool, items: &[Value]) -> Result<(), Trouble> {
        if by_uid != self.enabled.uid_only() {
            return Err("FETCH and UIDFETCH are confused".to_owned().into());
        }
        let mut fetched = Fetched::default();
        let (mut size, mut id, mut body) = (None, None, None);
        self.heard.has_body = false;
        self.heard.dates = [None, None];
        for pair in items.chunks(2) {
            let [name, value] = pair else { return Err("FETCH with half an item".to_owned().into()) };
            match name.text().unwrap_or_default() {
                "UID" => fetched.uid = value.number().map(|uid| uid as u32),
                "FLAGS" => {
                    let names = value.list().ok_or("FLAGS without a list".to_owned())?;
                    fetched.flags = Some(Flags::parse(names.iter().filter_map(Value::text))?);
                }
                "MODSEQ" => {
                    if !self.enabled.condstore() {
                        return Err("MODSEQ, which was not enabled".to_owned().into());
                    }
                    fetched.modseq = value.list().and_then(|list| list.first()?.number());
                }
                "RFC822.SIZE" => size = value.number(),
                "INTERNALDATE" => self.heard.dates[0] = value.text().map(str::to_owned),
                "SAVEDATE" => self.heard.dates[1] = value.text().map(str::to_owned),
                "ENVELOPE" => id = value.list().and_then(|list| subject_id(list.get(1)?.text()?)),
                name if name.starts_with("BODY[") => {
                    let Value::Text(bytes) = value else {
                        return Err("a section that is no text".to_owned().into());
                    };
                    // A part of it may begin or end within a character.
                    let text = String::from_utf8_lossy(bytes);
                    self.heard.has_body = true;
                    if name == "BODY[]" {
                        body = Some(bytes.len() as u64);
                    }
                    if name == "BODY[]" || name.contains("SUBJECT") {
                        id = text.split("Subject: ").nth(1).and_then(subject_id);
                        if id.is_none() {
                            return Err(format!("no subject in {name}").into());
                        }
                    }
                }
                _ => {}
            }
        }
        self.apply(number, by_uid, fetched, id, size, body)
    }

    fn apply(
        &mut self,
        number: usize,
        by_uid: bool,
        fetched: Fetched,
        id: Option<u64>,
        size: Option<u64>,
        body: Option<u64>,
    ) -> Result<(), Trouble> {
        let clock = self.shared.tick();
        let uid = if let Some(opening) = &mut self.opening {
            let uid = if by_uid { Some(number as u32) } else { fetched.uid };
            opening.fetched.push((number, Fetched { uid, ..fetched.clone() }));
            uid
        } else {
            let selected = self.selected.as_mut().ok_or("FETCH, and nothing is selected".to_owned())?;
            selected.told = selected.told.max(fetched.modseq.unwrap_or(0));
            if by_uid {
                selected.replica.uid_fetched(number as u32, &fetched)?
            } else {
                selected.replica.fetched(number, &fetched)?
            }
        };
        let (key, seen) = match (&self.opening, &self.selected) {
            (Some(opening), _) => ((opening.owner, opening.uid_validity), opening.seen),
            (None, Some(selected)) => (selected.key(), selected.place.seen),
            (None, None) => return Ok(()),
        };
        let Some(uid) = uid.filter(|_| key.1 != 0) else { return Ok(()) };
        let mut facts = lock(&self.shared.facts);
        facts.content(key, uid, id, size.or(body))?;
        facts.dates(key, uid, std::mem::take(&mut self.heard.dates))?;
        if let (Some(flags), Some(modseq)) = (fetched.flags, fetched.modseq) {
            facts.flags(key, uid, (modseq, seen), flags, clock)?;
        }
        drop(facts);
        if fetched.flags.is_some() {
            self.heard.flags.insert(uid);
        }
        if fetched.modseq.is_some() {
            self.heard.modseq.insert(uid);
        }
        if self.heard.has_body {
            self.heard.bodies.push(uid);
        }
        Ok(())
    }
}

/// The number in `storm 17`.
pub fn subject_id(subject: &str) -> Option<u64> {
    let rest = subject.strip_prefix("storm ")?;
    rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}
