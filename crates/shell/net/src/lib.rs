//! The edge: listeners, TLS, and the one driver that runs every protocol's sessions (DESIGN.md §2).
//!
//! A protocol never sees a socket. This crate moves bytes between sockets and [`wire::Session`]s, brings their
//! questions to a [`Desk`], and applies time-outs and shutdown. It knows no protocol.

mod admission;
mod certificates;
mod driver;
mod listener;
mod stream;
mod tls;

pub use admission::{Admission, Pass};
pub use certificates::{self_signed_authority, CertificateError};
pub use driver::{drive, Conversation, Desk, Traffic};
pub use listener::{serve, Bound, Protocol};
pub use stream::Stream;
pub use tls::{CertificateFiles, Tls, TlsError};
