//! The command line as people type it.

mod addresses;
mod collect;
mod lists;
mod mail;
mod migrate;
mod people;
mod queue;
mod records;
mod store;
mod tls_reports;

pub use addresses::*;
pub use collect::*;
pub use lists::*;
pub use mail::*;
pub use migrate::*;
pub use people::*;
pub use queue::*;
pub use records::*;
pub use store::*;
pub use tls_reports::*;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// One mail server: SMTP, POP3, IMAP, queue and store.
///
/// Without a command, `troika` makes a ready server in ./troika-data (as `troika quickstart` does) and runs it.
#[derive(Parser, Debug)]
#[command(name = "troika", version, propagate_version = true)]
pub struct Arguments {
    /// The configuration file [default: ./troika.toml, then /etc/troika/troika.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Listings as JSON, one object a line
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make a configuration, a domain, two accounts and a certificate in a folder, and run the server
    Quickstart(Quickstart),
    /// Run the server
    Serve,
    /// Domains that this server takes mail for
    #[command(subcommand)]
    Domain(Domain),
    /// People's accounts
    #[command(subcommand)]
    Account(Account),
    /// Addresses that lead to other addresses
    #[command(subcommand)]
    Alias(Alias),
    /// Addresses that lead to several accounts
    #[command(subcommand)]
    Group(Alias),
    /// Mail of accounts that goes on to other addresses
    #[command(subcommand)]
    Redirect(Redirect),
    /// Mailing lists, their members and held messages
    #[command(subcommand)]
    List(MailingList),
    /// Mail collected from mailboxes elsewhere, by POP3 or IMAP
    #[command(subcommand)]
    Collect(Collect),
    /// Random passwords for one device or program each
    #[command(subcommand)]
    AppPassword(AppPassword),
    /// Keys that domains sign their mail with (DKIM)
    #[command(subcommand)]
    Dkim(Dkim),
    /// Records that a domain's DNS needs
    Dns(Dns),
    /// Mailboxes of an account
    #[command(subcommand)]
    Mailbox(Mailbox),
    /// Bring mail in from files; may be interrupted and run again, mail is never doubled
    Import(Import),
    /// Copy accounts from another server by IMAP; may be interrupted and run again, mail is never doubled
    Migrate(Migrate),
    /// Write an account's mail to files; may be interrupted and run again
    Export(Export),
    /// Mail that waits for other hosts
    #[command(subcommand)]
    Queue(Queue),
    /// How much accounts send to other hosts
    #[command(subcommand)]
    Sender(Sender),
    /// Addresses elsewhere that nothing is sent to, because mail to them came back
    #[command(subcommand)]
    Suppression(Suppression),
    /// What other servers report of TLS with ours (RFC 8460), of the last 30 days
    #[command(subcommand)]
    TlsReports(TlsReports),
    /// The store on disk
    #[command(subcommand)]
    Store(Store),
    /// The text index that searches use
    #[command(subcommand)]
    Index(Index),
    /// The configuration file
    #[command(subcommand)]
    Config(Config),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// `troika quickstart`
#[derive(Args, Debug)]
pub struct Quickstart {
    /// Folder for the configuration and the mail; made if missing, used again if it has a configuration
    #[arg(long, default_value = "troika-data")]
    pub dir: PathBuf,
    /// The domain of the two accounts
    #[arg(long, default_value = "example.test")]
    pub domain: String,
    /// Added to the usual port numbers, so that no privilege is needed
    #[arg(long, default_value_t = 2000)]
    pub port_base: u16,
}

/// `troika config`
#[derive(Subcommand, Debug)]
pub enum Config {
    /// Say whether the file is right
    Check,
    /// Show what is in force, defaults included
    Show,
    /// Print a commented example with every key
    Example,
}
