//! Transport security of mail that leaves: what TLS a host has to show, and what is told about failures.
//!
//! - `dane`: which TLSA records count, and which certificate they mean (RFC 6698, 7671, 7672).
//! - `sts`: MTA-STS records and policies (RFC 8461).
//! - `level`: what is demanded of a host, all told (with RFC 8689).
//! - `seen`: domains that always had TLS (downgrade guard).
//! - `report`: TLS reports (RFC 8460), counted, written, read; `message` and `gzip` wrap them.
//! - `memory`: all of that across restarts, under account 0 (`keys`).
//!
//! Invariants: nothing that a domain publishes lowers what the configuration demands; a failing DANE check is never
//! overridden by MTA-STS; everything kept is bounded in number per domain and in time.

pub mod dane;
pub mod gzip;
mod keys;
pub mod level;
mod memory;
mod message;
mod record;
pub mod report;
pub mod seen;
pub mod sts;
#[cfg(test)]
mod tests;

pub use dane::Dane;
pub use level::{Demand, Facts, Force, Proof, Refusal, SenderWish, Source, Use, demand};
pub use memory::{Fetched, Memory, note_reported};
pub use message::{Post, message};
