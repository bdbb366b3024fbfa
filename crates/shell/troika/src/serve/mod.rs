//! The running server: binds, drops privileges, serves, reloads, drains.

mod bind;
mod doors;
mod guarding;
mod housekeeping;
mod http;
mod http_client;
mod indexing;
pub mod introspection;
mod log;
mod noting;
mod pages;
mod privileges;
mod reporting;
pub mod webhook;

pub use privileges::hand_back;

use crate::config::{Config, ListenerProtocol, ListenerTls};
use crate::control::{self, Failure, Request, Sink};
use crate::{collecting_setup, operations, sending, telling, world};
use agents::World;
use collect::Collector;
use courier::Courier;
use guard::Guard;
use net::{Bound, CertificateFiles, Tls};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use webhook::Webhook;

/// Work to do once the store is open and the ports are bound, before mail is taken.
pub type Prepare = Box<dyn FnOnce(&World, &Config) -> Result<(), Failure>>;

/// Serves until stopped by SIGTERM or SIGINT.
///
/// # Errors
/// A sentence: why the server does not start, or what stopped it.
pub fn run(path: &Path, prepare: Option<Prepare>) -> Result<(), Failure> {
    let config = Config::load(path).map_err(|error| Failure::new(error.to_string()))?;
    log::start(&config.log);
    world::make_private(&config.server.data_dir)?;
    match privileges::raise_descriptors() {
        Ok(most) if most >= u64::from(config.limits.connections) => {}
        Ok(most) => tracing::warn!(
            most,
            "the system allows fewer descriptors than [limits] connections; raise `ulimit -n` (systemd: LimitNOFILE)"
        ),
        Err(error) => tracing::warn!(%error, "the number of descriptors can't be raised"),
    }
    let certificates = certificates(&config)?;
    let tls = Tls::load(&certificates).map_err(|error| Failure::new(error.to_string()))?;
    let bound = bind::all(&config)?;
    privileges::drop_to(&config.server.user, &config.server.data_dir).map_err(Failure::new)?;
    let world = Arc::new(world::open(&config)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the runtime can't start: {error}")))?;
    agents::ring_in_turns(&world.store, runtime.handle().clone());
    // Before anybody is told that the server is there: who stops it then finds it listening.
    let signals = Signals::hear(&runtime)?;
    if let Some(prepare) = prepare {
        prepare(&world, &config)?;
    }
    let control = control::server::bind(&config.server.data_dir)
        .map_err(|error| Failure::new(format!("the control socket can't be made: {error}")))?;
    control::server::serve(control, Arc::new(Operator(Arc::downgrade(&world))));

    finish_removals(&world);
    *world.introspection.write() = world::introspection(&config)?;
    let guard = sending::guard(&config, &world)?;
    let courier =
        Courier::new(world.clone(), guard.clone(), sending::settings(&config)?, sending::under_way(&config));
    let collector = match config.collect.enabled {
        true => Some(Collector::new(world.clone(), collecting_setup::settings(&config, &world)?)),
        false => None,
    };
    let webhook = Arc::new(Webhook::default());
    webhook.set(telling::webhook(&config)?);
    world.queue.scheduler().set(sending::schedule(&config));

    let outcome = runtime.block_on(serve(
        path,
        config.clone(),
        world.clone(),
        Senders { courier, guard, webhook, collector },
        (tls, bound),
        signals,
    ));
    runtime.shutdown_timeout(config.server.shutdown_grace.0);
    let _ = std::fs::remove_file(control::server::socket_path(&config.server.data_dir));
    // The last owner: the store waits for what is queued and makes its index durable.
    drop(world);
    tracing::info!("stopped");
    outcome
}

/// Goes on with freeing what removed accounts and mailboxes held, if the last run stopped in the middle of it.
fn finish_removals(world: &Arc<World>) {
    let unfinished = world.store.unpurged().unwrap_or_default();
    if unfinished.is_empty() {
        return;
    }
    let world = Arc::downgrade(world);
    std::thread::spawn(move || {
        for account in unfinished {
            while let Some(world) = world.upgrade()
                && let Ok(true) = world.store.purge(account).wait()
            {}
        }
    });
}

/// The control socket's requests, done with this server's store.
struct Operator(Weak<World>);

impl control::server::Operator for Operator {
    fn run(&self, request: Request, body: &[u8], out: &mut dyn Sink) -> Result<(), Failure> {
        let world =
            self.0.upgrade().ok_or_else(|| Failure::new("the server is stopping; try again when it runs"))?;
        operations::run(&world, request, body, out)
    }
}

/// The certificate that is shown to who names no host, made already or not.
pub fn certificate_file(config: &Config) -> std::path::PathBuf {
    let own = || config.server.data_dir.join("tls/server.pem");
    config.certificate.first().map_or_else(own, |given| given.certificate.clone())
}

/// The configured certificates, or ones of our own.
fn certificates(config: &Config) -> Result<Vec<CertificateFiles>, Failure> {
    if !config.certificate.is_empty() {
        let files = |given: &crate::config::Certificate| CertificateFiles {
            certificate: given.certificate.clone(),
            key: given.key.clone(),
        };
        return Ok(config.certificate.iter().map(files).collect());
    }
    let dir = config.server.data_dir.join("tls");
    std::fs::create_dir_all(&dir).map_err(|error| Failure::new(format!("{}: {error}", dir.display())))?;
    let own = CertificateFiles { certificate: dir.join("server.pem"), key: dir.join("server.key") };
    if !own.certificate.exists() {
        let names =
            [config.server.hostname.to_string(), "localhost".into(), "127.0.0.1".into(), "::1".into()];
        net::self_signed_authority(&dir, &names).map_err(|error| Failure::new(error.to_string()))?;
        tracing::info!(ca = %dir.join("ca.pem").display(), "made a CA and a certificate; import the CA file into your clients");
    }
    Ok(vec![own])
}

/// Those who speak to other hosts.
struct Senders {
    courier: Arc<Courier>,
    guard: Arc<Guard>,
    webhook: Arc<Webhook>,
    /// None: nothing is collected.
    collector: Option<Arc<Collector>>,
}

async fn serve(
    path: &Path,
    config: Config,
    world: Arc<World>,
    senders: Senders,
    (tls, bound): (Tls, Vec<(usize, Bound)>),
    signals: Signals,
) -> Result<(), Failure> {
    let (stop, shutdown) = watch::channel(false);
    let settings = Arc::new(doors::Settings::new(config.clone()));
    let admission = doors::admission(&config);
    let mut doors = JoinSet::new();
    let sending = tokio::spawn(senders.courier.clone().run(shutdown.clone()));
    let collecting = senders.collector.clone().map(|collector| tokio::spawn(collector.run(shutdown.clone())));
    for (index, bound) in bound {
        let listener = config.listener[index].clone();
        tracing::info!(protocol = ?listener.protocol, address = %bound.address(), "listening");
        let (settings, world, tls) = (settings.clone(), world.clone(), tls.clone());
        let (admission, shutdown) = (admission.clone(), shutdown.clone());
        doors.spawn(async move {
            if listener.protocol == ListenerProtocol::Http {
                return match bound {
                    Bound::Tcp(tcp) => {
                        let visitors = if listener.bind.is_loopback() && listener.tls == ListenerTls::None {
                            http::Visitors::Own
                        } else {
                            http::Visitors::All
                        };
                        let tls = (listener.tls == ListenerTls::Implicit).then_some(tls);
                        let pages = Arc::new(pages::ServerPages::new(world, settings));
                        http::serve(tcp, tls, visitors, pages, shutdown).await
                    }
                    Bound::Unix(_) => Ok(()),
                };
            }
            doors::open(&listener, bound, settings, world, tls, admission, shutdown).await
        });
    }
    let guarding = tokio::spawn(guarding::run(senders.guard.clone(), shutdown.clone()));
    let reporting = tokio::spawn(reporting::run(
        senders.guard.clone(),
        Arc::downgrade(&world),
        settings.clone(),
        shutdown.clone(),
    ));
    tokio::spawn(housekeeping::run(Arc::downgrade(&world)));
    tokio::spawn(noting::run(Arc::downgrade(&world)));
    tokio::spawn(indexing::run(Arc::downgrade(&world)));
    tokio::spawn(senders.webhook.clone().run(Arc::downgrade(&world)));
    tokio::spawn(agents::lists::spread(Arc::downgrade(&world)));
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let grace = config.server.shutdown_grace.0;
    let why = until_stopped(path, &settings, &world, &senders, &tls, signals).await;
    tracing::info!("stopping: running sessions may finish");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    let _ = stop.send(true);
    world.stopping.send_replace(true);
    let all = async {
        while doors.join_next().await.is_some() {}
        let _ = sending.await;
        if let Some(collecting) = collecting {
            let _ = collecting.await;
        }
        let _ = guarding.await;
        let _ = reporting.await;
        senders.guard.flush().await;
        if let Err(why) = noting::write_all(world.clone()).await {
            tracing::warn!(why, "where the last accepted messages went could not be written; the log has it");
        }
    };
    let drained = tokio::time::timeout(grace, all).await;
    if drained.is_err() {
        tracing::warn!("some sessions did not finish in time and are cut off");
    }
    why
}

/// What the process is told from outside.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From here on none is lost, though it is acted on only when [`until_stopped`] runs.
    fn hear(runtime: &tokio::runtime::Runtime) -> Result<Signals, Failure> {
        let _entered = runtime.enter();
        let hear =
            |kind| signal(kind).map_err(|error| Failure::new(format!("signals can't be heard: {error}")));
        Ok(Signals {
            terminate: hear(SignalKind::terminate())?,
            interrupt: hear(SignalKind::interrupt())?,
            hang_up: hear(SignalKind::hangup())?,
        })
    }
}

/// How soon a store that stopped is noticed.
const STOPPED_ROUND: Duration = Duration::from_secs(1);

/// Reloads on SIGHUP; returns on SIGTERM or SIGINT, and with a failure when the store takes nothing more: only a new
/// start, which replays the log, helps then, and the service manager makes it.
async fn until_stopped(
    path: &Path,
    settings: &Arc<doors::Settings>,
    world: &Arc<World>,
    senders: &Senders,
    tls: &Tls,
    mut signals: Signals,
) -> Result<(), Failure> {
    let mut rounds = tokio::time::interval(STOPPED_ROUND);
    loop {
        tokio::select! {
            _ = rounds.tick() => if world.engine.figures().stopped {
                return Err(Failure::new(engine::Error::Stopped.to_string()));
            },
            _ = signals.terminate.recv() => return Ok(()),
            _ = signals.interrupt.recv() => return Ok(()),
            _ = signals.hang_up.recv() => match reload(path, settings, world, senders, tls) {
                Ok(()) => tracing::info!(path = %path.display(), "the configuration was read again"),
                Err(failure) => tracing::error!(%failure, "the new configuration is not used; the old one stays in force"),
            },
        }
    }
}

/// Takes over what can change under running sessions: certificates, policy, limits of new sessions. Listeners, the
/// data folder and the store's settings need a restart.
fn reload(
    path: &Path,
    settings: &doors::Settings,
    world: &World,
    senders: &Senders,
    tls: &Tls,
) -> Result<(), Failure> {
    let config = Config::load(path).map_err(|error| Failure::new(error.to_string()))?;
    let directory = world::directory_settings(&config)?;
    let keys = world.policy.read().rewriting.keys.clone();
    let policy = world::policy(&config, keys)?;
    let sending = sending::settings(&config)?;
    let outgoing = telling::outgoing(&config)?;
    let webhook = telling::webhook(&config)?;
    let introspection = world::introspection(&config)?;
    let trust = sending::trust(&config)?;
    let collecting = collecting_setup::settings(&config, world)?;
    tls.reload(&certificates(&config)?).map_err(|error| Failure::new(error.to_string()))?;
    world
        .resolver
        .reload(&world::dns_settings(&config))
        .map_err(|error| Failure::new(format!("[dns]: {error}")))?;
    world.directory.reload(directory);
    *world.introspection.write() = introspection;
    world.seals.store(config.arc.seal, std::sync::atomic::Ordering::Relaxed);
    *world.policy.write() = Arc::new(policy);
    world.queue.scheduler().set(sending::schedule(&config));
    *world.outgoing.write() = Arc::new(outgoing);
    senders.webhook.set(webhook);
    senders.guard.reload(trust).map_err(|error| Failure::new(error.to_string()))?;
    senders.courier.reload(sending);
    if let Some(collector) = &senders.collector {
        collector.reload(collecting);
    }
    *world.list_settings.write() = Arc::new(world::list_settings(&config));
    settings.replace(config);
    Ok(())
}
