//! DKIM (RFC 6376, RFC 8301, RFC 8463, RFC 8616) and ARC (RFC 8617): signatures over messages, made and verified, and the
//! keys for them.
//!
//! Bytes in, bytes out: no DNS, clock or randomness. Who verifies asks a signature for the name of its key record
//! ([`Signature::key_name`], [`arc::Chain::key_names`]), looks that up, and hands the answer back. The arithmetic of
//! signatures is *ring*'s; canonical forms, tags and key records are read here. Invariants:
//!
//! - Arbitrary input never panics, is looked at a bounded number of times ([`SIGNATURES_MAX`], [`arc::SETS_MAX`]), and
//!   what is kept of it is in proportion to the header.
//! - What is unclear in a signature or a key makes it count as none (RFC 6376 §6.1.1), never as a good one.
//! - The octets that were signed are the octets that are there: nothing is mended before it is hashed.

pub mod arc;
mod canonical;
mod der;
mod fold;
mod key;
mod message;
mod results;
mod rsa;
mod sign;
mod signature;
mod tags;
mod verify;

pub use canonical::{BodyHash, BodyHasher, Canonical};
pub use key::{KeyFault, KeyKind, PublicKey, SigningKey, ed25519_pkcs8};
pub use message::Message;
pub use results::{MethodResult, authres_payload};
pub use rsa::{RSA_BITS, rsa_pkcs8};
pub use sign::{Signer, sign};
pub use signature::{SIGNATURES_MAX, Signature, signatures};
pub use verify::{Fault, KeyAnswer, Verdict, verify, verify_report};
