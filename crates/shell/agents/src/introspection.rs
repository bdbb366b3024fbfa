//! Tokens that only their issuer can judge: it is asked over the network (RFC 7662), by whoever the binary puts in.

use crate::world::World;
use sasl::Question;
use secrecy::ExposeSecret as _;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::SystemTime;

/// The issuer's answer under way: the JSON of RFC 7662 §2.2, or why there is none, in words for the log.
pub type Introspecting<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>>;

/// Asks the issuer what a token is.
pub trait Introspect: Send + Sync {
    /// Asks, or remembers a recent answer. Bounded in time, and in how many are asked at once.
    fn introspect<'a>(&'a self, token: &'a str) -> Introspecting<'a>;
}

/// What is known before the directory is asked.
pub(crate) enum Introspected {
    /// The directory can say by itself.
    Needless,
    /// The issuer's answer.
    Answer(Vec<u8>),
    /// The issuer can't be asked now.
    Unavailable,
}

/// Asks about the token of a question, if there is one and nobody here can judge it.
pub(crate) async fn introspect(
    world: &World,
    peer: Option<IpAddr>,
    trace: &str,
    question: &Question,
) -> Introspected {
    let Question::Token { user, token } = question else { return Introspected::Needless };
    let Some(issuer) = world.introspection.read().clone() else { return Introspected::Needless };
    let token = token.expose_secret();
    // Reads the index, which is in memory as a rule, and checks one signature.
    let must = || world.directory.must_introspect(user, token, peer, SystemTime::now());
    if !tokio::task::block_in_place(must) {
        return Introspected::Needless;
    }
    match issuer.introspect(token).await {
        Ok(answer) => Introspected::Answer(answer),
        Err(why) => {
            tracing::warn!(trace, why, "the issuer of tokens can't be asked ([oauth] introspection)");
            Introspected::Unavailable
        }
    }
}
