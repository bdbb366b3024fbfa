//! What a domain's DNS has to say of mail here: `troika dns` lists it, `troika dns check` asks whether it does, and whether
//! the hosts that it names work.

mod check;
mod live;
mod records;

pub use check::check;
pub use live::{Live, live};
pub use records::records;

use serde::Serialize;

/// What is known of this server and of the domain.
#[derive(Clone, Debug)]
pub struct Situation {
    /// With A-labels.
    pub domain: String,
    /// This server's name, with A-labels.
    pub hostname: String,
    /// Ports that mail programs reach.
    pub services: Vec<Service>,
    /// DKIM keys of the domain.
    pub keys: Vec<Key>,
    /// Where TLS reports come by mail; empty: to the domain's postmaster.
    pub reports: String,
    /// The MTA-STS policy; None: there is none.
    pub policy: Option<String>,
    /// The certificate that is shown; None: it can't be read.
    pub certificate: Option<net::CertificateFacts>,
}

/// A port that mail programs reach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// `submission`, `submissions`, `imap`, `imaps`, `pop3`, `pop3s` (RFC 6186 §3, RFC 8314 §5.1).
    pub name: &'static str,
    /// Where.
    pub port: u16,
}

/// A DKIM key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Where its record stands.
    pub name: String,
    /// The record.
    pub record: String,
    /// `waiting`, `signing`, `retired`.
    pub state: String,
}

/// How much depends on a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// Mail does not work without it, or is held for forged.
    Needed,
    /// Mail works without it.
    Useful,
}

/// A record to publish.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Record {
    /// Where, with A-labels and without the final dot.
    pub name: String,
    /// `MX`, `TXT`, …
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// As it stands in a zone file. None: only the operator knows.
    pub value: Option<String>,
    /// How much depends on it.
    pub need: Need,
    /// What it is for.
    pub note: String,
    /// What it says, without the zone file's spelling; for checks.
    #[serde(skip)]
    pub meaning: Meaning,
}

/// What a record says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// Mail for the domain comes to this host.
    Mx(String),
    /// The host has an address, and that address the host's name.
    Address,
    /// A text that begins like this stands there once (`v=spf1`); `any` of these words is in it, or it is this very text.
    Text {
        /// What it begins with.
        version: &'static str,
        /// One of these words has to be in it; empty: nothing has to.
        any: Vec<String>,
    },
    /// A key record with this p=.
    Key(String),
    /// A service is there.
    Srv {
        /// Port; 0 for none.
        port: u16,
        /// Host; empty for none.
        target: String,
    },
    /// The certificate has this key (3 1 1).
    Tlsa(Vec<u8>),
    /// Who may issue certificates.
    Caa(String),
    /// Another name of a host.
    Alias(String),
    /// Nothing of the DNS: what a host shows to who comes (`live.rs`).
    Live,
}

/// What a check found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// There is no such record.
    Missing,
    /// It says something else.
    Different,
    /// The DNS did not answer.
    Unknown,
}

/// A record that was looked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Checked {
    /// How it stands.
    pub status: Status,
    /// What should be there.
    #[serde(flatten)]
    pub record: Record,
    /// What is there.
    pub found: Vec<String>,
}

impl Checked {
    /// Whether mail suffers.
    pub fn is_failure(&self) -> bool {
        self.status != Status::Ok && self.record.need == Need::Needed
    }
}
