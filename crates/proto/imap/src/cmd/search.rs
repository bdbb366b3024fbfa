//! SEARCH and UID SEARCH (RFC 9051 §6.4.4; ESEARCH: RFC 4731; `$`: RFC 5182; MODSEQ: RFC 7162 §3.1.5; PARTIAL: RFC 9394).

use super::Begun;
use super::any_state::enable_condstore;
use super::context::{self, Wanted};
use super::criteria::{CharsetIs, Scope, charset, news_after_keys, queried};
use super::limit::{self, Exceeded};
use crate::ask::{Answer, Ask, Needs, Owner};
use crate::command::{self, Numbering, SearchKey, SearchReturn};
use crate::session::{
    ContextResult, Core, Done, Event, MessageLimit, News, Next, ROWS_MAX, Running, otherwise,
};
use crate::view::{Numbers, View};
use crate::write::{self, EsearchResponse};
use model::Query;
use model::{MailboxId, ModSeq, Uid, UidSet, UidValidity};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::FLUSH_BYTES;

#[derive(Debug)]
pub(super) struct Search {
    numbering: Numbering,
    /// Of ESEARCH.
    place: Option<Place>,
    /// What may be told at the end.
    news: News,
    returns: Option<Vec<SearchReturn>>,
    query: Arc<Query>,
    exceeded: Option<Exceeded>,
    /// The view at the beginning, which sequence numbers are of.
    told: Arc<UidSet>,
    /// What of it is looked at.
    among: Arc<UidSet>,
    found: UidSet,
    scores: Scores,
    highest_modseq: Option<ModSeq>,
    wanted: Option<Wanted>,
    /// When the client last heard of this search, or it began.
    heard_at: i64,
    state: State,
}

/// One of the mailboxes of ESEARCH (RFC 7377).
#[derive(Debug)]
pub(super) struct Place {
    /// As this user calls it.
    pub name: String,
    pub uid_validity: UidValidity,
    /// How to ask for it, unless it is the selected one.
    pub elsewhere: Option<(Owner, MailboxId)>,
}

#[derive(Debug)]
enum State {
    Looking {
        from: Uid,
    },
    /// RFC 4731 §3.2: MODSEQ of only the messages that MIN, MAX and PARTIAL name.
    Named(Arc<UidSet>, Uid),
    /// `* SEARCH …` is written up to here.
    Telling {
        from: Uid,
    },
}

pub(super) fn start(core: &mut Core, search: command::Search) -> Begun {
    let ready = match ready(core, &search, CharsetIs::Optional) {
        Ok(ready) => ready,
        Err(done) => return Begun::Now(done),
    };
    let Some(view) = &core.view else { return Begun::Now(Done::bad("No mailbox is selected")) };
    let (among, exceeded) = searched(core, view, &ready.query);
    let told = Arc::clone(view.told());
    Begun::Run(Box::new(Search {
        numbering: search.numbering,
        place: None,
        news: ready.news,
        // RFC 9051, appendix E (4): the answer is ESEARCH always.
        returns: search.returns.or_else(|| core.enabled.rev2.then(|| vec![SearchReturn::All])),
        query: ready.query,
        exceeded,
        told,
        among,
        found: UidSet::new(),
        scores: Scores::default(),
        highest_modseq: None,
        wanted: ready.wanted,
        heard_at: core.now,
        state: State::Looking { from: Uid(0) },
    }))
}

/// A search of one mailbox for ESEARCH, in which nothing is cut; it never fails but by an answer.
pub(super) fn of_place(
    place: Place,
    returns: &[SearchReturn],
    query: Arc<Query>,
    among: Arc<UidSet>,
    wanted: Option<Wanted>,
) -> Search {
    Search {
        numbering: Numbering::Uid,
        place: Some(place),
        news: News::None,
        returns: Some(returns.to_vec()),
        query,
        exceeded: None,
        told: Arc::clone(&among),
        among,
        found: UidSet::new(),
        scores: Scores::default(),
        highest_modseq: None,
        wanted,
        heard_at: 0,
        state: State::Looking { from: Uid(0) },
    }
}

/// What a searching command has before it asks.
pub(super) struct Ready {
    pub query: Arc<Query>,
    /// What may be told at the end.
    pub news: News,
    /// UPDATE was given.
    pub wanted: Option<Wanted>,
}

/// Makes a searching command ready to ask.
///
/// # Errors
/// Its end, if it can't be understood.
pub(super) fn ready(core: &mut Core, search: &command::Search, charset_is: CharsetIs) -> Result<Ready, Done> {
    let charset = charset(core, search, charset_is)?;
    let Some(view) = &core.view else { return Err(Done::bad("No mailbox is selected")) };
    let news = news_after_keys(search);
    let scope = Scope::of(view);
    let query = queried(&scope, charset, core.now, &search.key).map_err(|done| done.telling(News::None))?;
    if search.key.holds(&|key| matches!(key, SearchKey::ModSeq(_))) {
        enable_condstore(core);
    }
    let wanted = context::wanted(core, search, charset)?;
    Ok(Ready { query: Arc::new(query.collated(core.comparator.collation)), news, wanted })
}

/// Seconds between two reports of a search's progress (RFC 9585 §4: 10 to 15).
pub(super) const PROGRESS_S: i64 = 10;

/// The messages that a search looks at (RFC 9738 §3.1: those count, found or not).
fn searched(core: &Core, view: &View, query: &Query) -> (Arc<UidSet>, Option<Exceeded>) {
    if !matches!(core.settings.message_limit, MessageLimit::Every(_)) {
        return (Arc::clone(view.told()), None);
    }
    let (among, exceeded) = limit::cut(core, named_among(view.told(), query));
    (Arc::new(among), exceeded)
}

/// Messages that a search by their names looks at.
pub(super) fn named_among(told: &UidSet, query: &Query) -> UidSet {
    let query = match query {
        Query::Collated(_, query) => query,
        query => query,
    };
    let named = match query {
        Query::And(queries) => queries.as_slice(),
        query => std::slice::from_ref(query),
    };
    let mut among = told.clone();
    for query in named {
        if let Query::Uids(uids) = query {
            among = among.and(uids);
        }
    }
    among
}

impl Running for Search {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => {}
            Event::Answer(Answer::Found { uids, scores, highest_modseq, next }) => {
                self.highest_modseq = self.highest_modseq.max(highest_modseq);
                if let State::Named(_, from) = &mut self.state {
                    match next {
                        Some(next) => *from = next,
                        None => self.begin_telling(core),
                    }
                    return self.ask(core);
                }
                self.scores.add(scores);
                self.found = self.found.or(&uids);
                match next {
                    Some(from) => {
                        self.state = State::Looking { from };
                        if self.tell_progress(core, from) {
                            return Next::Flush;
                        }
                    }
                    None => self.looked(core),
                }
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
                self.keep(core, UidSet::new());
                return match otherwise(event) {
                    Next::Done(done) => Next::Done(done.telling(self.news)),
                    next => next,
                };
            }
        }
        self.ask(core)
    }
}

impl Search {
    /// The next page's question, or the end.
    fn ask(&mut self, core: &mut Core) -> Next {
        let elsewhere = self.place.as_ref().and_then(|place| place.elsewhere);
        match (&self.state, elsewhere) {
            (State::Looking { from }, None) => Next::Ask(Ask::Search {
                query: Arc::clone(&self.query),
                among: Arc::clone(&self.among),
                from: *from,
            }),
            (State::Looking { from }, Some((owner, mailbox))) => Next::Ask(Ask::SearchIn {
                owner,
                mailbox,
                query: Arc::clone(&self.query),
                among: Arc::clone(&self.among),
                from: *from,
            }),
            // What was found is found again, and its modification sequences are told with it.
            (State::Named(uids, from), Some((owner, mailbox))) => Next::Ask(Ask::SearchIn {
                owner,
                mailbox,
                query: Arc::clone(&self.query),
                among: Arc::clone(uids),
                from: *from,
            }),
            (State::Named(uids, from), None) => Next::Ask(Ask::Rows {
                uids: Arc::clone(uids),
                from: *from,
                needs: Needs::default(),
                rows_max: ROWS_MAX,
                bytes_max: FLUSH_BYTES,
            }),
            (State::Telling { from }, _) => {
                let from = *from;
                if self.returns.is_none() && self.tell_plain(core, from) == Told::Part {
                    return Next::Flush;
                }
                if let Some(wanted) = self.wanted.take() {
                    self.keep_context(core, wanted);
                }
                let done = Exceeded::tell(self.exceeded, core, Done::ok("SEARCH completed"));
                Next::Done(done.telling(self.news))
            }
        }
    }
}

/// How like messages are to what a FUZZY key asks for (RFC 6203 §4).
#[derive(Debug, Default)]
pub(super) struct Scores(BTreeMap<Uid, u8>);

impl Scores {
    pub(super) fn add(&mut self, scores: Vec<(Uid, u8)>) {
        self.0.extend(scores);
    }

    /// All of them, ascending by UID.
    pub(super) fn all(&self) -> Vec<(Uid, u8)> {
        self.0.iter().map(|(uid, score)| (*uid, *score)).collect()
    }

    /// Scores of these, in their order. RFC 6203 §4: "SHOULD use the full 1-100 range": the best one gets 100, the worst
    /// one 1, and what only exact keys found (under an OR) 1 as well.
    pub(super) fn of<'s>(&'s self, uids: impl Iterator<Item = Uid> + 's) -> impl Iterator<Item = u8> + 's {
        let (low, high) = (self.0.values().min().copied(), self.0.values().max().copied());
        let (low, high) = (u32::from(low.unwrap_or(1)), u32::from(high.unwrap_or(1)));
        uids.map(move |uid| match self.0.get(&uid).copied().map(u32::from) {
            None => 1,
            Some(_) if low == high => 100,
            Some(score) => (1 + (score - low) * 99 / (high - low)) as u8,
        })
    }
}

#[derive(PartialEq, Eq)]
enum Told {
    All,
    Part,
}

impl Search {
    /// RFC 5182 §2.1: keeps the result if it was asked for; a search that fails leaves an empty one.
    fn keep(&self, core: &mut Core, found: UidSet) {
        let saves = self.returns.as_ref().is_some_and(|returns| returns.contains(&SearchReturn::Save));
        if let (true, Some(view)) = (saves, &mut core.view) {
            view.saved = Some(Arc::new(found));
        }
    }

    /// RFC 5267 §4.3; a part of the messages is no result that could be kept.
    fn keep_context(&self, core: &mut Core, wanted: Wanted) {
        if self.exceeded.is_some() {
            let tag = core.tag.clone();
            return core.no_update(&tag);
        }
        context::keep(core, wanted, ContextResult::Mailbox(self.found.clone()));
    }

    /// The messages that MIN, MAX and PARTIAL name, if nothing but those is returned.
    fn named(&self) -> Option<UidSet> {
        let mut named = None;
        for wanted in self.returns.iter().flatten() {
            let messages: UidSet = match wanted {
                SearchReturn::All | SearchReturn::Count => return None,
                SearchReturn::Min => self.found.first().into_iter().collect(),
                SearchReturn::Max => self.found.last().into_iter().collect(),
                SearchReturn::Partial(range) => range.of(&self.found),
                SearchReturn::Save
                | SearchReturn::Relevancy
                | SearchReturn::Context
                | SearchReturn::Update(_) => continue,
            };
            named = Some(named.unwrap_or_else(UidSet::new).or(&messages));
        }
        named
    }

    /// Says how far a long search is; whether there was something to say.
    fn tell_progress(&mut self, core: &mut Core, from: Uid) -> bool {
        let done = self.among.count_up_to(Uid(from.0.saturating_sub(1)));
        let goal = self.among.len();
        if self.place.is_some() || core.now - self.heard_at < PROGRESS_S || done >= goal {
            return false;
        }
        self.heard_at = core.now;
        core.progress(done, goal);
        true
    }

    fn looked(&mut self, core: &mut Core) {
        // What the store found is in the view the client has, whatever happened since.
        self.found = self.found.and(&self.among);
        match self.named() {
            Some(named) if self.highest_modseq.is_some() && !named.is_empty() => {
                self.highest_modseq = None;
                self.state = State::Named(Arc::new(named), Uid(0));
            }
            _ => self.begin_telling(core),
        }
    }

    fn begin_telling(&mut self, core: &mut Core) {
        self.state = State::Telling { from: Uid(0) };
        let Some(returns) = &self.returns else {
            core.out.extend_from_slice(b"* SEARCH");
            return;
        };
        // RFC 7377 §2.1: no response of ESEARCH for mailboxes without a matching message.
        let silent = self.place.is_some() && self.found.is_empty();
        if !silent && returns.iter().any(|wanted| *wanted != SearchReturn::Save) {
            self.tell_extended(core, returns);
        }
        // RFC 5182 §2.4, RFC 9394 §3.2: without ALL and COUNT, only what MIN, MAX and PARTIAL name is kept.
        let kept = self.named().unwrap_or_else(|| self.found.clone());
        self.keep(core, kept);
    }

    /// `* SEARCH 1 2 3`, a flush at a time.
    fn tell_plain(&mut self, core: &mut Core, from: Uid) -> Told {
        let mut numbers = Numbers::default();
        for uid in self.found.iter_from(from) {
            let number = match self.numbering {
                Numbering::Uid => uid.0,
                Numbering::Sequence => match numbers.of(uid, &self.told) {
                    Some(number) => number.0,
                    None => continue,
                },
            };
            if core.out.len() >= FLUSH_BYTES {
                self.state = State::Telling { from: uid };
                return Told::Part;
            }
            core.out.push(b' ');
            write::number(&mut core.out, u64::from(number));
        }
        if let (false, Some(modseq)) = (self.found.is_empty(), self.highest_modseq) {
            // RFC 7162 §3.1.6
            core.out.extend_from_slice(format!(" (MODSEQ {modseq})").as_bytes());
        }
        core.out.extend_from_slice(b"\r\n");
        Told::All
    }

    /// `* ESEARCH (TAG "a") UID …` (RFC 4731 §3.1): MIN, MAX and ALL are left out when nothing was found.
    fn tell_extended(&self, core: &mut Core, returns: &[SearchReturn]) {
        let tag = core.tag.clone();
        let by_uid = self.numbering == Numbering::Uid;
        let shown = |uid: Uid| if by_uid { Some(uid.0) } else { self.told.rank(uid).map(|number| number.0) };
        let names = core.enabled.names();
        let mut response = match &self.place {
            Some(place) => {
                EsearchResponse::begin_in(&mut core.out, &tag, &place.name, names, place.uid_validity)
            }
            None => EsearchResponse::begin(&mut core.out, &tag, self.numbering),
        };
        for wanted in returns {
            match wanted {
                SearchReturn::Min => {
                    self.found.first().and_then(shown).into_iter().for_each(|n| response.min(n))
                }
                SearchReturn::Max => {
                    self.found.last().and_then(shown).into_iter().for_each(|n| response.max(n))
                }
                SearchReturn::Count => response.count(self.found.len()),
                SearchReturn::All if by_uid => response.all_uids(&self.found),
                SearchReturn::All => response.all_numbers(&self.told, &self.found),
                SearchReturn::Partial(range) if by_uid => {
                    response.partial_uids(*range, &range.of(&self.found));
                }
                SearchReturn::Partial(range) => {
                    response.partial_numbers(*range, &self.told, &range.of(&self.found));
                }
                SearchReturn::Save
                | SearchReturn::Relevancy
                | SearchReturn::Context
                | SearchReturn::Update(_) => {}
            }
        }
        if let (false, Some(modseq)) = (self.found.is_empty(), self.highest_modseq) {
            response.modseq(modseq);
        }
        if returns.contains(&SearchReturn::Relevancy) {
            // Of PARTIAL, where that is what names the messages.
            let partial = returns.iter().find_map(|wanted| match wanted {
                SearchReturn::Partial(range) => Some(range.of(&self.found)),
                _ => None,
            });
            response.relevancy(self.scores.of(partial.as_ref().unwrap_or(&self.found).iter()));
        }
        response.end();
    }
}
