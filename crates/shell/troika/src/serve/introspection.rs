//! Token introspection (RFC 7662): the issuer is asked what a bearer token is, and who may use it.
//!
//! Good answers are remembered for a while (`remember` of `[oauth]`; RFC 7662 §4 leaves that to the asker), under the token's
//! hash, so that neither memory nor a core dump holds tokens. Bad ones are not: who guesses is slowed by the throttle.
//! Bounded: [`ASKED_MAX`] questions at once, [`REMEMBERED_MAX`] answers, the time that the configuration gives.

use super::http_client::Target;
use agents::{Introspect, Introspecting};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use hyper::{Request, StatusCode};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Questions at once; the others wait for their turn, no longer than one question may take.
const ASKED_MAX: usize = 32;

/// Answers that are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// Longer than this no answer is good, whatever the configuration says.
const REMEMBER_LONGEST: Duration = Duration::from_secs(86_400);

/// What the configuration says.
pub struct Settings<'a> {
    /// Where the issuer answers.
    pub url: &'a str,
    /// Who signs its certificate; empty: the system's authorities.
    pub authorities: &'a Path,
    /// Name and secret of this server there. An empty name: none are sent.
    pub client: (&'a str, &'a str),
    /// How long a question may take.
    pub timeout: Duration,
    /// How long a good answer is good.
    pub remember: Duration,
}

/// The one who asks.
pub struct Introspector {
    target: Target,
    /// The value of the Authorization field.
    authorization: Option<String>,
    timeout: Duration,
    remember: Duration,
    asking: Semaphore,
    remembered: Mutex<HashMap<[u8; 32], Remembered>>,
}

struct Remembered {
    answer: Vec<u8>,
    until: Instant,
}

impl Introspector {
    /// Prepares to ask; nobody is asked yet.
    ///
    /// # Errors
    /// A sentence: the URL is none, or others could read the tokens (RFC 7662 §4: TLS, but on this machine).
    pub fn new(settings: &Settings<'_>) -> Result<Introspector, String> {
        let target = Target::new(settings.url, settings.authorities, settings.timeout)?;
        if !target.is_private() {
            return Err(format!("{}: tokens may be sent by https only, or to this machine", settings.url));
        }
        let (name, secret) = settings.client;
        // RFC 6749 §2.3.1: both are encoded as in forms first.
        let authorization = (!name.is_empty())
            .then(|| format!("Basic {}", STANDARD.encode(format!("{}:{}", form(name), form(secret)))));
        Ok(Introspector {
            target,
            authorization,
            timeout: settings.timeout,
            remember: settings.remember.min(REMEMBER_LONGEST),
            asking: Semaphore::new(ASKED_MAX),
            remembered: Mutex::default(),
        })
    }

    async fn ask(&self, token: &str) -> Result<Vec<u8>, String> {
        let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(answer) = self.known(&key, Instant::now()) {
            return Ok(answer);
        }
        let slow = |_| format!("{} is too slow", self.target.authority());
        let asked = async {
            // The semaphore is never closed.
            let _place = self.asking.acquire().await;
            self.asked(token).await
        };
        let answer = tokio::time::timeout(self.timeout, asked).await.map_err(slow)??;
        let says: serde_json::Value =
            serde_json::from_slice(&answer).map_err(|error| format!("the answer is no JSON: {error}"))?;
        if says.get("active") == Some(&serde_json::Value::Bool(true)) {
            self.keep(key, answer.clone(), Instant::now());
        }
        Ok(answer)
    }

    /// RFC 7662 §2.1.
    async fn asked(&self, token: &str) -> Result<Vec<u8>, String> {
        let mut head = Request::builder()
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            head = head.header(AUTHORIZATION, authorization);
        }
        let body = format!("token={}&token_type_hint=access_token", form(token));
        let (status, answer) = self.target.post(head, body.into_bytes()).await?;
        match status {
            StatusCode::OK => Ok(answer),
            // §2.3: it does not take our own name and secret.
            StatusCode::UNAUTHORIZED => {
                Err(format!("{} does not take client_id and client_secret_file", self.target.authority()))
            }
            status => Err(format!("{} answered {status}", self.target.authority())),
        }
    }

    fn known(&self, key: &[u8; 32], now: Instant) -> Option<Vec<u8>> {
        let remembered = self.remembered.lock();
        remembered.get(key).filter(|kept| now < kept.until).map(|kept| kept.answer.clone())
    }

    fn keep(&self, key: [u8; 32], answer: Vec<u8>, now: Instant) {
        if self.remember.is_zero() {
            return;
        }
        let mut remembered = self.remembered.lock();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.retain(|_, kept| now < kept.until);
        }
        if remembered.len() >= REMEMBERED_MAX {
            // Only tokens that the issuer takes come in; so many at once are asked about again.
            remembered.clear();
        }
        remembered.insert(key, Remembered { answer, until: now + self.remember });
    }
}

impl Introspect for Introspector {
    fn introspect<'a>(&'a self, token: &'a str) -> Introspecting<'a> {
        Box::pin(self.ask(token))
    }
}

/// `application/x-www-form-urlencoded` (RFC 6749, appendix B): all but a few characters by their octets.
fn form(text: &str) -> String {
    let mut out = String::new();
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                out.push(char::from(octet))
            }
            b' ' => out.push('+'),
            octet => out.push_str(&format!("%{octet:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn introspector(url: &str, remember: Duration) -> Result<Introspector, String> {
        Introspector::new(&Settings {
            url,
            authorities: Path::new(""),
            client: ("troika mail", "p%:ä"),
            timeout: Duration::from_secs(1),
            remember,
        })
    }

    #[test]
    fn names_and_secrets_are_encoded_first() {
        let made = introspector("http://127.0.0.1:1/introspect", Duration::ZERO).unwrap();
        let expected = format!("Basic {}", STANDARD.encode("troika+mail:p%25%3A%C3%A4"));
        assert_eq!(made.authorization.as_deref(), Some(&*expected));
    }

    #[test]
    fn tokens_are_not_sent_in_clear() {
        for url in ["http://id.example.test/introspect", "http://192.0.2.1/", "ftp://127.0.0.1/", "x"] {
            assert!(introspector(url, Duration::ZERO).is_err(), "{url}");
        }
        for url in ["http://localhost/", "http://[::1]:81/", "http://127.0.0.2/"] {
            assert!(introspector(url, Duration::ZERO).is_ok(), "{url}");
        }
    }

    #[test]
    fn answers_are_remembered_for_a_while_and_not_without_end() {
        let made = introspector("http://127.0.0.1:1/", Duration::from_secs(60)).unwrap();
        let now = Instant::now();
        made.keep([1; 32], b"yes".to_vec(), now);
        assert_eq!(made.known(&[1; 32], now + Duration::from_secs(59)).as_deref(), Some(&b"yes"[..]));
        assert_eq!(made.known(&[1; 32], now + Duration::from_secs(60)), None);
        assert_eq!(made.known(&[2; 32], now), None);
        for number in 0..(REMEMBERED_MAX as u32 + 10) {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            made.keep(key, Vec::new(), now);
        }
        assert!(made.remembered.lock().len() <= REMEMBERED_MAX);
        let never = introspector("http://127.0.0.1:1/", Duration::ZERO).unwrap();
        never.keep([1; 32], b"yes".to_vec(), now);
        assert_eq!(never.known(&[1; 32], now), None);
    }
}
