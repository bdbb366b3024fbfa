//! SEARCH and UID SEARCH (RFC 9051 §6.4.4; ESEARCH: RFC 4731; `$`: RFC 5182; MODSEQ: RFC 7162 §3.1.5; PARTIAL: RFC 9394).

use super::any_state::enable_condstore;
use super::context::{self, Wanted};
use super::limit::{self, Exceeded};
use super::{Begun, news_after, resolve};
use crate::ask::{Answer, Ask, Needs};
use crate::command::{self, Numbering, SearchKey, SearchReturn};
use crate::mailbox_name::NameEncoding;
use crate::session::{
    ContextResult, Core, Done, Event, MessageLimit, News, Next, ROWS_MAX, Running, otherwise,
};
use crate::view::{Numbers, View};
use crate::write::{self, EsearchResponse, email_id_from, thread_id_from};
use model::Query;
use model::{Flag, ModSeq, Uid, UidSet, UnixTime};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::FLUSH_BYTES;

#[derive(Debug)]
struct Search {
    numbering: Numbering,
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

/// What a searching command has before it asks.
pub(super) struct Ready {
    pub query: Arc<Query>,
    /// What may be told at the end.
    pub news: News,
    /// UPDATE was given.
    pub wanted: Option<Wanted>,
}

/// Whether the syntax of a command asks for a charset.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CharsetIs {
    /// SEARCH
    Optional,
    /// SORT, THREAD: there is no other way than to name one.
    Required,
}

/// Makes a searching command ready to ask.
///
/// # Errors
/// Its end, if it can't be understood.
pub(super) fn ready(core: &mut Core, search: &command::Search, charset_is: CharsetIs) -> Result<Ready, Done> {
    let Some(view) = &core.view else { return Err(Done::bad("No mailbox is selected")) };
    let charset = search.charset.as_deref();
    if let Some(charset) = charset
        && !mime::charset::is_known(charset)
    {
        return Err(bad_charset().telling(news_after(search.numbering)));
    }
    let may_be_named = |charset: &str| {
        charset_is == CharsetIs::Required
            && ["UTF-8", "US-ASCII"].iter().any(|name| charset.eq_ignore_ascii_case(name))
    };
    if core.enabled.utf8 && charset.is_some_and(|charset| !may_be_named(charset)) {
        // RFC 9755 §3: the charset is UTF-8, and naming one may contradict that.
        return Err(Done::bad("CHARSET can't be given after ENABLE UTF8=ACCEPT"));
    }
    let default = if core.enabled.names() == NameEncoding::Utf8 { "UTF-8" } else { "US-ASCII" };
    let translation = Translation { view, charset: charset.unwrap_or(default), now: core.now };
    // RFC 7162 §3.2.10.2, RFC 9051 §7.5.1: no message may leave while numbers of the criteria are still meant.
    let news = if search.key.holds(&|key| matches!(key, SearchKey::Sequence(_))) {
        News::Numbered
    } else {
        news_after(search.numbering)
    };
    let query = translation.query(&search.key).map_err(|done| done.telling(News::None))?;
    if search.key.holds(&|key| matches!(key, SearchKey::ModSeq(_))) {
        enable_condstore(core);
    }
    let wanted = context::wanted(core, search, charset.unwrap_or(default))?;
    Ok(Ready { query: Arc::new(query), news, wanted })
}

/// What the store understands of a key.
///
/// # Errors
/// BAD or NO, if it can't be said in this view and charset.
pub(super) fn translated(view: &View, charset: &str, now: i64, key: &SearchKey) -> Result<Query, Done> {
    Translation { view, charset, now }.query(key)
}

/// Seconds between two reports of a search's progress (RFC 9585 §4: 10 to 15).
pub(super) const PROGRESS_S: i64 = 10;

/// RFC 9051 §6.4.4: the response code lists what is supported; these are the names that mail uses.
fn bad_charset() -> Done {
    Done::no(
        "[BADCHARSET (US-ASCII UTF-8 ISO-8859-1 ISO-8859-2 ISO-8859-5 ISO-8859-15 KOI8-R KOI8-U WINDOWS-1251 \
         WINDOWS-1252 GB18030 BIG5 SHIFT_JIS ISO-2022-JP EUC-KR)] That charset is not known",
    )
}

/// Turns what the client wrote into what the store understands.
struct Translation<'a> {
    view: &'a View,
    charset: &'a str,
    now: i64,
}

impl Translation<'_> {
    /// Recursion is as deep as the parser lets a key nest.
    fn query(&self, key: &SearchKey) -> Result<Query, Done> {
        let recent = || Query::Uids(self.view.recent.clone());
        Ok(match key {
            // RFC 8514 §4.3: true for all messages, since every mailbox here keeps the date.
            SearchKey::All | SearchKey::SaveDateSupported => Query::All,
            SearchKey::Sequence(set) => Query::Uids(resolve(self.view, Numbering::Sequence, set)?),
            SearchKey::Uid(set) => Query::Uids(resolve(self.view, Numbering::Uid, set)?),
            SearchKey::UidAfter(uid) => Query::Uids(uid_range(uid.0.saturating_add(1), u32::MAX, *uid)),
            SearchKey::UidBefore(uid) => Query::Uids(uid_range(1, uid.0 - 1, *uid)),
            SearchKey::Flag(flag) => Query::Flag(*flag),
            SearchKey::Keyword(keyword) => Query::Keyword(keyword.clone()),
            SearchKey::Recent => recent(),
            SearchKey::Old => Query::Not(Box::new(recent())),
            SearchKey::New => Query::And(vec![recent(), Query::Not(Box::new(Query::Flag(Flag::Seen)))]),
            SearchKey::Not(key) => Query::Not(Box::new(self.query(key)?)),
            SearchKey::Fuzzy(key) => Query::Fuzzy(Box::new(self.query(key)?)),
            SearchKey::Or(keys) => Query::Or(self.queries(keys)?),
            SearchKey::And(keys) => Query::And(self.queries(keys)?),
            SearchKey::Header { name, text } => Query::Header { name: name.clone(), text: self.text(text)? },
            SearchKey::Body(text) => Query::Body(self.text(text)?),
            SearchKey::Text(text) => Query::Text(self.text(text)?),
            SearchKey::Larger(size) => Query::Larger(*size),
            SearchKey::Smaller(size) => Query::Smaller(*size),
            SearchKey::Date(date, when, day) => Query::Date(*date, *when, *day),
            // RFC 5032 §3: relative to the moment of the command.
            SearchKey::Younger(seconds) => Query::ArrivedFrom(UnixTime(self.now - i64::from(*seconds))),
            SearchKey::Older(seconds) => Query::ArrivedUpTo(UnixTime(self.now - i64::from(*seconds))),
            SearchKey::ModSeq(modseq) => Query::ModSeq(*modseq),
            // RFC 5466: put in before; none is left here.
            SearchKey::Filter(_) => none(),
            // RFC 8474 §5.3: an id that was never given names nothing.
            SearchKey::EmailId(id) => email_id_from(id, self.view.owner).map_or_else(none, Query::EmailId),
            SearchKey::ThreadId(id) => thread_id_from(id, self.view.owner).map_or_else(none, Query::ThreadId),
        })
    }

    fn queries(&self, keys: &[SearchKey]) -> Result<Vec<Query>, Done> {
        keys.iter().map(|key| self.query(key)).collect()
    }

    fn text(&self, bytes: &[u8]) -> Result<String, Done> {
        mime::charset::decode(self.charset, bytes).map(std::borrow::Cow::into_owned).ok_or_else(bad_charset)
    }
}

/// UIDs from `first` to `last`, but never `without`, which lies beside them.
fn uid_range(first: u32, last: u32, without: Uid) -> UidSet {
    let mut uids = UidSet::new();
    if first <= last {
        uids.insert_range(Uid(first), Uid(last));
    }
    uids.remove(without);
    uids
}

/// The messages that a search looks at (RFC 9738 §3.1: those count, found or not).
fn searched(core: &Core, view: &View, query: &Query) -> (Arc<UidSet>, Option<Exceeded>) {
    if !matches!(core.settings.message_limit, MessageLimit::Every(_)) {
        return (Arc::clone(view.told()), None);
    }
    let named = match query {
        Query::And(queries) => queries.as_slice(),
        query => std::slice::from_ref(query),
    };
    let mut among = UidSet::clone(view.told());
    for query in named {
        if let Query::Uids(uids) = query {
            among = among.and(uids);
        }
    }
    let (among, exceeded) = limit::cut(core, among);
    (Arc::new(among), exceeded)
}

fn none() -> Query {
    Query::Uids(UidSet::new())
}

impl Running for Search {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match event {
            Event::Go => {}
            Event::Answer(Answer::Found { uids, scores, highest_modseq, next }) => {
                self.scores.add(scores);
                self.found = self.found.or(&uids);
                self.highest_modseq = self.highest_modseq.max(highest_modseq);
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
        match &self.state {
            State::Looking { from } => Next::Ask(Ask::Search {
                query: Arc::clone(&self.query),
                among: Arc::clone(&self.among),
                from: *from,
            }),
            State::Named(uids, from) => Next::Ask(Ask::Rows {
                uids: Arc::clone(uids),
                from: *from,
                needs: Needs::default(),
                rows_max: ROWS_MAX,
                bytes_max: FLUSH_BYTES,
            }),
            State::Telling { from } => {
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
                | SearchReturn::Update => continue,
            };
            named = Some(named.unwrap_or_else(UidSet::new).or(&messages));
        }
        named
    }

    /// Says how far a long search is; whether there was something to say.
    fn tell_progress(&mut self, core: &mut Core, from: Uid) -> bool {
        let done = self.among.count_up_to(Uid(from.0.saturating_sub(1)));
        let goal = self.among.len();
        if core.now - self.heard_at < PROGRESS_S || done >= goal {
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
        if returns.iter().any(|wanted| *wanted != SearchReturn::Save) {
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
        let mut response = EsearchResponse::begin(&mut core.out, &tag, self.numbering);
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
                | SearchReturn::Update => {}
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
