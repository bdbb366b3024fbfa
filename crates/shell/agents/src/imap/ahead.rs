//! Reading ahead: while the session writes out one page of a FETCH and its client takes it in, the next page is read on
//! another thread. One page at most, and only behind a page that was wanted, so that a client which stops in between has
//! cost no more than that.

use super::convert;
use ::imap::ask;
use engine::AccountId;
use model::{MailboxId, Uid, UidSet};
use std::sync::Arc;
use store::{Error, Store};
use tokio::task::JoinHandle;

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

/// A page that is being read.
pub(super) struct Ahead {
    wanted: Wanted,
    rows: JoinHandle<Result<ask::Rows, Error>>,
}

impl Wanted {
    /// Reads it; may wait for the disk. `trace` names the connection in the log.
    pub(super) fn read(&self, store: &Store, trace: &str) -> Result<ask::Rows, Error> {
        let Wanted { owner, mailbox, .. } = *self;
        let needs = convert::needs(self.needs);
        let mut rows =
            store.rows(owner, mailbox, &self.uids, self.from, needs, self.rows_max, self.bytes_max)?;
        if let (Some(user), Some(first), Some(last)) = (self.seen, rows.rows.first(), rows.rows.last()) {
            let seen = store.seen_by(owner, mailbox, user, first.uid, last.uid)?;
            convert::show_seen(&mut rows, &seen);
        }
        Ok(convert::rows(rows, trace))
    }

    /// The same command's page: a set of UIDs is made anew for each.
    fn is(&self, other: &Wanted) -> bool {
        let whole = |page: &Wanted| {
            (page.owner, page.mailbox, page.seen, page.from, page.needs, page.rows_max, page.bytes_max)
        };
        Arc::ptr_eq(&self.uids, &other.uids) && whole(self) == whole(other)
    }
}

impl Ahead {
    /// Begins to read the page of `before` that starts at `next`.
    pub(super) fn begin(store: Arc<Store>, before: Wanted, next: Uid, trace: String) -> Ahead {
        let wanted = Wanted { from: next, ..before };
        let page = wanted.clone();
        Ahead { wanted, rows: tokio::task::spawn_blocking(move || page.read(&store, &trace)) }
    }

    /// Whether that is the page.
    pub(super) fn is(&self, wanted: &Wanted) -> bool {
        self.wanted.is(wanted)
    }

    /// The page; None when its reader was lost, and it has to be read again.
    pub(super) async fn rows(self) -> Option<Result<ask::Rows, Error>> {
        self.rows.await.ok()
    }
}
