//! The command line as people type it.

pub use super::tls_reports::TlsReports;
use crate::config::ByteSize;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub use super::collect_arguments::*;
pub use super::migrate_arguments::Migrate;

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

/// Whose messages go to a list's members at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Posting {
    Anyone,
    Members,
    Owners,
}

/// What becomes of messages of others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Others {
    /// They wait for an owner
    Hold,
    /// They are refused
    Refuse,
}

/// Who becomes a member by mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Joining {
    /// Who confirms that he wants to
    Open,
    /// Nobody
    Closed,
}

/// Who may see the members.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visible {
    Owners,
    Members,
    Users,
}

/// In which language a list writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListLanguage {
    En,
    Ru,
}

/// How a list works.
#[derive(Args, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct ListOptions {
    /// What it is called, for people
    #[arg(long)]
    pub name: Option<String>,
    /// Address of an owner, who gets what waits and what goes wrong; may be given several times
    #[arg(long = "owner", value_name = "ADDRESS")]
    pub owners: Vec<String>,
    /// Whose messages go to the members at once [default: members]
    #[arg(long)]
    pub posting: Option<Posting>,
    /// What becomes of the messages of others [default: hold]
    #[arg(long)]
    pub others: Option<Others>,
    /// Who becomes a member by mail [default: open]
    #[arg(long)]
    pub joining: Option<Joining>,
    /// Who may see the members (EXPN) [default: owners]
    #[arg(long)]
    pub visible: Option<Visible>,
    /// In which language it writes [default: en]
    #[arg(long)]
    pub language: Option<ListLanguage>,
    /// Put in brackets before subjects, which breaks signatures; "" for nothing
    #[arg(long, value_name = "TAG")]
    pub subject_tag: Option<String>,
    /// Answers go to the list [default: false]
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub reply_to_list: Option<bool>,
    /// Messages come from the list's address, for authors whose domains have a strict DMARC policy [default: false]
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub from_list: Option<bool>,
    /// Largest message [default: 10M]
    #[arg(long)]
    pub size: Option<ByteSize>,
    /// Days with a bounce after which a member gets nothing more [default: 5]
    #[arg(long, value_name = "DAYS")]
    pub bounces: Option<u32>,
}

/// `troika list`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum MailingList {
    /// Make a list
    Add {
        /// Its address
        address: String,
        /// How it works
        #[command(flatten)]
        options: ListOptions,
    },
    /// List all
    List,
    /// Show one
    Show {
        /// Its address
        address: String,
    },
    /// Change how it works; owners that are given take the place of all
    Set {
        /// Its address
        address: String,
        /// How it works
        #[command(flatten)]
        options: ListOptions,
    },
    /// Remove a list with its members and held messages
    Remove {
        /// Its address
        address: String,
    },
    /// Add members, without asking them; who bounced gets messages again
    Subscribe {
        /// The list
        list: String,
        /// Members
        #[arg(required = true)]
        addresses: Vec<String>,
    },
    /// Remove members
    Unsubscribe {
        /// The list
        list: String,
        /// Members
        #[arg(required = true)]
        addresses: Vec<String>,
    },
    /// List the members
    Members {
        /// The list
        list: String,
    },
    /// List messages that wait for an owner, of one list or of all
    Held {
        /// The list
        list: Option<String>,
    },
    /// Let held messages go to the members
    Approve {
        /// Their numbers
        #[arg(required = true)]
        ids: Vec<u32>,
    },
    /// Throw held messages away and tell their authors
    Reject {
        /// Their numbers
        #[arg(required = true)]
        ids: Vec<u32>,
        /// Why, for the author
        #[arg(long, default_value = "-")]
        reason: String,
    },
    /// Throw held messages away
    Discard {
        /// Their numbers
        #[arg(required = true)]
        ids: Vec<u32>,
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

/// Kinds of keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// What every receiver knows
    Rsa,
    /// Shorter and faster (RFC 8463); beside an RSA key, as not every receiver knows it
    Ed25519,
}

/// `troika dkim`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Dkim {
    /// Make a key and print the record to publish; it signs once it is activated
    Add {
        /// Whose
        domain: String,
        /// Its name within the domain [default: kind and date]
        #[arg(long)]
        selector: Option<String>,
        /// Which kind
        #[arg(long, default_value = "rsa")]
        kind: KeyKind,
        /// Size of an RSA key: 2048, 3072 or 4096
        #[arg(long, default_value_t = 2048)]
        bits: usize,
        /// Sign with it at once
        #[arg(long)]
        activate: bool,
    },
    /// Take a key that exists (PEM, as opendkim-genkey and openssl write it) from standard input
    Import {
        /// Whose
        domain: String,
        /// The selector under which its record is published
        selector: String,
        /// Sign with it at once
        #[arg(long)]
        activate: bool,
    },
    /// List keys with their states and records
    List {
        /// Of this domain only
        domain: Option<String>,
    },
    /// Show one key
    Show {
        /// Whose
        domain: String,
        /// Which
        selector: String,
    },
    /// Sign with it from now on; the key of the same kind that signed until now is retired
    Activate {
        /// Whose
        domain: String,
        /// Which
        selector: String,
    },
    /// Make new keys for those that sign; publish their records, then activate them
    Rotate {
        /// Whose
        domain: String,
    },
    /// Sign with it no more
    Retire {
        /// Whose
        domain: String,
        /// Which
        selector: String,
    },
    /// Forget a key
    Remove {
        /// Whose
        domain: String,
        /// Which
        selector: String,
        /// Even if it signs
        #[arg(long)]
        yes: bool,
    },
}

/// `troika dns`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Dns {
    /// Print every record to publish for this domain, as a zone file
    pub domain: Option<String>,
    /// Or look whether they are published
    #[command(subcommand)]
    pub command: Option<DnsCheck>,
}

/// `troika dns check`
#[derive(Subcommand, Debug)]
pub enum DnsCheck {
    /// Look whether the records are published and right, and whether the hosts that they name work: the MTA-STS policy,
    /// and of each MX host its name, STARTTLS, certificate, TLSA and reverse DNS; exit code 1 when something is wrong that
    /// mail needs
    Check {
        /// Of which domain
        domain: String,
        /// Ask the DNS only, and no host
        #[arg(long)]
        records_only: bool,
    },
}

/// Whose marks of having read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    Private,
    Shared,
}

/// `troika mailbox`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Mailbox {
    /// List an account's mailboxes with their counters, and with whom they are shared
    List {
        /// The account
        address: String,
    },
    /// Let others use a mailbox
    Share {
        /// Whose mailbox
        address: String,
        /// Which
        mailbox: String,
        /// Who may: an account's address, $GROUP@DOMAIN or anyone; with - before it, who may not
        #[arg(long, value_name = "USER", allow_hyphen_values = true)]
        with: String,
        /// What, as letters of RFC 4314: l see, r read, s mark as read, w other flags, i file into it, p post, k make
        /// mailboxes below, x delete it, t mark as deleted, e expunge, a share it on
        #[arg(long, default_value = "lrs")]
        rights: String,
        /// Whether everybody has marks of his own for what he has read, or all have the same [default: private, or as it is]
        #[arg(long)]
        seen: Option<Seen>,
    },
    /// Let somebody use a mailbox no longer
    Unshare {
        /// Whose mailbox
        address: String,
        /// Which
        mailbox: String,
        /// Who
        #[arg(long, value_name = "USER", allow_hyphen_values = true)]
        with: String,
    },
}

/// File forms of mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Form {
    /// A folder with cur, new and tmp; subfolders as in Maildir++ (.Sent, .Work.Old)
    Maildir,
    /// One file with From lines (mboxrd)
    Mbox,
}

/// `troika import`
#[derive(Args, Debug)]
pub struct Import {
    /// What the files are
    pub form: Form,
    /// The Maildir folder or the mbox file
    pub path: PathBuf,
    /// Whose mail it becomes
    #[arg(long, value_name = "ADDRESS")]
    pub account: String,
    /// Mailbox to put it into; subfolders of a Maildir become mailboxes below it
    #[arg(long, default_value = "INBOX")]
    pub mailbox: String,
}

/// `troika export`
#[derive(Args, Debug)]
pub struct Export {
    /// What to write
    pub form: Form,
    /// Folder to write to: a Maildir, or one mbox file for each mailbox
    pub path: PathBuf,
    /// Whose mail
    #[arg(long, value_name = "ADDRESS")]
    pub account: String,
    /// Only this mailbox
    #[arg(long)]
    pub mailbox: Option<String>,
}

/// `troika queue`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Queue {
    /// List what waits
    List(QueueFilter),
    /// Show one message with its recipients and history
    Show {
        /// Its queue id
        id: String,
    },
    /// What became of messages: those that wait, and those that are over for some days (`[delivery] history_for`)
    History {
        /// A queue id, or an address that sent them or was to get them
        of: String,
    },
    /// Do not send it for now
    Hold(QueueChoice),
    /// Send it again
    Release(QueueChoice),
    /// Try it now, whenever its next attempt is
    Retry(QueueChoice),
    /// Give it up now, and tell its sender
    Bounce {
        /// Which
        #[command(flatten)]
        choice: QueueChoice,
        /// What the sender is told
        #[arg(long, default_value = "The administrator of this server has given the message up")]
        reason: String,
    },
    /// Throw it away, without a bounce
    Remove(QueueChoice),
    /// Try everything for a destination now, however often it could not be reached
    Flush {
        /// As `troika queue destinations` names it
        #[arg(required = true)]
        destinations: Vec<String>,
    },
    /// Where mail goes: how much waits, how many connections, what the trouble is; needs the running server
    Destinations,
    /// Sums
    Stats,
}

/// Which messages of the queue; all that is given must hold.
#[derive(Args, Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct QueueFilter {
    /// From this sender; "<>" or "" for bounces
    #[arg(long, value_name = "ADDRESS")]
    pub sender: Option<String>,
    /// Sent by this account
    #[arg(long, value_name = "ADDRESS")]
    pub account: Option<String>,
    /// For this recipient
    #[arg(long, value_name = "ADDRESS")]
    pub recipient: Option<String>,
    /// For a recipient of this domain
    #[arg(long)]
    pub domain: Option<String>,
    /// With a recipient in this state
    #[arg(long)]
    pub state: Option<QueueState>,
    /// With this in a recipient's last reply
    #[arg(long, value_name = "TEXT")]
    pub reply: Option<String>,
    /// Accepted longer ago than this, for example 4h
    #[arg(long, value_name = "TIME")]
    pub older: Option<String>,
}

/// State of a queued recipient.
#[derive(clap::ValueEnum, Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub enum QueueState {
    /// Waits for its next attempt
    Queued,
    /// Held back by an operator
    Held,
    /// Taken by the next host
    Delivered,
    /// Refused for good
    Failed,
    /// Given up
    Expired,
}

/// Messages by their ids, or all that a filter fits.
#[derive(Args, Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct QueueChoice {
    /// Queue ids
    pub ids: Vec<String>,
    /// Instead of ids
    #[command(flatten)]
    pub filter: QueueFilter,
    /// All there are
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
}

/// `troika sender`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Sender {
    /// List accounts that ever sent to other hosts, with their figures
    List,
    /// Show one
    Show {
        /// The account
        address: String,
    },
    /// Give an account limits of its own; what is not given is as for all accounts (section sending of the configuration)
    Limit {
        /// The account
        address: String,
        /// Most recipients in an hour; 0: no limit
        #[arg(long, value_name = "RECIPIENTS")]
        per_hour: Option<u32>,
        /// Most recipients in a day; 0: no limit
        #[arg(long, value_name = "RECIPIENTS")]
        per_day: Option<u32>,
    },
    /// Let an account send nothing to other hosts
    Block {
        /// The account
        address: String,
    },
    /// Let it send again, also after an alarm
    Release {
        /// The account
        address: String,
    },
}

/// `troika suppression`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Suppression {
    /// List them, and those of which too few messages came back yet
    List,
    /// Send nothing to an address any more
    Add {
        /// The address
        address: String,
        /// Why, for whoever writes to it
        #[arg(long, default_value = "the administrator put it on the list")]
        reason: String,
        /// For so many days [default: for ever]
        #[arg(long)]
        days: Option<u32>,
    },
    /// Send to it again
    Remove {
        /// The address
        address: String,
    },
}

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
