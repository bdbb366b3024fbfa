//! The text index: which messages hold a text, with few of them read, and never another answer than reading them all
//! would give.
//!
//! It is a dictionary of words (`tokens.rs`), not of n-grams: the dictionary of an account is some megabytes, and a scan
//! of it finds any substring of a word, so lists stay short and exact. Immutable segments each cover a range of EMAILIDs;
//! new ones are made behind the deliveries ([`Store::index_step`]) and merged in levels (`merge.rs`). A message never
//! changes, so a segment needs no updates: what was expunged is in no mailbox any more, and drops out at the next merge.
//! What no segment covers yet, and what the index knows too little of (`builder.rs`), is looked at itself.
//!
//! Blocks are written first, in transactions of their own, and count only once the manifest names their segment; those
//! that a crash left over are swept away before the next segment is made. One step is made at a time.

mod builder;
mod check;
mod lookup;
mod manifest;
mod merge;
mod postings;
mod segment;

pub(crate) use check::check;
pub(super) use lookup::Index;
pub(super) use postings::Places;

use crate::keys::{self, MessageValue};
use crate::{Error, Store, read};
use builder::Builder;
use engine::{AccountId, ContentId, Order, Read};
use manifest::{Coverage, Manifest, Segment, Stored};
use segment::Writer;
use std::ops::{Bound, ControlFlow};

/// What a step of indexing is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IndexGoal {
    /// Take in new messages once there are some hundreds; until then searches look at them themselves.
    KeepUp,
    /// Take in every message there is now.
    TakeInAll,
    /// Make the index anew, from wherever the last attempt stopped; searches use the old one until it is done.
    Rebuild,
    /// Write segments again of which most messages are gone.
    GiveBack,
    /// The same for segments of which more than a twentieth is gone.
    GiveBackAll,
}

/// How far indexing is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexProgress {
    /// EMAILIDs taken in, gone ones included.
    pub done: u64,
    /// EMAILIDs there are.
    pub of: u64,
    /// Whether there is more to do for the goal.
    pub more: bool,
}

/// What the text index of an account is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct IndexStatus {
    /// Every EMAILID up to this was taken in.
    pub taken_in: u64,
    /// Messages in it; some may be gone since.
    pub messages: u64,
    /// Messages that came since, at most: searches look at these themselves.
    pub waiting: u64,
    /// Segments.
    pub segments: u64,
    /// Distinct words of the segments together.
    pub words: u64,
    /// Bytes of it all.
    pub bytes: u64,
    /// Messages that are always looked at: unreadable, with too many words, or with text that can't be decoded.
    pub unsure: u64,
    /// Encrypted parts, which can't be searched.
    pub encrypted_parts: u64,
    /// Text parts with an unknown transfer encoding, which can't be searched.
    pub undecodable_parts: u64,
    /// How far a rebuild has come that is under way or was interrupted.
    pub rebuilt: Option<u64>,
}

/// New messages that wait until they are worth a segment.
const WAITING_MAX: u32 = 256;

/// Keys of blocks that one transaction removes.
const SWEEP_PAGE: usize = 500;

/// Messages whose records are read from one snapshot.
const PAGE: usize = 200;

impl Store {
    /// Does a bounded step of indexing (a second or so of work): makes one segment, or merges some. Call it again while
    /// there is `more`. Steps wait for each other.
    ///
    /// # Errors
    /// The engine's. What was not finished is begun again by the next step.
    pub fn index_step(&self, account: AccountId, goal: IndexGoal) -> Result<IndexProgress, Error> {
        let _alone = self.indexing.lock();
        match self.step(account, goal) {
            // It was removed.
            Err(Error::NoAccount) => Ok(IndexProgress { done: 0, of: 0, more: false }),
            done => done,
        }
    }

    fn step(&self, account: AccountId, goal: IndexGoal) -> Result<IndexProgress, Error> {
        let (manifest, next_doc) = self.load(account)?;
        let mut next = manifest.clone();
        let rebuilds = goal == IndexGoal::Rebuild;
        if rebuilds && next.rebuilding.is_none() {
            next.rebuilding = Some(Coverage { segments: Vec::new(), indexed_to: 1 });
        }
        let swept = self.sweep(account, &manifest)?;
        let coverage = match &mut next.rebuilding {
            Some(coverage) if rebuilds => coverage,
            _ => &mut next.current,
        };
        coverage.indexed_to = coverage.indexed_to.max(1);
        let waiting = next_doc.saturating_sub(coverage.indexed_to);
        let enough = match goal {
            IndexGoal::KeepUp | IndexGoal::GiveBack | IndexGoal::GiveBackAll => WAITING_MAX,
            IndexGoal::TakeInAll | IndexGoal::Rebuild => 1,
        };
        let mut more = true;
        if !swept {
            // More to sweep first.
        } else if waiting >= enough {
            let (made, end) = self.make(account, coverage.indexed_to, next_doc, next.next_segment)?;
            coverage.segments.extend(made);
            coverage.indexed_to = end;
            next.next_segment += 1;
        } else if let Some(range) = merge::due(&coverage.segments) {
            let merged = merge::merge(self, account, &coverage.segments[range.clone()], next.next_segment)?;
            coverage.segments.splice(range, [merged]);
            next.next_segment += 1;
        } else if let Some(share) = wasteful(goal)
            && let Some(at) = merge::wasteful(self, account, &coverage.segments, share)?
        {
            let rest = merge::merge(self, account, &coverage.segments[at..=at], next.next_segment)?;
            // A range without any message needs no segment.
            coverage.segments.splice(at..=at, (rest.docs > 0).then_some(rest));
            next.next_segment += 1;
        } else {
            more = false;
        }
        let done = u64::from(coverage.indexed_to - 1);
        if rebuilds
            && !more
            && let Some(rebuilt) = next.rebuilding.take()
        {
            next.current = rebuilt;
        }
        if next != manifest {
            self.replace_manifest(account, manifest, next)?;
        }
        Ok(IndexProgress { done, of: u64::from(next_doc.saturating_sub(1)), more })
    }

    /// What the text index of an account is like.
    ///
    /// # Errors
    /// [`Error::NoAccount`].
    pub fn index_status(&self, account: AccountId) -> Result<IndexStatus, Error> {
        let (manifest, next_doc) = self.load(account)?;
        let segments = &manifest.current.segments;
        let sum = |of: fn(&Segment) -> u64| segments.iter().map(of).sum();
        Ok(IndexStatus {
            taken_in: u64::from(manifest.current.indexed_to.saturating_sub(1)),
            messages: sum(|segment| u64::from(segment.docs)),
            waiting: u64::from(next_doc.saturating_sub(manifest.current.indexed_to.max(1))),
            segments: segments.len() as u64,
            words: sum(|segment| u64::from(segment.tokens)),
            bytes: sum(Segment::bytes),
            unsure: sum(|segment| u64::from(segment.unsure)),
            encrypted_parts: sum(|segment| u64::from(segment.encrypted)),
            undecodable_parts: sum(|segment| u64::from(segment.undecodable)),
            rebuilt: manifest.rebuilding.map(|rebuilding| u64::from(rebuilding.indexed_to.saturating_sub(1))),
        })
    }

    /// The manifest (a new one, if it is of no use) and the id of the next message.
    fn load(&self, account: AccountId) -> Result<(Manifest, u32), Error> {
        let snapshot = self.engine.snapshot()?;
        let next_doc = read::account(&*snapshot, account)?.next_doc;
        Ok((stored(&*snapshot, account)?, next_doc))
    }

    /// Writes the manifest, unless it is not the one that was read (the account was made anew).
    fn replace_manifest(&self, account: AccountId, old: Manifest, new: Manifest) -> Result<(), Error> {
        let write = move |tx: &mut dyn engine::Tx, _: &mut crate::feed::Touched| {
            read::account(tx, account)?;
            if stored(tx, account)? == old {
                tx.put(&keys::index(account), &new.encode())?;
            }
            Ok(())
        };
        match self.transact(&[account], write).wait() {
            Err(Error::NoAccount) => Ok(()),
            written => written,
        }
    }

    /// Removes blocks of segments that the manifest does not name, a page of them; whether that was all.
    fn sweep(&self, account: AccountId, manifest: &Manifest) -> Result<bool, Error> {
        let mut known: Vec<u32> = manifest.segments().map(|segment| segment.id).collect();
        known.sort_unstable();
        let mut gone = Vec::new();
        let snapshot = self.engine.snapshot()?;
        let mut first = 0;
        for end in known.into_iter().map(Some).chain([None]) {
            let range = keys::index_blocks_range(account, first, end);
            snapshot.scan(keys::between(&range), Order::Ascending, &mut |key, _| {
                gone.push(key.to_vec());
                if gone.len() < SWEEP_PAGE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            first = end.unwrap_or_default().saturating_add(1);
        }
        drop(snapshot);
        if gone.is_empty() {
            return Ok(true);
        }
        let complete = gone.len() < SWEEP_PAGE;
        let sweep = move |tx: &mut dyn engine::Tx, _: &mut crate::feed::Touched| {
            gone.iter().try_for_each(|key| tx.delete(key)).map_err(Error::from)
        };
        self.transact(&[account], sweep).wait()?;
        Ok(complete)
    }

    /// Makes one segment of the messages from `first` on; answers up to where it goes. No segment if all are gone.
    fn make(
        &self,
        account: AccountId,
        first: u32,
        next_doc: u32,
        id: u32,
    ) -> Result<(Option<Segment>, u32), Error> {
        let mut builder = Builder::default();
        let mut end = first;
        let mut raw = Vec::new();
        while end < next_doc && !builder.is_full() {
            // A snapshot is not held while a whole segment is made; messages do not change.
            let snapshot = self.engine.snapshot()?;
            let (messages, behind) = messages(&*snapshot, account, end, next_doc)?;
            end = behind;
            for (doc, content) in messages {
                raw.clear();
                let read = content.map(|(content, header)| {
                    Ok((snapshot.read_content(content, 0..u64::MAX, &mut raw)?, header))
                });
                match read.transpose() {
                    Ok(Some(((), header_length))) => builder.add(doc, &raw, header_length as usize),
                    Ok(None) | Err(engine::Error::Corrupt { .. }) => builder.add_unreadable(doc),
                    Err(error) => return Err(error.into()),
                }
                if builder.is_full() {
                    end = doc + 1;
                    break;
                }
            }
        }
        if builder.is_empty() {
            return Ok((None, end));
        }
        let segment = builder.describe(id, first, end);
        builder.write(first, Writer::new(self, account, segment)).map(|segment| (Some(segment), end))
    }
}

/// How many twentieths of a segment's messages must still be there for it to stay as it is.
fn wasteful(goal: IndexGoal) -> Option<u64> {
    match goal {
        IndexGoal::GiveBack => Some(10),
        IndexGoal::GiveBackAll => Some(19),
        IndexGoal::KeepUp | IndexGoal::TakeInAll | IndexGoal::Rebuild => None,
    }
}

fn stored<R: Read + ?Sized>(from: &R, account: AccountId) -> Result<Manifest, Error> {
    let mut stored = Stored::Foreign;
    from.get_with(&keys::index(account), &mut |value| stored = Manifest::decode(value))?;
    // A damaged one is made anew as well: the check tells of it until then, and searches read the messages.
    Ok(if let Stored::Fine(manifest) = stored { manifest } else { Manifest::default() })
}

type MessagePage = Vec<(u32, Option<(ContentId, u32)>)>;

/// A page of messages from `first` on, with content and header length (None: the record is damaged), and where the next
/// page begins.
fn messages<R: Read + ?Sized>(
    from: &R,
    account: AccountId,
    first: u32,
    next_doc: u32,
) -> Result<(MessagePage, u32), Error> {
    let mut found = Vec::new();
    let range = [first, next_doc].map(|doc| keys::message(account, model::EmailId(doc)));
    let bounds = (Bound::Included(&*range[0]), Bound::Excluded(&*range[1]));
    from.scan(bounds, Order::Ascending, &mut |key, value| {
        let Some(doc) = keys::last_u32(key) else { return ControlFlow::Continue(()) };
        let message = MessageValue::decode(value);
        found.push((doc, message.map(|message| (message.content, message.header_length))));
        if found.len() < PAGE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let end = match found.last() {
        Some((last, _)) if found.len() == PAGE => last + 1,
        _ => next_doc,
    };
    Ok((found, end))
}
