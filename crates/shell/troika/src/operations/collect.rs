//! `troika collect`

use super::{account, now};
use crate::cli::arguments::{Collect as Command, CollectOptions, CollectProtocol, CollectTls};
use crate::config::Span;
use crate::control::{Failure, Sink};
use agents::World;
use collect::Collector;
use collecting::{Folders, Keep, NewSecret, Place, Protocol, Settings, Source, SourceId, Tls};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Sources read at a time.
const PAGE: usize = 200;
/// Pause between two looks at how far a run is.
const LOOK: Duration = Duration::from_millis(100);
/// After so long, one that has not begun is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

pub(super) fn run(
    world: &World,
    command: Command,
    password: Option<String>,
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    let collecting = &world.collecting;
    match command {
        Command::Add { account: owner, protocol, host, user, options } => {
            let owner = account(world, &owner)?;
            let password = password.ok_or_else(|| Failure::new("the password is missing"))?;
            let settings = changed(new(protocol, host, user), &options)?;
            let id = collecting.add(owner.id, settings, secret(password), now()).wait()?;
            collecting.ring();
            out.row(json!({ "id": id.0 }))?;
            out.say(format!("source {} is collected for {}", id.0, owner.address))
        }
        Command::List { account: None } => {
            let mut after = None;
            loop {
                let page = collecting.sources(after, PAGE)?;
                let Some(last) = page.last() else { return Ok(()) };
                after = Some(last.id);
                page.iter().try_for_each(|source| out.row(shown(world, source)?))?;
            }
        }
        Command::List { account: Some(owner) } => {
            let sources = collecting.sources_of(account(world, &owner)?.id)?;
            sources.iter().try_for_each(|source| out.row(shown(world, source)?))
        }
        Command::Show { id } => {
            let source = known(world, id)?;
            out.row(shown(world, &source)?)
        }
        Command::Run { id } => run_in_server(world, id, out),
        Command::Pause { id } => pause(world, id, true, out),
        Command::Resume { id } => pause(world, id, false, out),
        Command::Set { id, host, password_stdin: _, options } => {
            let source = known(world, id)?;
            let mut settings = changed(source.settings, &options)?;
            settings.host = host.unwrap_or(settings.host);
            collecting.set(SourceId(id), settings, password.map(secret), now()).wait()?;
            collecting.ring();
            out.say(format!("source {id} is changed"))
        }
        Command::Remove { id } => {
            collecting.remove(known(world, id)?.id).wait()?;
            // The running server frees the rest, or else this does.
            match collecting.is_heard() {
                true => collecting.ring(),
                false => while collecting.free().wait()? {},
            }
            out.say(format!("source {id} is removed; what was collected stays"))
        }
    }
}

fn secret(password: String) -> NewSecret {
    NewSecret(Zeroizing::new(password))
}

fn known(world: &World, id: u32) -> Result<Source, Failure> {
    world.collecting.source(SourceId(id))?.ok_or_else(|| {
        Failure::new(format!("there is no source {id}; `troika collect list` shows those there are"))
    })
}

fn pause(world: &World, id: u32, paused: bool, out: &mut dyn Sink) -> Result<(), Failure> {
    let settings = Settings { paused, ..known(world, id)?.settings };
    world.collecting.set(SourceId(id), settings, None, now()).wait()?;
    world.collecting.ring();
    out.say(format!("source {id} {}", if paused { "rests" } else { "is collected from again" }))
}

fn new(protocol: CollectProtocol, host: String, user: String) -> Settings {
    Settings {
        protocol: match protocol {
            CollectProtocol::Pop3 => Protocol::Pop3,
            CollectProtocol::Imap => Protocol::Imap,
        },
        host,
        port: 0,
        tls: Tls::Implicit,
        user,
        folders: Folders::Inbox,
        place: Place::Inbox,
        keep: Keep::Forever,
        interval: None,
        paused: false,
        keep_seen: true,
        skip_junk: true,
    }
}

/// The settings with what was said of them.
fn changed(mut settings: Settings, options: &CollectOptions) -> Result<Settings, Failure> {
    let usual_before = usual_port(&settings);
    if let Some(tls) = options.tls {
        settings.tls = match tls {
            CollectTls::Implicit => Tls::Implicit,
            CollectTls::Starttls => Tls::Starttls,
            CollectTls::None => Tls::None,
        };
    }
    match options.port {
        Some(port) => settings.port = port,
        None if settings.port == 0 || settings.port == usual_before => settings.port = usual_port(&settings),
        None => {}
    }
    if options.all_folders {
        settings.folders = Folders::All;
    } else if !options.folder.is_empty() {
        let inbox = options.folder.len() == 1 && options.folder[0].eq_ignore_ascii_case("INBOX");
        settings.folders = if inbox { Folders::Inbox } else { Folders::Named(options.folder.clone()) };
    }
    if let Some(into) = &options.into {
        let inbox = into.eq_ignore_ascii_case("INBOX");
        settings.place = if inbox { Place::Inbox } else { Place::Mailbox(mailbox_name(into)?) };
    } else if let Some(under) = &options.mirror {
        let under = if under.is_empty() { String::new() } else { mailbox_name(under)? };
        settings.place = Place::Mirrored(under);
    }
    if let Some(keep) = &options.keep {
        settings.keep = kept(keep)?;
    }
    if let Some(interval) = &options.interval {
        settings.interval = match interval.as_str() {
            "usual" => None,
            text => {
                let span = text.parse::<Span>().map_err(Failure::new)?;
                Some(u32::try_from(span.0.as_secs()).unwrap_or(u32::MAX))
            }
        };
    }
    settings.keep_seen = options.seen.unwrap_or(settings.keep_seen);
    settings.skip_junk = options.junk.map_or(settings.skip_junk, |junk| !junk);
    Ok(settings)
}

fn mailbox_name(name: &str) -> Result<String, Failure> {
    match store::name_problem(name) {
        None => Ok(name.to_owned()),
        Some(problem) => Err(Failure::new(format!("{name}: {problem}"))),
    }
}

fn usual_port(settings: &Settings) -> u16 {
    match (settings.protocol, settings.tls) {
        (Protocol::Pop3, Tls::Implicit) => 995,
        (Protocol::Pop3, _) => 110,
        (Protocol::Imap, Tls::Implicit) => 993,
        (Protocol::Imap, _) => 143,
    }
}

fn kept(text: &str) -> Result<Keep, Failure> {
    match text {
        "forever" => Ok(Keep::Forever),
        "nothing" => Ok(Keep::Nothing),
        text => {
            let span = text.parse::<Span>().map_err(|_| {
                Failure::new(format!("--keep {text}: write \"forever\", \"nothing\", or days as \"30d\""))
            })?;
            let days = span.0.as_secs().div_ceil(86_400);
            Ok(Keep::Days(u32::try_from(days).unwrap_or(u32::MAX)))
        }
    }
}

/// A source with how it does.
fn shown(world: &World, source: &Source) -> Result<Value, Failure> {
    let (status, counts) = world.collecting.status(source.id)?;
    let settings = &source.settings;
    let owner = world.directory.account_by_id(source.account)?;
    let progress = world.collecting.progress(source.id).0;
    let state = match (progress, settings.paused, &status.trouble) {
        (Some(_), ..) => "running",
        (None, true, _) => "paused",
        (None, false, Some(_)) => "in trouble",
        (None, false, None) => "fine",
    };
    let trouble = status.trouble.as_ref();
    let keep = match settings.keep {
        Keep::Forever => "forever".to_owned(),
        Keep::Nothing => "nothing".to_owned(),
        Keep::Days(days) => format!("{days}d"),
    };
    let folders = match &settings.folders {
        Folders::Inbox => json!(["INBOX"]),
        Folders::Named(names) => json!(names),
        Folders::All => json!("all"),
    };
    let (into, mirror) = match &settings.place {
        Place::Inbox => (Some("INBOX"), None),
        Place::Mailbox(name) => (Some(name.as_str()), None),
        Place::Mirrored(under) => (None, Some(under.as_str())),
    };
    Ok(json!({
        "id": source.id.0, "account": owner.map(|owner| owner.address.to_string()),
        "protocol": settings.protocol, "host": settings.host, "port": settings.port, "tls": settings.tls,
        "user": settings.user, "folders": folders, "into": into, "mirror": mirror, "keep": keep,
        "interval_seconds": settings.interval, "seen": settings.keep_seen, "junk": !settings.skip_junk,
        "created": source.created.0, "state": state,
        "trouble": trouble.map(|trouble| &trouble.words), "trouble_kind": trouble.map(|trouble| trouble.kind),
        "trouble_since": trouble.map(|trouble| trouble.since), "failures": status.failures,
        "last_run": status.last_run, "last_success": status.last_success,
        "next_run": (!settings.paused).then_some(status.next_run),
        "collected_total": counts.collected, "bytes_total": counts.bytes, "noted": counts.notes,
        "collected": status.last.collected, "known": status.last.known, "deleted": status.last.deleted,
        "too_large": status.last.too_large, "circled": status.last.circled, "failed": status.last.failed,
    }))
}

/// Has the server run a source, and waits for it.
fn run_in_server(world: &World, id: u32, out: &mut dyn Sink) -> Result<(), Failure> {
    let source = known(world, id)?;
    if source.settings.paused {
        return Err(Failure::new(format!("source {id} rests; `troika collect resume {id}` ends that")));
    }
    let owner = world.directory.account_by_id(source.account)?;
    if owner.is_none_or(|owner| owner.disabled) {
        return Err(Failure::new(format!(
            "the account of source {id} is switched off, and it rests so long"
        )));
    }
    if !world.collecting.is_heard() {
        return Err(Failure::new("this server does not collect: [collect] enabled is false"));
    }
    let (progress, before) = world.collecting.progress(source.id);
    let mut asked = None;
    if progress.is_none() {
        world.collecting.hurry(source.id, now()).wait()?;
        world.collecting.ring();
        asked = Some(Instant::now());
    }
    loop {
        let (progress, ended) = world.collecting.progress(source.id);
        if ended > before {
            return outcome(world, id, out);
        }
        match progress {
            Some(progress) => out.progress(progress.done, progress.of),
            None if *world.stopping.borrow() => {
                return Err(Failure::new(
                    "the server is stopping; what is left is collected when it runs again",
                ));
            }
            None if asked.is_none_or(|at| at.elapsed() > ASK_AGAIN) => {
                // It waits for its turn, or its time was set while the last run ended.
                known(world, id)?;
                world.collecting.hurry(source.id, now()).wait()?;
                world.collecting.ring();
                asked = Some(Instant::now());
            }
            None => {}
        }
        std::thread::sleep(LOOK);
    }
}

/// Runs a source in this process.
///
/// # Errors
/// What the run met, or that there is no such source.
pub fn run_alone(
    world: &Arc<World>,
    settings: collect::Settings,
    id: u32,
    out: &mut dyn Sink,
) -> Result<(), Failure> {
    let source = known(world, id)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the runtime can't start: {error}")))?;
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let (inner, source_id) = (world.clone(), source.id);
    let running = runtime.spawn(async move { Collector::once(&inner, &settings, source_id, stopped).await });
    while !running.is_finished() {
        if let Some(progress) = world.collecting.progress(source.id).0 {
            out.progress(progress.done, progress.of);
        }
        std::thread::sleep(LOOK);
    }
    runtime.block_on(running).map_err(|error| Failure::new(format!("the run broke off: {error}")))??;
    outcome(world, id, out)
}

/// Tells how the last run ended.
fn outcome(world: &World, id: u32, out: &mut dyn Sink) -> Result<(), Failure> {
    let (status, _) = world.collecting.status(SourceId(id))?;
    let last = status.last;
    out.row(json!({
        "id": id, "collected": last.collected, "bytes": last.bytes, "known": last.known, "deleted": last.deleted,
        "too_large": last.too_large, "circled": last.circled, "failed": last.failed, "next_run": status.next_run,
        "trouble": status.trouble.as_ref().map(|trouble| &trouble.words),
        "trouble_kind": status.trouble.as_ref().map(|trouble| trouble.kind),
    }))?;
    match status.trouble {
        Some(trouble) => Err(Failure::new(trouble.words)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(options: CollectOptions) -> Result<Settings, Failure> {
        changed(new(CollectProtocol::Imap, "h".into(), "u".into()), &options)
    }

    #[test]
    fn ports_follow_what_is_said() {
        let with = |tls, port| add(CollectOptions { tls, port, ..CollectOptions::default() }).unwrap().port;
        assert_eq!(with(None, None), 993);
        assert_eq!(with(Some(CollectTls::Starttls), None), 143);
        assert_eq!(with(Some(CollectTls::None), Some(4711)), 4711);
        let starttls = CollectOptions { tls: Some(CollectTls::Starttls), ..CollectOptions::default() };
        let later = |settings: Settings| changed(settings, &starttls).unwrap().port;
        assert_eq!(later(add(CollectOptions::default()).unwrap()), 143);
        assert_eq!(later(Settings { port: 4711, ..add(CollectOptions::default()).unwrap() }), 4711);
        assert_eq!(later(new(CollectProtocol::Pop3, "h".into(), "u".into())), 110);
    }

    #[test]
    fn how_long_mail_stays() {
        for (text, keep) in [
            ("forever", Keep::Forever),
            ("nothing", Keep::Nothing),
            ("30d", Keep::Days(30)),
            ("1h", Keep::Days(1)),
        ] {
            assert_eq!(kept(text).ok(), Some(keep));
        }
        assert!(kept("soon").is_err());
    }
}
