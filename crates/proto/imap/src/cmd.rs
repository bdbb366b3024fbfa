//! The commands, a file for each or for each family, and the one place that says in which state each is allowed.

mod acl;
mod any_state;
mod append;
mod auth;
mod comparator;
mod context;
mod copy;
mod criteria;
mod esearch;
mod expunge;
mod fetch;
mod filter;
mod idle;
mod limit;
mod list;
mod mailbox;
mod metadata;
mod namespace;
mod notify;
mod order;
mod quota;
mod replace;
mod rev2;
mod search;
mod select;
mod status;
mod store;
mod uid_batches;
mod uid_only;
mod url_auth;
mod url_fetch;

use crate::ask::Access;
use crate::command::{Body, FetchItem, Numbering};
use crate::sequence::SequenceSet;
use crate::session::{Core, Done, News, Running};
use crate::view::View;
use crate::write::Condition;
use model::UidSet;
use std::sync::Arc;

pub(crate) use context::ContextQuery;

/// What beginning a command leads to.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It has ended already.
    Now(Done),
    /// It takes steps.
    Run(Box<dyn Running>),
    /// STARTTLS: reply, then the handshake.
    StartTls,
    /// LOGOUT: say good-bye, reply, close.
    Logout,
}

/// The states of RFC 9051 §3 in which a command may be given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Allowed {
    Always,
    BeforeLogin,
    LoggedIn,
    Selected,
}

fn allowed(body: &Body) -> Allowed {
    match body {
        Body::Capability | Body::Noop | Body::Logout | Body::Id(_) | Body::Language(_) => Allowed::Always,
        Body::StartTls | Body::Authenticate { .. } | Body::Login { .. } => Allowed::BeforeLogin,
        Body::Check
        | Body::Close
        | Body::Unselect
        | Body::UidBatches { .. }
        | Body::Expunge(_)
        | Body::Search(_)
        | Body::Arrange { .. }
        | Body::CancelUpdate(_)
        | Body::Fetch(_)
        | Body::Store(_)
        | Body::Replace { .. }
        | Body::Copy { .. } => Allowed::Selected,
        Body::Unauthenticate
        | Body::Compress(_)
        | Body::Comparator(_)
        | Body::Enable(_)
        | Body::Select { .. }
        | Body::Create { .. }
        | Body::Delete(_)
        | Body::Rename { .. }
        | Body::Subscribe(_)
        | Body::Unsubscribe(_)
        | Body::List(_)
        | Body::Lsub { .. }
        | Body::Namespace
        | Body::Status { .. }
        | Body::Append { .. }
        | Body::GenUrlAuth(_)
        | Body::UrlFetch(_)
        | Body::ResetKey { .. }
        | Body::Esearch { .. }
        | Body::Idle
        | Body::Notify(_)
        | Body::GetMetadata { .. }
        | Body::SetMetadata { .. }
        | Body::Acl { .. }
        | Body::GetQuota(_)
        | Body::GetQuotaRoot(_)
        | Body::SetQuota { .. } => Allowed::LoggedIn,
    }
}

/// RFC 3501 §3: a command in the wrong state is a protocol error.
fn wrong_state(core: &Core, body: &Body) -> Option<Done> {
    let name = body.name();
    match allowed(body) {
        Allowed::BeforeLogin if core.user.is_some() => {
            Some(Done::bad(format!("{name} is not allowed after the log-in")))
        }
        Allowed::LoggedIn | Allowed::Selected if core.user.is_none() => {
            Some(Done::bad(format!("{name} needs a log-in first")))
        }
        Allowed::Selected if core.view.is_none() => {
            Some(Done::bad(format!("{name} needs a selected mailbox")))
        }
        _ => None,
    }
}

/// What may be done without saying who one is (RFC 4505): a list of what is harmless, so that nothing new slips in.
fn for_anybody(body: &Body) -> bool {
    matches!(
        body,
        Body::Capability
            | Body::Noop
            | Body::Logout
            | Body::Id(_)
            | Body::Language(_)
            | Body::Check
            | Body::Close
            | Body::Unselect
            | Body::Search(_)
            | Body::Esearch { .. }
            | Body::Arrange { .. }
            | Body::CancelUpdate(_)
            | Body::Fetch(_)
            | Body::UidBatches { .. }
            | Body::UrlFetch(_)
            | Body::Unauthenticate
            | Body::Compress(_)
            | Body::Comparator(_)
            | Body::Enable(_)
            | Body::Select { .. }
            | Body::List(_)
            | Body::Lsub { .. }
            | Body::Namespace
            | Body::Status { .. }
            | Body::Idle
            | Body::GetQuota(_)
            | Body::GetQuotaRoot(_)
    )
}

/// Begins a command.
pub(crate) fn start(core: &mut Core, body: Body) -> Begun {
    let saves = saves(&body);
    let begun = begin(core, body);
    if let (true, Begun::Now(Done { condition: Condition::No, .. })) = (saves, &begun) {
        nothing_saved(core);
    }
    begun
}

/// Whether the command is to leave its result for `$`.
fn saves(body: &Body) -> bool {
    match body {
        Body::Search(search) | Body::Esearch { search, .. } | Body::Arrange { search, .. } => search.saves(),
        _ => false,
    }
}

/// RFC 5182 §2.1: a search with SAVE that is answered with NO "sets the value of the search result variable to the empty
/// sequence". (One answered with BAD leaves it as it was.)
fn nothing_saved(core: &mut Core) {
    if let Some(view) = &mut core.view {
        view.saved = Some(Arc::default());
    }
}

fn begin(core: &mut Core, body: Body) -> Begun {
    if let Some(done) = wrong_state(core, &body) {
        return Begun::Now(done);
    }
    if core.anonymous && !for_anybody(&body) {
        return Begun::Now(Done::no("[NOPERM] Nobody in particular may only read here"));
    }
    if core.enabled.rev2
        && let Some(what) = rev2::removed(&body)
    {
        return Begun::Now(Done::bad(format!("{what} is not in IMAP4rev2")));
    }
    if core.enabled.uid_only
        && let Some(done) = uid_only::refused(&body)
    {
        return Begun::Now(done);
    }
    if let Body::Search(search) | Body::Esearch { search, .. } | Body::Arrange { search, .. } = &body
        && filter::is_in(&search.key)
    {
        return filter::start(core, body);
    }
    match body {
        Body::Capability => Begun::Now(any_state::capability(core)),
        // RFC 3501 §6.4.1: CHECK is equivalent to NOOP here, every command is durable when it is answered.
        Body::Noop => Begun::Now(Done::ok("NOOP completed")),
        Body::Check => Begun::Now(Done::ok("CHECK completed")),
        Body::Logout => Begun::Logout,
        Body::Id(pairs) => any_state::id(core, pairs),
        Body::StartTls => any_state::start_tls(core),
        Body::Authenticate { mechanism, initial } => auth::authenticate(core, &mechanism, initial),
        Body::Login { user, password } => auth::login(core, user, &password),
        Body::Enable(capabilities) => any_state::enable(core, &capabilities),
        Body::Select { mailbox, access, condstore, qresync, annotate } => {
            let access = if core.anonymous { Access::ReadOnly } else { access };
            select::start(core, mailbox, access, (condstore, annotate), qresync)
        }
        Body::Create { mailbox, special_use } => mailbox::create(core, mailbox, &special_use),
        Body::Delete(mailbox) => mailbox::delete(core, mailbox),
        Body::Rename { from, to } => mailbox::rename(core, from, to),
        Body::Subscribe(name) => mailbox::subscribe(name, true),
        Body::Unsubscribe(name) => mailbox::subscribe(name, false),
        Body::List(list) => list::list(core, list),
        Body::Lsub { reference, pattern } => list::lsub(&reference, pattern),
        Body::Namespace => Begun::Now(namespace::namespace(core)),
        Body::Status { mailbox, items } => status::start(core, mailbox, items),
        Body::Append { mailbox, messages } => append::start(core, mailbox, messages),
        Body::Replace { numbering, number, mailbox, message } => {
            replace::start(core, numbering, &number, mailbox, *message)
        }
        Body::Unauthenticate => any_state::unauthenticate(),
        Body::Notify(notify) => notify::start(notify),
        Body::GetMetadata { mailbox, entries, depth, size_max } => {
            metadata::get(mailbox, metadata::Wanted { entries, depth, size_max })
        }
        Body::SetMetadata { mailbox, entries } => metadata::set(core, mailbox, entries),
        Body::GetQuota(root) => quota::of_root(root),
        Body::GetQuotaRoot(mailbox) => quota::of_mailbox(mailbox),
        Body::GenUrlAuth(urls) => url_auth::generate(core, urls),
        Body::UrlFetch(urls) => url_fetch::start(urls),
        Body::ResetKey { mailbox, mechanisms } => url_auth::reset(mailbox, &mechanisms),
        Body::SetQuota { root, limits } => quota::set(root, limits),
        Body::Acl { mailbox, command } => acl::start(mailbox, command),
        Body::Idle => idle::start(core),
        Body::Close => expunge::close(core),
        Body::Unselect => expunge::unselect(),
        Body::UidBatches { size, batches } => Begun::Now(uid_batches::answer(core, size, batches)),
        Body::Expunge(uids) => expunge::expunge(core, uids),
        Body::Search(search) => search::start(core, search),
        Body::Esearch { sources, search } => esearch::start(core, &sources, search),
        Body::CancelUpdate(tags) => Begun::Now(context::cancel(core, &tags)),
        Body::Arrange { arrangement, search } => order::start(core, arrangement, search),
        Body::Fetch(fetch) => fetch::start(core, fetch),
        Body::Store(store) => store::start(core, store),
        Body::Copy { numbering, set, mailbox, originals } => {
            copy::start(core, numbering, &set, mailbox, originals)
        }
        Body::Language(ranges) => Begun::Now(any_state::language(core, &ranges)),
        Body::Comparator(orders) => Begun::Now(comparator::comparator(core, &orders)),
        Body::Compress(algorithm) => Begun::Now(any_state::compress(core, &algorithm)),
    }
}

/// The URLMECH response code, before words.
pub(crate) fn url_mechanisms(core: &Core) -> &'static str {
    url_auth::mechanisms(core)
}

/// FETCH of new messages (RFC 5465 §5.2).
pub(crate) fn fetch_new(core: &mut Core, items: Vec<FetchItem>, uids: UidSet) -> Box<dyn Running> {
    fetch::of_new(core, items, uids)
}

/// Messages that a sequence set names in this view.
///
/// # Errors
/// BAD, when a sequence number names no message.
fn resolve(view: &View, numbering: Numbering, set: &SequenceSet) -> Result<UidSet, Done> {
    view.resolve(numbering, set).map_err(|beyond| Done::bad(format!("{beyond}")))
}

/// News that may be told after a command which numbers messages this way (RFC 9051 §7.5.1).
fn news_after(numbering: Numbering) -> News {
    match numbering {
        Numbering::Sequence => News::Numbered,
        Numbering::Uid => News::Hinted,
    }
}

/// RFC 9051 §6.3.3: nothing may be changed after EXAMINE.
fn read_only(core: &Core) -> Option<Done> {
    let view = core.view.as_ref()?;
    (view.access == Access::ReadOnly).then(|| Done::no("[NOPERM] The mailbox is selected read-only"))
}
