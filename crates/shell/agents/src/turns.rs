//! Connections that customers have turned round (ATRN, RFC 2645), on their way from the session to who sends.

use model::Domain;
use std::sync::OnceLock;
use tokio::sync::oneshot;

/// A connection on which the peer is the server now. He greets first.
pub struct Turn {
    /// The connection.
    pub stream: net::Stream,
    /// What may be sent over it: mail for these domains, and nothing else.
    pub domains: Vec<Domain>,
    /// The account that logged in.
    pub customer: String,
    /// Dropped when the connection is over.
    pub over: oneshot::Sender<()>,
}

/// Who takes them.
#[derive(Default)]
pub struct Turns(OnceLock<Box<dyn Fn(Turn) + Send + Sync>>);

impl Turns {
    /// Sets who takes them, by a call that must not wait. The first one stays.
    pub fn taken_by(&self, taker: impl Fn(Turn) + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(taker));
    }

    /// Hands one over; without anybody who takes it, it is closed.
    pub(crate) fn give(&self, turn: Turn) {
        if let Some(taker) = self.0.get() {
            taker(turn);
        }
    }
}
