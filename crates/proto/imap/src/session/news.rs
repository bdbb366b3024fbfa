//! Tells the client what happened in the selected mailbox: EXPUNGE, EXISTS, RECENT, FLAGS, FETCH (RFC 3501 §7.3, §7.4).
//!
//! Order: expunged messages leave first (if they may), then the new size is told, then changed flags under the numbers
//! that are valid from now on. New keyword names come before the flags that use them. Results that are kept up to date
//! (RFC 5267) lose messages before their EXPUNGE, and gain and lose others at the end.

use super::contexts::{Contexts, Updating};
use super::core::{Core, Done, News};
use super::notify::FlagNews;
use super::running::{Event, Next, Running, mismatch};
use crate::ask::{Annotation, Answer, Ask, Changes, Needs, RefusedKind, Row, Rows};
use crate::command::FetchItem;
use crate::view::Numbers;
use crate::write;
use model::{ModSeq, SeqNo, Uid, UidSet};
use std::sync::Arc;
use wire::FLUSH_BYTES;

/// Most messages in one page.
pub(crate) const ROWS_MAX: usize = 1024;

/// Telling under way; ends with `done`.
#[derive(Debug)]
pub(crate) struct Telling {
    done: Option<Done>,
    news: News,
    /// RFC 3501 §6.4.8: FETCH responses during a UID command carry the UID.
    with_uid: bool,
    /// Since when, but for this session's own changes, annotations are news (RFC 5257 §4.4); None: they are not told.
    annotated: Option<(ModSeq, Vec<ModSeq>)>,
    /// Messages of which NOTIFY wants data items, once their number is told.
    new: UidSet,
    /// FETCH responses of new messages that are still to come, the next one last.
    fetches: Vec<NewItems>,
    state: State,
}

#[derive(Debug)]
enum State {
    Ask,
    /// Next withheld message to tell of, how many were told, and what comes after.
    Expunges {
        from: Uid,
        told: u32,
        then: Option<Arrival>,
    },
    Flags {
        uids: Arc<UidSet>,
        from: Uid,
    },
    FlagRows {
        uids: Arc<UidSet>,
        rows: Rows,
    },
    /// Results that are kept up to date (RFC 5267 §4.3).
    Contexts(Updating),
    /// Data items of new messages are being told (RFC 5465 §5.2).
    Items(Box<dyn Running>),
    End,
}

/// What is told after the EXPUNGEs.
#[derive(Debug)]
struct Arrival {
    /// How many messages are new to the client.
    arrived: u32,
    changes: Box<Changes>,
}

impl Telling {
    /// Prepares to tell.
    ///
    /// # Errors
    /// Gives `done` back when there is no reason to look.
    pub fn new(core: &Core, done: Done, with_uid: bool) -> Result<Telling, Done> {
        let Some(view) = &core.view else { return Err(done) };
        let wishes = core.notify.as_ref().and_then(|notify| notify.wishes.as_ref());
        if wishes.is_some_and(|wishes| wishes.selected.is_none())
            && !matches!(done.news, News::Own | News::AfterDelete)
        {
            // RFC 5465 §3.1: the client does not want to hear of the selected mailbox.
            return Err(done);
        }
        // What this session did changes the results that it has asked for.
        let own_max = if view.contexts.is_some() { 1 } else { OWN_MAX };
        // RFC 7162 §3.2: what may have been expunged before it was changed must be known.
        let is_ahead = core.enabled.qresync && view.is_ahead();
        let quiet = !core.dirty && view.own.len() < own_max && !is_ahead;
        let needless = match done.news {
            News::None => true,
            News::Numbered => quiet,
            News::Hinted => quiet && view.withheld().is_empty(),
            News::All | News::Own | News::AfterDelete => false,
        };
        if needless {
            return Err(done);
        }
        let with_uid = with_uid || wishes.is_some();
        Ok(Telling {
            news: done.news,
            done: Some(done),
            with_uid,
            annotated: None,
            new: UidSet::new(),
            fetches: Vec::new(),
            state: State::Ask,
        })
    }

    /// Tells flags (and MODSEQ) of these messages alone, and ends with `done` itself.
    pub fn of_flags(uids: UidSet, done: Done) -> Telling {
        let state = State::Flags { uids: Arc::new(uids), from: Uid(0) };
        Telling {
            news: News::None,
            done: Some(done),
            with_uid: true,
            annotated: None,
            new: UidSet::new(),
            fetches: Vec::new(),
            state,
        }
    }

    /// Nothing more to tell: the command's reply is due.
    fn end(&mut self) -> Next {
        self.state = State::End;
        Next::Done(self.done.take().unwrap_or_else(|| Done::ok("Done")).telling(News::None))
    }

    /// Nothing more to tell but of results that are kept up to date.
    fn contexts(&mut self, core: &mut Core) -> Option<Next> {
        let Some(mut updating) = Updating::new(core) else { return Some(self.items(core)) };
        let next = updating.step(core, None);
        self.state = State::Contexts(updating);
        Some(next.unwrap_or_else(|| self.items(core)))
    }

    fn answered(&mut self, core: &mut Core, answer: Answer) -> Option<Next> {
        if let State::Contexts(updating) = &mut self.state
            && !matches!(&answer, Answer::Refused(refused) if refused.kind == RefusedKind::NonExistent)
        {
            let next = updating.step(core, Some(answer));
            return Some(next.unwrap_or_else(|| self.items(core)));
        }
        let Some(view) = &mut core.view else { return Some(self.end()) };
        match answer {
            Answer::Unchanged => {
                self.state = State::Expunges { from: Uid(0), told: 0, then: None };
                None
            }
            Answer::Changes(changes) => {
                let before = view.count();
                view.take(&changes);
                // Nothing leaves the view before its EXPUNGE, so what it grew by is what came.
                let then = Arrival { arrived: view.count() - before, changes };
                self.state = State::Expunges { from: Uid(0), told: 0, then: Some(then) };
                // RFC 5267 §4.3.4: before EXPUNGE, while the numbers are valid.
                Contexts::tell_gone(core);
                None
            }
            Answer::Rights(rights) => {
                view.rights = rights;
                // RFC 4314 §5.1.1: "it SHOULD send FLAGS and PERMANENTFLAGS responses if they have changed".
                core.flags_lines();
                self.state = State::Ask;
                None
            }
            Answer::KeyReset => {
                // RFC 4467 §7, RESETKEY: "Any current IMAP session logged in as the user that has the mailbox selected
                // will receive an untagged OK response with the URLMECH status response code".
                let mechanisms = crate::cmd::url_mechanisms(core);
                core.tell("OK", format_args!("{mechanisms}The access key of this mailbox was reset"));
                self.state = State::Ask;
                None
            }
            Answer::Rows(rows) => {
                let State::Flags { uids, .. } = &self.state else {
                    return Some(mismatch(&Answer::Rows(rows)));
                };
                self.state = State::FlagRows { uids: Arc::clone(uids), rows };
                None
            }
            Answer::Refused(refused) if refused.kind == RefusedKind::NonExistent => {
                // RFC 2180 §3.3: the mailbox was deleted under the session; its numbers mean nothing any more.
                core.view = None;
                if self.news == News::AfterDelete {
                    // Perhaps it was not the one that this command deleted, and the client does not know.
                    core.tell("OK", format_args!("[CLOSED] The selected mailbox has been deleted"));
                } else {
                    core.tell("BYE", format_args!("The selected mailbox has been deleted"));
                    core.end = wire::End::Refused;
                }
                Some(self.end())
            }
            Answer::Refused(refused) if refused.kind == RefusedKind::NoPerm => {
                // RFC 4314 §5.1.1: "it MAY send an untagged BYE response and close connection".
                core.view = None;
                core.tell("BYE", format_args!("You may not read the selected mailbox any more"));
                core.end = wire::End::Refused;
                Some(self.end())
            }
            // What can't be told now is told later; the command itself was done.
            Answer::Refused(_) => Some(self.end()),
            answer => Some(mismatch(&answer)),
        }
    }

    /// Asks what happened.
    fn ask(&mut self, core: &mut Core) -> Option<Next> {
        core.dirty = false;
        let Some(view) = &core.view else { return Some(self.end()) };
        let wishes = core.notify.as_ref().and_then(|notify| notify.wishes.as_ref());
        let tells = match wishes {
            Some(wishes) => wishes.selected.as_ref().is_some_and(|selected| selected.annotations),
            None => view.annotate,
        };
        self.annotated = tells.then(|| (view.known, view.own.clone()));
        // RFC 5257 §4.4: what this session did to a message last does not undo that another changed its annotations
        // before; of its own changes nothing is told in `rows`.
        let own = if tells { Vec::new() } else { view.own.clone() };
        Some(Next::Ask(Ask::Changes { since: view.known, own }))
    }

    /// Tells of expunged messages, a flush at a time.
    fn expunges(&mut self, core: &mut Core) -> Option<Next> {
        let State::Expunges { from, told, then } = &mut self.state else { return None };
        let Some(view) = &mut core.view else { return Some(self.end()) };
        // RFC 9051 §7.5.1: none during FETCH, STORE and SEARCH, the client would lose its numbering.
        if self.news != News::Numbered && core.enabled.vanished() {
            // RFC 7162 §3.2.10: all at once, and by UID.
            write::vanished(&mut core.out, write::Vanished::Now, view.withheld());
            view.expunged_are_told();
        } else if self.news != News::Numbered {
            for uid in view.withheld().iter_from(*from) {
                // What came since is counted behind everything that the client counts, so it does not disturb.
                let Some(number) = view.number(uid) else { continue };
                write::expunge(&mut core.out, SeqNo(number.0 - *told));
                *told += 1;
                *from = Uid(uid.0.saturating_add(1));
                if core.out.len() >= FLUSH_BYTES {
                    return Some(Next::Flush);
                }
            }
            view.expunged_are_told();
        }
        let Some(Arrival { arrived, changes }) = then.take() else { return self.contexts(core) };
        if arrived > 0 {
            let (count, recent) = (view.count(), view.recent.len());
            write::exists(&mut core.out, count);
            if !core.enabled.rev2 {
                write::recent(&mut core.out, recent);
            }
        }
        core.learn_keywords(&changes.keywords);
        let wishes = core.notify.as_ref().and_then(|notify| notify.wishes.as_ref());
        let mut flagged = changes.flagged;
        if let Some(wishes) = wishes {
            let selected = wishes.selected.as_ref();
            if selected.is_none_or(|selected| selected.flags == FlagNews::Untold && !selected.annotations) {
                flagged = Arc::default();
            }
        }
        let selected = wishes.and_then(|wishes| wishes.selected.as_ref());
        let told = selected.is_some_and(|selected| !selected.items.is_empty());
        if let Some(view) = &mut core.view
            && (told || Contexts::fetch(view))
        {
            // RFC 5465 §5.2: not of what this client put there itself.
            let new = changes.arrived.minus(&std::mem::take(&mut view.brought)).and(view.told());
            Contexts::note_arrived(view, &new);
            if told {
                self.new = new;
            }
        }
        self.state = State::Flags { uids: flagged, from: Uid(0) };
        None
    }

    /// What is wanted of new messages, by NOTIFY and by UPDATE, comes last, behind ADDTO (RFC 5465 §5.2).
    fn items(&mut self, core: &mut Core) -> Next {
        let wishes = core.notify.as_ref().and_then(|notify| notify.wishes.as_ref());
        let items = wishes.and_then(|wishes| wishes.selected.as_ref()).map(|selected| selected.items.clone());
        let new = std::mem::take(&mut self.new);
        let mut wanted = match &mut self.state {
            State::Contexts(updating) => std::mem::take(&mut updating.joined),
            _ => Vec::new(),
        };
        if let Some(items) = items
            && !new.is_empty()
        {
            wanted.push((new, items));
        }
        self.fetches = combined(wanted);
        self.next_items(core)
    }

    /// FETCH says what it needs; the end of the last one is this telling's end.
    fn next_items(&mut self, core: &mut Core) -> Next {
        while let Some((uids, items)) = self.fetches.pop() {
            let mut fetch = crate::cmd::fetch_new(core, items, uids);
            match fetch.resume(core, Event::Go) {
                Next::Done(_) => {}
                next => {
                    self.state = State::Items(fetch);
                    return next;
                }
            }
        }
        self.end()
    }

    fn rows(&mut self, core: &mut Core) -> Option<Next> {
        let State::FlagRows { uids, rows } = &self.state else { return None };
        core.learn_keywords(&rows.keywords);
        let mut numbers = Numbers::default();
        let wishes = core.notify.as_ref().and_then(|notify| notify.wishes.as_ref());
        let selected = wishes.and_then(|wishes| wishes.selected.as_ref());
        let flags = selected.map_or(FlagNews::Told, |selected| selected.flags);
        for row in &rows.rows {
            let is_news = |annotation: &&Annotation| {
                self.annotated.as_ref().is_some_and(|(since, own)| {
                    annotation.modseq > *since && !own.contains(&annotation.modseq)
                })
            };
            let changed =
                row.annotations().iter().filter(is_news).map(|annotation| annotation.entry.as_str());
            let is_own = self.annotated.as_ref().is_some_and(|(_, own)| own.contains(&row.modseq));
            let flags = if is_own { FlagNews::Untold } else { flags };
            write_changes(core, &mut numbers, row, self.with_uid, (flags, &changed.collect::<Vec<_>>()));
        }
        match rows.next {
            Some(from) => {
                self.state = State::Flags { uids: Arc::clone(uids), from };
                (core.out.len() >= FLUSH_BYTES).then_some(Next::Flush)
            }
            None => self.contexts(core),
        }
    }
}

/// New messages, and what is told of them.
type NewItems = (UidSet, Vec<FetchItem>);

/// One FETCH for each message, with all that is wanted of it (RFC 5465 §5.2); the lowest UID comes last.
fn combined(wanted: Vec<NewItems>) -> Vec<NewItems> {
    let mut groups: Vec<NewItems> = Vec::new();
    for (mut rest, items) in wanted {
        let mut split = Vec::new();
        for (group, already) in &mut groups {
            let both = group.and(&rest);
            if both.is_empty() {
                continue;
            }
            rest = rest.minus(&both);
            *group = group.minus(&both);
            let mut all = already.clone();
            all.extend(items.iter().filter(|item| !already.contains(*item)).cloned());
            split.push((both, all));
        }
        split.push((rest, items));
        groups.append(&mut split);
        groups.retain(|(uids, _)| !uids.is_empty());
    }
    groups.sort_by_key(|(uids, _)| std::cmp::Reverse(uids.first()));
    groups
}

/// STOREs of this session that may go by before the store is asked again.
const OWN_MAX: usize = 16;

/// `* n FETCH (FLAGS (…))`, with UID and MODSEQ where the rules want them.
pub(crate) fn write_news(core: &mut Core, numbers: &mut Numbers, row: &Row, with_uid: bool) {
    write_changes(core, numbers, row, with_uid, (FlagNews::Told, &[]));
}

/// The same with the names of annotations that changed (RFC 5257 §4.4: no values), or with them alone.
fn write_changes(
    core: &mut Core,
    numbers: &mut Numbers,
    row: &Row,
    with_uid: bool,
    (flags, annotations): (FlagNews, &[&str]),
) {
    if flags == FlagNews::Untold && annotations.is_empty() {
        return;
    }
    if core.begin_fetch(numbers, row.uid).is_none() {
        return;
    }
    // RFC 7162 §3.2.4: a client that knows CONDSTORE gets the UID as well; RFC 9051 §7.5.2: so does any of IMAP4rev2.
    let wanted = with_uid || core.enabled.condstore || core.enabled.rev2;
    if wanted && !core.enabled.uid_only {
        core.out.extend_from_slice(b"UID ");
        write::number(&mut core.out, u64::from(row.uid.0));
        core.out.push(b' ');
    }
    let begun = core.out.len();
    if flags == FlagNews::Told {
        core.write_message_flags(row.uid, row.flags, &row.keywords);
    }
    if core.enabled.condstore {
        core.out.extend_from_slice(b" MODSEQ (");
        core.write_modseq(row.modseq);
        core.out.push(b')');
    }
    write::changed_annotations(&mut core.out, annotations.iter().copied());
    // Without flags the first of these has a space too many.
    if core.out.get(begun) == Some(&b' ') {
        core.out.remove(begun);
    }
    core.out.extend_from_slice(b")\r\n");
}

impl Running for Telling {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        if let State::Items(fetch) = &mut self.state {
            return match fetch.resume(core, event) {
                Next::Done(_) => self.next_items(core),
                next => next,
            };
        }
        if let Event::Answer(answer) = event
            && let Some(next) = self.answered(core, answer)
        {
            return next;
        }
        loop {
            let next = match &self.state {
                State::Ask => self.ask(core),
                State::Expunges { .. } => self.expunges(core),
                State::Flags { uids, .. } if uids.is_empty() => self.contexts(core),
                State::Flags { uids, from } => Some(Next::Ask(Ask::Rows {
                    uids: Arc::clone(uids),
                    from: *from,
                    needs: Needs { annotations: self.annotated.is_some(), ..Needs::default() },
                    rows_max: ROWS_MAX,
                    bytes_max: FLUSH_BYTES,
                })),
                State::FlagRows { .. } => self.rows(core),
                State::Contexts(_) => self.contexts(core),
                State::Items(_) | State::End => Some(self.end()),
            };
            if let Some(next) = next {
                return next;
            }
        }
    }
}
