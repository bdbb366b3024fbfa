//! Addresses that lead elsewhere: aliases, groups, redirects.

use clap::Subcommand;

/// `troika alias` and `troika group`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Alias {
    /// Add it
    Add {
        /// The address
        address: String,
        /// Where it leads
        #[arg(required = true)]
        targets: Vec<String>,
    },
    /// List all
    List,
    /// Show one
    Show {
        /// The address
        address: String,
    },
    /// Let it lead elsewhere
    Set {
        /// The address
        address: String,
        /// Where it leads from now on
        #[arg(required = true)]
        targets: Vec<String>,
    },
    /// Remove it
    Remove {
        /// The address
        address: String,
    },
}

/// `troika redirect`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Redirect {
    /// Send an account's mail on, from now on
    Set {
        /// The account
        address: String,
        /// Where to
        #[arg(required = true)]
        targets: Vec<String>,
        /// Keep a copy here
        #[arg(long)]
        keep: bool,
    },
    /// List all
    List,
    /// Show that of one account
    Show {
        /// The account
        address: String,
    },
    /// Send it on no longer
    Remove {
        /// The account
        address: String,
    },
}
