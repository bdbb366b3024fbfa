//! One run of one source: connect, look at each folder, collect what is new, delete what is due.

use crate::deliver::mailbox;
use crate::folder::{self, FolderRun, Left};
use crate::host::{self, Why};
use crate::remote::{Remote, RemoteFolder};
use crate::{Settings, random};
use agents::World;
use collecting::{Ending, Folders, Keep, Place, Protocol, RunCounts, Source, TroubleKind};
use model::{EmailAddress, SpecialUse};
use std::sync::Arc;
use std::time::Instant;
use store::Target;
use tokio::sync::watch;

/// A run under way.
pub(crate) struct Run<'a> {
    pub world: &'a Arc<World>,
    pub settings: &'a Settings,
    pub source: &'a Source,
    /// Whose account it is.
    pub address: EmailAddress,
    /// Turns true when the server stops.
    pub stop: watch::Receiver<bool>,
    /// When time is up.
    pub until: Instant,
    pub counts: RunCounts,
}

/// Why the rest of a run is left.
pub(crate) enum Halt {
    /// Time is up; there is more.
    More,
    /// Trouble with this folder alone.
    Folder(Why),
    /// The connection is of no use any more, or going on makes no sense.
    All(Why),
}

/// Runs a source to its end.
pub(crate) async fn run(
    world: &Arc<World>,
    settings: &Settings,
    source: &Source,
    stop: watch::Receiver<bool>,
) -> Ending {
    let address = match world.directory.account_by_id(source.account) {
        Ok(Some(account)) => account.address,
        Ok(None) => return ended((TroubleKind::Storage, "the account is gone".to_owned())),
        Err(error) => return ended((TroubleKind::Storage, error.to_string())),
    };
    let until = Instant::now() + settings.run_max;
    let counts = RunCounts::default();
    let mut run = Run { world, settings, source, address, stop, until, counts };
    let (trouble, more) = match run.all().await {
        Ok(None) => (None, false),
        Ok(Some(why)) | Err(Halt::Folder(why) | Halt::All(why)) => (Some(why), false),
        Err(Halt::More) => (None, true),
    };
    Ending { counts: run.counts, trouble, more }
}

fn ended(why: Why) -> Ending {
    Ending { counts: RunCounts::default(), trouble: Some(why), more: false }
}

impl Run<'_> {
    /// Whether the server stops.
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Some: something went wrong with a part, the rest is done.
    async fn all(&mut self) -> Result<Option<Why>, Halt> {
        let mut remote = self.connect().await.map_err(Halt::All)?;
        let outcome = self.folders(&mut remote).await;
        // Whatever happened, what a POP3 server was told to delete is deleted only by a good-bye.
        let closed = remote.close().await;
        match (outcome, closed) {
            (Ok(None), Err(why)) => Ok(Some(why)),
            (outcome, _) => outcome,
        }
    }

    async fn connect(&self) -> Result<Remote, Why> {
        let (world, source) = (self.world, self.source);
        let secret = match world.collecting.secret(source.id) {
            Ok(Some(secret)) => secret,
            Ok(None) => {
                return Err((
                    TroubleKind::Password,
                    "the stored password can't be read: the server's secret file is another one now; set the password again"
                        .to_owned(),
                ));
            }
            Err(error) => return Err((TroubleKind::Storage, error.to_string())),
        };
        let addresses = host::addresses(&world.resolver, self.settings, &source.settings).await?;
        let mut last = None;
        for address in addresses {
            if host::is_oneself(world, self.settings, source, address) {
                return Err((
                    TroubleKind::Circle,
                    "this source is the account that collects from it, on this very server; remove it"
                        .to_owned(),
                ));
            }
            let mut stop = self.stop.clone();
            let dialled = tokio::select! {
                dialled = Remote::open(self.settings, &source.settings, address, &secret) => dialled,
                _ = stop.wait_for(|stopped| *stopped) => return Err(stopped()),
            };
            match dialled {
                Ok(remote) => return Ok(remote),
                // Another address of the same host may be alive; a wrong password is wrong there, too.
                Err(why) if matches!(why.0, TroubleKind::Unreachable | TroubleKind::Slow) => last = Some(why),
                Err(why) => return Err(why),
            }
        }
        Err(last.unwrap_or_else(|| (TroubleKind::Unreachable, "there is nowhere to connect to".to_owned())))
    }

    async fn folders(&mut self, remote: &mut Remote) -> Result<Option<Why>, Halt> {
        let mut first = None;
        for folder in self.chosen(remote).await? {
            let outcome = self.folder(remote, &folder).await;
            match outcome {
                Ok(Left::Nothing) => {}
                Ok(Left::Some(why)) | Err(Halt::Folder(why)) => {
                    first.get_or_insert(why);
                }
                Err(halt) => return Err(halt),
            }
        }
        Ok(first)
    }

    async fn folder(&mut self, remote: &mut Remote, folder: &RemoteFolder) -> Result<Left, Halt> {
        let target = match &self.source.settings.place {
            Place::Inbox => Target::Inbox,
            Place::Mailbox(name) => {
                mailbox(self.world, self.source.account, name).await.map_err(Halt::All)?
            }
            Place::Mirrored(under) => match mirrored(under, folder) {
                Ok(name) if name == "INBOX" => Target::Inbox,
                Ok(name) => mailbox(self.world, self.source.account, &name).await.map_err(Halt::Folder)?,
                Err(why) => return Err(Halt::Folder(why)),
            },
        };
        let mut run = FolderRun { run: self, remote, target };
        folder::run(&mut run, folder).await
    }

    /// The folders to look at. Those that are named and not there are trouble of their own, later.
    async fn chosen(&self, remote: &mut Remote) -> Result<Vec<RemoteFolder>, Halt> {
        let settings = &self.source.settings;
        if settings.protocol == Protocol::Pop3 {
            return Ok(vec![RemoteFolder::maildrop()]);
        }
        if settings.folders == Folders::Inbox {
            return Ok(vec![RemoteFolder::inbox()]);
        }
        let all = remote.folders().await.map_err(Halt::All)?;
        Ok(chosen(all, &settings.folders, settings.skip_junk))
    }
}

/// The folders that are meant.
fn chosen(all: Vec<RemoteFolder>, folders: &Folders, skip_junk: bool) -> Vec<RemoteFolder> {
    match folders {
        Folders::Inbox => vec![RemoteFolder::inbox()],
        Folders::Named(names) => {
            let find = |name: &String| {
                let same = |folder: &&RemoteFolder| {
                    folder.name == *name || name.eq_ignore_ascii_case("inbox") && folder.name == "INBOX"
                };
                all.iter().find(same).cloned().unwrap_or_else(|| RemoteFolder::named(name))
            };
            names.iter().map(find).collect()
        }
        Folders::All => {
            let is_view =
                |use_: Option<SpecialUse>| matches!(use_, Some(SpecialUse::All | SpecialUse::Flagged));
            let meant = |folder: &RemoteFolder| {
                folder.is_selectable && !is_view(folder.special_use) && !(skip_junk && is_junk(folder))
            };
            all.into_iter().filter(meant).collect()
        }
    }
}

/// Whether it is the spam folder: it says so (RFC 6154), or has one of the names that servers without special uses give.
fn is_junk(folder: &RemoteFolder) -> bool {
    let last = folder.levels().last().map(|level| level.to_lowercase()).unwrap_or_default();
    let named = ["junk", "spam", "junk e-mail", "junk email", "bulk mail"].contains(&last.as_str());
    folder.special_use == Some(SpecialUse::Junk) || folder.special_use.is_none() && named
}

/// The name of the mailbox here for a folder there.
fn mirrored(under: &str, folder: &RemoteFolder) -> Result<String, Why> {
    let levels = folder.levels().into_iter().map(|level| match level.is_empty() {
        true => "_".to_owned(),
        // With another separator there, ours may stand within a name.
        false => level.replace('/', "_"),
    });
    let own = under.split('/').filter(|level| !level.is_empty()).map(str::to_owned);
    let name = own.chain(levels).collect::<Vec<_>>().join("/");
    match store::name_problem(&name) {
        None => Ok(name),
        Some(problem) => {
            Err((TroubleKind::Folder, format!("the folder {} can't be mirrored: {problem}", folder.name)))
        }
    }
}

/// What a run that is interrupted by the end of this server says.
pub(crate) fn stopped() -> Why {
    (TroubleKind::Stopped, "this server was stopped; it goes on when it runs again".to_owned())
}

/// Whether anything is ever deleted there.
pub(crate) fn deletes(keep: Keep) -> bool {
    keep != Keep::Forever
}

/// A run with everything around it: it is the only one of its source, its ending is noted and counted. Answers when the
/// next one is; None: the source is gone, or another run of it is under way.
pub(crate) async fn noted(
    world: &Arc<World>,
    settings: &Settings,
    source: &Source,
    stop: watch::Receiver<bool>,
) -> Option<model::UnixTime> {
    if !world.collecting.begin(source.id, World::now()) {
        return None;
    }
    let under_way = UnderWay { world, source };
    let ending = run(world, settings, source, stop).await;
    count(world, source, &ending);
    let interval = settings.interval_of(&source.settings);
    let finished = world.collecting.finish(source.id, ending, interval, World::now(), random()).await;
    drop(under_way);
    finished.unwrap_or_else(|error| {
        tracing::error!(source = source.id.0, %error, "the end of a run can't be noted");
        Some(model::UnixTime(World::now().0 + i64::try_from(interval.as_secs()).unwrap_or(i64::MAX / 2)))
    })
}

/// Says that the run is over, also when it panics.
struct UnderWay<'a> {
    world: &'a World,
    source: &'a Source,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.world.collecting.end(self.source.id);
    }
}

fn count(world: &World, source: &Source, ending: &Ending) {
    let RunCounts { collected, bytes, known, deleted, too_large, circled, failed } = ending.counts;
    let (id, host) = (source.id.0, &source.settings.host);
    let outcome = match &ending.trouble {
        None => agents::CollectOutcome::Fine,
        Some((TroubleKind::Stopped, _)) => agents::CollectOutcome::Stopped,
        Some((kind, words)) => {
            tracing::warn!(source = id, host, ?kind, words, collected, "collecting met trouble");
            agents::CollectOutcome::Trouble
        }
    };
    world.metrics.collect_runs.get_or_create(&agents::ByCollect { outcome }).inc();
    if collected + deleted + known + too_large + circled + failed > 0 {
        tracing::info!(
            source = id,
            host,
            collected,
            bytes,
            known,
            deleted,
            too_large,
            circled,
            failed,
            "collected"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, delimiter: char, special_use: Option<SpecialUse>) -> RemoteFolder {
        RemoteFolder { delimiter: Some(delimiter), special_use, ..RemoteFolder::named(name) }
    }

    #[test]
    fn views_and_spam_are_left_alone() {
        let all = || {
            vec![
                folder("INBOX", '/', None),
                folder("Spam", '/', None),
                folder("All", '/', Some(SpecialUse::All)),
                folder("Stars", '/', Some(SpecialUse::Flagged)),
                folder("Trouble", '/', Some(SpecialUse::Junk)),
                folder("Work/Junk", '/', None),
                RemoteFolder { is_selectable: false, ..folder("Nothing", '/', None) },
            ]
        };
        let names = |folders: &Folders, skip| {
            chosen(all(), folders, skip).into_iter().map(|folder| folder.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&Folders::All, true), ["INBOX"]);
        assert_eq!(names(&Folders::All, false), ["INBOX", "Spam", "Trouble", "Work/Junk"]);
        let named = Folders::Named(vec!["inbox".into(), "Spam".into(), "Gone".into()]);
        assert_eq!(names(&named, true), ["INBOX", "Spam", "Gone"]);
    }

    #[test]
    fn folders_keep_their_levels() {
        let name = |under: &str, name: &str, delimiter| mirrored(under, &folder(name, delimiter, None)).ok();
        assert_eq!(name("", "INBOX", '.').as_deref(), Some("INBOX"));
        assert_eq!(name("Old", "INBOX", '.').as_deref(), Some("Old/INBOX"));
        assert_eq!(name("Old/x", "a.b/c.d", '.').as_deref(), Some("Old/x/a/b_c/d"));
        assert_eq!(name("", "a//b", '/').as_deref(), Some("a/_/b"));
        assert_eq!(name("", &"x".repeat(5000), '/'), None);
    }
}
