//! Copying an account from another server, without the network: which local mailbox a source's folder goes to, what of
//! it is here already, and what is to be done. `crates/shell/mover` reads the source and drives this.
//!
//! Invariants:
//!
//! - A message is written in one transaction with a note of its folder, UIDVALIDITY and UID at the source. However often
//!   copying stops and begins again, the outcome is that of one run.
//! - What somebody removed here stays removed: its note remains.
//! - Where there are no notes (they were lost, the source's UIDVALIDITY changed, the mail came by other means), a message
//!   is taken for one that is here only if size, INTERNALDATE and every octet agree, and each message here stands for one
//!   of the source.
//! - Nothing is removed here unless the source's folder was listed in full and all of it is here, and never a message
//!   that another note claims too.
//! - Folders that only show messages of others (RFC 6154 `\All`, `\Flagged`; `\Important`) give what stands nowhere else.

mod folder;
mod local;
mod names;
mod record;
mod words;

pub use folder::{Copying, Counts, Fate, Fetched, Folder, Listed, Options};
pub use names::{Choice, Place, Share, SourceFolder, Whither, places};
pub use record::{FolderRecord, SourceId, left_over};

#[cfg(test)]
mod names_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
