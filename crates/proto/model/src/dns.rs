//! What the DNS says of mail: the records that routing and transport security decide on, and how far they can be
//! believed. The resolver (ring 3) makes these; routing (ring 2) reads them.

use std::time::Duration;

/// How far an answer can be believed (RFC 4033 §5). Bogus ones are no answers: the resolver reports a failure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SecurityStatus {
    /// Nothing was validated: DNSSEC is off, or the name servers do not hand signatures on.
    Indeterminate,
    /// It is proven that the zone is not signed.
    Insecure,
    /// Signed, and the chain from the trust anchor holds.
    Secure,
}

impl SecurityStatus {
    /// Whether DANE and REQUIRETLS may rely on it.
    pub fn is_secure(self) -> bool {
        self == SecurityStatus::Secure
    }
}

/// Whether there were records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// There are some.
    Found,
    /// The name exists, but has none of this type (NODATA).
    NoData,
    /// The name does not exist (NXDOMAIN).
    NoName,
}

/// An answer: also "there is none" is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer<T> {
    /// The records, in the order they came; empty unless `presence` is [`Presence::Found`].
    pub records: Vec<T>,
    /// Whether there are any.
    pub presence: Presence,
    /// The name behind all CNAMEs: lower case, A-labels, no final dot. The one asked for when there were none.
    pub canonical: String,
    /// How far this can be believed, the whole chain of CNAMEs taken together.
    pub status: SecurityStatus,
    /// For how long it holds.
    pub ttl: Duration,
}

/// A mail exchanger (RFC 5321 §5.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mx {
    /// Lower is tried earlier.
    pub preference: u16,
    /// The host: lower case, A-labels, no final dot; empty for the null MX.
    pub host: String,
}

impl Mx {
    /// RFC 7505 §3: "this domain takes no mail".
    pub fn is_null(&self) -> bool {
        self.host.is_empty()
    }
}

/// A service's place (RFC 2782).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Srv {
    /// Lower is tried earlier.
    pub priority: u16,
    /// Share among those of the same priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host: lower case, no final dot; empty for "there is no such service here".
    pub target: String,
}

/// Which certificate a host shows (RFC 6698 §2.1), numbers as they stand in the record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tlsa {
    /// 0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE (RFC 7218).
    pub usage: u8,
    /// 0 the whole certificate, 1 its public key.
    pub selector: u8,
    /// 0 as it is, 1 SHA-256, 2 SHA-512.
    pub matching: u8,
    /// What it has to be.
    pub data: Vec<u8>,
}

/// Who may issue certificates (RFC 8659 §4.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Caa {
    /// Bit 7: who does not understand the tag must not issue.
    pub flags: u8,
    /// `issue`, `issuewild`, `iodef`, …
    pub tag: String,
    /// Its value.
    pub value: String,
}
