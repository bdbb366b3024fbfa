//! ESEARCH (RFC 7377): one mailbox after the other is looked up, searched as SEARCH searches, and told of.
//!
//! Only the names of the mailboxes and the result of one of them are held. Who may not read a mailbox never learns that
//! it is there (§2.2, §5): refusals of single mailboxes are passed over.

use super::Begun;
use super::any_state::enable_condstore;
use super::context::{self, Wanted};
use super::criteria::{CharsetIs, Scope, charset, news_after_keys, queried};
use super::limit::{self, Exceeded};
use super::search::{self, PROGRESS_S, Place, Search};
use crate::ask::{Answer, Ask, CountersNeed, Glance, MailboxRow, RefusedKind};
use crate::command::{self, SearchKey, SearchReturn, SourceMailboxes};
use crate::session::{Core, Done, Event, MessageLimit, News, Next, Running, otherwise};
use crate::write::Condition;
use model::{Right, UidSet};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use wire::FLUSH_BYTES;

/// Most names of mailboxes in one command: every mailbox is held against each of them.
const NAMES_MAX: usize = 1000;

/// Most mailboxes of one command (RFC 7377 §2.4).
const MAILBOXES_MAX: usize = 20_000;

#[derive(Debug)]
struct Esearch {
    sources: Vec<SourceMailboxes>,
    key: SearchKey,
    charset: String,
    returns: Vec<SearchReturn>,
    news: News,
    /// UPDATE was given, and the selected mailbox was not met yet.
    wanted: Option<Wanted>,
    /// Mailboxes to come; None: they are not known yet.
    targets: Option<VecDeque<Target>>,
    /// How many there were.
    total: usize,
    /// Ids of those that were met: no one is searched twice, whatever it is called.
    met: BTreeSet<(u32, u32)>,
    current: Option<Current>,
    /// Messages looked at.
    looked: u32,
    exceeded: Option<Exceeded>,
    /// When the client last heard of this search, or it began.
    heard_at: i64,
}

/// A mailbox under way.
#[derive(Debug)]
enum Current {
    /// It is looked up.
    Glance { elsewhere: bool },
    /// It is searched.
    Search { search: Box<Search>, elsewhere: bool },
}

#[derive(Debug)]
enum Target {
    Selected,
    Named(String),
}

pub(super) fn start(core: &mut Core, sources: &[SourceMailboxes], search: command::Search) -> Begun {
    match prepare(core, sources, search) {
        Ok(esearch) => Begun::Run(Box::new(esearch)),
        Err(done) => Begun::Now(done),
    }
}

fn prepare(core: &mut Core, sources: &[SourceMailboxes], search: command::Search) -> Result<Esearch, Done> {
    let is_selected = |source: &SourceMailboxes| *source == SourceMailboxes::Selected;
    // RFC 7377 §2.2: without source options, "selected" is assumed.
    if core.view.is_none() && (sources.is_empty() || sources.iter().any(is_selected)) {
        return Err(Done::bad("No mailbox is selected"));
    }
    // §2.1: the source option implies ALL; and without one there is no other response than ESEARCH either.
    let returns = search.returns.clone().unwrap_or_else(|| vec![SearchReturn::All]);
    if returns.contains(&SearchReturn::Save) && !sources.iter().all(is_selected) {
        return Err(Done::bad("SAVE is for the selected mailbox alone"));
    }
    let updates = returns.iter().any(|wanted| matches!(wanted, SearchReturn::Update(_)));
    if updates && core.view.is_none() {
        return Err(Done::bad("UPDATE needs a selected mailbox"));
    }
    if sources.iter().map(|source| source.names().len()).sum::<usize>() > NAMES_MAX {
        return Err(Done::no("[LIMIT] Too many mailboxes are named"));
    }
    let charset = charset(core, &search, CharsetIs::Optional)?.to_owned();
    // What can't be said at all is told before anything is searched.
    let nothing = UidSet::new();
    let scope = Scope { told: &nothing, recent: &nothing, saved: None, owner: Default::default() };
    queried(&scope, &charset, core.now, &search.key).map_err(|done| done.telling(News::None))?;
    if search.key.holds(&|key| matches!(key, SearchKey::ModSeq(_))) {
        enable_condstore(core);
    }
    // RFC 7377 §2.2: it applies to the selected mailbox alone.
    let wanted = context::wanted(core, &search, &charset)?;
    let news = news_after_keys(&search);
    let sources = if sources.is_empty() { vec![SourceMailboxes::Selected] } else { sources.to_vec() };
    Ok(Esearch {
        sources,
        key: search.key,
        charset,
        returns,
        news,
        wanted,
        targets: None,
        total: 0,
        met: BTreeSet::new(),
        current: None,
        looked: 0,
        exceeded: None,
        heard_at: core.now,
    })
}

/// A refusal that says nothing but that a mailbox is not there for this user.
fn is_gone(event: &Event) -> bool {
    matches!(event, Event::Answer(Answer::Refused(refused))
        if matches!(refused.kind, RefusedKind::NonExistent | RefusedKind::NoPerm))
}

impl Running for Esearch {
    fn resume(&mut self, core: &mut Core, event: Event) -> Next {
        match self.current.take() {
            Some(Current::Glance { elsewhere: true } | Current::Search { elsewhere: true, .. })
                if is_gone(&event) =>
            {
                self.next(core)
            }
            Some(Current::Search { search, elsewhere }) => self.go_on(core, search, elsewhere, event),
            Some(Current::Glance { .. }) => match event {
                Event::Answer(Answer::Glance(glance)) => self.begin(core, *glance),
                event => self.failed(core, event),
            },
            None => match event {
                Event::Go if self.targets.is_some() => self.next(core),
                Event::Go if self.sources.iter().all(|source| listed(source).is_none()) => {
                    self.collect(core, &[])
                }
                Event::Go => Next::Ask(Ask::Mailboxes { counters: CountersNeed::None }),
                Event::Answer(Answer::Mailboxes(rows)) => self.collect(core, &rows),
                event => self.failed(core, event),
            },
        }
    }
}

/// Those of whose mailboxes the names have to be looked for.
fn listed(source: &SourceMailboxes) -> Option<&SourceMailboxes> {
    (!matches!(source, SourceMailboxes::Selected | SourceMailboxes::Mailboxes(_))).then_some(source)
}

impl Esearch {
    /// The end of a search that can't go on. RFC 5182 §2.1: it leaves an empty result.
    fn failed(&self, core: &mut Core, event: Event) -> Next {
        if let (true, Some(view)) = (self.returns.contains(&SearchReturn::Save), &mut core.view) {
            view.saved = Some(Arc::default());
        }
        match otherwise(event) {
            Next::Done(done) => Next::Done(done.telling(self.news)),
            next => next,
        }
    }

    /// Writes down which mailboxes are meant, in the order of the sources.
    fn collect(&mut self, core: &mut Core, rows: &[MailboxRow]) -> Next {
        // RFC 7377 §2.2: "r" for all; "l" for those that are not named.
        let may = |row: &&MailboxRow| {
            row.id.is_some() && row.rights.has(Right::Lookup) && row.rights.has(Right::Read)
        };
        let mut names = BTreeSet::new();
        let mut targets = VecDeque::new();
        for source in &self.sources {
            if *source == SourceMailboxes::Selected {
                targets.push_back(Target::Selected);
            }
            // The root of a subtree is named.
            let named = source.names().iter().filter(|name| !name.is_empty()).map(String::as_str);
            let held = rows.iter().filter(may);
            let held = held.filter(|row| {
                listed(source).is_some_and(|source| source.holds_name(&row.name, row.subscribed))
            });
            for name in named.chain(held.map(|row| row.name.as_str())) {
                if names.insert(name) {
                    targets.push_back(Target::Named(name.to_owned()));
                }
            }
        }
        self.total = targets.len();
        if self.total > MAILBOXES_MAX {
            return Next::Done(Done::no("[LIMIT] Too many mailboxes to search").telling(self.news));
        }
        self.targets = Some(targets);
        self.next(core)
    }

    /// Looks up the next mailbox, or ends.
    fn next(&mut self, core: &mut Core) -> Next {
        if core.out.len() >= FLUSH_BYTES {
            return Next::Flush;
        }
        let mailbox = match self.targets.as_mut().and_then(VecDeque::pop_front) {
            Some(Target::Selected) => None,
            Some(Target::Named(name)) => Some(name),
            None => {
                if self.wanted.is_some() {
                    // RFC 5267 §4.3.1: the selected mailbox is not among those that were searched.
                    let tag = core.tag.clone();
                    core.no_update(&tag);
                }
                let done = Exceeded::tell(self.exceeded, core, Done::ok("ESEARCH completed"));
                return Next::Done(done.telling(self.news));
            }
        };
        self.current = Some(Current::Glance { elsewhere: mailbox.is_some() });
        Next::Ask(Ask::Glance { mailbox })
    }

    fn begin(&mut self, core: &mut Core, glance: Glance) -> Next {
        let Glance { name, mailbox, owner, uid_validity, uids, recent } = glance;
        if !self.met.insert((owner.0, mailbox.0)) {
            return self.next(core);
        }
        let view = core.view.as_ref().filter(|view| (view.owner, view.mailbox) == (owner, mailbox));
        // Of the selected mailbox, what its client knows.
        let scope = match view {
            Some(view) => Scope::of(view),
            None => Scope { told: &uids, recent: &recent, saved: None, owner },
        };
        let query = match queried(&scope, &self.charset, core.now, &self.key) {
            Ok(query) => query.collated(core.comparator.collation),
            Err(done) => return Next::Done(done.telling(News::None)),
        };
        let mut among = view.map_or(uids, |view| Arc::clone(view.told()));
        let elsewhere = view.is_none().then_some((owner, mailbox));
        if let MessageLimit::Every(limit) = core.settings.message_limit {
            let (cut, exceeded) = limit::cut(core, search::named_among(&among, &query));
            self.looked = self.looked.saturating_add(cut.len());
            if self.total == 1 {
                self.exceeded = exceeded;
            } else if exceeded.is_some() || self.looked > limit {
                // RFC 7377 §2.4; RFC 9738's code can't say in which mailbox.
                let text = "[LIMIT] ESEARCH completed with a part of the mailboxes";
                return Next::Done(Done::ok(text).telling(self.news));
            }
            among = Arc::new(cut);
        }
        let wanted = if elsewhere.is_none() { self.wanted.take() } else { None };
        let wanted = wanted.map(|wanted| wanted.named(name.clone(), uid_validity));
        let place = Place { name, uid_validity, elsewhere };
        let search = search::of_place(place, &self.returns, Arc::new(query), among, wanted);
        self.go_on(core, Box::new(search), elsewhere.is_some(), Event::Go)
    }

    fn go_on(&mut self, core: &mut Core, mut search: Box<Search>, elsewhere: bool, event: Event) -> Next {
        let next = search.resume(core, event);
        match next {
            Next::Done(done) if done.condition == Condition::Ok => return self.next(core),
            Next::Done(done) => return Next::Done(done.telling(self.news)),
            next => {
                self.current = Some(Current::Search { search, elsewhere });
                if core.now - self.heard_at < PROGRESS_S {
                    return next;
                }
            }
        }
        // The search asks once more after the flush.
        self.heard_at = core.now;
        let done = self.met.len() - 1;
        core.mailboxes_progress(done, self.total.max(done + 1));
        Next::Flush
    }
}
