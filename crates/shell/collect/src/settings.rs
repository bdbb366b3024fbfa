//! What the configuration says of collecting.

use crate::Environment;
use collecting::Networks;
use collecting::agenda::AtOnce;
use std::net::SocketAddr;
use std::time::Duration;

/// What holds for all sources.
#[derive(Clone)]
pub struct Settings {
    /// The name this server gives itself in trace fields.
    pub hostname: String,
    /// Where sources may lie.
    pub networks: Networks,
    /// From the end of a run to the next one, where a source says nothing else.
    pub interval: Duration,
    /// The shortest such pause that a source may have.
    pub interval_min: Duration,
    /// How many run at once.
    pub at_once: AtOnce,
    /// Largest message.
    pub size_max: u64,
    /// How long a run may take; then it ends behind a message, and goes on soon.
    pub run_max: Duration,
    /// Where this server itself lets mailboxes be read.
    pub own: Vec<SocketAddr>,
    /// What connections need.
    pub environment: Environment,
}

impl Settings {
    /// The pause between runs of a source.
    pub fn interval_of(&self, settings: &collecting::Settings) -> Duration {
        let own = settings.interval.map(|seconds| Duration::from_secs(seconds.into()));
        own.unwrap_or(self.interval).max(self.interval_min)
    }
}
