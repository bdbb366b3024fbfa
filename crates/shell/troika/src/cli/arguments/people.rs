//! Domains, accounts and their passwords.

use crate::config::ByteSize;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

/// Which of a domain's mail goes on to the server that has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relay {
    /// None: it ends here
    No,
    /// All of it, but for addresses made here
    All,
    /// That for addresses with an alias to themselves (`troika alias add a@b a@b`)
    Known,
}

/// `troika domain`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Domain {
    /// Add a domain
    Add {
        /// Its name
        domain: String,
        /// Who gets mail for names that nobody has
        #[arg(long, value_name = "ADDRESS")]
        catch_all: Option<String>,
        /// This server is the backup of another one that has the domain's mail: take it and pass it on
        #[arg(long, value_name = "WHICH", num_args = 0..=1, default_missing_value = "all")]
        relay: Option<Relay>,
    },
    /// List all domains
    List,
    /// Show one domain
    Show {
        /// Its name
        domain: String,
    },
    /// Change a domain
    Set {
        /// Its name
        domain: String,
        /// Who gets mail for names that nobody has; "" for nobody
        #[arg(long, value_name = "ADDRESS")]
        catch_all: Option<String>,
        /// What stands between a name and its tag (user+tag); "" for no tags
        #[arg(long, value_name = "CHARACTER")]
        subaddress_separator: Option<String>,
        /// Take no mail for it for now
        #[arg(long)]
        disabled: Option<bool>,
        /// Pass its mail on to another server, whose backup this one is
        #[arg(long, value_name = "WHICH")]
        relay: Option<Relay>,
    },
    /// Remove a domain that has no addresses left
    Remove {
        /// Its name
        domain: String,
    },
}

/// `troika account`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Account {
    /// Add an account
    Add {
        /// Its address, which is also the log-in name
        address: String,
        /// Read the password from standard input (else one is made and printed)
        #[arg(long)]
        password_stdin: bool,
        /// Most bytes it may keep, as 500M or 2G; 0 for no limit
        #[arg(long)]
        quota: Option<ByteSize>,
        /// Most messages it may keep; 0 for no limit
        #[arg(long, value_name = "N")]
        quota_messages: Option<u64>,
        /// The person's name
        #[arg(long)]
        name: Option<String>,
        /// Nobody's alone: it takes mail, nobody logs in, and people see its mailboxes under Shared/ as far as they are
        /// shared with them
        #[arg(long, conflicts_with_all = ["password_stdin", "admin"])]
        shared: bool,
        /// May set limits for others (SETQUOTA)
        #[arg(long)]
        admin: bool,
    },
    /// Add many accounts from a CSV file: address,password,quota per line
    Import {
        /// The file; - for standard input
        file: PathBuf,
    },
    /// List all accounts
    List,
    /// Show one account with its use
    Show {
        /// Its address
        address: String,
    },
    /// Change an account
    Set {
        /// Its address
        address: String,
        /// Read a new password from standard input
        #[arg(long)]
        password_stdin: bool,
        /// Most bytes; 0 for no limit
        #[arg(long)]
        quota: Option<ByteSize>,
        /// Most messages; 0 for no limit
        #[arg(long, value_name = "N")]
        quota_messages: Option<u64>,
        /// The person's name
        #[arg(long)]
        name: Option<String>,
        /// No log-in and no mail while true; what is stored stays
        #[arg(long)]
        disabled: Option<bool>,
        /// Whether it may set limits for others (SETQUOTA)
        #[arg(long)]
        admin: Option<bool>,
    },
    /// Remove an account and all its mail
    Remove {
        /// Its address
        address: String,
        /// Really
        #[arg(long)]
        yes: bool,
    },
}

/// What an application password is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Smtp,
    Imap,
    Pop3,
}

/// `troika app-password`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum AppPassword {
    /// Make one and print it, this once
    Add {
        /// The account
        address: String,
        /// What it is for ("phone")
        name: String,
        /// Protocols it is good for [default: all]
        #[arg(long, value_delimiter = ',')]
        scope: Vec<Scope>,
    },
    /// List those of an account
    List {
        /// The account
        address: String,
    },
    /// Make one useless
    Revoke {
        /// The account
        address: String,
        /// Its name
        name: String,
    },
}
