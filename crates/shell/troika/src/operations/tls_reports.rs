//! `troika tls-reports`

use crate::cli::arguments::TlsReports as Command;
use crate::control::{Failure, Sink};
use agents::{World, tls_reports};
use serde_json::{Value, json};
use transport::report::Received;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    let received = tls_reports::received(world)?;
    match command {
        Command::List => received.iter().try_for_each(|(at, report)| out.row(brief(*at, report))),
        Command::Show { id } => {
            let mut meant = received.iter().filter(|(_, report)| report.id == id).peekable();
            if meant.peek().is_none() {
                let why = format!(
                    "there is no TLS report {id}; `troika tls-reports list` shows those of the last 30 days"
                );
                return Err(Failure::new(why));
            }
            meant.try_for_each(|(at, report)| out.row(whole(*at, report)))
        }
    }
}

fn brief(at: i64, report: &Received) -> Value {
    let domains: Vec<&str> = report.policies.iter().map(|policy| policy.domain.as_str()).collect();
    json!({
        "at": at,
        "from": report.organization,
        "id": report.id,
        "domains": domains,
        "successes": report.policies.iter().map(|policy| policy.successes).sum::<u64>(),
        "failures": report.policies.iter().map(|policy| policy.failures).sum::<u64>(),
    })
}

fn whole(at: i64, report: &Received) -> Value {
    let policies: Vec<Value> = report
        .policies
        .iter()
        .map(|policy| {
            let detail = |(result, host, reason, count): &(String, String, String, u64)| {
                json!({ "result": result, "host": host, "reason": reason, "count": count })
            };
            json!({
                "domain": policy.domain,
                "policy": policy.kind,
                "successes": policy.successes,
                "failures": policy.failures,
                "details": policy.details.iter().map(detail).collect::<Vec<_>>(),
            })
        })
        .collect();
    let (from, until) = &report.range;
    json!({
        "at": at, "from": report.organization, "id": report.id, "begin": from, "end": until, "policies": policies,
    })
}
