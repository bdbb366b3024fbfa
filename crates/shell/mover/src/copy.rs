//! One account, folder by folder.

use crate::fetch::Suspects;
use crate::pause::Pauses;
use crate::source::{Connect, Opened, Source, Trouble};
use migration::{Choice, Copying, Counts, Folder, Place, Share, SourceFolder, places};
use model::{Uid, UnixTime};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Failures told one by one.
const FAILURES_MAX: usize = 1000;

/// What is to be copied.
pub struct Job {
    /// From where to where.
    pub copying: Copying,
    /// Which folders.
    pub choice: Choice,
    /// How long a broken connection is tried again without anything coming over.
    pub give_up_after: Duration,
    /// Turns true when it is to end soon.
    pub stop: Arc<AtomicBool>,
}

/// What is told while it runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Report {
    /// So many messages are done, of so many.
    Progress(u64, u64),
    /// For the person.
    Say(String),
}

/// What became of a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderEnd {
    /// Its name at the source.
    pub name: String,
    /// The mailbox here; in a dry run, what it would be called.
    pub into: String,
    /// What was done.
    pub counts: Counts,
}

/// Something that did not come over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The folder at the source.
    pub folder: String,
    /// The message's UID there; None: the whole folder.
    pub uid: Option<Uid>,
    /// Why.
    pub why: String,
}

/// How it ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// Folders that were gone through.
    pub folders: Vec<FolderEnd>,
    /// What did not come over: the first thousand.
    pub failures: Vec<Failure>,
    /// How many did not.
    pub failed: u64,
    /// Folders that the source has no more, and how many of their messages were removed here.
    pub left_over: Vec<(String, u64)>,
    /// Why it ended early.
    pub trouble: Option<String>,
}

impl Outcome {
    /// Whether all that was wanted is here.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.trouble.is_none()
    }

    fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(failure);
        }
    }
}

/// Copies. Blocks its thread while it reads the store, so it is to have a runtime of its own.
pub async fn run<C: Connect>(job: &Job, connect: &mut C, report: &mut dyn FnMut(Report)) -> Outcome {
    let mut run = Run {
        job,
        report,
        outcome: Outcome::default(),
        pauses: Pauses::new(job.give_up_after),
        suspects: Suspects::default(),
        message_bytes_max: connect.message_bytes_max(),
        folder_failed: false,
        done: Arc::default(),
        of: 0,
        behind: 0,
    };
    if let Err(trouble) = run.all(connect).await {
        run.outcome.trouble = Some(trouble.to_string());
    }
    run.outcome
}

pub(crate) struct Run<'a> {
    job: &'a Job,
    report: &'a mut dyn FnMut(Report),
    outcome: Outcome,
    pub(crate) pauses: Pauses,
    pub(crate) suspects: Suspects,
    pub(crate) message_bytes_max: u64,
    /// A whole folder did not come over.
    folder_failed: bool,
    /// Messages of the folder under way.
    pub(crate) done: Arc<AtomicU64>,
    of: u64,
    /// Messages of folders that are done.
    behind: u64,
}

/// A folder that is being copied, as far as it came.
struct Attempt {
    end: Option<FolderEnd>,
    failures: Vec<Failure>,
}

/// The wall clock.
pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn stopped() -> Trouble {
    Trouble::Hopeless("it was stopped; run it again to go on".into())
}

impl Run<'_> {
    async fn all<C: Connect>(&mut self, connect: &mut C) -> Result<(), Trouble> {
        // The first time a person is looking on: any trouble is told at once.
        let mut source = connect.connect().await?;
        let mut folders = source.folders().await?;
        if folders.iter().all(|folder| !folder.subscribed) {
            // Nobody has used subscriptions there.
            folders.iter_mut().for_each(|folder| folder.subscribed = true);
        }
        let places = places(&folders, &self.job.choice);
        if places.is_empty() {
            return Err(Trouble::Hopeless("the source has no folder that is wanted".into()));
        }
        for place in &places {
            match source.open(&folders[place.folder].name).await {
                Ok(opened) => self.of += u64::from(opened.exists),
                // It is told when its turn comes.
                Err(Trouble::Refused(_)) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        self.progress();
        let mut left: VecDeque<&Place> = places.iter().collect();
        let mut source = Some(source);
        while let Some(place) = left.front().copied() {
            let open = match source.as_mut() {
                Some(open) => open,
                None => source.insert(self.again(connect).await?),
            };
            match self.folder(open, &folders[place.folder], place).await {
                Ok(()) => {
                    left.pop_front();
                }
                Err(Trouble::Lost(why)) => {
                    source = None;
                    self.wait(why).await?;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        if let Some(source) = source {
            source.close().await;
        }
        self.remove_left_over(&folders)
    }

    /// Connects anew, however often it takes.
    async fn again<C: Connect>(&mut self, connect: &mut C) -> Result<C::Source, Trouble> {
        loop {
            match connect.connect().await {
                Ok(source) => return Ok(source),
                Err(Trouble::Lost(why) | Trouble::Refused(why)) => self.wait(why).await?,
                Err(trouble) => return Err(trouble),
            }
        }
    }

    async fn wait(&mut self, why: String) -> Result<(), Trouble> {
        let Some(pause) = self.pauses.next(Instant::now()) else {
            return Err(Trouble::Lost(format!("{why}; run it again to go on")));
        };
        (self.report)(Report::Say(format!(
            "the connection to {} is lost ({why}); trying again in {:.1} s",
            self.job.copying.source.server,
            pause.as_secs_f32()
        )));
        let until = Instant::now() + pause;
        while Instant::now() < until {
            self.may_go_on()?;
            tokio::time::sleep(
                until.saturating_duration_since(Instant::now()).min(Duration::from_millis(200)),
            )
            .await;
        }
        Ok(())
    }

    pub(crate) fn may_go_on(&self) -> Result<(), Trouble> {
        if self.job.stop.load(Ordering::Relaxed) { Err(stopped()) } else { Ok(()) }
    }

    pub(crate) fn progress(&mut self) {
        let done = self.behind + self.done.load(Ordering::Relaxed);
        (self.report)(Report::Progress(done.min(self.of), self.of));
    }

    /// One folder; what it can't give is noted, and it is not tried again.
    async fn folder<S: Source>(
        &mut self,
        source: &mut S,
        folder: &SourceFolder,
        place: &Place,
    ) -> Result<(), Trouble> {
        self.may_go_on()?;
        // Otherwise it would bring what is about to stand elsewhere.
        if place.share == Share::Remainder && self.folder_failed {
            let why = "it shows messages of folders that could not be copied; run it again".to_owned();
            self.outcome.fail(Failure { folder: folder.name.clone(), uid: None, why });
            return Ok(());
        }
        let mut attempt = Attempt { end: None, failures: Vec::new() };
        let copied = self.attempt(source, folder, place, &mut attempt).await;
        let taken = self.done.swap(0, Ordering::Relaxed);
        match copied {
            Ok(()) => self.pauses.reset(),
            Err(Trouble::Refused(why)) => {
                self.folder_failed = true;
                attempt.failures.push(Failure { folder: folder.name.clone(), uid: None, why });
            }
            Err(trouble) => return Err(trouble),
        }
        self.behind += taken;
        attempt.failures.into_iter().for_each(|failure| self.outcome.fail(failure));
        self.outcome.folders.extend(attempt.end);
        self.progress();
        Ok(())
    }

    async fn attempt<S: Source>(
        &mut self,
        source: &mut S,
        found: &SourceFolder,
        place: &Place,
        attempt: &mut Attempt,
    ) -> Result<(), Trouble> {
        let Opened { exists, uid_validity } = source.open(&found.name).await?;
        let now = now();
        let copying = &self.job.copying;
        let mut folder = Folder::open(copying, found, place, uid_validity, now)?;
        if exists > 0 {
            source.list(&mut |listed| folder.listed(listed)).await?;
        }
        self.done.store(folder.counts().known, Ordering::Relaxed);
        self.progress();
        let wanted = folder.wanted();
        if !copying.options.dry_run && !wanted.is_empty() {
            folder = self.fetch(source, &found.name, folder, wanted, &mut attempt.failures).await?;
        }
        folder.settle(exists, attempt.failures.is_empty())?;
        let into = folder.mailbox_name()?.unwrap_or_else(|| place.name().to_owned());
        attempt.end = Some(FolderEnd { name: found.name.clone(), into, counts: folder.counts() });
        Ok(())
    }

    /// Removes what folders brought that are there no more.
    fn remove_left_over(&mut self, folders: &[SourceFolder]) -> Result<(), Trouble> {
        let Copying { store, account, source, options } = &self.job.copying;
        // A source that shows no INBOX has not shown everything.
        let is_full = folders.iter().any(|folder| folder.name.eq_ignore_ascii_case("INBOX"));
        if !options.delete || options.dry_run || !self.outcome.is_complete() || !is_full {
            return Ok(());
        }
        let present: Vec<&str> = folders.iter().map(|folder| &*folder.name).collect();
        self.outcome.left_over = migration::left_over(store, *account, source, &present)?;
        Ok(())
    }
}
