//! VRFY and EXPN (RFC 5321 §3.5).

use crate::{Client, Decider, Verdict};
use directory::Error;

/// What the peer hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verified {
    /// 252: not said, but mail will be tried.
    CannotVerify,
    /// 250: one line for each, `Name <address>` or `<address>`.
    Mailboxes(Vec<String>),
}

impl Decider<'_> {
    /// The answer to `VRFY argument`.
    ///
    /// # Errors
    /// The directory could not be read.
    pub fn vrfy(&self, client: &Client, argument: &str) -> Result<Verdict<Verified>, Error> {
        panic!("{client:?} {argument}")
    }

    /// The answer to `EXPN argument`.
    ///
    /// # Errors
    /// The directory could not be read.
    pub fn expn(&self, client: &Client, argument: &str) -> Result<Verdict<Verified>, Error> {
        panic!("{client:?} {argument}")
    }
}
