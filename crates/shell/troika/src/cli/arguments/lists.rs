//! `troika list`.

use crate::config::ByteSize;
use clap::{Args, Subcommand, ValueEnum};

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
