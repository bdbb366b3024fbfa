//! Words of `troika tls-reports`.

use clap::Subcommand;

/// `troika tls-reports`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum TlsReports {
    /// List them
    List,
    /// Show one with all that failed
    Show {
        /// Its id, as its sender names it
        id: String,
    },
}
