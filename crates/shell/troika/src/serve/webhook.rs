//! Events of mail on its way out, told to another program: signed JSON by HTTP POST, in order, again and again until it
//! is taken. What waits is in the store ([`queue::Queue::events`], which bounds it), so a restart loses nothing; what was
//! taken but not answered in time comes twice, under the same `webhook-id`.
//!
//! Signed as standardwebhooks.com has it: HMAC-SHA-256 over `id.timestamp.body`.

use super::http_client::Target;
use agents::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use parking_lot::RwLock;
use queue::Notice;
use sha2::Sha256;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often there is a look at what waits.
const ROUND: Duration = Duration::from_millis(500);
/// Events in one request.
const BATCH: usize = 100;
/// Pause after the first failure; each further one is twice as long, up to [`PAUSE_LONGEST`].
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(300);
/// Where events go.
pub struct Settings {
    target: Target,
    secret: Vec<u8>,
    timeout: Duration,
}

impl Settings {
    /// `url` with https, or http; `secret` as it stands in its file; `authorities` of the receiver's certificate (an empty
    /// path: the system's).
    ///
    /// # Errors
    /// A sentence: what is wrong with it.
    pub fn new(url: &str, secret: &[u8], authorities: &Path, timeout: Duration) -> Result<Settings, String> {
        let target = Target::new(url, authorities, timeout)?;
        Ok(Settings { target, secret: secret_of(secret)?, timeout })
    }

    /// The value of `webhook-signature`.
    fn signature(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// Brings a body over.
    async fn post(&self, id: &str, body: Vec<u8>) -> Result<(), String> {
        let timestamp = World::now().0;
        let head = Request::builder()
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.signature(id, timestamp, &body));
        let (status, _) = self.target.post(head, body).await?;
        if status.is_success() {
            Ok(())
        } else {
            Err(format!("{} answered {status}", self.target.authority()))
        }
    }
}

/// The key that signs: what stands in the file, or what it is the base64 of when it begins with `whsec_`.
fn secret_of(file: &[u8]) -> Result<Vec<u8>, String> {
    let text = file.trim_ascii();
    let secret = match text.strip_prefix(b"whsec_") {
        Some(encoded) => {
            STANDARD.decode(encoded).map_err(|error| format!("secret_file: behind whsec_: {error}"))?
        }
        None => text.to_vec(),
    };
    if secret.len() < 16 {
        return Err(
            "secret_file: the secret is shorter than 16 bytes; make one with `openssl rand -hex 32`".into()
        );
    }
    Ok(secret)
}

/// The one that tells.
#[derive(Default)]
pub struct Webhook {
    settings: RwLock<Option<Arc<Settings>>>,
}

impl Webhook {
    /// Takes other settings from now on; None: nothing is told.
    pub fn set(&self, settings: Option<Settings>) {
        *self.settings.write() = settings.map(Arc::new);
    }

    /// Tells until the server goes down.
    pub async fn run(self: Arc<Self>, world: Weak<World>) {
        let mut pause = Duration::ZERO;
        loop {
            tokio::time::sleep(pause.max(ROUND)).await;
            let Some(world) = world.upgrade() else { return };
            let Some(settings) = self.settings.read().clone() else { continue };
            match tell_all(&settings, &world).await {
                Ok(()) => pause = Duration::ZERO,
                Err(why) => {
                    pause = (pause * 2).clamp(PAUSE_FIRST, PAUSE_LONGEST);
                    world.metrics.webhook_failures.inc();
                    tracing::warn!(
                        why,
                        again_in = pause.as_secs(),
                        "the webhook's receiver takes nothing now; events wait for it"
                    );
                }
            }
        }
    }
}

async fn tell_all(settings: &Settings, world: &Arc<World>) -> Result<(), String> {
    loop {
        let reader = world.clone();
        let read = tokio::task::spawn_blocking(move || reader.queue.events(BATCH)).await;
        let batch = read.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return Ok(()) };
        let (id, until) = (format!("{}-{}", first.number, last.number), last.number);
        let post = settings.post(&id, body(&batch));
        let answered = tokio::time::timeout(settings.timeout * 3, post).await;
        answered.map_err(|_| format!("{} is too slow", settings.target.authority()))??;
        world.queue.forget_events(until).await.map_err(|_| "what was told can't be forgotten".to_owned())?;
        world.metrics.webhook_events.inc_by(batch.len() as u64);
    }
}

fn body(batch: &[Notice]) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Body<'a> {
        events: &'a [Notice],
    }
    // Strings and numbers only: writing them to memory can't fail.
    serde_json::to_vec(&Body { events: batch }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, secret: &[u8]) -> Result<Settings, String> {
        Settings::new(url, secret, Path::new(""), Duration::from_secs(1))
    }

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // The known answer of the specification's own libraries.
        let made = settings("http://localhost:1/x", b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            made.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn wrong_urls_and_secrets_are_told() {
        let good = b"0123456789abcdef";
        for (url, secret, word) in [
            ("ftp://x.test/", &good[..], "begins neither"),
            ("/path", good, "no host"),
            ("http://a:b@x.test/", good, "no log-in"),
            ("http://x.test/", b"short", "shorter"),
            ("http://x.test/", b"whsec_!!", "whsec_"),
        ] {
            let why = settings(url, secret).err().unwrap();
            assert!(why.contains(word), "{url}: {why}");
        }
        let made = settings("http://[::1]:81/a?b=c", good).unwrap();
        let made = made.target;
        assert_eq!((made.host.as_str(), made.port, made.path.as_str()), ("::1", 81, "/a?b=c"));
        assert_eq!(settings("http://x.test", good).unwrap().target.path, "/");
    }
}
