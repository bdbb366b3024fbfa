//! SORT, THREAD and their UID forms (RFC 5256; ESORT: RFC 5267 §3; DISPLAYFROM and DISPLAYTO: RFC 5957; MODSEQ: RFC 7162
//! §3.1.9, §3.1.10; `$`: RFC 5182; comparators: RFC 5255 §4.2).
//!
//! First a search as SEARCH does it, page by page, then one question for the order of what was found. The answer leaves
//! a flush at a time: a forest as deep as the mailbox is large is written without recursion.

use super::Begun;
use super::context::{self, Wanted};
use super::criteria::CharsetIs;
use super::limit;
use super::search::{PROGRESS_S, Scores, named_among, ready};
use crate::ask::{Answer, Ask, Needs};
use crate::command::{self, Numbering, SearchReturn};
use crate::session::{
    ContextResult, Core, Done, Event, News, Next, ROWS_MAX, Running, SortedResult, otherwise,
};
use crate::write::{self, EsearchResponse, InOrder};
use forest::Forest;
use model::{Arrangement, Comparator, ModSeq, Query, SortKey, Uid, UidSet};
use std::sync::Arc;
use wire::FLUSH_BYTES;

mod forest;

#[derive(Debug)]
struct Arranging {
    numbering: Numbering,
    arrangement: Arc<Arrangement>,
    comparator: Comparator,
    news: News,
    returns: Option<Vec<SearchReturn>>,
    query: Arc<Query>,
    /// The whole view at the beginning.
    among: Arc<UidSet>,
    found: UidSet,
    scores: Scores,
    /// In order, once known.
    sorted: Vec<Uid>,
    highest_modseq: Option<ModSeq>,
    wanted: Option<Wanted>,
    /// When the client last heard of this, or it began.
    heard_at: i64,
    state: State,
}

#[derive(Debug)]
enum State {
    Looking {
        from: Uid,
    },
    Ordering,
    /// RFC 4731 §3.2: MODSEQ of only the messages that MIN, MAX and PARTIAL name.
    Named(Arc<UidSet>, Uid),
    /// `* SORT …` is written up to this place.
    Plain {
        at: usize,
    },
    /// ALL of `* ESEARCH …` is.
    Extended {
        at: usize,
        set: InOrder,
    },
    Threads(Forest),
    Told,
}

pub(super) fn start(core: &mut Core, arrangement: Arrangement, search: command::Search) -> Begun {
    let ready = match ready(core, &search, CharsetIs::Required) {
        Ok(ready) => ready,
        Err(done) => return Begun::Now(done),
    };
    let Some(view) = &core.view else { return Begun::Now(Done::bad("No mailbox is selected")) };
    // RFC 9738 §3.3: a part of the messages has no order, so there is no cutting down to the limit.
    if let Some(done) = limit::refused_order(core, &named_among(view.told(), &ready.query)) {
        return Begun::Now(done.telling(ready.news));
    }
    let among = Arc::clone(view.told());
    Begun::Run(Box::new(Arranging {
        numbering: search.numbering,
        arrangement: Arc::new(arrangement),
        comparator: core.comparator,
        news: ready.news,
        returns: search.returns,
        query: ready.query,
        among,
        found: UidSet::new(),
        scores: Scores::default(),
        sorted: Vec::new(),
        highest_modseq: None,
        wanted: ready.wanted,
        heard_at: core.now,
        state: State::Looking { from: Uid(0) },
    }))
}

impl Running for Arranging {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => {}
            Event::Answer(Answer::Found { uids, scores, highest_modseq, next }) => {
                self.scores.add(scores);
                self.found = self.found.or(&uids);
                self.highest_modseq = self.highest_modseq.max(highest_modseq);
                self.state = next.map_or(State::Ordering, |from| State::Looking { from });
                // What the store found is in the view the client has, whatever happened since.
                self.found = self.found.and(&self.among);
            }
            Event::Answer(Answer::Preparing) => {
                if self.tell_progress(core) {
                    return Next::Flush;
                }
            }
            Event::Answer(Answer::Sorted(sorted)) => self.take_sorted(core, sorted),
            Event::Answer(Answer::Threaded(nodes)) => {
                core.out.extend_from_slice(b"* THREAD");
                self.state = State::Threads(Forest::new(nodes));
            }
            Event::Answer(Answer::Rows(rows)) => {
                let highest = rows.rows.iter().map(|row| row.modseq).max();
                self.highest_modseq = self.highest_modseq.max(highest);
                match (rows.next, &mut self.state) {
                    (Some(next), State::Named(_, from)) => *from = next,
                    _ => self.begin_telling(core),
                }
            }
            event => {
                // RFC 5182 §2.1: a search that fails leaves an empty result.
                self.keep(core, UidSet::new());
                return match otherwise(event) {
                    Next::Done(done) => Next::Done(done.telling(self.news)),
                    next => next,
                };
            }
        }
        self.next(core)
    }
}

impl Arranging {
    fn next(&mut self, core: &mut Core) -> Next {
        let all_told = match &mut self.state {
            State::Looking { from } => {
                return Next::Ask(Ask::Search {
                    query: Arc::clone(&self.query),
                    among: Arc::clone(&self.among),
                    from: *from,
                });
            }
            State::Ordering => {
                let scores = match self.arrangement.is_by(&SortKey::Relevancy) {
                    true => self.scores.all(),
                    false => Vec::new(),
                };
                return Next::Ask(Ask::Order {
                    uids: Arc::new(self.found.clone()),
                    scores,
                    arrangement: Arc::clone(&self.arrangement),
                    comparator: self.comparator,
                });
            }
            State::Named(uids, from) => {
                return Next::Ask(Ask::Rows {
                    uids: Arc::clone(uids),
                    from: *from,
                    needs: Needs::default(),
                    rows_max: ROWS_MAX,
                    bytes_max: FLUSH_BYTES,
                });
            }
            State::Plain { .. } => self.tell_plain(core),
            State::Extended { .. } => self.tell_all(core),
            State::Threads(forest) => {
                let shown = shown(self.numbering, &self.among);
                forest.write(&mut core.out, FLUSH_BYTES, &shown)
            }
            State::Told => true,
        };
        if !all_told {
            return Next::Flush;
        }
        if let Some(wanted) = self.wanted.take() {
            let sorted = std::mem::take(&mut self.sorted);
            let sorted = SortedResult::new(Arc::clone(&self.arrangement), sorted, self.scores.all());
            context::keep(core, wanted, ContextResult::Sorted(Box::new(sorted)));
        }
        let name = match *self.arrangement {
            Arrangement::Sorted(_) => "SORT",
            Arrangement::Threaded(_) => "THREAD",
        };
        Next::Done(Done::ok(format!("{name} completed")).telling(self.news))
    }

    fn keep(&self, core: &mut Core, found: UidSet) {
        let saves = self.returns.as_ref().is_some_and(|returns| returns.contains(&SearchReturn::Save));
        if let (true, Some(view)) = (saves, &mut core.view) {
            view.saved = Some(Arc::new(found));
        }
    }

    /// RFC 9585 §4: a mailbox of an older version is being prepared. How far is not known.
    fn tell_progress(&mut self, core: &mut Core) -> bool {
        if core.now - self.heard_at < PROGRESS_S {
            return false;
        }
        self.heard_at = core.now;
        core.tell("OK", format_args!("[INPROGRESS] Preparing the messages for this order"));
        true
    }

    fn take_sorted(&mut self, core: &mut Core, mut sorted: Vec<Uid>) {
        sorted.retain(|uid| self.found.contains(*uid));
        self.sorted = sorted;
        match self.named() {
            Some(named) if self.highest_modseq.is_some() && !named.is_empty() => {
                self.highest_modseq = None;
                self.state = State::Named(Arc::new(named), Uid(0));
            }
            _ => self.begin_telling(core),
        }
    }

    /// The messages that MIN, MAX and PARTIAL name, if nothing but those is returned.
    fn named(&self) -> Option<UidSet> {
        let mut named: Option<UidSet> = None;
        for wanted in self.returns.iter().flatten() {
            let messages = match wanted {
                SearchReturn::All | SearchReturn::Count => return None,
                SearchReturn::Min => self.sorted.get(..1),
                SearchReturn::Max => self.sorted.last_chunk::<1>().map(<[Uid; 1]>::as_slice),
                SearchReturn::Partial(range) => Some(range.of_list(&self.sorted)),
                SearchReturn::Save
                | SearchReturn::Relevancy
                | SearchReturn::Context
                | SearchReturn::Update(_) => continue,
            };
            let messages: UidSet = messages.unwrap_or_default().iter().copied().collect();
            named = Some(named.unwrap_or_default().or(&messages));
        }
        named
    }

    fn begin_telling(&mut self, core: &mut Core) {
        let Some(returns) = &self.returns else {
            core.out.extend_from_slice(b"* SORT");
            self.state = State::Plain { at: 0 };
            return;
        };
        // RFC 5182 §2.4, RFC 9394 §3.2: without ALL and COUNT, only what MIN, MAX and PARTIAL name is kept.
        let kept = self.named().unwrap_or_else(|| self.sorted.iter().copied().collect());
        self.keep(core, kept);
        self.state = State::Told;
        if returns.iter().all(|wanted| *wanted == SearchReturn::Save) {
            return;
        }
        let tag = core.tag.clone();
        let shown = shown(self.numbering, &self.among);
        let mut response = EsearchResponse::begin(&mut core.out, &tag, self.numbering);
        for wanted in returns {
            match wanted {
                SearchReturn::Min => {
                    self.sorted.first().map(&shown).into_iter().for_each(|number| response.min(number));
                }
                SearchReturn::Max => {
                    self.sorted.last().map(&shown).into_iter().for_each(|number| response.max(number));
                }
                SearchReturn::Count => {
                    response.count(u32::try_from(self.sorted.len()).unwrap_or(u32::MAX));
                }
                SearchReturn::Partial(range) => {
                    response.partial_in_order(*range, range.of_list(&self.sorted).iter().map(&shown));
                }
                SearchReturn::All
                | SearchReturn::Save
                | SearchReturn::Relevancy
                | SearchReturn::Context
                | SearchReturn::Update(_) => {}
            }
        }
        // RFC 4731 §3.1: ALL is left out when nothing was found. It comes last, for it may be long.
        if returns.contains(&SearchReturn::All) && !self.sorted.is_empty() {
            response.all_in_order();
            self.state = State::Extended { at: 0, set: InOrder::default() };
            return;
        }
        if let (false, Some(modseq)) = (self.sorted.is_empty(), self.highest_modseq) {
            response.modseq(modseq);
        }
        if returns.contains(&SearchReturn::Relevancy) {
            let partial = returns.iter().find_map(|wanted| match wanted {
                SearchReturn::Partial(range) => Some(range.of_list(&self.sorted)),
                _ => None,
            });
            response.relevancy(self.scores.of(partial.unwrap_or(&self.sorted).iter().copied()));
        }
        response.end();
    }

    /// `* SORT 2 84 882`, a flush at a time; whether that was all.
    fn tell_plain(&mut self, core: &mut Core) -> bool {
        let State::Plain { at } = &mut self.state else { return true };
        let shown = shown(self.numbering, &self.among);
        for uid in &self.sorted[*at..] {
            if core.out.len() >= FLUSH_BYTES {
                return false;
            }
            core.out.push(b' ');
            write::number(&mut core.out, u64::from(shown(uid)));
            *at += 1;
        }
        if let (false, Some(modseq)) = (self.sorted.is_empty(), self.highest_modseq) {
            core.out.extend_from_slice(format!(" (MODSEQ {modseq})").as_bytes());
        }
        core.out.extend_from_slice(b"\r\n");
        true
    }

    fn tell_all(&mut self, core: &mut Core) -> bool {
        let State::Extended { at, set } = &mut self.state else { return true };
        let shown = shown(self.numbering, &self.among);
        for uid in &self.sorted[*at..] {
            if core.out.len() >= FLUSH_BYTES {
                return false;
            }
            set.push(&mut core.out, shown(uid));
            *at += 1;
        }
        set.finish(&mut core.out);
        if let Some(modseq) = self.highest_modseq {
            core.out.extend_from_slice(format!(" MODSEQ {modseq}").as_bytes());
        }
        if self.returns.iter().flatten().any(|wanted| *wanted == SearchReturn::Relevancy) {
            write::relevancy(&mut core.out, self.scores.of(self.sorted.iter().copied()));
        }
        core.out.extend_from_slice(b"\r\n");
        true
    }
}

/// How a message of the view is named.
fn shown(numbering: Numbering, among: &UidSet) -> impl Fn(&Uid) -> u32 {
    move |uid| match numbering {
        Numbering::Uid => uid.0,
        Numbering::Sequence => among.rank(*uid).map_or(0, |number| number.0),
    }
}
