//! Mailboxes, and mail as files.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

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
