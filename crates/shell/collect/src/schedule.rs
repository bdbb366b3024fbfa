//! Runs sources when they are due.

use crate::run::noted;
use crate::{Settings, run};
use agents::World;
use collecting::agenda::Agenda;
use collecting::{Source, SourceId};
use model::UnixTime;
use parking_lot::RwLock;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Sources read at a time.
const PAGE: usize = 500;
/// The longest sleep: clocks jump.
const ROUND: Duration = Duration::from_secs(60);

/// See the crate.
pub struct Collector {
    world: Arc<World>,
    settings: RwLock<Arc<Settings>>,
    bell: Arc<Notify>,
}

/// A source, its host, and when it is due; None: it rests.
type Due = (SourceId, String, Option<UnixTime>);

/// A run that ended: which, and when the next one is.
type Ended = (SourceId, Option<UnixTime>);

impl Collector {
    /// Ready to [`run`](Collector::run).
    pub fn new(world: Arc<World>, settings: Settings) -> Arc<Collector> {
        let bell = Arc::new(Notify::new());
        let rung = bell.clone();
        world.collecting.listen(move || rung.notify_one());
        Arc::new(Collector { world, settings: RwLock::new(Arc::new(settings)), bell })
    }

    /// Takes other settings, for runs from now on.
    pub fn reload(&self, settings: Settings) {
        *self.settings.write() = Arc::new(settings);
        self.bell.notify_one();
    }

    /// Runs sources until `shutdown`; then those that run end behind the message they are at.
    pub async fn run(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let mut agenda = Agenda::new(self.settings().at_once);
        let mut runs: JoinSet<Ended> = JoinSet::new();
        let mut which: HashMap<tokio::task::Id, SourceId> = HashMap::new();
        let mut known = HashSet::new();
        self.free().await;
        self.refill(&mut agenda, &mut known).await;
        loop {
            while let Some(id) = agenda.begin(World::now()) {
                let (collector, stop) = (self.clone(), shutdown.clone());
                let handle = runs.spawn(async move { (id, collector.one(id, stop).await) });
                which.insert(handle.id(), id);
            }
            let ahead = agenda.next().map(|due| due.0 - World::now().0).filter(|seconds| *seconds > 0);
            let pause =
                ahead.and_then(|seconds| u64::try_from(seconds).ok()).map_or(ROUND, Duration::from_secs);
            tokio::select! {
                () = is_down(&mut shutdown) => break,
                () = self.bell.notified() => {
                    self.free().await;
                    self.refill(&mut agenda, &mut known).await;
                }
                Some(ended) = runs.join_next_with_id(), if !runs.is_empty() => {
                    self.ended(ended, &mut which, &mut agenda);
                }
                () = tokio::time::sleep(pause.min(ROUND)) => {}
            }
        }
        while runs.join_next().await.is_some() {}
    }

    /// Runs one source now, whenever it is due, if it is not running.
    ///
    /// # Errors
    /// There is no such source, or it can't be read.
    pub async fn once(
        world: &Arc<World>,
        settings: &Settings,
        id: SourceId,
        stop: watch::Receiver<bool>,
    ) -> Result<(), engine::Error> {
        if let Some(source) = world.collecting.source(id)? {
            run::noted(world, settings, &source, stop).await;
        }
        Ok(())
    }

    fn settings(&self) -> Arc<Settings> {
        self.settings.read().clone()
    }

    async fn one(&self, id: SourceId, stop: watch::Receiver<bool>) -> Option<UnixTime> {
        match self.world.collecting.source(id) {
            Ok(Some(source)) if !self.rests(&source) => {
                noted(&self.world, &self.settings(), &source, stop).await
            }
            Ok(_) => None,
            Err(error) => {
                tracing::error!(source = id.0, %error, "a source can't be read; run `troika store check`");
                None
            }
        }
    }

    fn ended(
        &self,
        ended: Result<(tokio::task::Id, Ended), tokio::task::JoinError>,
        which: &mut HashMap<tokio::task::Id, SourceId>,
        agenda: &mut Agenda,
    ) {
        let (id, next) = match ended {
            Ok((task, (id, next))) => {
                which.remove(&task);
                (id, next)
            }
            Err(error) => {
                let Some(id) = which.remove(&error.id()) else { return };
                tracing::error!(source = id.0, %error, "a run broke off by a fault of ours");
                let pause = i64::try_from(self.settings().interval.as_secs()).unwrap_or(3600);
                (id, Some(UnixTime(World::now().0 + pause)))
            }
        };
        let source = self.world.collecting.source(id).ok().flatten();
        match source.filter(|source| !self.rests(source)) {
            Some(source) => {
                let status = self.world.collecting.status(id).ok();
                let due = next.or(status.map(|(status, _)| UnixTime(status.next_run)));
                agenda.set(id, &source.settings.host, due);
            }
            None => agenda.remove(id),
        }
        agenda.finished(id);
    }

    /// Whether a source is not to run: it is paused, or its account is switched off.
    fn rests(&self, source: &Source) -> bool {
        let account = self.world.directory.account_by_id(source.account);
        source.settings.paused || !matches!(account, Ok(Some(account)) if !account.disabled)
    }

    /// Reads all sources and when they are due.
    async fn refill(self: &Arc<Self>, agenda: &mut Agenda, known: &mut HashSet<SourceId>) {
        agenda.limit(self.settings().at_once);
        let collector = self.clone();
        let read = tokio::task::spawn_blocking(move || collector.all()).await;
        let all = match read {
            Ok(Ok(all)) => all,
            Ok(Err(error)) => return tracing::error!(%error, "the sources to collect from can't be read"),
            Err(error) => return tracing::error!(%error, "reading the sources failed"),
        };
        for gone in known.iter().filter(|id| all.iter().all(|(other, ..)| other != *id)) {
            agenda.remove(*gone);
        }
        *known = all.iter().map(|(id, ..)| *id).collect();
        for (id, host, due) in all {
            agenda.set(id, &host, due);
        }
    }

    fn all(&self) -> Result<Vec<Due>, engine::Error> {
        let mut found: Vec<Due> = Vec::new();
        loop {
            let page = self.world.collecting.sources(found.last().map(|(id, ..)| *id), PAGE)?;
            if page.is_empty() {
                return Ok(found);
            }
            for source in page {
                let due = match self.rests(&source) {
                    true => None,
                    false => Some(UnixTime(self.world.collecting.status(source.id)?.0.next_run)),
                };
                found.push((source.id, source.settings.host, due));
            }
        }
    }

    /// Frees what removed sources have left behind.
    async fn free(&self) {
        while let Ok(true) = self.world.collecting.free().await {}
    }
}

/// Until the server stops.
async fn is_down(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|down| *down).await;
}
