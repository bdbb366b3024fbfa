//! Reading ahead: while the session writes out one page of a FETCH and its client takes it in, the next ones are read on
//! another thread, without a pause between them. [`PAGES_MAX`] at most, and only behind a page that was wanted, so that a
//! client which is slow or stops in between has cost no more than that.

use super::convert;
use ::imap::ask;
use engine::AccountId;
use model::{MailboxId, Uid, UidSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{Error, Store};
use tokio::task::JoinHandle;

/// Most pages that are read, or being read, before the session asks for them.
const PAGES_MAX: usize = 2;

/// Which page, of what, as seen by whom.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) owner: AccountId,
    pub(super) mailbox: MailboxId,
    /// Who has a \Seen of his own there.
    pub(super) seen: Option<AccountId>,
    pub(super) uids: Arc<UidSet>,
    pub(super) from: Uid,
    pub(super) needs: ask::Needs,
    pub(super) rows_max: usize,
    pub(super) bytes_max: usize,
}

/// Reads the pages of one FETCH.
pub(super) struct Reader {
    store: Arc<Store>,
    trace: String,
    /// Pages begun that the session has not asked for.
    unasked: AtomicUsize,
}

/// A page that is being read.
pub(super) struct Ahead {
    wanted: Wanted,
    reader: Arc<Reader>,
    page: JoinHandle<Result<Page, Error>>,
}

/// A page that was read.
pub(super) struct Page {
    pub(super) rows: ask::Rows,
    /// The one behind it, if that was begun already.
    pub(super) behind: Option<Box<Ahead>>,
}

impl Wanted {
    /// Reads it; may wait for the disk. `trace` names the connection in the log.
    pub(super) fn read(&self, store: &Store, trace: &str) -> Result<ask::Rows, Error> {
        let Wanted { owner, mailbox, seen, from, rows_max, bytes_max, .. } = *self;
        let needs = convert::needs(self.needs);
        let page = store::Page { uids: &self.uids, from, needs, rows_max, bytes_max, seen };
        let rows = store.rows_as(owner, mailbox, page, |row| convert::row(row, trace))?;
        Ok(convert::rows(rows, trace))
    }

    /// The page behind this one.
    pub(super) fn behind(self, next: Uid) -> Wanted {
        Wanted { from: next, ..self }
    }

    /// The same command's page: a set of UIDs is made anew for each.
    fn is(&self, other: &Wanted) -> bool {
        let whole = |page: &Wanted| {
            (page.owner, page.mailbox, page.seen, page.from, page.needs, page.rows_max, page.bytes_max)
        };
        Arc::ptr_eq(&self.uids, &other.uids) && whole(self) == whole(other)
    }
}

impl Reader {
    /// For one FETCH. `trace` names the connection in the log.
    pub(super) fn new(store: Arc<Store>, trace: String) -> Arc<Reader> {
        Arc::new(Reader { store, trace, unasked: AtomicUsize::new(0) })
    }

    /// Begins to read a page.
    pub(super) fn begin(self: Arc<Self>, wanted: Wanted) -> Box<Ahead> {
        self.unasked.fetch_add(1, Ordering::AcqRel);
        let (reader, page) = (self.clone(), wanted.clone());
        let page = tokio::task::spawn_blocking(move || reader.read(page));
        Box::new(Ahead { wanted, reader: self, page })
    }

    /// Reads a page; begins the one behind it before anybody hears of this one.
    fn read(self: Arc<Self>, wanted: Wanted) -> Result<Page, Error> {
        let rows = wanted.read(&self.store, &self.trace)?;
        // Annotations come later, and may shorten the page.
        let may_go_on = !wanted.needs.annotations && self.unasked.load(Ordering::Acquire) < PAGES_MAX;
        let next = rows.next.filter(|_| may_go_on);
        Ok(Page { rows, behind: next.map(|next| self.begin(wanted.behind(next))) })
    }
}

impl Ahead {
    /// Whether that is the page.
    pub(super) fn is(&self, wanted: &Wanted) -> bool {
        self.wanted.is(wanted)
    }

    /// Its reader, and the page; None when the thread was lost, and the page has to be read again.
    pub(super) async fn page(self) -> (Arc<Reader>, Option<Result<Page, Error>>) {
        // Before the wait: what is waited for is not ahead any more.
        self.reader.unasked.fetch_sub(1, Ordering::AcqRel);
        (self.reader, self.page.await.ok())
    }
}
