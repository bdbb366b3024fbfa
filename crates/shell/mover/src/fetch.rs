//! The messages of one folder: fetched by many at once, stored by a thread meanwhile.
//!
//! A connection that breaks may do so because of one message. Those that did not come of what was asked for are suspects,
//! and are asked for alone from then on; one at which it breaks again and again is left out.

use crate::copy::{Failure, Run, now};
use crate::source::{Source, Trouble};
use migration::{Fate, Fetched, Folder, Listed};
use model::Uid;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;

/// A batch is stored when its messages have so many octets,
pub const BATCH_BYTES: usize = 4 << 20;
/// or when there are so many.
const BATCH_MESSAGES: usize = 100;
/// Messages that are asked for at once: they come as fast as they are stored, so that only the server has to bear it.
const ASKED_MESSAGES: usize = 1000;
/// Their octets, as far as the listing is to be believed.
const ASKED_BYTES: u64 = 32 << 20;
/// Connections that may break on one message alone before it is left out.
const BREAKS_MAX: u32 = 2;
/// Most messages that become suspects by one break: servers give them in their order, so it is among the first.
const SUSPECTS_AT_ONCE: usize = 20;

/// Messages that had not come when a connection broke, with the number of connections that broke while each was fetched
/// alone; by folder and UID.
#[derive(Default)]
pub(crate) struct Suspects(HashMap<(String, Uid), u32>);

impl Suspects {
    fn breaks(&self, folder: &str, uid: Uid) -> Option<u32> {
        // Nearly always.
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(folder.to_owned(), uid)).copied()
    }

    fn clear(&mut self, folder: &str, uid: Uid) {
        if !self.0.is_empty() {
            self.0.remove(&(folder.to_owned(), uid));
        }
    }

    fn broke(&mut self, folder: &str, missing: &BTreeMap<Uid, Listed>, is_alone: bool) {
        for uid in missing.keys().take(SUSPECTS_AT_ONCE) {
            *self.0.entry((folder.to_owned(), *uid)).or_default() += u32::from(is_alone);
        }
    }
}

/// On the way to the thread that stores.
struct Batches {
    send: Sender<Vec<Fetched>>,
    batch: Vec<Fetched>,
    bytes: usize,
}

impl Batches {
    /// Waits while the thread has enough to do. False: it has ended, and will tell why.
    async fn push(&mut self, fetched: Fetched) -> bool {
        self.bytes += fetched.content.len();
        self.batch.push(fetched);
        let is_full = self.bytes >= BATCH_BYTES || self.batch.len() >= BATCH_MESSAGES;
        !is_full || self.flush().await
    }

    async fn flush(&mut self) -> bool {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        batch.is_empty() || self.send.send(batch).await.is_ok()
    }
}

/// The folder at the source, and what of it can't be had.
struct Origin<'a, S> {
    source: &'a mut S,
    name: &'a str,
    failures: &'a mut Vec<Failure>,
}

impl Run<'_> {
    /// Fetches while a thread stores.
    pub(crate) async fn fetch<S: Source>(
        &mut self,
        source: &mut S,
        name: &str,
        folder: Folder,
        wanted: Vec<Listed>,
        failures: &mut Vec<Failure>,
    ) -> Result<Folder, Trouble> {
        let (send, batches) = channel::<Vec<Fetched>>(2);
        let done = self.done.clone();
        let label = name.to_owned();
        let storing = spawn_blocking(move || keep(folder, batches, &done, &label));
        let mut batches = Batches { send, batch: Vec::new(), bytes: 0 };
        let mut from = Origin { source, name, failures };
        let fetched = self.all_of(&mut from, wanted.into(), &mut batches).await;
        // Also what came before it broke off: or a connection that breaks often would never get further.
        batches.flush().await;
        drop(batches);
        let stored = storing.await.map_err(|error| Trouble::Store(format!("storing failed: {error}")))?;
        let (folder, over_quota) = stored?;
        if folder.counts().new > 0 {
            self.pauses.reset();
        }
        fetched?;
        failures.extend(over_quota);
        Ok(folder)
    }

    async fn all_of<S: Source>(
        &mut self,
        from: &mut Origin<'_, S>,
        mut wanted: VecDeque<Listed>,
        batches: &mut Batches,
    ) -> Result<(), Trouble> {
        loop {
            self.may_go_on()?;
            let some = self.some(from, &mut wanted);
            if some.is_empty() {
                return Ok(());
            }
            for refused in self.asked(from, some, batches).await? {
                self.asked(from, vec![refused], batches).await?;
            }
        }
    }

    /// What is asked for next: as many as may be, or a suspect alone. What can't be had is noted.
    fn some<S>(&mut self, from: &mut Origin<'_, S>, wanted: &mut VecDeque<Listed>) -> Vec<Listed> {
        let (mut some, mut bytes) = (Vec::new(), 0);
        while let Some(listed) = wanted.pop_front() {
            let breaks = self.suspects.breaks(from.name, listed.uid);
            if listed.size > self.message_bytes_max {
                let why = format!("it is larger than {} MiB", self.message_bytes_max >> 20);
                self.fail(from, listed.uid, why);
            } else if breaks.is_some_and(|breaks| breaks >= BREAKS_MAX) {
                self.fail(from, listed.uid, "the connection broke each time it was fetched".into());
            } else if some.is_empty() {
                bytes = listed.size;
                some.push(listed);
                if breaks.is_some() {
                    break;
                }
            } else if breaks.is_none() && some.len() < ASKED_MESSAGES && bytes + listed.size <= ASKED_BYTES {
                bytes += listed.size;
                some.push(listed);
            } else {
                wanted.push_front(listed);
                break;
            }
        }
        some
    }

    /// Asks for messages; answers those that the server did not give, and may give alone.
    async fn asked<S: Source>(
        &mut self,
        from: &mut Origin<'_, S>,
        some: Vec<Listed>,
        batches: &mut Batches,
    ) -> Result<Vec<Listed>, Trouble> {
        let is_alone = some.len() == 1;
        let uids: Vec<Uid> = some.iter().map(|listed| listed.uid).collect();
        let mut missing: BTreeMap<Uid, Listed> =
            some.into_iter().map(|listed| (listed.uid, listed)).collect();
        from.source.ask(&uids);
        loop {
            match from.source.next().await {
                Ok(Some((uid, content))) => {
                    // None comes twice, and none that was not asked for.
                    let Some(listed) = missing.remove(&uid) else { continue };
                    self.suspects.clear(from.name, uid);
                    if !batches.push(Fetched { listed, content }).await {
                        return Err(Trouble::Store("storing ended".into()));
                    }
                    if batches.batch.is_empty() {
                        self.progress();
                    }
                    self.may_go_on()?;
                }
                Err(Trouble::Refused(why)) if is_alone => {
                    uids.iter().for_each(|uid| self.fail(from, *uid, why.clone()));
                    return Ok(Vec::new());
                }
                Err(Trouble::Refused(_) | Trouble::Gone(_)) if !is_alone => {
                    return Ok(missing.into_values().collect());
                }
                Ok(None) | Err(Trouble::Gone(_)) => {
                    // Removed since the listing: what is not there any more need not come over.
                    self.done.fetch_add(missing.len() as u64, Ordering::Relaxed);
                    return Ok(Vec::new());
                }
                Err(trouble) => {
                    self.suspects.broke(from.name, &missing, is_alone);
                    return Err(trouble);
                }
            }
        }
    }

    /// Notes that a message can't be had.
    fn fail<S>(&mut self, from: &mut Origin<'_, S>, uid: Uid, why: String) {
        from.failures.push(Failure { folder: from.name.to_owned(), uid: Some(uid), why });
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

type Kept = Result<(Folder, Vec<Failure>), store::Error>;

/// Stores batches as they come.
fn keep(mut folder: Folder, mut batches: Receiver<Vec<Fetched>>, done: &AtomicU64, name: &str) -> Kept {
    let mut over_quota = Vec::new();
    while let Some(batch) = batches.blocking_recv() {
        let uids: Vec<Uid> = batch.iter().map(|fetched| fetched.listed.uid).collect();
        let fates = folder.take(batch, now())?;
        for (uid, _) in uids.iter().zip(&fates).filter(|(_, fate)| **fate == Fate::OverQuota) {
            let why = "the account's quota would be exceeded".to_owned();
            over_quota.push(Failure { folder: name.to_owned(), uid: Some(*uid), why });
        }
        done.fetch_add(fates.len() as u64, Ordering::Relaxed);
    }
    Ok((folder, over_quota))
}
