//! The store and its index.

use clap::Subcommand;

/// `troika store`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Store {
    /// Walk everything, verify every checksum, recount every counter; exit code 1 when something does not hold
    Check,
    /// Give the space of expunged mail back now
    Compact,
    /// Build the index anew from the log alone; the server must not run
    Rebuild {
        /// Go on behind damaged records of the log, and say what is lost
        #[arg(long)]
        salvage: bool,
    },
    /// Sizes and counts
    Show,
    /// Walk everything and say where the space goes, by kind of key and of log record
    Space,
}

/// `troika index`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Index {
    /// Make it anew, beside the running server too; interrupted, it goes on where it stopped when run again
    Rebuild {
        /// Only of these accounts [default: all]
        addresses: Vec<String>,
    },
    /// How much of the mail is in it, its size, and what can't be searched
    Status {
        /// Only of these accounts [default: all]
        addresses: Vec<String>,
    },
}
