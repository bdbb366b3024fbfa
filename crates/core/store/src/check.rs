//! `troika store check`: recounts everything.

use crate::{Error, Store};
use engine::{AccountId, Progress};

/// Something that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub account: AccountId,
    /// One sentence for the operator.
    pub text: String,
}

impl Store {
    /// Walks the entries of every account, by page, and recounts every counter: messages, unseen, deleted and octets of
    /// mailboxes, quota use, references to messages and contents, names in both directions, UIDs and modification
    /// sequences against their counters. The engine's own check verifies checksums. `progress` gets accounts done and
    /// accounts known of. An account that changes meanwhile is looked at from one snapshot, so nothing is reported
    /// that is merely new.
    ///
    /// # Errors
    /// Reading failed; damaged records are problems, not errors.
    pub fn check(&self, progress: Progress<'_>) -> Result<Vec<Problem>, Error> {
        let _ = progress;
        panic!()
    }
}
