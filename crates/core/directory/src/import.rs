//! Accounts by the thousand from a CSV file.

use crate::{Directory, Error};
use model::UnixTime;
use std::io::BufRead;

/// A line that was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineError {
    /// From 1.
    pub line: u64,
    /// Why, in words.
    pub why: String,
}

/// What an import did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ImportOutcome {
    /// Accounts made.
    pub created: u64,
    /// Lines that were not taken; the others were.
    pub errors: Vec<LineError>,
}

impl Directory {
    /// Makes an account of each line `address,password,quota` (quota in bytes or as `500M`, `1G`; empty: no limit; a
    /// line of titles first is skipped). Passwords are hashed on all cores; `progress` hears the lines done so far.
    ///
    /// # Errors
    /// Reading or writing failed; the batches before stand. A bad line is no error: see [`ImportOutcome::errors`].
    pub fn import_csv(
        &self,
        reader: &mut dyn BufRead,
        now: UnixTime,
        progress: &mut dyn FnMut(u64),
    ) -> Result<ImportOutcome, Error> {
        let _ = (reader, progress);
        panic!("{now}")
    }
}
