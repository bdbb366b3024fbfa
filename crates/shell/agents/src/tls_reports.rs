//! TLS reports of others about our domains (RFC 8460 §5): taken by HTTPS and by mail, kept for a while, shown to the
//! operator. By HTTPS anybody may post one, so that nothing but a bounded number is kept, and nothing is believed beyond
//! showing it; by mail those count that the reporting domain has signed (§3).

use crate::world::World;
use dkim::{Message, Verdict};
use model::{Domain, EmailAddress, Path};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use transport::Memory;
use transport::gzip::gunzip;
use transport::report::{Received, from_json};

/// Largest report when unpacked.
const BYTES_MAX: usize = 2 * 1024 * 1024;
/// Reports kept of one day, of those that come by HTTPS; what else comes on that day is refused.
const A_DAY_MAX: usize = 200;
/// The same of all: those that are signed get in when anybody has filled the day.
const A_DAY_SIGNED_MAX: usize = 400;
/// Larger messages are no reports.
const MESSAGE_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Messages looked at at a time; what comes then is only delivered.
const AT_ONCE: usize = 4;
/// What is kept of one report: policies, and details of each.
const POLICIES_MAX: usize = 10;
const DETAILS_MAX: usize = 10;
const DAY: i64 = 86_400;
/// Days that the list goes back.
const LISTED_DAYS: i64 = 30;

/// How a report came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Https,
    SignedMail,
}

/// Takes one that was posted (RFC 8460 §5.4).
///
/// # Errors
/// A sentence: what is wrong with it.
pub fn take(world: &World, posted: &[u8]) -> Result<(), String> {
    keep(world, posted, By::Https)
}

fn keep(world: &World, octets: &[u8], by: By) -> Result<(), String> {
    let unpacked = gunzip(octets, BYTES_MAX);
    let mut report = from_json(unpacked.as_deref().unwrap_or(octets))?;
    let hostname = world.outgoing.read().hostname.clone();
    // RFC 8460 §1.1: of DANE the policy domain is the host.
    let is_ours = |name: &str| {
        name == hostname
            || Domain::new(name).is_ok_and(|domain| world.directory.is_home(&domain).unwrap_or(false))
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
    let today = memory.received(now - now % DAY).map_err(later)?;
    if by == By::SignedMail
        && today.iter().any(|(_, known)| known.id == report.id && known.organization == report.organization)
    {
        return Ok(());
    }
    if today.len() >= if by == By::Https { A_DAY_MAX } else { A_DAY_SIGNED_MAX } {
        return Err("there were enough reports today".into());
    }
    tell(&report);
    // Nobody waits for it: a report that is lost comes again in the next one.
    drop(memory.keep_received(now, &report));
    Ok(())
}

/// Whether a message may be a report for us: by its address and its type.
fn may_be_report<'a>(world: &World, mut to: impl Iterator<Item = &'a Path>, message: &[u8]) -> bool {
    let kind = mime::header::first(message, "Content-Type").map(mime::header::unfold).unwrap_or_default();
    if !kind.to_ascii_lowercase().windows(6).any(|word| word == b"tlsrpt") {
        return false;
    }
    let given = world.outgoing.read().report_address.clone();
    let is_place = |path: &Path| match (path, &given) {
        (Path::Mailbox(to), Some(given)) => to.to_string().eq_ignore_ascii_case(&given.to_string()),
        (Path::Postmaster, None) => true,
        (Path::Mailbox(to), None) => {
            to.local.as_str().eq_ignore_ascii_case("postmaster")
                && world.directory.is_home(&to.domain).unwrap_or(false)
        }
        (Path::Postmaster, Some(_)) => false,
    };
    to.any(is_place)
}

/// Looks at a message that was just delivered, beside the delivery: at reports addressed to where our records say.
pub(crate) fn notice<'a>(world: &Arc<World>, to: impl Iterator<Item = &'a Path>, id: &str, message: &[u8]) {
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    if message.len() > MESSAGE_BYTES_MAX || !may_be_report(world, to, message) {
        return;
    }
    if RUNNING.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        return tracing::info!(id, "a TLS report is not looked at: there are others just now");
    }
    let (world, id, message) = (world.clone(), id.to_owned(), message.to_vec());
    tokio::spawn(async move {
        match evaluate(&world, &message).await {
            Ok(()) => tracing::info!(id, "a TLS report came by mail"),
            Err(why) => tracing::info!(id, why, "a TLS report that came by mail does not count"),
        }
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    });
}

async fn evaluate(world: &World, message: &[u8]) -> Result<(), String> {
    let packed = attachment(message).ok_or("there is no report in it")?;
    if !is_signed(world, message).await {
        // RFC 8460 §3: reports lacking such a signature MUST be ignored by the recipient.
        return Err("the domain in From has not signed it".into());
    }
    keep(world, &packed, By::SignedMail)
}

/// The report in a message (RFC 8460 §5.3, §6.4), as it was packed.
fn attachment(message: &[u8]) -> Option<Vec<u8>> {
    let structure = mime::parse(message);
    let is_report = |part: &&mime::Part<'_>| {
        let kind = part.content_type();
        kind.is("application", "tlsrpt+gzip") || kind.is("application", "tlsrpt+json")
    };
    let part = structure.parts().iter().find(is_report)?;
    let mut octets = Vec::new();
    let decoded =
        mime::transfer::decode(part.encoding(), &message[part.body.clone()], BYTES_MAX, &mut octets).ok()?;
    (decoded != mime::transfer::Decoded::Truncated).then_some(octets)
}

/// Whether the domain of the author has signed all of the message (RFC 8460 §3).
async fn is_signed(world: &World, raw: &[u8]) -> bool {
    let author = mime::header::first(raw, "From")
        .and_then(|value| mime::Addresses::new(value).mailboxes().next())
        .and_then(|mailbox| EmailAddress::parse(std::str::from_utf8(&mailbox.address()).ok()?).ok());
    let Some(author) = author else { return false };
    let candidates = || {
        let signatures = dkim::signatures(&Message::new(raw)).into_iter().flatten();
        // "DKIM signatures MUST NOT use the "l=" attribute".
        let whole = signatures.filter(|signature| signature.body_limit().is_none());
        whole.filter(|signature| speaks_for(signature.domain(), &author.domain)).collect::<Vec<_>>()
    };
    let names = candidates().iter().map(dkim::Signature::key_name).collect();
    let answers = world.key_answers(names).await;
    let message = Message::new(raw);
    candidates().iter().any(|signature| {
        let key = answers.get(&signature.key_name()).cloned().unwrap_or(dkim::KeyAnswer::Unavailable);
        let verdict = dkim::verify_report(&message, signature, &key, World::now().0);
        matches!(verdict, Verdict::Pass(_))
    })
}

/// The same domain, or one above it that is no top level.
fn speaks_for(signer: &Domain, author: &Domain) -> bool {
    let (signer, author) = (signer.to_ascii(), author.to_ascii());
    signer == author || (signer.contains('.') && author.ends_with(&format!(".{signer}")))
}

/// Those of the last days with the time when they came (seconds since 1970), oldest first.
///
/// # Errors
/// They can't be read.
pub fn received(world: &World) -> Result<Vec<(i64, Received)>, engine::Error> {
    Memory::new(world.engine.clone()).received(World::now().0 - LISTED_DAYS * DAY)
}

/// The same as JSON.
pub fn list(world: &World) -> String {
    let found = received(world).unwrap_or_else(|error| {
        tracing::error!(%error, "TLS reports can't be read");
        Vec::new()
    });
    let rows: Vec<Value> =
        found.into_iter().map(|(at, report)| json!({ "at": at, "report": report })).collect();
    json!(rows).to_string()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_found_in_its_message() {
        let cover = transport::report::Cover { organization: "X", contact: "c@x.test", id: "a1", day: 1 };
        let post = transport::Post {
            cover,
            json: "{}",
            domain: "y.test",
            submitter: "mail.x.test",
            from: "c@x.test",
            to: "postmaster@y.test",
            date: "Fri, 01 Apr 2016 00:00:00 +0000",
        };
        let message = transport::message(&post);
        assert_eq!(gunzip(&attachment(&message).unwrap(), 100).unwrap(), b"{}");
        assert_eq!(attachment(b"Content-Type: text/plain; x=tlsrpt\r\n\r\n{}"), None);
        let bare = b"Content-Type: application/tlsrpt+json\r\n\r\n{}\r\n";
        assert_eq!(attachment(bare).unwrap(), b"{}\r\n");
        let large =
            [&b"Content-Type: application/tlsrpt+json\r\n\r\n"[..], &vec![b' '; BYTES_MAX + 1]].concat();
        assert_eq!(attachment(&large), None);
    }

    #[test]
    fn a_domain_speaks_for_itself_and_those_below() {
        let speaks =
            |signer, author| speaks_for(&Domain::new(signer).unwrap(), &Domain::new(author).unwrap());
        assert!(speaks("x.test", "x.test") && speaks("x.test", "mail.x.test"));
        assert!(
            !speaks("mail.x.test", "x.test") && !speaks("test", "x.test") && !speaks("x.test", "ax.test")
        );
    }
}
