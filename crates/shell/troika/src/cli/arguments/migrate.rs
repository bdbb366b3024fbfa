//! What `troika migrate` takes.

use clap::Args;
use std::path::PathBuf;

/// `troika migrate`
#[derive(Args, Debug, serde::Serialize, serde::Deserialize)]
pub struct Migrate {
    /// The other server: imaps://user@host:port, imap:// for STARTTLS; with --accounts without the user
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// Whose mail it becomes
    #[arg(long, value_name = "ADDRESS", required_unless_present = "accounts", conflicts_with = "accounts")]
    pub account: Option<String>,
    /// Copy many accounts: a CSV file with "user there,password there,address here" a line; - for standard input
    #[arg(long, value_name = "FILE")]
    pub accounts: Option<PathBuf>,
    /// Accounts of the list at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub at_once: u8,
    /// Read the password there from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// Log in as this user, who may act for all others (SASL authorization identity); the password is his
    #[arg(long, value_name = "USER")]
    pub master: Option<String>,
    /// Only these folders; * stands for anything
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    pub folders: Vec<String>,
    /// Not these folders
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    pub exclude: Vec<String>,
    /// Only say what would be copied
    #[arg(long)]
    pub dry_run: bool,
    /// Leave flags of messages that are here as they are, even where they differ from those there
    #[arg(long)]
    pub keep_local_flags: bool,
    /// Remove what an earlier run copied and the other server has no more
    #[arg(long)]
    pub delete: bool,
    /// How long a lost connection is tried again without anything coming over
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub give_up_after: u32,
    /// PEM file with the authorities that the other server's certificate may be from [default: the system's]
    #[arg(long, value_name = "FILE")]
    pub authorities: Option<PathBuf>,
}
