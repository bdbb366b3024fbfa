//! Who may send to whom.

use crate::{Client, Decider, Verdict};
use directory::{Error, LocalTarget};
use engine::AccountId;
use model::{EmailAddress, Path};

/// Whether a mailbox has room for a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// It has.
    Enough,
    /// It has not.
    Full,
}

/// Where an accepted recipient's copy goes.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Destination {
    /// Accounts here.
    pub local: Vec<LocalTarget>,
    /// Addresses elsewhere, for the queue.
    pub remote: Vec<EmailAddress>,
}

impl Decider<'_> {
    /// Whether `client` may say `RCPT TO` with this; `accepted` recipients stand already. `room` tells whether an
    /// account can take this message (the caller knows the declared SIZE).
    ///
    /// # Errors
    /// The directory or the store could not be read (451 4.3.0).
    pub fn recipient(
        &self,
        client: &Client,
        path: &Path,
        accepted: usize,
        room: &mut dyn FnMut(AccountId) -> Result<Room, engine::Error>,
    ) -> Result<Verdict<Destination>, Error> {
        let _ = room;
        panic!("{client:?} {path} {accepted}")
    }
}
