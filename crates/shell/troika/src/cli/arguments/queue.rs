//! Mail that goes out: the queue, how much is sent, and to whom nothing is.

use clap::{Args, Subcommand};

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
    /// What became of messages: where they went here, what waits, and what is over for some days (`[delivery] history_for`)
    History {
        /// A queue id, the id of an accepted message, a Message-ID, or an address that sent them or was to get them
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
