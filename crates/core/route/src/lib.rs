//! Which way a message leaves. Pure: the configuration's routes, what DNS answered and random numbers come in, decisions
//! go out (RFC 5321 §5).
//!
//! - `table`: the first `[[route]]` that fits says the next hop, the protocol, the TLS level, the log-in; without one, MX.
//! - `hosts`: MX records in the order in which they are tried; null MX, loops, equal preferences.
//! - `endpoints`: the addresses of these hosts, both families, bounded.
//! - `trouble`: why there is no way, as a reply code and words.
//!
//! Invariant: source routes are never made (RFC 5321 §F.2), and a domain that publishes MX records is never
//! reached by its own address records (§5.1).

mod endpoints;
mod hosts;
mod next_hop;
mod table;
mod trouble;

pub use endpoints::{ADDRESSES_MAX, Family, Host, order_addresses};
pub use hosts::{HOSTS_MAX, choose};
pub use model::Mx;
pub use next_hop::{HostName, NextHop, NextHopError, literal};
pub use table::{
    AccountPattern, Login, Message, Pattern, Protocol, Proxy, Route, SenderPattern, Table, TlsWish, Way,
};
pub use trouble::Trouble;
