//! UPDATE and CANCELUPDATE (RFC 5267 §4.3): which results are kept up to date. The keeping is `session::contexts`'.

use super::criteria::{Scope, translated};
use crate::command::{self, FetchItem, Numbering, SearchKey, SearchReturn};
use crate::sequence::SequenceSet;
use crate::session::{Context, ContextResult, Contexts, Core, Done};
use crate::view::View;
use model::{Comparator, Query, UidValidity};

/// CANCELUPDATE. A tag without context is as good as cancelled: it was refused before, or ended with its mailbox.
pub(super) fn cancel(core: &mut Core, tags: &[String]) -> Done {
    if let Some(view) = &mut core.view {
        Contexts::remove(view, tags);
    }
    Done::ok("CANCELUPDATE completed")
}

/// What a context looks for, to be asked again and again.
#[derive(Debug)]
pub(crate) struct ContextQuery {
    /// Without sequence numbers and `$`.
    key: SearchKey,
    charset: String,
    /// The active one of the command.
    pub(crate) comparator: Comparator,
}

impl ContextQuery {
    /// As the store understands it now.
    pub(crate) fn translate(&self, view: &View, now: i64) -> Option<Query> {
        let query = translated(view, &self.charset, now, &self.key).ok()?;
        Some(query.collated(self.comparator.collation))
    }
}

/// A command that asks for updates.
#[derive(Debug)]
pub(super) struct Wanted {
    numbering: Numbering,
    /// To be told of new messages.
    items: Vec<FetchItem>,
    /// None: too scattered to be kept.
    query: Option<ContextQuery>,
    /// The mailbox, for responses that name it (RFC 7377 §2.1).
    place: Option<(String, UidValidity)>,
}

impl Wanted {
    /// As ESEARCH wants it of the selected mailbox: by UID, and the mailbox named.
    pub fn named(self, mailbox: String, uid_validity: UidValidity) -> Wanted {
        Wanted { numbering: Numbering::Uid, place: Some((mailbox, uid_validity)), ..self }
    }
}

/// Whether a command asks for updates.
///
/// # Errors
/// RFC 5267 §4.3: BAD, if its tag is in use.
pub(super) fn wanted(core: &Core, search: &command::Search, charset: &str) -> Result<Option<Wanted>, Done> {
    let (mut asks, mut items) = (false, Vec::new());
    for wanted in search.returns.iter().flatten() {
        let SearchReturn::Update(more) = wanted else { continue };
        asks = true;
        let more = more.iter().filter(|item| !items.contains(*item)).cloned().collect::<Vec<_>>();
        items.extend(more);
    }
    let Some(view) = core.view.as_ref().filter(|_| asks) else { return Ok(None) };
    if view.contexts.as_ref().is_some_and(|contexts| contexts.has(&core.tag)) {
        return Err(Done::bad("Tag reuse"));
    }
    let query = frozen(&search.key, view).map(|key| ContextQuery {
        key,
        charset: charset.to_owned(),
        comparator: core.comparator,
    });
    Ok(Some(Wanted { numbering: search.numbering, items, query, place: None }))
}

/// Keeps a result, or says that it is not kept (RFC 5267 §4.3.1).
pub(super) fn keep(core: &mut Core, wanted: Wanted, result: ContextResult) {
    let Wanted { numbering, items, query, place } = wanted;
    let tag = core.tag.clone();
    let Some(view) = &mut core.view else { return };
    let has_room = view.contexts.as_ref().is_none_or(|contexts| contexts.have_room());
    let fits = !matches!(&result, ContextResult::Sorted(sorted) if !sorted.can_be_kept());
    match query.filter(|_| has_room && fits) {
        Some(query) => {
            let modseq = items.contains(&FetchItem::ModSeq);
            Contexts::add(view, Context { tag, numbering, items, query, result, place });
            // RFC 7162 §3.1: as FETCH of MODSEQ does.
            if modseq {
                super::any_state::enable_condstore(core);
            }
        }
        None => core.no_update(&tag),
    }
}

/// RFC 5267 §4.3: sequence numbers (and `$`) mean what they mean now. Recursion is as deep as the parser lets a key nest.
fn frozen(key: &SearchKey, view: &View) -> Option<SearchKey> {
    let frozen_all = |keys: &[SearchKey]| keys.iter().map(|key| frozen(key, view)).collect::<Option<_>>();
    let uids =
        |numbering, set| SequenceSet::of_uids(&Scope::of(view).within(numbering, set)).map(SearchKey::Uid);
    match key {
        SearchKey::Not(key) => frozen(key, view).map(Box::new).map(SearchKey::Not),
        SearchKey::Fuzzy(key) => frozen(key, view).map(Box::new).map(SearchKey::Fuzzy),
        SearchKey::Or(keys) => frozen_all(keys).map(SearchKey::Or),
        SearchKey::And(keys) => frozen_all(keys).map(SearchKey::And),
        SearchKey::Sequence(set) => uids(Numbering::Sequence, set),
        SearchKey::Uid(set @ SequenceSet::Saved) => uids(Numbering::Uid, set),
        key => Some(key.clone()),
    }
}
