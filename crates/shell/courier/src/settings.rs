//! What the configuration says of mail to other hosts.

use crate::limits::LimitRules;
use queue::schedule::{Backoff, Limits};
use route::{Family, Table};
use std::net::SocketAddr;
use std::time::Duration;

/// Settings in force; exchanged as a whole when the configuration is read again.
pub struct Settings {
    /// Routes, and the way of what none fits.
    pub table: Table,
    /// The name said in EHLO.
    pub hello: String,
    /// This server's name in reports and when it looks for itself among a domain's hosts.
    pub hostname: String,
    /// Port of hosts found by MX.
    pub port: u16,
    /// How much goes to whom at a time.
    pub limits: LimitRules,
    /// What holds for a destination that no rule fits.
    pub usual: Limits,
    /// Address families.
    pub family: Family,
    /// How long a host may stay silent.
    pub patience: smtp::client::Patience,
    /// Times between the attempts of a message.
    pub retry: Backoff,
    /// How long one address may take to answer a connection.
    pub connect_timeout: Duration,
    /// How long the hosts of a domain are tried one after the other in one attempt; two are tried in any case.
    pub hosts_timeout: Duration,
    /// How long one message may take at most, whatever the host does; more for large ones.
    pub message_time: Duration,
    /// How long a connection is kept for the next message.
    pub idle: Duration,
    /// Messages after which a connection is closed.
    pub messages_per_connection: u32,
    /// Where this server itself takes mail: it is not dialled by MX (RFC 5321 §5.1).
    pub own: Vec<SocketAddr>,
}
