//! An answer before it is given a type, from whichever source.

use hickory_resolver::proto::rr::{Name, RData, RecordType};
use model::{Presence, SecurityStatus};
use std::time::Duration;

/// What mail asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    A,
    Aaaa,
    Caa,
    Cname,
    Mx,
    Ptr,
    Srv,
    Tlsa,
    Txt,
}

impl Kind {
    /// The type's number (RFC 1035 §3.2.2 and others).
    pub(crate) fn record_type(self) -> RecordType {
        match self {
            Kind::A => RecordType::A,
            Kind::Aaaa => RecordType::AAAA,
            Kind::Caa => RecordType::CAA,
            Kind::Cname => RecordType::CNAME,
            Kind::Mx => RecordType::MX,
            Kind::Ptr => RecordType::PTR,
            Kind::Srv => RecordType::SRV,
            Kind::Tlsa => RecordType::TLSA,
            Kind::Txt => RecordType::TXT,
        }
    }
}

/// See [`model::Answer`].
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) records: Vec<RData>,
    pub(crate) presence: Presence,
    pub(crate) canonical: String,
    pub(crate) status: SecurityStatus,
    pub(crate) ttl: Duration,
}

/// A name as everything outside has it: lower case, no final dot; the root is empty.
pub(crate) fn text_of(name: &Name) -> String {
    let mut text = name.to_ascii().to_ascii_lowercase();
    if text.ends_with('.') {
        text.pop();
    }
    text
}
