//! Who may use which reverse-path.

use crate::{Client, Decider, Verdict};
use directory::Error;
use model::ReversePath;

impl Decider<'_> {
    /// Whether `client` may say `MAIL FROM` with this.
    ///
    /// # Errors
    /// The directory could not be read (451 4.3.0).
    pub fn reverse_path(&self, client: &Client, path: &ReversePath) -> Result<Verdict<()>, Error> {
        panic!("{client:?} {path}")
    }
}
