//! Mailboxes over the storage engine: UIDs, flags, MODSEQ, threads, quota, change feed, search.
//!
//! Reads are plain functions over one snapshot and do a bounded page of work. Writes are one transaction each and
//! answer with [`Written`], a future that resolves when the outcome is durable. Invariants:
//!
//! - One modification sequence counter per account; a transaction takes one number of it, and every row and mailbox
//!   that it changes bears that number (RFC 7162 §3.1). A state of a mailbox is named by its highest number.
//! - Counters change in the same transaction as what they count; [`Store::check`] recounts them all.
//! - UIDs and UIDVALIDITY only grow and are never used again (RFC 9051 §2.3.1.1).
//! - A message is stored once in an account however many mailboxes show it: copies share EMAILID and THREADID
//!   (RFC 8474 §5). Its content is stored once for all accounts of a delivery.
//! - Mailbox names are UTF-8 (NFC), levels separated by `/`, `INBOX` in capitals; modified UTF-7 stays at the edge.
//! - Keys and value formats: `keys.rs`, and nowhere else.

mod access_key;
mod account;
mod acl;
mod across;
mod annotation;
mod bring;
mod check;
mod copy;
mod deliver;
mod error;
mod expunge;
mod feed;
mod flags;
mod keys;
mod ledger;
mod list_log;
mod look;
mod mailbox;
mod metadata;
mod order;
mod prepared;
mod purge;
mod read;
mod replace;
mod rows;
mod search;
mod seen;
mod threads;
mod view;
mod written;

pub use access_key::Present;
pub use account::{Layout, Limits, Usage};
pub use acl::{ACL_ENTRIES_MAX, Acl, AclEntry, Effect, OWNER_ALWAYS, RightsChange, SeenState, Viewer, Who};
pub use across::{Destination, Source};
pub use annotation::{
    ANNOTATION_BYTES_MAX, ANNOTATION_NAME_BYTES_MAX, ANNOTATIONS_MAX, Annotation, AnnotationPage,
    NewAnnotation, may_annotate,
};
pub use bring::{Brought, NoteName, Noted, Taken};
pub use check::Problem;
pub use copy::{Copied, Originals};
pub use deliver::{
    Appended, Delivered, Delivery, Extra, ExtraWrite, Fallback, Follow, FollowMake, NewMessage, Outcome,
    Recipient, RecipientOutcomes, Target,
};
pub use error::{Error, Limit};
pub use expunge::Expunged;
pub use feed::{MailboxWatch, Notify, NotifyEach, Ringer, Round, Watch};
pub use flags::{Behalf, Known, Stored};
pub use keys::import_note;
pub use ledger::MAILBOXES_MAX;
pub use list_log::{AccountChanges, LIST_EVENTS_MAX, ListEvent, ServerChanges, TouchedMailbox};
pub use look::{Claim, Look};
pub use mailbox::{Counters, Inherit, LEVELS_MAX, MailboxInfo, NAME_BYTES_MAX, name_problem};
pub use metadata::{
    Depth, ENTRIES_BYTES_MAX, ENTRIES_MAX, ENTRY_BYTES_MAX, ENTRY_NAME_BYTES_MAX, MetadataEntry,
    READER_BYTES_MAX, READER_ENTRIES_MAX, SERVER,
};
pub use order::{ORDER_STEP_MAX, Ordered, SortedFor};
pub use prepared::{Digest, Prepared};
pub use replace::Replaced;
pub use rows::{ContentNeed, Needs, Page, Row, RowContent, Rows};
pub use search::{Found, IndexGoal, IndexProgress, IndexStatus};
pub use view::{Changes, Opened};
pub use written::Written;

pub use engine::AccountId;

use engine::Engine;
use std::sync::Arc;

/// All mailboxes of all accounts. Shared by all sessions: cheap to clone, every method takes `&self`.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    feed: Arc<feed::Feed>,
    views: Arc<view::Views>,
    numbers: Arc<search::NumbersCache>,
    /// Held during a step of indexing.
    indexing: Arc<parking_lot::Mutex<()>>,
}

impl Store {
    /// The mailboxes kept in `engine`.
    pub fn new(engine: Arc<dyn Engine>) -> Store {
        let feed = Arc::new(feed::Feed::new());
        Store { engine, feed, views: Arc::default(), numbers: Arc::default(), indexing: Arc::default() }
    }

    /// The engine below, for those who share its transactions (queue, directory).
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }
}

#[cfg(test)]
mod tests;
