//! Contexts (CONTEXT=SEARCH, CONTEXT=SORT; RFC 5267 §4.3): results of searches that are kept up to date for the client, by
//! ADDTO and REMOVEFROM in ESEARCH responses.
//!
//! Expunged messages leave a result before their EXPUNGE is sent, while their numbers are valid; messages that came or
//! changed are looked at after EXISTS and FETCH have told of them. Only those are searched again, and what joins a sorted
//! result is put in its place by a search among a few of those that are there (`placing`). Bounded: [`CONTEXTS_MAX`]
//! contexts of a session, [`SORTED_MAX`] messages in each that is sorted. What fails (the store is away) is made up for at
//! the next change.

mod placing;

use super::core::Core;
use super::running::Next;
use crate::ask::{Answer, Ask};
use crate::cmd::ContextQuery;
use crate::command::{FetchItem, Numbering};
use crate::mailbox_name::NameEncoding;
use crate::sequence::{write_numbers, write_uids};
use crate::view::View;
use crate::write::{self, InOrder};
use model::{Arrangement, ModSeq, Query, SortKey, Uid, UidSet, UidValidity};
use placing::Placing;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most contexts of a session.
pub(crate) const CONTEXTS_MAX: usize = 8;

/// Most messages of a sorted result that is kept: four octets each (and some ten for a score), and as many steps when one
/// joins or leaves.
pub(crate) const SORTED_MAX: usize = 250_000;

/// The contexts of a selected mailbox.
#[derive(Debug)]
pub(crate) struct Contexts {
    all: Vec<Context>,
    /// Up to which modification sequence the results are right.
    known: ModSeq,
    /// Messages that came after that, but those that this session brought.
    arrived: UidSet,
}

/// A search whose result is kept.
#[derive(Debug)]
pub(crate) struct Context {
    /// Of the command that made it.
    pub tag: String,
    /// How messages are named.
    pub numbering: Numbering,
    /// What is told of new messages that join it (RFC 5465 §7).
    pub items: Vec<FetchItem>,
    pub query: ContextQuery,
    pub result: ContextResult,
    /// Of an ESEARCH command: the mailbox, which its responses name (RFC 7377 §2.1).
    pub place: Option<(String, UidValidity)>,
}

/// What the client has been told, if it puts everything together.
#[derive(Debug)]
pub(crate) enum ContextResult {
    /// In mailbox order.
    Mailbox(UidSet),
    /// In the order of a SORT.
    Sorted(Box<SortedResult>),
}

/// A result in an order.
#[derive(Debug)]
pub(crate) struct SortedResult {
    pub by: Arc<Arrangement>,
    list: Vec<Uid>,
    /// The same without order.
    members: UidSet,
    /// How like its members are to what was looked for, if it is sorted by that (RFC 6203 §6). A message never changes, so
    /// neither does its score; only what clients are told is drawn apart to 1 to 100.
    scores: BTreeMap<Uid, u8>,
}

impl SortedResult {
    /// `scores`: of the messages, ascending by UID.
    pub fn new(by: Arc<Arrangement>, list: Vec<Uid>, scores: Vec<(Uid, u8)>) -> SortedResult {
        let scores =
            if by.is_by(&SortKey::Relevancy) { scores.into_iter().collect() } else { BTreeMap::new() };
        SortedResult { by, members: list.iter().copied().collect(), list, scores }
    }

    /// Whether it may be kept.
    pub fn can_be_kept(&self) -> bool {
        self.list.len() <= SORTED_MAX
    }

    /// Whether a message may change its place: of all keys, annotations alone ever change (RFC 5257 §4.9).
    fn moves(&self) -> bool {
        let Arrangement::Sorted(criteria) = &*self.by else { return false };
        criteria.iter().any(|criterion| matches!(criterion.key, SortKey::Annotation(_)))
    }
}

impl Contexts {
    /// The context of a tag.
    pub fn has(&self, tag: &str) -> bool {
        self.all.iter().any(|context| context.tag == tag)
    }

    /// Whether another one may be kept.
    pub fn have_room(&self) -> bool {
        self.all.len() < CONTEXTS_MAX
    }

    /// Adds one to those of a view.
    pub fn add(view: &mut View, context: Context) {
        let known = view.known;
        let contexts = view
            .contexts
            .get_or_insert_with(|| Box::new(Contexts { all: Vec::new(), known, arrived: UidSet::new() }));
        contexts.all.push(context);
    }

    /// CANCELUPDATE.
    pub fn remove(view: &mut View, tags: &[String]) {
        let Some(contexts) = &mut view.contexts else { return };
        contexts.all.retain(|context| !tags.contains(&context.tag));
        if contexts.all.is_empty() {
            view.contexts = None;
        }
    }

    /// Those that are told in sequence numbers, which end here: their tags.
    pub fn remove_numbered(view: &mut View) -> Vec<String> {
        let all = view.contexts.iter().flat_map(|contexts| &contexts.all);
        let numbered = all.filter(|context| context.numbering == Numbering::Sequence);
        let tags: Vec<String> = numbered.map(|context| context.tag.clone()).collect();
        Contexts::remove(view, &tags);
        tags
    }

    /// Whether something is told of new messages that join a result.
    pub fn fetch(view: &View) -> bool {
        view.contexts.as_ref().is_some_and(|contexts| contexts.all.iter().any(|it| !it.items.is_empty()))
    }

    /// New messages that others brought.
    pub fn note_arrived(view: &mut View, new: &UidSet) {
        if let Some(contexts) = &mut view.contexts {
            contexts.arrived = contexts.arrived.or(new);
        }
    }

    /// Tells that expunged messages leave the results.
    pub fn tell_gone(core: &mut Core) {
        let names = core.enabled.names();
        let Some(view) = &mut core.view else { return };
        let Some(mut contexts) = view.contexts.take() else { return };
        for context in &mut contexts.all {
            let changes = context.result.remove(view.withheld());
            context.tell(&mut core.out, view.told(), names, &[changes]);
        }
        view.contexts = Some(contexts);
    }
}

/// Results to be told: a word, and for each place what is there.
struct Changed {
    word: &'static [u8],
    /// Place 0: by number, wherever they are.
    sets: Vec<(usize, Vec<Uid>)>,
    anywhere: UidSet,
}

impl Changed {
    fn new(word: &'static [u8]) -> Changed {
        Changed { word, sets: Vec::new(), anywhere: UidSet::new() }
    }

    fn is_empty(&self) -> bool {
        self.sets.is_empty() && self.anywhere.is_empty()
    }
}

impl ContextResult {
    fn uids(&self) -> UidSet {
        match self {
            ContextResult::Mailbox(uids) => uids.clone(),
            ContextResult::Sorted(sorted) => sorted.members.clone(),
        }
    }

    fn remove(&mut self, gone: &UidSet) -> Changed {
        let mut changed = Changed::new(b" REMOVEFROM (");
        match self {
            _ if gone.is_empty() => {}
            ContextResult::Mailbox(uids) => {
                changed.anywhere = uids.and(gone);
                *uids = uids.minus(gone);
            }
            ContextResult::Sorted(sorted) if sorted.members.and(gone).is_empty() => {}
            ContextResult::Sorted(sorted) => {
                for (at, run) in runs(&sorted.list, gone) {
                    changed.sets.push((at + 1, run));
                }
                // The last places first, so that the earlier ones stay what they are.
                changed.sets.reverse();
                sorted.list.retain(|uid| !gone.contains(*uid));
                sorted.members = sorted.members.minus(gone);
                sorted.scores.retain(|uid, _| !gone.contains(*uid));
            }
        }
        changed
    }

    /// `placed`: where they belong, if the result is sorted, and their scores.
    fn add(&mut self, new: &UidSet, placed: Option<Placed>) -> Changed {
        let mut changed = Changed::new(b" ADDTO (");
        match self {
            ContextResult::Mailbox(uids) => {
                changed.anywhere = new.minus(uids);
                *uids = uids.or(new);
            }
            ContextResult::Sorted(sorted) => {
                let Some((placing, scores)) = placed else { return changed };
                let (list, runs) = placing.finish();
                for (at, run) in runs {
                    run.iter().for_each(|uid| sorted.members.push(*uid));
                    changed.sets.push((at + 1, run));
                }
                sorted.list = list;
                if sorted.by.is_by(&SortKey::Relevancy) {
                    sorted.scores.extend(scores);
                }
            }
        }
        changed
    }
}

/// Places of new messages, and how like they are.
type Placed = (Placing, BTreeMap<Uid, u8>);

/// Runs of neighbours in a list that are members of a set, with the place from 0 on of the first.
fn runs(list: &[Uid], members: &UidSet) -> Vec<(usize, Vec<Uid>)> {
    let mut runs: Vec<(usize, Vec<Uid>)> = Vec::new();
    for (at, uid) in list.iter().enumerate().filter(|(_, uid)| members.contains(**uid)) {
        match runs.last_mut() {
            Some((start, run)) if *start + run.len() == at => run.push(*uid),
            _ => runs.push((at, vec![*uid])),
        }
    }
    runs
}

impl Context {
    /// `* ESEARCH (TAG "B01") UID ADDTO (0 32768:32769)` (RFC 5267 §4.3.3, §4.3.4); nothing if nothing changed.
    fn tell(&self, out: &mut Vec<u8>, told: &UidSet, names: NameEncoding, changes: &[Changed]) {
        if changes.iter().all(Changed::is_empty) {
            return;
        }
        out.extend_from_slice(b"* ESEARCH (TAG ");
        write::string(out, self.tag.as_bytes());
        if let Some((mailbox, uid_validity)) = &self.place {
            out.extend_from_slice(b" MAILBOX ");
            write::mailbox(out, mailbox, names);
            out.extend_from_slice(b" UIDVALIDITY ");
            write::number(out, u64::from(uid_validity.0));
        }
        out.push(b')');
        if self.numbering == Numbering::Uid {
            out.extend_from_slice(b" UID");
        }
        for changed in changes.iter().filter(|changed| !changed.is_empty()) {
            out.extend_from_slice(changed.word);
            if !changed.anywhere.is_empty() {
                out.extend_from_slice(b"0 ");
                match self.numbering {
                    Numbering::Uid => write_uids(out, &changed.anywhere),
                    Numbering::Sequence => write_numbers(out, told, &changed.anywhere),
                }
            }
            for (nth, (place, run)) in changed.sets.iter().enumerate() {
                if nth > 0 {
                    out.push(b' ');
                }
                write::number(out, *place as u64);
                out.push(b' ');
                let mut set = InOrder::default();
                for uid in run {
                    let number = match self.numbering {
                        Numbering::Uid => uid.0,
                        Numbering::Sequence => told.rank(*uid).map_or(0, |number| number.0),
                    };
                    set.push(out, number);
                }
                set.finish(out);
            }
            out.push(b')');
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// Brings the results up to date, one context after the other.
#[derive(Debug)]
pub(crate) struct Updating {
    /// The context under way.
    at: usize,
    /// The state that this leads to.
    up_to: ModSeq,
    stage: Stage,
    /// New messages that have joined a result, and what is to be told of them.
    pub joined: Vec<(UidSet, Vec<FetchItem>)>,
}

#[derive(Debug)]
enum Stage {
    /// What has changed?
    Ask,
    /// Does it match?
    Search { changed: Arc<UidSet>, query: Arc<Query>, from: Uid, found: UidSet, scores: BTreeMap<Uid, u8> },
    /// Where does it belong?
    Place { changed: Arc<UidSet>, joined: UidSet, left: UidSet, placed: Box<Placed>, asked: Arc<UidSet> },
}

impl Updating {
    /// None: nothing to bring up to date.
    pub fn new(core: &Core) -> Option<Updating> {
        let view = core.view.as_ref()?;
        let contexts = view.contexts.as_ref()?;
        let updating = Updating { at: 0, up_to: view.known, stage: Stage::Ask, joined: Vec::new() };
        (contexts.known < view.known).then_some(updating)
    }

    /// Goes on, at first without an answer. None: it is through, or nothing can be done now.
    pub fn step(&mut self, core: &mut Core, answer: Option<Answer>) -> Option<Next> {
        match answer {
            None => {}
            Some(Answer::Resync { changed, .. }) => {
                let view = core.view.as_ref()?;
                let changed = Arc::new(changed.and(view.told()).minus(view.withheld()));
                self.begin(core, changed)?;
            }
            Some(Answer::Found { uids, scores: more, next, .. }) => {
                let Stage::Search { from, found, scores, .. } = &mut self.stage else { return None };
                *found = found.or(&uids);
                scores.extend(more);
                match next {
                    Some(next) => *from = next,
                    None => self.found(core)?,
                }
            }
            Some(Answer::Sorted(sorted)) => {
                let Stage::Place { placed, asked, .. } = &mut self.stage else { return None };
                let placing = &mut placed.0;
                let sorted: Vec<Uid> = sorted.into_iter().filter(|uid| asked.contains(*uid)).collect();
                placing.answer(&sorted);
                match placing.question() {
                    Some(next) => *asked = next,
                    None => self.placed(core)?,
                }
            }
            Some(Answer::Preparing) => {}
            // Later: `known` stays where it is.
            Some(_) => return None,
        }
        self.question(core)
    }

    fn question(&self, core: &Core) -> Option<Next> {
        let contexts = core.view.as_ref()?.contexts.as_ref()?;
        Some(Next::Ask(match &self.stage {
            Stage::Ask => Ask::Resync { since: contexts.known },
            Stage::Search { changed, query, from, .. } => {
                Ask::Search { query: Arc::clone(query), among: Arc::clone(changed), from: *from }
            }
            Stage::Place { asked, placed, .. } => {
                let context = contexts.all.get(self.at - 1)?;
                let ContextResult::Sorted(sorted) = &context.result else { return None };
                let score = |uid: Uid| sorted.scores.get(&uid).or_else(|| placed.1.get(&uid)).copied();
                let scores = match sorted.by.is_by(&SortKey::Relevancy) {
                    true => asked.iter().filter_map(|uid| Some((uid, score(uid)?))).collect(),
                    false => Vec::new(),
                };
                Ask::Order {
                    uids: Arc::clone(asked),
                    arrangement: Arc::clone(&sorted.by),
                    comparator: context.query.comparator,
                    scores,
                }
            }
        }))
    }

    /// Begins the next context. None: there is none, and all is up to date.
    fn begin(&mut self, core: &mut Core, changed: Arc<UidSet>) -> Option<()> {
        let now = core.now;
        let view = core.view.as_mut()?;
        let query = match view.contexts.as_ref()?.all.get(self.at) {
            Some(context) if !changed.is_empty() => Arc::new(context.query.translate(view, now)?),
            _ => {
                let contexts = view.contexts.as_mut()?;
                contexts.known = self.up_to;
                contexts.arrived = UidSet::new();
                return None;
            }
        };
        self.at += 1;
        let (found, scores) = (UidSet::new(), BTreeMap::new());
        self.stage = Stage::Search { changed, query, from: Uid(0), found, scores };
        Some(())
    }

    /// What matches now is known.
    fn found(&mut self, core: &mut Core) -> Option<()> {
        let Stage::Search { changed, found, scores, .. } = &mut self.stage else { return None };
        let (changed, found, scores) = (Arc::clone(changed), found.and(changed), std::mem::take(scores));
        let context = core.view.as_ref()?.contexts.as_ref()?.all.get(self.at - 1)?;
        let before = context.result.uids();
        let (mut joined, mut left) = (found.minus(&before), before.and(&changed).minus(&found));
        if let ContextResult::Sorted(sorted) = &context.result {
            if sorted.moves() {
                // RFC 5267 §4.3.4: what has another place now leaves the old one.
                (joined, left) = (found, before.and(&changed));
            }
            if !joined.is_empty() {
                let stay = |uid: &Uid| left.is_empty() || !left.contains(*uid);
                let base = sorted.list.iter().copied().filter(stay).collect();
                let mut placing = Placing::new(base, &joined);
                let question = placing.question();
                let asked = question.clone().unwrap_or_default();
                let placed = Box::new((placing, scores));
                self.stage = Stage::Place { changed, joined, left, placed, asked };
                return if question.is_some() { Some(()) } else { self.placed(core) };
            }
        }
        self.tell(core, &joined, &left, None);
        self.begin(core, changed)
    }

    /// Every new message has its place.
    fn placed(&mut self, core: &mut Core) -> Option<()> {
        let Stage::Place { changed, joined, left, placed, .. } =
            std::mem::replace(&mut self.stage, Stage::Ask)
        else {
            return None;
        };
        self.tell(core, &joined, &left, Some(*placed));
        self.begin(core, changed)
    }

    fn tell(&mut self, core: &mut Core, joined: &UidSet, left: &UidSet, placed: Option<Placed>) {
        let names = core.enabled.names();
        let Some(view) = &mut core.view else { return };
        let Some(mut contexts) = view.contexts.take() else { return };
        if let Some(context) = contexts.all.get_mut(self.at - 1) {
            let mut changes = vec![context.result.remove(left)];
            if !joined.is_empty() {
                changes.push(context.result.add(joined, placed));
                let new = joined.and(&contexts.arrived);
                // RFC 5465 §7: not of what joins because its flags have changed.
                if !context.items.is_empty() && !new.is_empty() {
                    self.joined.push((new, context.items.clone()));
                }
            }
            context.tell(&mut core.out, view.told(), names, &changes);
        }
        view.contexts = Some(contexts);
    }
}

impl Core {
    /// RFC 5267 §4.3.1: there are no updates for that command.
    pub fn no_update(&mut self, tag: &str) {
        // No character of a tag needs an escape (RFC 9051 §9).
        self.tell("NO", format_args!("[NOUPDATE \"{tag}\"] That result is not kept up to date"));
    }
}
