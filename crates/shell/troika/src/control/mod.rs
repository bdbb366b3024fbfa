//! How the command line reaches the store: through the running server's control socket, or, when no server runs, by
//! opening the store itself. Both ways run the same code (`operations`).

pub mod frame;
pub mod request;
pub mod server;

pub use request::{Event, Failure, Request, Sink};
