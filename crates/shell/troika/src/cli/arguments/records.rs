//! Keys to sign with, and records to publish: `troika dkim` and `troika dns`.

use clap::{Args, Subcommand, ValueEnum};

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
