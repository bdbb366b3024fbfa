//! Copies an account from another server: reads it by IMAP (RFC 9051) and lets `migration` decide and write.
//!
//! While one batch of messages is prepared and committed, the next one is fetched. What is in memory: the listing of one
//! folder (some 100 bytes a message), and at most four batches of [`BATCH_BYTES`] or one message each. When the connection
//! breaks, it is made again with growing pauses, and the folder is listed anew: what was stored is known by its notes.

mod address;
mod copy;
mod fetch;
mod imap;
mod pause;
mod source;

pub use address::{Address, AddressError, Security};
pub use copy::{Failure, FolderEnd, Job, Outcome, Report, run};
pub use fetch::BATCH_BYTES;
pub use imap::ImapSource;
pub use source::{Connect, Opened, Source, Trouble};

#[cfg(test)]
mod tests;
