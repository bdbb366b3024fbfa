//! STORE and UID STORE (RFC 9051 §6.4.6; UNCHANGEDSINCE: RFC 7162 §3.1.3; ANNOTATION: RFC 5257 §4.5).

use super::any_state::enable_condstore;
use super::limit::{self, Exceeded};
use super::{Begun, news_after, read_only, resolve};
use crate::ask::{Answer, Ask, Needs, Row, Stored};
use crate::command::{self, Echo, Numbering};
use crate::sequence::{write_numbers, write_uids};
use crate::session::{Core, Done, Event, Next, ROWS_MAX, Running, mismatch, otherwise, write_news};
use crate::view::Numbers;
use crate::write;
use model::{AnnotationChange, AnnotationScope, FlagChange, ModSeq, Uid, UidSet};
use std::sync::Arc;
use wire::FLUSH_BYTES;

#[derive(Debug)]
struct Store {
    numbering: Numbering,
    uids: Arc<UidSet>,
    echo: Echo,
    exceeded: Option<Exceeded>,
    unchanged_since: Option<ModSeq>,
    change: Option<Change>,
    stored: Option<Box<Stored>>,
    /// Messages whose new state is still to be told.
    told: Arc<UidSet>,
    /// Where the next page of those begins.
    from: Option<Uid>,
}

/// What is to be stored.
#[derive(Debug)]
enum Change {
    Flags(FlagChange),
    /// RFC 5257 §4.5
    Annotations(Vec<AnnotationChange>),
}

pub(super) fn start(core: &mut Core, store: command::Store) -> Begun {
    // RFC 5257 §3.4: with ACL, "r" alone controls the user's own values, in any mailbox.
    let own = |change: &AnnotationChange| change.scope == AnnotationScope::Private;
    let is_own = !store.annotations.is_empty() && store.annotations.iter().all(own);
    if let Some(done) = read_only(core).filter(|_| !is_own) {
        return Begun::Now(done.telling(news_after(store.numbering)));
    }
    let Some(view) = &core.view else { return Begun::Now(Done::bad("No mailbox is selected")) };
    let uids = match resolve(view, store.numbering, &store.set) {
        Ok(uids) => uids,
        Err(done) => return Begun::Now(done),
    };
    if store.unchanged_since.is_some() {
        enable_condstore(core);
    }
    if uids.is_empty() {
        let done = Done::ok("No matching messages, so nothing done");
        return Begun::Now(done.telling(news_after(store.numbering)));
    }
    let (uids, exceeded) = limit::cut(core, uids);
    Begun::Run(Box::new(Store {
        numbering: store.numbering,
        uids: Arc::new(uids),
        echo: store.echo,
        exceeded,
        unchanged_since: store.unchanged_since,
        change: Some(match store.annotations.is_empty() {
            true => Change::Flags(FlagChange {
                mode: store.mode,
                flags: store.flags.flags,
                keywords: store.flags.keywords,
            }),
            false => Change::Annotations(store.annotations),
        }),
        stored: None,
        told: Arc::default(),
        from: None,
    }))
}

impl Running for Store {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => {}
            Event::Answer(Answer::Stored(stored)) => self.stored(core, stored),
            Event::Answer(Answer::Rows(rows)) => {
                core.learn_keywords(&rows.keywords);
                let mut numbers = Numbers::default();
                for row in &rows.rows {
                    self.tell(core, &mut numbers, row);
                }
                self.from = rows.next;
                if core.out.len() >= FLUSH_BYTES {
                    return Next::Flush;
                }
            }
            // It is done, though what came of it can't be read any more (the right to was taken away meanwhile): NO would
            // say that it was not. The news tell what happened to the mailbox.
            Event::Answer(Answer::Refused(_)) if self.stored.is_some() => self.from = None,
            event => {
                return match otherwise(event) {
                    Next::Done(done) => Next::Done(done.telling(news_after(self.numbering))),
                    next => next,
                };
            }
        }
        if let Some(change) = self.change.take() {
            let Some(view) = &core.view else { return Next::Done(Done::bad("No mailbox is selected")) };
            let (uids, unchanged_since) = (Arc::clone(&self.uids), self.unchanged_since);
            let (known, own) = (view.known, view.own.clone());
            return Next::Ask(match change {
                Change::Flags(change) => Ask::Store { uids, change, unchanged_since, known, own },
                Change::Annotations(changes) => Ask::Annotate { uids, changes, unchanged_since, known, own },
            });
        }
        match (self.from, &self.stored) {
            (Some(from), _) => Next::Ask(Ask::Rows {
                uids: Arc::clone(&self.told),
                from,
                needs: Needs::default(),
                rows_max: ROWS_MAX,
                bytes_max: FLUSH_BYTES,
            }),
            (None, Some(stored)) => {
                let done = self.end(core, stored);
                Next::Done(Exceeded::tell(self.exceeded, core, done))
            }
            (None, None) => mismatch(&Answer::Unchanged),
        }
    }
}

impl Store {
    /// Decides whose state is told (RFC 9051 §6.4.6; RFC 7162 §3.1.3: MODSEQ is told even if .SILENT).
    fn stored(&mut self, core: &mut Core, stored: Box<Stored>) {
        if let Some(view) = &mut core.view
            && !stored.changed.is_empty()
        {
            view.wrote(stored.modseq);
        }
        if !stored.missing.is_empty() {
            core.dirty = true;
        }
        let told = if self.echo == Echo::Flags || core.enabled.condstore {
            // Those that failed UNCHANGEDSINCE are among them: the client learns what it did not know.
            self.uids.minus(&stored.missing)
        } else {
            // What the client asked for is what it will assume; only where someone else had a hand in it, it errs.
            stored.overtaken.clone()
        };
        self.from = told.first();
        self.told = Arc::new(told);
        self.stored = Some(stored);
    }

    fn tell(&self, core: &mut Core, numbers: &mut Numbers, row: &Row) {
        let surprising = self.stored.as_ref().is_some_and(|stored| {
            stored.overtaken.contains(row.uid)
                || stored.modified.contains(row.uid)
                // Another session was quick to change it again: this MODSEQ alone would stand for flags unknown to the client.
                || row.modseq > stored.modseq
        });
        let with_uid = self.numbering == Numbering::Uid;
        if self.echo == Echo::Flags || surprising {
            write_news(core, numbers, row, with_uid);
            return;
        }
        if core.begin_fetch(numbers, row.uid).is_none() {
            return;
        }
        if !core.enabled.uid_only {
            core.out.extend_from_slice(b"UID ");
            write::number(&mut core.out, u64::from(row.uid.0));
            core.out.push(b' ');
        }
        core.out.extend_from_slice(b"MODSEQ (");
        core.write_modseq(row.modseq);
        core.out.extend_from_slice(b"))\r\n");
    }

    fn end(&self, core: &Core, stored: &Stored) -> Done {
        let mut code = Vec::new();
        if let (false, Some(view)) = (stored.modified.is_empty(), &core.view) {
            code.extend_from_slice(b"[MODIFIED ");
            match self.numbering {
                Numbering::Uid => write_uids(&mut code, &stored.modified),
                Numbering::Sequence => write_numbers(&mut code, view.told(), &stored.modified),
            }
            code.extend_from_slice(b"] ");
        }
        let code = String::from_utf8(code).unwrap_or_default();
        // RFC 2180 §4.2: NO, unless the client did not want to hear of it. UIDs that do not exist are no error.
        let missing =
            !stored.missing.is_empty() && self.numbering == Numbering::Sequence && self.echo == Echo::Flags;
        let done = match (missing, code.is_empty()) {
            (true, true) => Done::no("[EXPUNGEISSUED] Some of the messages no longer exist"),
            (true, false) => Done::no(format!("{code}Some of the messages no longer exist")),
            (false, true) => Done::ok("STORE completed"),
            (false, false) => Done::ok(format!("{code}Some messages had been modified")),
        };
        done.telling(news_after(self.numbering))
    }
}
