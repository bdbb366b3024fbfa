//! What the tagged answer to each command must agree with.

use crate::client::Client;
use crate::command::{By, Kind, Store};
use crate::flags::{Flags, Mode};
use crate::ledger::{Content, Effect, Key, Op, What};
use crate::place::{Hold, Place};
use crate::session::{Saved, Selected, Trouble};
use crate::settings::{Setting, Slot};
use crate::shared::lock;
use crate::wire::{Value, numbers};
use std::collections::HashSet;
use std::sync::atomic::Ordering;

/// A tagged response.
pub struct Tagged {
    /// OK; else NO.
    pub ok: bool,
    /// Its response code.
    pub code: String,
    /// The clock before the command and after the answer.
    pub when: (u64, u64),
}

impl Tagged {
    fn words(&self) -> Vec<&str> {
        self.code.split(' ').collect()
    }

    fn op(&self, key: Key, what: What, effect: Effect) -> Op {
        Op { begin: self.when.0, end: self.when.1, key, what, effect }
    }

    /// The code must be one of these.
    fn refused_with(&self, codes: &[&str]) -> Result<(), Trouble> {
        let first = self.words()[0];
        if codes.contains(&first) {
            Ok(())
        } else {
            Err(format!("NO [{}] is not what was due", self.code).into())
        }
    }
}

impl Client {
    /// Takes a command's answer.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn answered(&mut self, kind: Kind, tagged: &Tagged) -> Result<(), Trouble> {
        if !tagged.ok && self.may_lack_rights(&kind) && matches!(tagged.words()[0], "NOPERM" | "NONEXISTENT")
        {
            self.session.opening = None;
            return Ok(());
        }
        if let Some(name) = kind.files_into() {
            self.session.unwatch(name);
        }
        let selected = self.session.selected.as_ref().map(|selected| (selected.key(), selected.effect()));
        let mut ops = Vec::new();
        match (kind, tagged.ok) {
            (Kind::Noop, true) => {
                // Everything up to here was told.
                if let Some(selected) = &mut self.session.selected {
                    selected.safe = selected.safe.max(selected.told);
                }
            }
            (Kind::Fetch { sees, .. }, _) => ops.extend(self.fetched(sees, tagged)?),
            (Kind::Store(store), _) => ops.extend(self.stored(&store, tagged)?),
            (Kind::Search { by }, _) => self.searched(by, tagged)?,
            (Kind::Copy { moves, to, .. }, true) => ops = self.copied(moves, to, tagged)?,
            (Kind::Copy { moves: true, .. }, false) => {
                self.read_only_or(tagged, &["TRYCREATE", "NONEXISTENT", "EXPUNGEISSUED"])?;
            }
            (Kind::Copy { .. }, false) => {
                tagged.refused_with(&["TRYCREATE", "NONEXISTENT", "EXPUNGEISSUED"])?
            }
            (Kind::Append { messages, to, .. }, true) => {
                ops = self.arrived(to, &tagged.code, messages, tagged)?
            }
            (Kind::Append { .. }, false) => tagged.refused_with(&["TRYCREATE", "NONEXISTENT"])?,
            (Kind::Replace { uid, message, to, .. }, true) => {
                let code = self.session.heard.codes.iter().find(|code| code.starts_with("APPENDUID"));
                let code = code.cloned().unwrap_or_default();
                ops = self.arrived(to, &code, vec![message], tagged)?;
                ops.extend(selected.map(|(key, _)| tagged.op(key, What::Gone { uid }, Effect::Whole)));
                self.synchronised(tagged);
            }
            (Kind::Replace { .. }, false) => {
                self.read_only_or(tagged, &["TRYCREATE", "NONEXISTENT", "EXPUNGEISSUED"])?;
            }
            (Kind::Expunge { only }, true) => {
                ops.extend(selected.map(|(key, effect)| tagged.op(key, What::Expunge { only }, effect)));
                self.synchronised(tagged);
            }
            (Kind::Expunge { .. }, false) => self.read_only_or(tagged, &[])?,
            (Kind::Close, true) => {
                if self.session.selected.as_ref().is_some_and(|selected| selected.writable) {
                    let expunge = What::Expunge { only: None };
                    ops.extend(selected.map(|(key, effect)| tagged.op(key, expunge, effect)));
                }
                self.session.leave();
            }
            (Kind::Unselect, true) => self.session.leave(),
            (Kind::Select { name, writable, known, place }, _) => {
                self.opened(&name, place, writable, known, tagged)?;
            }
            (
                Kind::Create(_)
                | Kind::Delete(_)
                | Kind::Rename(..)
                | Kind::Status { .. }
                | Kind::Subscribe { .. }
                | Kind::SetMetadata { .. },
                false,
            ) => {
                self.unmanaged(tagged)?;
            }
            (kind @ (Kind::Subscribe { .. } | Kind::SetMetadata { .. }), true) => {
                self.set(&kind, tagged.when)
            }
            (Kind::Create(name), true) => self.created(name)?,
            (Kind::Delete(name), true) => self.deleted(&name),
            (Kind::Rename(from, to), true) => self.renamed(&from, to),
            (Kind::Status { name, place }, true) => self.status(&name, place, tagged)?,
            (Kind::Context { tag, .. }, ok) => self.follows(&tag, ok),
            (Kind::Cancel(tag), true) => self.follows(&tag, false),
            (Kind::Notify(wishes), true) => self.notified(wishes),
            (Kind::Other(_) | Kind::Idle, true) => {}
            // What this client has made may have gone, or have another name, by a command that was not answered.
            (Kind::Other("SETACL" | "DELETEACL"), false)
                if self.session.shared.uncertain.load(Ordering::SeqCst) =>
            {
                tagged.refused_with(&["NONEXISTENT"])?;
            }
            (kind, false) => {
                self.selected_is_gone(tagged)
                    .map_err(|_| format!("NO [{}] to {}", tagged.code, kind.name()))?;
            }
        }
        lock(&self.session.shared.ops).extend(ops);
        Ok(())
    }

    fn fetched(&mut self, sees: bool, tagged: &Tagged) -> Result<Option<Op>, Trouble> {
        if !tagged.ok {
            // RFC 2180 §4.1: some of them are gone, which must not be told yet.
            tagged.refused_with(&["EXPUNGEISSUED"]).or_else(|_| self.selected_is_gone(tagged))?;
        }
        let uids = std::mem::take(&mut self.session.heard.bodies);
        let Some(selected) = self.session.selected.as_ref().filter(|selected| sees && selected.writable)
        else {
            return Ok(None);
        };
        Ok(Some(self.reflagged(selected, uids, Mode::Add, Flags::SEEN, tagged)))
    }

    fn reflagged(
        &self,
        selected: &Selected,
        uids: Vec<u32>,
        mode: Mode,
        flags: Flags,
        tagged: &Tagged,
    ) -> Op {
        let (seen, flags) = (selected.place.seen, selected.place.flags(flags));
        tagged.op(selected.key(), What::Store { uids, mode, flags, seen }, selected.effect())
    }

    /// RFC 9051 §6.4.6, RFC 7162 §3.1.3
    fn stored(&mut self, store: &Store, tagged: &Tagged) -> Result<Option<Op>, Trouble> {
        let Some(selected) = &mut self.session.selected else {
            return Err("STORE, nowhere".to_owned().into());
        };
        if !selected.writable {
            return if tagged.ok { Err("STORE after EXAMINE".to_owned().into()) } else { Ok(None) };
        }
        let words = tagged.words();
        if !tagged.ok && words[0] == "NONEXISTENT" && selected.place.hold != Hold::Firm {
            return Ok(None);
        }
        if !tagged.ok && words[0] != "EXPUNGEISSUED" && words[0] != "MODIFIED" {
            return Err(format!("NO [{}] to STORE", tagged.code).into());
        }
        let mut modified = HashSet::new();
        if words[0] == "MODIFIED" {
            let named =
                words.get(1).and_then(|set| numbers(set)).ok_or(format!("the code {}", tagged.code))?;
            for number in named {
                let uid = match store.by {
                    By::Uid => Some(number),
                    By::Number => {
                        selected.replica.messages.get(number as usize - 1).and_then(|message| message.uid)
                    }
                };
                let uid = uid.filter(|uid| store.uids.contains(uid));
                modified.insert(uid.ok_or(format!("MODIFIED names {number}, which the STORE does not"))?);
            }
        }
        let key = selected.key();
        let heard = &self.session.heard;
        let mut done = Vec::new();
        for uid in store.uids.iter().copied().filter(|uid| !modified.contains(uid)) {
            done.push(uid);
            let before = lock(&self.session.shared.facts).modseq_before(key, uid, tagged.when.0);
            if store.unchanged_since.is_some_and(|since| before > since) && heard.modseq.contains(&uid) {
                return Err(
                    format!("UID {uid} had MODSEQ {before} before this STORE, which passed over it").into()
                );
            }
            let Some(message) = selected.replica.by_uid(uid) else { continue };
            if heard.flags.contains(&uid) {
                continue;
            }
            // What the client asked for, it assumes (RFC 9051 §6.4.6); the server tells where that is wrong.
            if store.silent && selected.place.hold == Hold::Shaky {
                // As far as rights allow, which the client can't know (RFC 4314 §4).
                message.flags = None;
            } else if store.silent
                && let Some(old) = message.flags
            {
                message.flags = Some(store.mode.apply(old, store.flags));
                message.flags_modseq = if heard.modseq.contains(&uid) { message.modseq } else { 0 };
            }
        }
        let Some(selected) = &self.session.selected else { return Ok(None) };
        Ok(Some(self.reflagged(selected, done, store.mode, store.flags, tagged)))
    }

    fn searched(&mut self, by: By, tagged: &Tagged) -> Result<(), Trouble> {
        if !tagged.ok {
            return self.selected_is_gone(tagged);
        }
        let Some(selected) = &self.session.selected else { return Ok(()) };
        let replica = &selected.replica;
        let heard = &self.session.heard;
        let found = heard.found.as_deref().unwrap_or_default();
        // News come behind the result; what left by them could be in it.
        let count = replica.messages.len();
        let is_odd = |number: &&u32| match by {
            By::Number => **number == 0 || **number as usize > count,
            By::Uid => **number == 0,
        };
        if let Some(odd) = found.iter().find(is_odd) {
            return Err(format!("SEARCH found {odd} of {count}").into());
        }
        if !found.is_sorted() {
            return Err("SEARCH is not in order".to_owned().into());
        }
        let (min, max) = (heard.figures.get("MIN"), heard.figures.get("MAX"));
        if heard.figures.get("COUNT") == Some(&0) && (min.is_some() || max.is_some()) || min > max {
            return Err(format!("ESEARCH {:?}", heard.figures).into());
        }
        Ok(())
    }

    /// RFC 4315 §3, RFC 6851 §4.3
    fn copied(&mut self, moves: bool, place: Place, tagged: &Tagged) -> Result<Vec<Op>, Trouble> {
        let told = self.session.heard.codes.iter().find(|code| code.starts_with("COPYUID"));
        let code = if moves { told.cloned().unwrap_or_default() } else { tagged.code.clone() };
        if moves {
            self.synchronised(tagged);
        }
        let words: Vec<&str> = code.split(' ').collect();
        let Some(selected) = &self.session.selected else {
            return Err("COPY, from nowhere".to_owned().into());
        };
        let from = selected.key();
        let ["COPYUID", uid_validity, sources, copies] = words[..] else {
            return Err("COPY without COPYUID".to_owned().into());
        };
        let wrong = || Trouble::Wrong(format!("the code {code}"));
        let to = (place.owner, uid_validity.parse().map_err(|_| wrong())?);
        let (sources, copies) = (numbers(sources).ok_or_else(wrong)?, numbers(copies).ok_or_else(wrong)?);
        if sources.len() != copies.len() {
            return Err(wrong());
        }
        let mut ops = Vec::new();
        for (source, uid) in sources.into_iter().zip(copies) {
            let seen = (selected.place.seen, place.seen);
            ops.push(tagged.op(to, What::Copy { uid, from, source, seen }, place.effect()));
            if moves {
                ops.push(tagged.op(from, What::Gone { uid: source }, Effect::Whole));
            }
        }
        Ok(ops)
    }

    /// New messages, whose UIDs APPENDUID tells.
    fn arrived(
        &self,
        place: Place,
        code: &str,
        messages: Vec<(Content, Flags)>,
        tagged: &Tagged,
    ) -> Result<Vec<Op>, Trouble> {
        let wrong = || Trouble::Wrong(format!("[{code}] in place of APPENDUID"));
        let words: Vec<&str> = code.split(' ').collect();
        let ["APPENDUID", uid_validity, uids] = words[..] else { return Err(wrong()) };
        let to = (place.owner, uid_validity.parse().map_err(|_| wrong())?);
        let uids = numbers(uids).ok_or_else(wrong)?;
        if uids.len() != messages.len() {
            return Err(format!("APPENDUID with {} for {}", uids.len(), messages.len()).into());
        }
        let mut ops = Vec::new();
        let mut facts = lock(&self.session.shared.facts);
        for (uid, (content, flags)) in uids.into_iter().zip(messages) {
            facts.content(to, uid, Some(content.id), Some(content.size))?;
            ops.push(tagged.op(to, What::Add { uid, content, flags: place.flags(flags) }, place.effect()));
        }
        Ok(ops)
    }

    /// Whether rights for it may have been taken a moment ago.
    fn may_lack_rights(&self, kind: &Kind) -> bool {
        let selected = self.session.selected.as_ref().map(|selected| selected.place);
        [selected, kind.place()].into_iter().flatten().any(|place| place.hold == Hold::Shaky)
    }

    /// Takes a command whose answer never came: it may have happened.
    pub fn unanswered(&mut self, kind: Kind, begin: u64) {
        let end = self.session.shared.tick();
        self.set(&kind, (begin, u64::MAX));
        let mut ops = Vec::new();
        let mut note = |key, what| ops.push(Op { begin, end, key, what, effect: Effect::Partial });
        let nowhere = (0, 0);
        if let Kind::Append { messages, .. } = &kind {
            for (content, _) in messages {
                note(nowhere, What::Unanswered { content: *content });
            }
        }
        if matches!(kind, Kind::Create(_) | Kind::Delete(_) | Kind::Rename(..)) {
            self.session.shared.uncertain.store(true, Ordering::SeqCst);
        }
        let Some(selected) = self.session.selected.as_ref() else {
            return lock(&self.session.shared.ops).extend(ops);
        };
        let (key, place) = (selected.key(), selected.place);
        match kind {
            Kind::Fetch { sees: true, .. } => {
                let (uids, flags) = (selected.replica.uids(), place.flags(Flags::SEEN));
                note(key, What::Store { uids, mode: Mode::Add, flags, seen: place.seen });
            }
            Kind::Store(store) => {
                let Store { uids, mode, flags, .. } = *store;
                note(key, What::Store { uids, mode, flags: place.flags(flags), seen: place.seen });
            }
            Kind::Copy { moves, .. } => {
                note(key, What::CopiesUnanswered);
                if moves {
                    note(key, What::MayBeGone);
                }
            }
            Kind::Replace { message: (content, _), .. } => {
                note(nowhere, What::Unanswered { content });
                note(key, What::MayBeGone);
            }
            Kind::Expunge { only } => note(key, What::Expunge { only }),
            Kind::Close => note(key, What::Expunge { only: None }),
            _ => {}
        }
        lock(&self.session.shared.ops).extend(ops);
    }

    /// RFC 7162 §3.2.10: the client may resynchronise from this HIGHESTMODSEQ.
    fn synchronised(&mut self, tagged: &Tagged) {
        if let (["HIGHESTMODSEQ", modseq], Some(selected)) = (&tagged.words()[..], &mut self.session.selected)
            && let Ok(modseq) = modseq.parse()
        {
            selected.safe = selected.safe.max(modseq);
        }
    }

    /// NO is right after EXAMINE, and otherwise with these codes.
    fn read_only_or(&self, tagged: &Tagged, codes: &[&str]) -> Result<(), Trouble> {
        match &self.session.selected {
            Some(selected) if !selected.writable => Ok(()),
            _ => tagged.refused_with(codes).or_else(|_| self.selected_is_gone(tagged)),
        }
    }

    /// NO is right when the selected mailbox may have been deleted by another client; BYE will follow.
    fn selected_is_gone(&self, tagged: &Tagged) -> Result<(), Trouble> {
        if self.session.may_lose_mailbox() {
            tagged.refused_with(&["NONEXISTENT"])
        } else {
            tagged.refused_with(&[])
        }
    }

    fn opened(
        &mut self,
        name: &str,
        place: Place,
        writable: bool,
        known: Option<Saved>,
        tagged: &Tagged,
    ) -> Result<(), Trouble> {
        if !tagged.ok {
            self.session.opening = None;
            // Only what somebody can delete can be missing.
            return if place.hold == Hold::Mortal && tagged.words()[0] == "NONEXISTENT" {
                Ok(())
            } else {
                Err(format!("NO [{}] to SELECT", tagged.code).into())
            };
        }
        let due = if writable { "READ-WRITE" } else { "READ-ONLY" };
        // RFC 4314 §5.2: without rights there is nothing to write.
        if tagged.code != due && (place.hold != Hold::Shaky || tagged.code != "READ-ONLY") {
            return Err(format!("[{}] in place of {due}", tagged.code).into());
        }
        self.session.opened(name, writable, known)
    }

    fn unmanaged(&self, tagged: &Tagged) -> Result<(), Trouble> {
        // A client's own mailboxes nobody else deletes; STATUS may be about somebody else's.
        tagged.refused_with(&["NONEXISTENT"])
    }

    /// Values were set, between these moments.
    fn set(&mut self, kind: &Kind, (begin, end): (u64, u64)) {
        let mut settings = Vec::new();
        let mut note = |slot: Slot, value| settings.push(Setting { begin, end, slot, value });
        match kind {
            Kind::SetMetadata { name, values, .. } => {
                for (slot, entry, value) in values {
                    note(slot.clone(), value.clone());
                    self.session.unwatch_entry(name, entry);
                }
                // HIGHESTMODSEQ rises with it (RFC 7162 §3.2).
                self.session.unwatch(name);
            }
            Kind::Subscribe { name, on, .. } => {
                let slot = Slot::Subscription { user: self.session.account, name: name.clone() };
                note(slot, on.then(String::new));
                self.session.unwatch_name(name);
            }
            _ => {}
        }
        lock(&self.session.shared.settings).extend(settings);
    }

    fn created(&mut self, name: String) -> Result<(), Trouble> {
        self.session.unwatch_name(&name);
        let id = self.session.must(&format!("STATUS {name} (MAILBOXID)")).and_then(|_| {
            let status = self.session.heard.status_item(&name, "MAILBOXID");
            let id = status.and_then(|value| value.list()?.first()?.text().map(str::to_owned));
            id.ok_or_else(|| "STATUS without MAILBOXID".to_owned().into())
        });
        let id = id.inspect_err(|_| self.session.shared.uncertain.store(true, Ordering::SeqCst))?;
        lock(&self.session.shared.owned[self.session.number]).insert(name, id);
        Ok(())
    }

    fn deleted(&mut self, name: &str) {
        self.session.unwatch_name(name);
        lock(&self.session.shared.owned[self.session.number]).remove(name);
        let id = |selected: &crate::session::Selected| selected.name == name;
        if self.session.selected.as_ref().is_some_and(id) {
            self.session.selected = None;
        }
    }

    fn renamed(&mut self, from: &str, to: String) {
        self.session.unwatch_name(from);
        self.session.unwatch_name(&to);
        let mut owned = lock(&self.session.shared.owned[self.session.number]);
        if let Some(id) = owned.remove(from) {
            owned.insert(to.clone(), id);
        }
        if let Some(selected) = self.session.selected.as_mut().filter(|selected| selected.name == from) {
            selected.name = to;
        }
    }

    /// A search is followed by updates, or not (RFC 5267 §4.3.1).
    fn follows(&mut self, tag: &str, ok: bool) {
        let refused = self.session.heard.codes.contains(&format!("NOUPDATE \"{tag}\""));
        let Some(selected) = self.session.selected.as_mut().filter(|_| refused || !ok) else { return };
        selected.contexts.remove(tag);
    }

    fn status(&mut self, name: &str, place: Place, tagged: &Tagged) -> Result<(), Trouble> {
        let heard = &self.session.heard;
        let status = &heard.status;
        // NOTIFY may tell of the same mailbox meanwhile, but not of its size.
        let has_size = |items: &[(String, Value)]| items.iter().any(|(item, _)| item == "SIZE");
        let items = status.iter().rev().find(|(of, items)| of == name && has_size(items));
        let items = items.map(|(_, items)| &items[..]).unwrap_or_default();
        let number =
            |wanted: &str| items.iter().find(|(item, _)| item == wanted).and_then(|(_, v)| v.number());
        let figures = (number("UIDVALIDITY"), number("UIDNEXT"), number("MESSAGES"), number("UNSEEN"));
        let (Some(uid_validity), Some(uid_next), Some(messages), Some(unseen)) = figures else {
            return Err(format!("STATUS has {status:?}").into());
        };
        if unseen > messages || messages >= uid_next {
            return Err(format!("STATUS has {status:?}").into());
        }
        let key = (place.owner, uid_validity as u32);
        let mut facts = lock(&self.session.shared.facts);
        if let Some(highest) = number("HIGHESTMODSEQ") {
            facts.highest(key, highest, tagged.when.0, tagged.when.1)?;
        }
        Ok(facts.uid_next(key, uid_next, tagged.when.0, tagged.when.1)?)
    }
}
