//! `troika collect` as people type it.

use clap::{Args, Subcommand, ValueEnum};

/// `troika collect`
#[derive(Subcommand, Debug, serde::Serialize, serde::Deserialize)]
pub enum Collect {
    /// Collect from a mailbox elsewhere; its password is read from standard input
    Add {
        /// The account that gets the mail
        account: String,
        /// Its protocol
        #[arg(long)]
        protocol: CollectProtocol,
        /// Its host
        #[arg(long)]
        host: String,
        /// The log-in name there
        #[arg(long)]
        user: String,
        /// The rest
        #[command(flatten)]
        options: CollectOptions,
    },
    /// List sources and how they do
    List {
        /// Of this account only
        #[arg(long)]
        account: Option<String>,
    },
    /// Show a source with all that is known of it
    Show {
        /// Its number
        id: u32,
    },
    /// Collect now, and wait until that is done
    Run {
        /// Its number
        id: u32,
    },
    /// Let a source rest
    Pause {
        /// Its number
        id: u32,
    },
    /// Go on with a source that rested, now
    Resume {
        /// Its number
        id: u32,
    },
    /// Change a source; it is looked at soon
    Set {
        /// Its number
        id: u32,
        /// Its host; the password has to come again then
        #[arg(long)]
        host: Option<String>,
        /// Read a new password from standard input
        #[arg(long)]
        password_stdin: bool,
        /// The rest
        #[command(flatten)]
        options: CollectOptions,
    },
    /// Remove a source; what was collected stays
    Remove {
        /// Its number
        id: u32,
    },
}

/// How a source is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CollectProtocol {
    /// RFC 1939
    Pop3,
    /// RFC 9051
    Imap,
}

/// How the way to a source is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CollectTls {
    /// From the first octet
    Implicit,
    /// By STARTTLS or STLS, and not without
    Starttls,
    /// Not at all: the password goes in clear
    None,
}

/// What `add` and `set` have in common.
#[derive(Args, Clone, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct CollectOptions {
    /// Its port [default: 995, 993 with TLS from the first octet, else 110, 143]
    #[arg(long)]
    pub port: Option<u16>,
    /// How the way there is protected [default: implicit]; its certificate has to be right
    #[arg(long)]
    pub tls: Option<CollectTls>,
    /// A folder to collect (IMAP), several times for several [default: INBOX]
    #[arg(long, value_name = "NAME")]
    pub folder: Vec<String>,
    /// Collect all folders (IMAP)
    #[arg(long, conflicts_with = "folder")]
    pub all_folders: bool,
    /// The mailbox that the mail goes to; made if missing [default: INBOX]
    #[arg(long, value_name = "MAILBOX")]
    pub into: Option<String>,
    /// A mailbox of the same name for each folder, below this one; "" for the top level
    #[arg(long, value_name = "MAILBOX", conflicts_with = "into", num_args = 0..=1, default_missing_value = "")]
    pub mirror: Option<String>,
    /// How long mail stays there once it is here: "forever", "30d", or "nothing": it is deleted at once [default: forever]
    #[arg(long, value_name = "HOW LONG")]
    pub keep: Option<String>,
    /// Pause between two looks, as 10m or 1h; "usual" for what the configuration says
    #[arg(long)]
    pub interval: Option<String>,
    /// Whether what was read there is read here [default: true]
    #[arg(long)]
    pub seen: Option<bool>,
    /// Whether the spam folder is collected, too, with --all-folders [default: false]
    #[arg(long)]
    pub junk: Option<bool>,
}
