//! Opening a store: lock, format, segments, index, replay.

use super::committer::Opened;
use super::index::Index;
use super::record::FORMAT_VERSION;
use super::segment::{self, Segment, SegmentSet, UNFINISHED_NAME};
use super::shared::Shared;
use crate::disk::{Disk, Open, remove_if_there};
use crate::{Error, Progress};
use std::path::Path;

/// Held as long as a store is open.
pub(crate) type Lock = Box<dyn Send + Sync>;

const FORMAT_WORDS: &str = "troika-store-format";
pub(crate) const INDEX_NAME: &str = "index.redb";
pub(super) const NEW_INDEX_NAME: &str = "index.new";

/// Takes the store in `dir` for this process alone, and makes sure that its format is known.
pub(crate) fn claim(disk: &dyn Disk, dir: &Path) -> Result<Lock, Error> {
    disk.create_dir(dir)?;
    disk.create_dir(&dir.join("log"))?;
    let lock = disk.lock(&dir.join("LOCK"))?;
    let lock = lock.ok_or_else(|| Error::Locked(dir.display().to_string()))?;
    check_format(disk, dir)?;
    Ok(lock)
}

fn check_format(disk: &dyn Disk, dir: &Path) -> Result<(), Error> {
    let (path, new_path) = (dir.join("FORMAT"), dir.join("FORMAT.new"));
    if !disk.list(dir)?.iter().any(|name| name == "FORMAT") {
        if !segment::list(disk, &dir.join("log"))?.segments.is_empty() {
            return Err(Error::Corrupt { what: "FORMAT".into(), why: "it is missing".into() });
        }
        remove_if_there(disk, &new_path)?;
        let file = disk.open(&new_path, Open::Create)?;
        file.write_all_at(format!("{FORMAT_WORDS} {FORMAT_VERSION}\n").as_bytes(), 0)?;
        file.sync_data()?;
        disk.rename(&new_path, &path)?;
        disk.sync_dir(dir)?;
    }
    let file = disk.open(&path, Open::Existing)?;
    let mut bytes = vec![0; file.len()?.min(100) as usize];
    file.read_exact_at(&mut bytes, 0)?;
    let text = String::from_utf8_lossy(&bytes);
    let found = text.strip_prefix(FORMAT_WORDS).and_then(|rest| rest.trim().parse().ok());
    match found {
        Some(FORMAT_VERSION) => Ok(()),
        Some(found) if found > FORMAT_VERSION => Err(Error::NewerFormat { found, supported: FORMAT_VERSION }),
        _ => Err(Error::Corrupt { what: "FORMAT".into(), why: format!("it holds {:?}", text.trim_end()) }),
    }
}

/// Opens every segment of the log.
fn open_set(disk: &dyn Disk, log_dir: &Path) -> Result<(SegmentSet, Vec<u32>), Error> {
    remove_if_there(disk, &log_dir.join(UNFINISHED_NAME))?;
    let listing = segment::list(disk, log_dir)?;
    let mut set = SegmentSet::default();
    for number in listing.segments {
        set.0.insert(number, Segment::open(disk, log_dir, number)?.into());
    }
    Ok((set, listing.spares))
}

/// Everything that the committer starts from. An index that is missing is made from the log.
pub(crate) fn open(shared: &Shared) -> Result<Opened, Error> {
    let (disk, options) = (&*shared.disk, &shared.options);
    let (mut set, spares) = open_set(disk, &shared.log_dir)?;
    remove_if_there(disk, &shared.dir.join(NEW_INDEX_NAME))?;
    if !disk.list(&shared.dir)?.iter().any(|name| name == INDEX_NAME) {
        build_index(disk, &shared.dir, &set, &mut |_, _| {})?;
    }
    let (index, saved) = Index::open(disk, &shared.index_path(), options.index_cache_bytes)?;
    let mut checkpointed = saved.position;
    let (mut state, orphans) = super::replay::replay(&index, &set, saved, None, &mut |_, _| {})?;
    whole(&orphans)?;
    state.usage.retain(|number, _| set.0.contains_key(number));
    // Given up before the last checkpoint, but a snapshot still held their files when the process ended.
    let known = |number: &u32| state.usage.contains_key(number);
    let strays: Vec<u32> =
        set.0.keys().copied().filter(|number| *number < checkpointed.segment && !known(number)).collect();
    let retired = strays.iter().filter_map(|number| set.0.remove(number)).collect();
    if state.position != checkpointed {
        index.checkpoint(&state)?;
        checkpointed = state.position;
    }
    Ok(Opened { index, state, set, checkpointed, retired, spares })
}

pub(super) fn whole(orphans: &std::collections::BTreeSet<crate::ContentId>) -> Result<(), Error> {
    let Some(first) = orphans.first() else { return Ok(()) };
    let what = format!("content {} (and {} more)", first.0, orphans.len() - 1);
    Err(Error::Corrupt { what, why: "it is referred to but not in the log".into() })
}

/// Builds the index of the store in `dir` anew, from the log alone, and puts it in the place of the old one.
/// `progress` gets bytes of log.
///
/// # Errors
/// [`Error::Locked`] while a server has the store; [`Error::Corrupt`] when the log itself is damaged (the old index
/// is left as it was); [`Error::Full`], [`Error::Io`].
pub fn rebuild(dir: &Path, progress: Progress<'_>) -> Result<(), Error> {
    rebuild_on(&crate::disk::OsDisk, dir, progress)
}

pub(crate) fn rebuild_on(disk: &dyn Disk, dir: &Path, progress: Progress<'_>) -> Result<(), Error> {
    let _lock = claim(disk, dir)?;
    let (set, _) = open_set(disk, &dir.join("log"))?;
    build_index(disk, dir, &set, progress)
}

/// As [`rebuild`], but goes on behind damaged records; answers a sentence for each place where something is lost. What
/// was deleted there may be back, what was changed there may be as it was before. The damage stays in the log.
///
/// # Errors
/// As [`rebuild`]; [`Error::Corrupt`] only where the first bytes of a segment are damaged.
pub fn salvage(dir: &Path, progress: Progress<'_>) -> Result<Vec<String>, Error> {
    salvage_on(&crate::disk::OsDisk, dir, progress)
}

pub(crate) fn salvage_on(disk: &dyn Disk, dir: &Path, progress: Progress<'_>) -> Result<Vec<String>, Error> {
    let _lock = claim(disk, dir)?;
    let (set, _) = open_set(disk, &dir.join("log"))?;
    let mut lost = Vec::new();
    build_index_with(disk, dir, &set, Some(&mut lost), progress)?;
    Ok(lost)
}

/// Makes an index of all that the log holds, under another name, and puts it into its place when it is complete.
fn build_index(disk: &dyn Disk, dir: &Path, set: &SegmentSet, progress: Progress<'_>) -> Result<(), Error> {
    build_index_with(disk, dir, set, None, progress)
}

fn build_index_with(
    disk: &dyn Disk,
    dir: &Path,
    set: &SegmentSet,
    mut lost: Option<&mut Vec<String>>,
    progress: Progress<'_>,
) -> Result<(), Error> {
    let new_path = dir.join(NEW_INDEX_NAME);
    remove_if_there(disk, &new_path)?;
    let (index, empty) = Index::open(disk, &new_path, REBUILD_CACHE_BYTES)?;
    let replayed = super::replay::replay_with(&index, set, empty, None, lost.as_deref_mut(), progress)?;
    let (state, orphans) = replayed;
    match lost {
        Some(lost) => {
            lost.extend(orphans.iter().map(|id| format!("content {} is not in the log any more", id.0)))
        }
        None => whole(&orphans)?,
    }
    index.checkpoint(&state)?;
    drop(index);
    disk.rename(&new_path, &dir.join(INDEX_NAME))?;
    Ok(disk.sync_dir(dir)?)
}

/// More than a server's: a rebuild inserts everything at once.
const REBUILD_CACHE_BYTES: usize = 256 << 20;
