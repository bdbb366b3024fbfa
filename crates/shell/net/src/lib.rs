//! The edge: listeners, TLS, and the one driver that runs every protocol's sessions (DESIGN.md §2).
//!
//! A protocol never sees a socket. This crate moves bytes between sockets and [`wire::Session`]s, brings their
//! questions to a [`Desk`], and applies time-outs and shutdown. It knows no protocol.

mod admission;
mod certificate_facts;
mod certificates;
mod client_tls;
mod der;
mod driver;
mod host_proof;
mod listener;
mod outbound;
mod socks;
mod stream;
mod tls;

pub use admission::{Admission, Pass};
pub use certificate_facts::CertificateFacts;
pub use certificates::{CertificateError, self_signed_authority};
pub use client_tls::{ClientTls, authorities};
pub use driver::{Conversation, Desk, Traffic, drive};
pub use host_proof::{HostProof, Mismatch, Verdict, system_authorities};
pub use listener::{Bound, Protocol, serve};
pub use outbound::{Dial, Endpoint, Race, SocksProxy, dial, dial_first, is_own_address};
pub use stream::Stream;
pub use tls::{CertificateFiles, Tls, TlsError};
