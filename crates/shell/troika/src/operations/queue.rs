//! `troika queue`

use super::{account, domain_name, history, now};
use crate::cli::arguments::{Queue as Command, QueueChoice, QueueFilter, QueueState};
use crate::config::Span;
use crate::control::{Failure, Sink};
use agents::World;
use model::UnixTime;
use queue::schedule::{Destination, Moment};
use queue::{Change, Filter, QueueId, RecipientState};
use serde_json::json;

/// Entries read, or changed by one transaction, at a time.
const PAGE: usize = 200;

pub(super) fn run(world: &World, command: Command, out: &mut dyn Sink) -> Result<(), Failure> {
    match command {
        Command::List(given) => {
            let (filter, mut after) = (filter(world, &given)?, None);
            loop {
                let page = world.queue.list(&filter, after, PAGE)?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(last.id);
                page.into_iter().try_for_each(|entry| out.row(entry))?;
            }
        }
        Command::Show { id } => {
            let shown = world.queue.show(known(&id)?)?;
            out.row(shown.ok_or_else(|| missing(&id))?)
        }
        Command::History { of } => history::run(world, &of, out),
        Command::Hold(choice) => change(world, &choice, Change::Hold, "held", out),
        Command::Release(choice) => change(world, &choice, Change::Release, "released", out),
        Command::Retry(choice) => change(world, &choice, Change::Retry, "tried now", out),
        Command::Bounce { choice, reason } => bounce(world, &choice, &reason, out),
        Command::Remove(choice) => change(world, &choice, Change::Remove, "removed", out),
        Command::Flush { destinations } => flush(world, &destinations, out),
        Command::Destinations => {
            let status = world.queue.scheduler().status(moment());
            if status.destinations.is_empty() && world.queue.totals()?.queued > 0 {
                out.say("no server is sending now: this is known only while one runs")?;
            }
            status.destinations.into_iter().try_for_each(|one| out.row(one))
        }
        Command::Stats => stats(world, out),
    }
}

fn moment() -> Moment {
    now().into()
}

/// Does something to these entries; answers those that there was something to do for.
type Act<'a> = &'a dyn Fn(&[QueueId]) -> Result<Vec<QueueId>, Failure>;

fn change(
    world: &World,
    choice: &QueueChoice,
    what: Change,
    done: &str,
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    each(world, choice, &|ids| Ok(world.queue.change(what, ids, now())?), done, out)
}

fn bounce(world: &World, choice: &QueueChoice, reason: &str, out: &mut dyn Sink) -> Result<(), Failure> {
    let act = |ids: &[QueueId]| {
        agents::bounce(world, ids, reason, now()).map_err(|error| Failure::new(error.to_string()))
    };
    each(world, choice, &act, "given up, the sender is told", out)
}

fn each(
    world: &World,
    choice: &QueueChoice,
    act: Act<'_>,
    done: &str,
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    if !choice.ids.is_empty() {
        let ids = choice.ids.iter().map(|id| known(id)).collect::<Result<Vec<_>, _>>()?;
        for (id, given) in ids.into_iter().zip(&choice.ids) {
            if !is_chosen(world, choice, id)? || act(&[id])?.is_empty() {
                return Err(missing(given));
            }
            out.say(format!("{done}: {id}"))?;
        }
        return Ok(());
    }
    let filter = filter(world, &choice.filter)?;
    if filter == Filter::default() && !choice.all {
        return Err(Failure::new("which messages? Give their ids, a filter such as --domain, or --all"));
    }
    // All are found before the first is touched: reports that come of it are not meant.
    let mut ids: Vec<QueueId> = Vec::new();
    loop {
        let page = world.queue.list(&filter, ids.last().copied(), PAGE)?;
        if page.is_empty() {
            break;
        }
        ids.extend(page.iter().map(|entry| entry.id));
    }
    let mut many = 0;
    for (at, page) in ids.chunks(PAGE).enumerate() {
        many += act(page)?.len();
        out.progress((at * PAGE + page.len()) as u64, ids.len() as u64);
    }
    out.say(format!("{done}: {many} messages"))
}

/// Whether the filter, if there is one beside the ids, fits this message.
fn is_chosen(world: &World, choice: &QueueChoice, id: QueueId) -> Result<bool, Failure> {
    let filter = filter(world, &choice.filter)?;
    if filter == Filter::default() {
        return Ok(true);
    }
    let page = world.queue.list(&filter, Some(QueueId(id.0.saturating_sub(1))), 1)?;
    Ok(page.first().is_some_and(|entry| entry.id == id))
}

fn flush(world: &World, names: &[String], out: &mut dyn Sink) -> Result<(), Failure> {
    for name in names {
        let destination = Destination(name.to_lowercase().into());
        if !world.queue.scheduler().knows(&destination) {
            return Err(Failure::new(format!(
                "nothing is on its way to {name}; `troika queue destinations` shows where mail goes"
            )));
        }
        let many = world.queue.scheduler().flush(&destination, moment());
        out.say(format!("tried now: {name}, {many} messages that waited for their next attempt"))?;
    }
    world.queue.ring();
    Ok(())
}

fn stats(world: &World, out: &mut dyn Sink) -> Result<(), Failure> {
    let totals = world.queue.totals()?;
    let oldest = world.queue.list(&Filter::default(), None, 1)?.first().map(|entry| entry.received.0);
    let status = world.queue.scheduler().status(moment());
    let troubled = status.destinations.iter().filter(|one| one.failures > 0).count();
    let ready: u64 = status.destinations.iter().map(|one| one.ready).sum();
    out.row(json!({
        "messages": totals.entries,
        "bytes": totals.bytes,
        "recipients_waiting": totals.queued,
        "recipients_held": totals.held,
        "oldest": oldest,
        "ready": ready,
        "jobs": status.jobs,
        "destinations": status.destinations.len(),
        "destinations_in_trouble": troubled,
    }))
}

fn filter(world: &World, given: &QueueFilter) -> Result<Filter, Failure> {
    let state = |state| match state {
        QueueState::Queued => RecipientState::Queued,
        QueueState::Held => RecipientState::Held,
        QueueState::Delivered => RecipientState::Delivered,
        QueueState::Failed => RecipientState::Failed,
        QueueState::Expired => RecipientState::Expired,
    };
    let older = given.older.as_deref().map(|text| text.parse::<Span>().map_err(Failure::new)).transpose()?;
    let ago = |span: Span| {
        let seconds = i64::try_from(span.0.as_secs()).unwrap_or(i64::MAX);
        UnixTime(now().0.saturating_sub(seconds))
    };
    Ok(Filter {
        sender: given.sender.as_ref().map(|text| text.trim_matches(['<', '>']).to_owned()),
        account: given
            .account
            .as_deref()
            .map(|text| account(world, text).map(|known| known.id))
            .transpose()?,
        before: older.map(ago),
        recipient_domain: given.domain.as_deref().map(domain_name).transpose()?,
        recipient: given.recipient.clone(),
        state: given.state.map(state),
        reply: given.reply.clone(),
    })
}

fn known(id: &str) -> Result<QueueId, Failure> {
    id.parse().map_err(|_| Failure::new(format!("{id} is no queue id; `troika queue list` shows them")))
}

fn missing(id: &str) -> Failure {
    Failure::new(format!("nothing to do for {id}: it is not in the queue any more, or in that state already"))
}
