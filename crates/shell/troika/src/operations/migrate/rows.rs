//! What is shown of copied accounts: a row for each folder of one, or for each account of a list.

use super::wanted::Wanted;
use crate::control::{Failure, Sink};
use migration::Counts;
use mover::{Failure as Missing, Outcome};
use serde_json::{Value, json};

/// Messages that did not come over, told one by one.
const SAID_MAX: usize = 50;

/// A row for each folder.
pub(super) fn folders(outcome: &Outcome, dry_run: bool) -> Vec<Value> {
    let ended = outcome.folders.iter().map(|end| {
        let missing: Vec<Value> =
            outcome.failures.iter().filter(|failure| failure.folder == end.name).map(missing).collect();
        row(&end.name, &end.into, &end.counts, missing, dry_run)
    });
    let went = |failure: &&Missing| outcome.folders.iter().all(|end| end.name != failure.folder);
    let failed = outcome
        .failures
        .iter()
        .filter(went)
        .map(|failure| row(&failure.folder, "", &Counts::default(), vec![missing(failure)], dry_run));
    let gone = outcome.left_over.iter().map(|(name, removed)| {
        let counts = Counts { removed: *removed, ..Counts::default() };
        row(name, "", &counts, Vec::new(), dry_run)
    });
    ended.chain(failed).chain(gone).collect()
}

fn row(name: &str, into: &str, counts: &Counts, missing: Vec<Value>, dry_run: bool) -> Value {
    json!({
        "folder": name, "into": into, "messages": counts.messages, "known": counts.known,
        "new": if dry_run { counts.wanted } else { counts.new }, "recognised": counts.recognised,
        "flags_changed": counts.flags, "removed": counts.removed, "missing": missing,
    })
}

fn missing(failure: &Missing) -> Value {
    json!({ "uid": failure.uid.map(|uid| uid.0), "why": failure.why })
}

/// A row for an account of a list.
pub(super) fn account(wanted: &Wanted, ended: &Result<Outcome, Failure>, dry_run: bool) -> Value {
    let nothing = Outcome::default();
    let (outcome, failed) = match ended {
        Ok(outcome) => (outcome, None),
        Err(failure) => (&nothing, Some(failure.0.clone())),
    };
    let sum = |of: fn(&Counts) -> u64| outcome.folders.iter().map(|end| of(&end.counts)).sum::<u64>();
    let removed: u64 = outcome.left_over.iter().map(|(_, removed)| removed).sum();
    let result = match failed.or_else(|| outcome.trouble.clone()) {
        Some(trouble) => trouble,
        None if outcome.failed > 0 => "incomplete".to_owned(),
        None => "complete".to_owned(),
    };
    json!({
        "account": wanted.account, "from": wanted.user, "folders": outcome.folders.len(),
        "messages": sum(|counts| counts.messages), "known": sum(|counts| counts.known),
        "new": sum(if dry_run { |counts| counts.wanted } else { |counts| counts.new }),
        "recognised": sum(|counts| counts.recognised),
        "flags_changed": sum(|counts| counts.flags), "removed": sum(|counts| counts.removed) + removed,
        "missing": outcome.failed, "result": result,
    })
}

/// Tells what did not come over.
pub(super) fn say(
    wanted: &Wanted,
    ended: &Result<Outcome, Failure>,
    is_list: bool,
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    let Ok(outcome) = ended else { return Ok(()) };
    let whose = if is_list { format!("{}: ", wanted.account) } else { String::new() };
    for failure in outcome.failures.iter().take(SAID_MAX) {
        out.say(match failure.uid {
            Some(uid) => format!("{whose}{}, UID {uid}: {}", failure.folder, failure.why),
            None => format!("{whose}{}: {}", failure.folder, failure.why),
        })?;
    }
    let more = outcome.failed.saturating_sub(SAID_MAX as u64);
    if more > 0 {
        out.say(format!("{whose}and {more} more"))?;
    }
    Ok(())
}

/// Why the one account that was wanted is not here in full.
pub(super) fn trouble(outcome: &Outcome) -> Option<String> {
    if let Some(trouble) = &outcome.trouble {
        return Some(trouble.clone());
    }
    (outcome.failed > 0).then(|| {
        format!(
            "{} messages or folders did not come over; mend what is told of them, then run it again: \
             it only copies what is missing",
            outcome.failed
        )
    })
}
