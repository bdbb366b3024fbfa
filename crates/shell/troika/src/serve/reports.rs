//! TLS reports of others about our domains (RFC 8460 §5.4): taken by HTTPS, kept for a while, shown to the operator.
//! Anybody may post one, so that nothing but a bounded number is kept, and nothing is believed beyond showing it.

use crate::config::Config;
use agents::World;
use serde_json::json;
use transport::Memory;
use transport::gzip::gunzip;
use transport::report::{Received, from_json};

/// Largest report when unpacked.
const BYTES_MAX: usize = 2 * 1024 * 1024;
/// Reports kept of one day; what else comes on that day is refused.
const A_DAY_MAX: usize = 200;
/// What is kept of one report: policies, and details of each.
const POLICIES_MAX: usize = 10;
const DETAILS_MAX: usize = 10;
const DAY: i64 = 86_400;
/// Days that the list goes back.
const LISTED_DAYS: i64 = 30;

/// Takes one.
pub fn take(world: &World, config: &Config, posted: &[u8]) -> Result<(), String> {
    let unpacked = gunzip(posted, BYTES_MAX);
    let mut report = from_json(unpacked.as_deref().unwrap_or(posted))?;
    let hostname = config.server.hostname.to_string();
    // RFC 8460 §1.1: of DANE the policy domain is the host.
    let is_ours = |name: &str| {
        name == hostname
            || model::Domain::new(name).is_ok_and(|domain| world.directory.is_home(&domain).unwrap_or(false))
    };
    report.policies.retain(|policy| is_ours(&policy.domain));
    report.policies.truncate(POLICIES_MAX);
    report.policies.iter_mut().for_each(|policy| policy.details.truncate(DETAILS_MAX));
    if report.policies.is_empty() {
        return Err("it is not about a domain of this server".into());
    }
    let memory = Memory::new(world.engine.clone());
    let now = World::now().0;
    let later = |_| "reports can't be kept now; please come again".to_owned();
    if memory.received(now - now % DAY).map_err(later)?.len() >= A_DAY_MAX {
        return Err("there were enough reports today".into());
    }
    tell(&report);
    // Nobody waits for it: a report that is lost comes again in the next one.
    drop(memory.keep_received(now, &report));
    Ok(())
}

/// One line for each policy of which something failed.
fn tell(report: &Received) {
    for policy in report.policies.iter().filter(|policy| policy.failures > 0) {
        let details: Vec<String> = policy
            .details
            .iter()
            .map(|(result, host, reason, count)| format!("{count} x {result} {host} {reason}"))
            .collect();
        tracing::warn!(
            reporter = report.organization,
            domain = policy.domain,
            policy = policy.kind,
            failures = policy.failures,
            successes = policy.successes,
            details = details.join("; "),
            "another server reports that TLS with our hosts failed"
        );
    }
}

/// Those of the last days, oldest first.
pub fn list(world: &World) -> String {
    let memory = Memory::new(world.engine.clone());
    let found = memory.received(World::now().0 - LISTED_DAYS * DAY).unwrap_or_else(|error| {
        tracing::error!(%error, "TLS reports can't be read");
        Vec::new()
    });
    let rows: Vec<_> = found.into_iter().map(|(at, report)| json!({ "at": at, "report": report })).collect();
    json!(rows).to_string()
}
