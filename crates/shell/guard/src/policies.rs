//! MTA-STS policies: found by their TXT record, fetched by HTTPS, kept for as long as they say (RFC 8461 §3, §5.1).

use crate::https::{self, Ask, Trouble};
use dns::Resolver;
use net::ClientTls;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use transport::report::ResultType;
use transport::sts::{POLICY_BYTES_MAX, Policy, record_id};
use transport::{Fetched, Memory};

/// How long a fetch may take (RFC 8461 §3.3 suggests a minute; a delivery waits for it).
const FETCH_MAX: Duration = Duration::from_secs(30);
/// RFC 8461 §3.3: "such as every 5 minutes or longer per version ID".
const AGAIN_AFTER: Duration = Duration::from_secs(300);
/// Failures remembered.
const FAILURES_MAX: usize = 10_000;

/// What is known of a domain's policy.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The policy in force.
    pub policy: Option<Arc<Fetched>>,
    /// There is one, or a newer one, and it could not be had.
    pub failure: Option<(ResultType, String)>,
}

struct Failed {
    id: String,
    at: Instant,
    why: (ResultType, String),
}

/// See the module.
pub(crate) struct Policies {
    memory: Memory,
    failed: Mutex<HashMap<String, Failed>>,
    /// One fetch for a domain at a time; who comes meanwhile waits for it.
    fetching: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    port: u16,
}

impl Policies {
    pub(crate) fn new(memory: Memory, port: u16) -> Policies {
        Policies { memory, failed: Mutex::default(), fetching: Mutex::default(), port }
    }

    /// What is known of `domain`'s policy; fetches it if its record is new.
    pub(crate) async fn of(&self, resolver: &Resolver, tls: &ClientTls, domain: &str, now: i64) -> Known {
        let kept = || {
            self.memory.policy(domain, now).unwrap_or_else(|error| {
                tracing::error!(domain, %error, "the domain's MTA-STS policy can't be read");
                None
            })
        };
        let texts = resolver.txt(&format!("_mta-sts.{domain}")).await;
        let policy = kept().map(Arc::new);
        // RFC 8461 §3.3, §5.1: without a record, or with a DNS that fails, the kept policy holds until its end. Whoever
        // can suppress an answer could else switch it off.
        let id = texts
            .ok()
            .and_then(|answer| record_id(answer.records.iter().map(String::as_str)).map(str::to_owned));
        let Some(id) = id else { return Known { policy, failure: None } };
        if policy.as_ref().is_some_and(|policy| policy.id == id) {
            return Known { policy, failure: None };
        }
        if let Some(why) = self.failed_lately(domain, &id) {
            return Known { policy, failure: Some(why) };
        }
        let turn = self.fetching.lock().entry(domain.to_owned()).or_default().clone();
        let _turn = turn.lock().await;
        // Another may have fetched it while this one waited.
        if let Some(policy) = kept().filter(|policy| policy.id == id) {
            return Known { policy: Some(Arc::new(policy)), failure: None };
        }
        if let Some(why) = self.failed_lately(domain, &id) {
            return Known { policy, failure: Some(why) };
        }
        let known = match self.fetch(resolver, tls, domain).await {
            Ok(fresh) => {
                let expires = now + i64::from(fresh.max_age);
                let fetched = Fetched { id, policy: fresh, at: now, expires };
                if self.memory.keep_policy(domain, Some(&fetched)).await.is_err() {
                    tracing::error!(domain, "the domain's MTA-STS policy can't be kept");
                }
                tracing::info!(
                    domain,
                    mode = fetched.policy.mode.as_str(),
                    id = fetched.id,
                    "MTA-STS policy fetched"
                );
                Known { policy: Some(Arc::new(fetched)), failure: None }
            }
            Err(why) => {
                tracing::warn!(domain, why = why.1, "the domain's MTA-STS policy can't be had");
                self.note_failure(domain, id, why.clone());
                Known { policy, failure: Some(why) }
            }
        };
        self.fetching.lock().remove(domain);
        known
    }

    /// Fetches again what is kept, so that a policy never runs out because its record was suppressed for long (RFC 8461
    /// §10.2); once a day.
    pub(crate) async fn refresh(&self, resolver: &Resolver, tls: &ClientTls, now: i64) {
        let kept = match self.memory.policies(now) {
            Ok(kept) => kept,
            Err(error) => return tracing::error!(%error, "the MTA-STS policies can't be read"),
        };
        for (domain, old) in kept {
            let Ok(fresh) = self.fetch(resolver, tls, &domain).await else { continue };
            let expires = now + i64::from(fresh.max_age);
            let fetched = Fetched { id: old.id, policy: fresh, at: now, expires };
            let _ = self.memory.keep_policy(&domain, Some(&fetched)).await;
        }
    }

    async fn fetch(
        &self,
        resolver: &Resolver,
        tls: &ClientTls,
        domain: &str,
    ) -> Result<Policy, (ResultType, String)> {
        let host = format!("mta-sts.{domain}");
        let ask = Ask {
            host: &host,
            port: self.port,
            path: "/.well-known/mta-sts.txt",
            body: None,
            limit: FETCH_MAX,
            bytes_max: POLICY_BYTES_MAX,
        };
        let reply = https::ask(resolver, tls, ask).await.map_err(|trouble| {
            let result = match trouble {
                Trouble::Certificate { .. } => ResultType::StsWebpkiInvalid,
                _ => ResultType::StsPolicyFetchError,
            };
            (result, trouble.to_string())
        })?;
        let invalid = |why: String| (ResultType::StsPolicyInvalid, format!("{host}: {why}"));
        // RFC 8461 §3.2: "the media type for this resource MUST be "text/plain"".
        if reply.kind != "text/plain" {
            return Err(invalid(format!("the policy's media type is {:?}, not text/plain", reply.kind)));
        }
        let text = String::from_utf8(reply.body).map_err(|_| invalid("the policy is not in UTF-8".into()))?;
        Policy::parse(&text).map_err(|error| invalid(error.to_string()))
    }

    fn failed_lately(&self, domain: &str, id: &str) -> Option<(ResultType, String)> {
        let failed = self.failed.lock();
        let last = failed.get(domain).filter(|last| last.id == id && last.at.elapsed() < AGAIN_AFTER)?;
        Some(last.why.clone())
    }

    fn note_failure(&self, domain: &str, id: String, why: (ResultType, String)) {
        let mut failed = self.failed.lock();
        if failed.len() >= FAILURES_MAX {
            failed.retain(|_, last| last.at.elapsed() < AGAIN_AFTER);
        }
        if failed.len() < FAILURES_MAX {
            failed.insert(domain.to_owned(), Failed { id, at: Instant::now(), why });
        }
    }
}
